"""The program for arm64, in emulation: a site with a rule, real clients, a kill and a restart. $SEDGE_BIN runs it
(build/arm64/sedge-emulated); mosquitto's tools and HTTP are this machine's."""
# ctest: timeout=240

import os
import pathlib
import subprocess
import unittest

from sedge_site import SEDGE, Process, Site, wait_until

SITE = """
site "gateway"
server { mqtt 127.0.0.1:@MQTT@; http 127.0.0.1:@HTTP@; store "data"; workers 2; watchdog off }
model Press { property temperature: °C range -20..200 }
model Valve {
  property position: %
  action open() confirms position > 90 %
  action close() confirms position < 5 %
  safe close()
}
device press: Press { via mqtt "press" json }
device press.coolant: Valve { via mqtt "press/coolant" json }
program guard {
  own  cool: Valve = press.coolant
  read temp: °C = press.temperature stale 10min
  when temp > 80 °C for 100ms { cool.open() } until temp < 65 °C for 1s { cool.close() }
}
test "a hot press is cooled" {
  press.temperature = 85 °C
  after 200ms { expect action press.coolant.open() }
}
"""


def sedge(*words, **kwargs):
    return subprocess.run([SEDGE, *map(str, words)], capture_output=True, text=True, timeout=120, **kwargs)


class Gateway(unittest.TestCase):
    def setUp(self):
        self.site = Site(text=SITE)
        self.addCleanup(self.site.close)

    def test_machine(self):
        program = pathlib.Path(os.environ["SEDGE_BUILD"]) / "sedge"
        head = program.read_bytes()[:20]
        self.assertEqual(head[:5], b"\x7fELF\x02")
        self.assertEqual(int.from_bytes(head[18:20], "little"), 183, "EM_AARCH64")

    def test_commands(self):
        check = sedge("check", self.site.folder)
        self.assertEqual(check.returncode, 0, check.stderr)
        played = sedge("test", self.site.folder)
        self.assertEqual(played.returncode, 0, played.stdout + played.stderr)
        self.assertIn("1 test, 0 failed", played.stdout + played.stderr)

    def test_reading_to_action_over_a_kill(self):
        site = self.site
        site.start(timeout=60)
        commands = site.spawn(["mosquitto_sub", "-p", site.mqtt_port, "-t", "press/coolant/set", "-v"])
        wait_until(lambda: any(c["subscriptions"] for c in site.get("/api/connections")["connections"]))
        site.publish("press", '{"temperature": 85.25}', "-q", "1")
        wait_until(lambda: '"action":"open"' in commands.text(), 60, "the command for the valve")
        site.publish("press/coolant", '{"position": 100}', "-q", "1")
        wait_until(lambda: site.get("/api/actions")["actions"][0]["state"] == "confirmed", 60, "its confirmation")

        site.kill()
        site.start(timeout=60)
        points = site.get("/api/history?series=press.temperature")["points"]
        self.assertEqual([value for _, value in points], [85.25])
        # Outcomes are written a little later: if the kill was faster, the command is sent once more.
        site.publish("press/coolant", '{"position": 100}', "-q", "1")
        wait_until(lambda: site.get("/api/actions")["actions"][0]["state"] == "confirmed", 60, "its confirmation, kept")

        listener = Process([SEDGE, "sub", "-p", site.mqtt_port, "-t", "hello/#", "-C", "1", "-v"])
        self.addCleanup(listener.kill)
        wait_until(lambda: any(c["subscriptions"] for c in site.get("/api/connections")["connections"]), 60)
        said = sedge("pub", "-p", site.mqtt_port, "-t", "hello/arm", "-m", "world", "-q", "2")
        self.assertEqual(said.returncode, 0, said.stderr)
        self.assertEqual(listener.wait(60), 0)
        self.assertIn("hello/arm world", listener.text("out"))
        site.stop(60)


if __name__ == "__main__":
    unittest.main()
