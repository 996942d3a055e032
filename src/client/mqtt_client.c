#include "client/mqtt_client_internal.h"

#include <stdio.h>

enum {
    STEADY_MS = 10000, /* a connection that lived this long starts the back-off anew */
    LINGER_MS = 2000,
};

/* --- packet ids ---------------------------------------------------------------------------- */

static uint16_t id_after(uint16_t id)
{
    return id == MQTT_IDS ? 1 : (uint16_t)(id + 1);
}

/* Looks through what is in use only once the ids known to be free are used up. */
uint16_t client_next_id(struct mqtt_client *c)
{
    while (c->free_ids == 0) {
        uint16_t next = id_after(c->last_id);
        unsigned a = flights_free_ids(c, next), b = subs_free_ids(c, next);
        c->free_ids = a < b ? a : b;
        if (c->free_ids == 0)
            c->last_id = next;
    }
    c->free_ids--;
    c->last_id = id_after(c->last_id);
    return c->last_id;
}

/* --- the connection ------------------------------------------------------------------------ */

static int64_t next_backoff_ms(struct mqtt_client *c)
{
    int64_t ms = c->backoff_ms ? c->backoff_ms * 2 : c->cfg.backoff_min_ms;
    c->backoff_ms = ms < c->cfg.backoff_max_ms ? ms : c->cfg.backoff_max_ms;
    int64_t half = c->backoff_ms / 2;
    return half + (int64_t)random_below(&c->random, (uint64_t)(c->backoff_ms - half + 1));
}

/* A 5.0 server is told what it did wrong. */
static void say_why(struct mqtt_client *c, uint8_t reason)
{
    struct mqtt_packet bye = {.type = MQTT_DISCONNECT};
    bye.end.reason = reason;
    if (stream_write_room(c->stream) >= 64)
        client_send(c, &bye);
    conn_pool_finish(c->pool, c->stream, LINGER_MS);
    c->stream = NULL;
}

/* What TLS, WebSocket or the system says of an ERR_IO. */
struct cause {
    int os_errno;
    const char *problem;
};

static struct cause cause_of(const struct mqtt_client *c, enum err err)
{
    struct cause why = {.problem = ""};
    if (err != ERR_IO)
        return why;
    why.os_errno = c->stream ? stream_os_errno(c->stream) : c->request.os_errno;
    why.problem = c->stream ? stream_problem(c->stream) : c->request.problem;
    return why;
}

static void give_up(struct mqtt_client *c, enum err err, uint8_t reason, const char *text,
                    const char *problem)
{
    if (c->state == CLIENT_WAITING || c->state == CLIENT_ENDED)
        return;
    bool was_online = c->state == CLIENT_ONLINE;
    const struct cause why = cause_of(c, err);
    if (was_online && err == ERR_PROTOCOL && c->cfg.version == MQTT_V5)
        say_why(c, reason);
    else if (c->stream)
        conn_pool_drop(c->pool, c->stream);
    c->stream = NULL;
    conn_pool_forget(&c->request);
    if (was_online && worker_now_ns(c->worker) - c->online_since_ns >= STEADY_MS * INT64_C(1000000))
        c->backoff_ms = 0;
    c->attempts = was_online ? 0 : c->attempts + 1;
    host_lost(c, was_online);
    c->state = CLIENT_WAITING;
    flights_lost(c);
    subs_lost(c);
    auth_lost(c, ERR_CLOSED);
    timer_set_after_ms(&c->timer, next_backoff_ms(c));
    struct mqtt_client_loss loss = {.err = err,
                                    .reason = reason,
                                    .text = text,
                                    .was_online = was_online,
                                    .os_errno = why.os_errno,
                                    .problem = problem ? problem : why.problem,
                                    .attempts = c->attempts};
    if (c->cfg.lost && !c->cfg.lost(c->cfg.ctx, &loss))
        mqtt_client_stop(c);
}

void client_drop(struct mqtt_client *c, enum err err, uint8_t reason, const char *text)
{
    give_up(c, err, reason, text, NULL);
}

