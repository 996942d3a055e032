# ctest: timeout=240 workers=2
"""Paho's Python client against sedge (and against mosquitto, to know that the test asks for what brokers do): QoS 0 to 2,
large messages, retained messages, wills, sessions, TLS, and what 5.0 adds, in 3.1.1 and 5.0."""

import os
import queue
import ssl
import sys
import time

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from mqtt_broker import broker, kinds  # noqa: E402

WAIT = 30
VERSIONS = {"3.1.1": mqtt.MQTTv311, "5.0": mqtt.MQTTv5}


def properties(kind, **values):
    p = Properties(kind)
    for name, value in values.items():
        setattr(p, name, value)
    return p


class Client:
    """A client with queues of what its callbacks are told. `with` ends it with DISCONNECT."""

    def __init__(self, b, version, name="", clean=True, will=None, tls=None, expiry=None):
        self.v5 = version == mqtt.MQTTv5
        options = {} if self.v5 else {"clean_session": clean}
        self.c = mqtt.Client(name, protocol=version, **options)
        self.messages, self.connects, self.acks, self.ends = (queue.Queue() for _ in range(4))
        self.c.on_message = lambda c, u, m: self.messages.put(m)
        self.c.on_connect = lambda c, u, flags, code, props=None: self.connects.put((flags["session present"], code, props))
        self.c.on_publish = lambda c, u, mid: self.acks.put(mid)
        self.c.on_disconnect = lambda c, u, code, props=None: self.ends.put(code)
        self.c.on_subscribe = lambda c, u, mid, codes, props=None: self.acks.put(mid)
        self.c.max_inflight_messages_set(10)
        if will:
            self.c.will_set(*will[:4], **({"properties": will[4]} if len(will) > 4 else {}))
        if tls:
            self.c.tls_set(ca_certs=str(tls), cert_reqs=ssl.CERT_REQUIRED)
        more = {}
        if self.v5:
            more["clean_start"] = clean
            if expiry is not None:
                more["properties"] = properties(PacketTypes.CONNECT, SessionExpiryInterval=expiry)
        self.c.connect("127.0.0.1", b.tls_port if tls else b.port, keepalive=60, **more)
        self.c.loop_start()
        self.present, code, self.connack = self.connects.get(timeout=WAIT)
        assert code == 0, code

    def acknowledged(self, mid):
        while self.acks.get(timeout=WAIT) != mid:
            pass

    def subscribe(self, *args, **kwargs):
        code, mid = self.c.subscribe(*args, **kwargs)
        assert code == 0, code
        self.acknowledged(mid)

    def publish(self, topic, payload, qos=1, retain=False, **kwargs):
        info = self.c.publish(topic, payload, qos, retain, **kwargs)
        info.wait_for_publish(WAIT)
        assert info.is_published()

    def take(self, count=1):
        return [self.messages.get(timeout=WAIT) for _ in range(count)]

    def die(self):
        """Its connection ends without DISCONNECT."""
        self.c.loop_stop()
        self.c.socket().close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.c.disconnect()
        self.c.loop_stop()


def each_qos(b, version, name):
    with Client(b, version) as sub, Client(b, version) as pub:
        sub.subscribe(f"{name}/+", 2)
        payloads = [bytes([i]) * (i % 7) + bytes(range(256)) for i in range(60)]
        for i, payload in enumerate(payloads):
            pub.publish(f"{name}/{i % 3}", payload, i % 3)
        got = sub.take(len(payloads))
        assert sub.messages.empty()
        for qos in range(3):
            mine = [m for m in got if m.qos == qos]
            assert [m.payload for m in mine] == payloads[qos::3], f"QoS {qos}"
            assert {m.topic for m in mine} == {f"{name}/{qos}"} and not any(m.retain for m in mine)
        big = os.urandom(400_000)
        for qos in range(3):
            pub.publish(f"{name}/big", big, qos)
        assert [(m.payload == big, m.qos) for m in sub.take(3)] == [(True, 0), (True, 1), (True, 2)]


