/* sedge discover: what the site hears that no device claims. */
#include "app/answer.h"
#include "app/args.h"
#include "app/site_call.h"
#include "app/terminal.h"
#include "async/env.h"
#include "codec/json.h"
#include "codec/mqtt.h"
#include "site/schema.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct discover {
    struct site_call_config call;
    const char *filter;
    bool json, watch, bold;
    int64_t now_ms;
    struct strbuf event; /* of the live feed: what came of the line that is not complete */
};

/* --- one topic --- */

static void print_duration(int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } steps[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (ms >= 2 * steps[i].ms || (i == 3 && ms >= 1000)) {
            (void)printf("%lld %s", (long long)(ms / steps[i].ms), steps[i].unit);
            return;
        }
    (void)printf("%lld ms", (long long)ms);
}

static void print_word(void *ctx, struct str word)
{
    char buf[160];
    bool *first = ctx;
    struct str s = answer_text(word, buf, sizeof(buf));
    (void)printf("%s%.*s", *first ? "" : ", ", STR_FMT(s));
    *first = false;
}

static void print_field(void *ctx, struct str field)
{
    (void)ctx;
    char path[512], last[160];
    struct str p = answer_text(answer_raw(field, "path"), path, sizeof(path));
    struct str type = answer_raw(field, "type"), words = answer_raw(field, "words");
    struct str min = answer_raw(field, "min"), max = answer_raw(field, "max");
    struct str value = answer_text(answer_raw(field, "last"), last, sizeof(last));
    bool first = true;
    type = type.n > 2 ? str_sub(type, 1, type.n - 2) : type;
    (void)printf("    %-28.*s %-8.*s %-14.*s", STR_FMT(p.n ? p : STR("(the whole payload)")),
                 STR_FMT(type), STR_FMT(value));
    if (min.n && min.p[0] != 'n')
        (void)printf(" %.*s … %.*s", STR_FMT(min), STR_FMT(max));
    if (words.p && str_find(words, ',', &(size_t){0})) {
        (void)fputs(" ", stdout);
        answer_each(words, print_word, &first);
    }
    (void)fputc('\n', stdout);
}

static void print_error(struct str error, int64_t unreadable)
{
    char path[512], reason[512];
    if (!error.n || error.p[0] != '{')
        return;
    struct str p = answer_text(answer_raw(error, "path"), path, sizeof(path));
    struct str why = answer_text(answer_raw(error, "reason"), reason, sizeof(reason));
    /* A reason begins with the property's name: by convention that is the path. */
    bool named = p.n && str_starts(why, p);
    (void)printf("    not readable (%lld): %.*s%s%.*s at byte %lld\n", (long long)unreadable,
                 STR_FMT(named ? STR("") : p), p.n && !named ? ": " : "", STR_FMT(why),
                 (long long)answer_int(error, "at"));
}

static bool passes(const struct discover *d, struct str topic)
{
    return !d->filter || mqtt_filter_match(str_from(d->filter), topic);
}

static void print_pace(const struct discover *d, struct str t)
{
    int64_t count = answer_int(t, "count"), first = answer_int(t, "first_ms"),
            last = answer_int(t, "last_ms");
    (void)printf("%lld message%s", (long long)count, count == 1 ? "" : "s");
    if (count > 1) {
        (void)fputs(", every ", stdout);
        print_duration((last - first) / (count - 1));
    }
    if (d->now_ms > last) {
        (void)fputs(", the last ", stdout);
        print_duration(d->now_ms - last);
        (void)fputs(" ago", stdout);
    }
    (void)fputc('\n', stdout);
}

/* What announcements say is for programs, and long: it is shown to who asks for it. */
static void print_topic(const struct discover *d, struct str t)
{
    char buf[2048];
    struct str topic = answer_text(answer_raw(t, "topic"), buf, sizeof(buf));
    (void)printf("  %.*s  ", STR_FMT(topic));
    print_pace(d, t);
    print_error(answer_raw(t, "error"), answer_int(t, "unreadable"));
    if (d->filter || !str_eq(answer_raw(t, "obstacle"), STR("\"announcement\"")))
        answer_each(answer_raw(t, "fields"), print_field, NULL);
}

/* One that has just said something, with whose it is. */
static void print_news(const struct discover *d, struct str t)
{
    char buf[2048], shape_buf[64];
    struct str topic = answer_text(answer_raw(t, "topic"), buf, sizeof(buf));
    struct str shape = answer_raw(t, "shape"), kind = answer_raw(t, "kind");
    if (!passes(d, topic))
        return;
    struct str what =
        answer_text(shape.n && shape.p[0] == '"' ? shape : kind, shape_buf, sizeof(shape_buf));
    (void)printf("%s%.*s%s  %.*s, ", d->bold ? "\033[1m" : "", STR_FMT(topic),
                 d->bold ? "\033[0m" : "", STR_FMT(what));
    print_pace(d, t);
    print_error(answer_raw(t, "error"), answer_int(t, "unreadable"));
    answer_each(answer_raw(t, "fields"), print_field, NULL);
}

/* --- one thing --- */

