/* A program for tests/house/gdb_test.py to look into: whatever can wait does so when it comes to
 * all_wait(). With an argument it dumps core there. */
#include "async/channel.h"
#include "async/coroutine.h"
#include "async/worker_internal.h"
#include <stdio.h>
#include <stdlib.h>

#define MUST(call)                                                                                 \
    do {                                                                                           \
        if ((call) != ERR_OK)                                                                      \
            abort();                                                                               \
    } while (0)

/* Not inlined, so that each has a frame to be found. */
#define FRAME __attribute__((noinline))

static struct chan never;
static bool dies;

FRAME void all_wait(void)
{
    if (dies)
        abort();
    __asm__ volatile("" ::: "memory");
}

FRAME static intptr_t read_line(int depth)
{
    volatile intptr_t n = depth > 0 ? read_line(depth - 1) : (intptr_t)chan_recv(&never, NULL);
    return n + 1;
}

static intptr_t reader(void *arg)
{
    volatile intptr_t n = read_line((int)(intptr_t)arg);
    return n;
}

static enum poll waits(struct task *t)
{
    (void)t;
    return POLL_PENDING;
}

static intptr_t watcher(void *arg)
{
    struct executor *ex = arg;
    MUST(co_spawn_free(NULL, reader, (void *)1, "roamer"));
    struct worker *other = executor_worker(ex, 1);
    do /* and whoever shares this worker has had its turn */
        MUST(co_sleep_ms(1));
    while (!atomic_load(&other->sleeping));
    all_wait();
    executor_stop(ex);
    return 0;
}

int main(int argc, char **argv)
{
    (void)argv;
    dies = argc > 1;
    struct executor_config cfg = {
        .env = env_linux(), .workers = 2, .driver = "epoll", .offload_threads = 1};
    struct executor *ex;
    struct task connection;
    struct error e = {0};
    MUST(executor_new(&ex, &cfg, &e));
    for (unsigned i = 0; i < 2; i++)
        MUST(co_enable(executor_worker(ex, i), 16));
    MUST(chan_init(&never, alloc_system(), 0, 0, REACH_ANY));
    task_init(&connection, "connection", waits, NULL);
    task_spawn(executor_worker(ex, 0), &connection);
    MUST(co_spawn(NULL, executor_worker(ex, 0), watcher, ex, "watcher"));
    MUST(co_spawn_at(executor_worker(ex, 1), reader, (void *)2, "reader"));
    executor_run(ex);
    executor_free(ex);
    chan_fini(&never);
    (void)puts("ended");
    return 0;
}
