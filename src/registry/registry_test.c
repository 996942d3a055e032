/* Devices on a real bus, journal and database; the device is played by the test. */
#include "registry/registry.h"
#include "tests/support/bus_rig.h"

#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#define S(text)                                                                                    \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }

static const struct property_def valve_properties[] = {
    {S("position"), S("%"), VALUE_FLOAT, true, 0, 100}};
static const struct param_def lamp_params[] = {{S("level"), S("%"), VALUE_FLOAT}};
static const struct action_def valve_actions[] = {
    {S("open"), NULL, 0, 0, COMPARE_GT, 90, S("position > 90 %"), false},
    {S("close"), NULL, 0, 0, COMPARE_LT, 5, S("position < 5 %"), true},
};
static const struct action_def lamp_actions[] = {
    {S("on"), lamp_params, 1, -1, COMPARE_EQ, 0, S(""), false}};
static const struct model_def valve_model = {.name = S("Valve"),
                                             .properties = valve_properties,
                                             .property_count = 1,
                                             .actions = valve_actions,
                                             .action_count = 2};
static const struct model_def lamp_model = {
    .name = S("Lamp"), .actions = lamp_actions, .action_count = 1};

static void sleep_ms(long ms)
{
    const struct timespec t = {.tv_nsec = ms * 1000000};
    (void)nanosleep(&t, NULL);
}

/* A step of a script: what happens after so many milliseconds. */
struct step {
    int64_t after_ms;
    const char *topic, *payload; /* the device or a client says this */
    void (*run)(void *rig);
};

struct rig {
    struct bus_rig base;
    struct registry *r;
    struct device *valve, *lamp;
    struct subscriber sub;
    struct event_listener events;
    struct strbuf log; /* what was seen: commands, states of actions, alerts */
    char last_id[24];
    bool obey;
    struct tick_hook answer;
    const struct step *steps;
    size_t step, step_count;
    struct timer timer;
};

static void publish(struct rig *g, const char *topic, const char *payload)
{
    enum err err = bus_rig_publish(&g->base, topic, payload);
    if (err)
        strbuf_addf(&g->log, "%s %s: %s\n", topic, err_name(err), g->base.receipt.why);
}

/* The valve moves at the end of the tick in which it was told. */
static void valve_answers(struct tick_hook *h)
{
    publish(CONTAINER_OF(h, struct rig, answer), "v", "{\"position\": 95}");
}

static void on_message(struct subscriber *s, struct message *m,
                       const struct subscription *const *subs, size_t n, bool retained)
{
    (void)subs;
    (void)n;
    (void)retained;
    struct rig *g = CONTAINER_OF(s, struct rig, sub);
    struct bytes p = message_payload(m);
    strbuf_addf(&g->log, "%.*s %.*s\n", STR_FMT(message_topic(m)), (int)p.n, (const char *)p.p);
    if (g->obey)
        worker_at_tick_end(g->base.w, &g->answer);
}

static void on_action(struct event_listener *l, const struct action_event *a)
{
    struct rig *g = CONTAINER_OF(l, struct rig, events);
    (void)snprintf(g->last_id, sizeof(g->last_id), "%.*s", STR_FMT(a->id));
    strbuf_addf(&g->log, "%.*s %s%s%.*s\n", STR_FMT(a->action), action_state_name(a->state),
                a->why.n ? ": " : "", STR_FMT(a->why));
}

static void on_alert(struct event_listener *l, const struct alert_event *e)
{
    struct rig *g = CONTAINER_OF(l, struct rig, events);
    if (e->active)
        strbuf_addf(&g->log, "alert %s %.*s\n", severity_name(e->severity), STR_FMT(e->text));
}

static void next_step(struct timer *t)
{
    struct rig *g = CONTAINER_OF(t, struct rig, timer);
    if (g->step == g->step_count)
        return;
    const struct step *s = &g->steps[g->step++];
    if (s->topic)
        publish(g, s->topic, s->payload);
    if (s->run)
        s->run(g);
    if (g->step < g->step_count)
        timer_set_after_ms(&g->timer, g->steps[g->step].after_ms);
}

