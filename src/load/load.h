/* load: loads an MQTT broker, any broker, and says what it did with the messages.
 *
 * Why: a figure about a broker is worth something only if nothing was lost, doubled or reordered
 * while it was taken, if every broker was asked the same, and if the asking costs much less than
 * the answering. So this is no client library: one thread, one epoll, packets made from a pattern,
 * one write for each connection and turn, many messages with each read. Every payload carries its
 * run, publisher, number and the time at which it was due.
 *
 * Closed loop (rate 0): each publisher has at most `window` messages on their way and sends again
 * when half of them have arrived: what a broker can do at most, without drowning it. Open loop:
 * message k is due at start + k / rate whatever the broker does, and its latency counts from then:
 * a broker that stalls is charged for all that should have been sent meanwhile (no coordinated
 * omission).
 *
 * The broker's processor time is that of the process `pid`, in user and kernel mode, all threads,
 * during the seconds that count; with none it is not told. Ownership: the configuration's texts are
 * borrowed for the call. Threads: the caller's. Errors: struct error says why a run could not be
 * had. Lost messages are a result, not an error. */
#pragma once

#include "base/stats.h"
#include "codec/mqtt.h"
#include "net/addr.h"

#include <sys/types.h>

enum load_scenario {
    LOAD_FAN_IN,  /* each publisher its own topic; the subscribers have all of them */
    LOAD_FAN_OUT, /* the publishers' topics, each subscribed by every subscriber */
    LOAD_PAIRS,   /* publisher i to subscriber i */
    LOAD_SHARED,  /* one shared subscription, of which every subscriber is a member */
    LOAD_IDLE,    /* connections that wait: the broker's memory for each */
};

enum { LOAD_PAYLOAD_MIN = 24, LOAD_PAYLOAD_MAX = 128 << 10, LOAD_CONNECTIONS_MAX = 1 << 20 };

struct load_tls {
    bool on, insecure;       /* insecure: whoever answers */
    const char *ca;          /* file of certificates that are trusted; NULL: the system's */
    const char *server_name; /* must be in the server's certificate; NULL: any will do */
};

struct load_config {
    enum load_scenario scenario;
    struct addr broker;
    struct load_tls tls;
    enum mqtt_version version;
    bool has_user, has_password;
    struct str user, password;
    uint8_t qos; /* of publications and subscriptions */
    size_t publishers, subscribers;
    size_t payload;  /* bytes, at least LOAD_PAYLOAD_MIN */
    uint32_t window; /* messages on their way, for each publisher; closed loop */
    double rate;     /* messages a second of all publishers together; 0: closed loop */
    double warm_up_s, seconds;
    pid_t pid;       /* of the broker; 0: not known */
    bool persistent; /* the subscribers have sessions that last (removed at the end) */
    size_t sources;  /* addresses 127.x.y.z that connections come from; 0: the system's choice */

    /* LOAD_IDLE: `connections` in `steps`, each with a subscription of its own or none. */
    size_t connections, steps;
    bool subscribed;
};

struct load_result {
    double seconds; /* that counted */
    double cpu_s;   /* the broker's meanwhile; below 0: not known */
    /* Messages while it counted: handed to the kernel, acknowledged (QoS 1, 2), delivered to
     * subscribers. */
    uint64_t sent, acked, delivered;
    /* Over the whole run, after waiting for the rest: never came; came again; came after a later
     * one. */
    uint64_t lost, duplicated, reordered;
    uint64_t refused;            /* acknowledged with a reason of failure (5.0) */
    uint64_t acks_reordered;     /* acknowledgements not in the order of the publications */
    bool stalled;                /* nothing moved for a while though something was due */
    struct histogram latency_ns; /* due to delivered; closed loop: from the write */

    double idle_bytes; /* LOAD_IDLE: of the process, for each further connection */
    size_t connections;
};

/* Some 30 KiB: not for small stacks. */
MUST_USE enum err load_run(const struct load_config *cfg, struct alloc *alloc,
                           struct load_result *out, struct error *e);

/* The subscriptions' messages arrived complete, once and in order. */
bool load_sound(const struct load_result *r);
