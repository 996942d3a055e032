# ctest: timeout=180
"""Recorded messages of Tasmota, Zigbee2MQTT and Shelly devices, played into a site that maps them: samples, commands on
the devices' own topics, what confirms them, who is away, and what can't be read."""

import pathlib
import re
import subprocess
import tempfile
import threading
import unittest

import paho.mqtt.client as mqtt
from sedge_site import ROOT, SEDGE, Site, wait_until

RECORDED = ROOT / "tests/recorded"
SITE = """site "home" { zone "Europe/Berlin" }
server { mqtt 127.0.0.1:@MQTT@
         http 127.0.0.1:@HTTP@
         store "data" }

model Plug {
  property power: W  range 0..4000
  property energy: kWh
  property lit: bool
  property signal: dBm
  event tapped
  action on()  confirms lit
  action off() confirms not lit
  safe off()
}
model Room { property low: °C; property high: °C; property temperature: °C; property humidity: %RH }
model Lamp {
  property lit: bool
  property level: %
  action on()  confirms lit
  action off() confirms not lit
  action dim(level: %) confirms lit
  safe off()
}
model Window { property closed: bool; property open: bool; property battery: % }
model Button { property battery: %; event single; event any }

device home.fan: Plug {
  id "tasmota:DC4F22A1B2C3"
  property power = "ENERGY.Power" on "tele/plug1/SENSOR"
  property energy = "ENERGY.Total" on "tele/plug1/SENSOR"
  property lit = "POWER" on "stat/plug1/RESULT"
  property lit = "POWER" on "tele/plug1/STATE"
  property signal = "Wifi.Signal" on "tele/plug1/STATE"
  action on()  publish "cmnd/plug1/POWER" "ON"
  action off() publish "cmnd/plug1/POWER" "OFF"
  online on "tele/plug1/LWT"
}
device home.cellar: Room {
  property low = "DS18B20-1.Temperature" on "tele/cellar/SENSOR" as °F
  property high = "DS18B20-2.Temperature" on "tele/cellar/SENSOR" as °F
  property temperature = "AM2301.Temperature" on "tele/cellar/SENSOR" as °F
  property humidity = "AM2301.Humidity" on "tele/cellar/SENSOR"
  online on "tele/cellar/LWT" true "Online" false "Offline"
}
device home.bath: Room {
  property low = "temperature" on "zigbee2mqtt/bath/climate"
  property high = "temperature" on "zigbee2mqtt/bath/climate" offset 10
  property temperature = "temperature" on "zigbee2mqtt/bath/climate" time "last_seen"
  property humidity = "humidity" on "zigbee2mqtt/bath/climate"
  online on "zigbee2mqtt/bridge/state"
  online on "zigbee2mqtt/bath/climate/availability"
}
device home.lamp: Lamp {
  id "zigbee:0x0017880104e45522"
  property lit = "state" on "zigbee2mqtt/hall/lamp"
  property level = "brightness" on "zigbee2mqtt/hall/lamp" scale 0.3937007874
  action on()  publish "zigbee2mqtt/hall/lamp/set" { state = "ON" }
  action off() publish "zigbee2mqtt/hall/lamp/set" { state = "OFF" }
  action dim(level) publish "zigbee2mqtt/hall/lamp/set" { state = "ON"; brightness = round(level * 2.54) }
  online = "state" on "zigbee2mqtt/hall/lamp/availability"
}
device home.window: Window {
  property closed = "contact" on "zigbee2mqtt/bath/window"
  property open = "contact" on "zigbee2mqtt/bath/window" true "false" false "true"
  property battery = "battery" on "zigbee2mqtt/bath/window"
}
device home.button: Button {
  property battery = "battery" on "zigbee2mqtt/hall/button"
  event single = "action" on "zigbee2mqtt/hall/button" is "single"
  event any = "action" on "zigbee2mqtt/hall/button"
}
device home.heater: Plug {
  id "shelly:C18B12"
  property power on "shellies/shelly1pm-C18B12/relay/0/power"
  property energy on "shellies/shelly1pm-C18B12/relay/0/energy" as J scale 60    // it counts watt minutes
  property lit on "shellies/shelly1pm-C18B12/relay/0"
  property signal = "wifi_sta.rssi" on "shellies/shelly1pm-C18B12/info"
  event tapped = "event" on "shellies/shelly1pm-C18B12/input_event/0" is "S"
  action on()  publish "shellies/shelly1pm-C18B12/relay/0/command" "on"
  action off() publish "shellies/shelly1pm-C18B12/relay/0/command" "off"
  online on "shellies/shelly1pm-C18B12/online"
}
device home.pump: Plug {
  id "shelly:7c87ce65bd9c"
  property power = "apower" on "shellyplus1pm-7c87ce65bd9c/status/switch:0"
  property power = "params.switch:0.apower" on "shellyplus1pm-7c87ce65bd9c/events/rpc"
  property energy = "aenergy.total" on "shellyplus1pm-7c87ce65bd9c/status/switch:0" as Wh
  property lit = "output" on "shellyplus1pm-7c87ce65bd9c/status/switch:0"
  property lit = "params.switch:0.output" on "shellyplus1pm-7c87ce65bd9c/events/rpc"
  property signal = "params.wifi.rssi" on "shellyplus1pm-7c87ce65bd9c/events/rpc"
  event tapped = "params.events[0].event" on "shellyplus1pm-7c87ce65bd9c/events/rpc" is "single_push"
  action on()  publish "shellyplus1pm-7c87ce65bd9c/rpc" { id = 1; src = "sedge"; method = "Switch.Set"; params.id = 0; params.on = true }
  action off() publish "shellyplus1pm-7c87ce65bd9c/rpc" { id = 1; src = "sedge"; method = "Switch.Set"; params.id = 0; params.on = false }
  online on "shellyplus1pm-7c87ce65bd9c/online"
}

program bath {
  own fan: Plug = home.fan
  read humidity: %RH = home.bath.humidity stale 1h
  when humidity > 65 %RH { fan.on() } until humidity < 60 %RH { fan.off() }
  on home.button.single { alert info "single" }
  on home.button.any { alert info "any" }
  on home.heater.tapped { alert info "heater tapped" }
  on home.pump.tapped { alert info "pump tapped" }
}
"""


