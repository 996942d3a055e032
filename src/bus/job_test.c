/* Large fan-outs and many retained messages, in slices. */
#include "bus/lane_rig_test.h"
#include <sched.h>

struct crowd {
    struct lane_rig rig;
    struct lane_ear *ears;
    unsigned n;
    struct task task;
    void (*talk)(struct crowd *c); /* on worker 0, in the run */
    struct lane_ear small;
    uint64_t big_when_small; /* deliveries to the crowd, when the small topic's came */
    unsigned leaves;         /* who leaves */
    unsigned reached;
    const struct lane_mouth *loud;
};

static enum poll crowd_poll(struct task *t)
{
    struct crowd *c = CONTAINER_OF(t, struct crowd, task);
    c->talk(c);
    return POLL_READY;
}

static struct crowd *crowd_new(unsigned workers, unsigned n, const struct bus_config *cfg)
{
    struct crowd *c = mem_zero(alloc_system(), sizeof(*c));
    REQUIRE(c != NULL);
    lane_rig_open(&c->rig, workers, cfg);
    c->n = n;
    c->ears = mem_array(alloc_system(), n, sizeof(*c->ears));
    REQUIRE(c->ears != NULL);
    for (unsigned i = 0; i < n; i++) {
        lane_ear_init(&c->ears[i], &c->rig, i % workers);
        lane_listen(&c->ears[i], "big/0", "", 0);
    }
    lane_ear_init(&c->small, &c->rig, workers - 1);
    lane_listen(&c->small, "small/1", "", 0);
    return c;
}

static void crowd_run(struct crowd *c, void (*talk)(struct crowd *c))
{
    c->talk = talk;
    task_init(&c->task, "talk", crowd_poll, NULL);
    task_spawn(executor_worker(c->rig.ex, 0), &c->task);
    lane_rig_run(&c->rig);
}

static void crowd_free(struct crowd *c)
{
    for (unsigned i = 0; i < c->n; i++)
        bus_unsubscribe_all(c->rig.bus, &c->ears[i].subscriber);
    bus_unsubscribe_all(c->rig.bus, &c->small.subscriber);
    mem_free(alloc_system(), c->ears, c->n * sizeof(*c->ears));
    lane_rig_close(&c->rig);
    mem_free(alloc_system(), c, sizeof(*c));
}

static uint64_t crowd_got(const struct crowd *c)
{
    uint64_t got = 0;
    for (unsigned i = 0; i < c->n; i++)
        got += c->ears[i].got;
    return got;
}

static void say(struct crowd *c, const char *topic, uint32_t n)
{
    struct bus_receipt receipt;
    CHECK_EQ_INT(lane_say(&c->rig, topic, 0, n, 0, &receipt), ERR_OK);
}

/* ---- others pass ---- */

static void note_small(struct lane_ear *e, struct message *m)
{
    struct crowd *c = CONTAINER_OF(e, struct crowd, small);
    (void)m;
    c->big_when_small = bus_stats(c->rig.bus).delivered;
}

static void talk_big_then_small(struct crowd *c)
{
    for (uint32_t i = 1; i <= 3; i++)
        say(c, "big/0", i);
    say(c, "small/1", 1);
}

TEST(jobs_do_not_hold_up_another_topic)
{
    for (unsigned workers = 1; workers <= 2; workers++) {
        LABEL("%u workers", workers);
        struct crowd *c = crowd_new(workers, 100000, NULL);
        c->small.then = note_small;
        c->rig.expected = 3 * 100000 + 1;
        crowd_run(c, talk_big_then_small);
        CHECK_EQ_UINT(c->rig.wrong, 0);
        CHECK_EQ_UINT(crowd_got(c), 300000); /* each three, in order */
        CHECK(c->big_when_small < 200000);   /* behind some slices, not behind all of them */
        crowd_free(c);
    }
}

/* ---- what waits is bounded ---- */

static const char *const big_topic[] = {"big/0"};

