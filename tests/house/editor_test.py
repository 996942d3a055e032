"""The grammar for editors (tools/editor): every word, unit and text of the language gets its colour."""

import json
import os
import pathlib
import re
import sys
import unittest

from textmate import Grammar

ROOT = pathlib.Path(os.environ.get("SEDGE_SOURCE", pathlib.Path(__file__).parents[2]))
EDITOR = ROOT / "tools/editor"
sys.path.insert(0, str(EDITOR))
import units  # noqa: E402

GRAMMAR = Grammar(json.loads((EDITOR / "sedge.tmLanguage.json").read_text()))
CONTROL, OWNERSHIP = "keyword.control", "keyword.other.ownership"

# A text, then the scope of what stands in it: (token, scope), each looked for behind the one before.
CASES = [
    ("let x = 5 // own", [("let", "storage.type.variable"), ("x", "variable.other"), ("=", "operator.assignment"),
                          ("5", "constant.numeric"), ("own", "comment.line")]),
    ("program line_guard {", [("program", "storage.type.program"), ("line_guard", "entity.name.namespace")]),
    ("task interlock(own belt: Conveyor, trips: chan<own Trip>) {", [
        ("task", "storage.type.program"), ("interlock", "entity.name"), ("own", OWNERSHIP), ("belt", "variable.other"),
        ("Conveyor", "entity.name.type"), ("chan", "support.type"), ("own", "storage.modifier"), ("Trip", "entity.name.type"),
        (")", "punctuation")]),
    ("fn hot(a: °C, b: mm/s) -> bool {", [("fn", "storage.type.function"), ("hot", "entity.name.function"), ("°C", "support.type.unit"),
                                         ("mm/s", "support.type.unit"), ("->", "punctuation"), ("bool", "support.type")]),
    ("record Trip { station: str; seen: list<map<str, °C?>>; next: Trip? }", [
        ("record", "storage.type"), ("Trip", "entity.name.type"), ("str", "support.type"), ("list", "support.type"),
        ("map", "support.type"), ("str", "support.type"), ("°C", "support.type.unit"), ("?", "optional"), ("next", "variable.other"),
        ("Trip", "entity.name.type"), ("?", "optional")]),
    ("enum Mode { eco, boost }", [("enum", "storage.type"), ("Mode", "entity.name.type"), ("eco", "variable.other")]),
    ("model Valve { property position: %   range 0..100\n  action open() confirms position > 90 % affects temperature\n  safe close() }\n"
     "program p {", [("model", "storage.type.declaration"), ("Valve", "entity.name"), ("property", "clause"), ("position", "variable.other.property"),
                     ("%", "support.type.unit"), ("range", "clause"), ("..", "operator.range"), ("action", "clause"), ("open", "entity.name.function"),
                     ("confirms", "clause"), ("90", "constant.numeric"), ("%", "keyword.other.unit"), ("affects", "clause"), ("safe", "clause"),
                     ("program", "storage.type.program")]),
    ("server { mqtt 127.0.0.1:1883 tls; store \"data\" { commit 10s } }\nlet x = 1", [
        ("server", "storage.type.declaration"), ("mqtt", "clause"), ("127.0.0.1:1883", "constant.other.address"), ("tls", "clause"),
        ("data", "string"), ("commit", "clause"), ("s", "keyword.other.unit"), ("let", "storage.type.variable")]),
    ("server { limits { queue 5; full refuse; packet 1 MiB; without qos2 } }", [
        ("limits", "clause"), ("queue", "clause"), ("5", "constant.numeric"), ("full", "clause"), ("refuse", "clause"),
        ("packet", "clause"), ("MiB", "keyword.other.unit"), ("without", "clause"), ("qos2", "clause")]),
    ("device home.plug: Plug {\n  property power = \"ENERGY.Power\" on \"t\" as mm/s scale 0.1 time \"Time\"\n"
     "  action dim(level) publish \"c\" { brightness = round(level * 2.54); on = true } qos 1 retain answer \"a\"\n"
     "  event pressed on \"b\" is \"single\"; online on \"l\" true \"yes\"\n}\nlet x = 1", [
         ("device", "storage.type.declaration"), ("property", "clause"), ("power", "variable.other.property"), ("ENERGY.Power", "string"),
         ("on", "clause"), ("as", "clause"), ("mm/s", "unit"), ("scale", "clause"), ("0.1", "numeric"), ("time", "clause"), ("Time", "string"),
         ("action", "clause"), ("dim", "entity.name.function"), ("publish", "clause"), ("2.54", "numeric"), ("true", "constant.language"),
         ("qos", "clause"), ("retain", "clause"), ("answer", "clause"), ("event", "clause"), ("is", "clause"), ("online", "clause"),
         ("on", "clause"), ("true", "clause"), ("yes", "string"), ("let", "storage.type.variable")]),
    ("device m: Meter { via modbus \"tcp://10.0.0.7:502\" unit 3 every 1s {\n  power = input 0 f32 scale 0.1 order cdab\n"
     "  value = coil 4\n  heat = holding 20 u16 arg to then coil 4 on } }", [
         ("via", "clause"), ("modbus", "clause"), ("unit", "clause"), ("every", "clause"), ("1", "numeric"), ("power", "variable"), ("input", "clause"),
         ("f32", "support.type"), ("scale", "clause"), ("cdab", "support.type"), ("value", "variable"), ("coil", "clause"), ("arg", "clause"),
         ("to", "variable"), ("then", "clause")]),
    ("group  plant.stations = plant.press1, plant.oven", [("group", "storage.type.declaration"), ("plant.stations", "entity.name.namespace"),
                                                          ("plant.oven", "entity.name.namespace")]),
    ("read temp: °C = st.temperature stale 5s", [("read", OWNERSHIP), ("temp", "variable.other"), ("°C", "support.type.unit"), ("st", "variable.other"),
                                                 ("temperature", "variable.other.member"), ("stale", "operator.word"), ("s", "keyword.other.unit")]),
    ("when temp > 80 °C for 10s { cool.open() } until temp < 70 °C for 30s { cool.close() }", [
        ("when", CONTROL), ("80", "constant.numeric"), ("°C", "keyword.other.unit"), ("for", CONTROL), ("open", "entity.name.function.member"),
        ("until", CONTROL)]),
    ("when changed target restart { trv.set(target) }", [("when", CONTROL), ("changed", CONTROL), ("restart", "storage.modifier.mode"),
                                                         ("set", "entity.name.function.member")]),
    ("let restart = changed", [("restart", "variable.other"), ("changed", "variable.other")]),
    ("alert warning \"{st.name} is at {shown(temp)}, \\u{20AC}\\{\"", [
        ("alert", "keyword.other.alert"), ("warning", "constant.language.level"), ("{", "interpolation"), ("name", "variable.other.member"),
        ("is at", "string.quoted"), ("shown", "entity.name.function.call"), ("\\u{20AC}", "constant.character.escape"), ("\\{", "escape")]),
    ("\"a {f(\"b {1}\")} c\" and 1", [("f", "entity.name.function.call"), ("b", "string"), ("1", "constant.numeric"), ("c", "string"),
                                      ("and", "operator.word")]),
    ("x = \"never closed {y\nlet z = 1", [("closed", "string"), ("let", "storage.type.variable"), ("z", "variable.other")]),
    ("trips.send(Trip{st.name, temp}) else drop", [("send", "function.member"), ("Trip", "entity.name.type"), ("else", CONTROL), ("drop", CONTROL)]),
    ("lamp.on(60 %) else skip", [("on", "function.member"), ("%", "keyword.other.unit"), ("else", CONTROL), ("skip", CONTROL)]),
    ("lend pump to fire priority 1, operator never, tank priority 5 max 30min // to", [
        ("lend", OWNERSHIP), ("pump", "variable.other"), ("to", OWNERSHIP), ("fire", "variable.other"), ("priority", OWNERSHIP), ("1", "numeric"),
        ("operator", "variable.language"), ("never", OWNERSHIP), ("max", OWNERSHIP), ("min", "unit"), ("to", "comment")]),
    ("lend pump to fire priority 1,\n  tank priority 5\nwhen x {", [("tank", "variable.other"), ("priority", OWNERSHIP), ("when", CONTROL)]),
    ("at 05:00 on mon, wed missed run queued 3 {", [("at", CONTROL), ("05:00", "constant.other.time"), ("on", CONTROL), ("mon", "language.day"),
                                                    ("missed", CONTROL), ("run", "constant.language"), ("queued", "mode"), ("3", "numeric")]),
    ("lease pump = pump_keeper.pump for 20min wait 10min { } revoked why { } denied { }", [
        ("lease", OWNERSHIP), ("for", CONTROL), ("20", "numeric"), ("min", "unit"), ("wait", CONTROL), ("revoked", OWNERSHIP),
        ("why", "variable.other"), ("denied", OWNERSHIP)]),
    ("select { t = trips.recv() => { } ; after 1s => belt.stop() }", [("select", CONTROL), ("recv", "function.member"), ("=>", "operator.arrow"),
                                                                     ("after", CONTROL), ("s", "unit"), ("stop", "function.member")]),
    ("spawn interlock(move belt, trips)", [("spawn", CONTROL), ("interlock", "function.call"), ("move", OWNERSHIP)]),
    ("match mode { Mode.eco or boost => sleep 1s; some x => drop pump; none => break; 1..5 => continue; _ => return }", [
        ("match", CONTROL), ("eco", "member"), ("or", "operator.word"), ("sleep", CONTROL), ("some", "constant.language"), ("drop", OWNERSHIP),
        ("none", "constant.language"), ("break", CONTROL), ("1", "numeric"), ("..", "range"), ("5", "numeric"), ("continue", CONTROL),
        ("_", "constant.language"), ("return", CONTROL)]),
    ("sums[key] = (sums[key] ?? 0) + i mod 3", [("key", "variable.other"), ("??", "coalesce"), ("+", "arithmetic"), ("mod", "operator.word")]),
    ("list.map(x => x * 2); x += 1.5e3", [("map", "function.member"), ("=>", "arrow"), ("*", "arithmetic"), ("+=", "assignment"), ("1.5e3", "numeric")]),
    ("on \"stops\" as n: int { publish \"stops\" n }", [("on", CONTROL), ("as", CONTROL), ("int", "support.type"), ("publish", CONTROL)]),
    ("let m = max(a, 10 m/s²) ; let s = 1_000 kWh", [("m", "variable.other"), ("max", "support.function"), ("m/s²", "unit"), ("s", "variable.other"),
                                                     ("1_000", "numeric"), ("kWh", "unit")]),
    ("test \"it opens\" {\n  start 06:00 on mon\n  plant.press1.temperature = 85 °C\n  plant.press1.temperature stale\n  plant.valve refuses\n"
     "  after 2s { expect no action plant.valve.open() }\n  expect alert critical \"dry\"\n  expect var keeper.n == 2\n}", [
         ("test", "storage.type.test"), ("start", "keyword.other.test"), ("06:00", "time"), ("temperature", "member"), ("stale", "keyword.other.test"),
         ("refuses", "keyword.other.test"), ("after", CONTROL), ("expect", "test"), ("no", "test"), ("action", "test"), ("open", "function.member"),
         ("alert", "test"), ("var", "test")]),
    ("if let x = first ?? none { while x < 3 { loop { } } }", [("if", CONTROL), ("let", "storage"), ("none", "constant.language"),
                                                               ("while", CONTROL), ("loop", CONTROL)]),
]


