"""The daemon under load, with durability on.

    serve.py BINARY [RECORDS]

Prints, as a table in Markdown: how many records a second are taken in from a backlog and followed live, what was lost
(must be nothing), how long it takes from a log line to its finding while records stream in, and resident memory after
ten times the data.
"""
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

BINARY = sys.argv[1]
RECORDS = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
START = 1793527200.0


def canonical(t, port, device, host, rejected):
    ms = int(t * 1000)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03}Z"
    tls = ',"alert":48,"alert_from":"client"' if rejected else ',"established":true'
    outcome = "client_reject" if rejected else "established"
    return (f'{{"kind":"tls_attempt","time":"{stamp}","source":"a","sensor":"inspection",'
            f'"device":{{"udid":"00008110-{device:016X}"}},"src_endpoint":{{"ip":"10.9.{device >> 8 & 255}.{device & 255}","port":{port}}},'
            f'"dst_endpoint":{{"hostname":"{host}","port":443}},"app":{{"bundle_id":"com.app{device % 97}"}},'
            f'"tls":{{"sni":"{host}","version":"1.3"{tls}}},"inspection":"intercepted","outcome":"{outcome}",'
            f'"count":1}}\n')


def background(n, begin, rate):
    """n records of ordinary traffic; event time runs at the rate."""
    out = []
    for i in range(n):
        out.append(canonical(begin + i / rate, 1024 + i % 60000, i % 1000, f"h{i % 211}.example.test", False))
    return "".join(out)


class Daemon:
    def __init__(self, folder, sets=()):
        self.folder = pathlib.Path(folder)
        self.state = self.folder / "state"
        self.out = self.folder / "out.jsonl"
        command = [BINARY, "serve", "-c", self.folder / "pinwatch.yaml", "--set", f"serve.state={self.state}",
                   "--set", f"serve.findings={self.out}",
                   "--set", "serve.listen=127.0.0.1:18443", *sum((["--set", s] for s in sets), [])]
        self.process = subprocess.Popen(command, stderr=open(self.folder / "log", "ab"))
        self.status(wait=True)

    def ask(self, request):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.state / "control.sock"))
            s.sendall(request.encode() + b"\n")
            answer = b""
            while chunk := s.recv(1 << 16):
                answer += chunk
        return answer.decode()

    def status(self, wait=False):
        while True:
            try:
                return json.loads(self.ask("status json"))
            except (OSError, ValueError):
                if not wait or self.process.poll() is not None:
                    raise
                time.sleep(0.02)

    def rss(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) * 1024

    def stop(self):
        self.process.terminate()
        self.process.wait()


def source(folder, options="max_lag: 1s"):
    (folder / "pinwatch.yaml").write_text(
        f"sources:\n- {{name: a, path: a.jsonl, format: canonical, {options}}}\n")


def backlog(folder, n):
    """A file that is there already, to the checkpoint that holds all of it."""
    source(folder)
    step = 50_000
    with open(folder / "a.jsonl", "w") as f:
        for at in range(0, n, step):
            f.write(background(min(step, n - at), START + at / 1000, 1000))
    began = time.monotonic()
    d = Daemon(folder)
    while d.status()["records"] < n:
        time.sleep(0.05)
    read = time.monotonic() - began
    assert d.ask("settle") == "ok\n"
    kept = time.monotonic() - began
    s = d.status()["sources"][0]
    lost = n - s["observations"]
    rss = d.rss()
    d.stop()
    journal = sum(x.stat().st_size for x in (d.state / "journal").iterdir())
    return read, kept, lost, rss, journal


