/* declare: models and devices as text of the language, laid out as a person would.
 *
 *     model Plug {
 *       property power:  W     range 0..4000  // seen 0 … 41.5
 *       property on:     bool
 *       action   on()  confirms on
 *       action   off() confirms not on
 *       safe     off()
 *     }
 *
 *     device home.plug1: Plug {
 *       id "tasmota:plug1"
 *       property power = "ENERGY.Power" on "tele/plug1/SENSOR"
 *     }
 *
 * Why: what a proposal and an import write stays in the site's files for years, so it looks like
 * the rest of them.
 * Whoever calls sees to it that names are names (name.h) and types types; texts are escaped here,
 * and comments stay on their lines, whatever a device has put into them. Ownership: borrows what it
 * is given. Threads: any. Errors: those of the strbuf. */
#pragma once

#include "base/str.h"

struct declare_property {
    struct str name, type; /* "°C", "bool", "int" */
    bool has_range;
    double min, max;
    struct str comment; /* behind it, on its line; "": none */
};
struct declare_param {
    struct str name, type;
};
struct declare_action {
    struct str name;
    const struct declare_param *params;
    size_t param_count;
    struct str confirms; /* "position > 90 %"; "": by another way */
    struct str comment;
};
struct declare_model {
    struct str name;
    struct str comment; /* lines above it, without slashes; "": none */
    const struct declare_property *properties;
    size_t property_count;
    const struct declare_action *actions;
    size_t action_count;
    const struct str *events;
    size_t event_count;
    struct str safe; /* an action's name; "": none */
};
void declare_model(struct strbuf *out, const struct declare_model *m);
/* Its lines alone, to be put into a model that is there. Two blanks deep. */
void declare_members(struct strbuf *out, const struct declare_model *m);

/* One clause of a device's body, as text: `head` and `tail` are apart so that the tails of clauses
 * that follow each other stand in one column: "property power" and "= \"P\" on \"t\"". Those with
 * the same `column` (not 0) do. */
struct declare_clause {
    struct str head, tail;
    int column;
    const struct declare_clause *block; /* { … } behind it; NULL: none */
    size_t block_count;
    struct str comment;
};
struct declare_device {
    struct str name, model;
    struct str comment;
    const struct declare_clause *clauses;
    size_t clause_count;
};
/* On one line if its clauses are short and few, without comments and blocks. */
void declare_device(struct strbuf *out, const struct declare_device *d);
/* The clauses alone, `indent` blanks deep, to be put into a body that is there. */
void declare_clauses(struct strbuf *out, const struct declare_clause *c, size_t n, unsigned indent);

/* A text in quotes, with escapes; braces stand for themselves, too. */
void declare_text(struct strbuf *out, struct str text);
/* The shortest number that reads back the same, as the language writes it. */
void declare_number(struct strbuf *out, double v);
