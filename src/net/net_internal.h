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
    NET_STREAMS_MAX = 256 * 1024,
    NET_IOV_MAX = 256, /* pieces of one send */
};
#define NET_LARGE_MAX ((size_t)128 * 1024 * 1024) /* bytes in blocks that the pool has not */

/* Bytes that were received, or wait to be sent. Larger ones than the pool's come from the
 * allocator. */
struct block {
    struct block *next;
    uint32_t start, end, cap;
    uint8_t bytes[] __attribute__((aligned(16)));
};
#define NET_BLOCK_ROOM (NET_BLOCK_SIZE - sizeof(struct block))

struct net_worker {
    struct worker_local local;
    struct worker *worker;
    struct alloc *alloc;
    struct io_driver *io; /* NULL at the end, when the driver has gone */
    const struct io_socket_ops *socket;
    struct pool streams, blocks;
    size_t large_bytes;
    struct list open, starved;  /* streams; starved: refused a block, woken when one is given */
    struct mpsc_stack arriving; /* streams that other workers have sent; stream_move.c */
    struct task arrivals;       /* takes them */
    bool prepared;              /* it runs */
};
struct net_worker *net_of(struct worker *w); /* NULL without memory */
struct block *net_block_take(struct net_worker *net, size_t room);
void net_block_give(struct net_worker *net, struct block *b);
size_t net_blocks_left(const struct net_worker *net);

struct stream_linger {
    struct timer timer;
    struct stream *stream;
};

struct pooled;
struct stream_move;

/* What every request touches comes first, in few cache lines, and what is rare behind it. */
struct stream {
    struct io_op rx;
    uint8_t ended;     /* enum err: nothing more comes */
    bool rx_on, tx_on; /* the last done() is still to come */
    bool rx_stopping;  /* was canceled: full, or closed */
    bool fresh, finishing, closed, write_dead;

    struct net_worker *net;
    struct task *task;
    void (*watch)(struct stream *s); /* called instead of waking a task; may close the stream */
    struct bytes lent;               /* the driver's, while it calls; or else */
    struct block *kept;              /* what is unread */
    uint64_t read_at;                /* the poll of the last stream_read() */
    uint64_t bytes_in, bytes_out;

    struct block *out, *out_tail;
    size_t out_bytes, reserved;
    size_t in_flight; /* of out_bytes: the kernel has them */
    size_t write_max, write_low, read_max;
    struct iovec piece; /* of a send of one block; else */
    struct block *pieces;
    struct tick_hook flush;
    int fd, os_errno;
    bool bound, connecting, connect_failed, refused;

    struct io_op tx; /* connects first */
    struct list link;
    struct addr *peer;            /* made when it is asked for */
    struct stream_linger *linger; /* of stream_finish() */
    struct stream_move *move;     /* it is on its way to another worker */
    struct listener *listener;
    struct pooled *pooled; /* conn_pool.c */
};

/* A new stream on a connected (or, if `connecting`, connecting) socket; NULL: out of memory. */
struct stream *stream_new(struct net_worker *net, int fd, struct listener *from);
void stream_receive(struct stream *s);                 /* begins or resumes */
void stream_data(struct stream *s, struct bytes lent); /* hands over to the task, keeps the rest */
void stream_end(struct stream *s, enum err how, int os_errno);
void stream_drop_read(struct stream *s);
void stream_drop_sent(struct stream *s, size_t n); /* from the head of the send queue */
void stream_settle(struct stream *s);
void stream_stop_receiving(struct stream *s);
void stream_move_settle(struct stream *s);      /* it moves: does it still wait for something? */
void stream_moves_drop(struct net_worker *net); /* at the end: those that never arrived */
size_t stream_unread(const struct stream *s);

void listener_gone(struct listener *l); /* one of its streams */
