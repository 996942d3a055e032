/* cmd_import: an engineer's table of points becomes declarations of a site.
 *
 * The table is read (points/), its text is put behind what is in one of the site's files, and all
 * of it is checked as `sedge check` would; only then is that file written, if nobody has changed it
 * meanwhile (adopt/edit.h). */
#include "adopt/edit.h"
#include "app/args.h"
#include "app/import_file.h"
#include "app/when.h"
#include "codec/json.h"
#include "points/points.h"
#include "site/modbus.h"
#include "site/schema.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct import_options {
    const char *csv, *site;
    const char *into; /* NULL: named like the table */
    struct points_options points;
    bool write, json;
};

/* All of an import, in the order in which it comes to be. */
struct import {
    struct import_options o;
    struct arena arena;
    struct lang_site *before; /* as it is; with errors its names are known all the same */
    struct points_table table;
    struct strbuf text;         /* the declarations */
    char file[256], path[4096]; /* that they go into: its name, and where it is */
    bool single;                /* the site is that file */
    struct edit edit;
    bool is_new;
    struct lang_site *after;
    bool written;
};

/* --- options --- */

enum {
    O_LINE = 256,
    O_DEVICE,
    O_MODEL,
    O_PLACE,
    O_UNIT,
    O_ORDER,
    O_NUMBERING,
    O_EVERY,
    O_SEPARATOR,
    O_INTO,
    O_WRITE
};

static const char *set_line(struct import_options *o, const char *value)
{
    static char why[256]; /* told at once */
    struct modbus_link link = {0};
    struct error e = {0};
    o->points.line = str_from(value);
    if (modbus_link_parse(&link, o->points.line, &e) == ERR_OK)
        return NULL;
    (void)snprintf(why, sizeof(why), "%s", e.text);
    return why;
}

static const char *set_numbering(struct import_options *o, struct str value)
{
    static const struct {
        const char *word;
        enum points_numbering numbering;
    } rows[] = {{"auto", POINTS_AUTO},
                {"protocol", POINTS_PROTOCOL},
                {"one", POINTS_FROM_ONE},
                {"manual", POINTS_MODICON}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq(value, str_from(rows[i].word))) {
            o->points.numbering = rows[i].numbering;
            return NULL;
        }
    return "there are auto, protocol (from 0), one (from 1) and manual (40001)";
}

static const char *set_every(struct import_options *o, struct str value)
{
    if (span_parse(value, &o->points.every_ms))
        return "it is a time, as 500ms, 5s or 1min";
    return o->points.every_ms >= 10 && o->points.every_ms <= 86400000 ? NULL : "it is 10ms to 24h";
}

static const char *set_separator(struct import_options *o, struct str value)
{
    if (str_eq(value, STR("tab")))
        o->points.separator = '\t';
    else if (value.n == 1 && strchr(",;|\t", value.p[0]))
        o->points.separator = value.p[0];
    else
        return "it is , ; | or tab";
    return NULL;
}

static bool is_name(const char *s)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
    size_t n = strlen(s);
    return n && strspn(s, letters) == n && !strstr(s, "..") && s[0] != '.' && s[n - 1] != '.' &&
           (s[0] < '0' || s[0] > '9');
}

/* A path of names, "plant.hall2". What is none is made one, as in the table. */
static const char *set_name(struct import *m, struct str *out, const char *value, bool model)
{
    *out = str_from(value);
    if (!is_name(value))
        *out = points_name(&m->arena, *out, model);
    return out->n ? NULL : "a name has letters, digits and _; dots between its parts";
}

static const char *set_order(struct import_options *o, struct str value)
{
    int order = modbus_order_from(value);
    if (order < 0)
        return "there are abcd, cdab, badc and dcba";
    o->points.order = (enum modbus_order)order;
    return NULL;
}

static const char *set_unit(struct import_options *o, struct str value)
{
    int64_t n;
    if (str_to_i64(value, &n) || n < 0 || n > 255)
        return "a unit is 0 to 255";
    o->points.unit = (uint8_t)n;
    return NULL;
}

static const char *set_into(struct import_options *o, const char *value)
{
    o->into = value;
    bool fine = str_ends(str_from(value), STR(".sedge")) && !strchr(value, '/') && value[0] != '.';
    return fine ? NULL : "it is the name of a .sedge file of the site's folder";
}

