"""TCP echo: processor time of the server for each request, beside a bare epoll loop, libuv, Go and Tokio.

usage: runtime_echo.py [io_uring | epoll]      our driver; io_uring if it is not said

The server runs on core 0 and the load, the same for everybody (echo_load.c), on core 1. Every round measures
each server once, in turn, so that a noisy moment hits all; figures are medians over the rounds. A peer whose
compiler or library is missing is left out. Prints the lines of bench/README.md, and a note for each peer's version.
"""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys

from sedge_site import accepts, free_ports, wait_until

SOURCE = pathlib.Path(os.environ["SEDGE_SOURCE"])
BUILD = pathlib.Path(os.environ["SEDGE_BUILD"]) / "bench"
PEERS = SOURCE / "bench/peers"
OUT = BUILD / "peers"
LOADS = [(1, 1), (1, 16), (50, 1), (50, 16), (1000, 1), (1000, 16)]  # connections, depth
ROUNDS, WARM_UP_MS, MEASURE_MS = 5, 100, 500
DRIVER = sys.argv[1] if len(sys.argv) > 1 else "io_uring"


def build_c(name, *libraries):
    subprocess.run(["cc", "-O2", "-o", OUT / name, PEERS / f"c/{name}.c", *libraries],
                   check=True, capture_output=True)
    return OUT / name


def build_epoll():
    return build_c("echo_epoll"), "-"


def build_libuv():
    version = subprocess.run(["pkg-config", "--modversion", "libuv"], check=True, capture_output=True, text=True)
    return build_c("echo_uv", "-luv"), version.stdout.strip()


def build_go():
    version = subprocess.run(["go", "env", "GOVERSION"], check=True, capture_output=True, text=True)
    subprocess.run(["go", "build", "-o", OUT / "echo_go", "."], check=True, capture_output=True, cwd=PEERS / "go/echo",
                   env={**os.environ, "GOCACHE": str(BUILD.parent / "go"), "GOFLAGS": "-mod=mod"})
    return OUT / "echo_go", version.stdout.strip()


def build_tokio():
    """In a copy, since cargo writes beside its source; with Debian's compiler, whose crates these are."""
    folder = OUT / "rust_echo"
    shutil.copytree(PEERS / "rust/echo", folder, dirs_exist_ok=True)
    env = {**os.environ, "RUSTC": "/usr/bin/rustc", "PATH": "/usr/bin:/bin"}
    subprocess.run(["/usr/bin/cargo", "build", "--release"], check=True, capture_output=True, cwd=folder, env=env)
    lock = (folder / "Cargo.lock").read_text()
    return folder / "target/release/echo", lock.split('name = "tokio"\nversion = "')[1].split('"')[0]


BUILDERS = {"epoll": build_epoll, "libuv": build_libuv, "go": build_go, "tokio": build_tokio}


def commands():
    """name: command without the port."""
    found = {"ours": [BUILD / "bench_runtime_echo"]}
    OUT.mkdir(parents=True, exist_ok=True)
    for name, build in BUILDERS.items():
        try:
            program, version = build()
        except (OSError, subprocess.CalledProcessError) as why:
            print(f"note: peer {name} can't be built here: {getattr(why, 'stderr', None) or why}")
            continue
        print(f"note: peer {name} {version}", flush=True)
        found[name] = [program]
    return found


def start(name, command):
    port, = free_ports(1)
    extra = [DRIVER] if name == "ours" else []
    process = subprocess.Popen(["taskset", "-c", "0", *command, str(port), *extra], stderr=subprocess.DEVNULL)
    wait_until(lambda: accepts(port))
    return process, port


def measure(process, port, connections, depth):
    """Nanoseconds of the server's processor time for one request."""
    out = subprocess.run(["taskset", "-c", "1", BUILD / "bench_echo_load", str(port), str(connections), str(depth),
                          str(WARM_UP_MS), str(MEASURE_MS), str(process.pid)],
                         check=True, capture_output=True, text=True).stdout.split()
    return int(out[1]) / int(out[0])


def report(connections, depth, ours, theirs):
    goal = 1.05 if connections == 1 else 0.95
    for peer, figure in theirs.items():
        ratio = ours / figure
        bar = f"<={goal} met={'yes' if ratio <= goal else 'no'}" if peer == "epoll" else \
            f"<=1 met={'yes' if ratio <= 1 else 'no'}"
        print(f"bench=runtime_echo_c{connections}_d{depth} unit=ns ours={ours:.0f} peer={peer} theirs={figure:.0f} "
              f"ratio={ratio:.3f} goal={bar}", flush=True)


def main():
    running = {}
    try:
        for name, command in commands().items():
            running[name] = start(name, command)
        for connections, depth in LOADS:
            figures = {name: [] for name in running}
            for _ in range(ROUNDS):
                for name, (process, port) in running.items():
                    figures[name].append(measure(process, port, connections, depth))
            medians = {name: statistics.median(f) for name, f in figures.items()}
            report(connections, depth, medians.pop("ours"), medians)
    finally:
        for process, _ in running.values():
            process.terminate()
            process.wait()


main()
