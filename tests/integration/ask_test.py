# ctest: timeout=120
"""What is asked of a site that runs: `sedge reload`, `sedge alerts`, `sedge actions`."""

import json
import subprocess
import tempfile
import unittest

from sedge_site import SEDGE, Site, wait_until

TEXT = """site "t"
server { mqtt 127.0.0.1:@MQTT@; http 127.0.0.1:@HTTP@; store "data" }
model Oven { property temperature: °C; property level: int; action heat(to: °C) confirms temperature > 20 °C; action off() confirms temperature < 20 °C; safe off() }
device kitchen.oven: Oven { via mqtt "oven" json }
program guard {
  own oven: Oven = kitchen.oven
  read temp: °C = kitchen.oven.temperature stale 1h
  when temp > 80 °C { oven.heat(21 °C); alert critical "too hot: {temp} \\u{1B}[31m" }
}
"""


class Ask(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = cls.enterClassContext(Site(text=TEXT))
        cls.site.start()

    def sedge(self, *args, folder=True):
        words = [SEDGE, args[0], *([self.site.folder] if folder else []), *args[1:]]
        return subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=60, cwd=self.site.folder)

    def say(self, payload):
        subprocess.run([SEDGE, "pub", "-p", str(self.site.mqtt_port), "-q", "1", "-t", "oven", "-m", payload], check=True,
                       timeout=60)

    def test_1_nothing_has_happened(self):
        self.assertEqual(self.sedge("alerts").stdout, "there is no alert\n")
        self.assertEqual(self.sedge("alerts", "--all").stdout, "there has been no alert\n")
        self.assertEqual(self.sedge("actions").stdout, "nothing was commanded\n")
        self.assertEqual(json.loads(self.sedge("actions", "--json").stdout), {"actions": []})
        self.assertEqual(self.sedge("alerts", folder=False).stdout, "there is no alert\n")

    def test_2_what_was_commanded_and_why(self):
        self.say('{"temperature": 85}')
        done = wait_until(lambda: "confirmed" in self.sedge("actions").stdout and self.sedge("actions"), what="the action")
        self.assertRegex(done.stdout, r"^\d\d:\d\d:\d\d  kitchen.oven.heat\(to: 21\): confirmed after \d+\.\d s\n"
                                      r"          by guard, line 8: when temp > 80 °C\n"
                                      r"          as kitchen.oven.temperature was 85 °C at \d\d:\d\d:\d\d\n$")
        self.assertEqual(self.sedge("actions", "--device", "other").stdout, "nothing was commanded\n")
        self.assertEqual(self.sedge("actions", "--device", "x", "--json").returncode, 2)
        listed = json.loads(self.sedge("actions", "--json", "--limit", "1").stdout)["actions"]
        self.assertEqual([a["device"] for a in listed], ["kitchen.oven"])

    def test_3_an_alert_is_acknowledged(self):
        shown = self.sedge("alerts").stdout
        self.assertIn("critical  too hot: 85 °C \\x1B[31m\n      unacknowledged\n", shown)  # no escape reaches a terminal
        self.assertNotIn("\033", shown)
        number = int(shown.split()[0])
        done = self.sedge("alerts", "--acknowledge", number, "--by", "Ada \"A\"")
        self.assertIn('acknowledged by Ada "A"', done.stdout)
        again = self.sedge("alerts", "--acknowledge", number)
        self.assertEqual(again.returncode, 1)
        self.assertIn("is acknowledged already", again.stderr)
        self.assertEqual(self.sedge("alerts", "--acknowledge", "4711").returncode, 1)
        self.assertEqual(self.sedge("alerts", "--acknowledge", "x").returncode, 2)
        self.assertEqual(self.sedge("alerts", "--by", "x").returncode, 2)
        shelved = self.sedge("alerts", "--shelve", number, "--for", "2h", "--why", "new bearings at noon", "--by", "Ada")
        self.assertRegex(shelved.stdout, r"shelved until (\d\d\d\d-\d\d-\d\d )?\d\d:\d\d:\d\d by Ada: new bearings at noon\n$")
        self.assertIn("new bearings at noon", self.sedge("alerts").stdout)
        self.assertNotIn("shelved", self.sedge("alerts", "--unshelve", number).stdout)
        self.assertEqual(self.sedge("alerts", "--unshelve", number).returncode, 1)
        for wrong in (["--shelve", number], ["--shelve", number, "--for", "x", "--why", "y"], ["--for", "2h"],
                      ["--shelve", number, "--unshelve", number, "--for", "2h", "--why", "y"]):
            self.assertEqual(self.sedge("alerts", *wrong).returncode, 2, wrong)
        self.assertEqual(json.loads(self.sedge("alerts", "--json").stdout)["alerts"][0]["acknowledged_by"], 'Ada "A"')
        shelved = self.sedge("alerts", "--shelve", number, "--for", "30min", "--why", "new seal", "--by", "Bob")
        self.assertRegex(shelved.stdout, r"\n      acknowledged by Ada \"A\", shelved until .* by Bob: new seal\n$")
        self.assertEqual(self.sedge("alerts", "--shelve", number, "--for", "8d", "--why", "x").returncode, 1)
        self.assertNotIn("shelved", self.sedge("alerts", "--unshelve", number).stdout)
        self.assertEqual(self.sedge("alerts", "--unshelve", number).returncode, 1)
        for wrong in (["--shelve", number], ["--shelve", number, "--for", "1", "--why", "x"], ["--for", "1h"],
                      ["--shelve", number, "--unshelve", number]):
            self.assertEqual(self.sedge("alerts", *wrong).returncode, 2, wrong)

    def test_4_a_changed_site_is_taken(self):
        declared = self.site.folder / "site.sedge"
        files = list(self.site.folder.glob("*.sedge"))
        self.assertIn(declared, files)
        declared.write_text(declared.read_text().replace("too hot", "much too hot"))
        done = self.sedge("reload")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("taken: 0 errors", done.stdout)
        self.assertEqual(json.loads(self.sedge("reload", "--json").stdout)["result"], "taken")
        good = declared.read_text()
        declared.write_text(good.replace("80 °C", "80 bar"))
        refused = self.sedge("reload")
        self.assertEqual((refused.returncode, refused.stdout), (1, ""))
        self.assertIn("error[U1]", refused.stderr)
        url = f"http://127.0.0.1:{self.site.http_port}"
        by_url = self.sedge("reload", "--url", url, folder=False)
        self.assertEqual(by_url.returncode, 1)
        self.assertIn("error[U1]", by_url.stderr)
        self.assertIn("server {", good)
        declared.write_text(good.replace("server {", "server { workers 2;"))  # no mistake, but not while it runs
        refused = self.sedge("reload")
        self.assertEqual((refused.returncode, refused.stdout), (1, ""))
        self.assertIn("workers", refused.stderr)
        declared.write_text(good)

    def test_5_export(self):
        self.say('{"ts": 1764000000000, "values": {"temperature": 20.5, "level": 3}}')
        header, line = "series,time,value,unit\n", "kitchen.oven.temperature,2025-11-24T16:00:00.000Z,20.5,°C\n"
        early = ["--from", "2025-11-24T15:00Z", "--to", "2025-11-24T17:00Z"]
        done = wait_until(lambda: "20.5" in self.sedge("export", "kitchen.oven.temperature", *early).stdout
                          and self.sedge("export", "kitchen.oven.temperature", *early), what="the sample")
        self.assertEqual((done.stdout.replace("\r", ""), done.returncode), (header + line, 0))
        for names in ([], ["kitchen.oven"], ["kitchen.oven.level", "kitchen.oven.temperature"]):
            rows = self.sedge("export", *names, *early).stdout.replace("\r", "").splitlines()
            self.assertEqual(len(rows), 3, rows)
        lines = self.sedge("export", "kitchen.oven.level", "--json", *early).stdout.splitlines()
        self.assertEqual(json.loads(lines[0])["value"], 3)
        windows = self.sedge("export", "kitchen.oven.level", "--window", "1h", *early).stdout.replace("\r", "").splitlines()
        self.assertEqual(windows[1], "kitchen.oven.level,2025-11-24T16:00:00.000Z,1,3,3,3,")
        wrong = self.sedge("export", "kitchen.stove", "-o", "out.csv")
        self.assertEqual((wrong.returncode, (self.site.folder / "out.csv").exists()), (1, False))
        self.assertIn("there is no series kitchen.stove", wrong.stderr)
        full = self.site.folder / "full"
        full.symlink_to("/dev/full")
        self.assertEqual(self.sedge("export", "-o", full).returncode, 1)
        self.assertTrue(full.is_symlink())  # what is no file is neither removed nor replaced
        self.assertFalse(full.with_name("full.part").exists())
        self.assertEqual(self.sedge("export", "--from", "tomorrow").returncode, 2)
        self.assertEqual(self.sedge("export", "--window", "15").returncode, 2)
        self.assertEqual(self.sedge("export", folder=False).returncode, 0)  # the site of this folder

    def test_6_nobody_answers(self):
        with Site(text=TEXT) as other:
            done = subprocess.run([SEDGE, "alerts", other.folder], capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("sedge alerts: ", done.stderr)
        with tempfile.TemporaryDirectory() as empty:
            done = subprocess.run([SEDGE, "discover", "hall"], capture_output=True, text=True, timeout=60, cwd=empty)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("there is no site hall", done.stderr)


unittest.main()
