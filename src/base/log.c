#include "base/log.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static void stderr_sink(void *ctx, enum log_level level, const char *part, const char *text)
{
    static const char *const names[] = {"DEBUG", "INFO", "WARN", "ERROR"};
    (void)ctx;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    char when[25];
    time_format((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, when);
    /* One call for one line: lines of several threads don't mix. */
    fprintf(stderr, "%s %s %s: %s\n", when, names[level], part, text);
}

/* The one piece of global state besides the test registry: set at start-up, then only read. */
static struct {
    enum log_level min;
    void (*sink)(void *ctx, enum log_level level, const char *part, const char *text);
    void *ctx;
} logger = {LOG_INFO, stderr_sink, NULL};

void log_write(enum log_level level, const char *part, const char *fmt, ...)
{
    if (level < logger.min)
        return;
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    /* What peers sent may be in the text: it must not forge lines or steer a terminal. */
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            *p = ' ';
    if (n >= (int)sizeof(text))
        memcpy(text + sizeof(text) - 4, "...", 4);
    logger.sink(logger.ctx, level, part, text);
}

void log_set_level(enum log_level min)
{
    logger.min = min;
}

void log_set_sink(void (*sink)(void *ctx, enum log_level level, const char *part, const char *text),
                  void *ctx)
{
    logger.sink = sink ? sink : stderr_sink;
    logger.ctx = sink ? ctx : NULL;
}
