#!/usr/bin/python3
"""mqtt_beyond.py [CONNECTIONS [WORKERS]]: a broker with more connections than it may have descriptors (50000, 2).

Processes of 12,000 clients each connect from many addresses and wait. Then the broker's memory is looked at (RssAnon; the
kernel's is the growth of unreclaimable slabs, for both ends), and every client pings and publishes once. See bench/mqtt.md.
"""

import multiprocessing
import os
import pathlib
import socket
import struct
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))
from mqtt_wire import packet, text  # noqa: E402
from sedge_site import Site, wait_until  # noqa: E402

SITE = """site "crowded"
server { mqtt 127.0.0.1:@MQTT@; http 127.0.0.1:@HTTP@; store "data"; workers %d; limits { connections 1000000 } }
"""
PART = 12000  # of one process of clients
EACH_ADDRESS = 4000
CONNACK, SUBACK, PINGREQ, PINGRESP = b"\x20\x02\0\0", b"\x90\x03\0\1\0", b"\xc0\0", b"\xd0\0"
BIND_ADDRESS_NO_PORT = 24


def kib(path, key):
    return next(int(line.split()[1]) for line in pathlib.Path(path).read_text().splitlines() if line.startswith(key))


def memory(pid):
    return 1024 * kib(f"/proc/{pid}/status", "RssAnon:"), 1024 * kib("/proc/meminfo", "SUnreclaim:")


def take(s, size):
    data = s.recv(size, socket.MSG_WAITALL)
    assert len(data) == size, "the broker has closed"
    return data


def connect(part, i, port):
    s = socket.socket()
    s.setsockopt(socket.SOL_IP, BIND_ADDRESS_NO_PORT, 1)
    s.bind((f"127.{part + 1}.0.{i // EACH_ADDRESS + 1}", 0))
    s.connect(("127.0.0.1", port))
    s.sendall(packet(0x10, text("MQTT") + struct.pack(">BBH", 4, 2, 0) + text(f"{part}-{i}")))
    return s


def clients(part, count, port, pipe):
    """Says so when each step is done, and waits for a word before the next."""
    sockets = []
    for i in range(count):
        sockets.append(connect(part, i, port))
        if i >= 50:  # CONNECTs under way
            assert take(sockets[i - 50], 4) == CONNACK
    for s in sockets[-50:]:
        assert take(s, 4) == CONNACK
    pipe.send(None)
    pipe.recv()
    begun = time.monotonic()
    for s in sockets:
        s.sendall(PINGREQ)
    for s in sockets:
        assert take(s, 2) == PINGRESP
    listener, topic = sockets[0], f"part/{part}"
    listener.sendall(packet(0x82, b"\0\1" + text(topic) + b"\0"))
    assert take(listener, 5) == SUBACK
    for i, s in enumerate(sockets):
        s.sendall(packet(0x30, text(topic) + struct.pack(">I", i)))
    size = 2 + len(text(topic)) + 4
    heard = {take(listener, size)[-4:] for _ in sockets}
    assert len(heard) == count, "messages are missing"
    pipe.send(time.monotonic() - begun)
    pipe.recv()
    os._exit(0)


def ask_all(pipes):
    for pipe in pipes:
        pipe.send(None)
    return [pipe.recv() for pipe in pipes]


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50000
    workers = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    parts = -(-count // PART)
    with Site(text=SITE % workers) as site:
        site.start()
        before, pipes = memory(site.process.pid), []
        for part in range(parts):
            ours, theirs = multiprocessing.Pipe()
            share = count * (part + 1) // parts - count * part // parts
            multiprocessing.Process(target=clients, args=(part, share, site.mqtt_port, theirs), daemon=True).start()
            theirs.close()
            pipes.append(ours)
        for pipe in pipes:
            pipe.recv()
        process, kernel = [(now - then) / count for now, then in zip(memory(site.process.pid), before)]
        files = pathlib.Path(f"/proc/{site.process.pid}/fd")
        descriptors = len(list(files.iterdir()))
        seconds = max(ask_all(pipes))
        for pipe in pipes:
            pipe.send(None)
        wait_until(lambda: len(list(files.iterdir())) < 100, what="all have gone")
    print(f"{count} connections, {workers} workers: {descriptors} descriptors, process {process:.0f} B, kernel {kernel:.0f} B "
          f"each; all have pinged and published in {seconds:.1f} s")


if __name__ == "__main__":
    main()
