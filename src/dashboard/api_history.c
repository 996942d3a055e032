/* api_history: GET /api/history, points or windows of one series. */
#include "dashboard/dashboard_internal.h"

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
        http_respond_problem(h->request, 404, "there is no series %.*s", STR_FMT(q->series));
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

/* Fills the query from the request. false: answered. */
static bool read_query(struct history_answer *h, struct http_request *q)
{
    struct history_query *hq = &h->query;
    int64_t now = worker_now_ms(h->dashboard->worker), window, points, limit, edges;
    struct str query = http_request_head(q)->query;
    if (http_query_get(query, "series", h->name, sizeof(h->name), &hq->series)) {
        http_respond_problem(q, 400,
                             "series is missing: the name of a property, "
                             "plant.press1.temperature");
        return false;
    }
    if (!query_i64(q, "to", 0, TIME_MAX_MS, now, &h->to_ms) ||
        !query_i64(q, "from", 0, TIME_MAX_MS, h->to_ms > HOUR_MS ? h->to_ms - HOUR_MS : 0,
                   &h->from_ms) ||
        !query_i64(q, "window", 1, TIME_MAX_MS, 0, &window) ||
        !query_i64(q, "points", 1, WINDOWS_DEFAULT_MAX, 0, &points) ||
        !query_i64(q, "edges", 0, 1, 0, &edges) ||
        !query_i64(q, "limit", 1, HISTORY_LIMIT_MAX, HISTORY_LIMIT, &limit))
        return false;
    if (h->from_ms > h->to_ms) {
        http_respond_problem(q, 400, "from is after to");
        return false;
    }
    hq->from_ms = h->from_ms;
    hq->to_ms = h->to_ms + 1;
    hq->window_ms = window ? window : points ? nice_window(h, points) : 0;
    hq->limit = (uint32_t)limit;
    hq->edges = edges != 0;
    hq->done = done;
    return true;
}

void api_history(void *ctx, struct http_request *q)
{
    struct dashboard *d = ctx;
    struct history_answer *h = mem_zero(d->cfg.alloc, sizeof(*h));
    if (!h) {
        http_respond_problem(q, 503, "no memory for the query");
        return;
    }
    h->alloc = d->cfg.alloc;
    h->dashboard = d;
    h->request = q;
    if (!read_query(h, q)) {
        answer_free(h);
        return;
    }
    http_request_on_gone(q, gone, h);
    enum err err = history_query(d->cfg.history, d->worker, &h->query);
    if (!err)
        return;
    if (err == ERR_NOT_FOUND)
        http_respond_problem(q, 404, "there is no series %.*s", STR_FMT(h->query.series));
    else if (err == ERR_RANGE)
        http_respond_problem(q, 400, "the span holds too many windows: take a larger window");
    else
        http_respond_problem(q, 503, "too many questions wait: %s", err_name(err));
    answer_free(h);
}
