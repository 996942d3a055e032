/* mqtt_model_play: what the clients of mqtt_model.h do, step by step. */
#pragma once

#include "tests/support/mqtt_model_check.h"

/* ---- connecting ---- */

static inline uint16_t model_message(struct model *m, unsigned publisher, unsigned topic,
                                     unsigned qos, bool will)
{
    m->messages[m->messages_n] = (struct model_message){.publisher = (uint8_t)publisher,
                                                        .topic = (uint8_t)topic,
                                                        .qos = (uint8_t)qos,
                                                        .loose = will};
    return m->messages_n++;
}

static inline void model_hello(struct model *m, struct model_client *c, unsigned who, bool clean,
                               bool with_will, char will[8])
{
    char id[2] = {(char)('a' + who), '\0'};
    struct mqtt_packet p = {.type = MQTT_CONNECT};
    struct mqtt_connect *h = &p.connect;
    h->version = (enum mqtt_version)c->version;
    h->clean_start = clean;
    h->client_id = (struct str){id, 1};
    if (c->version == MQTT_V5) {
        h->props.has = MQTT_HAS(MQTT_PROP_SESSION_EXPIRY) | MQTT_HAS(MQTT_PROP_RECEIVE_MAX);
        h->props.session_expiry_s = c->expiry_s;
        h->props.receive_max = c->receive_max;
    }
    if (with_will) {
        h->has_will = true;
        h->will_qos = 1;
        h->will_topic = STR("u");
        h->will_payload = (struct bytes){(const uint8_t *)will, strlen(will)};
        if (c->version == MQTT_V5 && c->will_delay_ns) {
            h->will_props.has = MQTT_HAS(MQTT_PROP_WILL_DELAY);
            h->will_props.will_delay_s = (uint32_t)(c->will_delay_ns / 1000000000);
        }
    }
    model_send(m, c, &p);
}

/* What is open is sent again, in its order. */
static inline void model_resume(struct model *m, struct model_client *c)
{
    for (size_t i = 0; i < MODEL_OUT; i++) {
        struct model_out *o = &c->out[i];
        char text[8];
        if (!o->id)
            continue;
        if (o->released) {
            model_ack(m, c, MQTT_PUBREL, o->id);
            continue;
        }
        struct model_message *x = &m->messages[o->number];
        x->loose = x->loose || x->qos == 1;
        o->known = o->known || x->qos == 2;
        model_due(m, o->number, DUE_MAYBE);
        int n = snprintf(text, sizeof(text), "%u", o->number);
        const struct mqtt_packet p = {.type = MQTT_PUBLISH,
                                      .publish = {.qos = x->qos,
                                                  .dup = true,
                                                  .id = o->id,
                                                  .topic = str_from(model_topics[x->topic]),
                                                  .payload = {(uint8_t *)text, (size_t)n}}};
        model_send(m, c, &p);
    }
}

