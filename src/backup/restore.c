/* Putting a backup back. All is unpacked beside what is there, and only then things change places;
 * a mark in the data folder holds the site off until that is finished. */
#include "async/fd.h"
#include "async/folder.h"
#include "backup/backup.h"
#include "host/lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FRESH ".restore" /* what is unpacked, until it has its place */

/* One of the two folders. */
struct place {
    const char *folder, *part;
    char fresh[PATH_MAX];
    uid_t uid;
    gid_t gid;
};

struct restoring {
    const struct restore_config *cfg;
    struct restore_report *out;
    struct place site, store;
    bool is_store; /* what the store's folder holds */
    int lock;
};

static bool join(char out[PATH_MAX], const char *folder, const char *name)
{
    int n = snprintf(out, PATH_MAX, "%s/%s", folder, name);
    return n > 0 && n < PATH_MAX;
}

/* --- where to --- */

/* Relative to where we are: the folders are compared, and the site's store may be below. */
static enum err absolute(char out[PATH_MAX], const char *path, struct error *e)
{
    char here[PATH_MAX] = "";
    if (path[0] != '/' && !getcwd(here, sizeof(here)))
        return error_set_os(e, errno, "the current folder is not known");
    int n = snprintf(out, PATH_MAX, "%s%s%s", here, here[0] ? "/" : "", path);
    while (n > 1 && n < PATH_MAX && out[n - 1] == '/')
        out[--n] = '\0';
    return n < 0 || n >= PATH_MAX ? error_set(e, ERR_RANGE, "the path %.80s… is too long", path)
                                  : ERR_OK;
}

/* `folder` becomes its real path: what lies below what is compared by that. */
static enum err place_open(struct place *p, char folder[PATH_MAX], const char *part,
                           struct error *e)
{
    struct stat st;
    char real[PATH_MAX];
    p->folder = folder;
    p->part = part;
    enum err err = folder_make(folder, 0750, e);
    if (err)
        return err;
    if (!realpath(folder, real) || stat(real, &st) != 0 || !S_ISDIR(st.st_mode))
        return error_set(e, ERR_INVALID, "%s is no folder", folder);
    (void)snprintf(folder, PATH_MAX, "%s", real);
    p->uid = st.st_uid;
    p->gid = st.st_gid;
    return join(p->fresh, folder, FRESH)
               ? ERR_OK
               : error_set(e, ERR_RANGE, "the path %.80s… is too long", folder);
}

static enum err find_places(struct restoring *r, struct error *e)
{
    const char *said = r->out->manifest.store, *wanted = r->cfg->store;
    enum err err = absolute(r->out->site, r->cfg->site, e);
    if (err)
        return err;
    if (wanted)
        err = absolute(r->out->store, wanted, e);
    else if (said[0] == '/')
        err = absolute(r->out->store, said, e);
    else if (!join(r->out->store, r->out->site, said))
        err = error_set(e, ERR_RANGE, "the path of the store is too long");
    if (!err)
        err = place_open(&r->site, r->out->site, "site", e);
    if (!err)
        err = place_open(&r->store, r->out->store, "data", e);
    if (!err && strcmp(r->out->site, r->out->store) == 0)
        err = error_set(e, ERR_UNSUPPORTED, "a store needs a folder of its own: --data FOLDER");
    return err;
}

/* Held until the end, so that no site starts meanwhile. */
static enum err take_lock(struct restoring *r, struct error *e)
{
    char path[PATH_MAX];
    if (!join(path, r->store.folder, "lock"))
        return error_set(e, ERR_RANGE, "the path of the store is too long");
    r->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (r->lock < 0)
        return error_set_os(e, errno, "%s can't be opened", path);
    if (geteuid() == 0 && fchown(r->lock, r->store.uid, r->store.gid) != 0)
        return error_set_os(e, errno, "%s can't be given to its owner", path);
    if (flock(r->lock, LOCK_EX | LOCK_NB) == 0)
        return ERR_OK;
    pid_t who = lock_holder(path);
    return error_set(e, ERR_BUSY, "a site runs on %s (process %d): stop it first", r->store.folder,
                     (int)who);
}

/* --- what is there --- */

/* The folder of the data, if it lies in that of the site, is no content of it. */
static bool is_content(const struct restoring *r, const struct place *p, const char *name)
{
    char path[PATH_MAX];
    if (name[0] == '.' || strncmp(name, RESTORE_ASIDE, strlen(RESTORE_ASIDE)) == 0)
        return false;
    if (p == &r->store)
        return strcmp(name, "lock") != 0 && strcmp(name, RESTORE_MARK) != 0;
    size_t n = join(path, p->folder, name) ? strlen(path) : 0;
    bool has_store = strncmp(path, r->store.folder, n) == 0 &&
                     (r->store.folder[n] == '/' || r->store.folder[n] == '\0');
    return n > 0 && !has_store;
}

