/* sim_peer_test: an MQTT client that keeps its side of a session as the standard says, whatever
 * happens to its connections. For the tests of site/ only.
 *
 * Why not client/mqtt_client.h: a test of what must last wants to hear of every packet, to take a
 * session over from a second connection, to leave at any instant without a word, and to use a
 * packet id again the moment it is free: always the lowest one that is. So who frees an id too
 * early is found.
 * QoS 2 is received by method B of [MQTT-4.3.3]: an id is remembered from its PUBLISH to its
 * PUBREL. A connection that is lost comes back by itself as long as the peer is wanted.
 * Ownership: embedded in its owner; it ends with the street's executor. Threads: its worker's, and
 * from events of the world (between ticks). Errors: a failed CHECK sets `broken`. */
#pragma once

#include "net/stream.h"
#include "site/sim_rig_test.h"

enum { PEER_WINDOW = 8, PEER_PAYLOAD = 480, PEER_RECEIVED = 64, PEER_FILTERS = 2 };

struct peer_publication {
    uint16_t id;
    uint8_t qos;
    bool retain, sent, released;
    int number; /* the owner's */
    char topic[32];
    uint8_t payload[PEER_PAYLOAD];
    size_t n;
};

struct sim_peer {
    /* Set before peer_init(). */
    struct worker *worker;
    struct addr addr;
    const char *id;
    enum mqtt_version version;
    bool clean;
    uint32_t expiry_s;                 /* 5.0 */
    const char *filters[PEER_FILTERS]; /* subscribed to whenever the session does not have them */
    uint8_t qos;                       /* of these */
    uint64_t seed;
    void *ctx;
    void (*connecting)(struct sim_peer *p, struct mqtt_connect *m); /* may add a will */
    void (*online)(struct sim_peer *p, bool present);
    void (*message)(struct sim_peer *p, const struct mqtt_publish *m);
    void (*taken)(struct sim_peer *p, int number); /* PUBACK, or PUBREC */

    /* To be read. */
    bool connected;  /* CONNACK has come */
    bool granted;    /* by SUBACK, in this life of the session */
    bool subscribed; /* asked for, in this life */
    bool broken;
    int64_t dialed_ns;
    int lives; /* of the session: 1 behind the first CONNACK, and one more whenever it was not
                  present */

    /* Its own. */
    struct task task;
    struct timer again;
    struct random random;
    struct stream *stream, *ghost; /* ghost: was taken over */
    bool wanted, said_hello;
    struct peer_publication flight[PEER_WINDOW];
    int flight_n;
    uint16_t received[PEER_RECEIVED];
    int received_n;
};
void peer_init(struct sim_peer *p);
void peer_come(struct sim_peer *p);      /* connects, and again after a loss */
void peer_leave(struct sim_peer *p);     /* with DISCONNECT, and stays away */
void peer_drop(struct sim_peer *p);      /* without a word, and stays away */
void peer_take_over(struct sim_peer *p); /* by a second connection; nothing if there is none */
/* The server has lost its power: so the connection is lost, too. It waits for peer_site_is_back().
 */
void peer_site_is_gone(struct sim_peer *p);
void peer_site_is_back(struct sim_peer *p);
/* False: its window is full. */
bool peer_publish(struct sim_peer *p, const char *topic, const char *payload, uint8_t qos,
                  bool retain, int number);
