/* Rows of own_test.c. O2, O3, O5, O15: one owner, who commands by its name. */
/* clang-format off */
{"two programs, two valves", "",
 "program x { own a: Valve = v1; every 1h { a.open() } }\n"
 "program y { own a: Valve = v2; every 2h { a.close() } }\n"},
{"owned twice in one program", "O2:1",
 "program x { own a: Valve = v1; own b: Valve = v1; every 1h { a.open(); b.close() } }\n"},
{"owned in a for and by name", "O2:1",
 "program x { for r in rooms { own l: Lamp = r.lamp; every 1h { l.on() } }\n"
 "  own one: Lamp = hall.lamp; every 2h { one.off() } }\n"},
{"owned in two fors over overlapping groups", "O2:4",
 "program x { for r in rooms {\n"
 "    own l: Lamp = r.lamp; every 1h { l.on() } } }\n"
 "program y { for l in lamps {\n"
 "    own m: Lamp = l; every 2h { m.off() } } }\n"},
{"a group and one of it", "O2:2",
 "program x { own all: list<Valve> = valves; every 1h { for v in all { v.close() } } }\n"
 "program y { own one: Valve = v2; every 2h { one.open() } }\n"},
{"two groups with one in common", "O2:2",
 "program x { own all: list<Valve> = valves; every 1h { all[0].close() } }\n"
 "program y { own few: list<Valve> = few_valves; at 10:00 { for v in few { v.open() } } }\n"},
{"two groups apart", "",
 "program x { own all: list<Valve> = valves; every 1h { all[0].close() } }\n"
 "program y { own l: list<Lamp> = lamps; at 10:00 { for v in l { v.off() } } }\n"},
{"one id under two names", "O2:2",
 "program x { own a: Valve = gate; every 1h { a.open() } }\n"
 "program y { own a: Valve = gate2; when a.position > 5 % { a.close() } }\n"},
{"one id under two names in a group", "O2:2",
 "program x { for g in gates {\n"
 "    own v: Valve = g; when g.position > 50 % { v.close() } } }\n"},
{"one topic under two names", "O2:1",
 "program x { own a: Plug = relay.a; own b: Plug = relay.b }\n"},
{"one topic under two names, in two programs", "O2:4",
 "program x { read on_: bool = relay.b.live stale 1min\n"
 "  own a: Plug = relay.a; when on_ { a.off() } }\n"
 "program y {\n"
 "  own b: Plug = relay.b; every 1min { b.on() } }\n"},
{"read under the other name", "",
 "program x { own a: Valve = gate; read p: % = gate2.position stale 1min\n"
 "  when p > 50 % { a.close() } }\n"},
{"many read one that is owned", "",
 "program x { own a: Valve = valve; every 1h { a.open() } }\n"
 "program y { read p: % = valve.position stale 1min; when p > 50 % { alert info \"open\" } }\n"
 "program z { read q: % = valve.position stale 5min; when q < 5 % { alert info \"closed\" } }\n"},
{"commanded by its path", "O3:1",
 "program x { every 1h { valve.open() } }\n"},
{"commanded by its path past its owner", "O3:2",
 "program x { own a: Valve = valve; every 1h { a.open() } }\n"
 "program y { every 1h { valve.close() } }\n"},
{"commanded by its path by its owner", "O3:1",
 "program x { own a: Valve = valve; every 1h { valve.open() } }\n"},
{"commanded through a for", "O3:1",
 "program x { for r in rooms { every 1h { r.lamp.on() } } }\n"},
{"commanded through a for over a group", "O3:1",
 "program x { every 1h { for v in valves { v.open() } } }\n"},
{"commanded through a read", "O3:1",
 "program x { read v: Valve = valve stale 1min; every 1h { v.open() } }\n"},
{"commanded through the name of what is around it", "O3:2",
 "program x { own l: Lamp = hall.lamp\n"
 "  read h: Room = hall stale 1h; every 1h { h.lamp.on(); l.off() } }\n"},
{"commanded under the other name", "O3:1",
 "program x { own a: Valve = gate; every 1h { gate2.close(); a.open() } }\n"},
{"commanded in an until by its path", "O3:2",
 "program x { own a: Valve = valve; read p: % = valve.position stale 1min\n"
 "  when p > 5 % { a.close() } until p < 5 % { valve.open() } }\n"},
{"commanded after a lease has ended", "N1:2",
 "program x { every 1h { lease w = k.well for 5min { w.stop() } revoked { }\n"
 "    w.stop() } }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"commanded in the revoked block", "N1:2",
 "program x { every 1h {\n"
 "    lease w = k.well for 5min { w.stop() } revoked { w.start(1 bar) } } }\n"
 "program k { own well: Pump = pump; lend well to x }\n"},
{"a model whose actions lack a safe one", "O5:1",
 "model Horn { property loud: bool; action blow() }\n"
 "device horn: Horn { via mqtt \"horn\" json }\n"
 "program x { own h: Horn = horn; every 1h { h.blow() } }\n"},
{"a model with two actions, none safe", "O5:1",
 "model Horn { property loud: bool; action blow(); action rest() confirms not loud }\n"},
{"a model with an action among events, none safe", "O5:2",
 "model Bell { event rung; property n: int }\n"
 "model Horn { event dented; action blow(to: dB) }\n"},
{"a model whose safe action needs arguments", "O5:1",
 "model Horn { property loud: bool; action blow(to: dB); safe blow() }\n"},
{"a model whose safe action needs two arguments", "O5:2",
 "model Horn { action rest()\n"
 "  action blow(to: dB, how: int); safe blow() }\n"},
{"a model whose safe action needs arguments, and it is owned", "O5:1",
 "model Horn { action set(on_: bool); safe set() }\n"
 "device horn: Horn { via mqtt \"horn\" json }\n"
 "program x { own h: Horn = horn; every 1h { h.set(true) } }\n"},
{"a model whose safe action is none of its own", "O5:1",
 "model Horn { action blow(); safe rest() }\n"},
{"a model whose safe action is a property", "O5:1",
 "model Horn { property loud: bool; action blow() confirms loud; safe loud() }\n"},
{"a model whose safe action is an event", "O5:1",
 "model Horn { event dented; action blow(); action rest(); safe dented() }\n"},
{"a model with a safe action", "",
 "model Horn { property loud: bool; action blow() confirms loud; action rest() confirms not loud; safe rest() }\n"
 "device horn: Horn { via mqtt \"horn\" json }\n"
 "program x { own h: Horn = horn; every 1h { h.blow() } }\n"},
{"a model without actions needs no safe one", "",
 "model Dial { property n: int; event turned }\n"
 "device dial: Dial { via mqtt \"dial\" json }\n"
 "program x { own d: Dial = dial; on dial.turned { alert info \"turned\" } }\n"},
{"a function that commands what it can't see", "O15:3",
 "program x { own a: Valve = valve\n"
 "  fn f() {\n"
 "    a.open() }\n"
 "  every 1h { f() } }\n"},
{"a task that commands what it can't see", "O15:3",
 "program x { own a: Valve = valve\n"
 "  task t(n: int) { if n > 3 {\n"
 "    a.open() } }\n"
 "  spawn t(4) }\n"},
{"a function that hands on what it can't see", "O15:3",
 "fn g(mut p: Valve) { p.close() }\n"
 "program x { own a: Valve = valve\n"
 "  fn f(n: int) -> int { g(a); return n }\n"
 "  every 1h { let k = f(1); alert info \"{k}\" } }\n"},
{"a function that commands what it can see", "",
 "program x { own a: Valve = valve\n"
 "  fn f(mut p: Valve) { p.open() }\n"
 "  every 1h { f(a) } }\n"},
{"a function that commands two that it can see", "",
 "program x { own a: Valve = v1; own b: Pump = pump\n"
 "  fn f(mut p: Valve, mut q: Pump, y: bool) { if y { p.open(); q.start(1 bar) } else { q.stop(); p.close() } }\n"
 "  every 1h { f(a, b, true); f(a, b, false) } }\n"},
{"a function of the site works for two programs", "",
 "fn f(mut p: Valve, limit: %) { if p.position > limit { p.close() } }\n"
 "program x { own a: Valve = v1; every 1h { f(a, 5 %) } }\n"
 "program y { own b: Valve = v2; every 1h { f(b, 9 %) } }\n"},
{"a function that calls itself", "",
 "fn f(mut p: Valve, n: int) { if n > 0 { p.open(); f(p, n - 1) } }\n"
 "program x { own a: Valve = valve; every 1h { f(a, 3) } }\n"},
{"two functions that call each other", "",
 "fn f(mut p: Pump, n: int) { if n > 0 { g(n - 1, p) } }\n"
 "fn g(n: int, mut p: Pump) { p.stop(); f(p, n) }\n"
 "program x { own a: Pump = pump; every 1h { f(a, 3) } }\n"},
{"a task for each of two programs", "",
 "task t(own p: Pump) { loop { p.start(1 bar); sleep 1min; p.stop(); sleep 9min } }\n"
 "program x { own a: Pump = pump; spawn t(move a) }\n"
 "program y { own a: Pump = pump2; spawn t(move a) }\n"},
{"a task that stops when told", "",
 "task t(own p: Pump, c: chan<bool>) {\n"
 "  loop { select { stop_ = c.recv() => { if stop_ { return } }; after 1min => { p.stop() } } }\n"
 "}\n"
 "program x { own a: Pump = pump; let c = chan<bool>(1); spawn t(move a, c)\n"
 "  every 1h { c.send(true) else drop } }\n"},
{"a task that waits for an event", "",
 "task t(own p: Pump) { loop { select { hall.button() => { p.stop() }; after 10s => { p.start(1 bar) } } } }\n"
 "program x { own a: Pump = pump; spawn t(move a) }\n"},
{"rules of all kinds with one handle", "",
 "program x { own a: Lamp = hall.lamp; read m: bool = hall.motion stale 1h; var wish = 1\n"
 "  when m for 5s { a.on() } until not m for 5min { a.off() }\n"
 "  when changed wish { if m and wish > 0 { a.on() } }\n"
 "  on hall.button { wish = 0; if m { a.off() } }\n"
 "  on \"all off\" as y: bool { if y and m { a.off() } } }\n"},
{"a rule in a for with a handle of its own and a shared one", "",
 "program x { own main: Valve = valve\n"
 "  for r in rooms { own h: Heater = r.heater; read t: °C = r.temperature stale 5min\n"
 "    when t < 18 °C { h.heat(); main.open() } until t > 20 °C { h.rest() } } }\n"},
{"a handle in a condition is only read", "",
 "program x { own a: Valve = valve; every 1min { if a.position > 50 % { a.close() } else if a.position > 10 % { a.set(5 %) } } }\n"},
