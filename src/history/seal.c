#include "base/log.h"
#include "history/history_internal.h"
#include <string.h>

/* What the next job takes of this series moves to `sealing`. */
static void detach(struct history *h, struct head *d)
{
    if (d->sealing.n > 0 || d->points.n == 0)
        return; /* a job that failed left some: they come first */
    d->sealing = d->points;
    d->sealing_first = d->first_seq;
    d->sealing_last = d->last_seq;
    d->sealing_bad = d->bad;
    points_init(&d->points, h->cfg.alloc, d->kind);
    d->first_seq = d->last_seq = 0;
    d->bad = 0;
}

/* All records up to here have no point that waits elsewhere. */
static uint64_t cursor_after(const struct history *h)
{
    uint64_t cursor = h->seen > h->mark ? h->seen : h->mark;
    for (size_t i = 0; i < h->heads.n; i++) {
        const struct head *d = h->heads.v[i];
        if (d->sealing.n && !d->in_job && d->sealing_first && d->sealing_first <= cursor)
            cursor = d->sealing_first - 1;
        if (d->first_seq && d->first_seq <= cursor)
            cursor = d->first_seq - 1;
    }
    return cursor < h->consumer.cursor ? h->consumer.cursor : cursor;
}

/* Fills the job; true if there is anything to do. What does not fit into it, want_all remembers. */
static bool gather(struct history *h, bool all)
{
    struct seal_job *s = &h->seal;
    uint32_t points = 0;
    s->n = 0;
    h->want_all = false;
    for (size_t i = 0; i < h->heads.n; i++) {
        struct head *d = h->heads.v[i];
        bool due = all ? d->points.n > 0 : d->points.n >= h->cfg.seal_points;
        if (!due && d->sealing.n == 0)
            continue;
        if (s->n == SEAL_SERIES || points >= SEAL_POINTS) {
            h->want_all = all;
            break;
        }
        if (d->sealing.n > 0 && d->points.n > 0)
            h->want_all = all;
        detach(h, d);
        d->in_job = true;
        d->job_id = d->id;
        d->job_chunks = 0;
        d->job_bytes = 0;
        points += d->sealing.n;
        s->heads[s->n++] = d;
    }
    s->cursor = cursor_after(h);
    return s->n > 0 || s->cursor > h->consumer.cursor;
}

static void committed(struct history *h)
{
    struct seal_job *s = &h->seal;
    for (size_t i = 0; i < s->n; i++) {
        struct head *d = s->heads[i];
        d->id = d->job_id;
        d->sealed += d->sealing.n;
        d->seq = d->sealing_last > d->seq ? d->sealing_last : d->seq;
        h->unsealed -= d->sealing.n;
        h->stats.points += d->sealing.n;
        h->stats.chunks += (uint64_t)d->job_chunks;
        h->stats.bytes += d->job_bytes;
        points_fini(&d->sealing);
        d->in_job = false;
    }
    h->stats.seals++;
    h->failing = false;
    if (s->cursor <= h->consumer.cursor)
        return;
    if (h->cfg.journal)
        journal_release(h->cfg.journal, &h->consumer, s->cursor);
    else
        h->consumer.cursor = s->cursor;
}

static void failed(struct history *h)
{
    for (size_t i = 0; i < h->seal.n; i++)
        h->seal.heads[i]->in_job = false;
    if (!h->failing)
        LOG_E("history", "can't seal, trying on; the journal has the points: %s",
              h->seal.job.error.text);
    h->failing = true;
}

static bool any_full(const struct history *h)
{
    for (size_t i = 0; i < h->heads.n; i++)
        if (h->heads.v[i]->points.n >= h->cfg.seal_points)
            return true;
    return false;
}

static void seal_done(struct db_job *j);

static void seal_start(struct history *h)
{
    if (h->seal.running || h->stopping || !gather(h, h->want_all))
        return;
    h->seal.running = true;
    h->seal.job.done = seal_done;
    if (db_submit(h->cfg.db, h->worker, &h->seal.job) == ERR_OK)
        return;
    h->seal.running = false;
    (void)error_set(&h->seal.job.error, ERR_FULL, "too many jobs wait for the database");
    failed(h);
    seal_in(h, SEAL_RETRY_MS);
}

static void seal_done(struct db_job *j)
{
    struct history *h = CONTAINER_OF(j, struct history, seal.job);
    h->seal.running = false;
    if (j->result != ERR_OK) {
        failed(h);
        h->want_all = true;
        if (!h->stopping)
            seal_in(h, SEAL_RETRY_MS);
        return;
    }
    committed(h);
    if (h->want_all)
        seal_start(h);
    else if (any_full(h))
        seal_soon(h);
    else if (h->unsealed > 0 && !h->stopping)
        seal_in(h, h->cfg.seal_age_ms);
}

/* ---- when ---- */

static void on_timer(struct timer *t)
{
    struct history *h = CONTAINER_OF(t, struct history, timer);
    h->want_all = true;
    seal_start(h);
}

static void on_tick_end(struct tick_hook *k)
{
    seal_start(CONTAINER_OF(k, struct history, hook));
}

void seal_init(struct history *h)
{
    h->seal.job.write = true;
    h->seal.job.run = seal_run;
    if (!h->cfg.ex)
        return;
    h->worker = executor_worker(h->cfg.ex, 0);
    timer_init(&h->timer, h->worker, on_timer);
    tick_hook_init(&h->hook, on_tick_end);
}

void seal_soon(struct history *h)
{
    if (h->worker && !h->stopping && !h->failing && !h->seal.running)
        worker_at_tick_end(h->worker, &h->hook);
}

void seal_in(struct history *h, int64_t ms)
{
    if (!h->worker || h->stopping)
        return;
    int64_t at = clock_mono_ns(h->cfg.clock) + ms * 1000000;
    if (timer_armed(&h->timer) && h->timer.at_ns <= at)
        return;
    h->mark = h->cfg.journal ? journal_last(h->cfg.journal) : 0;
    timer_set(&h->timer, at);
}

void seal_pressure(struct journal_consumer *c)
{
    /* Not at once: what was appended last may not have become samples yet. */
    seal_in(CONTAINER_OF(c, struct history, consumer), SETTLE_MS);
}

enum err seal_all_now(struct history *h, struct error *e)
{
    ASSERT(!h->seal.running);
    do {
        if (!gather(h, true))
            break;
        enum err r = db_run_now(h->cfg.db, &h->seal.job);
        if (r != ERR_OK) {
            failed(h);
            if (e)
                *e = h->seal.job.error;
            return r;
        }
        committed(h);
    } while (h->want_all);
    return ERR_OK;
}

enum err history_seal_now(struct history *h, struct error *e)
{
    if (h->seal.running)
        return error_set(e, ERR_AGAIN, "history is being sealed just now");
    return seal_all_now(h, e);
}
