/* Lambdas: their parameters, what they capture, their result. */
#include "lang/check_internal.h"

#include <stdio.h>

/* ---- captures ---------------------------------------------------------------------------- */

/* Names that a lambda uses and that are locals of the function around it become locals of its
 * own, behind its parameters: copies, made when the lambda is. */
struct capture_walk {
    struct tree_names names;
    struct checker *k;
    struct fn_frame *outer; /* of the lambda */
    VEC(struct sym) found;
    VEC(uint32_t) from;
};

static void capture(struct tree_names *t, struct name name)
{
    struct capture_walk *w = CONTAINER_OF(t, struct capture_walk, names);
    const struct sym *s = frame_sym(w->outer, name.text);
    if (!s || s->kind != SYM_LOCAL || frame_sym(w->k->frame, name.text))
        return;
    for (size_t i = 0; i < w->found.n; i++)
        if (str_eq(w->found.v[i].name, name.text))
            return;
    struct sym copy = *s;
    copy.mutable = false;
    copy.captured = true;
    ctx_tree_push(w->k->c, &w->found, copy);
    ctx_tree_push(w->k->c, &w->from, s->index);
}

static void add_captures(struct checker *k, struct fn_decl *fn)
{
    struct capture_walk w = {.names = {capture}, .k = k, .outer = k->frame->outer};
    tree_names(&w.names, &fn->body);
    for (size_t i = 0; i < w.found.n; i++) {
        struct sym s = w.found.v[i];
        s.index = local_new(k, &s.type, fn->span);
        if (s.index == UINT32_MAX)
            s.kind = SYM_BAD;
        ctx_tree_push(k->c, &k->frame->names.all, s);
        map_set(k, &k->frame->names.index, s.name, (void *)(uintptr_t)k->frame->names.all.n);
    }
    fn->captures = w.from.v;
    fn->captures_n = w.from.n;
}

/* ---- parameters -------------------------------------------------------------------------- */

static bool param_type(struct checker *k, const struct param_ref *p, const struct lang_type *hint,
                       struct lang_type *out)
{
    if (p->mode != PARAM_DATA) {
        own_captured(k,
                     &(struct expr){.kind = E_PATH,
                                    .path = (struct name[]){p->name},
                                    .path_n = 1,
                                    .text = p->name.text,
                                    .span = p->name.span},
                     p->mode_span);
        return false;
    }
    if (p->type.given) {
        if (!type_resolve(k, &p->type, out))
            return false;
        if (!hint || type_same(hint, out))
            return true;
        (void)diag_error(k->c, "T1", p->type.span, "another type", "`%.*s` is given %.*s here",
                         STR_FMT(p->name.text), STR_FMT(type_phrase(k, hint)));
        return false;
    }
    if (hint) {
        *out = *hint;
        return true;
    }
    struct lang_diag *d = diag_error(k->c, "T1", p->name.span, "of which type?",
                                     "nothing says of which type `%.*s` is", STR_FMT(p->name.text));
    diag_help(k->c, d, "say it:  fn(%.*s: int) -> int { return … }", STR_FMT(p->name.text));
    return false;
}

static bool add_params(struct checker *k, struct fn_decl *fn, const struct lang_type *hints)
{
    bool fine = true;
    fn->param_types = ctx_tree_array(k->c, fn->params_n, sizeof(*fn->param_types));
    for (size_t i = 0; i < fn->params_n; i++) {
        struct lang_type t = type_plain(LANG_TYPE_NONE);
        bool typed = param_type(k, &fn->params[i], hints ? &hints[i] : NULL, &t);
        (void)local_add(k, fn->params[i].name, &t, false, typed);
        fn->param_types[i] =
            (struct lang_param){fn->params[i].name.text, t, fn->params[i].name.span};
        fine = typed && fine;
    }
    return fine;
}

/* ---- the body ---------------------------------------------------------------------------- */

