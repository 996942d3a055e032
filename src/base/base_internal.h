/* base_internal: tells AddressSanitizer which memory of a pool or arena nobody may touch.
 *
 * Nothing in an ordinary build. Threads: none of its own. */
#pragma once

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define BASE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BASE_ASAN 1
#endif
#endif

#ifdef BASE_ASAN
#include <sanitizer/asan_interface.h>
static inline void memory_poison(void *p, size_t n)
{
    __asan_poison_memory_region(p, n);
}
static inline void memory_unpoison(void *p, size_t n)
{
    __asan_unpoison_memory_region(p, n);
}
#else
static inline void memory_poison(void *p, size_t n)
{
    (void)p;
    (void)n;
}
static inline void memory_unpoison(void *p, size_t n)
{
    (void)p;
    (void)n;
}
#endif
