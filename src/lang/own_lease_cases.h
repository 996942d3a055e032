/* Rows of own_test.c. O2, O10 to O13, O16: leases and what is lent. */
/* clang-format off */
{"two commands with a pause", "O10:4",
 "program x {\n"
 "  own a: Valve = valve\n"
 "  read m: bool = hall.motion stale 1h\n"
 "  when m { a.open(); sleep 5s }\n"
 "}\n"},
{"the pause first", "O10:3",
 "program x {\n"
 "  own a: Valve = valve; read m: bool = hall.motion stale 1h\n"
 "  when m { sleep 5s; if m { a.open() } }\n"
 "}\n"},
{"the pause in a branch, the command in the other", "O10:3",
 "program x { own a: Valve = valve; read m: bool = hall.motion stale 1h\n"
 "  every 1h {\n"
 "    if m { sleep 5s } else { a.close() } } }\n"},
{"a pause in the until", "O10:3",
 "program x { own a: Valve = valve; read m: bool = hall.motion stale 1h\n"
 "  when m { a.open() } until not m {\n"
 "    a.close(); sleep 1s } }\n"},
{"a pause in a rule without handles", "",
 "program x { own a: Valve = valve; read m: bool = hall.motion stale 1h\n"
 "  when m { sleep 5s; alert info \"still there\" }\n"
 "  every 1h { a.close() } }\n"},
{"a command in the rule, the pause in its until", "",
 "program x { own a: Valve = valve; read m: bool = hall.motion stale 1h\n"
 "  when m { a.open() } until not m { sleep 5s; alert info \"gone\" } }\n"},
{"a rule that waits for a channel", "O10:3",
 "program x { own a: Valve = valve; let c = chan<int>(4)\n"
 "  every 1h {\n"
 "    let n = c.recv()\n"
 "    if n > 3 { a.open() } } }\n"},
{"a rule that sends and may wait", "O10:2",
 "program x { own a: Valve = valve; let c = chan<int>(4)\n"
 "  every 1h { a.open(); c.send(1) } }\n"},
{"a rule that sends and does not wait", "",
 "program x { own a: Valve = valve; let c = chan<int>(4)\n"
 "  every 1h { a.open(); c.send(1) else drop } }\n"},
{"a rule that selects with a way out", "",
 "program x { own a: Valve = valve; let c = chan<int>(4)\n"
 "  every 1h { select { n = c.recv() => { if n > 1 { a.open() } }; else => { a.close() } } } }\n"},
{"a rule that selects and waits", "O10:2",
 "program x { own a: Valve = valve; let c = chan<int>(4)\n"
 "  every 1h { select { n = c.recv() => { if n > 1 { a.open() } }; after 1s => { a.close() } } } }\n"},
{"a rule that calls back and waits", "O10:2",
 "program x { own a: Valve = valve\n"
 "  every 1h { revoke a; sleep 1s } }\n"},
{"a rule that lends it to a function and waits", "O10:3",
 "fn f(mut p: Valve) { p.close() }\n"
 "program x { own a: Valve = valve\n"
 "  every 1h { f(a); sleep 1s; alert info \"closed\" } }\n"},
{"a rule that shows it to a function and waits", "",
 "fn f(ref p: Valve) -> bool { return p.position > 4 % }\n"
 "program x { own a: Valve = valve\n"
 "  every 1h { let y = f(a); sleep 1s; if y { alert info \"was open\" } } }\n"},
{"a message that is worked on with a pause", "O10:2",
 "program x { own a: Valve = valve\n"
 "  on \"tap\" as n: int { if n > 0 { a.open() }; sleep 3s; a.close() } }\n"
 "program y { every 1h { publish \"tap\" 3 } }\n"},
{"a start that waits with the handle", "O10:2",
 "program x { own a: Valve = valve\n"
 "  if true { a.open(); sleep 5s; a.close() } }\n"},
{"a start that waits between statements", "",
 "program x { own a: Valve = valve\n"
 "  a.open()\n"
 "  sleep 5s\n"
 "  a.close() }\n"},
{"a task may wait with what it owns", "",
 "task t(own v: Valve) { loop { v.open(); sleep 5s; v.close(); sleep 5s } }\n"
 "program x { own a: Valve = valve; spawn t(move a) }\n"},
{"an element of a group and a pause", "O10:2",
 "program x { own all: list<Valve> = valves\n"
 "  every 1h { for v in all { v.open(); sleep 1s } } }\n"},
{"an idle that waits", "O10:3",
 "program x { own a: Valve = valve\n"
 "  lend a to y\n"
 "  idle a { sleep 5s; a.close() else skip } }\n"
 "program y { }\n"},
{"a function that waits", "O10:1",
 "fn f(n: int) { sleep 5s }\n"
 "program x { every 1h { f(1) } }\n"},
{"a function that waits for a channel", "O10:1",
 "fn f(c: chan<int>) -> int { return c.recv() }\n"
 "program x { let c = chan<int>(1); every 1h { let n = f(c); alert info \"{n}\" } }\n"},
{"a function that selects", "O10:2",
 "fn f(c: chan<int>, mut p: Valve) {\n"
 "  select { n = c.recv() => { if n > 1 { p.open() } }; after 5s => { p.close() } }\n"
 "}\n"
 "program x { let c = chan<int>(1); own a: Valve = valve; every 1h { f(c, a) } }\n"},
{"a function that sends and does not wait", "",
 "fn f(c: chan<int>, mut p: Valve) { c.send(3) else { p.close() } }\n"
 "program x { let c = chan<int>(1); own a: Valve = valve; every 1h { f(c, a) } }\n"},
{"a lease without revoked", "O11:3",
 "program x { every 1h {\n"
 "    alert info \"now\"\n"
 "    lease w = k.well for 5min { w.stop() }\n"
 "} }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"a lease without revoked, with a wait", "O11:2",
 "task t() {\n"
 "  lease w = k.well for 5min wait 1min { w.start(1 bar); sleep 1min }\n"
 "}\n"
 "program x { spawn t() }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"a lease without revoked in one with it", "O11:3",
 "program x { every 1h {\n"
 "    lease a = k.well for 5min {\n"
 "      lease b = k.tap for 1min { b.close(); a.stop() } } revoked { alert info \"w\" } } }\n"
 "program k { own well: Pump = pump; own tap: Valve = valve; lend well to x; lend tap to x }\n"},
{"a lease", "",
 "program x { every 1h {\n"
 "    lease w = k.well for 5min { w.start(1 bar); sleep 4min; w.stop() } revoked { alert info \"gone\" } } }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"a lease with all of it", "",
 "program x { at 05:00 on mon, wed {\n"
 "    lease w = k.well for 5min wait 10min { w.stop() } revoked why { alert info \"{why}\" } denied { alert warning \"busy\" } } }\n"
 "program k { own well: Pump = pump; lend well to x priority 3 max 1h; idle well { well.stop() else skip } }\n"},
{"a leased handle sent to a task", "O11:3",
 "task t(own p: Pump) { p.stop() }\n"
 "program x { every 1h {\n"
 "    lease w = k.well for 5min { spawn t(move w) } revoked { } } }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"a leased handle sent to a task, without move", "O11:3",
 "task t(own p: Pump, n: int) { if n > 0 { p.stop() } }\n"
 "program x { at 10:00 {\n"
 "    lease w = k.well for 5min { sleep 3s; spawn t(w, 3) } revoked { alert info \"r\" } } }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"a leased handle dropped", "O11:2",
 "program x { every 1h {\n"
 "    lease w = k.well for 5min { w.stop(); drop w; sleep 1min } revoked { } } }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"a leased handle sent through a channel", "O11:3",
 "program x { let c = chan<own Pump>(1)\n"
 "  every 1h {\n"
 "    lease w = k.well for 5min { c.send(move w) } revoked { } } }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"a leased handle moved into a function", "O11:3",
 "fn finish(own p: Pump) { p.stop() }\n"
 "program x { every 1h {\n"
 "    lease w = k.well for 5min { for i in 0..2 { finish(move w) } } revoked { } } }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"a leased handle borrowed by functions", "",
 "fn rest(mut p: Pump) { p.stop() }\n"
 "fn high(ref p: Pump) -> bool { return p.pressure > 1 bar }\n"
 "program x { every 1h {\n"
 "    lease w = k.well for 5min { if high(w) { rest(w) } } revoked { } } }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"a leased handle stored", "O11:2",
 "program x { every 1h {\n"
 "    lease w = k.well for 5min { let q = w } revoked { } } }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"a leased handle in a list", "O11:3",
 "program x { every 1h {\n"
 "    lease w = k.well for 5min {\n"
 "      w.stop(); let q = [w]; sleep 1s } revoked { } } }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"a leased handle published", "O11:2",
 "program x { every 1h {\n"
 "    lease w = k.well for 5min { sleep 2s; publish \"w\" w } revoked { } } }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"a reading of a leased handle stored", "",
 "program x { every 1h {\n"
 "    lease w = k.well for 5min { let q = w.pressure; if q > 1 bar { w.stop() } } revoked { } } }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"a lambda over a leased handle", "O14:2",
 "program x { every 1h {\n"
 "    lease w = k.well for 5min { let q = [1].map(n => w.running) } revoked { } } }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"a leased handle called back", "O11:2",
 "program x { every 1h {\n"
 "    lease w = k.well for 5min { revoke w } revoked { } } }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"a leased handle called back in a loop", "O11:2",
 "task t() {\n"
 "  lease w = k.well for 5min { loop { w.stop(); revoke w; sleep 1s } } revoked { }\n"
 "}\n"
 "program x { spawn t() }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"a leased handle called back in an arm", "O11:2",
 "task t(c: chan<int>) {\n"
 "  lease w = k.well for 5min { select { n = c.recv() => { if n > 1 { revoke w } }; after 1min => { w.stop() } } } revoked { }\n"
 "}\n"
 "program x { let c = chan<int>(2); spawn t(c) }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"leased, but lent to another", "O2:2",
 "program x { every 1h {\n"
 "    lease w = k.well for 5min { w.stop() } revoked { } } }\n"
 "program k { own well: Pump = pump; lend well to y }\n"
 "program y { }\n"},
{"leased, but never lent", "O2:3",
 "task t() {\n"
 "  sleep 1min\n"
 "  lease w = k.well for 5min { w.stop() } revoked { } denied { sleep 1min }\n"
 "}\n"
 "program x { spawn t() }\n"
 "program k { own well: Pump = pump; every 1h { well.stop() } }\n"},
{"leased from itself", "O2:4",
 "program k {\n"
 "  own well: Pump = pump; lend well to x\n"
 "  every 1h {\n"
 "    lease w = k.well for 5min { w.stop() } revoked { } } }\n"
 "program x { }\n"},
{"leased by a task of the site for one that may, and one that may not", "O2:2",
 "task t(n: int) {\n"
 "  lease w = k.well for 5min { sleep 1s; w.stop() } revoked { alert info \"{n}\" }\n"
 "}\n"
 "program x { spawn t(1) }\n"
 "program y { spawn t(2) }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"leased by a task of the site for two that may", "",
 "task t(n: int) {\n"
 "  lease w = k.well for 5min { sleep 1s; w.stop() } revoked { alert info \"{n}\" }\n"
 "}\n"
 "program x { spawn t(1) }\n"
 "program y { spawn t(2) }\n"
 "program k { own well: Pump = pump; lend well to x, y }\n"},
{"leased, but only the operator may", "O2:2",
 "program x { every 2h {\n"
 "    lease w = k.well for 5min wait 1min { w.stop() } revoked { } } }\n"
 "program k { own well: Pump = pump; lend well to operator priority 1 max 5min }\n"},
{"one thing leased twice in one block", "O7:3",
 "program x { every 1h {\n"
 "    lease w = k.well for 5min {\n"
 "      lease v = k.well for 1min { v.stop() } revoked { } } revoked { } } }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"one thing leased in a block in a block", "O7:3",
 "program x { every 1h {\n"
 "    lease w = k.well for 5min { lease t = k.tap for 3min wait 1s {\n"
 "      lease v = k.well for 1min wait 5s { v.stop(); t.close() } revoked { } } revoked { } } revoked { } } }\n"
 "program k { own well: Pump = pump; own tap: Valve = valve; lend well to x; lend tap to x }\n"},
{"one thing leased again in a loop", "O7:2",
 "task t() { lease w = k.well for 5min { loop {\n"
 "    lease v = k.well for 1min { v.stop(); sleep 1s } revoked { } denied { w.stop() } } } revoked { } }\n"
 "program x { spawn t() }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"one thing leased again behind the block", "",
 "program x { every 1h {\n"
 "    lease w = k.well for 5min { w.stop() } revoked { }\n"
 "    lease v = k.well for 1min { v.stop() } revoked { } } }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"opposite orders in two rules of one program", "O13:4",
 "program x {\n"
 "  every 1h { lease a = k.well for 1min { lease b = k.tap for 1min { b.close() } revoked { } } revoked { } }\n"
 "  every 2h {\n"
 "    lease c = k.tap for 1min { lease d = k.well for 1min { d.stop() } revoked { } } revoked { } } }\n"
 "program k { own well: Pump = pump; own tap: Valve = valve; lend well to x; lend tap to x }\n"},
{"the same order twice", "",
 "program x {\n"
 "  every 1h { lease a = k.well for 1min { lease b = k.tap for 1min { b.close() } revoked { } } revoked { } }\n"
 "  every 2h { lease c = k.well for 2min { c.stop(); lease d = k.tap for 1min { d.open() } revoked { } } revoked { } } }\n"
 "program k { own well: Pump = pump; own tap: Valve = valve; lend well to x; lend tap to x }\n"},
{"opposite orders, the second inner one waits", "",
 "program x { every 1h { lease a = k.well for 1min { lease b = k.tap for 1min { b.close() } revoked { } } revoked { } } }\n"
 "program y { every 2h { lease c = k.tap for 1min { lease d = k.well for 1min wait 5s { d.stop() } revoked { } } revoked { } } }\n"
 "program k { own well: Pump = pump; own tap: Valve = valve; lend well to x, y; lend tap to x, y }\n"},
{"opposite orders, the first inner one waits", "",
 "program x { every 1h { lease a = k.well for 1min { lease b = k.tap for 1min wait 9s { a.stop(); b.close() } revoked { } } revoked { } } }\n"
 "program y { at 03:00 { lease c = k.tap for 1min { lease d = k.well for 1min { d.stop(); c.open() } revoked { } } revoked { } } }\n"
 "program k { own well: Pump = pump; own tap: Valve = valve; lend well to x, y; lend tap to x, y }\n"},
{"opposite orders, only the outer ones wait", "O13:3",
 "program x { every 1h { lease a = k.well for 1min wait 1s { lease b = k.tap for 1min { b.close() } revoked { } } revoked { } } }\n"
 "program y { every 2h {\n"
 "   lease c = k.tap for 1min wait 1s { lease d = k.well for 1min { d.stop() } revoked { } } revoked { } } }\n"
 "program k { own well: Pump = pump; own tap: Valve = valve; lend well to x, y; lend tap to x, y }\n"},
{"opposite orders, both inner ones wait", "",
 "task t() { loop { lease a = k.well for 1min { lease b = k.tap for 1min wait 2s { b.close() } revoked { } } revoked { }; sleep 1s } }\n"
 "task u() { loop { lease c = k.tap for 1min { lease d = k.well for 1min wait 2s { d.stop() } revoked { } } revoked { }; sleep 1s } }\n"
 "program x { spawn t(); spawn u() }\n"
 "program k { own well: Pump = pump; own tap: Valve = valve; lend well to x; lend tap to x }\n"},
{"a circle of three", "O13:4",
 "program x { every 1h { lease a = k.p for 1min { lease b = k.q for 1min { b.close() } revoked { } } revoked { } } }\n"
 "program y { every 1h { lease a = k.q for 1min { lease b = k.r for 1min { b.open() } revoked { } } revoked { } } }\n"
 "program z { every 1h {\n"
 "   lease a = k.r for 1min { lease b = k.p for 1min { b.stop() } revoked { } } revoked { } } }\n"
 "program k { own p: Pump = pump; own q: Valve = v1; own r: Valve = v2; lend p to x, z; lend q to x, y; lend r to y, z }\n"},
{"three in a row", "",
 "program x { every 1h { lease a = k.p for 1min { lease b = k.q for 1min { lease c = k.r for 1min { c.open() } revoked { } } revoked { } } revoked { } } }\n"
 "program y { every 1h { lease a = k.p for 1min { lease c = k.r for 1min { c.open() } revoked { } } revoked { } } }\n"
 "program k { own p: Pump = pump; own q: Valve = v1; own r: Valve = v2; lend p to x, y; lend q to x, y; lend r to x, y }\n"},
{"three in a row against the first and the last", "O13:3",
 "program x { every 1h { lease a = k.p for 1min { lease b = k.q for 1min { lease c = k.r for 1min { c.open() } revoked { } } revoked { } } revoked { } } }\n"
 "program y { every 1h {\n"
 "    lease c = k.r for 1min { lease a = k.p for 1min { a.stop(); c.close() } revoked { } } revoked { } } }\n"
 "program k { own p: Pump = pump; own q: Valve = v1; own r: Valve = v2; lend p to x, y; lend q to x, y; lend r to x, y }\n"},
{"opposite orders, one of them in the revoked block", "",
 "program x { every 1h { lease a = k.well for 1min { lease b = k.tap for 1min { b.close() } revoked { } } revoked { } } }\n"
 "program y { every 2h { lease c = k.tap for 1min { c.open() } revoked { lease d = k.well for 1min { d.stop() } revoked { } } } }\n"
 "program k { own well: Pump = pump; own tap: Valve = valve; lend well to x, y; lend tap to x, y }\n"},
{"commanded on one branch while it may be lent", "O12:3",
 "program k { own well: Pump = pump; lend well to x\n"
 "  read m: bool = hall.motion stale 1h\n"
 "  every 1h { if m { well.stop() } else { well.start(1 bar) else skip } } }\n"
 "program x { }\n"},
{"commanded with skip", "",
 "program k { own well: Pump = pump; lend well to x\n"
 "  every 1h { well.stop() else skip } }\n"
 "program x { }\n"},
{"commanded with a block", "",
 "program k { own well: Pump = pump; lend well to x\n"
 "  every 1h { well.stop() else { alert info \"out\" } } }\n"
 "program x { }\n"},
{"commanded behind a revoke", "",
 "program k { own well: Pump = pump; lend well to x\n"
 "  every 1h { revoke well; well.stop(); well.start(1 bar) } }\n"
 "program x { }\n"},
{"commanded before a revoke", "O12:3",
 "program k { own well: Pump = pump; lend well to x\n"
 "  every 1h {\n"
 "    well.stop(); revoke well } }\n"
 "program x { }\n"},
{"called back on one branch only", "O12:4",
 "program k { own well: Pump = pump; lend well to x\n"
 "  read m: bool = hall.motion stale 1h\n"
 "  every 1h { if m { revoke well }\n"
 "    well.stop() } }\n"
 "program x { }\n"},
{"called back on both branches", "",
 "program k { own well: Pump = pump; lend well to x\n"
 "  read m: bool = hall.motion stale 1h\n"
 "  every 1h { if m { revoke well; alert info \"m\" } else { revoke well }\n"
 "    well.stop() } }\n"
 "program x { }\n"},
{"called back in a loop that may not run", "O12:4",
 "program k { own well: Pump = pump; lend well to x\n"
 "  var n = 0\n"
 "  every 1h { while n > 0 { revoke well; n -= 1 }\n"
 "    well.stop() } }\n"
 "program x { }\n"},
{"called back, or left", "",
 "program k { own well: Pump = pump; lend well to x\n"
 "  var n = 0\n"
 "  every 1h { if n > 3 { return } else { revoke well }\n"
 "    well.stop() } }\n"
 "program x { }\n"},
{"called back in every arm", "",
 "program k { own well: Pump = pump; lend well to x\n"
 "  var n = 0\n"
 "  every 1h { match n { 0 => { revoke well }; 1 .. 4 => { revoke well; n = 0 }; _ => { return } }\n"
 "    well.stop() } }\n"
 "program x { }\n"},
{"called back in the block of another rule", "O12:4",
 "program k { own well: Pump = pump; lend well to x\n"
 "  var n = 0\n"
 "  when n > 3 { revoke well; n = 0 }\n"
 "  every 1h { well.stop() } }\n"
 "program x { }\n"},
{"commanded by a function", "O12:4",
 "fn rest(mut p: Pump) { p.stop() }\n"
 "program k { own well: Pump = pump; lend well to x\n"
 "  every 1h {\n"
 "    rest(well) } }\n"
 "program x { }\n"},
{"commanded by a function of a function", "O12:5",
 "fn deep(mut p: Pump) { p.stop() }\n"
 "fn rest(n: int, mut p: Pump) { if n > 2 { deep(p) } }\n"
 "program k { own well: Pump = pump; lend well to x\n"
 "  every 1h {\n"
 "    rest(1, well) } }\n"
 "program x { }\n"},
{"commanded by a function that says what else", "",
 "fn rest(mut p: Pump) { p.stop() else skip }\n"
 "program k { own well: Pump = pump; lend well to x\n"
 "  every 1h { rest(well) } }\n"
 "program x { }\n"},
{"commanded by a function that calls it back", "",
 "fn rest(mut p: Pump) { revoke p; p.stop() }\n"
 "program k { own well: Pump = pump; lend well to x\n"
 "  every 1h { rest(well) } }\n"
 "program x { }\n"},
{"a function calls it back for what follows", "",
 "fn home(mut p: Pump) { revoke p }\n"
 "program k { own well: Pump = pump; lend well to x\n"
 "  every 1h { home(well); well.stop() } }\n"
 "program x { }\n"},
{"a function calls it back on one way", "O12:4",
 "fn home(mut p: Pump, y: bool) { if y { return }; revoke p }\n"
 "program k { own well: Pump = pump; lend well to x\n"
 "  every 1h { home(well, true)\n"
 "    well.stop() } }\n"
 "program x { }\n"},
{"called back, then commanded by a function", "",
 "fn rest(mut p: Pump, n: int) { if n > 1 { p.stop() } }\n"
 "program k { own well: Pump = pump; lend well to x\n"
 "  every 1h { revoke well; rest(well, 3) } }\n"
 "program x { }\n"},
{"looked at by a function while it may be lent", "",
 "fn high(ref p: Pump) -> bool { return p.pressure > 1 bar }\n"
 "program k { own well: Pump = pump; lend well to x\n"
 "  every 1h { if high(well) { alert info \"high\" } } }\n"
 "program x { }\n"},
{"commanded in its idle block", "",
 "program k { own well: Pump = pump; lend well to x\n"
 "  idle well {\n"
 "    well.stop() } }\n"
 "program x { }\n"},
{"commanded in its idle block by a function", "",
 "fn rest(mut p: Pump) { p.stop() }\n"
 "program k { own well: Pump = pump; lend well to x; idle well { rest(well) } }\n"
 "program x { every 1h { lease w = k.well for 1min { w.start(1 bar) } revoked { } } }\n"},
{"commanded twice in its idle block", "",
 "program k { own well: Pump = pump; var n = 0; lend well to x; idle well { if n > 1 { well.stop() } else { well.start(1 bar); n += 1 } } }\n"
 "program x { }\n"},
{"another one commanded in the idle block", "O12:3",
 "program k { own well: Pump = pump; own tap: Valve = valve; lend well to x; lend tap to x\n"
 "  idle well {\n"
 "    tap.close(); well.stop() } }\n"
 "program x { }\n"},
{"commanded when the program starts", "O12:3",
 "program k { own well: Pump = pump\n"
 "  lend well to x\n"
 "  well.start(1 bar) }\n"
 "program x { }\n"},
{"lent to the operator alone", "",
 "program k { own well: Pump = pump; lend well to operator priority 0 max 5min\n"
 "  every 1h { well.stop() } }\n"},
{"not even lent to the operator", "",
 "program k { own well: Pump = pump; lend well to operator never\n"
 "  every 1h { well.stop() } }\n"},
{"lent behind the rule", "O12:3",
 "program k { own well: Pump = pump\n"
 "  every 1h {\n"
 "    well.stop() }\n"
 "  lend well to operator priority 2, x }\n"
 "program x { }\n"},
{"another handle than the lent one", "",
 "program k { own well: Pump = pump; own tap: Valve = valve; lend tap to x\n"
 "  every 1h { well.stop(); tap.close() else skip } }\n"
 "program x { }\n"},
{"a task calls back what it owns", "O12:1",
 "task t(own p: Pump) { revoke p; p.stop() }\n"
 "program k { own well: Pump = pump; spawn t(move well) }\n"},
{"a function calls back what it owns", "O12:1",
 "fn finish(own p: Pump) { revoke p }\n"
 "task t(own q: Pump) { q.stop(); finish(move q) }\n"
 "program k { own well: Pump = pump; spawn t(move well) }\n"},
{"a task calls back what it received", "O12:2",
 "task t(c: chan<own Pump>) { loop {\n"
 "    select { p = c.recv() => { revoke p; p.stop() }; after 1min => { alert info \"none\" } } } }\n"
 "program k { let c = chan<own Pump>(1); spawn t(c) }\n"},
{"lent twice to one", "O16:2",
 "program k { own well: Pump = pump\n"
 "  lend well to x, x }\n"
 "program x { }\n"},
{"lent twice to one, in two statements", "O16:4",
 "program k { own well: Pump = pump\n"
 "  lend well to x priority 1\n"
 "  every 1h { well.stop() else skip }\n"
 "  lend well to x priority 2 }\n"
 "program x { }\n"},
{"lent twice to the operator", "O16:3",
 "program k { own well: Pump = pump\n"
 "  lend well to operator max 1min\n"
 "  lend well to operator never }\n"},
{"two lent to one", "",
 "program k { own well: Pump = pump; own tap: Valve = valve\n"
 "  lend well to x\n"
 "  lend tap to x }\n"
 "program x { }\n"},
{"never lent to a program", "O16:2",
 "program k { own well: Pump = pump\n"
 "  lend well to x never }\n"
 "program x { }\n"},
{"never lent to one of two programs", "O16:2",
 "program k { own well: Pump = pump\n"
 "  lend well to x, y never }\n"
 "program x { }\n"
 "program y { }\n"},
{"never lent to a program, with the operator", "O16:3",
 "program k { own well: Pump = pump\n"
 "  lend well to operator never\n"
 "  lend well to y never }\n"
 "program y { }\n"},
{"never, with a priority", "O16:2",
 "program k { own well: Pump = pump\n"
 "  lend well to operator never priority 1 }\n"},
{"never, with a maximum", "O16:2",
 "program k { own well: Pump = pump\n"
 "  lend well to operator never max 5min }\n"},
{"never, with both, beside another", "O16:2",
 "program k { own well: Pump = pump\n"
 "  lend well to x, operator never priority 3 max 5min }\n"
 "program x { }\n"},
{"lent to itself", "O16:2",
 "program k { own well: Pump = pump\n"
 "  lend well to k }\n"},
{"lent to itself among others", "O16:2",
 "program k { own well: Pump = pump\n"
 "  lend well to x priority 1, k priority 2, y priority 3 }\n"
 "program x { }\n"
 "program y { }\n"},
{"lent to itself and leased by itself", "O16:2, O2:4",
 "program k { own well: Pump = pump\n"
 "  lend well to k max 1h\n"
 "  every 1h {\n"
 "    lease w = k.well for 5min { w.stop() } revoked { } } }\n"},
{"lent to nobody that is known", "N1:2",
 "program k { own well: Pump = pump\n"
 "  lend well to fier }\n"
 "program fire { }\n"},
{"leased from nobody that is known", "N1:2",
 "program x { every 1h {\n"
 "    lease w = kk.well for 5min { w.stop() } revoked { } } }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"leased from what stands for nothing", "N1:3",
 "program x { every 1h {\n"
 "    lease w = k.well for 5min { w.stop() } revoked { } } }\n"
 "program k { own well: Pump = pmp; lend well to x }\n"},
