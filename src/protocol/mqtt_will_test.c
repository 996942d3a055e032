/* Wills over the end of the process, in a simulated world: who was connected when the power went,
 * and who is back in time. */
#include "codec/mqtt.h"
#include "protocol/mqtt_rig_test.h"
#include "tests/support/mqtt_world.h"

enum leaving { STAYS, DROPS, SAYS_BYE, SENDS_IT };

struct row {
    const char *what, *topic;
    enum mqtt_version version;
    uint16_t keep_alive_s;
    uint32_t expiry_s, delay_s;
    enum leaving leaving;
    int64_t before_s; /* from its leaving to the end of the broker */
    int64_t again_s;  /* from the start to one more end; 0: none */
    int64_t back_s;   /* from the first start to its return; 0: none */
    bool clean;       /* it returns with a clean start */
    int64_t at_s;     /* when its will comes, from the first start; 0: never */
};

struct scene {
    struct world w;
    struct peer watcher, client;
    int wills; /* heard so far */
};

static void put(struct peer *p, enum mqtt_version version, const struct mqtt_packet *packet)
{
    uint8_t bytes[4096];
    struct writer w = writer_from(bytes, sizeof(bytes));
    enum err err = mqtt_encode(version, packet, &w);
    ASSERT(!err);
    peer_send(p, bytes, writer_len(&w));
}

/* All that has come; gives the reason of the CONNACK, or -1. */
static int hear(struct scene *s, struct peer *p, enum mqtt_version version)
{
    const struct mqtt_decoder d = {.version = version, .size_max = 1 << 16};
    int connack = -1;
    for (size_t used = 0; p->n; peer_used(p, used)) {
        struct mqtt_packet in;
        enum mqtt_result r = mqtt_decode(&d, (struct bytes){p->in, p->n}, &in, &used);
        ASSERT(r == MQTT_OK);
        if (in.type == MQTT_CONNACK)
            connack = in.connack.reason;
        if (in.type != MQTT_PUBLISH)
            continue;
        const struct mqtt_packet ack = {.type = MQTT_PUBACK, .ack = {.id = in.publish.id}};
        if (in.publish.qos)
            put(p, version, &ack);
        s->wills += !str_eq(in.publish.topic, STR("fill"));
    }
    return connack;
}

static int answer_to(struct scene *s, struct peer *p, enum mqtt_version version,
                     const struct mqtt_packet *connect)
{
    if (p->stream)
        peer_drop(p);
    peer_connect(p, &s->w);
    put(p, version, connect);
    world_settle(&s->w);
    return hear(s, p, version);
}

static void come(struct scene *s, struct peer *p, enum mqtt_version version,
                 const struct mqtt_packet *connect)
{
    CHECK_EQ_INT(answer_to(s, p, version, connect), 0);
}

static void watch(struct scene *s)
{
    const struct mqtt_packet hello = {.type = MQTT_CONNECT,
                                      .connect = {.version = MQTT_V311, .client_id = STR("w")}};
    uint8_t room[20];
    struct writer filters = writer_from(room, sizeof(room));
    mqtt_put_filter(&filters, MQTT_SUBSCRIBE, STR("#"), 1);
    const struct mqtt_packet all = {
        .type = MQTT_SUBSCRIBE, .subscribe = {.id = 1, .filters = {room, writer_len(&filters)}}};
    come(s, &s->watcher, MQTT_V311, &hello);
    put(&s->watcher, MQTT_V311, &all);
    world_settle(&s->w);
}

static int join_answer(struct scene *s, const struct row *row, bool with_will, bool clean)
{
    struct mqtt_packet hello = {.type = MQTT_CONNECT};
    struct mqtt_connect *m = &hello.connect;
    m->version = row->version;
    m->client_id = STR("c");
    m->clean_start = clean;
    m->keep_alive_s = row->keep_alive_s;
    m->has_will = with_will;
    m->will_qos = with_will;
    m->will_topic = str_from(row->topic ? row->topic : "gone");
    m->will_payload = (struct bytes){(const uint8_t *)"x", 1};
    if (row->expiry_s) {
        m->props.has = MQTT_HAS(MQTT_PROP_SESSION_EXPIRY);
        m->props.session_expiry_s = row->expiry_s;
    }
    if (row->delay_s) {
        m->will_props.has = MQTT_HAS(MQTT_PROP_WILL_DELAY);
        m->will_props.will_delay_s = row->delay_s;
    }
    return answer_to(s, &s->client, row->version, &hello);
}

