/* limits: what a site says in `server { limits { … } }`: how much of what the MQTT server
 * takes on, what a full queue does, and what it leaves out.
 *
 *     limits {
 *         connections 20000
 *         packet 256 KiB
 *         full refuse
 *         without qos2
 *     }
 *
 * Each number is one row of a table (limits.c): its word, the field of struct mqtt_limits, its
 * unit and range. What a site leaves out has the server's own default (mqtt_server.h).
 * Threads: none. */
#pragma once

#include "lang/lang.h"
#include "protocol/mqtt_server.h"

/* Zeroed where the block, or a clause of it, is missing; `server` may be NULL. */
void site_limits_read(struct mqtt_limits *out, const struct lang_decl *server);
/* A running site keeps its limits. ERR_UNSUPPORTED names the clause that differs. */
MUST_USE enum err site_limits_keep(const struct mqtt_limits *now, const struct mqtt_limits *next,
                                   struct error *e);
/* Each limit as the site would write it. `text`: the value of `full` and of each `without`; NULL:
 * it is a number: bytes, seconds, milliseconds (connect_timeout), or a count; 0: there is no limit.
 */
void site_limits_each(const struct mqtt_limits *l,
                      void (*each)(void *ctx, const char *word, const char *text, uint64_t value),
                      void *ctx);
/* The clauses of the block, for the site's schema. */
enum { SITE_LIMITS_CLAUSES = 18 };
extern const struct lang_clause site_limits_clauses[SITE_LIMITS_CLAUSES];
