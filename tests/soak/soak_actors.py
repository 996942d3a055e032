"""The clients of tests/soak/soak.py. Each is a loop that runs until `world.over`, and says `world.fail()` when the
broker did what it must not.

A lap has traffic, then quiet: publishers stop, everybody is connected, and what was acknowledged must have arrived.
"""

import asyncio
import os
import random
import struct

from mqtt_async import Session, Will, connect

WINDOW = 20  # messages under way of one publisher
PAD = b"." * 48
PATIENCE_S = int(os.environ.get("SOAK_PATIENCE_S", "60"))


class World:
    """What the actors share."""

    def __init__(self, port, seed, tls_port=None, tls=None, qos_max=2):
        self.qos_max = qos_max
        self.port, self.tls_port, self.tls = port, tls_port, tls
        self.rng = random.Random(seed)
        self.quiet = asyncio.Event()  # set: no new messages, stay connected
        self.over = False
        self.failures = []
        self.counts = {}

    def fail(self, what):
        if len(self.failures) < 20:
            self.failures.append(what)

    def count(self, what, n=1):
        self.counts[what] = self.counts.get(what, 0) + n

    async def connect(self, session, *args, **how):
        """By TLS now and then, where there is TLS."""
        if self.tls_port and self.rng.random() < 0.3:
            return await connect(session, self.tls_port, *args, tls=self.tls, **how)
        return await connect(session, self.port, *args, **how)

    async def pause(self, low, high):
        """A random time, cut short by the quiet."""
        try:
            await asyncio.wait_for(self.quiet.wait(), self.rng.uniform(low, high))
        except asyncio.TimeoutError:
            pass

    async def traffic(self):
        """Until the quiet is over."""
        while self.quiet.is_set() and not self.over:
            await asyncio.sleep(0.05)


def version(world):
    return world.rng.choice((4, 5))


class Publisher:
    """A stream of numbers on one topic, from a session that lasts; the connection breaks now and then."""

    def __init__(self, world, topic, qos, rate):
        self.world, self.topic, self.qos, self.rate = world, topic, qos, rate
        self.session = Session("publisher-" + topic.replace("/", "-"), version(world), clean=False)
        self.number = 0
        self.acked = set()  # of this lap
        self.idle = True

    def _send(self, client):
        number = self.number
        self.number += 1
        future = client.publish_soon(self.topic, struct.pack("!Q", number) + PAD, self.qos)
        future.add_done_callback(lambda f: self._done(number, f))

    def _done(self, number, future):
        if future.cancelled():
            self.world.fail(f"{self.topic}: the broker forgot the publisher's session")
        elif future.result() >= 0x80:
            self.world.fail(f"{self.topic}: refused with {future.result():#x}")
        else:
            self.acked.add(number)
            self.world.count(f"acknowledged at QoS {self.qos}")

    async def _connected(self, client, until):
        """Publishes until the time is over, or until all is acknowledged in the quiet."""
        loop = asyncio.get_running_loop()
        while not client.ended.done():
            if self.world.quiet.is_set() or self.world.over:
                if not self.session.under_way:
                    self.idle = True
                    await self.world.traffic()
                    if self.world.over:
                        return
                    self.idle = False
            elif loop.time() > until:
                return
            else:
                while len(self.session.under_way) < WINDOW and self.world.rng.random() < 0.8:
                    self._send(client)
                    if self.qos == 0:
                        break
                await client.drain()
            await asyncio.sleep(1 / self.rate)
        self.world.fail(f"{self.topic}: publisher: {client.ended.result()}")

    async def run(self):
        self.idle = False
        loop = asyncio.get_running_loop()
        while not self.world.over:
            client = await self.world.connect(self.session)
            await self._connected(client, loop.time() + self.world.rng.uniform(1, 8))
            if self.world.rng.random() < 0.5:
                client.cut()
            else:
                await client.disconnect()


class Keeper:
    """A persistent session that has everything of some streams: complete, in order, at QoS 2 once. Away now and then."""

    def __init__(self, world, name, topics, qos, members=None):
        self.world, self.topics, self.qos = world, topics, qos
        self.session = Session(name, version(world), clean=False)
        self.got = {}  # topic -> numbers of this lap
        self.highest = {}
        self.client = None
        self.subscribed = False

    def _message(self, topic, payload, _qos, _retain, _dup):
        number, = struct.unpack("!Q", payload[:8])
        got = self.got.setdefault(topic, set())
        self.world.count("delivered")
        if number in got or number < self.highest.get(topic, -1):
            if self.qos == 2:
                self.world.fail(f"{self.session.client_id}: {topic} {number} came twice at QoS 2, or too late")
            elif number not in got:
                self.world.fail(f"{self.session.client_id}: {topic} {number} came after {self.highest[topic]}")
            return
        got.add(number)
        self.highest[topic] = number

    async def run(self):
        while not self.world.over:
            self.client = await self.world.connect(self.session, self._message)
            if self.subscribed and not self.client.present:
                self.world.fail(f"{self.session.client_id}: the session was lost")
            for topic in [] if self.subscribed else self.topics:
                await self.client.subscribe(topic, self.qos)
            self.subscribed = True
            await self.world.pause(1, 6)
            await self.world.traffic()
            if self.client.ended.done():
                self.world.fail(f"{self.session.client_id}: {self.client.ended.result()}")
            client, self.client = self.client, None
            if self.world.rng.random() < 0.5:
                client.cut()
            else:
                await client.disconnect()
            await self.world.pause(0, 4)

    def missing(self, publishers):
        return sum(len(p.acked - self.got.get(p.topic, set())) for p in publishers)


