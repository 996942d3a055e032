#include "client/mqtt_client_internal.h"
#include "tests/support/mqtt_script.h"

#include <string.h>

#define HELLO5          "CONNECT v5 keep-alive=0 clean=1 id=c { session-expiry=0 max-size=1048576 }"
#define AGAIN5          "CONNECT v5 keep-alive=0 clean=0 id=c { session-expiry=9 max-size=1048576 }"
#define ACCEPT5         "20 03 00 00 00"
#define ACCEPT4         "20 02 00 00"
#define BYE             "DISCONNECT reason=00"
#define PUB(q, d, i, t) "PUBLISH qos=" q " dup=" d " retain=0 id=" i " topic=" t " payload=x"

/* One test: a script, a client, and what its callbacks saw. */
struct site {
    struct script script;
    struct mqtt_client *client;
    struct mqtt_client_config cfg;
    void (*online)(struct site *x);
    bool (*lost)(struct site *x, const struct mqtt_client_loss *loss);
    void (*answered)(struct site *x);
    struct strbuf log; /* one word for each event */
    unsigned onlines, losses, answers;
};

static void on_online(void *ctx, bool session_present)
{
    struct site *x = ctx;
    x->onlines++;
    strbuf_addf(&x->log, " online:%d", session_present);
    if (x->online)
        x->online(x);
}

static bool on_lost(void *ctx, const struct mqtt_client_loss *loss)
{
    struct site *x = ctx;
    x->losses++;
    strbuf_addf(&x->log, " lost:%s:%02x:%d", err_name(loss->err), loss->reason, loss->was_online);
    return x->lost ? x->lost(x, loss) : true;
}

static void on_message(void *ctx, const struct mqtt_publish *m)
{
    struct site *x = ctx;
    strbuf_addf(&x->log, " %.*s=%.*s", STR_FMT(m->topic), (int)m->payload.n,
                (const char *)m->payload.p);
}

static void on_ended(void *ctx)
{
    struct site *x = ctx;
    x->client = NULL;
    strbuf_adds(&x->log, " ended");
    script_client_ended(&x->script);
}

static void on_answer(void *ctx, enum err err, uint8_t reason)
{
    struct site *x = ctx;
    x->answers++;
    strbuf_addf(&x->log, " %s:%02x", err_name(err), reason);
    if (x->answered)
        x->answered(x);
}

static void site_open(struct site *x, const struct script_step *steps)
{
    memset(x, 0, sizeof(*x));
    script_open(&x->script, steps);
    strbuf_init(&x->log, alloc_system(), 0);
    x->cfg = (struct mqtt_client_config){
        .addr = *listener_addr(x->script.listener),
        .client_id = STR("c"),
        .backoff_min_ms = 1,
        .backoff_max_ms = 4,
        .ctx = x,
        .online = on_online,
        .message = on_message,
        .lost = on_lost,
        .ended = on_ended,
    };
}

static void site_run(struct site *x, const char *log)
{
    REQUIRE(CHECK_EQ_INT(mqtt_client_new(&x->client, x->script.worker, &x->cfg), ERR_OK));
    script_run(&x->script);
    CHECK_EQ_STR(x->log.p, log);
    strbuf_fini(&x->log);
}

static enum err publish(struct site *x, const char *topic, uint8_t qos)
{
    struct mqtt_publish m = {
        .topic = str_from(topic), .payload = {(const uint8_t *)"x", 1}, .qos = qos};
    return mqtt_client_publish(x->client, &m, (struct mqtt_done){on_answer, x});
}

static enum err subscribe(struct site *x, const char *filter, uint8_t options)
{
    return mqtt_client_subscribe(x->client, str_from(filter), options,
                                 (struct mqtt_done){on_answer, x});
}

static void stop(struct site *x)
{
    mqtt_client_stop(x->client);
}

static void stop_when_answered(struct site *x)
{
    if (mqtt_client_inflight(x->client) == 0)
        stop(x);
}

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

