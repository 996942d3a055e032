#include "bus/bus_rig_test.h"

TEST(bus_filters_and_topics)
{
    static const struct {
        const char *filter, *topic;
        bool match;
    } cases[] = {
        {"a", "a", true},           {"a", "b", false},          {"a/b", "a/b", true},
        {"a/b", "a", false},        {"a", "a/b", false},        {"+", "a", true},
        {"+", "a/b", false},        {"+/+", "a/b", true},       {"+/+", "/b", true},
        {"/+", "/b", true},         {"+", "/b", false},         {"a/+", "a/", true},
        {"a/+", "a", false},        {"a/+/c", "a/b/c", true},   {"a/+/c", "a//c", true},
        {"a/#", "a", true},         {"a/#", "a/", true},        {"a/#", "a/b/c", true},
        {"a/#", "ab", false},       {"#", "a", true},           {"#", "/", true},
        {"#", "a/b/c", true},       {"#", "$SYS/x", false},     {"+/x", "$SYS/x", false},
        {"$SYS/#", "$SYS/x", true}, {"$SYS/+", "$SYS/x", true}, {"a/#", "a/$x", true},
        {"a/+", "a/$x", true},      {"a//b", "a//b", true},     {"a//b", "a/b", false},
        {"a/", "a/", true},         {"a/", "a", false},         {"+/a/#", "x/a", true},
        {"+/a/#", "x/a/y", true},   {"+/b/#", "x/a/y", false},
    };
    struct bus_rig r = {0};
    bus_rig_light(&r);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct listener_rig l;
        LABEL("%s against %s", cases[i].filter, cases[i].topic);
        listener_rig_init(&l, r.bus);
        rig_subscribe(&l, cases[i].filter, 0, 0);
        CHECK_EQ_UINT(rig_publish(r.bus, cases[i].topic, "x", 0, false).matched, cases[i].match);
        /* The same the other way round: a retained message and a new subscription. */
        strbuf_reset(&l.got);
        (void)rig_publish(r.bus, cases[i].topic, "x", 0, true);
        strbuf_reset(&l.got);
        const struct subscription sub = {.filter = str_from(cases[i].filter),
                                         .subscriber = &l.subscriber};
        CHECK_EQ_INT(bus_subscribe(r.bus, &sub, NULL), ERR_OK);
        bus_send_retained(r.bus, &sub);
        CHECK_EQ_INT(l.got.n > 0, cases[i].match);
        (void)rig_publish(r.bus, cases[i].topic, "", 0, true);
        listener_rig_fini(&l);
    }
    CHECK_EQ_UINT(bus_stats(r.bus).subscriptions, 0);
    CHECK_EQ_UINT(bus_stats(r.bus).retained, 0);
    grace_idle(r.ex);
    CHECK_EQ_UINT(r.bus->routes->trie.nodes, 1);
    CHECK_EQ_UINT(r.bus->retained.trie.nodes, 1);
    bus_rig_light_close(&r);
}

TEST(bus_one_delivery_for_overlapping_subscriptions)
{
    struct bus_rig r = {0};
    struct listener_rig l;
    bus_rig_light(&r);
    listener_rig_init(&l, r.bus);
    rig_subscribe(&l, "a/#", 0, 7);
    rig_subscribe(&l, "a/+", 1, 8);
    rig_subscribe(&l, "b", 1, 9);
    CHECK_EQ_UINT(rig_publish(r.bus, "a/b", "1", 1, false).matched, 1);
    CHECK(strcmp(l.got.p, "a/b=1/1[7][8] ") == 0 || strcmp(l.got.p, "a/b=1/1[8][7] ") == 0);
    listener_rig_fini(&l);
    bus_rig_light_close(&r);
}

TEST(bus_subscribing_again_replaces_options)
{
    struct bus_rig r = {0};
    struct listener_rig l;
    bus_rig_light(&r);
    listener_rig_init(&l, r.bus);
    CHECK(!rig_subscribe(&l, "a", 0, 1));
    (void)rig_publish(r.bus, "a", "1", 1, false);
    CHECK(rig_subscribe(&l, "a", 1, 2));
    (void)rig_publish(r.bus, "a", "2", 1, false);
    CHECK_GOT(&l, "a=1/0[1] a=2/1[2] ");
    CHECK(bus_unsubscribe(r.bus, &l.subscriber, NO_SHARE, STR("a")));
    CHECK(!bus_unsubscribe(r.bus, &l.subscriber, NO_SHARE, STR("a")));
    (void)rig_publish(r.bus, "a", "3", 1, false);
    CHECK_GOT(&l, "");
    listener_rig_fini(&l);
    bus_rig_light_close(&r);
}

