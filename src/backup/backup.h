/* backup: a site in one file, taken while it runs, verified, and put back.
 *
 * What is in it: the site's own files (no hidden ones, no other backups), a copy of the database of
 * one moment, and the journal from what that needs up to the present: together the state of the
 * site at the moment when the backup ended. What was acknowledged before it began is in it:
 * acknowledged means synced, and the journal is read after the database. A segment that is recycled
 * meanwhile makes it begin anew. Nothing is asked of the running site, and nothing of it is held
 * up. Ownership: reports and checks are the caller's. Threads: any; all calls block. Errors: with a
 * text that says what to do; a backup or a restore that fails leaves what was there.
 */
#pragma once

#include "async/disk.h"
#include "backup/manifest.h"
#include "store/inspect.h"

#include <sys/types.h>

/* --- making one --- */

struct backup_config {
    struct alloc *alloc;
    struct disk *disk;
    const char *site;       /* folder of the site's files */
    const char *only;       /* NULL, or the one file there that is the site */
    const char *store;      /* folder of database and journal */
    const char *store_said; /* as the site says it */
    const char *name, *version;
    /* Files that the site names: absolute paths, or relative to its folder. */
    const char *const *named;
    size_t named_n;
    const char *out;
};
struct backup_report {
    struct manifest manifest;
    uint64_t bytes_in, bytes_out;
    unsigned tries;
};
MUST_USE enum err backup_make(const struct backup_config *cfg, struct backup_report *out,
                              struct error *e);

/* --- looking at one --- */

/* Reads all of it: that each file has the sum and size that the manifest says, and none is missing
 * or too many. */
MUST_USE enum err backup_read(struct alloc *a, const char *path, struct manifest *out,
                              struct error *e);
/* Unpacks one part, "site", "data" or "outside", into the open folder `dir`, into which nobody else
 * may reach. Files belong to `uid` and `gid` if we may. */
MUST_USE enum err backup_unpack(struct alloc *a, const char *path, const char *part, int dir,
                                uid_t uid, gid_t gid, struct error *e);

struct backup_check {
    struct manifest manifest;
    struct journal_seen journal;
    struct db_seen db;
    char finding[INSPECT_TEXT + 100]; /* "" if all is well */
};
/* backup_read(), then restores into a folder of its own below `where`, looks at every frame of the
 * journal and every page of the database, and compares. */
MUST_USE enum err backup_verify(struct alloc *a, struct disk *disk, const char *path,
                                const char *where, struct backup_check *out, struct error *e);

/* --- putting it back --- */

struct restore_config {
    struct alloc *alloc;
    const char *file;
    const char *site;  /* folder */
    const char *store; /* NULL: where the backup's site says */
    bool force;        /* what is there is moved aside, into before-restore-TIME */
    /* Files of other folders too, which are named by the backup alone: who could write to FILE
     * would choose what root writes. */
    bool elsewhere;
    int64_t now_ms;
};
struct restore_report {
    struct manifest manifest;
    char site[4096], store[4096];
    char aside[64];                 /* name of the folders with what was there; "" if nothing was */
    unsigned outside, outside_kept; /* files elsewhere: put back; left, because there is one */
};
/* By root too, whoever may write to the two folders gains nothing: all happens by descriptors of
 * them, behind no link, in a folder that is root's alone until its contents change places.
 * ERR_EXISTS: something is there, or, even by force, something that is no store; ERR_BUSY: a site
 * runs there; ERR_FULL: no room to unpack it. */
MUST_USE enum err backup_restore(const struct restore_config *cfg, struct restore_report *out,
                                 struct error *e);
/* A restore was interrupted there: the site must not start. */
#define RESTORE_MARK "restore-incomplete"
/* Of a name in a manifest: the path of a file elsewhere; NULL: it is none. */
const char *backup_elsewhere(const char *name);

/* SIGINT, SIGTERM and SIGHUP wait: what blocks here ends at the next piece with ERR_CANCELED, and
 * has removed what it had begun; but when a restore lets things change places, it does all of that.
 * Let go, a signal that has come takes effect. */
void backup_hold_signals(bool hold);

/* --- shared by these --- */

/* Calls each() for every regular file below `folder`, with its path relative to that, in the order
 * of names; not below a folder for which skip() is true, nor one that begins with a dot or with
 * before-restore-. Links to files are files. */
MUST_USE enum err files_below(const char *folder, bool (*skip)(void *ctx, const char *path),
                              enum err (*each)(void *ctx, const char *path, struct error *e),
                              void *ctx, struct error *e);
MUST_USE enum err folder_make(const char *path, mode_t mode, struct error *e); /* parents too */
/* A name in the open folder `dir`, with all that is below it. Descends by descriptors and through
 * no link, so that who may write there can't lead it elsewhere. */
void folder_remove_at(int dir, const char *name);
#define RESTORE_ASIDE "before-restore-"

const char *backup_bytes(uint64_t n, char out[32]); /* "3.2 MiB" */

/* What files need on a disk. */
struct room {
    uint64_t bytes, files;
};
/* The files of one part: "site", "data", "outside". */
struct room room_of(const struct manifest *m, const char *part);
/* ERR_FULL: there is less in the open folder `dir`, which is called `name`. */
MUST_USE enum err room_check(int dir, const char *name, struct room need, struct error *e);
