/* The tables of sessions. A run writes what has changed: the sessions, all subscriptions of those
 * whose subscriptions changed, the messages in flight, and what has come into queues since the
 * last run; what has left a queue is below its head and goes by position. */
#include "protocol/mqtt_broker.h"

#include <sqlite3.h>
#include <string.h>

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
};
static const struct db_migration migration = {"mqtt", steps, ARRAY_LEN(steps)};

/* ---- the snapshot ---- */

struct saved_sub {
    struct str filter; /* owned */
    uint8_t options;
    uint32_t id;
};
struct saved_message {
    struct flight flight; /* its message is referenced, its ids are a copy; id 0: it has none */
    int64_t position;
    uint64_t share; /* see bus_share_key() */
};
struct saved_session {
    uint64_t number;
    struct str client_id; /* owned */
    uint32_t expiry_s;
    int64_t offline_ms;
    uint16_t next_id;
    bool subs_too;
    bool requeue;          /* all of its queue is here, but what is spilled */
    int64_t head;          /* positions below have left the queue */
    int64_t spilled, tail; /* from the first up to the second the rows are all there is */
    uint8_t *received;
    size_t received_n;
    VEC(struct saved_sub) subs;
    VEC(struct saved_message) messages;
};
struct snapshot {
    struct snapshot *next; /* of another worker */
    struct alloc *alloc;
    VEC(struct saved_session) sessions;
    VEC(uint64_t) ended;
    bool rewrite, nomem;
};

static struct str copy_str(struct snapshot *s, struct str from)
{
    char *p = mem_new(s->alloc, from.n ? from.n : 1);
    if (!p) {
        s->nomem = true;
        return (struct str){NULL, 0};
    }
    if (from.n)
        memcpy(p, from.p, from.n);
    return (struct str){p, from.n};
}

static void free_str(struct snapshot *s, struct str x)
{
    mem_free(s->alloc, (void *)(uintptr_t)x.p, x.n ? x.n : 1);
}

static void free_message(struct snapshot *s, struct saved_message *m)
{
    outgoing_forget_ids(s->alloc, &m->flight.out);
    message_unref(m->flight.out.message);
}

static void part_free(struct snapshot *s)
{
    for (size_t i = 0; i < s->sessions.n; i++) {
        struct saved_session *x = &s->sessions.v[i];
        for (size_t k = 0; k < x->subs.n; k++)
            free_str(s, x->subs.v[k].filter);
        for (size_t k = 0; k < x->messages.n; k++)
            free_message(s, &x->messages.v[k]);
        vec_fini(s->alloc, &x->subs);
        vec_fini(s->alloc, &x->messages);
        mem_free(s->alloc, x->received, x->received_n);
        free_str(s, x->client_id);
    }
    vec_fini(s->alloc, &s->sessions);
    vec_fini(s->alloc, &s->ended);
    mem_free(s->alloc, s, sizeof(*s));
}

static void snapshot_free(void *p)
{
    for (struct snapshot *s = p, *next; s; s = next) {
        next = s->next;
        part_free(s);
    }
}

struct saving {
    struct snapshot *snapshot;
    struct saved_session *session;
    struct bus *bus;
};

/* As the client wrote it. */
static struct str copy_filter(struct snapshot *s, const struct subscription *sub)
{
    static const struct str prefix = {"$share/", 7};
    if (!sub->share.n)
        return copy_str(s, sub->filter);
    struct str out = {NULL, prefix.n + sub->share.n + 1 + sub->filter.n};
    char *room = mem_new(s->alloc, out.n);
    struct writer w = writer_from(room, room ? out.n : 0);
    writer_bytes(&w, prefix.p, prefix.n);
    writer_bytes(&w, sub->share.p, sub->share.n);
    writer_u8(&w, '/');
    writer_bytes(&w, sub->filter.p, sub->filter.n);
    s->nomem = s->nomem || !room;
    out.p = room;
    return out;
}

