#include "async/select.h"
#include "async/channel_internal.h"
#include "async/switch_internal.h"

/* What a look at the arms has shown. */
struct sight {
    uint64_t ready; /* arms that seem so, one bit each */
    bool any;       /* one can be reached by other threads: nothing is known without the locks */
};

/* Is there something for a receiver, or room or a receiver for a sender? May be wrong in one way:
 * who seems to wait may have been won by another channel meanwhile. Without branches on what
 * changes from call to call, which would be predicted wrong. */
static inline bool may_recv(const struct chan *c)
{
    return (c->len > 0) | !list_empty(&c->senders) | c->closed;
}
static inline bool may_send(const struct chan *c)
{
    return (c->len < c->capacity) | !list_empty(&c->receivers) | c->closed;
}

/* One pass over the arms is all that a select pays whose channels are its worker's. */
static inline __attribute__((always_inline)) struct sight look(const struct select_arm *arms,
                                                               size_t n, bool locked)
{
    struct sight s = {0};
    for (const struct select_arm *a = arms + n; a-- > arms;) {
        const struct chan *c = a->chan;
        bool ready = false;
        if (a->kind <= SELECT_RECV && c && !locked && c->lock.any)
            return (struct sight){.any = true};
        switch (a->kind) {
        case SELECT_RECV: ready = c && may_recv(c); break;
        case SELECT_SEND: ready = c && may_send(c); break;
        case SELECT_AFTER: ready = a->after_ms <= 0; break;
        case SELECT_WOKEN: ready = co_self()->woken; break;
        }
        s.ready = s.ready << 1 | ready;
    }
    return s;
}

static enum err happen(const struct select_arm *a)
{
    switch (a->kind) {
    case SELECT_RECV: return chan_take(a->chan, a->into);
    case SELECT_SEND: return chan_put(a->chan, a->from);
    case SELECT_AFTER: return ERR_OK;
    default: co_self()->woken = false; return ERR_OK;
    }
}

/* xorshift64 (Marsaglia 2003): fair enough for a choice among 64. */
static uint64_t chance(struct co_sched *s)
{
    uint64_t x = s->chance;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return s->chance = x;
}

/* One of those that are ready, each with the same chance. ERR_AGAIN: none. */
static inline enum err try_arms(const struct select_arm *arms, uint64_t ready, size_t *arm)
{
    while (ready) {
        uint64_t left = ready;
        if (ready & (ready - 1)) {
            uint64_t many = (uint64_t)__builtin_popcountll(ready);
            uint32_t r = (uint32_t)(chance(co_sched_of(worker_current())) >> 32);
            for (uint64_t skip = (uint64_t)r * many >> 32; skip > 0; skip--)
                left &= left - 1;
        }
        *arm = (size_t)__builtin_ctzll(left);
        enum err r = happen(&arms[*arm]);
        if (r != ERR_AGAIN)
            return r;
        ready &= ~(1ull << *arm);
    }
    return ERR_AGAIN;
}

/* --- waiting --- */

/* True if there are arms that are no channels. */
static inline __attribute__((always_inline)) bool enqueue(const struct select_arm *arms, size_t n,
                                                          struct waiter *w, struct select *s,
                                                          struct co *c, bool any)
{
    bool others = false;
    for (size_t i = 0; i < n; i++) {
        const struct select_arm *a = &arms[i];
        w[i].select = s;
        w[i].task = &c->task;
        w[i].n = (uint32_t)i;
        w[i].closed = false;
        if (any)
            atomic_init(&w[i].released, false);
        if (__builtin_expect(a->kind > SELECT_RECV || !a->chan, 0)) {
            others |= a->kind > SELECT_RECV;
            list_init(&w[i].link);
            continue;
        }
        w[i].item = a->into; /* or what is sent: it is only read */
        list_add_tail(a->kind == SELECT_SEND ? &a->chan->senders : &a->chan->receivers, &w[i].link);
    }
    return others;
}

