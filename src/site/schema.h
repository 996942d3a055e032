/* schema: what a site of sedge can declare, as tables for the language, and how the sources of
 * a site are found.
 *
 * Why: lang/ knows no IoT word; all of them are here. The loader reads the checked declarations by
 * the names of arguments that the tables give (lang/schema.h).
 * Threads: any; the tables are constant. */
#pragma once

#include "lang/lang.h"

#include <stdio.h>

const struct lang_schema *site_schema(void);

struct site_sources {
    struct lang_source v[LANG_SOURCES_MAX];
    size_t n;
    struct alloc *alloc;
};
/* All *.sedge of the folder `path`, in the order of their names, or the one file `path`. Names are
 * those of the files, without the folder. ERR_NOT_FOUND (also: a folder without sources), ERR_IO,
 * ERR_RANGE (a file above 1 MiB, too many files), ERR_NOMEM. After an error *out holds nothing. */
MUST_USE enum err site_read_sources(struct alloc *a, const char *path, struct site_sources *out,
                                    struct error *e);
void site_sources_fini(struct site_sources *s); /* safe on a zeroed one */

/* Messages and their sum ("2 errors, 1 warning") as people read them. */
void site_render_diags(struct strbuf *out, const struct lang_site *site, bool color);
/* The messages as a JSON array. */
void site_json_diags(struct strbuf *out, const struct lang_site *site);
void site_print_diags(FILE *to, const struct lang_site *site);
/* Reads and checks the site; messages go to `to`, if there are any. The caller frees *out. Without
 * ERR_OK, *out is NULL: ERR_INVALID after errors in the sources, else as site_read_sources(). */
MUST_USE enum err site_check(const char *path, struct lang_site **out, FILE *to);
