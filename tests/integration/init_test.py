# ctest: timeout=180
"""`sedge init`: every kind of site for every network is accepted and passes its tests; the questions on a terminal; what
is refused, and leaves nothing behind; a site for the network lets in who has the password, and nobody else."""

import json
import os
import pathlib
import pty
import re
import resource
import select
import signal
import subprocess
import tempfile
import unittest

from sedge_site import SEDGE, Process, free_ports, wait_until

KINDS = {"factory": 4, "home": 3, "farm": 4, "empty": 0}  # and how many tests they have
NETWORKS = ["local", "tls", "plain"]


def sedge(*args, **kwargs):
    return subprocess.run([SEDGE, *map(str, args)], capture_output=True, text=True, timeout=60,
                          **{"stdin": subprocess.DEVNULL, **kwargs})


class Terminal:
    """A program on a terminal: what it shows, and what somebody types."""

    def __init__(self, *words, cwd):
        ours, theirs = pty.openpty()
        self.process = subprocess.Popen([SEDGE, *words], stdin=theirs, stdout=theirs, stderr=theirs, cwd=cwd,
                                        start_new_session=True)
        os.close(theirs)
        self.terminal, self.shown = ours, ""

    def read(self):
        """False at its end."""
        if not select.select([self.terminal], [], [], 30)[0]:
            raise AssertionError(f"nothing comes any more: {self.shown}")
        try:
            block = os.read(self.terminal, 4096)
        except OSError:  # how Linux says that nobody has the other end open
            return False
        self.shown += block.decode()
        return bool(block)

    def answer(self, question, text):
        seen = len(self.shown)
        while question not in self.shown[seen:] and question not in self.shown[-200:]:
            if not self.read():
                raise AssertionError(f"{question!r} was not asked: {self.shown}")
        self.shown += "\0"  # the next question is looked for behind it
        os.write(self.terminal, text.encode())

    def end(self):
        while self.read():
            pass
        os.close(self.terminal)
        return self.process.wait(30)


class Init(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="sedge-init-")))

    def test_every_site_is_accepted_and_passes_its_tests(self):
        for kind, tests in KINDS.items():
            for network in NETWORKS:
                with self.subTest(kind=kind, network=network):
                    name = f"{kind}-{network}"
                    done = sedge("init", name, "--kind", kind, "--network", network, "--yes", cwd=self.folder)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    site = self.folder / name
                    checked = json.loads(sedge("check", site, "--json").stdout)
                    self.assertEqual((checked["errors"], checked["warnings"]), (0, 0), checked)
                    played = sedge("test", site, "--json")
                    self.assertEqual((played.returncode, json.loads(played.stdout)["run"]), (0, tests), played.stdout)
                    for file in re.findall(r"^  ([\w./]+\.\w+|users|\.gitignore) +\S", done.stdout, re.M):
                        self.assertTrue((site / file).is_file(), file)
                    self.assertIn(f"  sedge test {name}\n", done.stdout)

    def test_secrets_are_for_the_owner_only(self):
        sedge("init", "s", "--network", "tls", "--yes", cwd=self.folder)
        for name in ("users", "tls/ca.key", "tls/server.key"):
            self.assertEqual((self.folder / "s" / name).stat().st_mode & 0o777, 0o600, name)
        ignored = (self.folder / "s/.gitignore").read_text().split()
        self.assertTrue({"/data/", "/users", "/tls/*.key"} <= set(ignored))
        checked = subprocess.run(["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "localhost",
                                  "-CAfile", self.folder / "s/tls/ca.pem", self.folder / "s/tls/server.pem"],
                                 capture_output=True, text=True, timeout=60)
        self.assertEqual(checked.returncode, 0, checked.stderr)

    def test_names(self):
        for name in ('Halle "Nord" {7}', "back\\slash", "Ünïcode 厂"):
            with self.subTest(name):
                folder = self.folder / str(abs(hash(name)))
                self.assertEqual(sedge("init", folder, "--name", name, "--yes").returncode, 0)
                self.assertEqual(sedge("check", folder).returncode, 0)
        here = self.folder / "here"
        here.mkdir()
        self.assertEqual(sedge("init", ".", "--yes", cwd=here).returncode, 0)
        self.assertIn('site "here"', (here / "site.sedge").read_text())
        for name in ("", "a\nb", "x" * 65, " x"):
            self.assertEqual(sedge("init", self.folder / "no", "--name", name, "--yes").returncode, 2)

    def test_refused(self):
        full = self.folder / "full"
        full.mkdir()
        (full / "notes.txt").write_text("mine")
        (self.folder / "file").write_text("")
        cases = [
            (["full", "--yes"], 1, "full is not empty: it holds notes.txt"),
            (["file", "--yes"], 1, "file is a file; a site is a folder"),
            (["no/such/place", "--yes"], 1, "no/such/place can't be made: No such file or directory"),
            (["new"], 2, "there is no terminal to ask on"),
            (["new", "--kind", "farn"], 2, "--kind is factory, home, farm or empty, not 'farn'"),
            (["new", "--network", "wifi", "--yes"], 2, "--network is local, tls or plain, not 'wifi'"),
            ([], 2, "FOLDER is missing"),
        ]
        for args, code, text in cases:
            with self.subTest(args=args):
                done = sedge("init", *args, cwd=self.folder)
                self.assertEqual((done.returncode, done.stdout), (code, ""))
                self.assertIn(text, done.stderr)
        self.assertEqual(sorted(p.name for p in self.folder.rglob("*")), ["file", "full", "notes.txt"])

    def test_a_repository_may_be_there(self):
        (self.folder / "site/.git").mkdir(parents=True)
        self.assertEqual(sedge("init", "site", "--yes", cwd=self.folder).returncode, 0)

    def test_a_full_disk_leaves_nothing(self):
        def no_large_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))

        done = sedge("init", "site", "--kind", "factory", "--yes", cwd=self.folder, preexec_fn=no_large_files)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("can't be written: File too large", done.stderr)
        self.assertEqual(list(self.folder.iterdir()), [])


