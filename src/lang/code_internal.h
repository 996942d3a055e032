/* code_internal: typed register bytecode: its instructions, its builder, its verifier. Private to
 * lang/.
 *
 * Registers. Each register of a chunk has one type for all its life, so the verifier holds every
 * instruction to its signature without following the flow. A chunk has at most CODE_REGS_MAX; when
 * it is finished they are numbered anew: parameters (then a closure's captures), scalars, and last
 * what a call must zero: references and handles.
 * Values are 64 bits. "None" of an optional: 2 (CODE_UNKNOWN) of a bool, INT64_MIN of an int or a
 * time, NaN of a float, -1 of an enum, NULL of a reference. A handle's register holds the number of
 * a binding plus one, 0 is none or moved; nothing but the machine sees that.
 *
 * The window. Arguments of CALL and CALLC are put straight where the callee finds them: into the
 * registers CODE_WINDOW(0), CODE_WINDOW(1) …, which any instruction may name as its result `a` (the
 * others may not). They last only until the next call of any kind, and
 *  - between the first write to the window and its call there is no jump, no jump target and no
 *    other call: what needs one (`f(g(x), a ?? b)`) is computed before, into registers, and moved;
 *  - once a reference is in the window nothing may allocate (GC in the table) before the call,
 * since the collector does not look there: so a result that allocates goes to a register first, and
 *    moves of references come last.
 *
 * Operand words. What has more operands than fit is followed by words that are not executed: ARG
 * (a register), PART (a piece of a text), ARM (of select), TO (a jump). The table says how many.
 *
 * Jumps. J… go forward only; LOOP… and FOR… go back and charge the length of what is repeated,
 * calls charge the callee's length: an upper bound of what runs, on every path. In the builder d is
 * the target's number; finished code has the distance from the next instruction.
 *
 * Suspension. SEND, RECV, SELECT, SLEEP, LEASE may suspend a task; where no task runs they trap. A
 * lease that was taken back is noticed there and at COMMAND…: control goes on at the `revoked`
 * target of its LEASE, after what was entered since was left (inner leases released, handles made
 * safe). */
#pragma once

#include "lang/syntax_internal.h"

#define CODE_REGS_MAX     240u
#define CODE_ARGS_MAX     16u
#define CODE_WINDOW(n)    ((uint8_t)(CODE_REGS_MAX + (n))) /* in the builder: a slot of the window */
#define CODE_CHUNK_MAX    65536u                           /* instructions of a chunk */
#define CODE_TYPES_MAX    4096u
#define CODE_CAPTURES_MAX 63u
#define CODE_UNKNOWN      2 /* a bool that is neither true nor false */

/* X(name, signature, flags)
 *
 * Signature: a letter for each of a, b, c and d.
 * Registers: B bool; I int, time or enum; F float; S str; R record; L list; M map; C channel;
 * N closure; H handle, own or not; O own handle; x any but a handle; o any reference; - unused.
 * How the types of `x` and the like must agree is said beside the instruction.
 * Bytes: n a number. b and c together: pp a signed number of 16 bits, qq a float constant.
 * d: j jump forward, l jump back, k int constant, K float constant, t text constant, u unit
 * constant, m any number, r READ binding, o OWN or LEASE binding, O the same with a command, w
 * slope's window, v variable of the type of a, c chunk, y type of a, e lease, i an I register.
 * Flags: A, C: writes that operand (all others are read). GC: may allocate. END: what follows is
 * not reached from here. SUSP: may suspend. W1, W2: operand words that follow; WB: as many as b
 * says. */
