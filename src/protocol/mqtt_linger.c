/* Sessions that have ended and still hold messages of shares which are only in the database.
 *
 * An end must not wait for the disk, and what others are to have must not be lost with it. So such
 * a session loses its name and its subscriptions (its client may come back at once, and gets a new
 * one), and gives away what it holds as it comes back into memory, a piece a tick; then it ends.
 * In the database it stands by a name that no client has: it goes on after a restart. What has
 * been given away is noted (GIVEN), so nothing is given twice. */
#include "protocol/mqtt_broker.h"

#include <string.h>

enum { LINGER_STEP = 256, LINGER_MS = 1, LINGER_WAIT_MS = 100 };

bool session_is_lingering(const struct mqtt_session *s)
{
    return session_id(s).n &&
           session_id(s).p[0] == '\0'; /* no client is called so [MQTT-1.5.4-2] */
}

bool session_lingers(const struct mqtt_session *s)
{
    return session_stored(s) && s->transit->spill && s->transit->shared &&
           !s->shard->server->starting && !session_is_lingering(s);
}

static bool enlist(struct mqtt_session *s)
{
    struct mqtt_shard *shard = s->shard;
    if (!vec_push(shard->alloc, &shard->lingering, s))
        return false;
    timer_set_after_ms(&shard->linger, LINGER_MS);
    return true;
}

void linger_started(struct mqtt_session *s)
{
    if (!enlist(s))
        LOG_E("mqtt", "no memory to give away what session %llu held",
              (unsigned long long)session_number(s));
}

void linger_wake(struct mqtt_shard *shard)
{
    timer_set_after_ms(&shard->linger, 0);
}

bool session_linger(struct mqtt_session *s)
{
    struct mqtt_shard *shard = s->shard;
    const uint64_t number = session_number(s);
    char name[1 + sizeof(number)] = {0};
    memcpy(name + 1, &number, sizeof(number));
    struct mqtt_session *l = session_rename(s, (struct str){name, sizeof(name)});
    if (!l)
        return false;
    if (!shard->server->starting && !enlist(l))
        session_end(l);
    return true;
}

/* True: it is over. */
static bool step(struct mqtt_session *s)
{
    struct mqtt_shard *shard = s->shard;
    struct outgoing *o;
    uint64_t seq;
    for (int i = 0; i < LINGER_STEP && !bus_share_waits(shard->bus) && (o = queue_first(s)); i++) {
        share_pass_on(s, o);
        queue_pop(s, false);
    }
    session_changed(s);
    if (s->transit->spill && !queue_first(s))
        spill_refill(s);
    if (!queue_empty(s) || record_end(shard, session_number(s), &seq) == ERR_FULL)
        return false;
    session_end(s);
    return true;
}

void linger_fired(struct timer *t)
{
    struct mqtt_shard *shard = CONTAINER_OF(t, struct mqtt_shard, linger);
    size_t kept = 0;
    int64_t again_ms = LINGER_WAIT_MS;
    for (size_t i = 0; i < shard->lingering.n; i++) {
        struct mqtt_session *s = shard->lingering.v[i];
        if (step(s))
            continue;
        shard->lingering.v[kept++] = s;
        again_ms = queue_first(s) ? LINGER_MS : again_ms;
    }
    shard->lingering.n = kept;
    if (kept)
        timer_set_after_ms(t, again_ms);
}
