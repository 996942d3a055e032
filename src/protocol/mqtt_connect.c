#include "protocol/mqtt_broker.h"

#include <stdio.h>
#include <string.h>

#define CLIENT_ID_MAX MESSAGE_PUBLISHER_MAX

/* What CONNECT said, until CONNACK has left. */
struct hello {
    struct str client_id;
    uint32_t expiry_s, expiry_asked_s;
    uint16_t keep_alive_asked_s;
    bool clean, assigned, present;
    bool accepted;          /* it has its session */
    uint64_t seq, will_seq; /* of its session and its will: CONNACK waits for them */
    struct password_check *check;
    size_t size;
    char data[];
};

void hello_free(struct mqtt_connection *c)
{
    struct hello *h = c->hello;
    if (!h)
        return;
    password_check_cancel(h->check);
    mem_free(c->shard->alloc, h, h->size);
    c->hello = NULL;
}

/* With the name that the client gives itself, by which people know which of their devices it is. */
static void log_refusal(const struct mqtt_connection *c, const char *why)
{
    char address[ADDR_TEXT_MAX];
    const struct hello *h = c->state == CONNECTION_OPEN ? NULL : c->hello;
    bool named = h && !h->assigned;
    struct str id = named ? h->client_id : STR("");
    addr_format(stream_peer(c->stream), address);
    LOG_I("mqtt", "%s%s%.*s%s: refused: %s", address, named ? " (" : "", STR_FMT(id),
          named ? ")" : "", why);
}

void connect_refuse(struct mqtt_connection *c, uint8_t version, uint8_t reason, const char *why)
{
    log_refusal(c, why);
    metric_add_own(&c->shard->count.refused, 1);
    struct mqtt_packet p = {.type = MQTT_CONNACK};
    p.connack.reason = version == MQTT_V5 ? reason : mqtt_connack_code_311(reason);
    if (version) {
        c->version = version;
        if (!connection_put(c, &p))
            return;
    }
    connection_close(c, reason, why);
}

static enum handled refuse(struct mqtt_connection *c, uint8_t reason, const char *why)
{
    connect_refuse(c, c->version, reason, why);
    return HANDLED_STOP;
}

/* ---- CONNACK ---- */

/* What is left out (checklist 36); what is there needs no word. */
static void tell_reduced(unsigned without, struct mqtt_props *props)
{
    static const struct {
        enum mqtt_without what;
        enum mqtt_prop_id id;
    } rows[] = {
        {MQTT_WITHOUT_RETAIN, MQTT_PROP_RETAIN_AVAILABLE},
        {MQTT_WITHOUT_WILDCARDS, MQTT_PROP_WILDCARD_AVAILABLE},
        {MQTT_WITHOUT_SHARES, MQTT_PROP_SHARED_AVAILABLE},
        {MQTT_WITHOUT_SUBSCRIPTION_IDS, MQTT_PROP_SUBSCRIPTION_IDS_AVAILABLE},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) /* their values are 0 */
        props->has |= without & rows[i].what ? MQTT_HAS(rows[i].id) : 0;
    if (without & MQTT_WITHOUT_QOS2) {
        props->has |= MQTT_HAS(MQTT_PROP_MAXIMUM_QOS);
        props->maximum_qos = 1;
    }
}

static void connected(struct mqtt_connection *c)
{
    struct hello *h = c->hello;
    const struct mqtt_limits *l = c->shard->limits;
    struct mqtt_packet p = {.type = MQTT_CONNACK, .connack = {.session_present = h->present}};
    struct mqtt_props *props = &p.connack.props;
    props->has = MQTT_HAS(MQTT_PROP_RECEIVE_MAX) | MQTT_HAS(MQTT_PROP_MAXIMUM_PACKET_SIZE) |
                 MQTT_HAS(MQTT_PROP_TOPIC_ALIAS_MAX);
    props->receive_max = l->receive_max;
    props->maximum_packet_size = l->packet_size_max;
    props->topic_alias_max = l->topic_alias_max;
    tell_reduced(l->without, props);
    auth_put_connack(c, props);
    if (c->keep_alive_s != h->keep_alive_asked_s) {
        props->has |= MQTT_HAS(MQTT_PROP_SERVER_KEEP_ALIVE);
        props->server_keep_alive_s = c->keep_alive_s;
    }
    if (h->expiry_s != h->expiry_asked_s) {
        props->has |= MQTT_HAS(MQTT_PROP_SESSION_EXPIRY);
        props->session_expiry_s = h->expiry_s;
    }
    if (h->assigned) {
        props->has |= MQTT_HAS(MQTT_PROP_ASSIGNED_CLIENT_ID);
        props->assigned_client_id = h->client_id;
    }
    if (!connection_put(c, &p))
        return;
    hello_free(c);
    will_cancel(c->session); /* of its connection before: it is back */
    auth_connected(c);
    pending_trim(c);
    c->state = CONNECTION_OPEN;
    metric_add_own(&c->shard->count.connects, 1);
    connection_watch(c);
}

