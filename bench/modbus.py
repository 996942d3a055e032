"""Modbus TCP: our engine beside libmodbus' own client, against one server (tools/modbus-server, which is libmodbus).

Each reads the holding registers of several units as fast as the server answers, 125 registers in a request: so many numbers in a
second, and the client's processor time for 1,000 of them; with one request at a time, as most units want it, and with
eight, which libmodbus' client can't have. Then one unit of ten is silent. The server has core 0, the client core 1; every
round measures each once, in turn; figures are medians.
"""

import os
import pathlib
import statistics
import subprocess

from sedge_site import Process, accepts, free_ports, wait_until

SOURCE = pathlib.Path(os.environ["SEDGE_SOURCE"])
BUILD = pathlib.Path(os.environ["SEDGE_BUILD"])
ROUNDS = 5
UNITS, MANY, FEW = 10, 2000, 250  # registers of each


def peer():
    out = BUILD / "bench/peers/modbus_poll"
    out.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["sh", "-c", f"cc -O2 -o {out} {SOURCE}/bench/peers/c/modbus_poll.c $(pkg-config --cflags --libs libmodbus)"],
                   check=True)
    version = subprocess.run(["pkg-config", "--modversion", "libmodbus"], check=True, capture_output=True, text=True)
    print(f"note: peer libmodbus {version.stdout.strip()}", flush=True)
    return out


class Server(Process):
    def __init__(self, port, *lines):
        super().__init__(["taskset", "-c", "0", BUILD / "modbus-server", "127.0.0.1", port], stdin=True)
        wait_until(lambda: accepts(port), what="modbus-server listens")
        self.say(*lines)

    def say(self, *lines):
        self.child.stdin.write("".join(f"{line}\n" for line in lines).encode())
        self.child.stdin.flush()

    def close(self):
        self.child.stdin.close()
        self.wait()


def measure(program, port, registers, in_flight, ms):
    """(points a second, µs of processor time for 1,000 points)"""
    arguments = [str(n) for n in (port, UNITS, registers, ms, in_flight)]
    words = subprocess.run(["taskset", "-c", "1", program, *arguments], check=True, capture_output=True, text=True,
                           timeout=60).stdout.split()
    points, cpu_us = int(words[1]), int(words[3])
    return points * 1000 / ms, cpu_us * 1000 / points


def rounds(programs, port, registers, in_flight, ms):
    found = {name: [] for name in programs}
    for _ in range(ROUNDS):
        for name, program in programs.items():
            found[name].append(measure(program, port, registers, in_flight, ms))
    return {name: [statistics.median(column) for column in zip(*rows)] for name, rows in found.items()}


def report(bench, unit, ours, theirs, goal, met):
    print(f"bench={bench} unit={unit} ours={ours:.4g} peer=libmodbus theirs={theirs:.4g} ratio={ours / theirs:.3g} goal={goal} "
          f"met={'yes' if met else 'no'}", flush=True)


def compare(bench, programs, port, registers, in_flight=1, ms=1000, cpu=True):
    figures = rounds(programs, port, registers, in_flight, ms)
    (ours, our_cpu), (theirs, their_cpu) = figures["ours"], figures["libmodbus"]
    report(f"modbus_points{bench}", "1/s", ours, theirs, ">1x", ours > theirs)
    if cpu:
        report(f"modbus_cpu{bench}", "us/1000points", our_cpu, their_cpu, "<1x", our_cpu < their_cpu)


def main():
    programs = {"ours": BUILD / "bench/bench_modbus_poll", "libmodbus": peer()}
    port, = free_ports(1)
    server = Server(port, *(f"set {u} holding {MANY - 1} 1" for u in range(1, UNITS + 1)))
    compare("", programs, port, MANY)
    compare("_in_flight", programs, port, MANY, in_flight=8)
    server.say(f"silent {UNITS // 2}")
    compare("_dead_unit", programs, port, FEW, ms=4000, cpu=False)
    server.close()


main()
