"""Captures written by hand: TCP conversations as segments, wrapped in whatever lies around them on a wire, as pcap or pcapng.

Nothing here knows pinwatch. Checksums are left 0: a sensor behind offloading network cards sees them wrong anyway.
"""
import ipaddress
import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
START = 1795486453.0


class Segment:
    """One TCP segment: who sent it (True: the client), when (seconds), and what."""

    def __init__(self, conversation, client, time, seq, ack, flags, payload=b""):
        self.conversation, self.client, self.time = conversation, client, time
        self.seq, self.ack, self.flags, self.payload = seq, ack, flags, payload

    def but(self, **changes):
        other = Segment(self.conversation, self.client, self.time, self.seq, self.ack, self.flags, self.payload)
        other.__dict__.update(changes)
        return other

    def tcp(self):
        c = self.conversation
        ports = (c.client[1], c.server[1]) if self.client else (c.server[1], c.client[1])
        return struct.pack("!HHIIBBHHH", *ports, self.seq % 2**32, self.ack % 2**32, 5 << 4, self.flags, 65535,
                           0, 0) + self.payload

    def ends(self):
        c = self.conversation
        return (c.client[0], c.server[0]) if self.client else (c.server[0], c.client[0])


class Conversation:
    """A TCP connection being written: c(bytes), s(bytes), then how it ends."""

    def __init__(self, client=("10.8.0.10", 50000), server=("192.0.2.7", 443), start=START, step=0.01,
                 isn=(1000, 9000), handshake=True):
        self.client, self.server, self.now, self.step = client, server, start, step
        self.next = list(isn)
        self.segments = []
        if handshake:
            self._add(True, SYN, 1)
            self._add(False, SYN | ACK, 1)
            self._add(True, ACK)

    def _add(self, client, flags, more=0, payload=b""):
        me, other = (0, 1) if client else (1, 0)
        self.segments.append(Segment(self, client, self.now, self.next[me], self.next[other] if flags & ACK else 0,
                                     flags, payload))
        self.next[me] += more + len(payload)
        self.now += self.step

    def c(self, *payloads):
        for p in payloads:
            self._add(True, ACK | PSH, payload=p)
        return self

    def s(self, *payloads):
        for p in payloads:
            self._add(False, ACK | PSH, payload=p)
        return self

    def ack(self, client):
        self._add(client, ACK)
        return self

    def wait(self, seconds):
        self.now += seconds
        return self

    def fin(self, client):
        self._add(client, FIN | ACK, 1)
        return self

    def rst(self, client):
        self._add(client, RST | ACK)
        return self

    def close(self, client=True):
        return self.fin(client).fin(not client).ack(client)


def ip(source, destination, protocol, payload, fragment=0):
    a, b = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    if a.version == 4:
        return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, fragment, 64, protocol, 0, a.packed,
                           b.packed) + payload
    return struct.pack("!IHBB16s16s", 6 << 28, len(payload), protocol, 64, a.packed, b.packed) + payload


def ether_type(packet):
    return 0x0800 if packet[0] >> 4 == 4 else 0x86dd


def ethernet(packet, tags=(), kind=None):
    """tags: (EtherType, id) of VLANs, the outer one first."""
    head = bytes.fromhex("020000000002020000000001")
    for tag, vlan in tags:
        head += struct.pack("!HH", tag, vlan)
    frame = head + struct.pack("!H", kind or ether_type(packet)) + packet
    return frame + bytes(max(0, 60 - len(frame)))


def segment_ip(s):
    return ip(*s.ends(), 6, s.tcp())


def plain(s):
    return ethernet(segment_ip(s))


def gre(inner, protocol, flags=0, optional=b""):
    return ethernet(ip("198.51.100.1", "198.51.100.2", 47, struct.pack("!HH", flags, protocol) + optional + inner))


def udp(inner, port, source="198.51.100.1", destination="198.51.100.2", from_port=40000):
    return ip(source, destination, 17, struct.pack("!HHHH", from_port, port, 8 + len(inner), 0) + inner)


def pcap(frames, link=1, big=False, nano=False, snaplen=0):
    """frames: (time, bytes); snaplen: cut longer ones."""
    order = ">" if big else "<"
    out = struct.pack(order + "IHHiIII", 0xa1b23c4d if nano else 0xa1b2c3d4, 2, 4, 0, 0, 262144, link)
    for time, frame in frames:
        second = int(time)
        part = round((time - second) * 1e6) * (1000 if nano else 1)
        kept = frame[:snaplen] if snaplen else frame
        out += struct.pack(order + "IIII", second, part, len(kept), len(frame)) + kept
    return out


def pcapng(frames, link=1):
    def block(kind, body):
        body += bytes(-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    out = block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))
    out += block(1, struct.pack("<HHI", link, 0, 0))
    for time, frame in frames:
        stamp = round(time * 1e6)
        out += block(6, struct.pack("<IIIII", 0, stamp >> 32, stamp & 0xffffffff, len(frame), len(frame)) + frame)
    return out


def frames(segments, wrap=plain):
    return [(s.time, wrap(s)) for s in segments]
