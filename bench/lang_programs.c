/* bench: helper. bench_lang_programs SITE STORE EVENTS: a site's programs as `sedge run` has them,
 * without the network; bench/lang_programs.py calls it with a site of lang_site.py.
 *
 * Messages of the stations are published on the bus one after the other, each to the next cell, as
 * a broker's connection would: the registry reads them, history keeps them, automation looks at the
 * rules. Temperatures and vibrations walk slowly up and down over the thresholds;
 * commands are obeyed at once, as by a valve. Prints
 * "NAME VALUE" lines; resident sizes in bytes, times in seconds of the worker's thread. */
#include "alert/alert.h"
#include "async/executor.h"
#include "automation/automation.h"
#include "base/log.h"
#include "history/history.h"
#include "site/load.h"
#include "site/schema.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TURN_EVENTS 64u /* that a connection reads in one go */

#define VALVES_WAITING 4096u

struct valve_news {
    char topic[64];
    bool open;
};

struct bench {
    struct lang_site *site;
    struct executor *ex;
    struct db *db;
    struct journal *journal;
    struct bus *bus;
    struct registry *registry;
    struct history *history;
    struct alerts *alerts;
    struct automation *automation;
    struct bus_publisher client;
    struct subscriber valves;
    struct valve_news news[VALVES_WAITING]; /* positions to be told after the turn */
    size_t news_n;
    struct device **stations;
    size_t stations_n;
};

static double seconds(clockid_t clock)
{
    struct timespec t;
    if (clock_gettime(clock, &t) != 0)
        return 0;
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void resident_print(const char *name)
{
    (void)malloc_trim(0);
    char line[128] = "", *resident = line;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f) {
        if (!fgets(line, sizeof(line), f))
            line[0] = '\0';
        (void)fclose(f);
    }
    (void)strtol(line, &resident, 10); /* the second number, in pages */
    printf("%s %ld\n", name, strtol(resident, NULL, 10) * sysconf(_SC_PAGESIZE));
}

static enum err build_store(struct bench *b, const char *store, struct error *e)
{
    const struct executor_config ex = {
        .env = env_linux(), .alloc = alloc_system(), .workers = 1, .offload_threads = 2};
    enum err err = executor_new(&b->ex, &ex, e);
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/sedge.db", store);
    const struct db_config db = {.ex = b->ex, .alloc = alloc_system(), .path = path};
    if (!err)
        err = db_open(&b->db, &db, e);
    const struct journal_config journal = {.ex = b->ex,
                                           .disk = ex.env->disk,
                                           .clock = ex.env->clock,
                                           .alloc = alloc_system(),
                                           .dir = store};
    if (!err)
        err = journal_open(&b->journal, &journal, e);
    return err;
}

static enum err build_bus(struct bench *b, struct error *e)
{
    const struct bus_config bus = {
        .ex = b->ex, .journal = b->journal, .db = b->db, .alloc = alloc_system()};
    enum err err = bus_new(&b->bus, &bus, e);
    const struct registry_config registry = {
        .ex = b->ex, .bus = b->bus, .journal = b->journal, .db = b->db, .alloc = alloc_system()};
    if (!err)
        err = registry_new(&b->registry, &registry, e);
    if (!err)
        err = site_load_registry(b->site, b->registry, e);
    return err;
}

static enum err build_consumers(struct bench *b, struct error *e)
{
    const struct history_config history = {.ex = b->ex,
                                           .db = b->db,
                                           .journal = b->journal,
                                           .bus = b->bus,
                                           .alloc = alloc_system(),
                                           .clock = executor_env(b->ex)->clock,
                                           .replay = registry_replay,
                                           .ctx = b->registry};
    const struct alerts_config alerts = {
        .ex = b->ex, .bus = b->bus, .journal = b->journal, .db = b->db, .alloc = alloc_system()};
    const struct automation_config automation = {.ex = b->ex,
                                                 .bus = b->bus,
                                                 .registry = b->registry,
                                                 .journal = b->journal,
                                                 .db = b->db,
                                                 .alloc = alloc_system(),
                                                 .site = b->site};
    enum err err = history_new(&b->history, &history, e);
    if (!err)
        err = alerts_new(&b->alerts, &alerts, e);
    resident_print("resident_devices");
    if (!err)
        err = automation_new(&b->automation, &automation, e);
    return err;
}

static void obey(struct subscriber *s, struct message *m, const struct sub_options *const *subs,
                 size_t n, bool retained)
{
    (void)subs, (void)n, (void)retained;
    struct bench *b = CONTAINER_OF(s, struct bench, valves);
    struct str topic = message_topic(m);
    struct bytes bytes = message_payload(m);
    struct valve_news *v = &b->news[b->news_n];
    size_t to = topic.n - (sizeof("/set") - 1);
    if (b->news_n == VALVES_WAITING || to >= sizeof(v->topic))
        return; /* it is sent again */
    memcpy(v->topic, topic.p, to);
    v->topic[to] = '\0';
    v->open = str_starts((struct str){(const char *)bytes.p, bytes.n}, STR("{\"action\":\"open\""));
    b->news_n++;
}

static enum err valves_subscribe(struct bench *b, struct error *e)
{
    b->valves = (struct subscriber){.deliver = obey};
    const struct subscription s = {.filter = STR("+/+/coolant/set"), .subscriber = &b->valves};
    if (bus_subscribe(b->bus, &s, NULL) == ERR_OK)
        return ERR_OK;
    return error_set(e, ERR_FULL, "no subscription for the valves");
}

