/* A whole site on a disk whose sync is held, and then fails, a thousand seeds: while the sync hangs
 * no PUBACK comes for what was sent meanwhile, and after a failed sync none ever does, even when
 * the disk works again; until the site has started anew, from what the disk has kept.
 *
 *     SEDGE_SEED=4711 build/release/site_test sim_sync            this one, with the site's log */
#include "site/sim_rig_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS     INT64_C(1000000)
#define SECOND (1000 * MS)

enum { MESSAGES = 100, SEEDS = 1000 };

/* What the disk does, one after the other. */
enum stage {
    STAGE_GOOD,
    STAGE_HELD,
    STAGE_GOOD_AGAIN,
    STAGE_FAILING,
    STAGE_MENDED,
    STAGE_RESTARTED
};

struct test_site {
    struct sim *sim;
    struct random random;
    struct house house;
    struct street street;
    struct mqtt_client *keeper, *publisher;
    struct timer timer; /* of the publisher */
    struct env_event next, again;
    enum stage stage;
    bool broken;
    int sent, acked, heard;
    int sent_in[STAGE_RESTARTED + 1];
    struct sent {
        struct test_site *site;
        enum stage stage; /* when it was sent */
        bool acked, heard;
    } all[MESSAGES];
};

#define HOLDS(x, cond) ((x)->broken = !CHECK(cond) || (x)->broken)

static int64_t between(struct test_site *x, int64_t min, int64_t max)
{
    return min + (int64_t)random_below(&x->random, (uint64_t)(max - min + 1));
}

static void maybe_over(struct test_site *x)
{
    if (x->acked == MESSAGES && x->heard == MESSAGES)
        sim_halt(x->sim);
}

/* --- the clients --- */

static void acknowledged(void *ctx, enum err err, uint8_t reason)
{
    struct sent *m = ctx;
    struct test_site *x = m->site;
    (void)reason;
    if (err == ERR_CANCELED)
        return;
    bool while_held = x->stage == STAGE_HELD && m->stage == STAGE_HELD;
    bool after_failure = m->stage >= STAGE_FAILING && x->stage < STAGE_RESTARTED;
    HOLDS(x, err == ERR_OK && !while_held && !after_failure);
    m->acked = true;
    x->acked++;
    maybe_over(x);
}

static void speak(struct timer *timer)
{
    struct test_site *x = CONTAINER_OF(timer, struct test_site, timer);
    char text[16];
    (void)snprintf(text, sizeof(text), "%d", x->sent);
    const struct mqtt_publish m = {
        .topic = STR("t/1"), .payload = {(const uint8_t *)text, strlen(text)}, .qos = 1};
    struct sent *s = &x->all[x->sent];
    *s = (struct sent){.site = x, .stage = x->stage};
    if (mqtt_client_publish(x->publisher, &m, (struct mqtt_done){acknowledged, s}) == ERR_OK) {
        x->sent++;
        x->sent_in[s->stage]++;
    }
    if (x->sent < MESSAGES)
        timer_set_after_ms(timer, between(x, 5, 60));
}

static void heard(void *ctx, const struct mqtt_publish *m)
{
    struct test_site *x = ctx;
    char text[16] = "";
    memcpy(text, m->payload.p, m->payload.n < sizeof(text) ? m->payload.n : sizeof(text) - 1);
    long number = strtol(text, NULL, 10);
    HOLDS(x, number >= 0 && number < x->sent);
    if (!x->broken && !x->all[number].heard) {
        x->all[number].heard = true;
        x->heard++;
    }
    maybe_over(x);
}

static void granted(void *ctx, enum err err, uint8_t reason)
{
    struct test_site *x = ctx;
    if (err == ERR_CANCELED)
        return;
    HOLDS(x, err == ERR_OK && reason == 1);
    timer_set_after_ms(&x->timer, 1); /* from now on an acknowledgement promises something */
    sim_after(x->sim, &x->next, between(x, 1 * MS, SECOND));
}

static struct mqtt_client *client(struct test_site *x, const char *id, bool persistent)
{
    const struct mqtt_client_config cfg = {.addr = house_addr(&x->house),
                                           .client_id = str_from(id),
                                           .persistent = persistent,
                                           .session_expiry_s = persistent ? UINT32_MAX : 0,
                                           .keep_alive_s = 2,
                                           .backoff_min_ms = 20,
                                           .backoff_max_ms = 400,
                                           .ctx = x,
                                           .message = persistent ? heard : NULL};
    struct mqtt_client *c;
    REQUIRE(mqtt_client_new(&c, x->street.worker, &cfg) == ERR_OK);
    return c;
}

