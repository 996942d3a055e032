/* sedge adopt: discovered topics become a device in the files of the site that runs. */
#include "app/answer.h"
#include "app/args.h"
#include "app/site_call.h"
#include "app/terminal.h"
#include "base/arena.h"
#include "codec/json.h"
#include "codec/mqtt.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TOPICS_MAX = 64, FOUND_MAX = 1024, O_DEVICE = 256, O_MODEL };

struct adopt {
    struct site_call_config call;
    const char *topics[TOPICS_MAX];
    size_t topic_n;
    const char *filter; /* in the place of topics */
    const char *device, *model;
    bool yes, dry_run, json, color;
    struct site_call *site;
    struct strbuf answer;  /* the proposal */
    struct strbuf written; /* what came of it */
};

/* --- asking the site --- */

/* `text`: the declarations to write, `shown`: what was said yes to; both as JSON. "": what is
 * proposed, whatever it is. */
struct question {
    bool apply;
    struct str text, shown;
};

static void write_raw(struct json_writer *w, const char *key, struct str json)
{
    if (!json.n)
        return;
    json_key(w, key);
    json_raw(w, json);
}

static void write_request(struct strbuf *out, const struct adopt *a, const struct question *q)
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
    write_raw(&w, "text", q->text);
    write_raw(&w, "shown", q->shown);
    json_key(&w, "apply");
    json_bool(&w, q->apply);
    json_object_end(&w);
}

static enum err ask(struct adopt *a, const struct question *q, struct strbuf *answer,
                    struct error *e)
{
    struct strbuf body;
    unsigned status;
    strbuf_init(&body, alloc_system(), 0);
    write_request(&body, a, q);
    enum err err = site_call(a->site, "POST", "/api/adopt", strbuf_str(&body), &status, answer, e);
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
    struct strbuf diff;
    strbuf_init(&diff, alloc_system(), 0);
    answer_lines(&diff, answer_raw(file, "diff"));
    struct str rest = strbuf_str(&diff), line;
    while (rest.n && str_split(&rest, '\n', &line))
        print_line(ctx, line);
    strbuf_fini(&diff);
}

static void print_warning(void *ctx, struct str warning)
{
    char buf[1024];
    struct str s = answer_text(warning, buf, sizeof(buf));
    (void)ctx;
    (void)printf("note: %.*s\n", STR_FMT(s));
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
    struct left_line left = {.begun = false};
    struct str all = strbuf_str(&a->answer);
    answer_each(answer_raw(all, "files"), print_file, a);
    answer_each(answer_raw(all, "left_out"), print_left, &left);
    if (left.begun)
        (void)printf(" (%s)\n", left.why);
    answer_each(answer_raw(all, "warnings"), print_warning, NULL);
}

