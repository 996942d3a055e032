# ctest: timeout=60
"""sedge check on the reference factory, whole and broken in the ways that a newcomer breaks it."""

import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from sedge_site import ROOT, SEDGE

FACTORY = ROOT / "sites/factory"

# label, file, what is replaced, by what, what the message must say (all of it)
MISTAKES = [
    ("a wrong unit", "line_guard.sedge", "when temp > 80 °C", "when temp > 80 bar",
     ["error[U1]: °C compared with bar", "--> line_guard.sedge:19:15", "  19 |     when temp > 80 bar for 2s {",
      "     |               ^ units differ", "a temperature (°C)", "a pressure (bar)",
      "help: both sides must be the same quantity, as in  temp < 10 °C"]),
    ("an unknown device", "line_guard.sedge", "= plant.belt", "= plant.blet",
     ["error[N1]: there is no `plant.blet`", "--> line_guard.sedge:9:24", "help: did you mean `plant.belt`?"]),
    ("a missing brace", "line_guard.sedge", "} until temp < 65 °C for 5s { cool.close() }", "",
     ["error[P1]: this `{` is never closed", "--> line_guard.sedge:19:30", "a `}` is missing before this",
      "help: add the missing `}`"]),
    ("a second owner", "energy.sedge", "  var peak", "  own belt: Conveyor = plant.belt\n  var peak",
     ["error[O2]: two programs own plant.belt", "second owner", "owned here, by energy", "--> energy.sedge:5:7",
      "--> line_guard.sedge:9:7", "help: one program commands it"]),
]

SETTINGS = [
    ("too many workers", "site.sedge", "server {", "server {\n  workers 65",
     ["error[T1]: `workers` is 1 … 64", "--> site.sedge:6:11", "out of range", "help: as in:  workers 2"]),
    ("half a worker", "site.sedge", "server {", "server {\n  workers 1.5",
     ["error[T1]: `workers` is a whole number", "--> site.sedge:6:11", "help: as in:  workers 2"]),
    ("workers with a unit", "site.sedge", "server {", "server {\n  workers 2s",
     ["error[U1]: `workers` is a number without a unit", "--> site.sedge:6:11", "help: as in:  workers 2"]),
    ("a watchdog without a unit", "site.sedge", "server {", "server {\n  watchdog 5",
     ["error[U1]: `watchdog` is given in s", "--> site.sedge:6:12", "help: as in:  10 s"]),
    ("a watchdog that sleeps", "site.sedge", "server {", "server {\n  watchdog 2h",
     ["error[T1]: `watchdog` is 0.01 … 3600 s", "--> site.sedge:6:12", "help: as in:  watchdog 1s"]),
    ("a sys that never rests", "site.sedge", "server {", "server {\n  sys 0s",
     ["error[T1]: `sys` is 1 … 3600 s", "--> site.sedge:6:7", "help: as in:  sys 10s"]),
]

# What `run` would refuse is refused here: a clause of the server, and what is said of it.
REFUSED = [
    ("mqtt 0.0.0.0:1884", "can be reached from other machines"),
    ('mqtt 0.0.0.0:1884 tls cert "a.pem" key "a.key"', "a password file"),
    ('mqtt 127.0.0.1:1884 tls cert "a.pem"', "tls needs a certificate and its key"),
    ('websocket 127.0.0.1:1884 path "mqtt"', 'a path begins with a slash: path "/mqtt"'),
    ("mqtt plant.example:1884", "numeric"),
]


def check(*arguments):
    return subprocess.run([SEDGE, "check", *map(str, arguments)], capture_output=True, text=True, timeout=30)


