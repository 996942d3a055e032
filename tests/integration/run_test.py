# ctest: timeout=300
"""`sedge run`: what it refuses and how it says so, passwords, signals, and its end."""

import itertools
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import unittest

from sedge_site import SEDGE, Process, Site, free_ports, wait_until

SERVER = 'site "t"\nserver {{ {}\n store "data" }}\n'
PLAIN = SERVER.format("mqtt 127.0.0.1:@MQTT@\n http 127.0.0.1:@HTTP@\n")


def sedge(*args, timeout=30, **kwargs):
    return subprocess.run([SEDGE, *map(str, args)], capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, check=False, **kwargs)


class Usage(unittest.TestCase):
    def test_exit_codes(self):
        cases = [
            ((), 2, "err", "usage: sedge COMMAND"),
            (("--help",), 0, "out", "usage: sedge COMMAND"),
            (("help",), 0, "out", "usage: sedge COMMAND"),
            (("--version",), 0, "out", "sedge "),
            (("fly",), 2, "err", "there is no command 'fly'"),
            (("run",), 2, "err", "usage: sedge run"),
            (("run", "--help"), 0, "out", "usage: sedge run"),
            (("run", "a", "b"), 2, "err", "usage: sedge run"),
            (("run", "--fast", "a"), 2, "err", "there is no option --fast"),
            (("run", "--driver", "warp", "a"), 2, "err", "--driver cannot be 'warp': there are io_uring and epoll"),
            (("run", "--workers", "65", "a"), 2, "err", "--workers cannot be '65': workers are 1 … 64, or auto"),
            (("run", "--workers", "0", "a"), 2, "err", "cannot be '0'"),
            (("run", "--workers", "two", "a"), 2, "err", "cannot be 'two'"),
            (("run", "/nowhere/at/all"), 1, "err", "there is no /nowhere/at/all"),
            (("check",), 2, "err", "usage: sedge check"),
            (("passwd",), 2, "err", "usage: sedge passwd"),
            (("pub",), 2, "err", "sedge pub"),
            (("sub",), 2, "err", "sedge sub"),
            (("sim",), 2, "err", "sedge sim"),
        ]
        for args, code, stream, text in cases:
            with self.subTest(args=args):
                done = sedge(*args)
                self.assertEqual(done.returncode, code, done)
                self.assertIn(text, done.stdout if stream == "out" else done.stderr)
                self.assertEqual(done.stderr if stream == "out" else done.stdout, "")