class Member:
    """One of a shared subscription; comes and goes with a session that ends with it."""

    def __init__(self, world, number, filter_, got):
        self.world, self.number, self.filter, self.got = world, number, filter_, got

    def _message(self, topic, payload, *_):
        self.got.setdefault(topic, set()).add(struct.unpack("!Q", payload[:8])[0])
        self.world.count("delivered to a group")

    async def run(self):
        turn = 0
        while not self.world.over:
            turn += 1
            client = await self.world.connect(Session(f"member-{self.number}-{turn}", version(self.world)), self._message)
            await client.subscribe(f"$share/soak/{self.filter}", 1)
            if self.number == 0:  # there is always one
                await self.world.traffic()
                while not self.world.over:
                    await asyncio.sleep(0.2)
            await self.world.pause(0.5, 5)
            await self.world.traffic()
            if self.world.rng.random() < 0.5:
                client.cut()
            else:
                await client.disconnect()


class Kept:
    """Retained values that count up, and those who look at them."""

    def __init__(self, world, count):
        self.world, self.acked = world, [-1] * count

    async def set(self):
        client = await self.world.connect(Session("kept-setter", 5))
        value = 0
        while not self.world.over:
            at = self.world.rng.randrange(len(self.acked))
            value += 1
            await client.publish(f"soak/kept/{at}", struct.pack("!Q", value), self.world.rng.randint(1, self.world.qos_max),
                                 retain=True)
            self.acked[at] = value
            await self.world.pause(0.005, 0.03)
            await self.world.traffic()

    async def look(self, name):
        turn = 0
        while not self.world.over:
            turn += 1
            values = {}
            before = list(self.acked)
            client = await self.world.connect(
                Session(f"looker-{name}-{turn}", version(self.world)),
                lambda topic, payload, _q, retain, _d: retain and values.setdefault(topic, struct.unpack("!Q", payload)[0]))
            await client.subscribe("soak/kept/#", self.world.rng.randint(0, self.world.qos_max))
            wanted = {f"soak/kept/{i}": v for i, v in enumerate(before) if v >= 0}
            for _ in range(PATIENCE_S * 50):
                if wanted.keys() <= values.keys():
                    break
                await asyncio.sleep(0.02)
            old = {t: (values.get(t), v) for t, v in wanted.items() if values.get(t, -1) < v}
            if old:
                self.world.fail(f"retained values are missing or old: {dict(list(old.items())[:3])}")
            self.world.count("retained values seen", len(values))
            await client.disconnect()
            await self.world.pause(0.2, 2)
            await self.world.traffic()


class Wills:
    """Clients that die, or leave politely, and one who is told of their wills."""

    def __init__(self, world):
        self.world, self.got, self.due, self.polite = world, set(), set(), set()

    def _message(self, _topic, payload, *_):
        self.got.add(int(payload))

    async def watch(self):
        client = await self.world.connect(Session("will-watcher", 5), self._message)
        await client.subscribe("soak/will", 1)
        while not self.world.over:
            await asyncio.sleep(0.2)
            if client.ended.done():
                self.world.fail(f"the watcher of wills: {client.ended.result()}")
                return

    async def die(self):
        number = 0
        while not self.world.over:
            number += 1
            client = await self.world.connect(Session(f"mortal-{number}", version(self.world)),
                                              will=Will("soak/will", str(number), self.world.rng.randint(1, self.world.qos_max)))
            await self.world.pause(0, 0.3)
            if self.world.rng.random() < 0.7:
                self.due.add(number)
                client.cut()
            else:
                self.polite.add(number)
                await client.disconnect()
            await self.world.traffic()
            self.world.count("wills")

    def missing(self):
        if self.got & self.polite:
            self.world.fail(f"wills of clients that left politely were sent: {sorted(self.got & self.polite)[:5]}")
        return len(self.due - self.got)


async def slow(world, number, qos):
    """Subscribes to everything, and reads a packet now and then."""
    turn = 0
    while not world.over:
        turn += 1
        client = await world.connect(Session(f"slow-{number}-{turn}", version(world)), buffer=4096)
        await client.subscribe("soak/#", qos)

        async def pace():
            await asyncio.sleep(0.02)
        client.pace = pace
        await world.pause(5, 20)
        client.cut()
        world.count("slow consumers")
        await world.traffic()


async def churn(world, number):
    """Sessions that are left behind for a second, connections that say nothing, and two of one name."""
    turn = 0
    while not world.over:
        turn += 1
        what = world.rng.randrange(4)
        session = Session(f"churn-{number}-{turn}", 5, clean=False, expiry=1)
        client = await world.connect(session)
        if what < 2:
            for i in range(world.rng.randrange(1, 8)):
                await client.subscribe(f"soak/q1/{i}" if what else f"churn/{number}/+/{i}", 1)
            client.cut()
        elif what == 2:
            second = await world.connect(session)
            try:
                await asyncio.wait_for(client.ended, PATIENCE_S)
            except asyncio.TimeoutError:
                world.fail("the first of two clients of one name was not told")
            client.cut()
            second.cut()
        else:
            await client.disconnect()
            _, writer = await asyncio.open_connection("127.0.0.1", world.port)
            await asyncio.sleep(0.01)
            writer.close()
        world.count("sessions that came and went")
        await world.pause(0.01, 0.2)
        await world.traffic()


async def guarded(world, what, coroutine):
    """An actor; a broken connection that it did not expect is a failure of the broker."""
    try:
        await coroutine
    except Exception as error:  # Broken, OSError, a time-out, or what asyncio makes of a connection that is gone
        if not world.over:
            world.fail(f"{what}: {type(error).__name__} {error}")
