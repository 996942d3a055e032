# ctest: timeout=180
"""The Debian package and the unit of the service, as far as no root is needed. `make deb-test` installs it in a clean Debian."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from sedge_site import ROOT, SEDGE, Site, wait_until

BUILD = pathlib.Path(os.environ.get("SEDGE_BUILD", pathlib.Path(SEDGE).parent))
SITE = 'site "t"\nserver { mqtt 127.0.0.1:@MQTT@\n http 127.0.0.1:@HTTP@\n store "data" }\n'


def run(*command, check=True, **kwargs):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, check=False,
                          stdin=subprocess.DEVNULL, **kwargs)
    if check and done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("dpkg-shlibdeps"):
            raise unittest.SkipTest("there is no dpkg-dev")
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="sedge-deb-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.deb = pathlib.Path(run(ROOT / "tools/deb", BUILD, cls.folder).stdout.strip())
        cls.root = cls.folder / "root"
        run("dpkg-deb", "-x", cls.deb, cls.root)
        run("dpkg-deb", "-e", cls.deb, cls.folder / "control")

    def test_what_is_in_it(self):
        files = {str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()}
        self.assertLessEqual({"usr/bin/sedge", "lib/systemd/system/sedge.service", "etc/default/sedge", "usr/share/sedge/site/site.sedge",
                              "usr/share/doc/sedge/copyright", "usr/share/doc/sedge/changelog.Debian.gz"}, files)
        self.assertFalse([name for name in files if name.startswith(("usr/local", "usr/include", "var"))])
        self.assertIn("sedge", run(self.root / "usr/bin/sedge", "--version").stdout)

    def test_the_same_sources_give_the_same_bytes(self):
        again = run(ROOT / "tools/deb", BUILD, self.folder / "again").stdout.strip()
        self.assertEqual(self.deb.read_bytes(), pathlib.Path(again).read_bytes())

    def test_control(self):
        fields = run("dpkg-deb", "-f", self.deb).stdout
        for word in ("libsqlite3-0", "liburing2", "libssl3", "adduser", "Version: 0."):
            self.assertIn(word, fields)
        self.assertNotIn("@", fields.replace("<sedge@", ""))
        for script in ("postinst", "prerm", "postrm", "config"):
            run("sh", "-n", self.folder / "control" / script)
        self.assertEqual((self.folder / "control/conffiles").read_text(), "/etc/default/sedge\n")

    @unittest.skipUnless(shutil.which("lintian"), "there is no lintian")
    def test_lintian_finds_no_errors(self):
        done = run("lintian", "--fail-on", "error", "--allow-root", self.deb, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_the_first_site(self):
        run(SEDGE, "check", self.root / "usr/share/sedge/site")
        text = (self.root / "usr/share/sedge/site/site.sedge").read_text()
        self.assertEqual(re.findall(r"^  (?:mqtt|http) (\S+):", text, re.M), ["127.0.0.1", "127.0.0.1"])
        self.assertIn('store "/var/lib/sedge"', text)


@unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze")
class Unit(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sedge-unit-"))
        self.addCleanup(shutil.rmtree, self.folder)
        run("cmake", "--install", BUILD, "--prefix", "/usr", "--component", "service", env={**os.environ, "DESTDIR": str(self.folder)})
        self.unit = self.folder / "usr/lib/systemd/system/sedge.service"

    def test_systemd_takes_it(self):
        self.assertIn("ExecStart=/usr/bin/sedge run $SEDGE_OPTIONS /etc/sedge/site", self.unit.read_text())
        for name in ("sedge.service", "sedge-backup.service", "sedge-backup.timer"):
            with self.subTest(name):
                unit = self.unit.with_name(name)
                unit.write_text(unit.read_text().replace("/usr/bin/sedge", str(pathlib.Path(SEDGE).resolve())))
                done = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit, check=False)
                self.assertEqual((done.returncode, [line for line in done.stderr.splitlines() if "sedge" in line]), (0, []))

    def test_it_is_locked_up(self):
        for name in ("sedge.service", "sedge-backup.service"):
            done = run("systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", self.unit.with_name(name), check=False)
            self.assertEqual(done.returncode, 0, done.stdout)  # an exposure of 2.0 at most, of 10

    @unittest.skipUnless(shutil.which("strace"), "there is no strace")
    def test_its_filter_lets_through_what_sedge_calls(self):
        allowed = self.allowed()
        self.assertIn("io_uring_enter", allowed)
        self.assertNotIn("mount", allowed)
        for driver in ("io_uring", "epoll"):
            with self.subTest(driver=driver), Site(text=SITE) as site:
                trace = self.folder / driver
                site.process = site.spawn(["strace", "-f", "-qq", "-o", trace, SEDGE, "run", site.folder, "--driver", driver, "--workers", "2"],
                                          env={"NOTIFY_SOCKET": "@nobody"})
                wait_until(lambda site=site: site.get("/health"))
                site.publish("a", "1", "-q", "1", "-r")
                site.get("/api/stats")
                self.signal(site, "HUP")
                wait_until(lambda site=site: site.get("/api/reload")["last"])
                self.signal(site, "TERM")
                site.process.wait()
                called = set(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.M))
                self.assertGreater(len(called), 20)
                as_root = {"fchown"} if os.geteuid() == 0 else set()  # SQLite gives its files to the database's owner then
                self.assertEqual(called - allowed - as_root, set(), "calls that the unit's SystemCallFilter refuses")

    @staticmethod
    def signal(site, name):
        children = pathlib.Path(f"/proc/{site.process.pid}/task/{site.process.pid}/children").read_text().split()
        run("kill", f"-{name}", *children)

    def allowed(self):
        """The calls that the unit's lines SystemCallFilter= let through."""
        names = set()
        for line in re.findall(r"^SystemCallFilter=(.*)$", self.unit.read_text(), re.M):
            calls = {call for word in line.lstrip("~").split() for call in self.expand(word)}
            names = names - calls if line.startswith("~") else names | calls
        return names

    def expand(self, word):
        if not word.startswith("@"):
            return {word}
        lines = run("systemd-analyze", "syscall-filter", word).stdout.splitlines()[1:]
        words = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
        return {call for inner in words for call in self.expand(inner)}


if __name__ == "__main__":
    unittest.main()
