"""Runs sedge for an integration test: a site in a temporary folder, on free ports of the loopback.

    from sedge_site import Site, wait_until

    with Site(text='site "t"\nserver { mqtt 127.0.0.1:@MQTT@; http 127.0.0.1:@HTTP@; store "data" }') as site:
        site.start()                       # returns when the MQTT port accepts
        site.get("/api/site")["name"]
        site.kill()                        # kill -9
        site.start()                       # again, on the same data
    # the process is ended with SIGTERM, the folder removed

The module is not called site.py, because Python imports a module of that name when it starts.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(os.environ.get("SEDGE_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
SEDGE = os.environ.get("SEDGE_BIN", str(ROOT / "build/release/sedge"))
RUN_ARGS = os.environ.get("SEDGE_RUN_ARGS", "").split()  # of every `sedge run`: "--workers 2"


def free_ports(count):
    """Ports that nobody listens on. All are held at once, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def wait_until(probe, timeout=30.0, what=None, step=0.02):
    """Calls probe() until it returns something true, and returns that. An exception of the probe's
    counts as 'not yet' and is told when the time is over."""
    end = time.monotonic() + timeout
    last = None
    while True:
        try:
            value = probe()
            if value:
                return value
            last = repr(value)
        except Exception as error:  # any: the probe looks at a process that is starting or dying
            last = repr(error)
        if time.monotonic() > end:
            raise AssertionError(f"{what or 'the condition'} did not come true within {timeout} s; last: {last}")
        time.sleep(step)


def accepts(port, host="127.0.0.1"):
    with socket.create_connection((host, port), timeout=1):
        return True


class Process:
    """A child whose output is collected line by line. `lines` has (stream, text) in the order of arrival.
    With stdin=True its input is child.stdin."""

    def __init__(self, command, env=None, cwd=None, prepare=None, stdin=False):
        self.command = [str(word) for word in command]
        self.lines = []
        self.child = subprocess.Popen(self.command, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd,
                                      env={**os.environ, **(env or {})}, preexec_fn=prepare)
        self.readers = [threading.Thread(target=self._read, args=pair, daemon=True)
                        for pair in [("out", self.child.stdout), ("err", self.child.stderr)]]
        for reader in self.readers:
            reader.start()

    def _read(self, name, pipe):
        with pipe:
            for line in pipe:
                self.lines.append((name, line.decode(errors="replace").rstrip("\n")))

    @property
    def pid(self):
        return self.child.pid

    def alive(self):
        return self.child.poll() is None

    def text(self, stream=None):
        return "\n".join(text for name, text in list(self.lines) if stream in (None, name))

    def wait(self, timeout=30.0):
        """Waits for its end and for the last of its output; returns the exit code (-9: killed)."""
        code = self.child.wait(timeout)
        for reader in self.readers:
            reader.join(timeout)
        return code

    def stop(self, timeout=30.0):
        """SIGTERM, then the exit code. A process that does not end is a failure, with what it said."""
        if self.alive():
            self.child.send_signal(signal.SIGTERM)
        try:
            return self.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.command} did not end within {timeout} s of SIGTERM:\n{self.text()}")

    def kill(self):
        """kill -9: no chance to write anything."""
        if self.alive():
            self.child.kill()
        return self.wait()


