/* $SYS: what the broker tells of itself on topics, by the names that users of mosquitto know.
 *
 * Once in an interval worker 0 writes all values down as texts, and publishes those that have
 * changed. Nothing of it is in the retained store or the journal: who subscribes is sent the texts
 * of the last interval as retained messages. Clients may not publish there, wills included.
 * Loads are moving averages of what happens in a minute, over 1, 5 and 15 of them. */
#include "protocol/mqtt_broker.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 32
#define ROOT     "$SYS/broker/"

enum sys_value {
    VERSION,
    UPTIME,
    CLIENTS_TOTAL,
    CLIENTS_CONNECTED,
    CLIENTS_DISCONNECTED,
    CLIENTS_MAXIMUM,
    MESSAGES_RECEIVED,
    MESSAGES_SENT,
    PUBLISH_RECEIVED,
    PUBLISH_SENT,
    PUBLISH_DROPPED,
    BYTES_RECEIVED,
    BYTES_SENT,
    CONNECTIONS,
    STORED,
    STORED_BYTES,
    SUBSCRIPTIONS,
    RETAINED,
    VALUES,
};
/* MESSAGES are all packets, as mosquitto counts them; PUBLISH those with a payload. */
static const char *const names[] = {
    [VERSION] = ROOT "version",
    [UPTIME] = ROOT "uptime",
    [CLIENTS_TOTAL] = ROOT "clients/total",
    [CLIENTS_CONNECTED] = ROOT "clients/connected",
    [CLIENTS_DISCONNECTED] = ROOT "clients/disconnected",
    [CLIENTS_MAXIMUM] = ROOT "clients/maximum",
    [MESSAGES_RECEIVED] = ROOT "messages/received",
    [MESSAGES_SENT] = ROOT "messages/sent",
    [PUBLISH_RECEIVED] = ROOT "publish/messages/received",
    [PUBLISH_SENT] = ROOT "publish/messages/sent",
    [PUBLISH_DROPPED] = ROOT "publish/messages/dropped",
    [BYTES_RECEIVED] = ROOT "bytes/received",
    [BYTES_SENT] = ROOT "bytes/sent",
    [CONNECTIONS] = ROOT "connections/total",
    [STORED] = ROOT "store/messages/count",
    [STORED_BYTES] = ROOT "store/messages/bytes",
    [SUBSCRIPTIONS] = ROOT "subscriptions/count",
    [RETAINED] = ROOT "retained messages/count",
};
/* A second name for a value. */
static const struct {
    const char *name;
    enum sys_value value;
} also[] = {
    {ROOT "messages/stored", STORED},
    {ROOT "clients/active", CLIENTS_CONNECTED},
    {ROOT "clients/inactive", CLIENTS_DISCONNECTED},
};
static const struct {
    const char *name;
    enum sys_value value;
} loads[] = {
    {ROOT "load/messages/received", MESSAGES_RECEIVED},
    {ROOT "load/messages/sent", MESSAGES_SENT},
    {ROOT "load/publish/received", PUBLISH_RECEIVED},
    {ROOT "load/publish/sent", PUBLISH_SENT},
    {ROOT "load/publish/dropped", PUBLISH_DROPPED},
    {ROOT "load/bytes/received", BYTES_RECEIVED},
    {ROOT "load/bytes/sent", BYTES_SENT},
    {ROOT "load/connections", CONNECTIONS},
};
static const unsigned minutes[] = {1, 5, 15};
enum {
    LOADS = ARRAY_LEN(loads),
    SPANS = ARRAY_LEN(minutes),
    TOPICS = VALUES + ARRAY_LEN(also) + LOADS * SPANS,
};

struct mqtt_sys {
    struct mqtt_server *server;
    struct timer timer;
    struct subscriber guard;
    uint32_t publisher_id;
    int64_t started_ns, looked_ns;
    uint64_t now[VALUES], before[VALUES];
    double load[LOADS][SPANS];
    pthread_mutex_t lock; /* of the texts */
    char text[TOPICS][TEXT_MAX];
};

/* ---- the values ---- */