#define CODE_OPS(X)                                                                                \
    /* constants, moves */                                                                         \
    X(LOADB, "B--m", A) /* 0, 1, 2 */                                                              \
    X(LOADN, "I--m", A) /* d itself */                                                             \
    X(LOADI, "I--k", A)                                                                            \
    X(LOADF, "F--K", A)                                                                            \
    X(LOADS, "S--t", A)                                                                            \
    X(NIL, "o---", A)                                                                              \
    X(MOV, "xx--", A) /* of one type */                                                            \
    /* whole numbers: trap when the result does not fit, and for a zero divisor */                 \
    X(ADDI, "III-", A)                                                                             \
    X(SUBI, "III-", A)                                                                             \
    X(MULI, "III-", A)                                                                             \
    X(DIVI, "III-", A)                                                                             \
    X(MODI, "III-", A)                                                                             \
    X(ADDIK, "II-m", A)  /* b + d */                                                               \
    X(RSUBIK, "II-m", A) /* d - b */                                                               \
    X(MULIK, "II-m", A)                                                                            \
    X(DIVIK, "II-m", A) /* d > 0 */                                                                \
    X(MODIK, "II-m", A) /* d > 0 */                                                                \
    X(NEGI, "II--", A)                                                                             \
    X(ABSI, "II--", A)                                                                             \
    X(MINI, "III-", A)                                                                             \
    X(MAXI, "III-", A)                                                                             \
    X(SOMEI, "II--", A) /* int to int?: traps if it is none's */                                   \
    /* floats: IEEE 754; MODF is fmod() */                                                         \
    X(ADDF, "FFF-", A)                                                                             \
    X(SUBF, "FFF-", A)                                                                             \
    X(MULF, "FFF-", A)                                                                             \
    X(DIVF, "FFF-", A)                                                                             \
    X(MODF, "FFF-", A)                                                                             \
    X(ADDFK, "FF-K", A)                                                                            \
    X(RSUBFK, "FF-K", A) /* d - b */                                                               \
    X(MULFK, "FF-K", A)                                                                            \
    X(DIVFK, "FF-K", A)                                                                            \
    X(RDIVFK, "FF-K", A) /* d / b */                                                               \
    X(NEGF, "FF--", A)                                                                             \
    X(ABSF, "FF--", A)                                                                             \
    X(MINF, "FFF-", A)                                                                             \
    X(MAXF, "FFF-", A)                                                                             \
    X(POWF, "FFF-", A)                                                                             \
    X(MATH, "FF-m", A)   /* enum code_math */                                                      \
    X(ROUNDF, "FFnu", A) /* c: enum code_round, in unit d */                                       \
    X(ROUNDI, "IFn-", A) /* c: enum code_round; traps if it does not fit */                        \
    X(ITOF, "FI--", A)                                                                             \
    X(TOBASE, "FF-u", A)                                                                           \
    X(FROMBASE, "FF-u", A)                                                                         \
    /* comparisons with a value: 0 or 1; of floats false with NaN (but NEF) */                     \
    X(EQB, "BBB-", A)                                                                              \
    X(NEB, "BBB-", A)                                                                              \
    X(EQI, "BII-", A)                                                                              \
    X(NEI, "BII-", A)                                                                              \
    X(LTI, "BII-", A)                                                                              \
    X(LEI, "BII-", A)                                                                              \
    X(EQF, "BFF-", A)                                                                              \
    X(NEF, "BFF-", A)                                                                              \
    X(LTF, "BFF-", A)                                                                              \
    X(LEF, "BFF-", A)                                                                              \
    X(EQS, "BSS-", A)                                                                              \
    X(EQO, "Boo-", A)   /* contents, of one type, no deeper than CODE_DEEP_MAX */                  \
    X(NOT, "BB--", A)   /* of 0 and 1 */                                                           \
    X(NONEI, "BI--", A) /* whether it is none: int or time */                                      \
    X(NONEF, "BF--", A)                                                                            \
    X(NONEO, "Bo--", A)                                                                            \
    /* Kleene's: unknown if an operand is (NaN, 2) */                                              \
    X(KEQB, "BBB-", A)                                                                             \
    X(KEQF, "BFF-", A)                                                                             \
    X(KNEF, "BFF-", A)                                                                             \
    X(KLTF, "BFF-", A)                                                                             \
    X(KLEF, "BFF-", A)                                                                             \
    X(KLTFK, "BF-K", A) /* b < d … */                                                            \
    X(KLEFK, "BF-K", A)                                                                            \
    X(KGTFK, "BF-K", A)                                                                            \
    X(KGEFK, "BF-K", A)                                                                            \
    X(KNOT, "BB--", A)                                                                             \
    X(KAND, "BBB-", A)                                                                             \
    X(KOR, "BBB-", A)                                                                              \
    /* jumps */                                                                                    \
    X(JMP, "---j", END)                                                                            \
    X(JT, "B--j", 0)  /* true */                                                                   \
    X(JNT, "B--j", 0) /* false or unknown */                                                       \
    X(JF, "B--j", 0)  /* false, not unknown */                                                     \
    X(JU, "B--j", 0)  /* unknown, none */                                                          \
    X(JNU, "B--j", 0)                                                                              \
    X(JEQI, "II-j", 0) /* a == b … */                                                            \
    X(JNEI, "II-j", 0)                                                                             \
    X(JLTI, "II-j", 0)                                                                             \
    X(JLEI, "II-j", 0)                                                                             \
    X(JEQIK, "Ippj", 0) /* a == the number in b and c … */                                       \
    X(JNEIK, "Ippj", 0)                                                                            \
    X(JLTIK, "Ippj", 0)                                                                            \
    X(JLEIK, "Ippj", 0)                                                                            \
    X(JGTIK, "Ippj", 0)                                                                            \
    X(JGEIK, "Ippj", 0)                                                                            \
    X(JEQF, "FF-j", 0)                                                                             \
    X(JNEF, "FF-j", 0) /* not equal, or NaN */                                                     \
    X(JLTF, "FF-j", 0)                                                                             \
    X(JLEF, "FF-j", 0)                                                                             \
    X(JNLTF, "FF-j", 0) /* not a < b, or NaN … */                                                \
    X(JNLEF, "FF-j", 0)                                                                            \
    X(JEQFK, "Fqqj", 0)                                                                            \
    X(JNEFK, "Fqqj", 0)                                                                            \
    X(JLTFK, "Fqqj", 0)                                                                            \
    X(JLEFK, "Fqqj", 0)                                                                            \
    X(JGTFK, "Fqqj", 0)                                                                            \
    X(JGEFK, "Fqqj", 0)                                                                            \
    X(JNLTFK, "Fqqj", 0)                                                                           \
    X(JNLEFK, "Fqqj", 0)                                                                           \
    X(JNGTFK, "Fqqj", 0)                                                                           \
    X(JNGEFK, "Fqqj", 0)                                                                           \
    X(JEQS, "SS-j", 0)                                                                             \
    X(JNES, "SS-j", 0)                                                                             \
    X(JNONEI, "I--j", 0) /* int or time; of an enum: JEQIK -1 */                                   \
    X(JSOMEI, "I--j", 0)                                                                           \
    X(JNONEF, "F--j", 0)                                                                           \
    X(JSOMEF, "F--j", 0)                                                                           \
    X(JNONEO, "o--j", 0)                                                                           \
    X(JSOMEO, "o--j", 0)                                                                           \
    X(JNONEH, "H--j", 0)                                                                           \
    X(JSOMEH, "H--j", 0)                                                                           \
    X(LOOP, "---l", END)                                                                           \
    X(LOOPT, "B--l", 0)                                                                            \
    X(LOOPNT, "B--l", 0)                                                                           \
    X(LOOPEQI, "II-l", 0)                                                                          \
    X(LOOPNEI, "II-l", 0)                                                                          \
    X(LOOPLTI, "II-l", 0)                                                                          \
    X(LOOPLEI, "II-l", 0)                                                                          \
    X(LOOPEQIK, "Ippl", 0)                                                                         \
    X(LOOPNEIK, "Ippl", 0)                                                                         \
    X(LOOPLTIK, "Ippl", 0)                                                                         \
    X(LOOPLEIK, "Ippl", 0)                                                                         \
    X(LOOPGTIK, "Ippl", 0)                                                                         \
    X(LOOPGEIK, "Ippl", 0)                                                                         \
    X(LOOPLTF, "FF-l", 0)                                                                          \
    X(LOOPLEF, "FF-l", 0)                                                                          \
    X(FOR, "II-l", A) /* a += 1; if a < b, back: the loop's end. Entry: JLEI b a past it */        \
    X(FORLIST, "ILxl",                                                                             \
      A | C) /* a += 1; if a < len(b): c = b[a], back. Entry: a = -1, JMP to it */                 \
    X(FORMAP, "IMxl", A | C | W1) /* the next entry behind a (0 at the start): c = its key, the    \
                              ARG that follows gets its value (b 0: nobody wants it), back */      \
    X(NEEDB, "B--t", 0)           /* traps with the text if a is none */                           \
    X(NEEDI, "I--t", 0)           /* int or time; of an enum: JEQIK -1 */                          \
    X(NEEDF, "F--t", 0)                                                                            \
    X(NEEDO, "o--t", 0)                                                                            \
    X(TRAP, "---t", END)                                                                           \
    /* calls */                                                                                    \
    X(CALL, "x--c", A)  /* arguments in the window; a: the callee's result */                      \
    X(CALLV, "---c", 0) /* one without a result */                                                 \
    X(CALLC, "xN--", A) /* the closure b */                                                        \
    X(CALLCV, "-N--", 0)                                                                           \
    X(RET, "x---", END)                                                                            \
    X(RETV, "----", END)                                                                           \
    X(CLOSURE, "Nn-c", A | GC | WB) /* b ARGs: what it captures, no handles */                     \
    /* variables, records */                                                                       \
    X(GETV, "x--v", A)                                                                             \
    X(SETV, "x--v", 0)                                                                             \
    X(RECORD, "Rn-y", A | GC | WB) /* b ARGs: all fields in order */                               \
    X(GETF, "xRn-", A)             /* c: field, of the type of a; traps if the record is none */   \
    X(SETF, "xRn-", 0)             /* b.c = a */                                                   \
    /* lists */                                                                                    \
    X(LIST, "Ln-y", A | GC | WB) /* b ARGs: its elements */                                        \
    X(LISTN, "LIxy", A | GC)     /* b times c */                                                   \
    X(LGET, "xLI-", A)           /* traps out of range */                                          \
    X(LSET, "xLI-", 0)           /* b[c] = a; traps out of range */                                \
    X(LAT, "xLI-", A)            /* none out of range */                                           \
    X(LLAST, "xL--", A)          /* none if empty; the first: LAT with a 0 */                      \
    X(LLEN, "IL--", A)                                                                             \
    X(LPUSH, "Lx--", GC)                                                                           \
    X(LPOP, "xL--", A)         /* none if empty */                                                 \
    X(LINSERT, "LIx-", GC)     /* traps out of range; at the length: at the end */                 \
    X(LREMOVE, "xLI-", A | GC) /* the element; traps out of range */                               \
    X(LCLEAR, "L---", GC)                                                                          \
    X(LSORT, "L---", GC) /* of ints, floats, texts */                                              \
    X(LREVERSE, "L---", GC)                                                                        \
    X(LHAS, "BLx-", A) /* by content */                                                            \
    /* maps */                                                                                     \
    X(MAP, "M--y", A | GC)                                                                         \
    X(MGET, "xMx-", A)  /* a = b[c], none if absent */                                             \
    X(MSET, "xMx-", GC) /* b[c] = a */                                                             \
    X(MHAS, "BMx-", A)                                                                             \
    X(MREMOVE, "xMx-", A | GC) /* what it was, or none */                                          \
    X(MLEN, "IM--", A)                                                                             \
    X(MKEYS, "LM--", A | GC)                                                                       \
    X(MVALUES, "LM--", A | GC)                                                                     \
    X(MCLEAR, "M---", GC)                                                                          \
    /* texts; positions count characters */                                                        \
    X(CONCAT, "Sn--", A | GC | WB) /* b PARTs */                                                   \
    X(SLEN, "IS--", A)                                                                             \
    X(STEST, "BSSm", A)      /* enum code_stest */                                                 \
    X(SMAKE, "SS-m", A | GC) /* enum code_smake */                                                 \
    X(SLICE, "SSIi",                                                                               \
      A | GC) /* from c, up to without the register d; both are cut to its length */               \
    X(SPLIT, "LSS-", A | GC)                                                                       \
    X(STOI, "IS--", A) /* none if it is no number */                                               \
    X(STOF, "FS--", A)                                                                             \
    /* channels, tasks */                                                                          \
    X(CHAN, "CI-y", A | GC)   /* b: its capacity */                                                \
    X(SEND, "Cz--", SUSP)     /* waits while it is full; z: x or an own handle, which moves */     \
    X(TRYSEND, "Cz-j", 0)     /* goes to d if it is full or closed */                              \
    X(RECV, "zC--", A | SUSP) /* waits while it is empty; closed: the task ends */                 \
    X(CCLOSE, "C---", 0)                                                                           \
    X(CLEN, "IC--", A)                                                                             \
    X(SELECT, "-n--", SUSP | WB | END) /* b ARMs; the first that is ready; none can be: ends */    \
    X(SLEEP, "F---", SUSP)             /* seconds */                                               \
    X(SPAWN, "-n-c", GC | WB) /* b ARGs; own handles move. Traps when there are too many tasks */  \
    /* handles */                                                                                  \
    X(HBIND, "H--o", A)       /* the binding d; into an own register: moved out of the program */  \
    X(HGROUP, "HI-o", A | W1) /* element b of the bindings that begin at d; ARG d: how many */     \
    X(HLEND, "HH--", A)       /* a: not own */                                                     \
    X(HMOVE, "OO--", A)       /* b is none then */                                                 \
    X(HDROP, "O---", 0)       /* its safe action, unless it is none; none then */                  \
    X(DROPB, "---o", 0)       /* the same for the program's own binding d */                       \
    X(COMMAND, "-nnO", WB) /* b ARGs, c 1: a TO behind them is where to go when it is out on lease \
                             (else that traps). d: binding | action << 16 */                       \
    X(COMMANDH, "Hnnm", WB)  /* the same; d: action */                                             \
    X(READ, "x-nr", A | GC)  /* the reading in its base unit, or none; c 1: none if stale */       \
    X(READH, "xHnm", A | GC) /* d: member among the readables */                                   \
    X(HNAME, "SH--", A | GC) /* what it is called */                                               \
    X(STALE, "B-nr", A)      /* c 1: not before its time is up; c 0: also while it has no value */ \
    X(STALEH, "BHnm", A)                                                                           \
    X(SLOPE, "F-nw", A) /* base units per second, or NaN; c 1: NaN if stale */                     \
    X(REVOKE, "---o", 0)                                                                           \
    X(REVOKEH, "H---", 0)                                                                          \
    X(LEASE, "HFFe", A | SUSP | W2) /* b: for, c: wait, in seconds (NaN: does not wait). TO d:     \
                                where `revoked` begins, TO d: where `denied` begins (or the end);  \
                                b 1: its a, a S, gets why */                                       \
    X(RELEASE, "H---", 0)           /* the block of that lease ends */                             \
    /* the world */                                                                                \
    X(NOW, "I---", A)                                                                              \
    X(RANDOM, "F---", A)                                                                           \
    X(STATE, "Sn-m", 0)    /* statement d with level b */                                          \
    X(PUBLISH, "Sx--", GC) /* a copy of the value b under the name a */                            \
    /* never in a chunk: ends the outermost frame */                                               \
    X(HALT, "----", END)                                                                           \
    /* operand words */                                                                            \
    X(ARG, "----", 0)  /* a: register */                                                           \
    X(PART, "----", 0) /* a: register, b: enum code_print, d: its unit or type */                  \
    X(ARM, "----", 0)  /* a, b: registers, c: enum code_arm, d: where to go. SIGNAL: the binding   \
                          in a and b, a the low byte */                                            \
    X(TO, "----", 0)   /* d: where to go */

