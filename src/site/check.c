/* Checking a site, and its messages for people and for programs. */
#include "site/schema.h"

#include <stdlib.h>
#include <unistd.h>

static void print_count(struct strbuf *out, size_t n, const char *word)
{
    strbuf_addf(out, "%zu %s%s", n, word, n == 1 ? "" : "s");
}

void site_render_diags(struct strbuf *out, const struct lang_site *site, bool color)
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

static void json_mark(struct strbuf *out, const struct lang_site *site, const struct lang_mark *m)
{
    strbuf_adds(out, "{\"file\":");
    strbuf_add_json(out, site->sources[m->span.source].name);
    strbuf_addf(out,
                ",\"line\":%u,\"column\":%u,\"end_line\":%u,\"end_column\":%u,\"label\":", m->line,
                m->column, m->end_line, m->end_column);
    strbuf_add_json(out, m->label);
    strbuf_addf(out, ",\"primary\":%s}", m->primary ? "true" : "false");
}

static void json_diag(struct strbuf *out, const struct lang_site *site, const struct lang_diag *d)
{
    strbuf_adds(out, "{\"code\":");
    strbuf_add_json(out, d->code);
    strbuf_addf(
        out, ",\"severity\":\"%s\",\"message\":", d->severity == LANG_ERROR ? "error" : "warning");
    strbuf_add_json(out, d->message);
    strbuf_adds(out, ",\"spans\":[");
    for (size_t i = 0; i < d->marks_n; i++) {
        if (i > 0)
            strbuf_addc(out, ',');
        json_mark(out, site, &d->marks[i]);
    }
    strbuf_adds(out, "],\"help\":");
    if (d->help.n > 0)
        strbuf_add_json(out, d->help);
    else
        strbuf_adds(out, "null");
    strbuf_addc(out, '}');
}

void site_json_diags(struct strbuf *out, const struct lang_site *site)
{
    strbuf_addc(out, '[');
    for (size_t i = 0; i < site->diags_n; i++) {
        if (i > 0)
            strbuf_addc(out, ',');
        json_diag(out, site, &site->diags[i]);
    }
    strbuf_addc(out, ']');
}

void site_print_diags(FILE *to, const struct lang_site *site)
{
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    site_render_diags(&b, site, isatty(fileno(to)) && !getenv("NO_COLOR"));
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
