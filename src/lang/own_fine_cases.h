/* Rows of own_test.c. Near the line, and right: all of these are accepted. */
/* clang-format off */
{"moved in the last statement of each arm", "",
 "task last(own p: Pump) { p.stop() }\n"
 "task t(own p: Pump, n: int) { match n { 0 => { spawn last(move p) }; 1 .. 3 => { p.stop(); spawn last(move p) }; _ => { drop p } } }\n"
 "program x { own a: Pump = pump; spawn t(move a, 1) }\n"},
{"moved in each arm of a select", "",
 "task last(own p: Pump) { p.stop() }\n"
 "task t(own p: Pump, c: chan<int>) { select { n = c.recv() => { if n > 1 { drop p } else { spawn last(move p) } }; after 1min => { spawn last(move p) } } }\n"
 "program x { own a: Pump = pump; let c = chan<int>(1); spawn t(move a, c) }\n"},
{"sent away in an arm, kept in the others", "",
 "task t(own p: Pump, c: chan<own Pump>) { loop { select { c.send(move p) => { return }; after 1min => { p.stop() } } } }\n"
 "program x { own a: Pump = pump; let c = chan<own Pump>(1); spawn t(move a, c) }\n"},
{"a chain of tasks", "",
 "task c_(own p: Valve) { p.close() }\n"
 "task b_(own p: Valve) { p.open(); sleep 1s; spawn c_(move p) }\n"
 "task a_(own p: Valve) { sleep 2s; spawn b_(move p) }\n"
 "program x { own v: Valve = valve; spawn a_(move v) }\n"},
{"two handles change places", "",
 "task t(own p: Pump, own q: Pump) { p.stop(); q.start(1 bar) }\n"
 "program x { own a: Pump = pump; own b: Pump = pump2; spawn t(move b, move a) }\n"},
{"a handle moves in the branch that ends the task, and in the other later", "",
 "task last(own p: Valve, n: int) { if n > 1 { p.close() } }\n"
 "task t(own p: Valve, y: bool) { if not y { drop p; return }; p.open(); sleep 3s; spawn last(move p, 2) }\n"
 "program x { own a: Valve = valve; spawn t(move a, false) }\n"},
{"a while that counts, the move behind it", "",
 "task t(own p: Valve, k: int) { var n = k; while n > 0 { p.open(); sleep 1s; p.close(); n -= 1 }; drop p }\n"
 "program x { own a: Valve = valve; spawn t(move a, 3) }\n"},
{"a loop that waits for permission, the move behind it", "",
 "task last(own p: Valve) { p.close() }\n"
 "task t(own p: Valve, c: chan<bool>) { loop { if c.recv() { break }; p.open() }; spawn last(move p) }\n"
 "program x { own a: Valve = valve; let c = chan<bool>(1); spawn t(move a, c) }\n"},
{"a break in a match in a loop, behind a move", "",
 "task t(own p: Valve, c: chan<int>) { loop { match c.recv() { 0 => { drop p; break }; 1 => { p.open() }; _ => { p.close() } } } }\n"
 "program x { own a: Valve = valve; let c = chan<int>(1); spawn t(move a, c) }\n"},
{"received in a loop, each dropped", "",
 "task t(c: chan<own Valve>) { loop { select { v = c.recv() => { v.close(); drop v }; after 5s => { alert info \"none\" } } } }\n"
 "program x { let c = chan<own Valve>(3); spawn t(c) }\n"},
{"received, moved on one way, used on the other", "",
 "task u(own v: Valve) { v.close() }\n"
 "task t(c: chan<own Valve>, y: bool) { loop { select { v = c.recv() => { if y { spawn u(move v) } else { v.open() } } } } }\n"
 "program x { let c = chan<own Valve>(3); spawn t(c, true) }\n"},
{"two channels of handles", "",
 "task t(c: chan<own Valve>, d: chan<own Pump>) { loop { select { v = c.recv() => { v.close() }; p = d.recv() => { p.stop() } } } }\n"
 "program x { let c = chan<own Valve>(3); let d = chan<own Pump>(1); spawn t(c, d) }\n"},
{"one of two handles moves, the other stays with the rules", "",
 "task t(own p: Pump) { loop { p.stop(); sleep 1h } }\n"
 "program x { own a: Pump = pump; own b: Valve = valve; read q: bar = pump.pressure stale 1min\n"
 "  spawn t(move a)\n"
 "  when q > 3 bar { b.open() } until q < 1 bar { b.close() } }\n"},
{"a start in branches, each with its own handle", "",
 "task t(own p: Plug) { p.off() }\n"
 "program x { own a: Plug = plug; own b: Plug = fan; let winter = true\n"
 "  if winter { spawn t(move a) } else { spawn t(move b) } }\n"},
{"a start that uses and drops", "",
 "program x { own a: Plug = plug\n"
 "  a.on()\n"
 "  a.off()\n"
 "  drop a }\n"},
{"each element's handle dropped at once", "",
 "program x { for r in rooms { own h: Heater = r.heater; h.rest(); drop h } }\n"},
{"each element's handle works in its own rules", "",
 "program x { for r in rooms { own w: Window = r.window; own l: Lamp = r.lamp; read m: bool = r.motion stale 1h\n"
 "  when m { l.on(); w.close() } until not m for 5min { l.off(); w.open() } } }\n"},
{"a for over numbers in a rule", "",
 "program x { own a: Valve = valve; every 1h { for i in 0..4 { if i mod 2 == 0 { a.open() } else { a.close() } } } }\n"},
{"a for over a list in a rule, with a function", "",
 "fn f(mut p: Valve, n: int) { if n > 1 { p.open() } }\n"
 "program x { own a: Valve = valve; every 1h { for k in [1, 2, 3] { f(a, k) } } }\n"},
{"a while in a rule that leaves", "",
 "program x { own a: Valve = valve; var n = 4; every 1h { while n > 0 { n -= 1; if n == 2 { a.close(); return }; a.open() } } }\n"},
{"nested functions with two borrowed handles", "",
 "fn g(mut p: Valve, ref q: Pump) { if q.running { p.open() } else { p.close() } }\n"
 "fn f(ref q: Pump, mut p: Valve) { g(p, q) }\n"
 "program x { own a: Valve = valve; own b: Pump = pump; every 1h { f(b, a); b.stop() } }\n"},
{"a function that only asks", "",
 "fn both(ref p: Pump, ref q: Pump) -> bool { return p.running and q.running }\n"
 "program x { own a: Pump = pump; own b: Pump = pump2; every 1h { if both(a, b) { b.stop() } } }\n"},
{"a function that asks the same twice", "",
 "fn more(ref p: Pump, ref q: Pump, ref r: Pump) -> bool { return p.pressure > q.pressure or r.running }\n"
 "program x { own a: Pump = pump; every 1h { if more(a, a, a) { a.stop() } } }\n"},
{"a function with early returns that calls it back first", "",
 "fn f(mut p: Pump, n: int) -> int { revoke p; if n > 3 { p.stop(); return 1 }; if n > 1 { p.start(1 bar); return 2 }; return 3 }\n"
 "program k { own well: Pump = pump; lend well to x; every 1h { let n = f(well, 2); if n == 3 { well.stop() } } }\n"
 "program x { }\n"},
{"called back in the else of a command", "",
 "program k { own well: Pump = pump; lend well to x; every 1h { well.stop() else { revoke well; well.stop() } } }\n"
 "program x { }\n"},
{"called back before a loop", "",
 "program k { own well: Pump = pump; lend well to x; every 1h { revoke well; for i in 0..3 { well.start(1 bar) } } }\n"
 "program x { }\n"},
{"called back in a loop that goes round for ever", "",
 "program k { own well: Pump = pump; lend well to x; var n = 9; every 1h { loop { revoke well; well.stop(); n -= 1; if n < 0 { break } } } }\n"
 "program x { }\n"},
{"called back where a condition is told both ways", "",
 "program k { own well: Pump = pump; lend well to x; read m: bool = hall.motion stale 1h\n"
 "  when m { revoke well; well.stop() } until not m { revoke well; well.start(1 bar) } }\n"
 "program x { }\n"},
{"two lendable handles, both called back", "",
 "program k { own well: Pump = pump; own tap: Valve = valve; lend well to x; lend tap to x\n"
 "  every 1h { revoke tap; revoke well; tap.close(); well.stop() } }\n"
 "program x { }\n"},
{"two lendable handles, one called back, one skipped", "",
 "program k { own well: Pump = pump; own tap: Valve = valve; lend well to x; lend tap to y\n"
 "  at 03:00 { revoke well; well.stop(); tap.open() else skip } }\n"
 "program x { }\n"
 "program y { }\n"},
{"the idle block says what else", "",
 "program k { own well: Pump = pump; lend well to x priority 4; idle well { well.stop() else { alert info \"out again\" } } }\n"
 "program x { every 1h { lease w = k.well for 1min { w.start(1 bar) } revoked { } } }\n"},
{"leases one after the other in one block", "",
 "program x { every 1h { lease a = k.well for 5min { a.start(1 bar); sleep 1min; a.stop() } revoked { }; lease b = k.tap for 1min { b.close() } revoked { } } }\n"
 "program k { own well: Pump = pump; own tap: Valve = valve; lend well to x; lend tap to x }\n"},
{"nested leases in one order, in a task and in a rule", "",
 "task t() { loop { lease a = k.well for 5min wait 1min { lease b = k.tap for 1min { b.open(); a.stop() } revoked { } } revoked { } denied { sleep 1h } } }\n"
 "program x { spawn t(); at 02:00 { lease c = k.well for 1min { lease d = k.tap for 1min { d.close() } revoked { } denied { c.stop() } } revoked { } } }\n"
 "program k { own well: Pump = pump; own tap: Valve = valve; lend well to x; lend tap to x }\n"},
{"a lease in each branch, opposite but never nested", "",
 "program x { read m: bool = hall.motion stale 1h\n"
 "  every 1h { if m { lease a = k.well for 1min { a.stop() } revoked { } } else { lease b = k.tap for 1min { b.close() } revoked { } } } }\n"
 "program y { read m: bool = hall.motion stale 1h\n"
 "  every 1h { if m { lease b = k.tap for 1min { b.open() } revoked { } }; lease a = k.well for 1min { a.stop() } revoked { } } }\n"
 "program k { own well: Pump = pump; own tap: Valve = valve; lend well to x, y; lend tap to x, y }\n"},
{"a lease inside a loop that leaves its block", "",
 "task t() { for i in 0..3 { lease a = k.well for 1min { if i == 1 { continue }; a.start(1 bar); sleep 1s } revoked { break } denied { return } } }\n"
 "program x { spawn t() }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"a leased handle beside one of its own", "",
 "task t(own v: Valve) { lease a = k.well for 1min { v.open(); a.start(1 bar); sleep 30s; a.stop(); v.close() } revoked { v.close() } denied { v.close() } }\n"
 "program x { own v: Valve = valve; spawn t(move v) }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"a leased and an own handle borrowed together", "",
 "fn fill(mut p: Pump, mut v: Valve) { v.open(); p.start(1 bar) }\n"
 "task t(own v: Valve) { lease a = k.well for 1min { fill(a, v) } revoked { v.close() } }\n"
 "program x { own v: Valve = valve; spawn t(move v) }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"two leased handles borrowed together", "",
 "fn fill(mut p: Pump, mut v: Valve) { v.open(); p.start(1 bar) }\n"
 "program x { every 1h { lease a = k.well for 1min { lease b = k.tap for 1min { fill(a, b); sleep 5s } revoked { a.stop() } } revoked { } } }\n"
 "program k { own well: Pump = pump; own tap: Valve = valve; lend well to x; lend tap to x }\n"},
{"the own handle moves behind the lease", "",
 "task last(own v: Valve) { v.close() }\n"
 "task t(own v: Valve) { lease a = k.well for 1min { a.stop() } revoked { v.open() }; spawn last(move v) }\n"
 "program x { own v: Valve = valve; spawn t(move v) }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"the own handle moves in every end of the lease", "",
 "task t(own v: Valve, c: chan<own Valve>) { lease a = k.well for 1min { a.stop(); sleep 1s } revoked { c.send(move v); return } denied { drop v; return }; v.close() }\n"
 "program x { own v: Valve = valve; let c = chan<own Valve>(1); spawn t(move v, c) }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"how long the lease lasts is computed", "",
 "program x { var minutes = 3; every 1h { let n = minutes + 1; lease a = k.well for n * 1min wait 10s { a.stop() } revoked why { if why == \"x\" { minutes = 1 } } } }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"lent to three with all clauses", "",
 "program k { own well: Pump = pump; lend well to x priority 1 max 1h, y priority 2, z max 5min; lend well to operator priority 3 max 10min; idle well { well.stop() else skip } }\n"
 "program x { }\n"
 "program y { }\n"
 "program z { }\n"},
{"a group commanded element by element", "",
 "program x { own all: list<Valve> = valves; every 1h { for v in all { if v.position > 50 % { v.set(10 %) } else { v.close() } } } }\n"},
{"a group by constant indices", "",
 "program x { own all: list<Valve> = valves; every 1h { all[0].open(); all[1].close(); all[2].set(5 %) } }\n"},
{"a group by a variable index", "",
 "program x { own all: list<Valve> = valves; var i = 0; every 1h { all[i].open(); i = (i + 1) mod 3; all[i].close() } }\n"},
{"a group walked twice", "",
 "program x { own all: list<Valve> = valves; every 1h { for v in all { v.open() }; for w in all { w.close() } } }\n"},
{"two groups walked inside each other", "",
 "fn f(mut v: Valve, ref l: Lamp) { if l.lit { v.open() } }\n"
 "program x { own all: list<Valve> = valves; own ls: list<Lamp> = lamps; every 1h { for v in all { for l in ls { f(v, l) } } } }\n"},
{"one group walked inside itself, only looked at", "",
 "fn f(ref v: Valve, ref w: Valve) -> bool { return v.position == w.position }\n"
 "program x { own all: list<Valve> = valves; var same = 0; every 1h { for v in all { for w in all { if f(v, w) { same += 1 } } } } }\n"},
{"a function over a constant and a variable element, looked at", "",
 "fn f(ref p: Valve, ref q: Valve) -> bool { return p.position > q.position }\n"
 "program x { own all: list<Valve> = valves; var i = 0; every 1h { if f(all[0], all[i]) { all[2].close() } } }\n"},
{"data of all kinds beside a handle", "",
 "record Trip { n: int; who: str }\n"
 "program x { own a: Valve = valve; var trips: list<Trip> = []; var by: map<str, int> = [:]\n"
 "  every 1h { trips.push(Trip{1, \"a\"}); by[\"x\"] = trips.len(); if by.has(\"x\") { a.close() } } }\n"},
{"data sent and received beside a handle", "",
 "record Trip { n: int }\n"
 "task t(own p: Plug, c: chan<Trip>) { loop { select { x_ = c.recv() => { if x_.n > 2 { p.off() } }; after 1h => { p.on() } } } }\n"
 "program x { own a: Plug = plug; let c = chan<Trip>(8); read m: bool = hall.motion stale 1h\n"
 "  spawn t(move a, c)\n"
 "  when m { c.send(Trip{3}) else drop } }\n"},
{"a lambda over data in the branch of a command", "",
 "program x { own a: Valve = valve; var xs = [1, 2]; every 1h { if xs.any(k => k > 1) { a.close() } else { xs = xs.map(k => k + 1) } } }\n"},
{"a lambda with a copy of a name", "",
 "program x { own a: Valve = valve; every 1h { let n = a.name; let ys = [\"a\", \"b\"].filter(k => k == n); if ys.len() > 0 { a.close() } } }\n"},
{"messages between two owners", "",
 "program x { own a: Valve = valve; on \"shut\" as y: bool { if y { a.close() } } }\n"
 "program y { own b: Pump = pump; read q: bar = pump.pressure stale 1min; when q > 5 bar { b.stop(); publish \"shut\" true } }\n"},
{"an owner follows another's device", "",
 "program x { own a: Valve = valve; every 1h { a.open() } }\n"
 "program y { own b: Pump = pump; read p: % = valve.position stale 1min; when p > 50 % { b.start(1 bar) } until p < 40 % { b.stop() } }\n"},
{"an event of the device it owns", "",
 "program x { own a: Pump = pump; on pump.dry { a.stop() } }\n"},
{"an event of a room for each element", "",
 "program x { for r in rooms { own l: Lamp = r.lamp; on r.button { if l.lit { l.off() } else { l.on() } } } }\n"},
{"a schedule on some days, missed runs made up", "",
 "program x { own a: Valve = valve; at 06:00 on weekdays missed run { a.open() }; at 06:10 on weekdays missed run { if a.position > 5 % { a.close() } } }\n"},
{"a queue of runs, each to its end", "",
 "program x { own a: Valve = valve; on \"pulse\" as n: int queued 4 { if n > 0 { a.open() } else { a.close() } } }\n"},
{"a restarting rule without handles that sleeps", "",
 "program x { own a: Valve = valve; var wanted = false; on hall.button restart { sleep 5s; wanted = true }; when wanted { a.open(); wanted = false } }\n"},
{"a task per element, told by a channel each", "",
 "task t(own h: Heater, c: chan<bool>) { loop { if c.recv() { h.heat() } else { h.rest() } } }\n"
 "program x { for r in rooms { own h: Heater = r.heater; read m: bool = r.motion stale 1h; let c = chan<bool>(2)\n"
 "  spawn t(move h, c); when m { c.send(true) else drop } until not m { c.send(false) else drop } } }\n"},
{"a recursive function with a handle and an end", "",
 "fn pulse(mut p: Plug, n: int) -> int { if n < 1 { return 0 }; p.on(); p.off(); return pulse(p, n - 1) + 1 }\n"
 "program x { own a: Plug = plug; every 1h { let k = pulse(a, 3); alert info \"{k}\" } }\n"},
{"a function that takes ownership and hands it to a task", "",
 "task t(own p: Plug) { loop { p.on(); sleep 1h } }\n"
 "program x { own a: Plug = plug; fn start_(own p: Plug, y: bool) { if y { spawn t(move p) } }\n"
 "  start_(move a, true) }\n"},
{"a match on an enum, each value a command", "",
 "enum Mode { off_, eco, full }\n"
 "program x { own a: Valve = valve; var mode = Mode.eco; every 1h { match mode { off_ => { a.close() }; eco => { a.set(30 %) }; full => { a.open() } } } }\n"},
{"called back in each arm of an enum", "",
 "enum Mode { off_, eco }\n"
 "program k { own well: Pump = pump; lend well to x; var mode = Mode.eco; every 1h { match mode { off_ => { revoke well }; eco => { revoke well; mode = Mode.off_ } }; well.stop() } }\n"
 "program x { }\n"},
{"called back for none and for some", "",
 "program k { own well: Pump = pump; lend well to x; var n: int? = none; every 1h { match n { none => { revoke well }; some v => { if v > 2 { return }; revoke well } }; well.stop() } }\n"
 "program x { }\n"},
{"moved for true and for false", "",
 "task t(own p: Pump) { p.stop() }\n"
 "task u(own p: Pump, y: bool) { match y { true => { spawn t(move p) }; false => { drop p } } }\n"
 "program x { own a: Pump = pump; spawn u(move a, true) }\n"},
{"a value chosen by an expression, the handle used in it once", "",
 "fn level(ref v: Valve) -> % { return v.position }\n"
 "program x { own a: Valve = valve; read m: bool = hall.motion stale 1h; every 1h { let to = if m { level(a) } else { 5 % }; a.set(to) } }\n"},
{"a text about a handle", "",
 "program x { own a: Pump = pump; every 1h { alert info \"{a.name} is at {a.pressure}\"; if a.running { a.stop() } } }\n"},
