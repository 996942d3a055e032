/* trial_twin: the devices of a trial: they report what they are told to, and obey. */
#include "site/trial_internal.h"

#include "base/log.h"
#include "codec/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PERIOD_MAX_MS = 60000, PERIOD_MIN_MS = 100 };

/* --- properties --- */

static void say_again(struct timer *t)
{
    struct held *h = CONTAINER_OF(t, struct held, timer);
    registry_report(h->property, &h->value);
    timer_set_after_ms(&h->timer, h->period_ms);
}

static bool is_binding_of(const struct lang_binding *b, const struct device_property *p)
{
    return b->kind == LANG_BIND_READ && str_eq(b->resource->name, p->device->name) &&
           str_eq(b->member_name, p->def->name);
}

/* Often enough to be fresh, and for every slope() to have its ten points. */
static int64_t period_of(const struct world *w, const struct device_property *p)
{
    int64_t ms = PERIOD_MAX_MS;
    if (p->series->stale_ms && p->series->stale_ms / 2 < ms)
        ms = p->series->stale_ms / 2;
    const struct lang_site *site = w->trial->site;
    for (size_t i = 0; i < site->programs_n; i++) {
        const struct lang_program *program = site->programs[i];
        for (size_t k = 0; k < program->windows_n; k++) {
            const struct lang_window *window = &program->windows[k];
            if (is_binding_of(&program->bindings[window->binding], p) &&
                window->duration_ms / 10 < ms)
                ms = window->duration_ms / 10;
        }
    }
    return ms < PERIOD_MIN_MS ? PERIOD_MIN_MS : ms;
}

void twin_set(struct twin *t, uint32_t member, const struct value *v)
{
    struct held *h = &t->held[member];
    h->value = *v;
    if (v->kind == VALUE_STR) {
        size_t n = v->s.n < sizeof(h->text) ? v->s.n : sizeof(h->text);
        if (n)
            memcpy(h->text, v->s.p, n);
        h->value.s = (struct str){h->text, n};
    }
    if (!h->period_ms)
        h->period_ms = period_of(h->world, h->property);
    say_again(&h->timer);
}

void twin_silence(struct twin *t, uint32_t member)
{
    timer_cancel(&t->held[member].timer);
}

/* --- events and answers --- */

static void publish_on(struct world *w, struct str topic, struct str payload)
{
    struct bus_publication p = {.topic = topic,
                                .payload = {(const uint8_t *)payload.p, payload.n},
                                .qos = 1,
                                .expiry_s = UINT32_MAX,
                                .from = &w->publisher};
    struct bus_receipt receipt;
    enum err err = bus_publish(w->core.bus, &p, &receipt);
    if (err)
        LOG_W("test", "%.*s can't be published: %s", STR_FMT(topic), err_name(err));
}

static void publish(struct world *w, const struct twin *t, struct str suffix, struct str payload)
{
    char topic[1024];
    (void)snprintf(topic, sizeof(topic), "%.*s/%.*s", STR_FMT(t->device->topic), STR_FMT(suffix));
    publish_on(w, str_from(topic), payload);
}

void twin_event(struct world *w, struct twin *t, uint32_t signal)
{
    if (t->device->topic.n)
        publish(w, t, t->device->model->events[signal], STR("{}"));
    else
        registry_signal(t->device, signal);
}

/* --- commands --- */

static double argument(const struct twin *t, struct str name)
{
    struct json_token token;
    struct bytes args = {(const uint8_t *)t->args_json, strlen(t->args_json)};
    double d;
    if (json_find(args, name, &token, NULL) || token.kind != JSON_NUMBER ||
        json_number(token.raw, &d))
        return NAN;
    return d;
}

/* A value that confirms the action: the argument that says so (speed > 0 by start(0.4 m/s)), else
 * the end of the range, else a bit beyond the limit. */
static double confirming(const struct twin *t, const struct action_def *a,
                         const struct property_def *p)
{
    for (size_t i = 0; i < a->param_count; i++) {
        double d = argument(t, a->params[i].name);
        if (str_eq(a->params[i].unit, p->unit) &&
            compare_holds(a->confirm_compare, d, a->confirm_value))
            return d;
    }
    double v = a->confirm_value, step = fabs(v) > 1 ? fabs(v) / 10 : 1;
    switch (a->confirm_compare) {
    case COMPARE_GT:
    case COMPARE_GE: return p->has_range ? p->max : v + step;
    case COMPARE_LT:
    case COMPARE_LE: return p->has_range ? p->min : v - step;
    case COMPARE_NE: return v != 0 ? 0 : 1;
    case COMPARE_EQ: break;
    }
    return v;
}

/* In the way in which it was told. */
static void answer(struct world *w, const struct twin *t)
{
    struct str topic = registry_answer_topic(t->device, t->action);
    char text[64];
    int n = snprintf(text, sizeof(text), "{\"id\":\"%s\"}", t->id);
    if (topic.n)
        publish_on(w, topic, (struct str){text, (size_t)n});
    else if (t->device->topic.n)
        publish(w, t, STR("ack"), (struct str){text, (size_t)n});
    else
        registry_port_done(w->core.registry, t->id, ERR_OK, "");
}

