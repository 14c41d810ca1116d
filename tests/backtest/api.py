"""Backtests over HTTP, on a daemon that runs: api.py PINWATCH

If it fails, what the API answers is not what the command line says of the same past, a request reads a file of the daemon's
machine, or one that is wrong is not refused in words.
"""
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

for folder in ("daemon", "api"):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / folder))
from api import DOCUMENT  # noqa: E402
from daemon import PATIENCE, Daemon, Folder, make_fleet, run  # noqa: E402

BINARY = os.path.abspath(sys.argv[1])


class Local(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(str(self.path))


def call(d, method, body=None, target="/api/v1/backtest"):
    c = Local(d.state / "api.sock")
    c.request(method, target, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
    r = c.getresponse()
    text = r.read().decode()
    c.close()
    path = target.removeprefix("/api/v1").split("?")[0]
    DOCUMENT.check(DOCUMENT.operation(method, path), r.status, dict(r.getheaders()), text)
    return r.status, json.loads(text)


def backtest(*words):
    return json.loads(subprocess.run([BINARY, "backtest", "-q", "-o", "json", *words], stdout=subprocess.PIPE, check=True,
                                     text=True).stdout)


def ended(d):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        status, answer = call(d, "GET")
        assert status == 200, answer
        if answer["state"] != "running":
            return answer
    raise AssertionError(f"it runs after {PATIENCE} s: {answer}")


def same_as_the_command_line():
    with Folder("backtest-api") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "10", "--days", "3")
        d = Daemon(BINARY, folder, fleet / "pinwatch.yaml").start()
        d.settle()
        assert call(d, "GET") == (200, {"id": 0, "state": "none", "judged": 0, "to_judge": 0, "error": None, "result": None})
        assert call(d, "DELETE")[0] == 409
        wanted = {"set": ["AllowedAppList=[{app: com.acme.bank, expires: 2026-11-17}]"],
                  "sweep": ["InspectionFailureThreshold=2..5", "TimeWindow=5m,40m"],
                  "since": "2026-11-16T12:00:00Z", "until": "2026-11-18", "all": True}
        status, answer = call(d, "POST", wanted)
        assert status == 202 and answer["id"] == 1 and answer["to_judge"] == 9, answer
        answer = ended(d)
        assert answer["state"] == "done" and answer["judged"] == 9, answer
        words = [w for key in ("set", "sweep") for one in wanted[key] for w in ("--" + key, one)]
        result = backtest("--all", "-c", fleet / "pinwatch.yaml", "--state", d.state, "--since", wanted["since"], "--until",
                          wanted["until"], *words)
        assert answer["result"] == result, "the API says something else than the command line"
        assert any(s["changes"] for s in answer["result"]["settings"]), "nothing changes: that shows nothing"
        (rows,) = [call(d, "GET", target="/api/v1/audit?action=backtest.start")[1]["audit"]]
        assert len(rows) == 1 and "InspectionFailureThreshold=2..5" in json.dumps(rows[0]), rows
        d.stop()


def in_force_follows_a_reload():
    with Folder("backtest-api") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "6", "--days", "2")
        d = Daemon(BINARY, folder, fleet / "pinwatch.yaml").start()
        d.settle()
        (fleet / "apps.yaml").write_text("- {app: com.*, owner: o, reason: r, expires: 2027-01-01}\n")
        until = time.monotonic() + PATIENCE
        while "reload: " not in d.tail() and time.monotonic() < until:
            time.sleep(0.02)
        d.settle()
        assert call(d, "POST", {"set": ["AllowedAppList=[]"]})[0] == 202
        answer = ended(d)
        before, after = answer["result"]["settings"]
        assert before["findings"]["expected"] > after["findings"]["expected"], answer["result"]
        assert all(c["reasons"][0] == "entry com.* of AllowedAppList no longer covers it"
                   for c in after["changes"] if c["change"] == "gained" and c["kind"] == "pinning"), after["changes"]
        assert after["gained"] > 0
        d.stop()


def entries_of_the_database():
    """An entry that was put into the database is in force, for the API as for the command line, and hides what it covers."""
    with Folder("backtest-api") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "8", "--days", "2")
        d = Daemon(BINARY, folder, fleet / "pinwatch.yaml").start()
        d.settle()
        words = ["-c", fleet / "pinwatch.yaml", "--state", d.state, "--set", "AllowedAppList=[]"]
        before = backtest(*words)["settings"]
        status, answer = call(d, "POST", {"app": "com.acme.bank", "owner": "o", "reason": "r",
                                          "expires": "2037-01-01"}, "/api/v1/allow-list")
        assert status in (200, 201), answer
        d.settle()
        after = backtest(*words)["settings"]
        assert call(d, "POST", {"set": ["AllowedAppList=[]"]})[0] == 202
        assert ended(d)["result"]["settings"] == after
        assert after[0]["settings"]["AllowedAppList"] == before[0]["settings"]["AllowedAppList"] + 1, after[0]
        assert after[1]["gained"] == before[1]["gained"] + 1, after[1]
        (bank,) = [c for c in after[1]["changes"] if c["app"] == "com.acme.bank" and c["change"] == "gained"]
        assert bank["reasons"][0] == "entry com.acme.bank of AllowedAppList no longer covers it", bank
        d.stop()


