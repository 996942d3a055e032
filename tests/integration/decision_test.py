# ctest: timeout=180
"""The real program on a disk whose sync is slow or broken: no command leaves and no acknowledgement is confirmed to a
person before its record is committed; when it never will be, none does, and everybody is told."""

import http.client
import os
import random
import subprocess
import tempfile
import threading
import time
import unittest

from api_case import SITE
from mqtt_sync_test import Disk
from sedge_site import Site, wait_until


class Later:
    """A request whose answer may take its time."""

    def __init__(self, site, path, body):
        self.answer = None

        def ask():
            try:
                self.answer = site.request(path, body, timeout=60)
            except OSError:
                pass  # the server went
        self.thread = threading.Thread(target=ask, daemon=True)
        self.thread.start()

    def wait(self):
        self.thread.join(60)
        return self.answer


class Decisions(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="sedge-decision-")
        self.addCleanup(folder.cleanup)
        self.disk = Disk(folder.name)
        self.site = Site(text=SITE)
        self.addCleanup(self.site.close)
        self.site.start(env=self.disk.env)
        self.commands = self.site.spawn(["mosquitto_sub", "-p", self.site.mqtt_port, "-i", "devices", "-t", "+/set",
                                         "-t", "+/+/set", "-F", "%t"])
        wait_until(lambda: any(c["client"] == "devices" and c["subscriptions"] == 2
                               for c in self.site.get("/api/connections")["connections"]))

    def heat(self, value):
        self.site.publish("press/temp", str(value))

    def alert(self, text):
        return next((a for a in self.site.get("/api/alerts?state=all")["alerts"] if text in a["text"]), None)

    def action(self, device):
        return next((a for a in self.site.get("/api/actions")["actions"] if a["device"] == device), None)

    def test_held(self):
        self.heat(160)
        alert = wait_until(lambda: self.alert("very hot"))
        wait_until(lambda: self.commands.text("out") == "press/valve/set")
        self.heat(20)  # the rules end: the valve is closed
        wait_until(lambda: self.commands.text("out").count("press/valve/set") >= 2)
        self.site.publish("press/valve", '{"position": 0}')
        wait_until(lambda: self.action("plant.press.valve")["state"] == "confirmed")
        before = self.commands.text("out")
        self.disk.order("hold")
        self.heat(95)
        wait_until(self.disk.held, what="a sync that is held")
        wait_until(lambda: self.action("plant.press.valve")["action"] == "open")
        by_hand = self.site.request("/api/devices/plant.lamp/actions/off", {"by": "Ada"})
        self.assertEqual((by_hand[0], by_hand[1]["state"]), (202, "waiting"))
        acknowledging = Later(self.site, f"/api/alerts/{alert['id']}/acknowledge", {"by": "Ada"})
        leaving = Later(self.site, "/api/site", None)
        self.assertEqual(leaving.wait()[0], 200)  # who asks for nothing that must last is answered
        time.sleep(1)
        self.assertEqual(self.commands.text("out"), before)
        self.assertIsNone(acknowledging.answer)
        self.assertEqual({self.action(d)["state"] for d in ("plant.lamp", "plant.press.valve")}, {"waiting"})
        self.disk.order("")
        self.assertEqual(acknowledging.wait()[1]["acknowledged_by"], "Ada")
        wait_until(lambda: {"lamp/set", "press/valve/set"} <= set(self.commands.text("out")[len(before):].split()))
        self.site.stop()

    def test_failing(self):
        self.heat(160)
        alert = wait_until(lambda: self.alert("very hot"))
        wait_until(lambda: self.commands.text("out"))
        self.site.publish("press/valve", '{"position": 95}')
        wait_until(lambda: self.action("plant.press.valve")["state"] == "confirmed")
        before = self.commands.text("out")
        self.disk.order("fail")
        acknowledged = self.site.request(f"/api/alerts/{alert['id']}/acknowledge", {"by": "Ada"})
        self.assertEqual(acknowledged[0], 503, acknowledged)
        again = self.alert("very hot")
        self.assertEqual((again["state"], again["acknowledged_by"]), ("unacknowledged", None))
        self.disk.order("")  # too late
        status, problem = self.site.request("/api/devices/plant.lamp/actions/off", {"by": "Ada"})
        self.assertEqual(status, 503)
        self.assertIn("journal", problem["detail"])
        self.heat(20)  # the program wants the valve closed
        wait_until(lambda: self.alert("plant.press.valve is not commanded"))
        self.assertEqual(self.action("plant.press.valve")["state"], "failed")
        self.assertIn("journal", self.action("plant.press.valve")["why"])
        site = self.site.get("/api/site")
        self.assertFalse(site["durable"])
        self.assertIn("sync", site["durable_why"])
        status, problem = self.site.request("/health")
        self.assertEqual((status, problem["why"]), (503, site["durable_why"]))
        self.assertEqual(self.commands.text("out"), before)
        self.site.stop()
        self.site.start()
        self.assertTrue(self.site.get("/api/site")["durable"])

    def test_a_client_that_does_not_wait_for_its_answer(self):
        self.heat(160)
        alert = wait_until(lambda: self.alert("very hot"))
        self.disk.order("hold")
        with self.assertRaises(OSError):
            self.site.request(f"/api/alerts/{alert['id']}/acknowledge", {"by": "Ada"}, timeout=0.5)
        self.disk.order("")
        wait_until(lambda: self.alert("very hot")["acknowledged_by"] == "Ada")
        self.site.stop()

    def test_the_end_while_an_acknowledgement_waits(self):
        self.heat(160)
        alert = wait_until(lambda: self.alert("very hot"))
        self.disk.order("hold")
        waiting = Later(self.site, f"/api/alerts/{alert['id']}/acknowledge", {"by": "Ada"})
        wait_until(self.disk.held, what="a sync that is held")
        wait_until(lambda: self.alert("very hot")["acknowledged_by"] == "Ada")
        threading.Timer(1.0, lambda: self.disk.order("")).start()
        self.site.stop()
        waiting.thread.join(10)
        self.assertIsNone(waiting.answer)

    def test_an_action_outlives_a_kill(self):
        self.disk.order("hold")
        self.heat(95)
        wait_until(lambda: self.action("plant.press.valve"))
        self.assertEqual(self.commands.text("out"), "")
        self.disk.order("")
        wait_until(lambda: self.commands.text("out") == "press/valve/set")
        self.site.kill()  # nobody has obeyed yet
        self.site.start()
        self.site.spawn(["mosquitto_sub", "-p", self.site.mqtt_port, "-t", "press/valve/set"])
        again = self.site.others[-1]
        wait_until(lambda: '"action":"open"' in again.text("out"))
        self.site.publish("press/valve", '{"position": 95}')
        wait_until(lambda: self.action("plant.press.valve")["state"] == "confirmed")
        self.assertEqual([a["action"] for a in self.site.get("/api/actions")["actions"]], ["open"])


