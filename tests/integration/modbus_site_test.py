# ctest: timeout=240
"""Sites with `via modbus`, against libmodbus (tools/modbus-server.c): reading, commands, dead units, reload, tests,
and the import of a table of points."""

import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import unittest

from modbus_device import ModbusServer, f32, u32
from openapi import Description
from sedge_site import ROOT, SEDGE, Site, wait_until

HEAD = 'site "hall"\nserver { mqtt 127.0.0.1:@MQTT@; http 127.0.0.1:@HTTP@; store "data" }\n'
MODELS = """
model Meter { property power: kW range 0..500; property energy: kWh; property fault: bool }
model Heater {
  property temp: °C
  property on: bool
  action on() confirms on
  action off() confirms not on
  action set(target: °C)
  safe off()
}
"""
METER = """
device hall.meter: Meter {
  via modbus "tcp://127.0.0.1:@MODBUS@" unit 3 every 50ms timeout 200ms {
    power  = input 0 f32
    energy = input 2 u32 scale 0.1 order cdab
    fault  = holding 7 bit 3
  }
}
"""
HEATER = """
device hall.heater: Heater {
  via modbus "tcp://127.0.0.1:@MODBUS@" unit 4 every 50ms {
    temp = input 0 i16 scale 0.1
    on   = coil 4 on
    off  = coil 4 off
    set  = holding 20 i16 scale 0.5 arg target
  }
}
"""


def site_of(*parts, plc):
    site = Site(files={})
    site.modbus_port = plc.port
    site.write("site.sedge", HEAD + "".join(parts))
    return site


def fill(plc):
    plc.set(3, "input", 0, *f32(61.5), *reversed(u32(1234)))
    plc.set(3, "holding", 0, *[0] * 7, 1 << 3)
    plc.set(4, "input", 0, 65536 - 55)
    plc.set(4, "coil", 0, *[0] * 5)
    plc.set(4, "holding", 0, *[0] * 21)


def value(site, name, wanted):
    return wait_until(lambda: site.property(name)["value"] == wanted and site.property(name)["quality"] == "good",
                      what=f"{name} is {wanted}")


def last_action(site):
    return site.get("/api/actions")["actions"][0]


def command(site, device, action, args=None):
    status, done = site.request(f"/api/devices/{device}/actions/{action}", {"args": args or {}, "by": "Ada"})
    assert status == 202, done
    return done


