/* syntax_internal: tokens and the syntax tree of programs. Private to lang/.
 *
 * The tree is made by the parser; the checker writes types, constants and what a name stands for
 * into it, and brings it to a normal form for the compiler: a path that begins with a value becomes
 * E_FIELD around the E_PATH of that value, a method's call becomes E_METHOD with its receiver in
 * `a`, a call of a closure an E_CALL of REF_VALUE with the closure in `a`, a name that stands for
 * an enum's value a constant. A rule inside `for` is checked and compiled once for each element,
 * each time over the same tree, so what is in normal form must stay as it is. */
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
    T_COALESCE,     /* ?? */
    T_PLUS_ASSIGN,  /* += */
    T_MINUS_ASSIGN, /* -= */
    T_STAR_ASSIGN,  /* *= */
    T_SLASH_ASSIGN, /* /= */
    T_BAD,          /* `note` says why */
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
/* In a text: the `}` that belongs to the `{` at `at`, over texts in between; 0 if there is none. */
uint32_t lex_hole_end(const char *text, uint32_t at, uint32_t end);

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
    E_NONE,   /* none */
    E_INDEX,  /* a[b] */
    E_FIELD,  /* a.name; only where `a` is not a path of names */
    E_METHOD, /* a.name(list); a call whose path is all names is E_CALL */
    E_LIST,   /* [list] */
    E_MAP,    /* [k: v, …]: list holds keys and values in turn */
    E_RECORD, /* Name{list}: path; `names` is NULL or as long as list */
    E_IF,     /* if a { b } else { otherwise } */
    E_LAMBDA, /* fn: its parameters may lack types; body: one S_RETURN for `x => e` */
    E_CHAN,   /* chan<type_arg>(a) */
    E_MOVE,   /* move a: a path */
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
    OP_IN,       /* a in b: b a list or map */
    OP_COALESCE, /* a ?? b */
};

enum builtin {
    BUILTIN_NONE,
    BUILTIN_SLOPE,
    BUILTIN_ABS,
    BUILTIN_MIN,
    BUILTIN_MAX,
    BUILTIN_ROUND,
    BUILTIN_NOW,
    BUILTIN_FLOOR,
    BUILTIN_CEIL,
    BUILTIN_SQRT,
    BUILTIN_POW,
    BUILTIN_EXP,
    BUILTIN_LOG,
    BUILTIN_SIN,
    BUILTIN_COS,
    BUILTIN_INT,    /* int(f): towards zero */
    BUILTIN_FLOAT,  /* float(i) */
    BUILTIN_LIST,   /* list(n, x) */
    BUILTIN_RANDOM, /* random(): float in [0, 1) */
};

/* What the built-in types can do; the checker's. */
enum method {
    METHOD_NONE,
    METHOD_LEN, /* str, list, map, chan */
    METHOD_CONTAINS,
    METHOD_STARTS_WITH,
    METHOD_ENDS_WITH,
    METHOD_SPLIT,
    METHOD_TRIM,
    METHOD_UPPER,
    METHOD_LOWER,
    METHOD_SLICE,
    METHOD_TO_INT,
    METHOD_TO_FLOAT,
    METHOD_PUSH,
    METHOD_POP,
    METHOD_INSERT,
    METHOD_REMOVE, /* list: at an index; map: a key */
    METHOD_GET,
    METHOD_FIRST,
    METHOD_LAST,
    METHOD_CLEAR,
    METHOD_SORT,
    METHOD_REVERSE,
    METHOD_MAP,
    METHOD_FILTER,
    METHOD_ANY,
    METHOD_ALL,
    METHOD_HAS,
    METHOD_KEYS,
    METHOD_VALUES,
    METHOD_SEND,
    METHOD_RECV,
    METHOD_CLOSE,
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
    REF_COMMAND, /* member: the command. Of the binding `index`, or, if `handle` is set, of the
                    handle in that expression */
    REF_TASK,    /* task */
    REF_METHOD,  /* method of the value of `a` */
    REF_VALUE,   /* E_CALL of the closure in `a` */
    REF_ENUM,    /* Mode.eco: constant */
    REF_MEMBER,  /* a reading through the handle `handle`: member */
    REF_HANDLE,  /* local `index` that holds a handle (own, leased, mut or ref) */
    REF_GROUP,   /* `own all: list<Model>`: bindings index … index + count − 1 */
    REF_SIGNAL,  /* an event of a device: index: binding, member; an arm of select or a rule */
};

struct expr_list {
    struct expr **v;
    size_t n;
};

struct stmt;
struct fn_decl;
struct type_ref { /* a type as written; empty if left out */
    struct lang_span span;
    bool given;
    struct type_syntax *syntax; /* the parser's; NULL if it could not be read */
};

