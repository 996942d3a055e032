/* bench: how many TCP connections one process can hold beyond its limit of descriptors, and what
 * each costs: the ground of decision 0021.
 *
 * usage: bench_direct_idle MODE CONNECTIONS [RINGS]
 * MODE  descriptor  multishot accept into descriptors, as everywhere: the limit of the process
 *       accept      multishot accept into the table of the ring (direct descriptors)
 *       adopt       multishot accept into a descriptor, that is then put into the table and closed
 *
 * Each ring has a thread, a listening socket on one port (SO_REUSEPORT), a table as large as the
 * limit allows, and a multishot receive for each connection. The clients are other processes, with
 * many source addresses in 127.0.0.0/8. When all are connected and memory has been measured, each
 * client sends eight bytes and must get them back; then it closes, and the ring must see each end.
 * Kernel memory is the growth of unreclaimable slabs, for both ends of the connection. */
#include "async/linux/uring_internal.h"
#include "base/atomic.h"
#include "base/err.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum mode { DESCRIPTOR, ACCEPT, ADOPT };
enum { RINGS_MAX = 8, CLIENT_MAX = 18000 };
/* What a completion is of, in the low bits of user_data; above them the connection. */
enum what { ACCEPTED, RECEIVED, SENT, CLOSED };

struct loop {
    struct io_uring ring;
    struct uring_buffers buffers;
    int listener, *spare; /* free places of the table */
    unsigned spare_n, table;
    pthread_t thread;
};
static enum mode mode;
static uint16_t port;
static struct loop loops[RINGS_MAX];
static _Atomic size_t accepted, echoed, ended;
static _Atomic bool stop;

static _Noreturn void fail(const char *what, int os_errno)
{
    (void)fprintf(stderr, "direct_idle: %s: %s\n", what, strerror(os_errno));
    exit(1);
}

/* Of a client, or (`shared`) one that several listen on. */
static int bound(uint32_t address, uint16_t to, bool shared)
{
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in sa = {
        .sin_family = AF_INET, .sin_port = htons(to), .sin_addr.s_addr = htonl(address)};
    if (fd < 0)
        fail("socket", errno);
    if (shared)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    else
        (void)setsockopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
        fail("bind", errno);
    return fd;
}

/* --- the server --- */

static int listening(void)
{
    struct sockaddr_in sa = {0};
    socklen_t len = sizeof(sa);
    int fd = bound(INADDR_LOOPBACK, port, true);
    if (listen(fd, 4096) != 0 || getsockname(fd, (struct sockaddr *)&sa, &len) != 0)
        fail("listen", errno);
    port = ntohs(sa.sin_port); /* of the first, for the others */
    return fd;
}

static struct io_uring_sqe *entry(struct loop *l, enum what what, uint32_t connection)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&l->ring);
    while (!sqe) {
        (void)io_uring_submit(&l->ring);
        sqe = io_uring_get_sqe(&l->ring);
    }
    sqe->user_data = (uint64_t)connection << 2 | what;
    return sqe;
}

/* The preparing calls of liburing keep user_data. */
static void fixed(struct io_uring_sqe *sqe)
{
    if (mode != DESCRIPTOR)
        sqe->flags |= IOSQE_FIXED_FILE;
}

static void arm_accept(struct loop *l)
{
    struct io_uring_sqe *sqe = entry(l, ACCEPTED, 0);
    if (mode == ACCEPT)
        io_uring_prep_multishot_accept_direct(sqe, l->listener, NULL, NULL, 0);
    else
        io_uring_prep_multishot_accept(sqe, l->listener, NULL, NULL, SOCK_CLOEXEC);
}

static void arm_receive(struct loop *l, uint32_t c)
{
    struct io_uring_sqe *sqe = entry(l, RECEIVED, c);
    uring_prep_receive(sqe, (int)c);
    fixed(sqe);
}

static uint32_t adopt(struct loop *l, int fd)
{
    if (l->spare_n == 0)
        fail("the table is full", ENFILE);
    int place = l->spare[--l->spare_n];
    int rc = io_uring_register_files_update(&l->ring, (unsigned)place, &fd, 1);
    if (rc != 1)
        fail("a descriptor can't be put into the table", -rc);
    (void)close(fd);
    return (uint32_t)place;
}

