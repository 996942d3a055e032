/* import_file: reads the table of `sedge import`.
 *
 * Ownership: the bytes live in the arena. Threads: the caller's; it blocks. Errors: ERR_IO,
 * ERR_NOT_FOUND, ERR_RANGE (too large), ERR_NOMEM, with a text. */
#pragma once

#include "base/arena.h"
#include "base/cursor.h"

enum { IMPORT_BYTES_MAX = 16 << 20 };
MUST_USE enum err import_read(struct arena *a, const char *path, struct bytes *out,
                              struct error *e);
