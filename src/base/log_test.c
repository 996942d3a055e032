#include "base/atomic.h"
#include "base/log.h"
#include "base/log_limit.h"
#include "tests/support/test.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct capture {
    int lines;
    enum log_level level;
    char part[32], text[2200];
};

static void capture_line(void *ctx, enum log_level level, const char *part, const char *text)
{
    struct capture *c = ctx;
    c->lines++;
    c->level = level;
    (void)snprintf(c->part, sizeof(c->part), "%s", part);
    (void)snprintf(c->text, sizeof(c->text), "%s", text);
}

TEST(log_filters)
{
    struct capture c = {0};
    log_set_sink(capture_line, &c);
    LOG_D("t", "quiet");
    CHECK_EQ_INT(c.lines, 0);
    LOG_W("mqtt", "client %s", "x");
    CHECK_EQ_INT(c.lines, 1);
    CHECK_EQ_INT(c.level, LOG_WARN);
    CHECK_EQ_STR(c.part, "mqtt");
    CHECK_EQ_STR(c.text, "client x");
    log_set_level(LOG_ERROR);
    LOG_W("t", "quiet");
    CHECK_EQ_INT(c.lines, 1);
    log_set_level(LOG_INFO);
    log_set_sink(NULL, NULL);
    LOG_D("t", "not printed");
}

TEST(log_shows_what_could_do_harm)
{
    static const struct {
        const char *label, *in, *out;
    } cases[] = {
        {"plain", "23.5 °C 温度", "23.5 °C 温度"},
        {"a forged line", "x\n2026 ERROR forged", "x\\n2026 ERROR forged"},
        {"a terminal", "\x1b[2J\a\t", "\\x1b[2J\\x07\\t"},
        {"C1", "\xc2\x9b", "\\u{9b}"},
        {"the other direction",
         "a\xe2\x80\xae"
         "b\xe2\x81\xa6",
         "a\\u{202e}b\\u{2066}"},
        {"another line", "a\xe2\x80\xa8", "a\\u{2028}"},
        {"not UTF-8", "a\xff\xc3(", "a\\xff\\xc3("},
        {"its own replacement", "\xef\xbf\xbd", "\xef\xbf\xbd"},
    };
    struct capture c = {0};
    log_set_sink(capture_line, &c);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        LOG_I("t", "%s", cases[i].in);
        CHECK_EQ_STR(c.text, cases[i].out);
    }
    log_set_sink(NULL, NULL);
}

TEST(log_cuts_between_characters)
{
    struct capture c = {0};
    char in[3000];
    log_set_sink(capture_line, &c);
    LOG_I("t", "%0*d", 2000, 1);
    CHECK_EQ_UINT(strlen(c.text), 1026);
    CHECK_EQ_STR(c.text + 1022, "0...");
    for (size_t i = 0; i + 1 < sizeof(in); i += 2)
        memcpy(in + i, "\xc3\xa4", 2);
    in[sizeof(in) - 2] = '\0';
    LOG_I("t", "%s", in); /* 1023 bytes end within a character */
    CHECK_EQ_UINT(strlen(c.text), 1022 + 3);
    CHECK_EQ_STR(c.text + 1020, "\xc3\xa4...");
    memset(in, 1, sizeof(in));
    in[sizeof(in) - 1] = '\0';
    LOG_I("t", "%s", in); /* four times as long when it is shown */
    CHECK(strlen(c.text) < 2048);
    CHECK_HAS_STR(c.text, "\\x01...");
    log_set_sink(NULL, NULL);
}

