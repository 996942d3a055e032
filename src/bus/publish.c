/* publish: what happens to a publication on the worker where it comes from. */
#include "bus/bus_internal.h"

#include "async/worker_pools.h"
#include <stdio.h>
#include <string.h>

static enum err refuse(struct lane *l, struct bus_receipt *r, const char *why)
{
    lane_count(&l->denied, 1);
    if (why)
        (void)snprintf(r->why, sizeof(r->why), "%s", why);
    return ERR_DENIED;
}

static enum err may_publish(struct lane *l, const struct bus_publication *p,
                            const struct route *route, struct bus_receipt *r)
{
    if (route->guard && !(p->from && p->from->trusted)) {
        (void)refuse(l, r, route->guard_text);
        guard_denied(l, route->guard, p, r->why);
        return ERR_DENIED;
    }
    if (access_allows(l->bus, p->from, BUS_ACT_PUBLISH, p->topic, r->why))
        return ERR_OK;
    return refuse(l, r, r->why[0] ? NULL : "the access rules do not allow it");
}

/* One member of each share. */
static enum err pick(struct lane *l, const struct route *route, unsigned qos)
{
    l->picked.n = 0;
    for (uint32_t i = 0; i < route->groups_n; i++) {
        const struct route_member *m = group_pick(&route->groups[i], qos, NULL);
        if (!m)
            lane_count(&l->lost, 1);
        else if (!vec_push(l->bus->cfg.alloc, &l->picked, m))
            return ERR_NOMEM;
    }
    return ERR_OK;
}

static bool needs_journal(struct lane *l, const struct route *route,
                          const struct bus_publication *p)
{
    if (p->retain || (p->session && p->qos == 2))
        return true;
    if (p->qos)
        for (size_t i = 0; i < l->picked.n; i++)
            if (l->picked.v[i]->flags & SUB_STORED)
                return true;
    return route_needs_journal(l, route, p->qos, p->from ? p->from->id : 0);
}

/* Who gets it by shares goes into its record, so that a replay chooses as we did. */
static bool note_picks(struct lane *l, const struct route *route, struct message_origin *origin)
{
    struct alloc *a = l->bus->cfg.alloc;
    if (!route->groups_n || l->picked.n > MESSAGE_PICKS_MAX)
        return true;
    l->picks.n = 0;
    for (size_t i = 0; i < l->picked.n; i++) {
        const struct route_member *m = l->picked.v[i];
        struct pick_bytes pick;
        message_pick_put(pick.b, sub_group(m->sub)->key,
                         m->flags & SUB_STORED ? m->sub->more->stored_id : 0);
        if (!vec_push(a, &l->picks, pick))
            return false;
    }
    origin->picked = true;
    origin->picks =
        (struct bytes){(const uint8_t *)l->picks.v, l->picks.n * sizeof(struct pick_bytes)};
    return true;
}

static enum err append(struct lane *l, const struct bus_publication *p, const struct route *route,
                       struct message *m)
{
    struct bus *b = l->bus;
    struct message_head head;
    struct iovec parts[MESSAGE_PARTS];
    if (!b->cfg.journal)
        return ERR_OK;
    struct message_origin origin = {.publisher = p->from ? p->from->name : (struct str){NULL, 0},
                                    .session = p->will       ? p->will
                                               : p->qos == 2 ? p->session
                                                             : 0,
                                    .packet_id = p->packet_id};
    if (!note_picks(l, route, &origin))
        return ERR_NOMEM;
    unsigned n = message_record(m, &origin, &head, parts);
    return journal_append(b->cfg.journal, JOURNAL_MESSAGE, false, parts, n, &m->seq);
}

/* What is retained stays for long: it would only keep a worker's buffers from what comes and goes.
 */
static struct alloc *memory_for(struct lane *l, const struct bus_publication *p)
{
    const struct bus_config *cfg = &l->bus->cfg;
    if (cfg->messages)
        return cfg->messages;
    return p->retain || !worker_current() ? cfg->alloc : worker_buffers(l->worker);
}

static struct message *make(struct lane *l, const struct bus_publication *p)
{
    struct message *m = message_new(memory_for(l, p), p->topic, p->properties, p->payload);
    if (!m)
        return NULL;
    m->qos = p->qos;
    m->retain = p->retain;
    m->expiry_s = p->expiry_s;
    m->publisher = p->from ? p->from->id : 0;
    m->wall_ms = worker_now_ms(l->worker);
    return m;
}

