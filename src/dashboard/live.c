/* live: the feed of server-sent events.
 *
 * Samples are gathered and sent at most ten times a second, the newest of each series; alerts,
 * actions, rules and topics go at once. A reader that does not keep up loses events, and is told
 * how many. */
#include "base/log.h"
#include "dashboard/dashboard_internal.h"

#include <stdio.h>
#include <string.h>

enum { FLUSH_MS = 100, LOST_AGAIN_MS = 1000, BATCH_BYTES = 128 << 10 };

static void reader_closed(void *arg, struct http_sse *sse)
{
    (void)sse;
    struct live_reader *r = arg;
    struct dashboard *d = r->dashboard;
    list_del(&r->link);
    d->reader_count--;
    mem_free(d->cfg.alloc, r, sizeof(*r));
}

/* Tells it how much it has lost; false if there is no room even for that. */
static bool tell_lost(struct live_reader *r)
{
    char text[48];
    if (!r->lost)
        return true;
    int n = snprintf(text, sizeof(text), "{\"count\":%llu}", (unsigned long long)r->lost);
    if (http_sse_send(r->sse, "lost", (struct str){text, (size_t)n}))
        return false;
    r->lost = 0;
    return true;
}

static void reader_send(struct live_reader *r, const char *event, struct str data)
{
    struct dashboard *d = r->dashboard;
    if (tell_lost(r) && !http_sse_send(r->sse, event, data))
        return;
    r->lost++;
    if (!timer_armed(&d->flush_timer)) /* it shall know even if nothing more happens */
        timer_set_after_ms(&d->flush_timer, LOST_AGAIN_MS);
}

static void send_all(struct dashboard *d, const char *event)
{
    if (d->event.failed) {
        LOG_W("dashboard", "an event is too large for the live feed");
        return;
    }
    LIST_EACH_SAFE(&d->readers, it)
    reader_send(CONTAINER_OF(it, struct live_reader, link), event, strbuf_str(&d->event));
}

static struct json_writer event_begin(struct dashboard *d)
{
    struct json_writer w;
    strbuf_reset(&d->event);
    json_writer_init(&w, &d->event);
    return w;
}

/* --- samples --- */

static void write_sample(struct json_writer *w, const struct series *s)
{
    json_array_begin(w);
    json_int(w, s->index);
    json_int(w, s->last_ms);
    json_write_value(w, &s->last);
    json_cstr(w, quality_name(s->quality));
    json_array_end(w);
}

/* As much as a reader has room for at once; the rest, with what is newest then, next time. */
static void send_samples(struct dashboard *d)
{
    size_t n = 0;
    struct json_writer w = event_begin(d);
    json_array_begin(&w);
    while (n < d->pending_count && d->event.n < BATCH_BYTES) {
        d->is_pending[d->pending[n]] = 0;
        write_sample(&w, bus_series_at(d->cfg.bus, d->pending[n++]));
    }
    json_array_end(&w);
    d->pending_count -= n;
    memmove(d->pending, d->pending + n, d->pending_count * sizeof(*d->pending));
    send_all(d, "samples");
}

static void flush(struct timer *t)
{
    struct dashboard *d = CONTAINER_OF(t, struct dashboard, flush_timer);
    bool lost = false;
    if (d->pending_count)
        send_samples(d);
    LIST_EACH(&d->readers, it)
    lost |= !tell_lost(CONTAINER_OF(it, struct live_reader, link));
    if (d->pending_count)
        timer_set_after_ms(&d->flush_timer, FLUSH_MS);
    else if (lost)
        timer_set_after_ms(&d->flush_timer, LOST_AGAIN_MS);
}