TEST(bus_no_local)
{
    struct bus_rig r = {0};
    struct listener_rig a, b;
    struct bus_receipt receipt;
    bus_rig_light(&r);
    listener_rig_init(&a, r.bus);
    listener_rig_init(&b, r.bus);
    const struct subscription mine = {
        .filter = STR("t"), .subscriber = &a.subscriber, .no_local = true, .id = 1};
    CHECK_EQ_INT(bus_subscribe(r.bus, &mine, NULL), ERR_OK);
    rig_subscribe(&a, "+", 0, 2);
    rig_subscribe(&b, "t", 0, 3);
    const struct bus_publisher self = {.id = a.subscriber.publisher_id, .name = STR("a")};
    CHECK_EQ_INT(rig_publish_as(r.bus, &self, "t", "own", 0, false, &receipt), ERR_OK);
    CHECK_EQ_UINT(receipt.matched, 2);
    CHECK_GOT(&a, "t=own/0[2] ");
    CHECK_GOT(&b, "t=own/0[3] ");
    CHECK(bus_unsubscribe(r.bus, &a.subscriber, NO_SHARE, STR("+")));
    CHECK_EQ_INT(rig_publish_as(r.bus, &self, "t", "own", 0, false, &receipt), ERR_OK);
    CHECK_EQ_UINT(receipt.matched, 1);
    CHECK_GOT(&a, "");
    (void)rig_publish(r.bus, "t", "other", 0, false);
    CHECK_GOT(&a, "t=other/0[1] ");
    listener_rig_fini(&a);
    listener_rig_fini(&b);
    bus_rig_light_close(&r);
}

TEST(bus_route_cache_follows_subscriptions)
{
    struct bus_rig r = {0};
    struct listener_rig a, b;
    bus_rig_light(&r);
    listener_rig_init(&a, r.bus);
    listener_rig_init(&b, r.bus);
    rig_subscribe(&a, "x/+", 0, 0);
    for (int i = 0; i < 3; i++)
        (void)rig_publish(r.bus, "x/1", "m", 0, false);
    CHECK_GOT(&a, "x/1=m/0 x/1=m/0 x/1=m/0 ");
    CHECK_EQ_UINT(r.bus->lanes[0].view->hits, 1);
    CHECK_EQ_UINT(r.bus->lanes[0].view->misses, 2);
    rig_subscribe(&b, "x/1", 0, 0); /* the cached route is old now */
    (void)rig_publish(r.bus, "x/1", "n", 0, false);
    CHECK_GOT(&a, "x/1=n/0 ");
    CHECK_GOT(&b, "x/1=n/0 ");
    CHECK_EQ_UINT(r.bus->lanes[0].view->misses, 3);
    bus_unsubscribe_all(r.bus, &a.subscriber);
    (void)rig_publish(r.bus, "x/1", "o", 0, false);
    CHECK_GOT(&a, "");
    CHECK_GOT(&b, "x/1=o/0 ");
    listener_rig_fini(&a);
    listener_rig_fini(&b);
    bus_rig_light_close(&r);
}

/* Whoever asks is told when it is worth it, and an expectation changes nothing: what is cached, who
 * gets what, what comes of topics that are no topics. */
