/* Routes and retained messages, read and changed by several workers at once; the sanitizers watch.
 */
#include "bus/bus_rig_test.h"

enum { WORKERS = 3, TOPICS = 40, ROUNDS = 3000 };

/* Each worker has a subscriber that always has its steady filters, and others now and then. */
struct crowd {
    struct executor *ex;
    struct routes *routes;
    struct crowd_worker {
        struct task task;
        struct crowd *crowd;
        struct subscriber subscriber;
        struct random random;
        unsigned index;
        int round;
    } workers[WORKERS];
    _Atomic int left;
};

static struct executor *executor_make(void)
{
    struct executor *ex;
    struct error e;
    const struct executor_config cfg = {
        .workers = WORKERS, .driver = "epoll", .offload_threads = 1};
    REQUIRE(executor_new(&ex, &cfg, &e) == ERR_OK);
    return ex;
}

static void topic_at(char to[40], uint64_t i)
{
    (void)snprintf(to, 40, "t%llu/%llu", (unsigned long long)i % 4, (unsigned long long)i);
}

static void add(struct crowd_worker *w, const char *filter, const char *share)
{
    const struct subscription s = {.filter = str_from(filter),
                                   .share = str_from(share),
                                   .subscriber = &w->subscriber,
                                   .qos = (uint8_t)random_below(&w->random, 2),
                                   .stored = random_below(&w->random, 2),
                                   .id = w->index + 1};
    bool existed;
    CHECK_EQ_INT(routes_add(w->crowd->routes, &s, &existed), ERR_OK);
}

static void change(struct crowd_worker *w)
{
    static const char *const extra[] = {"t1/+", "#", "+/3", "t2/6", "t2/6/x", "t3/#"};
    static const char *const shares[] = {"", "", "g", "h"};
    struct routes *r = w->crowd->routes;
    const char *filter = extra[random_below(&w->random, ARRAY_LEN(extra))];
    const char *share = shares[random_below(&w->random, ARRAY_LEN(shares))];
    struct sub *x = routes_sub(r, &w->subscriber, str_from(share), str_from(filter));
    if (!x) {
        add(w, filter, share);
        CHECK(routes_sub(r, &w->subscriber, str_from(share), str_from(filter)) != NULL);
    } else if (random_below(&w->random, 3)) {
        routes_remove(r, x, 0);
        CHECK(!routes_sub(r, &w->subscriber, str_from(share), str_from(filter)));
        routes_bury(r, w->index, UINT64_MAX);
    } else {
        add(w, filter, share);
    }
}

static void check_route(struct crowd_worker *w, const struct route *x)
{
    uint64_t all = (1u << WORKERS) - 1, own = UINT64_C(1) << w->index;
    CHECK_EQ_UINT(x->others, all & ~own);
    CHECK(x->others_n >= WORKERS - 1);
    CHECK_EQ_UINT(x->entries_n, 1); /* whatever matches, it is one subscriber */
    CHECK_EQ_PTR(x->entries[0].subscriber, &w->subscriber);
    for (uint32_t i = 0; i < x->subs_n; i++)
        CHECK(x->subs[i]->id == w->index + 1 && !x->subs[i]->gone);
    for (uint32_t i = 0; i < x->groups_n; i++)
        for (uint32_t k = 0; k < x->groups[i].n; k++)
            CHECK(sub_group(x->groups[i].members[k].sub) == x->groups[i].group);
}

static enum poll crowd_poll(struct task *t)
{
    struct crowd_worker *w = CONTAINER_OF(t, struct crowd_worker, task);
    struct route_view *v = routes_view(w->crowd->routes, w->index);
    char paths[BUS_EXPECT_MAX][40];
    struct str topics[BUS_EXPECT_MAX];
    size_t n = 1 + random_below(&w->random, BUS_EXPECT_MAX);
    for (size_t i = 0; i < n; i++) {
        topic_at(paths[i], random_below(&w->random, TOPICS));
        topics[i] = str_from(paths[i]);
    }
    route_expect(v, topics, n);
    for (size_t i = 0; i < n; i++) {
        struct route *x = route_find(v, topics[i], routes_hash(w->crowd->routes, topics[i]));
        REQUIRE(x != NULL);
        check_route(w, x);
    }
    change(w);
    if (++w->round < ROUNDS) {
        task_wake(t);
        return POLL_PENDING;
    }
    if (atomic_fetch_sub(&w->crowd->left, 1) == 1)
        executor_stop(w->crowd->ex);
    return POLL_READY;
}

