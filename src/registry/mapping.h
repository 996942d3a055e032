/* mapping: how a device that was not made for us is understood: where in its messages its values
 * are, what to send it, and how one sees that it is there (docs/payloads.md).
 *
 * Why: Tasmota, Zigbee2MQTT, Shelly and whatever else publishes have topics and documents of their
 * own. A site says in the device's declaration which value of which message is which property.
 * Ownership: registry_device() copies all of it. Threads: worker 0. */
#pragma once

#include "registry/path.h"

/* A property's value, or the word by which an event is told. */
struct source_def {
    uint32_t member; /* index of a property, or of an event */
    bool event;
    struct str topic;
    struct str path;      /* "": the bare payload */
    struct str time;      /* path of its time; "": the document's usual places */
    struct str yes, no;   /* a boolean's words; both "": the usual ones. An event's word is `yes` */
    double scale, offset; /* value = number * scale + offset, in the property's unit; scale 0: as it
                             is */
};

/* A part of what is sent: text, or an argument. */
struct piece_def {
    struct str text;      /* of param -1 */
    int param;            /* index of the action's parameter; -1: the text */
    double scale, offset; /* as above, of a number */
    bool whole;           /* rounded to a whole number */
    bool json;            /* within a JSON document: a text gets its quotes */
};
struct command_def {
    uint32_t action;
    struct str topic;
    const struct piece_def *pieces;
    size_t piece_count;
    struct str yes, no; /* what a boolean parameter is sent as; "": true and false */
    struct str answer;  /* any message on this topic confirms the action; "": the property does that
                           the model names */
    uint8_t qos;
    bool retain;
};

/* Whether the device is there: by the will of its connection, or by who speaks for it. With several
 * it is there when all say so. */
struct online_def {
    struct str topic, path, yes, no; /* as of a source */
};

struct mapping_def {
    const struct source_def *sources;
    size_t source_count;
    const struct command_def *commands;
    size_t command_count;
    const struct online_def *online;
    size_t online_count;
};
