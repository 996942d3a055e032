/* sedge export: histories of a running site as a file. */
#include "app/answer.h"
#include "app/args.h"
#include "app/site_call.h"
#include "app/terminal.h"
#include "app/when.h"
#include "async/env.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORDS_MAX = 64, SERIES_MAX = 4096, AT_ONCE = 64 /* what the site takes in one request */ };

struct exporting {
    struct site_call_config call;
    const char *words[WORDS_MAX]; /* names of properties and devices; none: everything */
    bool found[WORDS_MAX];
    size_t words_n;
    const char *format, *time, *decimal; /* NULL: not said */
    const char *out;                     /* NULL: stdout */
    bool edges, has_from, spreadsheet;
    int64_t from_ms, to_ms, window_ms;
    struct strbuf series; /* names, each with a newline behind it */
    size_t series_n;
    struct str device; /* while the site is looked at */
    FILE *file;
    char part[PATH_MAX]; /* what is written until it is whole; "": the file itself */
    bool in_header;      /* of a further request: there is one already */
};

/* --- which series --- */

static bool is_wanted(struct exporting *o, struct str series)
{
    bool wanted = o->words_n == 0;
    for (size_t i = 0; i < o->words_n; i++) {
        struct str word = str_from(o->words[i]);
        bool this_one = str_eq(word, series) || str_eq(word, o->device);
        o->found[i] |= this_one;
        wanted |= this_one;
    }
    return wanted;
}

static void look_at_property(void *ctx, struct str property)
{
    struct exporting *o = ctx;
    char buf[256], name[1024];
    int n = snprintf(name, sizeof(name), "%.*s.%.*s", STR_FMT(o->device),
                     STR_FMT(answer_member(property, "name", buf, sizeof(buf))));
    if (n < 0 || (size_t)n >= sizeof(name) || !is_wanted(o, (struct str){name, (size_t)n}))
        return;
    strbuf_addf(&o->series, "%s\n", name);
    o->series_n++;
}

static void look_at_device(void *ctx, struct str device)
{
    struct exporting *o = ctx;
    char name[512];
    o->device = answer_member(device, "name", name, sizeof(name));
    answer_each(answer_raw(device, "properties"), look_at_property, o);
}

/* What is not declared any more may have a history all the same: the site knows. */
static void add_undeclared(struct exporting *o)
{
    for (size_t i = 0; i < o->words_n; i++) {
        if (o->found[i])
            continue;
        strbuf_addf(&o->series, "%s\n", o->words[i]);
        o->series_n++;
    }
}

static enum err find_series(struct exporting *o, struct site_call *c, struct error *e)
{
    struct strbuf site;
    unsigned status;
    strbuf_init(&site, alloc_system(), 0);
    enum err err = site_call(c, "GET", "/api/site", (struct str){0}, &status, &site, e);
    if (!err)
        answer_each(answer_raw(strbuf_str(&site), "devices"), look_at_device, o);
    strbuf_fini(&site);
    add_undeclared(o);
    if (!err && o->series_n == 0)
        err = error_set(e, ERR_NOT_FOUND, "%s measures nothing", site_call_where(c));
    if (!err && o->series_n > SERIES_MAX)
        err = error_set(e, ERR_FULL, "more than %d series: name some", SERIES_MAX);
    return err;
}

/* --- the file --- */

static enum err open_file(struct exporting *o, struct error *e)
{
    struct stat st;
    o->file = stdout;
    if (!o->out)
        return ERR_OK;
    bool is_file = stat(o->out, &st) != 0 || S_ISREG(st.st_mode); /* else a pipe, a device */
    int n = is_file ? snprintf(o->part, sizeof(o->part), "%s.part", o->out) : 0;
    if (n < 0 || (size_t)n >= sizeof(o->part))
        return error_set(e, ERR_RANGE, "the name of the file is too long");
    const char *name = is_file ? o->part : o->out;
    o->file = fopen(name, "we");
    return o->file ? ERR_OK : error_set_os(e, errno, "%s can't be written", name);
}