/* Makes it, and stores what must be stored. Of an error but ERR_IO nothing is left. */
static enum err make_stored(struct lane *l, const struct bus_publication *p,
                            const struct route *route, struct message **out)
{
    struct message *m = *out = make(l, p);
    enum err err = !m ? ERR_NOMEM : needs_journal(l, route, p) ? append(l, p, route, m) : ERR_OK;
    if (err && err != ERR_IO) {
        message_unref(m);
        *out = NULL;
    }
    return err;
}

/* The same for what is retained: in the journal and in memory in one order. */
static enum err make_retained(struct lane *l, const struct bus_publication *p,
                              const struct route *route, struct message **out, char why[160])
{
    struct retained_store *store = &l->bus->retained;
    *out = NULL;
    enum err err = retained_begin(store, route->hash, p->topic, p->payload.n, why);
    if (err)
        return err;
    err = make_stored(l, p, route, out);
    retained_end(store, route->hash, *out);
    if (*out && store->track)
        retained_changed(l->bus);
    return err;
}

static void explain(const struct bus *b, struct bus_receipt *r, enum err err)
{
    bool no_room = err == ERR_IO && !journal_failed(b->cfg.journal, NULL);
    if (err == ERR_FULL && r->full == BUS_FULL_NOT)
        r->full = BUS_FULL_JOURNAL;
    if (!r->why[0])
        (void)snprintf(r->why, sizeof(r->why), "%s",
                       err == ERR_NOMEM  ? "no memory"
                       : err == ERR_FULL ? "the journal can take no more now"
                       : no_room         ? "the disk is full: it was delivered, but is not stored"
                       : err == ERR_IO   ? "the journal has failed"
                                         : "it is larger than the journal takes");
}

/* ---- where it goes ---- */

/* The other workers, and whether somebody who only looks is to see it. */
struct targets {
    uint64_t others, looking;
    bool look;
    struct job *job; /* it waits behind these here */
};

/* Not more often than the observers of the topic want, and not too many of all. */
static bool look_now(struct lane *l, const struct route *route)
{
    int64_t now_ns = worker_now_ns(l->worker);
    if (route->observed_ns && now_ns - route->observed_ns < (int64_t)route->every_ms * 1000000)
        return false;
    if (now_ns - l->look_from_ns >= 1000000000 || !l->look_from_ns) {
        l->look_from_ns = now_ns;
        l->looks = 0;
    }
    return l->looks < BUS_OBSERVED_MAX;
}

static uint64_t other_lanes(const struct lane *l)
{
    unsigned n = l->bus->workers;
    return (n == 64 ? UINT64_MAX : (1ull << n) - 1) & ~(1ull << l->index);
}

/* Of those that only look, the ones with room: nobody is held up for them. */
static uint64_t with_room(struct lane *l, uint64_t lanes)
{
    for (uint64_t left = lanes; left; left &= left - 1) {
        unsigned to = (unsigned)__builtin_ctzll(left);
        if (!ring_room(lane_ring(l, to), (uint32_t)l->picked.n + 1))
            lanes &= ~(1ull << to);
    }
    return lanes;
}

/* Where it goes; ERR_FULL: there is no room at one of them. */
static enum err aim(struct lane *l, const struct route *route, bool retain, struct bus_receipt *r,
                    struct targets *t)
{
    *t = (struct targets){.others = route->others,
                          .look = route->every_ms && look_now(l, route),
                          .job = job_of(l, route->hash, route->topic)};
    t->looking = t->look ? with_room(l, route->others_observe) : 0;
    uint64_t all = t->others;
    if (retain) /* somebody may subscribe on any worker until it is there: see spread() */
        all |= other_lanes(l);
    for (size_t i = 0; i < l->picked.n; i++)
        if (l->picked.v[i]->worker != l->index)
            all |= 1ull << l->picked.v[i]->worker;
    if ((!all || room_for(l, all, (uint32_t)l->picked.n + 1, route->hash)) &&
        (!t->job || room_behind(l, t->job)))
        return ERR_OK;
    r->full = BUS_FULL_ROOM;
    (void)snprintf(r->why, sizeof(r->why), "too much waits to be delivered");
    return ERR_FULL;
}

