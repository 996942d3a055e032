/* sedge actions: what was commanded, why, and whether it was done. */
#include "app/answer.h"
#include "app/args.h"
#include "app/site_call.h"
#include "app/terminal.h"
#include "async/env.h"
#include "codec/json.h"

#include <stdio.h>
#include <string.h>

struct actions {
    struct site_call_config call;
    const char *device; /* NULL: of all */
    int64_t limit;
    bool json;
    int64_t now_ms;
    size_t shown;
    struct str site;                        /* the answer of /api/site: the texts of rules */
    struct str wanted, found, until, units; /* while a rule or a series is looked for in it */
};

/* --- what the site knows of it --- */

static void look_at_rule(void *ctx, struct str rule)
{
    struct actions *o = ctx;
    if (str_eq(answer_raw(rule, "path"), o->wanted)) {
        o->found = answer_raw(rule, "text");
        o->until = answer_raw(rule, "until");
    }
}

static void look_at_program(void *ctx, struct str program)
{
    answer_each(answer_raw(program, "rules"), look_at_rule, ctx);
}

/* The rule's text with its quotes; `path` with its quotes. */
static struct str rule_text(struct actions *o, struct str path)
{
    o->wanted = path;
    o->found = o->until = (struct str){0};
    answer_each(answer_raw(o->site, "programs"), look_at_program, o);
    return o->found;
}

struct property_search {
    struct str device, property, unit;
};

static void look_at_property(void *ctx, struct str property)
{
    struct property_search *s = ctx;
    char name[256];
    if (str_eq(answer_member(property, "name", name, sizeof(name)), s->property))
        s->unit = answer_raw(property, "unit");
}

static void look_at_device(void *ctx, struct str device)
{
    struct property_search *s = ctx;
    char name[256];
    if (str_eq(answer_member(device, "name", name, sizeof(name)), s->device))
        answer_each(answer_raw(device, "properties"), look_at_property, s);
}

/* Of "line.press.temperature"; null or a text with its quotes. */
static struct str unit_of(const struct actions *o, struct str series)
{
    size_t dot = series.n;
    while (dot > 0 && series.p[dot - 1] != '.')
        dot--;
    struct property_search s = {.device = str_sub(series, 0, dot ? dot - 1 : 0),
                                .property = str_sub(series, dot, series.n)};
    answer_each(answer_raw(o->site, "devices"), look_at_device, &s);
    return s.unit;
}

/* --- one action --- */

static void print_args(struct str args)
{
    struct json_reader r;
    struct json_token t;
    char buf[256];
    const char *comma = "";
    json_init(&r, (struct bytes){(const uint8_t *)args.p, args.n});
    if (json_next(&r, &t) != JSON_OBJECT)
        return;
    while (json_next(&r, &t) == JSON_KEY) {
        struct str name = t.raw, value;
        if (json_skip(&r, &t, &value))
            return;
        (void)printf("%s%.*s: %.*s", comma, STR_FMT(name),
                     STR_FMT(answer_text(value, buf, sizeof(buf))));
        comma = ", ";
    }
}

static void print_who(struct actions *o, struct str by)
{
    char kind[32], name[256], text[512];
    if (str_eq(answer_member(by, "kind", kind, sizeof(kind)), STR("program"))) {
        struct str rule = rule_text(o, answer_raw(by, "rule"));
        long long line = answer_int(by, "line");
        (void)printf("          by %.*s, ",
                     STR_FMT(answer_member(by, "program", name, sizeof(name))));
        if (line > 0)
            (void)printf("line %lld", line);
        else /* no rule: the safe action of what nobody holds any more */
            (void)fputs("as it let go of it", stdout);
        if (rule.n > 0)
            (void)printf(": %.*s", STR_FMT(answer_text(rule, text, sizeof(text))));
        if (o->until.n > 0 && o->until.p[0] == '"') /* its end may be what asked for it */
            (void)printf(" … %.*s", STR_FMT(answer_text(o->until, text, sizeof(text))));
        (void)fputc('\n', stdout);
    } else {
        (void)printf("          by %.*s, a person\n",
                     STR_FMT(answer_member(by, "name", name, sizeof(name))));
    }
}

static void print_cause(const struct actions *o, struct str cause)
{
    char series[256], value[64], unit[32], at[ANSWER_TIME_MAX];
    struct str name = answer_member(cause, "series", series, sizeof(series));
    if (name.n == 0)
        return;
    struct str u = unit_of(o, name);
    if (answer_int(cause, "ts_ms") == 0) { /* since the start: `when stale` */
        (void)printf("          as %.*s had no value\n", STR_FMT(name));
        return;
    }
    answer_time(answer_int(cause, "ts_ms"), o->now_ms, at);
    (void)printf("          as %.*s was %.*s%s%.*s at %s\n", STR_FMT(name),
                 STR_FMT(answer_member(cause, "value", value, sizeof(value))),
                 u.n > 0 && u.p[0] == '"' ? " " : "",
                 STR_FMT(u.n > 0 && u.p[0] == '"' ? answer_text(u, unit, sizeof(unit)) : STR("")),
                 at);
}

