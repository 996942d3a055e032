/* Full queues that refuse: what would get there is not published at all, and its publisher is told
 * so (docs/decisions/0003).
 *
 * Who publishes may be on any worker and sees nothing of a session, so a session that is nearly
 * full hangs out its filters where all can read them. That is rare, so a lock will do, and while
 * nobody refuses it costs one load. Near the limit there is room for what is on its way already. */
#include "protocol/mqtt_broker.h"

#include <stdio.h>
#include <string.h>

struct refusal {
    struct list link; /* in server->refusals */
    struct str client_id;
    size_t size, filters_n;
    char *filters; /* each with its length before it, as struct refused_filter */
};
struct refused_filter {
    uint16_t n;
};

/* ---- what is hung out ---- */

static void measure(void *ctx, const struct subscription *sub)
{
    size_t *size = ctx;
    if (sub->qos)
        *size += sizeof(struct refused_filter) + sub->filter.n;
}

static void copy(void *ctx, const struct subscription *sub)
{
    struct writer *w = ctx;
    const struct refused_filter head = {(uint16_t)sub->filter.n};
    if (!sub->qos)
        return;
    writer_bytes(w, (const uint8_t *)&head, sizeof(head));
    writer_bytes(w, (const uint8_t *)sub->filter.p, sub->filter.n);
}

static void begin(struct mqtt_session *s)
{
    struct mqtt_server *server = s->shard->server;
    size_t filters = 0;
    bus_subscriptions_each(&s->subscriber, measure, &filters);
    struct refusal *r = mem_zero(s->shard->alloc, sizeof(*r) + filters);
    if (!r)
        return; /* then the newest are dropped, and counted */
    r->size = sizeof(*r) + filters;
    r->client_id = session_id(s);
    r->filters = (char *)(r + 1);
    struct writer w = writer_from(r->filters, filters);
    bus_subscriptions_each(&s->subscriber, copy, &w);
    ASSERT(!w.failed);
    r->filters_n = writer_len(&w);
    s->refusal = r;
    pthread_mutex_lock(&server->refusals_lock);
    list_add_tail(&server->refusals, &r->link);
    atomic_fetch_add(&server->refusing, 1);
    pthread_mutex_unlock(&server->refusals_lock);
    LOG_W("mqtt", "%.*s: its queue is full: publications to it are refused",
          STR_FMT(session_id(s)));
}

void refuse_end(struct mqtt_session *s)
{
    struct mqtt_server *server = s->shard->server;
    if (!s->refusal)
        return;
    pthread_mutex_lock(&server->refusals_lock);
    list_del(&s->refusal->link);
    atomic_fetch_sub(&server->refusing, 1);
    pthread_mutex_unlock(&server->refusals_lock);
    mem_free(s->shard->alloc, s->refusal, s->refusal->size);
    s->refusal = NULL;
}

static size_t eighths(size_t max, unsigned n)
{
    return max - max / 8 * (8 - n);
}

void refuse_look(struct mqtt_session *s)
{
    const struct mqtt_limits *l = s->shard->limits;
    size_t max = session_stored(s) ? l->queue_stored_bytes_max : l->queue_bytes_max;
    size_t n = s->queued,
           bytes = s->transit->queued_bytes + (s->transit->spill ? s->transit->spill->bytes : 0);
    if (!s->refusal && (n >= eighths(l->queue_max, 7) || bytes >= eighths(max, 7)))
        begin(s);
    else if (s->refusal && n <= eighths(l->queue_max, 6) && bytes <= eighths(max, 6))
        refuse_end(s);
}

void refuse_renew(struct mqtt_session *s)
{
    if (!s->refusal)
        return;
    refuse_end(s);
    refuse_look(s);
}

/* ---- who looks ---- */

static bool matches(const struct refusal *r, struct str topic)
{
    struct cursor c = cursor_from(r->filters, r->filters_n);
    while (cursor_left(&c)) {
        struct refused_filter head;
        struct bytes bytes = cursor_take(&c, sizeof(head));
        ASSERT(bytes.p);
        memcpy(&head, bytes.p, sizeof(head));
        struct bytes text = cursor_take(&c, head.n);
        if (mqtt_filter_match((struct str){(const char *)text.p, text.n}, topic))
            return true;
    }
    return false;
}

bool refuse_asked(struct mqtt_server *s, struct str topic, char why[160])
{
    bool found = false;
    if (!atomic_load_explicit(&s->refusing, memory_order_relaxed))
        return false;
    pthread_mutex_lock(&s->refusals_lock);
    LIST_EACH(&s->refusals, it)
    {
        const struct refusal *r = CONTAINER_OF(it, struct refusal, link);
        if (!(found = matches(r, topic)))
            continue;
        (void)snprintf(why, 160, "the queue of %.*s is full", STR_FMT(r->client_id));
        break;
    }
    pthread_mutex_unlock(&s->refusals_lock);
    return found;
}
