#include "load/load_internal.h"

#include <stdio.h>
#include <string.h>

enum { PACKET_MAX = 1024 };

static void send_packet(struct load_run *r, struct load_conn *c, const struct mqtt_packet *p)
{
    uint8_t b[PACKET_MAX];
    struct writer w = writer_from(b, sizeof(b));
    enum err err = mqtt_encode(r->cfg->version, p, &w);
    if (err)
        (void)load_fail(r, err, "%s cannot be encoded (%s)", mqtt_type_name(p->type),
                        err_name(err));
    else
        load_conn_send(r, c, b, writer_len(&w));
}

void load_send_connect(struct load_run *r, struct load_conn *c)
{
    char id[40];
    int n = snprintf(id, sizeof(id), "bench-%08x-%u", r->id, c->index);
    bool lasting = r->cfg->persistent && c->sub && !r->removing;
    struct mqtt_packet p = {
        .type = MQTT_CONNECT,
        .connect = {.version = r->cfg->version,
                    .clean_start = !lasting,
                    .client_id = {id, (size_t)n},
                    .has_user = r->cfg->has_user,
                    .has_password = r->cfg->has_password,
                    .user = r->cfg->user,
                    .password = {(const uint8_t *)r->cfg->password.p, r->cfg->password.n}}};
    if (lasting && r->cfg->version == MQTT_V5) {
        p.connect.props.has = MQTT_HAS(MQTT_PROP_SESSION_EXPIRY);
        p.connect.props.session_expiry_s = 3600;
    }
    send_packet(r, c, &p);
}

static void send_subscribe(struct load_run *r, struct load_conn *c)
{
    char filter[64];
    uint8_t b[128];
    struct writer w = writer_from(b, sizeof(b));
    size_t n = load_filter(r, c->index, filter);
    mqtt_put_filter(&w, MQTT_SUBSCRIBE, (struct str){filter, n}, r->cfg->qos);
    struct mqtt_packet p = {
        .type = MQTT_SUBSCRIBE,
        .subscribe = {.id = 1, .count = 1, .filters = {b, writer_len(&w)}},
    };
    send_packet(r, c, &p);
}

static void is_ready(struct load_run *r, struct load_conn *c)
{
    c->state = LOAD_READY;
    r->ready++;
}

static void take_connack(struct load_run *r, struct load_conn *c, const struct mqtt_connack *a)
{
    if (c->state != LOAD_CONNACK) {
        (void)load_fail(r, ERR_PROTOCOL, "the broker sends a second CONNACK");
        return;
    }
    if (a->reason) {
        (void)load_fail(r, ERR_DENIED, "the broker refuses a connection with 0x%02x", a->reason);
        return;
    }
    if (a->props.has & MQTT_HAS(MQTT_PROP_RECEIVE_MAX) && a->props.receive_max < r->inflight)
        r->inflight = a->props.receive_max;
    if (!r->removing && (c->sub || (!c->pub && r->cfg->subscribed))) {
        c->state = LOAD_SUBACK;
        send_subscribe(r, c);
    } else {
        is_ready(r, c);
    }
}

static void take_suback(struct load_run *r, struct load_conn *c, const struct mqtt_suback *a)
{
    if (c->state != LOAD_SUBACK || a->codes.n != 1)
        (void)load_fail(r, ERR_PROTOCOL, "the broker sends a SUBACK that nobody waits for");
    else if (a->codes.p[0] != r->cfg->qos)
        (void)load_fail(r, ERR_DENIED, "the broker grants 0x%02x for a subscription of QoS %u",
                        a->codes.p[0], r->cfg->qos);
    else
        is_ready(r, c);
}

void load_take_other(struct load_run *r, struct load_conn *c, struct bytes packet)
{
    struct mqtt_decoder d = {.version = r->cfg->version};
    struct mqtt_packet p;
    size_t used;
    if (mqtt_decode(&d, packet, &p, &used) != MQTT_OK) {
        (void)load_fail(r, ERR_PROTOCOL, "the broker sends a bad packet: %s", p.fault.text);
        return;
    }
    switch (p.type) {
    case MQTT_CONNACK: take_connack(r, c, &p.connack); break;
    case MQTT_SUBACK: take_suback(r, c, &p.suback); break;
    case MQTT_DISCONNECT:
        (void)load_fail(r, ERR_CLOSED, "the broker ends a connection: %s",
                        mqtt_reason_name(p.end.reason));
        break;
    default:
        (void)load_fail(r, ERR_PROTOCOL, "the broker sends %s, which nobody asked for",
                        mqtt_type_name(p.type));
    }
}

void load_send_end(struct load_run *r, struct load_conn *c)
{
    send_packet(r, c, &(struct mqtt_packet){.type = MQTT_DISCONNECT});
}

enum err load_make_pattern(struct load_run *r, size_t publisher)
{
    struct load_publisher *p = &r->pubs[publisher];
    char topic[64];
    uint8_t *payload = mem_zero(r->alloc, r->cfg->payload);
    if (!payload)
        return ERR_NOMEM;
    uint32_t number = (uint32_t)publisher;
    memcpy(payload, &r->id, 4);
    memcpy(payload + 4, &number, 4);
    struct mqtt_publish m = {
        .qos = r->cfg->qos,
        .id = r->cfg->qos ? 1 : 0,
        .topic = {topic, load_topic(r, publisher, topic)},
        .payload = {payload, r->cfg->payload},
    };
    p->packet_n = mqtt_publish_size(r->cfg->version, &m);
    p->packet = mem_new(r->alloc, p->packet_n);
    enum err err = ERR_NOMEM;
    if (p->packet) {
        struct writer w = writer_from(p->packet, p->packet_n);
        err = mqtt_put_publish(r->cfg->version, &m, &w);
        p->payload_at = p->packet_n - r->cfg->payload;
        size_t behind_id = r->cfg->version == MQTT_V5 ? 1 : 0; /* no properties */
        p->id_at = p->payload_at - behind_id - 2;
    }
    mem_free(r->alloc, payload, r->cfg->payload);
    return err;
}