def word_list(function):
    """The words that a function of the parser has in its table."""
    for path in sorted((ROOT / "src/lang").glob("*.c")):
        found = re.search(rf"^(?:static )?bool {function}\(struct str \w+\)\n{{(.*?)\n}}", path.read_text(), re.S | re.M)
        if found:
            return re.findall(r'"(\w+)"', found[1])
    raise AssertionError(f"{function}() is in none of the sources of lang/")


def scope_at(names, i):
    return " ".join(names[i])


class Editor(unittest.TestCase):
    def check(self, text, wanted):
        names, _ = GRAMMAR.scopes(text)
        at = 0
        for token, scope in wanted:
            word = re.escape(token)
            if re.fullmatch(r"[A-Za-z_]\w*", token, re.ASCII):
                word = rf"(?<![A-Za-z_]){word}(?![A-Za-z0-9_])"
            found = re.compile(word).search(text, at)
            self.assertIsNotNone(found, f"{token!r} in {text!r}")
            for i in range(*found.span()):
                self.assertIn(scope, scope_at(names, i), f"{token!r} in {text!r}")
            at = found.end()

    def test_chosen_tokens(self):
        for text, wanted in CASES:
            with self.subTest(text):
                self.check(text, wanted)

    def test_the_units_are_those_of_the_table(self):
        for name, match in units.expressions().items():
            self.assertEqual(GRAMMAR.repository[name]["match"], match, "run tools/editor/units.py")
        every = set(units.names())
        self.assertGreater(len(every), 200)
        for name in sorted(every):
            with self.subTest(name):
                self.check(f"x = 5 {name}", [("5", "constant.numeric"), (name, "keyword.other.unit")])
                self.check(f"f(a: {name})", [(name, "support.type.unit")])

    def test_what_is_no_unit(self):
        for word in ("for", "foo", "until", "max", "kmin", "C", "m_x", "dd", "until temp"):
            with self.subTest(word):
                names, _ = GRAMMAR.scopes(f"x = 5 {word} y")
                self.assertNotIn("unit", scope_at(names, 6))

    def test_every_word_of_the_language_has_a_colour(self):
        words = word_list("word_reserved")
        self.assertGreater(len(words), 30)
        for word in words:
            with self.subTest(word):
                names, _ = GRAMMAR.scopes(f"  {word} x")
                self.assertRegex(scope_at(names, 2), r"keyword|storage|constant|support")

    def test_the_page_colours_every_reserved_word(self):
        source = (ROOT / "web/src/highlight.ts").read_text()
        words = set(" ".join(re.findall(r"'([a-z ]+)'", source[:source.index(".split(' ')")])).split())
        self.assertGreater(len(words), 50)
        self.assertEqual(set(word_list("word_reserved")) - words, set(), "missing in web/src/highlight.ts")

    def test_the_words_of_declarations_have_a_colour(self):
        source = "".join((ROOT / "src/site" / name).read_text()
                         for name in ("schema.c", "access.c", "mapping.c", "modbus.c"))
        words = set(re.findall(r'\.(?:word|second|lead) = "(\w+)"|\b(?:FLAG|NUMBER|WHOLE|TIME|WORD)\("(\w+)"\)', source))
        words = {word or flag for word, flag in words} - {"alert", "as"}  # which is one in front of a unit
        self.assertGreater(len(words), 20)
        # They take a text, and are names where none follows.
        filed = set(re.findall(r'\bFILED\("(\w+)"\)|\bTEXT\("\w+", "(\w+)"', source))
        filed = {word or text for word, text in filed} - words
        self.assertLess({"cert", "is"}, filed)
        kinds = set(re.findall(r'\{\.word = "(\w+)",\s+(?:\.role = \w+,\s+)?\.head', source))
        self.assertIn("device", kinds)
        for word in sorted(words | filed):
            with self.subTest(word):
                text, at = f"model X {{ {word} x() }}", 10
                if word in filed:
                    text, at = f'server {{ {word} "x" }}', 9
                elif word in kinds:
                    text, at = f"{word} x {{", 0
                names, _ = GRAMMAR.scopes(text)
                self.assertRegex(scope_at(names, at), r"storage\.type\.declaration|keyword\.other\.clause")

    def test_names_stay_names(self):
        for text in ("x.at = 1", "a.when.x", "max = 3", "read: 1", "device = 3", "start = 1", "to = 2", "action = 1",
                     "key = 3", "name = 1"):
            with self.subTest(text):
                names, _ = GRAMMAR.scopes(text)
                self.assertNotRegex(scope_at(names, text.find(".") + 1), "keyword|storage")


