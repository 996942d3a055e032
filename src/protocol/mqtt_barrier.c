/* The snapshot of all sessions while the site runs: each worker makes the part of its own, behind
 * the bus's fence, so that what every worker had published at the beginning is in the parts. */
#include "protocol/mqtt_broker.h"

#define FENCES_MAX 5 /* then the snapshot is made at another time */

static void changed(struct post *p)
{
    struct mqtt_server *s = CONTAINER_OF(p, struct mqtt_server, change);
    atomic_store(&s->change_posted, false);
    checkpoint_changed(&s->checkpoint);
}

void server_changed(struct mqtt_server *s)
{
    const struct worker *here = worker_current();
    if (!here || worker_index(here) == 0)
        checkpoint_changed(&s->checkpoint);
    else if (!atomic_load_explicit(&s->change_posted, memory_order_relaxed) &&
             !atomic_exchange(&s->change_posted, true))
        worker_post(s->shards[0]->worker, &s->change, "mqtt sessions changed", changed);
}

/* ---- the barrier ---- */

static void *take_parts(struct mqtt_server *s)
{
    void *parts[EXECUTOR_WORKERS_MAX];
    for (unsigned i = 0; i < s->shards_n; i++) {
        parts[i] = s->shards[i]->part;
        s->shards[i]->part = NULL;
    }
    return store_join(s, parts, s->shards_n);
}

static void fence(struct mqtt_server *s);

/* What a share gave to another worker meanwhile may be in neither part: once more then, from the
 * same cursor, which only has to be low enough. */
static void all_gathered(struct post *p)
{
    struct mqtt_server *s = CONTAINER_OF(p, struct mqtt_server, gathered);
    bool whole = !atomic_load(&s->fence.disturbed);
    void *snapshot = take_parts(s);
    if (!whole) {
        store_part_free(snapshot);
        snapshot = NULL;
        atomic_store(&s->rewrite, true); /* its changes are not noted any more */
    }
    if (!whole && ++s->fences < FENCES_MAX) {
        fence(s);
        return;
    }
    s->fencing = false;
    checkpoint_gathered(&s->checkpoint, snapshot);
}

/* On the worker w, which has now all that was published before. */
static void passed(struct bus_fence *f, struct worker *w)
{
    struct mqtt_server *s = CONTAINER_OF(f, struct mqtt_server, fence);
    struct mqtt_shard *shard = s->shards[worker_index(w)];
    shard->part = store_part(shard, s->gather_all);
    if (atomic_fetch_sub(&s->parts_left, 1) == 1)
        worker_post(s->shards[0]->worker, &s->gathered, "mqtt sessions gathered", all_gathered);
}

static void fence(struct mqtt_server *s)
{
    s->gather_all = atomic_exchange(&s->rewrite, false);
    s->fence.passed = passed;
    atomic_store(&s->parts_left, s->shards_n);
    bus_fence(s->cfg.bus, &s->fence);
}

bool barrier_begin(struct checkpoint *c)
{
    struct mqtt_server *s = CONTAINER_OF(c, struct mqtt_server, checkpoint);
    if (s->fencing) /* that of a run that was given up */
        return false;
    s->fencing = true;
    s->fences = 0;
    fence(s);
    return true;
}

void *barrier_gather(struct checkpoint *c)
{
    struct mqtt_server *s = CONTAINER_OF(c, struct mqtt_server, checkpoint);
    bool all = atomic_exchange(&s->rewrite, false);
    bus_settle(s->cfg.bus);
    barrier_drop(s);
    for (unsigned i = 0; i < s->shards_n; i++)
        s->shards[i]->part = store_part(s->shards[i], all);
    return take_parts(s);
}

void barrier_drop(struct mqtt_server *s)
{
    for (unsigned i = 0; i < s->shards_n; i++)
        if (s->shards[i]) {
            store_part_free(s->shards[i]->part);
            s->shards[i]->part = NULL;
        }
}
