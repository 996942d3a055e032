#include "site/core.h"

#include "site/load.h"
#include "site/mapping.h"

#include <limits.h>
#include <stdio.h>

static enum err open_store(struct site_core *c, const struct site_core_config *cfg, struct error *e)
{
    const struct env *env = executor_env(cfg->ex);
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/sedge.db", cfg->store);
    if (n < 0 || (size_t)n >= sizeof(path))
        return error_set(e, ERR_RANGE, "the path of the store is too long");
    const struct db_config db = {.ex = cfg->ex, .alloc = cfg->alloc, .path = path};
    enum err err = db_open(&c->db, &db, e);
    const struct journal_config journal = {.ex = cfg->ex,
                                           .disk = env->disk,
                                           .clock = env->clock,
                                           .alloc = cfg->alloc,
                                           .dir = cfg->store,
                                           .commit_ms = cfg->commit_ms,
                                           .segment_bytes = cfg->segment_bytes,
                                           .journal_max_bytes = cfg->journal_max_bytes,
                                           .seed = env->seed,
                                           .progress = cfg->progress,
                                           .progress_ctx = cfg->progress_ctx};
    return err ? err : journal_open(&c->journal, &journal, e);
}

static enum err open_devices(struct site_core *c, const struct site_core_config *cfg,
                             struct error *e)
{
    const struct bus_config bus = {
        .ex = cfg->ex, .journal = c->journal, .db = c->db, .alloc = cfg->alloc};
    enum err err = bus_new(&c->bus, &bus, e);
    const struct registry_config registry = {.ex = cfg->ex,
                                             .bus = c->bus,
                                             .journal = c->journal,
                                             .db = c->db,
                                             .alloc = cfg->alloc,
                                             .convert = site_mapping_convert};
    if (!err)
        err = registry_new(&c->registry, &registry, e);
    return err ? err : site_load_registry(cfg->site, c->registry, e);
}

static enum err open_history(struct site_core *c, const struct site_core_config *cfg,
                             struct error *e)
{
    const struct history_config history = {.ex = cfg->ex,
                                           .db = c->db,
                                           .journal = c->journal,
                                           .bus = c->bus,
                                           .alloc = cfg->alloc,
                                           .replay = registry_replay,
                                           .ctx = c->registry};
    return cfg->alone ? ERR_OK : history_new(&c->history, &history, e);
}

static enum err open_programs(struct site_core *c, const struct site_core_config *cfg,
                              struct error *e)
{
    const struct alerts_config alerts = {
        .ex = cfg->ex, .bus = c->bus, .journal = c->journal, .db = c->db, .alloc = cfg->alloc};
    const struct automation_config automation = {.ex = cfg->ex,
                                                 .bus = c->bus,
                                                 .registry = c->registry,
                                                 .journal = c->journal,
                                                 .db = c->db,
                                                 .alloc = cfg->alloc,
                                                 .site = cfg->site};
    enum err err = alerts_new(&c->alerts, &alerts, e);
    return err ? err : automation_new(&c->automation, &automation, e);
}

static enum err open_mqtt(struct site_core *c, const struct site_core_config *cfg, struct error *e)
{
    const struct mqtt_server_config mqtt = {.ex = cfg->ex,
                                            .bus = c->bus,
                                            .journal = c->journal,
                                            .db = c->db,
                                            .alloc = cfg->alloc,
                                            .access = cfg->access,
                                            .sys_interval_ms = cfg->sys_interval_ms,
                                            .limits = cfg->limits};
    return cfg->alone ? ERR_OK : mqtt_server_new(&c->mqtt, &mqtt, e);
}

static bool was_heard(void *history, struct str series)
{
    return history_knows(history, series);
}

enum err site_core_open(struct site_core *c, const struct site_core_config *cfg, struct error *e)
{
    *c = (struct site_core){0};
    enum err err = open_store(c, cfg, e);
    if (!err)
        err = open_devices(c, cfg, e);
    if (!err)
        err = open_history(c, cfg, e);
    if (!err)
        err = open_programs(c, cfg, e);
    if (!err)
        err = open_mqtt(c, cfg, e);
    if (!err)
        err = journal_replay(c->journal, e);
    if (!err && c->history)
        registry_heard_before(c->registry, was_heard, c->history); /* as the replay has it */
    return err ? err : journal_start(c->journal, e);
}

void site_core_close(struct site_core *c)
{
    if (c->db)
        db_drain(c->db); /* what the database still hands back, its owners must be there for */
    mqtt_server_close(c->mqtt);
    if (c->db)
        db_drain(c->db); /* the sessions that it has stored */
    automation_free(c->automation);
    alerts_free(c->alerts);
    history_free(c->history);
    registry_free(c->registry);
    bus_free(c->bus);
    db_close(c->db);
    journal_close(c->journal);
    *c = (struct site_core){0};
}
