/* decode: telemetry payloads to samples, without building a tree.
 *
 * Understood are objects whose keys are properties, `{"ts": ms, "values": {…}}`, arrays of both,
 * and (decode_value) one bare value. Two passes: the first proves that the document is whole and
 * finds its time, the second makes the samples; so half a document makes none. */
#include "base/utf8.h"
#include "codec/json.h"
#include "registry/registry_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 256, CLOCK_AHEAD_MAX_MS = 24 * 3600 * 1000 };
#define TS_MIN_MS 946684800000LL /* 2000-01-01: earlier is a device without a clock */

static void note(char error[160], const char *fmt, ...) PRINTF_LIKE(2, 3);
static void note(char error[160], const char *fmt, ...)
{
    if (error[0])
        return; /* the first one counts */
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(error, 160, fmt, ap);
    va_end(ap);
}

static const char *kind_text(enum json_kind k)
{
    switch (k) {
    case JSON_STRING: return "a string";
    case JSON_NUMBER: return "a number";
    case JSON_TRUE:
    case JSON_FALSE: return "a boolean";
    case JSON_NULL: return "null";
    case JSON_OBJECT: return "an object";
    default: return "a list";
    }
}

static bool number_value(enum value_kind want, struct str raw, struct value *v)
{
    if (want == VALUE_INT && json_integer(raw, &v->i) == ERR_OK) {
        v->kind = VALUE_INT;
        return true;
    }
    double d;
    if (json_number(raw, &d))
        return false;
    if (want == VALUE_FLOAT)
        *v = (struct value){.kind = VALUE_FLOAT, .f = d};
    else if (want == VALUE_BOOL && (d == 0 || d == 1))
        *v = (struct value){.kind = VALUE_BOOL, .b = d == 1};
    else
        return false;
    return true;
}

/* One scalar as the property wants it. false: it can't be. */
static bool scalar(enum value_kind want, const struct json_token *t, char text[TEXT_MAX],
                   struct value *v)
{
    switch (t->kind) {
    case JSON_NUMBER: return number_value(want, t->raw, v);
    case JSON_TRUE:
    case JSON_FALSE:
        *v = (struct value){.kind = VALUE_BOOL, .b = t->kind == JSON_TRUE};
        return want == VALUE_BOOL;
    case JSON_STRING:
        v->kind = VALUE_STR;
        return want == VALUE_STR && json_unescape(t->raw, text, TEXT_MAX, &v->s) == ERR_OK;
    default: return false;
    }
}

enum quality decode_quality(const struct property_def *d, const struct value *v, enum quality q)
{
    double n = value_number(v);
    return d->has_range && (n < d->min || n > d->max) ? QUALITY_BAD : q;
}

static void emit(const struct decode_target *t, struct device_property *p, const struct value *v,
                 int64_t ts_ms, enum quality quality)
{
    struct sample s = {.series = p->series,
                       .ts_ms = ts_ms,
                       .value = *v,
                       .quality = decode_quality(p->def, v, quality)};
    t->sample(t->ctx, p, &s);
}

static const char *want_text(enum value_kind k)
{
    static const char *const texts[] = {"nothing", "a boolean", "an integer", "a number",
                                        "a string"};
    return texts[k];
}

/* The token is a value of the property. Returns the number of samples, 0 or 1. */
static size_t property_token(const struct decode_target *t, struct device_property *p,
                             const struct json_token *token, int64_t ts_ms, enum quality q,
                             char error[160])
{
    char text[TEXT_MAX];
    struct value v = {0};
    if (token->kind == JSON_NULL)
        return 0; /* said to have no value: it will turn stale */
    if (!scalar(p->def->kind, token, text, &v)) {
        note(error, "%.*s: expected %s, got %s %.*s", STR_FMT(p->def->name),
             want_text(p->def->kind), kind_text(token->kind),
             (int)(token->raw.n < 40 ? token->raw.n : 40), token->raw.p);
        return 0;
    }
    emit(t, p, &v, ts_ms, q);
    return 1;
}

/* When it was measured: the device's word if it is plausible, else when it came in. */
static int64_t sample_time(const struct decode_target *t, const struct json_token *ts,
                           enum quality *q, char error[160])
{
    int64_t ms = 0;
    double d;
    *q = QUALITY_GOOD;
    if (ts->kind != JSON_NUMBER)
        return t->arrived_ms;
    if (json_integer(ts->raw, &ms) && json_number(ts->raw, &d) == ERR_OK && fabs(d) < 1e15)
        ms = (int64_t)d;
    if (ms >= TS_MIN_MS && ms <= t->arrived_ms + CLOCK_AHEAD_MAX_MS)
        return ms;
    note(error,
         "ts: %.*s is no plausible time in milliseconds since 1970; the time of arrival "
         "is used",
         (int)(ts->raw.n < 30 ? ts->raw.n : 30), ts->raw.p);
    *q = QUALITY_UNCERTAIN;
    return t->arrived_ms;
}

struct object_view {
    struct json_token ts;
    struct str values; /* "" unless there is a member "values" that is an object */
};

