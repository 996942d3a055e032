#include "protocol/mqtt_broker.h"

#include <string.h>

static enum handled stop(struct mqtt_connection *c, uint8_t reason, const char *why)
{
    connection_close(c, reason, why);
    return HANDLED_STOP;
}

/* The record of all filters first; ERR_FULL: the same packet again, later. */
static enum err record(struct mqtt_connection *c, enum session_op op,
                       const struct mqtt_subscribe *m, uint64_t *seq)
{
    *seq = 0;
    if (!session_stored(c->session))
        return ERR_OK;
    return record_filters(c->session, op, m->filters, m->props.subscription_id, seq);
}

/* Why a filter is not subscribed to, before anything is tried; 0: it is. */
static uint8_t refusal(struct mqtt_connection *c, const struct mqtt_subscribe *m, struct str filter)
{
    const unsigned without = c->shard->limits->without;
    struct mqtt_session *s = c->session;
    struct str rest = filter;
    char why[160];
    size_t at;
    bool shared = mqtt_share_parse(filter, NULL, &rest);
    bool wild = str_find(rest, '+', &at) || str_find(rest, '#', &at);
    if (shared && (without & MQTT_WITHOUT_SHARES)) /* checklist 36 */
        return MQTT_RC_SHARED_SUBSCRIPTIONS_NOT_SUPPORTED;
    if (wild && (without & MQTT_WITHOUT_WILDCARDS))
        return MQTT_RC_WILDCARDS_NOT_SUPPORTED;
    if (m->props.subscription_id && (without & MQTT_WITHOUT_SUBSCRIPTION_IDS))
        return MQTT_RC_SUBSCRIPTION_IDS_NOT_SUPPORTED;
    if (session_may(s, ACCESS_SUBSCRIBE, rest, why))
        return 0;
    if (denied_news(c->shard, session_id(s), filter))
        LOG_W("mqtt", "%.*s may not subscribe to %.*s: %s", STR_FMT(session_id(s)), STR_FMT(filter),
              why);
    return MQTT_RC_NOT_AUTHORIZED;
}

/* Gives those their code that are refused, and how many they are. */
static size_t mark_refused(struct mqtt_connection *c, const struct mqtt_subscribe *m,
                           uint8_t *codes)
{
    struct cursor at = cursor_from(m->filters.p, m->filters.n);
    struct str filter;
    size_t n = 0;
    for (size_t i = 0; mqtt_filter_next(&at, MQTT_SUBSCRIBE, &filter, NULL); i++) {
        codes[i] = refusal(c, m, filter);
        n += codes[i] != 0;
    }
    return n;
}

/* The record of the others: a restart must not bring back what was refused. */
static enum err record_allowed(struct mqtt_connection *c, const struct mqtt_subscribe *m,
                               const uint8_t *codes, size_t refused, uint64_t *seq)
{
    struct alloc *a = c->shard->alloc;
    *seq = 0;
    if (!refused)
        return record(c, SESSION_SUBSCRIBE, m, seq);
    if (refused == m->count || !session_stored(c->session))
        return ERR_OK;
    uint8_t *room = mem_new(a, m->filters.n);
    struct writer w = writer_from(room, m->filters.n);
    struct cursor at = cursor_from(m->filters.p, m->filters.n);
    struct str filter;
    uint8_t options;
    if (!room)
        return ERR_NOMEM;
    for (size_t i = 0; mqtt_filter_next(&at, MQTT_SUBSCRIBE, &filter, &options); i++) {
        if (!codes[i])
            mqtt_put_filter(&w, MQTT_SUBSCRIBE, filter, options);
    }
    struct mqtt_subscribe allowed = *m;
    allowed.filters = (struct bytes){room, writer_len(&w)};
    enum err err = record(c, SESSION_SUBSCRIBE, &allowed, seq);
    mem_free(a, room, m->filters.n);
    return err;
}

void subscribe_split(struct subscription *sub)
{
    sub->share = (struct str){NULL, 0};
    (void)mqtt_share_parse(sub->filter, &sub->share, &sub->filter);
}

uint8_t subscribe_one(struct mqtt_session *s, struct subscription *sub, uint8_t options,
                      bool *existed)
{
    *existed = false;
    subscribe_split(sub);
    sub->qos = MQTT_SUB_QOS(options);
    if (sub->qos == 2 && (s->shard->limits->without & MQTT_WITHOUT_QOS2))
        sub->qos = 1;
    sub->no_local = options & MQTT_SUB_NO_LOCAL;
    sub->retain_as_published = options & MQTT_SUB_RETAIN_AS_PUBLISHED;
    sub->stored = session_stored(s);
    sub->restored = s->shard->server->starting;
    /* Who comes back subscribes once more to all that it has. */
    sub->renewal = !sub->restored && s->subscriptions >= s->shard->limits->subscriptions_max;
    enum err err = bus_subscribe(s->shard->bus, sub, existed);
    if (err)
        return err == ERR_RANGE ? MQTT_RC_TOPIC_FILTER_INVALID : MQTT_RC_QUOTA_EXCEEDED;
    atomic_add_own(&s->subscriptions, *existed ? 0U : 1U);
    refuse_renew(s);
    return sub->qos;
}

bool subscribe_wants_retained(uint8_t options, bool existed)
{
    unsigned handling = MQTT_SUB_RETAIN_HANDLING(options);
    return handling == 0 || (handling == 1 && !existed);
}

