"""runtime.py [FIGURE]: the runtime beside its peers, with one and with two workers.

Each program (bench/runtime, and those of bench/peers whose compiler or library is there) is called as
`PROGRAM WORKERS FIGURE` and prints "peer NAME VERSION" and "FIGURE VALUE": the median of seven runs
after one to warm up. For each figure ours and the peers run directly one after the other, pinned to
as many cores as there are workers.
"""

import collections
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(os.environ.get("SEDGE_SOURCE", pathlib.Path(__file__).resolve().parents[1]))
BUILD = pathlib.Path(os.environ.get("SEDGE_BUILD", ROOT / "build/release")) / "bench"
PEERS = ROOT / "bench/peers"
CORES = sorted(os.sched_getaffinity(0))
LIMIT_S = 120

# name: unit, digits, goal with one worker, goal with two; None: there is none, and with two
# workers the figure is not taken.
Figure = collections.namedtuple("Figure", "unit digits goal goal_2")
FIGURES = {
    "spawn_batch": Figure("ns", 1, 45, 60),
    "spawn_turn": Figure("ns", 1, 30, None),
    "ping_pong": Figure("ns", 1, 30, 80),
    "yield": Figure("ns", 1, 8, None),
    "ring": Figure("ns", 1, 25, None),
    "skynet": Figure("ns", 1, 60, 50),
    "producers": Figure("ns", 1, 8, 15),
    "select": Figure("ns", 1, 35, 90),
    "timer_set": Figure("ns", 1, 20, None),
    "timer_cancel": Figure("ns", 1, 10, None),
    "timer_fire": Figure("ns", 1, 500, None),
    "fib": Figure("ns", 2, 5.5, 2.8),
    "merge_sort": Figure("ns", 1, 85, 47),
    "parked_task": Figure("B", 0, 160, None),
    "parked": Figure("B", 0, 4300, None),
}

Peer = collections.namedtuple("Peer", "command figures")
COROUTINES = {"spawn_batch", "spawn_turn", "ping_pong", "yield", "ring", "skynet", "producers",
              "select", "timer_set", "timer_cancel", "timer_fire", "fib"}


def built(command, target, cwd=ROOT, env=None):
    """Whether the command made the target; what it says is shown if it did not."""
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **(env or {})}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        print(f"bench: {target.name} could not be built:\n{done.stdout}", file=sys.stderr)
    return done.returncode == 0


def go_peers():
    """One for each Go: that of the path, and those that Debian has under names of their own."""
    versions = {}
    for go in [shutil.which("go"), *sorted(map(str, pathlib.Path("/usr/lib").glob("go-*/bin/go")))]:
        if go:
            said = subprocess.run([go, "env", "GOVERSION"], stdout=subprocess.PIPE, text=True,
                                  env={**os.environ, "GOTOOLCHAIN": "local"}).stdout.strip()
            versions.setdefault(said, go)
    for version, go in versions.items():
        target = BUILD / f"peer_{version}"
        env = {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOPROXY": "off",
               "GOCACHE": str(BUILD / "go")}
        if built([go, "build", "-o", str(target), "."], target, PEERS / "go/runtime", env):
            yield Peer([str(target)], COROUTINES | {"merge_sort", "parked"})


def rust_peers():
    """Debian's crates with Debian's compiler if it is there: they were made for each other."""
    cargo = shutil.which("cargo", path="/usr/bin") or shutil.which("cargo")
    if not cargo or not any(pathlib.Path("/usr/share/cargo/registry").glob("tokio-[0-9]*")):
        return
    source = BUILD / "rust/runtime"  # cargo writes beside its sources
    shutil.copytree(PEERS / "rust/runtime", source, dirs_exist_ok=True)
    rustc = pathlib.Path(cargo).with_name("rustc")
    env = {"RUSTC": str(rustc), "CARGO_HOME": str(BUILD / "rust/home"),
           "CARGO_TARGET_DIR": str(BUILD / "rust/target")}
    target = BUILD / "rust/target/release"
    if built([cargo, "build", "--release", "--offline"], target / "peer_tokio", source, env):
        yield Peer([str(target / "peer_tokio")], COROUTINES | {"parked_task"})
        yield Peer([str(target / "peer_rayon")], {"fib", "merge_sort"})


def c_peers():
    for source, compiler, flags, library, figures in (
            ("cpp/runtime_tbb.cpp", "g++", ["-std=c++17"], "tbb", {"fib", "merge_sort"}),
            ("c/runtime_uv.c", "gcc", [], "libuv", {"timer_set", "timer_cancel", "timer_fire"})):
        found = subprocess.run(["pkg-config", "--libs", library], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
        if not shutil.which(compiler) or found.returncode != 0:
            continue
        target = BUILD / ("peer_" + pathlib.Path(source).stem)
        command = [compiler, "-O2", *flags, str(PEERS / source), "-o", str(target)]
        if built(command + found.stdout.split(), target):
            yield Peer([str(target)], figures)


def take(command, workers, figure):
    """(name and version, value) of one figure of one program; None if it has no such figure."""
    pinned = ["taskset", "-c", ",".join(map(str, CORES[:workers]))]
    done = subprocess.run([*pinned, *command, str(workers), figure], stdout=subprocess.PIPE, text=True,
                          timeout=LIMIT_S)
    if done.returncode != 0:
        sys.exit(f"bench: {command[0]} {workers} {figure}: exit code {done.returncode}")
    name, value = "-", None
    for line in done.stdout.splitlines():
        first, *rest = line.split()
        if first == "peer":
            name = "-".join(rest)
        elif first == figure:
            value = float(rest[0])
    return (name, value) if value is not None else None


def report(name, figure, workers, goal, ours, theirs):
    bench = f"runtime_{name}" + (f"_{workers}" if workers > 1 else "")
    met = "yes" if ours <= goal else "no"
    head = f"bench={bench} unit={figure.unit} ours={ours:.{figure.digits}f}"
    for peer, value in theirs or [("-", None)]:
        beside = f" theirs={value:.{figure.digits}f} ratio={ours / value:.3g}" if value else ""
        print(f"{head} peer={peer}{beside} goal={goal:g} met={met}", flush=True)


def main():
    only = sys.argv[1] if len(sys.argv) > 1 else None
    if only and only not in FIGURES:
        sys.exit(f"bench: there is no figure {only}; there are {', '.join(FIGURES)}")
    peers = [*go_peers(), *rust_peers(), *c_peers()]
    for name, figure in FIGURES.items():
        for workers, goal in ((1, figure.goal), (2, figure.goal_2)):
            if (only and only != name) or goal is None or workers > len(CORES):
                continue
            ours = take([str(BUILD / "bench_runtime")], workers, name)
            theirs = [take(p.command, workers, name) for p in peers if name in p.figures]
            if ours:
                report(name, figure, workers, goal, ours[1], [t for t in theirs if t])


if __name__ == "__main__":
    main()
