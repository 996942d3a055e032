/* Several workers: order, back-pressure, shares, guards, fences. */
#include "bus/lane_rig_test.h"

static const char *const topics[] = {"a/0", "a/1", "b/2", "b/3"};
static const unsigned worker_counts[] = {1, 2, 4};

struct order_case {
    unsigned workers, mouths, ears;
    uint32_t each;
    struct bus_config cfg;
};

/* Every ear hears all of it in the order of each publisher and topic. True: somebody waited. */
static bool everybody_talks(const struct order_case *c)
{
    struct lane_rig r;
    struct lane_ear ears[12];
    struct lane_mouth mouths[8];
    uint64_t refused = 0;
    lane_rig_open(&r, c->workers, &c->cfg);
    for (unsigned i = 0; i < c->ears; i++) {
        lane_ear_init(&ears[i], &r, i % c->workers);
        lane_listen(&ears[i], i % 3 ? "+/+" : "#", "", 0);
        if (i % 3 == 2) /* two that match are one delivery */
            lane_listen(&ears[i], "a/#", "", 0);
    }
    r.expected = (uint64_t)c->ears * c->mouths * ARRAY_LEN(topics) * c->each;
    for (unsigned i = 0; i < c->mouths; i++) {
        mouths[i] = (struct lane_mouth){
            .rig = &r, .topics = topics, .topics_n = ARRAY_LEN(topics), .number = i, .of = c->each};
        lane_mouth_start(&mouths[i], i % c->workers);
    }
    lane_rig_run(&r);
    CHECK_EQ_UINT(r.wrong, 0);
    CHECK_EQ_UINT(r.expected, 0);
    CHECK_EQ_UINT(bus_stats(r.bus).published, (uint64_t)c->mouths * ARRAY_LEN(topics) * c->each);
    for (unsigned i = 0; i < c->mouths; i++)
        refused += mouths[i].refused;
    for (unsigned i = 0; i < c->ears; i++)
        bus_unsubscribe_all(r.bus, &ears[i].subscriber);
    lane_rig_close(&r);
    return refused > 0;
}

TEST(lanes_keep_the_order_of_each_publisher_and_topic)
{
    for (size_t i = 0; i < ARRAY_LEN(worker_counts); i++) {
        const struct order_case c = {
            .workers = worker_counts[i], .mouths = 6, .ears = 9, .each = 500};
        LABEL("%u workers", c.workers);
        (void)everybody_talks(&c);
    }
}

TEST(lanes_that_are_full_hold_back_and_lose_nothing)
{
    const struct order_case cases[] = {
        {2, 8, 12, 2000, {.ring_max = 4}},
        {4, 8, 12, 500, {.ring_max = 8}},
        {2, 8, 12, 2000, {.ring_bytes_max = 1}}, /* one at a time */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("case %zu", i);
        CHECK(everybody_talks(&cases[i]));
    }
}

/* ---- shares ---- */

static void any_order(struct subscriber *s, struct message *m,
                      const struct sub_options *const *subs, size_t n, bool retained)
{
    struct lane_ear *e = CONTAINER_OF(s, struct lane_ear, subscriber);
    (void)m;
    if (n != 1 || !subs[0]->share_id || retained || worker_current() != s->worker)
        atomic_fetch_add(&e->rig->wrong, 1);
    atomic_fetch_add(&e->got, 1);
    lane_rig_got(e->rig);
}

TEST(lanes_give_each_message_of_a_share_to_one_member)
{
    for (size_t i = 0; i < ARRAY_LEN(worker_counts); i++) {
        unsigned workers = worker_counts[i];
        struct lane_rig r;
        struct lane_ear ears[6];
        struct lane_mouth mouths[4];
        LABEL("%u workers", workers);
        lane_rig_open(&r, workers, NULL);
        for (unsigned k = 0; k < ARRAY_LEN(ears); k++) {
            lane_ear_init(&ears[k], &r, k % workers);
            ears[k].subscriber.deliver = any_order;
            lane_listen(&ears[k], "+/+", k < 3 ? "g" : "h", 1);
            bus_presence_set(r.bus, &ears[k].subscriber, BUS_READY);
        }
        r.expected = 2ull * ARRAY_LEN(mouths) * ARRAY_LEN(topics) * 300;
        for (unsigned k = 0; k < ARRAY_LEN(mouths); k++) {
            mouths[k] = (struct lane_mouth){.rig = &r,
                                            .topics = topics,
                                            .topics_n = ARRAY_LEN(topics),
                                            .number = k,
                                            .of = 300,
                                            .qos = 1};
            lane_mouth_start(&mouths[k], k % workers);
        }
        lane_rig_run(&r);
        CHECK_EQ_UINT(r.wrong, 0);
        for (unsigned k = 0; k < ARRAY_LEN(ears); k++) {
            CHECK(ears[k].got > 4800 / 6); /* in turn; two that take one turn are rare */
            bus_unsubscribe_all(r.bus, &ears[k].subscriber);
        }
        CHECK_EQ_UINT(bus_stats(r.bus).lost, 0);
        lane_rig_close(&r);
    }
}

