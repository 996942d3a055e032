/* program: checked bytecode, and the machine that runs it.
 *
 * Why: automation decides when a rule's condition is looked at and how long it must hold; this
 * machine only computes. It reads and commands through a table of functions, so it does no I/O and
 * every input can be logged and replayed.
 * A turn is one lang_vm_call(): a condition or a body runs from start to end within a budget of
 * instructions. A turn that traps (division by zero, a value that does not exist, too deep) or runs
 * out of budget changes no variable; the host should hold back what it was told (commands,
 * statements) until the call comes back done.
 * Readings: in a condition, a comparison with a reading that has no value or is stale is unknown;
 * `and`, `or` and `not` follow Kleene's logic and an unknown condition counts as false. In a body a
 * stale reading gives its last value; one without any value traps, but prints as "no value".
 * Units: what crosses struct lang_host is in the declared unit: of the property for readings, of
 * the parameter for arguments. lang_binding.type is how the program names it; `member_type` is the
 * property's.
 * Ownership: a program is part of its struct lang_site and must not outlive it; the same holds for
 * a machine and its program. Threads: none; one machine belongs to one thread at a time.
 * Errors: see struct lang_result. */
#pragma once

#include "lang/schema.h"

enum lang_binding_kind { LANG_BIND_OWN, LANG_BIND_READ };

struct lang_binding {
    enum lang_binding_kind kind;
    struct str name; /* in the program: "temp", "cool" */
    struct str path; /* stable: "line_guard/st=plant.press1/temp" */
    const struct lang_decl *resource;
    uint32_t member;        /* READ: index among the readable members of the resource's type */
    struct str member_name; /* READ */
    struct lang_type type;  /* READ: as the program declares it; OWN: the handle type */
    struct lang_type member_type; /* READ: as the model declares it */
    int64_t stale_ms;             /* READ: 0 if never stale */
    bool implicit;                /* a property named in place, not by `read` */
    uint32_t source, line;
};

struct lang_var {
    struct str name;
    struct str path; /* stable: its state is kept by it */
    struct lang_type type;
    union lang_slot initial;
    struct str initial_text; /* STR */
    uint32_t source, line;
};

/* slope(reading, duration): the host keeps the samples of that span. */
struct lang_window {
    uint32_t binding;
    int64_t duration_ms;
};

#define LANG_NO_CHUNK UINT32_MAX

enum lang_rule_kind {
    LANG_RULE_WHEN,  /* becomes active when `condition` has held for hold_ms: runs `body`; then,
                        when `until` has held for until_hold_ms (or, without one, when the
                        condition is false), becomes idle: runs `until_body` */
    LANG_RULE_EVERY, /* runs `body` every every_ms */
    LANG_RULE_START, /* runs `body` when the program starts */
};

struct lang_rule {
    enum lang_rule_kind kind;
    struct str path;       /* stable: "line_guard/st=plant.press1/when#1" */
    struct str text;       /* of its head: "when temp > 80 °C for 2s" */
    struct str until_text; /* "until temp < 65 °C for 5s" */
    uint32_t source, line, until_line;
    uint32_t condition, body, until_condition, until_body; /* chunks, or LANG_NO_CHUNK */
    int64_t hold_ms, until_hold_ms, every_ms;
    const uint32_t *reads; /* bindings that the two conditions depend on */
    size_t reads_n;
    const uint32_t *until_reads; /* those of the until condition alone */
    size_t until_reads_n;
    const uint32_t *vars; /* variables that the two conditions depend on */
    size_t vars_n;
    bool uses_stale; /* a condition says `stale x`: look again when a reading's time runs out */
};

struct lang_chunk;
struct lang_code; /* bytecode and constants; code_internal.h */

struct lang_program {
    struct str name;
    struct str file; /* name of its source */
    uint32_t source, line;
    uint64_t code_hash; /* of everything that decides what it does */
    const struct lang_binding *bindings;
    size_t bindings_n;
    const struct lang_var *vars;
    size_t vars_n;
    const struct lang_rule *rules;
    size_t rules_n;
    const struct lang_window *windows;
    size_t windows_n;
    const struct lang_decl *const *owns; /* resources */
    size_t owns_n;
    const struct lang_code *code;
    size_t chunks_n, instructions_n;
};

/* ---- the machine ----------------------------------------------------------------------- */

struct lang_sample {
    union lang_slot value; /* in the member's unit; a str must live until the turn ends */
    int64_t time_ms;
    bool has_value;
    bool stale; /* older than the binding's stale_ms, or none within it since the start */
};

struct lang_host {
    void (*read)(struct lang_host *h, uint32_t binding, struct lang_sample *out);
    /* args in the declared units; they and their texts live until the call returns. An error
     * traps the turn with err_name(). */
    enum err (*command)(struct lang_host *h, uint32_t binding, uint32_t action,
                        const union lang_slot *args, size_t args_n);
    /* A host statement: its index in the schema, the index of its level, its text. */
    void (*statement)(struct lang_host *h, uint32_t statement, uint32_t level, struct str text);
    /* Change per second of the window's reading, in the member's unit; false if there are too few
     * samples (two at least, over half of the span). */
    bool (*slope)(struct lang_host *h, uint32_t window, double *out);
    int64_t (*now_ms)(struct lang_host *h);
};

struct lang_limits {
    uint64_t instructions_max; /* for a turn */
    uint32_t depth_max;        /* of function calls */
    size_t text_max;           /* bytes of text made in a turn */
};
struct lang_limits lang_limits_default(void); /* 100,000 instructions, depth 64, 64 KiB */

enum lang_outcome { LANG_DONE, LANG_OUT_OF_BUDGET, LANG_TRAP };

struct lang_result {
    enum lang_outcome outcome;
    bool truth;    /* of a condition; false if it is unknown */
    bool unknown;  /* a condition that a missing or stale reading left open */
    uint32_t line; /* of the trap */
    char why[160]; /* one sentence for people; "" if done */
    uint64_t instructions;
};

struct lang_vm;
#define LANG_VAR_TEXT_MAX 256u /* bytes of a str variable; longer texts are cut and end in "…" */

/* NULL without memory. */
struct lang_vm *lang_vm_new(struct alloc *a, const struct lang_program *program,
                            struct lang_host *host, struct lang_limits limits);
void lang_vm_free(struct lang_vm *vm);
/* Goes on with an equal program of another site (same code_hash), so that the old site can be
 * freed: variables, statistics and whatever is suspended stay as they are. Between two turns. */
void lang_vm_adopt(struct lang_vm *vm, const struct lang_program *same);
/* Runs one chunk of the program. */
enum lang_outcome lang_vm_call(struct lang_vm *vm, uint32_t chunk, struct lang_result *out);

/* Variables, for keeping them over a restart. In base units. A text read is valid until the next
 * call. Setting cuts a text that is too long. */
union lang_slot lang_vm_var(const struct lang_vm *vm, uint32_t var);
void lang_vm_var_set(struct lang_vm *vm, uint32_t var, union lang_slot value);
/* True once for each change since the last look. */
bool lang_vm_var_changed(struct lang_vm *vm, uint32_t var);

struct lang_vm_stats {
    uint64_t turns, instructions, traps, overruns;
    uint64_t turn_instructions_peak;
};
struct lang_vm_stats lang_vm_stats(const struct lang_vm *vm);
