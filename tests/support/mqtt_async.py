"""A small MQTT client for tests that need to know every packet: 3.1.1 and 5.0, QoS 0 to 2, asyncio.

    session = Session("name", version=5, clean=False)
    client = await connect(session, port, on_message=f)   # f(topic, payload, qos, retain, dup)
    await client.subscribe("a/#", 1)
    await client.publish("a/b", b"x", qos=2)              # returns when it is complete
    client.cut()                                          # no DISCONNECT
    client = await connect(session, port, on_message=f)   # what was under way goes on

A Session is what a client has to remember: what it sent and was not acknowledged, in order, and which QoS 2 messages it
has got. Nothing here is lenient: what a broker must not send raises Broken.
"""

import asyncio
import collections
import socket
import struct


class Broken(Exception):
    """The broker sent what it must not, or closed the connection."""


def varint(n):
    out = bytearray()
    while True:
        n, low = n >> 7, n & 0x7F
        out.append(low | (0x80 if n else 0))
        if not n:
            return bytes(out)


def packet(head, body):
    return bytes([head]) + varint(len(body)) + body


def text(s):
    b = s if isinstance(s, bytes) else s.encode()
    return struct.pack("!H", len(b)) + b


Will = collections.namedtuple("Will", "topic payload qos retain", defaults=(0, False))


class Session:
    def __init__(self, client_id, version=4, clean=True, expiry=None):
        self.client_id, self.version, self.clean, self.expiry = client_id, version, clean, expiry
        self.under_way = {}  # id -> [state, head, body, future]; in the order of sending
        self.received = set()  # ids of QoS 2 messages that came, until their PUBREL
        self.last_id = 0

    def next_id(self):
        while True:
            self.last_id = self.last_id % 65535 + 1
            if self.last_id not in self.under_way:
                return self.last_id

    def forget(self):
        """The broker has no session: what was under way is nobody's any more."""
        for entry in self.under_way.values():
            if not entry[3].done():
                entry[3].cancel()
        self.under_way.clear()
        self.received.clear()

    def connect_packet(self, keep_alive, will):
        flags = 0x02 if self.clean else 0
        props = b""
        if self.version == 5:
            seconds = self.expiry if self.expiry is not None else (0 if self.clean else 0xFFFFFFFF)
            props = bytes([17]) + struct.pack("!I", seconds)
            props = varint(len(props)) + props
        payload = text(self.client_id)
        if will:
            flags |= 0x04 | will.qos << 3 | (0x20 if will.retain else 0)
            payload += (b"\0" if self.version == 5 else b"") + text(will.topic) + text(will.payload)
        return packet(0x10, text("MQTT") + bytes([self.version, flags]) + struct.pack("!H", keep_alive) + props + payload)


