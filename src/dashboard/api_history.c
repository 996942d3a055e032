/* api_history: GET /api/history, points or windows of one series, and GET /api/export, of several
 * as a file. */
#include "dashboard/export.h"

#include <string.h>

enum { SERIES_NAME_MAX = 512, WINDOWS_DEFAULT_MAX = 10000, HOUR_MS = 3600000 };
#define TIME_MAX_MS INT64_C(253402300799999) /* the end of the year 9999 */

struct history_answer {
    struct alloc *alloc;
    struct dashboard *dashboard;
    struct http_request *request; /* NULL: the client, or the dashboard, has gone */
    struct history_query query;
    int64_t from_ms, to_ms; /* as asked, both ends included */
    char name[SERIES_NAME_MAX];
};

static void answer_free(struct history_answer *h)
{
    history_query_fini(&h->query);
    mem_free(h->alloc, h, sizeof(*h));
}

static void gone(void *arg, struct http_request *q)
{
    (void)q;
    ((struct history_answer *)arg)->request = NULL; /* the query ends by itself */
}

static void write_window(struct json_writer *w, const struct history_window *v, bool edges)
{
    json_array_begin(w);
    json_int(w, v->t0_ms);
    json_int(w, (int64_t)v->n);
    json_double(w, v->min);
    json_double(w, v->max);
    json_double(w, v->mean);
    if (edges) {
        json_double(w, v->first);
        json_double(w, v->last);
    }
    json_array_end(w);
}

static void write_rows(struct json_writer *w, const struct history_query *q)
{
    if (q->window_ms) {
        json_key(w, "window");
        json_int(w, q->window_ms);
        json_key(w, "windows");
        json_array_begin(w);
        for (size_t i = 0; i < q->window_count; i++)
            write_window(w, &q->windows[i], q->edges);
        json_array_end(w);
        return;
    }
    json_key(w, "points");
    json_array_begin(w);
    for (size_t i = 0; i < q->point_count; i++) {
        json_array_begin(w);
        json_int(w, q->points[i].ts_ms);
        json_write_value(w, &q->points[i].value);
        json_array_end(w);
    }
    json_array_end(w);
}

static void write_answer(struct history_answer *h)
{
    const struct history_query *q = &h->query;
    struct json_writer w = answer_begin(h->dashboard);
    json_object_begin(&w);
    json_key(&w, "series");
    json_str(&w, q->series);
    json_key(&w, "unit");
    json_cstr(&w, q->unit[0] ? q->unit : NULL);
    json_key(&w, "from");
    json_int(&w, h->from_ms);
    json_key(&w, "to");
    json_int(&w, h->to_ms);
    write_rows(&w, q);
    json_key(&w, "truncated");
    json_bool(&w, q->truncated);
    json_object_end(&w);
    answer_end(h->dashboard, h->request, 200);
}

static void done(struct history_query *q)
{
    struct history_answer *h = CONTAINER_OF(q, struct history_answer, query);
    if (!h->request) {
        answer_free(h);
        return;
    }
    if (q->result == ERR_NOT_FOUND && bus_series_find(h->dashboard->cfg.bus, q->series))
        q->result = ERR_OK; /* declared, but nothing has been stored yet */
    if (q->result == ERR_OK)
        write_answer(h);
    else if (q->result == ERR_NOT_FOUND)
        problem(h->request, PROBLEM_UNKNOWN, "there is no series %.*s", STR_FMT(q->series));
    else
        http_respond_problem(h->request, 500, "the history can't be read: %s", q->error.text);
    answer_free(h);
}

/* Windows begin at multiples of their width, so how many there are depends on where the span is. */
static bool fits(const struct history_answer *h, int64_t width, int64_t points)
{
    return h->to_ms / width - h->from_ms / width < points;
}

/* The smallest width that people like and that gives at most `points` windows. */
static int64_t nice_window(const struct history_answer *h, int64_t points)
{
    static const int64_t nice[] = {
        1,       2,       5,       10,       20,       50,       100,      200,      500,    1000,
        2000,    5000,    10000,   15000,    30000,    60000,    120000,   300000,   600000, 900000,
        1800000, 3600000, 7200000, 10800000, 21600000, 43200000, 86400000, 604800000};
    for (size_t i = 0; i < ARRAY_LEN(nice); i++)
        if (fits(h, nice[i], points))
            return nice[i];
    int64_t width = nice[ARRAY_LEN(nice) - 1];
    while (!fits(h, width, points))
        width *= 2;
    return width;
}

/* `from`, `to` and what makes windows of them. false: answered. */
static bool read_span(struct history_answer *h, struct http_request *q, int64_t from_default)
{
    int64_t now = worker_now_ms(h->dashboard->worker), window, points, edges;
    if (!query_i64(q, "to", 0, TIME_MAX_MS, now, &h->to_ms))
        return false;
    if (from_default < 0)
        from_default = h->to_ms > HOUR_MS ? h->to_ms - HOUR_MS : 0;
    if (!query_i64(q, "from", 0, TIME_MAX_MS, from_default, &h->from_ms) ||
        !query_i64(q, "window", 1, TIME_MAX_MS, 0, &window) ||
        !query_i64(q, "points", 1, WINDOWS_DEFAULT_MAX, 0, &points) ||
        !query_i64(q, "edges", 0, 1, 0, &edges))
        return false;
    if (h->from_ms > h->to_ms) {
        problem_parameter(q, "from", "from is after to");
        return false;
    }
    h->query.from_ms = h->from_ms;
    h->query.to_ms = h->to_ms + 1;
    h->query.window_ms = window ? window : points ? nice_window(h, points) : 0;
    h->query.edges = edges != 0;
    return true;
}

