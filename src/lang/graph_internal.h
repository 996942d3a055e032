/* graph_internal: what rules read and change, over all programs. Private to lang/.
 *
 * Why: two rules can be right each for itself and still fight, wake each other for ever, or open a
 * door to whoever may switch a lamp. Such things show only in the graph of the site: a reading →
 * a rule → an action → the properties that it changes (`confirms`, `affects`) or cuts off (`powers`)
 * → the next rule. The checks are G11 to G18 (docs/language.md).
 * A rule has two parts that act: when its condition comes true, and when `until` does. A part is a
 * node of the graph. Parts come from the tree (own_facts.c) or from a stored summary
 * (summary_read.c); the checks don't know the difference.
 * Cost: linear in parts and in their edges; a property that many rules read and many change is
 * cut off at GRAPH_EDGES_MAX. All memory is the check's arena. */
#pragma once

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
};
#define COND_NODES_MAX 64u
struct cond {
    VEC(struct cond_node) nodes; /* empty: unknown */
};

enum effect_kind {
    EFFECT_LOOKS,   /* at a property: its condition does */
    EFFECT_READS,   /* a property: its body does */
    EFFECT_WATCHES, /* a variable: its condition does */
    EFFECT_USES,    /* a variable: its body does */
    EFFECT_SETS,    /* a variable */
    EFFECT_COMMANDS,
    EFFECT_HEARS,     /* a message: runs with it */
    EFFECT_PUBLISHES, /* a message */
    EFFECT_SIGNAL,    /* an event of a device: runs with it */
    EFFECT_TELLS,     /* the host (alert): `level` */
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

void graph_check(struct checker *k, struct graph *g);
