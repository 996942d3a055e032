/* Programs and functions. */
#include "lang/parse_internal.h"

static const char *const outside_program[] = {"program", NULL};

static struct item *parse_item(struct parser *p);

static bool parse_items(struct parser *p, struct item_list *out, struct lang_span *span,
                        const char *what)
{
    struct block b;
    if (!block_open(p, &b, what))
        return false;
    VEC(struct item *) list = {0};
    while (block_more(p, &b, outside_program)) {
        size_t at = p->at;
        struct item *i = parse_item(p);
        if (i && expect_end(p, "this")) {
            ctx_tree_push(p->c, &list, i);
            continue;
        }
        recover(p, at);
    }
    *out = (struct item_list){list.v, list.n};
    *span = block_close(p, &b);
    return true;
}

static struct item *node(struct parser *p, enum item_kind kind)
{
    struct item *i = ctx_tree_new(p->c, sizeof(*i));
    i->kind = kind;
    i->span = token_span(p, peek_token(p));
    i->head_span = i->span;
    return i;
}

static bool parse_source_path(struct parser *p, struct item *i, const char *what)
{
    struct name whole;
    if (!take_path(p, what, &whole, &i->path, &i->path_n))
        return false;
    i->path_span = whole.span;
    i->span = span_join(i->span, whole.span);
    return true;
}

/* own name: Type = path;  read name: type = path [stale 5s] */
static struct item *parse_own_read(struct parser *p, enum item_kind kind)
{
    struct item *i = node(p, kind);
    (void)take_token(p);
    if (!take_name(p, "a name", &i->name))
        return NULL;
    if (!at_kind(p, T_COLON)) {
        (void)expected(p, kind == I_OWN ? "`:` and the model of what is owned"
                                        : "`:` and the type of the reading");
        return NULL;
    }
    (void)take_token(p);
    if (!parse_type(p, &i->type) || !expect(p, T_ASSIGN, "`=` and where it comes from") ||
        !parse_source_path(p, i, "a device or a property"))
        return NULL;
    if (kind == I_READ && take_word(p, "stale")) {
        i->stale = parse_expr(p);
        if (!i->stale)
            return NULL;
        i->span = span_join(i->span, i->stale->span);
    }
    return i;
}

static struct item *parse_var(struct parser *p, enum item_kind kind)
{
    struct item *i = node(p, kind);
    (void)take_token(p);
    if (!take_name(p, "a name", &i->name))
        return NULL;
    if (take_kind(p, T_COLON) && !parse_type(p, &i->type))
        return NULL;
    if (!expect(p, T_ASSIGN, "`=` and a value"))
        return NULL;
    i->value = parse_expr(p);
    if (!i->value)
        return NULL;
    i->span = span_join(i->span, i->value->span);
    return i;
}

static struct item *parse_for(struct parser *p)
{
    struct item *i = node(p, I_FOR);
    (void)take_token(p);
    if (!take_name(p, "a name for each element", &i->name))
        return NULL;
    if (!take_word(p, "in")) {
        (void)expected(p, "`in` and a group");
        return NULL;
    }
    struct lang_span body;
    if (!parse_source_path(p, i, "a group") ||
        !parse_items(p, &i->items, &body, "`{` after the group"))
        return NULL;
    return i;
}

static bool parse_hold(struct parser *p, struct expr **out)
{
    if (!take_word(p, "for"))
        return true;
    *out = parse_expr(p);
    return *out != NULL;
}

static struct lang_span last_span(const struct parser *p)
{
    ASSERT(p->at > 0);
    return token_span(p, &p->tokens.all.v[p->at - 1]);
}

