/* Queues that are too long for memory.
 *
 * A stored session keeps the beginning and the end of its queue in memory. The middle is where
 * every checkpoint has put it anyway: in the table `queued`, under its position. So nothing is
 * written twice: when a queue has grown too long a checkpoint is asked for, and once it has ended
 * well what it stored leaves memory. The beginning is filled up by the pool's readers, a batch at a
 * time. What is spilled is not looked at: it is counted, and waits. */
#include "protocol/mqtt_broker.h"

#include <sqlite3.h>
#include <string.h>

#define AGAIN_MS 1000 /* the database could not be read */

/* ---- out of memory, into the database ---- */

static void pressed(struct post *p)
{
    struct mqtt_server *s = CONTAINER_OF(p, struct mqtt_server, press);
    atomic_store(&s->pressing, false);
    checkpoint_now(&s->checkpoint);
}

/* A checkpoint, but not from here: a message may be on its way to other sessions. */
static void press(struct mqtt_server *s)
{
    if (worker_current() && !atomic_exchange(&s->pressing, true))
        worker_post(s->shards[0]->worker, &s->press, "mqtt queues are long", pressed);
}

/* What a session keeps in memory of each end of its queue. Less, when many have long ones, so that
 * what they share is not used up by the first who are away: a small part of what is left; and what
 * nobody can take away, its share of an eighth of all. */
static size_t memory_bytes_max(const struct mqtt_session *s)
{
    const struct mqtt_limits *l = s->shard->limits;
    const struct mqtt_server *server = s->shard->server;
    size_t all = queue_lasting_max(server), own = l->queue_total_bytes_max / 8 / l->sessions_max;
    size_t taken = atomic_load_explicit(&server->queue_lasting_bytes, memory_order_relaxed);
    size_t of_rest = taken < all ? (all - taken) / 512 : 0;
    size_t max = of_rest > own ? of_rest : own;
    return max < l->queue_memory_bytes_max ? max + 1 : l->queue_memory_bytes_max;
}

static bool crowded(const struct mqtt_session *s)
{
    const struct mqtt_limits *l = s->shard->limits;
    uint32_t n = s->transit->queue.n + (s->transit->spill ? s->transit->spill->tail.n : 0);
    size_t bytes = s->transit->queued_bytes - s->transit->flight_bytes;
    return n > 2 * l->queue_memory_max || (n > 2 && bytes > 2 * memory_bytes_max(s));
}

/* How many of the queue's first stay in memory. */
static uint32_t kept(const struct mqtt_session *s)
{
    const size_t n_max = s->shard->limits->queue_memory_max, bytes_max = memory_bytes_max(s);
    size_t bytes = 0;
    uint32_t i = 0;
    for (; i < s->transit->queue.n && i < n_max; i++) {
        const struct outgoing *o = ring_at(&s->transit->queue, i);
        bytes += o->message ? message_bytes(o->message) : 0;
        if (bytes > bytes_max)
            break;
    }
    return i ? i : 1;
}

/* It is in the database, or has to go: QoS 0 for a client that does not keep up. */
static void let_go(struct mqtt_session *s, struct outgoing *o)
{
    if (!o->message)
        return;
    if (o->qos && o->message->seq) {
        s->transit->spill->n++;
        s->transit->spill->bytes += message_bytes(o->message);
    } else {
        queue_tell(s, MQTT_DROP_QOS0_FULL);
        mqtt_dropped(s->shard, MQTT_DROP_QOS0_FULL);
        queue_count(s, o, -1);
    }
    outgoing_drop(s, o);
}

/* What is stored behind the kept ones goes, what is not stored yet becomes the tail. */
static void split(struct mqtt_session *s)
{
    struct alloc *a = s->shard->alloc;
    uint32_t keep = kept(s);
    int64_t stored = s->transit->stored_to - s->transit->queue_at;
    if (stored <= (int64_t)keep)
        return;
    struct spill *spill = mem_zero(a, sizeof(*spill));
    uint32_t rest = stored < s->transit->queue.n ? s->transit->queue.n - (uint32_t)stored : 0;
    if (!spill || !ring_reserve(a, &spill->tail, rest)) {
        mem_free(a, spill, sizeof(*spill));
        return;
    }
    s->transit->spill = spill;
    spill->tail_at = s->transit->stored_to;
    for (uint32_t i = keep; i < s->transit->queue.n; i++) {
        struct outgoing *o = ring_at(&s->transit->queue, i);
        if (s->transit->queue_at + i < s->transit->stored_to)
            let_go(s, o);
        else
            ring_push(&spill->tail, o);
    }
    s->transit->queue.n = keep;
}

