# ctest: timeout=120
"""Every example of docs/language.md says what the page promises: ```sedge is accepted, ```sedge fails CODE is
refused with that code and no other, ```sedge warns CODE is accepted with that warning. All of them
stand in the site of ```sedge site. ```sedge passes CODE is the accepted twin of a rule's mistake. Tests in examples are run. ```sedge factory are the pieces of a file of the factory."""

import json
import pathlib
import re
import subprocess
import tempfile
import unittest

from sedge_site import ROOT, SEDGE

PAGE = ROOT / "docs/language.md"
BLOCK = re.compile(r"^```sedge([^\n]*)\n(.*?)^```$", re.M | re.S)


def examples():
    text = PAGE.read_text()
    for m in BLOCK.finditer(text):
        line = text[: m.start()].count("\n") + 2
        yield line, m.group(1).split(), m.group(2)


def run(site, source, *args):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "a_site.sedge").write_text(site)
        (root / "b_example.sedge").write_text(source)
        return subprocess.run([SEDGE, *args[:1], str(root), *args[1:]], capture_output=True, text=True, timeout=60)


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.all = list(examples())
        cls.site = next(source for _, info, source in cls.all if info == ["site"])

    def codes(self, source):
        done = run(self.site, source, "check", "--json")
        told = json.loads(done.stdout)["diagnostics"]
        return done.returncode, {d["code"] for d in told if d["severity"] == "error"}, \
            {d["code"] for d in told if d["severity"] == "warning"}, done.stdout

    def test_the_page_has_examples_of_all_kinds(self):
        kinds = [info[0] if info else "accepted" for _, info, _ in self.all]
        self.assertEqual(kinds.count("site"), 1)
        for kind in ("accepted", "fails", "warns"):
            self.assertIn(kind, kinds)
        unknown = [k for k in kinds if k not in ("site", "accepted", "passes", "fails", "warns", "factory")]
        self.assertEqual(unknown, [])

    def test_accepted_examples_have_no_error(self):
        for line, info, source in self.all:
            if info and info[0] != "passes":
                continue
            with self.subTest(line=line):
                status, errors, _, out = self.codes(source)
                self.assertEqual((status, errors), (0, set()), out)

    def test_refused_examples_have_their_error_and_no_other(self):
        for line, info, source in self.all:
            if info[:1] != ["fails"]:
                continue
            with self.subTest(line=line):
                status, errors, _, out = self.codes(source)
                self.assertEqual((status, errors), (1, {info[1]}), out)

    def test_warned_examples_have_their_warning(self):
        for line, info, source in self.all:
            if info[:1] != ["warns"]:
                continue
            with self.subTest(line=line):
                status, errors, warnings, out = self.codes(source)
                self.assertEqual((status, errors), (0, set()), out)
                self.assertIn(info[1], warnings, out)

    def test_each_rule_has_an_example_that_fails_and_one_that_passes(self):
        rules = {f"O{n}" for n in range(1, 17)}
        for kind in ("fails", "passes"):
            self.assertEqual(rules - {info[1] for _, info, _ in self.all if info[:1] == [kind]}, set(), kind)

    def test_the_factory_is_explained_as_it_is(self):
        pieces = [source for _, info, source in self.all if info == ["factory"]]
        self.assertEqual("".join(pieces), (ROOT / "sites/factory/line_guard.sedge").read_text())

    def test_tests_in_examples_pass(self):
        for line, _, source in self.all:
            if "\ntest " not in "\n" + source:
                continue
            with self.subTest(line=line):
                done = run(self.site, source, "test")
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
