"""Captured packets in the daemon: capture files that appear, rotate and grow, and an interface.

Fails if findings differ from those of a scan of the same captures, however often the daemon is killed while they are
read; if a capture is read twice because it was renamed, copied or packed, or is not read on when it grows; if what a live
interface showed is lost once it was decoded; or if a gap in listening is not said and counted.

    wire.py BINARY SAMPLES
"""
import gzip
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

from daemon import Daemon, Folder, difference, run, scan

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "wire"))
from packets import Conversation, frames, pcap  # noqa: E402
from tls import CCS, client_hello, data, finished, flight  # noqa: E402

BINARY = os.path.abspath(sys.argv[1])
SAMPLES = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "") / "lab"
START = 1793527200.0
SETS = ["serve.checkpoint=100ms", "serve.judge_every=50ms"]


def conversation(i, refused):
    c = Conversation(client=(f"10.8.0.{10 + i % 7}", 50000 + i), server=(f"192.0.2.{7 + i % 3}", 443), start=START + 20 * i)
    c.c(client_hello(f"api{i % 3}.bank.test")).s(flight())
    return c.c(CCS + data(19)).close() if refused else c.c(CCS + data(finished()), data(100)).s(data(500)).close()


def fleet(files=12, each=12):
    """Captures one after another in time; connections run over their borders."""
    segments = sorted((s for i in range(files * each) for s in conversation(i, i % 5 != 0).segments), key=lambda s: s.time)
    size = len(segments) // files + 1
    return [pcap(frames(segments[at:at + size])) for at in range(0, len(segments), size)]


def config(folder, path, more=""):
    (folder / "pinwatch.yaml").write_text(f"sources:\n- {{name: tap, kind: wire, path: {path}{more}}}\n")
    return folder / "pinwatch.yaml"


def scanned(folder, captures):
    """Findings of a scan of plain captures, which lie in a folder of their own."""
    (folder / "plain" / "captures").mkdir(parents=True)
    for name, content in captures.items():
        (folder / "plain" / "captures" / name).write_bytes(content)
    found = scan(BINARY, config(folder / "plain", "captures"))
    assert found, "the scan finds nothing"
    return found