void client_send(struct mqtt_client *c, const struct mqtt_packet *p)
{
    if (!c->stream)
        return;
    size_t size = mqtt_encoded_size(c->cfg.version, p);
    ASSERT(size > 0);
    uint8_t *room = stream_reserve(c->stream, size);
    if (!room) {
        client_drop(c, ERR_FULL, 0, "the server does not take what is sent");
        return;
    }
    struct writer w = writer_from(room, size);
    enum err err = mqtt_encode(c->cfg.version, p, &w);
    ASSERT(err == ERR_OK);
    stream_commit(c->stream, size);
}

static void connect_now(struct mqtt_client *c)
{
    c->state = CLIENT_CONNECTING;
    timer_set_after_ms(&c->timer, c->cfg.connect_timeout_ms);
}

static void look(struct mqtt_client *c)
{
    struct error e = {0};
    enum err err = host_look(c, &e);
    if (!err)
        connect_now(c);
    else if (err != ERR_AGAIN)
        give_up(c, err, 0, "the server's name cannot be looked up", e.text);
}

static void start(struct mqtt_client *c)
{
    c->state = CLIENT_LOOKING;
    timer_set_after_ms(&c->timer, c->cfg.connect_timeout_ms);
    look(c);
}

static void say_hello(struct mqtt_client *c)
{
    enum err err = conn_pool_poll(c->pool, &c->request, &c->addrs[c->addr_at], -1, &c->stream);
    if (err == ERR_AGAIN)
        return;
    if (err) {
        client_drop(c, err, 0, "cannot connect");
        return;
    }
    size_t least = c->cfg.packet_max + 65536;
    stream_set_limits(
        c->stream,
        &(struct stream_limits){.read_max = least, .write_max = 2 * least, .write_low = 65536});
    c->state = CLIENT_HELLO;
    c->decoder =
        (struct mqtt_decoder){.version = c->cfg.version, .size_max = (uint32_t)c->cfg.packet_max};
    struct mqtt_packet p = {.type = MQTT_CONNECT};
    p.connect = c->connect;
    /* A 5.0 session that outlives its connection is taken up again. */
    if (c->met_server && c->cfg.version == MQTT_V5 && c->cfg.session_expiry_s > 0)
        p.connect.clean_start = false;
    struct strbuf auth;
    strbuf_init(&auth, c->cfg.alloc, UINT16_MAX);
    if (auth_start(c, &p.connect, &auth))
        client_send(c, &p);
    strbuf_fini(&auth);
}

static void on_timer(struct mqtt_client *c)
{
    c->timer_fired = false;
    switch (c->state) {
    case CLIENT_WAITING: c->state = CLIENT_START; break;
    case CLIENT_LOOKING:
        if (host_late(c))
            client_drop(c, ERR_TIMEOUT, 0, "nobody says where the server is");
        else
            connect_now(c);
        break;
    case CLIENT_CONNECTING:
    case CLIENT_HELLO: client_drop(c, ERR_TIMEOUT, 0, "the server does not answer"); break;
    case CLIENT_ONLINE:
        if (c->ping_sent) {
            client_drop(c, ERR_TIMEOUT, 0, "the server does not answer a ping");
            return;
        }
        c->ping_sent = true;
        timer_set_after_ms(&c->timer, c->server.keep_alive_s * 750);
        client_send(c, &(struct mqtt_packet){.type = MQTT_PINGREQ});
        break;
    default: break;
    }
}

/* The last packet: what mqtt_client_stop_with() has left, or a bare DISCONNECT. False: none. */
static bool say_bye(struct mqtt_client *c)
{
    static const uint8_t bare[] = {MQTT_DISCONNECT << 4, 0};
    const uint8_t *p = c->bye ? c->bye : bare;
    return !c->silent && stream_write(c->stream, p, c->bye ? c->bye_n : sizeof(bare)) == ERR_OK;
}

/* A connection that is closed while the server still answers is reset, and what we have said last
 * may be lost with it. So the server, which closes at DISCONNECT, goes first if it is quick. */
static void leave(struct mqtt_client *c, bool at_once)
{
    if (c->state == CLIENT_ONLINE && say_bye(c) && !at_once) {
        c->state = CLIENT_LEAVING;
        timer_set_after_ms(&c->timer, LINGER_MS);
        return;
    }
    if (c->state == CLIENT_ONLINE)
        conn_pool_finish(c->pool, c->stream, LINGER_MS);
    else if (c->stream)
        conn_pool_drop(c->pool, c->stream);
    c->stream = NULL;
    conn_pool_forget(&c->request);
    c->state = CLIENT_ENDED;
}

