/* vec: a growing array of anything. `VEC(struct foo) foos = {0};`
 *
 * Ownership: the array owns its memory, not what its elements point to.
 * An element that is computed from the array sees it without itself; it must not push.
 * Threads: none. Errors: vec_push() returns false without memory or above 2^31 elements. */
#pragma once

#include "base/alloc.h"

#define VEC(T)                                                                                     \
    struct {                                                                                       \
        T *v;                                                                                      \
        size_t n, cap;                                                                             \
    }

bool vec_grow(struct alloc *a, void **v, size_t *cap, size_t elem_size, size_t need);

#define vec_push(a, vec, ...)                                                                      \
    (((vec)->n < (vec)->cap ||                                                                     \
      vec_grow((a), (void **)&(vec)->v, &(vec)->cap, sizeof(*(vec)->v), (vec)->n + 1))             \
         ? ((vec)->v[(vec)->n] = (__VA_ARGS__), (vec)->n++, true)                                  \
         : false)
#define vec_fini(a, vec)                                                                           \
    do {                                                                                           \
        mem_free((a), (vec)->v, (vec)->cap * sizeof(*(vec)->v));                                   \
        (vec)->v = NULL;                                                                           \
        (vec)->n = (vec)->cap = 0;                                                                 \
    } while (0)