/* Leaves with the first message that it gets; what lies in the ring for it goes to the other. */
static void leave(struct lane_ear *e, struct message *m)
{
    (void)m;
    bus_unsubscribe_all(e->rig->bus, &e->subscriber);
}

static void take_and_leave(struct subscriber *s, struct message *m,
                           const struct sub_options *const *subs, size_t n, bool retained)
{
    any_order(s, m, subs, n, retained);
    leave(CONTAINER_OF(s, struct lane_ear, subscriber), m);
}

TEST(lanes_find_another_member_for_one_that_has_gone)
{
    struct lane_rig r;
    struct lane_ear goes, stays;
    struct lane_mouth mouth = {.rig = &r, .topics = topics, .topics_n = 1, .of = 1000, .qos = 1};
    lane_rig_open(&r, 2, NULL);
    lane_ear_init(&goes, &r, 1);
    lane_ear_init(&stays, &r, 0);
    goes.subscriber.deliver = take_and_leave;
    stays.subscriber.deliver = any_order;
    lane_listen(&goes, "a/#", "g", 1);
    lane_listen(&stays, "a/#", "g", 1);
    bus_presence_set(r.bus, &goes.subscriber, BUS_READY);
    bus_presence_set(r.bus, &stays.subscriber, BUS_READY);
    r.expected = 1000;
    lane_mouth_start(&mouth, 0);
    lane_rig_run(&r);
    CHECK_EQ_UINT(goes.got, 1);
    CHECK_EQ_UINT(stays.got, 999);
    CHECK_EQ_UINT(r.wrong, 0);
    CHECK_EQ_UINT(bus_stats(r.bus).lost, 0);
    bus_unsubscribe_all(r.bus, &stays.subscriber);
    lane_rig_close(&r);
}

/* ---- guards ---- */

struct owner_rig {
    struct subscriber owner;
    struct lane_rig *rig;
    uint32_t told, wrong;
};

static void owner_told(struct subscriber *s, const struct bus_denial *d)
{
    struct owner_rig *o = CONTAINER_OF(s, struct owner_rig, owner);
    o->wrong += worker_current() != s->worker || strcmp(d->why, "no") != 0 ||
                !str_eq(d->topic, STR("v/set")) || !str_eq(d->name, STR("ada")) ||
                !str_eq(d->user, STR("u"));
    o->told++;
    lane_rig_got(o->rig);
}

static enum poll try_to_open(struct task *t)
{
    struct lane_mouth *m = CONTAINER_OF(t, struct lane_mouth, task);
    const struct bus_publisher from = {.id = 7, .name = STR("ada"), .user = STR("u")};
    const struct bus_publication p = {.topic = STR("v/set"), .expiry_s = UINT32_MAX, .from = &from};
    struct bus_receipt receipt;
    CHECK_EQ_INT(bus_publish(m->rig->bus, &p, &receipt), ERR_DENIED);
    CHECK_EQ_STR(receipt.why, "no");
    return POLL_READY;
}

TEST(lanes_tell_the_owner_on_its_worker)
{
    struct lane_rig r;
    struct lane_mouth mouths[4];
    lane_rig_open(&r, 4, NULL);
    struct owner_rig o = {.rig = &r, .owner = {.denied = owner_told}};
    o.owner.worker = executor_worker(r.ex, 0);
    const struct subscription guard = {
        .filter = STR("v/set"), .subscriber = &o.owner, .guard = STR("no")};
    REQUIRE(bus_subscribe(r.bus, &guard, NULL) == ERR_OK);
    r.expected = ARRAY_LEN(mouths);
    for (unsigned i = 0; i < ARRAY_LEN(mouths); i++) {
        mouths[i].rig = &r;
        task_init(&mouths[i].task, "thief", try_to_open, NULL);
        task_spawn(executor_worker(r.ex, i), &mouths[i].task);
    }
    lane_rig_run(&r);
    CHECK_EQ_UINT(o.told, ARRAY_LEN(mouths));
    CHECK_EQ_UINT(o.wrong, 0);
    CHECK_EQ_UINT(bus_stats(r.bus).denied, ARRAY_LEN(mouths));
    bus_unsubscribe_all(r.bus, &o.owner);
    lane_rig_close(&r);
}

