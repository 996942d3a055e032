/* registry_internal: what the files of registry/ share. */
#pragma once

#include "async/timer.h"
#include "base/arena.h"
#include "base/map.h"
#include "codec/json.h"
#include "registry/registry.h"
#include "store/keep.h"

/* What a topic means. Those of the convention, above TOPIC_SOURCES, are one device's alone; the
 * others may share a topic with whatever else. */
enum topic_role {
    TOPIC_OBJECT,
    TOPIC_PROPERTY,
    TOPIC_EVENT,
    TOPIC_ACK,
    TOPIC_SET,     /* a command topic, also of a mapping */
    TOPIC_SOURCES, /* of a mapping, as the next ones */
    TOPIC_ANSWER,
    TOPIC_ONLINE,
};
struct topic_binding {
    struct topic_binding *next; /* of the same topic */
    enum topic_role role;
    struct device *device;
    struct str topic;
    struct device_property *property; /* TOPIC_PROPERTY */
    uint32_t index;                   /* TOPIC_EVENT: the event; TOPIC_ANSWER: the action */
    struct mapped_topic *sources;     /* TOPIC_SOURCES */
    struct online *online;            /* TOPIC_ONLINE */
    bool mapped;                      /* TOPIC_SET: commands of a mapping go there */
    bool keeps;                       /* TOPIC_SET: its commands are retained by intention */
    bool retained;                    /* TOPIC_SET: something is; ingest_clear_retained() */
};

/* What a site declares. It is replaced as a whole when the site is (replace.c). */
struct catalog {
    struct arena arena; /* definitions */
    struct map topics;  /* -> topic_binding */
    struct map names;   /* -> device */
    struct map models;  /* -> model_def */
    struct map things;  /* what tells that it is one physical thing -> device, the first of it */
    struct list devices;
    struct list leaving; /* of the site before, see registry_leaving() */
    uint32_t device_count;
    struct device_property **by_series; /* of series.index; NULL: not a device's */
    size_t by_series_n;
};

struct registry {
    struct registry_config cfg;
    struct worker *worker;
    struct catalog *now;
    struct catalog *building; /* what is declared goes there: `now`, or the one that comes next */
    struct subscriber subscriber;
    struct bus_publisher publisher;
    struct sample_listener confirmations;
    uint64_t samples;

    struct map discovered_map;
    struct list discovered;
    struct list discovered_news; /* to be told when the timer fires */
    struct timer discovered_timer;
    struct alloc_limited observed_alloc; /* of discovered.seen */
    struct strbuf observed_path;         /* scratch */
    uint64_t discovered_dropped;
    void (*discovered_changed)(void *ctx, const struct discovered *d);
    void *discovered_ctx;
    void (*link_changed)(void *ctx, const struct device *d);
    void *link_ctx;

    /* actions, newest at the tail; action.c, action_log.c */
    struct list actions;
    struct list ended; /* those of them that are over, the first to end in front */
    size_t action_count;
    bool (*may_resume)(void *ctx, const struct device *d, struct str program, struct str person);
    void *resume_ctx;
    uint64_t action_next; /* number of the next one; its id in 12 hexadecimal digits */
    struct keep *action_keep;

    /* heard.c */
    struct map heard_map; /* "device event" -> struct heard */
    struct list heard, heard_dirty;
    struct timer heard_timer;
    struct keep *heard_keep;
    bool heard_full; /* there is no room for another one, and nothing that could go */
    void (*heard_changed)(void *ctx, const struct heard_event *v);
    void *heard_ctx;
};

/* The device, or property, that a series belongs to, or NULL. */
struct device_property *registry_property_of(const struct registry *r, const struct series *s);
struct device *registry_device_of(const struct registry *r, const struct series *s);

/* registry.c */
struct catalog *catalog_new(struct registry *r);
void catalog_free(struct registry *r, struct catalog *c); /* NULL is fine */
/* Into what is being built. */
struct model_def *catalog_model(struct registry *r, const struct model_def *def);
MUST_USE bool catalog_index(struct registry *r, struct device_property *p);

/* ingest.c */
MUST_USE enum err ingest_init(struct registry *r, struct error *e);
void ingest_fini(struct registry *r);
void ingest_clear_retained(struct registry *r);
/* As long as may be if no program says how long. */
void registry_reset_stale(const struct registry *r, struct device_property *p);
/* Availability that is not known yet, from what is retained. */
void ingest_online_retained(struct registry *r);
MUST_USE enum err ingest_bind(struct registry *r, struct device *d, struct error *e);
/* A topic of `want.device`; copied. ERR_EXISTS: it can't be shared. */
MUST_USE enum err ingest_bind_topic(struct registry *r, const struct topic_binding *want,
                                    struct error *e);
/* Whether a message on the topic is any device's, be it one that leaves and has an action to end.
 */
