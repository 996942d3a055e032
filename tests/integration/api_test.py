# ctest: timeout=300 workers=2
"""Every path of the API: what it answers, and how it refuses. The real program. Each answer is held to the description that
the program serves (docs/openapi.json), and each operation of the description must have been answered."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
import unittest
import urllib.request

from api_case import SITE, ApiCase
from sedge_site import ROOT, Site, wait_until

POOLS = ("net.streams", "net.senders", "net.blocks", "net.small", "coroutines", "free coroutines", "buffers")


class Api(ApiCase):
    # --- the site ---

    def test_the_site(self):
        site = self.site.get("/api/site")
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

    def link_of(self, name):
        return next(d["link"] for d in self.site.get("/api/site")["devices"] if d["name"] == name)

    def test_how_devices_are_reached(self):
        self.assertEqual(self.link_of("plant.press"), {"kind": "mqtt", "text": "press", "online": None, "why": None,
                                                       "unreadable": self.link_of("plant.press")["unreadable"]})
        plug = self.link_of("plant.plug")
        self.assertEqual((plug["kind"], plug["text"], plug["unreadable"]), ("mapped", "tele/plug/SENSOR", 0))
        with urllib.request.urlopen(f"{self.site.page}/api/live", timeout=30) as feed:
            for word, online in (("Online", True), ("Offline", False)):
                self.site.publish("tele/plug/LWT", word, "-q", "1")
                line = b""
                while line != b"event: link\n":
                    line = feed.readline()
                event = json.loads(feed.readline()[6:])
                self.site.description.event("link", event)
                self.assertEqual((event["device"], event["online"]), ("plant.plug", online))
                self.assertEqual(self.link_of("plant.plug")["online"], online)
        self.assertTrue(self.link_of("plant.plug")["why"])
        self.site.publish("tele/plug/SENSOR", "{ nonsense", "-q", "1")
        wait_until(lambda: self.link_of("plant.plug")["unreadable"] == 1)

    # --- alerts ---

    def hot(self):
        self.heat(20)
        wait_until(lambda: self.site.property("plant.press.temp")["value"] == 20)
        self.heat(95)
        return wait_until(lambda: next((a for a in self.site.get("/api/alerts")["alerts"]
                                        if a["text"] == "hot: 95 °C" and a["state"] == "unacknowledged"), None))

    def test_alerts_and_their_acknowledgement(self):
        alert = self.hot()
        self.assertEqual((alert["severity"], alert["cleared_ms"], alert["acknowledged_ms"]), ("critical", None, None))
        self.assertEqual((alert["source"]["program"], alert["source"]["device"]), ("guard", "plant.press"))
        self.assertIn("alert critical", SITE.split("\n")[alert["source"]["line"] - 1])
        self.assertTrue(alert["source"]["rule"].startswith("guard/"))
        self.assertEqual((alert["cause"]["series"], alert["cause"]["value"]), ("plant.press.temp", 95))
        path = f"/api/alerts/{alert['id']}/acknowledge"
        for body in ({}, {"by": ""}, {"by": "  "}, {"by": 7}, {"by": "x" * 200}, []):
            self.problem(self.site.request(path, body), 400, '"by"')
        status, answer = self.site.request(path, {"by": "Ada Lovelace"})
        self.assertEqual(status, 200, answer)
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

    def test_shelving(self):
        alert = self.hot()
        path = f"/api/alerts/{alert['id']}/shelve"
        good = {"by": "Ada", "for_ms": 60000, "why": "the thermometer is being changed"}
        for body, word in (({**good, "by": ""}, "by"), ({**good, "why": " "}, "why"), ({**good, "why": "x" * 201}, "why"),
                           ({**good, "for_ms": 999}, "for_ms"), ({**good, "for_ms": 604800001}, "for_ms"),
                           ({**good, "for_ms": "60000"}, "for_ms"), ({**good, "for_ms": 1000.5}, "for_ms"),
                           ({"by": "Ada", "why": "x"}, "for_ms"), ({}, "by")):
            with self.subTest(body=body):
                self.assertEqual(self.problem(self.site.request(path, body), 400, word)["parameter"], word)
        self.problem(self.site.request("/api/alerts/999999/shelve", good), 404, "999999")
        self.problem(self.site.request(path, {}, method="DELETE"), 409, "not shelved")
        status, shelved = self.site.request(path, good)
        self.assertEqual(status, 200, shelved)
        self.assertEqual((shelved["state"], shelved["shelved_by"], shelved["shelved_why"]),
                         ("unacknowledged", "Ada", good["why"]))
        self.assertEqual(shelved["shelved_until_ms"] - shelved["shelved_ms"], 60000)
        for state, there in (("active", True), ("shelved", True), ("all", True)):
            listed = [a["id"] for a in self.site.get(f"/api/alerts?state={state}")["alerts"]]
            self.assertEqual(alert["id"] in listed, there, state)
        self.assertEqual(self.site.request(path, {**good, "for_ms": 120000, "why": "it takes longer"})[1]["shelved_why"],
                         "it takes longer")
        status, back = self.site.request(path, {}, method="DELETE")
        self.assertEqual((status, back["shelved_until_ms"], back["shelved_by"]), (200, None, None))
        self.assertNotIn(alert["id"], [a["id"] for a in self.site.get("/api/alerts?state=shelved")["alerts"]])
        status, short = self.site.request(path, {**good, "for_ms": 1000})
        self.assertEqual(status, 200)
        wait_until(lambda: not self.site.get("/api/alerts?state=shelved")["alerts"])  # it ends by itself
        self.site.request(f"/api/alerts/{alert['id']}/acknowledge", {"by": "Ada"})
        self.heat(20)
        wait_until(lambda: alert["id"] not in [a["id"] for a in self.site.get("/api/alerts")["alerts"]])
        self.problem(self.site.request(path, good), 409, "over")

    # --- programs ---

    def test_a_programs_source(self):
        source = self.site.get("/api/programs/guard/source")
        lines = SITE.split("\n")
        self.assertEqual((source["program"], source["file"], source["line"]), ("guard", "site.sedge", source["first_line"] + 1))
        self.assertTrue(source["text"].startswith("// Cools what is hot.\nprogram guard {\n"))
        self.assertTrue(source["text"].endswith("\n}\n"))
        self.assertEqual(source["text"].rstrip("\n").split("\n"), lines[source["first_line"] - 1:source["last_line"]])
        self.problem(self.site.request("/api/programs/moon/source"), 404, "moon")

    def test_settings_without_secrets(self):
        settings = self.site.get("/api/settings")
        self.assertEqual((settings["name"], settings["folder"]), ("test bench", str(self.site.folder)))
        self.assertEqual([f["name"] for f in settings["files"]], ["site.sedge"])
        self.assertEqual(settings["files"][0]["lines"], SITE.count("\n"))
        self.assertEqual([(x["protocol"], x["address"], x["tls"], x["anonymous"]) for x in settings["listeners"]],
                         [("mqtt", f"127.0.0.1:{self.site.mqtt_port}", False, True),
                          ("http", f"127.0.0.1:{self.site.http_port}", False, True)])
        self.assertEqual(settings["store"], {"folder": str(self.site.data), "commit_ms": 0})
        limits = {x["name"]: x["value"] for x in settings["limits"]}
        self.assertEqual((limits["connections"], limits["packet"], limits["session_expiry_max"], limits["full"]),
                         (20000, 512 << 10, None, "drop_oldest"))
        self.assertEqual([x["text"] for x in settings["access"]], ['allow all "#"', 'deny publish "secret/#" anonymous'])
        self.assertEqual(SITE.split("\n")[settings["access"][1]["line"] - 1].strip(), settings["access"][1]["text"])

    # --- the description ---

    def test_the_description(self):
        self.assertGreater(self.site.description.check_examples(), 15)
        self.assertGreater(self.site.description.check_schemas(), 100)
        described = self.site.description.document
        self.assertEqual(described["info"]["version"], self.site.get("/api/site")["version"])
        page = (ROOT / "docs/http-api.md").read_text()  # the same, to read
        for method, path in self.site.description.operations():
            self.assertIn(f"## {method} {path}\n", page)
        on_disk = json.loads((ROOT / "docs/openapi.json").read_text())
        self.assertEqual(described, on_disk)

    def test_the_types_of_the_page_are_those_of_the_description(self):
        made = subprocess.run([sys.executable, ROOT / "tools/api-types.py", "--check"], capture_output=True, text=True)
        self.assertEqual(made.returncode, 0, made.stderr)

    def test_every_operation_answers(self):
        """The live feed has a test of its own, and tests another one, below."""
        first = self.hot()["id"]
        calls = {("GET", "/api/history"): ("/api/history?series=plant.press.temp", None),
                 ("GET", "/api/export"): ("/api/export?series=plant.press.temp", None),
                 ("GET", "/api/programs/{program}/source"): ("/api/programs/guard/source", None),
                 ("GET", "/problems/{name}"): ("/problems/owned", None),
                 ("POST", "/api/alerts/{id}/shelve"): (f"/api/alerts/{first}/shelve", {"by": "Ada", "for_ms": 60000, "why": "x"}),
                 ("DELETE", "/api/alerts/{id}/shelve"): (f"/api/alerts/{first}/shelve", {}),
                 ("POST", "/api/alerts/{id}/acknowledge"): (f"/api/alerts/{first}/acknowledge", {"by": "Ada"}),
                 ("POST", "/api/devices/{device}/actions/{action}"): ("/api/devices/plant.press.valve/actions/open", {"by": "Ada"}),
                 ("DELETE", "/api/devices/{device}/lease"): ("/api/devices/plant.press.valve/lease", {}),
                 ("POST", "/api/adopt"): ("/api/adopt", {"topics": [], "text": ""}),
                 ("POST", "/api/reload"): ("/api/reload", {})}
        apart = {("GET", "/api/live"), ("POST", "/api/tests")}
        described = self.site.description.operations() - apart
        for operation in sorted(described, key=lambda o: list(calls).index(o) if o in calls else -1):
            method, path = operation
            with self.subTest(f"{method} {path}"):
                where, body = calls.get(operation, (path, None))
                status, answer = self.site.request(where, body, method=method)
                self.assertLess(status, 300, answer)
        self.assertEqual(described - self.site.description.answered, set())
        self.heat(20)

    def test_events_are_as_described(self):
        seen = set()
        with urllib.request.urlopen(f"{self.site.page}/api/live", timeout=30) as feed:
            self.assertEqual(feed.headers.get_content_type(), "text/event-stream")
            alert = self.hot()
            self.site.request(f"/api/alerts/{alert['id']}/shelve", {"by": "Ada", "for_ms": 1000, "why": "x"})
            self.site.request("/api/devices/plant.press.valve/actions/open", {"by": "Ada"})
            self.site.request("/api/devices/plant.press.valve/lease", {}, method="DELETE")
            self.site.publish("strange/event", "1")
            self.site.request("/api/reload", {})
            name = None
            while not seen >= {"samples", "alert", "action", "rule", "lease", "discovered", "site"}:
                line = feed.readline().decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    self.site.description.event(name, json.loads(line[6:]))
                    seen.add(name)
        self.heat(20)

    # --- refusals that HTTP itself makes ---

    def test_whatever_is_refused_is_told_as_a_problem(self):
        host = f"Host: 127.0.0.1:{self.site.http_port}\r\n"
        json_type = "Content-Type: application/json\r\n"
        cases = [
            ("no HTTP at all", "nonsense\r\n\r\n", 400, {}),
            ("a broken field", f"GET / HTTP/1.1\r\n{host}Bad Field: x\r\n\r\n", 400, {}),
            ("an address of another", "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, {}),
            ("a foreign origin", f"POST /api/tests HTTP/1.1\r\n{host}{json_type}Origin: http://evil.example\r\n\r\n", 403, {}),
            ("no such path", f"GET /api/moon HTTP/1.1\r\n{host}\r\n", 404, {}),
            ("another method", f"PUT /api/site HTTP/1.1\r\n{host}{json_type}Content-Length: 0\r\n\r\n", 405, {"allow": "GET, HEAD"}),
            ("a form", f"POST /api/reload HTTP/1.1\r\n{host}Content-Type: text/plain\r\nContent-Length: 0\r\n\r\n", 415,
             {"accept": "application/json"}),
            ("a large body", f"POST /api/reload HTTP/1.1\r\n{host}{json_type}Content-Length: 99999999\r\n\r\n", 413, {}),
            ("a body without an end", f"POST /api/reload HTTP/1.1\r\n{host}{json_type}Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, {}),
            ("a long address", f"GET /{'x' * 9000} HTTP/1.1\r\n{host}\r\n", 414, {}),
            ("too many fields", f"GET / HTTP/1.1\r\n{host}" + "".join(f"X-{i}: y\r\n" for i in range(100)) + "\r\n", 431, {}),
            ("an expectation", f"GET / HTTP/1.1\r\n{host}Expect: magic\r\n\r\n", 417, {}),
            ("another coding", f"POST /api/reload HTTP/1.1\r\n{host}{json_type}Transfer-Encoding: gzip\r\n\r\n", 501, {}),
            ("another version", f"GET / HTTP/2.0\r\n{host}\r\n", 505, {}),
        ]
        for label, request, status, fields in cases:
            with self.subTest(label):
                with socket.create_connection(("127.0.0.1", self.site.http_port), timeout=10) as s:
                    s.sendall(request.encode())
                    answer = http.client.HTTPResponse(s)
                    answer.begin()
                    body = json.loads(answer.read())
                self.assertEqual((answer.status, answer.getheader("Content-Type")), (status, "application/problem+json"), body)
                self.site.description.named("ProblemBody", body)
                self.assertEqual((body["type"], body["status"]), ("about:blank", status))
                for name, value in fields.items():
                    self.assertEqual(answer.getheader(name), value)

    # --- actions ---

    def test_actions_of_a_program(self):
        self.hot()
        action = wait_until(lambda: next((a for a in self.site.get("/api/actions")["actions"]
                                          if a["device"] == "plant.press.valve" and a["action"] == "open"
                                          and a["state"] == "sent"), None))
        self.assertEqual(action["by"]["kind"], "program")
        self.assertEqual(action["by"].keys(), {"kind", "program", "rule", "line"})
        self.assertEqual((action["by"]["program"], action["confirms"]), ("guard", "position > 90 %"))
        self.site.publish("press/valve", '{"position": 95}', "-q", "1")
        done = wait_until(lambda: next((a for a in self.site.get("/api/actions")["actions"]
                                        if a["id"] == action["id"] and a["state"] == "confirmed"), None))
        self.assertGreaterEqual(done["outcome_ms"], done["requested_ms"])
        self.assertEqual(len(self.site.get("/api/actions?limit=1")["actions"]), 1)
        self.problem(self.site.request("/api/actions?limit=none"), 400, "limit")
        self.heat(20)

    def test_when_events_came(self):
        def heard(query=""):
            return self.site.get(f"/api/events{query}")["events"]
        before = next((e["count"] for e in heard("?device=plant.press")), 0)
        with urllib.request.urlopen(f"{self.site.page}/api/live", timeout=30) as feed:
            self.site.publish("press/jam", "{}", "-q", "1")
            line = b""
            while line != b"event: event\n":
                line = feed.readline()
            event = json.loads(feed.readline()[6:])
        self.site.description.event("event", event)
        self.assertEqual((event["device"], event["event"], event["count"]), ("plant.press", "jam", before + 1))
        self.assertLess(abs(event["times_ms"][0] - time.time() * 1000), 60000)
        self.assertEqual(heard("?device=plant.press"), [event])
        self.assertEqual(heard("?limit=1"), [event])
        self.assertEqual(heard("?device=plant.lamp"), [])
        self.problem(self.site.request("/api/events?device=plant.nobody"), 404, "plant.nobody")
        self.problem(self.site.request("/api/events?device=%zz"), 400, "device")
        self.problem(self.site.request("/api/events?limit=0"), 400, "limit")

    def test_a_command_by_hand(self):
        path = "/api/devices/plant.lamp/actions/on"
        listener = self.site.spawn(["mosquitto_sub", "-p", self.site.mqtt_port, "-i", "lamp", "-t", "lamp/set"])
        wait_until(lambda: self.client("lamp")["subscriptions"] == 1)
        good = {"args": {"level": 60, "note": 'a "b" °'}, "by": "Ada"}
        status, action = self.site.request(path, good)
        self.assertEqual(status, 202, action)
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
        self.assertEqual((lease["holder"], lease["person"], lease["until_ms"] - lease["since_ms"]), ("Ada", True, 900000))
        answer = self.site.request("/api/devices/plant.press.valve/actions/open", {"args": {}, "by": "Bob"})
        self.problem(answer, 409, "plant.press.valve", "Ada has it")
        self.assertEqual(self.site.request(path, {}, method="DELETE")[0], 204)
        self.assertIsNone(self.lease_of("plant.press.valve"))

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
        topics = {t["topic"]: t for t in got["topics"]}
        for topic, payload, kind in cases:
            with self.subTest(topic=topic):
                self.assertEqual((topics[topic]["kind"], topics[topic]["count"]), (kind, 1))
        self.assertEqual(topics["strange/json"]["payload"], '{"contact":true}')
        self.assertLessEqual(len(topics["strange/cut"]["payload"].encode()), 512)
        self.assertIn("expected a number", topics["press/temp"]["error"]["reason"])

    def test_connections(self):
        client = self.site.spawn(["mosquitto_sub", "-p", self.site.mqtt_port, "-i", "watcher", "-t", "a/#", "-t", "b/#"])
        got = wait_until(lambda: (lambda c: c if c["subscriptions"] == 2 else None)(self.client("watcher")))
        self.assertEqual((got["version"], got["user"], got["clean"], got["queued"]), (4, None, True, 0))
        self.assertRegex(got["address"], r"^127\.0\.0\.1:\d+$")
        client.stop()
        wait_until(lambda: self.client("watcher") is None)
        away = self.site.spawn(["mosquitto_sub", "-p", self.site.mqtt_port, "-i", "sleeper", "-c", "-q", "1", "-t", "c", "-E"])
        self.assertEqual(away.wait(), 0)
        sleeper = wait_until(lambda: (lambda c: c if c["connected_ms"] is None else None)(self.client("sleeper")))

    def test_stats_and_health(self):
        stats = self.site.get("/api/stats")
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
