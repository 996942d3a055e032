#include "host/lock.h"
#include "host/fields.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* "12: FLOCK  ADVISORY  WRITE 4711 fd:01:1234567 0 EOF"; what waits for one has "->" behind the
 * number. */
static pid_t holds(const char *line, const struct stat *st)
{
    struct str kind, file, part;
    uint64_t pid, major = 0, minor = 0, inode = 0;
    if (!field_at(line, 1, &kind) || !str_eq(kind, STR("FLOCK")) || !field_at(line, 5, &file))
        return 0;
    bool read = field_part(file, ':', 0, &part) && field_number(part, 16, &major) &&
                field_part(file, ':', 1, &part) && field_number(part, 16, &minor) &&
                field_part(file, ':', 2, &part) && field_number(part, 10, &inode);
    if (!read || inode != st->st_ino || major != major(st->st_dev) || minor != minor(st->st_dev))
        return 0;
    return field_decimal(line, 4, &pid) && pid > 0 ? (pid_t)pid : -1;
}

pid_t lock_holder(const char *path)
{
    char line[256];
    struct stat st;
    pid_t holder = 0;
    FILE *f = stat(path, &st) == 0 ? fopen("/proc/locks", "re") : NULL;
    while (f && !holder && fgets(line, sizeof(line), f))
        holder = holds(line, &st);
    if (f)
        (void)fclose(f);
    return holder;
}

int lock_open(const char *path)
{
    struct stat st = {0};
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1)
        return fd;
    (void)close(fd);
    errno = S_ISREG(st.st_mode) ? EMLINK : ENOTSUP;
    return -1;
}
