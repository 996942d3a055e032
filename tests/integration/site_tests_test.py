"""A running site plays its own tests in the background, as the page asks for it: POST and GET /api/tests."""

import os
import signal
import unittest
import urllib.request

from openapi import Description
from sedge_site import Site, wait_until

SITE = """
site "bench"
server { mqtt 127.0.0.1:@MQTT@
         http 127.0.0.1:@HTTP@
         store "data" }
model Press { property temp: °C }
model Valve { property open: bool
              action on() confirms open
              action off() confirms not open
              safe off() }
device plant.press: Press { via mqtt "press" json }
device plant.valve: Valve { via mqtt "valve" json }
program guard {
  own valve: Valve = plant.valve
  read temp: °C = plant.press.temp stale 1h
  when temp > 80 °C for 2s { valve.on() } until temp < 60 °C { valve.off() }
}
"""
TESTS = """
test "a hot press is cooled" {
  plant.press.temp = 90 °C
  after 3s { expect action plant.valve.on() }
}
test "a press that is hot for a moment is cooled, too" {
  plant.press.temp = 90 °C
  after 1s { expect action plant.valve.on() }
}
"""


class SiteTests(unittest.TestCase):
    def setUp(self):
        self.site = Site(files={"site.sedge": SITE, "tests.sedge": TESTS})
        self.addCleanup(self.site.close)
        self.site.start()
        self.site.description = Description(self.site.get("/api/openapi.json"))

    def run_tests(self):
        status, begun = self.site.request("/api/tests", {})
        self.assertEqual((status, begun["running"]), (202, True), begun)
        return wait_until(lambda: (lambda t: None if t["running"] else t)(self.site.get("/api/tests")))

    def test_before_the_first_run(self):
        tests = self.site.get("/api/tests")
        self.assertEqual((tests["running"], tests["started_ms"], tests["tests"], tests["error"]), (False, None, [], None))

    def test_results_with_their_reasons(self):
        got = self.run_tests()
        self.assertEqual((got["error"], got["errors"], got["run"], got["failed"]), (None, 0, 2, 1))
        self.assertLessEqual(got["started_ms"], got["ended_ms"])
        passed, failed = got["tests"]
        self.assertEqual((passed["passed"], passed["text"], passed["file"], passed["line"]), (True, None, "tests.sedge", 2))
        self.assertEqual((failed["passed"], failed["line"]), (False, 6))
        self.assertIn("expect action plant.valve.on()", failed["text"])
        self.assertEqual(failed["failures"][0]["nearly"][0]["hold_ms"], 2000)
        self.assertEqual(self.site.get("/api/tests"), got)  # kept

    def test_the_live_feed_tells_when_they_begin_and_end(self):
        with urllib.request.urlopen(f"{self.site.page}/api/live", timeout=30) as feed:
            self.site.request("/api/tests", {})
            times = 0
            while times < 2:
                times += feed.readline() == b"event: tests\n"
        self.assertFalse(self.site.get("/api/tests")["running"])

    def test_the_files_on_disk_are_played(self):
        self.site.write("tests.sedge", TESTS.replace("after 1s", "after 5s"))
        self.assertEqual(self.run_tests()["failed"], 0)
        self.site.write("tests.sedge", "program {")
        broken = self.run_tests()
        self.assertEqual((broken["errors"] > 0, broken["run"], broken["tests"]), (True, 0, []))
        self.assertIn("--> tests.sedge:1", broken["text"])
        self.assertEqual(self.site.get("/api/site")["programs"][0]["state"], "running")

    def test_one_at_a_time_and_none_outlives_the_site(self):
        endless = "\n".join(f'test "t{i}" {{ plant.press.temp = 20 °C\n after 3000h {{ expect no action plant.valve }} }}' for i in range(200))
        self.site.write("tests.sedge", endless)
        status, _ = self.site.request("/api/tests", {})
        self.assertEqual(status, 202)
        status, problem = self.site.request("/api/tests", {})
        self.assertEqual((status, problem["type"]), (409, "/problems/under-way"))
        children = [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and self.parent(pid) == self.site.process.pid]
        self.assertEqual(len(children), 1)
        self.assertGreater(os.getpriority(os.PRIO_PROCESS, children[0]), os.getpriority(os.PRIO_PROCESS, self.site.process.pid))
        self.site.stop()
        self.assertRaises(ProcessLookupError, os.kill, children[0], signal.SIGKILL)

    @staticmethod
    def parent(pid):
        try:
            with open(f"/proc/{pid}/stat") as f:
                return int(f.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            return None


if __name__ == "__main__":
    unittest.main(verbosity=2)