class Kills(unittest.TestCase):
    ROUNDS = 12

    def test_what_a_person_was_told_outlives_every_kill(self):
        seed = int(os.environ.get("SEDGE_TEST_SEED", time.time_ns() % 1000000))
        print(f"  SEDGE_TEST_SEED={seed}", flush=True)
        chance = random.Random(seed)
        told, ids = {}, set()
        with Site(text=SITE) as site:
            for _ in range(self.ROUNDS):
                site.start()
                killer = threading.Timer(chance.uniform(0.05, 0.6), site.kill)
                killer.start()
                self.work(site, told, ids)
                killer.join()
            site.start()
            alerts = {a["id"]: a for a in site.get("/api/alerts?state=all&limit=10000")["alerts"]}
            for number, name in told.items():
                if number >= min(alerts):  # the newest 1,000 are remembered
                    self.assertEqual(alerts[number]["acknowledged_by"], name, number)
            kept = [a["id"] for a in site.get("/api/actions?limit=10000")["actions"]]
            self.assertEqual(kept, sorted(set(kept), reverse=True))  # newest first, none twice
            self.assertLessEqual({i for i in ids if i >= kept[-1]}, set(kept))
            site.stop()
        print(f"  {len(told)} acknowledgements, {len(ids)} commands sent", flush=True)
        self.assertGreater(len(told), 0)

    @staticmethod
    def work(site, told, ids):
        """Alerts that come and go, acknowledged at once, until the site dies."""
        try:
            while True:
                for value in ("95", "20"):
                    site.publish("press/temp", value, "-q", "1")
                for alert in site.get("/api/alerts")["alerts"]:
                    name = f"Ada {alert['id']}"
                    if site.request(f"/api/alerts/{alert['id']}/acknowledge", {"by": name})[0] == 200:
                        told[alert["id"]] = name
                ids.update(a["id"] for a in site.get("/api/actions")["actions"] if a["state"] != "waiting")
        except (OSError, subprocess.SubprocessError, http.client.HTTPException):
            pass  # it is dead


if __name__ == "__main__":
    unittest.main(verbosity=2)
