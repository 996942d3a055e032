/* charset: what a terminal is shown that does not take UTF-8.
 *
 * Why: sedge writes UTF-8, "21 °C → 23 °C". Files, pipes and nearly all terminals want just that,
 * also those of a container or a service where nobody has set a locale. But who sits at a terminal
 * and has said by LC_ALL, LC_CTYPE or LANG that it is of another character set would read "21 Â°C".
 * So then, and only then, what goes to the terminal is spelled in ASCII: "21 degC -> 23 degC", and
 * a
 * "?" for what has no such spelling.
 * Threads: start of main(), before any output. Errors: none: what can't be spelled stays as it is.
 */
#pragma once

#include "base/str.h"

void charset_open(void);

/* --- shared with tests --- */

/* Whether somebody has said that it is not UTF-8. `env` as getenv(). */
bool charset_is_other(char *(*env)(const char *name));
/* In ASCII. What ends in the middle of a character leaves that over: bytes that were not taken. */
size_t charset_spell(struct strbuf *out, struct str text);
