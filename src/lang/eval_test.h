/* eval_test: a plain evaluator of the checked tree, which the machine is compared with.
 *
 * Why: compiler and machine are clever about registers, constants, jumps and memory. This walks
 * over the tree and does at each node what the language says, in the most obvious way; where both
 * disagree, one of them is wrong.
 * What it knows: numbers without units, bools, texts, enums, optionals, lists, maps, records,
 * functions and closures; all statements of functions; alerts, as texts. No devices, tasks or
 * conditions of rules.
 * Memory: the context's, freed with it. Threads: none. */
#pragma once

#include "lang/check_internal.h"

#define EVAL_STEPS_MAX 200000u

enum value_kind {
    VALUE_NONE, /* of every type but float, where it is NaN */
    VALUE_BOOL,
    VALUE_INT,
    VALUE_FLOAT,
    VALUE_STR,
    VALUE_ENUM,
    VALUE_LIST,
    VALUE_MAP,
    VALUE_RECORD,
    VALUE_FN,
};

struct data;
struct value {
    enum value_kind kind;
    union {
        int64_t i;
        double f;
        struct str s;
        struct data *data;
    };
};

/* What values refer to. A map's entries stay in their order; removed ones are `gone`. */
struct entry {
    struct value key, value;
    bool gone;
};
struct data {
    VEC(struct entry) all;          /* LIST, MAP, RECORD; FN: what it captured */
    const struct lang_typedef *def; /* RECORD */
    const struct fn_decl *fn;
    struct data *copy; /* made in the copying `copied` */
    uint32_t copied;
};

struct eval {
    struct lang_ctx *c;
    struct value *vars;
    struct value *locals; /* of the function that runs */
    struct value result;  /* of `return` */
    struct strbuf *said;  /* "text;" for each alert */
    uint64_t steps;
    uint32_t depth, copies;
    char why[160]; /* of the trap; "" if there was none */
    bool gave_up;  /* too many steps: nothing is known */
    jmp_buf out;
};

_Noreturn void eval_trap(struct eval *v, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct value eval_expr(struct eval *v, const struct expr *e);
/* As a value of this type: an int becomes a float where one is wanted. */
struct value eval_as(struct eval *v, const struct expr *e, const struct lang_type *type);
struct value eval_fit(struct eval *v, struct value x, const struct lang_type *type);
struct value eval_method(struct eval *v, const struct expr *e);
struct value eval_call_value(struct eval *v, struct value fn, const struct value *args, size_t n);
enum eval_flow { EVAL_NEXT, EVAL_BREAK, EVAL_CONTINUE, EVAL_RETURN };
enum eval_flow eval_stmts(struct eval *v, const struct stmt_list *list);
/* The body of a function whose parameters are the first locals. */
struct value eval_fn(struct eval *v, const struct fn_decl *fn, const struct value *locals,
                     size_t n);

/* Deep copies of several values; what they share, their copies share. */
void values_copy(struct eval *v, struct value *to, const struct value *from, size_t n);
bool value_none(struct value x);
bool value_equal(struct value a, struct value b);
void value_print(struct strbuf *out, struct value x, const struct lang_type *type, bool top);
struct value value_int(int64_t i);
struct value value_bool(bool b);
struct value value_str(struct str s);
struct data *data_new(struct eval *v);
void data_push(struct eval *v, struct data *d, struct value x);
size_t data_len(const struct data *d);
struct entry *data_find(const struct data *map, struct value key); /* NULL if absent */
void data_put(struct eval *v, struct data *map, struct value key, struct value x);

/* A body, as one turn: false if it trapped, and then v->vars are as they were, or if it gave up. */
bool eval_body(struct eval *v, const struct stmt_list *body, size_t vars_n);
/* The first values of a program's variables. */
bool eval_vars(struct eval *v, const struct item_list *items, const struct lang_program *program,
               struct value *vars);
