#include "async/offload.h"
#include "net/look_up.h"

#include <string.h>

struct addr_asking {
    struct offload_job job;
    struct offload_queue *queue;
    struct alloc *alloc;
    struct task *task; /* NULL: nobody waits */
    addr_resolver resolve;
    struct addr addrs[ASKING_ADDRS_MAX];
    size_t n;
    enum err result;
    struct error error;
    bool over;
    uint16_t port;
    uint16_t host_n;
    char host[LOOK_UP_HOST_MAX];
};

static void asking_free(struct addr_asking *a)
{
    offload_queue_free(a->queue);
    mem_free(a->alloc, a, sizeof(*a));
}

/* A thread of the pool: nothing but the asking itself may be touched. */
static void run(struct offload_job *j)
{
    struct addr_asking *a = CONTAINER_OF(j, struct addr_asking, job);
    a->result = a->resolve(a->addrs, ASKING_ADDRS_MAX, &a->n, (struct str){a->host, a->host_n},
                           a->port, &a->error);
}

static void finished(struct offload_job *j)
{
    struct addr_asking *a = CONTAINER_OF(j, struct addr_asking, job);
    a->over = true;
    if (a->task)
        task_wake(a->task);
    else
        asking_free(a);
}

enum err addr_ask(struct addr_asking **out, struct worker *w, addr_resolver resolve,
                  struct str host, uint16_t port, struct task *task)
{
    *out = NULL;
    if (host.n >= LOOK_UP_HOST_MAX)
        return ERR_NOT_FOUND;
    struct addr_asking *a = mem_zero(worker_alloc(w), sizeof(*a));
    if (!a)
        return ERR_NOMEM;
    a->job = (struct offload_job){.run = run, .done = finished};
    a->alloc = worker_alloc(w);
    a->task = task;
    a->resolve = resolve ? resolve : addr_look_up;
    a->port = port;
    a->host_n = (uint16_t)host.n;
    memcpy(a->host, host.p, host.n);
    /* One of its own: a name that nobody answers for must not hold up others. */
    enum err err = offload_queue_new(&a->queue, worker_executor(w), 1, 1);
    if (!err)
        err = offload_submit(a->queue, w, &a->job);
    if (err)
        asking_free(a);
    else
        *out = a;
    return err;
}

enum err addr_answer(const struct addr_asking *a, const struct addr **addrs, size_t *n,
                     struct error *e)
{
    *addrs = a->addrs;
    *n = a->over ? a->n : 0;
    if (!a->over)
        return ERR_AGAIN;
    if (a->result && e)
        *e = a->error;
    return a->result;
}

void addr_ask_forget(struct addr_asking *a)
{
    if (!a)
        return;
    a->task = NULL;
    if (a->over)
        asking_free(a);
}
