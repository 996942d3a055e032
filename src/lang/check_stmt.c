/* Statements and functions. */
#include "lang/check_internal.h"

#include <stdio.h>

static void check_stmt(struct checker *k, struct stmt *s);

static bool is_data(const struct lang_type *t)
{
    return t->kind != LANG_TYPE_NONE && t->kind != LANG_TYPE_HANDLE;
}

static bool has_value(struct checker *k, const struct expr *e)
{
    if (e->bad)
        return false;
    if (is_data(&e->type))
        return true;
    (void)diag_error(k->c, "T1", e->span, "no value", "this has no value");
    return false;
}

static bool named_data_type(struct checker *k, const struct type_ref *ref, struct lang_type *out)
{
    if (!type_resolve(k, ref, out))
        return false;
    if (is_data(out))
        return true;
    (void)diag_error(k->c, "T1", ref->span, "a handle", "a %.*s is owned or read, not kept as data",
                     STR_FMT(lang_type_name(out)));
    return false;
}

static void check_let(struct checker *k, struct stmt *s)
{
    struct sym sym = {
        .name = s->name.text, .kind = SYM_LOCAL, .span = s->name.span, .mutable = s->mutable};
    check_expr(k, s->value);
    bool fine = has_value(k, s->value);
    s->local_type = s->value->type;
    if (s->type.given) {
        fine = named_data_type(k, &s->type, &s->local_type) &&
               check_fits(k, &s->local_type, s->value,
                          ctx_strf(k->c, "`%.*s`", STR_FMT(s->name.text)).p, s->type.span) &&
               fine;
    }
    if (k->locals.n >= LANG_LOCALS_MAX) {
        (void)diag_error(k->c, "P1", s->span, "one too many", "a body has at most %u names",
                         LANG_LOCALS_MAX);
        fine = false;
    }
    s->local = (uint32_t)k->locals.n;
    sym.index = s->local;
    sym.type = s->local_type;
    if (fine)
        ctx_tree_push(k->c, &k->locals, s->local_type);
    else
        sym.kind = SYM_BAD;
    sym_add(k, sym);
}

static void not_assignable(struct checker *k, const struct stmt *s, const struct sym *sym)
{
    const char *why = "can't be assigned to";
    if (sym && (sym->kind == SYM_READ || sym->kind == SYM_READ_ALL))
        why = "is a reading: only its device changes it";
    else if (sym && (sym->kind == SYM_CONST || sym->kind == SYM_LOCAL))
        why = "was declared with `let` and stays as it is";
    else if (sym && sym->kind == SYM_OWN)
        why = "is owned: it is commanded, not assigned to";
    struct lang_diag *d = diag_error(k->c, "T1", s->target->span, "can't be assigned to",
                                     "`%.*s` %s", STR_FMT(s->target->text), why);
    if (sym)
        diag_mark(k->c, d, sym->span, "declared here");
    if (sym && (sym->kind == SYM_CONST || sym->kind == SYM_LOCAL))
        diag_help(k->c, d, "declare it with `var`");
}

static void check_assign(struct checker *k, struct stmt *s)
{
    check_expr(k, s->value);
    if (s->target->kind != E_PATH) {
        (void)diag_error(k->c, "P1", s->target->span, "not a name",
                         "only a name can be assigned to");
        return;
    }
    struct sym *sym = sym_find(k, s->target->path[0].text);
    if (sym && sym->kind == SYM_BAD)
        return;
    if (!sym && s->target->path_n == 1) {
        struct suggest sug = suggest_for(k->c, s->target->text);
        for (size_t i = 0; i < k->syms.n; i++)
            if (k->syms.v[i].kind == SYM_VAR || k->syms.v[i].mutable)
                suggest_offer(&sug, k->syms.v[i].name);
        struct lang_diag *d = diag_error(k->c, "N1", s->target->span, "unknown",
                                         "there is no variable `%.*s`", STR_FMT(s->target->text));
        if (suggest_found(&sug))
            diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(sug.best));
        else
            diag_help(k->c, d, "declare it:  var %.*s = …", STR_FMT(s->target->text));
        return;
    }
    bool local = sym && sym->kind == SYM_LOCAL && sym->mutable;
    if (!sym || s->target->path_n > 1 || !(local || sym->kind == SYM_VAR)) {
        not_assignable(k, s, sym);
        return;
    }
    struct u32_list *vars = k->vars;
    k->vars = NULL;
    check_expr(k, s->target);
    k->vars = vars;
    char what[80];
    int n = s->target->text.n > 60 ? 60 : (int)s->target->text.n;
    (void)snprintf(what, sizeof(what), "`%.*s`", n, s->target->text.p);
    if (has_value(k, s->value))
        (void)check_fits(k, &s->target->type, s->value, what, sym->span);
}

