#include "load/load_internal.h"

#include <string.h>

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Messages on their way: delivered to all who get them, and acknowledged. */
static uint64_t on_their_way(const struct load_run *r, const struct load_publisher *p)
{
    uint64_t arrived = p->fan ? p->progress / p->fan : p->sent;
    if (r->cfg->qos > 0)
        arrived = smaller(arrived, p->acked);
    return p->sent - arrived;
}

/* Writes `n` messages into the scratch buffer; the time of message k is due_ns + k * step_ns. */
static void compose(struct load_run *r, struct load_publisher *p, uint64_t n, double due_ns,
                    double step_ns)
{
    uint8_t *at = r->out;
    for (uint64_t k = 0; k < n; k++, at += p->packet_n) {
        uint64_t number = p->sent + k;
        int64_t due = (int64_t)(due_ns + (double)k * step_ns);
        memcpy(at, p->packet, p->packet_n);
        memcpy(at + p->payload_at + 8, &number, 8);
        memcpy(at + p->payload_at + 16, &due, 8);
        if (r->cfg->qos > 0) {
            unsigned id = (unsigned)(number % LOAD_IDS) + 1;
            at[p->id_at] = (uint8_t)(id >> 8);
            at[p->id_at + 1] = (uint8_t)id;
        }
    }
}

/* What the broker does not take is sent later: its time runs from when it was due. */
static bool is_stuffed(const struct load_conn *c)
{
    return c->out_n - c->out_at >= LOAD_BUFFER;
}

static void send_batch(struct load_run *r, struct load_conn *c, uint64_t n, double due_ns,
                       double step_ns)
{
    struct load_publisher *p = c->pub;
    uint64_t most = LOAD_BUFFER / p->packet_n;
    while (n > 0 && !r->failed && !is_stuffed(c)) {
        uint64_t now = smaller(n, most);
        compose(r, p, now, due_ns, step_ns);
        due_ns += (double)now * step_ns;
        n -= now;
        p->sent += now;
        r->sent += now;
        r->moved += now;
        load_conn_send(r, c, r->out, now * p->packet_n);
    }
}

/* Refilled when half of the window is free, so that batches stay batches. */
static void publish_closed(struct load_run *r, struct load_conn *c)
{
    uint64_t window = smaller(r->cfg->window, r->inflight), waiting = on_their_way(r, c->pub);
    if (waiting <= window / 2)
        send_batch(r, c, window - waiting, (double)load_now_ns(), 0);
}

/* Message j of publisher i is due at start + (j * publishers + i) / rate. */
static void publish_open(struct load_run *r, struct load_conn *c, double now)
{
    size_t i = (size_t)(c->pub - r->pubs);
    double between = 1e9 / r->cfg->rate, step = between * (double)r->pubs_n;
    double first = (double)r->start_ns + between * (double)i;
    if (now < first)
        return;
    uint64_t due = (uint64_t)((now - first) / step) + 1;
    if (due <= c->pub->sent)
        return;
    uint64_t n = due - c->pub->sent;
    if (r->cfg->qos > 0) /* ids that are free */
        n = smaller(n, r->inflight - smaller(r->inflight, c->pub->sent - c->pub->acked));
    send_batch(r, c, n, first + (double)c->pub->sent * step, step);
}

void load_publish(struct load_run *r)
{
    double now = (double)load_now_ns();
    for (size_t i = r->subs_n; i < r->conns_n && !r->failed; i++) {
        struct load_conn *c = &r->conns[i];
        if (r->cfg->rate > 0)
            publish_open(r, c, now);
        else if (c->out_n == 0)
            publish_closed(r, c);
    }
}

bool load_all_arrived(const struct load_run *r)
{
    for (size_t i = 0; i < r->pubs_n; i++)
        if (on_their_way(r, &r->pubs[i]) > 0)
            return false;
    return true;
}
