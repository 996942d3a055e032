#include "client/mqtt_client_internal.h"

#include <string.h>

static enum err keep_assigned_id(struct mqtt_client *c, struct str id)
{
    char *copy = mem_new(c->cfg.alloc, id.n);
    if (!copy)
        return ERR_NOMEM;
    memcpy(copy, id.p, id.n);
    c->assigned_id = copy;
    c->assigned_id_n = id.n;
    c->connect.client_id = (struct str){copy, id.n};
    return ERR_OK;
}

static void on_connack(struct mqtt_client *c, const struct mqtt_connack *a)
{
    const struct mqtt_props *p = &a->props;
    if (a->reason != 0) {
        client_drop(c, ERR_DENIED, a->reason, "the server refused the connection");
        return;
    }
    if (p->assigned_client_id.n > 0 && c->connect.client_id.n == 0 &&
        keep_assigned_id(c, p->assigned_client_id)) {
        client_drop(c, ERR_NOMEM, 0, "no memory");
        return;
    }
    c->receive_max = p->receive_max ? p->receive_max : UINT16_MAX;
    c->server_packet_max = p->maximum_packet_size;
    c->server_qos_max = p->has & MQTT_HAS(MQTT_PROP_MAXIMUM_QOS) ? p->maximum_qos : 2;
    c->keep_alive_s = p->has & MQTT_HAS(MQTT_PROP_SERVER_KEEP_ALIVE) ? p->server_keep_alive_s
                                                                     : c->connect.keep_alive_s;
    c->state = CLIENT_ONLINE;
    c->online_since_ns = worker_now_ns(c->worker);
    c->attempts = 0;
    c->met_server = true;
    c->ping_sent = false;
    if (c->keep_alive_s)
        timer_set_after_ms(&c->timer, c->keep_alive_s * 750);
    else
        timer_cancel(&c->timer);
    if (!a->session_present && c->received)
        memset(c->received, 0, RECEIVED_BYTES);
    subs_online(c, a->session_present);
    if (c->cfg.online)
        c->cfg.online(c->cfg.ctx, a->session_present);
}

/* Whether this QoS 2 message is new; remembers its id until PUBREL. */
static bool is_new(struct mqtt_client *c, uint16_t id)
{
    uint8_t bit = (uint8_t)(1u << id % 8);
    bool known = c->received[id / 8] & bit;
    c->received[id / 8] |= bit;
    return !known;
}

static void on_publish(struct mqtt_client *c, const struct mqtt_publish *m)
{
    if (m->qos == 2 && !c->received) {
        c->received = mem_zero(c->cfg.alloc, RECEIVED_BYTES);
        if (!c->received) {
            client_drop(c, ERR_NOMEM, 0, "no memory");
            return;
        }
    }
    if (m->topic.n == 0) { /* we have allowed no alias */
        client_drop(c, ERR_PROTOCOL, MQTT_RC_TOPIC_ALIAS_INVALID, "the server used a topic alias");
        return;
    }
    if ((m->qos < 2 || is_new(c, m->id)) && c->cfg.message)
        c->cfg.message(c->cfg.ctx, m);
    struct mqtt_packet ack = {.type = m->qos == 1 ? MQTT_PUBACK : MQTT_PUBREC};
    ack.ack.id = m->id;
    if (m->qos > 0)
        client_send(c, &ack);
}

static void on_pubrel(struct mqtt_client *c, const struct mqtt_ack *a)
{
    uint8_t bit = (uint8_t)(1u << a->id % 8);
    struct mqtt_packet comp = {.type = MQTT_PUBCOMP};
    comp.ack.id = a->id;
    if (c->received && (c->received[a->id / 8] & bit))
        c->received[a->id / 8] &= (uint8_t)~bit;
    else
        comp.ack.reason = MQTT_RC_PACKET_ID_NOT_FOUND;
    client_send(c, &comp);
}

static void on_packet(struct mqtt_client *c, const struct mqtt_packet *p)
{
    if ((c->state == CLIENT_HELLO) != (p->type == MQTT_CONNACK)) {
        client_drop(c, ERR_PROTOCOL, MQTT_RC_PROTOCOL_ERROR,
                    "the server sent a packet out of turn");
        return;
    }
    switch (p->type) {
    case MQTT_CONNACK: on_connack(c, &p->connack); break;
    case MQTT_PUBLISH: on_publish(c, &p->publish); break;
    case MQTT_PUBREL: on_pubrel(c, &p->ack); break;
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBCOMP: flights_ack(c, p->type, &p->ack); break;
    case MQTT_SUBACK:
    case MQTT_UNSUBACK: subs_ack(c, p->type, &p->suback); break;
    case MQTT_PINGRESP: c->ping_sent = false; break;
    case MQTT_DISCONNECT:
        client_drop(c, ERR_CLOSED, p->end.reason, mqtt_reason_name(p->end.reason));
        break;
    default:
        client_drop(c, ERR_PROTOCOL, MQTT_RC_PROTOCOL_ERROR, "the server asked for authentication");
        break;
    }
}

/* Handles the whole packets in `in`; the bytes that they took. */
static size_t take_packets(struct mqtt_client *c, struct bytes in)
{
    struct stream *s = c->stream;
    size_t at = 0;
    while (at < in.n && c->stream == s && !c->stopping) {
        struct mqtt_packet p;
        size_t used;
        enum mqtt_result r =
            mqtt_decode(&c->decoder, (struct bytes){in.p + at, in.n - at}, &p, &used);
        if (r == MQTT_MORE)
            break;
        if (r == MQTT_ERROR) {
            client_drop(c, ERR_PROTOCOL, p.fault.reason, p.fault.text);
            break;
        }
        on_packet(c, &p);
        at += used;
    }
    return at;
}

void client_read(struct mqtt_client *c)
{
    struct stream *s = c->stream;
    while (s && c->stream == s && !c->stopping) {
        struct bytes in;
        enum err err = stream_read(s, &in);
        if (err == ERR_AGAIN)
            return;
        if (err) {
            client_drop(c, err, 0, "the connection was closed");
            return;
        }
        size_t used = take_packets(c, in);
        if (c->stream == s)
            stream_consume(s, used);
    }
}
