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

enum lang_binding_kind {
    LANG_BIND_OWN,
    LANG_BIND_READ,
    LANG_BIND_LEASE, /* the device behind a `lease`: commands through it carry the lease */
    LANG_BIND_SIGNAL /* an event of a device: `member` counts the type's signals */
};

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
    uint32_t behind, behind_n;    /* OWN, LEASE: the READ bindings of what the program reads of the
                                     resource through handles that are known only while it runs */
    bool implicit;                /* a property named in place, not by `read` */
    uint32_t source, line;
};

struct lang_var {
    struct str name;
    struct str path; /* stable: its state is kept by it */
    struct lang_type type;
    union lang_slot initial;
    struct str initial_text; /* STR */
    bool has_init_code;      /* its first value is made by code when the program begins; `initial`
                                is none or zero until then */
    uint32_t source, line;
};

/* slope(reading, duration): the host keeps the samples of that span. */
struct lang_window {
    uint32_t binding;
    int64_t duration_ms;
};

#define LANG_NO_CHUNK UINT32_MAX

/* `lease name = program.handle for … wait …`. */
struct lang_lease {
    uint32_t binding;        /* LANG_BIND_LEASE */
    struct str path;         /* stable */
    struct str from;         /* the program that lends */
    int64_t for_ms, wait_ms; /* 0: does not wait. Constants; -1: the program computes it */
    uint32_t source, line;
};

/* `lend name to program priority 5 max 30min`; of LANG_BIND_OWN. */
struct lang_lend {
    uint32_t binding;
    struct str to;    /* a program's name; "" is the operator */
    int32_t priority; /* 0 is the strongest; -1: `never` */
    int64_t max_ms;   /* 0: as long as it wants */
    uint32_t source, line;
};
#define LANG_OPERATOR_PRIORITY 0
#define LANG_OPERATOR_MAX_MS   (15 * 60 * 1000)

enum lang_mode { LANG_MODE_SINGLE, LANG_MODE_RESTART, LANG_MODE_QUEUED };
#define LANG_QUEUED_DEFAULT 8u
#define LANG_QUEUED_MAX     64u

enum lang_rule_kind {
    LANG_RULE_WHEN,    /* becomes active when `condition` has held for hold_ms: runs `body`; then,
                          when `until` has held for until_hold_ms (or, without one, when the
                          condition is false), becomes idle: runs `until_body` */
    LANG_RULE_EVERY,   /* runs `body` every every_ms */
    LANG_RULE_START,   /* runs `body` when the program starts */
    LANG_RULE_AT,      /* runs `body` at at_s on at_days, wall-clock time of the site's zone */
    LANG_RULE_CHANGED, /* runs `body` when the value that `condition` computes differs from before
                          (the chunk returns it; vars and reads as for WHEN) */
    LANG_RULE_SIGNAL,  /* runs `body` at each event of `signal`, a binding */
    LANG_RULE_MESSAGE, /* runs `body` with each message on `subject`; the chunk has one parameter */
    LANG_RULE_IDLE, /* runs `body` when nobody has `signal` (a LANG_BIND_OWN) on lease any more */
};

/* What an AT does at a start about times that came while nothing ran. Several make up for them in
 * the order of those times. */
enum lang_missed {
    LANG_MISSED_SKIP,
    LANG_MISSED_RUN,  /* run once, after a restart */
    LANG_MISSED_LAST, /* run, also at the very first start, if of all the program's rules that say
                         so it is the one whose time came last: what holds from then on */
};