void connect_go_on(struct mqtt_connection *c)
{
    struct hello *h = c->hello;
    if (h->accepted && !c->waiting && !will_is_due(c->shard, h->client_id))
        connected(c);
}

/* ---- the session ---- */

static enum err end_old(struct mqtt_connection *c, struct mqtt_session *old)
{
    if (session_stored(old)) {
        enum err err = record_gone(old, &c->hello->seq);
        if (err)
            return err;
    }
    session_end(old);
    return ERR_OK;
}

static enum err resume(struct mqtt_connection *c, struct mqtt_session *s)
{
    struct hello *h = c->hello;
    uint64_t seq = 0;
    bool same = s->expiry_s == h->expiry_s;
    uint32_t before = s->expiry_s;
    s->expiry_s = h->expiry_s;
    enum err err = session_stored(s) ? record_online(s, same, &seq) : ERR_OK;
    if (err) {
        s->expiry_s = before;
        return err;
    }
    if (!same)
        h->seq = seq;
    h->present = true;
    session_attach(s, c);
    return ERR_OK;
}

static enum err begin(struct mqtt_connection *c)
{
    struct hello *h = c->hello;
    struct mqtt_shard *shard = c->shard;
    uint64_t number = h->expiry_s ? shard_number(shard) : 0;
    struct mqtt_session *s = session_new(shard, h->client_id, number);
    if (!s)
        return ERR_NOMEM;
    s->expiry_s = h->expiry_s;
    enum err err = number ? record_new(shard, number, h->client_id, h->expiry_s, &h->seq) : ERR_OK;
    if (err) {
        session_end(s);
        return err;
    }
    session_attach(s, c);
    return ERR_OK;
}

/* Its will is stored as what it is: that of somebody who is known now. Where nothing can be stored,
 * who needs nothing stored but a will comes in with one that this process alone knows: a site with
 * a broken disk shall see its devices. */
static enum err store_will(struct mqtt_connection *c)
{
    struct will *w = c->will;
    if (w && c->proven && !will_take_user(c->shard, w, connection_user(c)))
        return ERR_NOMEM;
    enum err err = w ? will_record(c->shard, w, &c->hello->will_seq) : ERR_OK;
    return err == ERR_IO ? ERR_OK : err;
}

bool connect_unstored(const struct mqtt_connection *c)
{
    return !c->hello->seq;
}

/* False: no memory. */
static bool wait_for_records(struct mqtt_connection *c)
{
    const struct hello *h = c->hello;
    return connection_wait(c, h->seq > h->will_seq ? h->seq : h->will_seq);
}

void connect_let_in(struct mqtt_connection *c)
{
    struct hello *h = c->hello;
    struct mqtt_session *old = session_find(c->shard, h->client_id);
    enum err err;
    if (c->will && !will_count(c->shard, c->will, false)) {
        (void)refuse(c, MQTT_RC_QUOTA_EXCEEDED, "the wills of all clients take too much");
        return;
    }
    if (old && old->connection) {
        /* now and then it is the same client, come back; again and again it is two with one id */
        connection_close(old->connection, MQTT_RC_SESSION_TAKEN_OVER,
                         "another connection has its client id");
        old = session_find(c->shard, h->client_id); /* it may have ended with its connection */
    }
    err = store_will(c);
    /* Those whose time is over are looked for once a second only; here it is exact. */
    bool over = old && old->ends_ns <= worker_now_ns(c->shard->worker);
    if (!err && old && (h->clean || over || !session_number(old))) {
        err = end_old(c, old);
        old = NULL;
    }
    if (!err)
        err = old ? resume(c, old) : begin(c);
    if (err == ERR_IO) {
        (void)refuse(c, MQTT_RC_SERVER_UNAVAILABLE, "its session can't be stored");
        return;
    }
    if (err) {
        (void)refuse(c, MQTT_RC_SERVER_BUSY, "no room for its session");
        return;
    }
    h->accepted = true;
    if (!h->seq && !h->will_seq)
        connect_go_on(c);
    else if (!wait_for_records(c))
        (void)refuse(c, MQTT_RC_SERVER_BUSY, "no memory");
}

