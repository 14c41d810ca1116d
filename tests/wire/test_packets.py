#!/usr/bin/python3
"""Whatever lies around a segment, and in whatever order segments come, the observation is the same: test_packets.py PINWATCH

Link layers, tags, tunnels and mirrors; segments lost, doubled, reordered, overlapping, tiny; one direction alone; captures that are cut
short. If this failed, a mirror port's habits would change what a client is said to have done.
"""
import gzip
import random
import struct

import packets
from harness import Harness
from packets import ACK, Conversation, ethernet, frames, ip, pcap, pcapng, segment_ip, udp
from tls import (CCS, FINISHED_12, KEY_EXCHANGE, client_hello, data, finished, flight, flight_12)

t = Harness()
SEED = 20261124


def rejection(**where):
    return Conversation(**where).c(client_hello()).s(flight()).c(CCS + data(19)).close()


def success(**where):
    return Conversation(**where).c(client_hello()).s(flight()).c(CCS + data(finished()), data(300)).s(data(900)).close()


BASE = t.one(rejection().segments)


def same(name, got, want=None):
    want = want or BASE
    wrong = ["%s: %r, expected %r" % (k, got.get(k), want.get(k)) for k in sorted(set(got) | set(want))
             if got.get(k) != want.get(k)]
    t.check(name, "\n".join(wrong))


def links():
    segments = rejection().segments
    for name, link, wrap in (
            ("raw IP", 101, segment_ip),
            ("BSD loopback", 0, lambda s: struct.pack("<I", 2) + segment_ip(s)),
            ("OpenBSD loopback", 108, lambda s: struct.pack(">I", 2) + segment_ip(s)),
            ("Linux cooked", 113, lambda s: bytes(14) + b"\x08\0" + segment_ip(s)),
            ("Linux cooked v2", 276, lambda s: b"\x08\0" + bytes(18) + segment_ip(s))):
        same("link: " + name, t.parse(pcap(frames(segments, wrap), link))[0])
    for name, content in (("pcapng", pcapng(frames(segments))), ("big-endian pcap", pcap(frames(segments), big=True)),
                          ("nanosecond pcap", pcap(frames(segments), nano=True)),
                          ("gzip", gzip.compress(pcap(frames(segments))))):
        same("file: " + name, t.parse(content)[0])
    unknown = t.run("parse", "-", "--format", "pcap", input=pcap(frames(segments), link=127))
    t.check("link: one that is not known is refused by number",
            "" if unknown.returncode == 3 and b"link type 127" in unknown.stderr else unknown.stderr.decode())


def tunnels():
    erspan2, erspan3 = struct.pack("!II", 0x10000000, 0), struct.pack("!IIHH", 0x20000000, 0, 0, 0)
    mpls = struct.pack("!II", 0x00010040, 0x00020140)
    vxlan, geneve = struct.pack("!II", 0x08000000, 77 << 8), struct.pack("!BBHI", 1, 0, 0x6558, 77 << 8) + bytes(4)
    inside = packets.plain
    for name, wrap in (
            ("VLAN", lambda s: ethernet(segment_ip(s), [(0x8100, 5)])),
            ("QinQ", lambda s: ethernet(segment_ip(s), [(0x88a8, 5), (0x8100, 6)])),
            ("MPLS", lambda s: ethernet(mpls + segment_ip(s), kind=0x8847)),
            ("PPPoE", lambda s: ethernet(struct.pack("!BBHHH", 0x11, 0, 1, len(segment_ip(s)) + 2, 0x21) +
                                         segment_ip(s), kind=0x8864)),
            ("GRE over IP", lambda s: packets.gre(segment_ip(s), 0x0800)),
            ("GRE with key, checksum and number", lambda s: packets.gre(segment_ip(s), 0x0800, 0xb000, bytes(12))),
            ("GRE around Ethernet", lambda s: packets.gre(inside(s), 0x6558)),
            ("ERSPAN I", lambda s: packets.gre(inside(s), 0x88be)),
            ("ERSPAN II", lambda s: packets.gre(inside(s), 0x88be, 0x1000, bytes(4) + erspan2)),
            ("ERSPAN III", lambda s: packets.gre(inside(s), 0x22eb, 0x1000, bytes(4) + erspan3)),
            ("ERSPAN III with a subheader", lambda s: packets.gre(inside(s), 0x22eb, 0x1000, bytes(4) + erspan3[:-1] +
                                                                  b"\1" + bytes(8))),
            ("VXLAN", lambda s: ethernet(udp(vxlan + inside(s), 4789))),
            ("VXLAN over IPv6, inside a VLAN",
             lambda s: ethernet(udp(vxlan + inside(s), 4789, "2001:db8::1", "2001:db8::2"), [(0x8100, 9)])),
            ("Geneve with an option", lambda s: ethernet(udp(geneve + inside(s), 6081))),
            ("IP in IP", lambda s: ethernet(ip("198.51.100.1", "198.51.100.2", 4, segment_ip(s)))),
            ("IP in IPv6", lambda s: ethernet(ip("2001:db8::1", "2001:db8::2", 4, segment_ip(s))))):
        same("around it: " + name, t.one(rejection().segments, wrap))