class Refused(unittest.TestCase):
    def refused(self, *words, text=None, files=None, args=(), prepare=None):
        """The site must not start: exit code 1, at once, with these words on the error stream."""
        with Site(text=text, files=files) as site:
            if prepare:
                prepare(site)
            process = site.start(*args, wait=False)
            self.assertEqual(process.wait(20), 1, process.text())
            for word in words:
                self.assertIn(word, process.text("err"))
            return process.text("err")

    def test_a_site_with_errors(self):
        said = self.refused("site.sedge:3:", "error", "help",
                            text=PLAIN.replace("\n", " ") + '\n\ndevice a: Nothing { via mqtt "a" json }\n')
        self.assertNotIn("mqtt  127", said)
        self.refused("holds no *.sedge files", files={})

    def test_a_listener_that_others_can_reach(self):
        for address in ("0.0.0.0", "[::]"):
            with self.subTest(address=address):
                for options in ("", 'passwords "users"', 'tls cert "a" key "b"'):
                    for word in ("mqtt", "websocket"):
                        self.refused(f"{word} {address}", "passwords", "insecure", "sedge passwd",
                                     text=SERVER.format(f"{word} {address}:@MQTT@ {options}"))
                said = self.refused(address, "insecure",
                                    text=SERVER.format(f"mqtt 127.0.0.1:@MQTT@ \n http {address}:@HTTP@"))
                self.assertNotIn("passwords", said)  # http has none

    def test_the_word_insecure_is_enough(self):
        """As far as the port, which is taken: no test opens an unguarded port to others."""
        for text in ("mqtt 0.0.0.0:@MQTT@ insecure", "mqtt 127.0.0.1:@MQTT@\n http 0.0.0.0:@HTTP@ insecure"):
            with self.subTest(text=text), socket.socket() as mqtt, socket.socket() as page:
                def take(site, taken=(mqtt, page)):
                    for s, port in zip(taken, (site.mqtt_port, site.http_port)):
                        s.bind(("127.0.0.1", port))
                        s.listen()
                self.refused("0.0.0.0:", "in use", text=SERVER.format(text), prepare=take)

    def test_tls_that_lacks_something(self):
        for options, words in (("tls", ("tls cert",)), ('tls cert "a.pem"', ("tls cert",)),
                               ('cert "a.pem" key "a.key"', ("go with tls",)), ("tls12", ("go with tls",)),
                               ('tls cert "a.pem" key "a.key"', ("a.pem", "can't be used: No such file")),
                               ('tls cert "site.sedge" key "a.key"', ("site.sedge", "it is not PEM"))):
            for word in ("mqtt", "websocket"):
                with self.subTest(options=options, word=word):
                    self.refused(*words, text=SERVER.format(f"{word} 127.0.0.1:@MQTT@ {options}"))

    def test_a_password_file_that_is_not_there(self):
        self.refused("nobody.passwd", "No such file",
                     text=SERVER.format('mqtt 127.0.0.1:@MQTT@ passwords "nobody.passwd"'))

    def test_a_port_that_is_in_use(self):
        for word in ("MQTT", "HTTP"):
            with self.subTest(word=word), socket.socket() as taken:
                def take(site, word=word, taken=taken):
                    port = site.mqtt_port if word == "MQTT" else site.http_port
                    taken.bind(("127.0.0.1", port))
                    taken.listen()
                    self.port = port
                said = self.refused("in use", text=PLAIN, prepare=take)
                self.assertIn(f"127.0.0.1:{self.port}", said)

    def test_a_second_sedge_on_one_store(self):
        with Site(text=PLAIN) as site:
            site.start()
            ports = free_ports(2)
            other = site.root / "other"
            other.mkdir()
            (other / "site.sedge").write_text(
                PLAIN.replace("@MQTT@", str(ports[0])).replace("@HTTP@", str(ports[1]))
                .replace('"data"', f'"{site.data}"'))
            second = sedge("run", other)
            self.assertEqual(second.returncode, 1)
            self.assertIn(str(site.data), second.stderr)
            self.assertIn("in use", second.stderr)
            self.assertEqual(site.get("/health"), {"status": "ok"})  # the first one goes on

    def test_a_store_that_is_no_folder(self):
        self.refused("data", text=PLAIN, prepare=lambda site: site.data.write_text("a file"))
        self.refused("site.sedge/data", text=PLAIN.replace('"data"', '"site.sedge/data"'))

    def test_a_database_of_somebody_else(self):
        def prepare(site):
            site.data.mkdir()
            other = sqlite3.connect(site.data / "sedge.db")
            other.execute("CREATE TABLE theirs(x)")
            other.close()
        self.refused("sedge.db", "not one of sedge", text=PLAIN, prepare=prepare)

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_a_store_that_can_not_be_read(self):
        def prepare(site):
            site.data.mkdir(mode=0)
            self.addCleanup(site.data.chmod, 0o700)
        self.refused("data", "Permission denied", text=PLAIN, prepare=prepare)

    def test_a_site_without_a_server(self):
        self.refused("server { mqtt 127.0.0.1:1883 }", text='site "t"\n')


class OneFile(unittest.TestCase):
    def test_a_site_may_be_one_file(self):
        with Site(text=PLAIN) as site:
            for path, folder in ((site.folder / "site.sedge", None), ("site.sedge", site.folder)):
                process = Process([SEDGE, "run", path], cwd=folder)
                site.others.append(process)
                wait_until(lambda: site.get("/health") == {"status": "ok"})
                self.assertEqual(process.stop(), 0)
                self.assertTrue((site.data / "sedge.db").exists())


