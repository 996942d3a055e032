/* Who is left out, and who is chosen: access rules, observers, members of shares. */
#include "bus/bus_rig_test.h"

/* ---- access rules ---- */

/* One's rights are a text: a letter for each act that one may do on secret topics. */
static bool by_letter(const struct bus_access *a, const struct bus_publisher *who, enum bus_act act,
                      struct str topic, char *why)
{
    static const char letters[] = {'P', 'S', 'D'};
    bool may = !str_starts(topic, STR("secret")) || strchr(who->rights, letters[act]);
    (void)a;
    if (!may && why)
        (void)snprintf(why, 160, "%.*s may not", STR_FMT(who->name));
    return may;
}

static const struct bus_access rules = {.check = by_letter};

TEST(access_rules_are_asked_on_every_way)
{
    struct bus_rig r = {0};
    struct listener_rig l;
    struct bus_receipt receipt;
    bus_rig_light(&r);
    listener_rig_init(&l, r.bus);
    char s[] = "S", sd[] = "SD", d[] = "D";
    struct bus_publisher from = {.id = 9, .name = STR("ada"), .rights = sd};
    l.subscriber.rights = s;
    bus_access_set(r.bus, &rules);
    rig_subscribe(&l, "secret/#", 0, 0);
    rig_subscribe(&l, "open", 0, 0);
    CHECK_EQ_INT(rig_publish_as(r.bus, &from, "secret/a", "1", 0, true, &receipt), ERR_DENIED);
    CHECK_EQ_STR(receipt.why, "ada may not");
    CHECK_EQ_UINT(bus_stats(r.bus).retained, 0);
    CHECK_EQ_INT(rig_publish_as(r.bus, &from, "open", "2", 0, false, &receipt), ERR_OK);
    CHECK_EQ_INT(rig_publish_as(r.bus, NULL, "secret/a", "3", 0, true, &receipt), ERR_OK);
    CHECK_EQ_UINT(receipt.matched, 0); /* live */
    const struct subscription sub = {.filter = STR("secret/#"), .subscriber = &l.subscriber};
    bus_send_retained(r.bus, &sub);
    CHECK_GOT(&l, "open=2/0 ");
    l.subscriber.rights = sd;
    bus_send_retained(r.bus, &sub);
    CHECK_GOT(&l, "secret/a=3/0r ");
    l.subscriber.rights = d;
    CHECK_EQ_INT(bus_subscribe(r.bus, &sub, NULL), ERR_DENIED);
    /* Who has no rights to look up, or is trusted, is not asked about; nor anybody without rules.
     */
    from.trusted = true;
    CHECK_EQ_INT(rig_publish_as(r.bus, &from, "secret/a", "4", 0, false, &receipt), ERR_OK);
    from.trusted = false;
    from.rights = NULL;
    CHECK_EQ_INT(rig_publish_as(r.bus, &from, "secret/a", "5", 0, false, &receipt), ERR_OK);
    from.rights = sd;
    bus_access_set(r.bus, NULL);
    CHECK_EQ_INT(rig_publish_as(r.bus, &from, "secret/a", "6", 0, false, &receipt), ERR_OK);
    CHECK_GOT(&l, "secret/a=4/0 secret/a=5/0 secret/a=6/0 ");
    listener_rig_fini(&l);
    bus_rig_light_close(&r);
}

/* ---- observers ---- */

struct watched {
    struct clock_manual clock;
    struct env env;
    struct executor *ex;
    struct bus *bus;
    struct listener_rig eye;
};

static void watched_open(struct watched *w, uint32_t every_ms)
{
    struct error e = {0};
    clock_manual_init(&w->clock, 1000000);
    clock_manual_advance(&w->clock, 1000000000);
    w->env = *env_linux();
    w->env.clock = &w->clock.clock;
    const struct executor_config ec = {
        .env = &w->env, .workers = 1, .driver = "epoll", .offload_threads = 1};
    REQUIRE(CHECK_EQ_INT(executor_new(&w->ex, &ec, &e), ERR_OK));
    const struct bus_config cfg = {.ex = w->ex};
    REQUIRE(CHECK_EQ_INT(bus_new(&w->bus, &cfg, &e), ERR_OK));
    listener_rig_init(&w->eye, w->bus);
    const struct subscription all = {
        .filter = STR("#"), .subscriber = &w->eye.subscriber, .every_ms = every_ms};
    REQUIRE(CHECK_EQ_INT(bus_subscribe(w->bus, &all, NULL), ERR_OK));
}

