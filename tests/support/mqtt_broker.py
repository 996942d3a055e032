"""A broker for tests of clients: sedge, or Debian's mosquitto, so that a client and a broker of ours do not share one
misunderstanding. Plain, TLS and WebSocket ports of the loopback, a unix socket, and ports where a password is wanted.

    for kind in kinds():                       # SEDGE_TEST_BROKER=mosquitto or sedge: only that one; else both, or
                                               # what the argument says
        with broker(kind) as b:
            b.port, b.tls_port, b.ws_port, b.unix, b.secret_port   # user "ada", password "secret"
            b.certs.ca
            b.stop(); b.start()                # on the same data
"""

import contextlib
import getpass
import os
import pathlib
import shutil
import subprocess
import tempfile

from mqtt_certificates import Certificates
from sedge_site import SEDGE, Process, accepts, free_ports, wait_until

KINDS = ("sedge", "mosquitto")

SITE = """site "clients"
server {
  mqtt 127.0.0.1:@MQTT@
  mqtt 127.0.0.1:@TLS@ tls cert "@SERVER@" key "@SERVER_KEY@"
  mqtt 127.0.0.1:@MUTUAL@ tls cert "@SERVER@" key "@SERVER_KEY@" ca "@CA@"
  mqtt 127.0.0.1:@SECRET@ passwords "users"
  mqtt unix "@UNIX@"
  websocket 127.0.0.1:@WS@ path "/mqtt"
  websocket 127.0.0.1:@WSS@ path "/mqtt" tls cert "@SERVER@" key "@SERVER_KEY@"
  http 127.0.0.1:@HTTP@
  store "data"
}
"""

# With a setting for each listener the broker's defaults stay what they are for all the rest.
MOSQUITTO = """user @USER@
per_listener_settings true
log_type all
log_dest stderr
persistence true
persistence_location @DATA@/
max_queued_messages 10000
max_inflight_messages 1000
listener @MQTT@ 127.0.0.1
allow_anonymous true
listener @TLS@ 127.0.0.1
allow_anonymous true
certfile @SERVER@
keyfile @SERVER_KEY@
listener @MUTUAL@ 127.0.0.1
certfile @SERVER@
keyfile @SERVER_KEY@
cafile @CA@
require_certificate true
use_identity_as_username true
listener @SECRET@ 127.0.0.1
allow_anonymous false
password_file @USERS@
listener 0 @UNIX@
allow_anonymous true
listener @WS@ 127.0.0.1
protocol websockets
allow_anonymous true
listener @WSS@ 127.0.0.1
protocol websockets
allow_anonymous true
certfile @SERVER@
keyfile @SERVER_KEY@
"""


def kinds(default=KINDS):
    wanted = os.environ.get("SEDGE_TEST_BROKER")
    return (wanted,) if wanted else default


class Broker:
    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="sedge-broker-"))
        self.certs = Certificates(self.root / "certs")
        self.unix = self.root / "mqtt.sock"
        self.process = None

    def choose_ports(self):
        (self.port, self.http_port, self.tls_port, self.mutual_port, self.secret_port, self.ws_port,
         self.wss_port) = free_ports(7)

    def filled(self, text):
        values = {"MQTT": self.port, "HTTP": self.http_port, "TLS": self.tls_port, "MUTUAL": self.mutual_port,
                  "SECRET": self.secret_port, "WS": self.ws_port, "WSS": self.wss_port, "UNIX": self.unix,
                  "SERVER": self.certs.server, "SERVER_KEY": self.certs.server_key, "CA": self.certs.ca,
                  "USERS": self.root / "users", "DATA": self.root, "USER": getpass.getuser()}
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        return text

    def start(self):
        assert self.process is None or not self.process.alive(), "it runs already"
        self.process = Process(self.command())
        ports = [self.port, self.tls_port, self.mutual_port, self.secret_port, self.ws_port, self.wss_port]
        wait_until(lambda: not self.process.alive() or all(accepts(p) for p in ports), what="the broker's ports")
        assert self.process.alive(), f"the broker ended with {self.process.wait()}:\n{self.process.text()}"

    def stop(self):
        self.process.stop()

    def kill(self):
        self.process.kill()

    def __enter__(self):
        # A port that was free may be somebody else's by now: another try has others.
        for last in (False, False, True):
            self.choose_ports()
            self.prepare()
            try:
                self.start()
                return self
            except AssertionError:
                if last:
                    raise

    def __exit__(self, kind, value, trace):
        if self.process.alive():
            self.process.stop()
        if kind is not None:
            print(f"--- the broker said ---\n{self.process.text()[-20000:]}\n-----------------------")
        shutil.rmtree(self.root, ignore_errors=True)


class Sedge(Broker):
    name = "sedge"

    def prepare(self):
        self.folder = self.root / "site"
        self.folder.mkdir(exist_ok=True)
        (self.folder / "site.sedge").write_text(self.filled(SITE))
        subprocess.run([SEDGE, "passwd", self.folder / "users", "ada", "--password-file", "-"], input="secret\n",
                       text=True, check=True, timeout=30, capture_output=True)

    def command(self):
        return [SEDGE, "run", self.folder, *os.environ.get("SEDGE_RUN_ARGS", "").split()]


class Mosquitto(Broker):
    name = "mosquitto"

    def prepare(self):
        subprocess.run(["mosquitto_passwd", "-b", "-c", self.root / "users", "ada", "secret"], check=True, timeout=30,
                       capture_output=True)
        (self.root / "mosquitto.conf").write_text(self.filled(MOSQUITTO))
        self.root.chmod(0o755)

    def command(self):
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        return [program, "-c", self.root / "mosquitto.conf"]


@contextlib.contextmanager
def broker(kind):
    with {"sedge": Sedge, "mosquitto": Mosquitto}[kind]() as b:
        yield b
