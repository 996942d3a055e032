#include "async/worker_pools.h"
#include "async/worker_internal.h"
#include "base/buffers.h"
#include "base/pool_list.h"

struct worker_buffers {
    struct worker_local local;
    struct alloc *alloc;
    struct buffers buffers;
};

static void worker_buffers_free(struct worker_local *l)
{
    struct worker_buffers *x = CONTAINER_OF(l, struct worker_buffers, local);
    buffers_fini(&x->buffers);
    mem_free(x->alloc, x, sizeof(*x));
}

struct alloc *worker_buffers(struct worker *w)
{
    struct worker_local *l = worker_local(w, WORKER_LOCAL_BUFFERS);
    if (l)
        return &CONTAINER_OF(l, struct worker_buffers, local)->buffers.alloc;
    struct worker_buffers *x = mem_zero(w->alloc, sizeof(*x));
    if (!x)
        return w->alloc;
    if (buffers_init(&x->buffers, w->alloc, WORKER_BUFFERS_BYTES)) {
        mem_free(w->alloc, x, sizeof(*x));
        return w->alloc;
    }
    x->local.free = worker_buffers_free;
    x->alloc = w->alloc;
    for (unsigned i = 0; i < BUFFERS_CLASSES; i++)
        worker_pool_show(w, &x->buffers.pools[i], "buffers");
    worker_local_set(w, WORKER_LOCAL_BUFFERS, &x->local);
    return &x->buffers.alloc;
}

void worker_pool_show(struct worker *w, struct pool *p, const char *name)
{
    if (w->executor)
        pool_list_add(executor_pools(w->executor), p, name, w->index);
}
