/* Atomic accesses: histories of values, and what each thread may see of them. See model.h. */
#include "tests/model/model_atomic.h"
#include "tests/model/model_internal.h"
#include <string.h>

struct message {
    uint64_t value;
    struct view released; /* what an acquiring load of it learns */
};

/* Values are numbered from 1; number k lies in history[k % HISTORY]. */
struct location {
    const volatile void *at;
    uint16_t oldest, newest;
    bool overwritten; /* by a plain access: what lies in memory is its only value */
    struct message history[HISTORY];
};

static struct location locations[LOCATIONS_MAX]; /* 0 is nobody's */
static uint16_t locations_used;
static struct view in_order; /* of the sequentially consistent accesses and fences */

void memory_begin(void)
{
    locations_used = 0;
    memset(&in_order, 0, sizeof(in_order));
}

/* --- views --- */

static void view_reach(struct view *v, unsigned n)
{
    if (v->locations < n) {
        memset(v->seen + v->locations, 0, (n - v->locations) * sizeof(v->seen[0]));
        v->locations = n;
    }
}

void view_join(struct view *to, const struct view *from)
{
    view_reach(to, from->locations);
    for (unsigned i = 0; i < THREADS_MAX; i++)
        if (from->clock[i] > to->clock[i])
            to->clock[i] = from->clock[i];
    for (unsigned i = 0; i < from->locations; i++)
        to->seen[i] = from->seen[i] > to->seen[i] ? from->seen[i] : to->seen[i];
}

void view_copy(struct view *to, const struct view *from)
{
    memcpy(to->clock, from->clock, sizeof(to->clock));
    to->locations = from->locations;
    memcpy(to->seen, from->seen, from->locations * sizeof(to->seen[0]));
}

static void view_clear(struct view *v)
{
    memset(v->clock, 0, sizeof(v->clock));
    v->locations = 0;
}

static void view_see(struct view *v, uint16_t location, uint16_t number)
{
    view_reach(v, location + 1u);
    if (v->seen[location] < number)
        v->seen[location] = number;
}

static uint16_t seen_by(const struct view *v, uint16_t location)
{
    return location < v->locations ? v->seen[location] : 0;
}

/* --- places --- */

static uint64_t bytes_at(const volatile void *at, size_t size)
{
    uint64_t v = 0;
    memcpy(&v, (const void *)at, size);
    return v;
}

/* Its only value: whatever older ones there were, nobody sees them any more. */
static void restart(struct location *l, uint64_t value)
{
    l->newest++;
    l->oldest = l->newest;
    l->overwritten = false;
    struct message *m = &l->history[l->newest % HISTORY];
    m->value = value;
    view_clear(&m->released);
}

static uint16_t find(const volatile void *at, size_t size)
{
    uint16_t *n = shadow_location((const void *)at);
    if (*n == 0) {
        if (locations_used + 1 == LOCATIONS_MAX)
            model_fail(__FILE__, __LINE__, "more than %d atomics", LOCATIONS_MAX);
        *n = ++locations_used;
        struct location *l = &locations[*n];
        l->at = at;
        l->newest = 0;
        restart(l, bytes_at(at, size));
    }
    struct location *l = &locations[*n];
    uint64_t value = bytes_at(at, size);
    if (l->overwritten || l->history[l->newest % HISTORY].value != value)
        restart(l, value);
    return *n;
}

void memory_overwritten(uint16_t location)
{
    locations[location].overwritten = true;
}

/* --- orders --- */

static bool acquires(int order)
{
    return order == memory_order_acquire || order == memory_order_acq_rel ||
           order == memory_order_seq_cst || order == memory_order_consume;
}

static bool releases(int order)
{
    return order == memory_order_release || order == memory_order_acq_rel ||
           order == memory_order_seq_cst;
}

static void learn(struct thread *t, const struct message *m, int order)
{
    view_join(acquires(order) ? &t->view : &t->unfenced, &m->released);
}

/* The value becomes the newest. `after`: of a read-modify-write, what it read. */
static void append(struct thread *t, uint16_t n, uint64_t value, int order,
                   const struct message *after)
{
    struct location *l = &locations[n];
    struct message *m = &l->history[(l->newest + 1) % HISTORY];
    static struct view before; /* the history is a ring: `after` may be written over */
    if (after)
        view_copy(&before, &after->released);
    l->newest++;
    if (l->newest - l->oldest >= HISTORY)
        l->oldest = (uint16_t)(l->newest - HISTORY + 1);
    view_see(&t->view, n, l->newest);
    if (order == memory_order_seq_cst)
        view_see(&in_order, n, l->newest);
    m->value = value;
    view_copy(&m->released, releases(order) ? &t->view : &t->fence);
    if (after)
        view_join(&m->released, &before);
    if (releases(order))
        t->view.clock[thread_index(t)]++;
}

