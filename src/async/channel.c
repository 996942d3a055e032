#include "async/channel_internal.h"
#include "async/switch_internal.h"
#include <string.h>

enum { ELEMENT_MAX = 64 * 1024 };

enum err chan_init(struct chan *c, struct alloc *a, size_t element_size, size_t capacity,
                   enum reach reach)
{
    *c = (struct chan){.alloc = a};
    if (element_size > ELEMENT_MAX || capacity > UINT32_MAX)
        return ERR_RANGE;
    c->size = (uint32_t)element_size;
    c->capacity = (uint32_t)capacity;
    wait_lock_init(&c->lock, reach);
    list_init(&c->senders);
    list_init(&c->receivers);
    if (capacity > 0 && element_size > 0) {
        c->ring = mem_array(a, capacity, element_size);
        if (!c->ring)
            return ERR_NOMEM;
    }
    return ERR_OK;
}

void chan_fini(struct chan *c)
{
    if (!c->alloc)
        return;
    ASSERT(list_empty(&c->senders) && list_empty(&c->receivers));
    mem_free(c->alloc, c->ring, (size_t)c->capacity * c->size);
    *c = (struct chan){0};
}

/* A size that is known saves the call. `to` NULL: the element is dropped. */
static inline void copy(void *to, const void *from, size_t size)
{
    if (!to)
        return;
    if (size == sizeof(uint64_t))
        memcpy(to, from, sizeof(uint64_t));
    else if (size > 0)
        memcpy(to, from, size);
}

static inline void ring_put(struct chan *c, const void *element)
{
    uint32_t at = c->first + c->len; /* both at most the capacity, which may be 2^32 - 1 */
    if (at >= c->capacity || at < c->first)
        at -= c->capacity;
    copy(c->ring + (size_t)at * c->size, element, c->size);
    c->len++;
}

static inline void ring_take(struct chan *c, void *element)
{
    copy(element, c->ring + (size_t)c->first * c->size, c->size);
    if (++c->first == c->capacity)
        c->first = 0;
    c->len--;
}

/* `any` is c->lock.any; where it is a constant the half that can't be is left out. */
static inline __attribute__((always_inline)) enum err put(struct chan *c, const void *element,
                                                          bool any)
{
    if (__builtin_expect(c->closed, 0))
        return ERR_CLOSED;
    if (!list_empty(&c->receivers)) { /* so the ring is empty */
        struct waiter *w = waiter_next(&c->receivers, any);
        if (w) {
            copy(w->item, element, c->size);
            waiter_fire(w, &c->lock, any);
            return ERR_OK;
        }
    }
    if (c->len == c->capacity)
        return ERR_AGAIN;
    ring_put(c, element);
    return ERR_OK;
}

static inline __attribute__((always_inline)) enum err take(struct chan *c, void *element, bool any)
{
    struct waiter *w = NULL;
    if (c->len > 0) {
        ring_take(c, element);
        if (!list_empty(&c->senders) && (w = waiter_next(&c->senders, any)))
            ring_put(c, w->item);
    } else if (!list_empty(&c->senders) && (w = waiter_next(&c->senders, any))) {
        copy(element, w->item, c->size);
    } else {
        return c->closed ? ERR_CLOSED : ERR_AGAIN;
    }
    if (w)
        waiter_fire(w, &c->lock, any);
    return ERR_OK;
}

enum err chan_put(struct chan *c, const void *element)
{
    return put(c, element, c->lock.any);
}

enum err chan_take(struct chan *c, void *element)
{
    return take(c, element, c->lock.any);
}

