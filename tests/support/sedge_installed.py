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


def headers_of(library):
    """Those whose functions are in libsedge-rt; libsedge-mqtt has all."""
    return [h for h in HEADERS if library == "mqtt" or h.stem != "mqtt"]


def declared(header):
    code = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
    return sorted(set(re.findall(r"SEDGE_API[^;]*?\b(sedge_\w+)\(", code)))


def public_functions(library="mqtt"):
    """The functions that the headers declare for the library, in the order of the alphabet."""
    return sorted({name for header in headers_of(library) for name in declared(header)})


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

    def flags(self, *options, library="rt"):
        return run("pkg-config", *options, f"sedge-{library}", env=self.env).split()

    def compile(self, source, compiler="cc", standard="c11", static=False, library="rt"):
        """Builds one file with pkg-config's flags; the program's path. Static: libsedge-mqtt's own objects only, since
        Debian has not all that it needs as archives."""
        program = self.tmp / f"{pathlib.Path(source).stem}-{standard}{'-static' if static else ''}"
        link = self.flags(*(["--static"] if static else []), "--cflags", "--libs", library=library)
        if static and library == "rt":
            link = ["-static", *link]
        elif static:
            link = [self.lib / "libsedge-mqtt.a" if word == "-lsedge-mqtt" else word for word in link]
        run(compiler, f"-std={standard}", "-O1", *WARNINGS, source, "-o", program, *link)
        return program

    def write(self, name, text):
        path = self.tmp / name
        path.write_text(text)
        return path
