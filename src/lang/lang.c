/* The way of a check: sources, syntax, declarations, ownership, programs, site. */
#include "lang/check_internal.h"

#include <stdio.h>
#include <string.h>

#define ARENA_BASE_MAX   ((size_t)64 << 20)
#define ARENA_PER_SOURCE 512u /* bytes of arena for a byte of source */

/* What lang_site_free() needs. The site is its first member. */
struct site_memory {
    struct lang_site site;
    struct arena arena, tree; /* the tree is empty once the check is over */
    struct alloc *alloc;
};

static void copy_sources(struct lang_ctx *c, const struct lang_source *sources, size_t n)
{
    struct lang_source *copy = ctx_array(c, n, sizeof(*copy));
    for (size_t i = 0; i < n; i++) {
        size_t size =
            sources[i].text.n < LANG_SOURCE_SIZE_MAX ? sources[i].text.n : LANG_SOURCE_SIZE_MAX;
        copy[i].name = ctx_str(c, sources[i].name);
        copy[i].text = ctx_str(c, str_sub(sources[i].text, 0, size));
    }
    c->sources = copy;
    c->sources_n = n;
    ctx_index_lines(c);
}

/* False, with a message, if the text can't be read at all. */
static bool source_readable(struct lang_ctx *c, uint32_t i, size_t given)
{
    struct str t = c->sources[i].text;
    if (given > LANG_SOURCE_SIZE_MAX) {
        (void)diag_error(c, "P1", (struct lang_span){i, 0, 0}, "", "%.*s is larger than 1 MiB",
                         STR_FMT(c->sources[i].name));
        return false;
    }
    if (utf8_valid(t))
        return true;
    size_t at = 0, bad = 0;
    while (at < t.n) {
        bad = at;
        if (utf8_next(t, &at) == 0xFFFD && !utf8_valid(str_sub(t, bad, at - bad)))
            break;
    }
    struct lang_diag *d =
        diag_error(c, "P1", (struct lang_span){i, (uint32_t)bad, (uint32_t)bad + 1}, "not UTF-8",
                   "this text is not UTF-8");
    diag_help(c, d, "save the file as UTF-8");
    return false;
}

static void check_all(struct lang_ctx *c, const struct lang_source *given, struct lang_site *site)
{
    struct syntax syntax = {0};
    for (uint32_t i = 0; i < c->sources_n; i++)
        if (source_readable(c, i, given[i].text.n))
            parse_source(c, i, &syntax);
    struct checker k = {.c = c, .syntax = &syntax};
    check_decls(&k);
    own_prepare(&k);
    check_programs(&k);
    const struct lang_decl **decls = ctx_array(c, syntax.decls.n, sizeof(*decls));
    for (size_t i = 0; i < syntax.decls.n; i++)
        decls[i] = syntax.decls.v[i].decl;
    site->decls = decls;
    site->decls_n = syntax.decls.n;
    site->resources = k.resources.v;
    site->resources_n = k.resources.n;
    if (c->errors == 0) {
        site->programs = k.programs_out.v;
        site->programs_n = k.programs_out.n;
    }
}

static void finish(struct lang_ctx *c, struct lang_site *site)
{
    diag_sort(c);
    site->schema = c->schema;
    site->sources = c->sources;
    site->sources_n = c->sources_n;
    site->diags = c->diags.v;
    site->diags_n = c->diags.n;
    site->errors = c->errors;
    site->warnings = c->warnings;
}

enum err lang_check(struct alloc *a, const struct lang_schema *schema,
                    const struct lang_source *sources, size_t sources_n, struct lang_site **out)
{
    ASSERT(sources_n <= LANG_SOURCES_MAX);
    *out = NULL;
    struct site_memory *m = mem_zero(a, sizeof(*m));
    if (!m)
        return ERR_NOMEM;
    m->alloc = a;
    size_t text = 0;
    for (size_t i = 0; i < sources_n; i++)
        text += sources[i].text.n;
    arena_init(&m->arena, a, ARENA_BASE_MAX + text * ARENA_PER_SOURCE);
    arena_init(&m->tree, a, ARENA_BASE_MAX + text * ARENA_PER_SOURCE);
    struct lang_ctx *c = mem_zero(a, sizeof(*c));
    if (!c) {
        lang_site_free(&m->site);
        return ERR_NOMEM;
    }
    ctx_init(c, &m->arena, &m->tree, schema);
    if (setjmp(c->nomem) == 0) {
        copy_sources(c, sources, sources_n);
        check_all(c, sources, &m->site);
        finish(c, &m->site);
        arena_fini(&m->tree);
        *out = &m->site;
    } else {
        lang_site_free(&m->site);
    }
    enum err e = *out ? ERR_OK : ERR_NOMEM;
    mem_free(a, c, sizeof(*c));
    return e;
}

void lang_site_free(struct lang_site *site)
{
    if (!site)
        return;
    struct site_memory *m = CONTAINER_OF(site, struct site_memory, site);
    struct alloc *a = m->alloc;
    arena_fini(&m->arena);
    arena_fini(&m->tree);
    mem_free(a, m, sizeof(*m));
}

const struct lang_decl *lang_site_decl(const struct lang_site *site, const char *kind, size_t nth)
{
    for (size_t i = 0; i < site->decls_n; i++)
        if (strcmp(site->decls[i]->kind->word, kind) == 0 && nth-- == 0)
            return site->decls[i];
    return NULL;
}

const struct lang_decl *lang_site_named(const struct lang_site *site, const char *kind,
                                        struct str name)
{
    for (size_t i = 0; i < site->decls_n; i++)
        if (strcmp(site->decls[i]->kind->word, kind) == 0 && str_eq(site->decls[i]->name, name))
            return site->decls[i];
    return NULL;
}
