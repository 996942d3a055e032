/* Rows of parse_test.c: several mistakes in one text, what is said, and the tree of the rest. */
/* clang-format off */
{"several statements",
 "program p {\n"
 "  own v: Valve = \n"
 "  every 1s {\n"
 "    let x = = 1\n"
 "    v.open(\n"
 "    v.close()\n"
 "    if x = 2 { v.open() }\n"
 "    xs.push 5\n"
 "  }\n"
 "  var y = )\n"
 "  var z = 1\n"
 "}\n",
 "P1 2:17 expected the path of what is owned, found the end of the line\n"
 "P1 4:13 expected an expression, found `=`\n"
 "P1 6:14 expected `)`, found the end of the line\n"
 "P1 7:10 expected `{` after the condition, found `=` | two values are compared with `==`\n"
 "P1 8:13 expected the end of the line after this, found `5`\n"
 "P1 10:11 expected an expression, found `)`",
 "program p [(every 1s {!})(var z 1)]"},
{"a missing brace before a rule",
 "program p {\n"
 "  when a {\n"
 "    if b {\n"
 "      v.open()\n"
 "    v.close()\n"
 "  }\n"
 "  every 5s { v.open() }\n"
 "}\n"
 "program q { }\n",
 "P1 3:10 this `{` is never closed | add the missing `}`",
 "program p [(when a {(if b {(do (call v.open))(do (call v.close))})})(every 5s {(do (call v.open))})]\n"
 "program q []"},
{"a missing brace before a program",
 "program p {\n"
 "  when a {\n"
 "    v.open()\n"
 "  }\n"
 "\n"
 "program q {\n"
 "  var x = 1\n"
 "}\n",
 "P1 1:11 this `{` is never closed | add the missing `}`",
 "program p [(when a {(do (call v.open))})]\n"
 "program q [(var x 1)]"},
{"a missing brace before a task",
 "fn f() {\n"
 "  if a { b()\n"
 "task t() {\n"
 "  sleep 5s\n"
 "}\n"
 "record R { x: int }\n",
 "P1 2:8 this `{` is never closed | add the missing `}`, one for each",
 "fn f () {(if a {(do (call b))})}\n"
 "task t () {(sleep 5s)}\n"
 "record R x:int"},
{"a missing parenthesis",
 "program p {\n"
 "  when a { f(1, g(2) }\n"
 "  when b {\n"
 "    f((1 + 2)\n"
 "    g(3\n"
 "    let x = h(4)\n"
 "    k()\n"
 "  }\n"
 "  var x = [1, 2\n"
 "  var y = 3\n"
 "  every 5s { }\n"
 "}\n",
 "P1 2:22 expected `)`, found `}`\n"
 "P1 4:14 expected `)`, found the end of the line\n"
 "P1 5:8 expected `)`, found the end of the line\n"
 "P1 9:16 expected `,` or `]`, found the end of the line",
 "program p [(when a {!})(when b {(let x (call h 4))(do (call k))!})(var y 3)(every 5s {})]"},
{"a closing brace too much",
 "program p {\n"
 "  when a { f() } }\n"
 "  every 5s { g() }\n"
 "}\n"
 "program q { }\n",
 "P1 2:18 the program ends at this `}`, but goes on behind it | is there a `}` too much in it?",
 "program p [(when a {(do (call f))})]\n"
 "program q []"},
{"a text without an end",
 "program p {\n"
 "  when a { alert info \"hot }\n"
 "  every 5s { alert info \"cold\" }\n"
 "  when b { f() }\n"
 "}\n"
 "program q { var x = 1 }\n",
 "P1 2:23 this text has no closing \" on its line",
 "program p [(when a {!})(every 5s {(host 0.0 \"cold\")})(when b {(do (call f))})]\n"
 "program q [(var x 1)]"},
{"in arms",
 "fn f() {\n"
 "  match x {\n"
 "    1 => f(\n"
 "    2 = g()\n"
 "    case 3: h()\n"
 "    4 => { k( }\n"
 "    5 => h()\n"
 "  }\n"
 "  select {\n"
 "    c.recv() -> f()\n"
 "    let t = d.recv() => g()\n"
 "    after 5s => f()\n"
 "  }\n"
 "  g()\n"
 "}\n",
 "P1 4:7 expected `)`, found `=` | two values are compared with `==`\n"
 "P1 5:10 expected `=>` and what to do, found `3` | an arm of `match` is written  value => …\n"
 "P1 6:15 expected `)`, found `}`\n"
 "P1 10:14 expected `=>`, found `->` | `->` stands before the type of a result\n"
 "P1 11:5 expected `name = channel.recv()`, found `let` | an arm declares its name by itself",
 "fn f () {(match x (case 4 {!}) (case 5 {(do (call h))}))(select (after 5s {(do (call f))}))(do (call g))}"},
{"in records and lists",
 "fn f() {\n"
 "  let a = P{x: 1, 2}\n"
 "  let b = P{\n"
 "    x: 1\n"
 "    y: 2\n"
 "  }\n"
 "  let c = P{\n"
 "    x: = 1,\n"
 "    y: 2\n"
 "  }\n"
 "  let d = [1, , 2]\n"
 "  let e = if a { 1 +\n"
 "  } else { 2 }\n"
 "  let g = if a { 1 } else { let x = 2 }\n"
 "  let h = xs.map(x => { return 1 })\n"
 "  h()\n"
 "}\n",
 "P1 2:19 expected the name of a field, found `2`\n"
 "P1 5:5 expected `,` or `}`, found `y` | the fields of a record stand apart with `,`\n"
 "P1 8:8 expected an expression, found `=`\n"
 "P1 11:15 expected an expression, found `,`\n"
 "P1 12:21 expected an expression, found the end of the line | an expression goes on over lines inside ( )\n"
 "P1 14:29 `let` is a word of the language and can't be a name here; expected an expression\n"
 "P1 15:23 one expression follows `=>` here | a function with statements is written  fn(x: int) -> int { … }",
 "fn f () {(do (call h))!}"},
{"in declarations",
 "record R {\n"
 "  x\n"
 "  y: list[int]\n"
 "  z: int\n"
 "}\n"
 "enum E { a, 1, b }\n"
 "fn f(x) { g() }\n"
 "fn g(x: int { h() }\n"
 "fn h(x: int) -> { k() }\n"
 "task t() -> int { }\n"
 "recrod Q { x: int }\n"
 "test \"a\" {\n"
 "  p.x == 5\n"
 "  after 5s expect alert\n"
 "  expect no p.x\n"
 "  expect alert loud\n"
 "}\n"
 "test { }\n"
 "program p {\n"
 "  at 25:00 { f() }\n"
 "  at 05:00 on monday { f() }\n"
 "  lend x to a priority\n"
 "  lend y b\n"
 "  idle { }\n"
 "  on x.y() { }\n"
 "}\n",
 "P1 2:4 expected `:` and the field's type, found the end of the line\n"
 "P1 3:10 expected `<` and a type, found `[` | as in  list<int>\n"
 "P1 6:13 expected the name of a value, found `1`\n"
 "P1 7:7 expected `:` and the parameter's type, found `)` | as in  fn f(x: int, t: °C)\n"
 "P1 8:13 expected `,` or `)`, found `{`\n"
 "P1 9:17 expected a type, found `{`\n"
 "P1 10:10 a task gives no result | it can send one over a channel that it is given\n"
 "P1 11:1 `recrod` begins no declaration | did you mean `record`?\n"
 "P1 13:7 expected `=` and a value, `stale`, `refuses` or `()`, found `==` | to compare, write  expect …\n"
 "P1 14:12 expected `{` after the time, found `expect` | a body stands in braces\n"
 "P1 15:13 expected what must not happen, found `p` | a value is compared:  expect not x, expect x != 5\n"
 "P1 16:16 `alert` is followed by info, warning or critical, not by `loud` | as in:  alert warning \"text\"\n"
 "P1 18:6 expected the test's name in quotes, found `{`\n"
 "P1 20:6 a time of day is written hh:mm or hh:mm:ss | as in  at 05:00, at 22:30:15\n"
 "P1 21:15 `monday` is no day | did you mean `mon`?\n"
 "P1 22:23 expected an expression, found the end of the line\n"
 "P1 23:10 expected `to` and a program, found `b` | as in  lend name to program max 30min\n"
 "P1 24:8 expected the name of a handle, found `{`\n"
 "P1 25:9 expected `{` after the event, found `(` | here an event stands without `()`",
 "program p []\n"
 "record R z:int\n"
 "enum E a\n"
 "test \"a\" {!}"},
{"in the heads of rules",
 "program p {\n"
 "  when { f() }\n"
 "  when a > { f() }\n"
 "  when a for { f() } until { g() }\n"
 "  when a queued 100 { f() }\n"
 "  every { f() }\n"
 "  for x in 0..5 { own v: Valve = x.v }\n"
 "  when ok { f() }\n"
 "}\n",
 "P1 2:8 expected an expression, found `{`\n"
 "P1 3:12 expected an expression, found `{`\n"
 "P1 4:14 expected an expression, found `{`\n"
 "P1 5:17 a rule queues 1 to 64 runs\n"
 "P1 6:9 expected an expression, found `{`\n"
 "P1 7:12 expected a group, found `0` | a program's `for` is unrolled over a group: for st in plant.stations { … }; a loop that runs stands in a body or a function",
 "program p [(when ok {(do (call f))})]"},
{"another language altogether",
 "automation:\n"
 "  - alias: \"x\"\n"
 "    trigger:\n"
 "      platform: state\n",
 "P1 1:1 `automation` begins no declaration | rules stand in a  program name { … }",
 ""},
{"and another one",
 "def on_change(x):\n"
 "    if x > 5:\n"
 "        pump.on()\n"
 "\n"
 "int main() {\n"
 "  for (int i = 0; i < 5; i++) { printf(\"x\"); }\n"
 "  return 0;\n"
 "}\n",
 "P1 1:1 `def` begins no declaration | a function begins with `fn`\n"
 "P1 5:1 `int` begins no declaration | a variable is declared as in  var x: int = 1",
 ""},
{"a lease without its end",
 "program p {\n"
 "  every 1h {\n"
 "    lease v = a.b for 5s { v.open() }\n"
 "    lease w = a.c for 5s { w.open() } denied { }\n"
 "    lease x = a.d { x.open() } revoked { }\n"
 "  }\n"
 "}\n",
 "O11 3:5 a lease says what happens when it is taken back | add after its block:  revoked { … }\n"
 "O11 4:5 a lease says what happens when it is taken back | add after its block:  revoked { … }\n"
 "P1 5:19 expected `for` and how long, found `{` | as in  lease x = program.name for 20min { … } revoked { … }",
 "program p [(every 1h {(lease v a.b 5s {(do (call v.open))})(lease w a.c 5s {(do (call w.open))} denied {})!})]"},
{"two missing braces",
 "program p {\n"
 "  when a {\n"
 "    if b {\n"
 "      f()\n"
 "  when c {\n"
 "    g()\n"
 "}\n"
 "program q { }\n",
 "P1 3:10 this `{` is never closed | add the missing `}`, one for each\n"
 "P1 5:10 this `{` is never closed | add the missing `}`",
 "program p [(when a {(if b {(do (call f))})})(when c {(do (call g))})]\n"
 "program q []"},
{"else without an if",
 "fn f() {\n"
 "  if a { f() };\n"
 "  else { g() }\n"
 "  elif b { h() }\n"
 "  v.open() else\n"
 "  k()\n"
 "}\n",
 "P1 3:3 `else` belongs to the statement before it\n"
 "P1 4:3 `elif` begins no statement | an `if` goes on with `else if`\n"
 "P1 5:16 expected `skip`, `drop` or `{`, found the end of the line | a command has `else skip`, a send `else drop`, both `else { … }`",
 "fn f () {(if a {(do (call f))})(do (call k))!}"},
{"unbalanced in a record",
 "fn f() {\n"
 "  let a = P{x: 1\n"
 "  let b = 2\n"
 "  g()\n"
 "}\n"
 "fn h() { }\n",
 "P1 3:3 expected `,` or `}`, found `let` | the fields of a record stand apart with `,`",
 "fn f () {(do (call g))!}\n"
 "fn h () {}"},
