#include "client/mqtt_client_internal.h"

#include <string.h>

enum { RETAIN = 0x01, DUP = 0x08 }; /* of a PUBLISH's first byte */

static struct flight *flight_of(struct list *l)
{
    return CONTAINER_OF(l, struct flight, link);
}

static bool is_out(const struct flight *f)
{
    return f->state == FLIGHT_SENT || f->state == FLIGHT_REL_SENT;
}

/* Takes it out, then tells; the callback may publish. */
static void complete(struct mqtt_client *c, struct flight *f, enum err err, uint8_t reason)
{
    struct mqtt_done done = f->done;
    if (c->unsent == &f->link)
        c->unsent = f->link.next;
    list_del(&f->link);
    c->sent_n -= is_out(f);
    c->flights_n--;
    c->flights_bytes -= f->size;
    mem_free(c->cfg.alloc, f, sizeof(*f) + f->size);
    client_done(done, err, reason);
}

unsigned flights_free_ids(const struct mqtt_client *c, uint16_t from)
{
    unsigned free_ids = MQTT_IDS;
    LIST_EACH(&c->flights, it)
    {
        unsigned d = id_distance(from, flight_of(it)->id);
        free_ids = d < free_ids ? d : free_ids;
    }
    return free_ids;
}

/* As it is kept, or with an alias. */
static bool send_publish(struct mqtt_client *c, struct flight *f)
{
    if (c->aliases_out.max == 0)
        return stream_write(c->stream, f->packet, f->size) == ERR_OK;
    if (stream_write_room(c->stream) < f->size + ACK_ROOM)
        return false;
    struct mqtt_decoder d = {.version = c->cfg.version, .is_server = true};
    struct mqtt_packet p;
    size_t used;
    enum mqtt_result r = mqtt_decode(&d, (struct bytes){f->packet, f->size}, &p, &used);
    ASSERT(r == MQTT_OK);
    alias_shorten(c, &p.publish);
    client_send(c, &p);
    return true;
}

static bool send_one(struct mqtt_client *c, struct flight *f)
{
    if (c->sent_n >= c->server.receive_max)
        return false;
    if (f->state == FLIGHT_REL_UNSENT) {
        struct mqtt_packet rel = {.type = MQTT_PUBREL};
        rel.ack.id = f->id;
        if (stream_write_room(c->stream) < ACK_ROOM)
            return false;
        client_send(c, &rel);
        f->state = FLIGHT_REL_SENT;
    } else {
        if (!send_publish(c, f))
            return false;
        f->packet[0] |= DUP; /* should it be sent again */
        f->state = FLIGHT_SENT;
    }
    c->sent_n++;
    return true;
}

/* Why this server does not take it; 0: it does. */
static uint8_t refusal(const struct mqtt_client *c, const struct flight *f)
{
    if (f->state != FLIGHT_UNSENT)
        return 0;
    if (c->server.packet_max && f->size > c->server.packet_max)
        return MQTT_RC_PACKET_TOO_LARGE;
    if (f->qos > c->server.qos_max)
        return MQTT_RC_QOS_NOT_SUPPORTED;
    return (f->packet[0] & RETAIN) && !c->server.retain ? MQTT_RC_RETAIN_NOT_SUPPORTED : 0;
}

void flights_flush(struct mqtt_client *c)
{
    while (c->state == CLIENT_ONLINE && !c->stopping && c->unsent != &c->flights) {
        struct flight *f = flight_of(c->unsent);
        uint8_t reason = refusal(c, f);
        if (reason) {
            complete(c, f, ERR_DENIED, reason);
            continue;
        }
        if (!send_one(c, f))
            return;
        c->unsent = f->link.next;
    }
}

void flights_lost(struct mqtt_client *c)
{
    LIST_EACH(&c->flights, it)
    {
        struct flight *f = flight_of(it);
        if (f->state == FLIGHT_SENT)
            f->state = FLIGHT_UNSENT;
        else if (f->state == FLIGHT_REL_SENT)
            f->state = FLIGHT_REL_UNSENT;
    }
    c->unsent = c->flights.next;
    c->sent_n = 0;
}

/* In another session a message is a new one; what had come to PUBREL is the server's already. */
void flights_online(struct mqtt_client *c, bool session_present)
{
    LIST_EACH_SAFE(&c->flights, it)
    {
        struct flight *f = flight_of(it);
        if (session_present)
            continue;
        f->packet[0] &= (uint8_t)~DUP;
        if (f->state == FLIGHT_REL_UNSENT)
            complete(c, f, ERR_OK, MQTT_RC_SUCCESS);
    }
}

void flights_cancel(struct mqtt_client *c)
{
    while (!list_empty(&c->flights))
        complete(c, flight_of(c->flights.next), ERR_CANCELED, 0);
}

static struct flight *find_out(struct mqtt_client *c, uint16_t id)
{
    for (struct list *it = c->flights.next; it != c->unsent; it = it->next) {
        if (flight_of(it)->id == id)
            return flight_of(it);
    }
    return NULL;
}

/* What an acknowledgement means for the message with its id, by what was sent of that last. */
enum meaning { NOTHING, DONE, RELEASE, UNKNOWN, WRONG };
enum out { OUT_NONE, OUT_QOS1, OUT_QOS2, OUT_REL };
static const uint8_t meanings[4][3] = {
    /*             PUBACK   PUBREC   PUBCOMP */
    [OUT_NONE] = {NOTHING, UNKNOWN, NOTHING},
    [OUT_QOS1] = {DONE, WRONG, WRONG},
    [OUT_QOS2] = {WRONG, RELEASE, WRONG},
    [OUT_REL] = {WRONG, RELEASE, DONE},
};

