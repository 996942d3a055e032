/* ingest: from a message to the samples of a device, and when they turn stale. */
#include "base/log.h"
#include "registry/registry_internal.h"

#include <stdio.h>
#include <string.h>

enum { LOOK_EVERY_MS = 100 }; /* at a topic that no device claims */

/* A device that leaves is there for its last action alone. */
static const struct topic_binding *topic_of(const struct registry *r, struct str topic)
{
    const struct topic_binding *b = map_get(&r->now->topics, topic);
    return b && b->device->leaving && list_empty(&b->device->actions) ? NULL : b;
}

static void publish_sample(void *ctx, struct device_property *p, const struct sample *s)
{
    struct registry *r = ctx;
    r->samples++;
    bus_sample_publish(r->cfg.bus, s);
    if (!s->replayed)
        ingest_stale_rearm(p);
}

void registry_report(struct device_property *p, const struct value *v)
{
    struct registry *r = p->device->registry;
    struct sample s = {.series = p->series,
                       .ts_ms = worker_now_ms(r->worker),
                       .value = *v,
                       .quality = decode_quality(p->def, v, QUALITY_GOOD)};
    publish_sample(r, p, &s);
}

struct ingest_ctx {
    struct registry *r;
    uint64_t seq;
    bool replayed;
};

static void sample_made(void *ctx, struct device_property *p, const struct sample *made)
{
    const struct ingest_ctx *c = ctx;
    struct sample s = *made;
    s.seq = c->seq;
    s.replayed = c->replayed;
    if (p->device->leaving)
        actions_sample(p->device, p, &s);
    else
        publish_sample(c->r, p, &s);
}

/* Its name is what stands behind the device's topic. */
static void event_came(struct registry *r, const struct topic_binding *b, const struct message *m,
                       bool replayed)
{
    struct device *d = b->device;
    struct signal_event e = {.device = d->name,
                             .event = str_sub(b->topic, d->topic.n + 1, b->topic.n),
                             .wall_ms = m->wall_ms};
    d->events_seen++;
    if (!replayed && !d->leaving)
        bus_signal_publish(r->cfg.bus, &e);
}

static void ingest_message(struct registry *r, struct message *m, bool replayed)
{
    const struct topic_binding *b = topic_of(r, message_topic(m));
    if (!b) {
        if (!replayed)
            discover_note(r, m, NULL);
        return;
    }
    char error[160] = "";
    struct ingest_ctx ctx = {r, m->seq, replayed};
    struct decode_target t = {b->device, m->wall_ms, sample_made, &ctx};
    switch (b->role) {
    case TOPIC_OBJECT: decode_object(&t, message_payload(m), error); break;
    case TOPIC_PROPERTY: decode_value(&t, b->property, message_payload(m), error); break;
    case TOPIC_EVENT: event_came(r, b, m, replayed); break;
    case TOPIC_ACK:
        if (!replayed)
            actions_ack(b->device, message_payload(m));
        break;
    case TOPIC_SET: break;
    }
    if (error[0] && !replayed)
        discover_note(r, m, error);
}

static void deliver(struct subscriber *s, struct message *m, const struct sub_options *const *subs,
                    size_t n, bool retained)
{
    (void)subs;
    (void)n;
    struct registry *r = CONTAINER_OF(s, struct registry, subscriber);
    if (!retained) /* those have been seen when they came */
        ingest_message(r, m, false);
}

void registry_replay(void *registry, const struct journal_record *rec)
{
    struct registry *r = registry;
    struct message *m = rec->kind == JOURNAL_MESSAGE ? bus_message_decode(r->cfg.bus, rec) : NULL;
    if (!m)
        return;
    ingest_message(r, m, true);
    message_unref(m);
}

/* Rule O16: nobody commands an owned device past its owner. The bus has refused it already. */
static void denied(struct subscriber *s, const struct bus_denial *d)
{
    struct registry *r = CONTAINER_OF(s, struct registry, subscriber);
    const struct topic_binding *b = topic_of(r, d->topic);
    if (b && b->role == TOPIC_SET)
        actions_denied(r, b->device, d->name, d->why);
}

