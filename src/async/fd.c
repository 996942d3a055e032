#include "async/fd.h"

#include <errno.h>
#include <unistd.h>

enum err fd_write_all(int fd, const void *p, size_t n)
{
    const char *at = p;
    while (n > 0) {
        ssize_t done = write(fd, at, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done == 0)
            errno = EIO; /* POSIX leaves it open for some devices; asking again might never end */
        if (done <= 0)
            return ERR_IO;
        at += done;
        n -= (size_t)done;
    }
    return ERR_OK;
}