/* --- the operations --- */

static void put(const volatile void *at, size_t size, uint64_t value)
{
    memcpy((void *)(uintptr_t)at, &value, size);
    unblock_all((const void *)at);
}

static uint64_t cut(uint64_t value, size_t size)
{
    return size == 8 ? value : value & ((UINT64_C(1) << 8 * size) - 1);
}

static const char *order_name(int order)
{
    static const char *const names[] = {"relaxed", "consume", "acquire",
                                        "release", "acq_rel", "seq_cst"};
    return order >= 0 && order < 6 ? names[order] : "?";
}

/* Is this thread doing nothing but looking at this place? Then it gets no older values, and in the
 * end it waits for a new one. */
static bool looks_again(struct thread *t, const void *at)
{
    uint16_t n = *shadow_location(at);
    return t->looks > 0 && t->looked_at == at && n && locations[n].newest == t->looked_seen;
}

static uint16_t oldest_visible(struct thread *t, uint16_t n, int order)
{
    struct location *l = &locations[n];
    uint16_t from = seen_by(&t->view, n);
    if (order == memory_order_seq_cst && seen_by(&in_order, n) > from)
        from = seen_by(&in_order, n);
    return from > l->oldest ? from : l->oldest;
}

uintptr_t model_load(const volatile void *at, size_t size, int order, const char *where)
{
    struct thread *t = now.current;
    const void *p = (const void *)at;
    if (!now.active)
        return bytes_at(at, size);
    bool same = looks_again(t, p), again = same && t->looks >= SPINS_FREE;
    if (!again)
        step();
    else if (t->looks >= SPINS_MAX)
        block(p, where, -1);
    heap_touch(p, size, where);
    shadow_access(p, size, ACCESS_ATOMIC_READ, where);
    uint16_t n = find(at, size);
    struct location *l = &locations[n];
    uint16_t back = 0, visible = (uint16_t)(l->newest - oldest_visible(t, n, order) + 1);
    if (visible > 1 && !again && may_be_stale())
        back = (uint16_t)choose(visible, CHOICE_STALE);
    now.stale += back > 0;
    uint16_t number = (uint16_t)(l->newest - back);
    struct message *m = &l->history[number % HISTORY];
    view_see(&t->view, n, number);
    if (order == memory_order_seq_cst)
        view_see(&in_order, n, number);
    learn(t, m, order);
    t->looks = same && l->newest == t->looked_seen ? t->looks + 1 : 1;
    t->looked_at = p;
    t->looked_seen = l->newest;
    trace(where, "load %p %s: %#llx%s", p, order_name(order), (unsigned long long)m->value,
          back ? " (old)" : "");
    return m->value;
}

void model_store(volatile void *at, size_t size, uintptr_t value, int order, const char *where)
{
    struct thread *t = now.current;
    const void *p = (const void *)at;
    value = cut(value, size);
    if (!now.active) {
        memcpy((void *)(uintptr_t)at, &value, size);
        return;
    }
    step();
    t->looks = 0;
    heap_touch(p, size, where);
    shadow_access(p, size, ACCESS_ATOMIC_WRITE, where);
    append(t, find(at, size), value, order, NULL);
    put(at, size, value);
    trace(where, "store %p %s: %#llx", p, order_name(order), (unsigned long long)value);
}

static uint64_t applied(enum model_rmw op, uint64_t old, uint64_t value)
{
    switch (op) {
    case MODEL_EXCHANGE: return value;
    case MODEL_ADD: return old + value;
    case MODEL_SUB: return old - value;
    case MODEL_OR: return old | value;
    case MODEL_AND: return old & value;
    }
    return old;
}

uintptr_t model_rmw(volatile void *at, size_t size, enum model_rmw op, uintptr_t value, int order,
                    const char *where)
{
    struct thread *t = now.current;
    const void *p = (const void *)at;
    if (!now.active) {
        uint64_t was = bytes_at(at, size), becomes = cut(applied(op, was, value), size);
        memcpy((void *)(uintptr_t)at, &becomes, size);
        return was;
    }
    step();
    t->looks = 0;
    heap_touch(p, size, where);
    shadow_access(p, size, ACCESS_ATOMIC_WRITE, where);
    uint16_t n = find(at, size);
    struct message *m = &locations[n].history[locations[n].newest % HISTORY];
    uint64_t old = m->value, new = cut(applied(op, old, value), size);
    learn(t, m, order);
    append(t, n, new, order, m);
    put(at, size, new);
    trace(where, "change %p %s: %#llx to %#llx", p, order_name(order), (unsigned long long)old,
          (unsigned long long)new);
    return old;
}

