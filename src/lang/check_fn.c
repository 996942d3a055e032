/* Functions and tasks: signatures and bodies. */
#include "lang/check_internal.h"

#include <stdio.h>

/* ---- signatures -------------------------------------------------------------------------- */

static bool handle_param(struct checker *k, const struct param_ref *p, struct lang_type *type)
{
    if (!type_resolve_any(k, &p->type, type))
        return false;
    if (type->kind == LANG_TYPE_HANDLE)
        return true;
    struct lang_diag *d = diag_error(
        k->c, "T1", p->mode_span, "not for data", "`%.*s` is %.*s: only %s is owned or borrowed",
        STR_FMT(p->name.text), STR_FMT(type_phrase(k, type)), noun_a(k->c, NOUN_RESOURCE));
    diag_help(k->c, d, "data needs no such word:  %.*s: %.*s", STR_FMT(p->name.text),
              STR_FMT(type_text(k, type)));
    return false;
}

/* `v: Valve` says too little: is it only read, commanded, or handed over? */
static void handle_without_mode(struct checker *k, const struct param_ref *p, bool task,
                                const struct lang_type *type)
{
    struct str model = lang_type_name(type), name = p->name.text;
    struct lang_diag *d = diag_error(k->c, "O1", p->type.span, "a handle",
                                     "`%.*s` is a %.*s, %s: say what is done with it",
                                     STR_FMT(name), STR_FMT(model), noun_a(k->c, NOUN_RESOURCE));
    if (task)
        diag_help(k->c, d, "a task takes it over:  own %.*s: %.*s", STR_FMT(name), STR_FMT(model));
    else
        diag_help(
            k->c, d,
            "ref %.*s: %.*s  only looks,  mut %.*s: %.*s  commands it,  own %.*s: %.*s  keeps "
            "it",
            STR_FMT(name), STR_FMT(model), STR_FMT(name), STR_FMT(model), STR_FMT(name),
            STR_FMT(model));
}

static bool data_param(struct checker *k, const struct param_ref *p, bool task,
                       struct lang_type *type)
{
    if (!type_resolve_any(k, &p->type, type))
        return false;
    if (is_data(type))
        return true;
    /* check: O1 parameter */
    handle_without_mode(k, p, task, type);
    return false;
}

static bool name_twice(struct checker *k, const struct fn_decl *fn, size_t i)
{
    for (size_t q = 0; q < i; q++)
        if (str_eq(fn->params[q].name.text, fn->params[i].name.text)) {
            struct lang_diag *d =
                diag_error(k->c, "N2", fn->params[i].name.span, "a second time",
                           "two parameters are called `%.*s`", STR_FMT(fn->params[i].name.text));
            diag_mark(k->c, d, fn->params[q].name.span, "the first one");
            return true;
        }
    return false;
}

void check_fn_signature(struct checker *k, struct fn_decl *fn)
{
    fn->param_types = ctx_tree_array(k->c, fn->params_n, sizeof(*fn->param_types));
    fn->result_type = type_plain(LANG_TYPE_NONE);
    if (fn->params_n > CODE_ARGS_MAX) {
        (void)diag_error(k->c, "P1", fn->name.span, "too many", "a %s has at most %u parameters",
                         fn->task ? "task" : "function", CODE_ARGS_MAX);
        fn->bad = true;
        return;
    }
    for (size_t i = 0; i < fn->params_n; i++) {
        const struct param_ref *r = &fn->params[i];
        struct lang_param *p = &fn->param_types[i];
        p->name = r->name.text;
        p->span = r->name.span;
        bool fine = r->mode != PARAM_DATA ? handle_param(k, r, &p->type)
                                          : data_param(k, r, fn->task, &p->type);
        fn->bad = !fine || name_twice(k, fn, i) || fn->bad;
    }
    if (!fn->result.given)
        return;
    if (fn->task) {
        (void)diag_error(k->c, "T1", fn->result.span, "nobody gets it",
                         "a task runs beside its program and gives nothing back");
        fn->bad = true;
    } else if (!type_resolve(k, &fn->result, &fn->result_type)) {
        fn->bad = true;
    }
}

/* ---- bodies ------------------------------------------------------------------------------ */

static bool stmt_leaves(const struct stmt *s);

bool always_leaves(const struct stmt_list *list)
{
    if (list->damaged) /* who knows what it was */
        return true;
    for (size_t i = 0; i < list->n; i++)
        if (stmt_leaves(list->v[i]))
            return true;
    return false;
}

/* A `break` that leaves the loop around the list. */
static bool breaks(const struct stmt_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct stmt *s = list->v[i];
        bool loop = s->kind == S_WHILE || s->kind == S_LOOP || s->kind == S_FOR;
        if (s->kind == S_BREAK)
            return true;
        if ((!loop && breaks(&s->body)) || breaks(&s->otherwise) || breaks(&s->denied))
            return true;
        for (size_t a = 0; a < s->arms_n; a++)
            if (breaks(&s->arms[a].body))
                return true;
    }
    return false;
}

static bool arms_leave(const struct stmt *s)
{
    for (size_t a = 0; a < s->arms_n; a++)
        if (!always_leaves(&s->arms[a].body))
            return false;
    return s->arms_n > 0;
}

static bool stmt_leaves(const struct stmt *s)
{
    switch (s->kind) {
    case S_RETURN: return true;
    case S_IF: return s->otherwise.n > 0 && always_leaves(&s->body) && always_leaves(&s->otherwise);
    case S_LOOP: return !breaks(&s->body);
    case S_MATCH: /* every value has an arm */
    case S_SELECT: return arms_leave(s);
    default: return false;
    }
}

static void add_params(struct checker *k, const struct fn_decl *fn)
{
    for (size_t i = 0; i < fn->params_n; i++) {
        const struct lang_type *t = &fn->param_types[i].type;
        if (fn->params[i].mode == PARAM_DATA)
            (void)local_add(k, fn->params[i].name, t, false, true);
        else
            (void)add_handle(k, fn->params[i].name, t, (struct sym){.mode = fn->params[i].mode});
    }
}

void check_fn_body(struct checker *k, struct fn_decl *fn)
{
    if (fn->bad)
        return;
    struct checker outer = *k;
    struct fn_frame f;
    bool own = k->prog && map_get(&k->prog->fns, fn->name.text) == fn;
    frame_begin(k, &f, fn->task ? FRAME_TASK : FRAME_FN, fn, own ? &k->prog->frame : NULL);
    k->frame = &f;
    k->mode = fn->task ? MODE_TASK : MODE_FN;
    k->reads = k->vars = NULL;
    add_params(k, fn);
    check_stmts(k, &fn->body);
    if (fn->result_type.kind != LANG_TYPE_NONE && !always_leaves(&fn->body)) {
        struct lang_diag *d =
            diag_error(k->c, "T1", fn->name.span, "may end without a value",
                       "`%.*s` does not return %.*s on every way", STR_FMT(fn->name.text),
                       STR_FMT(type_phrase(k, &fn->result_type)));
        diag_help(k->c, d, "end it with `return …`");
    }
    fn->locals = f.locals.v;
    fn->locals_n = f.locals.n;
    fn->suspends = f.suspends;
    k->frame = outer.frame;
    k->mode = outer.mode;
    k->reads = outer.reads;
    k->vars = outer.vars;
}
