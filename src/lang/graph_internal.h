/* graph_internal: what rules read and change, over all programs. Private to lang/.
 *
 * Why: two rules can be right each for itself and still fight, wake each other for ever, or open a
 * door to whoever may switch a light. Such things show only in the graph of the site: a reading →
 * a rule → an action → the readables that it changes (`confirms`, `affects`) or cuts off
 * (`powers`) → the next rule. The checks are G11 to G18 (docs/language.md). A rule has two parts
 * that act: when its condition comes true, and when `until` does. A part is a node of the graph.
 * Parts come from the tree (own_facts.c) or from a stored summary (summary_read.c); the checks
 * don't know the difference. Cost: linear in parts and in their edges; a readable that many rules
 * read and many change is cut off at GRAPH_EDGES_MAX. All memory is the check's arena. */
#pragma once

#include "base/map.h"
#include "lang/ctx_internal.h"

struct checker;

enum graph_part { PART_CONDITION, PART_BODY, PART_UNTIL, PART_UNTIL_BODY };

/* What a condition says about readings and variables, in reverse Polish order; the rest of it is
 * unknown. Values are in base units. */
enum cond_op { COND_UNKNOWN, COND_AND, COND_OR, COND_NOT, COND_READ, COND_VAR };
struct cond_node {
    enum cond_op op;
    enum lang_cmp cmp;
    const struct lang_decl *resource; /* READ */
    const struct lang_member *member;
    struct str var; /* VAR: its path */
    double value;
    bool truth; /* the value is a bool */
};
#define COND_NODES_MAX 64u
struct cond {
    VEC(struct cond_node) nodes; /* empty: unknown */
};

enum effect_kind {
    EFFECT_LOOKS,   /* at a readable: its condition does */
    EFFECT_READS,   /* a readable: its body does */
    EFFECT_WATCHES, /* a variable: its condition does */
    EFFECT_USES,    /* a variable: its body does */
    EFFECT_SETS,    /* a variable */
    EFFECT_COMMANDS,
    EFFECT_HEARS,     /* a message: runs with it */
    EFFECT_PUBLISHES, /* a message */
    EFFECT_SIGNAL,    /* an event of a thing: runs with it */
    EFFECT_TELLS,     /* the host : `level` */
    EFFECT_KINDS
};
struct effect {
    enum effect_kind kind;
    const struct lang_decl *resource;
    const struct lang_member *member;
    struct str name; /* of a variable (its path) or a message */
    uint32_t level;
    bool has_value; /* SETS: a constant */
    double value;
    struct lang_span at;
};

enum trigger { TRIGGER_WHEN, TRIGGER_CHANGED, TRIGGER_EVENT, TRIGGER_TIME, TRIGGER_ONCE };
struct graph_node {
    struct str program;
    uint32_t rule; /* parts of one rule have the same number */
    bool until;
    enum trigger trigger;
    bool delays; /* `for`, `sleep`, or it runs by the clock */
    struct lang_span head;
    struct cond *condition; /* NULL unless WHEN */
    struct effect *effects;
    size_t effects_n;
};

struct graph {
    VEC(struct graph_node) nodes;
    uint32_t rules;
};

/* ---- ranges and conditions ----------------------------------------------------------------- */

struct range { /* of numbers; empty if lo > hi */
    bool known;
    double lo, hi;
    bool lo_open, hi_open;
};
struct range range_of(enum lang_cmp cmp, double value, bool truth);
bool ranges_meet(const struct range *a, const struct range *b);

/* What runs between rules: a readable, a variable or a message, by number. */
#define CHANNEL_NONE UINT32_MAX
struct link {
    uint32_t channel, node;
    const struct effect *effect;
    bool looks;         /* in: by its condition or because it runs with it; else in a body */
    bool physical;      /* out: `affects`; takes its time, and by how much nobody knows */
    struct range value; /* out: what the channel holds then */
};
struct links { /* sorted by channel: those of channel c are v[from[c]] … v[from[c + 1] - 1] */
    struct link *v;
    uint32_t *from;
    size_t n;
};
struct channel {
    const struct lang_decl *resource; /* of a readable */
    const struct lang_member *member;
    struct str name; /* of a variable (its path) or a message */
    bool message;
};

struct graph_work {
    struct checker *k;
    struct lang_ctx *c;
    struct graph *g;
    uint32_t *base; /* by resource: its first readable's channel */
    struct map names;
    VEC(struct channel) channels;
    VEC(struct link) ins, outs;   /* in order of nodes */
    uint32_t *in_from, *out_from; /* by node */
    struct links readers, writers;
    uint64_t steps; /* of searches; bounded */
    uint32_t told;  /* the rule that was spoken of last */
};
#define GRAPH_STEPS_MAX 4000000u

uint32_t graph_property(const struct graph_work *w, const struct lang_decl *resource,
                        const struct lang_member *m);
/* What the condition says about that channel; not known if nothing. */
struct range cond_range(const struct graph_work *w, const struct cond *c, uint32_t channel);
/* False if the condition can't hold while the channel has such a value. */
bool cond_possible(const struct graph_work *w, const struct cond *c, uint32_t channel,
                   const struct range *value);
/* Whether the rule `in` may come to run because of `out`. */
bool graph_wakes(const struct graph_work *w, const struct link *out, const struct link *in);

/* Actions of one thing that can't both be meant. */
bool graph_opposite(const struct effect *a, const struct effect *b);

struct str graph_rule_text(struct graph_work *w, uint32_t node);
struct str graph_channel_text(struct graph_work *w, uint32_t channel);
struct str graph_effect_text(struct graph_work *w, const struct effect *e); /* "plant.fan.on()" */

void graph_fights(struct graph_work *w); /* G11, G16, G17 */
void graph_loops(struct graph_work *w);  /* G14 */
void graph_chains(struct graph_work *w); /* G12, G18 */
void graph_powers(struct graph_work *w); /* G13, G15 */

void graph_check(struct checker *k, struct graph *g);
