#include "client/mqtt_client_fixture.h"

/* What only 5.0 has: properties, aliases, limits of the server, enhanced authentication. */

#define HELLO5_WITH(more)                                                                          \
    "CONNECT v5 keep-alive=0 clean=1 id=c { session-expiry=0" more " max-size=1048576 }"

#define SESSION5_WITH(more)                                                                        \
    "CONNECT v5 keep-alive=0 clean=1 id=c { session-expiry=9" more " max-size=1048576 }"
#define AGAIN5_WITH(more)                                                                          \
    "CONNECT v5 keep-alive=0 clean=0 id=c { session-expiry=9" more " max-size=1048576 }"

static struct bytes user_property(uint8_t room[16])
{
    struct writer w = writer_from(room, 16);
    mqtt_put_user_property(&w, STR("k"), STR("v"));
    return (struct bytes){room, writer_len(&w)};
}

/* --- properties ---------------------------------------------------------------------------- */

static void check_said_then_leave(struct site *x)
{
    uint8_t room[16];
    const struct mqtt_props *said = mqtt_client_said(x->client);
    struct mqtt_end end = {.reason = MQTT_RC_DISCONNECT_WITH_WILL,
                           .props = {.has = MQTT_HAS(MQTT_PROP_SESSION_EXPIRY),
                                     .session_expiry_s = 7,
                                     .raw = user_property(room)}};
    CHECK(str_eq(said->reason_string, STR("hi")));
    CHECK_EQ_INT(mqtt_client_stop_with(x->client, &end), ERR_OK);
    CHECK_EQ_INT(publish(x, "a", 0), ERR_CLOSED); /* nothing behind DISCONNECT */
    end.reason = MQTT_RC_GRANTED_QOS1;
    CHECK_EQ_INT(mqtt_client_stop_with(x->client, &end), ERR_INVALID);
}

TEST(client_says_what_it_is_told_and_tells_what_the_server_says)
{
    static const struct script_step steps[] = {
        {"CONNECT v5 keep-alive=0 clean=1 id=c { session-expiry=0 problem-info=0 "
         "want-response-info=1 receive-max=5 alias-max=3 max-size=1048576 k:v } will-qos=1 "
         "will-retain=0 will-topic=w will=gone { expiry=60 will-delay=30 k:v }",
         "20 08 00 00 05 1F 0002 6869", 0},
        {"DISCONNECT reason=04 { session-expiry=7 k:v }", NULL, 0},
        {0}};
    uint8_t room[16];
    const struct mqtt_props props = {
        .has = MQTT_HAS(MQTT_PROP_REQUEST_PROBLEM_INFO) |
               MQTT_HAS(MQTT_PROP_REQUEST_RESPONSE_INFO) | MQTT_HAS(MQTT_PROP_TOPIC_ALIAS_MAX),
        .request_response_info = 1,
        .topic_alias_max = 3,
        .raw = user_property(room),
    };
    const struct mqtt_publish will = {
        .topic = STR("w"),
        .payload = {(const uint8_t *)"gone", 4},
        .qos = 1,
        .props = {.has = MQTT_HAS(MQTT_PROP_WILL_DELAY) | MQTT_HAS(MQTT_PROP_MESSAGE_EXPIRY),
                  .will_delay_s = 30,
                  .message_expiry_s = 60,
                  .raw = props.raw},
    };
    struct site x;
    site_open(&x, steps);
    x.cfg.props = &props;
    x.cfg.will = &will;
    x.cfg.receive_max = 5;
    x.online = check_said_then_leave;
    site_run(&x, " online:0 ended");
}

/* 3.1.1 has no reason: the will is sent because there is no DISCONNECT. */
static void leave_with_will(struct site *x)
{
    struct mqtt_end end = {.reason = MQTT_RC_DISCONNECT_WITH_WILL};
    CHECK_EQ_INT(mqtt_client_stop_with(x->client, &end), ERR_OK);
}

TEST(client_leaves_without_a_word_for_its_will_in_311)
{
    static const struct script_step steps[] = {{"CONNECT v4 keep-alive=0 clean=1 id=c", ACCEPT4, 0},
                                               {0}};
    struct site x;
    site_open(&x, steps);
    x.cfg.version = MQTT_V311;
    x.online = leave_with_will;
    site_run(&x, " online:0 ended");
}

