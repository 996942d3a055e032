#!/usr/bin/python3
# ctest: timeout=180
"""More clients than the broker may have descriptors: the later ones are as good as the first."""

import resource
import select
import socket
import struct
import unittest

from mqtt_wire import packet, text
from sedge_site import Site, wait_until

SITE = """site "crowded"
server {
  mqtt 127.0.0.1:@MQTT@
  http 127.0.0.1:@HTTP@
  store "data"
  workers 2
}
"""
FILES = 400  # of the broker
CLIENTS = 800
CONNACK, SUBACK = b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x00"
PINGREQ, PINGRESP = b"\xc0\x00", b"\xd0\x00"
SHARED, LONG = b"to all", bytes(range(250)) * 400


class Client:
    def __init__(self, port, name):
        self.name = name
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.sendall(packet(0x10, text("MQTT") + bytes([4, 2, 0, 0]) + text(name)))
        assert self.take(4) == CONNACK

    def take(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise ConnectionError(f"{self.name}: closed")
            data += piece
        return data

    def subscribe(self, topic):
        self.socket.sendall(packet(0x82, struct.pack(">H", 1) + text(topic) + b"\0"))
        assert self.take(5) == SUBACK

    def publish(self, topic, payload):
        self.socket.sendall(packet(0x30, text(topic) + payload))

    def ended(self):
        """Did the broker close?"""
        return select.select([self.socket], [], [], 0)[0] and not self.socket.recv(1)


def start_with_files(site, files):
    """The limit is the child's, the hard one too: sedge raises the soft one to it."""
    site.start(prepare=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)))


class Beyond(unittest.TestCase):
    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < CLIENTS + 100:
            self.skipTest(f"a process may have {hard} descriptors only")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, CLIENTS + 100), hard))
        self.site = Site(text=SITE)
        self.addCleanup(self.site.__exit__, None, None, None)
        self.site.__enter__()
        start_with_files(self.site, FILES)
        if self.site.get("/api/stats")["driver"] != "io_uring":
            self.skipTest("there is no io_uring here")
        self.clients = []
        self.addCleanup(lambda: [c.socket.close() for c in self.clients])

    def connections(self):
        return self.site.get("/api/connections")["connections"]

    def connect_all(self, round_):
        for i in range(CLIENTS):
            self.clients.append(Client(self.site.mqtt_port, f"{round_}-{i}"))

    def test_all_are_served(self):
        for round_ in range(2):  # the second one finds the places that the first one has left
            self.connect_all(round_)
            for client in self.clients:
                client.subscribe("all")
                client.subscribe("long/" + client.name)
            self.clients[0].publish("all", SHARED)
            message = packet(0x30, text("all") + SHARED)
            for client in self.clients:
                self.assertEqual(client.take(len(message)), message)
            for client in self.clients[::40]:
                client.publish("long/" + client.name, LONG)
                message = packet(0x30, text("long/" + client.name) + LONG)
                self.assertEqual(client.take(len(message)), message)
            for client in self.clients:
                client.socket.sendall(PINGREQ)
                self.assertEqual(client.take(2), PINGRESP)
            for client in self.clients:
                client.socket.close()
            self.clients.clear()
            wait_until(lambda: not self.connections(), what="all have gone")

    def test_each_has_its_address_and_can_be_replaced(self):
        self.connect_all(0)
        known = {c["client"]: c["address"] for c in self.connections()}
        for client in self.clients:
            host, port = client.socket.getsockname()
            self.assertEqual(known[client.name], f"{host}:{port}")
        for old in self.clients[CLIENTS - 50:]:
            self.clients.append(Client(self.site.mqtt_port, old.name))
            wait_until(old.ended, what="who is replaced is closed")


if __name__ == "__main__":
    unittest.main()
