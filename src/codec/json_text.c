/* The text of strings and the value of numbers, from the raw slices that the reader gives. */
#include "codec/json.h"

#include <string.h>

#include "base/utf8.h"

static uint32_t hex4(const char *p)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        unsigned char c = (unsigned char)p[i];
        v = v << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10U);
    }
    return v;
}

static bool is_unicode_escape(struct str s)
{
    if (s.n < 6 || s.p[0] != '\\' || s.p[1] != 'u')
        return false;
    for (size_t i = 2; i < 6; i++) {
        char c = s.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return true;
}

static size_t put_utf8(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* A \uXXXX, with its second half if it is a surrogate pair; takes it off *s. */
static size_t unicode_escape(struct str *s, char out[4])
{
    uint32_t c = hex4(s->p + 2);
    size_t taken = 6;
    if (c >= 0xD800 && c <= 0xDFFF) {
        struct str rest = str_sub(*s, 6, s->n);
        uint32_t low = is_unicode_escape(rest) ? hex4(rest.p + 2) : 0;
        if (c <= 0xDBFF && low >= 0xDC00 && low <= 0xDFFF) {
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
            taken = 12;
        } else {
            c = 0xFFFD;
        }
    }
    *s = str_sub(*s, taken, s->n);
    return put_utf8(c, out);
}

/* Takes the next piece of text off *s: a plain run as it stands, or what an escape means. */
static struct str next_piece(struct str *s, char out[4])
{
    size_t plain;
    if (!str_find(*s, '\\', &plain))
        plain = s->n;
    if (plain > 0) {
        struct str piece = str_sub(*s, 0, plain);
        *s = str_sub(*s, plain, s->n);
        return piece;
    }
    if (is_unicode_escape(*s))
        return (struct str){out, unicode_escape(s, out)};
    static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
    char c = s->n > 1 ? s->p[1] : '\\'; /* the reader lets no lone backslash through */
    const char *name = c ? strchr(names, c) : NULL;
    out[0] = name ? values[name - names] : c;
    *s = str_sub(*s, 2, s->n);
    return (struct str){out, 1};
}

enum err json_unescape(struct str raw, char *buf, size_t cap, struct str *out)
{
    size_t n = 0;
    char room[4];
    while (raw.n > 0) {
        struct str piece = next_piece(&raw, room);
        if (piece.n > cap - n)
            return ERR_RANGE;
        memcpy(buf + n, piece.p, piece.n);
        n += piece.n;
    }
    *out = (struct str){buf, n};
    return ERR_OK;
}

bool json_text_is(const struct json_token *t, struct str text)
{
    if (!t->escaped)
        return str_eq(t->raw, text);
    struct str raw = t->raw;
    char room[4];
    while (raw.n > 0) {
        struct str piece = next_piece(&raw, room);
        if (!str_starts(text, piece))
            return false;
        text = str_sub(text, piece.n, text.n);
    }
    return text.n == 0;
}

/* What str_to_double() takes and JSON does not: leading zeros. */
static bool is_json_number(struct str raw)
{
    size_t i = raw.n && raw.p[0] == '-';
    return !(raw.n > i + 1 && raw.p[i] == '0' && raw.p[i + 1] >= '0' && raw.p[i + 1] <= '9');
}

enum err json_number(struct str raw, double *out)
{
    return is_json_number(raw) ? str_to_double(raw, out) : ERR_SYNTAX;
}

enum err json_integer(struct str raw, int64_t *out)
{
    if (!is_json_number(raw))
        return ERR_SYNTAX;
    enum err err = str_to_i64(raw, out);
    if (err != ERR_SYNTAX)
        return err;
    double v;
    err = str_to_double(raw, &v);
    if (err)
        return err;
    /* Above 2^53 the double may have been rounded. */
    if (v < -0x1p53 || v > 0x1p53 || v != (double)(int64_t)v)
        return ERR_RANGE;
    *out = (int64_t)v;
    return ERR_OK;
}
