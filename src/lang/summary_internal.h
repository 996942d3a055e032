/* summary_internal: what other programs have to know of one, as text. Private to lang/.
 *
 * Why: a changed program is checked against the site without the sources of the others. Its
 * messages have to look as if all had been checked together, so a summary quotes the lines that a
 * mark may stand under; they come back as sources that are empty but for those lines.
 * Format, version 1: lines of words with one space between; a text is its length in bytes, `:` and
 * its bytes; places are numbered in order.
 *     sedge-summary 1
 *     program NAME FILE
 *     place LINE COLUMN BYTES TEXT         the line's text; COLUMN in bytes, from 0
 *     own HANDLE RESOURCE PLACE
 *     lend HANDLE LESSEE PLACE
 *     need PROGRAM HANDLE PLACE            leased from there
 *     message NAME TYPE SAID PLACE         published there, or heard
 *     order RESOURCE RESOURCE PLACE PLACE  leased one inside the other, without `wait`
 *     rule NUMBER TRIGGER UNTIL DELAYS PLACE
 *     if OP …                              its condition: see struct cond_node
 *     does KIND …                          see struct effect
 *     end
 * Summaries come from a store and may be damaged: they are read through a cursor, each number and
 * name is checked, and what does not fit is ERR_CORRUPT. */
#pragma once

#include "lang/own_flow_internal.h"

struct summary_place {
    uint32_t line, column, bytes;
    struct str text;
};
struct summary_own {
    struct str handle, resource;
    uint32_t place;
};
struct summary_lend {
    struct str handle, to;
    uint32_t place;
};
struct summary_need {
    struct str from, handle;
    uint32_t place;
};
struct summary_message {
    struct str name, key;
    uint32_t place;
    bool said;
};
struct summary_order {
    struct str outer, inner;
    uint32_t outer_place, inner_place;
};
struct summary_cond {
    enum cond_op op;
    enum lang_cmp cmp;
    struct str resource, name; /* READ: member; VAR: path */
    double value;
    bool truth;
};
struct summary_effect {
    enum effect_kind kind;
    struct str resource, name;
    uint32_t level, place;
    bool has_value;
    double value;
};
struct summary_rule {
    uint32_t number, place;
    enum trigger trigger;
    bool until, delays, has_condition;
    VEC(struct summary_cond) condition;
    VEC(struct summary_effect) effects;
};
struct summary {
    struct str program, file;
    uint32_t source; /* of the lines that it quotes */
    VEC(struct summary_place) places;
    VEC(struct summary_own) owns;
    VEC(struct summary_lend) lends;
    VEC(struct summary_need) needs;
    VEC(struct summary_message) messages;
    VEC(struct summary_order) orders;
    VEC(struct summary_rule) rules;
};

/* Where one of its places is, in the source of the lines that it quotes. */
struct lang_span summary_span(const struct checker *k, const struct summary *s, uint32_t place);
/* Reads one; texts are copied. ERR_CORRUPT. */
enum err summary_read(struct lang_ctx *c, struct str text, struct summary *out);
/* The quoted lines of all summaries of one file, as a text with every line in its place. */
struct str summary_source(struct lang_ctx *c, const struct summary *list, size_t n, size_t first);
