/* modbus_internal: what the files of site_modbus share. */
#pragma once

#include "base/arena.h"
#include "base/vec.h"
#include "site/modbus.h"

/* Reads one device; with a check under way what is wrong is told, else only noted. */
struct modbus_reader {
    struct lang_ctx *c; /* NULL: nobody listens */
    struct arena *arena;
    const struct lang_decl *device;
    enum modbus_order order; /* of numbers that don't say it */
    bool failed;
};

/* Code M2. NULL, which lang_report_…() must not get, if nobody listens: use fault_help(). */
struct lang_diag *modbus_fault(struct modbus_reader *r, struct lang_span at, const char *label,
                               const char *fmt, ...) PRINTF_LIKE(4, 5);
void modbus_fault_help(struct modbus_reader *r, struct lang_diag *d, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* --- modbus_words.c: one mapping --- */

enum said_value { SAID_NOTHING, SAID_ON, SAID_OFF, SAID_NUMBER, SAID_ARG };
/* `place VALUE`, as written: whether it goes with the member is not yet judged. */
struct modbus_said {
    struct modbus_place place;
    bool typed; /* a type or `bit N` was said */
    enum said_value value;
    double number;  /* SAID_NUMBER */
    struct str arg; /* SAID_ARG */
    bool converts;  /* `as` */
    struct lang_unit unit;
    struct lang_span span, place_span, value_span, unit_span;
};
struct modbus_words {
    struct modbus_reader *r;
    const struct lang_mapping *m;
    size_t at;
};
/* The next of those that `then` joins. False: there is none, or it is wrong (r->failed). */
bool modbus_words_next(struct modbus_words *w, struct modbus_said *out);

/* --- modbus_read.c: one device --- */

bool modbus_read_device(struct modbus_reader *r, struct site_modbus_device *out);
