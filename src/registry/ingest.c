/* ingest: from a message to the samples of a device, and when they turn stale. */
#include "base/log.h"
#include "registry/heard.h"
#include "registry/registry_internal.h"

#include <stdio.h>
#include <string.h>

enum {
    LOOK_EVERY_MS = 100, /* at a topic that no device claims */
    PACES = 3            /* that a property may miss */
};

/* The first of those that a topic means. */
static const struct topic_binding *topic_of(const struct registry *r, struct str topic)
{
    return map_get(&r->now->topics, topic);
}

/* A device that leaves is there for its last action alone. */
static bool is_over(const struct topic_binding *b)
{
    return b->device->leaving && list_empty(&b->device->actions);
}

/* Nobody has said how long it may be silent, and it comes less often than the default allows (a
 * plug reports every five minutes): three times its own pace, then. Two gaps in a row teach it, by
 * the shorter one, so that a device that was away for an hour is not taken for a slow one. */
static void learn_pace(struct registry *r, struct device_property *p)
{
    struct series *s = p->series;
    if (p->stale_declared || s->quality == QUALITY_NONE || s->last_mono_ns == 0)
        return;
    int64_t gap_ms = (worker_now_ns(r->worker) - s->last_mono_ns) / 1000000;
    int64_t pace_ms = gap_ms < s->gap_ms ? gap_ms : s->gap_ms;
    s->gap_ms = gap_ms;
    if (pace_ms <= s->stale_ms / PACES)
        return;
    bool slow = pace_ms > r->cfg.stale_learned_max_ms / PACES;
    s->stale_ms = s->paced_ms = slow ? r->cfg.stale_learned_max_ms : pace_ms * PACES;
}

static void publish_sample(struct registry *r, struct device_property *p, const struct sample *s)
{
    r->samples++;
    if (!s->replayed) {
        links_heard(p);
        learn_pace(r, p);
    }
    bus_sample_publish(r->cfg.bus, s);
    if (!s->replayed)
        ingest_stale_rearm(p);
}