class Devices(unittest.TestCase):
    def test_values_and_commands(self):
        with ModbusServer() as plc, site_of(MODELS, METER, HEATER, plc=plc) as site:
            fill(plc)
            site.start()
            value(site, "hall.meter.power", 61.5)
            value(site, "hall.meter.energy", 123.4)
            value(site, "hall.meter.fault", True)
            value(site, "hall.heater.temp", -5.5)
            value(site, "hall.heater.on", False)
            plc.set(3, "input", 0, *f32(70.25))
            value(site, "hall.meter.power", 70.25)
            command(site, "hall.heater", "on")  # confirmed by its coil
            plc.wrote(4, "coil", 4, 1)
            value(site, "hall.heater.on", True)
            wait_until(lambda: last_action(site)["state"] == "confirmed")
            command(site, "hall.heater", "set", {"target": 21.5})  # confirmed by having been taken
            plc.wrote(4, "holding", 20, 43)
            wait_until(lambda: last_action(site)["state"] == "confirmed")
            command(site, "hall.heater", "set", {"target": -40})
            plc.wrote(4, "holding", 20, 65536 - 80)

    def test_a_dead_unit_is_told_and_others_go_on(self):
        with ModbusServer() as plc, site_of(MODELS, METER, HEATER, plc=plc) as site:
            fill(plc)
            site.start()
            value(site, "hall.meter.power", 61.5)
            value(site, "hall.heater.temp", -5.5)
            plc.silent(3)
            wait_until(lambda: site.property("hall.meter.power")["quality"] == "stale")
            plc.set(4, "input", 0, 300)
            value(site, "hall.heater.temp", 30)
            plc.speaks(3)
            value(site, "hall.meter.power", 61.5)
            plc.close()  # the whole line
            wait_until(lambda: site.property("hall.heater.temp")["quality"] == "stale")
            with ModbusServer(plc.port) as again:
                fill(again)
                value(site, "hall.heater.temp", -5.5)

    def test_lines_and_units_are_shown(self):
        with ModbusServer() as plc, site_of(MODELS, METER, HEATER, plc=plc) as site:
            fill(plc)
            plc.silent(4)
            site.start()
            value(site, "hall.meter.power", 61.5)
            line = wait_until(lambda: next((x for x in site.get("/api/links")["links"]
                                            if x["units"][1]["online"] is False), None))
            self.assertEqual((line["kind"], line["text"], line["state"]),
                             ("modbus", f"tcp://127.0.0.1:{plc.port}", "connected"))
            self.assertEqual([u["devices"] for u in line["units"]], [["hall.meter"], ["hall.heater"]])
            self.assertEqual((line["units"][0]["online"], line["units"][0]["last_error"]), (True, None))
            self.assertGreaterEqual(line["units"][1]["timeouts"], 3)
            self.assertIsNotNone(line["units"][1]["last_error_ms"])
            self.assertIsNotNone(line["since_ms"])
            device = next(d for d in site.get("/api/site")["devices"] if d["name"] == "hall.heater")
            self.assertEqual((device["link"]["kind"], device["link"]["text"], device["link"]["online"]),
                             ("modbus", f"modbus tcp://127.0.0.1:{plc.port} unit 4", False))
            description = Description(site.get("/api/openapi.json"))
            description.check("GET", "/api/links", 200, "application/json", site.get("/api/links"))
            plc.close()
            line = wait_until(lambda: next((x for x in site.get("/api/links")["links"]
                                            if x["state"] == "waiting" and "refused" in x["last_error"]), None))
            self.assertIsNotNone(line["retry_ms"])
            self.assertEqual([u["online"] for u in line["units"]], [False, False])

    def test_an_address_that_is_not_there_is_one_property_s_matter(self):
        with ModbusServer() as plc, site_of(MODELS, METER, plc=plc) as site:
            plc.set(3, "input", 0, *f32(61.5))  # no energy behind it, no holding registers
            site.start()
            value(site, "hall.meter.power", 61.5)
            self.assertIsNone(site.property("hall.meter.energy")["value"])
            why = wait_until(lambda: site.property("hall.meter.energy")["why"])
            self.assertEqual(why, "unit 3, input 2: illegal data address")
            unit = site.get("/api/links")["links"][0]["units"][0]
            self.assertIn("illegal data address (exception 2)", unit["last_error"])
            self.assertIsNotNone(unit["last_error_ms"])

    def test_what_is_owned_is_borrowed_by_hand(self):
        program = """
program p {
  own h: Heater = hall.heater
  read temp: °C = h.temp stale 5s
  when temp > 90 °C { h.on() }
}
"""
        with ModbusServer() as plc, site_of(MODELS, HEATER, program, plc=plc) as site:
            def heater():
                return next(d for d in site.get("/api/site")["devices"] if d["name"] == "hall.heater")

            fill(plc)
            site.start()
            value(site, "hall.heater.temp", -5.5)
            self.assertEqual(heater()["owner"], "p")
            plc.set(4, "input", 0, 1000)
            plc.wrote(4, "coil", 4, 1)
            wait_until(lambda: last_action(site)["state"] == "confirmed")
            self.assertEqual(last_action(site)["by"]["program"], "p")
            command(site, "hall.heater", "off")
            plc.wrote(4, "coil", 4, 0)
            self.assertEqual(heater()["lease"]["holder"], "Ada")

    def test_devices_come_change_and_go_while_it_runs(self):
        with ModbusServer() as plc, site_of(MODELS, METER, plc=plc) as site:
            def reload():
                status, answer = site.request("/api/reload", {})
                self.assertIn(status, (200, 202), answer)

            fill(plc)
            plc.set(3, "input", 10, *f32(9.5))
            site.start()
            value(site, "hall.meter.power", 61.5)
            site.write("site.sedge", HEAD + MODELS + METER + HEATER)  # one more
            reload()
            value(site, "hall.heater.temp", -5.5)
            value(site, "hall.meter.power", 61.5)
            site.write("site.sedge", HEAD + MODELS + METER.replace("input 0 f32", "input 10 f32") + HEATER)
            reload()
            value(site, "hall.meter.power", 9.5)
            site.write("site.sedge", HEAD + MODELS + HEATER)  # one less
            reload()
            wait_until(lambda: [d["name"] for d in site.get("/api/site")["devices"]] == ["hall.heater"])
            command(site, "hall.heater", "on")
            plc.wrote(4, "coil", 4, 1)
            site.write("site.sedge", HEAD + MODELS + HEATER.replace("coil 4 on", "coyl 4 on"))
            status, answer = site.request("/api/reload", {})
            self.assertIn("coil", json.dumps(answer), answer)
            value(site, "hall.heater.temp", -5.5)


