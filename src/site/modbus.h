/* modbus: `via modbus`, from the words of a declaration to what the engine is told.
 *
 *     via modbus "tcp://plc1:502" unit 3 every 1s order cdab {
 *         power  = input 0 f32 scale 0.001
 *         energy = holding 10 u32
 *         hot    = holding 7 bit 3
 *         outdoor = input 4 i16 scale 0.1 as °F
 *         open   = coil 4 on
 *         close  = coil 4 off
 *         set    = holding 20 i16 scale 0.1 arg target then coil 5 on
 *     }
 *
 * The grammar of a mapping (docs/modbus.md is the reference):
 *     place   = TABLE ADDRESS [TYPE | bit N] [order O] [scale S] [offset X] [as UNIT]
 *     reading = place
 *     action  = place VALUE { then place VALUE },  VALUE = on | off | value N | arg NAME
 * Why here: the language knows only that words are mapped to members; what they mean, and whether
 * they go with the model, is judged in site_modbus_check(), which is part of each check of the site
 * (lang_schema.check), so a mistake is told with its place before anything runs.
 * Threads: none. */
#pragma once

#include "lang/lang.h"
#include "protocol/modbus.h"

/* The clause's arguments, for the site's schema. */
enum { SITE_MODBUS_ARGS = 14 };
extern const struct lang_arg site_modbus_args[SITE_MODBUS_ARGS];
#define SITE_MODBUS_EXAMPLE                                                                        \
    "via modbus \"tcp://plc1:502\" unit 3 { position = input 0 scale 0.1; open = coil 4 on }"

/* Tells all that is wrong with the Modbus mappings of the devices among `decls` (code M2), also
 * what only several devices together get wrong: two that write one coil, two settings for one
 * serial line. */
void site_modbus_check(struct lang_ctx *c, const struct lang_decl *const *decls, size_t n);

/* The `via modbus` of a device, or NULL. */
const struct lang_clause_decl *site_modbus_clause(const struct lang_decl *device);
/* What the device is physically, as one text: the same in the next version of the site means the
 * same thing. Line (a serial one whatever its rate is), unit, and its first written point, else its
 * first point, as several devices may share a unit: "modbus tcp://plc1:502 unit 3 coil 4". The
 * result is how much of it people want to see: up to the unit. Of a site without errors. */
enum { SITE_MODBUS_TEXT_MAX = MODBUS_LINK_TEXT_MAX + 64 };
size_t site_modbus_text(const struct lang_decl *device, char out[SITE_MODBUS_TEXT_MAX]);
/* A hash of all that is said behind `via modbus`: equal in two versions of a site, nothing of it
 * has changed. 0 if there is nothing. Of a site without errors. */
uint64_t site_modbus_hash(const struct lang_decl *device);

/* All Modbus devices of a checked site, for modbus_new() or modbus_replace_ready(). `find` gives
 * the registry's device of that name: registry_find(), or registry_next() for the site to come. The
 * caller frees *out, unless the engine has taken it. Errors name the device. */
MUST_USE enum err site_modbus_setup(struct modbus_setup **out, const struct lang_site *site,
                                    struct registry *r, struct alloc *a,
                                    struct device *(*find)(struct registry *r, struct str name),
                                    struct error *e);

/* What a declaration says of one device, with the places in the source, for those who play the
 * other side (`sedge sim`). Memory is the arena's. ERR_INVALID: it has mistakes, or no memory. */
struct site_modbus_device {
    const struct lang_decl *decl;
    struct modbus_device modbus; /* .device is NULL */
    const struct lang_span *point_spans, *write_spans;
};
struct arena;
MUST_USE enum err site_modbus_read(struct site_modbus_device *out, const struct lang_decl *device,
                                   struct arena *a);
