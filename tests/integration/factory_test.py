# ctest: timeout=400
"""The reference factory, end to end: the real program, the simulated plant, real clients."""

import json
import subprocess
import time
import unittest

from sedge_site import Site, wait_until

SEED = "7"


def summary(plant):
    """The plant's last words: one JSON object for each station."""
    stations = {}
    for line in plant.text("out").splitlines():
        if line.startswith("{"):
            station = json.loads(line)
            stations[station["station"]] = station
    return stations


def alerts(site, state="all"):
    return site.get(f"/api/alerts?state={state}")["alerts"]


def find_alert(site, text):
    return next((a for a in alerts(site) if text in a["text"]), None)


class Overheat(unittest.TestCase):
    """The same seed and fault: without the program the press is damaged, with it never."""

    ARGS = ["--fault", "overheat", "--seed", SEED, "--speed", "4", "--for", "120s"]

    def test_without_the_program_the_press_is_damaged(self):
        with Site() as site:
            for name in ("line_guard", "shift", "tests"):  # which speak of it
                (site.folder / f"{name}.sedge").unlink()
            site.start()
            plant = site.simulate(*self.ARGS)
            self.assertEqual(plant.wait(90), 0, plant.text())
            press = summary(plant)["plant.press1"]
            self.assertTrue(press["damaged"], press)

    def test_with_the_program_it_never_is(self):
        with Site() as site:
            site.start()
            plant = site.simulate(*self.ARGS)
            self.assertEqual(plant.wait(90), 0, plant.text())
            press = summary(plant)["plant.press1"]
            self.assertFalse(press["damaged"], press)
            actions = site.get("/api/actions")["actions"]
            opened = next(a for a in reversed(actions)
                          if a["device"] == "plant.press1.coolant" and a["action"] == "open")
            self.assertEqual(opened["state"], "confirmed", opened)
            self.assertEqual(opened["by"]["program"], "line_guard")
            self.assertEqual(opened["cause"]["series"], "plant.press1.temperature")
            self.assertGreater(opened["cause"]["value"], 80)


class Faults(unittest.TestCase):
    def test_a_silent_thermometer_is_an_alert_and_cools_blindly(self):
        with Site() as site:
            site.start()
            site.simulate("--fault", "silent", "--seed", SEED, "--speed", "4")
            wait_until(lambda: find_alert(site, "plant.press1 lost its thermometer"), 60)
            self.assertEqual(site.property("plant.press1.temperature")["quality"], "stale")
            self.assertEqual(site.property("plant.press1.load")["quality"], "good")
            wait_until(lambda: site.property("plant.press1.coolant.position")["value"] > 90, 20)

    def test_a_valve_that_ignores_commands_is_an_alert(self):
        with Site() as site:
            guard = (site.folder / "line_guard.sedge").read_text()
            site.write("line_guard.sedge", guard.replace("temp > 80 °C", "temp > 30 °C")
                       .replace("temp < 65 °C", "temp < 20 °C"))  # a press at work is hot enough
            site.start()
            site.simulate("--fault", "stuck", "--seed", SEED)
            alert = wait_until(lambda: find_alert(site, "plant.press1.coolant does not obey"), 60)
            self.assertEqual(alert["severity"], "critical")
            self.assertIn("position > 90 %", alert["text"])
            actions = {a["device"]: a for a in site.get("/api/actions")["actions"]}
            self.assertEqual(actions["plant.press1.coolant"]["state"], "failed")
            self.assertEqual(actions["plant.press1.coolant"]["attempts"], 3)
            self.assertEqual(actions["plant.oven.coolant"]["state"], "confirmed")

    def test_a_jam_stops_the_belt_and_its_end_starts_it_again(self):
        with Site() as site:
            site.start()
            site.simulate("--fault", "jam", "--seed", SEED, "--speed", "4")
            wait_until(lambda: find_alert(site, "plant.packer is jammed"), 60)
            wait_until(lambda: site.property("plant.belt.speed")["value"] < 0.05, 30)
            wait_until(lambda: (site.property("plant.belt.speed")["value"] or 0) > 0.3, 60)

    def test_without_the_plant_values_turn_stale_and_say_so(self):
        with Site() as site:
            site.start()
            plant = site.simulate("--seed", SEED)
            wait_until(lambda: site.property("plant.oven.temperature")["quality"] == "good")
            plant.stop()
            wait_until(lambda: site.property("plant.oven.temperature")["quality"] == "stale", 20)
            self.assertIsNotNone(site.property("plant.oven.temperature")["value"])


