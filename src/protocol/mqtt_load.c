/* Sessions out of the tables of mqtt_store.c, before the journal is replayed. */
#include "protocol/mqtt_broker.h"

#include <sqlite3.h>
#include <string.h>

struct load {
    struct db_job job;
    int broken; /* what SQLite said when it could not read a message; 0: nothing */
    struct mqtt_server *server;
    sqlite3_stmt *body; /* of one message */
    struct share_known known;
};

static struct str blob(sqlite3_stmt *s, int column)
{
    const char *p = sqlite3_column_blob(s, column);
    return (struct str){p, (size_t)sqlite3_column_bytes(s, column)};
}

static void load_session(struct load *l, sqlite3_stmt *q)
{
    struct mqtt_server *server = l->server;
    uint64_t number = (uint64_t)sqlite3_column_int64(q, 0);
    struct mqtt_session *s = session_new(shard_of(server, blob(q, 1)), blob(q, 1), number);
    if (!s) {
        LOG_E("mqtt", "the session of %.*s is lost: no room", STR_FMT(blob(q, 1)));
        return;
    }
    s->expiry_s = (uint32_t)sqlite3_column_int64(q, 2);
    s->offline_ms = sqlite3_column_int64(q, 3);
    s->next_id = (uint16_t)sqlite3_column_int(q, 4);
    const struct str received = blob(q, 5);
    if (!received_read(server->alloc, &s->transit->received,
                       (struct bytes){(const uint8_t *)received.p, received.n}))
        LOG_E("mqtt", "%.*s: no memory for its packet ids", STR_FMT(session_id(s)));
    server_number_seen(server, number);
}

static void load_will(struct load *l, sqlite3_stmt *q)
{
    const struct str body = blob(q, 2);
    will_restore(l->server, (uint64_t)sqlite3_column_int64(q, 0),
                 (struct bytes){(const uint8_t *)body.p, body.n}, sqlite3_column_int64(q, 1));
}

static struct mqtt_session *session_at(struct load *l, sqlite3_stmt *q)
{
    uint64_t number = (uint64_t)sqlite3_column_int64(q, 0);
    return map_get(&l->server->by_number, (struct str){(const char *)&number, sizeof(number)});
}

static void load_sub(struct load *l, sqlite3_stmt *q)
{
    struct mqtt_session *s = session_at(l, q);
    bool existed;
    if (!s)
        return;
    struct subscription sub = {.filter = blob(q, 1),
                               .subscriber = &s->subscriber,
                               .id = (uint32_t)sqlite3_column_int64(q, 3)};
    if (subscribe_one(s, &sub, (uint8_t)sqlite3_column_int(q, 2), &existed) >= MQTT_RC_UNSPECIFIED)
        LOG_E("mqtt", "%.*s: a subscription is lost: no room", STR_FMT(session_id(s)));
}

static bool read_ids(struct alloc *a, struct str ids, struct outgoing *o)
{
    uint32_t *list = &o->sub_id;
    size_t n = ids.n / sizeof(uint32_t);
    if (n == 0 || n > UINT16_MAX)
        return true;
    if (n > 1 && !(list = mem_new(a, n * sizeof(uint32_t))))
        return false;
    memcpy(list, ids.p, n * sizeof(uint32_t));
    if (n > 1)
        o->sub_ids = list;
    o->ids_n = (uint16_t)n;
    return true;
}

static struct message *decode(struct alloc *a, struct str body, uint64_t seq, int64_t wall_ms)
{
    return message_decode(a, (struct bytes){(const uint8_t *)body.p, body.n}, seq, wall_ms);
}

bool store_read_outgoing(struct alloc *a, struct sqlite3_stmt *q, int column, struct outgoing *out)
{
    *out = (struct outgoing){.qos = (uint8_t)sqlite3_column_int(q, column + 1),
                             .retain = sqlite3_column_int(q, column + 2)};
    if (!read_ids(a, blob(q, column + 3), out))
        return false;
    out->message = decode(a, blob(q, column + 5), (uint64_t)sqlite3_column_int64(q, column),
                          sqlite3_column_int64(q, column + 4));
    return out->message;
}

/* NULL: it is not there, or can't be read now: then nothing may be taken for lost. */
static struct message *body_of(struct load *l, uint64_t seq)
{
    struct message *m = NULL;
    sqlite3_bind_int64(l->body, 1, (sqlite3_int64)seq);
    int rc = sqlite3_step(l->body);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        l->broken = rc;
    if (rc == SQLITE_ROW)
        m = decode(l->server->alloc, blob(l->body, 1), seq, sqlite3_column_int64(l->body, 0));
    (void)sqlite3_reset(l->body);
    return m;
}

