/* worker_pools: what a worker has of pooled memory, and where people see it.
 *
 * worker_buffers() is the allocator for what lives for a moment: messages, requests, answers. It is
 * base/buffers.h with a region of WORKER_BUFFERS_BYTES and the worker's own allocator behind it.
 * What one worker allocated another may free; all of it must be free again when the executor ends.
 * Threads: the worker's, or whoever holds the executor while it does not run; freeing: any. */
#pragma once

#include "async/executor.h"
#include "base/pool.h"

#define WORKER_BUFFERS_BYTES ((size_t)16 << 20) /* of address space; memory as it is used */

/* Made at the first call, which is the worker's if it runs. Never NULL: without memory it is the
 * worker's allocator. */
struct alloc *worker_buffers(struct worker *w);

/* Shows the pool in executor_pools() under this name until its pool_fini(). */
void worker_pool_show(struct worker *w, struct pool *p, const char *name);
