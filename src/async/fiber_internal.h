/* fiber_internal: tells the sanitizers about switches of stacks. Nothing in other builds.
 *
 * Why: the address sanitizer keeps the bounds and a shadow of the running stack, the thread
 * sanitizer a history for each thread of execution; both must change with the stack.
 * After sanitizer/common_interface_defs.h and tsan_interface.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define FIBER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FIBER_TSAN 1
#endif
#endif

#if defined(FIBER_ASAN) || defined(FIBER_TSAN)
enum { FIBERS = 1 };
#else
enum { FIBERS = 0 };
#endif

/* The stack of the thread itself. */
struct fiber_main {
    const void *bottom;
    size_t size;
    void *fiber;
    bool left; /* it is what is being left: its bounds are learned on arrival */
};

#ifdef FIBER_ASAN
void __sanitizer_start_switch_fiber(void **fake, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake, const void **bottom, size_t *size);
void __asan_unpoison_memory_region(void const volatile *p, size_t size);
/* `fake` is NULL when the stack that is left will not run again. */
static inline void fiber_leave(void **fake, const void *bottom, size_t size)
{
    __sanitizer_start_switch_fiber(fake, bottom, size);
}
/* On the new stack. */
static inline void fiber_arrive(void *fake, struct fiber_main *m)
{
    const void *bottom;
    size_t size;
    __sanitizer_finish_switch_fiber(fake, &bottom, &size);
    if (m->left) {
        m->left = false;
        m->bottom = bottom;
        m->size = size;
    }
}
/* What was poisoned there belonged to frames that are gone. */
static inline void fiber_forget(void *p, size_t size)
{
    __asan_unpoison_memory_region(p, size);
}
#else
static inline void fiber_leave(void **fake, const void *bottom, size_t size)
{
    (void)fake, (void)bottom, (void)size;
}
static inline void fiber_arrive(void *fake, struct fiber_main *m)
{
    (void)fake, (void)m;
}
static inline void fiber_forget(void *p, size_t size)
{
    (void)p, (void)size;
}
#endif

#ifdef FIBER_TSAN
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
static inline void fiber_free(void *fiber)
{
    if (fiber)
        __tsan_destroy_fiber(fiber);
}
/* For the next coroutine on a stack: the last one left it in the middle of calls, which the
 * sanitizer would remember for ever. */
static inline void *fiber_renew(void *fiber)
{
    fiber_free(fiber);
    return __tsan_create_fiber(0);
}
static inline void *fiber_of(void **fibers, size_t slot)
{
    return fibers[slot];
}
static inline void *fiber_current(void)
{
    return __tsan_get_current_fiber();
}
/* Directly before the switch. */
static inline void fiber_change(void *fiber)
{
    __tsan_switch_to_fiber(fiber, 0);
}
#else
static inline void *fiber_renew(void *fiber)
{
    return fiber;
}
static inline void fiber_free(void *fiber)
{
    (void)fiber;
}
static inline void *fiber_of(void **fibers, size_t slot)
{
    (void)fibers, (void)slot;
    return NULL;
}
static inline void *fiber_current(void)
{
    return NULL;
}
static inline void fiber_change(void *fiber)
{
    (void)fiber;
}
#endif
