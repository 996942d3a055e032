/* answer: members of a site's JSON answers, for commands that show them.
 *
 * The text of a value is a slice of the answer, so the answer outlives it; each look-up passes over
 * the object anew, which is nothing beside the request. Ownership: everything borrows. Threads:
 * any. Errors: what is not there, or has another type, is empty, 0 or false. */
#pragma once

#include "base/str.h"

/* The text of a member: `"a"` with its quotes, `{…}`, `12`. */
struct str answer_raw(struct str object, const char *key);
int64_t answer_int(struct str object, const char *key);
bool answer_true(struct str object, const char *key);
/* A text without its quotes and escapes, fit for a terminal; another value as it is. Cut to size.
 */
struct str answer_text(struct str raw, char *buf, size_t size);
/* The same of a member; null is empty. */
struct str answer_member(struct str object, const char *key, char *buf, size_t size);
/* A text of any length and several lines, such as the messages of a check. */
void answer_lines(struct strbuf *out, struct str raw);
/* Each element of an array. */
void answer_each(struct str array, void (*each)(void *ctx, struct str element), void *ctx);

/* For the first column of a list: "10:44:02", with the day if it is not today's. Local time. */
enum { ANSWER_TIME_MAX = 32 };
void answer_time(int64_t ms, int64_t now_ms, char out[ANSWER_TIME_MAX]);
