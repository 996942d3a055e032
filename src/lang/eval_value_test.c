/* Values of the plain evaluator. */
#include "lang/eval_test.h"

#include <math.h>

bool value_none(struct value x)
{
    return x.kind == VALUE_NONE || (x.kind == VALUE_FLOAT && isnan(x.f));
}

struct value value_int(int64_t i)
{
    return (struct value){VALUE_INT, {.i = i}};
}

struct value value_bool(bool b)
{
    return (struct value){VALUE_BOOL, {.i = b}};
}

struct value value_str(struct str s)
{
    return (struct value){VALUE_STR, {.s = s}};
}

struct data *data_new(struct eval *v)
{
    return ctx_new(v->c, sizeof(struct data));
}

void data_push(struct eval *v, struct data *d, struct value x)
{
    ctx_push(v->c, &d->all, (struct entry){.value = x});
}

size_t data_len(const struct data *d)
{
    size_t n = 0;
    for (size_t i = 0; i < d->all.n; i++)
        n += !d->all.v[i].gone;
    return n;
}

struct entry *data_find(const struct data *map, struct value key)
{
    for (size_t i = 0; i < map->all.n; i++)
        if (!map->all.v[i].gone && value_equal(map->all.v[i].key, key))
            return &map->all.v[i];
    return NULL;
}

void data_put(struct eval *v, struct data *map, struct value key, struct value x)
{
    struct entry *e = data_find(map, key);
    if (e)
        e->value = x;
    else
        ctx_push(v->c, &map->all, (struct entry){.key = key, .value = x});
}

/* ---- copying ---------------------------------------------------------------------------- */

static struct value copied(struct eval *v, struct value x)
{
    if (x.kind < VALUE_LIST)
        return x;
    struct data *d = x.data;
    if (d->copied != v->copies) {
        d->copied = v->copies;
        d->copy = data_new(v);
        d->copy->def = d->def;
        d->copy->fn = d->fn;
        for (size_t i = 0; i < d->all.n; i++) {
            struct entry e = d->all.v[i];
            e.value = copied(v, e.value);
            ctx_push(v->c, &d->copy->all, e);
        }
    }
    return (struct value){x.kind, {.data = d->copy}};
}

void values_copy(struct eval *v, struct value *to, const struct value *from, size_t n)
{
    v->copies++;
    for (size_t i = 0; i < n; i++)
        to[i] = copied(v, from[i]);
}

/* ---- comparing -------------------------------------------------------------------------- */

static bool lists_equal(const struct data *a, const struct data *b)
{
    if (a->all.n != b->all.n)
        return false;
    for (size_t i = 0; i < a->all.n; i++)
        if (!value_equal(a->all.v[i].value, b->all.v[i].value))
            return false;
    return true;
}

static bool maps_equal(const struct data *a, const struct data *b)
{
    if (data_len(a) != data_len(b))
        return false;
    for (size_t i = 0; i < a->all.n; i++) {
        const struct entry *x = &a->all.v[i], *y = x->gone ? NULL : data_find(b, x->key);
        if (!x->gone && (!y || !value_equal(x->value, y->value)))
            return false;
    }
    return true;
}

bool value_equal(struct value a, struct value b)
{
    if (a.kind == VALUE_FLOAT || b.kind == VALUE_FLOAT) {
        double x = a.kind == VALUE_INT ? (double)a.i : a.f;
        double y = b.kind == VALUE_INT ? (double)b.i : b.f;
        return x == y;
    }
    if (a.kind != b.kind)
        return false;
    switch (a.kind) {
    case VALUE_NONE: return true;
    case VALUE_STR: return str_eq(a.s, b.s);
    case VALUE_LIST:
    case VALUE_RECORD: return lists_equal(a.data, b.data);
    case VALUE_MAP: return maps_equal(a.data, b.data);
    default: return a.i == b.i;
    }
}

/* ---- printing --------------------------------------------------------------------------- */

static void print_elements(struct strbuf *out, const struct data *d, const struct lang_type *type)
{
    bool map = type->kind == LANG_TYPE_MAP, first = true;
    strbuf_addc(out, '[');
    if (map && data_len(d) == 0)
        strbuf_addc(out, ':');
    for (size_t i = 0; i < d->all.n; i++) {
        if (d->all.v[i].gone)
            continue;
        strbuf_adds(out, first ? "" : ", ");
        first = false;
        if (map) {
            value_print(out, d->all.v[i].key, &type->args[0], false);
            strbuf_adds(out, ": ");
        }
        value_print(out, d->all.v[i].value, &type->args[map], false);
    }
    strbuf_addc(out, ']');
}

static void print_record(struct strbuf *out, const struct data *d, const struct lang_type *type)
{
    strbuf_addf(out, "%.*s{", STR_FMT(type->def->name));
    for (size_t i = 0; i < d->all.n; i++) {
        const struct lang_field *f = &type->def->fields[i];
        strbuf_addf(out, "%s%.*s: ", i > 0 ? ", " : "", STR_FMT(f->name));
        value_print(out, d->all.v[i].value, &f->type, false);
    }
    strbuf_addc(out, '}');
}

void value_print(struct strbuf *out, struct value x, const struct lang_type *type, bool top)
{
    static const struct lang_unit plain = {.symbol = {"", 0}, .scale = 1};
    /* the smallest int is what stands for none, and is shown as such */
    if (value_none(x) || (x.kind == VALUE_INT && x.i == INT64_MIN)) {
        strbuf_adds(out, top ? "no value" : "none");
        return;
    }
    switch (x.kind) {
    case VALUE_NONE: return;
    case VALUE_BOOL: strbuf_adds(out, x.i ? "true" : "false"); return;
    case VALUE_INT: strbuf_addf(out, "%lld", (long long)x.i); return;
    case VALUE_FLOAT: lang_unit_print(out, &plain, x.f); return;
    case VALUE_STR:
        if (top)
            strbuf_addstr(out, x.s);
        else
            strbuf_add_json(out, x.s);
        return;
    case VALUE_ENUM: strbuf_addstr(out, type->def->fields[x.i].name); return;
    case VALUE_LIST:
    case VALUE_MAP: print_elements(out, x.data, type); return;
    case VALUE_RECORD: print_record(out, x.data, type); return;
    case VALUE_FN: strbuf_adds(out, "a function"); return;
    }
}