static void check_return(struct checker *k, struct stmt *s)
{
    if (s->value)
        check_expr(k, s->value);
    if (k->mode != MODE_FN) {
        if (s->value)
            (void)diag_error(k->c, "T1", s->value->span, "not here",
                             "the body of a rule returns no value");
        return;
    }
    const struct lang_type *want = &k->fn->result_type;
    if (!s->value && want->kind != LANG_TYPE_NONE)
        (void)diag_error(k->c, "T1", s->span, "no value", "`%.*s` returns a %.*s",
                         STR_FMT(k->fn->name.text), STR_FMT(lang_type_name(want)));
    if (!s->value)
        return;
    if (want->kind == LANG_TYPE_NONE) {
        struct lang_diag *d = diag_error(k->c, "T1", s->value->span, "not declared",
                                         "`%.*s` returns nothing", STR_FMT(k->fn->name.text));
        if (!s->value->bad && is_data(&s->value->type))
            diag_help(k->c, d, "declare it:  fn %.*s(…) -> %.*s", STR_FMT(k->fn->name.text),
                      STR_FMT(lang_type_name(&s->value->type)));
        return;
    }
    if (has_value(k, s->value))
        (void)check_fits(k, want, s->value, "the result", k->fn->result.span);
}

static void check_host(struct checker *k, struct stmt *s)
{
    const struct lang_statement *h = &k->c->schema->statements[s->host];
    check_expr(k, s->value);
    if (k->mode == MODE_FN)
        (void)diag_error(k->c, "T1", s->span, "not here",
                         "a function only computes: `%s` stands in a rule", h->word);
    if (s->value->bad)
        return;
    if (s->value->type.kind != LANG_TYPE_STR) {
        struct lang_diag *d =
            diag_error(k->c, "T1", s->value->span, "not a text", "`%s` wants a text, this is %.*s",
                       h->word, STR_FMT(type_phrase(k, &s->value->type)));
        diag_help(k->c, d, "as in:  %s", h->example);
    }
}

static void check_if(struct checker *k, struct stmt *s)
{
    (void)check_condition(k, s->value, "a condition");
    check_stmts(k, &s->body);
    check_stmts(k, &s->otherwise);
}

static void check_stmt(struct checker *k, struct stmt *s)
{
    enum stmt_kind kind = s->kind;
    if ((kind == S_ASSIGN && s->op != OP_EQ) || (kind == S_IF && s->if_let) ||
        (kind == S_CALL && s->on_busy != ELSE_NOTHING))
        kind = S_TEST;
    switch (kind) {
    case S_LET: check_let(k, s); return;
    case S_ASSIGN: check_assign(k, s); return;
    case S_IF: check_if(k, s); return;
    case S_RETURN: check_return(k, s); return;
    case S_HOST: check_host(k, s); return;
    case S_CALL: check_expr(k, s->value); return;
    default:
        (void)diag_error(k->c, "P1", s->span, "not available yet",
                         "this statement is not available in this version");
        return;
    }
}

