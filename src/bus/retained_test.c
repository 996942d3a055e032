#include "bus/bus_rig_test.h"

static void send_to(struct listener_rig *l, const char *filter)
{
    const struct subscription sub = {.filter = str_from(filter), .subscriber = &l->subscriber};
    REQUIRE(CHECK_EQ_INT(bus_subscribe(l->bus, &sub, NULL), ERR_OK));
    bus_send_retained(l->bus, &sub);
    CHECK(bus_unsubscribe(l->bus, &l->subscriber, (struct str){NULL, 0}, sub.filter));
}

TEST(retained_replaced_and_deleted)
{
    struct bus_rig r = {0};
    struct listener_rig l;
    bus_rig_light(&r);
    listener_rig_init(&l, r.bus);
    (void)rig_publish(r.bus, "a/b", "1", 0, true);
    (void)rig_publish(r.bus, "a/b", "2", 1, true);
    (void)rig_publish(r.bus, "a/c", "not kept", 1, false);
    send_to(&l, "a/#");
    CHECK_GOT(&l, "a/b=2/0r ");
    CHECK_EQ_UINT(bus_stats(r.bus).retained, 1);
    (void)rig_publish(r.bus, "a/b", "", 0, true);
    (void)rig_publish(r.bus, "never/there", "", 0, true);
    send_to(&l, "#");
    CHECK_GOT(&l, "");
    CHECK_EQ_UINT(bus_stats(r.bus).retained, 0);
    CHECK_EQ_UINT(bus_stats(r.bus).retained_bytes, 0);
    listener_rig_fini(&l);
    bus_rig_light_close(&r);
}

TEST(retained_limits_refuse_and_change_nothing)
{
    struct error e;
    struct executor *ex;
    struct bus_receipt receipt;
    char payload[1001] = "";
    const struct executor_config ec = {.workers = 1, .driver = "epoll", .offload_threads = 1};
    REQUIRE(executor_new(&ex, &ec, &e) == ERR_OK);
    const struct bus_config cfg = {.ex = ex, .retained_max = 2, .retained_bytes_max = 1200};
    struct bus *b;
    REQUIRE(bus_new(&b, &cfg, &e) == ERR_OK);
    (void)rig_publish(b, "a", "1", 0, true);
    (void)rig_publish(b, "b", "1", 0, true);
    CHECK_EQ_INT(rig_publish_as(b, NULL, "c", "1", 0, true, &receipt), ERR_RANGE);
    CHECK_EQ_STR(receipt.why, "more than 2 retained messages");
    (void)rig_publish(b, "b", "2", 0, true); /* replacing is no more */
    memset(payload, 'x', 1000);
    (void)rig_publish(b, "a", payload, 0, true);
    CHECK_EQ_INT(rig_publish_as(b, NULL, "b", payload, 0, true, &receipt), ERR_RANGE);
    CHECK_HAS_STR(receipt.why, "1200 bytes");
    (void)rig_publish(b, "a", "", 0, true);
    (void)rig_publish(b, "b", payload, 0, true);
    CHECK_EQ_UINT(bus_stats(b).retained, 1);
    bus_free(b);
    executor_free(ex);
}

static void count(void *ctx, struct message *m)
{
    (void)m;
    ++*(size_t *)ctx;
}

/* A thousand topics change at random; every now and then everything stops and starts again. */
TEST(retained_survives_restarts)
{
    struct bus_rig r = {0};
    struct random random;
    int model[50] = {0}; /* 0: deleted */
    char topic[40], payload[20];
    random_seed(&random, test_seed());
    bus_rig_open(&r, NULL);
    for (int step = 1; step <= 3000; step++) {
        size_t i = random_below(&random, ARRAY_LEN(model));
        model[i] = random_below(&random, 3) ? step : 0;
        (void)snprintf(topic, sizeof(topic), "%s%zu/x", i % 5 ? "t" : "$t", i);
        (void)snprintf(payload, sizeof(payload), "%d", model[i]);
        struct bus_receipt receipt = rig_publish(r.bus, topic, model[i] ? payload : "", 0, true);
        CHECK(receipt.seq > 0);
        uint64_t chance = random_below(&random, 300);
        if (chance == 0) {
            bus_rig_close(&r); /* stores first */
            bus_rig_open(&r, NULL);
        } else if (chance < 3) {
            bus_checkpoint(r.bus);
        } else if (chance < 5) { /* as after a crash: nothing is stored, all is in the journal */
            r.bus->retained_db.checkpoint.db = NULL;
            journal_consumer_remove(r.journal, &r.bus->retained_db.checkpoint.consumer);
            timer_cancel(&r.bus->retained_db.checkpoint.timer);
            r.bus->retained_db.checkpoint.journal = NULL;
            bus_rig_close(&r);
            bus_rig_open(&r, NULL);
        }
    }
    bus_rig_close(&r);
    bus_rig_open(&r, NULL);
    size_t want = 0, got = 0;
    for (size_t i = 0; i < ARRAY_LEN(model); i++) {
        (void)snprintf(topic, sizeof(topic), "%s%zu/x", i % 5 ? "t" : "$t", i);
        (void)snprintf(payload, sizeof(payload), "%d", model[i]);
        LABEL("%s", topic);
        const struct message *m = retained_get(&r.bus->retained, str_from(topic));
        CHECK_EQ_INT(m != NULL, model[i] != 0);
        if (m && model[i])
            CHECK_EQ_MEM(message_payload(m).p, payload, strlen(payload));
        want += model[i] != 0;
    }
    bus_retained_each(r.bus, count, &got);
    CHECK_EQ_UINT(got, want);
    bus_rig_close(&r);
}

TEST(retained_journal_only_what_must_last)
{
    struct bus_rig r = {0};
    struct listener_rig l;
    bus_rig_open(&r, NULL);
    listener_rig_init(&l, r.bus);
    rig_subscribe(&l, "#", 1, 0);
    CHECK_EQ_UINT(rig_publish(r.bus, "t", "1", 1, false).seq, 0);
    CHECK_EQ_UINT(rig_publish(r.bus, "t", "2", 1, true).seq, 1);
    l.stored = true;
    rig_subscribe(&l, "#", 1, 0);
    CHECK_EQ_UINT(rig_publish(r.bus, "t", "3", 0, false).seq, 0);
    CHECK_EQ_UINT(rig_publish(r.bus, "t", "4", 1, false).seq, 2);
    listener_rig_fini(&l);
    CHECK_EQ_UINT(rig_publish(r.bus, "t", "5", 1, false).seq, 0);
    bus_rig_close(&r);
}