/* One with a packet id goes to the window, else to the queue. Takes the reference. False: lost. */
static bool load_one(struct mqtt_session *s, struct flight *f, int64_t position)
{
    bool placed = f->out.message || f->state == FLIGHT_RELEASED;
    if (placed && f->out.message)
        outgoing_hold(s, &f->out);
    message_unref(f->out.message); /* hold() took one more */
    if (placed)
        placed = f->id ? window_restore(s, f) : queue_restore(s, &f->out, position);
    if (!placed && f->out.message)
        outgoing_drop(s, &f->out);
    if (placed && !f->id)
        queue_count(s, &f->out, 1);
    s->transit->stored_to = position + 1;
    if (f->id && !s->transit->queue.n) /* the next one comes behind it */
        s->transit->queue_at = position + 1;
    return placed;
}

/* What is beyond the part of its queue that a session keeps in memory is only counted. */
static bool goes_to_memory(const struct mqtt_session *s)
{
    const struct mqtt_limits *l = s->shard->limits;
    return !s->transit->spill && s->transit->queue.n < l->queue_memory_max &&
           s->transit->queued_bytes - s->transit->flight_bytes < l->queue_memory_bytes_max;
}

static void load_queued(struct load *l, sqlite3_stmt *q)
{
    struct mqtt_session *s = session_at(l, q);
    int64_t position = sqlite3_column_int64(q, 1);
    struct flight f = {
        .seq = (uint64_t)sqlite3_column_int64(q, 2),
        .id = (uint16_t)sqlite3_column_int(q, 3),
        .state = (uint8_t)(sqlite3_column_int(q, 7) & 3),
        .out = {.qos = (uint8_t)sqlite3_column_int(q, 4), .retain = sqlite3_column_int(q, 5)}};
    bool placed;
    if (!s)
        return;
    if (f.seq > l->server->restored_to)
        l->server->restored_to = f.seq;
    f.out.share_id =
        share_id_of(l->server->cfg.bus, &l->known, (uint64_t)sqlite3_column_int64(q, 9));
    if (f.out.share_id && !f.id)
        shares_noted(s, f.seq, f.out.share_id);
    s->transit->shared = s->transit->shared || f.out.share_id;
    if (!f.id && !goes_to_memory(s)) {
        placed = spill_restore(s, position, (size_t)sqlite3_column_int64(q, 8));
    } else {
        if (f.state != FLIGHT_RELEASED && read_ids(l->server->alloc, blob(q, 6), &f.out))
            f.out.message = body_of(l, f.seq);
        placed = load_one(s, &f, position);
    }
    if (!placed && !l->broken)
        LOG_E("mqtt", "%.*s: message %llu is lost: no room", STR_FMT(session_id(s)),
              (unsigned long long)f.seq);
}

static enum err each_row(struct load *l, struct sqlite3 *sql, const char *text,
                         void (*row)(struct load *l, sqlite3_stmt *q))
{
    sqlite3_stmt *q = NULL;
    int rc = SQLITE_DONE;
    if (sqlite3_prepare_v2(sql, text, -1, &q, NULL))
        return db_error(sql, &l->job.error, "read sessions");
    while (!l->broken && (rc = sqlite3_step(q)) == SQLITE_ROW)
        row(l, q);
    sqlite3_finalize(q);
    if (l->broken)
        return error_set(&l->job.error, ERR_IO, "read sessions: %s", sqlite3_errstr(l->broken));
    return rc == SQLITE_DONE ? ERR_OK : db_error(sql, &l->job.error, "read sessions");
}

static enum err load(struct db_job *j, struct sqlite3 *sql)
{
    struct load *l = CONTAINER_OF(j, struct load, job);
    enum err err = each_row(
        l, sql, "SELECT number, client, expiry_s, offline_ms, next_id, received FROM session",
        load_session);
    if (!err)
        err = each_row(l, sql, "SELECT number, lost_ms, body FROM will", load_will);
    if (!err)
        err = each_row(l, sql, "SELECT session, filter, options, id FROM subscription", load_sub);
    if (!err && sqlite3_prepare_v2(sql, "SELECT wall_ms, body FROM queued_message WHERE seq = ?1",
                                   -1, &l->body, NULL))
        err = db_error(sql, &j->error, "read sessions");
    if (!err)
        err = each_row(
            l, sql,
            "SELECT session, position, seq, packet_id, qos, retain, ids, state, bytes, share"
            " FROM queued ORDER BY session, position",
            load_queued);
    sqlite3_finalize(l->body);
    return err;
}

enum err store_load(struct mqtt_server *s, struct error *e)
{
    struct load l = {.job = {.run = load}, .server = s};
    struct str key;
    void *value;
    enum err err = db_run_now(s->cfg.db, &l.job);
    if (err && e)
        *e = l.job.error;
    for (size_t at = 0; map_next(&s->by_number, &at, &key, &value);)
        ((struct mqtt_session *)value)->transit->new_in_db = false;
    return err;
}
