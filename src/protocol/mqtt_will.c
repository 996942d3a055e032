#include "protocol/mqtt_broker.h"

#include <string.h>

#define LOOK_EVERY_NS 100000000 /* then, too, what the journal had no room for is tried again */
#define AT_ONCE       1000      /* when a whole house goes off-line */

/* ---- from CONNECT on ---- */

bool will_count(struct mqtt_shard *shard, struct will *w, bool sure)
{
    struct mqtt_server *s = shard->server;
    size_t max = s->limits.will_bytes_max;
    size_t before = atomic_fetch_add_explicit(&s->will_bytes, w->size, memory_order_relaxed);
    w->counted = sure || (before <= max && w->size <= max - before);
    if (!w->counted)
        atomic_fetch_sub_explicit(&s->will_bytes, w->size, memory_order_relaxed);
    return w->counted;
}

static const void *put(struct writer *w, const void *p, size_t n)
{
    const void *at = w->p;
    writer_bytes(w, p, n);
    return at;
}

struct will *will_make(struct mqtt_shard *shard, const struct will_parts *p)
{
    size_t bytes = p->client_id.n + p->topic.n + p->payload.n + p->properties.n;
    struct will *w = mem_zero(shard->alloc, sizeof(*w) + bytes);
    if (!w)
        return NULL;
    list_init(&w->link);
    list_init(&w->kept);
    w->size = sizeof(*w) + bytes;
    struct writer at = writer_from(w->data, bytes);
    w->client_id = (struct str){put(&at, p->client_id.p, p->client_id.n), p->client_id.n};
    w->topic = (struct str){put(&at, p->topic.p, p->topic.n), p->topic.n};
    w->payload = (struct bytes){put(&at, p->payload.p, p->payload.n), p->payload.n};
    w->properties = (struct bytes){put(&at, p->properties.p, p->properties.n), p->properties.n};
    return w;
}

struct will *will_new(struct mqtt_connection *c, const struct mqtt_connect *m, struct str client_id)
{
    const struct mqtt_props *props = &m->will_props;
    const struct will_parts parts = {.client_id = client_id,
                                     .topic = m->will_topic,
                                     .payload = m->will_payload,
                                     .properties = props->raw};
    struct will *w = will_make(c->shard, &parts);
    if (!w)
        return NULL;
    w->qos = m->will_qos;
    w->retain = m->will_retain;
    w->delay_s = props->will_delay_s;
    w->keep_alive_s = c->keep_alive_s;
    w->expiry_s =
        props->has & MQTT_HAS(MQTT_PROP_MESSAGE_EXPIRY) ? props->message_expiry_s : UINT32_MAX;
    /* Over their copy: what is forwarded is never more. */
    struct writer at = writer_from((void *)(uintptr_t)w->properties.p, w->properties.n);
    bool fits = forward_properties(props, &at);
    ASSERT(fits);
    w->properties.n = writer_len(&at);
    return w;
}

bool will_take_user(struct mqtt_shard *shard, struct will *w, struct str user)
{
    w->user = mem_new(shard->alloc, sizeof(*w->user) + user.n);
    if (!w->user)
        return false;
    w->user->n = user.n;
    if (user.n)
        memcpy(w->user->name, user.p, user.n);
    return true;
}

void will_free(struct mqtt_shard *shard, struct will *w)
{
    if (!w)
        return;
    if (w->session)
        w->session->will = NULL;
    if (w->lost)
        table_del(&shard->wills_lost, &w->node);
    list_del(&w->kept);
    list_del(&w->link);
    if (w->user)
        mem_free(shard->alloc, w->user, sizeof(*w->user) + w->user->n);
    if (w->counted)
        atomic_fetch_sub_explicit(&shard->server->will_bytes, w->size, memory_order_relaxed);
    mem_free(shard->alloc, w, w->size);
}

