/* Operators, weak to strong: ??, or, and, not, comparisons, + -, * / mod, the sign. */
#include "lang/parse_internal.h"

/* A chain a + b + c nests to the left: its length counts, too. */
#define HEIGHT_MAX 200u

struct expr *expr_new(struct parser *p, enum expr_kind kind, struct lang_span span)
{
    struct expr *e = ctx_tree_new(p->c, sizeof(*e));
    e->kind = kind;
    e->span = span;
    return e;
}

bool expr_grow(struct parser *p, struct expr *e, const struct expr *part)
{
    if (part->height >= e->height)
        e->height = part->height + 1;
    if (e->height > p->tallest)
        p->tallest = e->height;
    if (e->height <= HEIGHT_MAX)
        return true;
    struct lang_span at = e->op_span.to ? e->op_span : part->span;
    return refuse(p, at, "too long", "this expression is too long", NULL);
}

struct expr *parse_operand(struct parser *p)
{
    if (!at_kind(p, T_MINUS))
        return parse_postfix(p, parse_primary(p));
    if (!enter(p))
        return NULL;
    const struct token *t = take_token(p);
    struct expr *a = parse_operand(p);
    leave(p);
    if (!a)
        return NULL;
    struct expr *e = expr_new(p, E_NEG, span_join(token_span(p, t), a->span));
    if ((a->kind == E_NUMBER || a->kind == E_INT) && a->span.from == t->to) { /* -20 °C is one */
        a->number = -a->number;
        a->integer = -a->integer;
        a->span = e->span;
        return a;
    }
    e->a = a;
    return expr_grow(p, e, a) ? e : NULL;
}

/* ---- binary operators ------------------------------------------------------------------- */

static struct expr *binary(struct parser *p, struct expr *a, enum expr_op op, struct lang_span at,
                           struct expr *b)
{
    if (!b)
        return NULL;
    struct expr *e = expr_new(p, E_BINARY, span_join(a->span, b->span));
    e->op = op;
    e->op_span = at;
    e->a = a;
    e->b = b;
    return expr_grow(p, e, a) && expr_grow(p, e, b) ? e : NULL;
}

enum level { LEVEL_COMPARE = 1, LEVEL_SUM, LEVEL_PRODUCT };

static bool take_operator(struct parser *p, enum level level, enum expr_op *op,
                          struct lang_span *span)
{
    static const struct {
        uint8_t token;
        enum level level;
        enum expr_op op;
    } table[] = {
        {T_EQ, LEVEL_COMPARE, OP_EQ},    {T_NE, LEVEL_COMPARE, OP_NE},
        {T_LT, LEVEL_COMPARE, OP_LT},    {T_LE, LEVEL_COMPARE, OP_LE},
        {T_GT, LEVEL_COMPARE, OP_GT},    {T_GE, LEVEL_COMPARE, OP_GE},
        {T_PLUS, LEVEL_SUM, OP_ADD},     {T_MINUS, LEVEL_SUM, OP_SUB},
        {T_STAR, LEVEL_PRODUCT, OP_MUL}, {T_SLASH, LEVEL_PRODUCT, OP_DIV},
    };
    const struct token *t = peek_token(p);
    *span = token_span(p, t);
    if (t->kind == T_NAME) {
        *op = level == LEVEL_PRODUCT ? OP_MOD : OP_IN;
        return (level == LEVEL_PRODUCT && take_word(p, "mod")) ||
               (level == LEVEL_COMPARE && take_word(p, "in"));
    }
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].token == t->kind && table[i].level == level) {
            *op = table[i].op;
            (void)take_token(p);
            return true;
        }
    return false;
}

/* x++, x-- at the end of a statement; elsewhere -- is a sign of a sign. */
static bool counting(struct parser *p, const struct token *t)
{
    enum token_kind after = (enum token_kind)peek_ahead(p, 2)->kind;
    if ((t->kind != T_PLUS && t->kind != T_MINUS) ||
        (after != T_NEWLINE && after != T_RBRACE && after != T_EOF))
        return false;
    bool plus = t->kind == T_PLUS;
    return !refuse(p, span_join(token_span(p, t), token_span(p, peek_next(p))), "not here",
                   plus ? "there is no `++`" : "there is no `--`",
                   plus ? "written  x += 1" : "written  x -= 1");
}

