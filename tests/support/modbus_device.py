"""Modbus devices by others: tools/modbus-server.c, which is libmodbus.

    with ModbusServer() as plc:                        # on a free port, or ModbusServer(port)
        plc.set(3, "input", 0, *f32(61.5))             # unit 3 has two input registers
        plc.wrote(3, "coil", 4, 1)                     # waits until a client has written that
        plc.silent(3)                                  # unit 3 answers nobody any more
"""

import os
import pathlib
import struct

from sedge_site import SEDGE, Process, wait_until

SERVER = os.environ.get("SEDGE_MODBUS_SERVER", str(pathlib.Path(SEDGE).parent / "modbus-server"))


def f32(value):
    """A float in two registers, high one first."""
    return struct.unpack(">2H", struct.pack(">f", value))


def u32(value):
    return value >> 16, value & 0xFFFF


class ModbusServer:
    def __init__(self, port=0):
        self.process = Process([SERVER, "127.0.0.1", port], stdin=True)
        self.port = int(wait_until(lambda: self._said("listening "), 10).split()[1])

    def _said(self, start):
        return next((line for stream, line in list(self.process.lines)
                     if stream == "out" and line.startswith(start)), None)

    def _say(self, line):
        self.process.child.stdin.write(f"{line}\n".encode())
        self.process.child.stdin.flush()

    def set(self, unit, table, address, *values):
        self._say(f"set {unit} {table} {address} {' '.join(str(int(v)) for v in values)}")

    def silent(self, unit):
        self._say(f"silent {unit}")

    def speaks(self, unit):
        self._say(f"speaks {unit}")

    def writes(self):
        """What was written so far: (unit, table, address, value…)."""
        all_words = [line.split() for stream, line in list(self.process.lines)
                     if stream == "out" and line.startswith("wrote ")]
        return [(int(w[1]), w[2], *map(int, w[3:])) for w in all_words]

    def wrote(self, *write, timeout=20):
        wait_until(lambda: write in self.writes(), timeout, f"the write {write}; there were {self.writes()}")

    def close(self):
        if self.process.alive():
            self.process.child.stdin.close()
            self.process.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.close()
