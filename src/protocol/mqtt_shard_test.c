#include "protocol/mqtt_rig_test.h"

/* Several workers: whichever a client is accepted on, its session is on one, and nobody sees which.
 * Each test runs with one, two and four. */

static const unsigned worker_counts[] = {1, 2, 4};

static const char *name_of(char out[40], const char *what, unsigned i)
{
    (void)snprintf(out, 40, "%s%u", what, i);
    return out;
}

/* Every shard has some of them: by chance none would have, once in a million million runs. */
static void check_spread(const struct broker *b)
{
    const struct mqtt_server *s = b->server;
    for (unsigned i = 0; i < s->shards_n; i++)
        CHECK(s->shards[i]->sessions.n > 0);
    CHECK_EQ_UINT(s->shards_n, b->workers);
}

/* A client sees the end a moment before the broker has counted it. */
static void await_connections(const struct broker *b, size_t most)
{
    while (mqtt_server_stats(b->server).connections > most)
        usleep(1000);
}

/* ---- messages from everybody to everybody ---- */

enum { RING = 40, ROUNDS = 3 };

/* CONNECT, SUBSCRIBE and PUBLISH in one piece: what lies behind CONNECT moves along. */
static void send_all_at_once(struct client *c, unsigned i)
{
    char id[40], topic[40];
    uint8_t room[600];
    struct writer w = writer_from(room, sizeof(room));
    struct mqtt_packet connect = {.type = MQTT_CONNECT,
                                  .connect = {.version = MQTT_V5, .clean_start = true}};
    connect.connect.client_id = str_from(name_of(id, "ring", i));
    connect.connect.props.has = MQTT_HAS(MQTT_PROP_SESSION_EXPIRY); /* is there behind the stop */
    connect.connect.props.session_expiry_s = 100;
    REQUIRE(mqtt_encode(MQTT_V5, &connect, &w) == ERR_OK);
    uint8_t filter[100];
    struct writer f = writer_from(filter, sizeof(filter));
    mqtt_put_filter(&f, MQTT_SUBSCRIBE, str_from(name_of(topic, "to/", i)), 1);
    const struct mqtt_packet subscribe = {
        .type = MQTT_SUBSCRIBE, .subscribe = {.id = 1, .filters = {filter, writer_len(&f)}}};
    REQUIRE(mqtt_encode(MQTT_V5, &subscribe, &w) == ERR_OK);
    client_send(c, room, writer_len(&w));
}

static void ring_of_clients(struct broker *b)
{
    static struct client clients[RING];
    char topic[40], want[100];
    for (unsigned i = 0; i < RING; i++) {
        client_open(&clients[i], b);
        send_all_at_once(&clients[i], i);
    }
    for (unsigned i = 0; i < RING; i++) {
        EXPECT_HAS(&clients[i], "CONNACK reason=00 session=0");
        EXPECT(&clients[i], "SUBACK id=1 codes 01");
    }
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = 0; i < RING; i++) {
            unsigned to = (i + 1 + round) % RING;
            client_publish(&clients[i], (uint16_t)(round + 1), name_of(topic, "to/", to), "hello",
                           false);
            (void)snprintf(want, sizeof(want), "PUBACK id=%u reason=00", round + 1);
            EXPECT(&clients[i], want);
            (void)snprintf(want, sizeof(want),
                           "PUBLISH qos=1 dup=0 retain=0 id=%u topic=to/%u payload=hello",
                           round + 1, to);
            EXPECT(&clients[to], want);
            client_puback(&clients[to], clients[to].last_id);
        }
    for (unsigned i = 0; i < RING; i++)
        EXPECT_NOTHING(&clients[i]);
    broker_halt(b);
    check_spread(b);
    struct mqtt_stats stats = mqtt_server_stats(b->server);
    CHECK_EQ_UINT(stats.sent, RING * ROUNDS);
    CHECK_EQ_UINT(stats.connects, RING);
    for (unsigned i = 0; i < RING; i++)
        client_close(&clients[i]);
    broker_free(b);
}

