#include "client/mqtt_client_internal.h"

#include <string.h>

static unsigned receive_max(const struct mqtt_client *c)
{
    return c->cfg.receive_max ? c->cfg.receive_max : UINT16_MAX;
}

static bool is_known(const struct mqtt_client *c, uint16_t id)
{
    return c->received && (c->received[id / 8] & 1u << id % 8);
}

static void remember(struct mqtt_client *c, uint16_t id)
{
    c->received[id / 8] |= (uint8_t)(1u << id % 8);
    c->received_n++;
}

static bool forget(struct mqtt_client *c, uint16_t id)
{
    if (!is_known(c, id))
        return false;
    c->received[id / 8] &= (uint8_t) ~(1u << id % 8);
    c->received_n--;
    return true;
}

/* What QoS 2 remembers is the session's; what waits for mqtt_client_ack() was the connection's. */
void receive_online(struct mqtt_client *c, bool session_present)
{
    c->unacked_n = 0;
    if (session_present || !c->received)
        return;
    memset(c->received, 0, RECEIVED_BYTES);
    c->received_n = 0;
}

static void acknowledge(struct mqtt_client *c, uint16_t id, uint8_t qos, uint8_t reason)
{
    struct mqtt_packet ack = {.type = qos == 1 ? MQTT_PUBACK : MQTT_PUBREC};
    ack.ack.id = id;
    ack.ack.reason = c->cfg.version == MQTT_V5 ? reason : 0;
    if (qos == 2 && ack.ack.reason >= 0x80)
        (void)forget(c, id);
    client_send(c, &ack);
}

/* Takes a QoS 1 or 2 message into account; false: the connection was given up. */
static bool count(struct mqtt_client *c, const struct mqtt_publish *m)
{
    if (m->qos == 2 && !c->received) {
        c->received = mem_zero(c->cfg.alloc, RECEIVED_BYTES);
        if (!c->received) {
            client_drop(c, ERR_NOMEM, 0, "no memory");
            return false;
        }
    }
    if (c->received_n + c->unacked_n >= receive_max(c)) {
        client_drop(c, ERR_PROTOCOL, MQTT_RC_RECEIVE_MAXIMUM_EXCEEDED,
                    "the server sent more messages than we have asked for");
        return false;
    }
    if (m->qos == 2)
        remember(c, m->id);
    else if (c->cfg.acks_by_hand)
        c->unacked_n++;
    return true;
}

void receive_publish(struct mqtt_client *c, const struct mqtt_publish *received)
{
    struct mqtt_publish m = *received;
    bool known = m.qos == 2 && is_known(c, m.id);
    if (!alias_resolve(c, &m) || (m.qos > 0 && !known && !count(c, &m)))
        return;
    if (!known && c->cfg.message)
        c->cfg.message(c->cfg.ctx, &m);
    if (m.qos > 0 && (known || !c->cfg.acks_by_hand))
        acknowledge(c, m.id, m.qos, MQTT_RC_SUCCESS);
}

void receive_pubrel(struct mqtt_client *c, const struct mqtt_ack *a)
{
    struct mqtt_packet comp = {.type = MQTT_PUBCOMP};
    comp.ack.id = a->id;
    if (!forget(c, a->id))
        comp.ack.reason = MQTT_RC_PACKET_ID_NOT_FOUND;
    client_send(c, &comp);
}

struct mqtt_receipt mqtt_client_receipt(const struct mqtt_client *c, const struct mqtt_publish *m)
{
    return (struct mqtt_receipt){.connection = c->connections, .id = m->id, .qos = m->qos};
}

void mqtt_client_ack(struct mqtt_client *c, struct mqtt_receipt r, uint8_t reason)
{
    bool awaited = r.qos == 2 ? is_known(c, r.id) : r.qos == 1 && c->unacked_n > 0;
    if (!c->cfg.acks_by_hand || c->state != CLIENT_ONLINE || r.connection != c->connections ||
        !awaited)
        return;
    c->unacked_n -= r.qos == 1;
    acknowledge(c, r.id, r.qos, reason);
}

void mqtt_client_refuse(struct mqtt_client *c, struct mqtt_receipt r)
{
    if (r.qos == 0 || r.connection != c->connections || c->state != CLIENT_ONLINE)
        return;
    if (r.qos == 2)
        (void)forget(c, r.id);
    client_drop(c, ERR_FULL, 0, "a message could not be kept");
}
