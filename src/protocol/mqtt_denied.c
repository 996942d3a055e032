/* What was denied is told to people: a line in the log once a minute for each client and topic, and
 * among the site's actions (docs/decisions/0003). Those belong to worker 0. Whoever tries a million
 * topics fills neither: of all together some are told in a second, all are counted. */
#include "async/post.h"
#include "protocol/mqtt_broker.h"

#include <stdio.h>
#include <string.h>

#define DENIED_EVERY_NS 60000000000
#define DENIED_PER_S    10 /* told of by a worker */

bool denied_news(struct mqtt_shard *shard, struct str client, struct str topic)
{
    uint64_t seed = executor_env(worker_executor(shard->worker))->seed;
    uint64_t hash = hash_bytes(topic.p, topic.n, hash_bytes(client.p, client.n, seed));
    struct denied_slot *slot = &shard->denied[hash % DENIED_SLOTS];
    int64_t now_ns = worker_now_ns(shard->worker);
    if (slot->hash == hash && now_ns - slot->at_ns < DENIED_EVERY_NS)
        return false;
    if (now_ns - shard->denied_from_ns >= 1000000000) {
        shard->denied_from_ns = now_ns;
        shard->denied_told = 0;
    }
    if (shard->denied_told++ >= DENIED_PER_S)
        return false;
    *slot = (struct denied_slot){hash, now_ns};
    return true;
}

struct denied {
    struct post post;
    struct bus *bus;
    struct alloc *alloc;
    struct str topic, who, why;
    int64_t at_ms;
    uint64_t number; /* of the worker's denials */
    unsigned worker;
    size_t size;
    char data[];
};

static void tell(struct post *p)
{
    struct denied *d = CONTAINER_OF(p, struct denied, post);
    char id[64];
    int n = snprintf(id, sizeof(id), "denied-%lld-%u-%llu", (long long)d->at_ms, d->worker,
                     (unsigned long long)d->number);
    const struct action_event e = {.id = {id, (size_t)n},
                                   .device = d->topic,
                                   .action = STR("publish"),
                                   .args_json = STR("{}"),
                                   .confirms = STR(""),
                                   .why = d->why,
                                   .state = ACTION_DENIED,
                                   .attempts = 1,
                                   .cause = {.operator_name = d->who},
                                   .requested_ms = d->at_ms,
                                   .outcome_ms = d->at_ms};
    bus_action_publish(d->bus, &e);
    mem_free(d->alloc, d, d->size);
}

static struct str keep(char **at, struct str s)
{
    struct str copy = {*at, s.n};
    if (s.n)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return copy;
}

void publish_denied(struct mqtt_shard *shard, struct str client, struct str user, struct str topic,
                    const char *why)
{
    struct str who = user.n ? user : client, text = str_from(why);
    size_t size = sizeof(struct denied) + topic.n + who.n + text.n;
    mqtt_dropped(shard, MQTT_DROP_DENIED);
    if (!denied_news(shard, client, topic))
        return;
    LOG_W("mqtt", "%.*s may not publish to %.*s: %s", STR_FMT(client), STR_FMT(topic), why);
    struct denied *d = mem_zero(shard->alloc, size);
    if (!d)
        return; /* the log has it */
    char *at = d->data;
    d->topic = keep(&at, topic);
    d->who = keep(&at, who);
    d->why = keep(&at, text);
    d->bus = shard->bus;
    d->alloc = shard->alloc;
    d->at_ms = worker_now_ms(shard->worker);
    d->number = (uint64_t)metric_get(&shard->count.dropped[MQTT_DROP_DENIED]);
    d->worker = shard->index;
    d->size = size;
    if (shard->index == 0)
        tell(&d->post);
    else
        worker_post(shard->server->shards[0]->worker, &d->post, "denied", tell);
}