/* ---- who it is ---- */

static void password_checked(void *ctx, enum err result)
{
    struct mqtt_connection *c = ctx;
    c->hello->check = NULL;
    c->proven = !result;
    if (result)
        (void)refuse(c, MQTT_RC_BAD_USER_OR_PASSWORD, "wrong user name or password");
    else
        connect_let_in(c);
    task_wake(&c->task);
}

/* Its certificate says who it is, whatever CONNECT does. */
static enum handled let_in_by_certificate(struct mqtt_connection *c, struct str person)
{
    if (!connection_take_user(c, person))
        return refuse(c, MQTT_RC_SERVER_BUSY, "no memory");
    c->proven = true;
    connect_let_in(c);
    return c->state == CONNECTION_OPEN ? HANDLED : HANDLED_STOP;
}

static enum handled authenticate(struct mqtt_connection *c, const struct mqtt_connect *m)
{
    const struct mqtt_listener *listener = connection_listener(c);
    if (!listener)
        return refuse(c, MQTT_RC_SERVER_SHUTTING_DOWN, "its listener is closed");
    const struct mqtt_listen *l = &listener->cfg;
    enum err err = ERR_OK;
    bool named = m->has_user || m->has_password;
    struct str person = l->certificates ? stream_person(c->stream) : (struct str){NULL, 0};
    c->state = CONNECTION_WAITING;
    if (person.p && !(named && l->passwords))
        return let_in_by_certificate(c, person);
    if (named ? !l->passwords && !l->anonymous : !l->anonymous)
        return refuse(c, MQTT_RC_NOT_AUTHORIZED, "this listener asks for a user name and password");
    if (named && l->passwords)
        err = password_file_check(l->passwords, c->shard->worker, m->user, m->password,
                                  password_checked, c, &c->hello->check);
    if (err == ERR_AGAIN)
        return HANDLED_STOP;
    if (err == ERR_DENIED)
        return refuse(c, MQTT_RC_BAD_USER_OR_PASSWORD, "wrong user name or password");
    if (err)
        return refuse(c, MQTT_RC_SERVER_BUSY, "too many passwords are being checked");
    c->proven = named && l->passwords;
    connect_let_in(c);
    return c->state == CONNECTION_OPEN ? HANDLED : HANDLED_STOP;
}

/* ---- CONNECT ---- */

static uint32_t expiry_asked(const struct mqtt_connect *m)
{
    if (m->version == MQTT_V5)
        return m->props.session_expiry_s;
    return m->clean_start ? 0 : SESSION_NEVER;
}

/* A client id for one that has none: nobody else's, and at home on this worker. */
#define ASSIGNED_MAX 40
static struct str assign_id(const struct mqtt_shard *shard, char out[ASSIGNED_MAX])
{
    struct env *env = executor_env(worker_executor(shard->worker));
    uint8_t chance[12];
    struct str id = {out, 0};
    do {
        int n = snprintf(out, ASSIGNED_MAX, "sedge-");
        env->entropy(env, chance, sizeof(chance));
        for (size_t i = 0; i < sizeof(chance); i++)
            n += snprintf(out + n, ASSIGNED_MAX - (size_t)n, "%02x", chance[i]);
        id.n = (size_t)n;
    } while (shard_of(shard->server, id) != shard);
    return id;
}

static struct hello *hello_new(struct mqtt_connection *c, const struct mqtt_connect *m)
{
    const uint32_t expiry_max_s = c->shard->limits->session_expiry_max_s;
    char id[ASSIGNED_MAX];
    struct str client_id = m->client_id.n ? m->client_id : assign_id(c->shard, id);
    struct hello *h = mem_zero(c->shard->alloc, sizeof(*h) + client_id.n);
    if (!h)
        return NULL;
    h->size = sizeof(*h) + client_id.n;
    memcpy(h->data, client_id.p, client_id.n);
    h->client_id = (struct str){h->data, client_id.n};
    h->assigned = !m->client_id.n;
    h->clean = m->clean_start;
    h->keep_alive_asked_s = m->keep_alive_s;
    h->expiry_asked_s = expiry_asked(m);
    h->expiry_s = h->expiry_asked_s < expiry_max_s ? h->expiry_asked_s : expiry_max_s;
    return h;
}

bool connection_take_user(struct mqtt_connection *c, struct str user)
{
    struct user_name *copy = mem_new(c->shard->alloc, sizeof(*copy) + user.n);
    if (!copy)
        return false;
    copy->n = user.n;
    if (user.n)
        memcpy(copy->name, user.p, user.n);
    connection_forget_user(c);
    c->user = copy;
    return true;
}

