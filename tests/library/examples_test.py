"""The examples, built against the installed library, shared and static, and what they do."""

import re
import signal
import socket
import subprocess
import unittest

from sedge_installed import SOURCE, Installed, run
from sedge_site import Process, Site, wait_until

EXAMPLES = SOURCE / "examples/rt"
MQTT = SOURCE / "examples/mqtt"
SITE = 'site "examples"\nserver {\n  mqtt 127.0.0.1:@MQTT@\n  http 127.0.0.1:@HTTP@\n  store "data"\n}\n'

# What each says, as a pattern of the whole.
SAYS = {
    "pipeline": r"the sum of the squares is 338350\n",
    "fan_out": r"17984 primes below 200000\n",
    "rate_limiter": r"12 requests took (\d+) ms\n",
    "timer": r"(beat \d\n){5}no beat for \d+ ms\n",
}

TALKS = {"echo"}


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lib = cls.enterClassContext(Installed())

    def test_there_is_no_other(self):
        self.assertEqual(sorted(p.stem for p in EXAMPLES.glob("*.c")), sorted([*SAYS, *TALKS]))

    def test_they_are_short(self):
        for path in (SOURCE / "examples").glob("*/*.c"):
            self.assertTrue(20 <= len(path.read_text().splitlines()) <= 85, path.name)

    def test_mqtt_with_the_broker(self):
        self.assertEqual(sorted(p.stem for p in MQTT.glob("*.c")), ["logger", "reading", "sensor"])
        said = [f"demo/sensor/level {20 + i}" for i in range(5)]
        with Site(text=SITE) as site:
            site.start()
            for static in [False, True]:
                logger, sensor = (self.lib.compile(MQTT / f"{name}.c", static=static, library="mqtt")
                                  for name in ["logger", "sensor"])
                log = Process([logger, "127.0.0.1", site.mqtt_port], env=self.lib.env)
                wait_until(lambda: "subscribed" in log.text("err"), what="the subscription")
                self.assertIn("5 of 5", run(sensor, "127.0.0.1", site.mqtt_port, env=self.lib.env))
                wait_until(lambda: log.text("out").endswith("demo/sensor/here no") and "level 24" in log.text("out"),
                           what="the will, behind all measurements")
                self.assertEqual(log.stop(), 0)
                lines = log.text("out").split("\n")
                self.assertEqual([line for line in lines if "level" in line], said)
                # What is published while nobody is there waits in the session.
                run(sensor, "127.0.0.1", site.mqtt_port, env=self.lib.env)
                log = Process([logger, "127.0.0.1", site.mqtt_port], env=self.lib.env)
                wait_until(lambda: log.text("out").count("level") == 5, what="what had waited")
                self.assertEqual(log.stop(), 0)

    def test_readings(self):
        program = self.lib.compile(MQTT / "reading.c", library="mqtt")
        with Site(text=SITE) as site:
            # The port is not its business: a reader's broker is at the usual one.
            moved = self.lib.write("reading_moved.c", (MQTT / "reading.c").read_text().replace(
                ".host = words[2]", f".host = words[2], .port = {site.mqtt_port}"))
            site.start()
            said = run(self.lib.compile(moved, library="mqtt"), "lab/load", env=self.lib.env)
            self.assertRegex(said, r"^(\{\"load\": \d+\.\d\d\}: acknowledged\n){5}$")
        with self.assertRaisesRegex(AssertionError, "usage: reading TOPIC"):
            run(program, env=self.lib.env)

    def test_mqtt_says_what_it_misses_and_goes_on(self):
        logger = Process([self.lib.compile(MQTT / "logger.c", library="mqtt"), "no-such-name.invalid"], env=self.lib.env)
        try:
            wait_until(lambda: logger.text("err").count("no-such-name.invalid") > 1, what="two attempts")
            logger.child.send_signal(signal.SIGINT)
            self.assertEqual(logger.wait(), 0)
        finally:
            if logger.alive():
                logger.child.kill()

    def test_what_they_say(self):
        for name, pattern in SAYS.items():
            for static in [False, True]:
                with self.subTest(name, static=static):
                    said = run(self.lib.compile(EXAMPLES / f"{name}.c", static=static), env=self.lib.env)
                    match = re.fullmatch(pattern, said)
                    self.assertTrue(match, said)
                    if name == "rate_limiter":  # five at once, seven that wait ten milliseconds each
                        self.assertGreaterEqual(int(match.group(1)), 70)

    def test_echo_with_a_client(self):
        for end in [signal.SIGINT, signal.SIGTERM]:
            program = self.lib.compile(EXAMPLES / "echo.c")
            server = subprocess.Popen([program, "0"], env=self.lib.env, stderr=subprocess.PIPE, text=True)
            try:
                port = int(re.search(r"echo on port (\d+)", server.stderr.readline()).group(1))
                clients = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(3)]
                sent = bytes(range(256)) * 400
                for client in clients:
                    client.sendall(sent)
                for client in clients:
                    with client.makefile("rb") as received:
                        self.assertEqual(received.read(len(sent)), sent)
                clients[0].shutdown(socket.SHUT_WR)
                self.assertEqual(clients[0].recv(1), b"")
                server.send_signal(end)
                self.assertEqual(clients[1].recv(1), b"")  # it winds up while we are connected
                for client in clients:
                    client.close()
                self.assertEqual(server.wait(20), 0)
            finally:
                server.kill()
                server.wait()
                server.stderr.close()

    def test_echo_says_why_it_can_not_start(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            with self.assertRaisesRegex(AssertionError, "exit 1\ncan't listen on 127.0.0.1:.*in use"):
                run(self.lib.compile(EXAMPLES / "echo.c"), taken.getsockname()[1], env=self.lib.env)


unittest.main()
