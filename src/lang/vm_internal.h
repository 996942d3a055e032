/* vm_internal: the state of one machine. Private to lang/. */
#pragma once

#include "lang/check_internal.h"

struct vm_frame {
    const struct lang_chunk *chunk;
    uint32_t pc, base;
    uint8_t result; /* the caller's register */
};

struct vm_text { /* a str variable */
    struct str now, before;
    char now_buf[LANG_VAR_TEXT_MAX], before_buf[LANG_VAR_TEXT_MAX];
};

struct lang_vm {
    struct alloc *alloc;
    const struct lang_program *program;
    struct lang_host *host;
    struct lang_limits limits;
    union lang_slot *vars, *vars_before; /* before: at the start of a turn that wrote */
    struct vm_text *texts;               /* as many as variables; used by those of type str */
    bool *changed, *changed_before;
    bool dirty; /* this turn wrote a variable */
    union lang_slot *regs;
    size_t regs_n;
    struct vm_frame *frames;
    char *text; /* of this turn */
    size_t text_n;
    struct lang_vm_stats stats;
};

/* Runs a chunk until it ends; fills all of *out but the statistics. */
enum lang_outcome vm_run(struct lang_vm *vm, uint32_t chunk, struct lang_result *out);
/* A copy in this turn's memory; NULL if that is full. */
const struct str *vm_text(struct lang_vm *vm, const char *p, size_t n);
const struct str *vm_cat(struct lang_vm *vm, struct str a, struct str b);
void vm_var_write(struct lang_vm *vm, uint32_t var, union lang_slot value);
