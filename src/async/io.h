/* io: the driver interface beneath streams: io_uring, epoll, or the simulator. One file each.
 *
 * Completion style, whatever the kernel offers: an operation is started with an io_op that the
 * caller owns; `done` is called on the same worker, once, or many times while `more` is set
 * (multishot accept and receive). The op must stay alive until a completion without `more`.
 * Received bytes are lent in a driver's buffer for the length of the call.
 * No call runs done() before it returns: completions come out of wait() and close(). In its last
 * done() the op may be started again or freed.
 * A descriptor carries at most one reading operation (accept, receive, poll for POLLIN) and one
 * writing one (send, connect, poll for POLLOUT) at a time.
 * Threads: the worker's (before it runs: whoever sets it up), but wake() any. */
#pragma once

#include "async/executor.h"
#include <sys/socket.h>
#include <sys/uio.h>

struct io_driver;
struct io_result {
    int32_t res;         /* >= 0: bytes, or the accepted descriptor; < 0: -errno */
    bool more;           /* further completions follow */
    const uint8_t *data; /* receive: res bytes, borrowed until done() returns */
};
struct io_op {
    void (*done)(struct io_op *op, struct io_result r);
    int fd;
    uint8_t kind, state; /* the driver's */
    uint32_t events;     /* poll: what was asked for; else the driver's */
    struct list link;
};
/* A send needs more; most ops only wait to receive. */
struct io_send {
    struct io_op op;
    const struct iovec *iov;
    unsigned iov_count;
    size_t sent; /* the driver's */
};

/* Sockets before and beside the operations that run on them; calls that do not block. A result
 * below 0 is -errno. */
struct io_socket_ops {
    int (*open)(struct io_driver *d, int family); /* a stream socket, to connect */
    /* A bound, listening socket. `shared`: other workers listen on the address as well. A unix
     * socket's file that nobody listens on any more is replaced. */
    int (*listen)(struct io_driver *d, const struct sockaddr *sa, socklen_t len, bool shared);
    void (*unlisten)(struct io_driver *d, const struct sockaddr *sa); /* removes a unix name */
    /* The two ends of a socket. *len: room, then what was used. */
    int (*name)(struct io_driver *d, int fd, struct sockaddr *sa, socklen_t *len);
    int (*peer)(struct io_driver *d, int fd, struct sockaddr *sa, socklen_t *len);
    void (*no_delay)(struct io_driver *d, int fd); /* no wait for more to send; TCP only */
    void (*send_end)(struct io_driver *d, int fd); /* behind what was sent: no more comes */
    void (*drop)(int fd);                          /* closes it when its driver has gone */
};

struct io_driver_ops {
    const char *name;
    const struct io_socket_ops *socket;
    enum err (*open)(struct io_driver **out, struct worker *w, struct alloc *a, struct error *e);
    void (*close)(struct io_driver *d); /* ends all operations with -ECANCELED first */
    void (*accept)(struct io_driver *d, struct io_op *op, int fd); /* multishot */
    void (*receive)(struct io_driver *d, struct io_op *op,
                    int fd); /* multishot; ends with res <= 0 */
    /* Sends all, or ends with an error; iov and its bytes stay until done. */
    void (*send)(struct io_driver *d, struct io_send *send, int fd, const struct iovec *iov,
                 unsigned n);
    /* What the socket takes at once: how many bytes, or -errno; 0: none, or the driver would rather
     * have an operation. Not while one that writes is under way. NULL: not offered.
     * Why: mostly the socket takes all. The completion of a send through a ring is there at once
     * and would end the wait for the next receive: for a few sends that costs more than it spares.
     */
    ssize_t (*send_now)(struct io_driver *d, int fd, const struct iovec *iov, unsigned n);
    /* Is the connection still open, with nothing to receive that done() has not been told of? For
     * one that was idle, before it is used. NULL: it can't be asked. */
    bool (*is_quiet)(struct io_driver *d, int fd);
    void (*connect)(struct io_driver *d, struct io_op *op, int fd, const struct sockaddr *sa,
                    socklen_t len);
    void (*poll)(struct io_driver *d, struct io_op *op, int fd, uint32_t events); /* POLLIN… once */
    /* Asks for an early end; done() still comes, with -ECANCELED or its true result. */
    void (*cancel)(struct io_driver *d, struct io_op *op);
    /* A connection stays with this driver until close_fd(): it may trade the descriptor for a
     * handle of its own, which is not a descriptor and is used like one in all calls here and in
     * io_socket_ops, but for release(), is_quiet(), and no_delay(). For more connections than the
     * process may have descriptors. `reads` and `writes`: operations that are under way on it, or
     * NULL; they go on. The handle, or the descriptor as it was. NULL: not offered. */
    int (*adopt)(struct io_driver *d, int fd, struct io_op *reads, struct io_op *writes);
    void (*close_fd)(struct io_driver *d, int fd); /* after all its ops ended */
    /* Instead: another worker's driver goes on with it. NULL: there is nothing to forget. */
    void (*release)(struct io_driver *d, int fd);
    /* Submits, waits at most timeout_ns (-1: for ever, 0: not at all), runs completions. */
    void (*wait)(struct io_driver *d, int64_t timeout_ns);
    void (*wake)(struct io_driver *d); /* any thread: ends a wait */
};
struct io_driver {
    const struct io_driver_ops *ops;
    struct worker *worker;
};
extern const struct io_driver_ops io_uring_driver; /* async/linux/uring.c */
extern const struct io_driver_ops io_epoll_driver; /* async/linux/epoll.c */
extern const struct io_driver_ops io_sim_driver;   /* async/sim/net_driver.c */
extern const struct io_socket_ops linux_sockets;   /* async/linux/socket.c, of epoll */
struct io_driver *worker_io(struct worker *w);
