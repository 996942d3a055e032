/* thread_id: a number that tells the calling thread from all others that live.
 *
 * Why: pthread_self() is declared const, so a compiler may keep its value from before a coroutine
 * was left until after it was resumed, on whichever thread that was; and it is a call. This reads
 * the thread's own register each time.
 * Threads: any. Never 0. */
#pragma once

#include <stdint.h>

static inline uintptr_t thread_id(void)
{
    uintptr_t id;
#if defined(__x86_64__)
    __asm__ volatile("mov %%fs:0, %0" : "=r"(id));
#elif defined(__aarch64__)
    __asm__ volatile("mrs %0, tpidr_el0" : "=r"(id));
#else
    static _Thread_local char here;
    char *volatile p = &here;
    id = (uintptr_t)p;
#endif
    return id;
}