class Passwords(unittest.TestCase):
    def set_password(self, site, user, password, *args):
        done = subprocess.run([SEDGE, "passwd", site.folder / "users", user, "--password-file", "-", *args],
                              input=password + "\n", capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((site.folder / "users").stat().st_mode & 0o777, 0o600)
        self.assertNotIn(password, (site.folder / "users").read_text())

    def publish(self, site, *args):
        return subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(site.mqtt_port), "-t", "a", "-m", "1",
                               "-q", "1", *args], capture_output=True, text=True, timeout=30).returncode

    def test_a_listener_for_all_with_passwords(self):
        with Site(text=SERVER.format('mqtt 0.0.0.0:@MQTT@ insecure passwords "users"\n http 127.0.0.1:@HTTP@')) as site:
            self.set_password(site, "ada", "correct horse")
            self.set_password(site, "bo", "b\u00fcffel")
            site.start()
            self.assertEqual(self.publish(site, "-u", "ada", "-P", "correct horse"), 0)
            self.assertEqual(self.publish(site, "-V", "5", "-u", "ada", "-P", "correct horse"), 0)
            self.assertEqual(self.publish(site, "-u", "bo", "-P", "b\u00fcffel"), 0)
            for args in ((), ("-u", "ada"), ("-u", "ada", "-P", "wrong"), ("-u", "ada", "-P", ""),
                         ("-u", "eve", "-P", "correct horse"), ("-u", "bo", "-P", "correct horse"),
                         ("-V", "5"), ("-V", "5", "-u", "ada", "-P", "wrong")):
                with self.subTest(args=args):
                    self.assertNotEqual(self.publish(site, *args), 0)
            watcher = site.spawn(["mosquitto_sub", "-h", "127.0.0.1", "-p", site.mqtt_port, "-u", "ada",
                                  "-P", "correct horse", "-i", "w", "-t", "a"])
            client = wait_until(lambda: next(c for c in site.get("/api/connections")["connections"] if c["client"] == "w"))
            self.assertEqual(client["user"], "ada")
            self.assertTrue(watcher.alive())

    def test_the_file_is_read_again_at_a_hang_up(self):
        with Site(text=SERVER.format('mqtt 127.0.0.1:@MQTT@ passwords "users"\n http 127.0.0.1:@HTTP@')) as site:
            self.set_password(site, "ada", "old")
            site.start()
            self.set_password(site, "ada", "new")
            self.assertEqual(self.publish(site, "-u", "ada", "-P", "old"), 0)  # not before it is told
            os.kill(site.process.pid, signal.SIGHUP)
            wait_until(lambda: self.publish(site, "-u", "ada", "-P", "new") == 0)
            self.assertNotEqual(self.publish(site, "-u", "ada", "-P", "old"), 0)
            (site.folder / "users").write_text("this is no password file\n")
            os.kill(site.process.pid, signal.SIGHUP)
            wait_until(lambda: "stay as they were" in site.process.text())
            self.assertEqual(self.publish(site, "-u", "ada", "-P", "new"), 0)
            (site.folder / "users").unlink()
            os.kill(site.process.pid, signal.SIGHUP)
            wait_until(lambda: site.process.text().count("stay as they were") == 2)
            self.assertEqual(self.publish(site, "-u", "ada", "-P", "new"), 0)
            self.set_password(site, "bo", "fresh")
            os.kill(site.process.pid, signal.SIGHUP)
            wait_until(lambda: self.publish(site, "-u", "bo", "-P", "fresh") == 0)
            self.assertNotEqual(self.publish(site, "-u", "ada", "-P", "new"), 0)


class TheEnd(unittest.TestCase):
    def load(self, site):
        """Clients of all kinds that don't stop by themselves. Returns what ends them."""
        port, pumps = str(site.mqtt_port), []

        def pump(stdin):
            try:
                for i in itertools.count():
                    stdin.write(b'{"v": %d, "text": "some more bytes for the journal"}\n' % i)
            except (BrokenPipeError, ValueError):
                pass  # its process has been ended
        site.spawn(["mosquitto_sub", "-p", port, "-i", "keeps", "-c", "-q", "1", "-t", "#"])
        site.spawn(["mosquitto_sub", "-p", port, "-i", "reads", "-t", "#"])
        for i in range(3):
            pub = subprocess.Popen(["mosquitto_pub", "-p", port, "-t", f"t{i}", "-q", "1", "-l", "-i", f"pump{i}"],
                                   stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            pumps.append((pub, threading.Thread(target=pump, args=(pub.stdin,), daemon=True)))
            pumps[-1][1].start()

        def end():
            for pub, thread in pumps:
                pub.kill()
                pub.wait(20)
                thread.join(20)
                try:
                    pub.stdin.close()
                except BrokenPipeError:
                    pass  # with something still to write
        return end

    def stops(self, number, driver=None):
        with Site(text=PLAIN) as site:
            site.start(*(("--driver", driver) if driver else ()))
            end = self.load(site)
            self.addCleanup(end)
            wait_until(lambda: site.get("/api/stats")["messages_in"] > 2000)
            began = time.monotonic()
            site.process.child.send_signal(number)
            code = site.process.wait(20)
            took = time.monotonic() - began
            end()
            self.assertEqual(code, 0, site.process.text())
            print(f"  stopped after {took:.2f} s", flush=True)
            site.start()
            self.assertEqual(site.get("/health"), {"status": "ok"})
            self.assertEqual(site.get("/api/stats")["journal"]["damaged"], 0)
            return took

    def test_sigterm_under_load(self):
        self.stops(signal.SIGTERM)

    def test_sigint_under_load_with_epoll(self):
        self.stops(signal.SIGINT, "epoll")

    def test_an_idle_site_stops(self):
        with Site(text=PLAIN) as site:
            site.start()
            site.process.child.send_signal(signal.SIGTERM)
            site.process.child.send_signal(signal.SIGTERM)  # impatient people
            self.assertEqual(site.process.wait(20), 0)
            site.start()
            site.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
