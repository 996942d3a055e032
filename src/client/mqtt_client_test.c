#include "client/mqtt_client_fixture.h"

/* --- connecting ---------------------------------------------------------------------------- */

TEST(client_connects_in_both_versions)
{
    static const struct script_step v5[] = {{HELLO5, ACCEPT5, 0}, {BYE, NULL, 0}, {0}};
    static const struct script_step v4[] = {
        {"CONNECT v4 keep-alive=30 clean=0 id=me will-qos=1 will-retain=1 will-topic=w will=gone "
         "user=u password=p",
         "20 02 01 00", 0},
        {BYE, NULL, 0},
        {0}};
    struct site x;
    site_open(&x, v5);
    x.online = stop;
    site_run(&x, " online:0 ended");

    static const struct mqtt_publish will = {
        .topic = {"w", 1}, .payload = {(const uint8_t *)"gone", 4}, .qos = 1, .retain = true};
    site_open(&x, v4);
    x.cfg.version = MQTT_V311;
    x.cfg.client_id = STR("me");
    x.cfg.keep_alive_s = 30;
    x.cfg.persistent = true;
    x.cfg.has_user = x.cfg.has_password = true;
    x.cfg.user = STR("u");
    x.cfg.password = (struct bytes){(const uint8_t *)"p", 1};
    x.cfg.will = &will;
    x.online = stop;
    site_run(&x, " online:1 ended");
}

static void publish_and_subscribe_once(struct site *x)
{
    if (x->onlines == 1) {
        CHECK_EQ_INT(publish(x, "a", 1), ERR_OK);
        CHECK_EQ_INT(subscribe(x, "s", 1), ERR_OK);
    }
}

/* 3.1 does not tell of a session: messages may be known to it, subscriptions are made again. */
TEST(client_speaks_31)
{
    static const struct script_step steps[] = {
        {"CONNECT v3 keep-alive=0 clean=0 id=c", ACCEPT4, 0},
        {PUB("1", "0", "1", "a"), NULL, 0},
        {"SUBSCRIBE id=2 count=1 filter=s:01", "90 03 0002 01", SCRIPT_CLOSE},
        {"CONNECT v3 keep-alive=0 clean=0 id=c", ACCEPT4, 0},
        {"SUBSCRIBE id=3 count=1 filter=s:01", "90 03 0003 01", 0},
        {PUB("1", "1", "1", "a"), "40 02 0001", 0},
        {BYE, NULL, 0},
        {0}};
    struct site x;
    site_open(&x, steps);
    x.cfg.version = MQTT_V31;
    x.cfg.persistent = true;
    x.online = publish_and_subscribe_once;
    x.answered = stop_when_answered;
    site_run(&x, " online:0 ok:01 lost:closed:00:1 online:0 ok:00 ended");
}

static void check_assigned(struct site *x)
{
    CHECK(str_eq(mqtt_client_id(x->client), STR("id7")));
    if (x->onlines == 2)
        stop(x);
}

TEST(client_keeps_the_id_that_the_server_gives)
{
    static const struct script_step steps[] = {
        {"CONNECT v5 keep-alive=0 clean=1 id='' { session-expiry=0 max-size=1048576 }",
         "20 09 00 00 06 12 0003 696437", SCRIPT_CLOSE},
        {"CONNECT v5 keep-alive=0 clean=1 id=id7 { session-expiry=0 max-size=1048576 }", ACCEPT5,
         0},
        {BYE, NULL, 0},
        {0}};
    struct site x;
    site_open(&x, steps);
    x.cfg.client_id = STR("");
    x.online = check_assigned;
    site_run(&x, " online:0 lost:closed:00:1 online:0 ended");
}

TEST(client_reports_a_refusal)
{
    static const struct script_step steps[] = {{HELLO5, "20 03 00 87 00", 0}, {0}};
    struct site x;
    site_open(&x, steps);
    x.lost = give_up;
    site_run(&x, " lost:denied:87:0 ended");
}

