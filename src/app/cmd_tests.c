/* sedge test: plays the tests of a site. */
#include "app/args.h"
#include "base/log.h"
#include "site/schema.h"
#include "site/trial.h"
#include "site/zone.h"

#include <stdio.h>
#include <string.h>

struct test_options {
    const char *site, *filter;
    bool json, verbose;
};

struct totals {
    size_t run, failed, broken;
    int64_t simulated_ms;
};

static bool wanted(const struct test_options *o, struct str name)
{
    struct str part = str_from(o->filter);
    for (size_t i = 0; i + part.n <= name.n; i++)
        if (str_eq(str_sub(name, i, part.n), part))
            return true;
    return false;
}

static void nowhere(void *ctx, enum log_level level, const char *part, const char *text)
{
    (void)ctx, (void)level, (void)part, (void)text;
}

/* The same result everywhere: without a zone of its own the site's clock is UTC. */
static bool set_zone(const struct lang_site *site)
{
    struct str zone = site_zone(site);
    struct error e = {0};
    site_zone_set(zone.n ? zone : STR("UTC"));
    if (site_zone_check(zone, &e) == ERR_OK)
        return true;
    (void)fprintf(stderr, "sedge test: %s\n", e.text);
    return false;
}

static bool write_out(struct strbuf *out)
{
    bool ok = !out->failed && fwrite(out->p, 1, out->n, stdout) == out->n && fflush(stdout) == 0;
    strbuf_reset(out);
    return ok;
}

static void play(const struct test_options *o, const struct lang_site *site,
                 const struct lang_test *test, struct strbuf *out, struct totals *sum)
{
    struct trial t;
    struct error e = {0};
    enum err err = trial_run(&t, site, test, &e);
    if (err) {
        (void)fprintf(stderr, "sedge test: \"%.*s\" can't be played: %s\n", STR_FMT(test->name),
                      e.text[0] ? e.text : err_name(err));
        sum->broken++;
    } else if (o->json) {
        strbuf_adds(out, sum->run ? "," : "");
        trial_json(out, &t);
    } else {
        trial_print(out, &t);
        (void)write_out(out);
    }
    sum->run++;
    sum->failed += err || t.failures.n;
    sum->simulated_ms += t.lasted_ms;
    trial_fini(&t);
}

static void print_sum(struct strbuf *out, const struct totals *sum)
{
    strbuf_addf(out, "%zu test%s, %zu failed; %lld s simulated\n", sum->run,
                sum->run == 1 ? "" : "s", sum->failed, (long long)(sum->simulated_ms / 1000));
}

/* What the check says: for programs, and as people read it. */
static void json_begin(struct strbuf *out, const struct lang_site *site)
{
    struct strbuf text;
    strbuf_init(&text, alloc_system(), 0);
    strbuf_addf(out, "{\"errors\":%zu,\"diagnostics\":", site->errors);
    site_json_diags(out, site);
    if (site->diags_n)
        site_render_diags(&text, site, false);
    strbuf_adds(out, ",\"text\":");
    if (text.n)
        strbuf_add_json(out, strbuf_str(&text));
    else
        strbuf_adds(out, "null");
    strbuf_fini(&text);
}

static int play_all(const struct test_options *o, const struct lang_site *site)
{
    struct totals sum = {0};
    struct strbuf out;
    strbuf_init(&out, alloc_system(), 0);
    if (o->json) {
        json_begin(&out, site);
        strbuf_adds(&out, ",\"tests\":[");
    }
    for (size_t i = 0; i < site->tests_n; i++)
        if (wanted(o, site->tests[i]->name))
            play(o, site, site->tests[i], &out, &sum);
    if (o->json)
        strbuf_addf(&out, "],\"run\":%zu,\"failed\":%zu,\"simulated_ms\":%lld}\n", sum.run,
                    sum.failed, (long long)sum.simulated_ms);
    else
        print_sum(&out, &sum);
    bool told = write_out(&out);
    strbuf_fini(&out);
    if (sum.run == 0 && o->filter[0]) {
        (void)fprintf(stderr, "sedge test: no test's name contains '%s'\n", o->filter);
        return EXIT_USAGE;
    }
    return !told || sum.broken ? EXIT_USAGE : sum.failed ? EXIT_FINDING : EXIT_OK;
}

static int refuse(const struct test_options *o, const struct lang_site *site)
{
    struct strbuf out;
    if (!o->json)
        return EXIT_FINDING;
    strbuf_init(&out, alloc_system(), 0);
    json_begin(&out, site);
    strbuf_adds(&out, ",\"tests\":[],\"run\":0,\"failed\":0,\"simulated_ms\":0}\n");
    bool told = write_out(&out);
    strbuf_fini(&out);
    return told ? EXIT_FINDING : EXIT_USAGE;
}

static int test(const struct test_options *o)
{
    struct site_sources sources;
    struct error e = {0};
    struct lang_site *site;
    if (site_read_sources(alloc_system(), o->site, &sources, &e)) {
        (void)fprintf(stderr, "sedge test: %s\n", e.text);
        return EXIT_USAGE;
    }
    enum err err = lang_check(alloc_system(), site_schema(), sources.v, sources.n, &site);
    site_sources_fini(&sources);
    if (err) {
        (void)fputs("sedge test: no memory to check the site\n", stderr);
        return EXIT_USAGE;
    }
    if (!o->json)
        site_print_diags(stderr, site);
    int code = !set_zone(site) ? EXIT_USAGE : site->errors ? refuse(o, site) : play_all(o, site);
    lang_site_free(site);
    return code;
}

static int cmd_test(int argc, char **argv)
{
    struct args a = args_start(&command_test, argc, argv);
    struct test_options o = {.filter = ""};
    for (int id; (id = args_next(&a)) != ARGS_END;) {
        switch (id) {
        case 'f': o.filter = a.value; break;
        case 'v': o.verbose = true; break;
        case OPTION_ID_JSON: o.json = true; break;
        default:
            if (id != ARGS_WORD || o.site)
                return args_status(&a);
            o.site = a.value;
        }
    }
    if (!o.site)
        return args_missing(&a, "SITE");
    if (!o.verbose)
        log_set_sink(nowhere, NULL);
    return test(&o);
}

const struct command command_test = {
    .name = "test",
    .group = COMMAND_SITE,
    .line = "plays the tests of a site in virtual time",
    .synopsis = "SITE [--filter TEXT] [--json] [--verbose]",
    .about = "Each `test` of the site gets a simulated world of its own: the site's real programs, "
             "devices that obey at once, virtual time, no network, nothing on disk. A day takes a "
             "fraction of a second. SITE is a folder of .sedge files, or one such file; it is "
             "checked first. Of an `expect` that is not met it says what happened instead.",
    .options = {(const struct command_option[]){
        OPTION("filter", 'f', "TEXT", "only tests whose name contains TEXT", NULL, 0),
        {.name = "json",
         .letter = 'j',
         .text = "the result as one JSON object",
         .id = OPTION_ID_JSON},
        {.name = "verbose", .letter = 'v', .text = "with the log of the site"},
        OPTIONS_END}},
    .words = {VALUES_FOLDER},
    .examples = {{"sedge test sites/factory", NULL},
                 {"sedge test sites/factory --filter press", "only those about the press"}},
    .exits = {{"0", "all passed"},
              {"1", "one failed, or the site has errors"},
              {"2", "wrong usage, or the files can't be read"}},
    .see = {"check", "run"},
    .run = cmd_test,
};