class Questions(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="sedge-init-")))

    def test_answered(self):
        t = Terminal("init", "hall", cwd=self.folder)
        t.answer("called? [hall] ", "North hall\n")
        t.answer("[home] ", "fram\n")
        t.answer("did you mean farm?\r\n   [home] ", "farm\n")
        t.answer("[local] ", "3\n")
        self.assertEqual(t.end(), 0, t.shown)
        text = (self.folder / "hall/site.sedge").read_text()
        self.assertIn('site "North hall"', text)
        self.assertIn("insecure", text)
        self.assertTrue((self.folder / "hall/water.sedge").exists())
        password = re.search(r"\n  (\w{4}-\w{4}-\w{4}-\w{4})\r\n", t.shown)
        self.assertTrue(password, t.shown)

    def test_enter_takes_what_stands_in_brackets(self):
        t = Terminal("init", "hall", cwd=self.folder)
        for question in ("[hall] ", "[home] ", "[local] "):
            t.answer(question, "\n")
        self.assertEqual(t.end(), 0, t.shown)
        other = sedge("init", self.folder / "other", "--name", "hall", "--yes")
        self.assertEqual(other.returncode, 0)
        for path in (self.folder / "other").iterdir():
            self.assertEqual(path.read_text(), (self.folder / "hall" / path.name).read_text())

    def test_flags_are_not_asked_for(self):
        t = Terminal("init", "hall", "--name", "x", "--network", "local", cwd=self.folder)
        t.answer("[home] ", "empty\n")
        self.assertEqual(t.end(), 0, t.shown)
        self.assertNotIn("called?", t.shown)

    def test_nobody_answers(self):
        t = Terminal("init", "hall", cwd=self.folder)
        t.answer("[hall] ", "\n")
        t.answer("[home] ", "\x04")  # Ctrl-D
        self.assertEqual(t.end(), 1, t.shown)
        self.assertIn("no answer; nothing is written", t.shown)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_folder_that_is_not_empty_is_told_before_the_questions(self):
        (self.folder / "hall").mkdir()
        (self.folder / "hall/a").write_text("")
        t = Terminal("init", "hall", cwd=self.folder)
        self.assertEqual(t.end(), 1)
        self.assertNotIn("called?", t.shown)


class Networks(unittest.TestCase):
    """The site that was written, on other ports."""

    def site(self, network):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="sedge-init-"))) / "hall"
        done = sedge("init", folder, "--network", network, "--yes")
        password = re.search(r"\n  (\w{4}-\w{4}-\w{4}-\w{4})\n", done.stdout).group(1)
        ports = free_ports(3)
        text = (folder / "site.sedge").read_text().replace("0.0.0.0:", "127.0.0.1:")
        for default, port in zip(("1883", "8883" if network == "tls" else "1884", "8080"), ports):
            text = text.replace(f"127.0.0.1:{default}\n", f"127.0.0.1:{port}\n").replace(f"127.0.0.1:{default} ", f"127.0.0.1:{port} ")
        (folder / "site.sedge").write_text(text)
        run = Process([SEDGE, "run", folder])
        self.addCleanup(run.stop)
        wait_until(lambda: "page  http://" in run.text(), what="the site's page")
        return folder, password, ports

    def publish(self, port, *options):
        return sedge("pub", "-p", port, "-t", "home/bath/climate", "-m", "{}", *options).returncode

    def test_tls(self):
        folder, password, (plain, encrypted, _) = self.site("tls")
        believed = ["-h", "localhost", "--cafile", folder / "tls/ca.pem", "-q", "1", "-u", "device"]
        self.assertEqual(self.publish(encrypted, *believed, "-P", password), 0)
        self.assertNotEqual(self.publish(encrypted, *believed, "-P", "wrong"), 0)
        self.assertNotEqual(self.publish(encrypted), 0)
        self.assertEqual(self.publish(plain), 0)

    def test_plain(self):
        _, password, (asks, open_to_all, _) = self.site("plain")
        self.assertEqual(self.publish(asks, "-u", "device", "-P", password), 0)
        self.assertNotEqual(self.publish(asks, "-u", "device", "-P", "wrong"), 0)
        self.assertNotEqual(self.publish(asks), 0)
        self.assertEqual(self.publish(open_to_all), 0)


unittest.main()
