/* points_internal: what the files of points/ share. */
#pragma once

#include "base/map.h"
#include "codec/csv.h"
#include "points/points.h"

/* --- columns.c: what the headings mean --- */

enum points_column {
    COLUMN_NAME,
    COLUMN_DEVICE,
    COLUMN_MODEL,
    COLUMN_HOST,
    COLUMN_PORT,
    COLUMN_UNIT_ID,
    COLUMN_TABLE, /* or the function code */
    COLUMN_ADDRESS,
    COLUMN_BIT,
    COLUMN_TYPE,
    COLUMN_COUNT, /* of registers */
    COLUMN_ORDER,
    COLUMN_UNIT,
    COLUMN_SCALE,
    COLUMN_DIVISOR,
    COLUMN_DECIMALS,
    COLUMN_OFFSET,
    COLUMN_MIN,
    COLUMN_MAX,
    COLUMN_RANGE,
    COLUMN_ACCESS,
    COLUMN_ACTION,
    COLUMN_VALUE,
    COLUMN_CONFIRMS,
    COLUMN_SAFE,
    COLUMN_COMMENT,
    COLUMNS
};
struct points_columns {
    size_t at[COLUMNS]; /* POINTS_NO_COLUMN: the table has none */
    struct str headings[CSV_CELLS_MAX];
    size_t n;
    bool hex; /* "address (hex)" */
};
/* Whether this row is the headings: an address, and at least one thing more that is known. */
bool columns_read(struct points_columns *out, const struct csv_row *row);

/* --- cells.c: what is in one cell. False: it is no such thing. --- */

bool cell_number(struct str s, double *out); /* 0.1, 0,1, -1.234,5, 1e-3 */
bool cell_scale(struct str s, double *out);  /* 0.1, x0.1, /10, 1/10, 10^-1 */
bool cell_range(struct str s, double *min, double *max);
bool cell_yes(struct str s);
bool cell_table(struct str s, enum modbus_table *out);
bool cell_order(struct str s, enum modbus_order *out);

enum cell_type_kind { TYPE_NUMBER, TYPE_TEXT, TYPE_UNKNOWN };
struct cell_type {
    enum modbus_type type;
    bool generic; /* "int", "float": the number of registers decides */
    bool has_order;
    enum modbus_order order;
};
enum cell_type_kind cell_type(struct str s, struct cell_type *out);
/* A generic type in that many registers. False: it has no such size. */
bool cell_type_sized(struct cell_type *t, unsigned registers);

struct cell_address {
    bool has_table; /* said beside the number: 4x0001, %MW5, HR5 */
    enum modbus_table table;
    bool from_one;         /* 4x0001, which counts from 1 */
    bool exact;            /* 0x10, %MW5: as it goes over the wire, whatever the numbering */
    uint32_t number, last; /* last: of "40001-40002", else number */
    unsigned digits;
    int bit; /* -1 */
};
bool cell_address(struct str s, bool hex, struct cell_address *out);
/* "4xxxx": the table that the leading digit says, and the number behind it. */
bool cell_modicon(const struct cell_address *a, enum modbus_table *table, uint32_t *number);

/* --- names.c --- */

/* The unit as the language has it, "" if there is none; what stands in front of it ("0.1 V") goes
 * to *factor. False: not known. */
bool name_unit(struct arena *a, struct str s, struct str *out, double *factor);
/* "Active Power (L1)" is active_power_l1. "" if nothing is left. */
struct str name_member(struct arena *a, struct str s);
struct str name_path(struct arena *a, struct str s);  /* "Hall 2/Meter-1" is hall_2.meter_1 */
struct str name_model(struct arena *a, struct str s); /* "hall_2.meter_1" is Meter */

/* --- read.c and what it is made of --- */

struct points_reader {
    struct points_table *table;
    const struct points_options *o;
    struct points_columns columns;
    const struct csv_row *row;
    enum points_numbering numbering; /* never AUTO */
    bool tables_said;                /* a column says tables, or each address does */
    bool line_missed;                /* has been told */
};
/* column: an enum points_column, or COLUMNS for none. */
void points_problem(struct points_reader *r, bool warning, enum points_column column,
                    const char *fmt, ...) PRINTF_LIKE(4, 5);
struct str points_cell(const struct points_reader *r, enum points_column column);
/* row.c: one point out of a row; false: it is left out, which has been told. */
bool points_row(struct points_reader *r, struct points_point *out);
/* group.c: names that are unique, models, safe actions. */
void points_group(struct points_reader *r);
