# ctest: timeout=300
"""What the documentation tells readers to type does what it says. tests/support/doc_pages.py has the form of the pages.

docs_test.py [PAGE...] runs only those."""

import contextlib
import multiprocessing
import os
import pathlib
import re
import sys
import tempfile
import traceback
import unittest

import doc_pages
from sedge_installed import BUILD, Installed
from sedge_site import ROOT, SEDGE

PAGES = [ROOT / "README.md", ROOT / "README.zh.md", ROOT / "docs/README.md", ROOT / "docs/tutorial.md",
         *sorted((ROOT / "docs/howto").glob("*.md"))]
WANTED = sys.argv[1:]
FOLLOWED = [page for page in PAGES if not WANTED or page.name in WANTED or page.stem in WANTED]
LIBRARY = BUILD / "lib/libsedge-mqtt.so"
AT_ONCE = 4


def needs_library(page):
    return "pkg-config --cflags" in page.read_text()


def environment(folder):
    """Where a reader's shell finds sedge."""
    programs = pathlib.Path(folder, "bin")
    programs.mkdir()
    for program in ("sedge", "modbus-server"):
        (programs / program).symlink_to(pathlib.Path(SEDGE).absolute().with_name(program))
    kept = {k: v for k, v in os.environ.items() if k in ("TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS")}
    return {**kept, "PATH": f"{programs}:{os.environ['PATH']}"}


def follow(page):
    """How many commands were run, or what went wrong."""
    if not doc_pages.own_network():
        busy = doc_pages.busy_ports()
        if busy:
            return f"{page.name} needs the ports {busy}, which somebody uses, and this system gives no network apart"
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sedge-docs-"))
        shell = environment(folder)
        if needs_library(page):
            installed = stack.enter_context(Installed())
            shell.update({k: installed.env[k] for k in ("PKG_CONFIG_PATH", "LD_LIBRARY_PATH")})
        reader = stack.enter_context(doc_pages.Reader(folder, shell))
        return reader.follow(page, ROOT)


def follow_and_tell(page, result, turn):
    """In a process of its own, which leaves the machine's network."""
    with turn:
        try:
            result.put(follow(page))
        except AssertionError as wrong:
            result.put(str(wrong))
        except Exception:  # somebody waits
            result.put(traceback.format_exc())


def networks_apart():
    """Whether each page can have a network of its own."""
    process = multiprocessing.Process(target=lambda: sys.exit(not doc_pages.own_network()))
    process.start()
    process.join()
    return process.exitcode == 0


def lacks(page):
    """What this build has not and the page needs."""
    text = page.read_text()
    if "modbus-server" in text and not pathlib.Path(SEDGE).with_name("modbus-server").exists():
        return "libmodbus"
    return "the library" if needs_library(page) and not LIBRARY.exists() else None


class Pages(unittest.TestCase):
    """The pages mostly wait, so several are followed at a time."""

    @classmethod
    def setUpClass(cls):
        turn = multiprocessing.Semaphore(AT_ONCE if networks_apart() else 1)
        cls.running = {}
        for page in FOLLOWED:
            if lacks(page):
                continue
            result = multiprocessing.Queue()
            process = multiprocessing.Process(target=follow_and_tell, args=(page, result, turn))
            process.start()
            cls.running[page] = (process, result)

    def follow(self, page):
        if lacks(page):
            self.skipTest(f"this build has not {lacks(page)}")
        process, result = self.running[page]
        got = result.get(timeout=280)
        process.join()
        if isinstance(got, str):
            self.fail(got)
        return got

    def test_the_program_is_the_example(self):
        program, = (b for b in doc_pages.blocks(ROOT / "docs/howto/c-program.md") if b.values.get("file") == "reading.c")
        self.assertEqual(program.text + "\n", (ROOT / "examples/mqtt/reading.c").read_text())

    def test_links_lead_somewhere(self):
        for page in [*PAGES, *(ROOT / "docs").glob("*.md")]:
            text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
            for link, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(#[^)\s]*)?\)", text):
                with self.subTest(page=page.name, link=link + anchor):
                    target = (page.parent / link).resolve() if link else page
                    self.assertTrue(target.exists(), target)
                    if anchor and target.suffix == ".md":
                        self.assertIn(anchor[1:], anchors(target))


def anchors(page):
    """Of its headings, as forges make them."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", h).lower()).replace(" ", "-") for h in headings}


def add(page):
    def test(self):
        print(f"{page.relative_to(ROOT)}: {self.follow(page)} commands", flush=True)
    setattr(Pages, "test_" + re.sub(r"\W", "_", str(page.relative_to(ROOT))), test)


for each in FOLLOWED:
    add(each)
if WANTED:
    del Pages.test_the_program_is_the_example, Pages.test_links_lead_somewhere

if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
