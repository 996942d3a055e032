/* A whole site, a thousand seeds: clients publish, the power goes at any instant, and once more,
 * and what had been acknowledged is there.
 *
 *     SEDGE_SEEDS=100000 build/release/site_test sim_crash        more of them
 *     SEDGE_SEED=4711 build/release/site_test sim_crash           this one, with the site's log
 *
 * Three publishers send QoS 1 and 2 on topics of their own: numbers, every so often a retained
 * counter, and now and then a sample of a device that history keeps. Two persistent subscribers
 * listen: one when the network lets it, the other sleeps until all has been sent. The seed decides
 * when everybody speaks, how fast network and disk are, what is lost, and when the power goes: at
 * an instant, or between any two calls of the disk, also while the site is starting. Clients keep
 * what they know over the crash. Then everything is built again on what the disk has kept, and at
 * last must hold: every acknowledged publication has arrived at both subscribers, in the order in
 * which it was sent, and one of QoS 2 once and not twice; the retained values are not older than
 * the acknowledged ones; the sessions were there after every start; history has every acknowledged
 * sample. */
#include "site/sim_rig_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS          INT64_C(1000000)
#define SECOND      (1000 * MS)
#define PATIENCE_NS (300 * SECOND) /* virtual, from the last crash to the end */

enum { PUBLISHERS = 3, MESSAGES = 160, TOPICS = 2, PADDING = 400, WINDOW = 32, SEEDS = 400 };
enum kind { KIND_LOAD, KIND_KEPT, KIND_SAMPLE, KINDS };

struct publisher {
    struct town *town;
    struct mqtt_client *client;
    struct timer timer;
    struct random random;
    int number, sent;
    struct publication {
        struct publisher *from;
        enum kind kind;
        int number, topic;
        uint8_t qos;
        bool acked;
    } all[MESSAGES];
};

struct listener_heard {
    bool owed; /* sent when the subscription stood */
    int times;
};
struct subscriber_model {
    struct town *town;
    struct mqtt_client *client;
    const char *id;
    bool granted;                          /* the subscription was acknowledged */
    int last_heard[PUBLISHERS][TOPICS][3]; /* by QoS */
    struct listener_heard heard[PUBLISHERS][MESSAGES];
};

enum phase { PHASE_LOAD, PHASE_SETTLE, PHASE_LOOK, PHASE_DONE };

struct town {
    struct sim *sim;
    struct random plan;
    struct house house;
    struct street street;
    struct publisher publishers[PUBLISHERS];
    struct subscriber_model awake, sleeper;
    struct mqtt_client *looker;
    struct env_event went, again, trouble;
    struct timer referee;
    enum phase phase;
    int64_t give_up_ns, pace_ms; /* a publisher speaks at least so often */
    int crashes_left, crashes, kept[PUBLISHERS], samples[PUBLISHERS];
    bool asleep; /* the sleeper has gone: it subscribed, and publishers may begin */
    bool armed;  /* a crash will come */
    bool broken;
};

static bool chance(struct town *t, unsigned percent)
{
    return random_below(&t->plan, 100) < percent;
}

static int64_t between(struct random *r, int64_t min, int64_t max)
{
    return min + (int64_t)random_below(r, (uint64_t)(max - min + 1));
}

#define HOLDS(t, cond) ((t)->broken = !CHECK(cond) || (t)->broken)

/* --- publishing --- */

static void acknowledged(void *ctx, enum err err, uint8_t reason)
{
    struct publication *p = ctx;
    (void)reason;
    if (err == ERR_CANCELED) /* the client ends */
        return;
    HOLDS(p->from->town, err == ERR_OK);
    p->acked = true;
    const int what[2] = {p->from->number, p->number};
    sim_trace_add(p->from->town->sim, what, sizeof(what));
}

/* So that the journal has something to recycle, and little of it can be compressed. */
static void pad(char *text, struct random *r)
{
    size_t n = strlen(text), end = n + (size_t)random_below(r, PADDING);
    for (uint64_t x = random_u64(r); n < end; n++) {
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407; /* Knuth's */
        text[n] = (char)('a' + (x >> 60));
    }
    text[end] = '\0';
}

