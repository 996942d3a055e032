#include "app/bench_report.h"

enum { FIGURES_MAX = 24 };

struct figure {
    const char *name, *unit;
    double value;
    bool whole; /* a count */
};

struct figures {
    struct figure f[FIGURES_MAX];
    size_t n;
};

static void add(struct figures *s, const char *name, const char *unit, double value)
{
    ASSERT(s->n < FIGURES_MAX);
    s->f[s->n++] = (struct figure){name, unit, value, false};
}

static void add_count(struct figures *s, const char *name, uint64_t value)
{
    add(s, name, "messages", (double)value);
    s->f[s->n - 1].whole = true;
}

static void add_latency(struct figures *s, const struct histogram *h)
{
    static const struct {
        const char *name;
        double q;
    } points[] = {
        {"latency_p50", 0.5}, {"latency_p90", 0.9}, {"latency_p99", 0.99}, {"latency_p999", 0.999}};
    for (size_t i = 0; i < ARRAY_LEN(points); i++)
        add(s, points[i].name, "us", (double)histogram_quantile(h, points[i].q) / 1000);
    add(s, "latency_max", "us", (double)h->max / 1000);
}

static void gather(struct figures *s, const struct load_config *cfg, const struct load_result *r)
{
    if (cfg->scenario == LOAD_IDLE) {
        add(s, "idle_connection", "B", r->idle_bytes);
        return;
    }
    double messages = (double)(cfg->subscribers ? r->delivered : cfg->qos ? r->acked : r->sent);
    if (cfg->subscribers)
        add(s, "delivered", "1/s", (double)r->delivered / r->seconds);
    add(s, "sent", "1/s", (double)r->sent / r->seconds);
    if (cfg->qos > 0)
        add(s, "acknowledged", "1/s", (double)r->acked / r->seconds);
    if (r->cpu_s >= 0 && messages > 0)
        add(s, "cpu", "s/Mmsg", r->cpu_s / messages * 1e6);
    if (r->cpu_s >= 0)
        add(s, "cpu_busy", "cores", r->cpu_s / r->seconds);
    if (r->latency_ns.count > 0)
        add_latency(s, &r->latency_ns);
    add_count(s, "lost", r->lost);
    add_count(s, "duplicated", r->duplicated);
    add_count(s, "reordered", r->reordered);
    add_count(s, "refused", r->refused);
    add_count(s, "acks_reordered", r->acks_reordered);
}

static void print_name(FILE *to, const char *scenario)
{
    for (const char *c = scenario; *c; c++)
        (void)fputc(*c == '-' ? '_' : *c, to);
}

static void print_value(FILE *to, const struct figure *f)
{
    if (f->whole || f->value >= 1000)
        (void)fprintf(to, "%.0f", f->value);
    else
        (void)fprintf(to, "%.4g", f->value);
}

static void print_lines(FILE *to, const char *scenario, uint8_t qos, const struct figures *s)
{
    for (size_t i = 0; i < s->n; i++) {
        (void)fputs("bench=mqtt_", to);
        print_name(to, scenario);
        (void)fprintf(to, "_qos%u_%s unit=%s ours=", qos, s->f[i].name, s->f[i].unit);
        print_value(to, &s->f[i]);
        (void)fputs(" peer=- theirs=- ratio=- goal=- met=-\n", to);
    }
}

static void print_json(FILE *to, const char *scenario, uint8_t qos, const struct load_result *r,
                       const struct figures *s)
{
    (void)fprintf(to, "{\"scenario\":\"%s\",\"qos\":%u,\"connections\":%zu", scenario, qos,
                  r->connections);
    for (size_t i = 0; i < s->n; i++)
        (void)fprintf(to, ",\"%s\":%.*f", s->f[i].name, s->f[i].whole ? 0 : 4, s->f[i].value);
    (void)fprintf(to, ",\"seconds\":%.3f,\"stalled\":%s}\n", r->seconds,
                  r->stalled ? "true" : "false");
}

static void print_text(FILE *to, const char *scenario, uint8_t qos, const struct load_result *r,
                       const struct figures *s)
{
    (void)fprintf(to, "%s, QoS %u, %zu connections", scenario, qos, r->connections);
    if (r->seconds > 0)
        (void)fprintf(to, ", %.1f s", r->seconds);
    (void)fputc('\n', to);
    for (size_t i = 0; i < s->n; i++) {
        if (s->f[i].whole && s->f[i].value == 0)
            continue;
        (void)fprintf(to, "  %-16s ", s->f[i].name);
        print_value(to, &s->f[i]);
        (void)fprintf(to, " %s\n", s->f[i].unit);
    }
    if (r->seconds == 0)
        return;
    if (r->stalled)
        (void)fputs("  the broker stalled: nothing moved for 5 s\n", to);
    (void)fputs(load_sound(r) ? "  every message came once and in order\n"
                              : "  NOT SOUND: messages were lost, doubled or reordered\n",
                to);
}

void bench_report(FILE *to, enum bench_format format, const char *scenario,
                  const struct load_config *cfg, const struct load_result *r)
{
    struct figures s = {.n = 0};
    gather(&s, cfg, r);
    switch (format) {
    case BENCH_LINES: print_lines(to, scenario, cfg->qos, &s); break;
    case BENCH_JSON: print_json(to, scenario, cfg->qos, r, &s); break;
    case BENCH_TEXT: print_text(to, scenario, cfg->qos, r, &s); break;
    }
}
