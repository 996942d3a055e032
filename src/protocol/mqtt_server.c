#include "protocol/mqtt_broker.h"

#include <stdio.h>
#include <string.h>

static const char *const drop_names[MQTT_DROP_COUNT] = {
    [MQTT_DROP_QUEUE_FULL] = "queue full", [MQTT_DROP_QOS0_FULL] = "QoS 0, slow client",
    [MQTT_DROP_EXPIRED] = "expired",       [MQTT_DROP_TOO_LARGE] = "too large",
    [MQTT_DROP_DENIED] = "denied",         [MQTT_DROP_NO_MEMORY] = "no memory",
};

const char *mqtt_drop_name(enum mqtt_drop reason)
{
    return reason < MQTT_DROP_COUNT ? drop_names[reason] : "?";
}

#define DEFAULT(field, value)                                                                      \
    do {                                                                                           \
        if (!l->field)                                                                             \
            l->field = (value);                                                                    \
    } while (0)

static void default_limits(struct mqtt_limits *l)
{
    DEFAULT(connections_max, 20000);
    DEFAULT(sessions_max, 100000);
    DEFAULT(subscriptions_max, 10000);
    DEFAULT(queue_max, 100000);
    DEFAULT(queue_bytes_max, 64u << 20);
    DEFAULT(queue_total_bytes_max, (size_t)512 << 20);
    DEFAULT(packet_size_max, 1u << 20);
    DEFAULT(receive_max, 1024);
    DEFAULT(inflight_max, 1024);
    DEFAULT(topic_alias_max, 16);
    DEFAULT(session_expiry_max_s, SESSION_NEVER);
    DEFAULT(connect_timeout_ms, 10000);
    if (l->packet_size_max > 16u << 20)
        l->packet_size_max = 16u << 20;
    if (l->inflight_max > INFLIGHT_MAX) /* packet ids must not meet themselves */
        l->inflight_max = INFLIGHT_MAX;
}

static void metrics(struct mqtt_server *s)
{
    static const struct {
        const char *name, *help;
    } dropped[MQTT_DROP_COUNT] = {
        {"sedge_mqtt_dropped_queue_full_total", "Oldest messages of full queues"},
        {"sedge_mqtt_dropped_qos0_total", "QoS 0 messages for clients that did not keep up"},
        {"sedge_mqtt_dropped_expired_total", "Messages whose expiry interval was over"},
        {"sedge_mqtt_dropped_too_large_total", "Messages above a limit"},
        {"sedge_mqtt_dropped_denied_total", "Publications that were not allowed"},
        {"sedge_mqtt_dropped_no_memory_total", "Messages without memory"},
    };
    struct metrics *m = s->cfg.metrics;
    if (!m)
        return;
    metric_register(m, &s->m_received, METRIC_COUNTER, "sedge_mqtt_messages_received_total",
                    "Publications from clients");
    metric_register(m, &s->m_sent, METRIC_COUNTER, "sedge_mqtt_messages_sent_total",
                    "Publications to clients");
    metric_register(m, &s->m_connects, METRIC_COUNTER, "sedge_mqtt_connects_total",
                    "Clients that were let in");
    metric_register(m, &s->m_refused, METRIC_COUNTER, "sedge_mqtt_refused_total",
                    "Connections that were refused");
    metric_register(m, &s->m_errors, METRIC_COUNTER, "sedge_mqtt_protocol_errors_total",
                    "Packets that broke the protocol");
    metric_register(m, &s->m_connections, METRIC_GAUGE, "sedge_mqtt_connections",
                    "Open connections");
    for (size_t i = 0; i < MQTT_DROP_COUNT; i++)
        metric_register(m, &s->m_dropped[i], METRIC_COUNTER, dropped[i].name, dropped[i].help);
}

static void forget_metric(struct metric *m)
{
    if (m->link.next)
        list_del(&m->link);
}

static void metrics_forget(struct mqtt_server *s)
{
    struct metric *const all[] = {&s->m_received, &s->m_sent,   &s->m_connects,
                                  &s->m_refused,  &s->m_errors, &s->m_connections};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        forget_metric(all[i]);
    for (size_t i = 0; i < MQTT_DROP_COUNT; i++)
        forget_metric(&s->m_dropped[i]);
}

static void wills_fired(struct timer *t)
{
    struct mqtt_server *s = CONTAINER_OF(t, struct mqtt_server, due);
    wills_due(s, worker_now_ns(s->worker));
}

static void ends_fired(struct timer *t)
{
    sessions_due(CONTAINER_OF(t, struct mqtt_server, ends));
}

static void done_hooked(struct tick_hook *h)
{
    record_done_flush(CONTAINER_OF(h, struct mqtt_server, done_hook));
}

