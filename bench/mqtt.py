"""mqtt.py [FAMILY...]: the broker beside its peers. Families: rates, latency, idle, durable, workers, memory, tls.

The broker runs on core 0 and `sedge bench mqtt` on core 1 (two workers: on both); 64-byte payloads; every peer takes
its turn in each round, so that a noisy minute hits all; figures are medians. A lost, doubled or reordered message
ends its family. The bare forwarder (mqtt_forward.c) is what the kernel allows; goals are shares of it.
QUICK=1 in the environment: one short round, without the slow peers. ROUNDS=N: so many, 3 by default. WRITE=1: the tables go
into bench/mqtt.md.
"""

import contextlib
import json
import os
import pathlib
import re
import socket
import statistics
import struct
import subprocess
import sys
import time

from mqtt_peers import HAVE_TLS, ROOT, start
from sedge_site import SEDGE

QUICK = os.environ.get("QUICK") == "1"
WRITE = os.environ.get("WRITE") == "1"
ROUNDS = int(os.environ.get("ROUNDS", 1 if QUICK else 3))
SECONDS = 1 if QUICK else 2
PEERS = ["sedge", "forwarder", *([] if QUICK else ["mosquitto", "aedes"])]
BROKER_CORE, LOAD_CORE = 0, 1
SCENARIOS = ("fan-in", "fan-out", "pairs", "shared")
# How much of the forwarder's messages for each second of processor time; docs: the table.
SHARES = {("fan-in", 0): 0.35, ("fan-in", 1): 0.30, ("fan-out", 0): 0.25, ("pairs", 0): 0.20}
RATES = (1000, 10000, 100000)
P99_GOAL = 1.2  # of the forwarder's
IDLE_GOAL, DURABLE_GOAL, WORKERS_GOAL = 700, 150000, 1.2
# Neither can be asked for these: no shared subscriptions, no QoS 2.
CANNOT = {("forwarder", "shared"), ("aedes", "shared"), ("forwarder", 2)}


def show(value):
    if isinstance(value, str):
        return value
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def line(name, unit, ours, peer="-", theirs=None, goal="-", met=None):
    beside = (show(theirs), f"{ours / theirs:.3g}") if theirs else ("-", "-")
    print(f"bench=mqtt_{name.replace('-', '_')} unit={unit} ours={show(ours)} peer={peer} theirs={beside[0]} "
          f"ratio={beside[1]} goal={goal} met={'-' if met is None else 'yes' if met else 'no'}", flush=True)


class Unsound(Exception):
    """A run that cannot be had, or that lost, doubled or reordered something."""


