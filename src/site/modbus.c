#include "base/map.h"
#include "site/modbus_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_MAX = 256 << 20 };

/* --- the clause --- */

static const char *const parities[] = {"none", "even", "odd", NULL};
static const char *const orders[] = {"abcd", "cdab", "badc", "dcba", NULL};

#define OPT LANG_ARG_OPTIONAL
#define WHOLE(word, from, to)                                                                      \
    {                                                                                              \
        .kind = LANG_ARG_NUMBER, .name = (word), .lead = (word), .flags = OPT | LANG_ARG_WHOLE,    \
        .unit = "", .min = (from), .max = (to)                                                     \
    }
#define TIME(word, from, to)                                                                       \
    {                                                                                              \
        .kind = LANG_ARG_NUMBER, .name = (word), .lead = (word), .flags = OPT, .unit = "s",        \
        .min = (from), .max = (to)                                                                 \
    }
#define WORD(word, list)                                                                           \
    {                                                                                              \
        .kind = LANG_ARG_WORD, .name = (word), .lead = (word), .flags = OPT, .words = (list)       \
    }
const struct lang_arg site_modbus_args[SITE_MODBUS_ARGS] = {
    {.kind = LANG_ARG_STRING, .name = "line"},
    WHOLE("unit", 0, 255),
    TIME("every", 0.01, 86400),
    WORD("order", orders),
    TIME("timeout", 0.01, 60),
    TIME("pause", 0.001, 10),
    WHOLE("in_flight", 1, 16),
    WHOLE("block", 4, MODBUS_READ_REGISTERS_MAX),
    WHOLE("gap", 0, 1000),
    {.kind = LANG_ARG_FLAG, .name = "multiple", .lead = "multiple", .flags = OPT},
    WHOLE("baud", 300, 4000000),
    WORD("parity", parities),
    WHOLE("stop", 1, 2),
    {.kind = LANG_ARG_MAPPINGS, .name = "mappings"},
};

const struct lang_clause_decl *site_modbus_clause(const struct lang_decl *device)
{
    return lang_decl_clause(device, "via", "modbus", 0);
}

enum err site_modbus_read(struct site_modbus_device *out, const struct lang_decl *device,
                          struct arena *a)
{
    struct modbus_reader r = {.arena = a, .device = device};
    return modbus_read_device(&r, out) ? ERR_OK : ERR_INVALID;
}

size_t site_modbus_text(const struct lang_decl *device, char out[SITE_MODBUS_TEXT_MAX])
{
    char line[MODBUS_LINK_TEXT_MAX];
    struct site_modbus_device d;
    struct arena arena;
    int n = 0;
    arena_init(&arena, alloc_system(), ARENA_MAX);
    out[0] = '\0';
    if (site_modbus_read(&d, device, &arena) == ERR_OK) {
        const struct modbus_device *m = &d.modbus;
        const struct modbus_place *p = m->write_count   ? &m->writes[0].place
                                       : m->point_count ? &m->points[0].place
                                                        : NULL;
        modbus_link_place(&m->link, line);
        n = snprintf(out, SITE_MODBUS_TEXT_MAX, "modbus %s unit %u", line, m->unit);
        if (p && n > 0 && n < SITE_MODBUS_TEXT_MAX)
            (void)snprintf(out + n, (size_t)(SITE_MODBUS_TEXT_MAX - n), " %s %u",
                           modbus_table_name(p->table), p->address);
    }
    arena_fini(&arena);
    return n > 0 && n < SITE_MODBUS_TEXT_MAX ? (size_t)n : 0;
}

static uint64_t hash_place(const struct modbus_place *p, uint64_t seed)
{
    char text[160];
    const struct modbus_form *f = &p->form;
    int n = snprintf(text, sizeof(text), "%d %u %d %d %u %a %a", p->table, p->address, f->type,
                     f->order, f->bit, f->scale, f->offset);
    return hash_bytes(text, (size_t)n, seed);
}

static uint64_t hash_line(const struct modbus_device *m)
{
    char link[MODBUS_LINK_TEXT_MAX], text[MODBUS_LINK_TEXT_MAX + 160];
    const struct modbus_link *l = &m->link;
    modbus_link_format(l, link);
    int n = snprintf(text, sizeof(text), "%s %u %u %u %u %u %u %u", link, m->unit, m->every_ms,
                     m->gap_max, m->block_max, l->timeout_ms, l->pause_ms, l->in_flight);
    return hash_bytes(text, (size_t)n, 1);
}

static uint64_t hash_device(const struct modbus_device *m)
{
    uint64_t h = hash_line(m);
    for (size_t i = 0; i < m->point_count; i++)
        h = hash_place(&m->points[i].place, h + m->points[i].property);
    for (size_t i = 0; i < m->write_count; i++) {
        const struct modbus_write *w = &m->writes[i];
        const double what[] = {w->action, w->arg, w->constant.f, w->multiple};
        h = hash_place(&w->place, hash_bytes(what, sizeof(what), h));
    }
    return h;
}

