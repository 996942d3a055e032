/* When events came: the newest in front, bounded, over restarts. */
#include "registry/heard.h"
#include "registry/registry_rig_test.h"
#include "tests/support/test.h"

#include <string.h>

static const struct str door_events[] = {S("opened"), S("forced")};
static const struct model_def door_model = {
    .name = S("Door"), .events = door_events, .event_count = ARRAY_LEN(door_events)};

static void declare_door(struct rig *g, const char *name, const char *topic)
{
    struct error e = {0};
    const struct model_def *m = registry_model_find(g->r, door_model.name);
    struct device *d;
    if (!m)
        REQUIRE(registry_model(g->r, &door_model, &m, &e) == ERR_OK);
    REQUIRE(rig_device(g->r, name, m, topic, &d, &e) == ERR_OK);
}

static void start(struct rig *g, const char *dir)
{
    struct error e = {0};
    rig_build_only(g, dir, 60000);
    declare_door(g, "hall.front", "front");
    declare_door(g, "hall.back", "back");
    REQUIRE(journal_replay(g->base.journal, &e) == ERR_OK);
    rig_start(g);
}

static void write_heard(void *ctx, const struct heard_event *v)
{
    strbuf_addf(ctx, "%.*s.%.*s %llu/%zu;", STR_FMT(v->device), STR_FMT(v->event),
                (unsigned long long)v->count, v->times_n);
    for (size_t i = 1; i < v->times_n; i++)
        CHECK(v->times_ms[i - 1] >= v->times_ms[i]);
}

static void check_heard(const struct rig *g, const char *device, size_t limit, const char *want)
{
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    struct str name = device ? str_from(device) : (struct str){0};
    registry_heard_each(g->r, name, limit, write_heard, &b);
    CHECK_EQ_STR(b.p ? b.p : "", want);
    strbuf_fini(&b);
}

static const struct step visits[] = {{1, "front/opened", "{}", NULL},
                                     {1, "back/forced", "1", NULL},
                                     {1, "front/forced", "", NULL},
                                     {1, "front/opened", "{}", NULL}};

TEST(what_came_last_is_in_front)
{
    struct rig g;
    start(&g, test_tmpdir());
    check_heard(&g, NULL, 10, "");
    rig_play(&g, visits, ARRAY_LEN(visits), 20);
    check_heard(&g, NULL, 10, "hall.front.opened 2/2;hall.front.forced 1/1;hall.back.forced 1/1;");
    check_heard(&g, "hall.back", 10, "hall.back.forced 1/1;");
    check_heard(&g, "hall", 10, "");
    check_heard(&g, "hall.front", 1, "hall.front.opened 2/2;");
    rig_fini(&g);
}

static void told(void *ctx, const struct heard_event *v)
{
    write_heard(ctx, v);
}

/* A contact that chatters must not fill the pages' feeds. */
TEST(readers_are_told_at_once_and_then_once_a_second_and_only_the_last_times_are_kept)
{
    struct rig g;
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    start(&g, test_tmpdir());
    registry_on_heard(g.r, told, &b);
    for (int i = 0; i < HEARD_TIMES + 3; i++)
        publish(&g, "front/opened", "{}");
    CHECK_EQ_STR(b.p, "hall.front.opened 1/1;");
    bus_rig_run(&g.base, 1500);
    CHECK_EQ_STR(b.p, "hall.front.opened 1/1;hall.front.opened 19/16;");
    publish(&g, "front/opened", "{}");
    bus_rig_run(&g.base, 1500); /* what is known is not told again */
    CHECK_EQ_STR(b.p, "hall.front.opened 1/1;hall.front.opened 19/16;hall.front.opened 20/16;");
    check_heard(&g, NULL, 10, "hall.front.opened 20/16;");
    rig_fini(&g);
    strbuf_fini(&b);
}

TEST(a_restart_forgets_nothing_and_goes_on)
{
    const char *dir = test_tmpdir();
    struct rig g;
    start(&g, dir);
    rig_play(&g, visits, ARRAY_LEN(visits), 20);
    rig_fini(&g); /* at once: it had not been recorded yet */
    start(&g, dir);
    check_heard(&g, NULL, 10, "hall.front.opened 2/2;hall.front.forced 1/1;hall.back.forced 1/1;");
    publish(&g, "back/forced", "1");
    check_heard(&g, NULL, 1, "hall.back.forced 2/2;");
    rig_fini(&g);
}

static void retain(struct rig *g, const char *topic, const char *payload)
{
    struct bus_receipt receipt;
    struct bus_publication p = {.topic = str_from(topic),
                                .payload = {(const uint8_t *)payload, strlen(payload)},
                                .retain = true,
                                .expiry_s = UINT32_MAX};
    REQUIRE(bus_publish(g->base.bus, &p, &receipt) == ERR_OK);
}

TEST(what_is_retained_is_no_news_after_a_restart)
{
    const char *dir = test_tmpdir();
    struct rig g;
    start(&g, dir);
    retain(&g, "front/opened", "{}");
    check_heard(&g, NULL, 10, "hall.front.opened 1/1;");
    rig_fini(&g);
    start(&g, dir); /* it is replayed, and retained still */
    check_heard(&g, NULL, 10, "hall.front.opened 1/1;");
    rig_fini(&g);
}

TEST(when_there_is_no_room_what_nobody_declares_goes)
{
    const char *dir = test_tmpdir();
    struct rig g;
    start(&g, dir);
    publish(&g, "front/opened", "{}");
    publish(&g, "back/opened", "{}");
    publish(&g, "back/forced", "{}");
    publish(&g, "front/forced", "{}"); /* the rig has room for three */
    check_heard(&g, NULL, 10, "hall.back.forced 1/1;hall.back.opened 1/1;hall.front.opened 1/1;");
    rig_fini(&g);
    rig_build_only(&g, dir, 60000); /* the back door was walled up */
    declare_door(&g, "hall.front", "front");
    struct error e = {0};
    REQUIRE(journal_replay(g.base.journal, &e) == ERR_OK);
    rig_start(&g);
    publish(&g, "front/forced", "{}");
    check_heard(&g, NULL, 10, "hall.front.forced 1/1;hall.front.opened 1/1;");
    rig_fini(&g);
}