TEST(bus_expecting_is_a_hint)
{
    static const char *const said[] = {"x/1", "x/2", "x/2", "y", "$x/1", "x/+", "#", "/", ""};
    struct str topics[ARRAY_LEN(said)];
    struct bus_rig r = {0};
    struct listener_rig l;
    bus_rig_light(&r);
    listener_rig_init(&l, r.bus);
    rig_subscribe(&l, "x/+", 0, 0);
    for (size_t i = 0; i < ARRAY_LEN(said); i++)
        topics[i] = str_from(said[i]);
    bus_expect(r.bus, topics, ARRAY_LEN(said)); /* before there is a cache */
    CHECK(!bus_expects(r.bus));
    (void)rig_publish(r.bus, "x/1", "a", 0, false);
    (void)rig_publish(r.bus, "x/1", "b", 0, false);
    CHECK(bus_expects(r.bus)); /* it was kept only now */
    const struct route_view *v = r.bus->lanes[0].view;
    uint64_t hits = v->hits, misses = v->misses;
    size_t bytes = v->cache_bytes;
    bus_expect(r.bus, topics, ARRAY_LEN(said));
    CHECK(v->hits == hits && v->misses == misses && v->cache_bytes == bytes);
    CHECK_GOT(&l, "x/1=a/0 x/1=b/0 ");
    (void)rig_publish(r.bus, "x/1", "c", 0, false);
    CHECK_EQ_UINT(v->hits, hits + 1);
    CHECK(!bus_expects(r.bus));
    (void)rig_publish(r.bus, "x/2", "d", 0, false);
    CHECK(bus_expects(r.bus));
    CHECK_GOT(&l, "x/1=c/0 x/2=d/0 ");
    listener_rig_fini(&l);
    bus_rig_light_close(&r);
}

/* What changes makes only those routes old that it may be about. */
TEST(bus_route_cache_keeps_what_did_not_change)
{
    static const struct {
        const char *filter;
        uint8_t qos;
        bool same; /* the route of s/one/x is still good */
    } changes[] = {
        {"s/+/x", 0, true}, /* it is there, with these options */
        {"s/two/x", 0, true},  {"s/two/#", 0, true}, {"t/#", 0, true},      {"t", 0, true},
        {"s/one/#", 0, false}, {"s/one", 0, false},  {"s/+/y", 0, false},   {"s/#", 0, false},
        {"+", 0, false},       {"#", 0, false},      {"+/one/x", 0, false}, {"s/+/x", 1, true},
    };
    struct bus_rig r = {0};
    struct listener_rig l;
    struct error e;
    struct env env = *env_linux();
    env.seed = 5; /* with another one two of these may share a stripe */
    const struct executor_config ec = {
        .env = &env, .workers = 1, .driver = "epoll", .offload_threads = 1};
    REQUIRE(executor_new(&r.ex, &ec, &e) == ERR_OK);
    const struct bus_config cfg = {.ex = r.ex};
    REQUIRE(bus_new(&r.bus, &cfg, &e) == ERR_OK);
    listener_rig_init(&l, r.bus);
    const struct route_view *v = r.bus->lanes[0].view;
    rig_subscribe(&l, "s/+/x", 0, 0);
    (void)rig_publish(r.bus, "s/one/x", "", 0, false);
    (void)rig_publish(r.bus, "s/one/x", "", 0, false);
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        LABEL("%s", changes[i].filter);
        uint64_t misses = v->misses;
        rig_subscribe(&l, changes[i].filter, changes[i].qos, 0);
        (void)rig_publish(r.bus, "s/one/x", "", 0, false);
        CHECK_EQ_UINT(v->misses - misses, !changes[i].same);
        if (strcmp(changes[i].filter, "s/+/x") == 0)
            continue;
        misses = v->misses;
        CHECK(bus_unsubscribe(r.bus, &l.subscriber, (struct str){NULL, 0},
                              str_from(changes[i].filter)));
        (void)rig_publish(r.bus, "s/one/x", "", 0, false);
        CHECK_EQ_UINT(v->misses - misses, !changes[i].same);
    }
    listener_rig_fini(&l);
    bus_rig_light_close(&r);
}

TEST(bus_route_cache_is_bounded)
{
    struct bus_rig r = {0};
    struct listener_rig l;
    char topic[40];
    char *large = mem_zero(alloc_system(), 60001);
    REQUIRE(large != NULL);
    bus_rig_light(&r);
    listener_rig_init(&l, r.bus);
    rig_subscribe(&l, "#", 0, 0);
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(topic, sizeof(topic), "t/%d", i);
        (void)rig_publish(r.bus, topic, "", 0, false);
    }
    CHECK(r.bus->lanes[0].view->cache_bytes < ROUTE_BYTES_MAX);
    for (int i = 0; i < 1000; i++) {
        memset(large, 'a', 60000);
        memset(large, 'b', (size_t)i + 1);
        (void)rig_publish(r.bus, large, "", 0, false);
        strbuf_reset(&l.got);
    }
    CHECK(r.bus->lanes[0].view->cache_bytes <= ROUTE_BYTES_MAX);
    mem_free(alloc_system(), large, 60001);
    listener_rig_fini(&l);
    bus_rig_light_close(&r);
}

