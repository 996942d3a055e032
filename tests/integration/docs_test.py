# ctest: timeout=300
"""What the documentation tells readers to type does what it says. tests/support/doc_pages.py has the form of the pages.

docs_test.py [PAGE...] runs only those."""

import multiprocessing
import os
import pathlib
import shutil
import sys
import tempfile
import traceback
import unittest

import doc_pages
from sedge_site import ROOT, SEDGE

PAGES = [ROOT / "README.md", ROOT / "README.zh.md", ROOT / "docs/README.md", ROOT / "docs/tutorial.md",
         *sorted((ROOT / "docs/howto").glob("*.md"))]
LINKS = r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)"


def environment(folder):
    """Where a reader's shell finds sedge, and the C library if it is installed beside it."""
    programs = pathlib.Path(folder, "bin")
    programs.mkdir()
    (programs / "sedge").symlink_to(pathlib.Path(SEDGE).absolute())
    out = {k: v for k, v in os.environ.items() if k in ("PKG_CONFIG_PATH", "LD_LIBRARY_PATH", "TMPDIR", "ASAN_OPTIONS")}
    return {**out, "PATH": f"{programs}:{os.environ['PATH']}", "SEDGE_SOURCE": str(ROOT)}


def follow(page, result):
    """In a process of its own, which leaves the machine's network."""
    if not doc_pages.own_network():
        busy = doc_pages.busy_ports()
        if busy:
            result.put(f"{page.name} needs the ports {busy}, which somebody uses, and this system gives no network apart")
            return
    folder = tempfile.mkdtemp(prefix="sedge-docs-")
    try:
        with doc_pages.Reader(folder, environment(folder)) as reader:
            result.put(reader.follow(page, ROOT))
    except AssertionError as wrong:
        result.put(str(wrong))
    except Exception:  # the parent waits for something
        result.put(traceback.format_exc())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Pages(unittest.TestCase):
    def follow(self, page):
        result = multiprocessing.Queue()
        process = multiprocessing.Process(target=follow, args=(page, result))
        process.start()
        got = result.get(timeout=240)
        process.join()
        if isinstance(got, str):
            self.fail(got)
        return got


def add(page):
    def test(self):
        print(f"{page.relative_to(ROOT)}: {self.follow(page)} commands", flush=True)
    setattr(Pages, "test_" + str(page.relative_to(ROOT)).replace("/", "_").replace(".", "_"), test)


for each in PAGES:
    if each.exists() and (len(sys.argv) < 2 or each.name in sys.argv[1:] or each.stem in sys.argv[1:]):
        add(each)

if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
