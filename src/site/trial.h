/* trial: one `test` of a site, played in a world of its own.
 *
 * Why: whether a line stops in time must be known before it has to. The site's real registry, bus,
 * programs and alerts run on a simulated machine (async/sim): virtual time, a disk in memory, no
 * sockets; so a day passes in a fraction of a second, and the same test gives the same result.
 * The devices are played: a property that the test sets holds its value, reported again often
 * enough to stay fresh; a device obeys a command at once, so that what confirms it comes true,
 * unless the test says that it refuses. What the test does not mention has no value and does not
 * turn stale. An `expect` looks at what happened since the statements before it that did something,
 * or since the `expect`s before them. What is due at an instant has happened when it looks.
 * Ownership: a trial borrows site and test; what it has found is its own, until trial_fini().
 * Threads: the caller's. Errors: trial_run() ERR_NOMEM, or what keeps the site from being built;
 * that the site does not do what is expected is a result. */
#pragma once

#include "base/arena.h"
#include "base/vec.h"
#include "bus/event.h"
#include "lang/lang.h"

enum { TRIAL_EVENTS_MAX = 100000, TRIAL_FAILURES_MAX = 20, TRIAL_NEAR_MAX = 10000 };

/* A command that was decided, or an alert that was raised. */
struct trial_event {
    int64_t at_ms; /* since the start */
    bool is_alert;
    enum severity severity; /* alert */
    struct str text;        /* alert */
    struct str device;
    struct str action, args_json; /* command */
    struct str program, rule;     /* that caused it; "" if none did */
    uint32_t line;
    struct str because; /* "plant.press1.temperature = 85 °C" or "" */
};

/* A condition that held, but not long enough. */
struct trial_near {
    const struct lang_program *program;
    const struct lang_rule *rule;
    int64_t since_ms, held_ms;
    bool over, fired; /* over: it held no longer */
};

struct trial_failure {
    const struct lang_step *step;
    int64_t from_ms, to_ms;        /* where it looked */
    size_t events_from, events_to; /* in trial.events */
    struct str actual;             /* of a value: "is 20 °C"; else "" */
};

struct trial {
    const struct lang_site *site;
    const struct lang_test *test;
    struct arena arena;
    VEC(struct trial_event) events;
    VEC(struct trial_near) nears;
    VEC(struct trial_failure) failures;
    size_t expects;     /* that were looked at */
    size_t events_lost; /* above TRIAL_EVENTS_MAX */
    int64_t lasted_ms;  /* virtual */
};

MUST_USE enum err trial_run(struct trial *t, const struct lang_site *site,
                            const struct lang_test *test, struct error *e);
void trial_fini(struct trial *t); /* safe on a zeroed one */

/* trial_report.c: what became of it, for people and as a JSON object. */
void trial_print(struct strbuf *out, const struct trial *t);
void trial_json(struct strbuf *out, const struct trial *t);
