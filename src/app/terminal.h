/* terminal: what commands show of texts that others have written.
 *
 * Why: a topic or a payload may hold escape sequences, which must not reach a terminal.
 * Threads: any. */
#pragma once

#include "base/str.h"

/* Colours are wanted: it is a terminal, and NO_COLOR is not set. */
bool terminal_has_colors(int fd);
/* The text with control characters as \xNN, and what is not UTF-8 so too; cut to `size`. */
struct str terminal_text(struct str text, char *buf, size_t size);
/* The same with a NUL behind it, for printf(): `buf`. */
const char *terminal_shown(const char *text, char *buf, size_t size);
/* `key` and the text, percent-encoded (RFC 3986). */
void terminal_add_query(struct strbuf *out, const char *key, struct str text);
