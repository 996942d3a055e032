"""A site with one of everything, for tests of its API: Api's own, and those of history. Each answer is held to the description
that the program serves."""

import http.client
import unittest

from openapi import Description
from sedge_site import Site

SITE = """
site "test bench"
server { mqtt 127.0.0.1:@MQTT@
         http 127.0.0.1:@HTTP@
         store "data"
         limits { packet 512 KiB } }
access {
  allow all "#"
  deny publish "secret/#" anonymous
}

model Press {
  property temp: °C range -20..200
  property parts: int
  property running: bool
  property note: str
  event jam
}
model Valve {
  property position: % range 0..100
  action open() confirms position > 90 %
  action close() confirms position < 5 %
  safe close()
}
model Lamp {
  action on(level: %, note: str)
  action off()
  safe off()
}
device plant.press: Press { id "urn:press"; via mqtt "press" json }
device plant.press.valve: Valve { id "urn:valve"; via mqtt "press/valve" json }
device plant.press.lock: Valve { via mqtt "press/lock" json }
model Plug { property power: W }
device plant.plug: Plug {
  property power = "ENERGY.Power" on "tele/plug/SENSOR"
  online on "tele/plug/LWT"
}
device plant.lamp: Lamp { id "urn:lamp"; via mqtt "lamp" json }
group plant.all = plant.press, plant.lamp

// Cools what is hot.
program guard {
  own valve: Valve = plant.press.valve
  own lock: Valve = plant.press.lock
  lend lock to operator never
  read temp: °C = plant.press.temp stale 1h
  when temp > 80 °C { alert critical "hot: {temp}"; valve.open() } until temp < 60 °C { valve.close() }
  when temp > 150 °C { alert warning "very hot" }
}
"""


class ApiCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = Site(text=SITE)
        cls.site.start()
        cls.site.description = Description(cls.site.get("/api/openapi.json"))

    @classmethod
    def tearDownClass(cls):
        try:
            cls.site.stop()
        finally:
            cls.site.close()

    def problem(self, answer, status, *words):
        """RFC 9457, with a detail that has the words."""
        got, body = answer
        self.assertEqual(got, status, body)
        self.assertEqual(body["status"], status)
        if body["type"] == "about:blank":
            self.assertEqual(body["title"], http.client.responses.get(status, body["title"]))
        else:  # it says what it means
            code, text = self.site.request(body["type"])
            self.assertEqual((code, text.split("\n")[0]), (200, f"{body['title']} (status {status})"))
        self.assertTrue(body["title"])
        self.assertTrue(body.get("instance", "/").startswith("/"))  # none if the request could not be read
        for word in words:
            self.assertIn(word, body["detail"])
        return body

    def client(self, name):
        return next((c for c in self.site.get("/api/connections")["connections"] if c["client"] == name), None)

    def heat(self, value):
        self.site.publish("press/temp", str(value), "-q", "1")