TEST(client_refuses_a_configuration_that_cannot_be)
{
    struct site x;
    static const struct script_step none[] = {{0}};
    site_open(&x, none);
    struct mqtt_client *c = NULL;
    x.cfg.version = MQTT_V311;
    x.cfg.has_password = true;
    CHECK_EQ_INT(mqtt_client_new(&c, x.script.worker, &x.cfg), ERR_INVALID);
    x.cfg.has_password = false;
    x.cfg.client_id = STR("");
    x.cfg.persistent = true;
    CHECK_EQ_INT(mqtt_client_new(&c, x.script.worker, &x.cfg), ERR_INVALID);
    x.cfg.client_id = STR("\xFF");
    CHECK_EQ_INT(mqtt_client_new(&c, x.script.worker, &x.cfg), ERR_INVALID);
    x.cfg.client_id = STR("a");
    x.cfg.version = 6;
    CHECK_EQ_INT(mqtt_client_new(&c, x.script.worker, &x.cfg), ERR_INVALID);
    executor_stop(x.script.ex);
    script_run(&x.script);
}

static bool third_time(struct site *x, const struct mqtt_client_loss *loss)
{
    CHECK_EQ_UINT(loss->attempts, x->losses);
    return x->losses < 3;
}

TEST(client_tries_again_until_it_is_told_not_to)
{
    static const struct script_step none[] = {{0}};
    struct site x;
    site_open(&x, none);
    REQUIRE(addr_parse(&x.cfg.addr, STR("127.0.0.1"), 1) == ERR_OK); /* nobody listens there */
    x.lost = third_time;
    REQUIRE(mqtt_client_new(&x.client, x.script.worker, &x.cfg) == ERR_OK);
    script_run(&x.script);
    CHECK_EQ_UINT(x.losses, 3);
    CHECK(x.client == NULL);
    strbuf_fini(&x.log);
}

/* --- publishing ---------------------------------------------------------------------------- */

static void publish_each_qos(struct site *x)
{
    CHECK_EQ_INT(publish(x, "a", 0), ERR_OK);
    CHECK_EQ_INT(publish(x, "b", 1), ERR_OK);
    CHECK_EQ_INT(publish(x, "c", 2), ERR_OK);
    CHECK_EQ_INT(publish(x, "d/#", 1), ERR_INVALID);
}

TEST(client_publishes_with_each_qos)
{
    static const struct script_step steps[] = {{HELLO5, ACCEPT5, 0},
                                               {PUB("0", "0", "0", "a"), NULL, 0},
                                               {PUB("1", "0", "1", "b"), "40 03 0001 10", 0},
                                               {PUB("2", "0", "2", "c"), "50 02 0002", 0},
                                               {"PUBREL id=2 reason=00", "70 02 0002", 0},
                                               {BYE, NULL, 0},
                                               {0}};
    struct site x;
    site_open(&x, steps);
    x.online = publish_each_qos;
    x.answered = stop_when_answered;
    site_run(&x, " online:0 ok:10 ok:00 ended");
}

static void publish_two(struct site *x)
{
    CHECK_EQ_INT(publish(x, "a", 1), ERR_OK);
    CHECK_EQ_INT(publish(x, "b", 2), ERR_OK);
}

TEST(client_reports_refused_messages)
{
    static const struct script_step steps[] = {{HELLO5, ACCEPT5, 0},
                                               {PUB("1", "0", "1", "a"), "40 03 0001 87", 0},
                                               {PUB("2", "0", "2", "b"), "50 03 0002 97", 0},
                                               {BYE, NULL, 0},
                                               {0}};
    struct site x;
    site_open(&x, steps);
    x.online = publish_two;
    x.answered = stop_when_answered;
    site_run(&x, " online:0 denied:87 denied:97 ended");
}

static void publish_five_once(struct site *x)
{
    if (x->onlines > 1)
        return;
    for (int i = 0; i < 3; i++)
        CHECK_EQ_INT(publish(x, "a", 1), ERR_OK);
    CHECK_EQ_INT(publish(x, "b", 2), ERR_OK);
    CHECK_EQ_INT(publish(x, "c", 1), ERR_OK);
}

