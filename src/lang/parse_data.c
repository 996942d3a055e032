/* Expressions that make or choose data: lists, maps, records, channels, functions, if … else. */
#include "lang/parse_internal.h"

/* ---- lists and maps --------------------------------------------------------------------- */

/* Behind the first key. */
static bool map_value(struct parser *p, struct expr *e, struct expr **out)
{
    if (!expect(p, T_COLON, "`:` and the value of this key"))
        return false;
    *out = parse_inside(p);
    return *out && expr_grow(p, e, *out);
}

static bool bracket_elements(struct parser *p, struct expr *e, const struct token *open)
{
    VEC(struct expr *) list = {0};
    while (!at_kind(p, T_RBRACKET)) {
        struct expr *x = parse_inside(p);
        if (!x || !expr_grow(p, e, x))
            return false;
        ctx_tree_push(p->c, &list, x);
        if (list.n == 1 && at_kind(p, T_COLON))
            e->kind = E_MAP;
        if (e->kind == E_MAP) {
            if (!map_value(p, e, &x))
                return false;
            ctx_tree_push(p->c, &list, x);
        }
        if (!take_kind(p, T_COMMA) && !at_kind(p, T_RBRACKET))
            return unclosed(p, open, "`,` or `]`");
    }
    e->list = (struct expr_list){list.v, list.n};
    return true;
}

/* [a, b], [k: v, …], [], [:] */
struct expr *parse_brackets(struct parser *p)
{
    const struct token *open = take_token(p);
    struct expr *e = expr_new(p, E_LIST, token_span(p, open));
    if (at_kind(p, T_COLON) && peek_next(p)->kind == T_RBRACKET) {
        e->kind = E_MAP;
        (void)take_token(p);
    } else if (!bracket_elements(p, e, open)) {
        return NULL;
    }
    e->span = span_join(e->span, token_span(p, take_token(p)));
    return e;
}

/* ---- records ---------------------------------------------------------------------------- */

/* name: */
static bool field_name(struct parser *p, struct name *name)
{
    return take_member(p, "the name of a field", name) &&
           expect(p, T_COLON, "`:` and the field's value, as for the first one");
}

static bool record_fields(struct parser *p, struct expr *e)
{
    VEC(struct expr *) list = {0};
    VEC(struct name) names = {0};
    bool named = at_kind(p, T_NAME) && peek_next(p)->kind == T_COLON;
    while (!at_kind(p, T_RBRACE)) {
        struct name name = {0};
        struct expr *x = !named || field_name(p, &name) ? parse_inside(p) : NULL;
        if (!x || !expr_grow(p, e, x))
            return false;
        ctx_tree_push(p->c, &list, x);
        ctx_tree_push(p->c, &names, name);
        skip_newlines(p);
        if (!take_kind(p, T_COMMA) && !at_kind(p, T_RBRACE))
            return expected_help(p, "`,` or `}`", "the fields of a record stand apart with `,`");
        skip_newlines(p);
    }
    e->list = (struct expr_list){list.v, list.n};
    e->names = named ? names.v : NULL;
    return true;
}

/* Name{…}; the name is read already. */
struct expr *parse_record(struct parser *p, struct expr *path)
{
    if (!enter(p))
        return NULL;
    path->kind = E_RECORD;
    (void)take_token(p);
    skip_newlines(p);
    bool fine = record_fields(p, path);
    leave(p);
    if (!fine)
        return skip_braces(p), NULL;
    path->span = span_join(path->span, token_span(p, take_token(p)));
    return path;
}

/* ---- channels --------------------------------------------------------------------------- */

/* chan<[own] T>(n) */
struct expr *parse_chan(struct parser *p)
{
    struct expr *e = expr_new(p, E_CHAN, token_span(p, peek_token(p)));
    struct type_ref t;
    if (!parse_type(p, &t))
        return NULL;
    e->own_arg = t.syntax->own;
    e->type_arg = t.syntax->args[0];
    const struct token *open = peek_token(p);
    if (open->kind != T_LPAREN)
        return (void)expected_help(p, "`(` and how many values it holds", "as in  chan<int>(8)"),
               NULL;
    (void)take_token(p);
    if (at_kind(p, T_RPAREN))
        return (void)expected_help(p, "how many values it holds", "as in  chan<int>(8)"), NULL;
    e->a = parse_inside(p);
    if (!e->a || !expr_grow(p, e, e->a))
        return NULL;
    if (!at_kind(p, T_RPAREN))
        return (void)unclosed(p, open, "`)`"), NULL;
    e->span = span_join(e->span, token_span(p, take_token(p)));
    return e;
}

/* ---- if c { a } else { b } --------------------------------------------------------------- */

