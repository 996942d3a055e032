#include "mqttlib/mqttlib_internal.h"

#include <string.h>

/* --- out ----------------------------------------------------------------------------------- */

enum err pairs_out(const struct sedge_mqtt_pair *pairs, size_t n, struct strbuf *raw)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t room[16];
        struct str name = str_from(pairs[i].name), value = str_from(pairs[i].value);
        struct writer w = writer_from(room, sizeof(room));
        if (name.n > UINT16_MAX || value.n > UINT16_MAX)
            return ERR_RANGE;
        writer_u8(&w, MQTT_PROP_USER_PROPERTY);
        writer_u16(&w, (uint16_t)name.n);
        strbuf_add(raw, room, writer_len(&w));
        strbuf_addstr(raw, name);
        w = writer_from(room, sizeof(room));
        writer_u16(&w, (uint16_t)value.n);
        strbuf_add(raw, room, writer_len(&w));
        strbuf_addstr(raw, value);
    }
    return raw->failed ? ERR_NOMEM : ERR_OK;
}

static void set_text(struct mqtt_props *p, enum mqtt_prop_id id, struct str *field,
                     const char *text)
{
    if (!text)
        return;
    p->has |= MQTT_HAS(id);
    *field = str_from(text);
}

static enum err props_out(const struct sedge_mqtt_properties *from, struct strbuf *raw,
                          struct mqtt_props *p)
{
    for (size_t i = 0; i < ARRAY_LEN(from->reserved); i++)
        if (from->reserved[i])
            return ERR_INVALID;
    set_text(p, MQTT_PROP_CONTENT_TYPE, &p->content_type, from->content_type);
    set_text(p, MQTT_PROP_RESPONSE_TOPIC, &p->response_topic, from->response_topic);
    if (from->correlation) {
        p->has |= MQTT_HAS(MQTT_PROP_CORRELATION_DATA);
        p->correlation_data = (struct bytes){from->correlation, from->correlation_n};
    }
    if (from->expiry_s) {
        p->has |= MQTT_HAS(MQTT_PROP_MESSAGE_EXPIRY);
        p->message_expiry_s = from->expiry_s;
    }
    if (from->is_text) {
        p->has |= MQTT_HAS(MQTT_PROP_PAYLOAD_FORMAT);
        p->payload_format = 1;
    }
    if (from->will_delay_s) {
        p->has |= MQTT_HAS(MQTT_PROP_WILL_DELAY);
        p->will_delay_s = from->will_delay_s;
    }
    enum err err = pairs_out(from->user, from->user_n, raw);
    p->raw = (struct bytes){(const uint8_t *)raw->p, raw->n};
    return err;
}

enum err message_out(const struct sedge_mqtt_message *from, struct strbuf *raw,
                     struct mqtt_publish *m)
{
    *m = (struct mqtt_publish){
        .topic = str_from(from->topic),
        .payload = {from->payload, from->payload_n},
        .qos = from->qos,
        .retain = from->retain,
    };
    if (from->qos > 2 || from->reserved[0] || from->reserved[1])
        return ERR_INVALID;
    return from->properties ? props_out(from->properties, raw, &m->props) : ERR_OK;
}

/* --- in ------------------------------------------------------------------------------------ */

/* What a message needs behind its struct. */
struct need {
    size_t users, ids, bytes;
};

static struct need need_of(const struct mqtt_publish *m)
{
    const struct mqtt_props *p = &m->props;
    struct need n = {.bytes = m->topic.n + m->payload.n + p->content_type.n + p->response_topic.n +
                              p->correlation_data.n + 5};
    struct cursor at = cursor_from(p->raw.p, p->raw.n);
    struct mqtt_prop prop;
    while (mqtt_prop_next(&at, &prop)) {
        n.ids += prop.id == MQTT_PROP_SUBSCRIPTION_ID;
        if (prop.id == MQTT_PROP_USER_PROPERTY) {
            n.users++;
            n.bytes += prop.name.n + prop.value.n + 2;
        }
    }
    return n;
}

/* Copies to *at, with a NUL behind it. */
static char *put(char **at, const void *p, size_t n)
{
    char *to = *at;
    if (n)
        memcpy(to, p, n);
    to[n] = '\0';
    *at += n + 1;
    return to;
}

static const char *put_text(char **at, const struct mqtt_props *p, enum mqtt_prop_id id,
                            struct str text)
{
    return p->has & MQTT_HAS(id) ? put(at, text.p, text.n) : NULL;
}

static void fill_lists(struct lib_message *l, const struct mqtt_publish *m,
                       struct sedge_mqtt_pair *user, uint32_t *ids, char **at)
{
    struct cursor c = cursor_from(m->props.raw.p, m->props.raw.n);
    struct mqtt_prop prop;
    l->props.user = user;
    l->props.subscription_ids = ids;
    while (mqtt_prop_next(&c, &prop)) {
        if (prop.id == MQTT_PROP_SUBSCRIPTION_ID) {
            ids[l->props.subscription_ids_n++] = prop.number;
        } else if (prop.id == MQTT_PROP_USER_PROPERTY) {
            struct sedge_mqtt_pair *pair = &user[l->props.user_n++];
            pair->name = put(at, prop.name.p, prop.name.n);
            pair->value = put(at, prop.value.p, prop.value.n);
        }
    }
}

static void fill(struct lib_message *l, const struct mqtt_publish *m, char *at)
{
    const struct mqtt_props *p = &m->props;
    l->m.topic = put(&at, m->topic.p, m->topic.n);
    l->m.payload = put(&at, m->payload.p, m->payload.n);
    l->m.payload_n = m->payload.n;
    l->m.qos = m->qos;
    l->m.retain = m->retain;
    l->m.dup = m->dup;
    l->m.properties = &l->props;
    l->props.content_type = put_text(&at, p, MQTT_PROP_CONTENT_TYPE, p->content_type);
    l->props.response_topic = put_text(&at, p, MQTT_PROP_RESPONSE_TOPIC, p->response_topic);
    l->props.correlation =
        put_text(&at, p, MQTT_PROP_CORRELATION_DATA,
                 (struct str){(const char *)p->correlation_data.p, p->correlation_data.n});
    l->props.correlation_n = p->correlation_data.n;
    l->props.expiry_s = p->message_expiry_s;
    l->props.is_text = p->payload_format == 1;
}

struct lib_message *message_in(struct sedge_mqtt *c, const struct mqtt_publish *m)
{
    struct need n = need_of(m);
    size_t lists = n.users * sizeof(struct sedge_mqtt_pair) + n.ids * sizeof(uint32_t);
    size_t size = sizeof(struct lib_message) + lists + n.bytes;
    struct lib_message *l = mem_new(c->alloc, size);
    if (!l)
        return NULL;
    *l = (struct lib_message){
        .client = c, .receipt = mqtt_client_receipt(c->client, m), .size = size};
    struct sedge_mqtt_pair *user = (struct sedge_mqtt_pair *)(l + 1);
    uint32_t *ids = (uint32_t *)(user + n.users);
    char *at = (char *)(ids + n.ids);
    fill_lists(l, m, user, ids, &at);
    fill(l, m, at);
    return l;
}

void message_free(struct lib_message *l)
{
    mem_free(l->client->alloc, l, l->size);
}
