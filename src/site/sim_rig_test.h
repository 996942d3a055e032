/* sim_rig_test: a whole sedge site in a simulated world: journal, database, bus, registry, history
 * and MQTT server on one machine, clients on another. For the tests of site/ only.
 *
 * A house can be taken down as a crash does it, behind env_sim_off(), and built again on what the
 * disk has kept. */
#pragma once

#include "async/sim/env_sim.h"
#include "client/mqtt_client.h"
#include "site/core.h"
#include "tests/support/test.h"

#define HOUSE_PORT 1883

struct house {
    struct env *env;
    struct lang_site *site;
    struct executor *ex;
    struct site_core core;
    struct mqtt_limits limits;
    void (*wired)(void *ctx); /* when there is a bus, and nothing has begun; may be NULL */
    void *ctx;
    uint64_t recycled; /* segments of the journal, in all lives but the present one */
};

/* From an empty struct, or from what a take-down has left. With h->site set it is that site, else a
 * small one of the rig's. */
MUST_USE enum err house_build(struct house *h, struct error *e);
/* What to make of a house that could not be built: false, its power has gone meanwhile; else it
 * says why. */
bool house_is_broken(const struct house *h, const struct error *e);
/* After env_sim_off() or env_sim_halt(); also what was only built in part. */
void house_take_down(struct house *h);
struct addr house_addr(const struct house *h);

/* A machine of clients. */
struct street {
    struct env *env;
    struct executor *ex;
    struct worker *worker;
};
void street_open(struct street *s, struct sim *sim);
void street_close(struct street *s);

/* How many seeds (SEDGE_SEEDS, else `usual`), and the first (SEDGE_SEED; then it is the only one,
 * unless a number was given). */
struct seeds {
    uint64_t first, count;
};
struct seeds seeds_asked(uint64_t usual);
/* While a crash is played, what the site says about its disk is not news. */
void log_quiet(bool quiet);