TEST(mqtt_clients_of_all_workers_reach_each_other)
{
    for (size_t i = 0; i < ARRAY_LEN(worker_counts); i++) {
        LABEL("%u workers", worker_counts[i]);
        struct broker b = {.light = true, .workers = worker_counts[i]};
        broker_start(&b, NULL);
        ring_of_clients(&b);
    }
}

/* CONNECT byte by byte: the move comes with the last one. */
TEST(mqtt_connect_in_single_bytes_moves)
{
    struct broker b = {.light = true, .workers = 4};
    broker_start(&b, NULL);
    for (unsigned i = 0; i < 6; i++) {
        struct client c;
        uint8_t room[200];
        char id[40];
        struct writer w = writer_from(room, sizeof(room));
        struct mqtt_packet p = {.type = MQTT_CONNECT, .connect = {.version = MQTT_V311}};
        p.connect.client_id = str_from(name_of(id, "slow", i));
        p.connect.clean_start = true;
        REQUIRE(mqtt_encode(MQTT_V311, &p, &w) == ERR_OK);
        client_open(&c, &b);
        c.version = MQTT_V311;
        for (size_t k = 0; k < writer_len(&w); k++)
            client_send(&c, &room[k], 1);
        client_hex(&c, "C0 00");
        EXPECT_HAS(&c, "CONNACK reason=00 session=0");
        EXPECT(&c, "PINGRESP");
        client_close(&c);
    }
    broker_stop(&b);
}

/* ---- one session at a time ---- */

TEST(mqtt_take_over_wherever_it_was_accepted)
{
    enum { TIMES = 24 };
    for (size_t i = 0; i < ARRAY_LEN(worker_counts); i++) {
        LABEL("%u workers", worker_counts[i]);
        struct broker b = {.light = true, .workers = worker_counts[i]};
        struct client old, next;
        broker_start(&b, NULL);
        client_join(&old, &b, "one", (struct hello_opt){.expiry_s = 100}, false);
        client_subscribe(&old, 1, "t", 1, 0);
        EXPECT(&old, "SUBACK id=1 codes 01");
        for (unsigned k = 0; k < TIMES; k++) {
            client_join(&next, &b, "one", (struct hello_opt){.expiry_s = 100}, true);
            EXPECT(&old, "DISCONNECT reason=8e");
            EXPECT(&old, "END");
            client_close(&old);
            old = next; /* all of it */
        }
        client_publish(&old, 1, "t", "still here", false);
        const char *text = client_next(&old);
        bool acked = strcmp(text, "PUBACK id=1 reason=00") == 0;
        CHECK_HAS_STR(acked ? client_next(&old) : text, "topic=t payload=still\\x20here");
        CHECK_EQ_UINT(mqtt_server_stats(b.server).sessions, 1);
        await_connections(&b, 1);
        client_close(&old);
        broker_stop(&b);
    }
}

/* An id that was assigned is at home where it was given, and can be used again from anywhere. */
TEST(mqtt_assigned_ids_with_several_workers)
{
    struct broker b = {.light = true, .workers = 4};
    broker_start(&b, NULL);
    for (unsigned i = 0; i < 12; i++) {
        struct client first, again;
        char id[60];
        client_open(&first, &b);
        client_hello(&first, "", (struct hello_opt){.expiry_s = 100});
        const char *text = client_next(&first);
        const char *at = strstr(text, "sedge-");
        REQUIRE(CHECK(at != NULL));
        (void)snprintf(id, sizeof(id), "%.30s", at);
        client_join(&again, &b, id, (struct hello_opt){.expiry_s = 100}, true);
        EXPECT(&first, "DISCONNECT reason=8e");
        client_close(&first);
        client_close(&again);
    }
    broker_stop(&b);
}

/* ---- limits are of the site ---- */

