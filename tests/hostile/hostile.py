#!/usr/bin/python3
"""Hostile input: hostile.py PINWATCH [SEED]

Every byte of input may come from an attacker. Whatever is fed to it, pinwatch
    ends by itself, in bounded time and under 1 GB of memory, with an exit code it documents (never by a signal),
    prints only findings that keep to schema/finding.schema.json, as valid UTF-8,
    writes nothing to a terminal that could steer it.
If this failed, a phone's host name or a broken log could stop the analysis, forge its output or take the machine down.
Output is TAP; each check names its seed.
"""
import base64
import gzip
import json
import os
import plistlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import zlib

import jsonschema

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import patience  # noqa: E402 (lies above this folder)

SCHEMA = os.path.join(HERE, "..", "..", "schema", "finding.schema.json")
SECONDS = 20                # of an ordinary build
MAX_RSS_KIB = 1 << 20
CODES = (0, 2, 3, 4)        # 1 only comes with --fail-on
SANITIZED = 99              # what a sanitizer in the program exits with
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
EVIL = ["\x1b]0;owned\x07", "\x1b[2J", "\u202etset.knab", "a\nb", "a\r\nb", 'q"uo\'te', "<script>alert(1)</script>",
        "%s%n%x", "../../etc/passwd", "\u0000", "a" * 5000, "\u00e9\u0301", "xn--", "-" * 64, ".", "..", "a..b", "[::1]",
        "1.2.3.4.5", "=cmd|' /C calc'!A0", "\ufeff", "\U0001f4a5"]
TIME = "2026-11-24T02:00:00Z"


class Wrong(Exception):
    pass


