/* discover: the topics that no device claims, with what has been seen in them, and messages of
 * devices that could not be read. */
#include "registry/registry_internal.h"

#include <string.h>

enum { TOPIC_BYTES_MAX = 1024, NEWS_AFTER_MS = 100 };

static void tell_news(struct timer *t)
{
    struct registry *r = CONTAINER_OF(t, struct registry, discovered_timer);
    struct list *it;
    while ((it = list_pop_head(&r->discovered_news)))
        if (r->discovered_changed)
            r->discovered_changed(r->discovered_ctx, CONTAINER_OF(it, struct discovered, changed));
}

void discover_init(struct registry *r)
{
    list_init(&r->discovered);
    list_init(&r->discovered_news);
    timer_init(&r->discovered_timer, r->worker, tell_news);
    map_init(&r->discovered_map, r->cfg.alloc, executor_env(r->cfg.ex)->seed,
             r->cfg.discovered_max);
    alloc_limited_init(&r->observed_alloc, r->cfg.alloc, r->cfg.observed_bytes_max);
    strbuf_init(&r->observed_path, r->cfg.alloc, OBSERVED_PATH_BYTES);
}

static void discovered_free(struct registry *r, struct discovered *d)
{
    list_del(&d->link);
    observed_fini(&d->seen, &r->observed_alloc.alloc);
    mem_free(r->cfg.alloc, d, sizeof(*d) + d->topic.n);
}

void discover_fini(struct registry *r)
{
    timer_cancel(&r->discovered_timer);
    while (r->discovered.next && !list_empty(&r->discovered))
        discovered_free(r, CONTAINER_OF(r->discovered.next, struct discovered, link));
    map_fini(&r->discovered_map);
    strbuf_fini(&r->observed_path);
}

static struct discovered *discovered_new(struct registry *r, struct str topic)
{
    struct discovered *d = mem_zero(r->cfg.alloc, sizeof(*d) + topic.n);
    if (!d)
        return NULL;
    char *text = (char *)(d + 1);
    memcpy(text, topic.p, topic.n);
    d->topic = (struct str){text, topic.n};
    if (map_put(&r->discovered_map, d->topic, d)) {
        mem_free(r->cfg.alloc, d, sizeof(*d) + topic.n);
        return NULL;
    }
    list_init(&d->changed);
    list_add_tail(&r->discovered, &d->link);
    return d;
}

/* What was said last, to the device that has the topic now.  A topic is looked at now and then
 * only: what is retained may be newer, and is whole. */
static void hand_over(struct registry *r, const struct discovered *d)
{
    struct message *m = bus_retained_get(r->cfg.bus, d->topic);
    struct bytes seen = {(const uint8_t *)d->payload, d->payload_len};
    if (m && m->wall_ms >= d->last_ms)
        ingest_late(r, d->topic, message_payload(m), m->wall_ms);
    else if (d->payload_len < sizeof(d->payload))
        ingest_late(r, d->topic, seen, d->last_ms);
}

void discover_forget_claimed(struct registry *r)
{
    LIST_EACH_SAFE(&r->discovered, it)
    {
        struct discovered *d = CONTAINER_OF(it, struct discovered, link);
        if (!ingest_has(r, d->topic))
            continue;
        if (!d->unreadable) /* else a device has had it */
            hand_over(r, d);
        list_del(&d->changed);
        (void)map_del(&r->discovered_map, d->topic);
        discovered_free(r, d);
    }
}

/* At a character, if it is text. */
static size_t cut(struct bytes b, size_t max)
{
    if (b.n <= max)
        return b.n;
    size_t n = max;
    while (n > max - 4 && (b.p[n] & 0xC0) == 0x80)
        n--;
    return (b.p[n] & 0xC0) == 0x80 ? max : n;
}

static void observe(struct registry *r, struct discovered *d, struct bytes payload, int64_t ts_ms)
{
    struct alloc *a = &r->observed_alloc.alloc;
    struct str text = {(const char *)payload.p, payload.n};
    if (d->kind == PAYLOAD_JSON)
        observed_json(&d->seen, a, &r->observed_path, payload, ts_ms);
    else if (d->kind != PAYLOAD_BINARY && payload.n)
        observed_bare(&d->seen, a, text, ts_ms);
}

/* `error` NULL: nobody claims the topic. */
void discover_note(struct registry *r, const struct message *m, const struct payload_error *error)
{
    struct str topic = message_topic(m);
    struct bytes payload = message_payload(m);
    struct discovered *d = map_get(&r->discovered_map, topic);
    if (!d) {
        d = topic.n > TOPIC_BYTES_MAX ? NULL : discovered_new(r, topic);
        if (!d) {
            r->discovered_dropped++;
            return;
        }
        d->first_ms = m->wall_ms;
    }
    d->count++;
    d->last_ms = m->wall_ms;
    size_t n = cut(payload, sizeof(d->payload));
    bool same = d->count > 1 && d->payload_len == n && memcmp(d->payload, payload.p, n) == 0;
    if (!same) {
        if (n)
            memcpy(d->payload, payload.p, n);
        d->payload_len = n;
        d->kind = payload_classify(payload);
    }
    observe(r, d, payload, m->wall_ms);
    if (error) {
        d->error = *error;
        d->unreadable++;
    }
    if (same || !r->discovered_changed || !list_empty(&d->changed))
        return;
    list_add_tail(&r->discovered_news, &d->changed);
    if (!timer_armed(&r->discovered_timer))
        timer_set_after_ms(&r->discovered_timer, NEWS_AFTER_MS);
}

const struct list *registry_discovered(const struct registry *r)
{
    return &r->discovered;
}

const struct discovered *registry_discovered_find(const struct registry *r, struct str topic)
{
    return map_get(&r->discovered_map, topic);
}

/* Who leaves is no device of the site. */
static const struct device *of_now(const struct topic_binding *b)
{
    while (b && b->device->leaving)
        b = b->next;
    return b ? b->device : NULL;
}

const struct device *registry_topic_device(const struct registry *r, struct str topic)
{
    return of_now(map_get(&r->now->topics, topic));
}

void registry_topics_each(const struct registry *r,
                          void (*each)(void *ctx, struct str topic, const struct device *d),
                          void *ctx)
{
    struct str topic;
    void *binding;
    for (size_t at = 0; map_next(&r->now->topics, &at, &topic, &binding);) {
        const struct device *d = of_now(binding);
        if (d)
            each(ctx, topic, d);
    }
}

static void note_retained(void *ctx, struct message *m)
{
    struct registry *r = ctx;
    struct str topic = message_topic(m);
    bool room = r->discovered_map.n < r->cfg.discovered_max; /* there may be a million */
    if (room && topic.p[0] != '$' && !ingest_has(r, topic) && !map_get(&r->discovered_map, topic))
        discover_note(r, m, NULL);
}

void discover_let_go(struct registry *r, struct str topic)
{
    struct discovered *d = map_get(&r->discovered_map, topic);
    struct message *m = d ? NULL : bus_retained_get(r->cfg.bus, topic);
    if (d) { /* what its device could not read is nobody's fault now */
        d->error = (struct payload_error){0};
        d->unreadable = 0;
    } else if (m) {
        note_retained(r, m);
    }
}

void discover_retained(struct registry *r)
{
    bus_retained_each(r->cfg.bus, note_retained, r);
}

uint64_t registry_discovered_dropped(const struct registry *r)
{
    return r->discovered_dropped;
}

void registry_on_discovered(struct registry *r,
                            void (*changed)(void *ctx, const struct discovered *d), void *ctx)
{
    r->discovered_changed = changed;
    r->discovered_ctx = ctx;
}
