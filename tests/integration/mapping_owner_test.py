# ctest: timeout=120
"""Who may command a mapped device: several declarations of one thing, and what was retained for it before it was owned."""

import subprocess
import unittest

from sedge_site import SEDGE, Site, wait_until

HOME = """site "home"
server { mqtt 127.0.0.1:@MQTT@; http 127.0.0.1:@HTTP@; store "data" }
model Plug { property lit: bool; action on() confirms lit; action off() confirms not lit; safe off() }
device home.fan: Plug {
  property lit on "stat/fan/POWER"
  action on()  publish "cmnd/fan/POWER" "ON" retain
  action off() publish "cmnd/fan/POWER" "OFF" retain
}
device home.old_fan: Plug {
  property lit on "stat/fan/POWER"
  action on()  publish "cmnd/fan/POWER" "ON" retain
  action off() publish "cmnd/fan/POWER" "OFF" retain
}
"""
OWNER = """program p {
  own fan: Plug = home.fan
  on home.panel.pressed { fan.on() }
}
model Panel { event pressed }
device home.panel: Panel { event pressed on "panel" is "go" }
"""
REMOVED = "the retained message on cmnd/fan/POWER is removed: home.fan is owned by p"


class Owners(unittest.TestCase):
    def setUp(self):
        self.site = Site(text=HOME)
        self.addCleanup(self.site.close)

    def device(self, name):
        return next(d for d in self.site.get("/api/site")["devices"] if d["name"] == name)

    def restart(self, text):
        self.site.stop()
        self.site.write("site.sedge", text)
        self.site.start()

    def retained(self):
        done = subprocess.run([SEDGE, "sub", "-p", str(self.site.mqtt_port), "-t", "cmnd/fan/POWER", "-C", "1", "-W", "20"],
                              capture_output=True, text=True, timeout=60)
        return done.stdout.strip()

    def last_action(self):
        return (self.site.get("/api/actions")["actions"] or [None])[0]

    def press(self):
        self.site.publish("panel", "go")
        wait_until(lambda: (self.last_action() or {}).get("state") == "sent", what="the command")
        self.site.publish("stat/fan/POWER", "ON")
        wait_until(lambda: self.last_action()["state"] == "confirmed")

    def test_what_was_retained_before_there_was_an_owner(self):
        self.site.start()
        self.site.publish("cmnd/fan/POWER", "ON", "-r")
        self.assertEqual(self.retained(), "ON")
        self.restart(HOME + OWNER)
        self.assertIn(REMOVED, self.site.process.text())
        self.press()
        self.restart(HOME + OWNER + "// the same")
        self.assertNotIn("is removed", self.site.process.text())
        self.assertEqual(self.retained(), "ON")  # the owner's last

    def test_what_was_retained_before_a_reload_brought_an_owner(self):
        self.site.start()
        self.site.publish("cmnd/fan/POWER", "ON", "-r")
        self.site.write("site.sedge", HOME + OWNER)
        self.assertEqual(self.site.request("/api/reload", {})[0], 200)
        wait_until(lambda: REMOVED in self.site.process.text(), what="its removal")
        self.press()
        self.assertEqual(self.site.request("/api/reload", {})[0], 200)
        self.assertEqual(self.retained(), "ON")

    def test_the_owner_s_last_command_stays_when_it_says_another_declaration(self):
        self.site.write("site.sedge", HOME + OWNER)
        self.site.start()
        self.press()
        self.site.write("site.sedge", HOME + OWNER.replace("home.fan", "home.old_fan"))
        self.assertEqual(self.site.request("/api/reload", {})[0], 200)
        self.assertEqual(self.retained(), "ON")
        self.restart(HOME + OWNER)
        self.assertEqual(self.retained(), "ON")
        self.assertEqual(self.last_action()["action"], "on")  # it has never been let go of

    def test_another_declaration_is_no_way_past_the_owner(self):
        self.site.write("site.sedge", HOME + OWNER)
        self.site.start()
        self.assertEqual([self.device(n)["owner"] for n in ("home.fan", "home.old_fan", "home.panel")], ["p", "p", None])
        status, told = self.site.request("/api/devices/home.old_fan/actions/on", {"by": "Ada"})
        self.assertEqual(status, 202, told)
        self.assertEqual(self.device("home.fan")["lease"]["holder"], "Ada")  # it is the fan that she has
        self.assertEqual(self.device("home.old_fan")["lease"]["holder"], "Ada")
        status, _ = self.site.request("/api/devices/home.old_fan/lease", method="DELETE")
        self.assertEqual(status, 204)
        wait_until(lambda: self.device("home.fan")["lease"] is None, what="the end of the lease")


if __name__ == "__main__":
    unittest.main(verbosity=2)
