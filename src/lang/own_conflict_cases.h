/* Rows of own_test.c. The 22 conflicts of language.md; 19 to 22 show at run time: their sources are
 * accepted, and what has to happen stands in own_runtime[] (own_runtime_cases.h). */
/* clang-format off */
{"1: two programs own one valve", "O2:6",
 "program irrigation {\n"
 "  own tap: Valve = valve\n"
 "  every 1h { tap.open() }\n"
 "}\n"
 "program fountain {\n"
 "  own jet: Valve = valve\n"
 "  every 10min { jet.close() }\n"
 "}\n"},
{"2: a pump moved to a task, then stopped by its parent", "O4:5",
 "task guard(own p: Pump) { loop { p.start(2 bar); sleep 1min; p.stop(); sleep 1min } }\n"
 "program plant {\n"
 "  own feed: Pump = pump\n"
 "  spawn guard(move feed)\n"
 "  every 1h { feed.stop() }\n"
 "}\n"},
{"3: a borrow passed to spawn", "O6:4",
 "task guard(own p: Pump) { loop { p.stop(); sleep 1min } }\n"
 "program plant {\n"
 "  own feed: Pump = pump\n"
 "  fn hand_on(mut p: Pump) { spawn guard(move p) }\n"
 "  every 1h { hand_on(feed) }\n"
 "}\n"},
{"4: two gateways expose one relay", "O2:3",
 "program plant {\n"
 "  own left: Plug = relay.a\n"
 "  own right: Plug = relay.b\n"
 "  every 1h { left.on() }\n"
 "  every 2h { right.on() }\n"
 "}\n"},
{"5: bar compared with °C", "U1:4",
 "program plant {\n"
 "  read p: bar = pump.pressure stale 1min\n"
 "  own feed: Pump = pump\n"
 "  when p > 80 °C { feed.stop() }\n"
 "}\n"},
{"6: moved in one branch, then used", "O8:4",
 "task worker(own p: Pump) { p.stop() }\n"
 "task chief(own p: Pump, many: bool) {\n"
 "  if many { spawn worker(move p) }\n"
 "  p.start(2 bar)\n"
 "}\n"
 "program plant { own feed: Pump = pump; spawn chief(move feed, true) }\n"},
{"7: moved inside a loop", "O9:3",
 "task worker(own p: Pump) { p.stop() }\n"
 "task chief(own p: Pump) {\n"
 "  loop { spawn worker(move p); sleep 1min }\n"
 "}\n"
 "program plant { own feed: Pump = pump; spawn chief(move feed) }\n"},
{"8: the owner commands while it may be lent", "O12:4",
 "program keeper {\n"
 "  own well: Pump = pump\n"
 "  lend well to fire priority 1\n"
 "  every 1h { well.stop() }\n"
 "}\n"
 "program fire { }\n"},
{"9: it sleeps while it uses a handle of the program", "O10:5",
 "program plant {\n"
 "  own feed: Pump = pump\n"
 "  every 1h {\n"
 "    feed.start(2 bar)\n"
 "    sleep 10min\n"
 "    feed.stop()\n"
 "  }\n"
 "}\n"},
{"10: two programs lease pump and valve in opposite order", "O13:15",
 "program keeper {\n"
 "  own well: Pump = pump\n"
 "  own tap: Valve = valve\n"
 "  lend well to one, two\n"
 "  lend tap to one, two\n"
 "}\n"
 "program one {\n"
 "  every 1h {\n"
 "    lease a = keeper.well for 5min { lease b = keeper.tap for 5min { b.open() } revoked { } } revoked { }\n"
 "  }\n"
 "}\n"
 "program two {\n"
 "  every 2h {\n"
 "    lease x = keeper.tap for 9min {\n"
 "      lease y = keeper.well for 9min { y.start(1 bar); x.close() } revoked { }\n"
 "    } revoked { }\n"
 "  }\n"
 "}\n"},
{"11: heater and window, owned apart, on one temperature", "G11:10",
 "program warm {\n"
 "  read t: °C = hall.temperature stale 5min\n"
 "  own stove: Heater = hall.heater\n"
 "  when t < 19 °C { stove.heat() } until t > 21 °C { stove.rest() }\n"
 "}\n"
 "program air {\n"
 "  own pane: Window = hall.window\n"
 "  at 09:00 {\n"
 "    // lets fresh air in, whatever the weather\n"
 "    pane.open()\n"
 "  }\n"
 "}\n"},
{"12: smoke, lights, mode, door", "G12:13",
 "program lights {\n"
 "  own lamp: Lamp = hall.lamp\n"
 "  read smoke: bool = hall.smoke stale 1min\n"
 "  when smoke { lamp.on() }\n"
 "}\n"
 "program mode {\n"
 "  read lit: bool = hall.lamp.lit stale 1min\n"
 "  when lit { publish \"home\" true }\n"
 "}\n"
 "program door {\n"
 "  own bolt: Lock = hall.door\n"
 "  on \"home\" as there: bool {\n"
 "    bolt.unlock()\n"
 "  }\n"
 "}\n"},
{"13: a rule cuts the power of its own sensor", "G13:4",
 "program saver {\n"
 "  own socket: Plug = plug\n"
 "  read moving: bool = cam.moving stale 1min\n"
 "  when not moving for 10min { socket.off() }\n"
 "}\n"},
{"14: two lamps that switch each other", "G14!:6",
 "program one {\n"
 "  own left: Lamp = hall.lamp\n"
 "  own right: Lamp = room.lamp\n"
 "  read a: bool = hall.lamp.lit stale 1min\n"
 "  read b: bool = room.lamp.lit stale 1min\n"
 "  when a { right.on() } until not a { right.off() }\n"
 "  when b { left.off() } until not b { left.on() }\n"
 "}\n"},
{"15: an energy saver switches off the camera of the alarm", "G15:3",
 "program saver {\n"
 "  own socket: Plug = plug\n"
 "  at 22:00 { socket.off() }\n"
 "}\n"
 "program burglary {\n"
 "  read moving: bool = cam.moving stale 1min\n"
 "  when moving { alert critical \"somebody is there\" }\n"
 "}\n"},
{"16: thresholds that overlap", "G16:5",
 "program cooling {\n"
 "  own fan: Plug = fan\n"
 "  read t: °C = hall.temperature stale 1min\n"
 "  when t > 70 °C { fan.on() }\n"
 "  when t < 75 °C { fan.off() }\n"
 "}\n"},
{"17: presence on, midnight off", "G17:5",
 "program living {\n"
 "  own lamp: Lamp = hall.lamp\n"
 "  read motion: bool = hall.motion stale 1h\n"
 "  when motion { lamp.on() }\n"
 "  at 00:00 { lamp.off() }\n"
 "}\n"},
{"18: what a guest may switch reaches a lock", "G18:4",
 "program door {\n"
 "  own bolt: Lock = hall.door\n"
 "  read call: bool = hall.guest stale 1min\n"
 "  when call { bolt.unlock() }\n"
 "}\n"},
{"19: at run time: a wall switch against a schedule (priority, then maximum time)", "",
 "program living {\n"
 "  own lamp: Lamp = hall.lamp\n"
 "  lend lamp to wall_switch priority 2 max 2h, schedule priority 7 max 4h\n"
 "  idle lamp { lamp.off() }\n"
 "}\n"
 "program wall_switch {\n"
 "  on hall.button {\n"
 "    lease it = living.lamp for 1h { it.on(); sleep 1h } revoked why { alert info \"taken back: {why}\" }\n"
 "  }\n"
 "}\n"
 "program schedule {\n"
 "  at 18:00 {\n"
 "    lease it = living.lamp for 4h wait 10min { it.on(); sleep 4h } revoked { } denied { alert info \"busy\" }\n"
 "  }\n"
 "}\n"},
{"20: at run time: whoever has the pump on lease dies", "",
 "program keeper {\n"
 "  own well: Pump = pump\n"
 "  lend well to fire max 30min\n"
 "  idle well { well.stop() }\n"
 "}\n"
 "program fire {\n"
 "  var zero = 0\n"
 "  every 1h {\n"
 "    lease it = keeper.well for 5min { it.start(3 bar); sleep 1s; zero = 1 / zero } revoked { }\n"
 "  }\n"
 "}\n"},
{"21: at run time: a delayed off after a newer on", "",
 "program stairs {\n"
 "  own lamp: Lamp = hall.lamp\n"
 "  read motion: bool = hall.motion stale 1h\n"
 "  when motion { lamp.on() }\n"
 "  when not motion for 5min { lamp.off() }\n"
 "}\n"},
{"22: at run time: a rule that disables another one races it", "",
 "program sprinkler {\n"
 "  own tap: Valve = valve\n"
 "  read motion: bool = hall.motion stale 1h\n"
 "  read t: °C = hall.temperature stale 1h\n"
 "  var allowed = true\n"
 "  when motion { allowed = false; tap.close() } until not motion for 10min { allowed = true }\n"
 "  when t > 25 °C and allowed and not motion { tap.open() } until t < 22 °C { tap.close() }\n"
 "}\n"},