/* x => e */
static bool is_arrow(const struct fn_decl *fn)
{
    return !fn->result.given && fn->body.n == 1 && fn->body.v[0]->kind == S_RETURN &&
           fn->body.v[0]->value && fn->body.v[0]->span.from == fn->body.v[0]->value->span.from;
}

/* The value of x => e, in front of check_stmts: its type is the lambda's result. */
static bool arrow_body(struct checker *k, struct fn_decl *fn, const struct lang_type *result)
{
    struct stmt *s = fn->body.v[0];
    if (result && result->kind == LANG_TYPE_NONE) { /* whatever it gives is not wanted */
        check_expr(k, s->value);
        bool call = s->value->kind == E_CALL || s->value->kind == E_METHOD;
        if (s->value->bad)
            return false;
        if (!call)
            (void)diag_error(k->c, "T1", s->value->span, "does nothing",
                             "this function gives no value: a call is wanted here");
        s->kind = S_CALL;
        return call;
    }
    if (result) {
        fn->result_type = *result;
        return check_value_fits(k, s->value, result, OWN_RETURNED, "what this function gives",
                                (struct lang_span){0});
    }
    if (!check_value(k, s->value, NULL, OWN_RETURNED))
        return false;
    if (is_none(&s->value->type)) {
        struct lang_diag *d =
            diag_error(k->c, "T1", s->value->span, "of what?", "`none` says nothing of its type");
        diag_help(k->c, d, "say what the function gives:  fn(x: int) -> int? { return none }");
        return false;
    }
    fn->result_type = type_element(s->value->type);
    return true;
}

static bool block_body(struct checker *k, struct fn_decl *fn, const struct lang_type *result)
{
    if (fn->result.given && !type_resolve(k, &fn->result, &fn->result_type))
        return false;
    if (result && !type_same(result, &fn->result_type) &&
        !(result->kind == LANG_TYPE_NONE && fn->result_type.kind == LANG_TYPE_NONE)) {
        (void)diag_error(k->c, "T1", fn->span, "another result", "this gives %.*s, wanted is %.*s",
                         STR_FMT(type_phrase(k, &fn->result_type)),
                         STR_FMT(type_phrase(k, result)));
        return false;
    }
    size_t before = k->c->errors;
    check_stmts(k, &fn->body);
    if (fn->result_type.kind != LANG_TYPE_NONE && !always_leaves(&fn->body)) {
        struct lang_diag *d = diag_error(k->c, "T1", fn->span, "may end without a value",
                                         "this does not return %.*s on every way",
                                         STR_FMT(type_phrase(k, &fn->result_type)));
        diag_help(k->c, d, "end it with `return …`");
    }
    return k->c->errors == before;
}

static struct lang_type fn_type(struct checker *k, const struct fn_decl *fn)
{
    struct lang_type args[CODE_ARGS_MAX + 1], t = type_plain(LANG_TYPE_FN);
    for (size_t i = 0; i < fn->params_n; i++)
        args[i] = type_element(fn->param_types[i].type);
    args[fn->params_n] = fn->result_type;
    t.args_n = (uint8_t)(fn->params_n + 1);
    t.args = types_intern(k, args, t.args_n);
    return t;
}

static bool params_counted(struct checker *k, const struct expr *e, size_t n, bool wanted)
{
    const struct fn_decl *fn = e->fn;
    if (fn->params_n > CODE_ARGS_MAX) {
        (void)diag_error(k->c, "P1", e->span, "too many", "a function has at most %u parameters",
                         CODE_ARGS_MAX);
        return false;
    }
    if (!wanted || fn->params_n == n)
        return true;
    (void)diag_error(k->c, "T1", e->span, "wrong number of parameters",
                     "this function is given %zu value%s, not %zu", n, n == 1 ? "" : "s",
                     fn->params_n);
    return false;
}

