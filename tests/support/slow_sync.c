/* slow_sync: a library for LD_PRELOAD that holds fdatasync() and fsync(), or lets them fail.
 *
 * Why: the promise of an acknowledgement is seen best when the disk is slow or broken, with the
 * real program.
 * Use: SLOW_SYNC_CONTROL names a file. While it holds "hold", syncs wait; while it holds "fail",
 * they fail with EIO; else they go through. SLOW_SYNC_ONLY, if set, limits that to files whose
 * path has this in it. A file beside the control file, with `.held` behind its name, exists as
 * soon as a sync was held. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool meant(int fd)
{
    char link[64], path[4096];
    const char *only = getenv("SLOW_SYNC_ONLY");
    if (!only)
        return true;
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    if (n < 0)
        return false;
    path[n] = '\0';
    return strstr(path, only) != NULL;
}

/* The first letter of the control file; 0 if there is none. */
static char order(const char *control)
{
    char c = 0;
    int fd = open(control, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (read(fd, &c, 1) != 1)
        c = 0;
    (void)close(fd);
    return c;
}

static void note_held(const char *control)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s.held", control);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        (void)close(fd);
}

static int obey(const char *name, int fd)
{
    int (*real)(int);
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(&real, &found, sizeof(real)); /* ISO C has no cast from void * to a function */
    const char *control = getenv("SLOW_SYNC_CONTROL");
    if (control && meant(fd)) {
        while (order(control) == 'h') {
            note_held(control);
            (void)usleep(2000);
        }
        if (order(control) == 'f') {
            errno = EIO;
            return -1;
        }
    }
    return real(fd);
}

int fdatasync(int fd)
{
    return obey("fdatasync", fd);
}

int fsync(int fd)
{
    return obey("fsync", fd);
}
