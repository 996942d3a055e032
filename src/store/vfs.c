#include "store/vfs.h"
#include "base/vec.h"
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum { VFS_PATH_MAX = 512, VFS_SECTOR = 4096 };

/* What the connections to one file share. */
struct node {
    struct list link;
    char path[VFS_PATH_MAX];
    unsigned opens;
    unsigned shared;               /* who read */
    struct file *reserved, *owner; /* who will write; who writes */
    VEC(void *) regions;           /* of the shared memory */
    int region_size;
    unsigned slot_shared[SQLITE_SHM_NLOCK];
    struct file *slot_owner[SQLITE_SHM_NLOCK];
};

struct file {
    sqlite3_file base;
    struct vfs *vfs;
    struct disk_file *disk_file;
    struct node *node;
    int level;             /* SQLITE_LOCK_… */
    unsigned slots_shared; /* bits: locks of the shared memory that are ours */
    bool fresh;            /* its name is not safe yet */
    bool passing;          /* removed when it is closed */
};

struct vfs {
    sqlite3_vfs base;
    struct alloc *alloc;
    struct env *env;
    struct list nodes;
    unsigned temporary; /* names given */
    char name[32];
};

static struct vfs *vfs_of(sqlite3_vfs *v)
{
    return CONTAINER_OF(v, struct vfs, base);
}

static struct file *file_of(sqlite3_file *f)
{
    return CONTAINER_OF(f, struct file, base);
}

static struct disk *disk_of(const struct file *f)
{
    return f->vfs->env->disk;
}

/* --- nodes --- */

static struct node *node_find(struct vfs *v, const char *path)
{
    LIST_EACH(&v->nodes, it)
    {
        struct node *n = CONTAINER_OF(it, struct node, link);
        if (strcmp(n->path, path) == 0)
            return n;
    }
    return NULL;
}

static struct node *node_take(struct vfs *v, const char *path)
{
    struct node *n = node_find(v, path);
    if (!n) {
        n = mem_zero(v->alloc, sizeof(*n));
        if (!n)
            return NULL;
        (void)snprintf(n->path, sizeof(n->path), "%s", path);
        list_add_tail(&v->nodes, &n->link);
    }
    n->opens++;
    return n;
}

static void regions_free(struct vfs *v, struct node *n)
{
    for (size_t i = 0; i < n->regions.n; i++)
        mem_free(v->alloc, n->regions.v[i], (size_t)n->region_size);
    vec_fini(v->alloc, &n->regions);
}

static void node_give(struct vfs *v, struct node *n)
{
    if (--n->opens > 0)
        return;
    regions_free(v, n);
    list_del(&n->link);
    mem_free(v->alloc, n, sizeof(*n));
}

/* --- a file's bytes --- */

static int file_read(sqlite3_file *sf, void *p, int n, sqlite3_int64 at)
{
    struct file *f = file_of(sf);
    size_t got = 0;
    if (disk_of(f)->ops->read_at(disk_of(f), f->disk_file, (uint64_t)at, p, (size_t)n, &got, NULL))
        return SQLITE_IOERR_READ;
    if (got == (size_t)n)
        return SQLITE_OK;
    memset((uint8_t *)p + got, 0, (size_t)n - got);
    return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *sf, const void *p, int n, sqlite3_int64 at)
{
    struct file *f = file_of(sf);
    return disk_of(f)->ops->write_at(disk_of(f), f->disk_file, (uint64_t)at, p, (size_t)n, NULL)
               ? SQLITE_IOERR_WRITE
               : SQLITE_OK;
}

static int file_truncate(sqlite3_file *sf, sqlite3_int64 n)
{
    struct file *f = file_of(sf);
    return disk_of(f)->ops->truncate(disk_of(f), f->disk_file, (uint64_t)n, NULL)
               ? SQLITE_IOERR_TRUNCATE
               : SQLITE_OK;
}

static int sync_folder(struct disk *d, const char *path)
{
    char dir[VFS_PATH_MAX];
    (void)snprintf(dir, sizeof(dir), "%s", path);
    char *slash = strrchr(dir, '/');
    if (!slash)
        return SQLITE_OK;
    slash[slash == dir] = '\0';
    return d->ops->sync_dir(d, dir, NULL) ? SQLITE_IOERR_DIR_FSYNC : SQLITE_OK;
}

static int file_sync(sqlite3_file *sf, int flags)
{
    struct file *f = file_of(sf);
    (void)flags;
    if (disk_of(f)->ops->sync(disk_of(f), f->disk_file, NULL))
        return SQLITE_IOERR_FSYNC;
    int rc = f->fresh ? sync_folder(disk_of(f), f->node->path) : SQLITE_OK;
    f->fresh = f->fresh && rc != SQLITE_OK;
    return rc;
}

static int file_size(sqlite3_file *sf, sqlite3_int64 *out)
{
    struct file *f = file_of(sf);
    uint64_t n = 0;
    if (disk_of(f)->ops->size(disk_of(f), f->disk_file, &n, NULL))
        return SQLITE_IOERR_FSTAT;
    *out = (sqlite3_int64)n;
    return SQLITE_OK;
}

