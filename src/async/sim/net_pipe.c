#include "async/sim/sim_internal.h"
#include "base/map.h"
#include <errno.h>
#include <string.h>

enum { PIECES_OF_A_SEND = 4 };

static void arrival(struct env_event *ev);

bool pipe_init(struct net_socket *s)
{
    struct sim *sim = s->machine->sim;
    s->in.arrival.run = arrival;
    s->in.size = sim->cfg.net.window;
    s->in.ring = mem_new(sim->alloc, s->in.size);
    return s->in.ring != NULL;
}

void pipe_fini(struct net_socket *s)
{
    struct sim *sim = s->machine->sim;
    sim_cancel(sim, &s->in.arrival);
    mem_free(sim->alloc, s->in.ring, s->in.size);
    s->in.ring = NULL;
}

size_t pipe_room(const struct net_socket *to)
{
    return to->in.size - (size_t)(to->in.sent - to->in.read);
}

/* --- on its way --- */

/* When the next thing arrives that is on its way; -1: nothing is. Nothing overtakes what was sent
 * before: who comes too early waits behind it. */
static int64_t next_ns(const struct net_pipe *p)
{
    if (p->count)
        return p->piece[p->first].at_ns;
    return p->end && !p->ended ? p->end_at_ns : -1;
}

static void expect(struct net_socket *to)
{
    struct sim *s = to->machine->sim;
    int64_t at_ns = next_ns(&to->in);
    if (at_ns < 0 || to->silent || event_set(&to->in.arrival))
        return;
    sim_after(s, &to->in.arrival, at_ns > s->now_ns ? at_ns - s->now_ns : 0);
}

static int64_t arrives_at(struct net_socket *to)
{
    return to->machine->sim->now_ns + net_delay(to);
}

/* Without room for one more piece it arrives together with the last. */
static void add_piece(struct net_socket *to, size_t n)
{
    struct net_pipe *p = &to->in;
    int64_t at_ns = arrives_at(to);
    to->machine->sim->stats.pieces++;
    if (p->count == NET_PIECES) {
        struct net_piece *last = &p->piece[(p->first + p->count - 1) % NET_PIECES];
        last->n += n;
        last->at_ns = at_ns;
        return;
    }
    p->piece[(p->first + p->count++) % NET_PIECES] = (struct net_piece){at_ns, n};
}

static void cut_up(struct net_socket *to, size_t n)
{
    struct random *r = &to->machine->sim->net;
    for (int i = 1; n > 0; i++) {
        bool whole = i == PIECES_OF_A_SEND || random_below(r, 2);
        size_t part = whole ? n : 1 + (size_t)random_below(r, n);
        add_piece(to, part);
        n -= part;
    }
}

size_t pipe_put(struct net_socket *to, const uint8_t *p, size_t n)
{
    struct net_pipe *pipe = &to->in;
    size_t room = pipe_room(to);
    n = n < room ? n : room;
    if (n == 0)
        return 0;
    size_t at = (size_t)pipe->sent & (pipe->size - 1);
    size_t front = pipe->size - at < n ? pipe->size - at : n;
    memcpy(pipe->ring + at, p, front);
    memcpy(pipe->ring, p + front, n - front);
    pipe->sent += n;
    to->machine->sim->stats.bytes += n;
    sim_trace_add(to->machine->sim, p, n);
    cut_up(to, n);
    expect(to);
    return n;
}

void pipe_end(struct net_socket *to, enum net_end end)
{
    struct net_pipe *p = &to->in;
    if (p->ended || p->end >= end)
        return; /* a reset may follow the orderly end, not the other way round */
    p->end = end;
    p->end_at_ns = arrives_at(to);
    expect(to);
}

/* --- there --- */

static void arrival(struct env_event *ev)
{
    struct net_socket *to = CONTAINER_OF(ev, struct net_socket, in.arrival);
    struct net_pipe *p = &to->in;
    struct sim *s = to->machine->sim;
    if (to->silent)
        return;
    if (!net_reachable(to->machine, to->peer_machine)) {
        sim_after(s, ev, s->cfg.net.retransmit_ns);
        return;
    }
    while (p->count && p->piece[p->first].at_ns <= s->now_ns) {
        p->arrived += p->piece[p->first].n;
        p->first = (p->first + 1) % NET_PIECES;
        p->count--;
    }
    if (!p->count && p->end && p->end_at_ns <= s->now_ns && !p->ended) {
        p->ended = true;
        if (p->end == NET_END_RESET) {
            net_failed(to, ECONNRESET);
            return;
        }
    }
    expect(to);
    driver_readable(to);
}

size_t pipe_look(const struct net_socket *s, const uint8_t **p)
{
    const struct net_pipe *pipe = &s->in;
    size_t at = (size_t)pipe->read & (pipe->size - 1);
    size_t n = (size_t)(pipe->arrived - pipe->read);
    *p = pipe->ring + at;
    return n < pipe->size - at ? n : pipe->size - at;
}

void pipe_consume(struct net_socket *s, size_t n)
{
    struct net_socket *sender = s->other;
    s->in.read += n;
    ASSERT(s->in.read <= s->in.arrived);
    if (sender && sender->writer && !event_set(&sender->room))
        sim_after(s->machine->sim, &sender->room, net_delay(s));
}