/* list<map<str, °C?>>, chan<own Valve>, fn(°C) -> bool, …  */
enum type_shape {
    TYPE_SHAPE_NAME,
    TYPE_SHAPE_LIST,
    TYPE_SHAPE_MAP,
    TYPE_SHAPE_CHAN,
    TYPE_SHAPE_FN,
};
struct type_syntax {
    enum type_shape shape;
    struct lang_span span;     /* NAME: of the unit or name alone */
    bool optional;             /* `?` follows */
    bool own;                  /* chan<own Model> */
    struct type_syntax **args; /* LIST 1, MAP 2, CHAN 1, FN parameters */
    size_t args_n;
    struct type_syntax *result; /* FN; NULL if none */
};

/* Most of a tree's memory: what is rare shares a member or lies elsewhere. */
struct expr {
    enum expr_kind kind : 8;
    enum expr_op op : 8;
    bool own_arg;    /* E_CHAN: chan<own T> */
    bool has_unit;   /* E_INT, E_NUMBER */
    uint32_t height; /* of the tree below; bounded, since the checker recurses over it */
    struct lang_span span, op_span;
    struct expr *a, *b;
    struct expr *otherwise; /* E_IF */
    struct expr_list list;
    struct name *names; /* E_RECORD: one for each of list, or NULL */
    struct name name; /* E_FIELD, E_METHOD; E_IF: `if let name = a`; text.n == 0 if there is none */
    struct type_syntax *type_arg; /* E_CHAN */
    struct name *path;
    size_t path_n;
    struct str text; /* E_TEXT, unescaped */
    int64_t integer; /* E_INT, E_BOOL */
    double number;   /* E_NUMBER, E_INT: as written, in `unit` */
    const struct lang_unit *unit;
    /* the checker's: */
    struct lang_type type;
    union lang_slot value; /* if constant */
    struct str text_value; /* the same for a str */
    bool bad;              /* reported: whatever uses it says nothing more */
    bool constant;
    enum ref_kind ref : 8;
    enum builtin builtin : 8; /* REF_BUILTIN; the window of slope() is `index` */
    enum method method : 8;
    uint32_t index, count;
    const struct lang_member *member;
    struct fn_decl *fn; /* REF_FN, REF_TASK, E_LAMBDA */
    struct expr
        *handle; /* REF_COMMAND, REF_MEMBER: through a local handle or an element of a group */
    const struct lang_decl *resource; /* REF_OWN and what names a device of the site */
    uint32_t field;                   /* E_FIELD: of the record's type */
    uint32_t local;                   /* E_IF with a name: its local */
};

/* ---- statements ------------------------------------------------------------------------- */

enum stmt_kind {
    S_LET,    /* name [: type] = value; also `var` */
    S_ASSIGN, /* target = value */
    S_CALL,   /* value */
    S_IF,     /* value body [otherwise] */
    S_RETURN, /* [value] */
    S_HOST,   /* host level value */
    S_WHILE,  /* value body */
    S_LOOP,   /* body */
    S_FOR,    /* name [name2] in value [.. value2] body */
    S_MATCH,  /* value arms */
    S_BREAK,
    S_CONTINUE,
    S_SPAWN,   /* value: an E_CALL */
    S_SELECT,  /* arms */
    S_SLEEP,   /* value */
    S_LEASE,   /* name = path for value [wait value2] body revoked [name2] otherwise [denied denied]
                */
    S_REVOKE,  /* target: a path */
    S_DROP,    /* target: a path */
    S_PUBLISH, /* value: the name, an E_STRING; value2 */
    S_TEST,    /* test: only in the body of a `test` */
};

/* What a command does while its handle is out, and a send when its channel is full. */
enum call_else { ELSE_NOTHING, ELSE_SKIP, ELSE_DROP, ELSE_BLOCK };

enum pattern_kind {
    PATTERN_VALUE, /* a; the checker may find an enum's value in a bare name */
    PATTERN_RANGE, /* a .. b */
    PATTERN_NONE,
    PATTERN_SOME, /* some name */
    PATTERN_ANY,  /* _ */
};
struct pattern {
    enum pattern_kind kind;
    struct lang_span span;
    struct expr *a, *b;
    struct name name;
    uint32_t local; /* the checker's: SOME */
};

struct stmt_list {
    struct stmt **v;
    size_t n;
    struct lang_span span; /* with its braces */
    bool damaged;          /* a statement was skipped, with a message */
};

enum arm_kind {
    ARM_CASE,  /* of match: patterns */
    ARM_EXPR,  /* of select: [name =] value: recv(), send(v) of a channel, a device's event */
    ARM_AFTER, /* of select: value */
    ARM_ELSE,  /* of select */
};
struct arm {
    enum arm_kind kind;
    struct lang_span span;
    struct pattern *patterns;
    size_t patterns_n;
    struct name name;
    struct expr *value;
    struct stmt_list body; /* of one statement if there were no braces */
    uint32_t local;        /* the checker's: of name */
    struct lang_type local_type;
};

