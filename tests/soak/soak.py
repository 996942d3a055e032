#!/usr/bin/python3
"""soak.py --seconds N [--seed N] [--workers N] [--without shared,qos2,tls]: the broker under mixed traffic for long.

Clients come and go, with lasting sessions at QoS 1 and 2, shared subscriptions, retained values, wills, slow consumers,
left sessions, take-overs, over TCP and TLS; beside them `sedge bench mqtt` in bursts. In laps: at the end of each, all that was
acknowledged must have arrived, and the process's memory, descriptors and sessions are written down. At the end they
must not have grown, and the process must end well (with the address sanitizer: without a leak).
"""

import argparse
import asyncio
import os
import pathlib
import random
import re
import ssl
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
import soak_actors as actors  # noqa: E402
from sedge_site import SEDGE, Site, free_ports  # noqa: E402

LAP_S = 8
BURSTS = [("fan-in", "0"), ("fan-in", "1"), ("fan-out", "0"), ("fan-out", "1"), ("pairs", "0"), ("pairs", "1")]
BURSTS_QOS2 = [("fan-in", "2"), ("pairs", "2")]
BURSTS_SHARED = [("shared", "0"), ("shared", "1")]


def site_text(tls_port, workers):
    tls = f'  mqtt 127.0.0.1:{tls_port} tls cert "../cert.pem" key "../key.pem"\n' if tls_port else ""
    return ('site "soak"\nserver {\n  mqtt 127.0.0.1:@MQTT@\n' + tls +
            f'  http 127.0.0.1:@HTTP@\n  store "data"\n  workers {workers}\n}}\n')


def make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                    folder / "key.pem", "-out", folder / "cert.pem"], check=True, stderr=subprocess.DEVNULL)
    return ssl.create_default_context(cafile=folder / "cert.pem")


