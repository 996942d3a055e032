/* automation_internal: what the files of automation/ share.
 *
 * A program's run is an actor. Whatever happens to it is an event (event.c), handled in order: a
 * sample, a time that has come, a lease, a message. Handling one runs turns of its machine, and
 * what they decided is noted as effects (effect.h), in order. The effects are then applied by the
 * worker of the registry and the journal (apply.c), the only one that touches anything of the site.
 *
 *     program_post()    its worker: an event for the run
 *     run_handle()      whoever runs it: readings, rules, tasks; makes effects
 *     program_apply()   the registry's worker: commands, alerts, leases, what is kept; sets the
 * timer
 *
 * With one worker these three follow each other at once. With several, handling is a free task
 * (task_spawn_free()), so that programs run beside each other; a run is handled again only when
 * what it decided before is applied. So what a run is made of belongs to who handles it from
 * RUN_BUSY on, and to the registry's worker in all other phases; what that worker looks at in
 * between is its own (`the registry's worker's`). When the executor stops with runs in flight,
 * what they decided has not happened, as after a power cut. */
#pragma once

#include "async/timer.h"
#include "automation/automation.h"
#include "automation/due.h"
#include "automation/effect.h"
#include "automation/lease.h"
#include "base/map.h"
#include "base/mpsc.h"
#include "store/keep.h"

enum {
    OVERRUNS_MAX = 3, /* of a body, in a row */
    ROUNDS_MAX = 16,
    TURNS_MAX = 64,            /* of tasks for one event */
    WORK_MAX = 400000,         /* and their instructions, about: others wait meanwhile */
    INBOX_MAX = 4096,          /* events that wait for one program */
    INBOX_BYTES_MAX = 4 << 20, /* and their memory */
    BATCH_MAX = 64,            /* events that are handled before their effects are applied */
    DRAIN_MAX = 256,           /* events that follow from one, before others have their turn */
    TEXT_KEPT_MAX = 256,       /* bytes of a text reading */
};

struct program_run;
struct device;

/* ---- events ---------------------------------------------------------------------------- */

enum event_kind {
    EVENT_START,
    EVENT_SAMPLE, /* of binding `index`; `quiet`: it is replayed or late, so it goes to windows only
                   */
    EVENT_LOST,   /* what binding `index` reads is known to be out of reach */
    EVENT_DUE,    /* a time that the run waits for has come */
    EVENT_SIGNAL, /* of binding `index` */
    EVENT_MESSAGE, /* for rule `index`: `bytes` */
    EVENT_LEASE,   /* `news` about the run's lease `index`; why in `bytes` */
    EVENT_OUT,     /* its handle `index` went out (`out`) or came home */
    EVENT_IDLE,    /* its handle `index` is home, and nobody waits for it */
};
struct event {
    struct event *next; /* of one that waits */
    enum event_kind kind;
    uint32_t index;
    bool quiet, out;
    enum lang_lease_news news;
    struct value value;
    int64_t ts_ms, mono_ns;
    struct str bytes; /* value.s too, if it is a text: behind the struct when it waits */
    size_t size;      /* of the copy; 0: it is a part of its run */
};

/* ---- what a run is made of ---------------------------------------------------------------- */