bool ingest_has(const struct registry *r, struct str topic);
void ingest_stale_rearm(struct device_property *p);
/* Nobody but its owner may command it from here on. */
MUST_USE enum err ingest_guard(struct registry *r, const struct device *d);
/* Listens to what the devices of now need, and no more to what those of another site did. */
void ingest_settle(struct registry *r, const struct catalog *gone);
/* A sample of the device, to whom it concerns. */
void ingest_sample(struct registry *r, struct device_property *p, const struct sample *s);
/* The last message of a topic that a device has claimed since. */
void ingest_late(struct registry *r, struct str topic, struct bytes payload, int64_t wall_ms);

/* thing.c: it is the same as others that are being built. */
MUST_USE enum err thing_join(struct registry *r, struct device *d);

/* discover.c */
void discover_init(struct registry *r);
void discover_fini(struct registry *r);
void discover_note(struct registry *r, const struct message *m, const struct payload_error *error);
/* What is retained and nobody claims has been said before this run. */
void discover_retained(struct registry *r);
/* A topic that no device has any more: what is retained on it is there for who looks. */
void discover_let_go(struct registry *r, struct str topic);
void discover_forget_claimed(
    struct registry *r); /* topics that a device has by now: it gets them */

/* links.c */
void links_replay_sample(struct registry *r, const struct journal_record *rec);
void links_heard(struct device_property *p); /* it can be read */
void links_free_why(struct registry *r, struct device *d);

/* --- from bytes to values ---
 *
 * Nothing here builds a tree or allocates. */
enum { TEXT_MAX = 256 };

struct decode_target {
    struct device *device;
    int64_t arrived_ms;
    void (*sample)(void *ctx, struct device_property *p, const struct sample *s);
    void (*event)(void *ctx, uint32_t event); /* of a mapping; may be NULL */
    void *ctx;
    bool (*convert)(struct str from, struct str to, double *scale, double *offset); /* or NULL */
    struct payload_error *error; /* zeroed; the first thing that could not be read */
    struct bytes payload;        /* the decoder's, for places in it */
};
/* decode.c: by the convention. What could be read is delivered, whatever could not. Returns how
 * many samples were made. */
size_t decode_object(struct decode_target *t, struct bytes payload);
size_t decode_value(struct decode_target *t, struct device_property *p, struct bytes payload);
struct scalar;
size_t decode_bare(struct decode_target *t, struct device_property *p, const struct scalar *how,
                   struct bytes payload);
