"""Many at once, and those who listen.

Fails if a hundred clients get anything but their answers, if memory grows with requests, if a listener misses a change, hears one
twice, or hears more than it may, if one that is slow holds others up, or if the number of streams is not bounded.
"""
import http.client
import json
import random
import socket
import sys
import threading
import time

from api import Client, Folder, World, run
from daemon import PATIENCE, patience

CLIENTS = 100
WORLD = []


def world():
    return WORLD[0]


def resident(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmRSS"))


def hundred_at_once():
    w = world()
    uids = w.uids(all="true")
    failures, counts = [], [0] * CLIENTS

    def one(number, seed, rounds):
        rng = random.Random(seed)
        role = ["viewer", "analyst", "admin"][number % 3]
        client = w.client(role)
        try:
            for i in range(rounds):
                uid = rng.choice(uids)
                what = rng.random()
                if what < 0.5:
                    client.get("/findings", limit=20, sort=rng.choice(["-risk", "app", "-last_seen"]))
                elif what < 0.8:
                    assert client.get(f"/findings/{uid}")["finding"]["uid"] == uid
                elif what < 0.9:
                    client.get("/status")
                else:
                    expect = 403 if role == "viewer" else 200
                    client.post(f"/findings/{uid}/assign", {"assignee": f"a-{number}-{i}"}, expect=expect)
                counts[number] += 1
        except Exception as error:  # reported by the main thread
            failures.append(f"{role} {number}: {type(error).__name__}: {error}")
        finally:
            client.close()

    def crowd(seed, rounds):
        threads = [threading.Thread(target=one, args=(n, seed * 1000 + n, rounds)) for n in range(CLIENTS)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert not failures, failures[:3]

    crowd(1, 8)  # caches fill
    before = resident(w.daemon.process.pid)
    began = time.monotonic()
    for seed in (2, 3, 4):
        crowd(seed, 4)
    took = time.monotonic() - began
    after = resident(w.daemon.process.pid)
    assert sum(counts) == (8 + 3 * 4) * CLIENTS, sum(counts)
    print(f"# {3 * 4 * CLIENTS} requests of {CLIENTS} clients in {took:.1f} s; resident {before >> 20} MiB, then {after >> 20} MiB")
    assert after - before < 12 << 20, f"memory grew from {before} to {after}"
    for stats in (w.client("viewer").get("/status"),):
        assert stats["state"] == "ready", stats


class Listener:
    """Reads a stream in a thread."""

    def __init__(self, port, token, last=None, after=None):
        self.events, self.beats, self.ended = [], 0, False
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {token}"}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        self.connection.request("GET", "/api/v1/events" + (f"?after={after}" if after is not None else ""), headers=headers)
        self.response = self.connection.getresponse()
        if self.response.status == 200:
            assert self.response.getheader("Content-Type") == "text/event-stream"
            self.thread = threading.Thread(target=self.read, daemon=True)
            self.thread.start()

    def read(self):
        event = {}
        try:
            while line := self.response.readline():
                line = line.decode().rstrip("\n")
                if line.startswith(":"):
                    self.beats += 1
                elif line:
                    key, _, value = line.partition(": ")
                    event[key] = value
                else:
                    if "data" in event:
                        self.events.append((int(event["id"]), event["event"], json.loads(event["data"])))
                    event = {}
        except (OSError, ValueError, http.client.HTTPException, AttributeError):
            pass
        self.ended = True

    def wait(self, condition, what):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if condition(self):
                return
            time.sleep(0.01)
        raise AssertionError(f"{what}: {self.events[-3:]}")

    def close(self):
        if self.connection.sock:
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.connection.close()


def listening():
    w = world()
    viewer, analyst = w.tokens["viewer"], w.client("analyst")
    uid = w.uids()[0]
    a = Listener(w.daemon.port, viewer)
    began = time.monotonic()
    analyst.post(f"/findings/{uid}/comments", {"text": "line one\nline two"}, expect=201)
    a.wait(lambda x: x.events, "a comment is heard of")
    assert time.monotonic() - began < patience.seconds(5), "a change is heard of late"
    number, kind, data = a.events[0]
    assert kind == "comment" and data["change"]["uid"] == uid and data["change"]["text"] == "line one\nline two", data
    for i in range(30):
        analyst.post(f"/findings/{uid}/assign", {"assignee": f"n-{i}"})
    a.wait(lambda x: len(x.events) == 31, "all changes are heard of")
    assert [e[0] for e in a.events] == sorted({e[0] for e in a.events}), "out of order, or twice"
    assert [e[2]["change"]["triage"]["assignee"] for e in a.events[1:]] == [f"n-{i}" for i in range(30)]
    # Back behind the tenth.
    b = Listener(w.daemon.port, viewer, last=a.events[10][0])
    b.wait(lambda x: len(x.events) == 20, "what was missed is told")
    assert b.events == a.events[11:]
    c = Listener(w.daemon.port, viewer, after=number)
    c.wait(lambda x: len(x.events) == 30, "after= is as Last-Event-ID")
    # Findings themselves.
    seen = Listener(w.daemon.port, viewer, after=0)
    seen.wait(lambda x: len([e for e in x.events if e[1] == "finding"]) >= len(w.uids()), "findings are heard of")
    lost = Listener(w.daemon.port, viewer, last=10 ** 15)
    lost.wait(lambda x: x.events, "lost is said")
    assert lost.events[0][1] == "lost", lost.events
    for wrong in ("x", "-1", "1.5"):
        r = Listener(w.daemon.port, viewer, last=wrong).response
        assert r.status == 400, (wrong, r.status)
    for one in (a, b, c, seen, lost):
        one.close()


def no_longer_allowed():
    w = world()
    admin = w.client("admin")
    admin.post("/users", {"name": "ears", "role": "viewer"}, expect=201)
    token = admin.post("/users/ears/tokens", {}, expect=201)
    ears = Listener(w.daemon.port, token["token"])
    uid = w.uids()[0]
    admin.post(f"/findings/{uid}/comments", {"text": "for all"}, expect=201)
    ears.wait(lambda x: x.events, "heard while it may")
    assert admin.call("DELETE", f"/users/ears/tokens/{token['id']}").status == 200
    admin.post(f"/findings/{uid}/comments", {"text": "not for ears"}, expect=201)
    ears.wait(lambda x: x.ended, "the stream ends")
    assert "not for ears" not in str(ears.events), "told more than it may hear"


def bounded():
    """As many as may, and one that reads nothing: others hear all the same."""
    w = world()
    uid = w.uids()[0]
    streams = []
    while len(streams) < 65:
        one = Listener(w.daemon.port, w.tokens["viewer"])
        if one.response.status != 200:
            break
        streams.append(one)
    assert 1 < len(streams) <= 64 and one.response.status == 503, (len(streams), one.response.status)
    deaf = streams.pop()
    deaf.close()
    silent = socket.create_connection(("127.0.0.1", w.daemon.port))
    silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    analyst = w.client("analyst")
    before = resident(w.daemon.process.pid)
    until = time.monotonic() + PATIENCE
    # The place is free once the heartbeat has found the other gone.
    while time.monotonic() < until:
        silent.sendall(f"GET /api/v1/events?after=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {w.tokens['viewer']}\r\n\r\n".encode())
        head = silent.recv(12)
        if head.endswith(b"200"):
            break
        silent.close()
        time.sleep(0.2)
        silent = socket.create_connection(("127.0.0.1", w.daemon.port))
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    assert head.endswith(b"200"), head
    streams[0].wait(lambda x: x.beats > 0, "a heartbeat while nothing changes")
    for i in range(100):
        analyst.post(f"/findings/{uid}/comments", {"text": f"{i} " + "x" * 8000}, expect=201)
    for one in streams:
        one.wait(lambda x: len([e for e in x.events if e[1] == "comment"]) >= 100, "all hear, though one is slow")
    after = resident(w.daemon.process.pid)
    assert after - before < 64 << 20, f"memory grew from {before} to {after}"
    silent.close()
    for one in streams:
        one.close()
    began = time.monotonic()
    w.daemon.stop()
    assert time.monotonic() - began < patience.seconds(10)


TESTS = [("a hundred clients at once, and memory stays", hundred_at_once),
         ("listening: nothing missed, nothing twice", listening),
         ("who may no longer hear is told nothing more", no_longer_allowed),
         ("streams are bounded, and a slow one holds nobody up", bounded)]


def main():
    patience.measure_memory()
    with Folder("api-crowd") as folder:
        WORLD.append(World(folder))
        try:
            code = run(TESTS)
        finally:
            world().close()
        return code


if __name__ == "__main__":
    sys.exit(main())