/* `choice`: bits of how. The old connection, if there is one, is taken over. */
static inline void model_connect(struct model *m, unsigned who, unsigned choice)
{
    static const uint32_t expiries[] = {0, 20, UINT32_MAX, UINT32_MAX};
    struct model_client *c = &m->clients[who];
    struct mqtt_packet ack = {0};
    char will[8] = "";
    bool clean = choice & 1, with_will = (choice & 2) && m->messages_n < MODEL_MESSAGES;
    bool taken_over = c->open, was_v5 = c->version == MQTT_V5;
    struct peer *old = model_peer(c);
    model_time(m);
    /* The will of the one before: it comes unless the session goes on and it may wait. */
    bool had = c->exists;
    bool waits = c->will >= 0 && (!had || (c->expiry_s && (c->will_delay_ns || c->will_lost)));
    bool unsure_there =
        !c->open && had && c->expiry_s != UINT32_MAX &&
        model_over(sim_now_ns(m->world.sim), c->left_ns + (int64_t)c->expiry_s * 1000000000) == 1;
    if (c->will >= 0 && !(waits && (!clean || !had)))
        model_will_sent(m, c, unsure_there ? DUE_MAYBE : DUE_YES);
    bool present = had && !clean && c->expiry_s;
    model_will_over(m, c);
    c->now ^= taken_over;
    c->version = choice & 4 ? MQTT_V311 : MQTT_V5;
    c->expiry_s = c->version == MQTT_V311 ? (clean ? 0 : UINT32_MAX) : expiries[choice >> 3 & 3];
    c->receive_max = c->version == MQTT_V5 && (choice & 32) ? 3 : UINT16_MAX;
    c->will_delay_ns = c->version == MQTT_V5 && (choice & 64) ? 3000000000 : 0;
    uint16_t number = with_will ? model_message(m, who, 2, 1, true) : 0;
    (void)snprintf(will, sizeof(will), "%u", number);
    if (!present && !unsure_there)
        model_forget(c);
    peer_connect(model_peer(c), &m->world);
    model_hello(m, c, who, clean, with_will, will);
    world_settle(&m->world);
    if (taken_over) {
        ASSERT(old->ended);
        ASSERT(!was_v5 || (old->n >= 3 && memcmp(old->in + old->n - 3, "\xE0\x01\x8E", 3) == 0));
        old->n = 0;
    }
    c->resent = 0;
    c->open = c->exists = true;
    for (size_t i = 0; i < c->held_n; i++)
        c->held[i].counted = false;
    bool came = model_read(m, c, MQTT_CONNACK, &ack);
    ASSERT(came && ack.type == MQTT_CONNACK && ack.connack.reason == 0);
    ASSERT(unsure_there || ack.connack.session_present == present);
    if (!ack.connack.session_present)
        model_forget(c);
    c->exists = true;
    c->will = with_will ? number : -1;
    c->ghost = with_will ? -1 : c->ghost; /* a new will ends an old one */
    model_settle(m);
    model_resume(m, c);
    model_settle(m);
}

/* ---- leaving ---- */

static inline void model_leave(struct model *m, struct model_client *c, unsigned how)
{
    const struct mqtt_packet p = {.type = MQTT_DISCONNECT,
                                  .end = {.reason = how == 2 && c->version == MQTT_V5
                                                        ? MQTT_RC_DISCONNECT_WITH_WILL
                                                        : MQTT_RC_SUCCESS}};
    bool quiet = how == 0;
    if (!quiet)
        model_send(m, c, &p);
    world_settle(&m->world);
    (void)model_read(m, c, 0, NULL);
    if (quiet)
        peer_drop(model_peer(c));
    else
        ASSERT(model_peer(c)->ended);
    model_left(m, c, quiet || p.end.reason ? DUE_YES : DUE_NO);
    model_peer(c)->n = 0;
    model_settle(m);
}

/* What is no MQTT: the broker closes. */
static inline void model_nonsense(struct model *m, struct model_client *c, unsigned which)
{
    static const struct {
        const char *p;
        size_t n;
    } all[] = {
        {"\x00\x00", 2},
        {"\xC0\x80\x00", 3},
        {"\x30\xFF\xFF\xFF\xFF\x01", 6},
        {"\x36\x05\x00\x01u\x00\x01", 7},
        {"\x80\x02\x00\x01", 4},
        {"\x40\x02\x00\x00", 4},
        {"\x10\x00", 2},
        {"\x30\x03\x00\x01#", 5},
        {"\x82\x02\x00\x00", 4},
        {"\xC0\x01\x00", 3},
    };
    which %= ARRAY_LEN(all);
    peer_send(model_peer(c), all[which].p, all[which].n);
    world_settle(&m->world);
    (void)model_read(m, c, 0, NULL);
    ASSERT(model_peer(c)->ended);
    model_left(m, c, DUE_YES);
    model_settle(m);
}

/* Any bytes, from somebody nobody knows. */
static inline void model_stranger(struct model *m)
{
    size_t n = model_choice(m, 40);
    struct bytes b = cursor_take(&m->in, n < cursor_left(&m->in) ? n : cursor_left(&m->in));
    const struct mqtt_decoder d = {.is_server = true};
    struct mqtt_packet p;
    size_t used;
    if (mqtt_decode(&d, b, &p, &used) == MQTT_OK) /* a client after all */
        return;
    peer_connect(&m->stranger, &m->world);
    peer_send(&m->stranger, b.p, b.n);
    model_settle(m);
    peer_drop(&m->stranger);
    model_settle(m);
}