def refused():
    with Folder("backtest-api") as folder:
        (folder / "a.jsonl").write_text("")
        (folder / "secret.yaml").write_text("- {app: com.secret}\n")
        (folder / "pinwatch.yaml").write_text("sources: [{name: a, path: a.jsonl, format: canonical}]\n")
        d = Daemon(BINARY, folder, folder / "pinwatch.yaml").start()
        d.settle()
        for body, words in (({}, "nothing to try"), ({"set": []}, "nothing to try"), ({"set": ["x=1"]}, "mutable elements"),
                            ({"set": ["TimeWindow"]}, "ELEMENT=VALUE"), ({"set": ["TimeWindow=5"]}, "needs a unit"),
                            ({"set": ["score_window=5m"]}, "mutable elements"), ({"set": "TimeWindow=5m"}, "set"),
                            ({"sweep": ["InspectionFailureThreshold=1..100"]}, "more than 64"),
                            ({"sweep": ["InspectionFailureThreshold=9..1"]}, "smaller"),
                            ({"sweep": ["InspectionFailureThreshold=0..1"]}, "InspectionFailureThreshold"),
                            ({"set": ["TimeWindow=5m", "TimeWindow=6m"]}, "given twice"),
                            ({"set": ["TimeWindow=5m"], "sweep": ["TimeWindow=5m,6m"]}, "given twice"),
                            ({"set": [f"AllowedAppList={folder}/secret.yaml"]}, "list of entries"),
                            ({"set": [f"AllowedAppList=[{folder}/nothing.yaml]"]}, "list of entries"),
                            ({"set": ["TimeWindow=5m"], "since": "yesterday"}, "expected a time"),
                            ({"set": ["TimeWindow=5m"], "since": "2026-01-02", "until": "2026-01-01"}, "ends after"),
                            ({"set": ["TimeWindow=5m"], "more": 1}, "more"), ({"set": ["TimeWindow=\u0000"]}, "control")):
            status, answer = call(d, "POST", body)
            assert status == 400 and words in answer["error"]["message"], (body, status, answer)
            assert "secret" not in json.dumps(answer) and "No such file" not in json.dumps(answer), answer
        assert call(d, "GET")[1]["id"] == 0, "one that was refused has begun"
        # A past that holds nothing is a job that failed, in words.
        assert call(d, "POST", {"set": ["TimeWindow=5m"]})[0] == 202
        answer = ended(d)
        assert answer["state"] == "failed" and "no observation yet" in answer["error"] and answer["result"] is None, answer
        assert call(d, "GET", target="/api/v1/backtest?x=1")[0] == 400
        d.stop()


def cancelled():
    """Cancelled or done, as chance has it: both are said, and the next one begins."""
    with Folder("backtest-api") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "20", "--days", "4")
        d = Daemon(BINARY, folder, fleet / "pinwatch.yaml").start()
        d.settle()
        states = set()
        for _ in range(20):
            assert call(d, "POST", {"sweep": ["InspectionFailureThreshold=1..64"]})[0] == 202
            status, answer = call(d, "POST", {"set": ["TimeWindow=5m"]})
            assert status in (202, 409), answer
            if call(d, "DELETE")[0] == 200:
                states.add(ended(d)["state"])
            if "cancelled" in states:
                break
        assert "cancelled" in states, states
        assert call(d, "POST", {"set": ["TimeWindow=5m"]})[0] == 202 and ended(d)["state"] == "done"
        missing = {(op["operationId"], int(s)) for op in DOCUMENT.operations.values() for s in op["responses"]
                   if op.get("x-elsewhere") == "tests/backtest/api.py" and s.startswith("2")} - DOCUMENT.seen
        assert not missing, f"described, but never seen: {missing}"
        d.stop()


def ends_with_the_daemon():
    """SIGTERM while one runs: the daemon ends in time all the same."""
    with Folder("backtest-api") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "20", "--days", "4")
        d = Daemon(BINARY, folder, fleet / "pinwatch.yaml").start()
        d.settle()
        assert call(d, "POST", {"sweep": ["InspectionFailureThreshold=1..64"]})[0] == 202
        d.stop()


if __name__ == "__main__":
    sys.exit(run([("the API says what the command line says", same_as_the_command_line),
                  ("what is in force follows a reload", in_force_follows_a_reload),
                  ("entries of the database are in force", entries_of_the_database),
                  ("wrong requests are refused in words, and read no file", refused),
                  ("one is cancelled, and all answers are as described", cancelled),
                  ("the daemon ends while one runs", ends_with_the_daemon)]))