static void send_retained(struct mqtt_connection *c, const struct mqtt_subscribe *m,
                          const uint8_t *codes, const bool *existed)
{
    struct cursor at = cursor_from(m->filters.p, m->filters.n);
    struct subscription sub = {.subscriber = &c->session->subscriber,
                               .id = m->props.subscription_id};
    uint8_t options;
    for (size_t i = 0; mqtt_filter_next(&at, MQTT_SUBSCRIBE, &sub.filter, &options); i++) {
        bool shared = mqtt_share_parse(sub.filter, NULL, NULL); /* checklist 33 */
        if (shared || codes[i] >= MQTT_RC_UNSPECIFIED ||
            !subscribe_wants_retained(options, existed[i]))
            continue;
        sub.qos = codes[i];
        bus_send_retained(c->shard->bus, &sub);
        sys_send(c->session, &sub);
    }
}

static bool put_suback(struct mqtt_connection *c, enum mqtt_type type, uint16_t id,
                       struct bytes codes, uint64_t seq)
{
    const struct mqtt_packet p = {.type = type, .suback = {.id = id, .codes = codes}};
    if (!pending_add_packet(c, &p, seq, false, id)) {
        connection_close(c, MQTT_RC_QUOTA_EXCEEDED, "no memory");
        return false;
    }
    (void)pending_flush(c);
    return true;
}

static void subscribe_all(struct mqtt_connection *c, const struct mqtt_subscribe *m, bool failed,
                          uint8_t *codes, bool *existed)
{
    struct cursor at = cursor_from(m->filters.p, m->filters.n);
    struct subscription sub = {.subscriber = &c->session->subscriber,
                               .id = m->props.subscription_id};
    uint8_t options;
    for (size_t i = 0; mqtt_filter_next(&at, MQTT_SUBSCRIBE, &sub.filter, &options); i++) {
        if (failed)
            codes[i] = MQTT_RC_UNSPECIFIED;
        else if (!codes[i])
            codes[i] = subscribe_one(c->session, &sub, options, &existed[i]);
        if (c->version != MQTT_V5 && codes[i] >= MQTT_RC_UNSPECIFIED)
            codes[i] = MQTT_RC_UNSPECIFIED; /* 3.1.1 knows one failure */
    }
    session_subs_changed(c->session);
}

enum handled handle_subscribe(struct mqtt_connection *c, const struct mqtt_packet *packet)
{
    const struct mqtt_subscribe *m = &packet->subscribe;
    struct alloc *a = c->shard->alloc;
    uint64_t seq;
    uint8_t *codes = mem_zero(a, 2 * m->count); /* and as many bools */
    if (!codes)
        return stop(c, MQTT_RC_QUOTA_EXCEEDED, "no memory");
    bool *existed = (bool *)(codes + m->count);
    enum err err = record_allowed(c, m, codes, mark_refused(c, m, codes), &seq);
    if (err == ERR_FULL) {
        mem_free(a, codes, 2 * m->count);
        return HANDLED_AGAIN;
    }
    subscribe_all(c, m, err != ERR_OK, codes, existed);
    if (put_suback(c, MQTT_SUBACK, m->id, (struct bytes){codes, m->count}, seq) && !err)
        send_retained(c, m, codes, existed);
    mem_free(a, codes, 2 * m->count);
    return c->state == CONNECTION_OPEN ? HANDLED : HANDLED_STOP;
}

enum handled handle_unsubscribe(struct mqtt_connection *c, const struct mqtt_packet *packet)
{
    const struct mqtt_subscribe *m = &packet->subscribe;
    struct mqtt_session *s = c->session;
    struct alloc *a = c->shard->alloc;
    struct cursor at = cursor_from(m->filters.p, m->filters.n);
    struct subscription sub;
    uint64_t seq;
    enum err err = record(c, SESSION_UNSUBSCRIBE, m, &seq);
    if (err == ERR_FULL)
        return HANDLED_AGAIN;
    uint8_t *codes = mem_zero(a, m->count);
    if (!codes)
        return stop(c, MQTT_RC_QUOTA_EXCEEDED, "no memory");
    for (size_t i = 0; mqtt_filter_next(&at, MQTT_UNSUBSCRIBE, &sub.filter, NULL); i++) {
        subscribe_split(&sub);
        bool there = !err && bus_unsubscribe(c->shard->bus, &s->subscriber, sub.share, sub.filter);
        atomic_add_own(&s->subscriptions, there ? -1U : 0U);
        codes[i] = err     ? MQTT_RC_UNSPECIFIED
                   : there ? MQTT_RC_SUCCESS
                           : MQTT_RC_NO_SUBSCRIPTION_EXISTED;
    }
    session_subs_changed(s);
    refuse_renew(s);
    struct bytes sent = {codes, c->version == MQTT_V5 ? m->count : 0};
    if (err && c->version != MQTT_V5) /* a 3.1.1 UNSUBACK can only say that it was done */
        connection_close(c, MQTT_RC_IMPLEMENTATION_SPECIFIC, "the journal has failed");
    else
        (void)put_suback(c, MQTT_UNSUBACK, m->id, sent, seq);
    mem_free(a, codes, m->count);
    return c->state == CONNECTION_OPEN ? HANDLED : HANDLED_STOP;
}
