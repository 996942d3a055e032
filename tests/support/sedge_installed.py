"""An installation of sedge in a scratch prefix, and building against it as a user would."""

import os
import pathlib
import re
import subprocess
import tempfile

SOURCE = pathlib.Path(os.environ.get("SEDGE_SOURCE", pathlib.Path(__file__).parents[2]))
BUILD = pathlib.Path(os.environ.get("SEDGE_BUILD", SOURCE / "build/release"))
HEADERS = sorted((SOURCE / "include/sedge").glob("*.h"))
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def run(*command, **options):
    """The standard output of a command that must succeed."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=120, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def public_functions():
    """The functions that the headers declare for the library, in the order of the alphabet."""
    names = set()
    for header in HEADERS:
        code = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
        names.update(re.findall(r"SEDGE_API[^;]*?\b(sedge_\w+)\(", code))
    return sorted(names)


class Installed:
    """`with Installed() as lib:` installs, and removes what it installed."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="sedge-installed-")
        self.tmp = pathlib.Path(self.folder.name)
        self.prefix = self.tmp / "prefix"
        run("cmake", "--install", BUILD, "--prefix", self.prefix)
        found = list(self.prefix.rglob("sedge-rt.pc"))
        assert len(found) == 1, found
        self.lib = found[0].parents[1]
        self.env = {**os.environ, "PKG_CONFIG_PATH": str(self.lib / "pkgconfig"), "LD_LIBRARY_PATH": str(self.lib)}
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def flags(self, *options):
        return run("pkg-config", *options, "sedge-rt", env=self.env).split()

    def compile(self, source, compiler="cc", standard="c11", static=False):
        """Builds one file with pkg-config's flags; the program's path."""
        program = self.tmp / f"{pathlib.Path(source).stem}-{standard}{'-static' if static else ''}"
        link = ["-static", *self.flags("--static", "--cflags", "--libs")] if static else self.flags("--cflags", "--libs")
        run(compiler, f"-std={standard}", "-O1", *WARNINGS, source, "-o", program, *link)
        return program

    def write(self, name, text):
        path = self.tmp / name
        path.write_text(text)
        return path
