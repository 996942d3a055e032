/* lang_fixture: for tests of the language: a small site that cases are put beside. */
#pragma once

#include "lang/lang.h"
#include "tests/support/lang_schema.h"
#include "tests/support/test.h"

static const char fixture_site[] =
    "site \"test\"\n"
    "model Station {\n"
    "  property temperature: °C  range -20..200\n"
    "  property vibration: mm/s\n"
    "  property load: %  range 0..100\n"
    "  property parts: int\n"
    "  property running: bool\n"
    "  property mode: str\n"
    "  event jam\n"
    "}\n"
    "model Valve {\n"
    "  property position: %\n"
    "  action open()  confirms position > 90 %\n"
    "  action close() confirms position < 5 %\n"
    "  action set(to: %, over: s)\n"
    "  safe close()\n"
    "}\n"
    "model Meter { property power: kW; property energy: kWh; property price: float }\n"
    "device press: Station { id \"urn:1\"; via mqtt \"press\" json }\n"
    "device oven:  Station { id \"urn:2\"; via mqtt \"oven\" json }\n"
    "device press.coolant: Valve { id \"urn:11\"; via mqtt \"press/coolant\" json }\n"
    "device oven.coolant:  Valve { id \"urn:12\"; via mqtt \"oven/coolant\" json }\n"
    "device packer: Station { id \"urn:3\"; via mqtt \"packer\" json }\n"
    "device meter: Meter { via mqtt \"meter\" json }\n"
    "device gate: Valve { id \"urn:20\"; via mqtt \"gate\" json }\n"
    "device gate2: Valve { id \"urn:20\"; via mqtt \"gate2\" json }\n"
    "group heated = press, oven\n"
    "group stations = press, oven, packer\n"
    "group gates = gate, gate2\n";

/* Checks `text` as "case" beside the site above (or alone). NULL without memory. */
static inline struct lang_site *fixture_check(const char *text, bool alone)
{
    struct lang_source sources[2] = {{STR("site.sedge"), str_from(alone ? "" : fixture_site)},
                                     {STR("case.sedge"), str_from(text)}};
    struct lang_site *site;
    enum err e = lang_check(alloc_system(), &test_schema, sources, 2, &site);
    return e == ERR_OK ? site : NULL;
}