static void subscribe_with_properties(struct site *x)
{
    uint8_t room[16];
    struct mqtt_client_filter f = {.filter = STR("a"),
                                   .options = 1 | MQTT_SUB_NO_LOCAL | MQTT_SUB_RETAIN_AS_PUBLISHED,
                                   .id = 9,
                                   .user_raw = user_property(room)};
    struct mqtt_done done = {on_answer, x};
    CHECK_EQ_INT(mqtt_client_subscribe_with(x->client, &f, done), ERR_OK);
    f.filter = STR("b");
    CHECK_EQ_INT(mqtt_client_unsubscribe_with(x->client, &f, done), ERR_OK);
    f.filter = STR("$share/g/a");
    CHECK_EQ_INT(mqtt_client_subscribe_with(x->client, &f, done), ERR_INVALID); /* No Local */
}

static void stop_after_two(struct site *x)
{
    if (x->answers == 2)
        stop(x);
}

static void stop_after_four(struct site *x)
{
    if (x->answers == 4)
        stop(x);
}

TEST(client_subscribes_with_properties)
{
    static const struct script_step steps[] = {
        {HELLO5, ACCEPT5, 0},
        {"SUBSCRIBE id=1 count=1 filter=a:0d { sub-id=9 id:9 k:v }", "90 04 0001 00 01", 0},
        {"UNSUBSCRIBE id=2 count=1 filter=b { k:v }", "B0 04 0002 00 11", 0},
        {BYE, NULL, 0},
        {0}};
    struct site x;
    site_open(&x, steps);
    x.online = subscribe_with_properties;
    x.answered = stop_after_two;
    site_run(&x, " online:0 ok:01 ok:11 ended");
}

/* --- what a server has not ----------------------------------------------------------------- */

static void ask_for_what_there_is_not(struct site *x)
{
    struct mqtt_client_filter with_id = {.filter = STR("c"), .id = 1};
    struct mqtt_publish retained = {.topic = STR("t"), .retain = true};
    CHECK_EQ_INT(subscribe(x, "$share/g/a", 0), ERR_UNSUPPORTED);
    CHECK_EQ_INT(subscribe(x, "a/+", 0), ERR_UNSUPPORTED);
    CHECK_EQ_INT(subscribe(x, "#", 0), ERR_UNSUPPORTED);
    CHECK_EQ_INT(mqtt_client_subscribe_with(x->client, &with_id, (struct mqtt_done){0}),
                 ERR_UNSUPPORTED);
    CHECK_EQ_INT(mqtt_client_publish(x->client, &retained, (struct mqtt_done){0}), ERR_UNSUPPORTED);
}

/* Retained messages, wildcards, identifiers and groups are not available. */
#define BARE5 "20 0B 00 00 08 2500 2800 2900 2A00"

TEST(client_asks_for_nothing_that_the_server_has_not)
{
    static const struct script_step steps[] = {{HELLO5, BARE5, 0}, {BYE, NULL, 0}, {0}};
    struct site x;
    struct mqtt_client_filter with_id = {.filter = STR("c"), .id = 1};
    struct mqtt_publish retained = {.topic = STR("t"), .retain = true, .qos = 1};
    site_open(&x, steps);
    REQUIRE(mqtt_client_new(&x.client, x.script.worker, &x.cfg) == ERR_OK);
    struct mqtt_done done = {on_answer, &x};
    CHECK_EQ_INT(subscribe(&x, "$share/g/a", 0), ERR_OK);
    CHECK_EQ_INT(subscribe(&x, "a/+", 0), ERR_OK);
    CHECK_EQ_INT(mqtt_client_subscribe_with(x.client, &with_id, done), ERR_OK);
    CHECK_EQ_INT(mqtt_client_publish(x.client, &retained, done), ERR_OK);
    x.online = ask_for_what_there_is_not;
    x.answered = stop_when_answered;
    script_run(&x.script);
    CHECK_EQ_STR(x.log.p, " online:0 denied:9e denied:a2 denied:a1 denied:9a ended");
    strbuf_fini(&x.log);
}

