#include "protocol/mqtt_broker.h"

#include <stddef.h>
#include <string.h>

struct mqtt_session *session_find(const struct mqtt_shard *shard, struct str client_id)
{
    struct table_node *node = table_get(&shard->sessions, client_id);
    return node ? CONTAINER_OF(node, struct mqtt_session, node) : NULL;
}

struct str session_key(const struct table_node *node)
{
    return session_id(CONTAINER_OF(node, struct mqtt_session, node));
}

bool session_stored(const struct mqtt_session *s)
{
    return session_number(s) && s->shard->journal;
}

static struct str number_key(const struct mqtt_session *s)
{
    const uint64_t *number = &s->subscriber.stored_id;
    return (struct str){(const char *)number, sizeof(*number)};
}

/* Where others may see it; see shard->lock. */
static bool enter(struct mqtt_session *s)
{
    pthread_mutex_lock(&s->shard->lock);
    enum err err = table_put(&s->shard->sessions, &s->node);
    pthread_mutex_unlock(&s->shard->lock);
    return !err;
}

static void leave(struct mqtt_session *s)
{
    pthread_mutex_lock(&s->shard->lock);
    table_del(&s->shard->sessions, &s->node);
    pthread_mutex_unlock(&s->shard->lock);
}

/* Into the tables. False: no memory, or sessions_max. */
static bool add(struct mqtt_session *s)
{
    struct mqtt_server *server = s->shard->server;
    if (!count_take(&server->sessions, server->limits.sessions_max))
        return false;
    bool entered = enter(s);
    if (entered &&
        (!session_number(s) || !server->starting || !map_put(&server->by_number, number_key(s), s)))
        return true;
    if (entered)
        leave(s);
    count_give(&server->sessions);
    return false;
}

static size_t size_of(size_t client_id_n)
{
    size_t size = offsetof(struct mqtt_session, client_id) + client_id_n;
    return size < sizeof(struct mqtt_session) ? sizeof(struct mqtt_session) : size;
}

struct mqtt_session *session_new(struct mqtt_shard *shard, struct str client_id, uint64_t number)
{
    struct mqtt_session *s =
        client_id.n > UINT16_MAX ? NULL : mem_zero(shard->alloc, size_of(client_id.n));
    if (!s) /* no packet and no record has a longer one */
        return NULL;
    s->client_id_n = (uint16_t)client_id.n;
    memcpy(s->client_id, client_id.p, client_id.n);
    s->subscriber.worker = shard->worker;
    s->subscriber.deliver = session_deliver;
    s->subscriber.again = session_again;
    s->subscriber.publisher_id = bus_publisher_id(shard->bus);
    s->subscriber.rights = s;
    s->shard = shard;
    s->transit = &shard->rest;
    s->subscriber.stored_id = number;
    s->ends_ns = INT64_MAX;
    s->next_id = 1;
    if ((number && !transit_own(s)) || !add(s)) {
        outgoing_free(s);
        mem_free(shard->alloc, s, size_of(client_id.n));
        return NULL;
    }
    session_changed(s);
    return s;
}

static void session_free(struct mqtt_session *s)
{
    struct mqtt_shard *shard = s->shard;
    bus_unsubscribe_all(shard->bus, &s->subscriber);
    count_give(&shard->server->sessions);
    outgoing_free(s);
    refuse_end(s);
    rights_free(s->rights);
    mem_free(shard->alloc, s, size_of(s->client_id_n));
}

static void by_number_forget(struct mqtt_session *s)
{
    if (session_number(s) && s->shard->server->starting)
        (void)map_del(&s->shard->server->by_number, number_key(s));
}

struct mqtt_session *session_rename(struct mqtt_session *s, struct str name)
{
    struct mqtt_shard *shard = s->shard;
    struct mqtt_session *to = session_new(shard, name, 0);
    if (!to)
        return NULL;
    leave(s);
    by_number_forget(s);
    will_release(s);
    bus_unsubscribe_all(shard->bus, &s->subscriber);
    shares_hand_over_window(s);
    window_clear(s);
    to->subscriber.stored_id = session_number(s);
    to->offline_ms = s->offline_ms;
    to->transit = s->transit;
    to->transit->session = to;
    atomic_store(&to->queued, s->queued);
    s->subscriber.stored_id = 0;
    s->transit = &shard->rest;
    atomic_store(&s->queued, 0);
    if (to->transit->spill)
        spill_moved(to);
    if (shard->server->starting && map_put(&shard->server->by_number, number_key(to), to))
        LOG_E("mqtt", "no memory for session %llu", (unsigned long long)session_number(to));
    session_free(s);
    session_subs_changed(to);
    return to;
}

void session_end(struct mqtt_session *s)
{
    struct mqtt_shard *shard = s->shard;
    ASSERT(!s->connection);
    if (session_lingers(s) && session_linger(s))
        return;
    leave(s);
    by_number_forget(s);
    if (session_stored(s) && !s->transit->new_in_db &&
        !vec_push(shard->alloc, &shard->ended, session_number(s)))
        atomic_store(&shard->server->rewrite,
                     true); /* no memory for its number: then all are written anew */
    will_release(s);
    if (session_stored(s))
        server_changed(shard->server);
    bus_unsubscribe_all(shard->bus, &s->subscriber);
    shares_hand_over(s);
    session_free(s);
}

/* At most one look a second, however many end. */
#define LOOK_EVERY_NS 1000000000