static bool read_series(struct history_answer *h, struct http_request *q)
{
    if (http_query_get(http_request_head(q)->query, "series", h->name, sizeof(h->name),
                       &h->query.series) == ERR_OK)
        return true;
    problem_parameter(q, "series", "series is missing: the name of a property, plant.press1.temp");
    return false;
}

/* The whole answer at once, as JSON. */
static void ask(struct history_answer *h, struct http_request *q)
{
    int64_t limit;
    if (!query_i64(q, "limit", 1, HISTORY_LIMIT_MAX, HISTORY_LIMIT, &limit)) {
        answer_free(h);
        return;
    }
    h->query.limit = (uint32_t)limit;
    h->query.done = done;
    http_request_on_gone(q, gone, h);
    enum err err = history_query(h->dashboard->cfg.history, h->dashboard->worker, &h->query);
    if (!err)
        return;
    if (err == ERR_NOT_FOUND)
        problem(q, PROBLEM_UNKNOWN, "there is no series %.*s", STR_FMT(h->query.series));
    else if (err == ERR_RANGE)
        problem_parameter(q, "window", "the span holds too many windows: take a larger window");
    else
        problem(q, PROBLEM_BUSY, "too many questions wait: %s", err_name(err));
    answer_free(h);
}

static bool is_known(const struct dashboard *d, struct http_request *q, struct str series)
{
    if (history_knows(d->cfg.history, series) || bus_series_find(d->cfg.bus, series))
        return true;
    problem(q, PROBLEM_UNKNOWN, "there is no series %.*s", STR_FMT(series));
    return false;
}

/* `format` is one of enum export_format. */
static void start_export(const struct history_answer *h, struct http_request *q, int format,
                         const struct str *series, size_t n)
{
    static const char *const times[] = {"ms", "iso"};
    int iso = query_word(q, "time", times, ARRAY_LEN(times), format == EXPORT_CSV);
    if (iso < 0)
        return;
    static const char *const decimals[] = {"point", "comma"};
    int comma = query_word(q, "decimal", decimals, ARRAY_LEN(decimals), 0);
    if (comma < 0)
        return;
    static const char *const kinds[] = {"exact", "guarded"};
    int guarded = query_word(q, "cells", kinds, ARRAY_LEN(kinds), comma);
    if (guarded < 0)
        return;
    const struct export_request r = {.shape = {.format = (enum export_format)format,
                                               .iso = iso > 0,
                                               .comma = comma > 0 && format == EXPORT_CSV,
                                               .guarded = guarded > 0,
                                               .edges = h->query.edges,
                                               .window_ms = h->query.window_ms},
                                     .from_ms = h->from_ms,
                                     .to_ms = h->to_ms,
                                     .series = series,
                                     .series_n = n};
    export_start(h->dashboard, q, &r);
}

static const char *const formats[] = {[EXPORT_CSV] = "csv", [EXPORT_JSONL] = "jsonl", "json"};
enum { FORMAT_JSON = EXPORT_JSONL + 1, EXPORT_FORMATS = FORMAT_JSON };

void api_history(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    int format = query_word(q, "format", formats, ARRAY_LEN(formats), FORMAT_JSON);
    if (format < 0)
        return;
    struct history_answer *h = mem_zero(d->cfg.alloc, sizeof(*h));
    if (!h) {
        problem(q, PROBLEM_BUSY, "no memory for the query");
        return;
    }
    h->alloc = d->cfg.alloc;
    h->dashboard = d;
    h->request = q;
    bool fine = read_series(h, q) && read_span(h, q, -1);
    if (fine && format == FORMAT_JSON) {
        ask(h, q);
        return;
    }
    if (fine && is_known(d, q, h->query.series))
        start_export(h, q, format, &h->query.series, 1);
    answer_free(h);
}

/* Each `series` of the query, decoded into `text`. The number; 0: answered. */
static size_t read_names(const struct dashboard *d, struct http_request *q, char *text, size_t cap,
                         struct str *out)
{
    struct str rest = http_request_head(q)->query, key, value;
    size_t n = 0, used = 0;
    while (http_query_next(&rest, &key, &value)) {
        if (!str_eq(key, STR("series")))
            continue;
        if (n == EXPORT_SERIES_MAX) {
            problem_parameter(q, "series", "an export is of at most %d series", EXPORT_SERIES_MAX);
            return 0;
        }
        if (http_decode(value, true, text + used, cap - used, &out[n])) {
            problem_parameter(q, "series", "series %.*s can't be decoded", STR_FMT(value));
            return 0;
        }
        used += out[n].n;
        if (!is_known(d, q, out[n++]))
            return 0;
    }
    if (!n)
        problem_parameter(q, "series", "series is missing: one or several names of properties");
    return n;
}

void api_export(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    struct history_answer h = {.dashboard = d};
    struct str series[EXPORT_SERIES_MAX];
    char names[HTTP_LINE_MAX]; /* the query is no longer than its line */
    int format = query_word(q, "format", formats, EXPORT_FORMATS, EXPORT_CSV);
    if (format < 0 || !read_span(&h, q, 0))
        return;
    size_t n = read_names(d, q, names, sizeof(names), series);
    if (n)
        start_export(&h, q, format, series, n);
}
