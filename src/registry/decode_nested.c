/* decode_nested: objects in the object of a device's message.
 *
 * A value inside is that of the property whose name are the keys on the way, joined by `_`, other
 * characters than letters and digits as `_` too: {"ENERGY": {"Power": 5}} has ENERGY_Power. In a
 * document that tells its `Time` (Tasmota's) the last key will do, if only one key of the document
 * has it: then it is `Power`, too. Lists are passed by: a mapping reaches into them. */
#include "registry/registry_internal.h"

#include <string.h>

enum { NAME_MAX_BYTES = 128 };

struct joined {
    char text[NAME_MAX_BYTES];
    size_t n;
    bool lost; /* it is longer than any property's name */
};

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static void join(struct joined *j, struct str key)
{
    j->lost = j->lost || j->n + key.n + 1 > sizeof(j->text);
    if (j->lost)
        return;
    if (j->n)
        j->text[j->n++] = '_';
    for (size_t i = 0; i < key.n; i++)
        j->text[j->n++] = is_name_char(key.p[i]) ? key.p[i] : '_';
}

/* The reader stands behind an opening brace. */
void nested_count(const struct decode_target *t, struct json_reader at, struct nested *n)
{
    const struct model_def *model = t->device->model;
    unsigned outside = at.depth - 1;
    struct json_token token;
    memset(n->seen, 0, sizeof(n->seen));
    while (at.depth > outside) {
        enum json_kind kind = json_next(&at, &token);
        if (kind == JSON_ERROR || kind == JSON_END)
            return;
        if (kind != JSON_KEY)
            continue;
        for (size_t i = 0; i < model->property_count && i < ARRAY_LEN(n->seen); i++)
            if (n->seen[i] < 2 && json_text_is(&token, model->properties[i].name))
                n->seen[i]++;
    }
}

static bool is_of(const struct nested *n, size_t property, struct str name, struct str last,
                  struct str joined)
{
    if (joined.n && str_eq(name, joined))
        return true;
    return n->by_last_key && property < ARRAY_LEN(n->seen) && n->seen[property] == 1 &&
           str_eq(name, last);
}

static size_t value_in(struct decode_target *t, const struct nested *n, const struct joined *name,
                       struct str last, const struct json_token *value, int64_t ts_ms,
                       enum quality q)
{
    const struct model_def *model = t->device->model;
    struct str joined = {name->text, name->lost ? 0 : name->n};
    size_t made = 0;
    for (size_t i = 0; i < model->property_count; i++) {
        if (!is_of(n, i, model->properties[i].name, last, joined))
            continue;
        const struct scalar how = scalar_of(t, &model->properties[i]);
        made += decode_token(t, &t->device->props[i], &how, value, ts_ms, q, joined);
    }
    return made;
}

/* As deep as the reader goes (JSON_DEPTH_MAX). The reader stands behind an opening brace, and
 * afterwards behind the closing one. */
static size_t inside(struct decode_target *t, const struct nested *n, struct json_reader *r,
                     const struct joined *outer, int64_t ts_ms, enum quality q)
{
    struct json_token key, value;
    size_t made = 0;
    while (json_next(r, &key) == JSON_KEY) {
        (void)json_next(r, &value);
        struct joined name = *outer;
        join(&name, key.raw);
        if (value.kind == JSON_OBJECT) {
            made += inside(t, n, r, &name, ts_ms, q);
            continue;
        }
        if (value.kind != JSON_ARRAY)
            made += value_in(t, n, &name, key.raw, &value, ts_ms, q);
        if (json_skip(r, &value, NULL))
            break;
    }
    return made;
}

size_t decode_nested(struct decode_target *t, const struct nested *n, struct json_reader *r,
                     const struct json_token *key, int64_t ts_ms, enum quality q)
{
    struct joined name = {.n = 0};
    join(&name, key->raw);
    return inside(t, n, r, &name, ts_ms, q);
}