TEST(log_limit_counts_what_it_leaves_out)
{
    static struct log_limit l;
    struct log_left_out out;
    int64_t now = 5;
    memset(&l, 0, sizeof(l));
    for (unsigned i = 0; i < LOG_LIMIT_LINES; i++)
        CHECK(log_limit_pass(&l, "a %d", "p", "a 1", now));
    for (unsigned i = 0; i < 7; i++)
        CHECK(!log_limit_pass(&l, "a %d", "p", i == 6 ? "a 6" : "a 0", now));
    CHECK(log_limit_pass(&l, "b", "p", "b", now)); /* another place */
    CHECK(!log_limit_over(&l, now, &out));
    now += LOG_LIMIT_NS;
    CHECK(!log_limit_pass(&l, "a %d", "p", "a 7", now)); /* not before it is told */
    REQUIRE(log_limit_over(&l, now, &out));
    CHECK_EQ_UINT(out.lines, 8);
    CHECK_EQ_STR(out.part, "p");
    CHECK_EQ_STR(out.last, "a 7");
    CHECK(!log_limit_over(&l, now, &out));
    CHECK(log_limit_pass(&l, "a %d", "p", "a 8", now));
}

TEST(log_limit_shares_slots_when_there_are_many_places)
{
    static struct log_limit l;
    static char places[4 * LOG_LIMIT_SLOTS];
    struct log_left_out out;
    unsigned passed = 0, told = 0;
    memset(&l, 0, sizeof(l));
    for (size_t round = 0; round < LOG_LIMIT_LINES + 1; round++)
        for (size_t i = 0; i < sizeof(places); i++)
            passed += log_limit_pass(&l, &places[i], "p", "x", 1);
    CHECK(passed <= LOG_LIMIT_SLOTS * LOG_LIMIT_LINES);
    CHECK(passed >= LOG_LIMIT_SLOTS / 8 * LOG_LIMIT_LINES);
    while (log_limit_over(&l, INT64_MAX, &out))
        told += (unsigned)out.lines;
    CHECK_EQ_UINT(passed + told, sizeof(places) * (LOG_LIMIT_LINES + 1));
}

TEST(log_tells_what_was_left_out)
{
    static struct log_limit l;
    struct capture c = {0};
    memset(&l, 0, sizeof(l));
    log_set_sink(capture_line, &c);
    log_set_limit(&l);
    for (int i = 0; i < LOG_LIMIT_LINES + 50; i++)
        LOG_I("mqtt", "flood %d", i);
    CHECK_EQ_INT(c.lines, LOG_LIMIT_LINES);
    log_set_limit(NULL);
    CHECK_EQ_INT(c.lines, LOG_LIMIT_LINES + 1);
    CHECK_EQ_STR(c.text, "50 more lines like this were left out: flood 249");
    CHECK_EQ_STR(c.part, "mqtt");
    log_set_sink(NULL, NULL);
}

/* Lines are counted where they arrive, by several at once. */
static void count_line(void *ctx, enum log_level level, const char *part, const char *text)
{
    (void)level;
    (void)part;
    (void)text;
    atomic_fetch_add((_Atomic unsigned *)ctx, 1);
}

enum { FLOODERS = 4, FLOOD_LINES = 20000 };

static void *flood(void *ctx)
{
    pthread_barrier_t *begin = ctx;
    (void)pthread_barrier_wait(begin);
    for (int i = 0; i < FLOOD_LINES; i++)
        LOG_I("mqtt", "one flood of all %d", i);
    return NULL;
}

TEST(log_limit_holds_for_several_threads)
{
    static struct log_limit l;
    _Atomic unsigned lines = 0;
    pthread_t threads[FLOODERS];
    pthread_barrier_t begin;
    memset(&l, 0, sizeof(l));
    REQUIRE(pthread_barrier_init(&begin, NULL, FLOODERS) == 0);
    log_set_sink(count_line, &lines);
    log_set_limit(&l);
    for (size_t i = 0; i < FLOODERS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, flood, &begin) == 0);
    for (size_t i = 0; i < FLOODERS; i++)
        REQUIRE(pthread_join(threads[i], NULL) == 0);
    uint64_t left_out = 0;
    for (size_t i = 0; i < LOG_LIMIT_SLOTS; i++)
        left_out += l.places[i].left_out.lines;
    CHECK_EQ_UINT(atomic_load(&lines) + left_out, FLOODERS * FLOOD_LINES);
    CHECK_EQ_UINT(atomic_load(&lines), LOG_LIMIT_LINES);
    log_set_limit(NULL);
    log_set_sink(NULL, NULL);
    (void)pthread_barrier_destroy(&begin);
}
