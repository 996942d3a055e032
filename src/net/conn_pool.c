#include "net/conn_pool.h"
#include "net/layer.h"
#include <stdio.h>
#include <string.h>

/* What is known about one address; it exists while there is a connection or a taker. */
struct pool_addr {
    struct list link;
    struct addr addr;
    size_t conns, connecting, waiting;
    size_t claimed; /* attempts that takers ahead in the line count on; while serving */
};

enum pooled_state { POOLED_CONNECTING, POOLED_IDLE, POOLED_IN_USE };

struct pooled {
    struct list link; /* of idle, connecting or in_use */
    struct conn_pool *pool;
    struct pool_addr *addr;
    struct stream *stream;
    enum pooled_state state;
    bool used;        /* was handed out before */
    int64_t until_ns; /* connecting or idle */
};

struct conn_pool {
    struct worker *worker;
    struct alloc *alloc;
    struct conn_pool_config cfg;
    struct list addrs;
    struct list waiting;          /* requests in the order of their arrival */
    struct list idle, connecting; /* each in the order of `until_ns` */
    struct list in_use;
    size_t conns;
    struct timer timer; /* the first `until_ns` */
    struct conn_pool_stats stats;
    bool closed;
};

static void serve(struct conn_pool *p);
static void on_stream(struct stream *s);

static struct pooled *pooled_of(struct list *it)
{
    return CONTAINER_OF(it, struct pooled, link);
}

/* --- addresses --- */

static struct pool_addr *addr_of(struct conn_pool *p, const struct addr *to)
{
    LIST_EACH(&p->addrs, it)
    {
        struct pool_addr *a = CONTAINER_OF(it, struct pool_addr, link);
        if (a->addr.len == to->len && memcmp(&a->addr.sa, &to->sa, to->len) == 0)
            return a;
    }
    struct pool_addr *a = mem_zero(p->alloc, sizeof(*a));
    if (!a)
        return NULL;
    a->addr = *to;
    list_add_tail(&p->addrs, &a->link);
    return a;
}

static void addr_settle(struct conn_pool *p, struct pool_addr *a)
{
    if (a->conns > 0 || a->waiting > 0)
        return;
    list_del(&a->link);
    mem_free(p->alloc, a, sizeof(*a));
}

/* --- a connection's states --- */

static size_t *count_of(struct conn_pool *p, const struct pooled *c)
{
    switch (c->state) {
    case POOLED_CONNECTING: return &p->stats.connecting;
    case POOLED_IDLE: return &p->stats.idle;
    default: return &p->stats.in_use;
    }
}

static void leave_state(struct pooled *c)
{
    struct conn_pool *p = c->pool;
    --*count_of(p, c);
    list_del(&c->link);
    if (c->state == POOLED_CONNECTING)
        c->addr->connecting--;
}

static void set_timer(struct conn_pool *p)
{
    struct list *lists[] = {&p->idle, &p->connecting};
    int64_t first_ns = 0;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        int64_t ns = list_empty(lists[i]) ? 0 : pooled_of(lists[i]->next)->until_ns;
        if (ns && (!first_ns || ns < first_ns))
            first_ns = ns;
    }
    if (first_ns)
        timer_set(&p->timer, first_ns);
    else
        timer_cancel(&p->timer);
}

static void enter_state(struct pooled *c, enum pooled_state state)
{
    struct conn_pool *p = c->pool;
    struct list *lists[] = {&p->connecting, &p->idle, &p->in_use};
    int64_t ms = state == POOLED_CONNECTING ? p->cfg.connect_ms : p->cfg.idle_ms;
    c->state = state;
    c->until_ns = worker_now_ns(p->worker) + ms * 1000000;
    list_add_tail(lists[state], &c->link);
    ++*count_of(p, c);
    if (state == POOLED_CONNECTING)
        c->addr->connecting++;
    c->stream->watch = state == POOLED_IN_USE ? NULL : on_stream;
}

/* Forgets the connection; its stream has been closed. */
static void pooled_free(struct pooled *c)
{
    struct conn_pool *p = c->pool;
    struct pool_addr *a = c->addr;
    a->conns--;
    p->conns--;
    mem_free(p->alloc, c, sizeof(*c));
    addr_settle(p, a);
}

static void close_conn(struct pooled *c)
{
    leave_state(c);
    stream_close(c->stream);
    pooled_free(c);
}