void will_end(struct mqtt_shard *shard, struct will *w)
{
    if (w)
        will_forget(shard, w, false);
    will_free(shard, w);
}

/* ---- publishing ---- */

/* Asked now: the rules may be others than when its client came. */
static bool may_publish(struct mqtt_shard *shard, const struct will *w, char why[160])
{
    struct access *access = shard->server->cfg.access;
    struct access_client who = {.id = w->client_id};
    struct access_view view;
    if (!access || !access_has_rules(access))
        return true;
    if (w->user)
        who.user = (struct str){w->user->name, w->user->n};
    access_view_init(&view, shard->alloc, &who);
    bool may = access_may(access, &view, ACCESS_PUBLISH, w->topic, why);
    access_view_fini(&view);
    return may;
}

bool will_is_due(const struct mqtt_shard *shard, struct str client_id)
{
    LIST_EACH(&shard->wills_due, it)
    if (str_eq(CONTAINER_OF(it, struct will, link)->client_id, client_id))
        return true;
    return false;
}

/* It may be back, and wait for this will. */
static void wake_client(struct mqtt_shard *shard, struct str client_id)
{
    struct mqtt_session *s = session_find(shard, client_id);
    if (s && s->connection && s->connection->state == CONNECTION_WAITING)
        task_wake(&s->connection->task);
}

/* Publishes and frees it; false: the journal is full, again later. */
static bool will_publish(struct mqtt_shard *shard, struct will *w)
{
    const struct bus_publisher from = {.id = w->publisher_id, .name = w->client_id};
    const struct bus_publication p = {.topic = w->topic,
                                      .payload = w->payload,
                                      .properties = w->properties,
                                      .qos = w->qos,
                                      .retain = w->retain,
                                      .expiry_s = w->expiry_s,
                                      .from = &from,
                                      .will = w->number};
    struct bus_receipt r = {0};
    enum err err = may_publish(shard, w, r.why) ? bus_publish(shard->bus, &p, &r) : ERR_DENIED;
    if (err == ERR_FULL)
        return false;
    if (err == ERR_DENIED)
        publish_denied(shard, w->client_id, (struct str){NULL, 0}, w->topic, r.why);
    else if (err)
        LOG_W("mqtt", "%.*s: its will to %.*s: %s", STR_FMT(w->client_id), STR_FMT(w->topic),
              r.why[0] ? r.why : err_name(err));
    /* What is delivered and not stored comes again, if nothing is stored before the next start. */
    will_forget(shard, w, err ? err == ERR_IO : r.seq != 0);
    wake_client(shard, w->client_id);
    will_free(shard, w);
    return true;
}

/* ---- when ---- */

/* What is due is published at once; those that wait are all looked at, so not too often. */
static void set_timer(struct mqtt_shard *shard, int64_t due_ns)
{
    if (!timer_armed(&shard->due) || shard->due.at_ns > due_ns)
        timer_set(&shard->due, due_ns);
}

static void look_at(struct mqtt_shard *shard, int64_t due_ns)
{
    int64_t soonest_ns = shard->wills_looked_ns + LOOK_EVERY_NS;
    set_timer(shard, due_ns < soonest_ns ? soonest_ns : due_ns);
}

/* Its time has come: nothing cancels it any more. */
static void fall_due(struct mqtt_shard *shard, struct will *w)
{
    if (w->session)
        w->session->will = NULL;
    w->session = NULL;
    if (w->lost)
        table_del(&shard->wills_lost, &w->node);
    w->lost = false;
    list_del(&w->link);
    list_add_tail(&shard->wills_due, &w->link);
}

void will_await(struct mqtt_shard *shard, struct will *w, struct mqtt_session *session)
{
    ASSERT(!session || !session->will); /* its next connection has cancelled it */
    w->session = session;
    if (session)
        session->will = w;
    list_add_tail(&shard->wills, &w->link);
    look_at(shard, w->due_ns);
}

