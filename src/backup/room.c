/* room: whether a disk can take what is to be unpacked, before it is.
 *
 * Restoring beside what is there needs room for both, and a disk that fills up half-way takes the
 * sites along that run on it. */
#include "backup/backup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct room room_of(const struct manifest *m, const char *part)
{
    char prefix[64];
    struct room r = {0};
    int n = snprintf(prefix, sizeof(prefix), BACKUP_ROOT "%s/", part);
    for (size_t i = 0; i < m->files.all.n; i++) {
        const struct archive_file *f = &m->files.all.v[i];
        if (strncmp(f->name, prefix, (size_t)n) != 0)
            continue;
        r.bytes += f->bytes;
        r.files++;
    }
    return r;
}

const char *backup_bytes(uint64_t n, char out[32])
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double v = (double)n;
    size_t unit = 0;
    while (v >= 1024 && unit + 1 < ARRAY_LEN(units)) {
        v /= 1024;
        unit++;
    }
    (void)snprintf(out, 32, unit ? "%.1f %s" : "%.0f %s", v, units[unit]);
    return out;
}

enum err room_check(int dir, const char *name, struct room need, struct error *e)
{
    char wants[32], has[32];
    struct statvfs v;
    if (fstatvfs(dir, &v) != 0)
        return error_set_os(e, errno, "the room in %s is not known", name);
    /* A file's last block is half empty, on average; its name and inode take a little too. */
    uint64_t bytes = need.bytes + need.files * 2 * (uint64_t)v.f_frsize;
    uint64_t free = (uint64_t)v.f_frsize * (geteuid() == 0 ? v.f_bfree : v.f_bavail);
    if (bytes <= free)
        return ERR_OK;
    return error_set(e, ERR_FULL, "that needs %s in %s, where %s are free",
                     backup_bytes(bytes, wants), name, backup_bytes(free, has));
}
