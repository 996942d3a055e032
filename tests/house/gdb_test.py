"""tools/gdb/sedge.py shows a stopped program's tasks, and the stacks of its coroutines."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(os.environ.get("SEDGE_SOURCE", pathlib.Path(__file__).parents[2]))
PROGRAM = os.path.abspath(os.environ["PARKED"])
FRAME = r"    #\d+ {}\(\) at .*{}:\d+\n"


def gdb(*commands, program=PROGRAM):
    options = [x for c in commands for x in ("-ex", c)]
    done = subprocess.run(
        ["gdb", "-nx", "-batch", "-ex", "set debuginfod enabled off", "-ex", f"source {ROOT}/tools/gdb/sedge.py",
         *options, program], capture_output=True, text=True, timeout=100)
    return done.stdout + done.stderr


@unittest.skipUnless(shutil.which("gdb"), "there is no gdb here")
class Gdb(unittest.TestCase):
    def look(self, said):
        self.assertRegex(said, r"(?m)^worker 0: in 'watcher'$")
        self.assertRegex(said, r"(?m)^worker 1: asleep$")
        self.assertIn("  task 'connection': waits, polled by waits()\n", said)
        self.assertIn("  coroutine 'watcher': runs\n", said)
        self.assertRegex(said, r"  free coroutine 'roamer': parked\n(    #.*\n)+")
        stack = re.search(r"  coroutine 'reader': parked\n((?:    #.*\n)+)", said)
        self.assertTrue(stack, said)
        wanted = FRAME.format("read_line", "parked.c") * 3 + FRAME.format("reader", "parked.c") + "$"
        self.assertRegex(stack[1], wanted)
        self.assertIn(" co_park() at ", stack[1])

    def test_a_process(self):
        self.look(gdb("break all_wait", "run", "sedge tasks"))

    def test_a_core_file(self):
        with tempfile.TemporaryDirectory() as tmp:
            subprocess.run(["sh", "-c", 'ulimit -c unlimited && exec "$0" dies', PROGRAM], cwd=tmp, timeout=100)
            cores = list(pathlib.Path(tmp).glob("core*"))
            if not cores:
                self.skipTest("this system takes core files elsewhere")
            self.look(gdb(f"core-file {cores[0]}", "sedge tasks"))

    def test_nothing_to_see(self):
        self.assertIn("There is no process", gdb("sedge tasks"))
        self.assertIn("No thread runs a worker", gdb("break main", "run", "sedge tasks"))


if __name__ == "__main__":
    unittest.main()