void will_schedule(struct mqtt_shard *shard, struct will *w, struct mqtt_session *session)
{
    int64_t now_ns = worker_now_ns(shard->worker);
    if (session && w->delay_s) {
        w->due_ns = now_ns + (int64_t)w->delay_s * 1000000000;
        will_await(shard, w, session);
        return;
    }
    if (list_empty(&shard->wills_due) && will_publish(shard, w))
        return;
    list_add_tail(&shard->wills_due, &w->link);
    set_timer(shard, now_ns + LOOK_EVERY_NS);
}

void will_cancel(struct mqtt_session *session)
{
    struct mqtt_shard *shard = session->shard;
    struct will *lost = will_lost_find(shard, session_id(session));
    will_end(shard, session->will);
    will_end(shard, lost);
}

void will_release(struct mqtt_session *session)
{
    struct mqtt_shard *shard = session->shard;
    if (!session->will)
        return;
    fall_due(shard, session->will);
    set_timer(shard, worker_now_ns(shard->worker));
}

/* Its client has connected again, and waits for its CONNACK: with that it is cancelled, but who is
 * refused has not been back [MQTT-3.1.3-9]. */
static bool is_coming_back(const struct mqtt_shard *shard, const struct will *w)
{
    const struct mqtt_session *s = w->session ? w->session : session_find(shard, w->client_id);
    return s && s->connection;
}

/* Those that wait. Gives when the next one is due. */
static int64_t look(struct mqtt_shard *shard, int64_t now_ns)
{
    int64_t next_ns = INT64_MAX;
    shard->wills_looked_ns = now_ns;
    LIST_EACH_SAFE(&shard->wills, it)
    {
        struct will *w = CONTAINER_OF(it, struct will, link);
        int64_t due_ns = w->due_ns;
        if (due_ns <= now_ns && is_coming_back(shard, w))
            due_ns = now_ns + LOOK_EVERY_NS;
        if (due_ns <= now_ns)
            fall_due(shard, w);
        else
            next_ns = due_ns < next_ns ? due_ns : next_ns;
    }
    return next_ns;
}

void wills_due(struct mqtt_shard *shard, int64_t now_ns)
{
    int64_t looked_ns = shard->wills_looked_ns;
    int64_t next_ns = now_ns - looked_ns >= LOOK_EVERY_NS ? look(shard, now_ns)
                      : list_empty(&shard->wills)         ? INT64_MAX
                                                          : looked_ns + LOOK_EVERY_NS;
    unsigned n = 0;
    while (!list_empty(&shard->wills_due) && n++ < AT_ONCE)
        if (!will_publish(shard, CONTAINER_OF(shard->wills_due.next, struct will, link)))
            break;
    if (next_ns != INT64_MAX)
        look_at(shard, next_ns);
    if (!list_empty(&shard->wills_due))
        set_timer(shard, now_ns + LOOK_EVERY_NS);
}

/* ---- from the first to the last day ---- */

void wills_init(struct mqtt_shard *shard)
{
    const struct mqtt_server *s = shard->server;
    list_init(&shard->wills);
    list_init(&shard->wills_due);
    list_init(&shard->wills_new);
    list_init(&shard->wills_stored);
    table_init(&shard->wills_lost, s->alloc, s->seed, SIZE_MAX, will_key);
}

static void free_all(struct mqtt_shard *shard, struct list *wills)
{
    LIST_EACH_SAFE(wills, it)
    will_free(shard, CONTAINER_OF(it, struct will, link));
}

void wills_free(struct mqtt_shard *shard)
{
    struct table_at at = {0};
    for (struct table_node *n; (n = table_next(&shard->wills_lost, &at));)
        will_free(shard, CONTAINER_OF(n, struct will, node));
    free_all(shard, &shard->wills);
    free_all(shard, &shard->wills_due);
    table_fini(&shard->wills_lost);
    vec_fini(shard->alloc, &shard->wills_ended);
}