void connection_forget_user(struct mqtt_connection *c)
{
    if (c->user)
        mem_free(c->shard->alloc, c->user, sizeof(*c->user) + c->user->n);
    c->user = NULL;
}

static void take_limits(struct mqtt_connection *c, const struct mqtt_connect *m)
{
    const struct mqtt_props *p = &m->props;
    const uint16_t max_s = c->shard->limits->keep_alive_max_s;
    bool more = max_s && (m->keep_alive_s == 0 || m->keep_alive_s > max_s);
    c->keep_alive_s = more && m->version == MQTT_V5 ? max_s : m->keep_alive_s;
    c->receive_max = p->has & MQTT_HAS(MQTT_PROP_RECEIVE_MAX) ? p->receive_max : UINT16_MAX;
    c->packet_size_max =
        p->has & MQTT_HAS(MQTT_PROP_MAXIMUM_PACKET_SIZE) ? p->maximum_packet_size : UINT32_MAX;
    c->problem_info =
        !(p->has & MQTT_HAS(MQTT_PROP_REQUEST_PROBLEM_INFO)) || p->request_problem_info;
}

/* A reason to refuse its will; 0: none. */
static uint8_t will_beyond(const struct mqtt_limits *l, const struct mqtt_connect *m)
{
    if (m->has_will && m->will_qos == 2 && (l->without & MQTT_WITHOUT_QOS2))
        return MQTT_RC_QOS_NOT_SUPPORTED;
    if (m->has_will && m->will_retain && (l->without & MQTT_WITHOUT_RETAIN))
        return MQTT_RC_RETAIN_NOT_SUPPORTED;
    return 0;
}

static enum handled go_home(struct mqtt_connection *c, const struct mqtt_shard *home)
{
    if (connection_move(c, home))
        return HANDLED_STOP;
    return refuse(c, MQTT_RC_SERVER_BUSY, "no memory");
}

enum handled handle_connect(struct mqtt_connection *c, const struct mqtt_packet *p)
{
    const struct mqtt_connect *m = &p->connect;
    c->version = (uint8_t)m->version;
    if (m->client_id.n && shard_of(c->shard->server, m->client_id) != c->shard)
        return go_home(c, shard_of(c->shard->server, m->client_id));
    stream_stay(c->stream);
    if (m->client_id.n > CLIENT_ID_MAX)
        return refuse(c, MQTT_RC_CLIENT_ID_NOT_VALID, "its client id is too long");
    if (!m->client_id.n && !m->clean_start && m->version != MQTT_V5)
        return refuse(c, MQTT_RC_CLIENT_ID_NOT_VALID, "a session needs a client id");
    uint8_t beyond = will_beyond(c->shard->limits, m);
    if (beyond)
        return refuse(c, beyond, "its will is more than is offered");
    take_limits(c, m);
    c->hello = hello_new(c, m);
    bool known = c->hello && (!m->has_user || connection_take_user(c, m->user));
    if (!known)
        return refuse(c, MQTT_RC_SERVER_BUSY, "no memory");
    c->will = m->has_will ? will_new(c, m, c->hello->client_id) : NULL;
    if (m->has_will && !c->will)
        return refuse(c, MQTT_RC_SERVER_BUSY, "no memory");
    c->clean = c->hello->expiry_s == 0;
    return m->props.has & MQTT_HAS(MQTT_PROP_AUTH_METHOD) ? auth_begin(c, m) : authenticate(c, m);
}

enum handled handle_disconnect(struct mqtt_connection *c, const struct mqtt_packet *p)
{
    const struct mqtt_end *m = &p->end;
    struct mqtt_session *s = c->session;
    if (m->props.has & MQTT_HAS(MQTT_PROP_SESSION_EXPIRY)) {
        uint32_t expiry_s = m->props.session_expiry_s;
        if (!s->expiry_s && expiry_s) { /* [MQTT-3.1.2-23]: never from 0 to more */
            connection_close(c, MQTT_RC_PROTOCOL_ERROR, "DISCONNECT wants to keep the session");
            return HANDLED_STOP;
        }
        const uint32_t max = c->shard->limits->session_expiry_max_s;
        s->expiry_s = expiry_s < max ? expiry_s : max;
    }
    if (m->reason == MQTT_RC_SUCCESS) {
        will_end(c->shard, c->will);
        c->will = NULL;
    }
    connection_close(c, 0, NULL);
    return HANDLED_STOP;
}
