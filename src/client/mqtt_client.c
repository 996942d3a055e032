#include "base/log.h"
#include "base/map.h"
#include "client/mqtt_client_internal.h"

#include <string.h>

enum {
    STEADY_MS = 10000, /* a connection that lived this long starts the back-off anew */
    LINGER_MS = 2000,
};

/* --- starting ------------------------------------------------------------------------------ */

static void set_defaults(struct mqtt_client_config *cfg)
{
    cfg->alloc = cfg->alloc ? cfg->alloc : alloc_system();
    cfg->version = cfg->version ? cfg->version : MQTT_V5;
    cfg->inflight_max = cfg->inflight_max ? cfg->inflight_max : 64;
    cfg->inflight_max = cfg->inflight_max < 32768 ? cfg->inflight_max : 32768;
    cfg->inflight_bytes_max = cfg->inflight_bytes_max ? cfg->inflight_bytes_max : 1 << 20;
    cfg->subscriptions_max = cfg->subscriptions_max ? cfg->subscriptions_max : 64;
    cfg->packet_max = cfg->packet_max ? cfg->packet_max : 1 << 20;
    cfg->connect_timeout_ms = cfg->connect_timeout_ms ? cfg->connect_timeout_ms : 10000;
    cfg->backoff_min_ms = cfg->backoff_min_ms ? cfg->backoff_min_ms : 250;
    cfg->backoff_max_ms = cfg->backoff_max_ms ? cfg->backoff_max_ms : 30000;
}

/* CONNECT as configured is kept encoded: the one copy of all that the configuration points to. */
static enum err keep_hello(struct mqtt_client *c)
{
    const struct mqtt_client_config *cfg = &c->cfg;
    struct mqtt_packet p = {.type = MQTT_CONNECT};
    p.connect = (struct mqtt_connect){
        .version = cfg->version,
        .clean_start = !cfg->persistent,
        .has_user = cfg->has_user,
        .user = cfg->user,
        .has_password = cfg->has_password,
        .password = cfg->password,
        .keep_alive_s = cfg->keep_alive_s,
        .client_id = cfg->client_id,
        .props = {.has =
                      MQTT_HAS(MQTT_PROP_SESSION_EXPIRY) | MQTT_HAS(MQTT_PROP_MAXIMUM_PACKET_SIZE),
                  .session_expiry_s = cfg->session_expiry_s,
                  .maximum_packet_size = (uint32_t)cfg->packet_max},
    };
    if (cfg->will) {
        p.connect.has_will = true;
        p.connect.will_topic = cfg->will->topic;
        p.connect.will_payload = cfg->will->payload;
        p.connect.will_qos = cfg->will->qos;
        p.connect.will_retain = cfg->will->retain;
        p.connect.will_props = cfg->will->props;
    }
    c->hello_n = mqtt_encoded_size(cfg->version, &p);
    if (c->hello_n == 0)
        return ERR_INVALID;
    c->hello = mem_new(cfg->alloc, c->hello_n);
    if (!c->hello)
        return ERR_NOMEM;
    struct writer w = writer_from(c->hello, c->hello_n);
    enum err err = mqtt_encode(cfg->version, &p, &w);
    struct mqtt_decoder d = {.is_server = true};
    size_t used;
    if (err || mqtt_decode(&d, (struct bytes){c->hello, c->hello_n}, &p, &used) != MQTT_OK)
        return ERR_INVALID; /* text that no server takes */
    c->connect = p.connect;
    return ERR_OK;
}

static enum err open_pool(struct mqtt_client *c)
{
    c->pool = c->cfg.pool;
    if (c->pool)
        return ERR_OK;
    c->own_pool = true;
    return conn_pool_new(&c->pool, c->worker,
                         &(struct conn_pool_config){.per_addr_max = 1,
                                                    .total_max = 1,
                                                    .waiting_max = 1,
                                                    .idle_ms = -1,
                                                    .connect_ms = c->cfg.connect_timeout_ms});
}

static void client_free(struct mqtt_client *c)
{
    struct alloc *a = c->cfg.alloc;
    if (c->own_pool)
        conn_pool_close(c->pool);
    mem_free(a, c->hello, c->hello_n);
    mem_free(a, c->assigned_id, c->assigned_id_n);
    mem_free(a, c->received, RECEIVED_BYTES);
    mem_free(a, c, sizeof(*c));
}

static void client_finished(struct task *t)
{
    struct mqtt_client *c = CONTAINER_OF(t, struct mqtt_client, task);
    timer_cancel(&c->timer);
    flights_cancel(c);
    subs_cancel(c);
    if (c->cfg.ended)
        c->cfg.ended(c->cfg.ctx);
    client_free(c);
}

static void timer_fire(struct timer *t)
{
    struct mqtt_client *c = CONTAINER_OF(t, struct mqtt_client, timer);
    c->timer_fired = true;
    task_wake(&c->task);
}

static enum poll client_poll(struct task *t);

