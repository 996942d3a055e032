#include "async/deque.h"

enum err deque_init(struct deque *d, struct alloc *a, size_t capacity)
{
    *d = (struct deque){0};
    if (capacity < 1 || capacity > DEQUE_CAPACITY_MAX || (capacity & (capacity - 1)) != 0)
        return ERR_INVALID;
    d->slots = mem_array(a, capacity, sizeof(*d->slots));
    if (!d->slots)
        return ERR_NOMEM;
    d->alloc = a;
    d->mask = capacity - 1;
    atomic_init(&d->top, 0);
    atomic_init(&d->bottom, 0);
    return ERR_OK;
}

void deque_fini(struct deque *d)
{
    if (d->slots)
        mem_free(d->alloc, (void *)d->slots, (d->mask + 1) * sizeof(*d->slots));
    *d = (struct deque){0};
}