static void obey(struct world *w, struct twin *t)
{
    const struct action_def *a = &t->device->model->actions[t->action];
    if (a->confirm_property < 0) {
        answer(w, t);
        return;
    }
    const struct property_def *p = &t->device->model->properties[a->confirm_property];
    double d = confirming(t, a, p);
    struct value v = {.kind = p->kind};
    switch (p->kind) {
    case VALUE_BOOL: v.b = d != 0; break;
    case VALUE_INT: v.i = (int64_t)llround(d); break;
    case VALUE_FLOAT: v.f = d; break;
    case VALUE_STR:
    case VALUE_NONE: return; /* nothing compares with a text */
    }
    twin_set(t, (uint32_t)a->confirm_property, &v);
}

/* Taken; what becomes of it is obey()'s, when the registry has told that it was sent. */
static enum err port_command(void *ctx, const struct port_command *c, struct error *e)
{
    (void)ctx, (void)c, (void)e;
    return ERR_OK;
}

static void obey_all(struct tick_hook *h)
{
    struct world *w = CONTAINER_OF(h, struct world, obey);
    struct list *it;
    while ((it = list_pop_head(&w->told)))
        obey(w, CONTAINER_OF(it, struct twin, link));
}

void twin_told(struct world *w, const struct action_event *a)
{
    struct twin *t = twin_of(w, a->device);
    int at = t ? model_action(t->device->model, a->action) : -1;
    if (at < 0 || t->refuses)
        return;
    t->action = (uint32_t)at;
    (void)snprintf(t->id, sizeof(t->id), "%.*s", STR_FMT(a->id));
    (void)snprintf(t->args_json, sizeof(t->args_json), "%.*s", STR_FMT(a->args_json));
    list_del(&t->link);
    list_add_tail(&w->told, &t->link);
    worker_at_tick_end(w->worker, &w->obey);
}

/* --- all of them --- */

struct twin *twin_of(struct world *w, struct str device)
{
    const struct device *d = registry_find(w->core.registry, device);
    return d ? &w->twins[d->index] : NULL;
}

/* What was sent is in the news of the action, as of every other device: twin_told(). */
static enum err port_takes(void *ctx, const struct port_command *c, struct error *e)
{
    (void)ctx;
    (void)c;
    (void)e;
    return ERR_OK;
}

static const struct device_port twin_port = {.command = port_takes};

static bool twin_init(struct world *w, struct twin *t, struct device *d)
{
    if (d->link_text.n)
        registry_set_port(d, &twin_port);
    size_t n = d->model->property_count;
    list_init(&t->link);
    t->device = d;
    if (d->link_text.n)
        registry_set_port(d, &w->port);
    t->held = arena_array(&w->trial->arena, n ? n : 1, sizeof(*t->held));
    for (size_t i = 0; t->held && i < n; i++) {
        t->held[i].world = w;
        t->held[i].property = &d->props[i];
        d->props[i].unawaited = true;
        timer_init(&t->held[i].timer, w->worker, say_again);
    }
    return t->held != NULL;
}

/* What the test speaks of is awaited from the start. */
static void await_mentioned(struct world *w)
{
    for (size_t i = 0; i < w->trial->test->steps_n; i++) {
        const struct lang_step *s = &w->trial->test->steps[i];
        if (s->kind == LANG_STEP_SET || s->kind == LANG_STEP_SILENT)
            twin_of(w, s->resource->name)->device->props[s->member].unawaited = false;
    }
}

enum err twins_init(struct world *w, struct error *e)
{
    list_init(&w->told);
    tick_hook_init(&w->obey, obey_all);
    w->port = (struct device_port){.command = port_command, .ctx = w};
    LIST_EACH(registry_devices(w->core.registry), it)
    w->twins_n++;
    w->twins = arena_array(&w->trial->arena, w->twins_n + 1, sizeof(*w->twins));
    bool ok = w->twins != NULL;
    LIST_EACH(registry_devices(w->core.registry), it)
    {
        struct device *d = CONTAINER_OF(it, struct device, link);
        ok = ok && twin_init(w, &w->twins[d->index], d);
    }
    if (!ok)
        return error_set(e, ERR_NOMEM, "no memory for the devices of a test");
    await_mentioned(w);
    return ERR_OK;
}

void twins_fini(struct world *w)
{
    if (!w->twins)
        return;
    for (size_t i = 0; i < w->twins_n; i++) {
        const struct twin *t = &w->twins[i];
        for (size_t k = 0; t->held && k < t->device->model->property_count; k++)
            timer_cancel(&t->held[k].timer);
    }
    tick_hook_cancel(&w->obey);
    w->twins = NULL;
}

static struct str number_text(struct arena *a, double v, struct str unit)
{
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 256);
    strbuf_add_double(&b, v);
    struct str text =
        arena_strf(a, "%.*s%s%.*s", STR_FMT(strbuf_str(&b)), unit.n ? " " : "", STR_FMT(unit));
    strbuf_fini(&b);
    return text;
}

struct str trial_value_text(struct arena *a, const struct value *v, struct str unit)
{
    switch (v->kind) {
    case VALUE_BOOL: return v->b ? STR("true") : STR("false");
    case VALUE_STR: return arena_strf(a, "\"%.*s\"", STR_FMT(v->s));
    case VALUE_INT:
    case VALUE_FLOAT: return number_text(a, value_number(v), unit);
    case VALUE_NONE: break;
    }
    return STR("no value");
}
