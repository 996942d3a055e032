/* Wills over the end of the process: their records, their rows, and what becomes of them at the
 * next start. Until that has read everything, all of them are in shard->wills_lost, by client id;
 * then those whose client has a session that lasts are that session's.
 *
 * JOURNAL_SESSION (see mqtt_record.c), with the number of the will in place of a session's:
 *     WILL      as in mqtt_will_body.h. It says, too, that its client is connected, and that an
 *               earlier will of this client is none any more
 *     WILL_END  client id. Lazy: if it is lost, a will is published that was taken back; within a
 *               second of a power cut only. When a will was published, and its message is in the
 *               journal, then the number in that record says so
 *     STARTED   number 0: the process before has ended, and who was connected then is not */
#include "protocol/mqtt_broker.h"
#include "protocol/mqtt_will_body.h"

#define MS_PER_S INT64_C(1000)

struct str will_key(const struct table_node *node)
{
    return CONTAINER_OF(node, struct will, node)->client_id;
}

struct will *will_lost_find(const struct mqtt_shard *shard, struct str client_id)
{
    struct table_node *node = shard->wills_lost.n ? table_get(&shard->wills_lost, client_id) : NULL;
    return node ? CONTAINER_OF(node, struct will, node) : NULL;
}

/* ---- bytes ---- */

size_t will_encode(struct alloc *a, const struct will *w, uint8_t **out)
{
    struct will_body b = {.qos = w->qos,
                          .retain = w->retain,
                          .keep_alive_s = w->keep_alive_s,
                          .delay_s = w->delay_s,
                          .expiry_s = w->expiry_s,
                          .client_id = w->client_id,
                          .topic = w->topic,
                          .payload = w->payload,
                          .properties = w->properties};
    if (w->user)
        b.user = (struct str){w->user->name, w->user->n};
    size_t n = will_body_size(&b);
    *out = mem_new(a, n);
    if (!*out)
        return 0;
    struct writer to = writer_from(*out, n);
    will_body_write(&b, &to);
    return n;
}

static struct will *make(struct mqtt_shard *shard, const struct will_body *b)
{
    const struct will_parts parts = {.client_id = b->client_id,
                                     .topic = b->topic,
                                     .payload = b->payload,
                                     .properties = b->properties};
    struct will *w = will_make(shard, &parts);
    if (!w)
        return NULL;
    (void)will_count(shard, w, true);
    w->qos = b->qos;
    w->retain = b->retain;
    w->keep_alive_s = b->keep_alive_s;
    w->delay_s = b->delay_s;
    w->expiry_s = b->expiry_s;
    if (!b->user.p || will_take_user(shard, w, b->user))
        return w;
    will_free(shard, w);
    return NULL;
}

/* ---- records ---- */

static struct writer head_of(uint8_t *room, size_t n, enum session_op op, uint64_t number)
{
    struct writer w = writer_from(room, n);
    session_record_head(&w, op, number);
    return w;
}

static enum err append(struct mqtt_shard *shard, bool lazy, enum session_op op, uint64_t number,
                       struct bytes body, uint64_t *seq)
{
    uint8_t room[32];
    struct writer head = head_of(room, sizeof(room), op, number);
    const struct iovec parts[] = {{room, writer_len(&head)}, {(void *)(uintptr_t)body.p, body.n}};
    return journal_append(shard->journal, JOURNAL_SESSION, lazy, parts, 2, seq);
}

/* The database is told of it, or that it is another. */
static void changed(struct mqtt_shard *shard, struct will *w)
{
    list_del(&w->kept);
    list_add_tail(&shard->wills_new, &w->kept);
    server_changed(shard->server);
}

enum err will_record(struct mqtt_shard *shard, struct will *w, uint64_t *seq)
{
    uint8_t *body;
    if (!shard->journal)
        return ERR_OK;
    size_t n = will_encode(shard->alloc, w, &body);
    if (!n)
        return ERR_NOMEM;
    uint64_t number = shard_number(shard);
    enum err err = ERR_IO; /* what is left of a full disk is for what the site can't do without */
    if (!journal_no_room(shard->journal))
        err = append(shard, false, SESSION_WILL, number, (struct bytes){body, n}, seq);
    mem_free(shard->alloc, body, n);
    if (err && err != ERR_IO)
        return err;
    w->recorded = !err;
    w->number = number; /* the database is told in any case: when it can be written again */
    changed(shard, w);
    return err;
}

void will_unkeep(struct mqtt_shard *shard, struct will *w)
{
    if (w->in_db && !vec_push(shard->alloc, &shard->wills_ended, w->number))
        atomic_store(&shard->server->rewrite, true); /* no memory for its number: all, then */
    w->in_db = false;
    w->number = 0;
    list_del(&w->kept);
}

void will_forget(struct mqtt_shard *shard, struct will *w, bool noted)
{
    uint64_t seq;
    if (!w->number)
        return;
    const struct bytes id = {(const uint8_t *)w->client_id.p, w->client_id.n};
    /* If it does not fit, the next checkpoint says so. */
    if (!noted && append(shard, true, SESSION_WILL_END, w->number, id, &seq))
        LOG_D("mqtt", "%.*s: the end of its will is not in the journal", STR_FMT(w->client_id));
    will_unkeep(shard, w);
    server_changed(shard->server);
}

static struct will *waiting(struct mqtt_shard *shard, struct str client_id)
{
    const struct mqtt_session *s = session_find(shard, client_id);
    return s && s->will ? s->will : will_lost_find(shard, client_id);
}

