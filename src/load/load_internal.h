/* load_internal: one run, as the files of this folder share it.
 *
 * load_run.c    the phases: open, warm up, measure, wait for the rest
 * load_plan.c   who publishes what and who subscribes to it
 * load_conn.c   sockets: opening them, reading, writing, epoll
 * load_tls.c    the same through OpenSSL
 * load_packet.c the packets of opening and ending a session, through the codec
 * load_send.c   the hot path out: publications from a pattern
 * load_take.c   the hot path in: deliveries and acknowledgements
 * load_idle.c   connections that wait */
#pragma once

#include "load/load.h"
#include "load/load_order.h"

enum {
    LOAD_BUFFER = 256 << 10, /* scratch for one direction, shared by all connections */
    LOAD_OPENING_MAX = 128,  /* connections that are being opened at once */
    LOAD_STALL_MS = 5000,
    LOAD_IDS = 65535,
};

_Static_assert(LOAD_PAYLOAD_MAX + 1024 <= LOAD_BUFFER, "a packet has room");

enum load_state {
    LOAD_UNOPENED,
    LOAD_CONNECTING, /* TCP */
    LOAD_HANDSHAKE,  /* TLS */
    LOAD_CONNACK,
    LOAD_SUBACK,
    LOAD_READY,
    LOAD_ENDED,
};

struct ssl_st;
struct ssl_ctx_st;

struct load_publisher {
    uint8_t *packet; /* one PUBLISH as a pattern */
    size_t packet_n, id_at, payload_at;
    size_t fan; /* subscribers that get each message */
    uint64_t sent, received /* PUBREC */, acked;
    uint64_t progress; /* numbers that have passed, added up over its subscribers */
    struct load_share share;
};

struct load_subscriber {
    size_t first, count;       /* publishers whose messages it gets */
    struct load_order *orders; /* for each of them */
    uint64_t *last;            /* shared: the last number + 1 of each */
    uint64_t reordered;        /* shared */
};

struct load_conn {
    int fd;
    uint8_t state; /* enum load_state */
    bool wants_out /* armed in epoll */, tls_wants_out;
    uint32_t index;
    struct ssl_st *ssl;
    uint8_t *rest; /* a packet's beginning, until its end comes */
    size_t rest_n, rest_cap;
    uint8_t *out; /* what the kernel did not take */
    size_t out_at, out_n, out_cap;
    struct load_publisher *pub; /* one of the two, or none (idle) */
    struct load_subscriber *sub;
};

struct load_run {
    const struct load_config *cfg;
    struct alloc *alloc;
    struct error *error; /* where fail() writes */
    bool failed;
    int epoll;
    struct ssl_ctx_st *tls;
    uint32_t id; /* of this run, in every payload */
    struct load_conn *conns;
    size_t conns_n, opened, ready;
    struct load_publisher *pubs;
    struct load_subscriber *subs;
    size_t pubs_n, subs_n;
    uint32_t inflight; /* what the broker allows and the window asks */
    bool ending;       /* DISCONNECT was sent: a closed connection is no failure */
    bool removing;     /* connects once more, to remove the sessions that last */
    int64_t now_ns, start_ns;
    uint64_t issued; /* open loop */
    uint64_t sent, acked, delivered, moved /* anything, to see a stall */;
    uint64_t refused, acks_reordered;
    struct histogram *latency;
    uint8_t *in, *out; /* LOAD_BUFFER each */
};

int64_t load_now_ns(void);
/* Notes the first failure of the run; always ERR_IO or what it is given. */
enum err load_fail(struct load_run *r, enum err err, const char *fmt, ...) PRINTF_LIKE(3, 4);
enum err load_fail_os(struct load_run *r, int os_errno, const char *what);

/* load_plan.c */
MUST_USE enum err load_plan(struct load_run *r);
void load_plan_free(struct load_run *r);
/* The filter that subscriber or idle connection `index` asks for, and the topic of a publisher. */
size_t load_filter(const struct load_run *r, size_t index, char out[64]);
size_t load_topic(const struct load_run *r, size_t publisher, char out[64]);

/* load_conn.c */
MUST_USE enum err load_conn_open(struct load_run *r, struct load_conn *c);
/* Opens up to `until` connections and returns when all of them are ready. */
MUST_USE enum err load_open_until(struct load_run *r, size_t until);
void load_conn_close(struct load_run *r, struct load_conn *c);
/* Sends, and keeps what the kernel does not take. */
void load_conn_send(struct load_run *r, struct load_conn *c, const uint8_t *p, size_t n);
/* Waits at most `timeout_ms`, then handles whatever is there. */
void load_turn(struct load_run *r, int timeout_ms);

/* load_tls.c: the SSL of a connection whose TCP is there; reads and writes as read(2) and write(2):
 * -1 with errno EAGAIN when it has to wait. */
MUST_USE enum err load_tls_open(struct load_run *r);
void load_tls_close(struct load_run *r);
MUST_USE enum err load_tls_begin(struct load_run *r, struct load_conn *c);
/* ERR_AGAIN until it is there. */
MUST_USE enum err load_tls_handshake(struct load_run *r, struct load_conn *c);
void load_tls_end(struct load_conn *c);
ssize_t load_tls_read(struct load_conn *c, void *p, size_t n);
ssize_t load_tls_write(struct load_conn *c, const void *p, size_t n);

/* load_packet.c */
void load_send_connect(struct load_run *r, struct load_conn *c);
/* CONNACK, SUBACK, DISCONNECT: whatever is not of the hot path. */
void load_take_other(struct load_run *r, struct load_conn *c, struct bytes packet);
void load_send_end(struct load_run *r, struct load_conn *c);
MUST_USE enum err load_make_pattern(struct load_run *r, size_t publisher);

/* load_send.c */
void load_publish(struct load_run *r); /* what is due or has room */
bool load_all_arrived(const struct load_run *r);

/* load_take.c: all whole packets in p; what is left of the last is kept. Returns the bytes used. */
size_t load_take(struct load_run *r, struct load_conn *c, const uint8_t *p, size_t n);

/* load_idle.c */
MUST_USE enum err load_idle(struct load_run *r, struct load_result *out);
