"""What the daemon's tests share: starting it, talking to it, reading what it keeps, slicing a fleet by time."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
import patience  # noqa: E402 (lies above this folder)

# Generous: tests wait for conditions, and fail when one does not come about.
PATIENCE = patience.seconds(60)
# What a failing test leaves behind is ended by run().
RUNNING = []


class Daemon:
    def __init__(self, binary, folder, config, sets=(), env=None):
        self.binary = binary
        self.folder = pathlib.Path(folder)
        self.state = self.folder / "state"
        self.out = self.folder / "out.jsonl"
        self.log = self.folder / "log"
        self.config = config
        self.sets = list(sets)
        self.env = env or {}
        self.process = None
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        RUNNING.append(self)

    def start(self, env=None, wait=True):
        command = [self.binary, "serve", "-v", "-c", str(self.config), "--set", f"serve.state={self.state}",
                   "--set", f"serve.findings={self.out}",
                   "--set", f"serve.listen=127.0.0.1:{self.port}"]
        for one in self.sets:
            command += ["--set", one]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stderr=log, stdout=log, cwd=self.folder,
                                            env={**os.environ, **self.env, **(env or {})})
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                return self.status()
            except (OSError, ValueError):
                if self.process.poll() is not None:
                    raise AssertionError(f"the daemon ended with {self.process.returncode}: {self.tail()}") from None
                time.sleep(0.01)
        raise AssertionError(f"the daemon is not ready after {PATIENCE} s: {self.tail()}")

    def tail(self):
        return self.log.read_text(errors="replace")[-2000:]

    def ask(self, request, timeout=PATIENCE):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(timeout)
            s.connect(str(self.state / "control.sock"))
            s.sendall(request.encode() + b"\n")
            answer = b""
            while chunk := s.recv(65536):
                answer += chunk
        return answer.decode()

    def status(self):
        return json.loads(self.ask("status json"))

    def get(self, path):
        """Status and body of a GET over HTTP."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE) as r:
                return r.status, r.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    def settle(self):
        answer = self.ask("settle")
        assert answer == "ok\n", f"settling failed: {answer!r}; {self.tail()}"

    def wait_for(self, condition, what):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            status = self.status()
            if condition(status):
                return status
            time.sleep(0.02)
        raise AssertionError(f"{what}: not after {PATIENCE} s; {json.dumps(status)[:1500]}; {self.tail()}")

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=PATIENCE)
        took = time.monotonic() - began
        assert code == 0, f"SIGTERM ended it with {code}: {self.tail()}"
        assert took < patience.seconds(10), f"SIGTERM took {took:.1f} s"

    def database(self):
        return sqlite3.connect(f"file:{self.state / 'pinwatch.db'}?mode=ro", uri=True)

    def findings(self, present=True):
        with self.database() as db:
            rows = db.execute("SELECT json FROM finding" + (" WHERE present=1" if present else "")).fetchall()
        return {f["uid"]: f for f in (json.loads(row[0]) for row in rows)}


def delivered(path):
    """Lines of the file that findings are delivered to; a line that is none fails."""
    if not pathlib.Path(path).exists():
        return []
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]


def plain(finding, places=True):
    """Without revision; without places of evidence where files were rotated."""
    finding = dict(finding, revision=0)
    if not places:
        finding["evidence"] = [{k: v for k, v in e.items() if k not in ("path", "line")} for e in finding["evidence"]]
    return finding


def apart(a, b):
    """Where two values differ: of lists, from the first item that does."""
    if isinstance(a, list) and isinstance(b, list):
        at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        return f"from item {at} of {len(a)} and {len(b)}: {str(a[at:at + 2])[:400]} != {str(b[at:at + 2])[:400]}"
    return f"{str(a)[:300]} != {str(b)[:300]}"


