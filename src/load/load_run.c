#include "load/load_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { DRAIN_QUIET_MS = 3000 /* nothing comes any more: the rest is lost */ };

static int64_t read_ns(clockid_t clock)
{
    struct timespec t = {0};
    (void)clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t load_now_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

enum err load_fail(struct load_run *r, enum err err, const char *fmt, ...)
{
    if (r->failed)
        return err;
    r->failed = true;
    if (r->error) {
        va_list ap;
        va_start(ap, fmt);
        (void)vsnprintf(r->error->text, sizeof(r->error->text), fmt, ap);
        va_end(ap);
        r->error->code = err;
    }
    return err;
}

enum err load_fail_os(struct load_run *r, int os_errno, const char *what)
{
    return load_fail(r, ERR_IO, "%s: %s", what, strerror(os_errno));
}

static enum err run_init(struct load_run *r, const struct load_config *cfg, struct alloc *alloc,
                         struct load_result *out, struct error *e)
{
    *r = (struct load_run){.cfg = cfg, .alloc = alloc, .error = e, .latency = &out->latency_ns};
    r->inflight = cfg->rate > 0 || cfg->window > LOAD_IDS ? LOAD_IDS : cfg->window;
    r->in = mem_new(alloc, LOAD_BUFFER);
    r->out = mem_new(alloc, LOAD_BUFFER);
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (r->epoll < 0 || getrandom(&r->id, sizeof(r->id), 0) != (ssize_t)sizeof(r->id))
        return load_fail_os(r, errno, "the run cannot begin");
    if (!r->in || !r->out)
        return load_fail(r, ERR_NOMEM, "no memory");
    if (cfg->tls.on) {
        enum err err = load_tls_open(r);
        if (err)
            return err;
    }
    enum err err = load_plan(r);
    return err ? load_fail(r, err, "the load cannot be made (%s)", err_name(err)) : ERR_OK;
}

static void run_fini(struct load_run *r)
{
    load_plan_free(r);
    load_tls_close(r);
    mem_free(r->alloc, r->in, LOAD_BUFFER);
    mem_free(r->alloc, r->out, LOAD_BUFFER);
    if (r->epoll >= 0)
        (void)close(r->epoll);
}

/* When the next message is due: busy waiting, so that no sleep of ours counts as the broker's. */
static int patience_ms(const struct load_run *r)
{
    return r->cfg->rate > 0 ? 0 : 100;
}

/* Until `end_ns`; false if it failed or nothing moved for long. */
static bool load_until(struct load_run *r, int64_t end_ns, struct load_result *out)
{
    uint64_t moved = r->moved;
    int64_t moved_ns = load_now_ns();
    while (!r->failed && load_now_ns() < end_ns) {
        load_publish(r);
        load_turn(r, patience_ms(r));
        if (r->moved != moved) {
            moved = r->moved;
            moved_ns = r->now_ns;
        }
        if (r->now_ns - moved_ns > (int64_t)LOAD_STALL_MS * 1000000) {
            out->stalled = true;
            return false;
        }
    }
    return !r->failed;
}

static void drain(struct load_run *r)
{
    uint64_t moved = r->moved;
    int64_t moved_ns = load_now_ns();
    while (!r->failed && !load_all_arrived(r)) {
        load_turn(r, 20);
        if (r->moved != moved) {
            moved = r->moved;
            moved_ns = r->now_ns;
        } else if (r->now_ns - moved_ns > (int64_t)DRAIN_QUIET_MS * 1000000) {
            return;
        }
    }
}

/* What was sent behind the last message that should come may be a duplicate: looked at for a
 * moment. */
static void linger(struct load_run *r)
{
    int64_t end = load_now_ns() + 50000000;
    while (!r->failed && load_now_ns() < end)
        load_turn(r, 10);
}

static void disconnect(struct load_run *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (r->conns[i].state == LOAD_READY)
            load_send_end(r, &r->conns[i]);
}

/* A session that lasts ends when its client comes once more with a clean one: in both versions. */
static enum err remove_sessions(struct load_run *r)
{
    for (size_t i = 0; i < r->conns_n; i++)
        load_conn_close(r, &r->conns[i]);
    r->removing = true;
    r->ending = false;
    r->opened = r->ready = 0;
    enum err err = load_open_until(r, r->subs_n);
    if (!err)
        disconnect(r, r->subs_n);
    return err;
}

static enum err end_sessions(struct load_run *r)
{
    r->ending = true;
    disconnect(r, r->conns_n);
    return r->cfg->persistent && !r->failed ? remove_sessions(r) : ERR_OK;
}

static void sum_up(struct load_run *r, struct load_result *out)
{
    for (size_t i = 0; i < r->subs_n; i++) {
        struct load_subscriber *s = &r->subs[i];
        out->reordered += s->reordered;
        for (size_t k = 0; s->orders && k < s->count; k++) {
            struct load_order *o = &s->orders[k];
            load_order_end(o, r->pubs[s->first + k].sent);
            out->lost += o->lost;
            out->duplicated += o->duplicated;
            out->reordered += o->reordered;
        }
    }
    for (size_t i = 0; i < r->pubs_n && r->cfg->scenario == LOAD_SHARED; i++) {
        out->lost += r->pubs[i].sent - r->pubs[i].share.seen;
        out->duplicated += r->pubs[i].share.duplicated;
    }
    out->refused = r->refused;
    out->acks_reordered = r->acks_reordered;
    out->connections = r->ready;
}

static void measure(struct load_run *r, struct load_result *out)
{
    const struct load_config *cfg = r->cfg;
    clockid_t broker;
    bool known = cfg->pid > 0 && clock_getcpuclockid(cfg->pid, &broker) == 0;
    uint64_t sent = r->sent, acked = r->acked, delivered = r->delivered;
    memset(r->latency, 0, sizeof(*r->latency));
    int64_t began_ns = load_now_ns(), cpu_ns = known ? read_ns(broker) : 0;
    (void)load_until(r, began_ns + (int64_t)(cfg->seconds * 1e9), out);
    out->cpu_s = known ? (double)(read_ns(broker) - cpu_ns) / 1e9 : -1;
    out->seconds = (double)(load_now_ns() - began_ns) / 1e9;
    out->sent = r->sent - sent;
    out->acked = r->acked - acked;
    out->delivered = r->delivered - delivered;
}

static enum err load_messages(struct load_run *r, struct load_result *out)
{
    enum err err = load_open_until(r, r->subs_n); /* who subscribes later would miss something */
    if (!err)
        err = load_open_until(r, r->conns_n);
    if (err)
        return err;
    r->start_ns = load_now_ns();
    if (load_until(r, r->start_ns + (int64_t)(r->cfg->warm_up_s * 1e9), out))
        measure(r, out);
    drain(r);
    linger(r);
    sum_up(r, out);
    err = end_sessions(r);
    return r->failed ? ERR_IO : err;
}

enum err load_run(const struct load_config *cfg, struct alloc *alloc, struct load_result *out,
                  struct error *e)
{
    struct load_run r;
    *out = (struct load_result){.cpu_s = -1};
    enum err err = run_init(&r, cfg, alloc, out, e);
    if (!err)
        err = cfg->scenario == LOAD_IDLE ? load_idle(&r, out) : load_messages(&r, out);
    run_fini(&r);
    return err;
}

bool load_sound(const struct load_result *r)
{
    return !r->stalled && r->lost + r->duplicated + r->reordered + r->acks_reordered == 0;
}
