/* quantity: what the name of a value says of it.
 *
 *     "soilTemp_c"   the quantity temperature; its unit is said: °C
 *     "rh"           humidity, usually in %, between 0 and 100
 *
 * Why: most devices name their values and few say more. What follows from a name and from what was
 * seen together is guess.c's.
 * Ownership: words live in the arena, the rest is constant. Threads: any. */
#pragma once

#include "adopt/name.h"

#define COUNTS 0x1u  /* goes up and up: no range */
#define SEEN   0x2u  /* the range comes from what was seen */
#define TRUTH  0x4u  /* 0 and 1 are no and yes */
#define WHOLE  0x8u  /* a whole number */
#define UNSURE 0x10u /* the unit only if the name says it */

struct quantity {
    const char *words; /* of the name, one behind the other */
    const char *name;  /* by which people know it; NULL: as it is */
    const char *unit;  /* the usual one; "": none */
    double lo, hi;     /* what nothing real leaves; both 0: not known */
    unsigned flags;
};

/* A name, taken to pieces. */
struct named {
    struct name_words words;
    size_t n;                        /* of them without the unit */
    const char *unit;                /* that the name says; NULL: none */
    const struct quantity *quantity; /* NULL: none that is known */
};
void name_read(struct named *out, struct str key, struct arena *a);
/* The word by which people know it: "temp" is temperature; "" if it is none of those. */
struct str name_known(struct str key, struct arena *a);
