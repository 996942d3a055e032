/* A whole site that is reloaded at any instant while samples come in, a hundred seeds. Its sources
 * are made up each time: programs and devices come, change and go, some are mistaken, some ask for
 * what can't change at run time. Whatever happens, the program that is always there sees every
 * sample once and fires when its hold time is over; the one that is always another sees every
 * sample once, too; and nothing of a refused site is ever seen.
 *
 *     SEDGE_SEED=4711 build/release/site_test sim_reload          this one, with the site's log */
#include "site/reload.h"
#include "site/schema.h"
#include "site/sim_rig_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS     INT64_C(1000000)
#define SECOND (1000 * MS)

enum { SAMPLES = 150, SEEDS = 100, HOLD_MS = 3000, PATIENCE_S = 600 };

struct version {
    bool bad;          /* it must be refused */
    unsigned blank;    /* lines before everything else */
    unsigned number;   /* of the program that is always another */
    unsigned keeper;   /* of the valve: 0 none, 1, 2; 3: there is no valve */
    bool other_topic;  /* the valve's */
    const char *unit;  /* of a property that nobody minds */
    const char *wrong; /* a declaration */
};

struct town {
    struct sim *sim;
    struct random random;
    struct house house;
    struct street street;
    struct mqtt_client *client;
    struct site_reload *reload;
    struct site_settings settings;
    struct event_listener events;
    struct timer speaker;
    struct env_event next;
    struct version version, running; /* what was read last; what is taken */
    int sent, acked, steady, volatile_, held;
    int taken, refused, busy;
    int64_t first_ms, held_ms;
    bool broken;
};

#define HOLDS(t, cond) ((t)->broken = !CHECK(cond) || (t)->broken)

static unsigned below(struct town *t, unsigned n)
{
    return (unsigned)random_below(&t->random, n);
}

/* --- sources --- */

static struct version make_version(struct town *t)
{
    static const char *const units[] = {"°C", "bar", "%"};
    static const char *const wrong[] = {
        "program bad { when counter.count > 1 bar { } }\n",      /* a mistake in the text */
        "program bad {\n",                                       /* not even a text */
        "device twice: Counter { via mqtt \"counter\" json }\n", /* found by the registry */
        ("device odd: Odd { via mqtt \"odd\" json }\n"           /* there, too, and late */
         "model Odd { property telemetry: int }\n"),
    };
    struct version v = {.blank = below(t, 4),
                        .number = below(t, 5),
                        .keeper = below(t, 4),
                        .other_topic = below(t, 2),
                        .unit = units[below(t, 3)],
                        .wrong = "",
                        .bad = below(t, 4) == 0};
    unsigned which = below(t, ARRAY_LEN(wrong) + 1);
    if (v.bad)
        v.wrong = which < ARRAY_LEN(wrong) ? wrong[which] : "store";
    return v;
}

static void write_version(struct strbuf *b, const struct version *v)
{
    bool store = strcmp(v->wrong, "store") == 0;
    strbuf_addf(b,
                "%.*ssite \"s\"\nserver { mqtt 127.0.0.1:1883; store \"%s\" }\n"
                "model Counter { property count: int }\n"
                "model Thing { property x: %s }\n"
                "model Valve { property position: %%\n"
                "  action open() confirms position > 90 %%\n"
                "  action close() confirms position < 5 %%\n  safe close() }\n"
                "device counter: Counter { id \"c\"; via mqtt \"counter\" json }\n"
                "device thing: Thing { id \"t\"; via mqtt \"thing\" json }\n",
                (int)v->blank, "\n\n\n\n", store ? "elsewhere" : "data", v->unit);
    strbuf_adds(b, "program steady {\n  read count: int = counter.count stale 1h\n  var n = 0\n"
                   "  when count > n { n = n + 1; alert info \"steady {count} {n}\" }\n");
    strbuf_addf(b, "  when count > 0 for %d ms { alert info \"held\" }\n}\n", HOLD_MS);
    strbuf_addf(b,
                "program volatile {\n  read count: int = counter.count stale 1h\n  var n = 0\n"
                "  when count > n { n = n + 1; alert info \"volatile {count} {n}\" }\n"
                "  when count > %u { }\n}\n",
                1000 + v->number);
    if (v->keeper != 3)
        strbuf_addf(b, "device valve: Valve { id \"v\"; via mqtt \"valve%s\" json }\n",
                    v->other_topic ? "2" : "");
    if (v->keeper == 1 || v->keeper == 2)
        strbuf_addf(b,
                    "program keeper%u {\n  own valve: Valve = valve\n"
                    "  read count: int = counter.count stale 1h\n"
                    "  when count mod 2 == 1 { valve.open() } until count mod 2 == 0 "
                    "{ valve.close() }\n}\n",
                    v->keeper);
    strbuf_adds(b, store ? "" : v->wrong);
}