TEST(mqtt_connections_max_counts_all_workers)
{
    enum { MAX = 7 };
    for (size_t i = 0; i < ARRAY_LEN(worker_counts); i++) {
        LABEL("%u workers", worker_counts[i]);
        struct broker b = {.light = true,
                           .workers = worker_counts[i],
                           .limits = {.connections_max = MAX, .sessions_max = MAX + 2}};
        struct client c[MAX], more;
        char id[40];
        broker_start(&b, NULL);
        for (unsigned k = 0; k < MAX; k++)
            client_join(&c[k], &b, name_of(id, "c", k), (struct hello_opt){.expiry_s = 100}, false);
        client_open(&more, &b);
        client_hello(&more, "more", (struct hello_opt){.clean = true});
        EXPECT(&more, "END");
        client_close(&more);
        /* Two leave, so two may come; their sessions stay, and then there are no more. */
        client_bye(&c[0]);
        client_bye(&c[1]);
        await_connections(&b, MAX - 2);
        client_join(&c[0], &b, "x", (struct hello_opt){.expiry_s = 100}, false);
        client_join(&c[1], &b, "y", (struct hello_opt){.expiry_s = 100}, false);
        client_bye(&c[0]);
        await_connections(&b, MAX - 1);
        client_open(&c[0], &b);
        client_hello(&c[0], "z", (struct hello_opt){.expiry_s = 100});
        EXPECT_HAS(&c[0], "CONNACK reason=89");
        for (unsigned k = 0; k < MAX; k++)
            client_close(&c[k]);
        broker_stop(&b);
    }
}

/* Sessions of all workers share the bytes that may wait. */
TEST(mqtt_queue_bytes_are_the_sites)
{
    enum { SESSIONS = 8, MESSAGES = 60, SIZE = 1000 };
    struct broker b = {.light = true,
                       .workers = 4,
                       .limits = {.queue_total_bytes_max = SESSIONS * MESSAGES * SIZE / 2}};
    struct client c, pub;
    char id[40], payload[SIZE + 1];
    memset(payload, 'p', SIZE);
    payload[SIZE] = '\0';
    broker_start(&b, NULL);
    for (unsigned i = 0; i < SESSIONS; i++) {
        client_join(&c, &b, name_of(id, "c", i), (struct hello_opt){.expiry_s = 100}, false);
        client_subscribe(&c, 1, "all", 1, 0);
        EXPECT(&c, "SUBACK id=1 codes 01");
        client_bye(&c);
    }
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    for (unsigned i = 1; i <= MESSAGES; i++) {
        client_publish(&pub, (uint16_t)i, "all", payload, false);
        EXPECT_HAS(&pub, "PUBACK");
    }
    client_close(&pub);
    broker_halt(&b);
    bus_settle(b.bus);
    struct mqtt_stats stats = mqtt_server_stats(b.server);
    CHECK(stats.queued_bytes <= b.limits.queue_total_bytes_max);
    CHECK(stats.queued_bytes > b.limits.queue_total_bytes_max / 2); /* little is left unused */
    CHECK_EQ_UINT(stats.queued + stats.dropped[MQTT_DROP_QUEUE_FULL], SESSIONS * MESSAGES);
    broker_free(&b);
}

/* Clients that do not read QoS 0 leave room for what others are promised. */
TEST(mqtt_queue_bytes_are_kept_for_qos1)
{
    enum { DEAF = 4, TOTAL = 1 << 20, SIZE = 4000 };
    struct broker b = {.light = true, .limits = {.queue_total_bytes_max = TOTAL}};
    struct client deaf[DEAF], keeper, pub;
    char id[40], payload[SIZE + 1];
    memset(payload, 'p', SIZE);
    payload[SIZE] = '\0';
    broker_start(&b, NULL);
    client_join(&keeper, &b, "keeper", (struct hello_opt){.expiry_s = 100}, false);
    client_subscribe(&keeper, 1, "kept", 1, 0);
    EXPECT(&keeper, "SUBACK id=1 codes 01");
    client_bye(&keeper);
    for (unsigned i = 0; i < DEAF; i++) {
        client_join(&deaf[i], &b, name_of(id, "deaf", i), (struct hello_opt){.clean = true}, false);
        client_subscribe(&deaf[i], 1, "flood", 0, 0);
        EXPECT(&deaf[i], "SUBACK id=1 codes 00");
    }
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    while (mqtt_server_stats(b.server).dropped[MQTT_DROP_QOS0_FULL] == 0) {
        for (unsigned i = 0; i < 500; i++)
            client_publish(&pub, 0, "flood", payload, false);
        EXPECT_NOTHING(&pub);
    }
    for (unsigned i = 1; i <= TOTAL / 8 / SIZE; i++) {
        client_publish(&pub, (uint16_t)i, "kept", payload, false);
        EXPECT_HAS(&pub, "PUBACK");
    }
    struct mqtt_stats stats = mqtt_server_stats(b.server);
    CHECK(stats.queued_bytes > TOTAL / 2);
    CHECK_EQ_UINT(stats.dropped[MQTT_DROP_QUEUE_FULL], 0);
    for (unsigned i = 0; i < DEAF; i++)
        client_close(&deaf[i]);
    client_close(&pub);
    broker_stop(&b);
}

