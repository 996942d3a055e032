/* mqtt_model: correct MQTT clients that do what a string of bytes tells them, and check all that a
 * broker answers. For the fuzzer of sessions and for tests with random strings.
 *
 * What is done: connecting (clean or not, with a session that ends at once, in 20 s or never, with
 * or without a will, 5.0 or 3.1.1), taking over, leaving with and without a word, subscribing,
 * publishing at every QoS, also and at once losing the connection, acknowledging in pieces, sending
 * what is no MQTT, strangers, time, and the broker's end (kill, power cut).
 * What must hold, whatever was done:
 *   - all that comes is well-formed, for this version, and asked for
 *   - packet ids are not 0, not in use; DUP is for what was sent before, with its id, in order
 *   - not more is open than the client's Receive Maximum
 *   - fresh messages of one publisher, topic and QoS come in their order
 *   - nothing comes twice at QoS 2; nothing comes that nobody has sent, or for no subscription
 *   - a session is there exactly if it should be
 *   - what was acknowledged, for a session that is there, has come at the end
 *   - wills come if they must, and not if they must not
 * All are ASSERTs, so a finding is a crash of the fuzzer; SEDGE_MODEL_TRACE=1 in the environment
 * shows the way to it. */
#pragma once

#include "codec/mqtt.h"
#include "tests/support/mqtt_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MODEL_CLIENTS = 3,
    MODEL_TOPICS = 3,
    MODEL_FILTERS = 5,
    MODEL_MESSAGES = 300, /* then nothing more is published */
    MODEL_HELD = 64,
    MODEL_OUT = 6,
    MODEL_STEPS = 400,
};

/* Whether a client must get a message. */
enum model_due { DUE_NO, DUE_MAYBE, DUE_YES };

struct model_message {
    uint8_t publisher, topic, qos;
    bool loose; /* a will, or sent again at QoS 1: it may come late, and twice */
};
/* Received and not finished, in the order in which it came. */
struct model_held {
    uint16_t id, number;
    uint8_t qos;
    bool received; /* PUBREC was sent */
    bool counted;  /* came on this connection */
};
/* Sent and not finished. */
struct model_out {
    uint16_t id, number; /* id 0: free */
    bool released;       /* PUBREL was sent */
    bool known;          /* at QoS 2: the broker has it, perhaps for long */
};
struct model_client {
    struct peer peers[2];
    unsigned now;      /* which of them */
    bool open, exists; /* connected; has a session */
    bool unsure,
        cut; /* after a restart; after a connection that was lost with bytes on their way */
    uint8_t version;
    uint32_t expiry_s;
    uint16_t receive_max, next_id;
    int64_t left_ns;
    uint8_t granted[MODEL_FILTERS]; /* 0: not subscribed; else QoS + 1 */
    struct model_held held[MODEL_HELD];
    size_t held_n;
    struct model_out out[MODEL_OUT];
    uint8_t due[MODEL_MESSAGES];
    uint8_t got[MODEL_MESSAGES];
    int last[MODEL_CLIENTS][MODEL_TOPICS][3]; /* number of the last fresh one; -1: none */
    int will;                                 /* its message; -1: none */
    int64_t will_delay_ns;
    int64_t will_due_ns, will_late_ns; /* off-line: it comes between these */
    bool will_lost;                    /* the broker ended before it was due */
    bool will_unsure;                  /* it may have been over before */
    int ghost;        /* the will that was over at ghost_ns, which the broker may not have stored */
    int64_t ghost_ns; /* at once; -1: none */
    unsigned resent;  /* of held: how far the second sending has come on this connection */
};
struct model {
    struct world world;
    struct cursor in;
    struct model_client clients[MODEL_CLIENTS];
    struct peer stranger;
    struct model_message messages[MODEL_MESSAGES];
    uint16_t messages_n;
    bool durable;
};

static const char *const model_topics[MODEL_TOPICS] = {"t/0", "t/1", "u"};
static const char *const model_filters[MODEL_FILTERS] = {"t/0", "t/1", "u", "t/+", "#"};

static inline void model_trace(struct model *m, const char *format, ...)
{
    va_list args;
    if (!getenv("SEDGE_MODEL_TRACE"))
        return;
    va_start(args, format);
    (void)fprintf(stderr, "%9.3f ", (double)sim_now_ns(m->world.sim) / 1e9);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
}

static inline unsigned model_choice(struct model *m, unsigned n)
{
    return cursor_u8(&m->in) % n;
}

static inline struct peer *model_peer(struct model_client *c)
{
    return &c->peers[c->now];
}

static inline bool model_matches(unsigned filter, unsigned topic)
{
    return mqtt_filter_match(str_from(model_filters[filter]), str_from(model_topics[topic]));
}

/* The highest QoS granted for the topic, plus 1; 0: none. */
static inline unsigned model_granted(const struct model_client *c, unsigned topic)
{
    unsigned best = 0;
    for (unsigned f = 0; f < MODEL_FILTERS; f++)
        if (model_matches(f, topic) && c->granted[f] > best)
            best = c->granted[f];
    return best;
}