static void rig_devices(struct rig *g)
{
    struct error e = {0};
    const struct model_def *m;
    REQUIRE(registry_model(g->r, &valve_model, &m, &e) == ERR_OK);
    REQUIRE(registry_device(g->r, STR("plant.valve"), m, STR("urn:v"), STR("v"), &g->valve, &e) ==
            ERR_OK);
    registry_set_owner(g->valve, STR("guard"));
    REQUIRE(registry_model(g->r, &lamp_model, &m, &e) == ERR_OK);
    REQUIRE(registry_device(g->r, STR("plant.lamp"), m, STR("urn:l"), STR("l"), &g->lamp, &e) ==
            ERR_OK);
}

/* Without the start of the journal's writer. */
static void rig_build(struct rig *g, const char *dir, int64_t resume_max_ms)
{
    struct error e = {0};
    *g = (struct rig){0};
    strbuf_init(&g->log, alloc_system(), 0);
    bus_rig_init(&g->base, dir);
    struct registry_config rc = {.ex = g->base.ex,
                                 .bus = g->base.bus,
                                 .journal = g->base.journal,
                                 .db = g->base.db,
                                 .alloc = alloc_system(),
                                 .confirm_timeout_ms = 60,
                                 .stale_default_ms = 150,
                                 .resume_max_ms = resume_max_ms};
    REQUIRE(registry_new(&g->r, &rc, &e) == ERR_OK);
    rig_devices(g);
    REQUIRE(journal_replay(g->base.journal, &e) == ERR_OK);
    g->sub.deliver = on_message;
    struct subscription sub = {.filter = STR("+/set"), .subscriber = &g->sub, .qos = 1};
    bool existed;
    REQUIRE(bus_subscribe(g->base.bus, &sub, &existed) == ERR_OK);
    g->events = (struct event_listener){.alert = on_alert, .action = on_action};
    bus_event_listen(g->base.bus, &g->events);
    tick_hook_init(&g->answer, valve_answers);
}

static void rig_start(struct rig *g)
{
    struct error e = {0};
    REQUIRE(journal_start(g->base.journal, &e) == ERR_OK);
    registry_start(g->r);
}

static void rig_init(struct rig *g, const char *dir)
{
    rig_build(g, dir, 60000);
    rig_start(g);
}

static void rig_play(struct rig *g, const struct step *steps, size_t n, int64_t for_ms)
{
    g->steps = steps;
    g->step_count = n;
    g->step = 0;
    timer_init(&g->timer, g->base.w, next_step);
    timer_set_after_ms(&g->timer, steps[0].after_ms);
    bus_rig_run(&g->base, for_ms);
}

static void rig_fini(struct rig *g)
{
    timer_cancel(&g->timer);
    bus_rig_drain(&g->base);
    bus_event_unlisten(&g->events);
    bus_unsubscribe_all(g->base.bus, &g->sub);
    registry_free(g->r);
    bus_rig_fini(&g->base);
    strbuf_fini(&g->log);
}

static void command(struct rig *g, struct device *d, uint32_t action, struct value *args, size_t n)
{
    struct action_request q = {.device = d,
                               .action = action,
                               .args = args,
                               .arg_count = n,
                               .cause = {.program = STR("guard"), .rule = STR("guard/when#1")}};
    if (!d->owner.n)
        q.cause = (struct cause){.operator_name = STR("Ada")};
    struct error e = {0};
    if (registry_command(g->r, &q, NULL, &e))
        strbuf_addf(&g->log, "refused: %s\n", e.text);
}

static void open_valve(void *rig)
{
    struct rig *g = rig;
    command(g, g->valve, 0, NULL, 0);
}

static void close_valve(void *rig)
{
    struct rig *g = rig;
    command(g, g->valve, 1, NULL, 0);
}

static void lamp_on(void *rig)
{
    struct rig *g = rig;
    struct value level = {.kind = VALUE_FLOAT, .f = 60};
    command(g, g->lamp, 0, &level, 1);
}