/* Why the site refuses it: the messages of the check, or what the reload said. */
static void show_refusal(const struct strbuf *answer)
{
    struct str all = strbuf_str(answer), reload = answer_raw(all, "reload");
    char why[512];
    struct strbuf text;
    strbuf_init(&text, alloc_system(), 0);
    answer_lines(&text, answer_raw(all, "text"));
    (void)fwrite(text.p, 1, text.n, stderr);
    struct str w = reload.n ? answer_member(reload, "why", why, sizeof(why)) : STR("");
    if (!text.n && w.n)
        (void)fprintf(stderr, "%.*s\n", STR_FMT(w));
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

static int failed(const struct adopt *a, const struct strbuf *answer, const struct error *e)
{
    if (a->json && answer->n)
        (void)printf("%s\n", answer->p);
    else
        show_refusal(answer);
    (void)fprintf(stderr, "sedge adopt: %s\n", e->text);
    return EXIT_FINDING;
}

static int applied(const struct adopt *a)
{
    char buf[256];
    struct str name = answer_member(strbuf_str(&a->answer), "device", buf, sizeof(buf));
    if (a->json)
        (void)printf("%s\n", a->answer.p);
    else
        (void)printf("%.*s is adopted, and the site has it\n", STR_FMT(name));
    return EXIT_OK;
}

/* What has been shown, and nothing that was heard since: whoever speaks on the topics could have
 * waited for the yes. The text of a new device is sent back; that of what goes into a device that
 * is there does not say where it belongs, so it is proposed again, and must be the same. */
static enum err apply_shown(struct adopt *a, struct error *e)
{
    struct str all = strbuf_str(&a->answer);
    const struct question q = {.apply = true,
                               .text =
                                   answer_true(all, "editable") ? answer_raw(all, "text") : STR(""),
                               .shown = answer_raw(all, "shown")};
    return ask(a, &q, &a->written, e);
}

static bool was_not_shown(const struct adopt *a)
{
    return str_eq(answer_raw(strbuf_str(&a->written), "type"), STR("\"/problems/not-shown\""));
}

/* Nobody looks first: what is proposed now is written. */
static int apply_unseen(struct adopt *a)
{
    struct error e = {0};
    const struct question q = {.apply = true};
    if (ask(a, &q, &a->answer, &e))
        return failed(a, &a->answer, &e);
    if (!a->json)
        show(a);
    return applied(a);
}

/* As often as something else would be written than the person has seen, it is shown anew. */
static int propose_and_apply(struct adopt *a)
{
    struct error e = {0};
    const struct question look = {.apply = false};
    if (a->yes)
        return apply_unseen(a);
    for (;;) {
        if (ask(a, &look, &a->answer, &e))
            return failed(a, &a->answer, &e);
        if (a->json)
            return applied(a);
        show(a);
        if (a->dry_run)
            return EXIT_OK;
        if (!asks_yes()) {
            (void)puts("nothing is changed");
            return EXIT_FINDING;
        }
        if (!apply_shown(a, &e))
            return applied(a);
        if (!was_not_shown(a))
            return failed(a, &a->written, &e);
        (void)puts("not written: what was heard since changes it");
    }
}

/* --- all that fits a filter, one device after the other --- */

struct found {
    struct arena arena;
    struct str topics[FOUND_MAX];
    size_t n;
};

/* Of a thing: that an announcement is none goes without saying. */
static void say_obstacle(struct str thing)
{
    char name[256], why[512];
    if (str_eq(answer_raw(thing, "shape"), STR("null")))
        return;
    (void)fprintf(stderr, "sedge adopt: %.*s is left out: %.*s\n",
                  STR_FMT(answer_member(thing, "name", name, sizeof(name))),
                  STR_FMT(answer_member(thing, "why", why, sizeof(why))));
}

/* What stands for a thing that can be adopted. */
static void note_found(void *ctx, struct str thing)
{
    struct found *f = ctx;
    if (str_eq(answer_raw(thing, "adopt"), STR("null")))
        say_obstacle(thing);
    struct str raw = answer_raw(thing, "adopt"), topic;
    bool wanted = str_starts(raw, STR("\"")) && f->n < FOUND_MAX;
    char *buf = wanted ? arena_new(&f->arena, raw.n + 1) : NULL;
    if (buf && json_unescape(str_sub(raw, 1, raw.n - 2), buf, raw.n + 1, &topic) == ERR_OK)
        f->topics[f->n++] = arena_str(&f->arena, topic);
}

static enum err look_up(struct adopt *a, struct found *f, struct error *e)
{
    struct strbuf path;
    unsigned status;
    strbuf_init(&path, alloc_system(), 0);
    terminal_add_query(&path, "/api/discovered?values=0&filter=", str_from(a->filter));
    enum err err = site_call(a->site, "GET", path.p, (struct str){0}, &status, &a->answer, e);
    strbuf_fini(&path);
    if (!err)
        answer_each(answer_raw(strbuf_str(&a->answer), "things"), note_found, f);
    if (!err && !f->n)
        err =
            error_set(e, ERR_NOT_FOUND, "nothing was heard on %s that could be adopted", a->filter);
    return err;
}

static int adopt_each(struct adopt *a, const struct found *f)
{
    int status = EXIT_OK;
    for (size_t i = 0; i < f->n; i++) {
        a->topics[0] = f->topics[i].p;
        a->topic_n = 1;
        int one = propose_and_apply(a);
        status = one ? one : status;
    }
    return status;
}

static int adopt_all(struct adopt *a)
{
    struct error e = {0};
    struct found *f = mem_zero(alloc_system(), sizeof(*f));
    if (!f)
        return EXIT_FINDING;
    arena_init(&f->arena, alloc_system(), 4 << 20);
    int status = look_up(a, f, &e) ? failed(a, &a->answer, &e) : adopt_each(a, f);
    arena_fini(&f->arena);
    mem_free(alloc_system(), f, sizeof(*f));
    return status;
}

static int run(struct adopt *a)
{
    struct error e = {0};
    if (site_call_open(&a->site, &a->call, &e)) {
        (void)fprintf(stderr, "sedge adopt: %s\n", e.text);
        return EXIT_FINDING;
    }
    strbuf_init(&a->answer, alloc_system(), 0);
    strbuf_init(&a->written, alloc_system(), 0);
    int status = a->filter ? adopt_all(a) : propose_and_apply(a);
    strbuf_fini(&a->answer);
    strbuf_fini(&a->written);
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
    if (strpbrk(word, "+#"))
        a->filter = word;
    a->topics[a->topic_n++] = word;
    return true;
}

/* What the options say together. */
static const char *contradiction(const struct adopt *a)
{
    if (a->yes && a->dry_run)
        return "--yes writes and --dry-run does not: say one of them";
    if (a->json && !a->yes && !a->dry_run)
        return "--json goes with --yes or --dry-run: nobody can be asked";
    if (a->filter && (a->topic_n > 1 || a->device))
        return "a filter stands alone, and its devices have names of their own";
    if (a->filter && !mqtt_filter_valid(str_from(a->filter)))
        return "that is no filter of MQTT: a/+/b, a/#";
    return NULL;
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
    const char *wrong = contradiction(&a);
    return wrong ? args_refuse(&args, "%s", wrong) : run(&a);
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
        "Topics of a device that is declared add to that device. A filter in the place of a topic "
        "(zigbee2mqtt/+) adopts all that fits, one device after the other.",
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
                  "two values of several, and only look"},
                 {"sedge adopt hall 'zigbee2mqtt/+' --yes", "all devices of a bridge"}},
    .exits = {{"0", "it is written, or shown with --dry-run"},
              {"1", "it was not wanted, or the site refuses it or does not answer"}},
    .see = {"discover", "check"},
    .run = cmd_adopt,
};
