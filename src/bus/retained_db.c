/* retained_db: retained messages in the database, and what the journal adds to them at start.
 * A row is the message's record; its seq tells which records of the journal are older. */
#include "bus/bus_internal.h"

#include "base/log.h"
#include <sqlite3.h>

static const char *const steps[] = {
    "CREATE TABLE retained(topic BLOB PRIMARY KEY, seq INTEGER NOT NULL, wall_ms INTEGER NOT NULL,"
    " body BLOB NOT NULL);",
};
static const struct db_migration migration = {"bus", steps, ARRAY_LEN(steps)};

struct item {
    struct message *message;
    char *topic; /* instead, of a deleted one */
    size_t topic_n;
};
struct snapshot {
    struct alloc *alloc;
    VEC(struct item) items;
    bool rewrite;
};

static struct bus *bus_of(struct checkpoint *c)
{
    return CONTAINER_OF(c, struct bus, retained_db.checkpoint);
}

static void snapshot_free(void *p)
{
    struct snapshot *s = p;
    for (size_t i = 0; i < s->items.n; i++) {
        message_unref(s->items.v[i].message);
        mem_free(s->alloc, s->items.v[i].topic, s->items.v[i].topic_n + 1);
    }
    vec_fini(s->alloc, &s->items);
    mem_free(s->alloc, s, sizeof(*s));
}

static bool add_message(struct snapshot *s, struct message *m)
{
    if (!vec_push(s->alloc, &s->items, (struct item){.message = m}))
        return false;
    message_ref(m);
    return true;
}

static bool add_deleted(struct snapshot *s, const struct trie_node *n)
{
    struct item x = {.topic_n = trie_path_len(n)};
    x.topic = mem_new(s->alloc, x.topic_n + 1); /* never nothing: "" is a path too */
    if (!x.topic)
        return false;
    trie_path(n, x.topic);
    if (vec_push(s->alloc, &s->items, x))
        return true;
    mem_free(s->alloc, x.topic, x.topic_n + 1);
    return false;
}

struct gather {
    struct snapshot *snapshot;
    bool failed;
};

static void gather_one(void *ctx, struct message *m)
{
    struct gather *g = ctx;
    g->failed = g->failed || !add_message(g->snapshot, m);
}

static bool gather_all(struct bus *b, struct snapshot *s)
{
    struct gather g = {.snapshot = s};
    s->rewrite = true;
    retained_each(&b->retained, gather_one, &g);
    return !g.failed;
}

static bool gather_dirty(void *ctx, const struct trie_node *n, struct message *m)
{
    return m ? add_message(ctx, m) : add_deleted(ctx, n);
}

/* With all locked. */
static bool take(struct bus *b, struct snapshot *s)
{
    retained_expire(&b->retained, bus_now_ms(b));
    if (b->retained_db.rewrite ? !gather_all(b, s)
                               : !retained_dirty_each(&b->retained, gather_dirty, s))
        return false;
    b->retained_db.rewrite = false;
    retained_clean(&b->retained);
    return true;
}

static void *gather(struct checkpoint *c)
{
    struct bus *b = bus_of(c);
    struct snapshot *s = mem_zero(c->alloc, sizeof(*s));
    if (!s)
        return NULL;
    s->alloc = c->alloc;
    retained_lock_all(&b->retained);
    bool taken = take(b, s);
    retained_unlock_all(&b->retained);
    if (taken)
        return s;
    snapshot_free(s);
    return NULL;
}

static enum err write_message(sqlite3_stmt *put, struct sqlite3 *sql, const struct message *m,
                              struct error *e)
{
    if (message_bind(put, 4, m))
        return error_set(e, ERR_NOMEM, "no memory for a retained message");
    sqlite3_bind_blob(put, 1, m->data, m->topic_len, SQLITE_STATIC);
    sqlite3_bind_int64(put, 2, (sqlite3_int64)m->seq);
    sqlite3_bind_int64(put, 3, m->wall_ms);
    int rc = sqlite3_step(put);
    sqlite3_reset(put);
    sqlite3_clear_bindings(put);
    return rc == SQLITE_DONE ? ERR_OK : db_error(sql, e, "store a retained message");
}

static enum err write_items(struct snapshot *s, struct sqlite3 *sql, sqlite3_stmt *put,
                            sqlite3_stmt *del, struct error *e)
{
    for (size_t i = 0; i < s->items.n; i++) {
        const struct item *x = &s->items.v[i];
        if (x->message) {
            enum err err = write_message(put, sql, x->message, e);
            if (err)
                return err;
            continue;
        }
        sqlite3_bind_blob64(del, 1, x->topic, x->topic_n, SQLITE_STATIC);
        int rc = sqlite3_step(del);
        sqlite3_reset(del);
        if (rc != SQLITE_DONE)
            return db_error(sql, e, "delete a retained message");
    }
    return ERR_OK;
}