TEST(bus_unsubscribing_while_being_delivered_to)
{
    struct bus_rig r = {0};
    struct listener_rig a, b;
    bus_rig_light(&r);
    listener_rig_init(&a, r.bus);
    listener_rig_init(&b, r.bus);
    rig_subscribe(&a, "t", 0, 0);
    rig_subscribe(&b, "t", 0, 0);
    a.leaves = &b.subscriber; /* one of them is first and removes the other */
    b.leaves = &a.subscriber;
    CHECK_EQ_UINT(rig_publish(r.bus, "t", "1", 0, false).matched, 1);
    CHECK_EQ_UINT(a.got.n + b.got.n, 6);
    CHECK_EQ_UINT(bus_stats(r.bus).subscriptions, 1);
    a.leaves = b.leaves = NULL;
    CHECK_EQ_UINT(rig_publish(r.bus, "t", "2", 0, false).matched, 1);
    struct listener_rig *left = a.got.n > 6 || (a.got.n == 6 && b.got.n == 0) ? &a : &b;
    left->leaves = &left->subscriber; /* itself */
    CHECK_EQ_UINT(rig_publish(r.bus, "t", "3", 0, false).matched, 1);
    CHECK_EQ_UINT(rig_publish(r.bus, "t", "4", 0, false).matched, 0);
    listener_rig_fini(&a);
    listener_rig_fini(&b);
    bus_rig_light_close(&r);
}

static void publish_inside(struct subscriber *s, struct message *m,
                           const struct sub_options *const *subs, size_t n, bool retained)
{
    struct listener_rig *l = CONTAINER_OF(s, struct listener_rig, subscriber);
    (void)m, (void)subs, (void)n, (void)retained;
    (void)rig_publish(l->bus, "again", "", 0, false);
}

static void recurse(void *arg)
{
    struct bus_rig r = {0};
    struct listener_rig l;
    (void)arg;
    bus_rig_light(&r);
    listener_rig_init(&l, r.bus);
    l.subscriber.deliver = publish_inside;
    rig_subscribe(&l, "t", 0, 0);
    (void)rig_publish(r.bus, "t", "", 0, false);
}

TEST(bus_publishing_inside_a_delivery_is_a_bug)
{
    CHECK_ABORTS(recurse, NULL);
}

struct denial_rig {
    struct subscriber owner;
    struct strbuf told;
};

static void note_denial(struct subscriber *s, const struct bus_denial *d)
{
    struct denial_rig *x = CONTAINER_OF(s, struct denial_rig, owner);
    strbuf_addf(&x->told, "%.*s by %.*s: %s;", STR_FMT(d->topic), STR_FMT(d->name), d->why);
}

static void never(struct subscriber *s, struct message *m, const struct sub_options *const *subs,
                  size_t n, bool retained)
{
    (void)s, (void)m, (void)subs, (void)n, (void)retained;
    CHECK(!"a guard gets no messages");
}

