#include "load/load_internal.h"

#include <string.h>

enum { LATENCY_EVERY = 16 /* closed loop: a sample is enough */ };

struct delivery {
    uint32_t run, publisher;
    uint64_t number;
    int64_t due_ns;
};

static unsigned be16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* A variable byte integer at *at; false if it does not end within `n` or 4 bytes. */
static bool varint(const uint8_t *p, size_t n, size_t *at, size_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
        if (*at >= n)
            return false;
        uint8_t b = p[(*at)++];
        *value |= (size_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return true;
    }
    return false;
}

static void count_plain(struct load_run *r, struct load_subscriber *s, const struct delivery *d)
{
    struct load_publisher *p = &r->pubs[d->publisher];
    p->progress += load_order_take(&s->orders[d->publisher - s->first], d->number);
}

static void count_shared(struct load_run *r, struct load_subscriber *s, const struct delivery *d)
{
    struct load_publisher *p = &r->pubs[d->publisher];
    if (d->number >= p->sent) {
        (void)load_fail(r, ERR_PROTOCOL, "a subscriber gets what was not sent");
        return;
    }
    if (!load_share_take(&p->share, d->number))
        return;
    p->progress++;
    if (d->number < s->last[d->publisher])
        s->reordered++;
    s->last[d->publisher] = d->number + 1;
}

static void count(struct load_run *r, struct load_conn *c, const struct delivery *d)
{
    struct load_subscriber *s = c->sub;
    if (d->publisher < s->first || d->publisher - s->first >= s->count) {
        (void)load_fail(r, ERR_PROTOCOL, "a subscriber gets what it did not subscribe to");
        return;
    }
    r->delivered++;
    if (s->orders)
        count_plain(r, s, d);
    else
        count_shared(r, s, d);
    if (r->cfg->rate > 0 || d->number % LATENCY_EVERY == 0) {
        int64_t late = r->now_ns - d->due_ns;
        histogram_add(r->latency, late > 0 ? (uint64_t)late : 0);
    }
}

/* Appends a four-byte answer to the scratch buffer; `n` is what is there already. */
static size_t answer(struct load_run *r, size_t n, unsigned head, const uint8_t *id)
{
    uint8_t *a = r->out + n;
    a[0] = (uint8_t)head;
    a[1] = 2;
    a[2] = id[0];
    a[3] = id[1];
    return n + 4;
}

/* A delivery's body; the length of the answers with its own. */
static size_t take_publish(struct load_run *r, struct load_conn *c, unsigned head,
                           const uint8_t *body, size_t n, size_t answers)
{
    unsigned qos = head >> 1 & 3;
    size_t at = n < 2 ? n : 2 + be16(body), props = 0;
    const uint8_t *id = body + at;
    at += qos ? 2 : 0;
    bool whole = n >= 2 && at <= n;
    if (whole && r->cfg->version == MQTT_V5)
        whole = varint(body, n, &at, &props) && props <= n - at;
    if (!whole || !c->sub) {
        (void)load_fail(r, ERR_PROTOCOL, "the broker sends a PUBLISH that cannot be");
        return answers;
    }
    at += props;
    struct delivery d;
    if (n - at >= LOAD_PAYLOAD_MIN) {
        memcpy(&d, body + at, sizeof(d));
        if (d.run == r->id)
            count(r, c, &d);
    }
    if (qos == 0)
        return answers;
    return answer(r, answers, qos == 1 ? MQTT_PUBACK << 4 : MQTT_PUBREC << 4, id);
}

/* One of our publications has been answered; `answered` are those before it. */
static void in_order(struct load_run *r, uint64_t answered, const uint8_t *body, size_t n)
{
    if (be16(body) != answered % LOAD_IDS + 1)
        r->acks_reordered++;
    if (n > 2 && body[2] >= 0x80)
        r->refused++;
}

static void count_ack(struct load_run *r, struct load_publisher *p)
{
    p->acked++;
    r->acked++;
    r->moved++;
}

/* PUBACK, PUBREC, PUBREL, PUBCOMP. */
static size_t take_ack(struct load_run *r, struct load_conn *c, unsigned type, const uint8_t *body,
                       size_t n, size_t answers)
{
    struct load_publisher *p = c->pub;
    if (n < 2 || (type == MQTT_PUBREL) != (p == NULL)) {
        (void)load_fail(r, ERR_PROTOCOL, "the broker sends an acknowledgement that cannot be");
        return answers;
    }
    if (type == MQTT_PUBREL)
        return answer(r, answers, MQTT_PUBCOMP << 4, body);
    if (type == MQTT_PUBREC) {
        in_order(r, p->received++, body, n);
        if (n <= 2 || body[2] < 0x80)
            return answer(r, answers, MQTT_PUBREL << 4 | 2, body);
        count_ack(r, p); /* refused: that was the last of it */
        return answers;
    }
    in_order(r, p->acked, body, n);
    count_ack(r, p);
    return answers;
}

/* The size of a whole packet at p with its body's place; 0: not complete. */
static size_t frame(struct load_run *r, const uint8_t *p, size_t n, size_t *body)
{
    size_t at = 1, len;
    if (n < 2)
        return 0;
    if (!varint(p, n, &at, &len)) {
        if (n >= 5)
            (void)load_fail(r, ERR_PROTOCOL, "the broker sends a bad length");
        return 0;
    }
    *body = at;
    return n - at < len ? 0 : at + len;
}

size_t load_take(struct load_run *r, struct load_conn *c, const uint8_t *p, size_t n)
{
    size_t used = 0, answers = 0, body, size;
    while (!r->failed && (size = frame(r, p + used, n - used, &body)) > 0) {
        const uint8_t *packet = p + used;
        unsigned type = packet[0] >> 4;
        if (type == MQTT_PUBLISH)
            answers = take_publish(r, c, packet[0], packet + body, size - body, answers);
        else if (type >= MQTT_PUBACK && type <= MQTT_PUBCOMP)
            answers = take_ack(r, c, type, packet + body, size - body, answers);
        else if (!r->ending)
            load_take_other(r, c, (struct bytes){packet, size});
        used += size;
        r->moved++;
    }
    if (answers > 0 && !r->failed)
        load_conn_send(r, c, r->out, answers);
    return used;
}