void ingest_sample(struct registry *r, struct device_property *p, const struct sample *s)
{
    if (p->device->leaving)
        actions_sample(p->device, p, s);
    else
        publish_sample(r, p, s);
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

/* --- a message --- */

struct ingest_ctx {
    struct registry *r;
    struct device *device;
    uint64_t seq;
    int64_t wall_ms;
    bool replayed;
    bool late; /* it came when nobody knew what it means: ingest_late() */
};

static void sample_made(void *ctx, struct device_property *p, const struct sample *made)
{
    const struct ingest_ctx *c = ctx;
    struct sample s = *made;
    s.seq = c->seq;
    s.replayed = c->replayed;
    ingest_sample(c->r, p, &s);
}

static void event_made(void *ctx, uint32_t event)
{
    const struct ingest_ctx *c = ctx;
    struct device *d = c->device;
    struct signal_event e = {
        .device = d->name, .event = d->model->events[event], .wall_ms = c->wall_ms};
    d->events_seen++;
    if (c->replayed || c->late || d->leaving)
        return;
    heard_note(c->r, &e);
    bus_signal_publish(c->r->cfg.bus, &e);
}

void registry_signal(struct device *d, uint32_t event)
{
    struct ingest_ctx c = {
        .r = d->registry, .device = d, .wall_ms = worker_now_ms(d->registry->worker)};
    ASSERT(event < d->model->event_count);
    event_made(&c, event);
}

/* What one of the topic's meanings makes of it. */
static void ingest_as(const struct topic_binding *b, struct ingest_ctx *c, struct decode_target *t,
                      struct bytes payload)
{
    switch (b->role) {
    case TOPIC_OBJECT: decode_object(t, payload); break;
    case TOPIC_PROPERTY: decode_value(t, b->property, payload); break;
    case TOPIC_SOURCES: decode_mapped(t, b->sources, payload); break;
    case TOPIC_EVENT: event_made(c, b->index); break;
    case TOPIC_ACK:
        if (!c->replayed)
            actions_ack(b->device, payload);
        break;
    case TOPIC_ANSWER:
        if (!c->replayed && !c->late)
            actions_answered(b->device, b->index);
        break;
    case TOPIC_ONLINE:
        if (!c->replayed || c->late)
            online_heard(b->device, b->online, decode_online(t, b->online, payload));
        break;
    case TOPIC_SET: break;
    }
}

/* Returns the first thing that could not be read; its reason "" if there is none. */
static struct payload_error ingest_payload(const struct topic_binding *b, struct ingest_ctx *c,
                                           struct bytes payload)
{
    struct payload_error first = {0};
    for (; b; b = b->next) {
        struct payload_error error = {0};
        struct decode_target t = {.device = b->device,
                                  .arrived_ms = c->wall_ms,
                                  .sample = sample_made,
                                  .event = event_made,
                                  .ctx = c,
                                  .convert = c->r->cfg.convert,
                                  .error = &error};
        if (is_over(b))
            continue;
        c->device = b->device;
        b->device->heard = b->device->heard || b->role != TOPIC_SET; /* which others say to it */
        ingest_as(b, c, &t, payload);
        if (!error.reason[0] || c->replayed)
            continue;
        b->device->reach.unreadable++;
        if (!first.reason[0])
            first = error;
    }
    return first;
}

/* Whether there is anybody left whom it concerns. */
static bool is_claimed(const struct topic_binding *b)
{
    while (b && is_over(b))
        b = b->next;
    return b != NULL;
}

bool ingest_has(const struct registry *r, struct str topic)
{
    return is_claimed(topic_of(r, topic));
}

static void ingest_message(struct registry *r, struct message *m, bool replayed)
{
    const struct topic_binding *b = topic_of(r, message_topic(m));
    if (!is_claimed(b)) {
        if (!replayed)
            discover_note(r, m, NULL);
        return;
    }
    struct ingest_ctx c = {.r = r, .seq = m->seq, .wall_ms = m->wall_ms, .replayed = replayed};
    struct payload_error error = ingest_payload(b, &c, message_payload(m));
    if (error.reason[0])
        discover_note(r, m, &error);
}

/* A value that is older than it may be is shown, but is no news. */
void ingest_late(struct registry *r, struct str topic, struct bytes payload, int64_t wall_ms)
{
    struct ingest_ctx c = {.r = r, .wall_ms = wall_ms, .late = true};
    const struct topic_binding *b = topic_of(r, topic);
    c.replayed = worker_now_ms(r->worker) - wall_ms > r->cfg.stale_default_ms;
    (void)ingest_payload(b, &c, payload);
    for (; b && c.replayed; b = b->next)
        for (size_t i = 0; i < b->device->model->property_count && !b->device->leaving; i++) {
            struct series *s = b->device->props[i].series;
            if (s->last_ms == wall_ms && s->quality != QUALITY_NONE)
                bus_quality_publish(r->cfg.bus, s, QUALITY_STALE);
        }
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
    if (rec->kind == JOURNAL_SAMPLE)
        links_replay_sample(r, rec);
    if (!m)
        return;
    ingest_message(r, m, true);
    message_unref(m);
}

/* What is empty asks: Tasmota does, of itself, whenever it connects. It is refused like the rest,
 * as firmware is free to take it for a command, but is nobody's attempt, unless the site's own are
 * so. */
static bool attempts(const struct device *d, const struct bus_denial *denial)
{
    if (!denial->empty)
        return true;
    for (size_t i = 0; d->mapping && i < d->mapping->def.command_count; i++) {
        const struct command_def *c = &d->mapping->def.commands[i];
        if (!c->piece_count && str_eq(c->topic, denial->topic))
            return true;
    }
    return false;
}

/* Rule O16: nobody commands an owned device past its owner. The bus has refused it already. */
static void denied(struct subscriber *s, const struct bus_denial *d)
{
    struct registry *r = CONTAINER_OF(s, struct registry, subscriber);
    for (const struct topic_binding *b = topic_of(r, d->topic); b; b = b->next)
        if (b->role == TOPIC_SET && b->device->owner.n && !is_over(b) && attempts(b->device, d)) {
            actions_denied(r, b->device, d->name, d->why);
            return; /* of several devices on one topic one is enough */
        }
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
    struct topic_binding *b = map_get(&r->now->topics, message_topic(m));
    bool keeps = false;
    for (struct topic_binding *it = b; it; it = it->next)
        keeps = keeps || it->keeps;
    for (; b && !keeps; b = b->next)
        if (b->role == TOPIC_SET && b->device->owner.n && !b->device->leaving) {
            b->retained = true;
            return;
        }
}

static enum err clear_retained(struct registry *r, struct str topic, const struct device *d)
{
    struct bus_publication p = {
        .topic = topic, .qos = 1, .retain = true, .expiry_s = UINT32_MAX, .from = &r->publisher};
    struct bus_receipt receipt;
    enum err err = bus_publish(r->cfg.bus, &p, &receipt);
    if (err)
        LOG_E("registry", "the retained message on %.*s can't be removed: %s", STR_FMT(topic),
              receipt.why);
    else
        LOG_W("registry", "the retained message on %.*s is removed: %.*s is owned by %.*s",
              STR_FMT(topic), STR_FMT(d->name), STR_FMT(d->owner));
    return err;
}

/* One that was left there before the device had an owner would reach it whenever it connects.
 * Where a mapping says that commands are retained, what is there is the owner's last, but for what
 * registry_taken_over() removes. */
void ingest_clear_retained(struct registry *r)
{
    struct str topic;
    void *first;
    bus_retained_each(r->cfg.bus, note_retained, r);
    for (size_t at = 0; map_next(&r->now->topics, &at, &topic, &first);)
        for (struct topic_binding *b = first; b; b = b->next) {
            if (b->retained)
                (void)clear_retained(r, b->topic, b->device);
            b->retained = false;
        }
}

static enum err clear_kept(struct registry *r, const struct device *d)
{
    enum err err = ERR_OK;
    for (size_t i = 0; !err && d->mapping && i < d->mapping->def.command_count; i++) {
        const struct command_def *c = &d->mapping->def.commands[i];
        if (c->retain && bus_retained_get(r->cfg.bus, c->topic))
            err = clear_retained(r, c->topic, d);
    }
    return err;
}

/* Those that are not meant to stay are ingest_clear_retained()'s. */
enum err registry_taken_over(const struct device *d)
{
    enum err err = clear_kept(d->registry, d);
    LIST_EACH(&d->twins, it)
    if (!err)
        err = clear_kept(d->registry, CONTAINER_OF(it, struct device, twins));
    return err;
}

/* What a device has said of itself with a retained message holds over a restart, and for a device
 * that has been declared since. */
static void online_retained(struct registry *r, const struct topic_binding *b)
{
    struct message *m = bus_retained_get(r->cfg.bus, b->topic);
    struct payload_error unread = {0};
    struct decode_target t = {.device = b->device, .error = &unread};
    if (m)
        online_heard(b->device, b->online, decode_online(&t, b->online, message_payload(m)));
}

void ingest_online_retained(struct registry *r)
{
    struct str topic;
    void *first;
    for (size_t at = 0; map_next(&r->now->topics, &at, &topic, &first);)
        for (const struct topic_binding *b = first; b; b = b->next)
            if (b->role == TOPIC_ONLINE && b->online->state == REACH_UNKNOWN && !is_over(b))
                online_retained(r, b);
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

static bool is_kept(const struct topic_binding *b)
{
    for (; b; b = b->next)
        if (b->role == TOPIC_OBJECT || b->role == TOPIC_PROPERTY || b->role == TOPIC_SOURCES)
            return true;
    return false;
}

/* `b`: the first of the topic's meanings. */
static enum err listen(struct registry *r, const struct topic_binding *b, struct error *e)
{
    if (b->role == TOPIC_SET) /* see ingest_guard() */
        return ERR_OK;
    const struct subscription sub = {
        .filter = b->topic, .subscriber = &r->subscriber, .qos = 1, .kept = is_kept(b)};
    enum err err = bus_subscribe(r->cfg.bus, &sub, NULL);
    return err ? error_set(e, err, "no room for a subscription to %.*s", STR_FMT(b->topic))
               : ERR_OK;
}

static enum err guard_topic(struct registry *r, const struct device *d, struct str topic)
{
    char why[160];
    (void)snprintf(why, sizeof(why), "%.*s is owned by %.*s: only it may command it",
                   STR_FMT(d->name), STR_FMT(d->owner));
    const struct subscription sub = {
        .filter = topic, .subscriber = &r->subscriber, .guard = str_from(why)};
    return bus_subscribe(r->cfg.bus, &sub, NULL);
}

enum err ingest_guard(struct registry *r, const struct device *d)
{
    char topic[512];
    enum err err = ERR_OK;
    int n = snprintf(topic, sizeof(topic), "%.*s/set", STR_FMT(d->topic));
    if (n < 0 || (size_t)n >= sizeof(topic))
        return ERR_RANGE;
    if (d->topic.n)
        err = guard_topic(r, d, str_from(topic));
    for (size_t i = 0; !err && d->mapping && i < d->mapping->def.command_count; i++)
        err = guard_topic(r, d, d->mapping->def.commands[i].topic);
    return err;
}

/* One topic of the site that goes (or does not come). */
static void let_go(struct registry *r, struct str topic)
{
    const struct topic_binding *b = map_get(&r->now->topics, topic), *owned = b;
    if (b && b->role != TOPIC_SET) {
        struct error e;
        if (listen(r, b, &e)) /* as this site wants it; what is there needs no memory */
            LOG_E("registry", "%s", e.text);
        return;
    }
    while (owned && !owned->device->owner.n)
        owned = owned->next;
    if (!owned)
        (void)bus_unsubscribe(r->cfg.bus, &r->subscriber, (struct str){NULL, 0}, topic);
    else if (guard_topic(r, owned->device, topic)) /* it is, with the text of the other site */
        LOG_W("registry", "no memory to say who owns %.*s", STR_FMT(owned->device->name));
}

void ingest_settle(struct registry *r, const struct catalog *gone)
{
    struct str topic;
    void *binding;
    for (size_t at = 0; map_next(&gone->topics, &at, &topic, &binding);) {
        let_go(r, topic);
        if (!ingest_has(r, topic))
            discover_let_go(r, topic);
    }
}

/* --- topics and what they mean --- */

static bool is_convention(const struct topic_binding *b)
{
    return b->role < TOPIC_SOURCES && !b->mapped;
}

static enum err taken(const struct topic_binding *want, const struct topic_binding *other,
                      struct error *e)
{
    if (want->role == TOPIC_SET && other->role == TOPIC_SET && want->device != other->device)
        return error_set(
            e, ERR_EXISTS,
            "%.*s and %.*s are both commanded on the topic %.*s, which the one that is "
            "spoken to by the convention has for itself",
            STR_FMT(want->device->name), STR_FMT(other->device->name), STR_FMT(want->topic));
    if (!is_convention(want) || !is_convention(other))
        return error_set(e, ERR_EXISTS,
                         "%.*s: commands go to the topic %.*s, which can't also be listened to%s"
                         "%.*s",
                         STR_FMT(want->device->name), STR_FMT(want->topic),
                         other->device == want->device ? "" : ", as by ",
                         STR_FMT(other->device == want->device ? STR("") : other->device->name));
    if (other->device == want->device)
        return error_set(e, ERR_EXISTS,
                         "%.*s: two things share the topic %.*s: a property or event can't be "
                         "called telemetry, set or ack",
                         STR_FMT(want->device->name), STR_FMT(want->topic));
    return error_set(e, ERR_EXISTS, "%.*s and %.*s both use the topic %.*s",
                     STR_FMT(want->device->name), STR_FMT(other->device->name),
                     STR_FMT(want->topic));
}

/* A device's own messages on a topic that commands it would be refused when it is owned. Things
 * behind one gateway are mapped to one topic and told apart by the payload; who takes commands by
 * the convention is alone on its topic, so another device's commands there would go past its owner.
 */
static bool may_share(const struct topic_binding *a, const struct topic_binding *b)
{
    bool sets = a->role == TOPIC_SET && b->role == TOPIC_SET;
    if (sets && a->device != b->device)
        return !is_convention(a) && !is_convention(b);
    return (a->role == TOPIC_SET) == (b->role == TOPIC_SET) &&
           !(is_convention(a) && is_convention(b));
}

enum err ingest_bind_topic(struct registry *r, const struct topic_binding *want, struct error *e)
{
    struct catalog *c = r->building;
    struct topic_binding *first = want->topic.p ? map_get(&c->topics, want->topic) : NULL;
    for (const struct topic_binding *it = first; it; it = it->next)
        if (!may_share(want, it))
            return want->device->leaving ? ERR_OK : taken(want, it, e); /* it is the other's now */
    struct topic_binding *b = arena_new(&c->arena, sizeof(*b));
    if (!b || !want->topic.p)
        return error_set(e, ERR_NOMEM, "no memory for the topics of %.*s",
                         STR_FMT(want->device->name));
    *b = *want;
    b->next = NULL;
    enum err err = first ? ERR_OK : map_put(&c->topics, b->topic, b);
    if (err)
        return error_set(e, err, "too many topics, at %.*s", STR_FMT(b->topic));
    for (struct topic_binding *it = first; it; it = it->next)
        if (!it->next) {
            it->next = b;
            break;
        }
    return listen(r, first ? first : b, e);
}

static enum err bind(struct registry *r, struct device *d, struct topic_binding want,
                     const char *between, struct str name, struct error *e)
{
    want.device = d;
    want.topic =
        arena_strf(&r->building->arena, "%.*s%s%.*s", STR_FMT(d->topic), between, STR_FMT(name));
    return ingest_bind_topic(r, &want, e);
}

enum err ingest_bind(struct registry *r, struct device *d, struct error *e)
{
    static const struct {
        enum topic_role role;
        const char *suffix;
    } fixed[] = {
        {TOPIC_OBJECT, ""}, {TOPIC_OBJECT, "/telemetry"}, {TOPIC_ACK, "/ack"}, {TOPIC_SET, "/set"}};
    enum err err = ERR_OK;
    if (!d->topic.n)
        return ERR_OK;
    for (size_t i = 0; !err && i < ARRAY_LEN(fixed); i++)
        err =
            bind(r, d, (struct topic_binding){.role = fixed[i].role}, fixed[i].suffix, STR(""), e);
    for (size_t i = 0; !err && i < d->model->property_count; i++)
        err = bind(r, d, (struct topic_binding){.role = TOPIC_PROPERTY, .property = &d->props[i]},
                   "/", d->model->properties[i].name, e);
    for (size_t i = 0; !err && i < d->model->event_count; i++)
        err = bind(r, d, (struct topic_binding){.role = TOPIC_EVENT, .index = (uint32_t)i}, "/",
                   d->model->events[i], e);
    return err;
}
