/* What expressions are made of: names, calls, fields, indices, choices, lists, records, …  */
#include "lang/parse_internal.h"

bool unclosed(struct parser *p, const struct token *open, const char *close)
{
    if (bad_token(p))
        return false;
    struct lang_diag *d = expected_diag(p, close);
    diag_mark(p->c, d, token_span(p, open), "the `%.*s` stands here", STR_FMT(token_text(p, open)));
    if (at_kind(p, T_ASSIGN))
        diag_help(p->c, d, "two values are compared with `==`");
    else if (at_kind(p, T_ARROW))
        diag_help(p->c, d, "a function as an argument is written  x => …");
    else if (at_kind(p, T_QUESTION) || at_kind(p, T_UNIT) || at_kind(p, T_FATARROW))
        diag_help(p->c, d, "%s", help_for_end(p));
    return false;
}

/* ---- calls, fields, indices --------------------------------------------------------------- */

/* `move name` */
static struct expr *parse_move(struct parser *p)
{
    struct expr *e = expr_new(p, E_MOVE, token_span(p, take_token(p)));
    e->a = parse_path_expr(p, "the name of a handle");
    if (!e->a || !expr_grow(p, e, e->a))
        return NULL;
    e->span = span_join(e->span, e->a->span);
    return e;
}

static struct expr *parse_argument(struct parser *p)
{
    if (at_lambda(p))
        return parse_lambda(p);
    if (at_word(p, "move"))
        return parse_move(p);
    return parse_inside(p);
}

static bool parse_args(struct parser *p, struct expr *call)
{
    const struct token *open = take_token(p);
    VEC(struct expr *) list = {0};
    while (!at_kind(p, T_RPAREN)) {
        if (at_kind(p, T_RBRACE) || at_kind(p, T_LBRACE) || at_kind(p, T_EOF))
            return unclosed(p, open, "`)`");
        struct expr *a = parse_argument(p);
        if (!a || !expr_grow(p, call, a))
            return false;
        ctx_tree_push(p->c, &list, a);
        if (!take_kind(p, T_COMMA) && !at_kind(p, T_RPAREN))
            return unclosed(p, open, "`)`");
    }
    call->span = span_join(call->span, token_span(p, take_token(p)));
    call->list = (struct expr_list){list.v, list.n};
    return true;
}

static struct expr *parse_call(struct parser *p, struct expr *e)
{
    if (e->kind == E_PATH) {
        e->kind = E_CALL;
        return parse_args(p, e) ? e : NULL;
    }
    struct expr *call = expr_new(p, E_CALL, e->span);
    call->a = e;
    return expr_grow(p, call, e) && parse_args(p, call) ? call : NULL;
}

static struct expr *parse_index(struct parser *p, struct expr *e)
{
    const struct token *open = take_token(p);
    struct expr *x = expr_new(p, E_INDEX, e->span);
    x->a = e;
    x->b = parse_inside(p);
    if (!x->b || !expr_grow(p, x, e) || !expr_grow(p, x, x->b))
        return NULL;
    if (!at_kind(p, T_RBRACKET))
        return (void)unclosed(p, open, "`]`"), NULL;
    x->span = span_join(e->span, token_span(p, take_token(p)));
    return x;
}

/* .name, or .name(…) */
static struct expr *parse_field(struct parser *p, struct expr *e)
{
    (void)take_token(p);
    struct expr *f = expr_new(p, E_FIELD, e->span);
    f->a = e;
    if (!take_member(p, "a name after the dot", &f->name) || !expr_grow(p, f, e))
        return NULL;
    f->span = span_join(e->span, f->name.span);
    if (!at_kind(p, T_LPAREN) || !token_touches(peek_token(p)))
        return f;
    f->kind = E_METHOD;
    return parse_args(p, f) ? f : NULL;
}

struct expr *parse_postfix(struct parser *p, struct expr *e)
{
    while (e) {
        const struct token *t = peek_token(p);
        if (t->kind == T_DOT)
            e = parse_field(p, e);
        else if (t->kind == T_LPAREN && token_touches(t))
            e = parse_call(p, e);
        else if (t->kind == T_LBRACKET && token_touches(t))
            e = parse_index(p, e);
        else
            break;
    }
    return e;
}

/* ---- names ---------------------------------------------------------------------------------- */

static struct expr *path_new(struct parser *p, struct name whole, struct name *parts, size_t n)
{
    struct expr *e = expr_new(p, E_PATH, whole.span);
    e->path = parts;
    e->path_n = n;
    e->text = whole.text;
    return e;
}

struct expr *parse_path_expr(struct parser *p, const char *what)
{
    struct name whole, *parts;
    size_t n;
    return take_path(p, what, &whole, &parts, &n) ? path_new(p, whole, parts, n) : NULL;
}

struct expr *parse_value_path(struct parser *p, const char *what)
{
    struct name whole, *parts;
    size_t n;
    return take_value_path(p, what, &whole, &parts, &n) ? path_new(p, whole, parts, n) : NULL;
}

