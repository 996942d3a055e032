/* code_internal: typed register bytecode, its builder and its verifier. Private to lang/.
 *
 * Every register of a chunk has one type for all its life, so the verifier can hold each
 * instruction to its signature without following the flow. A bool register may be 2: unknown.
 * Instructions are eight bytes: op, a, b, c and a 32-bit d. */
#pragma once

#include "lang/syntax_internal.h"

#define CODE_REGS_MAX  240u
#define CODE_CHUNK_MAX 65536u /* instructions of a chunk */
#define CODE_ARGS_MAX  16u
#define CODE_UNKNOWN   2 /* a bool that is neither true nor false */

/* X(name, signature): a letter for each of a, b, c and d.
 * registers: B bool, I int, F float, S str; x: any, but a and b of one type; - unused
 * d: j jump target, k constant of the type of `a`, u unit constant, m number, r read binding,
 *    w window, v variable of the type of `a`, c chunk, o owned binding, t text constant */
#define CODE_OPS(X)                                                                                \
    X(LOADB, "B--m")                                                                               \
    X(LOADI, "I--k")                                                                               \
    X(LOADF, "F--k")                                                                               \
    X(LOADS, "S--k")                                                                               \
    X(MOV, "xx--")                                                                                 \
    X(ADDI, "III-")                                                                                \
    X(SUBI, "III-")                                                                                \
    X(MULI, "III-")                                                                                \
    X(DIVI, "III-")                                                                                \
    X(MODI, "III-")                                                                                \
    X(NEGI, "II--")                                                                                \
    X(ABSI, "II--")                                                                                \
    X(MINI, "III-")                                                                                \
    X(MAXI, "III-")                                                                                \
    X(ADDF, "FFF-")                                                                                \
    X(SUBF, "FFF-")                                                                                \
    X(MULF, "FFF-")                                                                                \
    X(DIVF, "FFF-")                                                                                \
    X(MODF, "FFF-")                                                                                \
    X(NEGF, "FF--")                                                                                \
    X(ABSF, "FF--")                                                                                \
    X(MINF, "FFF-")                                                                                \
    X(MAXF, "FFF-")                                                                                \
    X(ROUNDF, "FF-u")                                                                              \
    X(ROUNDI, "IF--")                                                                              \
    X(ITOF, "FI--")                                                                                \
    X(TOBASE, "FF-u")                                                                              \
    X(FROMBASE, "FF-u")                                                                            \
    X(EQB, "BBB-")                                                                                 \
    X(EQI, "BII-")                                                                                 \
    X(LTI, "BII-")                                                                                 \
    X(LEI, "BII-")                                                                                 \
    X(EQF, "BFFm")                                                                                 \
    X(LTF, "BFFm")                                                                                 \
    X(LEF, "BFFm")                                                                                 \
    X(EQS, "BSS-")                                                                                 \
    X(NOT, "BB--")                                                                                 \
    X(AND, "BBB-")                                                                                 \
    X(OR, "BBB-")                                                                                  \
    X(JMP, "---j")                                                                                 \
    X(JT, "B--j")                                                                                  \
    X(JF, "B--j")  /* false, not unknown */                                                        \
    X(JNT, "B--j") /* false or unknown */                                                          \
    X(JU, "B--j")  /* unknown */                                                                   \
    X(NOW, "I---")                                                                                 \
    X(READB, "BB-r") /* b: whether a has a value; c 1: a stale one does not count */               \
    X(READI, "IB-r")                                                                               \
    X(READF, "FB-r")                                                                               \
    X(READS, "SB-r")                                                                               \
    X(STALE, "B--r")                                                                               \
    X(SLOPE, "FB-w")                                                                               \
    X(GETB, "B--v")                                                                                \
    X(GETI, "I--v")                                                                                \
    X(GETF, "F--v")                                                                                \
    X(GETS, "S--v")                                                                                \
    X(SETB, "B--v")                                                                                \
    X(SETI, "I--v")                                                                                \
    X(SETF, "F--v")                                                                                \
    X(SETS, "S--v")                                                                                \
    X(TEXTB, "SB--")                                                                               \
    X(TEXTI, "SI--")                                                                               \
    X(TEXTT, "SI--")                                                                               \
    X(TEXTF, "SF-u")                                                                               \
    X(CAT, "SSS-")                                                                                 \
    X(CALL, "x--c")    /* b: number of ARGs that follow; a: result */                              \
    X(CALLV, "---c")   /* the same without a result */                                             \
    X(COMMAND, "---o") /* b: number of ARGs that follow */                                         \
    X(ARG, "x---")                                                                                 \
    X(STATE, "S--m") /* host statement d, level b */                                               \
    X(RET, "x---")                                                                                 \
    X(RETV, "----")                                                                                \
    X(TRAP, "---t")

