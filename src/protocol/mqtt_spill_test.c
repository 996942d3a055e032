/* Long queues: only both ends are in memory, and nothing is lost or out of order. */
#include "protocol/mqtt_rig_test.h"

enum { MEMORY = 20, COUNT = 600 };
static const struct mqtt_limits small = {.queue_memory_max = MEMORY, .inflight_max = 8};

static void publish_numbers(struct client *pub, int from, int to)
{
    char payload[16];
    for (int i = from; i < to; i++) {
        (void)snprintf(payload, sizeof(payload), "%d", i);
        client_publish(pub, (uint16_t)(i + 1), "t", payload, false);
    }
    for (int i = from; i < to; i++)
        EXPECT_HAS(pub, "PUBACK");
}

static size_t in_memory(const struct broker *b)
{
    return mqtt_server_stats(b->server).queued_bytes / (sizeof(struct message) + 1);
}

/* Publishes numbers until the queue has left memory, all but its ends. Gives how many there are. */
static int publish_until_spilled(struct broker *b, struct client *pub)
{
    int n = COUNT;
    publish_numbers(pub, 0, n);
    for (; in_memory(b) > 8 * MEMORY; n++) {
        REQUIRE(CHECK(n < 60000));
        publish_numbers(pub, n, n + 1);
    }
    return n;
}

static void expect_numbers(struct client *sub, int from, int to)
{
    for (int i = from; i < to; i++) {
        LABEL("message %d", i);
        REQUIRE(CHECK_EQ_UINT(number_in(client_next(sub)), (size_t)i));
        client_puback(sub, sub->last_id);
    }
}

static void leave_a_subscriber(struct broker *b, const char *id)
{
    struct client sub;
    client_join(&sub, b, id, (struct hello_opt){.expiry_s = 1000}, false);
    client_subscribe(&sub, 1, "t", 1, 0);
    EXPECT(&sub, "SUBACK id=1 codes 01");
    client_bye(&sub);
}

TEST(mqtt_spill_and_back)
{
    struct broker b = {.limits = small};
    struct client pub, sub;
    broker_start(&b, NULL);
    leave_a_subscriber(&b, "sub");
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    int n = publish_until_spilled(&b, &pub);
    CHECK_EQ_UINT(mqtt_server_stats(b.server).queued, (size_t)n);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000}, true);
    expect_numbers(&sub, 0, n / 2);
    publish_numbers(&pub, n, n + 50); /* while some are on their way back */
    expect_numbers(&sub, n / 2, n + 50);
    EXPECT_NOTHING(&sub);
    CHECK_EQ_UINT(mqtt_server_stats(b.server).queued, 0);
    CHECK_EQ_UINT(mqtt_server_stats(b.server).queued_bytes, 0);
    client_close(&sub);
    client_close(&pub);
    broker_stop(&b);
}

/* A start reads the beginning of a long queue and counts the rest. */
TEST(mqtt_spill_over_a_restart)
{
    struct broker b = {.limits = small}, killed = {.limits = small};
    struct client pub, sub;
    char image[240];
    broker_start(&b, NULL);
    leave_a_subscriber(&b, "sub");
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    int n = publish_until_spilled(&b, &pub);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000}, true);
    expect_numbers(&sub, 0, 3 * MEMORY);
    client_close(&sub);
    client_close(&pub);
    broker_image(&b, image);
    broker_stop(&b);
    for (int restart = 0; restart < 2; restart++) {
        LABEL("restart %d", restart);
        broker_start(&b, NULL);
        CHECK(in_memory(&b) <= 3 * MEMORY);
        size_t queued = mqtt_server_stats(b.server).queued; /* the rest is in the window */
        CHECK(queued <= (size_t)(n - 3 * MEMORY) && queued >= (size_t)(n - 3 * MEMORY - 2 * 8));
        broker_stop(&b);
    }
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000}, true);
    expect_numbers(&sub, 3 * MEMORY, n);
    EXPECT_NOTHING(&sub);
    client_close(&sub);
    broker_stop(&b);
    broker_start(&killed, image);
    client_join(&sub, &killed, "sub", (struct hello_opt){.expiry_s = 1000}, true);
    for (int seen = -1; seen < n - 1;) { /* some may come once more, none is missing */
        int i = (int)number_in(client_next(&sub));
        REQUIRE(CHECK(i <= seen + 1 || (seen < 0 && i <= 3 * MEMORY)));
        seen = i > seen ? i : seen;
        client_puback(&sub, sub.last_id);
    }
    EXPECT_NOTHING(&sub);
    client_close(&sub);
    broker_stop(&killed);
}

