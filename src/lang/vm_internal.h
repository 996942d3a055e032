/* vm_internal: the state of one machine. Private to lang/.
 *
 * Files: vm.c its life, variables, calls; vm_run.c the loop; vm_op.c, vm_text.c, vm_host.c what
 * takes more than a line; vm_task.c tasks and their turns; vm_chan.c, vm_lease.c what they wait
 * for; vm_undo.c the log of a turn; vm_value.c values as a whole; vm_save.c and vm_load.c images.
 */
#pragma once

#include "base/stats.h"
#include "lang/chan.h"
#include "lang/code_internal.h"
#include "lang/dict.h"
#include "lang/heap.h"
#include "lang/list.h"
#include "lang/program.h"
#include "lang/text.h"

#define VM_UNDO_MAX     65536u /* words of one turn */
#define VM_LEASES_MAX   16u    /* of one task, nested */
#define VM_WHY_MAX      120u   /* bytes of the reason of a revocation */
#define VM_OVERRUNS_MAX 1000u  /* turns in a row that a task may be interrupted */
#define VM_PACK_DEEP    8u
#define VM_EQUAL_MAX    65536u     /* values, or pieces of 16 bytes, that one comparison looks at */
#define VM_HAS_MAX      (1u << 20) /* the same, of all that is compared to find an element */
#define VM_SORT_MAX     (64u << 20) /* bytes that sorting texts may look at */
#define VM_BYTES_EACH   64u         /* bytes compared for the price of an instruction */
#define VM_NOTES        16u
#define VM_NOBODY       UINT32_MAX

/* A function that runs. `pc` of all but the innermost: where it goes on; of that: the instruction
 * at hand whenever the loop is left or calls somebody. */
struct vm_frame {
    const struct instr *pc;
    union lang_slot *base;
    const struct lang_chunk *chunk;
};

/* A word as it was before this turn. obj NULL: it is a variable. */
struct vm_undo {
    struct obj *obj;
    union lang_slot *word;
    union lang_slot old;
    uint32_t before; /* entry in its row + 1, 0: it is the first */
    bool ref;
};

/* What machines need only while they run: shared by those of one thread. */
struct lang_worker {
    struct alloc *alloc;
    struct heap_blocks blocks;
    union lang_slot *slots;
    size_t slots_n;
    struct vm_frame *frames; /* the first one is what the outermost returns to */
    uint32_t depth_max;
    struct vm_undo *undo;
    size_t undo_n, undo_cap;
    uint32_t *undo_rows; /* undo_cap of them: by a word's address, its latest entry */
    struct strbuf text;
    struct lang_sample sample; /* being read */
};

enum vm_state { VM_READY, VM_RUNNING, VM_WAITING };
enum vm_lease_state { VM_LEASE_ASKED, VM_LEASE_HELD, VM_LEASE_DENIED, VM_LEASE_REVOKED };

/* A lease block that a task is in, or waits to enter. */
struct vm_lease {
    uint32_t id, lease;
    uint32_t depth;         /* its frame, 1 is the outermost */
    const struct instr *at; /* its LEASE */
    enum vm_lease_state state;
    bool entered; /* its block */
    bool ended;   /* in this turn */
    bool final;   /* ended for good, even if the turn fails */
    uint32_t why_n;
    char why[VM_WHY_MAX];
};

struct vm_saved_frame {
    uint32_t chunk, pc, base;
};

/* A task that does not run now has its frames and registers here; while it runs they stay as they
 * were when the turn began, since a turn that fails ends the task as if it had never begun. */
struct vm_task {
    struct vm_task *next, *next_ready; /* of all, by number; of those that are ready */
    uint32_t id, rule;
    enum vm_state state;
    uint64_t born; /* turn in which it was spawned */
    uint32_t overruns;
    uint32_t cycle; /* of the collector, in which `slots` were marked */
    /* waiting */
    int64_t wake_ms; /* INT64_MAX: not for time */
    bool timed;      /* wake_ms belongs to the instruction at which it waits */
    bool due;        /* that time has come */
    uint32_t signal; /* an event that came for it: binding, or VM_NOBODY */
    struct vm_saved_frame *frames;
    size_t frames_n, frames_cap;
    union lang_slot *slots;
    size_t slots_n, slots_cap;
    struct vm_lease *leases; /* outermost first */
    size_t leases_n, leases_cap;
};

struct lang_vm {
    struct alloc *alloc;
    const struct lang_program *program;
    const struct lang_code *code;
    struct lang_host *host;
    struct lang_limits limits;
    struct lang_worker *worker;
    bool own_worker;

    struct text **texts; /* the code's constants, then what variables that are texts begin with */
    char *texts_block;
    size_t texts_bytes;