/* A reading as one program sees it: the last good sample, and whether it is stale for it. */
struct binding_run {
    struct program_run *run;
    const struct lang_binding *def;
    struct device *device;            /* the registry's worker only, and the two below */
    struct device_property *property; /* READ */
    struct binding_run *next_reader;  /* of the same series */
    struct value value;               /* last good or uncertain one */
    char *text;                       /* TEXT_KEPT_MAX bytes of a STR, else NULL */
    struct str text_now;
    int64_t ts_ms, mono_ns;
    bool has_value, stale;
    bool unawaited; /* its silence says nothing (registry.h) */
    bool out;       /* OWN: on lease to a program */
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

/* A value that waits for its turn, of a queued rule. */
struct waiting {
    struct waiting *next;
    size_t n;
    uint8_t bytes[];
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
    int64_t since_ms;      /* of a hold time, by the wall clock; 0: it holds nothing */
    int64_t kept_since_ms; /* the same, of before a restart, until its first look */
    int64_t due_ms;        /* AT: the wall-clock time that it waits for */
    int64_t seen_ms;       /* AT: until then nothing was missed; 0: it is new */
    uint32_t alerts;       /* how many its last firing raised, to be cleared when it ends */
    uint64_t fired, skipped;
    int64_t fired_ms;
    uint32_t task;                      /* of the body that may wait; 0: none */
    bool task_end;                      /* that task is an `until` body */
    uint32_t queued;                    /* runs that wait for it */
    struct waiting *queue, **queue_end; /* MESSAGE: their values */
};

/* The rules that look when a reading changes (from[b] to from[b + 1]), and, last, when variables
 * do: so that an event costs what depends on it, not what the program has. */
struct watch {
    uint32_t *from, *rules;
    size_t rules_n;
};

enum run_phase {
    RUN_IDLE, /* nothing to do */
    RUN_BUSY, /* it is handled, or a free task is about to */
    RUN_DONE, /* its effects wait to be applied */
};

/* What lang_vm_save() made of it: written to two places in turn, in parts (state_image.c). */
struct image {
    bool wanted; /* it has data or tasks that single variables do not tell */
    bool owed;   /* changed, and not written yet */
    uint64_t generation;
    size_t size; /* of the last one */
    uint32_t parts[2];
    int64_t saved_ms; /* wall clock */
    int64_t due_ns;   /* no earlier */
};

struct lease_ref {
    uint32_t id, lease; /* the machine's number, the program's lease */
};

struct program_run {
    struct automation *automation;
    const struct lang_program *def;
    struct lang_vm *vm;
    struct lang_host host;
    struct binding_run *bindings;
    struct window_run *windows;
    struct rule_run *rules;
    struct watch watch;
    enum program_state state;
    bool begun;   /* EVENT_START has been handled */
    bool goes_on; /* tasks that were spawned before a restart are there again */
    /* while it is handled */
    int64_t now_ns, now_ms;
    int64_t back_ms;             /* while an image is taken: that it is so old */
    struct binding_run *trigger; /* whose sample this evaluation is about */
    struct rule_run *rule;       /* whose turn it is; NULL: a task that was spawned */
    bool vars_may_have_changed;  /* since they were looked at */
    bool vars_changed;           /* since the effects were applied */
    bool worked;                 /* the machine ran, since then */
    bool tasks_ran;              /* at all */
    bool rules_changed;          /* in a way that is kept, since then */
    uint32_t alerts;             /* momentary ones of this turn */
    uint64_t chance;             /* random() */
    bool more;                   /* tasks are ready, and it was the others' turn */
    struct due due;              /* slots: rules, bindings, then the machine's sleepers */
    struct effects effects;
    /* the registry's worker's */
    struct task task;
    struct mpsc_node done;
    struct timer timer;
    struct event *inbox, **inbox_end; /* what came while it was not idle */
    struct event *batch;              /* what is handled now */
    struct event start, time;         /* START and DUE when they wait: they must not be lost */
    bool time_waits;
    uint32_t inbox_n;
    size_t inbox_bytes;
    uint64_t dropped;
    struct list ready; /* of automation.ready: events wait */
    enum run_phase phase;
    bool begin_told;
    bool ending; /* it was replaced or removed: it hears nothing more */
    enum program_state shown;
    char error[256];
    uint64_t lost_told;
    struct image image;
    struct rule_view *views; /* of the last time that its effects were applied */
    struct lang_vm_stats stats;
    VEC(struct lease_ref) leases; /* those it has or waits for */
};

/* Who hears a message (a rule) or a device's event (a binding). */
struct hearer {
    struct hearer *next;
    struct program_run *run;
    uint32_t index;
};

/* Made for all programs at once, and replaced as a whole. */
struct audience {
    struct map signals;  /* "device/event" -> struct hearer, of bindings */
    struct map subjects; /* message -> struct hearer, of rules */
    struct map names;    /* program -> program_run */
    struct arena arena;  /* keys and values of these */
};

/* The owner's newest command while a person has the device. */
struct held_command {
    char device[TEXT_KEPT_MAX];
    struct program_run *run; /* of the owner */
    uint32_t rule;           /* of the run; UINT32_MAX: none */
    uint32_t action;
    struct value args[EFFECT_ARGS_MAX];
    size_t arg_count;
    char text[TEXT_KEPT_MAX]; /* of its text arguments */
};

struct automation {
    struct automation_config cfg;
    struct worker *worker;
    bool parallel;                 /* there are several workers */
    struct lang_worker **machines; /* one for each worker: what its programs share while they run */
    struct program_run **runs;
    size_t run_count;
    struct binding_run **readers; /* by series.index */
    size_t readers_n;
    struct audience audience;
    struct sample_listener listener;
    struct event_listener events;
    struct mpsc_stack done; /* runs whose effects wait */
    struct task collector;
    struct list ready; /* runs for which events wait, of one worker */
    struct timer more; /* when they have to wait for the next tick */
    bool draining;
    uint32_t in_flight; /* runs that are RUN_BUSY on free tasks */
    uint32_t held_up;   /* so often, events_hold() */
    void (*rests)(void *ctx);
    void *rests_ctx;
    bool started;
    int64_t started_ns;
    size_t beginning; /* runs of the start that have not begun yet */
    void (*rule_changed)(void *ctx, const struct lang_program *p, const struct rule_view *v);
    void *rule_ctx;
    struct leases *leases;
    void (*lease_changed)(void *ctx, const struct lease_view *v);
    void *lease_ctx;
    struct error *denied; /* where a person's denied wish is told, while it is asked */
    struct map held;      /* device -> struct held_command */