static int file_unlock(sqlite3_file *sf, int level);

static int file_close(sqlite3_file *sf)
{
    struct file *f = file_of(sf);
    struct disk *d = disk_of(f);
    (void)file_unlock(sf, SQLITE_LOCK_NONE);
    d->ops->close(d, f->disk_file);
    if (f->passing)
        (void)d->ops->remove(d, f->node->path, NULL);
    node_give(f->vfs, f->node);
    f->base.pMethods = NULL;
    return SQLITE_OK;
}

/* --- locks of the file --- */

static int file_lock(sqlite3_file *sf, int level)
{
    struct file *f = file_of(sf);
    struct node *n = f->node;
    if (level <= f->level)
        return SQLITE_OK;
    bool foreign_writer = n->owner && n->owner != f;
    bool foreign_reserve = n->reserved && n->reserved != f;
    if (foreign_writer || (level >= SQLITE_LOCK_RESERVED && foreign_reserve) ||
        (level == SQLITE_LOCK_EXCLUSIVE && n->shared > (f->level >= SQLITE_LOCK_SHARED)))
        return SQLITE_BUSY;
    if (f->level == SQLITE_LOCK_NONE)
        n->shared++;
    if (level >= SQLITE_LOCK_RESERVED)
        n->reserved = f;
    if (level == SQLITE_LOCK_EXCLUSIVE)
        n->owner = f;
    f->level = level;
    return SQLITE_OK;
}

static int file_unlock(sqlite3_file *sf, int level)
{
    struct file *f = file_of(sf);
    struct node *n = f->node;
    if (level >= f->level)
        return SQLITE_OK;
    if (n->owner == f)
        n->owner = NULL;
    if (n->reserved == f)
        n->reserved = NULL;
    if (level == SQLITE_LOCK_NONE)
        n->shared--;
    f->level = level;
    return SQLITE_OK;
}

static int file_check_reserved(sqlite3_file *sf, int *out)
{
    *out = file_of(sf)->node->reserved != NULL;
    return SQLITE_OK;
}

/* --- shared memory: the index of the WAL --- */

static int shm_map(sqlite3_file *sf, int region, int size, int extend, void volatile **out)
{
    struct file *f = file_of(sf);
    struct node *n = f->node;
    *out = NULL;
    ASSERT(n->region_size == 0 || n->region_size == size);
    n->region_size = size;
    while (extend && n->regions.n <= (size_t)region) {
        void *p = mem_zero(f->vfs->alloc, (size_t)size);
        if (!p || !vec_push(f->vfs->alloc, &n->regions, p)) {
            mem_free(f->vfs->alloc, p, (size_t)size);
            return SQLITE_NOMEM;
        }
    }
    if ((size_t)region < n->regions.n)
        *out = n->regions.v[region];
    return SQLITE_OK;
}

static void slot_release(struct file *f, int i)
{
    struct node *n = f->node;
    if (n->slot_owner[i] == f)
        n->slot_owner[i] = NULL;
    if (f->slots_shared & 1u << i)
        n->slot_shared[i]--;
    f->slots_shared &= ~(1u << i);
}

static bool slot_free_for(const struct file *f, int i, bool exclusive)
{
    const struct node *n = f->node;
    bool mine = f->slots_shared & 1u << i;
    if (n->slot_owner[i] && n->slot_owner[i] != f)
        return false;
    return !exclusive || n->slot_shared[i] == mine;
}

static int shm_lock(sqlite3_file *sf, int first, int count, int flags)
{
    struct file *f = file_of(sf);
    bool exclusive = flags & SQLITE_SHM_EXCLUSIVE;
    for (int i = first; flags & SQLITE_SHM_LOCK && i < first + count; i++)
        if (!slot_free_for(f, i, exclusive))
            return SQLITE_BUSY;
    for (int i = first; i < first + count; i++) {
        slot_release(f, i);
        if (flags & SQLITE_SHM_LOCK && exclusive) {
            f->node->slot_owner[i] = f;
        } else if (flags & SQLITE_SHM_LOCK) {
            f->node->slot_shared[i]++;
            f->slots_shared |= 1u << i;
        }
    }
    return SQLITE_OK;
}

static void shm_barrier(sqlite3_file *sf)
{
    (void)sf; /* one thread */
}

/* The last connection takes the memory along (node_give()), so that the next one recovers the WAL,
 * as after a start. */
static int shm_unmap(sqlite3_file *sf, int remove)
{
    struct file *f = file_of(sf);
    for (int i = 0; i < SQLITE_SHM_NLOCK; i++)
        slot_release(f, i);
    if (remove)
        regions_free(f->vfs, f->node);
    return SQLITE_OK;
}

/* --- what it is like --- */

static int file_control(sqlite3_file *sf, int op, void *arg)
{
    (void)sf, (void)op, (void)arg;
    return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *sf)
{
    (void)sf;
    return VFS_SECTOR;
}

/* What SQLite's own VFS takes for granted as well: a write harms no byte beside it. */
static int file_characteristics(sqlite3_file *sf)
{
    (void)sf;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};

/* --- the file system --- */

