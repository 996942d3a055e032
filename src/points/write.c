/* What came out, as text: declarations, and what is wrong. */
#include "adopt/declare.h"
#include "codec/json.h"
#include "points/points_internal.h"

#include <string.h>

enum { COMMENT_MAX = 90, TEXTS_MAX = 64 << 20 };

/* On one line, and not too long; never cut within a character. */
static struct str comment_of(struct arena *a, struct str s)
{
    size_t n = s.n < COMMENT_MAX ? s.n : COMMENT_MAX;
    while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n--;
    struct str copy = arena_str(a, str_sub(s, 0, n));
    for (size_t i = 0; i < copy.n; i++)
        if ((unsigned char)copy.p[i] < ' ')
            ((char *)(uintptr_t)copy.p)[i] = ' '; /* of the arena, ours */
    return copy;
}

static struct str type_of(const struct points_point *p)
{
    if (p->kind == POINTS_BOOL)
        return STR("bool");
    if (p->kind == POINTS_INT)
        return STR("int");
    return p->unit.n ? p->unit : STR("float");
}

/* --- models --- */

static void add_property(struct arena *a, struct declare_model *m, struct declare_property *to,
                         const struct points_point *p)
{
    if (p->name.n == 0)
        return;
    to[m->property_count++] = (struct declare_property){.name = p->name,
                                                        .type = type_of(p),
                                                        .has_range = p->has_range,
                                                        .min = p->min,
                                                        .max = p->max,
                                                        .comment = comment_of(a, p->comment)};
}

static void add_action(struct arena *a, struct declare_model *m, struct declare_action *to,
                       const struct points_point *p)
{
    if (p->action.n == 0)
        return;
    struct declare_action *x = &to[m->action_count++];
    *x = (struct declare_action){.name = p->action, .confirms = p->confirms};
    struct declare_param *param = p->value.n ? NULL : arena_new(a, sizeof(*param));
    if (param) {
        *param = (struct declare_param){STR("value"), type_of(p)};
        x->params = param;
        x->param_count = 1;
    }
    if (p->name.n == 0)
        x->comment = comment_of(a, p->comment);
    if (p->safe)
        m->safe = p->action;
}

static void put_model(struct strbuf *out, struct arena *a, struct str name,
                      const struct points_device *d)
{
    struct declare_property *properties = arena_array(a, d->points.n, sizeof(*properties));
    struct declare_action *actions = arena_array(a, d->points.n, sizeof(*actions));
    struct declare_model m = {.name = name, .properties = properties, .actions = actions};
    for (size_t i = 0; properties && actions && i < d->points.n; i++) {
        add_property(a, &m, properties, &d->points.v[i]);
        add_action(a, &m, actions, &d->points.v[i]);
    }
    declare_model(out, &m);
}

/* --- devices --- */

static bool is_long(const struct points_point *p)
{
    return modbus_type_size(p->place.form.type) > 1;
}

/* What all its long numbers have; then it is said once. */
static enum modbus_order common_order(const struct points_device *d)
{
    int order = -1;
    for (size_t i = 0; i < d->points.n; i++) {
        const struct points_point *p = &d->points.v[i];
        if (!is_long(p))
            continue;
        if (order >= 0 && order != (int)p->place.form.order)
            return MODBUS_ABCD;
        order = (int)p->place.form.order;
    }
    return order < 0 ? MODBUS_ABCD : (enum modbus_order)order;
}

static void put_number(struct strbuf *out, const char *word, double d)
{
    strbuf_addf(out, " %s ", word);
    declare_number(out, d);
}

static void put_place(struct strbuf *out, const struct points_place *p, enum modbus_order common)
{
    const struct modbus_form *f = &p->form;
    strbuf_addf(out, "= %s %u", modbus_table_name(p->table), p->address);
    if (modbus_table_is_bits(p->table))
        return;
    if (f->type == MODBUS_BIT)
        strbuf_addf(out, " bit %u", f->bit);
    else
        strbuf_addf(out, " %s", modbus_type_name(f->type));
    if (f->order != common && (modbus_type_size(f->type) > 1 || f->order == MODBUS_BADC))
        strbuf_addf(out, " order %s", modbus_order_name(f->order));
    if (f->scale != 1)
        put_number(out, "scale", f->scale);
    if (f->offset != 0)
        put_number(out, "offset", f->offset);
}

static struct declare_clause mapping(struct arena *a, const struct points_point *p, bool action,
                                     enum modbus_order common)
{
    struct strbuf b;
    strbuf_init(&b, a->alloc, 0);
    put_place(&b, &p->place, common);
    if (action)
        strbuf_addf(&b, " %.*s", STR_FMT(p->value.n ? p->value : STR("arg value")));
    struct declare_clause c = {
        .head = action ? p->action : p->name, .tail = arena_str(a, strbuf_str(&b)), .column = 1};
    a->failed = a->failed || b.failed;
    strbuf_fini(&b);
    return c;
}