/* --- takers --- */

static void request_leave(struct conn_request *r)
{
    list_del(&r->link);
    timer_cancel(&r->deadline);
    r->pool->stats.waiting--;
    r->addr->waiting--;
}

static void request_fail(struct conn_request *r, enum err failure, int os_errno,
                         const char *problem)
{
    struct conn_pool *p = r->pool;
    request_leave(r);
    addr_settle(p, r->addr);
    r->state = CONN_REQUEST_FAILED;
    r->failure = failure;
    r->os_errno = os_errno;
    r->problem = problem;
    task_wake(r->task);
}

static void grant(struct conn_request *r, struct pooled *c)
{
    struct conn_pool *p = r->pool;
    request_leave(r);
    leave_state(c);
    enter_state(c, POOLED_IN_USE);
    *(c->used ? &p->stats.reused : &p->stats.opened) += 1;
    c->used = true;
    r->state = CONN_REQUEST_GRANTED;
    r->granted = c;
    stream_bind(c->stream, r->task);
    task_wake(r->task);
}

static struct conn_request *first_waiting(struct conn_pool *p, const struct pool_addr *a)
{
    LIST_EACH(&p->waiting, it)
    {
        struct conn_request *r = CONTAINER_OF(it, struct conn_request, link);
        if (r->addr == a)
            return r;
    }
    return NULL;
}

static void on_deadline(struct timer *t)
{
    struct conn_request *r = CONTAINER_OF(t, struct conn_request, deadline);
    struct conn_pool *p = r->pool;
    p->stats.timed_out++;
    request_fail(r, ERR_TIMEOUT, 0, "");
    serve(p);
}

/* --- serving those who wait --- */

static bool is_healthy(const struct pooled *c)
{
    return !c->stream->ended && !c->stream->write_dead && stream_unread(c->stream) == 0;
}

/* The driver has yet to tell what came since it last looked. */
static bool is_quiet(const struct pooled *c)
{
    struct io_driver *io = c->stream->net->io;
    if (c->stream->stack)
        return true; /* what its layers have been sent (tickets, pings) is not the user's */
    return !io->ops->is_quiet || io->ops->is_quiet(io, c->stream->fd);
}

/* The one that was used last: what is not needed grows old. */
static struct pooled *find_idle(struct conn_pool *p, const struct pool_addr *a)
{
    for (struct list *it = p->idle.prev, *before; it != &p->idle; it = before) {
        struct pooled *c = pooled_of(it);
        before = it->prev;
        if (c->addr != a)
            continue;
        if (is_quiet(c))
            return c;
        p->stats.unhealthy++;
        close_conn(c);
    }
    return NULL;
}

static bool make_room(struct conn_pool *p, const struct pool_addr *a)
{
    if (a->conns >= p->cfg.per_addr_max)
        return false;
    if (p->conns >= p->cfg.total_max && !list_empty(&p->idle)) {
        p->stats.aged++;
        close_conn(pooled_of(p->idle.next));
    }
    return p->conns < p->cfg.total_max;
}

static enum err begin(struct conn_pool *p, struct pool_addr *a)
{
    struct pooled *c = mem_zero(p->alloc, sizeof(*c));
    if (!c)
        return ERR_NOMEM;
    enum err r = stream_connect_via(&c->stream, p->worker, &a->addr, p->cfg.via, NULL);
    if (r) {
        mem_free(p->alloc, c, sizeof(*c));
        p->stats.failed++;
        return r;
    }
    c->pool = p;
    c->addr = a;
    c->stream->pooled = c;
    a->conns++;
    p->conns++;
    list_init(&c->link);
    enter_state(c, POOLED_CONNECTING);
    return ERR_OK;
}

/* Attempts that nobody waits for any more go on only if their connection can be kept. */
static void drop_surplus(struct conn_pool *p)
{
    if (p->cfg.idle_ms >= 0)
        return;
    LIST_EACH_SAFE(&p->connecting, it)
    {
        struct pooled *c = pooled_of(it);
        if (c->addr->connecting > c->addr->waiting)
            close_conn(c);
    }
}

static void serve_one(struct conn_pool *p, struct conn_request *r)
{
    struct pool_addr *a = r->addr;
    struct pooled *c = find_idle(p, a);
    if (c) {
        grant(r, c);
    } else if (a->claimed < a->connecting) {
        a->claimed++;
    } else if (make_room(p, a)) {
        enum err failure = begin(p, a);
        if (failure)
            request_fail(r, failure, 0, "");
        else
            a->claimed++;
    }
}

