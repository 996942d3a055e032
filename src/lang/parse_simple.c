/* Statements that begin with an expression: calls, commands, sends, and what is assigned. */
#include "lang/parse_internal.h"

/* ---- words that begin no statement ------------------------------------------------------ */

static void suggest_statement(struct parser *p, struct lang_diag *d, struct str word)
{
    static const char *const words[] = {
        "when",  "every", "own",   "read",   "var",  "let",     "for",      "if",    "return",
        "fn",    "else",  "until", "while",  "loop", "match",   "break",    "spawn", "select",
        "sleep", "lease", "lend",  "revoke", "idle", "publish", "continue", "task",  "drop"};
    const char *help = word_help(word);
    if (help) {
        diag_help(p->c, d, "%s", help);
        return;
    }
    struct suggest s = suggest_for(p->c, word);
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        suggest_offer(&s, str_from(words[i]));
    for (size_t i = 0; i < p->c->schema->statements_n; i++)
        suggest_offer(&s, str_from(p->c->schema->statements[i].word));
    if (suggest_found(&s))
        diag_help(p->c, d, "did you mean `%.*s`?", STR_FMT(s.best));
}

static bool begins_no_statement(struct parser *p, const struct token *t)
{
    struct str word = token_text(p, t);
    struct lang_diag *d = diag_error(p->c, "P1", token_span(p, t), "not a statement",
                                     "`%.*s` begins no statement", STR_FMT(word));
    if (peek_next(p)->kind == T_LPAREN && !word_help(word))
        diag_help(p->c, d, "the `(` of a call touches its name:  %.*s(…)", STR_FMT(word));
    else
        suggest_statement(p, d, word);
    return true;
}

/* record, enum, test, program: in front of what they declare. */
static bool declaration_inside(struct parser *p, const struct token *t)
{
    static const char *const words[] = {"record", "enum", "test", "program"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (token_is(p, t, words[i])) {
            struct lang_diag *d = diag_error(p->c, "P1", token_span(p, t), "not here",
                                             "`%s` stands outside of programs", words[i]);
            diag_help(p->c, d, "is a `}` missing before it?");
            return true;
        }
    return false;
}

/* A word, followed by something that can't follow a name. */
static bool unknown_statement(struct parser *p)
{
    static const char *const operators[] = {"mod", "and", "or", "in", "else"};
    const struct token *t = peek_token(p), *next = peek_next(p);
    bool follows = next->kind == T_NAME || next->kind == T_INT || next->kind == T_FLOAT ||
                   next->kind == T_STRING || next->kind == T_LBRACE ||
                   (next->kind == T_LPAREN && !token_touches(next));
    if (t->kind != T_NAME || !follows)
        return false;
    struct str word = token_text(p, t);
    if (next->kind != T_LPAREN && declaration_inside(p, t))
        return true;
    if (word_reserved(word) && !word_help(word))
        return false; /* true, not, stale, … begin expressions */
    for (size_t i = 0; i < ARRAY_LEN(operators); i++)
        if (token_is(p, next, operators[i]))
            return false;
    if (next->kind == T_LBRACE && token_touches(next) && !word_help(word))
        return false; /* a record */
    return begins_no_statement(p, t);
}

/* switch(x) { … }: a call, were it not for the brace. */
static bool block_of_another_language(struct parser *p, const struct expr *e)
{
    if (!at_kind(p, T_LBRACE) || e->kind != E_CALL || e->path_n != 1 || !word_help(e->text))
        return false;
    struct lang_diag *d = diag_error(p->c, "P1", e->path[0].span, "not a statement",
                                     "`%.*s` begins no statement", STR_FMT(e->text));
    diag_help(p->c, d, "%s", word_help(e->text));
    return true;
}

/* ---- assignments ------------------------------------------------------------------------ */

static bool take_assign(struct parser *p, enum expr_op *op)
{
    static const struct {
        uint8_t token;
        enum expr_op op;
    } table[] = {
        {T_ASSIGN, OP_EQ},       {T_PLUS_ASSIGN, OP_ADD},  {T_MINUS_ASSIGN, OP_SUB},
        {T_STAR_ASSIGN, OP_MUL}, {T_SLASH_ASSIGN, OP_DIV},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (take_kind(p, (enum token_kind)table[i].token)) {
            *op = table[i].op;
            return true;
        }
    return false;
}

static struct stmt *parse_assigned(struct parser *p, struct stmt *s, struct expr *target)
{
    s->kind = S_ASSIGN;
    s->target = target;
    s->op_span = last_span(p);
    if (target->kind != E_PATH && target->kind != E_FIELD && target->kind != E_INDEX &&
        target->kind != E_BAD) {
        (void)refuse(p, target->span, "not a place", "only a name, a field or an element is set",
                     "as in  x = 1, r.field = 1, xs[i] = 1");
        return NULL;
    }
    s->value = parse_expr(p);
    if (!s->value)
        return NULL;
    s->span = span_join(target->span, s->value->span);
    return s;
}

/* ---- calls ------------------------------------------------------------------------------ */

/* else skip, else drop, else { … } */
static bool parse_call_else(struct parser *p, struct stmt *s)
{
    (void)take_token(p);
    if (take_word(p, "skip")) {
        s->on_busy = ELSE_SKIP;
    } else if (take_word(p, "drop")) {
        s->on_busy = ELSE_DROP;
    } else if (at_kind(p, T_LBRACE)) {
        s->on_busy = ELSE_BLOCK;
        s->has_otherwise = true;
        return parse_stmts(p, &s->otherwise, "`{`");
    } else {
        return expected_help(p, "`skip`, `drop` or `{`",
                             "a command has `else skip`, a send `else drop`, both `else { … }`");
    }
    s->span = span_join(s->span, last_span(p));
    return true;
}

static bool no_effect(struct parser *p, const struct expr *e)
{
    if (!at_end(p) && !at_else(p) && !at_kind(p, T_COMMA))
        return expect_end(p, "this");
    struct lang_diag *d =
        diag_error(p->c, "P1", e->span, "has no effect", "an expression alone does nothing");
    if (e->kind == E_PATH && e->path_n == 1 && word_help(e->text))
        diag_help(p->c, d, "%s", word_help(e->text));
    else if (e->kind == E_PATH)
        diag_help(p->c, d, "to call it, write `%.*s()`", STR_FMT(e->text));
    else if (e->kind == E_BINARY && e->op == OP_EQ)
        diag_help(p->c, d, "to assign, write `=`");
    return false;
}

struct stmt *parse_simple(struct parser *p)
{
    if (unknown_statement(p))
        return NULL;
    struct stmt *s = stmt_new(p, S_CALL);
    struct expr *e = parse_expr(p);
    if (!e || block_of_another_language(p, e))
        return NULL;
    s->span = e->span;
    s->value = e;
    if (take_assign(p, &s->op))
        return parse_assigned(p, s, e);
    if (e->kind != E_CALL && e->kind != E_METHOD && e->kind != E_BAD)
        return (void)no_effect(p, e), NULL;
    return !at_else(p) || parse_call_else(p, s) ? s : NULL;
}
