/* sim_internal: what the files of the simulated world share.
 *
 * event.c       the queue of events: a pairing heap (Fredman et al. 1986), by time, then by order
 * env_sim.c     world and machines
 * net_sim.c     sockets: names, connecting, closing
 * net_pipe.c    one direction of a connection: window, pieces, arrival
 * net_driver.c  the driver: operations and completions */
#pragma once

#include "async/sim/env_sim.h"
#include "base/vec.h"

/* --- events --- */

struct event_queue {
    struct env_event *root;
    uint64_t order;
};
void event_push(struct event_queue *q, struct env_event *ev, int64_t at_ns); /* not set */
void event_remove(struct event_queue *q, struct env_event *ev);              /* set */

/* --- world and machines --- */

struct sim {
    struct alloc *alloc;
    struct clock clock;
    int64_t now_ns, wall_base_ms;
    struct event_queue queue;
    struct sim_config cfg;
    struct random work, net;
    struct list machines;
    uint32_t machines_made;
    uint64_t trace, events;
    struct net_sim_stats stats;
    bool halted;
};

/* What a tick of a worker takes that has more to do: time passes for who is busy, too. */
#define TICK_NS 1000

struct net_socket;
struct net_driver;
struct env_sim {
    struct env env;
    struct sim *sim;
    struct list link;
    struct disk_sim *disk;
    struct random entropy;
    uint32_t ip; /* host byte order */
    char host[16];
    bool on;   /* a program may run */
    bool dark; /* no power: nothing answers */

    struct executor *booted; /* its ticks are `turn` */
    struct env_event turn, went;
    struct env_event *told; /* of env_sim_off_at_call() */
    bool in_turn;

    struct list held[ENV_WORKS];
    bool holding[ENV_WORKS];

    struct net_driver *driver;        /* of the executor that lives on it; or NULL */
    VEC(struct net_socket *) sockets; /* by descriptor */
    uint16_t next_port;
    int64_t isolated_until_ns;
};
struct env_sim *machine_of(struct env *env);
/* The machine's worker shall tick (again) soon: something came for it. */
void machine_wake(struct env_sim *m);
bool event_set(const struct env_event *ev);
/* min_ns … max_ns, both included. */
int64_t span_draw(struct random *r, int64_t min_ns, int64_t max_ns);

/* --- the network --- */

enum { NET_FD_FIRST = 1 << 24, NET_PIECES = 64, NET_BACKLOG = 128 };

/* What is on its way to a socket, and what has arrived there. Positions count bytes from the
 * beginning of the connection: read <= arrived <= sent <= read + size. */
struct net_piece {
    int64_t at_ns;
    size_t n;
};
enum net_end { NET_END_NONE, NET_END_FIN, NET_END_RESET };
struct net_pipe {
    struct env_event arrival;
    uint8_t *ring;
    size_t size;
    uint64_t read, arrived, sent;
    struct net_piece piece[NET_PIECES];
    unsigned first, count;
    enum net_end end; /* behind the last byte; at end_at_ns */
    int64_t end_at_ns;
    bool ended; /* the end has arrived */
};

/* What happens next to a socket that connects: its call arrives, or the answer does. */
enum net_handshake { NET_CALL, NET_TAKEN, NET_REFUSED };
enum net_state { NET_NEW, NET_LISTENING, NET_CONNECTING, NET_CONNECTED };
struct net_socket {
    struct env_sim *machine, *peer_machine;
    struct net_socket *other;           /* NULL: it is not there any more */
    struct list ready;                  /* in the driver's list: look at its reader */
    struct list backlog;                /* listening: of those that nobody accepted yet */
    unsigned waiting;                   /* in it */
    struct env_event step, room, reset; /* connecting; the window has opened; a reset arrives */
    struct net_pipe in;
    struct io_op *reader, *writer;
    struct sockaddr_storage name, peer;
    socklen_t name_len, peer_len;
    int64_t delay_ns;
    size_t unheard; /* bytes that were sent to nobody */
    unsigned tries;
    int fd, error; /* errno that ended it */
    enum net_state state;
    enum net_handshake handshake;
    bool send_ended, silent;
};

/* net_pipe.c. Takes what the window has room for, and sends it off. */
size_t pipe_put(struct net_socket *to, const uint8_t *p, size_t n);
void pipe_end(struct net_socket *to, enum net_end end);
size_t pipe_room(const struct net_socket *to);
/* What has arrived, in one piece. */
size_t pipe_look(const struct net_socket *s, const uint8_t **p);
void pipe_consume(struct net_socket *s, size_t n);
MUST_USE bool pipe_init(struct net_socket *s);
void pipe_fini(struct net_socket *s);

/* net_sim.c */
struct net_socket *net_socket_of(struct env_sim *m, int fd); /* NULL: there is none */
bool net_reachable(const struct env_sim *a, const struct env_sim *b);
/* One way, for one piece or packet of this connection, losses included. */
int64_t net_delay(struct net_socket *s);
void net_connect(struct net_socket *s, const struct sockaddr *sa, socklen_t len);
/* As much of the writer's bytes as goes; completes it if that is all. */
void net_send(struct net_socket *s);
/* The first connection that waits to be accepted, with a descriptor; NULL: none. */
struct net_socket *net_accept(struct net_socket *listener);
bool net_readable(const struct net_socket *s);
bool net_writable(const struct net_socket *s);
void net_failed(struct net_socket *s, int os_errno); /* ends it, and its operations */
void net_close(struct net_socket *s);                /* and frees it */
/* The machine's connections are over: without a word, or with a reset for each peer. */
void net_off(struct env_sim *m, bool silent);
extern const struct io_socket_ops sim_sockets;

/* net_driver.c */
void driver_readable(struct net_socket *s); /* its reader may go on */
void driver_writable(struct net_socket *s);
void driver_complete(struct env_sim *m, struct io_op *op, int result); /* from the next wait() */
struct env_sim *driver_machine(struct io_driver *d);
void driver_forget(struct net_socket *s);