TEST(bus_guards)
{
    struct bus_rig r = {0};
    struct listener_rig l;
    struct denial_rig owner = {.owner = {.deliver = never, .denied = note_denial}};
    struct bus_publisher from = {.id = 1, .name = STR("ada")};
    struct bus_receipt receipt;
    bus_rig_light(&r);
    listener_rig_init(&l, r.bus);
    strbuf_init(&owner.told, alloc_system(), 0);
    rig_subscribe(&l, "#", 0, 0);
    const struct subscription valve = {
        .filter = STR("valve/set"), .subscriber = &owner.owner, .guard = STR("only A may")};
    const struct subscription pump = {
        .filter = STR("pump/set"), .subscriber = &owner.owner, .guard = STR("only B may")};
    CHECK_EQ_INT(bus_subscribe(r.bus, &valve, NULL), ERR_OK);
    CHECK_EQ_INT(bus_subscribe(r.bus, &pump, NULL), ERR_OK);
    CHECK_EQ_INT(rig_publish_as(r.bus, &from, "valve/set", "open", 1, false, &receipt), ERR_DENIED);
    CHECK_EQ_STR(receipt.why, "only A may");
    CHECK_EQ_INT(rig_publish_as(r.bus, &from, "pump/set", "on", 1, true, &receipt), ERR_DENIED);
    CHECK_EQ_STR(owner.told.p, "valve/set by ada: only A may;pump/set by ada: only B may;");
    CHECK_EQ_INT(rig_publish_as(r.bus, NULL, "pump/set", "on", 1, true, &receipt), ERR_DENIED);
    CHECK_EQ_INT(rig_publish_as(r.bus, &from, "valve", "?", 1, false, &receipt), ERR_OK);
    CHECK_EQ_UINT(receipt.matched, 1);
    from.trusted = true;
    CHECK_EQ_INT(rig_publish_as(r.bus, &from, "valve/set", "safe", 1, false, &receipt), ERR_OK);
    CHECK_EQ_UINT(receipt.matched, 1);
    CHECK_GOT(&l, "valve=?/0 valve/set=safe/0 ");
    CHECK_EQ_UINT(bus_stats(r.bus).denied, 3);
    CHECK_EQ_UINT(bus_stats(r.bus).retained, 0);
    from.trusted = false;
    CHECK(bus_unsubscribe(r.bus, &owner.owner, NO_SHARE, STR("valve/set")));
    CHECK_EQ_INT(rig_publish_as(r.bus, &from, "valve/set", "open", 1, false, &receipt), ERR_OK);
    bus_unsubscribe_all(r.bus, &owner.owner);
    strbuf_fini(&owner.told);
    listener_rig_fini(&l);
    bus_rig_light_close(&r);
}

TEST(bus_subscription_limits)
{
    struct error e;
    struct executor *ex;
    struct listener_rig l;
    char deep[2 * LEVELS_MAX + 2] = "a";
    const struct executor_config ec = {.workers = 1, .driver = "epoll", .offload_threads = 1};
    REQUIRE(executor_new(&ex, &ec, &e) == ERR_OK);
    const struct bus_config cfg = {.ex = ex, .subscriptions_max = 2};
    struct bus *b;
    REQUIRE(bus_new(&b, &cfg, &e) == ERR_OK);
    listener_rig_init(&l, b);
    l.subscriber.rights = &l; /* a client */
    for (int i = 1; i < LEVELS_MAX; i++)
        memcpy(deep + strlen(deep), "/a", 3);
    rig_subscribe(&l, deep, 0, 0);
    rig_subscribe(&l, "b/c", 0, 0);
    size_t nodes = b->routes->trie.nodes;
    const struct subscription third = {.filter = STR("b/d/e"), .subscriber = &l.subscriber};
    CHECK_EQ_INT(bus_subscribe(b, &third, NULL), ERR_FULL);
    memcpy(deep + strlen(deep), "/a", 3);
    const struct subscription deeper = {.filter = str_from(deep), .subscriber = &l.subscriber};
    CHECK_EQ_INT(bus_subscribe(b, &deeper, NULL), ERR_RANGE);
    CHECK_EQ_UINT(b->routes->trie.nodes, nodes);
    CHECK_EQ_UINT(bus_stats(b).subscriptions, 2);
    struct subscription restored = third;
    restored.restored = true; /* what was taken before a restart comes back */
    CHECK_EQ_INT(bus_subscribe(b, &restored, NULL), ERR_OK);
    struct listener_rig own;
    listener_rig_init(&own, b); /* the site's own have room even so */
    rig_subscribe(&own, "b/d/e", 0, 0);
    listener_rig_fini(&own);
    listener_rig_fini(&l);
    bus_free(b);
    executor_free(ex);
}

/* Few long filters are as much as many short ones, and so are the names of shares; what goes makes
 * room. */
