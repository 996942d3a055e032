#include "async/linux/uring_direct.h"
#include "base/err.h"
#include "base/log.h"
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    SPARE_PART = 8,        /* of the descriptors stay free for files, and for what was accepted */
    PLACES_MAX = 1u << 20, /* IORING_MAX_FIXED_FILES */
    NEVER = INT_MAX,
};

static struct uring_place *place_of(const struct uring_direct *t, int fd)
{
    unsigned i = (unsigned)(fd & ~URING_DIRECT);
    ASSERT(uring_is_direct(fd) && i < t->count);
    return &t->places[i];
}

void uring_direct_init(struct uring_direct *t, struct io_uring *ring)
{
    struct rlimit files;
    *t = (struct uring_direct){.ring = ring, .from = NEVER};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= NEVER)
        return;
    unsigned limit = (unsigned)files.rlim_cur;
    t->from = limit - limit / SPARE_PART;
    t->count = limit < PLACES_MAX ? limit : PLACES_MAX;
}

void uring_direct_fini(struct uring_direct *t)
{
    if (t->places)
        (void)munmap(t->places, t->count * sizeof(*t->places));
    *t = (struct uring_direct){.from = NEVER};
}

/* Not from the allocator: the table is large, and takes no page before its places are used. */
static bool make_table(struct uring_direct *t)
{
    if (t->places)
        return true;
    void *p = mmap(NULL, t->count * sizeof(*t->places), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int rc = p == MAP_FAILED ? -ENOMEM : io_uring_register_files_sparse(t->ring, t->count);
    if (rc == 0) {
        t->places = p;
        return true;
    }
    if (p != MAP_FAILED)
        (void)munmap(p, t->count * sizeof(*t->places));
    t->from = NEVER;
    LOG_W("async", "connections are held to the limit of descriptors: no table of files: %s",
          strerror(-rc));
    return false;
}

static bool take_place(struct uring_direct *t, unsigned *out)
{
    if (t->free > 0) {
        *out = t->free - 1;
        t->free = t->places[*out].next;
        return true;
    }
    *out = t->used;
    t->used += t->used < t->count;
    return *out < t->count;
}

static void give_place(struct uring_direct *t, unsigned i)
{
    t->places[i].next = t->free;
    t->free = i + 1;
}

int uring_direct_adopt(struct uring_direct *t, int fd)
{
    struct uring_place p = {0};
    socklen_t len = sizeof(p.peer);
    unsigned i;
    if (fd < 0 || (unsigned)fd < t->from || uring_is_direct(fd) ||
        getpeername(fd, &p.peer.sa, &len) != 0 || len > sizeof(p.peer) || !make_table(t))
        return fd;
    p.peer_len = (uint8_t)len;
    if (io_uring_sq_ready(t->ring) > 0)
        (void)io_uring_submit(t->ring);
    if (io_uring_sq_ready(t->ring) > 0 || !take_place(t, &i))
        return fd;
    t->places[i] = p;
    if (io_uring_register_files_update(t->ring, i, &fd, 1) != 1) {
        give_place(t, i);
        return fd;
    }
    (void)close(fd);
    return URING_DIRECT | (int)i;
}

int uring_direct_peer(const struct uring_direct *t, int fd, struct sockaddr *sa, socklen_t *len)
{
    const struct uring_place *p = place_of(t, fd);
    memcpy(sa, &p->peer, *len < p->peer_len ? *len : p->peer_len);
    *len = p->peer_len;
    return 0;
}

/* The kernel does this on another thread, and looks for the file only there: until it has, the
 * place must not be another's. */
void uring_direct_send_end(struct uring_direct *t, int fd, struct io_uring_sqe *sqe)
{
    struct uring_place *p = place_of(t, fd);
    ASSERT(!p->ending);
    p->ending = true;
    io_uring_prep_shutdown(sqe, fd, SHUT_WR);
    uring_direct_aim(sqe, fd);
}

bool uring_direct_ended(struct uring_direct *t, int fd)
{
    struct uring_place *p = place_of(t, fd);
    ASSERT(p->ending);
    p->ending = false;
    return p->closing;
}

bool uring_direct_may_close(struct uring_direct *t, int fd)
{
    struct uring_place *p = place_of(t, fd);
    p->closing = true;
    return !p->ending;
}

void uring_direct_close(struct uring_direct *t, int fd, struct io_uring_sqe *sqe)
{
    unsigned i = (unsigned)(fd & ~URING_DIRECT);
    ASSERT(place_of(t, fd)->closing);
    io_uring_prep_close_direct(sqe, i);
    give_place(t, i);
}