struct test_syntax;
struct stmt {
    enum stmt_kind kind;
    struct lang_span span;
    struct name name, name2; /* text.n == 0 if there is none */
    struct type_ref type;
    bool mutable;
    bool if_let;              /* S_IF: `if let name = value` */
    bool range;               /* S_FOR: value .. value2 */
    enum expr_op op;          /* S_ASSIGN of `+=` …: OP_ADD …; OP_EQ for plain `=` */
    struct lang_span op_span; /* S_ASSIGN */
    struct expr *target, *value, *value2;
    struct stmt_list body, otherwise, denied;
    bool has_otherwise, has_denied;
    enum call_else on_busy; /* S_CALL; the block is `otherwise` */
    struct arm *arms;
    size_t arms_n;
    struct name *path; /* S_LEASE: program.handle */
    size_t path_n;
    struct lang_span path_span;
    uint32_t host, level;
    struct test_syntax *test;
    /* the checker's: */
    uint32_t local, local2; /* numbers of the locals of name and name2 */
    struct lang_type local_type, local2_type;
    uint32_t lease;    /* S_LEASE: index of the program's leases */
    uint32_t binding;  /* S_REVOKE, S_DROP: of an `own` of the program; or UINT32_MAX: a local */
    size_t elements_n; /* S_FOR over a set: unrolled, one after another */
    struct stmt_list *unrolled; /* the body for each element; the checker copies the tree */
};

/* ---- programs --------------------------------------------------------------------------- */

enum param_mode { PARAM_DATA, PARAM_OWN, PARAM_MUT, PARAM_REF };
struct param_ref {
    struct name name;
    struct type_ref type;
    enum param_mode mode;
    struct lang_span mode_span;
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
    bool task; /* `task`: may suspend, is started by spawn */
    bool lambda;
    bool suspends;          /* its body contains a suspension; for fn an error */
    struct own_unit *facts; /* what it does with its handles, and what it reads and writes */
    uint32_t *captures; /* lambda: locals of the function around, copied into its own first locals
                           behind the parameters */
    size_t captures_n;
};

enum run_mode { RUN_SINGLE, RUN_RESTART, RUN_QUEUED };

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
    I_TASK,
    I_LEND, /* path to lessees */
    I_IDLE, /* path body */
    I_AT,   /* at … body */
    I_ON,   /* path body; or value (an E_STRING) as name: type body */
};

struct lessee {
    struct name name;            /* of a program, or `operator` */
    struct expr *priority, *max; /* NULL if left out */
    bool never;
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
    bool changed; /* I_WHEN: `when changed value` */
    enum run_mode mode;
    uint32_t queued_max;
    struct lang_span mode_span;
    uint32_t at_s;           /* I_AT: seconds since midnight */
    uint8_t at_days;         /* bit 0 is Monday; 0x7F if left out */
    enum lang_missed missed; /* I_AT */
    struct lessee *lessees;
    size_t lessees_n;
    struct stmt_list body, until_body;
    struct item_list items;
    struct fn_decl *fn;
};

/* ---- records, enums, tests ----------------------------------------------------------------- */

struct field_syntax {
    struct name name;
    struct type_ref type;
};
struct type_decl { /* record or enum */
    bool is_enum;
    struct name name;
    struct lang_span span;
    struct field_syntax *fields; /* record */
    struct name *values;         /* enum */
    size_t n;
    struct lang_typedef *def; /* the checker's */
};

enum test_kind {
    TEST_SET,     /* target = value */
    TEST_SILENT,  /* target stale: its samples stop */
    TEST_REFUSES, /* target refuses: the device does not obey */
    TEST_EVENT,   /* target: path.event() */
    TEST_AFTER,   /* value body */
    TEST_AT,      /* at_s body */
    TEST_START,   /* at_s [on days] */
    TEST_ACTION,  /* expect [no] action target, an E_PATH or E_CALL */
    TEST_HOST,    /* expect [no] alert [level] ["text"]: host, level (UINT32_MAX: any), text */
    TEST_VALUE,   /* expect value: a comparison */
};
struct test_syntax {
    enum test_kind kind;
    bool no;
    bool var; /* TEST_VALUE: the names are of a program's variables */
    struct expr *target, *value;
    uint32_t at_s;
    uint8_t days;
    uint32_t host, level;
    struct str text;
    struct stmt_list body;
};
struct test_decl {
    struct str text; /* its name */
    struct lang_span span, name_span;
    struct stmt_list body; /* S_TEST */
};

struct program_decl {
    struct name name;
    struct lang_span span;
    struct item_list items;
};
