#include "async/sim/disk_sim_internal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct disk_sim *self(struct disk *d)
{
    return CONTAINER_OF(d, struct disk_sim, disk);
}

static void crash(struct disk_sim *s)
{
    s->life++;
    s->stats.crashes++;
    sim_crash_names(s);
    LIST_EACH(&s->inodes, it)
    {
        s->stats.sectors_lost +=
            sim_crash_inode(CONTAINER_OF(it, struct sim_inode, link), s->keep, &s->random);
    }
    sim_collect(s);
}

/* Counts the call; the error number that it must answer, or 0. With the lock held. */
static int injected(struct disk_sim *s, enum disk_sim_call call)
{
    if (s->watch && !s->off)
        s->watch(s->watch_ctx, call);
    if (s->calls++ == s->off_at && !s->off) {
        crash(s);
        s->off = true;
        s->went(s->went_ctx);
    }
    uint64_t at = s->stats.calls[call]++;
    bool fails = at >= s->fail_at[call] && at - s->fail_at[call] < s->fail_times;
    if (s->off)
        return EIO;
    return fails ? s->fail_errno[call] : 0;
}

static int handle_error(const struct disk_sim *s, const struct disk_file *f)
{
    return f->life == s->life ? 0 : EIO;
}

/* --- files --- */

static enum err open_locked(struct disk_sim *s, const char *path, unsigned flags,
                            struct disk_file **out)
{
    struct sim_name *name = sim_find(&s->now, path);
    struct sim_inode *inode = name ? name->inode : NULL;
    if (inode && (flags & DISK_EXCLUSIVE))
        return ERR_EXISTS;
    if (!inode && (!(flags & DISK_CREATE) || !sim_dir_exists(s, path)))
        return ERR_NOT_FOUND;
    struct disk_file *f = mem_zero(s->alloc, sizeof(*f));
    if (!f)
        return ERR_NOMEM;
    if (!inode && !(inode = sim_create(s, path))) {
        mem_free(s->alloc, f, sizeof(*f));
        return ERR_NOMEM;
    }
    f->inode = inode;
    f->life = s->life;
    f->writes = flags & DISK_WRITE;
    list_add_tail(&s->files, &f->link);
    *out = f;
    return ERR_OK;
}

static enum err sim_open(struct disk *d, const char *raw, unsigned flags, struct disk_file **out,
                         struct error *e)
{
    struct disk_sim *s = self(d);
    char path[SIM_PATH_MAX];
    *out = NULL;
    if (!sim_path(path, raw))
        return disk_error(e, ENAMETOOLONG, raw, "the file can't be opened");
    pthread_mutex_lock(&s->lock);
    int os_errno = injected(s, DISK_SIM_OPEN);
    enum err r = os_errno ? ERR_IO : open_locked(s, path, flags, out);
    pthread_mutex_unlock(&s->lock);
    if (!r)
        return ERR_OK;
    if (!os_errno)
        os_errno = r == ERR_EXISTS ? EEXIST : r == ERR_NOT_FOUND ? ENOENT : ENOMEM;
    return disk_error(e, os_errno, raw, "the file can't be opened");
}

static void sim_close(struct disk *d, struct disk_file *f)
{
    struct disk_sim *s = self(d);
    if (!f)
        return;
    pthread_mutex_lock(&s->lock);
    list_del(&f->link);
    mem_free(s->alloc, f, sizeof(*f));
    sim_collect(s);
    pthread_mutex_unlock(&s->lock);
}

static enum err sim_read_at(struct disk *d, struct disk_file *f, uint64_t at, void *p, size_t n,
                            size_t *got, struct error *e)
{
    struct disk_sim *s = self(d);
    *got = 0;
    pthread_mutex_lock(&s->lock);
    int os_errno = injected(s, DISK_SIM_READ);
    if (!os_errno)
        os_errno = handle_error(s, f);
    if (!os_errno && at < f->inode->size) {
        *got = f->inode->size - (size_t)at;
        if (*got > n)
            *got = n;
        if (*got > 0)
            memcpy(p, f->inode->now + at, *got);
        s->stats.bytes_read += *got;
    }
    pthread_mutex_unlock(&s->lock);
    return os_errno ? disk_error(e, os_errno, NULL, "reading failed") : ERR_OK;
}

