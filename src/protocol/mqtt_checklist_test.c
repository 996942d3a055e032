/* The checklist of docs/mqtt: each line has a test that names it, in 3.1.1 and 5.0 where both
 * have it. The tables are in mqtt_checklist_*_test.c, their form in mqtt_checklist_test.h. */
#include "protocol/mqtt_checklist_test.h"
#include "base/log.h"
#include "tests/support/mqtt_bytes.h"
#include "tests/support/mqtt_text.h"
#include "tests/support/mqtt_world.h"
#include "tests/support/test.h"
#include <stdio.h>
#include <stdlib.h>

#define LINES 37
#define PEERS 4

struct play {
    struct world world;
    struct peer peers[PEERS];
    uint8_t version[PEERS]; /* by its last CONNECT */
    const char *line;       /* that is played */
    bool good;
};

static void show(const char *what, const uint8_t *p, size_t n)
{
    char text[3 * 200 + 1] = "";
    for (size_t i = 0; i < n && i < 200; i++)
        (void)snprintf(text + 3 * i, 4, "%02X ", p[i]);
    test_note("    %s %s%s", what, text, n > 200 ? "…" : "");
}

static void wrong(struct play *y, const char *why, const struct peer *p)
{
    test_note("  in: %.*s", (int)strcspn(y->line, "\n"), y->line);
    test_note("    %s", why);
    show("came:", p->in, p->n);
    y->good = false;
}

/* ---- what a client does ---- */

static void do_send(struct play *y, unsigned who, const char *rest)
{
    struct peer *p = &y->peers[who];
    uint8_t bytes[MQTT_BYTES_MAX];
    size_t n = mqtt_bytes(rest, bytes);
    if (!p->stream)
        peer_connect(p, &y->world);
    if (n > 8 && bytes[0] == 0x10)
        y->version[who] = bytes[3] == 6 ? bytes[10] : bytes[8];
    peer_send(p, bytes, n);
    world_settle(&y->world);
}

static void expect_bytes(struct play *y, struct peer *p, const char *rest)
{
    uint8_t want[MQTT_BYTES_MAX];
    size_t n = mqtt_bytes(rest, want);
    if (p->n >= n && memcmp(p->in, want, n) == 0) {
        peer_used(p, n);
        return;
    }
    wrong(y, "these bytes did not come next", p);
    show("want:", want, n);
}

/* The next packet as text; NULL: there is no whole one. */
static const char *next_text(const struct peer *p, uint8_t version, struct strbuf *text,
                             size_t *used)
{
    const struct mqtt_decoder d = {.version = (enum mqtt_version)version};
    struct mqtt_packet packet;
    if (mqtt_decode(&d, (struct bytes){p->in, p->n}, &packet, used) != MQTT_OK)
        return NULL;
    mqtt_text(text, &packet);
    return text->p;
}

static void expect_text(struct play *y, unsigned who, const char *part)
{
    struct peer *p = &y->peers[who];
    struct strbuf text;
    size_t used = 0;
    strbuf_init(&text, alloc_system(), 0);
    const char *got = next_text(p, y->version[who], &text, &used);
    if (got && strstr(got, part)) {
        peer_used(p, used);
    } else {
        wrong(y, "no such packet came next", p);
        test_note("    as text: %s", got ? got : "(none)");
    }
    strbuf_fini(&text);
}

static void expect(struct play *y, unsigned who, const char *rest)
{
    if (strcmp(rest, "ok") == 0)
        expect_text(y, who, "CONNACK reason=00 session=0");
    else if (strcmp(rest, "ok 1") == 0)
        expect_text(y, who, "CONNACK reason=00 session=1");
    else
        expect_bytes(y, &y->peers[who], rest);
}

static void step_of_client(struct play *y, unsigned who, char op, const char *rest)
{
    struct peer *p = &y->peers[who];
    switch (op) {
    case '>': do_send(y, who, rest); break;
    case '<': expect(y, who, rest); break;
    case '~': expect_text(y, who, rest); break;
    case '.':
        if (p->n || p->ended || !p->stream)
            wrong(y, "it was to be quiet and open", p);
        break;
    case '|':
        if (p->n || !p->ended)
            wrong(y, "it was to be closed, with nothing left", p);
        break;
    case '-':
        peer_drop(p);
        world_settle(&y->world);
        break;
    default: wrong(y, "no such step", p);
    }
}

/* ---- the world ---- */

static void drop_all(struct play *y)
{
    for (unsigned i = 0; i < PEERS; i++) {
        if (y->peers[i].stream)
            peer_drop(&y->peers[i]);
        y->peers[i].n = 0;
    }
}

static bool step_of_world(struct play *y, const char *line)
{
    struct world *w = &y->world;
    if (strncmp(line, "wait ", 5) == 0) {
        world_wait_ms(w, strtoll(line + 5, NULL, 10));
    } else if (strcmp(line, "hold") == 0) {
        env_sim_hold(w->house, ENV_WORK_SYNC, true);
    } else if (strcmp(line, "release") == 0) {
        env_sim_hold(w->house, ENV_WORK_SYNC, false);
        world_settle(w);
    } else if (strcmp(line, "kill") == 0 || strcmp(line, "power") == 0) {
        world_restart(w, line[0] == 'k' ? ENV_SIM_KILL : ENV_SIM_POWER);
        drop_all(y);
    } else {
        return false;
    }
    return true;
}

static void step(struct play *y, const char *line)
{
    if (line[0] >= 'A' && line[0] < 'A' + PEERS && line[1])
        step_of_client(y, (unsigned)(line[0] - 'A'), line[1], line[2] ? line + 3 : "");
    else if (!step_of_world(y, line))
        wrong(y, "no such step", &y->peers[0]);
}

