/* folder: that the names in a folder last, and whose they are.
 *
 * Why: a file that was made, renamed or removed is so after a power cut only if its folder has been
 * synced; fsync() of the file is about its contents (POSIX; fsync(2), notes).
 * Threads: any; both block. Errors: ERR_IO, with the reason in errno: the caller knows the file of
 * which a person wants to hear. */
#pragma once

#include "base/err.h"

#include <sys/types.h>

MUST_USE enum err folder_sync(const char *folder);
MUST_USE enum err folder_sync_of(const char *path); /* the one that a file lies in */

/* `fd`: a new file that is to take the name `path`. It gets the mode of the file there, without the
 * bits of `never`; by root also its owner, or, if there is none, the owner of the folder: else what
 * `sudo` changes could not be read any more by the service whose it is. */
MUST_USE enum err folder_inherit(int fd, const char *path, mode_t never);
