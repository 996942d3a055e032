/* Sessions out of the tables of mqtt_store.c, before the journal is replayed. */
#include "protocol/mqtt_broker.h"

#include <sqlite3.h>
#include <string.h>

struct load {
    struct db_job job;
    struct mqtt_server *server;
};

static struct str blob(sqlite3_stmt *s, int column)
{
    const char *p = sqlite3_column_blob(s, column);
    return (struct str){p, (size_t)sqlite3_column_bytes(s, column)};
}

static void load_session(struct mqtt_server *server, sqlite3_stmt *q)
{
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
    if (!received_read(server->alloc, &s->received,
                       (struct bytes){(const uint8_t *)received.p, received.n}))
        LOG_E("mqtt", "%.*s: no memory for its packet ids", STR_FMT(s->client_id));
    server_number_seen(server, number);
}

static struct mqtt_session *session_at(struct mqtt_server *server, sqlite3_stmt *q)
{
    uint64_t number = (uint64_t)sqlite3_column_int64(q, 0);
    return map_get(&server->by_number, (struct str){(const char *)&number, sizeof(number)});
}

static void load_sub(struct mqtt_server *server, sqlite3_stmt *q)
{
    struct mqtt_session *s = session_at(server, q);
    bool existed;
    if (!s)
        return;
    struct subscription sub = {.filter = blob(q, 1),
                               .subscriber = &s->subscriber,
                               .id = (uint32_t)sqlite3_column_int64(q, 3)};
    if (subscribe_one(s, &sub, (uint8_t)sqlite3_column_int(q, 2), &existed) >= MQTT_RC_UNSPECIFIED)
        LOG_E("mqtt", "%.*s: a subscription is lost: no room", STR_FMT(s->client_id));
}

static void load_ids(struct mqtt_server *server, sqlite3_stmt *q, struct outgoing *o)
{
    struct str ids = blob(q, 5);
    uint32_t *list = &o->sub_id;
    size_t n = ids.n / sizeof(uint32_t);
    if (n == 0 || n > UINT16_MAX)
        return;
    if (n > 1 && !(list = mem_new(server->alloc, n * sizeof(uint32_t))))
        return; /* then they are not listed */
    memcpy(list, ids.p, n * sizeof(uint32_t));
    if (n > 1)
        o->sub_ids = list;
    o->ids_n = (uint16_t)n;
}

/* One with a packet id goes to the window, else to the queue. Takes the reference. False: lost. */
static bool load_one(struct mqtt_session *s, struct flight *f)
{
    bool placed = f->out.message || f->state == FLIGHT_RELEASED;
    if (placed && f->out.message)
        outgoing_hold(s, &f->out);
    message_unref(f->out.message); /* hold() took one more */
    if (placed)
        placed = f->id ? window_restore(s, f) : queue_restore(s, &f->out);
    if (!placed && f->out.message)
        outgoing_drop(s, &f->out);
    return placed;
}

static void load_queued(struct mqtt_server *server, sqlite3_stmt *q)
{
    struct mqtt_session *s = session_at(server, q);
    struct str body = blob(q, 7);
    struct flight f = {
        .seq = (uint64_t)sqlite3_column_int64(q, 1),
        .id = (uint16_t)sqlite3_column_int(q, 2),
        .state = (uint8_t)(sqlite3_column_int(q, 8) & 3),
        .out = {.qos = (uint8_t)sqlite3_column_int(q, 3), .retain = sqlite3_column_int(q, 4)}};
    if (!s)
        return;
    if (f.state != FLIGHT_RELEASED) {
        f.out.message =
            message_decode(server->alloc, (struct bytes){(const uint8_t *)body.p, body.n}, f.seq,
                           sqlite3_column_int64(q, 6));
        load_ids(server, q, &f.out);
    }
    if (f.seq > server->restored_to)
        server->restored_to = f.seq;
    if (!load_one(s, &f))
        LOG_E("mqtt", "%.*s: message %llu is lost: no room", STR_FMT(s->client_id),
              (unsigned long long)f.seq);
}

static enum err each_row(struct load *l, struct sqlite3 *sql, const char *text,
                         void (*row)(struct mqtt_server *server, sqlite3_stmt *q))
{
    sqlite3_stmt *q = NULL;
    int rc;
    if (sqlite3_prepare_v2(sql, text, -1, &q, NULL))
        return db_error(sql, &l->job.error, "read sessions");
    while ((rc = sqlite3_step(q)) == SQLITE_ROW)
        row(l->server, q);
    sqlite3_finalize(q);
    return rc == SQLITE_DONE ? ERR_OK : db_error(sql, &l->job.error, "read sessions");
}

static enum err load(struct db_job *j, struct sqlite3 *sql)
{
    struct load *l = CONTAINER_OF(j, struct load, job);
    enum err err = each_row(
        l, sql, "SELECT number, client, expiry_s, offline_ms, next_id, received FROM session",
        load_session);
    if (!err)
        err = each_row(l, sql, "SELECT session, filter, options, id FROM subscription", load_sub);
    if (!err)
        err =
            each_row(l, sql,
                     "SELECT session, seq, packet_id, qos, retain, ids, wall_ms, body, state"
                     " FROM queued LEFT JOIN queued_message USING(seq) ORDER BY session, position",
                     load_queued);
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
    /* Positions begin anew, so all is written once: the rows still have those of the last run. */
    atomic_store(&s->rewrite, true);
    for (size_t at = 0; map_next(&s->by_number, &at, &key, &value);)
        ((struct mqtt_session *)value)->new_in_db = false;
    return err;
}
