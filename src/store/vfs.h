/* vfs: SQLite's files on a struct disk, so that a simulated disk holds the database too.
 *
 * Why: what a power cut leaves of a database is part of what a site must survive. On the system's
 * disk SQLite uses its own VFS, which knows the system's locks and shared memory; this one is for
 * every other disk. Locks and the WAL's index are kept in memory, between the connections of one
 * struct vfs; as they are in a real system, where neither survives the power.
 * Nothing ever waits: a lock that is held is SQLITE_BUSY at once, for on the one thread of a
 * simulation nobody could release it meanwhile.
 * SQLite's own generator of chance (the salts of the WAL) is the process's; it is seeded anew here,
 * so that the same seed makes the same files.
 * Ownership: connections are closed before vfs_free(). Threads: one for all.
 * Source: sqlite.org/c3ref/vfs.html, sqlite.org/walformat.html (the locks of the shared memory). */
#pragma once

#include "async/env.h"

struct vfs;
MUST_USE enum err vfs_new(struct vfs **out, struct alloc *a, struct env *env);
void vfs_free(struct vfs *v);
const char *vfs_name(const struct vfs *v); /* for sqlite3_open_v2() */
