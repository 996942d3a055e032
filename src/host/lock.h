/* lock: who holds a file's flock(), asked without touching it.
 *
 * Why: a running site holds one on its store. Who tries to take it, however shortly, may be in the
 * way of a site that starts at this moment; the kernel's list tells without that.
 * Threads: any. After proc_locks(5). */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* 0: nobody, or there is no such file. -1: somebody whom this process may not see. */
pid_t lock_holder(const char *path);