static void ack_lamp(void *rig)
{
    struct rig *g = rig;
    char answer[64];
    publish(g, "l/ack", "{\"id\":\"ffff\"}"); /* somebody else's */
    (void)snprintf(answer, sizeof(answer), "{\"id\":\"%s\"}", g->last_id);
    publish(g, "l/ack", answer);
}

TEST(a_command_is_confirmed_by_the_property_that_its_model_names)
{
    struct rig g;
    rig_init(&g, test_tmpdir());
    g.obey = true;
    const struct step steps[] = {{1, NULL, NULL, open_valve}};
    rig_play(&g, steps, ARRAY_LEN(steps), 50);
    CHECK_EQ_STR(g.log.p, "open waiting\n"
                          "v/set {\"action\":\"open\",\"args\":{},\"id\":\"000000000001\"}\n"
                          "open sent\n"
                          "open confirmed\n");
    rig_fini(&g);
}

TEST(a_device_that_ignores_commands_is_asked_again_and_then_reported)
{
    struct rig g;
    rig_init(&g, test_tmpdir());
    const struct step steps[] = {{1, NULL, NULL, open_valve},
                                 {20, "v", "{\"position\": 12}", NULL}};
    rig_play(&g, steps, ARRAY_LEN(steps), 400);
    const char *set =
        "v/set {\"action\":\"open\",\"args\":{},\"id\":\"000000000001\"}\nopen sent\n";
    struct strbuf want;
    strbuf_init(&want, alloc_system(), 0);
    strbuf_addf(&want, "open waiting\n%s%s%s", set, set, set);
    strbuf_adds(&want, "alert critical plant.valve does not obey: open() was sent 3 times in 0 s "
                       "without reaching position > 90 %\n"
                       "open failed: was sent 3 times in 0 s without reaching position > 90 %\n");
    CHECK_EQ_STR(g.log.p, want.p);
    strbuf_fini(&want);
    rig_fini(&g);
}

TEST(an_older_intent_gives_way_to_a_newer_one)
{
    struct rig g;
    rig_init(&g, test_tmpdir());
    const struct step steps[] = {{1, NULL, NULL, open_valve},
                                 {20, NULL, NULL, close_valve},
                                 {20, "v", "{\"position\": 0}", NULL}};
    rig_play(&g, steps, ARRAY_LEN(steps), 120);
    CHECK_HAS_STR(g.log.p, "open failed: superseded by close()\n");
    CHECK_HAS_STR(g.log.p, "close confirmed\n");
    CHECK(strstr(g.log.p, "alert") == NULL);
    rig_fini(&g);
}

TEST(a_device_that_reports_changes_only_need_not_repeat_itself)
{
    struct rig g;
    rig_init(&g, test_tmpdir());
    const struct step steps[] = {{1, "v", "{\"position\": 95}", NULL}, {1, NULL, NULL, open_valve}};
    rig_play(&g, steps, ARRAY_LEN(steps), 120);
    CHECK_HAS_STR(g.log.p, "open sent\nopen confirmed\n");
    CHECK(strstr(g.log.p, "alert") == NULL);
    rig_fini(&g);
}

TEST(old_news_confirms_nothing)
{
    struct rig g;
    rig_init(&g, test_tmpdir());
    const struct step steps[] = {
        {1, "v", "{\"ts\": 1764000005000, \"values\": {\"position\": 0}}", NULL},
        {1, NULL, NULL, open_valve},
        {20, "v", "{\"ts\": 1764000004000, \"values\": {\"position\": 99}}", NULL}};
    rig_play(&g, steps, ARRAY_LEN(steps), 50);
    CHECK_HAS_STR(g.log.p, "open sent\n");
    CHECK(strstr(g.log.p, "confirmed") == NULL);
    CHECK_EQ_DBL(g.valve->props[0].series->last.f, 0, 0);
    rig_fini(&g);
}

TEST(an_action_without_a_property_is_confirmed_by_its_id)
{
    struct rig g;
    rig_init(&g, test_tmpdir());
    const struct step steps[] = {{1, NULL, NULL, lamp_on}, {20, NULL, NULL, ack_lamp}};
    rig_play(&g, steps, ARRAY_LEN(steps), 50);
    CHECK_HAS_STR(g.log.p, "l/set {\"action\":\"on\",\"args\":{\"level\":60},\"id\":");
    CHECK_HAS_STR(g.log.p, "on confirmed\n");
    rig_fini(&g);
}