/* A packet above the server's maximum would cost the connection, again and again. */
TEST(client_asks_for_nothing_that_is_too_long)
{
    static const struct script_step steps[] = {
        {HELLO5, "20 08 00 00 05 27 00000010", 0},
        {"SUBSCRIBE id=1 count=1 filter=12345678:00", "90 04 0001 00 00", 0},
        {"UNSUBSCRIBE id=2 count=1 filter=123456789", "B0 04 0002 00 00", 0},
        {BYE, NULL, 0},
        {0}};
    struct site x;
    site_open(&x, steps);
    x.cfg.subscriptions_max = 100000;
    REQUIRE(mqtt_client_new(&x.client, x.script.worker, &x.cfg) == ERR_OK);
    CHECK_EQ_UINT(x.client->cfg.subscriptions_max, 32767); /* each may need an id */
    struct mqtt_done done = {on_answer, &x};
    CHECK_EQ_INT(subscribe(&x, "12345678", 0), ERR_OK);
    CHECK_EQ_INT(subscribe(&x, "1234567890", 0), ERR_OK);
    CHECK_EQ_INT(mqtt_client_unsubscribe(x.client, STR("123456789"), done), ERR_OK);
    CHECK_EQ_INT(mqtt_client_unsubscribe(x.client, STR("1234567890+"), done), ERR_INVALID);
    CHECK_EQ_INT(mqtt_client_unsubscribe(x.client, STR("1234567890/"), done), ERR_OK);
    x.answered = stop_after_four;
    script_run(&x.script);
    CHECK_EQ_STR(x.log.p, " online:0 denied:95 denied:95 ok:00 ok:00 ended");
    strbuf_fini(&x.log);
}

/* --- aliases ------------------------------------------------------------------------------- */

static void publish_aliased(struct site *x)
{
    if (x->onlines > 1)
        return;
    CHECK_EQ_INT(publish(x, "a", 0), ERR_OK);
    CHECK_EQ_INT(publish(x, "b", 0), ERR_OK);
    CHECK_EQ_INT(publish(x, "a", 0), ERR_OK);
    CHECK_EQ_INT(publish(x, "c", 1), ERR_OK); /* takes the place of a */
    CHECK_EQ_INT(publish(x, "c", 1), ERR_OK);
    CHECK_EQ_INT(publish(x, "a", 0), ERR_OK);
}

#define PUB_ALIAS(q, d, i, t, a)                                                                   \
    "PUBLISH qos=" q " dup=" d " retain=0 id=" i " topic=" t " payload=x { alias=" a " }"

TEST(client_shortens_topics)
{
    static const struct script_step steps[] = {
        {SESSION5, "20 06 00 00 03 220002", 0}, /* two of the four that we could use */
        {PUB_ALIAS("0", "0", "0", "a", "1"), NULL, 0},
        {PUB_ALIAS("0", "0", "0", "b", "2"), NULL, 0},
        {PUB_ALIAS("0", "0", "0", "''", "1"), NULL, 0},
        {PUB_ALIAS("1", "0", "1", "c", "1"), NULL, 0},
        {PUB_ALIAS("1", "0", "2", "''", "1"), NULL, 0},
        {PUB_ALIAS("0", "0", "0", "a", "2"), NULL, SCRIPT_CLOSE},
        {AGAIN5, "20 06 01 00 03 220001", 0}, /* aliases are the connection's */
        {PUB_ALIAS("1", "1", "1", "c", "1"), NULL, 0},
        {PUB_ALIAS("1", "1", "2", "''", "1"), "40 02 0001 40 02 0002", 0},
        {BYE, NULL, 0},
        {0}};
    struct site x;
    site_open(&x, steps);
    x.cfg.session_expiry_s = 9;
    x.cfg.topic_aliases = 4;
    x.online = publish_aliased;
    x.answered = stop_when_answered;
    site_run(&x, " online:0 lost:closed:00:1 online:1 ok:00 ok:00 ended");
}

static const struct mqtt_props two_aliases = {.has = MQTT_HAS(MQTT_PROP_TOPIC_ALIAS_MAX),
                                              .topic_alias_max = 2};

TEST(client_shows_whole_topics)
{
    static const struct script_step steps[] = {
        {HELLO5_WITH(" alias-max=2"), ACCEPT5, 0},
        {NULL, "30 08 0001 61 03 230001 31  30 08 0001 62 03 230002 32", 0},
        {NULL, "30 07 0000 03 230001 33  30 08 0001 63 03 230001 34  30 07 0000 03 230001 35", 0},
        {NULL, "30 07 0000 03 230002 36  FF", 0},
        {"DISCONNECT reason=81", NULL, 0},
        {0}};
    struct site x;
    site_open(&x, steps);
    x.cfg.props = &two_aliases;
    x.lost = give_up;
    site_run(&x, " online:0 a=1 b=2 a=3 c=4 c=5 b=6 lost:protocol error:81:1 ended");
}

