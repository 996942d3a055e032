#include "history/chunk_internal.h"
#include "history/ints.h"
#include <math.h>
#include <string.h>

#define EXPONENT_MAX 9
#define ASIDE_SHARE  32u /* one in so many values may be kept aside */
#define ASIDE_MAX    (CHUNK_POINTS_MAX / ASIDE_SHARE)
#define GOOD_BYTES   4u /* a value; with less, xor is not tried */

/* On disk: never renumber. */
enum {
    FORM_DECIMAL = 0,
    FORM_BITS = 1,
    FORM_XOR = 2,
};

static const double pow10_of[EXPONENT_MAX + 1] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

static double double_of(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof(d));
    return d;
}
static uint64_t bits_of(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof(bits));
    return bits;
}

/* ---- decimal ---- */

struct decimal {
    int64_t v[CHUNK_POINTS_MAX];
    uint32_t aside[ASIDE_MAX]; /* places of values that no scaling gives back */
    uint32_t asides;
    unsigned exponent;
};

static bool scaled(uint64_t bits, unsigned exponent, int64_t *out)
{
    double s = double_of(bits) * pow10_of[exponent];
    if (!(fabs(s) < 9007199254740992.0)) /* 2^53; false for NaN too */
        return false;
    *out = (int64_t)nearbyint(s); /* back through the integer: it has no minus zero */
    return bits_of((double)*out / pow10_of[exponent]) == bits;
}

static bool decimal_try(struct decimal *d, const uint64_t *v, uint32_t n, unsigned exponent)
{
    d->exponent = exponent;
    d->asides = 0;
    int64_t last = 0;
    for (uint32_t i = 0; i < n; i++) {
        int64_t x;
        if (scaled(v[i], exponent, &x)) {
            last = x;
        } else {
            if (d->asides >= n / ASIDE_SHARE)
                return false;
            d->aside[d->asides++] = i;
        }
        d->v[i] = last; /* the place of one aside costs nothing */
    }
    return true;
}

static size_t decimal_size(const struct decimal *d, uint32_t n, uint8_t *how)
{
    return 3 + (size_t)d->asides * 10 + ints_plan(d->v, n, how);
}

static void decimal_encode(struct writer *w, const struct decimal *d, const uint64_t *v, uint32_t n,
                           uint8_t how)
{
    writer_u8(w, FORM_DECIMAL);
    writer_u8(w, (uint8_t)d->exponent);
    writer_varint(w, d->asides);
    uint32_t last = 0;
    for (uint32_t i = 0; i < d->asides; i++) {
        writer_varint(w, d->aside[i] - last);
        writer_u64le(w, v[d->aside[i]]);
        last = d->aside[i];
    }
    ints_encode(w, d->v, n, how);
}

static bool decimal_decode(struct cursor *c, uint64_t *v, uint32_t n)
{
    unsigned exponent = cursor_u8(c);
    uint64_t asides = cursor_varint(c);
    if (c->failed || exponent > EXPONENT_MAX || asides > n / ASIDE_SHARE)
        return false;
    uint32_t place[ASIDE_MAX];
    uint64_t kept[ASIDE_MAX];
    uint64_t at = 0;
    for (uint32_t i = 0; i < asides; i++) {
        uint64_t step = cursor_varint(c);
        if (step >= n || (at += step) >= n)
            return false;
        place[i] = (uint32_t)at;
        kept[i] = cursor_u64le(c);
    }
    if (!ints_decode(c, (int64_t *)v, n))
        return false;
    for (uint32_t i = 0; i < n; i++)
        v[i] = bits_of((double)(int64_t)v[i] / pow10_of[exponent]);
    for (uint32_t i = 0; i < asides; i++)
        v[place[i]] = kept[i];
    return true;
}

/* ---- xor ---- */

struct bit_writer {
    struct writer *w;
    uint64_t acc;
    unsigned held; /* < 8 */
};

static void put_bits(struct bit_writer *b, uint64_t v, unsigned n)
{
    while (n > 0) {
        unsigned take = 8 - b->held < n ? 8 - b->held : n;
        n -= take;
        b->acc = b->acc << take | (v >> n & ((1u << take) - 1));
        b->held += take;
        if (b->held == 8) {
            writer_u8(b->w, (uint8_t)b->acc);
            b->acc = 0;
            b->held = 0;
        }
    }
}

