#include "codec/json.h"

#include <string.h>

#include "base/utf8.h"

/* What may come next. */
enum state {
    ST_VALUE,         /* the document's value, or one behind a key */
    ST_FIRST_MEMBER,  /* behind "{": a key or "}" */
    ST_KEY,           /* behind a comma in an object */
    ST_FIRST_ELEMENT, /* behind "[": a value or "]" */
    ST_ELEMENT,       /* behind a comma in an array */
    ST_AFTER,         /* behind a value: a comma, an end, or the end of all */
    ST_FAILED,
};

void json_init(struct json_reader *r, struct bytes doc)
{
    *r = (struct json_reader){.doc = {(const char *)doc.p, doc.n}, .state = ST_VALUE};
}

/* The byte at i, or -1 behind the end. All reading passes through here. */
static int byte_at(const struct json_reader *r, size_t i)
{
    return i < r->doc.n ? (unsigned char)r->doc.p[i] : -1;
}

static enum json_kind fail_at(struct json_reader *r, struct json_token *t, size_t at,
                              const char *why)
{
    r->state = ST_FAILED;
    r->why = at >= r->doc.n ? "the text ends too early" : why;
    r->why_at = at < r->doc.n ? at : r->doc.n;
    *t = (struct json_token){.kind = JSON_ERROR};
    return JSON_ERROR;
}

static void skip_space(struct json_reader *r)
{
    for (;;) {
        int c = byte_at(r, r->at);
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return;
        r->at++;
    }
}

/* Length of the escape that starts at i, 0 if it is none. */
static size_t escape_length(const struct json_reader *r, size_t i)
{
    switch (byte_at(r, i + 1)) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': return 2;
    case 'u':
        for (size_t k = 2; k < 6; k++)
            if (str_hex_digit(byte_at(r, i + k)) < 0)
                return 0;
        return 6;
    default: return 0;
    }
}

/* Bytes at i that are plain text for certain, eight at a time. */
static size_t plain_run(const struct json_reader *r, size_t i)
{
    const uint64_t ones = 0x0101010101010101ULL, highs = 0x8080808080808080ULL;
    size_t start = i;
    while (r->doc.n - i >= 8) {
        uint64_t w;
        memcpy(&w, r->doc.p + i, 8);
        uint64_t quote = w ^ ones * '"', slash = w ^ ones * '\\';
        uint64_t found = ((w - ones * 0x20) | (quote - ones) | (slash - ones) | w) & highs;
        if (found)
            break;
        i += 8;
    }
    return i - start;
}

