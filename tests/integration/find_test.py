"""A command finds the site that it is told, and no other: with errors in its files, after a crash, with another site at
the same address."""

import json
import subprocess
import unittest

from sedge_site import SEDGE, Site, wait_until

SERVER = """server {
  mqtt 127.0.0.1:@MQTT@
  http 127.0.0.1:@HTTP@
  store "kept/here"   // not the usual one
}
"""


def site(name, **more):
    return Site(files={"a.sedge": f'site "{name}"\n' + SERVER, "b.sedge": "model M { property v: float }\n"}, **more)


def sedge(*args):
    return subprocess.run([SEDGE, *map(str, args)], capture_output=True, text=True, timeout=60)


class Find(unittest.TestCase):
    def setUp(self):
        self.site = site("one")
        self.addCleanup(self.site.close)
        self.folder = self.site.folder
        self.store = self.folder / "kept" / "here"
        self.store.parent.mkdir()

    def alerts(self, *args):
        return sedge("alerts", *args or [self.folder])

    def record(self):
        return (self.store / "lock").read_text()

    def test_files_with_errors_are_no_hindrance(self):
        self.site.start()
        wait_until(self.record)
        for name, text in {"b.sedge": "model M { property",
                           "a.sedge": "server { mqtt nowhere\n http also nowhere\n store \"kept/here\" {\n"}.items():
            (self.folder / name).write_text(text)
            got = self.alerts()
            self.assertEqual((got.returncode, got.stdout, got.stderr), (0, "there is no alert\n", ""))
        got = sedge("reload", self.folder)  # the site itself says what is wrong
        self.assertEqual(got.returncode, 1)
        self.assertIn("a.sedge:1", got.stdout + got.stderr)
        self.site.stop()
        self.assertEqual(self.record(), "")
        got = self.alerts()
        self.assertEqual(got.returncode, 1)
        self.assertIn("does not seem to run, and has errors", got.stderr)

    def other(self, name):
        """Another site with the same address."""
        other = site(name)
        self.addCleanup(other.close)
        other.mqtt_port, other.http_port = self.site.mqtt_port, self.site.http_port
        other.write("a.sedge", f'site "{name}"\n' + SERVER)
        (other.folder / "kept").mkdir()
        return other

    def test_another_site_at_its_address_is_not_taken_for_it(self):
        other = self.other("one")  # of the same name even
        other.start()
        got = self.alerts()
        self.assertEqual((got.returncode, got.stdout), (1, ""))
        self.assertIn(f"does not run: its address, {other.page}, is answered by another program; --url {other.page} asks that one",
                      got.stderr)
        self.assertEqual(self.alerts("--url", other.page).returncode, 0)
        self.assertEqual(self.alerts(other.folder).returncode, 0)

    def test_after_a_crash_the_record_is_no_proof(self):
        self.site.start()
        run = json.loads(wait_until(self.record))["run"]
        self.site.kill()
        self.assertIn(run, self.record())
        got = self.alerts()
        self.assertEqual(got.returncode, 1)
        self.assertIn("does the site run?", got.stderr)
        other = self.other("two")
        other.start()
        got = self.alerts()
        self.assertEqual((got.returncode, got.stdout), (1, ""))
        self.assertIn("does not run any more", got.stderr)
        other.stop()
        self.site.start()
        self.assertEqual(self.alerts().returncode, 0)
        self.assertNotEqual(json.loads(wait_until(self.record))["run"], run)

    def test_a_program_that_is_no_site(self):
        """Somebody else's HTTP server has the address."""
        child = self.site.spawn(["/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1", str(self.site.http_port)])
        wait_until(lambda: "answered by another program" in self.alerts().stderr or not child.alive())
        self.assertTrue(child.alive())


if __name__ == "__main__":
    unittest.main()
