"""A service manager as small as a test needs: it hears what a program tells by NOTIFY_SOCKET.

    with Manager() as manager:
        site.start(env=manager.env(watchdog_ms=200))
        manager.wait("READY=1")
        manager.told("STATUS")     # the last value, or None
"""

import os
import pathlib
import shutil
import socket
import tempfile
import threading

from sedge_site import wait_until


class Manager:
    """Listens on a unix datagram socket: of the abstract name space, or a file."""

    def __init__(self, abstract=True):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sedge-notify-"))
        self.name = f"@sedge-test-{os.getpid()}-{id(self)}" if abstract else str(self.folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.name.replace("@", "\0", 1) if abstract else self.name)
        self.messages = []
        self.thread = threading.Thread(target=self._hear, daemon=True)
        self.thread.start()

    def _hear(self):
        while True:
            try:
                data = self.socket.recv(4096)
            except OSError:
                return
            if data == b"bye":
                return
            self.messages.append(data.decode())

    def env(self, watchdog_ms=None):
        out = {"NOTIFY_SOCKET": self.name}
        if watchdog_ms:
            out["WATCHDOG_USEC"] = str(watchdog_ms * 1000)
        return out

    def lines(self):
        return [line for message in list(self.messages) for line in message.split("\n")]

    def told(self, key):
        values = [line.partition("=")[2] for line in self.lines() if line.startswith(key + "=")]
        return values[-1] if values else None

    def wait(self, line, count=1, timeout=30.0):
        """Until this line, whole or its beginning, has come so often."""
        wait_until(lambda: sum(said.startswith(line) for said in self.lines()) >= count, timeout,
                   f"{count} times {line!r} from {self.lines()}")

    def forget(self):
        self.messages.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"bye", self.name.replace("@", "\0", 1) if self.name[0] == "@" else self.name)
        self.thread.join(10)
        self.socket.close()
        shutil.rmtree(self.folder, ignore_errors=True)
