/* compile_internal: from the checked tree to bytecode. Private to lang/.
 *
 * Where a value goes is known before it is computed: expr_to() puts it straight into the register
 * that the statement, the operation or the call wants, expr_use() leaves it where it is if that is
 * a register already. What decides a way (`if`, `while`, `and`) is never a value: cond_jump() and
 * cond_loop() end in the comparisons themselves.
 *
 * The parts: code.c the entry points · compile_reg.c registers, constants · compile_expr.c values ·
 * compile_cond.c truth, two-valued and Kleene's · compile_call.c calls, commands, closures ·
 * compile_inline.c small functions in place · compile_method.c methods · compile_data.c texts,
 * lists, maps, records · compile_stmt.c statements · compile_loop.c loops · compile_match.c match ·
 * compile_task.c what waits, leases.
 *
 * Readings without a value. A READ gives none. In a condition (body.strict) comparisons make that
 * unknown; what can't carry it jumps to body.misses, where the comparison around it becomes
 * unknown. In a body it traps, but where the value may be none (body.none_ok: a text's part, the
 * left of `??`).
 *
 * Memory: the arena of the check. Errors: a chunk that is too large is P1, told once. */
#pragma once

#include "lang/code_internal.h"

/* ---- what the checker calls --------------------------------------------------------------- */

struct prog;
/* Of one program: its bindings, variables and leases are looked up in `prog`. */
struct code *compile_new(struct lang_ctx *c, struct prog *prog);

/* The locals of a body as the checker numbered them, the parameters first. */
struct code_locals {
    const struct lang_type *types;
    size_t n, params_n;
};
/* Each returns its chunk's number. `name` is for people: a rule's path. */
uint32_t compile_condition(struct code *code, struct str name, const struct expr *e,
                           struct code_locals locals);
/* `when changed e`: true if e is another value than the one in the hidden variable `last`, which
 * gets it. False, and nothing is kept, if a reading that e needs has no value; false the first
 * time. */
uint32_t compile_changed(struct code *code, struct str name, const struct expr *e, uint32_t last,
                         struct code_locals locals);
uint32_t compile_body(struct code *code, struct str name, const struct stmt_list *body,
                      struct code_locals locals, bool suspends);
/* The first value of a variable that is no constant; they run in this order. */
void compile_init(struct code *code, uint32_t var, const struct expr *value,
                  struct code_locals locals);
/* At the end: the functions and tasks that were named so far, the initial values. */
void compile_finish(struct code *code);

/* ---- one chunk ------------------------------------------------------------------------------ */

#define REG_NONE UINT8_MAX
#define HELD_MAX 2
#define NO_JUMP  SIZE_MAX /* of code that is not reached, and so not there */

struct jumps { /* that wait for their target */
    VEC(size_t) all;
};

enum scope_kind {
    SCOPE_BLOCK,
    SCOPE_LOOP,
    SCOPE_LEASE, /* left by RELEASE of `handle` */
};
struct scope {
    struct scope *outer;
    enum scope_kind kind;
    struct jumps breaks, continues; /* LOOP */
    uint8_t handle;                 /* LEASE */
    VEC(uint32_t) locals;           /* declared in it: their registers are given back */
    VEC(uint8_t) owned;             /* own handles: made safe when it is left */
};

/* A constant that a loop keeps in a register, and an instruction that is put before that loop. */
struct kept {
    enum code_op op;
    int32_t d;
    uint16_t type;
    uint8_t reg;
    size_t loop; /* number of the outermost loop that loads it */
};
struct insertion {
    size_t at;
    struct instr instr;
    uint32_t line;
};

/* The locals of what is compiled in place of the function's own. */
struct locals {
    const struct lang_type *types;
    size_t n;
    uint8_t *regs;
};

/* A function whose body stands in place of its call. */
struct inlined {
    uint8_t dest; /* of its result; REG_NONE: nobody wants it */
    struct scope *scope;
    struct jumps ends;
};

