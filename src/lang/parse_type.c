/* Types as they are written: list<map<str, °C?>>, chan<own Valve>, fn(°C) -> bool. */
#include "lang/parse_internal.h"

#define TYPE_ARGS_MAX 16u

static struct type_syntax *parse_one(struct parser *p);

static bool like_unit(char c)
{
    return unit_char(c) || (c >= '0' && c <= '9') || c == '/' || c == '*' || c == '^';
}

/* A unit may be several tokens: m/s², kg*m/s^2. What looks like more of one belongs to it, for the
 * message. */
static uint32_t name_end(const struct parser *p, const struct token *t, bool *unit)
{
    struct str all = p->c->sources[p->source].text;
    struct str rest = str_sub(all, t->from, all.n);
    struct lang_unit u;
    size_t n = unit_scan(rest, &u);
    *unit = n > 0;
    if (n == 0)
        n = t->to - t->from;
    if (n + 1 < rest.n && (rest.p[n] == '/' || rest.p[n] == '*') && unit_char(rest.p[n + 1]))
        while (n < rest.n && like_unit(rest.p[n]))
            n++;
    return t->from + (uint32_t)n;
}

static bool parse_named(struct parser *p, struct type_syntax *out)
{
    const struct token *t = peek_token(p);
    if (t->kind == T_LBRACKET)
        return expected_help(p, "a type", "a list is written  list<int>");
    if (t->kind != T_NAME && t->kind != T_UNIT)
        return expected_help(
            p, "a type", t->kind == T_ASSIGN ? "without a type it is written  let x = …" : NULL);
    bool unit;
    uint32_t to = name_end(p, t, &unit);
    if (!unit && word_reserved(token_text(p, t)))
        return expected(p, "a type");
    out->span = (struct lang_span){p->source, t->from, to};
    skip_to_byte(p, to);
    t = peek_token(p);
    if (t->kind == T_LT)
        return refuse(p, out->span, "takes no type", "only list, map and chan take types",
                      "as in  list<int>, map<str, °C>, chan<Trip>; what may be missing:  int?");
    if (t->kind == T_LBRACKET && token_touches(t))
        return refuse(p, token_span(p, t), "not here", "a type has no brackets",
                      "a list is written  list<int>");
    return true;
}

/* `>`, also as the first half of `>=`. */
static bool close_angle(struct parser *p)
{
    if (at_kind(p, T_GE)) {
        struct token *t = &p->tokens.all.v[p->at];
        t->kind = T_ASSIGN;
        t->flags = 0;
        t->from++;
        return true;
    }
    return expect(p, T_GT, "`>`");
}

static bool push_type(struct parser *p, struct type_syntax *out)
{
    struct type_syntax *t = parse_one(p);
    if (t)
        out->args[out->args_n++] = t;
    return t != NULL;
}

static bool no_angle(struct parser *p, enum type_shape shape)
{
    return expected_help(p, "`<` and a type",
                         shape == TYPE_SHAPE_CHAN
                             ? "as in  chan<int>(8): of which type, and how many"
                         : shape == TYPE_SHAPE_MAP ? "as in  map<str, °C>"
                                                   : "as in  list<int>");
}

/* <T>, <K, V>, <own T>; behind the word */
static bool parse_angles(struct parser *p, struct type_syntax *out, size_t n)
{
    if (!take_kind(p, T_LT))
        return no_angle(p, out->shape);
    out->own = out->shape == TYPE_SHAPE_CHAN && take_word(p, "own");
    out->args = ctx_tree_array(p->c, n, sizeof(struct type_syntax *));
    while (out->args_n < n) {
        if (out->args_n > 0 && !expect(p, T_COMMA, "`,` and the type of the values"))
            return false;
        if (!push_type(p, out))
            return false;
    }
    uint32_t to = peek_token(p)->from + 1;
    if (!close_angle(p))
        return false;
    out->span.to = to;
    return true;
}

/* (T, T) [-> R]; behind `fn` */
static bool parse_fn_type(struct parser *p, struct type_syntax *out)
{
    if (!expect(p, T_LPAREN, "`(` and the types of the parameters"))
        return false;
    out->args = ctx_tree_array(p->c, TYPE_ARGS_MAX, sizeof(struct type_syntax *));
    while (!at_kind(p, T_RPAREN)) {
        if (out->args_n == TYPE_ARGS_MAX)
            return expected(p, "fewer parameters");
        if (!push_type(p, out))
            return false;
        if (!take_kind(p, T_COMMA) && !at_kind(p, T_RPAREN))
            return expected(p, "`,` or `)`");
    }
    out->span.to = take_token(p)->to;
    if (!take_kind(p, T_ARROW))
        return true;
    out->result = parse_one(p);
    if (out->result)
        out->span.to = last_token(p)->to;
    return out->result != NULL;
}

