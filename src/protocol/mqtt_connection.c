#include "protocol/mqtt_broker.h"

#include <string.h>

#define LINGER_MS       1000
#define ROOM_RESERVED   (64u << 10) /* for acknowledgements; messages leave it free */
#define WRITE_LOW       (64u << 10)
#define ANSWERS_MAX(c)  (4u * (c)->shard->limits->receive_max) /* that wait for their turn */
#define CROWDED_TELL_NS INT64_C(60000000000)
#define HELLO_MAX       (256u << 10) /* a CONNECT: nobody is known yet */

/* The server stops: who has been answered is told so. */
static void maybe_leave(struct mqtt_connection *c)
{
    if (c->shard->stopping && (c->state != CONNECTION_OPEN || !pending_count(c)))
        connection_close(c, MQTT_RC_SERVER_SHUTTING_DOWN, NULL);
}

static enum poll connection_poll(struct task *t);

static void connection_finished(struct task *t)
{
    connection_free(CONTAINER_OF(t, struct mqtt_connection, task));
}

/* ---- life ---- */

/* A line a minute and worker, and a number in the metrics for each. */
static void tell_crowded(struct mqtt_shard *shard)
{
    int64_t now = worker_now_ns(shard->worker);
    if (shard->crowded_told_ns && now - shard->crowded_told_ns < CROWDED_TELL_NS)
        return;
    shard->crowded_told_ns = now;
    LOG_W("mqtt", "no more connections are taken: there are %zu, as many as the limits allow",
          shard->limits->connections_max);
}

void connection_new(const struct mqtt_gate *gate, struct stream *stream, bool counted)
{
    struct mqtt_shard *shard = gate->shard;
    struct mqtt_connection *c = NULL;
    if (!counted)
        counted = count_take(&shard->server->connections, shard->limits->connections_max);
    if (!counted)
        tell_crowded(shard);
    if (counted && !(c = mem_zero(shard->alloc, sizeof(*c))))
        count_give(&shard->server->connections);
    if (!c) {
        metric_add_own(&shard->count.refused, 1);
        stream_close(stream);
        return;
    }
    c->shard = shard;
    c->listener = gate->listener->number;
    c->stream = stream;
    c->problem_info = true;
    task_init(&c->task, "mqtt", connection_poll, connection_finished);
    list_init(&c->link);
    metric_add_own(&shard->count.connections, 1);
    const struct stream_limits limits = {.read_max = shard->limits->packet_size_max + ROOM_RESERVED,
                                         .write_max = connection_write_max(c),
                                         .write_low = WRITE_LOW};
    stream_set_limits(stream, &limits);
    stream_bind(stream, &c->task);
    connection_watch(c);
    task_spawn(shard->worker, &c->task);
}

void connection_free(struct mqtt_connection *c)
{
    struct mqtt_shard *shard = c->shard;
    ASSERT(c->state == CONNECTION_CLOSED);
    list_del(&c->link);
    if (!c->moved)
        count_give(&shard->server->connections);
    metric_add_own(&shard->count.connections, -1);
    mem_free(shard->alloc, c, sizeof(*c));
}

bool connection_move(struct mqtt_connection *c, const struct mqtt_shard *home)
{
    /* We have said nothing. Layers may have: what of that still waits (TLS tickets, the answer of a
     * WebSocket) goes along. */
    ASSERT(c->state == CONNECTION_NEW);
    struct mqtt_listener *l = connection_listener(c);
    if (!l || stream_move(c->stream, home->worker, listener_arrived, &l->gates[home->index]))
        return false;
    c->stream = NULL;
    c->moved = true;
    c->state = CONNECTION_CLOSED;
    task_wake(&c->task);
    return true;
}

void connection_abandon(struct mqtt_connection *c)
{
    connection_close(c, MQTT_RC_SERVER_SHUTTING_DOWN, NULL);
    connection_free(c);
}

void connection_kick(struct mqtt_connection *c, uint8_t reason)
{
    if (c->state == CONNECTION_CLOSED)
        return;
    if (!c->kick)
        c->kick = reason;
    task_wake(&c->task);
}

static void say_goodbye(struct mqtt_connection *c, uint8_t reason)
{
    const struct mqtt_packet p = {.type = MQTT_DISCONNECT, .end = {.reason = reason}};
    uint8_t bytes[16];
    struct writer w = writer_from(bytes, sizeof(bytes));
    if (mqtt_encode(MQTT_V5, &p, &w) == ERR_OK)
        (void)connection_write(c, bytes, writer_len(&w));
}

/* What the end of the connection means for its session and its will. `accepted`: CONNACK said so;
 * before, there is no will yet. */
