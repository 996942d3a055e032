/* decode: telemetry payloads to samples, without building a tree: the convention of `json`.
 *
 * Understood are objects whose keys are properties, `{"ts": ms, "values": {…}}`, objects in objects
 * (decode_nested.c), arrays of all these, SenML (decode_senml.c), and (decode_value) one bare
 * value. Two passes: the first proves that the document is whole, the second makes the samples; so
 * half a document makes none. docs/payloads.md is the reference. */
#include "base/utf8.h"
#include "registry/registry_internal.h"

#include <stdio.h>
#include <string.h>

/* --- what can't be read --- */

/* 0: nowhere, or in a text that was made of several places. */
static uint32_t offset_of(struct bytes payload, const char *at)
{
    uintptr_t from = (uintptr_t)payload.p, there = (uintptr_t)at;
    return there >= from && there - from <= payload.n ? (uint32_t)(there - from) : 0;
}

void decode_note(struct decode_target *t, struct str path, const char *at, const char *fmt, ...)
{
    struct payload_error *e = t->error;
    if (e->reason[0])
        return; /* the first one counts */
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(e->reason, sizeof(e->reason), fmt, ap);
    va_end(ap);
    (void)snprintf(e->path, sizeof(e->path), "%.*s", STR_FMT(path));
    e->at = offset_of(t->payload, at);
}

const char *decode_kind_text(enum json_kind k)
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

void decode_broken(struct decode_target *t, const struct json_reader *r)
{
    decode_note(t, STR(""), (const char *)t->payload.p + r->why_at, "not JSON: %s", r->why);
}

bool decode_whole(struct decode_target *t)
{
    struct json_reader r;
    struct json_token token;
    json_init(&r, t->payload);
    for (;;) {
        switch (json_next(&r, &token)) {
        case JSON_END: return true;
        case JSON_ERROR: decode_broken(t, &r); return false;
        default: break;
        }
    }
}

/* --- samples --- */

enum quality decode_quality(const struct property_def *d, const struct value *v, enum quality q)
{
    double n = value_number(v);
    return d->has_range && (n < d->min || n > d->max) ? QUALITY_BAD : q;
}

void decode_emit(const struct decode_target *t, struct device_property *p, const struct value *v,
                 int64_t ts_ms, enum quality quality)
{
    struct sample s = {.series = p->series,
                       .ts_ms = ts_ms,
                       .value = *v,
                       .quality = decode_quality(p->def, v, quality)};
    t->sample(t->ctx, p, &s);
}

size_t decode_token(struct decode_target *t, struct device_property *p, const struct scalar *how,
                    const struct json_token *token, int64_t ts_ms, enum quality q, struct str path)
{
    char text[TEXT_MAX];
    struct value v = {0};
    if (token->kind == JSON_NULL)
        return 0; /* said to have no value: it will turn stale */
    if (!scalar_token(how, token, text, &v)) {
        decode_note(t, path, token->raw.p, "%.*s: expected %s, got %s %.*s", STR_FMT(p->def->name),
                    scalar_wanted(p->def->kind), decode_kind_text(token->kind),
                    (int)(token->raw.n < 40 ? token->raw.n : 40), token->raw.p);
        return 0;
    }
    decode_emit(t, p, &v, ts_ms, q);
    return 1;
}

/* By the convention. Most are numbers for numbers, which need none of what scalar.c can do. */
static size_t plain_token(struct decode_target *t, struct device_property *p,
                          const struct json_token *token, int64_t ts_ms, enum quality q,
                          struct str path)
{
    struct value v = {.kind = p->def->kind};
    bool number = token->kind == JSON_NUMBER;
    if ((number && v.kind == VALUE_FLOAT && json_number(token->raw, &v.f) == ERR_OK) ||
        (number && v.kind == VALUE_INT && json_integer(token->raw, &v.i) == ERR_OK)) {
        decode_emit(t, p, &v, ts_ms, q);
        return 1;
    }
    const struct scalar how = scalar_of(t, p->def);
    return decode_token(t, p, &how, token, ts_ms, q, path);
}

