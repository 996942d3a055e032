#include "site/sim_rig_test.h"

#include "base/log.h"
#include "site/load.h"
#include "site/schema.h"
#include <stdlib.h>

/* A device whose samples are kept, and one that nobody plays: the program's commands are tried
 * again, fail, and raise alerts. */
static const char site_text[] =
    "site \"house\"\n"
    "model Counter { property count: int }\n"
    "model Valve { property position: %\n"
    "  action open() confirms position > 90 %\n"
    "  action close() confirms position < 5 %\n"
    "  safe close() }\n"
    "device counter: Counter { id \"counter\"; via mqtt \"counter\" json }\n"
    "device valve: Valve { id \"valve\"; via mqtt \"valve\" json }\n"
    "program watch {\n"
    "  own valve: Valve = valve\n"
    "  read count: int = counter.count stale 1h\n"
    "  var highest = 0\n"
    "  when count > highest { highest = count }\n"
    "  when count > 200 { alert warning \"{count} is much\"; valve.open() }\n"
    "  until count < 100 { valve.close() }\n"
    "}\n";

/* Small segments: the journal is recycled, and its consumers write their checkpoints, in every
 * run. */
enum { SEGMENT_BYTES = 16 * 1024, JOURNAL_BYTES = 2 * SEGMENT_BYTES };

static enum err build_store(struct house *h, struct error *e)
{
    struct env *env = h->env;
    enum err err = env->disk->ops->make_dir(env->disk, "/site", e);
    const struct db_config db = {.ex = h->ex, .alloc = alloc_system(), .path = "/site/sedge.db"};
    if (!err)
        err = db_open(&h->db, &db, e);
    const struct journal_config journal = {.ex = h->ex,
                                           .disk = env->disk,
                                           .clock = env->clock,
                                           .alloc = alloc_system(),
                                           .dir = "/site",
                                           .segment_bytes = SEGMENT_BYTES,
                                           .journal_max_bytes = JOURNAL_BYTES,
                                           .seed = env->seed};
    if (!err)
        err = journal_open(&h->journal, &journal, e);
    return err;
}

static enum err build_registry(struct house *h, struct error *e)
{
    const struct lang_source source = {STR("house.sedge"), str_from(site_text)};
    const struct registry_config cfg = {
        .ex = h->ex, .bus = h->bus, .journal = h->journal, .db = h->db, .alloc = alloc_system()};
    enum err err =
        h->site ? ERR_OK : lang_check(alloc_system(), site_schema(), &source, 1, &h->site);
    if (!err && !CHECK_EQ_UINT(h->site->errors, 0)) {
        site_print_diags(stderr, h->site);
        err = ERR_INVALID;
    }
    if (!err)
        err = registry_new(&h->registry, &cfg, e);
    if (!err)
        err = site_load_registry(h->site, h->registry, e);
    return err;
}

static enum err build_consumers(struct house *h, struct error *e)
{
    struct alloc *a = alloc_system();
    const struct history_config history = {.ex = h->ex,
                                           .db = h->db,
                                           .journal = h->journal,
                                           .bus = h->bus,
                                           .alloc = a,
                                           .replay = registry_replay,
                                           .ctx = h->registry};
    const struct alerts_config alerts = {
        .ex = h->ex, .bus = h->bus, .journal = h->journal, .db = h->db, .alloc = a};
    const struct automation_config automation = {.ex = h->ex,
                                                 .bus = h->bus,
                                                 .registry = h->registry,
                                                 .journal = h->journal,
                                                 .db = h->db,
                                                 .alloc = a,
                                                 .site = h->site};
    const struct mqtt_server_config server = {.ex = h->ex,
                                              .bus = h->bus,
                                              .journal = h->journal,
                                              .db = h->db,
                                              .alloc = a,
                                              .limits = h->limits};
    enum err err = history_new(&h->history, &history, e);
    if (!err)
        err = alerts_new(&h->alerts, &alerts, e);
    if (!err)
        err = automation_new(&h->automation, &automation, e);
    if (!err)
        err = mqtt_server_new(&h->server, &server, e);
    return err;
}

