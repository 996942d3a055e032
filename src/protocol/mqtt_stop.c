/* The last minute: a client that is told can tell a restart from a broken line, and what it was
 * acknowledged it need not send again. Each worker sees to its own connections. */
#include "protocol/mqtt_broker.h"

enum { LOOK_MS = 10 };

static void told(struct post *p)
{
    struct mqtt_server *s = CONTAINER_OF(p, struct mqtt_server, stop.told);
    s->stop.done(s->stop.ctx);
}

static bool empty(const struct mqtt_shard *shard)
{
    for (size_t i = 0; i < WATCH_SLOTS; i++)
        if (!list_empty(&shard->slots[i]))
            return false;
    return !net_finishing(shard->worker); /* their last words are on the way */
}

void stop_looked(struct timer *t)
{
    struct mqtt_shard *shard = CONTAINER_OF(t, struct mqtt_shard, leaving);
    struct mqtt_server *s = shard->server;
    if (!empty(shard))
        timer_set_after_ms(t, LOOK_MS);
    else if (atomic_fetch_sub(&s->stop.shards_left, 1) == 1)
        worker_post(executor_worker(s->cfg.ex, 0), &s->stop.told, "mqtt stop", told);
}

static void wake(struct mqtt_connection *c)
{
    task_wake(&c->task);
}

static void begin(struct post *p)
{
    struct mqtt_shard *shard = CONTAINER_OF(p, struct mqtt_shard, stop);
    LIST_EACH(&shard->server->listeners, it)
    {
        struct mqtt_gate *g = &CONTAINER_OF(it, struct mqtt_listener, link)->gates[shard->index];
        listener_close(g->socket);
        g->socket = NULL;
    }
    shard->stopping = true;
    connections_each(shard, wake);
    timer_set_after_ms(&shard->leaving, LOOK_MS);
}

void mqtt_server_stop(struct mqtt_server *s, void (*done)(void *ctx), void *ctx)
{
    ASSERT(!s->stop.done);
    s->stop.done = done;
    s->stop.ctx = ctx;
    atomic_store(&s->stop.shards_left, s->shards_n);
    for (unsigned i = 0; i < s->shards_n; i++)
        worker_post(s->shards[i]->worker, &s->shards[i]->stop, "mqtt stop", begin);
}
