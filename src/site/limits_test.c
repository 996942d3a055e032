/* The limits of a site: every clause with its example, ranges, and what a reload may not change. */
#include "site/load.h"
#include "site/schema.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

/* A site with these limits; NULL: they have errors. The settings borrow it. */
static struct lang_site *read_limits(const char *clauses, struct site_settings *got)
{
    char text[1024];
    struct error e = {0};
    (void)snprintf(text, sizeof(text), "site \"s\"\nserver { limits { %s } }\n", clauses);
    struct lang_source source = {STR("x.sedge"), str_from(text)};
    struct lang_site *site;
    REQUIRE(lang_check(alloc_system(), site_schema(), &source, 1, &site) == ERR_OK);
    if (site->errors) {
        lang_site_free(site);
        return NULL;
    }
    CHECK_EQ_INT(site_settings_read(got, site, &e), ERR_OK);
    return site;
}

TEST(every_limit_gets_to_its_field)
{
    static const char *const clauses =
        "connections 1; sessions 2; subscriptions 3; queue 4; queue_bytes 5 MiB; queue_stored 6 "
        "GiB;"
        "queue_total 7 MB; full drop_newest; queue_memory 10; queue_memory_bytes 20 kB;"
        "packet 16 MiB; receive 65535; inflight 32000; topic_aliases 11; session_expiry_max 30d;"
        "connect_timeout 250 ms; keep_alive_max 10min; without qos2; without subscription_ids";
    struct site_settings got;
    struct lang_site *site = read_limits(clauses, &got);
    REQUIRE(site != NULL);
    const struct mqtt_limits *l = &got.limits;
    CHECK_EQ_UINT(l->connections_max, 1);
    CHECK_EQ_UINT(l->sessions_max, 2);
    CHECK_EQ_UINT(l->subscriptions_max, 3);
    CHECK_EQ_UINT(l->queue_max, 4);
    CHECK_EQ_UINT(l->queue_bytes_max, 5 << 20);
    CHECK_EQ_UINT(l->queue_stored_bytes_max, 6ull << 30);
    CHECK_EQ_UINT(l->queue_total_bytes_max, 7000000);
    CHECK_EQ_INT(l->queue_full, MQTT_FULL_DROP_NEWEST);
    CHECK_EQ_UINT(l->queue_memory_max, 10);
    CHECK_EQ_UINT(l->queue_memory_bytes_max, 20000);
    CHECK_EQ_UINT(l->packet_size_max, 16 << 20);
    CHECK_EQ_UINT(l->receive_max, 65535);
    CHECK_EQ_UINT(l->inflight_max, 32000);
    CHECK_EQ_UINT(l->topic_alias_max, 11);
    CHECK_EQ_UINT(l->session_expiry_max_s, 30 * 86400);
    CHECK_EQ_UINT(l->connect_timeout_ms, 250);
    CHECK_EQ_UINT(l->keep_alive_max_s, 600);
    CHECK_EQ_UINT(l->without, MQTT_WITHOUT_QOS2 | MQTT_WITHOUT_SUBSCRIPTION_IDS);
    lang_site_free(site);
}

TEST(examples_of_limits_and_what_is_beyond)
{
    struct site_settings got;
    for (size_t i = 0; i < SITE_LIMITS_CLAUSES; i++) {
        LABEL("%s", site_limits_clauses[i].example);
        struct lang_site *site = read_limits(site_limits_clauses[i].example, &got);
        if (CHECK(site != NULL))
            lang_site_free(site);
    }
    static const char *const wrong[] = {
        "connections 0",  "connections 1.5", "queue 10 MiB",        "queue_bytes 64",
        "packet 17 MiB",  "packet 100 B",    "inflight 32001",      "receive 65536",
        "keep_alive_max", "full never",      "keep_alive_max 19 h", "session_expiry_max 200 a",
        "without qos1",   "queue 1; queue 2"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        LABEL("%s", wrong[i]);
        CHECK(read_limits(wrong[i], &got) == NULL);
    }
}

TEST(limits_that_a_reload_would_change)
{
    static const struct {
        const char *was, *is, *says;
    } rows[] = {
        {"packet 1 MiB; full refuse", "full refuse; packet 1024 KiB", NULL},
        {"", "sessions 5", "`limits { sessions }` was 0 and is 5"},
        {"packet 1 MiB", "packet 2 MiB", "`limits { packet }` was 1048576 and is 2097152"},
        {"inflight 5", "inflight 6", "inflight"},
        {"full refuse", "full drop_oldest", "`limits { full … }`"},
        {"without retain", "", "`limits { without … }`"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s: %s", rows[i].was, rows[i].is);
        struct site_settings now, next;
        struct error e = {0};
        struct lang_site *a = read_limits(rows[i].was, &now), *b = read_limits(rows[i].is, &next);
        REQUIRE(a && b);
        CHECK_EQ_INT(site_settings_keep(&now, &next, false, &e),
                     rows[i].says ? ERR_UNSUPPORTED : ERR_OK);
        if (rows[i].says)
            CHECK_HAS_STR(e.text, rows[i].says);
        lang_site_free(a);
        lang_site_free(b);
    }
}