struct compile;
struct body {
    struct chunk_builder b;
    struct compile *k;
    struct lang_ctx *c;
    const struct lang_type *locals;
    size_t locals_n;
    uint8_t *regs; /* of the locals, REG_NONE before their declaration; HELD_MAX more for held() */
    bool is_local[CODE_REGS_MAX];
    const struct lang_type *result; /* of a function; NULL: none */
    bool strict, none_ok;
    struct jumps *misses;
    struct lang_span place; /* of what is emitted */
    bool dead;              /* what comes now is not reached */
    struct scope *scope;
    struct inlined *inlined;           /* NULL: a `return` is one */
    size_t loop_depth, loop_at, loops; /* the outermost loop: where it begins, which one it is */
    VEC(struct kept) kept;
    VEC(struct insertion) insertions;
};

struct fn_chunk {
    const struct fn_decl *fn;
    uint32_t chunk;
};
/* Of one program. */
struct compile {
    struct code *code;
    struct prog *prog;
    VEC(struct fn_chunk) fns;
    size_t fns_done;
    struct body *init; /* NULL: no initial values so far */
    uint32_t init_chunk;
};

/* ---- code.c --------------------------------------------------------------------------------- */
/* The chunk of a function or task; its body is compiled by compile_finish(). */
uint32_t fn_chunk(struct body *b, const struct fn_decl *fn);
/* The chunk of a lambda, compiled now: its tree may be checked anew for the next element. */
uint32_t lambda_chunk(struct body *b, const struct fn_decl *fn);

/* ---- compile_reg.c: emitting, registers, constants ------------------------------------------ */
/* The instruction's number, or NO_JUMP where nothing is reached. */
size_t put(struct body *b, enum code_op op, uint8_t ra, uint8_t rb, uint8_t rc, int32_t d);
size_t put_bc(struct body *b, enum code_op op, uint8_t ra, uint16_t bc, int32_t d);
void jumps_add(struct body *b, struct jumps *j, size_t jump);
void jump_here(struct body *b, size_t jump);
void jumps_here(struct body *b, struct jumps *j);
/* What is emitted from now on comes from there; returns where it came from so far. */
struct lang_span place_set(struct body *b, struct lang_span span);

uint16_t type_of(struct body *b, const struct lang_type *t);
uint8_t kind_of(const struct lang_type *t); /* enum code_kind */
uint8_t temp(struct body *b, uint16_t type);
uint8_t temp_of(struct body *b, const struct lang_type *t);

/* A register that holds a value: a local's own, or one to give back. */
struct use {
    uint8_t reg;
    bool temp;
};
void give(struct body *b, struct use u);
/* The register of a local, taken at its declaration until the end of the scope. */
uint8_t local_declare(struct body *b, uint32_t local);
uint8_t local_declare_handle(struct body *b, uint32_t local, bool own);
uint8_t local_reg(const struct body *b, uint32_t local);

void constant_to(struct body *b, const struct expr *e, bool as_float, uint8_t dest);
struct use constant_use(struct body *b, const struct expr *e, bool as_float);
struct use int_use(struct body *b, int64_t v);
static inline double constant_float(const struct expr *e) /* of a number */
{
    return e->type.kind == LANG_TYPE_INT ? (double)e->value.i : e->value.f;
}
struct use bool_use(struct body *b, int v);
/* The handle of a binding, lent. */
struct use binding_use(struct body *b, uint32_t binding);
void int_to(struct body *b, int64_t v, uint8_t dest);
void none_to(struct body *b, const struct lang_type *t, uint8_t dest);
/* The value as one, if e is a constant int (or time, enum, bool). */
bool constant_int(const struct expr *e, int64_t *out);

void loop_enter(struct body *b); /* where it begins; constants are loaded before the outermost */
void loop_leave(struct body *b);
/* Puts those loads where they belong; all jumps are patched. */
void insert_kept(struct body *b);

/* ---- compile_expr.c -------------------------------------------------------------------------- */
/* `want`: NULL, or the type that the place has: an int becomes a float there. */
void expr_to(struct body *b, const struct expr *e, const struct lang_type *want, uint8_t dest);
struct use expr_use(struct body *b, const struct expr *e, const struct lang_type *want);
/* Not of a constant, and without a conversion. */
void natural_to(struct body *b, const struct expr *e, const struct lang_type *want, uint8_t dest);
/* For its effects alone. */
void expr_drop(struct body *b, const struct expr *e);
extern const struct lang_type float_type;
/* Where `reg` is none: on to the misses, or a trap "the slope of x.y has no value yet", or nothing
 * if that is fine here. */