bool lambda_for(struct checker *k, struct expr *e, const struct lang_type *params, size_t n,
                const struct lang_type *result)
{
    struct fn_decl *fn = e->fn;
    fn->lambda = true;
    fn->result_type = type_plain(LANG_TYPE_NONE);
    e->bad = e->constant = false;
    if (!params_counted(k, e, n, params != NULL)) {
        expr_bad(e);
        return false;
    }
    struct fn_frame f;
    frame_begin(k, &f, FRAME_LAMBDA, fn, k->frame);
    k->frame = &f;
    bool fine = add_params(k, fn, params);
    add_captures(k, fn);
    fine = (is_arrow(fn) ? arrow_body(k, fn, result) : block_body(k, fn, result)) && fine;
    k->frame = f.outer;
    fn->locals = f.locals.v;
    fn->locals_n = f.locals.n;
    if (!fine) {
        expr_bad(e);
        return false;
    }
    e->type = fn_type(k, fn);
    return true;
}

void check_lambda(struct checker *k, struct expr *e, const struct lang_type *want)
{
    bool typed = want && want->kind == LANG_TYPE_FN;
    size_t n = typed ? (size_t)want->args_n - 1 : 0;
    (void)lambda_for(k, e, typed ? want->args : NULL, n, typed ? &want->args[n] : NULL);
}

/* ---- functions as values ------------------------------------------------------------------ */

static struct expr *call_of(struct checker *k, const struct expr *e, const struct fn_decl *fn,
                            const struct param_ref *params)
{
    struct expr *call = ctx_tree_new(k->c, sizeof(*call));
    call->kind = E_CALL;
    call->height = 2;
    call->span = e->span;
    call->path = e->path;
    call->path_n = e->path_n;
    call->text = e->text;
    call->list =
        (struct expr_list){ctx_tree_array(k->c, fn->params_n, sizeof(struct expr *)), fn->params_n};
    for (size_t i = 0; i < fn->params_n; i++) {
        struct expr *arg = ctx_tree_new(k->c, sizeof(*arg));
        arg->kind = E_PATH;
        arg->height = 1;
        arg->span = e->span;
        arg->path = ctx_tree_array(k->c, 1, sizeof(struct name));
        arg->path[0] = params[i].name;
        arg->path_n = 1;
        arg->text = params[i].name.text;
        call->list.v[i] = arg;
    }
    return call;
}

void lambda_of_fn(struct checker *k, struct expr *e, struct fn_decl *fn)
{
    bool handles = false;
    for (size_t i = 0; i < fn->params_n; i++)
        handles = handles || fn->params[i].mode != PARAM_DATA;
    if (fn->task || fn->bad || handles) {
        if (!fn->bad)
            (void)diag_error(k->c, "T1", e->span, "not a value",
                             fn->task ? "`%.*s` is a task: it is spawned, not handed on"
                                      : "`%.*s` is given handles: it is called, not handed on",
                             STR_FMT(e->text));
        expr_bad(e);
        return;
    }
    struct fn_decl *lambda = ctx_tree_new(k->c, sizeof(*lambda));
    struct stmt *s = ctx_tree_new(k->c, sizeof(*s));
    struct param_ref *params = ctx_tree_array(k->c, fn->params_n, sizeof(*params));
    for (size_t i = 0; i < fn->params_n; i++) { /* names that meet no others */
        params[i] = fn->params[i];
        params[i].name.text = ctx_strf(k->c, "%zu", i);
    }
    s->kind = fn->result.given ? S_RETURN : S_CALL;
    s->span = e->span;
    s->value = call_of(k, e, fn, params);
    *lambda = (struct fn_decl){.name = fn->name,
                               .span = e->span,
                               .params = params,
                               .params_n = fn->params_n,
                               .result = fn->result,
                               .lambda = true};
    lambda->body =
        (struct stmt_list){ctx_tree_array(k->c, 1, sizeof(struct stmt *)), 1, e->span, false};
    lambda->body.v[0] = s;
    e->kind = E_LAMBDA;
    e->fn = lambda;
    check_lambda(k, e, NULL);
}
