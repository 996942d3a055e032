#!/usr/bin/python3
# ctest: timeout=180
"""The real program on a disk whose sync is slow or broken: with the sync held for a second no PUBACK, PUBREC, PUBREL or
PUBCOMP leaves, and when it fails none ever does, even after it works again."""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

import paho.mqtt.client as paho

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from mqtt_wire import Session, Wire  # noqa: E402
from sedge_site import ROOT, Site, wait_until  # noqa: E402

SITE = 'site "sync"\nserver {\n  mqtt 127.0.0.1:@MQTT@\n  http 127.0.0.1:@HTTP@\n  store "data"\n}\n'


class Disk:
    """The library, compiled for this run, and its control file."""

    def __init__(self, folder):
        self.library = pathlib.Path(folder) / "slow_sync.so"
        self.control = pathlib.Path(folder) / "control"
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", self.library,
                        ROOT / "tests/support/slow_sync.c", "-ldl"], check=True)
        self.order("")

    def order(self, word):
        fresh = self.control.with_suffix(".new")
        fresh.write_text(word)
        fresh.rename(self.control)

    def release(self):
        """Lets go, and forgets that it held."""
        self.control.with_name("control.held").unlink(missing_ok=True)
        self.order("")

    def held(self):
        return self.control.with_name("control.held").exists()

    @property
    def env(self):
        return {"LD_PRELOAD": str(self.library), "SLOW_SYNC_CONTROL": str(self.control), "SLOW_SYNC_ONLY": "journal-",
                "ASAN_OPTIONS": "verify_asan_link_order=0"}


