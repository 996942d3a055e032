/* registry: which devices there are, what their topics and payloads mean, and how they are
 * commanded. Messages become samples here, and commands become messages.
 *
 * A device is reached in one or more of three ways:
 *   convention  `via mqtt "B" json`: it reports as a JSON object on B or B/telemetry, as a bare
 *               value on B/<property>, announces events on B/<event>, takes commands on B/set and
 *               answers on B/ack
 *   mapping     its declaration says where its values are and what to send (mapping.h)
 *   port        something else carries it (a Modbus line): samples come by registry_sample(),
 *               commands go to a struct device_port
 * What the forms of payloads are: docs/payloads.md. Topics that no device claims are listed as
 * discovered, never dropped. Ownership: models, devices and their strings are the registry's for
 * its life. Threads: worker 0. Errors: what a person must mend goes into struct error. */
#pragma once

#include "async/timer.h"
#include "bus/bus.h"
#include "codec/json.h"
#include "registry/mapping.h"
#include "registry/observed.h"

struct registry;

enum compare { COMPARE_LT, COMPARE_LE, COMPARE_GT, COMPARE_GE, COMPARE_EQ, COMPARE_NE };
bool compare_holds(enum compare c, double a, double b);

struct property_def {
    struct str name, unit; /* unit "" if it has none */
    enum value_kind kind;
    bool has_range;
    double min, max;
};
struct param_def {
    struct str name, unit;
    enum value_kind kind;
};
enum { ACTION_PARAMS_MAX = 8 };
struct action_def {
    struct str name;
    const struct param_def *params;
    size_t param_count;
    int confirm_property; /* index of a property; -1: confirmed by B/ack */
    enum compare confirm_compare;
    double confirm_value;
    struct str confirm_text; /* "position > 90 %", for people */
    bool safe;               /* the model's safe action */
};
struct model_def {
    struct str name;
    const struct property_def *properties;
    size_t property_count;
    const struct action_def *actions;
    size_t action_count;
    const struct str *events;
    size_t event_count;
};

/* How a device is reached, and how that goes; for people. */
enum reach_state { REACH_UNKNOWN, REACH_ONLINE, REACH_OFFLINE };
struct device_reach {
    struct str kind;        /* "mqtt", "mapped"; of a port its text's first word: "modbus" */
    struct str text;        /* the topic; the first topic that is mapped; the port's text */
    enum reach_state state; /* as its link or availability topic says */
    char why[160];          /* it is offline, or can't be read; else "" */
    uint64_t unreadable;    /* messages; which ones is in registry_discovered() */
};

struct device {
    struct list link;
    struct registry *registry;
    const struct model_def *model;
    struct str name, id;
    struct str topic;     /* of the convention; "": it is reached otherwise */
    struct str link_text; /* of a port; "" if there is none */
    struct device_reach reach;
    const struct mapping *mapping;  /* the registry's; NULL if it has none */
    const struct device_port *port; /* registry_set_port() */
    struct device *heir;        /* the same physical thing in the site that comes next: replace.c */
    bool taken;                 /* it is one's heir */
    struct str owner;           /* program, or "" */
    struct list twins;          /* other declarations of the same physical thing: thing.c */
    const struct device *thing; /* the one of them that is owned: who commands this, commands that;
                                   NULL: it is this one, or none is */
    struct str owner_before;    /* in the site before, until that one's end is dealt with */
    struct device_property *props; /* one for each of the model's */
    struct list actions;           /* in progress, see action_internal.h */
    bool leaving;                  /* is not declared any more: registry_leaving() */
    bool corrected; /* heir of one that never was where the site before had it: replace.c */
    /* What tells whether the thing is where its declaration says. */
    bool heard;       /* it has said something */
    bool obeyed;      /* it has taken a command */
    bool disobeyed;   /* one has come to nothing, and none has been obeyed since */
    uint64_t carried; /* registry_device_def */
    uint64_t events_seen;
    uint32_t index;
};
struct device_property {
    struct device *device;
    const struct property_def *def;
    struct series *series;
    struct timer stale_timer;
    bool stale_declared; /* else series->stale_ms is the default, or its device's longest */
    bool unawaited;      /* nobody minds that it has never spoken: in a test that is not about it */
    char *why;           /* it can't be read: registry_unreadable(); NULL or "": it can */
    char *doubt;         /* it can hardly be right: registry_doubt(); NULL or "": it may be */
};
/* What people should know of it; NULL: nothing. */
static inline const char *property_problem(const struct device_property *p)
{
    if (p->why && p->why[0])
        return p->why;
    return p->doubt && p->doubt[0] ? p->doubt : NULL;
}

