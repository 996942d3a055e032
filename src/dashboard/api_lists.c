/* api_lists: actions, events, connections, figures. */
#include "base/pool_list.h"
#include "dashboard/dashboard_internal.h"

#include <fcntl.h>
#include <unistd.h>

enum { DEVICE_NAME_MAX = 512 };

static void each_action(void *ctx, const struct action_event *a)
{
    json_write_action(&((struct list_writer *)ctx)->w, a);
}

void api_actions(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    int64_t limit;
    if (!query_i64(q, "limit", 1, LIST_MAX, LIST_DEFAULT, &limit))
        return;
    struct list_writer l;
    list_begin(&l, d, "actions");
    registry_actions_each(d->cfg.registry, (size_t)limit, each_action, &l);
    list_end(&l, q);
}

static void each_heard(void *ctx, const struct heard_event *v)
{
    json_write_heard(&((struct list_writer *)ctx)->w, v);
}

void api_events(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    char buf[DEVICE_NAME_MAX];
    struct str device = {0};
    int64_t limit;
    enum err err = http_query_get(http_request_head(q)->query, "device", buf, sizeof(buf), &device);
    if (err && err != ERR_NOT_FOUND) {
        problem_parameter(q, "device", "device is not well encoded, or longer than %d bytes",
                          DEVICE_NAME_MAX);
        return;
    }
    if (!query_i64(q, "limit", 1, LIST_MAX, LIST_DEFAULT, &limit))
        return;
    if (!err && !registry_find(d->cfg.registry, device)) {
        problem(q, PROBLEM_UNKNOWN, "there is no device %.*s", STR_FMT(device));
        return;
    }
    struct list_writer l;
    list_begin(&l, d, "events");
    registry_heard_each(d->cfg.registry, err ? (struct str){0} : device, (size_t)limit, each_heard,
                        &l);
    list_end(&l, q);
}

static void each_client(void *ctx, const struct mqtt_client_info *c)
{
    struct json_writer *w = &((struct list_writer *)ctx)->w;
    json_object_begin(w);
    json_key(w, "client");
    json_str(w, c->client_id);
    json_key(w, "address");
    json_cstr(w, c->address[0] ? c->address : NULL);
    json_key(w, "version");
    json_int(w, c->version);
    json_key(w, "user");
    json_str(w, c->user);
    json_write_ms(w, "connected_ms", c->connected_ms);
    json_key(w, "clean");
    json_bool(w, c->clean);
    json_key(w, "received");
    json_int(w, (int64_t)c->received);
    json_key(w, "sent");
    json_int(w, (int64_t)c->sent);
    json_key(w, "subscriptions");
    json_int(w, (int64_t)c->subscriptions);
    json_key(w, "queued");
    json_int(w, (int64_t)c->queued);
    json_object_end(w);
}

void api_connections(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    struct list_writer l;
    list_begin(&l, d, "connections");
    mqtt_server_each(d->cfg.mqtt, each_client, &l);
    list_end(&l, q);
}

static void figure(struct json_writer *w, const char *key, uint64_t v)
{
    json_key(w, key);
    json_int(w, (int64_t)v);
}

static uint64_t resident_bytes(void)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof(text));
    (void)close(fd);
    struct str rest = {text, n > 0 ? (size_t)n : 0}, total, resident;
    int64_t pages = 0;
    if (!str_split(&rest, ' ', &total) || !str_split(&rest, ' ', &resident) ||
        str_to_i64(resident, &pages))
        return 0;
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void write_journal(struct json_writer *w, const struct journal *j)
{
    struct journal_stats s = journal_stats(j);
    json_key(w, "journal");
    json_object_begin(w);
    figure(w, "appended", s.appended);
    figure(w, "committed", s.committed);
    figure(w, "syncs", s.syncs);
    figure(w, "bytes", s.bytes);
    figure(w, "segments", s.segments);
    figure(w, "damaged", s.damaged);
    json_object_end(w);
}