/* The reader stands behind the opening brace, and so it does afterwards. */
static void object_look(struct json_reader at, struct object_view *view)
{
    struct json_token key, value;
    *view = (struct object_view){0};
    while (json_next(&at, &key) == JSON_KEY) {
        (void)json_next(&at, &value);
        struct str raw;
        if (json_skip(&at, &value, &raw))
            return;
        if (json_text_is(&key, STR("ts")))
            view->ts = value;
        else if (value.kind == JSON_OBJECT && json_text_is(&key, STR("values")))
            view->values = raw;
    }
}

static size_t members(const struct decode_target *t, struct json_reader *r, int64_t ts_ms,
                      enum quality q, char error[160])
{
    const struct model_def *model = t->device->model;
    struct json_token key, value;
    size_t n = 0;
    while (json_next(r, &key) == JSON_KEY) {
        (void)json_next(r, &value);
        for (size_t i = 0; i < model->property_count; i++)
            if (json_text_is(&key, model->properties[i].name))
                n += property_token(t, &t->device->props[i], &value, ts_ms, q, error);
        if (json_skip(r, &value, NULL))
            break;
    }
    return n;
}

/* The reader stands behind an opening brace; afterwards behind the closing one. */
static size_t object(const struct decode_target *t, struct json_reader *r, char error[160])
{
    struct object_view view;
    enum quality q;
    object_look(*r, &view);
    int64_t ts_ms = sample_time(t, &view.ts, &q, error);
    if (!view.values.n)
        return members(t, r, ts_ms, q, error);
    struct json_reader inner;
    struct json_token token;
    json_init(&inner, (struct bytes){(const uint8_t *)view.values.p, view.values.n});
    (void)json_next(&inner, &token);
    size_t n = members(t, &inner, ts_ms, q, error);
    while (json_next(r, &token) == JSON_KEY) /* pass it by: it has been read above */
        if (json_skip(r, &token, NULL))
            break;
    return n;
}

static bool whole(struct bytes payload, char error[160])
{
    struct json_reader r;
    struct json_token t;
    json_init(&r, payload);
    for (;;) {
        switch (json_next(&r, &t)) {
        case JSON_END: return true;
        case JSON_ERROR: note(error, "not JSON at byte %zu: %s", r.why_at, r.why); return false;
        default: break;
        }
    }
}

size_t decode_object(const struct decode_target *t, struct bytes payload, char error[160])
{
    struct json_reader r;
    struct json_token token;
    if (!whole(payload, error))
        return 0;
    json_init(&r, payload);
    enum json_kind kind = json_next(&r, &token);
    if (kind == JSON_OBJECT) {
        size_t n = object(t, &r, error);
        if (!n)
            note(error, "no property of %.*s is in it", STR_FMT(t->device->model->name));
        return n;
    }
    if (kind != JSON_ARRAY) {
        note(error, "expected a JSON object, got %s", kind_text(kind));
        return 0;
    }
    size_t n = 0;
    while ((kind = json_next(&r, &token)) != JSON_ARRAY_END) {
        if (kind == JSON_OBJECT) {
            n += object(t, &r, error);
            continue;
        }
        note(error, "expected a list of objects, got %s in it", kind_text(kind));
        if (json_skip(&r, &token, NULL))
            break;
    }
    return n;
}

/* A text may come bare; in quotes it is JSON's. */
static bool bare_text(const struct decode_target *t, struct device_property *p,
                      struct bytes payload)
{
    struct value v = {.kind = VALUE_STR, .s = {(const char *)payload.p, payload.n}};
    if (payload.n > TEXT_MAX || !utf8_valid_nonul(v.s))
        return false;
    emit(t, p, &v, t->arrived_ms, QUALITY_GOOD);
    return true;
}

size_t decode_value(const struct decode_target *t, struct device_property *p, struct bytes payload,
                    char error[160])
{
    struct json_reader r;
    struct json_token token;
    json_init(&r, payload);
    enum json_kind kind = json_next(&r, &token);
    bool is_text = p->def->kind == VALUE_STR;
    bool is_scalar = is_text ? kind == JSON_STRING || kind == JSON_NULL
                             : kind >= JSON_STRING && kind <= JSON_NULL;
    if (is_scalar && whole(payload, (char[160]){0}))
        return property_token(t, p, &token, t->arrived_ms, QUALITY_GOOD, error);
    if (is_text && bare_text(t, p, payload))
        return 1;
    note(error, "%.*s: expected %s, got %.*s", STR_FMT(p->def->name), want_text(p->def->kind),
         (int)(payload.n < 40 ? payload.n : 40), (const char *)payload.p);
    return 0;
}

enum payload_kind payload_classify(struct bytes payload)
{
    struct str text = str_trim((struct str){(const char *)payload.p, payload.n});
    double d;
    if (!utf8_valid_nonul(text))
        return PAYLOAD_BINARY;
    if (str_to_double(text, &d) == ERR_OK)
        return PAYLOAD_NUMBER;
    if (text.n && (text.p[0] == '{' || text.p[0] == '[') && whole(payload, (char[160]){0}))
        return PAYLOAD_JSON;
    return PAYLOAD_TEXT;
}