static void received(struct loop *l, const struct io_uring_cqe *cqe, uint32_t c)
{
    if (cqe->res > 0) {
        const uint8_t *bytes = uring_buffer(&l->buffers, cqe->flags, cqe->res);
        struct io_uring_sqe *sqe = entry(l, SENT, c);
        io_uring_prep_send(sqe, (int)c, bytes, (size_t)cqe->res, MSG_NOSIGNAL | MSG_WAITALL);
        fixed(sqe);
        (void)io_uring_submit(&l->ring); /* it is copied now, and the buffer is free again */
        uring_buffer_return(&l->buffers, cqe->flags);
    }
    if (cqe->flags & IORING_CQE_F_MORE)
        return;
    if (cqe->res > 0 || cqe->res == -ENOBUFS) {
        arm_receive(l, c);
        return;
    }
    struct io_uring_sqe *sqe = entry(l, CLOSED, c);
    if (mode == DESCRIPTOR)
        io_uring_prep_close(sqe, (int)c);
    else
        io_uring_prep_close_direct(sqe, c);
}

static void complete(struct loop *l, const struct io_uring_cqe *cqe)
{
    uint32_t c = (uint32_t)(cqe->user_data >> 2);
    switch ((enum what)(cqe->user_data & 3)) {
    case ACCEPTED:
        if (cqe->res < 0)
            fail("accept", -cqe->res);
        arm_receive(l, mode == ADOPT ? adopt(l, cqe->res) : (uint32_t)cqe->res);
        (void)atomic_fetch_add(&accepted, 1);
        if (!(cqe->flags & IORING_CQE_F_MORE))
            arm_accept(l);
        break;
    case RECEIVED: received(l, cqe, c); break;
    case SENT:
        if (cqe->res < 0)
            fail("send", -cqe->res);
        (void)atomic_fetch_add(&echoed, 1);
        break;
    case CLOSED:
        if (cqe->res < 0)
            fail("close", -cqe->res);
        if (mode == ADOPT)
            l->spare[l->spare_n++] = (int)c;
        (void)atomic_fetch_add(&ended, 1);
    }
}

static void loop_open(struct loop *l)
{
    struct io_uring_params p = {.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER |
                                         IORING_SETUP_DEFER_TASKRUN,
                                .cq_entries = 4096};
    struct rlimit limit;
    int rc = io_uring_queue_init_params(1024, &l->ring, &p);
    if (rc < 0)
        fail("ring", -rc);
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    l->table = (unsigned)limit.rlim_cur;
    rc = mode == DESCRIPTOR ? 0 : io_uring_register_files_sparse(&l->ring, l->table);
    if (rc < 0)
        fail("table", -rc);
    l->spare = malloc(l->table * sizeof(*l->spare));
    struct error e = {0};
    if (!l->spare || uring_buffers_init(&l->buffers, &l->ring, URING_BUFFERS, &e))
        fail("memory", ENOMEM);
    for (unsigned i = 0; i < l->table; i++)
        l->spare[l->spare_n++] = (int)(l->table - 1 - i);
}

static void *loop_run(void *p)
{
    struct loop *l = p;
    struct io_uring_cqe *cqe;
    struct __kernel_timespec ts = {.tv_nsec = 50000000};
    loop_open(l);
    arm_accept(l);
    while (!atomic_load(&stop)) {
        (void)io_uring_submit_and_wait_timeout(&l->ring, &cqe, 1, &ts, NULL);
        while (io_uring_peek_cqe(&l->ring, &cqe) == 0) {
            struct io_uring_cqe copy = *cqe;
            io_uring_cqe_seen(&l->ring, cqe);
            complete(l, &copy);
        }
    }
    io_uring_queue_exit(&l->ring);
    uring_buffers_fini(&l->buffers, NULL);
    free(l->spare);
    return NULL;
}

/* --- the clients --- */

static void echo_all(const int *fd, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t number = i * 0x9E3779B97F4A7C15u + 1;
        if (write(fd[i], &number, sizeof(number)) != sizeof(number))
            fail("client: write", errno);
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t number = 0;
        if (recv(fd[i], &number, sizeof(number), MSG_WAITALL) != sizeof(number))
            fail("client: read", errno);
        if (number != i * 0x9E3779B97F4A7C15u + 1)
            fail("client: another's bytes came back", EPROTO);
    }
}

