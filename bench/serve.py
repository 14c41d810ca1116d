"""The daemon under load, with durability on.

    serve.py BINARY [RECORDS] [--write]

Measures in one run, beside what the machine does with the same bytes without a daemon (`pinwatch scan` of them; a plain sink
that takes them from a socket into a file and syncs it):

- how many records a second come in from a file, by syslog over TCP and over HTTP, read and made durable; what is lost (must be
  nothing); processor time a record
- how long it takes from a log line on its way in to its finding, delivered, while other records stream in
- resident memory after ten times the data, and day by day under a bounded history

and prints tables; --write puts them into docs/bench-serve.md. `PINWATCH_BENCH_CPUS=0,1` binds everything to two processors.
"""
import http.client
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

WRITE = "--write" in sys.argv
ARGS = [a for a in sys.argv[1:] if a != "--write"]
BINARY = ARGS[0] if ARGS else "build/pinwatch"
RECORDS = int(ARGS[1]) if len(ARGS) > 1 else 1_000_000
PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "bench-serve.md"
START = 1793527200.0
TICKS = os.sysconf("SC_CLK_TCK")
# Senders keep so many connections open, as relays do.
CONNECTIONS = 4


def stamp(t):
    ms = int(t * 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03}Z"


def canonical(when, port, device, host, rejected):
    tls = ',"alert":48,"alert_from":"client"' if rejected else ',"established":true'
    outcome = "client_reject" if rejected else "established"
    return (f'{{"kind":"tls_attempt","time":"{when}","source":"a","sensor":"inspection",'
            f'"device":{{"udid":"00008110-{device:016X}"}},"src_endpoint":{{"ip":"10.9.{device >> 8 & 255}.{device & 255}","port":{port}}},'
            f'"dst_endpoint":{{"hostname":"{host}","port":443}},"app":{{"bundle_id":"com.app{device % 97}"}},'
            f'"tls":{{"sni":"{host}","version":"1.3"{tls}}},"inspection":"intercepted","outcome":"{outcome}",'
            f'"count":1}}\n')


def background(n, begin, rate, first=0):
    """n records of ordinary traffic; event time runs at the rate."""
    return "".join(canonical(stamp(begin + i / rate), 1024 + (first + i) % 60000, (first + i) % 1000,
                             f"h{(first + i) % 211}.example.test", False) for i in range(n))


def chunks(n, step=1000, begin=START, rate=1000):
    return [background(min(step, n - at), begin + at / rate, rate, at).encode() for at in range(0, n, step)]


class Folder:
    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="pinwatch-bench-"))
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Daemon:
    def __init__(self, folder, source, sets=(), more=""):
        self.folder, self.state, self.out = folder, folder / "state", folder / "out.jsonl"
        self.port = free_port()
        (folder / "token").write_text("t")
        (folder / "pinwatch.yaml").write_text(f"sources:\n- {{name: a, format: canonical, {source}}}\n{more}")
        command = [BINARY, "serve", "-c", folder / "pinwatch.yaml", "--set", f"serve.state={self.state}", "--set",
                   f"serve.findings={self.out}", "--set", f"serve.listen=127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command + sum((["--set", s] for s in sets), []), stderr=open(folder / "log", "ab"))
        while True:
            try:
                self.status()
                return
            except (OSError, ValueError):
                if self.process.poll() is not None:
                    raise SystemExit((folder / "log").read_text()) from None
                time.sleep(0.01)

    def ask(self, request):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.state / "control.sock"))
            s.sendall(request.encode() + b"\n")
            answer = b""
            while chunk := s.recv(1 << 16):
                answer += chunk
        return answer.decode()

    def status(self):
        return json.loads(self.ask("status json"))

    def until(self, n, patience=300):
        """Waits until n records have been read."""
        end = time.monotonic() + patience
        while self.status()["records"] < n and time.monotonic() < end:
            time.sleep(0.02)

    def settle(self):
        answer = self.ask("settle")
        assert answer == "ok\n", answer

    def rss(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) * 1024

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def lost(self, n):
        return n - self.status()["sources"][0]["observations"]

    def stop(self):
        self.process.terminate()
        self.process.wait()