static void join(struct scene *s, const struct row *row, bool with_will, bool clean)
{
    CHECK_EQ_INT(join_answer(s, row, with_will, clean), 0);
}

static void pass(struct scene *s, int64_t ms)
{
    world_wait_ms(&s->w, ms);
    (void)hear(s, &s->watcher, MQTT_V311);
    world_settle(&s->w);
}

static void leave(struct scene *s, const struct row *row)
{
    const struct mqtt_packet bye = {
        .type = MQTT_DISCONNECT,
        .end = {.reason = row->leaving == SENDS_IT ? MQTT_RC_DISCONNECT_WITH_WILL : 0}};
    if (row->leaving == DROPS)
        peer_drop(&s->client);
    else if (row->leaving != STAYS)
        put(&s->client, row->version, &bye);
    pass(s, 500 * row->before_s);
    pass(s, 500 * row->before_s); /* what was acknowledged is stored within a second */
}

static void restart(struct scene *s, enum env_sim_off how)
{
    peer_drop(&s->client);
    peer_drop(&s->watcher);
    world_restart(&s->w, how);
    watch(s);
}

static void checkpoint(struct scene *s)
{
    mqtt_server_checkpoint(s->w.server);
    world_wait_ms(&s->w, 100);
}

static const struct row rows[] = {
    {"1.5 times its keep-alive", .version = MQTT_V311, .keep_alive_s = 60, .at_s = 90},
    {"it is back in time", .version = MQTT_V311, .keep_alive_s = 60, .back_s = 80},
    {"no keep-alive", .version = MQTT_V311, .at_s = 90},
    {"a short keep-alive", .version = MQTT_V311, .keep_alive_s = 1, .at_s = 5},
    {"a delay that is more", .version = MQTT_V5, .keep_alive_s = 20, .expiry_s = 1000,
     .delay_s = 200, .at_s = 200},
    {"a delay that is less", .version = MQTT_V5, .keep_alive_s = 60, .expiry_s = 1000,
     .delay_s = 10, .at_s = 90},
    {"a session that ends before", .version = MQTT_V5, .keep_alive_s = 60, .expiry_s = 30,
     .at_s = 30},
    {"a delay without a session", .version = MQTT_V5, .keep_alive_s = 10, .delay_s = 40,
     .at_s = 40},
    {"it was waiting", .version = MQTT_V5, .keep_alive_s = 10, .expiry_s = 1000, .delay_s = 200,
     .leaving = DROPS, .before_s = 50, .at_s = 150},
    {"it was waiting, and is back", .version = MQTT_V5, .keep_alive_s = 10, .expiry_s = 1000,
     .delay_s = 200, .leaving = DROPS, .before_s = 50, .back_s = 100},
    {"back in its session", .version = MQTT_V5, .keep_alive_s = 60, .expiry_s = 1000, .back_s = 50},
    {"back with a clean start: the session is over", .version = MQTT_V5, .keep_alive_s = 60,
     .expiry_s = 1000, .back_s = 50, .clean = true, .at_s = 50},
    {"it has said goodbye", .version = MQTT_V311, .keep_alive_s = 10, .leaving = SAYS_BYE,
     .before_s = 2},
    {"it was sent before", .version = MQTT_V5, .keep_alive_s = 10, .leaving = SENDS_IT,
     .before_s = 4, .at_s = -1},
    {"the site ends once more", .version = MQTT_V311, .keep_alive_s = 60, .again_s = 50,
     .at_s = 90},
    {"once more, with a session", .version = MQTT_V5, .keep_alive_s = 60, .expiry_s = 1000,
     .again_s = 50, .at_s = 90},
    {"a command of somebody's device", "owned/set", .version = MQTT_V311, .keep_alive_s = 10},
};

/* It is at_s, give or take: the wills are looked at ten times a second, sessions once a second. */
static void check_when(struct scene *s, const struct row *row, int64_t from_ns)
{
    int64_t now_ms = (sim_now_ns(s->w.sim) - from_ns) / 1000000;
    if (row->at_s > row->back_s) {
        pass(s, row->at_s * 1000 - 1000 - now_ms);
        CHECK_EQ_INT(s->wills, 0);
        pass(s, 3500);
        CHECK_EQ_INT(s->wills, 1);
    }
    pass(s, 400000);
    CHECK_EQ_INT(s->wills, row->at_s ? 1 : 0);
}

