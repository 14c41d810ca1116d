"""Captures the wire by tcpdump, and reads from a capture what each client put on it: records, alerts, close, bytes.

The reading here is the lab's own and knows nothing of pinwatch's, so that it can stand beside it as a table.
"""
import collections
import struct
import subprocess
import time

SYN, FIN, RST = 2, 1, 4
TYPES = {20: "CCS", 21: "alert", 22: "handshake", 23: "data"}
ALERTS = {0: "close_notify", 40: "handshake_failure", 42: "bad_certificate", 45: "certificate_expired", 50: "decode_error",
          46: "certificate_unknown", 48: "unknown_ca", 70: "protocol_version", 80: "internal_error", 90: "user_canceled"}


class Capture:
    def __init__(self, interface, path, filter_):
        self.path = path
        # -U: each packet is in the file as soon as it was seen; -B: kernel buffer in KiB; -Z: keeps who we are.
        command = ["tcpdump", "-i", interface, "-s", "0", "--immediate-mode", "-U", "-n", "-B", "16384", "-Z", "root"]
        self.process = subprocess.Popen([*command, "-w", path, filter_], stderr=subprocess.PIPE, text=True)
        said = ""
        while "listening on" not in said:
            line = self.process.stderr.readline()
            if not line:
                raise RuntimeError("tcpdump does not start: " + said)
            said += line

    def stop(self):
        """Waits until the file no longer grows, then ends it. Returns how many packets the kernel dropped."""
        size, until = -1, time.monotonic() + 10
        while size != self.path.stat().st_size and time.monotonic() < until:
            size = self.path.stat().st_size
            time.sleep(0.3)
        self.process.terminate()
        said = self.process.communicate(timeout=10)[1]
        return sum(int(line.split()[0]) for line in said.splitlines() if "dropped by kernel" in line)


class Connection:
    def __init__(self, time_, client, server):
        self.time, self.client, self.server = time_, client, server
        self.bytes = {True: {}, False: {}}  # by side (client: True), sequence number: payload
        self.first = {True: None, False: None}
        self.ends = []  # (side, "FIN" or "RST") in order

    def stream(self, client):
        out, parts = b"", self.bytes[client]
        if not parts:
            return out
        begin = self.first[client] if self.first[client] is not None else min(parts)
        for sequence in sorted(parts, key=lambda s: (s - begin) % (1 << 32)):
            at = (sequence - begin) % (1 << 32)
            if at <= len(out):
                out += parts[sequence][len(out) - at:]
        return out

    def tls(self, client):
        """The stream from its first TLS record on: without a CONNECT and its answer."""
        data = self.stream(client)
        if data.startswith((b"CONNECT ", b"HTTP/1.")):
            return data.partition(b"\r\n\r\n")[2]
        return data

    def host(self):
        """What a client asked its proxy for; None where it asked nobody."""
        data = self.stream(True)
        return data[8:].split(b":")[0].decode("ascii", "replace") if data.startswith(b"CONNECT ") else None

    def records(self, client):
        data, out = self.tls(client), []
        while len(data) >= 5 and data[0] in TYPES:
            length = struct.unpack(">H", data[3:5])[0]
            out.append((data[0], length, data[5:5 + length]))
            data = data[5 + length:]
        return out

    def version(self):
        for kind, _, body in self.records(False):
            if kind == 22 and body[:1] == b"\2":
                # A ServerHello with the extension supported_versions (43) is TLS 1.3.
                return "1.3" if b"\x00\x2b\x00\x02\x03\x04" in body else "1.2"
        return "–"

    def told(self):
        """The client's records behind the ClientHello, in words."""
        words = []
        for kind, length, body in self.records(True)[1:]:
            if kind == 21 and length == 2:
                word = "alert " + ALERTS.get(body[1], str(body[1])) if len(body) == 2 else "alert"
            else:
                word = "CCS" if kind == 20 else f"{TYPES[kind]} {length}"
            words.append(word)
        out = []
        for word in words:
            if out and out[-1][0] == word:
                out[-1][1] += 1
            else:
                out.append([word, 1])
        said = ", ".join(w if n == 1 else f"{n} × {w}" for w, n in out[:8]) + (", …" if len(out) > 8 else "")
        return said or "nothing"

    def closed(self):
        if not self.ends:
            return "stays open"
        side, how = self.ends[0]
        first = ("client" if side else "server") + " " + how
        # A RST of the same side behind its FIN shows in the second place.
        if (side, "RST") in self.ends[1:]:
            first += ", RST"
        return first


def connections(path):
    """All TCP connections of a capture of Ethernet frames (pcap, as tcpdump writes it), in order of their SYN."""
    data = path.read_bytes()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at, open_, all_ = 24, {}, []
    while at + 16 <= len(data):
        seconds, micros, length = struct.unpack(order + "III", data[at:at + 12])
        frame, at = data[at + 16:at + 16 + length], at + 16 + length
        if frame[12:14] == b"\x08\x00" and frame[23] == 6:
            segment(seconds + micros / 1e6, frame, open_, all_)
    return all_


def segment(when, frame, open_, all_):
    ip_length = (frame[14] & 15) * 4
    total = struct.unpack(">H", frame[16:18])[0] or len(frame) - 14
    tcp = frame[14 + ip_length:14 + total]
    source, target = (".".join(map(str, frame[a:a + 4])) for a in (26, 30))
    sport, dport, sequence = struct.unpack(">HHI", tcp[:8])
    flags, payload = tcp[13], tcp[(tcp[12] >> 4) * 4:]
    one, other = (source, sport), (target, dport)
    if flags & SYN and not flags & 16:
        open_[one, other] = Connection(when, one, other)
        all_.append(open_[one, other])
    client = (one, other) in open_
    c = open_.get((one, other)) or open_.get((other, one))
    if c is None:
        return
    if flags & SYN:
        c.first[client] = (sequence + 1) % (1 << 32)
    if payload and len(payload) > len(c.bytes[client].get(sequence, b"")):
        c.bytes[client][sequence] = payload
    for bit, word in ((FIN, "FIN"), (RST, "RST")):
        if flags & bit and (client, word) not in c.ends:
            c.ends.append((client, word))


def by_phone(path):
    """Connections on which a TLS record was sent, by the phone's address."""
    out = collections.defaultdict(list)
    for c in connections(path):
        if c.tls(True)[:1] == b"\x16":
            out[c.client[0]].append(c)
    return out


def merge(paths, out):
    """Captures of several interfaces as one, in order of time: what a mirror of both sides of the gateway shows."""
    header, packets = b"", []
    for path in paths:
        data = path.read_bytes()
        header, at = header or data[:24], 24
        if data[:24] != header:
            raise ValueError(f"{path}: another kind of capture")
        order = "<" if data[:4] == b"\xd4\xc3\xb2\xa1" else ">"
        while at + 16 <= len(data):
            length = struct.unpack(order + "I", data[at + 8:at + 12])[0]
            packets.append((struct.unpack(order + "II", data[at:at + 8]), data[at:at + 16 + length]))
            at += 16 + length
    packets.sort(key=lambda p: p[0])
    out.write_bytes(header + b"".join(p for _, p in packets))
