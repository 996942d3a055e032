#include "mqttlib/mqttlib_internal.h"

#include <stdio.h>
#include <string.h>

#define SAME(outer, inner) _Static_assert((int)(outer) == (int)(inner), #outer)
SAME(SEDGE_MQTT_3_1, MQTT_V31);
SAME(SEDGE_MQTT_3_1_1, MQTT_V311);
SAME(SEDGE_MQTT_5, MQTT_V5);
SAME(SEDGE_MQTT_AUTH_START, MQTT_AUTH_START);
SAME(SEDGE_MQTT_AUTH_CONTINUE, MQTT_AUTH_CONTINUE);
SAME(SEDGE_MQTT_AUTH_DONE, MQTT_AUTH_DONE);

/* --- the house calls ----------------------------------------------------------------------- */

void mqtt_on_online(void *ctx, bool session_present)
{
    struct sedge_mqtt *c = ctx;
    mqtt_wake_all(c);
    if (c->calls.online)
        c->calls.online(c->calls.ctx, session_present);
}

/* "cannot connect: Connection refused": what happened, and why if that is known. */
static void explain(char *text, size_t size, const struct mqtt_client_loss *loss)
{
    char buf[64];
    const char *why = loss->problem;
    if (!why[0] && loss->os_errno)
        why = strerror_r(loss->os_errno, buf, sizeof(buf));
    (void)snprintf(text, size, "%s%s%s", loss->text, why[0] ? ": " : "", why);
}

bool mqtt_on_lost(void *ctx, const struct mqtt_client_loss *loss)
{
    struct sedge_mqtt *c = ctx;
    char text[256];
    explain(text, sizeof(text), loss);
    struct sedge_mqtt_loss shown = {
        /* That the peer broke the protocol is the house's number only. */
        .err = loss->err == ERR_PROTOCOL ? SEDGE_ERR_INVALID : err_public(loss->err),
        .reason = loss->reason,
        .text = text,
        .was_online = loss->was_online,
        .attempts = loss->attempts,
    };
    return !c->calls.lost || c->calls.lost(c->calls.ctx, &shown);
}

/* Where it waits for sedge_mqtt_recv(). QoS 0 may fill half of the room, so that the rest is there
 * for what the server counts. It can be full all the same, when connections come and go: what was
 * not acknowledged on one comes again on the next. */
static void keep(struct sedge_mqtt *c, struct lib_message *l)
{
    bool too_many = l->m.qos == 0 && chan_len(&c->inbox) >= c->receive_max;
    if (!too_many && chan_try_send(&c->inbox, &l) == ERR_OK)
        return;
    struct mqtt_receipt r = l->receipt;
    c->dropped += r.qos == 0;
    message_free(l);
    mqtt_client_refuse(c->client, r);
}

void mqtt_on_message(void *ctx, const struct mqtt_publish *m)
{
    struct sedge_mqtt *c = ctx;
    struct lib_message *l = message_in(c, m);
    if (!l) {
        c->dropped += m->qos == 0;
        mqtt_client_refuse(c->client, mqtt_client_receipt(c->client, m));
        return;
    }
    if (c->has_inbox) {
        keep(c, l);
        return;
    }
    struct mqtt_receipt r = l->receipt;
    c->calls.message(c->calls.ctx, &l->m);
    message_free(l);
    mqtt_client_ack(c->client, r, MQTT_RC_SUCCESS);
}

void mqtt_on_ended(void *ctx)
{
    struct sedge_mqtt *c = ctx;
    c->client = NULL;
    if (c->has_inbox)
        chan_close(&c->inbox);
    mqtt_wake_all(c);
    void (*ended)(void *) = c->calls.ended;
    void *user = c->calls.ctx;
    mqtt_settle(c);
    if (ended)
        ended(user);
}

enum err mqtt_on_auth(void *ctx, enum mqtt_auth_step step, struct bytes in, struct strbuf *out)
{
    struct sedge_mqtt *c = ctx;
    uint8_t data[SEDGE_MQTT_AUTH_MAX];
    size_t n = sizeof(data);
    enum sedge_err err =
        c->calls.auth(c->calls.ctx, (enum sedge_mqtt_auth_step)step, in.p, in.n, data, &n);
    if (err)
        return ERR_DENIED;
    ASSERT(n <= sizeof(data));
    strbuf_add(out, data, n);
    return ERR_OK;
}