TEST(nobody_commands_an_owned_device_past_its_owner)
{
    struct rig g;
    rig_init(&g, test_tmpdir());
    const struct step steps[] = {{1, "v/set", "{\"action\":\"open\"}", NULL},
                                 {1, "v/set", "{\"action\":\"open\"}", NULL},
                                 {1, "l/set", "{\"action\":\"on\"}", NULL}};
    rig_play(&g, steps, ARRAY_LEN(steps), 50);
    CHECK_HAS_STR(g.log.p, "set denied: plant.valve is owned by guard");
    CHECK(strstr(g.log.p, "v/set {") == NULL); /* it never reached the bus */
    CHECK(strstr(g.log.p, "l/set {") != NULL); /* nobody owns the lamp */
    struct error e = {0};
    struct action_request q = {.device = g.valve, .cause = {.operator_name = STR("Ada")}};
    CHECK_EQ_INT(registry_command_by_hand(g.r, &q, NULL, &e), ERR_DENIED);
    CHECK_HAS_STR(e.text, "guard");
    rig_fini(&g);
}

TEST(what_a_program_says_about_staleness_holds_before_the_default)
{
    struct rig g;
    rig_init(&g, test_tmpdir());
    struct device_property *p = &g.valve->props[0];
    CHECK_EQ_INT(p->series->stale_ms, 150); /* known before the first sample */
    registry_set_stale(p, 3600000);         /* longer than the default */
    CHECK_EQ_INT(p->series->stale_ms, 3600000);
    registry_set_stale(p, 5000); /* another program is stricter */
    registry_set_stale(p, 60000);
    CHECK_EQ_INT(p->series->stale_ms, 5000);
    rig_fini(&g);
}

TEST(silence_turns_a_property_stale)
{
    struct rig g;
    rig_init(&g, test_tmpdir());
    const struct step steps[] = {{1, "v/position", "42", NULL}};
    rig_play(&g, steps, ARRAY_LEN(steps), 60);
    CHECK_EQ_INT(g.valve->props[0].series->quality, QUALITY_GOOD);
    const struct step none[] = {{1, NULL, NULL, NULL}};
    rig_play(&g, none, 1, 300);
    CHECK_EQ_INT(g.valve->props[0].series->quality, QUALITY_STALE);
    CHECK_EQ_DBL(g.valve->props[0].series->last.f, 42, 0);
    rig_fini(&g);
}

static void count_actions(void *ctx, const struct action_event *a)
{
    struct strbuf *b = ctx;
    strbuf_addf(b, "%.*s %.*s %s;", STR_FMT(a->id), STR_FMT(a->action),
                action_state_name(a->state));
}

TEST(actions_are_remembered_over_a_restart)
{
    const char *dir = test_tmpdir();
    struct rig g;
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    rig_init(&g, dir);
    g.obey = true;
    const struct step steps[] = {{1, NULL, NULL, open_valve}, {30, NULL, NULL, close_valve}};
    rig_play(&g, steps, ARRAY_LEN(steps), 60);
    rig_fini(&g);
    rig_init(&g, dir);
    registry_actions_each(g.r, 10, count_actions, &b);
    CHECK_EQ_STR(b.p, "000000000002 close sent;000000000001 open confirmed;");
    rig_play(&g, steps, 1, 30); /* numbers go on */
    strbuf_reset(&b);
    registry_actions_each(g.r, 1, count_actions, &b);
    CHECK_HAS_STR(b.p, "000000000003 open ");
    rig_fini(&g);
    strbuf_fini(&b);
}

static void note_topic(void *ctx, const struct discovered *d)
{
    struct strbuf *b = ctx;
    strbuf_addf(b, "%.*s %d %s;", STR_FMT(d->topic), (int)d->kind, d->error);
}

static void chatter(void *rig)
{
    struct rig *g = rig;
    char text[16];
    for (int i = 0; i < 50; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        publish(g, "noise", text);
    }
}

