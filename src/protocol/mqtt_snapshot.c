#include "protocol/mqtt_snapshot.h"

#include <string.h>

static struct str copy_str(struct snapshot *s, struct str from)
{
    char *p = mem_new(s->alloc, from.n ? from.n : 1);
    if (!p) {
        s->nomem = true;
        return (struct str){NULL, 0};
    }
    if (from.n)
        memcpy(p, from.p, from.n);
    return (struct str){p, from.n};
}

static void free_str(struct snapshot *s, struct str x)
{
    mem_free(s->alloc, (void *)(uintptr_t)x.p, x.n ? x.n : 1);
}

static void free_message(struct snapshot *s, struct saved_message *m)
{
    outgoing_forget_ids(s->alloc, &m->flight.out);
    message_unref(m->flight.out.message);
}

static void part_free(struct snapshot *s)
{
    for (size_t i = 0; i < s->sessions.n; i++) {
        struct saved_session *x = &s->sessions.v[i];
        for (size_t k = 0; k < x->subs.n; k++)
            free_str(s, x->subs.v[k].filter);
        for (size_t k = 0; k < x->messages.n; k++)
            free_message(s, &x->messages.v[k]);
        vec_fini(s->alloc, &x->subs);
        vec_fini(s->alloc, &x->messages);
        mem_free(s->alloc, x->received, x->received_n);
        free_str(s, x->client_id);
    }
    for (size_t i = 0; i < s->wills.n; i++)
        mem_free(s->alloc, s->wills.v[i].body, s->wills.v[i].body_n);
    vec_fini(s->alloc, &s->sessions);
    vec_fini(s->alloc, &s->ended);
    vec_fini(s->alloc, &s->wills);
    vec_fini(s->alloc, &s->wills_ended);
    mem_free(s->alloc, s, sizeof(*s));
}

void snapshot_free(void *p)
{
    for (struct snapshot *s = p, *next; s; s = next) {
        next = s->next;
        part_free(s);
    }
}

struct saving {
    struct snapshot *snapshot;
    struct saved_session *session;
    struct bus *bus;
};

/* As the client wrote it. */
static struct str copy_filter(struct snapshot *s, const struct subscription *sub)
{
    static const struct str prefix = {"$share/", 7};
    if (!sub->share.n)
        return copy_str(s, sub->filter);
    struct str out = {NULL, prefix.n + sub->share.n + 1 + sub->filter.n};
    char *room = mem_new(s->alloc, out.n);
    struct writer w = writer_from(room, room ? out.n : 0);
    writer_bytes(&w, prefix.p, prefix.n);
    writer_bytes(&w, sub->share.p, sub->share.n);
    writer_u8(&w, '/');
    writer_bytes(&w, sub->filter.p, sub->filter.n);
    s->nomem = s->nomem || !room;
    out.p = room;
    return out;
}

static void save_sub(void *ctx, const struct subscription *sub)
{
    struct saving *to = ctx;
    struct saved_sub x = {
        .filter = copy_filter(to->snapshot, sub),
        .options = (uint8_t)(sub->qos | (sub->no_local ? MQTT_SUB_NO_LOCAL : 0) |
                             (sub->retain_as_published ? MQTT_SUB_RETAIN_AS_PUBLISHED : 0)),
        .id = sub->id};
    if (x.filter.p && !vec_push(to->snapshot->alloc, &to->session->subs, x)) {
        free_str(to->snapshot, x.filter);
        to->snapshot->nomem = true;
    }
}

static bool copy_ids(struct alloc *a, struct outgoing *o)
{
    uint32_t *copy;
    if (o->ids_n < 2)
        return true;
    if (!(copy = mem_new(a, o->ids_n * sizeof(*copy))))
        return false;
    memcpy(copy, o->sub_ids, o->ids_n * sizeof(*copy));
    o->sub_ids = copy;
    return true;
}

static void save_message(struct saving *to, const struct flight *f, int64_t position)
{
    struct alloc *a = to->snapshot->alloc;
    struct saved_message x = {.flight = *f,
                              .position = position,
                              .share =
                                  f->out.share_id ? bus_share_key(to->bus, f->out.share_id) : 0};
    if (!f->seq)
        return; /* QoS 0 does not outlive us */
    if (!copy_ids(a, &x.flight.out)) {
        to->snapshot->nomem = true;
        return;
    }
    if (x.flight.out.message)
        message_ref(x.flight.out.message);
    if (!vec_push(a, &to->session->messages, x)) {
        free_message(to->snapshot, &x);
        to->snapshot->nomem = true;
    }
}

static void save_received(struct snapshot *snapshot, struct saved_session *x,
                          const struct received *r)
{
    size_t n = 2 * r->ids.n;
    x->received = n ? mem_new(snapshot->alloc, n) : NULL;
    if (!n)
        return;
    if (!x->received) {
        snapshot->nomem = true;
        return;
    }
    x->received_n = n;
    struct writer w = writer_from(x->received, n);
    received_write(r, &w);
}

/* Those of a ring from `from` on; its first is at position `at`. */
static void save_queued(struct saving *to, const struct outgoing_ring *r, int64_t at, int64_t from)
{
    for (int64_t i = from > at ? from - at : 0; i < r->n; i++) {
        struct flight f = {.out = *ring_at(r, (uint32_t)i)};
        f.seq = f.out.message && f.out.qos ? f.out.message->seq : 0;
        save_message(to, &f, at + i);
    }
}

