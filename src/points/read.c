/* The table: its headings, how it counts, and rows to devices. */
#include "points/points_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_MAX = 256 << 20, TITLE_ROWS_MAX = 30 };

/* --- problems --- */

static void add_problem(struct points_table *t, const struct points_problem *p)
{
    if (p->warning)
        t->warnings++;
    else
        t->errors++;
    if (t->problems.n < POINTS_PROBLEMS_MAX && !vec_push(t->arena.alloc, &t->problems, *p))
        t->arena.failed = true;
}

void points_problem(struct points_reader *r, bool warning, enum points_column column,
                    const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    size_t at = column < COLUMNS ? r->columns.at[column] : POINTS_NO_COLUMN;
    struct points_problem p = {.warning = warning,
                               .line = r->row ? r->row->line : 0,
                               .column = at,
                               .text = arena_str(&r->table->arena, str_from(text))};
    if (at != POINTS_NO_COLUMN)
        p.heading = r->columns.headings[at];
    if (r->row && at != POINTS_NO_COLUMN && at < r->row->n)
        p.line = r->row->cells[at].line;
    add_problem(r->table, &p);
}

struct str points_cell(const struct points_reader *r, enum points_column column)
{
    size_t at = r->columns.at[column];
    return at < r->row->n ? r->row->cells[at].text : STR("");
}

/* --- all rows, kept, since how a table counts is seen of all of them --- */

struct rows {
    VEC(struct csv_row *) v;
    struct points_columns columns;
    bool has_columns;
    struct csv_row title; /* the first row, if there are no headings */
};

static struct csv_row *keep(struct arena *a, const struct csv_row *row)
{
    size_t size = offsetof(struct csv_row, cells) + row->n * sizeof(row->cells[0]);
    struct csv_row *copy = arena_new(a, size);
    if (copy)
        memcpy(copy, row, size);
    return copy;
}