static void look_at(struct mqtt_shard *shard, int64_t at_ns)
{
    int64_t soonest_ns = worker_now_ns(shard->worker) + LOOK_EVERY_NS;
    if (at_ns == INT64_MAX)
        return;
    at_ns = at_ns < soonest_ns ? soonest_ns : at_ns;
    if (!timer_armed(&shard->ends) || shard->ends.at_ns > at_ns)
        timer_set(&shard->ends, at_ns);
}

static void set_connection(struct mqtt_session *s, struct mqtt_connection *c)
{
    pthread_mutex_lock(&s->shard->lock);
    s->connection = c;
    pthread_mutex_unlock(&s->shard->lock);
}

void session_attach(struct mqtt_session *s, struct mqtt_connection *c)
{
    c->session = s;
    c->connected_ms = worker_now_ms(s->shard->worker);
    set_connection(s, c);
    s->ends_ns = INT64_MAX;
    s->offline_ms = 0;
    s->full_told = s->slow_told = false;
    s->transit->received_before = (uint32_t)s->transit->received.ids.n;
    window_attach(s);
    rights_free(s->rights); /* the client's before it */
    s->rights = NULL;
    session_presence(s);
    session_changed(s);
}

void session_presence(struct mqtt_session *s)
{
    enum bus_presence p = !s->connection ? BUS_AWAY : queue_empty(s) ? BUS_READY : BUS_BUSY;
    bus_presence_set(s->shard->bus, &s->subscriber, p);
}

int64_t session_end_ns(const struct mqtt_session *s, int64_t now_ns)
{
    return s->expiry_s == SESSION_NEVER ? INT64_MAX : now_ns + (int64_t)s->expiry_s * 1000000000;
}

void session_detach(struct mqtt_session *s)
{
    struct mqtt_shard *shard = s->shard;
    set_connection(s, NULL);
    s->offline_ms = worker_now_ms(shard->worker);
    s->ends_ns = session_end_ns(s, worker_now_ns(shard->worker));
    window_attach(s);
    outgoing_trim(s);
    session_presence(s);
    session_changed(s);
    if (s->expiry_s)
        look_at(shard, s->ends_ns);
}

bool sessions_lost(struct mqtt_shard *shard, int64_t at_ms)
{
    struct table_at at = {0};
    bool any = false;
    for (struct mqtt_session *s; (s = session_next(shard, &at));) {
        if (s->offline_ms || session_is_lingering(s))
            continue;
        s->offline_ms = at_ms;
        session_changed(s);
        any = true;
    }
    return any;
}

void sessions_started(struct mqtt_shard *shard)
{
    int64_t now_ms = worker_now_ms(shard->worker), now_ns = worker_now_ns(shard->worker);
    struct table_at at = {0};
    for (struct mqtt_session *s; (s = session_next(shard, &at));) {
        if (session_is_lingering(s)) {
            linger_started(s);
            continue;
        }
        int64_t away_ms = now_ms - s->offline_ms;
        away_ms = away_ms < 0 ? 0 : away_ms; /* the clock was set back */
        int64_t left_ms = (int64_t)s->expiry_s * 1000 - away_ms;
        s->ends_ns = s->expiry_s == SESSION_NEVER ? INT64_MAX
                                                  : now_ns + (left_ms < 0 ? 0 : left_ms) * 1000000;
        look_at(shard, s->ends_ns);
    }
}

void session_subs_changed(struct mqtt_session *s)
{
    if (!session_stored(s))
        return;
    s->transit->subs_dirty = true;
    session_changed(s);
}

void session_changed(struct mqtt_session *s)
{
    if (!session_stored(s) || !list_empty(&s->transit->dirty))
        return;
    list_add_tail(&s->shard->dirty, &s->transit->dirty);
    server_changed(s->shard->server);
}

#define END_AT_ONCE  1000 /* when a whole house has been away for a day */
#define END_PAUSE_NS 1000000

/* Ends those whose time is over; gives the time of the next. *more: there are more of them. */
static int64_t end_expired(struct mqtt_shard *shard, int64_t now_ns, bool *more)
{
    int64_t next_ns = INT64_MAX;
    struct table_at at = {0};
    unsigned ended = 0;
    for (struct mqtt_session *s; (s = session_next(shard, &at));) {
        uint64_t seq;
        if (s->connection || session_is_lingering(s))
            continue;
        if (s->ends_ns > now_ns) {
            next_ns = s->ends_ns < next_ns ? s->ends_ns : next_ns;
            continue;
        }
        if (session_stored(s) && record_gone(s, &seq) == ERR_FULL) {
            next_ns = now_ns; /* again, at the next look */
            continue;
        }
        session_end(s);
        *more = ++ended == END_AT_ONCE;
        if (*more)
            break;
    }
    return next_ns;
}

void sessions_due(struct mqtt_shard *shard)
{
    int64_t now_ns = worker_now_ns(shard->worker);
    bool more = false;
    int64_t next_ns = end_expired(shard, now_ns, &more);
    if (more) /* others first */
        timer_set(&shard->ends, now_ns + END_PAUSE_NS);
    else
        look_at(shard, next_ns);
}

void sessions_free(struct mqtt_shard *shard)
{
    struct table_at at = {0};
    for (struct mqtt_session *s; (s = session_next(shard, &at));) {
        leave(s);
        session_free(s);
    }
}
