"""`sedge check` of a generated site: 10,000 devices and 1,000 programs of 10 rules (lang_site.py), 3 MB of
source. Wall time of the whole command, the median of seven, and its largest resident size."""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from lang_site import write_site

ROOT = pathlib.Path(__file__).resolve().parents[1]
SEDGE = os.environ.get("SEDGE_BIN", str(ROOT / "build/release/sedge"))
DEVICES, PROGRAMS, RULES = 10_000, 1_000, 10
RUNS, GOAL_MS = 7, 1000


def check(folder):
    """(milliseconds, resident bytes)"""
    began = time.monotonic()
    process = subprocess.Popen(["timeout", "60", SEDGE, "check", folder], stdout=subprocess.PIPE, text=True)
    said = process.stdout.read().strip()
    _, status, usage = os.wait4(process.pid, 0)
    took = (time.monotonic() - began) * 1000
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0 or not said.startswith(f"ok: {DEVICES} devices, {PROGRAMS} programs"):
        sys.exit(f"bench: sedge check: exit code {process.returncode}: {said[-500:]}")
    return took, usage.ru_maxrss * 1024


def main():
    with tempfile.TemporaryDirectory() as folder:
        size = write_site(folder, DEVICES, PROGRAMS, RULES)
        runs = [check(folder) for _ in range(RUNS)]
    took = statistics.median(ms for ms, _ in runs)
    resident = max(bytes_ for _, bytes_ in runs)
    print(f"bench=lang_check unit=ms ours={took:.4g} peer=- goal=<{GOAL_MS} met={'yes' if took < GOAL_MS else 'no'}")
    print(f"bench=lang_check_resident unit=MB ours={resident / 1e6:.4g} peer=-")
    print(f"bench=lang_check_speed unit=MB/s ours={size / took / 1e3:.4g} peer=-", flush=True)


main()
