/* The tables of sessions. A run writes what has changed: the sessions, all subscriptions of those
 * whose subscriptions changed, the messages in flight, and what has come into queues since the
 * last run; what has left a queue is below its head and goes by position. */
#include "protocol/mqtt_snapshot.h"

#include <sqlite3.h>

static const char *const steps[] = {
    "CREATE TABLE session(number INTEGER PRIMARY KEY, client BLOB NOT NULL UNIQUE,"
    " expiry_s INTEGER NOT NULL, offline_ms INTEGER NOT NULL, next_id INTEGER NOT NULL);"
    "CREATE TABLE subscription(session INTEGER NOT NULL, filter BLOB NOT NULL,"
    " options INTEGER NOT NULL, id INTEGER NOT NULL, PRIMARY KEY(session, filter));"
    "CREATE TABLE queued(session INTEGER NOT NULL, position INTEGER NOT NULL,"
    " seq INTEGER NOT NULL, packet_id INTEGER NOT NULL, qos INTEGER NOT NULL,"
    " retain INTEGER NOT NULL, ids BLOB, PRIMARY KEY(session, position)) WITHOUT ROWID;"
    "CREATE TABLE queued_message(seq INTEGER PRIMARY KEY, wall_ms INTEGER NOT NULL,"
    " body BLOB NOT NULL);",
    /* QoS 2: the ids that wait for PUBREL; the flight_state of what has a packet id, which before
     * was always FLIGHT_SENT1. Spilling: a message goes with the last row that names it, and its
     * size in memory is known without reading it. */
    "ALTER TABLE session ADD COLUMN received BLOB;"
    "ALTER TABLE queued ADD COLUMN state INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE queued ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;"
    "UPDATE queued SET state = 1 WHERE packet_id <> 0;"
    "CREATE INDEX queued_seq ON queued(seq);"
    "CREATE TRIGGER queued_gone AFTER DELETE ON queued"
    " WHEN NOT EXISTS (SELECT 1 FROM queued WHERE seq = old.seq)"
    " BEGIN DELETE FROM queued_message WHERE seq = old.seq; END;",
    /* By which share it came: bus_share_key(). */
    "ALTER TABLE queued ADD COLUMN share INTEGER NOT NULL DEFAULT 0;",
    /* The body is that of mqtt_will_body.h. */
    "CREATE TABLE will(number INTEGER PRIMARY KEY, lost_ms INTEGER NOT NULL, body BLOB NOT NULL);",
};
static const struct db_migration migration = {"mqtt", steps, ARRAY_LEN(steps)};

enum statement {
    PUT_SESSION,
    DEL_SESSION,
    DEL_SUBS,
    PUT_SUB,
    DEL_QUEUED,
    DEL_BELOW,
    DEL_OUTSIDE,
    PUT_QUEUED,
    PUT_MESSAGE,
    DEL_WILL,
    PUT_WILL,
    STATEMENTS,
};
static const char *const sql_of[STATEMENTS] = {
    [PUT_SESSION] = "INSERT OR REPLACE INTO session(number, client, expiry_s, offline_ms, next_id,"
                    " received) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [DEL_SESSION] = "DELETE FROM session WHERE number = ?1",
    [DEL_SUBS] = "DELETE FROM subscription WHERE session = ?1",
    [PUT_SUB] = "INSERT OR REPLACE INTO subscription(session, filter, options, id)"
                " VALUES(?1, ?2, ?3, ?4)",
    [DEL_QUEUED] = "DELETE FROM queued WHERE session = ?1",
    [DEL_BELOW] = "DELETE FROM queued WHERE session = ?1 AND position < ?2",
    [DEL_OUTSIDE] = "DELETE FROM queued WHERE session = ?1 AND (position < ?2 OR position >= ?3)",
    [PUT_QUEUED] =
        "INSERT OR REPLACE INTO queued(session, position, seq, packet_id, qos, retain, ids,"
        " state, bytes, share) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [PUT_MESSAGE] = "INSERT OR IGNORE INTO queued_message(seq, wall_ms, body) VALUES(?1, ?2, ?3)",
    [DEL_WILL] = "DELETE FROM will WHERE number = ?1",
    [PUT_WILL] = "INSERT OR REPLACE INTO will(number, lost_ms, body) VALUES(?1, ?2, ?3)",
};

