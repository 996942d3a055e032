/* sedge export: what a running site has measured, as a file. */
#include "app/answer.h"
#include "app/args.h"
#include "app/site_call.h"
#include "app/terminal.h"
#include "app/when.h"
#include "async/env.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORDS_MAX = 64, SERIES_MAX = 4096, AT_ONCE = 64 /* what the site takes in one request */ };

struct export
{
    struct site_call_config call;
    const char *words[WORDS_MAX]; /* properties and devices; none: all */
    size_t words_n;
    const char *file; /* NULL: the standard output */
    int64_t from_ms, to_ms, window_ms;
    bool json;

    struct strbuf names; /* of series, each behind a '\n' */
    size_t series_n;
    FILE *to;
    bool in_header;    /* of a further request: its first line is there already */
    struct str device; /* while the site is looked at */
};

/* --- which series --- */

static bool wanted(const struct export *o, struct str series, struct str device)
{
    for (size_t i = 0; i < o->words_n; i++)
        if (str_eq(str_from(o->words[i]), series) || str_eq(str_from(o->words[i]), device))
            return true;
    return o->words_n == 0;
}

static void look_at_property(void *ctx, struct str property)
{
    struct export *o = ctx;
    char name[256], series[1024];
    struct str p = answer_member(property, "name", name, sizeof(name));
    int n = snprintf(series, sizeof(series), "%.*s.%.*s", STR_FMT(o->device), STR_FMT(p));
    if (n <= 0 || (size_t)n >= sizeof(series) || o->series_n == SERIES_MAX)
        return;
    if (!wanted(o, str_from(series), o->device))
        return;
    strbuf_adds(&o->names, series);
    strbuf_addc(&o->names, '\n');
    o->series_n++;
}

static void look_at_device(void *ctx, struct str device)
{
    struct export *o = ctx;
    char name[512];
    o->device = answer_member(device, "name", name, sizeof(name));
    answer_each(answer_raw(device, "properties"), look_at_property, o);
}

/* Whether something has this name: a word that names nothing would make an empty file. */
static bool names_something(const struct export *o, struct str word)
{
    struct str rest = strbuf_str(&o->names), series;
    while (rest.n > 0 && str_split(&rest, '\n', &series))
        if (str_eq(series, word) || (str_starts(series, word) && series.p[word.n] == '.'))
            return true;
    return false;
}

static enum err find_series(struct export *o, struct site_call *c, struct error *e)
{
    struct strbuf site;
    unsigned status;
    strbuf_init(&site, alloc_system(), 0);
    enum err err = site_call(c, "GET", "/api/site", (struct str){0}, &status, &site, e);
    if (!err)
        answer_each(answer_raw(strbuf_str(&site), "devices"), look_at_device, o);
    strbuf_fini(&site);
    for (size_t i = 0; !err && i < o->words_n; i++)
        if (!names_something(o, str_from(o->words[i])))
            err = error_set(e, ERR_NOT_FOUND, "%s has no device and no property %s",
                            site_call_where(c), o->words[i]);
    if (!err && o->series_n == SERIES_MAX)
        err = error_set(e, ERR_FULL, "more than %d series: name some", SERIES_MAX - 1);
    return err;
}

/* --- the file --- */

static enum err take(void *ctx, struct str piece)
{
    struct export *o = ctx;
    size_t end;
    if (o->in_header) {
        if (!str_find(piece, '\n', &end))
            return ERR_OK;
        piece = str_sub(piece, end + 1, piece.n);
        o->in_header = false;
    }
    return fwrite(piece.p, 1, piece.n, o->to) == piece.n ? ERR_OK : ERR_IO;
}

static void add_query(const struct export *o, struct strbuf *path)
{
    strbuf_addf(path, "&format=%s&time=iso&to=%lld", o->json ? "jsonl" : "csv",
                (long long)o->to_ms);
    if (o->from_ms > 0)
        strbuf_addf(path, "&from=%lld", (long long)o->from_ms);
    if (o->window_ms > 0)
        strbuf_addf(path, "&window=%lld", (long long)o->window_ms);
}

/* So many series at once as the site takes. */
static enum err fetch(struct export *o, struct site_call *c, struct error *e)
{
    struct strbuf path;
    struct str rest = strbuf_str(&o->names), series;
    unsigned status;
    enum err err = ERR_OK;
    strbuf_init(&path, alloc_system(), 0);
    while (!err && rest.n > 0) {
        strbuf_reset(&path);
        strbuf_adds(&path, "/api/export?");
        for (int i = 0; i < AT_ONCE && rest.n > 0 && str_split(&rest, '\n', &series); i++)
            terminal_add_query(&path, i ? "&series=" : "series=", series);
        add_query(o, &path);
        err = site_call_stream(c, "GET", path.p, (struct str){0}, &status, take, o, e);
        o->in_header = !o->json;
    }
    strbuf_fini(&path);
    if (err && !e->text[0])
        (void)error_set_os(e, errno, "%s can't be written", o->file ? o->file : "the output");
    return err;
}

