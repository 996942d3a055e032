"""The programs in the documentation: each block of C is one, and the text behind it is what it prints."""

import re
import unittest

from sedge_installed import SOURCE, Installed, run

BLOCK = re.compile(r"^```c\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.M | re.S)


class Docs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lib = cls.enterClassContext(Installed())

    def programs(self, name):
        """[(path, what it shall print or None)] of one page."""
        found = BLOCK.findall((SOURCE / name).read_text())
        return [(self.lib.write(f"block{i}.c", code), text) for i, (code, text) in enumerate(found)]

    def test_the_guide(self):
        programs = self.programs("docs/library.md")
        self.assertGreaterEqual(len(programs), 3)
        for source, text in programs:
            with self.subTest(source.read_text()):
                self.assertEqual(run(self.lib.compile(source), env=self.lib.env), text)

    def test_the_readme(self):
        (source, _), = self.programs("README.md")
        self.assertEqual(run(self.lib.compile(source), env=self.lib.env), "hello, coroutine\n")

    def test_the_guide_names_every_example(self):
        guide = (SOURCE / "docs/library.md").read_text()
        for path in (SOURCE / "examples/rt").glob("*.c"):
            self.assertIn(f"(../examples/rt/{path.name})", guide)


unittest.main()
