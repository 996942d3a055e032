#include "async/fd.h"
#include "async/folder.h"
#include "backup/archive_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEVEL = 3, PIECE = 256 << 10 };

struct archive_writer {
    struct alloc *alloc;
    char path[PATH_MAX], part[PATH_MAX];
    int fd;
    ZSTD_CCtx *zstd;
    EVP_MD_CTX *sha;
    struct archive_files files;
    struct archive_file now; /* the one that is written */
    uint64_t left, bytes;    /* of it still; of the archive so far */
    uint8_t out[PIECE], in[PIECE];
};

void sha256_hex(EVP_MD_CTX *sha, char out[SHA256_HEX + 1])
{
    unsigned char sum[EVP_MAX_MD_SIZE] = {0};
    (void)EVP_DigestFinal_ex(sha, sum, NULL);
    for (size_t i = 0; i < SHA256_HEX / 2; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", sum[i]);
}

static enum err open_part(struct archive_writer *w, struct error *e)
{
    int n = snprintf(w->part, sizeof(w->part), "%s.part-%d", w->path, (int)getpid());
    if (n < 0 || (size_t)n >= sizeof(w->part))
        return error_set(e, ERR_RANGE, "the path of the backup is too long");
    (void)unlink(w->part); /* of one that was killed; and never through another's link */
    w->fd = open(w->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return w->fd < 0 ? error_set_os(e, errno, "%s can't be made", w->part) : ERR_OK;
}

enum err archive_create(struct archive_writer **out, struct alloc *a, const char *path,
                        struct error *e)
{
    *out = NULL;
    struct archive_writer *w = mem_zero(a, sizeof(*w));
    if (!w)
        return error_set(e, ERR_NOMEM, "no memory for a backup");
    w->alloc = a;
    w->fd = -1;
    w->zstd = ZSTD_createCCtx();
    w->sha = EVP_MD_CTX_new();
    int n = snprintf(w->path, sizeof(w->path), "%s", path);
    enum err err = w->zstd && w->sha ? ERR_OK : error_set(e, ERR_NOMEM, "no memory for a backup");
    if (!err && (n < 0 || (size_t)n >= sizeof(w->path)))
        err = error_set(e, ERR_RANGE, "the path of the backup is too long");
    if (!err)
        err = open_part(w, e);
    if (err) {
        archive_writer_free(w);
        return err;
    }
    (void)ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, LEVEL);
    (void)ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1);
    *out = w;
    return ERR_OK;
}

void archive_writer_free(struct archive_writer *w)
{
    if (!w)
        return;
    if (w->fd >= 0) {
        (void)close(w->fd);
        (void)unlink(w->part);
    }
    (void)ZSTD_freeCCtx(w->zstd);
    EVP_MD_CTX_free(w->sha);
    vec_fini(w->alloc, &w->files.all);
    mem_free(w->alloc, w, sizeof(*w));
}

/* --- bytes --- */

static enum err flush(struct archive_writer *w, size_t n, struct error *e)
{
    enum err err = archive_go_on(e);
    if (err)
        return err;
    if (fd_write_all(w->fd, w->out, n))
        return error_set_os(e, errno, "%s can't be written", w->part);
    w->bytes += n;
    return ERR_OK;
}

static enum err compress(struct archive_writer *w, const void *p, size_t n, ZSTD_EndDirective how,
                         struct error *e)
{
    ZSTD_inBuffer in = {p, n, 0};
    size_t more;
    do {
        ZSTD_outBuffer out = {w->out, sizeof(w->out), 0};
        more = ZSTD_compressStream2(w->zstd, &out, &in, how);
        if (ZSTD_isError(more))
            return error_set(e, ERR_NOMEM, "the backup can't be compressed: %s",
                             ZSTD_getErrorName(more));
        enum err err = flush(w, out.pos, e);
        if (err)
            return err;
    } while (in.pos < in.size || (how == ZSTD_e_end && more > 0));
    return ERR_OK;
}

/* --- files --- */

