/* zone: the time zone of a site's clock, by its name in the tz database ("Europe/Berlin").
 *
 * Why: `at 05:00` is a time of people, and their clock jumps twice a year. The C library knows the
 * zones (package tzdata; the folder TZDIR, else /usr/share/zoneinfo); an unknown name would be
 * taken for UTC without a word, so it is looked for first. Threads: site_zone_set() before there
 * are any, since it changes the environment. */
#pragma once

#include "lang/lang.h"

/* "" if the site does not say: then it is the system's. Borrows the site. */
struct str site_zone(const struct lang_site *site);
/* ERR_NOT_FOUND, with a message for people. "" is fine. */
MUST_USE enum err site_zone_check(struct str zone, struct error *e);
/* The process's zone from now on; "" leaves it as it is. */
void site_zone_set(struct str zone);