/* --- its life ------------------------------------------------------------------------------ */

enum sedge_err sedge_mqtt_new(struct sedge_mqtt **out, const struct sedge_mqtt_config *config,
                              struct sedge_error *error)
{
    struct error e = {0};
    enum err err = mqtt_new(out, alloc_system(), config, &e);
    if (err)
        error_public(error, &e);
    return err_public(err);
}

void sedge_mqtt_stop(struct sedge_mqtt *client)
{
    if (client->client)
        mqtt_client_stop(client->client);
}

void sedge_mqtt_stop_with_will(struct sedge_mqtt *client)
{
    struct mqtt_end end = {.reason = MQTT_RC_DISCONNECT_WITH_WILL};
    if (client->client && mqtt_client_stop_with(client->client, &end) != ERR_OK)
        mqtt_client_stop(client->client);
}

static bool has_ended(const struct sedge_mqtt *c)
{
    return !c->client;
}

void sedge_mqtt_free(struct sedge_mqtt *client)
{
    if (!client)
        return;
    sedge_mqtt_stop(client);
    if (client->client && co_current()) {
        co_shield_begin();
        enum err err = mqtt_wait(client, has_ended, -1);
        co_shield_end();
        ASSERT(err == ERR_OK);
    }
    client->orphan = true;
    mqtt_settle(client);
}

bool sedge_mqtt_online(const struct sedge_mqtt *client)
{
    return client->client && mqtt_client_online(client->client);
}

static bool has_come(const struct sedge_mqtt *c)
{
    return !c->client || mqtt_client_online(c->client);
}

enum sedge_err sedge_mqtt_await_online(struct sedge_mqtt *client, int64_t timeout_ms)
{
    client->inside++;
    enum err err = mqtt_wait(client, has_come, timeout_ms);
    err = !err && !client->client ? ERR_CLOSED : err;
    client->inside--;
    mqtt_settle(client);
    return err_public(err);
}

const char *sedge_mqtt_client_id(const struct sedge_mqtt *client)
{
    struct sedge_mqtt *c = (struct sedge_mqtt *)(uintptr_t)client;
    struct str id = c->client ? mqtt_client_id(c->client) : (struct str){0};
    if (id.n == 0)
        return c->id ? c->id : "";
    if (!c->id) { /* it does not change once it is there */
        c->id = str_dup(c->alloc, id);
        c->id_size = id.n + 1;
    }
    return c->id ? c->id : "";
}

const char *sedge_mqtt_reason(uint8_t reason)
{
    return mqtt_reason_name(reason);
}

uint64_t sedge_mqtt_dropped(const struct sedge_mqtt *client)
{
    return client->dropped;
}

/* --- publishing ---------------------------------------------------------------------------- */

static enum err publish(struct sedge_mqtt *c, const struct sedge_mqtt_message *m,
                        struct mqtt_done done)
{
    struct mqtt_publish out;
    struct strbuf raw;
    if (!c->client)
        return ERR_CLOSED;
    strbuf_init(&raw, c->alloc, 1 << 24);
    enum err err = message_out(m, &raw, &out);
    if (!err)
        err = mqtt_client_publish(c->client, &out, done);
    strbuf_fini(&raw);
    return err;
}

enum sedge_err sedge_mqtt_publish(struct sedge_mqtt *client, const struct sedge_mqtt_message *m,
                                  uint8_t *reason, int64_t timeout_ms)
{
    if (reason)
        *reason = 0;
    if (m->qos == 0)
        return err_public(publish(client, m, (struct mqtt_done){0}));
    struct answer *a = answer_new(client);
    if (!a)
        return SEDGE_ERR_NOMEM;
    enum err err = publish(client, m, answer_done(a));
    if (!err)
        return err_public(answer_await(a, reason, timeout_ms));
    answer_free(a);
    return err_public(err);
}

enum sedge_err sedge_mqtt_publish_then(struct sedge_mqtt *client,
                                       const struct sedge_mqtt_message *m,
                                       void (*done)(void *ctx, enum sedge_err err, uint8_t reason),
                                       void *ctx)
{
    struct mqtt_done d;
    enum err err = then_new(client, m->qos > 0 ? done : NULL, ctx, &d);
    if (!err && (err = publish(client, m, d)))
        then_free(d);
    return err_public(err);
}

