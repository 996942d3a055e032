/* when: times and durations as people type them on a command line. */
#pragma once

#include "base/str.h"

/* "90s", "15min", "6h", "7d", "500ms": positive, at most 100 years. */
bool when_duration(struct str text, int64_t *ms);
/* "2026-11-28", "2026-11-28 06:30", "2026-11-28T06:30:00" of the machine's zone; with a Z of UTC.
 * Or a duration: so long before `now_ms`. */
bool when_time(struct str text, int64_t now_ms, int64_t *ms);