/* What is wrong with the value; NULL: nothing. */
static const char *set_option(struct import *m, int id, const char *value)
{
    struct import_options *o = &m->o;
    switch (id) {
    case O_LINE: return set_line(o, value);
    case O_DEVICE: return set_name(m, &o->points.device, value, false);
    case O_MODEL: return set_name(m, &o->points.model, value, true);
    case O_PLACE: return set_name(m, &o->points.place, value, false);
    case O_UNIT: return set_unit(o, str_from(value));
    case O_ORDER: return set_order(o, str_from(value));
    case O_NUMBERING: return set_numbering(o, str_from(value));
    case O_EVERY: return set_every(o, str_from(value));
    case O_SEPARATOR: return set_separator(o, str_from(value));
    case O_INTO: return set_into(o, value);
    case O_WRITE: o->write = true; return NULL;
    default: o->json = true; return NULL;
    }
}

/* 0: go on, else the exit status + 1. */
static int parse(int argc, char **argv, struct import *m)
{
    struct args a = args_start(&command_import, argc, argv);
    struct import_options *o = &m->o;
    *o = (struct import_options){.points = {.unit = 1}};
    for (int id; (id = args_next(&a)) != ARGS_END;) {
        if (id == ARGS_WORD && !o->csv) {
            o->csv = a.value;
        } else if (id == ARGS_WORD && !o->site) {
            o->site = a.value;
        } else if (id < 0) {
            return args_status(&a) + 1;
        } else {
            const char *why = set_option(m, id, a.value);
            if (why)
                return args_wrong(&a, "%s", why) + 1;
        }
    }
    if (!o->csv)
        return args_missing(&a, "TABLE") + 1;
    if (!o->site)
        return args_missing(&a, "SITE") + 1;
    struct stat st;
    if (stat(o->csv, &st) == 0 && S_ISDIR(st.st_mode))
        return args_refuse(&a, "%s is a folder: first comes the table, then the site", o->csv) + 1;
    return 0;
}

/* --- the site as it is --- */

static bool name_taken(void *ctx, struct str name, bool model)
{
    const struct import *m = ctx;
    for (size_t i = 0; m->before && i < m->before->decls_n; i++) {
        const struct lang_decl *d = m->before->decls[i];
        bool same_kind = (d->kind->role == LANG_ROLE_TYPE) == model;
        if (same_kind && d->kind->head != LANG_HEAD_TEXT && str_eq(d->name, name))
            return true;
    }
    return false;
}

/* "points" of "lists/points.csv". */
static struct str stem_of(const char *csv)
{
    const char *slash = strrchr(csv, '/');
    struct str s = str_from(slash ? slash + 1 : csv);
    for (size_t i = s.n; i > 1; i--)
        if (s.p[i - 1] == '.')
            return str_sub(s, 0, i - 1);
    return s;
}

/* "EM340 list" is em340_list: without what a shell or a make file minds. */
static void name_file(struct import *m)
{
    struct str stem = m->o.points.stem;
    size_t n = 0;
    for (size_t i = 0; i < stem.n && n + 8 < sizeof(m->file); i++) {
        char c = stem.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                     (unsigned char)c >= 0x80;
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        else if (!plain)
            c = '_';
        if (c != '_' || (n && m->file[n - 1] != '_'))
            m->file[n++] = c;
    }
    (void)snprintf(m->file + n, sizeof(m->file) - n, "%s.sedge", n ? "" : "points");
}

/* Which file the text goes into: of a folder one named like the table, else the one file. */
static enum err choose_file(struct import *m, struct error *e)
{
    struct stat st;
    bool folder = stat(m->o.site, &st) == 0 && S_ISDIR(st.st_mode);
    m->single = !folder;
    const char *slash = strrchr(m->o.site, '/');
    if (!folder && m->o.into)
        return error_set(e, ERR_INVALID, "%s is one file: --into is for folders", m->o.site);
    if (folder && m->o.into)
        (void)snprintf(m->file, sizeof(m->file), "%s", m->o.into);
    else if (folder)
        name_file(m);
    else
        (void)snprintf(m->file, sizeof(m->file), "%s", slash ? slash + 1 : m->o.site);
    int n = folder ? snprintf(m->path, sizeof(m->path), "%s/%s", m->o.site, m->file)
                   : snprintf(m->path, sizeof(m->path), "%s", m->o.site);
    if (n < 0 || (size_t)n >= sizeof(m->path) || m->file[0] == '.')
        return error_set(e, ERR_INVALID, "no file can be named after the table: say --into FILE");
    return ERR_OK;
}

static enum err read_site(struct import *m, struct error *e)
{
    struct site_sources sources;
    enum err err = choose_file(m, e);
    if (!err)
        err = site_read_sources(alloc_system(), m->o.site, &sources, e);
    if (err)
        return err;
    if (lang_check(alloc_system(), site_schema(), sources.v, sources.n, &m->before))
        err = error_set(e, ERR_NOMEM, "no memory to check the site");
    site_sources_fini(&sources);
    return err;
}

/* --- the site as it would be --- */