static inline void unlink_waiter(struct waiter *w)
{
    struct list *prev = w->link.prev, *next = w->link.next; /* which may be the link itself */
    prev->next = next; // NOLINT(clang-analyzer-core.NullDereference): enqueue() set it
    next->prev = prev;
}

static bool claim(struct select *s, size_t arm)
{
    struct waiter w = {.select = s, .n = (uint32_t)arm};
    return waiter_claim(&w, s->any);
}

static inline size_t winner(struct select *s)
{
    return atomic_load_explicit(&s->winner, memory_order_acquire);
}

/* The arms that are not channels are the coroutine's own to look at. */
static __attribute__((noinline)) void park_with_others(const struct select_arm *arms, size_t n,
                                                       struct select *s, struct co *c,
                                                       void (*unlock)(void *), void *locks)
{
    size_t after = n, woken = n;
    struct co_timeout t;
    t.passed = false;
    for (size_t i = 0; i < n; i++) {
        if (arms[i].kind == SELECT_WOKEN)
            woken = i;
        else if (arms[i].kind == SELECT_AFTER &&
                 (after == n || arms[i].after_ms < arms[after].after_ms))
            after = i;
    }
    if (after < n)
        co_timeout_begin(&t, c, arms[after].after_ms);
    for (;;) {
        co_park(c, unlock, locks);
        unlock = NULL;
        if (winner(s) != SELECT_NONE)
            break;
        if (woken < n && c->woken) {
            if (claim(s, woken))
                c->woken = false;
        } else if (after < n && t.passed) {
            claim(s, after);
        } else if (co_is_canceled(c)) {
            claim(s, n);
        }
        if (winner(s) != SELECT_NONE)
            break;
    }
    if (after < n)
        co_timeout_end(&t);
}

static inline enum err result(const struct waiter *w, size_t n, size_t won)
{
    return won >= n ? ERR_CANCELED : w[won].closed ? ERR_CLOSED : ERR_OK;
}

/* Into all queues. False: what is waited for has come already, since it was waited for arms that
 * are no channels. */
static __attribute__((noinline)) bool enter_local(const struct select_arm *arms, size_t n,
                                                  struct waiter *w, struct select *s, struct co *c)
{
    s->any = false;
    atomic_init(&s->winner, SELECT_NONE);
    if (!enqueue(arms, n, w, s, c, false) || co_is_canceled(c))
        return true;
    park_with_others(arms, n, s, c, NULL, NULL);
    return false;
}

/* Out of all queues; the result is that of the arm that won. */
static __attribute__((noinline)) enum err leave_local(struct waiter *w, size_t n, size_t won,
                                                      size_t *arm)
{
    for (size_t i = 0; i < n; i++)
        unlink_waiter(&w[i]);
    *arm = won;
    return result(w, n, won);
}

/* (The stack's guard is for what may be written past its end.) */
__attribute__((no_stack_protector)) struct switch_tail
wait_local(void *arms, void *item_or_arm, void *queue, int64_t n, const void *site)
{
    struct co_sched *sched = co_sched_self();
    struct co *c = sched->current;
    struct waiter *w = __builtin_alloca((size_t)n * sizeof(*w));
    struct select s;
    enum err r;
    bool waits = true;
    sched->left_at = site;
    if (queue)
        waiter_begin(w, queue, item_or_arm, c);
    else
        waits = enter_local(arms, (size_t)n, w, &s, c);
    while (waits && !co_is_canceled(c)) {
        co_park(c, NULL, NULL);
        waits = queue ? atomic_load_explicit(&w->state, memory_order_relaxed) == WAITER_WAITS
                      : winner(&s) == SELECT_NONE;
    }
    if (!queue) {
        r = leave_local(w, (size_t)n, waits ? (size_t)n : winner(&s), item_or_arm);
    } else if (!waits) {
        r = w->closed ? ERR_CLOSED : ERR_OK;
    } else {
        list_del(&w->link);
        r = ERR_CANCELED;
    }
    return (struct switch_tail){r, sched->left_at};
}

