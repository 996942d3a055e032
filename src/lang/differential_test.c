/* One program through the machine and through the plain evaluator. */
#include "lang/differential_test.h"

#include "tests/support/lang_schema.h"

#include <string.h>

/* ---- the machine ------------------------------------------------------------------------ */

struct machine {
    struct lang_host host;
    struct strbuf turn; /* what this turn said; the host drops it if the turn traps */
};

static void said(struct lang_host *h, uint32_t statement, uint32_t level, struct str text)
{
    (void)statement;
    (void)level;
    strbuf_addf(&CONTAINER_OF(h, struct machine, host)->turn, "%.*s;", STR_FMT(text));
}

/* False if a limit of the machine was met: the evaluator has others. */
static bool run_machine(const struct lang_program *p, struct strbuf *out)
{
    struct machine m = {.host = {.statement = said}};
    struct lang_limits limits = {2000000, 64, 1u << 20, 8u << 20, 4};
    struct lang_vm *vm = lang_vm_new(alloc_system(), p, &m.host, limits);
    ASSERT(vm);
    strbuf_init(&m.turn, alloc_system(), 0);
    bool fine = true;
    for (size_t i = 0; i < p->rules_n && fine; i++) {
        struct lang_result r;
        strbuf_reset(&m.turn);
        (void)lang_vm_call(vm, p->rules[i].body, &r);
        fine = r.outcome != LANG_OUT_OF_BUDGET && !strstr(r.why, "too much");
        if (r.outcome == LANG_TRAP)
            strbuf_addf(out, "trap %s;", r.why);
        else
            strbuf_addstr(out, strbuf_str(&m.turn));
    }
    strbuf_fini(&m.turn);
    lang_vm_free(vm);
    return fine;
}

/* ---- the evaluator ---------------------------------------------------------------------- */

static bool run_plain(struct lang_ctx *c, const struct program_decl *p,
                      const struct lang_program *compiled, struct strbuf *out)
{
    struct value vars[LANG_LOCALS_MAX];
    struct strbuf turn;
    strbuf_init(&turn, &c->alloc, 0);
    struct eval v = {.c = c, .said = &turn};
    if (!eval_vars(&v, &p->items, compiled, vars))
        return false;
    for (size_t i = 0; i < p->items.n; i++) {
        if (p->items.v[i]->kind != I_EVERY)
            continue;
        strbuf_reset(&turn);
        if (eval_body(&v, &p->items.v[i]->body, compiled->vars_n))
            strbuf_addstr(out, strbuf_str(&turn));
        else if (v.gave_up)
            return false;
        else
            strbuf_addf(out, "trap %s;", v.why);
    }
    return true;
}

static void check_plain(struct lang_ctx *c, struct checker *k, struct syntax *syntax)
{
    ctx_index_lines(c);
    parse_source(c, 0, syntax);
    *k = (struct checker){.c = c, .syntax = syntax};
    check_decls(k);
    declare_defs(k);
    check_defs(k);
    own_prepare(k);
    check_programs(k);
}

/* ---- both ------------------------------------------------------------------------------- */

static void keep_messages(struct differential *d, const struct lang_site *site)
{
    for (size_t i = 0; i < site->diags_n; i++)
        if (site->diags[i].severity == LANG_ERROR)
            lang_diag_render(&d->refused, site, &site->diags[i], false);
}

void differential_run(struct differential *d, struct str text)
{
    *d = (struct differential){0};
    strbuf_init(&d->machine, alloc_system(), 0);
    strbuf_init(&d->plain, alloc_system(), 0);
    strbuf_init(&d->refused, alloc_system(), 0);
    struct lang_source source = {STR("p.sedge"), text};
    struct lang_site *site;
    if (lang_check(alloc_system(), &test_schema, &source, 1, &site) != ERR_OK)
        return;
    keep_messages(d, site);
    d->accepted = site->programs_n == 1;
    if (d->accepted) {
        struct ctx_alone alone;
        struct lang_ctx *c = ctx_alone_init(&alone, &test_schema, &source);
        struct syntax syntax = {0};
        struct checker k;
        if (setjmp(c->nomem) == 0) {
            check_plain(c, &k, &syntax);
            d->compared = run_plain(c, syntax.programs.v[0], site->programs[0], &d->plain) &&
                          run_machine(site->programs[0], &d->machine);
        }
        ctx_alone_fini(&alone);
    }
    lang_site_free(site);
}

void differential_fini(struct differential *d)
{
    strbuf_fini(&d->machine);
    strbuf_fini(&d->plain);
    strbuf_fini(&d->refused);
}