static void done_retried(struct timer *t)
{
    record_done_flush(CONTAINER_OF(t, struct mqtt_server, done_timer));
}

static void retry_fired(struct timer *t)
{
    struct mqtt_server *s = CONTAINER_OF(t, struct mqtt_server, retry);
    LIST_EACH(&s->connections, it)
    {
        struct mqtt_connection *c = CONTAINER_OF(it, struct mqtt_connection, link);
        if (c->paused)
            task_wake(&c->task);
    }
}

enum err mqtt_server_new(struct mqtt_server **out, const struct mqtt_server_config *cfg,
                         struct error *e)
{
    struct alloc *a = cfg->alloc ? cfg->alloc : alloc_system();
    struct mqtt_server *s = mem_zero(a, sizeof(*s));
    uint64_t seed = executor_env(cfg->ex)->seed;
    *out = NULL;
    if (!s)
        return error_set(e, ERR_NOMEM, "no memory for the MQTT server");
    s->cfg = *cfg;
    s->limits = cfg->limits;
    default_limits(&s->limits);
    s->alloc = a;
    s->worker = executor_worker(cfg->ex, 0);
    list_init(&s->listeners);
    list_init(&s->connections);
    list_init(&s->wills);
    list_init(&s->done);
    list_init(&s->dirty);
    map_init(&s->sessions, a, seed, s->limits.sessions_max);
    map_init(&s->by_number, a, seed, s->limits.sessions_max);
    timer_init(&s->due, s->worker, wills_fired);
    timer_init(&s->ends, s->worker, ends_fired);
    timer_init(&s->done_timer, s->worker, done_retried);
    timer_init(&s->retry, s->worker, retry_fired);
    tick_hook_init(&s->done_hook, done_hooked);
    metrics(s);
    enum err err = cfg->journal ? store_open(s, e) : ERR_OK;
    if (err) {
        mqtt_server_close(s);
        return err;
    }
    *out = s;
    return ERR_OK;
}

static void close_connections(struct mqtt_server *s)
{
    LIST_EACH_SAFE(&s->connections, it)
    { /* their tasks are over or will never run */
        struct mqtt_connection *c = CONTAINER_OF(it, struct mqtt_connection, link);
        connection_abandon(c);
    }
}

void mqtt_server_close(struct mqtt_server *s)
{
    if (!s)
        return;
    mqtt_listeners_close(s);
    close_connections(s);
    if (s->cfg.journal)
        record_done_flush(s);
    checkpoint_fini(&s->checkpoint);
    wills_free(s);
    timer_cancel(&s->due);
    timer_cancel(&s->ends);
    timer_cancel(&s->done_timer);
    timer_cancel(&s->retry);
    tick_hook_cancel(&s->done_hook);
    sessions_free(s);
    map_fini(&s->sessions);
    map_fini(&s->by_number);
    vec_fini(s->alloc, &s->ended);
    metrics_forget(s);
    mem_free(s->alloc, s, sizeof(*s));
}

void mqtt_server_checkpoint(struct mqtt_server *s)
{
    checkpoint_now(&s->checkpoint);
}

/* ---- what it tells ---- */

static struct mqtt_client_info info_of(const struct mqtt_session *s)
{
    struct mqtt_client_info info = {.client_id = s->client_id,
                                    .clean = s->expiry_s == 0,
                                    .subscriptions = s->subscriptions,
                                    .queued = s->queued};
    struct mqtt_connection *c = s->connection;
    if (!c)
        return info;
    info.user = c->user;
    info.version = c->version;
    info.connected_ms = c->connected_ms;
    info.received = c->received;
    info.sent = c->sent;
    addr_format(stream_peer(c->stream), info.address);
    return info;
}

void mqtt_server_each(struct mqtt_server *s,
                      void (*each)(void *ctx, const struct mqtt_client_info *info), void *ctx)
{
    struct str key;
    void *value;
    for (size_t at = 0; map_next(&s->sessions, &at, &key, &value);) {
        const struct mqtt_client_info info = info_of(value);
        each(ctx, &info);
    }
}

struct mqtt_stats mqtt_server_stats(const struct mqtt_server *s)
{
    struct mqtt_stats out = {.received = (uint64_t)metric_get(&s->m_received),
                             .sent = (uint64_t)metric_get(&s->m_sent),
                             .connects = (uint64_t)metric_get(&s->m_connects),
                             .refused = (uint64_t)metric_get(&s->m_refused),
                             .protocol_errors = (uint64_t)metric_get(&s->m_errors),
                             .connections = s->connections_n,
                             .sessions = s->sessions.n,
                             .queued = s->queued,
                             .queued_bytes = s->queued_bytes};
    for (size_t i = 0; i < MQTT_DROP_COUNT; i++)
        out.dropped[i] = (uint64_t)metric_get(&s->m_dropped[i]);
    return out;
}
