#include "history/history_internal.h"
#include <math.h>
#include <string.h>

int64_t window_start(int64_t ts_ms, int64_t window_ms)
{
    int64_t rest = ts_ms % window_ms;
    if (rest < 0)
        rest += window_ms;
    return ts_ms < INT64_MIN + rest ? INT64_MIN : ts_ms - rest;
}

/* The window that starts at t0, made if it is among the earliest; else NULL. */
static struct history_window *window_at(struct windows *w, int64_t t0)
{
    size_t at = w->all.n;
    while (at > 0 && w->all.v[at - 1].t0_ms > t0) /* usually the last one */
        at--;
    if (at > 0 && w->all.v[at - 1].t0_ms == t0)
        return &w->all.v[at - 1];
    if (w->all.n > w->limit) {
        if (at == w->all.n)
            return NULL;
        w->all.n--;
    }
    if (!vec_push(w->alloc, &w->all, (struct history_window){.t0_ms = t0})) {
        w->failed = true;
        return NULL;
    }
    memmove(w->all.v + at + 1, w->all.v + at, (w->all.n - 1 - at) * sizeof(*w->all.v));
    w->all.v[at] = (struct history_window){.t0_ms = t0};
    return &w->all.v[at];
}

void windows_add(struct windows *w, const struct points_summary *s)
{
    struct history_window *x = window_at(w, window_start(s->t0, w->window_ms));
    if (!x)
        return;
    bool empty = x->n == 0;
    x->min = empty || s->min < x->min ? s->min : x->min;
    x->max = empty || s->max > x->max ? s->max : x->max;
    x->sum += s->sum;
    x->n += s->n;
    if (empty || s->t0 < x->first_ms) {
        x->first = s->first;
        x->first_ms = s->t0;
    }
    if (empty || s->t1 >= x->last_ms) {
        x->last = s->last;
        x->last_ms = s->t1;
    }
}

void windows_add_point(struct windows *w, int64_t ts_ms, double x)
{
    if (!isfinite(x))
        return;
    struct points_summary s = {.t0 = ts_ms,
                               .t1 = ts_ms,
                               .n = 1,
                               .numeric = true,
                               .min = x,
                               .max = x,
                               .sum = x,
                               .first = x,
                               .last = x};
    windows_add(w, &s);
}
