/* edit: puts text into a site's files and leaves every other byte as it is.
 *
 *     edit_init(&ed, &arena, site);
 *     edit_add_model(&ed, text); edit_add_device(&ed, text); edit_into(&ed, decl, lines);
 *     err = edit_finish(&ed, &e);
 *     … lang_check(…, ed.after, ed.n, …): the site as it would be
 *     for each file: edit_diff(&ed, i, &out);
 *     err = edit_write(&ed, path, &changed, &e);
 *
 * Why: a site's files are people's. What is put in stands where such things stand already, in the
 * line ends of the file; nothing is moved, reformatted or written again.
 * On disk: each changed file is written whole beside the old one (".NAME.new"), with its mode and
 * owner, and synced; when all are, they take their names one right after the other, and then the
 * folder is synced. A power cut leaves of each file the old one or the new one, and at most a
 * ".NAME.new", which nobody reads and the next edit uses again. Models come before devices, so that
 * what is new is known before it is used.
 * Ownership: borrows the site until it is done; texts live in the arena. Threads: any, one at a
 * time; edit_write() and edit_revert() block.
 * Errors: ERR_EXISTS: a file is not as it was read; nothing has been written. ERR_BUSY: another
 * edit is under way. ERR_IO with the file's name; of the names, some may be taken then: `changed`.
 * ERR_NOMEM, ERR_RANGE (a file above 1 MiB). */
#pragma once

#include "base/arena.h"
#include "lang/lang.h"

enum { EDIT_SPLICES_MAX = 64 };

/* What is put in the place of some bytes, mostly of none. */
struct edit_splice {
    size_t file, at, remove; /* in the text as it was */
    struct str text;
};
struct edit {
    struct arena *arena;
    const struct lang_site *site;
    struct lang_source after[LANG_SOURCES_MAX]; /* the site as it would be; those of the site first,
                                                   in their order, then new ones */
    size_t n;
    struct edit_splice splices[EDIT_SPLICES_MAX]; /* in the order in which they came */
    size_t splice_n;
    bool single; /* the site is one file: there can be no other */
    bool failed; /* no room or memory */
};
void edit_init(struct edit *ed, struct arena *arena, const struct lang_site *site, bool single);
/* Behind the last model in the file that has most of them; if there are none, where devices go. */
void edit_add_model(struct edit *ed, struct str text);
/* Behind the last device in the file that has most of them; if there are none, into devices.sedge,
 * or at the end of a site that is one file. */
void edit_add_device(struct edit *ed, struct str text);
/* Lines into the body of a declaration of the site, before its closing brace. */
void edit_into(struct edit *ed, const struct lang_decl *decl, struct str lines);
/* Declarations of all kinds, each to where it belongs: what a person has written. */
void edit_add_text(struct edit *ed, struct str text);
/* Behind all that is in the file `name`, with an empty line between; a new one if there is none. */
void edit_append(struct edit *ed, struct str name, struct str text);
/* Makes `after`. */
MUST_USE enum err edit_finish(struct edit *ed, struct error *e);

/* --- of files, by their index in `after` --- */
bool edit_changes(const struct edit *ed, size_t i);
bool edit_is_new(const struct edit *ed, size_t i);
/* Unified, with three lines around each change. Lines are counted if asked for. */
void edit_diff(const struct edit *ed, size_t i, struct strbuf *out, size_t *added, size_t *removed);

/* The splices of a file in the order of their places; of one place, in that in which they came. */
size_t edit_sorted(const struct edit *ed, size_t file,
                   const struct edit_splice *out[EDIT_SPLICES_MAX]);

/* `path`: of the site, a folder or a file. *changed: a file on disk has its new text, also if this
 * fails: the next one could not take its name, or the folder could not be synced. */
MUST_USE enum err edit_write(const struct edit *ed, const char *path, bool *changed,
                             struct error *e);
/* The files as they were, if nobody has changed them since edit_write(). */
MUST_USE enum err edit_revert(const struct edit *ed, const char *path, struct error *e);

/* The two halves of edit_write(), for tests of what is between them. */
enum { EDIT_PATH_MAX = 4096 };
struct edit_pending {
    size_t file;
    int fd;
    char name[EDIT_PATH_MAX], temporary[EDIT_PATH_MAX];
};
struct edit_writer {
    const struct edit *ed;
    bool back; /* writes what was before */
    struct edit_pending files[8];
    size_t n;
    bool changed; /* a file has its new text */
};
MUST_USE enum err edit_prepare(struct edit_writer *w, const struct edit *ed, bool back,
                               const char *path, struct error *e);
MUST_USE enum err edit_commit(struct edit_writer *w, struct error *e);
void edit_writer_fini(struct edit_writer *w); /* gives up what has not its name yet */
