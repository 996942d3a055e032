/* fence: has everything arrived that was published before?
 *
 * Each worker pushes a mark into each of its rings. Who has taken one from every ring, and has
 * finished what waited behind slices then, has delivered all that came before. */
#include "bus/bus_internal.h"

void bus_fence(struct bus *b, struct bus_fence *f)
{
    ASSERT(!b->fence);
    b->fence = f;
    atomic_store(&f->disturbed, false);
    b->fence_moved = atomic_load_explicit(&b->moved, memory_order_relaxed);
    atomic_store(&b->fence_left, b->workers);
    for (unsigned i = 0; i < b->workers; i++) {
        atomic_store(&b->lanes[i].fence_asked, true);
        lane_wake(&b->lanes[i]);
    }
    if (!worker_current())
        bus_settle(b);
}

void fence_begin(struct lane *l)
{
    static const struct ring_entry mark = {.kind = RING_FENCE};
    if (!atomic_load_explicit(&l->fence_asked, memory_order_relaxed) ||
        !atomic_exchange(&l->fence_asked, false))
        return;
    for (unsigned i = 0; i < l->bus->workers; i++)
        if (i != l->index)
            lane_hand(l, i, &mark);
    fence_came(l);
}

void fence_came(struct lane *l)
{
    l->progress++;
    if (++l->fences < l->bus->workers)
        return;
    l->fences = 0;
    l->fence_waits = true;
    l->fence_number = l->number_last;
}

void fence_check(struct lane *l)
{
    struct bus *b = l->bus;
    if (!l->fence_waits || jobs_oldest(l) <= l->fence_number || !list_empty(&l->again))
        return;
    struct bus_fence *f = b->fence;
    l->fence_waits = false;
    l->progress++;
    if (atomic_load(&b->moved) != b->fence_moved)
        atomic_store(&f->disturbed, true);
    if (atomic_fetch_sub(&b->fence_left, 1) == 1)
        b->fence = NULL; /* first: who has been told by all may begin another one */
    f->passed(f, l->worker);
}