/* It gets its name when it is whole. */
static enum err close_file(struct exporting *o, enum err err, struct error *e)
{
    const char *name = o->out ? o->out : "the output";
    if (!o->file)
        return err;
    if (!err && fflush(o->file) != 0) {
        command_output_failed(o->out ? 0 : errno);
        err = error_set_os(e, errno, "%s can't be written", name);
    }
    if (!err && o->part[0] && fsync(fileno(o->file)) != 0)
        err = error_set_os(e, errno, "%s can't be written", name);
    if (o->out)
        (void)fclose(o->file);
    if (!err && o->part[0] && rename(o->part, o->out) != 0)
        err = error_set_os(e, errno, "%s can't be written", name);
    if (err && o->part[0])
        (void)unlink(o->part);
    return err;
}

static enum err write_piece(void *ctx, struct str piece)
{
    struct exporting *o = ctx;
    size_t end;
    if (o->in_header) {
        if (!str_find(piece, '\n', &end))
            return ERR_OK;
        piece = str_sub(piece, end + 1, piece.n);
        o->in_header = false;
    }
    if (fwrite(piece.p, 1, piece.n, o->file) == piece.n)
        return ERR_OK;
    command_output_failed(o->out ? 0 : errno);
    return ERR_IO;
}

/* --- what is asked --- */

static bool is_jsonl(const struct exporting *o)
{
    struct str out = str_from(o->out);
    return o->format ? strcmp(o->format, "jsonl") == 0
                     : str_ends(out, STR(".jsonl")) || str_ends(out, STR(".ndjson"));
}

static void add_options(const struct exporting *o, struct strbuf *path)
{
    terminal_add_query(path, "&format=",
                       str_from(o->format     ? o->format
                                : is_jsonl(o) ? "jsonl"
                                              : "csv"));
    terminal_add_query(path, "&time=", str_from(o->time ? o->time : "iso"));
    terminal_add_query(path, "&decimal=", str_from(o->decimal ? o->decimal : "point"));
    if (o->spreadsheet)
        strbuf_adds(path, "&cells=guarded");
    strbuf_addf(path, "&to=%lld", (long long)o->to_ms); /* the same for all requests */
    if (o->has_from)
        strbuf_addf(path, "&from=%lld", (long long)o->from_ms);
    if (o->window_ms)
        strbuf_addf(path, "&window=%lld", (long long)o->window_ms);
    if (o->edges)
        strbuf_adds(path, "&edges=1");
}

/* As many series at once as the site takes. */
static enum err fetch_all(struct exporting *o, struct site_call *c, struct error *e)
{
    struct strbuf path;
    struct str rest = strbuf_str(&o->series), series;
    unsigned status;
    enum err err = ERR_OK;
    strbuf_init(&path, alloc_system(), 0);
    while (!err && rest.n > 0) {
        strbuf_reset(&path);
        strbuf_adds(&path, "/api/export?");
        for (int i = 0; i < AT_ONCE && rest.n > 0 && str_split(&rest, '\n', &series); i++)
            terminal_add_query(&path, i ? "&series=" : "series=", series);
        add_options(o, &path);
        err = site_call_stream(c, "GET", path.p, (struct str){0}, &status, write_piece, o, e);
        o->in_header = !is_jsonl(o);
    }
    strbuf_fini(&path);
    if (err && ferror(o->file))
        (void)error_set(e, err, "%s can't be written", o->out ? o->out : "the output");
    return err;
}

static int run(struct exporting *o)
{
    struct site_call *c;
    struct error e = {0};
    strbuf_init(&o->series, alloc_system(), 0);
    enum err err = site_call_open(&c, &o->call, &e);
    if (!err)
        err = find_series(o, c, &e);
    if (!err)
        err = open_file(o, &e);
    if (!err)
        err = fetch_all(o, c, &e);
    err = close_file(o, err, &e);
    site_call_close(c);
    strbuf_fini(&o->series);
    if (err && !ferror(stdout)) /* that main() tells */
        (void)fprintf(stderr, "sedge export: %s\n", e.text[0] ? e.text : err_name(err));
    return err ? EXIT_FINDING : EXIT_OK;
}

/* --- the command line --- */

enum { O_FROM = 256, O_TO, O_WINDOW, O_EDGES, O_TIME, O_FORMAT, O_DECIMAL, O_SPREADSHEET };

static bool is_site(const char *word)
{
    struct stat st;
    return strstr(word, "://") != NULL || stat(word, &st) == 0;
}

static bool take_word(struct exporting *o, const char *word)
{
    if (!o->words_n && !o->call.site && is_site(word)) {
        o->call.site = word;
        return true;
    }
    if (o->words_n == WORDS_MAX)
        return false;
    o->words[o->words_n++] = word;
    return true;
}

