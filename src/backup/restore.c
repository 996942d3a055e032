/* Putting a backup back. All is unpacked beside what is there, and only then things change places;
 * a mark in the data folder holds the site off until that is finished. */
#include "async/fd.h"
#include "async/folder.h"
#include "backup/restore_internal.h"
#include "host/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* One that is there may be a link, planted by whoever owns the folder: it is neither followed nor
 * given away. */
static int open_lock(const struct place *store)
{
    const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    int fd = openat(store->dir, "lock", flags | O_CREAT | O_EXCL, 0600);
    if (fd < 0)
        return errno == EEXIST ? openat(store->dir, "lock", flags) : -1;
    if (geteuid() == 0 && fchown(fd, store->uid, store->gid) != 0) {
        int why = errno;
        (void)close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

/* Held until the end, so that no site starts meanwhile. */
static enum err take_lock(struct restoring *r, struct error *e)
{
    char path[PATH_MAX];
    if (!join(path, r->store.folder, "lock"))
        return error_set(e, ERR_RANGE, "the path of the store is too long");
    r->lock = open_lock(&r->store);
    if (r->lock < 0)
        return error_set_os(e, errno, "%s can't be opened", path);
    if (flock(r->lock, LOCK_EX | LOCK_NB) == 0)
        return ERR_OK;
    pid_t who = lock_holder(path);
    return error_set(e, ERR_BUSY, "a site runs on %s (process %d): stop it first", r->store.folder,
                     (int)who);
}

/* --- what is there --- */

static enum err refuse(struct restoring *r, struct place *p, const char *name, struct error *e)
{
    (void)r;
    return error_set(e, ERR_EXISTS,
                     "%s is not empty (there is %.60s): --force moves what is there aside",
                     p->folder, name);
}

static bool interrupted(const struct restoring *r)
{
    return place_has(&r->store, RESTORE_MARK);
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
    enum err err = place_each(r, &r->store, find_store, e);
    if (err || r->is_store)
        return err;
    err = place_each(r, &r->store, refuse, e);
    return err ? error_set(e, err,
                           "the backup says that its data belongs into %s, where there is "
                           "something else: --data FOLDER",
                           r->store.folder)
               : ERR_OK;
}

/* --- room --- */

/* Of files elsewhere nothing is counted: they are keys and password files. */
static enum err find_room(struct restoring *r, struct error *e)
{
    struct room site = room_of(&r->out->manifest, "site"),
                store = room_of(&r->out->manifest, "data");
    struct stat a, b;
    place_clear(&r->site); /* it would be in the way of the repetition */
    place_clear(&r->store);
    if (fstat(r->site.dir, &a) != 0 || fstat(r->store.dir, &b) != 0)
        return error_set_os(e, errno, "%s can't be looked at", r->site.folder);
    if (a.st_dev == b.st_dev) {
        store.bytes += site.bytes;
        store.files += site.files;
        site = (struct room){0};
    }
    enum err err = room_check(r->site.dir, r->site.folder, site, e);
    return err ? err : room_check(r->store.dir, r->store.folder, store, e);
}

/* --- changing places --- */

static enum err mark(const struct restoring *r, bool set, struct error *e)
{
    const char *folder = r->store.folder;
    const int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
    int fd = set ? openat(r->store.dir, RESTORE_MARK, flags, 0600) : -1;
    bool ok = set ? fd >= 0 : unlinkat(r->store.dir, RESTORE_MARK, 0) == 0 || errno == ENOENT;
    if (!ok)
        return error_set_os(e, errno, "%s/" RESTORE_MARK " can't be %s", folder,
                            set ? "made" : "removed");
    if (fd >= 0)
        (void)close(fd);
    return fsync(r->store.dir) == 0 ? ERR_OK : error_set_os(e, errno, "%s can't be synced", folder);
}

static enum err exchange_all(struct restoring *r, struct error *e)
{
    enum err err = mark(r, true, e);
    if (!err)
        err = place_exchange(r, &r->store, e);
    if (!err)
        err = place_exchange(r, &r->site, e);
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

static enum err carry_open(int in, int out, const char *beside, const char *to, struct error *e)
{
    struct stat st;
    bool ok = in >= 0 && out >= 0 && fstat(in, &st) == 0 && fchmod(out, st.st_mode & 0777) == 0 &&
              (geteuid() != 0 || fchown(out, st.st_uid, st.st_gid) == 0) &&
              copy(in, out) == ERR_OK && link(beside, to) == 0;
    return ok ? ERR_OK : error_set_os(e, errno, "%s can't be put back", to);
}

/* The data may be on another file system: beside its place, and then into it. Never over a file. */
static enum err carry(int dir, const char *from, const char *to, struct error *e)
{
    char beside[PATH_MAX];
    int n = snprintf(beside, sizeof(beside), "%s.restore-%d", to, (int)getpid());
    if (n < 0 || (size_t)n >= sizeof(beside))
        return error_set(e, ERR_RANGE, "the path of %.80s… is too long", to);
    int in = openat(dir, from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    int out = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    enum err err = carry_open(in, out, beside, to, e);
    if (in >= 0)
        (void)close(in);
    if (out >= 0) {
        (void)close(out);
        (void)unlink(beside);
    }
    return err;
}

/* Those that are gone: who has another key there by now keeps it. `to` is "/etc/keys/site.pem", and
 * was unpacked as etc/keys/site.pem. */
static enum err put_outside(struct restoring *r, const char *to, struct error *e)
{
    char folder[PATH_MAX];
    struct stat st;
    if (lstat(to, &st) == 0) {
        r->out->outside_kept++;
        return ERR_OK;
    }
    (void)snprintf(folder, sizeof(folder), "%s", to);
    *strrchr(folder, '/') = '\0';
    enum err err = folder_make(folder, 0750, e);
    if (!err)
        err = carry(r->store.fresh, to + 1, to, e);
    if (!err && folder_sync(folder[0] ? folder : "/"))
        err = error_set_os(e, errno, "%s can't be synced", folder);
    r->out->outside += !err;
    return err;
}

static enum err restore_outside(struct restoring *r, struct error *e)
{
    const struct archive_files *files = &r->out->manifest.files;
    struct place *p = &r->store;
    if (!r->cfg->elsewhere)
        return ERR_OK;
    enum err err = place_prepare(p, e);
    if (!err)
        err = backup_unpack(r->cfg->alloc, r->cfg->file, "outside", p->fresh, p->uid, p->gid, e);
    for (size_t i = 0; !err && i < files->all.n; i++) {
        const char *to = backup_elsewhere(files->all.v[i].name);
        if (to)
            err = put_outside(r, to, e);
    }
    return err;
}

/* --- all of it --- */

static enum err run(struct restoring *r, struct error *e)
{
    enum err err = find_places(r, e);
    if (!err)
        err = take_lock(r, e);
    if (!err && !r->cfg->force && !interrupted(r))
        err = place_each(r, &r->store, refuse, e);
    if (!err && !r->cfg->force && !interrupted(r))
        err = place_each(r, &r->site, refuse, e);
    if (!err)
        err = refuse_strangers(r, e);
    if (!err)
        err = find_room(r, e);
    if (!err)
        err = restore_outside(r, e); /* before: if it fails, the site is as it was */
    if (!err)
        err = place_unpack(r, &r->site, e);
    if (!err)
        err = place_unpack(r, &r->store, e);
    return err ? err : exchange_all(r, e);
}

enum err backup_restore(const struct restore_config *cfg, struct restore_report *out,
                        struct error *e)
{
    static const struct place closed = {.dir = -1, .fresh = -1, .aside = -1};
    *out = (struct restore_report){0};
    enum err err = backup_read(cfg->alloc, cfg->file, &out->manifest, e);
    if (err)
        return err;
    struct restoring r = {.cfg = cfg, .out = out, .site = closed, .store = closed, .lock = -1};
    err = run(&r, e);
    place_close(&r.site);
    place_close(&r.store);
    if (r.lock >= 0)
        (void)close(r.lock);
    if (err) {
        manifest_fini(&out->manifest);
        out->manifest = (struct manifest){0};
    }
    return err;
}
