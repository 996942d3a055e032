#!/usr/bin/python3
# ctest: heavy timeout=240 workers=2
"""Hostile clients: whatever they do, honest ones stay served, and the broker's memory stays bounded.

An honest pair exchanges numbered QoS 1 messages the whole time. While each kind of hostile client is at it, and after it,
all honest messages must arrive, in order, on the connections that were there from the start.
"""

import os
import random
import socket
import struct
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from mqtt_async import Session, packet, text, varint  # noqa: E402
from sedge_site import Site, wait_until  # noqa: E402

SITE = 'site "hostile"\nserver {\n  mqtt 127.0.0.1:@MQTT@\n  http 127.0.0.1:@HTTP@\n  store "data"\n}\n'
CROWD = 3000  # of clients that never speak
MIB = 1 << 20
PUT_ASIDE = 48 * MIB  # what pools may keep after a storm, and what the honest traffic takes


def connect_packet(name, version=4, keep_alive=0, clean=True):
    return Session(name, version, clean).connect_packet(keep_alive, None)


def publish_packet(topic, payload, qos=0, key=1, flags=0):
    return packet(0x30 | qos << 1 | flags, text(topic) + (struct.pack("!H", key) if qos else b"") + payload)


def subscribe_packet(topic, qos, key=1):
    return packet(0x82, struct.pack("!H", key) + text(topic) + bytes([qos]))


