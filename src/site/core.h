/* core: the parts that every site consists of, put together in the one order that is right.
 *
 * Why: what a power cut leaves is made whole again by the order in which parts are opened and
 * replay what the journal has; in another order it is lost. A site runs on a machine (`sedge run`),
 * in a world of its own for its tests (trial.h), and in the simulations that cut its power; all of
 * them are built here, so what is simulated is what ships.
 * The order: database and journal, bus, devices, and who remembers something of what they say:
 * history, alerts, programs, sessions. Then the journal is replayed to them, and takes new records.
 * What speaks begins later, when the caller has put the rest to it: registry_start(),
 * automation_start(), mqtt_server_listen().
 * Ownership: embedded; executor, site and what the configuration points to outlive it. A core does
 * not move. site_core_close() with the executor stopped, and before executor_free(); fine on a
 * zeroed one and on what was built in part.
 * Threads: worker 0, before and after the executor runs. */
#pragma once

#include "alert/alert.h"
#include "automation/automation.h"
#include "history/history.h"
#include "protocol/mqtt_server.h"
#include "registry/registry.h"

struct site_core {
    struct db *db;
    struct journal *journal;
    struct bus *bus;
    struct registry *registry;
    struct history *history;
    struct alerts *alerts;
    struct automation *automation;
    struct mqtt_server *mqtt;
};
struct site_core_config {
    struct executor *ex;
    struct alloc *alloc;
    const struct lang_site *site;
    const char *store; /* a folder that is there, and nobody else's */
    bool alone;        /* without history and clients: in a test nobody asks for them */
    /* Of the journal: store/journal.h. */
    int64_t commit_ms;
    size_t segment_bytes;
    uint64_t journal_max_bytes;
    void (*progress)(void *ctx, size_t segment, size_t segments);
    void *progress_ctx;
    /* Of the MQTT server: protocol/mqtt_server.h. */
    struct access *access;
    int64_t sys_interval_ms;
    struct mqtt_limits limits;
};
/* After an error it wants to be closed all the same. */
MUST_USE enum err site_core_open(struct site_core *c, const struct site_core_config *cfg,
                                 struct error *e);
void site_core_close(struct site_core *c);
