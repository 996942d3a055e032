/* Checking a site, and its messages on a terminal. */
#include "app/site_schema.h"

#include <stdlib.h>
#include <unistd.h>

static void print_count(struct strbuf *out, size_t n, const char *word)
{
    strbuf_addf(out, "%zu %s%s", n, word, n == 1 ? "" : "s");
}

static void print_diags(struct strbuf *out, const struct lang_site *site, bool color)
{
    for (size_t i = 0; i < site->diags_n; i++) {
        lang_diag_render(out, site, &site->diags[i], color);
        strbuf_addc(out, '\n');
    }
    size_t all = site->errors + site->warnings;
    if (all > site->diags_n)
        strbuf_addf(out, "and %zu more\n", all - site->diags_n);
    if (all == 0)
        return;
    if (site->errors > 0)
        print_count(out, site->errors, "error");
    if (site->errors > 0 && site->warnings > 0)
        strbuf_adds(out, ", ");
    if (site->warnings > 0)
        print_count(out, site->warnings, "warning");
    strbuf_addc(out, '\n');
}

void site_print_diags(FILE *to, const struct lang_site *site)
{
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    print_diags(&b, site, isatty(fileno(to)) && !getenv("NO_COLOR"));
    (void)fwrite(b.p, 1, b.n, to);
    if (b.failed)
        (void)fputs("no memory for the messages\n", to);
    strbuf_fini(&b);
}

enum err site_check(const char *path, struct lang_site **out, FILE *to)
{
    *out = NULL;
    struct site_sources sources;
    struct error e = {0};
    enum err r = site_read_sources(alloc_system(), path, &sources, &e);
    if (r != ERR_OK) {
        (void)fprintf(to, "sedge: %s\n", e.text);
        return r;
    }
    r = lang_check(alloc_system(), site_schema(), sources.v, sources.n, out);
    site_sources_fini(&sources);
    if (r != ERR_OK) {
        (void)fputs("sedge: no memory to check the site\n", to);
        return r;
    }
    site_print_diags(to, *out);
    if ((*out)->errors == 0)
        return ERR_OK;
    lang_site_free(*out);
    *out = NULL;
    return ERR_INVALID;
}
