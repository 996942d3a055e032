#include "async/worker_pools.h"
#include "base/pool_list.h"
#include "tests/support/test.h"

#include <string.h>

struct seen {
    size_t buffers_in_use, buffers_rows, mine;
    uint64_t given_remote;
    unsigned worker;
};

static void see(void *ctx, const struct pool_row *row)
{
    struct seen *s = ctx;
    if (strcmp(row->name, "mine") == 0) {
        s->mine++;
        s->worker = row->worker;
    } else if (strcmp(row->name, "buffers") == 0) {
        s->buffers_rows++;
        s->buffers_in_use += row->stats.in_use;
        s->given_remote += row->stats.given_remote;
    }
}

static struct seen look(struct executor *ex)
{
    struct seen s = {0};
    pool_list_each(executor_pools(ex), see, &s);
    return s;
}

TEST(worker_buffers_are_made_once_and_shown)
{
    struct executor_config cfg = {.workers = 2, .driver = "epoll", .offload_threads = 1};
    struct executor *ex;
    struct pool p;
    REQUIRE(executor_new(&ex, &cfg, NULL) == ERR_OK);
    CHECK_EQ_UINT(look(ex).buffers_rows, 0);
    struct alloc *a = worker_buffers(executor_worker(ex, 0));
    size_t rows = look(ex).buffers_rows;
    CHECK(rows > 0);
    CHECK_EQ_PTR(worker_buffers(executor_worker(ex, 0)), a);
    CHECK_EQ_UINT(look(ex).buffers_rows, rows);
    CHECK(worker_buffers(executor_worker(ex, 1)) != a);
    CHECK_EQ_UINT(look(ex).buffers_rows, 2 * rows);
    void *b = mem_new(a, 200);
    CHECK_EQ_UINT(look(ex).buffers_in_use, 1);
    mem_free(a, b, 200);
    CHECK_EQ_UINT(look(ex).buffers_in_use, 0);
    REQUIRE(pool_init(&p, alloc_system(), 16, 1, 0) == ERR_OK);
    worker_pool_show(executor_worker(ex, 1), &p, "mine");
    CHECK_EQ_UINT(look(ex).mine, 1);
    CHECK_EQ_UINT(look(ex).worker, 1);
    pool_fini(&p);
    CHECK_EQ_UINT(look(ex).mine, 0);
    executor_free(ex);
}

struct pass {
    struct task give, take;
    struct executor *ex;
    struct alloc *from;
    char *block;
};

static enum poll give_poll(struct task *t)
{
    struct pass *p = CONTAINER_OF(t, struct pass, give);
    mem_free(p->from, p->block, 300);
    executor_stop(p->ex);
    return POLL_READY;
}

static enum poll take_poll(struct task *t)
{
    struct pass *p = CONTAINER_OF(t, struct pass, take);
    p->from = worker_buffers(worker_current());
    p->block = mem_new(p->from, 300);
    if (!CHECK(p->block != NULL))
        executor_stop(p->ex);
    else
        task_spawn(executor_worker(p->ex, 0), &p->give);
    return POLL_READY;
}

TEST(worker_buffers_may_be_freed_by_another_worker)
{
    struct executor_config cfg = {.workers = 2, .driver = "epoll", .offload_threads = 1};
    struct pass p = {0};
    REQUIRE(executor_new(&p.ex, &cfg, NULL) == ERR_OK);
    task_init(&p.give, "give", give_poll, NULL);
    task_init(&p.take, "take", take_poll, NULL);
    task_spawn(executor_worker(p.ex, 1), &p.take);
    executor_run(p.ex);
    CHECK_EQ_UINT(look(p.ex).buffers_in_use, 0);
    CHECK_EQ_UINT(look(p.ex).given_remote, 1);
    executor_free(p.ex);
}

TEST(worker_buffers_without_memory_are_the_workers_allocator)
{
    bool failed = true;
    for (uint64_t n = 0; failed; n++) {
        struct alloc_faulty f;
        struct executor_config cfg = {
            .alloc = &f.alloc, .workers = 1, .driver = "epoll", .offload_threads = 1};
        struct executor *ex;
        LABEL("allocation %llu", (unsigned long long)n);
        alloc_faulty_init(&f, n);
        if (executor_new(&ex, &cfg, NULL) == ERR_OK) {
            struct worker *w = executor_worker(ex, 0);
            struct alloc *a = worker_buffers(w);
            CHECK_EQ_INT(a == &f.alloc, f.failed);
            executor_free(ex);
        }
        failed = f.failed;
        CHECK_EQ_UINT(f.live_bytes, 0);
    }
}
