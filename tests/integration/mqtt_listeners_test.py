#!/usr/bin/python3
# ctest: timeout=180
"""The ways into the real program, with other people's clients: TLS with and without clients' certificates, WebSocket
plain and in TLS, unix sockets, the page by https; certificates that change while clients are connected; peers that
speak something else."""

import os
import pathlib
import socket
import ssl
import subprocess
import sys
import threading

import paho.mqtt.client as paho

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from mqtt_certificates import Certificates  # noqa: E402
from sedge_site import SEDGE, Site, free_ports, wait_until  # noqa: E402

TEXT = """site "listeners"
server {
  mqtt 127.0.0.1:@MQTT@
  mqtt 127.0.0.1:TLS tls cert "certs/server.pem" key "certs/server.key"
  mqtt 127.0.0.1:OLD tls tls12 cert "certs/server.pem" key "certs/server.key" ca "certs/ca.pem"
  mqtt unix "SOCKET"
  websocket 127.0.0.1:WS path "/mqtt"
  websocket 127.0.0.1:WSS tls cert "certs/server.pem" key "certs/server.key"
  http 127.0.0.1:@HTTP@
  http 127.0.0.1:PAGE tls cert "certs/server.pem" key "certs/server.key"
  store "data"
  workers 2
}
"""
NAMES = ("TLS", "OLD", "WS", "WSS", "PAGE")


def run(*command, stdin=None, timeout=30):
    return subprocess.run([str(c) for c in command], input=stdin, capture_output=True, text=True, timeout=timeout)


def retained(site, *where):
    """What Debian's subscriber gets as the retained message."""
    done = run("mosquitto_sub", *where, "-t", "a", "-C", "1", "-W", "10")
    return done.stdout.strip() if done.returncode == 0 else None


def known_as(site, client):
    return next((c.get("user") for c in site.get("/api/connections")["connections"] if c["client"] == client), None)


def by_tls(site, ports, certs):
    at = ("-h", "127.0.0.1", "-p", ports["TLS"])
    assert run("mosquitto_pub", *at, "--cafile", certs.ca, "-q", "1", "-r", "-t", "a", "-m", "one").returncode == 0
    assert retained(site, *at, "--cafile", certs.ca) == "one"
    assert retained(site, "-h", "localhost", "-p", ports["TLS"], "--cafile", certs.ca, "-V", "5") == "one"
    assert retained(site, *at, "--cafile", certs.other_ca) is None
    for version, works in (("-tls1_3", True), ("-tls1_2", False)):
        said = run("openssl", "s_client", "-connect", f"127.0.0.1:{ports['TLS']}", "-CAfile", certs.ca, version, "-brief",
                   stdin="")
        assert ("CONNECTION ESTABLISHED" in said.stderr) == works, said
        assert "Verification: OK" in said.stderr or not works, said


def by_certificate(site, ports, certs):
    at = ("-h", "127.0.0.1", "-p", ports["OLD"], "--cafile", certs.ca)
    known = ("--cert", certs.client, "--key", certs.client_key)
    for version in ("tlsv1.2", "tlsv1.3"):
        assert retained(site, *at, *known, "--tls-version", version) == "one", version
    assert retained(site, *at) is None
    stays = site.spawn(["mosquitto_sub", *at, *known, "-i", "stays", "-t", "b"])
    wait_until(lambda: known_as(site, "stays"), what="the client's name")
    assert known_as(site, "stays") == "device-7"
    stays.stop()


def no_renegotiation(site, ports, certs):
    """`R` asks for one; only TLS 1.2 has it at all."""
    process = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{ports['OLD']}", "-CAfile", certs.ca,
                                "-cert", certs.client, "-key", certs.client_key, "-tls1_2"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    out, _ = process.communicate("R\n", timeout=30)
    assert "no renegotiation" in out, out


def by_unix(site, path):
    assert retained(site, "--unix", path) == "one"


def by_websocket(certs, port, tls, protocol):
    got = threading.Event()
    client = paho.Client(transport="websockets", protocol=protocol)
    client.ws_set_options(path="/mqtt")
    if tls:
        client.tls_set(str(certs.ca))
    client.on_connect = lambda c, *_: c.subscribe("a", 1)
    client.on_message = lambda c, _, m: m.payload == b"one" and got.set()
    client.connect("localhost", port)
    client.loop_start()
    assert got.wait(30), (port, tls)
    big = os.urandom(300000)
    back = threading.Event()
    client.on_message = lambda c, _, m: m.payload == big and back.set()
    client.on_subscribe = lambda *_: client.publish("big", big, 1)
    client.subscribe("big", 1)
    assert back.wait(30), "a large message through it and back"
    client.disconnect()
    client.loop_stop()


def by_https(site, ports, certs):
    said = run("curl", "-s", "--cacert", certs.ca, f"https://localhost:{ports['PAGE']}/api/site")
    assert '"name":"listeners"' in said.stdout, said


