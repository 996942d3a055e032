/* uring_internal: the ring of receive buffers that the kernel picks from, and the probe.
 *
 * Where the kernel can (6.12), it fills a buffer piece by piece, one receive behind the other, and
 * says when it has done with it: many short messages then lie side by side in few cache lines and
 * pages, and use up few buffers. Else each receive has a buffer of its own. */
#pragma once

#include "base/err.h"
#include <liburing.h>

enum { URING_BUFFERS = 64, URING_BUFFER_SIZE = 16 * 1024, URING_GROUP = 1 };

struct uring_buffers {
    struct io_uring_buf_ring *ring;
    uint8_t *memory;
    unsigned count; /* a power of two */
    bool shared;    /* by several receives, one behind the other */
    uint32_t used[URING_BUFFERS];
};
MUST_USE enum err uring_buffers_init(struct uring_buffers *b, struct io_uring *ring, unsigned count,
                                     struct error *e);
void uring_buffers_fini(struct uring_buffers *b, struct io_uring *ring);
/* The bytes of a completion that carries a buffer (IORING_CQE_F_BUFFER). To be called for every
 * one, in their order. */
const uint8_t *uring_buffer(struct uring_buffers *b, uint32_t cqe_flags, int32_t n);
/* They are not used any more. */
void uring_buffer_return(struct uring_buffers *b, uint32_t cqe_flags);
/* A multishot receive into the buffers. */
void uring_prep_receive(struct io_uring_sqe *sqe, int fd);

/* Receives one byte the way the driver does, on a small ring of its own: tells whether io_uring
 * and what we need of it is there and allowed, and with which set-up flags. */
MUST_USE enum err uring_probe(unsigned *setup_flags, struct error *e);
