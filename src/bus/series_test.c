#include "bus/bus_rig_test.h"
#include <math.h>

struct heard {
    struct sample_listener listener;
    struct event_listener events;
    int samples, qualities, alerts, actions;
    struct heard *drops; /* unlistens it inside its call */
};

static void drop(struct heard *h)
{
    if (!h->drops)
        return;
    bus_sample_unlisten(&h->drops->listener);
    bus_event_unlisten(&h->drops->events);
    h->drops = NULL;
}

static void on_sample(struct sample_listener *l, const struct sample *s)
{
    struct heard *h = CONTAINER_OF(l, struct heard, listener);
    (void)s;
    h->samples++;
    drop(h);
}

static void on_quality(struct sample_listener *l, struct series *s)
{
    (void)s;
    CONTAINER_OF(l, struct heard, listener)->qualities++;
}

static void on_alert(struct event_listener *l, const struct alert_event *e)
{
    struct heard *h = CONTAINER_OF(l, struct heard, events);
    (void)e;
    h->alerts++;
    drop(h);
}

static void on_action(struct event_listener *l, const struct action_event *e)
{
    (void)e;
    CONTAINER_OF(l, struct heard, events)->actions++;
}

TEST(series_declared_once_and_numbered)
{
    struct bus_rig r = {0};
    bus_rig_light(&r);
    struct series *a = bus_series(r.bus, STR("p.a"), VALUE_FLOAT, STR("°C"));
    struct series *b = bus_series(r.bus, STR("p.b"), VALUE_BOOL, STR(""));
    REQUIRE(a && b);
    CHECK_EQ_UINT(a->index, 0);
    CHECK_EQ_UINT(b->index, 1);
    CHECK_EQ_PTR(bus_series(r.bus, STR("p.a"), VALUE_FLOAT, STR("°C")), a);
    CHECK_EQ_PTR(bus_series_find(r.bus, STR("p.b")), b);
    CHECK_EQ_PTR(bus_series_find(r.bus, STR("p.c")), NULL);
    CHECK_EQ_PTR(bus_series_at(r.bus, 1), b);
    CHECK_EQ_PTR(bus_series_at(r.bus, 2), NULL);
    CHECK_EQ_UINT(bus_series_count(r.bus), 2);
    CHECK(str_eq(a->unit, STR("°C")));
    CHECK_EQ_INT(a->quality, QUALITY_NONE);
    bus_rig_light_close(&r);
}

TEST(series_remember_their_last_value)
{
    struct bus_rig r = {0};
    char text[300];
    bus_rig_light(&r);
    struct series *s = bus_series(r.bus, STR("mode"), VALUE_STR, STR(""));
    REQUIRE(s != NULL);
    memset(text, 'm', sizeof(text));
    struct sample x = {.series = s,
                       .ts_ms = 5,
                       .value = {.kind = VALUE_STR, .s = {text, sizeof(text)}},
                       .quality = QUALITY_GOOD};
    bus_sample_publish(r.bus, &x);
    memset(text, 'x', sizeof(text)); /* the sample was borrowed */
    CHECK_EQ_UINT(s->last.s.n, 256);
    CHECK_EQ_INT(s->last.s.p[0], 'm');
    CHECK_EQ_INT(s->last_ms, 5);
    CHECK_EQ_INT(s->quality, QUALITY_GOOD);
    bus_quality_publish(r.bus, s, QUALITY_STALE);
    CHECK_EQ_INT(s->quality, QUALITY_STALE);
    bus_rig_light_close(&r);
}

static void say(struct bus_rig *r, struct series *s, int64_t ts_ms, double v)
{
    struct sample x = {.series = s,
                       .ts_ms = ts_ms,
                       .value = {.kind = VALUE_FLOAT, .f = v},
                       .quality = QUALITY_GOOD};
    bus_sample_publish(r->bus, &x);
    CHECK(sample_is_late(&x) == (s->last.f != v));
}