static void publish_next(struct publisher *p)
{
    char topic[40], payload[PADDING + 40];
    struct publication *m = &p->all[p->sent];
    uint64_t dice = random_below(&p->random, 10);
    *m = (struct publication){.from = p,
                              .number = p->sent,
                              .qos = random_below(&p->random, 2) ? 2 : 1,
                              .topic = (int)random_below(&p->random, TOPICS),
                              .kind = dice == 0   ? KIND_KEPT
                                      : dice == 1 ? KIND_SAMPLE
                                                  : KIND_LOAD};
    if (m->kind == KIND_KEPT) /* one QoS: what is sent twice at QoS 1 comes behind a later QoS 2 */
        m->qos = p->number % 2 ? 2 : 1;
    (void)snprintf(payload, sizeof(payload), "%d-%d ", p->number, m->number);
    pad(payload, &p->random);
    if (m->kind == KIND_LOAD)
        (void)snprintf(topic, sizeof(topic), "load/%d/%d", p->number, m->topic);
    else if (m->kind == KIND_KEPT)
        (void)snprintf(topic, sizeof(topic), "kept/%d", p->number);
    if (m->kind == KIND_SAMPLE) {
        (void)snprintf(topic, sizeof(topic), "counter/count");
        (void)snprintf(payload, sizeof(payload), "%d", p->number * MESSAGES + m->number);
    }
    const struct mqtt_publish out = {.topic = str_from(topic),
                                     .payload = {(const uint8_t *)payload, strlen(payload)},
                                     .qos = m->qos,
                                     .retain = m->kind == KIND_KEPT};
    const struct mqtt_done done = {acknowledged, m};
    p->town->awake.heard[p->number][m->number].owed = p->town->awake.granted;
    p->town->sleeper.heard[p->number][m->number].owed = true;
    HOLDS(p->town, mqtt_client_publish(p->client, &out, done) == ERR_OK);
    p->sent++;
}

static void speak(struct timer *timer)
{
    struct publisher *p = CONTAINER_OF(timer, struct publisher, timer);
    int until = p->sent + 1 + (int)random_below(&p->random, 5);
    while (p->town->asleep && p->sent < until && p->sent < MESSAGES &&
           mqtt_client_inflight(p->client) < WINDOW)
        publish_next(p);
    if (p->sent < MESSAGES)
        timer_set_after_ms(timer, between(&p->random, 1, p->town->pace_ms));
}

/* --- listening --- */

/* "PUBLISHER-NUMBER …", as publish_next() wrote it; NULL: nobody did. */
static struct publication *publication_of(struct town *t, struct bytes payload)
{
    char text[16] = "", *end;
    size_t n = payload.n < sizeof(text) ? payload.n : sizeof(text) - 1;
    memcpy(text, payload.p, n);
    long from = strtol(text, &end, 10);
    if (end == text || *end != '-' || from < 0 || from >= PUBLISHERS)
        return NULL;
    long number = strtol(end + 1, NULL, 10);
    bool sent = number >= 0 && number < t->publishers[from].sent;
    return sent ? &t->publishers[from].all[number] : NULL;
}

/* In order at each QoS; QoS 1 may come once more, and then at any time. */
static void heard(void *ctx, const struct mqtt_publish *m)
{
    struct subscriber_model *s = ctx;
    struct town *t = s->town;
    struct publication *sent = publication_of(t, m->payload);
    HOLDS(t, sent);
    if (!sent)
        return;
    struct listener_heard *h = &s->heard[sent->from->number][sent->number];
    int *last = &s->last_heard[sent->from->number][sent->topic][sent->qos];
    if (!h->times && h->owed) {
        HOLDS(t, sent->number >= *last);
        *last = sent->number;
    }
    h->times++;
    HOLDS(t, m->qos == sent->qos);
    HOLDS(t, sent->qos == 1 || h->times == 1);
    sim_trace_add(t->sim, m->payload.p, m->payload.n);
}

static void granted(void *ctx, enum err err, uint8_t reason)
{
    struct subscriber_model *s = ctx;
    if (err == ERR_CANCELED)
        return;
    HOLDS(s->town, err == ERR_OK && reason == 2);
    s->granted = true;
    if (s != &s->town->sleeper || s->town->asleep)
        return;
    s->town->asleep = true;
    mqtt_client_stop(s->client);
    s->client = NULL;
}

static void subscriber_online(void *ctx, bool session_present)
{
    struct subscriber_model *s = ctx;
    HOLDS(s->town, session_present || !s->granted);
}

static bool once_more(void *ctx, const struct mqtt_client_loss *loss)
{
    (void)ctx, (void)loss;
    return true;
}