def version_6():
    where = {"client": ("2001:db8:8::10", 50000), "server": ("2001:db8::7", 443)}
    got = t.one(rejection(**where).segments)
    want = {**BASE, "src_endpoint": {"ip": "2001:db8:8::10", "port": 50000},
            "dst_endpoint": {"ip": "2001:db8::7", "port": 443}}
    same("IPv6", got, want)

    def extended(s):
        """Hop-by-hop and destination options before TCP."""
        a, b = s.ends()
        return ethernet(ip(a, b, 0, bytes([60, 0]) + bytes(6) + bytes([6, 0]) + bytes(6) + s.tcp()))
    same("IPv6 with extension headers", t.one(rejection(**where).segments, extended), want)


def split(segments, size):
    """Payloads in pieces of so many bytes."""
    for s in segments:
        for at in range(0, max(1, len(s.payload)), size):
            yield s.but(payload=s.payload[at:at + size], seq=s.seq + at)


def untimed(o):
    return {k: v for k, v in o.items() if k not in ("duration_ms", "time")}


def order():
    dice = random.Random(SEED)
    segments = rejection().segments
    same("payloads of one byte", t.one(list(split(segments, 1))))
    # A hello in two segments, the second first, as hellos with post-quantum keys come.
    pieces = list(split(segments, 150))
    hello = [i for i, s in enumerate(pieces) if s.client and s.payload][:2]
    pieces[hello[0]], pieces[hello[1]] = pieces[hello[1]], pieces[hello[0]]
    same("the hello's second half first", t.one(pieces))
    for i in range(20):
        pieces = list(split(segments, 400))
        # Neighbours change places, some come twice; times stay in the order of the file.
        mixed = sorted(range(len(pieces)),
                       key=lambda n: n + (dice.random() * 2.5 if 3 <= n < len(pieces) - 3 else 5 * (n >= 3)))
        times = [s.time for s in pieces]
        mixed = [pieces[n] for n in mixed for _ in range(dice.choice((1, 1, 2)))]
        mixed = [s.but(time=times[min(k, len(times) - 1)]) for k, s in enumerate(mixed)]
        same("reordered and doubled, seed %d.%d" % (SEED, i), untimed(t.one(mixed)), untimed(BASE))


def overlaps():
    c = Conversation().c(client_hello()).s(flight())
    before = c.next[0]
    c.c(CCS + data(19))
    c.segments.append(c.segments[-1].but(payload=CCS + data(400), seq=before))
    t.same("of overlapping copies the first counts", t.one(c.close().segments).get("outcome"), "client_reject")
    c = Conversation().c(client_hello())
    c.segments.append(c.segments[-1].but(payload=b"X", seq=c.next[0] - 1))  # a keep-alive probe
    t.same("a keep-alive's byte is no data", t.one(c.s(flight()).c(CCS + data(19)).close().segments).get("outcome"),
           "client_reject")
    t.same("sequence numbers that start over",
           t.one(rejection(isn=(2**32 - 100, 2**32 - 300)).segments).get("outcome"), "client_reject")
    t.same("a port that is used again at once is another connection",
           [o["outcome"] for o in t.parse(pcap(frames(rejection().segments + success(start=packets.START + 1,
                                                                                    isn=(77777, 99999)).segments)))],
           ["client_reject", "established"])


def losses():
    whole = success()
    lost = [s for s in whole.segments if not (s.client and data(300) in s.payload)]
    got = t.one(lost)
    t.check("a lost request leaves no success and no failure to guess at",
            "" if got.get("outcome") in ("incomplete", "established_no_data") and got["outcome"] != "client_reject"
            else got)
    c = Conversation().c(client_hello()).s(flight())
    big = [s for s in split(c.segments, 300)]
    without = [s for s in big if s.client or not s.payload or s is not [b for b in big if not b.client and b.payload][2]]
    c2 = Conversation().c(client_hello()).s(flight()).c(CCS + data(19)).close()
    t.same("a hole in the server's encrypted flight changes nothing",
           t.one(without + c2.segments[len(c.segments):]).get("outcome"), "client_reject")
    # The client's CCS and what follows are lost: which record is its first cannot be known.
    c = Conversation().c(client_hello()).s(flight()).c(CCS + data(finished())).c(data(19)).close()
    holed = [s for s in c.segments if not (s.client and s.payload.startswith(CCS))]
    t.same("a lost Finished makes no rejection of a close_notify", t.one(holed).get("outcome"), "incomplete")
    hello_lost = [s for s in rejection().segments if client_hello() != s.payload]
    t.same("a lost hello is incomplete", t.one(hello_lost).get("outcome"), "incomplete")