enum err archive_begin(struct archive_writer *w, const struct tar_entry *t, struct error *e)
{
    uint8_t head[TAR_BLOCK];
    if (tar_encode(t, head))
        return error_set(e, ERR_RANGE, "the name %.80s… is too long for a backup", t->name);
    if (w->files.all.n >= ARCHIVE_FILES_MAX)
        return error_set(e, ERR_FULL, "more than %d files", ARCHIVE_FILES_MAX);
    w->now = (struct archive_file){.bytes = t->size, .mode = t->mode, .mtime_s = t->mtime_s};
    memcpy(w->now.name, t->name, sizeof(w->now.name));
    w->left = t->size;
    if (!EVP_DigestInit_ex(w->sha, EVP_sha256(), NULL))
        return error_set(e, ERR_NOMEM, "no SHA-256");
    return compress(w, head, sizeof(head), ZSTD_e_continue, e);
}

enum err archive_add(struct archive_writer *w, const void *p, size_t n, struct error *e)
{
    ASSERT(n <= w->left);
    w->left -= n;
    (void)EVP_DigestUpdate(w->sha, p, n);
    return compress(w, p, n, ZSTD_e_continue, e);
}

enum err archive_end(struct archive_writer *w, struct error *e)
{
    static const uint8_t zeros[TAR_BLOCK];
    ASSERT(w->left == 0);
    sha256_hex(w->sha, w->now.sha256);
    if (!vec_push(w->alloc, &w->files.all, w->now))
        return error_set(e, ERR_NOMEM, "no memory for a backup");
    return compress(w, zeros, tar_padding(w->now.bytes), ZSTD_e_continue, e);
}

enum err archive_put(struct archive_writer *w, const char *name, const void *p, size_t n,
                     int64_t mtime_s, struct error *e)
{
    struct tar_entry t = {.size = n, .mode = 0600, .mtime_s = mtime_s};
    (void)snprintf(t.name, sizeof(t.name), "%s", name);
    enum err err = archive_begin(w, &t, e);
    if (!err)
        err = archive_add(w, p, n, e);
    return err ? err : archive_end(w, e);
}

static enum err copy_in(struct archive_writer *w, int fd, const char *path, struct error *e)
{
    while (w->left > 0) {
        size_t want = w->left < PIECE ? (size_t)w->left : PIECE;
        ssize_t got = read(fd, w->in, want);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_os(e, errno, "%s can't be read", path);
        if (got == 0)
            return error_set(e, ERR_AGAIN, "%s became shorter while it was read", path);
        enum err err = archive_add(w, w->in, (size_t)got, e);
        if (err)
            return err;
    }
    return archive_end(w, e);
}

enum err archive_put_file(struct archive_writer *w, const char *name, const char *path,
                          struct error *e)
{
    struct tar_entry t = {0};
    struct stat st;
    if (strlen(name) > TAR_NAME_MAX)
        return error_set(e, ERR_RANGE, "the name %.80s… is too long for a backup", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0) {
        enum err err = error_set_os(e, errno, "%s can't be read", path);
        if (fd >= 0)
            (void)close(fd);
        return err;
    }
    (void)snprintf(t.name, sizeof(t.name), "%s", name);
    t.size = (uint64_t)st.st_size;
    t.mode = st.st_mode & 0777;
    t.mtime_s = st.st_mtime;
    enum err err = S_ISREG(st.st_mode) ? archive_begin(w, &t, e)
                                       : error_set(e, ERR_INVALID, "%s is no file", path);
    if (!err)
        err = copy_in(w, fd, path, e);
    (void)close(fd);
    return err;
}

const struct archive_files *archive_written(const struct archive_writer *w)
{
    return &w->files;
}

/* --- its name --- */

enum err archive_commit(struct archive_writer *w, uint64_t *bytes, struct error *e)
{
    static const uint8_t end[2 * TAR_BLOCK];
    enum err err = compress(w, end, sizeof(end), ZSTD_e_end, e);
    if (err)
        return err;
    *bytes = w->bytes;
    if (fsync(w->fd) != 0)
        return error_set_os(e, errno, "%s can't be synced", w->part);
    if (rename(w->part, w->path) != 0)
        return error_set_os(e, errno, "%s can't be named %s", w->part, w->path);
    (void)close(w->fd);
    w->fd = -1;
    return folder_sync_of(w->path)
               ? error_set_os(e, errno, "the folder of %s can't be synced", w->path)
               : ERR_OK;
}