/* A changed site has more series than there were at the start. */
static bool pending_reserve(struct dashboard *d, size_t n)
{
    if (n <= d->pending_max)
        return true;
    struct alloc *a = d->cfg.alloc;
    size_t max = n + n / 2;
    uint32_t *pending = mem_array(a, max + 1, sizeof(*pending));
    uint8_t *is_pending = mem_array(a, max + 1, 1);
    if (!pending || !is_pending) {
        mem_free(a, pending, (max + 1) * sizeof(*pending));
        mem_free(a, is_pending, max + 1);
        return false; /* the page shows their values when it asks for the site */
    }
    memcpy(pending, d->pending, d->pending_count * sizeof(*pending));
    memcpy(is_pending, d->is_pending, d->pending_max);
    mem_free(a, d->pending, (d->pending_max + 1) * sizeof(*pending));
    mem_free(a, d->is_pending, d->pending_max + 1);
    d->pending = pending;
    d->is_pending = is_pending;
    d->pending_max = max;
    return true;
}

static void note_series(struct dashboard *d, const struct series *s)
{
    if (list_empty(&d->readers) || !pending_reserve(d, (size_t)s->index + 1) ||
        d->is_pending[s->index])
        return;
    d->is_pending[s->index] = 1;
    d->pending[d->pending_count++] = s->index;
    if (d->pending_count == 1) /* it may be armed for later */
        timer_set_after_ms(&d->flush_timer, FLUSH_MS);
}

static void on_sample(struct sample_listener *l, const struct sample *s)
{
    note_series(CONTAINER_OF(l, struct dashboard, samples), s->series);
}

static void on_quality(struct sample_listener *l, struct series *s)
{
    note_series(CONTAINER_OF(l, struct dashboard, samples), s);
}

/* --- events --- */

static void on_alert(void *ctx, const struct alert *al)
{
    struct dashboard *d = ctx;
    if (list_empty(&d->readers))
        return;
    struct json_writer w = event_begin(d);
    json_write_alert(&w, al);
    send_all(d, "alert");
}

static void on_action(struct event_listener *l, const struct action_event *a)
{
    struct dashboard *d = CONTAINER_OF(l, struct dashboard, events);
    if (list_empty(&d->readers))
        return;
    struct json_writer w = event_begin(d);
    json_write_action(&w, a);
    send_all(d, "action");
}

static void on_discovered(void *ctx, const struct discovered *t)
{
    struct dashboard *d = ctx;
    if (list_empty(&d->readers))
        return;
    struct json_writer w = event_begin(d);
    json_write_discovered(&w, d->cfg.registry, t, 1);
    send_all(d, "discovered");
}

static void on_rule(void *ctx, const struct lang_program *p, const struct rule_view *v)
{
    struct dashboard *d = ctx;
    if (list_empty(&d->readers))
        return;
    struct json_writer w = event_begin(d);
    json_object_begin(&w);
    json_key(&w, "program");
    json_str(&w, p->name);
    json_key(&w, "path");
    json_str(&w, v->rule->path);
    json_key(&w, "state");
    json_cstr(&w, rule_state_name(v->state));
    json_key(&w, "fired");
    json_int(&w, (int64_t)v->fired);
    json_write_ms(&w, "fired_ms", v->fired_ms);
    json_object_end(&w);
    send_all(d, "rule");
}

/* Who commands a device has changed: it is in GET /api/site. */
static void on_lease(void *ctx, const struct lease_view *v)
{
    struct dashboard *d = ctx;
    struct json_writer w = event_begin(d);
    json_object_begin(&w);
    json_key(&w, "device");
    json_str(&w, v->device);
    json_object_end(&w);
    send_all(d, "lease");
}

/* Something has happened at a device. */
static void on_heard(void *ctx, const struct heard_event *v)
{
    struct dashboard *d = ctx;
    if (list_empty(&d->readers))
        return;
    struct json_writer w = event_begin(d);
    json_write_heard(&w, v);
    send_all(d, "event");
}

static void write_problems(struct json_writer *w, const struct device *device)
{
    json_key(w, "problems");
    json_object_begin(w);
    for (size_t i = 0; i < device->model->property_count; i++) {
        const char *problem = property_problem(&device->props[i]);
        if (!problem)
            continue;
        json_key_str(w, device->model->properties[i].name);
        json_cstr(w, problem);
    }
    json_object_end(w);
}

