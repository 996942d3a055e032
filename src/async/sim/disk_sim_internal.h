/* disk_sim_internal: what the simulated disk is made of. All with the disk's lock held.
 *
 * An inode holds its bytes twice: as programs see them now, and as they lie safe on the medium.
 * There are two name spaces in the same way, and the list of changes between them. */
#pragma once

#include "async/sim/disk_sim.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/vec.h"
#include <pthread.h>

enum { SIM_SECTOR = 512, SIM_PATH_MAX = 256 };
#define SIM_FILE_MAX (1ull << 32)

enum sim_sector {
    SECTOR_SAFE,
    SECTOR_DIRTY, /* the next sync makes it safe */
    SECTOR_STUCK, /* a sync of it has failed: only a new write makes it dirty again */
};

struct sim_inode {
    struct list link;
    uint8_t *now, *safe;         /* zeros behind the sizes */
    uint8_t *sector;             /* enum sim_sector of each */
    size_t size, safe_size, cap; /* cap: of all three, in bytes of data */
};

struct sim_name {
    char path[SIM_PATH_MAX];
    struct sim_inode *inode;
};
struct sim_names {
    struct sim_name *v;
    size_t n, cap;
};

enum sim_change { SIM_CREATE, SIM_RENAME, SIM_REMOVE };
struct sim_changed {
    enum sim_change kind;
    char from[SIM_PATH_MAX], to[SIM_PATH_MAX];
    struct sim_inode *inode; /* of SIM_CREATE */
};
struct sim_dir {
    char path[SIM_PATH_MAX];
};

struct disk_file {
    struct list link;
    struct sim_inode *inode;
    uint64_t life; /* of the disk when it was opened */
    bool writes;
};

struct disk_sim {
    struct disk disk;
    struct alloc *alloc;
    pthread_mutex_t lock;
    struct random random;
    uint64_t life; /* crashes and kills so far */
    struct list files, inodes;
    struct sim_names now, safe;
    VEC(struct sim_dir) dirs;
    VEC(struct sim_changed) changes; /* that lead from safe to now, in order */
    uint64_t fail_at[DISK_SIM_CALLS];
    int fail_errno[DISK_SIM_CALLS];
    uint64_t fail_times;
    size_t short_bytes;
    uint64_t bytes_max;
    struct disk_sim_stats stats;
    bool off;
    uint64_t calls, off_at; /* of all kinds */
    void (*went)(void *ctx);
    void *went_ctx;
    enum disk_sim_keep keep;
    void (*watch)(void *ctx, enum disk_sim_call kind);
    void *watch_ctx;
};

/* Without "./" in front and "/" behind; false if it is too long. */
bool sim_path(char out[SIM_PATH_MAX], const char *raw);
bool sim_in_dir(const char *path, const char *dir); /* directly in it */
bool sim_is_dir(const struct disk_sim *s, const char *dir);
bool sim_dir_exists(const struct disk_sim *s, const char *path); /* the folder of this file */
bool sim_add_dirs(struct disk_sim *s, const char *dir);

struct sim_name *sim_find(struct sim_names *names, const char *path);
struct sim_inode *sim_create(struct disk_sim *s, const char *path);
/* Changes the names as seen now, and notes the change. False without memory. */
bool sim_change(struct disk_sim *s, enum sim_change kind, const char *from, const char *to,
                struct sim_inode *inode);
/* Makes the first `count` noted changes in this folder safe. */
void sim_settle(struct disk_sim *s, const char *dir, size_t count);
void sim_crash_names(struct disk_sim *s);
/* Frees inodes that nothing names, remembers or holds open. */
void sim_collect(struct disk_sim *s);

size_t sim_bytes(const struct disk_sim *s);
bool sim_reserve(struct disk_sim *s, struct sim_inode *inode, size_t size);
void sim_mark(struct sim_inode *inode, size_t from, size_t to); /* dirty */
void sim_cut(struct sim_inode *inode, size_t size);
void sim_synced(struct sim_inode *inode);
void sim_sync_failed(struct sim_inode *inode);
/* Gives how many sectors were lost. */
uint64_t sim_crash_inode(struct sim_inode *inode, enum disk_sim_keep keep, struct random *r);
