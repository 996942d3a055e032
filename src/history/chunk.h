/* chunk: sorted points of one series as bytes and back; what lies in the table `chunk`.
 *
 * Layout, version 1: version u8, kind u8, count varint, timestamps (ints.h), values. Values by
 * kind: bool and int as ints; string as a dictionary (zstd where that helps) and ints; float as the
 * smallest of
 *   decimal  ints of value × 10^e, the smallest e of 0 … 9 that gives every bit back, and at
 *            most one in 32 kept aside (after ALP: Afroozeh et al., SIGMOD 2023)
 *   bits     ints of the IEEE bits: constants, runs, slow full-precision walks
 *   xor      each with the one before (Gorilla: Pelkonen et al., VLDB 2015)
 * All bits survive: NaN with its payload, both zeros, infinities, all of int64.
 * Threads: none. Errors: chunk_decode() ERR_CORRUPT or ERR_NOMEM; it takes any bytes. */
#pragma once

#include "base/cursor.h"
#include "history/points.h"

#define CHUNK_POINTS_MAX 4096u
#define CHUNK_STR_MAX    256u

/* Room that is always enough. */
size_t chunk_bound(const struct points *p);
/* Of sorted points, 1 … CHUNK_POINTS_MAX of them. `alloc` for what is needed meanwhile. */
MUST_USE enum err chunk_encode(struct writer *w, const struct points *p, struct alloc *alloc);
/* Replaces what is in p, its kind too. */
MUST_USE enum err chunk_decode(struct bytes in, struct points *p);
