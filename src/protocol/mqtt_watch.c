/* Connections by the time at which they are to be looked at: in slots of a quarter of a second, for
 * a minute ahead. Each lies in one of them, always: so they cost a link and no timer, and what
 * waits long gives back what it no longer needs.
 * A packet only notes its time: who is looked at and has been heard of meanwhile moves on. */
#include "protocol/mqtt_broker.h"

#define SLOT_NS ((int64_t)250000000)

/* Who has said all of CONNECT in time is not to pay for our slowness, and yet is let go. */
enum { WAITING_TIMES = 6 };

static int64_t patience_ns(const struct mqtt_connection *c)
{
    int64_t connect_ns = (int64_t)c->shard->limits->connect_timeout_ms * 1000000;
    if (c->state == CONNECTION_WAITING) /* for us: a queue of passwords, a slow disk */
        return WAITING_TIMES * connect_ns;
    if (c->state != CONNECTION_OPEN)
        return connect_ns;
    return (int64_t)c->keep_alive_s * 1500000000; /* [MQTT-3.1.2-22] */
}

static void fire_by(struct mqtt_shard *shard, int64_t at_ns)
{
    if (!timer_armed(&shard->watch) || shard->watch.at_ns > at_ns)
        timer_set(&shard->watch, at_ns);
}

/* Into the slot of this time, if that is not too far ahead. */
static void put(struct mqtt_connection *c, int64_t at_ns)
{
    struct mqtt_shard *shard = c->shard;
    int64_t now = worker_now_ns(shard->worker) / SLOT_NS, slot = at_ns / SLOT_NS;
    slot = slot < now ? now : slot < now + WATCH_SLOTS ? slot : now + WATCH_SLOTS - 1;
    list_del(&c->link);
    list_add_tail(&shard->slots[slot % WATCH_SLOTS], &c->link);
    fire_by(shard, slot > now ? slot * SLOT_NS : at_ns);
}

void connection_watch(struct mqtt_connection *c)
{
    int64_t patience = patience_ns(c);
    c->heard_ns = worker_now_ns(c->shard->worker);
    put(c, patience ? c->heard_ns + patience : INT64_MAX);
}

static void look_at(struct mqtt_connection *c, int64_t now_ns)
{
    int64_t patience = patience_ns(c);
    if (c->session && c->state == CONNECTION_OPEN) {
        pending_trim(c);
        outgoing_trim(c->session);
    }
    if (c->paused && !c->starved) /* it is we who don't listen */
        c->heard_ns = now_ns;
    bool over = patience && now_ns >= c->heard_ns + patience;
    if (over)
        connection_kick(c, MQTT_RC_KEEP_ALIVE_TIMEOUT);
    put(c, patience && !over ? c->heard_ns + patience : INT64_MAX);
}

/* All of the slots that have begun: whose time comes within the last of them, goes back there. */
static void fired(struct timer *t)
{
    struct mqtt_shard *shard = CONTAINER_OF(t, struct mqtt_shard, watch);
    int64_t now_ns = worker_now_ns(shard->worker), now = now_ns / SLOT_NS;
    int64_t first = now - WATCH_SLOTS + 1;
    for (int64_t slot = first > shard->slot_done ? first : shard->slot_done + 1; slot <= now;
         slot++) {
        struct list *head = &shard->slots[slot % WATCH_SLOTS], due, *it;
        list_init(&due);
        while ((it = list_pop_head(head)))
            list_add_tail(&due, it);
        while (!list_empty(&due))
            look_at(CONTAINER_OF(due.next, struct mqtt_connection, link), now_ns);
    }
    shard->slot_done = now - 1;
    for (int64_t slot = now + 1; slot < now + WATCH_SLOTS; slot++)
        if (!list_empty(&shard->slots[slot % WATCH_SLOTS])) {
            fire_by(shard, slot * SLOT_NS);
            return;
        }
}

void connections_init(struct mqtt_shard *shard)
{
    for (size_t i = 0; i < WATCH_SLOTS; i++)
        list_init(&shard->slots[i]);
    timer_init(&shard->watch, shard->worker, fired);
}

void connections_each(struct mqtt_shard *shard, void (*each)(struct mqtt_connection *c))
{
    for (size_t i = 0; i < WATCH_SLOTS; i++)
        LIST_EACH_SAFE(&shard->slots[i], it)
    each(CONTAINER_OF(it, struct mqtt_connection, link));
}
