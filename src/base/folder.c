#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum err folder_sync(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int why = fd < 0 || fsync(fd) != 0 ? errno : 0;
    if (fd >= 0)
        (void)close(fd);
    errno = why;
    return why ? ERR_IO : ERR_OK;
}

static enum err folder_of(const char *path, char out[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t n = slash == path ? 1 : slash ? (size_t)(slash - path) : 1;
    if (n >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return ERR_IO;
    }
    memcpy(out, slash ? path : ".", n);
    out[n] = '\0';
    return ERR_OK;
}

enum err folder_sync_of(const char *path)
{
    char folder[PATH_MAX];
    return folder_of(path, folder) || folder_sync(folder) ? ERR_IO : ERR_OK;
}

enum err folder_inherit(int fd, const char *path, mode_t never)
{
    char folder[PATH_MAX];
    struct stat st;
    bool there = stat(path, &st) == 0;
    if (!there && (folder_of(path, folder) || stat(folder, &st) != 0))
        return ERR_IO;
    if (geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid) != 0)
        return ERR_IO;
    /* Behind the owner: changing that takes set-id bits away. */
    return there && fchmod(fd, st.st_mode & 07777 & ~never) != 0 ? ERR_IO : ERR_OK;
}
