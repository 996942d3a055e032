# ctest: timeout=180 workers=2
"""`sedge run` under a service manager: what it tells, its watchdog, its log, its end."""

import json
import resource
import signal
import socket
import struct
import threading
import unittest

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from sedge_manager import Manager
from sedge_site import SEDGE, Process, Site, wait_until

SITE = 'site "t"\nserver { mqtt 127.0.0.1:@MQTT@\n http 127.0.0.1:@HTTP@\n store "data" }\n'


class Notify(unittest.TestCase):
    def test_ready_reloading_and_stopping(self):
        for abstract in (True, False):
            with self.subTest(abstract=abstract), Manager(abstract) as manager, Site(text=SITE) as site:
                site.start(env=manager.env())
                manager.wait("READY=1")
                with socket.create_connection(("127.0.0.1", site.mqtt_port), 5):
                    pass  # it was open when it said so
                self.assertIn('site "t": 0 devices', manager.told("STATUS"))
                self.assertIsNone(manager.told("WATCHDOG"))
                manager.forget()
                site.process.child.send_signal(signal.SIGHUP)
                manager.wait("READY=1")
                self.assertLess(manager.lines().index("RELOADING=1"), manager.lines().index("READY=1"))
                self.assertGreater(int(manager.told("MONOTONIC_USEC")), 0)
                self.assertIn("the changed site runs", manager.told("STATUS"))
                manager.forget()
                site.write("broken.sedge", "device ???")
                site.process.child.send_signal(signal.SIGHUP)
                manager.wait("READY=1")
                self.assertIn("refused", manager.told("STATUS"))
                site.stop()
                manager.wait("STOPPING=1")

    def test_a_start_that_fails_says_why(self):
        with Manager() as manager, Site(text=SITE) as site, socket.socket() as taken:
            taken.bind(("127.0.0.1", site.mqtt_port))
            taken.listen()
            site.start(env=manager.env(), wait=False)
            self.assertEqual(site.process.wait(), 1)
            self.assertIn("in use", manager.told("STATUS"))
            self.assertIsNone(manager.told("READY"))

    def test_signs_of_life(self):
        """A stopped process gives none; that all workers must work for one is heartbeat_test.c's."""
        with Manager() as manager, Site(text=SITE) as site:
            site.start(env=manager.env(watchdog_ms=100))
            manager.wait("WATCHDOG=1", 5)

    def test_a_replay_asks_for_time(self):
        with Manager() as manager, Site(text=SITE) as site:
            site.start()
            site.publish("a", "1", "-q", "1", "-r")
            site.kill()
            site.start(env=manager.env())
            manager.wait("READY=1")
            self.assertGreaterEqual(int(manager.told("EXTEND_TIMEOUT_USEC")), 1000000)
            self.assertTrue(any("segment 1 of 1" in line for line in manager.lines()))


class Secrets(unittest.TestCase):
    def test_a_password_file_from_the_service_manager(self):
        text = SITE.replace("mqtt 127.0.0.1:@MQTT@", 'mqtt 127.0.0.1:@MQTT@ passwords "credential:users"')
        with Site(text=text) as site:
            site.start(wait=False)
            self.assertEqual(site.process.wait(), 1)
            self.assertIn("LoadCredential=users:FILE", site.process.text())
            secret = site.root / "credentials"
            secret.mkdir()
            Process([SEDGE, "passwd", "-b", "-c", secret / "users", "ann", "secret"]).wait()
            site.start(env={"CREDENTIALS_DIRECTORY": str(secret)})
            site.publish("a", "1", "-u", "ann", "-P", "secret", "-q", "1")


