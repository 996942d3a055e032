/* parse_internal: recursive descent from tokens to declarations and programs. Private to lang/.
 *
 * A function that meets an error reports it once and returns false or NULL; the nearest list of
 * statements, clauses or declarations skips to the next one, so several mistakes are told in one
 * run without each causing others. */
#pragma once

#include "lang/syntax_internal.h"

struct decl_syntax {
    struct lang_decl *decl;
    struct name type_name; /* LANG_KIND_TYPED */
    struct name *list;     /* LANG_KIND_LIST */
    size_t list_n;
};

struct syntax {
    VEC(struct decl_syntax) decls;
    VEC(struct program_decl *) programs;
    VEC(struct fn_decl *) fns; /* and tasks */
    VEC(struct type_decl *) types;
    VEC(struct test_decl *) tests;
};

struct parser {
    struct lang_ctx *c;
    uint32_t source;
    struct tokens tokens;
    size_t at;
    uint32_t depth;
    struct lang_span odd_brace; /* a `{` whose `}` seems to stand for an outer one; to == 0: none */
    bool lost_text;             /* a text without an end took the rest of its line */
};

void parse_source(struct lang_ctx *c, uint32_t source, struct syntax *out);

/* ---- tokens ----------------------------------------------------------------------------- */
static inline const struct token *peek_token(const struct parser *p)
{
    return &p->tokens.all.v[p->at];
}
const struct token *peek_next(const struct parser *p); /* the one after */
const struct token *take_token(struct parser *p);
struct lang_span token_span(const struct parser *p, const struct token *t);
struct str token_text(const struct parser *p, const struct token *t);
bool at_kind(const struct parser *p, enum token_kind kind);
bool at_word(const struct parser *p, const char *word);
bool take_kind(struct parser *p, enum token_kind kind);
bool take_word(struct parser *p, const char *word);
bool expect(struct parser *p, enum token_kind kind, const char *what);
/* "expected WHAT, found …"; false, so that it can be returned. */
bool expected(struct parser *p, const char *what);
struct str describe(struct parser *p, const struct token *t);
/* The end of a statement: a newline, or in front of `}` and the end of the file. */
bool expect_end(struct parser *p, const char *after);
void skip_newlines(struct parser *p);
/* To the end of this statement, over whole {…} blocks; stops before `}` of the block around. */
void skip_statement(struct parser *p);
/* After a mistake in the statement that began at `start`: to the next one. */
void recover(struct parser *p, size_t start);
bool take_name(struct parser *p, const char *what, struct name *out);
/* a.b.c; the text of `whole` is without spaces. */
bool take_path(struct parser *p, const char *what, struct name *whole, struct name **parts,
               size_t *parts_n);
bool word_reserved(struct str word);     /* a keyword: can't be a name */
const char *word_later(struct str word); /* of a later version: what it would do; else NULL */
bool not_yet(struct parser *p, const struct token *t);
/* Moves to the first token that begins at or after this byte. */
void skip_to_byte(struct parser *p, uint32_t at);

/* ---- blocks ----------------------------------------------------------------------------- */
struct block {
    struct lang_span brace;
    uint32_t indent; /* of the line with the `{` */
};
bool block_open(struct parser *p, struct block *b, const char *what);
/* True while there is something inside; skips newlines. False at `}`, or, with a message, where
 * the `}` is missing. `items`: words at the start of a line that belong outside. */
bool block_more(struct parser *p, const struct block *b, const char *const *outside);
/* The end; the span of the block with its braces. */
struct lang_span block_close(struct parser *p, const struct block *b);
bool enter(struct parser *p); /* nesting; false with a message when too deep */
void leave(struct parser *p);

/* ---- parts ------------------------------------------------------------------------------ */
bool parse_kind(struct parser *p, const struct lang_kind *kind, struct syntax *out);
bool parse_clauses(struct parser *p, const struct block *b, const struct lang_clause *table,
                   size_t table_n, struct str owner, const struct lang_clause_decl **out,
                   size_t *out_n);
/* The argument number `index` of the clause into values[index]. */
bool parse_arg(struct parser *p, const struct lang_clause *clause, size_t index,
               struct lang_value *values);
/* A text without {…}. */
bool parse_plain_text(struct parser *p, const char *what, struct str *out, struct lang_span *span);
bool parse_program(struct parser *p, struct syntax *out);
struct fn_decl *parse_fn(struct parser *p);
bool parse_stmts(struct parser *p, struct stmt_list *out, const char *what);
struct stmt *parse_stmt(struct parser *p);
struct expr *parse_expr(struct parser *p);
/* The span of a type; T<…> and T? are reported as not available. */
bool parse_type(struct parser *p, struct type_ref *out);
/* A type of data, resolved at once. */
bool parse_data_type(struct parser *p, struct lang_type *out, struct lang_span *span);
bool type_of_text(struct lang_ctx *c, struct lang_span span, struct lang_type *out);
/* A number token's value. False with a message. */
/* "there is no unit …", with a suggestion. */
void unit_unknown(struct lang_ctx *c, struct lang_span span);
bool number_value(struct parser *p, const struct token *t, struct expr *out);
