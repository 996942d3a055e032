/* Programs: what they own, read and keep, and which kind of rule follows. */
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

struct item *item_new(struct parser *p, enum item_kind kind)
{
    struct item *i = ctx_tree_new(p->c, sizeof(*i));
    i->kind = kind;
    i->span = token_span(p, peek_token(p));
    i->head_span = i->span;
    return i;
}

bool parse_source_path(struct parser *p, struct item *i, const char *what)
{
    struct name whole;
    if (!take_path(p, what, &whole, &i->path, &i->path_n))
        return false;
    i->path_span = whole.span;
    i->span = span_join(i->span, whole.span);
    return true;
}

/* Who reads it, and the check, shall see what it is without looking it up. */
static bool expect_type(struct parser *p, enum item_kind kind)
{
    const char *what =
        kind == I_OWN ? "`:` and the model of what is owned" : "`:` and the type of the reading";
    const char *help = kind == I_OWN
                           ? "as in  own fan: Switch = bath.fan"
                           : "as in  read humidity: % = bath.climate.humidity stale 15min";
    if (at_kind(p, T_ASSIGN))
        return expected_help(p, what, help);
    return expect(p, T_COLON, what);
}

/* own name: Type = path;  read name: type = path [stale 5s] */
static struct item *parse_own_read(struct parser *p, enum item_kind kind)
{
    struct item *i = item_new(p, kind);
    (void)take_token(p);
    if (!take_name(p, "a name", &i->name) || !expect_type(p, kind) || !parse_type(p, &i->type) ||
        !expect(p, T_ASSIGN, "`=` and where it comes from") ||
        !parse_source_path(
            p, i, kind == I_OWN ? "the path of what is owned" : "the path of what is read"))
        return NULL;
    if (kind == I_READ && take_word(p, "stale")) {
        i->stale = parse_expr(p);
        if (!i->stale)
            return NULL;
        i->span = span_join(i->span, i->stale->span);
    }
    return i;
}

static struct item *parse_own(struct parser *p)
{
    return parse_own_read(p, I_OWN);
}

static struct item *parse_read(struct parser *p)
{
    return parse_own_read(p, I_READ);
}

/* let name [: type] = value;  var … */
static struct item *parse_var(struct parser *p)
{
    struct item *i = item_new(p, at_word(p, "var") ? I_VAR : I_LET);
    (void)take_token(p);
    if (!take_name(p, "a name", &i->name) || (take_kind(p, T_COLON) && !parse_type(p, &i->type)) ||
        !expect_assign(p, "`=` and a value"))
        return NULL;
    i->value = parse_expr(p);
    if (!i->value)
        return NULL;
    i->span = span_join(i->span, i->value->span);
    return i;
}

static struct item *parse_for(struct parser *p)
{
    struct item *i = item_new(p, I_FOR);
    (void)take_token(p);
    static const char help[] =
        "a program's `for` is unrolled over a group: for st in plant.stations { … }; a loop that "
        "runs stands in a body or a function";
    if (at_kind(p, T_LPAREN))
        return (void)expected_help(p, "a name for each element", help), NULL;
    if (!take_name(p, "a name for each element", &i->name))
        return NULL;
    if (!take_word(p, "in"))
        return (void)expected_help(p, "`in` and a group", at_kind(p, T_COMMA) ? help : NULL), NULL;
    if (!at_kind(p, T_NAME))
        return (void)expected_help(p, "a group", help), NULL;
    if (!parse_source_path(p, i, "a group"))
        return NULL;
    if (at_kind(p, T_LPAREN) || at_kind(p, T_LBRACKET) || at_kind(p, T_RANGE))
        return (void)expected_help(p, "`{` after the group", help), NULL;
    struct lang_span body;
    return parse_items(p, &i->items, &body, "`{` after the group") ? i : NULL;
}

static struct item *parse_function(struct parser *p)
{
    struct item *i = item_new(p, at_word(p, "task") ? I_TASK : I_FN);
    i->fn = parse_fn(p);
    return i->fn ? i : NULL;
}

/* A statement: it runs when the program starts. */
static struct item *parse_start(struct parser *p)
{
    struct item *i = item_new(p, I_START);
    struct stmt *s = parse_stmt(p);
    if (!s)
        return NULL;
    i->head_span = i->span = s->span;
    i->body = stmt_alone(p, s);
    return i;
}

static struct item *parse_item(struct parser *p)
{
    static const struct {
        const char *word;
        struct item *(*parse)(struct parser *p);
    } table[] = {
        {"own", parse_own},       {"read", parse_read}, {"var", parse_var},
        {"let", parse_var},       {"for", parse_for},   {"when", parse_when},
        {"every", parse_every},   {"at", parse_at},     {"on", parse_on},
        {"lend", parse_lend},     {"idle", parse_idle}, {"fn", parse_function},
        {"task", parse_function},
    };
    if (at_kind(p, T_NAME))
        for (size_t i = 0; i < ARRAY_LEN(table); i++)
            if (at_item_word(p, table[i].word))
                return table[i].parse(p);
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
