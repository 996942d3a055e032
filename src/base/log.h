/* log: one line for one event, to a sink that the app sets (stderr at first).
 *
 * A line is `2026-11-23T02:18:00.000Z WARN journal: sync failed: No space left on device`.
 * What peers sent may be in the text, so control characters, marks that turn the direction of
 * writing, and bytes that are not UTF-8 are shown as `\n`, `\x1b` and `\u{202e}`: they neither
 * forge lines nor steer a terminal. Threads: any. Secrets never go into logs. */
#pragma once

#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
const char *log_level_name(enum log_level level); /* "WARN" */

/* `part` is the folder or component, "mqtt". */
void log_write(enum log_level level, const char *part, const char *fmt, ...) PRINTF_LIKE(3, 4);
#define LOG_D(part, ...) log_write(LOG_DEBUG, part, __VA_ARGS__)
#define LOG_I(part, ...) log_write(LOG_INFO, part, __VA_ARGS__)
#define LOG_W(part, ...) log_write(LOG_WARN, part, __VA_ARGS__)
#define LOG_E(part, ...) log_write(LOG_ERROR, part, __VA_ARGS__)

void log_set_level(enum log_level min); /* at any time, on any thread */

/* Start-up and end only. A NULL sink restores stderr. */
void log_set_sink(void (*sink)(void *ctx, enum log_level level, const char *part, const char *text),
                  void *ctx);
/* How many lines each place of the source may log (log_limit.h); NULL, as at first: as many as it
 * likes. Borrowed. What it had left out is told when it is taken away. */
struct log_limit;
void log_set_limit(struct log_limit *l);