static void watched_close(struct watched *w)
{
    listener_rig_fini(&w->eye);
    bus_free(w->bus);
    executor_free(w->ex);
}

TEST(observers_look_now_and_then)
{
    struct watched w;
    watched_open(&w, 100);
    for (int i = 0; i < 2; i++) { /* a topic is remembered when it comes again */
        (void)rig_publish(w.bus, "a", "", 0, false);
        (void)rig_publish(w.bus, "b", "", 0, false);
    }
    strbuf_reset(&w.eye.got);
    clock_manual_advance(&w.clock, 100000000);
    CHECK_EQ_UINT(rig_publish(w.bus, "a", "1", 1, false).matched, 0);
    (void)rig_publish(w.bus, "a", "2", 1, false);
    (void)rig_publish(w.bus, "b", "3", 1, false);
    CHECK_GOT(&w.eye, "a=1/0 b=3/0 ");
    clock_manual_advance(&w.clock, 99999999);
    (void)rig_publish(w.bus, "a", "4", 1, false);
    CHECK_GOT(&w.eye, "");
    clock_manual_advance(&w.clock, 1);
    (void)rig_publish(w.bus, "a", "5", 1, false);
    CHECK_GOT(&w.eye, "a=5/0 ");
    /* By an ordinary subscription it gets all of a topic, and then does not look at it. */
    rig_subscribe(&w.eye, "a", 1, 0);
    CHECK_EQ_UINT(rig_publish(w.bus, "a", "6", 1, false).matched, 1);
    (void)rig_publish(w.bus, "a", "7", 1, false);
    CHECK_GOT(&w.eye, "a=6/1 a=7/1 ");
    watched_close(&w);
}

TEST(observers_are_not_flooded_with_topics)
{
    struct watched w;
    char topic[20];
    watched_open(&w, 100);
    for (int i = 0; i < 3 * BUS_OBSERVED_MAX; i++) {
        (void)snprintf(topic, sizeof(topic), "t%d", i);
        (void)rig_publish(w.bus, topic, "", 0, false);
    }
    size_t got = 0;
    for (size_t i = 0; i < w.eye.got.n; i++)
        got += w.eye.got.p[i] == ' ';
    CHECK_EQ_UINT(got, BUS_OBSERVED_MAX);
    strbuf_reset(&w.eye.got);
    clock_manual_advance(&w.clock, 1000000000);
    (void)rig_publish(w.bus, "t2999", "", 0, false);
    CHECK_GOT(&w.eye, "t2999=/0 ");
    watched_close(&w);
}

/* ---- shares ---- */

enum { MEMBERS = 3 };
struct share_rig {
    struct bus_rig base;
    struct listener_rig members[MEMBERS];
};

static void share_open(struct share_rig *s, bool journal)
{
    *s = (struct share_rig){0};
    if (journal)
        bus_rig_open(&s->base, NULL);
    else
        bus_rig_light(&s->base);
    for (size_t i = 0; i < MEMBERS; i++)
        listener_rig_init(&s->members[i], s->base.bus);
}

static void share_join(struct share_rig *s, size_t i, uint8_t qos, bool stored,
                       enum bus_presence presence)
{
    struct subscriber *x = &s->members[i].subscriber;
    const struct subscription sub = {
        .filter = STR("t/+"), .share = STR("g"), .subscriber = x, .qos = qos, .stored = stored};
    REQUIRE(CHECK_EQ_INT(bus_subscribe(s->base.bus, &sub, NULL), ERR_OK));
    bus_presence_set(s->base.bus, x, presence);
}

static void share_close(struct share_rig *s, bool journal)
{
    for (size_t i = 0; i < MEMBERS; i++)
        listener_rig_fini(&s->members[i]);
    if (journal)
        bus_rig_close(&s->base);
    else
        bus_rig_light_close(&s->base);
}

/* Which members got something since the last time: "012" in the order of their numbers. */
static const char *who_got(struct share_rig *s, char out[MEMBERS + 1])
{
    size_t n = 0;
    for (size_t i = 0; i < MEMBERS; i++) {
        if (s->members[i].got.n)
            out[n++] = (char)('0' + i);
        strbuf_reset(&s->members[i].got);
    }
    out[n] = '\0';
    return out;
}

