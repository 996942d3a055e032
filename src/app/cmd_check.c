/* sedge check SITE [--json | --bytecode]: checks all of a site together.
 *
 * Exit codes: 0 without errors (warnings alone are fine), 1 with errors, 2 on wrong usage or when
 * the sources can't be read. */
#include "app/cmd.h"
#include "app/site_load.h"
#include "app/site_schema.h"
#include "app/site_zone.h"

#include <stdio.h>
#include <string.h>

static void print_plural(struct strbuf *out, size_t n, const char *word)
{
    strbuf_addf(out, "%zu %s%s", n, word, n == 1 ? "" : "s");
}

static size_t count_rules(const struct lang_site *site)
{
    size_t n = 0;
    for (size_t i = 0; i < site->programs_n; i++)
        n += site->programs[i]->rules_n;
    return n;
}

static void print_json(struct strbuf *out, const struct lang_site *site)
{
    strbuf_addf(out, "{\"errors\":%zu,\"warnings\":%zu,\"devices\":%zu,\"programs\":%zu,",
                site->errors, site->warnings, site->resources_n, site->programs_n);
    strbuf_addf(out, "\"rules\":%zu,\"diagnostics\":", count_rules(site));
    site_json_diags(out, site);
    strbuf_adds(out, "}\n");
}

static void print_ok(struct strbuf *out, const struct lang_site *site)
{
    strbuf_adds(out, "ok: ");
    print_plural(out, site->resources_n, "device");
    strbuf_adds(out, ", ");
    print_plural(out, site->programs_n, "program");
    strbuf_adds(out, ", ");
    print_plural(out, count_rules(site), "rule");
    strbuf_addc(out, '\n');
}

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_BYTECODE };

/* What the language does not know: whether `run` would take these settings (open listeners, rules
 * of access), and whether this machine has the site's zone. A site without a server, that only its
 * tests play, is fine. */
static bool settings_good(const struct lang_site *site)
{
    struct site_settings settings;
    struct error e = {0};
    enum err err = lang_site_decl(site, "server", 0) ? site_settings_read(&settings, site, &e)
                                                     : site_zone_check(site_zone(site), &e);
    if (err == ERR_OK)
        return true;
    (void)fprintf(stderr, "error: %s\n", e.text);
    return false;
}

static int report(const struct lang_site *site, enum format format)
{
    bool good = site->errors == 0 && settings_good(site);
    struct strbuf out;
    strbuf_init(&out, alloc_system(), 0);
    if (format == FORMAT_JSON)
        print_json(&out, site);
    else
        site_print_diags(stderr, site);
    if (format == FORMAT_TEXT && good)
        print_ok(&out, site);
    for (size_t i = 0; format == FORMAT_BYTECODE && site->errors == 0 && i < site->programs_n;
         i++) {
        strbuf_adds(&out, i > 0 ? "\n" : "");
        lang_program_dump(&out, site->programs[i]);
    }
    bool failed = out.failed || fwrite(out.p, 1, out.n, stdout) != out.n || fflush(stdout) != 0;
    strbuf_fini(&out);
    return failed ? EXIT_USAGE : good ? EXIT_OK : EXIT_FINDING;
}

static int check(const char *path, enum format format)
{
    struct site_sources sources;
    struct error e = {0};
    if (site_read_sources(alloc_system(), path, &sources, &e) != ERR_OK) {
        (void)fprintf(stderr, "sedge check: %s\n", e.text);
        return EXIT_USAGE;
    }
    struct lang_site *site;
    int code = EXIT_USAGE;
    if (lang_check(alloc_system(), site_schema(), sources.v, sources.n, &site) == ERR_OK) {
        code = report(site, format);
        lang_site_free(site);
    } else {
        (void)fputs("sedge check: no memory\n", stderr);
    }
    site_sources_fini(&sources);
    return code;
}

int cmd_check(int argc, char **argv)
{
    const char *path = NULL;
    enum format format = FORMAT_TEXT;
    bool usage = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            format = FORMAT_JSON;
        else if (strcmp(argv[i], "--bytecode") == 0)
            format = FORMAT_BYTECODE;
        else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            usage = true;
        else if (argv[i][0] == '-' || path)
            return (void)fprintf(stderr, "sedge check: unexpected argument %s\n", argv[i]),
                   EXIT_USAGE;
        else
            path = argv[i];
    }
    if (usage || !path) {
        (void)fputs("usage: sedge check SITE [--json | --bytecode]\n"
                    "  SITE is a folder with *.sedge files, or one such file\n"
                    "  --bytecode prints what the machine runs\n",
                    usage ? stdout : stderr);
        return usage ? EXIT_OK : EXIT_USAGE;
    }
    return check(path, format);
}