class Check(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.site = pathlib.Path(self.folder.name, "site")
        shutil.copytree(FACTORY, self.site, ignore=shutil.ignore_patterns("data"))

    def test_the_factory(self):
        r = check(FACTORY)
        self.assertEqual((r.returncode, r.stdout, r.stderr), (0, "ok: 7 devices, 3 programs, 23 rules\n", ""))

    def test_mistakes_of_a_newcomer(self):
        for label, name, old, new, wanted in MISTAKES + SETTINGS:
            with self.subTest(label):
                file = self.site / name
                text = file.read_text()
                self.assertIn(old, text)
                file.write_text(text.replace(old, new, 1))
                r = check(self.site)
                file.write_text(text)
                self.assertEqual(r.returncode, 1, r.stderr)
                self.assertEqual(r.stdout, "")
                for part in wanted:
                    self.assertIn(part, r.stderr)
                self.assertTrue(r.stderr.endswith("\n1 error\n"), r.stderr)

    def test_settings_that_run_refuses(self):
        for clause, wanted in REFUSED:
            with self.subTest(clause):
                site = self.site / "site.sedge"
                text = site.read_text()
                site.write_text(text.replace("server {", "server {\n  " + clause, 1))
                r = check(self.site)
                site.write_text(text)
                self.assertEqual((r.returncode, r.stdout), (1, ""))
                self.assertTrue(r.stderr.startswith("error: "), r.stderr)
                self.assertIn(wanted, r.stderr)

    def test_one_file_of_several(self):
        r = check(self.site / "energy.sedge")
        self.assertEqual(r.returncode, 1)
        self.assertIn(f"one of {len(list(self.site.glob('*.sedge')))} files that make a site together", r.stderr)
        alone = self.site.parent / "alone.sedge"
        alone.write_text("program p { every 1s { } }\n")
        self.assertNotIn("together", check(alone).stderr)

    def test_two_devices_on_one_topic(self):
        file = self.site / "devices.sedge"
        file.write_text(file.read_text() + 'device plant.twin: Station { via mqtt "line1/oven" json }\n')
        r = check(self.site)
        self.assertIn("both use the topic line1/oven", r.stderr)
        self.assertIn("first used here", r.stderr)

    def test_several_at_once(self):
        for label, name, old, new, wanted in MISTAKES[:2] + MISTAKES[3:]:
            file = self.site / name
            file.write_text(file.read_text().replace(old, new, 1))
        r = check(self.site)
        self.assertEqual(r.returncode, 1)
        for code in ("U1", "N1"):
            self.assertIn(f"error[{code}]", r.stderr)

    def test_warnings_alone(self):
        file = self.site / "energy.sedge"
        file.write_text(file.read_text().replace(" stale 30s", "", 1))
        r = check(self.site)
        self.assertEqual(r.returncode, 0)
        self.assertTrue(r.stderr.endswith("\n1 warning\n"), r.stderr)
        self.assertIn("warning[S1]", r.stderr)
        self.assertTrue(r.stdout.startswith("ok: "))

    def test_json(self):
        file = self.site / "line_guard.sedge"
        file.write_text(file.read_text().replace("when temp > 80 °C", "when temp > 80 bar", 1))
        r = check(self.site, "--json")
        self.assertEqual((r.returncode, r.stderr), (1, ""))
        found = json.loads(r.stdout)
        self.assertEqual((found["errors"], found["warnings"]), (1, 0))
        d = found["diagnostics"][0]
        self.assertEqual((d["code"], d["severity"]), ("U1", "error"))
        first = d["spans"][0]
        self.assertEqual((first["file"], first["line"], first["column"], first["primary"]),
                         ("line_guard.sedge", 19, 15, True))
        self.assertIn("°C", d["help"])

    def test_wrong_usage(self):
        for arguments in ([], ["a", "b"], ["--what"], ["/nonexistent"]):
            with self.subTest(arguments):
                r = check(*arguments)
                self.assertEqual((r.returncode, r.stdout), (2, ""))
                self.assertNotEqual(r.stderr, "")

    def test_one_file(self):
        r = check(self.site / "models.sedge")
        self.assertEqual(r.returncode, 1)
        self.assertIn("this site has no `site`", r.stderr)


unittest.main()
