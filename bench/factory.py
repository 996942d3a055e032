"""The program as a whole: start-up, memory, size, wake-ups, and one publisher to one subscriber.

Prints the lines of the design: bench=NAME unit=U ours=N peer=NAME theirs=N ratio=R goal=... met=yes|no.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

from sedge_site import SEDGE, Site, accepts, free_ports, wait_until

ROUNDS, SECONDS = 5, 3
PLAIN = 'site "bench"\nserver {\n  mqtt 127.0.0.1:@MQTT@\n  http 127.0.0.1:@HTTP@\n  store "data"\n}\n'


def line(name, unit, ours, peer="-", theirs="-", ratio="-", goal="-", met="-"):
    def show(v):
        return f"{v:.4g}" if isinstance(v, float) else str(v)
    print(f"bench={name} unit={unit} ours={show(ours)} peer={peer} theirs={show(theirs)} "
          f"ratio={show(ratio)} goal={goal} met={met}", flush=True)


def bound(name, unit, value, limit):
    line(name, unit, value, goal=f"<{limit}", met="yes" if value < limit else "no")


def start_up(command, port, env=None):
    """Milliseconds from fork to the first accepted connection."""
    began = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    try:
        while True:
            try:
                accepts(port)
                return (time.monotonic() - began) * 1000
            except OSError:
                time.sleep(0.0005)
                if child.poll() is not None:
                    raise SystemExit(f"{command} ended with {child.returncode}")
    finally:
        child.terminate()
        child.wait()


def mosquitto_conf(folder, port):
    path = pathlib.Path(folder) / "mosquitto.conf"
    path.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
                    "max_inflight_messages 0\nmax_queued_messages 0\nlog_type error\npersistence false\n")
    return path


def bench_start_up():
    with Site() as site, tempfile.TemporaryDirectory() as folder:
        port, = free_ports(1)
        conf = mosquitto_conf(folder, port)
        ours = statistics.median(start_up([SEDGE, "run", str(site.folder)], site.mqtt_port) for _ in range(9))
        theirs = statistics.median(start_up(["/usr/sbin/mosquitto", "-c", str(conf)], port) for _ in range(9))
        line("startup", "ms", ours, "mosquitto", theirs, ours / theirs, "<50", "yes" if ours < 50 else "no")


def status(pid, key):
    return int(re.search(rf"{key}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def switches(pid):
    """Voluntary switches of all threads: each is one wake-up from sleep."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        total += int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text())[1])
    return total


def bench_resident():
    with Site() as site:
        site.start()
        site.simulate("--seed", "7")
        wait_until(lambda: site.property("plant.oven.temperature")["value"] is not None)
        time.sleep(60)
        bound("resident_factory_1min", "MB", status(site.process.pid, "VmRSS") / 1024, 20)


def bench_idle():
    with Site() as site:
        site.start()
        time.sleep(30)  # without its plant the start opens valves that don't obey, and says so after 15 s
        before = switches(site.process.pid)
        time.sleep(20)
        bound("idle_wakeups", "1/s", (switches(site.process.pid) - before) / 20, 5)


def bench_size():
    with tempfile.TemporaryDirectory() as folder:
        stripped = pathlib.Path(folder) / "sedge"
        subprocess.run(["strip", "-o", stripped, SEDGE], check=True)
        bound("program_size_stripped", "MB", stripped.stat().st_size / 1e6, 4)


def load(port, qos, pid):
    """Messages a second, and the broker's CPU seconds per million. Lost, doubled or reordered ones end the run."""
    out = subprocess.run(["taskset", "-c", "1", SEDGE, "bench", "mqtt", "pairs", "--publishers", "1", "--subscribers", "1",
                          "--window", "1000", "-p", str(port), "-q", str(qos), "--seconds", str(SECONDS),
                          "--pid", str(pid), "--json"], check=True, capture_output=True, text=True).stdout
    figures = json.loads(out)
    return figures["delivered"], figures["cpu"]


def bench_one_to_one():
    with Site(text=PLAIN) as site, tempfile.TemporaryDirectory() as folder:
        port, = free_ports(1)
        conf = mosquitto_conf(folder, port)
        ours = subprocess.Popen(["taskset", "-c", "0", SEDGE, "run", str(site.folder)], stderr=subprocess.DEVNULL)
        peer = subprocess.Popen(["taskset", "-c", "0", "/usr/sbin/mosquitto", "-c", str(conf)],
                                stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: accepts(site.mqtt_port))
            wait_until(lambda: accepts(port))
            for qos in (0, 1):
                rates, cpu = {"ours": [], "peer": []}, {"ours": [], "peer": []}
                for _ in range(ROUNDS):  # in turn, so that a noisy minute hits both
                    for who, child, at in (("ours", ours, site.mqtt_port), ("peer", peer, port)):
                        rate, cost = load(at, qos, child.pid)
                        rates[who].append(rate)
                        cpu[who].append(cost)
                a, b = statistics.median(rates["ours"]), statistics.median(rates["peer"])
                line(f"one_to_one_qos{qos}", "msg/s", round(a), "mosquitto", round(b), a / b, ">1",
                     "yes" if a > b else "no")
                a, b = statistics.median(cpu["ours"]), statistics.median(cpu["peer"])
                line(f"one_to_one_qos{qos}_cpu", "s/Mmsg", a, "mosquitto", b, a / b, "<1",
                     "yes" if a < b else "no")
        finally:
            for child in (ours, peer):
                child.terminate()
                child.wait()


bench_size()
bench_start_up()
bench_one_to_one()
bench_idle()
bench_resident()
