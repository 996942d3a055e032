/* mqtt_client_internal: the client's state, shared by its files; private to this folder.
 *
 * mqtt_client.c is the connection's life, mqtt_client_new.c its beginning, mqtt_client_host.c where
 * it goes, mqtt_client_packet.c what comes in, mqtt_client_receive.c messages of the server,
 * mqtt_client_flight.c messages on their way out, mqtt_client_subs.c subscriptions,
 * mqtt_client_alias.c topic aliases either way, mqtt_client_auth.c enhanced authentication. */
#pragma once

#include "async/timer.h"
#include "client/mqtt_client.h"

#define PART "mqtt-client"

enum {
    MQTT_IDS = 65535,
    RECEIVED_BYTES = 65536 / 8,
    ALIASES_MAX = 64,
    ADDRS_MAX = 8,
    ACK_ROOM = 64
};

enum client_state {
    CLIENT_START,      /* connects at the next poll */
    CLIENT_WAITING,    /* for the back-off's end */
    CLIENT_LOOKING,    /* for the addresses of its host */
    CLIENT_CONNECTING, /* for the stream */
    CLIENT_HELLO,      /* for CONNACK */
    CLIENT_ONLINE,
    CLIENT_LEAVING, /* DISCONNECT is sent; for the server's end */
    CLIENT_ENDED,
};

/* A QoS 1 or 2 message until its last acknowledgement. */
enum flight_state { FLIGHT_UNSENT, FLIGHT_SENT, FLIGHT_REL_UNSENT, FLIGHT_REL_SENT };
struct flight {
    struct list link;
    struct mqtt_done done;
    uint16_t id;
    uint8_t qos;
    enum flight_state state;
    size_t size;
    uint8_t packet[]; /* as on the wire, without an alias */
};

enum sub_state { SUB_WANTED, SUB_SENT, SUB_ON, SUB_UNWANTED, SUB_UNWANTED_SENT };
struct subscription {
    struct list link;
    struct mqtt_done done;
    enum sub_state state;
    uint16_t id;           /* of the packet that was sent */
    uint32_t subscription; /* identifier */
    size_t wire_n, raw_n;
    uint8_t wire[]; /* length, filter, options: the body of SUBSCRIBE; then user properties */
};

/* Topics by alias: [0] is alias 1. Owned copies. */
struct aliases {
    struct str *topics;
    uint16_t max, next; /* next: whose turn it is to be replaced */
};

/* What the server's CONNACK allows. */
struct server_limits {
    uint16_t receive_max;
    uint32_t packet_max; /* 0: none */
    uint8_t qos_max;
    uint16_t keep_alive_s;
    bool retain, wildcards, shared, subscription_ids;
};

struct mqtt_client {
    struct task task;
    struct timer timer; /* its meaning is the state's: back-off, connect timeout, keep-alive */
    struct worker *worker;
    struct mqtt_client_config cfg;
    enum client_state state;
    bool stopping, timer_fired, ping_sent, met_server, silent;

    uint8_t *hello; /* CONNECT as configured; `connect` borrows from it */
    size_t hello_n;
    struct mqtt_connect connect;
    uint8_t *bye; /* DISCONNECT of mqtt_client_stop_with() */
    size_t bye_n;
    char *assigned_id; /* connect.client_id then borrows from it */
    size_t assigned_id_n;

    struct addr addrs[ADDRS_MAX];
    size_t addrs_n, addr_at; /* addr_at: the one in use */
    char *host;              /* owned; NULL: the addresses never change */
    size_t host_n;
    bool look_again;
    struct addr_asking *asking; /* NULL: nobody looks the host up */
    struct conn_pool *pool;
    bool own_pool;
    struct conn_request request;
    struct stream *stream; /* taken from the pool; NULL when there is none */
    struct mqtt_decoder decoder;
    struct server_limits server;
    const struct mqtt_props *said; /* of the packet that is being handled */
    unsigned attempts;
    uint32_t connections; /* that came on-line; numbers receipts */
    int64_t backoff_ms, online_since_ns;
    struct random random;