static struct lang_site *check_version(const struct version *v)
{
    struct strbuf text;
    struct lang_site *site = NULL;
    strbuf_init(&text, alloc_system(), 0);
    write_version(&text, v);
    const struct lang_source source = {STR("s.sedge"), strbuf_str(&text)};
    REQUIRE(!text.failed);
    REQUIRE(lang_check(alloc_system(), site_schema(), &source, 1, &site) == ERR_OK);
    strbuf_fini(&text);
    return site;
}

static enum err read_version(void *ctx, struct lang_site **out, struct error *e)
{
    struct town *t = ctx;
    if (below(t, 20) == 0)
        return error_set(e, ERR_IO, "the folder has gone");
    *out = check_version(&t->version);
    return ERR_OK;
}

/* --- reloads --- */

static void look(struct town *t)
{
    const struct version *v = &t->running;
    struct registry *r = t->house.core.registry;
    const struct device *valve = registry_find(r, STR("valve"));
    const char *owner = v->keeper == 1 ? "keeper1" : v->keeper == 2 ? "keeper2" : "";
    HOLDS(t, (valve != NULL) == (v->keeper != 3));
    HOLDS(t, !valve || str_eq(valve->owner, str_from(owner)));
    HOLDS(t, !valve || str_eq(valve->topic, str_from(v->other_topic ? "valve2" : "valve")));
    HOLDS(t, automation_programs(t->house.core.automation) == 2 + (owner[0] != 0));
    HOLDS(t, str_eq(registry_find(r, STR("thing"))->props[0].series->unit, str_from(v->unit)));
    HOLDS(t, t->house.site->errors == 0);
}

static void reloaded(void *arg, enum err result)
{
    struct town *t = arg;
    HOLDS(t, result == ERR_OK || result == ERR_IO || t->version.bad);
    HOLDS(t, result != ERR_OK || !t->version.bad);
    if (result == ERR_OK)
        t->running = t->version;
    t->taken += result == ERR_OK;
    t->refused += result != ERR_OK;
    look(t);
}

static void reload_again(struct env_event *ev)
{
    struct town *t = CONTAINER_OF(ev, struct town, next);
    struct version v = make_version(t);
    if (site_reload_running(t->reload)) {
        HOLDS(t, site_reload_start(t->reload, reloaded, t) == ERR_EXISTS);
        t->busy++;
    } else {
        t->version = v;
        HOLDS(t, site_reload_start(t->reload, reloaded, t) == ERR_OK);
    }
    sim_after(t->sim, ev, (int64_t)(1 + below(t, 120)) * MS);
}

/* --- samples --- */

static void acknowledged(void *ctx, enum err err, uint8_t reason)
{
    struct town *t = ctx;
    (void)reason;
    if (err == ERR_CANCELED)
        return;
    HOLDS(t, err == ERR_OK);
    t->acked++;
}

static void publish(struct town *t, const char *topic, int number, struct mqtt_done done)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%d", number);
    const struct mqtt_publish m = {
        .topic = str_from(topic), .payload = {(const uint8_t *)text, strlen(text)}, .qos = 1};
    HOLDS(t, mqtt_client_publish(t->client, &m, done) == ERR_OK);
}

static void ignored(void *ctx, enum err err, uint8_t reason)
{
    (void)ctx, (void)err, (void)reason;
}

static void speak(struct timer *timer)
{
    struct town *t = CONTAINER_OF(timer, struct town, speaker);
    publish(t, "counter/count", ++t->sent, (struct mqtt_done){acknowledged, t});
    publish(t, below(t, 2) ? "thing/x" : "valve/position", t->sent,
            (struct mqtt_done){ignored, NULL});
    if (t->sent < SAMPLES)
        timer_set_after_ms(timer, 1 + (int64_t)below(t, 100));
}

