/* inspect: looks at a store's files and changes none of them, whether a site runs on them or not.
 *
 * Why: who wants to know whether a disk still holds what it was given, or takes a copy of it, must
 * not disturb the one who writes. Everything here only reads; of a journal that is written on
 * meanwhile, what is whole is taken and the rest is not there yet.
 * Ownership: nothing is kept. Threads: any; all calls block.
 * Errors: that a file can't be read; damage is no error but a finding. ERR_AGAIN: a segment was
 * recycled while it was looked at, begin anew. */
#pragma once

#include "async/disk.h"
#include "base/cursor.h"

enum { INSPECT_TEXT = 200 };

/* A segment of the journal; what it points to is borrowed for the call. */
struct segment_seen {
    uint64_t name_seq;            /* of its file, journal-<hex>.sj */
    uint64_t first_seq, last_seq; /* of its frames; last 0: it has none */
    uint64_t id;
    struct bytes whole; /* its head and the frames that follow each other without a hole */
    uint64_t file_bytes;
    unsigned holes;
};

struct journal_seen {
    uint64_t segments, frames, file_bytes;
    uint64_t first_seq, last_seq; /* of all; first 0: there are no records */
    uint64_t torn_bytes;          /* behind the end: never acknowledged, or being written now */
    unsigned holes;               /* damage: records that are missing or unreadable */
    char damage[INSPECT_TEXT];    /* the first of it, "" if there is none */
};

/* Segments in order; `each` may be NULL, and its errors end the look. */
MUST_USE enum err journal_inspect(struct disk *disk, struct alloc *alloc, const char *dir,
                                  enum err (*each)(void *ctx, const struct segment_seen *s,
                                                   struct error *e),
                                  void *ctx, struct journal_seen *out, struct error *e);

/* The number in the name of its oldest segment; 0: there is none. */
MUST_USE enum err journal_oldest(struct disk *disk, const char *dir, uint64_t *out,
                                 struct error *e);

struct db_seen {
    uint64_t bytes;      /* of the file */
    uint64_t cursor_min; /* records above it are needed beside the database; all, if 0 */
    uint64_t cursor_max; /* none of its states is behind that */
    unsigned cursors;    /* consumers that have one */
    char damage[INSPECT_TEXT];
};
/* `thorough`: every page and index, which takes its time; else that it opens and is ours. */
MUST_USE enum err db_inspect(const char *path, bool thorough, struct db_seen *out, struct error *e);
/* A copy of one moment, while others write. `to` must not exist. */
MUST_USE enum err db_copy(const char *path, const char *to, struct error *e);