struct registry_config {
    struct executor *ex;
    struct bus *bus;
    struct journal *journal;
    struct db *db;
    struct alloc *alloc;
    int64_t stale_default_ms;     /* for devices that no program reads; default 60,000 */
    int64_t stale_learned_max_ms; /* for those that come less often; default two hours */
    int64_t confirm_timeout_ms;   /* for one attempt; default 5,000 */
    uint32_t attempts_max;        /* default 3 */
    size_t discovered_max;        /* default 1,000 topics */
    size_t observed_bytes_max;    /* of what has been seen in them; default 8 MiB */
    size_t actions_max;           /* remembered; default 1,000 */
    size_t heard_max;             /* events whose times are kept; default 10,000 */
    int64_t resume_max_ms;        /* an unfinished action of an earlier run; default 60,000 */
    /* How a number in unit `from` is one in unit `to`: times *scale, plus *offset. False: it is not
     * of the same dimension, or is no unit. NULL: units are not looked at. */
    bool (*convert)(struct str from, struct str to, double *scale, double *offset);
};
MUST_USE enum err registry_new(struct registry **out, const struct registry_config *cfg,
                               struct error *e);
/* After the replay, with owners set, before the executor runs. What the replay told is stale, and
 * says so; actions that an earlier run could not finish are taken up, those that are too old fail,
 * with an alert. */
void registry_start(struct registry *r);
/* Before registry_start(): which of the devices' series are known of earlier runs, so that it is
 * known that those devices have been heard. */
void registry_heard_before(struct registry *r, bool (*knows)(void *ctx, struct str series),
                           void *ctx);
/* What an owner decided is taken up; what another program (or a person) did, only if may() says so:
 * if it still has the device on lease. A safe action is taken up whoever decided it, and however
 * long ago: what it ends goes on until it comes. */
void registry_on_resume(struct registry *r,
                        bool (*may)(void *ctx, const struct device *d, struct str program,
                                    struct str person),
                        void *ctx);
void registry_free(struct registry *r);
/* Makes the samples of a journal record again, marked as replayed: for consumers that have not seen
 * them (history_config.replay). */
void registry_replay(void *registry, const struct journal_record *r);

/* Copies the definition. */
MUST_USE enum err registry_model(struct registry *r, const struct model_def *def,
                                 const struct model_def **out, struct error *e);
const struct model_def *registry_model_find(struct registry *r, struct str name);
/* All of it is copied, but for the model. */
struct registry_device_def {
    struct str name, id;
    const struct model_def *model;
    struct str topic; /* `via mqtt`; "": not by the convention */
    struct str link;  /* of what comes by a port, "modbus tcp://10.0.0.7:502 unit 3": canonical, as
                         it tells on a reload that this is the same physical thing; "" if none */
    uint64_t carried; /* a hash of all else that is said of how the port carries it: with another
                         one it counts as changed; 0 if there is nothing */
    struct mapping_def mapping;
};
/* ERR_EXISTS: its name, or a topic that can't be shared; ERR_INVALID, ERR_SYNTAX, ERR_RANGE: a
 * mapping; ERR_FULL, ERR_NOMEM. */
MUST_USE enum err registry_device(struct registry *r, const struct registry_device_def *def,
                                  struct device **out, struct error *e);
struct device *registry_find(struct registry *r, struct str name);
struct list *registry_devices(struct registry *r); /* of struct device.link */
/* From here on commands of others are refused, to this device and to all that are the same physical
 * thing: they have the same id, or are sent the same on the same topic. ERR_NOMEM, ERR_FULL,
 * ERR_RANGE (a topic of more than 500 bytes): they are not. */
MUST_USE enum err registry_set_owner(struct device *d, struct str owner);
/* It has an owner that it had not in the site before, nor in an earlier run: what others have left
 * retained for it is removed, also where its mapping says `retain`; what is there afterwards is the
 * owner's last. Errors: as of bus_publish(): it is still there. */
MUST_USE enum err registry_taken_over(const struct device *d);
/* The declaration by whose name leases of this thing are known. */
static inline const struct device *device_thing(const struct device *d)
{
    return d->thing ? d->thing : d;
}
/* The property turns stale after this long without news; the smallest of all callers holds. */
void registry_set_stale(struct device_property *p, int64_t stale_ms);
/* When all have been set: who lets a sensor's humidity be two hours old knows that the sensor
 * speaks seldom, so what else it measures, and nobody reads, is good for as long as the longest of
 * those. */
void registry_share_stale(struct registry *r);
int model_action(const struct model_def *m, struct str name); /* -1: none */

/* A time that a site's text says, up to 3000 years, for monotonic clocks and timers. */
static inline int64_t ns_of_ms(int64_t ms)
{
    return ms < INT64_MAX / 4000000 ? ms * 1000000 : INT64_MAX / 4;
}