static void looked(void *ctx, const struct mqtt_publish *m)
{
    struct town *t = ctx;
    if (str_eq(m->topic, STR("looker/end"))) {
        t->phase = PHASE_DONE;
        return;
    }
    const struct publication *kept = publication_of(t, m->payload);
    HOLDS(t, kept && m->retain);
    if (kept)
        t->kept[kept->from->number] = kept->number;
}

static void looker_granted(void *ctx, enum err err, uint8_t reason)
{
    struct town *t = ctx;
    (void)reason;
    if (err)
        return;
    /* Comes behind the retained ones. */
    const struct mqtt_publish end = {
        .topic = STR("looker/end"), .payload = {(const uint8_t *)"1", 1}, .qos = 1};
    HOLDS(t, mqtt_client_publish(t->looker, &end, (struct mqtt_done){0}) == ERR_OK);
}

static struct mqtt_client *client(struct town *t, const char *id, bool persistent, void *ctx,
                                  void (*message)(void *ctx, const struct mqtt_publish *m))
{
    const struct mqtt_client_config cfg = {
        .addr = house_addr(&t->house),
        .version = chance(t, 50) ? MQTT_V5 : MQTT_V311,
        .client_id = str_from(id),
        .persistent = persistent,
        .session_expiry_s = persistent ? UINT32_MAX : 0,
        .keep_alive_s = 2,
        .connect_timeout_ms = 1500,
        .backoff_min_ms = 20,
        .backoff_max_ms = 400,
        .inflight_max = WINDOW,
        .ctx = ctx,
        .lost = once_more,
        .message = message,
        .online = message == heard ? subscriber_online : NULL,
    };
    struct mqtt_client *c;
    REQUIRE(mqtt_client_new(&c, t->street.worker, &cfg) == ERR_OK);
    return c;
}

static void subscriber_open(struct town *t, struct subscriber_model *s, const char *id)
{
    *s = (struct subscriber_model){.town = t, .id = id};
    s->client = client(t, id, true, s, heard);
    REQUIRE(mqtt_client_subscribe(s->client, STR("load/#"), 2, (struct mqtt_done){granted, s}) ==
            ERR_OK);
}

/* --- what happens to the site --- */

static void arm_crash(struct town *t)
{
    if (t->crashes_left == 0)
        return;
    t->crashes_left--;
    t->armed = true;
    if (chance(t, 50))
        env_sim_off_at_call(t->house.env, random_below(&t->plan, 800), &t->went);
    sim_after(t->sim, &t->went,
              between(&t->plan, 1 * MS, 30 * t->pace_ms * MS)); /* at the latest */
}

/* The disk first, so that nothing of the taking down reaches it. */
static void crash(struct env_event *ev)
{
    struct town *t = CONTAINER_OF(ev, struct town, went);
    sim_cancel(t->sim, ev);
    env_sim_off(t->house.env, chance(t, 70) ? ENV_SIM_POWER : ENV_SIM_KILL);
    house_take_down(&t->house);
    t->crashes++;
    t->armed = false;
    sim_after(t->sim, &t->again, between(&t->plan, 1 * MS, 3 * SECOND));
}

static void start(struct env_event *ev)
{
    struct town *t = CONTAINER_OF(ev, struct town, again);
    struct error e = {0};
    env_sim_on(t->house.env);
    t->give_up_ns = sim_now_ns(t->sim) + PATIENCE_NS;
    arm_crash(t);
    if (house_build(&t->house, &e) && house_is_broken(&t->house, &e)) {
        t->broken = true;
        sim_halt(t->sim);
    }
}

/* The network is no better than others. */
static void make_trouble(struct env_event *ev)
{
    struct town *t = CONTAINER_OF(ev, struct town, trouble);
    struct env *whose = chance(t, 50) ? t->house.env : t->street.env;
    if (t->phase != PHASE_LOAD)
        return;
    if (env_sim_is_on(whose) && chance(t, 30))
        net_sim_cut(whose, chance(t, 60) ? NET_SIM_RESET : NET_SIM_SILENT);
    else if (env_sim_is_on(whose))
        net_sim_isolate(whose, between(&t->plan, 1 * MS, 800 * MS));
    sim_after(t->sim, ev, between(&t->plan, 50 * MS, 800 * MS));
}

/* --- what must hold --- */

static bool all_sent(const struct town *t)
{
    for (int i = 0; i < PUBLISHERS; i++)
        if (t->publishers[i].sent < MESSAGES || mqtt_client_inflight(t->publishers[i].client) > 0)
            return false;
    return true;
}