def strangers(site, ports):
    """Who does not speak the protocol is closed, and nobody else notices."""
    for name, text in (("TLS", b"GET / HTTP/1.1\r\n\r\n"), ("WS", b"\x10\x0c\0\4MQTT\4\2\0\0\0\0" + b"\r\n\r\n"),
                       ("TLS", os.urandom(5000)), ("WSS", b"\x16\x03\x01\xff\xff"), ("WS", b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")):
        with socket.create_connection(("127.0.0.1", ports[name]), timeout=30) as s:
            s.sendall(text)
            try:
                while s.recv(4096):
                    pass
            except ConnectionResetError:
                pass


def kept_out(site, ports, certs):
    """Who is not let in, and who knocks at the wrong door, is told in the log with the reason."""
    sedge = lambda *args: run(SEDGE, "pub", "-t", "a", "-m", "x", *args)  # noqa: E731
    tls = ("--cafile", certs.ca)
    for args, client, server in (
            (("-p", ports["TLS"]), "ended before the server answered", "refused: the peer does not speak TLS"),
            (("-p", site.mqtt_port, *tls), "handshake", "refused: it speaks TLS, and this listener is a plain one"),
            (("-p", site.mqtt_port, "--ws"), "handshake", "refused: it speaks HTTP, and this listener plain MQTT"),
            (("-p", ports["OLD"], *tls), "certificate required", "refused: peer did not return a certificate"),
            (("-p", ports["TLS"], "--cafile", certs.other_ca), "certificate", "refused: "),
            (("-p", ports["WS"], "--ws", "--ws-path", "/elsewhere"), "no WebSocket there", "not a WebSocket request")):
        before = len(site.process.text())
        said = sedge(*args)
        assert said.returncode == 1 and client in said.stderr, (args, said)
        wait_until(lambda: server in site.process.text()[before:], what=f"{server} in the log")


def silent(ports):
    """Connections that never say a word, opened and left open."""
    return [socket.create_connection(("127.0.0.1", ports[name])) for name in NAMES[:4] for _ in range(50)]


def shown(port, ca):
    """The certificate that the server shows now."""
    context = ssl.create_default_context(cafile=ca)
    with socket.create_connection(("127.0.0.1", port), timeout=30) as s:
        with context.wrap_socket(s, server_hostname="localhost") as t:
            return t.getpeercert(True)


def certificates_change(site, ports, certs):
    stays = site.spawn(["mosquitto_sub", "-h", "127.0.0.1", "-p", ports["TLS"], "--cafile", certs.ca, "-i", "stays",
                        "-t", "later", "-C", "1"])
    wait_until(lambda: any(c["client"] == "stays" and c["subscriptions"] for c in
                           site.get("/api/connections")["connections"]), what="the subscription")
    before = shown(ports["TLS"], certs.ca)
    fresh = Certificates(site.folder / "certs")  # in the place of the old ones
    os.kill(site.process.pid, 1)
    wait_until(lambda: "certificates are read again" in site.process.text(), what="the new certificates")
    wait_until(lambda: site.process.text().count("certificates are read again") >= 4)
    assert shown(ports["TLS"], fresh.ca) != before
    pathlib.Path(fresh.server_key).write_text("nonsense")
    os.kill(site.process.pid, 1)
    wait_until(lambda: "stay as they were" in site.process.text(), what="the refusal of the nonsense")
    shown(ports["TLS"], fresh.ca)
    assert run("mosquitto_pub", "-h", "127.0.0.1", "-p", ports["TLS"], "--cafile", fresh.ca, "-q", "1", "-t", "later",
               "-m", "still here").returncode == 0
    assert stays.wait() == 0 and stays.text("out").strip() == "still here", stays.text()


def main():
    ports = dict(zip(NAMES, free_ports(len(NAMES))))
    text = TEXT
    for name in NAMES:
        text = text.replace(f":{name} ", f":{ports[name]} ")
    with Site(text=text) as site:
        certs = Certificates(site.folder / "certs")
        path = site.folder / "m.sock"
        (site.folder / "site.sedge").write_text((site.folder / "site.sedge").read_text().replace("SOCKET", str(path)))
        site.start()
        held = silent(ports)
        by_tls(site, ports, certs)
        by_certificate(site, ports, certs)
        no_renegotiation(site, ports, certs)
        by_unix(site, path)
        for protocol in (paho.MQTTv311, paho.MQTTv5):
            by_websocket(certs, ports["WS"], False, protocol)
            by_websocket(certs, ports["WSS"], True, protocol)
        by_https(site, ports, certs)
        strangers(site, ports)
        kept_out(site, ports, certs)
        by_tls(site, ports, certs)
        certificates_change(site, ports, certs)
        for s in held:
            s.close()
        site.stop()
        assert not path.exists(), "the unix socket's name is removed"


if __name__ == "__main__":
    main()
