"""The page: how long it takes from nothing to live values in headless Chromium, and how much is sent for it.

The measuring is in tests/browser/load.mjs, beside the browser tests; it prints the lines.
"""

import os
import pathlib
import subprocess
import sys

BUILD = pathlib.Path(os.environ["SEDGE_BUILD"])

sys.exit(subprocess.run(["node", str(BUILD / "browser" / "load.mjs")], check=False).returncode)
