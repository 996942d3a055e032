/* automation_internal: what the files of automation/ share. */
#pragma once

#include "async/timer.h"
#include "automation/automation.h"
#include "base/arena.h"
#include "base/map.h"
#include "store/keep.h"

enum { OVERRUNS_MAX = 3, TURN_EFFECTS_MAX = 64, ROUNDS_MAX = 16 };

struct program_run;

/* A reading as one program sees it: the last good sample, and whether it is stale for it. */
struct binding_run {
    struct program_run *run;
    const struct lang_binding *def;
    struct device *device;
    struct device_property *property; /* READ */
    struct value value;               /* last good or uncertain one; a string is in `text` */
    struct str text;
    char text_bytes[256];
    int64_t ts_ms, mono_ns;
    bool has_value, stale;
    struct timer stale_timer;
    struct binding_run *next_reader; /* of the same series */
};

/* The samples of the last `duration_ms` of a reading, for slope(). Thinned to a bounded number:
 * each slot holds the mean of its share of the span. */
enum { WINDOW_SLOTS = 120 };
struct window_run {
    struct binding_run *binding;
    int64_t duration_ms;
    uint32_t head, n;
    struct window_slot {
        int64_t slot;
        double t_sum, v_sum;
        uint32_t n;
    } slots[WINDOW_SLOTS];
};

struct rule_run {
    struct program_run *run;
    const struct lang_rule *def;
    enum rule_state state;
    bool ending; /* active, and the until condition holds since since_ns */
    bool trapped;
    uint32_t trapped_chunk;
    uint32_t overruns, overrun_chunk; /* how often in a row this chunk ran out of budget */
    int64_t since_ns;
    uint32_t alerts; /* how many its last firing raised, to be cleared when it ends */
    uint64_t fired;
    int64_t fired_ms;
    struct timer timer;
};

/* What a turn wants; it takes effect when the turn has ended well. */
struct effect {
    bool is_alert;
    uint32_t binding, action; /* command */
    struct value args[8];
    size_t arg_count;
    enum severity severity; /* alert */
    struct str text;
};

struct program_run {
    struct automation *automation;
    const struct lang_program *def;
    struct lang_vm *vm;
    struct lang_host host;
    struct binding_run *bindings;
    struct window_run *windows;
    struct rule_run *rules;
    enum program_state state;
    char error[256];
    bool evaluating;
    struct binding_run *trigger; /* whose sample this evaluation is about */
    struct arena turn;           /* texts of effects */
    struct effect effects[TURN_EFFECTS_MAX];
    size_t effect_count;
    bool effects_lost;
};

struct automation {
    struct automation_config cfg;
    struct worker *worker;
    struct program_run **runs;
    size_t run_count;
    struct binding_run **readers; /* by series.index */
    size_t readers_n;
    struct sample_listener listener;
    bool started;
    int64_t started_ns;
    void (*rule_changed)(void *ctx, const struct lang_program *p, const struct rule_view *v);
    void *rule_ctx;

    /* state.c */
    struct map kept; /* path -> struct kept_state */
    struct keep *keep;
};

/* automation.c */
/* Of a program that nobody tells anything yet. `find`: among the devices that run, or the next
 * ones. After an error, too, *out is for program_free(); it may be NULL. */
MUST_USE enum err program_new(struct program_run **out, struct automation *a,
                              const struct lang_program *def,
                              struct device *(*find)(struct registry *, struct str),
                              struct error *e);
void program_free(struct program_run *run);                    /* NULL is fine */
MUST_USE bool readers_reserve(struct automation *a, size_t n); /* for series below n */
MUST_USE bool binding_find(struct binding_run *b,
                           struct device *(*find)(struct registry *, struct str));
void program_attach(struct program_run *run);
void program_start(struct program_run *run, bool late); /* with its state restored */

/* reading.c */
/* The first look. `late`: the program starts after the site, and knows what has come since then. */
void reading_start(struct binding_run *b, bool late);
void reading_sample(struct automation *a, const struct sample *s);
void reading_host_init(struct program_run *run);
void reading_stale_check(struct binding_run *b);
void window_add(struct window_run *w, int64_t ts_ms, double v);
bool window_slope(const struct window_run *w, double *per_second);

/* rule.c */
void rule_init(struct rule_run *r, struct program_run *run, const struct lang_rule *def);
/* Looks at all rules that depend on the binding (NULL: at all rules) until nothing changes. */
void rules_evaluate(struct program_run *run, struct binding_run *changed);
void rules_start(struct program_run *run);

/* turn.c */
enum turn_kind { TURN_CONDITION, TURN_BODY, TURN_END_BODY };
/* Runs a chunk; for bodies applies the effects. false: it trapped or ran out of budget. */
bool turn_run(struct rule_run *r, uint32_t chunk, enum turn_kind kind, struct lang_result *res);
void turn_clear_alerts(struct rule_run *r);
/* Those of an earlier run: of a rule's last firing and of its trap, of a program that was stopped.
 */
void turn_end_alerts(struct automation *a, struct str path, uint32_t n);
void turn_program_starts(struct program_run *run);
void turn_program_ends(struct program_run *run);
void turn_host_init(struct program_run *run);

/* state.c: variables and rule states over restarts. */
MUST_USE enum err state_init(struct automation *a, struct error *e);
void state_fini(struct automation *a);
/* After the replay, or after a change: what no rule or variable has any more. */
void state_forget_unknown(struct automation *a);
void state_restore(struct program_run *run);
/* Notes who owns what. `safe`: what an earlier run's programs owned goes to its safe state. */
void state_owners(struct automation *a, bool safe);
/* The scope of its owner has ended: the model's safe action, if it has one. */
void state_make_safe(struct automation *a, struct device *d, struct str program);
void state_rule_changed(struct rule_run *r);
void state_vars_changed(struct program_run *run);
