# ctest: timeout=120
"""`sedge doctor`: on a machine that is fit, and on each kind of trouble that a test can make."""

import json
import os
import signal
import socket
import subprocess
import unittest

from sedge_site import SEDGE, Process, Site, wait_until

SITE = 'site "t"\nserver { mqtt 127.0.0.1:@MQTT@\n http 127.0.0.1:@HTTP@\n store "data" }\n'


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


class Doctor(unittest.TestCase):
    def setUp(self):
        self.site = Site(text=SITE)
        self.addCleanup(self.site.close)

    def look(self, *args):
        """{part: [findings]}, and that the exit code fits."""
        done = subprocess.run([SEDGE, "doctor", self.site.folder, "--json", *map(str, args)], capture_output=True, text=True, check=False,
                              timeout=60, stdin=subprocess.DEVNULL)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1 if told["problems"] + told["warnings"] else 0)
        self.process = told["process"]
        parts = {}
        for finding in told["findings"]:
            parts.setdefault(finding["part"], []).append(finding)
            if finding["level"] in ("warning", "problem"):
                self.assertTrue(finding["mend"], finding)
        return parts

    def finds(self, part, level, words, where=None, args=()):
        findings = self.look(*args).get(part, [])
        hits = [f for f in findings if f["level"] == level and words in f["what"] and (where is None or f["where"] == str(where))]
        self.assertTrue(hits, findings)

    def run_once(self):
        self.site.start()
        for i in range(3):  # each in a frame of its own
            self.site.publish("kept", str(i), "-q", "1", "-r")
        os.chmod(self.site.data, 0o750)
        self.site.stop()

    def test_a_site_that_runs_and_one_that_does_not(self):
        self.site.start()
        os.chmod(self.site.data, 0o750)
        self.site.publish("kept", "1", "-q", "1", "-r")
        for runs in (True, False):
            with self.subTest(runs=runs):
                parts = self.look()
                self.assertEqual(self.process, self.site.process.pid if runs else None)
                # the clock, memory and disk are this machine's affair
                for part in ("site", "version", "ports", "permissions", "journal", "database"):
                    self.assertEqual({f["level"] for f in parts[part]}, {"ok"}, parts[part])
                said = "while the site runs" if runs else "does not run"
                self.assertIn(said, parts["journal"][0]["what"] + parts["database"][0]["what"])
                self.assertEqual(len(parts["ports"]), 2)
            if runs:
                before = sorted(p.name for p in self.site.data.iterdir())
                self.assertEqual(self.site.get("/health"), {"status": "ok"})
                self.assertEqual(before, sorted(p.name for p in self.site.data.iterdir()))
                self.site.stop()
        self.assertFalse([p.name for p in self.site.data.iterdir() if p.name.endswith(("-wal", "-shm")) or p.name.startswith(".")])

    def test_text(self):
        done = subprocess.run([SEDGE, "doctor", self.site.folder, "--all"], capture_output=True, text=True, check=False, timeout=60)
        self.assertRegex(done.stdout, r"(?m)^ok +site ")
        self.assertRegex(done.stdout, r"\d+ looked at, \d+ problems?, \d+ warning")

    def test_the_site_has_errors(self):
        self.run_once()
        self.site.write("broken.sedge", "device ???")
        self.finds("site", "problem", "does not pass the check")
        self.finds("journal", "ok", "all whole", args=("--data", self.site.data))

    def test_a_port_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", self.site.mqtt_port))
            taken.listen()
            self.finds("ports", "problem", f"(process {os.getpid()})", f"127.0.0.1:{self.site.mqtt_port}")

    def test_permissions(self):
        Process([SEDGE, "passwd", "-b", "-c", self.site.folder / "users", "ann", "secret"]).wait()
        self.site.write("site.sedge", SITE.replace("@MQTT@", '@MQTT@ passwords "users" anonymous'))
        self.run_once()
        os.chmod(self.site.folder / "users", 0o644)
        os.chmod(self.site.data, 0o755)
        self.finds("permissions", "problem", "hashes", self.site.folder / "users")
        self.finds("permissions", "warning", "look into the data")
        (self.site.folder / "users").unlink()
        self.finds("permissions", "problem", "No such file")

    def test_certificates(self):
        key, cert, other = (self.site.folder / name for name in ("key.pem", "cert.pem", "other.pem"))
        self.site.write("site.sedge", SITE.replace("@MQTT@", '@MQTT@ tls cert "cert.pem" key "key.pem"'))
        for days, level, words in ((100, "note", "a root of its own"), (3, "warning", "expires in ")):
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", days, "-keyout", key, "-out",
                    cert, "-subj", "/CN=t")
            self.finds("certificates", level, words, cert)
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", other)
        key.write_bytes(other.read_bytes())
        self.finds("certificates", "problem", "does not belong to the key", cert)
        cert.write_text("nothing")
        self.finds("certificates", "problem", "no certificate", cert)

    def test_an_expired_certificate(self):
        key, cert, request = (self.site.folder / name for name in ("key.pem", "cert.pem", "r.pem"))
        self.site.write("site.sedge", SITE.replace("@MQTT@", '@MQTT@ tls cert "cert.pem" key "key.pem"'))
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=t")
        config = self.site.folder / "ca.cnf"
        (self.site.folder / "index").touch()
        config.write_text(f"[ca]\ndefault_ca=c\n[c]\ndatabase={self.site.folder}/index\nnew_certs_dir={self.site.folder}\nrand_serial=yes\n"
                          "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
        openssl("ca", "-batch", "-config", config, "-selfsign", "-keyfile", key, "-in", request, "-out", cert, "-startdate",
                "20240101000000Z", "-enddate", "20250101000000Z")
        self.finds("certificates", "problem", "has expired at 2025-01-01", cert)

    def certificate(self, days, ca_days):
        """As `sedge init` makes them: an authority beside the certificate."""
        folder = self.site.folder
        ec = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        openssl("req", "-x509", *ec, "-days", ca_days, "-keyout", folder / "ca.key", "-out", folder / "ca.pem", "-subj", "/CN=authority")
        openssl("req", *ec, "-keyout", folder / "key.pem", "-out", folder / "r.pem", "-subj", "/CN=t")
        openssl("x509", "-req", "-in", folder / "r.pem", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-CAcreateserial", "-days", days,
                "-out", folder / "cert.pem")

    def test_an_authority_ends_too(self):
        self.site.write("site.sedge", SITE.replace("@MQTT@", '@MQTT@ tls cert "cert.pem" key "key.pem"'))
        self.certificate(100, 3)
        self.finds("certificates", "warning", "the authority of the certificate expires in ", self.site.folder / "ca.pem")
        self.certificate(100, 100)
        self.finds("certificates", "ok", "the authority of the certificate holds until", self.site.folder / "ca.pem", args=["--all"])
        self.site.write("site.sedge", SITE.replace("@MQTT@", '@MQTT@ tls cert "cert.pem" key "key.pem" ca "clients.pem"'))
        self.certificate(100, 3)
        (self.site.folder / "ca.pem").rename(self.site.folder / "clients.pem")
        self.finds("certificates", "warning", "the authority of the clients expires in ", self.site.folder / "clients.pem")

    def test_a_running_site_warns_of_its_certificate(self):
        self.site.write("site.sedge", SITE.replace("@MQTT@", '@MQTT@ tls cert "cert.pem" key "key.pem"'))
        self.certificate(5, 100)
        self.site.start()

        def alerts():
            return [(a["severity"], a["state"]) for a in self.site.get("/api/alerts?state=all")["alerts"] if "cert.pem: the certificate expires in" in a["text"]]
        wait_until(lambda: alerts() == [("warning", "unacknowledged")])
        self.certificate(100, 100)
        self.site.process.child.send_signal(signal.SIGHUP)
        wait_until(lambda: alerts() == [("warning", "returned")])

    def test_a_damaged_journal_and_database(self):
        self.run_once()
        segment = next(self.site.data.glob("journal-*"))
        with open(segment, "r+b") as f:
            f.seek(4096 + 50)
            byte = f.read(1)
            f.seek(4096 + 50)
            f.write(bytes([byte[0] ^ 1]))
        self.finds("journal", "problem", f"{segment.name}: unreadable bytes")
        with open(self.site.data / "sedge.db", "r+b") as f:
            f.seek(4096)
            f.write(b"\xff" * 8192)
        self.finds("database", "problem", "", self.site.data / "sedge.db")

    def test_a_journal_that_is_gone(self):
        self.run_once()
        for segment in self.site.data.glob("journal-*"):
            segment.unlink()
        self.finds("database", "problem", "the journal ends at 0")

    def test_a_serial_line(self):
        self.site.write("meter.sedge", 'model Meter { property power: kW }\n'
                        'device meter: Meter { via modbus "rtu:/dev/ttyNONE" unit 3 { power = input 0 } }\n')
        self.finds("devices", "problem", "no such device", "/dev/ttyNONE")

    def test_traces(self):
        self.run_once()
        (self.site.data / "sedge.db.damaged-1764").touch()
        (self.site.data / "restore-incomplete").touch()
        self.finds("store", "warning", "damage was met")
        self.finds("store", "problem", "interrupted")

    def test_usage(self):
        for args in ((), ("a", "b"), ("--what", "a")):
            self.assertEqual(subprocess.run([SEDGE, "doctor", *args], capture_output=True, check=False, timeout=20).returncode, 2)
        self.assertEqual(subprocess.run([SEDGE, "doctor", "/nowhere"], capture_output=True, check=False, timeout=20).returncode, 1)


if __name__ == "__main__":
    unittest.main()
