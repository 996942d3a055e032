# ctest: timeout=300 workers=2
"""Every endpoint of docs/http-api.md but the live feed: its shape and its errors. The real program."""

import http.client
import json
import os
import socket
import time
import unittest

from sedge_site import Site, wait_until

SITE = """
site "test bench"
server { mqtt 127.0.0.1:@MQTT@
         http 127.0.0.1:@HTTP@
         store "data" }

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
device plant.lamp: Lamp { id "urn:lamp"; via mqtt "lamp" json }
group plant.all = plant.press, plant.lamp

program guard {
  own valve: Valve = plant.press.valve
  own lock: Valve = plant.press.lock
  lend lock to operator never
  read temp: °C = plant.press.temp stale 1h
  when temp > 80 °C { alert critical "hot: {temp}"; valve.open() } until temp < 60 °C { valve.close() }
  when temp > 150 °C { alert warning "very hot" }
}
"""

NUMBER = (int, float)
MS = int
MAYBE = (str, type(None))
CAUSE = {"series": str, "value": (int, float, bool, str), "ts_ms": MS}
ALERT = {"id": int, "severity": str, "text": str, "state": str,
         "source": {"program": MAYBE, "rule": MAYBE, "line": (int, type(None)), "device": MAYBE},
         "cause": CAUSE, "raised_ms": MS, "cleared_ms": (MS, type(None)),
         "acknowledged_ms": (MS, type(None)), "acknowledged_by": MAYBE, "count": int,
         "shelved_ms": (MS, type(None)), "shelved_until_ms": (MS, type(None)), "shelved_by": MAYBE, "shelved_why": MAYBE}
ACTION = {"id": str, "device": str, "action": str, "args": dict, "state": str, "by": dict, "cause": (dict, type(None)),
          "confirms": MAYBE, "attempts": int, "requested_ms": MS, "outcome_ms": (MS, type(None)), "why": MAYBE}
PROPERTY = {"name": str, "series": int, "type": str, "unit": MAYBE, "min": (int, float, type(None)),
            "max": (int, float, type(None)), "value": (int, float, bool, str, type(None)),
            "ts_ms": (MS, type(None)), "quality": str, "stale_ms": (int, type(None))}
RULE = {"path": str, "line": int, "text": str, "state": str, "fired": int, "fired_ms": (MS, type(None))}
PROGRAM = {"name": str, "file": str, "line": int, "state": str, "owns": [str], "reads": [int], "turns": int,
           "instructions": int, "overruns": int, "traps": int, "turn_instructions_peak": int, "tasks": int,
           "heap_live": int, "heap_bytes": int, "heap_max": int, "gc_cycles": int, "gc_pause_max_ns": int,
           "gc_total_ns": int, "error": MAYBE, "rules": [RULE]}
LEASE = {"holder": str, "person": bool, "priority": int, "since_ms": MS, "until_ms": MS, "waiting": int}
DEVICE = {"name": str, "model": str, "id": MAYBE, "topic": str, "owner": MAYBE,
          "lease": (dict, type(None)), "properties": [PROPERTY],
          "actions": [{"name": str, "params": [{"name": str, "type": str, "unit": MAYBE}], "confirms": MAYBE,
                       "safe": bool}], "events": [str]}
WORKER = dict.fromkeys(("worker", "ticks", "polls", "sleeps", "wakes", "searches", "steals", "handed", "tasks"), int)
POOL = {"name": str, **dict.fromkeys(("worker", "block_bytes", "in_use", "peak", "made", "limit", "refused",
                                      "given_by_others"), int)}
POOLS = ("net.streams", "net.senders", "net.blocks", "net.small", "coroutines", "free coroutines", "buffers")
DISCOVERED = {"topic": str, "count": int, "first_ms": MS, "last_ms": MS, "kind": str, "payload": str}


