/* Rows of render_test.c: whole messages. */
/* clang-format off */
{"a wrong unit",
 "program line_guard {\n"
 "  for st in heated {\n"
 "    read temp: °C = st.temperature stale 5s\n"
 "    when temp > 80 bar for 2s { alert info \"hot\" }\n"
 "  }\n"
 "}\n",
 NULL,
 "error[U1]: °C compared with bar\n"
 "  --> case.sedge:4:15\n"
 "   4 |     when temp > 80 bar for 2s { alert info \"hot\" }\n"
 "     |               ^ units differ\n"
 "     |          ---- a temperature (°C)\n"
 "     |                 ------ a pressure (bar)\n"
 "  help: both sides must be the same quantity, as in  temp < 10 °C\n"},
{"an unknown action",
 "program p {\n"
 "  own v: Valve = gate\n"
 "  every 1h { v.shut() }\n"
 "}\n",
 NULL,
 "error[N1]: Valve has no action `shut`\n"
 "  --> case.sedge:3:16\n"
 "   3 |   every 1h { v.shut() }\n"
 "     |                ^^^^ unknown\n"
 "  help: it has open(), close(), set()\n"},
{"an unknown device",
 "program line_guard {\n"
 "  own v: Valve = plant.gaet\n"
 "  own w: Valve = gaet\n"
 "}\n",
 NULL,
 "error[N1]: there is no `plant.gaet`\n"
 "  --> case.sedge:2:18\n"
 "   2 |   own v: Valve = plant.gaet\n"
 "     |                  ^^^^^^^^^^ unknown\n"
 "  help: did you mean `gate`?\n"
 "error[N1]: there is nothing called `gaet` here\n"
 "  --> case.sedge:3:18\n"
 "   3 |   own w: Valve = gaet\n"
 "     |                  ^^^^ unknown\n"
 "  help: did you mean `gate`?\n"},
{"a missing brace",
 "program line_guard {\n"
 "  own v: Valve = gate\n"
 "  read temp: °C = press.temperature stale 5s\n"
 "  when temp > 80 °C for 2s {\n"
 "    v.open()\n"
 "  when stale temp {\n"
 "    v.open()\n"
 "  }\n"
 "}\n",
 NULL,
 "error[P1]: this `{` is never closed\n"
 "  --> case.sedge:4:28\n"
 "   4 |   when temp > 80 °C for 2s {\n"
 "     |                            ^ opened here\n"
 "  --> case.sedge:6:3\n"
 "   6 |   when stale temp {\n"
 "     |   ---- a `}` is missing before this\n"
 "  help: add the missing `}`\n"},
{"a second owner",
 "program irrigation {\n"
 "  own pump: Valve = gate\n"
 "}\n",
 "program keeper {\n"
 "  own pump: Valve = gate\n"
 "  when true { pump.open() }\n"
 "}\n",
 "error[O2]: two programs own gate\n"
 "  --> other.sedge:2:7\n"
 "   2 |   own pump: Valve = gate\n"
 "     |       ^^^^ second owner\n"
 "  --> case.sedge:2:7\n"
 "   2 |   own pump: Valve = gate\n"
 "     |       ---- owned here, by irrigation\n"
 "  help: one program commands it: move these rules into `irrigation`, where it is called `pump`, or only `read` it here\n"},
{"one thing under two names",
 "program a { own x: Valve = gate }\n",
 "program b { own y: Valve = gate2 }\n",
 "error[O2]: gate and gate2 are one physical thing, and it has two owners\n"
 "  --> other.sedge:1:17\n"
 "   1 | program b { own y: Valve = gate2 }\n"
 "     |                 ^ second owner\n"
 "  --> case.sedge:1:17\n"
 "   1 | program a { own x: Valve = gate }\n"
 "     |                 - owned here\n"
 "  --> site.sedge:26:26\n"
 "  26 | device gate2: Valve { id \"urn:20\"; via mqtt \"gate2\" json }\n"
 "     |                          -------- the same identity\n"
 "  --> site.sedge:25:25\n"
 "  25 | device gate: Valve { id \"urn:20\"; via mqtt \"gate\" json }\n"
 "     |                         -------- as this\n"
 "  help: declare the thing once, and own it in one place\n"},
{"a command past its owner",
 "program keeper {\n"
 "  own pump: Valve = gate\n"
 "}\n",
 "program other {\n"
 "  every 1min { gate.close() }\n"
 "}\n",
 "error[O3]: gate is commanded, but not owned here\n"
 "  --> other.sedge:2:16\n"
 "   2 |   every 1min { gate.close() }\n"
 "     |                ^^^^^^^^^^^^ a command needs an owner\n"
 "  --> case.sedge:2:7\n"
 "   2 |   own pump: Valve = gate\n"
 "     |       ---- owned here, by keeper\n"
 "  help: one program commands it: move these rules into `keeper`, where it is called `pump`, or only `read` it here\n"},
{"an element that lacks a part",
 "program p {\n"
 "  for st in stations {\n"
 "    own cool: Valve = st.coolant\n"
 "  }\n"
 "}\n",
 NULL,
 "error[N1]: packer has no `coolant`\n"
 "  --> case.sedge:3:26\n"
 "   3 |     own cool: Valve = st.coolant\n"
 "     |                          ^^^^^^^ missing there\n"
 "  --> case.sedge:2:7\n"
 "   2 |   for st in stations {\n"
 "     |       -- `st` is packer here\n"
 "  help: declare packer.coolant, or loop over a group whose elements all have it\n"},
{"a reading without stale",
 "program p {\n"
 "  read temp: °C = press.temperature\n"
 "}\n",
 NULL,
 "warning[S1]: nothing says when `temp` is too old to act on\n"
 "  --> case.sedge:2:8\n"
 "   2 |   read temp: °C = press.temperature\n"
 "     |        ^^^^ may be old\n"
 "  help: say how old it may be:  read temp: °C = press.temperature stale 5s\n"},
{"a wrong argument",
 "program p {\n"
 "  own v: Valve = gate\n"
 "  every 1min { v.set(50, 10s) }\n"
 "}\n",
 NULL,
 "error[U1]: `to` is in %, this is a number without a unit\n"
 "  --> case.sedge:3:22\n"
 "   3 |   every 1min { v.set(50, 10s) }\n"
 "     |                      ^^ another unit\n"
 "  --> site.sedge:15:14\n"
 "  15 |   action set(to: %, over: s)\n"
 "     |              -- declared here\n"
 "  help: give the number its unit:  50 %\n"},
{"a sum of temperatures",
 "program p {\n"
 "  read t: °C = press.temperature stale 5s\n"
 "  when (t + t) / 2 > 80 °C { }\n"
 "}\n",
 NULL,
 "error[U1]: °C + °C\n"
 "  --> case.sedge:3:11\n"
 "   3 |   when (t + t) / 2 > 80 °C { }\n"
 "     |           ^ temperatures can't be added\n"
 "     |         - a temperature with a zero of its own\n"
 "  help: only differences in K can be added or multiplied; °C - °C is K\n"},
{"a misspelt word",
 "program p {\n"
 "  wehn 1 < 2 { alert info \"x\" }\n"
 "}\n",
 NULL,
 "error[P1]: `wehn` begins no statement\n"
 "  --> case.sedge:2:3\n"
 "   2 |   wehn 1 < 2 { alert info \"x\" }\n"
 "     |   ^^^^ not a statement\n"
 "  help: did you mean `when`?\n"},
{"an unclosed parenthesis",
 "program p {\n"
 "  own v: Valve = gate\n"
 "  every 1s {\n"
 "    v.set(50 %,\n"
 "      10s\n"
 "  }\n"
 "}\n",
 NULL,
 "error[P1]: expected `)`, found `}`\n"
 "  --> case.sedge:5:10\n"
 "   5 |       10s\n"
 "     |          ^ expected `)`\n"
 "  --> case.sedge:4:10\n"
 "   4 |     v.set(50 %,\n"
 "     |          - the `(` stands here\n"},
{"tabs and wide letters",
 "program p {\n"
 "\tevery 1s {\t\talert info \"温度 é {x}\" }\n"
 "}\n",
 NULL,
 "error[N1]: there is nothing called `x` here\n"
 "  --> case.sedge:2:32\n"
 "   2 |     every 1s {      alert info \"温度 é {x}\" }\n"
 "     |                                         ^ unknown\n"},
{"a word of a later version",
 "detect press.vibration above 7.1 mm/s\n",
 NULL,
 "error[P1]: `detect` is not available in this version\n"
 "  --> case.sedge:1:1\n"
 "   1 | detect press.vibration above 7.1 mm/s\n"
 "     | ^^^^^^ not available yet\n"},
{"a property and an event of one name",
 "model Press {\n"
 "  property jam: bool\n"
 "  event    jam\n"
 "}\n",
 NULL,
 "error[N2]: `jam` is a property and an event\n"
 "  --> case.sedge:3:12\n"
 "   3 |   event    jam\n"
 "     |            ^^^ an event\n"
 "  --> case.sedge:2:12\n"
 "   2 |   property jam: bool\n"
 "     |            --- a property\n"
 "  help: a device sends both under this name: give one of them another name\n"},
{"a model without a safe action",
 "model Pump {\n"
 "  property flow: l/min\n"
 "  action start()\n"
 "}\n",
 NULL,
 "error[O5]: Pump has actions, but no safe one\n"
 "  --> case.sedge:1:7\n"
 "   1 | model Pump {\n"
 "     |       ^^^^ has no `safe`\n"
 "  --> case.sedge:3:10\n"
 "   3 |   action start()\n"
 "     |          ----- an action\n"
 "  help: say which one to run when an owner ends without handing on, as in  safe close()\n"},
{"an unmapped action",
 "model Pump {\n"
 "  action start()\n"
 "  action stop()\n"
 "  safe stop()\n"
 "}\n"
 "device pump: Pump { via bus \"7\" { start = coil 1 on } }\n",
 NULL,
 "error[M1]: the action `stop` of pump is not mapped\n"
 "  --> case.sedge:6:8\n"
 "   6 | device pump: Pump { via bus \"7\" { start = coil 1 on } }\n"
 "     |        ^^^^ not mapped here\n"
 "  --> case.sedge:3:10\n"
 "   3 |   action stop()\n"
 "     |          ---- the safe action\n"
 "  help: say what it does:  { stop = … }\n"},