static enum err each_entry(struct restoring *r, struct place *p, const char *folder, bool fresh,
                           enum err (*each)(struct restoring *r, struct place *p, const char *name,
                                            struct error *e),
                           struct error *e)
{
    DIR *d = opendir(folder);
    if (!d)
        return error_set_os(e, errno, "%s can't be read", folder);
    enum err err = ERR_OK;
    const struct dirent *entry;
    while (!err && (entry = readdir(d))) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && (fresh || is_content(r, p, name)))
            err = each(r, p, name, e);
    }
    (void)closedir(d);
    return err;
}

static enum err refuse(struct restoring *r, struct place *p, const char *name, struct error *e)
{
    (void)r;
    return error_set(e, ERR_EXISTS,
                     "%s is not empty (there is %.60s): --force moves what is there aside",
                     p->folder, name);
}

static bool interrupted(const struct restoring *r)
{
    char path[PATH_MAX];
    struct stat st;
    return join(path, r->store.folder, RESTORE_MARK) && stat(path, &st) == 0;
}

/* Where the data goes is said by the backup alone, so by force too only a store gives way. */
static enum err find_store(struct restoring *r, struct place *p, const char *name, struct error *e)
{
    (void)p;
    (void)e;
    r->is_store = r->is_store || strcmp(name, "sedge.db") == 0 ||
                  strncmp(name, "journal-", strlen("journal-")) == 0;
    return ERR_OK;
}

static enum err refuse_strangers(struct restoring *r, struct error *e)
{
    if (r->cfg->store || interrupted(r))
        return ERR_OK;
    enum err err = each_entry(r, &r->store, r->store.folder, false, find_store, e);
    if (err || r->is_store)
        return err;
    err = each_entry(r, &r->store, r->store.folder, false, refuse, e);
    return err ? error_set(e, err,
                           "the backup says that its data belongs into %s, where there is "
                           "something else: --data FOLDER",
                           r->store.folder)
               : ERR_OK;
}

/* A name that neither folder has: what an earlier restore has put aside is not touched. */
static void name_aside(struct restoring *r)
{
    char when[32], in_site[PATH_MAX], in_store[PATH_MAX];
    struct tm tm;
    time_t now = (time_t)(r->cfg->now_ms / 1000);
    (void)strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
    for (unsigned n = 1; n < 1000; n++) {
        char again[16] = "";
        if (n > 1)
            (void)snprintf(again, sizeof(again), "-%u", n);
        (void)snprintf(r->out->aside, sizeof(r->out->aside), RESTORE_ASIDE "%s%s", when, again);
        if (join(in_site, r->site.folder, r->out->aside) && access(in_site, F_OK) != 0 &&
            join(in_store, r->store.folder, r->out->aside) && access(in_store, F_OK) != 0)
            return;
    }
}

static enum err move_aside(struct restoring *r, struct place *p, const char *name, struct error *e)
{
    char aside[PATH_MAX], from[PATH_MAX], to[PATH_MAX];
    if (!r->out->aside[0])
        name_aside(r);
    if (!join(aside, p->folder, r->out->aside) || !join(from, p->folder, name) ||
        !join(to, aside, name))
        return error_set(e, ERR_RANGE, "the path of %.80s is too long", name);
    if (mkdir(aside, 0750) == 0 && geteuid() == 0 && lchown(aside, p->uid, p->gid) != 0)
        return error_set_os(e, errno, "%s can't be given to its owner", aside);
    return rename(from, to) == 0 ? ERR_OK : error_set_os(e, errno, "%s can't be moved aside", from);
}

static enum err move_in(struct restoring *r, struct place *p, const char *name, struct error *e)
{
    char from[PATH_MAX], to[PATH_MAX];
    (void)r;
    if (!join(from, p->fresh, name) || !join(to, p->folder, name))
        return error_set(e, ERR_RANGE, "the path of %.80s is too long", name);
    return rename(from, to) == 0 ? ERR_OK : error_set_os(e, errno, "%s can't have its place", to);
}

/* --- changing places --- */

static enum err sync_folder(const char *folder, struct error *e)
{
    return folder_sync(folder) ? error_set_os(e, errno, "%s can't be synced", folder) : ERR_OK;
}

static enum err mark(const struct restoring *r, bool set, struct error *e)
{
    char path[PATH_MAX];
    (void)join(path, r->store.folder, RESTORE_MARK);
    int fd = set ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
    bool ok = set ? fd >= 0 : unlink(path) == 0 || errno == ENOENT;
    if (!ok)
        return error_set_os(e, errno, "%s can't be %s", path, set ? "made" : "removed");
    if (fd >= 0)
        (void)close(fd);
    return sync_folder(r->store.folder, e);
}

static enum err unpack(struct restoring *r, struct place *p, struct error *e)
{
    folder_remove(p->fresh); /* of a restore that was interrupted */
    enum err err = folder_make(p->fresh, 0700, e);
    return err ? err
               : backup_unpack(r->cfg->alloc, r->cfg->file, p->part, p->fresh, p->uid, p->gid, e);
}

static enum err exchange(struct restoring *r, struct place *p, struct error *e)
{
    enum err err = each_entry(r, p, p->folder, false, move_aside, e);
    if (!err)
        err = each_entry(r, p, p->fresh, true, move_in, e);
    return err ? err : sync_folder(p->folder, e);
}

