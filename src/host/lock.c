#include "host/lock.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* "12: FLOCK  ADVISORY  WRITE 4711 fd:01:1234567 0 EOF"; what waits for one has "->" behind the
 * number. */
pid_t lock_holder(const char *path)
{
    char line[256];
    struct stat st;
    pid_t holder = 0;
    FILE *f = stat(path, &st) == 0 ? fopen("/proc/locks", "re") : NULL;
    while (f && !holder && fgets(line, sizeof(line), f)) {
        char kind[16];
        long pid;
        unsigned major, minor;
        unsigned long long inode;
        if (sscanf(line, "%*u: %15s %*s %*s %ld %x:%x:%llu", kind, &pid, &major, &minor, &inode) ==
                5 &&
            kind[0] == 'F' && inode == st.st_ino && major == major(st.st_dev) &&
            minor == minor(st.st_dev))
            holder = pid > 0 ? (pid_t)pid : -1;
    }
    if (f)
        (void)fclose(f);
    return holder;
}
