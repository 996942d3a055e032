#include "history/points.h"
#include <math.h>
#include <string.h>

#define TEXT_MAX (16u << 20)

void points_init(struct points *p, struct alloc *a, enum value_kind kind)
{
    *p = (struct points){.alloc = a, .kind = kind};
    strbuf_init(&p->text, a, TEXT_MAX);
}

void points_fini(struct points *p)
{
    if (!p->alloc)
        return;
    mem_free(p->alloc, p->ts, p->cap * sizeof(*p->ts));
    mem_free(p->alloc, p->v, p->cap * sizeof(*p->v));
    strbuf_fini(&p->text);
    *p = (struct points){0};
}

void points_clear(struct points *p)
{
    p->n = 0;
    strbuf_reset(&p->text);
}

enum err points_reserve(struct points *p, uint32_t more)
{
    if (more <= p->cap - p->n)
        return ERR_OK;
    if (more > UINT32_MAX / 4 - p->n)
        return ERR_NOMEM;
    uint32_t cap = p->cap ? p->cap : 8;
    while (cap < p->n + more)
        cap *= 2;
    int64_t *ts = mem_array(p->alloc, cap, sizeof(*ts));
    uint64_t *v = mem_array(p->alloc, cap, sizeof(*v));
    if (!ts || !v) {
        mem_free(p->alloc, ts, cap * sizeof(*ts));
        mem_free(p->alloc, v, cap * sizeof(*v));
        return ERR_NOMEM;
    }
    if (p->n) {
        memcpy(ts, p->ts, p->n * sizeof(*ts));
        memcpy(v, p->v, p->n * sizeof(*v));
    }
    mem_free(p->alloc, p->ts, p->cap * sizeof(*ts));
    mem_free(p->alloc, p->v, p->cap * sizeof(*v));
    p->ts = ts;
    p->v = v;
    p->cap = cap;
    return ERR_OK;
}

static enum err add_text(struct points *p, struct str s, uint64_t *out)
{
    /* A state that lasts is kept once. */
    if (p->n > 0 && str_eq(points_value(p, p->n - 1).s, s)) {
        *out = p->v[p->n - 1];
        return ERR_OK;
    }
    *out = (uint64_t)p->text.n << 32 | s.n;
    strbuf_addstr(&p->text, s);
    if (!p->text.failed)
        return ERR_OK;
    p->text.failed = false;
    return ERR_NOMEM;
}

enum err points_add(struct points *p, int64_t ts_ms, const struct value *v)
{
    ASSERT(v->kind == p->kind);
    enum err r = points_reserve(p, 1);
    if (r != ERR_OK)
        return r;
    uint64_t bits = 0;
    switch (v->kind) {
    case VALUE_BOOL: bits = v->b; break;
    case VALUE_INT: bits = (uint64_t)v->i; break;
    case VALUE_FLOAT: memcpy(&bits, &v->f, sizeof(bits)); break;
    case VALUE_STR: r = add_text(p, v->s, &bits); break;
    case VALUE_NONE: break;
    }
    if (r != ERR_OK)
        return r;
    p->ts[p->n] = ts_ms;
    p->v[p->n++] = bits;
    return ERR_OK;
}

enum err points_add_range(struct points *p, const struct points *from, uint32_t first,
                          int64_t from_ms, int64_t to_ms)
{
    ASSERT(p->kind == from->kind);
    uint32_t match = 0;
    for (uint32_t i = first; i < from->n; i++)
        match += from->ts[i] >= from_ms && from->ts[i] < to_ms;
    enum err r = points_reserve(p, match);
    for (uint32_t i = first; r == ERR_OK && i < from->n; i++) {
        if (from->ts[i] < from_ms || from->ts[i] >= to_ms)
            continue;
        uint64_t bits = from->v[i];
        if (p->kind == VALUE_STR)
            r = add_text(p, points_value(from, i).s, &bits);
        if (r != ERR_OK)
            break;
        p->ts[p->n] = from->ts[i];
        p->v[p->n++] = bits;
    }
    return r;
}

