/* sedge export: histories of a running site as a file. */
#include "app/answer.h"
#include "app/args.h"
#include "app/site_call.h"
#include "app/when.h"
#include "async/env.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORDS_MAX = 64 };

struct exporting {
    struct site_call_config call;
    const char *words[WORDS_MAX]; /* names of properties and devices */
    size_t words_n;
    const char *format, *time; /* NULL: not said */
    const char *out;           /* NULL: stdout */
    bool edges, has_from, has_to;
    int64_t from_ms, to_ms, window_ms;
    FILE *file;
    char part[PATH_MAX]; /* what is written until it is whole */
    bool direct;         /* there is no such part: it is no file */
    struct strbuf path;  /* of the request */
    const char *word;    /* whose device is looked for */
    struct str device;   /* that has it; empty: none */
};

/* --- what is asked --- */

static void add_parameter(struct strbuf *b, const char *key, struct str value)
{
    static const char hex[] = "0123456789ABCDEF";
    strbuf_addc(b, strchr(b->p, '?') ? '&' : '?');
    strbuf_adds(b, key);
    strbuf_addc(b, '=');
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            strchr("-._~", c)) {
            strbuf_addc(b, (char)c);
        } else {
            strbuf_addc(b, '%');
            strbuf_addc(b, hex[c >> 4]);
            strbuf_addc(b, hex[c & 15]);
        }
    }
}

static void add_number(struct strbuf *b, const char *key, int64_t value)
{
    strbuf_addf(b, "%c%s=%lld", strchr(b->p, '?') ? '&' : '?', key, (long long)value);
}

static void look_at_device(void *ctx, struct str device)
{
    struct exporting *o = ctx;
    char buf[512];
    if (str_eq(answer_member(device, "name", buf, sizeof(buf)), str_from(o->word)))
        o->device = device;
}

static void add_property(void *ctx, struct str property)
{
    struct exporting *o = ctx;
    char buf[256], name[1024];
    int n = snprintf(name, sizeof(name), "%s.%.*s", o->word,
                     STR_FMT(answer_member(property, "name", buf, sizeof(buf))));
    add_parameter(&o->path, "series", (struct str){name, (size_t)n});
}

/* A device stands for all its properties. */
static enum err add_series(struct exporting *o, struct site_call *c, struct error *e)
{
    struct strbuf site;
    unsigned status;
    strbuf_init(&site, alloc_system(), 0);
    enum err err = site_call(c, "GET", "/api/site", (struct str){0}, &status, &site, e);
    struct str devices = answer_raw(strbuf_str(&site), "devices");
    for (size_t i = 0; !err && i < o->words_n; i++) {
        o->word = o->words[i];
        o->device = STR("");
        answer_each(devices, look_at_device, o);
        if (o->device.n)
            answer_each(answer_raw(o->device, "properties"), add_property, o);
        else
            add_parameter(&o->path, "series", str_from(o->word));
    }
    strbuf_fini(&site);
    return err;
}

static void add_options(struct exporting *o)
{
    struct str out = str_from(o->out);
    bool jsonl = str_ends(out, STR(".jsonl")) || str_ends(out, STR(".ndjson"));
    add_parameter(&o->path, "format", str_from(o->format ? o->format : jsonl ? "jsonl" : "csv"));
    if (o->time)
        add_parameter(&o->path, "time", str_from(o->time));
    if (o->has_from)
        add_number(&o->path, "from", o->from_ms);
    if (o->has_to)
        add_number(&o->path, "to", o->to_ms);
    if (o->window_ms)
        add_number(&o->path, "window", o->window_ms);
    if (o->edges)
        add_number(&o->path, "edges", 1);
}

/* --- what is written --- */

