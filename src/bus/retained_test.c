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

/* What was acknowledged comes back, from the database and from the journal, although there are more
 * than the limits allow by now; then they hold again. */
TEST(retained_above_the_limits_survives_a_restart)
{
    struct bus_rig r;
    struct bus_receipt receipt;
    const struct bus_config few = {.retained_max = 2, .retained_bytes_max = 100};
    bus_rig_open(&r, NULL);
    (void)rig_publish(r.bus, "a", "1", 0, true);
    (void)rig_publish(r.bus, "b", "1", 0, true);
    bus_checkpoint(r.bus);
    (void)rig_publish(r.bus, "c", "1", 0, true);
    for (int restart = 0; restart < 2; restart++) {
        LABEL("restart %d", restart);
        bus_rig_close(&r);
        bus_rig_open(&r, &few);
        CHECK_EQ_UINT(bus_stats(r.bus).retained, 3);
        CHECK_EQ_INT(rig_publish_as(r.bus, NULL, "d", "1", 0, true, &receipt), ERR_RANGE);
    }
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

/* ---- the store by itself ---- */

struct store_rig {
    struct executor *ex;
    struct retained_store store;
    struct alloc_faulty faulty;
};

static void store_open(struct store_rig *r, size_t count_max)
{
    struct error e;
    const struct executor_config ec = {.workers = 1, .driver = "epoll", .offload_threads = 1};
    REQUIRE(executor_new(&r->ex, &ec, &e) == ERR_OK);
    alloc_faulty_init(&r->faulty, UINT64_MAX);
    REQUIRE(retained_init(&r->store, r->ex, &r->faulty.alloc, test_seed(), count_max, SIZE_MAX) ==
            ERR_OK);
}

static void store_close(struct store_rig *r)
{
    retained_fini(&r->store);
    CHECK_EQ_UINT(r->faulty.live_bytes, 0);
    executor_free(r->ex);
}

static enum err store_put(struct store_rig *r, const char *topic, const char *payload,
                          uint32_t expiry_s)
{
    char why[160];
    struct message *m = message_new(alloc_system(), str_from(topic), (struct bytes){NULL, 0},
                                    (struct bytes){(const uint8_t *)payload, strlen(payload)});
    REQUIRE(m != NULL);
    m->expiry_s = expiry_s;
    uint64_t hash = hash_bytes(topic, strlen(topic), 1);
    enum err err = retained_begin(&r->store, hash, str_from(topic), strlen(payload), why);
    if (!err)
        retained_end(&r->store, hash, m);
    message_unref(m);
    return err;
}

static size_t store_count(struct store_rig *r)
{
    size_t n = 0;
    retained_each(&r->store, count, &n);
    CHECK_EQ_UINT(n, r->store.count);
    return n;
}

static bool note_topic(void *ctx, const struct trie_node *n, struct message *m)
{
    struct strbuf *b = ctx;
    char path[100] = "";
    trie_path(n, path);
    strbuf_addf(b, "%s%s ", path, m ? "" : "-");
    return true;
}

/* More than are looked at in one go; those that do not expire stay. */
TEST(retained_expire_in_turn)
{
    struct store_rig r = {0};
    char topic[40];
    size_t goes = 0;
    store_open(&r, 100000);
    for (int i = 0; i < 40000; i++) {
        (void)snprintf(topic, sizeof(topic), "%s/%d", i % 2 ? "brief" : "$lasting", i);
        CHECK_EQ_INT(store_put(&r, topic, "x", i % 2 ? 1 : UINT32_MAX), ERR_OK);
    }
    CHECK_EQ_UINT(store_count(&r), 40000);
    retained_lock_all(&r.store);
    retained_expire(&r.store, 999); /* messages are from the year 1970 */
    CHECK_EQ_UINT(r.store.count, 40000);
    while (r.store.expiring && goes++ < 10)
        retained_expire(&r.store, 1000);
    retained_unlock_all(&r.store);
    CHECK(goes > 1);
    CHECK_EQ_UINT(store_count(&r), 20000);
    CHECK(!retained_get(&r.store, STR("brief/1")));
    CHECK(retained_get(&r.store, STR("$lasting/0")) != NULL);
    store_close(&r);
}

TEST(retained_remembers_what_the_database_does_not_know)
{
    struct store_rig r = {0};
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    store_open(&r, 10);
    CHECK_EQ_INT(store_put(&r, "old/a", "x", UINT32_MAX), ERR_OK); /* came from there */
    r.store.track = true;
    CHECK_EQ_INT(store_put(&r, "b", "1", UINT32_MAX), ERR_OK);
    CHECK_EQ_INT(store_put(&r, "b", "2", UINT32_MAX), ERR_OK);
    CHECK_EQ_INT(store_put(&r, "old/a", "", UINT32_MAX), ERR_OK);
    CHECK_EQ_INT(store_put(&r, "never", "", UINT32_MAX), ERR_OK);
    CHECK_EQ_INT(store_put(&r, "brief", "x", 0), ERR_OK);
    retained_lock_all(&r.store);
    retained_expire(&r.store, 1);
    CHECK(retained_dirty_each(&r.store, note_topic, &b));
    CHECK_EQ_STR(b.p, "b old/a- brief- ");
    retained_clean(&r.store);
    strbuf_reset(&b);
    CHECK(retained_dirty_each(&r.store, note_topic, &b));
    CHECK_EQ_STR(b.p, "");
    retained_unlock_all(&r.store);
    grace_idle(r.ex);
    CHECK_EQ_UINT(r.store.trie.nodes, 2); /* the root, and b */
    strbuf_fini(&b);
    store_close(&r);
}

/* A filter that matches little stops now and then, and gets all in the end. */
TEST(retained_cursor_looks_at_so_many_at_a_time)
{
    struct store_rig r = {0};
    struct retained_cursor c;
    char topic[40];
    bool more = true;
    int pauses = 0, got = 0;
    store_open(&r, 100000);
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(topic, sizeof(topic), "t%d/%s", i, i == 777 ? "y" : "x");
        CHECK_EQ_INT(store_put(&r, topic, "x", UINT32_MAX), ERR_OK);
    }
    REQUIRE(retained_cursor_init(&r.store, &c, STR("+/y")));
    while (more) {
        struct message *m = retained_cursor_next(&r.store, &c, &more);
        got += m != NULL;
        pauses += !m && more;
        message_unref(m);
    }
    CHECK_EQ_INT(got, 1);
    CHECK(pauses > 2);
    retained_cursor_fini(&r.store, &c);
    /* One that is given up holds no message. */
    REQUIRE(retained_cursor_init(&r.store, &c, STR("#")));
    message_unref(retained_cursor_next(&r.store, &c, &more));
    retained_cursor_fini(&r.store, &c);
    store_close(&r);
}

