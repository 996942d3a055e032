/* tar: the heads of a tar archive, as ordinary tools read and write them: files only.
 *
 * A file is a head of 512 bytes, its bytes, and zeros up to the next multiple of 512; two blocks of
 * zeros end the archive. Names are relative, of at most 255 bytes that can be split at a slash into
 * 155 and 100; sizes above 8 GiB are written as GNU's tar does.
 * Ownership: nothing is allocated. Threads: none.
 * Errors: ERR_RANGE, ERR_CORRUPT, ERR_UNSUPPORTED with a constant text in *why.
 * After POSIX.1-1988's ustar, and the GNU tar manual's "Basic Tar Format". */
#pragma once

#include "base/cursor.h"
#include "base/str.h"

enum { TAR_BLOCK = 512, TAR_NAME_MAX = 255 };

struct tar_entry {
    char name[TAR_NAME_MAX + 1];
    uint64_t size;
    int64_t mtime_s;
    uint32_t mode; /* permissions only */
};
MUST_USE enum err tar_encode(const struct tar_entry *t, uint8_t out[TAR_BLOCK]);
/* *end: a block of zeros. A name that leads out of the folder that it is unpacked into (absolute,
 * or with "..") is ERR_CORRUPT. */
MUST_USE enum err tar_decode(const uint8_t in[TAR_BLOCK], struct tar_entry *t, bool *end,
                             const char **why);
/* Zeros behind a file of this size. */
static inline size_t tar_padding(uint64_t size)
{
    return (size_t)((TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
}
