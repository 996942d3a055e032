/* Pieces of text inside a head: percent-encoding, queries, lists. */
#include "codec/http.h"

#include "base/utf8.h"

/* The byte at *i, decoded, and *i behind it; -1 for a broken escape. */
static int decode_byte(struct str raw, bool plus, size_t *i)
{
    char c = raw.p[(*i)++];
    if (c == '+' && plus)
        return ' ';
    if (c != '%')
        return (unsigned char)c;
    if (raw.n - *i < 2)
        return -1;
    int high = str_hex_digit(raw.p[*i]), low = str_hex_digit(raw.p[*i + 1]);
    *i += 2;
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

enum err http_decode(struct str raw, bool plus, char *buf, size_t cap, struct str *out)
{
    size_t n = 0;
    for (size_t i = 0; i < raw.n;) {
        int c = decode_byte(raw, plus, &i);
        if (c < 0x20 || c == 0x7F)
            return ERR_SYNTAX;
        if (n == cap)
            return ERR_RANGE;
        buf[n++] = (char)c;
    }
    *out = (struct str){buf, n};
    return utf8_valid(*out) ? ERR_OK : ERR_SYNTAX;
}

bool http_query_next(struct str *query, struct str *key, struct str *value)
{
    struct str pair;
    do {
        if (!str_split(query, '&', &pair))
            return false;
    } while (pair.n == 0);
    size_t at;
    bool valued = str_find(pair, '=', &at);
    *key = valued ? str_sub(pair, 0, at) : pair;
    *value = valued ? str_sub(pair, at + 1, pair.n) : STR("");
    return true;
}

/* Whether the decoded text is `want`, without a buffer for it. */
static bool decodes_to(struct str raw, struct str want)
{
    size_t n = 0;
    for (size_t i = 0; i < raw.n; n++)
        if (n == want.n || decode_byte(raw, true, &i) != (unsigned char)want.p[n])
            return false;
    return n == want.n;
}

enum err http_query_get(struct str query, const char *key, char *buf, size_t cap, struct str *value)
{
    struct str k, v;
    while (http_query_next(&query, &k, &v))
        if (decodes_to(k, str_from(key)))
            return http_decode(v, true, buf, cap, value);
    return ERR_NOT_FOUND;
}

bool http_same(struct str a, struct str b)
{
    return str_same(a, b);
}

bool http_list_next(struct str *list, struct str *element)
{
    while (list->p) {
        /* Not at a comma inside quotes, as entity tags may have one. */
        size_t n = 0;
        bool quoted = false;
        while (n < list->n && (quoted || list->p[n] != ',')) {
            quoted ^= list->p[n] == '"';
            n++;
        }
        *element = str_trim(str_sub(*list, 0, n));
        *list = n < list->n ? str_sub(*list, n + 1, list->n) : (struct str){0};
        if (element->n)
            return true;
    }
    return false;
}

bool http_list_has(struct str list, const char *token)
{
    struct str e;
    while (http_list_next(&list, &e))
        if (http_same(e, str_from(token)))
            return true;
    return false;
}

bool http_media_type_is(struct str value, const char *type)
{
    struct str first;
    return str_split(&value, ';', &first) && http_same(str_trim(first), str_from(type));
}

/* A weight (RFC 9110, 12.4.2): 0.5 of "q=0.5", 1 if there is none, 0 if it can't be read. */
static double weight_of(struct str params)
{
    struct str p;
    while (str_split(&params, ';', &p)) {
        p = str_trim(p);
        if (!http_same(str_sub(p, 0, 2), STR("q=")))
            continue;
        double q;
        return str_to_double(str_sub(p, 2, p.n), &q) == ERR_OK ? q : 0;
    }
    return 1;
}

bool http_accepts_gzip(struct str accept_encoding)
{
    struct str e, coding;
    double gzip = -1, identity = -1, any = 0; /* -1: is not named */
    while (http_list_next(&accept_encoding, &e)) {
        if (!str_split(&e, ';', &coding))
            continue;
        coding = str_trim(coding);
        if (http_same(coding, STR("gzip")) || http_same(coding, STR("x-gzip")))
            gzip = gzip > 0 ? gzip : weight_of(e);
        else if (http_same(coding, STR("identity")))
            identity = weight_of(e);
        else if (str_eq(coding, STR("*")))
            any = weight_of(e);
    }
    if (gzip < 0)
        gzip = any;
    return gzip > 0 && gzip >= identity;
}

bool http_etag_matches(struct str if_none_match, struct str etag)
{
    struct str e;
    if (str_starts(etag, STR("W/")))
        etag = str_sub(etag, 2, etag.n);
    while (http_list_next(&if_none_match, &e)) {
        if (str_eq(e, STR("*")))
            return true;
        if (str_starts(e, STR("W/")))
            e = str_sub(e, 2, e.n);
        if (str_eq(e, etag))
            return true;
    }
    return false;
}
