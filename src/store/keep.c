#include "store/keep.h"

#include "async/timer.h"
#include "base/log.h"
#include "base/map.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum { RECORD_VERSION = 1, SAVE_AFTER_MS = 2000, OWED_AFTER_MS = 200, DIRTY_MAX = 1000000 };

struct entry {
    struct str key;
    size_t value_n;
    struct entry *next; /* in a batch on its way to the table */
    bool lazy;
    uint8_t data[]; /* key, value */
};

struct keep {
    struct keep_config cfg;
    struct worker *worker;
    struct journal_consumer consumer;
    struct map dirty; /* key -> entry: in the journal, not yet in the table */
    struct map owed;  /* key -> entry: not yet in the journal, which was full */
    size_t owed_bytes;
    struct timer timer, owed_timer;
    bool failing;
    bool stuck; /* a dirty one was lost for want of memory: its record must be replayed */

    bool saving; /* one batch at a time, which may be empty: then the cursor moves */
    struct entry *batch;
    uint64_t batch_upto, loaded_cursor;
    struct journal_wait wait; /* for the batch's commit, then … */
    struct db_job job;
};

static size_t entry_size(const struct entry *e)
{
    return sizeof(*e) + e->key.n + e->value_n;
}

static struct entry *entry_new(struct keep *k, struct str key, struct bytes value)
{
    struct entry *e = mem_new(k->cfg.alloc, sizeof(*e) + key.n + value.n);
    if (!e)
        return NULL;
    memcpy(e->data, key.p, key.n);
    if (value.n)
        memcpy(e->data + key.n, value.p, value.n);
    e->key = (struct str){(const char *)e->data, key.n};
    e->value_n = value.n;
    e->next = NULL;
    e->lazy = false;
    return e;
}

static void entry_free(struct keep *k, struct entry *e)
{
    if (e)
        mem_free(k->cfg.alloc, e, entry_size(e));
}

/* Takes the entry, which is in the journal. If it can't be held, the cursor must not pass it. */
static void dirty_put(struct keep *k, struct entry *e)
{
    entry_free(k, map_del(&k->dirty, e->key));
    if (!map_put(&k->dirty, e->key, e))
        return;
    if (!k->stuck)
        LOG_W("store", "no memory for a change of %s: the journal keeps it", k->cfg.name);
    k->stuck = true;
    entry_free(k, e);
}

/* --- to the table --- */

static enum err batch_run(struct db_job *j, struct sqlite3 *sql)
{
    struct keep *k = CONTAINER_OF(j, struct keep, job);
    char put[128], del[128];
    sqlite3_stmt *put_st = NULL, *del_st = NULL;
    (void)snprintf(put, sizeof(put), "INSERT OR REPLACE INTO keep_%s VALUES(?,?)", k->cfg.name);
    (void)snprintf(del, sizeof(del), "DELETE FROM keep_%s WHERE key = ?", k->cfg.name);
    bool ok = sqlite3_prepare_v2(sql, put, -1, &put_st, NULL) == SQLITE_OK &&
              sqlite3_prepare_v2(sql, del, -1, &del_st, NULL) == SQLITE_OK;
    for (const struct entry *e = k->batch; ok && e; e = e->next) {
        sqlite3_stmt *st = e->value_n ? put_st : del_st;
        (void)sqlite3_bind_text(st, 1, e->key.p, (int)e->key.n, SQLITE_STATIC);
        if (e->value_n)
            (void)sqlite3_bind_blob(st, 2, e->data + e->key.n, (int)e->value_n, SQLITE_STATIC);
        ok = sqlite3_step(st) == SQLITE_DONE;
        (void)sqlite3_reset(st);
    }
    (void)sqlite3_finalize(put_st);
    (void)sqlite3_finalize(del_st);
    if (!ok)
        return db_error(sql, &j->error, k->cfg.name);
    return k->stuck ? ERR_OK : db_cursor_set(sql, k->cfg.name, k->batch_upto, &j->error);
}

/* Back among the dirty ones, unless a newer value is there already. */
static void batch_return(struct keep *k)
{
    struct entry *next;
    for (struct entry *e = k->batch; e; e = next) {
        next = e->next;
        e->next = NULL;
        if (map_get(&k->dirty, e->key))
            entry_free(k, e);
        else
            dirty_put(k, e);
    }
    k->batch = NULL;
    k->saving = false;
}

static void batch_free(struct keep *k)
{
    struct entry *next;
    for (struct entry *e = k->batch; e; e = next) {
        next = e->next;
        entry_free(k, e);
    }
    k->batch = NULL;
    k->saving = false;
}

static void batch_done(struct db_job *j)
{
    struct keep *k = CONTAINER_OF(j, struct keep, job);
    if (j->result) {
        if (!k->failing)
            LOG_E("store", "%s can't be saved, trying on: %s", k->cfg.name, j->error.text);
        k->failing = true;
        batch_return(k);
    } else {
        k->failing = false;
        batch_free(k);
        if (!k->stuck)
            journal_release(k->cfg.journal, &k->consumer, k->batch_upto);
    }
    if (k->dirty.n)
        timer_set_after_ms(&k->timer, SAVE_AFTER_MS);
}