OWNER = """
program p {
  own h: Heater = hall.heater
  when h.temp > 90 °C { h.on() } until h.temp < 80 °C { h.off() }
}
"""


class Corrections(unittest.TestCase):
    """What a declaration says is wrong, and its next version is right: nothing of the mistake stays behind."""

    def reload(self, site, *parts):
        site.write("site.sedge", HEAD + MODELS + "".join(parts))
        status, answer = site.request("/api/reload", {})
        self.assertEqual(status, 200, answer)
        return answer["devices"]

    def alerts(self, site):
        return [a for a in site.get("/api/alerts?state=all")["alerts"] if not a["cleared_ms"]]

    def failed(self, site, words):
        wait_until(lambda: any(words in a["text"] for a in self.alerts(site)), 60, what=f"the alert {words}")

    def corrected(self, site, plc, heater):
        """The changed heater answers, was made safe where it is, and nobody is alarmed any more."""
        written = len(plc.writes())
        self.assertEqual(self.reload(site, heater, OWNER), {"kept": 0, "changed": ["hall.heater"], "added": [], "removed": []})
        wait_until(lambda: (4, "coil", 4, 0) in plc.writes()[written:], what="the safe action")
        wait_until(lambda: last_action(site)["state"] == "confirmed")
        self.assertEqual((last_action(site)["action"], last_action(site)["by"]["program"]), ("off", "p"))
        self.assertEqual(self.alerts(site), [])
        self.assertEqual({w[:3] for w in plc.writes()[written:]}, {(4, "coil", 4)})

    def test_an_order_of_bytes_that_can_hardly_be(self):
        with ModbusServer() as plc, site_of(MODELS, METER, HEATER, plc=plc) as site:
            fill(plc)
            plc.set(3, "input", 0, *reversed(f32(57.5)), *reversed(u32(1234)))
            site.start()
            power = wait_until(lambda: site.property("hall.meter.power")["why"] and site.property("hall.meter.power"))
            self.assertEqual(power["why"], "2.38193e-41 kW can hardly be: with `order cdab` it would be 57.5 kW")
            self.assertEqual(power["quality"], "bad")
            energy = site.property("hall.meter.energy")
            self.assertEqual((energy["quality"], energy["why"]), ("good", None))
            self.assertEqual(site.process.text().count("can hardly be"), 1)
            self.reload(site, METER.replace("input 0 f32", "input 0 f32 order cdab"), HEATER)
            value(site, "hall.meter.power", 57.5)
            self.assertIsNone(site.property("hall.meter.power")["why"])

    def test_what_is_asked_seldom_stays_good_over_a_reload(self):
        seldom, reader = METER.replace("every 50ms", "every 5min"), """
program q { read energy: kWh = hall.meter.energy stale 1h
            when energy > 1e6 kWh { alert info "much" } }
"""
        with ModbusServer() as plc, site_of(MODELS, seldom, HEATER, reader, plc=plc) as site:
            fill(plc)
            site.start()
            value(site, "hall.meter.energy", 123.4)
            for _ in range(2):
                stale = [site.property(f"hall.meter.{name}")["stale_ms"] for name in ("power", "energy")]
                self.assertEqual(stale, [900000, 900000])  # three intervals; a program's hour is longer
                self.reload(site, seldom, HEATER, reader)
            self.reload(site, seldom.replace("5min", "30s"), HEATER, reader.replace("1h", "20s"))
            stale = [site.property(f"hall.meter.{name}")["stale_ms"] for name in ("power", "energy")]
            self.assertEqual(stale, [90000, 20000])

    def test_what_has_changed_is_named(self):
        with ModbusServer() as plc, site_of(MODELS, METER, HEATER, plc=plc) as site:
            fill(plc)
            site.start()
            value(site, "hall.meter.energy", 123.4)
            for old, new in ((" order cdab", ""), ("scale 0.1", "scale 0.01"), ("input 2 u32", "input 2 i32"),
                             ("holding 7 bit 3", "holding 7 bit 4"), ("every 50ms", "every 60ms"),
                             ("timeout 200ms", "timeout 300ms")):
                with self.subTest(new=new):
                    told = self.reload(site, METER.replace(old, new), HEATER)
                    self.assertEqual(told, {"kept": 1, "changed": ["hall.meter"], "added": [], "removed": []})
                    self.reload(site, METER, HEATER)
            self.assertEqual(self.reload(site, METER + "// a remark", HEATER)["changed"], [])
            done = subprocess.run([SEDGE, "reload", site.folder], capture_output=True, text=True, timeout=60)
            self.assertIn("devices: 2 as they were, 0 changed, 0 added, 0 removed", done.stdout, done.stderr)
            site.write("site.sedge", HEAD + MODELS + METER.replace("scale 0.1", "scale 1") + HEATER)
            done = subprocess.run([SEDGE, "reload", site.folder], capture_output=True, text=True, timeout=60)
            self.assertIn("1 changed (hall.meter), 0 added", done.stdout, done.stderr)

    def test_a_unit_that_was_never_there(self):
        with ModbusServer() as plc, site_of(MODELS, HEATER.replace("unit 4", "unit 9 timeout 100ms"), OWNER, plc=plc) as site:
            fill(plc)
            site.start()
            wait_until(lambda: "; it is offline, and asked less often" in site.process.text(), what="unit 9 is found silent")
            command(site, "hall.heater", "on")
            self.failed(site, "hall.heater does not obey: on() was sent 3 times")
            self.corrected(site, plc, HEATER)

    def test_a_coil_that_the_unit_does_not_have(self):
        with ModbusServer() as plc, site_of(MODELS, HEATER.replace("coil 4", "coil 40"), OWNER, plc=plc) as site:
            fill(plc)
            site.start()
            value(site, "hall.heater.temp", -5.5)
            command(site, "hall.heater", "on")
            self.failed(site, "hall.heater does not obey: on() is refused by the device")
            self.corrected(site, plc, HEATER)

    def test_one_that_obeyed_is_made_safe_where_it_was(self):
        with ModbusServer() as plc, site_of(MODELS, HEATER, OWNER, plc=plc) as site:
            fill(plc)
            plc.set(5, "input", 0, 200)
            plc.set(5, "coil", 0, *[0] * 5)
            plc.set(5, "holding", 0, *[0] * 21)
            site.start()
            plc.set(4, "input", 0, 1000)
            plc.wrote(4, "coil", 4, 1)
            wait_until(lambda: last_action(site)["state"] == "confirmed")
            self.reload(site, HEATER.replace("unit 4", "unit 5"), OWNER)
            plc.wrote(4, "coil", 4, 0)  # that other heater
            value(site, "hall.heater.temp", 20)
            wait_until(lambda: last_action(site)["state"] == "confirmed")  # by its coil, which is read for that alone
            self.assertEqual(self.alerts(site), [])
            self.assertNotIn((5, "coil", 4, 1), plc.writes())