static int take_when(struct args *a, int64_t *out)
{
    if (!when_parse(str_from(a->value), clock_wall_ms(env_linux()->clock), out))
        return 0;
    return args_wrong(a, "a time is \"2026-11-28\", \"2026-11-28 14:05\", \"2h\" (so long ago), "
                         "\"now\", or milliseconds") +
           1;
}

/* 0: go on, else the exit status + 1. */
static int take(struct exporting *o, struct args *a, int id)
{
    switch (id) {
    case 'o': o->out = a->value; return 0;
    case O_EDGES: o->edges = true; return 0;
    case O_TIME: o->time = a->value; return 0;
    case O_FORMAT: o->format = a->value; return 0;
    case O_DECIMAL: o->decimal = a->value; return 0;
    case O_SPREADSHEET: o->spreadsheet = true; return 0;
    case OPTION_ID_JSON: o->format = "jsonl"; return 0;
    case O_FROM: o->has_from = true; return take_when(a, &o->from_ms);
    case O_TO: return take_when(a, &o->to_ms);
    case O_WINDOW:
        if (span_parse(str_from(a->value), &o->window_ms))
            return args_wrong(a, "a width is a number with ms, s, min, h, d or w") + 1;
        return 0;
    default:
        if (id == ARGS_WORD && take_word(o, a->value))
            return 0;
        return args_status(a) + 1;
    }
}

static int cmd_export(int argc, char **argv)
{
    struct args a = args_start(&command_export, argc, argv);
    struct exporting o = {.to_ms = clock_wall_ms(env_linux()->clock)};
    for (int id; (id = args_next(&a)) != ARGS_END;) {
        if (site_call_option(&o.call, id, a.value))
            continue;
        int status = take(&o, &a, id);
        if (status)
            return status - 1;
    }
    return run(&o);
}

const struct command command_export = {
    .name = "export",
    .group = COMMAND_SITE,
    .line = "writes histories as CSV or JSON lines",
    .synopsis = "[SITE] [NAME ...] [--from TIME] [--to TIME] [-o FILE] [OPTIONS]",
    .about =
        "What a running site has kept, of any length: a row for each value, or for each window. "
        "NAME "
        "is a property, plant.press1.temperature, or a device, which stands for all its "
        "properties; without one it is everything. SITE is the folder (default: the one here) or "
        "URL of a site that runs.\n\n"
        "TIME is a date, or a date and a time of day (\"2026-11-28 14:05\"), of this machine's "
        "zone or with a Z of UTC; a span is so long ago (2h, 7d); a number is milliseconds since "
        "1970. A FILE gets its name when it is whole.",
    .options =
        {(const struct command_option[]){
             OPTION("from", 0, "TIME", "from then on (default: all)", NULL, O_FROM),
             OPTION("to", 0, "TIME", "up to then (default: now)", NULL, O_TO),
             OPTION("window", 0, "WIDTH", "minimum, maximum and mean of windows: 1min", NULL,
                    O_WINDOW),
             {.name = "edges", .text = "first and last of each window, too", .id = O_EDGES},
             OPTION("format", 0, "FORMAT", "csv or jsonl (default: csv, or as FILE ends)",
                    "csv jsonl", O_FORMAT),
             OPTION("time", 0, "HOW", "iso (RFC 3339 in UTC, the default) or ms", "iso ms", O_TIME),
             OPTION("decimal", 0, "SIGN",
                    "comma: a CSV for spreadsheets that write 0,5; with ; between the cells, and "
                    "--spreadsheet",
                    "point comma", O_DECIMAL),
             {.name = "spreadsheet",
              .text = "texts that would be formulas there, as =1+1, begin with an apostrophe",
              .id = O_SPREADSHEET},
             OPTION_JSON("as --format jsonl"),
             OPTION("output", 'o', "FILE", "where to (default: standard output)", VALUES_FILE, 0),
             OPTIONS_END},
         site_call_options},
    .words = {VALUES_FOLDER},
    .examples = {{"sedge export hall plant.press1 --from 7d -o press1.csv",
                  "all properties of a device, a week of them"},
                 {"sedge export hall plant.press1.temperature --window 1h", "means of hours"},
                 {"sedge export hall --decimal comma -o hall.csv", "for a German Excel"}},
    .exits = {{"0", "it is written"},
              {"1", "the site does not answer, or refuses; no FILE is left"}},
    .see = {"alerts", "actions"},
    .run = cmd_export,
};