enum code_op {
#define X(name, sig) CODE_##name,
    CODE_OPS(X)
#undef X
        CODE_OPS_N
};
extern const char *const code_signatures[CODE_OPS_N];
extern const char *const code_names[CODE_OPS_N];

struct instr {
    uint8_t op, a, b, c;
    int32_t d;
};

struct lang_chunk {
    const struct instr *code;
    const uint32_t *lines; /* one for each instruction */
    uint32_t code_n, regs_n, params_n;
    const uint8_t *reg_types; /* enum lang_type_kind; parameters first */
    enum lang_type_kind result;
};

struct lang_code {
    const struct lang_chunk *chunks;
    size_t chunks_n;
    const int64_t *ints;
    size_t ints_n;
    const double *floats;
    size_t floats_n;
    const struct str *texts;
    size_t texts_n;
    const struct lang_unit *units;
    size_t units_n;
};

/* ---- the builder ------------------------------------------------------------------------- */

struct jumps {
    VEC(size_t) all;
};

struct chunk_builder {
    VEC(struct instr) code;
    VEC(uint32_t) lines;
    VEC(uint8_t) reg_types;
    bool reg_used[CODE_REGS_MAX]; /* taken now */
    uint8_t local_regs[64];
    uint32_t line;
    bool strict;                    /* a condition: stale readings are unknown */
    bool full;                      /* too large: reported once */
    const struct lang_type *result; /* of a function */
    struct jumps *misses;           /* jumps to take where a reading has no value; NULL: it traps */
    struct lang_span span;          /* for a message that it is too large */
};

struct fn_chunk {
    struct fn_decl *fn;
    uint32_t chunk;
};

struct prog;
/* Of one program. */
struct code {
    struct lang_ctx *c;
    VEC(struct lang_chunk) chunks;
    VEC(int64_t) ints;
    VEC(double) floats;
    VEC(struct str) texts;
    VEC(struct lang_unit) units;
    VEC(struct fn_chunk) fns;
    size_t fns_done;
    struct prog *prog; /* whose bindings and variables the expressions name */
};

/* Each returns the chunk's number. `locals`: types of the locals, of which the checker knows. */
uint32_t compile_condition(struct code *code, struct expr *e);
uint32_t compile_body(struct code *code, const struct stmt_list *body,
                      const struct lang_type *locals, size_t locals_n);
/* All functions that were called so far. */
void compile_functions(struct code *code);
void code_finish(struct code *code, struct lang_program *program);

/* For compile_*.c. A register is taken and given back; constants are numbers in their pools. */
enum lang_type_kind reg_kind(const struct lang_type *t);
uint8_t reg_take(struct code *code, struct chunk_builder *b, enum lang_type_kind kind);
void reg_give(struct chunk_builder *b, uint8_t reg);
size_t emit(struct code *code, struct chunk_builder *b, enum code_op op, uint8_t a, uint8_t rb,
            uint8_t rc, int32_t d);
void patch_here(struct chunk_builder *b, size_t jump);
int32_t const_int(struct code *code, int64_t v);
int32_t const_float(struct code *code, double v);
int32_t const_text(struct code *code, struct str v);
int32_t const_unit(struct code *code, const struct lang_unit *u);
uint32_t fn_chunk(struct code *code, struct fn_decl *fn);
/* A value in a register of its own; an int becomes a float where `want` is one. */
uint8_t compile_expr(struct code *code, struct chunk_builder *b, const struct expr *e,
                     const struct lang_type *want);
/* A bool, unknown where a reading that it needs has no value. */
uint8_t compile_truth(struct code *code, struct chunk_builder *b, const struct expr *e);
void compile_call(struct code *code, struct chunk_builder *b, const struct expr *e,
                  uint8_t *result);
void compile_stmts(struct code *code, struct chunk_builder *b, const struct stmt_list *list);

/* ---- the verifier ------------------------------------------------------------------------ */
/* "" if the program holds to all rules, else what is wrong. */
const char *code_verify(const struct lang_program *program);