class Sources(unittest.TestCase):
    def texts(self):
        for folder in ("sites", "bench/lang", "examples", "fuzz/corpus"):
            for path in sorted((ROOT / folder).rglob("*.sedge")):
                yield path.name, path.read_text()
        for i, block in enumerate(re.findall(r"^```\n((?:site|server|access|fn|program|model|device).*?)^```", (ROOT / "docs/language.md").read_text(), re.S | re.M)):
            yield f"language.md, example {i}", block

    def test_every_source_is_read_to_its_end(self):
        reserved, seen = set(word_list("word_reserved")), 0
        for name, text in self.texts():
            with self.subTest(name):
                names, still_open = GRAMMAR.scopes(text)
                self.assertEqual([rule.get("begin") for rule in still_open], [])
                for word in re.finditer(r"[A-Za-z_]\w*|\S", text):
                    scopes = scope_at(names, word.start())
                    self.assertNotIn("invalid", scopes)
                    self.assertNotEqual(scopes, "source.sedge", f"{word[0]!r} has no colour")
                    if word[0] in reserved and not re.search("string|comment", scopes):
                        self.assertNotIn("variable.other.sedge", scopes, word[0])
                seen += 1
        self.assertGreater(seen, 8)

    def test_every_expression_compiles_and_matches_something(self):
        for text in GRAMMAR.expressions():
            self.assertTrue(text)
            re.compile(text)


class Indentation(unittest.TestCase):
    RULES = json.loads((EDITOR / "language-configuration.json").read_text())["indentationRules"]

    def test_indentation(self):
        cases = [("program p {", True, False), ("  } until temp < 3 K {", True, True), ("}", False, True), ("x = \"{\"", False, False),
                 ("f(a,", True, False), ("when x { y() }", False, False), ("model M { // {", True, False), ("// {", False, False),
                 ("alert info \"a {b} c\" {", True, False), ("a = b / c {", True, False), ("]", False, True)]
        for line, more, less in cases:
            with self.subTest(line):
                self.assertEqual(bool(re.search(self.RULES["increaseIndentPattern"], line)), more)
                self.assertEqual(bool(re.search(self.RULES["decreaseIndentPattern"], line)), less)

    def test_the_parts_of_the_extension_are_there(self):
        package = json.loads((EDITOR / "package.json").read_text())["contributes"]
        for part in (package["languages"][0]["configuration"], package["grammars"][0]["path"]):
            json.loads((EDITOR / part).read_text())
        self.assertEqual(package["grammars"][0]["scopeName"], GRAMMAR.root["name"])


unittest.main()
