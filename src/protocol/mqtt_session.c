#include "protocol/mqtt_broker.h"

#include <string.h>

struct mqtt_session *session_find(struct mqtt_server *s, struct str client_id)
{
    return map_get(&s->sessions, client_id);
}

bool session_stored(const struct mqtt_session *s)
{
    return s->number && s->server->cfg.journal;
}

static struct str number_key(const struct mqtt_session *s)
{
    return (struct str){(const char *)&s->number, sizeof(s->number)};
}

struct mqtt_session *session_new(struct mqtt_server *server, struct str client_id, uint64_t number)
{
    struct mqtt_session *s = mem_zero(server->alloc, sizeof(*s) + client_id.n);
    if (!s)
        return NULL;
    char *text = (char *)(s + 1);
    memcpy(text, client_id.p, client_id.n);
    s->subscriber.deliver = session_deliver;
    s->subscriber.publisher_id = bus_publisher_id(server->cfg.bus);
    s->server = server;
    s->client_id = (struct str){text, client_id.n};
    s->number = number;
    s->ends_ns = INT64_MAX;
    s->next_id = 1;
    s->new_in_db = true;
    list_init(&s->done_link);
    list_init(&s->dirty);
    if (map_put(&server->sessions, s->client_id, s)) {
        mem_free(server->alloc, s, sizeof(*s) + client_id.n);
        return NULL;
    }
    if (number && map_put(&server->by_number, number_key(s), s)) {
        (void)map_del(&server->sessions, s->client_id);
        mem_free(server->alloc, s, sizeof(*s) + client_id.n);
        return NULL;
    }
    session_changed(s);
    return s;
}

static void session_free(struct mqtt_session *s)
{
    struct mqtt_server *server = s->server;
    bus_unsubscribe_all(server->cfg.bus, &s->subscriber);
    outgoing_free(s);
    vec_fini(server->alloc, &s->done);
    list_del(&s->done_link);
    list_del(&s->dirty);
    mem_free(server->alloc, s, sizeof(*s) + s->client_id.n);
}

void session_end(struct mqtt_session *s)
{
    struct mqtt_server *server = s->server;
    ASSERT(!s->connection);
    (void)map_del(&server->sessions, s->client_id);
    if (s->number)
        (void)map_del(&server->by_number, number_key(s));
    if (session_stored(s) && !s->new_in_db && !vec_push(server->alloc, &server->ended, s->number))
        server->rewrite = true; /* no memory for its number: then all are written anew */
    wills_release(server, s);
    if (session_stored(s))
        checkpoint_changed(&server->checkpoint);
    session_free(s);
}

/* At most one look a second, however many end. */
#define LOOK_EVERY_NS 1000000000

static void look_at(struct mqtt_server *server, int64_t at_ns)
{
    int64_t soonest_ns = worker_now_ns(server->worker) + LOOK_EVERY_NS;
    if (at_ns == INT64_MAX)
        return;
    at_ns = at_ns < soonest_ns ? soonest_ns : at_ns;
    if (!timer_armed(&server->ends) || server->ends.at_ns > at_ns)
        timer_set(&server->ends, at_ns);
}

void session_attach(struct mqtt_session *s, struct mqtt_connection *c)
{
    s->connection = c;
    c->session = s;
    s->ends_ns = INT64_MAX;
    s->offline_ms = 0;
    s->resent = 0;
    s->unacked = 0;
    session_changed(s);
}

int64_t session_end_ns(const struct mqtt_session *s, int64_t now_ns)
{
    return s->expiry_s == SESSION_NEVER ? INT64_MAX : now_ns + (int64_t)s->expiry_s * 1000000000;
}

void session_detach(struct mqtt_session *s)
{
    struct mqtt_server *server = s->server;
    s->connection = NULL;
    s->offline_ms = worker_now_ms(server->worker);
    s->ends_ns = session_end_ns(s, worker_now_ns(server->worker));
    s->resent = 0;
    s->unacked = 0;
    outgoing_trim(s);
    session_changed(s);
    if (s->expiry_s)
        look_at(server, s->ends_ns);
}

void session_changed(struct mqtt_session *s)
{
    if (!session_stored(s) || !list_empty(&s->dirty))
        return;
    list_add_tail(&s->server->dirty, &s->dirty);
    checkpoint_changed(&s->server->checkpoint);
}

/* Ends those whose time is over; gives the time of the next. */
static int64_t end_expired(struct mqtt_server *server, int64_t now_ns)
{
    int64_t next_ns = INT64_MAX;
    struct str key;
    void *value;
    for (size_t at = 0; map_next(&server->sessions, &at, &key, &value);) {
        struct mqtt_session *s = value;
        uint64_t seq;
        if (s->connection)
            continue;
        if (s->ends_ns > now_ns) {
            next_ns = s->ends_ns < next_ns ? s->ends_ns : next_ns;
            continue;
        }
        if (session_stored(s) && record_end(server, s->number, &seq) == ERR_FULL) {
            next_ns = now_ns; /* again, at the next look */
            continue;
        }
        session_end(s);
    }
    return next_ns;
}

void sessions_due(struct mqtt_server *server)
{
    look_at(server, end_expired(server, worker_now_ns(server->worker)));
}

void sessions_free(struct mqtt_server *server)
{
    struct str key;
    void *value;
    for (size_t at = 0; map_next(&server->sessions, &at, &key, &value);) {
        struct mqtt_session *s = value;
        (void)map_del(&server->sessions, key);
        session_free(s);
    }
}