/* ---- subscribing, publishing, acknowledging ---- */

static inline void model_subscribe(struct model *m, struct model_client *c, unsigned filter,
                                   unsigned qos, bool unsubscribe)
{
    uint8_t room[40];
    struct writer w = writer_from(room, sizeof(room));
    enum mqtt_type type = unsubscribe ? MQTT_UNSUBSCRIBE : MQTT_SUBSCRIBE;
    struct mqtt_packet ack = {0};
    mqtt_put_filter(&w, type, str_from(model_filters[filter]), (uint8_t)qos);
    const struct mqtt_packet p = {.type = type,
                                  .subscribe = {.id = 9, .filters = {room, writer_len(&w)}}};
    model_send(m, c, &p);
    world_settle(&m->world);
    bool came = model_read(m, c, unsubscribe ? MQTT_UNSUBACK : MQTT_SUBACK, &ack);
    ASSERT(came && ack.suback.id == 9);
    c->granted[filter] = (uint8_t)(unsubscribe ? 0 : qos + 1);
    model_settle(m);
}

static inline void model_publish(struct model *m, unsigned who, unsigned choice)
{
    struct model_client *c = &m->clients[who];
    unsigned qos = choice % 3, topic = choice / 3 % MODEL_TOPICS;
    bool lost = choice / 9 % 8 == 0; /* the connection, right behind it */
    struct model_out *o = qos ? model_out_of(c, 0) : NULL;
    char text[8];
    if (m->messages_n == MODEL_MESSAGES || (qos && !o))
        return;
    uint16_t number = model_message(m, who, topic, qos, false);
    int n = snprintf(text, sizeof(text), "%u", number);
    struct mqtt_packet p = {.type = MQTT_PUBLISH,
                            .publish = {.qos = (uint8_t)qos,
                                        .topic = str_from(model_topics[topic]),
                                        .payload = {(uint8_t *)text, (size_t)n}}};
    if (qos) {
        c->next_id = c->next_id >= 60 || c->next_id < 20 ? 20 : (uint16_t)(c->next_id + 1);
        while (model_out_of(c, c->next_id))
            c->next_id++;
        p.publish.id = c->next_id;
        *o = (struct model_out){.id = c->next_id, .number = number};
    }
    model_trace(m, "  %c > %u: %s at QoS %u%s", (int)('a' + who), number, model_topics[topic], qos,
                lost ? ", and is lost" : "");
    model_due(m, number, DUE_MAYBE);
    model_send(m, c, &p);
    if (lost) {
        world_wait_ns(&m->world, 20000 * model_choice(m, 5)); /* on its way, or there */
        (void)model_read(m, c, 0, NULL);
        peer_drop(model_peer(c));
        model_peer(c)->n = 0;
        world_settle(&m->world);
        model_left(m, c, DUE_YES);
        c->cut = c->exists;
    }
    model_settle(m);
}

/* PUBREL for what has been received. */
static inline void model_release(struct model *m, struct model_client *c)
{
    for (size_t i = 0; i < MODEL_OUT; i++) {
        struct model_out *o = &c->out[i];
        if (o->id && m->messages[o->number].qos == 2 && !o->released) {
            o->released = true;
            model_ack(m, c, MQTT_PUBREL, o->id);
        }
    }
    model_settle(m);
}

static inline bool model_answer(struct model *m, struct model_client *c)
{
    for (size_t i = 0; i < c->held_n; i++) {
        struct model_held *h = &c->held[i];
        if (h->received || !h->counted)
            continue;
        if (h->qos == 2) {
            h->received = true;
            model_ack(m, c, MQTT_PUBREC, h->id);
        } else {
            model_ack(m, c, MQTT_PUBACK, h->id);
            model_drop_held(c, i);
        }
        model_settle(m);
        return true;
    }
    return false;
}

/* ---- the broker's end ---- */

