"""Killed at any point while records come by every way in: syslog over UDP, TCP and TLS, HTTP, a drop folder, capture files.

Senders do what careful ones do: what they do not see counted is sent again. The daemon is killed with SIGKILL at random
moments and at fault points (in the spool, the checkpoint, the journal, delivery). Fails if a record that was counted once
is lost or comes twice, or if the findings are not those of a scan of the same logs.

    kill_pushed.py BINARY [KILLS] [SEED]
"""
import json
import os
import random
import shutil
import socket
import ssl
import subprocess
import sys
import time

from daemon import PATIENCE, Daemon, Folder, check_delivery, difference, make_fleet, run, scan, slices, when
import wire
from push import free_port, post
from wire import conversation, frames, pcap

BINARY = os.path.abspath(sys.argv[1])
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2].isdigit() else 12
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(1 << 32)

FAULTS = ["spool.write", "spool.written", "spool.synced", "checkpoint.begin", "checkpoint.journal", "checkpoint.commit",
          "checkpoint.committed", "journal.write", "journal.sync", "journal.rotate", "deliver.write", "deliver.written"]
SETS = ["serve.checkpoint=100ms", "serve.judge_every=50ms", "serve.segment_size=64KiB"]
# Source, its log, and how it comes.
WAYS = {"zeek-conn": ("conn.log", "tcp"), "zeek-ssl": ("ssl.log", "tls"), "edr": ("edr.jsonl", "http"),
        "mdm": ("nanomdm.ndjson", "drop"), "dhcp": ("dhcp.log", "udp")}


class Fleet:
    """A fleet's configuration, with sources that are pushed to in place of files."""

    def __init__(self, folder):
        self.folder = folder
        self.origin = make_fleet(BINARY, folder / "fleet", "--devices", "12", "--days", "1", "--seed", str(SEED % 1000))
        text = (self.origin / "pinwatch.yaml").read_text()
        self.ways = {}
        self.ports = {}
        for source, (log, way) in WAYS.items():
            line = f"    path: {log}\n"
            if line not in text:
                continue
            self.ways[source] = (log, way)
            self.ports[source] = free_port()
            text = text.replace(line, {
                "http": "    ingest: true\n    token_file: token\n", "drop": f"    drop: drop-{source}\n",
            }.get(way, f'    listen: "{way}://127.0.0.1:{self.ports[source]}"\n'))
        # Resent records come late, and no later than that.
        text = text.replace("    format: auto\n", "    format: auto\n    max_lag: 1d\n").replace("    max_lag: 30s\n", "")
        for source, (_, way) in self.ways.items():
            if way == "drop":
                (folder / f"drop-{source}").mkdir()
        (folder / "captures").mkdir()
        tap = "  - {name: tap, kind: wire, path: captures, max_lag: 1d}\n"
        (folder / "pinwatch.yaml").write_text(text.rstrip("\n") + "\n" + tap)
        (self.origin / "captures").mkdir()
        (self.origin / "pinwatch.yaml").write_text((self.origin / "pinwatch.yaml").read_text().rstrip("\n") + "\n" + tap)
        (folder / "token").write_text("secret-token\n")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key.pem", "-out",
                        folder / "cert.pem", "-days", "2", "-subj", "/CN=localhost"], check=True, stderr=subprocess.DEVNULL)
        names = [log for log, _ in self.ways.values()]
        for path in self.origin.iterdir():
            if path.is_file() and path.name not in names and path.name != "pinwatch.yaml":
                shutil.copy(path, folder / path.name)


