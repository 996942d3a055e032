#include "base/map.h"
#include "client/mqtt_client_internal.h"

#include <string.h>

/* With all of them under way there is an id left for the next. */
enum { INFLIGHT_MOST = 32768, SUBSCRIPTIONS_MOST = MQTT_IDS - INFLIGHT_MOST };

static void set_defaults(struct mqtt_client_config *cfg)
{
    cfg->alloc = cfg->alloc ? cfg->alloc : alloc_system();
    cfg->version = cfg->version ? cfg->version : MQTT_V5;
    cfg->inflight_max = cfg->inflight_max ? cfg->inflight_max : 64;
    cfg->inflight_max = cfg->inflight_max < INFLIGHT_MOST ? cfg->inflight_max : INFLIGHT_MOST;
    cfg->subscriptions_max = cfg->subscriptions_max ? cfg->subscriptions_max : 64;
    if (cfg->subscriptions_max > SUBSCRIPTIONS_MOST)
        cfg->subscriptions_max = SUBSCRIPTIONS_MOST;
    cfg->packet_max = cfg->packet_max ? cfg->packet_max : 1 << 20;
    if (!cfg->inflight_bytes_max) /* at least one has room */
        cfg->inflight_bytes_max = cfg->packet_max > 1 << 20 ? cfg->packet_max : 1 << 20;
    cfg->connect_timeout_ms = cfg->connect_timeout_ms ? cfg->connect_timeout_ms : 10000;
    cfg->backoff_min_ms = cfg->backoff_min_ms ? cfg->backoff_min_ms : 250;
    cfg->backoff_max_ms = cfg->backoff_max_ms ? cfg->backoff_max_ms : 30000;
}

/* CONNECT's properties: what `props` says, and what has a field of its own. */
static struct mqtt_props hello_props(const struct mqtt_client_config *cfg)
{
    struct mqtt_props p = cfg->props ? *cfg->props : (struct mqtt_props){0};
    p.has |= MQTT_HAS(MQTT_PROP_SESSION_EXPIRY) | MQTT_HAS(MQTT_PROP_MAXIMUM_PACKET_SIZE);
    p.session_expiry_s = cfg->session_expiry_s;
    p.maximum_packet_size = (uint32_t)cfg->packet_max;
    p.receive_max = cfg->receive_max;
    p.has &= ~MQTT_HAS(MQTT_PROP_RECEIVE_MAX);
    if (cfg->receive_max)
        p.has |= MQTT_HAS(MQTT_PROP_RECEIVE_MAX);
    if (cfg->auth_method.n > 0) {
        p.has |= MQTT_HAS(MQTT_PROP_AUTH_METHOD);
        p.has &= ~MQTT_HAS(MQTT_PROP_AUTH_DATA); /* each connection has its own */
        p.auth_method = cfg->auth_method;
    }
    return p;
}

static struct mqtt_packet hello_packet(const struct mqtt_client_config *cfg)
{
    struct mqtt_packet p = {.type = MQTT_CONNECT};
    p.connect = (struct mqtt_connect){
        .version = cfg->version,
        .clean_start = !cfg->persistent,
        .has_user = cfg->has_user,
        .user = cfg->user,
        .has_password = cfg->has_password,
        .password = cfg->password,
        .keep_alive_s = cfg->keep_alive_s,
        .client_id = cfg->client_id,
        .props = hello_props(cfg),
    };
    if (cfg->will) {
        p.connect.has_will = true;
        p.connect.will_topic = cfg->will->topic;
        p.connect.will_payload = cfg->will->payload;
        p.connect.will_qos = cfg->will->qos;
        p.connect.will_retain = cfg->will->retain;
        p.connect.will_props = cfg->will->props;
    }
    return p;
}