/* Says a byte when each step is done, and waits for one before the next. */
static _Noreturn void client(unsigned k, size_t n, const int steps[2])
{
    static int fd[CLIENT_MAX];
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char byte = 0;
    for (size_t i = 0; i < n; i++) {
        fd[i] = bound(0x7F000000u | (k + 1) << 16 | (uint32_t)(i / 4000 + 1), 0, false);
        if (connect(fd[i], (struct sockaddr *)&to, sizeof(to)) != 0)
            fail("client: connect", errno);
    }
    if (write(steps[1], &byte, 1) != 1 || read(steps[0], &byte, 1) != 1)
        fail("client: steps", errno);
    echo_all(fd, n);
    if (write(steps[1], &byte, 1) != 1 || read(steps[0], &byte, 1) != 1)
        fail("client: steps", errno);
    _exit(0); /* closes all */
}

/* --- memory --- */

static size_t read_kb(const char *path, const char *key)
{
    char line[256];
    size_t kb = 0, n = strlen(key);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f)) {
        if (strncmp(line, key, n) == 0)
            kb = strtoul(line + n, NULL, 10);
    }
    if (f)
        (void)fclose(f);
    return kb;
}

static void await(const _Atomic size_t *counter, size_t n)
{
    for (int i = 0; atomic_load(counter) < n; i++) {
        if (i > 6000)
            fail("the server has not seen all", ETIMEDOUT);
        (void)usleep(10000);
    }
}

struct process {
    pid_t pid;
    int to[2], from[2];
};

static void start_clients(struct process *p, unsigned n, size_t connections)
{
    for (unsigned k = 0; k < n; k++) {
        size_t share = connections * (k + 1) / n - connections * k / n;
        if (pipe(p[k].to) != 0 || pipe(p[k].from) != 0 || (p[k].pid = fork()) < 0)
            fail("fork", errno);
        if (p[k].pid == 0)
            client(k, share, (const int[]){p[k].to[0], p[k].from[1]});
        (void)close(p[k].from[1]); /* so that its death is seen */
    }
}

static void step(struct process *p, unsigned n, bool go)
{
    char byte = 0;
    for (unsigned k = 0; k < n; k++) {
        if (go && write(p[k].to[1], &byte, 1) != 1)
            fail("steps", errno);
    }
    for (unsigned k = 0; k < n; k++) {
        if (read(p[k].from[0], &byte, 1) != 1)
            fail("a client has failed", EPIPE);
    }
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"descriptor", "accept", "adopt"};
    size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    size_t rings = argc > 3 ? strtoul(argv[3], NULL, 10) : 2;
    bool known = false;
    for (unsigned i = 0; argc > 1 && i < ARRAY_LEN(names); i++) {
        if (strcmp(argv[1], names[i]) == 0) {
            mode = (enum mode)i;
            known = true;
        }
    }
    unsigned clients = (unsigned)((n + CLIENT_MAX - 1) / CLIENT_MAX);
    struct process processes[16] = {0};
    if (!known || n == 0 || rings == 0 || rings > RINGS_MAX || clients > ARRAY_LEN(processes)) {
        (void)fprintf(stderr, "usage: bench_direct_idle descriptor|accept|adopt N [RINGS]\n");
        return 2;
    }
    for (size_t i = 0; i < rings; i++)
        loops[i].listener = listening();
    /* The threads begin before the clients, whose memory is then not in the first measure. */
    for (size_t i = 0; i < rings; i++) {
        if (pthread_create(&loops[i].thread, NULL, loop_run, &loops[i]) != 0)
            fail("thread", EAGAIN);
    }
    (void)usleep(200000);
    size_t slab = read_kb("/proc/meminfo", "SUnreclaim:");
    size_t anon = read_kb("/proc/self/status", "RssAnon:");
    start_clients(processes, clients, n);
    step(processes, clients, false);
    await(&accepted, n);
    slab = read_kb("/proc/meminfo", "SUnreclaim:") - slab;
    anon = read_kb("/proc/self/status", "RssAnon:") - anon;
    step(processes, clients, true);
    await(&echoed, n);
    for (unsigned k = 0; k < clients; k++) {
        if (write(processes[k].to[1], "", 1) != 1)
            fail("steps", errno);
        (void)waitpid(processes[k].pid, NULL, 0);
    }
    await(&ended, n);
    atomic_store(&stop, true);
    for (size_t i = 0; i < rings; i++)
        (void)pthread_join(loops[i].thread, NULL);
    (void)printf("%s: %zu connections, %zu rings: kernel %zu B, process %zu B each; "
                 "%zu echoed, %zu ended\n",
                 argv[1], n, rings, slab * 1024 / n, anon * 1024 / n, atomic_load(&echoed),
                 atomic_load(&ended));
    return 0;
}