static int write_locked(struct disk_sim *s, struct disk_file *f, uint64_t at, const void *p,
                        size_t n)
{
    struct sim_inode *inode = f->inode;
    if (n == 0)
        return 0;
    if (at > SIM_FILE_MAX || n > SIM_FILE_MAX - at)
        return EFBIG;
    size_t end = (size_t)at + n;
    if (end > inode->size && s->bytes_max && sim_bytes(s) + (end - inode->size) > s->bytes_max)
        return ENOSPC;
    if (!sim_reserve(s, inode, end))
        return ENOMEM;
    memcpy(inode->now + at, p, n);
    sim_mark(inode, (size_t)at, end);
    if (end > inode->size)
        inode->size = end;
    s->stats.bytes_written += n;
    return 0;
}

static enum err sim_write_at(struct disk *d, struct disk_file *f, uint64_t at, const void *p,
                             size_t n, struct error *e)
{
    struct disk_sim *s = self(d);
    pthread_mutex_lock(&s->lock);
    int refused = injected(s, DISK_SIM_WRITE);
    int os_errno = f->writes ? handle_error(s, f) : EBADF;
    if (!os_errno && refused)
        (void)write_locked(s, f, at, p, n < s->short_bytes ? n : s->short_bytes);
    else if (!os_errno)
        os_errno = write_locked(s, f, at, p, n);
    pthread_mutex_unlock(&s->lock);
    if (!os_errno)
        os_errno = refused;
    return os_errno ? disk_error(e, os_errno, NULL, "writing failed") : ERR_OK;
}

static enum err sim_sync(struct disk *d, struct disk_file *f, struct error *e)
{
    struct disk_sim *s = self(d);
    pthread_mutex_lock(&s->lock);
    int refused = injected(s, DISK_SIM_SYNC);
    int os_errno = handle_error(s, f);
    if (!os_errno && refused)
        sim_sync_failed(f->inode);
    else if (!os_errno)
        sim_synced(f->inode);
    pthread_mutex_unlock(&s->lock);
    if (!os_errno)
        os_errno = refused;
    return os_errno ? disk_error(e, os_errno, NULL, "sync failed") : ERR_OK;
}

static enum err sim_size(struct disk *d, struct disk_file *f, uint64_t *out, struct error *e)
{
    struct disk_sim *s = self(d);
    pthread_mutex_lock(&s->lock);
    int os_errno = handle_error(s, f);
    *out = f->inode->size;
    pthread_mutex_unlock(&s->lock);
    return os_errno ? disk_error(e, os_errno, NULL, "the size can't be read") : ERR_OK;
}

static enum err sim_truncate(struct disk *d, struct disk_file *f, uint64_t n, struct error *e)
{
    struct disk_sim *s = self(d);
    pthread_mutex_lock(&s->lock);
    int os_errno = injected(s, DISK_SIM_WRITE);
    if (!os_errno)
        os_errno = f->writes ? handle_error(s, f) : EBADF;
    if (!os_errno && n > SIM_FILE_MAX)
        os_errno = EFBIG;
    if (!os_errno && !sim_reserve(s, f->inode, (size_t)n))
        os_errno = ENOMEM;
    if (!os_errno)
        sim_cut(f->inode, (size_t)n);
    pthread_mutex_unlock(&s->lock);
    return os_errno ? disk_error(e, os_errno, NULL, "the file can't be cut") : ERR_OK;
}

/* --- names --- */

static enum err sim_rename(struct disk *d, const char *raw_from, const char *raw_to,
                           struct error *e)
{
    struct disk_sim *s = self(d);
    char from[SIM_PATH_MAX], to[SIM_PATH_MAX];
    if (!sim_path(from, raw_from) || !sim_path(to, raw_to))
        return disk_error(e, ENAMETOOLONG, raw_from, "the file can't be renamed");
    pthread_mutex_lock(&s->lock);
    int os_errno = injected(s, DISK_SIM_NAME);
    if (!os_errno && (!sim_find(&s->now, from) || !sim_dir_exists(s, to)))
        os_errno = ENOENT;
    if (!os_errno && !sim_change(s, SIM_RENAME, from, to, NULL))
        os_errno = ENOMEM;
    sim_collect(s);
    pthread_mutex_unlock(&s->lock);
    return os_errno ? disk_error(e, os_errno, raw_from, "the file can't be renamed") : ERR_OK;
}

static enum err sim_remove(struct disk *d, const char *raw, struct error *e)
{
    struct disk_sim *s = self(d);
    char path[SIM_PATH_MAX];
    if (!sim_path(path, raw))
        return disk_error(e, ENAMETOOLONG, raw, "the file can't be removed");
    pthread_mutex_lock(&s->lock);
    int os_errno = injected(s, DISK_SIM_NAME);
    if (!os_errno && !sim_find(&s->now, path))
        os_errno = ENOENT;
    if (!os_errno && !sim_change(s, SIM_REMOVE, path, path, NULL))
        os_errno = ENOMEM;
    sim_collect(s);
    pthread_mutex_unlock(&s->lock);
    return os_errno ? disk_error(e, os_errno, raw, "the file can't be removed") : ERR_OK;
}