TEST(series_old_news_does_not_replace_the_last_value)
{
    struct bus_rig r = {0};
    bus_rig_light(&r);
    struct series *s = bus_series(r.bus, STR("t"), VALUE_FLOAT, STR(""));
    REQUIRE(s != NULL);
    ASSERT(s); /* which an analyzer understands */
    say(&r, s, 1764000005000, 5);
    say(&r, s, 1764000003000, 3);
    CHECK_EQ_DBL(s->last.f, 5, 0);
    CHECK_EQ_INT(s->last_ms, 1764000005000);
    say(&r, s, 1764000005000, 6); /* of the same instant: the later one */
    CHECK_EQ_DBL(s->last.f, 6, 0);
    say(&r, s, INT64_C(4000000000000), 7); /* a clock that is far ahead … */
    say(&r, s, 1764000006000, 8);          /* … and is set right */
    CHECK_EQ_DBL(s->last.f, 8, 0);
    bus_rig_light_close(&r);
}

TEST(series_more_than_the_limit)
{
    struct bus_rig r = {0};
    char name[20];
    bus_rig_light(&r);
    for (int i = 0; i < SERIES_MAX; i++) {
        (void)snprintf(name, sizeof(name), "s%d", i);
        REQUIRE(bus_series(r.bus, str_from(name), VALUE_INT, STR("")) != NULL);
    }
    CHECK_EQ_PTR(bus_series(r.bus, STR("one more"), VALUE_INT, STR("")), NULL);
    CHECK(bus_series(r.bus, STR("s7"), VALUE_INT, STR("")) != NULL);
    bus_rig_light_close(&r);
}

/* Three listeners; the first, the second or the third is dropped by one of them. */
TEST(series_listeners_leave_inside_their_call)
{
    for (int by = 0; by < 3; by++) {
        for (int who = 0; who < 3; who++) {
            struct bus_rig r = {0};
            struct heard h[3];
            LABEL("%d drops %d", by, who);
            bus_rig_light(&r);
            struct series *s = bus_series(r.bus, STR("x"), VALUE_INT, STR(""));
            REQUIRE(s != NULL);
            for (int i = 0; i < 3; i++) {
                h[i] = (struct heard){.listener = {.sample = on_sample, .quality = on_quality},
                                      .events = {.alert = on_alert, .action = on_action}};
                bus_sample_listen(r.bus, &h[i].listener);
                bus_event_listen(r.bus, &h[i].events);
            }
            h[by].drops = &h[who];
            const struct sample x = {.series = s, .value = {.kind = VALUE_INT, .i = 1}};
            bus_sample_publish(r.bus, &x);
            bus_sample_publish(r.bus, &x);
            bus_quality_publish(r.bus, s, QUALITY_STALE);
            const struct action_event action = {.state = ACTION_SENT};
            bus_action_publish(r.bus, &action);
            for (int i = 0; i < 3; i++) {
                CHECK_EQ_INT(h[i].samples, i != who ? 2 : who <= by ? 1 : 0);
                CHECK_EQ_INT(h[i].qualities, i != who);
                CHECK_EQ_INT(h[i].actions, i != who);
            }
            bus_rig_light_close(&r);
        }
    }
}

TEST(events_listeners_leave_inside_their_call)
{
    struct bus_rig r = {0};
    struct heard a = {.events = {.alert = on_alert}}, b = a;
    const struct alert_event e = {.severity = SEVERITY_INFO};
    bus_rig_light(&r);
    bus_event_listen(r.bus, &a.events);
    bus_event_listen(r.bus, &b.events);
    a.drops = &b;
    bus_alert_publish(r.bus, &e);
    CHECK_EQ_INT(a.alerts, 1);
    CHECK_EQ_INT(b.alerts, 0);
    bus_rig_light_close(&r);
}

TEST(values_as_numbers)
{
    const struct value b = {.kind = VALUE_BOOL, .b = true}, i = {.kind = VALUE_INT, .i = -3},
                       f = {.kind = VALUE_FLOAT, .f = 2.5}, s = {.kind = VALUE_STR, .s = STR("4")},
                       none = {0};
    CHECK_EQ_DBL(value_number(&b), 1, 0);
    CHECK_EQ_DBL(value_number(&i), -3, 0);
    CHECK_EQ_DBL(value_number(&f), 2.5, 0);
    CHECK_EQ_DBL(value_number(&s), (double)NAN, 0);
    CHECK_EQ_DBL(value_number(&none), (double)NAN, 0);
}