static void scene_open(struct scene *s)
{
    world_open(&s->w);
    peer_init(&s->watcher, &s->w);
    peer_init(&s->client, &s->w);
    watch(s);
}

static void play(const struct row *row, enum env_sim_off how, bool stored)
{
    static struct scene s;
    s = (struct scene){.w.seed = test_seed()};
    scene_open(&s);
    join(&s, row, true, !row->expiry_s);
    leave(&s, row);
    if (stored)
        checkpoint(&s);
    restart(&s, how);
    int64_t from_ns = sim_now_ns(s.w.sim);
    if (row->again_s) {
        if (stored)
            checkpoint(&s);
        pass(&s, 1000 * row->again_s);
        restart(&s, how);
    }
    if (row->back_s) {
        pass(&s, 1000 * row->back_s);
        CHECK_EQ_INT(s.wills, 0);
        join(&s, row, false, row->clean || !row->expiry_s);
    }
    check_when(&s, row, from_ns);
    pass(&s, 2000);
    restart(&s, how);
    pass(&s, 400000);
    CHECK_EQ_INT(s.wills, row->at_s ? 1 : 0);
    CHECK_EQ_UINT(atomic_load(&s.w.server->will_bytes), 0);
    peer_drop(&s.watcher);
    peer_drop(&s.client);
    world_close(&s.w);
}

TEST(mqtt_wills_over_the_end_of_the_process)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int k = 0; k < 4; k++) {
            LABEL("%s, %s%s", rows[i].what, k & 1 ? "kill" : "power",
                  k & 2 ? ", from the database" : "");
            play(&rows[i], k & 1 ? ENV_SIM_KILL : ENV_SIM_POWER, k & 2);
        }
}

/* Retained messages until the journal takes no more. */
static void fill_disk(struct scene *s)
{
    struct env *env = s->w.house;
    struct disk_sim *disk = env_sim_disk(env);
    uint64_t free_bytes = 0;
    uint8_t payload[3000];
    struct random r;
    random_seed(&r, test_seed());
    disk_sim_room(disk, UINT64_MAX >> 1);
    REQUIRE(env->disk->ops->free_bytes(env->disk, "/site", &free_bytes, NULL) == ERR_OK);
    disk_sim_room(disk, (UINT64_MAX >> 1) - free_bytes + 1);
    for (int n = 0; !journal_no_room(s->w.journal); n++) {
        const struct mqtt_packet p = {.type = MQTT_PUBLISH,
                                      .publish = {.retain = true,
                                                  .topic = STR("fill"),
                                                  .payload = {payload, sizeof(payload)}}};
        REQUIRE(n < 1000);
        for (size_t i = 0; i < sizeof(payload); i++)
            payload[i] = (uint8_t)random_below(&r, 256);
        put(&s->watcher, MQTT_V311, &p);
        world_settle(&s->w);
        (void)hear(s, &s->watcher, MQTT_V311);
    }
}

/* Who came while the disk was full has a will that lasts as soon as there is room. */
TEST(mqtt_wills_of_a_full_disk)
{
    static const struct row row = {.version = MQTT_V311};
    static struct scene s;
    s = (struct scene){.w.seed = test_seed()};
    scene_open(&s);
    fill_disk(&s);
    join(&s, &row, true, true);
    pass(&s, 5000);
    CHECK(journal_no_room(s.w.journal));
    disk_sim_room(env_sim_disk(s.w.house), 0);
    pass(&s, 100000);
    CHECK(!journal_no_room(s.w.journal));
    CHECK_EQ_INT(s.wills, 0);
    restart(&s, ENV_SIM_POWER);
    pass(&s, 1000 * (WILL_GRACE_S + 2));
    CHECK_EQ_INT(s.wills, 1);
    peer_drop(&s.watcher);
    peer_drop(&s.client);
    world_close(&s.w);
}

/* What was delivered while the disk was full has reached nobody who was away, and is not retained
 * for good: it comes again after a power cut. */
TEST(mqtt_wills_that_a_full_disk_does_not_store)
{
    static const struct row row = {.version = MQTT_V311};
    static struct scene s;
    s = (struct scene){.w.seed = test_seed()};
    scene_open(&s);
    join(&s, &row, true, true);
    fill_disk(&s);
    peer_drop(&s.client);
    pass(&s, 5000);
    CHECK_EQ_INT(s.wills, 1);
    disk_sim_room(env_sim_disk(s.w.house), 0);
    restart(&s, ENV_SIM_POWER);
    pass(&s, 1000 * (WILL_GRACE_S + 2));
    CHECK_EQ_INT(s.wills, 2);
    pass(&s, 2000);
    restart(&s, ENV_SIM_POWER);
    pass(&s, 1000 * (WILL_GRACE_S + 2));
    CHECK_EQ_INT(s.wills, 2);
    peer_drop(&s.watcher);
    world_close(&s.w);
}

