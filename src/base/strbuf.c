#include "base/str.h"
#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define STRBUF_MAX ((size_t)1 << 30)

/* What an empty buffer points to; nobody writes there, since its capacity is 0. */
static char empty[1];

void strbuf_init(struct strbuf *b, struct alloc *a, size_t max)
{
    *b = (struct strbuf){.p = empty, .max = max ? max : STRBUF_MAX, .alloc = a};
}

void strbuf_fini(struct strbuf *b)
{
    if (b->cap)
        mem_free(b->alloc, b->p, b->cap);
    b->p = empty;
    b->n = b->cap = 0;
    b->failed = false;
}

void strbuf_reset(struct strbuf *b)
{
    b->n = 0;
    b->failed = false;
    if (b->cap)
        b->p[0] = '\0';
}

/* Room for `more` bytes and the NUL. */
static bool strbuf_room(struct strbuf *b, size_t more)
{
    if (b->failed)
        return false;
    if (more > b->max || b->n > b->max - more) {
        b->failed = true;
        return false;
    }
    size_t need = b->n + more + 1;
    if (need <= b->cap)
        return true;
    size_t cap = b->cap ? b->cap * 2 : 64;
    if (cap > b->max + 1)
        cap = b->max + 1;
    if (cap < need)
        cap = need;
    char *p = mem_resize(b->alloc, b->cap ? b->p : NULL, b->cap, cap);
    if (!p) {
        b->failed = true;
        return false;
    }
    b->p = p;
    b->cap = cap;
    return true;
}

void strbuf_add(struct strbuf *b, const void *p, size_t n)
{
    if (!strbuf_room(b, n))
        return;
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = '\0';
}

void strbuf_addc(struct strbuf *b, char c)
{
    strbuf_add(b, &c, 1);
}

void strbuf_adds(struct strbuf *b, const char *c)
{
    strbuf_add(b, c, strlen(c));
}

void strbuf_addstr(struct strbuf *b, struct str s)
{
    strbuf_add(b, s.p, s.n);
}

void strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(b, fmt, ap);
    va_end(ap);
}

void strbuf_vaddf(struct strbuf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    size_t left = b->cap ? b->cap - b->n : 0;
    int n = vsnprintf(left ? b->p + b->n : NULL, left, fmt, ap);
    if (n >= 0 && (size_t)n < left && !b->failed && (size_t)n <= b->max - b->n) {
        b->n += (size_t)n;
    } else {
        if (left)
            b->p[b->n] = '\0'; /* takes back what did not fit */
        if (n < 0)
            b->failed = true;
        else if (strbuf_room(b, (size_t)n)) {
            (void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
            b->n += (size_t)n;
        }
    }
    va_end(again);
}

void strbuf_add_i64(struct strbuf *b, int64_t v)
{
    char buf[20];
    size_t at = sizeof(buf);
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do {
        buf[--at] = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (v < 0)
        buf[--at] = '-';
    strbuf_add(b, buf + at, sizeof(buf) - at);
}

/* Whole numbers and a few decimals, which is nearly all that sensors report: digits / 10^k is
 * what a reader computes, so if it gives the number back, it is its text. */
static bool add_short_decimal(struct strbuf *b, double v)
{
    static const double scales[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    for (size_t k = 0; k < ARRAY_LEN(scales); k++) {
        double scale = scales[k];
        double scaled = nearbyint(v * scale);
        if (fabs(scaled) > 1e15)
            return false;
        if (scaled / scale != v)
            continue;
        int64_t whole = (int64_t)scaled;
        if (k == 0) {
            strbuf_add_i64(b, whole);
            return true;
        }
        if (whole < 0) {
            strbuf_addc(b, '-');
            whole = -whole;
        }
        strbuf_add_i64(b, whole / (int64_t)scale);
        char frac[8] = {'.'};
        int64_t f = whole % (int64_t)scale;
        for (size_t i = k; i > 0; i--, f /= 10)
            frac[i] = (char)('0' + f % 10);
        strbuf_add(b, frac, (size_t)k + 1);
        return true;
    }
    return false;
}

void strbuf_add_double(struct strbuf *b, double v)
{
    if (!isfinite(v)) {
        strbuf_adds(b, "null");
        return;
    }
    if ((v != 0 || !signbit(v)) && add_short_decimal(b, v))
        return;
    char buf[40];
    for (int digits = 15; digits <= 17; digits++) {
        int n = snprintf(buf, sizeof(buf), "%.*g", digits, v);
        /* Whatever a locale puts between the digits is a point here. */
        size_t to = 0;
        for (int i = 0; i < n; i++) {
            bool plain =
                (buf[i] >= '0' && buf[i] <= '9') || buf[i] == 'e' || buf[i] == '-' || buf[i] == '+';
            if (plain)
                buf[to++] = buf[i];
            else if (to == 0 || buf[to - 1] != '.')
                buf[to++] = '.';
        }
        buf[to] = '\0';
        double back;
        if (str_to_double((struct str){buf, to}, &back) == ERR_OK && back == v)
            break;
    }
    strbuf_adds(b, buf);
}

static void add_json_escape(struct strbuf *b, unsigned char c)
{
    switch (c) {
    case '"': strbuf_add(b, "\\\"", 2); return;
    case '\\': strbuf_add(b, "\\\\", 2); return;
    case '\n': strbuf_add(b, "\\n", 2); return;
    case '\r': strbuf_add(b, "\\r", 2); return;
    case '\t': strbuf_add(b, "\\t", 2); return;
    default: strbuf_addf(b, "\\u%04x", c);
    }
}

void strbuf_add_json(struct strbuf *b, struct str s)
{
    strbuf_addc(b, '"');
    size_t done = 0, i = 0;
    while (i < s.n) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
            i++;
            continue;
        }
        size_t next = i;
        bool damaged = c >= 0x80 && utf8_next(s, &next) == 0xFFFD && next == i + 1;
        if (c >= 0x80 && !damaged) {
            i = next;
            continue;
        }
        strbuf_add(b, s.p + done, i - done);
        if (damaged)
            strbuf_adds(b, "\xEF\xBF\xBD");
        else
            add_json_escape(b, c);
        done = ++i;
    }
    strbuf_add(b, s.n ? s.p + done : "", s.n - done);
    strbuf_addc(b, '"');
}

struct str strbuf_str(const struct strbuf *b)
{
    return (struct str){b->p ? b->p : "", b->n};
}
