#include "client/mqtt_client_internal.h"

#include <string.h>

/* An alias is a number for a topic, good for one connection and one direction (5.0, 3.3.2.3.4). */

static void topic_free(struct mqtt_client *c, struct str *t)
{
    if (t->p)
        mem_free(c->cfg.alloc, (void *)(uintptr_t)t->p, t->n + 1);
    *t = (struct str){0};
}

static void clear(struct mqtt_client *c, struct aliases *a)
{
    for (unsigned i = 0; a->topics && i < a->max; i++)
        topic_free(c, &a->topics[i]);
    mem_free(c->cfg.alloc, a->topics, a->max * sizeof(*a->topics));
    *a = (struct aliases){0};
}

void aliases_fini(struct mqtt_client *c)
{
    clear(c, &c->aliases_in);
    clear(c, &c->aliases_out);
}

void aliases_online(struct mqtt_client *c, uint16_t out_max)
{
    aliases_fini(c);
    c->aliases_in.max = c->connect.props.topic_alias_max;
    c->aliases_out.max = out_max < c->cfg.topic_aliases ? out_max : c->cfg.topic_aliases;
}

/* Room for all topics, made when the first alias is used. */
static bool ready(struct mqtt_client *c, struct aliases *a)
{
    if (!a->topics)
        a->topics = mem_zero(c->cfg.alloc, a->max * sizeof(*a->topics));
    return a->topics != NULL;
}

static bool keep(struct mqtt_client *c, struct str *slot, struct str topic)
{
    char *copy = str_dup(c->cfg.alloc, topic);
    if (!copy)
        return false;
    topic_free(c, slot);
    *slot = (struct str){copy, topic.n};
    return true;
}

static bool wrong(struct mqtt_client *c, uint8_t reason, const char *text)
{
    client_drop(c, ERR_PROTOCOL, reason, text);
    return false;
}

bool alias_resolve(struct mqtt_client *c, struct mqtt_publish *m)
{
    struct aliases *a = &c->aliases_in;
    uint16_t alias = m->props.topic_alias;
    if (!(m->props.has & MQTT_HAS(MQTT_PROP_TOPIC_ALIAS))) {
        if (m->topic.n > 0)
            return true;
        return wrong(c, MQTT_RC_PROTOCOL_ERROR, "the server sent a message without a topic");
    }
    if (alias > a->max)
        return wrong(c, MQTT_RC_TOPIC_ALIAS_INVALID, "the server used an alias above our maximum");
    if (!ready(c, a) || (m->topic.n > 0 && !keep(c, &a->topics[alias - 1], m->topic))) {
        client_drop(c, ERR_NOMEM, 0, "no memory");
        return false;
    }
    m->topic = a->topics[alias - 1];
    if (m->topic.n > 0)
        return true;
    return wrong(c, MQTT_RC_PROTOCOL_ERROR, "the server used an alias that it had not made");
}

void alias_shorten(struct mqtt_client *c, struct mqtt_publish *m)
{
    struct aliases *a = &c->aliases_out;
    if (a->max == 0 || !ready(c, a))
        return;
    uint16_t i = 0;
    while (i < a->max && a->topics[i].p && !str_eq(a->topics[i], m->topic))
        i++;
    if (i < a->max && a->topics[i].p) {
        m->topic = (struct str){0};
    } else {
        /* The packet grows by the property and perhaps the length before it. */
        size_t size = mqtt_publish_size(c->cfg.version, m) + 8;
        if (c->server.packet_max && size > c->server.packet_max)
            return;
        if (i == a->max) { /* all are taken: the oldest goes */
            i = a->next;
            a->next = (uint16_t)((a->next + 1) % a->max);
        }
        if (!keep(c, &a->topics[i], m->topic))
            return;
    }
    m->props.has |= MQTT_HAS(MQTT_PROP_TOPIC_ALIAS);
    m->props.topic_alias = (uint16_t)(i + 1);
}
