/* sedge reload: lets a running site take its changed files. */
#include "app/answer.h"
#include "app/args.h"
#include "app/site_call.h"
#include "site/schema.h"

#include <stdio.h>
#include <string.h>

enum { NAMES_SHOWN = 5 };

static void count_name(void *ctx, struct str name)
{
    (void)name;
    ++*(size_t *)ctx;
}

static void print_name(void *ctx, struct str name)
{
    char text[256];
    size_t *n = ctx;
    if (++*n > NAMES_SHOWN)
        return;
    struct str s = answer_text(name, text, sizeof(text));
    (void)printf("%s%.*s", *n == 1 ? " (" : ", ", STR_FMT(s));
}

/* "2 changed (hall.meter, hall.heater)" */
static void print_fate(struct str of, const char *fate)
{
    size_t all = 0, n = 0;
    answer_each(answer_raw(of, fate), count_name, &all);
    (void)printf(", %zu %s", all, fate);
    answer_each(answer_raw(of, fate), print_name, &n);
    if (n > NAMES_SHOWN)
        (void)printf(" and %zu more", n - NAMES_SHOWN);
    (void)printf("%s", n ? ")" : "");
}

static void print_fates(struct str of, const char *what, const char *kept)
{
    (void)printf("; %s: %lld %s", what, (long long)answer_int(of, "kept"), kept);
    print_fate(of, "changed");
    print_fate(of, "added");
    print_fate(of, "removed");
}

/* The numbers of the answer as one line, with a few names. */
static void print_taken(struct str answer)
{
    (void)printf("taken: 0 errors, %lld warnings", (long long)answer_int(answer, "warnings"));
    print_fates(answer_raw(answer, "programs"), "programs", "go on");
    print_fates(answer_raw(answer, "devices"), "devices", "as they were");
    (void)printf("\n");
}

/* The messages of the check, as people read them: they come with their lines. */
static void print_messages(struct str report)
{
    struct str text = answer_raw(report, "text");
    struct strbuf plain;
    strbuf_init(&plain, alloc_system(), 0);
    if (text.n > 2)
        answer_lines(&plain, text);
    (void)fwrite(plain.p, 1, plain.n, stderr);
    strbuf_fini(&plain);
}

/* What the check could not see: a port, or a coil that another line has. */
static void print_why(struct str report)
{
    char text[512];
    struct str why = answer_text(answer_raw(report, "why"), text, sizeof(text));
    if (why.n && answer_int(report, "errors") == 0)
        (void)fprintf(stderr, "sedge reload: %.*s\n", STR_FMT(why));
}

/* With errors in its files a site would refuse them; here they are told in colour, and no listener
 * could be found by them either. */
static bool fit_to_ask(const struct site_call_config *cfg)
{
    struct lang_site *site;
    if (cfg->url || (cfg->site && strstr(cfg->site, "://")))
        return true;
    if (site_check(cfg->site ? cfg->site : ".", &site, stderr))
        return false;
    lang_site_free(site);
    return true;
}

static int reload(const struct site_call_config *cfg, bool json)
{
    struct site_call *c;
    struct error e = {0};
    struct strbuf text;
    unsigned status = 0;
    strbuf_init(&text, alloc_system(), 0);
    enum err err = site_call_open(&c, cfg, &e);
    if (!err)
        err = site_call(c, "POST", "/api/reload", STR("{}"), &status, &text, &e);
    struct str answer = strbuf_str(&text);
    struct str refused = answer_raw(answer, "reload");
    if (json && answer.n > 0)
        (void)printf("%.*s\n", STR_FMT(answer));
    else if (status > 0)
        print_messages(refused.n ? refused : answer);
    if (!err && !json)
        print_taken(answer);
    if (err && refused.n)
        print_why(refused);
    if (err)
        (void)fprintf(stderr, "sedge reload: %s\n", e.text);
    site_call_close(c);
    strbuf_fini(&text);
    return err ? EXIT_FINDING : EXIT_OK;
}

static int cmd_reload(int argc, char **argv)
{
    struct args a = args_start(&command_reload, argc, argv);
    struct site_call_config cfg = {0};
    bool json = false;
    for (int id; (id = args_next(&a)) != ARGS_END;) {
        if (site_call_option(&cfg, id, a.value))
            continue;
        if (id == OPTION_ID_JSON)
            json = true;
        else if (id == ARGS_WORD && !cfg.site)
            cfg.site = a.value;
        else
            return args_status(&a);
    }
    return fit_to_ask(&cfg) ? reload(&cfg, json) : EXIT_FINDING;
}

const struct command command_reload = {
    .name = "reload",
    .group = COMMAND_SITE,
    .line = "lets a running site take its changed files",
    .synopsis = "[SITE] [--json] [OPTIONS]",
    .about = "The site checks its files first: with errors it goes on as it was, and the messages "
             "are shown. Programs that are unchanged are not disturbed. Password files and "
             "certificates are read again, too. SITE is the folder (default: the one here) whose "
             "site runs. SIGHUP does the same.",
    .options = {(const struct command_option[]){OPTION_JSON("the site's answer (docs/http-api.md)"),
                                                OPTIONS_END},
                site_call_options},
    .words = {VALUES_FOLDER},
    .examples = {{"sedge reload hall", NULL}},
    .exits = {{"0", "the changed site runs"}, {"1", "it was refused, or the site does not answer"}},
    .see = {"check", "run"},
    .run = cmd_reload,
};