/* Sessions that wait for clients who are away leave room for those who are here. */
TEST(mqtt_queue_bytes_are_kept_for_who_is_here)
{
    enum { TOTAL = 1 << 20, SIZE = 4000, HERE = TOTAL / 16 / SIZE };
    struct broker b = {.light = true, .limits = {.queue_total_bytes_max = TOTAL}};
    struct client here, deaf, pub;
    char payload[SIZE + 1];
    memset(payload, 'p', SIZE);
    payload[SIZE] = '\0';
    broker_start(&b, NULL);
    client_join(&here, &b, "away", (struct hello_opt){.expiry_s = 100}, false);
    client_subscribe(&here, 1, "away", 1, 0);
    EXPECT(&here, "SUBACK id=1 codes 01");
    client_bye(&here);
    client_join(&pub, &b, "pub", (struct hello_opt){.clean = true}, false);
    while (mqtt_server_stats(b.server).dropped[MQTT_DROP_QUEUE_FULL] == 0) {
        client_publish(&pub, 1, "away", payload, false);
        EXPECT_HAS(&pub, "PUBACK");
    }
    struct mqtt_stats full = mqtt_server_stats(b.server);
    CHECK(full.queued_bytes > TOTAL / 2);
    client_join(&here, &b, "here", (struct hello_opt){.clean = true, .receive_max = 1}, false);
    client_subscribe(&here, 1, "now", 1, 0);
    EXPECT(&here, "SUBACK id=1 codes 01");
    for (unsigned i = 1; i <= HERE; i++) {
        client_publish(&pub, (uint16_t)i, "now", payload, false);
        EXPECT_HAS(&pub, "PUBACK");
    }
    client_join(&deaf, &b, "deaf", (struct hello_opt){.clean = true}, false);
    client_subscribe(&deaf, 1, "flood", 0, 0);
    EXPECT(&deaf, "SUBACK id=1 codes 00");
    while (mqtt_server_stats(b.server).dropped[MQTT_DROP_QOS0_FULL] == 0) {
        for (unsigned i = 0; i < 50; i++)
            client_publish(&pub, 0, "flood", payload, false);
        EXPECT_NOTHING(&pub);
    }
    struct mqtt_stats now = mqtt_server_stats(b.server);
    CHECK(now.queued_bytes > full.queued_bytes + (HERE + HERE / 2) * SIZE);
    CHECK_EQ_UINT(now.dropped[MQTT_DROP_QUEUE_FULL], full.dropped[MQTT_DROP_QUEUE_FULL]);
    client_close(&here);
    client_close(&deaf);
    client_close(&pub);
    broker_stop(&b);
}

/* ---- wills ---- */

