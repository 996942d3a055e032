/* mapping: the clauses of a device that was not made for us: where its values are, what to
 * send it, how one sees that it is there.
 *
 *     property power = "ENERGY.Power" on "tele/plug1/SENSOR"
 *     event single = "action" on "zigbee2mqtt/button" is "single"
 *     action dim(level) publish "zigbee2mqtt/lamp/set" { brightness = round(level * 2.54) }
 *     online on "tele/plug1/LWT"
 *
 * docs/payloads.md is the reference; what comes of it is registry/mapping.h.
 * Threads: any; the tables are constant. */
#pragma once

#include "lang/lang.h"
#include "registry/registry.h"

enum {
    SITE_MAPPING_PROPERTY_ARGS = 9,
    SITE_MAPPING_EVENT_ARGS = 4,
    SITE_MAPPING_ACTION_ARGS = 8,
    SITE_MAPPING_ONLINE_ARGS = 4
};
extern const struct lang_arg site_mapping_property_args[SITE_MAPPING_PROPERTY_ARGS];
extern const struct lang_arg site_mapping_event_args[SITE_MAPPING_EVENT_ARGS];
extern const struct lang_arg site_mapping_action_args[SITE_MAPPING_ACTION_ARGS];
extern const struct lang_arg site_mapping_online_args[SITE_MAPPING_ONLINE_ARGS];

/* What only we can judge of them: paths, topics, options that go with the member's type. */
void site_mapping_check(struct lang_ctx *c, const struct lang_decl *const *decls, size_t n);
/* The mapping of a device that was checked; its arrays are the arena's. ERR_NOMEM. */
MUST_USE enum err site_mapping_read(struct mapping_def *out, const struct lang_decl *device,
                                    struct arena *a);
/* For registry_config.convert: units as the language knows them. */
bool site_mapping_convert(struct str from, struct str to, double *scale, double *offset);
