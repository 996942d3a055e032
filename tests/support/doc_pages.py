"""Runs the commands of a documentation page, as a reader who types them would, and compares what they print.

A page is Markdown. Of its fenced blocks the first word says what happens:

    ```console            each line "$ COMMAND" is run by a shell, in one folder for the page (`cd` lasts); the lines
                          below it are what it prints. A command goes on over lines that end with a backslash,
                          within quotes, and in "<<" documents. "..." on a line stands for any number of lines, "…" for anything in one.
    ```console background the same, but it goes on running: what it prints is waited for, and more may follow; it ends
                          with the page, or where a block says ```console stop
    ```console again      repeated until it prints what it should, for what happens "a moment later"
    ```console status=1   the exit status of the last one, if that is not 0
    ```sedge file=PATH    the block is written to that file. append=PATH: at its end. (Of any language.)
    ```sh elsewhere=NAME  isn't run here but by NAME, which must exist: it needs a fresh machine, say
    ```sh not-run=WHY     isn't run at all, since it needs what a test has not: another machine, a real device

Every block in `console` or `sh` is one of these; others are only shown. Pages use the ports that a reader would, so each runs
in a network of its own where the system allows it, and else on the machine's.
"""

import ctypes
import fcntl
import os
import pathlib
import re
import shlex
import signal
import socket
import struct
import subprocess
import time

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
PORTS = (1883, 1884, 8080, 8883, 1502)


class Block:
    def __init__(self, page, line, info, text):
        words = info.split()
        self.page, self.line, self.text = page, line, text
        self.language = words[0] if words else ""
        self.flags = {w for w in words[1:] if "=" not in w}
        self.values = dict(w.split("=", 1) for w in words[1:] if "=" in w)

    @property
    def where(self):
        return f"{self.page.name}:{self.line}"

    def commands(self):
        """[(command, [lines that it prints])]"""
        out, lines = [], iter(self.text.split("\n"))
        for line in lines:
            if line.startswith("$ "):
                command = line[2:]
                while command.endswith("\\") or within_quotes(command):
                    command += "\n" + next(lines)
                end = re.search(r"<<-? ?'?(\w+)'?", command)
                while end and not command.endswith("\n" + end.group(1)):
                    command += "\n" + next(lines)
                out.append((command, []))
            elif out:
                out[-1][1].append(line)
            elif line.strip():
                raise AssertionError(f"{self.where}: a console block begins with '$ '")
        return [(command, trimmed(lines)) for command, lines in out]


def within_quotes(command):
    try:
        shlex.split(command)
    except ValueError:
        return True
    return False