static void count_alert(struct town *t, struct str text, const char *program, int *n)
{
    char expected[64];
    if (!str_starts(text, str_from(program)))
        return;
    ++*n;
    (void)snprintf(expected, sizeof(expected), "%s%d %d", program, *n, *n);
    HOLDS(t, str_eq(text, str_from(expected)));
}

static void on_alert(struct event_listener *l, const struct alert_event *e)
{
    struct town *t = CONTAINER_OF(l, struct town, events);
    if (!e->active)
        return;
    count_alert(t, e->text, "steady ", &t->steady);
    count_alert(t, e->text, "volatile ", &t->volatile_);
    if (t->steady == 1 && !t->first_ms)
        t->first_ms = e->wall_ms;
    if (!str_eq(e->text, STR("held")))
        return;
    t->held++;
    t->held_ms = e->wall_ms;
}

/* --- one seed --- */

static void town_open(struct town *t, uint64_t seed)
{
    const struct sim_config cfg = {.seed = seed};
    struct error e = {0};
    *t = (struct town){.next.run = reload_again, .events.alert = on_alert};
    random_seed(&t->random, seed);
    REQUIRE(sim_new(&t->sim, &cfg) == ERR_OK);
    REQUIRE(env_sim_new(&t->house.env, t->sim) == ERR_OK);
    env_sim_on(t->house.env);
    t->version = make_version(t);
    t->version.bad = false;
    t->version.wrong = "";
    t->running = t->version;
    t->house.site = check_version(&t->version);
    REQUIRE(house_build(&t->house, &e) == ERR_OK);
    REQUIRE(site_settings_read(&t->settings, t->house.site, &e) == ERR_OK);
    const struct site_reload_config reload = {.ex = t->house.ex,
                                              .alloc = alloc_system(),
                                              .registry = t->house.core.registry,
                                              .automation = t->house.core.automation,
                                              .site = &t->house.site,
                                              .settings = &t->settings,
                                              .read = read_version,
                                              .ctx = t};
    REQUIRE(site_reload_new(&t->reload, &reload, &e) == ERR_OK);
    bus_event_listen(t->house.core.bus, &t->events);
    street_open(&t->street, t->sim);
    const struct mqtt_client_config client = {.addr = house_addr(&t->house),
                                              .client_id = STR("speaker")};
    REQUIRE(mqtt_client_new(&t->client, t->street.worker, &client) == ERR_OK);
    timer_init(&t->speaker, t->street.worker, speak);
    timer_set_after_ms(&t->speaker, 500);
    sim_after(t->sim, &t->next, 200 * MS);
}

static void town_close(struct town *t)
{
    street_close(&t->street);
    sim_cancel(t->sim, &t->next);
    bus_event_unlisten(&t->events);
    env_sim_halt(t->house.env);
    executor_stop(t->house.ex);
    (void)executor_turn(t->house.ex);
    site_reload_free(t->reload);
    house_take_down(&t->house);
    env_sim_free(t->house.env);
    sim_free(t->sim);
}

TEST(sim_reload_nothing_is_lost_or_done_twice)
{
    static struct town t;
    struct seeds seeds = seeds_asked(SEEDS);
    unsigned bad = 0;
    int taken = 0, refused = 0, busy = 0;
    log_quiet(true);
    for (uint64_t i = 0; i < seeds.count; i++) {
        LABEL("SEDGE_SEED=%llu", (unsigned long long)(seeds.first + i));
        town_open(&t, seeds.first + i);
        for (int s = 1; s < PATIENCE_S && (t.acked < SAMPLES || t.volatile_ < SAMPLES || !t.held);
             s++)
            (void)sim_run(t.sim, s * SECOND);
        int64_t held = t.held_ms - t.first_ms; /* timers round up to milliseconds */
        HOLDS(&t, t.acked == SAMPLES && t.steady == SAMPLES && t.volatile_ == SAMPLES);
        HOLDS(&t, t.held == 1 && held >= HOLD_MS && held <= HOLD_MS + 1);
        bad += t.broken;
        taken += t.taken;
        refused += t.refused;
        busy += t.busy;
        town_close(&t);
    }
    log_quiet(false);
    test_note("%llu seeds, %u failed; %d sites taken, %d refused, %d came while one was read",
              (unsigned long long)seeds.count, bad, taken, refused, busy);
    CHECK(taken > 0 && refused > 0 && busy > 0);
    CHECK_EQ_UINT(bad, 0);
}