enum err ingest_init(struct registry *r, struct error *e)
{
    r->subscriber = (struct subscriber){.deliver = deliver, .denied = denied};
    /* What no device claims is looked at, so that it can be discovered. */
    struct subscription all = {
        .filter = STR("#"), .subscriber = &r->subscriber, .qos = 1, .every_ms = LOOK_EVERY_MS};
    enum err err = bus_subscribe(r->cfg.bus, &all, NULL);
    if (err)
        return error_set(e, err, "the registry can't listen to the bus");
    r->publisher = (struct bus_publisher){
        .id = bus_publisher_id(r->cfg.bus), .trusted = true, .name = STR("sedge")};
    return ERR_OK;
}

void ingest_fini(struct registry *r)
{
    if (r->subscriber.deliver)
        bus_unsubscribe_all(r->cfg.bus, &r->subscriber);
    r->subscriber.deliver = NULL;
}

static void note_retained(void *ctx, struct message *m)
{
    const struct registry *r = ctx;
    const struct topic_binding *b = topic_of(r, message_topic(m));
    if (b && b->role == TOPIC_SET && b->device->owner.n)
        b->device->retained_command = true;
}

/* One that was left there before the device had an owner would reach it whenever it connects. */
void ingest_clear_retained(struct registry *r)
{
    bus_retained_each(r->cfg.bus, note_retained, r);
    LIST_EACH(&r->now->devices, it)
    {
        struct device *d = CONTAINER_OF(it, struct device, link);
        if (!d->retained_command)
            continue;
        d->retained_command = false;
        char topic[512];
        (void)snprintf(topic, sizeof(topic), "%.*s/set", STR_FMT(d->topic));
        struct bus_publication p = {.topic = str_from(topic),
                                    .qos = 1,
                                    .retain = true,
                                    .expiry_s = UINT32_MAX,
                                    .from = &r->publisher};
        struct bus_receipt receipt;
        if (bus_publish(r->cfg.bus, &p, &receipt))
            LOG_E("registry", "the retained message on %s can't be removed: %s", topic,
                  receipt.why);
        else
            LOG_W("registry", "the retained message on %s is removed: %.*s is owned by %.*s", topic,
                  STR_FMT(d->name), STR_FMT(d->owner));
    }
}

static void stale_fire(struct timer *t)
{
    struct device_property *p = CONTAINER_OF(t, struct device_property, stale_timer);
    struct series *s = p->series;
    if (s->quality == QUALITY_NONE || s->quality == QUALITY_STALE)
        return;
    int64_t due = s->last_mono_ns + ns_of_ms(s->stale_ms);
    if (due > worker_now_ns(p->device->registry->worker))
        timer_set(t, due);
    else
        bus_quality_publish(p->device->registry->cfg.bus, s, QUALITY_STALE);
}

/* Lazy: an armed timer is left alone; when it fires it looks at the last sample's time. */
void ingest_stale_rearm(struct device_property *p)
{
    struct registry *r = p->device->registry;
    if (!p->stale_timer.fire)
        timer_init(&p->stale_timer, r->worker, stale_fire);
    int64_t due = p->series->last_mono_ns + ns_of_ms(p->series->stale_ms);
    if (p->series->last_ms && (!timer_armed(&p->stale_timer) || p->stale_timer.at_ns > due))
        timer_set(&p->stale_timer, due);
}

/* --- what the registry wants of the bus ---
 *
 * The exact topics of its devices; while another site is being prepared, those of both. */

static enum err listen(struct registry *r, const struct topic_binding *b, struct error *e)
{
    if (b->role == TOPIC_SET) /* see ingest_guard() */
        return ERR_OK;
    const struct subscription sub = {.filter = b->topic,
                                     .subscriber = &r->subscriber,
                                     .qos = 1,
                                     .kept = b->role == TOPIC_OBJECT || b->role == TOPIC_PROPERTY};
    enum err err = bus_subscribe(r->cfg.bus, &sub, NULL);
    return err ? error_set(e, err, "no room for a subscription to %.*s", STR_FMT(b->topic))
               : ERR_OK;
}

