#include "backup/backup.h"
#include "base/clock.h"
#include "host/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TRIES_MAX = 8, STRICT_TRIES = 4 };

/* One attempt. */
struct making {
    const struct backup_config *cfg;
    struct archive_writer *w;
    struct manifest *m;
    char copy[PATH_MAX]; /* of the database, beside the backup */
    uint64_t oldest;     /* segment, before the database was copied */
    bool strict;
    uint64_t bytes;
    int64_t now_ms;
};

static enum err name_in(char out[TAR_NAME_MAX + 1], const char *part, const char *path,
                        struct error *e)
{
    int n = snprintf(out, TAR_NAME_MAX + 1, BACKUP_ROOT "%s%s", part, path);
    return n < 0 || n > TAR_NAME_MAX
               ? error_set(e, ERR_RANGE, "the path %.80s… is too long for a backup", path)
               : ERR_OK;
}

/* --- the site's files --- */

static bool is_store(void *ctx, const char *path)
{
    const struct making *k = ctx;
    struct stat a, b;
    return stat(path, &a) == 0 && stat(k->cfg->store, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* FILE.part-PID and FILE.db-PID: of this backup, or of one that was killed. */
static bool is_unfinished(const char *path)
{
    const char *dash = strrchr(path, '-');
    if (!dash || !dash[1] || dash[1 + strspn(dash + 1, "0123456789")])
        return false;
    size_t n = (size_t)(dash - path);
    return (n >= 5 && memcmp(dash - 5, ".part", 5) == 0) ||
           (n >= 3 && memcmp(dash - 3, ".db", 3) == 0);
}

/* Whatever its name is: it begins as all of zstd do (RFC 8878, 3.1.1). */
static bool is_compressed(const char *path)
{
    static const uint8_t magic[4] = {0x28, 0xB5, 0x2F, 0xFD};
    uint8_t head[sizeof(magic)];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    bool is = fd >= 0 && read(fd, head, sizeof(head)) == (ssize_t)sizeof(head) &&
              memcmp(head, magic, sizeof(magic)) == 0;
    if (fd >= 0)
        (void)close(fd);
    return is;
}

/* A backup that held those before it would be twice as large each night. */
static enum err put_site_file(void *ctx, const char *relative, struct error *e)
{
    struct making *k = ctx;
    char name[TAR_NAME_MAX + 1], path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/%s", k->cfg->site, relative);
    if (is_unfinished(path) || is_compressed(path))
        return ERR_OK;
    enum err err = name_in(name, "site/", relative, e);
    return err ? err : archive_put_file(k->w, name, path, e);
}

static bool in_archive(const struct making *k, const char *name)
{
    const struct archive_files *files = archive_written(k->w);
    for (size_t i = 0; i < files->all.n; i++)
        if (strcmp(files->all.v[i].name, name) == 0)
            return true;
    return false;
}

/* Names that don't exist (yet) are the site's affair, and doctor's. */
static enum err put_named(struct making *k, const char *said, struct error *e)
{
    char name[TAR_NAME_MAX + 1], path[PATH_MAX];
    const bool outside = said[0] == '/';
    struct stat st;
    (void)snprintf(path, sizeof(path), "%s%s%s", outside ? "" : k->cfg->site, outside ? "" : "/",
                   said);
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || strstr(said, ".."))
        return ERR_OK;
    enum err err = name_in(name, outside ? "outside" : "site/", said, e);
    return err || in_archive(k, name) ? err : archive_put_file(k->w, name, path, e);
}

static enum err put_site(struct making *k, struct error *e)
{
    const struct backup_config *c = k->cfg;
    enum err err = c->only ? put_site_file(k, c->only, e)
                           : files_below(c->site, is_store, put_site_file, k, e);
    for (size_t i = 0; !err && i < c->named_n; i++)
        err = put_named(k, c->named[i], e);
    return err;
}

/* --- its data --- */

static enum err put_database(struct making *k, struct error *e)
{
    char path[PATH_MAX];
    struct db_seen seen;
    struct stat st;
    (void)snprintf(path, sizeof(path), "%s/sedge.db", k->cfg->store);
    if (stat(path, &st) != 0)
        return ERR_OK; /* a site that has never run */
    (void)unlink(k->copy);
    enum err err = journal_oldest(k->cfg->disk, k->cfg->store, &k->oldest, e);
    if (!err)
        err = db_copy(path, k->copy, e);
    if (!err)
        err = db_inspect(k->copy, false, &seen, e);
    if (!err && seen.damage[0])
        err = error_set(e, ERR_CORRUPT, "the database is damaged: %s", seen.damage);
    if (!err)
        err = archive_put_file(k->w, BACKUP_ROOT "data/sedge.db", k->copy, e);
    if (!err)
        k->m->cursor_min = seen.cursor_min;
    return err;
}

/* A segment is there only while somebody needs it, so all are taken. */
static enum err put_segment(void *ctx, const struct segment_seen *s, struct error *e)
{
    struct making *k = ctx;
    char name[TAR_NAME_MAX + 1];
    if (s->holes)
        return error_set(e, ERR_CORRUPT,
                         "journal-%016llx.sj is damaged; sedge doctor tells more, and the next "
                         "start of the site mends it",
                         (unsigned long long)s->name_seq);
    if (k->m->journal_last && s->last_seq && s->first_seq <= k->m->journal_last)
        return error_set(e, ERR_AGAIN, "the journal changed");
    if (!s->last_seq)
        return ERR_OK;
    if (!k->m->journal_first)
        k->m->journal_first = s->first_seq;
    k->m->journal_last = s->last_seq;
    (void)snprintf(name, sizeof(name), BACKUP_ROOT "data/journal-%016llx.sj",
                   (unsigned long long)s->name_seq);
    return archive_put(k->w, name, s->whole.p, s->whole.n, k->now_ms / 1000, e);
}

/* A segment may have gone between the copy of the database and the look at the journal. Whether the
 * copy needs it is known for sure only of the consumers that have a cursor there, so at first no
 * segment may be missing; on a site that recycles one after the other that is too much to ask. */
static enum err put_journal(struct making *k, struct error *e)
{
    struct journal_seen seen;
    const char *dir = k->cfg->store;
    struct stat st;
    if (stat(dir, &st) != 0)
        return ERR_OK;
    enum err err = journal_inspect(k->cfg->disk, k->cfg->alloc, dir, put_segment, k, &seen, e);
    if (!err && k->strict && k->oldest && k->m->journal_first > k->oldest)
        err = error_set(e, ERR_AGAIN, "a segment of the journal was recycled");
    if (!err && k->m->journal_first > k->m->cursor_min + 1)
        err = error_set(e, ERR_AGAIN, "the journal begins at record %llu, the database needs %llu",
                        (unsigned long long)k->m->journal_first,
                        (unsigned long long)k->m->cursor_min + 1);
    return err;
}

/* --- all of it --- */

static enum err put_text(struct making *k, const char *name, const struct strbuf *text,
                         struct error *e)
{
    if (text->failed)
        return error_set(e, ERR_NOMEM, "no memory for the manifest");
    return archive_put(k->w, name, text->p, text->n, k->now_ms / 1000, e);
}

static enum err put_manifest(struct making *k, struct error *e)
{
    struct strbuf json, sums;
    const struct archive_files *files = archive_written(k->w);
    struct manifest *m = k->m;
    strbuf_init(&json, k->cfg->alloc, 0);
    strbuf_init(&sums, k->cfg->alloc, 0);
    bool ok = true;
    for (size_t i = 0; ok && i < files->all.n; i++) {
        ok = vec_push(m->alloc, &m->files.all, files->all.v[i]);
        k->bytes += files->all.v[i].bytes;
    }
    manifest_write(m, &json);
    manifest_sums(&m->files, &sums);
    enum err err = ok ? put_text(k, BACKUP_SUMS, &sums, e)
                      : error_set(e, ERR_NOMEM, "no memory for the manifest");
    if (!err)
        err = put_text(k, BACKUP_MANIFEST, &json, e);
    strbuf_fini(&json);
    strbuf_fini(&sums);
    return err;
}

static void describe(struct making *k)
{
    const struct backup_config *c = k->cfg;
    char lock[PATH_MAX];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    k->now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    *k->m = (struct manifest){.format = BACKUP_FORMAT, .alloc = c->alloc, .made_ms = k->now_ms};
    (void)snprintf(k->m->version, sizeof(k->m->version), "%s", c->version);
    (void)snprintf(k->m->name, sizeof(k->m->name), "%s", c->name);
    (void)snprintf(k->m->store, sizeof(k->m->store), "%s", c->store_said);
    (void)snprintf(lock, sizeof(lock), "%s/lock", c->store);
    k->m->running = lock_holder(lock) != 0;
}

/* The copy of the database lies beside the backup, often on the disk that the site itself writes
 * to. How far the rest can be compressed is not known before. */
static enum err find_room(const struct making *k, struct error *e)
{
    char path[PATH_MAX], folder[PATH_MAX];
    struct stat st;
    (void)snprintf(path, sizeof(path), "%s/sedge.db", k->cfg->store);
    if (stat(path, &st) != 0)
        return ERR_OK;
    (void)snprintf(folder, sizeof(folder), "%s", k->copy);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    const char *name = slash ? folder : ".";
    int dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return error_set_os(e, errno, "%s can't be opened", name);
    enum err err = room_check(dir, name, (struct room){(uint64_t)st.st_size, 1}, e);
    (void)close(dir);
    return err;
}

static enum err attempt(const struct backup_config *cfg, struct backup_report *out, struct error *e)
{
    struct making *k = mem_zero(cfg->alloc, sizeof(*k));
    if (!k)
        return error_set(e, ERR_NOMEM, "no memory for a backup");
    k->cfg = cfg;
    k->m = &out->manifest;
    k->strict = out->tries <= STRICT_TRIES;
    (void)snprintf(k->copy, sizeof(k->copy), "%s.db-%d", cfg->out, (int)getpid());
    describe(k);
    enum err err = is_store(k, cfg->site) ? error_set(e, ERR_UNSUPPORTED,
                                                      "a store needs a folder of its own: %s is "
                                                      "the site's",
                                                      cfg->site)
                                          : find_room(k, e);
    if (!err)
        err = archive_create(&k->w, cfg->alloc, cfg->out, e);
    if (!err)
        err = put_site(k, e);
    if (!err)
        err = put_database(k, e);
    if (!err)
        err = put_journal(k, e);
    if (!err)
        err = put_manifest(k, e);
    if (!err)
        err = archive_commit(k->w, &out->bytes_out, e);
    out->bytes_in = k->bytes;
    (void)unlink(k->copy);
    archive_writer_free(k->w);
    mem_free(cfg->alloc, k, sizeof(*k));
    return err;
}

enum err backup_make(const struct backup_config *cfg, struct backup_report *out, struct error *e)
{
    enum err err = ERR_AGAIN;
    *out = (struct backup_report){0};
    while (err == ERR_AGAIN && out->tries++ < TRIES_MAX) {
        manifest_fini(&out->manifest);
        err = attempt(cfg, out, e);
    }
    if (err == ERR_AGAIN)
        err =
            error_set(e, ERR_BUSY, "the site's files changed each time they were read; once more");
    if (err) {
        manifest_fini(&out->manifest);
        out->manifest = (struct manifest){0};
    }
    return err;
}
