/* manifest: what a backup says of itself, as JSON in its last file.
 *
 * All files lie below `sedge-backup/`: `site/…` (the site's own files), `data/…` (database and
 * journal), `outside/…` (files that the site names elsewhere, with their whole path), SHA256SUMS,
 * as sha256sum -c reads it, and manifest.json. Ownership: manifest_fini(). Threads: none. Errors:
 * ERR_CORRUPT, ERR_UNSUPPORTED, ERR_NOMEM. */
#pragma once

#include "backup/archive.h"

#define BACKUP_ROOT     "sedge-backup/"
#define BACKUP_MANIFEST BACKUP_ROOT "manifest.json"
#define BACKUP_SUMS     BACKUP_ROOT "SHA256SUMS"
enum { BACKUP_FORMAT = 1, MANIFEST_TEXT = 256, MANIFEST_PATH = 4096 };

struct manifest {
    int64_t format;
    char version[MANIFEST_TEXT]; /* of sedge */
    char name[MANIFEST_TEXT];    /* of the site */
    char store[MANIFEST_PATH];   /* as the site says it: relative to the site, or absolute */
    int64_t made_ms;
    bool running;                         /* while it was made */
    uint64_t journal_first, journal_last; /* records; 0: none */
    uint64_t cursor_min;                  /* of the database */
    struct archive_files files;           /* without SHA256SUMS and the manifest */
    struct alloc *alloc;
};
void manifest_fini(struct manifest *m);
void manifest_write(const struct manifest *m, struct strbuf *out);
void manifest_sums(const struct archive_files *files, struct strbuf *out);
MUST_USE enum err manifest_read(struct manifest *m, struct alloc *a, struct bytes json,
                                struct error *e);
const struct archive_file *manifest_find(const struct manifest *m, const char *name);
