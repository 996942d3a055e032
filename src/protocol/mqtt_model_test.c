/* The bus against a model that knows no trees: every filter is asked by itself. */
#include "bus/bus.h"
#include "codec/mqtt.h"
#include "tests/support/test.h"
#include <stdio.h>
#include <string.h>

#define SUBSCRIBERS 8
#define FILTERS_MAX 40

struct model_subscriber {
    struct subscriber subscriber;
    char filters[FILTERS_MAX][40];
    uint32_t ids[FILTERS_MAX]; /* of the subscriptions */
    uint32_t id_last;
    size_t n;
    unsigned got;      /* filters that the last delivery named */
    unsigned retained; /* deliveries of bus_send_retained() */
};

static const char *filter_of(const struct model_subscriber *s, uint32_t id)
{
    size_t i = 0;
    while (i < s->n && s->ids[i] != id)
        i++;
    REQUIRE(i < s->n);
    return s->filters[i];
}

static void deliver(struct subscriber *sub, struct message *m,
                    const struct sub_options *const *subs, size_t n, bool retained)
{
    struct model_subscriber *s = CONTAINER_OF(sub, struct model_subscriber, subscriber);
    for (size_t i = 0; i < n; i++)
        CHECK(mqtt_filter_match(str_from(filter_of(s, subs[i]->id)), message_topic(m)));
    if (retained)
        s->retained++;
    else
        s->got += (unsigned)n;
}

static const char *const names[] = {"a", "b", "", "$x", "aa"};

/* Up to five levels out of few names, so that things meet. */
static void make(struct random *r, bool filter, char out[40])
{
    size_t levels = 1 + random_below(r, 5);
    do {
        out[0] = '\0';
        for (size_t i = 0; i < levels; i++) {
            const char *name = names[random_below(r, ARRAY_LEN(names))];
            if (filter && random_below(r, 3) == 0)
                name = "+";
            if (filter && i + 1 == levels && random_below(r, 3) == 0)
                name = "#";
            (void)snprintf(out + strlen(out), 40 - strlen(out), "%s%s", i ? "/" : "", name);
        }
    } while (!out[0]);
}

static size_t find(const struct model_subscriber *s, const char *filter)
{
    size_t i = 0;
    while (i < s->n && strcmp(s->filters[i], filter) != 0)
        i++;
    return i;
}

static void change(struct bus *b, struct model_subscriber *s, struct random *r)
{
    char filter[40];
    bool existed;
    if (s->n && (s->n == FILTERS_MAX || random_below(r, 2))) {
        size_t i = random_below(r, s->n);
        CHECK(bus_unsubscribe(b, &s->subscriber, (struct str){NULL, 0}, str_from(s->filters[i])));
        memcpy(s->filters[i], s->filters[--s->n], sizeof(s->filters[0]));
        s->ids[i] = s->ids[s->n];
        return;
    }
    make(r, true, filter);
    size_t i = find(s, filter);
    const struct subscription sub = {
        .filter = str_from(filter), .subscriber = &s->subscriber, .id = ++s->id_last};
    CHECK_EQ_INT(bus_subscribe(b, &sub, &existed), ERR_OK);
    CHECK_EQ_INT(existed, i < s->n);
    if (i == s->n)
        memcpy(s->filters[s->n++], filter, sizeof(filter));
    s->ids[i] = sub.id;
}

static void publish(struct bus *b, struct model_subscriber *all, const char *topic)
{
    struct bus_receipt receipt;
    unsigned matched = 0;
    const struct bus_publication p = {.topic = str_from(topic), .expiry_s = UINT32_MAX};
    for (size_t i = 0; i < SUBSCRIBERS; i++)
        all[i].got = 0;
    CHECK_EQ_INT(bus_publish(b, &p, &receipt), ERR_OK);
    for (size_t i = 0; i < SUBSCRIBERS; i++) {
        unsigned want = 0;
        for (size_t k = 0; k < all[i].n; k++)
            want += mqtt_filter_match(str_from(all[i].filters[k]), str_from(topic));
        CHECK_EQ_UINT(all[i].got, want);
        matched += want > 0;
    }
    CHECK_EQ_UINT(receipt.matched, matched);
}

struct count {
    struct str filter;
    unsigned n;
};

static void count(void *ctx, struct message *m)
{
    struct count *c = ctx;
    c->n += mqtt_filter_match(c->filter, message_topic(m));
}

static void retain(struct bus *b, struct random *r)
{
    char topic[40], filter[40];
    struct bus_receipt receipt;
    make(r, false, topic);
    make(r, true, filter);
    const struct bus_publication p = {.topic = str_from(topic),
                                      .payload = {(const uint8_t *)"x", random_below(r, 3) > 0},
                                      .retain = true,
                                      .expiry_s = UINT32_MAX};
    struct model_subscriber guest = {.subscriber = {.deliver = deliver}, .ids = {1}, .n = 1};
    memcpy(guest.filters[0], filter, sizeof(filter));
    const struct subscription sub = {
        .filter = str_from(filter), .subscriber = &guest.subscriber, .id = 1};
    CHECK_EQ_INT(bus_publish(b, &p, &receipt), ERR_OK);
    struct count want = {.filter = str_from(filter)};
    bus_retained_each(b, count, &want);
    CHECK_EQ_INT(bus_subscribe(b, &sub, NULL), ERR_OK);
    bus_send_retained(b, &sub);
    bus_unsubscribe_all(b, &guest.subscriber);
    CHECK_EQ_UINT(guest.retained, want.n);
}

TEST(mqtt_bus_against_the_model)
{
    struct executor *ex;
    struct bus *b;
    struct error e;
    struct random r;
    struct model_subscriber all[SUBSCRIBERS];
    const struct executor_config ec = {.workers = 1, .driver = "epoll", .offload_threads = 1};
    REQUIRE(executor_new(&ex, &ec, &e) == ERR_OK);
    const struct bus_config bc = {.ex = ex};
    REQUIRE(bus_new(&b, &bc, &e) == ERR_OK);
    random_seed(&r, test_seed());
    memset(all, 0, sizeof(all));
    for (size_t i = 0; i < SUBSCRIBERS; i++)
        all[i].subscriber.deliver = deliver;
    for (int step = 0; step < 20000; step++) {
        char topic[40];
        LABEL("step %d", step);
        struct model_subscriber *s = &all[random_below(&r, SUBSCRIBERS)];
        if (random_below(&r, 4) == 0)
            change(b, s, &r);
        if (random_below(&r, 4) == 0)
            retain(b, &r);
        make(&r, false, topic);
        publish(b, all, topic);
        if (random_below(&r, 2000) == 0) {
            bus_unsubscribe_all(b, &s->subscriber);
            s->n = 0;
        }
    }
    bus_free(b);
    executor_free(ex);
}