TEST(bus_subscription_bytes)
{
    static char filter[SUB_FILTER_MAX];
    struct error e;
    struct executor *ex;
    struct listener_rig l;
    struct bus *b;
    const struct executor_config ec = {.workers = 1, .driver = "epoll", .offload_threads = 1};
    REQUIRE(executor_new(&ex, &ec, &e) == ERR_OK);
    const struct bus_config cfg = {.ex = ex, .subscriptions_bytes_max = 1 << 20};
    REQUIRE(bus_new(&b, &cfg, &e) == ERR_OK);
    listener_rig_init(&l, b);
    l.subscriber.rights = &l;
    memset(filter, 'x', sizeof(filter));
    for (int round = 0; round < 4; round++) {
        enum err err = ERR_OK;
        LABEL("round %d", round);
        for (int i = 0; i < 100 && !err; i++) {
            filter[0] = (char)('a' + i % 10);
            filter[1] = (char)('a' + i / 10);
            const struct str text = {filter, sizeof(filter)};
            const struct subscription s = {.filter = round % 2 ? STR("t") : text,
                                           .share = round % 2 ? text : (struct str){NULL, 0},
                                           .subscriber = &l.subscriber};
            err = bus_subscribe(b, &s, NULL);
        }
        CHECK_EQ_INT(err, ERR_FULL);
        CHECK(bus_stats(b).subscriptions > 14);
        CHECK(bus_stats(b).subscriptions <= 17);
        bus_unsubscribe_all(b, &l.subscriber);
    }
    listener_rig_fini(&l);
    bus_free(b);
    executor_free(ex);
}

/* A topic of many levels that nobody shares needs much more than its text. */
TEST(bus_retained_topic_bytes)
{
    enum { LEVELS = 100 };
    struct error e;
    struct executor *ex;
    struct bus *b;
    struct bus_receipt r;
    char topic[2 * LEVELS + 10];
    enum err err = ERR_OK;
    int i = 0;
    const struct executor_config ec = {.workers = 1, .driver = "epoll", .offload_threads = 1};
    REQUIRE(executor_new(&ex, &ec, &e) == ERR_OK);
    const struct bus_config cfg = {.ex = ex, .retained_bytes_max = 1 << 20};
    REQUIRE(bus_new(&b, &cfg, &e) == ERR_OK);
    for (; i < 1000 && !err; i++) {
        (void)snprintf(topic, sizeof(topic), "%d", i);
        for (int k = 1; k < LEVELS; k++)
            memcpy(topic + strlen(topic), "/a", 3);
        const struct bus_publication p = {.topic = str_from(topic),
                                          .payload = {(const uint8_t *)"x", 1},
                                          .retain = true,
                                          .expiry_s = UINT32_MAX};
        err = bus_publish(b, &p, &r);
    }
    CHECK_EQ_INT(err, ERR_RANGE);
    CHECK_EQ_STR(r.why, "the topics of retained messages need more than 1048576 bytes");
    CHECK(bus_stats(b).retained_bytes < 1 << 20);
    CHECK(b->retained.trie.node_bytes < (1 << 20) + (64 << 10));
    bus_free(b);
    executor_free(ex);
}

/* Every allocation of a subscription and a publication fails in turn. */
TEST(bus_without_memory)
{
    struct error e;
    struct executor *ex;
    const struct executor_config ec = {.workers = 1, .driver = "epoll", .offload_threads = 1};
    REQUIRE(executor_new(&ex, &ec, &e) == ERR_OK);
    bool done = false;
    for (uint64_t fail_at = 0; !done && fail_at < 1000; fail_at++) {
        struct alloc_faulty f;
        struct bus_receipt receipt;
        struct bus *b = NULL;
        LABEL("allocation %d fails", (int)fail_at);
        alloc_faulty_init(&f, fail_at);
        const struct bus_config cfg = {.ex = ex, .alloc = &f.alloc, .messages = &f.alloc};
        if (bus_new(&b, &cfg, &e) == ERR_OK) {
            struct listener_rig l;
            listener_rig_init(&l, b);
            const struct subscription sub = {.filter = STR("a/+/c"), .subscriber = &l.subscriber};
            enum err err = bus_subscribe(b, &sub, NULL);
            CHECK(err == ERR_OK || err == ERR_NOMEM);
            err = rig_publish_as(b, NULL, "a/b/c", "1", 0, true, &receipt);
            CHECK(err == ERR_OK || err == ERR_NOMEM);
            const struct str next[] = {STR("a/b/c"), STR("a/x/c"), STR("b/x/c")};
            bus_expect(b, next, ARRAY_LEN(next));
            done = !f.failed;
            listener_rig_fini(&l);
            bus_free(b);
        }
        CHECK_EQ_UINT(f.live_bytes, 0);
    }
    CHECK(done);
    executor_free(ex);
}
