/* path: where in a JSON document a value is: "ENERGY.Power", "sensors[1].value", "[0].v".
 *
 * Steps are keys, apart by dots, and places in a list in brackets, from 0. A key that holds a dot,
 * a bracket or a quote, or is empty, stands in single quotes, where '' is one: "'a.b'.c". "" is the
 * whole payload, which need not be JSON then: a bare value.
 * Ownership: steps live in the arena that path_parse() was given. Threads: none. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

enum { PATH_STEPS_MAX = 16, PATH_BYTES_MAX = 255 };

struct path_step {
    struct str key; /* p NULL: a place in a list */
    size_t index;
};
struct path {
    const struct path_step *steps;
    size_t n;
};
/* ERR_SYNTAX, ERR_RANGE (more than the limits above), ERR_NOMEM; with a text for people. */
MUST_USE enum err path_parse(struct path *out, struct str text, struct arena *a, struct error *e);
/* The next step behind what is there, quoted where it must be. */
void path_add_key(struct strbuf *b, struct str key);
void path_add_index(struct strbuf *b, size_t index);
/* Keys before places, keys bytewise; a path before those that go on from it. */
int path_step_cmp(const struct path_step *a, const struct path_step *b);
int path_cmp(const struct path *a, const struct path *b);