    struct list flights; /* in order of publishing */
    struct list *unsent; /* the first that waits to be sent, or &flights */
    size_t flights_n, flights_bytes, sent_n;
    uint16_t last_id;
    unsigned free_ids; /* so many ids behind last_id are surely free */
    struct list subs;
    size_t subs_n;
    uint8_t *received;   /* a bit for each QoS 2 id that awaits PUBREL; made when first needed */
    unsigned received_n; /* their number */
    unsigned unacked_n;  /* QoS 1 messages that await mqtt_client_ack() */
    struct aliases aliases_in, aliases_out;
    bool reauth;
    struct mqtt_done reauth_done;
};

/* mqtt_client_new.c */
void client_free(struct mqtt_client *c);

/* mqtt_client.c */
enum poll client_poll(struct task *t);
void client_finished(struct task *t);
void client_timer_fired(struct timer *t);
/* Gives the connection up. Safe in any state; the caller returns to the poll soon after. */
void client_drop(struct mqtt_client *c, enum err err, uint8_t reason, const char *text);
/* Encodes into the send queue; a packet that does not fit costs the connection. */
void client_send(struct mqtt_client *c, const struct mqtt_packet *p);
/* A packet id that is not 0 and not in use. */
uint16_t client_next_id(struct mqtt_client *c);
/* How far the id is ahead of `from`, around the circle of ids. */
static inline unsigned id_distance(uint16_t from, uint16_t id)
{
    return (unsigned)(id + MQTT_IDS - from) % MQTT_IDS;
}

/* mqtt_client_host.c */
MUST_USE enum err host_keep(struct mqtt_client *c, const struct mqtt_client_config *cfg);
void host_forget(struct mqtt_client *c);
void host_lost(struct mqtt_client *c,
               bool was_online); /* chooses the address for the next attempt */
/* The addresses to be tried now. ERR_AGAIN: the task will be woken; ERR_NOT_FOUND: *e says why. */
MUST_USE enum err host_look(struct mqtt_client *c, struct error *e);
/* It takes too long. ERR_TIMEOUT: there is no address at all. */
MUST_USE enum err host_late(struct mqtt_client *c);

/* mqtt_client_packet.c */
void client_read(struct mqtt_client *c);

/* mqtt_client_receive.c */
void receive_publish(struct mqtt_client *c, const struct mqtt_publish *received);
void receive_pubrel(struct mqtt_client *c, const struct mqtt_ack *a);
void receive_online(struct mqtt_client *c, bool session_present);

/* mqtt_client_flight.c */
void flights_flush(struct mqtt_client *c);
void flights_lost(struct mqtt_client *c); /* the connection is gone: all will be sent again */
void flights_online(struct mqtt_client *c, bool session_present);
void flights_ack(struct mqtt_client *c, enum mqtt_type type, const struct mqtt_ack *a);
void flights_cancel(struct mqtt_client *c);
unsigned flights_free_ids(const struct mqtt_client *c, uint16_t from);

/* mqtt_client_subs.c */
void subs_flush(struct mqtt_client *c);
void subs_lost(struct mqtt_client *c);
void subs_online(struct mqtt_client *c, bool session_present);
void subs_ack(struct mqtt_client *c, enum mqtt_type type, const struct mqtt_suback *a);
void subs_cancel(struct mqtt_client *c);
unsigned subs_free_ids(const struct mqtt_client *c, uint16_t from);

/* mqtt_client_alias.c */
void aliases_fini(struct mqtt_client *c);
/* A new connection knows none. `out_max`: so many the server takes. */
void aliases_online(struct mqtt_client *c, uint16_t out_max);
/* Puts the topic in the place of its alias; false: the connection was given up. */
bool alias_resolve(struct mqtt_client *c, struct mqtt_publish *m);
/* Puts an alias in the place of the topic, or beside it, where that is possible. */
void alias_shorten(struct mqtt_client *c, struct mqtt_publish *m);

/* mqtt_client_auth.c */
/* Our first data goes into CONNECT. False: the connection was given up. */
bool auth_start(struct mqtt_client *c, struct mqtt_connect *connect, struct strbuf *data);
void auth_packet(struct mqtt_client *c, const struct mqtt_end *e);
/* CONNACK may hold the server's last word; false: it is not believed. */
bool auth_connack(struct mqtt_client *c, const struct mqtt_connack *a);
void auth_lost(struct mqtt_client *c, enum err err);

static inline void client_done(struct mqtt_done done, enum err err, uint8_t reason)
{
    if (done.fn)
        done.fn(done.ctx, err, reason);
}
