/* The ways in. With several workers each has a listening socket of its own on the port, so that the
 * kernel spreads who comes; a unix socket has one, and its clients are spread by moving. */
#include "protocol/mqtt_broker.h"

static void accepted(void *ctx, struct stream *stream)
{
    connection_new(ctx, stream, false);
}

void listener_arrived(void *ctx, struct stream *stream)
{
    const struct mqtt_gate *gate = ctx;
    if (stream)
        connection_new(gate, stream, true);
    else
        count_give(&gate->shard->server->connections);
}

struct mqtt_listener *connection_listener(const struct mqtt_connection *c)
{
    LIST_EACH(&c->shard->server->listeners, it)
    {
        struct mqtt_listener *l = CONTAINER_OF(it, struct mqtt_listener, link);
        if (l->number == c->listener)
            return l;
    }
    return NULL;
}

static size_t size_of(const struct mqtt_server *s)
{
    return sizeof(struct mqtt_listener) + s->shards_n * sizeof(struct mqtt_gate);
}

static void close_all(struct mqtt_listener *l)
{
    for (unsigned i = 0; i < l->server->shards_n; i++)
        listener_close(l->gates[i].socket);
    mem_free(l->server->alloc, l, size_of(l->server));
}

/* The first socket may be given a port by the system; the others take the same. */
static enum err open_all(struct mqtt_listener *l, struct error *e)
{
    struct listener_config lc = {.addr = l->cfg.addr, .accepted = accepted, .via = l->cfg.via};
    unsigned n = lc.addr.sa.sa_family == AF_UNIX ? 1 : l->server->shards_n;
    for (unsigned i = 0; i < n; i++) {
        struct mqtt_gate *gate = &l->gates[i];
        lc.ctx = gate;
        enum err err = listener_open(&gate->socket, gate->shard->worker, &lc, e);
        if (err)
            return err;
        lc.addr = *listener_addr(gate->socket);
    }
    return ERR_OK;
}

enum err mqtt_server_listen(struct mqtt_server *s, const struct mqtt_listen *cfg,
                            struct listener **out, struct error *e)
{
    struct mqtt_listener *l = mem_zero(s->alloc, size_of(s));
    server_started(s);
    if (!l || net_prepare(s->cfg.ex)) {
        mem_free(s->alloc, l, size_of(s));
        return error_set(e, ERR_NOMEM, "no memory for a listener");
    }
    l->server = s;
    l->number = s->listeners_n++;
    l->cfg = *cfg;
    for (unsigned i = 0; i < s->shards_n; i++)
        l->gates[i] = (struct mqtt_gate){.listener = l, .shard = s->shards[i]};
    enum err err = open_all(l, e);
    if (err) {
        close_all(l);
        return err;
    }
    list_add_tail(&s->listeners, &l->link);
    if (out)
        *out = l->gates[0].socket;
    return ERR_OK;
}

void mqtt_listeners_close(struct mqtt_server *s)
{
    LIST_EACH_SAFE(&s->listeners, it)
    {
        struct mqtt_listener *l = CONTAINER_OF(it, struct mqtt_listener, link);
        list_del(&l->link);
        close_all(l);
    }
}
