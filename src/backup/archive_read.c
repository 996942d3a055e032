#include "backup/archive_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 256 << 10, WINDOW_LOG_MAX = 27 };

struct archive_reader {
    struct alloc *alloc;
    char path[PATH_MAX];
    int fd;
    ZSTD_DCtx *zstd;
    EVP_MD_CTX *sha;
    char sum[SHA256_HEX + 1];
    uint64_t left; /* of the file */
    size_t padding;
    bool open;     /* a file is being read */
    bool in_frame; /* the compressed stream is in the middle of something */
    ZSTD_inBuffer in;
    uint8_t buffer[PIECE];
};

enum err archive_open(struct archive_reader **out, struct alloc *a, const char *path,
                      struct error *e)
{
    *out = NULL;
    struct archive_reader *r = mem_zero(a, sizeof(*r));
    if (!r)
        return error_set(e, ERR_NOMEM, "no memory to read a backup");
    r->alloc = a;
    r->in.src = r->buffer;
    (void)snprintf(r->path, sizeof(r->path), "%s", path);
    r->fd = open(path, O_RDONLY | O_CLOEXEC);
    int os_errno = errno;
    r->zstd = ZSTD_createDCtx();
    r->sha = EVP_MD_CTX_new();
    enum err err = r->fd < 0           ? error_set_os(e, os_errno, "%s can't be read", path)
                   : r->zstd && r->sha ? ERR_OK
                                       : error_set(e, ERR_NOMEM, "no memory to read a backup");
    if (err) {
        archive_reader_free(r);
        return err;
    }
    (void)ZSTD_DCtx_setParameter(r->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    *out = r;
    return ERR_OK;
}

void archive_reader_free(struct archive_reader *r)
{
    if (!r)
        return;
    if (r->fd >= 0)
        (void)close(r->fd);
    (void)ZSTD_freeDCtx(r->zstd);
    EVP_MD_CTX_free(r->sha);
    mem_free(r->alloc, r, sizeof(*r));
}

static enum err refill(struct archive_reader *r, struct error *e)
{
    ssize_t n;
    enum err err = archive_go_on(e);
    if (err)
        return err;
    do
        n = read(r->fd, r->buffer, sizeof(r->buffer));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return error_set_os(e, errno, "%s can't be read", r->path);
    r->in.size = (size_t)n;
    r->in.pos = 0;
    return n > 0 ? ERR_OK : error_set(e, ERR_CORRUPT, "%s ends in the middle", r->path);
}

/* All n bytes, or an error. */
static enum err unpack(struct archive_reader *r, void *p, size_t n, struct error *e)
{
    ZSTD_outBuffer out = {p, n, 0};
    while (out.pos < out.size) {
        size_t before = out.pos;
        if (r->in.pos == r->in.size && !r->in_frame) {
            enum err err = refill(r, e);
            if (err)
                return err;
        }
        size_t more = ZSTD_decompressStream(r->zstd, &out, &r->in);
        if (ZSTD_isError(more))
            return error_set(e, ERR_CORRUPT, "%s is damaged, or no backup: %s", r->path,
                             ZSTD_getErrorName(more));
        /* With a full output there may be more of it inside, without any further input. */
        r->in_frame = out.pos == out.size && more > 0;
        if (out.pos == before && r->in.pos == r->in.size) {
            r->in_frame = false;
            enum err err = refill(r, e);
            if (err)
                return err;
        }
    }
    return ERR_OK;
}

enum err archive_read(struct archive_reader *r, void *p, size_t n, size_t *got, struct error *e)
{
    *got = n < r->left ? n : (size_t)r->left;
    enum err err = unpack(r, p, *got, e);
    if (err)
        return err;
    (void)EVP_DigestUpdate(r->sha, p, *got);
    r->left -= *got;
    if (r->left == 0 && r->open) {
        uint8_t zeros[TAR_BLOCK];
        r->open = false;
        sha256_hex(r->sha, r->sum);
        return unpack(r, zeros, r->padding, e);
    }
    return ERR_OK;
}

static enum err pass_over(struct archive_reader *r, struct error *e)
{
    uint8_t waste[TAR_BLOCK];
    size_t got;
    while (r->open) {
        enum err err = archive_read(r, waste, sizeof(waste), &got, e);
        if (err)
            return err;
    }
    return ERR_OK;
}

/* Behind the last file: zeros, and the sum of the whole stream. */
static enum err finish(struct archive_reader *r, struct error *e)
{
    uint8_t waste[TAR_BLOCK];
    for (size_t more = 1; more > 0;) {
        ZSTD_outBuffer out = {waste, sizeof(waste), 0};
        size_t before = r->in.pos;
        more = ZSTD_decompressStream(r->zstd, &out, &r->in);
        if (ZSTD_isError(more))
            return error_set(e, ERR_CORRUPT, "%s is damaged: %s", r->path, ZSTD_getErrorName(more));
        enum err err = more > 0 && out.pos == 0 && r->in.pos == before ? refill(r, e) : ERR_OK;
        if (err)
            return err;
    }
    return ERR_OK;
}

enum err archive_next(struct archive_reader *r, struct tar_entry *t, bool *end, struct error *e)
{
    uint8_t head[TAR_BLOCK];
    const char *why;
    *end = false;
    enum err err = pass_over(r, e);
    if (!err)
        err = unpack(r, head, sizeof(head), e);
    if (err)
        return err;
    err = tar_decode(head, t, end, &why);
    if (err)
        return error_set(e, err, "%s: %s", r->path, why);
    r->left = t->size;
    r->padding = tar_padding(t->size);
    r->open = !*end;
    if (*end)
        return finish(r, e);
    return EVP_DigestInit_ex(r->sha, EVP_sha256(), NULL) ? ERR_OK
                                                         : error_set(e, ERR_NOMEM, "no SHA-256");
}

void archive_sum(const struct archive_reader *r, char out[SHA256_HEX + 1])
{
    memcpy(out, r->sum, sizeof(r->sum));
}
