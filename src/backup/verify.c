/* Reading a backup back: sums, unpacking, and the comparison of what comes out. */
#include "async/fd.h"
#include "backup/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 256 << 10, MANIFEST_MAX = 64 << 20 };

/* --- sums --- */

static enum err read_text(struct archive_reader *r, const struct tar_entry *t, struct strbuf *out,
                          struct error *e)
{
    char piece[4096];
    size_t got = 1;
    if (t->size > MANIFEST_MAX)
        return error_set(e, ERR_CORRUPT, "the manifest is too large");
    while (got > 0) {
        enum err err = archive_read(r, piece, sizeof(piece), &got, e);
        if (err)
            return err;
        strbuf_add(out, piece, got);
    }
    return out->failed ? error_set(e, ERR_NOMEM, "no memory for the manifest") : ERR_OK;
}

const char *backup_elsewhere(const char *name)
{
    static const char prefix[] = BACKUP_ROOT "outside/";
    return strncmp(name, prefix, sizeof(prefix) - 1) == 0 ? name + sizeof(prefix) - 2 : NULL;
}

/* The store's folder is named by the manifest too: nothing comes there but what a store has. */
static bool has_place(const char *name)
{
    static const char data[] = BACKUP_ROOT "data/", journal[] = "journal-";
    if (strncmp(name, data, sizeof(data) - 1) != 0)
        return true;
    const char *file = name + sizeof(data) - 1;
    return strcmp(file, "sedge.db") == 0 ||
           (strncmp(file, journal, sizeof(journal) - 1) == 0 && !strchr(file, '/'));
}

static enum err note(struct archive_reader *r, const struct tar_entry *t, struct alloc *a,
                     struct archive_files *files, struct error *e)
{
    struct archive_file f = {.bytes = t->size, .mode = t->mode, .mtime_s = t->mtime_s};
    if (!has_place(t->name) || files->all.n >= ARCHIVE_FILES_MAX)
        return error_set(e, ERR_CORRUPT, "%s has no place in a backup", t->name);
    uint8_t *piece = mem_new(a, PIECE);
    size_t got = 1;
    enum err err = piece ? ERR_OK : error_set(e, ERR_NOMEM, "no memory to read a backup");
    while (!err && got > 0)
        err = archive_read(r, piece, PIECE, &got, e);
    mem_free(a, piece, PIECE);
    if (err)
        return err;
    memcpy(f.name, t->name, sizeof(f.name));
    archive_sum(r, f.sha256);
    return vec_push(a, &files->all, f) ? ERR_OK
                                       : error_set(e, ERR_NOMEM, "no memory to read a backup");
}

/* The manifest says what there must be; modes and times are the archive's. */
static enum err compare(struct manifest *m, const struct archive_files *seen, struct error *e)
{
    for (size_t i = 0; i < m->files.all.n; i++) {
        struct archive_file *want = &m->files.all.v[i];
        const struct archive_file *is = i < seen->all.n ? &seen->all.v[i] : NULL;
        if (!is || strcmp(is->name, want->name) != 0)
            return error_set(e, ERR_CORRUPT, "%s is missing", want->name);
        if (is->bytes != want->bytes || strcmp(is->sha256, want->sha256) != 0)
            return error_set(e, ERR_CORRUPT, "%s is not what it was (SHA-256)", want->name);
        *want = *is;
    }
    if (seen->all.n > m->files.all.n)
        return error_set(e, ERR_CORRUPT, "%s is not in the manifest",
                         seen->all.v[m->files.all.n].name);
    return ERR_OK;
}

static enum err read_all(struct archive_reader *r, struct alloc *a, struct archive_files *seen,
                         struct strbuf *json, struct error *e)
{
    struct tar_entry t;
    bool end = false;
    enum err err;
    while (!(err = archive_next(r, &t, &end, e)) && !end) {
        if (strcmp(t.name, BACKUP_MANIFEST) == 0)
            err = read_text(r, &t, json, e);
        else if (strcmp(t.name, BACKUP_SUMS) != 0)
            err = note(r, &t, a, seen, e);
        if (err)
            return err;
    }
    return err;
}

enum err backup_read(struct alloc *a, const char *path, struct manifest *out, struct error *e)
{
    struct archive_reader *r;
    struct archive_files seen = {0};
    struct strbuf json;
    *out = (struct manifest){0};
    strbuf_init(&json, a, MANIFEST_MAX);
    enum err err = archive_open(&r, a, path, e);
    if (!err)
        err = read_all(r, a, &seen, &json, e);
    if (!err && json.n == 0)
        err = error_set(e, ERR_CORRUPT, "%s holds no manifest: it is no backup of sedge", path);
    if (!err)
        err = manifest_read(out, a, (struct bytes){(const uint8_t *)json.p, json.n}, e);
    if (!err)
        err = compare(out, &seen, e);
    if (err) {
        manifest_fini(out);
        *out = (struct manifest){0};
    }
    archive_reader_free(r);
    strbuf_fini(&json);
    vec_fini(a, &seen.all);
    return err;
}

/* --- unpacking --- */

static enum err write_out(struct archive_reader *r, struct alloc *a, int fd, const char *path,
                          struct error *e)
{
    uint8_t *piece = mem_new(a, PIECE);
    size_t got = 1;
    enum err err = piece ? ERR_OK : error_set(e, ERR_NOMEM, "no memory to unpack a backup");
    while (!err && got > 0) {
        err = archive_read(r, piece, PIECE, &got, e);
        if (!err && fd_write_all(fd, piece, got))
            err = error_set_os(e, errno, "%s can't be written", path);
    }
    if (!err && fsync(fd) != 0)
        err = error_set_os(e, errno, "%s can't be synced", path);
    mem_free(a, piece, PIECE);
    return err;
}

