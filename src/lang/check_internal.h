/* check_internal: names, types and units over the syntax tree. Private to lang/.
 *
 * A `for` between the rules of a program is unrolled here: its items are checked and compiled once
 * for each element, each time over the same tree, with the element as a constant. A `for` over
 * devices inside a body gets a copy of its body for each element (tree_internal.h).
 * Each body is typed here, then followed by ownership (own_internal.h), then compiled. */
#pragma once

#include "base/map.h"
#include "lang/compile_internal.h"
#include "lang/own_internal.h"
#include "lang/parse_internal.h"
#include "lang/tree_internal.h"

#define LANG_RULES_MAX    4096u
#define LANG_BINDINGS_MAX 16384u
#define LANG_VARS_MAX     4096u
#define LANG_WINDOWS_MAX  4096u
#define LANG_LEASES_MAX   4096u
#define LANG_UNROLL_MAX   65536u /* items and copied statements of a program after unrolling */
#define LANG_UNROLL_BYTES 128u   /* of source, for each of them */
#define LANG_LOCALS_MAX   200u
#define LANG_ENUM_MAX     256u /* values */
#define LANG_CHAN_MAX     65536u
#define LANG_NAMES_MAX    (1u << 20)

enum sym_kind {
    SYM_BAD, /* declared with a mistake: its uses say nothing */
    SYM_OWN,
    SYM_READ,
    SYM_READ_ALL, /* `read v: Valve = …`: all properties of a resource */
    SYM_VAR,
    SYM_CONST,
    SYM_ELEMENT, /* of a `for` over devices */
    SYM_LOCAL,
    SYM_HANDLE, /* a local that holds a handle */
    SYM_GROUP,  /* `own all: list<Model>` */
};

struct sym {
    struct str name;
    enum sym_kind kind;
    struct lang_span span;
    uint32_t index, count; /* binding, variable or local; GROUP: the first binding, how many */
    struct lang_type type;
    const struct lang_decl *resource;
    int64_t stale_ms;
    union lang_slot value;
    struct str text_value;
    bool mutable;
    bool captured;        /* LOCAL: a copy of one of the function around */
    enum param_mode mode; /* HANDLE: how it is held */
    bool leased;          /* HANDLE: the name of a lease */
    bool element;         /* HANDLE: of a `for` over an owned group */
};

/* Names in reach, innermost last. */
struct names {
    VEC(struct sym) all;
    struct map index; /* name to its place + 1 */
};

enum frame_kind { FRAME_PROGRAM, FRAME_FN, FRAME_TASK, FRAME_LAMBDA };

/* A function at hand: its names and its locals. The rules of a program share one frame. */
struct fn_frame {
    struct fn_frame *outer; /* LAMBDA: the function around it. FN, TASK: the program, whose
                            constants it sees, a task also its variables and readings */
    enum frame_kind kind;
    struct names names;
    struct fn_decl *fn; /* FN, TASK, LAMBDA */
    VEC(struct lang_type) locals;
    VEC(uint32_t) taken; /* locals in the order in which they were declared */
    VEC(uint32_t) spare; /* of copies of a body that are over, to be used again */
    uint32_t loops;      /* how many are around */
    bool suspends;
};

enum check_mode {
    MODE_CONST,
    MODE_INIT, /* the first value of a variable: data, but nothing of the world */
    MODE_CONDITION,
    MODE_BODY,
    MODE_FN,
    MODE_TASK,
};

/* Numbers without repetition. */
struct u32_list {
    VEC(uint32_t) all;
};

struct own_site;
struct own_prog;
/* `cool.position` of a handle that is known only while the program runs. */
struct through {
    const struct lang_decl *model;
    const struct lang_member *member;
};