TEST(strangers_and_unreadable_messages_are_listed)
{
    struct rig g;
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    rig_init(&g, test_tmpdir());
    registry_on_discovered(g.r, note_topic, &b);
    const struct step steps[] = {{1, "door", "{\"open\":true}", NULL},
                                 {1, "door", "{\"open\":true}", NULL},
                                 {1, "v", "{\"position\":\"ajar\"}", NULL},
                                 {1, NULL, NULL, chatter},
                                 {200, "noise", "last", NULL}};
    rig_play(&g, steps, ARRAY_LEN(steps), 400);
    /* told when it is new or says something new, but not for every message */
    CHECK_EQ_STR(b.p, "door 0 ;v 0 position: expected a number, got a string ajar;noise 1 ;"
                      "noise 2 ;");
    rig_fini(&g);
    strbuf_fini(&b);
}

TEST(a_stranger_can_not_fill_the_memory)
{
    struct rig g;
    char topic[3000];
    rig_init(&g, test_tmpdir());
    memset(topic, 'x', sizeof(topic));
    topic[sizeof(topic) - 1] = 0;
    publish(&g, topic, "1");
    CHECK(list_empty(registry_discovered(g.r)));
    for (int i = 0; i < 1100; i++) {
        (void)snprintf(topic, sizeof(topic), "t/%d", i);
        publish(&g, topic, "1");
    }
    CHECK_EQ_UINT(registry_discovered_dropped(g.r), 101);
    rig_fini(&g);
}

/* --- an action of an earlier run --- */

static void two_runs(struct rig *g, int64_t resume_max_ms, const struct step *then, size_t n)
{
    const char *dir = test_tmpdir();
    rig_init(g, dir);
    const struct step steps[] = {{1, NULL, NULL, open_valve}};
    rig_play(g, steps, ARRAY_LEN(steps), 30);
    CHECK_HAS_STR(g->log.p, "open sent\n");
    rig_fini(g);
    rig_build(g, dir, resume_max_ms);
    sleep_ms(5);
    rig_start(g);
    rig_play(g, then, n, 120);
}

TEST(what_an_earlier_run_could_not_finish_goes_on)
{
    struct rig g;
    const struct step nothing[] = {{1, NULL, NULL, NULL}};
    two_runs(&g, 60000, nothing, 1);
    CHECK_HAS_STR(g.log.p,
                  "v/set {\"action\":\"open\",\"args\":{},\"id\":\"000000000001\"}\nopen sent\n");
    rig_fini(&g);
    const struct step obeyed[] = {{1, "v", "{\"position\": 99}", NULL}};
    two_runs(&g, 60000, obeyed, 1);
    CHECK_EQ_STR(g.log.p, "open confirmed\n");
    rig_fini(&g);
}

TEST(what_an_earlier_run_left_long_ago_is_reported_and_not_done)
{
    struct rig g;
    const struct step nothing[] = {{1, NULL, NULL, NULL}};
    two_runs(&g, 1, nothing, 1);
    CHECK_EQ_STR(g.log.p, "alert critical plant.valve may not have obeyed: open() had no outcome "
                          "when the site stopped\n"
                          "open failed: had no outcome when the site stopped\n");
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    registry_actions_each(g.r, 10, count_actions, &b);
    CHECK_EQ_STR(b.p, "000000000001 open failed;");
    strbuf_fini(&b);
    rig_fini(&g);
}

TEST(actions_keep_the_order_of_their_decisions)
{
    const char *dir = test_tmpdir();
    struct rig g;
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    rig_init(&g, dir);
    const struct step steps[] = {{1, NULL, NULL, open_valve},
                                 {5, NULL, NULL, lamp_on},
                                 {5, "v", "{\"position\": 99}", NULL}}; /* ends the older one */
    rig_play(&g, steps, ARRAY_LEN(steps), 40);
    rig_fini(&g);
    rig_init(&g, dir);
    registry_actions_each(g.r, 10, count_actions, &b);
    CHECK_EQ_STR(b.p, "000000000002 on sent;000000000001 open confirmed;");
    rig_fini(&g);
    strbuf_fini(&b);
}

/* --- the journal can't record a decision --- */