class Peer:
    """A raw socket."""

    def __init__(self, port, source=None, buffer=None):
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(30)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))

    def send(self, data):
        """False when the broker has closed."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def push(self, data):
        """As much as the broker takes without waiting; how much that was, or None when it has closed."""
        self.socket.setblocking(False)
        try:
            return self.socket.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            return None
        finally:
            self.socket.settimeout(30)

    def greet(self, name, version=4, keep_alive=0):
        self.send(connect_packet(name, version, keep_alive))
        self.socket.recv(4 if version == 4 else 2, socket.MSG_WAITALL)
        return self

    def closed(self):
        """Whether the broker has closed: reads what is there, without waiting."""
        self.socket.setblocking(False)
        try:
            while self.socket.recv(65536):
                pass
            return True
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            self.socket.settimeout(30)

    def close(self):
        self.socket.close()


class Honest:
    """A publisher and a subscriber, each with one connection from the start to the end."""

    def __init__(self, port):
        self.sent = self.received = self.acked = 0
        self.problem = None
        self.over = False
        self.sub, self.pub = Peer(port).greet("honest-sub"), Peer(port).greet("honest-pub")
        self.sub.send(subscribe_packet("honest/+", 1))
        self.sub.socket.recv(5, socket.MSG_WAITALL)
        self.threads = [threading.Thread(target=f, daemon=True) for f in (self._publish, self._receive)]
        for t in self.threads:
            t.start()

    def _packets(self, peer):
        stream = peer.socket.makefile("rb")
        while head := stream.read(1):
            yield head[0], stream.read(stream.read(1)[0])  # all are short

    def _publish(self):
        try:
            answers = self._packets(self.pub)
            while not self.over:
                key = self.sent % 65535 + 1
                self.pub.socket.sendall(publish_packet("honest/pair", struct.pack("!Q", self.sent), 1, key))
                self.sent += 1
                head, body = next(answers)
                if head != 0x40 or body[:2] != struct.pack("!H", key):
                    raise OSError(f"got {head:#x} {body.hex()} for a PUBACK of {key}")
                self.acked += 1
                time.sleep(0.002)
        except (OSError, StopIteration) as error:
            self.problem = self.problem or f"publisher: {error!r}"

    def _receive(self):
        try:
            for head, body in self._packets(self.sub):
                number, = struct.unpack("!Q", body[-8:])
                if number != self.received:
                    raise OSError(f"got message {number} for {self.received}")
                self.received += 1
                self.sub.socket.sendall(b"\x40\x02" + body[-10:-8])
            if not self.over:
                raise OSError("the connection was closed")
        except OSError as error:
            if not self.over:
                self.problem = self.problem or f"subscriber: {error!r}"


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = Site(text=SITE)
        cls.site.start()
        cls.port = cls.site.mqtt_port
        with open(f"/proc/{cls.site.process.pid}/maps") as f:
            cls.sanitized = "libasan" in f.read()
        cls.honest = Honest(cls.port)
        cls.rng = random.Random(int(os.environ.get("SEDGE_TEST_SEED", "1")))
        wait_until(lambda: cls.honest.received > 100, what="honest messages")

    @classmethod
    def tearDownClass(cls):
        cls.honest.over = True
        try:
            cls.site.stop()  # ends well: with a sanitizer, without a leak
        finally:
            cls.site.close()

    def setUp(self):
        self.peers = []
        self.memory = self.resident()

    def tearDown(self):
        """The honest ones get on while the hostile ones are still there, and when they have gone."""
        self.served()
        for p in self.peers:
            p.close()
        self.served()
        self.grown_less(PUT_ASIDE)

    def peer(self, *args, **how):
        self.peers.append(Peer(self.port, *args, **how))
        return self.peers[-1]

    def resident(self):
        with open(f"/proc/{self.site.process.pid}/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def grown_less(self, limit):
        """Not with a sanitizer, which keeps for a while what was freed."""
        grown = self.resident() - self.memory
        if not self.sanitized:
            self.assertLess(grown, limit, f"memory is {grown / MIB:.1f} MiB above what it was")

    def served(self):
        wanted = self.honest.received + 100
        wait_until(lambda: self.honest.problem or self.honest.received >= wanted, what="honest messages")
        self.assertIsNone(self.honest.problem)

    def all_closed(self, peers, timeout=60.0):
        """Waits until the broker has closed all of them."""
        left = list(peers)

        def none_left():
            left[:] = [p for p in left if not p.closed()]
            return not left
        wait_until(none_left, timeout, what="the broker closing hostile connections", step=0.2)

    def test_a_crowd_that_never_speaks(self):
        crowd = [self.peer(source=f"127.2.{i // 250}.{i % 250 + 1}") for i in range(CROWD)]
        self.served()
        self.grown_less(CROWD * 4096 + PUT_ASIDE)
        self.all_closed(crowd)  # CONNECT did not come in time

    def test_a_byte_now_and_then(self):
        slow = [self.peer() for _ in range(50)]
        connect = connect_packet("slow") + b"\0" * 200
        at = 0

        def gone():
            nonlocal at
            for p in slow:
                p.send(connect[:5][at % 5:at % 5 + 1] if at < 5 else b"")
            at += 1
            return all(p.closed() for p in slow)
        wait_until(gone, 60, what="the end of a CONNECT that does not come", step=0.5)

    def test_half_a_packet_and_silence(self):
        """Keep-alive is over with or without a packet's beginning."""
        halves = [self.peer().greet(f"half-{i}", keep_alive=1) for i in range(100)]
        for p in halves:
            p.send(publish_packet("x", b"y" * 100)[:50])
        self.served()
        self.all_closed(halves)

    def test_huge_lengths(self):
        for label, first in (("CONNECT", b""), ("PUBLISH", connect_packet("huge"))):
            for size in (16 * MIB + 1, 268435455):
                with self.subTest(f"{label} of {size}"):
                    head = b"\x30" if first else b"\x10"
                    some = [self.peer() for _ in range(50)]
                    for p in some:
                        p.send(first + head + varint(size))
                    self.all_closed(some)
        for length in (b"\xff\xff\xff\xff\x01", b"\x80\x80\x80\x80"):
            with self.subTest(length.hex()):
                p = self.peer()
                p.send(b"\x10" + length)
                self.all_closed([p])

    def test_many_large_packets_that_do_not_end(self):
        """Each may send what a packet may be; the rest never comes."""
        count, size = 100, MIB - 1000
        some = [self.peer().greet(f"large-{i}") for i in range(count)]
        for p in some:
            p.send(b"\x30" + varint(size) + text("x") + b"z" * (size // 2))
        self.served()
        self.grown_less(count * MIB + PUT_ASIDE)

    def test_packets_out_of_order(self):
        hello = connect_packet("disorder")
        for label, data in (
                ("PUBLISH first", publish_packet("a", b"b")), ("SUBSCRIBE first", subscribe_packet("#", 0)),
                ("PINGREQ first", b"\xc0\0"), ("nothing that is a packet", b"GET / HTTP/1.1\r\n\r\n"),
                ("two CONNECTs", hello * 2), ("CONNACK from a client", hello + b"\x20\x02\0\0"),
                ("SUBACK from a client", hello + b"\x90\x03\0\x01\0"), ("PINGRESP from a client", hello + b"\xd0\0"),
                ("type 0", hello + b"\0\0"), ("type 15", hello + b"\xf0\0"),
                ("QoS 3", hello + b"\x36\x07\0\x01a\0\x01xx"), ("packet id 0", hello + publish_packet("a", b"b", 1, 0)),
                ("wildcard in a topic", hello + publish_packet("a/#", b"b")),
                ("wrong flags", hello + b"\x80\x06\0\x01\0\x01a\0"), ("no filter", hello + b"\x82\x02\0\x01"),
                ("bad filter", hello + subscribe_packet("a/#/b", 0)), ("bad UTF-8", hello + publish_packet(b"\xc0\x80", b"b")),
                ("a surrogate", hello + publish_packet(b"\xed\xa0\x80", b"b"))):
            with self.subTest(label):
                p = self.peer()
                p.send(data)
                self.all_closed([p])
        for label, data in (("PUBACK of nothing", b"\x40\x02\0\x09"), ("PUBREL of nothing", b"\x62\x02\0\x09"),
                            ("PUBREC of nothing", b"\x50\x02\0\x09"), ("PUBCOMP of nothing", b"\x70\x02\0\x09")):
            with self.subTest(label):  # may be answered or closed, but nobody else notices
                p = self.peer()
                p.send(hello + data * 1000)
                self.served()

    def test_garbage(self):
        """Half behind a good CONNECT, in all sizes."""
        for i in range(400):
            p = self.peer()
            p.send((connect_packet(f"garbage-{i}") if i % 2 else b"") + self.rng.randbytes(self.rng.randrange(1, 3000)))
            if i % 50 == 0:
                self.served()

    def flood_the_deaf(self):
        deaf = [self.peer(buffer=4096).greet(f"deaf-{q}-{i}") for q in (0, 1) for i in range(5)]
        for i, p in enumerate(deaf):
            p.send(subscribe_packet("flood/#", 0 if i < 5 else 1))
        flood = self.peer().greet("flood")
        data = publish_packet("flood/a", b"f" * 1000) * 100
        for _ in range(2000):  # 200 MB to each; a queue has a bound of 64 MiB
            self.assertTrue(flood.send(data))
        self.served()

    def test_one_that_does_not_read_what_it_subscribed_to(self):
        """At QoS 0 its messages are dropped, at QoS 1 they wait up to its bound; nobody waits for it.

        What the allocator gives back to the system when they have gone is chance where two threads used it; what the first
        flood needed must do for all that follow.
        """
        self.flood_the_deaf()
        self.grown_less(128 * MIB)
        self.memory = self.resident()
        for _ in range(2):
            for p in self.peers:
                p.close()
            self.peers.clear()
            self.flood_the_deaf()

    def test_one_that_publishes_and_does_not_read_its_acknowledgements(self):
        some = [self.peer(buffer=4096).greet(f"mute-{i}") for i in range(5)]
        data = b"".join(publish_packet("mute", b"m" * 10, 1, k) for k in range(1, 2001))
        still = 0

        def nothing_is_taken():
            """For a second: the broker has stopped to read from all of them."""
            nonlocal still
            taken = 0
            for p in some:
                while n := p.push(data):
                    taken += n
            still = 0 if taken else still + 1
            return still >= 20
        wait_until(nothing_is_taken, 60, what="back-pressure", step=0.05)
        self.served()
        self.grown_less(64 * MIB)

    def test_a_flood_of_subscriptions(self):
        p = self.peer().greet("collector")
        reader = threading.Thread(target=lambda: [None for _ in iter(lambda: p.socket.recv(65536), b"")], daemon=True)
        reader.start()
        for i in range(0, 30000, 100):
            p.send(b"".join(subscribe_packet(f"sub/{k}/+/#", 1, k % 65535 + 1) for k in range(i, i + 100)))
        self.served()
        self.grown_less(64 * MIB)
        p.socket.shutdown(socket.SHUT_RDWR)
        reader.join(30)

    def test_a_flood_of_connections(self):
        """One name, again and again, and names that are never used again."""
        for i in range(3000):
            p = Peer(self.port)
            p.send(connect_packet("same" if i % 2 else f"once-{i}"))
            p.close()
        self.served()


if __name__ == "__main__":
    unittest.main()