/* For the parts of it: */
bool decode_whole(struct decode_target *t); /* it is one JSON document; else that is noted */
void decode_broken(struct decode_target *t, const struct json_reader *r);
void decode_note(struct decode_target *t, struct str path, const char *at, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
void decode_emit(const struct decode_target *t, struct device_property *p, const struct value *v,
                 int64_t ts_ms, enum quality q);
/* One value as the device's property wants it; 0 or 1. `path` is for the note. */
size_t decode_token(struct decode_target *t, struct device_property *p, const struct scalar *how,
                    const struct json_token *token, int64_t ts_ms, enum quality q, struct str path);
/* When it was measured: the device's word if it is plausible, else when it came in. */
int64_t decode_time(struct decode_target *t, const struct json_token *said, const char *key,
                    enum quality *q);
const char *decode_kind_text(enum json_kind k);
/* What the declared range makes of it. */
enum quality decode_quality(const struct property_def *d, const struct value *v, enum quality q);
enum payload_kind payload_classify(struct bytes payload);

/* decode_nested.c: `value` is an object in a member `key` of the document's object. */
struct nested {
    bool by_last_key;  /* a last key alone will do, if there is only one of that name */
    uint8_t seen[256]; /* how often each property's name is a key, up to 2 */
};
void nested_count(const struct decode_target *t, struct json_reader at, struct nested *n);
size_t decode_nested(struct decode_target *t, const struct nested *n, struct json_reader *r,
                     const struct json_token *key, int64_t ts_ms, enum quality q);

/* decode_senml.c: the reader stands behind the bracket of a list. */
bool senml_is(struct json_reader at);
size_t decode_senml(struct decode_target *t, struct json_reader *r);

/* scalar.c: one value as a property wants it. */
struct scalar {
    enum value_kind kind;
    struct str name, unit;
    struct str yes, no;   /* "" and "": the usual words */
    double scale, offset; /* scale 0: as it is */
    bool (*convert)(struct str from, struct str to, double *scale, double *offset);
};
struct scalar scalar_of(const struct decode_target *t, const struct property_def *def);
/* false: it can't be. A text is in `text` then. */
bool scalar_token(const struct scalar *s, const struct json_token *t, char text[TEXT_MAX],
                  struct value *v);
bool scalar_text(const struct scalar *s, struct str text, struct value *v); /* no JSON */
const char *scalar_wanted(enum value_kind k);

/* when.c: a time as documents give it. */
enum when {
    WHEN_SAID,  /* *ms */
    WHEN_NOW,   /* so coarse that the arrival is the better one */
    WHEN_NEVER, /* no time, or none that can be */
};
enum when when_said(const struct json_token *t, int64_t arrived_ms, int64_t *ms);

/* mapping.c, decode_mapped.c */
enum source_what { SOURCE_PROPERTY, SOURCE_EVENT, SOURCE_TIME };
struct source {
    struct path path;
    enum source_what what;
    uint32_t member; /* of the model's properties or events */
    struct scalar how;
    struct str text; /* of the path, for notes */
};
/* What one device has in the messages of one topic. */
struct mapped_topic {
    struct str topic;
    struct str time;        /* the path that says when it was measured; "": the usual places */
    struct source *sources; /* by path: those that go on from one key are neighbours */
    size_t n;
    uint64_t messages, made;
};
struct online {
    struct str topic, text;
    struct path path;
    struct str yes, no;
    enum reach_state state;
};
struct mapping {
    struct mapping_def def; /* the registry's copy */
    struct mapped_topic *topics;
    size_t topic_count;
    struct online *online; /* def.online_count */
    struct str text;       /* all of it, to see whether two are equal */
};
/* Copies, checks and binds what `def` says; sets d->mapping. */
MUST_USE enum err mapping_build(struct registry *r, struct device *d, const struct mapping_def *def,
                                struct error *e);
const struct command_def *mapping_command(const struct device *d, uint32_t action); /* or NULL */
size_t decode_mapped(struct decode_target *t, struct mapped_topic *m, struct bytes payload);
/* What a message of the availability topic says; UNKNOWN, and noted: it can't be read. */
enum reach_state decode_online(struct decode_target *t, const struct online *o,
                               struct bytes payload);
void online_heard(struct device *d, struct online *o, enum reach_state state);
void online_carry(struct device *to, const struct device *from);

/* action.c */
enum disobedience { DISOBEYS, NOT_COMMANDED, MAY_NOT_HAVE_OBEYED };
struct action {
    struct list link;        /* registry.actions */
    struct list device_link; /* device.actions while in progress */
    struct list ended_link;  /* registry.ended then */
    struct registry *registry;
    struct device *device; /* NULL for those that have ended, or are of earlier runs */
    uint32_t action;
    char id[24];
    uint64_t seq; /* of its decision; 0: not recorded yet */
    enum action_state state;
    uint32_t attempts;
    int64_t requested_ms, outcome_ms, decided_ns;
    struct timer timer;
    struct journal_wait wait;
    struct value cause_value;
    int64_t cause_ms;
    uint32_t cause_line;
    /* texts, in one block behind the struct */
    struct str device_name, action_name, args_json, confirms, program, rule, operator_name,
        cause_series;
    char why[200];
    enum action_reason reason;
    size_t detail_n; /* so much of the end of `why` is the detail */
    size_t size;     /* of this block */
};
MUST_USE enum err actions_init(struct registry *r, struct error *e);
void actions_fini(struct registry *r);
void actions_forget_oldest(struct registry *r);
void action_fill_event(const struct action *a, struct action_event *e);
struct action *action_make(struct registry *r, const struct action_event *from);
void action_free(struct action *a);
/* Recorded, and told to who listens. */
void action_changed(struct action *a);
/* It is over, and its device free for the next one. */
void action_end(struct action *a, enum action_state state);
/* The same, failed, with an alert; `why` is there. */
void action_fail(struct action *a, enum disobedience what);
/* The device that it was for has another definition now; NULL: none, which ends the action. */
void action_carry(struct action *a, struct device *to);

/* action_confirm.c */
void action_confirm(struct action *a);
/* A device that reports changes only says nothing when it is told what it does already. */
bool action_is_so_already(const struct action *a);
/* A device's answer {"id": "…"}: confirms an action whose model names no property. */
void actions_ack(struct device *d, struct bytes payload);
/* Its answer came: it ends well. */
void actions_answered(struct device *d, uint32_t action);
/* A sample may be what an action waits for; the first: any; the second: also of a device that
 * leaves, which is news for nobody else. */
void actions_on_sample(struct sample_listener *l, const struct sample *s);
void actions_sample(struct device *d, const struct device_property *p, const struct sample *s);

/* action_denied.c: somebody tried past the owner (O16). One line a minute for each device and
 * client. */
void actions_denied(struct registry *r, struct device *d, struct str who, const char *why);

/* action_resume.c */
void actions_start(struct registry *r);

/* action_alert.c: that it has failed, or (not active) that its device obeys again. */
void action_alert(struct action *a, enum disobedience what, bool active);
/* Sets `why`: the sentence with the detail at its end, which is what the reason does not tell. */
void action_because(struct action *a, enum action_reason reason, struct str detail, const char *fmt,
                    ...) PRINTF_LIKE(4, 5);
/* Nobody will ever tell that it obeys: what was wrong with it is over. */
void actions_forget_alert(struct registry *r, struct str device);

/* command.c: an attempt: by the convention, by the mapping or by the port. ERR_FULL: later, nothing
 * was sent. */
MUST_USE enum err command_send(struct action *a, struct error *e);
MUST_USE enum err command_args_to_json(const struct action_request *q, const struct action_def *def,
                                       struct strbuf *b, struct error *e);

/* action_log.c */
MUST_USE enum err action_log_init(struct registry *r, struct error *e);
MUST_USE enum err action_log_put(struct registry *r, const struct action *a, bool lazy,
                                 uint64_t *seq);
void action_log_forget(struct registry *r, const struct action *a);