static bool parse_shape(struct parser *p, struct type_syntax *out)
{
    static const struct {
        const char *word;
        enum type_shape shape;
        size_t args;
    } shapes[] = {
        {"list", TYPE_SHAPE_LIST, 1}, {"map", TYPE_SHAPE_MAP, 2}, {"chan", TYPE_SHAPE_CHAN, 1}};
    out->span = token_span(p, peek_token(p));
    if (take_word(p, "fn")) {
        out->shape = TYPE_SHAPE_FN;
        return parse_fn_type(p, out);
    }
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
        if (take_word(p, shapes[i].word)) {
            out->shape = shapes[i].shape;
            return parse_angles(p, out, shapes[i].args);
        }
    return parse_named(p, out);
}

static bool optional_twice(struct parser *p, struct lang_span at)
{
    struct lang_diag *d = diag_error(p->c, "T1", at, "a second time", "a type is optional once");
    diag_help(p->c, d, "there is one `none`: write a single `?`");
    return false;
}

static struct type_syntax *parse_one(struct parser *p)
{
    if (!enter(p))
        return NULL;
    struct type_syntax *t = ctx_tree_new(p->c, sizeof(*t));
    bool fine = parse_shape(p, t);
    leave(p);
    if (!fine)
        return NULL;
    t->optional = take_kind(p, T_QUESTION);
    if (at_kind(p, T_COALESCE) || (t->optional && at_kind(p, T_QUESTION)))
        return (void)optional_twice(p, token_span(p, peek_token(p))), NULL;
    return t;
}

bool parse_type(struct parser *p, struct type_ref *out)
{
    struct type_syntax *t = parse_one(p);
    if (!t)
        return false;
    struct lang_span span = t->span;
    if (t->optional)
        span.to = last_token(p)->to;
    *out = (struct type_ref){.span = span, .given = true, .syntax = t};
    return true;
}

bool type_of_text(struct lang_ctx *c, struct lang_span span, struct lang_type *out)
{
    static const struct {
        const char *name;
        enum lang_type_kind kind;
    } words[] = {{"bool", LANG_TYPE_BOOL},      {"int", LANG_TYPE_INT},
                 {"float", LANG_TYPE_FLOAT},    {"str", LANG_TYPE_STR},
                 {"duration", LANG_TYPE_FLOAT}, {"time", LANG_TYPE_TIME}};
    struct str text = ctx_text(c, span);
    *out = (struct lang_type){.unit = unit_plain()};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq(text, str_from(words[i].name))) {
            out->kind = words[i].kind;
            if (str_eq(text, STR("duration")))
                out->unit = unit_seconds();
            return true;
        }
    if (lang_unit_parse(text, &out->unit) != ERR_OK)
        return false;
    out->kind = LANG_TYPE_FLOAT;
    return true;
}

static bool not_host_type(struct parser *p, struct lang_span span)
{
    struct lang_diag *d = diag_error(p->c, "T1", span, "not here", "a plain type stands here");
    diag_help(p->c, d, "types are bool, int, float, str, duration, or a unit like °C, bar, m/s");
    return false;
}

bool parse_data_type(struct parser *p, struct lang_type *out, struct lang_span *span)
{
    struct type_ref t = {0};
    if (!parse_type(p, &t))
        return false;
    *span = t.span;
    if (t.syntax->shape != TYPE_SHAPE_NAME || t.syntax->optional)
        return not_host_type(p, t.span);
    if (type_of_text(p->c, t.span, out))
        return true;
    struct str name = ctx_text(p->c, t.span);
    struct str best = unit_suggest(name);
    struct suggest s = suggest_for(p->c, name);
    static const char *const words[] = {"bool", "int", "float", "str", "duration", "time"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        suggest_offer(&s, str_from(words[i]));
    if (best.n == 0 && suggest_found(&s))
        best = s.best;
    struct lang_diag *d = diag_error(p->c, "U2", t.span, "neither a type nor a unit",
                                     "there is no type or unit `%.*s`", STR_FMT(name));
    if (best.n > 0)
        diag_help(p->c, d, "did you mean `%.*s`?", STR_FMT(best));
    else
        diag_help(p->c, d,
                  "types are bool, int, float, str, duration, or a unit like °C, bar, m/s");
    return false;
}