/* A pipe or a device is written as it is: a file must not take the place of /dev/null. */
static bool is_special(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static enum err open_file(struct exporting *o, struct error *e)
{
    o->file = stdout;
    if (!o->out)
        return ERR_OK;
    o->direct = is_special(o->out);
    int n = snprintf(o->part, sizeof(o->part), o->direct ? "%s" : "%s.part", o->out);
    if (n < 0 || (size_t)n >= sizeof(o->part))
        return error_set(e, ERR_RANGE, "the name of the file is too long");
    o->file = fopen(o->part, "we");
    return o->file ? ERR_OK : error_set_os(e, errno, "%s can't be written", o->part);
}

/* It has its name when it is whole. */
static enum err close_file(struct exporting *o, enum err err, struct error *e)
{
    if (!o->file)
        return err;
    if (!err && fflush(o->file) != 0)
        err = error_set_os(e, errno, "%s can't be written", o->out ? o->out : "the output");
    if (!o->out)
        return err;
    if (!err && !o->direct && fsync(fileno(o->file)) != 0)
        err = error_set_os(e, errno, "%s can't be written", o->part);
    (void)fclose(o->file);
    if (o->direct)
        return err;
    if (!err && rename(o->part, o->out) != 0)
        err = error_set_os(e, errno, "%s can't be written", o->out);
    if (err)
        (void)unlink(o->part);
    return err;
}

static enum err write_piece(void *ctx, struct str piece)
{
    struct exporting *o = ctx;
    return fwrite(piece.p, 1, piece.n, o->file) == piece.n ? ERR_OK : ERR_IO;
}

static enum err fetch(struct exporting *o, struct site_call *c, struct error *e)
{
    unsigned status;
    enum err err = add_series(o, c, e);
    add_options(o);
    if (!err)
        err = open_file(o, e);
    if (!err)
        err = site_call_stream(c, "GET", o->path.p, (struct str){0}, &status, write_piece, o, e);
    if (err && ferror(o->file ? o->file : stdout))
        (void)error_set(e, err, "%s can't be written", o->out ? o->out : "the output");
    return close_file(o, err, e);
}

static int run(struct exporting *o)
{
    struct site_call *c;
    struct error e = {0};
    strbuf_init(&o->path, alloc_system(), 0);
    strbuf_adds(&o->path, "/api/export");
    enum err err = site_call_open(&c, &o->call, &e);
    if (!err)
        err = fetch(o, c, &e);
    site_call_close(c);
    strbuf_fini(&o->path);
    if (err)
        (void)fprintf(stderr, "sedge export: %s\n", e.text[0] ? e.text : err_name(err));
    return err ? EXIT_FINDING : EXIT_OK;
}

/* --- the command line --- */

enum { O_FROM = 256, O_TO, O_WINDOW, O_EDGES, O_TIME, O_FORMAT };

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

static bool take_when(struct args *a, int64_t *out, bool *has)
{
    if (when_parse(str_from(a->value), clock_wall_ms(env_linux()->clock), out)) {
        (void)args_wrong(a, "a time is \"2026-11-28\", \"2026-11-28 14:05\", \"2h\" (so long ago), "
                            "\"now\", or milliseconds");
        return false;
    }
    return *has = true;
}

/* 0: go on, else the exit status + 1. */
static int take(struct exporting *o, struct args *a, int id)
{
    switch (id) {
    case 'o': o->out = a->value; return 0;
    case O_EDGES: o->edges = true; return 0;
    case O_TIME: o->time = a->value; return 0;
    case O_FORMAT: o->format = a->value; return 0;
    case O_FROM: return take_when(a, &o->from_ms, &o->has_from) ? 0 : EXIT_USAGE + 1;
    case O_TO: return take_when(a, &o->to_ms, &o->has_to) ? 0 : EXIT_USAGE + 1;
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
    struct exporting o = {0};
    for (int id; (id = args_next(&a)) != ARGS_END;) {
        if (site_call_option(&o.call, id, a.value))
            continue;
        int status = take(&o, &a, id);
        if (status)
            return status - 1;
    }
    if (!o.words_n)
        return args_missing(&a, "SERIES");
    return run(&o);
}

const struct command command_export = {
    .name = "export",
    .group = COMMAND_SITE,
    .line = "writes histories as CSV or JSON lines",
    .synopsis = "[SITE] SERIES… [--from TIME] [--to TIME] [-o FILE] [OPTIONS]",
    .about =
        "What a running site has kept of these properties, of any length. A series is a property, "
        "plant.press1.temperature; the name of a device stands for all its properties. SITE is the "
        "folder (default: the one here) or URL of a site that runs.\n\n"
        "TIME is a date, or a date and a time of day (\"2026-11-28 14:05\"), of this machine's "
        "zone or with a Z of UTC; a span is so long ago (2h, 7d); a number is milliseconds since "
        "1970. A FILE gets its name when it is whole.",
    .options = {(const struct command_option[]){
                    OPTION("from", 0, "TIME", "from then on (default: all)", NULL, O_FROM),
                    OPTION("to", 0, "TIME", "up to then (default: now)", NULL, O_TO),
                    OPTION("window", 0, "WIDTH", "minimum, maximum and mean of windows: 1min", NULL,
                           O_WINDOW),
                    {.name = "edges", .text = "first and last of each window, too", .id = O_EDGES},
                    OPTION("format", 0, "FORMAT", "csv or jsonl (default: csv, or as FILE ends)",
                           "csv jsonl", O_FORMAT),
                    OPTION("time", 0, "HOW", "iso or ms (default: iso in CSV, ms in JSON)",
                           "iso ms", O_TIME),
                    OPTION("output", 'o', "FILE", "where to (default: standard output)",
                           VALUES_FILE, 0),
                    OPTIONS_END},
                site_call_options},
    .words = {VALUES_FOLDER},
    .examples = {{"sedge export hall plant.press1 --from 7d -o press1.csv",
                  "all properties of a device, a week of them"},
                 {"sedge export hall plant.press1.temperature --window 1h", "means of hours"}},
    .exits = {{"0", "it is written"},
              {"1", "the site does not answer, or refuses; no FILE is left"}},
    .see = {"alerts", "actions"},
    .run = cmd_export,
};