/* --- another site in the place of the one that runs (replace.c) ---
 *
 *     registry_replace_begin()    from here on registry_model(), registry_model_find(),
 *                                 registry_device() and registry_next() are about the next site
 *     registry_replace_ready()    all that can fail has been done
 *     registry_replace_commit()   the next site is the one that runs
 *     registry_replace_settle()   when all who hold devices have new ones: the old ones go
 * or, instead of the last two, registry_replace_cancel(): nothing has happened. All in one call of
 * worker 0, so nothing comes in between.
 * A device is the same physical thing when its topic is, else when its link text is, else when its
 * id is, and if it has none of them when it has its name: its actions go on under its new
 * definition, and `owner_before` tells who owned it. One that is not declared any more, and was
 * owned or has actions in progress, stays for them in registry_leaving().
 * If it never was where its declaration said (no command has been taken there, and either nothing
 * has ever come from there or a command has come to nothing), the declaration was wrong, and the
 * device of its name is its heir, `corrected`: there is nothing to be made safe at the old place.
 * Its actions end, with that reason, and the owner's safe action is for the new place.
 * The alert of an action that failed ends with the place where it failed, as nobody will ever tell
 * that it obeys there; what a device that leaves does not obey is told once, without an end.
 * Series go on by their names; one whose type or unit has changed has a new number. */
struct registry_change {
    size_t same, changed, added, removed; /* devices */
};
MUST_USE enum err registry_replace_begin(struct registry *r, struct error *e);
/* Of the next site; behind the commit of the one before. */
struct device *registry_next(struct registry *r, struct str name);
/* Between commit and settle: the same physical thing in the site that runs now, or its copy that
 * leaves; NULL: nobody has anything to do with it any more. */
struct device *registry_successor(struct registry *r, const struct device *old);
/* Whether a program would see no difference: there in both, with equal model, topic, link and id.
 */
bool registry_next_is_same(struct registry *r, struct str name);
MUST_USE enum err registry_replace_ready(struct registry *r, struct registry_change *out,
                                         struct error *e);
/* Between ready and commit: each device of both sites, by name. Changed is one that anything is
 * different about, be it that another thing has its name. */
enum device_fate { DEVICE_KEPT, DEVICE_CHANGED, DEVICE_ADDED, DEVICE_REMOVED };
void registry_replace_each(struct registry *r,
                           void (*each)(void *ctx, struct str device, enum device_fate fate),
                           void *ctx);
void registry_replace_commit(struct registry *r);
void registry_replace_settle(struct registry *r);
void registry_replace_cancel(struct registry *r);
/* Of struct device.link. They are in no other list and have no name; when their last action has
 * ended they are as if they were not there, and the next replacement forgets them. */
struct list *registry_leaving(struct registry *r);

/* --- actions --- */
struct action_request {
    struct device *device;
    uint32_t action;
    const struct value *args; /* one for each parameter, in its unit */
    size_t arg_count;
    struct cause cause;
};
/* One argument out of JSON, as its parameter wants it; a text is decoded into `text`. False: it
 * does not fit. */
bool registry_argument(const struct param_def *p, const struct json_token *t, char *text,
                       size_t text_max, struct value *v);
/* Decides an action: it is recorded, sent when its cause and the decision are committed, sent
 * again while no confirmation comes, and at last failed with an alert. An older action of the same
 * thing that is not confirmed yet is dropped ("superseded"). `id` (may be NULL) gets its id.
 * A full journal is waited for. Another error than ERR_INVALID and ERR_NOMEM: it can't be recorded,
 * so it has failed, with an alert, and is on the list. */
MUST_USE enum err registry_command(struct registry *r, const struct action_request *q, char id[24],
                                   struct error *e);
/* A person's command; ERR_DENIED with the owner in the text when a program owns the device. */
MUST_USE enum err registry_command_by_hand(struct registry *r, const struct action_request *q,
                                           char id[24], struct error *e);
/* Newest first, also those of earlier runs. */
void registry_actions_each(struct registry *r, size_t limit,
                           void (*each)(void *ctx, const struct action_event *a), void *ctx);

/* --- links and ports ---
 *
 * For what carries devices without messages. A port belongs to who sets it, and is called on
 * worker 0 only. */

struct port_command {
    struct device *device;
    uint32_t action;
    const char *id; /* of the action: for registry_port_done() */
    const struct value *args;
    size_t arg_count;
};
struct device_port {
    /* Sends it, once for each attempt. ERR_FULL, ERR_AGAIN: not now, it is tried again soon.
     * Another error ends the action, with an alert and this text. Afterwards registry_port_done(),
     * for each one that was taken; may be called from inside. */
    enum err (*command)(void *ctx, const struct port_command *c, struct error *e);
    void *ctx;
};
/* Borrowed; NULL: none any more, then its commands fail. A device that leaves with its site (its
 * owner's safe action is still to come) keeps its port until registry_port_gone(). */
