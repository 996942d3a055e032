# ctest: timeout=300 workers=2
"""A running site takes its changed sources: by POST /api/reload and by SIGHUP. What goes on, what begins anew,
what is refused and how it is said."""

import os
import signal
import threading
import unittest
import urllib.request

from sedge_site import Site, wait_until

HEAD = """site "bench"
server { mqtt 127.0.0.1:@MQTT@
         http 127.0.0.1:@HTTP@
         store "data" }
"""
MODELS = """model Press { property temp: °C range -20..200 }
model Valve { property position: %
  action open() confirms position > 90 %
  action close() confirms position < 5 %
  safe close() }
"""
DEVICES = """device press: Press { id "p"; via mqtt "press" json }
device valve: Valve { id "v"; via mqtt "valve" json }
"""
GUARD = """program guard {
  own valve: Valve = valve
  read temp: °C = press.temp stale 1h
  var seen = 0
  when temp > 80 °C for 1h { valve.open() }
  when temp > 90 °C { seen = seen + 1; alert warning "seen {seen}" }
}
"""
OTHER = """program other {
  read temp: °C = press.temp stale 1h
  when temp > 50 °C { alert info "VERSION" }
}
"""


class Reload(unittest.TestCase):
    def setUp(self):
        self.site = Site(files={"a.sedge": HEAD, "models.sedge": MODELS, "devices.sedge": DEVICES,
                                "guard.sedge": GUARD, "other.sedge": OTHER.replace("VERSION", "one")})
        self.addCleanup(self.site.close)
        self.site.start()

    def reload(self, expect=200):
        status, body = self.site.request("/api/reload", body={}, method="POST")
        self.assertEqual(status, expect, body)
        return body

    def program(self, name):
        return next((p for p in self.site.get("/api/site")["programs"] if p["name"] == name), None)

    def rules(self, name):
        return [rule["state"] for rule in self.program(name)["rules"]]

    def alerts(self):
        return [a["text"] for a in self.site.get("/api/alerts?state=all")["alerts"]]

    def publish(self, value):
        self.site.publish("press/temp", str(value))
        wait_until(lambda: self.site.property("press.temp")["value"] == value)

    def test_unchanged_programs_are_not_disturbed(self):
        self.publish(95)
        self.assertEqual(self.rules("guard"), ["holding", "active"])
        before = self.program("guard")
        self.site.write("other.sedge", "// new\n" + OTHER.replace("VERSION", "two"))
        done = self.reload()
        self.assertEqual(done["result"], "taken")
        self.assertEqual(done["programs"], {"kept": 1, "changed": ["other"], "added": [], "removed": []})
        self.assertEqual(done["devices"], {"kept": 2, "changed": [], "added": [], "removed": []})
        self.assertEqual(self.program("guard"), before)
        self.assertEqual(self.rules("guard"), ["holding", "active"])
        self.publish(30)
        self.publish(96)
        wait_until(lambda: "two" in self.alerts())
        self.assertIn("seen 2", self.alerts())

    def test_lines_move_and_nothing_else(self):
        self.site.write("guard.sedge", "\n\n// moved\n" + GUARD)
        self.assertEqual(self.reload()["programs"]["kept"], 2)
        self.assertEqual(self.program("guard")["line"], 4)
        self.assertEqual(self.program("guard")["rules"][0]["line"], 8)

    def test_a_changed_program_keeps_its_variables_by_path(self):
        self.publish(95)
        wait_until(lambda: "seen 1" in self.alerts())
        self.site.write("guard.sedge", GUARD.replace("90 °C", "91 °C"))
        self.assertEqual(self.reload()["programs"]["changed"], ["guard"])
        self.publish(30)
        self.publish(95)
        wait_until(lambda: "seen 2" in self.alerts())

    def test_a_mistake_is_shown_and_the_site_goes_on(self):
        self.site.write("other.sedge", OTHER.replace("50 °C", "50 bar"))
        problem = self.reload(422)
        last = problem["reload"]
        self.assertEqual(last["result"], "refused")
        self.assertEqual((last["errors"], last["diagnostics"][0]["code"]), (1, "U1"))
        self.assertEqual(last["diagnostics"][0]["spans"][0]["file"], "other.sedge")
        self.assertIn("error[U1]", last["text"])
        self.assertIn("other.sedge:3:", last["text"])
        self.assertEqual(self.site.get("/api/reload"), {"running": False, "last": last})
        wait_until(lambda: "refused" in self.site.process.text("err"))  # its output is read by a thread
        self.assertIn("error[U1]", self.site.process.text("err"))
        self.publish(60)
        wait_until(lambda: "one" in self.alerts())

    def test_sighup(self):
        self.assertEqual(self.site.get("/api/reload"), {"running": False, "last": None})
        self.site.write("other.sedge", "program other {")
        os.kill(self.site.process.pid, signal.SIGHUP)
        wait_until(lambda: self.site.get("/api/reload")["last"]["result"] == "refused")
        self.site.write("other.sedge", OTHER.replace("VERSION", "two"))
        os.kill(self.site.process.pid, signal.SIGHUP)
        wait_until(lambda: self.site.get("/api/reload")["last"]["result"] == "taken")
        self.publish(60)
        wait_until(lambda: "two" in self.alerts())

    def test_what_can_not_change_at_run_time(self):
        for old, new, words in [
                ("mqtt 127.0.0.1:@MQTT@", "mqtt 127.0.0.1:@MQTT@ insecure", ("`mqtt 127.0.0.1:", "insecure`")),
                ("         http", "         mqtt 127.0.0.1:1\n         http", ("`mqtt 127.0.0.1:1` was `absent`",)),
                ("http 127.0.0.1:@HTTP@", "http 127.0.0.1:2", ("`http 127.0.0.1:2` was `http 127.0.0.1:",)),
                ('store "data"', 'store "other"', ('`store "other"', '"data"')),
                ('store "data"', 'store "data" { commit 1s }', ("commit 1s",)),
                ('store "data"', 'store "data"\n workers 7', ("`workers`", "7")),
                ('store "data"', 'store "data"\n watchdog off', ("`watchdog`",))]:
            with self.subTest(new=new):
                self.site.write("a.sedge", HEAD.replace(old, new))
                self.site.write("other.sedge", OTHER.replace("VERSION", "never"))
                if "workers" in new and os.environ.get("SEDGE_RUN_ARGS"):
                    continue  # the command line has said how many
                why = self.reload(422)["reload"]["why"]
                for word in (*words, "restart"):
                    self.assertIn(word, why)
        self.publish(60)
        wait_until(lambda: "one" in self.alerts())  # nothing of all that has been taken
        self.assertNotIn("never", self.alerts())

    def test_devices_come_and_go(self):
        self.publish(95)
        self.site.publish("lamp/level", "5")
        wait_until(lambda: any(t["topic"] == "lamp/level" for t in self.site.get("/api/discovered")["topics"]))
        self.site.write("models.sedge", MODELS.replace("-20..200", "-20..300") + "model Lamp { property level: % }\n")
        self.site.write("devices.sedge", DEVICES + 'device lamp: Lamp { via mqtt "lamp" json }\n')
        done = self.reload()
        self.assertEqual(done["devices"], {"kept": 1, "changed": ["press"], "added": ["lamp"], "removed": []})
        self.assertEqual(self.site.get("/api/discovered")["topics"], [])
        self.site.publish("lamp/level", "40")
        wait_until(lambda: self.site.property("lamp.level")["value"] == 40)
        self.publish(250)  # in the new range
        self.site.write("devices.sedge", DEVICES)
        self.assertEqual(self.reload()["devices"]["removed"], ["lamp"])
        # what it said while nobody claimed it is the first that it has said
        self.assertEqual([v for _, v in self.site.get("/api/history?series=lamp.level")["points"]], [5, 40])
        self.assertEqual([v for _, v in self.site.get("/api/history?series=press.temp")["points"]], [95, 250])
        self.site.publish("lamp/level", "41")  # nobody's again
        wait_until(lambda: any(t["topic"] == "lamp/level" for t in self.site.get("/api/discovered")["topics"]))

    def test_two_devices_on_one_topic_are_refused(self):
        self.site.write("devices.sedge", DEVICES + 'device again: Press { via mqtt "press" json }\n')
        self.assertIn("both use the topic press", self.reload(422)["reload"]["text"])
        self.publish(60)

    def test_what_is_owned_no_more_is_made_safe(self):
        sub = self.site.spawn(["mosquitto_sub", "-h", "127.0.0.1", "-p", str(self.site.mqtt_port),
                               "-t", "valve/set", "-t", "ready", "-q", "1"])
        def listening():
            self.site.publish("ready", "ready")
            return "ready" in sub.text("out")
        wait_until(listening)
        (self.site.folder / "guard.sedge").unlink()
        self.site.write("devices.sedge", DEVICES.splitlines()[0] + "\n")  # and the valve itself is gone
        done = self.reload()
        self.assertEqual((done["programs"]["removed"], done["devices"]["removed"]), (["guard"], ["valve"]))
        wait_until(lambda: '"close"' in sub.text("out"))
        self.site.publish("valve", '{"position": 0}')  # it obeys, although nobody lists it any more
        wait_until(lambda: self.site.get("/api/actions")["actions"][0]["state"] == "confirmed")
        self.assertEqual(self.site.get("/api/actions")["actions"][0]["by"]["program"], "guard")
        self.assertEqual([d["name"] for d in self.site.get("/api/site")["devices"]], ["press"])

    def test_one_at_a_time(self):
        """A source that is a pipe: the first reload waits for it as long as the test wants."""
        pipe = self.site.folder / "z.sedge"
        os.mkfifo(pipe)
        answers = []
        first = threading.Thread(target=lambda: answers.append(
            self.site.request("/api/reload", body={}, method="POST", timeout=60)))
        first.start()
        wait_until(lambda: self.site.get("/api/reload")["running"])
        self.assertIn("under way", self.reload(409)["detail"])
        self.publish(60)  # the site is not held up
        with open(pipe, "w", encoding="utf-8") as source:
            source.write("program late { every 1h { } }\n")
        first.join(60)
        self.assertEqual(answers[0][0], 200)
        self.assertEqual(answers[0][1]["programs"]["added"], ["late"])
        pipe.unlink()
        self.assertEqual(self.reload()["programs"]["removed"], ["late"])

    def test_the_page_is_told(self):
        with urllib.request.urlopen(self.site.page + "/api/live", timeout=30) as feed:
            self.reload()
            line = feed.readline()
            while b"event: site" not in line:
                line = feed.readline()

    def test_another_page_may_not(self):
        status, _ = self.site.request("/api/reload", body={}, method="POST", headers={"Origin": "http://evil.example"})
        self.assertEqual(status, 403)
        self.assertEqual(self.site.request("/api/reload", method="POST")[0], 415)

    def all_is_committed(self):
        journal = self.site.get("/api/stats")["journal"]
        return journal["committed"] >= journal["appended"] and "seen 1" in self.alerts()

    def test_a_restart_after_many_changes(self):
        self.publish(95)
        for version in ("two", "three", "four"):
            self.site.write("other.sedge", OTHER.replace("VERSION", version))
            self.reload()
        wait_until(self.all_is_committed)  # what a program remembers rides along lazily
        self.site.kill()
        self.site.start()
        self.publish(30)
        self.publish(95)
        wait_until(lambda: {"four", "seen 2"} <= set(self.alerts()))


if __name__ == "__main__":
    unittest.main(verbosity=2)
