#include "store/keep.h"

#include "async/timer.h"
#include "base/log.h"
#include "base/map.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum { RECORD_VERSION = 1, SAVE_AFTER_MS = 2000, DIRTY_MAX = 1000000 };

struct entry {
    struct str key;
    size_t value_n;
    struct entry *next; /* in a batch on its way to the table */
    uint8_t data[];     /* key, value */
};

struct keep {
    struct keep_config cfg;
    struct worker *worker;
    struct journal_consumer consumer;
    struct map dirty; /* key -> entry */
    struct timer timer;
    bool failing;

    struct db_job job; /* one batch at a time */
    struct entry *batch;
    uint64_t batch_upto, loaded_cursor;
};

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
    return e;
}

static void entry_free(struct keep *k, struct entry *e)
{
    if (e)
        mem_free(k->cfg.alloc, e, sizeof(*e) + e->key.n + e->value_n);
}

/* Takes the entry. */
static enum err dirty_put(struct keep *k, struct entry *e)
{
    entry_free(k, map_del(&k->dirty, e->key));
    enum err err = map_put(&k->dirty, e->key, e);
    if (err)
        entry_free(k, e);
    return err;
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
    for (struct entry *e = k->batch; ok && e; e = e->next) {
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
    return db_cursor_set(sql, k->cfg.name, k->batch_upto, &j->error);
}

/* Back among the dirty ones, unless a newer value is there already. */
static void batch_return(struct keep *k)
{
    struct entry *next;
    for (struct entry *e = k->batch; e; e = next) {
        next = e->next;
        e->next = NULL;
        if (map_put(&k->dirty, e->key, e))
            entry_free(k, e);
    }
    k->batch = NULL;
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
        struct entry *next;
        for (struct entry *e = k->batch; e; e = next) {
            next = e->next;
            entry_free(k, e);
        }
        k->batch = NULL;
        journal_release(k->cfg.journal, &k->consumer, k->batch_upto);
    }
    if (k->dirty.n)
        timer_set_after_ms(&k->timer, SAVE_AFTER_MS);
}

static void batch_take(struct keep *k)
{
    size_t at = 0;
    void *value;
    struct str key;
    struct entry **tail = &k->batch;
    /* Every record up to the committed one is in the table or in this batch. */
    k->batch_upto = journal_committed(k->cfg.journal);
    while (map_next(&k->dirty, &at, &key, &value)) {
        struct entry *e = value;
        (void)map_del(&k->dirty, key);
        *tail = e;
        tail = &e->next;
    }
    k->job = (struct db_job){.db = k->cfg.db, .write = true, .run = batch_run, .done = batch_done};
}

static void save(struct keep *k)
{
    if (k->batch)
        return;
    batch_take(k);
    if (db_submit(k->cfg.db, k->worker, &k->job)) {
        batch_return(k);
        timer_set_after_ms(&k->timer, SAVE_AFTER_MS);
    }
}

static void on_timer(struct timer *t)
{
    save(CONTAINER_OF(t, struct keep, timer));
}

static void pressure(struct journal_consumer *c)
{
    save(CONTAINER_OF(c, struct keep, consumer));
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
    if (!e || dirty_put(k, e))
        LOG_W("store", "no memory to keep %.*s of %s", STR_FMT(key), k->cfg.name);
}

static enum err load_run(struct db_job *j, struct sqlite3 *sql)
{
    struct keep *k = CONTAINER_OF(j, struct keep, job);
    char text[128];
    sqlite3_stmt *st = NULL;
    (void)snprintf(text, sizeof(text), "SELECT key, value FROM keep_%s ORDER BY key", k->cfg.name);
    if (sqlite3_prepare_v2(sql, text, -1, &st, NULL) != SQLITE_OK)
        return db_error(sql, &j->error, k->cfg.name);
    while (sqlite3_step(st) == SQLITE_ROW) {
        struct str key = {(const char *)sqlite3_column_text(st, 0),
                          (size_t)sqlite3_column_bytes(st, 0)};
        struct bytes value = {sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1)};
        if (key.p && value.p)
            k->cfg.apply(k->cfg.ctx, key, value);
    }
    (void)sqlite3_finalize(st);
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
    timer_init(&k->timer, k->worker, on_timer);
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

void keep_free(struct keep *k)
{
    if (!k)
        return;
    timer_cancel(&k->timer);
    if (k->consumer.name)
        journal_consumer_remove(k->cfg.journal, &k->consumer);
    batch_return(k);
    size_t at = 0;
    void *value;
    while (map_next(&k->dirty, &at, NULL, &value))
        entry_free(k, value);
    map_fini(&k->dirty);
    mem_free(k->cfg.alloc, k, sizeof(*k));
}

enum err keep_put(struct keep *k, struct str key, struct bytes value, bool lazy, uint64_t *seq)
{
    if (key.n > KEEP_KEY_MAX || value.n > KEEP_VALUE_MAX)
        return ERR_RANGE;
    uint8_t head[3];
    struct writer w = writer_from(head, sizeof(head));
    writer_u8(&w, RECORD_VERSION);
    writer_u16(&w, (uint16_t)key.n);
    struct iovec parts[] = {{head, sizeof(head)},
                            {(void *)(uintptr_t)key.p, key.n},
                            {(void *)(uintptr_t)value.p, value.n}};
    uint64_t at;
    struct entry *e = entry_new(k, key, value);
    if (!e)
        return ERR_NOMEM;
    enum err err = journal_append(k->cfg.journal, k->cfg.kind, lazy, parts, ARRAY_LEN(parts), &at);
    if (err) {
        entry_free(k, e);
        return err;
    }
    if (seq)
        *seq = at;
    err = dirty_put(k, e);
    if (!k->batch && !timer_armed(&k->timer))
        timer_set_after_ms(&k->timer, SAVE_AFTER_MS);
    return err;
}

enum err keep_del(struct keep *k, struct str key, bool lazy)
{
    return keep_put(k, key, (struct bytes){NULL, 0}, lazy, NULL);
}