/* Each allocation fails in turn: a change happens or not, and one that has begun can't fail. */
TEST(retained_without_memory)
{
    bool done = false;
    for (uint64_t i = 0; !done && i < 100; i++) {
        struct store_rig r = {0};
        LABEL("allocation %d fails", (int)i);
        store_open(&r, 10);
        r.store.track = true;
        CHECK_EQ_INT(store_put(&r, "a/b", "old", UINT32_MAX), ERR_OK);
        r.faulty.fail_at = r.faulty.count + i;
        enum err replaced = store_put(&r, "a/b", "new", UINT32_MAX);
        enum err added = store_put(&r, "a/c/d", "x", UINT32_MAX);
        enum err deleted = store_put(&r, "a/b", "", UINT32_MAX);
        done = !r.faulty.failed;
        r.faulty.fail_at = UINT64_MAX;
        const struct message *m = retained_get(&r.store, STR("a/b"));
        if (CHECK_EQ_INT(m == NULL, deleted == ERR_OK) && m)
            CHECK_EQ_MEM(message_payload(m).p, replaced ? "old" : "new", 3);
        CHECK_EQ_INT(retained_get(&r.store, STR("a/c/d")) != NULL, added == ERR_OK);
        CHECK_EQ_UINT(store_count(&r), (size_t)(deleted != ERR_OK) + (added == ERR_OK));
        grace_idle(r.ex);
        store_close(&r);
    }
    CHECK(done);
}
