/* disk: files as journal and database adapters see them; every call may be simulated.
 *
 * All calls block: they are made by the journal's writer thread or the offload pool, never by a
 * worker. Short reads and EINTR are handled inside; a write is complete or an error.
 * Threads: any. Errors: ERR_IO with os_errno, ERR_NOT_FOUND, ERR_EXISTS, ERR_NOMEM. */
#pragma once

#include "base/str.h"

struct disk_file; /* an open file */
struct disk {
    const struct disk_ops *ops;
};
enum disk_open { DISK_READ = 1, DISK_WRITE = 2, DISK_CREATE = 4, DISK_EXCLUSIVE = 8 };
struct disk_ops {
    enum err (*open)(struct disk *d, const char *path, unsigned flags, struct disk_file **out,
                     struct error *e);
    void (*close)(struct disk *d, struct disk_file *f);
    /* *got < n only at the end of the file. */
    enum err (*read_at)(struct disk *d, struct disk_file *f, uint64_t at, void *p, size_t n,
                        size_t *got, struct error *e);
    enum err (*write_at)(struct disk *d, struct disk_file *f, uint64_t at, const void *p, size_t n,
                         struct error *e);
    enum err (*sync)(struct disk *d, struct disk_file *f, struct error *e); /* fdatasync */
    enum err (*size)(struct disk *d, struct disk_file *f, uint64_t *out, struct error *e);
    enum err (*truncate)(struct disk *d, struct disk_file *f, uint64_t n, struct error *e);
    enum err (*rename)(struct disk *d, const char *from, const char *to, struct error *e);
    enum err (*remove)(struct disk *d, const char *path, struct error *e);
    enum err (*sync_dir)(struct disk *d, const char *dir, struct error *e);
    enum err (*make_dir)(struct disk *d, const char *dir,
                         struct error *e); /* OK if it exists; parents too */
    /* What this program may still write to the folder's file system. NULL: nobody knows. */
    enum err (*free_bytes)(struct disk *d, const char *dir, uint64_t *out, struct error *e);
    /* Calls each() with every name in the folder, in no order. */
    enum err (*list)(struct disk *d, const char *dir, void (*each)(void *ctx, const char *name),
                     void *ctx, struct error *e);
};

struct disk *disk_linux(void); /* static */

/* For its drivers: the error number as an error that names the file, if `path` does. */
enum err disk_error(struct error *e, int os_errno, const char *path, const char *what);
