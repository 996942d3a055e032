#include "app/import_file.h"

#include <errno.h>
#include <stdio.h>

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
