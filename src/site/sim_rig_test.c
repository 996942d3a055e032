#include "site/sim_rig_test.h"

#include "base/log.h"
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

static enum err check_site(struct house *h)
{
    const struct lang_source source = {STR("house.sedge"), str_from(site_text)};
    enum err err =
        h->site ? ERR_OK : lang_check(alloc_system(), site_schema(), &source, 1, &h->site);
    if (!err && !CHECK_EQ_UINT(h->site->errors, 0)) {
        site_print_diags(stderr, h->site);
        err = ERR_INVALID;
    }
    return err;
}

struct addr house_addr(const struct house *h)
{
    struct addr a;
    REQUIRE(addr_parse(&a, str_from(env_sim_host(h->env)), HOUSE_PORT) == ERR_OK);
    return a;
}

enum err house_build(struct house *h, struct error *e)
{
    const struct executor_config ex = {
        .env = h->env, .alloc = alloc_system(), .workers = 1, .offload_threads = 2};
    const struct mqtt_listen listen = {.addr = house_addr(h), .anonymous = true};
    enum err err = executor_new(&h->ex, &ex, e);
    if (!err)
        err = h->env->disk->ops->make_dir(h->env->disk, "/site", e);
    if (!err)
        err = check_site(h);
    const struct site_core_config core = {.ex = h->ex,
                                          .alloc = alloc_system(),
                                          .site = h->site,
                                          .store = "/site",
                                          .segment_bytes = SEGMENT_BYTES,
                                          .journal_max_bytes = JOURNAL_BYTES,
                                          .limits = h->limits};
    if (!err)
        err = site_core_open(&h->core, &core, e);
    if (err)
        return err;
    if (h->wired)
        h->wired(h->ctx);
    registry_start(h->core.registry);
    automation_start(h->core.automation);
    err = mqtt_server_listen(h->core.mqtt, &listen, NULL, e);
    if (!err)
        env_sim_boot(h->env, h->ex);
    return err;
}

bool house_is_broken(const struct house *h, const struct error *e)
{
    if (disk_sim_is_off(env_sim_disk(h->env)))
        return false;
    test_note("the site does not start: %s", e->text);
    return true;
}

void house_take_down(struct house *h)
{
    if (h->ex) {
        executor_stop(h->ex);
        (void)executor_turn(h->ex);
    }
    if (h->core.journal)
        h->recycled += journal_stats(h->core.journal).recycled;
    site_core_close(&h->core);
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