/* --- the disk --- */

static void restart(struct test_site *x)
{
    env_sim_off(x->house.env, random_below(&x->random, 2) ? ENV_SIM_POWER : ENV_SIM_KILL);
    house_take_down(&x->house);
    sim_after(x->sim, &x->again, between(x, 1 * MS, SECOND));
}

static void next_stage(struct env_event *ev)
{
    struct test_site *x = CONTAINER_OF(ev, struct test_site, next);
    struct disk_sim *disk = env_sim_disk(x->house.env);
    switch (++x->stage) {
    case STAGE_HELD: env_sim_hold(x->house.env, ENV_WORK_SYNC, true); break;
    case STAGE_GOOD_AGAIN: env_sim_hold(x->house.env, ENV_WORK_SYNC, false); break;
    case STAGE_FAILING: disk_sim_fail(disk, DISK_SIM_SYNC, 0, EIO); break;
    case STAGE_MENDED: disk_sim_fail(disk, DISK_SIM_SYNC, DISK_SIM_NEVER, 0); break;
    default: restart(x); return;
    }
    sim_after(x->sim, ev, between(x, 100 * MS, SECOND));
}

static void start(struct env_event *ev)
{
    struct test_site *x = CONTAINER_OF(ev, struct test_site, again);
    struct error e = {0};
    env_sim_on(x->house.env);
    if (!CHECK_EQ_INT(house_build(&x->house, &e), ERR_OK)) {
        test_note("%s", e.text);
        x->broken = true;
        sim_halt(x->sim);
    }
}

/* --- one seed --- */

static void site_open(struct test_site *x, uint64_t seed)
{
    const struct sim_config cfg = {.seed = seed};
    *x = (struct test_site){.next.run = next_stage, .again.run = start};
    random_seed(&x->random, seed);
    REQUIRE(sim_new(&x->sim, &cfg) == ERR_OK);
    REQUIRE(env_sim_new(&x->house.env, x->sim) == ERR_OK);
    street_open(&x->street, x->sim);
    timer_init(&x->timer, x->street.worker, speak);
    x->keeper = client(x, "keeper", true);
    x->publisher = client(x, "publisher", false);
    REQUIRE(mqtt_client_subscribe(x->keeper, STR("t/#"), 1, (struct mqtt_done){granted, x}) ==
            ERR_OK);
    start(&x->again);
}

static void site_close(struct test_site *x)
{
    street_close(&x->street);
    sim_cancel(x->sim, &x->next);
    sim_cancel(x->sim, &x->again);
    env_sim_off(x->house.env, ENV_SIM_KILL);
    house_take_down(&x->house);
    env_sim_free(x->house.env);
    sim_free(x->sim);
}

TEST(sim_sync_nothing_is_acknowledged_before_its_commit)
{
    static struct test_site x;
    struct seeds seeds = seeds_asked(SEEDS);
    unsigned bad = 0;
    int sent[STAGE_RESTARTED + 1] = {0};
    log_quiet(true);
    for (uint64_t i = 0; i < seeds.count; i++) {
        LABEL("SEDGE_SEED=%llu", (unsigned long long)(seeds.first + i));
        site_open(&x, seeds.first + i);
        (void)sim_run(x.sim, 300 * SECOND);
        HOLDS(&x, x.acked == MESSAGES && x.heard == MESSAGES); /* in the end all of them */
        bad += x.broken;
        for (size_t k = 0; k < ARRAY_LEN(sent); k++)
            sent[k] += x.sent_in[k];
        site_close(&x);
    }
    log_quiet(false);
    test_note("%llu seeds, %u failed; sent while the sync was held: %d, after it had failed: %d",
              (unsigned long long)seeds.count, bad, sent[STAGE_HELD],
              sent[STAGE_FAILING] + sent[STAGE_MENDED]);
    CHECK(sent[STAGE_HELD] > 0 && sent[STAGE_FAILING] > 0 && sent[STAGE_MENDED] > 0);
    CHECK_EQ_UINT(bad, 0);
}
