/* registry_internal: what the files of registry/ share. */
#pragma once

#include "async/timer.h"
#include "base/arena.h"
#include "base/map.h"
#include "registry/registry.h"
#include "store/keep.h"

/* What a topic means. */
enum topic_role { TOPIC_OBJECT, TOPIC_PROPERTY, TOPIC_EVENT, TOPIC_ACK, TOPIC_SET };
struct topic_binding {
    enum topic_role role;
    struct device *device;
    struct device_property *property; /* TOPIC_PROPERTY */
    struct str topic;
};

/* What a site declares. It is replaced as a whole when the site is (replace.c). */
struct catalog {
    struct arena arena; /* definitions */
    struct map topics;  /* -> topic_binding */
    struct map names;   /* -> device */
    struct map models;  /* -> model_def */
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

    /* actions, newest at the tail; action.c, action_log.c */
    struct list actions;
    struct list ended; /* those of them that are over, the first to end in front */
    size_t action_count;
    bool (*may_resume)(void *ctx, const struct device *d, struct str program, struct str person);
    void *resume_ctx;
    uint64_t action_next; /* number of the next one; its id in 12 hexadecimal digits */
    struct keep *action_keep;
};

/* The device that a series belongs to, or NULL. */
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
MUST_USE enum err ingest_bind(struct registry *r, struct device *d, struct error *e);
void ingest_stale_rearm(struct device_property *p);
/* Nobody but its owner may command it from here on. */
MUST_USE enum err ingest_guard(struct registry *r, const struct device *d);
/* Listens to what the devices of now need, and no more to what those of another site did. */
void ingest_settle(struct registry *r, const struct catalog *gone);

/* discover.c */
void discover_init(struct registry *r);
void discover_fini(struct registry *r);
void discover_note(struct registry *r, const struct message *m, const char *error);
/* What is retained and nobody claims has been said before this run. */
void discover_retained(struct registry *r);
void discover_forget_claimed(struct registry *r); /* topics that a device has by now */

/* decode.c: bytes to samples, without building a tree. */
struct decode_target {
    struct device *device;
    int64_t arrived_ms;
    void (*sample)(void *ctx, struct device_property *p, const struct sample *s);
    void *ctx;
};
/* `error` is filled with the first thing that could not be read; what could be read is
 * delivered all the same. Returns how many samples were made. */
size_t decode_object(const struct decode_target *t, struct bytes payload, char error[160]);
size_t decode_value(const struct decode_target *t, struct device_property *p, struct bytes payload,
                    char error[160]);
/* What the declared range makes of it. */
enum quality decode_quality(const struct property_def *d, const struct value *v, enum quality q);
enum payload_kind payload_classify(struct bytes payload);

/* action.c */
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
    size_t size; /* of this block */
};
MUST_USE enum err actions_init(struct registry *r, struct error *e);
void actions_start(struct registry *r);
void actions_fini(struct registry *r);
void actions_forget_oldest(struct registry *r);
void actions_ack(struct device *d, struct bytes payload);
void actions_denied(struct registry *r, struct device *d, struct str who, const char *why);
void action_fill_event(const struct action *a, struct action_event *e);
struct action *action_make(struct registry *r, const struct action_event *from);
void action_free(struct action *a);
/* The device that it was for has another definition now; NULL: none, which ends the action. */
void action_carry(struct action *a, struct device *to);
/* A sample of a device that leaves: no news for anybody, but what its last action waits for. */
void actions_sample(struct device *d, const struct device_property *p, const struct sample *s);

/* action_log.c */
MUST_USE enum err action_log_init(struct registry *r, struct error *e);
MUST_USE enum err action_log_put(struct registry *r, const struct action *a, bool lazy,
                                 uint64_t *seq);
void action_log_forget(struct registry *r, const struct action *a);