static bool all_heard(const struct town *t, const struct subscriber_model *s)
{
    for (int i = 0; i < PUBLISHERS; i++)
        for (int k = 0; k < t->publishers[i].sent; k++) {
            const struct publication *p = &t->publishers[i].all[k];
            const struct listener_heard *h = &s->heard[i][k];
            if (p->kind == KIND_LOAD && h->owed && p->acked && !h->times)
                return false;
        }
    return true;
}

static void referee(struct timer *timer)
{
    struct town *t = CONTAINER_OF(timer, struct town, referee);
    bool late = worker_now_ns(t->street.worker) > t->give_up_ns;
    bool calm = t->crashes_left == 0 && !t->armed && t->house.core.mqtt;
    if (t->phase == PHASE_LOAD && !t->sleeper.client && t->asleep && all_sent(t))
        t->sleeper.client = client(t, t->sleeper.id, true, &t->sleeper, heard);
    if (t->phase == PHASE_LOAD && calm && all_sent(t))
        t->phase = PHASE_SETTLE;
    if (t->phase == PHASE_SETTLE && all_heard(t, &t->awake) && all_heard(t, &t->sleeper)) {
        t->phase = PHASE_LOOK;
        t->looker = client(t, "looker", false, t, looked);
        const struct mqtt_done done = {looker_granted, t};
        bool asked =
            mqtt_client_subscribe(t->looker, STR("kept/#"), 0, (struct mqtt_done){0}) == ERR_OK &&
            mqtt_client_subscribe(t->looker, STR("looker/end"), 0, done) == ERR_OK;
        HOLDS(t, asked);
    }
    if (t->phase == PHASE_DONE || t->broken || late)
        sim_halt(t->sim);
    else
        timer_set_after_ms(timer, 20);
}

static void check_kept(struct town *t)
{
    for (int i = 0; i < PUBLISHERS; i++) {
        int acked = -1;
        for (int k = 0; k < t->publishers[i].sent; k++)
            if (t->publishers[i].all[k].kind == KIND_KEPT && t->publishers[i].all[k].acked)
                acked = k;
        HOLDS(t, t->kept[i] >= acked);
    }
}

static void check_history(struct town *t)
{
    bool found[PUBLISHERS][MESSAGES] = {0};
    struct history_query q = {
        .series = STR("counter.count"), .to_ms = INT64_MAX / 2, .limit = HISTORY_LIMIT};
    enum err r = history_query_now(t->house.core.history, &q);
    for (size_t i = 0; i < q.point_count; i++) {
        int n = (int)value_number(&q.points[i].value);
        if (n >= 0 && n < PUBLISHERS * MESSAGES)
            found[n / MESSAGES][n % MESSAGES] = true;
    }
    bool any = false, all = true;
    for (int i = 0; i < PUBLISHERS; i++)
        for (int k = 0; k < t->publishers[i].sent; k++) {
            const struct publication *p = &t->publishers[i].all[k];
            any = any || (p->kind == KIND_SAMPLE && p->acked);
            all = all && (p->kind != KIND_SAMPLE || !p->acked || found[i][k]);
        }
    HOLDS(t, r == ERR_OK || (!any && r == ERR_NOT_FOUND));
    HOLDS(t, all);
    history_query_fini(&q);
}

/* --- one seed --- */

static void town_open(struct town *t, uint64_t seed)
{
    struct sim_config cfg = {.seed = seed};
    *t = (struct town){.went.run = crash, .again.run = start, .trouble.run = make_trouble};
    random_seed(&t->plan, seed);
    cfg.net.loss_per_million = chance(t, 30) ? 20000 : 0;
    cfg.slow_per_million = chance(t, 20) ? 20000 : 0;
    if (chance(t, 50)) { /* a slow disk: more is under way when the power goes */
        cfg.work[ENV_WORK_SYNC] = (struct sim_span){5 * MS, 60 * MS};
        cfg.work[ENV_WORK_JOB] = (struct sim_span){1 * MS, 100 * MS};
    }
    if (chance(t, 20))
        cfg.net.window = 1024;
    t->pace_ms = chance(t, 50) ? 20 : 200; /* slow enough for history to let go of the journal */
    if (chance(t, 50))                     /* queues leave memory */
        t->house.limits = (struct mqtt_limits){.queue_memory_max = 10, .inflight_max = 8};
    t->crashes_left = 1 + (int)random_below(&t->plan, 3);
    REQUIRE(sim_new(&t->sim, &cfg) == ERR_OK);
    REQUIRE(env_sim_new(&t->house.env, t->sim) == ERR_OK);
    street_open(&t->street, t->sim);
    subscriber_open(t, &t->awake, "awake");
    subscriber_open(t, &t->sleeper, "sleeper");
    for (int i = 0; i < PUBLISHERS; i++) {
        struct publisher *p = &t->publishers[i];
        char id[24];
        (void)snprintf(id, sizeof(id), "publisher%d", i);
        *p = (struct publisher){.town = t, .number = i};
        random_seed(&p->random, seed * PUBLISHERS + (uint64_t)i);
        p->client = client(t, id, true, NULL, NULL);
        timer_init(&p->timer, t->street.worker, speak);
        timer_set_after_ms(&p->timer, between(&t->plan, 1, 100));
        t->kept[i] = -1;
    }
    timer_init(&t->referee, t->street.worker, referee);
    timer_set_after_ms(&t->referee, 20);
    sim_after(t->sim, &t->again, 0);
    if (chance(t, 50))
        sim_after(t->sim, &t->trouble, between(&t->plan, 1 * MS, 800 * MS));
}

