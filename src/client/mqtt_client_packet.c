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

/* Without the property a thing is available; in 3.1.1 there are no properties. */
static bool has_not(const struct mqtt_props *p, enum mqtt_prop_id id, uint8_t value)
{
    return (p->has & MQTT_HAS(id)) && value == 0;
}

static void keep_limits(struct mqtt_client *c, const struct mqtt_props *p)
{
    bool keep_alive = p->has & MQTT_HAS(MQTT_PROP_SERVER_KEEP_ALIVE);
    bool v5 = c->cfg.version == MQTT_V5;
    c->server = (struct server_limits){
        .receive_max = p->receive_max ? p->receive_max : UINT16_MAX,
        .packet_max = p->maximum_packet_size,
        .qos_max = p->has & MQTT_HAS(MQTT_PROP_MAXIMUM_QOS) ? p->maximum_qos : 2,
        .keep_alive_s = keep_alive ? p->server_keep_alive_s : c->connect.keep_alive_s,
        .retain = !has_not(p, MQTT_PROP_RETAIN_AVAILABLE, p->retain_available),
        .wildcards = !has_not(p, MQTT_PROP_WILDCARD_AVAILABLE, p->wildcard_available),
        .shared = !has_not(p, MQTT_PROP_SHARED_AVAILABLE, p->shared_available),
        .subscription_ids =
            v5 && !has_not(p, MQTT_PROP_SUBSCRIPTION_IDS_AVAILABLE, p->subscription_ids_available),
    };
}

static void on_connack(struct mqtt_client *c, const struct mqtt_connack *a)
{
    const struct mqtt_props *p = &a->props;
    if (a->reason != 0) {
        client_drop(c, ERR_DENIED, a->reason, "the server refused the connection");
        return;
    }
    if (!auth_connack(c, a))
        return;
    if (p->assigned_client_id.n > 0 && c->connect.client_id.n == 0 &&
        keep_assigned_id(c, p->assigned_client_id)) {
        client_drop(c, ERR_NOMEM, 0, "no memory");
        return;
    }
    keep_limits(c, p);
    c->online_since_ns = worker_now_ns(c->worker);
    c->connections++;
    c->attempts = 0;
    c->met_server = true;
    c->ping_sent = false;
    if (c->server.keep_alive_s)
        timer_set_after_ms(&c->timer, c->server.keep_alive_s * 750);
    else
        timer_cancel(&c->timer);
    /* 3.1 does not tell whether there was a session: then what was sent may be known to it, and
     * subscriptions are made again all the same. */
    bool kept = a->session_present || (c->cfg.version == MQTT_V31 && !c->connect.clean_start);
    receive_online(c, kept);
    aliases_online(c, p->topic_alias_max);
    subs_online(c, a->session_present);
    flights_online(c, kept); /* tells before we are on-line: nothing is sent yet */
    c->state = CLIENT_ONLINE;
    if (c->cfg.online)
        c->cfg.online(c->cfg.ctx, a->session_present);
}

static const struct mqtt_props *props_of(const struct mqtt_packet *p)
{
    switch (p->type) {
    case MQTT_CONNACK: return &p->connack.props;
    case MQTT_PUBLISH: return &p->publish.props;
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBREL:
    case MQTT_PUBCOMP: return &p->ack.props;
    case MQTT_SUBACK:
    case MQTT_UNSUBACK: return &p->suback.props;
    case MQTT_DISCONNECT:
    case MQTT_AUTH: return &p->end.props;
    default: return NULL;
    }
}

static bool in_turn(const struct mqtt_client *c, enum mqtt_type type)
{
    if (c->state == CLIENT_HELLO)
        return type == MQTT_CONNACK || type == MQTT_AUTH;
    return type != MQTT_CONNACK;
}

static void on_packet(struct mqtt_client *c, const struct mqtt_packet *p)
{
    if (!in_turn(c, p->type)) {
        client_drop(c, ERR_PROTOCOL, MQTT_RC_PROTOCOL_ERROR,
                    "the server sent a packet out of turn");
        return;
    }
    c->said = props_of(p);
    switch (p->type) {
    case MQTT_CONNACK: on_connack(c, &p->connack); break;
    case MQTT_PUBLISH: receive_publish(c, &p->publish); break;
    case MQTT_PUBREL: receive_pubrel(c, &p->ack); break;
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBCOMP: flights_ack(c, p->type, &p->ack); break;
    case MQTT_SUBACK:
    case MQTT_UNSUBACK: subs_ack(c, p->type, &p->suback); break;
    case MQTT_PINGRESP: c->ping_sent = false; break;
    case MQTT_DISCONNECT:
        client_drop(c, ERR_CLOSED, p->end.reason, "the server ended the connection");
        break;
    default: auth_packet(c, &p->end); break; /* the decoder lets nothing else pass */
    }
    c->said = NULL;
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
            /* The first bytes of something else are no fault of an MQTT server. */
            bool stranger = c->state == CLIENT_HELLO;
            client_drop(c, ERR_PROTOCOL, stranger ? 0 : p.fault.reason,
                        stranger ? "what answers there does not speak MQTT" : p.fault.text);
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
            client_drop(c, err, 0,
                        c->state == CLIENT_HELLO ? "the connection ended before the server answered"
                                                 : "the connection ended");
            return;
        }
        size_t used = take_packets(c, in);
        if (c->stream == s)
            stream_consume(s, used);
    }
}