static enum err write(void *snapshot, struct sqlite3 *sql, struct error *e)
{
    struct snapshot *s = snapshot;
    sqlite3_stmt *put = NULL, *del = NULL;
    enum err err = ERR_OK;
    if ((s->rewrite && sqlite3_exec(sql, "DELETE FROM retained", NULL, NULL, NULL)) ||
        sqlite3_prepare_v2(sql,
                           "INSERT INTO retained(topic, seq, wall_ms, body) VALUES(?1, ?2, ?3, ?4)"
                           " ON CONFLICT(topic) DO UPDATE SET seq = excluded.seq,"
                           " wall_ms = excluded.wall_ms, body = excluded.body",
                           -1, &put, NULL) ||
        sqlite3_prepare_v2(sql, "DELETE FROM retained WHERE topic = ?1", -1, &del, NULL))
        err = db_error(sql, e, "store retained messages");
    else
        err = write_items(s, sql, put, del, e);
    sqlite3_finalize(put);
    sqlite3_finalize(del);
    return err;
}

static void failed(struct checkpoint *c)
{
    bus_of(c)->retained_db.rewrite = true;
}

static void changed(struct post *p)
{
    struct bus *b = CONTAINER_OF(p, struct bus, retained_post);
    checkpoint_changed(&b->retained_db.checkpoint);
    atomic_store_explicit(&b->retained_news, false, memory_order_release);
}

void retained_changed(struct bus *b)
{
    if (lane_here(b)->index == 0)
        checkpoint_changed(&b->retained_db.checkpoint);
    else if (!atomic_exchange_explicit(&b->retained_news, true, memory_order_acquire))
        worker_post(b->worker, &b->retained_post, "retained news", changed);
}

static const struct checkpoint_ops ops = {
    .gather = gather, .write = write, .free = snapshot_free, .failed = failed};

static void restore(struct bus *b, struct message *m)
{
    char why[160] = "";
    uint64_t hash = routes_hash(b->routes, message_topic(m));
    b->retained.restores = true;
    if (retained_begin(&b->retained, hash, message_topic(m), m->payload_len, why))
        LOG_E("bus", "a retained message is lost: %s", why[0] ? why : "no memory");
    else
        retained_end(&b->retained, hash, m);
    b->retained.restores = false;
    grace_idle(b->cfg.ex); /* a long replay shall not keep all that it has seen */
}

static void apply(struct journal_consumer *consumer, const struct journal_record *r)
{
    struct bus *b = bus_of(CONTAINER_OF(consumer, struct checkpoint, consumer));
    if (r->kind != JOURNAL_MESSAGE || r->seq <= consumer->cursor)
        return;
    struct message *m = bus_message_decode(b, r);
    if (!m) {
        LOG_E("bus", "record %llu is not a message that can be read", (unsigned long long)r->seq);
        return;
    }
    if (m->retain)
        restore(b, m);
    message_unref(m);
}

struct load {
    struct db_job job;
    struct bus *bus;
};

static enum err load(struct db_job *j, struct sqlite3 *sql)
{
    struct bus *b = CONTAINER_OF(j, struct load, job)->bus;
    sqlite3_stmt *get = NULL;
    int rc;
    if (sqlite3_prepare_v2(sql, "SELECT seq, wall_ms, body FROM retained", -1, &get, NULL))
        return db_error(sql, &j->error, "read retained messages");
    while ((rc = sqlite3_step(get)) == SQLITE_ROW) {
        struct bytes body = {sqlite3_column_blob(get, 2), (size_t)sqlite3_column_bytes(get, 2)};
        struct message *m =
            message_decode(b->cfg.alloc, body, (uint64_t)sqlite3_column_int64(get, 0),
                           sqlite3_column_int64(get, 1));
        if (m)
            restore(b, m);
        else
            LOG_E("bus", "a retained message in the database can't be read");
        message_unref(m);
    }
    sqlite3_finalize(get);
    return rc == SQLITE_DONE ? ERR_OK : db_error(sql, &j->error, "read retained messages");
}

enum err retained_db_open(struct bus *b, struct error *e)
{
    struct load l = {.job = {.run = load}, .bus = b};
    enum err err = db_migrate(b->cfg.db, &migration, e);
    if (err)
        return err;
    err = db_run_now(b->cfg.db, &l.job);
    if (err) {
        if (e)
            *e = l.job.error;
        return err;
    }
    b->retained.track = true;
    const struct checkpoint_config cfg = {.name = "retained",
                                          .ops = &ops,
                                          .apply = apply,
                                          .ex = b->cfg.ex,
                                          .journal = b->cfg.journal,
                                          .db = b->cfg.db,
                                          .alloc = b->cfg.alloc};
    return checkpoint_init(&b->retained_db.checkpoint, &cfg, e);
}

void retained_db_close(struct bus *b)
{
    checkpoint_fini(&b->retained_db.checkpoint);
}