def difference(expected, got, places=True):
    """Human words for how two sets of findings differ; empty where they do not."""
    words = []
    for uid in sorted(set(expected) | set(got)):
        a, b = expected.get(uid), got.get(uid)
        if a is None or b is None:
            which = "missing" if b is None else "beyond what was expected"
            words.append(f"{uid} {(a or b)['kind']} {(a or b)['verdict']} {(a or b)['destination']} is {which}")
            continue
        a, b = plain(a, places), plain(b, places)
        if a != b:
            keys = [k for k in a if a[k] != b[k]]
            words.append(f"{uid} {a['kind']}: {keys}; {keys[0]}: {apart(a[keys[0]], b[keys[0]])}")
    return "\n".join(words[:5] + ([f"and {len(words) - 5} more"] if len(words) > 5 else []))


def check_delivery(daemon):
    """Every finding that is shown was delivered as it stands; a revision never says two things."""
    seen = {}
    for f in delivered(daemon.out):
        key = (f["uid"], f["revision"])
        assert seen.setdefault(key, f) == f, f"revision {key} was delivered with two contents"
    with daemon.database() as db:
        assert db.execute("SELECT count(*) FROM outbox").fetchone()[0] == 0, "the outbox is not empty"
        for uid, revision, text in db.execute("SELECT uid,revision,json FROM finding_history"):
            if (uid, revision) in seen:
                assert seen[uid, revision] == json.loads(text), f"{uid} {revision} was delivered as something else"
    for uid, f in daemon.findings().items():
        if f["kind"] != "pinning" or f["verdict"] in ("confirmed", "suspected"):
            assert (uid, f["revision"]) in seen, f"{uid} revision {f['revision']} was never delivered"


def make_fleet(binary, folder, *options):
    subprocess.run([binary, "sim", "--out", str(folder), "-q", *options], check=True)
    return pathlib.Path(folder)


def scan(binary, config):
    done = subprocess.run([binary, "scan", "-c", str(config), "--all", "--output", "jsonl", "-q"],
                          stdout=subprocess.PIPE, check=False)
    return {f["uid"]: f for f in map(json.loads, done.stdout.splitlines())}


def when(unit, before):
    """Event time of a record's text, in seconds; of one that says none, that of the record before."""
    stamp = re.search(r"\b(1[0-9]{9})(\.[0-9]+)?\b", unit)
    if stamp:
        return float(stamp.group())
    stamp = re.search(r"(2026-\d\d-\d\dT\d\d:\d\d:\d\d)", unit)
    if stamp:
        return time.mktime(time.strptime(stamp.group(1), "%Y-%m-%dT%H:%M:%S")) - time.timezone
    return before


def slices(fleet, names, count):
    """Each file's text in `count` pieces of equal event time: a list of {name: text}."""
    units = []
    for name in names:
        text = (fleet / name).read_text()
        parts = re.findall(r".*?\n\n+|.+\n?\Z", text, re.S) if "radius" in name else text.splitlines(keepends=True)
        before = 0.0
        for part in parts:
            t = when(part, before)
            # A wrong clock's record stands where it was written.
            before = max(before, t) if before == 0.0 or t < before + 86400 else before
            units.append((before, name, part))
    times = [t for t, _, _ in units if t > 0]
    first, last = min(times), max(times)
    out = [{} for _ in range(count)]
    for t, name, part in units:
        at = min(count - 1, max(0, int((t - first) / (last - first + 1) * count)))
        out[at][name] = out[at].get(name, "") + part
    return out


class Folder:
    """A folder that is removed unless the test failed."""

    def __init__(self, name):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=f"pinwatch-{name}-"))

    def __enter__(self):
        return self.path

    def __exit__(self, kind, value, trace):
        if kind is None:
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            print(f"# kept for a look: {self.path}")


def run(tests):
    """Runs functions, prints TAP."""
    print(f"1..{len(tests)}")
    failed = 0
    for i, (name, test) in enumerate(tests, 1):
        try:
            test()
            print(f"ok {i} - {name}", flush=True)
        except Exception as error:  # a failing test is reported, whatever it failed with
            failed += 1
            print(f"not ok {i} - {name}")
            for line in f"{type(error).__name__}: {error}".splitlines():
                print(f"# {line}", flush=True)
        finally:
            while RUNNING:
                if RUNNING[-1].alive():
                    RUNNING[-1].kill()
                RUNNING.pop()
    return 1 if failed else 0
