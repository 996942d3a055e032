#include "bus/bus_internal.h"

#include <math.h>
#include <string.h>

double value_number(const struct value *v)
{
    switch (v->kind) {
    case VALUE_BOOL: return v->b ? 1 : 0;
    case VALUE_INT: return (double)v->i;
    case VALUE_FLOAT: return v->f;
    case VALUE_NONE:
    case VALUE_STR: break;
    }
    return NAN;
}

const char *quality_name(enum quality q)
{
    static const char *const names[] = {"none", "good", "uncertain", "bad", "stale"};
    return (size_t)q < ARRAY_LEN(names) ? names[q] : "?";
}

void series_init(struct bus *b)
{
    map_init(&b->series.by_name, b->cfg.alloc, executor_env(b->cfg.ex)->seed, SERIES_MAX);
}

static void series_free(struct bus *b, struct series_own *s)
{
    mem_free(b->cfg.alloc, s, sizeof(*s) + s->pub.name.n + s->pub.unit.n);
}

void series_fini(struct bus *b)
{
    for (size_t i = 0; i < b->series.all.n; i++)
        series_free(b, b->series.all.v[i]);
    vec_fini(b->cfg.alloc, &b->series.all);
    map_fini(&b->series.by_name);
}

static struct series_own *series_new(struct bus *b, struct str name, struct str unit)
{
    struct series_own *s = mem_zero(b->cfg.alloc, sizeof(*s) + name.n + unit.n);
    if (!s)
        return NULL;
    char *text = (char *)(s + 1);
    if (name.n)
        memcpy(text, name.p, name.n);
    if (unit.n)
        memcpy(text + name.n, unit.p, unit.n);
    s->pub.name = (struct str){text, name.n};
    s->pub.unit = (struct str){text + name.n, unit.n};
    s->pub.index = (uint32_t)b->series.all.n;
    return s;
}

struct series *bus_series(struct bus *b, struct str name, enum value_kind kind, struct str unit)
{
    struct series *old = bus_series_find(b, name);
    if (old && old->kind == kind && str_eq(old->unit, unit))
        return old;
    struct series_own *s = series_new(b, name, unit);
    if (!s)
        return NULL;
    s->pub.kind = kind;
    if (b->series.all.n >= SERIES_MAX || !vec_push(b->cfg.alloc, &b->series.all, s)) {
        series_free(b, s);
        return NULL;
    }
    if (old)
        (void)map_del(&b->series.by_name, name);
    if (map_put(&b->series.by_name, s->pub.name, &s->pub)) {
        ASSERT(!old); /* its place has just become free */
        b->series.all.n--;
        series_free(b, s);
        return NULL;
    }
    return &s->pub;
}

struct series *bus_series_find(struct bus *b, struct str name)
{
    return map_get(&b->series.by_name, name);
}

struct series *bus_series_at(struct bus *b, uint32_t index)
{
    return index < b->series.all.n ? &b->series.all.v[index]->pub : NULL;
}

uint32_t bus_series_count(const struct bus *b)
{
    return (uint32_t)b->series.all.n;
}

void bus_sample_listen(struct bus *b, struct sample_listener *l)
{
    list_add_tail(&b->sample_listeners, &l->link);
}

void bus_sample_unlisten(struct sample_listener *l)
{
    if (l->link.next)
        list_del(&l->link);
}

/* A listener may leave inside its call, or make others leave. So the walk's place is held by a
 * marker: a listener without functions, which all walks pass over. */
static struct sample_listener *next_listener(struct list *head, struct list *marker)
{
    struct list *it = marker->next;
    list_del(marker);
    if (it == head)
        return NULL;
    list_add_head(it, marker);
    return CONTAINER_OF(it, struct sample_listener, link);
}

/* A last sample of the future is a clock that was wrong: what comes then is not late. */
static void remember(struct series_own *s, const struct sample *x, int64_t now_ns, int64_t now_ms)
{
    if (x->ts_ms < s->pub.last_ms && s->pub.last_ms <= now_ms)
        return;
    s->pub.last = x->value;
    if (x->value.kind == VALUE_STR) {
        size_t n = x->value.s.n < sizeof(s->text) ? x->value.s.n : sizeof(s->text);
        if (n)
            memmove(s->text, x->value.s.p, n); /* it may be our own last value */
        s->pub.last.s = (struct str){s->text, n};
    }
    s->pub.last_ms = x->ts_ms;
    s->pub.last_mono_ns = now_ns;
    s->pub.quality = x->quality;
}

void bus_sample_publish(struct bus *b, const struct sample *s)
{
    struct sample_listener marker = {0}, *l;
    remember(CONTAINER_OF(s->series, struct series_own, pub), s, worker_now_ns(b->worker),
             worker_now_ms(b->worker));
    list_add_head(&b->sample_listeners, &marker.link);
    while ((l = next_listener(&b->sample_listeners, &marker.link)))
        if (l->sample)
            l->sample(l, s);
}

void bus_quality_publish(struct bus *b, struct series *s, enum quality q)
{
    struct sample_listener marker = {0}, *l;
    s->quality = q;
    list_add_head(&b->sample_listeners, &marker.link);
    while ((l = next_listener(&b->sample_listeners, &marker.link)))
        if (l->quality)
            l->quality(l, s);
}