class Plant(unittest.TestCase):
    def test_a_valve_that_is_stuck_is_an_alert(self):
        with Site() as site:
            guard = (site.folder / "line_guard.sedge").read_text()
            site.write("line_guard.sedge", guard.replace("temp > 80 °C", "temp > 30 °C")
                       .replace("temp < 65 °C", "temp < 20 °C"))  # an oven at work is hot enough
            site.start()
            site.simulate("--fault", "stuck:plant.oven", "--seed", "7")
            alert = wait_until(lambda: next((a for a in site.get("/api/alerts?state=all")["alerts"]
                                             if "plant.oven.coolant does not obey" in a["text"]), None), 60)
            self.assertEqual(alert["severity"], "critical")
            actions = {a["device"]: a for a in site.get("/api/actions")["actions"]}
            self.assertEqual(actions["plant.oven.coolant"]["state"], "failed")
            self.assertEqual(actions["plant.press1.coolant"]["state"], "confirmed")

    def test_a_plant_without_its_modbus_server_ends(self):
        with Site() as site:
            site.start()
            plant = site.simulate("--seed", "7")
            children = pathlib.Path(f"/proc/{plant.pid}/task/{plant.pid}/children")
            value(site, "plant.oven.coolant.position", 0)
            os.kill(int(children.read_text().split()[0]), signal.SIGKILL)
            self.assertEqual(plant.wait(20), 1)
            self.assertIn("has ended", plant.text())

    def test_sedge_test_plays_modbus_devices(self):
        with Site(text=HEAD + MODELS + HEATER + """
program p {
  own h: Heater = hall.heater
  when h.temp < 5 °C { h.set(20 °C); h.on() } until h.temp > 15 °C { h.off() }
}
test "frost" {
  hall.heater.temp = 2 °C
  after 1s { expect action hall.heater.set(20 °C); expect hall.heater.on == true }
  hall.heater.temp = 16 °C
  after 1min { expect action hall.heater.off(); expect no alert }
}
""") as site:
            done = subprocess.run([SEDGE, "test", site.folder], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_what_is_wrong_has_a_place(self):
        with Site(text=HEAD + MODELS + METER.replace("input 0 f32", "imput 0 f32")) as site:
            done = subprocess.run([SEDGE, "check", "--json", site.folder], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 1)
            found = json.loads(done.stdout)["diagnostics"][0]
            self.assertEqual((found["code"], found["spans"][0]["label"]), ("M2", "not known here"))
            self.assertIn("`input`", found["help"])


    def test_the_example_of_the_manual_is_fine(self):
        blocks = re.findall(r"```sedge\n(.*?)```", (ROOT / "docs/modbus.md").read_text(), re.S)
        self.assertTrue(blocks)
        with Site(text=HEAD + "".join(blocks)) as site:
            done = subprocess.run([SEDGE, "check", site.folder], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)


TABLE = """\
Device;Unit ID;Name;Function;Address;Type;Unit;Scale;Min;Max;Action;Value;Confirms;Safe;Comment
Meter-1;3;Power;4;0;float32;kW;;0;500;;;;;"sum; all phases"
Meter-1;3;Energy;4;2;uint32 (CDAB);kWh;0,1;;;;;;;
Heater;4;Temp;4;0;int16;degC;0,1;;;;;;;
Heater;4;On;1;4;bool;;;;;;;;;
Heater;4;start;1;4;bool;;;;;start;on;on;;
Heater;4;stop;1;4;bool;;;;;stop;off;not on;x;
Heater;4;Target;3;20;int16;degC;0,5;;;set target;;;;
"""


class Import(unittest.TestCase):
    def run_import(self, site, *args):
        return subprocess.run([SEDGE, "import", site.root / "points.csv", site.folder, *args],
                              capture_output=True, text=True, timeout=60)

    def test_a_table_becomes_devices_that_work(self):
        with ModbusServer() as plc, site_of(plc=plc) as site:
            (site.root / "points.csv").write_text(TABLE)
            line = f"tcp://127.0.0.1:{plc.port}"
            shown = self.run_import(site, "--line", line, "--place", "hall", "--every", "50ms")
            self.assertEqual(shown.returncode, 0, shown.stderr)
            self.assertIn("device hall.meter_1: Meter {", shown.stdout)
            self.assertFalse((site.folder / "points.sedge").exists())
            told = json.loads(self.run_import(site, "--line", line, "--place", "hall", "--json").stdout)
            self.assertEqual((told["points"], told["devices"], told["written"]),
                             (7, ["hall.meter_1", "hall.heater"], False))
            (site.folder / "points.sedge").write_text("// my own words\n")
            done = self.run_import(site, "--line", line, "--place", "hall", "--every", "50ms", "--write")
            self.assertEqual(done.returncode, 0, done.stderr)
            text = (site.folder / "points.sedge").read_text()
            self.assertTrue(text.startswith("// my own words\n\n// Points of points.csv"), text)
            self.assertIn("// sum; all phases", text)
            fill(plc)
            site.start()
            value(site, "hall.meter_1.power", 61.5)
            value(site, "hall.meter_1.energy", 123.4)
            value(site, "hall.heater.temp", -5.5)
            command(site, "hall.heater", "start")
            value(site, "hall.heater.on", True)
            command(site, "hall.heater", "set_target", {"value": 20})
            plc.wrote(4, "holding", 20, 40)
            value(site, "hall.heater.target", 20)
            again = self.run_import(site, "--line", line, "--place", "hall", "--write")
            self.assertEqual(again.returncode, 1)
            self.assertIn("the site has a device hall.meter_1 already", again.stderr)
            self.assertEqual((site.folder / "points.sedge").read_text(), text)

    @unittest.skipUnless(os.geteuid() == 0, "only root changes files of others")
    def test_root_leaves_files_with_their_owner(self):
        """`sudo sedge import`: the service must still be able to read, and to change, what it could before."""
        with Site(text=HEAD) as site:
            (site.root / "points.csv").write_text("name,address,type\npower,30001,u16\n")
            where = site.root / "elsewhere.sedge"
            where.write_text("// of the service\n")
            where.chmod(0o640)
            (site.folder / "points.sedge").symlink_to(where)
            for path in (site.folder, where, site.folder / "site.sedge"):
                os.chown(path, 1234, 1235)
            args = ("--line", "tcp://127.0.0.1:1", "--place", "hall", "--write")
            done = self.run_import(site, *args, "--into", "points.sedge")
            self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
            self.assertTrue((site.folder / "points.sedge").is_symlink())
            st = where.stat()
            self.assertEqual((st.st_uid, st.st_gid, st.st_mode & 0o777), (1234, 1235, 0o640))
            self.assertIn("// of the service", where.read_text())
            where.write_text("")
            done = self.run_import(site, *args, "--into", "new.sedge")
            self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
            st = (site.folder / "new.sedge").stat()
            self.assertEqual((st.st_uid, st.st_gid), (1234, 1235))

    def test_a_file_that_changes_meanwhile_is_left_alone(self):
        """The site has been read when the table is opened; here it is a pipe, so the moment between can be held."""
        with Site(text=HEAD) as site:
            os.mkfifo(site.root / "points.csv")
            (site.folder / "points.sedge").write_text("// old\n")
            done = []
            for args, changed in (("--write",), "points.sedge"), ((), None):
                thread = threading.Thread(target=lambda a=args: done.append(self.run_import(site, "--line", "tcp://127.0.0.1:1", *a)))
                thread.start()
                with open(site.root / "points.csv", "w", encoding="utf-8") as table:
                    if changed:
                        (site.folder / changed).write_text("// mine by now\n")
                    table.write("name,address,type\npower,30001,u16\n")
                thread.join()
            self.assertEqual((done[0].returncode, done[1].returncode), (2, 0), done[0].stderr + done[1].stderr)
            self.assertIn("points.sedge was changed meanwhile: look at it again", done[0].stderr)
            self.assertEqual((site.folder / "points.sedge").read_text(), "// mine by now\n")
            self.assertEqual(sorted(p.name for p in site.folder.iterdir()), ["points.sedge", "site.sedge"])

    def test_mistakes_are_told_with_line_and_column(self):
        with Site(text=HEAD) as site:
            (site.root / "points.csv").write_text(TABLE.replace("float32", "float33").replace("4;2;", "9;2;"))
            done = self.run_import(site, "--line", "tcp://127.0.0.1:502", "--write")
            self.assertEqual(done.returncode, 1)
            self.assertIn("points.csv:2: error: column F (Type): `float33`", done.stderr)
            self.assertIn("points.csv:3: error: column D (Function): `9`", done.stderr)
            self.assertEqual([p.name for p in site.folder.iterdir()], ["site.sedge"])
            swapped = subprocess.run([SEDGE, "import", site.folder, site.root / "points.csv"],
                                     capture_output=True, text=True, timeout=60)
            self.assertEqual(swapped.returncode, 2)
            self.assertIn("is a folder: first comes the table, then the site", swapped.stderr)
            (site.root / "points.csv").write_text("name,address\nx,1\n")
            named = self.run_import(site, "--line", "tcp://127.0.0.1:502", "--device", "Energiezähler", "--place", "Halle 3")
            self.assertIn("device halle_3.energiezaehler: Energiezaehler {", named.stdout, named.stderr)
            for args in (["--line", "http://x"], ["--device", "/"], ["--unit", "300"], ["--into", "../x.sedge"], []):
                self.assertIn(self.run_import(site, *args).returncode, (1, 2), args)


if __name__ == "__main__":
    unittest.main(verbosity=2)