/* when cond [for t] { … } [until cond [for t] { … }] */
static struct item *parse_when(struct parser *p)
{
    struct item *i = node(p, I_WHEN);
    (void)take_token(p);
    i->value = parse_expr(p);
    if (!i->value || !parse_hold(p, &i->hold))
        return NULL;
    i->head_span = span_join(i->head_span, last_span(p));
    if (!parse_stmts(p, &i->body, "`{` after the condition"))
        return NULL;
    if (!at_word(p, "until"))
        return i;
    i->has_until = true;
    i->until_span = token_span(p, take_token(p));
    i->until = parse_expr(p);
    if (!i->until || !parse_hold(p, &i->until_hold))
        return NULL;
    i->until_span = span_join(i->until_span, last_span(p));
    if (!parse_stmts(p, &i->until_body, "`{` after the condition"))
        return NULL;
    return i;
}

static struct item *parse_every(struct parser *p)
{
    struct item *i = node(p, I_EVERY);
    (void)take_token(p);
    i->value = parse_expr(p);
    if (!i->value)
        return NULL;
    i->head_span = span_join(i->head_span, last_span(p));
    return parse_stmts(p, &i->body, "`{` after the time") ? i : NULL;
}

static struct item *parse_start(struct parser *p)
{
    struct item *i = node(p, I_START);
    struct stmt *s = parse_stmt(p);
    if (!s)
        return NULL;
    i->head_span = i->span = s->span;
    i->body.v = ctx_array(p->c, 1, sizeof(struct stmt *));
    i->body.v[0] = s;
    i->body.n = 1;
    i->body.span = s->span;
    return i;
}

static struct item *parse_item(struct parser *p)
{
    if (at_word(p, "own"))
        return parse_own_read(p, I_OWN);
    if (at_word(p, "read"))
        return parse_own_read(p, I_READ);
    if (at_word(p, "var"))
        return parse_var(p, I_VAR);
    if (at_word(p, "let"))
        return parse_var(p, I_LET);
    if (at_word(p, "for"))
        return parse_for(p);
    if (at_word(p, "when"))
        return parse_when(p);
    if (at_word(p, "every"))
        return parse_every(p);
    if (at_word(p, "fn")) {
        struct item *i = node(p, I_FN);
        i->fn = parse_fn(p);
        return i->fn ? i : NULL;
    }
    return parse_start(p);
}

bool parse_program(struct parser *p, struct syntax *out)
{
    struct program_decl *d = ctx_tree_new(p->c, sizeof(*d));
    (void)take_token(p);
    struct lang_span body;
    if (!take_name(p, "the program's name", &d->name) ||
        !parse_items(p, &d->items, &body, "`{` after the program's name"))
        return false;
    d->span = span_join(d->name.span, body);
    ctx_tree_push(p->c, &out->programs, d);
    return true;
}

static bool parse_params(struct parser *p, struct fn_decl *fn)
{
    VEC(struct param_ref) list = {0};
    while (!at_kind(p, T_RPAREN)) {
        struct param_ref r = {0};
        if (at_word(p, "own") || at_word(p, "ref") || at_word(p, "mut"))
            return not_yet(p, peek_token(p));
        if (!take_name(p, "a parameter's name or `)`", &r.name) ||
            !expect(p, T_COLON, "`:` and the parameter's type") || !parse_type(p, &r.type))
            return false;
        ctx_tree_push(p->c, &list, r);
        if (!take_kind(p, T_COMMA) && !at_kind(p, T_RPAREN))
            return expected(p, "`,` or `)`");
    }
    fn->params = list.v;
    fn->params_n = list.n;
    return true;
}

struct fn_decl *parse_fn(struct parser *p)
{
    struct fn_decl *fn = ctx_tree_new(p->c, sizeof(*fn));
    fn->span = token_span(p, take_token(p));
    if (!take_name(p, "the function's name", &fn->name) ||
        !expect(p, T_LPAREN, "`(` after the function's name") || !parse_params(p, fn) ||
        !expect(p, T_RPAREN, "`)`"))
        return NULL;
    if (take_kind(p, T_ARROW) && !parse_type(p, &fn->result))
        return NULL;
    fn->span = span_join(fn->span, last_span(p));
    return parse_stmts(p, &fn->body, "`{` or `->` and a type") ? fn : NULL;
}
