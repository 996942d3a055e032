#include "bus/checkpoint.h"

#include "base/log.h"

#define CHANGED_AFTER_MS 60000
#define COMMIT_WAIT_MS   3000
#define PATIENCE_MS      1000 /* with a database that failed: its disk may be full */

struct checkpoint_run {
    struct journal_wait wait;
    struct db_job job;
    struct checkpoint *owner; /* NULL: gone */
    const struct checkpoint_ops *ops;
    const char *name;
    struct alloc *alloc;
    void *snapshot;
    uint64_t seq, number;
    enum stage { GATHERING, COMMITTING, WRITING } stage; /* what it waits for */
};

static void pressure(struct journal_consumer *consumer)
{
    checkpoint_now(CONTAINER_OF(consumer, struct checkpoint, consumer));
}

static void fire(struct timer *t)
{
    checkpoint_now(CONTAINER_OF(t, struct checkpoint, timer));
}

struct read_cursor {
    struct db_job job;
    const char *name;
    uint64_t seq;
};

static enum err read_cursor(struct db_job *j, struct sqlite3 *sql)
{
    struct read_cursor *r = CONTAINER_OF(j, struct read_cursor, job);
    return db_cursor_get(sql, r->name, &r->seq, &j->error);
}

enum err checkpoint_init(struct checkpoint *c, const struct checkpoint_config *cfg, struct error *e)
{
    struct read_cursor r = {.job = {.run = read_cursor}, .name = cfg->name};
    enum err err = db_run_now(cfg->db, &r.job);
    if (err) {
        if (e)
            *e = r.job.error;
        return err;
    }
    *c = (struct checkpoint){
        .consumer = {.name = cfg->name, .cursor = r.seq, .apply = cfg->apply, .pressure = pressure},
        .ops = cfg->ops,
        .ex = cfg->ex,
        .worker = executor_worker(cfg->ex, 0),
        .journal = cfg->journal,
        .db = cfg->db,
        .alloc = cfg->alloc,
    };
    timer_init(&c->timer, c->worker, fire);
    journal_consumer_add(c->journal, &c->consumer);
    return ERR_OK;
}

static enum err write_all(struct db_job *j, struct sqlite3 *sql)
{
    struct checkpoint_run *r = CONTAINER_OF(j, struct checkpoint_run, job);
    uint64_t stored = 0;
    enum err err = db_cursor_get(sql, r->name, &stored, &j->error);
    if (err || stored > r->seq)
        return err;
    err = r->ops->write(r->snapshot, sql, &j->error);
    return err ? err : db_cursor_set(sql, r->name, r->seq, &j->error);
}

/* A full disk may last for days: a line at its beginning, and one when it is over. */
static void tell(const struct checkpoint_run *r, enum err result, const struct error *why)
{
    bool failing = r->owner && r->owner->patience_ns;
    if (result && !failing)
        LOG_W("checkpoint", "%s: not stored: %s", r->name,
              why && why->text[0] ? why->text : err_name(result));
    else if (!result && failing)
        LOG_I("checkpoint", "%s: stored again", r->name);
}

/* Ends the run and frees it. */
static void run_end(struct checkpoint_run *r, enum err result, const struct error *why)
{
    struct checkpoint *c = r->owner;
    tell(r, result, why);
    if (c) {
        c->run = NULL;
        c->patience_ns = result ? worker_now_ns(c->worker) + PATIENCE_MS * INT64_C(1000000) : 0;
        if (result) {
            c->ops->failed(c);
        } else {
            atomic_store(&c->stored, r->number);
            journal_release(c->journal, &c->consumer, r->seq);
            if (c->ops->stored && worker_current())
                c->ops->stored(c);
        }
    }
    r->ops->free(r->snapshot);
    mem_free(r->alloc, r, sizeof(*r));
    if (c && c->again)
        checkpoint_now(c);
    else if (c && (c->changed || result))
        checkpoint_changed(c);
}

static void written(struct db_job *j)
{
    struct checkpoint_run *r = CONTAINER_OF(j, struct checkpoint_run, job);
    run_end(r, j->result, &j->error);
}