struct lang_rule {
    enum lang_rule_kind kind;
    struct str path;       /* stable: "line_guard/st=plant.press1/when#1" */
    struct str text;       /* of its head: "when temp > 80 °C for 2s" */
    struct str until_text; /* "until temp < 65 °C for 5s" */
    uint32_t source, line;
    uint32_t condition, body, until_condition, until_body; /* chunks, or LANG_NO_CHUNK */
    int64_t hold_ms, until_hold_ms, every_ms;
    const uint32_t *reads; /* bindings that the two conditions depend on */
    size_t reads_n;
    const uint32_t *until_reads; /* those of the until condition alone */
    size_t until_reads_n;
    const uint32_t *vars; /* variables that the two conditions depend on */
    size_t vars_n;
    bool uses_stale; /* a condition says `stale x`: look again when a reading's time runs out */
    bool suspends;   /* the body may suspend: lang_vm_start(); else lang_vm_call() */
    bool until_suspends;
    enum lang_mode mode;
    uint32_t queued_max;
    uint32_t at_s;            /* seconds since midnight */
    uint8_t at_days;          /* bit 0 is Monday */
    enum lang_missed missed;  /* AT */
    uint32_t signal;          /* SIGNAL, IDLE: a binding */
    struct str subject;       /* MESSAGE */
    struct lang_type message; /* MESSAGE */
};

/* A test of the site: timed steps, computed by the checker. Values are in the member's unit. */
enum lang_step_kind {
    LANG_STEP_SET,     /* resource.member holds `value` from now on */
    LANG_STEP_SILENT,  /* its samples stop */
    LANG_STEP_REFUSES, /* the resource does not obey commands */
    LANG_STEP_EVENT,   /* an event: `member` among the signals */
    LANG_STEP_ACTION, /* expect a command (member LANG_STEP_ANY: any) with args, if given, since the
                         step before; `no`: none */
    LANG_STEP_HOST,   /* expect the host's statement (`alert`), its level, a part of its text */
    LANG_STEP_VALUE,  /* expect resource.member `op` value */
    LANG_STEP_VAR,    /* expect the variable `path` of `program` `op` value */
    LANG_STEP_PASS,   /* nothing: time passes up to here */
};
#define LANG_STEP_ANY UINT32_MAX
struct lang_step {
    enum lang_step_kind kind;
    int64_t at_ms; /* since the test's start */
    bool no;
    const struct lang_decl *resource;
    uint32_t member;
    enum lang_cmp op;
    struct lang_type type; /* of value */
    union lang_slot value; /* a text is in `text` */
    struct str text;
    const union lang_slot *args;
    const struct str *arg_texts;
    size_t args_n;
    bool has_args;
    uint32_t host, level; /* level LANG_STEP_ANY: any */
    struct str program, path;
    struct lang_span span;
    uint32_t line;
};
struct lang_test {
    struct str name;
    uint32_t source, line;
    uint32_t start_s;  /* time of day */
    uint8_t start_day; /* 0 is Monday */
    const struct lang_step *steps;
    size_t steps_n;
};

struct lang_chunk;
struct lang_code; /* bytecode and constants; code_internal.h */

struct lang_program {
    struct str name;
    struct str file; /* name of its source */
    uint32_t source, line;
    struct lang_span span; /* from its name to its last brace; empty if a summary tells of it */
    uint64_t code_hash;    /* of everything that decides what it does */
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
    const struct lang_lease *leases;
    size_t leases_n;
    const struct lang_lend *lends;
    size_t lends_n;
    const struct lang_code *code;
    size_t chunks_n, instructions_n;
};

/* Its bytecode, for people: each chunk with its rule or function, lines and constants. */
void lang_program_dump(struct strbuf *out, const struct lang_program *program);

/* ---- the machine ----------------------------------------------------------------------- */

struct lang_sample {
    union lang_slot value; /* in the member's unit; a str must live until the turn ends */
    bool has_value;
    bool stale; /* older than the binding's stale_ms, or none within it since the start */
};