TEST(routes_read_and_changed_by_all_workers)
{
    static struct crowd c;
    c = (struct crowd){.ex = executor_make(), .left = WORKERS};
    REQUIRE(routes_new(&c.routes, c.ex, alloc_system(), 1000) == ERR_OK);
    for (unsigned i = 0; i < WORKERS; i++) {
        struct crowd_worker *w = &c.workers[i];
        *w = (struct crowd_worker){.crowd = &c, .index = i};
        w->subscriber.worker = executor_worker(c.ex, i);
        random_seed(&w->random, test_seed() + i);
        for (int k = 0; k < 4; k++) {
            char filter[40];
            (void)snprintf(filter, sizeof(filter), "t%d/#", k);
            add(w, filter, "");
        }
        task_init(&w->task, "crowd", crowd_poll, NULL);
        task_spawn(executor_worker(c.ex, i), &w->task);
    }
    /* t3/# is among the extra ones too: it must stay. */
    for (unsigned i = 0; i < WORKERS; i++)
        add(&c.workers[i], "+/+", "");
    executor_run(c.ex);
    for (unsigned i = 0; i < WORKERS; i++)
        while (c.workers[i].subscriber.subscriptions)
            routes_remove(c.routes, c.workers[i].subscriber.subscriptions, 0);
    for (unsigned i = 0; i < WORKERS; i++)
        routes_bury(c.routes, i, UINT64_MAX);
    grace_idle(c.ex);
    CHECK_EQ_UINT(routes_count(c.routes), 0);
    CHECK_EQ_UINT(c.routes->trie.nodes, 1);
    CHECK_EQ_UINT(c.routes->groups.n, 0);
    CHECK_EQ_UINT(c.routes->subs.tables, 0);
    routes_free(c.routes);
    executor_free(c.ex);
}

/* The order of deliveries and of a share's members is that of numbers: a world that runs again from
 * the same seed does not lie at the same addresses. */
static void order_of(struct strbuf *out, struct executor *ex, bool backwards)
{
    enum { MANY = 100 };
    static struct subscriber place[MANY];
    struct routes *r;
    bool existed;
    memset(place, 0, sizeof(place));
    REQUIRE(routes_new(&r, ex, alloc_system(), 1000) == ERR_OK);
    for (uint32_t i = 0; i < MANY; i++) {
        struct subscription s = {.filter = STR("a/+"), .subscriber = &place[i], .id = i};
        if (backwards)
            s.subscriber = &place[MANY - 1 - i];
        s.share = i % 3 == 1 ? STR("x") : i % 3 == 2 ? STR("y") : (struct str){NULL, 0};
        CHECK_EQ_INT(routes_add(r, &s, &existed), ERR_OK);
    }
    const struct route *x = route_find(routes_view(r, 0), STR("a/b"), routes_hash(r, STR("a/b")));
    REQUIRE(x != NULL);
    for (uint32_t i = 0; i < x->subs_n; i++)
        strbuf_addf(out, "%u ", (unsigned)x->subs[i]->id);
    for (uint32_t i = 0; i < x->groups_n; i++)
        for (uint32_t k = 0; k < x->groups[i].n; k++) {
            uint32_t id = x->groups[i].members[k].sub->o.id;
            strbuf_addf(out, "%u ", (unsigned)id);
            CHECK_EQ_UINT(id, i + 1 + 3 * k); /* as they came */
        }
    for (uint32_t i = 0; i < MANY; i++)
        routes_remove(r, place[i].subscriptions, 0);
    routes_free(r);
}

