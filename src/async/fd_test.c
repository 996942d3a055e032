#include "async/fd.h"
#include "base/atomic.h"
#include "tests/support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MUCH = 1 << 20 };

struct reader {
    int fd;
    pthread_t writer;
    size_t got, wrong;
};

static atomic_int interrupts;

static void interrupt(int signal)
{
    (void)signal;
    atomic_fetch_add(&interrupts, 1);
}

static void interrupt_writer(const struct reader *r)
{
    int before = atomic_load(&interrupts);
    (void)pthread_kill(r->writer, SIGUSR1);
    while (atomic_load(&interrupts) == before)
        (void)sched_yield();
}

/* Twice before each piece: the first ends a write in the middle, the second one that has not put
 * anything into the full pipe. */
static void *read_all(void *arg)
{
    struct reader *r = arg;
    unsigned char piece[4096];
    ssize_t n;
    do {
        interrupt_writer(r);
        interrupt_writer(r);
        n = read(r->fd, piece, sizeof(piece));
        for (ssize_t i = 0; i < n; i++)
            r->wrong += piece[i] != (unsigned char)((r->got + (size_t)i) * 7 >> 3);
        r->got += n > 0 ? (size_t)n : 0;
    } while (n > 0);
    return NULL;
}

TEST(all_is_written_whatever_interrupts)
{
    static unsigned char bytes[MUCH];
    for (size_t i = 0; i < MUCH; i++)
        bytes[i] = (unsigned char)(i * 7 >> 3);
    struct sigaction act = {.sa_handler = interrupt}, before; /* no SA_RESTART */
    REQUIRE(sigaction(SIGUSR1, &act, &before) == 0);
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    struct reader r = {.fd = ends[0], .writer = pthread_self()};
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, read_all, &r) == 0);
    CHECK_EQ_INT(fd_write_all(ends[1], bytes, MUCH), ERR_OK);
    (void)close(ends[1]);
    (void)pthread_join(thread, NULL);
    (void)close(ends[0]);
    (void)sigaction(SIGUSR1, &before, NULL);
    CHECK_EQ_UINT(r.got, MUCH);
    CHECK_EQ_UINT(r.wrong, 0);
}

TEST(what_does_not_fit_is_told)
{
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/small", test_tmpdir());
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    struct rlimit before, small;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, act;
    REQUIRE(fd >= 0 && getrlimit(RLIMIT_FSIZE, &before) == 0);
    REQUIRE(sigaction(SIGXFSZ, &ignore, &act) == 0);
    small = before;
    small.rlim_cur = 60;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
    char hundred[100] = {0};
    struct stat st = {0};
    enum err err = fd_write_all(fd, hundred, sizeof(hundred));
    int why = errno;
    (void)setrlimit(RLIMIT_FSIZE, &before);
    (void)sigaction(SIGXFSZ, &act, NULL);
    CHECK_EQ_INT(err, ERR_IO);
    CHECK_EQ_INT(why, EFBIG);
    CHECK(fstat(fd, &st) == 0);
    CHECK_EQ_INT(st.st_size, 60);
    CHECK_EQ_INT(fd_write_all(fd, hundred, 0), ERR_OK);
    (void)close(fd);
    CHECK_EQ_INT(fd_write_all(fd, hundred, 1), ERR_IO);
    CHECK_EQ_INT(errno, EBADF);
}
