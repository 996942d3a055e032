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
    {"no such key", "", "", "let m: map<str, int> = [:]; m[\"a\"] += 1", "trap this key has no value yet;"},
    {"a reading that never came", "", "read t: °C = press.temperature stale 5s", "var x = 0 °C; x = t",
     "trap press.temperature has no value yet;"},
    {"an int reading that never came", "", "read n: int = press.parts stale 5s",
     "alert info \"{n} {n + 1}\"; var x = n + 1", "no value no value;trap press.parts has no value yet;"},
    {"for ever deeper", "fn f(n: int) -> int { return f(n + 1) + 1 }", "", "alert info \"{f(0)}\"",
     "trap functions call each other too deeply;"},
    {"for ever", "", "", "var i = 0; loop { i += 1 }", "out of budget;"},
    {"for ever in calls", "fn f() -> int { return 1 }", "", "loop { let x = f() }", "out of budget;"},
    {"too much data", "", "", "let xs: list<str> = []; var s = \"0123456789abcdef\"; loop { s = \"{s}{s}\"; xs.push(s) }",
     "trap "},
    {"int of what is too large", "", "", "var x = 1e300; alert info \"{int(x)}\"", "trap "},
};

static const struct run_case handle_cases[] = {
    {"commands", "", "own v: Valve = gate", "v.open(); v.set(0.5 * 100 %, 2min); v.close()",
     "gate.open();gate.set(50, 120);gate.close();"},
    {"through functions", "fn pulse(mut v: Valve, n: int) { for i in 0 .. n { v.open() } }\nfn twice(mut v: Valve) { pulse(v, 1); pulse(v, 1) }",
     "own v: Valve = gate", "twice(v); pulse(v, 2)", "gate.open();gate.open();gate.open();gate.open();"},
    {"readings through a handle", "fn shut(ref v: Valve) -> bool { return v.position < 5 % }",
     "own v: Valve = gate", "alert info \"{shut(v)} {v.position}\"", "true 0 %;"},
    {"in a loop over devices", "",
     "own a: Valve = press.coolant\nown b: Valve = oven.coolant", "for st in heated { alert info st.name }; a.open(); b.close()",
     "press;oven;press.coolant.open();oven.coolant.close();"},
    {"a group that is owned", "", "own all: list<Station2> = lamps", "for l in all { l.on() }; all[1].off()",
     "l1.on();l2.on();l2.off();"},
};

static const struct run_case task_cases[] = {
    {"sleep", "", "", "alert info \"a\"; sleep 2s; alert info \"b\"; var n = 3; while n > 0 { sleep 1s; n -= 1 }; alert info \"{n}\"", "a;b;0;"},
    {"spawn", "task count(n: int, name: str) { for i in 0 .. n { alert info \"{name}{i}\"; sleep 1s } }", "",
     "spawn count(2, \"a\"); spawn count(3, \"b\")", "a0;b0;a1;b1;b2;"},
    {"channels", "task produce(c: chan<int>) { for i in 0 .. 5 { c.send(i) }; c.close() }", "",
     "let c = chan<int>(2); spawn produce(c); loop { if let x = c.recv() { alert info \"{x}\" } else { break } }; alert info \"end\"",
     "0;1;2;3;4;end;"},
    {"a full channel", "", "",
     "let c = chan<int>(1); c.send(1) else drop; c.send(2) else drop; c.send(3) else { alert info \"full {c.len()}\" }; alert info \"{c.recv() ?? 0}\"",
     "full 1;1;"},
    {"select", "task after_a_while(c: chan<str>) { sleep 1s; c.send(\"x\"); sleep 5s; c.send(\"y\") }", "",
     "let c = chan<str>(1); spawn after_a_while(c)\n"
     "loop { select { s = c.recv() => { alert info \"{s ?? \"-\"}\"; if s == \"y\" { return } }; after 2s => alert info \"late\" } }",
     "x;late;late;y;"},
    {"select that does not wait", "", "",
     "let c = chan<int>(1); let d = chan<int>(1)\n"
     "select { x = c.recv() => alert info \"no\"; else => alert info \"nothing\" }\n"
     "select { d.send(4) => alert info \"sent\"; else => alert info \"no\" }\n"
     "select { x = c.recv() => alert info \"no\"; x = d.recv() => alert info \"{x ?? 0}\" }",
     "nothing;sent;4;"},
    {"an own handle in a task", "task run(own v: Valve) { v.open(); sleep 1s; v.set(10 %, 1s) }",
     "own v: Valve = gate\nspawn run(move v)", "alert info \"x\"", "gate.open();gate.set(10, 1);safe gate;"},
    {"an own handle that is handed on", "task inner(own v: Valve) { sleep 1s; v.open() }\ntask run(own v: Valve, go: bool) { v.close(); if go { spawn inner(move v) } else { sleep 9s } ; alert info \"end\" }",
     "own v: Valve = gate\nown w: Valve = press.coolant\nspawn run(move v, true)\nspawn run(move w, false)", "",
     "gate.close();end;press.coolant.close();gate.open();safe gate;end;safe press.coolant;"},
    {"handles leave by every exit", "task run(own v: Valve, n: int) { loop { if n == 1 { return }; if n == 2 { break }; if n == 3 { var z = 0; alert info \"{1 / z}\" } ; sleep 1s; drop v; alert info \"dropped\"; sleep 1s; return } }",
     "own a: Valve = gate\nown b: Valve = press.coolant\nown c: Valve = oven.coolant\nspawn run(move a, 1)\nspawn run(move b, 2)\nspawn run(move c, 3)", "",
     "safe gate;safe press.coolant;trap division by zero;safe oven.coolant;"},
    {"handles through channels", "task use(c: chan<own Valve>) { if let v = c.recv() { v.open(); sleep 1s }; select { w = c.recv() => { if let x = w { x.close() } }; after 1min => alert info \"late\" } }\n"
                                 "task hand(c: chan<own Valve>, own a: Valve, own b: Valve) { c.send(move a); sleep 5s; c.send(move b) else drop }",
     "own a: Valve = gate\nown b: Valve = press.coolant\nlet c = chan<own Valve>(1)", "",
     "gate.open();safe gate;press.coolant.close();safe press.coolant;"},
};
