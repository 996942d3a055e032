/* history_internal: what the files of history share; private to history/.
 *
 * history.c  samples into heads; what is known at start
 * seal.c     when and what to seal (worker 0)
 * seal_db.c  chunks and roll-ups into the tables (pool thread)
 * query.c    questions: heads as they are now, merged with the tables
 * windows.c  windows of an answer */
#pragma once

#include "async/timer.h"
#include "base/map.h"
#include "base/vec.h"
#include "history/chunk.h"
#include "history/history.h"

#define ROLLUP_MS     INT64_C(3600000)
#define SEAL_SERIES   1024u       /* of one transaction */
#define SEAL_POINTS   (64u << 10) /* of one transaction, unless one series has more */
#define SEAL_RETRY_MS 10000
#define SETTLE_MS     1000 /* after that long every appended record has become samples */
#define TS_LIMIT_MS   INT64_C(8640000000000000) /* 275,000 years around 1970; beyond is nonsense */

/* One series. Points are numbered in the order in which they came: `sealed` of them are in the
 * database, then come those of `sealing`, then those of `points`. A query reads the database's
 * count in the same transaction as its chunks, so it knows which of its copy it has already. */
struct head {
    struct str name, unit; /* behind the struct */
    size_t size;           /* of the whole */
    enum value_kind kind;
    int64_t id; /* row of `series`; 0: none yet */
    uint64_t sealed;
    uint64_t seq; /* records up to this one are sealed */
    struct points points;
    uint64_t first_seq, last_seq; /* of `points`; 0: none */
    uint32_t bad;

    /* Of the job that is under way, or will be tried again; the pool thread reads it. */
    struct points sealing;
    uint64_t sealing_first, sealing_last;
    uint32_t sealing_bad;
    bool in_job;

    /* What the job found out; becomes true with its commit. */
    int64_t job_id;
    int64_t job_chunks; /* more or fewer */
    uint64_t job_bytes;
};

struct seal_job {
    struct db_job job;
    struct head **heads; /* SEAL_SERIES */
    size_t n;
    uint64_t cursor;
    bool running;
};

struct history {
    struct history_config cfg;
    struct worker *worker; /* 0; NULL in tools */
    struct map by_name;
    VEC(struct head *) heads;
    VEC(struct head *) by_index; /* of the bus */
    struct sample_listener listener;
    struct journal_consumer consumer;
    struct timer timer;
    struct tick_hook hook;
    struct seal_job seal;
    bool want_all; /* a pass over all heads is not through */
    bool failing, stopping, listening;
    uint64_t seen; /* highest record that gave a sample */
    uint64_t mark; /* last record when the timer was set */
    uint64_t unsealed;
    struct history_stats stats;
    _Atomic uint64_t damaged; /* counted on pool threads */
};

extern const struct db_migration history_migration; /* seal_db.c */

/* seal.c */
void seal_init(struct history *h);
void seal_soon(struct history *h);           /* full heads, at the end of the tick */
void seal_in(struct history *h, int64_t ms); /* all heads */
void seal_pressure(struct journal_consumer *c);
MUST_USE enum err seal_all_now(struct history *h, struct error *e);

/* seal_db.c */
enum err seal_run(struct db_job *j, struct sqlite3 *sql);

/* windows.c: the earliest `limit` + 1 windows. */
struct windows {
    struct alloc *alloc;
    VEC(struct history_window) all; /* by t0; `sum` is summed, `mean` is not yet made */
    int64_t window_ms;
    size_t limit;
    bool failed; /* no memory */
};
int64_t window_start(int64_t ts_ms, int64_t window_ms);
/* Numbers of one window: n of them with these figures, the first at t0, the last at t1. */
void windows_add(struct windows *w, const struct points_summary *s);
void windows_add_point(struct windows *w, int64_t ts_ms, double x);