def recorded(name):
    """(topic, payload, retained) of each message."""
    for line in (RECORDED / name).read_text().splitlines():
        if line and not line.startswith("#"):
            topic, _, payload = line.lstrip("~").partition(" ")
            yield topic, payload, line.startswith("~")


class Mapping(unittest.TestCase):
    def setUp(self):
        self.site = Site(text=SITE)
        self.addCleanup(self.site.close)
        self.site.start()
        self.commands, self.lock = [], threading.Lock()
        self.answers = {}  # command topic: what the device does then, a list of (topic, payload)
        self.client = mqtt.Client(client_id="devices")
        self.client.on_message = self.commanded
        self.client.connect("127.0.0.1", self.site.mqtt_port)
        self.client.loop_start()
        self.addCleanup(self.client.loop_stop)
        self.addCleanup(self.client.disconnect)
        for topic in ("cmnd/#", "zigbee2mqtt/+/+/set", "shellies/+/relay/0/command", "+/rpc"):
            self.client.subscribe(topic, 1)
        wait_until(self.client.is_connected)

    def commanded(self, _client, _ctx, message):
        with self.lock:
            self.commands.append((message.topic, message.payload.decode()))
        for topic, payload in self.answers.get((message.topic, message.payload.decode()), []):
            self.client.publish(topic, payload, 1)

    def say(self, topic, payload, retained=False):
        self.client.publish(topic, payload, 1, retained).wait_for_publish(10)

    def play(self, name, until=None, start=0):
        """The messages from `start` on, up to the one whose topic and payload `until` accepts."""
        for i, (topic, payload, retained) in enumerate(recorded(name)):
            if i < start or topic.startswith("cmnd/"):
                continue
            self.say(topic, payload, retained)
            if until and until(topic, payload):
                return i + 1
        return None

    def value(self, name):
        return self.site.property(name)["value"]

    def expect(self, **wanted):
        """home.fan.power as home_fan_power."""
        for name, want in wanted.items():
            path = name.replace("_", ".", 2)

            def same(path=path, want=want):
                value = self.value(path)
                return value is not None and (abs(value - want) < 1e-6 if isinstance(want, float) else value == want)
            wait_until(same, 10, f"{path} = {want}")

    def quality(self, name, want):
        wait_until(lambda: self.site.property(name)["quality"] == want, 10, f"{name} {want}")

    def alerts(self):
        return [a["text"] for a in self.site.get("/api/alerts?state=all")["alerts"]]

    def command(self, device, action, args=None):
        status, body = self.site.request(f"/api/devices/{device}/actions/{action}", {"args": args or {}, "by": "Ada"}, "POST")
        self.assertEqual(status, 202, body)
        return body["id"]

    def confirmed(self, action_id):
        wait_until(lambda: any(a["id"] == action_id and a["state"] == "confirmed"
                               for a in self.site.get("/api/actions")["actions"]), 20, "the confirmation")

    def test_tasmota(self):
        self.answers[("cmnd/plug1/POWER", "ON")] = [("stat/plug1/RESULT", '{"POWER":"ON"}'), ("stat/plug1/POWER", "ON")]
        at = self.play("tasmota_plug.txt", lambda _t, p: '"Power":0' in p)
        self.expect(home_fan_power=0, home_fan_energy=41.257, home_fan_lit=False, home_fan_signal=-58)
        # A recording of long ago: a value of then, which the page shows with its time.
        self.assertEqual(self.site.property("home.fan.power")["ts_ms"], 1710003731000)
        self.play("tasmota_plug.txt", lambda _t, p: '"Power":118' in p, at)
        self.expect(home_fan_power=118, home_fan_lit=True)
        self.quality("home.fan.lit", "good")
        self.say("tele/plug1/LWT", "Offline", True)
        self.quality("home.fan.lit", "stale")
        # Its owner commands it: on its own topic, confirmed by what it answers; nobody else may.
        self.say("zigbee2mqtt/bath/climate", '{"humidity": 71}')
        wait_until(lambda: ("cmnd/plug1/POWER", "ON") in self.commands)
        wait_until(lambda: any(a["device"] == "home.fan" and a["state"] == "confirmed"
                               for a in self.site.get("/api/actions")["actions"]))
        self.say("cmnd/plug1/POWER", "OFF")
        wait_until(lambda: any(a["state"] == "denied" for a in self.site.get("/api/actions")["actions"]))
        self.assertNotIn(("cmnd/plug1/POWER", "OFF"), self.commands)

    def test_tasmota_sensors(self):
        at = self.play("tasmota_sensors.txt", lambda t, _p: t.endswith("SENSOR"))
        self.expect(home_cellar_low=18.0, home_cellar_high=50.0, home_cellar_temperature=20.0, home_cellar_humidity=54.3)
        self.play("tasmota_sensors.txt", start=at)
        self.expect(home_cellar_low=19.0, home_cellar_high=50.0, home_cellar_temperature=20.0)

    def test_zigbee2mqtt(self):
        self.answers[("zigbee2mqtt/hall/lamp/set", '{"state":"ON","brightness":64}')] = [
            ("zigbee2mqtt/hall/lamp", '{"state":"ON","brightness":64}')]
        at = self.play("zigbee2mqtt.txt", lambda t, _p: t == "zigbee2mqtt/bath/window")
        self.expect(home_bath_temperature=22.84, home_bath_high=32.84, home_bath_humidity=71.46)
        self.assertEqual(self.site.property("home.bath.temperature")["ts_ms"], 1710004801113)
        self.expect(home_lamp_lit=True, home_lamp_level=100.0)
        self.expect(home_window_closed=False, home_window_open=True, home_window_battery=97)
        self.confirmed(self.command("home.lamp", "dim", {"level": 25}))
        self.assertIn(("zigbee2mqtt/hall/lamp/set", '{"state":"ON","brightness":64}'), self.commands)
        self.play("zigbee2mqtt.txt", start=at)
        wait_until(lambda: self.alerts().count("single") == 1 and self.alerts().count("any") == 1)
        self.quality("home.lamp.lit", "stale")  # its mains are cut
        self.quality("home.lamp.level", "stale")
        self.expect(home_button_battery=88)

    def test_shelly_gen1(self):
        self.answers[("shellies/shelly1pm-C18B12/relay/0/command", "off")] = [("shellies/shelly1pm-C18B12/relay/0", "off")]
        self.play("shelly_gen1.txt", lambda _t, p: p == "41.02")
        self.expect(home_heater_power=61.27, home_heater_energy=5.123, home_heater_lit=True, home_heater_signal=-61)
        wait_until(lambda: "heater tapped" in self.alerts())
        self.confirmed(self.command("home.heater", "off"))
        self.say("shellies/shelly1pm-C18B12/online", "false", True)
        self.quality("home.heater.power", "stale")

    def test_shelly_gen2(self):
        want = '{"id":1,"src":"sedge","method":"Switch.Set","params":{"id":0,"on":false}}'
        self.answers[("shellyplus1pm-7c87ce65bd9c/rpc", want)] = [
            ("sedge/rpc", '{"id":1,"src":"shellyplus1pm-7c87ce65bd9c","dst":"sedge","result":{"was_on":true}}'),
            ("shellyplus1pm-7c87ce65bd9c/status/switch:0", '{"id":0,"source":"MQTT","output":false,"apower":0.0}')]
        self.play("shelly_gen2.txt", lambda _t, p: "single_push" in p)
        self.expect(home_pump_power=57.9, home_pump_energy=1.173214, home_pump_lit=True)
        wait_until(lambda: "pump tapped" in self.alerts())
        self.confirmed(self.command("home.pump", "off"))
        self.expect(home_pump_power=0)
        self.say("shellyplus1pm-7c87ce65bd9c/online", "false", True)
        self.quality("home.pump.lit", "stale")

    def test_what_can_not_be_read(self):
        self.say("tele/plug1/SENSOR", '{"ENERGY":{"Power":"much","Total":3}}')
        self.expect(home_fan_energy=3)
        wait_until(lambda: any(t["topic"] == "tele/plug1/SENSOR" and "expected a number" in str(t.get("error"))
                               for t in self.site.get("/api/discovered")["topics"]))

    def test_a_device_that_is_mapped_later_has_its_last_values_at_once(self):
        text = (self.site.folder / "site.sedge").read_text()
        self.say("tele/attic/SENSOR", '{"Temperature": 31.5}')
        self.say("tele/attic/LWT", "Online", True)
        wait_until(lambda: any(t["topic"] == "tele/attic/SENSOR" for t in self.site.get("/api/discovered")["topics"]))
        (self.site.folder / "site.sedge").write_text(text + """
model Thermometer { property temperature: °C }
device home.attic: Thermometer { property temperature = "Temperature" on "tele/attic/SENSOR"; online on "tele/attic/LWT" }
""")
        status, body = self.site.request("/api/reload", body={}, method="POST")
        self.assertEqual(status, 200, body)
        self.assertEqual(body["devices"], {"kept": 8, "changed": [], "added": ["home.attic"], "removed": []})
        self.assertEqual(self.value("home.attic.temperature"), 31.5)
        self.assertFalse(any(t["topic"].startswith("tele/attic") for t in self.site.get("/api/discovered")["topics"]))