static inline void model_send(struct model *m, struct model_client *c, const struct mqtt_packet *p)
{
    uint8_t bytes[300];
    struct writer w = writer_from(bytes, sizeof(bytes));
    enum err err = mqtt_encode((enum mqtt_version)c->version, p, &w);
    ASSERT(!err);
    (void)m;
    peer_send(model_peer(c), bytes, writer_len(&w));
}

static inline void model_ack(struct model *m, struct model_client *c, enum mqtt_type type,
                             uint16_t id)
{
    const struct mqtt_packet p = {.type = type, .ack = {.id = id}};
    model_send(m, c, &p);
}

/* ---- sessions ---- */

static inline void model_forget(struct model_client *c)
{
    memset(c->granted, 0, sizeof(c->granted));
    memset(c->out, 0, sizeof(c->out));
    memset(c->due, 0, sizeof(c->due));
    memset(c->got, 0, sizeof(c->got));
    memset(c->last, 0xFF, sizeof(c->last));
    c->held_n = 0;
    c->exists = c->unsure = c->cut = false;
}

/* A message reaches the broker: who must get it. */
static inline void model_due(struct model *m, uint16_t number, enum model_due due)
{
    const struct model_message *x = &m->messages[number];
    for (size_t i = 0; i < MODEL_CLIENTS; i++) {
        struct model_client *c = &m->clients[i];
        unsigned granted = c->exists ? model_granted(c, x->topic) : 0;
        if (!granted)
            continue;
        bool sure = x->qos && granted > 1 && due == DUE_YES;
        if (c->due[number] != DUE_YES)
            c->due[number] = sure ? DUE_YES : DUE_MAYBE;
    }
}

/* It is in force no more. */
static inline void model_will_over(struct model *m, struct model_client *c)
{
    if (c->will >= 0) {
        c->ghost = c->will;
        c->ghost_ns = sim_now_ns(m->world.sim);
    }
    c->will = -1;
    c->will_lost = c->will_unsure = false;
}

/* Its session has ended, or a will that waited is due. */
static inline void model_will_sent(struct model *m, struct model_client *c, enum model_due due)
{
    if (c->will >= 0)
        model_due(m, (uint16_t)c->will, c->will_unsure && due == DUE_YES ? DUE_MAYBE : due);
    model_will_over(m, c);
}

/* How its time stands: 0 not over, 1 perhaps, 2 over. The broker looks once a second. */
static inline int model_over(int64_t now_ns, int64_t at_ns)
{
    return now_ns < at_ns ? 0 : now_ns < at_ns + 2500000000 ? 1 : 2;
}

/* What time alone has changed. */
static inline void model_time(struct model *m)
{
    int64_t now_ns = sim_now_ns(m->world.sim);
    for (size_t i = 0; i < MODEL_CLIENTS; i++) {
        struct model_client *c = &m->clients[i];
        if (c->open || (!c->exists && c->will < 0))
            continue;
        int over = !c->exists || c->expiry_s == UINT32_MAX
                       ? 0
                       : model_over(now_ns, c->left_ns + (int64_t)c->expiry_s * 1000000000);
        int due = c->will < 0                 ? 0
                  : now_ns < c->will_due_ns   ? 0
                  : now_ns <= c->will_late_ns ? 1
                                              : model_over(now_ns, c->will_late_ns);
        if (c->will >= 0 && (due == 2 || over == 2)) {
            model_will_sent(m, c, DUE_YES);
        } else if (c->will >= 0 && (due || over)) { /* now, or a little later */
            model_due(m, (uint16_t)c->will, DUE_MAYBE);
            c->will_unsure = true;
        }
        if (over == 2)
            model_forget(c);
    }
}

/* The connection has ended; `will`: what becomes of it. */
static inline void model_left(struct model *m, struct model_client *c, enum model_due will)
{
    c->open = false;
    c->left_ns = sim_now_ns(m->world.sim);
    for (size_t i = 0; i < c->held_n; i++)
        c->held[i].counted = false;
    if (will == DUE_NO)
        model_will_over(m, c);
    if (!c->expiry_s || !c->will_delay_ns)
        model_will_sent(m, c, will);
    else
        c->will_due_ns = c->will_late_ns = c->left_ns + c->will_delay_ns;
    if (!c->expiry_s)
        model_forget(c);
}

/* The broker has ended without a word, and is back; its client was `there`, or not. What is over
 * is on disk a second later. */
#define MODEL_GRACE_NS INT64_C(90000000000) /* these clients have no keep-alive */
#define MODEL_LAZY_NS  INT64_C(2500000000)
static inline void model_will_stays(struct model *m, struct model_client *c, bool there)
{
    int64_t now_ns = sim_now_ns(m->world.sim);
    if (c->will < 0 && c->ghost >= 0 && now_ns < c->ghost_ns + MODEL_LAZY_NS) {
        c->will = c->ghost;
        c->will_unsure = true;
        c->will_due_ns = now_ns;
    } else if (there) {
        c->will_due_ns = now_ns + MODEL_GRACE_NS; /* no delay is longer */
    }
    if (c->will_late_ns < now_ns + MODEL_GRACE_NS || there || c->will_unsure)
        c->will_late_ns = now_ns + MODEL_GRACE_NS;
    c->will_lost = c->will >= 0;
}