static void collect(struct mqtt_sys *y)
{
    const struct mqtt_stats m = mqtt_server_stats(y->server);
    const struct bus_stats b = bus_stats(y->server->cfg.bus);
    const struct mqtt_metrics *t = &y->server->total;
    size_t connected = m.connections < m.sessions ? m.connections : m.sessions;
    uint64_t *now = y->now;
    memcpy(y->before, now, sizeof(y->before));
    now[UPTIME] = (uint64_t)((y->looked_ns - y->started_ns) / 1000000000);
    now[CLIENTS_TOTAL] = m.sessions;
    now[CLIENTS_CONNECTED] = connected;
    now[CLIENTS_DISCONNECTED] = m.sessions - connected;
    if (now[CLIENTS_MAXIMUM] < connected)
        now[CLIENTS_MAXIMUM] = connected;
    now[MESSAGES_RECEIVED] = (uint64_t)metric_get(&t->packets_received);
    now[MESSAGES_SENT] = (uint64_t)metric_get(&t->packets_sent);
    now[PUBLISH_RECEIVED] = m.received;
    now[PUBLISH_SENT] = m.sent;
    now[PUBLISH_DROPPED] = 0;
    for (size_t i = 0; i < MQTT_DROP_COUNT; i++)
        now[PUBLISH_DROPPED] += m.dropped[i];
    now[BYTES_RECEIVED] = (uint64_t)metric_get(&t->bytes_received);
    now[BYTES_SENT] = (uint64_t)metric_get(&t->bytes_sent);
    now[CONNECTIONS] = m.connects;
    now[STORED] = m.queued + b.retained;
    now[STORED_BYTES] = m.queued_bytes + b.retained_bytes;
    now[SUBSCRIPTIONS] = b.subscriptions;
    now[RETAINED] = b.retained;
}

/* Exponential moving averages: a span's weight falls to 1/e in that time. */
static void average(struct mqtt_sys *y, double seconds)
{
    for (size_t i = 0; i < LOADS; i++) {
        double in_time = (double)(y->now[loads[i].value] - y->before[loads[i].value]);
        double per_minute = in_time * 60 / seconds;
        for (size_t s = 0; s < SPANS; s++) {
            double old = exp(-seconds / (60.0 * minutes[s]));
            y->load[i][s] = y->load[i][s] * old + per_minute * (1 - old);
        }
    }
}

static void write_value(const struct mqtt_sys *y, enum sys_value v, char out[TEXT_MAX])
{
    unsigned long long n = y->now[v];
    if (v == VERSION)
        (void)snprintf(out, TEXT_MAX, "sedge version %s", SEDGE_VERSION);
    else
        (void)snprintf(out, TEXT_MAX, v == UPTIME ? "%llu seconds" : "%llu", n);
}

static size_t load_topic(size_t i, size_t span)
{
    return VALUES + ARRAY_LEN(also) + i * SPANS + span;
}

static void write_all(const struct mqtt_sys *y, char out[TOPICS][TEXT_MAX])
{
    for (unsigned v = 0; v < VALUES; v++)
        write_value(y, v, out[v]);
    for (size_t i = 0; i < ARRAY_LEN(also); i++)
        write_value(y, also[i].value, out[VALUES + i]);
    for (size_t i = 0; i < LOADS; i++)
        for (size_t s = 0; s < SPANS; s++)
            (void)snprintf(out[load_topic(i, s)], TEXT_MAX, "%.2f", y->load[i][s]);
}

/* ---- telling them ---- */

#define TOPIC_MAX 64
static struct str name_of(size_t topic, char room[TOPIC_MAX])
{
    if (topic < VALUES)
        return str_from(names[topic]);
    if (topic < VALUES + ARRAY_LEN(also))
        return str_from(also[topic - VALUES].name);
    size_t i = topic - VALUES - ARRAY_LEN(also);
    int n = snprintf(room, TOPIC_MAX, "%s/%umin", loads[i / SPANS].name, minutes[i % SPANS]);
    return (struct str){room, (size_t)n};
}

static void tell(struct mqtt_sys *y, size_t topic, const char *text)
{
    char room[TOPIC_MAX];
    const struct bus_publisher from = {.id = y->publisher_id, .trusted = true, .name = STR("$SYS")};
    const struct bus_publication p = {.topic = name_of(topic, room),
                                      .payload = {(const uint8_t *)text, strlen(text)},
                                      .expiry_s = UINT32_MAX,
                                      .from = &from};
    struct bus_receipt r;
    enum err err = bus_publish(y->server->cfg.bus, &p, &r);
    if (err) /* the next interval has the next value */
        LOG_D("mqtt", "%.*s: %s", STR_FMT(p.topic), err_name(err));
}

