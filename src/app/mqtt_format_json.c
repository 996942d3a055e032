#include "app/mqtt_format.h"

#include "codec/json.h"

#include <string.h>

/* An object that is being written; `pretty` as cJSON does it. */
struct object {
    struct strbuf *out;
    bool pretty, any;
    unsigned depth;
};

static void line(struct object *o)
{
    if (!o->pretty)
        return;
    strbuf_addc(o->out, '\n');
    for (unsigned i = 0; i < o->depth; i++)
        strbuf_addc(o->out, '\t');
}

static struct object begin(struct strbuf *out, bool pretty, unsigned depth)
{
    strbuf_addc(out, '{');
    return (struct object){.out = out, .pretty = pretty, .depth = depth};
}

static void key(struct object *o, struct str name)
{
    if (o->any)
        strbuf_addc(o->out, ',');
    o->any = true;
    line(o);
    strbuf_add_json(o->out, name);
    strbuf_addc(o->out, ':');
    if (o->pretty)
        strbuf_addc(o->out, '\t');
}

static void end(struct object *o)
{
    o->depth--;
    if (o->any)
        line(o);
    strbuf_addc(o->out, '}');
}

static void number(struct object *o, const char *name, int64_t v)
{
    key(o, str_from(name));
    strbuf_add_i64(o->out, v);
}

static void text(struct object *o, const char *name, struct str v)
{
    key(o, str_from(name));
    strbuf_add_json(o->out, v);
}

/* All user properties, in one object: a name may stand in it more than once. */
static void user_properties(struct object *o, struct bytes raw)
{
    struct cursor at = cursor_from(raw.p, raw.n);
    struct mqtt_prop p;
    key(o, STR("user-properties"));
    struct object inner = begin(o->out, o->pretty, o->depth + 1);
    while (mqtt_prop_next(&at, &p)) {
        if (p.id == MQTT_PROP_USER_PROPERTY) {
            key(&inner, p.name);
            strbuf_add_json(o->out, p.value);
        }
    }
    end(&inner);
}

static void property(struct object *o, const struct mqtt_prop *p, struct bytes raw, bool *user)
{
    switch (p->id) {
    case MQTT_PROP_PAYLOAD_FORMAT: number(o, "payload-format-indicator", p->number); break;
    case MQTT_PROP_MESSAGE_EXPIRY: number(o, "message-expiry-interval", p->number); break;
    case MQTT_PROP_TOPIC_ALIAS: number(o, "topic-alias", p->number); break;
    case MQTT_PROP_SUBSCRIPTION_ID: number(o, "subscription-identifier", p->number); break;
    case MQTT_PROP_CONTENT_TYPE: text(o, "content-type", p->value); break;
    case MQTT_PROP_RESPONSE_TOPIC: text(o, "response-topic", p->value); break;
    case MQTT_PROP_CORRELATION_DATA: text(o, "correlation-data", p->value); break;
    case MQTT_PROP_USER_PROPERTY:
        if (!*user)
            user_properties(o, raw);
        *user = true;
        break;
    default: break;
    }
}

static void properties(struct object *o, struct bytes raw)
{
    struct cursor at = cursor_from(raw.p, raw.n);
    struct mqtt_prop p;
    bool user = false;
    key(o, STR("properties"));
    struct object inner = begin(o->out, o->pretty, o->depth + 1);
    while (mqtt_prop_next(&at, &p))
        property(&inner, &p, raw, &user);
    end(&inner);
}

static bool is_json(struct bytes payload)
{
    struct json_reader r;
    struct json_token t;
    enum json_kind k;
    json_init(&r, payload);
    while ((k = json_next(&r, &t)) != JSON_END)
        if (k == JSON_ERROR)
            return false;
    return true;
}

static void time_stamp(struct object *o, const struct timespec *now)
{
    char second[40], zone[16];
    struct tm tm;
    localtime_r(&now->tv_sec, &tm);
    (void)strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &tm);
    (void)strftime(zone, sizeof(zone), "%z", &tm);
    key(o, STR("tst"));
    strbuf_addf(o->out, "\"%s.%06ld%s\"", second, now->tv_nsec / 1000, zone);
}

enum err mqtt_format_json(struct strbuf *out, const struct mqtt_shown *s, bool whole)
{
    const struct mqtt_publish *m = s->m;
    if (whole && !is_json(m->payload))
        return ERR_SYNTAX;
    struct object o = begin(out, s->pretty, 1);
    time_stamp(&o, &s->now);
    text(&o, "topic", m->topic);
    number(&o, "qos", m->qos);
    number(&o, "retain", m->retain);
    number(&o, "payloadlen", (int64_t)m->payload.n);
    if (m->qos > 0)
        number(&o, "mid", m->id);
    if (m->props.raw.n > 0)
        properties(&o, m->props.raw);
    key(&o, STR("payload"));
    if (whole)
        strbuf_add(out, m->payload.p, m->payload.n);
    else
        strbuf_add_json(out, (struct str){(const char *)m->payload.p, m->payload.n});
    end(&o);
    return ERR_OK;
}