/* `via modbus "tcp://…" unit 3 every 5s order cdab` */
static struct str via_of(struct arena *a, const struct points_device *d,
                         const struct points_options *o, enum modbus_order common)
{
    struct strbuf b;
    strbuf_init(&b, a->alloc, 0);
    strbuf_adds(&b, "via modbus ");
    declare_text(&b, d->line);
    strbuf_addf(&b, " unit %u", d->unit);
    if (o->every_ms > 0 && o->every_ms % 1000)
        strbuf_addf(&b, " every %lldms", (long long)o->every_ms);
    else if (o->every_ms > 0)
        strbuf_addf(&b, " every %llds", (long long)(o->every_ms / 1000));
    if (common != MODBUS_ABCD)
        strbuf_addf(&b, " order %s", modbus_order_name(common));
    struct str s = arena_str(a, strbuf_str(&b));
    a->failed = a->failed || b.failed;
    strbuf_fini(&b);
    return s;
}

static void put_device(struct strbuf *out, struct arena *a, const struct points_table *t,
                       const struct points_device *d, const struct points_options *o)
{
    enum modbus_order common = common_order(d);
    struct declare_clause *maps = arena_array(a, 2 * d->points.n, sizeof(*maps));
    struct declare_clause via = {.head = via_of(a, d, o, common), .block = maps};
    for (size_t i = 0; maps && i < d->points.n; i++) {
        const struct points_point *p = &d->points.v[i];
        if (p->name.n)
            maps[via.block_count++] = mapping(a, p, false, common);
        if (p->action.n)
            maps[via.block_count++] = mapping(a, p, true, common);
    }
    declare_device(out, &(struct declare_device){.name = d->name,
                                                 .model = t->models.v[d->model].name,
                                                 .clauses = &via,
                                                 .clause_count = 1});
}

void points_table_write(struct strbuf *out, const struct points_table *t,
                        const struct points_options *o)
{
    struct arena a;
    size_t from = out->n;
    arena_init(&a, out->alloc, TEXTS_MAX);
    for (size_t i = 0; i < t->models.n; i++) {
        if (t->models.v[i].there)
            continue;
        strbuf_adds(out, out->n > from ? "\n" : "");
        put_model(out, &a, t->models.v[i].name, &t->devices.v[t->models.v[i].like]);
    }
    for (size_t i = 0; i < t->devices.n; i++) {
        strbuf_adds(out, out->n > from ? "\n" : "");
        put_device(out, &a, t, &t->devices.v[i], o);
    }
    out->failed = out->failed || a.failed;
    arena_fini(&a);
}

/* --- problems --- */

void points_table_print_problems(struct strbuf *out, const struct points_table *t, struct str file)
{
    for (size_t i = 0; i < t->problems.n; i++) {
        const struct points_problem *p = &t->problems.v[i];
        strbuf_addf(out, "%.*s:", STR_FMT(file));
        if (p->line)
            strbuf_addf(out, "%u:", p->line);
        strbuf_adds(out, p->warning ? " warning:" : " error:");
        if (p->column != POINTS_NO_COLUMN) {
            char name[4];
            csv_column_name(p->column, name);
            strbuf_addf(out, " column %s (%.*s):", name, STR_FMT(p->heading));
        }
        strbuf_addf(out, " %.*s\n", STR_FMT(p->text));
    }
    size_t all = t->errors + t->warnings;
    if (all > t->problems.n)
        strbuf_addf(out, "and %zu more\n", all - t->problems.n);
}

void points_table_json_problems(struct strbuf *out, const struct points_table *t)
{
    struct json_writer w;
    json_writer_init(&w, out);
    json_array_begin(&w);
    for (size_t i = 0; i < t->problems.n; i++) {
        const struct points_problem *p = &t->problems.v[i];
        json_object_begin(&w);
        json_key(&w, "severity");
        json_str(&w, p->warning ? STR("warning") : STR("error"));
        json_key(&w, "line");
        json_int(&w, p->line);
        json_key(&w, "column");
        if (p->column == POINTS_NO_COLUMN)
            json_null(&w);
        else
            json_int(&w, (int64_t)p->column + 1);
        json_key(&w, "heading");
        if (p->column == POINTS_NO_COLUMN)
            json_null(&w);
        else
            json_str(&w, p->heading);
        json_key(&w, "message");
        json_str(&w, p->text);
        json_object_end(&w);
    }
    json_array_end(&w);
}
