#!/usr/bin/python3
"""mqtt_topics.py [SUBSCRIPTIONS [WORKERS]]: what a message costs the broker when each has another topic (960000, 1).

The subscriptions are those of mqtt_routes.c, 8,000 a client. One publisher sends random topics of all that there are, QoS 0,
16 bytes, without a pause. The broker's processor time for a message with its delivery, of three runs. See bench/mqtt.md.
"""

import os
import pathlib
import random
import socket
import struct
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))
from mqtt_wire import packet, text  # noqa: E402
from sedge_site import Site  # noqa: E402

SITE = """site "topics"
server { mqtt 127.0.0.1:@MQTT@; http 127.0.0.1:@HTTP@; store "data"; workers %d }
"""
EACH_CLIENT, EACH_SUBSCRIBE, PER_DEVICE = 8000, 50, 4
RUNS, MESSAGES, BATCH = 3, 200000, 1000
PROPERTIES = ("temperature", "humidity", "state")


def topic(device, name):
    return f"plant/line{device // 1000}/dev{device}/{name}"


def subscription(i):
    device, kind = divmod(i, PER_DEVICE)
    if kind == 3:
        return f"plant/+/dev{device}/state"
    return topic(device, PROPERTIES[kind] if kind < 2 or device % 10 else "#")


def connect(port, name):
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(packet(0x10, text("MQTT") + struct.pack(">BBH", 4, 2, 0) + text(name)))
    assert s.recv(4, socket.MSG_WAITALL) == b"\x20\x02\0\0"
    return s


def subscribe(port, first, count):
    s = connect(port, f"from {first}")
    for at in range(first, first + count, EACH_SUBSCRIBE):
        some = range(at, min(at + EACH_SUBSCRIBE, first + count))
        s.sendall(packet(0x82, b"\0\1" + b"".join(text(subscription(i)) + b"\0" for i in some)))
        assert len(s.recv(4 + len(some), socket.MSG_WAITALL)) == 4 + len(some)
    return s


class Delivered:
    """Reads whatever comes to the subscribers, and counts its bytes."""

    def __init__(self, sockets):
        self.bytes = 0
        for s in sockets:
            threading.Thread(target=self.read, args=(s,), daemon=True).start()

    def read(self, s):
        while data := s.recv(1 << 20):
            self.bytes += len(data)

    def settle(self):
        before = -1
        while self.bytes != before:
            before = self.bytes
            time.sleep(0.3)


def processor_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def messages(devices):
    for _ in range(MESSAGES // BATCH):
        yield b"".join(packet(0x30, text(topic(random.randrange(devices), random.choice(PROPERTIES))) + b"x" * 16)
                       for _ in range(BATCH))


def main(count=960000, workers=1):
    with Site(text=SITE % workers) as site:
        site.start()
        delivered = Delivered([subscribe(site.mqtt_port, first, min(EACH_CLIENT, count - first))
                               for first in range(0, count, EACH_CLIENT)])
        publisher = connect(site.mqtt_port, "publisher")
        batches = list(messages(count // PER_DEVICE))
        for _ in range(RUNS):
            before = processor_s(site.process.pid)
            for batch in batches:
                publisher.sendall(batch)
            publisher.sendall(b"\xc0\0")
            assert publisher.recv(2, socket.MSG_WAITALL) == b"\xd0\0"
            delivered.settle()
            cost = (processor_s(site.process.pid) - before) / MESSAGES
            print(f"bench=mqtt_topics_{count}_workers{workers} unit=us ours={cost * 1e6:.3g}", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
