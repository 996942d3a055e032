# ctest: timeout=300
"""`sedge test`: the factory's tests, what failing ones say, JSON, exit codes."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from sedge_site import ROOT, SEDGE

SITE = """site "s"
server { mqtt 127.0.0.1:1883 }
model Press { property temp: °C range -20..200; event jam }
model Valve { property position: % range 0..100
  action open() confirms position > 90 %
  action close() confirms position < 5 %
  safe close() }
device press: Press { via mqtt "press" json }
device valve: Valve { via mqtt "valve" json }
program guard {
  own valve: Valve = valve
  read temp: °C = press.temp stale 5s
  var opened = 0
  when temp > 80 °C for 10s { opened = opened + 1; valve.open() } until temp < 60 °C { valve.close() }
  when temp > 100 °C { alert critical "{temp} is too hot" }
}
"""

FAILING = """test "it opens too late" {
  press.temp = 85 °C
  after 7s { expect action valve.open() }
  expect valve.position > 90 %
}
test "it is told" {
  press.temp = 120 °C
  after 1s {
    expect alert critical "too hot"
    expect no alert
    expect var guard.opened == 2
  }
}
test "fine" {
  press.temp = 20 °C
  after 1h { expect no alert }
}
"""

SAID = """FAIL "it opens too late" (b.sedge:1)
  --> b.sedge:3:14
   3 |   after 7s { expect action valve.open() }
     |              ^^^^^^ from 0 s to 7 s: it did not happen
  nothing happened in that time
  nearly:
    a.sedge:14 when temp > 80 °C for 10s held 7 s of 10 s
  --> b.sedge:4:3
   4 |   expect valve.position > 90 %
     |   ^^^^^^ at 7 s: it has no value

FAIL "it is told" (b.sedge:6)
  --> b.sedge:10:5
  10 |     expect no alert
     |     ^^^^^^ from 0 s to 1 s: it did happen
  what happened:
    at 0 s: alert critical "120 °C is too hot", by a.sedge:15 when temp > 100 °C (press.temp = 120 °C)
  --> b.sedge:11:5
  11 |     expect var guard.opened == 2
     |     ^^^^^^ at 1 s: it is 0

ok   "fine" (b.sedge:14)
3 tests, 2 failed; 3608 s simulated
"""


def sedge(*args, env=None):
    return subprocess.run([SEDGE, "test", *map(str, args)], capture_output=True, text=True, timeout=120, check=False,
                          stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})})


class Trial(unittest.TestCase):
    def folder(self, **files):
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        for name, text in files.items():
            (pathlib.Path(temp.name) / f"{name}.sedge").write_text(text)
        return temp.name

    def test_the_factory(self):
        done = sedge(ROOT / "sites/factory")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn('ok   "an overheated press opens its coolant', done.stdout)
        self.assertIn(" tests, 0 failed; ", done.stdout)

    def test_a_day_of_the_factory(self):
        done = json.loads(sedge(ROOT / "sites/factory", "--json", "--filter", "a day").stdout)
        self.assertEqual((done["run"], done["failed"]), (1, 0))
        self.assertEqual(done["simulated_ms"] // 1000, 24 * 3600)

    def test_what_failing_tests_say(self):
        done = sedge(self.folder(a=SITE, b=FAILING))
        self.assertEqual(done.stdout, SAID)
        self.assertEqual(done.returncode, 1)

    def test_the_zone_of_the_machine_is_no_matter(self):
        day = """test "noon" { start 11:59:30 on sat
          press.temp = 85 °C
          at 11:59:38 { expect no action valve }
          at 12:00 { expect action valve.open() }
          at 11:59 { expect no action valve } }\n"""
        said = 'ok   "noon" (b.sedge:1)\n1 test, 0 failed; 86370 s simulated\n'
        for zone in ("UTC", "Asia/Tokyo", "America/New_York"):
            done = sedge(self.folder(a=SITE, b=day), env={"TZ": zone})
            self.assertEqual((done.returncode, done.stdout), (0, said), done.stderr)

    def test_json(self):
        done = sedge(self.folder(a=SITE, b=FAILING), "--json")
        self.assertEqual(done.returncode, 1)
        result = json.loads(done.stdout)
        self.assertEqual((result["errors"], result["run"], result["failed"]), (0, 3, 2))
        late, told, fine = result["tests"]
        self.assertTrue(fine["passed"])
        self.assertEqual(fine["failures"], [])
        self.assertEqual(late["failures"][0]["expected"], "expect action valve.open()")
        self.assertEqual(late["failures"][0]["nearly"],
                         [{"rule": "guard/when#1", "line": 14, "held_ms": 7000, "hold_ms": 10000}])
        self.assertEqual(late["failures"][1]["actual"], "has no value")
        happened = told["failures"][0]["happened"]
        self.assertEqual(len(happened), 1)
        self.assertEqual((happened[0]["kind"], happened[0]["severity"], happened[0]["text"], happened[0]["because"]),
                         ("alert", "critical", "120 °C is too hot", "press.temp = 120 °C"))

    def test_the_same_result_every_time(self):
        folder = self.folder(a=SITE, b=FAILING)
        self.assertEqual(sedge(folder, "--json").stdout, sedge(folder, "--json").stdout)

    def test_a_filter(self):
        folder = self.folder(a=SITE, b=FAILING)
        done = sedge(folder, "--filter", "fin")
        self.assertEqual((done.returncode, done.stdout),
                         (0, 'ok   "fine" (b.sedge:14)\n1 test, 0 failed; 3600 s simulated\n'))
        done = sedge(folder, "--filter", "nobody")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no test's name contains 'nobody'", done.stderr)

    def test_a_site_with_errors(self):
        folder = self.folder(a=SITE, b='program p { when press.temp > 1 bar { } }\n')
        done = sedge(folder)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("error[U1]", done.stderr)
        done = sedge(folder, "--json")
        self.assertEqual(done.returncode, 1)
        self.assertIn("U1", [d["code"] for d in json.loads(done.stdout)["diagnostics"]])

    def test_wrong_usage(self):
        for args in ((), ("a", "b"), ("--fast", "a"), ("/nowhere/at/all",)):
            with self.subTest(args=args):
                done = sedge(*args)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(sedge("--help").returncode, 0)

    def test_nothing_is_left_behind(self):
        folder = self.folder(a=SITE, b=FAILING)
        sedge(folder)
        self.assertEqual(sorted(p.name for p in pathlib.Path(folder).iterdir()), ["a.sedge", "b.sedge"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