static inline void model_restart(struct model *m, bool power)
{
    if (!m->durable)
        return;
    world_restart(&m->world, power ? ENV_SIM_POWER : ENV_SIM_KILL);
    for (size_t i = 0; i < MODEL_CLIENTS; i++) {
        struct model_client *c = &m->clients[i];
        bool there = c->open;
        int will = c->will, ghost = c->ghost;
        if (there) {
            peer_drop(model_peer(c));
            model_peer(c)->n = 0;
            c->will = -1;
            model_left(m, c, DUE_NO);
            c->will = will;
            c->ghost = ghost;
        }
        model_will_stays(m, c, there);
        memset(c->last, 0xFF, sizeof(c->last));
        c->unsure = c->exists;
        for (size_t k = c->held_n; k > 0; k--) /* they may come with another id */
            if (c->held[k - 1].qos == 1)
                model_drop_held(c, k - 1);
        if (c->exists)
            c->left_ns = sim_now_ns(m->world.sim);
    }
    model_settle(m);
}

/* ---- one string ---- */

static inline void model_step(struct model *m)
{
    unsigned op = cursor_u8(&m->in), who = model_choice(m, MODEL_CLIENTS);
    struct model_client *c = &m->clients[who];
    unsigned choice = cursor_u8(&m->in);
    if (!c->open && op % 16 < 11)
        op = 11;
    model_trace(m, "%c: op %u, choice %u, v%u, expiry %u", (int)('a' + who), op % 16, choice,
                c->version, c->expiry_s);
    switch (op % 16) {
    case 0:
    case 1:
    case 2:
    case 3: model_publish(m, who, choice); break;
    case 4:
    case 5: model_subscribe(m, c, choice % MODEL_FILTERS, choice / 8 % 3, choice >= 224); break;
    case 6:
    case 7: (void)model_answer(m, c); break;
    case 8: model_release(m, c); break;
    case 9: model_leave(m, c, choice % 3); break;
    case 10: model_nonsense(m, c, choice); break;
    case 11: model_connect(m, who, choice); break;
    case 12: model_stranger(m); break;
    case 13: model_restart(m, choice & 1); break;
    default: world_wait_ms(&m->world, choice % 4 ? 1000 : 60000); model_settle(m);
    }
}

/* Everyone whose session is there comes back and takes all. */
static inline void model_drain(struct model *m)
{
    for (unsigned i = 0; i < MODEL_CLIENTS; i++) {
        struct model_client *c = &m->clients[i];
        if (!c->open && c->exists)
            model_connect(m, i, 16); /* 5.0, kept, never ends */
        while (c->open && model_answer(m, c))
            continue;
    }
}

static inline void model_check_end(struct model *m)
{
    for (size_t i = 0; i < MODEL_CLIENTS; i++) {
        const struct model_client *c = &m->clients[i];
        if (!c->exists)
            continue;
        ASSERT(c->held_n == 0);
        for (size_t n = 0; n < m->messages_n; n++) {
            if (c->due[n] == DUE_YES && !c->got[n])
                model_trace(m, "%c has not got %zu", (int)('a' + i), n);
            ASSERT(c->due[n] != DUE_YES || c->got[n]);
        }
    }
}

static inline void mqtt_model_play(const uint8_t *data, size_t size)
{
    static struct model m;
    memset(&m, 0, sizeof(m));
    m.in = cursor_from(data, size);
    m.durable = cursor_u8(&m.in) & 1;
    m.world.light = !m.durable;
    m.world.seed = 1u + cursor_u8(&m.in);
    world_open(&m.world);
    peer_init(&m.stranger, &m.world);
    for (size_t i = 0; i < MODEL_CLIENTS; i++) {
        struct model_client *c = &m.clients[i];
        peer_init(&c->peers[0], &m.world);
        peer_init(&c->peers[1], &m.world);
        c->version = MQTT_V5;
        c->will = c->ghost = -1;
        model_forget(c);
    }
    for (unsigned step = 0; step < MODEL_STEPS && cursor_left(&m.in) > 2; step++)
        model_step(&m);
    for (int round = 0; round < 3; round++)
        model_drain(&m);
    model_check_end(&m);
    for (size_t i = 0; i < 2 * MODEL_CLIENTS; i++)
        peer_drop(&m.clients[i / 2].peers[i % 2]);
    world_close(&m.world);
}
