/* access: the rules of a site about who may publish, subscribe and receive what.
 *
 * Why: a rule may cost a walk over patterns with the client's and user's names in them, so each
 * connection remembers what was decided. A site without rules has no struct bus_access, and pays
 * one look at a pointer.
 * Ownership: rules belong to who makes them (bus_access_set()); decisions to a connection, or
 * whoever else publishes; bus_decisions_free() with the allocator of bus_decisions_new().
 * Threads: check() on any worker, by several at once, so it only reads. Decisions belong to one
 * worker.
 * Errors: without memory nothing is remembered, and check() is asked each time. */
#pragma once

#include "base/alloc.h"
#include "base/str.h"

struct bus_publisher;
enum bus_act { BUS_ACT_PUBLISH, BUS_ACT_SUBSCRIBE, BUS_ACT_DELIVER };

struct bus_access {
    /* `topic` is a filter if the act is to subscribe, without `$share/name/`. Never asked for those
     * who are trusted. */
    bool (*check)(const struct bus_access *a, const struct bus_publisher *who, enum bus_act act,
                  struct str topic);
};

struct bus_decisions;
struct bus_decisions *bus_decisions_new(struct alloc *a); /* or NULL */
void bus_decisions_free(struct alloc *a, struct bus_decisions *d);