struct prog {
    struct program_decl *decl;
    struct lang_program *out;
    VEC(struct lang_binding) bindings;
    VEC(struct lang_var) vars;
    VEC(struct lang_rule) rules;
    VEC(struct lang_window) windows;
    VEC(struct lang_lease) leases;
    VEC(struct lang_lend) lends;
    VEC(const struct lang_decl *) owns;
    struct map fns; /* name to struct fn_decl: functions and tasks of its own */
    VEC(struct fn_decl *) fns_list;
    VEC(struct fn_decl *) tasks; /* of the site, that it spawns: each is typed for it */
    struct map paths;            /* stable paths of bindings, variables, leases, to a count */
    struct map counters;         /* prefix and kind of rule to a count */
    struct map implicit;         /* what is named in place, to its binding + 1 */
    struct map slopes;           /* binding and span to a window + 1 */
    VEC(struct through) through; /* what it reads through handles */
    struct str prefix;
    uint32_t unrolled;
    struct fn_frame frame;
    struct code *code;
    struct own_prog *own;
};

/* What others may name of a program before it is checked. */
struct program_info {
    struct program_decl *decl;
    const struct lang_program *out; /* once it is checked, even with mistakes */
    struct map owns;                /* name to struct program_own, of those outside of any `for` */
};
struct program_own {
    const struct item *item;
    const struct lang_decl *resource; /* NULL if it stands for none, or for a group */
};

/* A message between programs. */
struct subject {
    struct str name;
    struct lang_type type;
    struct lang_span type_span; /* where its type was first told */
    struct lang_span said, heard;
    bool is_said, is_heard;
};

struct checker {
    struct lang_ctx *c;
    struct syntax *syntax;
    struct map types;    /* name to struct lang_decl, role TYPE */
    struct map paths;    /* name to struct lang_decl, roles RESOURCE and SET */
    struct map defs;     /* name to struct type_decl */
    struct map fns;      /* name to struct fn_decl: functions and tasks of the site */
    struct map programs; /* name to struct program_info */
    struct map args;     /* lists of types, each once */
    struct map subjects; /* name to struct subject */
    VEC(struct subject *) subjects_list;
    VEC(const struct lang_decl *) resources;
    VEC(const struct lang_program *) programs_out;
    VEC(const struct lang_typedef *) records;
    bool *uncopyable; /* records, by index */
    VEC(const struct lang_test *) tests;
    const void **seen; /* resource to the list that has it already */
    struct own_site *own;
    bool unsound; /* there is a mistake that has not been told yet */
    /* of the program or function at hand */
    struct prog *prog; /* NULL in a function of the site */
    struct fn_frame *frame;
    enum check_mode mode;
    const struct expr *let_value;  /* of the program's own `let` at hand; NULL in a `var` */
    struct u32_list *reads, *vars; /* where conditions note what they depend on; or NULL */
    bool uses_stale;
};

/* ---- declarations ------------------------------------------------------------------------ */
void check_decls(struct checker *k);
void check_mappings(struct checker *k, const struct lang_decl *d); /* of a resource's members */
void check_effects(struct checker *k); /* what actions change around them, what devices power */
const struct lang_decl *find_path(const struct checker *k, struct str name);
const struct lang_decl *find_type(const struct checker *k, struct str name);
/* Records and enums: names first, then what is in them. */
void declare_defs(struct checker *k);
void check_defs(struct checker *k);
/* `name` is declared twice: N2 at both places. */
void declared_twice(struct checker *k, struct str name, struct lang_span again,
                    struct lang_span first);
void *map_find(const struct map *m, const void *key, size_t n);
void map_set(struct checker *k, struct map *m, struct str key, void *value);

/* ---- names ------------------------------------------------------------------------------- */
/* NULL if nothing in reach has this name. In a lambda a local of the function around comes as the
 * lambda's copy of it. Valid until the next name is added. */
struct sym *sym_find(struct checker *k, struct str name);
struct sym *frame_sym(struct fn_frame *f, struct str name); /* of this frame alone */
void sym_add(struct checker *k, struct sym s);              /* N2 if the name is taken */
/* The names above `mark`, which was k->frame->names.all.n, end here. */
void names_end(struct checker *k, size_t mark);
/* A number for a new local; UINT32_MAX, with a message, if there are too many. */
uint32_t local_new(struct checker *k, const struct lang_type *type, struct lang_span at);
/* A name for a value of this type: a local, SYM_BAD if `fine` is false. Its number is returned. */
uint32_t local_add(struct checker *k, struct name name, const struct lang_type *type, bool mutable,
                   bool fine);