static enum err read_rows(struct points_reader *r, struct rows *rows, struct str text,
                          struct error *e)
{
    struct points_table *t = r->table;
    struct csv_row *row = mem_zero(t->arena.alloc, sizeof(*row));
    struct csv csv;
    enum err err = row ? ERR_OK : ERR_NOMEM;
    size_t seen = 0;
    csv_init(&csv, &t->arena, text, r->o->separator);
    while (!err && (err = csv_next(&csv, row, e)) != ERR_NOT_FOUND) {
        if (err == ERR_SYNTAX) {
            struct points_problem p = {.line = row->line,
                                       .column = POINTS_NO_COLUMN,
                                       .text = arena_str(&t->arena, str_from(e->text))};
            add_problem(t, &p);
            err = ERR_OK;
            continue;
        }
        if (!err && !rows->has_columns) {
            if (seen++ == 0)
                rows->title = *row;
            rows->has_columns = columns_read(&rows->columns, row);
            if (!rows->has_columns && seen >= TITLE_ROWS_MAX)
                break;
            continue;
        }
        struct csv_row *kept = err ? NULL : keep(&t->arena, row);
        if (!err && rows->v.n >= POINTS_MAX)
            err = error_set(e, ERR_SYNTAX, "more than %d rows", POINTS_MAX);
        else if (!err && (!kept || !vec_push(t->arena.alloc, &rows->v, kept)))
            err = ERR_NOMEM;
    }
    mem_free(t->arena.alloc, row, sizeof(*row));
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* --- how the table counts --- */

/* Headings between the rows, "Phase 1": nothing but a text in one cell, which is no address. */
static bool is_section(const struct points_reader *r)
{
    size_t filled = 0;
    struct cell_address address;
    for (size_t i = 0; i < r->row->n; i++)
        filled += r->row->cells[i].text.n > 0;
    return filled <= 1 && !cell_address(points_cell(r, COLUMN_ADDRESS), r->columns.hex, &address);
}

static bool column_is_whole(struct points_reader *r, const struct rows *rows, enum points_column c)
{
    bool any = false;
    double d;
    for (size_t i = 0; i < rows->v.n; i++) {
        r->row = rows->v.v[i];
        struct str s = points_cell(r, c);
        if (s.n == 0 || is_section(r))
            continue;
        if (!cell_number(s, &d) || d < 0 || d > 255 || d != floor(d))
            return false;
        any = true;
    }
    return any;
}

/* "Unit" or "Station" may be the number on the line. */
static void find_unit_column(struct points_reader *r, const struct rows *rows)
{
    static const enum points_column maybe[] = {COLUMN_UNIT, COLUMN_DEVICE};
    for (size_t i = 0; i < ARRAY_LEN(maybe); i++) {
        size_t *unit = &r->columns.at[COLUMN_UNIT_ID], *other = &r->columns.at[maybe[i]];
        if (*unit != POINTS_NO_COLUMN || *other == POINTS_NO_COLUMN ||
            !column_is_whole(r, rows, maybe[i]))
            continue;
        *unit = *other;
        *other = POINTS_NO_COLUMN;
    }
}

/* 40001 where nothing speaks against it: wherever a row says its table, that is the leading
 * digit's; and all registers are such numbers. */
static bool looks_modicon(struct points_reader *r, const struct rows *rows)
{
    size_t such = 0;
    for (size_t i = 0; i < rows->v.n; i++) {
        struct cell_address a;
        enum modbus_table lead, said;
        uint32_t number;
        r->row = rows->v.v[i];
        if (!cell_address(points_cell(r, COLUMN_ADDRESS), r->columns.hex, &a) || a.exact ||
            a.has_table)
            continue;
        struct str table = points_cell(r, COLUMN_TABLE);
        bool tells = table.n && cell_table(table, &said);
        bool form = cell_modicon(&a, &lead, &number);
        if (tells && (form ? lead != said : said != MODBUS_COIL))
            return false;
        if (!form && !tells && a.digits > 5)
            return false;
        such += form && lead != MODBUS_COIL;
        r->tables_said = r->tables_said || tells;
    }
    return such > 0;
}

static void decide_numbering(struct points_reader *r, const struct rows *rows)
{
    r->numbering = r->o->numbering;
    bool modicon = looks_modicon(r, rows);
    r->row = NULL;
    if (r->numbering != POINTS_AUTO)
        return;
    r->numbering = modicon ? POINTS_MODICON : POINTS_PROTOCOL;
    if (modicon && r->tables_said)
        points_problem(r, true, COLUMN_ADDRESS,
                       "addresses are taken for the numbers of manuals, 40001 for holding register "
                       "0; if they are those on the wire, say --numbering protocol");
}

static void tell_unused(struct points_reader *r)
{
    struct strbuf b;
    strbuf_init(&b, r->table->arena.alloc, 300);
    for (size_t i = 0; i < r->columns.n; i++) {
        bool used = r->columns.headings[i].n == 0;
        for (unsigned c = 0; c < COLUMNS; c++)
            used = used || r->columns.at[c] == i;
        char name[4];
        csv_column_name(i, name);
        if (!used)
            strbuf_addf(&b, "%s%.*s (%s)", b.n ? ", " : "", STR_FMT(r->columns.headings[i]), name);
    }
    if (b.n)
        points_problem(r, true, COLUMNS, "columns that are not used: %.*s",
                       STR_FMT(strbuf_str(&b)));
    strbuf_fini(&b);
}

static void tell_holding(struct points_reader *r)
{
    if (r->numbering == POINTS_MODICON || r->columns.at[COLUMN_TABLE] != POINTS_NO_COLUMN)
        return;
    for (size_t i = 0; i < r->table->devices.n; i++) {
        const struct points_device *d = &r->table->devices.v[i];
        for (size_t k = 0; k < d->points.n; k++)
            if (d->points.v[k].place.table == MODBUS_HOLDING) {
                points_problem(
                    r, true, COLUMN_ADDRESS,
                    "no column says the table: registers are taken for holding registers; "
                    "a column `table` may say coil, discrete, holding or input");
                return;
            }
    }
}

/* --- rows to devices --- */

static bool read_unit_id(struct points_reader *r, uint8_t *out)
{
    struct str s = points_cell(r, COLUMN_UNIT_ID);
    double d = r->o->unit;
    if (s.n && (!cell_number(s, &d) || d < 0 || d > 255 || d != floor(d))) {
        points_problem(r, false, COLUMN_UNIT_ID, "a unit is a whole number, 0 to 255");
        return false;
    }
    *out = (uint8_t)d;
    return true;
}

/* Letters of names, addresses and paths: what stands in quotes in the text. */
static bool is_host(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    (c && strchr(".:-_[]/%+", c));
        if (!fine)
            return false;
    }
    return s.n <= 200;
}

