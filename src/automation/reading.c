/* reading: samples as a program's readings, their staleness, and the windows of slope(). */
#include "automation/automation_internal.h"
#include "base/stats.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static union lang_slot slot_from(const struct binding_run *b)
{
    union lang_slot s = {0};
    switch (b->def->member_type.kind) {
    case LANG_TYPE_BOOL: s.i = value_number(&b->value) != 0; break;
    case LANG_TYPE_INT:
    case LANG_TYPE_TIME:
        s.i = b->value.kind == VALUE_INT ? b->value.i : (int64_t)value_number(&b->value);
        break;
    case LANG_TYPE_STR: s.s = &b->text_now; break;
    default: s.f = value_number(&b->value); break;
    }
    return s;
}

static void host_read(struct lang_host *h, uint32_t binding, struct lang_sample *out)
{
    struct program_run *run = CONTAINER_OF(h, struct program_run, host);
    const struct binding_run *b = &run->bindings[binding];
    *out =
        (struct lang_sample){.value = slot_from(b), .has_value = b->has_value, .stale = b->stale};
}

static void host_read_handle(struct lang_host *h, uint32_t binding, uint32_t member,
                             struct lang_sample *out)
{
    const struct program_run *run = CONTAINER_OF(h, struct program_run, host);
    const struct lang_binding *handle = &run->def->bindings[binding];
    uint32_t b = 0;
    while (b < handle->behind_n && run->def->bindings[handle->behind + b].member != member)
        b++;
    ASSERT(b < handle->behind_n); /* all that is read so is there */
    host_read(h, handle->behind + b, out);
}

static bool host_slope(struct lang_host *h, uint32_t window, double *out)
{
    const struct program_run *run = CONTAINER_OF(h, struct program_run, host);
    const struct window_run *w = &run->windows[window];
    return w->binding->has_value && !w->binding->stale && window_slope(w, out);
}

static int64_t host_now(struct lang_host *h)
{
    return CONTAINER_OF(h, struct program_run, host)->now_ms;
}

void reading_host_init(struct program_run *run)
{
    run->host.read = host_read;
    run->host.read_handle = host_read_handle;
    run->host.slope = host_slope;
    run->host.now_ms = host_now;
}

void window_add(struct window_run *w, int64_t ts_ms, double v)
{
    if (isnan(v))
        return;
    int64_t width = w->duration_ms / WINDOW_SLOTS > 0 ? w->duration_ms / WINDOW_SLOTS : 1;
    int64_t slot = ts_ms / width;
    struct window_slot *last = w->n ? &w->slots[(w->head + w->n - 1) % WINDOW_SLOTS] : NULL;
    if (last && (last->slot - slot) * width > w->duration_ms) {
        w->n = 0; /* a clock was set back: what is in the window will not come again */
        last = NULL;
    }
    if (last && slot < last->slot)
        return; /* late: the window has gone on */
    if (!last || slot > last->slot) {
        if (w->n == WINDOW_SLOTS) {
            w->head = (w->head + 1) % WINDOW_SLOTS;
            w->n--;
        }
        last = &w->slots[(w->head + w->n++) % WINDOW_SLOTS];
        *last = (struct window_slot){.slot = slot};
    }
    last->t_sum += (double)ts_ms;
    last->v_sum += v;
    last->n++;
    while (w->n && (slot - w->slots[w->head].slot) * width > w->duration_ms) {
        w->head = (w->head + 1) % WINDOW_SLOTS;
        w->n--;
    }
}

bool window_slope(const struct window_run *w, double *per_second)
{
    double t[WINDOW_SLOTS], v[WINDOW_SLOTS];
    if (w->n < 2)
        return false;
    const struct window_slot *first = &w->slots[w->head];
    double origin = first->t_sum / first->n;
    for (uint32_t i = 0; i < w->n; i++) {
        const struct window_slot *s = &w->slots[(w->head + i) % WINDOW_SLOTS];
        t[i] = (s->t_sum / s->n - origin) / 1000;
        v[i] = s->v_sum / s->n;
    }
    if (t[w->n - 1] * 2000 < (double)w->duration_ms)
        return false; /* less than half of the span */
    *per_second = stats_slope(t, v, w->n);
    return true;
}

/* Lazy: the time is left where it is when samples come, and the last one is looked at when it
 * comes. */
void reading_stale_check(struct binding_run *b)
{
    struct program_run *run = b->run;
    if (!b->def->stale_ms || b->stale || (b->unawaited && !b->has_value))
        return;
    int64_t due = b->mono_ns + ns_of_ms(b->def->stale_ms);
    if (due > run->now_ns) {
        if (due_at(&run->due, due_of_binding(b)) == DUE_NEVER)
            due_set(&run->due, due_of_binding(b), due);
        return;
    }
    b->stale = true;
    rules_evaluate(run, b);
}