class Owned(unittest.TestCase):
    def test_a_client_can_not_command_an_owned_valve(self):
        with Site() as site:
            site.start()
            listener = site.spawn(["mosquitto_sub", "-p", site.mqtt_port, "-t", "line1/+/coolant/set", "-v"])
            time.sleep(0.5)
            site.publish("line1/press1/coolant/set", '{"action":"open"}', "-q", "1")
            site.publish("line1/press1/coolant/set", '{"action":"open"}', "-r")
            five = subprocess.run(
                ["mosquitto_pub", "-p", str(site.mqtt_port), "-V", "5", "-q", "1", "-d",
                 "-t", "line1/press1/coolant/set", "-m", '{"action":"open"}'],
                capture_output=True, text=True, timeout=30)
            self.assertIn("135", five.stdout + five.stderr)  # 0x87, not authorised
            denied = [a for a in site.get("/api/actions")["actions"] if a["state"] == "denied"]
            self.assertTrue(denied)
            self.assertIn("line_guard", denied[0]["why"])
            time.sleep(0.3)
            self.assertEqual(listener.text("out"), "")
            retained = subprocess.run(["mosquitto_sub", "-p", str(site.mqtt_port), "-t", "line1/press1/coolant/set",
                                       "-W", "1"], capture_output=True, text=True, timeout=30)
            self.assertEqual(retained.stdout, "")

    def test_a_command_by_hand_borrows_from_the_owner_also_over_a_crash(self):
        def lease(site):
            return next(d["lease"] for d in site.get("/api/site")["devices"] if d["name"] == "plant.press1.coolant")

        with Site() as site:
            site.start()
            status, _ = site.request("/api/devices/plant.press1.coolant/actions/open", {"args": {}, "by": "Ada"})
            self.assertEqual(status, 202)
            until = lease(site)["until_ms"]
            time.sleep(0.3)
            site.kill()
            site.start()
            self.assertEqual(lease(site)["holder"], "Ada")
            self.assertLess(abs(lease(site)["until_ms"] - until), 1000)

    def test_a_device_without_an_owner_obeys_people(self):
        with Site() as site:
            for name in ("line_guard", "shift", "tests"):  # which speak of it
                (site.folder / f"{name}.sedge").unlink()
            site.start()
            site.simulate("--seed", SEED)
            wait_until(lambda: site.property("plant.belt.speed")["value"] is not None)
            status, action = site.request("/api/devices/plant.belt/actions/start",
                                          {"args": {"target": 0.8}, "by": "Ada"})
            self.assertEqual(status, 202, action)
            wait_until(lambda: abs(site.property("plant.belt.speed")["value"] - 0.8) < 0.05, 20)
            done = wait_until(lambda: next((a for a in site.get("/api/actions")["actions"]
                                            if a["id"] == action["id"] and a["state"] == "confirmed"), None), 20)
            self.assertEqual(done["by"], {"kind": "operator", "name": "Ada"})
            for args in ({}, {"target": "fast"}, {"target": 0.5, "x": 1}):
                status, problem = site.request("/api/devices/plant.belt/actions/start", {"args": args, "by": "Ada"})
                self.assertEqual(status, 400, problem)
            status, _ = site.request("/api/devices/plant.belt/actions/fly", {"args": {}, "by": "Ada"})
            self.assertEqual(status, 404)