static enum err give(int fd, const char *name, uid_t uid, gid_t gid, struct error *e)
{
    if (geteuid() != 0 || fchown(fd, uid, gid) == 0)
        return ERR_OK;
    return error_set_os(e, errno, "%s can't be given to its owner", name);
}

static enum err make_below(int dir, const char *name, uid_t uid, gid_t gid, struct error *e)
{
    if (mkdirat(dir, name, 0750) != 0)
        return errno == EEXIST ? ERR_OK
                               : error_set_os(e, errno, "the folder %s can't be made", name);
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return error_set_os(e, errno, "the folder %s can't be opened", name);
    enum err err = give(fd, name, uid, gid, e);
    (void)close(fd);
    return err;
}

/* Folders on the way, each with its owner. */
static enum err make_way(int dir, const char *name, uid_t uid, gid_t gid, struct error *e)
{
    char part[TAR_NAME_MAX + 1];
    enum err err = ERR_OK;
    for (size_t i = 1; !err && name[i]; i++) {
        if (name[i] != '/')
            continue;
        memcpy(part, name, i);
        part[i] = '\0';
        err = make_below(dir, part, uid, gid, e);
    }
    return err;
}

static enum err unpack_one(struct archive_reader *r, struct alloc *a, const struct tar_entry *t,
                           int dir, const char *name, uid_t uid, gid_t gid, struct error *e)
{
    enum err err = make_way(dir, name, uid, gid, e);
    if (err)
        return err;
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_os(e, errno, "%s can't be made", name);
    err = write_out(r, a, fd, name, e);
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)t->mtime_s}};
    if (!err)
        err = give(fd, name, uid, gid, e);
    if (!err && (fchmod(fd, t->mode & 0777) != 0 || futimens(fd, times) != 0))
        err = error_set_os(e, errno, "%s can't have its mode", name);
    (void)close(fd);
    return err;
}

enum err backup_unpack(struct alloc *a, const char *path, const char *part, int dir, uid_t uid,
                       gid_t gid, struct error *e)
{
    char prefix[64];
    struct archive_reader *r;
    struct tar_entry t;
    bool end = false;
    size_t n = (size_t)snprintf(prefix, sizeof(prefix), BACKUP_ROOT "%s/", part);
    enum err err = archive_open(&r, a, path, e);
    while (!err && !(err = archive_next(r, &t, &end, e)) && !end)
        if (strncmp(t.name, prefix, n) == 0)
            err = unpack_one(r, a, &t, dir, t.name + n, uid, gid, e);
    archive_reader_free(r);
    return err;
}

/* --- opening what comes out --- */

static void judge(struct backup_check *c)
{
    const struct manifest *m = &c->manifest;
    const char *what = NULL;
    if (c->db.damage[0])
        (void)snprintf(c->finding, sizeof(c->finding), "the database: %s", c->db.damage);
    else if (c->journal.holes)
        (void)snprintf(c->finding, sizeof(c->finding), "the journal: %s", c->journal.damage);
    else if (c->journal.first_seq != m->journal_first || c->journal.last_seq != m->journal_last)
        what = "the journal does not hold the records that the manifest names";
    else if (c->db.cursor_min != m->cursor_min)
        what = "the database is not of the moment that the manifest names";
    else if (m->journal_last && c->db.cursor_max > m->journal_last)
        what = "the database is ahead of the journal";
    else if (m->journal_first > m->cursor_min + 1)
        what = "the journal begins behind what the database needs";
    if (what)
        (void)snprintf(c->finding, sizeof(c->finding), "%s", what);
}

static enum err look(struct alloc *a, struct disk *disk, const char *path, const char *folder,
                     int dir, struct backup_check *out, struct error *e)
{
    char database[PATH_MAX];
    enum err err = room_check(dir, folder, room_of(&out->manifest, "data"), e);
    if (!err)
        err = backup_unpack(a, path, "data", dir, geteuid(), getegid(), e);
    if (!err)
        err = journal_inspect(disk, a, folder, NULL, NULL, &out->journal, e);
    (void)snprintf(database, sizeof(database), "%.*s/sedge.db", PATH_MAX - 16, folder);
    if (!err && manifest_find(&out->manifest, BACKUP_ROOT "data/sedge.db"))
        err = db_inspect(database, true, &out->db, e);
    if (!err)
        judge(out);
    return err;
}

/* In a folder of its own, which goes again. */
static enum err look_below(struct alloc *a, struct disk *disk, const char *path, const char *where,
                           struct backup_check *out, struct error *e)
{
    char folder[PATH_MAX];
    int n = snprintf(folder, sizeof(folder), "%s/.sedge-verify-XXXXXX", where);
    int parent = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool made = n > 0 && (size_t)n < sizeof(folder) && parent >= 0 && mkdtemp(folder);
    const char *name = folder + strlen(where) + 1;
    int dir = made ? openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    enum err err =
        dir >= 0 ? look(a, disk, path, folder, dir, out, e)
                 : error_set_os(e, errno, "a folder to unpack into can't be made in %s", where);
    if (dir >= 0)
        (void)close(dir);
    if (made)
        folder_remove_at(parent, name);
    if (parent >= 0)
        (void)close(parent);
    return err;
}

enum err backup_verify(struct alloc *a, struct disk *disk, const char *path, const char *where,
                       struct backup_check *out, struct error *e)
{
    *out = (struct backup_check){0};
    enum err err = backup_read(a, path, &out->manifest, e);
    if (err)
        return err;
    err = look_below(a, disk, path, where, out, e);
    if (err) {
        manifest_fini(&out->manifest);
        out->manifest = (struct manifest){0};
    }
    return err;
}