class Tormented:
    """The daemon and those who send to it."""

    def __init__(self, fleet, rng):
        self.fleet, self.rng = fleet, rng
        self.daemon = Daemon(BINARY, fleet.folder, fleet.folder / "pinwatch.yaml",
                             SETS + [f"serve.tls_certificate={fleet.folder}/cert.pem", f"serve.tls_key={fleet.folder}/key.pem"])
        self.kills = 0
        self.by_fault = {}
        self.fault = None
        self.seen = {}  # the most records that each source was seen to have
        self.sent = dict.fromkeys(fleet.ways, 0)
        self.batch = 0

    def start(self):
        self.fault = self.rng.choice(FAULTS) if self.kills < KILLS and self.rng.random() < 0.5 else None
        env = {"PINWATCH_FAULT": f"{self.fault}:{self.rng.choice([1, 2, 5, 20])}"} if self.fault else {}
        self.daemon.start(env=env, wait=False)

    def counts(self):
        """Records of each source once all is read that is there; starts the daemon again where it was killed."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if not self.daemon.alive():
                code = self.daemon.process.returncode
                assert code == -9, f"it ended by itself with {code}: {self.daemon.tail()}"
                self.by_fault[self.fault] = self.by_fault.get(self.fault, 0) + 1
                self.kills += 1
                self.start()
            try:
                status = self.daemon.status()
            except (OSError, ValueError):
                time.sleep(0.005)
                continue
            if all(not s["behind"] for s in status["sources"]):
                got = {s["name"]: s["records"] for s in status["sources"]}
                for name, n in self.seen.items():
                    # What is read from files is read again after a kill, pushed records are in the spool.
                    way = self.fleet.ways.get(name, ("", "drop"))[1]
                    assert way == "drop" or got[name] >= n, f"{name}: {got[name]} records after {n} were counted"
                self.seen = got
                return got
            time.sleep(0.005)
        raise AssertionError(f"it does not come to the end of its inputs: {self.daemon.tail()}")

    def maybe_kill(self, chance):
        if self.fault is not None:
            chance /= 4  # it shall come to its own end
        if self.kills < KILLS and self.rng.random() < chance and self.daemon.alive():
            time.sleep(self.rng.random() * 0.05)
            self.daemon.kill()
            self.kills += 1
            self.start()

    def push(self, source, lines):
        log, way = self.fleet.ways[source]
        port = self.fleet.ports[source]
        if way == "http":
            # The same keys for the same bodies, whoever has seen them before.
            post(self.daemon, source, "".join(lines).encode(), Idempotency_Key=f"{source}-{self.sent[source]}",
                 scheme="https")
        elif way == "udp":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                for line in lines:
                    s.sendto(line.encode(), ("127.0.0.1", port))
        else:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
                if way == "tcp":
                    plain.sendall("".join(lines).encode())
                else:
                    with ssl._create_unverified_context().wrap_socket(plain) as s:
                        s.sendall("".join(f"{len(x)} {x}" for x in map(str.rstrip, lines)).encode()
                                  if all(x.startswith("<") for x in lines) else "".join(lines).encode())
                        s.unwrap()

    def deliver(self, source, lines):
        """Until all are counted, once."""
        target = self.sent[source] + len(lines)
        until = time.monotonic() + PATIENCE
        while (have := self.counts()[source]) < target:
            assert time.monotonic() < until, f"{source}: {have} records of {target}; {self.daemon.tail()}"
            missing = lines[have - self.sent[source]:]
            try:
                self.push(source, missing)
            except ConnectionRefusedError:
                continue
            except OSError:
                pass  # what of it has arrived is counted
            self.maybe_kill(0.3)
            kills, patience = self.kills, time.monotonic() + 10
            while self.counts()[source] < target and self.kills == kills and time.monotonic() < patience:
                time.sleep(0.005)
        assert have == target, f"{source}: {have} records, {target} were sent"
        self.sent[source] = target

    def drop(self, source, text):
        self.batch += 1
        folder = self.fleet.folder / f"drop-{source}"
        (folder / f"{self.batch:04}.part").write_text(text)
        (folder / f"{self.batch:04}.part").rename(folder / f"{self.batch:04}.log")
        self.sent[source] += len(text.splitlines())
        self.maybe_kill(0.3)


def every_way_in():
    rng = random.Random(SEED)
    print(f"# seed {SEED}, {KILLS} kills")
    with Folder("kill-pushed") as folder:
        fleet = Fleet(folder)
        assert len(fleet.ways) == len(WAYS), f"the fleet lacks a log: {fleet.ways}"
        with open(fleet.origin / "conn.log", encoding="utf-8") as log:
            wire.START = max(when(line, 0.0) for line in list(log)[:20])
        captures = [pcap(frames([s for i in range(k * 5, k * 5 + 5) for s in conversation(i, True).segments])) for k in range(6)]
        for k, content in enumerate(captures):
            (fleet.origin / "captures" / f"{k}.pcap").write_bytes(content)
        expected = scan(BINARY, fleet.origin / "pinwatch.yaml")
        pieces = slices(fleet.origin, [log for log, _ in fleet.ways.values()], max(12, KILLS // 4))
        t = Tormented(fleet, rng)
        t.start()
        for number, piece in enumerate(pieces):
            for source, (log, way) in fleet.ways.items():
                text = piece.get(log, "")
                if text and way == "drop":
                    t.drop(source, text)
                elif text:
                    lines = text.splitlines(keepends=True)
                    for at in range(0, len(lines), 100):
                        t.deliver(source, lines[at:at + 100])
            if number % 2 == 0 and captures:
                path = folder / "captures" / f"{6 - len(captures)}.part"
                path.write_bytes(captures.pop(0))
                path.rename(path.with_suffix(".pcap"))
                t.maybe_kill(0.5)
        while t.kills < KILLS:
            t.counts()
            t.maybe_kill(1.0)
        if t.daemon.alive():
            t.daemon.kill()
        t.daemon.start()
        (folder / "captures" / "last.part").write_bytes(pcap([]))  # those before it are complete then
        (folder / "captures" / "last.part").rename(folder / "captures" / "last.pcap")
        t.daemon.wait_for(lambda s: all(x["records"] >= t.sent.get(x["name"], 0) for x in s["sources"]), "all records")
        t.daemon.wait_for(lambda s: all(x["records"] >= 30 for x in s["sources"] if x["name"] == "tap"), "all captures")
        t.daemon.settle()
        print(f"# {t.kills} kills, of them at fault points: {json.dumps(t.by_fault)}")
        got = {s["name"]: s["records"] for s in t.daemon.status()["sources"]}
        for source, n in t.sent.items():
            assert got[source] == n, f"{source}: {got[source]} records of {n}"
        assert got["tap"] == 30, got
        found = {u: f for u, f in t.daemon.findings().items() if f["kind"] != "source_silent"}
        words = difference(expected, found, places=False)
        assert not words, words
        check_delivery(t.daemon)
        t.daemon.stop()


if __name__ == "__main__":
    sys.exit(run([(f"{KILLS} kills while records come by every way in", every_way_in)]))
