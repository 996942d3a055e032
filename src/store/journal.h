/* journal: the one append-only log; what must last is in it before anybody is told so.
 *
 * Why: one write for an event, one sync for a group, one recovery path. Whatever arrives while the
 * last sync runs is the next group; the writer is one thread of its own (in a simulated world, see
 * env.h, an event).
 * On disk: segments `journal-<first seq, hex>.sj` of zero-filled bytes, recycled; a segment starts
 * with a versioned header, then frames: {magic, version, flags, first seq, count, raw and stored
 * length, CRC-32C over head and body}; a frame holds the records of one group, zstd-compressed
 * where that helps. A torn last frame was never acknowledged and is dropped; damage before it is
 * quarantined (the file is renamed, what can be read is read, the log and `damaged` say so).
 * If a write or sync fails, nothing that it held is committed, ever, and nothing after it:
 * journal_failed() tells, every waiter gets ERR_IO.
 * A full disk is no failure: it ends. Segments are filled before they are used, and the next one is
 * made when the current one is half full; if there is no room for it, messages and samples, the
 * bulk of what comes, are refused from then on (ERR_IO, and journal_no_room() tells), and the other
 * half is kept for what is small and must be written for the site to go on: decisions, sessions,
 * alerts, programs. If even that is used up, or was too small for what waited already, that group
 * waits and everything is refused. Every second it is looked whether there is room again; then all
 * goes on, and nothing that had been taken is lost. Consumers (sessions, retained, history, alerts,
 * programs) have a cursor each, kept in the database with what they applied; a segment that all of
 * them have passed is recycled. With commit_ms > 0 records are acknowledged as soon as they are
 * handed to the writer, and journal_committed() means just that: a crash of the process, the system
 * or the power then loses up to the last commit_ms of acknowledged records, always the newest ones,
 * never one in the middle. Memory: two groups of at most group_bytes_max (in use: what arrives
 * during two syncs); at start one segment. `alloc` must be usable from any thread (the writer's and
 * the workers'). Threads: journal_append() and waits: any worker; done() callbacks on the worker
 * that waits; replay before the executor runs. */
#pragma once

#include "async/executor.h"
#include "base/cursor.h"

#include <sys/uio.h>

enum journal_kind {                       /* on disk: never renumber */
                    JOURNAL_MESSAGE = 1,  /* bus */
                    JOURNAL_SAMPLE = 2,   /* registry: a sample that came by no message */
                    JOURNAL_SESSION = 3,  /* protocol: session and subscription changes */
                    JOURNAL_ACK = 4,      /* protocol: a session is done with a message; lazy */
                    JOURNAL_DECISION = 5, /* automation: an action was decided */
                    JOURNAL_ALERT = 6,    /* alert: raised, cleared, acknowledged */
                    JOURNAL_PROGRAM = 7,  /* automation: variables and rule states */
                    JOURNAL_HEARD = 9,    /* registry: when an event of a device came; lazy */
};

struct journal_record {
    uint64_t seq; /* 1, 2, 3 …; never reused */
    int64_t wall_ms;
    uint8_t kind;
    struct bytes body; /* borrowed for the call */
};

struct journal_config {
    struct executor *ex;
    struct disk *disk;
    struct clock *clock;
    struct alloc *alloc;
    const char *dir;
    size_t segment_bytes;   /* default 16 MiB */
    size_t group_bytes_max; /* what may wait for the writer; default 8 MiB: above it appends get
                               ERR_FULL */
    int64_t commit_ms; /* 0: sync at once (default); > 0: acknowledge at once, sync this often */
    uint64_t journal_max_bytes; /* its budget; default 8 segments. Above it consumers are pressed,
                                 * at four times of it appends get ERR_FULL */
    uint64_t seed;              /* for segment ids: the environment's; 0: from the clock */
    /* Of a replay, before each segment; may be NULL. For who is waited for. */
    void (*progress)(void *ctx, size_t segment, size_t segments);
    void *progress_ctx;
};
struct journal;
struct journal_consumer {
    struct list link;
    const char *name;
    uint64_t cursor; /* applied and checkpointed up to here; from the database at start */
    void (*apply)(struct journal_consumer *c, const struct journal_record *r); /* replay */
    /* The journal is above its budget: checkpoint and journal_release() soon. On worker 0; again
     * with every new segment. May be NULL. */
    void (*pressure)(struct journal_consumer *c);
};

MUST_USE enum err journal_open(struct journal **out, const struct journal_config *cfg,
                               struct error *e);
/* Commits what was appended, then ends the writer. */
void journal_close(struct journal *j);

/* Before the executor runs: add all consumers, then replay once; then start the writer. Appends
 * may begin after the replay. Without a single consumer nothing is ever recycled. */
void journal_consumer_add(struct journal *j, struct journal_consumer *c);
/* At shutdown, before the consumer's memory goes. It may still need its records at the next
 * start, so nothing is recycled any more in this run. */
void journal_consumer_remove(struct journal *j, struct journal_consumer *c);
MUST_USE enum err journal_replay(struct journal *j, struct error *e);
bool journal_replayed(const struct journal *j); /* all of it: what consumers hold is whole */
MUST_USE enum err journal_start(struct journal *j, struct error *e);

/* Copies the record into the current group. *seq is set at once. `lazy` records start no sync of
 * their own: they ride with the next group, at most a second later.
 * ERR_FULL: back-pressure, try again when woken by a commit. ERR_RANGE: larger than a group may
 * be. ERR_IO: the journal has failed, or the disk has no room for this. */
MUST_USE enum err journal_append(struct journal *j, enum journal_kind kind, bool lazy,
                                 const struct iovec *parts, unsigned n, uint64_t *seq);
/* Lazy records too are committed now: for who waits for them, as at shutdown. */
void journal_hurry(struct journal *j);
/* Records that are not lazy are not committed yet: a sync is due or under way. For who moves a
 * virtual time and must not leave the disk behind. The thread that started the journal. */
bool journal_is_busy(struct journal *j);
/* Blocks until `seq` is committed: at shutdown, when no executor runs. ERR_IO: it never will be;
 * ERR_TIMEOUT. */
MUST_USE enum err journal_await(struct journal *j, uint64_t seq, int64_t timeout_ms);
uint64_t journal_last(const struct journal *j);      /* last appended */
uint64_t journal_committed(const struct journal *j); /* all up to here are on disk */
bool journal_failed(const struct journal *j, struct error *why);
/* The disk is full, for now. */
bool journal_no_room(const struct journal *j);
/* Calls room() on worker 0 whenever that has changed. Before the executor runs; NULL ends it. */
void journal_on_room(struct journal *j, void (*room)(void *ctx, bool none), void *ctx);

/* Calls done() once on worker w when `seq` is committed (ERR_OK) or never will be (ERR_IO).
 * Always later, never inside journal_wait(). One wait struct waits for one thing at a time. */
struct journal_wait {
    struct list link;
    uint64_t seq;
    void (*done)(struct journal_wait *w, enum err result);
};
void journal_wait(struct journal *j, struct worker *w, struct journal_wait *wait, uint64_t seq);
/* Safe on a zeroed wait and on one that was answered. */
void journal_wait_cancel(struct journal_wait *wait);

/* The consumer no longer needs records up to seq (its checkpoint is durable). Any thread. */
void journal_release(struct journal *j, struct journal_consumer *c, uint64_t seq);

struct journal_stats {
    uint64_t appended, committed, syncs, frames, bytes, segments, recycled, torn_bytes, damaged;
};
struct journal_stats journal_stats(const struct journal *j);
