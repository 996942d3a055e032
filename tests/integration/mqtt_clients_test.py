#!/usr/bin/python3
# ctest: timeout=180 workers=2
"""The real program with Debian's clients: publish and subscribe, wildcards, retained messages, users and passwords,
a persistent session over a restart, the list of connections."""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from sedge_site import SEDGE, Process, Site, wait_until  # noqa: E402

OPEN = 'site "clients"\nserver {\n  mqtt 127.0.0.1:@MQTT@\n  http 127.0.0.1:@HTTP@\n  store "data"\n}\n'
CLOSED = OPEN.replace("@MQTT@", '@MQTT@ passwords "users"')


# What `mosquitto_passwd -b -c FILE bob geheim` (mosquitto 2.0.11) wrote.
BOB = ("bob:$7$101$ltSIzIKApvGCzqSP$/DDyqIE5IFws4JS4rMG1F2UARP9cKMAA"
       "CPmNmunE+BoMyVQAHdUTf75sQeXKlTeiIqLrQ4m8GbHzUpiBOnQBIw==\n")


def sub(site, *args):
    return site.spawn(["mosquitto_sub", "-h", "127.0.0.1", "-p", site.mqtt_port, *args])


def pub(site, *args):
    return subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(site.mqtt_port), *args],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)


def subscribed(site, client):
    """Whether the client is connected and its subscription is there."""
    return any(c["client"] == client and c["connected_ms"] and c["subscriptions"]
               for c in site.get("/api/connections")["connections"])


def live_and_retained(site):
    for version in ("mqttv311", "mqttv5"):
        name = f"sub-{version}"
        process = sub(site, "-V", version, "-i", name, "-t", "a/+/c", "-t", f"{version}/#", "-q", "1", "-v", "-C", "3")
        wait_until(lambda: subscribed(site, name), what="the subscription")
        assert pub(site, "-V", version, "-q", "1", "-t", "a/b/c", "-m", "one").returncode == 0
        assert pub(site, "-V", version, "-q", "1", "-t", "a/b", "-m", "not this").returncode == 0
        assert pub(site, "-V", version, "-q", "0", "-t", "a//c", "-m", "two").returncode == 0
        assert pub(site, "-V", version, "-q", "1", "-r", "-t", f"{version}/r", "-m", "three").returncode == 0
        assert process.wait() == 0
        assert process.text("out").splitlines() == ["a/b/c one", "a//c two", f"{version}/r three"], process.text()
    late = sub(site, "-t", "mqttv5/#", "-C", "1", "-F", "%t %r %p")
    assert late.wait() == 0
    assert late.text("out") == "mqttv5/r 1 three", late.text()


def persistent_session(site):
    args = ["-i", "keeper", "-c", "-q", "1", "-t", "k/#", "-V", "mqttv311"]
    first = sub(site, *args)
    wait_until(lambda: subscribed(site, "keeper"), what="the subscription")
    first.stop()
    wait_until(lambda: not subscribed(site, "keeper"), what="the end of the connection")
    for i in range(5):
        assert pub(site, "-q", "1", "-t", f"k/{i}", "-m", f"m{i}").returncode == 0
    entry = next(c for c in site.get("/api/connections")["connections"] if c["client"] == "keeper")
    assert entry["connected_ms"] is None and entry["queued"] == 5, entry
    site.stop()
    site.start()
    for i in range(5, 8):
        assert pub(site, "-q", "1", "-t", f"k/{i}", "-m", f"m{i}").returncode == 0
    site.kill()
    site.start()
    again = sub(site, *args, "-C", "8")
    assert again.wait() == 0
    assert again.text("out").splitlines() == [f"m{i}" for i in range(8)], again.text()
    late = sub(site, "-t", "+/r", "-C", "1")  # retained messages have come along, too
    assert late.wait() == 0 and late.text("out") == "three", late.text()


def passwords():
    with Site(text=CLOSED) as site:
        users = site.folder / "users"

        def passwd(*args, password=None):
            return subprocess.run([SEDGE, "passwd", users, *args], input=password, capture_output=True, text=True,
                                  timeout=30)

        assert passwd("ada", "--password-file", "-", password="secret\n").returncode == 0
        assert users.stat().st_mode & 0o777 == 0o600
        assert "secret" not in users.read_text()
        assert passwd("a:b", "--password-file", "-", password="x\n").returncode == 1
        assert passwd("--wrong").returncode == 2
        assert passwd("eda", "geheim", "--scram").returncode == 2  # a password on the command line only by -b,
        assert passwd("eda", "geheim", "--scram", "-b").returncode == 0  # which may stand anywhere
        batch = subprocess.run([SEDGE, "passwd", "-b", "--scram", users, "eda", "kryptisch"], timeout=30)
        assert batch.returncode == 0 and "kryptisch" not in users.read_text()
        with open(users, "a") as f:  # a user that comes along from mosquitto
            f.write(BOB)
        site.start()
        message = ["-t", "x", "-m", "y", "-q", "1"]
        assert pub(site, *message, "-u", "ada", "-P", "secret").returncode == 0
        assert pub(site, *message, "-u", "bob", "-P", "geheim").returncode == 0
        assert pub(site, *message, "-u", "eda", "-P", "kryptisch").returncode == 0  # a line for SCRAM
        for wrong in ([], ["-u", "ada"], ["-u", "ada", "-P", "wrong"], ["-u", "eve", "-P", "secret"]):
            result = pub(site, *message, *wrong)
            assert result.returncode != 0, f"{wrong} was let in"
        ours = Process([SEDGE, "pub", "-p", str(site.mqtt_port), *message, "-u", "ada", "-P", "secret"])
        assert ours.wait() == 0, ours.text()
        assert passwd("ada", "--password-file", "-", password="changed\n").returncode == 0
        assert passwd("bob", "--delete").returncode == 0
        site.process.child.send_signal(1)  # SIGHUP: read it again
        wait_until(lambda: pub(site, *message, "-u", "ada", "-P", "changed").returncode == 0, what="the new password")
        assert pub(site, *message, "-u", "ada", "-P", "secret").returncode != 0
        assert pub(site, *message, "-u", "bob", "-P", "geheim").returncode != 0
        log = site.process.text()
        assert "secret" not in log and "$argon2" not in log, "the log holds a password or a hash"
        site.stop()


def main():
    started = time.monotonic()
    with Site(text=OPEN) as site:
        site.start()
        live_and_retained(site)
        persistent_session(site)
        site.stop()
    passwords()
    print(f"live, retained, persistent, passwords: as they should be; {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
