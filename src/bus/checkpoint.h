/* checkpoint: brings the state of a journal consumer into the database, with its cursor.
 *
 * Why: every consumer needs the same steps, and their order is what makes them right: a snapshot
 * on the worker; wait until the journal has committed all that is in it (a state that is ahead of
 * the journal would skip records that get the same numbers after a crash); one transaction with
 * the rows and the cursor; only then may the journal let go of the records.
 * A state that several workers hold is gathered by and by (begin()): what each of them gives holds
 * all up to the cursor, which was noted first, and maybe some of what came behind it. Who replays
 * from there must not do twice what it finds done.
 * One run at a time; one that is asked for meanwhile follows. A run that is older than what the
 * database holds already is skipped there.
 * Ownership: embedded in its owner. A run that is under way at checkpoint_fini() ends by itself
 * (db_close() drains it); only its snapshot is freed then.
 * Threads: the worker's, but write() on the database's thread.
 * Errors: logged when they begin and when they are over; the snapshot is handed back, its owner
 * writes all of it the next time. That is a second later at the earliest, however often a run is
 * asked for: writing all costs much, and to a full disk it is in vain. */
#pragma once

#include "async/timer.h"
#include "base/atomic.h"
#include "store/db.h"
#include "store/journal.h"

struct checkpoint;
struct checkpoint_ops {
    /* What has changed since the last run; NULL without memory. */
    void *(*gather)(struct checkpoint *c);
    enum err (*write)(void *snapshot, struct sqlite3 *sql, struct error *e);
    void (*free)(void *snapshot);
    void (*failed)(struct checkpoint *c); /* the changes of a run are not stored */
    /* Instead of gather() while the executor runs, unless it is NULL: checkpoint_gathered() will
     * be called with what gather() would give. False: not now. */
    bool (*begin)(struct checkpoint *c);
    /* The run has ended well while the executor runs; NULL: nobody wants to know. */
    void (*stored)(struct checkpoint *c);
};
struct checkpoint_run;
struct checkpoint {
    struct journal_consumer consumer; /* its name is the cursor's */
    const struct checkpoint_ops *ops;
    struct executor *ex;
    struct worker *worker;
    struct journal *journal;
    struct db *db;
    struct alloc *alloc;
    struct timer timer;
    struct checkpoint_run *run;
    /* Runs are numbered from 1; all that was gathered by a run up to `stored` is in the database,
     * unless it failed and was not gathered again. Written by its worker, read by any. */
    _Atomic uint64_t begun, stored;
    int64_t patience_ns; /* the last run failed: none before; 0: it did not */
    bool again;          /* once more at its end */
    bool changed;        /* meanwhile */
};

struct checkpoint_config {
    const char *name;
    const struct checkpoint_ops *ops;
    void (*apply)(struct journal_consumer *c, const struct journal_record *r);
    struct executor *ex;
    struct journal *journal;
    struct db *db;
    struct alloc *alloc;
};
/* Reads the cursor and adds the consumer. Before journal_replay(). */
MUST_USE enum err checkpoint_init(struct checkpoint *c, const struct checkpoint_config *cfg,
                                  struct error *e);
/* Stores what is left, if the journal can still commit; safe on a zeroed one. */
void checkpoint_fini(struct checkpoint *c);
/* The end of begin(), on the same worker. Takes the snapshot; NULL: without memory. */
void checkpoint_gathered(struct checkpoint *c, void *snapshot);
/* Something has changed: there will be a run within a minute. */
void checkpoint_changed(struct checkpoint *c);
/* Starts a run; when no executor runs, it is done when this returns. */
void checkpoint_now(struct checkpoint *c);