/* The same for a handle. */
uint32_t add_handle(struct checker *k, struct name name, const struct lang_type *type,
                    struct sym how);
/* What a path stands for: a symbol, or a resource and the rest of the path. */
struct target {
    struct sym *sym; /* of the first part, or NULL */
    const struct lang_decl *resource;
    size_t used; /* parts of the path that name sym or resource */
    bool direct; /* the resource is that of `sym` itself */
};
/* False, with a message, if it stands for nothing. */
bool resolve(struct checker *k, const struct name *path, size_t n, struct target *out);
/* a.b of path parts `from` to `to`, behind `base`. */
struct str path_join(struct checker *k, struct str base, const struct name *path, size_t from,
                     size_t to);
/* Of what is named in place; a message (S1) the first time. UINT32_MAX if there are too many. */
/* The compiled program reads this member of whatever device of that model a handle stands for. */
void reads_through(struct lang_ctx *c, struct prog *p, const struct lang_decl *model,
                   const struct lang_member *m);
/* All is compiled: readings of each device that it may have a handle of. */
void bindings_behind(struct checker *k);
uint32_t binding_implicit(struct checker *k, const struct lang_decl *resource,
                          const struct lang_member *m, int64_t stale_ms, struct str name,
                          struct lang_span at);
uint32_t binding_signal(struct checker *k, const struct lang_decl *resource,
                        const struct lang_member *m, struct lang_span at);
uint32_t binding_add(struct checker *k, struct lang_binding b, struct lang_span at);
/* prefix/name, with #2 … from the second one on. */
struct str stable_path(struct checker *k, struct str name);

/* ---- types ------------------------------------------------------------------------------- */
struct str type_text(struct checker *k, const struct lang_type *t); /* as in source */
/* "a bool", "an int", "in kW", "a Valve": follows "this is". */
struct str type_phrase(struct checker *k, const struct lang_type *t);
bool is_number(const struct lang_type *t); /* an int or a float, not optional */
bool is_data(const struct lang_type *t);   /* not a handle, not nothing */
bool is_none(const struct lang_type *t);   /* `none`, of a type that is not known */
bool is_reference(const struct lang_type *t);
bool units_match(const struct lang_unit *a, const struct lang_unit *b);
/* The same representation and meaning; units of one dimension are. */
bool type_same(const struct lang_type *a, const struct lang_type *b);
/* No channels, functions or handles in it: it can be copied, and compared by its contents. */
bool type_copyable(const struct checker *k, const struct lang_type *t);
struct lang_type type_plain(enum lang_type_kind kind);
struct lang_type type_seconds(void);
struct lang_type type_optional(struct lang_type t);
struct lang_type type_base(struct lang_type t);    /* without `?` */
struct lang_type type_element(struct lang_type t); /* as kept in data: no `either` */
struct lang_type type_list(struct checker *k, const struct lang_type *element);
struct lang_type type_map(struct checker *k, const struct lang_type *key,
                          const struct lang_type *value);
/* Lists of types are kept once, so that equal ones have one address. */
const struct lang_type *types_intern(struct checker *k, const struct lang_type *v, size_t n);
union lang_slot type_none_slot(const struct lang_type *t);
struct str unit_side(struct checker *k, const struct lang_unit *u); /* "a temperature (°C)" */
/* The help of a number without its unit. */
void unit_help_number(struct checker *k, struct lang_diag *d, const struct expr *number,
                      const struct lang_unit *u);
/* U1, with what each side is; `verb`: "compared with". */
void units_differ(struct checker *k, const struct expr *a, const struct expr *b,
                  struct lang_span at, const char *verb);
