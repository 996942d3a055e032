#include "codec/mqtt_internal.h"

bool mqtt_filter_next(struct cursor *at, enum mqtt_type type, struct str *filter, uint8_t *options)
{
    if (cursor_left(at) == 0)
        return false;
    *filter = cursor_str16(at);
    uint8_t o = type == MQTT_SUBSCRIBE ? cursor_u8(at) : 0;
    if (options)
        *options = o;
    return !at->failed;
}

void mqtt_put_filter(struct writer *w, enum mqtt_type type, struct str filter, uint8_t options)
{
    writer_str16(w, filter);
    if (type == MQTT_SUBSCRIBE)
        writer_u8(w, options);
}

static bool options_valid(struct mqtt_in *in, struct str filter, uint8_t options)
{
    uint8_t reserved = in->version == MQTT_V5 ? 0xC0 : 0xFC;
    if (options & reserved) /* [MQTT-3.8.3-5], 3.1.1 [MQTT-3-8.3-4] */
        return mqtt_fail(in, MQTT_RC_MALFORMED_PACKET, "reserved bits of the options are set");
    if (MQTT_SUB_QOS(options) == 3)
        return mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "a maximum QoS of 3");
    if (MQTT_SUB_RETAIN_HANDLING(options) == 3)
        return mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "a retain handling of 3");
    if ((options & MQTT_SUB_NO_LOCAL) && mqtt_share_parse(filter, NULL, NULL)) /* [MQTT-3.8.3-4] */
        return mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "no local on a shared subscription");
    return true;
}

/* SUBSCRIBE and UNSUBSCRIBE. */
bool mqtt_read_subscribe(struct mqtt_in *in, struct mqtt_packet *p)
{
    struct mqtt_subscribe *s = &p->subscribe;
    s->count = 0;
    if (!mqtt_in_id(in, &s->id) || !mqtt_in_props(in, p->type, &s->props))
        return false;
    s->filters.n = cursor_left(&in->c);
    s->filters.p = in->c.p;
    if (s->filters.n == 0) /* [MQTT-3.8.3-2], [MQTT-3.10.3-2] */
        return mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "no topic filter");
    struct str filter;
    uint8_t options;
    while (mqtt_filter_next(&in->c, p->type, &filter, &options)) {
        if (!mqtt_filter_valid(filter)) {
            bool text = mqtt_text_valid(filter);
            return mqtt_fail(in, text ? MQTT_RC_TOPIC_FILTER_INVALID : MQTT_RC_MALFORMED_PACKET,
                             text ? "an invalid topic filter" : "a topic filter is not UTF-8");
        }
        if (!options_valid(in, filter, options))
            return false;
        s->count++;
    }
    return mqtt_in_ok(in);
}

void mqtt_write_subscribe(struct mqtt_out *o, const struct mqtt_packet *p)
{
    const struct mqtt_subscribe *s = &p->subscribe;
    if (s->filters.n == 0)
        o->err = ERR_INVALID;
    mqtt_out_id(o, s->id);
    mqtt_out_props(o, p->type, &s->props, NULL, 0);
    mqtt_out_bytes(o, s->filters.p, s->filters.n);
}

/* SUBACK and UNSUBACK; the latter has codes in 5.0 only. */
bool mqtt_read_suback(struct mqtt_in *in, struct mqtt_packet *p)
{
    struct mqtt_suback *s = &p->suback;
    if (!mqtt_in_id(in, &s->id) || !mqtt_in_props(in, p->type, &s->props))
        return false;
    s->codes = (struct bytes){0};
    if (in->version != MQTT_V5 && p->type == MQTT_UNSUBACK)
        return true;
    s->codes = cursor_take(&in->c, cursor_left(&in->c));
    if (s->codes.n == 0)
        return mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "no reason code");
    for (size_t i = 0; i < s->codes.n; i++) {
        uint8_t code = s->codes.p[i];
        if (in->version == MQTT_V5) {
            if (!mqtt_in_reason(in, p->type, code))
                return false;
        } else if (code > 2 && (code != 0x80 || in->version == MQTT_V31)) { /* [MQTT-3.9.3-2] */
            return mqtt_fail(in, MQTT_RC_PROTOCOL_ERROR, "an unknown return code");
        }
    }
    return true;
}

void mqtt_write_suback(struct mqtt_out *o, const struct mqtt_packet *p)
{
    const struct mqtt_suback *s = &p->suback;
    mqtt_out_id(o, s->id);
    mqtt_out_props(o, p->type, &s->props, NULL, 0);
    if (o->version != MQTT_V5 && p->type == MQTT_UNSUBACK)
        return;
    if (s->codes.n == 0)
        o->err = ERR_INVALID;
    for (size_t i = 0; i < s->codes.n; i++) {
        if (o->version == MQTT_V5)
            mqtt_out_reason(o, p->type, s->codes.p[i]);
        else if (s->codes.p[i] & 0x80) /* 3.1.1 knows one failure, 3.1 none (3.8, 3.9) */
            mqtt_out_u8(o, o->version == MQTT_V311 ? 0x80u : 0);
        else
            mqtt_out_u8(o, s->codes.p[i]);
    }
}