/* All that the batch says is in the journal for good. */
static void batch_committed(struct journal_wait *w, enum err result)
{
    struct keep *k = CONTAINER_OF(w, struct keep, wait);
    if (result) { /* the journal has failed: nothing will ever be committed again */
        batch_return(k);
    } else if (db_submit(k->cfg.db, k->worker, &k->job)) {
        batch_return(k);
        timer_set_after_ms(&k->timer, SAVE_AFTER_MS);
    }
}

static void batch_take(struct keep *k)
{
    size_t at = 0;
    void *value;
    struct str key;
    struct entry **tail = &k->batch;
    /* Every record so far is in the table or in this batch. */
    k->batch_upto = journal_last(k->cfg.journal);
    while (map_next(&k->dirty, &at, &key, &value)) {
        struct entry *e = value;
        (void)map_del(&k->dirty, key);
        *tail = e;
        tail = &e->next;
    }
    k->job = (struct db_job){.write = true, .run = batch_run, .done = batch_done};
}

static void save(struct keep *k)
{
    if (k->saving || journal_failed(k->cfg.journal, NULL))
        return;
    timer_cancel(&k->timer);
    k->saving = true;
    batch_take(k);
    k->wait.done = batch_committed;
    journal_wait(k->cfg.journal, k->worker, &k->wait, k->batch_upto);
}

static void on_timer(struct timer *t)
{
    save(CONTAINER_OF(t, struct keep, timer));
}

static void pressure(struct journal_consumer *c)
{
    save(CONTAINER_OF(c, struct keep, consumer));
}

/* --- to the journal --- */

static enum err append(struct keep *k, struct entry *e, uint64_t *seq)
{
    uint8_t head[3];
    struct writer w = writer_from(head, sizeof(head));
    writer_u8(&w, RECORD_VERSION);
    writer_u16(&w, (uint16_t)e->key.n);
    struct iovec parts[] = {{head, sizeof(head)}, {e->data, e->key.n + e->value_n}};
    return journal_append(k->cfg.journal, k->cfg.kind, e->lazy, parts, ARRAY_LEN(parts), seq);
}

static void owed_drop(struct keep *k, struct str key)
{
    struct entry *e = map_del(&k->owed, key);
    if (!e)
        return;
    k->owed_bytes -= entry_size(e);
    entry_free(k, e);
}

/* Takes the entry. The older value of its key, if it is in the journal, stays among the dirty. */
static enum err owed_put(struct keep *k, struct entry *e)
{
    owed_drop(k, e->key);
    if (k->owed_bytes + entry_size(e) > KEEP_OWED_MAX || map_put(&k->owed, e->key, e)) {
        entry_free(k, e);
        return ERR_FULL;
    }
    k->owed_bytes += entry_size(e);
    if (!timer_armed(&k->owed_timer))
        timer_set_after_ms(&k->owed_timer, OWED_AFTER_MS);
    return ERR_OK;
}

/* As many as there is room for. */
static void owed_append(struct keep *k)
{
    size_t at = 0;
    void *value;
    struct str key;
    uint64_t seq;
    while (map_next(&k->owed, &at, &key, &value)) {
        struct entry *e = value;
        if (append(k, e, &seq))
            return;
        (void)map_del(&k->owed, key);
        k->owed_bytes -= entry_size(e);
        dirty_put(k, e);
    }
}

static void on_owed_timer(struct timer *t)
{
    struct keep *k = CONTAINER_OF(t, struct keep, owed_timer);
    owed_append(k);
    if (k->owed.n && !journal_failed(k->cfg.journal, NULL))
        timer_set_after_ms(t, OWED_AFTER_MS);
    if (k->dirty.n && !k->saving && !timer_armed(&k->timer))
        timer_set_after_ms(&k->timer, SAVE_AFTER_MS);
}

/* --- from the journal and the table --- */

static void replay(struct journal_consumer *c, const struct journal_record *r)
{
    struct keep *k = CONTAINER_OF(c, struct keep, consumer);
    if (r->kind != k->cfg.kind)
        return;
    struct cursor in = cursor_from(r->body.p, r->body.n);
    uint8_t version = cursor_u8(&in);
    struct str key = cursor_str16(&in);
    struct bytes value = cursor_take(&in, cursor_left(&in));
    if (in.failed || version != RECORD_VERSION) {
        LOG_W("store", "record %llu of %s can't be read and is passed over",
              (unsigned long long)r->seq, k->cfg.name);
        return;
    }
    k->cfg.apply(k->cfg.ctx, key, value);
    struct entry *e = entry_new(k, key, value);
    if (e)
        dirty_put(k, e);
    else
        k->stuck = true;
}

