#include "async/select.h"
#include "async/channel_internal.h"

struct selection {
    struct select select;
    const struct select_arm *arms;
    size_t n;
    struct chan *order[SELECT_ARMS_MAX]; /* that other threads reach, by address, each once */
    size_t locks;
    uint64_t ready; /* arms that seem so, one bit each */
    bool others;    /* there are arms that are no channels */
};

/* All at once and always in the same order, so that two selects can't wait for each other, and that
 * no arm changes between the look at the first and the last. */
static void order_locks(struct selection *s)
{
    for (size_t i = 0; i < s->n; i++) {
        struct chan *c = s->arms[i].chan;
        if (s->arms[i].kind > SELECT_RECV || !c || !c->lock.any)
            continue;
        size_t at = s->locks;
        while (at > 0 && s->order[at - 1] > c)
            at--;
        if (at > 0 && s->order[at - 1] == c)
            continue;
        for (size_t k = s->locks++; k > at; k--)
            s->order[k] = s->order[k - 1];
        s->order[at] = c;
    }
}

static void take_locks(struct selection *s)
{
    for (size_t i = 0; i < s->locks; i++)
        wait_lock_take(&s->order[i]->lock);
}

static void give_locks(void *arg)
{
    struct selection *s = arg;
    for (size_t i = 0; i < s->locks; i++)
        wait_lock_give(&s->order[i]->lock);
}

/* May be wrong in one way: who seems to wait may have been won by another channel meanwhile. */
static inline bool seems_ready(const struct select_arm *a)
{
    const struct chan *c = a->chan;
    switch (a->kind) {
    case SELECT_RECV: return c && (c->len > 0 || !list_empty(&c->senders) || c->closed);
    case SELECT_SEND: return c && (c->len < c->capacity || !list_empty(&c->receivers) || c->closed);
    case SELECT_AFTER: return a->after_ms <= 0;
    default: return co_self()->woken;
    }
}

/* One pass over the arms is all that a select pays whose channels are its worker's. Others are not
 * looked at without their locks. */
static void look(struct selection *s, bool locked)
{
    s->ready = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct select_arm *a = &s->arms[i];
        bool any = a->kind <= SELECT_RECV && a->chan && a->chan->lock.any;
        s->select.any |= any;
        s->others |= a->kind > SELECT_RECV;
        if (locked || !any)
            s->ready |= (uint64_t)seems_ready(a) << i;
    }
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
static enum err try_arms(struct selection *s, size_t *arm)
{
    uint64_t ready = s->ready;
    while (ready) {
        uint64_t left = ready;
        if (ready & (ready - 1)) {
            uint64_t many = (uint64_t)__builtin_popcountll(ready);
            uint32_t r = (uint32_t)(chance(co_sched_of(worker_current())) >> 32);
            for (uint64_t skip = (uint64_t)r * many >> 32; skip > 0; skip--)
                left &= left - 1;
        }
        *arm = (size_t)__builtin_ctzll(left);
        enum err r = happen(&s->arms[*arm]);
        if (r != ERR_AGAIN)
            return r;
        ready &= ~(1ull << *arm);
    }
    return ERR_AGAIN;
}

static void enqueue(struct selection *s, struct waiter *w, size_t n, struct co *c)
{
    for (size_t i = 0; i < n; i++) {
        const struct select_arm *a = &s->arms[i];
        w[i].select = &s->select;
        w[i].task = &c->task;
        w[i].n = (uint32_t)i;
        w[i].closed = false;
        atomic_init(&w[i].released, false);
        if (a->kind > SELECT_RECV || !a->chan) {
            list_init(&w[i].link);
            continue;
        }
        w[i].item = a->into; /* or what is sent: it is only read */
        list_add_tail(a->kind == SELECT_SEND ? &a->chan->senders : &a->chan->receivers, &w[i].link);
    }
}

