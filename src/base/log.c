#include "base/log.h"
#include "base/atomic.h"
#include "base/clock.h"
#include "base/log_limit.h"
#include "base/utf8.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { TEXT_MAX = 1024, SHOWN_MAX = 2048, ESCAPE_MAX = 12 };

const char *log_level_name(enum log_level level)
{
    static const char *const names[] = {"DEBUG", "INFO", "WARN", "ERROR"};
    return names[level];
}

static void stderr_sink(void *ctx, enum log_level level, const char *part, const char *text)
{
    (void)ctx;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    char when[25];
    time_format((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, when);
    /* One call for one line: lines of several threads don't mix. */
    fprintf(stderr, "%s %s %s: %s\n", when, log_level_name(level), part, text);
}

/* The one piece of global state besides the test registry: the sink and the limit are set at
 * start-up, then only read. */
static struct {
    _Atomic int min;
    void (*sink)(void *ctx, enum log_level level, const char *part, const char *text);
    void *ctx;
    struct log_limit *limit;
    _Atomic bool limiting; /* somebody looks at the limit; who comes meanwhile waits */
} logger = {LOG_INFO, stderr_sink, NULL, NULL, false};

/* --- what may be in a text --- */

static bool harmless(uint32_t c)
{
    bool control = c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
    bool turns =
        c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
    return !control && !turns && c != 0xFEFF;
}

static void show(char out[SHOWN_MAX], const char *text, size_t n, bool cut)
{
    const struct str in = {text, n};
    size_t at = 0, used = 0;
    while (at < in.n && used + ESCAPE_MAX < SHOWN_MAX) {
        size_t from = at;
        uint32_t c = utf8_next(in, &at);
        bool damaged = c == 0xFFFD && at == from + 1;
        if (!damaged && harmless(c)) {
            memcpy(out + used, text + from, at - from);
            used += at - from;
        } else if (c == '\n' || c == '\t') {
            memcpy(out + used, c == '\n' ? "\\n" : "\\t", 2);
            used += 2;
        } else if (damaged || c < 0x80) {
            used += (size_t)snprintf(out + used, ESCAPE_MAX, "\\x%02x", (uint8_t)text[from]);
        } else {
            used += (size_t)snprintf(out + used, ESCAPE_MAX, "\\u{%x}", (unsigned)c);
        }
    }
    memcpy(out + used, cut || at < in.n ? "..." : "", cut || at < in.n ? 4 : 1);
}

/* A text that was cut ends with a whole character. */
static size_t whole(const char *text, size_t n)
{
    size_t back = 0;
    while (back < 4 && back < n && ((uint8_t)text[n - 1 - back] & 0xC0) == 0x80)
        back++;
    return back < n && ((uint8_t)text[n - 1 - back] & 0xC0) == 0xC0 ? n - 1 - back : n;
}

/* --- what may be written --- */

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void tell(const struct log_left_out *o)
{
    char text[LOG_LIMIT_SAMPLE + 64];
    (void)snprintf(text, sizeof(text), "%llu more lines like this were left out: %s",
                   (unsigned long long)o->lines, o->last);
    logger.sink(logger.ctx, LOG_WARN, o->part, text);
}

static bool limited(enum log_level level, const char *part, const char *fmt, const char *text)
{
    struct log_left_out left[4];
    size_t n = 0;
    if (!logger.limit || level == LOG_DEBUG)
        return false;
    /* A flood comes on all workers, so nobody passes unseen; it is held for a microsecond. */
    while (atomic_exchange(&logger.limiting, true))
        (void)sched_yield();
    int64_t now = now_ns();
    while (n < ARRAY_LEN(left) && log_limit_over(logger.limit, now, &left[n]))
        n++;
    bool pass = log_limit_pass(logger.limit, fmt, part, text, now);
    atomic_store(&logger.limiting, false);
    for (size_t i = 0; i < n; i++)
        tell(&left[i]);
    return !pass;
}

void log_write(enum log_level level, const char *part, const char *fmt, ...)
{
    if ((int)level < atomic_load_explicit(&logger.min, memory_order_relaxed))
        return;
    char text[TEXT_MAX], shown[SHOWN_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    bool cut = n >= TEXT_MAX;
    show(shown, text, cut ? whole(text, TEXT_MAX - 1) : (size_t)n, cut);
    if (!limited(level, part, fmt, shown))
        logger.sink(logger.ctx, level, part, shown);
}

void log_set_level(enum log_level min)
{
    atomic_store_explicit(&logger.min, (int)min, memory_order_relaxed);
}

void log_set_sink(void (*sink)(void *ctx, enum log_level level, const char *part, const char *text),
                  void *ctx)
{
    logger.sink = sink ? sink : stderr_sink;
    logger.ctx = sink ? ctx : NULL;
}

void log_set_limit(struct log_limit *l)
{
    struct log_left_out left;
    while (logger.limit && log_limit_over(logger.limit, INT64_MAX, &left))
        tell(&left);
    logger.limit = l;
}