/* The order is that of cmd_run.c. */
static enum err build(struct bench *b, const char *store, struct error *e)
{
    enum err err = build_store(b, store, e);
    if (!err)
        err = build_bus(b, e);
    if (!err)
        err = build_consumers(b, e);
    if (!err)
        err = journal_replay(b->journal, e);
    if (!err)
        err = journal_start(b->journal, e);
    if (err)
        return err;
    registry_start(b->registry);
    automation_start(b->automation);
    b->client = (struct bus_publisher){.id = bus_publisher_id(b->bus), .name = STR("client")};
    return valves_subscribe(b, e);
}

static bool stations_find(struct bench *b)
{
    b->stations = calloc(b->site->resources_n, sizeof(struct device *));
    for (size_t i = 0; b->stations && i < b->site->resources_n; i++) {
        struct device *d = registry_find(b->registry, b->site->resources[i]->name);
        if (d && str_eq(d->model->name, STR("Station")))
            b->stations[b->stations_n++] = d;
    }
    return b->stations_n > 0;
}

/* Up and down between 55 and 105 in 800 steps; cells are at different places of their way. */
static double walk(uint64_t step, uint64_t cell)
{
    int64_t at = (int64_t)((step + cell * 37) % 800);
    return 55 + (double)llabs(at - 400) / 8;
}

static bool publish(struct bench *b, struct str topic, struct str payload)
{
    const struct bus_publication p = {.topic = topic,
                                      .payload = {(const uint8_t *)payload.p, payload.n},
                                      .expiry_s = UINT32_MAX,
                                      .from = &b->client};
    struct bus_receipt receipt;
    enum err err;
    while ((err = bus_publish(b->bus, &p, &receipt)) == ERR_FULL)
        (void)executor_turn(b->ex); /* the journal writes what it has */
    if (err != ERR_OK)
        fprintf(stderr, "a message was refused: %s %s\n", err_name(err), receipt.why);
    return err == ERR_OK;
}

static bool station_speaks(struct bench *b, uint64_t event)
{
    uint64_t cell = event % b->stations_n;
    const struct device *station = b->stations[cell];
    ASSERT(station);
    double level = walk(event / b->stations_n, cell);
    char text[96];
    int n = snprintf(text, sizeof(text), "{\"temperature\": %.1f, \"vibration\": %.2f}", level,
                     level / 12);
    return publish(b, station->topic, (struct str){text, (size_t)n});
}

static bool valves_speak(struct bench *b)
{
    bool fine = true;
    for (size_t i = 0; fine && i < b->news_n; i++)
        fine = publish(b, str_from(b->news[i].topic),
                       b->news[i].open ? STR("{\"position\": 100}") : STR("{\"position\": 0}"));
    b->news_n = 0;
    return fine;
}

static bool feed(struct bench *b, uint64_t first, uint64_t events)
{
    for (uint64_t i = first; i < first + events; i++) {
        if (!station_speaks(b, i))
            return false;
        if (i % TURN_EVENTS == 0) {
            (void)executor_turn(b->ex);
            if (!valves_speak(b))
                return false;
        }
    }
    return true;
}

static void programs_print(const struct bench *b)
{
    uint64_t turns = 0, instructions = 0, fired = 0, failed = 0;
    for (size_t i = 0; i < automation_programs(b->automation); i++) {
        struct program_view v = automation_program(b->automation, i);
        turns += v.stats.turns;
        instructions += v.stats.instructions;
        failed += v.state == PROGRAM_FAILED;
        for (size_t r = 0; r < v.rules; r++)
            fired += automation_rule(b->automation, i, r).fired;
    }
    printf("turns %" PRIu64 "\ninstructions %" PRIu64 "\nfired %" PRIu64 "\nfailed %" PRIu64 "\n",
           turns, instructions, fired, failed);
}

/* One round over all stations first, so that every series and rule has begun. */
static bool run(struct bench *b, uint64_t events)
{
    if (!stations_find(b) || !feed(b, 0, b->stations_n))
        return false;
    resident_print("resident_running");
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
    if (!feed(b, b->stations_n, events))
        return false;
    printf("wall %.6f\ncpu %.6f\n", seconds(CLOCK_MONOTONIC) - wall,
           seconds(CLOCK_THREAD_CPUTIME_ID) - cpu);
    programs_print(b);
    return true;
}

static void tear_down(struct bench *b)
{
    if (b->ex) {
        executor_stop(b->ex);
        (void)executor_turn(b->ex);
    }
    if (b->db)
        db_drain(b->db);
    automation_free(b->automation);
    alerts_free(b->alerts);
    history_free(b->history);
    registry_free(b->registry);
    bus_unsubscribe_all(b->bus, &b->valves);
    bus_free(b->bus);
    db_close(b->db);
    journal_close(b->journal);
    executor_free(b->ex);
    lang_site_free(b->site);
    free(b->stations);
}

static void quiet(void *ctx, enum log_level level, const char *part, const char *text)
{
    (void)ctx, (void)level, (void)part, (void)text;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: bench_lang_programs SITE STORE EVENTS\n");
        return 2;
    }
    static struct bench b;
    struct error e = {0};
    log_set_sink(quiet, NULL);
    resident_print("resident_start");
    if (site_check(argv[1], &b.site, stderr) != ERR_OK)
        return 1;
    resident_print("resident_checked");
    bool fine = build(&b, argv[2], &e) == ERR_OK;
    if (!fine)
        fprintf(stderr, "%s\n", e.text);
    fine = fine && run(&b, strtoull(argv[3], NULL, 10));
    tear_down(&b);
    return fine ? 0 : 1;
}
