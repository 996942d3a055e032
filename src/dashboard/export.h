/* export: histories as files: CSV (RFC 4180) or JSON lines, of any length.
 *
 * Why: who works with data has tools of their own, and takes years of it at once. Page after page
 * is read from the history on the offload pool, formatted in pieces of 64 KiB, and sent at the pace
 * of the reader: an export costs about a megabyte whatever its length, and holds nobody up.
 * Series come one after the other, each in order of time. What is stored while it runs may be in
 * it, or not; a page that can't be read breaks the connection off, so that a file that ends well is
 * whole.
 * Ownership: an export belongs to its connection. Threads: worker 0.
 * Errors: answered as problems before the file begins: EXPORTS_MAX of them run already. */
#pragma once

#include "dashboard/dashboard_internal.h"

enum { EXPORTS_MAX = 4, EXPORT_SERIES_MAX = 64, EXPORT_PAGE = 8192 /* points or windows */ };

enum export_format { EXPORT_CSV, EXPORT_JSONL };
struct export_shape {
    enum export_format format;
    bool iso;          /* times as RFC 3339 in UTC, else milliseconds */
    bool comma;        /* CSV for spreadsheets of a language with decimal commas */
    bool guarded;      /* CSV: no text of a device is a formula of the spreadsheet that opens it */
    bool edges;        /* windows: first and last, too */
    int64_t window_ms; /* 0: points */
};

struct export_request {
    struct export_shape shape;
    int64_t from_ms, to_ms;   /* both ends included */
    const struct str *series; /* copied; each is known */
    size_t series_n;
};
void export_start(struct dashboard *d, struct http_request *q, const struct export_request *r);
void exports_fini(struct dashboard *d);
/* export_rows.c. With `comma` cells stand apart with ";", times are "2025-11-28 10:00:00,123"
 * (UTC), and a byte order mark says that it is UTF-8: what a German Excel opens with a double
 * click. With `guarded` a text that a spreadsheet would calculate begins with an apostrophe: who
 * can publish could else have it send what stands in other cells to an address, or start a program
 * (OWASP, "CSV Injection"). The first line (CSV only) and the others, onto a buffer. */
void export_header(struct strbuf *b, const struct export_shape *shape);
struct export_series {
    struct str name, unit;
};
void export_point(struct strbuf *b, const struct export_shape *shape, const struct export_series *s,
                  const struct history_point *p);
void export_window(struct strbuf *b, const struct export_shape *shape,
                   const struct export_series *s, const struct history_window *w);