enum code_op {
#define X(name, sig, flags) CODE_##name,
    CODE_OPS(X)
#undef X
        CODE_OPS_N
};
_Static_assert(CODE_OPS_N <= 256, "an op is a byte");

enum code_flags {
    CODE_F_A = 1, /* writes a */
    CODE_F_C = 2, /* writes c */
    CODE_F_GC = 4,
    CODE_F_END = 8,
    CODE_F_SUSP = 16,
    CODE_F_W1 = 32,
    CODE_F_W2 = 64,
    CODE_F_WB = 128,
};
struct code_op_info {
    const char *name, *sig;
    uint8_t flags;
};
extern const struct code_op_info code_ops[CODE_OPS_N];

enum code_math { CODE_SQRT, CODE_EXP, CODE_LOG, CODE_SIN, CODE_COS, CODE_MATH_N };
/* To nearest (halves away from zero), down, up, towards zero. */
enum code_round { CODE_NEAREST, CODE_FLOOR, CODE_CEIL, CODE_TRUNC, CODE_ROUND_N };
enum code_stest { CODE_CONTAINS, CODE_STARTS, CODE_ENDS, CODE_STEST_N };
enum code_smake { CODE_TRIM, CODE_UPPER, CODE_LOWER, CODE_SMAKE_N };
/* How a PART is written. An optional that is none, and a float that is NaN: "no value". */
enum code_print {
    CODE_PRINT_TEXT, /* the constant d; no register */
    CODE_PRINT_STR,
    CODE_PRINT_BOOL,
    CODE_PRINT_INT,
    CODE_PRINT_TIME,
    CODE_PRINT_FLOAT, /* in unit d */
    CODE_PRINT_ENUM,  /* its register has the type */
    CODE_PRINT_VALUE, /* a list, map or record: [1, 2], Name{…}; no deeper than CODE_DEEP_MAX */
    CODE_PRINT_N
};
enum code_arm {
    CODE_ARM_RECV,   /* a = b.recv(), b a channel; out when it is closed and empty */
    CODE_ARM_SEND,   /* a.send(b); out when it is closed */
    CODE_ARM_SIGNAL, /* an event of the binding in a and b */
    CODE_ARM_AFTER,  /* a: F, seconds */
    CODE_ARM_ELSE,   /* none of the others is ready; last */
    CODE_ARM_N
};
#define CODE_ARMS_MAX 64u
#define CODE_DEEP_MAX 16u

