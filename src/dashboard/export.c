#include "dashboard/export.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

enum {
    PIECE = HTTP_PIECE_MAX,
    ROW_MAX = 8192, /* bytes of the longest; names are below 512, texts of the history below 256 */
    AGAIN_MS = 50   /* the history's queue was full */
};

struct exporter {
    struct list link; /* of dashboard.exports */
    struct dashboard *dashboard;
    struct alloc *alloc;
    struct http_stream *stream; /* NULL: the reader has gone */
    struct export_request asked;
    struct str series[EXPORT_SERIES_MAX];
    char *names; /* that they point to */
    size_t names_size;

    size_t at;       /* the series that is being read */
    int64_t next_ms; /* what its next page begins with; */
    uint32_t skip;   /* so many points of that instant have been sent */
    bool seeking;    /* windows: the page looks for the next point, behind an empty one */
    struct history_query query;
    bool asking;        /* the history has it */
    bool answered;      /* its answer is here, */
    size_t row;         /* and sent up to this row */
    struct timer again; /* asks when the history had no room for the question */
    struct strbuf piece;
};

static void export_free(struct exporter *x)
{
    list_del(&x->link);
    timer_cancel(&x->again);
    history_query_fini(&x->query);
    strbuf_fini(&x->piece);
    mem_free(x->alloc, x->names, x->names_size);
    mem_free(x->alloc, x, sizeof(*x));
}

void exports_fini(struct dashboard *d)
{
    LIST_EACH_SAFE(&d->exports, it)
    {
        struct exporter *x = CONTAINER_OF(it, struct exporter, link);
        list_del(&x->link);
        timer_cancel(&x->again);
        x->dashboard = NULL;
        if (!x->asking) /* else when the history hands it back */
            export_free(x);
    }
}

/* Nobody reads it any more. While the history has the question it is page_done() that frees. */
static void reader_gone(void *arg)
{
    struct exporter *x = arg;
    x->stream = NULL;
    if (!x->asking)
        export_free(x);
}

static void break_off(struct exporter *x, const char *why)
{
    size_t at = x->at < x->asked.series_n ? x->at : x->asked.series_n - 1;
    LOG_W("dashboard", "an export of %.*s is broken off: %s", STR_FMT(x->series[at]), why);
    http_stream_abort(x->stream);
    reader_gone(x);
}

/* --- pages --- */

static void page_done(struct history_query *q);

static int64_t window_floor(int64_t ms, int64_t window_ms)
{
    int64_t rest = ms % window_ms;
    return ms - rest - (rest < 0 ? window_ms : 0);
}

/* Asks for the next page; false: it is broken off. */
static bool ask(struct exporter *x)
{
    const struct export_request *r = &x->asked;
    int64_t window_ms = x->seeking ? 0 : r->shape.window_ms, end_ms = r->to_ms + 1;
    struct history_query *q = &x->query;
    history_query_fini(q);
    *q = (struct history_query){.series = x->series[x->at],
                                .from_ms = x->next_ms,
                                .to_ms = end_ms,
                                .window_ms = window_ms,
                                .edges = r->shape.edges,
                                .limit = EXPORT_PAGE,
                                .done = page_done};
    if (window_ms) {
        int64_t page_ms = window_floor(x->next_ms, window_ms) + window_ms * EXPORT_PAGE;
        q->to_ms = page_ms < end_ms ? page_ms : end_ms;
    } else if (x->seeking) {
        q->limit = 1;
    } else {
        q->limit =
            x->skip < HISTORY_LIMIT_MAX - EXPORT_PAGE ? EXPORT_PAGE + x->skip : HISTORY_LIMIT_MAX;
    }
    enum err err = history_query(x->dashboard->cfg.history, x->dashboard->worker, q);
    if (err == ERR_NOT_FOUND) { /* declared, but nothing has been stored yet */
        q->result = err;
        x->answered = true;
        return true;
    }
    if (err == ERR_FULL) {
        timer_set_after_ms(&x->again, AGAIN_MS);
        return true;
    }
    if (err) {
        break_off(x, q->error.text);
        return false;
    }
    x->asking = true;
    return true;
}

static void ask_again(struct timer *t)
{
    struct exporter *x = CONTAINER_OF(t, struct exporter, again);
    if (ask(x) && x->answered)
        http_stream_resume(x->stream);
}

static void page_done(struct history_query *q)
{
    struct exporter *x = CONTAINER_OF(q, struct exporter, query);
    x->asking = false;
    if (!x->stream || !x->dashboard) {
        export_free(x);
        return;
    }
    if (q->result && q->result != ERR_NOT_FOUND) {
        break_off(x, q->error.text);
        return;
    }
    x->answered = true;
    x->row = x->seeking ? q->point_count : q->window_ms ? 0 : x->skip;
    http_stream_resume(x->stream);
}

/* Of the points of an answer that was cut: how many at its end are of one instant. */
static uint32_t same_at_end(const struct history_query *q)
{
    uint32_t n = 1;
    while (n < q->point_count &&
           q->points[q->point_count - 1 - n].ts_ms == q->points[q->point_count - 1].ts_ms)
        n++;
    return n;
}