static void leave_session(struct mqtt_connection *c, bool accepted)
{
    struct mqtt_session *session = c->session;
    struct will *will = c->will;
    c->session = NULL;
    c->will = NULL;
    if (session)
        session_detach(session);
    if (will && accepted) {
        will->publisher_id = session->subscriber.publisher_id;
        will_schedule(c->shard, will, session->expiry_s ? session : NULL);
    } else {
        will_refused(c->shard, will);
    }
    if (session && !session->expiry_s) {
        uint64_t seq = 0;
        if (session_stored(session) && record_gone(session, &seq))
            LOG_W("mqtt", "the end of a session could not be noted in the journal");
        session_end(session);
    } else if (session) {
        record_offline(session);
    }
}

void connection_close(struct mqtt_connection *c, uint8_t reason, const char *why)
{
    if (c->state == CONNECTION_CLOSED)
        return;
    if (reason && c->state == CONNECTION_OPEN && c->version == MQTT_V5)
        say_goodbye(c, reason);
    if (reason && c->session) /* a client that does something wrong is the operator's concern */
        log_write(why ? LOG_INFO : LOG_DEBUG, "mqtt", "%.*s: closed: %s",
                  STR_FMT(session_id(c->session)), why ? why : mqtt_reason_name(reason));
    bool accepted = c->state == CONNECTION_OPEN;
    if (accepted)
        aliases_free(c);
    else
        hello_free(c);
    c->state = CONNECTION_CLOSED;
    auth_free(c);
    pending_free(c);
    leave_session(c, accepted); /* first: who lists the session's connection looks at the stream */
    stream_finish(c->stream, LINGER_MS);
    c->stream = NULL;
    connection_forget_user(c);
    task_wake(&c->task);
}

/* ---- writing ---- */

bool connection_room(const struct mqtt_connection *c, size_t n)
{
    return stream_write_room(c->stream) >= n + ROOM_RESERVED ||
           stream_write_pending(c->stream) == 0;
}

/* When the stream wakes us it holds no more than WRITE_LOW, and there must be room then for the
 * largest message, with what is added to it on its way, or nobody would wake us again. */
size_t connection_write_max(const struct mqtt_connection *c)
{
    return 2 * (size_t)c->shard->limits->packet_size_max + 2 * ROOM_RESERVED + WRITE_LOW;
}

bool connection_write(struct mqtt_connection *c, const void *p, size_t n)
{
    if (!c->stream || stream_write(c->stream, p, n))
        return false;
    shard_sent(c->shard, 1, n);
    return true;
}

bool connection_put(struct mqtt_connection *c, const struct mqtt_packet *p)
{
    size_t n = mqtt_encoded_size(c->version, p);
    if (!c->stream)
        return false;
    uint8_t *at = n ? stream_reserve(c->stream, n) : NULL;
    if (at) {
        struct writer w = writer_from(at, n);
        if (mqtt_encode(c->version, p, &w) != ERR_OK)
            w.p = w.start;
        stream_commit(c->stream, writer_len(&w));
        shard_sent(c->shard, 1, writer_len(&w));
        return true;
    }
    connection_close(c, MQTT_RC_QUOTA_EXCEEDED, "answers are not being read");
    return false;
}

/* ---- reading ---- */

enum handled connection_stop(struct mqtt_connection *c, uint8_t reason, const char *why)
{
    metric_add_own(&c->shard->count.errors, 1);
    connection_close(c, reason, why);
    return HANDLED_STOP;
}

static enum handled handle(struct mqtt_connection *c, const struct mqtt_packet *p)
{
    packet_handler h = mqtt_handler(c->state, p->type);
    if (pending_count(c) >= ANSWERS_MAX(c)) /* some must leave first, whatever it asks */
        return HANDLED_AGAIN;
    if (h)
        return h(c, p);
    return connection_stop(c, MQTT_RC_PROTOCOL_ERROR, "this packet is not allowed now");
}

/* What comes to the wrong port is told by its first bytes; NULL: nothing that we know. */
static const char *foreign(struct bytes in)
{
    static const struct {
        const char *begins, *text;
    } known[] = {
        {"\x16\x03", "it speaks TLS, and this listener is a plain one"},
        {"GET ", "it speaks HTTP, and this listener plain MQTT"},
        {"POST", "it speaks HTTP, and this listener plain MQTT"},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        size_t n = strlen(known[i].begins);
        if (in.n >= n && memcmp(in.p, known[i].begins, n) == 0)
            return known[i].text;
    }
    return NULL;
}

static enum handled refuse_packet(struct mqtt_connection *c, const struct mqtt_packet *p,
                                  struct bytes in)
{
    const char *other = c->state == CONNECTION_NEW ? foreign(in) : NULL;
    metric_add_own(&c->shard->count.errors, 1);
    if (c->state == CONNECTION_NEW)
        connect_refuse(c, p->fault.answer, p->fault.reason, other ? other : p->fault.text);
    else
        connection_close(c, p->fault.reason, p->fault.text);
    return HANDLED_STOP;
}

