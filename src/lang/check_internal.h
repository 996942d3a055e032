/* check_internal: names, types, units and ownership over the syntax tree. Private to lang/.
 *
 * A `for` is unrolled here: its items are checked and compiled once for each element, each time
 * with the element as a constant. */
#pragma once

#include "base/map.h"
#include "lang/code_internal.h"
#include "lang/parse_internal.h"

#define LANG_RULES_MAX    4096u
#define LANG_BINDINGS_MAX 16384u
#define LANG_VARS_MAX     4096u
#define LANG_WINDOWS_MAX  4096u
#define LANG_UNROLL_MAX   65536u /* items of a program after unrolling */
#define LANG_LOCALS_MAX   64u

enum sym_kind {
    SYM_BAD, /* declared with a mistake: its uses say nothing */
    SYM_OWN,
    SYM_READ,
    SYM_READ_ALL, /* `read v: Valve = …`: all properties of a resource */
    SYM_VAR,
    SYM_CONST,
    SYM_ELEMENT, /* of a `for` */
    SYM_LOCAL,
};

struct sym {
    struct str name;
    enum sym_kind kind;
    struct lang_span span;
    uint32_t index; /* binding, variable or local */
    struct lang_type type;
    const struct lang_decl *resource;
    int64_t stale_ms;
    union lang_slot value;
    struct str text_value;
    bool mutable;
};

struct counter { /* of rules with one prefix */
    struct str prefix;
    uint32_t when, every, start;
};

enum check_mode { MODE_CONST, MODE_CONDITION, MODE_BODY, MODE_FN };

/* Numbers without repetition. */
struct u32_list {
    VEC(uint32_t) all;
};

struct prog {
    struct program_decl *decl;
    struct lang_program *out;
    VEC(struct lang_binding) bindings;
    VEC(struct lang_var) vars;
    VEC(struct lang_rule) rules;
    VEC(struct lang_window) windows;
    VEC(const struct lang_decl *) owns;
    VEC(struct fn_decl *) fns;
    VEC(struct counter) counters;
    struct str prefix;
    uint32_t unrolled;
    struct code *code;
};

/* Who owns a physical thing. */
struct owner {
    const struct program_decl *program;
    const struct lang_decl *resource;
    struct lang_span span;
};

struct checker {
    struct lang_ctx *c;
    struct syntax *syntax;
    struct map types; /* name to struct lang_decl, role TYPE */
    struct map paths; /* name to struct lang_decl, roles RESOURCE and SET */
    struct map fns;   /* name to struct fn_decl */
    struct map programs;
    VEC(const struct lang_decl *) resources;
    VEC(const struct lang_program *) programs_out;
    VEC(const struct lang_test *) tests;
    uint32_t *same_as;    /* resource to the first one with its identity */
    struct owner *owners; /* by same_as */
    /* of the program or function at hand */
    struct prog *prog; /* NULL in a function of the site */
    VEC(struct sym) syms;
    enum check_mode mode;
    struct fn_decl *fn; /* MODE_FN */
    VEC(struct lang_type) locals;
    struct u32_list *reads, *vars; /* where conditions note what they depend on; or NULL */
    bool uses_stale;
};

/* ---- declarations ------------------------------------------------------------------------ */
void check_decls(struct checker *k);
const struct lang_decl *find_path(const struct checker *k, struct str name);
const struct lang_decl *find_type(const struct checker *k, struct str name);

/* ---- ownership --------------------------------------------------------------------------- */
void own_prepare(struct checker *k);
/* Notes that this program owns it; O2 if somebody does already. */
void own_take(struct checker *k, const struct lang_decl *resource, struct lang_span at);
/* O3: a command through something that is not owned here. */
void own_refuse(struct checker *k, const struct lang_decl *resource, struct lang_span at,
                const char *why);

/* ---- names ------------------------------------------------------------------------------- */
struct sym *sym_find(struct checker *k, struct str name);
void sym_add(struct checker *k, struct sym s); /* N2 if the name is taken */
/* What a path stands for: a symbol, or a resource and the rest of the path. */
struct target {
    struct sym *sym; /* of the first part, or NULL */
    const struct lang_decl *resource;
    size_t used; /* parts of the path that name sym or resource */
    bool direct; /* the resource is that of `sym` itself */
};
/* False, with a message, if it stands for nothing. */
bool resolve(struct checker *k, const struct name *path, size_t n, struct target *out);
uint32_t binding_implicit(struct checker *k, const struct lang_decl *resource,
                          const struct lang_member *m, int64_t stale_ms, struct str name,
                          struct lang_span at);
uint32_t binding_add(struct checker *k, struct lang_binding b, struct lang_span at);

/* ---- types ------------------------------------------------------------------------------- */
/* "a bool", "an int", "in kW", "a Valve": follows "this is". */
struct str type_phrase(struct checker *k, const struct lang_type *t);
bool is_number(const struct lang_type *t);
bool units_match(const struct lang_unit *a, const struct lang_unit *b);
struct lang_type type_plain(enum lang_type_kind kind);
/* U1, with what each side is; `verb`: "compared with". */
void units_differ(struct checker *k, const struct expr *a, const struct expr *b,
                  struct lang_span at, const char *verb);
/* A value of this type may stand where `want` is wanted; T1 or U1 if not. `what`: "`speed`". */
bool check_fits(struct checker *k, const struct lang_type *want, const struct expr *e,
                const char *what, struct lang_span what_span);
bool type_resolve(struct checker *k, const struct type_ref *ref, struct lang_type *out);
/* Unit of a product or quotient, with a symbol. */
struct lang_unit unit_product(struct checker *k, const struct lang_unit *a,
                              const struct lang_unit *b, int sign);

/* ---- expressions ------------------------------------------------------------------------- */
/* Types e; e->bad if there was a message. */
void check_expr(struct checker *k, struct expr *e);
void check_binary(struct checker *k, struct expr *e);
void check_path(struct checker *k, struct expr *e);
void check_call(struct checker *k, struct expr *e);
void check_stale(struct checker *k, struct expr *e);
/* Types e as a bool. */
bool check_condition(struct checker *k, struct expr *e, const char *what);
/* A constant duration above 0, in milliseconds. */
bool check_duration(struct checker *k, struct expr *e, const char *what, int64_t *out);
void fold_binary(struct checker *k, struct expr *e);
struct str fold_text(struct checker *k, const struct expr *e); /* a constant as text */

/* ---- statements and programs ------------------------------------------------------------- */
void check_stmts(struct checker *k, struct stmt_list *list);
void check_fn_signature(struct checker *k, struct fn_decl *fn);
void check_fn_body(struct checker *k, struct fn_decl *fn);
struct fn_decl *find_fn(const struct checker *k, struct str name);
/* The symbol of an item, SYM_BAD until it proves right. */
struct sym item_sym(const struct item *i);
void check_own(struct checker *k, struct item *i);
void check_read(struct checker *k, struct item *i);
void check_programs(struct checker *k);
void check_tests(struct checker *k);
