# ctest: workers=2
"""Histories as files: GET /api/export, and GET /api/history with a format. Everything that was kept is in the file, once, in
order; it is valid CSV and JSON; and a slow reader costs neither memory nor the others' time."""

import csv
import http.client
import io
import json
import re
import socket
import subprocess
import time
import unittest

from openapi import Description
from sedge_site import SEDGE, Site, wait_until

SITE = """
site "test bench"
server { mqtt 127.0.0.1:@MQTT@
         http 127.0.0.1:@HTTP@
         store "data" }
model Press {
  property temp: °C
  property parts: int
  property running: bool
  property note: str
}
device plant.press: Press { via mqtt "press" json }
device plant.other: Press { via mqtt "other" json }
"""
T0 = 1764000000000
MANY = 30000  # several pages of the export


def iso(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03d}Z"


class Export(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = Site(text=SITE)
        cls.addClassCleanup(cls.site.close)
        cls.site.start()
        cls.site.description = Description(cls.site.get("/api/openapi.json"))
        cls.points = [(T0 + i * 700 + (i % 3 == 0), i * 0.25 - 100) for i in range(MANY)]
        cls.crowd = [(T0 + 5, i) for i in range(20000)]  # more points of one instant than a page has
        cls.notes = ['plain', 'with, comma', 'with "quotes"', 'two\nlines', 'ends in CR\r', '', '°µ 温度', '=1+1']
        lines = [json.dumps({"ts": ts, "values": {"temp": v}}) for ts, v in cls.points]
        lines += [json.dumps({"ts": ts, "values": {"parts": v}}) for ts, v in cls.crowd]
        lines += [json.dumps({"ts": T0 + i, "values": {"note": note, "running": i % 2 == 0}}) for i, note in enumerate(cls.notes)]
        subprocess.run(["mosquitto_pub", "-p", str(cls.site.mqtt_port), "-t", "press", "-q", "0", "-l"],
                       input="\n".join(lines).encode(), check=True, timeout=100)
        wait_until(lambda: cls.site.get("/api/stats")["history"]["points"] >= MANY + len(cls.crowd) + 2 * len(cls.notes))

    def fetch(self, path, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.site.http_port, timeout=60)
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        self.assertEqual(answer.status, 200, text[:300])
        return answer, text.decode()

    def rows(self, path):
        answer, text = self.fetch(path)
        self.assertEqual(answer.getheader("Content-Type"), "text/csv; charset=utf-8; header=present")
        self.assertEqual(text.count("\n") - text.count("\r\n"), text.count('two\nlines'))  # CR LF ends every line
        return list(csv.reader(io.StringIO(text, newline="")))

    # --- points ---

    def test_every_point_once_and_in_order(self):
        rows = self.rows("/api/export?series=plant.press.temp&time=ms")
        self.assertEqual(rows[0], ["series", "time", "value", "unit"])
        got = [(int(ts), float(v)) for name, ts, v, unit in rows[1:]]
        self.assertEqual(got, self.points)
        self.assertEqual({(r[0], r[3]) for r in rows[1:]}, {("plant.press.temp", "°C")})

    def test_more_points_of_one_instant_than_a_page_has(self):
        rows = self.rows("/api/history?series=plant.press.parts&from=0&format=csv&time=ms")
        self.assertEqual([(int(ts), int(v)) for _, ts, v, _ in rows[1:]], self.crowd)

    def test_a_span_with_both_its_ends(self):
        (a, _), (b, _) = self.points[100], self.points[200]
        rows = self.rows(f"/api/export?series=plant.press.temp&from={a}&to={b}")
        self.assertEqual([r[1] for r in rows[1:]], [iso(ts) for ts, _ in self.points[100:201]])
        self.assertEqual(self.rows(f"/api/export?series=plant.press.temp&from=1&to=2"), [["series", "time", "value", "unit"]])

    def test_several_series_one_after_the_other(self):
        rows = self.rows("/api/export?series=plant.press.running&series=plant.other.temp&series=plant.press.note&time=ms")
        self.assertEqual([r[0] for r in rows[1:]], ["plant.press.running"] * 8 + ["plant.press.note"] * 8)
        self.assertEqual([r[2] for r in rows[1:9]], ["true", "false"] * 4)
        self.assertEqual([r[2] for r in rows[9:]], self.notes)

    def test_json_lines(self):
        answer, text = self.fetch("/api/export?series=plant.press.note&series=plant.press.running&format=jsonl")
        self.assertEqual(answer.getheader("Content-Type"), "application/x-ndjson")
        got = [json.loads(line) for line in text.split("\n")[:-1]]
        self.assertEqual(got[:8], [{"series": "plant.press.note", "ts_ms": T0 + i, "value": note, "unit": None}
                                   for i, note in enumerate(self.notes)])
        self.assertEqual([g["value"] for g in got[8:]], [True, False] * 4)
        _, text = self.fetch("/api/history?series=plant.press.temp&format=jsonl&time=iso&from=0&to=" + str(T0 + 1000))
        self.assertEqual(json.loads(text.split("\n")[0]),
                         {"series": "plant.press.temp", "time": iso(T0 + 1), "value": -100, "unit": "°C"})

    # --- windows ---

    def test_windows_are_those_of_the_history(self):
        end = self.points[-1][0]
        want = self.site.get(f"/api/history?series=plant.press.temp&from={T0}&to={end}&window=60000&edges=1&limit=100000")["windows"]
        rows = self.rows(f"/api/export?series=plant.press.temp&from={T0}&to={end}&window=60000&edges=1&time=ms")
        self.assertEqual(rows[0], ["series", "time", "n", "min", "max", "mean", "first", "last", "unit"])
        self.assertEqual([[float(x) for x in r[1:8]] for r in rows[1:]], want)
        plain = self.rows(f"/api/export?series=plant.press.temp&from={T0}&window=60000&time=ms")
        self.assertEqual(plain[0], ["series", "time", "n", "min", "max", "mean", "unit"])
        self.assertEqual([r[:6] for r in plain[1:]], [r[:6] for r in rows[1:]])

    def test_narrow_windows_over_a_long_silence(self):
        """From 1970 on there are more empty windows than anybody could look at."""
        some = self.points[:5000]
        rows = self.rows(f"/api/export?series=plant.press.temp&from=0&to={some[-1][0]}&window=1&time=ms")
        self.assertEqual([(int(r[1]), int(r[2]), float(r[5])) for r in rows[1:]], [(ts, 1, v) for ts, v in some])

    def test_windows_of_other_kinds(self):
        rows = self.rows(f"/api/export?series=plant.press.running&series=plant.press.note&window=86400000&time=ms")
        self.assertEqual([r[2:6] for r in rows[1:]], [["8", "0", "1", "0.5"]])  # texts have no windows

    # --- as a file ---

    def test_it_downloads_under_a_name(self):
        answer, _ = self.fetch("/api/history?series=plant.press.note&from=0&format=csv")
        self.assertEqual(answer.getheader("Content-Disposition"), 'attachment; filename="plant.press.note.csv"')
        answer, _ = self.fetch("/api/export?series=plant.press.note&series=plant.other.note&format=jsonl")
        self.assertEqual(answer.getheader("Content-Disposition"), 'attachment; filename="test_bench.jsonl"')
        connection = http.client.HTTPConnection("127.0.0.1", self.site.http_port, timeout=10)
        connection.request("HEAD", "/api/export?series=plant.press.temp")
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.read()), (200, b""))
        connection.request("GET", "/health")  # the connection goes on
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()

    def test_curl_and_http_1_0(self):
        url = f"{self.site.page}/api/export?series=plant.press.temp"
        new = subprocess.run(["curl", "-sS", url], capture_output=True, check=True, timeout=60).stdout
        old = subprocess.run(["curl", "-sS", "--http1.0", url], capture_output=True, check=True, timeout=60).stdout
        self.assertEqual(new.count(b"\r\n"), MANY + 1)
        self.assertEqual(new, old)

    # --- sedge export ---

    def sedge(self, *args, **kwargs):
        return subprocess.run([SEDGE, "export", *map(str, args)], capture_output=True, timeout=60, **kwargs)

    def test_the_command(self):
        done = self.sedge(self.site.folder, "plant.press.temp", "--time", "ms")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(done.stdout.decode(), self.fetch("/api/export?series=plant.press.temp&time=ms")[1])
        commas = self.sedge(self.site.folder, "plant.press.temp", "--decimal", "comma")
        rows = commas.stdout.decode("utf-8-sig").splitlines()
        self.assertTrue(commas.stdout.startswith(b"\xef\xbb\xbfseries;time;value;unit\r\n"), commas.stdout[:60])
        points = self.sedge(self.site.folder, "plant.press.temp").stdout.decode().splitlines()
        self.assertEqual([r.split(";")[2].replace(",", ".") for r in rows], [p.split(",")[2] for p in points])
        self.assertRegex(rows[1].split(";")[1], r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8},[0-9]{3}$")
        for args, cell in ([], "=1+1"), (["--spreadsheet"], "'=1+1"), (["--decimal", "comma"], "'=1+1"):
            notes = self.sedge(self.site.folder, "plant.press.note", *args).stdout.decode("utf-8-sig")
            self.assertEqual(re.split("[,;]", notes.splitlines()[-1])[-2], cell, args)
        file = self.site.root / "out.jsonl"
        a, b = iso(self.points[10][0]), iso(self.points[20][0])
        done = self.sedge("plant.press", "plant.other.temp", "--from", a[:19] + "Z", "--to", b[:19] + "Z", "-o", file, cwd=self.site.folder)
        self.assertEqual((done.returncode, done.stderr, done.stdout), (0, b"", b""))
        got = [json.loads(line) for line in file.read_text().splitlines()]
        self.assertEqual(list(self.site.root.glob("out.jsonl*")), [file])
        self.assertEqual({g["series"] for g in got}, {"plant.press.temp"})  # what else the device has is not of that time
        self.assertEqual([g["time"] for g in got],
                         [iso(ts) for ts, _ in self.points if iso(ts)[:19] >= a[:19] and iso(ts) <= b[:19] + ".000Z"])
        everything = self.sedge(self.site.folder, "--time", "ms").stdout.decode()
        counts = [everything.count(f"plant.press.{name},") for name in ("temp", "note", "running")]
        self.assertEqual(counts, [MANY, len(self.notes), len(self.notes)])
        windows = self.sedge("--url", self.site.page, "plant.press.temp", "--window", "1d", "--edges")
        self.assertTrue(windows.stdout.startswith(b"series,time,n,min,max,mean,first,last,unit\r\n"))

    def test_the_command_refuses(self):
        for wrong in (["--from", "yesterday"], ["--window", "wide"], ["--nonsense"]):
            self.assertEqual(self.sedge(self.site.folder, "plant.press.temp", *wrong).returncode, 2)
        file = self.site.root / "none.csv"
        done = self.sedge(self.site.folder, "plant.moon", "-o", file)
        self.assertEqual((done.returncode, done.stderr), (1, b"sedge export: there is no series plant.moon\n"))
        self.assertEqual(list(self.site.root.glob("none.csv*")), [])
        done = self.sedge(self.site.folder, "plant.press.temp", "-o", self.site.root / "no/such/folder.csv")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"can't be written", done.stderr)
        with open("/dev/full", "w") as full:
            done = subprocess.run([SEDGE, "export", self.site.folder, "plant.press.temp"], stdout=full, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"can't be written", done.stderr)

    # --- refusals ---

    def test_what_is_refused(self):
        names = "&".join(f"series=plant.press.temp" for _ in range(65))
        for query, status, word in (("", 400, "series"), ("series=", 404, "series"), ("series=plant.moon", 404, "plant.moon"),
                                    ("series=plant.press.temp&series=plant.moon", 404, "plant.moon"),
                                    ("series=plant.press.temp&format=xml", 400, "csv or jsonl"),
                                    ("series=plant.press.temp&format=json", 400, "csv or jsonl"),
                                    ("series=plant.press.temp&time=utc", 400, "ms or iso"),
                                    ("series=plant.press.temp&decimal=dot", 400, "point or comma"),
                                    ("series=plant.press.temp&cells=safe", 400, "exact or guarded"),
                                    ("series=plant.press.temp&window=0", 400, "window"),
                                    ("series=plant.press.temp&from=3&to=2", 400, "from"), (names, 400, "64"),
                                    ("series=%zz", 400, "")):
            with self.subTest(query[:60]):
                got, problem = self.site.request(f"/api/export?{query}")
                self.assertEqual(got, status, problem)
                self.assertIn(word, problem["detail"])
        self.assertEqual(self.site.request("/api/history?series=plant.press.temp&format=xml")[0], 400)

    # --- readers that do not read ---

    @staticmethod
    def stalled(site):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(60)
        s.connect(("127.0.0.1", site.http_port))
        names = "&".join(["series=plant.press.temp"] * 60)  # 100 MB: more than all buffers on the way
        s.sendall(f"GET /api/export?{names}&format=jsonl HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert s.recv(20).startswith(b"HTTP/1.1 200")
        return s

    def test_slow_readers_are_waited_for_and_are_not_many(self):
        before = self.site.get("/api/stats")["rss_bytes"]
        readers = [self.stalled(self.site) for _ in range(4)]
        answer = wait_until(lambda: (lambda a: a if a[0] == 503 else None)(self.site.request("/api/export?series=plant.press.note")))
        self.assertEqual(answer[1]["type"], "/problems/busy")
        self.site.publish("press", '{"parts": 1}', "-q", "1")  # nobody else waits
        self.assertLess(self.site.get("/api/stats")["rss_bytes"] - before, 24 << 20)
        # What stood still goes on where it was.
        text = b""
        while len(text) < 3_000_000:
            text += readers[0].recv(1 << 16)
        seen = [int(x) for x in re.findall(rb'"ts_ms":(\d+),', text)]
        first = [ts for ts, _ in self.points][:len(seen)]
        self.assertEqual(seen[:len(first)], first)
        for reader in readers:
            reader.close()
        wait_until(lambda: self.site.request("/api/export?series=plant.press.note")[0] == 200)

    def test_the_server_ends_in_the_middle_of_one(self):
        with Site(text=SITE) as site:
            site.start()
            lines = [json.dumps({"ts": ts, "values": {"temp": v}}) for ts, v in self.points]
            subprocess.run(["mosquitto_pub", "-p", str(site.mqtt_port), "-t", "press", "-q", "0", "-l"],
                           input="\n".join(lines).encode(), check=True, timeout=100)
            wait_until(lambda: site.get("/api/stats")["history"]["points"] >= MANY)
            reader = self.stalled(site)
            site.stop()
            data = b""
            try:
                while piece := reader.recv(1 << 16):
                    data += piece
            except ConnectionResetError:
                pass
            self.assertFalse(data.endswith(b"0\r\n\r\n"))  # what is not whole does not end as if it were
            reader.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
