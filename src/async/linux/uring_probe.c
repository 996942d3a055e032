#include "async/linux/uring_internal.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Not in Debian 12's headers. */
enum { BUFFERS_SHARED = 2 /* IOU_PBUF_RING_INC */, CQE_BUFFER_GOES_ON = 1 << 4 /* F_BUF_MORE */ };

static size_t ring_bytes(const struct uring_buffers *b)
{
    return b->count * sizeof(struct io_uring_buf);
}

/* Not from the allocator: the kernel wants whole pages for the ring, and the buffers should take
 * none before they are used. */
static void *map_pages(size_t n)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void give(struct uring_buffers *b, uint16_t id)
{
    io_uring_buf_ring_add(b->ring, b->memory + (size_t)id * URING_BUFFER_SIZE, URING_BUFFER_SIZE,
                          id, io_uring_buf_ring_mask(b->count), 0);
    io_uring_buf_ring_advance(b->ring, 1);
}

enum err uring_buffers_init(struct uring_buffers *b, struct io_uring *ring, unsigned count,
                            struct error *e)
{
    ASSERT(count <= URING_BUFFERS);
    *b = (struct uring_buffers){.count = count};
    b->ring = map_pages(ring_bytes(b));
    b->memory = map_pages((size_t)count * URING_BUFFER_SIZE);
    if (!b->ring || !b->memory) {
        uring_buffers_fini(b, NULL);
        return error_set(e, ERR_NOMEM, "no memory for receive buffers");
    }
    struct io_uring_buf_reg reg = {
        .ring_addr = (uintptr_t)b->ring, .ring_entries = count, .bgid = URING_GROUP};
    reg.pad = BUFFERS_SHARED; /* what older headers call padding */
    int rc = io_uring_register_buf_ring(ring, &reg, 0);
    b->shared = rc == 0;
    if (rc == -EINVAL) {
        reg.pad = 0;
        rc = io_uring_register_buf_ring(ring, &reg, 0);
    }
    if (rc < 0) {
        uring_buffers_fini(b, NULL);
        return error_set_os(e, -rc, "receive buffers can't be registered");
    }
    io_uring_buf_ring_init(b->ring);
    for (unsigned i = 0; i < count; i++)
        give(b, (uint16_t)i);
    return ERR_OK;
}

void uring_buffers_fini(struct uring_buffers *b, struct io_uring *ring)
{
    if (ring && b->ring)
        (void)io_uring_unregister_buf_ring(ring, URING_GROUP);
    if (b->ring)
        (void)munmap(b->ring, ring_bytes(b));
    if (b->memory)
        (void)munmap(b->memory, (size_t)b->count * URING_BUFFER_SIZE);
    *b = (struct uring_buffers){0};
}

static uint16_t buffer_id(const struct uring_buffers *b, uint32_t cqe_flags)
{
    uint16_t id = (uint16_t)(cqe_flags >> IORING_CQE_BUFFER_SHIFT);
    ASSERT(id < b->count);
    return id;
}

const uint8_t *uring_buffer(struct uring_buffers *b, uint32_t cqe_flags, int32_t n)
{
    uint16_t id = buffer_id(b, cqe_flags);
    uint32_t at = b->used[id];
    ASSERT(n > 0 && (uint32_t)n <= URING_BUFFER_SIZE - at);
    if (b->shared)
        b->used[id] += (uint32_t)n;
    return b->memory + (size_t)id * URING_BUFFER_SIZE + at;
}

void uring_buffer_return(struct uring_buffers *b, uint32_t cqe_flags)
{
    uint16_t id = buffer_id(b, cqe_flags);
    if (b->shared && (cqe_flags & CQE_BUFFER_GOES_ON))
        return;
    b->used[id] = 0;
    give(b, id);
}

void uring_prep_receive(struct io_uring_sqe *sqe, int fd)
{
    io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = URING_GROUP;
}

static enum err receive_once(struct io_uring *ring, struct uring_buffers *b, const int pair[2],
                             struct error *e)
{
    struct io_uring_cqe *cqe;
    struct __kernel_timespec second = {.tv_sec = 1};
    uring_prep_receive(io_uring_get_sqe(ring), pair[0]);
    if (write(pair[1], "x", 1) != 1)
        return error_set_os(e, errno, "a socket pair does not work");
    int rc = io_uring_submit_and_wait_timeout(ring, &cqe, 1, &second, NULL);
    if (rc < 0)
        return error_set_os(e, -rc, "nothing can be submitted");
    if (cqe->res < 0)
        return error_set_os(e, -cqe->res, "multishot receive is missing");
    bool good = cqe->res == 1 && (cqe->flags & IORING_CQE_F_MORE) &&
                (cqe->flags & IORING_CQE_F_BUFFER) && uring_buffer(b, cqe->flags, 1)[0] == 'x';
    io_uring_cqe_seen(ring, cqe);
    return good ? ERR_OK : error_set(e, ERR_UNSUPPORTED, "multishot receive does not work");
}

static enum err probe_with(unsigned flags, struct error *e)
{
    struct io_uring ring;
    struct uring_buffers b;
    int pair[2];
    int rc = io_uring_queue_init(8, &ring, flags);
    if (rc < 0)
        return error_set_os(e, -rc, "the ring can't be made");
    enum err r = uring_buffers_init(&b, &ring, 1, e);
    if (!r) {
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
            r = error_set_os(e, errno, "no socket pair");
        } else {
            r = receive_once(&ring, &b, pair, e);
            (void)close(pair[1]);
            (void)close(pair[0]);
        }
    }
    /* The ring goes first: with it go the operations that may still hold a buffer. */
    io_uring_queue_exit(&ring);
    uring_buffers_fini(&b, NULL);
    return r;
}

enum err uring_probe(unsigned *setup_flags, struct error *e)
{
    static const unsigned choices[] = {
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
        IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
    };
    enum err r = ERR_UNSUPPORTED;
    for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
        r = probe_with(choices[i], e);
        if (!r) {
            *setup_flags = choices[i];
            break;
        }
    }
    return r;
}
