#include "base/vec.h"

#include <string.h>

#define VEC_MAX ((size_t)1 << 31)

/* `v` points to a pointer of some other type: it is read and written as bytes, which keeps
 * the aliasing rules. */
bool vec_grow(struct alloc *a, void **v, size_t *cap, size_t elem_size, size_t need)
{
    if (need <= *cap)
        return true;
    if (need > VEC_MAX)
        return false;
    size_t want = *cap < 8 ? 8 : *cap * 2;
    if (want < need)
        want = need;
    if (want > VEC_MAX)
        want = VEC_MAX;
    size_t bytes;
    if (__builtin_mul_overflow(want, elem_size, &bytes))
        return false;
    void *old;
    memcpy(&old, v, sizeof(old));
    void *p = mem_resize(a, old, *cap * elem_size, bytes);
    if (!p)
        return false;
    memcpy(v, &p, sizeof(p));
    *cap = want;
    return true;
}