class Soak:
    def __init__(self, options):
        self.o = options
        self.without = set(filter(None, options.without.split(",")))
        self.tls_port = None if "tls" in self.without else free_ports(1)[0]
        self.site = Site(text=site_text(self.tls_port, options.workers))
        self.tls = make_certificate(self.site.root) if self.tls_port else None
        self.laps = []

    def build(self):
        """All actors; the world they live in."""
        top = 1 if "qos2" in self.without else 2
        w = self.world = actors.World(self.site.mqtt_port, self.o.seed, self.tls_port, self.tls, top)
        self.publishers = [actors.Publisher(w, f"soak/q{q}/{i}", q, 150) for q in range(1, top + 1) for i in range(6)]
        self.keepers = [actors.Keeper(w, f"keeper-{q}-{i}", [f"soak/q{q}/+"], q)
                        for q in range(1, top + 1) for i in range(4)]
        self.shared, self.group = [], {}
        members = []
        if "shared" not in self.without:
            self.shared = [actors.Publisher(w, f"soak/share/{i}", 1, 100) for i in range(3)]
            members = [actors.Member(w, i, "soak/share/+", self.group) for i in range(5)]
        self.kept, self.wills = actors.Kept(w, 50), actors.Wills(w)
        loops = [*(a.run() for a in [*self.keepers, *members]), self.kept.set(), *(self.kept.look(i) for i in range(3)),
                 self.wills.watch(), *(actors.slow(w, i, i % 2) for i in range(4)), *(actors.churn(w, i) for i in range(4))]
        return loops

    def process_figures(self):
        pid = self.site.process.pid
        rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        listed = self.site.get("/api/connections")["connections"]
        return {"rss_mib": int(re.search(r"Rss:\s+(\d+)", rollup)[1]) / 1024,
                "descriptors": len(os.listdir(f"/proc/{pid}/fd")), "sessions": len(listed),
                "data_mib": sum(f.stat().st_size for f in self.site.data.rglob("*") if f.is_file()) / 2**20}

    async def burst(self):
        kinds = BURSTS + ([] if "qos2" in self.without else BURSTS_QOS2) + ([] if "shared" in self.without else BURSTS_SHARED)
        scenario, qos = self.world.rng.choice(kinds)
        command = [SEDGE_LOAD, "bench", "mqtt", scenario, "-q", qos, "-p", str(self.site.mqtt_port), "--seconds", "1",
                   "--publishers", "5" if scenario != "fan-out" else "1", "--subscribers", "5", "-V",
                   self.world.rng.choice(("311", "5")), *(["--persistent"] if self.world.rng.random() < 0.3 else [])]
        p = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
        said = (await p.communicate())[0].decode()
        if p.returncode != 0:
            self.world.fail(f"{' '.join(command[1:])}:\n{said}")
        self.world.count("bursts of load")

    async def until(self, what, missing):
        """Waits until nothing is missing; a failure after a while without progress."""
        last, end = None, time.monotonic() + actors.PATIENCE_S
        while True:
            if not self.site.process.alive():
                return  # main() tells
            now = missing()
            if not now:
                return
            if now != last:
                last, end = now, time.monotonic() + actors.PATIENCE_S
            if time.monotonic() > end:
                self.world.fail(f"{what}: {now}")
                return
            await asyncio.sleep(0.05)

    async def lap(self):
        everyone = [*self.publishers, *self.shared]
        self.world.quiet.clear()
        await asyncio.sleep(LAP_S / 2)
        await self.burst()
        await asyncio.sleep(LAP_S / 2)
        self.world.quiet.set()
        await self.until("publishers with something unacknowledged", lambda: sum(not p.idle for p in everyone))
        for keeper in self.keepers:
            await self.until(f"{keeper.session.client_id} misses what was acknowledged",
                             lambda k=keeper: k.missing([p for p in self.publishers if p.qos == k.qos]))
        await self.until("nobody of the group got", lambda: sum(
            len(p.acked - self.group.get(p.topic, set())) for p in self.shared))
        await self.until("wills that were not sent", self.wills.missing)
        await self.until("sessions that should have ended", self.left_sessions)
        if not self.site.process.alive():
            return
        for p in everyone:
            p.acked.clear()
        for holder in [*self.keepers]:
            holder.got.clear()
        self.group.clear()
        self.laps.append(await asyncio.to_thread(self.process_figures))
        print(f"lap {len(self.laps)}: " + ", ".join(f"{k} {v:.1f}" for k, v in self.laps[-1].items()), flush=True)

    def left_sessions(self):
        """Of clients that come and go, those that are not connected."""
        listed = self.site.get("/api/connections")["connections"]
        return sum(not c["connected_ms"] and not c["client"].startswith(("keeper-", "publisher-")) for c in listed)

    async def run(self):
        tasks = [asyncio.ensure_future(actors.guarded(self.world, "actor", a)) for a in self.build()]
        await self.until("keepers that are not there", lambda: sum(not k.subscribed for k in self.keepers))
        tasks += [asyncio.ensure_future(actors.guarded(self.world, f"publisher {p.topic}", p.run()))
                  for p in [*self.publishers, *self.shared]]
        tasks += [asyncio.ensure_future(actors.guarded(self.world, "mortals", self.wills.die()))]
        end = time.monotonic() + self.o.seconds
        try:
            while time.monotonic() < end and not self.world.failures and self.site.process.alive():
                await self.lap()
        except OSError:
            if self.site.process.alive():
                raise
        self.world.over = True
        self.world.quiet.clear()
        for t in tasks:
            t.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def judge_growth(self):
        """Of the last quarter against the second: the first fills pools and queues."""
        n = len(self.laps)
        if n < 8:
            print(f"{n} laps are too few to see growth")
            return
        early, late = self.laps[n // 4:n // 2], self.laps[n - n // 4:]
        for key, share, more in (("rss_mib", 1.05, 4), ("descriptors", 1, 4), ("sessions", 1, 4), ("data_mib", 1.5, 64)):
            before, after = (max(lap[key] for lap in laps) for laps in (early, late))
            if key == "rss_mib" and "asan" in SEDGE_BIN_NAME:
                more = 48  # the sanitizer keeps what was freed
            print(f"{key}: at most {before:.1f} early, {after:.1f} late")
            if after > before * share + more:
                self.world.fail(f"{key} grew from {before:.1f} to {after:.1f}")

    def main(self):
        env = {"ASAN_OPTIONS": "quarantine_size_mb=16:detect_leaks=1:" + os.environ.get("ASAN_OPTIONS", "")}
        with self.site as site:
            site.start(env=env, timeout=60)
            began = time.monotonic()
            asyncio.run(self.run())
            self.judge_growth()
            if not site.process.alive():
                self.world.failures[:] = [f"the process ended with {site.process.wait()}:\n{site.process.text()[-8000:]}"]
            elif (code := site.process.stop(120)) != 0:
                self.world.fail(f"the process ended with {code}:\n{site.process.text()[-8000:]}")
        for what, n in sorted(self.world.counts.items()):
            print(f"{what}: {n:,}")
        for failure in self.world.failures:
            print(f"FAILED: {failure}")
        print(f"soak: {'failed' if self.world.failures else 'passed'} after {time.monotonic() - began:.0f} s, "
              f"{len(self.laps)} laps, seed {self.o.seed}")
        return 1 if self.world.failures else 0


SEDGE_BIN_NAME = str(SEDGE)
SEDGE_LOAD = os.environ.get("SEDGE_LOAD", str(SEDGE))  # who makes the bursts: a released build, beside a sanitized broker


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=int, default=120)
    options.add_argument("--seed", type=int, default=random.randrange(2**32))
    options.add_argument("--workers", type=int, default=1)
    options.add_argument("--without", default="")
    return Soak(options.parse_args()).main()


if __name__ == "__main__":
    sys.exit(main())
