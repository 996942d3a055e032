"""The Debian package in a clean root: SYSTEM OLD.deb NEW.deb (both in SYSTEM/root). tools/deb-test makes all that and calls this, in
namespaces of its own.

There is no systemd in such a root. What the maintainer scripts ask of it is written down by a systemctl of ours; policy-rc.d is
heeded; and the service is started by a manager of ours as its unit says, as its user."""

import fcntl
import os
import pathlib
import shlex
import shutil
import socket
import struct
import subprocess
import sys
import unittest
import urllib.request

from sedge_manager import Manager
from sedge_site import Process

SYSTEM = pathlib.Path(sys.argv[1])
OLD, NEW = sys.argv[2:4]
SYSTEMCTL = """#!/bin/sh
echo "systemctl $*" >> /root/asked
case "$*" in *is-active*) exit ${ACTIVE:-3} ;; *is-enabled*) echo enabled ;; esac
"""
POLICY = """#!/bin/sh
echo "policy $*" >> /root/asked
exit ${POLICY:-0}
"""
SITE = SYSTEM / "etc/sedge/site"
DATA = SYSTEM / "var/lib/sedge"


def loopback_up():
    with socket.socket() as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", b"lo", 0x41))  # SIOCSIFFLAGS: up, running


def inside(*command, env=None, check=True):
    """Runs it in the root; the asked file tells what it wanted of systemd."""
    (SYSTEM / "root/asked").write_text("")
    done = subprocess.run(["chroot", SYSTEM, "env", "DEBIAN_FRONTEND=noninteractive", *(f"{k}={v}" for k, v in (env or {}).items()), *command],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120)
    if check and done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def asked():
    """What was wanted of policy-rc.d and systemctl, without options."""
    lines = (SYSTEM / "root/asked").read_text().splitlines()
    return "\n".join(" ".join(word for word in line.split() if not word.startswith("-")) for line in lines)


def owner(path):
    st = path.lstat()
    users = {int(line.split(":")[2]): line.split(":")[0] for line in (SYSTEM / "etc/passwd").read_text().splitlines()}
    groups = {int(line.split(":")[2]): line.split(":")[0] for line in (SYSTEM / "etc/group").read_text().splitlines()}
    return f"{users[st.st_uid]}:{groups[st.st_gid]} {st.st_mode & 0o7777:o}"


def unit():
    """{key: [values]} of the installed unit."""
    out = {}
    for line in (SYSTEM / "lib/systemd/system/sedge.service").read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            out.setdefault(key, []).append(value)
    return out


class Service:
    """Starts ExecStart= as User=, with a watchdog, in the root."""

    def __init__(self):
        self.manager = Manager()
        settings = unit()
        defaults = dict(line.split("=", 1) for line in (SYSTEM / "etc/default/sedge").read_text().splitlines() if line[:1] not in ("", "#"))
        command = settings["ExecStart"][0].replace("$SEDGE_OPTIONS", defaults["SEDGE_OPTIONS"].strip('"'))
        env = self.manager.env(watchdog_ms=2000)
        self.process = Process(["chroot", "--userspec=sedge:sedge", f"--groups={settings['SupplementaryGroups'][0]}", SYSTEM,
                                "env", *(f"{k}={v}" for k, v in env.items()), *shlex.split(command)])

    def __enter__(self):
        self.manager.wait("READY=1")
        self.manager.wait("WATCHDOG=1")
        return self

    def __exit__(self, *_):
        code = self.process.stop()
        self.manager.wait("STOPPING=1")
        self.manager.__exit__()
        assert code == 0, self.process.text()


def page(path):
    with urllib.request.urlopen("http://127.0.0.1:8080" + path, timeout=5) as answer:
        return answer.read().decode()


