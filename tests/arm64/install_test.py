"""The libraries for arm64, as docs/howto/c-program.md has it: a program is cross-built with what is installed, by the
page's own command, and runs in emulation without libsedge-mqtt. $SEDGE_BUILD is build/arm64, with what `make install-arm64`
builds in it."""
# ctest: timeout=240

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from sedge_site import Site

BUILD = pathlib.Path(os.environ["SEDGE_BUILD"])
SOURCE = pathlib.Path(__file__).parents[2]
SITE = """
site "lab"
server { mqtt 127.0.0.1:@MQTT@; http 127.0.0.1:@HTTP@; store "data"; watchdog off }
model Computer { property load: float  range 0..1000 }
device lab.computer: Computer { via mqtt "lab/computer" json }
"""


def blocks():
    """The page's commands for a board: installing, then building and running."""
    page = (SOURCE / "docs/howto/c-program.md").read_text()
    return re.findall(r"```sh elsewhere=tests/arm64/install_test\.py\n(.*?)```", page, re.S)


class Board(unittest.TestCase):
    def setUp(self):
        self.tmp = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        done = subprocess.run(["cmake", "--install", BUILD, "--prefix", "/usr/local"], capture_output=True, text=True,
                              env={**os.environ, "DESTDIR": str(self.tmp / "board")}, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_reading_from_a_board(self):
        site = Site(text=SITE)
        self.addCleanup(site.close)
        site.start(timeout=60)
        source = (SOURCE / "examples/mqtt/reading.c").read_text()
        with_port = source.replace(".lost = lost}", f".lost = lost, .port = {site.mqtt_port}}}")
        self.assertNotEqual(source, with_port)
        (self.tmp / "reading.c").write_text(with_port)
        (self.tmp / "build").symlink_to(BUILD.parent)
        install, build = blocks()
        self.assertIn("make install-arm64 DESTDIR=$PWD/board", install)
        done = subprocess.run(["sh", "-e"], input=build, cwd=self.tmp, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stdout.count(": acknowledged"), 5, done.stdout + done.stderr)
        needed = subprocess.run(["readelf", "-d", self.tmp / "reading.arm64"], capture_output=True, text=True, check=True).stdout
        self.assertIn("libssl.so", needed)
        self.assertNotIn("libsedge", needed)
        self.assertEqual(len(site.get("/api/history?series=lab.computer.load")["points"]), 5)

    def test_shared_libraries_are_for_the_board(self):
        for name in ["rt", "mqtt"]:
            head = (self.tmp / f"board/usr/local/lib/libsedge-{name}.so").read_bytes()[:20]
            self.assertEqual(int.from_bytes(head[18:20], "little"), 183, "EM_AARCH64")


if __name__ == "__main__":
    unittest.main()