class Site:
    """A site's folder and the sedge that runs it. The folder is a temporary one: made from a text, from
    {name: text}, or as a copy of a folder (by default sites/factory), with this test's own ports in the place of
    @MQTT@, @HTTP@ and @MODBUS@, or of the ports of the copy's `mqtt`, `http` and `via modbus` lines."""

    def __init__(self, text=None, files=None, copy=None, run=True):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="sedge-site-"))
        self.folder = self.root / "site"
        self.mqtt_port, self.http_port, self.modbus_port = free_ports(3)
        self.process = None
        self.description = None  # openapi.Description: each answer is held to it
        self.others = []
        self.folder.mkdir()
        if text is not None:
            files = {"site.sedge": text}
        if files is None:
            files = {path.name: path.read_text()
                     for path in sorted(pathlib.Path(copy or ROOT / "sites/factory").glob("*.sedge"))}
        for name, content in files.items():
            self.write(name, content)

    def write(self, name, content):
        """Writes one of the site's files, with the ports put in."""
        content = content.replace("@MQTT@", str(self.mqtt_port)).replace("@HTTP@", str(self.http_port))
        content = content.replace("@MODBUS@", str(self.modbus_port))
        content = re.sub(r"(?m)^(\s*mqtt\s+127\.0\.0\.1:)1883\b", rf"\g<1>{self.mqtt_port}", content)
        content = re.sub(r"(?m)^(\s*http\s+127\.0\.0\.1:)8080\b", rf"\g<1>{self.http_port}", content)
        content = re.sub(r"\"tcp://127\.0\.0\.1:1502\"", f'"tcp://127.0.0.1:{self.modbus_port}"', content)
        (self.folder / name).write_text(content)

    @property
    def data(self):
        return self.folder / "data"

    @property
    def page(self):
        return f"http://127.0.0.1:{self.http_port}"

    def start(self, *args, env=None, wait=True, timeout=30.0, prepare=None):
        """`sedge run`. Returns the Process; with wait, when MQTT connections are accepted. `prepare` is called in the
        child, before."""
        assert self.process is None or not self.process.alive(), "it runs already"
        self.process = Process([SEDGE, "run", self.folder, *RUN_ARGS, *args], env=env, prepare=prepare)
        if wait:
            self.wait_ready(timeout)
        return self.process

    def wait_ready(self, timeout=30.0):
        # Its own word first: a killed predecessor's socket may accept for a moment longer.
        def ready():
            return not self.process.alive() or ("INFO app: site" in self.process.text()
                                                and accepts(self.mqtt_port))
        wait_until(ready, timeout, "accepting MQTT connections")
        if not self.process.alive():
            raise AssertionError(f"sedge run ended with {self.process.wait()}:\n{self.process.text()}")

    def simulate(self, *args, env=None):
        """`sedge sim`: the plant of this site, ended with the site."""
        return self.spawn([SEDGE, "sim", self.folder, *args], env=env)

    def spawn(self, command, env=None):
        """Any other program that shall end with the site."""
        process = Process(command, env=env)
        self.others.append(process)
        return process

    def stop(self, timeout=30.0):
        """SIGTERM; the exit code must be 0."""
        code = self.process.stop(timeout)
        assert code == 0, f"sedge run ended with {code}:\n{self.process.text()}"

    def kill(self):
        return self.process.kill()

    def request(self, path, body=None, method=None, headers=None, timeout=10.0):
        """(status, parsed JSON or text). A body is sent as JSON."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.page + path, data=data, method=method, headers=headers or {})
        if data is not None and not request.has_header("Content-type"):
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                status, kind, text = answer.status, answer.headers.get_content_type(), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                status, kind, text = error.code, error.headers.get_content_type(), error.read()
        body = json.loads(text) if kind.endswith("json") and "ndjson" not in kind else text.decode()
        if self.description:
            self.description.check(request.get_method(), path, status, kind, body)
        return status, body

    def get(self, path, **kwargs):
        status, body = self.request(path, **kwargs)
        assert status == 200, f"GET {path}: {status} {body}"
        return body

    def property(self, name):
        """A property as /api/site tells it: site.property("plant.press1.temperature")["value"]."""
        device, _, prop = name.rpartition(".")
        for d in self.get("/api/site")["devices"]:
            if d["name"] == device:
                for p in d["properties"]:
                    if p["name"] == prop:
                        return p
        raise KeyError(name)

    def publish(self, topic, payload, *args):
        """With Debian's mosquitto_pub, so that a test does not depend on our own client."""
        subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.mqtt_port), "-t", topic,
                        "-m", payload, *args], check=True, timeout=30, stdin=subprocess.DEVNULL)

    def close(self):
        for process in [*self.others, *([self.process] if self.process else [])]:
            if process.alive():
                try:
                    process.stop(10)
                except AssertionError as error:
                    print(error, file=sys.stderr)
        shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None and self.process is not None:
            print(f"--- sedge run said ---\n{self.process.text()}\n----------------------", file=sys.stderr)
        self.close()