class Program:
    """Runs the program and holds what comes out against what always has to be so."""

    def __init__(self, path, folder):
        self.path, self.folder = path, folder
        with open(SCHEMA, encoding="utf-8") as f:
            self.validator = jsonschema.Draft202012Validator(json.load(f))
        self.environment = dict(os.environ, TZ="UTC", ASAN_OPTIONS="exitcode=%d:detect_leaks=0" % SANITIZED,
                                UBSAN_OPTIONS="halt_on_error=1:exitcode=%d" % SANITIZED)

    def run(self, *args, stdin=None, seconds=SECONDS):
        """(exit code, standard output, standard error)."""
        with tempfile.TemporaryFile(dir=self.folder) as out, tempfile.TemporaryFile(dir=self.folder) as err:
            child = subprocess.Popen([self.path, *args], stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=err,
                                     cwd=self.folder, env=self.environment)
            seconds = patience.seconds(seconds)
            watch = threading.Timer(seconds, child.kill)
            watch.start()
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            in_time = watch.is_alive()
            watch.cancel()
            out.seek(0)
            err.seek(0)
            texts = out.read(), err.read()
        if not in_time:
            raise Wrong("%s: still running after %d s" % (" ".join(args), seconds))
        if child.returncode not in CODES:
            raise Wrong("%s: exit %d: %s" % (" ".join(args), child.returncode, texts[1][-2000:].decode("utf-8", "replace")))
        if usage.ru_maxrss > MAX_RSS_KIB:
            raise Wrong("%s: %d MiB of memory" % (" ".join(args), usage.ru_maxrss >> 10))
        self.check_steering(texts[1], args)
        return child.returncode, texts[0], texts[1]

    @staticmethod
    def check_steering(data, args):
        try:
            found = STEERING.search(data.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise Wrong("%s: not UTF-8: %s" % (" ".join(args), error)) from error
        if found:
            at = found.start()
            around = data.decode()[max(0, at - 60):at + 60]
            raise Wrong("%s: steering character %r in ...%r..." % (" ".join(args), found.group(), around))

    def scan(self, *args, stdin=None, seconds=SECONDS):
        code, out, err = self.run("scan", "--all", "--output", "jsonl", *args, stdin=stdin, seconds=seconds)
        lines = out.decode("utf-8").split("\n")
        if lines.pop():
            raise Wrong("%s: the last line is cut off" % " ".join(args))
        for number, line in enumerate(lines):
            finding = json.loads(line, parse_constant=not_json)
            if number < 25:
                for error in self.validator.iter_errors(finding):
                    raise Wrong("%s: schema: %s: %s" % (" ".join(args), error.json_path, error.message[:300]))
        return code, len(lines), err.decode("utf-8")

    def everything(self, *args):
        """Findings as JSON lines and as a table, the observations, and what the file is said to be."""
        self.scan(*args)
        _, out, _ = self.run("scan", "--all", *args)
        self.check_steering(out, ("scan --output table", *args))
        path = args[-1]
        if os.path.isfile(os.path.join(self.folder, path)):
            _, out, _ = self.run("parse", path)
            for line in out.decode("utf-8").split("\n"):
                if line:
                    json.loads(line, parse_constant=not_json)
            _, out, _ = self.run("formats", path)
            self.check_steering(out, ("formats", path))

    def write(self, name, data):
        with open(os.path.join(self.folder, name), "wb") as f:
            f.write(data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass"))
        return name


def not_json(word):
    raise Wrong("%s is not JSON" % word)


# ---- random damage

def truncate(data, dice):
    return data[:dice.randrange(len(data))]


def flip(data, dice):
    data = bytearray(data)
    for _ in range(dice.randrange(1, 40)):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return bytes(data)


def insert(piece):
    def damage(data, dice):
        for _ in range(dice.randrange(1, 8)):
            at = dice.randrange(len(data))
            data = data[:at] + piece + data[at:]
        return data
    return damage


def repeat(data, dice):
    a, b = sorted((dice.randrange(len(data)), dice.randrange(len(data))))
    return data[:b] + data[a:b][:5000] * dice.randrange(1, 20) + data[b:]


def remove(data, dice):
    at = dice.randrange(len(data))
    return data[:at] + data[at + dice.randrange(1, 100):]


def numbers(data, dice):
    """Some numbers become numbers that no field has room for."""
    huge = [b"99999999999999999999999", b"-1", b"1e308", b"-0", b"0", b"18446744073709551616", b"9223372036854775807",
            b"1e-400", b"NaN", b"4294967296"]
    return re.sub(rb"\d+(\.\d+)?", lambda m: dice.choice(huge) if dice.random() < 0.05 else m.group(), data)


def words(data, dice):
    """Some words become hostile ones, escaped for JSON where they stand in JSON."""
    json_like = data.lstrip()[:1] in (b"{", b"[")

    def evil(match):
        if dice.random() > 0.04:
            return match.group()
        text = dice.choice(EVIL)
        return (json.dumps(text)[1:-1] if json_like else text).encode("utf-8", "surrogatepass")
    return re.sub(rb"[a-z][a-z.-]{4,}(?=[\":/ \t])", evil, data)


def duplicate_keys(data, dice):
    def twice(match):
        return match.group() + b"null," + match.group() if dice.random() < 0.05 else match.group()
    return re.sub(rb'"[a-z_.]+":', twice, data)


def swap_lines(data, dice):
    lines = data.split(b"\n")
    dice.shuffle(lines)
    return b"\n".join(lines)


DAMAGE = (truncate, flip, insert(b"\x00"), insert(b"\xff\xc0\x80\xed\xa0\x80"), insert(b"\x1b[31m"), insert(b"\n"),
          insert(b'"'), insert(b"{[" * 50), repeat, remove, numbers, words, duplicate_keys, swap_lines)


def random_damage(program, name, good, dice, rounds):
    for _ in range(rounds):
        data = good
        for _ in range(dice.randrange(1, 4)):
            data = dice.choice(DAMAGE)(data, dice) or b"\n"
        damaged = program.write("damaged.log", data)
        if dice.random() < 0.3:
            program.everything(damaged)
        elif dice.random() < 0.5:
            program.scan("--format", name, damaged)
        else:
            program.scan(damaged)


# ---- structured damage: each takes (program, good, dice)

SQUID_REJECT = ("NONE_NONE/200 ERR_SECURE_ACCEPT_FAIL/SQUID_TLS_ERR_ACCEPT+TLS_LIB_ERR=A000418+TLS_IO_ERR=1 bump sni=@ - - - "
                "err=- CONNECT @:443 0 13 \"@\"\n")


def canonical(**more):
    record = {"kind": "tls_attempt", "time": "2026-11-24T02:14:13.903Z", "source": "proxy", "sensor": "inspection",
              "device": {"udid": "00008110-000A1B2C3D4E001E"}, "src_endpoint": {"ip": "10.8.0.14", "port": 52854},
              "dst_endpoint": {"hostname": "api.bank.test", "port": 443},
              "app": {"bundle_id": "com.acme.bank", "version": "7.1"},
              "tls": {"sni": "api.bank.test", "version": "1.3", "alert": 46, "alert_from": "client"},
              "inspection": "intercepted", "outcome": "client_reject"}
    record.update(more)
    return json.dumps(record, ensure_ascii=False) + "\n"


def hostile_names(program, _good, dice):
    """Names of hosts, apps, versions, devices, users, sources and flows that quote, break lines and steer terminals."""
    lines = []
    places = ({"source": "%s"}, {"device": {"udid": "%s"}}, {"device": {"user": "%s"}}, {"app": {"bundle_id": "com.%s"}},
              {"flow_id": "%s"},
              {"app": {"bundle_id": "com.acme.bank", "version": "%s"}}, {"app": {"user_agent": "%s/1 CFNetwork/1 Darwin/1"}},
              {"dst_endpoint": {"hostname": "%s.test"}, "tls": {}}, {"tls": {"sni": "%s"}},
              {"tls": {"sni": "a.test", "issuer": "%s"}}, {"tls": {"sni": "a.test", "ja4": "%s"}})
    for place in places:
        for evil in EVIL:
            more = json.loads(json.dumps(place).replace("%s", json.dumps(evil)[1:-1]))
            for minute in range(3):
                client = {"ip": "10.8.0.14", "port": 1024 + len(lines)}
                lines.append(canonical(time="2026-11-24T02:1%d:00Z" % minute, src_endpoint=client, **more))
    dice.shuffle(lines)
    program.everything(program.write("names.jsonl", "".join(lines)))
    words_only = [evil.replace("\n", "") for evil in EVIL * 3]
    squid = ["1795486453.%03d 10.8.0.9 5%04d %s" % (i, i, SQUID_REJECT.replace("@", evil)) for i, evil in enumerate(words_only)]
    program.everything("--format", "squid", program.write("names.log", "".join(squid)))


def hostile_file_names(program, good, _dice):
    for evil in ("\x1b]0;owned\x07.log", "a\nb.log", "\u202egol.log", 'q"uote.log', "-o", "%s%n.log"):
        path = os.path.join(".", evil)
        program.write(path, good["squid"])
        program.everything(path)
        program.write(path, "of no known format\n")
        program.everything(path)
        os.remove(os.path.join(program.folder, path))
    with open(os.path.join(os.fsencode(program.folder), b"\xff\xfe.log"), "wb") as f:
        f.write(good["squid"])
    program.scan(".")
    os.remove(os.path.join(os.fsencode(program.folder), b"\xff\xfe.log"))


def long_lines(program, good, _dice):
    """A line of 17 MB, longer than the 16 MiB that are allowed, amid good ones of each format, and one just below."""
    for name, data in good.items():
        lines = data.split(b"\n")
        for size in (17 << 20, (16 << 20) - 100):
            filler = (b'{"a":"' + b"a" * size + b'"}') if lines[0].startswith(b"{") else b"a b=c " * (size // 6)
            path = program.write("long.log", b"\n".join(lines[:20] + [filler] + lines[20:]))
            program.scan("--format", name, path)
    os.remove(os.path.join(program.folder, "long.log"))


def deep_nesting(program, _good, _dice):
    for depth in (1000, 1000000):
        for opener, closer in (('{"a":', "}"), ("[", "]")):
            text = opener * depth + "1" + closer * depth
            for more in (text, opener * depth):
                deep = '{"kind":"posture","time":"%s","x":%s}\n' % (TIME, more)
                path = program.write("deep.jsonl", canonical() + deep + canonical())
                program.scan("--format", "canonical", path)
        plist = b"<plist>" + b"<array>" * depth + b"</array>" * depth + b"</plist>"
        program.scan("--format", "nanomdm", program.write("deep.ndjson", webhook(plist)))
        program.scan("--format", "apple_mdm", program.write("deep.plist", plist))


def webhook(plist):
    event = {"status": "Acknowledged", "udid": "00008110-1", "ids": {"id": "1", "type": "Device"},
             "raw_payload": base64.b64encode(plist).decode()}
    return json.dumps({"topic": "mdm.Connect", "event_id": "1", "created_at": TIME, "acknowledge_event": event}) + "\n"


def lease(**more):
    record = {"kind": "lease", "time": TIME, "ip": "10.8.0.14", "device": {"udid": "u"}, "by": "dhcp"}
    return json.dumps(dict(record, **more)) + "\n"


def huge_values(program, _good, _dice):
    lines = []
    for value in (10**30, -1, 0, 2**63, 2**64, 1e308, -1e308, 1e-320, "NaN", "inf", True, None, [], {}, "9" * 400):
        for field in ("count", "duration_ms", "time"):
            lines.append(canonical(**{field: value}))
        lines.append(canonical(src_endpoint={"ip": "10.8.0.14", "port": value}))
        lines.append(canonical(dst_endpoint={"hostname": "a.test", "port": value}))
        lines.append(canonical(tls={"sni": "a.test", "alert": value}))
        lines.append(canonical(outcome="unknown", traffic={"bytes_out": value, "bytes_in": value}))
        lines.append(lease(until=value))
        lines.append(lease(device={"udid": value}))
    for when in ("0000-00-00T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "1677-09-21T00:12:44Z", "2262-04-11T23:47:16Z",
                 "2262-04-12T00:00:00Z", "2026-02-30T25:61:61Z", "-292277022657-01-27T08:29:52Z", "2026-11-24T02:14:13+99:99",
                 "1970-01-01T00:00:00Z", "1900-01-01T00:00:00Z"):
        lines.append(canonical(time=when))
        lines.append(canonical(time=when, duration_ms=9e15))
        lines.append(lease(time=when, until=when))
    program.everything(program.write("huge.jsonl", "".join(lines)))
    row = "%s 10.8.0.9 %s NONE_NONE/200 -/- bump sni=a.test TLS/1.3 - - err=- CONNECT a.test:%s 0 %s \"-\"\n"
    values = ("1e18", "9" * 30, "-5", "1795486453.9999999999", "0", "1795486453", "9223372036.854775807", "1e12")
    rows = [row % tuple(v if i == place else ("1795486453", "5000", "443", "13")[i] for i in range(4))
            for v in values for place in range(4)]
    program.everything("--format", "squid", program.write("huge.log", "".join(rows)))
    kea = ("address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,"
           "pool_id\n")
    kea += "".join("10.8.0.9,aa:bb:cc:dd:ee:01,,%s,%s,1,0,0,x,0,,0\n" % (a, b) for a in ("4294967295", "9" * 30, "-1")
                   for b in ("0", "1795486453", "6089967295", "9" * 30))
    program.scan("--format", "kea", program.write("kea.csv", kea))


def long_arrays(program, _good, _dice):
    """100,000 apps, profiles, payload types, keys and plist entries in one record."""
    n = 100000
    base = {"kind": "posture", "time": TIME, "device": {"udid": "00008110-000A1B2C3D4E001E"}, "snapshot": True}
    apps = [{"bundle_id": "com.a.a%d" % i, "name": "a%d" % i, "version": "1", "managed": True} for i in range(n)]
    profiles = [{"identifier": "p%d" % i, "payload_types": ["com.apple.security.root"]} for i in range(n)]
    one = [{"identifier": "p", "payload_types": ["t%d" % i for i in range(n)]}]
    for more in ({"apps": apps}, {"profiles": profiles}, {"profiles": one}, {"k%d" % i: i for i in range(n)}):
        path = program.write("array.jsonl", json.dumps(dict(base, **more)) + "\n" + canonical())
        program.scan(path)
        program.scan("--format", "canonical", path)
    installed = [{"Identifier": "com.a.a%d" % i, "Name": "a%d" % i, "ShortVersion": "1"} for i in range(n)]
    plist = plistlib.dumps({"InstalledApplicationList": installed})
    program.scan("--format", "nanomdm", program.write("array.ndjson", webhook(plist)))
    header = "#separator \\x09\n#path\tssl\n#fields\tts\tuid\tid.orig_h\tid.resp_h\testablished"
    header += "".join("\tf%d" % i for i in range(n)) + "\n"
    program.scan(program.write("array.log", header + "1\tu\t1.2.3.4\t1.2.3.5\tT" + "\t-" * n + "\n"))


def plists(program, _good, dice):
    """Entity bombs, outside entities, and property lists in binary with offsets that point anywhere."""
    entities = b"".join(b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(12))
    laugh = (b'<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY a "ha">' + entities
             + b"]><plist><dict><key>UDID</key><string>&m;</string></dict></plist>")
    outside = (b'<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
               b"<plist><dict><key>UDID</key><string>&x;</string></dict></plist>")
    for data in (laugh, outside):
        program.scan("--format", "nanomdm", program.write("bomb.ndjson", webhook(data)))
        program.scan("--format", "apple_mdm", program.write("bomb.plist", data))
    _, out, _ = program.run("parse", "--format", "nanomdm", program.write("outside.ndjson", webhook(outside)))
    if b"root:" in out:
        raise Wrong("an outside entity was read")
    good = plistlib.dumps({"UDID": "00008110-1", "Status": "Acknowledged",
                           "ProfileList": [{"PayloadIdentifier": "a", "PayloadContent": [{"PayloadType": "b"}]}],
                           "InstalledApplicationList": [{"Identifier": "com.a.b", "Name": "x"}] * 5}, fmt=plistlib.FMT_BINARY)
    bad = []
    for _ in range(400):
        data = bytearray(good)
        for _ in range(dice.randrange(1, 6)):
            data[dice.randrange(8, len(data))] = dice.randrange(256)
        bad.append(webhook(bytes(data)))
    trailer = bytes(6) + b"\x01\x01" + (1).to_bytes(8, "big") + bytes(8) + (10).to_bytes(8, "big")
    bad.append(webhook(b"bplist00\xa1\x00\x08" + trailer))       # an array that holds itself
    program.scan("--format", "nanomdm", program.write("binary.ndjson", "".join(bad)))


def matching_traps(program, _good, _dice):
    """Lines that make a careless matcher try every way to split them."""
    million = 1 << 20
    for unit in (" err=", " sni=", '"', " ", "/", ": ", "=", "\t", ",", '\\"', "CONNECT "):
        line = "1795486453.759 127.0.0.1 52824 NONE_NONE/200 -/- bump sni=a.test TLS/1.3 TLS/1.3 "
        line += unit * (million // len(unit)) + "\n"
        program.scan("--format", "squid", program.write("trap.log", line * 2))
    for unit in ("a = ", "\t", '"', "= \"", "\n\n", "a = b\n\t"):
        text = "Tue Jun  9 00:03:48 2015\n\tAcct-Status-Type = Start\n\tX = " + unit * (million // len(unit)) + "\n\n"
        program.scan("--format", "freeradius_detail", program.write("trap.log", text))


def packed(program, good, dice):
    data = good["squid"]
    whole = gzip.compress(data * 50)
    for cut in [1, 2, 9, 10, 18] + [dice.randrange(len(whole)) for _ in range(20)]:
        program.scan("--format", "squid", program.write("cut.log.gz", whole[:cut]))
    for _ in range(20):
        program.scan("--format", "squid", program.write("bad.log.gz", flip(whole, dice)))
    program.scan(program.write("tail.log.gz", whole + b"trailing garbage"))
    program.scan(program.write("twice.log.gz", gzip.compress(whole)))
    subprocess.run(["zstd", "-q", "-f", program.write("whole.log", data * 50), "-o", "whole.zst"], cwd=program.folder,
                   check=True)
    with open(os.path.join(program.folder, "whole.zst"), "rb") as f:
        whole = f.read()
    for _ in range(20):
        program.scan("--format", "squid", program.write("cut.log.zst", whole[:dice.randrange(len(whole))]))
        program.scan("--format", "squid", program.write("bad.log.zst", flip(whole, dice)))


def bombs(program, good, _dice):
    """2 GB of zeros in one gzip member and in zstd, 512 MB of empty lines, behind good records."""
    step = 16 << 20
    for name, byte, times in (("zeros", b"\x00", 128), ("lines", b"\n", 32)):
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        head = packer.compress(good["squid"]) + packer.flush(zlib.Z_FULL_FLUSH)
        block = packer.compress(byte * step) + packer.flush(zlib.Z_FULL_FLUSH)
        # The checksum at the end is wrong, too late to help.
        path = program.write("bomb-%s.gz" % name, head + block * times + packer.flush(zlib.Z_FINISH))
        program.scan(path, seconds=60)
    zeros = subprocess.Popen(["head", "-c", "2G", "/dev/zero"], stdout=subprocess.PIPE)
    subprocess.run(["zstd", "-q", "-f", "-1", "-o", "bomb.zst"], stdin=zeros.stdout, cwd=program.folder, check=True)
    zeros.stdout.close()
    zeros.wait()
    program.scan("--format", "squid", "bomb.zst", seconds=60)


def many_things(program, _good, _dice):
    """Memory for 150,000 hosts, apps, devices, addresses and leases, each seen once."""
    path = os.path.join(program.folder, "many.jsonl")
    line = ('{"kind":"tls_attempt","time":"2026-11-24T%02d:%02d:%02dZ","device":{"udid":"%s"},'
            '"src_endpoint":{"ip":"10.%d.%d.%d","port":%d},"dst_endpoint":{"hostname":"%s.test"},'
            '"app":{"bundle_id":"com.%s"},"inspection":"intercepted","outcome":"%s"}\n')
    with open(path, "w", encoding="utf-8") as f:
        for i in range(150000):
            name = "n%d" % i
            f.write(line % (i // 7200 % 24, i // 120 % 60, i // 2 % 60, name, i >> 16, i >> 8 & 255, i & 255, 1024 + i % 60000,
                            name, name, "client_reject"))
    program.scan("many.jsonl", seconds=60)
    with open(path, "w", encoding="utf-8") as f:
        for i in range(60000):      # one app, one host, one device: everything meets everything
            f.write(line % (i // 3600 % 24, i // 60 % 60, i % 60, "u", 0, 0, 1, 1024 + i, "h", "a",
                            ("client_reject", "established")[i % 2]))
    program.scan("many.jsonl", seconds=60)
    os.remove(os.path.join(program.folder, "many.jsonl"))


def odd_files(program, good, _dice):
    """Empty files, folders, links that go round, what cannot be read, what is not a file."""
    folder = os.path.join(program.folder, "odd")
    os.makedirs(os.path.join(folder, "deep", "er"))
    os.symlink(folder, os.path.join(folder, "deep", "er", "round"))
    os.symlink("nowhere", os.path.join(folder, "dangling.log"))
    os.symlink("self.log", os.path.join(folder, "self.log"))
    for name, data in (("empty.log", b""), ("empty.gz", gzip.compress(b"")), ("newline.log", b"\n"), ("zero.log", b"\x00"),
                       ("bom.log", b"\xef\xbb\xbf"), ("good.log", good["squid"]), ("no-end.log", good["squid"].rstrip(b"\n"))):
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)
        program.everything("odd/" + name)
    with open(os.path.join(folder, "secret.log"), "wb") as f:
        f.write(good["squid"])
    os.chmod(os.path.join(folder, "secret.log"), 0)         # still readable where the test runs as root
    for args in (["odd"], ["odd/secret.log"], ["odd/dangling.log"], ["odd/self.log"], ["odd/none.log"], ["/dev/null"],
                 ["/proc/self/mem"], [""], ["odd/deep"], ["odd/good.log", "odd/good.log"], ["-"], ["-", "-"]):
        program.scan(*args)
    os.mkfifo(os.path.join(folder, "fifo.log"))
    writer = threading.Thread(target=feed, args=(os.path.join(folder, "fifo.log"), good["squid"]), daemon=True)
    writer.start()
    program.scan("odd/fifo.log")
    writer.join(5)
    if writer.is_alive():
        raise Wrong("nobody read the FIFO")
    shutil.rmtree(folder)


def feed(path, data):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGPIPE])
    try:
        with open(path, "wb") as f:
            f.write(data)
    except BrokenPipeError:
        pass


def broken_pipe(program, good, _dice):
    """Whoever reads the findings goes away: the program ends too, without noise."""
    path = program.write("pipe.log", good["squid"])
    reader, writer = os.pipe()
    os.close(reader)
    child = subprocess.Popen([program.path, "scan", "--all", path], stdout=writer, stderr=subprocess.PIPE, cwd=program.folder,
                             env=program.environment)
    os.close(writer)
    _, err = child.communicate(timeout=patience.seconds(SECONDS))
    if child.returncode not in (*CODES, -signal.SIGPIPE) or b"Sanitizer" in err:
        raise Wrong("exit %d" % child.returncode)


def random_one(data, dice):
    for _ in range(dice.randint(1, 3)):
        data = dice.choice(DAMAGE)(data, dice) or b"\n"
    return data


def every_format(program, _good, dice):
    """The records of each format's cases, damaged, and read as that format: its decoder and its mapping meet them."""
    cases = os.path.join(HERE, "..", "cases", "formats")
    _, listed, _ = program.run("formats")
    names = [line.split()[0] for line in listed.decode().splitlines()[1:]]
    if set(names) - set(os.listdir(cases)):
        raise Wrong("formats without a case: %s" % ", ".join(sorted(set(names) - set(os.listdir(cases)))))
    for name in names:
        seen = 0
        if os.path.exists(os.path.join(cases, name, sorted(os.listdir(os.path.join(cases, name)))[0], "refused.txt")):
            continue # known and of no use: it has no mapping
        for folder in sorted(os.listdir(os.path.join(cases, name))):
            for part in sorted(os.listdir(os.path.join(cases, name, folder))):
                if not part.startswith("input."):
                    continue
                with open(os.path.join(cases, name, folder, part), "rb") as f:
                    data = f.read()
                lines = [line for line in data.splitlines() if line.strip()]
                pieces = [data] + [b"\n".join(lines)] + [random_one(data, dice) for _ in range(6)]
                for i, piece in enumerate(pieces):
                    path = program.write("%s-%d.log" % (name, i), piece)
                    _, out, err = program.run("parse", "--format", name, "--date", "2026-11-24", path)
                    for line in out.decode("utf-8").splitlines():
                        json.loads(line, parse_constant=not_json)
                    seen += bool(out.strip()) or b"rejected" in err
        if seen == 0:
            raise Wrong("%s: not one of its records was read" % name)


STRUCTURED = (every_format, hostile_names, hostile_file_names, long_lines, deep_nesting, huge_values, long_arrays, plists, matching_traps,
              packed, bombs, many_things, odd_files, broken_pipe)


def good_logs(path, folder, seed):
    """{format: the first lines of a simulated log of it}."""
    logs = {}
    files = {"squid": "squid-access.log", "zeek_conn%s": "conn.log", "zeek_ssl%s": "ssl.log", "zeek_dhcp%s": "dhcp.log",
             "nanomdm": "nanomdm.ndjson", "kea": "kea-leases4.csv", "freeradius_detail": "radius-detail.log",
             "canonical": "edr.jsonl"}
    for form in ("json", "tsv"):
        out = os.path.join(folder, "fleet")
        subprocess.run([path, "sim", "-q", "--seed", str(seed), "--devices", "5", "--days", "2", "--zeek", form, "--out", out],
                       check=True)
        for name, file in files.items():
            with open(os.path.join(out, file), "rb") as f:
                lines = f.read().split(b"\n")[:90]
            logs[name % ("_json" if form == "json" else "") if "%" in name else name] = b"\n".join(lines) + b"\n"
        shutil.rmtree(out)
    logs["canonical"] += "".join(canonical(time="2026-11-16T07:%02d:00Z" % m) for m in range(20)).encode()
    return logs


def attempt(function, *args):
    try:
        function(*args)
    except (Wrong, OSError, ValueError, subprocess.SubprocessError) as problem:
        return "%s: %s" % (type(problem).__name__, problem)
    return None


def main():
    path = os.path.abspath(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    results = []
    with tempfile.TemporaryDirectory() as folder:
        good = good_logs(path, folder, seed)
        program = Program(path, folder)
        for name, data in sorted(good.items()):
            dice = random.Random("%d %s" % (seed, name))
            problem = attempt(random_damage, program, name, data, dice, 40)
            results.append(("random damage to %s (seed %d)" % (name, seed), problem))
        for function in STRUCTURED:
            dice = random.Random("%d %s" % (seed, function.__name__))
            results.append(("%s (seed %d)" % (function.__name__, seed), attempt(function, program, good, dice)))
    print("1..%d" % len(results))
    for number, (name, problem) in enumerate(results, 1):
        print("%s %d - %s" % ("not ok" if problem else "ok", number, name))
        if problem:
            print("# " + problem[:3000].replace("\n", "\n# "))
    return 1 if any(problem for _, problem in results) else 0


if __name__ == "__main__":
    sys.exit(main())
