/* mqtt_model_check: what a correct client makes of the packets that come (mqtt_model.h). */
#pragma once

#include "tests/support/mqtt_model.h"

#include <stdlib.h>

/* ---- messages that come ---- */

static inline size_t model_find_held(const struct model_client *c, uint16_t id)
{
    size_t i = 0;
    while (i < c->held_n && c->held[i].id != id)
        i++;
    return i;
}

static inline void model_drop_held(struct model_client *c, size_t at)
{
    c->resent -= at < c->resent;
    memmove(&c->held[at], &c->held[at + 1], (c->held_n - at - 1) * sizeof(c->held[0]));
    c->held_n--;
}

static inline size_t model_counted(const struct model_client *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->held_n; i++)
        n += c->held[i].counted;
    return n;
}

/* For the first time, as the client sees it. */
static inline void model_fresh(struct model *m, struct model_client *c, uint16_t number,
                               unsigned qos, bool in_order)
{
    const struct model_message *x = &m->messages[number];
    int *last = &c->last[x->publisher][x->topic][qos];
    if (c->due[number] == DUE_NO)
        model_trace(m, "%c got %u", (int)('a' + (c - m->clients)), number);
    ASSERT(c->due[number] != DUE_NO); /* for no subscription */
    ASSERT(x->loose || !in_order || (int)number > *last);
    if (!x->loose && in_order)
        *last = number;
    if (qos == 2)
        ASSERT(c->got[number] == 0); /* twice */
    c->got[number] = 1;
}

static inline void model_publish_came(struct model *m, struct model_client *c,
                                      const struct mqtt_publish *p)
{
    char text[8] = "", *end = NULL;
    unsigned at = 0;
    ASSERT(p->payload.n > 0 && p->payload.n < sizeof(text));
    memcpy(text, p->payload.p, p->payload.n);
    unsigned number = (unsigned)strtoul(text, &end, 10);
    ASSERT(end > text && number < m->messages_n);
    const struct model_message *x = &m->messages[number];
    model_trace(m, "    message %u, QoS %u%s", number, p->qos, p->dup ? ", DUP" : "");
    ASSERT(str_eq(p->topic, str_from(model_topics[x->topic])) && p->qos <= x->qos && !p->retain);
    if (!p->qos) {
        ASSERT(!p->dup && !p->id);
        model_fresh(m, c, (uint16_t)number, 0, true);
        return;
    }
    ASSERT(p->id);
    at = (unsigned)model_find_held(c, p->id);
    if (p->dup && at < c->held_n) { /* once more: the same, in the old order */
        ASSERT(c->held[at].number == number && c->held[at].qos == p->qos);
        ASSERT(!c->held[at].received && !c->held[at].counted);
        ASSERT(at >= c->resent || c->unsure);
        c->resent = at;
        c->held[at].counted = true;
        ASSERT(model_counted(c) <= c->receive_max);
        return;
    }
    ASSERT(at == c->held_n);                                 /* an id in use */
    ASSERT(!p->dup || c->cut || (c->unsure && p->qos == 1)); /* DUP of what has never come */
    ASSERT(c->held_n < MODEL_HELD);
    model_fresh(m, c, (uint16_t)number, p->qos, !c->unsure);
    c->held[c->held_n++] = (struct model_held){
        .id = p->id, .number = (uint16_t)number, .qos = p->qos, .counted = true};
    ASSERT(model_counted(c) <= c->receive_max);
}

static inline void model_pubrel_came(struct model *m, struct model_client *c, uint16_t id)
{
    size_t at = model_find_held(c, id);
    if (at == c->held_n) { /* our PUBCOMP was lost with the connection, or with the broker */
        model_ack(m, c, MQTT_PUBCOMP, id);
        return;
    }
    ASSERT(c->held[at].qos == 2 && c->held[at].received);
    model_drop_held(c, at);
    model_ack(m, c, MQTT_PUBCOMP, id);
}

/* ---- acknowledgements that come ---- */

static inline struct model_out *model_out_of(struct model_client *c, uint16_t id)
{
    for (size_t i = 0; i < MODEL_OUT; i++)
        if (c->out[i].id == id)
            return &c->out[i];
    return NULL;
}

static inline void model_acked(struct model *m, struct model_client *c, const struct mqtt_packet *p)
{
    struct model_out *o = model_out_of(c, p->ack.id);
    ASSERT(p->ack.id && o);
    unsigned qos = m->messages[o->number].qos;
    switch (p->type) {
    case MQTT_PUBACK:
        ASSERT(qos == 1 && p->ack.reason < 0x80);
        model_due(m, o->number, DUE_YES);
        *o = (struct model_out){0};
        return;
    case MQTT_PUBREC:
        ASSERT(qos == 2 && p->ack.reason < 0x80);
        if (!o->known)
            model_due(m, o->number, DUE_YES);
        o->known = true;
        return;
    default: ASSERT(qos == 2 && o->released && p->ack.reason == 0); *o = (struct model_out){0};
    }
}

/* ---- all that comes ---- */

static inline void model_came(struct model *m, struct model_client *c, const struct mqtt_packet *p,
                              bool *bye)
{
    switch (p->type) {
    case MQTT_PUBLISH: model_publish_came(m, c, &p->publish); break;
    case MQTT_PUBREL:
        ASSERT(p->ack.reason == 0);
        model_pubrel_came(m, c, p->ack.id);
        break;
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBCOMP: model_acked(m, c, p); break;
    case MQTT_DISCONNECT: *bye = true; break;
    default: ASSERT(p->type == MQTT_PUBLISH); /* nobody has asked for another one */
    }
}

/* Whatever has come. Gives the reason of a DISCONNECT, 0 if there was none. `only`: stop behind
 * the first packet of this type, and give it (0: go on to the end). */
static inline bool model_read(struct model *m, struct model_client *c, enum mqtt_type only,
                              struct mqtt_packet *out)
{
    struct peer *p = model_peer(c);
    const struct mqtt_decoder d = {.version = (enum mqtt_version)c->version};
    struct mqtt_packet packet;
    size_t used;
    bool bye = false;
    for (;;) {
        enum mqtt_result r = mqtt_decode(&d, (struct bytes){p->in, p->n}, &packet, &used);
        ASSERT(r != MQTT_ERROR);
        if (r == MQTT_MORE)
            return bye;
        bool asked = only && packet.type == only;
        model_trace(m, "  %c < %s %u", (int)('a' + (c - m->clients)), mqtt_type_name(packet.type),
                    packet.type == MQTT_PUBLISH ? packet.publish.id : packet.ack.id);
        if (asked)
            *out = packet; /* without what it borrows */
        else
            model_came(m, c, &packet, &bye);
        peer_used(p, used);
        if (asked)
            return true;
    }
}

/* Lets things happen, and reads what came of it, until nothing more does; nobody may be thrown
 * out. */
static inline void model_settle(struct model *m)
{
    for (bool more = true; more;) {
        more = false;
        world_settle(&m->world);
        model_time(m);
        for (size_t i = 0; i < MODEL_CLIENTS; i++) {
            struct model_client *c = &m->clients[i];
            if (!c->open)
                continue;
            more = more || model_peer(c)->n;
            bool bye = model_read(m, c, 0, NULL);
            ASSERT(!bye && !model_peer(c)->ended);
        }
    }
}
