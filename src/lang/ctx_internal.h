/* ctx_internal: what all stages of one lang_check() share: memory, sources, messages.
 *
 * All memory comes from two arenas: what the site keeps, and the tree: tokens and nodes, ten times
 * as large, which end with the check. So nothing that a struct lang_site shows may point to a node;
 * names and texts of nodes are kept. When an arena refuses, ctx_nomem() jumps back to lang_check(),
 * which frees both and returns ERR_NOMEM; so the stages need no branch for it and leak nothing.
 * Private to lang/. */
#pragma once

#include "base/arena.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "lang/lang.h"

#include <setjmp.h>

#define LANG_NESTING_MAX 64u

struct ctx_block { /* of the tree, that nobody has now */
    struct ctx_block *next;
};

struct lang_ctx {
    struct alloc alloc; /* first: the arena behind the allocator's interface; frees nothing */
    /* What is given back to this one, or grown out of, is used again; so it takes back nothing but
     * what came from it. */
    struct alloc tree_alloc;
    struct ctx_block *free_blocks[4 * 64]; /* by class, see ctx.c */
    struct arena *arena, *tree;
    jmp_buf nomem;
    const struct lang_schema *schema;
    const struct lang_source *sources;
    size_t sources_n;
    const uint32_t **line_starts; /* for each source */
    uint32_t *lines_n;
    VEC(struct lang_diag) diags;
    size_t errors, warnings;
    struct lang_diag overflow; /* what is written to above the limit */
};

/* A context of its own over one source, for tests of single stages. The caller sets `nomem`. */
struct ctx_alone {
    struct lang_ctx ctx;
    struct arena arena, tree;
};
struct lang_ctx *ctx_alone_init(struct ctx_alone *a, const struct lang_schema *schema,
                                const struct lang_source *source);
void ctx_alone_fini(struct ctx_alone *a);
void ctx_init(struct lang_ctx *c, struct arena *arena, struct arena *tree,
              const struct lang_schema *schema);

_Noreturn void ctx_nomem(struct lang_ctx *c);
void *ctx_new(struct lang_ctx *c, size_t size); /* zeroed; never NULL */
void *ctx_array(struct lang_ctx *c, size_t count, size_t size);
void *ctx_tree_new(struct lang_ctx *c, size_t size); /* a node; ends with the check */
void *ctx_tree_array(struct lang_ctx *c, size_t count, size_t size);
struct str ctx_strf(struct lang_ctx *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct str ctx_str(struct lang_ctx *c, struct str s);
/* VEC whose memory is the arena's. */
#define ctx_push(c, vec, ...)                                                                      \
    do {                                                                                           \
        if (!vec_push(&(c)->alloc, (vec), __VA_ARGS__))                                            \
            ctx_nomem(c);                                                                          \
    } while (0)

/* The same for a vec of nodes or tokens. */
#define ctx_tree_push(c, vec, ...)                                                                 \
    do {                                                                                           \
        if (!vec_push(&(c)->tree_alloc, (vec), __VA_ARGS__))                                       \
            ctx_nomem(c);                                                                          \
    } while (0)

/* The elements of a vec that grew in the tree, as many as there are, for the site to keep. */
#define ctx_kept(c, vec) ctx_copy((c), (vec)->v, (vec)->n * sizeof(*(vec)->v))
void *ctx_copy(struct lang_ctx *c, const void *p, size_t size); /* NULL for nothing */

struct str ctx_text(const struct lang_ctx *c, struct lang_span s);
struct lang_span span_join(struct lang_span a, struct lang_span b);
/* 1-based line and column (in characters) of a byte. */
void ctx_place(const struct lang_ctx *c, uint32_t source, uint32_t at, uint32_t *line,
               uint32_t *column);
uint32_t ctx_line(const struct lang_ctx *c, struct lang_span s);
void ctx_index_lines(struct lang_ctx *c); /* once, when the sources are set */

/* A message with its primary mark. A second one with the same code, place and text is dropped, so
 * that an unrolled loop tells things once. Never NULL. */
struct lang_diag *diag_error(struct lang_ctx *c, const char *code, struct lang_span at,
                             const char *label, const char *fmt, ...) PRINTF_LIKE(5, 6);
struct lang_diag *diag_warning(struct lang_ctx *c, const char *code, struct lang_span at,
                               const char *label, const char *fmt, ...) PRINTF_LIKE(5, 6);
void diag_mark(struct lang_ctx *c, struct lang_diag *d, struct lang_span at, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
void diag_help(struct lang_ctx *c, struct lang_diag *d, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Whether a message with this code stands at this place already: in an unrolled loop one is enough.
 */
bool diag_told(const struct lang_ctx *c, const char *code, struct lang_span at);
void diag_sort(struct lang_ctx *c);

/* What the schema calls the things of a role, for messages: "device", "a device", "devices". The
 * texts live as long as the messages. */
enum noun { NOUN_TYPE, NOUN_RESOURCE, NOUN_SET, NOUN_READABLE, NOUN_COMMAND, NOUN_SIGNAL };
const char *noun(const struct lang_ctx *c, enum noun n);
const char *noun_a(struct lang_ctx *c, enum noun n);
const char *noun_many(struct lang_ctx *c, enum noun n);
const char *not_a(struct lang_ctx *c, enum noun n); /* "not a device" */

/* Nearest of some names, for "did you mean": offer each, then look at `best`. */
struct suggest {
    struct str wanted, best;
    uint32_t distance;
};
struct suggest suggest_for(const struct lang_ctx *c, struct str wanted);
void suggest_offer(struct suggest *s, struct str name);
bool suggest_found(const struct suggest *s);
