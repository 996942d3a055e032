/* bench_chunk: bytes a point, encoding and decoding of the chunk codec on the plant mix: 35 %
 * temperature with 0.1 steps, 15 % integer humidity, 15 % boolean, 10 % power, 10 % counters, 5 %
 * voltage, 5 % pressure, 5 % full-precision floats, as random walks; half of the series with
 * timestamps jittered by 0–100 ms. One thread. Prints lines as README.md says, the medians of five
 * runs. */
#include "base/clock.h"
#include "base/stats.h"
#include "history/chunk.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SERIES 1000u
#define POINTS 2048u
#define RUNS   5u

enum sort { TEMPERATURE, HUMIDITY, SWITCH, POWER, COUNTER, VOLTAGE, PRESSURE, FULL, SORTS };
static const struct {
    const char *name;
    unsigned until; /* of 100 series */
} mix[SORTS] = {{"temperature", 35}, {"humidity", 50}, {"boolean", 65},  {"power", 75},
                {"counter", 85},     {"voltage", 90},  {"pressure", 95}, {"full_precision", 100}};

struct walk {
    double x;
    int64_t count;
    bool on;
};

static double to_step(double x, double steps)
{
    return round(x * steps) / steps;
}

static struct value next(struct random *r, enum sort s, struct walk *w)
{
    struct value v = {.kind = VALUE_FLOAT};
    switch (s) {
    case TEMPERATURE:
        w->x += 0.05 * random_normal(r);
        v.f = to_step(20 + w->x, 10);
        break;
    case HUMIDITY:
        w->x += 0.3 * random_normal(r);
        v.kind = VALUE_INT;
        v.i = 50 + (int64_t)lround(w->x);
        break;
    case SWITCH:
        w->on ^= random_below(r, 50) == 0;
        v.kind = VALUE_BOOL;
        v.b = w->on;
        break;
    case POWER:
        w->x += 5 * random_normal(r);
        v.f = to_step(1500 + w->x, 10);
        break;
    case COUNTER:
        w->count += (int64_t)random_below(r, 6);
        v.kind = VALUE_INT;
        v.i = w->count;
        break;
    case VOLTAGE:
        w->x = 0.95 * w->x + 0.2 * random_normal(r);
        v.f = to_step(230 + w->x, 10);
        break;
    case PRESSURE:
        w->x += 0.01 * random_normal(r);
        v.f = to_step(1013 + w->x, 100);
        break;
    default:
        w->x += 0.1 * random_normal(r);
        v.f = 100 + w->x;
        break;
    }
    return v;
}

static enum sort sort_of(unsigned series)
{
    unsigned s = 0;
    while (mix[s].until <= series % 100)
        s++;
    return (enum sort)s;
}

static void make(struct points *p, unsigned series, struct random *r)
{
    enum sort s = sort_of(series);
    struct walk w = {.count = (int64_t)random_below(r, 1000000)};
    bool jitter = random_below(r, 2);
    points_init(p, alloc_system(), next(r, s, &w).kind);
    for (unsigned i = 0; i < POINTS; i++) {
        struct value v = next(r, s, &w);
        int64_t ts = 1764000000000 + (int64_t)i * 120000;
        ts += jitter ? (int64_t)random_below(r, 101) : 0;
        if (points_add(p, ts, &v) != ERR_OK)
            exit(1);
    }
}

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void line(const char *name, const char *unit, double ours, const char *goal, int met)
{
    printf("bench=%s unit=%s ours=%.3f peer=none theirs=- ratio=- goal=%s met=%s\n", name, unit,
           ours, goal,
           met < 0 ? "-"
           : met   ? "yes"
                   : "no");
}

struct run {
    struct points p[SERIES];
    uint8_t *data[SERIES];
    size_t size[SERIES];
    uint8_t room[POINTS * 16 + 1024];
};

static double encode_all(struct run *b)
{
    double start = now_s();
    for (unsigned i = 0; i < SERIES; i++) {
        struct writer w = writer_from(b->room, sizeof(b->room));
        if (chunk_encode(&w, &b->p[i], alloc_system()) != ERR_OK)
            exit(1);
        b->size[i] = writer_len(&w);
        free(b->data[i]);
        b->data[i] = malloc(b->size[i]);
        if (!b->data[i])
            exit(1);
        for (size_t k = 0; k < b->size[i]; k++)
            b->data[i][k] = b->room[k];
    }
    return SERIES * POINTS / (now_s() - start) / 1e6;
}

static double decode_all(struct run *b)
{
    struct points q;
    points_init(&q, alloc_system(), VALUE_INT);
    double start = now_s();
    for (unsigned i = 0; i < SERIES; i++)
        if (chunk_decode((struct bytes){b->data[i], b->size[i]}, &q) != ERR_OK || q.n != POINTS)
            exit(1);
    double rate = SERIES * POINTS / (now_s() - start) / 1e6;
    points_fini(&q);
    return rate;
}

int main(void)
{
    struct run *b = calloc(1, sizeof(*b));
    if (!b)
        return 1;
    struct random r;
    random_seed(&r, 1);
    for (unsigned i = 0; i < SERIES; i++)
        make(&b->p[i], i, &r);
    double encode[RUNS];
    double decode[RUNS];
    for (unsigned i = 0; i < RUNS; i++) {
        encode[i] = encode_all(b);
        decode[i] = decode_all(b);
    }
    size_t bytes[SORTS] = {0};
    unsigned count[SORTS] = {0};
    size_t all = 0;
    for (unsigned i = 0; i < SERIES; i++) {
        bytes[sort_of(i)] += b->size[i];
        count[sort_of(i)]++;
        all += b->size[i];
    }
    double per_point = (double)all / (SERIES * POINTS);
    double e = stats_median(encode, RUNS);
    double d = stats_median(decode, RUNS);
    line("chunk_bytes_per_point", "B", per_point, "<=1.0", per_point <= 1.0);
    line("chunk_encode", "Mpoints/s", e, ">=15", e >= 15);
    line("chunk_decode", "Mpoints/s", d, ">=200", d >= 200);
    for (unsigned s = 0; s < SORTS; s++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "chunk_bytes_per_point_%s", mix[s].name);
        line(name, "B", (double)bytes[s] / ((double)count[s] * POINTS), "-", -1);
    }
    for (unsigned i = 0; i < SERIES; i++) {
        points_fini(&b->p[i]);
        free(b->data[i]);
    }
    free(b);
    return 0;
}
