"""History as the API gives it: points and windows, of all types, empty and wrong, for many at once. The real program."""

import json
import socket
import time
import unittest

from api_case import ApiCase


class History(ApiCase):
    def history(self, series, **query):
        text = "&".join(f"{k}={v}" for k, v in query.items())
        return self.site.get(f"/api/history?series={series}&{text}")

    def keep(self, topic, points):
        for ts, value in points:
            self.site.publish(topic, json.dumps({"ts": ts, "values": {"parts": value}}), "-q", "1")
        return points

    def test_history_by_points(self):
        t0 = int(time.time() * 1000) - 600000
        points = self.keep("press", [(t0 + i * 1000, i * i) for i in range(10)])
        got = self.history("plant.press.parts", **{"from": t0, "to": points[-1][0]})
        self.assertEqual((got["series"], got["unit"], got["from"], got["to"]),
                         ("plant.press.parts", None, t0, points[-1][0]))
        self.assertEqual(got["points"], [list(p) for p in points])
        cut = self.history("plant.press.parts", **{"from": t0, "to": points[-1][0], "limit": 3})
        self.assertEqual((cut["points"], cut["truncated"]), ([list(p) for p in points[:3]], True))
        one = self.history("plant.press.parts", **{"from": t0 + 1000, "to": t0 + 1000})
        self.assertEqual(one["points"], [[t0 + 1000, 1]])
        self.heat(20)  # a series is known by its first value
        self.assertEqual(self.history("plant.press.temp")["unit"], "°C")

    def test_history_by_windows_leaves_gaps_out(self):
        t0 = (int(time.time() * 1000) - 3600000) // 60000 * 60000
        self.keep("press", [(t0, 1), (t0 + 10000, 3), (t0 + 180000, 7), (t0 + 190000, 2), (t0 + 200000, 9)])
        query = {"from": t0, "to": t0 + 299999}
        got = self.history("plant.press.parts", window=60000, **query)
        self.assertEqual(got["windows"], [[t0, 2, 1, 3, 2], [t0 + 180000, 3, 2, 9, 6]])
        edges = self.history("plant.press.parts", window=60000, edges=1, **query)
        self.assertEqual(edges["windows"], [[t0, 2, 1, 3, 2, 1, 3], [t0 + 180000, 3, 2, 9, 6, 7, 9]])
        for points in (1, 2, 3, 4, 5, 7, 30, 299, 300, 301, 1000):
            for shift in (0, 1, 29999, 30000):
                start, end = t0 + shift, t0 + shift + 299999
                got = self.history("plant.press.parts", points=points, **{"from": start, "to": end})
                width = got["window"]
                self.assertLessEqual(end // width - start // width + 1, points, (points, shift, width))
                self.assertGreaterEqual(sum(w[1] for w in got["windows"]), 3)

    def test_history_of_other_types(self):
        now = int(time.time() * 1000)
        for value in ("true", "false"):
            self.site.publish("press/running", value, "-q", "1")
            self.site.publish("press/note", value, "-q", "1")
        got = self.history("plant.press.running", **{"from": now - 1000})
        self.assertEqual([v for _, v in got["points"]][-2:], [True, False])
        windows = self.history("plant.press.running", **{"from": now - 1000, "window": 86400000})["windows"]
        self.assertEqual((windows[-1][2], windows[-1][3]), (0, 1))
        self.assertEqual([v for _, v in self.history("plant.press.note", **{"from": now - 1000})["points"]][-2:],
                         ["true", "false"])

    def test_history_that_is_empty_or_wrong(self):
        self.assertEqual(self.history("plant.press.valve.position", **{"from": 1, "to": 2})["points"], [])
        self.problem(self.site.request("/api/history"), 400, "series")
        self.problem(self.site.request("/api/history?series=plant.press.moon"), 404, "plant.press.moon")
        for query, word in (("from=5&to=4", "from"), ("from=x", "from"), ("to=-1", "to"), ("window=0", "window"),
                            ("points=0", "points"), ("limit=0", "limit"), ("limit=100001", "limit"), ("edges=2", "edges"),
                            ("from=0&window=1", "window"), ("to=99999999999999999999", "to")):
            with self.subTest(query=query):
                self.problem(self.site.request(f"/api/history?series=plant.press.parts&{query}"), 400, word)

    def test_many_ask_at_once_and_some_leave(self):
        leavers = []
        for i in range(40):
            s = socket.create_connection(("127.0.0.1", self.site.http_port))
            s.sendall(b"GET /api/history?series=plant.press.parts&from=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            leavers.append(s)
            if i % 2:
                s.close()
        for s in leavers[::2]:
            self.assertTrue(s.recv(64).startswith(b"HTTP/1.1 200"))
            s.close()


if __name__ == "__main__":
    unittest.main()