/* A session that ends takes its rows with it, those that were never in memory again too. */
TEST(mqtt_spill_ends_with_its_session)
{
    struct broker b = {.limits = small};
    struct client pub, sub;
    broker_start(&b, NULL);
    leave_a_subscriber(&b, "sub");
    leave_a_subscriber(&b, "other");
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    int n = publish_until_spilled(&b, &pub);
    client_join(&sub, &b, "sub", (struct hello_opt){.clean = true}, false);
    client_close(&sub);
    CHECK_EQ_UINT(mqtt_server_stats(b.server).queued, (size_t)n);
    client_close(&pub);
    broker_stop(&b);
    broker_start(&b, NULL);
    CHECK_EQ_UINT(mqtt_server_stats(b.server).queued, (size_t)n);
    client_join(&sub, &b, "other", (struct hello_opt){.expiry_s = 1000}, true);
    expect_numbers(&sub, 0, n);
    EXPECT_NOTHING(&sub);
    client_close(&sub);
    broker_stop(&b);
}

/* The memory that all queues share is not used up by the first who are away for long: the more they
 * are, the less of each stays in memory. */
TEST(mqtt_spill_of_many)
{
    enum { SESSIONS = 40, SIZE = 1000, TOTAL = 1 << 20, EACH = 60 };
    struct broker b = {.limits = {.queue_total_bytes_max = TOTAL, .sessions_max = 100}};
    struct client pub, sub;
    char payload[SIZE + 1], name[20];
    memset(payload, ' ', SIZE);
    payload[SIZE] = '\0';
    broker_start(&b, NULL);
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    for (int i = 0; i < SESSIONS; i++) {
        (void)snprintf(name, sizeof(name), "s%d", i);
        client_join(&sub, &b, name, (struct hello_opt){.expiry_s = 1000}, false);
        client_subscribe(&sub, 1, name, 1, 0);
        EXPECT(&sub, "SUBACK id=1 codes 01");
        client_bye(&sub);
        for (int n = 0; n < EACH; n++) {
            payload[snprintf(payload, SIZE, "%d", n)] = ' ';
            client_publish(&pub, 1, name, payload, false);
            EXPECT(&pub, "PUBACK id=1 reason=00");
        }
        for (int n = 0; mqtt_server_stats(b.server).queued_bytes > TOTAL / 2; n++) {
            REQUIRE(CHECK(n < 60000)); /* the disk is slow at times */
            client_publish(&pub, 1, "nobody", "x", true);
            EXPECT(&pub, "PUBACK id=1 reason=10");
        }
    }
    CHECK_EQ_UINT(mqtt_server_stats(b.server).queued, SESSIONS * EACH);
    CHECK_EQ_UINT(mqtt_server_stats(b.server).dropped[MQTT_DROP_QUEUE_FULL], 0);
    client_join(&sub, &b, "s0", (struct hello_opt){.expiry_s = 1000}, true);
    expect_numbers(&sub, 0, EACH);
    client_close(&sub);
    client_close(&pub);
    broker_stop(&b);
}

/* It came by a share: another member gets it, wherever that one lives, and the session stays only
 * until all has been read. */
TEST(mqtt_spill_goes_to_another_member)
{
    struct broker b = {.limits = small};
    struct client pub, sub, heir;
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.expiry_s = 1000}, false);
    client_subscribe(&sub, 1, "$share/g/t", 1, 0);
    EXPECT(&sub, "SUBACK id=1 codes 01");
    client_bye(&sub);
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    int n = publish_until_spilled(&b, &pub);
    client_join(&heir, &b, "heir", (struct hello_opt){.expiry_s = 1000}, false);
    client_subscribe(&heir, 1, "$share/g/t", 1, 0);
    EXPECT(&heir, "SUBACK id=1 codes 01");
    client_join(&sub, &b, "sub", (struct hello_opt){.clean = true}, false);
    expect_numbers(&heir, 0, n);
    EXPECT_NOTHING(&heir);
    CHECK_EQ_UINT(mqtt_server_stats(b.server).queued, 0);
    client_close(&heir);
    client_close(&sub);
    client_close(&pub);
    broker_stop(&b);
    broker_start(&b, NULL);
    CHECK_EQ_UINT(mqtt_server_stats(b.server).sessions, 1); /* of the heir */
    broker_stop(&b);
}