static bool nothing_word(struct str word)
{
    static const char *const words[] = {"null", "nil", "None", "undefined", "True", "False"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq(word, str_from(words[i])))
            return true;
    return false;
}

/* In a head, `Name{a: 1}` looks like a block: say so, since what follows would be hard to read. */
static bool record_in_head(struct parser *p, const struct expr *path)
{
    bool capital = path->text.p[0] >= 'A' && path->text.p[0] <= 'Z';
    if (!capital || peek_next(p)->kind != T_NAME || peek_ahead(p, 2)->kind != T_COLON)
        return false;
    return !refuse(p, path->span, "a record", "a record before a block stands in parentheses",
                   "written  (Name{…})");
}

static struct expr *parse_name(struct parser *p)
{
    const struct token *t = peek_token(p);
    const struct token *next = peek_next(p);
    struct str word = token_text(p, t);
    if (nothing_word(word) && next->kind != T_DOT && next->kind != T_LPAREN) {
        (void)refuse(p, token_span(p, t), "unknown here", "this word is from another language",
                     word_help(word));
        return NULL;
    }
    struct expr *e = parse_path_expr(p, "an expression");
    t = peek_token(p);
    if (!e || e->path_n > 1 || t->kind != T_LBRACE || !token_touches(t))
        return e;
    if (!p->head)
        return parse_record(p, e);
    return record_in_head(p, e) ? NULL : e;
}

/* `stale name` */
static struct expr *parse_stale(struct parser *p)
{
    struct expr *e = expr_new(p, E_STALE, token_span(p, take_token(p)));
    e->a = parse_path_expr(p, "the name of a reading");
    if (!e->a || !expr_grow(p, e, e->a))
        return NULL;
    e->span = span_join(e->span, e->a->span);
    return e;
}

static struct expr *parse_none(struct parser *p)
{
    return expr_new(p, E_NONE, token_span(p, take_token(p)));
}

static struct expr *refuse_move(struct parser *p)
{
    (void)refuse(p, token_span(p, peek_token(p)), "not here",
                 "`move` stands before an argument of a call", "as in  spawn guard(move belt)");
    return NULL;
}

static struct expr *refuse_match(struct parser *p)
{
    (void)refuse(p, token_span(p, peek_token(p)), "not here",
                 "`match` is a statement and gives no value",
                 "declare a `var` before it and set it in the arms, or return from a `fn`");
    return NULL;
}

static struct expr *parse_word(struct parser *p)
{
    static const struct {
        const char *word;
        struct expr *(*parse)(struct parser *p);
    } table[] = {
        {"true", parse_bool},  {"false", parse_bool},  {"none", parse_none},
        {"if", parse_if_expr}, {"stale", parse_stale}, {"chan", parse_chan},
        {"fn", parse_fn_expr}, {"move", refuse_move},  {"match", refuse_match},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (at_word(p, table[i].word))
            return table[i].parse(p);
    return parse_name(p);
}

static struct expr *refuse_lambda(struct parser *p)
{
    (void)refuse(p, token_span(p, peek_token(p)), "not here",
                 "a function without a name stands only as an argument of a call",
                 "as in  xs.map(x => x + 1); elsewhere  fn(x: int) -> int { … }");
    return NULL;
}

static struct expr *parse_parens(struct parser *p)
{
    if (at_lambda(p))
        return refuse_lambda(p);
    const struct token *open = take_token(p);
    struct expr *e = parse_inside(p);
    if (!e)
        return NULL;
    if (!at_kind(p, T_RPAREN))
        return (void)unclosed(p, open, "`)`"), NULL;
    e->span = span_join(token_span(p, open), token_span(p, take_token(p)));
    return e;
}

static const char *missing_help(const struct parser *p)
{
    enum token_kind last = p->at > 0 ? (enum token_kind)last_token(p)->kind : T_EOF;
    bool sign = last == T_COALESCE || (last >= T_EQ && last <= T_SLASH);
    if (at_kind(p, T_NEWLINE) && sign)
        return "an expression goes on over lines inside ( )";
    if (at_kind(p, T_PLUS) && peek_next(p)->kind == T_PLUS)
        return "there is no `++`: written  x += 1";
    if (at_kind(p, T_LBRACE) && !p->head)
        return "a list is written [1, 2], a map [\"a\": 1], a record Name{…}";
    return NULL;
}

struct expr *parse_primary(struct parser *p)
{
    switch (peek_token(p)->kind) {
    case T_INT:
    case T_FLOAT: return parse_number(p);
    case T_STRING: return parse_string(p);
    case T_NAME: return parse_word(p);
    case T_LPAREN: return parse_parens(p);
    case T_LBRACKET: return parse_brackets(p);
    default: (void)expected_help(p, "an expression", missing_help(p)); return NULL;
    }
}