/* A value of this type may stand where `want` is wanted; T1 or U1 if not. `what`: "`speed`". */
bool check_fits(struct checker *k, const struct lang_type *want, struct expr *e, const char *what,
                struct lang_span what_span);
/* T1: something that may be none stands where a value is wanted. */
void may_be_none(struct checker *k, const struct expr *e, const char *what);
/* A type as written, of data; O1 for a handle. */
bool type_resolve(struct checker *k, const struct type_ref *ref, struct lang_type *out);
/* The same, but a handle is fine. */
bool type_resolve_any(struct checker *k, const struct type_ref *ref, struct lang_type *out);
bool check_key_type(struct checker *k, const struct lang_type *t, struct lang_span at);
/* Unit of a product or quotient, with a symbol. */
struct lang_unit unit_product(struct checker *k, const struct lang_unit *a,
                              const struct lang_unit *b, int sign);

/* ---- expressions ------------------------------------------------------------------------- */
void expr_bad(struct expr *e); /* it was reported: whatever uses it says nothing more */
/* Types e; e->bad if there was a message. */
void check_expr(struct checker *k, struct expr *e);
/* The same; `want`, which may be NULL, gives a type to what has none of its own: none, [], x => …
 */
void check_expr_want(struct checker *k, struct expr *e, const struct lang_type *want);
/* A value of data; `use` says what is done with it, should it be a handle. */
bool check_value(struct checker *k, struct expr *e, const struct lang_type *want, enum own_use use);
/* Where nobody knows what is wanted: for the mistakes in e alone. False. */
bool look_at(struct checker *k, struct expr *e);
void look_at_list(struct checker *k, struct expr *e);                    /* the same for its list */
bool value_is_data(struct checker *k, struct expr *e, enum own_use use); /* e is typed already */
/* The same, and it fits. */
bool check_value_fits(struct checker *k, struct expr *e, const struct lang_type *want,
                      enum own_use use, const char *what, struct lang_span what_span);
/* A handle of that model: a name, an element, or either behind `move`. */
bool check_handle(struct checker *k, struct expr *e, const struct lang_type *want, const char *what,
                  struct lang_span declared);
bool is_device(const struct expr *e);
/* e->a `op` e->b, both of them typed: what that is. Not `in` and `??`. */
void check_operator(struct checker *k, struct expr *e);
void check_binary(struct checker *k, struct expr *e, const struct lang_type *want);
void check_path(struct checker *k, struct expr *e);
void check_field(struct checker *k, struct expr *e);
void check_index(struct checker *k, struct expr *e);
void check_call(struct checker *k, struct expr *e);
void check_method(struct checker *k, struct expr *e);
void check_lambda(struct checker *k, struct expr *e, const struct lang_type *want);
/* The same with the types of its parameters, if params is not NULL, and of its result, NULL: any.
 */
bool lambda_for(struct checker *k, struct expr *e, const struct lang_type *params, size_t n,
                const struct lang_type *result);
/* A function's name as a value: e becomes a lambda that calls it. */
void lambda_of_fn(struct checker *k, struct expr *e, struct fn_decl *fn);
void check_list(struct checker *k, struct expr *e, const struct lang_type *want);
void check_map(struct checker *k, struct expr *e, const struct lang_type *want);
void check_record(struct checker *k, struct expr *e);
void check_chan(struct checker *k, struct expr *e);
void check_stale(struct checker *k, struct expr *e);
/* `if let name = value`: a local for what is there. */
bool check_if_let(struct checker *k, struct expr *value, struct name name, uint32_t *local,
                  struct lang_type *type);
/* `none` whose type comes from what is around it. */
void none_settle(struct expr *e, const struct lang_type *want);
/* One type for several values: ints go with floats, T with T?. False, with a message, if not. */
bool unify(struct checker *k, struct lang_type *type, const struct lang_type *first_type,
           const struct expr *first, struct expr *e, const char *what);