PLAYED = """site "played"
model Lamp { property lit: bool; event tapped; action on() confirms lit; action off() confirms not lit; action blink(); safe off() }
device lamp: Lamp {
  property lit = "state" on "z/lamp"
  event tapped = "action" on "z/lamp" is "single"
  action on() publish "z/lamp/set" { state = "ON" }
  action off() publish "z/lamp/set" { state = "OFF" }
  action blink() publish "z/lamp/blink" answer "z/lamp/done"
}
program p {
  own l: Lamp = lamp
  read lit: bool = lamp.lit stale 1h
  on lamp.tapped { l.on() }
  when lit { l.blink() }
}
test "a tap lights it, and then it blinks" {
  lamp.lit = false
  lamp.tapped()
  expect action lamp.on()
  expect lamp.lit == true
  expect action lamp.blink()
  after 1min { expect no alert }
}
"""


class Pages(unittest.TestCase):
    """What needs no running site."""

    def sedge(self, command, text):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "site.sedge"
            path.write_text(text)
            return subprocess.run([SEDGE, command, str(path)], capture_output=True, text=True, timeout=60)

    def test_a_test_plays_mapped_devices(self):
        done = self.sedge("test", PLAYED)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("1 test, 0 failed", done.stdout)

    def test_the_examples_of_the_page_are_accepted(self):
        blocks = re.findall(r"^```sedge\n(.*?)^```", (ROOT / "docs/payloads.md").read_text(), re.M | re.S)
        self.assertEqual(len(blocks), 2)
        for block in blocks:
            with self.subTest(block):
                done = self.sedge("check", 'site "s"\n' + block)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
