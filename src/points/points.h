/* points: an engineer's table of Modbus points becomes declarations.
 *
 * Why: the list of registers exists, as a spreadsheet; nobody should type it again. Read is what
 * such tables really hold: headings in any order and in several languages, titles above them and
 * section lines between, addresses as 40001, 0x10, 4x0001, %MW100 or 40001.3, types as the PLC's
 * maker calls them, units as people write them, a scale as 0,1 or /10.
 * Rows become points, points of one device make a model and a device; devices with the same points
 * share a model. Everything that is wrong is told with line and column, and reading goes on, so
 * that one run shows all of it. Pure: no file, no site; who calls checks the text that comes out.
 * Ownership: the table owns everything in it, until points_table_fini().
 * Threads: none.
 * Errors: points_table_read() ERR_NOMEM, ERR_SYNTAX (no table at all, *e says why). What is wrong
 * with rows is in `problems`; with `errors` above 0 the text must not be used. Reference:
 * docs/modbus.md. */
#pragma once

#include "base/arena.h"
#include "base/vec.h"
#include "codec/modbus.h"

enum { POINTS_MAX = 20000, POINTS_PROBLEMS_MAX = 1000 };

/* What a plain number in an address means. */
enum points_numbering {
    POINTS_AUTO,     /* as MODICON if the addresses look so, else as PROTOCOL */
    POINTS_PROTOCOL, /* from 0, as it goes over the wire */
    POINTS_FROM_ONE, /* from 1 */
    POINTS_MODICON, /* 40001 is the first holding register, 30001 … input, 10001 … discrete, 1 coil
                     */
};

struct points_options {
    struct str stem;   /* the file's name without ".csv": a device's, if nothing else tells */
    struct str line;   /* "tcp://plc1:502", of rows that say no host; "": none */
    struct str device; /* of rows that say none */
    struct str model;  /* for all devices, also one of the site; "": proposed by their names */
    struct str place;  /* put in front of devices' names, "plant.hall2"; "" */
    uint8_t unit;      /* of rows that say none; 1 is usual */
    enum modbus_order order;
    enum points_numbering numbering;
    char separator;   /* 0: guessed */
    int64_t every_ms; /* 0: not said */
    /* Whether the site declares a model or device of this name already. May be NULL. */
    bool (*taken)(void *ctx, struct str name, bool model);
    void *ctx;
};

#define POINTS_NO_COLUMN SIZE_MAX
struct points_problem {
    bool warning;
    uint32_t line;      /* of the file, from 1; 0: of the whole */
    size_t column;      /* from 0; POINTS_NO_COLUMN */
    struct str heading; /* of that column */
    struct str text;
};

struct points_place {
    enum modbus_table table;
    uint16_t address; /* of the protocol, from 0 */
    struct modbus_form form;
};
enum points_kind { POINTS_BOOL, POINTS_INT, POINTS_NUMBER };
struct points_point {
    uint32_t line;
    struct str name;    /* of the property; "": it is only written */
    struct str written; /* as the table has it */
    struct str comment;
    enum points_kind kind;
    struct str unit; /* ours; "" if none */
    struct points_place place;
    bool has_range;
    double min, max;
    struct str action;   /* ""; else this row is (also) an action */
    struct str value;    /* "on", "off", "value 3", or "": a parameter `value` */
    struct str confirms; /* "position > 90 %"; "" */
    bool safe;
};
struct points_device {
    struct str name; /* "plant.meter1" */
    struct str written, line, model_written;
    uint8_t unit;
    uint32_t row; /* the first one */
    size_t model;
    VEC(struct points_point) points;
};
struct points_model {
    struct str name;
    size_t like; /* the first device of it, whose points say what it has */
    bool there;  /* the site declares it already, and the table or `model` asks for it by name */
};
struct points_table {
    struct arena arena;
    VEC(struct points_device) devices;
    VEC(struct points_model) models;
    VEC(struct points_problem) problems; /* in order of the file */
    size_t errors, warnings;             /* all of them, also above POINTS_PROBLEMS_MAX */
    size_t points, left_out;             /* rows */
};
MUST_USE enum err points_table_read(struct points_table *t, struct alloc *a,
                                    const struct points_options *o, struct bytes file,
                                    struct error *e);
void points_table_fini(struct points_table *t); /* safe on a zeroed one */
/* What becomes of a name that people write, in a cell or elsewhere: "Halle 3/Energiezähler" is
 * halle_3.energiezaehler, and as a model Energiezaehler. "": nothing is left of it. */
struct str points_name(struct arena *a, struct str written, bool model);
/* Models and devices as text, without errors; ends with a newline. */
void points_table_write(struct strbuf *out, const struct points_table *t,
                        const struct points_options *o);
/* "points.csv:7: column D (scale): …", one line for each problem, and their sum. */
void points_table_print_problems(struct strbuf *out, const struct points_table *t, struct str file);
/* The same as a JSON array. */
void points_table_json_problems(struct strbuf *out, const struct points_table *t);
