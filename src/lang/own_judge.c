/* What a program as a whole says: commands of what may be lent (O12), and handles that move when it
 * starts (O4). */
#include "lang/own_flow_internal.h"

#define DEPTH_MAX 32u

static bool in_things(const struct things *d, uint32_t key)
{
    return d->of == OF_BINDINGS && key >= d->index && key - d->index < d->count;
}

/* To whom; the operator does not count: what its owner says meanwhile is held back. */
static const struct lend_site *lendable(const struct own_prog *p, const struct things *d)
{
    for (size_t i = 0; i < p->lends.n; i++)
        if (in_things(d, p->lends.v[i].key) &&
            !str_eq(p->lends.v[i].lessee->name.text, STR("operator")))
            return &p->lends.v[i];
    return NULL;
}

/* A command through this parameter that does not say what happens while it is lent. */
static const struct fact *bare_in(const struct fn_decl *fn, uint32_t param, uint32_t depth)
{
    struct own_unit *u = fn->facts;
    if (!u || u->visiting || depth > DEPTH_MAX)
        return NULL;
    const struct fact *found = NULL;
    u->visiting = true;
    for (size_t i = 0; i < u->facts.n && !found; i++) {
        const struct fact *f = &u->facts.v[i];
        if (f->kind == FACT_COMMAND && f->bare && f->things.of == OF_PARAM &&
            f->things.index == param)
            found = f;
        for (uint32_t a = 0; f->kind == FACT_CALL && a < f->fn->params_n && !found; a++)
            if (f->args[a].things.of == OF_PARAM && f->args[a].things.index == param &&
                !f->args[a].revoked && f->fn->params[a].mode == PARAM_MUT)
                found = bare_in(f->fn, a, depth + 1);
    }
    u->visiting = false;
    return found;
}

static void judge_busy(struct checker *k, const struct own_prog *p, const struct own_busy *b)
{
    const struct lend_site *l = lendable(p, &b->things);
    const struct fact *inner = l && b->fn ? bare_in(b->fn, b->param, 0) : NULL;
    if (!l || (b->fn && !inner) || diag_told(k->c, "O12", b->at))
        return;
    struct str name = l->handle;
    struct lang_diag *d =
        diag_error(k->c, "O12", b->at, b->fn ? "commanded in there" : "what if it is out?",
                   "%.*s commands `%.*s`, which %.*s may have on lease",
                   STR_FMT(p->decl->name.text), STR_FMT(name), STR_FMT(l->lessee->name.text));
    diag_mark(k->c, d, l->lessee->name.span, "lent to it here");
    if (inner)
        diag_mark(k->c, d, inner->at, "the command");
    if (b->fn)
        diag_help(k->c, d, "call it back first:  revoke %.*s", STR_FMT(name));
    else
        diag_help(
            k->c, d,
            "say what happens meanwhile:  %.*s else skip   or call it back first:  revoke %.*s",
            STR_FMT(ctx_text(k->c, b->at)), STR_FMT(name));
}

static void moved_at_start(struct checker *k, const struct own_move *m, const struct rule_use *u)
{
    if (diag_told(k->c, "O4", u->at))
        return;
    struct str name = ctx_text(k->c, own_declared(k, m->key));
    struct lang_diag *d = diag_error(k->c, "O4", u->at, "used after it moved",
                                     "`%.*s` moves away when the program starts", STR_FMT(name));
    diag_mark(k->c, d, m->at, "moved here");
    diag_mark(k->c, d, own_declared(k, m->key), "this was its name");
    diag_help(k->c, d, "let the task do it: send it a message through a channel");
}

static void moved_and_lent(struct checker *k, const struct own_move *m, const struct lend_site *l)
{
    if (diag_told(k->c, "O4", m->at))
        return;
    struct lang_diag *d =
        diag_error(k->c, "O4", m->at, "moved away", "`%.*s` is lent by its program and can't move",
                   STR_FMT(l->handle));
    diag_mark(k->c, d, l->item->path_span, "lent here");
    diag_help(k->c, d, "lend it, or move it: not both");
}

void own_judge_program(struct checker *k, struct own_prog *p)
{
    for (size_t i = 0; i < p->busy.n; i++) {
        /* check: O12 command */
        judge_busy(k, p, &p->busy.v[i]);
    }
    for (size_t m = 0; m < p->moves.n; m++) {
        for (size_t u = 0; u < p->uses.n; u++) {
            /* check: O4 moved at the start */
            if (p->uses.v[u].key == p->moves.v[m].key)
                moved_at_start(k, &p->moves.v[m], &p->uses.v[u]);
        }
        for (size_t l = 0; l < p->lends.n; l++) {
            /* check: O4 lent and moved */
            if (p->lends.v[l].key == p->moves.v[m].key)
                moved_and_lent(k, &p->moves.v[m], &p->lends.v[l]);
        }
    }
}

void own_program_end(struct checker *k)
{
    struct own_prog *p = k->prog->own;
    p->bindings = k->prog->bindings.v;
    p->bindings_n = k->prog->bindings.n;
    p->vars = k->prog->vars.v;
    own_judge_program(k, p);
}

void own_program_kept(struct checker *k)
{
    struct own_prog *p = k->prog->own;
    p->bindings = k->prog->out->bindings;
    p->vars = k->prog->out->vars;
}
