/* The way of a check: sources, syntax, declarations, ownership, programs, site. */
#include "lang/check_internal.h"
#include "lang/summary_internal.h"

#include <stdio.h>
#include <string.h>

#define ARENA_BASE_MAX   ((size_t)64 << 20)
#define ARENA_PER_SOURCE 640u /* bytes of arena for a byte of source */

/* What lang_site_free() needs. The site is its first member. */
struct site_memory {
    struct lang_site site;
    struct arena arena, tree; /* the tree is empty once the check is over */
    struct alloc *alloc;
};

/* What a check is given. */
struct given {
    const struct lang_source *sources;
    size_t sources_n;
    struct summary *summaries; /* read */
    size_t summaries_n;
};

/* The sources, and behind them one for each file that summaries quote. */
static void copy_sources(struct lang_ctx *c, const struct given *g)
{
    struct lang_source *copy = ctx_array(c, g->sources_n + g->summaries_n, sizeof(*copy));
    size_t n = g->sources_n;
    for (size_t i = 0; i < n; i++) {
        struct str text = g->sources[i].text;
        size_t size = text.n < LANG_SOURCE_SIZE_MAX ? text.n : LANG_SOURCE_SIZE_MAX;
        copy[i].name = ctx_str(c, g->sources[i].name);
        copy[i].text = ctx_str(c, str_sub(text, 0, size));
    }
    struct map files;
    map_init(&files, &c->alloc, 1, 1u << 20);
    for (size_t i = 0; i < g->summaries_n; i++) {
        struct summary *s = &g->summaries[i], *first = map_get(&files, s->file);
        s->source = first ? first->source : (uint32_t)n;
        if (first)
            continue;
        if (map_put(&files, s->file, s) != ERR_OK)
            ctx_nomem(c);
        copy[n++] =
            (struct lang_source){s->file, summary_source(c, g->summaries, g->summaries_n, i)};
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

static bool in_sources(const struct syntax *syntax, const struct summary *s)
{
    for (size_t i = 0; i < syntax->programs.n; i++)
        if (str_eq(syntax->programs.v[i]->name.text, s->program))
            return true;
    return false;
}

/* The summaries of programs that are not among the sources. */
static void other_programs(struct checker *k, struct given *g)
{
    size_t n = 0;
    for (size_t i = 0; i < g->summaries_n; i++)
        if (!in_sources(k->syntax, &g->summaries[i]))
            g->summaries[n++] = g->summaries[i];
    own_others(k, g->summaries, n);
}

static void check_all(struct lang_ctx *c, struct given *g, struct lang_site *site)
{
    struct syntax syntax = {0};
    for (uint32_t i = 0; i < g->sources_n; i++)
        if (source_readable(c, i, g->sources[i].text.n))
            parse_source(c, i, &syntax);
    struct checker k = {.c = c, .syntax = &syntax};
    check_decls(&k);
    declare_defs(&k);
    check_defs(&k);
    own_prepare(&k);
    other_programs(&k, g);
    check_programs(&k);
    own_finish(&k);
    check_tests(&k);
    site->own = k.own;
    const struct lang_decl **decls = ctx_array(c, syntax.decls.n, sizeof(*decls));
    for (size_t i = 0; i < syntax.decls.n; i++)
        decls[i] = syntax.decls.v[i].decl;
    site->decls = decls;
    site->decls_n = syntax.decls.n;
    site->resources = ctx_kept(c, &k.resources);
    site->resources_n = k.resources.n;
    if (c->errors == 0) {
        site->programs = ctx_kept(c, &k.programs_out);
        site->programs_n = k.programs_out.n;
        site->tests = ctx_kept(c, &k.tests);
        site->tests_n = k.tests.n;
        site->records = ctx_kept(c, &k.records);
        site->records_n = k.records.n;
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

static enum err read_summaries(struct lang_ctx *c, const struct str *texts, size_t n,
                               struct given *g)
{
    g->summaries = ctx_array(c, n, sizeof(*g->summaries));
    for (size_t i = 0; i < n; i++) {
        enum err e = summary_read(c, texts[i], &g->summaries[i]);
        if (e != ERR_OK)
            return e;
    }
    g->summaries_n = n;
    return ERR_OK;
}

/* Everything up to the site; jumps back to its caller without memory. */
static enum err check(struct lang_ctx *c, struct given *g, const struct str *summaries, size_t n,
                      struct lang_site *site)
{
    enum err e = read_summaries(c, summaries, n, g);
    if (e != ERR_OK)
        return e;
    copy_sources(c, g);
    check_all(c, g, site);
    finish(c, site);
    return ERR_OK;
}

enum err lang_check_one(struct alloc *a, const struct lang_schema *schema,
                        const struct lang_source *sources, size_t sources_n,
                        const struct str *summaries, size_t summaries_n, struct lang_site **out)
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
    for (size_t i = 0; i < summaries_n; i++)
        text += summaries[i].n;
    arena_init(&m->arena, a, ARENA_BASE_MAX + text * ARENA_PER_SOURCE);
    arena_init(&m->tree, a, ARENA_BASE_MAX + text * ARENA_PER_SOURCE);
    struct lang_ctx *c = mem_zero(a, sizeof(*c));
    if (!c) {
        lang_site_free(&m->site);
        return ERR_NOMEM;
    }
    ctx_init(c, &m->arena, &m->tree, schema);
    struct given given = {.sources = sources, .sources_n = sources_n};
    volatile enum err e = ERR_NOMEM; /* if it jumps back */
    if (setjmp(c->nomem) == 0)
        e = check(c, &given, summaries, summaries_n, &m->site);
    if (e == ERR_OK) {
        arena_fini(&m->tree);
        *out = &m->site;
    } else {
        lang_site_free(&m->site);
    }
    mem_free(a, c, sizeof(*c));
    return e;
}

enum err lang_check(struct alloc *a, const struct lang_schema *schema,
                    const struct lang_source *sources, size_t sources_n, struct lang_site **out)
{
    return lang_check_one(a, schema, sources, sources_n, NULL, 0, out);
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
