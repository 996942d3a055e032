#!/usr/bin/python3
"""sedge bench mqtt: it measures a broker, and sees what a bad one does to the messages.

The bad broker is a few lines of Python: it acknowledges everything and forwards in order, but for one message that
it loses, sends twice, or holds back.
"""

import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from mqtt_certificates import Certificates  # noqa: E402
from sedge_site import SEDGE, Site  # noqa: E402

SITE = 'site "bench"\nserver {\n  mqtt 127.0.0.1:@MQTT@\n  http 127.0.0.1:@HTTP@\n  store "data"\n}\n'
ODD = 40  # the number of the message that the bad broker treats badly


def bench(port, *args):
    """(exit status, figures)"""
    done = subprocess.run([SEDGE, "bench", "mqtt", *args, "-p", str(port), "--json", "--seconds", "0.3", "--warm-up", "0"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    if done.returncode not in (0, 1) or not done.stdout:
        raise AssertionError(f"{args}: {done.returncode} {done.stderr}")
    return done.returncode, json.loads(done.stdout)


class BadBroker:
    """One publisher, one subscriber, QoS 0. `crime` gets the number of a message and all held back so far."""

    def __init__(self, crime):
        self.crime = crime
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.subscriber = None
        self.forwarded = 0
        self.held = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, connection.makefile("rb") as stream:
            while head := stream.read(2):
                packet = head + stream.read(head[1])  # all are short
                if head[0] == 0x10:
                    connection.sendall(b"\x20\x02\x00\x00")
                elif head[0] == 0x82:
                    self.subscriber = connection
                    connection.sendall(b"\x90\x03" + packet[2:4] + b"\x00")
                elif head[0] == 0x30:
                    number, self.forwarded = self.forwarded, self.forwarded + 1
                    for p in self.crime(self, number, packet):
                        self.subscriber.sendall(p)

    def close(self):
        self.listener.close()


def honest(_broker, _number, packet):
    return [packet]


def loses(_broker, number, packet):
    return [] if number == ODD else [packet]


def doubles(_broker, number, packet):
    return [packet] * (2 if number == ODD else 1)


def exchanges(broker, number, packet):
    if number == ODD:
        broker.held.append(packet)
        return []
    return [packet, *([broker.held.pop()] if broker.held else [])]


class Bench(unittest.TestCase):
    def test_what_a_bad_broker_does_is_seen(self):
        for crime, lost, duplicated, reordered in ((honest, 0, 0, 0), (loses, 1, 0, 0), (doubles, 0, 1, 0),
                                                   (exchanges, 0, 0, 1)):
            with self.subTest(crime.__name__):
                broker = BadBroker(crime)
                status, figures = bench(broker.port, "pairs", "--publishers", "1", "--subscribers", "1", "--window", "100")
                broker.close()
                self.assertGreater(broker.forwarded, ODD)
                self.assertEqual((figures["lost"], figures["duplicated"], figures["reordered"]),
                                 (lost, duplicated, reordered))
                self.assertEqual(status, 1 if lost + duplicated + reordered else 0)

    def test_every_scenario_against_sedge(self):
        with Site(text=SITE) as site:
            site.start()
            pid = ["--pid", str(site.process.pid)]
            for scenario in ("fan-in", "fan-out", "pairs"):
                for qos in "01":
                    for version in ("311", "5"):
                        with self.subTest(f"{scenario} {qos} {version}"):
                            status, figures = bench(site.mqtt_port, scenario, "-q", qos, "-V", version, *pid)
                            self.assertEqual(status, 0, figures)
                            self.assertGreater(figures["delivered"], 1000)
                            self.assertGreater(figures["cpu"], 0)
            with self.subTest("open loop"):
                status, figures = bench(site.mqtt_port, "pairs", "--rate", "2000")
                self.assertEqual(status, 0, figures)
                self.assertGreater(figures["latency_max"], 0)
            with self.subTest("stored"):
                status, figures = bench(site.mqtt_port, "fan-in", "-q", "1", "--persistent")
                self.assertEqual(status, 0, figures)
                self.assertGreater(figures["acknowledged"], 1000)
            with self.subTest("waiting connections"):
                status, figures = bench(site.mqtt_port, "idle", "--connections", "500", "--sources", "50", *pid)
                self.assertEqual(status, 0, figures)
                self.assertEqual(figures["connections"], 500)

    def test_the_certificate_must_be_of_the_host(self):
        with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listener:
            certs = Certificates(folder)
            elsewhere = certs._signed("elsewhere", "elsewhere", "subjectAltName=DNS:elsewhere.example\n",
                                      certs.folder / "ca.key")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*elsewhere)

            def serve():
                while True:
                    try:
                        with context.wrap_socket(listener.accept()[0], server_side=True) as s:
                            s.recv(1000)
                    except (ssl.SSLError, ConnectionError):
                        pass
                    except OSError:
                        return

            threading.Thread(target=serve, daemon=True).start()
            # What is believed is TLS enough. Who gets past the handshake is hung up on.
            for args, refused in (([], True), (["--tls"], True), (["--server-name", "elsewhere.example"], False),
                                  (["--insecure"], False)):
                with self.subTest(args):
                    done = subprocess.run([SEDGE, "bench", "mqtt", "pairs", "-p", str(listener.getsockname()[1]), "--cafile",
                                           str(certs.ca), *args], stderr=subprocess.PIPE, text=True, timeout=60)
                    self.assertEqual(done.returncode, 1)
                    self.assertEqual("certificate verify failed" in done.stderr, refused, done.stderr)
                    self.assertIn("TLS" if refused else "subscriber's connection", done.stderr)

    def test_a_broker_that_is_not_there(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))  # and does not listen
            done = subprocess.run([SEDGE, "bench", "mqtt", "pairs", "-p", str(s.getsockname()[1])], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the broker cannot be reached", done.stderr)

    def test_wrong_usage(self):
        for args in (["mqtt"], ["mqtt", "sideways"], ["mqtt", "pairs", "-q", "3"], ["mqtt", "pairs", "--payload", "8"],
                     ["mqtt", "pairs", "--payload", "200000"],
                     ["mqtt", "pairs", "--publishers", "2"], ["mqtt", "fan-in", "more"]):
            with self.subTest(args):
                done = subprocess.run([SEDGE, "bench", *args], stderr=subprocess.PIPE, text=True, timeout=60)
                self.assertEqual(done.returncode, 2)
                self.assertNotEqual(done.stderr, "")


if __name__ == "__main__":
    unittest.main()
