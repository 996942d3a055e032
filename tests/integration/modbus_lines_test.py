# ctest: timeout=180
"""The Modbus engine on real connections and on a serial line (two pseudo-terminals), against libmodbus: units that are dead,
lines that are cut, slow, noisy, or pulled out."""

import os
import pathlib
import select
import shutil
import socket
import tempfile
import threading
import time
import tty
import unittest

from sedge_site import Process, Site, accepts, free_ports, wait_until

BUILD = pathlib.Path(os.environ.get("SEDGE_BUILD", pathlib.Path(os.environ["SEDGE_BIN"]).parent))
SERVER, RTU = BUILD / "modbus-server", BUILD / "modbus_rtu"

MODEL = """
model Meter { property power: W; property energy: J; property lit: bool
  action on() confirms lit == true; action off() confirms lit == false; safe off() }
server { mqtt 127.0.0.1:@MQTT@; http 127.0.0.1:@HTTP@; store "data" }
site "modbus"
"""


def device(name, link, unit, mappings, options="every 100ms timeout 200ms"):
    return f'device t.{name}: Meter {{ id "urn:{name}"; via modbus "{link}" unit {unit} {options} {{\n{mappings}\n}} }}\n'


FULL = "power = holding 10\nenergy = holding 12 u32\nlit = coil 3\non = coil 3 on\noff = coil 3 off"


class Device(Process):
    """A program that goes on as long as its input is open."""

    def __init__(self, *command):
        super().__init__(command, stdin=True)

    def close(self):
        self.child.stdin.close()
        self.wait()


class Server(Device):
    """libmodbus over TCP (tools/modbus-server.c)."""

    def __init__(self, port, *lines):
        super().__init__(SERVER, "127.0.0.1", port)
        wait_until(lambda: accepts(port), what="modbus-server listens")
        self.say(*lines)

    def say(self, *lines):
        self.child.stdin.write("".join(f"{line}\n" for line in lines).encode())
        self.child.stdin.flush()


class Rtu(Device):
    """libmodbus as one unit of a serial line (tests/clients/modbus_rtu.c)."""

    def __init__(self, path, unit):
        super().__init__(RTU, path, unit)
        wait_until(lambda: "ready" in self.text(), what="the unit is there")


class Proxy:
    """Between sedge and a server: bytes in pieces, late, not at all, or cut."""

    def __init__(self, port, target):
        self.target, self.delay, self.piece, self.open, self.hole = target, 0.0, 0, True, False
        self.connections, self.pairs = 0, []
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            if not self.open:
                near.close()
                continue
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            far = socket.create_connection(("127.0.0.1", self.target))
            far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.pairs.append((near, far))
            for pair in ((near, far, False), (far, near, True)):
                threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source, sink, answers):
        try:
            while data := source.recv(4096):
                if self.hole:
                    continue
                if answers and self.delay:
                    time.sleep(self.delay)
                step = self.piece if answers and self.piece else len(data)
                for at in range(0, len(data), step):
                    sink.sendall(data[at:at + step])
                    if step < len(data):
                        time.sleep(0.001)
        except OSError:
            pass

    def cut(self):
        for near, far in self.pairs:
            for s in (near, far):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # it has ended by itself
                s.close()
        self.pairs.clear()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # ends the accept
        self.listener.close()
        self.cut()