/* At the opening quote. */
static enum json_kind scan_string(struct json_reader *r, struct json_token *t, enum json_kind kind)
{
    size_t start = r->at + 1, i = start;
    bool escaped = false, high = false;
    for (;;) {
        i += plain_run(r, i);
        int c = byte_at(r, i);
        if (c == '"')
            break;
        if (c < 0x20)
            return fail_at(r, t, i, "a control character in a string");
        if (c == '\\') {
            size_t n = escape_length(r, i);
            if (n == 0)
                return fail_at(r, t, i, "an unknown escape");
            escaped = true;
            i += n;
        } else {
            high |= c >= 0x80;
            i++;
        }
    }
    struct str raw = {r->doc.p + start, i - start};
    if (high && !utf8_valid(raw))
        return fail_at(r, t, start, "a string that is not UTF-8");
    *t = (struct json_token){kind, escaped, raw};
    r->at = i + 1;
    return kind;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static size_t skip_digits(const struct json_reader *r, size_t i)
{
    while (is_digit(byte_at(r, i)))
        i++;
    return i;
}

static enum json_kind scan_number(struct json_reader *r, struct json_token *t)
{
    size_t i = r->at, digits;
    if (byte_at(r, i) == '-')
        i++;
    digits = i;
    i = skip_digits(r, i);
    if (i == digits)
        return fail_at(r, t, i, "a digit is missing");
    if (byte_at(r, digits) == '0' && i > digits + 1)
        return fail_at(r, t, digits, "a number with a leading zero");
    if (byte_at(r, i) == '.') {
        digits = i + 1;
        i = skip_digits(r, digits);
        if (i == digits)
            return fail_at(r, t, i, "a digit is missing behind the point");
    }
    if (byte_at(r, i) == 'e' || byte_at(r, i) == 'E') {
        digits = i + 1;
        if (byte_at(r, digits) == '+' || byte_at(r, digits) == '-')
            digits++;
        i = skip_digits(r, digits);
        if (i == digits)
            return fail_at(r, t, i, "a digit is missing in the exponent");
    }
    *t = (struct json_token){JSON_NUMBER, false, {r->doc.p + r->at, i - r->at}};
    r->at = i;
    return JSON_NUMBER;
}

static enum json_kind scan_word(struct json_reader *r, struct json_token *t, struct str word,
                                enum json_kind kind)
{
    struct str got = str_sub(r->doc, r->at, word.n);
    if (!str_eq(got, word)) {
        size_t same = 0;
        while (same < got.n && got.p[same] == word.p[same])
            same++;
        return fail_at(r, t, r->at + same, "neither true, false nor null");
    }
    *t = (struct json_token){kind, false, got};
    r->at += word.n;
    return kind;
}

static enum json_kind open_level(struct json_reader *r, struct json_token *t, bool object)
{
    if (r->depth == JSON_DEPTH_MAX)
        return fail_at(r, t, r->at, "nested too deeply");
    uint32_t bit = (uint32_t)1 << r->depth++;
    r->objects = object ? r->objects | bit : r->objects & ~bit;
    r->state = object ? ST_FIRST_MEMBER : ST_FIRST_ELEMENT;
    *t = (struct json_token){object ? JSON_OBJECT : JSON_ARRAY, false, str_sub(r->doc, r->at, 1)};
    r->at++;
    return t->kind;
}

static enum json_kind close_level(struct json_reader *r, struct json_token *t, bool object)
{
    r->depth--;
    r->state = ST_AFTER;
    *t = (struct json_token){object ? JSON_OBJECT_END : JSON_ARRAY_END, false,
                             str_sub(r->doc, r->at, 1)};
    r->at++;
    return t->kind;
}

static enum json_kind scan_value(struct json_reader *r, struct json_token *t)
{
    int c = byte_at(r, r->at);
    r->state = ST_AFTER;
    switch (c) {
    case '{': return open_level(r, t, true);
    case '[': return open_level(r, t, false);
    case '"': return scan_string(r, t, JSON_STRING);
    case 't': return scan_word(r, t, STR("true"), JSON_TRUE);
    case 'f': return scan_word(r, t, STR("false"), JSON_FALSE);
    case 'n': return scan_word(r, t, STR("null"), JSON_NULL);
    default:
        if (c == '-' || is_digit(c))
            return scan_number(r, t);
        return fail_at(r, t, r->at, "a value is missing");
    }
}

static enum json_kind scan_key(struct json_reader *r, struct json_token *t)
{
    if (byte_at(r, r->at) != '"')
        return fail_at(r, t, r->at, "a key in quotes is missing");
    if (scan_string(r, t, JSON_KEY) == JSON_ERROR)
        return JSON_ERROR;
    skip_space(r);
    if (byte_at(r, r->at) != ':')
        return fail_at(r, t, r->at, "a colon is missing behind the key");
    r->at++;
    r->state = ST_VALUE;
    return JSON_KEY;
}

/* Behind a value. */
static enum json_kind scan_after(struct json_reader *r, struct json_token *t)
{
    int c = byte_at(r, r->at);
    if (r->depth == 0) {
        if (c >= 0)
            return fail_at(r, t, r->at, "text behind the end of the document");
        *t = (struct json_token){.kind = JSON_END};
        return JSON_END;
    }
    bool object = r->objects >> (r->depth - 1) & 1;
    if (c == (object ? '}' : ']'))
        return close_level(r, t, object);
    if (c != ',')
        return fail_at(r, t, r->at, "a comma is missing");
    r->at++;
    skip_space(r);
    r->state = object ? ST_KEY : ST_ELEMENT;
    return object ? scan_key(r, t) : scan_value(r, t);
}

enum json_kind json_next(struct json_reader *r, struct json_token *t)
{
    skip_space(r);
    switch (r->state) {
    case ST_VALUE:
    case ST_ELEMENT: return scan_value(r, t);
    case ST_FIRST_MEMBER:
        return byte_at(r, r->at) == '}' ? close_level(r, t, true) : scan_key(r, t);
    case ST_KEY: return scan_key(r, t);
    case ST_FIRST_ELEMENT:
        return byte_at(r, r->at) == ']' ? close_level(r, t, false) : scan_value(r, t);
    case ST_AFTER: return scan_after(r, t);
    default: /* keeps the first reason */
        *t = (struct json_token){.kind = JSON_ERROR};
        return JSON_ERROR;
    }
}

enum err json_skip(struct json_reader *r, const struct json_token *t, struct str *raw)
{
    struct json_token first = *t;
    if (first.kind == JSON_KEY && json_next(r, &first) == JSON_ERROR)
        return ERR_SYNTAX;
    if (first.kind == JSON_ERROR)
        return ERR_SYNTAX;
    if (first.kind == JSON_OBJECT || first.kind == JSON_ARRAY) {
        unsigned outside = r->depth - 1;
        struct json_token skipped;
        while (r->depth > outside)
            if (json_next(r, &skipped) == JSON_ERROR)
                return ERR_SYNTAX;
    }
    if (raw) {
        /* A string's slice lacks its quotes. */
        const char *start = first.kind == JSON_STRING ? first.raw.p - 1 : first.raw.p;
        *raw = (struct str){start, (size_t)(r->doc.p + r->at - start)};
    }
    return ERR_OK;
}

enum err json_find(struct bytes doc, struct str name, struct json_token *value, struct str *raw)
{
    struct json_reader r;
    struct json_token t;
    bool found = false;
    json_init(&r, doc);
    bool object = json_next(&r, &t) == JSON_OBJECT;
    while (object && json_next(&r, &t) == JSON_KEY) {
        bool wanted = json_text_is(&t, name);
        struct json_token first;
        struct str whole;
        if (json_next(&r, &first) == JSON_ERROR || json_skip(&r, &first, &whole))
            return ERR_SYNTAX;
        if (!wanted)
            continue;
        found = true;
        if (value)
            *value = first;
        if (raw)
            *raw = whole;
    }
    while (t.kind != JSON_END)
        if (t.kind == JSON_ERROR || json_next(&r, &t) == JSON_ERROR)
            return ERR_SYNTAX;
    return found ? ERR_OK : ERR_NOT_FOUND;
}

enum err json_each(struct str array, void (*each)(void *ctx, struct str element), void *ctx)
{
    struct json_reader r;
    struct json_token t;
    struct str raw;
    json_init(&r, (struct bytes){(const uint8_t *)array.p, array.n});
    if (json_next(&r, &t) != JSON_ARRAY)
        return t.kind == JSON_ERROR ? ERR_SYNTAX : ERR_NOT_FOUND;
    while (json_next(&r, &t) != JSON_ARRAY_END) {
        if (t.kind == JSON_ERROR || json_skip(&r, &t, &raw))
            return ERR_SYNTAX;
        each(ctx, raw);
    }
    return ERR_OK;
}