/* Drops what still comes, up to the server's end. */
static void await_end(struct mqtt_client *c, bool at_once)
{
    struct bytes in;
    enum err err;
    while ((err = stream_read(c->stream, &in)) == ERR_OK)
        stream_consume(c->stream, in.n);
    if (err == ERR_AGAIN && !c->timer_fired && !at_once)
        return;
    if (err == ERR_AGAIN)
        conn_pool_finish(c->pool, c->stream, LINGER_MS);
    else
        conn_pool_drop(c->pool, c->stream);
    c->stream = NULL;
    c->state = CLIENT_ENDED;
}

static void work(struct mqtt_client *c)
{
    if (c->timer_fired)
        on_timer(c);
    if (c->state == CLIENT_START && !c->stopping)
        start(c);
    else if (c->state == CLIENT_LOOKING)
        look(c);
    if (c->state == CLIENT_CONNECTING && !c->stopping)
        say_hello(c);
    if ((c->state == CLIENT_HELLO || c->state == CLIENT_ONLINE) && !c->stopping)
        client_read(c);
    if (c->state == CLIENT_ONLINE && !c->stopping) {
        subs_flush(c);
        flights_flush(c);
    }
}

enum poll client_poll(struct task *t)
{
    struct mqtt_client *c = CONTAINER_OF(t, struct mqtt_client, task);
    c->stopping = c->stopping || t->canceled;
    if (!c->stopping)
        work(c);
    if (c->stopping && c->state < CLIENT_LEAVING) {
        c->timer_fired = false;
        leave(c, t->canceled);
    }
    if (c->state == CLIENT_LEAVING)
        await_end(c, t->canceled);
    return c->state == CLIENT_ENDED ? POLL_READY : POLL_PENDING;
}

void client_finished(struct task *t)
{
    struct mqtt_client *c = CONTAINER_OF(t, struct mqtt_client, task);
    timer_cancel(&c->timer);
    flights_cancel(c);
    subs_cancel(c);
    auth_lost(c, ERR_CANCELED);
    if (c->cfg.ended)
        c->cfg.ended(c->cfg.ctx);
    client_free(c);
}

void client_timer_fired(struct timer *t)
{
    struct mqtt_client *c = CONTAINER_OF(t, struct mqtt_client, timer);
    c->timer_fired = true;
    task_wake(&c->task);
}

void mqtt_client_stop(struct mqtt_client *c)
{
    c->stopping = true;
    task_wake(&c->task);
}

enum err mqtt_client_stop_with(struct mqtt_client *c, const struct mqtt_end *end)
{
    struct mqtt_packet p = {.type = MQTT_DISCONNECT, .end = *end};
    size_t n = mqtt_encoded_size(c->cfg.version, &p);
    if (n == 0)
        return ERR_INVALID;
    if (c->bye || c->stopping)
        return ERR_OK;
    c->bye = mem_new(c->cfg.alloc, n);
    if (!c->bye)
        return ERR_NOMEM;
    struct writer w = writer_from(c->bye, n);
    c->bye_n = n;
    enum err err = mqtt_encode(c->cfg.version, &p, &w);
    ASSERT(err == ERR_OK);
    /* 3.1.1 has no other way to have the will sent than to leave without a word. */
    c->silent = c->cfg.version != MQTT_V5 && end->reason == MQTT_RC_DISCONNECT_WITH_WILL;
    mqtt_client_stop(c);
    return ERR_OK;
}

bool mqtt_client_online(const struct mqtt_client *c)
{
    return c->state == CLIENT_ONLINE;
}

struct str mqtt_client_id(const struct mqtt_client *c)
{
    return c->connect.client_id;
}

size_t mqtt_client_room(const struct mqtt_client *c)
{
    return c->state == CLIENT_ONLINE && !c->stopping ? stream_write_room(c->stream) : 0;
}

const struct mqtt_props *mqtt_client_said(const struct mqtt_client *c)
{
    return c->said;
}
