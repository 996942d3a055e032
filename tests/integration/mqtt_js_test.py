# ctest: timeout=300 workers=2
"""MQTT.js (tests/clients/mqttjs, its version pinned there) against sedge, in 3.1, 3.1.1 and 5.0. npm puts it into the
build's folder when the test runs first, and again when the pinned version changes."""

import fcntl
import os
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from mqtt_broker import broker, kinds  # noqa: E402
from sedge_site import ROOT  # noqa: E402

SOURCE = ROOT / "tests/clients/mqttjs"
PLACE = pathlib.Path(os.environ.get("SEDGE_BUILD", ROOT / "build/release")) / "mqttjs"
ALWAYS = ["each QoS", "retained", "wills", "sessions", "TLS", "WebSocket"]
PARTS = {"3": ALWAYS, "4": ALWAYS, "5": [*ALWAYS, "properties", "shared"]}


def install():
    """One test at a time: another may begin at the same moment."""
    PLACE.parent.mkdir(parents=True, exist_ok=True)
    with open(PLACE.parent / "mqttjs.lock", "w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        install_alone()


def install_alone():
    lock = (SOURCE / "package-lock.json").read_bytes()
    done = PLACE / "installed-lock.json"
    if not done.exists() or done.read_bytes() != lock:
        shutil.rmtree(PLACE, ignore_errors=True)
        PLACE.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCE / name, PLACE)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=PLACE, check=True, timeout=250)
        done.write_bytes(lock)
    shutil.copy(SOURCE / "scenario.mjs", PLACE)


def main():
    install()
    for kind in kinds(("sedge",)):
        started = time.monotonic()
        with broker(kind) as b:
            for version, parts in PARTS.items():
                words = ["node", PLACE / "scenario.mjs", version, b.port, b.tls_port, b.ws_port, b.certs.ca,
                         b.certs.other_ca]
                done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=120)
                assert done.returncode == 0, f"{kind}, {version}: {done.returncode}\n{done.stdout}{done.stderr}"
                assert done.stdout.split("\n")[:-1] == parts, (kind, version, done.stdout)
        print(f"MQTT.js with {kind}: {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
