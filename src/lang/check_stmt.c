/* Statements. Loops over things are in check_loop.c, `match` in check_match.c, what waits or hands
 * devices on in check_task.c. */
#include "lang/check_internal.h"

#include <stdio.h>

/* ---- let, var ---------------------------------------------------------------------------- */

static bool receives_handle(const struct expr *e)
{
    return !e->bad && is_device(e) && e->ref == REF_METHOD && e->method == METHOD_RECV;
}

static void check_let(struct checker *k, struct stmt *s)
{
    s->local_type = type_plain(LANG_TYPE_NONE);
    bool fine;
    if (s->type.given) {
        bool typed = type_resolve(k, &s->type, &s->local_type);
        fine = typed ? check_value(k, s->value, &s->local_type, OWN_STORED) : look_at(k, s->value);
        fine = typed && fine &&
               check_fits(k, &s->local_type, s->value, quoted(k, s->name.text), s->type.span);
    } else {
        check_expr(k, s->value);
        s->local_type = s->value->type;
        if (receives_handle(s->value)) {
            s->local = add_handle(k, s->name, &s->local_type, (struct sym){.mode = PARAM_OWN});
            return;
        }
        fine = value_is_data(k, s->value, OWN_STORED);
        s->local_type = s->value->type;
    }
    if (fine && is_none(&s->local_type)) {
        struct lang_diag *d =
            diag_error(k->c, "T1", s->value->span, "of what?", "`none` says nothing of its type");
        diag_help(k->c, d, "say it:  %s %.*s: int? = none", s->mutable ? "var" : "let",
                  STR_FMT(s->name.text));
        fine = false;
    }
    s->local = local_add(k, s->name, &s->local_type, s->mutable, fine);
}

/* ---- assignments ------------------------------------------------------------------------- */

static bool is_parameter(const struct checker *k, const struct sym *sym)
{
    const struct fn_decl *fn = k->frame->fn;
    return fn && sym->kind == SYM_LOCAL && sym->index < fn->params_n;
}

static void not_assignable(struct checker *k, const struct expr *target, const struct sym *sym)
{
    const char *why = "can't be assigned to", *help = NULL;
    if (sym && (sym->kind == SYM_READ || sym->kind == SYM_READ_ALL || sym->kind == SYM_ELEMENT))
        why = "is a reading: it changes by itself, nobody sets it";
    else if (sym && sym->captured)
        why = "is a copy here: a lambda keeps what was there when it was made";
    else if (sym && (sym->kind == SYM_CONST || sym->kind == SYM_LOCAL || sym->kind == SYM_VAR))
        why = "stays as it is: it was not declared with `var`";
    if (sym && sym->captured)
        help = "give the new value back as the result of the lambda";
    else if (sym && is_parameter(k, sym))
        help = "keep it in a variable of another name first:  var x = …";
    else if (sym && (sym->kind == SYM_CONST || sym->kind == SYM_LOCAL || sym->kind == SYM_VAR))
        help = "declare it with `var`";
    struct lang_diag *d = diag_error(k->c, "T1", target->span, "can't be assigned to", "`%.*s` %s",
                                     STR_FMT(ctx_text(k->c, target->span)), why);
    if (sym)
        diag_mark(k->c, d, sym->span, "declared here");
    if (help)
        diag_help(k->c, d, "%s", help);
}

/* A variable of the program, in a function of it. */
static bool not_seen(struct checker *k, const struct expr *target)
{
    for (struct fn_frame *f = k->frame; f; f = f->outer) {
        const struct sym *s = frame_sym(f, target->text);
        if (!s || s->kind != SYM_VAR)
            continue;
        struct lang_diag *d =
            diag_error(k->c, "N1", target->span, "not seen here",
                       "a function does not see the program's variable `%.*s`", STR_FMT(s->name));
        diag_mark(k->c, d, s->span, "declared here");
        diag_help(k->c, d, "give the new value back:  %.*s = f(…)   or make it a `task`",
                  STR_FMT(s->name));
        return true;
    }
    return false;
}

