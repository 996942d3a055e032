# ctest: timeout=300 workers=2
"""The live feed of docs/http-api.md: its events, several readers, readers that stall. The real program."""

import http.client
import json
import os
import re
import socket
import subprocess
import threading
import time
import unittest

from api_case import SITE
from openapi import Description
from sedge_site import Site, wait_until


class Feed:
    """A reader of /api/live: `events` has (name, data) in order."""

    def __init__(self, site):
        self.socket = socket.create_connection(("127.0.0.1", site.http_port), timeout=30)
        self.socket.sendall(b"GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.lines = self.socket.makefile("rb")
        self.status = int(self.lines.readline().split()[1])
        self.head = http.client.parse_headers(self.lines)
        self.events = []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        name, data = None, []
        try:
            for line in self.lines:
                line = line.decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    data.append(line[6:])
                elif not line and data:
                    self.events.append((name, json.loads("\n".join(data))))
                    name, data = None, []
        except (OSError, ValueError):
            pass  # closed

    def of(self, name):
        return [data for event, data in list(self.events) if event == name]

    def samples(self, series):
        return [s for batch in self.of("samples") for s in batch if s[0] == series]

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the server was first
        self.thread.join(10)
        self.lines.close()
        self.socket.close()


class Live(unittest.TestCase):
    def setUp(self):
        self.site = Site(text=SITE)
        self.addCleanup(self.site.close)
        self.site.start()

    def test_before_anything_is_known(self):
        p = self.site.property("plant.press.temp")
        self.assertEqual((p["value"], p["ts_ms"], p["quality"]), (None, None, "none"))
        for path, key in (("alerts", "alerts"), ("actions", "actions"), ("discovered", "topics")):
            self.assertEqual(self.site.get(f"/api/{path}")[key], [])

    def test_several_readers_see_everything(self):
        feeds = [Feed(self.site) for _ in range(3)]
        description = Description(self.site.get("/api/openapi.json"))
        temp = self.site.property("plant.press.temp")["series"]
        self.assertEqual(feeds[0].head["Content-Type"], "text/event-stream")
        self.site.publish("press/temp", "20", "-q", "1")
        for feed in feeds:
            wait_until(lambda: feed.samples(temp))
        self.site.publish("press/temp", "95", "-q", "1")
        self.site.publish("strange", "1")
        for feed in feeds:
            with self.subTest(feed=feeds.index(feed)):
                wait_until(lambda: feed.of("alert") and feed.of("discovered") and feed.of("rule")
                           and any(a["state"] == "sent" for a in feed.of("action"))
                           and feed.samples(temp)[-1][2] == 95)
                for name, data in feed.events:
                    description.event(name, data)
                rule = feed.of("rule")[0]
                self.assertEqual((rule["program"], rule["state"], rule["fired"]), ("guard", "active", 1))
                self.assertEqual(feed.samples(temp)[-1][3], "good")
                self.assertEqual(feed.of("lost"), [])
        feeds[0].close()  # one leaves, the others go on
        self.site.publish("press/temp", "30", "-q", "1")
        for feed in feeds[1:]:
            wait_until(lambda: feed.samples(temp)[-1][2] == 30)
            feed.close()

    def test_samples_come_in_batches(self):
        feed = Feed(self.site)
        parts = self.site.property("plant.press.parts")["series"]
        path = os.path.join(self.site.root, "lines")
        with open(path, "w", encoding="ascii") as f:
            f.write("".join(f"{i}\n" for i in range(3000)))
        began = time.monotonic()
        with open(path, "rb") as lines:
            subprocess.run(["mosquitto_pub", "-p", str(self.site.mqtt_port), "-t", "press/parts", "-l", "-q", "1"],
                           stdin=lines, check=True, timeout=60)
        wait_until(lambda: feed.samples(parts) and feed.samples(parts)[-1][2] == 2999)
        took = time.monotonic() - began
        self.assertLessEqual(len(feed.of("samples")), took * 10 + 2)
        feed.close()

    def test_more_than_fits_into_one_event(self):
        self.site.stop()
        names = [f"p{i}" for i in range(200)]
        self.site.write("site.sedge", SITE + "model Big {\n" + "".join(f"  property {n}: str\n" for n in names)
                        + '}\ndevice plant.big: Big { id "urn:big"; via mqtt "big" json }\n')
        self.site.start()
        feed = Feed(self.site)
        path = os.path.join(self.site.root, "payload")
        with open(path, "w", encoding="ascii") as f:
            json.dump({n: "\x01" * 250 for n in names}, f)  # 300 KB
        self.assertEqual(self.site.spawn(["mosquitto_pub", "-p", self.site.mqtt_port, "-t", "big", "-q", "1",
                                          "-f", path]).wait(), 0)
        wait_until(lambda: sum(len(batch) for batch in feed.of("samples")) == 200)
        self.assertEqual(feed.of("lost"), [])
        feed.close()

    def test_a_reader_that_stalls_is_told_what_it_lost(self):
        stalled = socket.socket()
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.connect(("127.0.0.1", self.site.http_port))
        stalled.sendall(b"GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        other = Feed(self.site)
        note = self.site.property("plant.press.note")["series"]
        body = json.dumps({"args": {"level": 1, "note": "\x01" * 250}, "by": "Ada"})  # 1,500 bytes in each event
        connection = http.client.HTTPConnection("127.0.0.1", self.site.http_port, timeout=30)
        for i in range(2000):
            connection.request("POST", "/api/devices/plant.lamp/actions/on", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            self.assertEqual((answer.status, len(answer.read()) > 1500), (202, True))
        connection.close()
        self.site.publish("press/note", "last", "-q", "1")
        wait_until(lambda: other.samples(note) and other.samples(note)[-1][2] == "last")
        self.assertEqual(other.of("lost"), [])
        text = b""
        stalled.settimeout(0.2)

        def told():
            nonlocal text
            try:
                text = (text + stalled.recv(1 << 20))[-(1 << 20):]
            except TimeoutError:
                pass  # it is told though nothing more happens
            return re.search(rb'event: lost\ndata: {"count":(\d+)}\n\n', text)
        self.assertGreater(int(wait_until(told, step=0)[1]), 0)
        stalled.close()
        other.close()

    def test_a_property_that_goes_stale_is_told(self):
        self.site.stop()
        self.site.write("site.sedge", SITE.replace("stale 1h", "stale 500ms"))
        self.site.start()
        feed = Feed(self.site)
        temp = self.site.property("plant.press.temp")["series"]
        self.site.publish("press/temp", "21", "-q", "1")
        wait_until(lambda: feed.samples(temp) and feed.samples(temp)[-1][3] == "stale")
        self.assertEqual(feed.samples(temp)[-1][2], 21)
        feed.close()

    def test_readers_are_limited(self):
        feeds = [Feed(self.site) for _ in range(64)]
        status, problem = self.site.request("/api/live")
        self.assertEqual(status, 503)
        self.assertIn("64", problem["detail"])
        feeds.pop().close()
        wait_until(lambda: (lambda f: f.close() or f.status == 200)(Feed(self.site)))
        for feed in feeds:
            feed.close()

    def test_old_values_are_stale_after_a_restart(self):
        self.site.publish("press/temp", "42", "-q", "1")
        wait_until(lambda: self.site.property("plant.press.temp")["quality"] == "good")
        self.site.kill()
        self.site.start()
        p = self.site.property("plant.press.temp")
        self.assertEqual((p["value"], p["quality"]), (42, "stale"))
        self.site.publish("press/temp", "43", "-q", "1")
        wait_until(lambda: self.site.property("plant.press.temp")["quality"] == "good")

    def test_it_stops_while_people_ask(self):
        feeds = [Feed(self.site) for _ in range(5)]
        asking = []
        for _ in range(30):
            s = socket.create_connection(("127.0.0.1", self.site.http_port))
            s.sendall(b"GET /api/history?series=plant.press.temp HTTP/1.1\r\nHost: localhost\r\n\r\n" * 5)
            asking.append(s)
        self.site.stop(10)  # exit code 0: a leak or a use after free is an error of the sanitizer's build
        for s in asking:
            s.close()
        for feed in feeds:
            feed.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