def lower_qos(b, version, name):
    """The lower of the two counts."""
    with Client(b, version) as sub, Client(b, version) as pub:
        for granted in range(3):
            sub.subscribe(f"{name}/{granted}", granted)
            for qos in range(3):
                pub.publish(f"{name}/{granted}", f"{qos}", qos)
            assert [(m.payload, m.qos) for m in sub.take(3)] == [(str(q).encode(), min(q, granted)) for q in range(3)]


def retained(b, version, name):
    with Client(b, version) as pub:
        for i in range(3):
            pub.publish(f"{name}/{i}", f"kept {i}", i, retain=True)
        pub.publish(f"{name}/1", "", 1, retain=True)
        with Client(b, version) as sub:
            sub.subscribe(f"{name}/#", 1)
            got = sorted((m.topic, m.payload, m.retain, m.qos) for m in sub.take(2))
            assert got == [(f"{name}/0", b"kept 0", True, 0), (f"{name}/2", b"kept 2", True, 1)], got
            pub.publish(f"{name}/2", "live", 1, retain=True)
            live, = sub.take()
            assert (live.payload, bool(live.retain)) == (b"live", False)
            assert sub.messages.empty()


def wills(b, version, name):
    with Client(b, version) as watcher:
        watcher.subscribe(f"{name}/#", 2)
        with Client(b, version, will=(f"{name}/asked", b"no", 1, False)):
            pass
        Client(b, version, f"{name}-dies", will=(f"{name}/died", b"gone", 2, True)).die()
        died, = watcher.take()
        assert (died.topic, died.payload, died.qos) == (f"{name}/died", b"gone", 2), died.topic
        with Client(b, version) as late:
            late.subscribe(f"{name}/died", 1)
            assert late.take()[0].retain


def sessions(b, version, name):
    """What comes while nobody is there, over a restart of the broker; each message once."""
    args = {"clean": False, "expiry": 3600}
    with Client(b, version, name, **args) as first:
        assert not first.present
        first.subscribe(f"{name}/+", 2)
    with Client(b, version) as pub:
        for i in range(20):
            pub.publish(f"{name}/{1 + i % 2}", f"m{i}", 1 + i % 2)
    b.stop()
    b.start()
    with Client(b, version, name, **args) as again:
        assert again.present
        got = again.take(20)
        for qos in (1, 2):
            assert [m.payload.decode() for m in got if m.qos == qos] == [f"m{i}" for i in range(qos - 1, 20, 2)]
        with Client(b, version) as pub:
            pub.publish(f"{name}/2", "live", 2)
        assert again.take()[0].payload == b"live" and again.messages.empty()
    with Client(b, version, name, clean=True) as fresh:
        assert not fresh.present
    with Client(b, version, name, **args) as gone:
        assert not gone.present


def take_over(b, version, name):
    with Client(b, version, name) as first, Client(b, version, name) as second:
        first.c.reconnect_delay_set(60, 60)
        first.ends.get(timeout=WAIT)
        second.subscribe(f"{name}/x", 1)
        second.publish(f"{name}/x", "still here")
        assert second.take()[0].payload == b"still here"
        first.c.loop_stop()


def tls(b, version, name):
    with Client(b, version, tls=b.certs.ca) as sub, Client(b, version, tls=b.certs.ca) as pub:
        sub.subscribe(f"{name}/#", 2)
        for qos in range(3):
            pub.publish(f"{name}/t", os.urandom(70_000), qos)
        assert [(m.qos, len(m.payload)) for m in sub.take(3)] == [(0, 70_000), (1, 70_000), (2, 70_000)]
    try:
        Client(b, version, tls=b.certs.other_ca)
    except ssl.SSLError as error:
        assert "CERTIFICATE_VERIFY_FAILED" in str(error), error
    else:
        raise AssertionError("somebody else's authority was believed")


# --- what 5.0 adds -------------------------------------------------------------------------------


