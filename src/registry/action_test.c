/* The life of a command. */
#include "registry/registry_rig_test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

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

/* ---- who may go on ----------------------------------------------------------------------------
 */

static void command_as(struct rig *g, const char *program, const char *person, uint32_t action)
{
    struct error e = {0};
    struct action_request q = {
        .device = g->valve,
        .action = action,
        .cause = {.program = str_from(program), .operator_name = str_from(person)}};
    CHECK_EQ_INT(registry_command(g->r, &q, NULL, &e), ERR_OK);
}

static bool lessee_may(void *ctx, const struct device *d, struct str program, struct str person)
{
    (void)ctx;
    return str_eq(d->name, STR("plant.valve")) &&
           (str_eq(program, STR("fire")) || str_eq(person, STR("Ada")));
}

TEST(what_others_than_the_owner_did_goes_on_if_they_still_may_and_what_is_safe_always)
{
    enum { OPEN, CLOSE };
    static const struct {
        const char *label, *program, *person;
        uint32_t action;
        int64_t resume_max_ms;
        bool asked, resumed;
    } rows[] = {
        {"the owner", "guard", "", OPEN, 60000, false, true},
        {"a lessee that has it still", "fire", "", OPEN, 60000, true, true},
        {"the same, long ago", "fire", "", OPEN, 1, true, false},
        {"a lessee that has it no more", "tank", "", OPEN, 60000, true, false},
        {"nobody to ask", "fire", "", OPEN, 60000, false, false},
        {"a person who has it still", "", "Ada", OPEN, 60000, true, true},
        {"a person who has it no more", "", "Bob", OPEN, 60000, true, false},
        {"the end of a lease makes it safe", "lease", "", CLOSE, 60000, false, true},
        {"the same, long ago", "lease", "", CLOSE, 1, false, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig g;
        char dir[600];
        LABEL("%s", rows[i].label);
        (void)snprintf(dir, sizeof(dir), "%s/%zu", test_tmpdir(), i);
        REQUIRE(mkdir(dir, 0700) == 0);
        rig_init(&g, dir);
        command_as(&g, rows[i].program, rows[i].person, rows[i].action);
        bus_rig_run(&g.base, 30);
        rig_fini(&g);
        rig_build(&g, dir, rows[i].resume_max_ms);
        if (rows[i].asked)
            registry_on_resume(g.r, lessee_may, NULL);
        sleep_ms(5);
        rig_start(&g);
        bus_rig_run(&g.base, 120);
        CHECK_EQ_INT(strstr(g.log.p, "v/set ") != NULL, rows[i].resumed);
        CHECK_EQ_INT(strstr(g.log.p, "may not have obeyed") != NULL, !rows[i].resumed);
        rig_fini(&g);
    }
}

/* A site without network decides on; what is over is forgotten first, and nothing else. */
TEST(actions_in_progress_are_never_forgotten)
{
    struct rig g;
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    rig_init(&g, test_tmpdir());
    for (int i = 0; i < 1200; i++)
        command_as(&g, "guard", "", (uint32_t)i % 2); /* each supersedes the one before */
    registry_actions_each(g.r, 2000, count_actions, &b);
    size_t n = 0, failed = 0;
    for (const char *at = b.p; (at = strchr(at, ';')) != NULL; at++)
        n++;
    for (const char *at = b.p; (at = strstr(at, " failed;")) != NULL; at++)
        failed++;
    CHECK_EQ_UINT(n, 1000);
    CHECK_EQ_UINT(failed, 999);
    CHECK(str_starts(strbuf_str(&b), STR("0000000004b0 close waiting;")));
    rig_fini(&g);
    strbuf_fini(&b);
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
