/* compile_task_cases: what traps, and what waits: tasks, channels, select, handles, leases. As in
 * compile_cases.h; commands are written as "gate.open();". */
#pragma once

#include "lang/compile_cases.h"

static const struct run_case trap_cases[] = {
    {"division by zero", "", "", "var x = 0; alert info \"a\"; alert info \"{1 / x}\"",
     "a;trap division by zero;"},
    {"modulo zero", "", "", "var x = 0; alert info \"{5 mod x}\"", "trap division by zero;"},
    {"overflow", "", "", "var x = 9223372036854775807; x += 1; alert info \"{x}\"",
     "trap a whole number became too large;"},
    {"overflow by a product", "", "", "var x = 9223372036854775807; x *= 2",
     "trap a whole number became too large;"},
    {"an index out of range", "", "", "let xs = [1]; var i = 1; alert info \"{xs[i]}\"", "trap "},
    {"a negative index", "", "", "let xs = [1]; var i = -1; xs[i] = 2", "trap "},
    {"a reading that never came", "", "read t: °C = press.temperature stale 5s",
     "var x = 0 °C; x = t", "trap press.temperature has no value yet;"},
    {"an int reading that never came", "", "read n: int = press.parts stale 5s",
     "alert info \"{n} {n + 1}\"; var x = n + 1",
     "no value no value;trap press.parts has no value yet;"},
    {"for ever deeper", "fn f(n: int) -> int { return f(n + 1) + 1 }", "", "alert info \"{f(0)}\"",
     "trap functions call each other too deeply;"},
    {"for ever", "", "", "var i = 0; loop { i += 1 }", "out of budget;"},
    {"for ever in calls", "fn f() -> int { return 1 }", "", "loop { let x = f() }",
     "out of budget;"},
    {"too much data", "", "",
     "let xs: list<str> = []; var s = \"0123456789abcdef\"; loop { s = \"{s}{s}\"; xs.push(s) }",
     "trap "},
    {"int of what is too large", "", "", "var x = 1e300; alert info \"{int(x)}\"", "trap "},
};

static const struct run_case handle_cases[] = {
    {"commands", "", "own v: Valve = gate", "v.open(); v.set(0.5 * 100 %, 2min); v.close()",
     "gate.open();gate.set(50, 120);gate.close();"},
    {"through functions",
     "fn pulse(mut v: Valve, n: int) { for i in 0 .. n { v.open() } }\nfn twice(mut v: Valve) { "
     "pulse(v, 1); pulse(v, 1) }",
     "own v: Valve = gate", "twice(v); pulse(v, 2)",
     "gate.open();gate.open();gate.open();gate.open();"},
    {"readings through a handle", "fn shut(ref v: Valve) -> bool { return v.position < 5 % }",
     "own v: Valve = gate", "alert info \"{shut(v)} {v.position}\"", "true no value;"},
    {"what a handle is called", "fn tell(ref v: Valve) -> str { return \"<{v.name}>\" }",
     "own v: Valve = press.coolant", "alert info tell(v); alert info v.name",
     "<press.coolant>;press.coolant;"},
    {"in a loop over devices", "", "own a: Valve = press.coolant\nown b: Valve = oven.coolant",
     "for st in heated { alert info st.name }; a.open(); b.close()",
     "press;oven;press.coolant.open();oven.coolant.close();"},
    {"a group that is owned",
     "model Lamp { property lit: bool; action on() confirms lit; action off() confirms not lit; "
     "safe off() }\n"
     "device l1: Lamp { via mqtt \"l1\" json }\ndevice l2: Lamp { via mqtt \"l2\" json }\n"
     "device l3: Lamp { via mqtt \"l3\" json }\ngroup lamps = l1, l2, l3\nfn lit(mut l: Lamp) { "
     "l.on() }",
     "own all: list<Lamp> = lamps",
     "for l in all { l.on() }; var i = 1; all[i].off(); lit(all[i + 1]); i = 3; alert info "
     "\"{all.len()}\"; all[i].on()",
     "l1.on();l2.on();l3.on();l2.off();l3.on();3;trap "},
};