/* ---- fences ---- */

enum { FENCE_EARS = 700, FENCE_EACH = 40 }; /* more than a slice */
struct fence_rig {
    struct lane_rig rig;
    struct lane_ear *ears; /* FENCE_EARS on each worker */
    struct lane_mouth mouths[4];
    struct bus_fence fence;
    struct post post;
    _Atomic uint32_t talking, early, passed;
    unsigned workers;
};

static void fence_passed(struct bus_fence *f, struct worker *w)
{
    struct fence_rig *x = CONTAINER_OF(f, struct fence_rig, fence);
    for (unsigned i = 0; i < FENCE_EARS; i++)
        if (x->ears[worker_index(w) * FENCE_EARS + i].got != FENCE_EACH * x->workers)
            atomic_fetch_add(&x->early, 1);
    CHECK(worker_current() == w);
    if (atomic_fetch_add(&x->passed, 1) + 1 == x->workers)
        executor_stop(x->rig.ex);
}

static void begin_fence(struct post *p)
{
    struct fence_rig *x = CONTAINER_OF(p, struct fence_rig, post);
    bus_fence(x->rig.bus, &x->fence);
}

/* The last one has just published: nearly all of it still waits. */
static void mouth_done(struct lane_mouth *m)
{
    struct fence_rig *x = CONTAINER_OF(m->rig, struct fence_rig, rig);
    if (atomic_fetch_sub(&x->talking, 1) == 1)
        worker_post(executor_worker(m->rig->ex, 0), &x->post, "fence", begin_fence);
}

TEST(lanes_a_fence_comes_behind_all_that_was_published_before)
{
    static const char *const one[] = {"big/0"};
    for (size_t i = 0; i < ARRAY_LEN(worker_counts); i++) {
        struct fence_rig *x = mem_zero(alloc_system(), sizeof(*x));
        REQUIRE(x != NULL);
        x->workers = worker_counts[i];
        LABEL("%u workers", x->workers);
        lane_rig_open(&x->rig, x->workers, NULL);
        x->ears = mem_array(alloc_system(), FENCE_EARS * x->workers, sizeof(*x->ears));
        REQUIRE(x->ears != NULL);
        for (unsigned k = 0; k < FENCE_EARS * x->workers; k++) {
            lane_ear_init(&x->ears[k], &x->rig, k / FENCE_EARS);
            lane_listen(&x->ears[k], "big/#", "", 0);
        }
        x->rig.expected = UINT64_MAX; /* the fence ends it */
        x->talking = x->workers;
        x->fence.passed = fence_passed;
        for (unsigned k = 0; k < x->workers; k++) {
            x->mouths[k] = (struct lane_mouth){.rig = &x->rig,
                                               .topics = one,
                                               .topics_n = 1,
                                               .number = k,
                                               .of = FENCE_EACH,
                                               .done = mouth_done};
            lane_mouth_start(&x->mouths[k], k);
        }
        lane_rig_run(&x->rig);
        CHECK_EQ_UINT(x->early, 0);
        CHECK_EQ_UINT(x->passed, x->workers);
        CHECK_EQ_UINT(x->rig.wrong, 0);
        CHECK(!x->fence.disturbed);
        for (unsigned k = 0; k < FENCE_EARS * x->workers; k++)
            bus_unsubscribe_all(x->rig.bus, &x->ears[k].subscriber);
        mem_free(alloc_system(), x->ears, FENCE_EARS * x->workers * sizeof(*x->ears));
        lane_rig_close(&x->rig);
        mem_free(alloc_system(), x, sizeof(*x));
    }
}

/* ---- without an executor that runs ---- */

TEST(lanes_settle_when_nobody_runs)
{
    struct lane_rig r;
    struct lane_ear near, far;
    struct bus_receipt receipt;
    lane_rig_open(&r, 2, NULL);
    lane_ear_init(&near, &r, 0);
    lane_ear_init(&far, &r, 1);
    near.subscriber.worker = far.subscriber.worker = NULL; /* lane_hear() compares: nobody runs */
    lane_listen(&near, "a/0", "", 0);
    far.subscriber.worker = executor_worker(r.ex, 1);
    lane_listen(&far, "a/0", "", 0);
    r.expected = UINT64_MAX;
    CHECK_EQ_INT(lane_say(&r, "a/0", 0, 1, 0, &receipt), ERR_OK);
    CHECK_EQ_UINT(receipt.matched, 2);
    CHECK_EQ_UINT(near.got, 1);
    CHECK_EQ_UINT(far.got, 0);
    bus_settle(r.bus);
    CHECK_EQ_UINT(far.got, 1);
    CHECK_EQ_INT(lane_say(&r, "a/0", 0, 2, 0, &receipt), ERR_OK); /* and one that is left there */
    bus_unsubscribe_all(r.bus, &near.subscriber);
    bus_unsubscribe_all(r.bus, &far.subscriber);
    lane_rig_close(&r);
}