struct lang_host {
    void (*read)(struct lang_host *h, uint32_t binding, struct lang_sample *out);
    /* args in the declared units; they and their texts live until the call returns. An error
     * traps the turn with err_name(). */
    /* ERR_BUSY: the handle is out on lease (the program goes on with its `else`). */
    enum err (*command)(struct lang_host *h, uint32_t binding, uint32_t action,
                        const union lang_slot *args, size_t args_n);
    /* A host statement: its index in the schema, the index of its level, its text. */
    void (*statement)(struct lang_host *h, uint32_t statement, uint32_t level, struct str text);
    /* Change per second of the window's reading, in the member's unit; false if there are too few
     * samples (two at least, over half of the span). */
    bool (*slope)(struct lang_host *h, uint32_t window, double *out);
    int64_t (*now_ms)(struct lang_host *h);
    /* Grammar 2. NULL members trap the turn that needs them. */
    double (*random)(struct lang_host *h);   /* [0, 1) */
    int64_t (*mono_ms)(struct lang_host *h); /* for sleep, after */
    /* A reading of the device behind a handle: the member by its index among the readables. It is
     * one of lang_binding.behind. */
    void (*read_handle)(struct lang_host *h, uint32_t binding, uint32_t member,
                        struct lang_sample *out);
    /* Asks for a lease: `id` is new for each time the statement runs. The answer is
     * lang_vm_lease(), within this call or later; the task waits. */
    void (*lease)(struct lang_host *h, uint32_t id, uint32_t lease, int64_t for_ms,
                  int64_t wait_ms);
    void (*release)(struct lang_host *h, uint32_t id, bool crashed); /* the block ended */
    enum err (*revoke)(struct lang_host *h, uint32_t binding);       /* takes back what is out */
    /* A handle ended without being handed on: run its safe action, even if the turn traps. */
    void (*safe)(struct lang_host *h, uint32_t binding);
    /* Copied by the host; the bytes are for lang_vm_message() of other programs. */
    void (*publish)(struct lang_host *h, struct str subject, struct str value);
    /* CPU time in ns, for pauses; may be NULL. */
    int64_t (*cpu_ns)(struct lang_host *h);
};

struct lang_limits {
    uint64_t instructions_max; /* for a turn; charged by lengths of code, an upper bound */
    uint32_t depth_max;        /* of function calls */
    size_t text_max;           /* bytes of text made in a turn */
    size_t heap_max;           /* bytes of data of a program */
    uint32_t tasks_max;
};
struct lang_limits
lang_limits_default(void); /* 100,000 instructions, depth 64, 64 KiB, a heap of 4 MiB, 256 tasks */

enum lang_outcome {
    LANG_DONE,
    LANG_OUT_OF_BUDGET, /* a call: failed; a task: interrupted, goes on in its next turn */
    LANG_TRAP,
    LANG_SUSPENDED, /* a task waits */
    LANG_IDLE,      /* lang_vm_step(): no task is ready */
};

struct lang_result {
    enum lang_outcome outcome;
    bool truth;    /* of a condition; false if it is unknown */
    bool unknown;  /* a condition that a missing or stale reading left open */
    uint32_t line; /* of the trap */
    char why[160]; /* one sentence for people; "" if done */
    uint64_t instructions;
};

/* What the machines of one thread need while they run and can share: a stack, the undo log, empty
 * blocks for their heaps. Longer-lived than they are. NULL without memory. */
struct lang_worker;
struct lang_worker *lang_worker_new(struct alloc *a, uint32_t depth_max);
void lang_worker_free(struct lang_worker *w);

struct lang_vm;
/* NULL without memory. */
struct lang_vm *lang_vm_new(struct alloc *a, const struct lang_program *program,
                            struct lang_host *host, struct lang_limits limits);
void lang_vm_free(struct lang_vm *vm);
/* It runs on this worker's thread from now on; between turns. All workers have the machine's
 * allocator. A machine that is on none makes one of its own at its first turn. */
void lang_vm_attach(struct lang_vm *vm, struct lang_worker *w);
/* Goes on with an equal program of another site (same code_hash), so that the old site can be
 * freed: variables, statistics and whatever is suspended stay as they are. Between two turns. */
void lang_vm_adopt(struct lang_vm *vm, const struct lang_program *same);
/* Runs one chunk of the program. */
enum lang_outcome lang_vm_call(struct lang_vm *vm, uint32_t chunk, struct lang_result *out);

/* ---- tasks -------------------------------------------------------------------------------
 * Tasks of one program run one at a time, in the order in which they became ready (logged). */

/* A body that may suspend, as a task of its own; `rule` is told back in struct lang_turn. 0 when
 * the program has too many tasks or no memory. It runs at the next lang_vm_step(). */