/* A device has come or gone, or something about its properties is another problem than before. */
static void on_link(void *ctx, const struct device *device)
{
    struct dashboard *d = ctx;
    const struct device_reach *r = &device->reach;
    if (list_empty(&d->readers))
        return;
    struct json_writer w = event_begin(d);
    json_object_begin(&w);
    json_key(&w, "device");
    json_str(&w, device->name);
    json_key(&w, "online");
    if (r->state == REACH_UNKNOWN)
        json_null(&w);
    else
        json_bool(&w, r->state == REACH_ONLINE);
    json_key(&w, "why");
    json_cstr(&w, r->why[0] ? r->why : NULL);
    write_problems(&w, device);
    json_object_end(&w);
    send_all(d, "link");
}

/* An event that only says: ask again. */
static void send_bare(struct dashboard *d, const char *event)
{
    struct json_writer w = event_begin(d);
    json_object_begin(&w);
    json_object_end(&w);
    send_all(d, event);
}

void live_site_changed(struct dashboard *d)
{
    send_bare(d, "site");
}

void dashboard_tests_changed(struct dashboard *d)
{
    send_bare(d, "tests");
}

void api_live(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    if (d->reader_count >= READERS_MAX) {
        problem(q, PROBLEM_BUSY, "%d pages are reading already", READERS_MAX);
        return;
    }
    struct live_reader *r = mem_zero(d->cfg.alloc, sizeof(*r));
    if (!r) {
        problem(q, PROBLEM_BUSY, "no memory for another reader");
        return;
    }
    r->dashboard = d;
    r->sse = http_sse_start(q, reader_closed, r);
    if (!r->sse) {
        mem_free(d->cfg.alloc, r, sizeof(*r));
        return;
    }
    list_add_tail(&d->readers, &r->link);
    d->reader_count++;
}

enum err live_init(struct dashboard *d, struct error *e)
{
    struct alloc *a = d->cfg.alloc;
    list_init(&d->readers);
    strbuf_init(&d->event, a, 1 << 20);
    timer_init(&d->flush_timer, d->worker, flush);
    d->pending_max = bus_series_count(d->cfg.bus);
    d->pending = mem_array(a, d->pending_max + 1, sizeof(*d->pending));
    d->is_pending = mem_array(a, d->pending_max + 1, 1);
    if (!d->pending || !d->is_pending)
        return error_set(e, ERR_NOMEM, "no memory for the live feed");
    d->samples = (struct sample_listener){.sample = on_sample, .quality = on_quality};
    d->events = (struct event_listener){.action = on_action};
    bus_sample_listen(d->cfg.bus, &d->samples);
    bus_event_listen(d->cfg.bus, &d->events);
    alerts_on_change(d->cfg.alerts, on_alert, d);
    automation_on_rule(d->cfg.automation, on_rule, d);
    automation_on_lease(d->cfg.automation, on_lease, d);
    registry_on_discovered(d->cfg.registry, on_discovered, d);
    registry_on_link(d->cfg.registry, on_link, d);
    registry_on_heard(d->cfg.registry, on_heard, d);
    return ERR_OK;
}

void live_fini(struct dashboard *d)
{
    if (d->samples.sample) {
        bus_sample_unlisten(&d->samples);
        bus_event_unlisten(&d->events);
        alerts_on_change(d->cfg.alerts, NULL, NULL);
        automation_on_rule(d->cfg.automation, NULL, NULL);
        automation_on_lease(d->cfg.automation, NULL, NULL);
        registry_on_discovered(d->cfg.registry, NULL, NULL);
        registry_on_link(d->cfg.registry, NULL, NULL);
        registry_on_heard(d->cfg.registry, NULL, NULL);
    }
    timer_cancel(&d->flush_timer);
    mem_free(d->cfg.alloc, d->pending, (d->pending_max + 1) * sizeof(*d->pending));
    mem_free(d->cfg.alloc, d->is_pending, d->pending_max + 1);
    strbuf_fini(&d->event);
}