int64_t decode_time(struct decode_target *t, const struct json_token *said, const char *key,
                    enum quality *q)
{
    int64_t ms = 0;
    *q = QUALITY_GOOD;
    if (said->kind != JSON_NUMBER && said->kind != JSON_STRING)
        return t->arrived_ms;
    switch (when_said(said, t->arrived_ms, &ms)) {
    case WHEN_SAID: return ms;
    case WHEN_NOW: return t->arrived_ms;
    case WHEN_NEVER: break;
    }
    decode_note(t, str_from(key), said->raw.p,
                "%s: %.*s is no plausible time; the time of arrival is used", key,
                (int)(said->raw.n < 30 ? said->raw.n : 30), said->raw.p);
    *q = QUALITY_UNCERTAIN;
    return t->arrived_ms;
}

/* --- objects --- */

struct object_view {
    struct json_token ts, wall; /* members "ts" and "Time", if they can be times */
    struct str values;          /* "" unless there is a member "values" that is an object */
    bool nested;                /* another member is an object */
};

/* The reader stands behind the opening brace, and afterwards behind the closing one. False: the
 * document is broken. */
static bool object_look(struct json_reader *r, struct object_view *view)
{
    struct json_token key, value;
    *view = (struct object_view){0};
    while (json_next(r, &key) == JSON_KEY) {
        struct str raw;
        if (json_next(r, &value) == JSON_ERROR || json_skip(r, &value, &raw))
            return false;
        if (value.kind == JSON_NUMBER && json_text_is(&key, STR("ts")))
            view->ts = value;
        else if (value.kind == JSON_STRING && json_text_is(&key, STR("Time")))
            view->wall = value;
        else if (value.kind == JSON_OBJECT && json_text_is(&key, STR("values")))
            view->values = raw;
        else if (value.kind == JSON_OBJECT)
            view->nested = true;
    }
    return key.kind == JSON_OBJECT_END;
}

static size_t members(struct decode_target *t, struct json_reader *r, const struct nested *nested,
                      int64_t ts_ms, enum quality q)
{
    const struct model_def *model = t->device->model;
    struct json_token key, value;
    size_t n = 0;
    while (json_next(r, &key) == JSON_KEY) {
        (void)json_next(r, &value);
        for (size_t i = 0; i < model->property_count; i++)
            if (json_text_is(&key, model->properties[i].name))
                n += plain_token(t, &t->device->props[i], &value, ts_ms, q, key.raw);
        if (nested && value.kind == JSON_OBJECT)
            n += decode_nested(t, nested, r, &key, ts_ms, q);
        else if (json_skip(r, &value, NULL))
            break;
    }
    return n;
}

/* The reader stands behind an opening brace; afterwards behind the closing one. */
static size_t object(struct decode_target *t, struct json_reader *r, const struct object_view *view)
{
    struct nested nested;
    enum quality q;
    bool wall = view->ts.kind != JSON_NUMBER && view->wall.kind == JSON_STRING;
    int64_t ts_ms = decode_time(t, wall ? &view->wall : &view->ts, wall ? "Time" : "ts", &q);
    if (!view->values.n) {
        nested.by_last_key = wall;
        if (view->nested && wall)
            nested_count(t, *r, &nested);
        return members(t, r, view->nested ? &nested : NULL, ts_ms, q);
    }
    struct json_reader inner;
    struct json_token token;
    json_init(&inner, (struct bytes){(const uint8_t *)view->values.p, view->values.n});
    (void)json_next(&inner, &token);
    size_t n = members(t, &inner, NULL, ts_ms, q);
    while (json_next(r, &token) == JSON_KEY) { /* pass it by: it has been read above */
        (void)json_next(r, &token);
        if (json_skip(r, &token, NULL))
            break;
    }
    return n;
}

