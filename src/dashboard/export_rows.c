/* export_rows: a point or a window as a line of CSV (RFC 4180) or of JSON. */
#include "dashboard/export.h"

#include <math.h>
#include <string.h>

#define CRLF "\r\n"

enum { CELL_MAX = 1024 }; /* texts of the history are below 256 */

/* --- CSV: quoted where it must be --- */

static char separator(const struct export_shape *shape)
{
    return shape->comma ? ';' : ',';
}

static bool is_plain(const struct export_shape *shape, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == separator(shape) || s.p[i] == '"' || s.p[i] == '\r' || s.p[i] == '\n')
            return false;
    return true;
}

static void csv_str(struct strbuf *b, const struct export_shape *shape, struct str s)
{
    if (is_plain(shape, s)) {
        strbuf_addstr(b, s);
        return;
    }
    strbuf_addc(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            strbuf_addc(b, '"');
        strbuf_addc(b, s.p[i]);
    }
    strbuf_addc(b, '"');
}

/* Beginnings that spreadsheets take for one, also of the wide forms that East Asian ones take. */
static bool is_formula(struct str s)
{
    static const char *const wide[] = {"＝", "＋", "－", "＠"};
    double number;
    for (size_t i = 0; i < ARRAY_LEN(wide); i++)
        if (str_starts(s, str_from(wide[i])))
            return true;
    return s.n && strchr("=+-@\t\r\n", s.p[0]) && s.p[0] && str_to_double(s, &number);
}

/* What a device has said. */
static void csv_text(struct strbuf *b, const struct export_shape *shape, struct str s)
{
    char room[CELL_MAX + 1];
    if (!shape->guarded || !is_formula(s)) {
        csv_str(b, shape, s);
        return;
    }
    size_t n = s.n < CELL_MAX ? s.n : CELL_MAX;
    room[0] = '\'';
    memcpy(room + 1, s.p, n);
    csv_str(b, shape, (struct str){room, n + 1});
}

/* What is no number is an empty field. */
static void csv_double(struct strbuf *b, const struct export_shape *shape, double v)
{
    size_t from = b->n;
    if (!isfinite(v))
        return;
    strbuf_add_double(b, v);
    for (size_t i = from; shape->comma && i < b->n; i++)
        if (b->p[i] == '.')
            b->p[i] = ',';
}

static void csv_value(struct strbuf *b, const struct export_shape *shape, const struct value *v)
{
    switch (v->kind) {
    case VALUE_BOOL: strbuf_adds(b, v->b ? "true" : "false"); break;
    case VALUE_INT: strbuf_add_i64(b, v->i); break;
    case VALUE_FLOAT: csv_double(b, shape, v->f); break;
    case VALUE_STR: csv_text(b, shape, v->s); break;
    case VALUE_NONE: break;
    }
}

static void add_time(struct strbuf *b, const struct export_shape *shape, int64_t ms)
{
    char text[25];
    if (!shape->iso) {
        strbuf_add_i64(b, ms);
        return;
    }
    time_format(ms, text);
    size_t n = sizeof(text) - 1;
    if (shape->comma) {
        text[strlen("2025-11-28")] = ' ';
        text[strlen("2025-11-28T10:00:00")] = ',';
        n--; /* no Z */
    }
    strbuf_add(b, text, n);
}

static void csv_begin(struct strbuf *b, const struct export_shape *shape,
                      const struct export_series *s, int64_t ms)
{
    csv_str(b, shape, s->name);
    strbuf_addc(b, separator(shape));
    add_time(b, shape, ms);
    strbuf_addc(b, separator(shape));
}

static void csv_end(struct strbuf *b, const struct export_shape *shape,
                    const struct export_series *s)
{
    strbuf_addc(b, separator(shape));
    csv_str(b, shape, s->unit);
    strbuf_add(b, CRLF, 2);
}

/* --- JSON lines --- */

static void json_begin(struct strbuf *b, const struct export_shape *shape,
                       const struct export_series *s, int64_t ms)
{
    strbuf_adds(b, "{\"series\":");
    strbuf_add_json(b, s->name);
    strbuf_adds(b, shape->iso ? ",\"time\":\"" : ",\"ts_ms\":");
    add_time(b, shape, ms);
    if (shape->iso)
        strbuf_addc(b, '"');
}

static void json_finish(struct strbuf *b, const struct export_series *s)
{
    strbuf_adds(b, ",\"unit\":");
    if (s->unit.n)
        strbuf_add_json(b, s->unit);
    else
        strbuf_adds(b, "null");
    strbuf_adds(b, "}\n");
}

static void json_value(struct strbuf *b, const struct value *v)
{
    struct json_writer w;
    json_writer_init(&w, b);
    json_write_value(&w, v);
}

/* --- both --- */

void export_header(struct strbuf *b, const struct export_shape *shape)
{
    if (shape->format != EXPORT_CSV)
        return;
    if (shape->comma)
        strbuf_adds(b, "\xEF\xBB\xBF");
    size_t from = b->n;
    strbuf_adds(b, !shape->window_ms ? "series,time,value,unit" CRLF
                   : shape->edges    ? "series,time,n,min,max,mean,first,last,unit" CRLF
                                     : "series,time,n,min,max,mean,unit" CRLF);
    for (size_t i = from; i < b->n; i++)
        if (b->p[i] == ',')
            b->p[i] = separator(shape);
}

void export_point(struct strbuf *b, const struct export_shape *shape, const struct export_series *s,
                  const struct history_point *p)
{
    if (shape->format == EXPORT_CSV) {
        csv_begin(b, shape, s, p->ts_ms);
        csv_value(b, shape, &p->value);
        csv_end(b, shape, s);
        return;
    }
    json_begin(b, shape, s, p->ts_ms);
    strbuf_adds(b, ",\"value\":");
    json_value(b, &p->value);
    json_finish(b, s);
}

void export_window(struct strbuf *b, const struct export_shape *shape,
                   const struct export_series *s, const struct history_window *w)
{
    static const char *const names[] = {"min", "max", "mean", "first", "last"};
    const double figures[] = {w->min, w->max, w->mean, w->first, w->last};
    size_t n = shape->edges ? ARRAY_LEN(figures) : 3;
    bool csv = shape->format == EXPORT_CSV;
    if (csv)
        csv_begin(b, shape, s, w->t0_ms);
    else
        json_begin(b, shape, s, w->t0_ms);
    strbuf_adds(b, csv ? "" : ",\"n\":");
    strbuf_add_i64(b, (int64_t)w->n);
    for (size_t i = 0; i < n; i++) {
        strbuf_addc(b, csv ? separator(shape) : ',');
        if (csv) {
            csv_double(b, shape, figures[i]);
        } else {
            strbuf_addf(b, "\"%s\":", names[i]);
            strbuf_add_double(b, figures[i]);
        }
    }
    if (csv)
        csv_end(b, shape, s);
    else
        json_finish(b, s);
}
