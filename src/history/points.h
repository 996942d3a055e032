/* points: timestamps and values of one series in memory: heads, decoded chunks, answers.
 *
 * A value is 64 bits: bool 0 or 1, int, the bits of a double, or for a string offset << 32 | length
 * in `text`. All values of one struct have one kind. Ownership: points_fini(). Threads: none.
 * Errors: ERR_NOMEM; nothing is changed then. */
#pragma once

#include "base/str.h"
#include "bus/sample.h"

struct points {
    struct alloc *alloc;
    enum value_kind kind;
    uint32_t n, cap;
    int64_t *ts;
    uint64_t *v;
    struct strbuf text;
};
void points_init(struct points *p, struct alloc *a, enum value_kind kind);
void points_fini(struct points *p);
void points_clear(struct points *p); /* keeps its memory */
MUST_USE enum err points_reserve(struct points *p, uint32_t more);
MUST_USE enum err points_add(struct points *p, int64_t ts_ms, const struct value *v);
/* Adds those of `from` with from_ms <= t < to_ms; both must be of one kind. */
MUST_USE enum err points_add_range(struct points *p, const struct points *from, uint32_t first,
                                   int64_t from_ms, int64_t to_ms);
struct value points_value(const struct points *p, uint32_t i); /* a string borrows */
double points_number(const struct points *p, uint32_t i);      /* NaN for strings */
/* By time; points of one instant keep their order. */
MUST_USE enum err points_sort(struct points *p);

/* What a chunk's row says of it, so that it need not be opened. */
struct points_summary {
    int64_t t0, t1;
    uint32_t n;
    bool numeric; /* every value is a finite number: the rest counts */
    double min, max, sum, first, last;
};
/* Of sorted points, at least one. */
struct points_summary points_summary(const struct points *p);
