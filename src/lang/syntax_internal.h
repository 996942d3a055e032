/* syntax_internal: tokens and the syntax tree of programs. Private to lang/.
 *
 * The tree is made by the parser; the checker writes types, constants and what a name stands for
 * into it. A rule inside `for` is checked and compiled once for each element, each time over the
 * same tree. */
#pragma once

#include "lang/ctx_internal.h"
#include "lang/units_internal.h"

enum token_kind {
    T_EOF,
    T_NEWLINE, /* end of a line or `;` */
    T_NAME,
    T_INT,
    T_FLOAT, /* both may carry a unit */
    T_STRING,
    T_UNIT, /* °C, %, Ω … without a number */
    T_LPAREN,
    T_RPAREN,
    T_LBRACE,
    T_RBRACE,
    T_LBRACKET,
    T_RBRACKET,
    T_COMMA,
    T_COLON,
    T_SEMI, /* only inside brackets; elsewhere a T_NEWLINE */
    T_DOT,
    T_RANGE, /* .. */
    T_ASSIGN,
    T_EQ,
    T_NE,
    T_LT,
    T_LE,
    T_GT,
    T_GE,
    T_PLUS,
    T_MINUS,
    T_STAR,
    T_SLASH,
    T_ARROW,    /* -> */
    T_FATARROW, /* => */
    T_QUESTION,
    T_BAD, /* `note` says why */
};

#define TOKEN_SPACE      0x1u /* white space before it */
#define TOKEN_LINE_START 0x2u /* first on its line */
#define TOKEN_UNIT_BAD   0x4u /* letters right behind a number that are no unit */

struct token {
    uint8_t kind, flags;
    uint32_t from, to;
    uint32_t number_to, unit_from; /* T_INT, T_FLOAT: the digits end, the unit begins (or == to) */
    const char *note;
};

struct comment {
    uint32_t from, to;
};

struct tokens {
    VEC(struct token) all; /* ends with T_EOF */
    VEC(struct comment) comments;
};
/* Tokens of one source, or of a piece of it. Never fails: what it can't read is T_BAD. */
void lex(struct lang_ctx *c, uint32_t source, uint32_t from, uint32_t to, struct tokens *out);

/* ---- expressions ------------------------------------------------------------------------ */

struct name {
    struct str text;
    struct lang_span span;
};

enum expr_kind {
    E_BAD, /* reported already */
    E_BOOL,
    E_INT,
    E_NUMBER,
    E_STRING, /* list: E_TEXT and expressions in turn */
    E_TEXT,
    E_PATH,  /* a.b.c */
    E_CALL,  /* path(list) */
    E_NEG,   /* -a */
    E_NOT,   /* not a */
    E_STALE, /* stale a */
    E_BINARY,
};

enum expr_op {
    OP_EQ,
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE, /* as enum lang_cmp */
    OP_AND,
    OP_OR,
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_MOD,
};

enum builtin {
    BUILTIN_NONE,
    BUILTIN_SLOPE,
    BUILTIN_ABS,
    BUILTIN_MIN,
    BUILTIN_MAX,
    BUILTIN_ROUND,
    BUILTIN_NOW
};

enum ref_kind {
    REF_NONE,
    REF_LOCAL,   /* index: of the chunk's locals */
    REF_VAR,     /* index: of the program's variables */
    REF_READ,    /* index: of the program's bindings */
    REF_CONST,   /* the expression's value */
    REF_OWN,     /* index: of the program's bindings */
    REF_BUILTIN, /* index: enum builtin */
    REF_FN,      /* fn */
    REF_COMMAND, /* index: binding of the handle; member: the command */
};

struct expr_list {
    struct expr **v;
    size_t n;
};

struct fn_decl;
struct expr {
    enum expr_kind kind;
    enum expr_op op;
    uint32_t height; /* of the tree below; bounded, since the checker recurses over it */
    struct lang_span span, op_span;
    struct expr *a, *b;
    struct expr_list list;
    struct name *path;
    size_t path_n;
    struct str text; /* E_TEXT, unescaped */
    int64_t integer; /* E_INT, E_BOOL */
    double number;   /* E_NUMBER, E_INT: as written, in `unit` */
    struct lang_unit unit;
    bool has_unit;
    /* the checker's: */
    struct lang_type type;
    bool bad; /* reported: whatever uses it says nothing more */
    bool constant;
    union lang_slot value; /* if constant */
    struct str text_value; /* the same for a str */
    enum ref_kind ref;
    enum builtin builtin; /* REF_BUILTIN; the window of slope() is `index` */
    uint32_t index;
    const struct lang_member *member;
    struct fn_decl *fn;
};

/* ---- statements ------------------------------------------------------------------------- */

struct type_ref { /* a type as written; empty if left out */
    struct lang_span span;
    bool given;
};

enum stmt_kind {
    S_LET,    /* name [: type] = value; also `var` */
    S_ASSIGN, /* target = value */
    S_CALL,   /* value */
    S_IF,     /* value body [otherwise] */
    S_RETURN, /* [value] */
    S_HOST,   /* host level value */
};

struct stmt_list {
    struct stmt **v;
    size_t n;
    struct lang_span span; /* with its braces */
    bool damaged;          /* a statement was skipped, with a message */
};

struct stmt {
    enum stmt_kind kind;
    struct lang_span span;
    struct name name;
    struct type_ref type;
    bool mutable;
    struct expr *target, *value;
    struct stmt_list body, otherwise;
    uint32_t host, level;
    uint32_t local; /* the checker's: number of the local */
    struct lang_type local_type;
};

/* ---- programs --------------------------------------------------------------------------- */

struct param_ref {
    struct name name;
    struct type_ref type;
};

struct fn_decl {
    struct name name;
    struct lang_span span;
    struct param_ref *params;
    size_t params_n;
    struct type_ref result;
    struct stmt_list body;
    /* the checker's: */
    struct lang_param *param_types;
    struct lang_type result_type;
    struct lang_type *locals; /* parameters first */
    size_t locals_n;
    bool bad;
    bool checked;
};

enum item_kind {
    I_OWN,  /* name: type = path */
    I_READ, /* name: type = path [stale t] */
    I_VAR,  /* name [: type] = value */
    I_LET,
    I_FOR,   /* for name in path { items } */
    I_WHEN,  /* value [for hold] body [until ...] */
    I_EVERY, /* every value body */
    I_START, /* one statement */
    I_FN,
};

struct item_list {
    struct item **v;
    size_t n;
};

struct item {
    enum item_kind kind;
    struct lang_span span, head_span, until_span;
    struct name name;
    struct type_ref type;
    struct name *path;
    size_t path_n;
    struct lang_span path_span;
    struct expr *value, *hold, *until, *until_hold, *stale;
    bool has_until;
    struct stmt_list body, until_body;
    struct item_list items;
    struct fn_decl *fn;
};

struct program_decl {
    struct name name;
    struct lang_span span;
    struct item_list items;
};
