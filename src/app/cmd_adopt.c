/* sedge adopt: discovered topics become a device in the files of the site that runs. */
#include "app/answer.h"
#include "app/args.h"
#include "app/site_call.h"
#include "app/terminal.h"
#include "codec/json.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TOPICS_MAX = 64, O_DEVICE = 256, O_MODEL };

struct adopt {
    struct site_call_config call;
    const char *topics[TOPICS_MAX];
    size_t topic_n;
    const char *device, *model;
    bool yes, dry_run, json, color;
    struct site_call *site;
    struct strbuf answer;
};

/* --- asking the site --- */

static void write_request(struct strbuf *out, const struct adopt *a, bool apply)
{
    struct json_writer w;
    json_writer_init(&w, out);
    json_object_begin(&w);
    json_key(&w, "topics");
    json_array_begin(&w);
    for (size_t i = 0; i < a->topic_n; i++)
        json_cstr(&w, a->topics[i]);
    json_array_end(&w);
    json_key(&w, "device");
    json_cstr(&w, a->device);
    json_key(&w, "model");
    json_cstr(&w, a->model);
    json_key(&w, "apply");
    json_bool(&w, apply);
    json_object_end(&w);
}

/* The text of a JSON string, into a strbuf; "" of anything else. */
static void text_of(struct strbuf *out, struct str raw)
{
    struct str text = {0};
    strbuf_reset(out);
    char *buf = raw.n >= 2 && raw.p[0] == '"' ? mem_new(alloc_system(), raw.n) : NULL;
    if (buf && json_unescape(str_sub(raw, 1, raw.n - 2), buf, raw.n, &text) == ERR_OK)
        strbuf_addstr(out, text);
    if (buf)
        mem_free(alloc_system(), buf, raw.n);
}

static enum err ask(struct adopt *a, bool apply, struct error *e)
{
    struct strbuf body;
    unsigned status;
    strbuf_init(&body, alloc_system(), 0);
    write_request(&body, a, apply);
    enum err err =
        site_call(a->site, "POST", "/api/adopt", strbuf_str(&body), &status, &a->answer, e);
    strbuf_fini(&body);
    return err;
}

/* --- showing --- */

static void print_line(const struct adopt *a, struct str line)
{
    char buf[4096];
    const char *color = "";
    if (a->color && line.n)
        color = str_starts(line, STR("@@"))                                    ? "\033[36m"
                : str_starts(line, STR("+++")) || str_starts(line, STR("---")) ? "\033[1m"
                : line.p[0] == '+'                                             ? "\033[32m"
                : line.p[0] == '-'                                             ? "\033[31m"
                                                                               : "";
    struct str s = terminal_text(line, buf, sizeof(buf));
    (void)printf("%s%.*s%s\n", color, STR_FMT(s), color[0] ? "\033[0m" : "");
}

static void print_file(void *ctx, struct str file)
{
    const struct adopt *a = ctx;
    struct strbuf diff;
    strbuf_init(&diff, alloc_system(), 0);
    text_of(&diff, answer_raw(file, "diff"));
    struct str rest = strbuf_str(&diff), line;
    while (rest.n && str_split(&rest, '\n', &line))
        print_line(a, line);
    strbuf_fini(&diff);
}

static void print_warning(void *ctx, struct str warning)
{
    char buf[1024];
    struct strbuf text;
    strbuf_init(&text, alloc_system(), 0);
    text_of(&text, warning);
    struct str s = terminal_text(strbuf_str(&text), buf, sizeof(buf));
    (void)ctx;
    (void)printf("note: %.*s\n", STR_FMT(s));
    strbuf_fini(&text);
}

/* Values that are left out for one reason stand on one line. */
struct left_line {
    char topic[1024], why[256];
    bool begun;
};

static void print_left(void *ctx, struct str left)
{
    struct left_line *line = ctx;
    char topic[1024], path[512], why[256];
    struct str t = answer_member(left, "topic", topic, sizeof(topic));
    struct str p = answer_member(left, "path", path, sizeof(path));
    struct str w = answer_member(left, "why", why, sizeof(why));
    bool same = line->begun && str_eq(t, str_from(line->topic)) && str_eq(w, str_from(line->why));
    if (!same) {
        if (line->begun)
            (void)printf(" (%s)\n", line->why);
        (void)snprintf(line->topic, sizeof(line->topic), "%.*s", STR_FMT(t));
        (void)snprintf(line->why, sizeof(line->why), "%.*s", STR_FMT(w));
        (void)printf("left out: %s", line->topic);
        line->begun = true;
    }
    (void)printf("%s%.*s", same ? ", " : p.n ? " " : "", STR_FMT(p));
}

static void show(struct adopt *a)
{
    struct str all = strbuf_str(&a->answer);
    answer_each(answer_raw(all, "files"), print_file, a);
    struct left_line left = {.begun = false};
    answer_each(answer_raw(all, "left_out"), print_left, &left);
    if (left.begun)
        (void)printf(" (%s)\n", left.why);
    answer_each(answer_raw(all, "warnings"), print_warning, NULL);
}

/* Why the site refuses it, as people read it. */
static void show_refusal(const struct adopt *a)
{
    struct strbuf text;
    struct str rest, line;
    strbuf_init(&text, alloc_system(), 0);
    text_of(&text, answer_raw(strbuf_str(&a->answer), "text"));
    rest = strbuf_str(&text);
    if (!rest.n)
        text_of(&text, answer_raw(answer_raw(strbuf_str(&a->answer), "reload"), "why"));
    rest = strbuf_str(&text);
    while (rest.n && str_split(&rest, '\n', &line)) {
        char buf[4096];
        struct str s = terminal_text(line, buf, sizeof(buf));
        (void)fprintf(stderr, "%.*s\n", STR_FMT(s));
    }
    strbuf_fini(&text);
}