/* Where the next page of this series begins. False: there is none. */
static bool next_page(struct exporter *x)
{
    const struct history_query *q = &x->query;
    int64_t end_ms = x->asked.to_ms + 1;
    if (q->result == ERR_NOT_FOUND)
        return false;
    if (x->seeking) {
        x->seeking = false;
        if (!q->point_count)
            return false;
        x->next_ms = q->points[0].ts_ms;
        return true;
    }
    if (q->window_ms) {
        x->next_ms = q->to_ms;
        x->seeking = q->window_count == 0;
        return q->to_ms < end_ms;
    }
    if (!q->truncated)
        return false;
    x->next_ms = q->points[q->point_count - 1].ts_ms;
    x->skip = same_at_end(q);
    return true;
}

static bool next_series(struct exporter *x)
{
    x->at++;
    x->next_ms = x->asked.from_ms;
    x->skip = 0;
    return x->at < x->asked.series_n;
}

/* --- rows --- */

static void write_rows(struct exporter *x)
{
    const struct history_query *q = &x->query;
    struct export_series s = {q->series, str_from(q->unit)};
    size_t n = q->window_ms ? q->window_count : q->point_count;
    for (; x->row < n && x->piece.n + ROW_MAX <= PIECE; x->row++) {
        if (q->window_ms)
            export_window(&x->piece, &x->asked.shape, &s, &q->windows[x->row]);
        else
            export_point(&x->piece, &x->asked.shape, &s, &q->points[x->row]);
    }
}

static bool answer_is_used_up(const struct exporter *x)
{
    return x->row >= (x->query.window_ms ? x->query.window_count : x->query.point_count);
}

/* False: the export is over, one way or the other. */
static bool send_piece(struct exporter *x)
{
    if (x->piece.failed) {
        break_off(x, "no memory");
        return false;
    }
    if (http_stream_write(x->stream, strbuf_str(&x->piece))) {
        reader_gone(x);
        return false;
    }
    strbuf_reset(&x->piece);
    return true;
}

static void ready(void *arg)
{
    struct exporter *x = arg;
    if (!x->answered)
        return; /* page_done() resumes */
    write_rows(x);
    bool over = false;
    if (answer_is_used_up(x)) {
        if (x->query.truncated && !x->query.window_ms && x->row <= x->skip) {
            break_off(x, "too many points of one instant");
            return;
        }
        x->answered = false;
        over = !next_page(x) && !next_series(x);
        if (!over && !ask(x)) /* while this piece is on its way */
            return;
    }
    if (!send_piece(x))
        return;
    if (over) {
        http_stream_end(x->stream);
        export_free(x);
    } else if (x->answered) {
        http_stream_resume(x->stream);
    }
}

/* --- the beginning --- */

static bool copy_series(struct exporter *x, const struct export_request *r)
{
    for (size_t i = 0; i < r->series_n; i++)
        x->names_size += r->series[i].n;
    x->names = mem_new(x->alloc, x->names_size);
    if (!x->names)
        return false;
    char *at = x->names;
    for (size_t i = 0; i < r->series_n; i++) {
        memcpy(at, r->series[i].p, r->series[i].n);
        x->series[i] = (struct str){at, r->series[i].n};
        at += r->series[i].n;
    }
    return true;
}

/* A name that every file system takes. */
static void name_file(struct http_request *q, const struct export_request *r, struct str site)
{
    char text[160];
    struct str name = r->series_n == 1 ? r->series[0] : site;
    name = str_sub(name, 0, 100);
    int n = snprintf(text, sizeof(text), "attachment; filename=\"%.*s.%s\"", STR_FMT(name),
                     r->shape.format == EXPORT_CSV ? "csv" : "jsonl");
    for (size_t i = sizeof("attachment; filename=\"") - 1; (int)i < n - 1; i++) {
        char c = text[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '.' || c == '-' || c == '_';
        text[i] = fine ? c : '_';
    }
    http_response_field(q, "Content-Disposition", (struct str){text, (size_t)n});
}

static size_t count(const struct list *head)
{
    size_t n = 0;
    for (const struct list *it = head->next; it != head; it = it->next)
        n++;
    return n;
}

/* NULL without memory. */
static struct exporter *exporter_new(struct dashboard *d, const struct export_request *r)
{
    struct exporter *x = mem_zero(d->cfg.alloc, sizeof(*x));
    if (!x)
        return NULL;
    x->dashboard = d;
    x->alloc = d->cfg.alloc;
    x->asked = *r;
    x->asked.series = x->series;
    x->next_ms = r->from_ms;
    list_init(&x->link);
    timer_init(&x->again, d->worker, ask_again);
    strbuf_init(&x->piece, d->cfg.alloc, PIECE);
    export_header(&x->piece, &r->shape);
    if (copy_series(x, r))
        return x;
    export_free(x);
    return NULL;
}

void export_start(struct dashboard *d, struct http_request *q, const struct export_request *r)
{
    static const char *const types[] = {[EXPORT_CSV] = "text/csv; charset=utf-8; header=present",
                                        [EXPORT_JSONL] = "application/x-ndjson"};
    if (count(&d->exports) >= EXPORTS_MAX) {
        problem(q, PROBLEM_BUSY, "%d exports are under way already", EXPORTS_MAX);
        return;
    }
    struct exporter *x = exporter_new(d, r);
    if (!x) {
        problem(q, PROBLEM_BUSY, "no memory for an export");
        return;
    }
    name_file(q, r, d->cfg.name);
    const struct http_stream_owner owner = {ready, reader_gone, x};
    x->stream = http_stream_start(q, types[r->shape.format], &owner);
    if (!x->stream) { /* HEAD, or the reader has gone */
        export_free(x);
        return;
    }
    list_add_tail(&d->exports, &x->link);
    (void)ask(x);
}
