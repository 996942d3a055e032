/* heard: when the events of the devices came, for people: of each how often, and its last times.
 *
 * Why: a button was pressed, a machine jammed: the page names the events of a device, and its
 * reader asks when.
 * Bounds: HEARD_TIMES of each event, registry_config.heard_max events of a site. When these are
 * used up, what no device declares any more makes room; else a new one is not listed, which the
 * log says once.
 * Over restarts: kept by name, as history is, so what a changed site goes on calling the same goes
 * on. Recorded at most once a second for each event, however fast it comes, and readers are told
 * at once and with the record; a crash loses what is younger than that. Whoever acts on an event
 * has its own record (automation/).
 * Ownership: the registry's. Threads: worker 0. */
#pragma once

#include "registry/registry.h"

/* Before the replay of the journal. */
MUST_USE enum err heard_init(struct registry *r, struct error *e);
/* Safe if heard_init() has not been called. */
void heard_fini(struct registry *r);
void heard_note(struct registry *r, const struct signal_event *e);
