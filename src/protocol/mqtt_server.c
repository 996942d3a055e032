#include "protocol/mqtt_broker.h"

#include <stdio.h>
#include <string.h>

static const char *const drop_names[MQTT_DROP_COUNT] = {
    [MQTT_DROP_QUEUE_FULL] = "queue full", [MQTT_DROP_QOS0_FULL] = "QoS 0, slow client",
    [MQTT_DROP_EXPIRED] = "expired",       [MQTT_DROP_TOO_LARGE] = "too large",
    [MQTT_DROP_DENIED] = "denied",         [MQTT_DROP_WITHHELD] = "withheld",
    [MQTT_DROP_NO_MEMORY] = "no memory",   [MQTT_DROP_NO_ROOM] = "disk full",
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
    DEFAULT(queue_stored_bytes_max, (size_t)1 << 30);
    DEFAULT(queue_full, MQTT_FULL_DROP_OLDEST);
    DEFAULT(queue_memory_max, 1000);
    DEFAULT(queue_memory_bytes_max, 1u << 20);
    DEFAULT(will_bytes_max, 64u << 20);
    DEFAULT(packet_size_max, 1u << 20);
    DEFAULT(receive_max, 1024);
    DEFAULT(inflight_max, 8192);
    DEFAULT(topic_alias_max, 16);
    DEFAULT(session_expiry_max_s, SESSION_NEVER);
    DEFAULT(connect_timeout_ms, 10000);
    if (l->packet_size_max > 16u << 20)
        l->packet_size_max = 16u << 20;
    if (l->inflight_max > INFLIGHT_MAX) /* packet ids must not meet themselves */
        l->inflight_max = INFLIGHT_MAX;
}

const struct mqtt_limits *mqtt_server_limits(const struct mqtt_server *s)
{
    return &s->limits;
}

static void register_dropped(struct metrics *m, struct metric *dropped)
{
    static const struct {
        const char *name, *help;
    } of[MQTT_DROP_COUNT] = {
        {"sedge_mqtt_dropped_queue_full_total", "Oldest messages of full queues"},
        {"sedge_mqtt_dropped_qos0_total", "QoS 0 messages for clients that did not keep up"},
        {"sedge_mqtt_dropped_expired_total", "Messages whose expiry interval was over"},
        {"sedge_mqtt_dropped_too_large_total", "Messages above a limit"},
        {"sedge_mqtt_dropped_denied_total", "Publications that were not allowed"},
        {"sedge_mqtt_dropped_withheld_total", "Messages that a client may not receive"},
        {"sedge_mqtt_dropped_no_memory_total", "Messages without memory"},
    };
    for (size_t i = 0; i < MQTT_DROP_COUNT; i++)
        metric_register(m, &dropped[i], METRIC_COUNTER, of[i].name, of[i].help);
}

#define AT(field) offsetof(struct mqtt_metrics, field)
static const struct {
    size_t at;
    enum metric_kind kind;
    const char *name, *help;
} metric_rows[] = {
    {AT(received), METRIC_COUNTER, "sedge_mqtt_messages_received_total",
     "Publications from clients"},
    {AT(sent), METRIC_COUNTER, "sedge_mqtt_messages_sent_total", "Publications to clients"},
    {AT(connects), METRIC_COUNTER, "sedge_mqtt_connects_total", "Clients that were let in"},
    {AT(refused), METRIC_COUNTER, "sedge_mqtt_refused_total", "Connections that were refused"},
    {AT(errors), METRIC_COUNTER, "sedge_mqtt_protocol_errors_total",
     "Packets that broke the protocol"},
    {AT(connections), METRIC_GAUGE, "sedge_mqtt_connections", "Open connections"},
    {AT(packets_received), METRIC_COUNTER, "sedge_mqtt_packets_received_total",
     "Packets from clients"},
    {AT(packets_sent), METRIC_COUNTER, "sedge_mqtt_packets_sent_total", "Packets to clients"},
    {AT(bytes_received), METRIC_COUNTER, "sedge_mqtt_received_bytes_total",
     "Bytes of packets from clients"},
    {AT(bytes_sent), METRIC_COUNTER, "sedge_mqtt_sent_bytes_total", "Bytes of packets to clients"},
};