def pushed(folder, n, way):
    """Records sent as fast as they are taken, to the moment when all have been read and are durable."""
    port = 18514
    (folder / "token").write_text("t")
    how = f'listen: "tcp://127.0.0.1:{port}"' if way == "tcp" else "ingest: true, token_file: token"
    (folder / "pinwatch.yaml").write_text(f"sources:\n- {{name: a, {how}, format: canonical, max_lag: 1s}}\n")
    chunks = [background(1000, START + at / 1000, 1000).encode() for at in range(0, n, 1000)]
    d = Daemon(folder)
    began = time.monotonic()
    if way == "tcp":
        with socket.create_connection(("127.0.0.1", port)) as s:
            for chunk in chunks:
                s.sendall(chunk)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", 18443)
        for chunk in chunks:
            while True:
                connection.request("POST", "/api/v1/ingest/a", chunk,
                                   {"Authorization": "Bearer t", "Content-Type": "application/x-ndjson"})
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    break
                assert answer.status == 429, answer.status
                time.sleep(0.05)
    sent = time.monotonic() - began
    while (s := d.status()["sources"][0])["records"] < n and time.monotonic() - began < 300:
        time.sleep(0.02)
    read = time.monotonic() - began
    d.stop()
    return sent, read, n - s["observations"]


def latency(folder, rate, seconds):
    """A line a probe, among ordinary traffic written at `rate`; from the write of its last failure to its delivery."""
    source(folder)
    log = folder / "a.jsonl"
    log.touch()
    d = Daemon(folder)
    sent, seen, stop = {}, {}, threading.Event()

    def watch():
        at = 0
        while not stop.is_set():
            if d.out.exists():
                with open(d.out) as f:
                    f.seek(at)
                    for line in f:
                        if not line.endswith("\n"):
                            break
                        at += len(line.encode())
                        host = (json.loads(line)["destination"] or {}).get("host", "")
                        seen.setdefault(host, time.monotonic())
            time.sleep(0.01)

    thread = threading.Thread(target=watch)
    thread.start()
    began, probe, written = time.monotonic(), 0, 0
    with open(log, "a") as f:
        while (now := time.monotonic()) - began < seconds:
            wall = time.time()
            due = int((now - began) * rate) - written
            text = "".join(canonical(wall, 1024 + (written + i) % 60000, (written + i) % 1000,
                                     f"h{(written + i) % 211}.example.test", False) for i in range(due))
            written += due
            if now - began > probe * 0.25 and now - began < seconds - 6:
                host = f"probe{probe}.test"
                text += "".join(canonical(wall, 61100 + (probe * 3 + k) % 4000, probe % 1000, host, True) for k in range(3))
                sent[host] = time.monotonic()
                probe += 1
            f.write(text)
            f.flush()
            time.sleep(0.01)
    time.sleep(3)
    stop.set()
    thread.join()
    missing = [h for h in sent if h not in seen]
    waits = sorted(seen[h] - sent[h] for h in sent if h in seen)
    d.stop()
    return written, len(sent), len(missing), waits


def main():
    print("| what | figure |\n|---|---|")
    for n in (RECORDS // 10, RECORDS):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="pinwatch-bench-"))
        read, kept, lost, rss, journal = backlog(folder, n)
        print(f"| backlog of {n:,} records from a file, read | {n / read:,.0f} records/s |")
        print(f"| ... judged and durable | {n / kept:,.0f} records/s, {lost} lost |")
        print(f"| ... resident memory, journal | {rss / 1e6:,.0f} MB, {journal / n:.1f} bytes a record |", flush=True)
        shutil.rmtree(folder)
    for way, name in (("tcp", "syslog over TCP"), ("http", "HTTP, 1,000 a request, one sender")):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="pinwatch-bench-"))
        sent, read, lost = pushed(folder, RECORDS, way)
        print(f"| {name}: in the spool, synced | {RECORDS / sent:,.0f} records/s |")
        print(f"| ... read | {RECORDS / read:,.0f} records/s, {lost} lost |", flush=True)
        shutil.rmtree(folder)
    for rate in (1000, 10000):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="pinwatch-bench-"))
        written, sent, missing, waits = latency(folder, rate, 20)
        p50, p99 = waits[len(waits) // 2], waits[min(len(waits) - 1, len(waits) * 99 // 100)]
        print(f"| log line to delivered finding, {rate:,} records/s, max_lag 1 s | p50 {p50:.2f} s, p99 {p99:.2f} s "
              f"({sent} probes, {missing} missing, {written:,} records) |", flush=True)
        shutil.rmtree(folder)


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    main()