enum err mqtt_client_new(struct mqtt_client **out, struct worker *w,
                         const struct mqtt_client_config *cfg)
{
    struct mqtt_client_config full = *cfg;
    set_defaults(&full);
    if ((full.version != MQTT_V311 && full.version != MQTT_V5) || full.packet_max > 268435460 ||
        full.backoff_min_ms > full.backoff_max_ms)
        return ERR_INVALID;
    struct mqtt_client *c = mem_zero(full.alloc, sizeof(*c));
    if (!c)
        return ERR_NOMEM;
    c->cfg = full;
    c->worker = w;
    enum err err = open_pool(c);
    if (!err)
        err = keep_hello(c);
    if (err) {
        client_free(c);
        return err;
    }
    c->cfg.will = NULL; /* these were borrowed; `connect` has them */
    c->cfg.user = c->cfg.client_id = (struct str){0};
    c->cfg.password = (struct bytes){0};
    list_init(&c->flights);
    c->unsent = &c->flights;
    list_init(&c->subs);
    uint64_t seed = executor_env(worker_executor(w))->seed;
    random_seed(&c->random, hash_bytes(c->connect.client_id.p, c->connect.client_id.n, seed));
    timer_init(&c->timer, w, timer_fire);
    task_init(&c->task, PART, client_poll, client_finished);
    conn_request_init(&c->request, &c->task);
    task_spawn(w, &c->task);
    *out = c;
    return ERR_OK;
}

void mqtt_client_stop(struct mqtt_client *c)
{
    c->stopping = true;
    task_wake(&c->task);
}

bool mqtt_client_online(const struct mqtt_client *c)
{
    return c->state == CLIENT_ONLINE;
}

struct str mqtt_client_id(const struct mqtt_client *c)
{
    return c->connect.client_id;
}

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

void client_drop(struct mqtt_client *c, enum err err, uint8_t reason, const char *text)
{
    if (c->state == CLIENT_WAITING || c->state == CLIENT_ENDED)
        return;
    bool was_online = c->state == CLIENT_ONLINE;
    int os_errno = err != ERR_IO ? 0 : c->stream ? stream_os_errno(c->stream) : c->request.os_errno;
    if (was_online && err == ERR_PROTOCOL && c->cfg.version == MQTT_V5)
        say_why(c, reason);
    else if (c->stream)
        conn_pool_drop(c->pool, c->stream);
    c->stream = NULL;
    conn_pool_forget(&c->request);
    if (was_online && worker_now_ns(c->worker) - c->online_since_ns >= STEADY_MS * INT64_C(1000000))
        c->backoff_ms = 0;
    c->attempts = was_online ? 0 : c->attempts + 1;
    c->state = CLIENT_WAITING;
    flights_lost(c);
    subs_lost(c);
    timer_set_after_ms(&c->timer, next_backoff_ms(c));
    struct mqtt_client_loss loss = {.err = err,
                                    .reason = reason,
                                    .text = text,
                                    .was_online = was_online,
                                    .os_errno = os_errno,
                                    .attempts = c->attempts};
    if (c->cfg.lost && !c->cfg.lost(c->cfg.ctx, &loss))
        mqtt_client_stop(c);
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

static void start(struct mqtt_client *c)
{
    c->state = CLIENT_CONNECTING;
    timer_set_after_ms(&c->timer, c->cfg.connect_timeout_ms);
}

static void say_hello(struct mqtt_client *c)
{
    enum err err = conn_pool_poll(c->pool, &c->request, &c->cfg.addr, -1, &c->stream);
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
    client_send(c, &p);
}

static void on_timer(struct mqtt_client *c)
{
    c->timer_fired = false;
    switch (c->state) {
    case CLIENT_WAITING: c->state = CLIENT_START; break;
    case CLIENT_CONNECTING:
    case CLIENT_HELLO: client_drop(c, ERR_TIMEOUT, 0, "the server does not answer"); break;
    case CLIENT_ONLINE:
        if (c->ping_sent) {
            client_drop(c, ERR_TIMEOUT, 0, "the server does not answer a ping");
            return;
        }
        c->ping_sent = true;
        timer_set_after_ms(&c->timer, c->keep_alive_s * 750);
        client_send(c, &(struct mqtt_packet){.type = MQTT_PINGREQ});
        break;
    default: break;
    }
}

static void end(struct mqtt_client *c)
{
    if (c->state == CLIENT_ONLINE)
        client_send(c, &(struct mqtt_packet){.type = MQTT_DISCONNECT});
    if (c->state == CLIENT_ONLINE)
        conn_pool_finish(c->pool, c->stream, LINGER_MS);
    else if (c->stream)
        conn_pool_drop(c->pool, c->stream);
    c->stream = NULL;
    conn_pool_forget(&c->request);
    c->state = CLIENT_ENDED;
}

static enum poll client_poll(struct task *t)
{
    struct mqtt_client *c = CONTAINER_OF(t, struct mqtt_client, task);
    c->stopping = c->stopping || t->canceled;
    if (c->timer_fired && !c->stopping)
        on_timer(c);
    if (c->state == CLIENT_START && !c->stopping)
        start(c);
    if (c->state == CLIENT_CONNECTING && !c->stopping)
        say_hello(c);
    if ((c->state == CLIENT_HELLO || c->state == CLIENT_ONLINE) && !c->stopping)
        client_read(c);
    if (c->state == CLIENT_ONLINE && !c->stopping) {
        subs_flush(c);
        flights_flush(c);
    }
    if (c->stopping)
        end(c);
    return c->state == CLIENT_ENDED ? POLL_READY : POLL_PENDING;
}