TEST(client_refuses_wrong_aliases)
{
    static const struct {
        const char *label, *publish, *bye, *log;
    } rows[] = {
        {"above the maximum", "30 08 0001 61 03 230003 31", "DISCONNECT reason=94",
         " online:0 lost:protocol error:94:1 ended"},
        {"not made", "30 07 0000 03 230002 31", "DISCONNECT reason=82",
         " online:0 lost:protocol error:82:1 ended"},
        {"neither topic nor alias", "30 04 0000 00 31", "DISCONNECT reason=82",
         " online:0 lost:protocol error:82:1 ended"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        const struct script_step steps[] = {{HELLO5_WITH(" alias-max=2"), ACCEPT5, 0},
                                            {NULL, rows[i].publish, 0},
                                            {rows[i].bye, NULL, 0},
                                            {0}};
        struct site x;
        site_open(&x, steps);
        x.cfg.props = &two_aliases;
        x.lost = give_up;
        site_run(&x, rows[i].log);
    }
}

/* --- acknowledging by hand, and our receive maximum ---------------------------------------- */

static struct mqtt_receipt held[8];
static unsigned held_n;

static void hold(void *ctx, const struct mqtt_publish *m)
{
    struct site *x = ctx;
    on_message(ctx, m);
    held[held_n++] = mqtt_client_receipt(x->client, m);
    if (held_n == 2) {
        mqtt_client_ack(x->client, held[0], MQTT_RC_SUCCESS);
        mqtt_client_ack(x->client, held[1], MQTT_RC_QUOTA_EXCEEDED);
        mqtt_client_ack(x->client, held[0], MQTT_RC_SUCCESS); /* a second time: nothing */
    }
    if (held_n > 3) {
        mqtt_client_ack(x->client, held[2], MQTT_RC_SUCCESS); /* of the connection before */
        mqtt_client_ack(x->client, held[held_n - 1], MQTT_RC_SUCCESS);
    }
}

static bool give_up_second(struct site *x, const struct mqtt_client_loss *loss)
{
    (void)loss;
    return x->losses < 2;
}

TEST(client_acknowledges_by_hand)
{
    static const struct script_step steps[] = {
        {SESSION5_WITH(" receive-max=2"), ACCEPT5, 0},
        {NULL, "32 07 0001 61 0007 00 31  34 07 0001 61 0008 00 32", 0},
        {"PUBACK id=7 reason=00", NULL, 0},
        {"PUBREC id=8 reason=97", "32 07 0001 61 0009 00 33", SCRIPT_CLOSE},
        {AGAIN5_WITH(" receive-max=2"), PRESENT5, 0},
        {NULL, "32 07 0001 61 000A 00 34", 0},
        {"PUBACK id=10 reason=00", "32 07 0001 61 000B 00 35", 0},
        {"PUBACK id=11 reason=00", "32 07 0001 61 000C 00 36", 0},
        {"PUBACK id=12 reason=00", "FF", 0},
        {"DISCONNECT reason=81", NULL, 0},
        {0}};
    struct site x;
    site_open(&x, steps);
    held_n = 0;
    x.cfg.session_expiry_s = 9;
    x.cfg.acks_by_hand = true;
    x.cfg.receive_max = 2;
    x.cfg.message = hold;
    x.lost = give_up_second;
    site_run(&x, " online:0 a=1 a=2 a=3 lost:closed:00:1 online:1 a=4 a=5 a=6 lost:protocol "
                 "error:81:1 ended");
}

static void refuse(void *ctx, const struct mqtt_publish *m)
{
    struct site *x = ctx;
    on_message(ctx, m);
    if (held_n++ < 2)
        mqtt_client_refuse(x->client, mqtt_client_receipt(x->client, m));
    else
        mqtt_client_ack(x->client, mqtt_client_receipt(x->client, m), MQTT_RC_SUCCESS);
}

/* As if it had not come: the next connection is shown it again, at QoS 2 too. */
TEST(client_refuses_a_message_that_cannot_be_kept)
{
    static const struct script_step steps[] = {
        {SESSION5_WITH(""), ACCEPT5, 0},
        {NULL, "30 05 0001 61 00 30  34 07 0001 61 0007 00 31", 0},
        {NULL, NULL, SCRIPT_CLOSE},
        {AGAIN5_WITH(""), PRESENT5, 0},
        {NULL, "3C 07 0001 61 0007 00 31", 0},
        {"PUBREC id=7 reason=00", "FF", 0},
        {"DISCONNECT reason=81", NULL, 0},
        {0}};
    struct site x;
    site_open(&x, steps);
    held_n = 0;
    x.cfg.session_expiry_s = 9;
    x.cfg.acks_by_hand = true;
    x.cfg.message = refuse;
    x.lost = give_up_second;
    site_run(&x, " online:0 a=0 a=1 lost:full:00:1 online:1 a=1 lost:protocol error:81:1 ended");
}

TEST(client_holds_the_server_to_the_receive_maximum)
{
    static const struct script_step steps[] = {
        {HELLO5_WITH(" receive-max=2"), ACCEPT5, 0},
        {NULL, "34 07 0001 61 0007 00 31  32 07 0001 61 0008 00 32", 0},
        {NULL, "34 07 0001 61 0009 00 33  34 07 0001 61 000A 00 34", 0},
        {"PUBREC id=7 reason=00", NULL, 0},
        {"PUBACK id=8 reason=00", NULL, 0},
        {"PUBREC id=9 reason=00", NULL, 0},
        {"DISCONNECT reason=93", NULL, 0},
        {0}};
    struct site x;
    site_open(&x, steps);
    x.cfg.receive_max = 2;
    x.lost = give_up;
    site_run(&x, " online:0 a=1 a=2 a=3 lost:protocol error:93:1 ended");
}

/* --- enhanced authentication --------------------------------------------------------------- */

/* Answers what it hears with a letter more; does not believe "no". */
static enum err add_letter(void *ctx, enum mqtt_auth_step step, struct bytes in, struct strbuf *out)
{
    struct site *x = ctx;
    strbuf_addf(&x->log, " auth:%d:%.*s", step, (int)in.n, (const char *)in.p);
    if (in.n == 2 && memcmp(in.p, "no", 2) == 0)
        return ERR_DENIED;
    strbuf_add(out, in.p, in.n);
    strbuf_addc(out, 'x');
    return ERR_OK;
}

static void site_open_auth(struct site *x, const struct script_step *steps)
{
    site_open(x, steps);
    x->cfg.auth_method = STR("m");
    x->cfg.auth = add_letter;
}

static const char hello_auth[] =
    "CONNECT v5 keep-alive=0 clean=1 id=c { session-expiry=0 max-size=1048576 auth-method=m "
    "auth-data=x }";

static void reauthenticate(struct site *x)
{
    struct mqtt_done done = {on_answer, x};
    CHECK_EQ_INT(mqtt_client_reauth(x->client, done), ERR_OK);
    CHECK_EQ_INT(mqtt_client_reauth(x->client, done), ERR_FULL);
}

TEST(client_authenticates_step_by_step)
{
    static const struct script_step steps[] = {
        {hello_auth, "F0 0A 18 08 15 0001 6D 16 0001 31", 0},
        {"AUTH reason=18 { auth-method=m auth-data=1x }", "20 0B 00 00 08 15 0001 6D 16 0001 32",
         0},
        {"AUTH reason=19 { auth-method=m auth-data=x }", "F0 0A 18 08 15 0001 6D 16 0001 33", 0},
        {"AUTH reason=18 { auth-method=m auth-data=3x }", "F0 06 00 04 15 0001 6D", 0},
        {BYE, NULL, 0},
        {0}};
    struct site x;
    site_open_auth(&x, steps);
    x.online = reauthenticate;
    x.answered = stop;
    site_run(&x, " auth:0: auth:1:1 auth:2:2 online:0 auth:0: auth:1:3 auth:2: ok:00 ended");
}

TEST(client_ends_a_wrong_authentication)
{
    static const struct {
        const char *label, *reply, *log;
    } rows[] = {
        {"another method", "F0 06 18 04 15 0001 6E", " auth:0: lost:protocol error:82:0 ended"},
        {"done too early", "F0 06 00 04 15 0001 6D", " auth:0: lost:protocol error:82:0 ended"},
        {"CONNACK without the method", ACCEPT5, " auth:0: lost:protocol error:82:0 ended"},
        {"we do not believe the server", "20 0C 00 00 09 15 0001 6D 16 0002 6E6F",
         " auth:0: auth:2:no lost:denied:00:0 ended"},
        {"we do not go on", "F0 0B 18 09 15 0001 6D 16 0002 6E6F",
         " auth:0: auth:1:no lost:denied:00:0 ended"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        const struct script_step steps[] = {{hello_auth, rows[i].reply, 0}, {0}};
        struct site x;
        site_open_auth(&x, steps);
        x.lost = give_up;
        site_run(&x, rows[i].log);
    }
}