struct instr {
    uint8_t op, a, b, c;
    int32_t d;
};
_Static_assert(sizeof(struct instr) == 8, "one word");
/* The number of 16 bits in b and c. */
static inline uint16_t instr_bc(const struct instr *i)
{
    return (uint16_t)(i->b | i->c << 8);
}
/* How many operand words follow, and what the one number n says: its op, and its signature in the
 * letters of the table; NULL if it is not what must stand there. z: x or an own handle. */
unsigned code_words(const struct instr *i);
enum code_op code_word_op(const struct instr *i, unsigned n);
const char *code_word_sig(const struct instr *i, const struct instr *word);
/* A letter of a signature that stands for a register. */
bool code_is_reg(char letter);
static inline bool code_imm16_fits(int64_t v)
{
    return v >= INT16_MIN && v <= INT16_MAX;
}

/* ---- types ----------------------------------------------------------------------------------
 * Of registers: what the machine must tell apart. Equal types have one number; `optional`, units
 * and whether an int is a time are no part of them. */
enum code_kind {
    CODE_KIND_NONE,
    CODE_KIND_BOOL,
    CODE_KIND_INT,
    CODE_KIND_FLOAT,
    CODE_KIND_ENUM, /* goes wherever an int does */
    CODE_KIND_HANDLE,
    CODE_KIND_STR, /* this and what follows are references */
    CODE_KIND_RECORD,
    CODE_KIND_LIST,
    CODE_KIND_MAP,
    CODE_KIND_CHAN,
    CODE_KIND_FN,
};
struct code_type {
    uint8_t kind;
    bool own;       /* HANDLE; a CHAN's element is an own HANDLE */
    uint8_t args_n; /* FN */
    uint16_t a;     /* element or key; FN, RECORD: where its types begin in type_args */
    uint16_t b;     /* MAP: value; FN: result; RECORD: layout */
    const struct lang_decl *model;  /* HANDLE */
    const struct lang_typedef *def; /* ENUM, RECORD */
};
/* The first ones of every program. */
enum { CODE_TYPE_NONE, CODE_TYPE_BOOL, CODE_TYPE_INT, CODE_TYPE_FLOAT, CODE_TYPE_STR };
static inline bool code_kind_ref(uint8_t kind)
{
    return kind >= CODE_KIND_STR;
}
union lang_slot code_none(uint8_t kind);

