#include "history/ints.h"
#include <string.h>

#define BLOCK 128u

/* On disk: never renumber. */
enum {
    HOW_CONSTANT = 0,
    HOW_LINE = 1,
    HOW_PLAIN = 2,
    HOW_DELTA = 3,
    HOW_DELTA2 = 4,
    HOW_RUNS = 5,
    HOW_EXACT = 6, /* a line without any distance */
    HOW_COUNT = 7,
};

static uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}
static unsigned bits_of(uint64_t v)
{
    return v ? 64 - (unsigned)__builtin_clzll(v) : 0;
}
static size_t varint_size(uint64_t v)
{
    return v ? (bits_of(v) + 6) / 7 : 1;
}
static uint64_t low_mask(unsigned bits)
{
    return bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

/* ---- one block ---- */

struct plan {
    int64_t ref;
    unsigned width, patches;
    size_t size;
};

/* Merge sort: qsort() calls back for every comparison, and this is the codec's hottest loop. */
static void sort_block(int64_t *s, unsigned n)
{
    int64_t other[BLOCK] = {0};
    int64_t *from = s;
    int64_t *to = other;
    for (unsigned width = 1; width < n; width *= 2) {
        for (unsigned a = 0; a < n; a += 2 * width) {
            unsigned m = a + width < n ? a + width : n;
            unsigned end = a + 2 * width < n ? a + 2 * width : n;
            unsigned i = a;
            unsigned k = m;
            for (unsigned o = a; o < end; o++)
                to[o] = i < m && (k >= end || from[i] <= from[k]) ? from[i++] : from[k++];
        }
        int64_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != s)
        memcpy(s, from, n * sizeof(*s));
}

/* What does not fit into `width` bits above ref: signed, so that numbers a little below it stay
 * small. */
static uint64_t patch_of(int64_t v, int64_t ref, unsigned width)
{
    return zigzag((int64_t)((uint64_t)v - (uint64_t)ref) >> width);
}

static size_t packed_size(unsigned n, unsigned width)
{
    return ((size_t)n * width + 7) / 8;
}

/* The block with this reference and width. Not only the numbers of the range fit: one that lies
 * more than 2^63 below wraps into it. */
static struct plan plan_with(const int64_t *v, unsigned n, int64_t ref, unsigned width)
{
    struct plan p = {ref, width, 0, 2 + varint_size(zigzag(ref)) + packed_size(n, width)};
    for (unsigned i = 0; i < n; i++) {
        if ((uint64_t)v[i] - (uint64_t)ref <= low_mask(width))
            continue;
        p.patches++;
        p.size += 1 + varint_size(patch_of(v[i], ref, width));
    }
    return p;
}

/* Where the range of this width starts that holds most of the sorted numbers. */
static unsigned fullest_range(const int64_t *s, unsigned n, unsigned width, unsigned *count)
{
    uint64_t mask = low_mask(width);
    unsigned from = 0;
    unsigned k = 0;
    *count = 0;
    for (unsigned i = 0; i < n && n - i > *count; i++) {
        while (k < n && (uint64_t)s[k] - (uint64_t)s[i] <= mask)
            k++;
        if (k - i > *count) {
            *count = k - i;
            from = i;
        }
    }
    return from;
}

static struct plan plan_block(const int64_t *v, unsigned n)
{
    int64_t min = v[0];
    int64_t max = v[0];
    for (unsigned i = 1; i < n; i++) {
        min = v[i] < min ? v[i] : min;
        max = v[i] > max ? v[i] : max;
    }
    unsigned whole = bits_of((uint64_t)max - (uint64_t)min);
    struct plan best = {min, whole, 0, 2 + varint_size(zigzag(min)) + packed_size(n, whole)};
    if (whole <= 2)
        return best;
    int64_t s[BLOCK];
    memcpy(s, v, n * sizeof(*s));
    sort_block(s, n);
    for (unsigned width = whole; width-- > 0;) {
        unsigned count;
        unsigned from = fullest_range(s, n, width, &count);
        size_t least = packed_size(n, width) + 2 * (size_t)(n - count) + 3;
        if (least >= best.size + n / 8)
            break; /* with fewer bits it only gets worse */
        if (least >= best.size)
            continue;
        struct plan p = plan_with(s, n, s[from], width);
        if (p.size < best.size)
            best = p;
    }
    return best;
}

static void pack(struct writer *w, const int64_t *v, unsigned n, const struct plan *p)
{
    unsigned __int128 acc = 0;
    unsigned held = 0;
    for (unsigned i = 0; i < n; i++) {
        uint64_t x = ((uint64_t)v[i] - (uint64_t)p->ref) & low_mask(p->width);
        acc |= (unsigned __int128)x << held;
        held += p->width;
        while (held >= 8) {
            writer_u8(w, (uint8_t)acc);
            acc >>= 8;
            held -= 8;
        }
    }
    if (held)
        writer_u8(w, (uint8_t)acc);
}

static void block_encode(struct writer *w, const int64_t *v, unsigned n)
{
    struct plan p = plan_block(v, n);
    writer_svarint(w, p.ref);
    writer_u8(w, (uint8_t)p.width);
    writer_u8(w, (uint8_t)p.patches);
    pack(w, v, n, &p);
    for (unsigned i = 0; i < n; i++) {
        uint64_t x = (uint64_t)v[i] - (uint64_t)p.ref;
        if (x <= low_mask(p.width))
            continue;
        writer_u8(w, (uint8_t)i);
        writer_varint(w, patch_of(v[i], p.ref, p.width));
    }
}

static bool block_decode(struct cursor *c, int64_t *v, unsigned n)
{
    int64_t ref = cursor_svarint(c);
    unsigned width = cursor_u8(c);
    unsigned patches = cursor_u8(c);
    if (c->failed || width > 64 || patches > n || (width == 64 && patches > 0))
        return false;
    size_t size = packed_size(n, width);
    struct bytes in = cursor_take(c, size);
    if (c->failed)
        return false;
    uint8_t p[BLOCK * 8 + 16] = {0};
    if (size)
        memcpy(p, in.p, size);
    uint64_t mask = low_mask(width);
    for (unsigned i = 0; i < n; i++) {
        size_t bit = (size_t)i * width;
        uint64_t x;
        memcpy(&x, p + bit / 8, sizeof(x));
        x = bit % 8 ? x >> (bit % 8) | (uint64_t)p[bit / 8 + 8] << (64 - bit % 8) : x;
        v[i] = (int64_t)((x & mask) + (uint64_t)ref);
    }
    for (unsigned i = 0; i < patches; i++) {
        unsigned at = cursor_u8(c);
        uint64_t high = (uint64_t)cursor_svarint(c);
        if (c->failed || at >= n)
            return false;
        uint64_t low = ((uint64_t)v[at] - (uint64_t)ref) & mask;
        v[at] = (int64_t)((low | high << width) + (uint64_t)ref);
    }
    return true;
}

/* ---- the row ---- */

size_t ints_bound(uint32_t n)
{
    return (size_t)n * 8 + ((size_t)n / BLOCK + 1) * 13 + 32;
}

static int64_t line_step(const int64_t *v, uint32_t n)
{
    __int128 span = (__int128)v[n - 1] - v[0];
    __int128 half = (n - 1) / 2;
    return (int64_t)((span >= 0 ? span + half : span - half) / (n - 1));
}

/* The numbers that are packed, m of them, in out; what is needed beside them, in a and b. */
static uint32_t transform(const int64_t *v, uint32_t n, uint8_t how, int64_t *out, int64_t *a,
                          int64_t *b)
{
    *a = v[0];
    *b = 0;
    const uint64_t *u = (const uint64_t *)v;
    switch (how) {
    case HOW_LINE: {
        *b = line_step(v, n);
        uint64_t at = u[0];
        for (uint32_t i = 0; i < n; i++, at += (uint64_t)*b)
            out[i] = (int64_t)(u[i] - at);
        return n;
    }
    case HOW_PLAIN: memcpy(out, v, n * sizeof(*v)); return n;
    case HOW_DELTA:
        for (uint32_t i = 1; i < n; i++)
            out[i - 1] = (int64_t)(u[i] - u[i - 1]);
        return n - 1;
    default:
        *b = (int64_t)(u[1] - u[0]);
        for (uint32_t i = 2; i < n; i++)
            out[i - 2] = (int64_t)(u[i] - 2 * u[i - 1] + u[i - 2]);
        return n - 2;
    }
}

/* Of a long row every fourth block is looked at. */
static size_t blocks_size(const int64_t *v, uint32_t n)
{
    uint32_t blocks = (n + BLOCK - 1) / BLOCK;
    uint32_t stride = blocks > 4 ? 4 : 1;
    size_t size = 0;
    for (uint32_t i = 0; i < blocks; i += stride) {
        uint32_t left = n - i * BLOCK;
        size += plan_block(v + (size_t)i * BLOCK, left < BLOCK ? left : BLOCK).size;
    }
    uint32_t seen = (blocks + stride - 1) / stride;
    return seen ? size * blocks / seen : 0;
}

static size_t runs_size(const int64_t *v, uint32_t n, uint32_t *runs)
{
    size_t size = 0;
    uint64_t last = 0;
    *runs = 0;
    for (uint32_t i = 0; i < n;) {
        uint32_t k = i + 1;
        while (k < n && v[k] == v[i])
            k++;
        size += varint_size(zigzag((int64_t)((uint64_t)v[i] - last))) + varint_size(k - i - 1);
        last = (uint64_t)v[i];
        (*runs)++;
        i = k;
    }
    return size + varint_size(*runs);
}

static bool has_beside(uint8_t how, unsigned which)
{
    return which == 0 ? how != HOW_PLAIN : how == HOW_LINE || how == HOW_DELTA2 || how == HOW_EXACT;
}

static bool is_exact(const int64_t *v, uint32_t n)
{
    const uint64_t *u = (const uint64_t *)v;
    uint64_t step = u[1] - u[0];
    uint32_t i = 2;
    while (i < n && u[i] - u[i - 1] == step)
        i++;
    return i == n;
}

#define SLICE 4096u /* numbers in a row at most: the caller's chunk limit */

size_t ints_plan(const int64_t *v, uint32_t n, uint8_t *how)
{
    ASSERT(n <= SLICE);
    *how = HOW_CONSTANT;
    if (n == 0)
        return 0;
    uint32_t runs;
    size_t best = runs_size(v, n, &runs);
    if (runs == 1)
        return 1 + varint_size(zigzag(v[0]));
    if (is_exact(v, n)) {
        *how = HOW_EXACT;
        return 1 + varint_size(zigzag(v[0])) +
               varint_size(zigzag((int64_t)((uint64_t)v[1] - (uint64_t)v[0])));
    }
    *how = HOW_RUNS;
    int64_t out[SLICE] = {0};
    for (unsigned k = HOW_LINE; k <= HOW_DELTA2; k++) {
        int64_t a;
        int64_t b;
        uint32_t m = transform(v, n, (uint8_t)k, out, &a, &b);
        size_t size = (has_beside((uint8_t)k, 0) ? varint_size(zigzag(a)) : 0) +
                      (has_beside((uint8_t)k, 1) ? varint_size(zigzag(b)) : 0);
        size += blocks_size(out, m);
        if (size < best) {
            best = size;
            *how = (uint8_t)k;
        }
    }
    return best + 1;
}

static void runs_encode(struct writer *w, const int64_t *v, uint32_t n)
{
    uint32_t runs;
    (void)runs_size(v, n, &runs);
    writer_varint(w, runs);
    uint64_t last = 0;
    for (uint32_t i = 0; i < n;) {
        uint32_t k = i + 1;
        while (k < n && v[k] == v[i])
            k++;
        writer_svarint(w, (int64_t)((uint64_t)v[i] - last));
        writer_varint(w, k - i - 1);
        last = (uint64_t)v[i];
        i = k;
    }
}

void ints_encode(struct writer *w, const int64_t *v, uint32_t n, uint8_t how)
{
    ASSERT(n <= SLICE);
    if (n == 0)
        return;
    writer_u8(w, how);
    if (how == HOW_CONSTANT) {
        writer_svarint(w, v[0]);
        return;
    }
    if (how == HOW_RUNS) {
        runs_encode(w, v, n);
        return;
    }
    if (how == HOW_EXACT) {
        writer_svarint(w, v[0]);
        writer_svarint(w, (int64_t)((uint64_t)v[1] - (uint64_t)v[0]));
        return;
    }
    int64_t out[SLICE] = {0};
    int64_t a;
    int64_t b;
    uint32_t m = transform(v, n, how, out, &a, &b);
    if (has_beside(how, 0))
        writer_svarint(w, a);
    if (has_beside(how, 1))
        writer_svarint(w, b);
    for (uint32_t i = 0; i < m; i += BLOCK)
        block_encode(w, out + i, m - i < BLOCK ? m - i : BLOCK);
}

static bool runs_decode(struct cursor *c, int64_t *v, uint32_t n)
{
    uint64_t runs = cursor_varint(c);
    uint64_t last = 0;
    uint32_t at = 0;
    for (; runs > 0 && !c->failed; runs--) {
        last += (uint64_t)cursor_svarint(c);
        uint64_t more = cursor_varint(c);
        if (c->failed || at >= n || more >= n - at)
            return false;
        for (uint64_t i = 0; i <= more; i++)
            v[at++] = (int64_t)last;
    }
    return !c->failed && at == n;
}

/* The reverse of transform(), in place: the packed numbers lie at the end of v. */
static void restore(int64_t *v, uint32_t n, uint8_t how, int64_t a, int64_t b)
{
    uint64_t *u = (uint64_t *)v;
    uint64_t at = (uint64_t)a;
    uint64_t step = (uint64_t)b;
    switch (how) {
    case HOW_LINE:
        for (uint32_t i = 0; i < n; i++, at += step)
            u[i] += at;
        break;
    case HOW_DELTA:
        u[0] = at;
        for (uint32_t i = 1; i < n; i++)
            u[i] += u[i - 1];
        break;
    case HOW_DELTA2:
        u[0] = at;
        u[1] = at + step;
        for (uint32_t i = 2; i < n; i++) {
            step += u[i];
            u[i] = u[i - 1] + step;
        }
        break;
    default: break;
    }
}

bool ints_decode(struct cursor *c, int64_t *v, uint32_t n)
{
    if (n == 0)
        return true;
    uint8_t how = cursor_u8(c);
    if (c->failed || how >= HOW_COUNT)
        return false;
    if (how == HOW_RUNS)
        return runs_decode(c, v, n);
    int64_t a = has_beside(how, 0) ? cursor_svarint(c) : 0;
    int64_t b = has_beside(how, 1) ? cursor_svarint(c) : 0;
    if (how == HOW_CONSTANT || how == HOW_EXACT) {
        for (uint32_t i = 0; i < n; i++)
            v[i] = (int64_t)((uint64_t)a + (uint64_t)b * i);
        return !c->failed;
    }
    uint32_t skip = how == HOW_DELTA ? 1 : how == HOW_DELTA2 ? 2 : 0;
    if (skip > n)
        return false;
    for (uint32_t i = skip; i < n; i += BLOCK)
        if (!block_decode(c, v + i, n - i < BLOCK ? n - i : BLOCK))
            return false;
    restore(v, n, how, a, b);
    return !c->failed;
}