static void serve(struct conn_pool *p)
{
    drop_surplus(p);
    LIST_EACH(&p->addrs, it)
    {
        CONTAINER_OF(it, struct pool_addr, link)->claimed = 0;
    }
    LIST_EACH_SAFE(&p->waiting, it)
    {
        serve_one(p, CONTAINER_OF(it, struct conn_request, link));
    }
    set_timer(p);
}

static void pool_settle(struct conn_pool *p)
{
    if (p->closed && p->conns == 0)
        mem_free(p->alloc, p, sizeof(*p));
}

/* To the first who waits for it, or to the idle ones. */
static void pass_on(struct pooled *c)
{
    struct conn_pool *p = c->pool;
    struct conn_request *r = first_waiting(p, c->addr);
    if (r) {
        grant(r, c);
        return;
    }
    leave_state(c);
    c->stream->task = NULL;
    enter_state(c, POOLED_IDLE);
    if (p->cfg.idle_ms < 0)
        close_conn(c);
}

/* --- what happens to connections --- */

static void attempt_failed(struct pooled *c, enum err failure)
{
    struct conn_pool *p = c->pool;
    struct conn_request *r = first_waiting(p, c->addr);
    int os_errno = stream_os_errno(c->stream);
    const char *problem = stream_problem(c->stream);
    p->stats.failed++;
    close_conn(c);
    if (r)
        request_fail(r, failure, os_errno, problem);
}

/* The stream of a connection that nobody has taken has changed. */
static void on_stream(struct stream *s)
{
    struct pooled *c = s->pooled;
    struct conn_pool *p = c->pool;
    if (c->state == POOLED_CONNECTING) {
        enum err r = stream_connected(s);
        if (r == ERR_AGAIN)
            return;
        if (r)
            attempt_failed(c, r);
        else
            pass_on(c);
    } else if (!is_healthy(c)) {
        p->stats.unhealthy++;
        close_conn(c);
    } else {
        return;
    }
    serve(p);
}

static void on_timer(struct timer *t)
{
    struct conn_pool *p = CONTAINER_OF(t, struct conn_pool, timer);
    int64_t now_ns = worker_now_ns(p->worker);
    while (!list_empty(&p->connecting) && pooled_of(p->connecting.next)->until_ns <= now_ns)
        attempt_failed(pooled_of(p->connecting.next), ERR_TIMEOUT);
    while (!list_empty(&p->idle) && pooled_of(p->idle.next)->until_ns <= now_ns) {
        p->stats.aged++;
        close_conn(pooled_of(p->idle.next));
    }
    serve(p);
}

/* --- the pool --- */

enum err conn_pool_new(struct conn_pool **out, struct worker *w, const struct conn_pool_config *cfg)
{
    struct alloc *a = worker_alloc(w);
    struct conn_pool *p = mem_zero(a, sizeof(*p));
    *out = p;
    if (!p)
        return ERR_NOMEM;
    p->worker = w;
    p->alloc = a;
    p->cfg = *cfg;
    p->cfg.per_addr_max = cfg->per_addr_max ? cfg->per_addr_max : 8;
    p->cfg.total_max = cfg->total_max ? cfg->total_max : 64;
    p->cfg.waiting_max = cfg->waiting_max ? cfg->waiting_max : 256;
    p->cfg.idle_ms = cfg->idle_ms ? cfg->idle_ms : 60000;
    p->cfg.connect_ms = cfg->connect_ms ? cfg->connect_ms : 10000;
    struct list *lists[] = {&p->addrs, &p->waiting, &p->idle, &p->connecting, &p->in_use};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        list_init(lists[i]);
    timer_init(&p->timer, w, on_timer);
    return ERR_OK;
}

void conn_pool_close(struct conn_pool *p)
{
    if (!p)
        return;
    ASSERT(!p->closed);
    p->closed = true;
    timer_cancel(&p->timer);
    while (!list_empty(&p->waiting))
        request_fail(CONTAINER_OF(p->waiting.next, struct conn_request, link), ERR_CLOSED, 0, "");
    while (!list_empty(&p->connecting))
        close_conn(pooled_of(p->connecting.next));
    while (!list_empty(&p->idle))
        close_conn(pooled_of(p->idle.next));
    pool_settle(p);
}