def trimmed(lines):
    lines = [line.rstrip() for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def blocks(page):
    """The fenced blocks of a page."""
    out, inside = [], None
    for number, line in enumerate(page.read_text().split("\n"), 1):
        fence = re.match(r"(`{3,})(.*)$", line)
        if inside and fence and fence.group(1) == inside[0] and not fence.group(2):
            out.append(Block(page, inside[1], inside[2], "\n".join(inside[3])))
            inside = None
        elif inside:
            inside[3].append(line)
        elif fence:
            inside = (fence.group(1), number, fence.group(2).strip(), [])
    assert not inside, f"{page}: a block has no end"
    return out


def matches(printed, expected):
    """Whether lines are as a page shows them."""
    pattern = ""
    for line in expected:
        if line == "...":
            pattern += r"(?:.*\n)*"
        else:
            pattern += ".*".join(re.escape(part) for part in line.split("…")) + "\n"
    return re.fullmatch(pattern, "".join(line + "\n" for line in printed)) is not None


def own_network():
    """Leaves the machine's network for one that holds nothing but a loopback of its own. False: not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWNET) != 0:
        if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
            return False
        # Who we are stays as it is.
        for file, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            pathlib.Path("/proc/self", file).write_text(text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
    return True


def busy_ports():
    """Those of a reader's ports that somebody has."""
    out = []
    for port in PORTS:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                out.append(port)
    return out


class Reader:
    """Follows a page in a folder."""

    def __init__(self, folder, environment, patience_s=30):
        self.folder, self.patience_s = pathlib.Path(folder), patience_s
        self.home = self.folder / "home"
        self.here = self.home
        self.home.mkdir(exist_ok=True)
        self.environment = {**environment, "HOME": str(self.home), "LC_ALL": "C.UTF-8", "TERM": "dumb"}
        self.running = []  # [(process, its output's file)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        for process, _ in reversed(self.running):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
        for process, output in self.running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            output.close()
        self.running = []

    def shell(self, command):
        """(exit status, lines). The folder that the command ends in is the next one's."""
        place = self.folder / "place"
        script = f"cd {shlex.quote(str(self.here))}\n{command}\nstatus=$?\npwd > {shlex.quote(str(place))}\nexit $status\n"
        with open(self.folder / "printed", "w+") as printed:
            done = subprocess.run(["bash", "-c", script], env=self.environment, stdin=subprocess.DEVNULL, stdout=printed,
                                  stderr=subprocess.STDOUT, timeout=120)
            printed.seek(0)
            lines = trimmed(printed.read().split("\n"))
        if place.exists():
            self.here = pathlib.Path(place.read_text().rstrip("\n"))
        return done.returncode, lines

    def start(self, block, command, expected):
        output = open(self.folder / f"background-{len(self.running)}", "w+")
        process = subprocess.Popen(["bash", "-c", command], env=self.environment, cwd=self.here, stdout=output,
                                   stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, start_new_session=True)
        self.running.append((process, output))
        self.wait(block, command, [*expected, "..."], lambda: (0, trimmed(pathlib.Path(output.name).read_text().split("\n"))))

    def wait(self, block, command, expected, look, status=0):
        end = time.monotonic() + self.patience_s
        while True:
            got, lines = look()
            if got == status and matches(lines, expected):
                return
            if time.monotonic() > end:
                break
            time.sleep(0.1)
        self.fail(block, command, expected, got, lines, status)

    def fail(self, block, command, expected, got, lines, status):
        running = "".join(f"\n--- it ran meanwhile:\n{pathlib.Path(o.name).read_text()}" for _, o in self.running)
        raise AssertionError(f"{block.where}: $ {command}\nexit {got}, expected {status}\n--- it printed:\n"
                             + "\n".join(lines) + "\n--- the page has:\n" + "\n".join(expected) + running)

    def run(self, block):
        commands = block.commands()
        for n, (command, expected) in enumerate(commands):
            status = int(block.values.get("status", "0")) if n == len(commands) - 1 else 0
            if "background" in block.flags:
                self.start(block, command, expected)
            elif "again" in block.flags:
                self.wait(block, command, expected, lambda c=command: self.shell(c), status)
            else:
                got, lines = self.shell(command)
                if got != status or not matches(lines, expected):
                    self.fail(block, command, expected, got, lines, status)

    def write(self, path, text, append):
        path = self.here / path
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a" if append else "w") as f:
            f.write(("\n" if append else "") + text + "\n")

    def follow(self, page, root):
        """Runs the whole page; how many commands that were."""
        count = 0
        for block in blocks(page):
            if "file" in block.values or "append" in block.values:
                self.write(block.values.get("file") or block.values["append"], block.text, "append" in block.values)
            elif "elsewhere" in block.values:
                assert (root / block.values["elsewhere"]).exists(), f"{block.where}: there is no {block.values['elsewhere']}"
            elif "not-run" in block.values:
                assert block.values["not-run"], f"{block.where}: say why"
            elif "stop" in block.flags:
                self.stop()
            elif block.language == "console":
                self.run(block)
                count += len(block.commands())
            elif block.language in ("sh", "bash", "shell"):
                raise AssertionError(f"{block.where}: commands stand in a console block, or are run elsewhere=")
        return count
