# ctest: heavy timeout=200
"""A site with two workers and a watchdog: MQTT and HTTP at once, and who has done what. The real program."""

import concurrent.futures
import gzip
import http.client
import json
import random
import subprocess
import unittest

from sedge_site import Site, wait_until

SITE = """site "t"
server {
  mqtt 127.0.0.1:@MQTT@
  http 127.0.0.1:@HTTP@
  store "data"
  workers 2
  watchdog 10s
}
model Press { property parts: int }
device plant.press: Press { via mqtt "press" json }
"""
STANDING = 3  # tasks of a worker that do not end: of the bus, of connections that move to it, of the journal
T0, POINTS, MESSAGES, READERS, ROUNDS = 1764000000000, 10000, 5000, 4, 10
HISTORY = f"/api/history?series=plant.press.parts&from={T0}&to={T0 + POINTS * 1000}"


def fetch(port, path, coding):
    """(coding, body) of an answer, without Python's help in unpacking it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Accept-Encoding": coding})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 200, (answer.status, body)
    return answer.getheader("Content-Encoding"), body


class Workers(unittest.TestCase):
    def fill(self, site):
        values = [random.Random(7).randrange(100000) for _ in range(POINTS)]
        points = [{"ts": T0 + i * 1000, "values": {"parts": v}} for i, v in enumerate(values)]
        for at in range(0, POINTS, 500):
            site.publish("press", json.dumps(points[at:at + 500]), "-q", "1")
        wait_until(lambda: site.get("/api/stats")["samples"] >= POINTS)
        return [[T0 + i * 1000, v] for i, v in enumerate(values)]

    def load(self, site):
        """Messages from one client to another; what arrived."""
        listener = site.spawn(["mosquitto_sub", "-p", site.mqtt_port, "-i", "listener", "-q", "1", "-t", "load/#",
                               "-C", MESSAGES])
        wait_until(lambda: any(c["client"] == "listener" and c["subscriptions"]
                               for c in site.get("/api/connections")["connections"]))
        lines = "".join(f"{i}\n" for i in range(MESSAGES))
        subprocess.run(["mosquitto_pub", "-p", str(site.mqtt_port), "-q", "1", "-t", "load/x", "-l"],
                       input=lines, text=True, check=True, timeout=60)
        self.assertEqual(listener.wait(60), 0)
        return listener.text("out")

    def read(self, site, points):
        """Histories, compressed, one after the other."""
        for _ in range(ROUNDS):
            coding, body = fetch(site.http_port, HISTORY, "gzip")
            self.assertEqual(coding, "gzip")
            self.assertEqual(json.loads(gzip.decompress(body))["points"], points)
        return True

    def test_mqtt_and_http_at_once(self):
        with Site(text=SITE) as site:
            process = site.start()
            self.assertIn("; 2 workers, ", process.text())
            points = self.fill(site)
            before = site.get("/api/stats")["runtime"]["workers"]
            self.assertEqual([w["worker"] for w in before], [0, 1])
            with concurrent.futures.ThreadPoolExecutor(READERS + 1) as pool:
                delivered = pool.submit(self.load, site)
                readers = [pool.submit(self.read, site, points) for _ in range(READERS)]
                self.assertTrue(all(r.result() for r in readers))
                self.assertEqual(delivered.result(), "\n".join(map(str, range(MESSAGES))))
            after = site.get("/api/stats")["runtime"]["workers"]
            for old, new in zip(before, after):
                for key in set(old) - {"worker", "tasks"}:
                    self.assertGreaterEqual(new[key], old[key], key)
            self.assertGreater(after[1]["polls"], before[1]["polls"])
            self.assertGreater(after[1]["handed"] + after[1]["steals"], before[1]["handed"] + before[1]["steals"])
            wait_until(lambda: site.get("/api/stats")["runtime"]["workers"][1]["tasks"] <= STANDING)
            self.assertNotIn("WARN", process.text())
            site.stop()

    def test_the_command_line_comes_first(self):
        with Site(text=SITE) as site:
            process = site.start("--workers", "3")
            self.assertIn("; 3 workers, ", process.text())
            self.assertEqual(len(site.get("/api/stats")["runtime"]["workers"]), 3)
            site.stop()

    def test_plain_for_who_does_not_take_it(self):
        with Site(text=SITE.replace("workers 2", "workers 1")) as site:
            process = site.start()
            self.assertIn("; 1 worker, ", process.text())
            points = self.fill(site)
            for accept, coding in (("identity", None), ("gzip;q=0", None), ("gzip", "gzip"), ("br, gzip;q=0.2", "gzip")):
                with self.subTest(accept):
                    got, body = fetch(site.http_port, HISTORY, accept)
                    self.assertEqual(got, coding)
                    text = gzip.decompress(body) if coding else body
                    self.assertEqual(json.loads(text)["points"], points)
            site.stop()


unittest.main()