def load(broker, scenario, *args, cores=(LOAD_CORE,), sound=True):
    """The figures of one run of `sedge bench mqtt`."""
    command = ["taskset", "-c", ",".join(map(str, cores)), SEDGE, "bench", "mqtt", scenario, "-p", str(broker.port),
               "--pid", str(broker.pid), "--seconds", str(SECONDS), "--json", *map(str, args)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
    if not done.stdout or (sound and done.returncode != 0):
        raise Unsound(f"{broker.name}: {' '.join(command[3:])}: {done.stderr}{done.stdout}")
    return json.loads(done.stdout)


def medians(runs):
    """Of each figure, over the rounds."""
    return {key: statistics.median(r[key] for r in runs)
            for key in runs[0] if isinstance(runs[0][key], (int, float))}


def in_turn(names, measure, rounds=ROUNDS, **how):
    """name -> medians of what measure(broker) gives; all run at the same time, one is loaded."""
    with contextlib.ExitStack() as stack:
        brokers = {n: stack.enter_context(start(n, [BROKER_CORE], **how)) for n in names}
        runs = {n: [] for n in names}
        for _ in range(rounds):
            for n, broker in brokers.items():
                runs[n].append(measure(broker))
        VERSIONS.update({n: b.version for n, b in brokers.items()})
    return {n: medians(r) for n, r in runs.items()}


VERSIONS = {}
TABLES = []  # (title, header, rows), for people


def able(names, scenario, qos):
    return [n for n in names if (n, scenario) not in CANNOT and (n, qos) not in CANNOT]


def rates():
    rows = []
    for scenario in SCENARIOS:
        for qos in (0, 1) if QUICK else (0, 1, 2):
            got = in_turn(able(PEERS, scenario, qos), lambda b: load(b, scenario, "-q", qos))
            ours = got["sedge"]
            share = SHARES.get((scenario, qos))
            for n in got:
                if n == "sedge":
                    continue
                goal, met = "-", None
                if n == "forwarder" and share:
                    goal, met = f"<={1 / share:.3g}x", ours["cpu"] <= got[n]["cpu"] / share
                line(f"{scenario}_qos{qos}_cpu", "s/Mmsg", ours["cpu"], n, got[n]["cpu"], goal, met)
                line(f"{scenario}_qos{qos}", "msg/s", ours["delivered"], n, got[n]["delivered"])
            if len(got) == 1:
                line(f"{scenario}_qos{qos}_cpu", "s/Mmsg", ours["cpu"])
            cells = [f"{got[n]['delivered'] / 1000:,.0f} ({got[n]['cpu']:.3g})" if n in got else "" for n in PEERS]
            if share:
                cells.append(f"{got['forwarder']['cpu'] / ours['cpu']:.0%} (goal {share:.0%})")
            elif "forwarder" in got:
                cells.append(f"{got['forwarder']['cpu'] / ours['cpu']:.0%}")
            else:
                cells.append("")
            rows.append([f"{scenario} QoS {qos}", *cells])
    TABLES.append(("Thousand deliveries a second (CPU seconds per million)",
                   ["", *PEERS, "share of the forwarder"], rows))


def latency():
    rows = []
    for rate in RATES:
        args = ("--publishers", 10, "--subscribers", 10, "--rate", rate)
        got = in_turn([n for n in PEERS if n != "aedes" or rate < 100000],
                      lambda b: load(b, "pairs", *args, sound=False))
        for n, theirs in got.items():
            if n != "sedge":
                goal = (f"<={P99_GOAL}x", got["sedge"]["latency_p99"] <= P99_GOAL * theirs["latency_p99"])
                line(f"latency_{rate}_p99", "us", got["sedge"]["latency_p99"], n, theirs["latency_p99"],
                     *(goal if n == "forwarder" else ()))
        rows.append([f"{rate:,} msg/s", *(" / ".join(f"{got[n]['latency_' + p]:,.0f}" for p in ("p50", "p99", "p999"))
                                          if n in got else "" for n in PEERS)])
    TABLES.append(("Latency, 10 pairs, QoS 0, open loop: p50 / p99 / p99.9 in µs", ["", *PEERS], rows))


def idle():
    rows = []
    connections = 4000 if QUICK else 18000
    for kind, args in (("waiting", ()), ("with a subscription", ("--subscribed",))):
        got = {}
        for n in PEERS:
            with start(n, [BROKER_CORE]) as broker:  # a new one: memory that was freed would hide the slope
                got[n] = load(broker, "idle", "--connections", connections, "--sources", 4000, *args)["idle_connection"]
                VERSIONS[n] = broker.version
        for n in PEERS[1:]:
            goal = () if args else (f"<{IDLE_GOAL}", got["sedge"] < IDLE_GOAL)  # it is of connections that only wait
            line(f"idle_{kind.split()[-1]}", "B", got["sedge"], n, got[n], *goal)
        rows.append([kind, *(f"{got[n]:,.0f}" for n in PEERS)])
    TABLES.append((f"Bytes of the process for each idle connection (slope to {connections:,})", ["", *PEERS], rows))


def durable():
    """A session that lasts is subscribed: everything is in the journal before it is acknowledged. No peer does that,
    so theirs is what they acknowledge from memory."""
    rows = []
    names = [n for n in PEERS if n in ("sedge", "mosquitto")]
    for qos in (1, 2):
        for publishers in (1, 10, 50, 500):
            args = ("-q", qos, "--publishers", publishers, "--persistent", "--window", 20)
            got = in_turn(names, lambda b: load(b, "fan-in", *args))
            ours = got["sedge"]["acknowledged"]
            goal = (f">={DURABLE_GOAL}", ours >= DURABLE_GOAL) if (qos, publishers) == (1, 50) else ()
            theirs = got.get("mosquitto", {}).get("acknowledged")
            line(f"durable_qos{qos}_{publishers}", "1/s", ours, "mosquitto(memory)" if theirs else "-", theirs, *goal)
            rows.append([f"QoS {qos}, {publishers} publishers", f"{ours:,.0f}", f"{got['sedge']['latency_p99'] / 1000:.2f}",
                         f"{theirs:,.0f}" if theirs else ""])
    TABLES.append(("Stored and acknowledged a second, 20 in flight for each publisher",
                   ["", "sedge", "p99 to the subscriber, ms", "mosquitto, from memory"], rows))


def workers():
    """Broker and load share both cores; the processor time of the broker's process is what is compared."""
    rows = []
    for scenario in SCENARIOS[:3]:
        for qos in (0, 1):
            with start("sedge", [0, 1]) as one, start("sedge", [0, 1], workers=2) as two:
                runs = {1: [], 2: []}
                for _ in range(ROUNDS):
                    for n, broker in ((1, one), (2, two)):
                        runs[n].append(load(broker, scenario, "-q", qos, cores=(0, 1)))
            a, b = medians(runs[1]), medians(runs[2])
            line(f"workers_{scenario}_qos{qos}_cpu", "s/Mmsg", b["cpu"], "one_worker", a["cpu"], f"<={WORKERS_GOAL}x",
                 b["cpu"] <= WORKERS_GOAL * a["cpu"])
            rows.append([f"{scenario} QoS {qos}", *(f"{x['delivered'] / 1000:,.0f} ({x['cpu']:.3g})" for x in (a, b)),
                         f"{b['cpu'] / a['cpu']:.2f}"])
    TABLES.append(("Two workers on the cores that the load uses too: thousand deliveries a second (CPU seconds per million)",
                   ["", "one worker", "two workers", "CPU, two to one"], rows))


class Raw:
    """A 3.1.1 client that writes what it is given in one piece, and waits for an answer."""

    def __init__(self, port, client_id, clean=True):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        body = struct.pack("!H4sBBHH", 4, b"MQTT", 4, 2 if clean else 0, 0, len(client_id)) + client_id.encode()
        self.ask(bytes([0x10, len(body)]) + body, 4)

    def ask(self, packet, answer):
        self.socket.sendall(packet)
        return self.socket.recv(answer, socket.MSG_WAITALL)

    def subscribe(self, topic, qos):
        body = struct.pack("!HH", 1, len(topic)) + topic.encode() + bytes([qos])
        self.ask(bytes([0x82, len(body)]) + body, 5)

    def publish(self, topics, qos, retain):
        """One message to each topic; returns when the last is acknowledged. QoS 1."""
        for at in range(0, len(topics), 1000):
            batch, some = bytearray(), topics[at:at + 1000]
            for i, topic in enumerate(some):
                body = struct.pack("!H", len(topic)) + topic.encode() + struct.pack("!H", i + 1) + b"x" * 64
                batch += bytes([0x30 | qos << 1 | retain, len(body)]) + body
            self.ask(bytes(batch), 4 * len(some))


def resident(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"Rss:\s+(\d+)", text)[1]) * 1024


