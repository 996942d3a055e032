#include "doctor/doctor.h"
#include "host/fields.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OTHER_FILES = 128 };
#define MIB        ((uint64_t)1 << 20)
#define MEMORY_LOW (192 * MIB)

void doctor_judge_limits(struct doctor *d, const struct limit_facts *f)
{
    size_t before = d->findings.n;
    /* With io_uring there are more clients than descriptors (docs/listeners.md). */
    if (f->uring_errno && f->files_hard < f->connections_max + OTHER_FILES)
        doctor_say(d, DOCTOR_WARNING, "limits", "",
                   "raise it: LimitNOFILE= in the unit, or nofile in /etc/security/limits.conf",
                   "a process may have %" PRIu64 " descriptors, the site wants %zu connections",
                   f->files_hard, f->connections_max);
    if (f->uring_errno)
        doctor_say(
            d, DOCTOR_NOTE, "limits", "",
            "newer kernels have it; containers and sysctl kernel.io_uring_disabled may forbid "
            "it",
            "io_uring does not work here (%s): epoll does it, somewhat slower",
            strerror(f->uring_errno));
    if (f->memory_max < MEMORY_LOW)
        doctor_say(d, DOCTOR_WARNING, "limits", "",
                   "MemoryMax= in the unit, or the container's limit",
                   "the control group allows %" PRIu64 " MiB of memory", f->memory_max / MIB);
    if (f->memory_free < MEMORY_LOW)
        doctor_say(d, DOCTOR_WARNING, "limits", "",
                   "`ps -eo rss,args --sort -rss` shows who has it",
                   "%" PRIu64 " MiB of memory are available", f->memory_free / MIB);
    if (d->findings.n == before)
        doctor_say(d, DOCTOR_OK, "limits", "", "", "%" PRIu64 " descriptors, io_uring works",
                   f->files_hard);
}

/* --- facts --- */

static int try_uring(void)
{
    struct io_uring_params p = {0};
    long fd = syscall(SYS_io_uring_setup, 4, &p);
    if (fd < 0)
        return errno;
    (void)close((int)fd);
    return 0;
}

/* "Max open files            1024                 524288               files" */
static uint64_t files_of(pid_t pid)
{
    char path[64], line[256];
    struct rlimit own;
    uint64_t hard = getrlimit(RLIMIT_NOFILE, &own) == 0 ? own.rlim_max : UINT64_MAX;
    (void)snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
    FILE *f = pid > 0 ? fopen(path, "re") : NULL;
    while (f && fgets(line, sizeof(line), f))
        if (str_starts(str_from(line), STR("Max open files")) && field_decimal(line, 4, &hard))
            break;
    if (f)
        (void)fclose(f);
    return hard;
}

static bool read_line(const char *path, char *out, int n)
{
    FILE *f = fopen(path, "re");
    bool ok = f && fgets(out, n, f);
    if (f)
        (void)fclose(f);
    if (ok)
        out[strcspn(out, "\n")] = '\0';
    return ok;
}

/* Of cgroup v2: the tightest on the way up. "0::/system.slice/sedge.service" */
static uint64_t memory_max(pid_t pid)
{
    char path[64], line[512], file[1024], value[64];
    uint64_t least = UINT64_MAX, v;
    (void)snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)(pid > 0 ? pid : getpid()));
    if (!read_line(path, line, sizeof(line)) || strncmp(line, "0::", 3) != 0)
        return least;
    for (char *slash = line + strlen(line); slash; slash = strrchr(line, '/')) {
        *slash = '\0';
        (void)snprintf(file, sizeof(file), "/sys/fs/cgroup%s/memory.max",
                       strlen(line) > 3 ? line + 3 : "");
        if (read_line(file, value, sizeof(value)) && field_decimal(value, 0, &v) && v < least)
            least = v;
    }
    return least;
}

static uint64_t memory_free(void)
{
    char line[256];
    uint64_t kib = UINT64_MAX;
    FILE *f = fopen("/proc/meminfo", "re");
    while (f && fgets(line, sizeof(line), f))
        if (str_starts(str_from(line), STR("MemAvailable:")) && field_decimal(line, 1, &kib))
            break;
    if (f)
        (void)fclose(f);
    return kib == UINT64_MAX ? kib : kib * 1024;
}

void doctor_limits(struct doctor *d)
{
    const struct limit_facts f = {.files_hard = files_of(d->site->runs),
                                  .memory_max = memory_max(d->site->runs),
                                  .memory_free = memory_free(),
                                  .connections_max = d->site->connections_max,
                                  .uring_errno = try_uring()};
    doctor_judge_limits(d, &f);
}
