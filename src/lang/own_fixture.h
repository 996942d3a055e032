/* own_fixture: a site for cases of ownership and of the graph, with everything that they need. */
#pragma once

#include "lang/lang.h"
#include "tests/support/lang_schema.h"
#include "tests/support/test.h"

#include <string.h>

static const char own_site[] =
    "site \"test\"\n"
    "model Valve { property position: %\n"
    "  action open() confirms position > 90 %; action close() confirms position < 5 %\n"
    "  action set(to: %); safe close() }\n"
    "model Pump { property pressure: bar; property running: bool; event dry\n"
    "  action start(to: bar) confirms running; action stop() confirms not running; safe stop() }\n"
    "model Lamp { property lit: bool\n"
    "  action on() confirms lit affects lux; action off() confirms not lit affects lux; safe off() "
    "}\n"
    "model Heater { property hot: bool; action heat() confirms hot affects temperature\n"
    "  action rest() confirms not hot affects temperature; safe rest() }\n"
    "model Window { property opened: bool; action open() confirms opened affects temperature\n"
    "  action close() confirms not opened affects temperature; safe close() }\n"
    "model Lock { property locked: bool\n"
    "  action lock() confirms locked; action unlock() confirms not locked guarded; safe lock() }\n"
    "model Room { property temperature: °C; property lux: lx; property motion: bool; event button\n"
    "  property smoke: bool; property guest: bool by guest }\n"
    "model Plug { property live: bool\n"
    "  action on() confirms live; action off() confirms not live; safe off() }\n"
    "model Camera { property moving: bool }\n"
    "model Meter { property power: kW }\n"
    "device pump: Pump { via mqtt \"pump\" json }\n"
    "device pump2: Pump { via mqtt \"pump2\" json }\n"
    "device valve: Valve { via mqtt \"valve\" json }\n"
    "device gate: Valve { id \"urn:gate\"; via mqtt \"gate\" json }\n"
    "device gate2: Valve { id \"urn:gate\"; via mqtt \"gate2\" json }\n"
    "device v1: Valve { via mqtt \"v1\" json }\n"
    "device v2: Valve { via mqtt \"v2\" json }\n"
    "device v3: Valve { via mqtt \"v3\" json }\n"
    "device relay.a: Plug { via mqtt \"relay/1\" json }\n"
    "device relay.b: Plug { via mqtt \"relay/1\" text }\n"
    "device hall: Room { via mqtt \"hall\" json }\n"
    "device hall.lamp: Lamp { via mqtt \"hall/lamp\" json }\n"
    "device hall.spot: Lamp { via mqtt \"hall/spot\" json }\n"
    "device hall.heater: Heater { via mqtt \"hall/heater\" json }\n"
    "device hall.oven: Heater { via mqtt \"hall/oven\" json }\n"
    "device hall.cooler: Heater { via mqtt \"hall/cooler\" json }\n"
    "device hall.window: Window { via mqtt \"hall/window\" json }\n"
    "device hall.door: Lock { via mqtt \"hall/door\" json }\n"
    "device room: Room { via mqtt \"room\" json }\n"
    "device room.lamp: Lamp { via mqtt \"room/lamp\" json }\n"
    "device room.heater: Heater { via mqtt \"room/heater\" json }\n"
    "device room.window: Window { via mqtt \"room/window\" json }\n"
    "device room.door: Lock { via mqtt \"room/door\" json }\n"
    "device cam: Camera { via mqtt \"cam\" json }\n"
    "device plug: Plug { powers cam; via mqtt \"plug\" json }\n"
    "device fan: Plug { via mqtt \"fan\" json }\n"
    "device meter: Meter { via mqtt \"meter\" json }\n"
    "group valves = v1, v2, v3\n"
    "group few_valves = v3\n"
    "group gates = gate, gate2\n"
    "group lamps = hall.lamp, room.lamp\n"
    "group rooms = hall, room\n";

struct own_case {
    const char *label, *want, *text; /* "O4:5, G11:9": codes and lines; "" for none */
};
static const struct own_case own_cases[] = {
#include "lang/own_borrow_cases.h"
#include "lang/own_conflict_cases.h"
#include "lang/own_fine_cases.h"
#include "lang/own_graph_cases.h"
#include "lang/own_lease_cases.h"
#include "lang/own_move_cases.h"
#include "lang/own_owner_cases.h"
};

static inline struct lang_site *own_check(const char *text)
{
    struct lang_source sources[2] = {{STR("site.sedge"), str_from(own_site)},
                                     {STR("case.sedge"), str_from(text)}};
    struct lang_site *site;
    return lang_check(alloc_system(), &test_schema, sources, 2, &site) == ERR_OK ? site : NULL;
}

/* "O4:5, G11:9, G14!:3"; an error of the graph has a `!`. Other warnings are left out: how old
 * readings are is not what the cases are about.
 */
static inline void own_codes(const struct lang_site *site, struct strbuf *out)
{
    for (size_t i = 0; i < site->diags_n; i++) {
        const struct lang_diag *d = &site->diags[i];
        if (d->severity == LANG_ERROR || d->code.p[0] == 'G')
            strbuf_addf(out, "%s%.*s%s:%u", out->n ? ", " : "", STR_FMT(d->code),
                        d->severity == LANG_ERROR && d->code.p[0] == 'G' ? "!" : "",
                        d->marks[0].line);
    }
}