static enum err exchange_all(struct restoring *r, struct error *e)
{
    enum err err = mark(r, true, e);
    if (!err)
        err = exchange(r, &r->store, e);
    if (!err)
        err = exchange(r, &r->site, e);
    return err ? err : mark(r, false, e);
}

/* --- files elsewhere --- */

static enum err copy(int from, int to)
{
    char piece[4096];
    ssize_t n;
    while ((n = read(from, piece, sizeof(piece))) != 0) {
        if ((n < 0 && errno != EINTR) || (n > 0 && fd_write_all(to, piece, (size_t)n)))
            return ERR_IO;
    }
    return fsync(to) == 0 ? ERR_OK : ERR_IO;
}

/* The data may be on another file system: beside its place, and then into it. Never over a file. */
static enum err carry(const char *from, const char *to, struct error *e)
{
    char beside[PATH_MAX];
    struct stat st;
    int n = snprintf(beside, sizeof(beside), "%s.restore-%d", to, (int)getpid());
    if (n < 0 || (size_t)n >= sizeof(beside))
        return error_set(e, ERR_RANGE, "the path of %.80s… is too long", to);
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = in >= 0 && out >= 0 && fstat(in, &st) == 0 && fchmod(out, st.st_mode & 0777) == 0 &&
              (geteuid() != 0 || fchown(out, st.st_uid, st.st_gid) == 0) &&
              copy(in, out) == ERR_OK && link(beside, to) == 0;
    enum err err = ok ? ERR_OK : error_set_os(e, errno, "%s can't be put back", to);
    if (in >= 0)
        (void)close(in);
    if (out >= 0) {
        (void)close(out);
        (void)unlink(beside);
    }
    return err;
}

/* Those that are gone: who has another key there by now keeps it. */
static enum err put_outside(void *ctx, const char *relative, struct error *e)
{
    struct restoring *r = ctx;
    char from[PATH_MAX], outside[PATH_MAX], to[PATH_MAX], folder[PATH_MAX];
    struct stat st;
    if (!join(outside, r->store.fresh, "outside") || !join(from, outside, relative) ||
        !join(to, "", relative))
        return error_set(e, ERR_RANGE, "the path of %.80s is too long", relative);
    if (lstat(to, &st) == 0) {
        r->out->outside_kept++;
        return ERR_OK;
    }
    (void)snprintf(folder, sizeof(folder), "%s", to);
    *strrchr(folder, '/') = '\0';
    enum err err = folder_make(folder, 0750, e);
    if (!err)
        err = carry(from, to, e);
    if (!err)
        err = sync_folder(folder[0] ? folder : "/", e);
    r->out->outside += !err;
    return err;
}

static enum err restore_outside(struct restoring *r, struct error *e)
{
    char outside[PATH_MAX];
    if (!r->cfg->elsewhere)
        return ERR_OK;
    folder_remove(r->store.fresh); /* of a restore that was interrupted */
    if (!join(outside, r->store.fresh, "outside"))
        return error_set(e, ERR_RANGE, "the path of the store is too long");
    enum err err = folder_make(outside, 0700, e);
    if (!err)
        err = backup_unpack(r->cfg->alloc, r->cfg->file, "outside", outside, r->store.uid,
                            r->store.gid, e);
    return err ? err : files_below(outside, NULL, put_outside, r, e);
}

/* --- all of it --- */

static enum err run(struct restoring *r, struct error *e)
{
    enum err err = find_places(r, e);
    if (!err)
        err = take_lock(r, e);
    if (!err && !r->cfg->force && !interrupted(r))
        err = each_entry(r, &r->store, r->store.folder, false, refuse, e);
    if (!err && !r->cfg->force && !interrupted(r))
        err = each_entry(r, &r->site, r->site.folder, false, refuse, e);
    if (!err)
        err = refuse_strangers(r, e);
    if (!err)
        err = restore_outside(r, e); /* before: if it fails, the site is as it was */
    if (!err)
        err = unpack(r, &r->site, e);
    if (!err)
        err = unpack(r, &r->store, e);
    return err ? err : exchange_all(r, e);
}

enum err backup_restore(const struct restore_config *cfg, struct restore_report *out,
                        struct error *e)
{
    *out = (struct restore_report){0};
    enum err err = backup_read(cfg->alloc, cfg->file, &out->manifest, e);
    if (err)
        return err;
    struct restoring *r = mem_zero(cfg->alloc, sizeof(*r));
    if (r) {
        r->cfg = cfg;
        r->out = out;
        r->lock = -1;
        err = run(r, e);
        if (r->site.fresh[0])
            folder_remove(r->site.fresh);
        if (r->store.fresh[0])
            folder_remove(r->store.fresh);
        if (r->lock >= 0)
            (void)close(r->lock);
    } else {
        err = error_set(e, ERR_NOMEM, "no memory to restore a backup");
    }
    mem_free(cfg->alloc, r, sizeof(*r));
    if (err) {
        manifest_fini(&out->manifest);
        out->manifest = (struct manifest){0};
    }
    return err;
}