/* The first `parts` names of a path as a value: E_PATH of `base` of them, fields around it. */
struct expr *path_as_value(struct checker *k, const struct expr *e, size_t base, size_t parts);
/* Types e as a bool. */
bool check_condition(struct checker *k, struct expr *e, const char *what);
/* A duration, known or not before the program runs: *out is −1 if not. */
bool check_duration_value(struct checker *k, struct expr *e, const char *what, int64_t *out);
/* A constant duration above 0, in milliseconds. */
bool check_duration(struct checker *k, struct expr *e, const char *what, int64_t *out);
bool check_constant(struct checker *k, struct expr *e, const struct lang_type *want);
struct str fold_text(struct checker *k, const struct expr *e); /* a constant as text */
void list_add(struct checker *k, struct u32_list *l, uint32_t v);
/* What waits stands here. False, with a message, where nothing may. */
bool may_suspend(struct checker *k, struct lang_span at, const char *what);
/* `what` changes something: not in a condition or a constant. */
bool may_act(struct checker *k, struct lang_span at, const char *what);
const char *quoted(struct checker *k, struct str name); /* "`name`" */

/* ---- calls ------------------------------------------------------------------------------- */
struct fn_decl *find_fn(const struct checker *k, struct str name);
bool is_builtin(struct str name);
bool call_builtin(struct checker *k, struct expr *e);
void suggest_builtins(struct suggest *s);
/* e is a call of a member of the resource in `t`. */
bool check_command(struct checker *k, struct expr *e, const struct target *t);
/* The same through the handle in e->handle. */
bool check_command_through(struct checker *k, struct expr *e, struct name command);
bool args_fit(struct checker *k, struct expr *e, struct str name, const struct lang_param *params,
              const struct param_ref *modes, size_t n, struct lang_span declared);

/* ---- statements and programs ------------------------------------------------------------- */
void check_stmts(struct checker *k, struct stmt_list *list);
void check_for(struct checker *k, struct stmt *s);
void check_match(struct checker *k, struct stmt *s);
void check_spawn(struct checker *k, struct stmt *s);
void check_select(struct checker *k, struct stmt *s);
void check_lease(struct checker *k, struct stmt *s);
void check_sleep(struct checker *k, struct stmt *s);
void check_revoke(struct checker *k, struct stmt *s);
void check_drop(struct checker *k, struct stmt *s);
void check_publish(struct checker *k, struct stmt *s);
/* The event that a path, with or without a call behind it, names; NULL with a message. */
const struct lang_member *signal_of(struct checker *k, const struct name *path, size_t n,
                                    struct lang_span at, const struct lang_decl **resource);
void check_fn_signature(struct checker *k, struct fn_decl *fn);
void check_fn_body(struct checker *k, struct fn_decl *fn);
void type_fn(struct checker *k, struct fn_decl *fn); /* its body, once, with its ownership */
/* Whether the end of the list can't be reached. */
bool always_leaves(const struct stmt_list *list);
void frame_begin(struct checker *k, struct fn_frame *f, enum frame_kind kind, struct fn_decl *fn,
                 struct fn_frame *outer);
/* The symbol of an item, SYM_BAD until it proves right. */
struct sym item_sym(const struct item *i);
void check_own(struct checker *k, struct item *i);
void check_read(struct checker *k, struct item *i);
void check_rule(struct checker *k, struct item *i);
void check_lend(struct checker *k, struct item *i);
/* The device that a `lend` or an `idle` is about; NULL with a message. */
const struct sym *own_of(struct checker *k, const struct item *i, const char *word);
void check_programs(struct checker *k);
/* Names, and what each owns outside of its loops. */
void declare_programs(struct checker *k);
struct program_info *find_program(const struct checker *k, struct str name);
/* The subject of a text; NULL with a message if it is not constant. */
struct subject *subject_of(struct checker *k, struct expr *e);
void subject_type(struct checker *k, struct subject *t, const struct lang_type *type,
                  struct lang_span at);
/* A message of this type can be copied. */
bool message_type(struct checker *k, const struct lang_type *type, struct lang_span at);
void check_subjects(struct checker *k);
void check_tests(struct checker *k);
bool compiling(const struct checker *k); /* nothing wrong so far */
