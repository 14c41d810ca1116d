"""The daemon end to end on a simulated fleet.

Fails if its findings are not those of a scan of the same files, if a restart changes anything, if SIGTERM does not
end it, or if two daemons take one state.
"""
import os
import json
import re
import subprocess
import sys
import time

from daemon import Daemon, Folder, check_delivery, difference, make_fleet, scan

BINARY = os.path.abspath(sys.argv[1])
def same_as_scan():
    with Folder("serve") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "25", "--days", "3")
        expected = scan(BINARY, fleet / "pinwatch.yaml")
        assert len(expected) > 20, f"the fleet gives only {len(expected)} findings"
        d = Daemon(BINARY, folder, fleet / "pinwatch.yaml").start()
        d.settle()
        words = difference(expected, d.findings())
        assert not words, words
        check_delivery(d)
        before = d.findings(present=False)
        status = d.status()
        assert status["state"] == "ready" and status["watermark"] >= status["newest"], status
        d.stop()
        d.start()
        d.settle()
        assert d.findings(present=False) == before, "a restart revised findings"
        again = {s["name"]: s for s in d.status()["sources"]}
        for s in status["sources"]:
            for key in ("records", "observations", "rejected", "quarantined", "irrelevant", "last"):
                assert again[s["name"]][key] == s[key], f"{s['name']}: {key} changed over a restart"
        check_delivery(d)
        d.stop()


def one_state_one_daemon():
    with Folder("serve") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "3", "--days", "1")
        d = Daemon(BINARY, folder, fleet / "pinwatch.yaml").start()
        second = subprocess.run([BINARY, "serve", "-c", fleet / "pinwatch.yaml", "--set", f"serve.state={d.state}"],
                                stderr=subprocess.PIPE, text=True, check=False, timeout=30)
        assert second.returncode == 3 and "another pinwatch serve" in second.stderr, second
        d.stop()


def health_and_metrics():
    """Each number that the status shows is in the metrics; every line of them is of the text format."""
    with Folder("serve") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "8", "--days", "1")
        d = Daemon(BINARY, folder, fleet / "pinwatch.yaml").start()
        d.settle()
        assert d.get("/healthz")[0] == 200 and d.get("/readyz")[0] == 200
        assert d.get("/nothing")[0] == 404
        until = time.monotonic() + 30
        want = {s["name"]: s["records"] for s in d.status()["sources"]}
        while time.monotonic() < until:
            code, text = d.get("/metrics")
            got = {m[0]: int(m[1]) for m in re.findall(r'^pinwatch_records_total\{source="([^"]+)"\} (\d+)$', text, re.M)}
            verdicts = dict(re.findall(r'^pinwatch_findings\{verdict="(\w+)"\} (\d+)$', text, re.M))
            if got == want and {k: int(v) for k, v in verdicts.items()} == d.status()["findings"]:
                break
            time.sleep(0.05)
        assert code == 200 and got == want, (got, want)
        typed = set()
        for line in text.splitlines():
            if m := re.fullmatch(r"# TYPE (pinwatch_\w+) (counter|gauge)", line):
                typed.add(m.group(1))
            elif not line.startswith("# HELP "):
                m = re.fullmatch(r'(pinwatch_\w+)(\{\w+="([^"\\\n]|\\.)*"\})? -?[0-9.]+(e[-+]?[0-9]+)?', line)
                assert m and m.group(1) in typed, line
        for name in ("late", "too_late", "rejected", "quarantined", "evicted", "records"):
            assert f"pinwatch_{name}_total" in typed, name
        for name in ("watermark_seconds", "cases", "memory_bytes", "findings", "outbox_depth", "checkpoint_seconds",
                     "source_lag_seconds", "source_silence_seconds", "source_silent"):
            assert f"pinwatch_{name}" in typed, name
        verdicts = dict(re.findall(r'^pinwatch_findings\{verdict="(\w+)"\} (\d+)$', text, re.M))
        assert {k: int(v) for k, v in verdicts.items()} == d.status()["findings"], verdicts
        d.stop()


def late_and_too_late():
    """Behind the watermark but within TimeWindow is used and revises; older is counted and a dead letter."""
    with Folder("serve") as folder:
        log = folder / "a.jsonl"
        (folder / "pinwatch.yaml").write_text("sources: [{name: a, path: a.jsonl, max_lag: 1s, format: canonical}]\n")

        def attempt(minute, port, second=0):
            return json.dumps({
                "kind": "tls_attempt", "time": f"2026-11-01T10:{minute:02}:{second:02}Z", "source": "a",
                "sensor": "inspection", "device": {"udid": "00008110-000A11112222801E"},
                "src_endpoint": {"ip": "10.1.1.1", "port": port},
                "dst_endpoint": {"hostname": "api.bank.test", "port": 443},
                "app": {"bundle_id": "com.acme.bank"},
                "tls": {"sni": "api.bank.test", "alert": 48, "alert_from": "client"},
                "inspection": "intercepted", "outcome": "client_reject", "count": 1}) + "\n"

        log.write_text(attempt(30, 1001) + attempt(30, 1002, 20))
        d = Daemon(BINARY, folder, folder / "pinwatch.yaml").start()
        d.settle()
        (finding,) = d.findings().values()
        assert finding["devices"][0]["failures"] == 2, finding["devices"]
        with open(log, "a") as f:
            f.write(attempt(25, 1003) + attempt(5, 1004))
        d.settle()
        status = d.status()["sources"][0]
        assert (status["late"], status["too_late"]) == (1, 1), status
        (revised,) = d.findings().values()
        assert revised["devices"][0]["failures"] == 3, revised["devices"]
        assert revised["revision"] > finding["revision"]
        letters = [json.loads(line) for line in (d.state / "dead-letter.jsonl").read_text().splitlines()]
        assert [(x["line"], x["reason"][:8]) for x in letters] == [(4, "too late")], letters
        # And all of that survives.
        d.kill()
        d.start()
        d.settle()
        (again,) = d.findings().values()
        assert again == revised, "the late record was forgotten"
        d.stop()


if __name__ == "__main__":
    from daemon import run
    sys.exit(run([("the same findings as a scan, and a restart changes nothing", same_as_scan),
                  ("one state, one daemon", one_state_one_daemon),
                  ("health and metrics", health_and_metrics),
                  ("late is used, too late is counted", late_and_too_late)]))
