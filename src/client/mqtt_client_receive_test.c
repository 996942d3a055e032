#include "client/mqtt_client_fixture.h"

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
    CHECK_EQ_INT(mqtt_client_unsubscribe(x->client, STR("c"), (struct mqtt_done){0}), ERR_FULL);
    CHECK_EQ_INT(mqtt_client_unsubscribe(x->client, STR(""), (struct mqtt_done){0}), ERR_INVALID);
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

static void stop_at_message(void *ctx, const struct mqtt_publish *m)
{
    on_message(ctx, m);
    stop(ctx);
}

/* The message that is shown is acknowledged, and then it is the end: the next is not shown. */
TEST(client_acknowledges_before_it_leaves)
{
    static const struct script_step steps[] = {
        {HELLO5, ACCEPT5, 0},
        {NULL, "32 07 0001 61 0007 00 31  32 07 0001 61 0008 00 32", 0},
        {"PUBACK id=7 reason=00", NULL, 0},
        {BYE, NULL, 0},
        {0}};
    struct site x;
    site_open(&x, steps);
    x.cfg.message = stop_at_message;
    site_run(&x, " online:0 a=1 ended");
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
