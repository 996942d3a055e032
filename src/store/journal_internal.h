/* journal_internal: what the files of the journal share; private to store/.
 *
 * frame.c    one frame: bytes to records and back; pure
 * segment.c  the files: made, activated, recycled
 * recover.c  what is found at start: replay, torn tail, damage
 * writer.c   the thread, or event: group, write, sync, publish
 * space.c    a full disk: what is refused, and when it is looked again
 * wait.c     who waits for a commit
 * journal.c  the rest of the interface
 * Threads: `lock` guards what is marked (lock); what is marked (writer) belongs to the writer
 * thread, and before journal_start() to who opened the journal. */
#pragma once

#include "async/disk.h"
#include "base/atomic.h"
#include "base/list.h"
#include "base/vec.h"
#include "store/journal.h"
#include <pthread.h>
#include <zstd.h>

/* ---- frame.c ---- */
#define FRAME_HEAD        48u
#define FRAME_RAW_MAX     (64u << 20)
#define FRAME_MAGIC       0x314a4653u /* "SFJ1" as bytes */
#define FRAME_ANY_SEGMENT 0u          /* no segment has this id */
#define RECORD_HEAD_MAX   21u
#define RECORD_SIZE_MIN   3u
#define COMPRESS_RAW_MIN  512u

enum frame_flags {
    FRAME_ZSTD = 1,      /* the body is compressed */
    FRAME_AFTER_GAP = 2, /* the numbers before first_seq are missing, and that is known */
};
struct frame_head {
    uint8_t flags;
    uint64_t segment; /* id of the segment that it was written into */
    uint64_t first_seq;
    int64_t wall_ms; /* of the first record */
    uint32_t count, raw, stored;
};
/* Writes head and check for a body of h->stored bytes. */
void frame_seal(uint8_t out[FRAME_HEAD], const struct frame_head *h, const uint8_t *body);
/* True if a whole valid frame of this segment starts at in.p; *body borrows from it. */
bool frame_open(struct bytes in, uint64_t segment, struct frame_head *h, struct bytes *body);
/* The first frame at or behind *at that frame_open() takes and whose numbers are above `after`. */
bool frame_find(struct bytes in, size_t *at, uint64_t segment, uint64_t after, struct frame_head *h,
                struct bytes *body);

/* The raw bytes of bodies, one after the other; the buffer is reused. */
struct frame_unpacker {
    struct alloc *alloc;
    uint8_t *p;
    size_t cap;
};
MUST_USE enum err frame_unpack(struct frame_unpacker *u, const struct frame_head *h,
                               struct bytes body, struct bytes *raw);
void frame_unpacker_fini(struct frame_unpacker *u);

size_t record_head(uint8_t out[RECORD_HEAD_MAX], uint8_t kind, int64_t wall_delta_ms, size_t size);
/* Reads the next record; r->seq is the caller's. False at the end or at damage (c->failed). */
bool record_next(struct cursor *c, int64_t frame_wall_ms, struct journal_record *r);

/* ---- segment.c ---- */
#define SEGMENT_HEAD      4096u /* a block of its own: no frame shares a page with it */
#define SEGMENT_SPARE_MAX 2u
#define JOURNAL_DIR_MAX   400u
#define JOURNAL_PATH_MAX  512u

struct segment_head {
    uint64_t id, first_seq, size;
    uint64_t before; /* last number before first_seq when it was made; 0: none */
    int64_t made_ms;
    bool repaired; /* its missing records have been reported */
};
void segment_head_encode(uint8_t out[SEGMENT_HEAD], const struct segment_head *h);
bool segment_head_decode(struct bytes in, struct segment_head *h);

struct segment {
    uint64_t id, first_seq;
    uint64_t last_seq; /* 0 while unknown or empty */
    uint64_t name_seq; /* what its file name says */
};

/* ---- wait.c ---- */
struct notifier; /* one for each worker */

/* ---- journal ---- */
struct group {
    uint8_t *p; /* FRAME_HEAD bytes free, then records */
    size_t n, cap;
    uint64_t first_seq;
    int64_t wall_ms;
    int64_t since_ns; /* when the first record came */
    uint32_t count;
    bool urgent; /* holds a record that is not lazy */
};

struct journal {
    struct executor *ex;
    struct disk *disk;
    struct clock *clock;
    struct alloc *alloc;
    char dir[JOURNAL_DIR_MAX + 1];
    size_t segment_bytes, group_max;
    uint64_t bytes_max;
    int64_t commit_ms;
    uint64_t seed;
    void (*progress)(void *ctx, size_t segment, size_t segments);
    void *progress_ctx;