/* Who is refused has not been back: what waited of his connection before is in force still, over
 * the next end, too. */
TEST(mqtt_wills_of_who_is_refused)
{
    static const struct row row = {.version = MQTT_V311};
    for (int stored = 0; stored < 2; stored++) {
        static struct scene s;
        static struct peer other;
        const struct mqtt_packet hello = {
            .type = MQTT_CONNECT,
            .connect = {.version = MQTT_V311, .client_id = STR("o"), .clean_start = true}};
        LABEL("%s", stored ? "from the database" : "from the journal");
        s = (struct scene){.w = {.seed = test_seed(), .limits = {.sessions_max = 2}}};
        scene_open(&s);
        peer_init(&other, &s.w);
        join(&s, &row, true, true);
        restart(&s, ENV_SIM_POWER);
        come(&s, &other, MQTT_V311, &hello);
        CHECK_EQ_INT(join_answer(&s, &row, true, true), mqtt_connack_code_311(MQTT_RC_SERVER_BUSY));
        if (stored)
            checkpoint(&s);
        pass(&s, 2000);
        peer_drop(&other);
        restart(&s, ENV_SIM_POWER);
        pass(&s, 1000 * (WILL_GRACE_S + 2));
        CHECK_EQ_INT(s.wills, 1);
        pass(&s, 2000);
        restart(&s, ENV_SIM_POWER);
        pass(&s, 1000 * (WILL_GRACE_S + 2));
        CHECK_EQ_INT(s.wills, 1);
        peer_drop(&s.watcher);
        world_close(&s.w);
    }
}

/* ---- with a real disk ---- */

static const struct hello_opt lamp = {
    .version = MQTT_V311, .clean = true, .will_topic = "will", .will = "out"};

TEST(mqtt_wills_are_stored_before_connack)
{
    struct broker b = {0};
    struct client c, none, w;
    broker_start(&b, NULL);
    client_join(&w, &b, "w", (struct hello_opt){.clean = true}, false);
    client_subscribe(&w, 1, "will", 0, 0);
    EXPECT(&w, "SUBACK id=1 codes 00");
    moody_set(&b.disk, true, false);
    client_open(&c, &b);
    client_hello(&c, "c", lamp);
    moody_await(&b.disk);
    client_join(&none, &b, "none", (struct hello_opt){.clean = true},
                false); /* waits for nothing */
    struct pollfd silent = {.fd = c.fd, .events = POLLIN};
    CHECK_EQ_INT(poll(&silent, 1, 0), 0);
    client_close(&c); /* before it was let in: nobody has promised anything */
    client_open(&c, &b);
    client_hello(&c, "c", lamp);
    EXPECT_NOTHING(&none);
    EXPECT_NOTHING(&w);
    moody_set(&b.disk, false, false);
    EXPECT(&c, "CONNACK reason=00 session=0");
    client_close(&c);
    EXPECT(&w, "PUBLISH qos=0 dup=0 retain=0 id=0 topic=will payload=out");
    EXPECT_NOTHING(&w);
    client_close(&none);
    client_close(&w);
    broker_stop(&b);
}

/* A site with a broken disk sees its devices, and tells when they go. */
TEST(mqtt_wills_that_cannot_be_stored)
{
    struct broker b = {0};
    struct client c, w;
    broker_start(&b, NULL);
    client_join(&w, &b, "w", (struct hello_opt){.clean = true}, false);
    client_subscribe(&w, 1, "will", 0, 0);
    EXPECT(&w, "SUBACK id=1 codes 00");
    moody_set(&b.disk, false, true);
    for (int i = 0; i < 2; i++) { /* the sync fails; then the journal has failed */
        LABEL("%d", i);
        client_join(&c, &b, "c", lamp, false);
        client_close(&c);
        EXPECT(&w, "PUBLISH qos=0 dup=0 retain=0 id=0 topic=will payload=out");
    }
    struct hello_opt lasting = lamp;
    lasting.clean = false;
    client_open(&c, &b);
    client_hello(&c, "lasting", lasting);
    EXPECT(&c, "CONNACK reason=03 session=0");
    client_close(&c);
    client_close(&w);
    broker_stop(&b);
}

