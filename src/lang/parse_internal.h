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
    uint32_t depth;   /* of nesting, up to LANG_NESTING_MAX */
    uint32_t tallest; /* height of the tallest expression of the function that is read */
    bool head;        /* in the head of a block: a `{` begins it, and no record */
    /* Where braces don't match, parse_block.c guesses by the layout of the lines: */
    bool balanced;              /* they do */
    bool lost;                  /* some went unread: no `}` is missed any more */
    uint32_t brace;             /* the byte of the innermost `{` that is open */
    struct lang_span odd_brace; /* a `{` whose `}` seems to stand for an outer one; to == 0: none */
    size_t unclosed, unclosed_at; /* the message (counted from 1) about blocks that are not closed
                                     in front of this token */
};

void parse_source(struct lang_ctx *c, uint32_t source, struct syntax *out);

/* ---- tokens ----------------------------------------------------------------------------- */
static inline const struct token *peek_token(const struct parser *p)
{
    return &p->tokens.all.v[p->at];
}
const struct token *peek_next(const struct parser *p); /* the one after */
const struct token *peek_ahead(const struct parser *p, size_t n);
const struct token *take_token(struct parser *p);
const struct token *last_token(const struct parser *p); /* the one taken last */
struct lang_span token_span(const struct parser *p, const struct token *t);
struct lang_span last_span(const struct parser *p);
struct str token_text(const struct parser *p, const struct token *t);
bool token_is(const struct parser *p, const struct token *t, const char *word);
bool token_touches(const struct token *t); /* no space before it */
bool at_kind(const struct parser *p, enum token_kind kind);
bool at_word(const struct parser *p, const char *word);
bool at_end(const struct parser *p);  /* of a statement */
bool at_else(const struct parser *p); /* `else`, but not that of an arm */
bool take_kind(struct parser *p, enum token_kind kind);
bool take_word(struct parser *p, const char *word);
bool expect(struct parser *p, enum token_kind kind, const char *what);
struct str describe(struct parser *p, const struct token *t);
/* These report and return false, so that it can be returned. "expected WHAT, found …": */
bool expected(struct parser *p, const char *what);
bool expected_help(struct parser *p, const char *what, const char *help); /* help may be NULL */
bool expect_assign(struct parser *p, const char *what);
bool refuse(struct parser *p, struct lang_span at, const char *label, const char *message,
            const char *help);
bool not_yet(struct parser *p, const struct token *t);
struct lang_diag *expected_diag(struct parser *p, const char *what);
struct lang_span place_expected(const struct parser *p);
bool bad_token(struct parser *p); /* true, with its message, if the next one is T_BAD */
/* The end of a statement: a newline, or in front of `}` and the end of the file. */
bool expect_end(struct parser *p, const char *after);
bool after_newline(const struct parser *p);
void skip_newlines(struct parser *p);
/* To the end of this statement, over whole {…} blocks; stops before `}` of the block around. */
void skip_statement(struct parser *p);
/* After a mistake in the statement that began at `start`: to the next one. */
void recover(struct parser *p, size_t start);
/* After a mistake between the braces of an expression: behind its `}`. */
void skip_braces(struct parser *p);
/* Moves to the first token that begins at or after this byte. */
void skip_to_byte(struct parser *p, uint32_t at);
bool take_name(struct parser *p, const char *what, struct name *out);
/* False with a message: one of these is called so already. */
bool parse_param_is_new(struct parser *p, const struct lang_param *list, size_t n,
                        const struct name *name);
/* What stands behind a dot: words that begin statements are free here. */
bool take_member(struct parser *p, const char *what, struct name *out);
/* a.b.c; the text of `whole` is without spaces. */
bool take_path(struct parser *p, const char *what, struct name *whole, struct name **parts,
               size_t *parts_n);
/* The same where the first word may be any. */
bool take_value_path(struct parser *p, const char *what, struct name *whole, struct name **parts,
                     size_t *parts_n);
bool at_item_word(const struct parser *p, const char *word); /* begins an item or declaration */
bool word_reserved(struct str word);                         /* a keyword: can't be a name */
/* How a word of another language is written here; NULL if it is none. */
const char *word_help(struct str word);
/* For a statement that ends, and is followed by this token. NULL if there is nothing to say. */
const char *help_for_end(const struct parser *p);

/* ---- blocks ----------------------------------------------------------------------------- */
struct block {
    struct lang_span brace;
    uint32_t indent; /* of the line with the `{` */
    uint32_t outer;  /* the `{` of the block around */
};
bool braces_match(const struct tokens *t);
bool block_open(struct parser *p, struct block *b, const char *what);
/* True while there is something inside; skips newlines. False at `}`, or, with a message, where
 * the `}` is missing. `outside`: words at the start of a line that belong outside. */
bool block_more(struct parser *p, const struct block *b, const char *const *outside);
/* The end; the span of the block with its braces. */
struct lang_span block_close(struct parser *p, const struct block *b);
bool enter(struct parser *p); /* nesting; false with a message when too deep */
void leave(struct parser *p);
bool at_declaration(const struct parser *p);
/* At a `}` that seems to be a part of the mistake before it. */
bool at_stray_brace(const struct parser *p);
bool at_indented(const struct parser *p); /* first on a line that does not begin on the left */
const struct lang_kind *kind_named(const struct lang_schema *schema, struct str word);

/* ---- declarations ----------------------------------------------------------------------- */
bool parse_kind(struct parser *p, const struct lang_kind *kind, struct syntax *out);
bool parse_clauses(struct parser *p, const struct block *b, const struct lang_clause *table,
                   size_t table_n, struct str owner, const struct lang_clause_decl **out,
                   size_t *out_n);