static void save_sub(void *ctx, const struct subscription *sub)
{
    struct saving *to = ctx;
    struct saved_sub x = {
        .filter = copy_filter(to->snapshot, sub),
        .options = (uint8_t)(sub->qos | (sub->no_local ? MQTT_SUB_NO_LOCAL : 0) |
                             (sub->retain_as_published ? MQTT_SUB_RETAIN_AS_PUBLISHED : 0)),
        .id = sub->id};
    if (x.filter.p && !vec_push(to->snapshot->alloc, &to->session->subs, x)) {
        free_str(to->snapshot, x.filter);
        to->snapshot->nomem = true;
    }
}

static bool copy_ids(struct alloc *a, struct outgoing *o)
{
    uint32_t *copy;
    if (o->ids_n < 2)
        return true;
    if (!(copy = mem_new(a, o->ids_n * sizeof(*copy))))
        return false;
    memcpy(copy, o->sub_ids, o->ids_n * sizeof(*copy));
    o->sub_ids = copy;
    return true;
}

static void save_message(struct saving *to, const struct flight *f, int64_t position)
{
    struct alloc *a = to->snapshot->alloc;
    struct saved_message x = {.flight = *f,
                              .position = position,
                              .share =
                                  f->out.share_id ? bus_share_key(to->bus, f->out.share_id) : 0};
    if (!f->seq)
        return; /* QoS 0 does not outlive us */
    if (!copy_ids(a, &x.flight.out)) {
        to->snapshot->nomem = true;
        return;
    }
    if (x.flight.out.message)
        message_ref(x.flight.out.message);
    if (!vec_push(a, &to->session->messages, x)) {
        free_message(to->snapshot, &x);
        to->snapshot->nomem = true;
    }
}

static void save_received(struct snapshot *snapshot, struct saved_session *x,
                          const struct received *r)
{
    size_t n = 2 * r->ids.n;
    x->received = n ? mem_new(snapshot->alloc, n) : NULL;
    if (!n)
        return;
    if (!x->received) {
        snapshot->nomem = true;
        return;
    }
    x->received_n = n;
    struct writer w = writer_from(x->received, n);
    received_write(r, &w);
}

/* Those of a ring from `from` on; its first is at position `at`. */
static void save_queued(struct saving *to, const struct outgoing_ring *r, int64_t at, int64_t from)
{
    for (int64_t i = from > at ? from - at : 0; i < r->n; i++) {
        struct flight f = {.out = *ring_at(r, (uint32_t)i)};
        f.seq = f.out.message && f.out.qos ? f.out.message->seq : 0;
        save_message(to, &f, at + i);
    }
}

static void save_messages(struct saving *to, struct mqtt_session *s, bool all)
{
    for (uint32_t i = 0; i < s->transit->flight.n; i++) {
        const struct flight *f = flight_at(&s->transit->flight, i);
        if (f->state != FLIGHT_DONE)
            save_message(to, f, s->transit->queue_at - s->transit->flight.n + i);
    }
    save_queued(to, &s->transit->queue, s->transit->queue_at,
                all ? INT64_MIN : s->transit->stored_to);
    if (s->transit->spill)
        save_queued(to, &s->transit->spill->tail, s->transit->spill->tail_at,
                    all ? INT64_MIN : s->transit->stored_to);
}

static void save_session(struct snapshot *snapshot, struct mqtt_session *s, bool all)
{
    struct saved_session x = {.number = s->number,
                              .client_id = copy_str(snapshot, session_id(s)),
                              .expiry_s = s->expiry_s,
                              .offline_ms = s->offline_ms,
                              .next_id = s->next_id,
                              .subs_too = all || s->transit->subs_dirty,
                              .requeue = all || s->transit->requeue,
                              .head = s->transit->queue_at,
                              .spilled = s->transit->queue_at + s->transit->queue.n,
                              .tail = s->transit->spill
                                          ? s->transit->spill->tail_at
                                          : s->transit->queue_at + s->transit->queue.n};
    if (!x.client_id.p)
        return;
    if (!vec_push(snapshot->alloc, &snapshot->sessions, x)) {
        free_str(snapshot, x.client_id);
        snapshot->nomem = true;
        return;
    }
    struct saving to = {snapshot, &snapshot->sessions.v[snapshot->sessions.n - 1], s->shard->bus};
    if (x.subs_too)
        bus_subscriptions_each(&s->subscriber, save_sub, &to);
    save_received(snapshot, to.session, &s->transit->received);
    save_messages(&to, s, x.requeue);
    s->transit->requeue = false;
    s->transit->stored_to = queue_end(s);
    s->transit->stored_run = atomic_load(&s->shard->server->checkpoint.begun);
}

