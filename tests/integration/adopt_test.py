"""Discover and adopt: strange devices speak, a person adopts them by API and by command, and their samples flow. The
site's files keep every byte that is not new."""

import itertools
import json
import os
import pathlib
import re
import subprocess
import threading
import unittest

from mqtt_certificates import Certificates
from openapi import Description
from sedge_site import SEDGE, Site, free_ports, wait_until

SITE = """// My site: do not touch my comments
site "home"   // ☕
server {
  mqtt  127.0.0.1:@MQTT@
  http  127.0.0.1:@HTTP@
  store "data"
}
"""
DEVICES = """// What stands here.
model Climate {
  property temperature: °C  range -40..85   // both are measured
  property humidity:    %   range 0..100
}

device home.attic: Climate { id "attic"; via mqtt "attic" json }   // the first one

// Groups stay behind.
group home.all = home.attic
"""
PLUG = {"tele/plug1/LWT": "Online",
        "tele/plug1/STATE": '{"Time":"2024-05-01T10:00:00","POWER":"OFF","Wifi":{"RSSI":82}}',
        "tele/plug1/SENSOR": '{"Time":"2024-05-01T10:00:00","ENERGY":{"Total":1.5,"Power":38,"Voltage":231}}'}
ZIGBEE = {"zigbee2mqtt/bridge/devices": json.dumps([
              {"ieee_address": "0x00158d0001", "friendly_name": "bath", "definition": {
                  "model": "WSDCGQ11LM", "vendor": "Aqara", "description": "x" * 900, "exposes": [
                      {"type": "numeric", "property": "temperature", "unit": "°C", "access": 1},
                      {"type": "numeric", "property": "humidity", "unit": "%", "access": 1}]}}]),
          "zigbee2mqtt/bath": '{"temperature":22.5,"humidity":61.2,"linkquality":90}'}


def sedge(*args, **kwargs):
    return subprocess.run([SEDGE, *map(str, args)], capture_output=True, text=True, timeout=60, **kwargs)