class Package(unittest.TestCase):
    """One life of a package, in order."""

    @classmethod
    def setUpClass(cls):
        loopback_up()
        subprocess.run(["mount", "-t", "proc", "proc", SYSTEM / "proc"], check=True)
        subprocess.run(["mount", "--rbind", "/dev", SYSTEM / "dev"], check=True)
        inside("dpkg", "--purge", "sedge", check=False)
        inside("sh", "-c", "echo PURGE | debconf-communicate sedge")
        for path in (SITE.parent, DATA, SYSTEM / "root/asked"):
            subprocess.run(["rm", "-rf", path], check=True)
        for name, text in (("usr/sbin/policy-rc.d", POLICY), ("usr/bin/systemctl", SYSTEMCTL)):
            (SYSTEM / name).write_text(text)
            (SYSTEM / name).chmod(0o755)
        (SYSTEM / "run/systemd/system").mkdir(parents=True, exist_ok=True)

    def test_1_install(self):
        inside("dpkg", "-i", f"/root/{OLD}")
        self.assertEqual(owner(SITE.parent), "root:sedge 750")
        self.assertEqual(owner(SITE), "sedge:sedge 2770")
        self.assertEqual(owner(SITE / "site.sedge"), "sedge:sedge 640")
        self.assertEqual(owner(DATA), "sedge:sedge 750")
        self.assertIn("policy sedge.service start", asked())
        self.assertIn("systemctl start sedge.service", asked())
        self.assertIn("systemctl preset sedge.service", asked())  # Debian's: enabled
        self.assertIn("nologin", [line for line in (SYSTEM / "etc/passwd").read_text().splitlines() if line.startswith("sedge:")][0])
        self.assertEqual(inside("sedge", "check", "/etc/sedge/site").returncode, 0)
        self.assertIn("sedge 0.", inside("sedge", "--version").stdout)

    def test_2_start(self):
        with Service():
            self.assertIn('"ok"', page("/health"))
            if os.environ.get("SEDGE_WEB", "1") != "0":
                self.assertIn("<title>", page("/"))
            inside("sedge", "pub", "-p", "1883", "-t", "kept", "-m", "lasts", "-q", "1", "-r")
        self.assertIn("sedge:sedge", owner(DATA / "sedge.db"))

    def test_3_upgrade_keeps_site_and_data(self):
        (SITE / "site.sedge").write_text((SITE / "site.sedge").read_text().replace('site "sedge"', 'site "mine"'))
        (SYSTEM / "etc/default/sedge").write_text('SEDGE_OPTIONS="--level warn"\n')
        inside("dpkg", "-i", "--force-confold", f"/root/{NEW}", env={"ACTIVE": "0"})
        self.assertIn("systemctl restart sedge.service", asked())
        self.assertNotIn("stop", asked())
        self.assertIn('site "mine"', (SITE / "site.sedge").read_text())
        self.assertIn("--level warn", (SYSTEM / "etc/default/sedge").read_text())
        with Service():
            self.assertIn('"mine"', page("/api/site"))
            self.assertIn("lasts", inside("sedge", "sub", "-p", "1883", "-t", "kept", "-C", "1", "-W", "20").stdout)

    def test_4_policy_says_no(self):
        inside("dpkg", "-i", f"/root/{NEW}", env={"ACTIVE": "0", "POLICY": "101"})
        self.assertIn("policy sedge.service restart", asked())
        self.assertNotIn("systemctl restart", asked())

    def test_4_a_site_that_the_new_version_refuses_goes_on(self):
        whole = (SITE / "site.sedge").read_text()
        (SITE / "site.sedge").write_text(whole + "\nnonsense\n")
        done = inside("dpkg", "-i", f"/root/{NEW}", env={"ACTIVE": "0"})
        self.assertIn("the version before goes on", done.stderr)
        self.assertNotIn("restart sedge.service", asked())
        inside("dpkg", "-i", f"/root/{NEW}")  # one that does not run has nothing to lose
        self.assertIn("systemctl restart sedge.service", asked())
        (SITE / "site.sedge").write_text(whole)

    def test_5_remove_keeps(self):
        wanted = SYSTEM / "etc/systemd/system/timers.target.wants/sedge-backup.timer"  # systemctl enable, by the administrator
        wanted.parent.mkdir(exist_ok=True)
        wanted.symlink_to("/lib/systemd/system/sedge-backup.timer")
        inside("dpkg", "-r", "sedge", env={"ACTIVE": "0"})
        self.assertIn("systemctl stop sedge-backup.timer", asked())
        self.assertIn("systemctl stop sedge.service", asked())
        self.assertFalse((SYSTEM / "usr/bin/sedge").exists())
        self.assertTrue((SITE / "site.sedge").exists())
        self.assertTrue((DATA / "sedge.db").exists())
        inside("dpkg", "-i", f"/root/{NEW}")
        self.assertIn('site "mine"', (SITE / "site.sedge").read_text())
        with Service():
            self.assertIn("lasts", inside("sedge", "sub", "-p", "1883", "-t", "kept", "-C", "1", "-W", "20").stdout)

    def test_6_purge_keeps_unless_asked(self):
        done = inside("dpkg", "--purge", "sedge")
        self.assertIn("are kept", done.stderr)
        self.assertTrue((DATA / "sedge.db").exists())
        self.assertTrue((SITE / "site.sedge").exists())
        self.assertFalse((SYSTEM / "etc/default/sedge").exists())
        for link in ("multi-user.target.wants/sedge.service", "timers.target.wants/sedge-backup.timer", "sedge.service", "sedge-backup.timer"):
            self.assertFalse(os.path.lexists(SYSTEM / "etc/systemd/system" / link), link)

    def test_7_purge_deletes_when_asked(self):
        inside("dpkg", "-i", f"/root/{NEW}")
        self.assertTrue((DATA / "sedge.db").exists())
        backup = SYSTEM / "var/lib/sedge-backup/night.tar.zst"
        backup.parent.mkdir(mode=0o700)
        backup.write_text("")
        for path in (backup, backup.parent):
            os.chown(path, DATA.stat().st_uid, DATA.stat().st_gid)
        subprocess.run(["chroot", SYSTEM, "debconf-set-selections"], input="sedge sedge/purge-data boolean true\n", text=True, check=True)
        self.assertIn("sedge-backup are kept", inside("dpkg", "--purge", "sedge").stderr)
        self.assertEqual((backup.parent.stat().st_uid, backup.parent.stat().st_gid, backup.parent.stat().st_mode & 0o777), (0, 0, 0o700))
        shutil.rmtree(backup.parent)
        self.assertFalse(DATA.exists())
        self.assertFalse(SITE.parent.exists())
        self.assertNotIn("\nsedge:", (SYSTEM / "etc/passwd").read_text())
        left = inside("find", "/", "-xdev", "-name", "*sedge*", "-not", "-path", "/root/*", "-not", "-path", "/proc/*", check=False).stdout
        self.assertEqual(left.strip(), "")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
