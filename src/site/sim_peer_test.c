#include "site/sim_peer_test.h"

#include <stdio.h>
#include <string.h>

enum { SUBSCRIBE_ID = 60000, LINGER_MS = 200, BACK_MIN_MS = 3, BACK_MAX_MS = 40 };

#define HOLDS(p, cond) ((p)->broken = !CHECK(cond) || (p)->broken)

static void put(struct sim_peer *p, const struct mqtt_packet *m)
{
    uint8_t room[1024];
    struct writer w = writer_from(room, sizeof(room));
    HOLDS(p, mqtt_encode(p->version, m, &w) == ERR_OK);
    if (!p->stream)
        return;
    enum err err = stream_write(p->stream, room, writer_len(&w));
    HOLDS(p, !err || err == ERR_CLOSED); /* the next poll sees it */
}

static void send_ack(struct sim_peer *p, enum mqtt_type type, uint16_t id)
{
    put(p, &(struct mqtt_packet){.type = type, .ack = {.id = id}});
}

/* --- connections --- */

static void close_streams(struct sim_peer *p)
{
    if (p->stream)
        stream_close(p->stream);
    if (p->ghost)
        stream_close(p->ghost);
    p->stream = p->ghost = NULL;
    p->connected = p->said_hello = false;
}

static void come_again(struct sim_peer *p)
{
    timer_set_after_ms(&p->again, BACK_MIN_MS + (int64_t)random_below(&p->random, BACK_MAX_MS));
}

static void dial(struct sim_peer *p)
{
    p->connected = p->said_hello = false;
    p->dialed_ns = worker_now_ns(p->worker);
    if (stream_connect(&p->stream, p->worker, &p->addr, &p->task) == ERR_OK)
        return;
    p->stream = NULL;
    come_again(p);
}

static void again(struct timer *t)
{
    struct sim_peer *p = CONTAINER_OF(t, struct sim_peer, again);
    if (p->wanted && !p->stream)
        dial(p);
}

static void lost(struct sim_peer *p)
{
    close_streams(p);
    if (p->wanted)
        come_again(p);
}

static void hello(struct sim_peer *p)
{
    struct mqtt_packet m = {.type = MQTT_CONNECT};
    m.connect = (struct mqtt_connect){
        .version = p->version, .clean_start = p->clean, .client_id = str_from(p->id)};
    if (p->version == MQTT_V5 && p->expiry_s) {
        m.connect.props.has = MQTT_HAS(MQTT_PROP_SESSION_EXPIRY);
        m.connect.props.session_expiry_s = p->expiry_s;
    }
    if (p->connecting)
        p->connecting(p, &m.connect);
    p->said_hello = true;
    put(p, &m);
}

/* --- what goes out --- */

static void send_publication(struct sim_peer *p, struct peer_publication *f)
{
    struct mqtt_packet m = {.type = MQTT_PUBLISH};
    if (f->released) {
        send_ack(p, MQTT_PUBREL, f->id);
        return;
    }
    m.publish = (struct mqtt_publish){.dup = f->sent,
                                      .retain = f->retain,
                                      .qos = f->qos,
                                      .id = f->id,
                                      .topic = str_from(f->topic),
                                      .payload = {f->payload, f->n}};
    f->sent = true;
    put(p, &m);
}

static struct peer_publication *find(struct sim_peer *p, uint16_t id)
{
    for (int i = 0; i < p->flight_n; i++)
        if (p->flight[i].id == id)
            return &p->flight[i];
    return NULL;
}

bool peer_publish(struct sim_peer *p, const char *topic, const char *payload, uint8_t qos,
                  bool retain, int number)
{
    if (p->flight_n == PEER_WINDOW)
        return false;
    struct peer_publication f = {
        .id = 1, .qos = qos, .retain = retain, .number = number, .n = strlen(payload)};
    while (find(p, f.id))
        f.id++;
    (void)snprintf(f.topic, sizeof(f.topic), "%s", topic);
    memcpy(f.payload, payload, f.n);
    p->flight[p->flight_n] = f;
    p->flight_n++;
    if (p->connected)
        send_publication(p, &p->flight[p->flight_n - 1]);
    return true;
}

static void finished(struct sim_peer *p, struct peer_publication *f)
{
    int at = (int)(f - p->flight);
    p->flight_n--;
    memmove(f, f + 1, (size_t)(p->flight_n - at) * sizeof(*f));
}

/* An answer to what an earlier connection has sent may find nothing, or not wait for it. */
static void answered(struct sim_peer *p, const struct mqtt_packet *m)
{
    struct peer_publication *f = find(p, m->ack.id);
    bool well = m->ack.reason < MQTT_RC_UNSPECIFIED || m->ack.reason == MQTT_RC_PACKET_ID_NOT_FOUND;
    HOLDS(p, well);
    if (!f || (m->type == MQTT_PUBACK) != (f->qos == 1))
        return;
    if (m->type == MQTT_PUBREC && !f->released) {
        f->released = true;
        p->taken(p, f->number);
        send_ack(p, MQTT_PUBREL, f->id);
    } else if (m->type == MQTT_PUBACK) {
        p->taken(p, f->number);
        finished(p, f);
    } else if (m->type == MQTT_PUBCOMP && f->released) {
        finished(p, f);
    }
}

static void subscribe(struct sim_peer *p)
{
    uint8_t room[128];
    struct writer w = writer_from(room, sizeof(room));
    for (int i = 0; i < PEER_FILTERS && p->filters[i]; i++)
        mqtt_put_filter(&w, MQTT_SUBSCRIBE, str_from(p->filters[i]), p->qos);
    struct mqtt_packet m = {.type = MQTT_SUBSCRIBE};
    m.subscribe = (struct mqtt_subscribe){.id = SUBSCRIBE_ID, .filters = {room, writer_len(&w)}};
    p->subscribed = true;
    put(p, &m);
}

