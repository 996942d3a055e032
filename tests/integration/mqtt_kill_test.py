#!/usr/bin/python3
# ctest: heavy timeout=300 workers=2
"""kill -9 at random instants, 50 times, under load: nothing that was acknowledged is lost.

Publishers of three kinds send QoS 1 as fast as they can: paho (which tells exactly which publication got its
PUBACK), Debian's mosquitto_pub (which prints every PUBACK with -d) and our own `sedge pub`, whose exit code says
that its one message was acknowledged. A persistent subscriber is away most of the time; in some rounds it reads, and
acknowledges, while the kill comes. Retained values count upwards. After every restart the retained values must not be
older than the last acknowledged ones, the session must be there, and in the end the subscriber must have got every
acknowledged publication.

Options: --rounds N, --seed N. The seed decides the instants; the figures are printed.
"""

import argparse
import os
import random
import re
import subprocess
import sys
import threading
import time

import paho.mqtt.client as paho

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from sedge_site import SEDGE, Process, Site, wait_until  # noqa: E402

SITE = 'site "kill"\nserver {\n  mqtt 127.0.0.1:@MQTT@\n  http 127.0.0.1:@HTTP@\n  store "data"\n}\n'
PAHO_PUBLISHERS = 3
WINDOW = 200
STREAM_LINES = 20000  # more than a round can take
BACKLOG_MAX = 50000  # of the 100,000 messages that a session's queue holds


class Publisher:
    """paho: a stream of QoS 1 with a bounded window; every 10th is a retained counter."""

    def __init__(self, port, name):
        self.name, self.port = name, port
        self.sent = 0
        self.acked = set()
        self.retained_acked = 0
        self.retained_sent = 0
        self.mids = {}

    def _on_publish(self, _client, _data, mid):
        kind, value = self.mids.pop(mid, (None, None))
        if kind == "load":
            self.acked.add(value)
        elif kind == "kept":
            self.retained_acked = max(self.retained_acked, value)

    def _publish(self, client):
        self.sent += 1
        if self.sent % 10 == 0:
            self.retained_sent += 1
            what = ("kept", self.retained_sent)
            info = client.publish(f"kept/{self.name}", str(self.retained_sent), qos=1, retain=True)
        else:
            what = ("load", f"{self.name}-{self.sent}")
            info = client.publish(f"load/{self.name}", what[1], qos=1)
        self.mids[info.mid] = what

    def run(self):
        """One round: until the connection breaks."""
        client = paho.Client(client_id=self.name, clean_session=True, protocol=paho.MQTTv311)
        client.max_inflight_messages_set(WINDOW)
        client.on_publish = self._on_publish
        self.mids = {}
        try:
            client.connect("127.0.0.1", self.port, keepalive=60)
        except OSError:
            return
        while client.loop(0.01) == paho.MQTT_ERR_SUCCESS:
            while client.is_connected() and len(self.mids) < WINDOW:
                self._publish(client)


