/* lang: source text to a checked site.
 *
 * Why: everything that a site declares and automates is checked together, before anything runs:
 * names, types, units, and that each physical thing has one owner. The check reports several
 * mistakes at once, each with place, marks and help.
 * Ownership: a site owns everything in it (a copy of the sources, declarations, programs,
 * messages) until lang_site_free(); nothing is borrowed from the caller but the schema.
 * Threads: none; a finished site is constant and may be read by any.
 * Errors: lang_check() returns ERR_NOMEM, or ERR_OK with a site; mistakes in the source are
 * diagnostics of that site. A site with errors has no programs, and its declarations must not be
 * used.
 * Limits: 1 MiB for a source, 256 sources, nesting 64, 100 diagnostics, 4,096 rules of a program.
 */
#pragma once

#include "lang/program.h"
#include "lang/schema.h"

#define LANG_SOURCES_MAX     256u
#define LANG_SOURCE_SIZE_MAX (1u << 20)
#define LANG_DIAGS_MAX       100u
#define LANG_MARKS_MAX       4u

struct lang_source {
    struct str name; /* as people know it: "line_guard.sedge" */
    struct str text;
};

enum lang_severity { LANG_ERROR, LANG_WARNING };

struct lang_mark {
    struct lang_span span;
    uint32_t line, column; /* 1-based, of span.from; columns in characters */
    uint32_t end_line, end_column;
    struct str label;
    bool primary;
};

struct lang_diag {
    enum lang_severity severity;
    struct str code; /* "O2" */
    struct str message;
    struct lang_mark marks[LANG_MARKS_MAX]; /* the primary one first */
    size_t marks_n;
    struct str help; /* "" if there is none */
};

struct lang_site {
    const struct lang_schema *schema;
    const struct lang_source *sources;
    size_t sources_n;
    const struct lang_diag *diags; /* sorted by place */
    size_t diags_n;
    size_t errors, warnings;              /* all of them, also those above the limit */
    const struct lang_decl *const *decls; /* in order of source */
    size_t decls_n;
    const struct lang_decl *const *resources; /* those of role RESOURCE */
    size_t resources_n;
    const struct lang_program *const *programs;
    size_t programs_n;
    const struct lang_test *const *tests;
    size_t tests_n;
    const struct lang_typedef *const *records; /* by index: the layouts of every heap */
    size_t records_n;
    const struct own_site *own; /* for summaries; the language's own */
};

MUST_USE enum err lang_check(struct alloc *a, const struct lang_schema *schema,
                             const struct lang_source *sources, size_t sources_n,
                             struct lang_site **out);
void lang_site_free(struct lang_site *site); /* NULL is fine */

/* ---- one changed program -----------------------------------------------------------------
 * What other programs have to know of one is kept as text: what it owns, lends and leases, and what
 * its rules read and change, with the lines that a message would quote. A changed program is then
 * checked against the summaries of the others, with the messages of a check of all. */
#define LANG_SUMMARY_VERSION 1

/* Of a program of a site without errors. Appends. ERR_NOMEM. */
MUST_USE enum err lang_summary_write(const struct lang_site *site,
                                     const struct lang_program *program, struct strbuf *out);
/* As lang_check() of `sources`, the declarations and what has changed, with other programs known by
 * their summaries; one that is among the sources too is left out. The site holds the programs of
 * the sources alone. ERR_CORRUPT if a summary can't be read or is of another version: check the
 * whole site then. `sources` of the site are followed by the lines that summaries quote. */
MUST_USE enum err lang_check_one(struct alloc *a, const struct lang_schema *schema,
                                 const struct lang_source *sources, size_t sources_n,
                                 const struct str *summaries, size_t summaries_n,
                                 struct lang_site **out);

/* The first declaration of that kind, and the next ones; NULL at the end. */
const struct lang_decl *lang_site_decl(const struct lang_site *site, const char *kind, size_t nth);
const struct lang_decl *lang_site_named(const struct lang_site *site, const char *kind,
                                        struct str name);

/* Whether a word is the language's own, and so no name, for who makes declarations as text. */
bool lang_word_reserved(struct str word);

/* One diagnostic as people read it, several lines with a newline at the end. */
void lang_diag_render(struct strbuf *out, const struct lang_site *site, const struct lang_diag *d,
                      bool color);
