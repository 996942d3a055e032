"""The manual pages: every public function leads to one that has it, and man has nothing to complain about."""

import os
import re
import unittest

from sedge_installed import HEADERS, Installed, public_functions, run


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lib = cls.enterClassContext(Installed())
        cls.man = cls.lib.prefix / "share/man"
        cls.env = {**os.environ, "MANPATH": str(cls.man), "MANWIDTH": "100", "LC_ALL": "C.UTF-8", "MANPAGER": "cat",
                   "GROFF_NO_SGR": "1"}

        cls.text = {page.stem: cls.shown(page.stem) for page in cls.pages()}

    @classmethod
    def pages(cls):
        """Those that are more than a pointer to another."""
        return [page for page in sorted(cls.man.glob("man3/*.3")) if not page.read_text().startswith(".so ")]

    @classmethod
    def shown(cls, name):
        """The page as a reader sees it, without overstriking."""
        return run("col", "-bx", input=run("man", "3", name, env=cls.env))

    def test_a_page_for_each_header(self):
        want = {"sedge" if h.stem == "sedge" else f"sedge_{h.stem}": h.name for h in HEADERS}
        self.assertEqual(sorted(self.text), sorted(want))
        for name, header in want.items():
            with self.subTest(name):
                self.assertIn(f"#include <sedge/{header}>", self.text[name])
                for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "THREADS", "SEE ALSO"]:
                    self.assertIn(f"\n{section}\n", self.text[name])

    def test_every_function_leads_to_its_page(self):
        for name in public_functions():
            with self.subTest(name):
                pointer = re.fullmatch(r"\.so man3/(\w+)\.3\n", (self.man / f"man3/{name}.3").read_text())
                page = pointer.group(1) if pointer else name
                self.assertRegex(self.text[page].split("\nDESCRIPTION\n")[0], rf"[ *]{name}\(")
        self.assertEqual(self.shown("sedge_chan_recv"), self.text["sedge_chan"])

    def test_labels_begin_their_lines(self):
        """The formatter joins lines that are too long, and a label within one makes no section."""
        for header in HEADERS:
            opening = header.read_text().split("*/")[0]
            self.assertEqual(re.findall(r"[.;] (?:Why|Ownership|Threads|Errors|Bounds): ", opening), [], header.name)

    def test_man_does_not_complain(self):
        for page in self.pages():
            with self.subTest(page.name):
                command = ["man", "--warnings", "-E", "UTF-8", "-l", str(page.relative_to(self.man))]
                self.assertEqual(run("sh", "-c", '"$@" 2>&1 > /dev/null', "sh", *command, env=self.env, cwd=self.man), "")


unittest.main()
