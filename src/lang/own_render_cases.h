/* Rows of own_render_test.c: whole messages of ownership and of the graph, by the labels of the
 * cases. */
/* clang-format off */
{"a handle stored",
 "error[O1]: `a` is a handle and can't be stored\n"
 "  --> case.sedge:3:13\n"
 "   3 |     let b = a } }\n"
 "     |             ^ not data\n"
 "  --> case.sedge:1:17\n"
 "   1 | program x { own a: Pump = pump\n"
 "     |                 - declared here\n"
 "  help: read what you need of it, or hand it on with `move` to a task or a function\n"},
{"1: two programs own one valve",
 "error[O2]: two programs own valve\n"
 "  --> case.sedge:6:7\n"
 "   6 |   own jet: Valve = valve\n"
 "     |       ^^^ second owner\n"
 "  --> case.sedge:2:7\n"
 "   2 |   own tap: Valve = valve\n"
 "     |       --- owned here, by irrigation\n"
 "  help: one program commands it: move these rules into `irrigation`, where it is called `tap`, or only `read` it here\n"},
{"4: two gateways expose one relay",
 "error[O2]: relay.a and relay.b are one physical thing, and it has two owners\n"
 "  --> case.sedge:3:7\n"
 "   3 |   own right: Plug = relay.b\n"
 "     |       ^^^^^ second owner\n"
 "  --> case.sedge:2:7\n"
 "   2 |   own left: Plug = relay.a\n"
 "     |       ---- owned here\n"
 "  --> site.sedge:30:33\n"
 "  30 | device relay.b: Plug { via mqtt \"relay/1\" text }\n"
 "     |                                 --------- the same identity\n"
 "  --> site.sedge:29:33\n"
 "  29 | device relay.a: Plug { via mqtt \"relay/1\" json }\n"
 "     |                                 --------- as this\n"
 "  help: declare the thing once, and own it in one place\n"},
{"leased, but lent to another",
 "error[O2]: k.well is not lent to x\n"
 "  --> case.sedge:2:15\n"
 "   2 |     lease w = k.well for 5min { w.stop() } revoked { } } }\n"
 "     |               ^^^^^^ not lent to it\n"
 "  --> case.sedge:3:17\n"
 "   3 | program k { own well: Pump = pump; lend well to y }\n"
 "     |                 ---- owned here, by k\n"
 "  help: say so in k:  lend well to x\n"},
{"commanded by its path past its owner",
 "error[O3]: valve is commanded, but not owned here\n"
 "  --> case.sedge:2:24\n"
 "   2 | program y { every 1h { valve.close() } }\n"
 "     |                        ^^^^^^^^^^^^^ a command needs an owner\n"
 "  --> case.sedge:1:17\n"
 "   1 | program x { own a: Valve = valve; every 1h { a.open() } }\n"
 "     |                 - owned here, by x\n"
 "  help: one program commands it: move these rules into `x`, where it is called `a`, or only `read` it here\n"},
{"2: a pump moved to a task, then stopped by its parent",
 "error[O4]: `feed` moves away when the program starts\n"
 "  --> case.sedge:5:14\n"
 "   5 |   every 1h { feed.stop() }\n"
 "     |              ^^^^^^^^^^^ used after it moved\n"
 "  --> case.sedge:4:15\n"
 "   4 |   spawn guard(move feed)\n"
 "     |               --------- moved here\n"
 "  --> case.sedge:3:7\n"
 "   3 |   own feed: Pump = pump\n"
 "     |       ---- this was its name\n"
 "  help: let the task do it: send it a message through a channel\n"},
{"with the word move, where it is only borrowed",
 "error[O4]: `rest` only borrows it\n"
 "  --> case.sedge:2:28\n"
 "   2 | task t(own q: Pump) { rest(move q) }\n"
 "     |                            ^^^^^^ moved\n"
 "  --> case.sedge:1:13\n"
 "   1 | fn rest(mut p: Pump) { p.stop() }\n"
 "     |             - borrowed as `mut`\n"
 "  help: leave out `move`\n"},
{"a model whose actions lack a safe one",
 "error[O5]: Horn has actions, but no safe one\n"
 "  --> case.sedge:1:7\n"
 "   1 | model Horn { property loud: bool; action blow() }\n"
 "     |       ^^^^ has no `safe`\n"
 "     |                                          ---- an action\n"
 "  help: say which one to run when an owner ends without handing on, as in  safe close()\n"},
{"a channel of handles that a task makes",
 "error[O5]: a channel of handles is made in a `let` of the program itself\n"
 "  --> case.sedge:2:11\n"
 "   2 |   let c = chan<own Pump>(1)\n"
 "     |           ^^^^^^^^^^^^^^^^^ not here\n"
 "  help: a channel of handles lives as long as its program: make it with `let` there and hand it to the task\n"},
{"3: a borrow passed to spawn",
 "error[O6]: `p` is borrowed and can't go to a task\n"
 "  --> case.sedge:4:41\n"
 "   4 |   fn hand_on(mut p: Pump) { spawn guard(move p) }\n"
 "     |                                         ^^^^^^ only borrowed\n"
 "     |                  - borrowed as `mut` here\n"
 "  help: take it for good:  own p: …\n"},
{"a command through a ref",
 "error[O6]: `p` is a `ref`: it only looks\n"
 "  --> case.sedge:1:21\n"
 "   1 | fn f(ref p: Pump) { p.stop() }\n"
 "     |                     ^^^^^^^^ a command needs `mut`\n"
 "     |          - declared here\n"
 "  help: write  mut p: …  in the signature\n"},
{"a task that borrows",
 "error[O6]: a task can't borrow: `p` is `mut`\n"
 "  --> case.sedge:1:8\n"
 "   1 | task t(mut p: Pump) { p.stop() }\n"
 "     |        ^^^ a task outlives the borrow\n"
 "     |      - a task\n"
 "  help: let it own the thing:  own p: …\n"},
{"the same twice as mut",
 "error[O7]: `a` is handed over twice at a time\n"
 "  --> case.sedge:2:51\n"
 "   2 | program x { own a: Valve = valve; every 1h { f(a, a) } }\n"
 "     |                                                   ^ the same again\n"
 "     |                                                - once here\n"
 "  --> case.sedge:1:4\n"
 "   1 | fn f(mut p: Valve, mut q: Valve) { p.open(); q.close() }\n"
 "     |    - one of them may change it\n"
 "  help: hand it over once\n"},
{"two elements of a group, by variables",
 "error[O7]: `all` may be handed over twice at a time\n"
 "  --> case.sedge:3:13\n"
 "   3 |   f(all[i], all[j]) } }\n"
 "     |             ^^^^^^ the same again\n"
 "     |     ------ once here\n"
 "  --> case.sedge:1:4\n"
 "   1 | fn f(mut p: Valve, mut q: Valve) { p.open(); q.close() }\n"
 "     |    - one of them may change it\n"
 "  help: indices that are not constant count as equal: call it for one after the other\n"},
{"6: moved in one branch, then used",
 "error[O8]: `p` has moved on one of the ways to here\n"
 "  --> case.sedge:4:3\n"
 "   4 |   p.start(2 bar)\n"
 "     |   ^^^^^^^^^^^^^^ may be gone by now\n"
 "  --> case.sedge:3:26\n"
 "   3 |   if many { spawn worker(move p) }\n"
 "     |                          ------ moved to a task here\n"
 "  help: move it on every way or on none, or leave with `return` behind the move\n"},
{"7: moved inside a loop",
 "error[O9]: `p` is moved in a loop that goes on\n"
 "  --> case.sedge:3:23\n"
 "   3 |   loop { spawn worker(move p); sleep 1min }\n"
 "     |                       ^^^^^^ moved each time round\n"
 "     |   ---- this loop\n"
 "  --> case.sedge:2:16\n"
 "   2 | task chief(own p: Pump) {\n"
 "     |                - there is one of it\n"
 "  help: leave the loop behind the move with `break` or `return`\n"},
{"one handle for each element's task",
 "error[O9]: `a` is moved in a loop that goes on\n"
 "  --> case.sedge:4:28\n"
 "   4 |   for r in rooms { spawn t(move a) }\n"
 "     |                            ^^^^^^ moved again for the next element\n"
 "  --> case.sedge:3:7\n"
 "   3 |   own a: Pump = pump\n"
 "     |       - there is one of it\n"
 "  help: move it before or behind the loop\n"},
{"9: it sleeps while it uses a handle of the program",
 "error[O10]: this waits while it uses the program's `feed`\n"
 "  --> case.sedge:5:5\n"
 "   5 |     sleep 10min\n"
 "     |     ^^^^^^^^^^^ waits here\n"
 "  --> case.sedge:4:5\n"
 "   4 |     feed.start(2 bar)\n"
 "     |     ----------------- used here\n"
 "  help: split it into rules (`when … for …`, `until`), or move the handle to a task that owns it\n"},
{"a function that waits",
 "error[O10]: a function runs to its end without waiting\n"
 "  --> case.sedge:1:16\n"
 "   1 | fn f(n: int) { sleep 5s }\n"
 "     |                ^^^^^^^^ waits here\n"
 "     |    - a function\n"
 "  help: make it a `task` and `spawn` it, or wait in the body of the rule\n"},
{"a lease without revoked",
 "error[O11]: a lease says what happens when it is taken back\n"
 "  --> case.sedge:3:5\n"
 "   3 |     lease w = k.well for 5min { w.stop() }\n"
 "     |     ^^^^^^^^^^^^^^^^^^^^^^^^^ no `revoked`\n"
 "  help: add after its block:  revoked { … }\n"},
{"a leased handle sent to a task",
 "error[O11]: `w` is leased and can't go to a task\n"
 "  --> case.sedge:3:41\n"
 "   3 |     lease w = k.well for 5min { spawn t(move w) } revoked { } } }\n"
 "     |                                         ^^^^^^ only on lease\n"
 "     |           - leased here\n"
 "  help: use it inside the block; a function may borrow it as `mut`\n"},
{"8: the owner commands while it may be lent",
 "error[O12]: keeper commands `well`, which fire may have on lease\n"
 "  --> case.sedge:4:14\n"
 "   4 |   every 1h { well.stop() }\n"
 "     |              ^^^^^^^^^^^ what if it is out?\n"
 "  --> case.sedge:3:16\n"
 "   3 |   lend well to fire priority 1\n"
 "     |                ---- lent to it here\n"
 "  help: say what happens meanwhile:  well.stop() else skip   or call it back first:  revoke well\n"},
{"commanded by a function of a function",
 "error[O12]: k commands `well`, which x may have on lease\n"
 "  --> case.sedge:5:13\n"
 "   5 |     rest(1, well) } }\n"
 "     |             ^^^^ commanded in there\n"
 "  --> case.sedge:3:49\n"
 "   3 | program k { own well: Pump = pump; lend well to x\n"
 "     |                                                 - lent to it here\n"
 "  --> case.sedge:1:24\n"
 "   1 | fn deep(mut p: Pump) { p.stop() }\n"
 "     |                        -------- the command\n"
 "  help: call it back first:  revoke well\n"},
{"10: two programs lease pump and valve in opposite order",
 "error[O13]: two leases valve, then pump; one does it the other way round\n"
 "  --> case.sedge:15:17\n"
 "  15 |       lease y = keeper.well for 9min { y.start(1 bar); x.close() } revoked { }\n"
 "     |                 ^^^^^^^^^^^ then this\n"
 "  --> case.sedge:14:15\n"
 "  14 |     lease x = keeper.tap for 9min {\n"
 "     |               ---------- first this, in two\n"
 "  --> case.sedge:9:15\n"
 "   9 |     lease a = keeper.well for 5min { lease b = keeper.tap for 5min { b.open() } revoked { } } revoked { }\n"
 "     |               ----------- first this, in one\n"
 "     |                                                ---------- then this\n"
 "  help: lease them in one order everywhere, or say how long the inner lease may wait:  lease … for … wait 10s\n"},
{"a lambda hands it on",
 "error[O14]: a lambda captures data only\n"
 "  --> case.sedge:3:33\n"
 "   3 |   let ys = [1, 2].map(k => high(a, k)) } }\n"
 "     |                                 ^ a handle\n"
 "  --> case.sedge:2:17\n"
 "   2 | program x { own a: Pump = pump; every 1h {\n"
 "     |                 - declared here\n"
 "  help: read before what the lambda needs:  let x = …\n"},
{"a function that commands what it can't see",
 "error[O15]: a function commands only what its signature lists: not `a`\n"
 "  --> case.sedge:3:5\n"
 "   3 |     a.open() }\n"
 "     |     ^ not in the signature\n"
 "  --> case.sedge:1:17\n"
 "   1 | program x { own a: Valve = valve\n"
 "     |                 - owned here\n"
 "  --> case.sedge:2:6\n"
 "   2 |   fn f() {\n"
 "     |      - the signature\n"
 "  help: take it as a parameter:  mut a: Valve\n"},
{"lent twice to one",
 "error[O16]: it is lent to `x` already\n"
 "  --> case.sedge:2:19\n"
 "   2 |   lend well to x, x }\n"
 "     |                   ^ a second time\n"
 "     |                - here\n"
 "  help: say it once\n"},
{"11: heater and window, owned apart, on one temperature",
 "warning[G11]: warm and air both act on hall.temperature, and neither knows of the other\n"
 "  --> case.sedge:10:5\n"
 "  10 |     pane.open()\n"
 "     |     ^^^^^^^^^^^ acts on it\n"
 "  --> case.sedge:4:20\n"
 "   4 |   when t < 19 °C { stove.heat() } until t > 21 °C { stove.rest() }\n"
 "     |                    ------------ so does this, in warm\n"
 "  help: warm: hall.heater.heat() → hall.temperature ← hall.window.open(): air; let one of them read what the other does, or lend what it owns\n"},
{"12: smoke, lights, mode, door",
 "warning[G12]: hall.door.unlock() can be brought about by lights, which does not command it\n"
 "  --> case.sedge:13:5\n"
 "  13 |     bolt.unlock()\n"
 "     |     ^^^^^^^^^^^^^ guarded\n"
 "  --> case.sedge:4:16\n"
 "   4 |   when smoke { lamp.on() }\n"
 "     |                --------- this, in lights\n"
 "  --> case.sedge:8:14\n"
 "   8 |   when lit { publish \"home\" true }\n"
 "     |              ------------------- then this, in mode\n"
 "  help: hall.smoke → lights → hall.lamp.on() → hall.lamp.lit → mode → \"home\" → door → hall.door.unlock(); let the last rule ask for a reason of its own as well\n"},
{"13: a rule cuts the power of its own sensor",
 "warning[G13]: this rule switches the power of cam, which it reads itself\n"
 "  --> case.sedge:4:31\n"
 "   4 |   when not moving for 10min { socket.off() }\n"
 "     |                               ^^^^^^^^^^^^ what it looks through\n"
 "     |            ------ read here\n"
 "  help: cam.moving → plug.off() → cam: power it from elsewhere, or let a clock decide\n"},
{"14: two lamps that switch each other",
 "error[G14]: these rules wake each other for ever, without a pause\n"
 "  --> case.sedge:6:12\n"
 "   6 |   when a { right.on() } until not a { right.off() }\n"
 "     |            ^^^^^^^^^^ this\n"
 "  --> case.sedge:7:12\n"
 "   7 |   when b { left.off() } until not b { left.on() }\n"
 "     |            ---------- leads to this, in one\n"
 "  --> case.sedge:6:39\n"
 "   6 |   when a { right.on() } until not a { right.off() }\n"
 "     |                                       ----------- leads to this, in one\n"
 "  --> case.sedge:7:39\n"
 "   7 |   when b { left.off() } until not b { left.on() }\n"
 "     |                                       --------- leads to this, in one\n"
 "  help: one → room.lamp.on() → room.lamp.lit → one → hall.lamp.off() → hall.lamp.lit → one → room.lamp.off() → room.lamp.lit → one → hall.lamp.on() → hall.lamp.lit → one; let one of them ask for something that the others don't change\n"},
{"15: an energy saver switches off the camera of the alarm",
 "warning[G15]: saver switches cam, by which burglary raises an alarm\n"
 "  --> case.sedge:3:14\n"
 "   3 |   at 22:00 { socket.off() }\n"
 "     |              ^^^^^^^^^^^^ switches it\n"
 "  --> case.sedge:7:8\n"
 "   7 |   when moving { alert critical \"somebody is there\" }\n"
 "     |        ------ read here, in burglary\n"
 "     |                 ---------------------------------- for this\n"
 "  help: plug.off() → cam.moving → burglary: keep it powered, or let saver say when nobody looks\n"},
{"16: thresholds that overlap",
 "warning[G16]: with hall.temperature between 70 °C and 75 °C both hold: fan.on() and fan.off() chatter\n"
 "  --> case.sedge:5:20\n"
 "   5 |   when t < 75 °C { fan.off() }\n"
 "     |                    ^^^^^^^^^ and this\n"
 "  --> case.sedge:4:20\n"
 "   4 |   when t > 70 °C { fan.on() }\n"
 "     |                    -------- this\n"
 "     |   -------------- when this holds\n"
 "  --> case.sedge:5:3\n"
 "   5 |   when t < 75 °C { fan.off() }\n"
 "     |   -------------- and this\n"
 "  help: leave a gap between the two: off above the one, on below the other\n"},
{"17: presence on, midnight off",
 "warning[G17]: living says hall.lamp.on() and hall.lamp.off() for reasons that know nothing of each other\n"
 "  --> case.sedge:5:14\n"
 "   5 |   at 00:00 { lamp.off() }\n"
 "     |              ^^^^^^^^^^ and here\n"
 "  --> case.sedge:4:17\n"
 "   4 |   when motion { lamp.on() }\n"
 "     |                 --------- here\n"
 "     |   ----------- because of this\n"
 "  --> case.sedge:5:3\n"
 "   5 |   at 00:00 { lamp.off() }\n"
 "     |   -------- because of this\n"
 "  help: let one rule decide, or let one ask for the reason of the other:  if not … { … }\n"},
{"G18: through a lamp",
 "warning[G18]: whoever may set hall.guest can bring about hall.door.unlock()\n"
 "  --> case.sedge:5:5\n"
 "   5 |     d.unlock() } }\n"
 "     |     ^^^^^^^^^^ guarded\n"
 "  --> site.sedge:16:34\n"
 "  16 |   property smoke: bool; property guest: bool by guest }\n"
 "     |                                  ----- anybody may set this\n"
 "  --> case.sedge:3:8\n"
 "   3 |   when g { l.on() } until not g { l.off() }\n"
 "     |        - read here\n"
 "     |            ------ this, in x\n"
 "  help: hall.guest → x → hall.lamp.on() → hall.lamp.lit → x → hall.door.unlock(); ask for something that a guest can't set as well\n"},