struct addr house_addr(const struct house *h)
{
    struct addr a;
    REQUIRE(addr_parse(&a, str_from(env_sim_host(h->env)), HOUSE_PORT) == ERR_OK);
    return a;
}

/* The order is that of cmd_run.c. */
enum err house_build(struct house *h, struct error *e)
{
    const struct executor_config ex = {
        .env = h->env, .alloc = alloc_system(), .workers = 1, .offload_threads = 2};
    const struct mqtt_listen listen = {.addr = house_addr(h), .anonymous = true};
    enum err err = executor_new(&h->ex, &ex, e);
    if (!err)
        err = build_store(h, e);
    const struct bus_config bus = {
        .ex = h->ex, .journal = h->journal, .db = h->db, .alloc = alloc_system()};
    if (!err)
        err = bus_new(&h->bus, &bus, e);
    if (!err)
        err = build_registry(h, e);
    if (!err)
        err = build_consumers(h, e);
    if (!err)
        err = journal_replay(h->journal, e);
    if (!err)
        err = journal_start(h->journal, e);
    if (err)
        return err;
    if (h->wired)
        h->wired(h->ctx);
    registry_start(h->registry);
    automation_start(h->automation);
    err = mqtt_server_listen(h->server, &listen, NULL, e);
    if (!err)
        env_sim_boot(h->env, h->ex);
    return err;
}

void house_take_down(struct house *h)
{
    if (h->ex) {
        executor_stop(h->ex);
        (void)executor_turn(h->ex);
    }
    if (h->journal)
        h->recycled += journal_stats(h->journal).recycled;
    if (h->db)
        db_drain(h->db);
    mqtt_server_close(h->server);
    if (h->db)
        db_drain(h->db);
    automation_free(h->automation);
    alerts_free(h->alerts);
    history_free(h->history);
    registry_free(h->registry);
    bus_free(h->bus);
    db_close(h->db);
    journal_close(h->journal);
    executor_free(h->ex);
    lang_site_free(h->site);
    *h = (struct house){.env = h->env, .wired = h->wired, .ctx = h->ctx, .recycled = h->recycled};
}

void street_open(struct street *s, struct sim *sim)
{
    struct error e = {0};
    REQUIRE(env_sim_new(&s->env, sim) == ERR_OK);
    const struct executor_config ex = {
        .env = s->env, .alloc = alloc_system(), .workers = 1, .offload_threads = 1};
    REQUIRE(CHECK_EQ_INT(executor_new(&s->ex, &ex, &e), ERR_OK));
    s->worker = executor_worker(s->ex, 0);
    env_sim_boot(s->env, s->ex);
}

void street_close(struct street *s)
{
    env_sim_halt(s->env);
    executor_stop(s->ex);
    (void)executor_turn(s->ex);
    executor_free(s->ex);
    env_sim_free(s->env);
}

static bool number_asked(const char *name, uint64_t *out)
{
    const char *text = getenv(name);
    if (!text || !text[0])
        return false;
    *out = strtoull(text, NULL, 10);
    return true;
}

/* The sanitizers are six times slower and run a fifth of many seeds; the released build runs all of
 * them. */
static uint64_t affordable(uint64_t usual)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return usual < 50 ? usual : usual / 5;
#else
    return usual;
#endif
}

struct seeds seeds_asked(uint64_t usual)
{
    struct seeds s = {.first = 1, .count = affordable(usual)};
    bool one = number_asked("SEDGE_SEED", &s.first);
    if (!number_asked("SEDGE_SEEDS", &s.count) && one)
        s.count = 1;
    return s;
}

static void nowhere(void *ctx, enum log_level level, const char *part, const char *text)
{
    (void)ctx, (void)level, (void)part, (void)text;
}

void log_quiet(bool quiet)
{
    bool one_seed = getenv("SEDGE_SEED") && !getenv("SEDGE_SEEDS");
    log_set_sink(quiet && !one_seed ? nowhere : NULL, NULL);
}