TEST(shares_prefer_who_takes_it_at_once)
{
    static const struct {
        const char *label, *may; /* who may get it */
        enum bus_presence presence[MEMBERS];
        bool stored[MEMBERS];
        uint8_t qos, published;
        uint64_t lost;
    } cases[] = {
        {"one is ready", "1", {BUS_BUSY, BUS_READY, BUS_AWAY}, {true, true, true}, 1, 1, 0},
        {"all are busy but one", "0", {BUS_BUSY, BUS_AWAY, BUS_AWAY}, {false, true, true}, 1, 1, 0},
        {"all are away, one is stored",
         "2",
         {BUS_AWAY, BUS_AWAY, BUS_AWAY},
         {false, false, true},
         1,
         1,
         0},
        {"QoS 0 does not wait", "", {BUS_AWAY, BUS_AWAY, BUS_AWAY}, {true, true, true}, 1, 0, 1},
        {"granted QoS 0 does not wait",
         "",
         {BUS_AWAY, BUS_AWAY, BUS_AWAY},
         {true, true, true},
         0,
         1,
         1},
        {"nobody is stored", "", {BUS_AWAY, BUS_AWAY, BUS_AWAY}, {false, false, false}, 1, 1, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct share_rig s;
        char got[MEMBERS + 1];
        LABEL("%s", cases[i].label);
        share_open(&s, false);
        for (size_t k = 0; k < MEMBERS; k++)
            share_join(&s, k, cases[i].qos, cases[i].stored[k], cases[i].presence[k]);
        for (int n = 0; n < MEMBERS; n++) { /* whoever's turn it is */
            uint32_t matched =
                rig_publish(s.base.bus, "t/1", "x", cases[i].published, false).matched;
            CHECK_EQ_UINT(matched, cases[i].may[0] != '\0');
            CHECK_EQ_STR(who_got(&s, got), cases[i].may);
        }
        CHECK_EQ_UINT(bus_stats(s.base.bus).lost, cases[i].lost * MEMBERS);
        share_close(&s, false);
    }
}

TEST(shares_take_turns)
{
    struct share_rig s;
    char topic[20];
    share_open(&s, false);
    for (size_t i = 0; i < MEMBERS; i++)
        share_join(&s, i, 0, false, BUS_READY);
    for (int n = 0; n < 30; n++) { /* over all topics of the filter */
        (void)snprintf(topic, sizeof(topic), "t/%d", n);
        CHECK_EQ_UINT(rig_publish(s.base.bus, topic, "x", 0, false).matched, 1);
    }
    for (size_t i = 0; i < MEMBERS; i++) {
        size_t got = 0;
        for (size_t k = 0; k < s.members[i].got.n; k++)
            got += s.members[i].got.p[k] == ' ';
        CHECK_EQ_UINT(got, 10);
    }
    share_close(&s, false);
}

/* In the journal only if the one that was chosen is stored, and it waits for that. */
TEST(shares_are_journaled_for_who_gets_it)
{
    struct share_rig s;
    share_open(&s, true);
    share_join(&s, 0, 1, false, BUS_READY);
    share_join(&s, 1, 1, true, BUS_AWAY);
    CHECK_EQ_UINT(rig_publish(s.base.bus, "t/1", "x", 1, false).seq, 0);
    bus_presence_set(s.base.bus, &s.members[0].subscriber, BUS_AWAY);
    CHECK_EQ_UINT(rig_publish(s.base.bus, "t/1", "y", 0, false).seq, 0);
    CHECK(rig_publish(s.base.bus, "t/1", "z", 1, false).seq > 0);
    CHECK_GOT(&s.members[0], "t/1=x/1 ");
    CHECK_GOT(&s.members[1], "t/1=z/1 ");
    share_close(&s, true);
}

static uint64_t last_share;
static struct message *last_message;

static void keep_it(struct subscriber *x, struct message *m, const struct sub_options *const *subs,
                    size_t n, bool retained)
{
    (void)x, (void)n, (void)retained;
    message_unref(last_message);
    last_message = message_ref(m);
    last_share = subs[0]->share_id;
}

TEST(shares_are_handed_over)
{
    struct share_rig s;
    char got[MEMBERS + 1];
    struct bus *b;
    share_open(&s, false);
    b = s.base.bus;
    struct subscriber *first = &s.members[0].subscriber;
    first->deliver = keep_it;
    share_join(&s, 0, 1, true, BUS_READY);
    (void)rig_publish(b, "t/1", "x", 1, false);
    REQUIRE(last_message != NULL);
    CHECK(!bus_share_again(b, last_share, last_message, first)); /* it is alone */
    share_join(&s, 1, 1, true, BUS_AWAY);
    CHECK(bus_share_again(b, last_share, last_message, first)); /* it stays, but does not want it */
    CHECK_EQ_STR(who_got(&s, got), "1");
    bus_unsubscribe_all(b, first);
    share_join(&s, 2, 1, true, BUS_READY);
    CHECK(bus_share_again(b, last_share, last_message, NULL));
    CHECK_EQ_STR(who_got(&s, got), "2");
    bus_unsubscribe_all(b, &s.members[1].subscriber);
    bus_unsubscribe_all(b, &s.members[2].subscriber);
    CHECK(!bus_share_again(b, last_share, last_message, NULL)); /* the group has gone */
    CHECK_EQ_UINT(bus_stats(b).lost, 2);
    message_unref(last_message);
    last_message = NULL;
    share_close(&s, false);
}

/* A message that is handed over may lie in a ring when its member ends, and is freed. */
TEST(shares_are_not_handed_to_who_has_been_freed)
{
    struct bus_rig r;
    struct subscriber *leaves = mem_zero(alloc_system(), sizeof(*leaves));
    const struct subscription sub = {
        .filter = STR("t"), .share = STR("g"), .subscriber = leaves, .qos = 1};
    bus_rig_light(&r);
    leaves->deliver = keep_it;
    REQUIRE(CHECK_EQ_INT(bus_subscribe(r.bus, &sub, NULL), ERR_OK));
    bus_presence_set(r.bus, leaves, BUS_READY);
    (void)rig_publish(r.bus, "t", "x", 1, false);
    REQUIRE(last_message != NULL);
    struct sub *in_ring = sub_ref(routes_sub(r.bus->routes, leaves, sub.share, sub.filter));
    bus_unsubscribe_all(r.bus, leaves);
    mem_free(alloc_system(), leaves, sizeof(*leaves));
    CHECK_EQ_INT(deliver_again(&r.bus->lanes[0], in_ring, last_message), NOBODY);
    sub_unref(r.bus->routes, in_ring);
    message_unref(last_message);
    last_message = NULL;
    bus_rig_light_close(&r);
}

/* Who may not have it is passed over; an ordinary subscription is a delivery of its own. */
TEST(shares_and_rules_and_ordinary_subscriptions)
{
    struct share_rig s;
    char got[MEMBERS + 1];
    char nobody[] = "S";
    share_open(&s, false);
    s.members[0].subscriber.rights = nobody;
    bus_access_set(s.base.bus, &rules);
    for (size_t i = 0; i < 2; i++) {
        const struct subscription sub = {
            .filter = STR("secret"), .share = STR("g"), .subscriber = &s.members[i].subscriber};
        REQUIRE(CHECK_EQ_INT(bus_subscribe(s.base.bus, &sub, NULL), ERR_OK));
        bus_presence_set(s.base.bus, sub.subscriber, BUS_READY);
    }
    for (int i = 0; i < 4; i++) {
        CHECK_EQ_UINT(rig_publish(s.base.bus, "secret", "x", 0, false).matched, 1);
        CHECK_EQ_STR(who_got(&s, got), "1");
    }
    rig_subscribe(&s.members[1], "secret", 0, 5);
    CHECK_EQ_UINT(rig_publish(s.base.bus, "secret", "x", 0, false).matched, 2);
    CHECK_GOT(&s.members[1], "secret=x/0[5] secret=x/0 ");
    CHECK(bus_unsubscribe(s.base.bus, &s.members[1].subscriber, STR("g"), STR("secret")));
    CHECK(!bus_unsubscribe(s.base.bus, &s.members[1].subscriber, STR("h"), STR("secret")));
    CHECK_EQ_UINT(rig_publish(s.base.bus, "secret", "x", 0, false).matched, 1);
    CHECK_GOT(&s.members[1], "secret=x/0[5] ");
    share_close(&s, false);
}
