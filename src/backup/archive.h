/* archive: a compressed tar file with the SHA-256 of each of its files; written whole or not at
 * all.
 *
 * Why tar and zstd: whoever has lost everything else can still open it, by `tar --zstd -xf`.
 * Writing: archive_create() makes FILE.part-PID, archive_commit() syncs it and gives it its name;
 * anything else leaves nothing behind. It is readable by its owner only, since a site's secrets are
 * in it.
 * Ownership: `new` and `free`. Threads: none; all calls block. Errors: ERR_IO, ERR_NOMEM,
 * ERR_RANGE, ERR_CORRUPT with a text. */
#pragma once

#include "base/alloc.h"
#include "base/vec.h"
#include "codec/tar.h"

enum { SHA256_HEX = 64, ARCHIVE_FILES_MAX = 100000 };

/* What is known of a file that was written or read. */
struct archive_file {
    char name[TAR_NAME_MAX + 1];
    char sha256[SHA256_HEX + 1];
    uint64_t bytes;
    uint32_t mode;
    int64_t mtime_s;
};
struct archive_files {
    VEC(struct archive_file) all;
};

struct archive_writer;
MUST_USE enum err archive_create(struct archive_writer **out, struct alloc *a, const char *path,
                                 struct error *e);
MUST_USE enum err archive_begin(struct archive_writer *w, const struct tar_entry *t,
                                struct error *e);
MUST_USE enum err archive_add(struct archive_writer *w, const void *p, size_t n, struct error *e);
MUST_USE enum err archive_end(struct archive_writer *w, struct error *e);
/* begin, add and end in one. */
MUST_USE enum err archive_put(struct archive_writer *w, const char *name, const void *p, size_t n,
                              int64_t mtime_s, struct error *e);
/* A file of the disk. ERR_AGAIN: it became shorter meanwhile. */
MUST_USE enum err archive_put_file(struct archive_writer *w, const char *name, const char *path,
                                   struct error *e);
const struct archive_files *archive_written(const struct archive_writer *w);
MUST_USE enum err archive_commit(struct archive_writer *w, uint64_t *bytes, struct error *e);
void archive_writer_free(struct archive_writer *w); /* NULL is fine */

struct archive_reader;
MUST_USE enum err archive_open(struct archive_reader **out, struct alloc *a, const char *path,
                               struct error *e);
/* The next file; what was left of the last one is passed over. *end: there is none. */
MUST_USE enum err archive_next(struct archive_reader *r, struct tar_entry *t, bool *end,
                               struct error *e);
/* *got 0 at the file's end. */
MUST_USE enum err archive_read(struct archive_reader *r, void *p, size_t n, size_t *got,
                               struct error *e);
/* Of the file that was read to its end last. */
void archive_sum(const struct archive_reader *r, char out[SHA256_HEX + 1]);
void archive_reader_free(struct archive_reader *r); /* NULL is fine */
