# ctest: timeout=240 workers=2
"""Paho's C client (tests/clients/paho_c.c, built here) against sedge and mosquitto, in 3.1, 3.1.1 and 5.0."""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from mqtt_broker import broker, kinds  # noqa: E402

SOURCE = pathlib.Path(__file__).parents[1] / "clients/paho_c.c"
PARTS = {"3": ["each QoS", "retained", "wills", "TLS"],
         "4": ["each QoS", "retained", "wills", "sessions", "TLS"],
         "5": ["each QoS", "retained", "wills", "sessions", "TLS", "properties", "shared"]}


def main():
    with tempfile.TemporaryDirectory(prefix="sedge-paho-") as folder:
        program = pathlib.Path(folder) / "paho_c"
        subprocess.run(["cc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", SOURCE, "-o", program, "-lpaho-mqtt3cs"],
                       check=True, timeout=120)
        for kind in kinds(("sedge",)):
            started = time.monotonic()
            with broker(kind) as b:
                for version, parts in PARTS.items():
                    words = [program, version, str(b.port), str(b.tls_port), b.certs.ca, b.certs.other_ca]
                    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
                    assert done.returncode == 0, (kind, version, done.returncode, done.stdout, done.stderr)
                    assert done.stdout.split("\n")[:-1] == parts, (kind, version, done.stdout)
            print(f"Paho C with {kind}: {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