def put(path, content):
    """As captures come: complete, by a rename."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.rename(path)


def tap(d):
    return d.status()["sources"][0]


def files_are_a_scan():
    with Folder("wire") as folder:
        captures = {f"{i:02}.pcap": x for i, x in enumerate(fleet())}
        expected = scanned(folder, captures)
        (folder / "captures").mkdir()
        d = Daemon(BINARY, folder, config(folder, "captures/*.pcap"), SETS).start()
        (folder / "captures" / "notes.txt").write_text("no capture")
        for name, content in captures.items():
            put(folder / "captures" / name, content)
        d.wait_for(lambda s: s["records"] >= 144, "all connections")
        d.settle()
        words = difference(expected, d.findings(), places=False)
        assert not words, words
        got = tap(d)
        assert got["errors"] == 0 and got["format"] is None or got["format"] == "pcap", got
        evidence = next(iter(d.findings().values()))["evidence"][0]
        assert evidence["path"].endswith(".pcap") and evidence["line"] > 0, evidence
        d.stop()


def killed_while_reading():
    """Killed at random moments while captures come, are renamed, copied and packed."""
    seed = random.SystemRandom().randrange(1 << 32)
    rng = random.Random(seed)
    print(f"# seed {seed}")
    with Folder("wire") as folder:
        captures = {f"{i:02}.pcap": x for i, x in enumerate(fleet())}
        expected = scanned(folder, captures)
        (folder / "captures").mkdir()
        d = Daemon(BINARY, folder, config(folder, "captures"), SETS).start()
        kills = 0
        for name, content in captures.items():
            path = folder / "captures" / name
            put(path, content)
            for _ in range(3):
                time.sleep(rng.random() * 0.15)
                if rng.random() < 0.7:
                    d.kill()
                    kills += 1
                    d.start(wait=rng.random() < 0.5)
            old = folder / "captures" / rng.choice(sorted(captures)[:len(list(folder.glob("captures/*")))])
            what = rng.randrange(4)
            if not old.exists():
                continue
            if what == 0:
                old.rename(old.with_name("old-" + old.name))
            elif what == 1:
                shutil.copy2(old, old.with_name("copy-" + old.name))
            elif what == 2:
                packed = old.with_name(old.name + ".part")
                packed.write_bytes(gzip.compress(old.read_bytes()))
                shutil.copystat(old, packed)  # as gzip does
                packed.rename(old.with_name(old.name + ".gz"))
                old.unlink()
        if d.alive():
            d.kill()
        d.start()
        put(folder / "captures" / "last.pcap", pcap([]))  # with it all before it are complete
        d.wait_for(lambda s: s["sources"][0]["observations"] >= 144, "all connections")
        d.settle()
        print(f"# {kills} kills, {len(list(folder.glob('captures/*')))} files")
        got = tap(d)
        assert got["observations"] == 144, f"{got['observations']} connections of 144"
        words = difference(expected, d.findings(), places=False)
        assert not words, words
        d.stop()


def grows_after_it_was_read():
    """A capture that was left alone for long, and then goes on: what is new is read, what was there is not again."""
    with Folder("wire") as folder:
        whole = [conversation(i, True) for i in range(8)]
        first = pcap(frames([s for c in whole[:4] for s in c.segments]))
        everything = pcap(frames([s for c in whole for s in c.segments]))
        expected = scanned(folder, {"a.pcap": everything})
        path = folder / "a.pcap"
        path.write_bytes(first[:-10])  # its last packet is not written yet
        os.utime(path, (time.time() - 120, time.time() - 120))
        d = Daemon(BINARY, folder, config(folder, "a.pcap"), SETS).start()
        d.wait_for(lambda s: s["sources"][0]["observations"] == 4, "what there is of it")
        assert "damaged after packet" in d.tail(), d.tail()
        d.settle()
        d.kill()
        path.write_bytes(everything)
        os.utime(path, (time.time() - 60, time.time() - 60))
        d.start()
        # The one that was open at the former end is told once more, as the same connection.
        d.wait_for(lambda s: s["sources"][0]["observations"] >= 9, "the rest of it")
        d.settle()
        assert tap(d)["observations"] == 9, tap(d)
        words = difference(expected, d.findings(), places=False)
        assert not words, words
        # A ring of files comes round: the same file with other packets is another capture.
        path.write_bytes(pcap(frames([s for c in (conversation(i, True) for i in range(20, 25)) for s in c.segments])))
        d.wait_for(lambda s: s["sources"][0]["observations"] == 14, "the file that was overwritten")
        d.stop()


def samples():
    if not SAMPLES.is_dir():
        print(f"# {SAMPLES} does not lie beside the project: left out")
        return
    with Folder("wire") as folder:
        captures = {x.name: x.read_bytes() for x in sorted(SAMPLES.glob("*.pcap"))}
        expected = scanned(folder, captures)
        shutil.copytree(folder / "plain" / "captures", folder / "captures")
        for i, path in enumerate(sorted(folder.glob("captures/*"))):
            os.utime(path, (time.time() - 3600 + i, time.time() - 3600 + i))
        d = Daemon(BINARY, folder, config(folder, "captures", ", max_lag: 1d"), SETS)
        d.start(env={"PINWATCH_FAULT": "checkpoint.committed:1"}, wait=False)
        assert d.process.wait(timeout=60) == -signal.SIGKILL
        d.start()
        d.settle()
        words = difference(expected, d.findings(), places=False)
        assert not words, words
        d.stop()


class Server:
    """openssl s_server on loopback; clients that refuse it, and such that do not."""

    def __init__(self, folder):
        self.key, self.certificate = folder / "key.pem", folder / "cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                        self.key, "-out", self.certificate, "-days", "2", "-subj", "/CN=live.test"], check=True,
                       stderr=subprocess.DEVNULL)
        self.process = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:0", "-key", self.key, "-cert",
                                         self.certificate, "-www"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = None
        for line in self.process.stdout:
            if line.startswith("ACCEPT"):
                self.port = int(line.split(":")[-1])
                break

    def client(self, trusting):
        how = ["-CAfile", self.certificate] if trusting else ["-no-CAfile", "-no-CApath"]
        subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-servername", "live.test",
                        "-verify_return_error", "-no-CAstore", *how], input=b"GET / HTTP/1.0\r\n\r\n", stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=30, check=False)

    def stop(self):
        self.process.kill()
        self.process.wait()


def live():
    with Folder("wire") as folder:
        server = Server(folder)
        (folder / "pinwatch.yaml").write_text(
            f"sources:\n- {{name: tap, kind: wire, interface: lo, filter: tcp port {server.port}, max_lag: 1s, vantage: inside}}\n")
        d = Daemon(BINARY, folder, folder / "pinwatch.yaml", SETS)
        try:
            d.start(wait=False)
            try:
                d.wait_ready()
            except AssertionError as e:
                if "no right to capture" in str(e):
                    print("# capturing is not permitted here (CAP_NET_RAW): left out")
                    return
                raise
            for _ in range(4):
                server.client(False)
            for _ in range(2):
                server.client(True)
            # A connection is told 2 s after its end.
            d.wait_for(lambda s: s["sources"][0]["observations"] == 6, "six connections")
            d.kill()
            server.client(False)  # nobody sees it
            time.sleep(6)  # the gap itself: shorter ones are not told
            d.start()
            status = d.wait_for(lambda s: s["sources"][0]["capture"]["gaps"] == 1, "the gap is counted")
            assert 5 <= status["sources"][0]["capture"]["gap_s"] <= 30, status["sources"][0]
            d.wait_for(lambda s: s["sources"][0]["errors"] == 1, "the gap is an error of the source")
            assert "nothing was captured for" in d.tail() and "since no daemon ran" in d.tail(), d.tail()
            for _ in range(3):
                server.client(False)
            d.wait_for(lambda s: s["sources"][0]["observations"] == 9, "three connections more")
            d.settle()
            got = tap(d)
            assert got["observations"] == 9 and got["rejected"] == 0 and got["records"] == 9, got
            assert got["capture"]["packets"] > 0 and got["capture"]["dropped"] == 0, got["capture"]
            (finding,) = d.findings().values()
            assert finding["destination"]["host"] == "live.test", finding["destination"]
            assert d.status()["attempts"] == 9, d.status()
            metrics = d.get("/metrics")[1]
            assert 'pinwatch_capture_up{source="tap"} 1' in metrics, metrics
            assert 'pinwatch_capture_gaps_total{source="tap"} 1' in metrics, metrics
            letters = (d.state / "dead-letter.jsonl").read_text()
            assert "nothing was captured for" in letters, letters
            # Ended cleanly with a connection open: it is told as it stands, not lost.
            idle = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", "live.test"],
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            for line in idle.stdout:
                if "Verif" in line:
                    break
            d.wait_for(lambda s: s["sources"][0]["capture"]["connections"] == 4, "its handshake")
            d.stop()
            idle.kill()
            idle.wait()
            d.start()
            d.wait_for(lambda s: s["sources"][0]["observations"] == 10, "the connection that was open")
            d.stop()
        finally:
            server.stop()


def refusals():
    """What cannot work is refused in words, by check-config as by the daemon."""
    with Folder("wire") as folder:
        file = folder / "pinwatch.yaml"

        def said(text, command):
            file.write_text("sources:\n- {name: tap, " + text + "}\n")
            more = ["-c", file, "--set", f"serve.state={folder}/state"] if command == "serve" else [file]
            done = subprocess.run([BINARY, command, *more], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  check=False, timeout=30)
            return done.returncode, done.stdout

        for command in ("check-config", "serve"):
            code, text = said("kind: wire, interface: lo, filter: tcp prot 443", command)
            assert code == 2 and "source tap: the filter" in text, (command, code, text)
            code, text = said("interface: lo", command)
            assert code == 2 and "kind: wire" in text, (command, code, text)
            code, text = said("kind: wire, interface: lo, path: x.pcap", command)
            assert code == 2 and "two sources" in text, (command, code, text)
            code, text = said("kind: wire, ingest: true", command)
            assert code == 2 and "not pushed records" in text, (command, code, text)
        code, text = said("kind: wire, interface: no-such-interface", "serve")
        assert code == 3 and "no-such-interface" in text, (code, text)
        code, text = said("kind: wire, interface: eth0, filter: tcp port 443", "check-config")
        assert code == 0 and "captures from eth0" in text and "CAP_NET_RAW" in text, (code, text)


if __name__ == "__main__":
    sys.exit(run([("captures give what a scan gives", files_are_a_scan),
                  ("killed while captures are read, renamed, copied and packed", killed_while_reading),
                  ("a capture that grows, and one that is overwritten", grows_after_it_was_read),
                  ("captures of the lab", samples),
                  ("an interface: real clients, a kill, a gap", live),
                  ("what cannot work is refused", refusals)]))
