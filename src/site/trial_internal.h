/* trial_internal: the world of a trial: a machine with the site on it, and its devices. */
#pragma once

#include "async/sim/env_sim.h"
#include "site/core.h"
#include "site/trial.h"

struct world;

/* A property that is played. */
struct held {
    struct world *world;
    struct device_property *property;
    struct value value;
    char text[256];
    struct timer timer; /* says it again */
    int64_t period_ms;
};

/* A device that is played. */
struct twin {
    struct list link; /* of world.told */
    struct device *device;
    struct held *held; /* one for each property */
    bool refuses;
    uint32_t action; /* what it was told last */
    char id[24], args_json[512];
};

struct world {
    struct trial *trial;
    struct sim *sim;
    struct env *env;
    struct executor *ex;
    struct worker *worker;
    struct site_core core;
    struct bus_publisher publisher; /* the devices' */
    struct device_port port;        /* of devices without topics, as those on Modbus */
    struct event_listener events;
    struct twin *twins; /* by device.index */
    size_t twins_n;
    struct list told;
    struct tick_hook obey;
    int64_t start_ns;

    /* the script; trial.c */
    struct timer timer;
    size_t step;
    bool looked;     /* the step before was an `expect` */
    size_t from;     /* of the events that the next `expect` looks at */
    int64_t from_ms; /* the step's time */
    int64_t late_ns; /* the most that a step was done behind its time */
};

/* world.c part: everything is there and the programs have not started yet. */
MUST_USE enum err world_build(struct world *w, const struct lang_test *test, struct error *e);
void world_free(struct world *w);            /* also one that was built in part */
int64_t world_now_ms(const struct world *w); /* since the start */

/* twin.c part. */
MUST_USE enum err twins_init(struct world *w, struct error *e);
void twins_fini(struct world *w);
struct twin *twin_of(struct world *w, struct str device);
void twin_set(struct twin *t, uint32_t member, const struct value *v);
void twin_silence(struct twin *t, uint32_t member);
void twin_event(struct world *w, struct twin *t, uint32_t signal);
void twin_told(struct world *w, const struct action_event *a);
/* "85 °C", "true", "\"text\"". */
struct str trial_value_text(struct arena *a, const struct value *v, struct str unit);
