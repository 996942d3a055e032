#include "protocol/mqtt_broker.h"

#include <string.h>

#define LOOK_EVERY_NS 100000000 /* then, too, what the journal had no room for is tried again */
#define AT_ONCE       1000      /* when a whole house goes off-line */

struct will *will_new(struct mqtt_shard *shard, const struct mqtt_connect *m, struct str client_id)
{
    size_t size = sizeof(struct will) + m->will_topic.n + client_id.n + m->will_payload.n +
                  m->will_props.raw.n;
    struct will *w = mem_zero(shard->alloc, size);
    if (!w)
        return NULL;
    list_init(&w->link);
    w->size = size;
    w->qos = m->will_qos;
    w->retain = m->will_retain;
    w->delay_s = m->will_props.will_delay_s;
    w->expiry_s = m->will_props.has & MQTT_HAS(MQTT_PROP_MESSAGE_EXPIRY)
                      ? m->will_props.message_expiry_s
                      : UINT32_MAX;
    struct writer out = writer_from(w->data, size - sizeof(*w));
    writer_bytes(&out, m->will_topic.p, m->will_topic.n);
    writer_bytes(&out, client_id.p, client_id.n);
    writer_bytes(&out, m->will_payload.p, m->will_payload.n);
    uint8_t *properties = out.p;
    bool fits = forward_properties(&m->will_props, &out);
    ASSERT(fits && !out.failed);
    w->topic = (struct str){(char *)w->data, m->will_topic.n};
    w->client_id = (struct str){(char *)w->data + w->topic.n, client_id.n};
    w->payload = (struct bytes){w->data + w->topic.n + client_id.n, m->will_payload.n};
    w->properties = (struct bytes){properties, (size_t)(out.p - properties)};
    return w;
}

void will_free(struct mqtt_shard *shard, struct will *w)
{
    if (!w)
        return;
    if (w->session)
        w->session->will = NULL;
    list_del(&w->link);
    rights_free(w->rights);
    mem_free(shard->alloc, w, w->size);
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
                                      .from = &from};
    struct bus_receipt r;
    bool may = !w->rights || rights_allow(shard, w->rights, ACCESS_PUBLISH, w->topic, r.why);
    enum err err = may ? bus_publish(shard->bus, &p, &r) : ERR_DENIED;
    if (err == ERR_FULL)
        return false;
    if (err == ERR_DENIED)
        publish_denied(shard, w->client_id, (struct str){NULL, 0}, w->topic, r.why);
    else if (err)
        LOG_W("mqtt", "%.*s: its will to %.*s: %s", STR_FMT(w->client_id), STR_FMT(w->topic),
              r.why[0] ? r.why : err_name(err));
    will_free(shard, w);
    return true;
}

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
    list_del(&w->link);
    list_add_tail(&shard->wills_due, &w->link);
}

void will_schedule(struct mqtt_shard *shard, struct will *w, struct mqtt_session *session)
{
    int64_t now_ns = worker_now_ns(shard->worker);
    if (session && w->delay_s) {
        ASSERT(!session->will); /* its next connection has cancelled it */
        w->due_ns = now_ns + (int64_t)w->delay_s * 1000000000;
        w->session = session;
        session->will = w;
        list_add_tail(&shard->wills, &w->link);
        look_at(shard, w->due_ns);
        return;
    }
    if (list_empty(&shard->wills_due) && will_publish(shard, w))
        return;
    list_add_tail(&shard->wills_due, &w->link);
    set_timer(shard, now_ns + LOOK_EVERY_NS);
}

void will_cancel(struct mqtt_session *session)
{
    if (session->will)
        will_free(session->shard, session->will);
}

void will_release(struct mqtt_session *session)
{
    struct mqtt_shard *shard = session->shard;
    if (!session->will)
        return;
    fall_due(shard, session->will);
    set_timer(shard, worker_now_ns(shard->worker));
}

/* Those that wait. Gives when the next one is due. */
static int64_t look(struct mqtt_shard *shard, int64_t now_ns)
{
    int64_t next_ns = INT64_MAX;
    shard->wills_looked_ns = now_ns;
    LIST_EACH_SAFE(&shard->wills, it)
    {
        struct will *w = CONTAINER_OF(it, struct will, link);
        if (w->due_ns <= now_ns)
            fall_due(shard, w);
        else
            next_ns = w->due_ns < next_ns ? w->due_ns : next_ns;
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

static void free_all(struct mqtt_shard *shard, struct list *wills)
{
    LIST_EACH_SAFE(wills, it)
    will_free(shard, CONTAINER_OF(it, struct will, link));
}

void wills_free(struct mqtt_shard *shard)
{
    free_all(shard, &shard->wills);
    free_all(shard, &shard->wills_due);
}