/* ---- finished code ------------------------------------------------------------------------ */

/* Where instructions come from: from `at` on, up to the next one, in the chunk's source. */
struct code_place {
    uint32_t at, from, to;
};

struct lang_chunk {
    const struct instr *code;
    uint32_t code_n;
    uint8_t regs_n;
    uint8_t zero_from;  /* registers from here on are zeroed when it is entered */
    uint8_t params_n;   /* with the captures */
    uint8_t captures_n; /* the last of the parameters */
    const uint16_t *reg_types;
    uint64_t refs[4];      /* registers that are references, a bit for each */
    uint64_t owns[4];      /* that are own handles */
    uint16_t result;       /* type */
    uint16_t layout;       /* of its closures: the chunk's number, then what is captured */
    bool task;             /* may suspend: is not called, but started */
    const uint32_t *lines; /* one for each instruction */
    const struct code_place *places;
    uint32_t places_n, source;
    struct str name; /* for people: the function's, or the rule's path */
};

struct heap_layout;
struct lang_code {
    const struct lang_chunk *chunks;
    size_t chunks_n;
    const struct code_type *types;
    size_t types_n;
    const uint16_t *type_args;
    size_t type_args_n;
    const struct heap_layout *layouts;
    size_t layouts_n;
    const uint16_t *var_types; /* of the program's variables */
    const int64_t *ints;
    size_t ints_n;
    const double *floats;
    size_t floats_n;
    const struct str *texts; /* each machine makes them objects of its own */
    size_t texts_n;
    const struct lang_unit *units;
    size_t units_n;
    uint32_t init; /* the chunk that gives variables their first values; or LANG_NO_CHUNK */
};

