/* co_fixture: runs a function as a coroutine on an executor of its own, for tests. */
#pragma once

#include "async/coroutine.h"
#include "async/executor.h"
#include "tests/support/test.h"

enum { FIXTURE_COROUTINES = 2048 };

struct co_fixture {
    struct executor *ex;
    intptr_t (*fn)(void *arg);
    void *arg;
    intptr_t result;
};

static inline struct executor *co_fixture_executor(unsigned workers)
{
    struct executor_config cfg = {.env = env_linux(),
                                  .alloc = alloc_system(),
                                  .workers = workers,
                                  .driver = "epoll",
                                  .offload_threads = 1};
    struct executor *ex = NULL;
    struct error e = {0};
    REQUIRE(CHECK_EQ_INT(executor_new(&ex, &cfg, &e), ERR_OK));
    for (unsigned i = 0; i < workers; i++)
        REQUIRE(CHECK_EQ_INT(co_enable(executor_worker(ex, i), FIXTURE_COROUTINES), ERR_OK));
    return ex;
}

static inline intptr_t co_fixture_main(void *arg)
{
    struct co_fixture *f = arg;
    f->result = f->fn(f->arg);
    executor_stop(f->ex);
    return 0;
}

/* fn(arg) on worker 0 of `workers`; what it returned. */
static inline intptr_t co_fixture_run(unsigned workers, intptr_t (*fn)(void *arg), void *arg)
{
    struct co_fixture f = {.fn = fn, .arg = arg};
    f.ex = co_fixture_executor(workers);
    enum err r = co_spawn(NULL, executor_worker(f.ex, 0), co_fixture_main, &f, "test");
    REQUIRE(CHECK_EQ_INT(r, ERR_OK));
    executor_run(f.ex);
    executor_free(f.ex);
    return f.result;
}

static inline struct worker *co_fixture_worker(unsigned i)
{
    return executor_worker(worker_executor(worker_current()), i);
}
