/* shape: whose habits a topic follows, which physical thing it is of, and whether it tells of it.
 *
 *     tele/plug1/SENSOR                   Tasmota's, of "plug1"; so is stat/plug1/POWER
 *     zigbee2mqtt/kitchen/climate         Zigbee2MQTT's, of "zigbee2mqtt/kitchen/climate"
 *     shellies/shelly1pm-1A2B/relay/0     a Shelly of the first generation
 *     shellyplus1-1A2B/status/switch:0    and of the second
 *     garden/sensor/soil/state            ESPHome's, of "garden"
 *     line1/press1[/telemetry]            a JSON document of one's own, of "line1/press1"
 *     garden/bed1/moisture                a bare value, of "garden/bed1"
 *
 * Commands (cmnd/plug1/POWER, zigbee2mqtt/kitchen/climate/set) are of a thing and tell nothing of
 * it. Announcements (homeassistant/…, zigbee2mqtt/bridge/…), Sparkplug's and what begins with $ are
 * of no thing; they have the place that they share (zigbee2mqtt/bridge) as base.
 * Ownership: borrows the topic. Threads: any.
 * Source: the makers' documentation of their topics; the ones that matter are quoted in shape.c. */
#pragma once

#include "registry/registry.h"

enum adopt_shape {
    SHAPE_NONE,
    SHAPE_TASMOTA,
    SHAPE_ZIGBEE2MQTT,
    SHAPE_SHELLY1,
    SHAPE_SHELLY2,
    SHAPE_ESPHOME,
    SHAPE_JSON,
    SHAPE_VALUE,
};

/* Why nothing of a topic, or of a thing, could become a device's. The last three are a thing's, as
 * they follow from more than names (things.h). */
enum adopt_obstacle {
    OBSTACLE_NONE,
    OBSTACLE_COMMAND,
    OBSTACLE_ANNOUNCEMENT,
    OBSTACLE_SPARKPLUG,
    OBSTACLE_BINARY,
    OBSTACLE_NOTHING,    /* no value in it could be a property's */
    OBSTACLE_HAD,        /* a device has all of it */
    OBSTACLE_UNREADABLE, /* a device has the topic, and could not read it */
};

/* What is asked for other topics: some names say only together whose they are. */
struct adopt_topics {
    bool (*has)(void *ctx, struct str topic);
    void *ctx;
};

struct adopt_thing {
    enum adopt_shape shape; /* NONE: there is an obstacle */
    enum adopt_shape kin;   /* whose thing it is, also if it tells nothing of it; NONE: nobody's */
    enum adopt_obstacle obstacle;
    struct str base; /* the same for all topics of one thing: "plug1", "zigbee2mqtt/kitchen" */
    struct str rest; /* what the topic says about it: "SENSOR", "relay/0", "moisture"; may be "" */
    struct str prefix; /* TASMOTA: "tele" or "stat" */
    bool prefix_last;  /* TASMOTA: plug1/tele/SENSOR */
};
struct adopt_thing adopt_thing_of(struct str topic, enum payload_kind kind,
                                  const struct adopt_topics *all);
/* The same for all topics of a thing, and for those of no thing that share a place:
 * "tasmota:plug1", "announcement:zigbee2mqtt/bridge". `claimer`: the device that has the topic and
 * could not read it, "": none. In buf; cut to size. */
enum { ADOPT_KEY_MAX = 1100 };
struct str adopt_key(const struct adopt_thing *t, struct str claimer, char buf[ADOPT_KEY_MAX]);
bool adopt_same_thing(const struct adopt_thing *a, const struct adopt_thing *b);
/* "tasmota", "json"; NULL of NONE. */
const char *adopt_shape_name(enum adopt_shape s);
/* "command"; NULL of NONE. */
const char *adopt_obstacle_name(enum adopt_obstacle o);
/* A clause for people, behind the topic's name: "is a command to a device". */
const char *adopt_obstacle_text(enum adopt_obstacle o);