uint64_t site_modbus_hash(const struct lang_decl *device)
{
    struct site_modbus_device d;
    struct arena arena;
    arena_init(&arena, alloc_system(), ARENA_MAX);
    bool is_read = site_modbus_clause(device) && site_modbus_read(&d, device, &arena) == ERR_OK;
    uint64_t h = is_read ? hash_device(&d.modbus) : 0;
    arena_fini(&arena);
    return h;
}

enum err site_modbus_setup(struct modbus_setup **out, const struct lang_site *site,
                           struct registry *r, struct alloc *a,
                           struct device *(*find)(struct registry *r, struct str name),
                           struct error *e)
{
    struct arena arena;
    enum err err = modbus_setup_new(out, a);
    if (err)
        return error_set(e, err, "no memory for the Modbus devices");
    arena_init(&arena, a, ARENA_MAX);
    for (size_t i = 0; !err && i < site->resources_n; i++) {
        const struct lang_decl *decl = site->resources[i];
        struct site_modbus_device d;
        struct error why = {0};
        if (!site_modbus_clause(decl))
            continue;
        err = site_modbus_read(&d, decl, &arena);
        d.modbus.device = find(r, decl->name);
        if (!err && d.modbus.device)
            err = modbus_setup_add(*out, &d.modbus, &why);
        if (err)
            err = error_set(e, err, "%.*s: %s", STR_FMT(decl->name),
                            why.text[0] ? why.text : "its Modbus mapping can't be read");
        arena_reset(&arena);
    }
    arena_fini(&arena);
    if (err) {
        modbus_setup_free(*out);
        *out = NULL;
    }
    return err;
}

/* --- what several devices together get wrong --- */

/* One use of an address. */
struct use {
    const char *line; /* modbus_link_format() */
    const struct lang_decl *device;
    struct lang_span span;
    struct modbus_place place;
    uint8_t unit;
    bool write;
};
struct uses {
    VEC(struct use) all;
    bool failed;
};

static unsigned size_of(const struct use *u)
{
    return modbus_type_size(u->place.form.type);
}

/* Overlaps stand beside each other: by line, unit, table, address. */
static int by_address(const void *pa, const void *pb)
{
    const struct use *a = pa, *b = pb;
    int line = strcmp(a->line, b->line);
    if (line)
        return line;
    if (a->unit != b->unit)
        return a->unit < b->unit ? -1 : 1;
    if (a->place.table != b->place.table)
        return a->place.table < b->place.table ? -1 : 1;
    if (a->place.address != b->place.address)
        return a->place.address < b->place.address ? -1 : 1;
    if (a->span.source != b->span.source)
        return a->span.source < b->span.source ? -1 : 1;
    return a->span.from < b->span.from ? -1 : a->span.from > b->span.from;
}

static bool together(const struct use *a, const struct use *b)
{
    return strcmp(a->line, b->line) == 0 && a->unit == b->unit && a->place.table == b->place.table;
}

static bool is_bit_of_register(const struct use *u)
{
    return u->place.form.type == MODBUS_BIT && !modbus_table_is_bits(u->place.table);
}

static bool same_bit(const struct use *a, const struct use *b)
{
    bool both = is_bit_of_register(a) && is_bit_of_register(b);
    return !both || a->place.form.bit == b->place.form.bit;
}

static void written_twice(struct lang_ctx *c, const struct use *a, const struct use *b)
{
    const char *table = modbus_table_name(b->place.table);
    struct lang_diag *d = lang_report_error(
        c, "M2", b->span, "also here", "%.*s and %.*s both write %s %u of unit %u",
        STR_FMT(a->device->name), STR_FMT(b->device->name), table, b->place.address, b->unit);
    lang_report_mark(c, d, a->span, "%.*s writes it", STR_FMT(a->device->name));
    lang_report_help(c, d,
                     "what is commanded belongs to one device, so that it can have one owner");
}

static void half_shared(struct lang_ctx *c, const struct use *a, const struct use *b)
{
    const char *table = modbus_table_name(b->place.table);
    struct lang_diag *d = lang_report_warning(c, "M2", b->span, "begins inside of another",
                                              "%s %u is the second half of what is read at %s %u",
                                              table, b->place.address, table, a->place.address);
    lang_report_mark(c, d, a->span, "%s takes %u registers", modbus_type_name(a->place.form.type),
                     size_of(a));
    lang_report_help(c, d, "is one of the addresses, or of the types, a mistake?");
}

static void compare(struct lang_ctx *c, const struct use *a, const struct use *b)
{
    if (a->write && b->write && a->device != b->device && same_bit(a, b))
        written_twice(c, a, b);
    else if (!a->write && !b->write && a->place.address != b->place.address)
        half_shared(c, a, b);
}

