/* Expressions, texts with {…} in them, and types as they are written. */
#include "lang/parse_internal.h"

#include <string.h>

/* A chain a + b + c nests to the left: its length counts, too. */
#define HEIGHT_MAX 200u

static struct expr *expr_or(struct parser *p);

static struct expr *node(struct parser *p, enum expr_kind kind, struct lang_span span)
{
    struct expr *e = ctx_new(p->c, sizeof(*e));
    e->kind = kind;
    e->span = span;
    return e;
}

/* ---- numbers ---------------------------------------------------------------------------- */

static struct str digits_only(struct parser *p, struct str text)
{
    char *copy = ctx_new(p->c, text.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != '_')
            copy[n++] = text.p[i];
    return (struct str){copy, n};
}

void unit_unknown(struct lang_ctx *c, struct lang_span span)
{
    struct str name = ctx_text(c, span);
    struct lang_diag *d =
        diag_error(c, "U2", span, "unknown unit", "there is no unit `%.*s`", STR_FMT(name));
    struct str best = unit_suggest(name);
    if (best.n > 0)
        diag_help(c, d, "did you mean `%.*s`?", STR_FMT(best));
    else
        diag_help(c, d,
                  "units are written as in 5 °C (or degC), 2.5 bar, 0.4 m/s, 12 K/min, 30 %%");
}

bool number_value(struct parser *p, const struct token *t, struct expr *out)
{
    struct lang_span span = token_span(p, t);
    if (t->flags & TOKEN_UNIT_BAD) {
        unit_unknown(p->c, (struct lang_span){p->source, t->number_to, t->to});
        return false;
    }
    struct str text =
        digits_only(p, ctx_text(p->c, (struct lang_span){p->source, t->from, t->number_to}));
    bool whole = t->kind == T_INT && t->unit_from == t->to;
    out->has_unit = t->unit_from < t->to;
    out->unit = unit_plain();
    if (out->has_unit) {
        struct str unit = ctx_text(p->c, (struct lang_span){p->source, t->unit_from, t->to});
        if (lang_unit_parse(unit, &out->unit) != ERR_OK)
            ASSERT(!"the lexer found a unit here");
    }
    enum err e = whole ? str_to_i64(text, &out->integer) : str_to_double(text, &out->number);
    if (e != ERR_OK) {
        (void)diag_error(p->c, "T1", span, "too large", "this number is too large");
        return false;
    }
    if (whole)
        out->number = (double)out->integer;
    out->kind = whole ? E_INT : E_NUMBER;
    return true;
}

static bool is_duration(const struct expr *e)
{
    struct lang_unit s = unit_seconds();
    return e->kind == E_NUMBER && e->has_unit && lang_unit_same_dim(&e->unit, &s);
}

static struct expr *parse_number(struct parser *p)
{
    const struct token *t = take_token(p);
    struct expr *e = node(p, E_NUMBER, token_span(p, t));
    if (!number_value(p, t, e))
        return NULL;
    /* 1h 30min is one duration */
    while (is_duration(e) && (at_kind(p, T_INT) || at_kind(p, T_FLOAT)) &&
           peek_token(p)->unit_from < peek_token(p)->to) {
        struct expr next = {0};
        const struct token *n = peek_token(p);
        if (!number_value(p, n, &next) || !is_duration(&next))
            break;
        (void)take_token(p);
        e->number += next.number * next.unit.scale / e->unit.scale;
        e->span = span_join(e->span, token_span(p, n));
    }
    /* 90 bananas: a word one space behind a number was meant as its unit */
    t = peek_token(p);
    const struct token *last = &p->tokens.all.v[p->at - 1];
    bool word = (t->kind == T_NAME || t->kind == T_UNIT) && t->from <= last->to + 1 &&
                !e->has_unit && !word_reserved(token_text(p, t));
    if (word) {
        unit_unknown(p->c, token_span(p, t));
        (void)take_token(p);
        return node(p, E_BAD, e->span);
    }
    return e;
}