TEST(jobs_hold_back_who_publishes_too_fast)
{
    const struct bus_config cases[] = {
        {.waiting_max = 8}, {.waiting_bytes_max = 1}, {.waiting_max = 8, .ring_max = 4}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (unsigned workers = 1; workers <= 2; workers++) {
            LABEL("case %zu, %u workers", i, workers);
            struct crowd *c = crowd_new(workers, 3000, &cases[i]);
            struct lane_mouth mouth = {
                .rig = &c->rig, .topics = big_topic, .topics_n = 1, .of = 100};
            c->rig.expected = 300000;
            lane_mouth_start(&mouth, 0);
            lane_rig_run(&c->rig);
            CHECK(mouth.refused > 0);
            CHECK_EQ_UINT(c->rig.wrong, 0);
            CHECK_EQ_UINT(crowd_got(c), 300000);
            crowd_free(c);
        }
}

/* The ring to worker 1 never has more than six of its messages, so it is never full. Who talks
 * about something else begins when this one has to wait. */
static enum poll a_few_at_a_time(struct task *t)
{
    struct lane_mouth *m = CONTAINER_OF(t, struct lane_mouth, task);
    const struct ring *r = lane_ring(&m->rig->bus->lanes[0], 1);
    bool waits = atomic_load(&r->tail) - atomic_load(&r->head) >= 6;
    if (m->n < m->of && !t->canceled && waits && !m->refused) {
        task_wake(t);
        return POLL_PENDING;
    }
    enum poll p = lane_mouth_poll(t);
    if (m->refused == 1 && m->other->of == 0) {
        m->other->of = 100;
        lane_mouth_start(m->other, 0);
    }
    return p;
}

/* The first one that is reached holds its worker until five more messages are in the ring. They
 * wait behind slices then, too many of them; and the first one of the second slice holds it until
 * the other worker has noticed. */
static void hold_worker(struct lane_ear *e, struct message *m)
{
    struct crowd *c = CONTAINER_OF(e->rig, struct crowd, rig);
    const struct ring *r = lane_ring(&e->rig->bus->lanes[0], 1);
    unsigned reached = c->reached++;
    (void)m;
    while (reached == 0 && atomic_load(&r->tail) - atomic_load(&r->head) < 5)
        (void)sched_yield();
    while (reached == BUS_SLICE && !atomic_load(&c->loud->refused))
        (void)sched_yield();
}

/* One worker's crowd is slow: who publishes on its topic has to wait, who publishes on another
 * topic to the same worker has not. */
TEST(jobs_hold_back_their_topic_alone)
{
    static const char *const small_topic[] = {"small/1"};
    const struct bus_config cfg = {.waiting_max = 16, .ring_max = 1024};
    struct crowd *c = crowd_new(2, 4000, &cfg);
    struct lane_mouth quiet = {.rig = &c->rig, .topics = small_topic, .topics_n = 1};
    struct lane_mouth loud = {
        .rig = &c->rig, .topics = big_topic, .topics_n = 1, .of = 100, .burst = 1, .other = &quiet};
    for (unsigned i = 0; i < c->n; i++) {
        c->ears[i].then = hold_worker;
        if (i % 2 == 0) /* all of it on worker 1 */
            bus_unsubscribe_all(c->rig.bus, &c->ears[i].subscriber);
    }
    c->rig.expected = 2000 * 100 + 100;
    lane_mouth_start(&loud, 0);
    c->loud = &loud;
    loud.task.poll = a_few_at_a_time;
    lane_rig_run(&c->rig);
    CHECK(loud.refused > 0);
    CHECK_EQ_UINT(quiet.refused, 0);
    CHECK_EQ_UINT(c->rig.wrong, 0);
    crowd_free(c);
}

/* ---- who goes meanwhile ---- */

/* The first one that is reached takes the others with it: those who were not reached get nothing,
 * and their memory may go at once. */
static void take_others(struct lane_ear *e, struct message *m)
{
    struct crowd *c = CONTAINER_OF(e->rig, struct crowd, rig);
    (void)m;
    for (unsigned i = 0; i < c->n; i++)
        if (c->ears[i].got == 0 && c->leaves) {
            c->leaves--;
            bus_unsubscribe_all(c->rig.bus, &c->ears[i].subscriber);
            memset(&c->ears[i].subscriber, 0, sizeof(struct subscriber)); /* a call of it crashes */
            lane_rig_got(e->rig);
        }
}

static void talk_once(struct crowd *c)
{
    say(c, "big/0", 1);
}

TEST(jobs_forget_who_goes_while_they_are_under_way)
{
    struct crowd *c = crowd_new(1, 2000, NULL);
    for (unsigned i = 0; i < c->n; i++)
        c->ears[i].then = take_others;
    c->leaves = 700;
    c->rig.expected = 2000; /* got, or gone */
    crowd_run(c, talk_once);
    CHECK_EQ_UINT(crowd_got(c), 1300);
    CHECK_EQ_UINT(c->rig.wrong, 0);
    CHECK_EQ_UINT(bus_stats(c->rig.bus).subscriptions, 1301);
    crowd_free(c);
}

/* New options are no new subscription: nothing is lost. */
static void subscribe_again(struct lane_ear *e, struct message *m)
{
    struct crowd *c = CONTAINER_OF(e->rig, struct crowd, rig);
    (void)m;
    if (c->leaves)
        return;
    c->leaves = 1;
    for (unsigned i = 0; i < c->n; i++)
        lane_listen(&c->ears[i], "big/0", "", 1);
}

TEST(jobs_go_on_when_options_are_replaced)
{
    struct crowd *c = crowd_new(1, 2000, NULL);
    for (unsigned i = 0; i < c->n; i++)
        c->ears[i].then = subscribe_again;
    c->rig.expected = 2000;
    crowd_run(c, talk_once);
    CHECK_EQ_UINT(crowd_got(c), 2000);
    CHECK_EQ_UINT(c->rig.wrong, 0);
    crowd_free(c);
}

/* ---- retained messages of a new subscription ---- */

enum { RETAINED = 2000 };

static void keep_many(struct crowd *c)
{
    struct bus_receipt receipt;
    for (uint32_t i = 0; i < RETAINED; i++) {
        const struct lane_note note = {0, 1};
        char topic[40];
        (void)snprintf(topic, sizeof(topic), "kept/%u/0", i);
        const struct bus_publication p = {.topic = str_from(topic),
                                          .payload = {(const uint8_t *)&note, sizeof(note)},
                                          .retain = true,
                                          .expiry_s = UINT32_MAX};
        REQUIRE(CHECK_EQ_INT(bus_publish(c->rig.bus, &p, &receipt), ERR_OK));
    }
}

static void count_retained(struct subscriber *s, struct message *m,
                           const struct sub_options *const *subs, size_t n, bool retained)
{
    struct lane_ear *e = CONTAINER_OF(s, struct lane_ear, subscriber);
    (void)m, (void)subs;
    if (n != 1 || !retained || worker_current() != s->worker)
        atomic_fetch_add(&e->rig->wrong, 1);
    atomic_fetch_add(&e->got, 1);
    lane_rig_got(e->rig);
}

static void ask_for_retained(struct crowd *c)
{
    const struct subscription sub = {.filter = STR("kept/#"), .subscriber = &c->ears[0].subscriber};
    c->ears[0].subscriber.deliver = count_retained;
    REQUIRE(CHECK_EQ_INT(bus_subscribe(c->rig.bus, &sub, NULL), ERR_OK));
    bus_send_retained(c->rig.bus, &sub);
    CHECK_EQ_UINT(c->ears[0].got, BUS_SLICE);
}

TEST(jobs_send_many_retained_messages_in_slices)
{
    struct crowd *c = crowd_new(1, 1, NULL);
    keep_many(c);
    c->rig.expected = RETAINED;
    crowd_run(c, ask_for_retained);
    CHECK_EQ_UINT(c->ears[0].got, RETAINED);
    CHECK_EQ_UINT(c->rig.wrong, 0);
    crowd_free(c);
}

/* Subscribing again sends all of them again; what was left of the first time is not sent twice. */
static void ask_twice(struct crowd *c)
{
    const struct subscription sub = {.filter = STR("kept/#"), .subscriber = &c->ears[0].subscriber};
    ask_for_retained(c);
    bus_send_retained(c->rig.bus, &sub);
}

enum { LOT = 100 };
struct slow {
    struct timer timer;
    struct bus_fence fence;
    struct lane_ear *ear;
    bool fenced, passed;
};
static struct slow slow;

static void take_a_lot(struct subscriber *s, struct message *m,
                       const struct sub_options *const *subs, size_t n, bool retained)
{
    const struct lane_ear *e = CONTAINER_OF(s, struct lane_ear, subscriber);
    count_retained(s, m, subs, n, retained);
    if (e->got % LOT == 0)
        bus_presence_set(e->rig->bus, s, BUS_BUSY);
}

static void fence_passed(struct bus_fence *f, struct worker *w)
{
    (void)f, (void)w;
    slow.passed = true;
}

/* It takes no more than it wants; and a snapshot does not wait for it. */
static void slow_fired(struct timer *t)
{
    struct lane_rig *rig = slow.ear->rig;
    if (slow.ear->got % LOT)
        atomic_fetch_add(&rig->wrong, 1);
    if (!slow.fenced)
        bus_fence(rig->bus, &slow.fence);
    slow.fenced = true;
    if (slow.passed)
        bus_presence_set(rig->bus, &slow.ear->subscriber, BUS_READY);
    timer_set_after_ms(t, 1);
}

static void ask_slowly(struct crowd *c)
{
    const struct subscription sub = {.filter = STR("kept/#"), .subscriber = &c->ears[0].subscriber};
    slow = (struct slow){.ear = &c->ears[0], .fence.passed = fence_passed};
    c->ears[0].subscriber.deliver = take_a_lot;
    bus_presence_set(c->rig.bus, &c->ears[0].subscriber, BUS_READY);
    REQUIRE(CHECK_EQ_INT(bus_subscribe(c->rig.bus, &sub, NULL), ERR_OK));
    bus_send_retained(c->rig.bus, &sub);
    timer_init(&slow.timer, executor_worker(c->rig.ex, 0), slow_fired);
    timer_set_after_ms(&slow.timer, 1);
}

TEST(jobs_for_retained_messages_wait_for_who_is_slow)
{
    struct crowd *c = crowd_new(1, 1, NULL);
    keep_many(c);
    c->rig.expected = RETAINED;
    crowd_run(c, ask_slowly);
    timer_cancel(&slow.timer);
    CHECK_EQ_UINT(c->ears[0].got, RETAINED);
    CHECK_EQ_UINT(c->rig.wrong, 0);
    CHECK(slow.passed);
    crowd_free(c);
}

TEST(jobs_for_retained_messages_begin_anew)
{
    struct crowd *c = crowd_new(1, 1, NULL);
    keep_many(c);
    c->rig.expected = RETAINED + BUS_SLICE;
    crowd_run(c, ask_twice);
    CHECK_EQ_UINT(c->ears[0].got, RETAINED + BUS_SLICE);
    CHECK_EQ_UINT(c->rig.bus->lanes[0].jobs_n, 0);
    crowd_free(c);
}

static void ask_and_leave(struct crowd *c)
{
    ask_for_retained(c);
    CHECK(
        bus_unsubscribe(c->rig.bus, &c->ears[0].subscriber, (struct str){NULL, 0}, STR("kept/#")));
    say(c, "small/1", 1); /* behind it */
}

TEST(jobs_for_retained_messages_end_with_the_subscription)
{
    struct crowd *c = crowd_new(1, 1, NULL);
    keep_many(c);
    c->rig.expected = BUS_SLICE + 1;
    crowd_run(c, ask_and_leave);
    bus_settle(c->rig.bus);
    CHECK_EQ_UINT(c->ears[0].got, BUS_SLICE);
    CHECK_EQ_UINT(c->rig.bus->lanes[0].jobs_n, 0);
    crowd_free(c);
}

/* Without a run nobody waits for others: all of it at once. */
TEST(jobs_need_no_slices_without_a_run)
{
    struct crowd *c = crowd_new(1, 2000, NULL);
    for (unsigned i = 0; i < c->n; i++)
        c->ears[i].subscriber.worker = NULL;
    c->rig.expected = UINT64_MAX;
    say(c, "big/0", 1);
    CHECK_EQ_UINT(crowd_got(c), 2000);
    keep_many(c);
    c->ears[0].subscriber.deliver = count_retained;
    const struct subscription sub = {.filter = STR("kept/#"), .subscriber = &c->ears[0].subscriber};
    REQUIRE(CHECK_EQ_INT(bus_subscribe(c->rig.bus, &sub, NULL), ERR_OK));
    bus_send_retained(c->rig.bus, &sub);
    CHECK_EQ_UINT(c->ears[0].got, RETAINED + 1);
    crowd_free(c);
}

/* ---- without memory ---- */

static struct alloc_faulty scarce;

/* Nothing can wait then, so it is all done at once, in order. */
static void talk_without_memory(struct crowd *c)
{
    say(c, "big/0", 1);
    say(c, "big/0", 2); /* and its route is remembered */
    CHECK_EQ_UINT(crowd_got(c), BUS_SLICE);
    scarce.fail_at = scarce.count;
    say(c, "big/0", 3);
    CHECK_EQ_UINT(crowd_got(c), 3 * c->n);
    say(c, "big/0", 4);
    CHECK_EQ_UINT(crowd_got(c), 4 * c->n);
    scarce.fail_at = UINT64_MAX;
    CHECK(scarce.failed);
    say(c, "small/1", 1);
}

TEST(jobs_without_memory_keep_the_order)
{
    alloc_faulty_init(&scarce, UINT64_MAX);
    const struct bus_config cfg = {.alloc = &scarce.alloc, .messages = alloc_system()};
    struct crowd *c = crowd_new(1, 2000, &cfg);
    c->rig.expected = 4 * 2000 + 1;
    crowd_run(c, talk_without_memory);
    CHECK_EQ_UINT(c->rig.wrong, 0);
    crowd_free(c);
    CHECK_EQ_UINT(scarce.live_bytes, 0);
}
