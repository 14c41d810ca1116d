#!/usr/bin/python3
"""First inputs for the fuzz targets: seeds.py FOLDER

Fills FOLDER/TARGET/ for each target from the behaviour cases, the formats and the unit tests' data, cut small, so that no
corpus has to be kept. Inputs that once showed a fault lie in regressions/TARGET/ and are always run as well.
"""
import base64
import gzip
import hashlib
import json
import pathlib
import plistlib
import random
import struct
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
ROOT = TESTS.parent
LINES = 6
BYTES = 4096


def cases(pattern):
    return sorted((TESTS / "cases").glob(pattern))


def pieces(data):
    """A few lines each: the header of a log with what stands behind it, then the middle."""
    lines = data.split(b"\n")
    head = [line for line in lines[:12] if line.startswith(b"#")]
    for at in range(0, min(len(lines), LINES * 4), LINES):
        part = b"\n".join((head if at else []) + lines[at:at + LINES])
        if part.strip():
            yield part[:BYTES]


def format_names():
    """In the order of the program: sorted by name."""
    names = []
    for path in (ROOT / "formats").glob("*.yaml"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("format:"):
                names.append(line.split(":", 1)[1].split("#")[0].strip())
    return sorted(names)


def formats_inputs():
    for path in cases("formats/*/*/input.*"):
        yield path.parent.parent.name, path.read_bytes()


def of_kind(*words):
    for name, data in formats_inputs():
        if any(word in name for word in words):
            yield from pieces(data)


def one_line(data):
    """A document as one record: pieces of it are none."""
    try:
        return json.dumps(json.loads(data), separators=(",", ":")).encode()
    except ValueError:
        return data


def records():
    """Every format has a seed of its own that is a whole record, so that its mapping is reached."""
    names = format_names()
    lacking = set(names) - {name for name, _ in formats_inputs()}
    if lacking:
        sys.exit("no case, and so no seed, of the formats %s" % ", ".join(sorted(lacking)))
    for name, data in formats_inputs():
        if name in names and (data.lstrip()[:1] in (b"{", b"[", b"<") or data.startswith(b"bplist")):
            yield bytes([names.index(name)]) + one_line(data)[:BYTES * 4]
    for name, data in formats_inputs():
        if name in names:
            for piece in pieces(data):
                yield bytes([names.index(name)]) + piece
    for path in cases("scan/*/*.jsonl"):
        for piece in list(pieces(path.read_bytes()))[:1]:
            yield bytes([names.index("canonical")]) + piece


def json_documents():
    for name, data in formats_inputs():
        for line in data.split(b"\n"):
            if line.startswith((b"{", b"[")):
                yield line[:BYTES]
    yield b'{"id":{"orig_h":"10.0.0.1"},"id.resp_p":443,"ts":1.5e3,"device":{"udid":"a\\u00e9\\n"},"a":{"b":{"c":[1,true,null]}}}'
    yield b'{"ts":null,"ts":1}\n{"ts":2,"x":[],"list":[{"a":1}],"a \\"quoted\\" one":"y"}\n[1,2,18446744073709551616,-0.0]'
    yield b"[" * 70 + b"]" * 70


def chosen(count, texts):
    """For targets whose first byte chooses one of `count` formats."""
    for i, text in enumerate(texts):
        for k in range(count):
            if i < 2 or k == i % count:
                yield bytes([k]) + text


def delimited():
    return chosen(4, [b"time,host,agent\n2026-11-24T02:00:00Z,api.bank.test,\"a \"\"b\"\", c\"\n1795486453.5,-,",
                      b"#Fields: time host agent\n1795486453 api.bank.test -",
                      b"<14>1 2026-11-24T02:00:00Z gw acme - - - time\thost\tagent\n1795486453\tb.test\tx",
                      b",".join(b"%d" % i for i in range(720)), *of_kind("kea")])


def keyvalue():
    return chosen(4, [b'Nov 24 02:14:13 date=2026-11-24 eventtime=1795486453 sni=api.bank.test desc="unknown ca" user=a',
                      b"2026-11-24 gw %GW-6: sni: b.test, desc: 'unknown \\' ca', user: N/A",
                      b"sni=b.test;;desc=x;;eventtime=1795486453000000000", *of_kind("freeradius")])


def text():
    return chosen(2, [b'1795486453.759 10.8.0.14 sni=api.bank.test err=x+y "Bank/7.1"\n1795486453 rest\n[abc]{}',
                      b"<134>Nov 24 02:14:13 gw x: 12aa34aab56\nxb.test.1795\nplain", *of_kind("squid")])


def cef():
    return chosen(1, [b"CEF:0|Acme|GW|1.0|100|TLS fail\\|ed|5|rt=1795486453000 src=10.0.0.1 dhost=b.test msg=a b=c reason=unknown_ca",
                      b"<14>Nov 24 02:14:13 gw LEEF:2.0|Acme|GW|1.0|100|^|src=10.0.0.1^dhost=b.test^reason=48^msg=x",
                      b"LEEF:1.0|Acme|GW|1.0|100|src=10.0.0.1\tdhost=b.test", b"LEEF:2.0|a|b|c|d|0x7c|src=1|msg=2"])


def plist_trees():
    yield {"UDID": "u", "InstalledApplicationList": [{"Identifier": "com.acme.bank", "ShortVersion": "7.1", "Size": 1 << 40}],
           "Data": b"\x00\xff", "Real": -0.5, "Yes": True, "Empty": {}}
    yield {"ProfileList": [{"PayloadIdentifier": "p", "PayloadContent": [{"PayloadType": "com.apple.security.root"}]}],
           "Name": "M\u00fcnchen \U0001f4f1", "Big": 1 << 63, "Minus": -1}


def plists():
    for tree in plist_trees():
        yield plistlib.dumps(tree)
        yield plistlib.dumps(tree, fmt=plistlib.FMT_BINARY)
    for name, data in formats_inputs():
        if data.lstrip().startswith((b"<?xml", b"bplist")):
            yield data[:BYTES * 4]


def format_files():
    for path in sorted((ROOT / "formats").glob("*.yaml")):
        data = path.read_bytes()
        inputs = [d for n, d in formats_inputs() if n == path.stem]
        yield data + b"\n---\n" + (next(pieces(inputs[0])) if inputs else b"x")
    yield (b"format: small\ntitle: x\nsensor: mdm\nsyslog: true\nframing: document\ndecode: {json: {snake_case: true}}\n"
           b"embed: [{from: raw, via: base64, as: json, name: inner}]\ndetect: {weight: 3, contains: [a], when: {any: [{a: {has: b}},"
           b" {none: [{c: {word: [d, e]}}]}]}}\nrecords:\n  - kind: posture\n    each: inner.list\n    time_is: end\n"
           b"    map: {time: [{via: source_date}], device.udid: item.UDID, managed: {from: [a, b], words: {x: true}, else: false}}\n"
           b"    apps: {}\n---\n{\"raw\":\"" + base64.b64encode(b'{"list":[{"UDID":"u"}]}') + b"\"}")


def configurations():
    sets = b"\n---\nanalytic.TimeWindow=5m\nsources.proxy.max_lag=1m\nsources[0].idle=1m\ninspection.issuers=[A, B]"
    for path in cases("scan/*/pinwatch.yaml"):
        yield path.read_bytes() + sets
    yield (b"analytic:\n  TimeWindow: 10m\n  InspectionFailureThreshold: 3\n  ForegroundStateRequired: true\n  AllowedAppList:\n"
           b"    - {app: com.acme.*, destinations: [bank.test, .cdn.test, 10.0.0.0/8], owner: o, reason: r, expires: 2027-03-31}\n"
           b"  AllowedDestinationList:\n    - {destination: .push.vendor.test, apps: [com.vendor.*]}\n"
           b"sources:\n  - {name: proxy, kind: inspection, path: a*.log, max_lag: 30s, timezone: Europe/Berlin, bad_line_budget: 5%,"
           b" ignore_hosts: [.a.test]}\n  - {name: zeek, kind: flow, path: [b, c], vantage: inside, timezone: +01:30, date: 2026-11-24}\n"
           b"inspection: {root_profiles: [x], issuers: [y], listeners: ['10.0.0.5:3128', '[::1]:1'], addresses: [10.0.0.0/8]}\n"
           b"serve: {listen: '127.0.0.1:8443'}\nlimits: {max_record: 1M}\n" + sets)


def lists():
    for path in cases("scan/*/*.yaml"):
        data = path.read_bytes()
        if data.lstrip().startswith(b"-"):
            yield b"\x00" + data
            yield b"\x01" + data
    yield b"\x00- app: com.acme.bank\n  destinations: [bank.test, .a.test, 10.0.0.0/8, '2001:db8::/32']\n  expires: 2027-03-31\n"
    yield b"\x01- destination: '*.m\xc3\xbcnchen.test'\n  apps: [com.a.*, ABCDE12345.com.b]\n  owner: x\n- destination: 10.1.2.3\n"


def stix():
    documents = [path.read_bytes() for path in sorted((TESTS / "unit" / "data" / "stix").glob("*.json"))]
    yield from documents
    yield b"\n---\n".join(documents)


def reader():
    texts = [b"one\ntwo\r\n\nthree", b"a\nb\n\n\nc\n" * 40, b"x" * 3000 + b"\ny", b""]
    zstd = b"\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00hello"
    for framing in range(3):
        for data in texts:
            yield bytes([framing, 4, 3]) + data
            yield bytes([framing | 0x40, 255, 7]) + data
            yield bytes([framing | 0xc0, 2, 1]) + data
            yield bytes([framing, 255, 0]) + gzip.compress(data, mtime=0) + gzip.compress(data[:5], mtime=0)
        yield bytes([framing, 255, 0]) + zstd + struct.pack("<II", 0x184d2a50, 2) + b"no" + zstd
        yield bytes([framing, 255, 0]) + gzip.compress(b"\x00" * 300000, mtime=0)
        yield bytes([framing, 255, 0]) + gzip.compress(b"one\n\ntwo\nthree", mtime=0)[:-9]


def frame():
    for framing in range(2):
        for data in (b"one\ntwo\r\n\nthree", b"a\nb\n\n\r\nc\n" * 40, b"x" * 300 + b"\n\ny\n", b"\r\n\r", b"a\r\n\r\nb"):
            yield bytes([framing, 40, 6]) + data
            yield bytes([framing, 255, 0]) + data
    for data in (b"10 <14>1 one 10 <14>1 two ", b"9 <14>1 one\n9 <14>1 two\r\n<14>plain\n", b"13 <14>one\ntwo\n9 <14>three9 <14>short",
                 b"8 <14>too many11 <14>1 right", b"500 <14>cut of10 <14>1 right500 <14>" + b"x" * 700 + b"10 <14>1 right"):
        yield bytes([0, 100, 3]) + data
        yield bytes([0, 100, 255]) + data


def ingest():
    for data in (b'{"a":1}\n{"b":[{}]}\r\n\n{"c":"\xc3\xbc"}', b'[{"a":1},\n {"b":"],{\\\""} , {"c":{}}]', b"[]", b' {"a":\n1} ', b"plain\nlines",
                 b'[{"a":1},2]', b'{"a":1}\n{', b"/a/one/two%2Fthree"):
        yield b"\x00" + data
        yield b"\x08" + data


def api():
    uid = b"d6075ebf-fa04-5484-91a0-f6477ce12dea"
    for method, target, body in (
            (0, b"findings?verdict=confirmed,suspected&sort=-risk&limit=3&app=com.acme.*&since=2026-11-24T00:00:00Z", b""),
            (0, b"findings/" + uid, b""), (0, b"findings/" + uid + b"/revisions/1", b""), (0, b"audit?target=x&limit=5&cursor=9", b""),
            (1, b"findings/" + uid + b"/close", b'{"reason":"known","revision":1,"comment":"a\nb"}'),
            (1, b"findings/" + uid + b"/assign", b'{"assignee":null}'), (1, b"users", b'{"name":"ann","role":"viewer"}'),
            (1, b"users/ann/tokens", b'{"label":"x","role":"viewer","days":3}'), (2, b"users/ann/tokens/abc", b""),
            (0, b"allow-list?state=all&after=1", b""), (0, b"allow-list/test?host=api.bank.test&app=com.acme.bank", b""),
            (1, b"allow-list", b'{"app":"com.acme.*","destinations":[".bank.test"],"owner":"o","reason":"r","expires":"2030-12-31"}'),
            (0, b"MSAzMTQzYmI2OWRjZmE3Zjk1IDAgNzQgNTIgaSBmY2Y0MTBhMC1jOGQ3LTUxMjktYWMxNy04MjVmYTE0NDAyMWUgMTc5", b""),
            (0, b"MSA3IDAgNzQgNTIgZCBhIDB4MS44cCs0", b"")):
        yield bytes([method]) + target + b"\n" + body


def spool():
    dice = random.Random(2)
    for n in (0, 1, 5, 40):
        yield dice.randbytes(8) + bytes([n]) + b"".join(bytes([9, 1]) + dice.randbytes(9) for _ in range(n)) + b"\x00"
        yield dice.randbytes(8) + bytes([n]) + b"".join(bytes([9, 1]) + dice.randbytes(9) for _ in range(n)) + dice.randbytes(200)
    yield b"pwspool1" + bytes(80)


def syslog_frame():
    for data in (b"<13>one\n<13>two\r\n", b"7 <13>one7 <13>two", b"8 <13>one\n\n7 <13>two", b"7 <13>one 7", b"17954.1 line\n2\n", b"999999999 <1>", b"12"):
        yield bytes([255, 0]) + data
        yield bytes([1, 255]) + data


def grid():
    yield b"sInspectionFailureThreshold=5\nwTimeWindow=5m..30m/5m,1h"
    yield b"wInspectionFailureThreshold=2..8,10, 12\nwForegroundStateRequired=true,false\nsanalytic.TimeWindow=90s"
    yield b"wAllowedAppList=[],[{app: com.acme.*, destinations: [a.test, .b.test], expires: 2027-01-01}]"
    yield b"sAllowedDestinationList=[{destination: 10.0.0.0/8, apps: ['com.x']}]\nwTimeWindow=1h..3h"


def output():
    for data in (b"plain", b"\x1b]0;x\x07\x00\x7f", "\u202etset \u200b\ufeff\u2028\U000e0041 \u00e9".encode(), b"\xff\xc0\x80\xed\xa0\x80"):
        yield b"\x00" + data
        yield b"\x03" + data


def derive():
    texts = [b"1795486453.759", b"2026-11-24T02:14:13.903+01:00", b"Nov 24 2026 02:14:13 CET", b"A000418", b"unknown_ca", b"ShADadfF",
             b"https://[2001:db8::1]:8443/x", b"b\xc3\xbccher.test.", b"aa-bb-cc-00-00-01", b"TLSv1.3", b"10.8.0.14", b"0.004", b"1.5K",
             b"%41%zz", b'"a \\"b\\""', b"4294967295", b"T", b"1f ...APRSF", b"2000 12", b"1795507200 1795507201", b"2026-11-24 09:00:00 UTC+1"]
    for i in range(96):
        yield bytes([i, 2]) + b"e=" + texts[i % len(texts)]
        yield bytes([i, 0]) + texts[(i * 7 + 3) % len(texts)]


def engine():
    dice = random.Random(1726)
    for n in (1, 4, 12, 30, 60):
        for _ in range(8):
            yield dice.randbytes(5 + 14 * n)
    for _ in range(12):  # one app failing again and again on a few devices
        attempt = dice.randbytes(14)
        yield dice.randbytes(5) + b"".join(bytes([attempt[0], attempt[1], attempt[2], (attempt[3] & 0xfc)]) + attempt[4:6] +
                                           dice.randbytes(2) + attempt[8:] for _ in range(20))


def wire_frame(how, payload=b"", later=3):
    return bytes([how, 0, later]) + struct.pack("!H", len(payload)) + payload


def wire_conversation(which, *turns):
    """turns: (0 client, 1 server, bytes); opened before and closed behind."""
    parts = [(8, b""), (12, b"")] + [(4 * side, payload) for side, payload in turns] + [(16, b""), (20, b"")]
    return b"".join(wire_frame(which | how, payload) for how, payload in parts)


def wire():
    sys.path.insert(0, str(TESTS / "wire"))
    import packets  # what the wire tests are written with
    import quic_vectors
    import tls

    hello, flight = tls.client_hello(), tls.flight()
    done = tls.CCS + tls.data(tls.finished())
    connect = b"CONNECT api.bank.test:443 HTTP/1.1\r\n\r\n"
    old = [(0, tls.client_hello(old=True)), (1, tls.flight_12(request=True))]
    yield b"\3\0" + wire_conversation(0, (0, hello), (1, flight), (0, tls.CCS + tls.data(19)))
    yield b"\3\0" + wire_conversation(0, (0, hello), (1, flight), (0, done), (0, tls.data(200)), (1, tls.data(300)))
    yield b"\3\0" + wire_conversation(0, *old, (0, tls.KEY_EXCHANGE + tls.CCS + tls.FINISHED_12), (1, tls.alert(40)))
    yield b"\3\0" + wire_conversation(1, *old, (0, tls.alert(48)))
    yield b"\3\0" + wire_conversation(0, (0, connect), (1, b"HTTP/1.1 200 OK\r\n\r\n"), (0, hello)) + wire_conversation(
        2, (0, tls.client_hello(random=b"g" * 32)), (1, tls.flight(random=b"o" * 32)))
    yield b"\3\0" + wire_frame(128, quic_vectors.CLIENT_INITIAL) + wire_frame(132, quic_vectors.SERVER_INITIAL)
    c = packets.Conversation().c(hello).s(flight).c(tls.CCS + tls.data(19)).close()
    yield b"\3\0" + b"".join(wire_frame(64, packets.plain(s)) for s in c.segments)
    yield b"\3\0" + b"".join(wire_frame(64, packets.gre(packets.plain(s), 0x88be, 0x1000, bytes(12))) for s in c.segments)
    yield b"\3\0" + b"".join(wire_frame(64, packets.ethernet(packets.udp(struct.pack("!II", 0x08000000, 0) + packets.plain(s), 4789)))
                             for s in c.segments)


CORPORA = {"api": api, "base64": lambda: [b"aGVsbG8=", b"aGVs\r\nbG8", b"====", b"\xff\x00\x01"], "cef": cef, "conf": configurations,
           "delimited": delimited, "derive": derive, "engine": engine, "format": format_files, "frame": frame, "ingest": ingest, "json": json_documents,
           "grid": grid, "keyvalue": keyvalue, "list": lists, "output": output, "plist": plists, "reader": reader, "records": records, "dry_run": records,
           "spool": spool, "stix": stix, "syslog_frame": syslog_frame, "text": text, "tsv_header": lambda: chosen(2, list(of_kind("zeek"))), "wire": wire}


def main(folder):
    for target, seeds in CORPORA.items():
        into = pathlib.Path(folder) / target
        into.mkdir(parents=True, exist_ok=True)
        for data in seeds():
            (into / hashlib.sha1(data).hexdigest()[:16]).write_bytes(data)


if __name__ == "__main__":
    main(sys.argv[1])