/* ---- the builder (build.c) ------------------------------------------------------------------ */

/* Of one program. */
struct code {
    struct lang_ctx *c;
    VEC(struct lang_chunk) chunks;
    VEC(struct code_type) types;
    VEC(uint16_t) type_args;
    VEC(struct heap_layout) layouts;
    VEC(int64_t) ints;
    VEC(double) floats;
    VEC(struct str) texts;
    VEC(struct lang_unit) units;
    uint32_t init;           /* as in struct lang_code */
    struct compile *compile; /* the compiler's own */
};
struct code *code_new(struct lang_ctx *c);
/* All chunks are finished: gives the program its code, its hash (of everything that decides what it
 * does: bindings, variables, rules … must be there) and its counts. */
void code_finish(struct code *code, struct lang_program *program);

/* The type's number; an own handle by code_type_handle(). */
uint16_t code_type(struct code *code, const struct lang_type *t);
uint16_t code_type_handle(struct code *code, const struct lang_decl *model, bool own);
int32_t const_int(struct code *code, int64_t v);
int32_t const_float(struct code *code, double v);
int32_t const_text(struct code *code, struct str v);
int32_t const_unit(struct code *code, const struct lang_unit *u);

/* One chunk in the making. Zeroed at first. Registers are taken and given back; the parameters are
 * taken first, in order, and then the captures. */