/* ---- texts ------------------------------------------------------------------------------ */

struct text_parts {
    VEC(struct expr *) parts;
    struct strbuf buf;
    uint32_t from;
};

static void flush_text(struct parser *p, struct text_parts *t, uint32_t to)
{
    if (t->buf.failed)
        ctx_nomem(p->c);
    if (t->buf.n > 0) {
        struct expr *e = node(p, E_TEXT, (struct lang_span){p->source, t->from, to});
        e->text = ctx_str(p->c, strbuf_str(&t->buf));
        ctx_push(p->c, &t->parts, e);
    }
    strbuf_reset(&t->buf);
    t->from = to;
}

static void add_utf8(struct strbuf *b, uint32_t ch)
{
    if (ch < 0x80) {
        strbuf_addc(b, (char)ch);
    } else if (ch < 0x800) {
        strbuf_addc(b, (char)(0xC0 | (ch >> 6)));
        strbuf_addc(b, (char)(0x80 | (ch & 0x3F)));
    } else if (ch < 0x10000) {
        strbuf_addc(b, (char)(0xE0 | (ch >> 12)));
        strbuf_addc(b, (char)(0x80 | ((ch >> 6) & 0x3F)));
        strbuf_addc(b, (char)(0x80 | (ch & 0x3F)));
    } else {
        strbuf_addc(b, (char)(0xF0 | (ch >> 18)));
        strbuf_addc(b, (char)(0x80 | ((ch >> 12) & 0x3F)));
        strbuf_addc(b, (char)(0x80 | ((ch >> 6) & 0x3F)));
        strbuf_addc(b, (char)(0x80 | (ch & 0x3F)));
    }
}

/* \u{1F600}; `at` is behind the u. Returns the byte behind, or 0. */
static uint32_t unicode_escape(const char *s, uint32_t at, uint32_t to, struct strbuf *b)
{
    if (at >= to || s[at] != '{')
        return 0;
    uint32_t ch = 0, n = 0;
    for (at++; at < to && s[at] != '}' && n < 7; at++, n++) {
        char c = s[at];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return 0;
        ch = ch * 16 + (uint32_t)digit;
    }
    if (at >= to || s[at] != '}' || n == 0 || ch == 0 || ch > 0x10FFFF ||
        (ch >= 0xD800 && ch <= 0xDFFF))
        return 0;
    add_utf8(b, ch);
    return at + 1;
}

/* Behind the backslash at `at`; returns the byte behind the escape, or 0 with a message. */
static uint32_t escape(struct parser *p, uint32_t at, uint32_t to, struct strbuf *b)
{
    const char *s = p->c->sources[p->source].text.p;
    static const char from[] = "nt\"\\{}", into[] = "\n\t\"\\{}";
    const char *found = at < to && s[at] != '\0' ? strchr(from, s[at]) : NULL;
    if (found) {
        strbuf_addc(b, into[found - from]);
        return at + 1;
    }
    uint32_t end = at < to && s[at] == 'u' ? unicode_escape(s, at + 1, to, b) : 0;
    if (end == 0) {
        struct lang_diag *d = diag_error(p->c, "P1", (struct lang_span){p->source, at - 1, at + 1},
                                         "unknown", "a text has no such escape");
        diag_help(p->c, d, "there are \\n \\t \\\" \\\\ \\{ \\} and \\u{20AC}");
    }
    return end;
}

/* The `}` of a `{` at `at`, over nested texts; `to` if there is none. */
static uint32_t brace_end(const char *s, uint32_t at, uint32_t to)
{
    uint32_t depth = 0;
    bool text = false;
    for (; at < to; at++) {
        if (s[at] == '\\')
            at++;
        else if (s[at] == '"')
            text = !text;
        else if (!text && s[at] == '{')
            depth++;
        else if (!text && s[at] == '}' && --depth == 0)
            return at;
    }
    return to;
}

