/* guard: who guards a topic is told of those who tried, on its own worker. */
#include "bus/bus_internal.h"

#include <string.h>

static void tell(struct sub *guard, const struct bus_denial *d)
{
    struct subscriber *s = guard->key.subscriber;
    if (!guard->o.gone && s->denied)
        s->denied(s, d);
}

/* A denial on its way to another worker. */
struct denial_post {
    struct post post;
    struct bus *bus;
    struct sub *guard;
    struct bus_denial denial;
    size_t size;
    char text[];
};

static void arrived(struct post *p)
{
    struct denial_post *x = CONTAINER_OF(p, struct denial_post, post);
    tell(x->guard, &x->denial);
    sub_unref(x->bus->routes, x->guard);
    mem_free(x->bus->cfg.alloc, x, x->size);
}

static struct str keep(char **at, struct str s)
{
    struct str kept = {*at, s.n};
    if (s.n)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return kept;
}

/* Without memory the owner does not hear of it; the publisher is refused all the same. */
static void send(struct bus *b, struct sub *guard, const struct bus_denial *d)
{
    size_t why_n = strlen(d->why) + 1;
    size_t size = sizeof(struct denial_post) + d->topic.n + d->name.n + d->user.n + why_n;
    struct denial_post *x = mem_zero(b->cfg.alloc, size);
    if (!x)
        return;
    char *at = x->text;
    x->bus = b;
    x->guard = sub_ref(guard);
    x->size = size;
    x->denial = (struct bus_denial){.topic = keep(&at, d->topic),
                                    .name = keep(&at, d->name),
                                    .user = keep(&at, d->user),
                                    .wall_ms = d->wall_ms,
                                    .empty = d->empty};
    x->denial.why = keep(&at, (struct str){d->why, why_n}).p;
    worker_post(b->lanes[guard->o.worker].worker, &x->post, "denial", arrived);
}

void guard_denied(struct lane *l, struct sub *guard, const struct bus_publication *p,
                  const char *why)
{
    const struct bus_denial d = {.topic = p->topic,
                                 .name = p->from ? p->from->name : (struct str){NULL, 0},
                                 .user = p->from ? p->from->user : (struct str){NULL, 0},
                                 .why = why,
                                 .wall_ms = worker_now_ms(l->worker),
                                 .empty = !p->payload.n};
    if (guard->o.worker == l->index)
        tell(guard, &d);
    else
        send(l->bus, guard, &d);
}
