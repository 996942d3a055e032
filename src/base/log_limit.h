/* log_limit: how many lines one place of the source may log, so that a flood can't fill the disk.
 *
 * Why: a client that is refused a thousand times a second is news once. Each place (its format
 * string) has LOG_LIMIT_LINES lines in LOG_LIMIT_NS; what comes above that is counted, and the
 * count is told with the first line of any kind after that time. Debugging is not limited: who asks
 * for it wants all of it.
 * Ownership: embedded. Threads: one at a time; log.c sees to it. Errors: none; with more places
 * than slots some share one. */
#pragma once

#include "base/err.h"

enum { LOG_LIMIT_LINES = 200, LOG_LIMIT_SLOTS = 256, LOG_LIMIT_SAMPLE = 96 };
#define LOG_LIMIT_NS INT64_C(60000000000)

/* What a place had to leave out. */
struct log_left_out {
    const char *part;
    uint64_t lines;
    char last[LOG_LIMIT_SAMPLE]; /* the beginning of the last of them */
};

struct log_place {
    const char *fmt; /* NULL: the slot is free */
    int64_t since_ns;
    uint32_t lines;
    struct log_left_out left_out;
};

struct log_limit {
    struct log_place places[LOG_LIMIT_SLOTS];
    uint32_t full; /* places that have left something out */
};

/* Whether a line of this place may be written now. */
bool log_limit_pass(struct log_limit *l, const char *fmt, const char *part, const char *text,
                    int64_t now_ns);
/* The next place whose time is over and that left something out; it begins anew. `now_ns`
 * INT64_MAX: any. */
bool log_limit_over(struct log_limit *l, int64_t now_ns, struct log_left_out *out);
