/* uring_internal: the ring of receive buffers that the kernel picks from, and the probe. */
#pragma once

#include "base/err.h"
#include <liburing.h>

enum { URING_BUFFERS = 64, URING_BUFFER_SIZE = 16 * 1024, URING_GROUP = 1 };

struct uring_buffers {
    struct io_uring_buf_ring *ring;
    uint8_t *memory;
    unsigned count; /* a power of two */
};
MUST_USE enum err uring_buffers_init(struct uring_buffers *b, struct io_uring *ring, unsigned count,
                                     struct error *e);
void uring_buffers_fini(struct uring_buffers *b, struct io_uring *ring);
const uint8_t *uring_buffer(const struct uring_buffers *b, uint16_t id);
void uring_buffer_return(struct uring_buffers *b, uint16_t id);
/* A multishot receive into the buffers. */
void uring_prep_receive(struct io_uring_sqe *sqe, int fd);

/* Receives one byte the way the driver does, on a small ring of its own: tells whether io_uring
 * and what we need of it is there and allowed, and with which set-up flags. */
MUST_USE enum err uring_probe(unsigned *setup_flags, struct error *e);