/* Checklist 15: what was not acknowledged, in order, with DUP; PUBREL with its id. */
TEST(client_sends_unacknowledged_messages_again)
{
    static const struct script_step steps[] = {
        {SESSION5, ACCEPT5, 0},
        {PUB("1", "0", "1", "a"), NULL, 0},
        {PUB("1", "0", "2", "a"), "40 02 0002", 0},
        {PUB("1", "0", "3", "a"), NULL, 0},
        {PUB("2", "0", "4", "b"), "50 02 0004", 0},
        {PUB("1", "0", "5", "c"), NULL, 0},
        {"PUBREL id=4 reason=00", NULL, SCRIPT_CLOSE},
        {AGAIN5, PRESENT5, 0},
        {PUB("1", "1", "1", "a"), "40 02 0001", 0},
        {PUB("1", "1", "3", "a"), NULL, 0},
        {"PUBREL id=4 reason=00", "70 03 0004 92", 0},
        {PUB("1", "1", "5", "c"), "40 02 0003 40 02 0005", 0},
        {BYE, NULL, 0},
        {0}};
    struct site x;
    site_open(&x, steps);
    x.cfg.session_expiry_s = 9;
    x.online = publish_five_once;
    x.answered = stop_when_answered;
    site_run(&x, " online:0 ok:00 lost:closed:00:1 online:1 ok:00 ok:92 ok:00 ok:00 ended");
}

/* Another session knows neither ids nor what was released: messages are new ones there. */
TEST(client_begins_anew_in_another_session)
{
    static const struct script_step steps[] = {
        {SESSION5, ACCEPT5, 0},
        {PUB("1", "0", "1", "a"), NULL, 0},
        {PUB("1", "0", "2", "a"), NULL, 0},
        {PUB("1", "0", "3", "a"), NULL, 0},
        {PUB("2", "0", "4", "b"), "50 02 0004", 0},
        {PUB("1", "0", "5", "c"), NULL, 0},
        {"PUBREL id=4 reason=00", NULL, SCRIPT_CLOSE},
        {AGAIN5, ACCEPT5, 0},
        {PUB("1", "0", "1", "a"), NULL, 0},
        {PUB("1", "0", "2", "a"), NULL, 0},
        {PUB("1", "0", "3", "a"), NULL, 0},
        {PUB("1", "0", "5", "c"), "40 02 0001 40 02 0002 40 02 0003 40 02 0005", 0},
        {BYE, NULL, 0},
        {0}};
    struct site x;
    site_open(&x, steps);
    x.cfg.session_expiry_s = 9;
    x.online = publish_five_once;
    x.answered = stop_when_answered;
    site_run(&x, " online:0 lost:closed:00:1 ok:00 online:0 ok:00 ok:00 ok:00 ok:00 ended");
}

