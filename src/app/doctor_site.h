/* doctor_site: what doctor/ is to look at of a site, from its settings.
 *
 * Ownership: texts are copied, so they outlive a reload. Threads: any. Errors: none: a file whose
 * path is too long is left out, as one of the service manager's credentials is, which only the
 * site's own process may read. */
#pragma once

#include "doctor/doctor.h"
#include "site/load.h"

enum { DOCTOR_LISTENS_MAX = 2 * SITE_LISTENERS_MAX };
/* How many there are. `folder`: where relative paths begin. */
size_t doctor_site_listens(struct doctor_listen out[DOCTOR_LISTENS_MAX], const char *folder,
                           const struct site_settings *settings);
