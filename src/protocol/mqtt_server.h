/* mqtt_server: MQTT 3.1, 3.1.1 and 5.0 for devices and people: listeners, connections, sessions.
 *
 * Why: the way into the house. A connection is a task that reads all that has come, routes it and
 * writes once a tick; a session is what outlives it: subscriptions, messages in flight, a queue.
 * Promise: a PUBACK, PUBREC, PUBCOMP, SUBACK, UNSUBACK or CONNACK that something durable depends on
 * leaves after the commit of its record, and never if the commit failed; so do a PUBLISH at QoS 2
 * to a stored session, and its PUBREL, so that not even a crash delivers it twice.
 * Queues are bounded by messages and bytes; of a stored session's long queue only both ends are in
 * memory. What a member of a share holds goes to another one when its session ends, over a restart
 * too, and the journal says who has what.
 * What a site leaves out (limits.without) is told in CONNACK and refused with its reason code.
 * Wills outlive the process, too (mqtt_will.h): mqtt_server_close() publishes those of connected
 * clients that have no delay; those that wait, and all when the process is killed, are published
 * after the next start, unless their client is back.
 * Ownership: the server owns its listeners, connections and sessions.
 * Threads: building and listening before the executor runs, closing behind it, all on one thread;
 * each() and checkpoint() are worker 0's, stats() is for any. A session, and so its connection,
 * lives on the worker that its client id belongs to: a connection that was accepted elsewhere moves
 * there with its CONNECT unread (net/stream_move.h), so that a take-over, a will, an expiry are
 * that worker's alone. Limits are the site's, whichever worker counts, and fixed at the start.
 * Errors: start-up only; afterwards connections are closed with a reason, and counted.
 * Source: OASIS MQTT 3.1.1 and 5.0, MQTT 3.1 (IBM, 2010); docs/decisions/0003 for publications that
 * are denied. */
#pragma once

#include "auth/access.h"
#include "auth/enhanced.h"
#include "auth/password.h"
#include "base/metric.h"
#include "bus/bus.h"
#include "net/listener.h"

/* What a message meets that finds the queue of a session full. QoS 0 is always dropped. */
enum mqtt_full {
    MQTT_FULL_DEFAULT,     /* the oldest */
    MQTT_FULL_DROP_OLDEST, /* to make room for it */
    MQTT_FULL_DROP_NEWEST, /* itself */
    MQTT_FULL_REFUSE,      /* it is not published at all: 0x97 to its publisher. What is not a
                            * client's (a will, the site's own) is dropped for this session */
};

struct mqtt_limits {               /* 0: the default */
    size_t connections_max;        /* 20,000 */
    size_t sessions_max;           /* off-line ones too; 100,000 */
    size_t subscriptions_max;      /* of one client; 10,000 */
    size_t queue_max;              /* messages that wait for one client; 100,000 */
    size_t queue_bytes_max;        /* the same in bytes; 64 MiB; but */
    size_t queue_stored_bytes_max; /* of a stored session, on disk for the most part; 1 GiB */
    size_t queue_total_bytes_max;  /* of all clients, in memory; 512 MiB; see enum queue_kind */
    size_t will_bytes_max; /* of the wills of all clients: what they take in memory; 64 MiB */
    enum mqtt_full queue_full;
    /* What a stored session keeps in memory of each end of its queue; the rest waits in the
     * database: 1,000 messages, and 1 MiB. */
    size_t queue_memory_max, queue_memory_bytes_max;
    uint32_t packet_size_max;      /* 1 MiB; at most 16 MiB */
    uint16_t receive_max;          /* publications that wait for their PUBACK; 1,024 */
    uint16_t inflight_max;         /* sent to one client and not acknowledged; 8,192 */
    uint16_t topic_alias_max;      /* 16 */
    uint32_t session_expiry_max_s; /* default: none */
    uint32_t connect_timeout_ms;   /* from the TCP connection to CONNECT; 10,000. Our answer to it
                                      may take six times as long */
    uint16_t keep_alive_max_s;     /* 5.0: more, or none, becomes this; default: as they like */
    unsigned without;              /* bits of enum mqtt_without: told in CONNACK, and refused */
};
enum mqtt_without {
    MQTT_WITHOUT_QOS2 = 1, /* also refuses wills that have it; who subscribes at 2 is granted 1 */
    MQTT_WITHOUT_RETAIN = 2,
    MQTT_WITHOUT_WILDCARDS = 4,
    MQTT_WITHOUT_SHARES = 8,
    MQTT_WITHOUT_SUBSCRIPTION_IDS = 16,
};
struct mqtt_server_config {
    struct executor *ex;
    struct bus *bus;
    struct journal *journal; /* NULL: nothing lasts; else open and not yet replayed */
    struct db *db;           /* NULL only without a journal */
    struct alloc *alloc;     /* any thread may use it */
    struct metrics *metrics; /* may be NULL */
    struct access *access;   /* rules of access, as they stand in it now; may be NULL */
    int64_t sys_interval_ms; /* of the topics below $SYS; 0: there are none */
    struct mqtt_limits limits;
};
struct mqtt_server;
/* Before journal_replay(): reads the sessions and adds the consumer. */
MUST_USE enum err mqtt_server_new(struct mqtt_server **out, const struct mqtt_server_config *cfg,
                                  struct error *e);
