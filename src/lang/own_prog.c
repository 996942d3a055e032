/* One program: its bodies are walked as they come, what needs more than one of them is judged at
 * its end. */
#include "lang/own_flow_internal.h"

struct flow flow_new(struct checker *k, struct own_unit *unit, enum flow_kind kind,
                     enum graph_part part)
{
    return (struct flow){.k = k,
                         .c = k->c,
                         .prog = k->prog ? k->prog->own : NULL,
                         .unit = unit,
                         .kind = kind,
                         .part = part};
}

void own_program_begin(struct checker *k)
{
    struct own_prog *p = ctx_tree_new(k->c, sizeof(*p));
    p->decl = k->prog->decl;
    k->prog->own = p;
    ctx_tree_push(k->c, &k->own->progs, p);
}

/* ---- rules --------------------------------------------------------------------------------- */

void own_rule_begin(struct checker *k, const struct item *i)
{
    struct own_unit *u = ctx_tree_new(k->c, sizeof(*u));
    u->item = i;
    k->prog->own->unit = u;
    ctx_tree_push(k->c, &k->prog->own->rules, u);
}

void own_rule_end(struct checker *k)
{
    k->prog->own->unit = NULL;
}

void own_condition(struct checker *k, const struct expr *e, bool until)
{
    struct own_unit *u = k->prog->own->unit;
    struct flow f = flow_new(k, u, FLOW_RULE, until ? PART_UNTIL : PART_CONDITION);
    flow_expr(&f, e);
    if (u->item->kind != I_WHEN || (u->item->changed && !until))
        return;
    struct cond **to = until ? &u->until : &u->condition;
    if (!*to)
        *to = own_cond(k, e);
}

void own_signal(struct checker *k, const struct lang_decl *resource, const struct lang_member *m)
{
    k->prog->own->unit->signal = resource;
    k->prog->own->unit->signal_member = m;
}

static void suspends_with_handle(struct flow *f)
{
    struct lang_diag *d =
        diag_error(f->c, "O10", f->suspends_at, "waits here",
                   "this waits while it uses the program's `%.*s`", STR_FMT(f->uses_name));
    diag_mark(f->c, d, f->uses_at, "used here");
    diag_help(f->c, d,
              "split it into rules (`when … for …`, `until`), or move the handle to a task that "
              "owns it");
}

/* `idle x` runs when nobody has x on lease: there it need not be called back. */
static void idle_has_it(struct flow *f)
{
    const struct item *i = f->unit->item;
    const struct sym *s =
        i->kind == I_IDLE && i->path_n == 1 ? sym_find(f->k, i->path[0].text) : NULL;
    /* check: O12 idle */
    if (s && s->kind == SYM_OWN)
        state_hold(f->c, &f->now, s->index)->revoked = true;
}

void own_body(struct checker *k, const struct stmt_list *body, bool until)
{
    struct own_prog *p = k->prog->own;
    bool start = p->unit->item->kind == I_START;
    struct flow f =
        flow_new(k, p->unit, start ? FLOW_START : FLOW_RULE, until ? PART_UNTIL_BODY : PART_BODY);
    if (start)
        f.now = state_copy(k->c, &p->start);
    idle_has_it(&f);
    flow_stmts(&f, body);
    if (start && !f.now.dead)
        p->start = f.now;
    /* check: O10 rule */
    if (f.suspends && f.uses && !diag_told(k->c, "O10", f.suspends_at))
        suspends_with_handle(&f);
}

/* ---- functions ----------------------------------------------------------------------------- */

static void task_borrows(struct checker *k, const struct fn_decl *fn, const struct param_ref *p)
{
    const char *mode = p->mode == PARAM_MUT ? "mut" : "ref";
    struct lang_diag *d =
        diag_error(k->c, "O6", p->mode_span, "a task outlives the borrow",
                   "a task can't borrow: `%.*s` is `%s`", STR_FMT(p->name.text), mode);
    diag_mark(k->c, d, fn->name.span, "a task");
    diag_help(k->c, d, "let it own the thing:  own %.*s: …", STR_FMT(p->name.text));
}

static void fn_params(struct flow *f, struct fn_decl *fn)
{
    for (size_t i = 0; i < fn->params_n; i++) {
        const struct param_ref *p = &fn->params[i];
        if (!fn->param_types || fn->param_types[i].type.kind != LANG_TYPE_HANDLE)
            continue;
        /* check: O6 task borrows */
        if (fn->task && (p->mode == PARAM_MUT || p->mode == PARAM_REF))
            task_borrows(f->k, fn, p);
        handle_add(f, (struct handle){.origin = p->mode == PARAM_REF   ? ORIGIN_REF
                                                : p->mode == PARAM_MUT ? ORIGIN_MUT
                                                                       : ORIGIN_OWN,
                                      .local = (uint32_t)i,
                                      .name = p->name.text,
                                      .span = p->name.span,
                                      .things = {OF_PARAM, (uint32_t)i, 1, NULL},
                                      .base = OWN_NONE});
    }
}

