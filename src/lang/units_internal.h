/* units_internal: the scanner of units, shared by the lexer and the checker. Private to lang/. */
#pragma once

#include "lang/types.h"

/* The longest unit at the start of text; its length in bytes, or 0. */
size_t unit_scan(struct str text, struct lang_unit *out);
/* One name with or without prefix, "kW"; `no_power`: an exponent behind it would mean something
 * else. */
bool unit_atom(struct str name, struct lang_unit *out, bool *no_power);
/* Every name that the table makes, prefix and name; for tests and completion. */
void unit_names(void (*each)(void *arg, const char *prefix, const char *name), void *arg);
/* Whether c can be part of a unit's name: a letter, %, or a byte of °, µ, Ω, ², … */
bool unit_char(char c);
/* A known unit that looks like this unknown one, or "". */
struct str unit_suggest(struct str unknown);
/* The unit of a difference: K for °C, else the unit itself. */
struct lang_unit unit_difference(const struct lang_unit *u);
/* The unit of a change per minute, for slope(): K/min for °C. `symbol` is left empty where it has
 * to be made: the caller sets "<symbol>/min". */
struct lang_unit unit_per_minute(const struct lang_unit *u);
/* Product (sign 1) or quotient (sign -1); symbol left empty. */
struct lang_unit unit_combine(const struct lang_unit *a, const struct lang_unit *b, int sign);
bool unit_is_plain(const struct lang_unit *u); /* no dimension and no ratio */
struct lang_unit unit_plain(void);
struct lang_unit unit_seconds(void);
/* What a dimension is called ("temperature", "pressure"), or "" for an unusual one. */
const char *unit_quantity(const struct lang_unit *u);
/* A usual unit of the same dimension, for help lines; "" if there is none. */
struct str unit_example(const struct lang_unit *u);
