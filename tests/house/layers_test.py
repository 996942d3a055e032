"""Every include in src/ obeys layers.txt, and the check finds each kind of breach."""

import os
import pathlib
import tempfile
import unittest

import layers

ROOT = pathlib.Path(os.environ.get("SEDGE_SOURCE", pathlib.Path(__file__).parents[2]))

TABLE = "base:\nasync: base\nnet: async\nhistory: net\nalert: net\napp: history alert\n"

CASES = [
    # label, files beside the table, what the one finding says (None: nothing)
    ("downwards, transitive", {"src/net/a.c": '#include "base/x.h"\n'}, None),
    ("own folder's private header", {"src/base/a.c": '#include "base/x_internal.h"\n'}, None),
    ("a test may use the test header", {"src/base/a_test.c": '#include "tests/support/test.h"\n'}, None),
    ("and what tests share", {"src/base/a_fixture.h": '#include "tests/support/test.h"\n'}, None),
    ("and no other of that name", {"src/base/a_test.c": '#include "tests/support/nope.h"\n'}, "there is no tests/support/nope.h"),
    ("banned word in a comment or a text", {"src/base/a.c": '/* gets( */ f("atoi(1)"); x.gets(1);\n'}, None),
    ("snprintf is not sprintf", {"src/base/a.c": "snprintf(a, 1, b);\n"}, None),
    ("upwards", {"src/base/a.c": '\n#include "net/y.h"\n'}, "src/base/a.c:2: base may not use net"),
    ("sideways", {"src/history/a.c": '#include "alert/z.h"\n'}, "history may not use alert"),
    ("private header of another", {"src/net/a.c": '#include "base/x_internal.h"\n'}, "private to base"),
    ("test header in the product", {"src/base/a.c": '#include "tests/support/test.h"\n'}, "not a header below src/"),
    ("a header that is not there", {"src/base/a.c": '#include "base/nope.h"\n'}, "not a header below src/"),
    ("folder without a line", {"src/extra/a.c": "\n"}, "src/extra has no line"),
    ("banned", {"src/base/a.c": "int f(void)\n{\n    return atoi (x);\n}\n"}, "src/base/a.c:3: atoi is banned"),
    ("atomics past the door", {"src/base/a.c": "#include <stdatomic.h>\n"}, "comes through base/atomic.h"),
    ("the door itself", {"src/base/atomic.h": "#include <stdatomic.h>\n"}, None),
    ("in a subfolder", {"src/async/linux/a.c": '#include "net/y.h"\n'}, "async may not use net"),
    ("circle", {"layers.txt": TABLE.replace("base:", "base: net")}, "which is not above it"),
    ("siblings joined", {"layers.txt": TABLE.replace("alert: net", "alert: net history")}, "meet on the bus only"),
    ("twice", {"layers.txt": TABLE + "net: base\n"}, "has a line already"),
    ("bad line", {"layers.txt": TABLE + "net -> base\n"}, "not of the form"),
]


class Layers(unittest.TestCase):
    def test_the_check_itself(self):
        for label, files, want in CASES:
            with self.subTest(label), tempfile.TemporaryDirectory() as folder:
                tree = {"layers.txt": TABLE, "src/base/x.h": "", "src/base/x_internal.h": "",
                        "src/net/y.h": "", "src/alert/z.h": "", "tests/support/test.h": "", **files}
                for name, text in tree.items():
                    path = pathlib.Path(folder, name)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(text)
                found = layers.check(folder)
                if want is None:
                    self.assertEqual(found, [])
                else:
                    self.assertEqual(len(found), 1, found)
                    self.assertIn(want, found[0])

    def test_sedge(self):
        found = layers.check(ROOT)
        self.assertEqual(found, [], "\n" + "\n".join(found))


unittest.main()