/* What is published next lies in `in` already: its topics are told to the bus, some at a time. How
 * far that went. */
static size_t look_ahead(const struct mqtt_connection *c, struct bytes in)
{
    struct str topics[BUS_EXPECT_MAX], topic;
    size_t n = 0, at = 0, size = 1;
    while (size && n < BUS_EXPECT_MAX) {
        size = mqtt_glance((struct bytes){in.p + at, in.n - at}, &topic);
        at += size;
        if (topic.n)
            topics[n++] = topic;
    }
    if (n > 1)
        bus_expect(c->shard->bus, topics, n);
    return at;
}

/* Handles whole packets from `in`; *used: how far it came. */
static enum handled handle_all(struct mqtt_connection *c, struct bytes in, size_t *used)
{
    enum handled h = HANDLED;
    size_t expected = 0; /* so far ahead has been looked */
    *used = 0;
    while (h == HANDLED && *used < in.n) {
        if (!connection_room(c, 0)) {
            c->starved = true; /* the stream wakes us when it has sent enough */
            return HANDLED_AGAIN;
        }
        const struct mqtt_decoder d = {.version = c->version,
                                       .is_server = true,
                                       .size_max = c->state == CONNECTION_OPEN
                                                       ? c->shard->limits->packet_size_max
                                                       : HELLO_MAX};
        struct mqtt_packet p;
        size_t n = 0;
        const struct bytes rest = {in.p + *used, in.n - *used};
        if (*used >= expected && bus_expects(c->shard->bus))
            expected = *used + look_ahead(c, rest);
        enum mqtt_result r = mqtt_decode(&d, rest, &p, &n);
        if (r == MQTT_MORE)
            return HANDLED;
        h = r == MQTT_OK ? handle(c, &p) : refuse_packet(c, &p, rest);
        if (h == HANDLED_AGAIN)
            break;
        *used += n;
        metric_add_own(&c->shard->count.packets_received, 1);
    }
    return h;
}

static bool may_read(const struct mqtt_connection *c)
{
    bool listens = c->state == CONNECTION_NEW || c->state == CONNECTION_AUTHENTICATING ||
                   c->state == CONNECTION_OPEN;
    return listens && !c->paused && !c->shard->stopping;
}

/* A client that TLS or WebSocket keeps out never gets so far as to say who it is, so whoever looks
 * for it has nothing but this line. */
static void lost(struct mqtt_connection *c)
{
    const char *problem = stream_problem(c->stream);
    if (c->state == CONNECTION_NEW && problem[0])
        connect_refuse(c, 0, 0, problem);
    else
        connection_close(c, 0, NULL);
}

static void read_all(struct mqtt_connection *c)
{
    struct bytes in;
    size_t used;
    while (may_read(c)) {
        enum err err = stream_read(c->stream, &in);
        if (err == ERR_AGAIN)
            return;
        if (err) {
            lost(c);
            return;
        }
        if (c->state == CONNECTION_OPEN) /* before, all of CONNECT and AUTH must come in time */
            c->heard_ns = worker_now_ns(c->shard->worker);
        enum handled h = handle_all(c, in, &used);
        metric_add_own(&c->shard->count.bytes_received, (int64_t)used);
        if (!c->stream)
            return;
        stream_consume(c->stream, used);
        if (h == HANDLED_AGAIN) {
            c->paused = true;
            return;
        }
    }
}

static void wind_up(struct mqtt_connection *c)
{
    if (c->task.canceled)
        connection_close(c, MQTT_RC_SERVER_SHUTTING_DOWN, NULL);
    else if (c->kick == MQTT_RC_SERVER_UNAVAILABLE && c->state == CONNECTION_WAITING)
        connect_refuse(c, c->version, c->kick, "its session can't be stored");
    else
        connection_close(c, c->kick, NULL);
}

/* After a commit, or when the stream has room again, what was refused is tried once more. */
static void maybe_resume(struct mqtt_connection *c)
{
    if (c->paused && !c->crowded && (c->starved ? connection_room(c, 0) : !c->waiting))
        c->paused = c->starved = false;
}

static enum poll connection_poll(struct task *t)
{
    struct mqtt_connection *c = CONTAINER_OF(t, struct mqtt_connection, task);
    if (t->canceled || c->kick)
        wind_up(c);
    if (c->state == CONNECTION_WAITING)
        connect_go_on(c);
    if (c->state != CONNECTION_CLOSED) {
        (void)pending_flush(c);
        maybe_leave(c);
        maybe_resume(c);
        read_all(c);
    }
    if (c->state == CONNECTION_OPEN)
        outgoing_pump(c->session);
    if (c->state == CONNECTION_CLOSED)
        return POLL_READY;
    pending_wait(c);
    return POLL_PENDING;
}
