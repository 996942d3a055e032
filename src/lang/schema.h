/* schema: how a host describes its declarations and statements to the language.
 *
 * Why: lang/ knows no IoT word. The host hands over tables: kinds of declarations ("device"), the
 * clauses in their bodies, the shape of each argument, and statements of its own ("alert"). The
 * parser and the checker read these tables, so every unknown clause, missing part or argument of
 * the wrong kind gets a precise message without a line of code for it. What they find comes back
 * as a tree of struct lang_decl, typed and checked.
 * Ownership: the tables are the host's, constant, and outlive every site checked with them.
 * The tree belongs to its struct lang_site (lang.h). Threads: any. */
#pragma once

#include "lang/types.h"

/* A piece of source, for messages. */
struct lang_span {
    uint32_t source;   /* index into the sources that were given */
    uint32_t from, to; /* bytes */
};

/* ---- tables ---------------------------------------------------------------------------- */

enum lang_role {
    LANG_ROLE_PLAIN, /* means something to the host only */
    LANG_ROLE_TYPE,  /* a handle type with members: readable, commands, signals, a safe command */
    LANG_ROLE_RESOURCE, /* has a handle type and an identity; programs name it by its dotted path */
    LANG_ROLE_SET,      /* resources that a program's `for` walks through */
};

enum lang_head {
    LANG_HEAD_NONE, /* server { … } */
    LANG_HEAD_TEXT, /* site "plant north" */
    LANG_HEAD_NAME, /* model Valve { … } */
    LANG_HEAD_PATH, /* device plant.press1: Station { … }, group plant.stations = … */
};

/* What a clause means to the language. Names of READABLE, COMMAND and SIGNAL are the members of
 * a TYPE. */
enum lang_clause_role {
    LANG_CLAUSE_PLAIN,
    LANG_CLAUSE_READABLE, /* args: NAME, TYPE, … */
    LANG_CLAUSE_COMMAND,  /* args: NAME, PARAMS, … */
    LANG_CLAUSE_SIGNAL,   /* args: NAME, … */
    LANG_CLAUSE_SAFE,     /* args: MEMBER */
    LANG_CLAUSE_IDENTITY, /* RESOURCE: its IDENTITY arguments name the physical thing */
    LANG_CLAUSE_LINK,     /* RESOURCE: how it is reached; maps readable members and commands */
    LANG_CLAUSE_MAPS,     /* RESOURCE: maps one member of its type: args: OF, … */
    LANG_CLAUSE_POWERS, /* RESOURCE: args: NAMES, resources that are cut off when it is switched */
};

enum lang_arg_kind {
    LANG_ARG_NONE,      /* absent */
    LANG_ARG_FLAG,      /* only its lead word: `tls` */
    LANG_ARG_NAME,      /* a new name */
    LANG_ARG_STRING,    /* "text" (no {…} in it) */
    LANG_ARG_WORD,      /* one of `words` */
    LANG_ARG_NUMBER,    /* with a unit of the dimension of `unit` ("" for a plain number), or one of
                           `words` in its place; from `min` to `max` */
    LANG_ARG_ADDRESS,   /* 127.0.0.1:1883, [::1]:1883, host.name:1883 */
    LANG_ARG_TYPE,      /* °C, bool, … */
    LANG_ARG_RANGE,     /* a..b in the unit of the clause's TYPE */
    LANG_ARG_PARAMS,    /* (a: °C, b: int) */
    LANG_ARG_CONDITION, /* position > 90 %, running, not running: over READABLE members */
    LANG_ARG_MEMBER,    /* close(): a COMMAND of the same declaration */
    LANG_ARG_BLOCK,     /* { clauses } from `clauses` */
    LANG_ARG_MAPPINGS,  /* { member = words, numbers and strings } */
    LANG_ARG_NAMES,     /* a, b.c: names with dots */
    LANG_ARG_OF, /* a member of the resource's type, of the role `of`; behind a COMMAND names for
                    its parameters: dim(level) */
    LANG_ARG_TEMPLATE, /* a text with {parameter} of the OF before it, or { key = value … }, which
                          is the text of a JSON object */
};

#define LANG_ARG_OPTIONAL 0x1u
#define LANG_ARG_IDENTITY                                                                          \
    0x2u                       /* part of what the resource physically is, with the others of its  \
                                  clause */
#define LANG_ARG_MAPS_ALL 0x4u /* if present, all members are mapped by convention */
#define LANG_ARG_WHOLE    0x8u /* NUMBER: without a fraction */
/* What the graph checks of rules look at (G11 to G18): */
#define LANG_ARG_AFFECTS                                                                           \
    0x10u /* NAMES of a COMMAND: what it changes around it; each a READABLE of                     \
             the same resource, of one in the same place (the same path up to                      \
             its last dot) or of the one around it */