def mismatch(value, shape, at="$"):
    """Where a value is not of the shape, or None. Every member must be there, and no other."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return f"{at}: {value!r} is no object"
        if value.keys() != shape.keys():
            return f"{at}: members {sorted(value.keys() ^ shape.keys())} too many or missing"
        return next((m for k in shape if (m := mismatch(value[k], shape[k], f"{at}.{k}"))), None)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{at}: {value!r} is no list"
        return next((m for i, v in enumerate(value) if (m := mismatch(v, shape[0], f"{at}[{i}]"))), None)
    kinds = shape if isinstance(shape, tuple) else (shape,)
    if isinstance(value, bool) and bool not in kinds or not isinstance(value, kinds):
        return f"{at}: {value!r} is not of {shape}"
    return None


class Api(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = Site(text=SITE)
        cls.site.start()

    @classmethod
    def tearDownClass(cls):
        try:
            cls.site.stop()
        finally:
            cls.site.close()

    def shape(self, value, shape):
        self.assertIsNone(mismatch(value, shape), json.dumps(value, indent=1)[:2000])

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

    # --- the site ---

    def test_the_site(self):
        site = self.site.get("/api/site")
        self.shape(site, {"name": str, "version": str, "run": str, "now_ms": MS, "started_ms": MS, "durable": bool,
                          "devices": [DEVICE], "groups": [{"name": str, "members": [str]}],
                          "programs": [PROGRAM], "server": {"mqtt": [str], "http": [str]}})
        self.assertEqual(site["name"], "test bench")
        self.assertTrue(site["durable"])
        self.assertEqual(site["server"], {"mqtt": [f"127.0.0.1:{self.site.mqtt_port}"],
                                          "http": [f"127.0.0.1:{self.site.http_port}"]})
        self.assertEqual(site["groups"], [{"name": "plant.all", "members": ["plant.press", "plant.lamp"]}])
        devices = {d["name"]: d for d in site["devices"]}
        press, valve, lamp = (devices[n] for n in ("plant.press", "plant.press.valve", "plant.lamp"))
        self.assertEqual((press["model"], press["id"], press["topic"], press["owner"], press["events"]),
                         ("Press", "urn:press", "press", None, ["jam"]))
        self.assertEqual([(p["name"], p["type"], p["unit"], p["min"], p["max"]) for p in press["properties"]],
                         [("temp", "float", "°C", -20, 200), ("parts", "int", None, None, None),
                          ("running", "bool", None, None, None), ("note", "str", None, None, None)])
        self.assertEqual(valve["owner"], "guard")
        self.assertEqual([(a["name"], a["confirms"], a["safe"]) for a in valve["actions"]],
                         [("open", "position > 90 %", False), ("close", "position < 5 %", True)])
        self.assertEqual(lamp["actions"][0]["params"], [{"name": "level", "type": "float", "unit": "%"},
                                                        {"name": "note", "type": "str", "unit": None}])
        program = site["programs"][0]
        self.assertEqual((program["name"], program["state"], program["owns"], program["file"]),
                         ("guard", "running", ["plant.press.valve", "plant.press.lock"], "site.sedge"))
        self.assertEqual(program["reads"], [press["properties"][0]["series"]])
        self.assertIn("when temp > 80 °C", program["rules"][0]["text"])
        all_series = [p["series"] for d in site["devices"] for p in d["properties"]]
        self.assertEqual(sorted(all_series), list(range(len(all_series))))

    def test_values_of_all_types_and_their_quality(self):
        self.site.publish("press", '{"parts": 12, "running": true, "note": "all \\"well\\" °", "temp": 20.5}', "-q", "1")
        want = {"parts": 12, "running": True, "note": 'all "well" °', "temp": 20.5}
        wait_until(lambda: self.site.property("plant.press.note")["value"] == want["note"])
        for name, value in want.items():
            p = self.site.property(f"plant.press.{name}")
            self.assertEqual((p["value"], p["quality"]), (value, "good"), name)
            self.assertLess(abs(p["ts_ms"] - time.time() * 1000), 60000)
        self.heat(500)
        wait_until(lambda: self.site.property("plant.press.temp")["quality"] == "bad")
        self.heat(20)
        wait_until(lambda: self.site.property("plant.press.temp")["quality"] == "good")

    # --- alerts ---

    def hot(self):
        self.heat(20)
        wait_until(lambda: self.site.property("plant.press.temp")["value"] == 20)
        self.heat(95)
        return wait_until(lambda: next((a for a in self.site.get("/api/alerts")["alerts"]
                                        if a["text"] == "hot: 95 °C" and a["state"] == "unacknowledged"), None))

    def test_alerts_and_their_acknowledgement(self):
        alert = self.hot()
        self.shape(alert, ALERT)
        self.assertEqual((alert["severity"], alert["cleared_ms"], alert["acknowledged_ms"]), ("critical", None, None))
        self.assertEqual((alert["source"]["program"], alert["source"]["device"]), ("guard", "plant.press"))
        self.assertEqual(alert["source"]["line"], 36)
        self.assertTrue(alert["source"]["rule"].startswith("guard/"))
        self.assertEqual((alert["cause"]["series"], alert["cause"]["value"]), ("plant.press.temp", 95))
        path = f"/api/alerts/{alert['id']}/acknowledge"
        for body in ({}, {"by": ""}, {"by": "  "}, {"by": 7}, {"by": "x" * 200}, []):
            self.problem(self.site.request(path, body), 400, '"by"')
        status, answer = self.site.request(path, {"by": "Ada Lovelace"})
        self.assertEqual(status, 200, answer)
        self.shape(answer, ALERT)
        self.assertEqual((answer["id"], answer["state"], answer["acknowledged_by"]),
                         (alert["id"], "acknowledged", "Ada Lovelace"))
        self.problem(self.site.request(path, {"by": "Bo"}), 409, "Ada Lovelace")
        for unknown in ("999999", "0", "-1", "x", "99999999999999999999"):
            self.problem(self.site.request(f"/api/alerts/{unknown}/acknowledge", {"by": "Ada"}), 404, unknown)
        self.heat(20)
        over = wait_until(lambda: next((a for a in self.site.get("/api/alerts?state=all")["alerts"]
                                        if a["id"] == alert["id"] and a["state"] == "normal"), None))
        self.assertIsNotNone(over["cleared_ms"])
        self.assertNotIn(alert["id"], [a["id"] for a in self.site.get("/api/alerts")["alerts"]])

    def test_lists_of_alerts(self):
        self.hot()
        self.heat(160)
        alerts = wait_until(lambda: (lambda a: a if len(a) >= 2 else None)(self.site.get("/api/alerts")["alerts"]))
        self.assertEqual([a["id"] for a in alerts], sorted((a["id"] for a in alerts), reverse=True))
        self.assertEqual(len(self.site.get("/api/alerts?limit=1")["alerts"]), 1)
        self.assertEqual(self.site.get("/api/alerts?limit=1")["alerts"][0]["id"], alerts[0]["id"])
        self.problem(self.site.request("/api/alerts?state=some"), 400, "all, active or shelved")
        for limit in ("0", "-1", "x", "1.5", "100000"):
            self.problem(self.site.request(f"/api/alerts?limit={limit}"), 400, "limit")
        self.heat(20)

    # --- actions ---

    def test_actions_of_a_program(self):
        self.hot()
        action = wait_until(lambda: next((a for a in self.site.get("/api/actions")["actions"]
                                          if a["device"] == "plant.press.valve" and a["action"] == "open"
                                          and a["state"] == "sent"), None))
        self.shape(action, ACTION)
        self.assertEqual(action["by"]["kind"], "program")
        self.assertEqual(action["by"].keys(), {"kind", "program", "rule", "line"})
        self.assertEqual((action["by"]["program"], action["confirms"]), ("guard", "position > 90 %"))
        self.shape(action["cause"], CAUSE)
        self.site.publish("press/valve", '{"position": 95}', "-q", "1")
        done = wait_until(lambda: next((a for a in self.site.get("/api/actions")["actions"]
                                        if a["id"] == action["id"] and a["state"] == "confirmed"), None))
        self.assertGreaterEqual(done["outcome_ms"], done["requested_ms"])
        self.assertEqual(len(self.site.get("/api/actions?limit=1")["actions"]), 1)
        self.problem(self.site.request("/api/actions?limit=none"), 400, "limit")
        self.heat(20)

    def test_a_command_by_hand(self):
        path = "/api/devices/plant.lamp/actions/on"
        listener = self.site.spawn(["mosquitto_sub", "-p", self.site.mqtt_port, "-i", "lamp", "-t", "lamp/set"])
        wait_until(lambda: self.client("lamp")["subscriptions"] == 1)
        good = {"args": {"level": 60, "note": 'a "b" °'}, "by": "Ada"}
        status, action = self.site.request(path, good)
        self.assertEqual(status, 202, action)
        self.shape(action, ACTION)
        self.assertEqual((action["by"], action["cause"], action["args"], action["confirms"], action["outcome_ms"]),
                         ({"kind": "operator", "name": "Ada"}, None, good["args"], None, None))
        wait_until(lambda: action["id"] in listener.text())
        said = json.loads(next(t for _, t in listener.lines if t.startswith("{")))
        self.assertEqual(said, {"action": "on", "args": good["args"], "id": action["id"]})
        self.site.publish("lamp/ack", json.dumps({"id": action["id"]}))
        wait_until(lambda: next(a for a in self.site.get("/api/actions")["actions"]
                                if a["id"] == action["id"])["state"] == "confirmed")
        cases = [
            ({"args": {"level": 60}, "by": "Ada"}, "note"),
            ({"args": {"note": "x"}, "by": "Ada"}, "level"),
            ({"args": {"level": "60", "note": "x"}, "by": "Ada"}, "level"),
            ({"args": {"level": 1, "note": 2}, "by": "Ada"}, "note"),
            ({"args": {"level": 1, "note": "x", "more": 1}, "by": "Ada"}, "more"),
            ({"args": [1], "by": "Ada"}, "args"),
            ({"args": {"level": 1, "note": "x" * 300}, "by": "Ada"}, "note"),
            ({"by": "Ada"}, "args"),
            ({"args": {"level": 1, "note": "x"}}, "by"),
        ]
        for body, word in cases:
            with self.subTest(body=body):
                self.problem(self.site.request(path, body), 400, word)
        self.problem(self.site.request("/api/devices/plant.moon/actions/on", good), 404, "plant.moon")
        self.problem(self.site.request("/api/devices/plant.lamp/actions/fly", good), 404, "fly")
        self.assertEqual(self.site.request("/api/devices/plant.lamp/actions/off", {"by": "Ada"})[0], 202)

    def test_a_body_that_is_no_json(self):
        for raw in (b"", b"{", b"[]", b"nonsense", b'{"by":"Ada"', b'{"args":{"level":1e999,"note":"x"},"by":"Ada"}',
                    b'{"by":"\xff\xfe"}'):
            with self.subTest(raw=raw):
                connection = http.client.HTTPConnection("127.0.0.1", self.site.http_port, timeout=10)
                connection.request("POST", "/api/devices/plant.lamp/actions/on", raw,
                                   {"Content-Type": "application/json"})
                answer = connection.getresponse()
                body = json.loads(answer.read())
                connection.close()
                self.assertEqual((answer.status, answer.getheader("Content-Type")),
                                 (400, "application/problem+json"), body)

    def test_an_owned_device_that_is_not_lent_to_people_names_its_owner(self):
        answer = self.site.request("/api/devices/plant.press.lock/actions/open", {"args": {}, "by": "Ada"})
        problem = self.problem(answer, 409, "plant.press.lock", "guard")
        self.assertEqual(problem["owner"], "guard")
        self.assertEqual(problem["type"], "/problems/owned")
        self.assertEqual(problem["instance"], "/api/devices/plant.press.lock/actions/open")

    def lease_of(self, name):
        return next(d["lease"] for d in self.site.get("/api/site")["devices"] if d["name"] == name)

    def test_a_person_borrows_an_owned_device_and_gives_it_back(self):
        path = "/api/devices/plant.press.valve/lease"
        self.problem(self.site.request(path, {}, method="DELETE"), 409, "nobody has plant.press.valve")
        status, action = self.site.request("/api/devices/plant.press.valve/actions/close", {"args": {}, "by": "Ada"})
        self.assertEqual((status, action["by"]), (202, {"kind": "operator", "name": "Ada"}))
        lease = self.lease_of("plant.press.valve")
        self.shape(lease, LEASE)
        self.assertEqual((lease["holder"], lease["person"], lease["until_ms"] - lease["since_ms"]), ("Ada", True, 900000))
        answer = self.site.request("/api/devices/plant.press.valve/actions/open", {"args": {}, "by": "Bob"})
        self.problem(answer, 409, "plant.press.valve", "Ada has it")
        self.assertEqual(self.site.request(path, {}, method="DELETE")[0], 204)
        self.assertIsNone(self.lease_of("plant.press.valve"))

    # --- history ---

    def history(self, series, **query):
        text = "&".join(f"{k}={v}" for k, v in query.items())
        return self.site.get(f"/api/history?series={series}&{text}")

    def keep(self, topic, points):
        for ts, value in points:
            self.site.publish(topic, json.dumps({"ts": ts, "values": {"parts": value}}), "-q", "1")
        return points

    def test_history_by_points(self):
        t0 = int(time.time() * 1000) - 600000
        points = self.keep("press", [(t0 + i * 1000, i * i) for i in range(10)])
        got = self.history("plant.press.parts", **{"from": t0, "to": points[-1][0]})
        self.shape(got, {"series": str, "unit": MAYBE, "from": MS, "to": MS, "points": [[NUMBER]], "truncated": bool})
        self.assertEqual((got["series"], got["unit"], got["from"], got["to"]),
                         ("plant.press.parts", None, t0, points[-1][0]))
        self.assertEqual(got["points"], [list(p) for p in points])
        cut = self.history("plant.press.parts", **{"from": t0, "to": points[-1][0], "limit": 3})
        self.assertEqual((cut["points"], cut["truncated"]), ([list(p) for p in points[:3]], True))
        one = self.history("plant.press.parts", **{"from": t0 + 1000, "to": t0 + 1000})
        self.assertEqual(one["points"], [[t0 + 1000, 1]])
        self.assertEqual(self.history("plant.press.temp")["unit"], "°C")

    def test_history_by_windows_leaves_gaps_out(self):
        t0 = (int(time.time() * 1000) - 3600000) // 60000 * 60000
        self.keep("press", [(t0, 1), (t0 + 10000, 3), (t0 + 180000, 7), (t0 + 190000, 2), (t0 + 200000, 9)])
        query = {"from": t0, "to": t0 + 299999}
        got = self.history("plant.press.parts", window=60000, **query)
        self.shape(got, {"series": str, "unit": MAYBE, "from": MS, "to": MS, "window": int, "windows": [[NUMBER]],
                         "truncated": bool})
        self.assertEqual(got["windows"], [[t0, 2, 1, 3, 2], [t0 + 180000, 3, 2, 9, 6]])
        edges = self.history("plant.press.parts", window=60000, edges=1, **query)
        self.assertEqual(edges["windows"], [[t0, 2, 1, 3, 2, 1, 3], [t0 + 180000, 3, 2, 9, 6, 7, 9]])
        for points in (1, 2, 3, 4, 5, 7, 30, 299, 300, 301, 1000):
            for shift in (0, 1, 29999, 30000):
                start, end = t0 + shift, t0 + shift + 299999
                got = self.history("plant.press.parts", points=points, **{"from": start, "to": end})
                width = got["window"]
                self.assertLessEqual(end // width - start // width + 1, points, (points, shift, width))
                self.assertGreaterEqual(sum(w[1] for w in got["windows"]), 3)

    def test_history_of_other_types(self):
        now = int(time.time() * 1000)
        for value in ("true", "false"):
            self.site.publish("press/running", value, "-q", "1")
            self.site.publish("press/note", value, "-q", "1")
        got = self.history("plant.press.running", **{"from": now - 1000})
        self.assertEqual([v for _, v in got["points"]][-2:], [True, False])
        windows = self.history("plant.press.running", **{"from": now - 1000, "window": 86400000})["windows"]
        self.assertEqual((windows[-1][2], windows[-1][3]), (0, 1))
        self.assertEqual([v for _, v in self.history("plant.press.note", **{"from": now - 1000})["points"]][-2:],
                         ["true", "false"])

    def test_history_that_is_empty_or_wrong(self):
        self.assertEqual(self.history("plant.press.valve.position", **{"from": 1, "to": 2})["points"], [])
        self.problem(self.site.request("/api/history"), 400, "series")
        self.problem(self.site.request("/api/history?series=plant.press.moon"), 404, "plant.press.moon")
        for query, word in (("from=5&to=4", "from"), ("from=x", "from"), ("to=-1", "to"), ("window=0", "window"),
                            ("points=0", "points"), ("limit=0", "limit"), ("limit=100001", "limit"), ("edges=2", "edges"),
                            ("from=0&window=1", "window"), ("to=99999999999999999999", "to")):
            with self.subTest(query=query):
                self.problem(self.site.request(f"/api/history?series=plant.press.parts&{query}"), 400, word)

    def test_many_ask_at_once_and_some_leave(self):
        leavers = []
        for i in range(40):
            s = socket.create_connection(("127.0.0.1", self.site.http_port))
            s.sendall(b"GET /api/history?series=plant.press.parts&from=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            leavers.append(s)
            if i % 2:
                s.close()
        for s in leavers[::2]:
            self.assertTrue(s.recv(64).startswith(b"HTTP/1.1 200"))
            s.close()

    # --- the rest ---

    def test_discovered(self):
        cases = [("strange/json", b'{"contact":true}', "json"), ("strange/number", b"-12.5", "number"),
                 ("strange/text", "grün".encode(), "text"), ("strange/binary", b"\x00\xff\x01", "binary"),
                 ("strange/empty", b"", "text"), ("strange/cut", "x°".encode() * 1000, "text")]
        for topic, payload, _ in cases:
            path = os.path.join(self.site.root, "payload")
            with open(path, "wb") as f:
                f.write(payload)
            self.spawned = self.site.spawn(["mosquitto_pub", "-p", self.site.mqtt_port, "-t", topic, "-f", path])
            self.assertEqual(self.spawned.wait(), 0)
        self.site.publish("press/temp", "warm")
        got = wait_until(lambda: (lambda a: a if "press/temp" in {t["topic"] for t in a["topics"]} else None)(
            self.site.get("/api/discovered")))
        self.shape(got["dropped"], int)
        topics = {t["topic"]: t for t in got["topics"]}
        for topic, payload, kind in cases:
            with self.subTest(topic=topic):
                self.shape(topics[topic], DISCOVERED)
                self.assertEqual((topics[topic]["kind"], topics[topic]["count"]), (kind, 1))
        self.assertEqual(topics["strange/json"]["payload"], '{"contact":true}')
        self.assertLessEqual(len(topics["strange/cut"]["payload"].encode()), 512)
        self.assertIn("expected a number", topics["press/temp"]["error"])

    def test_connections(self):
        client = self.site.spawn(["mosquitto_sub", "-p", self.site.mqtt_port, "-i", "watcher", "-t", "a/#", "-t", "b/#"])
        shape = {"client": str, "address": MAYBE, "version": int, "user": MAYBE, "connected_ms": (MS, type(None)),
                 "clean": bool, "received": int, "sent": int, "subscriptions": int, "queued": int}
        got = wait_until(lambda: (lambda c: c if c["subscriptions"] == 2 else None)(self.client("watcher")))
        self.shape(got, shape)
        self.assertEqual((got["version"], got["user"], got["clean"], got["queued"]), (4, None, True, 0))
        self.assertRegex(got["address"], r"^127\.0\.0\.1:\d+$")
        client.stop()
        wait_until(lambda: self.client("watcher") is None)
        away = self.site.spawn(["mosquitto_sub", "-p", self.site.mqtt_port, "-i", "sleeper", "-c", "-q", "1", "-t", "c", "-E"])
        self.assertEqual(away.wait(), 0)
        sleeper = wait_until(lambda: (lambda c: c if c["connected_ms"] is None else None)(self.client("sleeper")))
        self.shape(sleeper, shape)

    def test_stats_and_health(self):
        stats = self.site.get("/api/stats")
        self.shape(stats, {"uptime_ms": int, "rss_bytes": int, "driver": str, "messages_in": int, "messages_out": int,
                           "samples": int, "connections": int,
                           "journal": dict.fromkeys(("appended", "committed", "syncs", "bytes", "segments", "damaged"), int),
                           "history": dict.fromkeys(("series", "chunks", "points", "head_points"), int),
                           "runtime": {"workers": [WORKER], "pools": [POOL]}, "dropped": [{"reason": str, "count": int}]})
        self.assertGreater(stats["rss_bytes"], 1 << 20)
        self.assertEqual(self.site.get("/health"), {"status": "ok"})

    def test_pools(self):
        with Site(text=SITE) as site:  # of its own: nobody else opens or closes a connection
            site.start()

            def pools():
                return site.get("/api/stats")["runtime"]["pools"]

            def streams_are_of(clients):
                """One stream for each client, on whichever worker it is, and one for who asks."""
                connected = {c["client"] for c in site.get("/api/connections")["connections"]}
                streams = sum(p["in_use"] for p in pools() if p["name"] == "net.streams")
                self.assertEqual((connected, streams), (clients, len(clients) + 1))
                return True

            wait_until(lambda: streams_are_of(set()))
            names = {f"pool{i}" for i in range(3)}
            watchers = [site.spawn(["mosquitto_sub", "-p", site.mqtt_port, "-i", name, "-t", "none"]) for name in names]
            wait_until(lambda: streams_are_of(names))
            for watcher in watchers:
                watcher.stop()
            wait_until(lambda: streams_are_of(set()))
            for p in pools():
                with self.subTest(p):
                    self.assertIn(p["name"], POOLS)
                    self.assertLessEqual(p["in_use"], p["peak"])
                    self.assertLessEqual(p["peak"], p["made"])
                    self.assertLessEqual(p["made"], p["limit"])
            self.assertGreaterEqual(sum(p["peak"] for p in pools() if p["name"] == "net.streams"), 4)
            self.assertTrue(any(p["name"] == "buffers" and p["in_use"] > 0 for p in pools()))

    def test_what_is_not_there(self):
        self.problem(self.site.request("/api/nothing"), 404, "/api/nothing")
        self.problem(self.site.request("/no.html"), 404, "/no.html")
        self.problem(self.site.request("/../etc/passwd"), 400)
        self.problem(self.site.request("/api/site", {}), 405, "POST")
        self.problem(self.site.request("/api/devices/plant.lamp/actions/on"), 405, "GET")

    def test_headers(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.site.http_port, timeout=10)
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:  # built with the page
            csp = answer.getheader("Content-Security-Policy")
            for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"):
                self.assertIn(part, csp)
            self.assertNotIn("unsafe", csp)
            connection.request("GET", "/", headers={"If-None-Match": answer.getheader("ETag")})
            again = connection.getresponse()
            again.read()
            self.assertEqual(again.status, 304)
        connection.request("GET", "/api/site")
        answer = connection.getresponse()
        answer.read()
        self.assertEqual(answer.getheader("Content-Type"), "application/json")
        self.assertEqual(answer.getheader("X-Content-Type-Options"), "nosniff")
        self.assertEqual(answer.getheader("Cache-Control"), "no-store")
        connection.request("HEAD", "/api/site")
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.read()), (200, b""))
        connection.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