static enum err sim_free_bytes(struct disk *d, const char *dir, uint64_t *out, struct error *e)
{
    struct disk_sim *s = self(d);
    (void)dir;
    (void)e;
    pthread_mutex_lock(&s->lock);
    uint64_t used = s->bytes_max ? sim_bytes(s) : 0;
    *out = !s->bytes_max ? UINT64_MAX : used < s->bytes_max ? s->bytes_max - used : 0;
    pthread_mutex_unlock(&s->lock);
    return ERR_OK;
}

static enum err sim_sync_dir(struct disk *d, const char *raw, struct error *e)
{
    struct disk_sim *s = self(d);
    char dir[SIM_PATH_MAX];
    if (!sim_path(dir, raw))
        return disk_error(e, ENAMETOOLONG, raw, "sync failed");
    pthread_mutex_lock(&s->lock);
    int os_errno = injected(s, DISK_SIM_SYNC);
    if (!os_errno && !sim_is_dir(s, dir))
        os_errno = ENOENT;
    if (!os_errno)
        sim_settle(s, dir, SIZE_MAX);
    sim_collect(s);
    pthread_mutex_unlock(&s->lock);
    return os_errno ? disk_error(e, os_errno, raw, "sync failed") : ERR_OK;
}

static enum err sim_make_dir(struct disk *d, const char *raw, struct error *e)
{
    struct disk_sim *s = self(d);
    char dir[SIM_PATH_MAX];
    bool made = false, off = false;
    if (sim_path(dir, raw)) {
        pthread_mutex_lock(&s->lock);
        off = s->off;
        made = !off && sim_add_dirs(s, dir);
        pthread_mutex_unlock(&s->lock);
    }
    return made ? ERR_OK : disk_error(e, off ? EIO : ENOMEM, raw, "the folder can't be made");
}

/* each() is called without the lock, so that it may use the disk. */
static enum err sim_list(struct disk *d, const char *raw, void (*each)(void *ctx, const char *name),
                         void *ctx, struct error *e)
{
    struct disk_sim *s = self(d);
    char dir[SIM_PATH_MAX], name[SIM_PATH_MAX];
    if (!sim_path(dir, raw))
        return disk_error(e, ENAMETOOLONG, raw, "the folder can't be read");
    pthread_mutex_lock(&s->lock);
    if (s->off || !sim_is_dir(s, dir)) {
        int os_errno = s->off ? EIO : ENOENT;
        pthread_mutex_unlock(&s->lock);
        return disk_error(e, os_errno, raw, "the folder can't be read");
    }
    VEC(struct sim_name) found = {0};
    bool kept = true;
    for (size_t i = 0; i < s->now.n && kept; i++)
        if (sim_in_dir(s->now.v[i].path, dir))
            kept = vec_push(s->alloc, &found, s->now.v[i]);
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < found.n && kept; i++) {
        const char *slash = strrchr(found.v[i].path, '/');
        (void)snprintf(name, sizeof(name), "%s", slash ? slash + 1 : found.v[i].path);
        each(ctx, name);
    }
    vec_fini(s->alloc, &found);
    return kept ? ERR_OK : disk_error(e, ENOMEM, raw, "the folder can't be read");
}

static const struct disk_ops sim_ops = {
    .open = sim_open,
    .close = sim_close,
    .read_at = sim_read_at,
    .write_at = sim_write_at,
    .sync = sim_sync,
    .size = sim_size,
    .truncate = sim_truncate,
    .rename = sim_rename,
    .remove = sim_remove,
    .sync_dir = sim_sync_dir,
    .free_bytes = sim_free_bytes,
    .make_dir = sim_make_dir,
    .list = sim_list,
};

/* --- the test's side --- */

enum err disk_sim_new(struct disk_sim **out, struct alloc *a, uint64_t seed, uint64_t bytes_max)
{
    struct disk_sim *s = mem_zero(a, sizeof(*s));
    *out = s;
    if (!s)
        return ERR_NOMEM;
    s->disk.ops = &sim_ops;
    s->alloc = a;
    s->bytes_max = bytes_max;
    s->off_at = UINT64_MAX;
    s->fail_times = UINT64_MAX;
    random_seed(&s->random, seed);
    list_init(&s->files);
    list_init(&s->inodes);
    pthread_mutex_init(&s->lock, NULL);
    for (int call = 0; call < DISK_SIM_CALLS; call++)
        s->fail_at[call] = DISK_SIM_NEVER;
    return ERR_OK;
}