# ---- ways in. Each returns (sent, read, durable, cpu, lost): seconds since the first byte, processor seconds, records.

def measured(daemon, n, send):
    before, began = daemon.cpu(), time.monotonic()
    send()
    sent = time.monotonic() - began
    daemon.until(n)
    read = time.monotonic() - began
    cpu = daemon.cpu() - before
    daemon.settle()
    durable = time.monotonic() - began
    return sent, read, durable, cpu, daemon.lost(n)


def by_file(folder, data):
    (folder / "b").write_bytes(b"".join(data))
    d = Daemon(folder, "path: a.jsonl, max_lag: 1s")
    got = measured(d, RECORDS, lambda: (folder / "b").rename(folder / "a.jsonl"))
    journal = sum(x.stat().st_size for x in (d.state / "journal").iterdir()) / RECORDS
    d.stop()
    return got, journal


def shared_out(data, one):
    threads = [threading.Thread(target=one, args=(data[i::CONNECTIONS],)) for i in range(CONNECTIONS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def over_tcp(port):
    def one(data):
        with socket.create_connection(("127.0.0.1", port)) as s:
            for chunk in data:
                s.sendall(chunk)
            s.shutdown(socket.SHUT_WR)
            s.recv(1)  # until the other end has taken all and closes
    return one


def by_tcp(folder, data):
    port = free_port()
    d = Daemon(folder, f'listen: "tcp://127.0.0.1:{port}", max_lag: 10m')
    got = measured(d, RECORDS, lambda: shared_out(data, over_tcp(port)))
    d.stop()
    return got


def by_http(folder, data):
    d = Daemon(folder, "ingest: true, token_file: token, max_lag: 10m")

    def one(part):
        connection = http.client.HTTPConnection("127.0.0.1", d.port)
        for chunk in part:
            while True:
                connection.request("POST", "/api/v1/ingest/a", chunk,
                                   {"Authorization": "Bearer t", "Content-Type": "application/x-ndjson"})
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    break
                assert answer.status == 429, answer.status
                time.sleep(0.05)

    got = measured(d, RECORDS, lambda: shared_out(data, one))
    d.stop()
    return got


# ---- what it is held against

def plain_sink(folder, data):
    """A socket into a file, synced whenever nothing more is there: the least that durable taking in can cost."""
    server = socket.create_server(("127.0.0.1", 0))
    total = sum(map(len, data))

    def take():
        with open(folder / "sink", "wb", buffering=0) as f:
            left = CONNECTIONS
            connections = [server.accept()[0] for _ in range(CONNECTIONS)]
            while left > 0:
                for c in connections:
                    part = c.recv(1 << 20) if c.fileno() >= 0 else b""
                    f.write(part)
                    if not part and c.fileno() >= 0:
                        c.close()
                        left -= 1
                os.fdatasync(f.fileno())

    thread = threading.Thread(target=take)
    began = time.monotonic()
    thread.start()
    shared_out(data, over_tcp(server.getsockname()[1]))
    thread.join()
    took = time.monotonic() - began
    assert (folder / "sink").stat().st_size == total
    return took


def scanned(folder, data):
    (folder / "a.jsonl").write_bytes(b"".join(data))
    (folder / "scan.yaml").write_text("sources:\n- {name: a, format: canonical, path: a.jsonl}\n")
    began, before = time.monotonic(), os.times()
    subprocess.run([BINARY, "scan", "-q", "-c", folder / "scan.yaml"], stdout=subprocess.DEVNULL, check=False)
    took, after = time.monotonic() - began, os.times()
    return took, after.children_user + after.children_system - before.children_user - before.children_system


# ---- latency

def stream(port, rate, seconds, probe, hosts):
    """Ordinary records at a rate, from templates in which only the time is filled in."""
    step = 0.01
    each = max(1, int(rate * step))
    # Ends of connections come again only after all have been: what is alike is one connection.
    turns = max(50, min(int(seconds / step), 800_000 // each))
    templates = ["".join(canonical("@TIME@", 1024 + (k * each + i) % 60000, (k * each + i) % 1000,
                                   f"h{(k * each + i) % 211}.example.test", False) for i in range(each)).encode()
                 for k in range(turns)]
    written = 0
    with socket.create_connection(("127.0.0.1", port)) as s:
        began, turn = time.monotonic(), 0
        while (now := time.monotonic()) - began < seconds:
            when = stamp(time.time())
            text = templates[turn % turns].replace(b"@TIME@", when.encode())
            # One phone's app, which pins more and more hosts: many phones at once would be a fault of the gateway.
            if turn % 25 == 0 and now - began < seconds - 6:
                host = f"probe{turn}.test"
                text += "".join(canonical(when, 61100 + (turn * 3 + k) % 4000, 7, host, True)
                                for k in range(3)).encode()
                probe[host] = time.monotonic()
                hosts.append(host)
            s.sendall(text)
            turn += 1
            written += each
            # Behind its rate it does not sleep; what it managed is told.
            time.sleep(max(0.0, began + turn * step - time.monotonic()))
        return written / (time.monotonic() - began)


def latency(folder, rate, seconds):
    """A third refusal makes a finding: from its being sent to its line in the file of findings."""
    port = free_port()
    d = Daemon(folder, f'listen: "tcp://127.0.0.1:{port}", max_lag: 1s')
    sent, seen, hosts, stop = {}, {}, [], threading.Event()

    def watch():
        rest = b""
        while not d.out.exists() and not stop.is_set():
            time.sleep(0.005)
        with open(d.out, "rb") as f:
            while not stop.is_set():
                part = f.read()
                if not part:
                    time.sleep(0.005)
                    continue
                *lines, rest = (rest + part).split(b"\n")
                now = time.monotonic()
                for line in lines:
                    at = line.find(b'"host":"probe')
                    if at >= 0:
                        seen.setdefault(line[at + 8:line.index(b'"', at + 8)].decode(), now)

    thread = threading.Thread(target=watch)
    thread.start()
    managed = stream(port, rate, seconds, sent, hosts)
    end = time.monotonic() + 10
    while any(h not in seen for h in hosts) and time.monotonic() < end:
        time.sleep(0.05)
    stop.set()
    thread.join()
    cpu = d.cpu() / seconds
    d.stop()
    waits = sorted(seen[h] - sent[h] for h in hosts if h in seen)
    return managed, len(hosts), len(hosts) - len(waits), waits, cpu


# ---- memory

def memory(folder, n):
    port = free_port()
    d = Daemon(folder, f'listen: "tcp://127.0.0.1:{port}", max_lag: 10m')
    over_tcp(port)(chunks(n))
    d.until(n)
    d.settle()
    rss = d.rss()
    d.stop()
    return rss


def bounded(folder, days, each):
    """Days of event time one after another under a history of one: resident memory at the end of each."""
    port = free_port()
    d = Daemon(folder, f'listen: "tcp://127.0.0.1:{port}", max_lag: 1m', ["serve.history=1d", "limits.memory=256MiB"])
    out = []
    for day in range(days):
        over_tcp(port)(chunks(each, begin=START + day * 86400, rate=each / 86400))
        d.until((day + 1) * each)
        d.settle()
        out.append(d.rss())
    d.stop()
    return out


# ---- the page

def rate(n, seconds):
    return f"{n / seconds:,.0f}"


def main():
    if "PINWATCH_BENCH_CPUS" in os.environ:
        os.sched_setaffinity(0, {int(c) for c in os.environ["PINWATCH_BENCH_CPUS"].split(",")})
    cores = len(os.sched_getaffinity(0))
    began, load = time.monotonic(), os.getloadavg()[0]
    data = chunks(RECORDS)
    size = sum(map(len, data))
    lines = []

    def say(line=""):
        lines.append(line)
        print(line, flush=True)

    with Folder() as f:
        scan_wall, scan_cpu = scanned(f, data)
    with Folder() as f:
        sink = plain_sink(f, data)
    say(f"{RECORDS:,} canonical records of {size // RECORDS} bytes; {cores} processors, shared by senders and daemon; load "
        f"{load:.1f} when it began. Senders use {CONNECTIONS} connections and are Python: their work is in the rates.")
    say()
    say("| way in | taken, records/s | read | judged, durable, delivered | CPU µs a record | lost |")
    say("|---|---:|---:|---:|---:|---:|")
    say(f"| `pinwatch scan` of the same records | | | {rate(RECORDS, scan_wall)} | {scan_cpu / RECORDS * 1e6:.2f} | |")
    say(f"| plain sink: socket to synced file | {rate(RECORDS, sink)} | | | | |")
    tcp = 0
    for name, how in (("a file", by_file), ("syslog over TCP", by_tcp), ("HTTP, 1,000 records a request", by_http)):
        with Folder() as f:
            got = how(f, data)
        if how is by_file:
            got, journal = got
        sent, read, durable, cpu, lost = got
        taken = "" if how is by_file else rate(RECORDS, sent)
        tcp = RECORDS / sent if how is by_tcp else tcp
        assert lost == 0, f"{name}: {lost} records are lost"
        say(f"| {name} | {taken} | {rate(RECORDS, read)} | {rate(RECORDS, durable)} | {cpu / RECORDS * 1e6:.2f} | {lost} |")
    say()
    say(f"The aim, 200,000 records/s taken by syslog over TCP, is {'met' if tcp >= 200e3 else 'missed'}. Taken by syslog: whole in the "
        f"spool, whose sync follows; by HTTP: synced. A record takes {journal:.0f} bytes of the journal.")
    say()
    say("From sending a line to its finding in the file of findings, max_lag 1 s, syslog over TCP, durable before it is delivered:")
    say()
    say("| records/s meanwhile | p50 | p99 | worst | findings | missing | CPUs used | p99 under 2 s |")
    say("|---:|---:|---:|---:|---:|---:|---:|---|")
    for wanted in (1_000, 10_000, 50_000, 100_000):
        with Folder() as f:
            managed, sent, missing, waits, cpu = latency(f, wanted, 20)
        p99 = waits[min(len(waits) - 1, len(waits) * 99 // 100)]
        say(f"| {managed:,.0f} | {statistics.median(waits):.2f} s | {p99:.2f} s | {waits[-1]:.2f} s | {sent} | {missing} | {cpu:.2f} | "
            f"{'met' if p99 < 2 and missing == 0 else 'missed'} |")
    say()
    with Folder() as f:
        small = memory(f, RECORDS // 10)
    with Folder() as f:
        large = memory(f, RECORDS)
    say(f"Resident memory is {small / 1e6:.0f} MB after {RECORDS // 10:,} records and {large / 1e6:.0f} MB after {RECORDS:,}: "
        f"{(large - small) / (RECORDS * 0.9):.0f} bytes for each further one, while history holds all of them.")
    days = 8
    with Folder() as f:
        rss = bounded(f, days, RECORDS // 5)
    say(f"Under `serve.history: 1d`, {RECORDS // 5:,} records a day, at the end of each of {days} days, in MB: "
        f"{', '.join(f'{x / 1e6:.0f}' for x in rss)}.")
    if WRITE:
        write(lines, time.monotonic() - began)


def write(lines, took):
    text = PAGE.read_text() if PAGE.exists() else HEAD
    before, rest = text.split("<!-- figures -->\n", 1)
    after = rest.split("<!-- end of figures -->", 1)[1]
    model = next((x.split(":", 1)[1].strip() for x in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if x.startswith("model name")), "an unknown processor")
    lines = [f"Measured in {took:.0f} s on {model}."] + lines
    PAGE.write_text(before + "<!-- figures -->\n" + "\n".join(lines) + "\n<!-- end of figures -->" + after)


HEAD = """# The daemon under load

`make bench-serve` measures this; `make bench-serve BENCH_ARGS=--write` writes this page. All is measured in one run, beside a scan of the same
records and a plain sink that syncs them into a file.

<!-- figures -->
<!-- end of figures -->

The rates are the machine's at that moment: on processors that others use too, waiting for one is in every figure but processor time.
Where a finding waits: for `max_lag`; up to 125 ms for the step in which records are released; up to `judge_every` (0.1 s), or three
times what a judgement takes, for the next judgement; for that judgement, which makes facts of all attempts that are held, but judges only findings that stand on something new; for the
checkpoint that makes it durable.
"""


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    main()