static void look(struct mqtt_sys *y)
{
    char text[TOPICS][TEXT_MAX];
    bool changed[TOPICS];
    int64_t now_ns = worker_now_ns(y->server->shards[0]->worker);
    double seconds = (double)(now_ns - y->looked_ns) / 1e9;
    y->looked_ns = now_ns;
    collect(y);
    if (seconds > 0)
        average(y, seconds);
    write_all(y, text);
    pthread_mutex_lock(&y->lock);
    for (size_t i = 0; i < TOPICS; i++) {
        changed[i] = strcmp(y->text[i], text[i]) != 0;
        memcpy(y->text[i], text[i], TEXT_MAX);
    }
    pthread_mutex_unlock(&y->lock);
    for (size_t i = 0; i < TOPICS; i++)
        if (changed[i])
            tell(y, i, text[i]);
}

static void fired(struct timer *t)
{
    struct mqtt_sys *y = CONTAINER_OF(t, struct mqtt_sys, timer);
    look(y);
    timer_set_after_ms(t, y->server->cfg.sys_interval_ms);
}

/* ---- to who subscribes ---- */

static void send_one(struct mqtt_session *s, const struct sub_options *options, struct str topic,
                     const char *text)
{
    const struct sub_options *const subs[] = {options};
    struct message *m = message_new(alloc_system(), topic, (struct bytes){NULL, 0},
                                    (struct bytes){(const uint8_t *)text, strlen(text)});
    if (!m) {
        mqtt_dropped(s->shard, MQTT_DROP_NO_MEMORY);
        return;
    }
    m->wall_ms = worker_now_ms(s->shard->worker);
    m->retain = true;
    session_deliver(&s->subscriber, m, subs, 1, true);
    message_unref(m);
}

void sys_send(struct mqtt_session *s, const struct subscription *sub)
{
    struct mqtt_sys *y = s->shard->server->sys;
    const struct sub_options options = {.id = sub->id & 0xFFFFFFFu, .qos = 0};
    char room[TOPIC_MAX], text[TEXT_MAX];
    if (!y || !str_starts(sub->filter, STR("$SYS/")))
        return;
    for (size_t i = 0; i < TOPICS; i++) {
        struct str topic = name_of(i, room);
        if (!mqtt_filter_match(sub->filter, topic))
            continue;
        if (!session_may(s, ACCESS_DELIVER, topic, NULL)) {
            mqtt_dropped(s->shard, MQTT_DROP_WITHHELD);
            continue;
        }
        pthread_mutex_lock(&y->lock);
        memcpy(text, y->text[i], TEXT_MAX);
        pthread_mutex_unlock(&y->lock);
        send_one(s, &options, topic, text);
    }
}

/* ---- from the first to the last day ---- */

static void nothing(struct subscriber *s, struct message *m, const struct sub_options *const *subs,
                    size_t n, bool retained)
{
    (void)s, (void)m, (void)subs, (void)n, (void)retained;
}

enum err sys_new(struct mqtt_server *s)
{
    struct mqtt_sys *y = s->cfg.sys_interval_ms > 0 ? mem_zero(s->alloc, sizeof(*y)) : NULL;
    if (s->cfg.sys_interval_ms <= 0)
        return ERR_OK;
    if (!y)
        return ERR_NOMEM;
    y->server = s;
    y->guard.deliver = nothing;
    y->publisher_id = bus_publisher_id(s->cfg.bus);
    pthread_mutex_init(&y->lock, NULL);
    timer_init(&y->timer, s->shards[0]->worker, fired);
    s->sys = y;
    const struct subscription guard = {.filter = STR("$SYS/#"),
                                       .subscriber = &y->guard,
                                       .guard = STR("it is where the broker tells of itself")};
    return bus_subscribe(s->cfg.bus, &guard, NULL);
}

void sys_start(struct mqtt_server *s)
{
    struct mqtt_sys *y = s->sys;
    if (!y)
        return;
    y->started_ns = y->looked_ns = worker_now_ns(s->shards[0]->worker);
    look(y);
    timer_set_after_ms(&y->timer, s->cfg.sys_interval_ms);
}

void sys_free(struct mqtt_server *s)
{
    struct mqtt_sys *y = s->sys;
    if (!y)
        return;
    timer_cancel(&y->timer);
    bus_unsubscribe_all(s->cfg.bus, &y->guard);
    pthread_mutex_destroy(&y->lock);
    mem_free(s->alloc, y, sizeof(*y));
    s->sys = NULL;
}
