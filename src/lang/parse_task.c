/* Statements of tasks: spawn, select, sleep, lease, revoke, drop, publish. */
#include "lang/parse_internal.h"

/* spawn name(…) */
struct stmt *parse_spawn(struct parser *p)
{
    struct stmt *s = stmt_new(p, S_SPAWN);
    (void)take_token(p);
    if (at_kind(p, T_LBRACE))
        return (void)expected_help(p, "the name of a task",
                                   "what is spawned is a  task name(…) { … }"),
               NULL;
    s->value = parse_expr(p);
    if (!s->value)
        return NULL;
    if (s->value->kind != E_CALL || s->value->path_n == 0) {
        (void)refuse(p, s->value->span, "not a call", "`spawn` is followed by the call of a task",
                     "as in  spawn guard(move belt, trips)");
        return NULL;
    }
    s->span = span_join(s->span, s->value->span);
    return s;
}

/* ---- select ----------------------------------------------------------------------------- */

static bool at_after(const struct parser *p)
{
    enum token_kind next = (enum token_kind)peek_next(p)->kind;
    return at_word(p, "after") && next != T_DOT && next != T_LPAREN && next != T_ASSIGN &&
           next != T_FATARROW;
}

/* [name =] ch.recv(), after 1s, else */
static bool select_head(struct parser *p, struct arm *a)
{
    if (take_word(p, "else")) {
        a->kind = ARM_ELSE;
        return true;
    }
    if (at_after(p)) {
        a->kind = ARM_AFTER;
        (void)take_token(p);
    } else if (at_kind(p, T_NAME) && peek_next(p)->kind == T_ASSIGN) {
        if (!take_name(p, "a name", &a->name))
            return false;
        (void)take_token(p);
    } else if (at_word(p, "let") || at_word(p, "var") || at_word(p, "case")) {
        return expected_help(p, "`name = channel.recv()`", "an arm declares its name by itself");
    } else if (at_word(p, "default") || at_word(p, "_")) {
        return expected_help(p, "an arm", "what runs when nothing is ready:  else => …");
    }
    a->value = parse_expr(p);
    if (a->value && a->kind == ARM_EXPR && a->value->kind != E_CALL && a->value->kind != E_METHOD &&
        a->value->kind != E_BAD)
        return refuse(p, a->value->span, "not a call",
                      ctx_strf(p->c, "an arm of `select` waits for a channel or %s",
                               noun_a(p->c, NOUN_SIGNAL))
                          .p,
                      "as in  t = trips.recv() => …, out.send(v) => …, button.pressed() => …");
    return a->value != NULL;
}

static bool parse_arm(struct parser *p, struct arm *a)
{
    *a = (struct arm){.kind = ARM_EXPR, .span = token_span(p, peek_token(p))};
    if (!select_head(p, a) || !parse_arm_body(p, &a->body))
        return false;
    a->span = span_join(a->span, last_span(p));
    return true;
}

struct stmt *parse_select(struct parser *p)
{
    struct stmt *s = stmt_new(p, S_SELECT);
    (void)take_token(p);
    return parse_arms(p, s, parse_arm, "`{` after select") ? s : NULL;
}

/* ---- leases ----------------------------------------------------------------------------- */

/* name = program.handle for t [wait t] */
static bool lease_head(struct parser *p, struct stmt *s)
{
    struct name whole;
    if (!take_name(p, "a name for what is leased", &s->name) ||
        !expect(p, T_ASSIGN, "`=` and program.handle") ||
        !take_path(p, "program.handle", &whole, &s->path, &s->path_n))
        return false;
    s->path_span = whole.span;
    if (!take_word(p, "for"))
        return expected_help(p, "`for` and how long",
                             "as in  lease x = program.name for 20min { … } revoked { … }");
    s->value = parse_head(p);
    if (s->value && take_word(p, "wait")) {
        s->value2 = parse_head(p);
        return s->value2 != NULL;
    }
    return s->value != NULL;
}

static void no_revoked(struct parser *p, const struct stmt *s)
{
    struct lang_diag *d = diag_error(p->c, "O11", s->span, "no `revoked`",
                                     "a lease says what happens when it is taken back");
    diag_help(p->c, d, "add after its block:  revoked { … }");
}

/* revoked [name] { … } */
static bool lease_revoked(struct parser *p, struct stmt *s)
{
    if (take_word(p, "revoked")) {
        s->has_otherwise = true;
        return (at_kind(p, T_LBRACE) || take_name(p, "a name for the reason, or `{`", &s->name2)) &&
               parse_stmts(p, &s->otherwise, "`{` after revoked");
    }
    if (at_kind(p, T_NAME) && !at_word(p, "denied"))
        return expected_help(p, "`revoked` and what to do then",
                             "as in  lease x = program.name for 20min { … } revoked { … }");
    if (p->balanced) { /* else it may stand in a block that was not closed */
        /* check: O11 revoked */
        no_revoked(p, s);
    }
    return true;
}

/* [denied { … }] */
static bool lease_denied(struct parser *p, struct stmt *s)
{
    s->has_denied = take_word(p, "denied");
    return !s->has_denied || parse_stmts(p, &s->denied, "`{` after denied");
}

struct stmt *parse_lease(struct parser *p)
{
    struct stmt *s = stmt_new(p, S_LEASE);
    (void)take_token(p);
    if (!lease_head(p, s))
        return NULL;
    s->span = span_join(s->span, last_span(p));
    bool fine =
        parse_stmts(p, &s->body, "`{` after how long") && lease_revoked(p, s) && lease_denied(p, s);
    return fine ? s : NULL;
}

/* ---- one word and what follows ---------------------------------------------------------- */

struct stmt *parse_sleep(struct parser *p)
{
    struct stmt *s = stmt_new(p, S_SLEEP);
    (void)take_token(p);
    s->value = parse_expr(p);
    if (!s->value)
        return NULL;
    s->span = span_join(s->span, s->value->span);
    return s;
}

static struct stmt *of_handle(struct parser *p, enum stmt_kind kind)
{
    struct stmt *s = stmt_new(p, kind);
    (void)take_token(p);
    s->target = parse_path_expr(p, "the name of a handle");
    if (!s->target)
        return NULL;
    s->span = span_join(s->span, s->target->span);
    return s;
}

struct stmt *parse_revoke(struct parser *p)
{
    return of_handle(p, S_REVOKE);
}

struct stmt *parse_drop(struct parser *p)
{
    return of_handle(p, S_DROP);
}

/* publish "subject" value */
struct stmt *parse_publish(struct parser *p)
{
    struct stmt *s = stmt_new(p, S_PUBLISH);
    (void)take_token(p);
    if (!at_kind(p, T_STRING))
        return (void)expected_help(p, "the name of the message, a text",
                                   "as in  publish \"oven/done\" batch"),
               NULL;
    s->value = parse_string(p);
    if (!s->value)
        return NULL;
    (void)take_kind(p, T_COMMA);
    s->value2 = parse_expr(p);
    if (!s->value2)
        return NULL;
    s->span = span_join(s->span, s->value2->span);
    return s;
}
