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

/* `to` NULL: the element is dropped. */
static inline void copy(void *to, const void *from, size_t size)
{
    if (to && size > 0)
        memcpy(to, from, size);
}

/* What differs from channel to channel, so that the steps can be compiled for one kind by itself:
 * where it is constant, the branches and calls of the others are left out. */
struct kind {
    size_t size;
    bool any;
};
static inline struct kind kind_of(const struct chan *c)
{
    return (struct kind){c->size, c->lock.any};
}
/* One worker's, of elements as large as a pointer: what most channels are. */
static const struct kind word = {sizeof(uint64_t), false};
static inline bool is_word(const struct chan *c)
{
    return __builtin_expect(c->size == word.size && c->lock.any == word.any, 1);
}

static inline void ring_put(struct chan *c, const void *element, size_t size)
{
    uint32_t at = c->first + c->len; /* both at most the capacity, which may be 2^32 - 1 */
    if (at >= c->capacity || at < c->first)
        at -= c->capacity;
    copy(c->ring + (size_t)at * size, element, size);
    c->len++;
}

static inline void ring_take(struct chan *c, void *element, size_t size)
{
    copy(element, c->ring + (size_t)c->first * size, size);
    if (++c->first == c->capacity)
        c->first = 0;
    c->len--;
}

static inline __attribute__((always_inline)) enum err put(struct chan *c, const void *element,
                                                          struct kind k)
{
    if (__builtin_expect(c->closed, 0))
        return ERR_CLOSED;
    if (!list_empty(&c->receivers)) { /* so the ring is empty */
        struct waiter *w = waiter_next(&c->receivers, k.any);
        if (w) {
            copy(w->item, element, k.size);
            waiter_fire(w, &c->lock, k.any);
            return ERR_OK;
        }
    }
    if (c->len == c->capacity)
        return ERR_AGAIN;
    ring_put(c, element, k.size);
    return ERR_OK;
}

static inline __attribute__((always_inline)) enum err take(struct chan *c, void *element,
                                                           struct kind k)
{
    struct waiter *w = NULL;
    if (c->len > 0) {
        ring_take(c, element, k.size);
        if (!list_empty(&c->senders) && (w = waiter_next(&c->senders, k.any)))
            ring_put(c, w->item, k.size);
    } else if (!list_empty(&c->senders) && (w = waiter_next(&c->senders, k.any))) {
        copy(element, w->item, k.size);
    } else {
        return c->closed ? ERR_CLOSED : ERR_AGAIN;
    }
    if (w)
        waiter_fire(w, &c->lock, k.any);
    return ERR_OK;
}

enum err chan_put(struct chan *c, const void *element)
{
    return is_word(c) ? put(c, element, word) : put(c, element, kind_of(c));
}

enum err chan_take(struct chan *c, void *element)
{
    return is_word(c) ? take(c, element, word) : take(c, element, kind_of(c));
}

/* The same size, of any thread. */
static const struct kind shared_word = {sizeof(uint64_t), true};
static inline bool is_shared_word(const struct chan *c)
{
    return __builtin_expect(c->size == shared_word.size && c->lock.any, 1);
}

/* What is called last to wait, with the lock, which is given. Out of line, so that who need not
 * wait saves no registers for it. (The stack's guard is for arrays.) */
static __attribute__((no_stack_protector)) struct switch_tail
wait_limited(void *chan, void *queue, void *item, int64_t timeout_ms, const void *site)
{
    struct chan *c = chan;
    struct co_sched *s = co_sched_self();
    struct waiter w;
    waiter_begin(&w, queue, item, s->current);
    s->left_at = site;
    enum err r = waiter_park(&w, &c->lock, timeout_ms);
    return (struct switch_tail){r, s->left_at};
}

/* The item of a sender is only read. */
static __attribute__((noinline)) enum err send_limited(struct chan *c, const void *element,
                                                       int64_t timeout_ms)
{
    void *item = (void *)(uintptr_t)element;
    wait_lock_take(&c->lock);
    enum err r = is_shared_word(c) ? put(c, element, shared_word) : put(c, element, kind_of(c));
    if (r == ERR_AGAIN)
        return switch_tail(c, &c->senders, item, timeout_ms, wait_limited);
    bool over = chan_turn_over(c);
    wait_lock_give(&c->lock);
    if (__builtin_expect(over, 0))
        co_yield ();
    return r;
}

static __attribute__((noinline)) enum err recv_limited(struct chan *c, void *element,
                                                       int64_t timeout_ms)
{
    wait_lock_take(&c->lock);
    enum err r = is_shared_word(c) ? take(c, element, shared_word) : take(c, element, kind_of(c));
    if (r == ERR_AGAIN)
        return switch_tail(c, &c->receivers, element, timeout_ms, wait_limited);
    bool over = chan_turn_over(c);
    wait_lock_give(&c->lock);
    if (__builtin_expect(over, 0))
        co_yield ();
    return r;
}

enum err chan_send(struct chan *c, const void *element)
{
    if (!is_word(c))
        return send_limited(c, element, -1);
    enum err r = put(c, element, word);
    if (r == ERR_AGAIN)
        return switch_tail(NULL, (void *)(uintptr_t)element, &c->senders, 1, wait_local);
    return r;
}

enum err chan_recv(struct chan *c, void *element)
{
    if (!is_word(c))
        return recv_limited(c, element, -1);
    enum err r = take(c, element, word);
    if (r == ERR_AGAIN)
        return switch_tail(NULL, element, &c->receivers, 1, wait_local);
    return r;
}

enum err chan_send_timed(struct chan *c, const void *element, int64_t timeout_ms)
{
    return send_limited(c, element, timeout_ms);
}

enum err chan_recv_timed(struct chan *c, void *element, int64_t timeout_ms)
{
    return recv_limited(c, element, timeout_ms);
}

enum err chan_try_send(struct chan *c, const void *element)
{
    wait_lock_take(&c->lock);
    enum err r = chan_put(c, element);
    wait_lock_give(&c->lock);
    return r;
}

enum err chan_try_recv(struct chan *c, void *element)
{
    wait_lock_take(&c->lock);
    enum err r = chan_take(c, element);
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