enum err ingest_guard(struct registry *r, const struct device *d)
{
    char topic[512], why[160];
    int n = snprintf(topic, sizeof(topic), "%.*s/set", STR_FMT(d->topic));
    if (n < 0 || (size_t)n >= sizeof(topic))
        return ERR_RANGE;
    (void)snprintf(why, sizeof(why), "%.*s is owned by %.*s: only it may command it",
                   STR_FMT(d->name), STR_FMT(d->owner));
    const struct subscription sub = {
        .filter = str_from(topic), .subscriber = &r->subscriber, .guard = str_from(why)};
    return bus_subscribe(r->cfg.bus, &sub, NULL);
}

/* One topic of the site that goes (or does not come). */
static void let_go(struct registry *r, const struct topic_binding *gone)
{
    const struct topic_binding *b = map_get(&r->now->topics, gone->topic);
    bool guarded = b && b->role == TOPIC_SET && b->device->owner.n;
    struct error e;
    if (b && b->role != TOPIC_SET) {
        if (listen(r, b, &e)) /* as this site wants it; what is there needs no memory */
            LOG_E("registry", "%s", e.text);
        return;
    }
    if (!guarded)
        (void)bus_unsubscribe(r->cfg.bus, &r->subscriber, (struct str){NULL, 0}, gone->topic);
    else if (ingest_guard(r, b->device)) /* it is guarded, with the text of the other site */
        LOG_W("registry", "no memory to say who owns %.*s", STR_FMT(b->device->name));
}

void ingest_settle(struct registry *r, const struct catalog *gone)
{
    struct str topic;
    void *binding;
    for (size_t at = 0; map_next(&gone->topics, &at, &topic, &binding);)
        let_go(r, binding);
}

static enum err bind_topic(struct registry *r, struct device *d, enum topic_role role,
                           struct device_property *p, struct str topic, struct error *e)
{
    struct topic_binding *b = arena_new(&r->building->arena, sizeof(*b));
    if (!b || !topic.p)
        return error_set(e, ERR_NOMEM, "no memory for the topics of %.*s", STR_FMT(d->name));
    *b = (struct topic_binding){role, d, p, topic};
    enum err err = map_put(&r->building->topics, topic, b);
    if (err == ERR_EXISTS) {
        const struct topic_binding *other = map_get(&r->building->topics, topic);
        if (other->device == d)
            return error_set(e, err,
                             "%.*s: two things share the topic %.*s: a property or event can't be "
                             "called telemetry, set or ack",
                             STR_FMT(d->name), STR_FMT(topic));
        return error_set(e, err, "%.*s and %.*s both use the topic %.*s", STR_FMT(d->name),
                         STR_FMT(other->device->name), STR_FMT(topic));
    }
    return err ? error_set(e, err, "too many topics, at %.*s", STR_FMT(topic)) : listen(r, b, e);
}

enum err ingest_bind(struct registry *r, struct device *d, struct error *e)
{
    struct str base = d->topic;
    const struct {
        enum topic_role role;
        const char *suffix;
    } fixed[] = {
        {TOPIC_OBJECT, ""}, {TOPIC_OBJECT, "/telemetry"}, {TOPIC_ACK, "/ack"}, {TOPIC_SET, "/set"}};
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        struct str topic =
            arena_strf(&r->building->arena, "%.*s%s", STR_FMT(base), fixed[i].suffix);
        enum err err = bind_topic(r, d, fixed[i].role, NULL, topic, e);
        if (err)
            return err;
    }
    for (size_t i = 0; i < d->model->property_count; i++) {
        struct str name = d->model->properties[i].name;
        struct str topic =
            arena_strf(&r->building->arena, "%.*s/%.*s", STR_FMT(base), STR_FMT(name));
        enum err err = bind_topic(r, d, TOPIC_PROPERTY, &d->props[i], topic, e);
        if (err)
            return err;
    }
    for (size_t i = 0; i < d->model->event_count; i++) {
        struct str topic = arena_strf(&r->building->arena, "%.*s/%.*s", STR_FMT(base),
                                      STR_FMT(d->model->events[i]));
        enum err err = bind_topic(r, d, TOPIC_EVENT, NULL, topic, e);
        if (err)
            return err;
    }
    return ERR_OK;
}
