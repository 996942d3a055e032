"""10,000 programs of 20 rules on a site of 10,000 stations and their valves: memory for each, and messages
through all. The programs are those of lang_site.py, one for each cell; bench_lang_programs runs them
on a bus with registry, journal, history and alerts, without the network. The same site without programs
says what is theirs."""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from lang_site import write_site

BUILD = pathlib.Path(os.environ.get("SEDGE_BUILD", pathlib.Path(__file__).resolve().parents[1] / "build/release"))
DEVICES, PROGRAMS, RULES = 20_000, 10_000, 20
EVENTS, RUNS, LIMIT_S = 200_000, 3, 120


def run(site):
    """The figures of one run, by name."""
    with tempfile.TemporaryDirectory() as store:
        done = subprocess.run(["timeout", str(LIMIT_S), BUILD / "bench/bench_lang_programs", site, store, str(EVENTS)],
                              stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: bench_lang_programs: exit code {done.returncode}")
    figures = {name: float(value) for name, value in (line.split() for line in done.stdout.splitlines())}
    if figures["failed"]:
        sys.exit(f"bench: {figures['failed']:.0f} programs failed")
    return figures


def line(name, unit, value):
    print(f"bench=lang_programs_{name} unit={unit} ours={value:.4g} peer=-", flush=True)


def main():
    with tempfile.TemporaryDirectory() as folder:
        write_site(f"{folder}/with", DEVICES, PROGRAMS, RULES, own=True)
        write_site(f"{folder}/without", DEVICES, 0, RULES, own=True)
        runs = [(run(f"{folder}/with"), run(f"{folder}/without")) for _ in range(RUNS)]

    def median(figure):
        return statistics.median(figure(*pair) for pair in runs)

    def grown(figures, until, since):
        return figures[f"resident_{until}"] - figures[f"resident_{since}"]

    line("code", "KB", median(lambda w, o: (grown(w, "checked", "start") - grown(o, "checked", "start")) / PROGRAMS / 1e3))
    line("state", "KB", median(lambda w, o: (grown(w, "running", "devices") - grown(o, "running", "devices")) / PROGRAMS / 1e3))
    line("events", "1/s", median(lambda w, o: EVENTS / w["cpu"]))
    line("events_wall", "1/s", median(lambda w, o: EVENTS / w["wall"]))
    line("events_without", "1/s", median(lambda w, o: EVENTS / o["cpu"]))
    line("looks_of_an_event", "1", median(lambda w, o: w["turns"] / (EVENTS + DEVICES / 2)))
    line("look", "ns", median(lambda w, o: (w["cpu"] - o["cpu"]) * 1e9 / EVENTS / (w["turns"] / (EVENTS + DEVICES / 2))))


main()
