/* Numbers with their units, and texts with {…} in them. */
#include "lang/parse_internal.h"

#include <string.h>

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

/* 0x10, 1e, 1__0: what other languages have behind digits is not taken for a unit. */
static bool looks_like_digits(struct str number, struct str rest)
{
    bool base =
        str_eq(number, STR("0")) && (rest.p[0] == 'x' || rest.p[0] == 'o' || rest.p[0] == 'b');
    return base || rest.p[0] == '_' || str_eq(rest, STR("e"));
}

static void number_wrong(struct parser *p, const struct token *t)
{
    struct lang_span rest = {p->source, t->number_to, t->to};
    struct str number = ctx_text(p->c, (struct lang_span){p->source, t->from, t->number_to});
    if (!looks_like_digits(number, ctx_text(p->c, rest))) {
        unit_unknown(p->c, rest);
        return;
    }
    struct lang_diag *d =
        diag_error(p->c, "P1", token_span(p, t), "no number", "a number is not written like this");
    diag_help(p->c, d, "numbers are decimal, as in  16, 1_000, 0.4, 1e3");
}

bool number_value(struct parser *p, const struct token *t, struct expr *out)
{
    static const struct lang_unit plain = {.symbol = {"", 0}, .scale = 1};
    struct lang_span span = token_span(p, t);
    if (t->flags & TOKEN_UNIT_BAD) {
        number_wrong(p, t);
        return false;
    }
    struct str text =
        digits_only(p, ctx_text(p->c, (struct lang_span){p->source, t->from, t->number_to}));
    bool whole = t->kind == T_INT && t->unit_from == t->to;
    out->has_unit = t->unit_from < t->to;
    out->unit = &plain;
    if (out->has_unit) {
        struct lang_unit *u = ctx_tree_new(p->c, sizeof(*u));
        struct str unit = ctx_text(p->c, (struct lang_span){p->source, t->unit_from, t->to});
        if (lang_unit_parse(unit, u) != ERR_OK)
            ASSERT(!"the lexer found a unit here");
        out->unit = u;
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
    return e->kind == E_NUMBER && e->has_unit && lang_unit_same_dim(e->unit, &s);
}

/* Words that go on behind a number in the head of a rule, a lease or a lend. */
static bool word_follows(const struct parser *p, const struct token *t)
{
    static const char *const words[] = {"single", "restart", "queued", "wait", "max", "priority"};
    for (size_t i = 0; p->head && i < ARRAY_LEN(words); i++)
        if (token_is(p, t, words[i]))
            return true;
    return false;
}

struct expr *parse_number(struct parser *p)
{
    const struct token *t = take_token(p);
    struct expr *e = expr_new(p, E_NUMBER, token_span(p, t));
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
        e->number += next.number * next.unit->scale / e->unit->scale;
        e->span = span_join(e->span, token_span(p, n));
    }
    /* 90 bananas: a word one space behind a number was meant as its unit */
    t = peek_token(p);
    const struct token *last = last_token(p);
    bool word = (t->kind == T_NAME || t->kind == T_UNIT) && t->from <= last->to + 1 &&
                !e->has_unit && !word_reserved(token_text(p, t)) && !word_follows(p, t);
    if (word) {
        unit_unknown(p->c, token_span(p, t));
        (void)take_token(p);
        return expr_new(p, E_BAD, e->span);
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
        struct expr *e = expr_new(p, E_TEXT, (struct lang_span){p->source, t->from, to});
        e->text = ctx_str(p->c, strbuf_str(&t->buf));
        ctx_tree_push(p->c, &t->parts, e);
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
    inner.balanced = braces_match(&inner.tokens);
    struct expr *e = parse_expr(&inner);
    p->tallest = inner.tallest > p->tallest ? inner.tallest : p->tallest;
    if (e && !at_kind(&inner, T_EOF)) {
        (void)expected(&inner, "`}`");
        return NULL;
    }
    return e;
}

struct expr *parse_string(struct parser *p)
{
    const struct token *t = take_token(p);
    struct expr *e = expr_new(p, E_STRING, token_span(p, t));
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
            uint32_t end = lex_hole_end(s, at, to);
            if (end == 0) {
                (void)diag_error(p->c, "P1", (struct lang_span){p->source, at, at + 1},
                                 "opened here", "this `{` in a text is never closed");
                return NULL;
            }
            struct expr *inner = parse_inner(p, at + 1, end);
            if (!inner)
                return NULL;
            if (!expr_grow(p, e, inner))
                return NULL;
            ctx_tree_push(p->c, &parts.parts, inner);
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

/* ---- literals ------------------------------------------------------------------------------ */

struct expr *parse_bool(struct parser *p)
{
    struct expr *e = expr_new(p, E_BOOL, token_span(p, peek_token(p)));
    e->integer = take_word(p, "true");
    if (!e->integer)
        (void)take_token(p);
    return e;
}

static bool at_number(const struct token *t)
{
    return t->kind == T_INT || t->kind == T_FLOAT;
}

struct expr *parse_literal(struct parser *p)
{
    if (at_number(peek_token(p)) || (at_kind(p, T_MINUS) && at_number(peek_next(p))))
        return parse_operand(p);
    if (at_kind(p, T_STRING))
        return parse_string(p);
    if (at_word(p, "true") || at_word(p, "false"))
        return parse_bool(p);
    (void)expected(p, "a number, a text, true or false");
    return NULL;
}