static void find_overlaps(struct lang_ctx *c, struct uses *u)
{
    if (u->all.n > 1)
        qsort(u->all.v, u->all.n, sizeof(*u->all.v), by_address);
    for (size_t i = 0; i < u->all.n; i++) {
        const struct use *a = &u->all.v[i];
        unsigned end = a->place.address + size_of(a);
        size_t near = i + 1 + 64; /* a hundred on one address are no hundred messages */
        for (size_t k = i + 1; k < u->all.n && k < near; k++) {
            const struct use *b = &u->all.v[k];
            if (!together(a, b) || b->place.address >= end)
                break;
            compare(c, a, b);
        }
    }
}

static void add_uses(struct uses *u, const struct site_modbus_device *d, const char *line)
{
    const struct modbus_device *m = &d->modbus;
    struct use use = {.line = line, .device = d->decl, .unit = m->unit};
    for (size_t i = 0; i < m->point_count; i++) {
        use.span = d->point_spans[i];
        use.place = m->points[i].place;
        u->failed = u->failed || !vec_push(alloc_system(), &u->all, use);
    }
    use.write = true;
    for (size_t i = 0; i < m->write_count; i++) {
        use.span = d->write_spans[i];
        use.place = m->writes[i].place;
        u->failed = u->failed || !vec_push(alloc_system(), &u->all, use);
    }
}

/* A serial device has one rate and one parity; what of a line is said twice must be the same. */
static void lines_agree(struct lang_ctx *c, const struct site_modbus_device *a,
                        const struct site_modbus_device *b)
{
    const struct modbus_link *x = &a->modbus.link, *y = &b->modbus.link;
    char p[MODBUS_LINK_TEXT_MAX], q[MODBUS_LINK_TEXT_MAX];
    bool serial = x->carrier == MODBUS_RTU && y->carrier == MODBUS_RTU;
    modbus_link_format(x, p);
    modbus_link_format(y, q);
    bool same = strcmp(p, q) == 0;
    bool differ = serial && str_eq(x->serial.path, y->serial.path) && !same;
    const char *what = differ ? "baud, parity and stop" : NULL;
    if (same && x->timeout_ms && y->timeout_ms && x->timeout_ms != y->timeout_ms)
        what = "timeout";
    if (same && x->pause_ms && y->pause_ms && x->pause_ms != y->pause_ms)
        what = "pause";
    if (same && x->in_flight && y->in_flight && x->in_flight != y->in_flight)
        what = "in_flight";
    if (!what)
        return;
    struct lang_span at = lang_clause_value(site_modbus_clause(b->decl), "line")->span;
    struct lang_diag *d = lang_report_error(c, "M2", at, "another one here",
                                            "%.*s and %.*s share a line and differ in its %s",
                                            STR_FMT(a->decl->name), STR_FMT(b->decl->name), what);
    lang_report_mark(c, d, lang_clause_value(site_modbus_clause(a->decl), "line")->span, "%s here",
                     differ ? p : "otherwise");
    lang_report_help(c, d, "what is about the line is the same for all devices on it");
}

static bool is_sound(const struct lang_decl *d)
{
    return !d->damaged && d->type && !d->type->damaged && site_modbus_clause(d);
}

struct checked {
    struct site_modbus_device device;
    char line[MODBUS_LINK_TEXT_MAX];
};

/* Of all devices on one line the first says what it is like. */
static void compare_lines(struct lang_ctx *c, const struct checked *all, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k < i; k++) {
            const struct modbus_link *x = &all[k].device.modbus.link,
                                     *y = &all[i].device.modbus.link;
            bool one = strcmp(all[k].line, all[i].line) == 0 ||
                       (x->carrier == MODBUS_RTU && y->carrier == MODBUS_RTU &&
                        str_eq(x->serial.path, y->serial.path));
            if (!one)
                continue;
            lines_agree(c, &all[k].device, &all[i].device);
            break;
        }
}

void site_modbus_check(struct lang_ctx *c, const struct lang_decl *const *decls, size_t n)
{
    struct arena arena;
    struct uses uses = {0};
    size_t count = 0;
    arena_init(&arena, alloc_system(), ARENA_MAX);
    struct checked *all = arena_array(&arena, n + 1, sizeof(*all));
    for (size_t i = 0; all && i < n; i++) {
        if (!is_sound(decls[i]))
            continue;
        struct modbus_reader r = {.c = c, .arena = &arena, .device = decls[i]};
        struct checked *one = &all[count];
        if (!modbus_read_device(&r, &one->device))
            continue;
        modbus_link_format(&one->device.modbus.link, one->line);
        add_uses(&uses, &one->device, one->line);
        count++;
    }
    if (all)
        compare_lines(c, all, count);
    find_overlaps(c, &uses);
    if ((uses.failed || arena.failed) && n)
        (void)lang_report_error(c, "M2", decls[0]->span, "", "no memory to check Modbus devices");
    vec_fini(alloc_system(), &uses.all);
    arena_fini(&arena);
}
