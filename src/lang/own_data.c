/* Handles where only data may stand, and names that a function can't see. */
#include "lang/own_flow_internal.h"

static const char *use_text(enum own_use use)
{
    switch (use) {
    case OWN_STORED: return "be stored";
    case OWN_RETURNED: return "be returned";
    case OWN_SENT: return "be sent";
    case OWN_PASSED: return "be passed as data";
    }
    return "be stored";
}

static void as_data(struct checker *k, const char *code, const struct expr *e,
                    const struct sym *sym, const char *label, const char *what, const char *help)
{
    struct lang_diag *d = diag_error(k->c, code, e->span, label, "%s", what);
    if (sym)
        diag_mark(k->c, d, sym->span, "declared here");
    diag_help(k->c, d, "%s", help);
}

void own_as_data(struct checker *k, const struct expr *e, enum own_use use)
{
    const struct expr *inner = e->kind == E_MOVE && e->a ? e->a : e;
    while (inner->kind == E_INDEX && inner->a)
        inner = inner->a;
    const struct sym *sym = inner->path_n > 0 ? sym_find(k, inner->path[0].text) : NULL;
    struct str name = inner->path_n > 0 ? inner->path[0].text : STR("this");
    const char *what;
    /* check: O11 as data */
    if (sym && sym->leased) {
        what = ctx_strf(k->c, "`%.*s` is leased and can't %s", STR_FMT(name), use_text(use)).p;
        as_data(k, "O11", e, sym, "only on lease", what,
                "it lives in its block alone: use it there");
        return;
    }
    /* check: O6 as data */
    if (sym && (sym->mode == PARAM_MUT || sym->mode == PARAM_REF)) {
        what = ctx_strf(k->c, "`%.*s` is borrowed and can't %s", STR_FMT(name), use_text(use)).p;
        as_data(k, "O6", e, sym, "only borrowed", what,
                "use it in here; what others need of it are readings, and those are data");
        return;
    }
    /* check: O4 sent as data */
    if (use == OWN_SENT) {
        what = ctx_strf(k->c, "`%.*s` is a handle; this carries data", STR_FMT(name)).p;
        as_data(k, "O4", e, sym, "a handle", what,
                "handles go through a  chan<own …>, with `move`");
        return;
    }
    what = ctx_strf(k->c, "`%.*s` is a handle and can't %s", STR_FMT(name), use_text(use)).p;
    /* check: O1 as data */
    as_data(k, "O1", e, sym, "not data", what,
            "read what you need of it, or hand it on with `move` to a task or a function");
}

void own_captured(struct checker *k, const struct expr *e, struct lang_span declared)
{
    /* check: O14 captured */
    if (!diag_told(k->c, "O14", e->span)) {
        struct lang_diag *d =
            diag_error(k->c, "O14", e->span, "a handle", "a lambda captures data only");
        diag_mark(k->c, d, declared, "declared here");
        diag_help(k->c, d, "read before what the lambda needs:  let x = …");
    }
}

static void assigned(struct checker *k, const struct expr *target, struct lang_span declared)
{
    struct lang_diag *d = diag_error(k->c, "O1", target->span, "a handle",
                                     "a handle stands for one thing: nothing is assigned to it");
    diag_mark(k->c, d, declared, "declared here");
    diag_help(k->c, d, "command it, or own the other one by another name");
}

void own_assigned(struct checker *k, const struct expr *target, struct lang_span declared)
{
    /* check: O1 assigned */
    assigned(k, target, declared);
}

static const struct item *find_own(const struct item_list *items, struct str name)
{
    for (size_t i = 0; i < items->n; i++) {
        const struct item *x = items->v[i];
        if (x->kind == I_OWN && str_eq(x->name.text, name))
            return x;
        const struct item *inner = x->kind == I_FOR ? find_own(&x->items, name) : NULL;
        if (inner)
            return inner;
    }
    return NULL;
}

static void outside(struct checker *k, struct name name, const struct item *own)
{
    const struct fn_decl *fn = k->frame->fn;
    bool task = fn && fn->task;
    struct lang_diag *d = diag_error(k->c, "O15", name.span, "not in the signature",
                                     "a %s commands only what its signature lists: not `%.*s`",
                                     task ? "task" : "function", STR_FMT(name.text));
    diag_mark(k->c, d, own->name.span, "owned here");
    if (fn)
        diag_mark(k->c, d, fn->name.span, "the signature");
    diag_help(k->c, d, "take it as a parameter:  %s %.*s: %.*s", task ? "own" : "mut",
              STR_FMT(name.text), STR_FMT(ctx_text(k->c, own->type.span)));
}

bool own_outside(struct checker *k, struct name name)
{
    const struct item *own = k->prog ? find_own(&k->prog->decl->items, name.text) : NULL;
    if (!own)
        return false;
    /* check: O15 outside */
    outside(k, name, own);
    return true;
}