static struct mqtt_server *server_of(struct checkpoint *c)
{
    return CONTAINER_OF(c, struct mqtt_server, checkpoint);
}

static void saved(struct mqtt_session *s)
{
    s->transit->subs_dirty = false;
    s->transit->new_in_db = false;
    list_del(&s->transit->dirty);
}

void *store_part(struct mqtt_shard *shard, bool all)
{
    struct snapshot *s = mem_zero(shard->alloc, sizeof(*s));
    struct table_at at = {0};
    if (!s)
        return NULL;
    s->alloc = shard->alloc;
    s->rewrite = all;
    for (struct mqtt_session *x; all && (x = session_next(shard, &at));)
        if (session_stored(x))
            save_session(s, x, true);
    if (!all)
        LIST_EACH(&shard->dirty, it)
    save_session(s, CONTAINER_OF(it, struct transit, dirty)->session, false);
    for (size_t i = 0; i < shard->ended.n; i++)
        if (!vec_push(s->alloc, &s->ended, shard->ended.v[i]))
            s->nomem = true;
    if (s->nomem) {
        snapshot_free(s);
        return NULL;
    }
    LIST_EACH_SAFE(&shard->dirty, it)
    saved(CONTAINER_OF(it, struct transit, dirty)->session);
    shard->ended.n = 0;
    return s;
}

void *store_join(struct mqtt_server *server, void *const *parts, unsigned n)
{
    struct snapshot *first = NULL;
    bool whole = true;
    for (unsigned i = 0; i < n; i++) {
        struct snapshot *part = parts[i];
        if (!part) {
            whole = false;
            continue;
        }
        part->next = first;
        first = part;
    }
    if (whole)
        return first;
    atomic_store(&server->rewrite, true);
    snapshot_free(first);
    return NULL;
}

void store_part_free(void *part)
{
    snapshot_free(part);
}

static void failed(struct checkpoint *c)
{
    atomic_store(&server_of(c)->rewrite, true);
}

/* ---- to the database ---- */

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
    struct message_head head;
    struct iovec parts[MESSAGE_PARTS];
    (void)message_record(m, &(struct message_origin){0}, &head, parts);
    size_t n = parts[0].iov_len + parts[3].iov_len; /* without an origin */
    uint8_t *body = sqlite3_malloc64(n);
    if (!body)
        return error_set(w->error, ERR_NOMEM, "no memory for a queued message");
    memcpy(body, parts[0].iov_base, parts[0].iov_len);
    memcpy(body + parts[0].iov_len, parts[3].iov_base, parts[3].iov_len);
    sqlite3_stmt *s = w->stmt[PUT_MESSAGE];
    sqlite3_bind_int64(s, 1, (sqlite3_int64)m->seq);
    sqlite3_bind_int64(s, 2, m->wall_ms);
    sqlite3_bind_blob64(s, 3, body, n, sqlite3_free);
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
static const char clear_all[] = "DELETE FROM session; DELETE FROM subscription";
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
    for (; !err && s; s = s->next)
        err = write_sessions(&w, s);
    for (size_t i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(w.stmt[i]);
    if (!err && rewrite && sqlite3_exec(sql, sweep, NULL, NULL, NULL))
        err = db_error(sql, e, "store sessions");
    return err;
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
