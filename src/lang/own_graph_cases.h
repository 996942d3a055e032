/* Rows of own_test.c. G11 to G18: what rules do to one another. */
/* clang-format off */
{"G11: two heaters of two programs, one room", "G11:5",
 "program x { own h: Heater = hall.heater; read t: °C = hall.temperature stale 5min\n"
 "  when t < 19 °C { h.heat() } until t > 22 °C { h.rest() } }\n"
 "program y { own h: Heater = hall.oven; read t: °C = hall.temperature stale 9min\n"
 "  when t < 25 °C and t > 3 °C {\n"
 "    h.heat() } until t > 30 °C { h.rest() } }\n"},
{"G11: through a function", "G11:1",
 "fn airing(mut w: Window) { w.open() }\n"
 "program x { own h: Heater = hall.heater; read t: °C = hall.temperature stale 5min\n"
 "  when t < 19 °C { h.heat() } until t > 22 °C { h.rest() } }\n"
 "program y { own w: Window = hall.window; read m: bool = hall.motion stale 1h\n"
 "  when not m for 1h { airing(w) } until m { w.close() } }\n"},
{"heater and window of one program", "",
 "program x { own h: Heater = hall.heater; own w: Window = hall.window; read t: °C = hall.temperature stale 5min\n"
 "  when t < 19 °C { h.heat() } until t > 22 °C { h.rest() }\n"
 "  at 09:00 { if t > 19 °C { w.open() } } }\n"},
{"heater and window of two programs, one reads the other", "",
 "program x { own h: Heater = hall.heater; read t: °C = hall.temperature stale 5min; read o: bool = hall.window.opened stale 1h\n"
 "  when t < 19 °C and not o { h.heat() } until t > 22 °C or o { h.rest() } }\n"
 "program y { own w: Window = hall.window; at 09:00 { w.open() } }\n"},
{"heater and window of two rooms", "",
 "program x { own h: Heater = hall.heater; read t: °C = hall.temperature stale 5min\n"
 "  when t < 19 °C { h.heat() } until t > 22 °C { h.rest() } }\n"
 "program y { own w: Window = room.window; at 09:00 { w.open() } }\n"},
{"two lamps of two programs, nobody looks at the light", "",
 "program x { own l: Lamp = hall.lamp; read m: bool = hall.motion stale 1h\n"
 "  when m { l.on() } until not m { l.off() } }\n"
 "program y { own l: Lamp = hall.spot; at 18:00 { l.on() } }\n"},
{"heater and cooler of two programs, apart", "",
 "program x { own h: Heater = hall.heater; read t: °C = hall.temperature stale 5min\n"
 "  when t < 19 °C { h.heat() } until t > 21 °C { h.rest() } }\n"
 "program y { own h: Heater = hall.cooler; read t: °C = hall.temperature stale 5min\n"
 "  when t > 26 °C { h.heat() } until t < 24 °C { h.rest() } }\n"},
{"heater and window, the window leased from the heater's program", "",
 "program x { own h: Heater = hall.heater; own w: Window = hall.window; read t: °C = hall.temperature stale 5min\n"
 "  lend w to y\n"
 "  when t < 19 °C { h.heat() } until t > 22 °C { h.rest() } }\n"
 "program y { at 09:00 { lease it = x.w for 10min { it.open(); sleep 9min } revoked { } } }\n"},
{"G12: a message of another program unlocks", "G12:5",
 "program x { read s: bool = hall.smoke stale 1min\n"
 "  when s { publish \"fire\" true } }\n"
 "program y { own d: Lock = hall.door\n"
 "  on \"fire\" as f: bool { if f {\n"
 "      d.unlock() } } }\n"},
{"G12: a lamp of another program unlocks", "G12:4",
 "program x { own l: Lamp = room.lamp; every 1h { l.on() } }\n"
 "program y { own d: Lock = room.door; read lit: bool = room.lamp.lit stale 1h\n"
 "  when lit for 1min {\n"
 "    d.unlock() } until not lit { d.lock() } }\n"},
{"G12: through a variable and a task", "G12:2",
 "task t(own d: Lock, c: chan<int>) {\n"
 "  loop { select { n = c.recv() => { d.unlock() } } }\n"
 "}\n"
 "program x { own d: Lock = hall.door; let c = chan<int>(2); spawn t(move d, c)\n"
 "  on \"open up\" as n: int { c.send(n) else drop } }\n"
 "program y { on hall.button { publish \"open up\" 1 } }\n"},
{"a guarded action by a reading of its own program", "",
 "program x { own d: Lock = hall.door; read m: bool = hall.motion stale 1min\n"
 "  when m { d.unlock() } until not m { d.lock() } }\n"},
{"a message locks, and nothing unlocks", "",
 "program x { read m: bool = hall.motion stale 1min; when not m for 1h { publish \"gone\" true } }\n"
 "program y { own d: Lock = hall.door; on \"gone\" as g: bool { if g { d.lock() } } }\n"},
{"what another program does can't make the condition true", "",
 "program x { own l: Lamp = room.lamp; every 1h { l.off() } }\n"
 "program y { own d: Lock = room.door; read lit: bool = room.lamp.lit stale 1h\n"
 "  when lit { d.unlock() } }\n"},
{"G13: it reads what it switches, in the until", "G13:3",
 "program x { own p: Plug = plug; read m: bool = cam.moving stale 1min; read t: °C = room.temperature stale 5min\n"
 "  when t > 30 °C {\n"
 "    p.off() } until not m { alert info \"quiet\" } }\n"},
{"G13: through a function", "G13:1",
 "fn dark(mut p: Plug) { p.off() }\n"
 "program x { own p: Plug = plug; read m: bool = cam.moving stale 1min\n"
 "  every 1h { if not m { dark(p) } } }\n"},
{"one rule reads, another switches", "",
 "program x { own p: Plug = plug; read m: bool = cam.moving stale 1min; var quiet = 0\n"
 "  when not m { quiet += 1 }\n"
 "  when quiet > 5 { p.off(); quiet = 0 } }\n"},
{"it switches one and reads another", "",
 "program x { own p: Plug = fan; read m: bool = cam.moving stale 1min\n"
 "  when not m { p.off() } until m { p.on() } }\n"},
{"G14: messages that answer each other", "G14!:1",
 "program x { on \"ping\" as n: int { publish \"pong\" n } }\n"
 "program y { on \"pong\" as n: int { publish \"ping\" n + 1 } }\n"},
{"G14: a message that wakes itself", "G14!:1",
 "program x { on \"tick\" as n: int { publish \"tick\" n + 1 } }\n"},
{"G14: with a pause it is a warning", "G14:2",
 "program x { own a: Plug = fan; own b: Plug = plug; read p: bool = fan.live stale 1h; read q: bool = plug.live stale 1h\n"
 "  when p for 5s { b.on() } until not p { b.off() }\n"
 "  when q { a.off() } until not q { a.on() } }\n"},
{"G14: by the clock", "G14:2",
 "program x { own a: Plug = fan; own b: Plug = plug; read p: bool = fan.live stale 1h; read q: bool = plug.live stale 1h\n"
 "  every 1min { if p { b.on() } else { b.off() } }\n"
 "  when q { a.off() } until not q { a.on() } }\n"},
{"G14: variables that chase each other", "G14!:2",
 "program x { var a = 1; var b = 1\n"
 "  when changed a { b = a + 1 }\n"
 "  when changed b { a = b + 1 } }\n"},
{"G14: over three programs", "G14!:1",
 "program x { own l: Plug = fan; read s: bool = relay.a.live stale 1h; when s { l.on() } until not s { l.off() } }\n"
 "program y { own l: Plug = plug; read s: bool = fan.live stale 1h; when s { l.on() } until not s { l.off() } }\n"
 "program z { own l: Plug = relay.a; read s: bool = plug.live stale 1h; when s { l.off() } until not s { l.on() } }\n"},
{"two lamps that switch each other on come to rest", "",
 "program x { own a: Plug = fan; own b: Plug = plug; read p: bool = fan.live stale 1h; read q: bool = plug.live stale 1h\n"
 "  when p { b.on() }\n"
 "  when q { a.on() } }\n"},
{"one lamp follows another", "",
 "program x { own b: Plug = plug; read p: bool = fan.live stale 1h\n"
 "  when p { b.on() } until not p { b.off() } }\n"
 "program y { own a: Plug = fan; read m: bool = hall.motion stale 1h; when m { a.on() } until not m { a.off() } }\n"},
{"a thermostat is no loop", "",
 "program x { own h: Heater = hall.heater; own c: Heater = hall.cooler; read t: °C = hall.temperature stale 5min\n"
 "  when t < 19 °C { h.heat() } until t > 21 °C { h.rest() }\n"
 "  when t > 26 °C { c.heat() } until t < 24 °C { c.rest() } }\n"},
{"a variable that is limited", "",
 "program x { var a = 1\n"
 "  when changed a { if a > 9 { a = 9 } }\n"
 "  on hall.button { a += 1 } }\n"},
{"a peak that is kept and cleared", "",
 "program x { read p: kW = meter.power stale 1min; var peak = 0 kW\n"
 "  when p > peak { peak = p }\n"
 "  every 15min { alert info \"{peak}\"; peak = 0 kW } }\n"},
{"G15: it is switched by a rule with a reading", "G15:2",
 "program x { own p: Plug = plug; read m: kW = meter.power stale 1min\n"
 "  when m > 90 kW { p.off() } until m < 50 kW { p.on() } }\n"
 "program y { read s: bool = cam.moving stale 1min; when s for 5s { alert critical \"somebody\" } }\n"},
{"G15: the alarm looks at it in its body", "G15:1",
 "program x { own p: Plug = plug; at 23:00 { p.off() } }\n"
 "program y { read s: bool = cam.moving stale 1min; every 1min { if s { alert warning \"somebody\" } } }\n"},
{"only told, not raised as an alarm", "",
 "program x { own p: Plug = plug; at 23:00 { p.off() } }\n"
 "program y { read s: bool = cam.moving stale 1min; when s { alert info \"somebody\" } }\n"},
{"the alarm looks at something else", "",
 "program x { own p: Plug = plug; at 23:00 { p.off() } }\n"
 "program y { read s: bool = room.smoke stale 1min; when s { alert critical \"smoke\" } }\n"},
{"G16: with a condition beside it", "G16:3",
 "program x { own f: Plug = fan; read t: °C = hall.temperature stale 1min; read m: bool = hall.motion stale 1h\n"
 "  when t > 24 °C and m { f.on() }\n"
 "  when t < 26 °C or not m and t < 25 °C { f.off() } }\n"},
{"G16: in one rule", "G16:2",
 "program x { own f: Plug = fan; read t: °C = hall.temperature stale 1min\n"
 "  when t > 24 °C { f.on() } until t < 25 °C { f.off() } }\n"},
{"G16: numbers in variables", "G16:3",
 "program x { own f: Valve = valve; var level = 3\n"
 "  when level >= 5 { f.open() }\n"
 "  when level <= 5 { f.close() }\n"
 "  every 1h { level += 1 } }\n"},
{"thresholds with a gap", "",
 "program x { own f: Plug = fan; read t: °C = hall.temperature stale 1min\n"
 "  when t > 26 °C { f.on() }\n"
 "  when t < 24 °C { f.off() } }\n"},
{"thresholds that touch", "",
 "program x { own f: Plug = fan; read t: °C = hall.temperature stale 1min\n"
 "  when t > 25 °C { f.on() }\n"
 "  when t <= 25 °C { f.off() } }\n"},
{"thresholds kept apart by another reading", "",
 "program x { own f: Plug = fan; read t: °C = hall.temperature stale 1min; read m: bool = hall.motion stale 1h\n"
 "  when t > 20 °C and m { f.on() }\n"
 "  when t < 25 °C and not m { f.off() } }\n"},
{"overlapping, but the same command", "",
 "program x { own f: Plug = fan; read t: °C = hall.temperature stale 1min\n"
 "  when t > 20 °C { f.on() }\n"
 "  when t < 25 °C and t > 21 °C { f.on() } }\n"},
{"G17: two sensors, one belt", "G17:4",
 "program x { own f: Plug = fan\n"
 "  read a: bool = hall.smoke stale 1min; read b: bool = room.smoke stale 1min\n"
 "  when a { f.off() } until not a { f.on() }\n"
 "  when b { f.off() } until not b { f.on() } }\n"},
{"G17: a message and a clock", "G17:3",
 "program x { own f: Valve = valve\n"
 "  on \"rain\" as y: bool { if y { f.close() } }\n"
 "  at 06:00 { f.open() } }\n"},
{"G17: an action without a confirmation against the safe one", "G17:3",
 "program x { own f: Valve = valve; read m: bool = hall.motion stale 1h\n"
 "  when m { f.set(40 %) }\n"
 "  every 1h { f.close() } }\n"},
{"presence on, midnight off if nobody is there", "",
 "program x { own l: Lamp = hall.lamp; read m: bool = hall.motion stale 1h\n"
 "  when m { l.on() }\n"
 "  at 00:00 { if not m { l.off() } } }\n"},
{"two reasons, one decision", "",
 "program x { own f: Plug = fan; read a: bool = hall.smoke stale 1min; read b: bool = room.smoke stale 1min\n"
 "  var reasons = 0\n"
 "  when a { reasons += 1 } until not a { reasons -= 1 }\n"
 "  when b { reasons += 1 } until not b { reasons -= 1 }\n"
 "  when reasons > 0 { f.off() } until reasons < 1 { f.on() } }\n"},
{"two reasons for the same", "",
 "program x { own f: Plug = fan; read a: bool = hall.smoke stale 1min\n"
 "  when a { f.off() }\n"
 "  at 20:00 { f.off() } }\n"},
{"G18: through a lamp", "G18:5",
 "program x { own l: Lamp = hall.lamp; own d: Lock = hall.door\n"
 "  read g: bool = hall.guest stale 1min; read lit: bool = hall.lamp.lit stale 1min\n"
 "  when g { l.on() } until not g { l.off() }\n"
 "  when lit for 10min {\n"
 "    d.unlock() } }\n"},
{"G18: through a variable", "G18:4",
 "program x { own d: Lock = hall.door; read g: bool = hall.guest stale 1min; var asked = false\n"
 "  when g { asked = true }\n"
 "  when asked {\n"
 "    d.unlock() } until not asked { d.lock() } }\n"},
{"G18: read in a body", "G18:2",
 "program x { own d: Lock = hall.door; read g: bool = hall.guest stale 1min\n"
 "  every 1min { if g { d.unlock() } else { d.lock() } } }\n"},
{"what a guest sets switches a lamp", "",
 "program x { own l: Lamp = hall.lamp; read g: bool = hall.guest stale 1min\n"
 "  when g { l.on() } until not g { l.off() } }\n"},
{"what a guest sets only locks", "",
 "program x { own d: Lock = hall.door; read g: bool = hall.guest stale 1min\n"
 "  when g { d.lock() } }\n"},
{"G14: each waits before it acts", "G14:2",
 "program x { own a: Plug = fan; own b: Plug = plug; read p: bool = fan.live stale 1h; read q: bool = plug.live stale 1h\n"
 "  when p for 1s { b.on() } until not p for 1s { b.off() }\n"
 "  when q for 2s { a.off() } until not q for 2s { a.on() } }\n"},
