#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

void *mem_zero(struct alloc *a, size_t size)
{
    void *p = mem_new(a, size);
    if (p)
        memset(p, 0, size);
    return p;
}

void *mem_array(struct alloc *a, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        return NULL;
    return mem_zero(a, total);
}

static void *system_resize(struct alloc *a, void *p, size_t old_size, size_t new_size)
{
    (void)a;
    (void)old_size;
    if (new_size == 0) {
        free(p);
        return NULL;
    }
    return realloc(p, new_size);
}

struct alloc *alloc_system(void)
{
    static struct alloc system = {system_resize};
    return &system;
}

static void *limited_resize(struct alloc *a, void *p, size_t old_size, size_t new_size)
{
    struct alloc_limited *l = CONTAINER_OF(a, struct alloc_limited, alloc);
    if (!p)
        old_size = 0;
    ASSERT(old_size <= l->used);
    size_t others = l->used - old_size;
    if (new_size > l->max || others > l->max - new_size) {
        /* A block may shrink even if the limit was lowered meanwhile. */
        if (new_size > old_size) {
            l->refused++;
            return NULL;
        }
    }
    void *q = l->parent->resize(l->parent, p, old_size, new_size);
    if (!q && new_size != 0) {
        l->refused++;
        return NULL;
    }
    l->used = others + new_size;
    if (l->used > l->peak)
        l->peak = l->used;
    return q;
}

void alloc_limited_init(struct alloc_limited *l, struct alloc *parent, size_t max)
{
    *l = (struct alloc_limited){.alloc = {limited_resize}, .parent = parent, .max = max};
}

static void *faulty_resize(struct alloc *a, void *p, size_t old_size, size_t new_size)
{
    struct alloc_faulty *f = CONTAINER_OF(a, struct alloc_faulty, alloc);
    if (!p)
        old_size = 0;
    ASSERT(old_size <= f->live_bytes); /* else a size given back is wrong */
    if (new_size != 0 && f->count++ >= f->fail_at) {
        f->failed = true;
        return NULL;
    }
    void *q = system_resize(a, p, old_size, new_size);
    if (q || new_size == 0)
        f->live_bytes += new_size - old_size;
    return q;
}

void alloc_faulty_init(struct alloc_faulty *f, uint64_t fail_at)
{
    *f = (struct alloc_faulty){.alloc = {faulty_resize}, .fail_at = fail_at};
}
