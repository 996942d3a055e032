#include "load/load_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { STEPS_MAX = 64, SETTLE_MS = 300 };

/* Bytes of the process that lie in memory. smaps_rollup walks the pages; the counters of statm may
 * be some dozens of pages behind. -1 without it. */
static int64_t resident_bytes(pid_t pid)
{
    char path[64], line[256];
    int64_t kib = -1;
    (void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    FILE *f = fopen(path, "r");
    while (f && kib < 0 && fgets(line, sizeof(line), f)) {
        struct str s = str_trim(str_from(line)), name = {0};
        if (!str_split(&s, ':', &name) || !str_eq(name, STR("Rss")) || !str_ends(s, STR(" kB")))
            continue;
        if (str_to_i64(str_trim(str_sub(s, 0, s.n - 3)), &kib))
            kib = -1;
    }
    if (f)
        (void)fclose(f);
    return kib < 0 ? -1 : kib * 1024;
}

static void settle(struct load_run *r)
{
    int64_t end = load_now_ns() + (int64_t)SETTLE_MS * 1000000;
    while (!r->failed && load_now_ns() < end)
        load_turn(r, 50);
}

/* The slope of memory over connections: what the process had before them does not count. */
enum err load_idle(struct load_run *r, struct load_result *out)
{
    double at[STEPS_MAX], bytes[STEPS_MAX];
    size_t steps = r->cfg->steps;
    if (steps < 2 || steps > STEPS_MAX)
        return load_fail(r, ERR_RANGE, "there must be 2 to %d steps", STEPS_MAX);
    if (r->cfg->pid <= 0)
        return load_fail(r, ERR_INVALID, "the broker's process (--pid) must be known");
    for (size_t i = 0; i < steps; i++) {
        enum err err = load_open_until(r, r->conns_n * (i + 1) / steps);
        if (err)
            return err;
        settle(r);
        int64_t now = resident_bytes(r->cfg->pid);
        if (now < 0)
            return load_fail_os(r, errno, "the memory of the process cannot be read");
        at[i] = (double)r->ready;
        bytes[i] = (double)now;
    }
    out->idle_bytes = stats_slope(at, bytes, steps);
    out->connections = r->ready;
    return r->failed ? ERR_IO : ERR_OK;
}