#define LANG_ARG_GUARDED   0x20u  /* if present, it matters who sets this COMMAND off */
#define LANG_ARG_UNTRUSTED 0x40u  /* if present, people one need not trust set this READABLE */
#define LANG_ARG_IN_ORDER  0x80u  /* has a lead, and its place among those without */
#define LANG_ARG_BLANK     0x100u /* STRING with a lead: may be left out behind it, and is "" then */
#define LANG_ARG_ANSWERS   0x200u /* of what MAPS a COMMAND: if present, it confirms the command */

struct lang_clause;
struct lang_arg {
    enum lang_arg_kind kind;
    const char *name; /* for the host's look-up and for messages: "address" */
    const char *lead; /* the word or sign before it ("range", ":"); NULL if none */
    uint32_t flags;
    const char *const *words; /* WORD; NUMBER, there it may be NULL: NULL-terminated */
    const char *unit;         /* NUMBER */
    double min, max;          /* NUMBER, in `unit`; both 0: any */
    const struct lang_clause *clauses;
    size_t clauses_n;         /* BLOCK */
    enum lang_clause_role of; /* OF: READABLE, COMMAND or SIGNAL */
};

#define LANG_CLAUSE_REQUIRED 0x1u
#define LANG_CLAUSE_REPEATED 0x2u

struct lang_clause {
    const char *word;
    const char *second; /* a fixed word after it, `via mqtt`; NULL if none. Clauses that share
                           `word` differ in it; one of them may have none. */
    enum lang_clause_role role;
    uint32_t flags;
    const struct lang_arg *args; /* those without a lead first, in order; the others in any order */
    size_t args_n;
    const char *example; /* for help lines: `mqtt 127.0.0.1:1883` */
};

#define LANG_KIND_TYPED    0x1u  /* `: Type` follows the name; the type is of role TYPE */
#define LANG_KIND_LIST     0x2u  /* `= a, b` follows the name: paths of resources */
#define LANG_KIND_BODY     0x4u  /* `{ … }` follows */
#define LANG_KIND_ONCE     0x8u  /* at most one on a site */
#define LANG_KIND_REQUIRED 0x10u /* at least one on a site */
#define LANG_KIND_OPEN     0x20u /* the BODY may be left out */

struct lang_kind {
    const char *word;
    enum lang_role role;
    enum lang_head head;
    uint32_t flags;
    const struct lang_clause *clauses;
    size_t clauses_n;
    const char *example;
};

/* `alert warning "text"`: a word, one of `levels`, a text with {…}. */
struct lang_statement {
    const char *word;
    const char *const *levels; /* NULL-terminated */
    const char *example;
};

/* A check under way, and a message of it (lang.h): see lang_schema.check. */
struct lang_ctx;
struct lang_diag;
struct lang_decl;

struct lang_schema {
    const struct lang_kind *kinds;
    size_t kinds_n;
    const struct lang_statement *statements;
    size_t statements_n;
    /* Words of later versions: a message says that they are not available yet. NULL-terminated. */
    const char *const *reserved;
    /* What only the host can judge of its declarations (whether a mapping makes sense). Called once
     * in each check, when names, types and members are known; tells what it finds with
     * lang_report_…(). Declarations that are `damaged`, or whose `type` is NULL or damaged, have
     * been reported. May be NULL. */
    void (*check)(struct lang_ctx *c, const struct lang_decl *const *decls, size_t n);
};

/* A message of the host, with its place, in the form of all others: what is wrong, a label under
 * the mark, further places, and what would be right. Texts are copied. Never NULL. */
struct lang_diag *lang_report_error(struct lang_ctx *c, const char *code, struct lang_span at,
                                    const char *label, const char *fmt, ...) PRINTF_LIKE(5, 6);
struct lang_diag *lang_report_warning(struct lang_ctx *c, const char *code, struct lang_span at,
                                      const char *label, const char *fmt, ...) PRINTF_LIKE(5, 6);
void lang_report_mark(struct lang_ctx *c, struct lang_diag *d, struct lang_span at, const char *fmt,
                      ...) PRINTF_LIKE(4, 5);
