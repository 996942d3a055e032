#include "protocol/modbus_internal.h"

/* A line's connection: it waits, opens, connects, and is up until it is lost. */

enum {
    STEADY_MS = 10000, /* who was up so long is connected again at once, and nobody is told */
    BUSY_MS = 100,     /* a serial device that another program has is tried again so soon, */
    BUSY_MAX = 20,     /* so often: until the line that had it lets go, or who looked what it is */
    LEFT_MS = 1000,    /* so often a line that is not declared any more is looked at */
    READ_MAX = 64 * 1024,
    BACKOFF_MIN_MS = 1000,
    BACKOFF_MAX_MS = 60000,
};

int64_t modbus_backoff(struct modbus *m, int64_t *backoff_ms)
{
    int64_t min = m->cfg.backoff_min_ms ? m->cfg.backoff_min_ms : BACKOFF_MIN_MS;
    int64_t max = m->cfg.backoff_max_ms ? m->cfg.backoff_max_ms : BACKOFF_MAX_MS;
    int64_t ms = *backoff_ms ? *backoff_ms * 2 : min;
    *backoff_ms = ms < max ? ms : max;
    int64_t half = *backoff_ms / 2;
    return half + (int64_t)random_below(&m->random, (uint64_t)(*backoff_ms - half + 1));
}

/* --- the end of a connection --- */

static void disconnect(struct line *l)
{
    if (l->stream && l->pooled)
        conn_pool_drop(l->m->pool, l->stream);
    else if (l->stream)
        stream_close(l->stream);
    l->stream = NULL;
    l->unread = 0;
    conn_pool_forget(&l->request);
    modbus_opening_free(l->opening);
    l->opening = NULL;
    modbus_line_forget(l);
}

static void tell_all(struct line *l, const char *why)
{
    if (!l->plan)
        return;
    LIST_EACH(&l->plan->units, it)
    {
        modbus_unit_tell(CONTAINER_OF(it, struct unit, link), false, why);
    }
}

static void drop_jobs(struct line *l, const char *why)
{
    while (!list_empty(&l->jobs))
        modbus_job_end(l, CONTAINER_OF(l->jobs.next, struct job, link), ERR_CLOSED, why);
}

void modbus_line_lost(struct line *l, const char *fmt, ...)
{
    int64_t now_ns = worker_now_ns(l->m->worker);
    bool steady = l->phase == LINE_UP && now_ns - l->up_since_ns >= STEADY_MS * INT64_C(1000000);
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(l->problem, sizeof(l->problem), fmt, ap);
    va_end(ap);
    l->problem_ms = worker_now_ms(l->m->worker);
    if (l->backoff_ms == 0)
        LOG_W("modbus", "%s: %s", l->text, l->problem);
    disconnect(l);
    l->phase = LINE_WAITS;
    l->retry_ns = now_ns;
    if (steady)
        return;
    l->retry_ns += modbus_backoff(l->m, &l->backoff_ms) * 1000000;
    tell_all(l, l->problem);
    drop_jobs(l, l->problem);
}

/* --- its beginning --- */

static void up(struct line *l)
{
    int64_t now_ns = worker_now_ns(l->m->worker);
    if (l->connects == 0 || l->backoff_ms > 0)
        LOG_I("modbus", "%s: connected", l->text);
    stream_set_limits(l->stream, &(struct stream_limits){.read_max = READ_MAX});
    l->phase = LINE_UP;
    l->connects++;
    l->problem[0] = '\0';
    l->busy = 0;
    l->mute = 0;
    l->mute_online = false;
    l->up_since_ns = l->heard_ns = l->ended_ns = now_ns;
    for (struct list *it = l->plan ? l->plan->units.next : NULL; it && it != &l->plan->units;
         it = it->next)
        CONTAINER_OF(it, struct unit, link)->retry_ns = now_ns;
}

static void connect_next(struct line *l)
{
    enum err r = conn_pool_poll(l->m->pool, &l->request, &l->addrs[l->addr_at], -1, &l->stream);
    if (r == ERR_AGAIN)
        return;
    if (r == ERR_OK) {
        l->pooled = true;
        up(l);
        return;
    }
    char where[ADDR_TEXT_MAX];
    addr_format(&l->addrs[l->addr_at], where);
    l->addr_at++;
    if (l->addr_at < l->addr_count)
        connect_next(l);
    else if (l->request.os_errno)
        modbus_line_lost(l, "no connection to %s: %s", where, strerror(l->request.os_errno));
    else
        modbus_line_lost(l, "no connection to %s: %s", where, err_name(r));
}

static void connect_first(struct line *l)
{
    l->phase = LINE_CONNECTS;
    l->addr_at = 0;
    connect_next(l);
}

static void try_soon(struct line *l)
{
    modbus_opening_free(l->opening);
    l->opening = NULL;
    l->busy++;
    l->phase = LINE_WAITS;
    l->retry_ns = worker_now_ns(l->m->worker) + BUSY_MS * INT64_C(1000000);
}

