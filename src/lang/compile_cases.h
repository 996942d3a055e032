/* compile_cases: programs and what they say. `decls` stand beside the program, `items` in it,
 * `body` is that of its last rule; each "text;" of `said` is an alert. */
#pragma once

struct run_case {
    const char *label, *decls, *items, *body, *said;
};

static const struct run_case value_cases[] = {
    /* arithmetic */
    {"ints", "", "", "var x = 7; alert info \"{x / 2} {x mod 4} {x * x} {x - 9} {9 - x} {-x}\"",
     "3 3 49 -2 2 -7;"},
    {"ints by constants", "", "",
     "var x = -7; alert info \"{x + 3} {3 + x} {x - 3} {3 - x} {x * 4} {4 * x} {x / 2} {x mod 2}\"",
     "-4 -4 -10 10 -28 -28 -3 -1;"},
    {"large constants", "", "",
     "var x = 1; alert info \"{x + 5000000000} {5000000000 - x} {x * 5000000000} {x - "
     "5000000000}\"",
     "5000000001 4999999999 5000000000 -4999999999;"},
    {"negative divisors", "", "", "var x = 7; alert info \"{x / -2} {x mod -2} {x - -2147483648}\"",
     "-3 1 2147483655;"},
    {"floats", "", "",
     "var x = 7.5; alert info \"{x / 2} {x mod 4} {x * x} {x - 9} {9 - x} {15 / x} {2 + x} {-x}\"",
     "3.75 3.5 56.25 -1.5 1.5 2 9.5 -7.5;"},
    {"an int among floats", "", "",
     "var i = 7; var x = 0.5; alert info \"{i * x} {x - i} {i / 2.0} {max(i, x)}\"",
     "3.5 -6.5 3.5 7;"},
    {"times one", "", "", "var x = 2.5; let t = x * 1 K; alert info \"{t} {t / 1 K}\"",
     "2.5 K 2.5;"},
    {"into itself", "", "",
     "var x = 3; var y = 4; x = y * 2 + x * x - x; y = y - (x - y) * 2; alert info \"{x} {y}\"",
     "14 -16;"},
    {"compound", "", "",
     "var x = 10; x += 5; x -= 3; x *= 4; x /= 5; var f = 1.5; f *= 2; f -= 0.5; f /= 2; f += x\n"
     "alert info \"{x} {f}\"",
     "9 10.25;"},
    {"time", "", "",
     "let t = now(); let later = t + 90s; alert info \"{later - t} {later > t} {later - 1min < "
     "t}\"",
     "90 s true false;"},
    {"built in", "", "",
     "var x = -2.5; var i = -3; alert info \"{abs(x)} {abs(i)} {floor(x)} {ceil(x)} {round(x)} "
     "{int(x)} {float(i)} {sqrt(x * x)} {pow(x, 2)}\"",
     "2.5 3 -3 -2 -3 -2 -3 2.5 6.25;"},
    {"least of many", "", "",
     "var x = 3; var y = 9; x = min(y, 5, x); y = max(1, y, 12, y); alert info \"{x} {y}\"",
     "3 12;"},
    {"exp, log, sin, cos", "", "",
     "var x = 0.0; alert info \"{exp(x)} {log(exp(x + 1))} {sin(x)} {cos(x)}\"", "1 1 0 1;"},
    {"random", "", "", "alert info \"{random()} {random() < 1}\"", "0.25 true;"},
    /* truth */
    {"comparisons", "", "",
     "var x = 2; var y = 3\n"
     "alert info \"{x < y} {x <= y} {x > y} {x >= y} {x == y} {x != y} {2 < x} {3 >= y}\"",
     "true true false false false true false true;"},
    {"comparisons that jump",
     "fn f(x: int, y: int) -> str {\n"
     "  var r = \"\"\n"
     "  if x < y { r = \"{r}<\" }; if x <= y { r = \"{r}≤\" }\n"
     "  if x > y { r = \"{r}>\" }; if x >= y { r = \"{r}≥\" }\n"
     "  if x == y { r = \"{r}=\" }; if x != y { r = \"{r}≠\" }\n"
     "  if not x < y { r = \"{r}!<\" }; if not x == y { r = \"{r}!=\" }\n"
     "  return r\n}",
     "", "alert info \"{f(1, 2)} {f(2, 2)} {f(3, 2)}\"", "<≤≠!= ≤≥=!< >≥≠!<!=;"},
    {"against constants",
     "fn f(x: int) -> str {\n"
     "  var r = \"\"\n"
     "  if x < 5 { r = \"{r}<\" }; if x <= 5 { r = \"{r}≤\" }; if x > 5 { r = \"{r}>\" }\n"
     "  if x >= 5 { r = \"{r}≥\" }; if x == 5 { r = \"{r}=\" }; if x != 5 { r = \"{r}≠\" }\n"
     "  if 5 < x { r = \"{r}a\" }; if 100000 > x { r = \"{r}b\" }; if x == 100000 { r = \"{r}c\" "
     "}\n"
     "  return r\n}",
     "", "alert info \"{f(4)} {f(5)} {f(6)} {f(100000)}\"", "<≤≠b ≤≥=b >≥≠ab >≥≠ac;"},
    {"floats that jump",
     "fn f(x: float, y: float) -> str {\n"
     "  var r = \"\"\n"
     "  if x < y { r = \"{r}<\" }; if x <= y { r = \"{r}≤\" }; if x > y { r = \"{r}>\" }\n"
     "  if x >= y { r = \"{r}≥\" }; if x == y { r = \"{r}=\" }; if x != y { r = \"{r}≠\" }\n"
     "  if not x < y { r = \"{r}!\" }; if x < 2.5 { r = \"{r}a\" }; if not x > 2.5 { r = \"{r}b\" "
     "}\n"
     "  return r\n}",
     "", "alert info \"{f(1, 2)} {f(2, 2)} {f(3, 2)}\"", "<≤≠ab ≤≥=!ab >≥≠!;"},
    {"not a number",
     "fn f(x: float) -> str {\n"
     "  var r = \"\"\n"
     "  if x < 1 { r = \"{r}<\" }; if x >= 1 { r = \"{r}≥\" }; if not x < 1 { r = \"{r}!\" }\n"
     "  if x == x { r = \"{r}=\" }; if x != x { r = \"{r}≠\" }; if not x > x { r = \"{r}?\" }\n"
     "  while x < 5 { r = \"{r}loop\"; break }\n"
     "  return r\n}",
     "", "var z = 0.0; alert info \"{f(z / z)}\"", "!≠?;"},
    {"and, or, not",
     "fn f(a: bool, b: bool) -> str { return \"{a and b}{a or b}{not a}{a and not b or b and not "
     "a}\" }",
     "", "alert info \"{f(true, false)} {f(true, true)} {f(false, false)}\"",
     "falsetruefalsetrue truetruefalsefalse falsefalsetruefalse;"},
    {"what is not reached has no effect",
     "fn loud(xs: list<int>, b: bool) -> bool { xs.push(1); return b }", "",
     "let n: list<int> = []\n"
     "let a = false and loud(n, true); let b = true or loud(n, true)\n"
     "if loud(n, false) and loud(n, true) { alert info \"no\" }\n"
     "if loud(n, true) or loud(n, true) { alert info \"{a} {b} {n.len()}\" }",
     "false true 2;"},
    {"bools compared", "", "",
     "var a = true; var b = false; if a == true and b != true and a != b and not (a == b) "
     "{ alert info \"{a == b} {a != b}\" }",
     "false true;"},
    {"texts compared", "", "",
     "var a = \"x\"; if a == \"x\" and a != \"y\" { alert info \"{a == \"x\"} {a != \"x\"}\" }",
     "true false;"},
    {"data compared", "record P { x: int; y: list<str> }", "",
     "let a = P{1, [\"k\"]}; let b = P{1, [\"k\"]}; let c = P{1, [\"l\"]}\n"
     "if a == b and a != c { alert info \"{a == b} {a == c} {[1, 2] == [1, 2]} {[1: 2] != [1: "
     "3]}\" }",
     "true false true true;"},
    /* if, match */
    {"if as a value",
     "fn f(n: int) -> int { return if n < 0 { -1 } else if n > 0 { 1 } else { 0 } }", "",
     "var x = 5; x = if x > 3 { x * 2 } else { x }; alert info \"{f(-9)} {f(0)} {f(7)} {x}\"",
     "-1 0 1 10;"},
    {"if as a float", "", "",
     "var c = true; let x: float = if c { 1 } else { 2.5 }; alert info \"{x / 2}\"", "0.5;"},
    {"branches of two kinds",
     "fn f(c: bool, x: float, n: int) -> float { return (if c { x } else { n }) / 2 }", "",
     "alert info \"{f(true, 3, 5)} {f(false, 3, 5)}\"", "1.5 2.5;"},
    {"branches that are never taken", "", "",
     "if true { alert info \"a\" } else { alert info \"b\" }; if false { alert info \"c\" }\n"
     "while false { alert info \"d\" }; if 1 > 2 or true { alert info \"e\" }",
     "a;e;"},
    {"match of ints",
     "fn f(n: int) -> str {\n"
     "  match n { 0 => return \"zero\"; 1 or 2 or 3 => { return \"few\" }; 4 .. 100 => return "
     "\"many\"\n"
     "    -1 => return \"less\"; _ => return \"?\" }\n"
     "}",
     "", "alert info \"{f(0)} {f(2)} {f(4)} {f(99)} {f(100)} {f(-1)} {f(-5)}\"",
     "zero few many many ? less ?;"},
    {"match of an enum",
     "enum Mode { eco, comfort, away }\n"
     "fn f(m: Mode) -> int { match m { eco => return 1; Mode.comfort or away => return 2 } }",
     "", "alert info \"{f(Mode.eco)} {f(Mode.away)} {Mode.comfort}\"", "1 2 comfort;"},
    {"match of texts and bools",
     "fn f(s: str) -> int { match s { \"a\" or \"b\" => return 1; _ => return 2 } }\n"
     "fn g(b: bool) -> int { match b { true => return 1; false => return 0 } }",
     "", "alert info \"{f(\"a\")}{f(\"b\")}{f(\"c\")} {g(true)}{g(false)}\"", "112 10;"},
    {"match of floats",
     "fn f(t: °C) -> str { match t { 0 °C .. 20 °C => return \"cool\"; 20 °C => return "
     "\"just\"; _ => return \"?\" } }",
     "", "alert info \"{f(0 °C)} {f(19.9 °C)} {f(20 °C)} {f(21 °C)}\"", "cool cool just ?;"},
    {"match of an optional",
     "fn f(x: int?) -> int { match x { none => return -1; 0 => return 0; some n => return n * 2 } "
     "}",
     "", "alert info \"{f(none)} {f(0)} {f(21)}\"", "-1 0 42;"},
    {"match goes on behind", "", "",
     "var n = 2; match n { 1 => alert info \"one\"; 2 => alert info \"two\"; _ => alert info \"?\" "
     "}\n"
     "alert info \"on\"",
     "two;on;"},
    /* loops */
    {"while", "", "",
     "var i = 0; var s = 0; while i < 5 { s += i; i += 1 }; alert info \"{s} {i}\"", "10 5;"},
    {"while with and, or, not", "", "",
     "var i = 0; var go = true; while i < 10 and go { i += 1; if i == 4 { go = false } }\n"
     "var j = 9; while j == 9 or j > 6 { j -= 1 }; while not (j >= 8) { j += 1 }\n"
     "var x = 0.5; while x < 4 { x *= 2 }; while not go { go = true }; alert info \"{i} {j} {x} "
     "{go}\"",
     "4 8 4 true;"},
    {"while with what never is", "", "", "var i = 5; while i < 5 { i += 1 }; alert info \"{i}\"",
     "5;"},
    {"loop, break, continue", "", "",
     "var i = 0; var s = 0; loop { i += 1; if i mod 2 == 0 { continue }; if i > 9 { break }; s += "
     "i }\n"
     "alert info \"{i} {s}\"",
     "11 25;"},
    {"for in a range", "", "",
     "var s = 0; for i in 0 .. 5 { s += i }; for i in 3 .. 3 { s += 100 }; for i in 5 .. 0 { s += "
     "100 }\n"
     "alert info \"{s}\"",
     "10;"},
    {"the range is looked at once", "", "",
     "var n = 3; var s = 0; for i in 0 .. n { n += 1; s += i }; alert info \"{s} {n}\"", "3 6;"},
    {"continue and break in for", "", "",
     "var s = 0; for i in 0 .. 100 { if i mod 3 != 0 { continue }; if i > 10 { break }; s += i }\n"
     "alert info \"{s}\"",
     "18;"},
    {"for over a list", "", "",
     "var s = \"\"; for x in [3, 1, 2] { s = \"{s}{x}\" }; for i, x in [\"a\", \"b\"] { s = \"{s} "
     "{i}{x}\" }\n"
     "alert info \"{s}\"",
     "312 0a 1b;"},
    {"the list that is walked stays", "", "",
     "var xs = [1, 2, 3]; var s = 0; for x in xs { xs = [9]; s += x }; alert info \"{s} {sh(xs)}\"",
     "6 [9];"},
    {"a list that grows", "", "",
     "let xs = [1]; for x in xs { if x < 5 { xs.push(x + 1) } }; alert info \"{sh(xs)}\"",
     "[1, 2, 3, 4, 5];"},
    {"for over a map", "", "",
     "let m = [\"a\": 1, \"b\": 2]; var s = 0; var n = 0; for k, v in m { s += v; n += k.len() }\n"
     "for k in m { n += 10 }; alert info \"{s} {n}\"",
     "3 22;"},
    {"loops in loops", "", "",
     "var s = 0; for i in 0 .. 4 { var j = i; while j > 0 { for k in 0 .. j { if k == 2 { break }; "
     "s += 1 }; "
     "j -= 1 } }; alert info \"{s}\"",
     "9;"},
    {"constants in loops", "", "",
     "let xs: list<bool> = list(10, false); var s = 0; var t = 0.25\n"
     "for i in 0 .. 10 { xs[i] = true; if i > 4 { s += 70000 }; while t < 2.0 { t = t + 0.5; xs[3] "
     "= false } }\n"
     "for i in 0 .. 10 { if xs[i] == false { s += i } }; alert info \"{s} {t}\"",
     "350000 2.25;"},
    {"return from a loop",
     "fn f(xs: list<int>, x: int) -> int { for i, y in xs { if y == x { return i } }; return -1 }",
     "", "alert info \"{f([5, 6, 7], 7)} {f([5], 1)}\"", "2 -1;"},
    {"for over devices", "", "",
     "var s = \"\"; for st in stations { s = \"{s}{st.name} \" }; for st in stations { if st.name "
     "== \"oven\" "
     "{ break }; s = \"{s}{st.name}\" }; alert info \"{s}\"",
     "press oven packer press;"},
    /* functions, closures */
    {"recursion", "fn fib(n: int) -> int { if n < 2 { return n }; return fib(n - 1) + fib(n - 2) }",
     "", "alert info \"{fib(15)}\"", "610;"},
    {"arguments of all kinds",
     "fn f(a: int, b: float, c: str, d: bool, e: list<int>) -> str { return \"{a} {b} {c} {d} "
     "{sh(e)}\" }\n"
     "fn g(n: int) -> int { return n + 1 }",
     "", "var x = 2; alert info f(g(x), x, \"{x}!\", x > 1 and x < 3, [x, g(g(x))])",
     "3 2 2! true [2, 4];"},
    {"arguments in order",
     "fn f(a: int, b: int?, c: int) -> int { return a * 100 + (b ?? 5) * 10 + c }\n"
     "fn id(n: int) -> int { return n }",
     "",
     "let m: map<str, int> = [:]; alert info \"{f(1, m[\"x\"], id(2))} {f(id(3), 4, 5)} {f(6, "
     "id(7), id(8))}\"",
     "152 345 678;"},
    {"nothing comes back", "fn f(xs: list<int>) { xs.push(1); if xs.len() > 1 { return }; f(xs) }",
     "", "let xs: list<int> = []; f(xs); alert info \"{sh(xs)}\"", "[1, 1];"},
    {"closures",
     "fn apply(f: fn(int) -> int, x: int) -> int { return f(f(x)) }\nfn twice(x: int) -> int { "
     "return x * 2 }",
     "",
     "var n = 10; let add = fn(x: int) -> int { return x + n }; n = 1\n"
     "alert info \"{add(1)} {apply(add, 1)} {apply(x => x * 3, 1)} {apply(twice, 3)}\"",
     "11 21 9 12;"},
    {"closures in closures", "", "",
     "let a = 1; let make = fn(b: int) -> fn(int) -> int { return fn(c: int) -> int { return a + b "
     "* 10 + c * 100 } }\n"
     "let f = make(2); alert info \"{f(3)} {make(4)(5)}\"",
     "321 541;"},
    {"functions in lists", "", "",
     "let fs: list<fn(int) -> int> = [fn(x: int) -> int { return x + 1 }, fn(x: int) -> int { "
     "return x * 2 }]; var v = 5; for f in fs { v = f(v) }\n"
     "alert info \"{v} {fs[0](1)}\"",
     "12 2;"},
    /* optionals */
    {"none and ??",
     "fn f(x: int?, y: float?, s: str?, b: bool?) -> str { return \"{x ?? 1} {y ?? 2.5} {s ?? "
     "\"-\"} {b ?? true}\" }",
     "", "alert info \"{f(none, none, none, none)} {f(3, 4, \"x\", false)}\"",
     "1 2.5 - true 3 4 x false;"},
    {"?? into itself", "", "",
     "var x: int? = none; let y: int? = none; x = y ?? x; var z = 4; z = y ?? z; alert info \"{x "
     "?? 7} {z}\"",
     "7 4;"},
    {"?? in a row", "", "",
     "let a: int? = none; let b: int? = 2; alert info \"{a ?? b ?? 3} {a ?? none ?? 3}\"", "2 3;"},
    {"if let",
     "fn f(x: int?) -> int { if let n = x { return n } else { return -1 } }\n"
     "fn g(s: str?) -> int { return if let t = s { t.len() } else { 0 } }",
     "", "alert info \"{f(4)} {f(none)} {g(\"abc\")} {g(none)}\"", "4 -1 3 0;"},
    {"== none",
     "enum E { a, b }\nrecord R { x: int }\n"
     "fn f(i: int?, d: float?, b: bool?, s: str?, e: E?, r: R?) -> str {\n"
     "  var t = \"{i == none}{d == none}{b == none}{s == none}{e == none}{r == none} \"\n"
     "  if i != none and d != none and b != none and s != none and e != none and r != none { t = "
     "\"{t}all\" }\n"
     "  return t\n}",
     "", "alert info \"{f(none, none, none, none, none, none)}|{f(1, 1, true, \"\", E.a, R{1})}\"",
     "truetruetruetruetruetrue |falsefalsefalsefalsefalsefalse all;"},
    {"optional fields",
     "record Node { value: int; next: Node? }\n"
     "fn sum(n: Node) -> int { var s = n.value; var at = n.next; loop { if let x = at { s += "
     "x.value; at = x.next } else { break } }; return s }",
     "", "alert info \"{sum(Node{1, Node{2, Node{3, none}}})}\"", "6;"},
};

