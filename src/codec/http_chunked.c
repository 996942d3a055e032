#include "codec/http.h"

#define EXTRA_MAX 8192u /* extensions and trailers of one body */

enum chunked_state {
    CH_SIZE,      /* hexadecimal digits */
    CH_EXTENSION, /* behind ";", up to CR */
    CH_SIZE_LF,
    CH_DATA,
    CH_DATA_CR,
    CH_DATA_LF,
    CH_TRAILER, /* at the start of a line behind the last chunk */
    CH_TRAILER_LINE,
    CH_TRAILER_LF,
    CH_LAST_LF,
    CH_DONE,
    CH_BAD,
};

static enum chunked_state size_byte(struct http_chunked *c, uint8_t b)
{
    int v = str_hex_digit(b);
    if (v >= 0) {
        if (++c->digits > 13)
            return CH_BAD;
        c->left = c->left << 4 | (uint64_t)v;
        return CH_SIZE;
    }
    if (c->digits == 0)
        return CH_BAD;
    if (b == '\r')
        return CH_SIZE_LF;
    return b == ';' ? CH_EXTENSION : CH_BAD;
}

/* Text up to a CR, counted and passed over. */
static enum chunked_state passed_byte(struct http_chunked *c, uint8_t b, enum chunked_state here,
                                      enum chunked_state behind)
{
    if (b == '\r')
        return behind;
    bool text = b == '\t' || (b >= 0x20 && b != 0x7F);
    return text && ++c->extra <= EXTRA_MAX ? here : CH_BAD;
}

static enum chunked_state size_done(struct http_chunked *c)
{
    c->digits = 0;
    return c->left ? CH_DATA : CH_TRAILER;
}

static enum chunked_state next_state(struct http_chunked *c, uint8_t b)
{
    switch (c->state) {
    case CH_SIZE: return size_byte(c, b);
    case CH_EXTENSION: return passed_byte(c, b, CH_EXTENSION, CH_SIZE_LF);
    case CH_SIZE_LF: return b == '\n' ? size_done(c) : CH_BAD;
    case CH_DATA_CR: return b == '\r' ? CH_DATA_LF : CH_BAD;
    case CH_DATA_LF: return b == '\n' ? CH_SIZE : CH_BAD;
    case CH_TRAILER: return passed_byte(c, b, CH_TRAILER_LINE, CH_LAST_LF);
    case CH_TRAILER_LINE: return passed_byte(c, b, CH_TRAILER_LINE, CH_TRAILER_LF);
    case CH_TRAILER_LF: return b == '\n' ? CH_TRAILER : CH_BAD;
    case CH_LAST_LF: return b == '\n' ? CH_DONE : CH_BAD;
    default: return CH_BAD;
    }
}

enum http_result http_chunked_next(struct http_chunked *c, struct bytes in, size_t *used,
                                   struct bytes *piece)
{
    *piece = (struct bytes){0};
    *used = 0;
    while (c->state != CH_DONE && c->state != CH_BAD && *used < in.n) {
        if (c->state != CH_DATA) {
            c->state = next_state(c, in.p[(*used)++]);
            continue;
        }
        size_t n = in.n - *used;
        if (n > c->left)
            n = (size_t)c->left;
        *piece = (struct bytes){in.p + *used, n};
        *used += n;
        c->left -= n;
        if (c->left == 0)
            c->state = CH_DATA_CR;
        return HTTP_MORE;
    }
    if (c->state == CH_BAD)
        return HTTP_BAD;
    return c->state == CH_DONE ? HTTP_DONE : HTTP_MORE;
}