/* An expression between braces, read by a parser of its own over that piece of source. */
static struct expr *parse_inner(struct parser *p, uint32_t from, uint32_t to)
{
    struct parser inner = {.c = p->c, .source = p->source, .depth = p->depth};
    lex(p->c, p->source, from, to, &inner.tokens);
    if (at_kind(&inner, T_EOF)) {
        (void)diag_error(p->c, "P1", (struct lang_span){p->source, from - 1, to + 1}, "empty",
                         "there is nothing between these braces");
        return NULL;
    }
    struct expr *e = parse_expr(&inner);
    if (e && !at_kind(&inner, T_EOF)) {
        (void)expected(&inner, "`}`");
        return NULL;
    }
    return e;
}

static struct expr *parse_string(struct parser *p)
{
    const struct token *t = take_token(p);
    struct expr *e = node(p, E_STRING, token_span(p, t));
    const char *s = p->c->sources[p->source].text.p;
    uint32_t to = t->to - 1;
    struct text_parts parts = {.from = t->from + 1};
    strbuf_init(&parts.buf, &p->c->alloc, 0);
    for (uint32_t at = t->from + 1; at < to;) {
        if (s[at] == '\\') {
            at = escape(p, at + 1, to, &parts.buf);
            if (at == 0)
                return NULL;
        } else if (s[at] == '{') {
            flush_text(p, &parts, at);
            uint32_t end = brace_end(s, at, to);
            if (end == to) {
                (void)diag_error(p->c, "P1", (struct lang_span){p->source, at, at + 1},
                                 "opened here", "this `{` in a text is never closed");
                return NULL;
            }
            struct expr *inner = parse_inner(p, at + 1, end);
            if (!inner)
                return NULL;
            ctx_push(p->c, &parts.parts, inner);
            e->height = inner->height + 1 > e->height ? inner->height + 1 : e->height;
            at = end + 1;
            parts.from = at;
        } else {
            strbuf_addc(&parts.buf, s[at++]);
        }
    }
    flush_text(p, &parts, to);
    e->list = (struct expr_list){parts.parts.v, parts.parts.n};
    return e;
}

/* ---- names and calls -------------------------------------------------------------------- */

static bool unclosed(struct parser *p, const struct token *open)
{
    const struct token *t = peek_token(p);
    if (t->kind == T_BAD)
        return expected(p, "`)`");
    struct lang_span at = token_span(p, t);
    if (t->kind == T_EOF || (t->flags & TOKEN_LINE_START)) {
        uint32_t to = p->tokens.all.v[p->at - 1].to;
        at = (struct lang_span){p->source, to, to};
    }
    struct lang_diag *d = diag_error(p->c, "P1", at, "expected `)`", "expected `)`, found %.*s",
                                     STR_FMT(describe(p, t)));
    diag_mark(p->c, d, token_span(p, open), "the `(` stands here");
    return false;
}

static bool parse_args(struct parser *p, struct expr *call)
{
    const struct token *open = take_token(p);
    VEC(struct expr *) list = {0};
    while (!at_kind(p, T_RPAREN)) {
        if (at_kind(p, T_RBRACE) || at_kind(p, T_LBRACE) || at_kind(p, T_EOF))
            return unclosed(p, open);
        struct expr *a = parse_expr(p);
        if (!a)
            return false;
        ctx_push(p->c, &list, a);
        call->height = a->height + 1 > call->height ? a->height + 1 : call->height;
        if (!take_kind(p, T_COMMA) && !at_kind(p, T_RPAREN))
            return unclosed(p, open);
    }
    const struct token *close = take_token(p);
    call->span = span_join(call->span, token_span(p, close));
    call->list = (struct expr_list){list.v, list.n};
    return true;
}