def one_direction():
    client = [s for s in rejection().segments if s.client]
    got = t.one(client)
    t.same("the client's direction alone: its alert", got.get("outcome"), "client_reject")
    # A FIN that it acknowledged counts as a byte: it cannot be told from one.
    t.same("the client's direction alone: the server's bytes by what it acknowledged",
           got.get("traffic", {}).get("bytes_in"), BASE["traffic"]["bytes_in"] + 1)
    t.same("the client's direction alone: data",
           t.one([s for s in success().segments if s.client]).get("outcome"), "established")
    silent = Conversation().c(client_hello()).s(flight()).ack(True).close()
    t.same("the client's direction alone: FIN behind an acknowledged flight",
           t.one([s for s in silent.segments if s.client]).get("outcome"), "client_silent_close")
    t.same("the client's direction alone: FIN behind nothing",
           t.one([s for s in Conversation().c(client_hello()).close().segments if s.client]).get("outcome"),
           "incomplete")
    old = Conversation().c(client_hello(old=True)).s(flight_12()).c(KEY_EXCHANGE + CCS + FINISHED_12)
    old = old.s(CCS + FINISHED_12).c(data(100)).s(data(900)).close()
    got = t.one([s for s in old.segments if not s.client])
    t.same("the server's direction alone, TLS 1.2", (got.get("outcome"), got.get("src_endpoint", {}).get("ip")),
           ("established", "10.8.0.10"))
    got = t.one([s for s in rejection().segments if not s.client])
    t.same("the server's direction alone, TLS 1.3, says nothing of the client", got.get("outcome"), "incomplete")


def cut_short():
    """A capture that ends early: incomplete until the word that decides has been said."""
    for name, c, want in (("rejection", rejection(), "client_reject"), ("success", success(), "established")):
        decides = next(i for i, s in enumerate(c.segments) if s.client and data(19 if want == "client_reject" else 300)
                       in s.payload)
        wrong = []
        for n in range(4, len(c.segments) + 1):
            got = t.one(c.segments[:n]).get("outcome")
            expected = "incomplete" if n <= decides else want
            if got != expected:
                wrong.append("after %d packets %s, expected %s" % (n, got, expected))
        t.check("cut after every packet of a %s" % name, "\n".join(wrong))
    content = pcap(frames(rejection().segments))
    at = content.index(CCS + data(19)) + 10
    got = t.parse(content[:at], code=3)
    t.same("cut within a packet: what stood before it is given, and the damage is said",
           [o["outcome"] for o in got], ["incomplete"])
    got = t.parse(pcap(frames(success().segments), snaplen=80))
    t.same("short snapshots: the hellos are missing", [o["outcome"] for o in got], ["incomplete"])
    # Bodies of encrypted records may be missing, their headers not.
    got = t.parse(pcap(frames(list(split(rejection().segments, 700))), snaplen=400))
    t.same("snapshots that hold the hello and the headers", [o["outcome"] for o in got], ["client_reject"])


def fragments():
    """The first fragment holds the ports; what follows is a gap."""
    c = Conversation().c(client_hello()).s(flight()).c(CCS + data(19)).close()
    out = []
    for s in c.segments:
        if len(s.payload) < 800:
            out.append((s.time, packets.plain(s)))
            continue
        a, b = s.ends()
        body = s.tcp()
        out.append((s.time, ethernet(ip(a, b, 6, body[:800], 0x2000))))
        out.append((s.time, ethernet(ip(a, b, 6, body[800:], 100))))
    t.same("a fragmented flight", [o["outcome"] for o in t.parse(pcap(out))], ["client_reject"])
    t.check("later fragments are counted", "" if "later IP fragments" in t.parse(pcap(out), "--stats") else "they are not")


def others():
    quiet = Conversation().c(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").s(b"HTTP/1.1 200 OK\r\n\r\n").close()
    t.same("plain HTTP is none of ours", t.parse(pcap(frames(quiet.segments))), [])
    t.same("a connection that says nothing", t.parse(pcap(frames(Conversation().close().segments))), [])
    t.same("packets of an unseen beginning", t.parse(pcap(frames(rejection().segments[5:]))), [])
    late = [s for s in rejection().segments if not s.flags & packets.SYN]
    t.same("without the SYN, but with the hello", t.one(late).get("outcome"), "client_reject")
    t.same("a lone acknowledgement", t.parse(pcap(frames(Conversation(handshake=False).ack(True).segments))), [])
    assert ACK


links()
tunnels()
version_6()
order()
overlaps()
losses()
one_direction()
cut_short()
fragments()
others()
t.finish()
