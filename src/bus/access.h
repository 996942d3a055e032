/* access: the rules of a site about who may publish, subscribe and receive what.
 *
 * Why: the rules are known above the bus (auth/), but every way of a message goes through it:
 * live, retained, wills and shares. A site without rules has no struct bus_access, and pays one
 * look at a pointer.
 * Ownership: of who makes it, see bus_access_set().
 * Threads: check() on any worker, by several at once, so it only reads; about one publisher or
 * subscriber always on its own worker, so what it remembers of that one (bus_publisher.rights)
 * needs no lock. */
#pragma once

#include "base/str.h"

struct bus_publisher;
enum bus_act { BUS_ACT_PUBLISH, BUS_ACT_SUBSCRIBE, BUS_ACT_DELIVER };

struct bus_access {
    /* `topic` is a filter if the act is to subscribe, without `$share/name/`. Never asked about
     * those who are trusted, or have no rights. False: `why` (160 bytes) may be filled; for a
     * delivery it is NULL. */
    bool (*check)(const struct bus_access *a, const struct bus_publisher *who, enum bus_act act,
                  struct str topic, char *why);
};