static enum err put_in(struct import *m, struct error *e)
{
    const char *slash = strrchr(m->o.csv, '/');
    const char *csv = slash ? slash + 1 : m->o.csv;
    if (m->text.failed)
        return error_set(e, ERR_NOMEM, "no memory for the declarations");
    struct str text = arena_strf(&m->arena, "// Points of %s, imported by `sedge import`.\n\n%.*s",
                                 csv, STR_FMT(strbuf_str(&m->text)));
    edit_init(&m->edit, &m->arena, m->before, m->single);
    edit_append(&m->edit, str_from(m->file), text);
    if (m->edit.failed)
        return error_set(e, ERR_FULL, "a site has at most %u files: say --into FILE",
                         LANG_SOURCES_MAX);
    for (size_t i = 0; i < m->edit.n; i++)
        m->is_new |= edit_changes(&m->edit, i) && edit_is_new(&m->edit, i);
    return edit_finish(&m->edit, e);
}

static enum err write_file(struct import *m, struct error *e)
{
    bool changed;
    enum err err = edit_write(&m->edit, m->o.site, &changed, e);
    m->written = err == ERR_OK;
    return err;
}

static enum err import(struct import *m, struct error *e)
{
    struct bytes file;
    struct points_options *o = &m->o.points;
    o->stem = stem_of(m->o.csv);
    o->taken = name_taken;
    o->ctx = m;
    enum err err = read_site(m, e);
    if (!err)
        err = import_read(&m->arena, m->o.csv, &file, e);
    if (!err)
        err = points_table_read(&m->table, alloc_system(), o, file, e);
    if (err || m->table.errors)
        return err;
    points_table_write(&m->text, &m->table, o);
    err = put_in(m, e);
    if (!err && lang_check(alloc_system(), site_schema(), m->edit.after, m->edit.n, &m->after))
        err = error_set(e, ERR_NOMEM, "no memory to check the site");
    if (!err && m->o.write && m->after->errors == 0)
        err = write_file(m, e);
    return err;
}

/* --- what is told --- */

static bool is_good(const struct import *m)
{
    return m->table.errors == 0 && m->after && m->after->errors == 0;
}

static void put_names(struct json_writer *w, const char *key, const struct points_table *t,
                      bool models)
{
    size_t n = models ? t->models.n : t->devices.n;
    json_key(w, key);
    json_array_begin(w);
    for (size_t i = 0; i < n; i++)
        json_str(w, models ? t->models.v[i].name : t->devices.v[i].name);
    json_array_end(w);
}

static void print_json(const struct import *m, struct strbuf *out)
{
    struct json_writer w;
    struct strbuf part;
    strbuf_init(&part, alloc_system(), 0);
    json_writer_init(&w, out);
    json_object_begin(&w);
    json_key(&w, "file");
    json_cstr(&w, m->file);
    json_key(&w, "new");
    json_bool(&w, m->is_new);
    json_key(&w, "written");
    json_bool(&w, m->written);
    json_key(&w, "points");
    json_int(&w, (int64_t)m->table.points);
    json_key(&w, "left_out");
    json_int(&w, (int64_t)m->table.left_out);
    put_names(&w, "models", &m->table, true);
    put_names(&w, "devices", &m->table, false);
    json_key(&w, "text");
    json_str(&w, strbuf_str(&m->text));
    json_key(&w, "errors");
    json_int(&w, (int64_t)m->table.errors);
    json_key(&w, "warnings");
    json_int(&w, (int64_t)m->table.warnings);
    points_table_json_problems(&part, &m->table);
    json_key(&w, "problems");
    json_raw(&w, strbuf_str(&part));
    strbuf_reset(&part);
    if (m->after)
        site_json_diags(&part, m->after);
    json_key(&w, "diagnostics");
    json_raw(&w, m->after ? strbuf_str(&part) : STR("[]"));
    json_object_end(&w);
    strbuf_addc(out, '\n');
    strbuf_fini(&part);
}

static void print_text(const struct import *m, struct strbuf *out, struct strbuf *told)
{
    const struct points_table *t = &m->table;
    points_table_print_problems(told, t, str_from(m->o.csv));
    if (m->after && m->after->errors)
        site_render_diags(told, m->after, false);
    if (!m->o.write || !is_good(m))
        strbuf_addstr(out, strbuf_str(&m->text));
    if (t->errors) {
        strbuf_addf(told, "%zu error%s: nothing is written\n", t->errors,
                    t->errors == 1 ? "" : "s");
    } else if (!is_good(m)) {
        strbuf_addf(told, "with these declarations the site has errors: nothing is written\n");
    } else {
        strbuf_addf(told, "%zu point%s of %zu device%s %s %s; ", t->points,
                    t->points == 1 ? "" : "s", t->devices.n, t->devices.n == 1 ? "" : "s",
                    m->written ? "written to" : "for", m->path);
        if (m->written)
            strbuf_addf(told, "a site that runs takes them with `sedge reload %s`\n", m->o.site);
        else
            strbuf_adds(told, "with --write they are written there\n");
    }
}