TEST(mqtt_wills_of_all_workers)
{
    enum { CLIENTS = 10 };
    struct broker b = {.light = true, .workers = 4};
    struct client sub, c[CLIENTS];
    char id[40], topic[40];
    bool seen[CLIENTS] = {false};
    broker_start(&b, NULL);
    client_join(&sub, &b, "sub", (struct hello_opt){.clean = true}, false);
    client_subscribe(&sub, 1, "will/#", 0, 0);
    EXPECT(&sub, "SUBACK id=1 codes 00");
    for (unsigned i = 0; i < CLIENTS; i++) {
        client_join(&c[i], &b, name_of(id, "c", i),
                    (struct hello_opt){
                        .clean = true, .will_topic = name_of(topic, "will/", i), .will = "1 gone"},
                    false);
        client_close(&c[i]);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        const char *at = strstr(client_next(&sub), "topic=will/");
        REQUIRE(CHECK(at != NULL));
        unsigned long n = strtoul(at + 11, NULL, 10);
        REQUIRE(CHECK(n < CLIENTS && !seen[n]));
        seen[n] = true;
    }
    client_close(&sub);
    broker_stop(&b);
}

/* ---- what lasts ---- */

enum { LASTING = 16, QUEUED = 12 };

static void leave_sessions(struct broker *b)
{
    struct client c, pub;
    char id[40], topic[40], payload[40];
    for (unsigned i = 0; i < LASTING; i++) {
        client_join(&c, b, name_of(id, "last", i), (struct hello_opt){.expiry_s = 1000}, false);
        client_subscribe(&c, 1, name_of(topic, "for/", i), 1, 0);
        EXPECT(&c, "SUBACK id=1 codes 01");
        client_bye(&c);
    }
    client_join(&pub, b, "pub", (struct hello_opt){.clean = true}, false);
    for (unsigned k = 0; k < QUEUED; k++)
        for (unsigned i = 0; i < LASTING; i++) {
            client_publish(&pub, (uint16_t)(k + 1), name_of(topic, "for/", i),
                           name_of(payload, "", 100 + k), false);
            EXPECT_HAS(&pub, "PUBACK");
        }
    client_close(&pub);
}

/* Each is there with its messages in order, and keeps them: nothing is acknowledged. */
static void check_sessions(struct broker *b)
{
    struct client c;
    char id[40], want[100];
    for (unsigned i = 0; i < LASTING; i++) {
        client_join(&c, b, name_of(id, "last", i), (struct hello_opt){.expiry_s = 1000}, true);
        for (unsigned k = 0; k < QUEUED; k++) {
            (void)snprintf(want, sizeof(want), "topic=for/%u payload=%u", i, 100 + k);
            EXPECT_HAS(&c, want);
        }
        EXPECT_NOTHING(&c);
        client_close(&c);
    }
}

TEST(mqtt_sessions_survive_another_number_of_workers)
{
    static const unsigned runs[] = {2, 4, 1, 3};
    struct broker b = {.workers = 2};
    char image[240];
    const char *dir = NULL;
    broker_start(&b, NULL);
    leave_sessions(&b);
    broker_image(&b, image); /* what a kill would leave */
    broker_stop(&b);
    for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
        LABEL("%u workers%s", runs[i], dir ? ", after a kill" : "");
        b.workers = runs[i];
        broker_start(&b, dir);
        check_sessions(&b);
        if (i + 1 == ARRAY_LEN(runs) && !dir) {
            dir = image;
            i = (size_t)-1; /* all once more */
        }
        broker_stop(&b);
    }
}

/* A session that nobody comes back to ends, also if the broker was away meanwhile. */
TEST(mqtt_expiry_goes_on_over_a_restart)
{
    struct broker b = {.workers = 2};
    struct client c;
    broker_start(&b, NULL);
    for (unsigned i = 0; i < 4; i++) {
        char id[40];
        client_join(&c, &b, name_of(id, "short", i),
                    (struct hello_opt){.expiry_s = i < 3 ? 1 : 1000}, false);
        client_bye(&c);
    }
    broker_stop(&b);
    broker_start(&b, NULL);
    while (mqtt_server_stats(b.server).sessions > 1)
        usleep(10000);
    client_join(&c, &b, "short3", (struct hello_opt){.expiry_s = 1000}, true);
    client_close(&c);
    client_join(&c, &b, "short0", (struct hello_opt){.expiry_s = 1000}, false);
    client_close(&c);
    broker_stop(&b);
}

/* ---- checkpoints ---- */

enum { READERS = 6, STREAM = 960, BURST = 40 };

