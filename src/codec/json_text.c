/* The text of strings and the value of numbers, from the raw slices that the reader gives. */
#include "codec/json.h"

#include <string.h>

#include "base/utf8.h"

static uint32_t hex_value(char c)
{
    return c <= '9' ? (uint32_t)(c - '0') : (uint32_t)((c | 0x20) - 'a') + 10;
}

static uint32_t hex4(const char *p)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++)
        v = v << 4 | hex_value(p[i]);
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

/* digits × 10^exp10, taken off a checked JSON number; trailing zeros count as exponent. */
struct scaled {
    int64_t digits, exp10; /* the digits negative: their range is the larger one */
    size_t zeros;          /* seen and not yet taken into digits */
    bool over;
};

static void scaled_digit(struct scaled *d, char c)
{
    if (c == '0') {
        d->zeros++;
        return;
    }
    for (; d->zeros > 0 && d->digits != 0 && !d->over; d->zeros--)
        d->over = __builtin_mul_overflow(d->digits, (int64_t)10, &d->digits);
    d->zeros = 0;
    d->over = d->over || __builtin_mul_overflow(d->digits, (int64_t)10, &d->digits) ||
              __builtin_sub_overflow(d->digits, (int64_t)(c - '0'), &d->digits);
}

static struct scaled scale(struct str raw)
{
    struct scaled d = {0};
    size_t e = 0, point = raw.n;
    while (e < raw.n && (raw.p[e] | 0x20) != 'e') {
        if (raw.p[e] == '.')
            point = e;
        else if (raw.p[e] != '-')
            scaled_digit(&d, raw.p[e]);
        e++;
    }
    /* An exponent that is too large counts as one that is large enough. */
    const int64_t clip = (int64_t)1 << 48;
    struct str exponent = str_sub(raw, e + 1, raw.n);
    bool negative = str_starts(exponent, STR("-"));
    if (str_starts(exponent, STR("+")))
        exponent = str_sub(exponent, 1, exponent.n);
    if (exponent.n && (str_to_i64(exponent, &d.exp10) || d.exp10 > clip || d.exp10 < -clip))
        d.exp10 = negative ? -clip : clip;
    d.exp10 += (int64_t)d.zeros - (point < e ? (int64_t)(e - point - 1) : 0);
    return d;
}

enum err json_integer(struct str raw, int64_t *out)
{
    double v;
    enum err err = json_number(raw, &v);
    if (err)
        return err;
    struct scaled d = scale(raw);
    bool negative = raw.p[0] == '-';
    if (d.digits == 0 && !d.over) {
        *out = 0;
        return ERR_OK;
    }
    if (d.exp10 < 0 || d.exp10 > 18)
        return ERR_RANGE;
    for (; d.exp10 > 0 && !d.over; d.exp10--)
        d.over = __builtin_mul_overflow(d.digits, (int64_t)10, &d.digits);
    if (d.over || (!negative && d.digits == INT64_MIN))
        return ERR_RANGE;
    *out = negative ? d.digits : -d.digits;
    return ERR_OK;
}