class Line:
    """A serial line: sedge's end at `path`, a link that stays the same when the adapter is pulled out and put back; the
    slave's end at `far`. What passes may be changed on the way."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder, "line")
        self.far_master, far = os.openpty()
        tty.setraw(far)
        self.far, self.far_kept = os.ttyname(far), far
        self.master = self.kept = None
        self.noise, self.corrupt, self.half, self.drop = b"", 0, 0, 0
        self.plug()
        self.over = False
        self.thread = threading.Thread(target=self._pump)
        self.thread.start()

    def plug(self):
        master, slave = os.openpty()
        tty.setraw(slave)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(slave))
        self.master, self.kept = master, slave

    def pull(self):
        master, self.master = self.master, None
        self.path.unlink()
        os.close(self.kept)
        os.close(master)

    def close(self):
        self.over = True
        self.thread.join()
        for fd in (self.master, self.kept, self.far_master, self.far_kept):
            os.close(fd)

    def _pump(self):
        while not self.over:
            masters = [fd for fd in (self.master, self.far_master) if fd is not None]
            try:
                for fd in select.select(masters, [], [], 0.02)[0]:
                    data = os.read(fd, 4096)
                    os.write(self.far_master, data) if fd == self.master else self._answer(data)
            except (OSError, TypeError, ValueError):
                time.sleep(0.01)

    def _answer(self, data):
        if self.drop:
            self.drop -= 1
            return
        if self.corrupt:
            self.corrupt -= 1
            data = data[:-1] + bytes([data[-1] ^ 0xFF])
        if self.half:
            self.half -= 1
            data = data[:len(data) // 2]
        os.write(self.master, self.noise + data)


class Case(unittest.TestCase):
    def run_site(self, *devices):
        site = Site(text=MODEL + "".join(devices))
        self.addCleanup(site.close)
        site.start()
        return site

    def start(self, make, *args):
        thing = make(*args)
        self.addCleanup(thing.close)
        return thing

    def value(self, site, name):
        p = site.property(name)
        return p["value"] if p["quality"] == "good" else None

    def reads(self, site, name, value):
        wait_until(lambda: self.value(site, name) == value, what=f"{name} is {value}")

    def stale(self, site, name):
        wait_until(lambda: site.property(name)["quality"] == "stale", what=f"{name} is stale")

    def command(self, site, name, action):
        status, answer = site.request(f"/api/devices/{name}/actions/{action}", body={"by": "Ada", "args": {}})
        self.assertIn(status, (200, 201, 202), answer)

    def fresh(self, site, name):
        """It is read again and again."""
        seen = site.property(name)["ts_ms"]
        wait_until(lambda: site.property(name)["ts_ms"] > seen, what=f"a new {name}")


class Gateway:
    """A simple serial server: passes bytes on between one TCP connection and the far end of a line."""

    def __init__(self, port, fd):
        self.fd, self.over = fd, False
        self.listener = socket.create_server(("127.0.0.1", port))
        self.listener.settimeout(0.1)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        while not self.over:
            try:
                client, _ = self.listener.accept()
            except TimeoutError:
                continue
            with client:
                self._pass_on(client)

    def _pass_on(self, client):
        while not self.over:
            for source in select.select([client, self.fd], [], [], 0.1)[0]:
                if source is client:
                    if not (data := client.recv(4096)):
                        return
                    os.write(self.fd, data)
                else:
                    client.sendall(os.read(self.fd, 4096))

    def close(self):
        self.over = True
        self.thread.join()
        self.listener.close()


UNITS = ["set 1 holding 10 230 0 1 0", "set 1 coil 3 0", "set 2 holding 10 111 0 0 7", "set 2 coil 3 0"]


class Tcp(Case):
    def setUp(self):
        self.port, self.behind = free_ports(2)
        self.server = self.start(Server, self.behind, *UNITS)
        self.proxy = self.start(Proxy, self.port, self.behind)
        self.link = f"tcp://127.0.0.1:{self.port}"

    def test_a_dead_unit_beside_living_ones(self):
        self.server.say("silent 2")
        site = self.run_site(*(device(f"m{u}", self.link, u, FULL) for u in (1, 2)))
        self.reads(site, "t.m1.power", 230)
        self.reads(site, "t.m1.energy", 65536)
        for _ in range(5):
            self.fresh(site, "t.m1.power")
        self.assertIsNone(self.value(site, "t.m2.power"))
        self.server.say("speaks 2")
        self.reads(site, "t.m2.energy", 7)
        self.server.say("silent 2")
        self.stale(site, "t.m2.power")
        self.fresh(site, "t.m1.power")

    def test_a_command_is_written_and_confirmed(self):
        site = self.run_site(device("m1", self.link, 1, FULL))
        self.reads(site, "t.m1.lit", False)
        self.command(site, "t.m1", "on")
        wait_until(lambda: "wrote 1 coil 3 1" in self.server.text(), what="the coil is written")
        self.reads(site, "t.m1.lit", True)
        wait_until(lambda: site.get("/api/actions")["actions"][0]["state"] == "confirmed", what="confirmed")

    def test_a_cut_connection_and_a_server_that_goes_and_comes_back(self):
        site = self.run_site(device("m1", self.link, 1, FULL))
        self.reads(site, "t.m1.power", 230)
        before = self.proxy.connections
        self.proxy.open = False
        self.proxy.cut()
        self.stale(site, "t.m1.power")
        self.server.say("set 1 holding 10 231")
        self.proxy.open = True
        self.reads(site, "t.m1.power", 231)
        self.assertGreater(self.proxy.connections, before)

    def test_a_connection_that_swallows_everything_is_made_again(self):
        site = self.run_site(device("m1", self.link, 1, FULL))
        self.reads(site, "t.m1.power", 230)
        before = self.proxy.connections
        self.proxy.hole = True
        wait_until(lambda: self.proxy.connections > before, what="another connection")
        self.proxy.hole = False
        self.reads(site, "t.m1.power", 230)

    def test_answers_late_and_in_pieces(self):
        self.proxy.delay, self.proxy.piece = 0.05, 1
        site = self.run_site(device("m1", self.link, 1, FULL))
        self.reads(site, "t.m1.energy", 65536)
        self.fresh(site, "t.m1.energy")
        self.assertEqual(self.proxy.connections, 1)

    def test_an_address_that_the_unit_has_not(self):
        site = self.run_site(device("m1", self.link, 1, "power = holding 10\nenergy = holding 13 u32\nlit = coil 3\n"
                                                        "on = coil 3 on\noff = coil 3 off"))
        self.reads(site, "t.m1.power", 230)  # 14 is behind its end: the block is refused, and cut
        wait_until(lambda: "unit 1 refuses holding 13 (2): illegal data address" in site.process.text(), what="it is named")
        self.fresh(site, "t.m1.power")
        self.assertIsNone(self.value(site, "t.m1.energy"))

    def test_what_is_asked_seldom_is_not_stale_in_between(self):
        site = self.run_site(device("m1", self.link, 1, FULL, "every 5min"), device("m2", self.link, 2, FULL))
        self.assertEqual(site.property("t.m1.power")["stale_ms"], 3 * 300_000)
        self.assertEqual(site.property("t.m2.power")["stale_ms"], 60_000)

    def test_names_are_resolved(self):
        site = self.run_site(device("m1", f"tcp://{socket.gethostname()}:{self.port}", 1, FULL),
                             device("m2", "tcp://no-such-host.invalid:502", 2, FULL))
        wait_until(lambda: "no-such-host.invalid has no address" in site.process.text(), what="the name has no address")
        self.assertTrue(site.get("/api/site")["devices"])  # nobody waits for it


class Serial(Case):
    def setUp(self):
        folder = tempfile.mkdtemp(prefix="sedge-line-")
        self.addCleanup(shutil.rmtree, folder)
        self.line = self.start(Line, folder)
        self.slave = self.start(Rtu, self.line.far, 5)
        self.link = f"rtu:{self.line.path}"
        self.options = "every 100ms timeout 200ms baud 115200 parity none"

    def devices(self):
        return [device(f"m{u}", self.link, u, FULL, self.options) for u in (5, 6)]  # nobody is 6

    def test_reads_and_writes_beside_a_dead_unit(self):
        site = self.run_site(*self.devices())
        self.reads(site, "t.m5.power", 1010)
        self.reads(site, "t.m5.energy", 1012 * 65536 + 1013)
        self.command(site, "t.m5", "on")
        self.reads(site, "t.m5.lit", True)
        self.assertIn("wrote 5", self.slave.text())
        wait_until(lambda: "unit 6 does not answer; it is offline" in site.process.text(), what="the dead unit is found")
        for _ in range(5):
            self.fresh(site, "t.m5.power")

    def test_noise_damage_and_halves(self):
        site = self.run_site(self.devices()[0])
        self.reads(site, "t.m5.power", 1010)
        for trouble in ({"noise": b"\x05\x03\x00\xff"}, {"corrupt": 2}, {"half": 2}, {"drop": 2}):
            with self.subTest(trouble):
                vars(self.line).update(trouble)
                for _ in range(4):
                    self.fresh(site, "t.m5.power")
                self.assertEqual(self.value(site, "t.m5.power"), 1010)
                self.line.noise = b""

    def test_an_adapter_is_pulled_out_and_put_back(self):
        site = self.run_site(self.devices()[0])
        self.reads(site, "t.m5.power", 1010)
        self.line.pull()
        self.stale(site, "t.m5.power")
        self.line.plug()
        self.reads(site, "t.m5.power", 1010)

    def test_the_device_is_not_shared(self):
        site = self.run_site(self.devices()[0])
        self.reads(site, "t.m5.power", 1010)
        with Site(text=MODEL + self.devices()[0]) as other:
            other.start()
            wait_until(lambda: f"another program has {self.line.path}" in other.process.text(), what="it is taken")
            other.stop()
        self.fresh(site, "t.m5.power")


class SerialServer(Case):
    def test_rtu_in_a_connection(self):
        master, slave = os.openpty()
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)
        tty.setraw(slave)
        self.start(Rtu, os.ttyname(slave), 5)
        port, = free_ports(1)
        self.start(Gateway, port, master)
        site = self.run_site(*(device(f"m{u}", f"rtu+tcp://127.0.0.1:{port}", u, FULL) for u in (5, 6)))
        self.reads(site, "t.m5.energy", 1012 * 65536 + 1013)
        self.command(site, "t.m5", "on")
        self.reads(site, "t.m5.lit", True)
        wait_until(lambda: "unit 6 does not answer; it is offline" in site.process.text(), what="the dead unit is found")
        for _ in range(5):
            self.fresh(site, "t.m5.power")


unittest.main()