void disk_sim_free(struct disk_sim *s)
{
    struct list *it;
    if (!s)
        return;
    while ((it = list_pop_head(&s->files)))
        mem_free(s->alloc, CONTAINER_OF(it, struct disk_file, link), sizeof(struct disk_file));
    s->now.n = s->safe.n = s->changes.n = 0;
    sim_collect(s);
    vec_fini(s->alloc, &s->now);
    vec_fini(s->alloc, &s->safe);
    vec_fini(s->alloc, &s->dirs);
    vec_fini(s->alloc, &s->changes);
    pthread_mutex_destroy(&s->lock);
    mem_free(s->alloc, s, sizeof(*s));
}

struct disk *disk_sim_disk(struct disk_sim *s)
{
    return &s->disk;
}

void disk_sim_crash(struct disk_sim *s)
{
    pthread_mutex_lock(&s->lock);
    crash(s);
    pthread_mutex_unlock(&s->lock);
}

void disk_sim_kill(struct disk_sim *s)
{
    pthread_mutex_lock(&s->lock);
    s->life++;
    pthread_mutex_unlock(&s->lock);
}

void disk_sim_off(struct disk_sim *s, bool lose)
{
    pthread_mutex_lock(&s->lock);
    if (!s->off && lose)
        crash(s);
    else if (!s->off)
        s->life++;
    s->off = true;
    pthread_mutex_unlock(&s->lock);
}

void disk_sim_on(struct disk_sim *s)
{
    pthread_mutex_lock(&s->lock);
    s->off = false;
    s->off_at = UINT64_MAX;
    pthread_mutex_unlock(&s->lock);
}

bool disk_sim_is_off(struct disk_sim *s)
{
    pthread_mutex_lock(&s->lock);
    bool off = s->off;
    pthread_mutex_unlock(&s->lock);
    return off;
}

void disk_sim_off_at(struct disk_sim *s, uint64_t n, void (*went)(void *ctx), void *ctx)
{
    pthread_mutex_lock(&s->lock);
    s->off_at = s->calls + n;
    s->went = went;
    s->went_ctx = ctx;
    pthread_mutex_unlock(&s->lock);
}

void disk_sim_keep(struct disk_sim *s, enum disk_sim_keep keep)
{
    pthread_mutex_lock(&s->lock);
    s->keep = keep;
    pthread_mutex_unlock(&s->lock);
}

void disk_sim_watch(struct disk_sim *s, void (*call)(void *ctx, enum disk_sim_call kind), void *ctx)
{
    pthread_mutex_lock(&s->lock);
    s->watch = call;
    s->watch_ctx = ctx;
    pthread_mutex_unlock(&s->lock);
}

void disk_sim_room(struct disk_sim *s, uint64_t bytes_max)
{
    pthread_mutex_lock(&s->lock);
    s->bytes_max = bytes_max;
    pthread_mutex_unlock(&s->lock);
}

void disk_sim_fail(struct disk_sim *s, enum disk_sim_call call, uint64_t n, int os_errno)
{
    pthread_mutex_lock(&s->lock);
    uint64_t made = s->stats.calls[call];
    s->fail_at[call] = n > DISK_SIM_NEVER - made ? DISK_SIM_NEVER : made + n;
    s->fail_errno[call] = os_errno;
    pthread_mutex_unlock(&s->lock);
}

void disk_sim_fail_times(struct disk_sim *s, uint64_t times)
{
    pthread_mutex_lock(&s->lock);
    s->fail_times = times;
    pthread_mutex_unlock(&s->lock);
}

void disk_sim_fail_short(struct disk_sim *s, size_t bytes)
{
    pthread_mutex_lock(&s->lock);
    s->short_bytes = bytes;
    pthread_mutex_unlock(&s->lock);
}

struct disk_sim_stats disk_sim_stats(struct disk_sim *s)
{
    pthread_mutex_lock(&s->lock);
    struct disk_sim_stats stats = s->stats;
    pthread_mutex_unlock(&s->lock);
    return stats;
}

enum err disk_sim_flip(struct disk_sim *s, const char *raw, uint64_t at, uint8_t mask)
{
    char path[SIM_PATH_MAX];
    enum err r = ERR_NOT_FOUND;
    if (!sim_path(path, raw))
        return ERR_RANGE;
    pthread_mutex_lock(&s->lock);
    struct sim_name *name = sim_find(&s->now, path);
    if (name && at < name->inode->size) {
        name->inode->now[at] ^= mask;
        if (at < name->inode->safe_size)
            name->inode->safe[at] ^= mask;
        r = ERR_OK;
    } else if (name) {
        r = ERR_RANGE;
    }
    pthread_mutex_unlock(&s->lock);
    return r;
}
