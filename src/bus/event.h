/* event: what happens on a site besides samples: conditions that people should know (alerts), and
 * actions with their cause and outcome. Siblings that may not include one another meet here.
 *
 * Ownership: events and their strings are borrowed for the call.
 * Threads: worker 0 in this version. */
#pragma once

#include "base/list.h"
#include "base/str.h"
#include "bus/sample.h"

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_CRITICAL };
const char *severity_name(enum severity s);

/* Why something was done: the rule and the sample that made it true. Empty strings: none. */
struct cause {
    struct str program, rule;
    uint32_t line;
    struct str operator_name; /* a person instead of a program */
    struct str series;
    struct value value;
    int64_t ts_ms;
};

/* What a text in English says, as one JSON object: {"code":"program-stopped","program":…}. Codes
 * are stable; docs/http-api.md has them with their members. */
void says_begin(struct strbuf *b, const char *code);
void says_str(struct strbuf *b, const char *key, struct str s);
void says_int(struct strbuf *b, const char *key, int64_t v);
/* "" if there was no memory. */
struct str says_end(struct strbuf *b);

/* A condition came, lasts or went. `key` names the condition: the same key is the same alert. */
struct alert_event {
    struct str key;
    enum severity severity;
    struct str text, device;
    struct str says; /* what sedge itself says in `text`, for who says it in another language; ""
                        if the text is somebody's own: see says_begin() */
    struct cause cause;
    bool active;    /* false: returned to normal */
    bool momentary; /* a message without a later end: it is normal again at once */
    int64_t wall_ms;
};

enum action_state { ACTION_WAITING, ACTION_SENT, ACTION_CONFIRMED, ACTION_FAILED, ACTION_DENIED };
const char *action_state_name(enum action_state s);
/* Why an action has no good end: what its `why` says. On disk: never renumber. */
enum action_reason {
    ACTION_REASON_NONE,
    ACTION_UNCONFIRMED, /* sent so often without reaching what confirms it */
    ACTION_NOT_SENT,
    ACTION_NOT_RECORDED, /* so it was not sent */
    ACTION_REFUSED,      /* by the device */
    ACTION_SUPERSEDED,   /* by a newer one */
    ACTION_UNDECLARED,   /* the changed site has no such action */
    ACTION_MOVED,        /* the changed site has its device at another place */
    ACTION_INTERRUPTED,  /* the site stopped before there was an outcome */
    ACTION_OWNED,        /* somebody tried past the owner (O16) */
};
const char *action_reason_name(enum action_reason r); /* NULL: NONE */
struct action_event {
    struct str id, device, action, args_json, confirms, why;
    enum action_reason reason;
    struct str detail; /* the end of `why`: what the reason alone does not tell */
    enum action_state state;
    uint32_t attempts;
    struct cause cause;
    int64_t requested_ms, outcome_ms;
};

/* A device says that something has happened: a button was pressed. */
struct signal_event {
    struct str device, event;
    int64_t wall_ms;
};

struct bus;
struct event_listener {
    struct list link;
    void (*alert)(struct event_listener *l, const struct alert_event *e);   /* may be NULL */
    void (*action)(struct event_listener *l, const struct action_event *e); /* may be NULL */
    void (*signal)(struct event_listener *l, const struct signal_event *e); /* may be NULL */
};
void bus_event_listen(struct bus *b, struct event_listener *l);
void bus_event_unlisten(struct event_listener *l);
void bus_alert_publish(struct bus *b, const struct alert_event *e);
void bus_action_publish(struct bus *b, const struct action_event *e);
void bus_signal_publish(struct bus *b, const struct signal_event *e);