/* --- subscribing --------------------------------------------------------------------------- */

static enum err subscribe(struct sedge_mqtt *c, const char *filter,
                          const struct sedge_mqtt_options *o, struct mqtt_done done)
{
    static const struct sedge_mqtt_options all_zero;
    o = o ? o : &all_zero;
    if (!c->client)
        return ERR_CLOSED;
    if (o->qos > 2 || o->retained > 2 || o->reserved[0] || o->reserved[1])
        return ERR_INVALID;
    unsigned options = o->qos | (unsigned)o->retained << 4;
    options |= o->no_local ? MQTT_SUB_NO_LOCAL : 0;
    options |= o->retain_as_published ? MQTT_SUB_RETAIN_AS_PUBLISHED : 0;
    struct mqtt_client_filter f = {
        .filter = str_from(filter), .options = (uint8_t)options, .id = o->id};
    return mqtt_client_subscribe_with(c->client, &f, done);
}

static enum err unsubscribe(struct sedge_mqtt *c, const char *filter, struct mqtt_done done)
{
    return c->client ? mqtt_client_unsubscribe(c->client, str_from(filter), done) : ERR_CLOSED;
}

enum sedge_err sedge_mqtt_subscribe(struct sedge_mqtt *client, const char *filter,
                                    const struct sedge_mqtt_options *options, uint8_t *reason,
                                    int64_t timeout_ms)
{
    struct answer *a = answer_new(client);
    if (!a)
        return SEDGE_ERR_NOMEM;
    enum err err = subscribe(client, filter, options, answer_done(a));
    if (!err)
        return err_public(answer_await(a, reason, timeout_ms));
    answer_free(a);
    return err_public(err);
}

enum sedge_err
sedge_mqtt_subscribe_then(struct sedge_mqtt *client, const char *filter,
                          const struct sedge_mqtt_options *options,
                          void (*done)(void *ctx, enum sedge_err err, uint8_t reason), void *ctx)
{
    struct mqtt_done d;
    enum err err = then_new(client, done, ctx, &d);
    if (!err && (err = subscribe(client, filter, options, d)))
        then_free(d);
    return err_public(err);
}

enum sedge_err sedge_mqtt_unsubscribe(struct sedge_mqtt *client, const char *filter,
                                      uint8_t *reason, int64_t timeout_ms)
{
    struct answer *a = answer_new(client);
    if (!a)
        return SEDGE_ERR_NOMEM;
    enum err err = unsubscribe(client, filter, answer_done(a));
    if (!err)
        return err_public(answer_await(a, reason, timeout_ms));
    answer_free(a);
    return err_public(err);
}

enum sedge_err
sedge_mqtt_unsubscribe_then(struct sedge_mqtt *client, const char *filter,
                            void (*done)(void *ctx, enum sedge_err err, uint8_t reason), void *ctx)
{
    struct mqtt_done d;
    enum err err = then_new(client, done, ctx, &d);
    if (!err && (err = unsubscribe(client, filter, d)))
        then_free(d);
    return err_public(err);
}

/* --- receiving ----------------------------------------------------------------------------- */

enum sedge_err sedge_mqtt_recv(struct sedge_mqtt *client, struct sedge_mqtt_message **out,
                               int64_t timeout_ms)
{
    struct lib_message *l = NULL;
    *out = NULL;
    if (!client->has_inbox)
        return SEDGE_ERR_INVALID;
    client->inside++;
    enum err err = chan_recv_timed(&client->inbox, &l, timeout_ms);
    client->inside--;
    if (!err && client->orphan) { /* its messages are gone with it */
        message_free(l);
        err = ERR_CLOSED;
    }
    mqtt_settle(client);
    *out = err ? NULL : &l->m;
    return err_public(err);
}

void sedge_mqtt_message_free(struct sedge_mqtt_message *m)
{
    if (!m)
        return;
    struct lib_message *l = CONTAINER_OF(m, struct lib_message, m);
    if (l->client->client)
        mqtt_client_ack(l->client->client, l->receipt, MQTT_RC_SUCCESS);
    message_free(l);
}