class Stream:
    """mosquitto_pub -l -d: line n has packet id n, and each PUBACK is printed."""

    def __init__(self, port, round_number):
        self.prefix = f"m{round_number}"
        self.child = subprocess.Popen(
            ["stdbuf", "-oL", "mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-q", "1", "-l", "-d", "-t",
             "load/mosquitto", "-i", f"stream{round_number}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.acked = set()
        self.threads = [threading.Thread(target=f, daemon=True) for f in (self._feed, self._read)]
        for t in self.threads:
            t.start()

    def _feed(self):
        try:
            for i in range(1, STREAM_LINES + 1):
                self.child.stdin.write(f"{self.prefix}-{i}\n")
            self.child.stdin.close()
        except OSError:
            pass

    def _read(self):
        # mosquitto_pub names its own publications as "(d0, q1, r0, m17, ...": the nth is line n.
        mids, sent = {}, 0
        for line in self.child.stdout:
            if m := re.search(r"sending PUBLISH \(d0, q1, r0, m(\d+)", line):
                sent += 1
                mids[m[1]] = f"{self.prefix}-{sent}"
            elif (m := re.search(r"received PUBACK \(Mid: (\d+)", line)) and m[1] in mids:
                self.acked.add(mids.pop(m[1]))

    def end(self):
        self.child.kill()
        self.child.wait()
        self.threads[1].join(10)
        return self.acked


class Collector:
    """The persistent subscriber; what it got is the union over all its connections."""

    def __init__(self, port):
        self.port = port
        self.got = set()
        self.count = 0
        self.present = None
        self.heard = time.monotonic()

    def _on_message(self, _client, _data, message):
        self.count += 1
        self.heard = time.monotonic()
        self.got.add(message.payload.decode())

    def open(self):
        """Connected, with its subscription; read by pump()."""
        client = paho.Client(client_id="collector", clean_session=False, protocol=paho.MQTTv311)
        connected, subscribed = [], []
        client.on_connect = lambda _c, _d, flags, rc: connected.append((flags["session present"], rc))
        client.on_subscribe = lambda *_: subscribed.append(True)
        client.on_message = self._on_message
        client.connect("127.0.0.1", self.port, keepalive=60)
        pump(client, lambda: connected)
        self.present, rc = connected[0]
        assert rc == 0, f"CONNACK {rc}"
        if not self.present:
            client.subscribe("load/#", qos=1)
            pump(client, lambda: subscribed)
        return client

    def drain(self, wanted):
        """Reads until it has all that is wanted, or nothing has come for a while."""
        client = self.open()
        self.heard = time.monotonic()
        while not wanted <= self.got and time.monotonic() - self.heard < 5:
            until = time.monotonic() + 0.1
            pump(client, lambda: time.monotonic() > until)
        client.disconnect()


def pump(client, done):
    """Runs paho's loop until done(), or the connection breaks."""
    end = time.monotonic() + 30
    while client.loop(0.02) == paho.MQTT_ERR_SUCCESS and not done():
        assert time.monotonic() < end, "no answer"


def retained_values(port):
    """topic -> value, as a new subscriber is told."""
    values, done, client = {}, [], paho.Client(client_id="looker", clean_session=True)

    def on_message(_client, _data, message):
        if message.topic == "looker/end":
            done.append(True)
        elif message.retain:
            values[message.topic] = int(message.payload)

    client.on_connect = lambda c, *_: c.subscribe([("kept/#", 0), ("looker/end", 0)])
    client.on_subscribe = lambda c, *_: c.publish("looker/end", "1")  # comes behind the retained ones
    client.on_message = on_message
    client.connect("127.0.0.1", port)
    pump(client, lambda: done)
    client.disconnect()
    assert done, "the connection broke"
    return values


def one_round(site, number, rng, publishers, collector):
    """Load, then the kill. Gives what Debian's and our own client know to be acknowledged."""
    acked = set()
    threads = [threading.Thread(target=p.run, daemon=True) for p in publishers]
    stream = Stream(site.mqtt_port, number)
    if number % 3 == 0:
        reader = collector.open()
        threads.append(threading.Thread(target=pump, args=(reader, lambda: False), daemon=True))
    for t in threads:
        t.start()
    end = time.monotonic() + rng.uniform(0.03, 0.6)
    own = 0
    while time.monotonic() < end:
        if own < 3:
            own += 1
            text = f"own{number}-{own}"
            pub = Process([SEDGE, "pub", "-p", str(site.mqtt_port), "-q", "1", "-t", "load/own", "-m", text])
            try:
                code = pub.wait(max(0.001, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                site.kill()
                code = pub.stop()  # else it would connect again, and again
            if code == 0:
                acked.add(text)
        else:
            time.sleep(max(0.0, end - time.monotonic()))
    if site.process.alive():
        site.kill()
    for t in threads:
        t.join(30)
        assert not t.is_alive(), "a client did not notice the end of its connection"
    return acked | stream.end()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=50)
    options.add_argument("--seed", type=int, default=int(os.environ.get("SEDGE_TEST_SEED", random.randrange(2**32))))
    options = options.parse_args()
    rng = random.Random(options.seed)
    print(f"seed {options.seed}, {options.rounds} rounds", flush=True)
    started = time.monotonic()
    acked, slowest, starts = set(), 0.0, []
    with Site(text=SITE) as site:
        publishers = [Publisher(site.mqtt_port, f"p{i}") for i in range(PAHO_PUBLISHERS)]
        collector = Collector(site.mqtt_port)
        site.start()
        collector.drain(set())
        for number in range(1, options.rounds + 1):
            acked |= one_round(site, number, rng, publishers, collector)
            for p in publishers:
                acked |= p.acked
            starts.append(site.process.text())
            before = time.monotonic()
            site.start()
            slowest = max(slowest, time.monotonic() - before)
            values = retained_values(site.mqtt_port)
            for p in publishers:
                value = values.get(f"kept/{p.name}", 0)
                assert p.retained_acked <= value <= p.retained_sent, \
                    f"round {number}: {p.name}: retained {value}, acknowledged {p.retained_acked}, sent {p.retained_sent}"
            # Before the collector's queue is full: from then on it drops the oldest, as it must.
            if number % 5 == 0 or number == options.rounds or len(acked) - len(collector.got) > BACKLOG_MAX:
                collector.drain(acked)
                assert collector.present, f"round {number}: the session was lost"
                lost = acked - collector.got
                if lost:  # what is needed to find out why
                    print(f"collector: got {len(collector.got)}, messages {collector.count}; "
                          f"acknowledged {len(acked)}", file=sys.stderr)
                    print("connections:", site.request("/api/connections"), file=sys.stderr)
                    print("stats:", site.request("/api/stats"), file=sys.stderr)
                    print("said:", "\n".join(starts), file=sys.stderr)
                assert not lost, f"round {number}: {len(lost)} acknowledged messages lost: {sorted(lost)[:10]}"
        wait_until(lambda: site.get("/api/stats"), what="the figures")
        stats = site.get("/api/stats")
        site.stop()
    assert len(acked) > options.rounds * 20, f"only {len(acked)} acknowledged: that proves nothing"
    assert any(x.startswith("m") for x in acked) and any(x.startswith("own") for x in acked)
    dropped = sum(d["count"] for d in stats.get("dropped", []) if d["reason"] == "queue full")
    assert not dropped, f"{dropped} were dropped from a full queue"
    kinds = {k: sum(x.startswith(k) for x in acked) for k in ("p", "m", "own")}
    print(f"acknowledged {len(acked)} (paho {kinds['p']}, mosquitto_pub {kinds['m']}, sedge pub {kinds['own']}), "
          f"retained {sum(p.retained_acked for p in publishers)}, delivered {collector.count}, lost 0; "
          f"slowest start {slowest * 1000:.0f} ms; {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