static void keep_value(struct binding_run *b, const struct value *v, int64_t ts_ms, int64_t mono_ns)
{
    b->value = *v;
    b->ts_ms = ts_ms;
    b->has_value = true;
    b->mono_ns = mono_ns;
    b->stale = false;
    if (v->kind != VALUE_STR || !b->text)
        return;
    size_t n = v->s.n < TEXT_KEPT_MAX ? v->s.n : TEXT_KEPT_MAX;
    if (n)
        memcpy(b->text, v->s.p, n);
    b->text_now = (struct str){b->text, n};
    b->value.s = b->text_now;
}

static bool is_lost(const struct device_property *p)
{
    return p->why || p->device->reach.state == REACH_OFFLINE;
}

/* What has been silent since the start is stale when its time is up; at once if it is known that
 * nothing can come. */
void reading_start(struct binding_run *b, bool late)
{
    struct automation *a = b->run->automation;
    const struct series *s = b->property->series;
    b->unawaited = b->property->unawaited;
    bool news = s->quality == QUALITY_GOOD || s->quality == QUALITY_UNCERTAIN;
    if (late && (news || (s->quality == QUALITY_STALE && s->last_mono_ns > a->started_ns)))
        keep_value(b, &s->last, s->last_ms, s->last_mono_ns);
    else
        b->mono_ns = worker_now_ns(a->worker);
    if (is_lost(b->property))
        b->mono_ns = worker_now_ns(a->worker) - ns_of_ms(b->def->stale_ms);
}

static void windows_add(struct binding_run *b, int64_t ts_ms, const struct value *v)
{
    struct program_run *run = b->run;
    for (size_t i = 0; i < run->def->windows_n; i++)
        if (run->windows[i].binding == b)
            window_add(&run->windows[i], ts_ms, value_number(v));
}

/* A program may read one series under several names: they stand together among its readers, and all
 * know the value before any rule looks. */
static struct binding_run *same_run(struct binding_run *b)
{
    return b->next_reader && b->next_reader->run == b->run ? b->next_reader : NULL;
}

void reading_take(struct binding_run *first, const struct event *e)
{
    for (struct binding_run *b = first; b; b = same_run(b)) {
        windows_add(b, e->ts_ms, &e->value);
        if (!e->quiet)
            keep_value(b, &e->value, e->ts_ms, e->mono_ns);
    }
    for (struct binding_run *b = first; b && !e->quiet; b = same_run(b)) {
        reading_stale_check(b);
        rules_evaluate(b->run, b);
    }
}

void reading_sample(struct automation *a, const struct sample *s)
{
    if (s->quality != QUALITY_GOOD && s->quality != QUALITY_UNCERTAIN)
        return; /* a bad reading is none: it will turn stale */
    struct event e = {.kind = EVENT_SAMPLE,
                      .quiet = s->replayed || sample_is_late(s), /* windows go on, nothing acts */
                      .value = s->value,
                      .ts_ms = s->ts_ms,
                      .mono_ns = worker_now_ns(a->worker)};
    struct binding_run *b = s->series->index < a->readers_n ? a->readers[s->series->index] : NULL;
    while (b) {
        struct program_run *run = b->run;
        e.index = (uint32_t)(b - run->bindings);
        if (s->replayed)
            reading_take(b, &e); /* nothing runs yet */
        else
            program_post(run, &e);
        while (b && b->run == run)
            b = b->next_reader;
    }
}

void reading_lost(struct binding_run *first)
{
    for (struct binding_run *b = first; b; b = same_run(b)) {
        if (!b->def->stale_ms || b->stale)
            continue;
        b->stale = true;
        rules_evaluate(b->run, b);
    }
}

/* A series that is silent for its own time is not lost: who reads it waits as long as he says. */
void reading_quality(struct automation *a, const struct series *s)
{
    struct binding_run *b = s->index < a->readers_n ? a->readers[s->index] : NULL;
    if (s->quality != QUALITY_STALE || !b || !is_lost(b->property))
        return;
    while (b) {
        struct program_run *run = b->run;
        struct event e = {.kind = EVENT_LOST, .index = (uint32_t)(b - run->bindings)};
        program_post(run, &e);
        while (b && b->run == run)
            b = b->next_reader;
    }
}

void reading_signal(struct automation *a, struct str device, struct str event)
{
    char key[512];
    int n = snprintf(key, sizeof(key), "%.*s/%.*s", STR_FMT(device), STR_FMT(event));
    if (n < 0 || (size_t)n >= sizeof(key))
        return;
    for (const struct hearer *h = map_get(&a->audience.signals, (struct str){key, (size_t)n}); h;
         h = h->next) {
        struct event e = {.kind = EVENT_SIGNAL, .index = h->index};
        program_post(h->run, &e);
    }
}