/* ---- who subscribes while something is retained ---- */

enum { CHANCES = 300 };
struct chance_rig {
    struct lane_rig rig;
    struct subscriber late; /* on worker 1 */
    struct task task[2];
    _Atomic uint32_t round; /* both begin it */
    _Atomic uint32_t ready, got;
    uint32_t missed;
    struct bus_fence fence;
};

static void late_got(struct subscriber *s, struct message *m, const struct sub_options *const *subs,
                     size_t n, bool retained)
{
    struct chance_rig *c = CONTAINER_OF(s, struct chance_rig, late);
    (void)m, (void)subs, (void)n, (void)retained;
    atomic_fetch_add(&c->got, 1);
}

static void meet(struct chance_rig *c)
{
    uint32_t round = atomic_load(&c->round);
    if (atomic_fetch_add(&c->ready, 1) == 1) {
        atomic_store(&c->ready, 0);
        atomic_fetch_add(&c->round, 1);
    }
    while (atomic_load(&c->round) == round)
        cpu_relax();
}

static enum poll retain_now(struct task *t)
{
    struct chance_rig *c = CONTAINER_OF(t, struct chance_rig, task[0]);
    const struct bus_publication p = {.topic = STR("k"),
                                      .payload = {(const uint8_t *)"x", 1},
                                      .retain = true,
                                      .expiry_s = UINT32_MAX};
    struct bus_receipt receipt;
    meet(c);
    CHECK_EQ_INT(bus_publish(c->rig.bus, &p, &receipt), ERR_OK);
    return POLL_READY;
}

static enum poll subscribe_now(struct task *t)
{
    struct chance_rig *c = CONTAINER_OF(t, struct chance_rig, task[1]);
    const struct subscription sub = {.filter = STR("k"), .subscriber = &c->late};
    meet(c);
    CHECK_EQ_INT(bus_subscribe(c->rig.bus, &sub, NULL), ERR_OK);
    bus_send_retained(c->rig.bus, &sub);
    return POLL_READY;
}

static void both_done(struct bus_fence *f, struct worker *w)
{
    struct chance_rig *c = CONTAINER_OF(f, struct chance_rig, fence);
    if (worker_index(w) == 1)
        executor_stop(c->rig.ex); /* all that was under way has come */
}

static enum poll retain_and_fence(struct task *t)
{
    struct chance_rig *c = CONTAINER_OF(t, struct chance_rig, task[0]);
    (void)retain_now(t);
    meet(c); /* the other one has subscribed */
    bus_fence(c->rig.bus, &c->fence);
    return POLL_READY;
}

static enum poll subscribe_and_meet(struct task *t)
{
    (void)subscribe_now(t);
    meet(CONTAINER_OF(t, struct chance_rig, task[1]));
    return POLL_READY;
}

/* Live, or as a retained one, or both; but it gets it. */
TEST(lanes_a_new_subscriber_never_misses_what_is_retained)
{
    struct chance_rig c = {0};
    lane_rig_open(&c.rig, 2, NULL);
    c.late = (struct subscriber){.worker = executor_worker(c.rig.ex, 1), .deliver = late_got};
    c.fence.passed = both_done;
    for (int i = 0; i < CHANCES; i++) {
        struct bus_receipt receipt;
        const struct bus_publication none = {
            .topic = STR("k"), .retain = true, .expiry_s = UINT32_MAX};
        c.got = 0;
        task_init(&c.task[0], "retains", retain_and_fence, NULL);
        task_init(&c.task[1], "subscribes", subscribe_and_meet, NULL);
        for (unsigned w = 0; w < 2; w++)
            task_spawn(executor_worker(c.rig.ex, w), &c.task[w]);
        lane_rig_run(&c.rig);
        c.missed += c.got == 0;
        bus_unsubscribe_all(c.rig.bus, &c.late);
        CHECK_EQ_INT(bus_publish(c.rig.bus, &none, &receipt), ERR_OK);
        bus_settle(c.rig.bus);
    }
    CHECK_EQ_UINT(c.missed, 0);
    lane_rig_close(&c.rig);
}