static void shorten_tail(struct mqtt_session *s)
{
    struct spill *spill = s->transit->spill;
    while (spill->tail.n && spill->tail_at < s->transit->stored_to) {
        let_go(s, ring_at(&spill->tail, 0));
        spill->tail.head = (spill->tail.head + 1) & (spill->tail.cap - 1);
        spill->tail.n--;
        spill->tail_at++;
    }
}

void spill_some(struct mqtt_session *s)
{
    struct mqtt_server *server = s->shard->server;
    if (!crowded(s) || server->replaying)
        return;
    if (s->transit->stored_run &&
        s->transit->stored_run <= atomic_load(&server->checkpoint.stored)) {
        if (s->transit->spill)
            shorten_tail(s);
        else
            split(s);
    }
    bool more = s->transit->spill ? s->transit->spill->tail.n : s->transit->queue.n > kept(s);
    if (!more || !crowded(s)) /* what is left is its beginning */
        return;
    if (list_empty(&s->transit->crowded))
        list_add_tail(&s->shard->crowded, &s->transit->crowded);
    press(server);
}

/* Once each: those that are still crowded behind it are in the list again. */
static void spill_all(struct post *p)
{
    struct mqtt_shard *shard = CONTAINER_OF(p, struct mqtt_shard, spill);
    struct list now;
    atomic_store(&shard->spilling, false);
    list_init(&now);
    while (!list_empty(&shard->crowded))
        list_add_tail(&now, list_pop_head(&shard->crowded));
    while (!list_empty(&now))
        spill_some(CONTAINER_OF(list_pop_head(&now), struct transit, crowded)->session);
}

/* Who is away and gets nothing more would else keep in memory what waited for this run. */
void spill_stored(struct checkpoint *c)
{
    const struct mqtt_server *server = CONTAINER_OF(c, struct mqtt_server, checkpoint);
    for (unsigned i = 0; i < server->shards_n; i++) {
        struct mqtt_shard *shard = server->shards[i];
        if (!atomic_exchange(&shard->spilling, true))
            worker_post(shard->worker, &shard->spill, "mqtt queues leave memory", spill_all);
    }
}

/* ---- and back ---- */

struct loaded {
    struct outgoing out; /* its message has a reference that is not counted yet */
    int64_t position;
    uint64_t share; /* see bus_share_key() */
};
/* On its way: a reader of the database fills it, the session's worker takes it. */
struct spill_load {
    struct db_job job;
    struct mqtt_session *session; /* NULL: gone meanwhile */
    struct timer again;
    struct worker *worker;
    struct db *db;
    struct alloc *alloc;
    uint64_t number;
    int64_t from, to; /* positions */
    uint32_t max;
    size_t bytes, bytes_max; /* of the messages */
    VEC(struct loaded) rows;
};

static void load_free(struct spill_load *l)
{
    for (size_t i = 0; i < l->rows.n; i++) {
        outgoing_forget_ids(l->alloc, &l->rows.v[i].out);
        message_unref(l->rows.v[i].out.message);
    }
    vec_fini(l->alloc, &l->rows);
    timer_cancel(&l->again);
    mem_free(l->alloc, l, sizeof(*l));
}

static enum err take_row(struct spill_load *l, sqlite3_stmt *q)
{
    struct loaded x = {.position = sqlite3_column_int64(q, 0),
                       .share = (uint64_t)sqlite3_column_int64(q, 7)};
    bool read = store_read_outgoing(l->alloc, q, 1, &x.out);
    l->bytes += read ? message_bytes(x.out.message) : 0;
    if (read && vec_push(l->alloc, &l->rows, x))
        return ERR_OK;
    outgoing_forget_ids(l->alloc, &x.out);
    message_unref(x.out.message);
    return error_set(&l->job.error, ERR_NOMEM, "no memory for queued messages");
}