static int report(const struct import *m)
{
    struct strbuf out, told;
    strbuf_init(&out, alloc_system(), 0);
    strbuf_init(&told, alloc_system(), 0);
    if (m->o.json)
        print_json(m, &out);
    else
        print_text(m, &out, &told);
    bool failed = out.failed || told.failed || fwrite(out.p, 1, out.n, stdout) != out.n ||
                  fflush(stdout) != 0;
    (void)fwrite(told.p, 1, told.n, stderr);
    strbuf_fini(&out);
    strbuf_fini(&told);
    return failed ? EXIT_USAGE : is_good(m) ? EXIT_OK : EXIT_FINDING;
}

static int cmd_import(int argc, char **argv)
{
    struct import m = {0};
    struct error e = {0};
    arena_init(&m.arena, alloc_system(), 2 * IMPORT_BYTES_MAX);
    int status = parse(argc, argv, &m);
    if (status) {
        arena_fini(&m.arena);
        return status - 1;
    }
    strbuf_init(&m.text, alloc_system(), 0);
    enum err err = import(&m, &e);
    if (err)
        (void)fprintf(stderr, "sedge import: %s\n", e.text[0] ? e.text : err_name(err));
    status = err ? EXIT_USAGE : report(&m);
    lang_site_free(m.after);
    lang_site_free(m.before);
    points_table_fini(&m.table);
    strbuf_fini(&m.text);
    arena_fini(&m.arena);
    return status;
}

const struct command command_import = {
    .name = "import",
    .group = COMMAND_DEVICES,
    .line = "makes declarations of a table of Modbus points",
    .synopsis = "TABLE.csv SITE [OPTIONS]",
    .about =
        "Reads an engineer's list of registers, as a spreadsheet saves it, and shows the models "
        "and devices that SITE would declare; with --write it puts them into a file of the site, "
        "behind what is there. All mistakes are told with line and column, and the whole site is "
        "checked with the new text; nothing is written if anything is wrong.\n\n"
        "The table needs a line of headings with a name and an address; known are also device, "
        "host, port, unit id, table or function, bit, type, length, order, unit, scale, divisor, "
        "decimals, offset, min, max, range, access, comment, and for commands action, value, "
        "confirms and safe, in any order and in several languages. Addresses may be 40001, 0, "
        "0x1F, 4x0001, %MW100 or 40001.3. docs/modbus.md tells all of it.",
    .options = {(const struct command_option[]){
        OPTION("line", 0, "LINK", "where devices are that name no host: tcp://10.0.0.7:502", NULL,
               O_LINE),
        OPTION("unit", 0, "N", "the unit of rows that name none; default: 1", NULL, O_UNIT),
        OPTION("device", 0, "NAME", "the device of rows that name none; default: the file's name",
               NULL, O_DEVICE),
        OPTION("model", 0, "NAME", "the model of all devices; default: after their names", NULL,
               O_MODEL),
        OPTION("place", 0, "PATH", "put in front of devices' names: plant.hall2", NULL, O_PLACE),
        OPTION("order", 0, "ORDER", "of the bytes of long numbers, where nothing says it",
               "abcd cdab badc dcba", O_ORDER),
        OPTION("numbering", 0, "HOW",
               "what a plain address is: protocol from 0, one from 1, manual 40001",
               "auto protocol one manual", O_NUMBERING),
        OPTION("every", 0, "TIME", "how often devices are asked; default: each second", NULL,
               O_EVERY),
        OPTION("separator", 0, "CHAR", "between cells; default: guessed", ", ; | tab", O_SEPARATOR),
        OPTION("into", 0, "FILE", "the file of SITE to write to; default: named like the table",
               NULL, O_INTO),
        {.name = "write", .text = "write it", .id = O_WRITE},
        OPTION_JSON("declarations and problems as one JSON object"),
        OPTIONS_END}},
    .words = {VALUES_FILE, VALUES_FOLDER},
    .examples = {{"sedge import points.csv hall --line tcp://10.0.0.7:502", "shows it"},
                 {"sedge import points.csv hall --line rtu:/dev/ttyUSB0 --unit 3 --write", NULL}},
    .exits = {{"0", "it would be fine, or is written"},
              {"1", "the table has mistakes, or the site would have errors"},
              {"2", "wrong usage, or a file can't be read or written"}},
    .see = {"check", "run"},
    .run = cmd_import,
};
