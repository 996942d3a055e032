"""Every outgoing connection of sedge comes from the pool: only net/conn_pool.c calls stream_connect() and its like,
and the library, whose users have the choice."""

import os
import pathlib
import re
import tempfile
import unittest

import layers

ROOT = pathlib.Path(os.environ.get("SEDGE_SOURCE", pathlib.Path(__file__).parents[2]))
POOL, LIBRARY = "src/net/conn_pool.c", "src/lib/stream.c"
DEFINED = ("src/net/stream.h", "src/net/stream_io.c")


def callers(root):
    """The files of src/, without tests and their fixtures, that name stream_connect()."""
    found = set()
    for path in pathlib.Path(root, "src").rglob("*.[ch]"):
        name = path.relative_to(root).as_posix()
        test = re.search(r"_(test|fixture)\.[ch]$", name)
        if test or name in DEFINED:
            continue
        if re.search(r"\bstream_connect(?:_via)?\b", layers.without_text(path.read_text())):
            found.add(name)
    return found


class Connections(unittest.TestCase):
    def test_the_check_itself(self):
        for text, want in [("r = stream_connect(&s, w, a, t);", True), ("/* stream_connect() */", False),
                           ("stream_connected(s);", False), ("f = &stream_connect;", True)]:
            with self.subTest(text), tempfile.TemporaryDirectory() as folder:
                for name in ("src/app/x.c", "src/app/x_test.c", "src/app/x_fixture.h"):
                    path = pathlib.Path(folder, name)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(text)
                self.assertEqual(callers(folder), {"src/app/x.c"} if want else set())

    def test_sedge(self):
        self.assertEqual(callers(ROOT), {POOL, LIBRARY})


unittest.main()
