#include <sedge/task.h>

#include "async/panic.h"
#include "lib/facade.h"

struct lib_task {
    struct task task;
    enum sedge_poll (*poll)(struct sedge_task *task);
    void (*finished)(struct sedge_task *task);
};
LIB_STORAGE(sedge_task, lib_task)
_Static_assert((int)SEDGE_PENDING == (int)POLL_PENDING && (int)SEDGE_READY == (int)POLL_READY,
               "results of a poll");

static enum poll polled(struct task *task)
{
    struct lib_task *t = CONTAINER_OF(task, struct lib_task, task);
    return (enum poll)t->poll((struct sedge_task *)t);
}

static void finished(struct task *task)
{
    struct lib_task *t = CONTAINER_OF(task, struct lib_task, task);
    t->finished((struct sedge_task *)t);
}

void sedge_task_init(struct sedge_task *task, const char *name,
                     enum sedge_poll (*poll)(struct sedge_task *task),
                     void (*on_finish)(struct sedge_task *task))
{
    struct lib_task *t = lib_task_of(task);
    t->poll = poll;
    t->finished = on_finish;
    task_init(&t->task, name, polled, on_finish ? finished : NULL);
}

enum sedge_err sedge_task_spawn(struct sedge_rt *rt, unsigned worker, struct sedge_task *task)
{
    if (worker >= executor_workers(rt->ex))
        return SEDGE_ERR_RANGE;
    task_spawn(executor_worker(rt->ex, worker), &lib_task_of(task)->task);
    return SEDGE_OK;
}

void sedge_task_spawn_free(struct sedge_rt *rt, struct sedge_task *task)
{
    task_spawn_free(rt->ex, &lib_task_of(task)->task);
}

void sedge_task_wake(struct sedge_task *task)
{
    task_wake(&lib_task_of(task)->task);
}

void sedge_task_cancel(struct sedge_task *task)
{
    task_cancel(&lib_task_of(task)->task);
}

bool sedge_task_canceled(const struct sedge_task *task)
{
    return atomic_load_explicit(&lib_task_of(task)->task.canceled, memory_order_relaxed);
}

void sedge_task_contain(struct sedge_task *task)
{
    task_contain(&lib_task_of(task)->task);
}

bool sedge_task_panicked(const struct sedge_task *task)
{
    return lib_task_of(task)->task.panicked;
}