/* CONNECT as configured is kept encoded: the one copy of all that the configuration points to. */
static enum err keep_hello(struct mqtt_client *c)
{
    const struct mqtt_client_config *cfg = &c->cfg;
    struct mqtt_packet p = hello_packet(cfg);
    c->hello_n = mqtt_encoded_size(cfg->version, &p);
    if (c->hello_n == 0)
        return ERR_INVALID;
    c->hello = mem_new(cfg->alloc, c->hello_n);
    if (!c->hello)
        return ERR_NOMEM;
    struct writer w = writer_from(c->hello, c->hello_n);
    enum err err = mqtt_encode(cfg->version, &p, &w);
    struct mqtt_decoder d = {.is_server = true};
    size_t used;
    if (err || mqtt_decode(&d, (struct bytes){c->hello, c->hello_n}, &p, &used) != MQTT_OK)
        return ERR_INVALID; /* text that no server takes */
    c->connect = p.connect;
    return ERR_OK;
}

/* What is borrowed is forgotten; `connect` has it. */
static void forget_borrowed(struct mqtt_client_config *cfg)
{
    cfg->will = NULL;
    cfg->props = NULL;
    cfg->others = NULL;
    cfg->host = (struct str){0};
    cfg->user = cfg->client_id = cfg->auth_method = (struct str){0};
    cfg->password = (struct bytes){0};
}

static enum err check(const struct mqtt_client_config *cfg)
{
    bool v5 = cfg->version == MQTT_V5;
    if (!v5 && cfg->version != MQTT_V311 && cfg->version != MQTT_V31)
        return ERR_INVALID;
    if (cfg->packet_max > 268435460 || cfg->backoff_min_ms > cfg->backoff_max_ms ||
        (cfg->auth_method.n > 0 && (!v5 || !cfg->auth)))
        return ERR_INVALID;
    return cfg->topic_aliases > ALIASES_MAX || cfg->others_n >= ADDRS_MAX ? ERR_RANGE : ERR_OK;
}

static enum err open_pool(struct mqtt_client *c)
{
    c->pool = c->cfg.pool;
    if (c->pool)
        return ERR_OK;
    c->own_pool = true;
    return conn_pool_new(&c->pool, c->worker,
                         &(struct conn_pool_config){.per_addr_max = 1,
                                                    .total_max = 1,
                                                    .waiting_max = 1,
                                                    .idle_ms = -1,
                                                    .connect_ms = c->cfg.connect_timeout_ms,
                                                    .via = c->cfg.via});
}

void client_free(struct mqtt_client *c)
{
    struct alloc *a = c->cfg.alloc;
    if (c->own_pool)
        conn_pool_close(c->pool);
    if (c->hello) /* the password is in it */
        explicit_bzero(c->hello, c->hello_n);
    mem_free(a, c->hello, c->hello_n);
    mem_free(a, c->bye, c->bye_n);
    host_forget(c);
    mem_free(a, c->host, c->host ? c->host_n + 1 : 0);
    mem_free(a, c->assigned_id, c->assigned_id_n);
    mem_free(a, c->received, RECEIVED_BYTES);
    aliases_fini(c);
    mem_free(a, c, sizeof(*c));
}

enum err mqtt_client_new(struct mqtt_client **out, struct worker *w,
                         const struct mqtt_client_config *cfg)
{
    struct mqtt_client_config full = *cfg;
    set_defaults(&full);
    enum err err = check(&full);
    if (err)
        return err;
    struct mqtt_client *c = mem_zero(full.alloc, sizeof(*c));
    if (!c)
        return ERR_NOMEM;
    c->cfg = full;
    c->worker = w;
    err = open_pool(c);
    if (!err)
        err = host_keep(c, &full);
    if (!err)
        err = keep_hello(c);
    if (err) {
        client_free(c);
        return err;
    }
    forget_borrowed(&c->cfg);
    list_init(&c->flights);
    c->unsent = &c->flights;
    list_init(&c->subs);
    uint64_t seed = executor_env(worker_executor(w))->seed;
    random_seed(&c->random, hash_bytes(c->connect.client_id.p, c->connect.client_id.n, seed));
    timer_init(&c->timer, w, client_timer_fired);
    task_init(&c->task, PART, client_poll, client_finished);
    conn_request_init(&c->request, &c->task);
    task_spawn(w, &c->task);
    *out = c;
    return ERR_OK;
}

uint16_t mqtt_client_port(bool tls, bool websocket)
{
    if (websocket)
        return tls ? 443 : 80;
    return tls ? 8883 : 1883;
}
