#include "app/import_file.h"
#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum err import_read(struct arena *a, const char *path, struct bytes *out, struct error *e)
{
    struct strbuf b;
    char block[16384];
    size_t n;
    FILE *f = fopen(path, "re");
    if (!f)
        return error_set_os(e, errno, "%s can't be read", path);
    strbuf_init(&b, a->alloc, IMPORT_BYTES_MAX + sizeof(block));
    while (b.n <= IMPORT_BYTES_MAX && (n = fread(block, 1, sizeof(block), f)) > 0)
        strbuf_add(&b, block, n);
    enum err err = ERR_OK;
    if (ferror(f))
        err = error_set_os(e, errno, "%s can't be read", path);
    else if (b.n > IMPORT_BYTES_MAX)
        err = error_set(e, ERR_RANGE, "%s is larger than %d MiB", path, IMPORT_BYTES_MAX >> 20);
    (void)fclose(f);
    if (!err) {
        struct str s = arena_str(a, strbuf_str(&b));
        *out = (struct bytes){(const uint8_t *)s.p, s.n};
    }
    if (!err && (b.failed || a->failed))
        err = error_set(e, ERR_NOMEM, "no memory for %s", path);
    strbuf_fini(&b);
    return err;
}

static bool write_all(int fd, struct str text)
{
    while (text.n) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text = str_sub(text, (size_t)n, text.n);
    }
    return true;
}

enum err import_write(const char *name, struct str text, struct error *e)
{
    char path[PATH_MAX], beside[PATH_MAX];
    bool there = realpath(name, path) != NULL; /* where a link leads to */
    int n = there ? 0 : snprintf(path, sizeof(path), "%s", name);
    int m = snprintf(beside, sizeof(beside), "%s.new", path); /* not *.sedge: no source */
    if (n < 0 || (size_t)n >= sizeof(path) || m < 0 || (size_t)m >= sizeof(beside))
        return error_set(e, ERR_RANGE, "the path %s is too long", name);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0)
        return error_set_os(e, errno, "%s can't be written", beside);
    bool fine = folder_inherit(fd, path, 0) == ERR_OK && write_all(fd, text) && fsync(fd) == 0;
    int why = errno;
    if (close(fd) != 0 && fine) {
        fine = false;
        why = errno;
    }
    if (fine && (rename(beside, path) != 0 || folder_sync_of(path))) {
        fine = false;
        why = errno;
    }
    if (fine)
        return ERR_OK;
    (void)unlink(beside);
    return error_set_os(e, why, "%s can't be written", path);
}