static void play_lines(struct play *y, const char *script)
{
    while (*script && y->good) {
        char line[1024];
        size_t n = strcspn(script, "\n");
        REQUIRE(n < sizeof(line));
        memcpy(line, script, n);
        line[n] = '\0';
        y->line = script;
        step(y, line);
        script += n + (script[n] == '\n');
    }
}

static bool play(const struct check *c)
{
    static struct play y;
    y = (struct play){.good = true};
    y.world.light = !c->durable;
    y.world.limits = (struct mqtt_limits){.receive_max = c->receive_max,
                                          .packet_size_max = c->packet_size_max,
                                          .session_expiry_max_s = c->session_expiry_max_s,
                                          .keep_alive_max_s = c->keep_alive_max_s,
                                          .without = c->reduced ? 31 : 0};
    world_open(&y.world);
    for (unsigned i = 0; i < PEERS; i++)
        peer_init(&y.peers[i], &y.world);
    play_lines(&y, c->script);
    drop_all(&y);
    world_close(&y.world);
    return y.good;
}

static void nowhere(void *ctx, enum log_level level, const char *part, const char *text)
{
    (void)ctx, (void)level, (void)part, (void)text;
}

static void play_all(const struct checks *all)
{
    log_set_sink(nowhere, NULL); /* what is refused, and a disk without power, is not news */
    for (unsigned i = 0; i < all->n; i++) {
        LABEL("%s", all->v[i].name);
        bool as_the_script_says = play(&all->v[i]);
        CHECK(as_the_script_says);
    }
    log_set_sink(NULL, NULL);
}

TEST(mqtt_checklist_of_connections)
{
    play_all(&mqtt_checks_connect);
}

TEST(mqtt_checklist_of_sessions)
{
    play_all(&mqtt_checks_session);
}

TEST(mqtt_checklist_of_publications)
{
    play_all(&mqtt_checks_publish);
}

TEST(mqtt_checklist_of_subscriptions)
{
    play_all(&mqtt_checks_subscribe);
}

/* ---- what is too long for a script ---- */

enum { WRAP_BATCH = 500 };

static void publish_batch(struct play *y, struct peer *from)
{
    static uint8_t bytes[WRAP_BATCH * 16];
    size_t n = 0;
    for (unsigned i = 1; i <= WRAP_BATCH; i++) {
        char text[40];
        uint8_t one[MQTT_BYTES_MAX];
        (void)snprintf(text, sizeof(text), "32[ 't' %04X {} ]", i);
        size_t size = mqtt_bytes(text, one);
        memcpy(bytes + n, one, size);
        n += size;
    }
    peer_send(from, bytes, n);
    world_settle(&y->world);
    peer_used(from, from->n); /* PUBACKs */
}

/* Acknowledges all that have come; holds if they had the ids that follow *last. */
static bool take_batch(struct play *y, struct peer *p, unsigned *last)
{
    const struct mqtt_decoder d = {.version = MQTT_V5};
    struct mqtt_packet packet;
    size_t used, count = 0;
    bool good = true;
    while (mqtt_decode(&d, (struct bytes){p->in, p->n}, &packet, &used) == MQTT_OK) {
        unsigned want = *last == UINT16_MAX ? 1 : *last + 1;
        good = good && packet.type == MQTT_PUBLISH && packet.publish.id == want;
        uint8_t ack[] = {0x40, 2, (uint8_t)(want >> 8), (uint8_t)want};
        *last = want;
        count++;
        peer_used(p, used);
        peer_send(p, ack, sizeof(ack));
    }
    world_settle(&y->world);
    return good && count == WRAP_BATCH;
}

/* checklist 18: 1 follows 65,535, and 0 never comes. */
TEST(mqtt_checklist_18_ids_come_round)
{
    static struct play y;
    static const char hello[] = IN5("A", "a") SUB5("A", "t", "01") IN5("B", "b");
    unsigned last = 0, rounds = 0;
    y = (struct play){.good = true, .world.light = true};
    world_open(&y.world);
    for (unsigned i = 0; i < PEERS; i++)
        peer_init(&y.peers[i], &y.world);
    play_lines(&y, hello);
    REQUIRE(y.good);
    for (unsigned i = 0; i < 140; i++) {
        unsigned before = last;
        LABEL("batch %u", i);
        publish_batch(&y, &y.peers[1]);
        REQUIRE(CHECK(take_batch(&y, &y.peers[0], &last)));
        rounds += last < before;
    }
    CHECK_EQ_UINT(rounds, 1);
    drop_all(&y);
    world_close(&y.world);
}

/* ---- is all there? ---- */

static void note_lines(const struct checks *all, unsigned named[LINES + 1])
{
    for (unsigned i = 0; i < all->n; i++) {
        LABEL("%s", all->v[i].name);
        const char *at = all->v[i].name;
        REQUIRE(CHECK(strncmp(at, "checklist ", 10) == 0));
        for (at += 10; *at != ':'; at += strspn(at, ", ")) {
            char *end;
            unsigned long line = strtoul(at, &end, 10);
            REQUIRE(CHECK(end > at && line >= 1 && line <= LINES));
            named[line]++;
            at = end;
        }
    }
}

TEST(mqtt_checklist_is_whole)
{
    unsigned named[LINES + 1] = {0};
    note_lines(&mqtt_checks_connect, named);
    note_lines(&mqtt_checks_session, named);
    note_lines(&mqtt_checks_publish, named);
    note_lines(&mqtt_checks_subscribe, named);
    for (unsigned i = 1; i <= LINES; i++) {
        LABEL("line %u", i);
        CHECK(named[i] > 0);
    }
}
