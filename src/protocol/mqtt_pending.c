/* Answers that wait: they leave in the order of their packets, each after the commit of its record.
 * Most wait for nothing, and leave at once: a client that has subscribed and now waits for messages
 * has no ring. */
#include "protocol/mqtt_broker.h"

#include <string.h>

#define RETRY_MS 20

static struct pending *at(const struct pending_ring *r, uint32_t i)
{
    return &r->v[(r->head + i) & (r->cap - 1)];
}

static bool grow(struct alloc *a, struct pending_ring *r)
{
    uint32_t cap = r->cap ? r->cap * 2 : 8;
    struct pending *v = mem_new(a, cap * sizeof(*v));
    if (!v)
        return false;
    for (uint32_t i = 0; i < r->n; i++)
        v[i] = *at(r, i);
    mem_free(a, r->v, r->cap * sizeof(*r->v));
    r->v = v;
    r->cap = cap;
    r->head = 0;
    return true;
}

/* ---- what is there while something waits ---- */

static void waited(struct journal_wait *w, enum err result)
{
    struct mqtt_connection *c = CONTAINER_OF(w, struct connection_waits, commit)->connection;
    c->waiting = false;
    if (result && c->state == CONNECTION_WAITING && connect_unstored(c))
        task_wake(&c->task);
    else if (result && c->state != CONNECTION_OPEN)
        connection_kick(c, MQTT_RC_SERVER_UNAVAILABLE);
    else if (result && (pending_count(c) || c->paused)) /* what will never be stored must not be
                                                       acknowledged */
        connection_kick(c, MQTT_RC_IMPLEMENTATION_SPECIFIC);
    else
        task_wake(&c->task);
}

static bool waits_make(struct mqtt_connection *c)
{
    if (c->waits)
        return true;
    c->waits = mem_zero(c->shard->alloc, sizeof(*c->waits));
    if (!c->waits)
        return false;
    c->waits->connection = c;
    c->waits->commit.done = waited;
    return true;
}

bool connection_wait(struct mqtt_connection *c, uint64_t seq)
{
    if (!waits_make(c))
        return false;
    c->waiting = true;
    journal_wait(c->shard->journal, c->shard->worker, &c->waits->commit, seq);
    return true;
}

/* ---- answers ---- */

static bool transmit(struct mqtt_connection *c, const struct pending *p)
{
    if (p->packet)
        return connection_write(c, p->packet, p->size);
    uint8_t bytes[4];
    struct writer w = writer_from(bytes, sizeof(bytes));
    mqtt_put_ack(&w, p->type, p->id);
    return connection_write(c, bytes, writer_len(&w));
}

bool pending_add(struct mqtt_connection *c, const struct pending *p)
{
    if (!p->seq && !pending_count(c) && transmit(c, p)) {
        mem_free(c->shard->alloc, p->packet, p->size);
        return true;
    }
    struct pending_ring *r = waits_make(c) ? &c->waits->answers : NULL;
    if (!r || (r->n == r->cap && !grow(c->shard->alloc, r))) {
        mem_free(c->shard->alloc, p->packet, p->size);
        return false;
    }
    *at(r, r->n) = *p;
    r->n++;
    r->publishes += p->publish;
    return true;
}

bool pending_add_packet(struct mqtt_connection *c, const struct mqtt_packet *p, uint64_t seq,
                        bool publish, uint16_t id)
{
    size_t n = mqtt_encoded_size(c->version, p);
    uint8_t *bytes = n && n <= UINT32_MAX ? mem_new(c->shard->alloc, n) : NULL;
    if (!bytes)
        return false;
    struct writer w = writer_from(bytes, n);
    if (mqtt_encode(c->version, p, &w) != ERR_OK) {
        mem_free(c->shard->alloc, bytes, n);
        return false;
    }
    const struct pending x = {
        .seq = seq, .packet = bytes, .size = (uint32_t)n, .id = id, .publish = publish};
    return pending_add(c, &x);
}

static void drop_head(struct mqtt_connection *c)
{
    struct pending_ring *r = &c->waits->answers;
    struct pending *p = at(r, 0);
    mem_free(c->shard->alloc, p->packet, p->size);
    r->publishes -= p->publish;
    r->head = (r->head + 1) & (r->cap - 1);
    r->n--;
}

bool pending_flush(struct mqtt_connection *c)
{
    const struct journal *j = c->shard->journal;
    uint64_t committed = j && pending_count(c) ? journal_committed(j) : 0;
    while (pending_count(c) && at(&c->waits->answers, 0)->seq <= committed) {
        if (!transmit(c, at(&c->waits->answers, 0)))
            return false;
        drop_head(c);
    }
    return true;
}

/* The record that the connection waits for next: of its first answer, of a message that it is to be
 * sent; or any, after one that did not fit. 0: none. */
static uint64_t next_record(const struct mqtt_connection *c)
{
    uint64_t seq = pending_count(c) ? at(&c->waits->answers, 0)->seq : UINT64_MAX;
    uint64_t noted = window_waits_for(c->session);
    if (noted && noted < seq)
        seq = noted;
    if (seq != UINT64_MAX)
        return seq;
    bool again = (c->paused && !c->starved && !c->crowded) || c->journal_full;
    return again ? journal_last(c->shard->journal) : 0;
}

void pending_wait(struct mqtt_connection *c)
{
    struct mqtt_shard *shard = c->shard;
    struct journal *j = shard->journal;
    if (c->waiting || !j || c->state != CONNECTION_OPEN)
        return;
    /* Once more: the commit may have come since the answer was added. */
    bool flushed = pending_flush(c);
    uint64_t seq = flushed ? next_record(c) : window_waits_for(c->session);
    if (!seq) /* nothing, or for the stream, which wakes us */
        return;
    if (!pending_count(c) && seq <= journal_committed(j)) { /* above its budget: no commit helps */
        if (!timer_armed(&shard->retry))
            timer_set_after_ms(&shard->retry, RETRY_MS);
        return;
    }
    /* It answers at once if it is committed now. */
    if (!connection_wait(c, seq) && !timer_armed(&shard->retry))
        timer_set_after_ms(&shard->retry, RETRY_MS);
}

void pending_free(struct mqtt_connection *c)
{
    if (c->waiting)
        journal_wait_cancel(&c->waits->commit);
    c->waiting = false;
    while (pending_count(c))
        drop_head(c);
    pending_trim(c);
}

void pending_trim(struct mqtt_connection *c)
{
    struct connection_waits *w = c->waits;
    if (!w || w->answers.n || c->waiting)
        return;
    mem_free(c->shard->alloc, w->answers.v, w->answers.cap * sizeof(*w->answers.v));
    mem_free(c->shard->alloc, w, sizeof(*w));
    c->waits = NULL;
}