/* --- what comes in --- */

static bool forget(struct sim_peer *p, uint16_t id)
{
    for (int i = 0; i < p->received_n; i++)
        if (p->received[i] == id) {
            p->received[i] = p->received[--p->received_n];
            return true;
        }
    return false;
}

static void published(struct sim_peer *p, const struct mqtt_publish *m)
{
    bool known = m->qos == 2 && forget(p, m->id);
    HOLDS(p, p->subscribed); /* else a session has come back that had ended */
    if (!known)
        p->message(p, m);
    if (m->qos == 2) {
        HOLDS(p, p->received_n < PEER_RECEIVED);
        if (p->received_n < PEER_RECEIVED)
            p->received[p->received_n++] = m->id;
    }
    if (m->qos)
        send_ack(p, m->qos == 1 ? MQTT_PUBACK : MQTT_PUBREC, m->id);
}

/* All that is on its way once more, in its order; if the session has gone, as new. */
static void connected(struct sim_peer *p, const struct mqtt_connack *m)
{
    if (m->reason) { /* no room just now */
        lost(p);
        return;
    }
    p->connected = true;
    /* Of the first CONNECT its CONNACK may be lost, but not the session. */
    if (!m->session_present || !p->lives) {
        p->lives++;
        p->received_n = 0;
        p->granted = p->subscribed = false;
    }
    if (p->online)
        p->online(p, m->session_present);
    if (!p->granted && p->filters[0])
        subscribe(p);
    for (int i = 0; i < p->flight_n; i++)
        send_publication(p, &p->flight[i]);
}

static void subscription_answered(struct sim_peer *p, const struct mqtt_suback *m)
{
    for (size_t i = 0; i < m->codes.n; i++)
        HOLDS(p, m->codes.p[i] == p->qos);
    p->granted = true;
}

static void handle(struct sim_peer *p, const struct mqtt_packet *m)
{
    switch (m->type) {
    case MQTT_CONNACK: connected(p, &m->connack); return;
    case MQTT_PUBLISH: published(p, &m->publish); return;
    case MQTT_PUBREL:
        (void)forget(p, m->ack.id);
        send_ack(p, MQTT_PUBCOMP, m->ack.id);
        return;
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBCOMP: answered(p, m); return;
    case MQTT_SUBACK: subscription_answered(p, &m->suback); return;
    case MQTT_DISCONNECT: return; /* its end follows */
    default: HOLDS(p, false);
    }
}

/* False: that was all, or the connection is another one now. */
static bool read_one(struct sim_peer *p)
{
    const struct mqtt_decoder decoder = {.version = p->version};
    struct stream *from = p->stream;
    struct mqtt_packet m;
    struct bytes in;
    size_t used = 0;
    enum err err = stream_read(from, &in);
    if (err && err != ERR_AGAIN)
        lost(p);
    if (err)
        return false;
    while (in.n) {
        enum mqtt_result r = mqtt_decode(&decoder, in, &m, &used);
        if (r == MQTT_MORE)
            break;
        HOLDS(p, r == MQTT_OK);
        if (r == MQTT_OK)
            handle(p, &m);
        if (r != MQTT_OK || p->stream != from)
            return false;
        stream_consume(from, used);
        in.p += used;
        in.n -= used;
    }
    return true;
}

static void drain_ghost(struct sim_peer *p)
{
    struct bytes in;
    enum err err;
    while (!(err = stream_read(p->ghost, &in)))
        stream_consume(p->ghost, in.n);
    if (err == ERR_AGAIN)
        return;
    stream_close(p->ghost);
    p->ghost = NULL;
}

static enum poll poll_peer(struct task *t)
{
    struct sim_peer *p = CONTAINER_OF(t, struct sim_peer, task);
    if (t->canceled) {
        p->wanted = false;
        timer_cancel(&p->again);
        close_streams(p);
        return POLL_READY;
    }
    if (p->ghost)
        drain_ghost(p);
    if (p->stream && !p->said_hello) {
        enum err err = stream_connected(p->stream);
        if (err == ERR_AGAIN)
            return POLL_PENDING;
        if (err)
            lost(p);
        else
            hello(p);
    }
    while (p->stream && read_one(p)) {
    }
    return POLL_PENDING;
}

/* --- the owner's side --- */

void peer_init(struct sim_peer *p)
{
    random_seed(&p->random, p->seed);
    timer_init(&p->again, p->worker, again);
    task_init(&p->task, p->id, poll_peer, NULL);
    task_spawn(p->worker, &p->task);
}

void peer_come(struct sim_peer *p)
{
    p->wanted = true;
    if (!p->stream && !timer_armed(&p->again))
        come_again(p);
    worker_wake(p->worker);
}

void peer_leave(struct sim_peer *p)
{
    p->wanted = false;
    timer_cancel(&p->again);
    if (p->stream && p->connected) {
        put(p, &(struct mqtt_packet){.type = MQTT_DISCONNECT});
        stream_finish(p->stream, LINGER_MS);
        p->stream = NULL;
    }
    close_streams(p);
}

void peer_drop(struct sim_peer *p)
{
    p->wanted = false;
    timer_cancel(&p->again);
    close_streams(p);
}

void peer_take_over(struct sim_peer *p)
{
    if (!p->connected)
        return;
    if (p->ghost)
        stream_close(p->ghost);
    p->ghost = p->stream;
    dial(p);
}

void peer_site_is_gone(struct sim_peer *p)
{
    timer_cancel(&p->again);
    close_streams(p);
    worker_wake(p->worker);
}

void peer_site_is_back(struct sim_peer *p)
{
    if (p->wanted)
        peer_come(p);
}
