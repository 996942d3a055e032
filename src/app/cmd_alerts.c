/* sedge alerts: what people should know now; says that somebody has seen it, or puts it aside. */
#include "app/answer.h"
#include "app/args.h"
#include "app/site_call.h"
#include "app/terminal.h"
#include "app/when.h"
#include "async/env.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct alerts {
    struct site_call_config call;
    const char *by, *why;
    int64_t acknowledge, shelve, unshelve; /* 0: none */
    int64_t for_ms;
    bool json, all, colors;
    int64_t now_ms;
    size_t shown;
};

static void print_alert(void *ctx, struct str alert)
{
    struct alerts *o = ctx;
    char at[ANSWER_TIME_MAX], severity[16], text[1024], state[24], by[128];
    answer_time(answer_int(alert, "raised_ms"), o->now_ms, at);
    struct str grave = answer_member(alert, "severity", severity, sizeof(severity));
    struct str who = answer_member(alert, "acknowledged_by", by, sizeof(by));
    const char *color = !o->colors                       ? ""
                        : str_eq(grave, STR("critical")) ? "\033[31m"
                        : str_eq(grave, STR("warning"))  ? "\033[33m"
                                                         : "";
    (void)printf("%4lld  %s  %s%-8.*s%s  %.*s\n", (long long)answer_int(alert, "id"), at, color,
                 STR_FMT(grave), color[0] ? "\033[0m" : "",
                 STR_FMT(answer_member(alert, "text", text, sizeof(text))));
    (void)printf("      %.*s", STR_FMT(answer_member(alert, "state", state, sizeof(state))));
    if (who.n > 0)
        (void)printf(", acknowledged by %.*s", STR_FMT(who));
    if (answer_int(alert, "shelved_until_ms")) {
        answer_time(answer_int(alert, "shelved_until_ms"), o->now_ms, at);
        (void)printf(", shelved until %s by %.*s", at,
                     STR_FMT(answer_member(alert, "shelved_by", by, sizeof(by))));
        (void)printf(": %.*s", STR_FMT(answer_member(alert, "shelved_why", text, sizeof(text))));
    }
    (void)fputc('\n', stdout);
    o->shown++;
}

static enum err list(struct alerts *o, struct site_call *c, struct error *e)
{
    struct strbuf text;
    unsigned status;
    strbuf_init(&text, alloc_system(), 0);
    enum err err = site_call(c, "GET", o->all ? "/api/alerts?state=all" : "/api/alerts",
                             (struct str){0}, &status, &text, e);
    o->now_ms = clock_wall_ms(env_linux()->clock);
    if (!err && o->json)
        (void)printf("%s\n", text.p);
    else if (!err)
        answer_each(answer_raw(strbuf_str(&text), "alerts"), print_alert, o);
    if (!err && !o->json && o->shown == 0)
        (void)puts(o->all ? "there has been no alert" : "there is no alert");
    strbuf_fini(&text);
    return err;
}

/* Whoever asks: the person, also behind sudo. */
static void default_name(char *out, size_t size)
{
    const struct passwd *user = getpwuid(getuid());
    const char *sudo = getenv("SUDO_USER");
    (void)snprintf(out, size, "%s", sudo ? sudo : user ? user->pw_name : "somebody");
}

/* What is said of the alert `id`: a path below it and members of the body. */
static enum err say(struct alerts *o, struct site_call *c, const char *method, int64_t id,
                    const char *what, struct error *e)
{
    char path[64], name[128];
    struct strbuf body, text;
    unsigned status;
    default_name(name, sizeof(name));
    strbuf_init(&body, alloc_system(), 0);
    strbuf_init(&text, alloc_system(), 0);
    strbuf_adds(&body, "{\"by\":");
    strbuf_add_json(&body, str_from(o->by ? o->by : name));
    if (o->shelve) {
        strbuf_addf(&body, ",\"for_ms\":%lld,\"why\":", (long long)o->for_ms);
        strbuf_add_json(&body, str_from(o->why));
    }
    strbuf_addc(&body, '}');
    (void)snprintf(path, sizeof(path), "/api/alerts/%lld/%s", (long long)id, what);
    enum err err = site_call(c, method, path, strbuf_str(&body), &status, &text, e);
    o->now_ms = clock_wall_ms(env_linux()->clock);
    if (!err && o->json)
        (void)printf("%s\n", text.p);
    else if (!err)
        print_alert(o, strbuf_str(&text));
    strbuf_fini(&text);
    strbuf_fini(&body);
    return err;
}

static enum err ask(struct alerts *o, struct site_call *c, struct error *e)
{
    return o->acknowledge ? say(o, c, "POST", o->acknowledge, "acknowledge", e)
           : o->shelve    ? say(o, c, "POST", o->shelve, "shelve", e)
           : o->unshelve  ? say(o, c, "DELETE", o->unshelve, "shelve", e)
                          : list(o, c, e);
}

