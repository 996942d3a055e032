/* mqtt_routes: what it costs to find who gets a topic among 1,000, 100,000 and 1,000,000
 * subscriptions of which three in ten have wildcards, and what subscriptions and retained messages
 * need in memory and time.
 *
 * Topics are plant/lineL/devD/PROPERTY; ten devices a subscriber, four subscriptions a device: two
 * of exact topics, one with `+`, one of ten with `#`, the rest exact again. So a topic matches as
 * many subscriptions whatever their number, and only the size of the trie differs. Four ways:
 *   cached    750 topics again and again: how publishers are
 *   rebuilt   the same, but each time something has changed that concerns all of them
 *   random    any topic of all, each as good as never seen before: memory, not code
 *   batch     the same, but sixteen of them are known at once: how a client that speaks for many is
 * One thread, processor time. Prints lines as README.md says, the medians of five runs.
 *     bench_mqtt_routes [SUBSCRIPTIONS_MAX] */
#include "base/clock.h"
#include "base/stats.h"
#include "bus/bus_internal.h"
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HOT = 250, LOOKUPS = 200000, RUNS = 5, PER_DEVICE = 4, DEVICES_EACH = 10 };
static const char *const properties[] = {"temperature", "humidity", "state"};

/* Of this thread: others on the machine take time, not processor. */
static int64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static size_t heap_bytes(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static void print(const char *name, size_t n, const char *unit, double ours)
{
    printf("bench=routes_%s_%zu unit=%s ours=%.6g\n", name, n, unit, ours);
}

static size_t topic_write(char to[64], size_t device, size_t property)
{
    int n =
        snprintf(to, 64, "plant/line%zu/dev%zu/%s", device / 1000, device, properties[property]);
    return (size_t)n;
}

static size_t filter_write(char to[64], size_t i)
{
    size_t device = i / PER_DEVICE;
    if (i % PER_DEVICE == 3)
        return (size_t)snprintf(to, 64, "plant/+/dev%zu/state", device);
    if (i % PER_DEVICE == 2)
        return (size_t)snprintf(
            to, 64, device % 10 ? "plant/line%zu/dev%zu/state" : "plant/line%zu/dev%zu/#",
            device / 1000, device);
    return topic_write(to, device, i % PER_DEVICE);
}

struct site {
    struct routes *routes;
    struct route_view *view;
    struct subscriber *subscribers;
    size_t n, devices;
    struct executor *ex;
};

/* ---- looking up ---- */

enum way { CACHED, REBUILT, RANDOM, BATCH, WAYS };
static const char *const ways[] = {"cached", "rebuilt", "random", "batch"};

static void expect(struct route_view *v, char (*topics)[64])
{
    struct str next[BUS_EXPECT_MAX];
    for (size_t i = 0; i < BUS_EXPECT_MAX; i++)
        next[i] = str_from(topics[i]);
    route_expect(v, next, BUS_EXPECT_MAX);
}

static double look_up(struct site *s, struct random *r, enum way way, uint64_t *matched)
{
    char(*topics)[64] = calloc(LOOKUPS, sizeof(*topics));
    struct route_view *v = s->view;
    for (size_t i = 0; i < LOOKUPS; i++) {
        size_t device = way >= RANDOM ? random_below(r, s->devices)
                                      : i % HOT * (s->devices / HOT); /* all over the site */
        topic_write(topics[i], device, i % 3);
    }
    if (way == CACHED)
        for (size_t i = 0; i < LOOKUPS; i++)
            (void)route_find(v, str_from(topics[i]), routes_hash(s->routes, str_from(topics[i])));
    int64_t from_ns = now_ns();
    for (size_t i = 0; i < LOOKUPS; i++) {
        if (way == BATCH && i % BUS_EXPECT_MAX == 0)
            expect(v, topics + i);
        const struct str topic = str_from(topics[i]);
        if (way != CACHED)
            atomic_fetch_add(&s->routes->changed_any, 1);
        const struct route *x = route_find(v, topic, routes_hash(s->routes, topic));
        *matched += x->entries_n;
    }
    double ns = (double)(now_ns() - from_ns) / LOOKUPS;
    free(topics);
    return ns;
}

static void look_ups(struct site *s, double out[WAYS])
{
    struct random r;
    random_seed(&r, 1);
    for (enum way way = CACHED; way < WAYS; way++) {
        double ns[RUNS];
        uint64_t matched = 0;
        for (int run = 0; run < RUNS; run++)
            ns[run] = look_up(s, &r, way, &matched);
        out[way] = stats_median(ns, RUNS);
        print(ways[way], s->n, "ns", out[way]);
        printf("# %.2f subscribers a topic, cache hits %llu, misses %llu\n",
               (double)matched / RUNS / LOOKUPS, (unsigned long long)s->view->hits,
               (unsigned long long)s->view->misses);
        s->view->hits = s->view->misses = 0;
    }
}

/* ---- subscribing ---- */

static void subscribe_all(struct site *s)
{
    char filter[64];
    size_t before = heap_bytes();
    int64_t from_ns = now_ns(), worst_ns = 0, last_ns = from_ns;
    for (size_t i = 0; i < s->n; i++) {
        bool existed;
        struct subscription sub = {.subscriber = &s->subscribers[i / PER_DEVICE / DEVICES_EACH]};
        sub.filter = (struct str){filter, filter_write(filter, i)};
        if (routes_add(s->routes, &sub, &existed) || existed)
            abort();
        grace_idle(s->ex);
        int64_t ns = now_ns();
        worst_ns = ns - last_ns > worst_ns ? ns - last_ns : worst_ns;
        last_ns = ns;
    }
    double each = (double)(now_ns() - from_ns) / (double)s->n;
    print("subscribe", s->n, "ns", each);
    print("subscribe_longest", s->n, "us", (double)worst_ns / 1000);
    print("memory", s->n, "bytes", (double)(heap_bytes() - before) / (double)s->n);
}

static void unsubscribe_all(struct site *s)
{
    int64_t from_ns = now_ns();
    for (size_t i = 0; i <= (s->n - 1) / PER_DEVICE / DEVICES_EACH; i++)
        while (s->subscribers[i].subscriptions) {
            routes_remove(s->routes, s->subscribers[i].subscriptions, 0);
            routes_bury(s->routes, 0, UINT64_MAX);
            grace_idle(s->ex);
        }
    print("unsubscribe", s->n, "ns", (double)(now_ns() - from_ns) / (double)s->n);
}

static void routing(struct executor *ex, size_t n, double out[WAYS])
{
    struct site s = {.n = n, .devices = n / PER_DEVICE, .ex = ex};
    s.subscribers = calloc(n / PER_DEVICE / DEVICES_EACH + 1, sizeof(*s.subscribers));
    if (!s.subscribers || routes_new(&s.routes, ex, alloc_system(), n))
        abort();
    s.view = routes_view(s.routes, 0);
    subscribe_all(&s);
    look_ups(&s, out);
    unsubscribe_all(&s);
    routes_free(s.routes);
    free(s.subscribers);
    (void)malloc_trim(0);
}

/* ---- one topic for very many ---- */

static void fan_out(struct executor *ex, size_t n)
{
    struct subscriber *subscribers = calloc(n, sizeof(*subscribers));
    struct routes *routes;
    double ns[RUNS];
    if (!subscribers || routes_new(&routes, ex, alloc_system(), n))
        abort();
    size_t before = heap_bytes();
    for (size_t i = 0; i < n; i++) {
        bool existed;
        const struct subscription s = {.filter = STR("news/all"), .subscriber = &subscribers[i]};
        if (routes_add(routes, &s, &existed))
            abort();
        grace_idle(ex);
    }
    print("memory_fan_out", n, "bytes", (double)(heap_bytes() - before) / (double)n);
    for (int run = 0; run < RUNS; run++) {
        int64_t from_ns = now_ns();
        const struct str topic = STR("news/all");
        atomic_fetch_add(&routes->changed_any, 1);
        const struct route *x =
            route_find(routes_view(routes, 0), topic, routes_hash(routes, topic));
        if (x->entries_n != n)
            abort();
        ns[run] = (double)(now_ns() - from_ns);
    }
    print("build_fan_out", n, "us", stats_median(ns, RUNS) / 1000);
    for (size_t i = 0; i < n; i++)
        routes_remove(routes, subscribers[i].subscriptions, 0);
    routes_free(routes);
    free(subscribers);
}

/* ---- retained ---- */

static struct message *message(size_t device, size_t property)
{
    char topic[64];
    static const uint8_t payload[64];
    size_t n = topic_write(topic, device, property);
    struct message *m = message_new(alloc_system(), (struct str){topic, n}, (struct bytes){NULL, 0},
                                    (struct bytes){payload, sizeof(payload)});
    if (!m)
        abort();
    return m;
}

static double retain_all(struct retained_store *r, struct executor *ex, size_t n)
{
    char why[160];
    int64_t from_ns = now_ns();
    for (size_t i = 0; i < n; i++) {
        struct message *m = message(i / 3, i % 3);
        uint64_t hash = hash_bytes(m->data, m->topic_len, 1);
        if (retained_begin(r, hash, message_topic(m), m->payload_len, why))
            abort();
        retained_end(r, hash, m);
        message_unref(m);
        grace_idle(ex);
    }
    return (double)(now_ns() - from_ns) / (double)n;
}

static void match_all(struct retained_store *r, const char *filter, const char *name, size_t n)
{
    struct retained_cursor c;
    bool more = true;
    size_t found = 0;
    int64_t from_ns = now_ns();
    if (!retained_cursor_init(r, &c, str_from(filter)))
        abort();
    while (more) {
        struct message *m = retained_cursor_next(r, &c, &more);
        found += m != NULL;
        more |= m != NULL;
        message_unref(m);
    }
    retained_cursor_fini(r, &c);
    print(name, n, "ns", (double)(now_ns() - from_ns) / (double)found);
    printf("# %s: %zu messages\n", filter, found);
}

static void retained(struct executor *ex, size_t n)
{
    struct retained_store r;
    if (retained_init(&r, ex, alloc_system(), 1, n, SIZE_MAX))
        abort();
    size_t before = heap_bytes();
    print("retain", n, "ns", retain_all(&r, ex, n));
    size_t each = (heap_bytes() - before) / n;
    size_t payload = 64 + topic_write((char[64]){0}, n / 6, 1);
    print("retained_memory", n, "bytes", (double)each);
    printf("# of these %zu are payload and topic\n", payload);
    print("retain_again", n, "ns", retain_all(&r, ex, n));
    match_all(&r, "#", "retained_all", n);
    match_all(&r, "plant/+/+/state", "retained_third", n);
    retained_fini(&r);
}

static void compare(size_t n, const double ns[WAYS], size_t n0, const double ns0[WAYS])
{
    for (enum way w = CACHED; w < WAYS; w++)
        printf("bench=routes_cost_%s unit=ns ours=%.4g peer=%zu_to_%zu theirs=%.4g ratio=%.2f "
               "goal=<2 met=%s\n",
               ways[w], ns[w], n, n0, ns0[w], ns[w] / ns0[w], ns[w] < 2 * ns0[w] ? "yes" : "no");
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {1000, 100000, 1000000};
    size_t max = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    const struct executor_config cfg = {.workers = 1, .driver = "epoll", .offload_threads = 1};
    struct executor *ex;
    struct error e;
    double first[WAYS] = {0}, last[WAYS];
    (void)mallopt(M_MMAP_THRESHOLD, 64 << 20); /* so that the heap's figures hold all */
    if (executor_new(&ex, &cfg, &e)) {
        (void)fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    for (size_t i = 0; i < ARRAY_LEN(sizes) && sizes[i] <= max; i++) {
        routing(ex, sizes[i], last);
        if (i == 0)
            memcpy(first, last, sizeof(first));
        else
            compare(sizes[i], last, sizes[0], first);
    }
    for (size_t i = 0; i < ARRAY_LEN(sizes) && sizes[i] <= max; i++)
        retained(ex, sizes[i]);
    fan_out(ex, 1000);
    fan_out(ex, 100000);
    executor_free(ex);
    return 0;
}