static enum err load_run(struct db_job *j, struct sqlite3 *sql)
{
    struct spill_load *l = CONTAINER_OF(j, struct spill_load, job);
    sqlite3_stmt *q = NULL;
    enum err err = ERR_OK;
    int rc = SQLITE_ROW;
    if (sqlite3_prepare_v2(
            sql,
            "SELECT position, seq, qos, retain, ids, wall_ms, body, share FROM queued"
            " JOIN queued_message USING(seq) WHERE session = ?1 AND position >= ?2"
            " AND position < ?3 AND packet_id = 0 ORDER BY position LIMIT ?4",
            -1, &q, NULL))
        return db_error(sql, &j->error, "read queued messages");
    sqlite3_bind_int64(q, 1, (sqlite3_int64)l->number);
    sqlite3_bind_int64(q, 2, l->from);
    sqlite3_bind_int64(q, 3, l->to);
    sqlite3_bind_int64(q, 4, l->max);
    while (!err && l->bytes < l->bytes_max && (rc = sqlite3_step(q)) == SQLITE_ROW)
        err = take_row(l, q);
    if (!err && rc != SQLITE_DONE && rc != SQLITE_ROW)
        err = db_error(sql, &j->error, "read queued messages");
    sqlite3_finalize(q);
    return err;
}

/* All is in memory again: one ring. */
static void merge(struct mqtt_session *s)
{
    const struct outgoing hole = {0};
    struct spill *spill = s->transit->spill;
    struct alloc *a = s->shard->alloc;
    if (!s->transit->queue.n) {
        ring_free(a, &s->transit->queue);
        s->transit->queue = spill->tail;
        s->transit->queue_at = spill->tail_at;
    } else {
        int64_t holes = spill->tail_at - (s->transit->queue_at + s->transit->queue.n);
        ASSERT(holes >= 0 && holes < UINT32_MAX / 4);
        if (!ring_reserve(a, &s->transit->queue, (uint32_t)holes + spill->tail.n))
            return; /* again when the next message has left */
        for (; holes > 0; holes--)
            ring_push(&s->transit->queue, &hole);
        for (uint32_t i = 0; i < spill->tail.n; i++)
            ring_push(&s->transit->queue, ring_at(&spill->tail, i));
        ring_free(a, &spill->tail);
    }
    s->transit->spill = NULL;
    mem_free(a, spill, sizeof(*spill));
    queue_skip_holes(s);
}

/* What should be there is not: a table was damaged. */
static void missed(struct mqtt_session *s)
{
    LOG_E("mqtt", "%.*s: %u queued messages are not in the database any more",
          STR_FMT(session_id(s)), s->transit->spill->n);
    const struct outgoing any = {.qos = 1};
    for (; s->transit->spill->n; s->transit->spill->n--)
        queue_count(s, &any, -1);
}

static void append_rows(struct mqtt_session *s, struct spill_load *l)
{
    struct spill *spill = s->transit->spill;
    struct share_known known = {0};
    for (size_t i = 0; i < l->rows.n; i++) {
        struct outgoing *o = &l->rows.v[i].out;
        o->share_id = share_id_of(s->shard->bus, &known, l->rows.v[i].share);
        size_t bytes = message_bytes(o->message);
        if (!queue_restore(s, o, l->rows.v[i].position)) {
            LOG_E("mqtt", "%.*s: a queued message is lost: no memory", STR_FMT(session_id(s)));
            queue_count(s, o, -1);
            outgoing_forget_ids(l->alloc, o);
        } else {
            outgoing_hold(s, o);
        }
        message_unref(o->message); /* hold() took one more */
        spill->bytes -= bytes < spill->bytes ? bytes : spill->bytes;
        spill->n -= spill->n > 0;
    }
    if (l->rows.n < l->max && l->bytes < l->bytes_max && l->to == spill->tail_at && spill->n)
        missed(s);
    l->rows.n = 0;
    if (!spill->n)
        merge(s);
}

static void load_submit(struct spill_load *l)
{
    if (db_submit(l->db, l->worker, &l->job))
        timer_set_after_ms(&l->again, AGAIN_MS);
}

static void load_again(struct timer *t)
{
    struct spill_load *l = CONTAINER_OF(t, struct spill_load, again);
    load_submit(l);
}

static void loaded(struct db_job *j)
{
    struct spill_load *l = CONTAINER_OF(j, struct spill_load, job);
    struct mqtt_session *s = l->session;
    if (s && j->result) {
        LOG_W("mqtt", "%.*s: its queue can't be read: %s", STR_FMT(session_id(s)), j->error.text);
        timer_set_after_ms(&l->again, AGAIN_MS);
        return;
    }
    if (s) {
        s->transit->spill->load = NULL;
        append_rows(s, l);
        if (s->connection)
            task_wake(&s->connection->task);
        if (session_is_lingering(s))
            linger_wake(s->shard);
        if (s->transit->spill)
            spill_refill(s);
    }
    load_free(l);
}

