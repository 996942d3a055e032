#include "client/mqtt_client_internal.h"

/* 5.0, 4.12. The method is the one of CONNECT for as long as the connection lives. */

static bool has_method(const struct mqtt_props *p)
{
    return p->has & MQTT_HAS(MQTT_PROP_AUTH_METHOD);
}

static bool same_method(const struct mqtt_client *c, const struct mqtt_props *p)
{
    return has_method(p) && str_eq(p->auth_method, c->connect.props.auth_method);
}

/* Asks for our next data; false: the connection was given up. */
static bool step(struct mqtt_client *c, enum mqtt_auth_step s, struct bytes in, struct strbuf *out)
{
    if (c->cfg.auth && c->cfg.auth(c->cfg.ctx, s, in, out) == ERR_OK && !out->failed)
        return true;
    client_drop(c, ERR_DENIED, 0, "the authentication came to no end");
    return false;
}

static void put_data(struct mqtt_props *p, const struct strbuf *data)
{
    if (data->n == 0)
        return;
    p->has |= MQTT_HAS(MQTT_PROP_AUTH_DATA);
    p->auth_data = (struct bytes){(const uint8_t *)data->p, data->n};
}

bool auth_start(struct mqtt_client *c, struct mqtt_connect *connect, struct strbuf *data)
{
    if (!has_method(&connect->props) || !c->cfg.auth)
        return true;
    if (!step(c, MQTT_AUTH_START, (struct bytes){0}, data))
        return false;
    put_data(&connect->props, data);
    return true;
}

/* One step, and an AUTH that holds what it gave. */
static bool answer(struct mqtt_client *c, enum mqtt_auth_step s, uint8_t reason, struct bytes in)
{
    struct strbuf data;
    struct mqtt_packet p = {.type = MQTT_AUTH};
    strbuf_init(&data, c->cfg.alloc, UINT16_MAX);
    bool ok = step(c, s, in, &data);
    if (ok) {
        p.end.reason = reason;
        p.end.props.has = MQTT_HAS(MQTT_PROP_AUTH_METHOD);
        p.end.props.auth_method = c->connect.props.auth_method;
        put_data(&p.end.props, &data);
        client_send(c, &p);
    }
    strbuf_fini(&data);
    return ok;
}

/* The server's last word, to which there is no answer. */
static bool last_word(struct mqtt_client *c, struct bytes in)
{
    struct strbuf none;
    strbuf_init(&none, c->cfg.alloc, UINT16_MAX);
    bool ok = step(c, MQTT_AUTH_DONE, in, &none);
    strbuf_fini(&none);
    return ok;
}

static void reauth_done(struct mqtt_client *c, enum err err)
{
    struct mqtt_done done = c->reauth_done;
    bool was = c->reauth;
    c->reauth = false;
    c->reauth_done = (struct mqtt_done){0};
    if (was)
        client_done(done, err, 0);
}

void auth_lost(struct mqtt_client *c, enum err err)
{
    reauth_done(c, err);
}

void auth_packet(struct mqtt_client *c, const struct mqtt_end *e)
{
    bool expected = c->state == CLIENT_HELLO || c->reauth;
    bool done = e->reason == MQTT_RC_SUCCESS && c->reauth;
    if (!expected || !same_method(c, &e->props) ||
        (!done && e->reason != MQTT_RC_CONTINUE_AUTHENTICATION)) {
        client_drop(c, ERR_PROTOCOL, MQTT_RC_PROTOCOL_ERROR,
                    "the server asked for authentication out of turn");
        return;
    }
    if (!done)
        (void)answer(c, MQTT_AUTH_CONTINUE, MQTT_RC_CONTINUE_AUTHENTICATION, e->props.auth_data);
    else if (last_word(c, e->props.auth_data))
        reauth_done(c, ERR_OK);
}

bool auth_connack(struct mqtt_client *c, const struct mqtt_connack *a)
{
    if (!has_method(&c->connect.props) || !c->cfg.auth)
        return true;
    if (same_method(c, &a->props))
        return last_word(c, a->props.auth_data);
    client_drop(c, ERR_PROTOCOL, MQTT_RC_PROTOCOL_ERROR,
                "the server accepted without the method of authentication");
    return false;
}

enum err mqtt_client_reauth(struct mqtt_client *c, struct mqtt_done done)
{
    if (!has_method(&c->connect.props) || !c->cfg.auth)
        return ERR_INVALID;
    if (c->state != CLIENT_ONLINE || c->stopping)
        return ERR_CLOSED;
    if (c->reauth)
        return ERR_FULL;
    if (!answer(c, MQTT_AUTH_START, MQTT_RC_REAUTHENTICATE, (struct bytes){0}))
        return ERR_CLOSED; /* `lost` has told why */
    if (c->state != CLIENT_ONLINE)
        return ERR_CLOSED;
    c->reauth = true;
    c->reauth_done = done;
    return ERR_OK;
}
