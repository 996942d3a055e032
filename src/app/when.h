/* when: points in time and spans as people type them on a command line.
 *
 * A time is a date ("2026-11-28"), a date and a time of day ("2026-11-28 14:05",
 * "2026-11-28T14:05:30"), both of this machine's zone, or with a Z behind it of UTC; "now"; a span,
 * which means so long ago ("2h"); or milliseconds since 1970 ("1764324000000"). A span is a number
 * and a unit: ms, s, min, h, d, w, as in a site's text. Threads: any. Errors: ERR_SYNTAX,
 * ERR_RANGE. */
#pragma once

#include "base/str.h"

MUST_USE enum err when_parse(struct str text, int64_t now_ms, int64_t *out_ms);
MUST_USE enum err span_parse(struct str text, int64_t *out_ms); /* above 0 */
