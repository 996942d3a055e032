/* history: keeps the samples of kept series, answers for any time by point or by window.
 *
 * Samples gather in memory, one head for each series. A head is sealed as a chunk (chunk.h) into
 * the database when it is full, when its oldest point is seal_age_ms old, or when the journal is
 * above its budget; many series in one transaction, with the cursor. Until then the journal
 * has them: after a crash they are told again (cfg.replay), and what had been sealed is skipped by
 * its number. Late points become chunks that overlap; they are merged when read. Only good and
 * uncertain samples are points; others are counted. Gaps stay gaps. Points of one instant all stay,
 * in the order in which they came. Ownership: what the configuration points to outlives the
 * history. Strings are copied, cut at HISTORY_STR_MAX bytes (counted). Threads: worker 0; encoding
 * and reading run on the offload pool, so `alloc` must be usable from any thread. Memory: 16 bytes
 * for each point that is not yet sealed, at most points_max of them (16 MiB by default; above it
 * samples are dropped and counted), and about 400 bytes for a series; while a job seals, up to 64
 * KiB; a query at most 24 bytes for each point of its limit, twice. Errors: as enum err; `dropped`
 * in the statistics counts what could not be kept. */
#pragma once

#include "bus/sample.h"
#include "store/db.h"
#include "store/journal.h"

#define HISTORY_STR_MAX     256u
#define HISTORY_LIMIT       10000u
#define HISTORY_LIMIT_MAX   100000u
#define HISTORY_WINDOWS_MAX 1000000 /* in the span of one query, empty ones counted */

struct bus;
struct history;
struct history_config {
    struct executor *ex; /* NULL in tools: only history_query_now() and history_seal_now() work */
    struct db *db;
    struct journal *journal; /* may be NULL: then nothing is told again */
    struct bus *bus;         /* may be NULL: then samples come by history_add() */
    struct alloc *alloc;
    struct clock *clock; /* NULL: that of ex */
    /* At replay, for each record behind history's cursor: turn it into samples and publish them
     * (bus_sample_publish(), `replayed` set). May be NULL. */
    void (*replay)(void *ctx, const struct journal_record *r);
    void *ctx;
    uint32_t series_max;  /* default 65,536 */
    uint32_t seal_points; /* of one chunk; default 2,048, at most 4,096 */
    uint32_t points_max;  /* in memory; default 1,048,576 */
    int64_t seal_age_ms;  /* default 600,000 */
};
/* Before journal_replay(): reads what is known of the series and adds the consumer. */
MUST_USE enum err history_new(struct history **out, const struct history_config *cfg,
                              struct error *e);
/* With the executor stopped, before db_close() and journal_close(). Seals only if much waits: the
 * journal has it all. */
void history_free(struct history *h);

/* One sample, as the bus would tell it. */
void history_add(struct history *h, const struct sample *s);
/* Seals all heads, on this thread: at shutdown, in tools and tests. */
MUST_USE enum err history_seal_now(struct history *h, struct error *e);

struct history_point {
    int64_t ts_ms;
    struct value value; /* a string lives as long as the answer */
};
struct history_window {
    int64_t t0_ms; /* a multiple of window_ms */
    uint64_t n;    /* points that have a number; never 0 */
    double min, max, sum, mean;
    double first, last; /* by time; only if `edges` was asked for */
    int64_t first_ms, last_ms;
};

/* A question and its answer. Zero it, fill the first part, keep it and the name alive until
 * done(), then history_query_fini(). A series that is not known is ERR_NOT_FOUND. */
struct history_query {
    struct str series;
    int64_t from_ms, to_ms; /* from_ms <= t < to_ms */
    int64_t window_ms;      /* 0: points; > 0: windows; booleans count as 0 and 1 */
    uint32_t limit;         /* of points or windows, the oldest first; 0: HISTORY_LIMIT */
    bool edges;             /* windows: first and last too; costs opening more chunks */
    void (*done)(struct history_query *q);

    enum err result;
    struct error error;
    char unit[32];
    enum value_kind kind;
    struct history_point *points;
    size_t point_count;
    struct history_window *windows; /* empty ones are left out */
    size_t window_count;
    bool truncated; /* there was more than the limit */
    /* How many points the series had in all when it was read, at least as many as when it was
     * asked: the answer is of just these, in the order in which they came. */
    uint64_t series_points;

    struct db_job job; /* the rest is the history's */
    struct history *of;
    struct query_state *state;
    size_t points_cap, windows_cap;
};
/* ERR_FULL: too many questions wait; ERR_RANGE: span or limit make no sense. done() comes later,
 * on worker w, which is worker 0, unless this fails. */
MUST_USE enum err history_query(struct history *h, struct worker *w, struct history_query *q);
/* Whether there are, or were, points of that name: a query of it is no ERR_NOT_FOUND. */
bool history_knows(const struct history *h, struct str series);
/* On this thread, in tools and tests; done() is not called. */
MUST_USE enum err history_query_now(struct history *h, struct history_query *q);
void history_query_fini(struct history_query *q);

struct history_stats {
    uint64_t series;      /* known, with those of earlier sites */
    uint64_t chunks;      /* in the database */
    uint64_t points;      /* stored in all, heads included */
    uint64_t head_points; /* in memory */
    uint64_t bytes;       /* of chunks that this run has sealed */
    uint64_t seals;       /* transactions of this run */
    uint64_t bad;         /* samples that were not good enough to be points */
    uint64_t skipped;     /* told again, but already sealed */
    uint64_t dropped;     /* no room, or not of the series' kind */
    uint64_t cut;         /* strings that were too long */
    uint64_t damaged; /* chunks that failed their check: left out of answers, left in the table */
};
struct history_stats history_stats(const struct history *h);