/* A word that a shell takes as it is, or in quotes. */
static void print_shell_word(struct str word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/_-.:,+@%=";
    bool safe = word.n > 0;
    for (size_t i = 0; i < word.n && safe; i++)
        safe = strchr(plain, word.p[i]) != NULL;
    if (safe) {
        (void)printf("%.*s", STR_FMT(word));
        return;
    }
    (void)fputc('\'', stdout);
    for (size_t i = 0; i < word.n; i++)
        (void)(word.p[i] == '\'' ? fputs("'\\''", stdout) : fputc(word.p[i], stdout));
    (void)fputc('\'', stdout);
}

/* What to do with it, or why nothing can be done. */
static void print_thing(const struct discover *d, struct str thing)
{
    char name_buf[2048], shape_buf[64], text[2048], device_buf[256];
    struct str name = answer_member(thing, "name", name_buf, sizeof(name_buf));
    struct str shape = answer_member(thing, "shape", shape_buf, sizeof(shape_buf));
    struct str device = answer_member(thing, "device", device_buf, sizeof(device_buf));
    struct str adopt = answer_member(thing, "adopt", text, sizeof(text));
    (void)printf("%s%.*s%s", d->bold ? "\033[1m" : "", STR_FMT(name), d->bold ? "\033[0m" : "");
    if (shape.n)
        (void)printf("  %.*s", STR_FMT(shape));
    if (device.n && !str_eq(device, name))
        (void)printf(", of %.*s", STR_FMT(device));
    if (!adopt.n) {
        struct str why = answer_member(thing, "why", text, sizeof(text));
        (void)printf("%s%.*s\n", shape.n ? ": " : "  ", STR_FMT(why));
        return;
    }
    (void)fputs(": sedge adopt ", stdout);
    if (d->call.url || d->call.site) {
        (void)fputs(d->call.url ? "--url " : "", stdout);
        print_shell_word(str_from(d->call.url ? d->call.url : d->call.site));
        (void)fputc(' ', stdout);
    }
    (void)fputs(adopt.p[0] == '-' ? "-- " : "", stdout); /* no option, whoever has named it so */
    print_shell_word(adopt);
    (void)fputc('\n', stdout);
}

/* --- the list, and what comes then --- */

static int64_t now_ms(void)
{
    return clock_wall_ms(env_linux()->clock);
}

/* The topics are in the order of the things, and each thing has one. */
struct listing {
    const struct discover *d;
    struct json_reader things;
    struct str key; /* of the thing whose topics are shown, as JSON */
    bool begun;
};

static void list_topic(void *ctx, struct str topic)
{
    struct listing *l = ctx;
    struct json_token t;
    struct str key = answer_raw(topic, "thing"), thing;
    while (!str_eq(key, l->key) && json_next(&l->things, &t) == JSON_OBJECT &&
           json_skip(&l->things, &t, &thing) == ERR_OK) {
        (void)fputs(l->begun ? "\n" : "", stdout);
        print_thing(l->d, thing);
        l->key = answer_raw(thing, "key");
        l->begun = true;
    }
    print_topic(l->d, topic);
}

static void print_list(const struct discover *d, struct str answer)
{
    struct str things = answer_raw(answer, "things"), topics = answer_raw(answer, "topics");
    struct listing l = {.d = d};
    struct json_token t;
    json_init(&l.things, (struct bytes){(const uint8_t *)things.p, things.n});
    (void)json_next(&l.things, &t);
    answer_each(topics, list_topic, &l);
}

static int list_topics(struct discover *d, struct site_call *c, struct error *e)
{
    struct strbuf text, path;
    unsigned status;
    strbuf_init(&text, alloc_system(), 0);
    strbuf_init(&path, alloc_system(), 0);
    strbuf_adds(&path, "/api/discovered");
    if (d->filter)
        terminal_add_query(&path, "?filter=", str_from(d->filter));
    enum err err = site_call(c, "GET", path.p, (struct str){0}, &status, &text, e);
    if (!err && d->json) {
        (void)printf("%s\n", text.p);
    } else if (!err) {
        d->now_ms = now_ms();
        print_list(d, strbuf_str(&text));
        if (str_eq(answer_raw(strbuf_str(&text), "topics"), STR("[]")))
            (void)printf("%s hears nothing%s that no device claims\n", site_call_where(c),
                         d->filter ? " on such a topic" : "");
    }
    strbuf_fini(&text);
    strbuf_fini(&path);
    return err ? EXIT_FINDING : EXIT_OK;
}

/* "event: discovered", then "data: {…}". */
static void feed_line(struct discover *d, struct str line, bool *ours)
{
    if (str_starts(line, STR("event: ")))
        *ours = str_eq(str_sub(line, 7, line.n), STR("discovered"));
    if (!*ours || !str_starts(line, STR("data: ")))
        return;
    struct str data = str_sub(line, 6, line.n);
    char buf[2048];
    if (d->json && passes(d, answer_text(answer_raw(data, "topic"), buf, sizeof(buf))))
        (void)printf("%.*s\n", STR_FMT(data));
    else if (!d->json)
        print_news(d, data);
    (void)fflush(stdout);
}