static const struct run_case task_cases[] = {
    {"sleep", "", "",
     "alert info \"a\"; sleep 2s; alert info \"b\"; var n = 3; while n > 0 { sleep 1s; n -= 1 }; "
     "alert info \"{n}\"",
     "a;b;0;"},
    {"spawn",
     "task count(n: int, name: str) { for i in 0 .. n { alert info \"{name}{i}\"; sleep 1s } }", "",
     "spawn count(2, \"a\"); spawn count(3, \"b\")", "a0;b0;a1;b1;b2;"},
    {"channels", "task produce(c: chan<int>) { for i in 0 .. 5 { c.send(i) } }", "",
     "let c = chan<int>(2); spawn produce(c); var n = 0; while n < 4 { n = c.recv(); alert info "
     "\"{n}\" }; alert info \"end\"",
     "0;1;2;3;4;end;"},
    {"a full channel", "", "",
     "let c = chan<int>(1); c.send(1) else drop; c.send(2) else drop; c.send(3) else { alert info "
     "\"full {c.len()}\" }; alert info \"{c.recv()}\"",
     "full 1;1;"},
    {"select",
     "task after_a_while(c: chan<str>) { sleep 1s; c.send(\"x\"); sleep 5s; c.send(\"y\") }", "",
     "let c = chan<str>(1); spawn after_a_while(c)\n"
     "loop { select { s = c.recv() => { alert info s; if s == \"y\" { return } }; after 2s => "
     "alert info \"late\" } }",
     "x;late;late;y;"},
    {"select that does not wait", "", "",
     "let c = chan<int>(1); let d = chan<int>(1)\n"
     "select { x = c.recv() => alert info \"no\"; else => alert info \"nothing\" }\n"
     "select { d.send(4) => alert info \"sent\"; else => alert info \"no\" }\n"
     "select { x = c.recv() => alert info \"no\"; x = d.recv() => alert info \"{x}\" }",
     "nothing;sent;4;"},
    {"an own handle in a task", "task run(own v: Valve) { v.open(); sleep 1s; v.set(10 %, 1s) }",
     "own v: Valve = gate\nspawn run(move v)", "alert info \"x\"",
     "gate.open();x;gate.set(10, 1);safe gate;"},
    {"an own handle that is handed on",
     "task inner(own v: Valve) { sleep 1s; v.open() }\ntask run(own v: Valve, go: bool) { "
     "v.close(); if go { spawn inner(move v) } else { sleep 9s } ; alert info \"end\" }",
     "own v: Valve = gate\nown w: Valve = press.coolant\nspawn run(move v, true)\nspawn run(move "
     "w, false)",
     "", "gate.close();end;press.coolant.close();gate.open();safe gate;end;safe press.coolant;"},
    {"handles leave by every exit",
     "task run(own v: Valve, n: int) { loop { if n == 1 { return }; if n == 2 { break }; if n == 3 "
     "{ var z = 0; alert info \"{1 / z}\" } ; sleep 1s; drop v; alert info \"dropped\"; sleep 1s; "
     "return } }",
     "own a: Valve = gate\nown b: Valve = press.coolant\nown c: Valve = oven.coolant\nspawn "
     "run(move a, 1)\nspawn run(move b, 2)\nspawn run(move c, 3)",
     "", "safe gate;safe press.coolant;safe oven.coolant;trap division by zero;"},
    {"handles through channels",
     "task use(c: chan<own Valve>) {\n"
     "  loop { select { v = c.recv() => { v.open(); sleep 1s; v.close() }; after 1min => { alert "
     "info \"late\"; return } } } }\n"
     "task hand(c: chan<own Valve>, own a: Valve, own b: Valve) { c.send(move a); sleep 5s; "
     "c.send(move b) }",
     "own a: Valve = gate\nown b: Valve = press.coolant\nlet c = chan<own Valve>(1)\nspawn "
     "use(c)\nspawn hand(c, move a, move b)",
     "",
     "gate.open();gate.close();safe gate;press.coolant.open();press.coolant.close();safe "
     "press.coolant;late;"},
    {"a full channel of handles",
     "task hand(c: chan<own Valve>, own a: Valve, own b: Valve, own d: Valve) {\n"
     "  c.send(move a); c.send(move b) else drop; alert info \"dropped\"\n"
     "  c.send(move d) else { d.open(); alert info \"still here\" }; sleep 1s; alert info \"end\" "
     "}",
     "own a: Valve = gate\nown b: Valve = press.coolant\nown d: Valve = oven.coolant\nlet c = "
     "chan<own Valve>(1)\nspawn hand(c, move a, move b, move d)",
     "", "safe press.coolant;dropped;oven.coolant.open();still here;end;safe oven.coolant;"},
    {"what is dropped",
     "task run(own v: Valve) { v.open(); drop v; alert info \"a\"; sleep 1s; alert info \"b\" }",
     "own v: Valve = gate\nspawn run(move v)", "", "gate.open();safe gate;a;b;"},
    {"moved in one branch",
     "task other(own v: Valve) { v.open() }\ntask run(own v: Valve, go: bool) { if go { spawn "
     "other(move v) } else { v.close() }; sleep 1s; alert info \"end\" }",
     "own v: Valve = gate\nown w: Valve = press.coolant\nspawn run(move v, true)\nspawn run(move "
     "w, false)",
     "", "gate.open();safe gate;press.coolant.close();end;end;safe press.coolant;"},
    {"events", "", "",
     "select { press.jam() => alert info \"jam\"; after 3s => alert info \"none\" }", "none;"},
    {"a task that works long",
     "task work(n: int) { var s = 0; for i in 0 .. n { s += i }; alert info \"{s}\" }", "",
     "spawn work(100000)", "out of budget;out of budget;4999950000;"},
    {"publish", "", "on \"n\" as x: int { alert info \"{x}\" }", "publish \"n\" 4 + 1",
     "publish n;5;"},
    {"messages of all kinds",
     "enum E { a, b }\nrecord P { n: int; f: °C?; s: str; e: E; xs: list<P>; m: map<str, bool> }",
     "on \"p\" as p: P { let q = p.xs[0]; alert info \"{p.n} {p.f ?? 0 °C} {p.s} {p.e} {q.n} {q.f "
     "== none} {q.m[\"k\"] ?? false}\" }",
     "let q = P{7, none, \"\", E.a, [], [\"k\": true]}; let p = P{1, 20 °C, \"x\", E.b, [q], [:]}; "
     "publish \"p\" p; p.n = 9; q.n = 9",
     "publish p;1 20 °C x b 7 true true;"},
    {"a message that waits", "",
     "on \"n\" as x: int { alert info \"{x}\"; sleep 1s; alert info \"{x + 1}\" }",
     "publish \"n\" 4", "publish n;4;5;"},
};