static void committed(struct journal_wait *w, enum err result)
{
    struct checkpoint_run *r = CONTAINER_OF(w, struct checkpoint_run, wait);
    struct checkpoint *c = r->owner;
    r->stage = WRITING;
    if (!result)
        result = db_submit(c->db, c->worker, &r->job);
    if (result)
        run_end(r, result, NULL);
}

static struct checkpoint_run *run_new(struct checkpoint *c)
{
    struct checkpoint_run *r = mem_zero(c->alloc, sizeof(*r));
    if (!r)
        return NULL;
    *r = (struct checkpoint_run){.owner = c,
                                 .ops = c->ops,
                                 .name = c->consumer.name,
                                 .alloc = c->alloc,
                                 .seq = journal_last(c->journal),
                                 .number = 1 + atomic_fetch_add(&c->begun, 1),
                                 .wait = {.done = committed},
                                 .job = {.write = true, .run = write_all, .done = written}};
    return r;
}

/* Out of memory before there was a snapshot. */
static void give_up(struct checkpoint *c, struct checkpoint_run *r)
{
    c->run = NULL;
    mem_free(c->alloc, r, sizeof(*r));
    checkpoint_changed(c);
}

static void run_here(struct checkpoint *c)
{
    struct checkpoint_run *r = run_new(c);
    if (!r)
        return;
    r->snapshot = c->ops->gather(c);
    if (!r->snapshot) {
        mem_free(c->alloc, r, sizeof(*r));
        return;
    }
    enum err err = journal_await(c->journal, journal_last(c->journal), COMMIT_WAIT_MS);
    if (!err)
        err = db_run_now(c->db, &r->job);
    c->again = false;
    c->run = r;
    run_end(r, err, &r->job.error);
}

static void abandon(struct checkpoint *c)
{
    struct checkpoint_run *r = c->run;
    if (!r)
        return;
    c->run = NULL;
    c->ops->failed(c);
    r->owner = NULL;
    if (r->stage == WRITING)
        return; /* the database calls written() */
    journal_wait_cancel(&r->wait);
    if (r->snapshot)
        r->ops->free(r->snapshot);
    mem_free(r->alloc, r, sizeof(*r));
}

void checkpoint_now(struct checkpoint *c)
{
    if (!c->journal || !journal_replayed(c->journal) || journal_failed(c->journal, NULL))
        return; /* after a start that failed half-way the state is not whole */
    if (!worker_current()) {
        abandon(c);
        run_here(c);
        return;
    }
    timer_cancel(&c->timer);
    c->again = c->run;
    if (c->run)
        return;
    if (worker_now_ns(c->worker) < c->patience_ns) {
        timer_set(&c->timer, c->patience_ns);
        return;
    }
    c->changed = false;
    c->run = run_new(c);
    if (!c->run)
        checkpoint_changed(c);
    else if (!c->ops->begin)
        checkpoint_gathered(c, c->ops->gather(c));
    else if (!c->ops->begin(c))
        give_up(c, c->run);
}

void checkpoint_gathered(struct checkpoint *c, void *snapshot)
{
    struct checkpoint_run *r = c->run;
    if (!r || r->stage != GATHERING) { /* the run was given up meanwhile */
        if (snapshot)
            c->ops->free(snapshot);
        c->ops->failed(c);
        return;
    }
    if (!snapshot) {
        give_up(c, r);
        return;
    }
    r->snapshot = snapshot;
    r->stage = COMMITTING;
    /* What came while it was gathered is in the snapshot, so it must be committed as well. */
    journal_wait(c->journal, c->worker, &r->wait, journal_last(c->journal));
}

void checkpoint_changed(struct checkpoint *c)
{
    if (c->run)
        c->changed = true;
    else if (c->journal && !timer_armed(&c->timer))
        timer_set_after_ms(&c->timer, CHANGED_AFTER_MS);
}

void checkpoint_fini(struct checkpoint *c)
{
    if (!c->journal)
        return;
    if (!worker_current())
        checkpoint_now(c);
    abandon(c);
    timer_cancel(&c->timer); /* last: a run that failed sets it */
    journal_consumer_remove(c->journal, &c->consumer);
    *c = (struct checkpoint){0};
}