/* --- applying --- */

static bool asks_yes(void)
{
    char line[64];
    (void)fputs("write this into the site's files? [y/N] ", stdout);
    (void)fflush(stdout);
    return fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y');
}

static int failed(const struct adopt *a, const struct error *e)
{
    if (a->json && a->answer.n)
        (void)printf("%s\n", a->answer.p);
    else
        show_refusal(a);
    (void)fprintf(stderr, "sedge adopt: %s\n", e->text);
    return EXIT_FINDING;
}

static int applied(struct adopt *a)
{
    struct strbuf device;
    char buf[256];
    if (a->json) {
        (void)printf("%s\n", a->answer.p);
        return EXIT_OK;
    }
    strbuf_init(&device, alloc_system(), 0);
    text_of(&device, answer_raw(strbuf_str(&a->answer), "device"));
    struct str name = terminal_text(strbuf_str(&device), buf, sizeof(buf));
    (void)printf("%.*s is adopted, and the site has it\n", STR_FMT(name));
    strbuf_fini(&device);
    return EXIT_OK;
}

static int propose_and_apply(struct adopt *a)
{
    struct error e = {0};
    bool at_once = a->yes && a->json;
    if (ask(a, at_once, &e))
        return failed(a, &e);
    if (at_once || (a->json && a->dry_run))
        return applied(a);
    show(a);
    if (a->dry_run)
        return EXIT_OK;
    if (!a->yes && !asks_yes()) {
        (void)puts("nothing is changed");
        return EXIT_FINDING;
    }
    return ask(a, true, &e) ? failed(a, &e) : applied(a);
}

static int run(struct adopt *a)
{
    struct error e = {0};
    if (site_call_open(&a->site, &a->call, &e)) {
        (void)fprintf(stderr, "sedge adopt: %s\n", e.text);
        return EXIT_FINDING;
    }
    strbuf_init(&a->answer, alloc_system(), 0);
    int status = propose_and_apply(a);
    strbuf_fini(&a->answer);
    site_call_close(a->site);
    return status;
}

/* The first word that is there, or an URL, is the site; the others are topics. */
static bool take_word(struct adopt *a, const char *word)
{
    if (!a->call.site && !a->topic_n && site_call_is_site(word)) {
        a->call.site = word;
        return true;
    }
    if (a->topic_n == TOPICS_MAX)
        return false;
    a->topics[a->topic_n++] = word;
    return true;
}

static int cmd_adopt(int argc, char **argv)
{
    struct args args = args_start(&command_adopt, argc, argv);
    struct adopt a = {.color = terminal_has_colors(STDOUT_FILENO)};
    for (int id; (id = args_next(&args)) != ARGS_END;) {
        if (site_call_option(&a.call, id, args.value))
            continue;
        switch (id) {
        case O_DEVICE: a.device = args.value; break;
        case O_MODEL: a.model = args.value; break;
        case 'y': a.yes = true; break;
        case 'n': a.dry_run = true; break;
        case OPTION_ID_JSON: a.json = true; break;
        default:
            if (id != ARGS_WORD || !take_word(&a, args.value))
                return args_status(&args);
        }
    }
    if (!a.topic_n)
        return args_missing(&args, "TOPIC");
    if (a.yes && a.dry_run)
        return args_refuse(&args, "--yes writes and --dry-run does not: say one of them");
    if (a.json && !a.yes && !a.dry_run)
        return args_refuse(&args, "--json goes with --yes or --dry-run: nobody can be asked");
    return run(&a);
}

const struct command command_adopt = {
    .name = "adopt",
    .group = COMMAND_DEVICES,
    .line = "makes a device of discovered topics, in the site's files",
    .synopsis = "[SITE] TOPIC… [--device NAME] [--model NAME] [--yes | --dry-run]",
    .about =
        "Proposes a model and a device for what is said on the topics: types, units, ranges and "
        "commands, by what was heard and by the habits of Tasmota, Zigbee2MQTT, Shelly and "
        "ESPHome; "
        "what is a guess says so in a comment. Other topics of the same thing are found by "
        "themselves. Shows the difference to the site's files, asks, writes them, and the site "
        "that "
        "runs takes them at once. Comments and layout stay as they are.\n\n"
        "Topics of a device that is declared add to that device.",
    .options = {(const struct command_option[]){
                    OPTION("device", 0, "NAME", "its name, as home.plug1; else one is proposed",
                           NULL, O_DEVICE),
                    OPTION("model", 0, "NAME", "its model's name: one that is there is used", NULL,
                           O_MODEL),
                    {.name = "yes", .letter = 'y', .text = "write without asking"},
                    {.name = "dry-run", .letter = 'n', .text = "show what would be written"},
                    OPTION_JSON("the site's answer as JSON; with --yes or --dry-run"),
                    OPTIONS_END},
                site_call_options},
    .words = {VALUES_FOLDER},
    .examples = {{"sedge adopt tele/plug1/SENSOR", "into the site in this folder"},
                 {"sedge adopt hall zigbee2mqtt/lamp --device home.lamp --yes", NULL},
                 {"sedge adopt hall garden/bed1/moisture garden/bed1/temp --dry-run",
                  "two values of several, and only look"}},
    .exits = {{"0", "it is written, or shown with --dry-run"},
              {"1", "it was not wanted, or the site refuses it or does not answer"}},
    .see = {"discover", "check"},
    .run = cmd_adopt,
};