static struct expr *parse_path_or_call(struct parser *p)
{
    struct name whole, *parts;
    size_t n;
    if (!take_path(p, "an expression", &whole, &parts, &n))
        return NULL;
    struct expr *e = node(p, E_PATH, whole.span);
    e->path = parts;
    e->path_n = n;
    e->text = whole.text;
    const struct token *t = peek_token(p);
    if (t->kind == T_LPAREN && !(t->flags & TOKEN_SPACE)) {
        e->kind = E_CALL;
        if (!parse_args(p, e))
            return NULL;
    } else if (t->kind == T_LBRACKET && !(t->flags & TOKEN_SPACE)) {
        return (void)not_yet(p, t), NULL;
    }
    return e;
}

static struct expr *parse_word(struct parser *p)
{
    const struct token *t = peek_token(p);
    struct str word = token_text(p, t);
    if (str_eq(word, STR("true")) || str_eq(word, STR("false"))) {
        struct expr *e = node(p, E_BOOL, token_span(p, take_token(p)));
        e->integer = str_eq(word, STR("true"));
        return e;
    }
    if (str_eq(word, STR("stale"))) {
        (void)take_token(p);
        struct expr *e = node(p, E_STALE, token_span(p, t));
        e->a = parse_path_or_call(p);
        if (!e->a)
            return NULL;
        e->span = span_join(e->span, e->a->span);
        return e;
    }
    bool later = str_eq(word, STR("changed")) && peek_next(p)->kind == T_NAME;
    if (later || str_eq(word, STR("chan")) || str_eq(word, STR("none")) ||
        str_eq(word, STR("match")))
        return (void)not_yet(p, t), NULL;
    return parse_path_or_call(p);
}

static struct expr *expr_primary(struct parser *p)
{
    switch (peek_token(p)->kind) {
    case T_INT:
    case T_FLOAT: return parse_number(p);
    case T_STRING: return parse_string(p);
    case T_NAME: return parse_word(p);
    case T_LPAREN: {
        const struct token *open = take_token(p);
        struct expr *e = parse_expr(p);
        if (!e)
            return NULL;
        if (!at_kind(p, T_RPAREN))
            return (void)unclosed(p, open), NULL;
        e->span = span_join(token_span(p, open), token_span(p, take_token(p)));
        return e;
    }
    default: (void)expected(p, "an expression"); return NULL;
    }
}

static struct expr *expr_unary(struct parser *p)
{
    if (!at_kind(p, T_MINUS))
        return expr_primary(p);
    if (!enter(p))
        return NULL;
    const struct token *t = take_token(p);
    struct expr *a = expr_unary(p);
    leave(p);
    if (!a)
        return NULL;
    struct expr *e = node(p, E_NEG, span_join(token_span(p, t), a->span));
    e->height = a->height + 1;
    if ((a->kind == E_NUMBER || a->kind == E_INT) && a->span.from == t->to) { /* -20 °C is one */
        a->number = -a->number;
        a->integer = -a->integer;
        a->span = e->span;
        return a;
    }
    e->a = a;
    return e;
}

/* ---- operators -------------------------------------------------------------------------- */

static bool take_operator(struct parser *p, int level, enum expr_op *op, struct lang_span *span)
{
    static const struct {
        uint8_t token;
        int level;
        enum expr_op op;
    } table[] = {
        {T_EQ, 1, OP_EQ},    {T_NE, 1, OP_NE},     {T_LT, 1, OP_LT},    {T_LE, 1, OP_LE},
        {T_GT, 1, OP_GT},    {T_GE, 1, OP_GE},     {T_PLUS, 2, OP_ADD}, {T_MINUS, 2, OP_SUB},
        {T_STAR, 3, OP_MUL}, {T_SLASH, 3, OP_DIV},
    };
    const struct token *t = peek_token(p);
    *span = token_span(p, t);
    if (level == 3 && take_word(p, "mod")) {
        *op = OP_MOD;
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].token == t->kind && table[i].level == level) {
            *op = table[i].op;
            (void)take_token(p);
            return true;
        }
    return false;
}

