/* Rows of own_test.c. O1, O6, O7, O14: what is borrowed stays where it is, and data is data. */
/* clang-format off */
{"a mut sent to a task", "O6:3",
 "task t(own p: Pump) { p.stop() }\n"
 "program x { fn f(mut p: Pump) {\n"
 "  spawn t(p)\n"
 "}; own a: Pump = pump; every 1h { f(a) } }\n"},
{"a ref dropped", "O6:1",
 "fn f(ref p: Valve, n: int) -> int { drop p; return n }\n"
 "program x { own a: Valve = valve; every 1h { let n = f(a, 2); alert info \"{n}\" } }\n"},
{"a mut moved into a function that owns it", "O6:2",
 "fn finish(own p: Pump) { p.stop() }\n"
 "fn f(mut p: Pump) { p.start(1 bar); finish(move p) }\n"
 "program x { own a: Pump = pump; every 1h { f(a) } }\n"},
{"a mut handed to a function that owns it, without move", "O6:2",
 "fn finish(own p: Pump) { p.stop() }\n"
 "fn f(mut p: Pump, y: bool) { if y { finish(p) } }\n"
 "program x { own a: Pump = pump; every 1h { f(a, false) } }\n"},
{"a mut handed on as mut", "",
 "fn g(mut p: Pump) { p.stop() }\n"
 "fn f(mut p: Pump) { g(p); p.start(1 bar); g(p) }\n"
 "program x { own a: Pump = pump; every 1h { f(a) } }\n"},
{"a mut handed on as ref", "",
 "fn g(ref p: Pump) -> bool { return p.running }\n"
 "fn f(mut p: Pump) { if g(p) { p.stop() } }\n"
 "program x { own a: Pump = pump; every 1h { f(a) } }\n"},
{"a ref handed on as ref", "",
 "fn g(ref p: Pump) -> bool { return p.running }\n"
 "fn f(ref p: Pump) -> bool { return not g(p) }\n"
 "program x { own a: Pump = pump; every 1h { if f(a) { a.stop() } } }\n"},
{"a ref handed on as mut", "O6:2",
 "fn g(mut p: Pump) { p.stop() }\n"
 "fn f(ref p: Pump) { g(p) }\n"
 "program x { own a: Pump = pump; every 1h { f(a) } }\n"},
{"a ref handed on as mut, behind data", "O6:2",
 "fn g(to: %, mut p: Valve) { p.set(to) }\n"
 "fn f(ref p: Valve, y: bool) -> bool { if y { g(5 %, p) }; return y }\n"
 "program x { own a: Valve = valve; every 1h { if f(a, true) { a.open() } } }\n"},
{"a ref handed on as mut in a loop", "O6:2",
 "fn g(mut p: Valve) { p.close() }\n"
 "fn f(ref p: Valve) { for i in 0..3 { g(p) } }\n"
 "program x { own a: Valve = valve; every 1h { f(a) } }\n"},
{"a command through a ref", "O6:1",
 "fn f(ref p: Pump) { p.stop() }\n"
 "program x { own a: Pump = pump; every 1h { f(a) } }\n"},
{"a command through a ref, on one branch", "O6:2",
 "fn f(ref p: Pump, y: bool) {\n"
 "  if y { alert_free(1) } else { p.start(2 bar) }\n"
 "}\n"
 "fn alert_free(n: int) -> int { return n }\n"
 "program x { own a: Pump = pump; every 1h { f(a, true) } }\n"},
{"a command through a ref, in match", "O6:2",
 "fn f(ref p: Valve, n: int) -> int {\n"
 "  match n { 1 => { p.open() }; _ => { return 0 } }\n"
 "  return 1\n"
 "}\n"
 "program x { own a: Valve = valve; every 1h { let k = f(a, 1); alert info \"{k}\" } }\n"},
{"a reading through a ref", "",
 "fn f(ref p: Valve) -> bool { return p.position > 50 % }\n"
 "program x { own a: Valve = valve; every 1h { if f(a) { a.close() } } }\n"},
{"a reading through a mut", "",
 "fn f(mut p: Valve) { if p.position > 50 % { p.close() } }\n"
 "program x { own a: Valve = valve; every 1h { f(a) } }\n"},
{"a ref called back", "O6:1",
 "fn f(ref p: Valve) { revoke p }\n"
 "program x { own a: Valve = valve; every 1h { f(a) } }\n"},
{"a ref called back on one branch", "O6:1",
 "fn f(ref p: Valve, y: bool) { if y { revoke p } else { return } }\n"
 "program x { own a: Valve = valve; every 1h { f(a, true) } }\n"},
{"a ref called back, then read", "O6:1",
 "fn f(y: int, ref p: Pump) -> bool { revoke p; return p.running }\n"
 "program x { own a: Pump = pump; every 1h { if f(3, a) { a.stop() } } }\n"},
{"a mut called back", "",
 "fn f(mut p: Valve) { revoke p; p.close() }\n"
 "program x { own a: Valve = valve; every 1h { f(a) } }\n"},
{"a task that borrows", "O6:1",
 "task t(mut p: Pump) { p.stop() }\n"
 "program x { own a: Pump = pump; every 1h { a.stop() } }\n"},
{"a task that looks", "O6:1",
 "task t(ref p: Pump, n: int) { if p.running { alert info \"{n}\" } }\n"
 "program x { own a: Pump = pump; every 1h { a.stop() } }\n"},
{"a task that owns one and borrows another", "O6:1",
 "task t(own p: Pump, mut v: Valve) { p.stop(); v.close() }\n"
 "program x { own a: Pump = pump; every 1h { a.stop() } }\n"},
{"a task that owns two", "",
 "task t(own p: Pump, own v: Valve) { p.stop(); v.close() }\n"
 "program x { own a: Pump = pump; own b: Valve = valve; spawn t(move a, move b) }\n"},
{"a mut sent through a channel", "O6:1",
 "fn f(mut p: Pump, c: chan<own Pump>) { c.send(p) else drop }\n"
 "program x { own a: Pump = pump; let c = chan<own Pump>(1); every 1h { f(a, c) } }\n"},
{"a mut moved through a channel", "O6:1",
 "fn f(mut p: Pump, c: chan<own Pump>) { p.stop(); c.send(move p) else { p.stop() } }\n"
 "program x { own a: Pump = pump; let c = chan<own Pump>(1); every 1h { f(a, c) } }\n"},
{"an element of a group moved", "O6:2",
 "task t(own p: Valve) { p.close() }\n"
 "program x { own all: list<Valve> = valves; if true { for v in all { spawn t(move v) } } }\n"},
{"an element of a group sent away", "O6:4",
 "program x {\n"
 "  own all: list<Valve> = valves\n"
 "  let c = chan<own Valve>(3)\n"
 "  loop { for v in all { c.send(move v) else drop } }\n"
 "}\n"},
{"an element of a group dropped", "O6:3",
 "program x { own all: list<Valve> = valves\n"
 "  every 1h {\n"
 "    for v in all { if v.position > 5 % { drop v } } }\n"
 "}\n"},
{"an element of a group handed on as mut", "",
 "fn f(mut p: Valve) { p.close() }\n"
 "program x { own all: list<Valve> = valves; every 1h { for v in all { f(v) } } }\n"},
{"a mut stored", "O6:1",
 "fn f(mut p: Pump) { let q = p; p.stop() }\n"
 "program x { own a: Pump = pump; every 1h { f(a) } }\n"},
{"a ref in a list", "O6:1",
 "fn f(ref p: Pump) { let q = [p] }\n"
 "program x { own a: Pump = pump; every 1h { f(a) } }\n"},
{"a mut returned", "O6:1",
 "fn f(mut p: Pump) -> int { return p }\n"
 "program x { own a: Pump = pump; every 1h { let n = f(a); alert info \"{n}\" } }\n"},
{"a mut in a text", "",
 "fn f(mut p: Pump) -> str { return \"{p.pressure}\" }\n"
 "program x { own a: Pump = pump; every 1h { alert info f(a) } }\n"},
{"a handle stored", "O1:3",
 "program x { own a: Pump = pump\n"
 "  every 1h {\n"
 "    let b = a } }\n"},
{"a handle in a list", "O1:3, O1:3",
 "program x { own a: Pump = pump; own b: Pump = pump2\n"
 "  every 1h {\n"
 "    let c = [a, b] } }\n"},
{"a handle in a map", "O1:3",
 "program x { own a: Pump = pump\n"
 "  every 1h {\n"
 "    let c = [\"one\": a] } }\n"},
{"a handle in a record", "O1:4",
 "record Pair { n: int; p: int }\n"
 "program x { own a: Pump = pump\n"
 "  every 1h {\n"
 "    let c = Pair{1, a} } }\n"},
{"a handle returned", "O1:2",
 "task t(own p: Pump) { let k = f(move p); alert info \"{k}\" }\n"
 "fn f(own p: Pump) -> int { return p }\n"
 "program x { own a: Pump = pump; spawn t(move a) }\n"},
{"a handle as data of a function", "O1:3",
 "fn f(n: int) -> int { return n + 1 }\n"
 "program x { own a: Pump = pump; every 1h {\n"
 "  let n = f(a) } }\n"},
{"a handle assigned", "O1:3",
 "program x { own a: Valve = v1; own b: Valve = v2\n"
 "  every 1h {\n"
 "    a = b } }\n"},
{"a handle assigned in a task", "O1:2",
 "task t(own p: Valve, own q: Valve) {\n"
 "  p = q\n"
 "}\n"
 "program x { own a: Valve = v1; own b: Valve = v2; spawn t(move a, move b) }\n"},
{"an assigned mut", "O1:1",
 "fn f(mut p: Valve, mut q: Valve) { p.close(); q = p }\n"
 "program x { own a: Valve = v1; own b: Valve = v2; every 1h { f(a, b) } }\n"},
{"readings of a handle stored", "",
 "program x { own a: Pump = pump\n"
 "  every 1h {\n"
 "    let b = a.running\n"
 "    if b { a.stop() } } }\n"},
{"the same twice as mut", "O7:2",
 "fn f(mut p: Valve, mut q: Valve) { p.open(); q.close() }\n"
 "program x { own a: Valve = valve; every 1h { f(a, a) } }\n"},
{"the same as mut and ref", "O7:2",
 "fn f(mut p: Valve, ref q: Valve) { if q.position > 5 % { p.close() } }\n"
 "program x { own a: Valve = valve; every 1h { f(a, a) } }\n"},
{"the same as ref and ref", "",
 "fn f(ref p: Valve, ref q: Valve) -> bool { return p.position == q.position }\n"
 "program x { own a: Valve = valve; every 1h { if f(a, a) { a.close() } } }\n"},
{"two as mut", "",
 "fn f(mut p: Valve, mut q: Valve) { p.open(); q.close() }\n"
 "program x { own a: Valve = v1; own b: Valve = v2; every 1h { f(a, b) } }\n"},
{"the same twice as mut in a task", "O7:2",
 "fn f(mut p: Valve, n: int, mut q: Valve) { if n > 1 { p.open() } else { q.close() } }\n"
 "task t(own v: Valve) { f(v, 2, v) }\n"
 "program x { own a: Valve = valve; spawn t(move a) }\n"},
{"the same twice as mut in a function", "O7:2",
 "fn f(mut p: Valve, mut q: Valve, mut r: Valve) { p.open(); q.close(); r.open() }\n"
 "fn g(mut v: Valve, mut w: Valve) { f(v, w, v) }\n"
 "program x { own a: Valve = v1; own b: Valve = v2; every 1h { g(a, b) } }\n"},
{"moved and borrowed in one call", "O4:2",
 "fn f(own p: Valve, mut q: Valve) { p.open(); q.close() }\n"
 "task t(own v: Valve) { f(move v, v) }\n"
 "program x { own a: Valve = valve; spawn t(move a) }\n"},
{"borrowed and moved in one call", "O7:2",
 "fn f(mut p: Valve, own q: Valve) { p.open(); q.close() }\n"
 "task t(own v: Valve) { f(v, move v) }\n"
 "program x { own a: Valve = valve; spawn t(move a) }\n"},
{"two constant elements of a group", "",
 "fn f(mut p: Valve, mut q: Valve) { p.open(); q.close() }\n"
 "program x { own all: list<Valve> = valves; every 1h { f(all[0], all[1]) } }\n"},
{"one constant element of a group twice", "O7:2",
 "fn f(mut p: Valve, mut q: Valve) { p.open(); q.close() }\n"
 "program x { own all: list<Valve> = valves; read m: bool = hall.motion stale 1h; when m { f(all[1], all[1]) } }\n"},
{"two elements of a group, by variables", "O7:3",
 "fn f(mut p: Valve, mut q: Valve) { p.open(); q.close() }\n"
 "program x { own all: list<Valve> = valves; var i = 0; var j = 1; every 1h {\n"
 "  f(all[i], all[j]) } }\n"},
{"two elements of a group, by variables, one after the other", "",
 "fn f(mut p: Valve) { p.open() }\n"
 "program x { own all: list<Valve> = valves; var i = 0; var j = 1; every 1h { f(all[i]); f(all[j]) } }\n"},
{"two elements of a group, looked at", "",
 "fn f(ref p: Valve, ref q: Valve) -> bool { return p.position == q.position }\n"
 "program x { own all: list<Valve> = valves; var i = 0; var j = 1; every 1h { if f(all[i], all[j]) { all[i].close() } } }\n"},
{"one element constant, one by a variable", "O7:2",
 "fn f(mut p: Valve, ref q: Valve) { if q.position > 5 % { p.close() } }\n"
 "program x { own all: list<Valve> = valves; var i = 0; every 1h { f(all[2], all[i]) } }\n"},
{"the name of the for and an element", "O7:3",
 "fn f(mut p: Valve, mut q: Valve) { p.open(); q.close() }\n"
 "program x { own all: list<Valve> = valves; every 1h { for v in all {\n"
 "  f(v, all[0]) } } }\n"},
{"the group commanded while a for walks", "O7:3",
 "program x { own all: list<Valve> = valves; every 1h {\n"
 "  for v in all {\n"
 "    all[0].close() } } }\n"},
{"an element handed on while a for walks", "O7:3",
 "fn f(mut p: Valve) { p.open() }\n"
 "program x { own all: list<Valve> = valves; var i = 0; every 1h { for v in all { if i > 1 { v.close() } else {\n"
 "  f(all[i]) } } } }\n"},
{"the group commanded while an inner for walks", "O7:3",
 "program x { own all: list<Valve> = valves; own some_: list<Lamp> = lamps; every 1h {\n"
 "  for v in all { for w in some_ {\n"
 "    w.on(); all[1].open() } } } }\n"},
{"another group commanded while a for walks", "",
 "program x { own all: list<Valve> = valves; own others: list<Lamp> = lamps; every 1h {\n"
 "  for v in all { v.close(); others[0].on() } } }\n"},
{"the group read while a for walks", "",
 "fn f(ref p: Valve) -> bool { return p.position > 5 % }\n"
 "program x { own all: list<Valve> = valves; every 1h { for v in all { if f(all[0]) { v.close() } } } }\n"},
{"the group commanded behind the loop", "",
 "program x { own all: list<Valve> = valves; every 1h { for v in all { v.close() }; all[0].open() } }\n"},
{"a lambda hands it on", "O14:3",
 "fn high(ref p: Pump, n: int) -> bool { return p.running and n > 1 }\n"
 "program x { own a: Pump = pump; every 1h {\n"
 "  let ys = [1, 2].map(k => high(a, k)) } }\n"},
{"a lambda with a borrowed handle", "O14:1",
 "fn f(mut p: Pump, xs: list<int>) -> int { return xs.filter(k => p.running).len() }\n"
 "program x { own a: Pump = pump; every 1h { let n = f(a, [1]); alert info \"{n}\" } }\n"},
{"a lambda with a task's own handle", "O14:2",
 "task t(own p: Pump, xs: list<bar>) {\n"
 "  let over = xs.any(k => k > p.pressure)\n"
 "  if over { p.stop() }\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a, [1 bar]) }\n"},
{"a lambda kept and called later", "O14:3",
 "program x { own a: Valve = valve\n"
 "  every 1h {\n"
 "    let f = fn(n: int) -> bool { return open_(a) }\n"
 "    if f(1) { a.close() } } }\n"
 "fn open_(ref v: Valve) -> bool { return v.position > 5 % }\n"},
{"a lambda in a lambda", "O14:2",
 "task t(own p: Valve, xs: list<int>) {\n"
 "  let ys = xs.map(k => xs.filter(j => j > k and p.position > 1 %).len())\n"
 "  p.close()\n"
 "}\n"
 "program x { own a: Valve = valve; spawn t(move a, [1]) }\n"},
{"a lambda with what was read before", "",
 "task t(own p: Pump, xs: list<bar>) {\n"
 "  let now_ = p.pressure\n"
 "  let over = xs.any(k => k > now_)\n"
 "  if over { p.stop() }\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a, [1 bar]) }\n"},
{"a lambda over data beside a handle", "",
 "program x { own a: Valve = valve; every 1h {\n"
 "  let n = [3, 4].filter(k => k > 3).len()\n"
 "  if n > 1 { a.close() } } }\n"},
{"a parameter that does not say how it takes it", "O1:1",
 "fn f(v: Valve) -> % { return v.position }\n"
 "program x { own a: Valve = valve; every 1h { alert info \"{f(a)}\" } }\n"},
{"a task that does not say how it takes it", "O1:1",
 "task t(p: Pump) { p.stop() }\n"
 "program x { own a: Pump = pump; spawn t(move a) }\n"},
{"the second parameter does not say how it takes it", "O1:1",
 "fn f(n: int, mut w: Valve, v: Valve) { if n > 1 { w.close() } }\n"
 "program x { own a: Valve = v1; own b: Valve = v2; every 1h { f(3, a, b) } }\n"},
{"a variable of a handle's type", "O1:2",
 "program x { own a: Pump = pump; every 1h {\n"
 "  var b: Pump = a\n"
 "  b.stop() } }\n"},
{"a field of a handle's type", "O1:1",
 "record Pair { n: int; p: Pump }\n"
 "program x { own a: Pump = pump; every 1h { a.stop() } }\n"},
{"a list of handles", "O1:2",
 "program x { own a: Pump = pump\n"
 "  var all: list<Pump> = [1]\n"
 "  every 1h { a.stop() } }\n"},
{"a map of handles as a parameter", "O1:1",
 "fn f(by: map<str, Valve>) -> int { return by.len() }\n"
 "program x { own a: Valve = valve; every 1h { a.close() } }\n"},
{"a channel of handles that are not owned", "O1:2",
 "program x { own a: Pump = pump\n"
 "  let c = chan<Pump>(2)\n"
 "  every 1h { a.stop() } }\n"},
{"a parameter that is looked at, in a list of data", "",
 "fn f(ns: list<int>, ref v: Valve) -> bool { return ns.len() > 2 and v.position > 5 % }\n"
 "program x { own a: Valve = valve; every 1h { if f([1, 2, 3], a) { a.close() } } }\n"},
{"received and handed on in one breath", "O1:2",
 "fn finish(own p: Pump) { p.stop() }\n"
 "task t(c: chan<own Pump>) { loop { finish(c.recv()) } }\n"
 "program x { let c = chan<own Pump>(1); spawn t(c) }\n"},
{"received and borrowed in one breath", "O1:2",
 "fn rest(mut p: Pump, n: int) { if n > 1 { p.stop() } }\n"
 "task t(c: chan<own Pump>) { loop { sleep 1s; rest(c.recv(), 2) } }\n"
 "program x { let c = chan<own Pump>(1); spawn t(c) }\n"},
{"received and sent on in one breath", "O1:1",
 "task t(c: chan<own Pump>, d: chan<own Pump>) { while true { d.send(c.recv()) } }\n"
 "program x { let c = chan<own Pump>(1); let d = chan<own Pump>(1); spawn t(c, d) }\n"},
{"received and spawned in one breath", "O1:2",
 "task u(own p: Valve) { p.close() }\n"
 "task t(c: chan<own Valve>) { for i in 0..3 { spawn u(c.recv()) } }\n"
 "program x { let c = chan<own Valve>(1); spawn t(c) }\n"},
{"received and dropped unseen", "",
 "task t(c: chan<own Valve>) { loop { c.recv(); alert info \"one less\" } }\n"
 "program x { let c = chan<own Valve>(1); spawn t(c) }\n"},
{"received by select, then spawned", "",
 "task u(own p: Valve, n: int) { if n > 1 { p.close() } }\n"
 "task t(c: chan<own Valve>) { var n = 0; loop { select { v = c.recv() => { n += 1; spawn u(move v, n) } } } }\n"
 "program x { let c = chan<own Valve>(1); spawn t(c) }\n"},