struct value points_value(const struct points *p, uint32_t i)
{
    struct value v = {.kind = p->kind};
    uint64_t bits = p->v[i];
    switch (p->kind) {
    case VALUE_BOOL: v.b = bits != 0; break;
    case VALUE_INT: v.i = (int64_t)bits; break;
    case VALUE_FLOAT: memcpy(&v.f, &bits, sizeof(bits)); break;
    case VALUE_STR:
        v.s = (struct str){p->text.p + (bits >> 32), (size_t)(bits & UINT32_MAX)};
        break;
    case VALUE_NONE: break;
    }
    return v;
}

double points_number(const struct points *p, uint32_t i)
{
    struct value v = points_value(p, i);
    return value_number(&v);
}

/* ---- sorting ---- */

static void merge(const struct points *p, const uint32_t *in, uint32_t *out, uint32_t a, uint32_t m,
                  uint32_t b)
{
    uint32_t i = a;
    uint32_t k = m;
    for (uint32_t o = a; o < b; o++) {
        bool left = i < m && (k >= b || p->ts[in[i]] <= p->ts[in[k]]);
        out[o] = left ? in[i++] : in[k++];
    }
}

/* Merge sort of places, so that equal times keep their order. */
static uint32_t *sorted_places(const struct points *p, uint32_t *x, uint32_t *y)
{
    for (uint32_t i = 0; i < p->n; i++)
        x[i] = i;
    for (uint32_t width = 1; width < p->n; width *= 2) {
        for (uint32_t a = 0; a < p->n; a += 2 * width) {
            uint32_t m = a + width < p->n ? a + width : p->n;
            uint32_t b = a + 2 * width < p->n ? a + 2 * width : p->n;
            merge(p, x, y, a, m, b);
        }
        uint32_t *swap = x;
        x = y;
        y = swap;
    }
    return x;
}

enum err points_sort(struct points *p)
{
    uint32_t i = 1;
    while (i < p->n && p->ts[i - 1] <= p->ts[i])
        i++;
    if (i >= p->n)
        return ERR_OK;
    size_t places = (size_t)p->n * 2;
    uint32_t *work = mem_array(p->alloc, places, sizeof(*work));
    int64_t *ts = mem_array(p->alloc, p->cap, sizeof(*ts));
    uint64_t *v = mem_array(p->alloc, p->cap, sizeof(*v));
    bool ok = work && ts && v;
    if (ok) {
        const uint32_t *at = sorted_places(p, work, work + p->n);
        for (i = 0; i < p->n; i++) {
            ts[i] = p->ts[at[i]];
            v[i] = p->v[at[i]];
        }
        int64_t *old_ts = p->ts;
        uint64_t *old_v = p->v;
        p->ts = ts;
        p->v = v;
        ts = old_ts;
        v = old_v;
    }
    mem_free(p->alloc, work, places * sizeof(*work));
    mem_free(p->alloc, ts, p->cap * sizeof(*ts));
    mem_free(p->alloc, v, p->cap * sizeof(*v));
    return ok ? ERR_OK : ERR_NOMEM;
}

struct points_summary points_summary(const struct points *p)
{
    struct points_summary s = {.t0 = p->ts[0],
                               .t1 = p->ts[p->n - 1],
                               .n = p->n,
                               .numeric = p->kind != VALUE_STR && p->kind != VALUE_NONE};
    for (uint32_t i = 0; s.numeric && i < p->n; i++) {
        double x = points_number(p, i);
        if (!isfinite(x)) {
            s.numeric = false;
            break;
        }
        s.min = i == 0 || x < s.min ? x : s.min;
        s.max = i == 0 || x > s.max ? x : s.max;
        s.sum += x;
        s.first = i == 0 ? x : s.first;
        s.last = x;
    }
    return s;
}
