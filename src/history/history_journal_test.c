/* History with a real journal and executor: what was appended is told again after a crash, sealed,
 * and let go of. */
#include "history/history_internal.h"
#include "tests/support/test.h"
#include <stdio.h>
#include <string.h>

#define T0 INT64_C(1764000000000)

struct site {
    struct executor *ex;
    struct db *db;
    struct journal *journal;
    struct history *h;
    struct series series[2];
    uint64_t told; /* by the replay */
    struct timer poll;
    uint64_t seals_wanted, released_wanted;
};

/* A record is the number of its series and a value. */
static void add(struct site *s, const struct journal_record *r, bool replayed)
{
    struct cursor c = cursor_from(r->body.p, r->body.n);
    uint32_t which = cursor_u32le(&c);
    int64_t value = (int64_t)cursor_u64le(&c);
    if (!CHECK(!c.failed && which < 2))
        return;
    history_add(s->h, &(struct sample){.series = &s->series[which],
                                       .ts_ms = T0 + (int64_t)r->seq,
                                       .value = {.kind = VALUE_INT, .i = value},
                                       .quality = QUALITY_GOOD,
                                       .seq = r->seq,
                                       .replayed = replayed});
}

static void replay(void *ctx, const struct journal_record *r)
{
    struct site *s = ctx;
    s->told++;
    if (r->kind == JOURNAL_SAMPLE)
        add(s, r, true);
}

static void publish(struct site *s, uint32_t which, int64_t value)
{
    uint8_t body[12];
    struct writer w = writer_from(body, sizeof(body));
    writer_u32le(&w, which);
    writer_u64le(&w, (uint64_t)value);
    struct iovec part = {body, sizeof(body)};
    uint64_t seq;
    REQUIRE(journal_append(s->journal, JOURNAL_SAMPLE, false, &part, 1, &seq) == ERR_OK);
    add(s, &(struct journal_record){.seq = seq, .body = {body, sizeof(body)}}, false);
}

static void site_open(struct site *s)
{
    *s = (struct site){0};
    struct error e = {0};
    char path[300];
    (void)snprintf(path, sizeof(path), "%s/site.db", test_tmpdir());
    struct executor_config ec = {
        .env = env_linux(), .alloc = alloc_system(), .workers = 1, .offload_threads = 2};
    REQUIRE(executor_new(&s->ex, &ec, &e) == ERR_OK);
    struct db_config dc = {.ex = s->ex, .alloc = alloc_system(), .path = path};
    REQUIRE(db_open(&s->db, &dc, &e) == ERR_OK);
    struct journal_config jc = {.ex = s->ex,
                                .disk = executor_env(s->ex)->disk,
                                .clock = executor_env(s->ex)->clock,
                                .alloc = alloc_system(),
                                .dir = test_tmpdir(),
                                .segment_bytes = 64u << 10};
    REQUIRE(journal_open(&s->journal, &jc, &e) == ERR_OK);
    static const char *const names[] = {"a", "b"};
    for (uint32_t i = 0; i < 2; i++)
        s->series[i] = (struct series){
            .index = i, .name = str_from(names[i]), .kind = VALUE_INT, .kept = true};
    struct history_config hc = {.ex = s->ex,
                                .db = s->db,
                                .journal = s->journal,
                                .alloc = alloc_system(),
                                .replay = replay,
                                .ctx = s,
                                .seal_points = 100};
    REQUIRE(history_new(&s->h, &hc, &e) == ERR_OK);
    REQUIRE(journal_replay(s->journal, &e) == ERR_OK);
    REQUIRE(journal_start(s->journal, &e) == ERR_OK);
}

static void site_close(struct site *s, bool crash)
{
    if (crash)
        s->h->unsealed = 0; /* so that nothing is sealed on the way out */
    db_drain(s->db);
    history_free(s->h);
    db_close(s->db);
    journal_close(s->journal);
    executor_free(s->ex);
}

static void poll_site(struct timer *t)
{
    struct site *s = CONTAINER_OF(t, struct site, poll);
    if (history_stats(s->h).seals >= s->seals_wanted &&
        s->h->consumer.cursor >= s->released_wanted && !s->h->seal.running)
        executor_stop(s->ex);
    else
        timer_set_after_ms(t, 1);
}

/* Until so many seals are done and the cursor has come so far. */
static void run_until(struct site *s, uint64_t seals, uint64_t cursor)
{
    s->seals_wanted = seals;
    s->released_wanted = cursor;
    timer_init(&s->poll, executor_worker(s->ex, 0), poll_site);
    timer_set_after_ms(&s->poll, 1);
    executor_run(s->ex);
}

static void check_all(struct site *s, const char *name, uint32_t which, uint64_t n)
{
    struct history_query q = {.series = str_from(name), .from_ms = T0, .to_ms = T0 + 1000000};
    CHECK_EQ_INT(history_query_now(s->h, &q), ERR_OK);
    if (CHECK_EQ_UINT(q.point_count, n))
        for (uint64_t i = 0; i < n; i++)
            CHECK_EQ_INT(q.points[i].value.i, (int64_t)(i * 2 + which));
    history_query_fini(&q);
}

TEST(history_is_told_again_and_seals)
{
    struct site s;
    site_open(&s);
    for (int64_t i = 0; i < 1000; i++)
        publish(&s, (uint32_t)(i % 2), i);
    site_close(&s, true); /* before anything was sealed */

    site_open(&s);
    CHECK_EQ_UINT(s.told, 1000);
    CHECK_EQ_UINT(history_stats(s.h).head_points, 1000);
    run_until(&s, 1, 1); /* full heads are sealed as soon as workers run */
    CHECK_EQ_UINT(history_stats(s.h).points, 1000);
    check_all(&s, "a", 0, 500);
    uint64_t cursor = s.h->consumer.cursor;
    CHECK(cursor >= 990);
    site_close(&s, true);

    site_open(&s);
    CHECK_EQ_UINT(s.told, 1000 - cursor);
    CHECK_EQ_UINT(history_stats(s.h).points, 1000);
    check_all(&s, "a", 0, 500);
    check_all(&s, "b", 1, 500);
    site_close(&s, false);
}

TEST(history_lets_go_under_pressure)
{
    struct site s;
    site_open(&s);
    publish(&s, 0, 0); /* one point that is not old and not many */
    publish(&s, 1, 1);
    CHECK_EQ_UINT(s.h->consumer.cursor, 0);
    seal_pressure(&s.h->consumer);
    run_until(&s, 1, 2);
    CHECK_EQ_UINT(s.h->consumer.cursor, 2);
    CHECK_EQ_UINT(history_stats(s.h).head_points, 0);
    /* Others' records alone must not hold the journal either. */
    struct iovec part = {"x", 1};
    uint64_t seq;
    REQUIRE(journal_append(s.journal, JOURNAL_ACK, false, &part, 1, &seq) == ERR_OK);
    CHECK_EQ_INT(history_seal_now(s.h, NULL), ERR_OK);
    site_close(&s, false);

    site_open(&s);
    CHECK_EQ_UINT(journal_last(s.journal), 3);
    seal_pressure(&s.h->consumer);
    run_until(&s, 1, 3);
    CHECK_EQ_UINT(s.h->consumer.cursor, 3);
    site_close(&s, false);
}