static void write_history(struct json_writer *w, const struct history *h)
{
    struct history_stats s = history_stats(h);
    json_key(w, "history");
    json_object_begin(w);
    figure(w, "series", s.series);
    figure(w, "chunks", s.chunks);
    figure(w, "points", s.points);
    figure(w, "head_points", s.head_points);
    json_object_end(w);
}

static void write_dropped(struct json_writer *w, const struct mqtt_stats *s)
{
    json_key(w, "dropped");
    json_array_begin(w);
    for (int i = 0; i < MQTT_DROP_COUNT; i++) {
        json_object_begin(w);
        json_key(w, "reason");
        json_cstr(w, mqtt_drop_name((enum mqtt_drop)i));
        figure(w, "count", s->dropped[i]);
        json_object_end(w);
    }
    json_array_end(w);
}

static void each_pool(void *ctx, const struct pool_row *row)
{
    const struct pool_stats *s = &row->stats;
    struct json_writer *w = ctx;
    if (s->blocks_made == 0 && s->refused == 0)
        return; /* nobody has needed it yet */
    json_object_begin(w);
    json_key(w, "name");
    json_cstr(w, row->name);
    figure(w, "worker", row->worker);
    figure(w, "block_bytes", s->block_size);
    figure(w, "in_use", s->in_use);
    figure(w, "peak", s->peak);
    figure(w, "made", s->blocks_made);
    figure(w, "limit", s->blocks_max);
    figure(w, "refused", s->refused);
    figure(w, "given_by_others", s->given_remote);
    json_object_end(w);
}

static void write_worker(struct json_writer *w, const struct worker *worker)
{
    struct worker_stats s = worker_stats(worker);
    json_object_begin(w);
    figure(w, "worker", worker_index(worker));
    figure(w, "ticks", s.ticks);
    figure(w, "polls", s.polls);
    figure(w, "sleeps", s.sleeps);
    figure(w, "wakes", s.wakes_remote);
    figure(w, "searches", s.searches);
    figure(w, "steals", s.steals);
    figure(w, "handed", s.handed);
    figure(w, "tasks", s.tasks);
    json_object_end(w);
}

static void write_runtime(struct json_writer *w, struct executor *ex)
{
    json_key(w, "runtime");
    json_object_begin(w);
    json_key(w, "workers");
    json_array_begin(w);
    for (unsigned i = 0; i < executor_workers(ex); i++)
        write_worker(w, executor_worker(ex, i));
    json_array_end(w);
    json_key(w, "pools");
    json_array_begin(w);
    pool_list_each(executor_pools(ex), each_pool, w);
    json_array_end(w);
    json_object_end(w);
}

void api_stats(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    struct mqtt_stats mqtt = mqtt_server_stats(d->cfg.mqtt);
    struct json_writer w = answer_begin(d);
    json_object_begin(&w);
    figure(&w, "uptime_ms", (uint64_t)((worker_now_ns(d->worker) - d->started_ns) / 1000000));
    figure(&w, "rss_bytes", resident_bytes());
    json_key(&w, "driver");
    json_cstr(&w, executor_driver(d->cfg.ex));
    figure(&w, "messages_in", mqtt.received);
    figure(&w, "messages_out", mqtt.sent);
    figure(&w, "samples", registry_samples(d->cfg.registry));
    figure(&w, "connections", mqtt.connections);
    write_journal(&w, d->cfg.journal);
    write_history(&w, d->cfg.history);
    write_runtime(&w, d->cfg.ex);
    write_dropped(&w, &mqtt);
    json_object_end(&w);
    answer_end(d, q, 200);
}

void api_health(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    struct error room;
    const char *why = not_durable(d, &room);
    if (why) {
        http_problem_str(q, "why", str_from(why));
        http_respond_problem(q, 503, "the journal can't keep what it is told");
        return;
    }
    http_respond_json(q, 200, STR("{\"status\":\"ok\"}"));
}