static const struct run_case data_cases[] = {
    /* records */
    {"records", "record P { x: int; y: float; name: str }", "",
     "let p = P{1, 2, \"a\"}; let q = P{name: \"b\", x: 3, y: 0.5}; p.x += q.x; p.y -= 1; q.name = "
     "\"{q.name}{p.name}\"\n"
     "alert info \"{p.x} {p.y} {q.name} {q.x}\"",
     "4 1 ba 3;"},
    {"records in records", "record Aa { n: int }\nrecord Bb { a: Aa; as: list<Aa> }", "",
     "let b = Bb{Aa{1}, [Aa{2}, Aa{3}]}; b.a.n += 10; b.as[1].n *= 7; b.a = b.as[0]; b.a.n = 9\n"
     "alert info \"{b.a.n} {b.as[0].n} {b.as[1].n}\"",
     "9 9 21;"},
    {"records are shared", "record Aa { n: int }\nfn f(a: Aa) { a.n += 1 }", "",
     "let a = Aa{1}; f(a); f(a); alert info \"{a.n}\"", "3;"},
    /* lists */
    {"lists", "", "",
     "let xs = [3, 1, 2]; xs.push(9); let p = xs.pop() ?? 0; xs.insert(0, 7); let r = "
     "xs.remove(1); xs[0] += 1\n"
     "alert info \"{sh(xs)} {p} {r} {xs.len()} {xs.first() ?? 0} {xs.last() ?? 0} {xs.get(5) ?? "
     "-1} {xs.get(0) ?? -1}\"",
     "[8, 1, 2] 9 3 3 8 2 -1 8;"},
    {"sort, reverse, contains, in, clear", "", "",
     "let xs = [3, 1, 2]; xs.sort(); let a = sh(xs); xs.reverse(); let b = xs.contains(2) and 3 in "
     "xs and not (9 in xs)\n"
     "let ys = [\"b\", \"a\"]; ys.sort(); let zs = [1.5, -1]; zs.sort(); alert info \"{a} {sh(xs)} "
     "{b} {shs(ys)} {shf(zs)}\"; xs.clear(); alert info \"{xs.len()}\"",
     "[1, 2, 3] [3, 2, 1] true [a, b] [-1, 1.5];0;"},
    {"an empty list", "", "",
     "let xs: list<int> = []; alert info \"{xs.pop() ?? -1} {xs.first() ?? -2} {xs.last() ?? -3}\"",
     "-1 -2 -3;"},
    {"list(n, x)", "", "",
     "var n = 3; let xs = list(n, 1.5); xs[1] = 2; alert info \"{shf(xs)} {list(2, true).len()}\"",
     "[1.5, 2, 1.5] 2;"},
    {"a long list", "", "",
     "let xs = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]; alert info "
     "\"{xs.len()} {xs[19]}\"",
     "20 20;"},
    {"lists of lists", "", "",
     "let g = [[1, 2], [3]]; g[1].push(4); g[0][1] *= 5; var s = 0; for r in g { for x in r { s += "
     "x } }; alert info \"{sh(g[0])} {sh(g[1])} {s}\"",
     "[1, 10] [3, 4] 18;"},
    {"ints in a list of floats", "", "",
     "let xs: list<float> = [1, 2.5]; xs.push(3); xs[0] = 7; alert info \"{shf(xs)}\"",
     "[7, 2.5, 3];"},
    {"the index is computed once", "fn next(at: list<int>) -> int { at[0] += 1; return at[0] }", "",
     "let at = [0]; let xs = [10, 20, 30]; xs[next(at)] += 5; alert info \"{sh(xs)} {sh(at)}\"",
     "[10, 25, 30] [1];"},
    {"map, filter, any, all", "", "",
     "let xs = [1, 2, 3, 4]; var k = 10; let ys = xs.map(x => x * k).filter(x => x > 15)\n"
     "alert info \"{sh(ys)} {xs.any(x => x == 3)} {xs.any(x => x > 9)} {xs.all(x => x > 0 and x < "
     "5)} {xs.all(x => x != 2)}\"",
     "[20, 30, 40] true false true false;"},
    {"map to another type", "", "",
     "let xs = [1, 2].map(x => \"<{x}>\"); let fs: list<float> = [1, 2].map(x => x / 2.0); alert "
     "info \"{shs(xs)} {shf(fs)}\"",
     "[<1>, <2>] [0.5, 1];"},
    {"map into itself", "", "",
     "var xs = [1, 2, 3]; xs = xs.map(x => x + xs.len()); xs = xs.filter(x => x != 5); alert info "
     "\"{sh(xs)}\"",
     "[4, 6];"},
    {"map with a closure", "fn odd(n: int) -> bool { return n mod 2 == 1 }", "",
     "let f = fn(x: int) -> int { if x > 2 { return 0 }; return x }; let xs = [1, 2, 3]\n"
     "alert info \"{sh(xs.map(f))} {sh(xs.filter(odd))} {xs.any(odd)} {xs.all(odd)} "
     "{sh(xs.map(fn(x: int) -> int { let y = x * x; return y + 1 }))}\"",
     "[1, 2, 0] [1, 3] true false [2, 5, 10];"},
    {"lambdas in lambdas", "", "",
     "let xs = [1, 2]; let ys = [10, 20]; for zs in xs.map(x => ys.map(y => x + y)) { alert info "
     "sh(zs) }",
     "[11, 21];[12, 22];"},
    /* maps */
    {"maps", "", "",
     "let m: map<str, int> = [\"a\": 1]; m[\"b\"] = 2; m[\"a\"] = (m[\"a\"] ?? 0) + 5; let r = "
     "m.remove(\"b\") ?? -1; let q = m.remove(\"x\")\n"
     "alert info \"{m[\"a\"] ?? 0} {m.len()} {m.has(\"a\")} {\"b\" in m} {r} {q == none} "
     "{m.get(\"zz\") ?? 7}\"",
     "6 1 true false 2 true 7;"},
    {"maps of many kinds", "enum E { a, b }", "",
     "let m: map<int, list<int>> = [:]; m[3] = [1]; if let l = m[3] { l.push(2) }; let e: map<E, "
     "float> = [E.a: 1]; e[E.b] = 2\n"
     "alert info \"{sh(m[3] ?? [])} {e[E.b] ?? 0} {sh(m.keys())} {sh(m.values()[0])}\"; m.clear(); "
     "alert info \"{m.len()}\"",
     "[1, 2] 2 [3] [1, 2];0;"},
    /* texts */
    {"texts", "", "",
     "var s = \"  Grüße  \"; let t = s.trim(); alert info \"{t.len()} {t.upper()} {t.lower()} "
     "{t.contains(\"üß\")} {t.starts_with(\"Gr\")} {t.ends_with(\"x\")} {t.slice(1, 3)} "
     "{shs(\"a,b,c\".split(\",\"))}\"",
     "5 GRüßE grüße true true false rü [a, b, c];"},
    {"numbers from texts", "", "",
     "var s = \"42\"; alert info \"{s.to_int() ?? -1} {\"x\".to_int() ?? -1} {\"2.5\".to_float() "
     "?? 0} {\"\".to_float() ?? -1}\"",
     "42 -1 2.5 -1;"},
    {"a text of many parts", "", "",
     "var x = 1; alert info \"{x}a{x}b{x}c{x}d{x}e{x}f{x}g{x}h{x}i{x}j{x}k\"",
     "1a1b1c1d1e1f1g1h1i1j1k;"},
    {"a text into itself", "", "", "var s = \"a\"; s = \"{s}{s}\"; s = \"{s}-{s}\"; alert info s",
     "aa-aa;"},
    {"units", "", "",
     "var e = 0 kWh; let p = 12 kW; e += p * 30 min; var t = 20 °C; t += 5 K; alert info \"{e} {t} "
     "{t - 20 °C}\"",
     "6 kWh 25 °C 5 K;"},
    /* variables of the program */
    {"variables", "",
     "var n = 1\nvar s = \"a\"\nvar xs = [1, 2]\nvar m: map<str, int> = [:]\nvar f = 1.5 m\nvar b "
     "= false",
     "n += 2; n = n * n; s = \"{s}b\"; xs.push(n); xs[0] += 1; m[s] = n; f += 50 cm; b = not b; "
     "alert info \"{n} {s} {sh(xs)} {m[s] ?? 0} {f} {b}\"",
     "9 ab [2, 2, 9] 9 2 m true;"},
    {"first values that are computed",
     "record P { x: int; y: int? }\nfn five() -> int { return 5 }",
     "var p = P{1, none}\nvar xs = [1, 2, 3].map(x => x * 2)\nvar n = five()\nvar ys: list<float> "
     "= [1]",
     "alert info \"{p.x} {sh(xs)} {n} {shf(ys)} {p.y == none}\"", "1 [2, 4, 6] 5 [1] true;"},
    {"constants", "", "let limit = 5\nlet name = \"x\"",
     "var x = 7; if x > limit { alert info \"{limit} {name} {x - limit}\" }", "5 x 2;"},
};
