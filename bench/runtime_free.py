"""Free work elsewhere: how long an MQTT message takes while a client fetches compressed histories in a loop.

One worker compresses between two looks at its connections, in slices; with two workers the second one does it. Ours against ours. It
takes four cores to be fair: two workers and two clients.
Prints the lines of bench/README.md: microseconds of a QoS 0 message from client to client, one at a time.
"""

import http.client
import json
import statistics
import subprocess
import threading

from sedge_site import SEDGE, Site, wait_until

ROUNDS, SECONDS, POINTS, T0 = 5, 2, 10000, 1764000000000
SITE = """site "bench"
server {
  mqtt 127.0.0.1:@MQTT@
  http 127.0.0.1:@HTTP@
  store "data"
}
model Press { property load: float }
device plant.press: Press { via mqtt "press" json }
"""


def fill(site):
    """As many points as one raw answer has, each with a few digits that differ."""
    points = [{"ts": T0 + i * 1000, "values": {"load": (i * 7919 % 100003) / 1000}} for i in range(POINTS)]
    for at in range(0, POINTS, 500):
        site.publish("press", json.dumps(points[at:at + 500]), "-q", "1")
    wait_until(lambda: site.get("/api/stats")["samples"] >= POINTS)


def fetch(site, over, count):
    """Histories, one after the other, on one connection; nobody unpacks them."""
    connection = http.client.HTTPConnection("127.0.0.1", site.http_port, timeout=30)
    while not over.is_set():
        connection.request("GET", f"/api/history?series=plant.press.load&from={T0}&to={T0 + POINTS * 1000}",
                           headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        assert answer.getheader("Content-Encoding") == "gzip"
        answer.read()
        count.append(1)
    connection.close()


def measure(site):
    """(p50, p99, histories a second) with one message on its way at a time."""
    over, count = threading.Event(), []
    reader = threading.Thread(target=fetch, args=(site, over, count))
    reader.start()
    out = json.loads(subprocess.run([SEDGE, "bench", "mqtt", "pairs", "--publishers", "1", "--subscribers", "1",
                                     "--window", "1", "-p", str(site.mqtt_port), "--seconds", str(SECONDS), "--json"],
                                    check=True, capture_output=True, text=True).stdout)
    over.set()
    reader.join()
    return out["latency_p50"], out["latency_p99"], len(count) / SECONDS


def main():
    sites = {n: Site(text=SITE) for n in (1, 2)}
    figures = {n: [] for n in sites}
    try:
        for n, site in sites.items():
            site.start("--workers", str(n))
            fill(site)
        for _ in range(ROUNDS):  # in turn, so that a noisy moment hits both
            for n, site in sites.items():
                figures[n].append(measure(site))
    finally:
        for site in sites.values():
            site.close()
    one, two = ([statistics.median(f) for f in zip(*figures[n])] for n in (1, 2))
    print(f"note: histories a second: {two[2]:.0f} with two workers, {one[2]:.0f} with one")
    for i, name in enumerate(("p50", "p99")):
        ratio = two[i] / one[i]
        print(f"bench=runtime_free_mqtt_{name} unit=us ours={two[i]:.0f} peer=one_worker theirs={one[i]:.0f} "
              f"ratio={ratio:.3f} goal=<1 met={'yes' if ratio < 1 else 'no'}", flush=True)


main()