/* The stack's guard is for arrays. */
static __attribute__((no_stack_protector)) struct switch_tail
wait_until_fired(void *chan, void *queue, void *item, int64_t timeout_ms, const void *site)
{
    struct chan *c = chan;
    struct co *self = co_self();
    struct co_sched *s = co_sched_of(self->task.worker);
    struct waiter w;
    /* Field by field: a compiler clears the whole with a slow string instruction. */
    w.task = &self->task;
    w.item = item;
    w.select = NULL;
    w.closed = false;
    atomic_init(&w.state, WAITER_WAITS);
    atomic_init(&w.released, false);
    list_add_tail(queue, &w.link);
    s->left_at = site;
    enum err r = waiter_park(&w, &c->lock, timeout_ms);
    return (struct switch_tail){r, s->left_at};
}

/* With the lock, which is given. Out of line and called last, so that who need not wait saves no
 * registers for it. */
static inline enum err wait_in(struct chan *c, struct list *queue, void *item, int64_t timeout_ms)
{
    return switch_tail(c, queue, item, timeout_ms, wait_until_fired);
}

/* The item of a sender is only read. */
static __attribute__((noinline)) enum err send_any(struct chan *c, const void *element,
                                                   int64_t timeout_ms)
{
    wait_lock_take(&c->lock);
    enum err r = put(c, element, true);
    if (r == ERR_AGAIN)
        return wait_in(c, &c->senders, (void *)(uintptr_t)element, timeout_ms);
    wait_lock_give(&c->lock);
    return r;
}

static inline __attribute__((always_inline)) enum err send_in(struct chan *c, const void *element,
                                                              int64_t timeout_ms)
{
    if (c->lock.any)
        return send_any(c, element, timeout_ms);
    enum err r = put(c, element, false);
    if (r == ERR_AGAIN)
        return wait_in(c, &c->senders, (void *)(uintptr_t)element, timeout_ms);
    return r;
}

static __attribute__((noinline)) enum err recv_any(struct chan *c, void *element,
                                                   int64_t timeout_ms)
{
    wait_lock_take(&c->lock);
    enum err r = take(c, element, true);
    if (r == ERR_AGAIN)
        return wait_in(c, &c->receivers, element, timeout_ms);
    wait_lock_give(&c->lock);
    return r;
}

static inline __attribute__((always_inline)) enum err recv_in(struct chan *c, void *element,
                                                              int64_t timeout_ms)
{
    if (c->lock.any)
        return recv_any(c, element, timeout_ms);
    enum err r = take(c, element, false);
    if (r == ERR_AGAIN)
        return wait_in(c, &c->receivers, element, timeout_ms);
    return r;
}

enum err chan_send(struct chan *c, const void *element)
{
    return send_in(c, element, -1);
}

enum err chan_recv(struct chan *c, void *element)
{
    return recv_in(c, element, -1);
}

enum err chan_send_timed(struct chan *c, const void *element, int64_t timeout_ms)
{
    return send_in(c, element, timeout_ms);
}

enum err chan_recv_timed(struct chan *c, void *element, int64_t timeout_ms)
{
    return recv_in(c, element, timeout_ms);
}

enum err chan_try_send(struct chan *c, const void *element)
{
    wait_lock_take(&c->lock);
    enum err r = put(c, element, c->lock.any);
    wait_lock_give(&c->lock);
    return r;
}

enum err chan_try_recv(struct chan *c, void *element)
{
    wait_lock_take(&c->lock);
    enum err r = take(c, element, c->lock.any);
    wait_lock_give(&c->lock);
    return r;
}

static void tell_closed(struct chan *c, struct list *queue)
{
    struct waiter *w;
    while ((w = waiter_next(queue, c->lock.any))) {
        w->closed = true;
        waiter_fire(w, &c->lock, c->lock.any);
    }
}

void chan_close(struct chan *c)
{
    wait_lock_take(&c->lock);
    if (!c->closed) {
        c->closed = true;
        tell_closed(c, &c->receivers);
        tell_closed(c, &c->senders);
    }
    wait_lock_give(&c->lock);
}

size_t chan_len(struct chan *c)
{
    wait_lock_take(&c->lock);
    size_t len = c->len;
    wait_lock_give(&c->lock);
    return len;
}