    union lang_slot *vars;
    uint32_t *var_epochs; /* heap.epoch of the turn that has logged it */
    bool *changed;
    bool dirty; /* since the last save */

    /* The turn. */
    struct vm_frame *fp;
    int64_t budget;  /* below 0: used up; valid while the loop is left or calls somebody */
    uint64_t forced; /* complete collections that are charged */
    size_t text_made;
    uint64_t turn;        /* number */
    struct vm_task *task; /* whose turn it is, or NULL: a call */
    bool revoked;         /* one of its leases was */
    bool heap_changed;    /* data older than the turn */
    char why[160];
    struct str host_text; /* lang_vm_var() of a text */

    struct vm_task *tasks, *tasks_end;
    struct vm_task *ready, *ready_end;
    uint32_t tasks_n, next_task, next_lease;
    size_t tasks_bytes; /* of saved stacks; counted against the limit of the heap */

    struct obj *
        *loading; /* while an image is restored: its objects, NULL where there is none yet */
    size_t loading_n;

    struct lang_turn_note *notes; /* VM_NOTES; NULL until a task has run */
    uint64_t notes_n;
    struct lang_vm_stats stats;
    struct heap heap;
};

/* ---- the loop ---------------------------------------------------------------------------- */

enum vm_exit {
    VM_GO,
    VM_DONE,
    VM_TRAP,
    VM_BUDGET,
    VM_SUSPEND,
    VM_ENDED /* a task: what it waits for will never come */
};
/* Goes on at vm->fp until the outermost frame returns, its result then is in worker->slots[0]. */
enum vm_exit vm_loop(struct lang_vm *vm);

/* One instruction that takes more than a line. Returns where to go on; NULL: it trapped. */
typedef const struct instr *vm_slow_fn(struct lang_vm *vm, union lang_slot *reg,
                                       const struct instr *i);
/* One that may change the frames, or suspend. VM_GO: goes on at vm->fp->pc. */
typedef enum vm_exit vm_control_fn(struct lang_vm *vm, union lang_slot *reg, const struct instr *i);
/* By op; NULL: the loop does it. */
extern vm_slow_fn *const vm_slow[CODE_OPS_N];
extern vm_control_fn *const vm_control[CODE_OPS_N];

/* Says why; for `return vm_trap(…)`. */
const struct instr *vm_trap(struct lang_vm *vm, const char *fmt, ...) PRINTF_LIKE(2, 3);
const struct instr *vm_trap_nomem(struct lang_vm *vm); /* of the heap, or the log */
const struct instr *vm_trap_none(struct lang_vm *vm);  /* there is no value */
static inline const struct instr *vm_next(const struct instr *i)
{
    return i + 1 + code_words(i);
}
/* Costs beyond an instruction's length: n units of work on long data. */
static inline void vm_charge(struct lang_vm *vm, size_t n)
{
    vm->budget -= (int64_t)(n / 16);
}
/* Where memory is so short that the collector has to look at all of it again and again, the turn
 * pays for that, though less than it takes: else it would hold up everybody for seconds. */
static inline void vm_charge_forced(struct lang_vm *vm)
{
    uint64_t n = vm->heap.stats.forced - vm->forced;
    vm->budget -= (int64_t)(n * vm->heap.stats.bytes / 128);
    vm->forced += n;
}
static inline const struct code_type *vm_type(const struct lang_vm *vm, uint16_t type)
{
    return &vm->code->types[type];
}
static inline const struct code_type *vm_reg_type(const struct lang_vm *vm, uint8_t reg)
{
    return vm_type(vm, vm->fp->chunk->reg_types[reg]);
}

/* ---- frames ------------------------------------------------------------------------------ */

void vm_worker_frame(struct lang_worker *w); /* what the outermost one returns to */
/* Its references and handles, when it is entered. */
static inline void vm_zero_refs(union lang_slot *reg, const struct lang_chunk *k)
{
    for (unsigned i = k->zero_from; i < k->regs_n; i++)
        reg[i].i = 0;
}
/* The outermost frame of a turn, at the chunk's start. */
static inline void vm_enter(struct lang_vm *vm, const struct lang_chunk *chunk)
{
    struct vm_frame *f = &vm->worker->frames[1];
    f->pc = chunk->code;
    f->base = vm->worker->slots + 1;
    f->chunk = chunk;
    vm_zero_refs(f->base, chunk);
    vm->fp = f;
    vm->budget -= chunk->code_n;
}
static inline uint32_t vm_depth(const struct lang_vm *vm) /* of vm->fp, 1 is the outermost */
{
    return (uint32_t)(vm->fp - vm->worker->frames);
}
static inline bool vm_in_chunk(const struct lang_chunk *c, const struct instr *i)
{
    return i >= c->code && i < c->code + c->code_n;
}
/* What own handles hold becomes safe. */
void vm_safe_registers(struct lang_vm *vm, const struct lang_chunk *c, union lang_slot *base);