    /* state.c */
    struct map kept; /* path -> struct kept_state */
    struct keep *keep;
};

static inline uint32_t due_of_rule(const struct rule_run *r)
{
    return (uint32_t)(r - r->run->rules);
}
static inline uint32_t due_of_binding(const struct binding_run *b)
{
    return (uint32_t)(b->run->def->rules_n + (size_t)(b - b->run->bindings));
}
static inline uint32_t due_of_tasks(const struct program_run *run)
{
    return (uint32_t)(run->def->rules_n + run->def->bindings_n);
}

/* ---- program.c: its life ------------------------------------------------------------------- */
/* Of a program that nobody tells anything yet. `find`: among the devices that run, or the next
 * ones. After an error, too, *out is for program_free(); it may be NULL. */
MUST_USE enum err program_new(struct program_run **out, struct automation *a,
                              const struct lang_program *def,
                              struct device *(*find)(struct registry *, struct str),
                              struct error *e);
void program_free(struct program_run *run);
bool binding_find(struct binding_run *b, struct device *(*find)(struct registry *, struct str));
/* `late`: beside others that run already, so its readings begin with what is known. */
void program_start(struct program_run *run, bool late);
/* It is told nothing more: its tasks end, its leases are over. What it owned is its successor's
 * matter. */
void program_end(struct program_run *run);
/* An equal program of another site. */
/* One more of those that were started together. */
void program_begun(struct automation *a);
void program_adopt(struct program_run *run, const struct lang_program *same);
struct program_run *program_find(const struct automation *a, struct str name);

/* ---- audience.c: who is told what
 * ---------------------------------------------------------------- */
bool readers_reserve(struct automation *a, size_t n);
/* ERR_NOMEM: *out is for audience_fini() all the same. */
MUST_USE enum err audience_init(struct audience *out, struct automation *a,
                                struct program_run *const *runs, size_t n);
void audience_fini(struct audience *x); /* zeroed is fine */
/* From here on all runs are told about their samples, and lend what they lend. */
void audience_seated(struct automation *a);

/* ---- event.c: to the run and back -------------------------------------------------------------
 */
void events_init(struct automation *a);
void events_start(struct automation *a);
void events_fini(struct automation *a);
/* Between the two all events wait, so that nobody acts while the site is half one and half another;
 * they nest. */
void events_hold(struct automation *a);
void events_go_on(struct automation *a);
/* `e` and its bytes are copied if they have to wait. */
void program_post(struct program_run *run, const struct event *e);
void program_inbox_free(struct program_run *run);

/* Its machine, on the worker that calls, which alone may use it from here on. */
void run_attach(struct program_run *run);
/* ---- run.c: handling one event; any worker ------------------------------------------------------
 */
void run_handle(struct program_run *run, const struct event *e);

/* reading.c */
void reading_sample(struct automation *a, const struct sample *s);
/* Its device is off-line, or it can't be read: stale for all, before their time is up. */
void reading_quality(struct automation *a, const struct series *s);
void reading_lost(struct binding_run *first);
void reading_signal(struct automation *a, struct str device, struct str event);
void reading_host_init(struct program_run *run);
void reading_start(struct binding_run *b, bool late);
void reading_take(struct binding_run *first, const struct event *e);
void reading_stale_check(struct binding_run *b);
void window_add(struct window_run *w, int64_t ts_ms, double v);
bool window_slope(const struct window_run *w, double *per_second);

/* rule.c */
void rule_init(struct rule_run *r, struct program_run *run, const struct lang_rule *def);
void rule_fini(struct rule_run *r);
void rule_forget_queue(struct rule_run *r);
MUST_USE enum err watch_init(struct watch *w, const struct lang_program *def, struct alloc *a);
void watch_fini(struct watch *w, const struct lang_program *def, struct alloc *a);
/* Looks at all rules that depend on the binding (NULL: at all rules) until nothing changes. */
void rules_evaluate(struct program_run *run, struct binding_run *changed);
void rules_look_at_vars(struct program_run *run);
void rules_start(struct program_run *run);
void rules_begin(struct program_run *run, size_t from);
void rule_due(struct rule_run *r);
void rule_signal(struct rule_run *r);
void rule_message(struct rule_run *r, struct str bytes);

/* body.c: bodies, those that are one turn and those that are tasks */
enum body_kind {
    BODY_FIRE, /* its alerts last until the rule ends */
    BODY_ONCE, /* its alerts are momentary */
    BODY_END,  /* of `until`: momentary, and ends a body that still waits */
};
void body_run(struct rule_run *r, uint32_t chunk, enum body_kind kind, struct str message);
/* Turns of tasks until none is ready, or it is the others' turn: then `more` is set. */
void tasks_run(struct program_run *run);

/* turn.c */
enum turn_kind { TURN_CONDITION, TURN_BODY, TURN_END_BODY };
/* Runs a chunk that can't wait. false: it trapped or ran out of budget, and decided nothing. */
bool turn_run(struct rule_run *r, uint32_t chunk, enum turn_kind kind, struct lang_result *res);
/* Around what the machine does: its effects are this rule's (NULL: of a task that was spawned). */
void turn_begin(struct program_run *run, struct rule_run *r);
/* Keeps the turn's effects, or drops all but the firm ones. `lasting`: its alerts last until the
 * rule ends; else they are momentary. */
void turn_end(struct program_run *run, bool well, bool lasting);
/* It is reported, once until it goes well again; the third budget in a row stops the program. */
void turn_failed(struct program_run *run, struct rule_run *r, uint32_t chunk,
                 const struct lang_result *res);
void turn_well(struct rule_run *r, uint32_t chunk);
void turn_clear_alerts(struct rule_run *r);
void turn_host_init(struct program_run *run);

/* alerts.c: the keys of alerts, and those of an earlier run */
enum { ALERT_KEY_MAX = 1100 };
enum { SAYS_MAX = 2000 }; /* bytes of what an alert of ours says */
void alert_key(struct str path, uint32_t n, char key[ALERT_KEY_MAX]);
void alert_trap_key(struct str path, char key[ALERT_KEY_MAX]);
void alert_program_key(struct str name, char key[ALERT_KEY_MAX]);
void alerts_end(struct automation *a, struct str path, uint32_t n);
void alerts_program_starts(struct program_run *run);
void alerts_program_ends(struct program_run *run);

/* apply.c */
void program_apply(struct program_run *run);
struct cause effect_cause(const struct program_run *run, const struct effect *e);

/* lend.c: leases, of programs and of people */
MUST_USE enum err lend_init(struct automation *a);
void lend_fini(struct automation *a);
MUST_USE enum err lend_own(struct program_run *run); /* what it owns, on its terms */
void lend_ask(struct program_run *run, const struct effect *e);
void lend_release(struct program_run *run, const struct effect *e);
/* A command of the owner while the device is out: kept or skipped. True: it may go. */
bool lend_may_command(struct program_run *run, const struct effect *e);

/* held.c: what an owner wants while a person has its device */
void held_init(struct automation *a);
void held_fini(struct automation *a);
void held_put(struct program_run *run, const struct effect *e);
bool held_send(struct automation *a, struct device *d); /* false: there is nothing */
void held_forget(struct automation *a, struct str device);
void held_restore(struct automation *a); /* behind the leases */
bool held_is_key(struct str path);

/* state.c: variables, tasks and rule states over restarts.
 * What the last run left, and what this one has changed since: to write changes only. */
struct kept_state {
    struct str path;
    uint8_t *value;
    size_t n;
};
/* `remember`: false for what is too large to be held twice. */
void state_put(struct automation *a, struct str path, struct bytes value, bool remember);
MUST_USE enum err state_init(struct automation *a, struct error *e);
void state_fini(struct automation *a);
void state_restore(struct program_run *run);
/* What no program has any more; its alerts end. */
void state_forget_unknown(struct automation *a);
void state_owners(struct automation *a, bool safe); /* safe: what has lost its owner */
void state_make_safe(struct automation *a, struct device *d, struct str program);
void state_rule_changed(struct rule_run *r);
void state_rule_put(struct writer *w, const struct rule_run *r);
void state_rule_take(struct rule_run *r, struct cursor *c);
void state_rule_skip(struct cursor *c);
bool state_is_plain(const struct lang_type *t);      /* kept as a variable; else in an image */
void state_program_changed(struct program_run *run); /* variables and tasks, if they did */
/* state_image.c */
void image_init(struct program_run *run);
void image_changed(struct program_run *run);
void image_restore(struct program_run *run);
bool image_key(struct str path, struct str *program); /* whose, if it is one */
/* What `from` had, to the one that takes its place without a restart. */
void image_hand_over(struct program_run *from, struct program_run *to);
void state_lease_changed(struct automation *a, const struct lease_view *v);
void state_leases_restore(struct automation *a);
/* Whether what this program or person commanded before the restart is still theirs to command. */
bool state_may_resume(void *automation, const struct device *d, struct str program,
                      struct str person);
