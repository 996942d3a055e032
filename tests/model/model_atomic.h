/* model_atomic: the operations of <stdatomic.h> as steps of the model. The program is built with
 * SEDGE_ATOMICS naming this file; base/atomic.h includes it.
 *
 * A value travels as a uintptr_t, whatever its type; the file and line travel with it, for the
 * account of a failure. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/model/model_thread.h"

enum model_rmw { MODEL_EXCHANGE, MODEL_ADD, MODEL_SUB, MODEL_OR, MODEL_AND };

uintptr_t model_load(const volatile void *at, size_t size, int order, const char *where);
void model_store(volatile void *at, size_t size, uintptr_t value, int order, const char *where);
uintptr_t model_rmw(volatile void *at, size_t size, enum model_rmw op, uintptr_t value, int order,
                    const char *where);
/* On failure *expected becomes what was seen. */
_Bool model_cas(volatile void *at, size_t size, void *expected, uintptr_t value, int order,
                int order_failed, const char *where);
void model_init(volatile void *at, size_t size, uintptr_t value);
void model_fence(int order, const char *where);
void model_light_fence(void);
void model_relax(void);

#define MODEL_TEXT_(x) #x
#define MODEL_TEXT(x)  MODEL_TEXT_(x)
#define MODEL_WHERE    (__FILE__ ":" MODEL_TEXT(__LINE__))
/* The comma takes the qualifiers away. */
#define MODEL_TYPE(p) __typeof__((void)0, *(p))

#undef atomic_init
#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_exchange
#undef atomic_exchange_explicit
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak
#undef atomic_compare_exchange_weak_explicit
#undef atomic_fetch_add
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_or
#undef atomic_fetch_or_explicit
#undef atomic_fetch_and
#undef atomic_fetch_and_explicit
#undef atomic_thread_fence
#undef atomic_signal_fence

#define atomic_init(p, v) model_init((p), sizeof(*(p)), (uintptr_t)(v))
#define atomic_load_explicit(p, o)                                                                 \
    ((MODEL_TYPE(p))model_load((p), sizeof(*(p)), (int)(o), MODEL_WHERE))
#define atomic_store_explicit(p, v, o)                                                             \
    model_store((p), sizeof(*(p)), (uintptr_t)(v), (int)(o), MODEL_WHERE)
#define MODEL_RMW(op, p, v, o)                                                                     \
    ((MODEL_TYPE(p))model_rmw((p), sizeof(*(p)), (op), (uintptr_t)(v), (int)(o), MODEL_WHERE))
#define atomic_exchange_explicit(p, v, o)  MODEL_RMW(MODEL_EXCHANGE, p, v, o)
#define atomic_fetch_add_explicit(p, v, o) MODEL_RMW(MODEL_ADD, p, v, o)
#define atomic_fetch_sub_explicit(p, v, o) MODEL_RMW(MODEL_SUB, p, v, o)
#define atomic_fetch_or_explicit(p, v, o)  MODEL_RMW(MODEL_OR, p, v, o)
#define atomic_fetch_and_explicit(p, v, o) MODEL_RMW(MODEL_AND, p, v, o)
#define atomic_compare_exchange_strong_explicit(p, e, v, o, of)                                    \
    model_cas((p), sizeof(*(p)), (e), (uintptr_t)(v), (int)(o), (int)(of), MODEL_WHERE)
/* It does not fail without a reason here: the loops that need it to be repeated are the same. */
#define atomic_compare_exchange_weak_explicit atomic_compare_exchange_strong_explicit

#define atomic_load(p)         atomic_load_explicit(p, memory_order_seq_cst)
#define atomic_store(p, v)     atomic_store_explicit(p, v, memory_order_seq_cst)
#define atomic_exchange(p, v)  atomic_exchange_explicit(p, v, memory_order_seq_cst)
#define atomic_fetch_add(p, v) atomic_fetch_add_explicit(p, v, memory_order_seq_cst)
#define atomic_fetch_sub(p, v) atomic_fetch_sub_explicit(p, v, memory_order_seq_cst)
#define atomic_fetch_or(p, v)  atomic_fetch_or_explicit(p, v, memory_order_seq_cst)
#define atomic_fetch_and(p, v) atomic_fetch_and_explicit(p, v, memory_order_seq_cst)
#define atomic_compare_exchange_strong(p, e, v)                                                    \
    atomic_compare_exchange_strong_explicit(p, e, v, memory_order_seq_cst, memory_order_seq_cst)
#define atomic_compare_exchange_weak atomic_compare_exchange_strong
#define atomic_thread_fence(o)       model_fence((int)(o), MODEL_WHERE)
#define atomic_signal_fence(o)       ((void)(o), model_light_fence())
#define cpu_relax()                  model_relax()
