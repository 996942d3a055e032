/* fd: bytes into a blocking descriptor, all of them.
 *
 * Why: write(2) may take less than it was given (a signal, a limit, a pipe that fills), and whoever
 * forgets that loses the rest.
 * Threads: any that may block. Errors: ERR_IO, with the reason in errno: the caller knows the file
 * of which a person wants to hear; some of it may have been written. */
#pragma once

#include "base/err.h"

#include <stddef.h>

MUST_USE enum err fd_write_all(int fd, const void *p, size_t n);
