/* A head of a tar archive. What is taken can be written, and says the same then. Its sum is put
 * right, or no input would get past it. */
#include "codec/tar.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t block[TAR_BLOCK] = {0}, again[TAR_BLOCK];
    struct tar_entry t, u;
    const char *why;
    bool end;
    memcpy(block, data, size < TAR_BLOCK ? size : TAR_BLOCK);
    unsigned sum = 0;
    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += i >= 148 && i < 156 ? ' ' : block[i];
    (void)snprintf((char *)block + 148, 8, "%06o", sum);
    if (tar_decode(block, &t, &end, &why) || end)
        return 0;
    ASSERT(strlen(t.name) <= TAR_NAME_MAX && t.name[0] != '/');
    if (tar_encode(&t, again)) /* a name of another's that we would not cut so */
        return 0;
    enum err err = tar_decode(again, &u, &end, &why);
    ASSERT(err == ERR_OK && !end && strcmp(t.name, u.name) == 0 && t.size == u.size &&
           t.mode == u.mode && t.mtime_s == u.mtime_s);
    return 0;
}