#define KEEPER                                                                                     \
    "program keeper { own v: Valve = gate\n own w: Valve = press.coolant\n"                        \
    "  lend v to p priority 5 max 1h\n lend w to p\n v.close() else skip\n w.close() else skip }"

static const struct run_case lease_cases[] = {
    {"a lease", KEEPER, "",
     "lease v = keeper.v for 20min wait 10min { v.open(); sleep 5min; v.set(50 %, 1s); alert info "
     "\"{v.name}\" } "
     "revoked why { alert info \"cut short: {why}\" } denied { alert info \"busy\" }; alert info "
     "\"on\"",
     "lease gate 1200000 600000;gate.open();gate.set(50, 1);gate;release;on;"},
    {"left by every exit", KEEPER, "",
     "var n = 0; loop { n += 1; lease v = keeper.v for 1min { if n == 1 { continue }; if n == 2 { "
     "v.open(); break }; return } "
     "revoked { alert info \"no\" } }; alert info \"{n}\"; lease v = keeper.v for 1min { "
     "v.close(); return } revoked { alert info \"no\" }",
     "lease gate 60000 0;release;lease gate 60000 0;gate.open();release;2;lease gate 60000 "
     "0;gate.close();release;"},
    {"leases in leases", KEEPER, "",
     "lease v = keeper.v for 20min { lease w = keeper.w for 10min wait 1min { w.open(); sleep 1s; "
     "v.open() } revoked { alert info \"w\" } ; sleep 1s; v.close() } revoked { alert info \"v\" }",
     "lease gate 1200000 0;lease press.coolant 600000 "
     "60000;press.coolant.open();gate.open();release;gate.close();release;"},
    {"a lease lent to a function", KEEPER "\nfn pulse(mut v: Valve) { v.open(); v.close() }", "",
     "var d = 2min; lease v = keeper.v for d * 2 { pulse(v) } revoked { alert info \"no\" }",
     "lease gate 240000 0;gate.open();gate.close();release;"},
    {"a crash", KEEPER, "",
     "var z = 0; lease v = keeper.v for 20min { v.open(); sleep 1s; alert info \"{1 / z}\" } "
     "revoked { alert info \"no\" }",
     "lease gate 1200000 0;gate.open();crashed;trap division by zero;"},
};