uint32_t lang_vm_start(struct lang_vm *vm, uint32_t chunk, uint32_t rule);
/* The same for a LANG_RULE_MESSAGE, whose body gets the value; 0 also if the bytes are not of its
 * type. */
uint32_t lang_vm_message(struct lang_vm *vm, uint32_t rule, struct str value);
/* Ends a task: its scopes end, what it owns becomes safe, its leases are released. */
void lang_vm_stop(struct lang_vm *vm, uint32_t task);
/* All of them; then what sits in the program's channels becomes safe, too. */
void lang_vm_stop_all(struct lang_vm *vm);
/* The task that lang_vm_start() or lang_vm_message() made for this rule and that is not over; 0:
 * none. For tasks that lang_vm_restore() brought back. */
uint32_t lang_vm_rule_task(const struct lang_vm *vm, uint32_t rule);

struct lang_turn {
    struct lang_result result;
    uint32_t task, rule; /* rule: UINT32_MAX for one that was spawned */
    bool ended;          /* the task is over */
    uint64_t number;     /* of the turn in this program */
    int64_t at_ms;
};
/* One turn of the next task that is ready. */
enum lang_outcome lang_vm_step(struct lang_vm *vm, struct lang_turn *out);
/* When the first one that sleeps wants to go on (mono_ms); INT64_MAX: none. */
int64_t lang_vm_next_ms(const struct lang_vm *vm);
/* Makes those ready whose time has come. */
void lang_vm_tick(struct lang_vm *vm, int64_t mono_ms);
/* An event of a device, for arms of select that wait for this binding. */
void lang_vm_signal(struct lang_vm *vm, uint32_t binding);
enum lang_lease_news { LANG_LEASE_GRANTED, LANG_LEASE_DENIED, LANG_LEASE_REVOKED };
void lang_vm_lease(struct lang_vm *vm, uint32_t id, enum lang_lease_news news, struct str why);

/* Everything that outlives a restart: variables, by stable path; tasks with their stacks, times and
 * leases. Restoring takes variables whose type is the same; tasks only when code_hash is the same.
 * What a dropped task owned or had on lease is told, so that the host can make it safe. */
MUST_USE enum err lang_vm_save(struct lang_vm *vm, struct strbuf *out);
struct lang_restored {
    uint32_t tasks, tasks_dropped, vars;
    void (*held)(void *ctx, struct str binding_path, bool lease); /* may be NULL */
    /* A lease that a restored task has: the host takes it up again under this id. */
    void (*lease)(void *ctx, uint32_t id, uint32_t lease);
    void *ctx;
};
MUST_USE enum err lang_vm_restore(struct lang_vm *vm, struct str image, struct lang_restored *r);
bool lang_vm_dirty(const struct lang_vm *vm); /* changed since the last save */

/* Variables, for keeping them over a restart. In base units. A text read is valid until the next
 * call. Of a list, map or record neither reading nor setting makes sense outside. */
union lang_slot lang_vm_var(const struct lang_vm *vm, uint32_t var);
void lang_vm_var_set(struct lang_vm *vm, uint32_t var, union lang_slot value);
/* True once for each change since the last look. */
bool lang_vm_var_changed(struct lang_vm *vm, uint32_t var);

/* As people read it, in its unit. */
void lang_vm_var_print(struct lang_vm *vm, uint32_t var, struct strbuf *out);

/* The latest turns of tasks, the oldest first; for tools. */
struct lang_turn_note {
    uint64_t number;
    int64_t at_ms;
    uint32_t task, rule, instructions;
    enum lang_outcome outcome;
};
size_t lang_vm_notes(const struct lang_vm *vm, struct lang_turn_note *out, size_t max);

struct lang_vm_stats {
    uint64_t turns, instructions, traps, overruns;
    uint64_t turn_instructions_peak;
    uint64_t heap_live, heap_bytes, heap_max; /* bytes */
    uint64_t gc_cycles;
    int64_t gc_pause_max_ns, gc_total_ns; /* CPU time of the thread */
    uint32_t tasks, tasks_max;
};
struct lang_vm_stats lang_vm_stats(const struct lang_vm *vm);