class Limits(unittest.TestCase):
    def test_as_many_descriptors_as_are_allowed(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with Site(text=SITE) as site:
            resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
            try:
                site.start()
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            self.assertEqual(resource.prlimit(site.process.pid, resource.RLIMIT_NOFILE), (hard, hard))


class Log(unittest.TestCase):
    def test_json(self):
        with Site(text=SITE) as site:
            site.start("--log", "json", wait=False)
            wait_until(lambda: '"text":"page' in site.process.text("err"))
            site.stop()
            lines = [json.loads(line) for line in site.process.text("err").splitlines()]
            self.assertTrue(all(set(line) == {"time", "level", "part", "text"} for line in lines))
            self.assertIn("stopping", [line["text"] for line in lines])

    def test_levels(self):
        with Site(text=SITE) as site:
            site.start("--level", "warn", wait=False)
            wait_until(lambda: site.get("/health"))
            site.process.child.send_signal(signal.SIGUSR1)
            wait_until(lambda: "tells everything" in site.process.text())
            site.process.child.send_signal(signal.SIGUSR2)
            site.process.child.send_signal(signal.SIGUSR1)
            wait_until(lambda: site.process.text().count("tells everything") == 2)
            self.assertNotIn("as much as", site.process.text())  # that is no warning
            self.assertNotIn("INFO app: site", site.process.text())

    def test_a_client_forges_no_lines(self):
        hostile = b"x\n2026-01-01T00:00:00.000Z ERROR forged: line\x1b[2J"
        name = struct.pack(">H", len(hostile)) + hostile
        body = b"\0\4MQTT\4\2\0\x3c" + name
        with Site(text=SITE) as site:
            site.start("--verbose")
            with socket.create_connection(("127.0.0.1", site.mqtt_port), 5) as s:
                s.sendall(bytes([0x10, len(body)]) + body + b"\xff\0")  # and a packet that there is not
                self.assertTrue(s.recv(100))
                s.recv(100)
            wait_until(lambda: "forged" in site.process.text())
            self.assertFalse([line for line in site.process.text().splitlines() if line.startswith("2026-01-01")])
            self.assertIn("\\n2026-01-01", site.process.text())


class Client:
    """paho, MQTT 5, that notes what was acknowledged. (It does not tell the reason of a DISCONNECT without properties.)"""

    def __init__(self, site, name, clean=True):
        self.acknowledged = set()
        self.gone = threading.Event()
        self.connected = threading.Event()
        self.paho = paho.Client(name, protocol=paho.MQTTv5)
        self.paho.on_connect = lambda *_: self.connected.set()
        self.paho.on_disconnect = lambda *_: self.gone.set()
        self.paho.on_publish = lambda c, u, mid: self.acknowledged.add(mid)
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 0 if clean else 1000
        self.paho.connect("127.0.0.1", site.mqtt_port, clean_start=clean, properties=properties)
        self.paho.loop_start()
        self.connected.wait(10)

    def stop(self):
        self.paho.on_disconnect = None
        self.paho.disconnect()
        self.paho.loop_stop()


class Stop(unittest.TestCase):
    def test_clients_are_told_and_what_was_acknowledged_is_there(self):
        with Site(text=SITE) as site:
            site.start()
            told = [site.spawn(["stdbuf", "-oL", "mosquitto_sub", "-V", "5", "-d", "-i", f"s{i}", "-p", site.mqtt_port, "-t", "#"]) for i in range(2)]
            for listener in told:
                wait_until(lambda listener=listener: "Subscribed" in listener.text())
            clients = [Client(site, f"c{i}") for i in range(8)]
            sent = {}
            for i in range(400):
                info = clients[i % 8].paho.publish(f"kept/{i}", str(i), qos=1, retain=True)
                sent[clients[i % 8], info.mid] = i
            site.stop(timeout=20)
            for client in clients:
                self.assertTrue(client.gone.wait(20))
                client.stop()
            for listener in told:
                wait_until(lambda listener=listener: "DISCONNECT (139)" in listener.text(), what="0x8B")
            acknowledged = {i for (client, mid), i in sent.items() if mid in client.acknowledged}
            self.assertNotIn("did not go", site.process.text())
            site.start()
            seen = set()
            reader = Client(site, "reader")
            reader.paho.on_message = lambda c, u, m: seen.add(int(m.payload))
            reader.paho.subscribe("kept/#", 1)
            wait_until(lambda: acknowledged <= seen, what=f"{len(acknowledged)} retained messages")
            reader.stop()

    def test_who_does_not_read_holds_nothing_up(self):
        """A second signal does not wait for him."""
        with Site(text=SITE) as site:
            site.start()
            with socket.create_connection(("127.0.0.1", site.mqtt_port), 5) as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                s.sendall(b"\x10\x0d\0\4MQTT\4\2\0\x3c\0\1a" + b"\x82\6\0\1\0\1#\0")
                self.assertEqual(s.recv(4), b"\x20\2\0\0")
                for _ in range(40):
                    site.publish("big", "x" * 100000)
                for number in (signal.SIGTERM, signal.SIGINT):
                    site.process.child.send_signal(number)
                self.assertEqual(site.process.wait(), 0)
            self.assertIn("stopping at once", site.process.text())


if __name__ == "__main__":
    unittest.main()
