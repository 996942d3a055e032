#include "protocol/mqtt_broker.h"

static void accepted(void *ctx, struct stream *stream)
{
    connection_new(ctx, stream);
}

enum err mqtt_server_listen(struct mqtt_server *s, const struct mqtt_listen *cfg,
                            struct listener **out, struct error *e)
{
    struct mqtt_listener *l = mem_zero(s->alloc, sizeof(*l));
    server_started(s);
    if (!l)
        return error_set(e, ERR_NOMEM, "no memory for a listener");
    l->shard = s->shards[0];
    l->cfg = *cfg;
    const struct listener_config lc = {.addr = cfg->addr, .accepted = accepted, .ctx = l};
    enum err err = listener_open(&l->listener, l->shard->worker, &lc, e);
    if (err) {
        mem_free(s->alloc, l, sizeof(*l));
        return err;
    }
    list_add_tail(&s->listeners, &l->link);
    if (out)
        *out = l->listener;
    return ERR_OK;
}

void mqtt_listeners_close(struct mqtt_server *s)
{
    LIST_EACH_SAFE(&s->listeners, it)
    {
        struct mqtt_listener *l = CONTAINER_OF(it, struct mqtt_listener, link);
        list_del(&l->link);
        listener_close(l->listener);
        mem_free(s->alloc, l, sizeof(*l));
    }
}
