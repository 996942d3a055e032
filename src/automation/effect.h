/* effect: what a run decided, in order, to be applied by the registry's worker.
 *
 * Effects of a turn count when it ends well; the firm ones (a handle's safe action, a lease given
 * back) always. Ownership: texts live in the arena until effects_clear(), behind which a run that
 * has nothing to do holds no memory. Threads: none. Bounds: EFFECTS_MAX for a turn,
 * EFFECT_TEXTS_MAX bytes between two clears; what is more is lost and counted. A firm one that
 * finds no memory is `broken`: nobody can tell what the program left behind, so it has to be
 * stopped. */
#pragma once

#include "base/arena.h"
#include "base/vec.h"
#include "bus/event.h"

enum { EFFECTS_MAX = 64, EFFECT_ARGS_MAX = 8, EFFECT_TEXTS_MAX = 4 << 20 };

enum effect_kind {
    EFFECT_COMMAND,   /* action of binding */
    EFFECT_SAFE,      /* the safe action of binding; firm */
    EFFECT_ALERT,     /* key, severity, text */
    EFFECT_ALERT_END, /* key; firm */
    EFFECT_PUBLISH,   /* key: the message's name; text: its value, encoded */
    EFFECT_LEASE,     /* lease `index`, id; for_ms, wait_ms */
    EFFECT_RELEASE,   /* id; firm if `crashed` */
    EFFECT_REVOKE,    /* binding */
    EFFECT_RULE,      /* the state of rule `index` has changed; firm; `lasting`: to be kept */
    EFFECT_ERROR,     /* what went wrong last, for people: text; firm */
    EFFECT_FAIL,      /* the program is stopped: text; firm */
};
struct effect {
    enum effect_kind kind;
    uint32_t rule; /* whose turn it was; UINT32_MAX: a task that was spawned */
    uint32_t binding, action, index, id;
    struct value args[EFFECT_ARGS_MAX];
    size_t arg_count;
    int64_t for_ms, wait_ms;
    enum severity severity;
    bool momentary, lasting, crashed;
    bool was_out; /* REVOKE: as the run knew it */
    struct str key, text;
    struct str
        says; /* ALERT: what sedge itself says (bus/event.h); p NULL: the text is the site's */
    uint32_t trigger; /* binding whose sample it was about; UINT32_MAX: none */
    /* RULE: how it is now */
    uint32_t state;
    uint64_t fired;
    int64_t fired_ms;
};

struct effects {
    struct arena arena;
    VEC(struct effect) all;
    struct alloc *alloc;
    size_t turn;   /* where this turn's begin */
    uint64_t lost; /* of all turns */
    bool broken;
};
void effects_init(struct effects *x, struct alloc *a);
void effects_fini(struct effects *x);
void effects_clear(struct effects *x);
/* Zeroed; NULL when the turn has too many, or without memory: counted. */
struct effect *effect_add(struct effects *x, enum effect_kind kind);
bool effect_is_firm(enum effect_kind kind);
/* A copy, for the effect that was added last. False: no memory; unless it is firm, the effect is
 * taken back and counted as lost. */
bool effect_text(struct effects *x, struct str *to, struct str from);
/* Drops this turn's but for the firm ones. */
void effects_undo(struct effects *x);
