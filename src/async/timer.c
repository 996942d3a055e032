#include "async/timer.h"
#include "async/worker_internal.h"

#define NS_A_MS 1000000

/* Rounded up: a timer must not fire early. */
static uint64_t tick_of(int64_t at_ns)
{
    uint64_t ns = (uint64_t)at_ns;
    return ns / NS_A_MS + (ns % NS_A_MS != 0);
}

void wheel_init(struct wheel *w, int64_t now_ns)
{
    w->now_ms = (uint64_t)now_ns / NS_A_MS;
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        w->used[level] = 0;
        for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
            list_init(&w->slot[level][slot]);
    }
    list_init(&w->due);
}

void wheel_add(struct wheel *w, struct timer *t)
{
    uint64_t tick = tick_of(t->at_ns);
    if (tick <= w->now_ms) {
        list_add_tail(&w->due, &t->link);
        return;
    }
    unsigned level = (63u - (unsigned)__builtin_clzll(tick ^ w->now_ms)) / WHEEL_BITS;
    ASSERT(level < WHEEL_LEVELS);
    unsigned slot = (tick >> (level * WHEEL_BITS)) & (WHEEL_SLOTS - 1);
    w->used[level] |= 1ull << slot;
    list_add_tail(&w->slot[level][slot], &t->link);
}

static void move_all(struct list *to, struct list *from)
{
    list_init(to);
    if (list_empty(from))
        return;
    to->next = from->next;
    to->prev = from->prev;
    to->next->prev = to;
    to->prev->next = to;
    list_init(from);
}

static void fire_all(struct list *timers)
{
    struct list *it;
    while ((it = list_pop_head(timers))) {
        struct timer *t = CONTAINER_OF(it, struct timer, link);
        t->at_ns = 0;
        t->fire(t);
    }
}

/* The next slot that holds a timer, and the millisecond at which it begins. */
static bool next_slot(struct wheel *w, unsigned *level_out, unsigned *slot_out, uint64_t *at)
{
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        unsigned shift = level * WHEEL_BITS;
        unsigned here = (w->now_ms >> shift) & (WHEEL_SLOTS - 1);
        uint64_t ahead = w->used[level] & ~((2ull << here) - 1);
        while (ahead) {
            unsigned slot = (unsigned)__builtin_ctzll(ahead);
            if (!list_empty(&w->slot[level][slot])) {
                uint64_t above = w->now_ms >> (shift + WHEEL_BITS) << (shift + WHEEL_BITS);
                *level_out = level;
                *slot_out = slot;
                *at = above | (uint64_t)slot << shift;
                return true;
            }
            w->used[level] &= ~(1ull << slot);
            ahead &= ahead - 1;
        }
    }
    return false;
}

/* The slot's time has come: its timers are due, or move to lower levels. */
static void open_slot(struct wheel *w, unsigned level, unsigned slot)
{
    struct list all, due;
    w->used[level] &= ~(1ull << slot);
    move_all(&all, &w->slot[level][slot]);
    if (level == 0) {
        fire_all(&all);
        return;
    }
    list_init(&due);
    struct list *it;
    while ((it = list_pop_head(&all))) {
        struct timer *t = CONTAINER_OF(it, struct timer, link);
        if (tick_of(t->at_ns) <= w->now_ms)
            list_add_tail(&due, it);
        else
            wheel_add(w, t);
    }
    fire_all(&due);
}

void wheel_advance(struct wheel *w, int64_t now_ns)
{
    uint64_t target = (uint64_t)now_ns / NS_A_MS, at;
    unsigned level, slot;
    struct list due;
    move_all(&due, &w->due);
    fire_all(&due);
    while (next_slot(w, &level, &slot, &at) && at <= target) {
        w->now_ms = at;
        open_slot(w, level, slot);
    }
    if (target > w->now_ms)
        w->now_ms = target;
}

int64_t wheel_next_ns(struct wheel *w)
{
    unsigned level, slot;
    uint64_t at;
    if (!list_empty(&w->due))
        return 0;
    if (!next_slot(w, &level, &slot, &at))
        return -1;
    /* A sleeping worker should wake for the timer, not for its cascades; but a long list is
     * cheaper to cascade than to search at every sleep. */
    if (level > 0) {
        unsigned looked = 0;
        uint64_t first = UINT64_MAX;
        LIST_EACH(&w->slot[level][slot], it)
        {
            if (++looked > WHEEL_LOOK)
                return (int64_t)at * NS_A_MS;
            uint64_t tick = tick_of(CONTAINER_OF(it, struct timer, link)->at_ns);
            if (tick < first)
                first = tick;
        }
        at = first;
    }
    return at > INT64_MAX / NS_A_MS ? INT64_MAX : (int64_t)at * NS_A_MS;
}

void timer_init(struct timer *t, struct worker *w, void (*fire)(struct timer *))
{
    list_init(&t->link);
    t->at_ns = 0;
    t->worker = w;
    t->fire = fire;
}

void timer_set(struct timer *t, int64_t at_ns)
{
    if (t->at_ns)
        list_del(&t->link);
    t->at_ns = at_ns > 0 ? at_ns : 1;
    wheel_add(&t->worker->wheel, t);
}

void timer_set_after_ms(struct timer *t, int64_t ms)
{
    int64_t now_ns = worker_now_ns(t->worker);
    if (ms < 0)
        ms = 0;
    timer_set(t, ms > (INT64_MAX - now_ns) / NS_A_MS ? INT64_MAX : now_ns + ms * NS_A_MS);
}

void timer_cancel(struct timer *t)
{
    if (!t->at_ns)
        return;
    list_del(&t->link);
    t->at_ns = 0;
}
