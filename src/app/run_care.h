/* run_care: what can stop a running site from outside, raised as its alerts: a disk that fills up,
 * a certificate that ends.
 *
 * Why: `sedge doctor` sees both, but nobody runs it in time. A full disk is known at once, from the
 * journal; how much is left, and how long certificates hold, is looked at every ten minutes and
 * after a reload, on the offload pool.
 * The alerts are "site/disk" (warning below 64 MiB or an eighth of the disk, critical when full)
 * and "site/certificate/FILE" (warning 14 days before its end, critical behind it). Ownership: the
 * configuration is copied. Free it when the executor has stopped, before bus and journal. Threads:
 * worker 0. Errors: ERR_NOMEM. */
#pragma once

#include "app/doctor_site.h"
#include "bus/bus.h"

struct run_care;
struct run_care_config {
    struct executor *ex;
    struct alloc *alloc;
    struct bus *bus;
    struct journal *journal;
    const char *store, *folder; /* of the data; of the site's files */
    const struct site_settings *settings;
};
MUST_USE enum err run_care_new(struct run_care **out, const struct run_care_config *cfg,
                               struct error *e);
void run_care_free(struct run_care *c); /* NULL is fine */
void run_care_look(struct run_care *c); /* now */
