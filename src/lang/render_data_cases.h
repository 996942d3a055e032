/* Rows of render_test.c: whole messages about data, tasks, messages and tests. */
/* clang-format off */
{"a value that may be missing",
 "program p {\n"
 "  var last: °C? = none\n"
 "  every 1s {\n"
 "    let t: °C = last\n"
 "  }\n"
 "}\n",
 NULL,
 "error[T1]: `t` wants a value, this is a °C? and may be none\n"
 "  --> case.sedge:4:17\n"
 "   4 |     let t: °C = last\n"
 "     |                 ^^^^ may be none\n"
 "  --> case.sedge:2:7\n"
 "   2 |   var last: °C? = none\n"
 "     |       ---- °C?\n"
 "  help: say what holds then:  last ?? …   or ask first:  if let v = last { … }\n"},
{"none where a value is wanted",
 "record Trip { station: str; temp: °C }\n"
 "program p {\n"
 "  every 1s {\n"
 "    let t = Trip{\"press\", none}\n"
 "  }\n"
 "}\n",
 NULL,
 "error[T1]: `temp` is in °C, never none\n"
 "  --> case.sedge:4:27\n"
 "   4 |     let t = Trip{\"press\", none}\n"
 "     |                           ^^^^ can't be none\n"
 "  --> case.sedge:1:29\n"
 "   1 | record Trip { station: str; temp: °C }\n"
 "     |                             ---- declared here\n"
 "  help: a value that may be missing is of type `°C?`\n"},
{"a match that is not complete",
 "enum Mode { eco, comfort, away }\n"
 "program p {\n"
 "  var mode = Mode.eco\n"
 "  every 1s {\n"
 "    match mode {\n"
 "      eco => alert info \"saving\"\n"
 "    }\n"
 "  }\n"
 "}\n",
 NULL,
 "error[T1]: this `match` has no arm for comfort, away\n"
 "  --> case.sedge:5:5\n"
 "   5 |     match mode {\n"
 "     |     ^^^^^^^^^^ not complete\n"
 "  --> case.sedge:1:6\n"
 "   1 | enum Mode { eco, comfort, away }\n"
 "     |      ---- declared here\n"
 "  help: add arms, or  _ => …  for all that is left\n"},
{"a misspelt value of an enum",
 "enum Mode { eco, comfort, away }\n"
 "program p {\n"
 "  var mode = Mode.confort\n"
 "}\n",
 NULL,
 "error[N1]: Mode has no value `confort`\n"
 "  --> case.sedge:3:19\n"
 "   3 |   var mode = Mode.confort\n"
 "     |                   ^^^^^^^ unknown\n"
 "  --> case.sedge:1:6\n"
 "   1 | enum Mode { eco, comfort, away }\n"
 "     |      ---- declared here\n"
 "  help: did you mean `Mode.comfort`?\n"},
{"a record without a field",
 "record Trip {\n"
 "  station: str\n"
 "  temp: °C\n"
 "}\n"
 "program p {\n"
 "  every 1s { let t = Trip{station: \"press\"} }\n"
 "}\n",
 NULL,
 "error[T1]: the field `temp` of Trip is missing\n"
 "  --> case.sedge:6:22\n"
 "   6 |   every 1s { let t = Trip{station: \"press\"} }\n"
 "     |                      ^^^^^^^^^^^^^^^^^^^^^^ not complete\n"
 "  --> case.sedge:3:3\n"
 "   3 |   temp: °C\n"
 "     |   ---- declared here\n"},
{"a record that never ends",
 "record Node {\n"
 "  value: int\n"
 "  next: Node\n"
 "}\n",
 NULL,
 "error[T1]: a Node always needs another Node\n"
 "  --> case.sedge:3:9\n"
 "   3 |   next: Node\n"
 "     |         ^^^^ needs another one\n"
 "  help: let it end somewhere:  next: Node?\n"},
{"a list of two types",
 "program p {\n"
 "  every 1s { let x = [1 m, 2 m, 3 s] }\n"
 "}\n",
 NULL,
 "error[U1]: an element of this list is in m, this is in s\n"
 "  --> case.sedge:2:33\n"
 "   2 |   every 1s { let x = [1 m, 2 m, 3 s] }\n"
 "     |                                 ^^^ another type\n"
 "     |                       --- m\n"},
{"an empty list",
 "program p {\n"
 "  every 1s { let x = [] }\n"
 "}\n",
 NULL,
 "error[T1]: an empty list says nothing of its type\n"
 "  --> case.sedge:2:22\n"
 "   2 |   every 1s { let x = [] }\n"
 "     |                      ^^ of what?\n"
 "  help: say it:  let a: list<int> = …\n"},
{"a list of ints for floats",
 "fn mean(x: list<float>) -> float { return x[0] }\n"
 "program p {\n"
 "  every 1s {\n"
 "    let x = [1, 2]\n"
 "    let y = mean(x)\n"
 "  }\n"
 "}\n",
 NULL,
 "error[T1]: `x` is a list<float>, this is a list<int>\n"
 "  --> case.sedge:5:18\n"
 "   5 |     let y = mean(x)\n"
 "     |                  ^ wrong type\n"
 "  --> case.sedge:1:9\n"
 "   1 | fn mean(x: list<float>) -> float { return x[0] }\n"
 "     |         - declared here\n"
 "  help: make a new list of its elements:  x.map(v => float(v))\n"},
{"a handle as data",
 "record Job { valve: Valve }\n",
 NULL,
 "error[O1]: a Valve is owned or read, not kept as data\n"
 "  --> case.sedge:1:21\n"
 "   1 | record Job { valve: Valve }\n"
 "     |                     ^^^^^ a handle\n"
 "  help: keep what it measures, or hand the device itself on:  own x: Valve\n"},
{"a lambda that keeps a copy",
 "program p {\n"
 "  every 1s {\n"
 "    var n = 0\n"
 "    let f = fn(x: int) -> int { n = x; return x }\n"
 "  }\n"
 "}\n",
 NULL,
 "error[T1]: `n` is a copy here: a lambda keeps what was there when it was made\n"
 "  --> case.sedge:4:33\n"
 "   4 |     let f = fn(x: int) -> int { n = x; return x }\n"
 "     |                                 ^ can't be assigned to\n"
 "  --> case.sedge:3:9\n"
 "   3 |     var n = 0\n"
 "     |         - declared here\n"
 "  help: give the new value back as the result of the lambda\n"},
{"a lambda in a condition",
 "program p {\n"
 "  var limits = [50 °C]\n"
 "  read t: °C = press.temperature stale 5s\n"
 "  when limits.any(x => t > x) { }\n"
 "}\n",
 NULL,
 "error[T1]: a lambda in a condition can't look at a reading\n"
 "  --> case.sedge:4:24\n"
 "   4 |   when limits.any(x => t > x) { }\n"
 "     |                        ^ a reading\n"
 "  help: it may be missing, and the lambda could not say so: keep what is needed in a variable, or ask in the body of the rule\n"},
{"a message of two types",
 "program a {\n"
 "  every 1s { publish \"oven/done\" 5 }\n"
 "}\n",
 "program b {\n"
 "  on \"oven/done\" as batch: str { }\n"
 "}\n",
 "error[T1]: the message \"oven/done\" is a str here\n"
 "  --> other.sedge:2:28\n"
 "   2 |   on \"oven/done\" as batch: str { }\n"
 "     |                            ^^^ another type\n"
 "  --> case.sedge:2:34\n"
 "   2 |   every 1s { publish \"oven/done\" 5 }\n"
 "     |                                  - int here\n"
 "  help: all that send and get it must agree\n"},
{"a message that nobody hears",
 "program a {\n"
 "  every 1s { publish \"oven/done\" 5 }\n"
 "}\n",
 "program b {\n"
 "  on \"oven/dome\" as batch: int { }\n"
 "}\n",
 "warning[N3]: no program waits for \"oven/done\"\n"
 "  --> case.sedge:2:22\n"
 "   2 |   every 1s { publish \"oven/done\" 5 }\n"
 "     |                      ^^^^^^^^^^^ nobody hears it\n"
 "  help: did you mean \"oven/dome\"?\n"
 "warning[N3]: no program publishes \"oven/dome\"\n"
 "  --> other.sedge:2:6\n"
 "   2 |   on \"oven/dome\" as batch: int { }\n"
 "     |      ^^^^^^^^^^^ nobody says it\n"
 "  help: did you mean \"oven/done\"?\n"},
{"a message that nobody hears, and none like it",
 "program a {\n"
 "  every 1s { publish \"oven/done\" 5 }\n"
 "}\n",
 NULL,
 "warning[N3]: no program waits for \"oven/done\"\n"
 "  --> case.sedge:2:22\n"
 "   2 |   every 1s { publish \"oven/done\" 5 }\n"
 "     |                      ^^^^^^^^^^^ nobody hears it\n"
 "  help: hear it:  on \"oven/done\" as x: … { … }\n"},
{"a message that nobody publishes, and none like it",
 "program b {\n"
 "  on \"oven/done\" as batch: int { }\n"
 "}\n",
 NULL,
 "warning[N3]: no program publishes \"oven/done\"\n"
 "  --> case.sedge:2:6\n"
 "   2 |   on \"oven/done\" as batch: int { }\n"
 "     |      ^^^^^^^^^^^ nobody says it\n"
 "  help: say it in a rule or a task:  publish \"oven/done\" …\n"},
{"a lease of an unknown program",
 "program keeper { own valve: Valve = gate; lend valve to a }\n"
 "program a {\n"
 "  every 1h {\n"
 "    lease v = keper.valve for 20min { v.open() } revoked { }\n"
 "  }\n"
 "}\n",
 NULL,
 "error[N1]: there is no program `keper`\n"
 "  --> case.sedge:4:15\n"
 "   4 |     lease v = keper.valve for 20min { v.open() } revoked { }\n"
 "     |               ^^^^^ unknown\n"
 "  help: did you mean `keeper`?\n"},
{"a lease of an unknown handle",
 "program keeper { own valve: Valve = gate; lend valve to a }\n"
 "program a {\n"
 "  every 1h {\n"
 "    lease v = keeper.vlave for 20min { v.open() } revoked { }\n"
 "  }\n"
 "}\n",
 NULL,
 "error[N1]: keeper owns no `vlave`\n"
 "  --> case.sedge:4:15\n"
 "   4 |     lease v = keeper.vlave for 20min { v.open() } revoked { }\n"
 "     |               ^^^^^^^^^^^^ unknown\n"
 "  --> case.sedge:1:9\n"
 "   1 | program keeper { own valve: Valve = gate; lend valve to a }\n"
 "     |         ------ the program\n"
 "  help: did you mean `keeper.valve`?\n"},
{"a task that is called",
 "task work(n: int) { sleep 1s }\n"
 "program a {\n"
 "  every 1s { work(5) }\n"
 "}\n",
 NULL,
 "error[T1]: `work` is a task: it runs beside this\n"
 "  --> case.sedge:3:14\n"
 "   3 |   every 1s { work(5) }\n"
 "     |              ^^^^^^^ not spawned\n"
 "  --> case.sedge:1:6\n"
 "   1 | task work(n: int) { sleep 1s }\n"
 "     |      ---- declared here\n"
 "  help: start it:  spawn work(5)\n"},
{"a function that is spawned",
 "fn work(n: int) { }\n"
 "program a {\n"
 "  spawn work(5)\n"
 "}\n",
 NULL,
 "error[T1]: `work` is a function: it is called, not spawned\n"
 "  --> case.sedge:3:9\n"
 "   3 |   spawn work(5)\n"
 "     |         ^^^^ a function\n"
 "  --> case.sedge:1:4\n"
 "   1 | fn work(n: int) { }\n"
 "     |    ---- declared here\n"
 "  help: leave `spawn` out, or make it a task\n"},
{"a device without a mode",
 "fn shut(v: Valve) { v.close() }\n",
 NULL,
 "error[O1]: `v` is a Valve, a device: say what is done with it\n"
 "  --> case.sedge:1:12\n"
 "   1 | fn shut(v: Valve) { v.close() }\n"
 "     |            ^^^^^ a handle\n"
 "  help: ref v: Valve  only looks,  mut v: Valve  commands it,  own v: Valve  keeps it\n"},
{"waiting in a condition",
 "program a {\n"
 "  let c = chan<int>(8)\n"
 "  when c.recv() > 5 { }\n"
 "}\n",
 NULL,
 "error[T1]: a condition only looks: `recv` does not belong here\n"
 "  --> case.sedge:3:8\n"
 "   3 |   when c.recv() > 5 { }\n"
 "     |        ^^^^^^^^ not here\n"
 "  help: it stands in the body of a rule, or in a task\n"},
{"else drop of a command",
 "program a {\n"
 "  own v: Valve = gate\n"
 "  every 1s { v.open() else drop }\n"
 "}\n",
 NULL,
 "error[T1]: what is sent is dropped, a command is skipped\n"
 "  --> case.sedge:3:14\n"
 "   3 |   every 1s { v.open() else drop }\n"
 "     |              ^^^^^^^^ another `else`\n"
 "  help: write  else skip\n"},
{"adding to what may not be there",
 "program a {\n"
 "  var count: map<str, int> = [:]\n"
 "  every 1s { count[\"a\"] += 1 }\n"
 "}\n",
 NULL,
 "error[T1]: this key may not be there yet\n"
 "  --> case.sedge:3:14\n"
 "   3 |   every 1s { count[\"a\"] += 1 }\n"
 "     |              ^^^^^^^^^^ may be missing\n"
 "  help: say what holds then:  count[\"a\"] = (count[\"a\"] ?? 0) + …\n"},
{"°C added to °C",
 "program a {\n"
 "  var target = 18 °C\n"
 "  every 1s { target += 1 °C }\n"
 "}\n",
 NULL,
 "error[U1]: °C + °C\n"
 "  --> case.sedge:3:21\n"
 "   3 |   every 1s { target += 1 °C }\n"
 "     |                     ^^ temperatures can't be added\n"
 "     |              ------ a temperature with a zero of its own\n"
 "  help: only differences in K can be added or multiplied; °C - °C is K\n"},
{"an event that is no event",
 "program a {\n"
 "  on press.running { alert info \"on\" }\n"
 "}\n",
 NULL,
 "error[N1]: press has no event `running`\n"
 "  --> case.sedge:2:12\n"
 "   2 |   on press.running { alert info \"on\" }\n"
 "     |            ^^^^^^^ not an event\n"
 "  --> site.sedge:19:8\n"
 "  19 | device press: Station { id \"urn:1\"; via mqtt \"press\" json }\n"
 "     |        ----- a Station\n"
 "  help: a property changes:  when changed press.running { … }\n"},
{"a mode that is never needed",
 "program a {\n"
 "  every 1s queued 4 { alert info \"x\" }\n"
 "}\n",
 NULL,
 "warning[T2]: this body does not wait, so it is over before it could begin again\n"
 "  --> case.sedge:2:12\n"
 "   2 |   every 1s queued 4 { alert info \"x\" }\n"
 "     |            ^^^^^^^^ never needed\n"
 "  help: leave the word out\n"},
{"a name of two things",
 "record Trip { a: int }\n"
 "program a {\n"
 "  every 1s { let Trip = 1 }\n"
 "}\n",
 NULL,
 "error[N2]: `Trip` is a record\n"
 "  --> case.sedge:3:18\n"
 "   3 |   every 1s { let Trip = 1 }\n"
 "     |                  ^^^^ taken\n"
 "  --> case.sedge:1:8\n"
 "   1 | record Trip { a: int }\n"
 "     |        ---- declared here\n"},
{"a group as a value",
 "program a {\n"
 "  own all: list<Station> = stations\n"
 "  every 1s { let x = all.load }\n"
 "}\n",
 NULL,
 "error[T1]: `all` is several devices\n"
 "  --> case.sedge:3:26\n"
 "   3 |   every 1s { let x = all.load }\n"
 "     |                          ^^^^ of which one?\n"
 "  help: walk through them:  for x in all { … }   or take one:  all[0].load\n"},
{"a test of an unknown variable",
 "program a { var count = 0 }\n"
 "test \"counts\" {\n"
 "  after 1s { expect var a.cuont == 1 }\n"
 "}\n",
 NULL,
 "error[N1]: a has no variable `cuont`\n"
 "  --> case.sedge:3:27\n"
 "   3 |   after 1s { expect var a.cuont == 1 }\n"
 "     |                           ^^^^^ unknown\n"
 "  help: did you mean `count`?\n"},
{"a test's value in a wrong unit",
 "test \"hot\" {\n"
 "  press.temperature = 5 bar\n"
 "}\n",
 NULL,
 "error[U1]: `temperature` is in °C, this is a pressure (bar)\n"
 "  --> case.sedge:2:23\n"
 "   2 |   press.temperature = 5 bar\n"
 "     |                       ^^^^^ another unit\n"
 "  --> site.sedge:3:12\n"
 "   3 |   property temperature: °C  range -20..200\n"
 "     |            ----------- declared here\n"},
{"a test's action with too few arguments",
 "test \"sets\" {\n"
 "  expect action gate.set(50 %)\n"
 "}\n",
 NULL,
 "error[T1]: `set` takes 2 arguments, not 1\n"
 "  --> case.sedge:2:17\n"
 "   2 |   expect action gate.set(50 %)\n"
 "     |                 ^^^^^^^^^^^^^^ wrong number of arguments\n"
 "  --> site.sedge:15:10\n"
 "  15 |   action set(to: %, over: s)\n"
 "     |          --- declared here\n"
 "  help: without brackets the arguments may be any\n"},