static enum err load_run(struct db_job *j, struct sqlite3 *sql)
{
    struct keep *k = CONTAINER_OF(j, struct keep, job);
    char text[128];
    sqlite3_stmt *st = NULL;
    (void)snprintf(text, sizeof(text), "SELECT key, value FROM keep_%s ORDER BY key", k->cfg.name);
    if (sqlite3_prepare_v2(sql, text, -1, &st, NULL) != SQLITE_OK)
        return db_error(sql, &j->error, k->cfg.name);
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct str key = {(const char *)sqlite3_column_text(st, 0),
                          (size_t)sqlite3_column_bytes(st, 0)};
        struct bytes value = {sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1)};
        if (key.p && value.p)
            k->cfg.apply(k->cfg.ctx, key, value);
    }
    (void)sqlite3_finalize(st);
    if (rc != SQLITE_DONE) /* half of the state would be a wrong one */
        return db_error(sql, &j->error, k->cfg.name);
    return db_cursor_get(sql, k->cfg.name, &k->loaded_cursor, &j->error);
}

static enum err load(struct keep *k, struct error *e)
{
    char step[160];
    (void)snprintf(step, sizeof(step),
                   "CREATE TABLE keep_%s(key TEXT PRIMARY KEY, value BLOB NOT NULL)", k->cfg.name);
    const char *const steps[] = {step};
    char part[64];
    (void)snprintf(part, sizeof(part), "keep_%s", k->cfg.name);
    struct db_migration m = {part, steps, 1};
    enum err err = db_migrate(k->cfg.db, &m, e);
    if (err)
        return err;
    k->job = (struct db_job){.db = k->cfg.db, .run = load_run};
    err = db_run_now(k->cfg.db, &k->job);
    if (err && e)
        *e = k->job.error;
    return err;
}

enum err keep_new(struct keep **out, const struct keep_config *cfg, struct error *e)
{
    *out = NULL;
    struct keep *k = mem_zero(cfg->alloc, sizeof(*k));
    if (!k)
        return error_set(e, ERR_NOMEM, "no memory for %s", cfg->name);
    k->cfg = *cfg;
    k->worker = executor_worker(cfg->ex, 0);
    map_init(&k->dirty, cfg->alloc, executor_env(cfg->ex)->seed, DIRTY_MAX);
    map_init(&k->owed, cfg->alloc, executor_env(cfg->ex)->seed, DIRTY_MAX);
    timer_init(&k->timer, k->worker, on_timer);
    timer_init(&k->owed_timer, k->worker, on_owed_timer);
    enum err err = load(k, e);
    if (err) {
        keep_free(k);
        return err;
    }
    k->consumer = (struct journal_consumer){
        .name = cfg->name, .cursor = k->loaded_cursor, .apply = replay, .pressure = pressure};
    journal_consumer_add(cfg->journal, &k->consumer);
    *out = k;
    return ERR_OK;
}

static void map_free(struct keep *k, struct map *m)
{
    size_t at = 0;
    void *value;
    while (map_next(m, &at, NULL, &value))
        entry_free(k, value);
    map_fini(m);
}

void keep_free(struct keep *k)
{
    if (!k)
        return;
    timer_cancel(&k->timer);
    timer_cancel(&k->owed_timer);
    journal_wait_cancel(&k->wait);
    owed_append(k);
    if (k->owed.n)
        LOG_E("store", "%zu changes of %s are lost: the journal was full to the end", k->owed.n,
              k->cfg.name);
    if (k->consumer.name)
        journal_consumer_remove(k->cfg.journal, &k->consumer);
    batch_return(k);
    map_free(k, &k->dirty);
    map_free(k, &k->owed);
    mem_free(k->cfg.alloc, k, sizeof(*k));
}

enum err keep_put(struct keep *k, struct str key, struct bytes value, bool lazy, uint64_t *seq)
{
    if (key.n > KEEP_KEY_MAX || value.n > KEEP_VALUE_MAX)
        return ERR_RANGE;
    struct entry *e = entry_new(k, key, value);
    if (!e)
        return ERR_NOMEM;
    e->lazy = lazy;
    uint64_t ignored;
    enum err err = append(k, e, seq ? seq : &ignored);
    bool passes = err == ERR_FULL || (err == ERR_IO && !journal_failed(k->cfg.journal, NULL));
    if (passes && !seq) /* the journal, or the disk, is full */
        return owed_put(k, e);
    if (err) {
        entry_free(k, e);
        return err;
    }
    owed_drop(k, key);
    dirty_put(k, e);
    if (!k->saving && !timer_armed(&k->timer))
        timer_set_after_ms(&k->timer, SAVE_AFTER_MS);
    return ERR_OK;
}

enum err keep_del(struct keep *k, struct str key, bool lazy)
{
    return keep_put(k, key, (struct bytes){NULL, 0}, lazy, NULL);
}
