/* bench: helper of modbus.py. modbus_poll PORT UNITS REGISTERS MEASURE_MS IN_FLIGHT: our engine
 * reads so many holding registers of so many units as fast as the server answers, each register as
 * a number of its own. After half a second of warm-up it measures, and prints `points N cpu_us N`.
 */
#include "protocol/modbus.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { WARM_UP_MS = 500, EVERY_MS = 10, TIMEOUT_MS = 200, UNITS_MAX = 247 };

struct bench {
    struct executor *ex;
    struct timer timer;
    int64_t measure_ms;
    bool measures;
    uint64_t points;
    double sum; /* so that the numbers are wanted */
    int64_t cpu_us;
};

static int64_t cpu_us(void)
{
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * INT64_C(1000000) + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

static enum err on_sample(void *ctx, struct device_property *p, const struct value *v,
                          enum quality q)
{
    struct bench *b = ctx;
    (void)p;
    (void)q;
    b->points++;
    b->sum += v->f;
    return ERR_OK;
}

static void on_unreadable(void *ctx, struct device_property *p, const char *why)
{
    (void)ctx;
    (void)p;
    (void)fprintf(stderr, "%s\n", why);
}

static void on_link(void *ctx, struct device *d, bool online, const char *why)
{
    (void)ctx;
    (void)d;
    (void)online;
    (void)why;
}

static void on_timer(struct timer *t)
{
    struct bench *b = CONTAINER_OF(t, struct bench, timer);
    if (b->measures) {
        b->cpu_us = cpu_us() - b->cpu_us;
        executor_stop(b->ex);
        return;
    }
    b->measures = true;
    b->points = 0;
    b->cpu_us = cpu_us();
    timer_set_after_ms(t, b->measure_ms);
}

static const struct property_def property = {.name = {"p", 1}, .kind = VALUE_FLOAT};
static const struct model_def model = {
    .name = {"M", 1}, .properties = &property, .property_count = 1};

static enum err declare(struct modbus_setup *s, uint16_t port, unsigned units, unsigned registers,
                        unsigned in_flight)
{
    static struct device devices[UNITS_MAX];
    static struct device_property properties[UNITS_MAX];
    struct modbus_point *points = calloc(registers, sizeof(*points));
    struct error e = {0};
    enum err r = points ? ERR_OK : ERR_NOMEM;
    for (unsigned i = 0; points && i < registers; i++)
        points[i].place = (struct modbus_place){.table = MODBUS_HOLDING,
                                                .address = (uint16_t)i,
                                                .form = {.type = MODBUS_U16, .scale = 0.1}};
    for (unsigned i = 0; i < units && !r; i++) {
        devices[i] = (struct device){.model = &model, .props = &properties[i]};
        properties[i] = (struct device_property){.device = &devices[i], .def = &property};
        r = modbus_setup_add(s,
                             &(struct modbus_device){.device = &devices[i],
                                                     .link = {.host = STR("127.0.0.1"),
                                                              .port = port,
                                                              .timeout_ms = TIMEOUT_MS,
                                                              .in_flight = in_flight},
                                                     .unit = (uint8_t)(i + 1),
                                                     .every_ms = EVERY_MS,
                                                     .points = points,
                                                     .point_count = registers},
                             &e);
    }
    free(points);
    if (r)
        (void)fprintf(stderr, "modbus_poll: %s\n", e.text);
    return r;
}

int main(int argc, char **argv)
{
    struct bench b = {0};
    struct modbus_setup *s;
    struct modbus *m;
    struct error e = {0};
    const struct executor_config cfg = {
        .env = env_linux(), .alloc = alloc_system(), .workers = 1, .offload_threads = 1};
    const struct modbus_sink sink = {.sample = on_sample,
                                     .doubt = on_unreadable,
                                     .unreadable = on_unreadable,
                                     .link_state = on_link,
                                     .ctx = &b};
    if (argc != 6 || strtoul(argv[2], NULL, 10) > UNITS_MAX)
        return 2;
    b.measure_ms = strtol(argv[4], NULL, 10);
    if (executor_new(&b.ex, &cfg, &e) || modbus_setup_new(&s, alloc_system()) ||
        declare(s, (uint16_t)strtoul(argv[1], NULL, 10), (unsigned)strtoul(argv[2], NULL, 10),
                (unsigned)strtoul(argv[3], NULL, 10), (unsigned)strtoul(argv[5], NULL, 10)) ||
        modbus_new(&m, &(struct modbus_config){.ex = b.ex, .alloc = alloc_system(), .sink = &sink},
                   s, &e)) {
        (void)fprintf(stderr, "modbus_poll: %s\n", e.text);
        return 1;
    }
    timer_init(&b.timer, executor_worker(b.ex, 0), on_timer);
    timer_set_after_ms(&b.timer, WARM_UP_MS);
    executor_run(b.ex);
    modbus_free(m);
    executor_free(b.ex);
    (void)printf("points %ju cpu_us %jd\n", (uintmax_t)b.points, (intmax_t)b.cpu_us);
    return b.sum < 0;
}
