#include "client/mqtt_client_internal.h"

#include <string.h>

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

static bool send_one(struct mqtt_client *c, struct flight *f)
{
    if (c->sent_n >= c->receive_max)
        return false;
    if (f->state == FLIGHT_REL_UNSENT) {
        struct mqtt_packet rel = {.type = MQTT_PUBREL};
        rel.ack.id = f->id;
        if (stream_write_room(c->stream) < 64)
            return false;
        client_send(c, &rel);
        f->state = FLIGHT_REL_SENT;
    } else {
        if (stream_write(c->stream, f->packet, f->size))
            return false;
        f->packet[0] |= 0x08; /* DUP, should it be sent again */
        f->state = FLIGHT_SENT;
    }
    c->sent_n++;
    return true;
}

void flights_flush(struct mqtt_client *c)
{
    while (c->state == CLIENT_ONLINE && c->unsent != &c->flights) {
        struct flight *f = flight_of(c->unsent);
        if (f->state == FLIGHT_UNSENT && c->server_packet_max && f->size > c->server_packet_max) {
            complete(c, f, ERR_DENIED, MQTT_RC_PACKET_TOO_LARGE);
            continue;
        }
        if (f->state == FLIGHT_UNSENT && f->qos > c->server_qos_max) {
            complete(c, f, ERR_DENIED, MQTT_RC_QOS_NOT_SUPPORTED);
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

/* PUBREC: the message is the server's now; PUBREL lets it go. */
static void on_pubrec(struct mqtt_client *c, struct flight *f, const struct mqtt_ack *a)
{
    if (f && f->state == FLIGHT_SENT && a->reason >= 0x80) {
        complete(c, f, ERR_DENIED, a->reason);
        return;
    }
    struct mqtt_packet rel = {.type = MQTT_PUBREL};
    rel.ack.id = a->id;
    if (f && f->qos == 2)
        f->state = FLIGHT_REL_SENT;
    else if (a->reason >= 0x80)
        return;
    else
        rel.ack.reason = MQTT_RC_PACKET_ID_NOT_FOUND;
    client_send(c, &rel);
}

void flights_ack(struct mqtt_client *c, enum mqtt_type type, const struct mqtt_ack *a)
{
    struct flight *f = find_out(c, a->id);
    if (type == MQTT_PUBREC) {
        on_pubrec(c, f, a);
    } else if (f && f->qos == (type == MQTT_PUBACK ? 1 : 2)) {
        /* PUBCOMP 0x92 says that the server knew it no more: it is done all the same. */
        bool ok = type == MQTT_PUBCOMP || a->reason < 0x80;
        complete(c, f, ok ? ERR_OK : ERR_DENIED, a->reason);
    }
    flights_flush(c);
}

static enum err publish_now(struct mqtt_client *c, const struct mqtt_publish *m, size_t size)
{
    if (c->state != CLIENT_ONLINE)
        return ERR_CLOSED;
    uint8_t *room = stream_reserve(c->stream, size);
    if (!room)
        return ERR_FULL;
    struct writer w = writer_from(room, size);
    enum err err = mqtt_put_publish(c->cfg.version, m, &w);
    stream_commit(c->stream, err ? 0 : size);
    return err;
}

enum err mqtt_client_publish(struct mqtt_client *c, const struct mqtt_publish *m,
                             struct mqtt_done done)
{
    struct mqtt_publish out = *m;
    out.dup = false;
    out.id = out.qos ? 1 : 0; /* for its size */
    if (!mqtt_topic_valid(out.topic))
        return ERR_INVALID;
    size_t size = mqtt_publish_size(c->cfg.version, &out);
    if (size == 0)
        return ERR_INVALID;
    bool online = c->state == CLIENT_ONLINE;
    if (size > c->cfg.packet_max || (online && c->server_packet_max && size > c->server_packet_max))
        return ERR_RANGE;
    if (online && out.qos > c->server_qos_max)
        return ERR_UNSUPPORTED;
    if (out.qos == 0)
        return publish_now(c, &out, size);
    if (c->stopping || c->state == CLIENT_ENDED)
        return ERR_CLOSED;
    if (c->flights_n >= c->cfg.inflight_max || c->flights_bytes + size > c->cfg.inflight_bytes_max)
        return ERR_FULL;
    struct flight *f = mem_new(c->cfg.alloc, sizeof(*f) + size);
    if (!f)
        return ERR_NOMEM;
    *f = (struct flight){.done = done, .id = client_next_id(c), .qos = out.qos, .size = size};
    out.id = f->id;
    struct writer w = writer_from(f->packet, size);
    enum err err = mqtt_put_publish(c->cfg.version, &out, &w);
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

size_t mqtt_client_inflight(const struct mqtt_client *c)
{
    return c->flights_n;
}