class Client:
    def __init__(self, port, name, clean=True):
        self.acked, self.granted, self.ended = [], [], []
        self.client = paho.Client(client_id=name, clean_session=clean, protocol=paho.MQTTv311)
        self.client.on_publish = lambda _c, _d, mid: self.acked.append(mid)
        self.client.on_subscribe = lambda _c, _d, mid, qos: self.granted.append(qos)
        self.client.connect("127.0.0.1", port)
        self.run(self.client.is_connected)

    def run(self, done, timeout=20.0):
        """Until done() or the end of the connection; whether done() came true."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if done():
                return True
            if self.client.loop(0.02) != paho.MQTT_ERR_SUCCESS:
                self.ended.append(True)
                return bool(done())
        return False

    def run_for(self, seconds):
        end = time.monotonic() + seconds
        self.run(lambda: time.monotonic() > end, seconds + 1)

    def publish(self, topic, text, retain=False):
        return self.client.publish(topic, text, qos=1, retain=retain).mid


def held(site, disk):
    keeper = Client(site.mqtt_port, "keeper", clean=False)
    keeper.client.subscribe("t/#", qos=1)
    assert keeper.run(lambda: keeper.granted)
    publisher = Client(site.mqtt_port, "publisher")
    first = publisher.publish("t/1", "before")
    assert publisher.run(lambda: publisher.acked == [first]), "it is not acknowledged with a disk that works"
    disk.order("hold")
    for i in range(20):
        publisher.publish("t/2", str(i))
    publisher.publish("kept", "1", retain=True)
    wait_until(disk.held, what="a sync that is held")
    publisher.run_for(1.0)
    assert publisher.acked == [first] and not publisher.ended, f"acknowledged before the commit: {publisher.acked}"
    disk.release()
    assert publisher.run(lambda: len(publisher.acked) == 22), f"{len(publisher.acked)} of 22 acknowledgements came"
    assert publisher.acked == sorted(publisher.acked), "they came out of order"
    keeper.client.disconnect()
    publisher.client.disconnect()


class Watched(Wire):
    """Notes what comes."""

    def __init__(self, port, name):
        self.came = []
        super().__init__(port, Session(name))
        self.until(lambda: self.connected)

    def _handle(self, first, body):
        self.came.append(first & 0xF0)
        super()._handle(first, body)

    def until(self, done, seconds=20.0):
        end = time.monotonic() + seconds
        while not done() and time.monotonic() < end:
            assert self.pump(0.02), "the connection broke"
        return done()

    def nothing_while_held(self, disk, kind, act):
        """With the sync held, `act` brings no packet of this kind; once it is let go, one comes."""
        before = self.came.count(kind)
        disk.order("hold")
        act()
        wait_until(lambda: self.pump(0.01) and disk.held(), what="a sync that is held")
        self.until(lambda: False, 0.5)
        assert self.came.count(kind) == before, f"packet {kind:#x} left before the commit: {self.came}"
        disk.release()
        assert self.until(lambda: self.came.count(kind) == before + 1), f"no packet {kind:#x} after the commit"


def held_qos2(site, disk):
    """Each step of a QoS 2 delivery, in and out, waits for its record."""
    keeper = Watched(site.mqtt_port, "exact")
    keeper.subscribe("exact/#", 2)
    assert keeper.until(lambda: keeper.granted == [2])
    publisher = Watched(site.mqtt_port, "teller")
    publisher.handshake = []
    answer = publisher._answer
    publisher._answer = lambda kind, packet_id: publisher.handshake.append((kind, packet_id))
    publisher.nothing_while_held(disk, 0x50, lambda: publisher.publish("exact/1", b"one", 2))
    # Its PUBREL, and the PUBCOMP that must wait for its record.
    publisher.nothing_while_held(disk, 0x70, lambda: answer(*publisher.handshake[0]))
    # The subscriber's side: PUBREC now, and the PUBREL waits for its record.
    assert keeper.until(lambda: 0x30 in keeper.came and 0x60 in keeper.came), f"not delivered: {keeper.came}"
    silent, keeper.out_held = keeper._published, []
    keeper._published = lambda first, body: keeper.out_held.append((first, body))
    publisher._answer = answer
    publisher.publish("exact/2", b"two", 2)
    wait_until(lambda: publisher.pump(0.01) and keeper.pump(0.01) and keeper.out_held, what="the second message")
    keeper.nothing_while_held(disk, 0x60, lambda: silent(*keeper.out_held[0]))
    # A PUBLISH of QoS 2 waits for the note of its packet id.
    keeper._published = silent
    keeper.nothing_while_held(disk, 0x30, lambda: (publisher.publish("exact/3", b"three", 2), publisher.pump(0.05)))
    assert keeper.until(lambda: keeper.came.count(0x60) == 3), f"not completed: {keeper.came}"
    for wire in (keeper, publisher):
        wire.disconnect()


def failing(site, disk):
    publisher = Client(site.mqtt_port, "unlucky")
    disk.order("fail")
    publisher.publish("t/3", "lost")
    assert publisher.run(lambda: publisher.ended), "the connection stays open"
    assert publisher.acked == [], "acknowledged, though the sync failed"
    disk.order("")
    again = Client(site.mqtt_port, "again")
    again.publish("t/4", "too late")
    assert again.run(lambda: again.ended), "the connection stays open"
    assert again.acked == [], "acknowledged by a journal that had failed"
    free = Client(site.mqtt_port, "free")
    mid = free.publish("nobody", "nothing depends on it")
    assert free.run(lambda: free.acked == [mid]), "what promises nothing is no longer served"
    free.client.disconnect()
    status, body = site.request("/health")
    assert status == 503 and "why" in body, f"/health says {status} {body}"


def main():
    with tempfile.TemporaryDirectory(prefix="sedge-sync-") as folder, Site(text=SITE) as site:
        disk = Disk(folder)
        site.start(env=disk.env)
        held(site, disk)
        held_qos2(site, disk)
        failing(site, disk)
        site.process.stop()
        site.start()  # on a disk that works: all that was acknowledged is there
        keeper = paho.Client(client_id="keeper", clean_session=False)
        got = []
        keeper.on_message = lambda _c, _d, m: got.append(m.payload.decode())
        keeper.connect("127.0.0.1", site.mqtt_port)
        end = time.monotonic() + 20
        while not {"before", *map(str, range(20))} <= set(got):
            assert time.monotonic() < end, f"missing after the restart: {got}"
            assert keeper.loop(0.05) == paho.MQTT_ERR_SUCCESS
        keeper.disconnect()
        site.stop()
    print(f"held: 21 acknowledgements and each step of QoS 2 waited; failed: none left; after the restart {len(got)} messages")


if __name__ == "__main__":
    main()