TEST(mqtt_wills_have_a_limit)
{
    enum { SIZE = 3000 };
    struct broker b = {.light = true, .limits = {.will_bytes_max = 2 * SIZE}};
    struct client c, d;
    char big[SIZE + 1];
    memset(big, 'x', SIZE);
    big[SIZE] = '\0';
    const struct hello_opt hello = {.clean = true, .will_topic = "will", .will = big};
    broker_start(&b, NULL);
    client_join(&c, &b, "c", hello, false);
    client_open(&d, &b);
    client_hello(&d, "d", hello);
    EXPECT(&d, "CONNACK reason=97 session=0");
    EXPECT(&d, "END");
    client_close(&d);
    client_bye(&c);
    client_join(&d, &b, "d", hello, false); /* there is room again */
    client_bye(&d);
    broker_stop(&b);
}

/* Who has connected again before the delay was over is back, however long his CONNACK takes. */
TEST(mqtt_wills_wait_for_who_is_coming_back)
{
    struct broker b = {.limits = {.connect_timeout_ms = 10 * RIG_PATIENCE_MS}};
    struct client c, clock, w;
    struct hello_opt hello = {
        .expiry_s = 1000, .will_topic = "will", .will = "x", .will_delay_s = 1};
    broker_start(&b, NULL);
    client_join(&w, &b, "w", (struct hello_opt){.clean = true}, false);
    client_subscribe(&w, 1, "#", 0, 0);
    EXPECT(&w, "SUBACK id=1 codes 00");
    client_join(&c, &b, "c", hello, false);
    hello.will_topic = "clock";
    client_join(&clock, &b, "clock", hello, false);
    client_close(&c);
    moody_set(&b.disk, true, false);
    client_open(&c, &b);
    hello.will_topic = "will";
    client_hello(&c, "c", hello);
    moody_await(&b.disk);
    client_close(&clock);
    EXPECT(&w, "PUBLISH qos=0 dup=0 retain=0 id=0 topic=clock payload=x"); /* a second has passed */
    EXPECT_NOTHING(&w);
    moody_set(&b.disk, false, false);
    EXPECT_HAS(&c, "CONNACK reason=00 session=1");
    client_bye(&c);
    EXPECT_NOTHING(&w);
    client_close(&w);
    broker_stop(&b);
}

/* All that the journal takes while its sync is held. */
static void fill_journal(struct broker *b)
{
    static const uint8_t zero[1000];
    uint64_t seq;
    enum err err = ERR_OK;
    moody_set(&b->disk, true, false);
    for (size_t n = sizeof(zero); n; n /= 10)
        do {
            const struct iovec part = {(void *)(uintptr_t)zero, n};
            err = journal_append(b->journal, JOURNAL_SAMPLE, false, &part, 1, &seq);
            moody_await(&b->disk); /* behind the first one, which is on its way to the disk */
        } while (!err);
    CHECK_EQ_INT(err, ERR_FULL);
}

/* What its client says when it is back comes behind its will, however long that takes. */
TEST(mqtt_wills_come_before_who_is_back)
{
    const struct hello_opt hello = {
        .clean = true, .will_topic = "is", .will = "out", .will_retain = true};
    struct broker b = {.group_bytes_max = 20000};
    struct client c, w;
    broker_start(&b, NULL);
    client_join(&w, &b, "w", (struct hello_opt){.clean = true}, false);
    client_subscribe(&w, 1, "is", 0, 0);
    EXPECT(&w, "SUBACK id=1 codes 00");
    client_join(&c, &b, "c", hello, false);
    fill_journal(&b);
    client_close(&c);
    client_open(&c, &b);
    client_hello(&c, "c", (struct hello_opt){.clean = true});
    client_publish(&c, 0, "is", "in", true);
    EXPECT_NOTHING(&w);
    struct pollfd silent = {.fd = c.fd, .events = POLLIN};
    CHECK_EQ_INT(poll(&silent, 1, 0), 0);
    moody_set(&b.disk, false, false);
    EXPECT_HAS(&w, "topic=is payload=out");
    EXPECT_HAS(&w, "topic=is payload=in");
    EXPECT_HAS(&c, "CONNACK reason=00");
    client_bye(&c);
    client_close(&w);
    broker_stop(&b);
}