static struct spill_load *load_new(struct mqtt_session *s)
{
    struct mqtt_server *server = s->shard->server;
    struct spill_load *l = mem_zero(server->alloc, sizeof(*l));
    if (!l)
        return NULL;
    *l = (struct spill_load){.job = {.run = load_run, .done = loaded},
                             .session = s,
                             .worker = s->shard->worker,
                             .db = server->cfg.db,
                             .alloc = server->alloc,
                             .number = session_number(s),
                             .from = s->transit->queue_at + s->transit->queue.n,
                             .to = s->transit->spill->tail_at,
                             .max = (uint32_t)s->shard->limits->queue_memory_max,
                             .bytes_max = memory_bytes_max(s)};
    timer_init(&l->again, l->worker, load_again);
    return l;
}

void spill_refill(struct mqtt_session *s)
{
    struct spill *spill = s->transit->spill;
    bool short_of = s->transit->queue.n <= s->shard->limits->queue_memory_max / 2 &&
                    s->transit->queued_bytes - s->transit->flight_bytes <= memory_bytes_max(s);
    if (spill->load || (s->transit->queue.n && !short_of) || !worker_current())
        return;
    if (!spill->n)
        merge(s);
    else if ((spill->load = load_new(s)))
        load_submit(spill->load);
}

void spill_moved(struct mqtt_session *s)
{
    if (s->transit->spill->load)
        s->transit->spill->load->session = s;
}

void spill_free(struct mqtt_session *s)
{
    const struct outgoing any = {.qos = 1};
    struct spill *spill = s->transit->spill;
    if (spill->load && timer_armed(&spill->load->again))
        load_free(spill->load);
    else if (spill->load)
        spill->load->session = NULL; /* the database calls loaded() */
    for (; spill->n; spill->n--)
        queue_count(s, &any, -1);
    for (uint32_t i = 0; i < spill->tail.n; i++) {
        struct outgoing *o = ring_at(&spill->tail, i);
        if (!o->message)
            continue;
        queue_count(s, o, -1);
        outgoing_drop(s, o);
    }
    ring_free(s->shard->alloc, &spill->tail);
    mem_free(s->shard->alloc, spill, sizeof(*spill));
    s->transit->spill = NULL;
}

/* ---- start and replay ---- */

bool spill_refill_now(struct mqtt_session *s)
{
    struct spill_load *l = load_new(s);
    bool more = l && db_run_now(l->db, &l->job) == ERR_OK;
    if (more)
        append_rows(s, l);
    else
        LOG_E("mqtt", "%.*s: its queue can't be read: %s", STR_FMT(session_id(s)),
              l ? l->job.error.text : "no memory");
    if (l)
        load_free(l);
    return more;
}

struct look {
    struct db_job job;
    uint64_t number, seq;
    bool found;
};

static enum err look_run(struct db_job *j, struct sqlite3 *sql)
{
    struct look *l = CONTAINER_OF(j, struct look, job);
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(sql, "SELECT 1 FROM queued WHERE seq = ?1 AND session = ?2", -1, &q,
                           NULL))
        return db_error(sql, &j->error, "look for a queued message");
    sqlite3_bind_int64(q, 1, (sqlite3_int64)l->seq);
    sqlite3_bind_int64(q, 2, (sqlite3_int64)l->number);
    l->found = sqlite3_step(q) == SQLITE_ROW;
    sqlite3_finalize(q);
    return ERR_OK;
}

bool spill_holds(const struct mqtt_session *s, uint64_t seq)
{
    struct look l = {.job = {.run = look_run}, .number = session_number(s), .seq = seq};
    return db_run_now(s->shard->server->cfg.db, &l.job) == ERR_OK && l.found;
}

bool spill_restore(struct mqtt_session *s, int64_t position, size_t bytes)
{
    const struct outgoing any = {.qos = 1};
    if (!s->transit->spill &&
        !(s->transit->spill = mem_zero(s->shard->alloc, sizeof(*s->transit->spill))))
        return false;
    s->transit->spill->n++;
    s->transit->spill->bytes += bytes;
    s->transit->spill->tail_at = s->transit->stored_to = position + 1;
    queue_count(s, &any, 1);
    return true;
}
