#include "backup/restore_internal.h"
#include "store/ballast.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FRESH ".restore" /* what is unpacked, until it has its place */

enum { FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

enum err place_open(struct place *p, char folder[PATH_MAX], const char *part, struct error *e)
{
    struct stat st;
    char real[PATH_MAX];
    p->folder = folder;
    p->part = part;
    enum err err = folder_make(folder, 0750, e);
    if (err)
        return err;
    if (!realpath(folder, real) || (p->dir = open(real, FOLDER)) < 0 || fstat(p->dir, &st) != 0)
        return error_set_os(e, errno, "%s is no folder that can be used", folder);
    (void)snprintf(folder, PATH_MAX, "%s", real);
    p->uid = st.st_uid;
    p->gid = st.st_gid;
    return ERR_OK;
}

void place_clear(struct place *p)
{
    if (p->fresh >= 0)
        (void)close(p->fresh);
    p->fresh = -1;
    folder_remove_at(p->dir, FRESH);
}

void place_close(struct place *p)
{
    if (p->fresh >= 0)
        place_clear(p);
    if (p->aside >= 0)
        (void)close(p->aside);
    if (p->dir >= 0)
        (void)close(p->dir);
    p->dir = p->aside = -1;
}

/* --- what is there --- */

bool place_has(const struct place *p, const char *name)
{
    struct stat st;
    return fstatat(p->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The folder of the data, if it lies in that of the site, is no content of it. */
static bool is_content(const struct restoring *r, const struct place *p, const char *name)
{
    char path[PATH_MAX];
    if (name[0] == '.' || strncmp(name, RESTORE_ASIDE, strlen(RESTORE_ASIDE)) == 0)
        return false;
    if (p == &r->store)
        return strcmp(name, "lock") != 0 && strcmp(name, RESTORE_MARK) != 0 &&
               strcmp(name, BALLAST_NAME) != 0;
    int n = snprintf(path, sizeof(path), "%s/%s", p->folder, name);
    bool has_store = n > 0 && strncmp(path, r->store.folder, (size_t)n) == 0 &&
                     (r->store.folder[n] == '/' || r->store.folder[n] == '\0');
    return n > 0 && n < PATH_MAX && !has_store;
}

static enum err each_entry(struct restoring *r, struct place *p, bool fresh,
                           enum err (*each)(struct restoring *r, struct place *p, const char *name,
                                            struct error *e),
                           struct error *e)
{
    int fd = openat(fresh ? p->fresh : p->dir, ".", FOLDER); /* each with a position of its own */
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    enum err err = ERR_OK;
    const struct dirent *entry;
    if (!d) {
        err = error_set_os(e, errno, "%s can't be read", p->folder);
        if (fd >= 0)
            (void)close(fd);
        return err;
    }
    while (!err && (entry = readdir(d))) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && (fresh || is_content(r, p, name)))
            err = each(r, p, name, e);
    }
    (void)closedir(d);
    return err;
}

enum err place_each(struct restoring *r, struct place *p,
                    enum err (*each)(struct restoring *r, struct place *p, const char *name,
                                     struct error *e),
                    struct error *e)
{
    return each_entry(r, p, false, each, e);
}

/* --- what is unpacked --- */

/* That nobody has put another folder there since it was made. */
static bool only_ours(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 0777) == 0700;
}

enum err place_prepare(struct place *p, struct error *e)
{
    place_clear(p);
    if (mkdirat(p->dir, FRESH, 0700) != 0)
        return error_set_os(e, errno, "%s/" FRESH " can't be made", p->folder);
    int fd = openat(p->dir, FRESH, FOLDER);
    if (fd < 0)
        return error_set_os(e, errno, "%s/" FRESH " can't be opened", p->folder);
    if (!only_ours(fd)) {
        (void)close(fd);
        return error_set(e, ERR_BUSY, "%s/" FRESH " is somebody else's by now", p->folder);
    }
    p->fresh = fd;
    return ERR_OK;
}

/* Files are synced one by one, names of folders are not: before anything moves, all of it lasts. */
enum err place_unpack(struct restoring *r, struct place *p, struct error *e)
{
    enum err err = place_prepare(p, e);
    if (!err)
        err = backup_unpack(r->cfg->alloc, r->cfg->file, p->part, p->fresh, p->uid, p->gid, e);
    if (!err && syncfs(p->fresh) != 0)
        err = error_set_os(e, errno, "%s can't be synced", p->folder);
    return err;
}

/* --- changing places --- */

/* A name that neither folder has: what an earlier restore has put aside is not touched. */
static void name_aside(struct restoring *r)
{
    char when[32];
    struct tm tm;
    time_t now = (time_t)(r->cfg->now_ms / 1000);
    (void)strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
    for (unsigned n = 1; n < 1000; n++) {
        char again[16] = "";
        if (n > 1)
            (void)snprintf(again, sizeof(again), "-%u", n);
        (void)snprintf(r->out->aside, sizeof(r->out->aside), RESTORE_ASIDE "%s%s", when, again);
        if (!place_has(&r->site, r->out->aside) && !place_has(&r->store, r->out->aside))
            return;
    }
}

static enum err make_aside(struct restoring *r, struct place *p, struct error *e)
{
    if (!r->out->aside[0])
        name_aside(r);
    const char *name = r->out->aside;
    int fd = mkdirat(p->dir, name, 0750) == 0 ? openat(p->dir, name, FOLDER) : -1;
    if (fd < 0 || (geteuid() == 0 && fchown(fd, p->uid, p->gid) != 0)) {
        enum err err = error_set_os(e, errno, "%s/%s can't be made", p->folder, name);
        if (fd >= 0)
            (void)close(fd);
        return err;
    }
    p->aside = fd;
    return ERR_OK;
}

static enum err move_aside(struct restoring *r, struct place *p, const char *name, struct error *e)
{
    enum err err = p->aside >= 0 ? ERR_OK : make_aside(r, p, e);
    if (!err && renameat(p->dir, name, p->aside, name) != 0)
        err = error_set_os(e, errno, "%s/%s can't be moved aside", p->folder, name);
    return err;
}

static enum err move_in(struct restoring *r, struct place *p, const char *name, struct error *e)
{
    (void)r;
    return renameat(p->fresh, name, p->dir, name) == 0
               ? ERR_OK
               : error_set_os(e, errno, "%s/%s can't have its place", p->folder, name);
}

enum err place_exchange(struct restoring *r, struct place *p, struct error *e)
{
    enum err err = each_entry(r, p, false, move_aside, e);
    if (!err)
        err = each_entry(r, p, true, move_in, e);
    if (!err && ((p->aside >= 0 && fsync(p->aside) != 0) || fsync(p->dir) != 0))
        err = error_set_os(e, errno, "%s can't be synced", p->folder);
    return err;
}
