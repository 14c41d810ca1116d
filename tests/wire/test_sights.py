#!/usr/bin/python3
"""What hellos say, what QUIC shows, and what both sides of a gateway prove: test_sights.py PINWATCH

Fingerprints and QUIC are held against published vectors: JA3's own examples' construction, JA4's example, RFC 9001's packets.
"""
import hashlib
import os
import random

import quic_vectors
from harness import FOLDER, Harness
from packets import START, Conversation, ethernet, frames, pcap, udp
from tls import (CCS, GREASE, client_hello, data, extension, finished, flight, hello_body, message, record, sni, u16s,
                 vector, versions)

t = Harness()
SEED = 20261124


def hello_of(extensions, suites, **more):
    return record(22, message(1, hello_body(extensions, suites, **more)), 0x0301)


def seen(hello):
    return t.one(Conversation().c(hello).s(flight()).close().segments)["tls"]


def fingerprints():
    """The example of the JA4 specification: its parts are published in the clear, so the hello can be built from them."""
    suites = (GREASE, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
              0x009d, 0x002f, 0x0035)
    signatures = (0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601)
    body = {0x0000: sni("example.com")[4:], 0x000a: vector(2, u16s((GREASE, 0x001d, 0x0017, 0x0018))),
            0x000b: vector(1, b"\0"), 0x000d: vector(2, u16s(signatures)),
            0x0010: vector(2, vector(1, b"h2") + vector(1, b"http/1.1")), 0x002b: versions(GREASE, 0x0304, 0x0303)[4:]}
    # In the order in which that client sent them.
    order = (0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01,
             0x000b, 0x000a, 0x0015)
    extensions = [extension(GREASE)] + [extension(kind, body.get(kind, b"")) for kind in order]
    got = seen(hello_of(extensions, suites))
    t.same("JA4: the specification's example", got["ja4"], "t13d1516h2_8daaf6152771_e5627efa2ab1")
    text = "771,%s,%s,29-23-24,0" % ("-".join(str(s) for s in suites[1:]), "-".join(str(e) for e in order))
    t.same("JA3: its construction, without GREASE", got["ja3"], hashlib.md5(text.encode()).hexdigest())
    t.same("a name in capitals and with a dot", seen(client_hello("API.Bank.Test."))["sni"], "api.bank.test")
    t.same("a name that is none", seen(client_hello("evil\x1b[2Jname")).get("sni"), None)
    t.same("no name: JA4 says so", seen(client_hello(None))["ja4"][:5], "t13i0")
    alpn = extension(16, vector(2, vector(1, b"\xab\xcd")))
    t.same("JA4: a protocol of odd bytes", seen(client_hello(more=[alpn]))["ja4"][8:10], "ad")


def datagrams(*list_of):
    """(client, time, payload)."""
    out = []
    for client, time, payload in list_of:
        ends = ("10.8.0.10", "192.0.2.7", 50001) if client else ("192.0.2.7", "10.8.0.10", 443)
        out.append((START + time, ethernet(udp(payload, 443 if client else 50001, ends[0], ends[1], ends[2]))))
    return pcap(out)


def quic():
    opening = [(True, 0, quic_vectors.CLIENT_INITIAL), (False, 0.02, quic_vectors.SERVER_INITIAL)]
    handshake = b"\xe0\0\0\0\1\0\0\x40\x40" + bytes(64)
    got = t.parse(datagrams(*opening))[0]
    t.same("QUIC: the name in RFC 9001's Initial", (got["tls"]["sni"], got["udp"], got["tls"]["version"]),
           ("example.com", True, "1.3"))
    t.same("QUIC: JA4 knows it", got["tls"]["ja4"][:4], "q13d")
    t.same("QUIC: two packets are no outcome", got["outcome"], "incomplete")
    short = b"\x40" + bytes(199)
    busy = [(True, 0.04, handshake), (True, 0.05, short)] + [(False, 0.06 + i / 100, short) for i in range(6)]
    t.same("QUIC: data both ways", t.parse(datagrams(*opening, *busy))[0]["outcome"], "established")
    # Time goes on by another connection's packets.
    left = [(True, 0.04, handshake)]
    later = frames(Conversation(start=START + 60).c(client_hello()).s(flight()).close().segments)
    content = datagrams(*opening, *left) + pcap(later)[24:]
    got = [o for o in t.parse(content) if o["udp"]][0]
    t.same("QUIC: left after the handshake is a weak failure", (got["outcome"], got.get("weak_late")),
           ("established_no_data", True))
    damaged = bytearray(quic_vectors.CLIENT_INITIAL)
    damaged[300] ^= 1
    t.same("QUIC: what does not open says nothing", t.parse(datagrams((True, 0, bytes(damaged)))), [])


