/* What came out, as text: declarations, and what is wrong. */
#include "codec/json.h"
#include "points/points_internal.h"

#include <string.h>

enum { NAME_PAD_MAX = 28, PLACE_PAD_MAX = 44, COMMENT_MAX = 90 };

static void pad(struct strbuf *out, size_t from, size_t width)
{
    for (size_t n = out->n - from; n < width; n++)
        strbuf_addc(out, ' ');
}

static size_t at_most(size_t n, size_t max)
{
    return n > max ? max : n;
}

/* On one line, and not too long; never cut within a character. */
static void put_comment(struct strbuf *out, struct str s)
{
    size_t n = at_most(s.n, COMMENT_MAX);
    while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n--;
    strbuf_adds(out, "  // ");
    for (size_t i = 0; i < n; i++)
        strbuf_addc(out, (unsigned char)s.p[i] < ' ' ? ' ' : s.p[i]);
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

static void put_property(struct strbuf *out, const struct points_point *p, size_t width)
{
    strbuf_adds(out, "  property ");
    size_t from = out->n;
    strbuf_addf(out, "%.*s:", STR_FMT(p->name));
    pad(out, from, width + 1);
    strbuf_addf(out, " %.*s", STR_FMT(type_of(p)));
    if (p->has_range) {
        strbuf_adds(out, "  range ");
        strbuf_add_double(out, p->min);
        strbuf_adds(out, "..");
        strbuf_add_double(out, p->max);
    }
    if (p->comment.n)
        put_comment(out, p->comment);
    strbuf_addc(out, '\n');
}

static void put_action(struct strbuf *out, const struct points_point *p)
{
    strbuf_addf(out, "  action %.*s(", STR_FMT(p->action));
    if (p->value.n == 0)
        strbuf_addf(out, "value: %.*s", STR_FMT(type_of(p)));
    strbuf_addc(out, ')');
    if (p->confirms.n)
        strbuf_addf(out, "  confirms %.*s", STR_FMT(p->confirms));
    if (p->name.n == 0 && p->comment.n)
        put_comment(out, p->comment);
    strbuf_addc(out, '\n');
}

static void put_model(struct strbuf *out, struct str name, const struct points_device *d)
{
    size_t width = 0;
    strbuf_addf(out, "model %.*s {\n", STR_FMT(name));
    for (size_t i = 0; i < d->points.n; i++)
        width = d->points.v[i].name.n > width ? d->points.v[i].name.n : width;
    for (size_t i = 0; i < d->points.n; i++)
        if (d->points.v[i].name.n)
            put_property(out, &d->points.v[i], at_most(width, NAME_PAD_MAX));
    for (size_t i = 0; i < d->points.n; i++)
        if (d->points.v[i].action.n)
            put_action(out, &d->points.v[i]);
    for (size_t i = 0; i < d->points.n; i++)
        if (d->points.v[i].safe)
            strbuf_addf(out, "  safe %.*s()\n", STR_FMT(d->points.v[i].action));
    strbuf_adds(out, "}\n");
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
    strbuf_add_double(out, d);
}

static void put_place(struct strbuf *out, const struct points_place *p, enum modbus_order common)
{
    const struct modbus_form *f = &p->form;
    strbuf_addf(out, "%s %u", modbus_table_name(p->table), p->address);
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

static void put_mapping(struct strbuf *out, const struct points_point *p, bool action,
                        enum modbus_order common, size_t width)
{
    struct str name = action ? p->action : p->name;
    strbuf_adds(out, "    ");
    size_t from = out->n;
    strbuf_addstr(out, name);
    pad(out, from, width);
    strbuf_adds(out, " = ");
    put_place(out, &p->place, common);
    if (action && p->value.n)
        strbuf_addf(out, " %.*s", STR_FMT(p->value));
    else if (action)
        strbuf_adds(out, " arg value");
    strbuf_addc(out, '\n');
}

static void put_every(struct strbuf *out, int64_t ms)
{
    if (ms <= 0)
        return;
    if (ms % 1000)
        strbuf_addf(out, " every %lldms", (long long)ms);
    else
        strbuf_addf(out, " every %llds", (long long)(ms / 1000));
}

static void put_device(struct strbuf *out, const struct points_table *t,
                       const struct points_device *d, const struct points_options *o)
{
    size_t width = 0;
    enum modbus_order common = common_order(d);
    for (size_t i = 0; i < d->points.n; i++) {
        const struct points_point *p = &d->points.v[i];
        width = p->name.n > width ? p->name.n : width;
        width = p->action.n > width ? p->action.n : width;
    }
    width = at_most(width, NAME_PAD_MAX);
    strbuf_addf(out, "device %.*s: %.*s {\n  via modbus \"%.*s\" unit %u", STR_FMT(d->name),
                STR_FMT(t->models.v[d->model].name), STR_FMT(d->line), d->unit);
    put_every(out, o->every_ms);
    if (common != MODBUS_ABCD)
        strbuf_addf(out, " order %s", modbus_order_name(common));
    strbuf_adds(out, " {\n");
    for (size_t i = 0; i < d->points.n; i++) {
        if (d->points.v[i].name.n)
            put_mapping(out, &d->points.v[i], false, common, width);
        if (d->points.v[i].action.n)
            put_mapping(out, &d->points.v[i], true, common, width);
    }
    strbuf_adds(out, "  }\n}\n");
}

void points_table_write(struct strbuf *out, const struct points_table *t,
                        const struct points_options *o)
{
    size_t from = out->n;
    for (size_t i = 0; i < t->models.n; i++) {
        if (t->models.v[i].there)
            continue;
        strbuf_adds(out, out->n > from ? "\n" : "");
        put_model(out, t->models.v[i].name, &t->devices.v[t->models.v[i].like]);
    }
    for (size_t i = 0; i < t->devices.n; i++) {
        strbuf_adds(out, out->n > from ? "\n" : "");
        put_device(out, t, &t->devices.v[i], o);
    }
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
