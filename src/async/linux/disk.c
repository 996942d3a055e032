#include "async/disk.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct disk_file {
    int fd;
};

static enum err fail(struct error *e, const char *path, const char *what)
{
    return disk_error(e, errno, path, what);
}

static enum err linux_open(struct disk *d, const char *path, unsigned flags, struct disk_file **out,
                           struct error *e)
{
    (void)d;
    *out = NULL;
    int how = O_CLOEXEC | (flags & DISK_WRITE ? O_RDWR : O_RDONLY);
    if (flags & DISK_CREATE)
        how |= O_CREAT;
    if (flags & DISK_EXCLUSIVE)
        how |= O_EXCL;
    int fd;
    do
        fd = open(path, how, 0640);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return fail(e, path, "the file can't be opened");
    struct disk_file *f = mem_new(alloc_system(), sizeof(*f));
    if (!f) {
        (void)close(fd);
        return error_set(e, ERR_NOMEM, "no memory for a file");
    }
    f->fd = fd;
    *out = f;
    return ERR_OK;
}

static void linux_close(struct disk *d, struct disk_file *f)
{
    (void)d;
    if (!f)
        return;
    (void)close(f->fd);
    mem_free(alloc_system(), f, sizeof(*f));
}

static enum err linux_read_at(struct disk *d, struct disk_file *f, uint64_t at, void *p, size_t n,
                              size_t *got, struct error *e)
{
    uint8_t *to = p;
    (void)d;
    *got = 0;
    while (*got < n) {
        ssize_t r = pread(f->fd, to + *got, n - *got, (off_t)(at + *got));
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return fail(e, NULL, "reading failed");
        if (r == 0)
            break;
        *got += (size_t)r;
    }
    return ERR_OK;
}

static enum err linux_write_at(struct disk *d, struct disk_file *f, uint64_t at, const void *p,
                               size_t n, struct error *e)
{
    const uint8_t *from = p;
    (void)d;
    for (size_t put = 0; put < n;) {
        ssize_t r = pwrite(f->fd, from + put, n - put, (off_t)(at + put));
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return fail(e, NULL, "writing failed");
        put += (size_t)r;
    }
    return ERR_OK;
}

/* EINTR is no reason to sync again: after a failed sync the kernel may have dropped the pages. */
static enum err linux_sync(struct disk *d, struct disk_file *f, struct error *e)
{
    (void)d;
    return fdatasync(f->fd) == 0 ? ERR_OK : fail(e, NULL, "sync failed");
}

static enum err linux_size(struct disk *d, struct disk_file *f, uint64_t *out, struct error *e)
{
    struct stat st;
    (void)d;
    if (fstat(f->fd, &st) != 0)
        return fail(e, NULL, "the size can't be read");
    *out = (uint64_t)st.st_size;
    return ERR_OK;
}

static enum err linux_truncate(struct disk *d, struct disk_file *f, uint64_t n, struct error *e)
{
    int r;
    (void)d;
    do
        r = ftruncate(f->fd, (off_t)n);
    while (r != 0 && errno == EINTR);
    return r == 0 ? ERR_OK : fail(e, NULL, "the file can't be cut");
}

static enum err linux_rename(struct disk *d, const char *from, const char *to, struct error *e)
{
    (void)d;
    return rename(from, to) == 0 ? ERR_OK : fail(e, from, "the file can't be renamed");
}

static enum err linux_remove(struct disk *d, const char *path, struct error *e)
{
    (void)d;
    return unlink(path) == 0 ? ERR_OK : fail(e, path, "the file can't be removed");
}

static enum err linux_free_bytes(struct disk *d, const char *dir, uint64_t *out, struct error *e)
{
    (void)d;
    struct statvfs v;
    if (statvfs(dir, &v) != 0)
        return fail(e, dir, "the room on the disk is not known");
    if (v.f_blocks == 0) /* so says a file system that can't tell */
        return disk_error(e, ENOTSUP, dir, "the room on the disk is not known");
    *out = (uint64_t)v.f_frsize * (geteuid() == 0 ? v.f_bfree : v.f_bavail);
    return ERR_OK;
}

static enum err linux_sync_dir(struct disk *d, const char *dir, struct error *e)
{
    (void)d;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail(e, dir, "the folder can't be opened");
    enum err r = fsync(fd) == 0 ? ERR_OK : fail(e, dir, "sync failed");
    (void)close(fd);
    return r;
}

static enum err linux_make_dir(struct disk *d, const char *dir, struct error *e)
{
    char path[4096];
    size_t n = strlen(dir);
    (void)d;
    if (n == 0 || n >= sizeof(path))
        return error_set(e, ERR_RANGE, "the folder's name is too long or empty");
    memcpy(path, dir, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        char kept = path[i];
        path[i] = '\0';
        if (mkdir(path, 0750) != 0 && errno != EEXIST)
            return fail(e, path, "the folder can't be made");
        path[i] = kept;
    }
    struct stat st;
    if (stat(dir, &st) != 0)
        return fail(e, dir, "the folder can't be made");
    if (!S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        return fail(e, dir, "the folder can't be made");
    }
    return ERR_OK;
}

static enum err linux_list(struct disk *d, const char *dir,
                           void (*each)(void *ctx, const char *name), void *ctx, struct error *e)
{
    (void)d;
    DIR *at = opendir(dir);
    if (!at)
        return fail(e, dir, "the folder can't be read");
    struct dirent *it;
    while ((void)(errno = 0), (it = readdir(at)))
        if (strcmp(it->d_name, ".") != 0 && strcmp(it->d_name, "..") != 0)
            each(ctx, it->d_name);
    enum err r = errno == 0 ? ERR_OK : fail(e, dir, "the folder can't be read");
    (void)closedir(at);
    return r;
}

static const struct disk_ops linux_ops = {
    .open = linux_open,
    .close = linux_close,
    .read_at = linux_read_at,
    .write_at = linux_write_at,
    .sync = linux_sync,
    .size = linux_size,
    .truncate = linux_truncate,
    .rename = linux_rename,
    .remove = linux_remove,
    .sync_dir = linux_sync_dir,
    .free_bytes = linux_free_bytes,
    .make_dir = linux_make_dir,
    .list = linux_list,
};
static struct disk linux_disk = {&linux_ops};

struct disk *disk_linux(void)
{
    return &linux_disk;
}
