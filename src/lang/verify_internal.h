/* verify_internal: what the files of the verifier share. Private to lang/.
 *
 * Types of registers are checked without following the flow, the window of arguments in a straight
 * line, and only that scalars are written before they are read needs a walk along the jumps. */
#pragma once

#include "lang/code_internal.h"
#include "lang/heap.h"
#include "lang/program.h"

enum { VERIFY_START = 1, VERIFY_TARGET = 2 }; /* of an instruction: begins one; jumps lead here */

struct verify_window {
    struct {
        bool set;
        bool any_ref;                  /* NIL: of each reference's type */
        bool lent;                     /* a handle that is not given away */
        uint16_t type;                 /* unless it is a handle */
        const struct lang_decl *model; /* of a handle */
    } arg[CODE_ARGS_MAX];
    bool has_ref;
};

struct verifier {
    const struct lang_program *p;
    const struct lang_code *code;
    const struct lang_chunk *chunk;
    uint8_t *marks; /* VERIFY_…, one for each instruction */
    struct verify_window window;
    struct alloc *alloc;
};

static inline const struct code_type *verify_type(const struct verifier *v, uint16_t type)
{
    return &v->code->types[type];
}
static inline uint16_t verify_reg(const struct verifier *v, uint8_t reg)
{
    return v->chunk->reg_types[reg];
}
/* A value of one type may stand where the other is wanted. */
bool verify_fits(const struct verifier *v, uint16_t want, uint16_t have);
/* A register of a signature's letter; in bounds, too. */
bool verify_operand(const struct verifier *v, uint8_t reg, char letter);

/* verify_type.c: the types, layouts and variables; the head of a chunk. NULL: fine. */
const char *verify_types(const struct verifier *v);
const char *verify_chunk_head(const struct verifier *v, const struct lang_chunk *c);
/* verify_op.c: how the operands of an instruction agree, what it writes to the window. */
const char *verify_relations(struct verifier *v, const struct instr *i);
/* verify_flow.c: no scalar is read before it is written. */
const char *verify_flow(const struct verifier *v, struct code_fault *f);