/* Every acknowledgement in every state, but the ones that are right. */
TEST(client_refuses_wrong_acknowledgements)
{
    static const struct {
        const char *label, *reply;
    } rows[] = {
        {"PUBREC for QoS 1", "50 02 0001"},
        {"PUBCOMP for QoS 1", "70 02 0001"},
        {"PUBACK for QoS 2", "40 02 0002"},
        {"PUBCOMP before PUBREC", "70 02 0002"},
        {"PUBACK behind PUBREC", "50 02 0002 40 02 0002"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        const struct script_step steps[] = {{HELLO5, ACCEPT5, 0},
                                            {PUB("1", "0", "1", "a"), NULL, 0},
                                            {PUB("2", "0", "2", "b"), rows[i].reply, 0},
                                            {"... DISCONNECT reason=82", NULL, 0},
                                            {0}};
        struct site x;
        site_open(&x, steps);
        x.online = publish_two;
        x.lost = give_up;
        site_run(&x, " online:0 lost:protocol error:82:1 canceled:00 canceled:00 ended");
    }
}

static void publish_until_full(struct site *x)
{
    CHECK_EQ_INT(publish(x, "a", 1), ERR_OK);
    CHECK_EQ_INT(publish(x, "b", 1), ERR_OK);
    CHECK_EQ_INT(publish(x, "c", 1), ERR_FULL);
    CHECK_EQ_UINT(mqtt_client_inflight(x->client), 2);
}

static void publish_once_more(struct site *x)
{
    if (x->answers == 1)
        CHECK_EQ_INT(publish(x, "c", 1), ERR_OK);
    stop_when_answered(x);
}

TEST(client_full_is_back_pressure)
{
    static const struct script_step steps[] = {
        {HELLO5, ACCEPT5, 0},
        {PUB("1", "0", "1", "a"), NULL, 0},
        {PUB("1", "0", "2", "b"), "40 02 0001", 0},
        {PUB("1", "0", "3", "c"), "40 02 0002 40 02 0003", 0},
        {BYE, NULL, 0},
        {0}};
    struct site x;
    site_open(&x, steps);
    x.cfg.inflight_max = 2;
    x.online = publish_until_full;
    x.answered = publish_once_more;
    site_run(&x, " online:0 ok:00 ok:00 ok:00 ended");
}

/* What will never fit is told so at once: who waited for room would wait for ever. */
static void publish_too_much(struct site *x)
{
    static const uint8_t big[101];
    struct mqtt_publish m = {.topic = STR("t"), .payload = {big, sizeof(big)}, .qos = 1};
    CHECK_EQ_UINT(x->client->cfg.inflight_bytes_max, 2 << 20); /* one has room */
    x->client->cfg.inflight_bytes_max = 100;
    CHECK_EQ_INT(mqtt_client_publish(x->client, &m, (struct mqtt_done){0}), ERR_RANGE);
    stop(x);
}

TEST(client_full_is_not_for_what_never_fits)
{
    static const struct script_step steps[] = {
        {"CONNECT v5 keep-alive=0 clean=1 id=c { session-expiry=0 max-size=2097152 }", ACCEPT5, 0},
        {BYE, NULL, 0},
        {0}};
    struct site x;
    site_open(&x, steps);
    x.cfg.packet_max = 2 << 20;
    x.online = publish_too_much;
    site_run(&x, " online:0 ended");
}

/* Checklist 19 and 20: the server's limits. */
static void publish_beyond_the_servers_limits(struct site *x)
{
    static const uint8_t big[100];
    struct mqtt_publish m = {.topic = STR("t"), .payload = {big, sizeof(big)}, .qos = 1};
    CHECK_EQ_INT(mqtt_client_publish(x->client, &m, (struct mqtt_done){0}), ERR_RANGE);
    CHECK_EQ_INT(publish(x, "a", 1), ERR_OK);
    CHECK_EQ_INT(publish(x, "b", 2), ERR_UNSUPPORTED);
    CHECK_EQ_INT(publish(x, "c", 1), ERR_OK);
}

TEST(client_keeps_the_servers_limits)
{
    /* Receive maximum 1, maximum packet size 64, maximum QoS 1. */
    static const struct script_step steps[] = {{HELLO5, "20 0D 00 00 0A 210001 2700000040 2401", 0},
                                               {PUB("1", "0", "1", "a"), "40 02 0001", 0},
                                               {PUB("1", "0", "2", "c"), "40 02 0002", 0},
                                               {BYE, NULL, 0},
                                               {0}};
    struct site x;
    site_open(&x, steps);
    x.online = publish_beyond_the_servers_limits;
    x.answered = stop_when_answered;
    site_run(&x, " online:0 ok:00 ok:00 ended");
}

/* What was taken off-line is held to the limits when they are known. */
TEST(client_denies_what_was_queued_beyond_the_limits)
{
    static const struct script_step steps[] = {
        {HELLO5, "20 0A 00 00 07 2700000020 2401", 0}, {BYE, NULL, 0}, {0}};
    static const uint8_t big[100];
    struct mqtt_publish m = {.topic = STR("t"), .payload = {big, sizeof(big)}, .qos = 1};
    struct site x;
    site_open(&x, steps);
    REQUIRE(mqtt_client_new(&x.client, x.script.worker, &x.cfg) == ERR_OK);
    CHECK_EQ_INT(mqtt_client_publish(x.client, &m, (struct mqtt_done){on_answer, &x}), ERR_OK);
    CHECK_EQ_INT(publish(&x, "b", 2), ERR_OK);
    x.answered = stop_when_answered;
    script_run(&x.script);
    CHECK_EQ_STR(x.log.p, " online:0 denied:95 denied:9b ended");
    strbuf_fini(&x.log);
}

static void publish_offline(struct site *x)
{
    CHECK_EQ_INT(publish(x, "a", 0), ERR_CLOSED);
    CHECK_EQ_INT(publish(x, "a", 1), ERR_OK);
    CHECK_EQ_INT(subscribe(x, "s", 0), ERR_OK);
}

TEST(client_takes_work_before_it_is_connected)
{
    static const struct script_step steps[] = {
        {HELLO5, ACCEPT5, 0},
        {"SUBSCRIBE id=2 count=1 filter=s:00", "90 04 0002 00 00", 0},
        {PUB("1", "0", "1", "a"), "40 02 0001", 0},
        {BYE, NULL, 0},
        {0}};
    struct site x;
    site_open(&x, steps);
    REQUIRE(mqtt_client_new(&x.client, x.script.worker, &x.cfg) == ERR_OK);
    publish_offline(&x);
    x.answered = stop_when_answered;
    script_run(&x.script);
    CHECK_EQ_STR(x.log.p, " online:0 ok:00 ok:00 ended");
    strbuf_fini(&x.log);
}

TEST(client_cancels_what_is_open_when_it_ends)
{
    static const struct script_step steps[] = {{HELLO5, ACCEPT5, 0},
                                               {PUB("1", "0", "1", "a"), NULL, 0},
                                               {PUB("2", "0", "2", "b"), "E0 01 8B", 0},
                                               {0}};
    struct site x;
    site_open(&x, steps);
    x.online = publish_two;
    x.lost = give_up;
    site_run(&x, " online:0 lost:closed:8b:1 canceled:00 canceled:00 ended");
}

/* --- limits of memory and ids -------------------------------------------------------------- */

TEST(client_ids_never_meet_one_in_use)
{
    static struct mqtt_client c;
    struct flight stuck[] = {{.id = 1}, {.id = 2}, {.id = 500}, {.id = 65535}};
    static uint8_t seen[65536];
    list_init(&c.flights);
    list_init(&c.subs);
    c.free_ids = 0;
    c.last_id = 0;
    for (size_t i = 0; i < ARRAY_LEN(stuck); i++) {
        list_add_tail(&c.flights, &stuck[i].link);
        seen[stuck[i].id] = 99;
    }
    for (unsigned i = 0; i < 2 * (MQTT_IDS - ARRAY_LEN(stuck)); i++)
        seen[client_next_id(&c)]++;
    CHECK_EQ_UINT(seen[0], 0);
    unsigned wrong = 0;
    for (unsigned id = 1; id <= MQTT_IDS; id++)
        wrong += seen[id] != 2 && seen[id] != 99;
    CHECK_EQ_UINT(wrong, 0);
}

/* Each allocation fails in turn; nothing leaks, and what worked before still works. */
TEST(client_survives_every_failed_allocation)
{
    static const struct script_step none[] = {{0}};
    for (uint64_t fail_at = 0;; fail_at++) {
        LABEL("allocation %u fails", (unsigned)fail_at);
        struct site x;
        struct alloc_faulty faulty;
        site_open(&x, none);
        alloc_faulty_init(&faulty, fail_at);
        x.cfg.alloc = &faulty.alloc;
        enum err err = mqtt_client_new(&x.client, x.script.worker, &x.cfg);
        CHECK(err == ERR_OK || err == ERR_NOMEM);
        if (err == ERR_OK) {
            enum err p = publish(&x, "a", 1), s = subscribe(&x, "a", 0);
            CHECK((p == ERR_OK && s == ERR_OK) || faulty.failed);
            CHECK(p == ERR_OK || p == ERR_NOMEM);
            stop(&x);
        } else {
            executor_stop(x.script.ex);
        }
        script_run(&x.script);
        CHECK_EQ_UINT(faulty.live_bytes, 0);
        strbuf_fini(&x.log);
        if (!faulty.failed)
            break;
        REQUIRE(fail_at < 100);
    }
}
