/* uring_direct: connections that are not descriptors but places in the ring's table of files.
 *
 * Why: the process may have so many descriptors (RLIMIT_NOFILE), and each ring as many places
 * again. A connection is accepted as a descriptor, so that its options can be set and its peer
 * asked; it is adopted once it stays with its driver, but only when descriptors run out: those with
 * a low number are left alone, because a place can be sent to by the ring only.
 * A handle is a number above all descriptors; it stands wherever a descriptor would.
 * Ownership: the table is made at the first adoption and goes with the ring.
 * Threads: the worker's; uring_direct_peer() any, while the handle can't be closed.
 * Source: io_uring_register(2), IORING_REGISTER_FILES2 and FILES_UPDATE; io_uring_enter(2),
 * IOSQE_FIXED_FILE. */
#pragma once

#include <liburing.h>
#include <netinet/in.h>
#include <stdbool.h>

struct uring_place {
    union {
        struct sockaddr sa;
        struct sockaddr_in6 in6; /* the longest that is kept */
    } peer;
    uint8_t peer_len;
    bool ending;   /* the kernel's word that it has told the peer of the end is still to come */
    bool closing;  /* it waits for that */
    uint32_t next; /* of the free ones, +1; 0: none */
};
struct uring_direct {
    struct io_uring *ring;
    struct uring_place *places; /* NULL: not made yet */
    unsigned from;              /* descriptors from this number on are adopted */
    unsigned count;             /* of places, as many as the kernel allows */
    unsigned used;              /* places that have been used once */
    uint32_t free;              /* first free one of these, +1; 0: none */
};

enum { URING_DIRECT = 1 << 30 };
static inline bool uring_is_direct(int fd)
{
    return fd & URING_DIRECT;
}
/* Aims an entry that was prepared for a handle or a descriptor; the latter stays as it is. */
static inline void uring_direct_aim(struct io_uring_sqe *sqe, int fd)
{
    if (uring_is_direct(fd)) {
        sqe->fd = fd & ~URING_DIRECT;
        sqe->flags |= IOSQE_FIXED_FILE;
    }
}

/* No system call for the table: most never need one. */
void uring_direct_init(struct uring_direct *t, struct io_uring *ring);
void uring_direct_fini(struct uring_direct *t); /* after the ring */
/* The handle, and the descriptor is closed; or the descriptor itself, if it is none of those that
 * are adopted, or there is no place. All entries so far are submitted: what is under way on the
 * descriptor has its file, and what was closed has left its place. */
int uring_direct_adopt(struct uring_direct *t, int fd);
int uring_direct_peer(const struct uring_direct *t, int fd, struct sockaddr *sa, socklen_t *len);
/* The entry is prepared; the caller counts it, and tells of its completion by ended(). */
void uring_direct_send_end(struct uring_direct *t, int fd, struct io_uring_sqe *sqe);
/* True if it is to be closed now: close() again. */
bool uring_direct_ended(struct uring_direct *t, int fd);
/* May it be closed at once? Else ended() will say when. */
bool uring_direct_may_close(struct uring_direct *t, int fd);
/* The entry closes it. Its place may be taken again by what is submitted behind it. */
void uring_direct_close(struct uring_direct *t, int fd, struct io_uring_sqe *sqe);
