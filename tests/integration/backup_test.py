# ctest: timeout=180
"""`sedge backup` and `sedge restore`: while the site runs, through kill -9, verified, and what they refuse."""

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import unittest

import paho.mqtt.client as paho
from sedge_site import SEDGE, Process, Site, wait_until

SITE = 'site "plant 1"\nserver { mqtt 127.0.0.1:@MQTT@\n http 127.0.0.1:@HTTP@\n store "data" }\n'


def sedge(*args, code=0, **kwargs):
    done = subprocess.run([SEDGE, *map(str, args)], capture_output=True, text=True, timeout=100, stdin=subprocess.DEVNULL,
                          check=False, **kwargs)
    if code is not None and done.returncode != code:
        raise AssertionError(f"{args}: {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
    return done


def told(*args, **kwargs):
    return json.loads(sedge(*args, "--json", **kwargs).stdout)


class Publisher:
    """Publishes retained messages kept/N at QoS 1, one after the other; `acknowledged` is the last that was."""

    def __init__(self, site):
        self.acknowledged = -1
        self.stopping = False
        self.client = paho.Client("publisher", clean_session=True)
        self.client.connect("127.0.0.1", site.mqtt_port)
        self.client.loop_start()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        number = 0
        while not self.stopping:
            info = self.client.publish(f"kept/{number % 500}", f"{number} " + "x" * 200, qos=1, retain=True)
            try:
                info.wait_for_publish(20)
            except (ValueError, RuntimeError):
                return
            if not info.is_published():
                return
            self.acknowledged = number
            number += 1

    def stop(self):
        self.stopping = True
        self.thread.join(30)
        self.client.loop_stop()


def numbers(site):
    """The newest number that the site holds, of each topic."""
    seen = {}
    reader = paho.Client("reader")
    reader.on_message = lambda c, u, m: seen.__setitem__(m.topic, int(m.payload.split()[0]))
    reader.connect("127.0.0.1", site.mqtt_port)
    reader.subscribe([("kept/#", 1), ("end", 1)])
    reader.loop_start()
    ended = threading.Event()
    reader.message_callback_add("end", lambda *_: ended.set())
    site.publish("end", "1", "-q", "1")
    assert ended.wait(30)
    reader.loop_stop()
    return seen


class Running(unittest.TestCase):
    def test_what_was_acknowledged_before_is_in_it(self):
        """Backups while it publishes, one killed half-way; then the disk is lost by kill -9 and rm."""
        with Site(text=SITE) as site:
            site.start()
            publisher = Publisher(site)
            backups = []
            for i in range(3):
                wait_until(lambda i=i: publisher.acknowledged >= 200 * (i + 1))
                before = publisher.acknowledged
                if i == 1:  # one that does not come to its end leaves nothing
                    half = Process([SEDGE, "backup", site.folder, site.root / "half.tar.zst"])
                    half.kill()
                    self.assertFalse((site.root / "half.tar.zst").exists() and half.child.returncode != 0)
                made = told("backup", site.folder, site.root / f"{i}.tar.zst")
                self.assertTrue(made["running"])
                backups.append((site.root / f"{i}.tar.zst", before))
            publisher.stop()
            site.kill()
            for file, before in backups:
                self.assertIsNone(told("backup", "--verify", file)["finding"])
                sedge("restore", file, site.folder, "--force")
                site.start()
                held = numbers(site)
                want = {f"kept/{n % 500}": n for n in range(before + 1)}
                self.assertFalse([topic for topic, n in want.items() if held.get(topic, -1) < n])
                site.kill()

    def test_alerts_history_and_programs_come_back(self):
        """The factory's own state, by what the API tells before and behind."""
        with Site() as site:
            site.start()
            plant = site.simulate("--fault", "overheat", "--speed", "20")
            wait_until(lambda: site.get("/api/alerts?state=all")["alerts"], 60)
            plant.stop()
            alerts = site.get("/api/alerts?state=all")["alerts"]
            name = site.get("/api/site")["devices"][0]["name"]
            file = site.root / "b.tar.zst"
            sedge("backup", site.folder, file)
            site.kill()
            shutil.rmtree(site.folder)
            sedge("restore", file, site.folder)
            site.start()
            back = site.get("/api/alerts?state=all")["alerts"]
            self.assertLessEqual({a["id"] for a in alerts}, {a["id"] for a in back})
            self.assertEqual(site.get("/api/site")["devices"][0]["name"], name)


class Archive(unittest.TestCase):
    def setUp(self):
        self.site = Site(text=SITE.replace("127.0.0.1:@MQTT@", '127.0.0.1:@MQTT@ passwords "secret/users" anonymous'))
        self.addCleanup(self.site.close)
        (self.site.folder / "secret").mkdir()
        Process([SEDGE, "passwd", "-b", "-c", self.site.folder / "secret/users", "ann", "secret"]).wait()
        (self.site.folder / ".git").mkdir()
        (self.site.folder / ".git/config").write_text("not the site's")
        self.site.start()
        self.site.publish("kept/0", "1", "-q", "1", "-r")
        self.site.stop()
        self.file = self.site.root / "b.tar.zst"

    def test_ordinary_tools_open_it(self):
        made = told("backup", self.site.folder, self.file)
        self.assertFalse(made["running"])
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o600)
        where = self.site.root / "x"
        where.mkdir()
        if shutil.which("zstd"):
            subprocess.run(["tar", "--zstd", "-xf", self.file, "-C", where], check=True)
            names = {str(p.relative_to(where / "sedge-backup")) for p in where.rglob("*") if p.is_file()}
            self.assertLessEqual({"site/site.sedge", "site/secret/users", "data/sedge.db", "SHA256SUMS", "manifest.json"}, names)
            self.assertFalse([n for n in names if ".git" in n or "lock" in n])
            subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=where / "sedge-backup", check=True)
            self.assertEqual(json.loads((where / "sedge-backup/manifest.json").read_text())["site"], "plant 1")

    def test_a_folder_gets_names_and_keeps_some(self):
        folder = self.site.root / "backups"
        folder.mkdir()
        (folder / "plant_1-20200101T000000Z.tar.zst").write_text("old")
        (folder / "plant_1-20200102T000000Z.tar.zst").write_text("old")
        (folder / "plant_1-notes.txt").write_text("mine")
        (folder / f"plant_1-20200102T000000Z.tar.zst.part-{2**22 + 5}").write_text("of one that was killed")
        (folder / f"plant_1-20200102T000000Z.tar.zst.part-{os.getpid()}").write_text("of one that runs")
        made = told("backup", self.site.folder, folder, "--keep", "2")
        self.assertEqual(made["removed"], 2)
        (folder / f"plant_1-20200102T000000Z.tar.zst.part-{os.getpid()}").unlink()
        self.assertEqual(sorted(p.name for p in folder.iterdir()),
                         ["plant_1-20200102T000000Z.tar.zst", pathlib.Path(made["file"]).name, "plant_1-notes.txt"])

    def test_no_backup_holds_another(self):
        """In the site's own folder, which is where people keep them, each would be twice as large as the one before."""
        folder = self.site.folder / "backups"
        folder.mkdir()
        first = told("backup", self.site.folder, self.site.folder / "mine.bak")
        self.assertEqual(told("backup", self.site.folder, folder)["files"], first["files"])
        (folder / "half.tar.zst.part-1").write_bytes((self.site.folder / "mine.bak").read_bytes()[:100])
        (folder / "half.tar.zst.db-1").write_bytes((self.site.data / "sedge.db").read_bytes())
        self.assertEqual(told("backup", self.site.folder, self.site.folder / "mine.bak")["files"], first["files"])

    def test_a_broken_site_needs_its_data_named(self):
        self.site.write("broken.sedge", "device ???")
        self.assertIn("--data FOLDER", sedge("backup", self.site.folder, self.file, code=1).stderr)
        sedge("backup", self.site.folder, self.file, "--data", self.site.data)
        sedge("backup", "--verify", self.file)

    def test_damage_is_found(self):
        sedge("backup", self.site.folder, self.file)
        whole = self.file.read_bytes()
        for label, data in (("cut", whole[:-100]), ("half", whole[:len(whole) // 2]), ("empty", b""),
                            ("a bit", whole[:len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 4]) + whole[len(whole) // 2 + 1:]),
                            ("no backup", b"hello")):
            with self.subTest(label):
                self.file.write_bytes(data)
                sedge("backup", "--verify", self.file, code=1)
                sedge("restore", self.file, self.site.root / "new", code=1)
                self.assertFalse((self.site.root / "new").exists())
        self.assertEqual([p.name for p in self.site.root.iterdir() if p.name.startswith(".")], [])

    @unittest.skipUnless(shutil.which("zstd"), "there is no zstd")
    def test_who_forges_a_sum_is_found_by_the_contents(self):
        """A backup whose archive is sound, of a journal that is not."""
        sedge("backup", self.site.folder, self.file)
        where = self.site.root / "x"
        where.mkdir()
        subprocess.run(["tar", "--zstd", "-xf", self.file, "-C", where], check=True)
        root = where / "sedge-backup"
        manifest = json.loads((root / "manifest.json").read_text())
        names = [f["name"] for f in manifest["files"]] + ["sedge-backup/SHA256SUMS", "sedge-backup/manifest.json"]
        site = (root / "site/site.sedge").read_text()
        (root / "site/site.sedge").write_text(site.replace("plant 1", "plant 2"))
        subprocess.run(["tar", "--format=ustar", "--zstd", "-cf", self.file, "-C", where, *names], check=True)
        self.assertIn("site.sedge is not what it was", sedge("backup", "--verify", self.file, code=1).stderr)
        (root / "site/site.sedge").write_text(site)
        segment = next((root / "data").glob("journal-*"))
        data = bytearray(segment.read_bytes())
        data[4096 + 60] ^= 1
        segment.write_bytes(data)
        for entry in manifest["files"]:
            if entry["name"].endswith(segment.name):
                entry["sha256"] = subprocess.run(["sha256sum", segment], capture_output=True, text=True, check=True).stdout.split()[0]
        (root / "manifest.json").write_text(json.dumps(manifest))
        subprocess.run(["tar", "--format=ustar", "--zstd", "-cf", self.file, "-C", where, *names], check=True)
        done = told("backup", "--verify", self.file, code=1)
        self.assertIn("journal", done["finding"])


class Refused(unittest.TestCase):
    def test_restore_respects_what_is_there(self):
        with Site(text=SITE) as site:
            site.start()
            site.publish("kept/0", "1", "-q", "1", "-r")
            file = site.root / "b.tar.zst"
            sedge("backup", site.folder, file)
            said = sedge("restore", file, site.folder, "--force", code=1).stderr
            self.assertIn(f"process {site.process.pid}", said)
            site.publish("kept/1", "1", "-q", "1", "-r")  # it goes on
            wait_until((site.data / "ballast").exists)
            site.stop()
            self.assertIn("--force", sedge("restore", file, site.folder, code=1).stderr)
            (site.folder / "notes.txt").write_text("mine")
            ballast = (site.data / "ballast").stat().st_ino
            done = told("restore", file, site.folder, "--force")
            self.assertEqual((site.folder / done["aside"] / "notes.txt").read_text(), "mine")
            self.assertTrue((site.data / done["aside"] / "sedge.db").exists())
            self.assertEqual((site.data / "ballast").stat().st_ino, ballast)
            self.assertNotEqual(told("restore", file, site.folder, "--force")["aside"], done["aside"])
            site.start()
            self.assertEqual(set(numbers(site)), {"kept/0"})

    def test_who_is_told_to_end_leaves_nothing_behind(self):
        """A signal that has come before the first byte: it holds from exec on, so there is no race."""
        def told_to_end():
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            os.kill(os.getpid(), signal.SIGINT)

        with Site(text=SITE) as site:
            site.start()
            file, out = site.root / "b.tar.zst", site.root / "out"
            sedge("backup", site.folder, file)
            site.stop()
            out.mkdir()
            shutil.copy(file, out / "b.tar.zst")
            for args in (["backup", site.folder, out], ["backup", "--verify", out / "b.tar.zst"], ["restore", file, site.folder, "--force"]):
                with self.subTest(args=args):
                    before = {p: p.stat().st_ino for p in site.folder.rglob("*")}
                    done = sedge(*args, code=-signal.SIGINT, preexec_fn=told_to_end)
                    self.assertIn("interrupted", done.stderr)
                    self.assertEqual([p.name for p in out.iterdir()], ["b.tar.zst"])
                    self.assertEqual({p: p.stat().st_ino for p in site.folder.rglob("*")}, before)

    def test_an_interrupted_restore_keeps_the_site_from_starting(self):
        with Site(text=SITE) as site:
            site.start()
            file = site.root / "b.tar.zst"
            sedge("backup", site.folder, file)
            site.stop()
            (site.data / "restore-incomplete").touch()
            site.start(wait=False)
            self.assertEqual(site.process.wait(), 1)
            self.assertIn("sedge restore", site.process.text())
            sedge("restore", file, site.folder)
            site.start()

    @unittest.skipUnless(shutil.which("strace"), "there is no strace")
    def test_a_restore_that_is_killed_at_each_step(self):
        """kill -9 at the first rename, the second, and so on: never is half of it a site that starts, and the next one mends it."""
        with Site(text=SITE) as site:
            site.start()
            site.publish("kept/0", "1", "-q", "1", "-r")
            file = site.root / "b.tar.zst"
            sedge("backup", site.folder, file)
            site.stop()
            for step in range(1, 100):
                for old in (site.folder, site.data):  # by which the old state is known
                    (old / "old.txt").write_text("old")
                done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=renameat,renameat2", "-e", f"inject=renameat,renameat2:signal=SIGKILL:when={step}",
                                       SEDGE, "restore", file, site.folder, "--force"], capture_output=True, check=False, timeout=60)
                old = [(folder / "old.txt").exists() for folder in (site.data, site.folder)]
                if done.returncode == 0:
                    break
                marked = (site.data / "restore-incomplete").exists()
                self.assertTrue(marked or old == [True, True], f"step {step}: {old}")
                sedge("restore", file, site.folder, *([] if marked else ["--force"]))
                self.assertFalse((site.data / "restore-incomplete").exists())
                self.assertFalse((site.folder / "old.txt").exists())
                self.assertFalse([p.name for p in (*site.data.iterdir(), *site.folder.iterdir()) if p.name.startswith(".")])
            self.assertGreater(step, 4)
            self.assertEqual(old, [False, False])
            site.start()
            self.assertEqual(set(numbers(site)), {"kept/0"})

    def test_elsewhere(self):
        """An absolute store, and a password file of another folder."""
        with Site(text="") as site:
            data, users = site.root / "far/data", site.root / "far/users"
            (site.root / "far").mkdir()
            Process([SEDGE, "passwd", "-b", "-c", users, "ann", "secret"]).wait()
            site.write("site.sedge", SITE.replace('"data"', f'"{data}"').replace("@MQTT@", f'@MQTT@ passwords "{users}"'))
            site.start()
            file = site.root / "b.tar.zst"
            sedge("backup", site.folder, file)
            site.stop()
            shutil.rmtree(site.root / "far")
            shutil.rmtree(site.folder)
            self.assertIn(f"not put back: {users}", sedge("restore", file, site.folder).stdout)
            self.assertTrue((data / "sedge.db").exists())
            self.assertFalse(users.exists())
            self.assertEqual(told("restore", file, site.folder, "--force", "--elsewhere")["elsewhere"], 1)
            self.assertTrue(users.exists() and (data / "sedge.db").exists())
            other = site.root / "other"
            sedge("restore", file, other, "--data", site.root / "elsewhere")
            self.assertTrue((site.root / "elsewhere/sedge.db").exists())
            site.start()

    def test_elsewhere_is_on_another_file_system(self):
        with Site(text="") as site, tempfile.TemporaryDirectory(dir="/dev/shm") as other:
            if os.stat(other).st_dev == site.root.stat().st_dev:
                self.skipTest("/dev/shm is no other file system")
            users = pathlib.Path(other) / "users"
            Process([SEDGE, "passwd", "-b", "-c", users, "ann", "secret"]).wait()
            site.write("site.sedge", SITE.replace("@MQTT@", f'@MQTT@ passwords "{users}"'))
            file = site.root / "b.tar.zst"
            sedge("backup", site.folder, file)
            text = users.read_text()
            users.unlink()
            self.assertEqual(told("restore", file, site.folder, "--force", "--elsewhere")["elsewhere"], 1)
            self.assertEqual((users.read_text(), [p.name for p in pathlib.Path(other).iterdir()]), (text, ["users"]))
            self.assertEqual(told("restore", file, site.folder, "--force", "--elsewhere")["elsewhere_kept"], 1)

    @unittest.skipUnless(shutil.which("zstd"), "there is no zstd")
    def test_who_forges_a_backup_writes_nowhere_else(self):
        with Site(text=SITE) as site:
            site.start()
            site.stop()
            file, where, prey = site.root / "b.tar.zst", site.root / "x", site.root / "prey"
            sedge("backup", site.folder, file)
            where.mkdir()
            prey.mkdir()
            subprocess.run(["tar", "--zstd", "-xf", file, "-C", where], check=True)
            root = where / "sedge-backup"
            whole = json.loads((root / "manifest.json").read_text())

            def forge(store, extra=()):
                manifest = json.loads(json.dumps(whole))
                manifest["store"] = str(store)
                for name in extra:
                    (where / name).parent.mkdir(parents=True, exist_ok=True)
                    (where / name).write_text("forged")
                    manifest["files"].append({"name": name, "bytes": 6, "sha256": hashlib.sha256(b"forged").hexdigest()})
                (root / "manifest.json").write_text(json.dumps(manifest))
                names = [f["name"] for f in manifest["files"]] + ["sedge-backup/SHA256SUMS", "sedge-backup/manifest.json"]
                subprocess.run(["tar", "--format=ustar", "--zstd", "-cf", file, "-C", where, *names], check=True)

            whole["site"] = "\x1b[2Jplant"
            forge("data")
            for args in (["backup", "--verify", file], ["restore", file, site.root / "shown"]):
                self.assertIn(r'"\x1B[2Jplant"', sedge(*args).stdout)
            forge(prey, ["sedge-backup/data/evil.conf"])
            self.assertIn("has no place", sedge("restore", file, site.root / "new", "--force", code=1).stderr)
            (prey / "passwd").write_text("precious")
            forge(prey)
            self.assertIn("--data FOLDER", sedge("restore", file, site.root / "new", "--force", code=1).stderr)
            self.assertEqual((prey / "passwd").read_text(), "precious")
            forge("data", [f"sedge-backup/outside{site.root}/planted"])
            self.assertIn("not put back", sedge("restore", file, site.root / "new", "--force").stdout)
            self.assertFalse((site.root / "planted").exists())

    @unittest.skipUnless(os.geteuid() == 0, "only root gives files away")
    def test_root_gives_files_to_the_folders_owner(self):
        with Site(text=SITE) as site:
            site.start()
            site.stop()
            file = site.root / "b.tar.zst"
            sedge("backup", site.folder, file)
            to = site.root / "to"
            (to / "data").mkdir(parents=True)
            os.chown(to, 1234, 1234)
            os.chown(to / "data", 1235, 1235)
            sedge("restore", file, to)
            self.assertEqual(((to / "site.sedge").stat().st_uid, (to / "data/sedge.db").stat().st_uid), (1234, 1235))

    @unittest.skipUnless(os.geteuid() == 0, "only root can be led to change what is not its own")
    def test_links_in_the_folder_lead_root_nowhere(self):
        """Who runs the site owns its data folder, and must not become the owner of a file that a name in it points to."""
        with Site(text=SITE) as site:
            site.start()
            site.stop()
            file, prey = site.root / "b.tar.zst", site.root / "prey"
            sedge("backup", site.folder, file)
            prey.mkdir()
            (prey / "file").write_text("precious")
            for name in ("lock", ".restore", "restore-incomplete"):
                with self.subTest(name=name):
                    to = site.root / f"to-{name.strip('.')}"
                    (to / "data").mkdir(parents=True)
                    os.chown(to / "data", 1235, 1235)
                    (to / "data" / name).symlink_to(prey if name == ".restore" else prey / "file")
                    sedge("restore", file, to, code=None)
                    self.assertEqual((prey / "file").read_text(), "precious")
                    self.assertEqual([(p.name, p.stat().st_uid) for p in prey.iterdir()], [("file", 0)])
                    self.assertEqual(prey.stat().st_uid, 0)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("mount"), "only root mounts")
    def test_a_disk_without_room_is_seen_before_anything_is_unpacked(self):
        with Site(text=SITE) as site:
            site.start()
            site.stop()
            file, small = site.root / "b.tar.zst", site.root / "small"
            (site.folder / "plan.svg").write_text("x" * (3 << 20))
            sedge("backup", site.folder, file)
            small.mkdir()
            if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], check=False, capture_output=True).returncode:
                self.skipTest("nothing can be mounted here")
            self.addCleanup(subprocess.run, ["umount", "-l", small], check=True)
            (small / "site").mkdir()
            (small / "site/mine.txt").write_text("mine")
            said = sedge("restore", file, small / "site", "--force", code=1).stderr
            self.assertRegex(said, r"that needs 3\.\d MiB in \S+/small/site/data, where [\d.]+ (KiB|MiB) are free")
            self.assertEqual((small / "site/mine.txt").read_text(), "mine")
            self.assertEqual([p.name for p in (small / "site/data").iterdir()], ["lock"])
            subprocess.run(["mount", "-o", "remount,size=8m", small], check=True)
            (small / "site/.restore").mkdir(mode=0o700)
            (small / "site/.restore/half").write_bytes(bytes(6 << 20))  # of a restore that the power ended
            sedge("restore", file, small / "site", "--force")
            self.assertEqual((small / "site/plan.svg").stat().st_size, 3 << 20)
            self.assertFalse((small / "site/.restore").exists())
            with contextlib.suppress(OSError), open(small / "rest", "wb", buffering=0) as rest:
                while rest.write(b"x" * 4096):
                    pass
            self.assertIn("are free", sedge("backup", site.folder, small / "b.tar.zst", code=1).stderr)
            self.assertEqual(sorted(p.name for p in small.iterdir()), ["rest", "site"])


if __name__ == "__main__":
    unittest.main()