/* --- arms that other threads reach --- */

struct locks {
    size_t n;
    struct chan *order[SELECT_ARMS_MAX]; /* by address, each once */
};

/* All at once and always in the same order, so that two selects can't wait for each other, and that
 * no arm changes between the look at the first and the last. */
static void order_locks(struct locks *l, const struct select_arm *arms, size_t n)
{
    l->n = 0;
    for (size_t i = 0; i < n; i++) {
        struct chan *c = arms[i].chan;
        if (arms[i].kind > SELECT_RECV || !c || !c->lock.any)
            continue;
        size_t at = l->n;
        while (at > 0 && l->order[at - 1] > c)
            at--;
        if (at > 0 && l->order[at - 1] == c)
            continue;
        for (size_t k = l->n++; k > at; k--)
            l->order[k] = l->order[k - 1];
        l->order[at] = c;
    }
}

static void take_locks(struct locks *l)
{
    for (size_t i = 0; i < l->n; i++)
        wait_lock_take(&l->order[i]->lock);
}

static void give_locks(void *arg)
{
    struct locks *l = arg;
    for (size_t i = 0; i < l->n; i++)
        wait_lock_give(&l->order[i]->lock);
}

/* What the winner was fired by may be gone already, so its channel is not touched. */
static void dequeue_any(const struct select_arm *arms, size_t n, struct waiter *w, size_t won)
{
    for (size_t i = 0; i < n; i++) {
        struct chan *c = arms[i].chan;
        if (i == won || arms[i].kind > SELECT_RECV || !c)
            continue;
        wait_lock_take(&c->lock);
        unlink_waiter(&w[i]);
        wait_lock_give(&c->lock);
    }
    if (won < n && arms[won].kind <= SELECT_RECV)
        waiter_await_release(&w[won]);
}

/* With the locks, which are given. */
static enum err wait_any(const struct select_arm *arms, size_t n, size_t *arm, struct locks *l,
                         struct co *c)
{
    struct select s = {.any = true};
    struct waiter w[n > 0 ? n : 1];
    atomic_init(&s.winner, SELECT_NONE);
    (void)enqueue(arms, n, w, &s, c, true);
    park_with_others(arms, n, &s, c, give_locks, l);
    *arm = winner(&s);
    dequeue_any(arms, n, w, *arm);
    return result(w, n, *arm);
}

static __attribute__((noinline)) enum err select_any(const struct select_arm *arms, size_t n,
                                                     size_t *arm, bool wait)
{
    struct locks l;
    order_locks(&l, arms, n);
    take_locks(&l);
    enum err r = try_arms(arms, look(arms, n, true).ready, arm);
    if (r == ERR_AGAIN && wait) {
        struct co *c = co_self();
        if (!co_is_canceled(c))
            return wait_any(arms, n, arm, &l, c);
        *arm = n;
        r = ERR_CANCELED;
    }
    bool over =
        wait && *arm < n && arms[*arm].kind <= SELECT_RECV && chan_turn_over(arms[*arm].chan);
    give_locks(&l);
    if (over)
        co_yield ();
    return r;
}

enum err select_wait(const struct select_arm *arms, size_t n, size_t *arm)
{
    ASSERT(n <= SELECT_ARMS_MAX);
    struct sight s = look(arms, n, false);
    if (s.any)
        return select_any(arms, n, arm, true);
    enum err r = try_arms(arms, s.ready, arm);
    if (r == ERR_AGAIN)
        return switch_tail((void *)(uintptr_t)arms, arm, NULL, (int64_t)n, wait_local);
    return r;
}

enum err select_try(const struct select_arm *arms, size_t n, size_t *arm)
{
    ASSERT(n <= SELECT_ARMS_MAX);
    struct sight s = look(arms, n, false);
    return s.any ? select_any(arms, n, arm, false) : try_arms(arms, s.ready, arm);
}
