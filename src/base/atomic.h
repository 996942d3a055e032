/* atomic: C11's atomics, through the one door by which a build can replace them.
 *
 * Why: the proofs of the runtime (tests/model) run the same code with every atomic access a point
 * where another thread may come in between; they compile it with SEDGE_ATOMICS naming a header
 * that defines the operations of the standard header anew. Nobody includes that header by itself.
 * Threads: that is what it is for. Source: ISO/IEC 9899:2011, 7.17. */
#pragma once

/* For a number that only one thread changes and others read: no locked instruction. */
#define atomic_add_own(p, d)                                                                       \
    atomic_store_explicit((p), atomic_load_explicit((p), memory_order_relaxed) + (d),              \
                          memory_order_relaxed)

#ifdef SEDGE_ATOMICS
#include SEDGE_ATOMICS
#else
#include <stdatomic.h>

/* What a thread does between two looks at what another one is about to change. */
static inline void cpu_relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}
#endif
