/* lock: who holds a file's flock(), asked without touching it.
 *
 * Why: a running site holds one on its store. Who tries to take it, however shortly, may be in the
 * way of a site that starts at this moment; the kernel's list tells without that. And opening the
 * file to take it: who holds it also writes to it, so a name that leads elsewhere is not followed.
 * Threads: any. After proc_locks(5). */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* 0: nobody, or there is no such file. -1: somebody whom this process may not see. */
pid_t lock_holder(const char *path);
/* Makes the file, mode 0600, if there is none. -1 with errno: also if it is a link, has another
 * name too, or is no file at all: by root, who owns the folder could have it write where it must
 * not. */
int lock_open(const char *path);