/* What is no operator here, but one elsewhere: the expression ends with a message. */
static bool foreign_operator(struct parser *p)
{
    const struct token *t = peek_token(p), *next = peek_next(p);
    bool twice = next->kind == t->kind && token_touches(next);
    struct lang_span two = span_join(token_span(p, t), token_span(p, next));
    if (t->kind == T_UNIT && str_eq(token_text(p, t), STR("%")))
        return !refuse(p, token_span(p, t), "a unit", "`%` is the unit percent, not an operator",
                       "the remainder is written  a mod b");
    if (twice && counting(p, t))
        return true;
    if (t->kind == T_STAR && twice)
        return !refuse(p, two, "not here", "there is no operator `**`", "written  pow(a, b)");
    if ((t->kind == T_LT || t->kind == T_GT) && twice)
        return !refuse(p, two, "not here", "there are no operators on bits", NULL);
    if (t->kind == T_LT && next->kind == T_GT && token_touches(next))
        return !refuse(p, two, "not here", "`<>` is written `!=`", NULL);
    if ((t->kind == T_EQ || t->kind == T_NE) && next->kind == T_ASSIGN && token_touches(next))
        return !refuse(p, two, "not here", "there is no operator of three signs",
                       "values are compared with `==` and `!=`");
    if (token_is(p, t, "not") && token_is(p, next, "in"))
        return !refuse(p, two, "not here", "`not` stands before what it denies",
                       "written  not x in xs");
    return false;
}

static bool chained(struct parser *p, struct lang_span at)
{
    return refuse(p, at, "one too many", "comparisons can't be chained", "write `a < b and b < c`");
}

static struct expr *binary_level(struct parser *p, enum level level)
{
    struct expr *a = level == LEVEL_PRODUCT ? parse_operand(p) : binary_level(p, level + 1);
    enum expr_op op;
    struct lang_span at;
    for (uint32_t n = 0; a; n++) {
        if (foreign_operator(p))
            return NULL;
        if (!take_operator(p, level, &op, &at))
            break;
        if (level == LEVEL_COMPARE && n > 0)
            return (void)chained(p, at), NULL;
        a = binary(p, a, op, at,
                   level == LEVEL_PRODUCT ? parse_operand(p) : binary_level(p, level + 1));
    }
    return a;
}

static struct expr *parse_not(struct parser *p)
{
    const struct token *t = peek_token(p);
    if (!at_word(p, "not"))
        return binary_level(p, LEVEL_COMPARE);
    if (!enter(p))
        return NULL;
    (void)take_token(p);
    struct expr *a = parse_not(p);
    leave(p);
    if (!a)
        return NULL;
    struct expr *e = expr_new(p, E_NOT, span_join(token_span(p, t), a->span));
    e->a = a;
    return expr_grow(p, e, a) ? e : NULL;
}

static struct expr *parse_and(struct parser *p)
{
    struct expr *a = parse_not(p);
    while (a && at_word(p, "and")) {
        struct lang_span at = token_span(p, take_token(p));
        a = binary(p, a, OP_AND, at, parse_not(p));
    }
    return a;
}

static struct expr *parse_or(struct parser *p)
{
    struct expr *a = parse_and(p);
    while (a && at_word(p, "or")) {
        struct lang_span at = token_span(p, take_token(p));
        a = binary(p, a, OP_OR, at, parse_and(p));
    }
    return a;
}

/* a ?? b ?? c is a ?? (b ?? c): the last one gives the value. */
static struct expr *parse_coalesce(struct parser *p)
{
    struct expr *last = parse_or(p);
    VEC(struct expr *) left = {0};
    VEC(struct lang_span) at = {0};
    while (last && at_kind(p, T_COALESCE)) {
        ctx_tree_push(p->c, &left, last);
        ctx_tree_push(p->c, &at, token_span(p, take_token(p)));
        last = parse_or(p);
    }
    for (size_t n = left.n; last && n > 0; n--)
        last = binary(p, left.v[n - 1], OP_COALESCE, at.v[n - 1], last);
    return last;
}

struct expr *parse_expr(struct parser *p)
{
    if (!enter(p))
        return NULL;
    struct expr *e = parse_coalesce(p);
    leave(p);
    return e;
}

static struct expr *parse_in(struct parser *p, bool head)
{
    bool before = p->head;
    p->head = head;
    struct expr *e = parse_expr(p);
    p->head = before;
    return e;
}

struct expr *parse_head(struct parser *p)
{
    return parse_in(p, true);
}

struct expr *parse_inside(struct parser *p)
{
    return parse_in(p, false);
}
