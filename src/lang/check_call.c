/* Calls of functions: those of the site and of the program, and closures. The built-in ones are in
 * check_builtin.c, methods in check_method.c, commands in check_command.c. */
#include "lang/check_internal.h"

#include <stdio.h>

/* ---- functions of the site and of the program -------------------------------------------- */

struct fn_decl *find_fn(const struct checker *k, struct str name)
{
    struct fn_decl *own = k->prog ? map_get(&k->prog->fns, name) : NULL;
    return own ? own : map_get(&k->fns, name);
}

static void unknown_function(struct checker *k, struct expr *e)
{
    struct suggest s = suggest_for(k->c, e->text);
    suggest_builtins(&s);
    for (size_t i = 0; i < k->syntax->fns.n; i++)
        suggest_offer(&s, k->syntax->fns.v[i]->name.text);
    for (size_t i = 0; k->prog && i < k->prog->fns_list.n; i++)
        suggest_offer(&s, k->prog->fns_list.v[i]->name.text);
    for (size_t i = 0; i < k->c->schema->statements_n; i++)
        suggest_offer(&s, str_from(k->c->schema->statements[i].word));
    const struct type_decl *t = map_get(&k->defs, e->text);
    const struct sym *sym = sym_find(k, e->path[0].text);
    struct lang_diag *d = sym || t ? diag_error(k->c, "T1", e->path[0].span, "not a function",
                                                "`%.*s` is not a function", STR_FMT(e->text))
                                   : diag_error(k->c, "N1", e->path[0].span, "unknown",
                                                "there is no function `%.*s`", STR_FMT(e->text));
    if (t && !t->is_enum)
        diag_help(k->c, d, "a record is made with braces:  %.*s{…}", STR_FMT(e->text));
    else if (!sym && suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
}

static bool arg_fits(struct checker *k, struct expr *arg, const struct lang_param *p,
                     enum param_mode mode)
{
    const char *what = quoted(k, p->name);
    if (mode != PARAM_DATA)
        return check_handle(k, arg, &p->type, what, p->span);
    return check_value_fits(k, arg, &p->type, OWN_PASSED, what, p->span);
}

bool args_fit(struct checker *k, struct expr *e, struct str name, const struct lang_param *params,
              const struct param_ref *modes, size_t n, struct lang_span declared)
{
    if (e->list.n != n) {
        look_at_list(k, e);
        struct lang_diag *d = diag_error(k->c, "T1", e->span, "wrong number of arguments",
                                         "`%.*s` takes %zu argument%s, not %zu", STR_FMT(name), n,
                                         n == 1 ? "" : "s", e->list.n);
        diag_mark(k->c, d, declared, "declared here");
        return false;
    }
    bool fine = true;
    for (size_t i = 0; i < n; i++)
        fine = arg_fits(k, e->list.v[i], &params[i], modes ? modes[i].mode : PARAM_DATA) && fine;
    return fine;
}

static bool call_task(struct checker *k, struct expr *e, const struct fn_decl *task)
{
    struct lang_diag *d = diag_error(k->c, "T1", e->span, "not spawned",
                                     "`%.*s` is a task: it runs beside this", STR_FMT(e->text));
    diag_mark(k->c, d, task->name.span, "declared here");
    diag_help(k->c, d, "start it:  spawn %.*s", STR_FMT(ctx_text(k->c, e->span)));
    look_at_list(k, e);
    return false;
}

static bool has_handles(const struct fn_decl *fn)
{
    for (size_t i = 0; i < fn->params_n; i++)
        if (fn->params[i].mode != PARAM_DATA)
            return true;
    return false;
}

static bool call_function(struct checker *k, struct expr *e)
{
    struct fn_decl *fn = find_fn(k, e->text);
    if (!fn) {
        unknown_function(k, e);
        look_at_list(k, e);
        return false;
    }
    if (fn->task)
        return call_task(k, e, fn);
    if (k->mode == MODE_CONST) {
        (void)diag_error(k->c, "T1", e->span, "not constant", "no calls in a constant");
        return false;
    }
    if (fn->bad) {
        look_at_list(k, e);
        return false;
    }
    e->ref = REF_FN;
    e->fn = fn;
    e->type = fn->result_type;
    if (k->prog && map_get(&k->prog->fns, e->text) == fn)
        type_fn(k, fn); /* the first value of a variable may come before it */
    /* in a lambda the handle itself is the mistake (O14) */
    if (has_handles(fn) && k->frame->kind != FRAME_LAMBDA &&
        !may_act(k, e->span, "a function that is given a handle"))
        return false;
    return args_fit(k, e, e->text, fn->param_types, fn->params, fn->params_n, fn->name.span);
}

/* ---- closures ---------------------------------------------------------------------------- */

static bool closure_args(struct checker *k, struct expr *e)
{
    const struct lang_type *t = &e->a->type;
    size_t n = (size_t)t->args_n - 1;
    if (e->list.n != n) {
        look_at_list(k, e);
        (void)diag_error(k->c, "T1", e->span, "wrong number of arguments",
                         "this function takes %zu argument%s, not %zu", n, n == 1 ? "" : "s",
                         e->list.n);
        return false;
    }
    bool fine = true;
    for (size_t i = 0; i < n; i++)
        fine = check_value_fits(k, e->list.v[i], &t->args[i], OWN_PASSED,
                                ctx_strf(k->c, "argument %zu", i + 1).p, e->a->span) &&
               fine;
    return fine;
}

/* a(list): what is in `a` is a value. */
static bool call_value(struct checker *k, struct expr *e)
{
    if (!check_value(k, e->a, NULL, OWN_STORED)) {
        look_at_list(k, e);
        return false;
    }
    const struct lang_type *t = &e->a->type;
    if (t->optional) {
        may_be_none(k, e->a, "a call");
        return false;
    }
    if (t->kind != LANG_TYPE_FN) {
        look_at_list(k, e);
        (void)diag_error(k->c, "T1", e->a->span, "not a function", "this is %.*s, not a function",
                         STR_FMT(type_phrase(k, t)));
        return false;
    }
    if (k->mode == MODE_CONST) {
        (void)diag_error(k->c, "T1", e->span, "not constant", "no calls in a constant");
        return false;
    }
    e->ref = REF_VALUE;
    e->type = t->args[t->args_n - 1];
    return closure_args(k, e);
}

/* ---- all calls --------------------------------------------------------------------------- */

/* a.b.c(…) on a value: a method of a.b. `base`: how many names the value itself has. */
static void as_method(struct checker *k, struct expr *e, size_t base)
{
    size_t n = e->path_n;
    e->a = path_as_value(k, e, base, n - 1);
    e->name = e->path[n - 1];
    e->kind = E_METHOD;
    e->height = (e->a->height > e->height ? e->a->height : e->height) + 1;
    check_method(k, e);
}

static bool is_value(const struct sym *s)
{
    return s->kind == SYM_LOCAL || s->kind == SYM_VAR || s->kind == SYM_CONST ||
           s->kind == SYM_READ || s->kind == SYM_GROUP;
}

/* A property in front of the last name is a value: press.mode.len() */
static bool ends_in_property(const struct target *t, const struct expr *e)
{
    const struct lang_decl *r = t->resource;
    if (!r || r->kind->role != LANG_ROLE_RESOURCE || t->used + 2 != e->path_n)
        return false;
    struct str name = e->path[t->used].text;
    return str_eq(name, STR("name")) ||
           (r->type && lang_decl_member(r->type, LANG_CLAUSE_READABLE, name));
}

static void call_dotted(struct checker *k, struct expr *e)
{
    size_t n = e->path_n;
    struct target t;
    const struct sym *s = sym_find(k, e->path[0].text);
    if (!s && map_get(&k->defs, e->path[0].text)) {
        as_method(k, e, n - 1);
        return;
    }
    if (!resolve(k, e->path, n - 1, &t)) {
        look_at_list(k, e);
        expr_bad(e);
        return;
    }
    if (t.sym && t.sym->kind == SYM_HANDLE && n == 2) {
        e->handle = path_as_value(k, e, 1, 1);
        check_expr(k, e->handle);
        if (e->handle->bad || !check_command_through(k, e, e->path[1]))
            expr_bad(e);
    } else if (t.sym && (is_value(t.sym) || t.sym->kind == SYM_HANDLE) &&
               !(t.sym->kind == SYM_READ && n == 2 && t.sym->type.kind != LANG_TYPE_STR)) {
        as_method(k, e, t.sym->kind == SYM_HANDLE ? n - 1 : 1);
    } else if (ends_in_property(&t, e)) {
        as_method(k, e, n - 1);
    } else if (!check_command(k, e, &t)) {
        expr_bad(e);
    }
}

/* f(x): a function, or a closure in a variable. */
static bool call_plain_name(struct checker *k, struct expr *e)
{
    if (is_builtin(e->text))
        return call_builtin(k, e);
    const struct sym *s = sym_find(k, e->text);
    if (s && s->kind == SYM_BAD) {
        look_at_list(k, e);
        return false;
    }
    if (s && s->type.kind == LANG_TYPE_FN) {
        e->a = path_as_value(k, e, 1, 1);
        return call_value(k, e);
    }
    return call_function(k, e);
}

void check_call(struct checker *k, struct expr *e)
{
    if (e->list.n > CODE_ARGS_MAX) {
        (void)diag_error(k->c, "P1", e->span, "too many", "a call has at most %u arguments",
                         CODE_ARGS_MAX);
        expr_bad(e);
        return;
    }
    if (!e->a && e->path_n > 1)
        call_dotted(k, e);
    else if (!(e->a ? call_value(k, e) : call_plain_name(k, e)))
        expr_bad(e);
}
