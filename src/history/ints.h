/* ints: a row of 64-bit integers, packed; timestamps and values of chunks go through it.
 *
 * The row is turned into small numbers by the cheapest of: constant, runs, itself, difference,
 * difference of differences, distance from a straight line (jittered clocks). They are packed in
 * blocks of 128 as reference + a common number of bits, and the few that do not fit are patched
 * (PFOR: Zukowski et al., "Super-Scalar RAM-CPU Cache Compression", ICDE 2006). All arithmetic
 * wraps, so every int64 survives. Threads: none. Errors: decoding damaged bytes is false; encoding
 * into too little room fails the writer. */
#pragma once

#include "base/cursor.h"

/* Bytes that n numbers need at most. */
size_t ints_bound(uint32_t n);
/* About so many bytes would ints_encode() write (exact up to 512 numbers); *how is for it. */
size_t ints_plan(const int64_t *v, uint32_t n, uint8_t *how);
void ints_encode(struct writer *w, const int64_t *v, uint32_t n, uint8_t how);
MUST_USE bool ints_decode(struct cursor *c, int64_t *v, uint32_t n);