static inline void unlink_waiter(struct waiter *w)
{
    struct list *l = &w->link; /* which may link to itself */
    l->prev->next = l->next;   // NOLINT(clang-analyzer-core.NullDereference): enqueue() set it
    l->next->prev = l->prev;
}

/* What the winner was fired by may be gone already, so its channel is not touched. */
static void dequeue_any(struct selection *s, struct waiter *w, size_t winner)
{
    for (size_t i = 0; i < s->n; i++) {
        struct chan *c = s->arms[i].chan;
        if (i == winner || s->arms[i].kind > SELECT_RECV || !c)
            continue;
        wait_lock_take(&c->lock);
        unlink_waiter(&w[i]);
        wait_lock_give(&c->lock);
    }
    if (winner < s->n && s->arms[winner].kind <= SELECT_RECV)
        waiter_await_release(&w[winner]);
}

static bool claim(struct selection *s, size_t arm)
{
    struct waiter w = {.select = &s->select, .n = (uint32_t)arm};
    return waiter_claim(&w, s->select.any);
}

/* The arms that are not channels are the coroutine's own to look at. */
static void park_until_won(struct selection *s, struct co *c)
{
    size_t after = s->n, woken = s->n;
    struct co_timeout t;
    t.passed = false;
    for (size_t i = 0; i < s->n && s->others; i++) {
        if (s->arms[i].kind == SELECT_WOKEN)
            woken = i;
        else if (s->arms[i].kind == SELECT_AFTER &&
                 (after == s->n || s->arms[i].after_ms < s->arms[after].after_ms))
            after = i;
    }
    if (after < s->n)
        co_timeout_begin(&t, c, s->arms[after].after_ms);
    void (*unlock)(void *) = s->select.any ? give_locks : NULL;
    for (;;) {
        co_park(c, unlock, s);
        unlock = NULL;
        if (atomic_load_explicit(&s->select.winner, memory_order_acquire) != SELECT_NONE)
            break;
        if (woken < s->n && c->woken) {
            if (claim(s, woken))
                c->woken = false;
        } else if (after < s->n && t.passed) {
            claim(s, after);
        } else if (co_is_canceled(c)) {
            claim(s, s->n);
        }
        if (atomic_load_explicit(&s->select.winner, memory_order_acquire) != SELECT_NONE)
            break;
    }
    if (after < s->n)
        co_timeout_end(&t);
}

static enum err wait_arms(struct selection *s, struct co *c, size_t *arm)
{
    const size_t n = s->n;
    struct waiter w[n > 0 ? n : 1];
    enqueue(s, w, n, c);
    park_until_won(s, c);
    *arm = atomic_load_explicit(&s->select.winner, memory_order_relaxed);
    if (s->select.any)
        dequeue_any(s, w, *arm);
    else
        for (size_t i = 0; i < n; i++)
            unlink_waiter(&w[i]);
    if (*arm >= n)
        return ERR_CANCELED;
    return w[*arm].closed ? ERR_CLOSED : ERR_OK;
}

static enum err run(const struct select_arm *arms, size_t n, size_t *arm, bool wait)
{
    struct selection s;
    ASSERT(n <= SELECT_ARMS_MAX);
    s.arms = arms;
    s.n = n;
    s.locks = 0;
    s.others = s.select.any = false;
    atomic_init(&s.select.winner, SELECT_NONE);
    look(&s, false);
    if (s.select.any) {
        order_locks(&s);
        take_locks(&s);
        look(&s, true);
    }
    enum err r = try_arms(&s, arm);
    if (r == ERR_AGAIN && wait) {
        struct co *c = co_self();
        if (!co_is_canceled(c))
            return wait_arms(&s, c, arm);
        *arm = n;
        r = ERR_CANCELED;
    }
    give_locks(&s);
    return r;
}

enum err select_wait(const struct select_arm *arms, size_t n, size_t *arm)
{
    return run(arms, n, arm, true);
}

enum err select_try(const struct select_arm *arms, size_t n, size_t *arm)
{
    return run(arms, n, arm, false);
}