void need_value(struct body *b, const struct lang_type *t, uint8_t reg, const char *what,
                struct str of, struct str member);
/* A jump that is taken where `reg` is none (or is not). */
size_t jump_none(struct body *b, const struct lang_type *t, uint8_t reg, bool when);
bool mentions_reg(const struct body *b, const struct expr *e, uint8_t reg);
/* Straight code without jumps, calls and allocation: may go into the window. */
bool expr_simple(const struct body *b, const struct expr *e, const struct lang_type *want);

/* ---- compile_cond.c -------------------------------------------------------------------------- */
/* Goes to `to` if the truth of e is `when`, else on. Unknown is not true. */
void cond_jump(struct body *b, const struct expr *e, bool when, struct jumps *to);
/* Back to `top` if e is true, else on. */
void cond_loop(struct body *b, const struct expr *e, size_t top);
/* A bool's value. */
void truth_to(struct body *b, const struct expr *e, uint8_t dest);
/* The same by Kleene's logic: unknown, if readings leave it open. */
void kleene_to(struct body *b, const struct expr *e, uint8_t dest);

/* ---- compile_call.c -------------------------------------------------------------------------- */
void call_to(struct body *b, const struct expr *e, uint8_t dest); /* REG_NONE: no result */
/* ARG words of these registers, which are given back. */
void operand_words(struct body *b, const struct use *uses, size_t n);
void command(struct body *b, const struct expr *e, struct jumps *busy); /* busy: NULL: traps */
void lambda_to(struct body *b, const struct expr *e, uint8_t dest);
void fn_value_to(struct body *b, const struct fn_decl *fn, uint8_t dest);
/* A handle: of a binding, a local, an element of a group. */
struct use handle_use(struct body *b, const struct expr *e);
/* The same in an own register of its own, moved out of where it was. */
struct use handle_move(struct body *b, const struct expr *e);

/* ---- compile_inline.c ------------------------------------------------------------------------ */
bool inline_fits(const struct body *b, const struct fn_decl *fn);
void inline_call(struct body *b, const struct expr *e, uint8_t dest);
void inline_return(struct body *b, const struct expr *value);

/* ---- compile_method.c, compile_data.c -------------------------------------------------------- */
void method_to(struct body *b, const struct expr *e, uint8_t dest);
void string_to(struct body *b, const struct expr *e, uint8_t dest);
void list_to(struct body *b, const struct expr *e, const struct lang_type *want, uint8_t dest);
void map_to(struct body *b, const struct expr *e, const struct lang_type *want, uint8_t dest);
void record_to(struct body *b, const struct expr *e, uint8_t dest);
void chan_to(struct body *b, const struct expr *e, uint8_t dest);

/* ---- statements ------------------------------------------------------------------------------ */
void stmts(struct body *b, const struct stmt_list *list);
void stmt_block(struct body *b, const struct stmt_list *list); /* in a scope of its own */
/* An expression that is what `reg` holds, until the next one of this number. */
struct expr held(struct body *b, uint32_t nth, const struct lang_type *t, uint8_t reg);
void scope_enter(struct body *b, struct scope *s, enum scope_kind kind);
/* Makes safe what it owns, if its end is reached, and gives back its registers. */
void scope_leave(struct body *b);
/* What leaving all scopes inside of `to` takes (NULL: all of them); they stay open. */
void scopes_exit(struct body *b, const struct scope *to);
void stmt_while(struct body *b, const struct stmt *s);
void stmt_loop(struct body *b, const struct stmt *s);
void stmt_for(struct body *b, const struct stmt *s);
void stmt_match(struct body *b, const struct stmt *s);
void stmt_call(struct body *b, const struct stmt *s);
void stmt_spawn(struct body *b, const struct stmt *s);
void stmt_select(struct body *b, const struct stmt *s);
void stmt_sleep(struct body *b, const struct stmt *s);
void stmt_lease(struct body *b, const struct stmt *s);
void stmt_revoke(struct body *b, const struct stmt *s);
void stmt_drop(struct body *b, const struct stmt *s);
void stmt_publish(struct body *b, const struct stmt *s);
bool assigns_local(const struct stmt_list *list, uint32_t local);
