/* types: what a value of the language is, and the units that numbers carry.
 *
 * Why: a number of a site is a quantity. Its type holds a dimension (exponents over base
 * dimensions) and a natural unit, the one that people see. While a program runs, quantities are in
 * SI base units (a temperature in kelvin, a percentage as a fraction); they are converted from and
 * to the declared unit of a property where they cross the host's boundary.
 * Affine units (°C, °F) have a zero of their own: °C - °C is K, °C + °C is an error.
 * `duration` is a float with the dimension of time; `float` one without a dimension.
 * Ownership: symbols borrow static text or the site's memory. Threads: any; all of it is constant.
 * Source: the SI brochure (9th edition); angle, information, level, acidity and turbidity are base
 * dimensions here too, so that rad/s is not Hz and dB is not a ratio; torque (Nm) is J/rad. */
#pragma once

#include "base/str.h"

enum lang_dim {
    LANG_DIM_LENGTH,      /* m */
    LANG_DIM_MASS,        /* kg */
    LANG_DIM_TIME,        /* s */
    LANG_DIM_CURRENT,     /* A */
    LANG_DIM_TEMPERATURE, /* K */
    LANG_DIM_AMOUNT,      /* mol */
    LANG_DIM_LUMINOUS,    /* cd */
    LANG_DIM_ANGLE,       /* rad */
    LANG_DIM_DATA,        /* B */
    LANG_DIM_LEVEL,       /* dB */
    LANG_DIM_ACIDITY,     /* pH */
    LANG_DIM_TURBIDITY,   /* NTU */
    LANG_DIMS
};

/* base = value * scale + offset; the offset is 0 unless the unit is affine. */
struct lang_unit {
    struct str symbol; /* "mm/s"; "" for a plain number */
    int8_t dim[LANG_DIMS];
    bool affine;
    bool ratio;  /* %, ‰, ppm: never mixed with plain numbers */
    bool either; /* a quotient of equal dimensions: goes with both */
    double scale, offset;
};

/* "K/min", "m³/h", "kg*m/s^2": the whole text must be a unit. */
MUST_USE enum err lang_unit_parse(struct str text, struct lang_unit *out);
bool lang_unit_same_dim(const struct lang_unit *a, const struct lang_unit *b);
static inline double lang_unit_to_base(const struct lang_unit *u, double v)
{
    return v * u->scale + u->offset;
}
static inline double lang_unit_from_base(const struct lang_unit *u, double v)
{
    return (v - u->offset) / u->scale;
}
/* A quantity in base units as people read it, "85.2 °C": four significant digits, but never less
 * than the whole part. NaN is "no value". */
void lang_unit_print(struct strbuf *out, const struct lang_unit *u, double base);

enum lang_type_kind {
    LANG_TYPE_NONE, /* nothing: a function without a result, a type that is not known */
    LANG_TYPE_BOOL,
    LANG_TYPE_INT,
    LANG_TYPE_FLOAT, /* with `unit` */
    LANG_TYPE_STR,
    LANG_TYPE_TIME,   /* milliseconds since 1970 */
    LANG_TYPE_HANDLE, /* `model`; affine: never in the heap */
    LANG_TYPE_ENUM,   /* `def` */
    LANG_TYPE_RECORD, /* `def`; this and what follows are references into the heap */
    LANG_TYPE_LIST,   /* args[0] */
    LANG_TYPE_MAP,    /* args[0] to args[1] */
    LANG_TYPE_CHAN,   /* args[0]; `own`: of handles */
    LANG_TYPE_FN,     /* args: the parameters, then the result (kind NONE if there is none) */
};

struct lang_decl;
struct lang_typedef;
struct lang_type {
    enum lang_type_kind kind;
    bool optional; /* none is NaN, 2 of a bool, INT64_MIN of an int or time, −1 of an enum, else
                      NULL */
    bool own;      /* CHAN */
    uint8_t args_n;
    struct lang_unit unit;
    const struct lang_decl *model;
    const struct lang_typedef *def;
    const struct lang_type *args;
};

/* A record or an enum. */
struct lang_field {
    struct str name;
    struct lang_type type;
};
struct lang_typedef {
    struct str name;
    bool is_enum;
    uint32_t index;                  /* of its kind on the site; RECORD: its layout in every heap */
    const struct lang_field *fields; /* RECORD: in order, a slot each; ENUM: names alone */
    size_t fields_n;
};
#define LANG_FIELDS_MAX 64u
/* "bool", "°C", "float", "Valve", "list": as written in source, without what is inside of it. */
struct str lang_type_name(const struct lang_type *t);
/* All of it: "list<map<str, °C?>>". */
void lang_type_print(struct strbuf *out, const struct lang_type *t);

struct obj;
/* One value: 64 bits, read by its type. */
union lang_slot {
    int64_t i; /* bool (0 or 1), int, time */
    double f;
    const struct str *s; /* a text outside the heap: where values cross to the host */
    struct obj *o;       /* a reference into the heap (lang/heap.h) */
};
