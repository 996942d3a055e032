#include "doctor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum { SYNCS = 16, BLOCK = 4096 };
#define MIB          ((uint64_t)1 << 20)
#define FREE_PROBLEM (256 * MIB) /* the journal alone may need it */
#define FREE_WARNING (1024 * MIB)
#define SLOW_NS      INT64_C(50000000)
#define INSTANT_NS   INT64_C(20000)

/* --- judging --- */

static const struct {
    unsigned long kind;
    const char *name;
    enum doctor_level level;
    const char *why;
} kinds[] = {
    {0x01021994, "tmpfs", DOCTOR_PROBLEM, "what is on it is gone when the power goes"},
    {0x858458f6, "ramfs", DOCTOR_PROBLEM, "what is on it is gone when the power goes"},
    {0x6969, "NFS", DOCTOR_PROBLEM, "locks and syncs over a network can't be relied upon"},
    {0xff534d42, "CIFS", DOCTOR_PROBLEM, "locks and syncs over a network can't be relied upon"},
    {0xfe534d42, "SMB2", DOCTOR_PROBLEM, "locks and syncs over a network can't be relied upon"},
    {0x01021997, "9p", DOCTOR_PROBLEM, "locks and syncs of another machine can't be relied upon"},
    {0x4d44, "FAT", DOCTOR_PROBLEM, "it has no journal: a power cut may take files along"},
    {0x2011bab0, "exFAT", DOCTOR_PROBLEM, "it has no journal: a power cut may take files along"},
    {0x65735546, "FUSE", DOCTOR_WARNING, "whether a sync lasts is for its program to say"},
    {0x794c7630, "overlay", DOCTOR_WARNING, "a container's own layer goes when the container does"},
    {0xef53, "ext4", DOCTOR_OK, ""},
    {0x58465342, "XFS", DOCTOR_OK, ""},
    {0x9123683e, "Btrfs", DOCTOR_OK, ""},
    {0x2fc12fc1, "ZFS", DOCTOR_OK, ""},
    {0xf2f52010, "F2FS", DOCTOR_OK, ""},
};

static void judge_kind(struct doctor *d, const struct disk_facts *f)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i].kind == f->kind && kinds[i].level != DOCTOR_OK)
            doctor_say(d, kinds[i].level, "disk", f->path,
                       "put the store on a local disk with a file system such as ext4 (store "
                       "\"FOLDER\"; in a container: a volume)",
                       "the file system is %s: %s", kinds[i].name, kinds[i].why);
}

static const char *name_of(unsigned long kind)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i].kind == kind)
            return kinds[i].name;
    return "another file system";
}

static void judge_room(struct doctor *d, const struct disk_facts *f)
{
    static const char mend[] = "make room, or move the store; history is the largest part of it";
    uint64_t free = f->free / MIB;
    bool tight = f->free < FREE_WARNING || f->free < f->size / 20;
    if (f->free < MIB)
        doctor_say(d, DOCTOR_PROBLEM, "disk", f->path, mend,
                   "the disk is full: what clients publish is delivered, but neither kept nor "
                   "acknowledged");
    else if (f->free < FREE_PROBLEM)
        doctor_say(d, DOCTOR_PROBLEM, "disk", f->path, mend, "%llu MiB are free",
                   (unsigned long long)free);
    else if (tight)
        doctor_say(d, DOCTOR_WARNING, "disk", f->path, mend, "%llu MiB of %llu are free",
                   (unsigned long long)free, (unsigned long long)(f->size / MIB));
    if (f->files && f->files_free < f->files / 50)
        doctor_say(d, DOCTOR_WARNING, "disk", f->path, "remove small files, or move the store",
                   "%llu files of %llu can still be made", (unsigned long long)f->files_free,
                   (unsigned long long)f->files);
}

