"""An MQTT 3.1.1 client of few lines that keeps its side of a session as the standard says, over connections that
break at any instant. For tests that have to know exactly which answer came; everything else takes paho.

    state = Session("collector", on_message=lambda topic, payload, qos, dup: ...)
    wire = Wire(port, state)            # CONNECT was sent
    wire.subscribe("load/#", 2)
    wire.publish("load/1", b"x", 2)     # queued; sent with the next pump()
    while wire.pump(0.01): ...          # False: the connection has broken
    state.done                          # names of publications that are acknowledged: see Session

QoS 2 is received by method B of [MQTT-4.3.3]: a packet id is remembered from its PUBLISH to its PUBREL.
"""

import collections
import select
import socket
import struct

PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 0x30, 0x40, 0x50, 0x62, 0x70


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack(">H", len(data)) + data


def packet(first, body):
    size, head = len(body), bytearray([first])
    while True:
        size, digit = size >> 7, size & 0x7F
        head.append(digit | (0x80 if size else 0))
        if not size:
            return bytes(head) + body


class Session:
    """What a client has to remember as long as its session lives, whatever happens to connections."""

    def __init__(self, client_id, clean=False, on_message=None):
        self.client_id, self.clean = client_id, clean
        self.on_message = on_message or (lambda *_: None)
        self.flight = collections.OrderedDict()  # packet id -> [awaited packet, topic, payload, qos, retain, name]
        self.received = set()  # ids of QoS 2 that wait for their PUBREL
        self.next_id = 0
        self.done = []  # names, in the order in which the server took them over (PUBACK, or PUBREC of QoS 2)
        self.present = None
        self.connections = 0

    def take_id(self):
        while True:
            self.next_id = self.next_id % 65535 + 1
            if self.next_id not in self.flight:
                return self.next_id


class Wire:
    """One connection of a session."""

    def __init__(self, port, session):
        self.session, self.buffer, self.out = session, bytearray(), bytearray()
        self.connected, self.granted, self.broken = False, [], False
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        flags = 2 if session.clean else 0
        self.out += packet(0x10, text("MQTT") + bytes([4, flags, 0, 0]) + text(session.client_id))

    def fileno(self):
        return self.socket.fileno()

    def publish(self, topic, payload, qos, retain=False, name=None):
        """`name` comes into session.done; by default the payload."""
        s = self.session
        if qos == 0:
            self.out += packet(PUBLISH | retain, text(topic) + payload)
            return
        packet_id = s.take_id()
        s.flight[packet_id] = [PUBACK if qos == 1 else PUBREC, topic, payload, qos, retain, name or payload]
        if self.connected:  # else behind what is older, in its turn
            self._send(packet_id, dup=False)

    def _send(self, packet_id, dup):
        awaited, topic, payload, qos, retain, _ = self.session.flight[packet_id]
        if awaited == PUBCOMP:
            self.out += packet(PUBREL, struct.pack(">H", packet_id))
        else:
            self.out += packet(PUBLISH | (8 if dup else 0) | qos << 1 | retain,
                               text(topic) + struct.pack(">H", packet_id) + payload)

    def subscribe(self, topic_filter, qos):
        self.out += packet(0x82, struct.pack(">H", self.session.take_id()) + text(topic_filter) + bytes([qos]))

    def disconnect(self):
        """Politely: what is queued leaves, then DISCONNECT."""
        self.out += b"\xe0\x00"
        self.socket.setblocking(True)
        self.socket.settimeout(5)
        try:
            self.socket.sendall(self.out)
        except OSError:
            pass
        self.socket.close()
        self.broken = True

    def close(self):
        """As a power cut would."""
        self.socket.close()
        self.broken = True

    def pump(self, timeout=0.0):
        """Sends, receives, handles. False when the connection has broken."""
        if self.broken:
            return False
        try:
            readable, writable, _ = select.select([self.socket], [self.socket] if self.out else [], [], timeout)
            if writable:
                del self.out[:self.socket.send(self.out)]
            if readable:
                data = self.socket.recv(1 << 18)
                if not data:
                    raise ConnectionError("closed")
                self.buffer += data
                self._handle_all()
        except BlockingIOError:
            pass
        except OSError:
            self.close()
        return not self.broken

    def _handle_all(self):
        buffer, at, end = self.buffer, 0, len(self.buffer)
        while end - at >= 2:
            size, shift, body = 0, 0, at + 1
            while body < end:
                digit = buffer[body]
                size |= (digit & 0x7F) << shift
                shift, body = shift + 7, body + 1
                if digit < 0x80:
                    break
            else:
                break
            if body + size > end:
                break
            self._handle(buffer[at], bytes(buffer[body:body + size]))
            at = body + size
        del buffer[:at]

    def _handle(self, first, body):
        kind = first & 0xF0
        if kind == PUBLISH:
            self._published(first, body)
        elif kind == 0x20:
            self._connack(body)
        elif kind == 0x90:
            self.granted += list(body[2:])
        elif kind in (PUBACK, PUBREC, PUBREL & 0xF0, PUBCOMP):
            self._answer(kind, struct.unpack(">H", body[:2])[0])

    def _connack(self, body):
        s = self.session
        assert body[1] == 0, f"CONNACK {body[1]}"
        self.connected, s.present, s.connections = True, bool(body[0]), s.connections + 1
        if not s.present:  # [MQTT-3.2.2-5]: the server knows nothing: neither do we
            s.received.clear()
        for packet_id in s.flight:
            self._send(packet_id, dup=True)

    def _published(self, first, body):
        qos, n = first >> 1 & 3, struct.unpack(">H", body[:2])[0]
        topic, rest = body[2:2 + n].decode(), body[2 + n:]
        s = self.session
        if qos == 0:
            s.on_message(topic, rest, 0, False)
            return
        packet_id, rest = struct.unpack(">H", rest[:2])[0], rest[2:]
        if qos == 1 or packet_id not in s.received:
            s.on_message(topic, rest, qos, bool(first & 8))
        if qos == 2:
            s.received.add(packet_id)
        self.out += packet(PUBACK if qos == 1 else PUBREC, struct.pack(">H", packet_id))

    def _answer(self, kind, packet_id):
        s = self.session
        if kind == PUBREL & 0xF0:
            s.received.discard(packet_id)
            self.out += packet(PUBCOMP, struct.pack(">H", packet_id))
            return
        entry = s.flight.get(packet_id)
        if entry is None or entry[0] != kind:
            if kind == PUBREC:  # the PUBREL that it waits for; its publication is over for us
                self.out += packet(PUBREL, struct.pack(">H", packet_id))
            return
        if kind == PUBREC:
            entry[0] = PUBCOMP
            s.done.append(entry[5])
            self._send(packet_id, dup=False)
            return
        del s.flight[packet_id]
        if kind == PUBACK:
            s.done.append(entry[5])