struct conn_pool_stats conn_pool_stats(const struct conn_pool *p)
{
    return p->stats;
}

/* --- taking --- */

void conn_request_init(struct conn_request *r, struct task *t)
{
    *r = (struct conn_request){.task = t, .problem = ""};
    list_init(&r->link);
}

static enum err enter_line(struct conn_pool *p, struct conn_request *r, const struct addr *to,
                           int64_t timeout_ms)
{
    if (p->closed)
        return ERR_CLOSED;
    if (p->stats.waiting >= p->cfg.waiting_max) {
        p->stats.refused++;
        return ERR_FULL;
    }
    r->addr = addr_of(p, to);
    if (!r->addr)
        return ERR_NOMEM;
    r->pool = p;
    r->state = CONN_REQUEST_WAITS;
    r->addr->waiting++;
    p->stats.waiting++;
    list_add_tail(&p->waiting, &r->link);
    timer_init(&r->deadline, p->worker, on_deadline);
    if (timeout_ms >= 0)
        timer_set_after_ms(&r->deadline, timeout_ms);
    serve(p);
    return ERR_OK;
}

enum err conn_pool_poll(struct conn_pool *p, struct conn_request *r, const struct addr *to,
                        int64_t timeout_ms, struct stream **out)
{
    *out = NULL;
    if (r->state == CONN_REQUEST_NEW) {
        enum err err = enter_line(p, r, to, timeout_ms);
        if (err)
            return err;
    }
    if (r->state == CONN_REQUEST_WAITS)
        return ERR_AGAIN;
    struct conn_request was = *r;
    conn_request_init(r, was.task);
    if (was.state == CONN_REQUEST_GRANTED) {
        *out = was.granted->stream;
        return ERR_OK;
    }
    r->os_errno = was.os_errno;
    r->problem = was.problem;
    return was.failure;
}

void conn_pool_forget(struct conn_request *r)
{
    if (r->state == CONN_REQUEST_WAITS) {
        struct conn_pool *p = r->pool;
        request_leave(r);
        addr_settle(p, r->addr);
        serve(p);
    } else if (r->state == CONN_REQUEST_GRANTED) {
        conn_pool_give(r->pool, r->granted->stream);
    }
    conn_request_init(r, r->task);
}

enum err conn_pool_take(struct conn_pool *p, const struct addr *to, int64_t timeout_ms,
                        struct stream **out, struct error *e)
{
    char text[ADDR_TEXT_MAX];
    struct conn_request r;
    enum err err;
    conn_request_init(&r, co_waker(co_current()).task);
    while ((err = conn_pool_poll(p, &r, to, timeout_ms, out)) == ERR_AGAIN) {
        err = co_wait_woken();
        if (err) {
            conn_pool_forget(&r);
            break;
        }
    }
    if (!err)
        return ERR_OK;
    addr_format(to, text);
    if (r.problem[0])
        return error_set(e, err, "no connection to %s: %s", text, r.problem);
    if (r.os_errno)
        return error_set_os(e, r.os_errno, "no connection to %s", text);
    return error_set(e, err, "no connection to %s: %s", text, err_name(err));
}

/* --- giving back --- */

static struct pooled *taken_from(struct conn_pool *p, struct stream *s)
{
    struct pooled *c = s->pooled;
    ASSERT(c && c->pool == p && c->state == POOLED_IN_USE);
    return c;
}

/* Its stream is closed or will be; the place is free. */
static void place_free(struct conn_pool *p, struct pooled *c)
{
    leave_state(c);
    pooled_free(c);
    if (p->closed)
        pool_settle(p);
    else
        serve(p);
}

void conn_pool_give(struct conn_pool *p, struct stream *s)
{
    struct pooled *c = taken_from(p, s);
    if (p->closed || !is_healthy(c)) {
        conn_pool_drop(p, s);
        return;
    }
    pass_on(c);
    serve(p);
}

void conn_pool_drop(struct conn_pool *p, struct stream *s)
{
    struct pooled *c = taken_from(p, s);
    stream_close(s);
    place_free(p, c);
}

void conn_pool_finish(struct conn_pool *p, struct stream *s, int64_t linger_ms)
{
    struct pooled *c = taken_from(p, s);
    stream_finish(s, linger_ms);
    place_free(p, c);
}