void check_stmts(struct checker *k, struct stmt_list *list)
{
    size_t scope = k->syms.n;
    for (size_t i = 0; i < list->n; i++)
        check_stmt(k, list->v[i]);
    k->syms.n = scope;
}

/* ---- functions --------------------------------------------------------------------------- */

void check_fn_signature(struct checker *k, struct fn_decl *fn)
{
    fn->param_types = ctx_array(k->c, fn->params_n, sizeof(*fn->param_types));
    fn->result_type = type_plain(LANG_TYPE_NONE);
    if (fn->task) {
        (void)diag_error(k->c, "P1", fn->span, "not available yet",
                         "tasks are not available in this version");
        fn->bad = true;
        return;
    }
    if (fn->params_n > CODE_ARGS_MAX) {
        (void)diag_error(k->c, "P1", fn->name.span, "too many",
                         "a function has at most %u parameters", CODE_ARGS_MAX);
        fn->bad = true;
        return;
    }
    for (size_t i = 0; i < fn->params_n; i++) {
        struct lang_param *p = &fn->param_types[i];
        p->name = fn->params[i].name.text;
        p->span = fn->params[i].name.span;
        if (!type_resolve(k, &fn->params[i].type, &p->type)) {
            fn->bad = true;
        } else if (!is_data(&p->type)) {
            struct lang_diag *d =
                diag_error(k->c, "T1", fn->params[i].type.span, "a handle",
                           "handles can't be handed to functions in this version");
            diag_help(k->c, d, "hand over what the function needs of it: readings are data");
            fn->bad = true;
        }
    }
    if (fn->result.given && !named_data_type(k, &fn->result, &fn->result_type))
        fn->bad = true;
}

static bool always_returns(const struct stmt_list *list)
{
    if (list->damaged) /* who knows what it was */
        return true;
    for (size_t i = 0; i < list->n; i++) {
        const struct stmt *s = list->v[i];
        if (s->kind == S_RETURN)
            return true;
        if (s->kind == S_IF && s->otherwise.n > 0 && always_returns(&s->body) &&
            always_returns(&s->otherwise))
            return true;
    }
    return false;
}

void check_fn_body(struct checker *k, struct fn_decl *fn)
{
    if (fn->bad || fn->checked)
        return;
    fn->checked = true;
    struct checker outer = *k;
    k->syms.v = NULL; /* a function sees nothing of what is around it */
    k->syms.n = k->syms.cap = 0;
    k->locals.v = NULL;
    k->locals.n = k->locals.cap = 0;
    k->mode = MODE_FN;
    k->fn = fn;
    k->reads = k->vars = NULL;
    for (size_t i = 0; i < fn->params_n; i++) {
        sym_add(k, (struct sym){.name = fn->params[i].name.text,
                                .kind = SYM_LOCAL,
                                .span = fn->params[i].name.span,
                                .index = (uint32_t)i,
                                .type = fn->param_types[i].type});
        ctx_tree_push(k->c, &k->locals, fn->param_types[i].type);
    }
    check_stmts(k, &fn->body);
    if (fn->result_type.kind != LANG_TYPE_NONE && !always_returns(&fn->body)) {
        struct lang_diag *d =
            diag_error(k->c, "T1", fn->name.span, "may end without a value",
                       "`%.*s` does not return a %.*s on every way", STR_FMT(fn->name.text),
                       STR_FMT(lang_type_name(&fn->result_type)));
        diag_help(k->c, d, "end it with `return …`");
    }
    fn->locals = k->locals.v;
    fn->locals_n = k->locals.n;
    k->syms.v = outer.syms.v;
    k->syms.n = outer.syms.n;
    k->syms.cap = outer.syms.cap;
    k->locals.v = outer.locals.v;
    k->locals.n = outer.locals.n;
    k->locals.cap = outer.locals.cap;
    k->mode = outer.mode;
    k->fn = outer.fn;
    k->reads = outer.reads;
    k->vars = outer.vars;
}