static void opened(struct line *l)
{
    struct opening *o = l->opening;
    if (!o->over)
        return;
    bool serial = l->cfg.carrier == MODBUS_RTU;
    if (o->result == ERR_BUSY && l->busy < BUSY_MAX) {
        try_soon(l);
        return;
    }
    if (o->result && (serial || l->addr_count == 0)) {
        modbus_line_lost(l, "%s", o->error.text);
        return;
    }
    int fd = o->fd;
    o->fd = -1;
    if (!o->result) { /* else those of the last time, while there is no name server */
        memcpy(l->addrs, o->addrs, sizeof(l->addrs));
        l->addr_count = o->addr_count;
    }
    l->opening = NULL;
    modbus_opening_free(o);
    if (!serial) {
        connect_first(l);
        return;
    }
    l->pooled = false;
    enum err r = stream_serial(&l->stream, l->m->worker, fd, &l->task);
    if (r)
        modbus_line_lost(l, "no stream: %s", err_name(r));
    else
        up(l);
}

/* A number needs no look-up. */
static bool is_number(struct line *l)
{
    uint16_t port = l->cfg.port ? l->cfg.port : MODBUS_PORT;
    struct addr a;
    if (l->cfg.carrier == MODBUS_RTU || addr_parse(&a, l->cfg.host, port))
        return false;
    l->addrs[0] = a;
    l->addr_count = 1;
    return true;
}

/* Where it was connected until just now it mostly is again; a name is looked up when it is not. */
static bool is_known(const struct line *l)
{
    return l->addr_count > 0 && l->backoff_ms == 0;
}

static void begin(struct line *l)
{
    if (is_number(l) || is_known(l)) {
        connect_first(l);
        return;
    }
    l->phase = LINE_OPENS;
    enum err r = modbus_opening_new(&l->opening, l);
    if (r)
        modbus_line_lost(l, "it can't be opened: %s", err_name(r));
}

/* --- the task --- */

static void advance(struct line *l)
{
    if (l->phase == LINE_WAITS && l->retry_ns <= worker_now_ns(l->m->worker))
        begin(l);
    else if (l->phase == LINE_OPENS)
        opened(l);
    else if (l->phase == LINE_CONNECTS)
        connect_next(l);
}

static void set_timer(struct line *l)
{
    int64_t at_ns = 0;
    if (l->phase == LINE_WAITS)
        at_ns = l->retry_ns;
    else if (l->phase == LINE_UP)
        at_ns = modbus_line_next_ns(l);
    int64_t left_ns = worker_now_ns(l->m->worker) + LEFT_MS * INT64_C(1000000);
    if (!l->plan && (at_ns == 0 || left_ns < at_ns))
        at_ns = left_ns;
    if (at_ns > 0)
        timer_set(&l->timer, at_ns);
    else
        timer_cancel(&l->timer);
}

static void shut(struct line *l)
{
    timer_cancel(&l->timer);
    disconnect(l);
    drop_jobs(l, "sedge is stopping");
    l->phase = LINE_ENDED;
}

static enum poll line_poll(struct task *t)
{
    struct line *l = CONTAINER_OF(t, struct line, task);
    if (t->canceled) {
        shut(l);
        return POLL_READY;
    }
    if (modbus_line_is_left(l)) { /* some devices have one connection for all the world */
        l->removed = true;
        shut(l);
        return POLL_READY;
    }
    advance(l);
    if (l->phase == LINE_UP)
        modbus_line_hear(l);
    if (l->phase == LINE_UP)
        modbus_line_expire(l);
    if (l->phase == LINE_UP)
        modbus_line_ask(l);
    set_timer(l);
    return POLL_PENDING;
}

static void line_release(struct line *l)
{
    list_del(&l->link);
    mem_free(l->m->alloc, l, sizeof(*l));
}

static void line_finished(struct task *t)
{
    struct line *l = CONTAINER_OF(t, struct line, task);
    if (l->removed)
        line_release(l);
}

static void on_timer(struct timer *t)
{
    task_wake(&CONTAINER_OF(t, struct line, timer)->task);
}

/* --- life --- */

enum err modbus_line_new(struct line **out, struct modbus *m, const struct line_plan *p)
{
    struct line *l = mem_zero(m->alloc, sizeof(*l));
    *out = l;
    if (!l)
        return ERR_NOMEM;
    l->m = m;
    (void)snprintf(l->text, sizeof(l->text), "%s", p->text);
    list_init(&l->link);
    list_init(&l->due);
    list_init(&l->jobs);
    timer_init(&l->timer, m->worker, on_timer);
    task_init(&l->task, "modbus line", line_poll, line_finished);
    conn_request_init(&l->request, &l->task);
    return ERR_OK;
}

void modbus_line_begin(struct line *l)
{
    list_add_tail(&l->m->lines, &l->link);
    l->retry_ns = worker_now_ns(l->m->worker);
    task_spawn(l->m->worker, &l->task);
}

void modbus_line_end(struct line *l)
{
    l->removed = true;
    task_cancel(&l->task);
}

void modbus_line_free(struct line *l)
{
    if (l->phase != LINE_ENDED) {
        task_abandon(&l->task);
        shut(l);
    }
    line_release(l);
}
