/* mqtt_client_fixture: a client against a script (tests/support/mqtt_script.h), with a log of its
 * callbacks; for the tests of this folder. */
#pragma once

#include "client/mqtt_client_internal.h"
#include "tests/support/mqtt_script.h"

#include <string.h>

#define HELLO5          "CONNECT v5 keep-alive=0 clean=1 id=c { session-expiry=0 max-size=1048576 }"
#define AGAIN5          "CONNECT v5 keep-alive=0 clean=0 id=c { session-expiry=9 max-size=1048576 }"
#define SESSION5        "CONNECT v5 keep-alive=0 clean=1 id=c { session-expiry=9 max-size=1048576 }"
#define ACCEPT5         "20 03 00 00 00"
#define PRESENT5        "20 03 01 00 00"
#define ACCEPT4         "20 02 00 00"
#define BYE             "DISCONNECT reason=00"
#define PUB(q, d, i, t) "PUBLISH qos=" q " dup=" d " retain=0 id=" i " topic=" t " payload=x"

/* One test: a script, a client, and what its callbacks saw. */
struct site {
    struct script script;
    struct mqtt_client *client;
    struct mqtt_client_config cfg;
    void (*online)(struct site *x);
    bool (*lost)(struct site *x, const struct mqtt_client_loss *loss);
    void (*answered)(struct site *x);
    struct strbuf log; /* one word for each event */
    unsigned onlines, losses, answers;
};

static inline void on_online(void *ctx, bool session_present)
{
    struct site *x = ctx;
    x->onlines++;
    strbuf_addf(&x->log, " online:%d", session_present);
    if (x->online)
        x->online(x);
}

static inline bool on_lost(void *ctx, const struct mqtt_client_loss *loss)
{
    struct site *x = ctx;
    x->losses++;
    strbuf_addf(&x->log, " lost:%s:%02x:%d", err_name(loss->err), loss->reason, loss->was_online);
    return x->lost ? x->lost(x, loss) : true;
}

static inline void on_message(void *ctx, const struct mqtt_publish *m)
{
    struct site *x = ctx;
    strbuf_addf(&x->log, " %.*s=%.*s", STR_FMT(m->topic), (int)m->payload.n,
                (const char *)m->payload.p);
}

static inline void on_ended(void *ctx)
{
    struct site *x = ctx;
    x->client = NULL;
    strbuf_adds(&x->log, " ended");
    script_client_ended(&x->script);
}

static inline void on_answer(void *ctx, enum err err, uint8_t reason)
{
    struct site *x = ctx;
    x->answers++;
    strbuf_addf(&x->log, " %s:%02x", err_name(err), reason);
    if (x->answered)
        x->answered(x);
}

static inline void site_open(struct site *x, const struct script_step *steps)
{
    memset(x, 0, sizeof(*x));
    script_open(&x->script, steps);
    strbuf_init(&x->log, alloc_system(), 0);
    x->cfg = (struct mqtt_client_config){
        .addr = *listener_addr(x->script.listener),
        .client_id = STR("c"),
        .backoff_min_ms = 1,
        .backoff_max_ms = 4,
        .ctx = x,
        .online = on_online,
        .message = on_message,
        .lost = on_lost,
        .ended = on_ended,
    };
}

static inline void site_run(struct site *x, const char *log)
{
    REQUIRE(CHECK_EQ_INT(mqtt_client_new(&x->client, x->script.worker, &x->cfg), ERR_OK));
    script_run(&x->script);
    CHECK_EQ_STR(x->log.p, log);
    strbuf_fini(&x->log);
}

static inline enum err publish(struct site *x, const char *topic, uint8_t qos)
{
    struct mqtt_publish m = {
        .topic = str_from(topic), .payload = {(const uint8_t *)"x", 1}, .qos = qos};
    return mqtt_client_publish(x->client, &m, (struct mqtt_done){on_answer, x});
}

static inline enum err subscribe(struct site *x, const char *filter, uint8_t options)
{
    return mqtt_client_subscribe(x->client, str_from(filter), options,
                                 (struct mqtt_done){on_answer, x});
}

static inline void stop(struct site *x)
{
    mqtt_client_stop(x->client);
}

static inline void stop_when_answered(struct site *x)
{
    if (mqtt_client_inflight(x->client) == 0)
        stop(x);
}

static inline bool give_up(struct site *x, const struct mqtt_client_loss *loss)
{
    (void)x;
    CHECK_EQ_UINT(loss->attempts, loss->was_online ? 0 : 1);
    return false;
}