/* What a failing comparison may see: anything but what it hoped for. */
static uint16_t choose_failure(uint16_t n, uint16_t oldest, uint64_t wanted)
{
    struct location *l = &locations[n];
    uint16_t may[HISTORY] = {l->newest};
    size_t count = 1;
    for (uint16_t number = l->newest; number > oldest; number--)
        if (l->history[(number - 1) % HISTORY].value != wanted)
            may[count++] = (uint16_t)(number - 1);
    size_t k = count > 1 && may_be_stale() ? choose(count, CHOICE_STALE) : 0;
    now.stale += k > 0;
    return may[k];
}

_Bool model_cas(volatile void *at, size_t size, void *expected, uintptr_t value, int order,
                int order_failed, const char *where)
{
    struct thread *t = now.current;
    const void *p = (const void *)at;
    uint64_t wanted = bytes_at(expected, size);
    value = cut(value, size);
    if (!now.active) {
        uint64_t old = bytes_at(at, size);
        memcpy(old == wanted ? (void *)(uintptr_t)at : expected, old == wanted ? &value : &old,
               size);
        return old == wanted;
    }
    step();
    t->looks = 0;
    heap_touch(p, size, where);
    uint16_t n = find(at, size);
    uint16_t number = choose_failure(n, oldest_visible(t, n, order_failed), wanted);
    struct message *m = &locations[n].history[number % HISTORY];
    if (m->value == wanted) {
        shadow_access(p, size, ACCESS_ATOMIC_WRITE, where);
        learn(t, m, order);
        append(t, n, value, order, m);
        put(at, size, value);
        trace(where, "change %p %s: %#llx to %#llx", p, order_name(order),
              (unsigned long long)wanted, (unsigned long long)value);
        return true;
    }
    shadow_access(p, size, ACCESS_ATOMIC_READ, where);
    view_see(&t->view, n, number);
    if (order_failed == memory_order_seq_cst)
        view_see(&in_order, n, number);
    learn(t, m, order_failed);
    memcpy(expected, &m->value, size);
    trace(where, "does not change %p %s: %#llx, not %#llx", p, order_name(order_failed),
          (unsigned long long)m->value, (unsigned long long)wanted);
    return false;
}

void model_init(volatile void *at, size_t size, uintptr_t value)
{
    const void *p = (const void *)at;
    value = cut(value, size);
    if (now.active) {
        heap_touch(p, size, "atomic_init");
        shadow_access(p, size, ACCESS_WRITE, __builtin_return_address(0));
    }
    memcpy((void *)(uintptr_t)at, &value, size);
}

void model_fence(int order, const char *where)
{
    struct thread *t = now.current;
    if (!now.active)
        return;
    step();
    t->looks = 0;
    if (acquires(order))
        view_join(&t->view, &t->unfenced);
    if (order == memory_order_seq_cst) {
        view_join(&t->view, &in_order);
        view_join(&in_order, &t->view);
    }
    if (releases(order)) {
        view_copy(&t->fence, &t->view);
        t->view.clock[thread_index(t)]++;
    }
    trace(where, "fence %s", order_name(order));
}

/* A fence for the compiler is the light half of a barrier that another thread makes for all. */
void model_light_fence(void)
{
    struct thread *t = now.current;
    if (!now.active)
        return;
    view_copy(&t->light, &t->view);
    t->view.clock[thread_index(t)]++;
}

/* As if every thread made a fence where it is just now: the kernel interrupts those that run. That
 * is an order of the atomic accesses; plain ones before another thread's light fence are in it too.
 */
void model_barrier_all(void)
{
    if (!now.active)
        return;
    step();
    now.current->looks = 0;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < now.started; i++) {
            struct view *v = &now.threads[i].view;
            uint32_t clock[THREADS_MAX];
            memcpy(clock, v->clock, sizeof(clock));
            view_join(round == 0 ? &in_order : v, round == 0 ? v : &in_order);
            memcpy(v->clock, clock, sizeof(clock));
        }
    }
    for (unsigned i = 0; i < now.started; i++)
        view_join(&now.current->view, &now.threads[i].light);
    trace("", "makes a barrier for all");
}

/* --- an _Atomic that is used without the header's operations: the compiler calls these --- */

#define IMPLICIT(bits)                                                                             \
    uint##bits##_t __tsan_atomic##bits##_load(const volatile void *at, int order);                 \
    uint##bits##_t __tsan_atomic##bits##_load(const volatile void *at, int order)                  \
    {                                                                                              \
        return (uint##bits##_t)model_load(at, bits / 8, order, "an implicit load");                \
    }                                                                                              \
    void __tsan_atomic##bits##_store(volatile void *at, uint##bits##_t value, int order);          \
    void __tsan_atomic##bits##_store(volatile void *at, uint##bits##_t value, int order)           \
    {                                                                                              \
        model_store(at, bits / 8, value, order, "an implicit store");                              \
    }
IMPLICIT(8)
IMPLICIT(16)
IMPLICIT(32)
IMPLICIT(64)