class Client:
    def __init__(self, session, reader, writer, on_message):
        self.session, self.reader, self.writer, self.on_message = session, reader, writer, on_message
        self.present = False
        self.answers = {}  # id of a SUBSCRIBE or UNSUBSCRIBE -> future
        self.ended = asyncio.get_running_loop().create_future()
        self.task = None
        self.pace = None  # a coroutine function that is awaited before each read: a slow consumer

    def _props(self):
        return b"\0" if self.session.version == 5 else b""

    async def _packet(self):
        head = (await self.reader.readexactly(1))[0]
        size = shift = 0
        while True:
            b = (await self.reader.readexactly(1))[0]
            size |= (b & 0x7F) << shift
            shift += 7
            if not b & 0x80:
                break
        return head, await self.reader.readexactly(size)

    async def open(self, keep_alive, will):
        self.writer.write(self.session.connect_packet(keep_alive, will))
        head, body = await self._packet()
        if head != 0x20 or body[1] != 0:
            raise Broken(f"{self.session.client_id}: CONNACK {head:#x} {body[:2].hex()}")
        self.present = body[0] == 1
        if not self.present:
            self.session.forget()
        for key, entry in list(self.session.under_way.items()):
            self._send(entry, again=True)
        self.task = asyncio.ensure_future(self._run())

    def _send(self, entry, again=False):
        state, head, body, _ = entry
        if state == "release":
            self.writer.write(packet(0x62, body[:2]))
        else:
            self.writer.write(packet(head | (0x08 if again else 0), body))

    async def _run(self):
        try:
            while True:
                if self.pace:
                    await self.pace()
                self._take(*await self._packet())
        except (asyncio.IncompleteReadError, OSError) as error:
            self._end(Broken(f"{self.session.client_id}: closed ({error})"))
        except asyncio.CancelledError:
            self._end(None)
            raise
        except Exception as error:  # any: whoever waits for the end must be told
            self._end(error)

    def _end(self, error):
        self.writer.close()
        if not self.ended.done():
            self.ended.set_result(error)
        for future in self.answers.values():
            if not future.done():
                future.cancel()

    def _take(self, head, body):
        kind = head >> 4
        if kind == 3:
            self._take_publish(head, body)
        elif kind in (4, 5, 6, 7):
            self._take_ack(kind, struct.unpack("!H", body[:2])[0], body[2] if len(body) > 2 else 0)
        elif kind in (9, 11):
            future = self.answers.pop(struct.unpack("!H", body[:2])[0])
            if not future.done():
                future.set_result(body[2:])
        elif kind == 14:
            raise Broken(f"{self.session.client_id}: DISCONNECT {body[:1].hex()}")
        elif kind != 13:
            raise Broken(f"{self.session.client_id}: packet {head:#x}")

    def _take_publish(self, head, body):
        qos, n = head >> 1 & 3, struct.unpack("!H", body[:2])[0]
        topic, at, key = body[2:2 + n].decode(), 2 + n, 0
        if qos:
            key, = struct.unpack("!H", body[at:at + 2])
            at += 2
        if self.session.version == 5:  # below 128 bytes of properties in these tests
            at += 1 + body[at]
        if qos != 2 or key not in self.session.received:
            self.on_message(topic, body[at:], qos, bool(head & 1), bool(head & 8))
        if qos == 2:
            self.session.received.add(key)
        if qos:
            self.writer.write(packet(0x40 if qos == 1 else 0x50, struct.pack("!H", key)))

    def _take_ack(self, kind, key, reason):
        under_way = self.session.under_way
        if kind == 6:
            self.session.received.discard(key)
            self.writer.write(packet(0x70, struct.pack("!H", key)))
            return
        entry = under_way.get(key)
        if entry is None:
            raise Broken(f"{self.session.client_id}: acknowledgement {kind} of {key}, which is not under way")
        if kind == 5 and reason < 0x80:
            if entry[0] == "publish":
                entry[0], entry[2] = "release", struct.pack("!H", key)
            self.writer.write(packet(0x62, entry[2][:2]))
            return
        if kind == 7 and entry[0] != "release":
            raise Broken(f"{self.session.client_id}: PUBCOMP {key} before its PUBREC")
        del under_way[key]
        if not entry[3].done():  # 0x92: the PUBREL was answered before, and the answer lost with a connection
            entry[3].set_result(0 if kind == 7 and reason == 0x92 else reason)

    def publish_soon(self, topic, payload, qos=0, retain=False):
        """Sends; the future is done when it is complete (for QoS 0 at once), over reconnections too."""
        future = asyncio.get_running_loop().create_future()
        body = text(topic)
        head = 0x30 | qos << 1 | (1 if retain else 0)
        if qos:
            key = self.session.next_id()
            body += struct.pack("!H", key)
        body += self._props() + payload
        entry = ["publish", head, body, future]
        if qos:
            self.session.under_way[key] = entry
        else:
            future.set_result(0)
        self._send(entry)
        return future

    async def publish(self, topic, payload, qos=0, retain=False):
        reason = await self.publish_soon(topic, payload, qos, retain)
        await self.drain()
        return reason

    async def drain(self):
        try:
            await self.writer.drain()
        except OSError:
            pass  # the reader tells

    async def subscribe(self, topic, qos):
        key = self.session.next_id()
        future = self.answers[key] = asyncio.get_running_loop().create_future()
        self.writer.write(packet(0x82, struct.pack("!H", key) + self._props() + text(topic) + bytes([qos])))
        codes = await future
        if codes[-1] != qos:
            raise Broken(f"{self.session.client_id}: SUBACK {codes.hex()} for {topic} at QoS {qos}")

    def ping(self):
        self.writer.write(b"\xc0\0")

    def cut(self):
        """The connection breaks, as by a lost cable: no DISCONNECT, and what was queued here is gone."""
        try:
            self.writer.transport.abort()
        except AttributeError:
            pass  # so asyncio says that a TLS connection has gone already
        if self.task:
            self.task.cancel()

    async def disconnect(self):
        try:
            self.writer.write(b"\xe0\0")
            await self.drain()
        except AttributeError:
            pass  # as above
        if self.task:
            self.task.cancel()
        self.writer.close()


async def connect(session, port, on_message=lambda *_: None, will=None, keep_alive=0, tls=None, timeout=30.0,
                  buffer=None):
    """`buffer`: bytes that the kernel holds for a client that does not read."""
    async def go():
        s = socket.socket()
        if buffer:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        s.setblocking(False)
        await asyncio.get_running_loop().sock_connect(s, ("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=s, ssl=tls, server_hostname="localhost" if tls else None,
                                                       limit=buffer or 1 << 20)
        client = Client(session, reader, writer, on_message)
        try:
            await client.open(keep_alive, will)
        except asyncio.IncompleteReadError:
            writer.close()
            raise Broken(f"{session.client_id}: closed before CONNACK")
        return client
    return await asyncio.wait_for(go(), timeout)