TEST(routes_do_not_depend_on_addresses)
{
    struct env env = *env_linux();
    struct executor *ex;
    struct error e;
    struct strbuf one, two;
    const struct executor_config cfg = {
        .env = &env, .workers = 1, .driver = "epoll", .offload_threads = 1};
    REQUIRE(executor_new(&ex, &cfg, &e) == ERR_OK);
    strbuf_init(&one, alloc_system(), 0);
    strbuf_init(&two, alloc_system(), 0);
    order_of(&one, ex, false);
    order_of(&two, ex, true);
    CHECK_EQ_STR(two.p, one.p);
    CHECK(one.n > 100);
    strbuf_fini(&one);
    strbuf_fini(&two);
    executor_free(ex);
}

/* A publisher retains, then looks who is there; on another worker a subscriber comes, then looks
 * what is retained. However they meet, the message is seen. */
struct meeting {
    struct executor *ex;
    struct routes *routes;
    struct retained_store retained;
    struct subscriber subscriber;
    struct task publisher, comer;
    int round, comer_round;
    bool found_retained;
    _Atomic int published, come; /* rounds done */
    _Atomic bool routed[ROUNDS + 1];
};

static void meeting_topic(char to[40], int round)
{
    (void)snprintf(to, 40, "m/%d", round);
}

static enum poll publishes(struct task *t)
{
    struct meeting *x = CONTAINER_OF(t, struct meeting, publisher);
    char topic[40], why[160];
    int round = x->round + 1;
    task_wake(t);
    if (atomic_load(&x->come) < x->round)
        return POLL_PENDING; /* both begin the next round together */
    if (round > ROUNDS)
        return POLL_READY;
    meeting_topic(topic, round);
    struct message *m = message_new(alloc_system(), str_from(topic), (struct bytes){NULL, 0},
                                    (struct bytes){(const uint8_t *)"x", 1});
    uint64_t hash = routes_hash(x->routes, str_from(topic));
    REQUIRE(m && retained_begin(&x->retained, hash, str_from(topic), 1, why) == ERR_OK);
    retained_end(&x->retained, hash, m);
    message_unref(m);
    const struct route *route = route_find(routes_view(x->routes, 1), str_from(topic), hash);
    atomic_store(&x->routed[round], route->others != 0);
    x->round = round;
    atomic_store(&x->published, round);
    return POLL_PENDING;
}

static enum poll comes(struct task *t)
{
    struct meeting *x = CONTAINER_OF(t, struct meeting, comer);
    char topic[40];
    bool existed, more;
    int round = x->comer_round + 1;
    task_wake(t);
    if (round > 1 && atomic_load(&x->published) < round - 1)
        return POLL_PENDING;
    if (round > 1)
        CHECK(x->found_retained || atomic_load(&x->routed[round - 1]));
    if (round > ROUNDS) {
        executor_stop(x->ex);
        return POLL_READY;
    }
    meeting_topic(topic, round);
    const struct subscription s = {.filter = str_from(topic), .subscriber = &x->subscriber};
    struct retained_cursor c;
    CHECK_EQ_INT(routes_add(x->routes, &s, &existed), ERR_OK);
    REQUIRE(retained_cursor_init(&x->retained, &c, str_from(topic)));
    struct message *m = retained_cursor_next(&x->retained, &c, &more);
    x->found_retained = m != NULL;
    message_unref(m);
    retained_cursor_fini(&x->retained, &c);
    x->comer_round = round;
    atomic_store(&x->come, round);
    return POLL_PENDING;
}

TEST(routes_and_retained_a_message_is_seen_by_who_comes_meanwhile)
{
    static struct meeting x;
    x = (struct meeting){.ex = executor_make()};
    REQUIRE(routes_new(&x.routes, x.ex, alloc_system(), ROUNDS) == ERR_OK);
    REQUIRE(retained_init(&x.retained, x.ex, alloc_system(), 1, ROUNDS, SIZE_MAX) == ERR_OK);
    task_init(&x.comer, "comer", comes, NULL);
    task_init(&x.publisher, "publisher", publishes, NULL);
    task_spawn(executor_worker(x.ex, 0), &x.comer);
    task_spawn(executor_worker(x.ex, 1), &x.publisher);
    executor_run(x.ex);
    while (x.subscriber.subscriptions)
        routes_remove(x.routes, x.subscriber.subscriptions, 0);
    routes_free(x.routes);
    retained_fini(&x.retained);
    executor_free(x.ex);
}

