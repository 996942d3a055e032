"""lang_gc.py: the collector of lang/ by itself (bench/lang_gc.c), its longest pause beside the longest
operation of the same program in Lua, OCaml and Go, if they are there.

A machine takes CPU time of a thread for itself at random. `longest` and `p999` are rid of that step by
step, see lang_gc.c; no peer can be. `longest_run` and `p999_run` are as measured, in the best of three
runs, and so are the peers': those are compared.
"""

import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(os.environ.get("SEDGE_SOURCE", pathlib.Path(__file__).resolve().parents[1]))
BUILD = pathlib.Path(os.environ.get("SEDGE_BUILD", ROOT / "build/release")) / "bench"
PEERS = ROOT / "bench/peers"
LIMIT_S = 280

# figure: unit, digits, goal. The goals hold for what was measured; the two of the fastest of three runs of
# each step only tell how much of it is the machine's.
FIGURES = {
    "longest_us": ("us", 1, None),
    "p999_us": ("us", 1, None),
    "longest_run_us": ("us", 1, 100),
    "p999_run_us": ("us", 1, 50),
    "heap_over_live": ("x", 2, 2),
    "share_percent": ("%", 1, 25),
}


def figures(command):
    """What a program prints: its name if it says one, and its figures."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=LIMIT_S)
    if done.returncode != 0:
        sys.exit(f"bench: {command[0]}: exit code {done.returncode}")
    lines = [line.split() for line in done.stdout.splitlines()]
    return {line[0]: "-".join(line[1:]) if line[0] == "peer" else float(line[1]) for line in lines}


def peers():
    """The command of each that is there, built if it has to be."""
    if shutil.which("lua5.4"):
        yield ["lua5.4", str(PEERS / "lua/lang_gc.lua")]
    for compiler, source, target, command in (
            ("ocamlopt", "ocaml/lang_gc.ml", BUILD / "ocaml/lang_gc", lambda s, t: ["-O3", "-o", t, s]),
            ("go", "go/lang_gc/main.go", BUILD / "go_lang_gc", lambda s, t: ["build", "-o", t, s])):
        if not shutil.which(compiler):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = target.parent / pathlib.Path(source).name  # OCaml's compiler writes beside its source
        shutil.copyfile(PEERS / source, copy)
        env = {**os.environ, "GOPROXY": "off", "GOCACHE": str(BUILD / "go"), "GOTOOLCHAIN": "local"}
        built = subprocess.run([compiler, *command(str(copy), str(target))], env=env, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if built.returncode == 0:
            yield [str(target)]
        else:
            print(f"bench: {target.name} could not be built:\n{built.stdout}", file=sys.stderr)


def main():
    ours = figures([str(BUILD / "bench_lang_gc"), "replace"])
    theirs = [figures(command) for command in peers()]
    for name, (unit, digits, goal) in FIGURES.items():
        met = "-" if goal is None else "yes" if ours[name] <= goal else "no"
        bench = "lang_gc_" + name.removesuffix("_us").removesuffix("_percent")
        bench += "_fastest_of_three" if goal is None else ""
        head = f"bench={bench} unit={unit} ours={ours[name]:.{digits}f}"
        for peer in [t for t in theirs if name in t] or [{}]:
            beside = f" theirs={peer[name]:.{digits}f} ratio={ours[name] / peer[name]:.3g}" if peer else ""
            print(f"{head} peer={peer.get('peer', '-')}{beside} goal={goal or '-'} met={met}", flush=True)
    print(f"# {ours['live_mb']:.0f} MB live; a step {ours['p50_us']:.1f} us in the middle; in the worst "
          f"run the longest took {ours['noise_us']:.0f} us")


if __name__ == "__main__":
    main()
