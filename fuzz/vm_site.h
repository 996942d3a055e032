/* vm_site: for fuzz targets: a program with tasks, channels, closures, data of all kinds and a
 * handle that moves. */
#pragma once

#include "base/alloc.h"
#include "lang/lang.h"
#include "tests/support/lang_schema.h"

#include <stdio.h>

static const char site_text[] =
    "site \"fuzz\"\n"
    "model Valve { property position: %; action open() confirms position > 90 %; action close(); "
    "safe close() }\n"
    "device gate: Valve { id \"urn:1\"; via mqtt \"gate\" json }\n"
    "record Item { name: str; size: int; next: Item? }\n"
    "enum Mode { eco, boost }\n"
    "program p {\n"
    "  own v: Valve = gate\n"
    "  var n = 1\n  var x = 1.5 m\n  var s = \"text\"\n  var items: list<Item> = []\n"
    "  var seen: map<str, list<int>> = [:]\n  var mode = Mode.eco\n  var ring: Item? = none\n"
    "  let c = chan<Item>(2)\n"
    "  spawn reader(c)\n  spawn writer(c, 3)\n  spawn keeper(move v)\n"
    "}\n"
    "task reader(c: chan<Item>) {\n"
    "  loop { select { i = c.recv() => { let t = \"{i.name}\" }\n"
    "    after 1s => { let z = 1 } } }\n"
    "}\n"
    "task writer(c: chan<Item>, k: int) {\n"
    "  var i = 0\n  while i < 5 { c.send(Item{\"a{i}\", add(i, k), none}); sleep 200ms; i += 1 }\n "
    " c.close()\n"
    "}\n"
    "fn add(a: int, b: int) -> int { var t = 0\n for i in 0..a { t += b }\n return t }\n"
    "task keeper(own v: Valve) { loop { v.open(); sleep 500ms } }\n";

/* Leases, maps, texts, sorting, messages: for what is mutated, not for images that are kept. */
static const char rich_text[] =
    "site \"fuzz\"\n"
    "model Valve { property position: %; action open() confirms position > 90 %; action close(); "
    "safe close() }\n"
    "device gate: Valve { id \"urn:1\"; via mqtt \"gate\" json }\n"
    "enum Mode { eco, boost }\n"
    "program q {\n"
    "  read p: % = gate.position stale 5s\n"
    "  var m: map<str, int> = [:]\n  var l: list<float> = []\n  var mode = Mode.eco\n  var k = 3\n"
    "  every 1s { lease v = keeper.v for 5s wait 1s { v.open(); sleep 1s; v.close() }\n"
    "    revoked why { m[why] = 1 } denied { l.push(1.5) } }\n"
    "  every 2s { for t, n in m { if n > 2 { m.remove(t) } }\n    l.sort(); l.reverse()\n"
    "    k += l.filter(x => x > 1.0).len(); publish \"x\" m }\n"
    "  on \"x\" as got: map<str, int> { m = got }\n"
    "  when p > 50 % for 1s { for i, t in \"b,a\".split(\",\") { m[t] = i + t.len() * k }\n"
    "    match mode { eco => { mode = Mode.boost }, boost => { mode = Mode.eco } }\n"
    "    let f = fn(x: int) -> int { return x * 2 + k }\n"
    "    if let n = m.get(\"a\") { k = f(n) mod 7; l.insert(0, 0.5 * k) }\n"
    "    alert info \"{l.contains(1.5)} {k} {p}\" }\n"
    "}\n"
    "program keeper { own v: Valve = gate; lend v to q\n"
    "  every 5s { revoke v; v.close() } }\n";

/* The first program of a site; checked once. */
static inline const struct lang_program *program_of(const char *text, struct lang_site **site)
{
    static struct lang_source source = {STR("fuzz.sedge"), STR("")};
    if (*site)
        return (*site)->programs[0];
    source.text = str_from(text);
    ASSERT(lang_check(alloc_system(), &test_schema, &source, 1, site) == ERR_OK);
    struct strbuf said;
    strbuf_init(&said, alloc_system(), 0);
    for (size_t i = 0; i < (*site)->diags_n; i++)
        lang_diag_render(&said, *site, &(*site)->diags[i], false);
    if ((*site)->errors > 0)
        (void)fputs(said.p, stderr);
    strbuf_fini(&said);
    ASSERT((*site)->errors == 0 && (*site)->programs_n > 0);
    return (*site)->programs[0];
}

static inline const struct lang_program *site_program(void)
{
    static struct lang_site *site;
    return program_of(site_text, &site);
}

static inline const struct lang_program *rich_program(void)
{
    static struct lang_site *site;
    return program_of(rich_text, &site);
}