static enum err feed(void *ctx, struct str piece)
{
    struct discover *d = ctx;
    bool ours = false;
    size_t end;
    d->now_ms = 0;
    strbuf_addstr(&d->event, piece);
    struct str rest = strbuf_str(&d->event), last = {rest.p, 0};
    /* whole events: they end with an empty line */
    for (struct str s = rest; str_find(s, '\n', &end); s = str_sub(s, end + 1, s.n))
        if (end == 0)
            last.n = (size_t)(s.p + 1 - rest.p);
    struct str events = last, line;
    while (events.n && str_split(&events, '\n', &line))
        feed_line(d, line, &ours);
    memmove(d->event.p, d->event.p + last.n, d->event.n - last.n);
    d->event.n -= last.n;
    return d->event.failed ? ERR_NOMEM : ERR_OK;
}

static int watch(struct discover *d, struct site_call *c, struct error *e)
{
    unsigned status;
    (void)fflush(stdout);
    strbuf_init(&d->event, alloc_system(), 1 << 20);
    enum err err = site_call_stream(c, "GET", "/api/live", (struct str){0}, &status, feed, d, e);
    strbuf_fini(&d->event);
    if (!err)
        (void)error_set(e, ERR_CLOSED, "%s: the feed has ended", site_call_where(c));
    return EXIT_FINDING;
}

static int run(struct discover *d)
{
    struct error e = {0};
    struct site_call *c;
    if (d->watch)
        d->call.timeout_ms = -1;
    int status = site_call_open(&c, &d->call, &e) ? EXIT_FINDING : EXIT_OK;
    if (!status)
        status = list_topics(d, c, &e);
    if (!status && d->watch)
        status = watch(d, c, &e);
    site_call_close(c);
    if (e.text[0])
        (void)fprintf(stderr, "sedge discover: %s\n", e.text);
    return status;
}

/* What is there, or is an URL, is the site; else it is the filter. */
static bool take_word(struct discover *d, const char *word)
{
    if (!d->call.site && !d->filter && site_call_is_site(word))
        d->call.site = word;
    else if (!d->filter)
        d->filter = word;
    else
        return false;
    return true;
}

/* Of one word that is no folder it can't be said which it was meant to be. */
static bool nothing_here(const struct discover *d)
{
    struct site_sources here;
    struct error e = {0};
    if (!d->filter || d->call.site || d->call.url)
        return false;
    if (site_read_sources(alloc_system(), ".", &here, &e) != ERR_OK)
        return true;
    site_sources_fini(&here);
    return false;
}

static int cmd_discover(int argc, char **argv)
{
    struct args a = args_start(&command_discover, argc, argv);
    struct discover d = {.bold = terminal_has_colors(STDOUT_FILENO)};
    for (int id; (id = args_next(&a)) != ARGS_END;) {
        if (site_call_option(&d.call, id, a.value))
            continue;
        if (id == OPTION_ID_JSON)
            d.json = true;
        else if (id == 'w')
            d.watch = true;
        else if (id != ARGS_WORD || !take_word(&d, a.value))
            return args_status(&a);
    }
    if (d.filter && !mqtt_filter_valid(str_from(d.filter)))
        return args_refuse(
            &a, "'%s' is no filter of MQTT, as a/+/b and a/# are, and no site either", d.filter);
    if (nothing_here(&d)) {
        (void)fprintf(stderr,
                      "sedge discover: there is no site %s, and none in this folder for which it "
                      "could be a topic\n",
                      d.filter);
        return EXIT_FINDING;
    }
    return run(&d);
}

const struct command command_discover = {
    .name = "discover",
    .group = COMMAND_DEVICES,
    .line = "lists the things that no device claims, with topics and values",
    .synopsis = "[SITE] [FILTER] [--json] [--watch]",
    .about = "Asks the site that runs what it hears and no device of it claims: thing by thing, "
             "with the "
             "topics on which each speaks and the values in its messages. First comes what can be "
             "adopted, with the command that does it; then what can't, and why; among that are "
             "topics of "
             "devices whose messages can't be read, with the reason. SITE is its folder, the one "
             "here if "
             "none is named, or its URL; FILTER is one of MQTT: a/+/b, a/#.\n\n"
             "`sedge adopt TOPIC` makes a device of what is found.",
    .options = {(const struct command_option[]){
                    OPTION_JSON("as the site says it, with the last values and their times"),
                    {.name = "watch",
                     .letter = 'w',
                     .text = "go on, and show each topic that says something new"},
                    OPTIONS_END},
                site_call_options},
    .words = {VALUES_FOLDER},
    .examples = {{"sedge discover hall", "what the site in the folder hall hears"},
                 {"sedge discover hall 'tele/#' --watch", "of Tasmota's devices, as it comes"},
                 {"sedge discover --url https://plant.example:8443 --json", NULL}},
    .exits = {{"0", "it was asked"}, {"1", "the site does not answer"}},
    .see = {"adopt", "sub"},
    .run = cmd_discover,
};
