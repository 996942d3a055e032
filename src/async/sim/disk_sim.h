/* disk_sim: a disk in memory that loses what was not synced, for tests of what must last.
 *
 * What it promises is what POSIX and a decent file system promise, and nothing more. Bytes that
 * were written are read back at once, but only sync() makes them last: at a crash every 512-byte
 * sector that was written since the last sync keeps its old or takes its new content, by the
 * seed, each on its own (so a write can be torn, and a later one survive an earlier). A file that
 * grew has any length between the old and the new one; sectors of it that did not arrive read as
 * zeros. Names (a new file, a rename, a removal) last when their folder was synced; at a crash
 * the first so many changes of a folder survive, how many is the seed's choice. Folders themselves
 * last at once.
 * After a failed sync the bytes stay un-synced for good: a later sync that succeeds does not
 * cover them, as with Linux's page cache.
 * Ownership: disk_sim_free() also frees what open files hold; a crash closes all files, and the
 * old handles answer ERR_IO until they are closed.
 * Threads: any; one lock. Errors: as disk.h, and ERR_NOMEM. */
#pragma once

#include "async/disk.h"

struct disk_sim;
/* `seed` decides what a crash keeps. bytes_max 0: no limit; above it writes fail with ENOSPC. */
MUST_USE enum err disk_sim_new(struct disk_sim **out, struct alloc *a, uint64_t seed,
                               uint64_t bytes_max);
void disk_sim_free(struct disk_sim *s);
/* From now on; what is there stays, even if it is more. */
void disk_sim_room(struct disk_sim *s, uint64_t bytes_max);
struct disk *disk_sim_disk(struct disk_sim *s);

/* The power goes and comes back: un-synced changes are kept, torn or lost; every handle dies. */
void disk_sim_crash(struct disk_sim *s);
/* As if the process was killed: every handle dies, nothing is lost. */
void disk_sim_kill(struct disk_sim *s);

/* As a crash (or, if nothing shall be lost, a kill), and every call fails with EIO until
 * disk_sim_on(): for who takes down what ran on the disk and would still write. */
void disk_sim_off(struct disk_sim *s, bool lose);
void disk_sim_on(struct disk_sim *s);
bool disk_sim_is_off(struct disk_sim *s);
/* The same by itself, with a crash, in place of call number n from now (from 0, of any kind): so
 * the power goes between any two calls. Then calls went(ctx), with the disk locked. */
void disk_sim_off_at(struct disk_sim *s, uint64_t n, void (*went)(void *ctx), void *ctx);
/* What the crashes from now on keep of what was not synced. */
enum disk_sim_keep {
    DISK_SIM_KEEP_SOME,    /* what the seed says, as above */
    DISK_SIM_KEEP_NOTHING, /* the worst that a disk without a cache does */
};
void disk_sim_keep(struct disk_sim *s, enum disk_sim_keep keep);

/* The call number n (from 0, counted from now) and all later ones of its kind fail with os_errno.
 * DISK_SIM_NEVER to end that. */
#define DISK_SIM_NEVER UINT64_MAX
enum disk_sim_call {
    DISK_SIM_OPEN,
    DISK_SIM_READ,
    DISK_SIM_WRITE,
    DISK_SIM_SYNC, /* sync_dir too */
    DISK_SIM_NAME, /* rename, remove */
    DISK_SIM_CALLS,
};
void disk_sim_fail(struct disk_sim *s, enum disk_sim_call call, uint64_t n, int os_errno);
/* Only so many of them fail, and then the disk is well again; default all. */
void disk_sim_fail_times(struct disk_sim *s, uint64_t times);
/* A write that fails has written this many of its bytes; default 0. */
void disk_sim_fail_short(struct disk_sim *s, size_t bytes);

/* Is told of each call before it happens, with the disk locked: for who counts them. While the disk
 * is off there are none. */
void disk_sim_watch(struct disk_sim *s, void (*call)(void *ctx, enum disk_sim_call kind),
                    void *ctx);

struct disk_sim_stats {
    uint64_t calls[DISK_SIM_CALLS];
    uint64_t bytes_written, bytes_read;
    uint64_t crashes, sectors_lost; /* sectors that a crash took back */
};
struct disk_sim_stats disk_sim_stats(struct disk_sim *s);
/* For tests that damage a file: flips the bits of `mask` in one byte, as if the medium had. */
MUST_USE enum err disk_sim_flip(struct disk_sim *s, const char *path, uint64_t at, uint8_t mask);
