/* file: what is written to a disk has to be there after a power cut, too.
 *
 * Why: rename() puts a file in its place for everybody at once, but until its folder is synced the
 * disk may have the name before (POSIX leaves it open; ext4 with "auto_da_alloc" and XFS differ).
 * Errors: ERR_IO with the folder and the reason of the system. Blocks; threads: any. */
#pragma once

#include "base/err.h"

/* Syncs the folder in which `path` stands, so that its name lasts. */
MUST_USE enum err file_sync_name(const char *path, struct error *e);
