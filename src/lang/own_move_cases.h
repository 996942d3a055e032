/* Rows of own_test.c. O4, O8, O9: what has moved is not here any more. */
/* clang-format off */
{"moved to a task, used in the next statement", "O4:4",
 "task t(own p: Pump) { p.stop() }\n"
 "program x { own a: Pump = pump\n"
 "  spawn t(move a)\n"
 "  a.stop()\n"
 "}\n"},
{"used, then moved", "",
 "task t(own p: Pump) { p.stop() }\n"
 "program x { own a: Pump = pump\n"
 "  a.start(1 bar)\n"
 "  spawn t(move a)\n"
 "}\n"},
{"moved to a task, read of the device goes on", "",
 "task t(own p: Pump) { p.stop() }\n"
 "program x { own a: Pump = pump\n"
 "  read bar_now: bar = pump.pressure stale 1min\n"
 "  spawn t(move a)\n"
 "  when bar_now > 3 bar { alert info \"high\" }\n"
 "}\n"},
{"moved twice", "O4:4",
 "task t(own p: Pump) { p.stop() }\n"
 "program x { own a: Pump = pump\n"
 "  spawn t(move a)\n"
 "  spawn t(move a)\n"
 "}\n"},
{"two handles, each moved once", "",
 "task t(own p: Valve) { p.close() }\n"
 "program x { own a: Valve = v1; own b: Valve = v2\n"
 "  spawn t(move a)\n"
 "  spawn t(move b)\n"
 "}\n"},
{"a task hands on what it owns", "",
 "task last(own p: Pump) { p.stop() }\n"
 "task first(own p: Pump) { p.start(1 bar); spawn last(move p) }\n"
 "program x { own a: Pump = pump; spawn first(move a) }\n"},
{"a task hands on and uses it", "O4:2",
 "task last(own p: Pump) { p.stop() }\n"
 "task first(own p: Pump) { spawn last(move p); p.start(1 bar) }\n"
 "program x { own a: Pump = pump; spawn first(move a) }\n"},
{"a reading through a handle that has moved", "O4:4",
 "task last(own p: Pump) { p.stop() }\n"
 "task first(own p: Pump) {\n"
 "  spawn last(move p)\n"
 "  if p.running { alert info \"on\" }\n"
 "}\n"
 "program x { own a: Pump = pump; spawn first(move a) }\n"},
{"a reading before the move", "",
 "task last(own p: Pump, was: bool) { if was { p.stop() } }\n"
 "task first(own p: Pump) {\n"
 "  let was = p.running\n"
 "  spawn last(move p, was)\n"
 "}\n"
 "program x { own a: Pump = pump; spawn first(move a) }\n"},
{"moved into a function that owns it, then used", "O4:4",
 "fn finish(own p: Pump) { p.stop() }\n"
 "task t(own p: Pump) {\n"
 "  finish(move p)\n"
 "  p.stop()\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a) }\n"},
{"moved into a function that owns it", "",
 "fn finish(own p: Pump) { p.stop() }\n"
 "task t(own p: Pump) { p.start(2 bar); sleep 5s; finish(move p) }\n"
 "program x { own a: Pump = pump; spawn t(move a) }\n"},
{"lent to a function, then used", "",
 "fn rest(mut p: Pump) { p.stop() }\n"
 "task t(own p: Pump) { rest(p); p.start(1 bar); rest(p) }\n"
 "program x { own a: Pump = pump; spawn t(move a) }\n"},
{"without the word move, to a task", "O4:4",
 "task t(own p: Pump) { p.stop() }\n"
 "program x {\n"
 "  own a: Pump = pump\n"
 "  spawn t(a)\n"
 "}\n"},
{"without the word move, to a function", "O4:2",
 "fn finish(own p: Pump) { p.stop() }\n"
 "task t(own q: Pump) { finish(q) }\n"
 "program x { own a: Pump = pump; spawn t(move a) }\n"},
{"without the word move, through a channel", "O4:4",
 "program x {\n"
 "  own a: Pump = pump\n"
 "  let ways = chan<own Pump>(2)\n"
 "  ways.send(a) else drop\n"
 "}\n"},
{"with the word move, where it is only borrowed", "O4:2",
 "fn rest(mut p: Pump) { p.stop() }\n"
 "task t(own q: Pump) { rest(move q) }\n"
 "program x { own a: Pump = pump; spawn t(move a) }\n"},
{"with the word move, where it is only looked at", "O4:2",
 "fn high(ref p: Pump) -> bool { return p.pressure > 2 bar }\n"
 "task t(own q: Pump) { if high(move q) { q.stop() } }\n"
 "program x { own a: Pump = pump; spawn t(move a) }\n"},
{"moved to a mut of another function, next to data", "O4:3",
 "fn push_up(mut p: Pump, to: bar, twice: bool) { if twice { p.start(to) }; p.start(to) }\n"
 "program x { own a: Pump = pump\n"
 "  every 1h { push_up(move a, 2 bar, true) }\n"
 "}\n"},
{"sent through a channel and used", "O4:3",
 "task t(own p: Pump, c: chan<own Pump>) {\n"
 "  c.send(move p)\n"
 "  p.stop()\n"
 "}\n"
 "program x { own a: Pump = pump; let c = chan<own Pump>(1); spawn t(move a, c) }\n"},
{"sent through a channel and received", "",
 "task give(own p: Pump, c: chan<own Pump>) { c.send(move p) }\n"
 "task take(c: chan<own Pump>) { loop { select { p = c.recv() => { p.stop() } } } }\n"
 "program x { own a: Pump = pump; let c = chan<own Pump>(1)\n"
 "  spawn give(move a, c)\n"
 "  spawn take(c)\n"
 "}\n"},
{"received, moved on, used", "O4:2",
 "task take(c: chan<own Pump>, d: chan<own Pump>) {\n"
 "  loop { select { p = c.recv() => { d.send(move p); p.stop() } } }\n"
 "}\n"
 "program x { let c = chan<own Pump>(1); let d = chan<own Pump>(1); spawn take(c, d) }\n"},
{"received and moved on in a loop", "",
 "task take(c: chan<own Pump>, d: chan<own Pump>) {\n"
 "  loop { select { p = c.recv() => { p.stop(); d.send(move p) } } }\n"
 "}\n"
 "program x { let c = chan<own Pump>(1); let d = chan<own Pump>(1); spawn take(c, d) }\n"},
{"full channel: in its block the handle is still here", "",
 "task t(own p: Pump, c: chan<own Pump>) {\n"
 "  c.send(move p) else { p.stop() }\n"
 "}\n"
 "program x { own a: Pump = pump; let c = chan<own Pump>(1); spawn t(move a, c) }\n"},
{"full channel: behind it the handle may be gone", "O8:3",
 "task t(own p: Pump, c: chan<own Pump>) {\n"
 "  c.send(move p) else { p.stop() }\n"
 "  p.start(1 bar)\n"
 "}\n"
 "program x { own a: Pump = pump; let c = chan<own Pump>(1); spawn t(move a, c) }\n"},
{"full channel: dropped is gone", "O4:3",
 "task t(own p: Pump, c: chan<own Pump>) {\n"
 "  c.send(move p) else drop\n"
 "  p.start(1 bar)\n"
 "}\n"
 "program x { own a: Pump = pump; let c = chan<own Pump>(1); spawn t(move a, c) }\n"},
{"dropped, then used", "O4:4",
 "task t(own p: Pump) {\n"
 "  p.start(1 bar)\n"
 "  drop p\n"
 "  p.stop()\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a) }\n"},
{"dropped last", "",
 "task t(own p: Pump) { p.start(1 bar); sleep 10s; drop p; sleep 1h; alert info \"done\" }\n"
 "program x { own a: Pump = pump; spawn t(move a) }\n"},
{"dropped twice", "O4:1",
 "task t(own p: Pump) { drop p; drop p }\n"
 "program x { own a: Pump = pump; spawn t(move a) }\n"},
{"dropped at the start, used in a rule", "O4:4",
 "program x {\n"
 "  own a: Pump = pump\n"
 "  drop a\n"
 "  every 1h { a.stop() }\n"
 "}\n"},
{"moved at the start, used in an until", "O4:5",
 "task t(own p: Pump) { p.stop() }\n"
 "program x { own a: Pump = pump\n"
 "  read m: bool = hall.motion stale 1h\n"
 "  spawn t(move a)\n"
 "  when m { alert info \"m\" } until not m { a.stop() }\n"
 "}\n"},
{"moved at the start, handed to a function in a rule before", "O4:4",
 "task t(own p: Pump) { p.stop() }\n"
 "fn rest(mut p: Pump) { p.stop() }\n"
 "program x { own a: Pump = pump\n"
 "  at 12:00 { rest(a) }\n"
 "  spawn t(move a)\n"
 "}\n"},
{"moved at the start, its neighbour used in a rule", "",
 "task t(own p: Valve) { p.close() }\n"
 "program x { own a: Valve = v1; own b: Valve = v2\n"
 "  spawn t(move a)\n"
 "  at 12:00 { b.close() }\n"
 "}\n"},
{"lent and moved", "O4:4",
 "task t(own p: Pump) { p.stop() }\n"
 "program x {\n"
 "  own a: Pump = pump\n"
 "  spawn t(move a)\n"
 "  lend a to y\n"
 "}\n"
 "program y { }\n"},
{"lent and dropped at the start", "O4:3",
 "program x {\n"
 "  own a: Pump = pump; lend a to y max 5min\n"
 "  drop a\n"
 "}\n"
 "program y { }\n"},
{"lent and moved into a function", "O4:3",
 "fn finish(own p: Pump) { p.stop() }\n"
 "program x { own a: Pump = pump; lend a to y, z priority 3\n"
 "  finish(move a)\n"
 "}\n"
 "program y { }\n"
 "program z { }\n"},
{"one lent, another moved", "",
 "task t(own p: Valve) { p.close() }\n"
 "program x { own a: Valve = v1; own b: Valve = v2; lend a to y; spawn t(move b) }\n"
 "program y { }\n"},
{"sent as data", "O4:4",
 "program x {\n"
 "  own a: Pump = pump\n"
 "  let c = chan<int>(1)\n"
 "  c.send(a) else drop\n"
 "}\n"},
{"a field of a handle sent as data", "",
 "program x {\n"
 "  own a: Pump = pump\n"
 "  let c = chan<bool>(1)\n"
 "  every 1min { c.send(a.running) else drop }\n"
 "}\n"},
{"a handle published", "O4:3",
 "program x {\n"
 "  own a: Valve = valve\n"
 "  every 1min { publish \"tap\" a }\n"
 "}\n"},
{"a leased handle's neighbour in a list sent as data", "O4:3",
 "task t(own p: Pump, c: chan<str>) {\n"
 "  loop { sleep 1s\n"
 "    c.send(p) else drop }\n"
 "}\n"
 "program x { own a: Pump = pump; let c = chan<str>(1); spawn t(move a, c) }\n"},
{"moved on both branches, then used", "O4:4",
 "task last(own p: Pump) { p.stop() }\n"
 "task t(own p: Pump, y: bool) {\n"
 "  if y { spawn last(move p) } else { drop p }\n"
 "  p.stop()\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a, true) }\n"},
{"moved on both branches", "",
 "task last(own p: Pump) { p.stop() }\n"
 "task t(own p: Pump, y: bool) {\n"
 "  if y { spawn last(move p) } else { p.start(1 bar); drop p }\n"
 "  alert info \"gone\"\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a, true) }\n"},
{"moved on the branch that returns", "",
 "task last(own p: Pump) { p.stop() }\n"
 "task t(own p: Pump, y: bool) {\n"
 "  if y { spawn last(move p); return }\n"
 "  p.stop()\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a, true) }\n"},
{"moved on else, then used", "O8:4",
 "task last(own p: Pump) { p.stop() }\n"
 "task t(own p: Pump, y: bool) {\n"
 "  if y { p.start(1 bar) } else { spawn last(move p) }\n"
 "  p.stop()\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a, true) }\n"},
{"moved in a nested branch, then used", "O8:4",
 "task last(own p: Pump) { p.stop() }\n"
 "task t(own p: Pump, n: int) {\n"
 "  if n > 1 { if n > 2 { if n > 3 { drop p } } }\n"
 "  p.stop()\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a, 2) }\n"},
{"moved in else if, returns in else", "",
 "task last(own p: Pump) { p.stop() }\n"
 "task t(own p: Pump, n: int) {\n"
 "  if n > 3 { p.start(3 bar) } else if n > 2 { p.start(2 bar) } else { spawn last(move p); return }\n"
 "  p.stop()\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a, 2) }\n"},
{"moved in one arm of match, then used", "O8:4",
 "task last(own p: Pump) { p.stop() }\n"
 "task t(own p: Pump, n: int) {\n"
 "  match n { 1 => { p.start(1 bar) }; 2 => { spawn last(move p) }; _ => { p.stop() } }\n"
 "  p.stop()\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a, 2) }\n"},
{"moved in every arm of match", "O4:4",
 "task last(own p: Pump) { p.stop() }\n"
 "task t(own p: Pump, n: int) {\n"
 "  match n { 1 => { drop p }; _ => { spawn last(move p) } }\n"
 "  p.stop()\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a, 2) }\n"},
{"moved in an arm of match that returns", "",
 "task last(own p: Pump) { p.stop() }\n"
 "task t(own p: Pump, n: int) {\n"
 "  match n { 1 => { spawn last(move p); return }; _ => { p.stop() } }\n"
 "  p.start(1 bar)\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a, 2) }\n"},
{"moved on none, used on some", "",
 "task last(own p: Pump) { p.stop() }\n"
 "task t(own p: Pump, n: int?) {\n"
 "  match n { none => { p.stop() }; some k => { if k > 0 { p.start(1 bar) } } }\n"
 "  spawn last(move p)\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a, 2) }\n"},
{"moved in if let, then used", "O8:3",
 "task t(own p: Pump, n: int?) {\n"
 "  if let k = n { if k > 0 { p.start(1 bar) }; drop p }\n"
 "  p.stop()\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a, 2) }\n"},
{"moved in one arm of select, then used", "O8:3",
 "task t(own p: Pump, c: chan<int>) {\n"
 "  select { n = c.recv() => { if n > 0 { drop p } }; after 5s => { p.start(1 bar) } }\n"
 "  p.stop()\n"
 "}\n"
 "program x { own a: Pump = pump; let c = chan<int>(1); spawn t(move a, c) }\n"},
{"moved in the arm of select that returns", "",
 "task t(own p: Pump, c: chan<int>) {\n"
 "  loop {\n"
 "    select { n = c.recv() => { if n > 0 { drop p; return } }; after 5s => { p.stop() } }\n"
 "    p.start(1 bar)\n"
 "  }\n"
 "}\n"
 "program x { own a: Pump = pump; let c = chan<int>(1); spawn t(move a, c) }\n"},
{"moved behind an or", "O8:4",
 "fn ended(own p: Pump) -> bool { p.stop(); return true }\n"
 "task t(own p: Pump, y: bool) {\n"
 "  let z = y or ended(move p)\n"
 "  if z { p.stop() }\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a, true) }\n"},
{"moved at the start on one branch, used in a later statement", "O8:5",
 "program x {\n"
 "  own a: Pump = pump\n"
 "  let cold = true\n"
 "  if cold { drop a }\n"
 "  a.stop()\n"
 "}\n"},
{"moved at the start on one branch, used in a rule", "O4:4",
 "program x { own a: Pump = pump\n"
 "  let cold = true\n"
 "  if cold { drop a }\n"
 "  every 1h { a.stop() }\n"
 "}\n"},
{"moved in a while", "O9:2",
 "task t(own p: Pump, n: int) {\n"
 "  while n > 0 { drop p }\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a, 3) }\n"},
{"moved in a while that breaks", "",
 "task t(own p: Pump, n: int) {\n"
 "  while n > 0 { p.stop(); drop p; break }\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a, 3) }\n"},
{"moved in a while that breaks, used behind it", "O8:3",
 "task t(own p: Pump, n: int) {\n"
 "  while n > 0 { p.stop(); drop p; break }\n"
 "  p.start(1 bar)\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a, 3) }\n"},
{"moved in a loop that breaks, used behind it", "O4:3",
 "task t(own p: Pump) {\n"
 "  loop { sleep 1s; drop p; break }\n"
 "  p.start(1 bar)\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a) }\n"},
{"moved in a loop that returns", "",
 "task t(own p: Pump, c: chan<bool>) {\n"
 "  loop { p.start(1 bar); if c.recv() { drop p; return } }\n"
 "}\n"
 "program x { own a: Pump = pump; let c = chan<bool>(1); spawn t(move a, c) }\n"},
{"moved in a loop that continues", "O9:2",
 "task t(own p: Pump, c: chan<bool>) {\n"
 "  loop { if c.recv() { drop p; continue }; sleep 1s }\n"
 "}\n"
 "program x { own a: Pump = pump; let c = chan<bool>(1); spawn t(move a, c) }\n"},
{"moved in a for over numbers", "O9:3",
 "task last(own p: Pump) { p.stop() }\n"
 "task t(own p: Pump) {\n"
 "  for i in 0..3 { if i == 2 { spawn last(move p) } }\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a) }\n"},
{"moved in a for over numbers that returns", "",
 "task last(own p: Pump) { p.stop() }\n"
 "task t(own p: Pump) {\n"
 "  for i in 0..3 { if i == 2 { spawn last(move p); return } }\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a) }\n"},
{"moved in an inner loop that breaks into an outer one", "O9:2",
 "task t(own p: Pump) {\n"
 "  loop { loop { drop p; break }; sleep 1s }\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a) }\n"},
{"moved in an inner loop, the outer one returns", "",
 "task t(own p: Pump) {\n"
 "  loop { sleep 1s; loop { drop p; break }; return }\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a) }\n"},
{"moved in a for over a list", "O9:2",
 "task t(own p: Pump, xs: list<int>) {\n"
 "  for k in xs { if k > 3 { drop p } else { sleep 1s } }\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a, [1, 2]) }\n"},
{"moved in a rule", "O9:4",
 "task t(own p: Pump) { p.stop() }\n"
 "program x {\n"
 "  own a: Pump = pump\n"
 "  every 1h { spawn t(move a) }\n"
 "}\n"},
{"dropped in a rule", "O9:4",
 "program x {\n"
 "  own a: Pump = pump\n"
 "  read m: bool = hall.motion stale 1h\n"
 "  when m { drop a }\n"
 "}\n"},
{"moved in the until of a rule", "O9:5",
 "fn finish(own p: Pump) { p.stop() }\n"
 "program x {\n"
 "  own a: Pump = pump\n"
 "  read m: bool = hall.motion stale 1h\n"
 "  when m { a.stop() } until not m { finish(move a) }\n"
 "}\n"},
{"sent away by a rule", "O9:4",
 "program x {\n"
 "  own a: Pump = pump\n"
 "  let c = chan<own Pump>(1)\n"
 "  at 06:00 { c.send(move a) else drop }\n"
 "}\n"},
{"one handle for each element's task", "O9:4",
 "task t(own p: Pump) { p.stop() }\n"
 "program x {\n"
 "  own a: Pump = pump\n"
 "  for r in rooms { spawn t(move a) }\n"
 "}\n"},
{"one handle of each element for its task", "",
 "task t(own p: Lamp) { p.off() }\n"
 "program x { for r in rooms { own l: Lamp = r.lamp; spawn t(move l) } }\n"},
{"dropped for each device of a group", "O9:3",
 "task t(own p: Pump) {\n"
 "  p.stop()\n"
 "  for r in rooms { drop p }\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a) }\n"},
{"dropped for the first device of a group", "",
 "task t(own p: Pump) {\n"
 "  for r in rooms { p.stop(); drop p; break }\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a) }\n"},
{"sent away once for each device of a group", "O9:2",
 "task t(own p: Pump, c: chan<own Pump>) {\n"
 "  for r in rooms { c.send(move p) }\n"
 "}\n"
 "program x { own a: Pump = pump; let c = chan<own Pump>(9); spawn t(move a, c) }\n"},
{"moved in a spawn inside a lambda's neighbour", "",
 "task t(own p: Pump, xs: list<int>) {\n"
 "  let ys = xs.map(k => k * 2)\n"
 "  for y in ys { if y > 3 { drop p; return } }\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a, [1, 2]) }\n"},
{"moved in the lease that may be cut short", "O8:5",
 "task t(own p: Valve) {\n"
 "  lease w = keeper.well for 5min {\n"
 "    w.start(1 bar); sleep 5s; drop p\n"
 "  } revoked { }\n"
 "  p.close()\n"
 "}\n"
 "program keeper { own well: Pump = pump; lend well to x }\n"
 "program x { own a: Valve = valve; spawn t(move a) }\n"},
{"moved in the lease, used when it is cut short", "O8:4",
 "task t(own p: Valve) {\n"
 "  lease w = keeper.well for 5min {\n"
 "    w.start(1 bar); drop p; sleep 5s\n"
 "  } revoked { p.close() }\n"
 "}\n"
 "program keeper { own well: Pump = pump; lend well to x }\n"
 "program x { own a: Valve = valve; spawn t(move a) }\n"},
{"denied: nothing has moved", "",
 "task t(own p: Valve) {\n"
 "  lease w = keeper.well for 5min { w.start(1 bar); drop p } revoked { } denied { p.close() }\n"
 "}\n"
 "program keeper { own well: Pump = pump; lend well to x }\n"
 "program x { own a: Valve = valve; spawn t(move a) }\n"},
{"a channel of handles that a task makes", "O5:2",
 "task t(own p: Pump) {\n"
 "  let c = chan<own Pump>(1)\n"
 "  c.send(move p)\n"
 "}\n"
 "program x { own a: Pump = pump; spawn t(move a) }\n"},
{"the same, made by the program", "",
 "task t(own p: Pump, c: chan<own Pump>) {\n"
 "  let d = c\n"
 "  d.send(move p)\n"
 "}\n"
 "program x { own a: Pump = pump; let c = chan<own Pump>(1); spawn t(move a, c) }\n"},
{"a channel of handles made in a rule", "O5:2",
 "program x { own a: Valve = valve; every 1h { a.close()\n"
 "    let c = chan<own Valve>(2); alert info \"{c.len()}\" } }\n"},
{"the same, made beside the rule", "",
 "program x { own a: Valve = valve; let c = chan<own Valve>(2)\n"
 "  every 1h { a.close(); alert info \"{c.len()}\" } }\n"},
{"a channel of handles in a var", "O5:1",
 "program x { var c = chan<own Valve>(2); spawn t(c) }\n"
 "task t(c: chan<own Valve>) { c.close() }\n"},
{"a channel of handles in a let, closed by its task", "",
 "program x { let c = chan<own Valve>(2); spawn t(c) }\n"
 "task t(c: chan<own Valve>) { c.close() }\n"},
{"a channel of handles made by a function", "O5:1",
 "fn fresh() -> chan<own Valve> { return chan<own Valve>(2) }\n"
 "program x { let c = fresh(); every 1h { c.close() } }\n"},
{"a channel of handles goes through a function", "",
 "fn same(c: chan<own Valve>) -> chan<own Valve> { return c }\n"
 "program x { let c = chan<own Valve>(2); let d = same(c); every 1h { d.close() } }\n"},
{"channels of handles made in a list", "O5:1, O5:1",
 "program x { let all = [chan<own Valve>(1), chan<own Valve>(1)]; every 1h { all[0].close() } }\n"},
{"channels of handles put into a list", "",
 "program x { let c = chan<own Valve>(1); let d = chan<own Valve>(1); let all = [c, d]; every 1h { all[0].close() } }\n"},
{"a channel of handles made in a record", "O5:2",
 "record Ways { way: chan<own Valve> }\n"
 "program x { let w = Ways{chan<own Valve>(1)}; every 1h { w.way.close() } }\n"},
{"a channel of handles put into a record", "",
 "record Ways { way: chan<own Valve> }\n"
 "program x { let c = chan<own Valve>(1); let w = Ways{c}; every 1h { w.way.close() } }\n"},
{"a channel of handles made for a call", "O5:2",
 "task t(c: chan<own Valve>) { loop { let v = c.recv(); v.close() } }\n"
 "program x { spawn t(chan<own Valve>(1)) }\n"},
{"a channel of handles of each element", "",
 "task t(c: chan<own Lamp>) { loop { let v = c.recv(); v.off() } }\n"
 "program x { for r in rooms { own l: Lamp = r.lamp; let c = chan<own Lamp>(1); every 1h { l.on(); spawn t(c) } } }\n"},
{"a channel of handles made by a lambda", "O5:1",
 "program x { let f = fn() -> chan<own Valve> { return chan<own Valve>(1) }; every 1h { f().close() } }\n"},
{"a channel of data made by a lambda", "",
 "program x { let f = fn() -> chan<int> { return chan<int>(1) }; every 1h { f().close() } }\n"},