struct writing {
    struct sqlite3 *sql;
    sqlite3_stmt *stmt[STATEMENTS];
    struct error *error;
};

static enum err step(struct writing *w, enum statement which)
{
    sqlite3_stmt *s = w->stmt[which];
    int rc = sqlite3_step(s);
    (void)sqlite3_reset(s);
    (void)sqlite3_clear_bindings(s);
    return rc == SQLITE_DONE ? ERR_OK : db_error(w->sql, w->error, "store sessions");
}

static enum err del(struct writing *w, enum statement which, uint64_t number)
{
    sqlite3_bind_int64(w->stmt[which], 1, (sqlite3_int64)number);
    return step(w, which);
}

static enum err put_body(struct writing *w, const struct message *m)
{
    sqlite3_stmt *s = w->stmt[PUT_MESSAGE];
    if (message_bind(s, 3, m))
        return error_set(w->error, ERR_NOMEM, "no memory for a queued message");
    sqlite3_bind_int64(s, 1, (sqlite3_int64)m->seq);
    sqlite3_bind_int64(s, 2, m->wall_ms);
    return step(w, PUT_MESSAGE);
}

static enum err put_message(struct writing *w, uint64_t number, const struct saved_message *m)
{
    const struct flight *f = &m->flight;
    const struct outgoing *o = &f->out;
    sqlite3_stmt *s = w->stmt[PUT_QUEUED];
    sqlite3_bind_int64(s, 1, (sqlite3_int64)number);
    sqlite3_bind_int64(s, 2, m->position);
    sqlite3_bind_int64(s, 3, (sqlite3_int64)f->seq);
    sqlite3_bind_int(s, 4, f->id);
    sqlite3_bind_int(s, 5, o->qos);
    sqlite3_bind_int(s, 6, o->retain);
    if (o->ids_n)
        sqlite3_bind_blob64(s, 7, o->ids_n > 1 ? o->sub_ids : &o->sub_id,
                            o->ids_n * sizeof(uint32_t), SQLITE_STATIC);
    sqlite3_bind_int(s, 8, f->state);
    sqlite3_bind_int64(s, 9, o->message ? (sqlite3_int64)message_bytes(o->message) : 0);
    sqlite3_bind_int64(s, 10, (sqlite3_int64)m->share);
    enum err err = step(w, PUT_QUEUED);
    return err || !o->message ? err : put_body(w, o->message);
}

static enum err put_subs(struct writing *w, const struct saved_session *x)
{
    enum err err = del(w, DEL_SUBS, x->number);
    for (size_t i = 0; !err && i < x->subs.n; i++) {
        const struct saved_sub *sub = &x->subs.v[i];
        sqlite3_stmt *s = w->stmt[PUT_SUB];
        sqlite3_bind_int64(s, 1, (sqlite3_int64)x->number);
        sqlite3_bind_blob64(s, 2, sub->filter.p, sub->filter.n, SQLITE_STATIC);
        sqlite3_bind_int(s, 3, sub->options);
        sqlite3_bind_int64(s, 4, sub->id);
        err = step(w, PUT_SUB);
    }
    return err;
}

/* What has left the queue; or all but what is only there. */
static enum err del_queued(struct writing *w, const struct saved_session *x)
{
    enum statement which = x->requeue ? DEL_OUTSIDE : DEL_BELOW;
    sqlite3_bind_int64(w->stmt[which], 1, (sqlite3_int64)x->number);
    sqlite3_bind_int64(w->stmt[which], 2, x->requeue ? x->spilled : x->head);
    if (x->requeue)
        sqlite3_bind_int64(w->stmt[which], 3, x->tail);
    return step(w, which);
}

