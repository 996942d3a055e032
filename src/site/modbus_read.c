/* One device with `via modbus`: its line, and each mapping held against the model. */
#include "site/modbus_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { POINTS_MAX = 4096 }; /* of one device; a unit has 65,536 addresses */

struct lang_diag *modbus_fault(struct modbus_reader *r, struct lang_span at, const char *label,
                               const char *fmt, ...)
{
    char text[512];
    va_list ap;
    r->failed = true;
    if (!r->c)
        return NULL;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return lang_report_error(r->c, "M2", at, label, "%s", text);
}

void modbus_fault_help(struct modbus_reader *r, struct lang_diag *d, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    if (!r->c)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    lang_report_help(r->c, d, "%s", text);
}

/* --- the line --- */

static uint32_t number_of(const struct lang_clause_decl *via, const char *arg, double scale)
{
    const struct lang_value *v = lang_clause_value(via, arg);
    return v->kind == LANG_ARG_NUMBER ? (uint32_t)lround(v->number * scale) : 0;
}

static bool said(const struct lang_clause_decl *via, const char *arg)
{
    return lang_clause_value(via, arg)->kind != LANG_ARG_NONE;
}

/* What goes with one kind of line only. */
static void options_fit(struct modbus_reader *r, const struct lang_clause_decl *via,
                        enum modbus_carrier carrier)
{
    static const struct {
        const char *arg;
        enum modbus_carrier only;
        const char *why;
    } rows[] = {
        {"baud", MODBUS_RTU, "is of a serial line, \"rtu:/dev/ttyUSB0\""},
        {"parity", MODBUS_RTU, "is of a serial line, \"rtu:/dev/ttyUSB0\""},
        {"stop", MODBUS_RTU, "is of a serial line, \"rtu:/dev/ttyUSB0\""},
        {"in_flight", MODBUS_TCP, "is of Modbus TCP: a serial line has one request at a time"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (said(via, rows[i].arg) && carrier != rows[i].only)
            (void)modbus_fault(r, lang_clause_value(via, rows[i].arg)->span, "not with this line",
                               "`%s` %s", rows[i].arg, rows[i].why);
}

static void read_serial(struct modbus_reader *r, const struct lang_clause_decl *via,
                        struct serial_config *s)
{
    static const enum serial_parity parities[] = {SERIAL_PARITY_NONE, SERIAL_PARITY_EVEN,
                                                  SERIAL_PARITY_ODD};
    struct error e = {0};
    s->baud = number_of(via, "baud", 1);
    s->stop_bits = (uint8_t)number_of(via, "stop", 1);
    if (said(via, "parity"))
        s->parity = parities[lang_clause_value(via, "parity")->index];
    if (serial_check(s, &e))
        (void)modbus_fault(r, lang_clause_value(via, "line")->span, "this line", "%s", e.text);
}

static void read_unit(struct modbus_reader *r, const struct lang_clause_decl *via,
                      struct modbus_device *d)
{
    bool serial = d->link.carrier != MODBUS_TCP;
    d->unit = said(via, "unit") ? (uint8_t)number_of(via, "unit", 1) : 1;
    if (serial && (d->unit < 1 || d->unit > 247))
        (void)modbus_fault(r, lang_clause_value(via, "unit")->span, "out of range",
                           "on a serial line a unit is 1 to 247");
}

static void read_line(struct modbus_reader *r, const struct lang_clause_decl *via,
                      struct modbus_device *d)
{
    const struct lang_value *line = lang_clause_value(via, "line");
    struct error e = {0};
    if (modbus_link_parse(&d->link, line->text, &e)) {
        struct lang_diag *diag = modbus_fault(r, line->span, "not a line", "%s", e.text);
        modbus_fault_help(r, diag,
                          "as in:  via modbus \"tcp://plc1:502\" unit 3 { … }, or "
                          "\"rtu:/dev/ttyUSB0\" baud 19200, or \"rtu+tcp://gateway:4001\"");
        return;
    }
    options_fit(r, via, d->link.carrier);
    if (d->link.carrier == MODBUS_RTU)
        read_serial(r, via, &d->link.serial);
    read_unit(r, via, d);
    d->link.timeout_ms = number_of(via, "timeout", 1000);
    d->link.pause_ms = number_of(via, "pause", 1000);
    d->link.in_flight = number_of(via, "in_flight", 1);
    d->every_ms = number_of(via, "every", 1000);
    d->block_max = (uint16_t)number_of(via, "block", 1);
    d->gap_max = (uint16_t)number_of(via, "gap", 1);
    if (said(via, "gap") && d->gap_max == 0)
        d->gap_max = UINT16_MAX; /* the engine's word for none */
}

/* --- what goes with what --- */

static bool is_bit(const struct modbus_place *p)
{
    return p->form.type == MODBUS_BIT;
}

static bool is_scaled(const struct modbus_said *s)
{
    return s->place.form.scale != 1 || s->place.form.offset != 0 || s->converts;
}

static void say_register(struct modbus_reader *r, struct lang_diag *d)
{
    modbus_fault_help(r, d,
                      "numbers are in registers: `input N` or `holding N`, with a type: u16 "
                      "i16 u32 i32 f32 …");
}

static void say_bit(struct modbus_reader *r, struct lang_diag *d)
{
    modbus_fault_help(r, d,
                      "a bool is a bit: `coil N`, `discrete N`, or `bit N` of a register; a "
                      "register of an integer type is true when it is not 0");
}

/* raw × scale + offset is in the unit that was said; the engine is told how it is in the wanted. */
static void convert(struct modbus_reader *r, struct modbus_said *s, const struct lang_type *t,
                    struct str member)
{
    const struct lang_unit *from = &s->unit, *to = &t->unit;
    if (!s->converts)
        return;
    if (t->kind != LANG_TYPE_FLOAT || !lang_unit_same_dim(from, to)) {
        struct str type = lang_type_name(t);
        struct lang_diag *d =
            modbus_fault(r, s->unit_span, "another dimension", "`%.*s` is of type %.*s, not %.*s",
                         STR_FMT(member), STR_FMT(type), STR_FMT(from->symbol));
        modbus_fault_help(r, d,
                          "`as` says in which unit the device counts, if it is another one "
                          "of the same dimension");
        return;
    }
    struct modbus_form *f = &s->place.form;
    f->offset = (f->offset * from->scale + from->offset - to->offset) / to->scale;
    f->scale = f->scale * from->scale / to->scale;
}

/* Whether a value of type `t` can stand there. */
static void type_fits(struct modbus_reader *r, struct modbus_said *s, const struct lang_type *t,
                      struct str member)
{
    bool whole = s->place.form.type < MODBUS_F32;
    struct str type = lang_type_name(t);
    switch (t->kind) {
    case LANG_TYPE_BOOL:
        if (!whole || is_scaled(s))
            say_bit(r, modbus_fault(r, s->span, "a number", "`%.*s` is a bool", STR_FMT(member)));
        return;
    case LANG_TYPE_INT:
    case LANG_TYPE_FLOAT:
    case LANG_TYPE_TIME:
        if (is_bit(&s->place)) {
            say_register(r, modbus_fault(r, s->span, "a bit", "`%.*s` is a number (%.*s)",
                                         STR_FMT(member), STR_FMT(type)));
            return;
        }
        break;
    default:
        (void)modbus_fault(r, s->place_span, "not for this type",
                           "`%.*s` is of type %.*s: Modbus carries bits and numbers",
                           STR_FMT(member), STR_FMT(type));
        return;
    }
    bool fraction = !whole || floor(s->place.form.scale) != s->place.form.scale ||
                    floor(s->place.form.offset) != s->place.form.offset;
    if (t->kind != LANG_TYPE_FLOAT && fraction) {
        struct lang_diag *d = modbus_fault(r, s->span, "gives fractions", "`%.*s` is an %.*s",
                                           STR_FMT(member), STR_FMT(type));
        modbus_fault_help(r, d, "declare it with a unit, or as a float:  property %.*s: float",
                          STR_FMT(member));
        return;
    }
    convert(r, s, t, member);
}

/* --- properties --- */

static bool read_point(struct modbus_reader *r, const struct lang_mapping *m,
                       const struct lang_member *member, bool also_action, struct modbus_point *out,
                       struct lang_span *span)
{
    struct modbus_words w = {.r = r, .m = m};
    struct modbus_said s;
    if (!modbus_words_next(&w, &s))
        return false;
    if (!also_action && (s.value != SAID_NOTHING || w.at < m->words_n)) {
        struct lang_span at = s.value != SAID_NOTHING ? s.value_span : m->spans[w.at - 1];
        struct lang_diag *d = modbus_fault(r, at, "for actions",
                                           "`%.*s` is a property: it is read, nothing is written",
                                           STR_FMT(m->member));
        modbus_fault_help(r, d, "say only where it is:  %.*s = %s %u", STR_FMT(m->member),
                          modbus_table_name(s.place.table), s.place.address);
        return false;
    }
    type_fits(r, &s, &member->type, m->member);
    *out = (struct modbus_point){.property = member->index, .place = s.place};
    *span = s.span;
    return !r->failed;
}

/* --- actions --- */

static int find_param(const struct lang_member *action, struct str name)
{
    for (size_t i = 0; i < action->params_n; i++)
        if (str_eq(action->params[i].name, name))
            return (int)i;
    return -1;
}

static void unknown_param(struct modbus_reader *r, const struct modbus_said *s,
                          const struct lang_member *action)
{
    struct lang_diag *d =
        modbus_fault(r, s->value_span, "not one of its parameters",
                     "`%.*s` has no parameter `%.*s`", STR_FMT(action->name), STR_FMT(s->arg));
    if (action->params_n)
        modbus_fault_help(r, d, "as in:  %s %u arg %.*s", modbus_table_name(s->place.table),
                          s->place.address, STR_FMT(action->params[0].name));
    else
        modbus_fault_help(r, d, "it has none: write a constant, as in:  %s %u %s",
                          modbus_table_name(s->place.table), s->place.address,
                          is_bit(&s->place) ? "on" : "value 1");
}

static void value_missing(struct modbus_reader *r, const struct modbus_said *s,
                          const struct lang_member *action)
{
    struct lang_diag *d =
        modbus_fault(r, s->span, "what is written?",
                     "`%.*s` is an action: say what it writes there", STR_FMT(action->name));
    const char *table = modbus_table_name(s->place.table);
    if (action->params_n)
        modbus_fault_help(r, d, "as in:  %.*s = %s %u arg %.*s", STR_FMT(action->name), table,
                          s->place.address, STR_FMT(action->params[0].name));
    else
        modbus_fault_help(r, d, "as in:  %.*s = %s %u %s", STR_FMT(action->name), table,
                          s->place.address, is_bit(&s->place) ? "on" : "value 1");
}

static struct modbus_number number_from(double d)
{
    bool whole = d == floor(d) && fabs(d) < 9007199254740992.0; /* 2^53 */
    return (struct modbus_number){.is_float = !whole, .i = whole ? (int64_t)d : 0, .f = d};
}

/* A constant; whether the register can hold it is tried. */
static void read_constant(struct modbus_reader *r, const struct modbus_said *s,
                          struct modbus_write *out)
{
    uint8_t raw[8] = {0};
    if (s->value != SAID_NUMBER && !is_bit(&s->place)) {
        struct lang_diag *d = modbus_fault(r, s->value_span, "not for a number",
                                           "on and off are for bits, this is a register");
        modbus_fault_help(r, d, "write  value 1, or name the bit:  bit 0 on");
        return;
    }
    if (s->value == SAID_NUMBER && is_bit(&s->place) && s->number != 0 && s->number != 1) {
        (void)modbus_fault(r, s->value_span, "not 0 or 1", "a bit is on or off");
        return;
    }
    out->arg = -1;
    out->constant = number_from(s->value == SAID_NUMBER ? s->number : s->value == SAID_ON);
    if (modbus_encode_number(&s->place.form, &out->constant, raw))
        (void)modbus_fault(r, s->value_span, "does not fit",
                           "%s can't hold %g with its scale and offset",
                           modbus_type_name(s->place.form.type), s->number);
}

static bool read_write(struct modbus_reader *r, struct modbus_said *s,
                       const struct lang_member *action, struct modbus_write *out)
{
    struct error e = {0};
    *out = (struct modbus_write){.action = action->index};
    if (modbus_place_check(&s->place, true, &e)) {
        struct lang_diag *d = modbus_fault(r, s->place_span, "read only", "%s", e.text);
        modbus_fault_help(r, d, "what is written is a `coil` or in a `holding` register");
        return false;
    }
    if (s->value == SAID_NOTHING) {
        value_missing(r, s, action);
        return false;
    }
    if (s->value == SAID_ARG) {
        out->arg = find_param(action, s->arg);
        if (out->arg < 0)
            unknown_param(r, s, action);
        else
            type_fits(r, s, &action->params[out->arg].type, s->arg);
    } else {
        read_constant(r, s, out);
        if (s->converts)
            (void)modbus_fault(r, s->unit_span, "not for a constant",
                               "`as` is for what has a unit: a property or a parameter");
    }
    out->place = s->place;
    return !r->failed;
}

/* Each parameter must go somewhere. */
static void params_sent(struct modbus_reader *r, const struct lang_mapping *m,
                        const struct lang_member *action, uint64_t sent)
{
    for (size_t i = 0; i < action->params_n && i < 64; i++) {
        if (sent & (1ull << i))
            continue;
        struct str name = action->params[i].name;
        struct lang_diag *d = modbus_fault(r, m->span, "not all of it",
                                           "the parameter `%.*s` of `%.*s` is not written",
                                           STR_FMT(name), STR_FMT(action->name));
        if (r->c)
            lang_report_mark(r->c, d, action->params[i].span, "declared here");
        modbus_fault_help(r, d, "add:  then holding N arg %.*s", STR_FMT(name));
    }
}

/* --- all of it --- */

struct gathered {
    struct modbus_point *points;
    struct modbus_write *writes;
    struct lang_span *point_spans, *write_spans;
    size_t points_n, writes_n, writes_cap;
};

static void read_action(struct modbus_reader *r, const struct lang_mapping *m,
                        const struct lang_member *action, struct gathered *g)
{
    struct modbus_words w = {.r = r, .m = m};
    struct modbus_said s;
    uint64_t sent = 0;
    while (!r->failed && modbus_words_next(&w, &s)) {
        struct modbus_write *out = &g->writes[g->writes_n];
        ASSERT(g->writes_n < g->writes_cap); /* each takes two words at least */
        if (!read_write(r, &s, action, out))
            return;
        if (out->arg >= 0 && out->arg < 64)
            sent |= 1ull << out->arg;
        g->write_spans[g->writes_n++] = s.span;
    }
    if (!r->failed)
        params_sent(r, m, action, sent);
}

static bool gather(struct modbus_reader *r, const struct lang_value *map, struct gathered *g)
{
    size_t n = map->mappings_n;
    for (size_t i = 0; i < n; i++)
        g->writes_cap += map->mappings[i].words_n / 2 + 1;
    g->points = arena_array(r->arena, n + 1, sizeof(*g->points));
    g->point_spans = arena_array(r->arena, n + 1, sizeof(*g->point_spans));
    g->writes = arena_array(r->arena, g->writes_cap + 1, sizeof(*g->writes));
    g->write_spans = arena_array(r->arena, g->writes_cap + 1, sizeof(*g->write_spans));
    return !r->arena->failed;
}

/* One after the other, so that each mapping's first mistake is told. */
static bool read_mappings(struct modbus_reader *r, const struct lang_value *map,
                          const struct lang_decl *model, struct gathered *g)
{
    bool failed = r->failed;
    for (size_t i = 0; i < map->mappings_n; i++) {
        const struct lang_mapping *m = &map->mappings[i];
        const struct lang_member *read = lang_decl_member(model, LANG_CLAUSE_READABLE, m->member);
        const struct lang_member *action = lang_decl_member(model, LANG_CLAUSE_COMMAND, m->member);
        r->failed = false;
        if (read && read_point(r, m, read, action != NULL, &g->points[g->points_n],
                               &g->point_spans[g->points_n]))
            g->points_n++;
        if (action && !r->failed)
            read_action(r, m, action, g);
        if (!read && !action && lang_decl_member(model, LANG_CLAUSE_SIGNAL, m->member))
            (void)modbus_fault(r, m->span, "an event",
                               "`%.*s` is an event: Modbus devices are asked, they don't tell",
                               STR_FMT(m->member));
        failed = failed || r->failed;
    }
    r->failed = failed;
    return !failed;
}

bool modbus_read_device(struct modbus_reader *r, struct site_modbus_device *out)
{
    const struct lang_clause_decl *via = site_modbus_clause(r->device);
    const struct lang_value *map = lang_clause_value(via, "mappings");
    const struct lang_value *order = lang_clause_value(via, "order");
    struct gathered g = {0};
    *out = (struct site_modbus_device){.decl = r->device};
    if (order->kind == LANG_ARG_WORD)
        r->order = (enum modbus_order)modbus_order_from(order->text);
    read_line(r, via, &out->modbus);
    if (map->mappings_n > POINTS_MAX) {
        (void)modbus_fault(r, map->span, "too many", "a device has at most %d points", POINTS_MAX);
        return false;
    }
    if (!gather(r, map, &g)) {
        (void)modbus_fault(r, r->device->name_span, "", "no memory for the points of this device");
        return false;
    }
    bool fine = read_mappings(r, map, r->device->type, &g);
    out->modbus.points = g.points;
    out->modbus.point_count = g.points_n;
    out->modbus.writes = g.writes;
    out->modbus.write_count = g.writes_n;
    if (said(via, "multiple"))
        for (size_t i = 0; i < g.writes_n; i++)
            g.writes[i].multiple = true;
    out->point_spans = g.point_spans;
    out->write_spans = g.write_spans;
    return fine;
}