static int run(struct alerts *o)
{
    struct site_call *c;
    struct error e = {0};
    enum err err = site_call_open(&c, &o->call, &e);
    if (!err)
        err = ask(o, c, &e);
    site_call_close(c);
    if (err)
        (void)fprintf(stderr, "sedge alerts: %s\n", e.text);
    return err || fflush(stdout) != 0 ? EXIT_FINDING : EXIT_OK;
}

enum { O_ALL = 256, O_ACKNOWLEDGE, O_SHELVE, O_UNSHELVE, O_FOR, O_WHY, O_BY };

/* 0: go on, else the exit status + 1. */
static int take(struct alerts *o, struct args *a, int id)
{
    int64_t *number = id == O_ACKNOWLEDGE ? &o->acknowledge
                      : id == O_SHELVE    ? &o->shelve
                      : id == O_UNSHELVE  ? &o->unshelve
                                          : NULL;
    if (number)
        return args_number(a, 1, INT64_MAX, number) ? 0 : EXIT_USAGE + 1;
    switch (id) {
    case OPTION_ID_JSON: o->json = true; return 0;
    case O_ALL: o->all = true; return 0;
    case O_BY: o->by = a->value; return 0;
    case O_WHY: o->why = a->value; return 0;
    case O_FOR:
        if (span_parse(str_from(a->value), &o->for_ms))
            return args_wrong(a, "a time is a number with s, min, h or d: 2h") + 1;
        return 0;
    default:
        if (id != ARGS_WORD || o->call.site)
            return args_status(a) + 1;
        o->call.site = a->value;
        return 0;
    }
}

static int cmd_alerts(int argc, char **argv)
{
    struct args a = args_start(&command_alerts, argc, argv);
    struct alerts o = {.colors = terminal_has_colors(STDOUT_FILENO)};
    for (int id; (id = args_next(&a)) != ARGS_END;) {
        if (site_call_option(&o.call, id, a.value))
            continue;
        int status = take(&o, &a, id);
        if (status)
            return status - 1;
    }
    if ((o.acknowledge != 0) + (o.shelve != 0) + (o.unshelve != 0) > 1)
        return args_refuse(&a, "--acknowledge, --shelve and --unshelve are said one at a time");
    if (o.by && !o.acknowledge && !o.shelve && !o.unshelve)
        return args_refuse(&a, "--by goes with --acknowledge, --shelve and --unshelve");
    if ((o.shelve != 0) != (o.for_ms != 0) || (o.shelve != 0) != (o.why != NULL))
        return args_refuse(&a, "--shelve goes with --for and --why");
    return run(&o);
}

const struct command command_alerts = {
    .name = "alerts",
    .group = COMMAND_SITE,
    .line = "lists the alerts of a running site, and acknowledges them",
    .synopsis = "[SITE] [--all] [--json] [OPTIONS]\n[SITE] --acknowledge ID [--by NAME] [OPTIONS]\n"
                "[SITE] --shelve ID --for TIME --why TEXT [--by NAME] [OPTIONS]\n"
                "[SITE] --unshelve ID [--by NAME] [OPTIONS]",
    .about = "An alert is shown until it is over and somebody has acknowledged it: "
             "`unacknowledged` or `acknowledged` while it lasts, `returned` when it is over and "
             "nobody has seen it. One that is shelved does not bother until its time is over, or "
             "until it comes with a higher severity. SITE is the folder (default: the one here) "
             "whose site runs.",
    .options =
        {(const struct command_option[]){
             {.name = "all", .text = "also those that are over and acknowledged", .id = O_ALL},
             OPTION("acknowledge", 0, "ID", "say that somebody has seen it", NULL, O_ACKNOWLEDGE),
             OPTION("shelve", 0, "ID", "put it aside: for how long, and why", NULL, O_SHELVE),
             OPTION("for", 0, "TIME", "that long, at most 7d", NULL, O_FOR),
             OPTION("why", 0, "TEXT", "for others to read", NULL, O_WHY),
             OPTION("unshelve", 0, "ID", "take it off the shelf", NULL, O_UNSHELVE),
             OPTION("by", 0, "NAME", "who that is (the user's name)", NULL, O_BY),
             OPTION_JSON("the site's answer (docs/http-api.md)"),
             OPTIONS_END},
         site_call_options},
    .words = {VALUES_FOLDER},
    .examples = {{"sedge alerts hall", NULL},
                 {"sedge alerts hall --acknowledge 17 --by Ada", NULL},
                 {"sedge alerts hall --shelve 17 --for 2h --why 'bearings come at noon'", NULL}},
    .exits = {{"0", "they are listed, or it is done"},
              {"1", "the site does not answer, or refuses"}},
    .see = {"actions"},
    .run = cmd_alerts,
};
