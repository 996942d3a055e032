/* fields: the words of a line as the kernel writes them below /proc, and numbers in them.
 *
 * Ownership: words borrow the line. Threads: any. Errors: false. */
#pragma once

#include "base/str.h"

/* The word number i, from 0, between blanks. */
bool field_at(const char *line, size_t i, struct str *out);
/* The part number i between these characters. */
bool field_part(struct str s, char sep, size_t i, struct str *out);
/* The whole text, in this base up to 16. */
bool field_number(struct str s, unsigned base, uint64_t *out);
/* The word number i as a decimal number. */
bool field_decimal(const char *line, size_t i, uint64_t *out);