static void print_action(void *ctx, struct str action)
{
    struct actions *o = ctx;
    char at[ANSWER_TIME_MAX], device[256], name[128], state[24], why[256];
    int64_t asked = answer_int(action, "requested_ms"), done = answer_int(action, "outcome_ms");
    struct str d = answer_member(action, "device", device, sizeof(device));
    if (o->device && !str_eq(d, str_from(o->device)))
        return;
    answer_time(asked, o->now_ms, at);
    (void)printf("%s  %.*s.%.*s(", at, STR_FMT(d),
                 STR_FMT(answer_member(action, "action", name, sizeof(name))));
    print_args(answer_raw(action, "args"));
    (void)printf("): %.*s", STR_FMT(answer_member(action, "state", state, sizeof(state))));
    if (done >= asked && done > 0)
        (void)printf(" after %.*f s", done - asked < 1000 ? 3 : 1, (double)(done - asked) / 1000);
    struct str reason = answer_member(action, "why", why, sizeof(why));
    if (reason.n > 0)
        (void)printf(": %.*s", STR_FMT(reason));
    (void)fputc('\n', stdout);
    print_who(o, answer_raw(action, "by"));
    print_cause(o, answer_raw(action, "cause"));
    o->shown++;
}

/* --- the command --- */

static enum err list(struct actions *o, struct site_call *c, struct error *e)
{
    struct strbuf text, site;
    char path[64];
    unsigned status;
    strbuf_init(&text, alloc_system(), 0);
    strbuf_init(&site, alloc_system(), 0);
    (void)snprintf(path, sizeof(path), "/api/actions?limit=%lld", (long long)o->limit);
    enum err err = site_call(c, "GET", path, (struct str){0}, &status, &text, e);
    if (!err && !o->json)
        err = site_call(c, "GET", "/api/site", (struct str){0}, &status, &site, e);
    o->site = strbuf_str(&site);
    o->now_ms = clock_wall_ms(env_linux()->clock);
    if (!err && o->json)
        (void)printf("%s\n", text.p);
    else if (!err)
        answer_each(answer_raw(strbuf_str(&text), "actions"), print_action, o);
    if (!err && !o->json && o->shown == 0)
        (void)puts("nothing was commanded");
    strbuf_fini(&text);
    strbuf_fini(&site);
    return err;
}

enum { O_LIMIT = 256, O_DEVICE };

static int cmd_actions(int argc, char **argv)
{
    struct args a = args_start(&command_actions, argc, argv);
    struct actions o = {.limit = 20};
    struct site_call *c;
    struct error e = {0};
    for (int id; (id = args_next(&a)) != ARGS_END;) {
        if (site_call_option(&o.call, id, a.value))
            continue;
        switch (id) {
        case OPTION_ID_JSON: o.json = true; break;
        case O_DEVICE: o.device = a.value; break;
        case O_LIMIT:
            if (!args_number(&a, 1, 1000, &o.limit))
                return EXIT_USAGE;
            break;
        default:
            if (id != ARGS_WORD || o.call.site)
                return args_status(&a);
            o.call.site = a.value;
        }
    }
    if (o.json && o.device)
        return args_refuse(&a, "--device chooses among what is shown; --json has all");
    enum err err = site_call_open(&c, &o.call, &e);
    if (!err)
        err = list(&o, c, &e);
    site_call_close(c);
    if (err)
        (void)fprintf(stderr, "sedge actions: %s\n", e.text);
    return err || fflush(stdout) != 0 ? EXIT_FINDING : EXIT_OK;
}

const struct command command_actions = {
    .name = "actions",
    .group = COMMAND_SITE,
    .line = "what a running site commanded, why, and whether it was done",
    .synopsis = "[SITE] [--device NAME] [--limit N] [--json] [OPTIONS]",
    .about =
        "Newest first. Each has the rule or the person that asked for it, the sample that made "
        "the rule true, and what became of it: `confirmed` is what the device itself shows. "
        "SITE is the folder (default: the one here) whose site runs.",
    .options = {(const struct command_option[]){
                    OPTION("device", 0, "NAME", "only those of this device", NULL, O_DEVICE),
                    OPTION("limit", 0, "N", "at most so many are looked at (20)", NULL, O_LIMIT),
                    OPTION_JSON("the site's answer (docs/http-api.md)"), OPTIONS_END},
                site_call_options},
    .words = {VALUES_FOLDER},
    .examples = {{"sedge actions hall", NULL},
                 {"sedge actions hall --device line.press.coolant", NULL}},
    .exits = {{"0", "they are listed"}, {"1", "the site does not answer"}},
    .see = {"alerts"},
    .run = cmd_actions,
};