void lang_report_help(struct lang_ctx *c, struct lang_diag *d, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* The nearest of `names` (NULL-terminated) to what was written, for "did you mean"; NULL: none is
 * near. */
const char *lang_report_nearest(struct lang_ctx *c, struct str written, const char *const *names);

/* ---- what comes back ------------------------------------------------------------------- */

enum lang_cmp { LANG_EQ, LANG_NE, LANG_LT, LANG_LE, LANG_GT, LANG_GE };

struct lang_param {
    struct str name;
    struct lang_type type;
    struct lang_span span;
};

/* READABLE `member` compared with `value`, a bool, int or float in the member's own unit. */
struct lang_condition {
    uint32_t member; /* index among the readable members */
    struct str name;
    enum lang_cmp op;
    double value;    /* bool: 0 or 1 */
    struct str text; /* as written: "position > 90 %" */
};

/* Each token of a mapping is a word, a string or a number as written; a number with a unit behind a
 * space is two of them. It is of all members of its name, whatever their roles. */
struct lang_mapping {
    struct str member;
    struct lang_span span; /* of the member's name */
    const struct str *words;
    const struct lang_span *spans; /* of the words */
    size_t words_n;
};

struct lang_named {
    struct str text; /* "plant.lamp" */
    struct lang_span span;
    const struct lang_decl *resource; /* POWERS; NULL if there is none */
};

/* A part of a TEMPLATE: text, or a parameter, times `scale`, plus `offset` (scale 0: as it is). */
struct lang_piece {
    struct str text; /* "" if it is a parameter */
    struct str name; /* of the parameter; "" if it is text */
    struct lang_span span;
    uint32_t index; /* of the parameter */
    double scale, offset;
    bool whole; /* round(…) */
    bool json;  /* it is a value of JSON: a str in quotes */
};

struct lang_clause_decl;
struct lang_value {
    enum lang_arg_kind kind; /* NONE if absent */
    struct lang_span span;
    struct str text; /* NAME, STRING, WORD, MEMBER, OF; ADDRESS: the host part, without brackets;
                        NUMBER: the word in its place, else ""; TEMPLATE: as written */
    uint32_t index;  /* WORD: in the list; MEMBER: among the commands; OF: within its role */
    uint16_t port;   /* ADDRESS */
    double number;   /* NUMBER, in the base unit (durations: seconds) */
    double lo, hi;   /* RANGE, in the declared unit */
    struct lang_type type;
    const struct lang_param *params; /* PARAMS; OF: names alone */
    size_t params_n;
    const struct lang_piece *pieces; /* TEMPLATE */
    size_t pieces_n;
    struct lang_condition condition;
    const struct lang_clause_decl *clauses; /* BLOCK */
    size_t clauses_n;
    const struct lang_mapping *mappings;
    size_t mappings_n;
    const struct lang_named *names; /* NAMES */
    size_t names_n;
};

struct lang_clause_decl {
    const struct lang_clause *clause;
    struct lang_span span;
    const struct lang_value *values; /* clause->args_n of them, in the table's order */
};

/* A member of a TYPE declaration; `index` counts within its role. */
struct lang_member {
    enum lang_clause_role role; /* READABLE, COMMAND or SIGNAL */
    struct str name;            /* its own among those of the role */
    uint32_t index;
    struct lang_type type; /* READABLE */
    const struct lang_param *params;
    size_t params_n;                       /* COMMAND */
    const struct lang_condition *confirms; /* COMMAND: its CONDITION argument, or NULL */
    const struct lang_clause_decl *clause;
    struct lang_span span;
};

struct lang_decl {
    const struct lang_kind *kind;
    struct str name; /* "" for LANG_HEAD_NONE; the text for LANG_HEAD_TEXT */
    struct lang_span span, name_span, type_span;
    const struct lang_decl *type; /* RESOURCE */
    const struct lang_clause_decl *clauses;
    size_t clauses_n;
    const struct lang_member *members; /* TYPE, in source order */
    size_t members_n, readables_n, commands_n, signals_n;
    const struct lang_member *safe;      /* TYPE, may be NULL */
    const struct lang_decl *const *list; /* SET */
    size_t list_n;
    uint32_t resource; /* RESOURCE: its number on the site, from 0 */
    const char *owner; /* RESOURCE: name of the owning program, or NULL */
    bool damaged;      /* its body had mistakes, which are reported */
};

/* The clause number `nth` (from 0) of this word (and second word, unless NULL); NULL if none. */
const struct lang_clause_decl *lang_decl_clause(const struct lang_decl *d, const char *word,
                                                const char *second, size_t nth);
/* The same inside a BLOCK value. */
const struct lang_clause_decl *lang_value_clause(const struct lang_value *v, const char *word,
                                                 size_t nth);
/* The argument with that name, never NULL; kind LANG_ARG_NONE if it was left out. The name must be
 * in the table. */
const struct lang_value *lang_clause_value(const struct lang_clause_decl *c, const char *arg);
/* A member of a role, by its name or by its index within the role; NULL if none. Names are apart by
 * role, as the properties, actions and events of a Thing are (W3C Web of Things, Thing
 * Description 1.1, 5.3.1): `lamp.on` may be read and `lamp.on()` be commanded. */
const struct lang_member *lang_decl_member(const struct lang_decl *type, enum lang_clause_role role,
                                           struct str name);
const struct lang_member *lang_decl_member_at(const struct lang_decl *type,
                                              enum lang_clause_role role, uint32_t index);
/* Whatever has this name: the READABLE, else the COMMAND, else the SIGNAL. For messages, and where
 * a name alone is meant. */
const struct lang_member *lang_decl_any_member(const struct lang_decl *type, struct str name);