GATEWAY, ORIGIN = "10.0.0.5", ("192.0.2.7", 443)


def merged(*conversations):
    return t.parse(pcap(frames(sorted((s for c in conversations for s in c.segments), key=lambda s: s.time))))


def pair(inner_server, connect=b"", name="api.bank.test", outer_client=(GATEWAY, 40000), same=False, **more):
    """The client's connection and, inside its handshake, the gateway's."""
    inner = Conversation(server=inner_server, **more)
    if connect:
        inner.c(connect).s(b"HTTP/1.1 200 Connection established\r\n\r\n")
    hello = b"c" * 32 if same else b"g" * 32
    inner.c(client_hello(name))
    outer = Conversation(client=outer_client, server=ORIGIN, start=inner.now, step=0.001)
    outer.c(client_hello(name, random=hello)).s(flight(random=b"s" * 32 if same else b"o" * 32))
    inner.wait(0.02).s(flight()).c(CCS + data(19)).close()
    outer.c(CCS + data(finished())).close()
    return inner, outer


def brief(observations):
    return [(o["src_endpoint"]["ip"], o["inspection"], o["outcome"]) for o in observations]


def gateway():
    proxy = (GATEWAY, 3128)
    connect = b"CONNECT api.bank.test:443 HTTP/1.1\r\nHost: api.bank.test:443\r\n\r\n"
    got = merged(*pair(proxy, connect))
    t.same("explicit proxy: intercepted, and its own connection is not reported", brief(got),
           [("10.8.0.10", "intercepted", "client_reject")])
    t.same("explicit proxy: the destination is what was asked for", got[0]["dst_endpoint"],
           {"hostname": "api.bank.test", "port": 443})
    t.same("explicit proxy: a connection handed on", brief(merged(*pair(proxy, connect, same=True))),
           [("10.8.0.10", "bypassed", "client_reject")])
    t.same("explicit proxy: handed on by another address than it is reached at",
           brief(merged(*pair(proxy, connect, same=True, outer_client=("198.51.100.9", 40000)))),
           [("10.8.0.10", "bypassed", "client_reject")])
    t.same("explicit proxy: asked twice, since it wants a password",
           t.one(Conversation(server=proxy).c(connect).s(b"HTTP/1.1 407 x\r\nContent-Length: 0\r\n\r\n").c(connect)
                 .s(b"HTTP/1.1 200 OK\r\n\r\n").c(client_hello()).s(flight()).c(CCS + data(19)).close().segments)
           .get("outcome"), "client_reject")
    t.same("the client's side alone proves nothing", brief(merged(pair(proxy, connect)[0])),
           [("10.8.0.10", "unknown", "client_reject")])
    t.same("a listener that redirects", brief(merged(*pair((GATEWAY, 8443)))),
           [("10.8.0.10", "intercepted", "client_reject")])
    # Without an explicit proxy the gateway has to show itself first.
    pairs = [c for i in range(12) for c in pair(ORIGIN, outer_client=(GATEWAY, 40000 + i), start=START + 20 * i,
                                                client=("10.8.0.%d" % (10 + i), 50000))]
    got = merged(*pairs)
    t.same("transparent gateway: recognised once it has shown itself", brief(got)[-3:],
           [("10.8.0.%d" % i, "intercepted", "client_reject") for i in (19, 20, 21)])
    strangers = []
    dice = random.Random(SEED)
    for i in range(40):
        strangers += [Conversation(server=ORIGIN, start=START + 20 * i + dice.random() / 50,
                                   client=("10.8.1.%d" % j, 50000 + i))
                      .c(client_hello(random=bytes([i, j]) * 16)).s(flight()).c(CCS + data(19)).close()
                      for j in range(3)]
    got = merged(*strangers)
    t.same("phones that talk to one host at one time are no gateways, seed %d" % SEED, (len(got), {o["inspection"] for o in got}),
           (120, {"unknown"}))


def known_gateway():
    """What the configuration says of the gateway holds from the first connection on."""
    inner, outer = pair(ORIGIN)
    path = packets_file(pcap(frames(sorted(inner.segments + outer.segments, key=lambda s: s.time))))
    got = t.run("scan", "--all", "--set", "inspection.addresses=[%s]" % GATEWAY, "--output", "jsonl", path)
    t.check("a configured gateway is recognised at once",
            "" if got.stdout.count(b'"failures":1') == 1 and b'"differential"' in got.stdout else
            got.stdout.decode() + got.stderr.decode())


def packets_file(content):
    path = os.path.join(FOLDER.name, "both.pcap")
    with open(path, "wb") as f:
        f.write(content)
    return path


fingerprints()
quic()
gateway()
known_gateway()
t.finish()