static size_t list(struct decode_target *t, struct json_reader *r)
{
    struct json_token token;
    enum json_kind kind;
    size_t n = 0;
    while ((kind = json_next(r, &token)) != JSON_ARRAY_END) {
        if (kind == JSON_OBJECT) {
            struct object_view view;
            struct json_reader look = *r;
            if (!object_look(&look, &view))
                break;
            n += object(t, r, &view);
            continue;
        }
        decode_note(t, STR(""), token.raw.p, "expected a list of objects, got %s in it",
                    decode_kind_text(kind));
        if (json_skip(r, &token, NULL))
            break;
    }
    return n;
}

/* What an object holds is seen on the way to its end, which proves that it is whole. */
static size_t one_object(struct decode_target *t, struct json_reader *r)
{
    struct object_view view;
    struct json_token token;
    struct json_reader look = *r;
    if (!object_look(&look, &view) || json_next(&look, &token) != JSON_END) {
        decode_broken(t, &look);
        return 0;
    }
    size_t n = object(t, r, &view);
    if (!n)
        decode_note(t, STR(""), NULL, "no property of %.*s is in it",
                    STR_FMT(t->device->model->name));
    return n;
}

size_t decode_object(struct decode_target *t, struct bytes payload)
{
    struct json_reader r;
    struct json_token token;
    t->payload = payload;
    json_init(&r, payload);
    enum json_kind kind = json_next(&r, &token);
    if (kind == JSON_OBJECT)
        return one_object(t, &r);
    if (!decode_whole(t))
        return 0;
    if (kind == JSON_ARRAY)
        return senml_is(r) ? decode_senml(t, &r) : list(t, &r);
    decode_note(t, STR(""), token.raw.p, "expected a JSON object, got %s", decode_kind_text(kind));
    return 0;
}

/* --- bare values --- */

/* In quotes it is JSON's text. */
static bool quoted_token(struct bytes payload, struct json_token *token)
{
    struct json_reader r;
    struct json_token end;
    json_init(&r, payload);
    return json_next(&r, token) == JSON_STRING && json_next(&r, &end) == JSON_END;
}

size_t decode_bare(struct decode_target *t, struct device_property *p, const struct scalar *how,
                   struct bytes payload)
{
    char text[TEXT_MAX];
    struct json_token token;
    struct value v = {0};
    struct str all = {(const char *)payload.p, payload.n}, trimmed = str_trim(all);
    t->payload = payload;
    if (str_eq(trimmed, STR("null")))
        return 0;
    bool read = quoted_token(payload, &token)
                    ? scalar_token(how, &token, text, &v)
                    : scalar_text(how, how->kind == VALUE_STR ? all : trimmed, &v);
    if (read) {
        decode_emit(t, p, &v, t->arrived_ms, QUALITY_GOOD);
        return 1;
    }
    decode_note(t, STR(""), NULL, "%.*s: expected %s, got %.*s", STR_FMT(p->def->name),
                scalar_wanted(p->def->kind), (int)(payload.n < 40 ? payload.n : 40),
                (const char *)payload.p);
    return 0;
}

size_t decode_value(struct decode_target *t, struct device_property *p, struct bytes payload)
{
    const struct scalar how = scalar_of(t, p->def);
    return decode_bare(t, p, &how, payload);
}

enum payload_kind payload_classify(struct bytes payload)
{
    struct payload_error none = {0};
    struct decode_target t = {.error = &none, .payload = payload};
    struct str text = str_trim((struct str){(const char *)payload.p, payload.n});
    double d;
    if (!utf8_valid_nonul(text))
        return PAYLOAD_BINARY;
    if (str_to_double(text, &d) == ERR_OK)
        return PAYLOAD_NUMBER;
    if (text.n && (text.p[0] == '{' || text.p[0] == '[') && decode_whole(&t))
        return PAYLOAD_JSON;
    return PAYLOAD_TEXT;
}
