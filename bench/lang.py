"""lang.py [PROGRAM]: the language's machine beside Lua, LuaJIT and node.

Each program of bench/lang is there in all three languages, written as their users write, and prints one
number that must be the same in all. A figure is the processor time (user and system) of the whole
process, as the kernel counts it, less that of the same interpreter with an empty program. All runs of one
round follow each other, pinned to one core; a figure is the median of ROUNDS. `rule` has events and rule in the
language itself, as the peers have them; `when` is a rule of a site, looked at by the machine's host at each event.
"""

import math
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

ROOT = pathlib.Path(os.environ.get("SEDGE_SOURCE", pathlib.Path(__file__).resolve().parents[1]))
BUILD = pathlib.Path(os.environ.get("SEDGE_BUILD", ROOT / "build/release"))
PROGRAMS = ROOT / "bench/lang"
ROUNDS = int(os.environ.get("ROUNDS", "5"))
CORE = max(os.sched_getaffinity(0))
LIMIT_S = 120
SHORTEST_S = 0.001  # less than this is not told from the noise of starting up

OURS = "sedge"
# name: command, ending of its programs. luajit -joff is LuaJIT's interpreter alone.
PEERS = {
    "lua5.4": (["lua5.4"], "lua"),
    "luajit_off": (["luajit", "-joff"], "lua"),
    "luajit": (["luajit"], "lua"),
    "node": (["node"], "js"),
}
# Figure: the peers' program, and the goals: how much of a peer's time.
FIGURES = {
    "fib": ("fib", {"luajit_off": 1.0}),
    "loop": ("loop", {"luajit_off": 1.0}),
    "map": ("map", {"lua5.4": 0.8}),
    "trees": ("trees", {"lua5.4": 0.5}),
    "sieve": ("sieve", {"luajit_off": 1.0}),
    "rule": ("rule", {"luajit_off": 1.0}),
    "when": ("rule", {"luajit_off": 1.0}),
}
OVERALL = ("fib", "loop", "map", "trees", "sieve", "rule")
OVERALL_GOAL = 0.5  # of Lua's time


def pin():
    os.sched_setaffinity(0, {CORE})


def run(command):
    """(what it printed, processor seconds); None if it failed, with its messages shown."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, preexec_fn=pin, text=True)
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        return None
    return text.strip(), usage.ru_utime + usage.ru_stime


def command(who, program):
    guard = ["timeout", str(LIMIT_S)]
    if who == OURS:
        return guard + [str(BUILD / "bench/bench_lang"), str(PROGRAMS / f"{program}.sedge")]
    start, ending = PEERS[who]
    return guard + start + [str(PROGRAMS / f"{program}.{ending}")]


def measure(ours, theirs, peers):
    """Median seconds of each for a program, after one run to see that all say the same."""
    commands = {OURS: command(OURS, ours), **{peer: command(peer, theirs) for peer in peers}}
    said = {who: run(c) for who, c in commands.items()}
    failed = [who for who, r in said.items() if r is None]
    if failed:
        print(f"bench: {ours} failed with {', '.join(failed)}", file=sys.stderr)
        return None
    if len({text for text, _ in said.values()}) != 1:
        print(f"bench: {ours}: not all compute the same: { {w: t for w, (t, _) in said.items()} }",
              file=sys.stderr)
        return None
    took = {who: [] for who in commands}
    for _ in range(ROUNDS):
        for who, c in commands.items():
            took[who].append(run(c)[1])
    return {who: statistics.median(times) for who, times in took.items()}


def report(figure, ours, theirs, goals):
    for peer, seconds in theirs.items():
        ratio, goal = ours / seconds, goals.get(peer)
        met = "-" if goal is None else "yes" if ratio <= goal else "no"
        print(f"bench=lang_{figure} unit=s ours={ours:.4g} peer={peer} theirs={seconds:.4g} "
              f"ratio={ratio:.3g} goal={'-' if goal is None else f'<={goal:g}'} met={met}", flush=True)


def overall(figures):
    ratios = [figures[f][OURS] / figures[f]["lua5.4"] for f in OVERALL]
    mean = math.exp(statistics.fmean(map(math.log, ratios)))
    print(f"bench=lang_overall unit=ratio ours={mean:.3g} peer=lua5.4 theirs=1 ratio={mean:.3g} "
          f"goal=<={OVERALL_GOAL:g} met={'yes' if mean <= OVERALL_GOAL else 'no'}", flush=True)


def table(figures, peers):
    print("\nprocessor seconds" + "".join(f"{who:>12}" for who in (OURS, *peers)))
    for name, times in figures.items():
        print(f"{name:17}" + "".join(f"{times[who]:12.4f}" for who in (OURS, *peers)))


def main():
    only = sys.argv[1] if len(sys.argv) > 1 else None
    if only and only not in FIGURES:
        sys.exit(f"bench: there is no program {only}; there are {', '.join(FIGURES)}")
    peers = [name for name, (start, _) in PEERS.items() if shutil.which(start[0])]
    start_up = measure("empty", "empty", peers)
    if not start_up:
        return 1
    figures, failed = {}, False
    for name, (theirs, goals) in FIGURES.items():
        if only and only != name:
            continue
        times = measure(name, theirs, peers)
        failed = failed or not times
        if not times:
            continue
        figures[name] = {w: max(t - start_up[w], SHORTEST_S) for w, t in times.items()}
        report(name, figures[name][OURS], {p: figures[name][p] for p in peers}, goals)
    if "lua5.4" in peers and all(f in figures for f in OVERALL):
        overall(figures)
    table(figures, peers)
    return 1 if failed else 0


sys.exit(main())