/* Retained messages are replaced and deleted by all workers, while cursors of each walk them. */
struct store_crowd {
    struct executor *ex;
    struct retained_store store;
    struct store_worker {
        struct task task;
        struct store_crowd *crowd;
        struct random random;
        struct retained_cursor cursor;
        bool walking;
        int round, steady;
    } workers[WORKERS];
    _Atomic int left;
};
enum { STEADY_TOPICS = 200, FLEETING_TOPICS = 200 };

static void retain(struct store_crowd *c, uint64_t i, bool gone)
{
    char topic[40], why[160];
    (void)snprintf(topic, sizeof(topic), "%s/%llu", i < STEADY_TOPICS ? "steady" : "fleeting",
                   (unsigned long long)i);
    struct message *m =
        message_new(alloc_system(), str_from(topic), (struct bytes){NULL, 0},
                    (struct bytes){(const uint8_t *)topic, gone ? 0 : strlen(topic)});
    uint64_t hash = hash_bytes(topic, strlen(topic), 1);
    REQUIRE(m && retained_begin(&c->store, hash, str_from(topic), m->payload_len, why) == ERR_OK);
    retained_end(&c->store, hash, i % 7 ? m : NULL); /* some are not published after all */
    message_unref(m);
}

static void walk_some(struct store_worker *w)
{
    bool more = true;
    if (!w->walking) {
        REQUIRE(retained_cursor_init(&w->crowd->store, &w->cursor, STR("#")));
        w->steady = 0;
    }
    w->walking = true;
    for (int i = 0; i < 30 && more; i++) {
        struct message *m = retained_cursor_next(&w->crowd->store, &w->cursor, &more);
        if (!m)
            continue;
        CHECK_EQ_MEM(message_payload(m).p, m->data, m->topic_len);
        w->steady += str_starts(message_topic(m), STR("steady"));
        message_unref(m);
    }
    if (more)
        return;
    CHECK_EQ_INT(w->steady, STEADY_TOPICS - STEADY_TOPICS / 7 - 1);
    retained_cursor_fini(&w->crowd->store, &w->cursor);
    w->walking = false;
}

static enum poll store_poll(struct task *t)
{
    struct store_worker *w = CONTAINER_OF(t, struct store_worker, task);
    for (int i = 0; i < 5; i++) {
        uint64_t which = random_below(&w->random, STEADY_TOPICS + FLEETING_TOPICS);
        retain(w->crowd, which, which >= STEADY_TOPICS && random_below(&w->random, 2));
    }
    walk_some(w);
    if (++w->round < ROUNDS || w->walking) {
        task_wake(t);
        return POLL_PENDING;
    }
    if (atomic_fetch_sub(&w->crowd->left, 1) == 1)
        executor_stop(w->crowd->ex);
    return POLL_READY;
}

TEST(retained_changed_and_walked_by_all_workers)
{
    static struct store_crowd c;
    c = (struct store_crowd){.ex = executor_make(), .left = WORKERS};
    REQUIRE(retained_init(&c.store, c.ex, alloc_system(), test_seed(),
                          STEADY_TOPICS + FLEETING_TOPICS, SIZE_MAX) == ERR_OK);
    for (uint64_t i = 0; i < STEADY_TOPICS; i++)
        retain(&c, i, false);
    for (unsigned i = 0; i < WORKERS; i++) {
        struct store_worker *w = &c.workers[i];
        w->crowd = &c;
        random_seed(&w->random, test_seed() + i);
        task_init(&w->task, "store", store_poll, NULL);
        task_spawn(executor_worker(c.ex, i), &w->task);
    }
    executor_run(c.ex);
    for (uint64_t i = 0; i < STEADY_TOPICS + FLEETING_TOPICS; i++)
        retain(&c, i, true);
    grace_idle(c.ex);
    CHECK_EQ_UINT(c.store.count, 0);
    CHECK_EQ_UINT(c.store.bytes, 0);
    CHECK_EQ_UINT(c.store.trie.nodes, 1);
    retained_fini(&c.store);
    executor_free(c.ex);
}
