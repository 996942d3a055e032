/* web_assets: the files of the page, and the description of the API (openapi.json), compressed and
 * held in the binary.
 *
 * Why: the page comes with the program, so that it works without a network and
 * always fits the API that it talks to. tools/embed.c writes the table at build time.
 * Ownership: constant data.
 * Threads: any.
 * Errors: none. Without web/ there is only the description. */
#pragma once

#include <stddef.h>

struct web_asset {
    const char *path;          /* "index.html": flat, without a leading slash */
    const char *type;          /* "text/html; charset=utf-8" */
    const char *etag;          /* quoted, a hash of the content */
    const unsigned char *gzip; /* the file, compressed (RFC 1952) */
    size_t gzip_size;
};

/* Sorted by path. */
extern const struct web_asset web_assets[];
extern const size_t web_assets_count;