/* ---- the undo log (vm_undo.c) ------------------------------------------------------------ */

void vm_note_changes(struct lang_vm *vm); /* of the log, which is empty then */
void vm_forget_epochs(struct lang_vm *vm);
static inline void vm_turn_begin(struct lang_vm *vm)
{
    if (heap_turn(&vm->heap))
        vm_forget_epochs(vm);
    vm->forced = vm->heap.stats.forced;
    vm->text_made = 0;
    vm->heap_changed = false;
    vm->why[0] = '\0';
    vm->budget = (int64_t)vm->limits.instructions_max;
    vm->turn++;
}
static inline void vm_turn_commit(struct lang_vm *vm)
{
    if (vm->worker->undo_n > 0)
        vm_note_changes(vm);
    vm->fp = NULL;
}
void vm_turn_undo(struct lang_vm *vm);
void vm_turn_failed(struct lang_vm *vm); /* the same, and what was spawned is gone */
MUST_USE bool vm_var_log(struct lang_vm *vm, uint32_t var); /* before its first change */
void vm_set_roots(struct lang_vm *vm);
void vm_task_mark(struct lang_vm *vm, struct vm_task *t);

/* ---- turns (vm.c) ------------------------------------------------------------------------ */

bool vm_worker(struct lang_vm *vm); /* has one; false: no memory */
void vm_fill_result(struct lang_vm *vm, enum vm_exit e, struct lang_result *out);
void vm_note(struct lang_vm *vm, const struct lang_turn *t);

/* ---- values (vm_value.c) ----------------------------------------------------------------- */

/* By content. Too deep (CODE_DEEP_MAX) or too much to compare is a trap: vm->why, and false. */
bool vm_equal(struct lang_vm *vm, uint16_t type, union lang_slot a, union lang_slot b);
/* Whether one of a list's elements, which are of that type, is equal. The same. */
bool vm_list_has(struct lang_vm *vm, uint16_t type, const struct lang_list *l, union lang_slot v);
void vm_print(struct lang_vm *vm, struct strbuf *out, uint16_t type, union lang_slot v);
/* A copy for other programs, no deeper than VM_PACK_DEEP. False: it is deeper, or holds what can't
 * leave a program (channels, functions), or out->failed. */
bool vm_pack(struct lang_vm *vm, struct strbuf *out, uint16_t type, union lang_slot v);
/* False: not of that type, or no memory. The result must be put where it is reachable at once. */
bool vm_unpack(struct lang_vm *vm, struct str packed, uint16_t type, union lang_slot *out);

/* ---- texts (vm_text.c) ------------------------------------------------------------------- */

/* NULL after a trap. Counts against the turn's limit. */
struct text *vm_text_new(struct lang_vm *vm, struct str s);
struct str vm_str(union lang_slot s); /* "" for none */

/* ---- tasks (vm_task.c) ------------------------------------------------------------------- */

/* NULL: too many, or no memory. Its arguments are written into slots by the caller. */
struct vm_task *vm_task_new(struct lang_vm *vm, uint32_t chunk, uint32_t rule);
struct vm_task *vm_task_blank(struct lang_vm *vm, size_t frames,
                              size_t slots); /* not in the list */
void vm_task_add(struct lang_vm *vm, struct vm_task *t);
void vm_task_ready(struct lang_vm *vm, struct vm_task *t);
void vm_task_free(struct lang_vm *vm, struct vm_task *t);
void vm_drop_newborn(struct lang_vm *vm); /* what this turn spawned is gone */
/* Wakes those that wait at a channel. */
void vm_chan_changed(struct lang_vm *vm, struct chan *c);
/* What sits in the program's channels of handles becomes safe, the oldest first; they are empty
 * then. Between turns, when there are no tasks. */
void vm_chans_safe(struct lang_vm *vm);

/* ---- leases (vm_lease.c) ----------------------------------------------------------------- */

/* Of the task's frames from `depth` on, innermost first: given back, as after a crash. */
void vm_lease_crash(struct lang_vm *vm, struct vm_task *t, uint32_t depth);
void vm_lease_prune(struct lang_vm *vm, struct vm_task *t); /* of frames that are no more */
void vm_lease_commit(struct vm_task *t);
bool vm_lease_any_revoked(const struct vm_task *t);

/* One was revoked: leaves what was entered since, goes on at its `revoked`. */
enum vm_exit vm_lease_revoked(struct lang_vm *vm);