static struct metric *metric_at(struct mqtt_metrics *t, size_t row)
{
    return (struct metric *)(void *)((char *)t + metric_rows[row].at);
}

/* Before the shards add their parts. */
static void metrics(struct mqtt_server *s)
{
    struct metrics *m = s->cfg.metrics;
    struct mqtt_metrics *t = &s->total;
    if (!m)
        return;
    for (size_t i = 0; i < ARRAY_LEN(metric_rows); i++)
        metric_register(m, metric_at(t, i), metric_rows[i].kind, metric_rows[i].name,
                        metric_rows[i].help);
    register_dropped(m, t->dropped);
}

static void metrics_add(struct mqtt_metrics *total, struct mqtt_metrics *part)
{
    for (size_t i = 0; i < ARRAY_LEN(metric_rows); i++)
        metric_part(metric_at(total, i), metric_at(part, i));
    for (size_t i = 0; i < MQTT_DROP_COUNT; i++)
        metric_part(&total->dropped[i], &part->dropped[i]);
}

static void forget_metric(struct metric *m)
{
    if (m->link.next)
        list_del(&m->link);
}

static void metrics_forget(struct mqtt_metrics *t)
{
    for (size_t i = 0; i < ARRAY_LEN(metric_rows); i++)
        forget_metric(metric_at(t, i));
    for (size_t i = 0; i < MQTT_DROP_COUNT; i++)
        forget_metric(&t->dropped[i]);
}

/* ---- from the first to the last day ---- */

static enum err make_shards(struct mqtt_server *s, unsigned n, struct error *e)
{
    s->shards = mem_array(s->alloc, n, sizeof(struct mqtt_shard *));
    if (!s->shards)
        return error_set(e, ERR_NOMEM, "no memory for the MQTT server");
    s->shards_n = n;
    for (unsigned i = 0; i < n; i++) {
        s->shards[i] = shard_new(s, executor_worker(s->cfg.ex, i));
        if (!s->shards[i])
            return error_set(e, ERR_NOMEM, "no memory for the MQTT server");
        metrics_add(&s->total, &s->shards[i]->count);
    }
    return ERR_OK;
}

enum err mqtt_server_new(struct mqtt_server **out, const struct mqtt_server_config *cfg,
                         struct error *e)
{
    struct alloc *a = cfg->alloc ? cfg->alloc : alloc_system();
    struct mqtt_server *s = mem_zero(a, sizeof(*s));
    *out = NULL;
    if (!s)
        return error_set(e, ERR_NOMEM, "no memory for the MQTT server");
    s->cfg = *cfg;
    s->limits = cfg->limits;
    default_limits(&s->limits);
    s->alloc = a;
    s->seed = executor_env(cfg->ex)->seed;
    s->starting = true;
    list_init(&s->listeners);
    list_init(&s->refusals);
    pthread_mutex_init(&s->refusals_lock, NULL);
    map_init(&s->by_number, a, s->seed, s->limits.sessions_max);
    map_init(&s->share_notes, a, s->seed, SIZE_MAX);
    metrics(s);
    enum err err = make_shards(s, executor_workers(cfg->ex), e);
    if (!err && cfg->journal)
        err = store_open(s, e);
    if (!err && sys_new(s))
        err = error_set(e, ERR_NOMEM, "no memory for the topics below $SYS");
    if (err) {
        mqtt_server_close(s);
        return err;
    }
    rights_watch(s);
    *out = s;
    return ERR_OK;
}

void server_number_seen(struct mqtt_server *s, uint64_t number)
{
    if (number > atomic_load_explicit(&s->number_last, memory_order_relaxed))
        atomic_store_explicit(&s->number_last, number, memory_order_relaxed);
}

bool server_was_gone(struct mqtt_server *s, int64_t at_ms)
{
    bool any = false;
    for (unsigned i = 0; i < s->shards_n; i++) {
        any = wills_lost(s->shards[i], at_ms) || any; /* first: it looks who was connected */
        any = sessions_lost(s->shards[i], at_ms) || any;
    }
    return any;
}

void server_started(struct mqtt_server *s)
{
    if (!s->starting)
        return;
    s->starting = false;
    map_fini(&s->by_number);
    shares_forget(s);
    if (server_was_gone(s, worker_now_ms(s->shards[0]->worker)))
        record_started(s->shards[0]);
    for (unsigned i = 0; i < s->shards_n; i++) {
        sessions_started(s->shards[i]);
        wills_started(s->shards[i]);
    }
    sys_start(s);
}