/* "tcp://10.0.0.7:502" of the columns, or what the options say. */
static bool read_line(struct points_reader *r, struct str *out)
{
    struct str host = points_cell(r, COLUMN_HOST), port = points_cell(r, COLUMN_PORT);
    double d = 502;
    size_t colon;
    *out = r->o->line;
    if (port.n && (!cell_number(port, &d) || d < 1 || d > 65535 || d != floor(d))) {
        points_problem(r, false, COLUMN_PORT, "a port is a whole number, 1 to 65535");
        return false;
    }
    if (host.n == 0 && out->n == 0) {
        if (r->line_missed)
            return false; /* once is enough */
        r->line_missed = true;
        points_problem(r, false, COLUMN_HOST,
                       "where is this device? Say --line tcp://HOST:502 or --line "
                       "rtu:/dev/ttyUSB0, or have a column `host`");
        return false;
    }
    if (host.n == 0)
        return true;
    if (!is_host(host)) {
        points_problem(r, false, COLUMN_HOST, "this is no host; as in: 10.0.0.7, plc1.local:502");
        return false;
    }
    bool whole = str_starts(host, STR("tcp:")) || str_starts(host, STR("rtu"));
    if (whole)
        *out = host;
    else if (str_find(host, ':', &colon) && port.n == 0)
        *out = arena_strf(&r->table->arena, "tcp://%.*s", STR_FMT(host));
    else
        *out = arena_strf(&r->table->arena, "tcp://%.*s:%.0f", STR_FMT(host), d);
    return true;
}

static struct str device_name(struct points_reader *r, uint8_t unit)
{
    struct arena *a = &r->table->arena;
    struct str said = points_cell(r, COLUMN_DEVICE), name;
    if (said.n)
        name = name_path(a, said);
    else
        name = r->o->device.n ? r->o->device : name_path(a, r->o->stem);
    if (name.n == 0)
        name = STR("device");
    if (said.n == 0 && points_cell(r, COLUMN_UNIT_ID).n && r->o->device.n == 0)
        name = arena_strf(a, "%.*s%u", STR_FMT(name), unit);
    if (r->o->place.n)
        name = arena_strf(a, "%.*s.%.*s", STR_FMT(r->o->place), STR_FMT(name));
    return name;
}

static struct points_device *find_device(struct points_reader *r, struct map *names,
                                         struct str name)
{
    struct points_table *t = r->table;
    size_t at = (size_t)(uintptr_t)map_get(names, name);
    if (at)
        return &t->devices.v[at - 1];
    struct points_device d = {.name = name,
                              .written = points_cell(r, COLUMN_DEVICE),
                              .model_written = points_cell(r, COLUMN_MODEL),
                              .row = r->row->line};
    if (!vec_push(t->arena.alloc, &t->devices, d) ||
        map_put(names, name, (void *)(uintptr_t)t->devices.n)) {
        t->arena.failed = true;
        return NULL;
    }
    return &t->devices.v[t->devices.n - 1];
}

