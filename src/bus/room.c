/* room: whoever was refused because something was full is told when it is not. */
#include "bus/bus_internal.h"

/* Asks again after having said that it matters, or what changes meanwhile would be missed. */
static bool is_cool(struct lane *l, struct lane *other, uint64_t hash)
{
    if (!hash || !atomic_load_explicit(&other->hot_n, memory_order_relaxed) ||
        !lane_is_hot(other, hash))
        return true;
    (void)atomic_fetch_or(&other->hot_wanted, 1ull << l->index);
    return !lane_is_hot(other, hash);
}

static bool fits(struct lane *l, unsigned to, uint32_t n, uint64_t hash)
{
    struct ring *r = lane_ring(l, to);
    return (ring_room(r, n) || ring_want(r, n)) && is_cool(l, &l->bus->lanes[to], hash);
}

bool room_for(struct lane *l, uint64_t others, uint32_t n, uint64_t hash)
{
    for (; others; others &= others - 1)
        if (!fits(l, (unsigned)__builtin_ctzll(others), n, hash)) {
            l->refused = true;
            return false;
        }
    return true;
}

bool room_behind(struct lane *l, const struct job *j)
{
    if (job_room(l, j))
        return true;
    l->refused = l->full_here = true;
    return false;
}

void room_drained(struct lane *l, unsigned from)
{
    struct lane *producer = &l->bus->lanes[from];
    if (!ring_wanted(&l->rings[from]))
        return;
    atomic_store(&producer->room, true);
    lane_wake(producer);
}

void room_tell(struct lane *l)
{
    bool room =
        atomic_load_explicit(&l->room, memory_order_relaxed) && atomic_exchange(&l->room, false);
    if (l->full_here && jobs_are_few(l)) {
        l->full_here = false;
        room = true;
    }
    if (!room)
        return;
    struct list now;
    list_init(&now);
    l->refused = l->full_here; /* the others ask again, and are refused again */
    while (!list_empty(&l->rooms))
        list_add_tail(&now, list_pop_head(&l->rooms));
    while (!list_empty(&now)) {
        struct bus_room *r = CONTAINER_OF(list_pop_head(&now), struct bus_room, link);
        r->room(r);
    }
}

void bus_room_wait(struct bus *b, struct bus_room *r)
{
    struct lane *l = lane_here(b);
    if (!r->link.next)
        list_init(&r->link);
    if (!list_empty(&r->link))
        return;
    list_add_tail(&l->rooms, &r->link);
    if (l->refused)
        return;
    atomic_store(&l->room, true); /* it was told before it waited */
    lane_wake(l);
}

void bus_room_cancel(struct bus_room *r)
{
    if (r->link.next)
        list_del(&r->link);
}