void own_fn(struct checker *k, struct fn_decl *fn)
{
    if (fn->facts)
        return;
    struct own_unit *u = ctx_tree_new(k->c, sizeof(*u));
    u->fn = fn;
    fn->facts = u;
    u->revokes = 0; /* while a call of itself is looked at */
    if (k->prog)
        ctx_tree_push(k->c, &k->prog->own->fns, u);
    else
        ctx_tree_push(k->c, &k->own->fns, u);
    struct flow f = flow_new(k, u, fn->task ? FLOW_TASK : FLOW_FN, PART_BODY);
    fn_params(&f, fn);
    u->revokes = UINT32_MAX; /* what a `return` does not take away */
    struct stmt end = {.kind = S_RETURN};
    struct stmt *last = &end;
    flow_stmts(&f, &fn->body);
    flow_stmts(&f, &(struct stmt_list){.v = &last, .n = 1});
}

/* ---- lending ------------------------------------------------------------------------------- */

static void lend_unknown(struct checker *k, const struct lessee *l)
{
    struct suggest s = suggest_for(k->c, l->name.text);
    for (size_t i = 0; i < k->syntax->programs.n; i++)
        suggest_offer(&s, k->syntax->programs.v[i]->name.text);
    struct lang_diag *d = diag_error(k->c, "N1", l->name.span, "unknown",
                                     "there is no program `%.*s`", STR_FMT(l->name.text));
    if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
}

static const struct lend_site *lent_before(const struct own_prog *p, uint32_t key,
                                           const struct lessee *l)
{
    for (size_t i = 0; i < p->lends.n; i++)
        if (p->lends.v[i].key == key && str_eq(p->lends.v[i].lessee->name.text, l->name.text) &&
            p->lends.v[i].lessee != l)
            return &p->lends.v[i];
    return NULL;
}

static bool lessee_fits(struct checker *k, const struct lessee *l, uint32_t key)
{
    struct own_prog *p = k->prog->own;
    bool people = str_eq(l->name.text, STR("operator"));
    const struct lend_site *first = lent_before(p, key, l);
    struct lang_diag *d = NULL;
    /* check: O16 twice */
    if (first) {
        d = diag_error(k->c, "O16", l->name.span, "a second time", "it is lent to `%.*s` already",
                       STR_FMT(l->name.text));
        diag_mark(k->c, d, first->lessee->name.span, "here");
        diag_help(k->c, d, "say it once");
        return false;
    }
    /* check: O16 never */
    if (l->never && !people) {
        d = diag_error(k->c, "O16", l->name.span, "not the operator",
                       "`never` is for the operator: to nobody else is anything lent by itself");
        diag_help(k->c, d, "leave `%.*s` out", STR_FMT(l->name.text));
        return false;
    }
    /* check: O16 never with more */
    if (l->never && (l->priority || l->max)) {
        (void)diag_error(k->c, "O16", l->name.span, "never, and how?",
                         "`never` has no priority and no maximum");
        return false;
    }
    /* check: O16 self */
    if (str_eq(l->name.text, p->decl->name.text)) {
        d = diag_error(k->c, "O16", l->name.span, "the owner itself", "`%.*s` can't lend to itself",
                       STR_FMT(l->name.text));
        diag_help(k->c, d, "command it by its name");
        return false;
    }
    if (!people && !own_program_known(k, l->name.text)) {
        lend_unknown(k, l);
        return false;
    }
    return true;
}

static void offer_lessee(struct checker *k, const struct place *handle, const struct lessee *l)
{
    struct own_offer *o = own_offer(k, k->prog->decl->name.text, handle->name);
    if (!o)
        return;
    own_offer_lend(k, o, l->name.text, l->name.span);
}

void own_lend(struct checker *k, const struct item *i, uint32_t binding)
{
    struct own_prog *p = k->prog->own;
    struct flow f = flow_new(k, NULL, FLOW_RULE, PART_BODY);
    struct expr own = {.kind = E_PATH, .ref = REF_OWN, .index = binding, .span = i->path_span};
    struct place handle = place_of(&f, &own);
    for (size_t q = 0; q < i->lessees_n; q++) {
        const struct lessee *l = &i->lessees[q];
        if (!lessee_fits(k, l, binding))
            continue;
        ctx_tree_push(k->c, &p->lends, (struct lend_site){binding, handle.name, l, i});
        if (!l->never)
            offer_lessee(k, &handle, l);
    }
}
