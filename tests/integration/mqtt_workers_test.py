#!/usr/bin/python3
# ctest: timeout=300
"""One site, several workers, Debian's clients: whichever worker a client is accepted on, nobody sees which.

Take-over across the workers' listeners; persistent sessions over a restart with another number of workers, and over
kill -9; everybody reaches everybody, in order; the password file is read again for all workers; the list of clients has
them all."""

import os
import subprocess
import sys
import time

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from sedge_site import SEDGE, Site, wait_until  # noqa: E402

SITE = ('site "workers"\nserver {\n  mqtt 127.0.0.1:@MQTT@\n  http 127.0.0.1:@HTTP@\n  store "data"\n'
        '  workers 2\n}\n')
KEEPERS, READERS, MESSAGES = 12, 8, 200


def command(tool, site, *args):
    return [tool, "-h", "127.0.0.1", "-p", str(site.mqtt_port), *args]


def sub(site, *args):
    return site.spawn(command("mosquitto_sub", site, *args))


def pub(site, *args, lines=None):
    return subprocess.run(command("mosquitto_pub", site, *args), input=lines, capture_output=True, text=True,
                          timeout=60, stdin=None if lines is not None else subprocess.DEVNULL)


def clients(site):
    return {c["client"]: c for c in site.get("/api/connections")["connections"]}


def connected(site, name):
    entry = clients(site).get(name)
    return entry and entry["connected_ms"] and entry["subscriptions"]


def everybody_in_order(site):
    """One publisher, readers on both workers: each gets all of it, as it was sent."""
    readers = [sub(site, "-i", f"reader{i}", "-q", str(i % 2), "-t", "stream/#", "-C", str(MESSAGES))
               for i in range(READERS)]
    wait_until(lambda: all(connected(site, f"reader{i}") for i in range(READERS)), what="the readers")
    lines = [f"line {i}" for i in range(MESSAGES)]
    assert pub(site, "-q", "1", "-t", "stream/a", "-l", lines="\n".join(lines) + "\n").returncode == 0
    for reader in readers:
        assert reader.wait() == 0, reader.text()
        assert reader.text("out").splitlines() == lines, reader.text()


class One:
    """The client "one", which does not come back by itself when it is replaced."""

    def __init__(self, site):
        self.got, self.said, self.present = [], None, None
        self.client = paho.Client(client_id="one", protocol=paho.MQTTv5)
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_message = lambda _client, _data, message: self.got.append(message.payload.decode())
        expiry = Properties(PacketTypes.CONNECT)
        expiry.SessionExpiryInterval = 1000
        self.client.connect("127.0.0.1", site.mqtt_port, clean_start=False, properties=expiry)
        self.loop(lambda: self.present is not None)

    def _on_connect(self, client, _data, flags, reason, _properties=None):
        assert reason == 0, reason
        self.present = flags["session present"]
        if not self.present:
            client.subscribe("one/#", qos=1)

    def _on_disconnect(self, _client, _data, reason, _properties=None):
        if self.said is None:  # it is told again when the connection ends
            self.said = int(getattr(reason, "value", reason))

    def loop(self, done):
        end = time.monotonic() + 30
        while not done():
            assert time.monotonic() < end, "no answer"
            self.client.loop(0.02)


def take_over(site):
    """The same client again and again: the one before is told, and goes; its session stays."""
    before = One(site)
    wait_until(lambda: before.client.loop(0.02) or connected(site, "one"), what="the subscription")
    for i in range(16):
        now = One(site)
        assert now.present, f"number {i}"
        before.loop(lambda: before.said is not None)
        assert before.said != 0, before.said  # paho does not look into a short DISCONNECT
        before = now
    assert [name for name in clients(site) if name == "one"] == ["one"]
    assert pub(site, "-q", "1", "-t", "one/x", "-m", "for the last").returncode == 0
    before.loop(lambda: before.got)
    assert before.got == ["for the last"], before.got
    before.client.disconnect()
    before.loop(lambda: before.said is not None)


def leave_keepers(site):
    for i in range(KEEPERS):
        keeper = sub(site, "-i", f"keeper{i}", "-c", "-q", "1", "-t", f"keep/{i}", "-t", "all", "-E")
        assert keeper.wait() == 0, keeper.text()
    wait_until(lambda: not any(c["connected_ms"] for name, c in clients(site).items() if name.startswith("keeper")),
               what="the end of their connections")


def feed_keepers(site, rounds):
    for k in rounds:
        for i in range(KEEPERS):
            assert pub(site, "-q", "1", "-t", f"keep/{i}", "-m", f"{i}-{k}").returncode == 0
        assert pub(site, "-q", "1", "-t", "all", "-m", f"all-{k}").returncode == 0


def collect(site, rounds):
    """Everything, in order, and nothing twice: they acknowledge it now.

    Without --nodelay their system holds acknowledgements back, and drops them if they close before they have read SUBACK.
    """
    for i in range(KEEPERS):
        want = [text for k in rounds for text in (f"{i}-{k}", f"all-{k}")]
        keeper = sub(site, "-i", f"keeper{i}", "-c", "-q", "1", "-t", f"keep/{i}", "-t", "all",
                     "--nodelay", "-C", str(len(want)))
        assert keeper.wait() == 0, keeper.text()
        assert keeper.text("out").splitlines() == want, (i, keeper.text())


def persistent_sessions(site):
    leave_keepers(site)
    feed_keepers(site, range(0, 3))
    site.stop()
    site.start("--workers", "1")
    feed_keepers(site, range(3, 5))
    site.kill()
    site.start("--workers", "3")
    feed_keepers(site, range(5, 6))
    site.kill()
    site.start()
    listed = clients(site)
    for i in range(KEEPERS):
        assert listed[f"keeper{i}"]["queued"] == 12, listed[f"keeper{i}"]
    collect(site, range(0, 6))
    site.stop()  # acknowledgements of clients ride along lazily: a kill may bring the last ones back
    site.start("--workers", "1")
    feed_keepers(site, range(6, 7))
    site.stop()
    site.start()
    collect(site, range(6, 7))


def passwords():
    """Whichever worker asks: the file as it is now."""
    with Site(text=SITE.replace("@MQTT@\n", '@MQTT@ passwords "users"\n')) as site:
        def passwd(password):
            assert subprocess.run([SEDGE, "passwd", site.folder / "users", "ada", "--password-file", "-"],
                                  input=password + "\n", text=True, timeout=30).returncode == 0

        def let_in(password):
            codes = [pub(site, "-i", f"p{i}", "-u", "ada", "-P", password, "-t", "x", "-m", "y").returncode
                     for i in range(8)]
            return len([code for code in codes if code == 0])

        passwd("secret")
        site.start()
        assert let_in("secret") == 8
        assert let_in("wrong") == 0
        passwd("changed")
        site.process.child.send_signal(1)  # SIGHUP
        wait_until(lambda: let_in("changed") == 8, what="the new password")
        assert let_in("secret") == 0
        site.stop()


def main():
    started = time.monotonic()
    with Site(text=SITE) as site:
        site.start()
        assert "2 workers" in site.process.text()
        everybody_in_order(site)
        take_over(site)
        persistent_sessions(site)
        site.stop()
    passwords()
    print(f"{time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
