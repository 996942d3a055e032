#include "store/ballast.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define BYTES  (2 << 20) /* a write-ahead log, and some of what follows */
#define PLENTY (16u << 20)
#define PIECE  (64u << 10)

static bool path_of(const char *folder, char out[PATH_MAX])
{
    int n = snprintf(out, PATH_MAX, "%s/" BALLAST_NAME, folder);
    return n > 0 && n < PATH_MAX;
}

static uint64_t free_bytes(const char *folder)
{
    struct statvfs v;
    if (statvfs(folder, &v) != 0)
        return PLENTY - 1; /* neither full nor plenty */
    return (uint64_t)v.f_frsize * (geteuid() == 0 ? v.f_bfree : v.f_bavail);
}

bool ballast_drop(const char *folder)
{
    char path[PATH_MAX];
    if (!path_of(folder, path) || free_bytes(folder) >= BYTES || unlink(path) != 0)
        return false;
    LOG_W("store", "the disk of %s is full: %d KiB that were kept for this are given back", folder,
          BYTES >> 10);
    return true;
}

/* Bytes that a file system can't leave out or compress. */
static bool fill(int fd)
{
    uint8_t piece[PIECE];
    uint64_t x = 88172645463325252u;
    for (size_t at = 0; at < BYTES; at += sizeof(piece)) {
        for (size_t i = 0; i < sizeof(piece); i += sizeof(x)) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            memcpy(piece + i, &x, sizeof(x));
        }
        if (write(fd, piece, sizeof(piece)) != (ssize_t)sizeof(piece))
            return false;
    }
    return fsync(fd) == 0;
}

void ballast_take(const char *folder)
{
    char path[PATH_MAX];
    struct stat st;
    if (!path_of(folder, path) || free_bytes(folder) < PLENTY)
        return;
    if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == BYTES)
        return;
    (void)unlink(path); /* the power went while it was made */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    if (!fill(fd))
        (void)unlink(path);
    (void)close(fd);
}
