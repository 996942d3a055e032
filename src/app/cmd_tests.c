/* sedge test SITE [--filter TEXT] [--json] [--verbose]: plays the site's tests.
 *
 * Exit codes: 0 all passed, 1 one failed, or the site has errors, 2 on wrong usage or when the
 * sources can't be read. */
#include "app/cmd.h"
#include "app/site_schema.h"
#include "app/site_zone.h"
#include "app/trial.h"
#include "base/log.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char usage_text[] =
    "usage: sedge test SITE [--filter TEXT] [--json] [--verbose]\n\n"
    "Plays the `test`s of a site, each in a simulated world of its own: virtual time, no network,\n"
    "nothing on disk. SITE is a folder of .sedge files, or one such file; it is checked first.\n\n"
    "  --filter TEXT   only tests whose name contains TEXT\n"
    "  --json          the result as JSON\n"
    "  --verbose       with the log of the site\n\n"
    "example: sedge test sites/factory\n";

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

int cmd_test(int argc, char **argv)
{
    static const struct option longs[] = {{"filter", required_argument, NULL, 'f'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"verbose", no_argument, NULL, 'v'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    struct test_options o = {.filter = ""};
    int c;
    while ((c = getopt_long(argc, argv, "f:jvh", longs, NULL)) != -1) {
        if (c == 'f') {
            o.filter = optarg;
        } else if (c == 'j') {
            o.json = true;
        } else if (c == 'v') {
            o.verbose = true;
        } else {
            (void)fputs(usage_text, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_OK : EXIT_USAGE;
        }
    }
    if (optind + 1 != argc) {
        (void)fputs(usage_text, stderr);
        return EXIT_USAGE;
    }
    o.site = argv[optind];
    if (!o.verbose)
        log_set_sink(nowhere, NULL);
    return test(&o);
}