static struct expr *binary(struct parser *p, struct expr *a, enum expr_op op, struct lang_span at,
                           struct expr *b)
{
    if (!b)
        return NULL;
    uint32_t height = 1 + (a->height > b->height ? a->height : b->height);
    if (height > HEIGHT_MAX) {
        (void)diag_error(p->c, "P1", at, "too long", "this expression is too long");
        return NULL;
    }
    struct expr *e = node(p, E_BINARY, span_join(a->span, b->span));
    e->op = op;
    e->op_span = at;
    e->a = a;
    e->b = b;
    e->height = height;
    return e;
}

static struct expr *expr_level(struct parser *p, int level)
{
    struct expr *a = level == 3 ? expr_unary(p) : expr_level(p, level + 1);
    enum expr_op op;
    struct lang_span at;
    for (uint32_t n = 0; a && take_operator(p, level, &op, &at); n++) {
        if (level == 1 && n > 0) {
            struct lang_diag *d =
                diag_error(p->c, "P1", at, "one too many", "comparisons can't be chained");
            diag_help(p->c, d, "write `a < b and b < c`");
            return NULL;
        }
        a = binary(p, a, op, at, level == 3 ? expr_unary(p) : expr_level(p, level + 1));
    }
    return a;
}

static struct expr *expr_not(struct parser *p)
{
    const struct token *t = peek_token(p);
    if (!at_word(p, "not"))
        return expr_level(p, 1);
    if (!enter(p))
        return NULL;
    (void)take_token(p);
    struct expr *a = expr_not(p);
    leave(p);
    if (!a)
        return NULL;
    struct expr *e = node(p, E_NOT, span_join(token_span(p, t), a->span));
    e->height = a->height + 1;
    e->a = a;
    return e;
}

static struct expr *expr_and(struct parser *p)
{
    struct expr *a = expr_not(p);
    while (a && at_word(p, "and")) {
        struct lang_span at = token_span(p, take_token(p));
        a = binary(p, a, OP_AND, at, expr_not(p));
    }
    return a;
}

static struct expr *expr_or(struct parser *p)
{
    struct expr *a = expr_and(p);
    while (a && at_word(p, "or")) {
        struct lang_span at = token_span(p, take_token(p));
        a = binary(p, a, OP_OR, at, expr_and(p));
    }
    return a;
}

struct expr *parse_expr(struct parser *p)
{
    if (!enter(p))
        return NULL;
    struct expr *e = expr_or(p);
    leave(p);
    return e;
}

/* ---- types ------------------------------------------------------------------------------ */

static bool like_unit(char c)
{
    return unit_char(c) || (c >= '0' && c <= '9') || c == '/' || c == '*' || c == '^';
}

bool parse_type(struct parser *p, struct type_ref *out)
{
    const struct token *t = peek_token(p);
    if (t->kind != T_NAME && t->kind != T_UNIT)
        return expected(p, "a type");
    struct str rest = ctx_text(
        p->c, (struct lang_span){p->source, t->from, (uint32_t)p->c->sources[p->source].text.n});
    struct lang_unit u;
    uint32_t to = t->from + (uint32_t)unit_scan(rest, &u);
    bool unit = to > t->from;
    if (!unit)
        to = t->to;
    if (!unit && word_reserved(token_text(p, t)) && !str_eq(token_text(p, t), STR("chan")))
        return expected(p, "a type");
    /* what looks like more of a unit belongs to it, for the message */
    const struct str after = str_sub(rest, to - t->from, rest.n);
    if (after.n > 1 && (after.p[0] == '/' || after.p[0] == '*') && unit_char(after.p[1]))
        while (to - t->from < rest.n && like_unit(rest.p[to - t->from]))
            to++;
    *out = (struct type_ref){.span = {p->source, t->from, to}, .given = true};
    skip_to_byte(p, to);
    t = peek_token(p);
    bool touching = !(t->flags & TOKEN_SPACE);
    if (touching && (t->kind == T_QUESTION || t->kind == T_LT))
        return not_yet(p, t);
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

bool parse_data_type(struct parser *p, struct lang_type *out, struct lang_span *span)
{
    struct type_ref t = {0};
    if (!parse_type(p, &t))
        return false;
    *span = t.span;
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
