/* place: where a site's files and data lie, for commands that look at it from outside.
 *
 * Why: `sedge backup` and `sedge doctor` need the folders and names that the declaration says, also
 * of a site that runs or does not pass the check as it stands now.
 * Ownership: site_place_close(). Threads: none. Errors: with a text. */
#pragma once

#include "site/load.h"

#include <limits.h>
#include <sys/types.h>

struct site_place {
    char path[PATH_MAX];   /* as it was given */
    char folder[PATH_MAX]; /* of its files */
    const char *only;      /* the file in it that is the site; NULL: all are */
    char store[PATH_MAX];  /* folder of its data */
    struct lang_site *site;
    struct site_settings settings;
};
/* `data` (may be NULL) is taken instead of what the site says; then it need not pass the check. */
MUST_USE enum err site_place_open(struct site_place *p, const char *path, const char *data,
                                  struct error *e);
void site_place_close(struct site_place *p);
/* The process that runs it; 0: none; -1: one that is not shown to us. */
pid_t site_place_runs(const struct site_place *p);
/* Folder of a site's files and, below or beside it, of its data: as `sedge run` takes them. */
MUST_USE enum err site_folder(char out[PATH_MAX], const char *path, const char **only,
                              struct error *e);
MUST_USE enum err site_store(char out[PATH_MAX], const char *folder, struct str said,
                             struct error *e);
/* Files that its listeners name: at most SITE_FILES_MAX; as the site says them. */
enum { SITE_FILES_MAX = 2 * SITE_LISTENERS_MAX * 4 };
size_t site_files(const struct site_settings *s, struct str out[SITE_FILES_MAX]);