/* A half of a file would be taken for the whole. What is no file (a pipe, a device) stays. */
static void remove_half(const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
        (void)unlink(path);
}

static enum err write_file(struct export *o, struct site_call *c, struct error *e)
{
    o->to = o->file ? fopen(o->file, "we") : stdout;
    if (!o->to)
        return error_set_os(e, errno, "%s can't be made", o->file);
    enum err err = fetch(o, c, e);
    bool flushed = o->file ? fclose(o->to) == 0 : fflush(o->to) == 0;
    if (!err && !flushed)
        err = error_set_os(e, errno, "%s can't be written", o->file ? o->file : "the output");
    if (err && o->file)
        remove_half(o->file);
    return err;
}

static int run(struct export *o)
{
    struct site_call *c;
    struct error e = {0};
    strbuf_init(&o->names, alloc_system(), 0);
    enum err err = site_call_open(&c, &o->call, &e);
    if (!err)
        err = find_series(o, c, &e);
    if (!err && o->series_n == 0)
        err = error_set(&e, ERR_NOT_FOUND, "%s measures nothing", site_call_where(c));
    if (!err)
        err = write_file(o, c, &e);
    site_call_close(c);
    strbuf_fini(&o->names);
    if (err)
        (void)fprintf(stderr, "sedge export: %s\n", e.text);
    return err ? EXIT_FINDING : EXIT_OK;
}

/* --- the command line --- */

enum { O_FROM = 256, O_TO, O_WINDOW };

static int set_option(struct export *o, struct args *a, int id)
{
    int64_t now = clock_wall_ms(env_linux()->clock);
    struct str value = str_from(a->value);
    switch (id) {
    case OPTION_ID_JSON: o->json = true; return EXIT_OK;
    case 'o': o->file = a->value; return EXIT_OK;
    case O_WINDOW:
        return when_duration(value, &o->window_ms) ? EXIT_OK
                                                   : args_wrong(a, "it is a time, as 15min or 1h");
    case O_FROM:
    case O_TO:
        return when_time(value, now, id == O_FROM ? &o->from_ms : &o->to_ms)
                   ? EXIT_OK
                   : args_wrong(a, "it is a day, as 2026-11-28 or \"2026-11-28 06:30\", or so long "
                                   "ago: 7d");
    default: break;
    }
    if (id != ARGS_WORD)
        return args_status(a);
    if (!o->call.site && !o->call.url) {
        o->call.site = a->value;
        return EXIT_OK;
    }
    if (o->words_n == WORDS_MAX)
        return args_refuse(a, "at most %d names", WORDS_MAX);
    o->words[o->words_n++] = a->value;
    return EXIT_OK;
}

static int cmd_export(int argc, char **argv)
{
    struct args a = args_start(&command_export, argc, argv);
    struct export o = {.to_ms = clock_wall_ms(env_linux()->clock)};
    for (int id; (id = args_next(&a)) != ARGS_END;) {
        if (site_call_option(&o.call, id, a.value))
            continue;
        int status = set_option(&o, &a, id);
        if (a.told)
            return status;
    }
    if (!o.call.site && !o.call.url)
        return args_missing(&a, "SITE");
    return run(&o);
}

const struct command command_export = {
    .name = "export",
    .group = COMMAND_CARE,
    .line = "writes what was measured as CSV or JSON lines",
    .synopsis = "SITE [NAME ...] [--from TIME] [--to TIME] [--window TIME] [-o FILE] [OPTIONS]",
    .about = "NAME is a property, line.press.temperature, or a device: all of its properties; "
             "without one it is everything. A row for each value, with its time (UTC) and unit. "
             "SITE is the folder whose site runs.",
    .options = {(const struct command_option[]){
                    OPTION("from", 0, "TIME",
                           "from this time on: 2026-11-28, \"2026-11-28 06:30\" of this machine's "
                           "zone, or 7d: so long ago",
                           NULL, O_FROM),
                    OPTION("to", 0, "TIME", "up to this time (now)", NULL, O_TO),
                    OPTION("window", 0, "TIME",
                           "one row for so long, 15min say: number, least, most and mean", NULL,
                           O_WINDOW),
                    OPTION("output", 'o', "FILE", "into a file", VALUES_FILE, 0),
                    OPTION_JSON("JSON lines instead of CSV"), OPTIONS_END},
                site_call_options},
    .words = {VALUES_FOLDER},
    .examples = {{"sedge export hall line.press -o press.csv", "all of the press"},
                 {"sedge export hall line.meter.power --from 7d --window 15min -o week.csv", NULL}},
    .exits = {{"0", "it is written"}, {"1", "the site does not answer, or has no such name"}},
    .see = {"run"},
    .run = cmd_export,
};