static bool same_place(struct points_reader *r, struct points_device *d, struct str line,
                       uint8_t unit)
{
    if (d->points.n == 0) {
        d->line = line;
        d->unit = unit;
        return true;
    }
    if (d->unit != unit)
        points_problem(r, false, COLUMN_UNIT_ID,
                       "%.*s is unit %u in line %u, and unit %u here: name it otherwise here",
                       STR_FMT(d->name), d->unit, d->row, unit);
    else if (!str_eq(d->line, line))
        points_problem(r, false, COLUMN_HOST, "%.*s is at %.*s in line %u", STR_FMT(d->name),
                       STR_FMT(d->line), d->row);
    return d->unit == unit && str_eq(d->line, line);
}

static void read_row(struct points_reader *r, struct map *names)
{
    struct points_table *t = r->table;
    struct points_point p;
    struct str line;
    uint8_t unit;
    if (is_section(r))
        return;
    if (points_cell(r, COLUMN_ADDRESS).n == 0) {
        points_problem(r, false, COLUMN_ADDRESS, "an address is missing");
        return;
    }
    if (!points_row(r, &p) || !read_unit_id(r, &unit) || !read_line(r, &line)) {
        t->left_out++;
        return;
    }
    struct points_device *d = find_device(r, names, device_name(r, unit));
    if (!d || !same_place(r, d, line, unit))
        return;
    if (!vec_push(t->arena.alloc, &d->points, p))
        t->arena.failed = true;
    t->points++;
}

static void read_all(struct points_reader *r, const struct rows *rows)
{
    struct map names;
    map_init(&names, r->table->arena.alloc, 1, POINTS_MAX);
    find_unit_column(r, rows);
    decide_numbering(r, rows);
    tell_unused(r);
    for (size_t i = 0; i < rows->v.n; i++) {
        r->row = rows->v.v[i];
        read_row(r, &names);
    }
    r->row = NULL;
    tell_holding(r);
    points_group(r);
    map_fini(&names);
}

static enum err no_headings(const struct rows *rows, struct error *e)
{
    char text[160] = "";
    size_t n = 0;
    for (size_t i = 0; i < rows->title.n && n + 30 < sizeof(text); i++) {
        struct str cell = str_sub(rows->title.cells[i].text, 0, 24);
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s", i ? ", " : "", STR_FMT(cell));
    }
    return error_set(
        e, ERR_SYNTAX,
        "no line of headings was found: wanted are at least a name and an address; the "
        "first line says: %s",
        text[0] ? text : "nothing");
}

static int by_line(const void *a, const void *b)
{
    const struct points_problem *x = a, *y = b;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

enum err points_table_read(struct points_table *t, struct alloc *a, const struct points_options *o,
                           struct bytes file, struct error *e)
{
    struct points_reader r = {.table = t, .o = o};
    struct rows rows = {0};
    struct str text;
    bool guessed;
    *t = (struct points_table){0};
    arena_init(&t->arena, a, ARENA_MAX);
    enum err err = csv_decode(&t->arena, file, &text, &guessed);
    if (err == ERR_SYNTAX)
        (void)error_set(e, err, "this is no text; save the table as CSV");
    if (!err)
        err = read_rows(&r, &rows, text, e);
    if (!err && !rows.has_columns)
        err = no_headings(&rows, e);
    if (!err) {
        r.columns = rows.columns;
        if (guessed)
            points_problem(&r, true, COLUMNS,
                           "the file is no UTF-8 and was read as Windows-1252: "
                           "look at its special characters");
        read_all(&r, &rows);
        if (t->problems.n > 1)
            qsort(t->problems.v, t->problems.n, sizeof(*t->problems.v), by_line);
    }
    if (t->arena.failed)
        err = ERR_NOMEM;
    if (err == ERR_NOMEM)
        (void)error_set(e, err, "no memory for the table");
    vec_fini(a, &rows.v);
    return err;
}

void points_table_fini(struct points_table *t)
{
    struct alloc *a = t->arena.alloc;
    if (!a)
        return;
    for (size_t i = 0; i < t->devices.n; i++)
        vec_fini(a, &t->devices.v[i].points);
    vec_fini(a, &t->devices);
    vec_fini(a, &t->models);
    vec_fini(a, &t->problems);
    arena_fini(&t->arena);
    *t = (struct points_table){0};
}
