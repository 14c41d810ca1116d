"""What happens around a running daemon: reload, silence, clocks, signals, memory and history at their limits.

Fails if a broken configuration is taken in part, if a reload loses state, if silence is not said, if a leaping clock or
interrupted calls change findings, if a hostile source changes what is found in others, or if a restart after old
history was given up changes anything.
"""
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

from daemon import Daemon, Folder, difference, make_fleet, run, scan

BINARY = os.path.abspath(sys.argv[1])


def attempt(when, port, source="a", app="com.acme.bank", host="api.bank.test", device="00008110-000A11112222801E",
            outcome="client_reject"):
    """One record of an inspecting proxy; `when` in seconds after 2026-11-01T10:00:00Z."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1793527200 + when))
    tls = {"sni": host, "version": "1.3"}
    if outcome == "client_reject":
        tls.update(alert=48, alert_from="client")
    return json.dumps({
        "kind": "tls_attempt", "time": stamp, "source": source, "sensor": "inspection", "device": {"udid": device},
        "src_endpoint": {"ip": "10.1.1.1", "port": port}, "dst_endpoint": {"hostname": host, "port": 443},
        "app": {"bundle_id": app}, "tls": tls, "inspection": "intercepted", "outcome": outcome, "count": 1}) + "\n"


def posture(when, device, bundle):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1793527200 + when))
    return json.dumps({"kind": "posture", "time": stamp, "source": "a", "sensor": "mdm", "device": {"udid": device},
                       "posture": {"supervised": True, "managed": True, "snapshot": True,
                                   "apps": [{"bundle_id": bundle, "managed": True}],
                                   "profiles": [{"identifier": "com.acme.root",
                                                 "payload_types": ["com.apple.security.root"]}]}}) + "\n"


def one_source(folder, text="", options="max_lag: 1s", more=""):
    (folder / "a.jsonl").write_text(text)
    config = folder / "pinwatch.yaml"
    config.write_text(f"sources:\n- {{name: a, path: a.jsonl, format: canonical, {options}}}\n{more}")
    return config


def append(path, text):
    with open(path, "a") as f:
        f.write(text)


def reload_whole_or_not():
    with Folder("reload") as folder:
        config = one_source(folder, attempt(0, 1) + attempt(10, 2) + attempt(20, 3))
        d = Daemon(BINARY, folder, config).start()
        d.settle()
        (finding,) = d.findings().values()
        assert finding["analytic"]["settings"]["InspectionFailureThreshold"] == 3, finding["analytic"]
        good = config.read_text()
        # Broken: refused as a whole, by signal.
        config.write_text(good + "analytic: {InspectionFailureThreshold: 2, TimeWindou: 5m}\n")
        d.process.send_signal(signal.SIGHUP)
        until = time.monotonic() + 30
        while "did you mean" not in d.tail() and time.monotonic() < until:
            time.sleep(0.02)
        assert "going on with what was loaded before" in d.tail(), d.tail()
        d.settle()
        (same,) = d.findings().values()
        assert same == finding, "a refused configuration has changed a finding"
        # Sound: noticed by itself; what changed is logged, findings are judged anew, records are not read again.
        config.write_text(good + "analytic: {InspectionFailureThreshold: 2}\n")
        until = time.monotonic() + 30
        while "InspectionFailureThreshold: 3 -> 2" not in d.tail() and time.monotonic() < until:
            time.sleep(0.02)
        d.settle()
        (after,) = d.findings().values()
        assert after["analytic"]["settings"]["InspectionFailureThreshold"] == 2, after["analytic"]
        assert after["devices"] == finding["devices"], "state did not survive the reload"
        # A source more, before the other by name: its records count, and the old ones keep their source.
        (folder / "0.jsonl").write_text(attempt(30, 4, "0"))
        config.write_text(good + "- {name: 0, path: 0.jsonl, format: canonical, max_lag: 1s}\n")
        d.process.send_signal(signal.SIGHUP)
        d.wait_for(lambda s: any(x["name"] == "0" and x["records"] == 1 for x in s["sources"]), "the new source")
        d.settle()
        (more,) = d.findings().values()
        assert more["devices"][0]["failures"] == 4, more["devices"]
        assert [e["source"] for e in more["evidence"]] == ["a", "a", "a", "0"], more["evidence"]
        assert {x["name"]: x["records"] for x in d.status()["sources"]} == {"0": 1, "a": 3}
        d.kill()
        d.start()
        d.settle()
        (again,) = d.findings().values()
        assert again == more, difference({more["uid"]: more}, {again["uid"]: again})
        d.stop()


def silence():
    with Folder("silence") as folder:
        config = one_source(folder, attempt(0, 1) + attempt(10, 2) + attempt(20, 3), "max_lag: 1s, silence_after: 1h",
                            "- {name: b, path: b.jsonl, format: canonical, max_lag: 1s, silence_after: 30d}\n")
        (folder / "b.jsonl").write_text(attempt(30, 9, "b", host="other.test"))
        d = Daemon(BINARY, folder, config).start()
        d.settle()
        assert not [f for f in d.findings().values() if f["kind"] == "source_silent"]
        append(folder / "b.jsonl", attempt(2 * 3600, 10, "b", host="other.test"))
        d.settle()
        (silent,) = [f for f in d.findings().values() if f["kind"] == "source_silent"]
        assert silent["evidence"][0]["source"] == "a" and "1h" in silent["evidence"][0]["what"], silent
        state = {x["name"]: x["state"] for x in d.status()["sources"]}
        assert state["a"] == "yellow" and state["b"] == "green", state
        # And again heard of: it is resolved, and no longer present.
        append(folder / "a.jsonl", attempt(2 * 3600, 4))
        d.settle()
        assert not [f for f in d.findings().values() if f["kind"] == "source_silent"]
        with d.database() as db:
            rows = db.execute("SELECT resolved_at IS NULL FROM finding WHERE kind='source_silent'").fetchall()
        assert rows == [(0,)], rows
        d.stop()


def clock_leaps():
    """The wall clock leaps back and forth by days; records ahead of it are set aside, nothing else changes."""
    with Folder("clock") as folder:
        config = one_source(folder)
        clock = folder / "clock"
        now = int(time.time())
        start = 1793527200

        def leap(seconds_after_start):
            clock.write_text(str(start + seconds_after_start - now))

        leap(0)
        d = Daemon(BINARY, folder, config, env={"PINWATCH_CLOCK": str(clock)}).start()
        for i, after in enumerate([60, 86400 * 3, 120, 86400 * 30, 240]):
            append(folder / "a.jsonl", attempt(10 * i, 100 + i))
            leap(after)
            d.settle()
        leap(0)
        append(folder / "a.jsonl", attempt(60, 200) + attempt(86400, 201) + attempt(90, 202))
        d.settle()
        s = d.status()["sources"][0]
        assert (s["observations"], s["quarantined"], s["too_late"]) == (7, 1, 0), s
        (finding,) = d.findings().values()
        assert finding["devices"][0]["failures"] == 7, finding["devices"]
        d.stop()


def interrupted_calls():
    """Stopped and continued over and over, so that calls return EINTR: findings are those of a scan."""
    with Folder("eintr") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "20", "--days", "2")
        expected = scan(BINARY, fleet / "pinwatch.yaml")
        d = Daemon(BINARY, folder, fleet / "pinwatch.yaml", ["serve.checkpoint=100ms", "serve.judge_every=20ms"])
        d.start(wait=False)
        for _ in range(100):
            d.process.send_signal(signal.SIGSTOP)
            d.process.send_signal(signal.SIGCONT)
            time.sleep(0.005)
        d.wait_ready()
        d.settle()
        words = difference(expected, d.findings())
        assert not words, words
        d.stop()


def hostile_source():
    """A source that invents devices without end loses its own records, and changes nothing of others'."""
    with Folder("hostile") as folder:
        text = "".join(attempt(60 * i, i + 1) for i in range(20))
        config = one_source(folder, text, "max_lag: 1s, idle: 7d",
                            "- {name: z, path: z.jsonl, format: canonical, max_lag: 1s, idle: 7d}\n"
                            "limits: {source_memory: 4MiB}\n")
        count = int(os.environ.get("PINWATCH_HOSTILE", "100000"))
        with open(folder / "z.jsonl", "w") as f:
            for i in range(count):
                f.write(attempt(1200 * i // count, i % 60000 + 1024, "z", "com.evil.app", "evil.test", f"device-{i}"))
        alone = Daemon(BINARY, folder / "alone", one_source_alone(folder, text)).start()
        alone.settle()
        expected = {u: f for u, f in alone.findings().items() if f["destination"]["host"] == "api.bank.test"}
        alone.stop()
        d = Daemon(BINARY, folder, config).start()
        d.settle()
        status = {x["name"]: x for x in d.status()["sources"]}
        assert status["z"]["records"] == count and status["z"]["evicted"] > 0, status["z"]
        assert status["a"]["evicted"] == 0, status["a"]
        assert status["z"]["memory"] <= 4 << 20, status["z"]
        got = {u: f for u, f in d.findings().items() if (f["destination"] or {}).get("host") == "api.bank.test"}
        words = difference(expected, got, places=False)
        assert not words, words
        before = d.findings(present=False)
        d.kill()
        d.start()
        d.settle()
        after = d.findings()
        words = difference({u: f for u, f in before.items() if u in after}, after)
        assert not words, words
        d.stop()


def one_source_alone(folder, text):
    (folder / "alone").mkdir()
    return one_source(folder / "alone", text, "max_lag: 1s, idle: 7d")


def history():
    """Old history goes by age; what devices were last said to be stays; a restart changes nothing."""
    with Folder("history") as folder:
        device = "00008110-000A11112222801E"
        day = 86400
        config = one_source(folder, posture(-3600, device, "com.acme.bank"))
        d = Daemon(BINARY, folder, config, ["serve.history=2d"]).start()
        for i in range(12):
            append(folder / "a.jsonl",
                   "".join(attempt(i * day + k * 60, 1000 + i * 10 + k) for k in range(4)))
            d.settle()
            if i == 5: # as if the revisions so far had been written long ago
                d.kill()
                with sqlite3.connect(d.state / "pinwatch.db") as db:
                    db.execute("UPDATE finding_history SET at=0")
                    old = db.execute("SELECT max(revision) FROM finding_history").fetchone()[0]
                d.start()
        d.settle()
        with d.database() as db:
            kept = [r for (r,) in db.execute("SELECT revision FROM finding_history")]
        assert old > 1 and kept and min(kept) >= old, (old, kept)
        segments = sorted(x.name for x in (d.state / "journal").iterdir())
        assert segments[0] > "00000005.seg" and len(segments) <= 5, segments
        (finding,) = d.findings().values()
        assert finding["devices"][0]["failures"] <= 4 * 4, finding["devices"]
        assert finding["log_sources"]["iOS:MDMLog"] == "contributed", finding["log_sources"]
        d.kill()
        d.start()
        d.settle()
        (again,) = d.findings().values()
        assert again == finding, difference({finding["uid"]: finding}, {again["uid"]: again})
        d.stop()


def tools():
    """check, export of a running daemon, restore: the copy begins where the daemon was."""
    with Folder("tools") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "10", "--days", "2")
        d = Daemon(BINARY, folder, fleet / "pinwatch.yaml", ["serve.segment_size=64KiB"]).start()
        d.settle()

        def db(*words):
            return subprocess.run([BINARY, "db", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True, check=False)

        done = db("--state", d.state, "check")
        assert (done.returncode, done.stdout) == (0, "nothing is wrong\n"), done
        done = db("--state", d.state, "export", folder / "copy")
        assert done.returncode == 0, done
        before = d.findings(present=False)
        table = subprocess.run([BINARY, "status", "--state", str(d.state)], stdout=subprocess.PIPE, text=True,
                               check=True).stdout
        assert "proxy" in table and "confirmed" in table, table
        d.stop()
        done = db("--state", folder / "other" / "state", "restore", folder / "copy")
        assert done.returncode == 3, "restored into a folder whose parent is missing"
        (folder / "other").mkdir()
        done = db("--state", folder / "other" / "state", "restore", folder / "copy")
        assert done.returncode == 0, done
        other = Daemon(BINARY, folder / "other", fleet / "pinwatch.yaml").start()
        other.settle()
        assert other.findings(present=False) == before, "the restored state revised findings"
        other.stop()
        done = db("--state", d.state, "restore", folder / "copy")
        assert done.returncode == 2 and "not empty" in done.stderr, done
        segment = sorted((folder / "copy" / "journal").iterdir())[0]
        data = bytearray(segment.read_bytes())
        data[len(data) // 2] ^= 1
        segment.write_bytes(data)
        done = db("--state", folder / "copy", "check")
        assert done.returncode == 4 and "sound block" in done.stdout, done
        done = db("--state", folder / "third", "restore", folder / "copy")
        assert done.returncode == 3 and "damaged" in done.stderr and not (folder / "third").exists(), done


if __name__ == "__main__":
    sys.exit(run([("reload: whole or not at all, and state survives", reload_whole_or_not),
                  ("a silent source is yellow and a finding, and resolved when heard of", silence),
                  ("the clock leaps", clock_leaps),
                  ("interrupted calls", interrupted_calls),
                  ("a hostile source changes nothing of others'", hostile_source),
                  ("old history is given up, posture is carried over", history),
                  ("db check, export, restore; status", tools)]))