static struct expr *braced(struct parser *p)
{
    if (!at_kind(p, T_LBRACE))
        return (void)expected(p, "`{` and a value"), NULL;
    (void)take_token(p);
    skip_newlines(p);
    struct expr *e = parse_inside(p);
    if (!e)
        return skip_braces(p), NULL;
    skip_newlines(p);
    if (take_kind(p, T_RBRACE))
        return e;
    (void)expected_help(p, "`}`", "an `if` that gives a value holds one expression in each part");
    return skip_braces(p), NULL;
}

bool parse_if_let(struct parser *p, struct name *bind)
{
    return !take_word(p, "let") || (take_name(p, "a name", bind) &&
                                    expect(p, T_ASSIGN, "`=` and a value that may be none"));
}

static bool if_parts(struct parser *p, struct expr *e)
{
    e->a = parse_if_let(p, &e->name) ? parse_head(p) : NULL;
    if (!e->a || !expr_grow(p, e, e->a))
        return false;
    e->b = braced(p);
    if (!e->b || !expr_grow(p, e, e->b))
        return false;
    if (!take_word(p, "else"))
        return expected_help(p, "`else`", "an `if` that gives a value has an `else { … }`");
    e->otherwise = at_word(p, "if") ? parse_if_expr(p) : braced(p);
    return e->otherwise && expr_grow(p, e, e->otherwise);
}

struct expr *parse_if_expr(struct parser *p)
{
    if (!enter(p))
        return NULL;
    struct expr *e = expr_new(p, E_IF, token_span(p, take_token(p)));
    bool fine = if_parts(p, e);
    leave(p);
    if (!fine)
        return NULL;
    e->span = span_join(e->span, last_span(p));
    return e;
}

/* ---- functions without a name ------------------------------------------------------------ */

/* x => …, (a, b) => … */
bool at_lambda(const struct parser *p)
{
    if (at_kind(p, T_NAME))
        return peek_next(p)->kind == T_FATARROW;
    if (!at_kind(p, T_LPAREN))
        return false;
    size_t n = 1;
    while (peek_ahead(p, n)->kind == T_NAME || peek_ahead(p, n)->kind == T_COMMA)
        n++;
    return peek_ahead(p, n)->kind == T_RPAREN && peek_ahead(p, n + 1)->kind == T_FATARROW;
}

static bool lambda_params(struct parser *p, struct fn_decl *fn)
{
    VEC(struct param_ref) list = {0};
    bool many = take_kind(p, T_LPAREN);
    while (!at_kind(p, T_RPAREN) && !at_kind(p, T_FATARROW)) {
        struct param_ref r = {0};
        if (!take_name(p, "a parameter's name", &r.name))
            return false;
        ctx_tree_push(p->c, &list, r);
        if (!take_kind(p, T_COMMA) && !at_kind(p, T_RPAREN) && !at_kind(p, T_FATARROW))
            return expected(p, "`,` or `)`");
    }
    if (many)
        (void)take_token(p);
    fn->params = list.v;
    fn->params_n = list.n;
    return true;
}

static struct expr *lambda_new(struct parser *p)
{
    struct expr *e = expr_new(p, E_LAMBDA, token_span(p, peek_token(p)));
    e->fn = ctx_tree_new(p->c, sizeof(*e->fn));
    e->fn->lambda = true;
    e->fn->span = e->span;
    return e;
}

struct expr *parse_lambda(struct parser *p)
{
    struct expr *e = lambda_new(p);
    if (!lambda_params(p, e->fn))
        return NULL;
    (void)take_token(p);
    e->fn->span = span_join(e->span, last_span(p));
    if (at_kind(p, T_LBRACE)) {
        (void)refuse(p, token_span(p, peek_token(p)), "not here",
                     "one expression follows `=>` here",
                     "a function with statements is written  fn(x: int) -> int { … }");
        (void)take_token(p);
        return skip_braces(p), NULL;
    }
    struct stmt *s = stmt_new(p, S_RETURN);
    s->value = parse_inside(p);
    if (!s->value || !expr_grow(p, e, s->value))
        return NULL;
    s->span = s->value->span;
    e->span = span_join(e->span, s->span);
    e->fn->body = stmt_alone(p, s);
    return e;
}

/* fn(x: T) -> R { … }: as tall as the tallest expression in it, since whoever walks the tree goes
 * down into it. */
struct expr *parse_fn_expr(struct parser *p)
{
    struct expr *e = lambda_new(p);
    uint32_t tallest = p->tallest;
    p->tallest = 0;
    (void)take_token(p);
    bool fine = parse_signature(p, e->fn, "`(` and parameters") && parse_fn_body(p, e->fn);
    struct expr inside = {.span = e->fn->span, .height = p->tallest};
    p->tallest = p->tallest > tallest ? p->tallest : tallest;
    if (!fine || !expr_grow(p, e, &inside))
        return NULL;
    e->span = span_join(e->span, e->fn->body.span);
    return e;
}