/* After two minutes the first event comes. */
static const struct run_case signal_cases[] = {
    {"an event", "", "",
     "var n = 0; loop { select { press.jam() => { alert info \"jam {n}\"; return }; oven.jam() => "
     "alert info \"oven\"; after 50s => n += 1 } }",
     "jam 2;"},
    {"the first arm", "", "",
     "select { oven.jam() => alert info \"oven\"; press.jam() => alert info \"press\" }; alert "
     "info \"on\"",
     "oven;on;"},
};

/* All leases are denied. */
static const struct run_case denied_cases[] = {
    {"denied", KEEPER, "",
     "lease v = keeper.v for 1min { v.open() } revoked { alert info \"no\" } denied { alert info "
     "\"busy\" }; alert info \"on\"",
     "lease gate 60000 0;busy;on;"},
    {"denied, and nothing is said", KEEPER, "",
     "lease v = keeper.v for 1min { v.open() } revoked { alert info \"no\" }; alert info \"on\"",
     "lease gate 60000 0;on;"},
};

/* The first lease is taken back after two minutes. */
static const struct run_case revoked_cases[] = {
    {"revoked while it sleeps", KEEPER, "",
     "lease v = keeper.v for 20min { v.open(); sleep 19min; v.close() } revoked why { alert info "
     "\"cut short: {why}\" } denied { alert info \"busy\" }; alert info \"on\"",
     "lease gate 1200000 0;gate.open();cut short: wanted back;on;"},
    {"revoked in a loop", KEEPER, "",
     "var n = 0; lease v = keeper.v for 20min { loop { n += 1; v.open(); sleep 50s } } revoked { "
     "alert info \"{n}\" }",
     "lease gate 1200000 0;gate.open();gate.open();gate.open();3;"},
    {"the inner one ends as well", KEEPER, "",
     "lease v = keeper.v for 20min { lease w = keeper.w for 10min { w.open(); sleep 5min; "
     "w.close() } revoked { alert info \"w\" } } revoked { alert info \"v\" }; alert info \"on\"",
     "lease gate 1200000 0;lease press.coolant 600000 0;press.coolant.open();crashed;v;on;"},
};

/* What is lent is out. */
static const struct run_case busy_cases[] = {
    {"skip", "program other { }", "own v: Valve = gate\nlend v to other",
     "v.open() else skip; alert info \"on\"", "on;"},
    {"else", "program other { }", "own v: Valve = gate\nlend v to other",
     "v.set(10 %, 1s) else { alert info \"out\" }; v.close() else { return }; alert info \"no\"",
     "out;"},
    {"revoke", "program other { }", "own v: Valve = gate\nlend v to other",
     "v.open() else skip; revoke v; v.open(); alert info \"on\"", "revoke gate;gate.open();on;"},
};
