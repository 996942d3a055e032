#!/usr/bin/python3
# ctest: timeout=120 workers=2
"""The real program with `server { limits { … } }`: each limit does what it says, towards clients of MQTT 5.0."""

import socket
import struct
import unittest

from mqtt_wire import PUBACK, PUBLISH, packet, text
from sedge_site import Site, wait_until

SITE = """site "small"
server {
  mqtt 127.0.0.1:@MQTT@
  http 127.0.0.1:@HTTP@
  store "data"
  limits { connections 4; queue 8; full refuse; packet 1 KiB; inflight 2; receive 20; keep_alive_max 30 s
           session_expiry_max 1h; without qos2 }
}
"""
QUEUE, ROOM = 8, 7  # what is on its way already has an eighth of it
CONNACK, DISCONNECT = 0x20, 0xE0


class Client:
    """MQTT 5.0 of few lines: next() gives the first byte of the next packet and its body."""

    def __init__(self, site, client_id, expiry=None):
        properties = b"" if expiry is None else b"\x11" + struct.pack(">I", expiry)
        self.socket = socket.create_connection(("127.0.0.1", site.mqtt_port), timeout=20)
        self.buffer, self.last_id = bytearray(), 0
        self.send(packet(0x10, text("MQTT") + bytes([5, 2 if expiry is None else 0, 0, 60, len(properties)]) + properties +
                         text(client_id)))
        try:
            first, self.connack = self.next()
            assert first == CONNACK, first
        except BaseException:
            self.close()
            raise

    def send(self, data):
        self.socket.sendall(data)

    def next(self):
        while True:
            size, shift = 0, 0
            for at, digit in enumerate(self.buffer[1:5], 2):
                size |= (digit & 0x7F) << shift
                shift += 7
                if digit < 0x80 and len(self.buffer) >= at + size:
                    first, body = self.buffer[0], bytes(self.buffer[at:at + size])
                    del self.buffer[:at + size]
                    return first, body
                if digit < 0x80:
                    break
            data = self.socket.recv(65536)
            assert data, "closed"
            self.buffer += data

    def publish(self, topic, payload):
        """At QoS 1; gives the reason of its PUBACK."""
        self.last_id += 1
        self.send(packet(PUBLISH | 2, text(topic) + struct.pack(">H", self.last_id) + b"\0" + payload))
        first, body = self.next()
        assert first == PUBACK and struct.unpack(">H", body[:2])[0] == self.last_id, (first, body)
        return body[2] if len(body) > 2 else 0

    def close(self):
        self.socket.close()


class Limits(unittest.TestCase):
    def setUp(self):
        self.site = Site(files={"a.sedge": SITE})
        self.site.start()

    def tearDown(self):
        self.site.close()

    def connections(self):
        return len(self.site.get("/api/connections")["connections"])

    def test_a_full_queue_refuses(self):
        sub = Client(self.site, "sub", expiry=1000)
        sub.send(packet(0x82, b"\0\1\0" + text("t") + b"\1"))
        self.assertEqual(sub.next()[1][-1], 1)
        sub.send(packet(DISCONNECT, b""))
        sub.close()
        wait_until(lambda: any(c["client"] == "sub" and not c["address"]
                               for c in self.site.get("/api/connections")["connections"]), what="its leaving")
        pub = Client(self.site, "pub")
        wait_until(lambda: pub.publish("t", b"x") == 0x97, what="the refusal")  # another worker's may take a moment
        again = [pub.publish("t", b"x") for _ in range(QUEUE)]
        self.assertEqual(again, [0x97] * QUEUE)
        self.assertEqual(pub.publish("other", b"x"), 0x10)
        waiting = next(c for c in self.site.get("/api/connections")["connections"] if c["client"] == "sub")["queued"]
        self.assertTrue(ROOM <= waiting <= QUEUE, waiting)
        pub.close()

    def test_a_packet_that_is_too_large(self):
        pub = Client(self.site, "pub")
        self.assertIn(b"\x27" + struct.pack(">I", 1024), pub.connack)
        self.assertEqual(pub.publish("t", b"x" * 1000), 0x10)
        pub.send(packet(PUBLISH, text("t") + b"\0" + b"x" * 1025))
        first, body = pub.next()
        self.assertEqual((first, body[0]), (DISCONNECT, 0x95))
        pub.close()

    def test_what_connack_says(self):
        c = Client(self.site, "c", expiry=100000)
        for what in (b"\x24\x01", b"\x21\x00\x14", b"\x13\x00\x1e", b"\x11" + struct.pack(">I", 3600)):
            self.assertIn(what, c.connack)  # QoS 1 at most, 20 publications at once, keep alive, session expiry
        c.close()

    def test_too_many_connections(self):
        clients = [Client(self.site, f"c{i}") for i in range(4)]
        with self.assertRaises((AssertionError, OSError)):  # refused, with a CONNACK or without
            fifth = Client(self.site, "c4")
            self.assertEqual(fifth.connack[1], 0, "refused with a reason")
        wait_until(lambda: "no more connections are taken: there are 4" in self.site.process.text(), what="the log's line")
        clients.pop().close()

        def let_in():
            c = Client(self.site, "c4")
            self.addCleanup(c.close)
            return c.connack[1] == 0
        wait_until(let_in, what="a place")
        for c in clients:
            c.close()


if __name__ == "__main__":
    unittest.main()
