/* sedge check: all of a site together. Nothing is run. */
#include "app/args.h"
#include "site/load.h"
#include "site/schema.h"
#include "site/zone.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

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
enum { O_BYTECODE = 256 };

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

/* One file of a site that has several: what it lacks is in the others. */
static void point_to_folder(const char *path, const struct lang_site *site)
{
    struct stat st;
    struct site_sources all;
    struct error e = {0};
    char folder[4096];
    const char *slash = strrchr(path, '/');
    if (lang_site_decl(site, "site", 0) || stat(path, &st) != 0 || S_ISDIR(st.st_mode))
        return;
    int n = snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1,
                     slash ? path : ".");
    if (n < 0 || (size_t)n >= sizeof(folder) ||
        site_read_sources(alloc_system(), folder, &all, &e) != ERR_OK)
        return;
    if (all.n > 1)
        (void)fprintf(stderr,
                      "\nsedge check: %s is one of %zu files that make a site together: check "
                      "their folder: sedge check %s\n",
                      path, all.n, folder);
    site_sources_fini(&all);
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
    if (failed)
        command_output_failed(errno);
    strbuf_fini(&out);
    return good && !failed ? EXIT_OK : EXIT_FINDING;
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
        if (site->errors && format == FORMAT_TEXT)
            point_to_folder(path, site);
        lang_site_free(site);
    } else {
        (void)fputs("sedge check: no memory\n", stderr);
    }
    site_sources_fini(&sources);
    return code;
}

static int cmd_check(int argc, char **argv)
{
    struct args a = args_start(&command_check, argc, argv);
    const char *path = NULL;
    enum format format = FORMAT_TEXT;
    for (int id; (id = args_next(&a)) != ARGS_END;) {
        if (id == OPTION_ID_JSON)
            format = FORMAT_JSON;
        else if (id == O_BYTECODE)
            format = FORMAT_BYTECODE;
        else if (id == ARGS_WORD && !path)
            path = a.value;
        else
            return args_status(&a);
    }
    return path ? check(path, format) : args_missing(&a, "SITE");
}

const struct command command_check = {
    .name = "check",
    .group = COMMAND_SITE,
    .line = "checks a site's files; nothing is run",
    .synopsis = "SITE [--json | --bytecode]",
    .about = "SITE is a folder of .sedge files, or one such file. All of it is checked together: "
             "syntax, types and units, who owns which device, what rules do to one another, and "
             "the settings that `sedge run` would take. Each message has its place, the source "
             "line and mostly a way to mend it.",
    .options = {(const struct command_option[]){
        OPTION_JSON("the messages as one JSON object"),
        {.name = "bytecode", .text = "print what the machine runs", .id = O_BYTECODE},
        OPTIONS_END}},
    .words = {VALUES_FOLDER},
    .examples = {{"sedge check sites/factory", NULL},
                 {"sedge check hall --json", "for editors and scripts"}},
    .exits = {{"0", "no errors; warnings alone are fine"},
              {"1", "errors"},
              {"2", "wrong usage, or the files can't be read"}},
    .see = {"test", "run"},
    .run = cmd_check,
};