static void save_messages(struct saving *to, struct mqtt_session *s, bool all)
{
    for (uint32_t i = 0; i < s->transit->flight.n; i++) {
        const struct flight *f = flight_at(&s->transit->flight, i);
        if (f->state != FLIGHT_DONE)
            save_message(to, f, s->transit->queue_at - s->transit->flight.n + i);
    }
    save_queued(to, &s->transit->queue, s->transit->queue_at,
                all ? INT64_MIN : s->transit->stored_to);
    if (s->transit->spill)
        save_queued(to, &s->transit->spill->tail, s->transit->spill->tail_at,
                    all ? INT64_MIN : s->transit->stored_to);
}

static void save_session(struct snapshot *snapshot, struct mqtt_session *s, bool all)
{
    struct saved_session x = {.number = session_number(s),
                              .client_id = copy_str(snapshot, session_id(s)),
                              .expiry_s = s->expiry_s,
                              .offline_ms = s->offline_ms,
                              .next_id = s->next_id,
                              .subs_too = all || s->transit->subs_dirty,
                              .requeue = all || s->transit->requeue,
                              .head = s->transit->queue_at,
                              .spilled = s->transit->queue_at + s->transit->queue.n,
                              .tail = s->transit->spill
                                          ? s->transit->spill->tail_at
                                          : s->transit->queue_at + s->transit->queue.n};
    if (!x.client_id.p)
        return;
    if (!vec_push(snapshot->alloc, &snapshot->sessions, x)) {
        free_str(snapshot, x.client_id);
        snapshot->nomem = true;
        return;
    }
    struct saving to = {snapshot, &snapshot->sessions.v[snapshot->sessions.n - 1], s->shard->bus};
    if (x.subs_too)
        bus_subscriptions_each(&s->subscriber, save_sub, &to);
    save_received(snapshot, to.session, &s->transit->received);
    save_messages(&to, s, x.requeue);
    s->transit->requeue = false;
    s->transit->stored_to = queue_end(s);
    s->transit->stored_run = atomic_load(&s->shard->server->checkpoint.begun);
}

static void saved(struct mqtt_session *s)
{
    s->transit->subs_dirty = false;
    s->transit->new_in_db = false;
    list_del(&s->transit->dirty);
}

static void save_wills(struct snapshot *s, const struct list *wills)
{
    LIST_EACH(wills, it)
    {
        const struct will *w = CONTAINER_OF(it, struct will, kept);
        struct saved_will x = {.number = w->number, .lost_ms = w->lost_ms};
        x.body_n = will_encode(s->alloc, w, &x.body);
        if (!x.body_n || !vec_push(s->alloc, &s->wills, x)) {
            mem_free(s->alloc, x.body, x.body_n);
            s->nomem = true;
            return;
        }
    }
}

static void save_ended(struct snapshot *s, const struct mqtt_shard *shard)
{
    for (size_t i = 0; i < shard->ended.n; i++)
        if (!vec_push(s->alloc, &s->ended, shard->ended.v[i]))
            s->nomem = true;
    for (size_t i = 0; i < shard->wills_ended.n; i++)
        if (!vec_push(s->alloc, &s->wills_ended, shard->wills_ended.v[i]))
            s->nomem = true;
}

static void wills_saved(struct mqtt_shard *shard)
{
    LIST_EACH_SAFE(&shard->wills_new, it)
    {
        CONTAINER_OF(it, struct will, kept)->in_db = true;
        list_del(it);
        list_add_tail(&shard->wills_stored, it);
    }
    shard->wills_ended.n = 0;
}

void *store_part(struct mqtt_shard *shard, bool all)
{
    struct snapshot *s = mem_zero(shard->alloc, sizeof(*s));
    struct table_at at = {0};
    if (!s)
        return NULL;
    s->alloc = shard->alloc;
    s->rewrite = all;
    for (struct mqtt_session *x; all && (x = session_next(shard, &at));)
        if (session_stored(x))
            save_session(s, x, true);
    if (!all)
        LIST_EACH(&shard->dirty, it)
    save_session(s, CONTAINER_OF(it, struct transit, dirty)->session, false);
    if (all)
        save_wills(s, &shard->wills_stored);
    save_wills(s, &shard->wills_new);
    save_ended(s, shard);
    if (s->nomem) {
        snapshot_free(s);
        return NULL;
    }
    LIST_EACH_SAFE(&shard->dirty, it)
    saved(CONTAINER_OF(it, struct transit, dirty)->session);
    shard->ended.n = 0;
    wills_saved(shard);
    return s;
}

void *store_join(struct mqtt_server *server, void *const *parts, unsigned n)
{
    struct snapshot *first = NULL;
    bool whole = true;
    for (unsigned i = 0; i < n; i++) {
        struct snapshot *part = parts[i];
        if (!part) {
            whole = false;
            continue;
        }
        part->next = first;
        first = part;
    }
    if (whole)
        return first;
    atomic_store(&server->rewrite, true);
    snapshot_free(first);
    return NULL;
}

void store_part_free(void *part)
{
    snapshot_free(part);
}