/* The argument number `index` of the clause into values[index]. */
bool parse_arg(struct parser *p, const struct lang_clause *clause, size_t index,
               struct lang_value *values);
/* parse_template.c: LANG_ARG_OF and LANG_ARG_TEMPLATE. */
bool parse_member_of(struct parser *p, const struct lang_arg *arg, struct lang_value *v);
bool parse_template(struct parser *p, struct lang_value *v);
/* A text without {…}. */
bool parse_plain_text(struct parser *p, const char *what, struct str *out, struct lang_span *span);
bool parse_program(struct parser *p, struct syntax *out);
bool parse_type_decl(struct parser *p, struct syntax *out);
bool parse_test(struct parser *p, struct syntax *out);
struct fn_decl *parse_fn(struct parser *p); /* also a task */
/* (params) [-> type] */
bool parse_signature(struct parser *p, struct fn_decl *fn, const char *what);
bool parse_fn_body(struct parser *p, struct fn_decl *fn);

/* ---- items of programs ------------------------------------------------------------------ */
#define LANG_QUEUED_DEFAULT 8u
#define LANG_QUEUED_MAX     64u

struct item *item_new(struct parser *p, enum item_kind kind);
bool parse_source_path(struct parser *p, struct item *i, const char *what);
struct item *parse_when(struct parser *p);
struct item *parse_every(struct parser *p);
struct item *parse_at(struct parser *p);
struct item *parse_on(struct parser *p);
struct item *parse_lend(struct parser *p);
struct item *parse_idle(struct parser *p);
/* 05:00, 22:30:15 into seconds since midnight. */
bool parse_clock(struct parser *p, uint32_t *out);
/* `on weekdays`, `on mon, wed`, from `on`; one bit for each, from Monday. */
bool parse_days(struct parser *p, uint8_t *out);

/* ---- statements ------------------------------------------------------------------------- */
struct stmt *stmt_new(struct parser *p, enum stmt_kind kind); /* at its first token */
bool parse_stmts(struct parser *p, struct stmt_list *out, const char *what);
struct stmt_list stmt_alone(struct parser *p, struct stmt *s); /* a list of this one */
/* [let name =] of a condition. */
bool parse_if_let(struct parser *p, struct name *bind);
/* `=>` and a block or one statement. */
bool parse_arm_body(struct parser *p, struct stmt_list *out);
struct stmt *parse_stmt(struct parser *p);
/* A call that stands alone, what is assigned, or a message. */
struct stmt *parse_simple(struct parser *p);
struct stmt *parse_match(struct parser *p);
struct stmt *parse_spawn(struct parser *p);
struct stmt *parse_select(struct parser *p);
struct stmt *parse_sleep(struct parser *p);
struct stmt *parse_lease(struct parser *p);
struct stmt *parse_revoke(struct parser *p);
struct stmt *parse_drop(struct parser *p);
struct stmt *parse_publish(struct parser *p);
/* { arms }, each read by `one`, into s. */
bool parse_arms(struct parser *p, struct stmt *s, bool (*one)(struct parser *p, struct arm *a),
                const char *what);
/* The index of the host's statement that begins here; UINT32_MAX if none does. */
uint32_t at_host_statement(const struct parser *p);
/* One of its levels; false with a message. */
bool parse_level(struct parser *p, uint32_t statement, uint32_t *out);

/* ---- expressions ------------------------------------------------------------------------ */
struct expr *expr_new(struct parser *p, enum expr_kind kind, struct lang_span span);
/* Makes e at least one higher than its part; false with a message where it grows too high. */
bool expr_grow(struct parser *p, struct expr *e, const struct expr *part);
struct expr *parse_expr(struct parser *p);
struct expr *parse_head(struct parser *p);    /* where a `{` ends it */
struct expr *parse_inside(struct parser *p);  /* in brackets or braces of its own */
struct expr *parse_operand(struct parser *p); /* with its signs, calls, fields and indices */
struct expr *parse_primary(struct parser *p);
struct expr *parse_path_expr(struct parser *p, const char *what);
/* The same where any word can be meant: the value of an enum. */
struct expr *parse_value_path(struct parser *p, const char *what);
struct expr *parse_postfix(struct parser *p, struct expr *e);
struct expr *parse_if_expr(struct parser *p);
struct expr *parse_brackets(struct parser *p); /* lists and maps */
struct expr *parse_record(struct parser *p, struct expr *path);
struct expr *parse_chan(struct parser *p);
struct expr *parse_fn_expr(struct parser *p);
bool at_lambda(const struct parser *p);
struct expr *parse_lambda(struct parser *p);
/* The literals: numbers with a sign, texts, true and false. */
struct expr *parse_literal(struct parser *p);
struct expr *parse_number(struct parser *p);
struct expr *parse_string(struct parser *p);
struct expr *parse_bool(struct parser *p);
/* A number token's value. False with a message. */
bool number_value(struct parser *p, const struct token *t, struct expr *out);
/* [-] number [unit]; its span and number. */
bool parse_signed_number(struct parser *p, const char *what, struct expr *out);
/* "there is no unit …", with a suggestion. */
void unit_unknown(struct lang_ctx *c, struct lang_span span);
/* "expected `)`", with the bracket that is open. */
bool unclosed(struct parser *p, const struct token *open, const char *close);

/* ---- types ------------------------------------------------------------------------------ */
bool parse_type(struct parser *p, struct type_ref *out);
/* A type of data of the host, resolved at once: no list, no optional. */
bool parse_data_type(struct parser *p, struct lang_type *out, struct lang_span *span);
bool type_of_text(struct lang_ctx *c, struct lang_span span, struct lang_type *out);