struct chunk_builder {
    struct code *code;
    VEC(struct instr) all;
    VEC(uint32_t) lines;
    VEC(struct code_place) places;
    VEC(uint16_t) reg_types;
    bool reg_used[CODE_REGS_MAX];
    uint8_t params_n, captures_n; /* params_n with the captures */
    uint16_t result;
    bool task;
    struct str name;
    uint32_t line;         /* of what is emitted */
    struct lang_span span; /* for the message that it is too large */
    bool full;             /* reported: what is emitted is lost */
};
uint32_t chunk_reserve(struct code *code); /* its number, for those who call it */
void chunk_finish(struct chunk_builder *b, uint32_t chunk);
/* Fills refs and owns from the types of the registers. */
void code_chunk_masks(struct lang_chunk *c, const struct code_type *types);
uint8_t reg_take(struct chunk_builder *b, uint16_t type); /* zero-initialised: no */
void reg_give(struct chunk_builder *b, uint8_t reg);
/* The instruction's number. Jumps: d is patched, or the number of the target. */
size_t emit(struct chunk_builder *b, enum code_op op, uint8_t ra, uint8_t rb, uint8_t rc,
            int32_t d);
static inline size_t chunk_here(const struct chunk_builder *b)
{
    return b->all.n;
}
void patch(struct chunk_builder *b, size_t jump, size_t target);
void patch_here(struct chunk_builder *b, size_t jump);

/* ---- the verifier, the disassembler ---------------------------------------------------------- */

struct code_fault {
    uint32_t chunk, at; /* UINT32_MAX: the program as a whole */
    const char *why;    /* NULL: it holds to all rules */
    bool no_memory;     /* to find out; `why` says so, too */
};
struct code_fault code_verify(struct alloc *a, const struct lang_program *program);