void registry_set_port(struct device *d, const struct device_port *port);
/* Nothing uses it from here on: before it is freed. */
void registry_port_gone(struct registry *r, const struct device_port *port);
/* What became of a command. ERR_OK: the device has taken it, which confirms an action whose model
 * names no property; one that names a property waits for that. ERR_INVALID, ERR_UNSUPPORTED,
 * ERR_DENIED: the device refuses it, so it has failed. Another error: it is tried again when its
 * time is up. An id of an action that is over is ignored. */
void registry_port_done(struct registry *r, const char *id, enum err result, const char *why);

/* A sample that came by no message: recorded (JOURNAL_SAMPLE, lazily: whoever acts on it is
 * recorded behind it), then as any other; replayed at the next start to whom its checkpoint is
 * behind. In the unit and kind of the property. ts_ms 0: now. `q` is what the source thinks of it;
 * the declared range may make it worse. Whatever is returned, it has been told to all who listen.
 * ERR_FULL, ERR_IO: it is not recorded: a crash before history has sealed it loses it. */
MUST_USE enum err registry_sample(struct device_property *p, const struct value *v, int64_t ts_ms,
                                  enum quality q);
/* The property can't be read: it is stale at once, and `why` (copied) is for people to see, until
 * its next sample. */
void registry_unreadable(struct device_property *p, const char *why);
/* It is read, and can hardly be right: `why` (copied) is for people to see, over any number of
 * samples, until it is "". Their quality is for who tells the samples to say. */
void registry_doubt(struct device_property *p, const char *why);
/* The whole device, as its link says. Offline: what it has said is stale at once. */
void registry_link_state(struct device *d, bool online, const char *why);
/* Called when a device has another state or another reason, or one of its properties another
 * property_problem(). */
void registry_on_link(struct registry *r, void (*changed)(void *ctx, const struct device *d),
                      void *ctx);
/* Where an answer to this action would confirm it; "" if nothing is mapped so: for who plays the
 * device (`sedge test`). */
struct str registry_answer_topic(const struct device *d, uint32_t action);
/* An event, as if the device had said so. */
void registry_signal(struct device *d, uint32_t event);

/* When the events of devices came: the newest in front, over restarts (heard.h). */
enum { HEARD_TIMES = 16 };
struct heard_event {
    struct str device, event;
    uint64_t count;                /* since it was first heard */
    int64_t times_ms[HEARD_TIMES]; /* the newest in front */
    size_t times_n;                /* at least 1 */
};
/* Those that came last in front; of one device alone unless device.p is NULL. */
void registry_heard_each(const struct registry *r, struct str device, size_t limit,
                         void (*each)(void *ctx, const struct heard_event *v), void *ctx);
void registry_on_heard(struct registry *r, void (*changed)(void *ctx, const struct heard_event *v),
                       void *ctx);
/* A number as a source or a register gives it, in the unit of the property: times scale, plus
 * offset, without the noise of binary fractions (12 significant digits): 234 * 0.1 is 23.4. */
double registry_scaled(double number, double scale, double offset);

/* --- discovered --- */
enum payload_kind { PAYLOAD_JSON, PAYLOAD_NUMBER, PAYLOAD_TEXT, PAYLOAD_BINARY };
/* Why a device's message could not be read, and where; the first thing that is wrong in it. */
struct payload_error {
    char path[96];    /* of the value; "": the whole payload */
    uint32_t at;      /* byte, from 0 */
    char reason[160]; /* "": nothing is wrong */
};
struct discovered {
    struct list link;    /* oldest first */
    struct list changed; /* the registry's */
    struct str topic;
    uint64_t count;
    int64_t first_ms, last_ms;
    enum payload_kind kind;
    char payload[512];
    size_t payload_len;
    struct observed seen;
    struct payload_error error; /* of the last message that a device's declaration claims and that
                                   could not be read; its reason "" for topics that nobody claims */
    uint64_t unreadable;        /* how many of them */
};
const struct list *registry_discovered(const struct registry *r);
const struct discovered *registry_discovered_find(const struct registry *r, struct str topic);
/* A device that has the topic (and could not read its message); NULL: nobody claims it. */
const struct device *registry_topic_device(const struct registry *r, struct str topic);
/* Each topic that a device of the site has, and one of those that have it. */
void registry_topics_each(const struct registry *r,
                          void (*each)(void *ctx, struct str topic, const struct device *d),
                          void *ctx);
uint64_t registry_discovered_dropped(const struct registry *r);
/* Called (at most ten times a second for a topic) when a topic is new or its message changed. */
void registry_on_discovered(struct registry *r,
                            void (*changed)(void *ctx, const struct discovered *d), void *ctx);
uint64_t registry_samples(const struct registry *r); /* made so far */
/* A sample of now, as if the device had said so: for who plays it (`sedge test`). In the unit and
 * kind of the property. */
void registry_report(struct device_property *p, const struct value *v);
