#include "load/load_internal.h"

#include <stdio.h>

static const char *const folders[] = {
    [LOAD_FAN_IN] = "in",    [LOAD_FAN_OUT] = "out",  [LOAD_PAIRS] = "pair",
    [LOAD_SHARED] = "share", [LOAD_IDLE] = "waiting",
};

/* Runs do not meet: a session or a slow broker's rest of the run before has other topics. */
size_t load_topic(const struct load_run *r, size_t publisher, char out[64])
{
    return (size_t)snprintf(out, 64, "b%x/%s/%zu", r->id & 0xffff, folders[r->cfg->scenario],
                            publisher);
}

size_t load_filter(const struct load_run *r, size_t index, char out[64])
{
    unsigned run = r->id & 0xffff;
    const char *folder = folders[r->cfg->scenario];
    switch (r->cfg->scenario) {
    case LOAD_PAIRS:
    case LOAD_IDLE: return load_topic(r, index, out);
    case LOAD_SHARED: return (size_t)snprintf(out, 64, "$share/g%x/b%x/%s/+", run, run, folder);
    default: return (size_t)snprintf(out, 64, "b%x/%s/+", run, folder);
    }
}

static enum err plan_publisher(struct load_run *r, size_t i)
{
    struct load_publisher *p = &r->pubs[i];
    p->fan = r->cfg->scenario == LOAD_FAN_IN || r->cfg->scenario == LOAD_FAN_OUT ? r->subs_n : 1;
    if (r->subs_n == 0)
        p->fan = 0;
    load_share_init(&p->share, r->alloc);
    return load_make_pattern(r, i);
}

static enum err plan_subscriber(struct load_run *r, size_t i)
{
    struct load_subscriber *s = &r->subs[i];
    bool pair = r->cfg->scenario == LOAD_PAIRS;
    s->first = pair ? i : 0;
    s->count = pair ? 1 : r->pubs_n;
    if (r->cfg->scenario == LOAD_SHARED)
        s->last = mem_array(r->alloc, s->count, sizeof(*s->last));
    else
        s->orders = mem_array(r->alloc, s->count, sizeof(*s->orders));
    return s->last || s->orders ? ERR_OK : ERR_NOMEM;
}

enum err load_plan(struct load_run *r)
{
    const struct load_config *cfg = r->cfg;
    bool idle = cfg->scenario == LOAD_IDLE;
    r->pubs_n = idle ? 0 : cfg->publishers;
    r->subs_n = idle ? 0 : cfg->subscribers;
    r->conns_n = idle ? cfg->connections : r->pubs_n + r->subs_n;
    r->conns = mem_array(r->alloc, r->conns_n, sizeof(*r->conns));
    r->pubs = r->pubs_n ? mem_array(r->alloc, r->pubs_n, sizeof(*r->pubs)) : NULL;
    r->subs = r->subs_n ? mem_array(r->alloc, r->subs_n, sizeof(*r->subs)) : NULL;
    if (!r->conns || (r->pubs_n && !r->pubs) || (r->subs_n && !r->subs))
        return ERR_NOMEM;
    for (size_t i = 0; i < r->conns_n; i++) { /* the subscribers first: they have to be there */
        struct load_conn *c = &r->conns[i];
        c->fd = -1;
        c->index = (uint32_t)i;
        c->sub = i < r->subs_n ? &r->subs[i] : NULL;
        c->pub = i >= r->subs_n && !idle ? &r->pubs[i - r->subs_n] : NULL;
    }
    for (size_t i = 0; i < r->pubs_n; i++) {
        enum err err = plan_publisher(r, i);
        if (err)
            return err;
    }
    for (size_t i = 0; i < r->subs_n; i++) {
        enum err err = plan_subscriber(r, i);
        if (err)
            return err;
    }
    return ERR_OK;
}

void load_plan_free(struct load_run *r)
{
    struct alloc *a = r->alloc;
    for (size_t i = 0; r->pubs && i < r->pubs_n; i++) {
        load_share_fini(&r->pubs[i].share);
        mem_free(a, r->pubs[i].packet, r->pubs[i].packet_n);
    }
    for (size_t i = 0; r->subs && i < r->subs_n; i++) {
        mem_free(a, r->subs[i].orders, r->subs[i].count * sizeof(*r->subs[i].orders));
        mem_free(a, r->subs[i].last, r->subs[i].count * sizeof(*r->subs[i].last));
    }
    for (size_t i = 0; r->conns && i < r->conns_n; i++)
        load_conn_close(r, &r->conns[i]);
    mem_free(a, r->pubs, r->pubs_n * sizeof(*r->pubs));
    mem_free(a, r->subs, r->subs_n * sizeof(*r->subs));
    mem_free(a, r->conns, r->conns_n * sizeof(*r->conns));
    r->pubs = NULL;
    r->subs = NULL;
    r->conns = NULL;
}