struct asker {
    struct task task;
    struct broker *broker;
    _Atomic bool busy;
};

static enum poll ask_poll(struct task *t)
{
    mqtt_server_checkpoint(CONTAINER_OF(t, struct asker, task)->broker->server);
    return POLL_READY;
}

static void ask_finished(struct task *t)
{
    atomic_store(&CONTAINER_OF(t, struct asker, task)->busy, false);
}

/* Not waited for: the snapshot is gathered, and written, while messages come and go. */
static void ask_for_checkpoint(struct asker *a)
{
    if (atomic_exchange(&a->busy, true))
        return;
    task_init(&a->task, "asker", ask_poll, ask_finished);
    task_spawn(executor_worker(a->broker->ex, 0), &a->task);
}

/* n of those that have come or are on their way; not all are acknowledged. */
static void read_some(struct client *c, struct random *random, size_t n, bool seen[STREAM])
{
    for (size_t i = 0; i < n; i++) {
        size_t which = number_in(client_next(c));
        REQUIRE(CHECK(which < STREAM));
        if (random_below(random, 4) == 0)
            continue;
        seen[which] = true;
        client_puback(c, c->last_id);
    }
}

static void stream_with_checkpoints(struct broker *b, struct client *readers,
                                    bool seen[READERS][STREAM])
{
    struct asker asker = {.broker = b};
    struct client pub;
    struct random random;
    char text[40];
    random_seed(&random, test_seed());
    client_join(&pub, b, "pub", (struct hello_opt){.clean = true}, false);
    for (unsigned i = 0; i < STREAM; i += BURST) {
        if (random_below(&random, 3) == 0)
            ask_for_checkpoint(&asker);
        for (unsigned k = i; k < i + BURST; k++)
            client_publish(&pub, (uint16_t)(k + 1), "t", name_of(text, "", k), false);
        for (unsigned k = i; k < i + BURST; k++)
            EXPECT_HAS(&pub, "PUBACK");
        for (unsigned r = 0; r < READERS; r++)
            read_some(&readers[r], &random, random_below(&random, BURST), seen[r]);
    }
    while (atomic_load(&asker.busy))
        usleep(1000);
    client_close(&pub);
}

/* Everything that was not acknowledged comes, in order, and nothing twice. */
static void check_rest(struct broker *b, unsigned r, bool seen[STREAM])
{
    struct client c;
    char id[40];
    bool came[STREAM] = {false};
    size_t last = 0;
    client_join(&c, b, name_of(id, "reader", r), (struct hello_opt){.expiry_s = 1000}, true);
    client_hex(&c, "C0 00");
    for (const char *text; strcmp(text = client_next(&c), "PINGRESP") != 0;) {
        size_t n = number_in(text);
        REQUIRE(CHECK(n < STREAM && !came[n] && (n >= last)));
        came[n] = true;
        last = n;
    }
    for (size_t i = 0; i < STREAM; i++) {
        LABEL("reader %u, message %zu", r, i);
        CHECK(seen[i] || came[i]);
    }
    client_close(&c);
}

TEST(mqtt_checkpoints_of_all_workers_lose_nothing)
{
    static struct client readers[READERS];
    static bool seen[READERS][STREAM];
    struct broker b = {.workers = 4}, after = {.workers = 3};
    char id[40], image[240];
    broker_start(&b, NULL);
    for (unsigned r = 0; r < READERS; r++) {
        client_join(&readers[r], &b, name_of(id, "reader", r),
                    (struct hello_opt){.expiry_s = 1000, .receive_max = 2000}, false);
        client_subscribe(&readers[r], 1, "t", 1, 0);
        EXPECT(&readers[r], "SUBACK id=1 codes 01");
    }
    stream_with_checkpoints(&b, readers, seen);
    broker_image(&b, image);
    for (unsigned r = 0; r < READERS; r++)
        client_close(&readers[r]);
    broker_stop(&b);
    broker_start(&after, image);
    for (unsigned r = 0; r < READERS; r++)
        check_rest(&after, r, seen[r]);
    broker_stop(&after);
}
