#include "mqttlib/mqttlib_internal.h"

#include <string.h>

#include <sedge/rt.h>

enum { RECEIVE_MAX = 256, KEEP_ALIVE_S = 60 };

static uint16_t port_of(const struct sedge_mqtt_config *k, bool tls)
{
    return k->port ? k->port : mqtt_client_port(tls, k->ws_path != NULL);
}

/* --- layers -------------------------------------------------------------------------------- */

static enum err keep_text(struct sedge_mqtt *c, const char *text, char **to, size_t *size)
{
    if (!text)
        return ERR_OK;
    *to = str_dup(c->alloc, str_from(text));
    *size = strlen(text) + 1;
    return *to ? ERR_OK : ERR_NOMEM;
}

static enum err open_layers(struct sedge_mqtt *c, const struct sedge_mqtt_config *k, bool tls,
                            struct error *e)
{
    if (keep_text(c, k->host ? k->host : "127.0.0.1", &c->host, &c->host_size) ||
        keep_text(c, k->ws_path, &c->ws_path, &c->ws_path_size))
        return error_set(e, ERR_NOMEM, "no memory for a client");
    if (tls) {
        struct tls_config tc = {.ex = worker_executor(c->worker),
                                .alloc = c->alloc,
                                .identities_n = k->cert != NULL,
                                .ca = k->ca,
                                .insecure = k->insecure,
                                .tls_1_2 = k->tls_1_2};
        tc.identities[0] = (struct tls_identity){k->cert, k->key};
        enum err err = tls_new(&c->tls, &tc, e);
        if (err)
            return err;
    }
    c->websocket.path = c->ws_path;
    c->via = stream_via_make(c->tls, c->ws_path ? &c->websocket : NULL, c->host);
    return ERR_OK;
}

/* --- the house's configuration ------------------------------------------------------------- */

/* What it borrows that is not in the user's memory. */
struct borrowed {
    struct strbuf raw, will_raw;
    struct mqtt_props props;
    struct mqtt_publish will;
};

static struct mqtt_client_config house_config(struct sedge_mqtt *c,
                                              const struct sedge_mqtt_config *k, struct borrowed *b)
{
    struct mqtt_client_config h = {
        .alloc = c->alloc,
        .host = str_from(c->host),
        .port = port_of(k, c->tls),
        .via = c->via.layers[0] ? &c->via : NULL,
        .version = k->version ? (enum mqtt_version)k->version : MQTT_V5,
        .client_id = str_from(k->client_id),
        .has_user = k->user != NULL,
        .has_password = k->password != NULL,
        .user = str_from(k->user),
        .password = {(const uint8_t *)k->password, str_from(k->password).n},
        .persistent = k->persistent,
        .session_expiry_s = k->session_expiry_s,
        .keep_alive_s = k->no_keep_alive  ? 0
                        : k->keep_alive_s ? k->keep_alive_s
                                          : KEEP_ALIVE_S,
        .props = &b->props,
        .topic_aliases = k->aliases,
        .auth_method = str_from(k->auth_method),
        .auth = k->auth ? mqtt_on_auth : NULL,
        .receive_max = (uint16_t)c->receive_max,
        .inflight_max = k->inflight_max,
        .inflight_bytes_max = k->inflight_bytes,
        .subscriptions_max = k->subscriptions_max,
        .packet_max = k->packet_max,
        .connect_timeout_ms = k->connect_ms,
        .backoff_min_ms = k->backoff_min_ms,
        .backoff_max_ms = k->backoff_max_ms,
        .ctx = c,
        .online = mqtt_on_online,
        .message = mqtt_on_message,
        .acks_by_hand = true,
        .lost = mqtt_on_lost,
        .ended = mqtt_on_ended,
    };
    return h;
}

static enum err begin(struct sedge_mqtt *c, const struct sedge_mqtt_config *k, struct borrowed *b,
                      struct error *e)
{
    struct mqtt_client_config h = house_config(c, k, b);
    enum err err = pairs_out(k->user_properties, k->user_properties_n, &b->raw);
    b->props.raw = (struct bytes){(const uint8_t *)b->raw.p, b->raw.n};
    if (!err && k->will) {
        err = message_out(k->will, &b->will_raw, &b->will);
        h.will = &b->will;
    }
    if (!err && !k->message) {
        err = chan_init(&c->inbox, c->alloc, sizeof(struct lib_message *), 2 * c->receive_max,
                        REACH_WORKER);
        c->has_inbox = !err;
    }
    if (!err)
        err = mqtt_client_new(&c->client, c->worker, &h);
    if (err)
        return error_set(e, err, "this configuration makes no client: %s", err_name(err));
    return ERR_OK;
}

static enum err check(const struct sedge_mqtt_config *k, struct error *e)
{
    for (size_t i = 0; i < ARRAY_LEN(k->reserved); i++)
        if (k->reserved[i])
            return error_set(e, ERR_INVALID, "what is reserved in a configuration must be NULL");
    if (!worker_current())
        return error_set(e, ERR_INVALID, "a client belongs to a worker");
    if (!k->cert != !k->key)
        return error_set(e, ERR_INVALID, "a certificate needs its key");
    if (!k->auth_method != !k->auth)
        return error_set(e, ERR_INVALID, "a method of authentication needs its function");
    return ERR_OK;
}

static enum err init(struct sedge_mqtt *c, const struct sedge_mqtt_config *k, struct error *e)
{
    bool tls = k->tls || k->ca || k->cert || k->insecure || k->tls_1_2;
    struct borrowed b = {0};
    c->worker = worker_current();
    c->calls = (struct sedge_mqtt_config){.ctx = k->ctx,
                                          .online = k->online,
                                          .lost = k->lost,
                                          .message = k->message,
                                          .ended = k->ended,
                                          .auth = k->auth};
    c->receive_max = k->receive_max ? k->receive_max : RECEIVE_MAX;
    list_init(&c->awaiters);
    strbuf_init(&b.raw, c->alloc, 1 << 24);
    strbuf_init(&b.will_raw, c->alloc, 1 << 24);
    enum err err = open_layers(c, k, tls, e);
    if (!err)
        err = begin(c, k, &b, e);
    strbuf_fini(&b.raw);
    strbuf_fini(&b.will_raw);
    return err;
}

enum err mqtt_new(struct sedge_mqtt **out, struct alloc *a, const struct sedge_mqtt_config *config,
                  struct error *e)
{
    static const struct sedge_mqtt_config all_zero;
    const struct sedge_mqtt_config *k = config ? config : &all_zero;
    *out = NULL;
    enum err err = check(k, e);
    if (err)
        return err;
    struct sedge_mqtt *c = mem_zero(a, sizeof(*c));
    if (!c)
        return error_set(e, ERR_NOMEM, "no memory for a client");
    c->alloc = a;
    err = init(c, k, e);
    if (err)
        mqtt_dispose(c);
    else
        *out = c;
    return err;
}

void mqtt_dispose(struct sedge_mqtt *c)
{
    struct lib_message *l;
    while (c->has_inbox && chan_try_recv(&c->inbox, &l) == ERR_OK)
        message_free(l);
    if (c->has_inbox)
        chan_fini(&c->inbox);
    tls_free(c->tls);
    mem_free(c->alloc, c->host, c->host_size);
    mem_free(c->alloc, c->ws_path, c->ws_path_size);
    mem_free(c->alloc, c->id, c->id_size);
    mem_free(c->alloc, c, sizeof(*c));
}

void mqtt_settle(struct sedge_mqtt *c)
{
    if (c->orphan && !c->client && c->inside == 0)
        mqtt_dispose(c);
}