class Remembered(unittest.TestCase):
    def test_history_alerts_and_actions_outlive_a_kill(self):
        with Site() as site:
            site.start()
            now = int(time.time() * 1000)
            for i in range(50):
                site.publish("line1/press1", json.dumps({"ts": now + i * 100, "values": {"temperature": 20.5 + i}}),
                             "-q", "1")
            site.publish("line1/press1/vibration", "9.5", "-q", "1")
            for _ in range(14):
                site.publish("line1/press1", '{"temperature": 95, "vibration": 9.5}', "-q", "1")
                time.sleep(0.5)
            alert = wait_until(lambda: find_alert(site, "plant.press1 vibrates"), 30)
            status, acknowledged = site.request(f"/api/alerts/{alert['id']}/acknowledge", {"by": "Ada"})
            self.assertEqual(status, 200)
            self.assertEqual(acknowledged["acknowledged_by"], "Ada")
            status, _ = site.request(f"/api/alerts/{alert['id']}/acknowledge", {"by": "Bo"})
            self.assertEqual(status, 409)
            query = f"/api/history?series=plant.press1.temperature&from={now}&to={now + 4999}"
            before = site.get(query)["points"]
            self.assertEqual([v for _, v in before if v < 90], [20.5 + i for i in range(50)])
            actions = len(site.get("/api/actions")["actions"])
            site.kill()
            site.start()
            self.assertEqual(site.get(query)["points"], before)
            again = find_alert(site, "plant.press1 vibrates")
            self.assertEqual((again["id"], again["acknowledged_by"]), (alert["id"], "Ada"))
            self.assertEqual(len(site.get("/api/actions")["actions"]), actions)
            windows = site.get(query + "&window=1000")["windows"]
            self.assertEqual(sum(w[1] for w in windows), len(before))

    def test_a_session_outlives_a_kill(self):
        with Site() as site:
            site.start()
            port = str(site.mqtt_port)
            subprocess.run(["mosquitto_sub", "-p", port, "-i", "keeper", "-c", "-q", "1", "-t", "orders/#", "-E"],
                           check=True, timeout=30)
            for i in range(20):
                site.publish("orders/new", str(i), "-q", "1")
            site.kill()
            site.start()
            got = subprocess.run(["mosquitto_sub", "-p", port, "-i", "keeper", "-c", "-q", "1", "-t", "orders/#",
                                  "-C", "20", "-W", "10"], capture_output=True, text=True, timeout=30)
            self.assertEqual(got.stdout.split(), [str(i) for i in range(20)])


class Strangers(unittest.TestCase):
    def test_unknown_topics_and_unreadable_messages_are_listed(self):
        with Site() as site:
            site.start()
            site.publish("zigbee2mqtt/door", '{"contact":true}')
            site.publish("line1/press1", '{"temperature":"hot"}')
            topics = wait_until(lambda: {t["topic"]: t for t in site.get("/api/discovered")["topics"]}
                                if len(site.get("/api/discovered")["topics"]) == 2 else None)
            self.assertEqual(topics["zigbee2mqtt/door"]["kind"], "json")
            self.assertEqual(topics["zigbee2mqtt/door"]["payload"], '{"contact":true}')
            self.assertIn("expected a number", topics["line1/press1"]["error"]["reason"])

    def test_foreign_pages_are_refused(self):
        with Site() as site:
            site.start()
            path = "/api/devices/plant.belt/actions/stop"
            for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"},
                            {"Content-Type": "text/plain"}):
                status, _ = site.request(path, {"args": {}, "by": "x"}, headers=headers)
                self.assertIn(status, (400, 403, 415, 421), headers)
            status, _ = site.request("/api/site", headers={"Host": "evil.example"})
            self.assertIn(status, (403, 421))


if __name__ == "__main__":
    unittest.main(verbosity=2)