static bool exists(struct disk *d, const char *path)
{
    struct disk_file *f;
    if (d->ops->open(d, path, DISK_READ, &f, NULL))
        return false;
    d->ops->close(d, f);
    return true;
}

static unsigned disk_flags(int flags)
{
    return DISK_READ | (flags & SQLITE_OPEN_READWRITE ? DISK_WRITE : 0u) |
           (flags & SQLITE_OPEN_CREATE ? DISK_CREATE : 0u) |
           (flags & SQLITE_OPEN_EXCLUSIVE ? DISK_EXCLUSIVE : 0u);
}

static int fs_open(sqlite3_vfs *sv, const char *name, sqlite3_file *sf, int flags, int *out_flags)
{
    struct vfs *v = vfs_of(sv);
    struct disk *d = v->env->disk;
    struct file *f = file_of(sf);
    char temporary[32];
    if (!name) {
        (void)snprintf(temporary, sizeof(temporary), "/sqlite-%u", v->temporary++);
        name = temporary;
    }
    *f = (struct file){.vfs = v, .passing = flags & SQLITE_OPEN_DELETEONCLOSE};
    bool fresh = flags & SQLITE_OPEN_CREATE && !exists(d, name);
    f->node = node_take(v, name);
    if (!f->node)
        return SQLITE_NOMEM;
    if (d->ops->open(d, name, disk_flags(flags), &f->disk_file, NULL)) {
        node_give(v, f->node);
        return SQLITE_CANTOPEN;
    }
    f->fresh = fresh;
    f->base.pMethods = &methods;
    if (out_flags)
        *out_flags = flags;
    return SQLITE_OK;
}

static int fs_delete(sqlite3_vfs *sv, const char *name, int sync)
{
    struct disk *d = vfs_of(sv)->env->disk;
    enum err r = d->ops->remove(d, name, NULL);
    if (r)
        return r == ERR_NOT_FOUND ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
    return sync ? sync_folder(d, name) : SQLITE_OK;
}

static int fs_access(sqlite3_vfs *sv, const char *name, int flags, int *out)
{
    (void)flags;
    *out = exists(vfs_of(sv)->env->disk, name);
    return SQLITE_OK;
}

static int fs_full_path(sqlite3_vfs *sv, const char *name, int n, char *out)
{
    (void)sv;
    return sqlite3_snprintf(n, out, "%s", name) && strlen(name) < (size_t)n ? SQLITE_OK
                                                                            : SQLITE_CANTOPEN;
}

static int fs_randomness(sqlite3_vfs *sv, int n, char *out)
{
    struct env *env = vfs_of(sv)->env;
    env->entropy(env, out, (size_t)n);
    return n;
}

static int fs_sleep(sqlite3_vfs *sv, int us)
{
    (void)sv;
    return us; /* nobody would do anything meanwhile */
}

static int fs_time_ms(sqlite3_vfs *sv, sqlite3_int64 *out)
{
    /* Since noon of November 24, 4714 B.C. */
    *out = 210866760000000 + clock_wall_ms(vfs_of(sv)->env->clock);
    return SQLITE_OK;
}

static int fs_time(sqlite3_vfs *sv, double *days)
{
    sqlite3_int64 ms = 0;
    (void)fs_time_ms(sv, &ms);
    *days = (double)ms / 86400000.0;
    return SQLITE_OK;
}

static int fs_last_error(sqlite3_vfs *sv, int n, char *out)
{
    (void)sv;
    if (n > 0)
        out[0] = '\0';
    return 0;
}

/* --- life --- */

enum err vfs_new(struct vfs **out, struct alloc *a, struct env *env)
{
    struct vfs *v = mem_zero(a, sizeof(*v));
    *out = NULL;
    if (!v)
        return ERR_NOMEM;
    v->alloc = a;
    v->env = env;
    list_init(&v->nodes);
    (void)snprintf(v->name, sizeof(v->name), "%p", (void *)v);
    v->base = (sqlite3_vfs){.iVersion = 2,
                            .szOsFile = sizeof(struct file),
                            .mxPathname = VFS_PATH_MAX - 16,
                            .zName = v->name,
                            .xOpen = fs_open,
                            .xDelete = fs_delete,
                            .xAccess = fs_access,
                            .xFullPathname = fs_full_path,
                            .xRandomness = fs_randomness,
                            .xSleep = fs_sleep,
                            .xCurrentTime = fs_time,
                            .xCurrentTimeInt64 = fs_time_ms,
                            .xGetLastError = fs_last_error};
    int rc = sqlite3_vfs_register(&v->base, 0);
    if (rc == SQLITE_OK)
        rc = sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, (int)(env->seed | 1), NULL);
    if (rc != SQLITE_OK) {
        vfs_free(v);
        return ERR_NOMEM;
    }
    *out = v;
    return ERR_OK;
}

void vfs_free(struct vfs *v)
{
    if (!v)
        return;
    ASSERT(list_empty(&v->nodes));
    (void)sqlite3_vfs_unregister(&v->base);
    mem_free(v->alloc, v, sizeof(*v));
}

const char *vfs_name(const struct vfs *v)
{
    return v->name;
}
