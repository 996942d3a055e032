# ctest: timeout=180
"""A disk that fills up under a running site, for real: what clients, people and the next start meet. The file system is a
small tmpfs, so this needs root."""

import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import unittest

import paho.mqtt.client as paho
from sedge_site import SEDGE, Site, wait_until

SITE = """site "full"
server {
  mqtt 127.0.0.1:@MQTT@
  http 127.0.0.1:@HTTP@
  store "@STORE@"
}
model Meter { property power: kW range 0..1000 }
device meter: Meter { via mqtt "meter" json }
"""


class Full(unittest.TestCase):
    def setUp(self):
        self.disk = pathlib.Path(tempfile.mkdtemp(prefix="sedge-small-"))
        self.addCleanup(shutil.rmtree, self.disk, ignore_errors=True)
        if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", self.disk], check=False, capture_output=True).returncode:
            self.skipTest("nothing can be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=True)
        self.site = Site(text=SITE.replace("@STORE@", str(self.disk / "data")))
        self.addCleanup(self.site.close)
        self.site.start()
        wait_until(lambda: (self.disk / "data/ballast").exists())

    def fill(self):
        """Until not a byte more can be written."""
        with open(self.disk / "rest", "wb", buffering=0) as rest:
            try:
                while True:
                    rest.write(bytes(4096))
            except OSError:
                pass

    def publish(self, topic, payload, *args):
        return subprocess.run([SEDGE, "pub", "-p", str(self.site.mqtt_port), "-t", topic, "-m", payload, *args], capture_output=True, text=True,
                              timeout=30, check=False)

    def retained(self, topic):
        return subprocess.run([SEDGE, "sub", "-p", str(self.site.mqtt_port), "-t", topic, "-C", "1", "-W", "10"], capture_output=True, text=True,
                              timeout=30, check=False).stdout.strip()

    def publish_until_refused(self):
        """What can't be compressed, so that the segment is used up soon."""
        client = paho.Client("filler", protocol=paho.MQTTv5)
        client.connect("127.0.0.1", self.site.mqtt_port)
        client.loop_start()
        chance = random.Random(1)
        for n in range(400):
            client.publish(f"big/{n}", chance.randbytes(60000), qos=1, retain=True).wait_for_publish(20)
            if not self.site.get("/api/site")["durable"]:
                break
        else:
            self.fail("the disk has never been full")
        client.loop_stop()
        client.disconnect()

    def alerts(self):
        return [(a["severity"], a["text"], a["state"]) for a in self.site.get("/api/alerts")["alerts"]]

    def test_it_is_told_and_the_site_goes_on(self):
        self.fill()
        self.publish_until_refused()
        refused = self.publish("kept", "1", "-q", "1", "-r")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("quota exceeded", refused.stderr)
        wait_until(lambda: any(s == "critical" and "is full" in t for s, t, _ in self.alerts()))
        site = self.site.get("/api/site")
        self.assertEqual((site["durable"], site["durable_why"]), (False, "the disk is full"))
        self.assertEqual(self.site.request("/health")[0], 503)
        self.publish("meter", '{"power": 12}', "-q", "0")  # values are seen all the same
        wait_until(lambda: self.site.get("/api/site")["devices"][0]["properties"][0]["value"] == 12)
        said = subprocess.run([SEDGE, "doctor", self.site.folder], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(said.returncode, 1)
        self.assertIn("the disk is full", said.stdout)
        self.assertEqual(self.site.process.text().count("no room for"), 1)

        (self.disk / "rest").unlink()
        wait_until(lambda: self.site.get("/api/site")["durable"])
        wait_until(lambda: all("is full" not in t or state == "returned" for _, t, state in self.alerts()))
        self.assertEqual(self.publish("kept", "2", "-q", "1", "-r").returncode, 0)
        self.site.kill()
        self.site.start()
        self.assertEqual(self.retained("kept"), "2")

    def test_it_starts_on_a_full_disk(self):
        """After a power cut nobody is there to make room first."""
        self.publish("kept", "1", "-q", "1", "-r")
        self.fill()
        self.site.kill()
        (self.disk / "data/sedge.db-shm").unlink(missing_ok=True)
        self.fill()
        self.site.start()
        self.assertIn("are given back", self.site.process.text())
        self.assertEqual(self.retained("kept"), "1")
        (self.disk / "rest").unlink()
        self.site.stop()
        self.site.start()
        wait_until(lambda: (self.disk / "data/ballast").exists())


if __name__ == "__main__":
    unittest.main()