static void no_variable(struct checker *k, const struct expr *target)
{
    if (not_seen(k, target))
        return;
    struct suggest s = suggest_for(k->c, target->text);
    for (const struct fn_frame *f = k->frame; f; f = f->outer)
        for (size_t i = 0; i < f->names.all.n; i++)
            if (f->names.all.v[i].mutable)
                suggest_offer(&s, f->names.all.v[i].name);
    struct lang_diag *d = diag_error(k->c, "N1", target->span, "unknown",
                                     "there is no variable `%.*s`", STR_FMT(target->text));
    if (suggest_found(&s))
        diag_help(k->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
    else
        diag_help(k->c, d, "declare it:  var %.*s = …", STR_FMT(target->text));
}

/* A name: a variable, or a message why it is none. */
static bool assign_name(struct checker *k, struct expr *target)
{
    const struct sym *sym = sym_find(k, target->path[0].text);
    if (sym && sym->kind == SYM_BAD)
        return false;
    if (sym && (sym->kind == SYM_OWN || sym->kind == SYM_HANDLE || sym->kind == SYM_GROUP)) {
        own_assigned(k, target, sym->span);
        return false;
    }
    if (!sym && target->path_n == 1) {
        no_variable(k, target);
        return false;
    }
    bool variable = sym && (sym->kind == SYM_LOCAL || sym->kind == SYM_VAR);
    if (!variable || !sym->mutable || (sym->kind == SYM_VAR && k->frame->kind == FRAME_LAMBDA)) {
        if (variable && sym->mutable) {
            struct lang_diag *d =
                diag_error(k->c, "T1", target->span, "not from a lambda",
                           "a lambda only computes: it can't change `%.*s`", STR_FMT(sym->name));
            diag_mark(k->c, d, sym->span, "declared here");
            diag_help(k->c, d, "give the new value back, or use a `for` loop");
        } else {
            not_assignable(k, target, sym);
        }
        return false;
    }
    struct u32_list *vars = k->vars;
    k->vars = NULL;
    check_expr(k, target);
    k->vars = vars;
    return !target->bad;
}

/* The name that a target like a.b[c].d begins with. */
static const struct expr *root_of(const struct expr *e)
{
    while ((e->kind == E_FIELD || e->kind == E_INDEX) && e->a)
        e = e->a;
    return e;
}

static bool is_value_path(struct checker *k, const struct expr *e)
{
    const struct sym *s = sym_find(k, e->path[0].text);
    return s && (s->kind == SYM_LOCAL || s->kind == SYM_VAR || s->kind == SYM_CONST);
}

/* x.field, x[i]: of a record, list or map, whoever holds it. */
static bool assign_part(struct checker *k, struct expr *target)
{
    check_expr(k, target);
    if (target->bad)
        return false;
    const struct expr *root = root_of(target);
    bool handle = is_device(target) || target->ref == REF_MEMBER || target->ref == REF_READ;
    if (handle || (target->kind != E_FIELD && target->kind != E_INDEX)) {
        const struct sym *s = root->kind == E_PATH ? sym_find(k, root->path[0].text) : NULL;
        not_assignable(k, target, s);
        return false;
    }
    if (target->kind == E_INDEX && target->a->type.kind == LANG_TYPE_MAP)
        target->type = target->a->type.args[1]; /* a new value; not one that may be missing */
    return k->mode != MODE_CONDITION || may_act(k, target->span, "an assignment");
}

/* `x += e`: what x + e gives must fit x. */
static bool compound(struct checker *k, struct stmt *s)
{
    struct expr sum = {.kind = E_BINARY,
                       .op = s->op,
                       .a = s->target,
                       .b = s->value,
                       .span = s->span,
                       .op_span = s->op_span};
    struct lang_type was = s->target->type;
    bool text = was.kind == LANG_TYPE_STR || s->value->type.kind == LANG_TYPE_STR;
    if (s->target->kind == E_INDEX && s->target->a->type.kind == LANG_TYPE_MAP) {
        struct lang_diag *d = diag_error(k->c, "T1", s->target->span, "may be missing",
                                         "this key may not be there yet");
        struct str t = ctx_text(k->c, s->target->span);
        static const char *const signs[] = {"+", "-", "*", "/"};
        diag_help(k->c, d, "say what holds then:  %.*s = (%.*s ?? 0) %s …", STR_FMT(t), STR_FMT(t),
                  signs[s->op - OP_ADD]);
        return false;
    }
    if (text) {
        struct lang_diag *d =
            diag_error(k->c, "T1", s->op_span, "not for texts", "texts are put together in one");
        struct str t = ctx_text(k->c, s->target->span);
        diag_help(k->c, d, "%.*s = \"{%.*s}…\"", STR_FMT(t), STR_FMT(t));
        return false;
    }
    check_operator(k, &sum);
    return !sum.bad && check_fits(k, &was, &sum, "what is assigned to", s->target->span);
}

static void check_assign(struct checker *k, struct stmt *s)
{
    struct expr *t = s->target;
    bool name = t->kind == E_PATH && !(t->path_n > 1 && is_value_path(k, t));
    if (t->kind != E_PATH && t->kind != E_FIELD && t->kind != E_INDEX) {
        (void)diag_error(k->c, "P1", t->span, "not a name",
                         "only a name, a field or an element can be assigned to");
        check_expr(k, s->value);
        return;
    }
    bool fine = name ? assign_name(k, t) : assign_part(k, t);
    if (!fine) {
        if (s->value->kind != E_LAMBDA)
            check_expr(k, s->value);
        return;
    }
    struct lang_type want = t->type;
    fine = check_value(k, s->value, &want, OWN_STORED);
    if (!fine)
        return;
    if (s->op != OP_EQ) {
        (void)compound(k, s);
        return;
    }
    const struct sym *sym = name ? sym_find(k, t->path[0].text) : NULL;
    (void)check_fits(k, &want, s->value, quoted(k, ctx_text(k->c, t->span)),
                     sym ? sym->span : (struct lang_span){0});
}

/* ---- return, host ------------------------------------------------------------------------ */

static const char *fn_name(struct checker *k)
{
    const struct fn_decl *fn = k->frame->fn;
    return fn->lambda ? "this function" : quoted(k, fn->name.text);
}

static void check_return(struct checker *k, struct stmt *s)
{
    const struct fn_decl *fn = k->frame->fn;
    if (!fn || fn->task) {
        if (s->value) {
            check_expr(k, s->value);
            (void)diag_error(k->c, "T1", s->value->span, "not here",
                             fn ? "a task gives nothing back"
                                : "the body of a rule returns no value");
        }
        return;
    }
    const struct lang_type *want = &fn->result_type;
    if (!s->value) {
        if (want->kind != LANG_TYPE_NONE)
            (void)diag_error(k->c, "T1", s->span, "no value", "%s returns %.*s", fn_name(k),
                             STR_FMT(type_phrase(k, want)));
        return;
    }
    if (want->kind == LANG_TYPE_NONE) {
        check_expr(k, s->value);
        struct lang_diag *d = diag_error(k->c, "T1", s->value->span, "not declared",
                                         "%s returns nothing", fn_name(k));
        if (!s->value->bad && is_data(&s->value->type) && !fn->lambda)
            diag_help(k->c, d, "declare it:  fn %.*s(…) -> %.*s", STR_FMT(fn->name.text),
                      STR_FMT(type_text(k, &s->value->type)));
        return;
    }
    (void)check_value_fits(k, s->value, want, OWN_RETURNED, "the result", fn->result.span);
}

static void check_host(struct checker *k, struct stmt *s)
{
    const struct lang_statement *h = &k->c->schema->statements[s->host];
    check_expr(k, s->value);
    if (k->mode == MODE_FN || k->frame->kind == FRAME_LAMBDA) {
        (void)diag_error(k->c, "T1", s->span, "not here",
                         "a function only computes: `%s` stands in a rule or a task", h->word);
        return;
    }
    if (s->value->bad || (s->value->type.kind == LANG_TYPE_STR && !s->value->type.optional))
        return;
    struct lang_diag *d =
        diag_error(k->c, "T1", s->value->span, "not a text", "`%s` wants a text, this is %.*s",
                   h->word, STR_FMT(type_phrase(k, &s->value->type)));
    diag_help(k->c, d, "as in:  %s", h->example);
}

/* ---- if, while, loop ---------------------------------------------------------------------- */

static void check_if(struct checker *k, struct stmt *s)
{
    size_t scope = k->frame->names.all.n;
    if (s->if_let)
        (void)check_if_let(k, s->value, s->name, &s->local, &s->local_type);
    else
        (void)check_condition(k, s->value, "a condition");
    check_stmts(k, &s->body);
    names_end(k, scope);
    check_stmts(k, &s->otherwise);
}

static void check_loop(struct checker *k, struct stmt *s)
{
    if (s->kind == S_WHILE)
        (void)check_condition(k, s->value, "a condition");
    k->frame->loops++;
    check_stmts(k, &s->body);
    k->frame->loops--;
}

static void check_leave(struct checker *k, struct stmt *s)
{
    if (k->frame->loops > 0)
        return;
    bool stop = s->kind == S_BREAK;
    struct lang_diag *d = diag_error(k->c, "P1", s->span, "no loop here", "`%s` stands in a loop",
                                     stop ? "break" : "continue");
    if (stop && k->frame->kind != FRAME_LAMBDA)
        diag_help(k->c, d, "`return` leaves the body of a rule, a function or a task");
}

/* ---- calls ------------------------------------------------------------------------------- */

static void no_else(struct checker *k, struct stmt *s, const char *why, const char *help)
{
    struct lang_diag *d = diag_error(k->c, "T1", s->value->span, "another `else`", "%s", why);
    if (help)
        diag_help(k->c, d, "%s", help);
}

/* `call else …`: a command may find its device out, a send its channel full. */
static void check_else(struct checker *k, struct stmt *s)
{
    const struct expr *e = s->value;
    bool send = e->ref == REF_METHOD && e->method == METHOD_SEND;
    if (e->bad || s->on_busy == ELSE_NOTHING)
        return;
    if (!send && e->ref != REF_COMMAND)
        no_else(k, s, "`else` says what a command or a send does that can't be carried out", NULL);
    else if (send && s->on_busy == ELSE_SKIP)
        no_else(k, s, "a command is skipped, what is sent is dropped", "write  else drop");
    else if (!send && s->on_busy == ELSE_DROP)
        no_else(k, s, "what is sent is dropped, a command is skipped", "write  else skip");
}

static void check_stmt_call(struct checker *k, struct stmt *s)
{
    struct expr *e = s->value;
    check_expr(k, e);
    check_else(k, s);
    if (!e->bad && e->ref == REF_METHOD && e->method == METHOD_SEND && s->on_busy == ELSE_NOTHING)
        (void)may_suspend(k, e->span, "a send that waits");
    check_stmts(k, &s->otherwise);
}

/* ---- all of them ------------------------------------------------------------------------- */

static void check_stmt(struct checker *k, struct stmt *s)
{
    switch (s->kind) {
    case S_LET: check_let(k, s); return;
    case S_ASSIGN: check_assign(k, s); return;
    case S_CALL: check_stmt_call(k, s); return;
    case S_IF: check_if(k, s); return;
    case S_RETURN: check_return(k, s); return;
    case S_HOST: check_host(k, s); return;
    case S_WHILE:
    case S_LOOP: check_loop(k, s); return;
    case S_FOR: check_for(k, s); return;
    case S_MATCH: check_match(k, s); return;
    case S_BREAK:
    case S_CONTINUE: check_leave(k, s); return;
    case S_SPAWN: check_spawn(k, s); return;
    case S_SELECT: check_select(k, s); return;
    case S_SLEEP: check_sleep(k, s); return;
    case S_LEASE: check_lease(k, s); return;
    case S_REVOKE: check_revoke(k, s); return;
    case S_DROP: check_drop(k, s); return;
    case S_PUBLISH: check_publish(k, s); return;
    case S_TEST: ASSERT(!"a test's statement in a body");
    }
}

void check_stmts(struct checker *k, struct stmt_list *list)
{
    size_t scope = k->frame->names.all.n;
    for (size_t i = 0; i < list->n; i++)
        check_stmt(k, list->v[i]);
    names_end(k, scope);
}
