/* decode_senml: a SenML pack (RFC 8428) in JSON.
 *
 * A record is about the property that its name ends with: what stands behind the last `:` or `/` of
 * base name and name, other characters than letters and digits as `_`. Base value and base sum are
 * added, base time and base unit hold until they are said anew. Times below 2^28 are relative to
 * the arrival. Units are converted to the property's; one of another dimension is an error. A sum
 * (`s`) is the value of a property NAME_sum. */
#include "registry/registry_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES_MAX = 256, VERSION_MAX = 10, AHEAD_MAX_MS = 24 * 3600 * 1000 };
#define RELATIVE_BELOW_S 268435456.0 /* 2^28: section 4.5.3 */

struct pack { /* section 4.1: what holds for the records that follow */
    char name[NAME_BYTES_MAX];
    size_t name_n;
    char unit[32];
    double time_s, value, sum;
    bool has_value, has_sum;
};

struct record {
    struct json_token name, unit, v, vs, vb, vd, s;
    double time_s;
};

/* --- is it one? --- */

static bool is_any_of(const struct json_token *key, const char *const *labels, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (json_text_is(key, str_from(labels[i])))
            return true;
    return false;
}

/* By its first record: it has a base, or a name and a value, and nothing that is not SenML's. */
bool senml_is(struct json_reader at)
{
    static const char *const bases[] = {"bn", "bt", "bu", "bv", "bs", "bver"};
    static const char *const values[] = {"v", "vs", "vb", "vd", "s"};
    static const char *const others[] = {"n", "u", "t", "ut"};
    struct json_token key, value;
    bool name = false, has_value = false;
    if (json_next(&at, &key) != JSON_OBJECT)
        return false;
    while (json_next(&at, &key) == JSON_KEY) {
        if (json_text_is(&key, STR("ts"))) /* what it is most often: said soon */
            return false;
        if (is_any_of(&key, bases, ARRAY_LEN(bases)))
            return true;
        bool is_value = is_any_of(&key, values, ARRAY_LEN(values));
        if (!is_value && !is_any_of(&key, others, ARRAY_LEN(others)))
            return false;
        if (json_next(&at, &value) == JSON_ERROR || json_skip(&at, &value, NULL))
            return false;
        name = name || (value.kind == JSON_STRING && json_text_is(&key, STR("n")));
        has_value = has_value || is_value;
    }
    return name && has_value;
}

/* --- a record --- */

static double number_of(const struct json_token *t)
{
    double d;
    return t->kind == JSON_NUMBER && json_number(t->raw, &d) == ERR_OK ? d : 0;
}

static void read_base(struct pack *p, const struct json_token *key, const struct json_token *value)
{
    struct str text;
    if (json_text_is(key, STR("bn"))) {
        p->name_n = json_unescape(value->raw, p->name, sizeof(p->name), &text) ? 0 : text.n;
    } else if (json_text_is(key, STR("bu"))) {
        size_t n = value->raw.n < sizeof(p->unit) ? value->raw.n : 0;
        memcpy(p->unit, value->raw.p, n);
        p->unit[n] = 0;
    } else if (json_text_is(key, STR("bt"))) {
        p->time_s = number_of(value);
    } else if (json_text_is(key, STR("bv"))) {
        p->value = number_of(value);
        p->has_value = value->kind == JSON_NUMBER;
    } else if (json_text_is(key, STR("bs"))) {
        p->sum = number_of(value);
        p->has_sum = value->kind == JSON_NUMBER;
    }
}

/* False: it asks for what is not known here (sections 4.4, 12.2), so nothing more may be read. */
static bool read_label(struct decode_target *t, struct pack *p, struct record *r,
                       const struct json_token *key, const struct json_token *value)
{
    const struct {
        const char *label;
        struct json_token *to;
    } tokens[] = {{"n", &r->name}, {"u", &r->unit}, {"v", &r->v}, {"vs", &r->vs},
                  {"vb", &r->vb},  {"vd", &r->vd},  {"s", &r->s}};
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++)
        if (json_text_is(key, str_from(tokens[i].label))) {
            *tokens[i].to = *value;
            return true;
        }
    if (json_text_is(key, STR("t"))) {
        r->time_s = number_of(value);
    } else if (json_text_is(key, STR("bver")) && number_of(value) > VERSION_MAX) {
        decode_note(t, key->raw, value->raw.p, "SenML of a version above %d", VERSION_MAX);
        return false;
    } else if (key->raw.n && key->raw.p[key->raw.n - 1] == '_') {
        decode_note(t, key->raw, key->raw.p, "SenML with the field %.*s, which must be understood",
                    STR_FMT(key->raw));
        return false;
    } else {
        read_base(p, key, value);
    }
    return true;
}

/* The reader stands behind the opening brace, and afterwards behind the closing one. */
static bool read_record(struct decode_target *t, struct json_reader *r, struct pack *p,
                        struct record *out)
{
    struct json_token key, value;
    *out = (struct record){0};
    while (json_next(r, &key) == JSON_KEY) {
        (void)json_next(r, &value);
        if (!read_label(t, p, out, &key, &value) || json_skip(r, &value, NULL))
            return false;
    }
    return true;
}

/* --- to samples --- */

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Base name and name as one, and of that the part that a property may be called. */
static struct str local_name(const struct pack *p, const struct json_token *name,
                             char buf[NAME_BYTES_MAX])
{
    struct str text = STR("");
    memcpy(buf, p->name, p->name_n);
    if (name->kind == JSON_STRING &&
        json_unescape(name->raw, buf + p->name_n, NAME_BYTES_MAX - p->name_n, &text))
        return STR("");
    size_t n = p->name_n + text.n, from = n;
    while (from > 0 && buf[from - 1] != ':' && buf[from - 1] != '/')
        from--;
    for (size_t i = from; i < n; i++)
        if (!is_name_char(buf[i]))
            buf[i] = '_';
    return (struct str){buf + from, n - from};
}