/* Nobody new is let in, nothing more is read; what was published is acknowledged once it lasts,
 * then each client is told (5.0: 0x8B, server shutting down) and its connection ends. `done`, on
 * worker 0, when the last one is gone. Once, while the executor runs; who has no patience for that
 * calls executor_stop(). */
void mqtt_server_stop(struct mqtt_server *s, void (*done)(void *ctx), void *ctx);
/* After executor_run(), before the bus goes: closes what is left, stores the sessions. */
void mqtt_server_close(struct mqtt_server *s);

struct mqtt_listen {
    struct addr addr;
    const struct stream_via *via;    /* TLS, WebSocket; NULL: plain; outlives the server */
    bool anonymous;                  /* clients without a user name are let in */
    bool certificates;               /* a client with a certificate is its common name */
    struct password_file *passwords; /* NULL: a user name is taken as it is (anonymous only) */
    const struct enhanced_method *const *methods; /* ended by NULL; may be NULL */
};
/* *out is for mqtt_server_addr(), and may be NULL. */
MUST_USE enum err mqtt_server_listen(struct mqtt_server *s, const struct mqtt_listen *cfg,
                                     struct listener **out, struct error *e);

/* In force, with the defaults. */
const struct mqtt_limits *mqtt_server_limits(const struct mqtt_server *s);

/* For people and the API; strings are borrowed for the call. */
struct mqtt_client_info {
    struct str client_id, user;  /* user.p NULL: none */
    char address[ADDR_TEXT_MAX]; /* "" while off-line */
    uint8_t version;             /* 4 or 5; 0 while off-line */
    int64_t connected_ms;        /* 0 while off-line */
    bool clean;                  /* the session ends with the connection */
    uint64_t received, sent;     /* messages on this connection */
    size_t subscriptions, queued;
};
/* Every connected client and every session that waits for one; who comes or goes meanwhile may be
 * missing. Worker 0; each() must not call the server. */
void mqtt_server_each(struct mqtt_server *s,
                      void (*each)(void *ctx, const struct mqtt_client_info *info), void *ctx);

enum mqtt_drop {
    MQTT_DROP_QUEUE_FULL, /* by a full queue: the oldest message, or the newest */
    MQTT_DROP_QOS0_FULL,  /* QoS 0 for a client that does not keep up */
    MQTT_DROP_EXPIRED,    /* its expiry interval was over */
    MQTT_DROP_TOO_LARGE,  /* above what the client can take */
    MQTT_DROP_DENIED,     /* not allowed to be published */
    MQTT_DROP_WITHHELD,   /* not allowed to be received */
    MQTT_DROP_NO_MEMORY,
    MQTT_DROP_NO_ROOM, /* not stored: the disk is full */
    MQTT_DROP_COUNT,
};
const char *mqtt_drop_name(enum mqtt_drop reason); /* "queue full" */

struct mqtt_stats {
    uint64_t received, sent; /* messages */
    uint64_t connects, refused, protocol_errors;
    size_t connections, sessions, queued;
    size_t queued_bytes;
    uint64_t dropped[MQTT_DROP_COUNT];
};
struct mqtt_stats mqtt_server_stats(const struct mqtt_server *s);
/* Writes sessions and their cursor to the database, as bus_checkpoint(). */
void mqtt_server_checkpoint(struct mqtt_server *s);