/* What waits of its connection before is in force still, and its record has ended that for a
 * replay: so it stands there in the place of that, which takes its number. */
void will_refused(struct mqtt_shard *shard, struct will *w)
{
    struct will *before = w && w->recorded ? waiting(shard, w->client_id) : NULL;
    if (before) {
        will_unkeep(shard, before);
        before->number = w->number;
        before->in_db = w->in_db;
        before->recorded = true;
        changed(shard, before);
        w->number = 0;
    }
    will_end(shard, w);
}

/* ---- at the start ---- */

/* In place of an older one of the same client. NULL: it is none, or there is no room. */
static struct will *enter(struct mqtt_server *server, uint64_t number, struct bytes body)
{
    struct will_body b;
    if (!will_body_read(body, &b)) {
        LOG_E("mqtt", "will %llu can't be read", (unsigned long long)number);
        return NULL;
    }
    struct mqtt_shard *shard = shard_of(server, b.client_id);
    struct will *old = will_lost_find(shard, b.client_id);
    server_number_seen(server, number);
    if (old && old->number >= number) /* numbers grow: it is over, or there */
        return NULL;
    if (old)
        will_unkeep(shard, old);
    will_free(shard, old);
    struct will *w = make(shard, &b);
    if (w && !table_put(&shard->wills_lost, &w->node)) {
        w->lost = true;
        w->number = number;
        return w;
    }
    LOG_E("mqtt", "the will of %.*s is lost: no room", STR_FMT(b.client_id));
    will_free(shard, w);
    return NULL;
}

void will_restore(struct mqtt_server *server, uint64_t number, struct bytes body, int64_t lost_ms)
{
    struct will *w = enter(server, number, body);
    if (!w)
        return;
    w->in_db = true;
    w->lost_ms = lost_ms;
    list_add_tail(&shard_of(server, w->client_id)->wills_stored, &w->kept);
}

void will_apply(struct mqtt_server *server, uint64_t number, struct bytes body)
{
    struct will *w = enter(server, number, body);
    if (!w)
        return;
    struct mqtt_shard *shard = shard_of(server, w->client_id);
    struct mqtt_session *s = session_find(shard, w->client_id);
    changed(shard, w);
    if (s && s->offline_ms) { /* that it is back may be lost: it is lazy */
        s->offline_ms = 0;
        session_changed(s);
    }
}

void will_apply_end(struct mqtt_server *server, uint64_t number, struct str client_id)
{
    struct mqtt_shard *shard = shard_of(server, client_id);
    struct will *w = will_lost_find(shard, client_id);
    if (!w || w->number != number)
        return;
    will_unkeep(shard, w);
    will_free(shard, w);
}

bool wills_lost(struct mqtt_shard *shard, int64_t at_ms)
{
    struct table_at at = {0};
    bool any = false;
    for (struct table_node *n; (n = table_next(&shard->wills_lost, &at));) {
        struct will *w = CONTAINER_OF(n, struct will, node);
        const struct mqtt_session *s = session_find(shard, w->client_id);
        if (w->lost_ms || (s && s->offline_ms)) /* it waited for its delay */
            continue;
        w->lost_ms = at_ms;
        changed(shard, w);
        any = true;
    }
    return any;
}

void record_started(struct mqtt_shard *shard)
{
    uint64_t seq;
    /* If it is lost they count from the next start. */
    if (append(shard, true, SESSION_STARTED, 0, (struct bytes){NULL, 0}, &seq))
        LOG_D("mqtt", "the start is not in the journal");
}

/* For how long a client may be away that was connected when the process ended. */
static int64_t grace_ms(const struct will *w)
{
    int64_t grace = w->keep_alive_s ? w->keep_alive_s * MS_PER_S * 3 / 2 : WILL_GRACE_S * MS_PER_S;
    if (grace < WILL_GRACE_MIN_S * MS_PER_S)
        grace = WILL_GRACE_MIN_S * MS_PER_S;
    return grace;
}

static int64_t left_ms(const struct will *w, const struct mqtt_session *s, int64_t now_ms)
{
    int64_t wait_ms = w->delay_s * MS_PER_S;
    int64_t from_ms = w->lost_ms ? w->lost_ms : s ? s->offline_ms : now_ms;
    if (w->lost_ms && wait_ms < grace_ms(w))
        wait_ms = grace_ms(w);
    int64_t away_ms = now_ms > from_ms ? now_ms - from_ms : 0; /* or the clock was set back */
    return wait_ms > away_ms ? wait_ms - away_ms : 0;
}

void wills_started(struct mqtt_shard *shard)
{
    int64_t now_ms = worker_now_ms(shard->worker), now_ns = worker_now_ns(shard->worker);
    struct table_at at = {0};
    for (struct table_node *n; (n = table_next(&shard->wills_lost, &at));) {
        struct will *w = CONTAINER_OF(n, struct will, node);
        struct mqtt_session *s = session_find(shard, w->client_id);
        if (s && !s->expiry_s) /* it ends at once, as it would have then */
            s = NULL;
        w->due_ns = now_ns + left_ms(w, s, now_ms) * 1000000;
        w->publisher_id = s ? s->subscriber.publisher_id : bus_publisher_id(shard->bus);
        if (s) {
            table_del(&shard->wills_lost, n);
            w->lost = false;
        }
        will_await(shard, w, s);
    }
}
