/* poison: tells AddressSanitizer which memory of a pool or arena nobody may touch.
 *
 * Nothing in an ordinary build. It knows eighths: a block should be aligned to 8 bytes.
 * Threads: none of its own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define MEMORY_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEMORY_POISONS 1
#endif
#endif
#ifndef MEMORY_POISONS
#define MEMORY_POISONS 0
#endif

#if MEMORY_POISONS
#include <sanitizer/asan_interface.h>
static inline void memory_poison(void *p, size_t n)
{
    __asan_poison_memory_region(p, n);
}
static inline void memory_unpoison(void *p, size_t n)
{
    __asan_unpoison_memory_region(p, n);
}
/* Are of `room` bytes the first n, and no more, free to touch? True where nobody knows. */
static inline bool memory_is_exactly(void *p, size_t n, size_t room)
{
    return !__asan_region_is_poisoned(p, n) &&
           (n >= room || __asan_address_is_poisoned((char *)p + n));
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
static inline bool memory_is_exactly(void *p, size_t n, size_t room)
{
    (void)p;
    (void)n;
    (void)room;
    return true;
}
#endif