    pthread_mutex_t lock;
    pthread_cond_t wake;          /* the writer's */
    struct group group[2];        /* (lock) the one that fills; the other is the writer's */
    unsigned fill;                /* (lock) */
    bool idle, timed, stop;       /* (lock) how the writer waits */
    bool refuse;                  /* (lock) four times over the budget */
    bool stuck;                   /* (lock) `waits` is set: nothing more is taken */
    VEC(struct segment) segments; /* (lock) oldest first; the last one is written to */
    struct list consumers;        /* (lock) */
    bool keep_all;                /* (lock) a consumer has left */
    struct error why;             /* (lock) */
    struct journal_stats stats;   /* (lock) */
    uint64_t next_seq;            /* (lock) */

    _Atomic uint64_t last, committed;
    _Atomic bool failed, pressed;
    _Atomic bool no_room, room_news; /* the disk is full; that has changed */

    /* (writer) */
    pthread_t thread;
    bool running, replayed, gap;
    struct disk_file *file; /* of the last segment */
    uint64_t at;            /* where its next frame goes */
    size_t written;         /* bytes of the frame that is there and not yet synced */
    uint64_t spare[SEGMENT_SPARE_MAX];
    unsigned spares;
    uint64_t ids;                        /* so that no two segments of a run share one */
    bool prepare_failed, recycle_failed; /* said so once */
    struct group *waits;                 /* taken, but the disk has no room for it */
    int64_t room_at_ns;                  /* when it is looked again; only while no_room */
    int64_t room_pause_ns;
    ZSTD_CCtx *zstd;
    uint8_t *packed;
    size_t packed_cap;

    /* Of a simulated world, where an event does what the thread does. */
    struct env *world;     /* NULL: there is a thread, or nothing has been started */
    struct env_event due;  /* when the writer has something to do */
    struct group *syncing; /* written; `due` is the end of its sync */

    struct notifier *notifiers;
    unsigned notifier_count;
    void (*room)(void *ctx, bool none); /* worker 0 */
    void *room_ctx;
};

/* segment.c */
bool segment_name(const char *name, uint64_t *seq); /* of a segment's file */

/* segment.c (writer) */
void segment_path(const struct journal *j, uint64_t name_seq, char out[JOURNAL_PATH_MAX]);
/* Looks at all files of the folder; fills j->segments in order and adopts spares. */
MUST_USE enum err segments_scan(struct journal *j, struct error *e);
/* Ends the current segment and makes the next one that starts with first_seq. */
MUST_USE enum err segment_activate(struct journal *j, uint64_t first_seq, struct error *e);
/* Sees to it that a zero-filled spare lies ready. */
MUST_USE enum err segment_prepare(struct journal *j, struct error *e);
/* Says that the disk is full. Returns what that is. */
enum err segment_no_room(const struct journal *j, struct error *e);
/* Turns segments that every consumer has passed into spares, or removes them. */
void segments_recycle(struct journal *j);
bool segments_releasable(struct journal *j); /* (lock) */
/* An id that no other segment ever had here. */
uint64_t segment_fresh_id(struct journal *j);
/* Zero-fills a new file and syncs it. */
MUST_USE enum err segment_zero_fill(struct journal *j, const char *path, struct error *e);

/* recover.c: replay of all segments; leaves the last one open for writing. */
MUST_USE enum err recover_all(struct journal *j, struct error *e);

/* writer.c */
MUST_USE enum err writer_start(struct journal *j, struct error *e);
void writer_stop(struct journal *j);
void writer_signal(struct journal *j); /* there may be something to do; not with the lock held */
/* What the thread does once: takes the group that waits, writes, syncs, publishes it, then tends
 * the files. False if nothing waited. For tests without a thread, and for closing. */
bool journal_test_step(struct journal *j);
/* Calls the pressure() of those who hold old segments, if that is due. */
void journal_press(struct journal *j);

/* space.c (writer) */
/* Of the first segment, when it is certain that there is none: nothing is written in vain. */
MUST_USE enum err space_for_start(struct journal *j, struct error *e);
/* The next segment lies ready. ERR_FULL: the disk has no room for it, or had none a moment ago. */
MUST_USE enum err space_for_segment(struct journal *j, struct error *e);
/* The group stays taken until there is room for it; now there was. */
void space_wait(struct journal *j, struct group *g, const struct error *e);
void space_waited(struct journal *j);
/* That was a full disk, and nothing worse. */
bool space_is_missing(const struct error *e);
/* It is full, or no more; told once. */
void space_set(struct journal *j, bool none, const struct error *e);
/* What has been taken waits for room. Any thread. */
bool space_is_awaited(struct journal *j);
/* Calls the one who wants to know, on worker 0. */
void space_tell(struct journal *j);
/* What is refused while the disk is full. (lock) */
bool space_refuses(const struct journal *j, enum journal_kind kind);

/* wait.c */
MUST_USE enum err notifiers_new(struct journal *j);
void notifiers_free(struct journal *j);
void notifiers_start(struct journal *j);
/* After `committed`, `failed` or `pressed` has changed. */
void notifiers_wake(struct journal *j);