static bool give_up(struct site *x, const struct mqtt_client_loss *loss)
{
    (void)x;
    CHECK_EQ_UINT(loss->attempts, loss->was_online ? 0 : 1);
    return false;
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
    x.cfg.version = 3;
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
        {HELLO5, ACCEPT5, 0},
        {PUB("1", "0", "1", "a"), NULL, 0},
        {PUB("1", "0", "2", "a"), "40 02 0002", 0},
        {PUB("1", "0", "3", "a"), NULL, 0},
        {PUB("2", "0", "4", "b"), "50 02 0004", 0},
        {PUB("1", "0", "5", "c"), NULL, 0},
        {"PUBREL id=4 reason=00", NULL, SCRIPT_CLOSE},
        {HELLO5, ACCEPT5, 0},
        {PUB("1", "1", "1", "a"), "40 02 0001", 0},
        {PUB("1", "1", "3", "a"), NULL, 0},
        {"PUBREL id=4 reason=00", "70 03 0004 92", 0},
        {PUB("1", "1", "5", "c"), "40 02 0003 40 02 0005", 0},
        {BYE, NULL, 0},
        {0}};
    struct site x;
    site_open(&x, steps);
    x.online = publish_five_once;
    x.answered = stop_when_answered;
    site_run(&x, " online:0 ok:00 lost:closed:00:1 online:0 ok:00 ok:92 ok:00 ok:00 ended");
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

/* --- subscribing, receiving ---------------------------------------------------------------- */

static void subscribe_twice(struct site *x)
{
    if (x->onlines > 1)
        return;
    CHECK_EQ_INT(subscribe(x, "a/#", 1), ERR_OK);
    CHECK_EQ_INT(subscribe(x, "b", 2), ERR_OK);
    CHECK_EQ_INT(subscribe(x, "a#", 0), ERR_INVALID);
    CHECK_EQ_INT(subscribe(x, "a", 3), ERR_INVALID);
    CHECK_EQ_INT(subscribe(x, "third", 0), ERR_FULL);
    CHECK_EQ_INT(mqtt_client_unsubscribe(x->client, STR("c"), (struct mqtt_done){0}),
                 ERR_NOT_FOUND);
}

static void unsubscribe_then_stop(struct site *x)
{
    struct mqtt_done done = {on_answer, x};
    if (x->answers == 2)
        CHECK_EQ_INT(mqtt_client_unsubscribe(x->client, STR("a/#"), done), ERR_OK);
    if (x->answers == 3)
        stop(x);
}

TEST(client_subscribes_and_unsubscribes)
{
    static const struct script_step steps[] = {
        {HELLO5, ACCEPT5, 0},
        {"SUBSCRIBE id=1 count=1 filter=a/#:01", "90 04 0001 00 01", 0},
        {"SUBSCRIBE id=2 count=1 filter=b:02", "90 04 0002 00 87", 0},
        {"UNSUBSCRIBE id=3 count=1 filter=a/#", "B0 04 0003 00 00", 0},
        {BYE, NULL, 0},
        {0}};
    struct site x;
    site_open(&x, steps);
    x.cfg.subscriptions_max = 2;
    x.online = subscribe_twice;
    x.answered = unsubscribe_then_stop;
    site_run(&x, " online:0 ok:01 denied:87 ok:00 ended");
}

static void subscribe_once_stop_third(struct site *x)
{
    if (x->onlines == 1)
        CHECK_EQ_INT(subscribe(x, "a", 1), ERR_OK);
    if (x->onlines == 3)
        stop(x);
}