static enum out out_of(const struct flight *f)
{
    if (!f)
        return OUT_NONE;
    if (f->state == FLIGHT_REL_SENT)
        return OUT_REL;
    return f->qos == 1 ? OUT_QOS1 : OUT_QOS2;
}

static void release(struct mqtt_client *c, uint16_t id, uint8_t reason)
{
    struct mqtt_packet rel = {.type = MQTT_PUBREL};
    rel.ack.id = id;
    rel.ack.reason = reason;
    client_send(c, &rel);
}

/* PUBREC: the message is the server's now, or it does not want it; PUBREL lets it go. */
static void on_pubrec(struct mqtt_client *c, struct flight *f, const struct mqtt_ack *a)
{
    if (f->state == FLIGHT_SENT && a->reason >= 0x80) {
        complete(c, f, ERR_DENIED, a->reason);
        return;
    }
    f->state = FLIGHT_REL_SENT;
    release(c, a->id, MQTT_RC_SUCCESS);
}

void flights_ack(struct mqtt_client *c, enum mqtt_type type, const struct mqtt_ack *a)
{
    struct flight *f = find_out(c, a->id);
    unsigned column = type == MQTT_PUBACK ? 0 : type == MQTT_PUBREC ? 1 : 2;
    switch ((enum meaning)meanings[out_of(f)][column]) {
    case DONE:
        /* PUBCOMP 0x92 says that the server knew it no more: it is done all the same. */
        complete(c, f, type == MQTT_PUBCOMP || a->reason < 0x80 ? ERR_OK : ERR_DENIED, a->reason);
        break;
    case RELEASE: on_pubrec(c, f, a); break;
    case UNKNOWN:
        if (a->reason < 0x80)
            release(c, a->id, MQTT_RC_PACKET_ID_NOT_FOUND);
        break;
    case WRONG:
        client_drop(c, ERR_PROTOCOL, MQTT_RC_PROTOCOL_ERROR,
                    "the server acknowledged in the wrong way");
        return;
    default: break;
    }
    flights_flush(c);
}

static enum err publish_now(struct mqtt_client *c, struct mqtt_publish *m, size_t size)
{
    if (c->state != CLIENT_ONLINE)
        return ERR_CLOSED;
    if (c->aliases_out.max && stream_write_room(c->stream) >= size + ACK_ROOM) {
        alias_shorten(c, m);
        size = mqtt_publish_size(c->cfg.version, m);
    }
    uint8_t *room = stream_reserve(c->stream, size);
    if (!room)
        return ERR_FULL;
    struct writer w = writer_from(room, size);
    enum err err = mqtt_put_publish(c->cfg.version, m, &w);
    stream_commit(c->stream, err ? 0 : size);
    return err;
}

static enum err check(const struct mqtt_client *c, const struct mqtt_publish *m, size_t size)
{
    bool online = c->state == CLIENT_ONLINE;
    if (c->stopping || c->state == CLIENT_ENDED)
        return ERR_CLOSED;
    if (size > c->cfg.packet_max || (online && c->server.packet_max && size > c->server.packet_max))
        return ERR_RANGE;
    if (m->qos > 0 && size > c->cfg.inflight_bytes_max)
        return ERR_RANGE; /* it would never have room */
    if (online && (m->qos > c->server.qos_max || (m->retain && !c->server.retain)))
        return ERR_UNSUPPORTED;
    return ERR_OK;
}

static enum err queue(struct mqtt_client *c, struct mqtt_publish *m, size_t size,
                      struct mqtt_done done)
{
    if (c->flights_n >= c->cfg.inflight_max || c->flights_bytes + size > c->cfg.inflight_bytes_max)
        return ERR_FULL;
    struct flight *f = mem_new(c->cfg.alloc, sizeof(*f) + size);
    if (!f)
        return ERR_NOMEM;
    *f = (struct flight){.done = done, .id = client_next_id(c), .qos = m->qos, .size = size};
    m->id = f->id;
    struct writer w = writer_from(f->packet, size);
    enum err err = mqtt_put_publish(c->cfg.version, m, &w);
    if (err) {
        mem_free(c->cfg.alloc, f, sizeof(*f) + size);
        return err;
    }
    list_add_tail(&c->flights, &f->link);
    c->flights_n++;
    c->flights_bytes += size;
    if (c->unsent == &c->flights)
        c->unsent = &f->link;
    flights_flush(c);
    return ERR_OK;
}

enum err mqtt_client_publish(struct mqtt_client *c, const struct mqtt_publish *m,
                             struct mqtt_done done)
{
    struct mqtt_publish out = *m;
    out.dup = false;
    out.id = out.qos ? 1 : 0; /* for its size */
    out.props.has &= ~MQTT_HAS(MQTT_PROP_TOPIC_ALIAS);
    if (!mqtt_topic_valid(out.topic))
        return ERR_INVALID;
    size_t size = mqtt_publish_size(c->cfg.version, &out);
    if (size == 0)
        return ERR_INVALID;
    enum err err = check(c, &out, size);
    if (err)
        return err;
    return out.qos == 0 ? publish_now(c, &out, size) : queue(c, &out, size, done);
}

size_t mqtt_client_inflight(const struct mqtt_client *c)
{
    return c->flights_n;
}