static enum err put_session(struct writing *w, const struct saved_session *x)
{
    sqlite3_stmt *s = w->stmt[PUT_SESSION];
    sqlite3_bind_int64(s, 1, (sqlite3_int64)x->number);
    sqlite3_bind_blob64(s, 2, x->client_id.p, x->client_id.n, SQLITE_STATIC);
    sqlite3_bind_int64(s, 3, x->expiry_s);
    sqlite3_bind_int64(s, 4, x->offline_ms);
    sqlite3_bind_int(s, 5, x->next_id);
    if (x->received_n)
        sqlite3_bind_blob64(s, 6, x->received, x->received_n, SQLITE_STATIC);
    enum err err = step(w, PUT_SESSION);
    if (!err && x->subs_too)
        err = put_subs(w, x);
    if (err)
        return err;
    err = del_queued(w, x);
    for (size_t i = 0; !err && i < x->messages.n; i++)
        err = put_message(w, x->number, &x->messages.v[i]);
    return err;
}

static enum err write_wills(struct writing *w, const struct snapshot *s)
{
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < s->wills_ended.n; i++)
        err = del(w, DEL_WILL, s->wills_ended.v[i]);
    for (size_t i = 0; !err && i < s->wills.n; i++) {
        const struct saved_will *x = &s->wills.v[i];
        sqlite3_stmt *q = w->stmt[PUT_WILL];
        sqlite3_bind_int64(q, 1, (sqlite3_int64)x->number);
        sqlite3_bind_int64(q, 2, x->lost_ms);
        sqlite3_bind_blob64(q, 3, x->body, x->body_n, SQLITE_STATIC);
        err = step(w, PUT_WILL);
    }
    return err;
}

static enum err write_sessions(struct writing *w, const struct snapshot *s)
{
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < s->ended.n; i++) {
        err = del(w, DEL_SESSION, s->ended.v[i]);
        if (!err)
            err = del(w, DEL_SUBS, s->ended.v[i]);
        if (!err)
            err = del(w, DEL_QUEUED, s->ended.v[i]);
    }
    for (size_t i = 0; !err && i < s->sessions.n; i++)
        err = put_session(w, &s->sessions.v[i]);
    return err;
}

/* A rewrite: before, and behind. */
static const char clear_all[] = "DELETE FROM session; DELETE FROM subscription; DELETE FROM will";
static const char sweep[] = "DELETE FROM queued WHERE session NOT IN (SELECT number FROM session);"
                            "DELETE FROM queued_message WHERE seq NOT IN (SELECT seq FROM queued)";

static enum err write(void *snapshot, struct sqlite3 *sql, struct error *e)
{
    const struct snapshot *s = snapshot;
    const bool rewrite = s->rewrite;
    struct writing w = {.sql = sql, .error = e};
    enum err err = ERR_OK;
    if (rewrite && sqlite3_exec(sql, clear_all, NULL, NULL, NULL))
        err = db_error(sql, e, "store sessions");
    for (size_t i = 0; !err && i < STATEMENTS; i++)
        if (sqlite3_prepare_v2(sql, sql_of[i], -1, &w.stmt[i], NULL))
            err = db_error(sql, e, "store sessions");
    for (; !err && s; s = s->next) {
        err = write_sessions(&w, s);
        if (!err)
            err = write_wills(&w, s);
    }
    for (size_t i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(w.stmt[i]);
    if (!err && rewrite && sqlite3_exec(sql, sweep, NULL, NULL, NULL))
        err = db_error(sql, e, "store sessions");
    return err;
}

static struct mqtt_server *server_of(struct checkpoint *c)
{
    return CONTAINER_OF(c, struct mqtt_server, checkpoint);
}

static void failed(struct checkpoint *c)
{
    atomic_store(&server_of(c)->rewrite, true);
}

static const struct checkpoint_ops ops = {.gather = barrier_gather,
                                          .begin = barrier_begin,
                                          .write = write,
                                          .free = snapshot_free,
                                          .failed = failed,
                                          .stored = spill_stored};

enum err store_open(struct mqtt_server *s, struct error *e)
{
    const struct checkpoint_config cfg = {.name = "sessions",
                                          .ops = &ops,
                                          .apply = record_apply,
                                          .ex = s->cfg.ex,
                                          .journal = s->cfg.journal,
                                          .db = s->cfg.db,
                                          .alloc = s->alloc};
    enum err err = db_migrate(s->cfg.db, &migration, e);
    if (!err)
        err = checkpoint_init(&s->checkpoint, &cfg, e);
    return err ? err : store_load(s, e);
}
