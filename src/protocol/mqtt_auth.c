/* Enhanced authentication (5.0, 4.12): AUTH packets, before CONNACK and on an open connection.
 *
 * The method's exchange (auth/enhanced.h) says what to answer; here is when. Its last answer goes
 * with CONNACK, so the exchange lives until that has left. The method that CONNECT named stays that
 * of the connection; without one, no AUTH is allowed (checklist 35). Whoever authenticates again
 * must be the same user: his session and his rights are his. */
#include "protocol/mqtt_broker.h"

struct connection_auth {
    const struct enhanced_method *method;
    struct enhanced *exchange; /* NULL: none is under way */
    struct bytes answer;       /* its last */
};

static const struct enhanced_method *find_method(const struct mqtt_connection *c, struct str name)
{
    const struct mqtt_listener *l = connection_listener(c);
    const struct enhanced_method *const *m = l ? l->cfg.methods : NULL;
    while (m && *m && !str_eq((*m)->name, name))
        m++;
    return m ? *m : NULL;
}

static void exchange_end(struct connection_auth *a)
{
    if (a->exchange)
        a->exchange->end(a->exchange);
    a->exchange = NULL;
}

void auth_free(struct mqtt_connection *c)
{
    struct connection_auth *a = c->auth;
    if (!a)
        return;
    exchange_end(a);
    mem_free(c->shard->alloc, a, sizeof(*a));
    c->auth = NULL;
}

static void props_of(const struct connection_auth *a, struct mqtt_props *props)
{
    props->has |= MQTT_HAS(MQTT_PROP_AUTH_METHOD);
    props->auth_method = a->method->name;
    if (!a->answer.n)
        return;
    props->has |= MQTT_HAS(MQTT_PROP_AUTH_DATA);
    props->auth_data = a->answer;
}

void auth_put_connack(const struct mqtt_connection *c, struct mqtt_props *props)
{
    if (c->auth)
        props_of(c->auth, props);
}

void auth_connected(struct mqtt_connection *c)
{
    if (c->auth)
        exchange_end(c->auth);
}

static enum handled say(struct mqtt_connection *c, uint8_t reason)
{
    struct mqtt_packet p = {.type = MQTT_AUTH, .end = {.reason = reason}};
    props_of(c->auth, &p.end.props);
    return connection_put(c, &p) ? HANDLED : HANDLED_STOP;
}

static enum handled refuse(struct mqtt_connection *c, uint8_t reason, const char *why)
{
    if (c->state == CONNECTION_OPEN) {
        connection_close(c, reason, why);
    } else {
        connect_refuse(c, c->version, reason, why);
    }
    return HANDLED_STOP;
}

static enum handled broken(struct mqtt_connection *c, const char *why)
{
    metric_add_own(&c->shard->count.errors, 1);
    return refuse(c, MQTT_RC_PROTOCOL_ERROR, why);
}

/* The user of this exchange is the one that the connection knows already, or becomes it. */
static bool same_user(const struct mqtt_connection *c, struct str user)
{
    return !c->user || str_eq(connection_user(c), user);
}

static enum handled proven(struct mqtt_connection *c)
{
    struct connection_auth *a = c->auth;
    struct str user = a->exchange->user;
    if (!same_user(c, user))
        return refuse(c, MQTT_RC_NOT_AUTHORIZED, "it has proven to be another user");
    if (c->state == CONNECTION_OPEN) {
        enum handled h = say(c, MQTT_RC_SUCCESS);
        if (h == HANDLED)
            exchange_end(a);
        return h;
    }
    if (!c->user && !connection_take_user(c, user))
        return refuse(c, MQTT_RC_SERVER_BUSY, "no memory");
    c->proven = true;
    c->state = CONNECTION_WAITING;
    connect_let_in(c);
    return c->state == CONNECTION_OPEN ? HANDLED : HANDLED_STOP;
}

static enum handled step(struct mqtt_connection *c, struct bytes data)
{
    struct connection_auth *a = c->auth;
    switch (a->exchange->step(a->exchange, data, &a->answer)) {
    case ENHANCED_MORE: return say(c, MQTT_RC_CONTINUE_AUTHENTICATION);
    case ENHANCED_DONE: return proven(c);
    default: return refuse(c, MQTT_RC_NOT_AUTHORIZED, "it has not proven who it is");
    }
}

static bool exchange_begin(struct mqtt_connection *c)
{
    struct connection_auth *a = c->auth;
    a->exchange = a->method->begin(a->method, c->shard->alloc);
    return a->exchange;
}

enum handled auth_begin(struct mqtt_connection *c, const struct mqtt_connect *m)
{
    const struct enhanced_method *method = find_method(c, m->props.auth_method);
    if (!method)
        return refuse(c, MQTT_RC_BAD_AUTHENTICATION_METHOD, "its authentication method is unknown");
    c->auth = mem_zero(c->shard->alloc, sizeof(*c->auth));
    if (!c->auth)
        return refuse(c, MQTT_RC_SERVER_BUSY, "no memory");
    c->auth->method = method;
    c->state = CONNECTION_AUTHENTICATING;
    if (!exchange_begin(c))
        return refuse(c, MQTT_RC_SERVER_BUSY, "no memory");
    return step(c, m->props.auth_data);
}

enum handled handle_auth(struct mqtt_connection *c, const struct mqtt_packet *p)
{
    const struct mqtt_end *m = &p->end;
    struct connection_auth *a = c->auth;
    if (!a) /* [MQTT-4.12.0-6] */
        return broken(c, "AUTH, and CONNECT has named no method");
    if (!str_eq(m->props.auth_method, a->method->name)) /* [MQTT-4.12.0-5], [MQTT-4.12.1-1] */
        return broken(c, "AUTH with another method");
    bool again = m->reason == MQTT_RC_REAUTHENTICATE;
    if (again == (a->exchange != NULL))
        return broken(c, "AUTH out of its turn");
    if (again && !exchange_begin(c))
        return refuse(c, MQTT_RC_SERVER_BUSY, "no memory");
    return step(c, m->props.auth_data);
}

enum handled handle_auth_left(struct mqtt_connection *c, const struct mqtt_packet *p)
{
    (void)p;
    connection_close(c, 0, NULL);
    return HANDLED_STOP;
}