/* After a loss only a lost session needs the subscription again. */
TEST(client_subscribes_again_after_the_session_is_lost)
{
    static const struct script_step steps[] = {
        {"CONNECT v5 keep-alive=0 clean=1 id=c { session-expiry=9 max-size=1048576 }", ACCEPT5, 0},
        {"SUBSCRIBE id=1 count=1 filter=a:01", "90 04 0001 00 01", SCRIPT_CLOSE},
        {AGAIN5, ACCEPT5, 0},
        {"SUBSCRIBE id=2 count=1 filter=a:01", "90 04 0002 00 01", SCRIPT_CLOSE},
        {AGAIN5, "20 03 01 00 00", 0},
        {BYE, NULL, 0},
        {0}};
    struct site x;
    site_open(&x, steps);
    x.cfg.session_expiry_s = 9;
    x.online = subscribe_once_stop_third;
    site_run(&x, " online:0 ok:01 lost:closed:00:1 online:0 lost:closed:00:1 online:1 ended");
}

TEST(client_receives_with_each_qos)
{
    static const struct script_step steps[] = {
        {"CONNECT v4 keep-alive=0 clean=1 id=c", ACCEPT4, 0},
        {NULL, "30 04 0001 61 30", 0},
        {NULL, "32 06 0001 61 0007 31", 0},
        {"PUBACK id=7 reason=00", "34 06 0001 61 0008 32", 0},
        {"PUBREC id=8 reason=00", "3C 06 0001 61 0008 32", 0}, /* again: no second message */
        {"PUBREC id=8 reason=00", "62 02 0008", 0},
        {"PUBCOMP id=8 reason=00", "34 06 0001 61 0008 33", 0},
        {"PUBREC id=8 reason=00", "FF", 0}, /* and then nonsense */
        {0}};
    struct site x;
    site_open(&x, steps);
    x.cfg.version = MQTT_V311;
    x.lost = give_up;
    site_run(&x, " online:0 a=0 a=1 a=2 a=3 lost:protocol error:81:1 ended");
}

TEST(client_answers_what_is_unknown_or_wrong)
{
    static const struct script_step steps[] = {
        {HELLO5, ACCEPT5, 0},
        {NULL, "62 02 0009", 0},
        {"PUBCOMP id=9 reason=92", "50 02 0009", 0},
        {"PUBREL id=9 reason=92", "40 02 0009 70 02 0009 90 04 0009 00 00 D0 00", 0},
        {NULL, "32 06 0001 2B 0001 00", 0},
        {"DISCONNECT reason=90", NULL, 0},
        {0}};
    struct site x;
    site_open(&x, steps);
    x.lost = give_up;
    site_run(&x, " online:0 lost:protocol error:90:1 ended");
}

TEST(client_ends_what_is_out_of_turn)
{
    static const struct {
        const char *label, *reply, *bye, *log;
    } rows[] = {
        {"no CONNACK first", "30 04 0001 61 00", NULL, " lost:protocol error:82:0 ended"},
        {"a second CONNACK", "20 03 00 00 00 20 03 00 00 00", "DISCONNECT reason=82",
         " online:0 lost:protocol error:82:1 ended"},
        {"an alias", "20 03 00 00 00 30 06 0000 03 230001", "DISCONNECT reason=94",
         " online:0 lost:protocol error:94:1 ended"},
        {"AUTH", "20 03 00 00 00 F0 00", "DISCONNECT reason=82",
         " online:0 lost:protocol error:82:1 ended"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        const struct script_step steps[] = {
            {HELLO5, rows[i].reply, 0}, {rows[i].bye, NULL, 0}, {0}};
        struct site x;
        site_open(&x, steps);
        x.lost = give_up;
        site_run(&x, rows[i].log);
    }
}

TEST(client_pings_and_misses_an_answer)
{
    static const struct script_step steps[] = {
        /* The server's keep-alive of 1 s overrides the client's. */
        {"CONNECT v5 keep-alive=600 clean=1 id=c { session-expiry=0 max-size=1048576 }",
         "20 06 00 00 03 130001", 0},
        {"PINGREQ", "D0 00", 0},
        {"PINGREQ", NULL, 0},
        {0}};
    struct site x;
    site_open(&x, steps);
    x.cfg.keep_alive_s = 600;
    x.lost = give_up;
    site_run(&x, " online:0 lost:timed out:00:1 ended");
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
