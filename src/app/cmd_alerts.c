/* sedge alerts: what people should know now; and says that somebody has seen it, or wants to hear
 * nothing of it for a while. */
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
    int64_t acknowledge, shelve, unshelve; /* an alert's number; 0: none */
    int64_t for_ms;
    bool json, all, colors;
    int64_t now_ms;
    size_t shown;
};

static void print_shelf(const struct alerts *o, struct str alert)
{
    char until[ANSWER_TIME_MAX], by[128], why[256];
    int64_t until_ms = answer_int(alert, "shelved_until_ms");
    if (until_ms == 0)
        return;
    answer_time(until_ms, o->now_ms, until);
    (void)printf(", shelved until %s by %.*s: %.*s", until,
                 STR_FMT(answer_member(alert, "shelved_by", by, sizeof(by))),
                 STR_FMT(answer_member(alert, "shelved_why", why, sizeof(why))));
}

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
    struct str now = answer_member(alert, "state", state, sizeof(state));
    (void)printf("      %.*s", STR_FMT(now));
    if (who.n > 0)
        (void)printf(str_eq(now, STR("acknowledged")) ? " by %.*s" : ", acknowledged by %.*s",
                     STR_FMT(who));
    print_shelf(o, alert);
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

/* What is done to one alert, and its number. */
static int64_t change_of(const struct alerts *o, const char **method, const char **verb)
{
    *method = o->unshelve ? "DELETE" : "POST";
    *verb = o->acknowledge ? "acknowledge" : "shelve";
    return o->acknowledge ? o->acknowledge : o->shelve ? o->shelve : o->unshelve;
}

static void write_change(struct strbuf *body, const struct alerts *o)
{
    char name[128];
    default_name(name, sizeof(name));
    strbuf_adds(body, "{\"by\":");
    strbuf_add_json(body, str_from(o->by ? o->by : name));
    if (o->shelve) {
        strbuf_addf(body, ",\"for_ms\":%lld,\"why\":", (long long)o->for_ms);
        strbuf_add_json(body, str_from(o->why));
    }
    strbuf_addc(body, '}');
}

static enum err change(struct alerts *o, struct site_call *c, struct error *e)
{
    char path[64];
    const char *method, *verb;
    struct strbuf body, text;
    unsigned status;
    int64_t id = change_of(o, &method, &verb);
    strbuf_init(&body, alloc_system(), 0);
    strbuf_init(&text, alloc_system(), 0);
    write_change(&body, o);
    (void)snprintf(path, sizeof(path), "/api/alerts/%lld/%s", (long long)id, verb);
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

static bool changes(const struct alerts *o)
{
    return o->acknowledge || o->shelve || o->unshelve;
}

static int run(struct alerts *o)
{
    struct site_call *c;
    struct error e = {0};
    enum err err = site_call_open(&c, &o->call, &e);
    if (!err)
        err = changes(o) ? change(o, c, &e) : list(o, c, &e);
    site_call_close(c);
    if (err)
        (void)fprintf(stderr, "sedge alerts: %s\n", e.text);
    return err || fflush(stdout) != 0 ? EXIT_FINDING : EXIT_OK;
}

enum { O_ALL = 256, O_ACKNOWLEDGE, O_SHELVE, O_UNSHELVE, O_FOR, O_WHY, O_BY };

/* 0: go on; else the exit status + 1. */
static int set_option(struct alerts *o, struct args *a, int id)
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
        return span_parse(str_from(a->value), &o->for_ms) == ERR_OK
                   ? 0
                   : args_wrong(a, "it is a time, as 30min or 8h") + 1;
    default:
        if (id != ARGS_WORD || o->call.site)
            return args_status(a) + 1;
        o->call.site = a->value;
        return 0;
    }
}

static const char *unfit(const struct alerts *o)
{
    if ((o->acknowledge != 0) + (o->shelve != 0) + (o->unshelve != 0) > 1)
        return "one thing at a time: --acknowledge, --shelve or --unshelve";
    if (o->by && !changes(o))
        return "--by goes with --acknowledge, --shelve and --unshelve";
    if (o->shelve && (!o->for_ms || !o->why || !o->why[0]))
        return "--shelve needs --for and --why";
    if (!o->shelve && (o->for_ms || o->why))
        return "--for and --why go with --shelve";
    return NULL;
}

static int cmd_alerts(int argc, char **argv)
{
    struct args a = args_start(&command_alerts, argc, argv);
    struct alerts o = {.colors = terminal_has_colors(STDOUT_FILENO)};
    for (int id; (id = args_next(&a)) != ARGS_END;) {
        if (site_call_option(&o.call, id, a.value))
            continue;
        int status = set_option(&o, &a, id);
        if (status)
            return status - 1;
    }
    const char *why = unfit(&o);
    return why ? args_refuse(&a, "%s", why) : run(&o);
}

const struct command command_alerts = {
    .name = "alerts",
    .group = COMMAND_SITE,
    .line = "lists the alerts of a running site, acknowledges, shelves them",
    .synopsis = "[SITE] [--all] [--json] [OPTIONS]\n[SITE] --acknowledge ID [--by NAME]\n"
                "[SITE] --shelve ID --for TIME --why TEXT [--by NAME]\n[SITE] --unshelve ID",
    .about = "An alert is shown until it is over and somebody has acknowledged it: "
             "`unacknowledged` or `acknowledged` while it lasts, `returned` when it is over and "
             "nobody has seen it. One that is shelved is put aside for a while, with a "
             "reason, and comes back by itself. SITE is the folder (default: the one here) whose "
             "site runs.",
    .options =
        {(const struct command_option[]){
             {.name = "all", .text = "also those that are over and acknowledged", .id = O_ALL},
             OPTION("acknowledge", 0, "ID", "say that somebody has seen it", NULL, O_ACKNOWLEDGE),
             OPTION("shelve", 0, "ID", "put it aside for a while", NULL, O_SHELVE),
             OPTION("for", 0, "TIME", "how long: 30min, 8h; a week at most", NULL, O_FOR),
             OPTION("why", 0, "TEXT", "and why", NULL, O_WHY),
             OPTION("unshelve", 0, "ID", "fetch it back", NULL, O_UNSHELVE),
             OPTION("by", 0, "NAME", "who that is (the user's name)", NULL, O_BY),
             OPTION_JSON("the site's answer (docs/http-api.md)"),
             OPTIONS_END},
         site_call_options},
    .words = {VALUES_FOLDER},
    .examples = {{"sedge alerts hall", NULL},
                 {"sedge alerts hall --acknowledge 17 --by Ada", NULL},
                 {"sedge alerts hall --shelve 17 --for 8h --why 'new bearings tomorrow'", NULL}},
    .exits = {{"0", "they are listed, or it is done"},
              {"1", "the site does not answer, or refuses"}},
    .see = {"actions"},
    .run = cmd_alerts,
};