def message_properties(b, version, name):
    with Client(b, version) as sub, Client(b, version) as pub:
        sub.subscribe(f"{name}/#", options=SubscribeOptions(qos=2), properties=properties(PacketTypes.SUBSCRIBE,
                                                                                         SubscriptionIdentifier=77))
        sent = properties(PacketTypes.PUBLISH, ContentType="text/x", ResponseTopic="back/here", CorrelationData=b"\x00c",
                          PayloadFormatIndicator=1, MessageExpiryInterval=500)
        sent.UserProperty = [("k", "v"), ("k", "w"), ("a", "")]
        pub.publish(f"{name}/p", "grün", 2, properties=sent)
        p = sub.take()[0].properties
        assert (p.ContentType, p.ResponseTopic, p.CorrelationData) == ("text/x", "back/here", b"\x00c")
        assert p.PayloadFormatIndicator == 1 and 0 < p.MessageExpiryInterval <= 500
        assert p.UserProperty == [("k", "v"), ("k", "w"), ("a", "")] and p.SubscriptionIdentifier == [77]


def options(b, version, name):
    with Client(b, version) as c, Client(b, version) as other:
        c.subscribe(f"{name}/no-local", options=SubscribeOptions(qos=1, noLocal=True))
        c.publish(f"{name}/no-local", "mine")
        other.publish(f"{name}/no-local", "theirs")
        assert c.take()[0].payload == b"theirs"
        c.subscribe(f"{name}/as-published", options=SubscribeOptions(qos=1, retainAsPublished=True))
        other.publish(f"{name}/as-published", "kept", 1, retain=True)
        assert c.take()[0].retain
        for handling, want in ((2, 0), (1, 1), (1, 0), (0, 1)):  # never; if it is new: yes, no; always
            if handling == 1 and want:
                c.c.unsubscribe(f"{name}/as-published")
            c.subscribe(f"{name}/as-published", options=SubscribeOptions(qos=1, retainHandling=handling))
            other.publish(f"{name}/no-local", "mark")
            got = []
            while not got or got[-1] != b"mark":
                got.append(c.take()[0].payload)
            assert len(got) == 1 + want, (handling, want, got)


def shared(b, version, name):
    with Client(b, version) as one, Client(b, version) as two, Client(b, version) as pub:
        for member in (one, two):
            member.subscribe(f"$share/group/{name}/#", 1)
        for i in range(40):
            pub.publish(f"{name}/x", f"{i}", 1)
        for member in (one, two):  # behind all others for both
            member.subscribe(f"{name}-end", 1)
        pub.publish(f"{name}-end", "end", 1)
        got = []
        for member in (one, two):
            part = []
            while not part or part[-1] != b"end":
                part.append(member.take()[0].payload)
            got.append([int(p) for p in part[:-1]])
        assert sorted(got[0] + got[1]) == list(range(40)), got
        assert all(g == sorted(g) for g in got) and got[0] and got[1], got


def limits(b, version, name):
    with Client(b, version, "") as c:
        assert c.connack.AssignedClientIdentifier
    with Client(b, version, name, clean=False, expiry=0) as c:
        assert not c.present
    with Client(b, version, name, clean=False, expiry=100) as c:  # 0 had ended it
        assert not c.present
    with Client(b, version, name, clean=False, expiry=100) as c:
        assert c.present
    with Client(b, version) as watcher:
        watcher.subscribe(f"{name}/will", 1)
        late = properties(PacketTypes.WILLMESSAGE, WillDelayInterval=1, UserProperty=("k", "v"))
        Client(b, version, f"{name}-w", expiry=100, will=(f"{name}/will", b"late", 1, False, late)).die()
        will, = watcher.take()
        assert will.payload == b"late" and will.properties.UserProperty == [("k", "v")]


ALWAYS = [each_qos, lower_qos, retained, wills, sessions, take_over, tls]
ONLY_5 = [message_properties, options, shared, limits]


def main():
    wanted = sys.argv[1:]
    for kind in kinds(("sedge",)):
        started = time.monotonic()
        with broker(kind) as b:
            for title, version in VERSIONS.items():
                for part in ALWAYS + (ONLY_5 if title == "5.0" else []):
                    if not wanted or part.__name__ in wanted:
                        print(f"{kind}, {title}: {part.__name__}", flush=True)
                        part(b, version, f"{part.__name__}-{title}")
        print(f"Paho Python with {kind}: {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