static uint64_t get_bits(struct cursor *c, unsigned *held, uint8_t *byte, unsigned n)
{
    uint64_t v = 0;
    while (n > 0) {
        if (*held == 0) {
            *byte = cursor_u8(c);
            *held = 8;
        }
        unsigned take = *held < n ? *held : n;
        *held -= take;
        n -= take;
        v = v << take | ((unsigned)*byte >> *held & ((1u << take) - 1));
    }
    return v;
}

static void xor_encode(struct writer *w, const uint64_t *v, uint32_t n)
{
    writer_u8(w, FORM_XOR);
    struct bit_writer b = {.w = w};
    unsigned lead = 0;
    unsigned size = 0; /* of the meaningful bits; 0: no window yet */
    uint64_t last = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t x = v[i] ^ last;
        last = v[i];
        if (x == 0) {
            put_bits(&b, 0, 1);
            continue;
        }
        unsigned l = (unsigned)__builtin_clzll(x);
        unsigned t = (unsigned)__builtin_ctzll(x);
        l = l > 31 ? 31 : l;
        bool fits = size > 0 && l >= lead && t >= 64 - lead - size;
        if (fits && size < 64 - l - t + 11) {
            put_bits(&b, 2, 2);
        } else {
            lead = l;
            size = 64 - l - t;
            put_bits(&b, 3, 2);
            put_bits(&b, lead, 5);
            put_bits(&b, size - 1, 6);
        }
        put_bits(&b, x >> (64 - lead - size), size);
    }
    if (b.held)
        put_bits(&b, 0, 8 - b.held);
}

static bool xor_decode(struct cursor *c, uint64_t *v, uint32_t n)
{
    unsigned held = 0;
    uint8_t byte = 0;
    unsigned lead = 0;
    unsigned size = 0;
    uint64_t last = 0;
    for (uint32_t i = 0; i < n && !c->failed; i++) {
        if (get_bits(c, &held, &byte, 1)) {
            if (get_bits(c, &held, &byte, 1)) {
                lead = (unsigned)get_bits(c, &held, &byte, 5);
                size = (unsigned)get_bits(c, &held, &byte, 6) + 1;
            }
            if (size == 0 || lead + size > 64)
                return false;
            last ^= get_bits(c, &held, &byte, size) << (64 - lead - size);
        }
        v[i] = last;
    }
    return !c->failed;
}

/* ---- the choice ---- */

size_t floats_bound(uint32_t n)
{
    return ints_bound(n) + (size_t)n * 2 + 64; /* xor: 77 bits a value at most */
}

static size_t xor_size(const uint64_t *v, uint32_t n)
{
    uint8_t room[CHUNK_POINTS_MAX * 10 + 16];
    struct writer w = writer_from(room, sizeof(room));
    xor_encode(&w, v, n);
    return writer_len(&w);
}

void floats_encode(struct writer *w, const uint64_t *v, uint32_t n)
{
    struct decimal d;
    uint8_t how = 0;
    uint8_t bits_how = 0;
    size_t best = SIZE_MAX;
    for (unsigned e = 0; e <= EXPONENT_MAX; e++) {
        if (!decimal_try(&d, v, n, e))
            continue;
        best = decimal_size(&d, n, &how);
        break;
    }
    bool decimal = best != SIZE_MAX;
    if (!decimal || best > (size_t)n * GOOD_BYTES) {
        size_t bits = 1 + ints_plan((const int64_t *)v, n, &bits_how);
        size_t xor = xor_size(v, n);
        if (xor < bits && xor < best) {
            xor_encode(w, v, n);
            return;
        }
        decimal = decimal && best <= bits;
    }
    if (decimal) {
        decimal_encode(w, &d, v, n, how);
        return;
    }
    writer_u8(w, FORM_BITS);
    ints_encode(w, (const int64_t *)v, n, bits_how);
}

bool floats_decode(struct cursor *c, uint64_t *v, uint32_t n)
{
    switch (cursor_u8(c)) {
    case FORM_DECIMAL: return !c->failed && decimal_decode(c, v, n);
    case FORM_BITS: return ints_decode(c, (int64_t *)v, n);
    case FORM_XOR: return xor_decode(c, v, n);
    default: return false;
    }
}
