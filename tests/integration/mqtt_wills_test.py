#!/usr/bin/python3
# ctest: timeout=120 workers=2
"""kill -9 of a site with clients that have wills, by paho, 3.1.1 and 5.0.

Plugs say `Online` by a retained message and have `Offline` as their will, as Tasmota's do. The site is killed under
them. Who is not back in time must be told to be off-line, to who was there all the time and to who comes later; who
is back must stay on-line; who had said goodbye must be left alone. A will to a command topic of an owned device is as
much denied as before. After one more kill nothing is told a second time.
"""

import os
import sys

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from sedge_site import Site, wait_until  # noqa: E402

SITE = """site "wills"
server {
  mqtt 127.0.0.1:@MQTT@
  http 127.0.0.1:@HTTP@
  store "data"
}
model Valve {
  property position: %
  action open() confirms position > 90 %
  action close() confirms position < 5 %
  safe close()
}
device plant.valve: Valve { via mqtt "valve" json }
program keeper {
  own valve: Valve = plant.valve
}
"""
KEEP_ALIVE_S = 1  # so they have WILL_GRACE_MIN_S: five seconds


class Plug:
    """On-line from its first word on; its loop runs in a thread of paho's."""

    def __init__(self, port, name, version=paho.MQTTv311, will=None, delay_s=0):
        self.name, self.heard = name, []
        options = {"clean_session": True} if version == paho.MQTTv311 else {}
        self.client = paho.Client(client_id=name, protocol=version, **options)
        properties = None
        if delay_s:
            properties = Properties(PacketTypes.WILLMESSAGE)
            properties.WillDelayInterval = delay_s
        self.client.will_set(will or f"tele/{name}/LWT", "Offline", qos=1, retain=True, properties=properties)
        self.client.on_message = lambda _c, _d, m: self.heard.append((m.topic, m.payload.decode(), m.retain))
        self.port = port

    def come(self):
        connect = None
        if self.client._protocol == paho.MQTTv5:
            connect = Properties(PacketTypes.CONNECT)
            connect.SessionExpiryInterval = 1000
            self.client.connect("127.0.0.1", self.port, KEEP_ALIVE_S, clean_start=False, properties=connect)
        else:
            self.client.connect("127.0.0.1", self.port, KEEP_ALIVE_S)
        self.client.loop_start()
        self.client.publish(f"tele/{self.name}/LWT", "Online", qos=1, retain=True).wait_for_publish(10)
        return self

    def subscribe(self, topic):
        self.client.subscribe(topic, 1)
        return self

    def go(self, polite):
        """Without a word: the thread ends, and so does the connection, unknown to paho."""
        if polite:
            self.client.disconnect()
        self.client.loop_stop()


def states(port):
    """What a new subscriber is told."""
    looker = Plug(port, "looker").come().subscribe("tele/+/LWT")
    looker.client.subscribe("looker/end", 1)
    looker.client.publish("looker/end", "1", qos=1)  # comes behind what is retained
    wait_until(lambda: any(t == "looker/end" for t, _, _ in looker.heard), what="the retained states")
    looker.go(polite=True)
    return {t.split("/")[1]: payload for t, payload, retain in looker.heard if retain}


def kill_under(site, plugs):
    """They don't come back by themselves. First the kill: who waits for a loop's end may outlast a keep-alive."""
    site.kill()
    for p in plugs:
        p.client.loop_stop()


def main():
    with Site(text=SITE) as site:
        port = site.mqtt_port
        site.start()
        dead, back = Plug(port, "dead").come(), Plug(port, "back").come()
        late = Plug(port, "late", version=paho.MQTTv5, delay_s=7).come()
        polite = Plug(port, "polite").come()
        rogue = Plug(port, "rogue", will="valve/set").come()
        polite.go(polite=True)
        # Behind it in the journal, so the goodbye is on disk when this is acknowledged.
        dead.client.publish("x", "1", qos=1, retain=True).wait_for_publish(10)
        kill_under(site, [dead, back, late, rogue])

        site.start()
        watcher = Plug(port, "watcher").come().subscribe("#")
        Plug(port, "back").come()
        told = {n: 0 for n in ("dead", "back", "late", "polite")}
        wait_until(lambda: ("tele/late/LWT", "Offline", False) in watcher.heard, what="the delayed will")
        for topic, payload, retain in list(watcher.heard):
            if payload == "Offline" and not retain:
                told[topic.split("/")[1]] += 1
        assert told == {"dead": 1, "back": 0, "late": 1, "polite": 0}, told
        assert not any(t == "valve/set" for t, _, _ in watcher.heard), watcher.heard
        now = states(port)
        want = {"dead": "Offline", "back": "Online", "late": "Offline", "polite": "Online"}
        assert {n: now.get(n) for n in want} == want, now
        wait_until(lambda: "rogue may not publish to valve/set" in site.process.text(), what="the denial in the log")

        # What was told is told: the dead one is mended, and stays on-line whatever comes.
        dead = Plug(port, "dead").come()
        dead.go(polite=True)
        watcher.client.publish("x", "2", qos=1, retain=True).wait_for_publish(10)
        kill_under(site, [watcher])
        site.start()
        wait_until(lambda: states(port).get("watcher") == "Offline", what="the watcher's will")
        assert states(port)["dead"] == "Online", states(port)
        print(f"wills after kill -9: {told}")


main()
