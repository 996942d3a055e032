/* csv: reads tables as spreadsheets save them, one row at a time.
 *
 * Why: an engineer's list of points comes out of a spreadsheet, and every one of them has its own
 * idea of CSV. Understood are RFC 4180 and what there is besides: a separator `,` `;` tab or `|`,
 * which the first line tells; lines that end in CR, LF or both; quotes with "" for one quote, and
 * line breaks inside; UTF-8 with or without a byte order mark, UTF-16 with one, and what is no
 * UTF-8 as Windows-1252 (where ° is one byte).
 * Each cell knows its line and column, since what is wrong with it must be found by a person.
 * Ownership: rows and their texts are the arena's that csv_init() was given.
 * Threads: none.
 * Errors: csv_next() ERR_NOT_FOUND at the end, ERR_SYNTAX with a text (reading may go on behind
 * that row), ERR_NOMEM. */
#pragma once

#include "base/arena.h"
#include "base/cursor.h"

enum { CSV_CELLS_MAX = 256 };

struct csv_cell {
    struct str text; /* without quotes, and without white space around it */
    uint32_t line;   /* where it begins, from 1 */
};
struct csv_row {
    size_t n;
    uint32_t line;
    struct csv_cell cells[CSV_CELLS_MAX]; /* last: a copy may be as long as it needs to be */
};
struct csv {
    struct str text; /* what is left */
    struct arena *arena;
    uint32_t line;
    char separator;
};

/* The bytes of a file as UTF-8, in the arena. `*guessed`: they were taken for Windows-1252.
 * ERR_NOMEM, ERR_SYNTAX: UTF-16 that is cut off, or a NUL byte (this is no text). */
MUST_USE enum err csv_decode(struct arena *a, struct bytes file, struct str *out, bool *guessed);
/* `separator` 0: what the first line that is not empty has most of. */
void csv_init(struct csv *c, struct arena *a, struct str text, char separator);
/* The next row that is not empty (of nothing but separators and white space). */
MUST_USE enum err csv_next(struct csv *c, struct csv_row *out, struct error *e);
/* As a spreadsheet calls the column with this index: "A" for 0, "AA" for 26. */
void csv_column_name(size_t index, char out[4]);