static void free_shards(struct mqtt_server *s)
{
    for (unsigned i = 0; i < s->shards_n; i++)
        if (s->shards[i])
            shard_free(s->shards[i]);
    mem_free(s->alloc, s->shards, s->shards_n * sizeof(struct mqtt_shard *));
}

void mqtt_server_close(struct mqtt_server *s)
{
    if (!s)
        return;
    rights_unwatch(s);
    sys_free(s);
    mqtt_listeners_close(s);
    for (unsigned i = 0; i < s->shards_n; i++)
        if (s->shards[i])
            shard_close(s->shards[i]);
    checkpoint_fini(&s->checkpoint);
    barrier_drop(s);
    free_shards(s);
    shares_forget(s);
    map_fini(&s->by_number);
    pthread_mutex_destroy(&s->refusals_lock);
    metrics_forget(&s->total);
    mem_free(s->alloc, s, sizeof(*s));
}

void mqtt_server_checkpoint(struct mqtt_server *s)
{
    checkpoint_now(&s->checkpoint);
}

/* ---- what it tells ---- */

/* Under the shard's lock. */
static struct mqtt_client_info info_of(const struct mqtt_session *s)
{
    struct mqtt_client_info info = {.client_id = session_id(s),
                                    .clean = s->expiry_s == 0,
                                    .subscriptions = s->subscriptions,
                                    .queued = s->queued};
    const struct mqtt_connection *c = s->connection;
    struct addr peer;
    if (!c)
        return info;
    info.user = connection_user(c);
    info.version = c->version;
    info.connected_ms = c->connected_ms;
    info.received = c->received;
    info.sent = c->sent;
    stream_address(c->stream, &peer);
    addr_format(&peer, info.address);
    return info;
}

#define PAGE 64 /* sessions that are told of while a worker may have to wait for its lock */

struct telling {
    void (*each)(void *ctx, const struct mqtt_client_info *info);
    void *ctx;
    unsigned n;
};

static void tell(void *ctx, struct table_node *node)
{
    struct telling *t = ctx;
    const struct mqtt_session *s = CONTAINER_OF(node, struct mqtt_session, node);
    if (session_is_lingering(s))
        return;
    const struct mqtt_client_info info = info_of(s);
    t->each(t->ctx, &info);
    t->n++;
}

/* The next of them. False: these were the last. */
static bool tell_page(struct mqtt_shard *shard, uint64_t *cursor, struct telling *t)
{
    t->n = 0;
    pthread_mutex_lock(&shard->lock);
    do
        table_scan(&shard->sessions, cursor, tell, t);
    while (*cursor && t->n < PAGE);
    pthread_mutex_unlock(&shard->lock);
    return *cursor != 0;
}

void mqtt_server_each(struct mqtt_server *s,
                      void (*each)(void *ctx, const struct mqtt_client_info *info), void *ctx)
{
    struct telling t = {.each = each, .ctx = ctx};
    for (unsigned i = 0; i < s->shards_n; i++) {
        uint64_t cursor = 0;
        while (tell_page(s->shards[i], &cursor, &t))
            continue;
    }
}

struct mqtt_stats mqtt_server_stats(const struct mqtt_server *s)
{
    const struct mqtt_metrics *t = &s->total;
    struct mqtt_stats out = {.received = (uint64_t)metric_get(&t->received),
                             .sent = (uint64_t)metric_get(&t->sent),
                             .connects = (uint64_t)metric_get(&t->connects),
                             .refused = (uint64_t)metric_get(&t->refused),
                             .protocol_errors = (uint64_t)metric_get(&t->errors),
                             .connections = atomic_load(&s->connections),
                             .sessions = atomic_load(&s->sessions)};
    for (unsigned i = 0; i < s->shards_n; i++) {
        out.queued += atomic_load(&s->shards[i]->queued);
        out.queued_bytes += atomic_load(&s->shards[i]->queued_all.used);
    }
    for (size_t i = 0; i < MQTT_DROP_COUNT; i++)
        out.dropped[i] = (uint64_t)metric_get(&t->dropped[i]);
    return out;
}
