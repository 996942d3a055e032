#include "async/disk.h"

#include <errno.h>
#include <stdio.h>

enum err disk_error(struct error *e, int os_errno, const char *path, const char *what)
{
    enum err code = os_errno == ENOENT   ? ERR_NOT_FOUND
                    : os_errno == EEXIST ? ERR_EXISTS
                    : os_errno == ENOMEM ? ERR_NOMEM
                                         : ERR_IO;
    (void)error_set_os(e, os_errno, "%s", what);
    if (e) {
        e->code = code;
        if (path)
            (void)snprintf(e->where, sizeof(e->where), "%s", path);
    }
    return code;
}
