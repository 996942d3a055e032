"""bench: helper. The brokers of bench/mqtt.py, started and pinned alike.

    with start("mosquitto", cores=[0]) as broker:
        broker.port, broker.pid, broker.version
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from sedge_site import SEDGE, accepts, free_ports, wait_until

ROOT = pathlib.Path(os.environ.get("SEDGE_SOURCE", pathlib.Path(__file__).resolve().parents[1]))
BUILD = pathlib.Path(os.environ.get("SEDGE_BUILD", ROOT / "build/release"))
FORWARDER = BUILD / "bench/bench_mqtt_forward"
AEDES = ROOT / "bench/peers/aedes"
MOSQUITTO = "/usr/sbin/mosquitto"


class Broker:
    def __init__(self, name, version, port, process, folder, tls_port=None):
        self.name, self.version, self.port, self.process, self.folder = name, version, port, process, folder
        self.tls_port = tls_port

    @property
    def pid(self):
        return self.process.pid


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout


def certificate(folder):
    """A key and a certificate for localhost that signs itself."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def sedge(folder, port, tls_port, workers):
    http, = free_ports(1)
    tls = f'  mqtt 127.0.0.1:{tls_port} tls cert "../cert.pem" key "../key.pem"\n' if tls_port else ""
    (folder / "site").mkdir()
    (folder / "site/site.sedge").write_text(
        f'site "bench"\nserver {{\n  mqtt 127.0.0.1:{port}\n{tls}  http 127.0.0.1:{http}\n  store "data"\n'
        f'  workers {workers}\n}}\n')
    return [SEDGE, "run", folder / "site"], output(SEDGE, "--version").split()[-1]


def mosquitto(folder, port, tls_port, _workers):
    """What a sensible owner sets: no delay, no limits that drop, errors only in the log. Debian's writes its state every
    30 minutes at most, so nothing is stored while it acknowledges: it is told not to store at all. As root, since the folder is ours."""
    tls = f"listener {tls_port} 127.0.0.1\ncertfile {folder}/cert.pem\nkeyfile {folder}/key.pem\n" if tls_port else ""
    (folder / "mosquitto.conf").write_text(
        f"user root\nper_listener_settings false\nallow_anonymous true\nset_tcp_nodelay true\nmax_inflight_messages 0\n"
        f"max_queued_messages 0\nlog_type error\npersistence false\nlistener {port} 127.0.0.1\n{tls}")
    return [MOSQUITTO, "-c", folder / "mosquitto.conf"], re.search(r"version (\S+)", output(MOSQUITTO, "-h"))[1]


def forwarder(_folder, port, _tls_port, _workers):
    return [FORWARDER, str(port)], "-"


def aedes(_folder, port, _tls_port, _workers):
    """Installed from its lock file, into the build folder."""
    at = BUILD / "bench/aedes"
    lock = AEDES / "package-lock.json"
    if not (at / "package-lock.json").exists() or (at / "package-lock.json").read_bytes() != lock.read_bytes():
        shutil.copytree(AEDES, at, dirs_exist_ok=True)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=at, check=True,
                       stdout=subprocess.DEVNULL)
    version = json.loads((at / "node_modules/aedes/package.json").read_text())["version"]
    return ["node", at / "main.mjs", str(port)], version


MAKERS = {"sedge": sedge, "forwarder": forwarder, "mosquitto": mosquitto, "aedes": aedes}
HAVE_TLS = {"sedge", "mosquitto"}


@contextlib.contextmanager
def start(name, cores, workers=1, tls=False):
    """A broker in a folder of its own, pinned to cores; ended, and its folder removed, at the end."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"bench-{pathlib.Path(name).name}-"))
    port, tls_port = free_ports(2)
    if tls:
        certificate(folder)
    command, version = MAKERS[name](folder, port, tls_port if tls else None, workers)
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(["taskset", "-c", ",".join(map(str, cores)), *map(str, command)],
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_until(lambda: process.poll() is not None or accepts(port), what=f"{name} accepting connections")
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended with {process.returncode}: {(folder / 'log').read_text()[-1000:]}")
        yield Broker(name, version, port, process, folder, tls_port if tls else None)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)