static void town_close(struct town *t)
{
    street_close(&t->street);
    sim_cancel(t->sim, &t->went);
    sim_cancel(t->sim, &t->again);
    sim_cancel(t->sim, &t->trouble);
    env_sim_off(t->house.env, ENV_SIM_KILL);
    house_take_down(&t->house);
    env_sim_free(t->house.env);
    sim_free(t->sim);
}

struct outcome {
    uint64_t trace, events;
    int crashes;
    uint64_t sectors_lost, recycled, alerts;
    bool good;
};

static void count_alert(void *ctx, const struct alert *a)
{
    (void)a;
    ++*(uint64_t *)ctx;
}

static struct outcome run_seed(uint64_t seed)
{
    static struct town t;
    town_open(&t, seed);
    (void)sim_run(t.sim, INT64_MAX - 1);
    if (!t.broken && !CHECK_EQ_INT(t.phase, PHASE_DONE))
        t.broken = true;
    if (!t.broken) {
        check_kept(&t);
        check_history(&t);
    }
    struct outcome o = {.trace = sim_trace(t.sim),
                        .events = sim_events(t.sim),
                        .crashes = t.crashes,
                        .sectors_lost = disk_sim_stats(env_sim_disk(t.house.env)).sectors_lost,
                        .good = !t.broken};
    if (t.house.core.alerts)
        alerts_each(t.house.core.alerts, ALERTS_ALL, 1000, count_alert, &o.alerts);
    town_close(&t);
    o.recycled = t.house.recycled;
    return o;
}

TEST(sim_crash_what_was_acknowledged_survives)
{
    struct seeds seeds = seeds_asked(SEEDS);
    struct outcome all = {0};
    unsigned bad = 0;
    log_quiet(true);
    for (uint64_t i = 0; i < seeds.count; i++) {
        uint64_t seed = seeds.first + i;
        LABEL("SEDGE_SEED=%llu", (unsigned long long)seed);
        struct outcome o = run_seed(seed);
        bad += !o.good;
        all.events += o.events;
        all.crashes += o.crashes;
        all.sectors_lost += o.sectors_lost;
        all.recycled += o.recycled;
        all.alerts += o.alerts;
    }
    log_quiet(false);
    test_note("%llu seeds, %u failed; %d crashes, %llu events, %llu sectors lost, %llu segments "
              "recycled, %llu alerts",
              (unsigned long long)seeds.count, bad, all.crashes, (unsigned long long)all.events,
              (unsigned long long)all.sectors_lost, (unsigned long long)all.recycled,
              (unsigned long long)all.alerts);
    CHECK_EQ_UINT(bad, 0);
    CHECK(seeds.count < SEEDS || (all.sectors_lost && all.recycled && all.alerts));
}

TEST(sim_crash_a_seed_repeats_exactly)
{
    struct seeds seeds = seeds_asked(20);
    log_quiet(true);
    for (uint64_t i = 0; i < seeds.count && i < 20; i++) {
        LABEL("SEDGE_SEED=%llu", (unsigned long long)(seeds.first + i));
        struct outcome a = run_seed(seeds.first + i), b = run_seed(seeds.first + i);
        CHECK_EQ_UINT(a.trace, b.trace);
        CHECK_EQ_UINT(a.events, b.events);
        CHECK(a.trace != run_seed(seeds.first + i + 1000000).trace);
    }
    log_quiet(false);
}