static void spread_others(struct lane *l, const struct route *route, const struct targets *t,
                          struct message *m)
{
    for (uint64_t left = t->others | t->looking; left; left &= left - 1) {
        unsigned to = (unsigned)__builtin_ctzll(left);
        bool looks = t->looking >> to & 1;
        const struct ring_entry e = {
            .message = m, .hash = route->hash, .kind = looks ? RING_LOOK : RING_TOPIC};
        lane_hand(l, to, &e);
    }
}

/* True if somebody gets it. */
static bool spread_picked(struct lane *l, const struct route_member *member, struct message *m)
{
    struct sub *x = member->sub;
    if (member->worker == l->index)
        return deliver_picked(l, x, m) || share_again(l, x->o.share_id, m, x->key.subscriber, 1);
    const struct ring_entry e = {.message = m, .sub = sub_ref(x), .kind = RING_SHARE};
    lane_hand(l, member->worker, &e);
    return true;
}

/* Behind what waits for the same topic; if there is no memory for that, after it. */
static uint32_t spread_own(struct lane *l, struct route *route, const struct targets *t,
                           struct message *m)
{
    if (t->job && job_behind(l, t->job, m, route->hash))
        return route->entries_n;
    if (t->job)
        job_finish(l, t->job);
    return job_begin(l, route, m);
}

static uint32_t spread(struct lane *l, struct route *route, const struct targets *t,
                       struct message *m)
{
    uint32_t matched = route->others_n;
    spread_others(l, route, t, m);
    if (route->entries_n)
        matched += spread_own(l, route, t, m);
    if (t->look) {
        route->observed_ns = worker_now_ns(l->worker);
        l->looks++;
        deliver_observers(l, route, m);
    }
    for (size_t i = 0; i < l->picked.n; i++)
        matched += spread_picked(l, l->picked.v[i], m);
    return matched;
}

/* Who subscribes looks at retained messages after it can be found; so after the message is there we
 * look once more who can be found, and one of the two sees the other. */
static uint32_t spread_retained(struct lane *l, struct route *before, struct targets *t,
                                struct message *m)
{
    struct route *route = route_find(l->view, before->topic, before->hash);
    if (!route)
        route = before; /* no memory */
    (void)route_hold(route);
    t->others = route->others;
    uint32_t matched = spread(l, route, t, m);
    route_release(l->view, route);
    return matched;
}

/* ---- all of it ---- */

static enum err prepare(struct lane *l, const struct bus_publication *p, const struct route *route,
                        struct bus_receipt *r, struct targets *t)
{
    enum err err = may_publish(l, p, route, r);
    if (!err)
        err = pick(l, route, p->qos);
    return err ? err : aim(l, route, p->retain, r, t);
}

enum err bus_publish(struct bus *b, const struct bus_publication *p, struct bus_receipt *r)
{
    struct lane *l = lane_here(b);
    struct message *m = NULL;
    struct targets t;
    ASSERT(!l->delivering); /* a subscriber that publishes does so at the end of its tick */
    r->seq = 0;
    r->matched = 0;
    r->full = BUS_FULL_NOT;
    r->why[0] = '\0';
    struct route *route = route_again(l->view, p->topic);
    if (!route)
        route = route_find(l->view, p->topic, routes_hash(b->routes, p->topic));
    enum err err = route ? prepare(l, p, route, r, &t) : ERR_NOMEM;
    if (!err)
        err = p->retain ? make_retained(l, p, route, &m, r->why) : make_stored(l, p, route, &m);
    if (err)
        explain(b, r, err);
    if (err && err != ERR_IO) {
        lane_count(&l->full, err == ERR_FULL);
        return err;
    }
    ASSERT(m);
    lane_count(&l->published, 1);
    r->seq = m->seq;
    (void)route_hold(route); /* while others may be looked for */
    r->matched = p->retain ? spread_retained(l, route, &t, m) : spread(l, route, &t, m);
    route_release(l->view, route);
    lane_bury(l);
    message_unref(m);
    return err;
}

/* ---- what is published next ---- */

bool bus_expects(struct bus *b)
{
    return route_expects(lane_here(b)->view);
}

void bus_expect(struct bus *b, const struct str *topics, size_t n)
{
    route_expect(lane_here(b)->view, topics, n < BUS_EXPECT_MAX ? n : BUS_EXPECT_MAX);
}
