/* iov_internal: what a driver needs to send a list of pieces in several goes. */
#pragma once

#include "async/io.h"

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