static void judge_writing(struct doctor *d, const struct disk_facts *f)
{
    if (f->read_only)
        doctor_say(d, DOCTOR_PROBLEM, "disk", f->path,
                   "mount it for writing; `dmesg` tells whether the kernel has taken it away",
                   "it is read-only");
    else if (f->write_errno == EACCES || f->write_errno == EPERM)
        doctor_say(d, DOCTOR_NOTE, "disk", f->path, "as the site's user, or root, more is measured",
                   "whether it can be written is not known: %s", strerror(f->write_errno));
    else if (f->write_errno && !(f->write_errno == ENOSPC && f->free < MIB)) /* which is said */
        doctor_say(d, DOCTOR_PROBLEM, "disk", f->path, "mend that: the site can't store anything",
                   "a file can't be written: %s", strerror(f->write_errno));
    else if (f->tried && f->median_ns > SLOW_NS)
        doctor_say(
            d, DOCTOR_WARNING, "disk", f->path,
            "a disk with its own cache against power cuts is a hundred times as fast; `store "
            "… { commit 1s }` trades the last second for speed",
            "a sync takes %lld ms, at worst %lld: an acknowledgement waits for as long",
            (long long)(f->median_ns / 1000000), (long long)(f->max_ns / 1000000));
    else if (f->tried && f->median_ns < INSTANT_NS)
        doctor_say(d, DOCTOR_NOTE, "disk", f->path, "",
                   "a sync takes %lld µs, less than disks do: is there something between that only "
                   "says so?",
                   (long long)(f->median_ns / 1000));
}

void doctor_judge_disk(struct doctor *d, const struct disk_facts *f)
{
    size_t before = d->findings.n;
    judge_kind(d, f);
    judge_room(d, f);
    judge_writing(d, f);
    if (d->findings.n > before)
        return;
    if (f->tried)
        doctor_say(d, DOCTOR_OK, "disk", f->path, "", "%s, %llu GiB free, a sync takes %.2f ms",
                   name_of(f->kind), (unsigned long long)(f->free >> 30),
                   (double)f->median_ns / 1e6);
    else
        doctor_say(d, DOCTOR_OK, "disk", f->path, "", "%s, %llu GiB free", name_of(f->kind),
                   (unsigned long long)(f->free >> 30));
}

/* --- facts --- */

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* As the journal writes: over bytes that are there already, each followed by a sync of the data. */
static int measure(int fd, struct disk_facts *f)
{
    int64_t took[SYNCS];
    char block[BLOCK];
    for (int i = 0; i <= SYNCS; i++) {
        int64_t from = now_ns();
        memset(block, 'a' + i, sizeof(block));
        if (pwrite(fd, block, sizeof(block), 0) != BLOCK || fdatasync(fd) != 0)
            return errno ? errno : EIO;
        if (i > 0) /* the first makes the room */
            took[i - 1] = now_ns() - from;
    }
    qsort(took, SYNCS, sizeof(took[0]), by_time);
    f->median_ns = took[SYNCS / 2];
    f->max_ns = took[SYNCS - 1];
    f->tried = true;
    return 0;
}

static void try_writing(struct disk_facts *f)
{
    char path[DOCTOR_TEXT + 64];
    (void)snprintf(path, sizeof(path), "%s/.doctor-%d", f->path, (int)getpid());
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        f->write_errno = errno;
        return;
    }
    f->write_errno = measure(fd, f);
    (void)close(fd);
    (void)unlink(path);
}

/* The store may not be there yet. */
static bool nearest(const char *path, char out[DOCTOR_TEXT])
{
    struct stat st;
    (void)snprintf(out, DOCTOR_TEXT, "%s", path);
    while (stat(out, &st) != 0) {
        char *slash = strrchr(out, '/');
        if (!slash || slash == out)
            return false;
        *slash = '\0';
    }
    return S_ISDIR(st.st_mode);
}

void doctor_disk(struct doctor *d)
{
    struct disk_facts f = {0};
    struct statvfs v;
    struct statfs s;
    if (!nearest(d->site->store, f.path) || statvfs(f.path, &v) != 0 || statfs(f.path, &s) != 0) {
        doctor_say(d, DOCTOR_PROBLEM, "disk", d->site->store, "make the folder of the store",
                   "there is no such folder");
        return;
    }
    f.size = v.f_frsize * v.f_blocks;
    f.free = v.f_frsize * v.f_bavail;
    f.files = v.f_files;
    f.files_free = v.f_favail;
    f.kind = (unsigned long)s.f_type & 0xffffffff;
    f.read_only = v.f_flag & ST_RDONLY;
    if (!f.read_only && strcmp(f.path, d->site->store) == 0)
        try_writing(&f);
    doctor_judge_disk(d, &f);
}