static int find_property(const struct model_def *m, struct str name, const char *suffix)
{
    size_t more = strlen(suffix);
    for (size_t i = 0; i < m->property_count; i++) {
        struct str p = m->properties[i].name;
        if (p.n == name.n + more && str_starts(p, name) && str_ends(p, str_from(suffix)))
            return (int)i;
    }
    return -1;
}

static int64_t record_time(const struct decode_target *t, double s, enum quality *q)
{
    bool relative = fabs(s) < RELATIVE_BELOW_S;
    double ms = s * 1000 + (relative ? (double)t->arrived_ms : 0);
    *q = QUALITY_GOOD;
    if ((relative || s > 0) && ms <= (double)t->arrived_ms + AHEAD_MAX_MS)
        return (int64_t)llround(ms);
    *q = QUALITY_UNCERTAIN;
    return t->arrived_ms;
}

/* SenML's names of units (section 12.1) that are written otherwise here. */
static struct str unit_name(struct str senml)
{
    static const struct {
        const char *theirs, *ours;
    } names[] = {{"Cel", "°C"},       {"degF", "°F"},   {"l", "l"},       {"m2", "m²"},
                 {"m3", "m³"},        {"m/s2", "m/s²"}, {"m3/s", "m³/s"}, {"W/m2", "W/m²"},
                 {"beat/min", "bpm"}, {"Ohm", "Ω"},     {"lat", "°"},     {"lon", "°"},
                 {"deg", "°"},        {"1/s", "Hz"},    {"1/min", "cpm"}, {"dBW", "dB"},
                 {"EL", "%"},         {"%EL", "%"},     {"NTU", "NTU"}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(senml, str_from(names[i].theirs)))
            return str_from(names[i].ours);
    return senml;
}

/* Fills the conversion. False: it is in another dimension; noted. */
static bool convert_unit(struct decode_target *t, struct scalar *how, struct str unit,
                         const struct json_token *at)
{
    struct str ours = unit_name(unit);
    bool known = unit.n > 0 && how->unit.n > 0 && t->convert && how->kind != VALUE_STR;
    if (!known || str_eq(ours, how->unit))
        return true;
    if (str_eq(unit, STR("/")) && t->convert(STR("%"), how->unit, &how->scale, &how->offset)) {
        how->scale *= 100; /* a ratio of 0 to 1 */
        return true;
    }
    if (t->convert(ours, how->unit, &how->scale, &how->offset))
        return true;
    decode_note(t, STR("u"), at->kind ? at->raw.p : NULL, "%.*s: is in %.*s, which is no %.*s",
                STR_FMT(how->name), STR_FMT(unit), STR_FMT(how->unit));
    return false;
}

/* A number with its base: v + bv. Where it is not whole JSON any more it is printed as such. */
static size_t emit_number(struct decode_target *t, struct device_property *p,
                          const struct scalar *how, double d, int64_t ts_ms, enum quality q,
                          struct str name)
{
    char text[40];
    int n = snprintf(text, sizeof(text), "%.17g", d);
    struct json_token token = {JSON_NUMBER, false, {text, (size_t)n}};
    return decode_token(t, p, how, &token, ts_ms, q, name);
}

static size_t emit_record(struct decode_target *t, const struct pack *p, const struct record *r)
{
    char buf[NAME_BYTES_MAX];
    enum quality q;
    struct str name = local_name(p, &r->name, buf);
    struct str unit = r->unit.kind == JSON_STRING ? r->unit.raw : str_from(p->unit);
    const struct model_def *model = t->device->model;
    int at = find_property(model, name, ""), sum = find_property(model, name, "_sum");
    int64_t ts_ms = record_time(t, p->time_s + r->time_s, &q);
    const struct json_token *other = r->vb.kind ? &r->vb : r->vs.kind ? &r->vs : &r->vd;
    bool number = r->v.kind == JSON_NUMBER || (p->has_value && !other->kind);
    size_t n = 0;
    if (at >= 0 && (number || other->kind)) {
        struct device_property *prop = &t->device->props[at];
        struct scalar how = scalar_of(t, prop->def);
        if (!number)
            n += decode_token(t, prop, &how, other, ts_ms, q, name);
        else if (convert_unit(t, &how, unit, &r->unit))
            n += p->has_value
                     ? emit_number(t, prop, &how, number_of(&r->v) + p->value, ts_ms, q, name)
                     : decode_token(t, prop, &how, &r->v, ts_ms, q, name);
    }
    if (sum >= 0 && (r->s.kind == JSON_NUMBER || p->has_sum)) {
        struct device_property *prop = &t->device->props[sum];
        const struct scalar how = scalar_of(t, prop->def);
        n += emit_number(t, prop, &how, number_of(&r->s) + p->sum, ts_ms, q, name);
    }
    return n;
}

size_t decode_senml(struct decode_target *t, struct json_reader *r)
{
    struct pack pack = {0};
    struct record record;
    struct json_token token;
    enum json_kind kind;
    size_t n = 0;
    while ((kind = json_next(r, &token)) == JSON_OBJECT) {
        if (!read_record(t, r, &pack, &record))
            return n;
        n += emit_record(t, &pack, &record);
    }
    if (kind != JSON_ARRAY_END)
        decode_note(t, STR(""), token.raw.p, "SenML is a list of objects, with %s in it",
                    decode_kind_text(kind));
    else if (!n)
        decode_note(t, STR(""), NULL, "no property of %.*s is in it",
                    STR_FMT(t->device->model->name));
    return n;
}
