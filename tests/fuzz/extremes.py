#!/usr/bin/python3
"""Inputs made to exhaust: extremes.py PINWATCH [NAME...]

Each is written, read by the program and taken away again; what it took is printed as the table of docs/robustness.md. Fails
where the program dies, ends with a code it does not document, or takes more than a minute or 2 GB.
"""
import base64
import gzip
import itertools
import json
import os
import plistlib
import resource
import subprocess
import sys
import tempfile
import time

import xxhash

MB = 1 << 20
CODES = (0, 2, 3, 4)
SECONDS, MEMORY = 60, 2048
TIME = "2026-11-24T02:%02d:%02dZ"
SQUID = ("%d.000 10.8.0.14 50001 NONE_NONE/200 ERR_SECURE_ACCEPT_FAIL/SQUID_TLS_ERR_ACCEPT+TLS_LIB_ERR=A000418+TLS_IO_ERR=1 "
         "bump sni=%s - - - err=- CONNECT api.bank.test:443 0 13 \"%s\"\n")


def attempt(i, host="api.bank.test", device="U1", app="com.acme.bank"):
    return ('{"kind":"tls_attempt","time":"%s","sensor":"inspection","device":{"udid":"%s"},"src_endpoint":{"ip":"10.8.%d.%d",'
            '"port":%d},"dst_endpoint":{"hostname":"%s","port":443},"app":{"bundle_id":"%s"},"inspection":"intercepted",'
            '"outcome":"client_reject"}\n' % (TIME % (i // 60 % 60, i % 60), device, i >> 8 & 255, i & 255, 1024 + i % 60000, host, app))


def posture(apps):
    return json.dumps({"kind": "posture", "time": TIME % (0, 0), "device": {"udid": "U1"}, "snapshot": True,
                       "apps": [{"bundle_id": "com.a.a%d" % i} for i in range(apps)]}) + "\n"


def many(n, **which):
    """n attempts that differ in what `which` names."""
    for i in range(n):
        yield attempt(i, **{k: v % i for k, v in which.items()})


def fine_elsewhere():
    """Successes under inspection at other destinations, so that a missing root explains nothing of what follows."""
    for i in range(3600):
        yield attempt(i, host="other%d.test" % (i % 7)).replace("client_reject", "established")


def colliding(n):
    """Host names that share the low 14 bits of their hash, were it not seeded."""
    found = 0
    for i in itertools.count():
        if xxhash.xxh3_64_intdigest("h%d.test" % i) & 0x3fff == 0:
            yield "h%d.test" % i
            found += 1
            if found == n:
                return


def enrolled():
    return plistlib.dumps({"UDID": "U1", "QueryResponses": {"IsSupervised": True, "OSVersion": "19.1"}})


def nested_plist(depth):
    return b'<?xml version="1.0"?><plist version="1.0">' + b"<array>" * depth + b"</array>" * depth + b"</plist>"


def laughing_plist():
    """A binary list of 40 arrays, each of which names the next one ten times."""
    objects = [b"\xaa" + bytes([i + 1]) * 10 for i in range(40)] + [b"\x50"]
    out, offsets = b"bplist00", b""
    for o in objects:
        offsets += len(out).to_bytes(4, "big")
        out += o
    return out + offsets + b"\0" * 6 + b"\4\1" + len(objects).to_bytes(8, "big") + bytes(8) + len(out).to_bytes(8, "big")


def webhook(payload):
    return json.dumps({"topic": "mdm.Connect", "event_id": "1", "created_at": TIME % (0, 0),
                       "acknowledge_event": {"udid": "U1", "raw_payload": base64.b64encode(payload).decode()}}) + "\n"


def gzipped(pieces):
    def write(f):
        with gzip.GzipFile(fileobj=f, mode="wb", compresslevel=6, mtime=0) as z:
            for p in pieces:
                z.write(p)
    return write


def zstandard(pieces):
    def write(f):
        with subprocess.Popen(["zstd", "-q", "-c"], stdin=subprocess.PIPE, stdout=f) as z:
            for p in pieces:
                z.stdin.write(p)
    return write


def text(pieces):
    def write(f):
        for p in pieces:
            f.write(p.encode("utf-8") if isinstance(p, str) else p)
    return write


def good():
    return [attempt(i) for i in range(20)]


def around(before, middle, after):
    """A pattern with 100 MB in the middle, piece by piece: this process has to stay small, for what it starts is measured by
    its peak, and a child begins with its parent's."""
    yield before
    for _ in range(100):
        yield middle * (MB // len(middle))
    yield after


def chain(*parts):
    for part in parts:
        yield from part


EXTREMES = {
    "a JSON line nested 1,000,000 deep": text(good() + ['{"kind":', "[" * 1000000, "]" * 1000000, "}\n"]),
    "a JSON list nested 1,000,000 deep": text(["[" * 1000000 + "\n"] + good()),
    "a JSON line of 1,000,000 members": text(chain(good(), ["{"], ('"k%d":1,' % i for i in range(1000000)), ['"k":1}\n'], good())),
    "a property list nested 100,000 deep": text([webhook(enrolled()), webhook(nested_plist(100000))]),
    "a binary list that unfolds to 10^40 nodes": text([webhook(enrolled()), webhook(laughing_plist())]),
    "a JSON line of 100 MB": text(chain(good(), around('{"kind":"tls_attempt","x":"', "a", '"}\n'), good())),
    "a squid line of 100 MB": text(chain([SQUID % (1795486453, "a.test", "x")], around(SQUID[:-4] % (1795486454, "b.test"), "a", '"\n'),
                                    [SQUID % (1795486455, "c.test", "x")])),
    "a first line of 100 MB": text(chain(around("", "a", "\n"), good())),
    "a posture of 100,000 apps": text([posture(100000)] + good()),
    "1,000,000 destinations of one app": text(many(1000000, host="h%d.test")),
    "1,000,000 devices": text(many(1000000, device="U%07d")),
    "1,000,000 apps at one destination": text(many(1000000, app="com.a.a%d")),
    "1,000,000 apps at one destination, fine elsewhere": text(chain(fine_elsewhere(), many(1000000, app="com.a.a%d"))),
    "1,000,000 devices, apps and destinations": text(many(1000000, device="U%07d", app="com.a.a%d", host="h%d.test")),
    "1,000,000 failures of one case": text(many(1000000)),
    "20,000 host names whose unseeded hashes collide": text(attempt(i, host=h) for i, h in enumerate(colliding(20000))),
    "20,000 host names that do not": text(many(20000, host="h%d.test")),
    "gzip: 20 good lines, then 10 GB of zeros": gzipped(chain((x.encode() for x in good()), itertools.repeat(b"\0" * MB, 10240))),
    "gzip: 20 good lines, then 1 GB of line feeds": gzipped(chain((x.encode() for x in good()), itertools.repeat(b"\n" * MB, 1024))),
    "gzip: 20 good lines, then 1,000,000 short bad ones": gzipped(chain((x.encode() for x in good()), itertools.repeat(b"x\n" * 1000, 1000))),
    "zstd: 20 good lines, then 10 GB of zeros": zstandard(chain((x.encode() for x in good()), itertools.repeat(b"\0" * MB, 10240))),
}


def measure(program, path):
    begun = time.monotonic()
    child = subprocess.Popen([program, "scan", "--all", "--output", "jsonl", path], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS)))
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss >> 10


def main():
    program, wanted = os.path.abspath(sys.argv[1]), [a for a in sys.argv[2:] if not a.startswith("--")]
    failed = 0
    print("| input | size | processor time | peak memory | exit |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, write in EXTREMES.items():
            if wanted and not any(w in name for w in wanted):
                continue
            path = os.path.join(folder, "extreme.log")
            with open(path, "wb") as f:
                write(f)
            code, _, seconds, memory = measure(program, path)
            bad = code not in CODES or memory > MEMORY
            failed += bad
            print("| %s | %.1f MB | %.2f s | %d MiB | %d%s |" % (name, os.path.getsize(path) / 1e6, seconds, memory, code,
                                                            " **fails**" if bad else ""), flush=True)
            os.remove(path)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