class Adopt(unittest.TestCase):
    def setUp(self):
        self.site = Site(files={"site.sedge": SITE, "devices.sedge": DEVICES})
        self.addCleanup(self.site.close)
        self.site.start()
        self.site.description = Description(self.site.get("/api/openapi.json"))
        self.root = self.site.folder

    def say(self, messages, *args):
        for topic, payload in messages.items():
            self.site.publish(topic, payload, *args)
        wait_until(lambda: set(messages) <= {t["topic"] for t in self.site.get("/api/discovered")["topics"]})

    def adopt(self, *topics, **members):
        return self.site.request("/api/adopt", {"topics": topics, **members})

    def value(self, name):
        return self.site.property(name)["value"]

    def test_values_over_time(self):
        def heard(i):  # a topic is looked at ten times a second: what comes in between is said again
            self.site.publish("shed", json.dumps({"t": 20 + i, "door": {"open": i % 2 == 0}, "mode": "eco", "n": [1, 2]}))
            topic, = self.site.get("/api/discovered?topic=shed")["topics"]
            return topic["fields"][0]["last"] == 20 + i and topic
        topic = [wait_until(lambda: heard(i)) for i in range(5)][-1]
        fields = {f["path"]: f for f in topic["fields"]}
        self.assertEqual(list(fields), ["t", "door.open", "mode", "n[0]", "n[1]"])
        self.assertEqual((topic["shape"], topic["device"], topic["unreadable"], topic["error"]), ("json", None, 0, None))
        t = fields["t"]
        self.assertEqual((t["type"], t["count"], t["min"], t["max"], t["last"]), ("integer", topic["count"], 20, 24, 24))
        self.assertEqual([v for v, _ in itertools.groupby(v for _, v in t["values"])], [20, 21, 22, 23, 24])
        self.assertEqual(t["values"], sorted(t["values"]))
        self.assertEqual((fields["door.open"]["type"], fields["door.open"]["last"]), ("boolean", True))
        self.assertEqual((fields["mode"]["type"], fields["mode"]["words"]), ("text", ["eco"]))
        self.assertEqual(self.site.get("/api/discovered?filter=shed/%2B")["topics"], [])
        few, = self.site.get("/api/discovered?filter=%2B&values=2")["topics"]
        self.assertEqual(few["fields"][0]["values"], t["values"][-2:])
        for query, status in [("topic=nope", 404), ("values=33", 400), ("filter=a%23", 400)]:
            self.assertEqual(self.site.request(f"/api/discovered?{query}")[0], status, query)

    def test_unreadable_messages_are_listed_with_their_place(self):
        self.site.publish("attic", '{"temperature":"warm"}')
        topic, = wait_until(lambda: self.site.get("/api/discovered")["topics"])
        self.assertEqual((topic["topic"], topic["device"], topic["unreadable"]), ("attic", "home.attic", 1))
        self.assertEqual(topic["error"]["path"], "temperature")
        self.assertEqual(topic["error"]["at"], 16)
        self.assertIn("warm", topic["error"]["reason"])
        out = sedge("discover", self.root)
        self.assertIn("not readable (1): temperature", out.stdout)

    def test_things_that_can_be_adopted_come_first(self):
        """A bridge says much that is nobody's; what it is about stands above it, and says how to have it."""
        self.say({"zigbee2mqtt/bridge/state": "online", "homeassistant/sensor/x/config": "{}", "cmnd/plug2/POWER": "ON", **ZIGBEE, **PLUG})
        got = self.site.get("/api/discovered?values=0")
        things = {t["key"]: t for t in got["things"]}
        self.assertEqual(list(things), ["zigbee2mqtt:zigbee2mqtt/bath", "tasmota:plug1", "tasmota:plug2", "announcement:homeassistant",
                                        "announcement:zigbee2mqtt/bridge"])
        plug = things["tasmota:plug1"]
        self.assertEqual((plug["adopt"], plug["device"], plug["obstacle"], plug["why"]), ("tele/plug1/SENSOR", None, None, ""))
        self.assertEqual(plug["topics"], ["tele/plug1/SENSOR", "tele/plug1/STATE", "tele/plug1/LWT"])
        self.assertEqual(plug["count"], sum(t["count"] for t in got["topics"] if t["thing"] == plug["key"]))
        self.assertEqual(things["tasmota:plug2"]["obstacle"], "command")
        self.assertEqual([t["topic"] for t in got["topics"]], [topic for t in got["things"] for topic in t["topics"]])
        out = sedge("discover", self.root).stdout
        self.assertLess(out.index("plug1  tasmota: sedge adopt"), out.index("zigbee2mqtt/bridge  announcements"))
        self.assertIn("plug2  tasmota: only commands to it have been heard\n  cmnd/plug2/POWER  1 message", out)
        # what is left of a thing that has been adopted belongs to it
        self.assertEqual(self.adopt("tele/plug1/SENSOR", apply=True)[0], 200)
        self.say({"stat/plug1/RESULT": '{"POWER":"ON"}'})
        left = {t["key"]: t for t in self.site.get("/api/discovered")["things"]}["tasmota:plug1"]
        self.assertEqual((left["device"], left["obstacle"], left["topics"]), ("home.plug1", "nothing", ["stat/plug1/RESULT"]))

    def test_proposed_shown_applied(self):
        self.say(PLUG)
        status, got = self.adopt("tele/plug1/SENSOR")
        self.assertEqual((status, got["device"], got["model"], got["applied"]), (200, "home.plug1", "Plug", False))
        self.assertIn('action on()  publish "cmnd/plug1/POWER" "ON"', got["text"])
        self.assertEqual((self.root / "devices.sedge").read_text(), DEVICES)  # only looked at
        status, got = self.adopt("tele/plug1/SENSOR", device="home.heater", apply=True)
        self.assertEqual((status, got["applied"], got["reload"]["result"]), (200, True, "taken"))
        after = (self.root / "devices.sedge").read_text()
        self.assertEqual(self.without_added(after, got["files"][0]["diff"]), DEVICES)
        self.assertLess(after.index("device home.heater"), after.index("// Groups stay behind"))
        self.assertEqual((self.root / "site.sedge").read_text(), self.site_text())
        # what was said last is there at once, and what comes then
        self.assertEqual((self.value("home.heater.power"), self.value("home.heater.on")), (38, False))
        self.site.publish("tele/plug1/SENSOR", '{"ENERGY":{"Total":1.6,"Power":40,"Voltage":230}}')
        self.site.publish("stat/plug1/POWER", "ON")
        wait_until(lambda: self.value("home.heater.power") == 40 and self.value("home.heater.on") is True)
        self.assertEqual(self.site.get("/api/discovered")["topics"], [])
        self.assertEqual(sedge("check", self.root).returncode, 0)

    def site_text(self):
        return re.sub("@(MQTT|HTTP)@", lambda m: str(self.site.mqtt_port if m[1] == "MQTT" else self.site.http_port), SITE)

    @staticmethod
    def without_added(text, diff):
        """The text with the diff taken back by patch, which so reads the diff, too."""
        path = pathlib.Path(os.environ.get("TMPDIR", "/tmp"), f"adopt-{os.getpid()}.sedge")
        path.write_text(text)
        subprocess.run(["patch", "-R", "-s", str(path)], input=diff, text=True, check=True, timeout=30)
        try:
            return path.read_text()
        finally:
            path.unlink()

    def test_a_model_that_is_there(self):
        self.say(ZIGBEE, "-r")
        status, got = self.adopt("zigbee2mqtt/bath", apply=True)
        self.assertEqual((status, got["model"], got["model_exists"]), (200, "Climate", True), got)
        self.assertEqual((self.value("home.bath.humidity"), self.value("home.bath.temperature")), (61.2, 22.5))
        self.assertIn('id "zigbee:0x00158d0001"', (self.root / "devices.sedge").read_text())

    def test_edited_by_a_person(self):
        self.say({"well/level": "3.5"})
        text = ('// my well\nmodel Well {\n  property level: m  range 0..10\n}\n\n'
                'device home.well: Well { via mqtt "well" json }\n')
        status, got = self.adopt(text=text, apply=True)
        self.assertEqual((status, got["applied"], got["files"][0]["added"]), (200, True, 6), got)
        self.assertEqual(self.value("home.well.level"), 3.5)
        status, got = self.adopt(text="device home.x: Nothing { }\n", apply=True)
        self.assertEqual((status, got["type"]), (422, "/problems/site-refused"))
        self.assertTrue(got["diagnostics"] and "Nothing" in got["text"])

    def test_what_somebody_else_has_in_hand_is_told(self):
        """The files are taken as a whole: what a person has saved and not reloaded yet comes with a device."""
        self.say({"well": '{"level":3}'})
        self.assertEqual(self.adopt("well")[1]["warnings"], [])
        (self.root / "devices.sedge").write_text(DEVICES + "// in hand\n")
        (self.root / "rules.sedge").write_text("program p { every 1h { } }\n")
        told = ["devices.sedge has been changed since the site was taken: that is taken together with this",
                "rules.sedge is new since the site was taken: that is taken together with this"]
        self.assertEqual(self.adopt("well")[1]["warnings"], told)
        self.assertIn(f"note: {told[1]}\n", sedge("adopt", self.root, "well", "--dry-run").stdout)
        self.assertEqual(self.adopt("well", apply=True)[1]["reload"]["programs"]["added"], ["p"])
        self.say({"spring": '{"level":3}'})
        self.assertEqual(self.adopt("spring")[1]["warnings"], [])

    def test_what_the_reload_refuses_is_taken_back(self):
        self.say({"well": '{"level":3}'})
        site = (self.root / "site.sedge").read_text()  # passes the check, but can't change while the site runs
        (self.root / "site.sedge").write_text(site.replace('store "data"', 'store "elsewhere"'))
        status, got = self.adopt("well", apply=True)
        self.assertEqual((status, got["type"], got["reload"]["result"]), (422, "/problems/site-refused", "refused"), got)
        self.assertIn("its files are as they were", got["detail"])
        self.assertEqual((self.root / "devices.sedge").read_text(), DEVICES)
        (self.root / "site.sedge").write_text(site)
        self.assertEqual(self.site.request("/api/reload", {})[0], 200)

    def while_a_reload_reads(self, then):
        """Adopts a well; when that has read the files a reload begins, which reads until the adoption is about to end. Then
        z.sedge is `then`. Pipes hold both up."""
        self.say({"well": '{"level":3}'})
        devices, pipe, got = self.root / "devices.sedge", self.root / "z.sedge", []
        os.mkfifo(pipe)
        asking = threading.Thread(target=lambda: got.extend(self.adopt("well", apply=True)))
        asking.start()
        with open(pipe, "w", encoding="utf-8"):  # somebody reads it: the adoption
            pipe.unlink()
            os.mkfifo(pipe)
            reloading = threading.Thread(target=lambda: self.site.request("/api/reload", {}, timeout=60))
            reloading.start()
            wait_until(lambda: self.site.get("/api/reload")["running"])
        wait_until(lambda: devices.read_text() != DEVICES)
        self.assertEqual(got, [])
        second = self.root / "second"
        second.write_text(then)
        with open(pipe, "w", encoding="utf-8"):
            second.rename(pipe)
        reloading.join(60)
        asking.join(60)
        return got

    def test_adopting_during_a_reload_waits_for_its_own(self):
        status, got = self.while_a_reload_reads("// nothing\n")
        self.assertEqual((status, got["applied"], got["reload"]["result"]), (200, True, "taken"), got)
        self.assertEqual(self.value("home.well.level"), 3)

    def test_adopting_during_a_reload_is_refused_by_its_own(self):
        status, got = self.while_a_reload_reads("oops\n")
        self.assertEqual((status, got["type"], got["reload"]["result"]), (422, "/problems/site-refused", "refused"), got)
        self.assertEqual((self.root / "devices.sedge").read_text(), DEVICES)

    def test_people_who_adopt_at_once_have_their_turns(self):
        self.say({f"well{i}": '{"level":3}' for i in range(4)})
        got = []
        people = [threading.Thread(target=lambda i=i: got.append(self.adopt(f"well{i // 2}", apply=True))) for i in range(8)]
        for person in people:
            person.start()
        for person in people:
            person.join(60)
        self.assertEqual(sorted(answer["device"] for status, answer in got if status == 200), [f"home.well{i}" for i in range(4)])
        late = sorted(answer["detail"] for status, answer in got if status != 200)  # the second of each topic
        self.assertEqual(late, [f"well{i} is a topic of home.well{i} already" for i in range(4)])

    def test_what_could_not_be_taken_back_is_told(self):
        """Somebody writes into the file between the reload's reading it and its refusal: a pipe behind it in the site holds
        the reading up."""
        self.say({"well": '{"level":3}'})
        devices, pipe = self.root / "devices.sedge", self.root / "z.sedge"
        os.mkfifo(pipe)
        got = []
        asking = threading.Thread(target=lambda: got.extend(self.adopt("well", apply=True)))
        asking.start()
        pipe.write_text("// nothing\n")
        wait_until(lambda: devices.read_text() != DEVICES)
        with open(pipe, "w", encoding="utf-8") as refused:  # when the reload reads it
            devices.write_text("// mine now\n" + DEVICES)
            refused.write("oops\n")
        asking.join(60)
        pipe.unlink()
        status, told = got
        self.assertEqual((status, told["type"], told["reload"]["result"]), (500, "/problems/left-changed", "refused"), told)
        self.assertIn("devices.sedge was changed meanwhile", told["detail"])
        self.assertNotIn("as they were;", told["detail"])
        self.assertEqual(devices.read_text(), "// mine now\n" + DEVICES)
        self.assertEqual(told["files"][0]["file"], "devices.sedge")

    def test_problems(self):
        self.say({"x": '{"Time":"2024-05-01T10:00:00"}', "y": '{"v":1}'})
        for body, status, kind in [
                ({"topics": ["nope"]}, 404, "unknown"), ({"topics": ["attic"]}, 422, "no-device"),
                ({"topics": ["x"]}, 422, "no-device"),
                ({"topics": ["y"], "device": "home.all"}, 422, "no-device"), ({"topics": []}, 400, "parameter"),
                ({"topics": [1]}, 400, "parameter"), ({"topics": ["y"], "apply": 1}, 400, "parameter"),
                ({"topics": ["y"], "device": "a b"}, 422, "no-device"), ({}, 400, "parameter")]:
            with self.subTest(body):
                got = self.site.request("/api/adopt", body)
                self.assertEqual((got[0], got[1]["type"]), (status, f"/problems/{kind}"))
        (self.root / "devices.sedge").write_text(DEVICES + "device oops\n")
        got = self.adopt("y")
        self.assertEqual((got[0], got[1]["type"]), (422, "/problems/site-refused"))
        self.assertEqual((self.root / "devices.sedge").read_text(), DEVICES + "device oops\n")
        status, got = self.site.request("/api/adopt", {"topics": ["y"]}, headers={"Origin": "http://elsewhere.example"})
        self.assertEqual(status, 403)

    def test_command(self):
        self.say({"garden/bed1/moisture": "31.5", "garden/bed1/temp": "12"})
        out = sedge("discover", self.root, "garden/#")
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertIn(f"garden/bed1  value: sedge adopt {self.root} garden/bed1/moisture\n", out.stdout)
        self.assertIn("\n  garden/bed1/moisture  1 message", out.stdout)
        self.assertEqual(json.loads(sedge("discover", "--json", self.site.page).stdout)["dropped"], 0)
        self.say({"--yes/moisture": "31.5"})  # who pastes the line must not have said yes
        self.assertIn(f": sedge adopt {self.root} -- --yes/moisture\n", sedge("discover", self.root).stdout)
        out = sedge("adopt", self.root, "--dry-run", "--", "--yes/moisture")
        self.assertIn("+device home.yes: SoilSensor { via mqtt \"--yes\" json }", out.stdout)
        out = sedge("adopt", self.root, "garden/bed1/moisture", "--dry-run")
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertIn("+device garden.bed1: ", out.stdout)
        out = sedge("adopt", self.root, "garden/bed1/moisture", input="n\n")
        self.assertEqual((out.returncode, (self.root / "devices.sedge").read_text()), (1, DEVICES))
        out = sedge("adopt", self.root, "garden/bed1/moisture", "--device", "garden.bed", input="y\n")
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertIn("garden.bed is adopted", out.stdout)
        self.assertEqual((self.value("garden.bed.moisture"), self.value("garden.bed.temp")), (31.5, 12))
        out = sedge("adopt", self.root, "nope", "--yes")
        self.assertEqual(out.returncode, 1)
        self.assertIn("nothing was heard on nope", out.stderr)
        self.assertEqual(sedge("adopt", self.root, "x", "--json").returncode, 2)

    def test_what_was_shown_is_what_is_written(self):
        self.say(ZIGBEE, "-r")
        with subprocess.Popen([SEDGE, "adopt", str(self.root), "zigbee2mqtt/bath"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as command:
            shown = ""
            while not shown.endswith("[y/N] "):
                shown += command.stdout.read(1)
            self.say({"zigbee2mqtt/bridge/devices": ZIGBEE["zigbee2mqtt/bridge/devices"].replace("Aqara", "Mallory")}, "-r")
            self.assertIn("is adopted", command.communicate("y\n", timeout=60)[0])
        self.assertIn("+// Aqara WSDCGQ11LM", shown)
        written = (self.root / "devices.sedge").read_text()
        self.assertIn("// Aqara WSDCGQ11LM", written)
        self.assertNotIn("Mallory", written)

    def with_one_more_topic(self):
        """home.bed is declared; more of it is heard, on a topic of its own."""
        self.say({"bed/moisture": "31.5"})
        self.assertEqual(self.adopt("bed/moisture", device="home.bed", apply=True)[0], 200)
        self.say({"bed/lux": "120"})

    def hear_more(self):
        def heard():  # a topic is looked at ten times a second
            self.site.publish("bed/lux", "70000")
            topic, = self.site.get("/api/discovered?topic=bed/lux")["topics"]
            return topic["fields"][0]["max"] == 70000
        wait_until(heard)

    def test_only_what_was_shown_goes_into_a_device_that_is_there(self):
        self.with_one_more_topic()
        status, seen = self.adopt("bed/lux")
        self.assertEqual((status, seen["device"], seen["device_exists"]), (200, "home.bed", True), seen)
        self.assertEqual(self.adopt("bed/lux", shown=seen["shown"])[1]["shown"], seen["shown"])
        before = (self.root / "devices.sedge").read_text()
        self.hear_more()
        status, got = self.adopt("bed/lux", shown=seen["shown"], apply=True)
        self.assertEqual((status, got["type"]), (409, "/problems/not-shown"), got)
        self.assertNotEqual(got["files"], seen["files"])
        self.assertEqual((self.root / "devices.sedge").read_text(), before)
        status, now = self.adopt("bed/lux", shown=seen["shown"])  # to look costs nothing
        self.assertEqual((status, now["files"]), (200, got["files"]))
        (self.root / "devices.sedge").write_text("// Somebody's line.\n" + before)  # the same lines change, further down
        self.assertEqual(self.adopt("bed/lux", shown=now["shown"], apply=True)[0], 409)
        (self.root / "devices.sedge").write_text(before)
        status, got = self.adopt("bed/lux", shown=now["shown"], apply=True)
        self.assertEqual((status, got["applied"], got["files"]), (200, True, now["files"]), got)
        self.assertEqual(self.adopt("bed/lux", shown="x" * 129)[0], 400)

    def test_the_command_shows_anew_what_is_not_what_was_shown(self):
        self.with_one_more_topic()
        with subprocess.Popen([SEDGE, "adopt", str(self.root), "bed/lux"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as command:
            def until_asked():
                shown = ""
                while not shown.endswith("[y/N] "):
                    shown += command.stdout.read(1) or self.fail(shown)
                return shown
            first = until_asked()
            self.hear_more()
            command.stdin.write("y\n")
            command.stdin.flush()
            second = until_asked()
            self.assertIn("not written: what was heard since changes it", second)
            self.assertNotIn("70000", first)
            self.assertIn("70000", second)
            self.assertNotIn("lux", (self.root / "devices.sedge").read_text())
            self.assertIn("home.bed is adopted", command.communicate("y\n", timeout=60)[0])
        self.assertIn("70000", (self.root / "devices.sedge").read_text())

    def test_all_that_fits(self):
        self.say({**ZIGBEE, "zigbee2mqtt/plug": '{"state":"OFF","power":0.5}', "zigbee2mqtt/dull": '{"linkquality":9}'}, "-r")
        self.say(PLUG)
        out = sedge("adopt", self.root, "zigbee2mqtt/+", "--yes")
        self.assertEqual(out.returncode, 0)
        self.assertIn("home.bath is adopted", out.stdout)
        self.assertIn("home.plug is adopted", out.stdout)
        self.assertIn("dull is left out: no value in it could be a property (linkquality: it is about the radio", out.stderr)
        out = sedge("adopt", self.root, "tele/#", "--yes")  # three topics of one thing
        self.assertEqual((out.returncode, out.stderr, out.stdout.count("is adopted")), (0, "", 1))
        self.assertEqual(sedge("adopt", self.root, "tele/#", "--yes").returncode, 1)
        for wrong in (["a/#", "b"], ["a#"], ["a/#", "--device", "x"]):
            self.assertEqual(sedge("adopt", self.root, *wrong).returncode, 2, wrong)

    def test_retained_topics_are_known_after_a_restart(self):
        self.say({"old/sensor": '{"v":1}'}, "-r")
        self.site.stop()
        self.site.start()
        topics = wait_until(lambda: [t["topic"] for t in self.site.get("/api/discovered")["topics"]])
        self.assertEqual(topics, ["old/sensor"])


class Tls(unittest.TestCase):
    """The site's own tools believe the very certificate that it declares, and no other."""

    def test_https(self):
        port, http = free_ports(2)
        with Site(text='site "s"\n') as site:
            certs = Certificates(site.folder / "certs")
            site.write("site.sedge", f'site "s"\nserver {{ mqtt 127.0.0.1:{port}; store "data"\n'
                                     f'  http 127.0.0.1:{http} tls cert "certs/server.pem" key "certs/server.key" }}\n')
            run = site.spawn([SEDGE, "run", site.folder])
            wait_until(lambda: sedge("discover", site.folder).returncode == 0 or not run.alive())
            self.assertIn("hears nothing", sedge("discover", site.folder).stdout)
            url = f"https://localhost:{http}"
            self.assertEqual(sedge("discover", "--url", url, "--cafile", certs.ca).returncode, 0)
            for more in ([], ["--cafile", certs.other_ca]):
                out = sedge("discover", "--url", url, *more)
                self.assertEqual(out.returncode, 1)
                self.assertIn("certificate", out.stderr)
            self.assertEqual(sedge("discover", "--url", url, "--insecure").returncode, 0)
            (site.folder / "certs/server.pem").write_bytes(certs.other_ca.read_bytes())
            out = sedge("discover", site.folder)
            self.assertEqual(out.returncode, 1)
            self.assertIn("certificate", out.stderr)

    def test_people_with_certificates(self):
        """A page for those whom an authority knows; the command shows ours."""
        with Site(text='site "s"\n') as site:
            certs = Certificates(site.folder / "certs")
            site.write("site.sedge", 'site "s"\nserver { mqtt 127.0.0.1:@MQTT@; store "data"\n'
                                     '  http 127.0.0.1:@HTTP@ tls cert "certs/server.pem" key "certs/server.key" '
                                     'ca "certs/ca.pem" }\n')
            site.start()
            ours = ["--cert", certs.client, "--key", certs.client_key]
            self.assertEqual(sedge("discover", site.folder).returncode, 1)
            self.assertEqual(sedge("discover", site.folder, *ours).returncode, 0)
            site.publish("t", '{"temperature":20}')
            out = wait_until(lambda: (lambda o: o if o.returncode == 0 else None)(
                sedge("adopt", site.folder, "t", "--yes", "--json", *ours)))
            self.assertEqual(json.loads(out.stdout)["applied"], True)
            self.assertEqual(sedge("discover", site.folder, "--cert", certs.client).returncode, 1)


if __name__ == "__main__":
    unittest.main()
