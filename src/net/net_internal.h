/* net_internal: a worker's pools of streams and blocks, and a stream's inside.
 *
 * Threads: the worker's. A stream's memory goes when it is closed and neither of its operations
 * is under way (stream_settle()). */
#pragma once

#include "async/io.h"
#include "async/timer.h"
#include "base/mpsc.h"
#include "base/pool.h"
#include "net/listener.h"

enum {
    NET_BLOCK_SIZE = 8 * 1024,
    NET_BLOCKS_MAX = 16 * 1024, /* 128 MiB in a worker's send queues and read buffers */
    NET_SMALL_SIZE = 128,
    NET_SMALL_MAX = 256 * 1024, /* 32 MiB */
    NET_STREAMS_MAX = 256 * 1024,
    NET_IOV_MAX = 256, /* pieces of one send */
};
#define NET_LARGE_MAX ((size_t)128 * 1024 * 1024) /* bytes in blocks that the pool has not */

/* Bytes that were received, or wait to be sent. Larger ones than the pool's come from the
 * allocator; what stands between two shared ones is mostly small. */
enum block_kind { BLOCK_POOLED, BLOCK_SMALL, BLOCK_LARGE, BLOCK_SHARED };
struct block {
    struct block *next;
    uint32_t start, end, cap;
    uint32_t kind;
    uint8_t *data; /* `bytes`, or what is shared */
    uint8_t bytes[] __attribute__((aligned(16)));
};
#define NET_BLOCK_ROOM (NET_BLOCK_SIZE - sizeof(struct block))
#define NET_SMALL_ROOM (NET_SMALL_SIZE - sizeof(struct block))
/* In a small block's bytes. */
struct block_shared {
    void (*release)(void *ctx);
    void *ctx;
};

struct block_queue {
    struct block *first, *last;
    size_t bytes;
};

struct net_worker {
    struct worker_local local;
    struct worker *worker;
    struct alloc *alloc;
    struct io_driver *io; /* NULL at the end, when the driver has gone */
    const struct io_socket_ops *socket;
    struct pool streams, senders, blocks, small;
    size_t large_bytes;
    struct net_scratch *scratch; /* layer.c; made at first use */
    struct list open, starved;   /* streams; starved: refused a block, woken when one is given */
    struct bytes lent;           /* the driver's, while it calls, */
    struct stream *lent_to;      /* for this one */
    struct mpsc_stack arriving;  /* streams that other workers have sent; stream_move.c */
    struct task arrivals;        /* takes them */
    bool prepared;               /* it runs */
};
struct net_worker *net_of(struct worker *w); /* NULL without memory */
void net_scratch_free(struct net_worker *net);
struct block *net_block_take(struct net_worker *net, size_t room);
void net_block_give(struct net_worker *net, struct block *b);
size_t net_blocks_left(const struct net_worker *net);
/* Copies behind the end, all or nothing. */
bool block_queue_add(struct net_worker *net, struct block_queue *q, const void *p, size_t n);
bool block_queue_add_shared(struct net_worker *net, struct block_queue *q, const void *head,
                            size_t head_n, const struct stream_shared *body);
/* Room for n bytes in one piece at the end; NULL: none. */
uint8_t *block_queue_reserve(struct net_worker *net, struct block_queue *q, size_t n);
void block_queue_drop(struct net_worker *net, struct block_queue *q, size_t n); /* from the head */

struct stream_linger {
    struct timer timer;
    struct stream *stream;
};

struct pooled;
struct stream_stack;
struct stream_move;

/* What a stream has only while there is something to send, or an operation that writes. */
struct stream_sender {
    struct io_send tx; /* connects first */
    struct tick_hook flush;
    struct stream *stream;
    struct block_queue out; /* what the user has queued */
    uint32_t reserved;
    size_t in_flight;   /* of what is being sent: the kernel has them */
    struct iovec piece; /* of a send of one block; else */
    struct block *pieces;
};

/* Most connections wait most of their time, so this is small; what is rare has a pointer. */
struct stream {
    struct io_op rx;
    uint8_t ended;             /* enum err: nothing more comes */
    bool rx_on : 1, tx_on : 1; /* the last done() is still to come */
    bool rx_stopping : 1;      /* was canceled: full, or closed */
    bool fresh : 1, finishing : 1, closed : 1, write_dead : 1;
    bool wire_dead : 1; /* the socket takes nothing any more; write_dead: nor do we from the user */
    bool bound : 1, connecting : 1, connect_failed : 1, refused : 1;
    bool moving : 1, stays : 1;
    bool serial : 1; /* serial.c */
    int fd, os_errno;
    uint32_t write_max, write_low, read_max;

    struct net_worker *net;
    struct task *task;
    void (*watch)(struct stream *s); /* called instead of waking a task; may close the stream */
    struct block *kept;              /* what is unread, if it is not net->lent */
    uint64_t read_at;                /* the poll of the last stream_read() */
    uint64_t bytes_in, bytes_out;

    struct stream_sender *sender; /* NULL: there is nothing to do */
    struct list link;
    struct addr *peer;          /* made when it is asked for */
    struct stream_stack *stack; /* layer.h; NULL: it is plain */
    struct listener *listener;
    union {
        struct pooled *pooled;        /* conn_pool.c; or, once it is finishing, */
        struct stream_linger *linger; /* of stream_finish(); or, while it is moving, */
        struct stream_move *move;     /* to another worker */
    };
};
_Static_assert(sizeof(struct stream) <= 176, "what a connection costs that waits");

/* A new stream on a connected (or, if `connecting`, connecting) socket; NULL: out of memory. */
struct stream *stream_new(struct net_worker *net, int fd, struct listener *from);
void stream_receive(struct stream *s);                      /* begins or resumes */
void stream_received(struct stream *s, struct io_result r); /* the same as a driver's */
void stream_has_room(struct stream *s, int result);    /* the socket would take more, or -errno */
void stream_receive_more(struct stream *s);            /* if there is room for what comes */
void stream_data(struct stream *s, struct bytes lent); /* hands over to the task, keeps the rest */
void stream_end(struct stream *s, enum err how, int os_errno);
void stream_drop_read(struct stream *s);
void stream_settle(struct stream *s);
static inline size_t stream_queued(const struct stream *s)
{
    return s->sender ? s->sender->out.bytes : 0;
}
bool stream_may_send(struct stream *s);       /* makes its sender; false: no memory */
void stream_send_soon(struct stream *s);      /* at the tick's end; it has its sender */
void stream_stop_receiving(struct stream *s); /* for now */
void stream_wake(struct stream *s);
void stream_unstarve(struct stream *s);         /* there are blocks again */
void stream_move_settle(struct stream *s);      /* it moves: does it still wait for something? */
void stream_moves_drop(struct net_worker *net); /* at the end: those that never arrived */
size_t stream_unread(const struct stream *s);
struct bytes stream_unread_bytes(const struct stream *s);

/* serial.c: what the driver does for sockets. */
void serial_receive(struct stream *s);
ssize_t serial_send_now(const struct stream *s, const struct iovec *iov, unsigned n);
void serial_await_room(struct stream *s);
void serial_leave(const struct stream *s); /* before it is closed */

void listener_gone(struct listener *l); /* one of its streams */