def growth(broker, work, count):
    """Bytes for each thing that work(from, to) makes: the second half of `count` against the first."""
    work(0, count // 2)
    time.sleep(1)
    before = resident(broker.pid)
    work(count // 2, count)
    time.sleep(1)
    return (resident(broker.pid) - before) / (count - count // 2)


def memory():
    count = 20000 if QUICK else 90000  # below the 100,000 messages that a session's queue holds
    names = [n for n in PEERS if n in ("sedge", "mosquitto")]
    retained, queued = {}, {}
    for n in names:
        with start(n, [BROKER_CORE]) as broker:
            client = Raw(broker.port, "keeper")
            retained[n] = growth(broker, lambda a, b: client.publish([f"kept/area{i % 100}/thing{i}" for i in range(a, b)],
                                                                     1, 1), count)
        with start(n, [BROKER_CORE]) as broker:
            sleeper = Raw(broker.port, "sleeper", clean=False)
            sleeper.subscribe("queued", 1)
            sleeper.socket.close()
            client = Raw(broker.port, "writer")
            queued[n] = growth(broker, lambda a, b: client.publish(["queued"] * (b - a), 1, 0), count)
    for name, got in (("retained_message", retained), ("queued_message", queued)):
        line(name, "B", got["sedge"], "mosquitto" if "mosquitto" in got else "-", got.get("mosquitto"))
    TABLES.append(("Bytes of the process for each message of 64 bytes", ["", *names],
                   [[name, *(f"{got[n]:,.0f}" for n in names)] for name, got in
                    (("retained, a topic each", retained), ("queued, QoS 1, for a client that is away", queued))]))


def tls():
    rows = []
    for scenario, qos in (("fan-in", 0), ("fan-out", 0), ("pairs", 1)):
        names = [n for n in PEERS if n in HAVE_TLS]

        def both(broker):
            plain = load(broker, scenario, "-q", qos)
            broker_tls = load(broker, scenario, "-q", qos, "-p", broker.tls_port, "--tls", "--insecure")
            return {"plain": plain["cpu"], "tls": broker_tls["cpu"], "ratio": broker_tls["cpu"] / plain["cpu"]}

        got = in_turn(names, both, tls=True)
        theirs = got.get("mosquitto", {}).get("tls")
        line(f"tls_{scenario}_qos{qos}_cpu", "s/Mmsg", got["sedge"]["tls"], "mosquitto" if theirs else "-", theirs)
        rows.append([f"{scenario} QoS {qos}", *(f"{got[n]['tls']:.3g} ({got[n]['ratio']:.2f}x plain)" for n in names)])
    TABLES.append(("TLS 1.3: CPU seconds per million deliveries", ["", *names], rows))


FAMILIES = {f.__name__: f for f in (rates, latency, idle, durable, workers, memory, tls)}


def machine():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    peers = ", ".join(f"{n} {v}" for n, v in VERSIONS.items() if v != "-")
    return (f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores {cpu[1] if cpu else ''}, Linux {os.uname().release}; {peers}. "
            f"Medians of {ROUNDS} rounds of {SECONDS} s.")


def markdown():
    parts = [machine()]
    for title, header, rows in TABLES:
        head = "| " + " | ".join(header) + " |\n|" + "---|" * len(header)
        parts.append(f"### {title}\n\n{head}\n" + "\n".join("| " + " | ".join(r) + " |" for r in rows))
    return "\n\n".join(parts)


def write(text):
    path = ROOT / "bench/mqtt.md"
    begin, end = "<!-- measured -->", "<!-- end -->"
    old = path.read_text()
    at, to = old.index(begin) + len(begin), old.index(end)
    path.write_text(f"{old[:at]}\n{text}\n{old[to:]}")


def main():
    wanted = sys.argv[1:] or list(FAMILIES)
    for name in wanted:
        if name not in FAMILIES:
            sys.exit(f"bench: there is no family {name}; there are {', '.join(FAMILIES)}")
    failed = []
    for name in wanted:
        try:
            FAMILIES[name]()
        except Unsound as error:
            print(f"note: {name} stops: {error}", flush=True)
            failed.append(name)
    text = markdown()
    print(text)
    if failed:
        sys.exit(f"bench: failed: {', '.join(failed)}")
    if WRITE:
        write(text)


if __name__ == "__main__":
    main()