static void fill_journal(struct rig *g)
{
    static uint8_t much[1 << 20];
    struct iovec part = {much, sizeof(much)};
    uint64_t seq;
    for (size_t n = sizeof(much); n >= 16; n /= 2)
        for (part.iov_len = n;
             !journal_append(g->base.journal, JOURNAL_ACK, false, &part, 1, &seq);)
            continue;
}

TEST(a_decision_waits_for_room_in_the_journal)
{
    struct rig g;
    rig_build(&g, test_tmpdir(), 60000);
    g.obey = true;
    fill_journal(&g); /* its writer does not run yet, so it stays full */
    command(&g, g.valve, 0, NULL, 0);
    CHECK_EQ_STR(g.log.p, "open waiting\n");
    rig_start(&g);
    const struct step nothing[] = {{1, NULL, NULL, NULL}};
    rig_play(&g, nothing, 1, 400);
    CHECK_HAS_STR(g.log.p, "open sent\n");
    CHECK_HAS_STR(g.log.p, "open confirmed\n");
    rig_fini(&g);
}

TEST(a_journal_that_stays_full_is_reported)
{
    struct rig g;
    rig_build(&g, test_tmpdir(), 60000);
    fill_journal(&g);
    const struct step steps[] = {{1, NULL, NULL, open_valve}};
    rig_play(&g, steps, 1, 400);
    CHECK_EQ_STR(g.log.p, "open waiting\n"
                          "alert critical plant.valve is not commanded: open() was not sent: the "
                          "journal can't record it: full\n"
                          "open failed: was not sent: the journal can't record it: full\n");
    rig_fini(&g);
}

static void break_journal(void *rig)
{
    struct rig *g = rig;
    struct rlimit old, none;
    REQUIRE(getrlimit(RLIMIT_FSIZE, &old) == 0);
    none = (struct rlimit){0, old.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    REQUIRE(setrlimit(RLIMIT_FSIZE, &none) == 0);
    struct iovec part = {"x", 1};
    uint64_t seq;
    CHECK_EQ_INT(journal_append(g->base.journal, JOURNAL_ACK, false, &part, 1, &seq), ERR_OK);
    while (!journal_failed(g->base.journal, NULL))
        sleep_ms(1);
    REQUIRE(setrlimit(RLIMIT_FSIZE, &old) == 0);
}

TEST(nothing_leaves_when_the_journal_has_failed)
{
    struct rig g;
    rig_init(&g, test_tmpdir());
    const struct step steps[] = {{1, NULL, NULL, break_journal}, {1, NULL, NULL, open_valve}};
    rig_play(&g, steps, ARRAY_LEN(steps), 100);
    CHECK_EQ_STR(g.log.p,
                 "alert critical plant.valve is not commanded: open() was not sent: the "
                 "journal can't record it: input/output error\n"
                 "open failed: was not sent: the journal can't record it: input/output error\n"
                 "refused: plant.valve.open() was not sent: the journal can't record it: "
                 "input/output error\n");
    rig_fini(&g);
}

/* --- who is refused can't fill the list --- */

static void many_try(void *rig)
{
    struct rig *g = rig;
    char name[16];
    for (int i = 0; i < 300; i++) {
        (void)snprintf(name, sizeof(name), "c%d", i);
        g->base.client.name = str_from(name);
        CHECK_EQ_INT(bus_rig_publish(&g->base, "v/set", "x"), ERR_DENIED);
    }
}

TEST(refusals_do_not_push_actions_off_the_list)
{
    struct rig g;
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    rig_init(&g, test_tmpdir());
    const struct step steps[] = {{1, NULL, NULL, open_valve}, {1, NULL, NULL, many_try}};
    rig_play(&g, steps, ARRAY_LEN(steps), 30);
    registry_actions_each(g.r, 1000, count_actions, &b);
    size_t n = 0;
    for (const char *p = b.p; (p = strstr(p, " denied;")); p++)
        n++;
    CHECK_EQ_UINT(n, 100);
    CHECK_HAS_STR(b.p, "000000000001 open ");
    rig_fini(&g);
    strbuf_fini(&b);
}
