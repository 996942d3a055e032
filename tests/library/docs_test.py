"""The programs in the documentation: each block of C is one, and the text behind it is what it prints."""

import re
import unittest

from sedge_installed import HEADERS, SOURCE, Installed, run

# What the examples in the headers take for granted. None: functions, not statements.
GIVEN = {
    "rt": None,
    "fork": None,
    "co": "intptr_t fetch(void *arg); int part[3]; size_t n = 3; enum sedge_err r = SEDGE_OK;",
    "chan": "struct sedge_chan *jobs = NULL, *quit = NULL; int job;",
    "mqtt": "struct sedge_mqtt *client; struct sedge_error error; enum sedge_err r;",
    "panic": "void close_file(void *f); void parse(FILE *f); const char *path = NULL;",
    "signal": "",
    "stream": """struct sedge_listener *listener = NULL; struct sedge_scope all; struct sedge_stream *s; char line[80];
                 size_t n; enum sedge_err r; intptr_t serve(void *s); const char *answer = ""; size_t answer_n = 0;""",
}

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
                library = "mqtt" if "<sedge/mqtt.h>" in source.read_text() else "rt"
                self.assertEqual(run(self.lib.compile(source, library=library), env=self.lib.env), text)

    def test_the_readme(self):
        (source, _), = self.programs("README.md")
        self.assertEqual(run(self.lib.compile(source), env=self.lib.env), "hello, coroutine\n")

    def test_the_examples_in_the_headers(self):
        for header in HEADERS:
            opening = header.read_text().split("*/")[0]
            code = "\n".join(line[7:] for line in opening.split("\n") if line.startswith(" *     "))
            if header.stem == "sedge":  # a command
                continue
            with self.subTest(header.name):
                self.assertEqual(bool(code), header.stem in GIVEN)
                if GIVEN.get(header.stem) is not None:
                    code = f"void example(void);\nvoid example(void)\n{{\n{GIVEN[header.stem]}\n{code}\n}}"
                text = f"#include <sedge/mqtt.h>\n#include <sedge/sedge.h>\n#include <signal.h>\n#include <stdio.h>\n{code}\n"
                source = self.lib.write(f"header_{header.stem}.c", text)
                run("cc", "-fsyntax-only", "-std=c11", "-Wall", "-Wextra", "-Werror", "-Wno-unused",
                    *self.lib.flags("--cflags"), source)

    def test_the_guide_names_every_example(self):
        guide = (SOURCE / "docs/library.md").read_text()
        for path in (SOURCE / "examples").glob("*/*.c"):
            self.assertIn(f"(../examples/{path.parent.name}/{path.name})", guide)


unittest.main()
