/* import_file: reading the table of `sedge import`, and writing the file of the site.
 *
 * Writing replaces the file as a whole: beside it, synced, then renamed over it, so that a power
 * cut leaves the old one or the new one. Its mode and owner stay; a new file gets what the umask
 * leaves, and, from root, the owner of its folder. A link is followed.
 * Threads: the caller's; both block. Errors: ERR_IO, ERR_NOT_FOUND, ERR_RANGE (too large),
 * ERR_NOMEM, with a text. */
#pragma once

#include "base/arena.h"
#include "base/cursor.h"

enum { IMPORT_BYTES_MAX = 16 << 20 };
MUST_USE enum err import_read(struct arena *a, const char *path, struct bytes *out,
                              struct error *e);
MUST_USE enum err import_write(const char *path, struct str text, struct error *e);
