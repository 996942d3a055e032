/* iov_internal: what a driver needs to send a list of pieces, at once or in several goes. */
#pragma once

#include "async/io.h"
#include <errno.h>
#include <sys/socket.h>

static inline size_t iov_bytes(const struct iovec *iov, unsigned n)
{
    size_t all = 0;
    for (unsigned i = 0; i < n; i++)
        all += iov[i].iov_len;
    return all;
}

/* What is left of a list after `skip` bytes: the pieces from *first on, of which the first one
 * has lost its first *offset bytes. False if nothing is left. */
static inline bool iov_after(const struct iovec *iov, unsigned n, size_t skip, unsigned *first,
                             size_t *offset)
{
    unsigned i = 0;
    while (i < n && skip >= iov[i].iov_len)
        skip -= iov[i++].iov_len;
    *first = i;
    *offset = skip;
    return i < n;
}

static inline ssize_t linux_send_now(struct io_driver *d, int fd, const struct iovec *iov,
                                     unsigned n)
{
    (void)d;
    /* sendmsg() only reads iov, and takes it without const. */
    struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = n};
    ssize_t sent;
    do
        sent = n == 1 ? send(fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL | MSG_DONTWAIT)
                      : sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return errno == EAGAIN ? 0 : -errno;
    return sent;
}

static inline bool linux_is_quiet(struct io_driver *d, int fd)
{
    (void)d;
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}
