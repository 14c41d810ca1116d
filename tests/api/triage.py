"""Findings that live: what people decide, when it no longer holds, and that it is never lost.

Fails if a decision is reopened without more evidence or is not reopened with it, if anything that was answered is lost by a
kill at any point, by going back to an older checkpoint, or by export and restore, if listing misses or repeats a finding while
findings change, or if the command line says one thing over the socket and another on the file.
"""
import json
import resource
import signal
import sqlite3
import sys
import time

from api import BINARY, Client, Folder, World, cli, run
from daemon import Daemon, PATIENCE
from live import append, attempt, one_source


def single(folder, sets=()):
    """A daemon with one finding of one device, and an analyst's client."""
    d = Daemon(BINARY, folder, one_source(folder, attempt(0, 1) + attempt(10, 2) + attempt(20, 3)), sets).start()
    d.settle()
    cli("user", "--state", d.state, "add", "ann", "--role", "admin", "--no-password")
    ann = Client(d.port, cli("user", "--state", d.state, "token", "ann").strip())
    (finding,) = ann.get("/findings")["findings"]
    return d, ann, finding["uid"]


def reopened_by_evidence():
    with Folder("api-triage") as folder:
        d, ann, uid = single(folder)
        at = f"/findings/{uid}"
        before = ann.get(at)["summary"]
        assert (before["verdict"], before["devices"], before["status"]) == ("suspected", 1, "open"), before
        ann.post(at + "/assign", {"assignee": "bob"})
        ann.post(at + "/acknowledge", {"revision": before["revision"]})
        # More of the same: a new revision, and nothing to look at again.
        append(folder / "a.jsonl", attempt(21, 4))
        d.settle()
        more = ann.get(at)
        assert more["summary"]["revision"] == before["revision"] + 1, more["summary"]
        assert more["summary"]["verdict"] == before["verdict"] and more["triage"]["status"] == "acknowledged", more["triage"]
        # Another device.
        other = "00008110-000B11112222801E"
        append(folder / "a.jsonl", attempt(30, 5, device=other))
        d.settle()
        after = ann.get(at)
        assert after["triage"]["status"] == "reopened", after["triage"]
        assert "1 new device" in after["triage"]["reason"] and other in after["triage"]["reason"], after["triage"]
        assert after["triage"]["assignee"] == "bob" and after["triage"]["changed_by"] == "pinwatch", after["triage"]
        (row,) = ann.get("/audit", action="finding.reopen")["audit"]
        assert (row["actor"], row["via"], row["target"]) == ("pinwatch", "daemon", uid), row
        assert row["before"]["status"] == "acknowledged" and row["after"]["status"] == "reopened", row
        # Closed with both devices in sight: they are no news any more, and a path or graver verdict would be.
        ann.post(at + "/close", {"reason": "known"})
        append(folder / "a.jsonl", attempt(31, 6, device=other) + attempt(32, 7))
        d.settle()
        assert ann.get(at)["triage"]["status"] == "closed"
        with sqlite3.connect(d.state / "pinwatch.db", timeout=20) as db:
            db.execute("UPDATE triage SET basis=json_set(basis,'$.verdict','observed','$.severity','informational','$.paths',"
                       "json('[]'))")
        db.close()
        append(folder / "a.jsonl", attempt(33, 8))
        d.settle()
        again = ann.get(at)
        assert again["triage"]["status"] == "reopened", again["triage"]
        for word in ("verdict", "was observed", "path rejection"):
            assert word in again["triage"]["reason"], again["triage"]
        # Reopening by hand what is open already says so, and writes no history.
        count = len(ann.get("/audit", target=uid)["audit"])
        assert ann.post(at + "/reopen")["triage"]["status"] == "reopened"
        assert len(ann.get("/audit", target=uid)["audit"]) == count
        d.stop()


def resolved_after_quiet():
    with Folder("api-triage") as folder:
        d, ann, uid = single(folder, ["serve.resolve_after=10m"])
        append(folder / "a.jsonl", attempt(3600, 9, app="com.other.app", host="other.test"))
        d.settle()
        one = ann.get(f"/findings/{uid}")
        assert one["summary"]["status"] == "resolved" and one["summary"]["resolved_at"], one["summary"]
        assert uid in [f["uid"] for f in ann.get("/findings", status="resolved")["findings"]]
        assert uid not in [f["uid"] for f in ann.get("/findings", status="open")["findings"]]
        append(folder / "a.jsonl", attempt(3601, 10) + attempt(3602, 11) + attempt(3603, 12))
        d.settle()
        assert ann.get(f"/findings/{uid}")["summary"]["status"] == "open"
        d.stop()


def nothing_answered_is_lost():
    """Killed at fault points of the checkpoint and at random moments; what was answered with 2xx is there afterwards, once."""
    with Folder("api-kill") as folder:
        d, ann, uid = single(folder, ["serve.checkpoint=100ms", "serve.judge_every=10ms"])
        said, port, at = [], 100, 40
        ann.post(f"/findings/{uid}/acknowledge")
        for number, fault in enumerate(["checkpoint.begin:2", "checkpoint.journal:2", "checkpoint.commit:2", "checkpoint.committed:2",
                                        None, "checkpoint.commit:3", None, "deliver.written:1"]):
            d.kill()
            d.start(env={"PINWATCH_FAULT": fault} if fault else None, wait=False)
            until = time.monotonic() + PATIENCE
            device = f"0000811{number}-000C11112222801E"
            tries = 0
            while d.alive() and time.monotonic() < until:
                port, at, tries = port + 1, at + 1, tries + 1
                append(folder / "a.jsonl", attempt(at, port, device=device))
                text = f"{number}-{port}"
                try:
                    answer = ann.call("POST", f"/findings/{uid}/comments", body={"text": text})
                except OSError:
                    ann.close()
                    time.sleep(0.01)
                    continue
                if answer.status == 201:
                    said.append(text)
                if fault is None and len(said) % 7 == 6:
                    d.process.send_signal(signal.SIGKILL)
                    d.process.wait()
            ann.close()
            assert not d.alive(), f"{fault} was not passed"
        d.start()
        d.settle()
        one = ann.get(f"/findings/{uid}")
        kept = [c["text"] for c in one["comments"]]
        missing = [x for x in said if x not in kept]
        assert len(said) > 20 and not missing, f"{len(said)} were answered, lost: {missing}"
        assert len(kept) == len(set(kept)), "a comment was written twice"
        # One audit row for each; and the new devices have reopened it exactly once.
        audit = [a for page in [ann.get("/audit", target=uid, limit=1000)] for a in page["audit"]]
        assert sorted(a["after"]["text"] for a in audit if a["action"] == "finding.comment") == sorted(kept)
        assert one["triage"]["status"] == "reopened", one["triage"]
        assert len([a for a in audit if a["action"] == "finding.reopen"]) == 1, "reopened more than once"
        assert cli("db", "--state", d.state, "check") == "nothing is wrong\n"
        d.stop()


def full_disk():
    """No room: reading goes on, a change is 503 and not there afterwards; with room it is made."""
    with Folder("api-full") as folder:
        d, ann, uid = single(folder, ["serve.checkpoint=5m"])
        at = f"/findings/{uid}"
        resource.prlimit(d.process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        assert ann.call("POST", at + "/close", body={"reason": "no room"}).status == 503
        assert ann.get(at)["triage"]["status"] == "open" and ann.get("/findings")["findings"]
        resource.prlimit(d.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert ann.post(at + "/close", {"reason": "room"})["triage"]["status"] == "closed"
        assert [a["action"] for a in ann.get("/audit", target=uid)["audit"]] == ["finding.close"]
        d.stop()


def older_checkpoint_keeps_people():
    """The journal's end is damaged: the daemon goes back, and what people did stays."""
    with Folder("api-back") as folder:
        d, ann, uid = single(folder, ["serve.checkpoint=100ms"])
        for i in range(4):
            append(folder / "a.jsonl", attempt(40 + i, 50 + i))
            d.settle()
        ann.post(f"/findings/{uid}/close", {"reason": "known"})
        ann.post(f"/findings/{uid}/comments", {"text": "kept"}, expect=201)
        d.kill()
        segment = sorted((d.state / "journal").iterdir())[-1]
        data = bytearray(segment.read_bytes())
        data[-3] ^= 1
        segment.write_bytes(data)
        d.start()
        d.settle()
        assert "going back to the checkpoint before" in d.log.read_text(), d.tail()
        one = ann.get(f"/findings/{uid}")
        assert one["triage"]["status"] == "closed" and [c["text"] for c in one["comments"]] == ["kept"], one["triage"]
        d.stop()


def command_line_both_ways():
    """Over the socket and on the file: the same, byte for byte, reading and changing."""
    with Folder("api-cli") as folder:
        w = World(folder, devices=6)
        try:
            both_ways(w, folder)
        finally:
            w.close()


def both_ways(w, folder):
    uids = w.uids()
    where = ("--state", w.state)
    cli("findings", *where, "ack", uids[0][:8], "-m", "seen")
    cli("findings", *where, "close", uids[1], "--reason", "by design")
    cli("findings", *where, "assign", uids[2], "u-analyst")
    questions = [("findings", "list"), ("findings", "list", "--all", "--sort", "-risk"), ("findings", "list", "--limit", "3"),
                 ("findings", "list", "--status", "closed", "--verdict", "confirmed"), ("findings", "list", "--assignee", "u-analyst"),
                 ("findings", "list", "--app", "com.acme.*", "--destination", ".test"), ("findings", "show", uids[0]),
                 ("findings", "show", uids[1][:8]), ("user", "list"), ("user", "tokens", "u-admin")]
    for q in (("findings", "list", "--all"), ("findings", "list", "--limit", "3"), ("findings", "list", "--app", "none"), ("user", "list"),
              ("user", "tokens", "u-admin"), ("allow", "list")):
        array, lines = json.loads(cli(*q, "-o", "json", *where)), cli(*q, "-o", "jsonl", *where).splitlines()
        assert isinstance(array, list) and array == [json.loads(line) for line in lines], (q, array)
    questions = [q + form for q in questions for form in ((), ("-o", "json"))]
    over = [cli(*q, *where) for q in questions]
    assert all(over) and "acknowledged" in over[0] and "by design" in over[15], over[15]
    refused = cli("findings", *where, "show", "ffffffff", expect=2)
    w.daemon.stop()
    file = ("--db", w.state / "pinwatch.db")
    for q, answer in zip(questions, over):
        assert cli(*q, *file) == answer, f"{q}: the file says something else"
    assert cli("findings", *file, "show", "ffffffff", expect=2) == refused
    config = folder / "with-state.yaml"
    config.write_text(f"serve: {{state: {w.state}}}\nsources:\n- {{name: a, path: a.jsonl, format: canonical}}\n")
    assert cli("findings", "list", "-c", config) == over[0], "-c says something else"
    # Changed on the file, and there when a daemon runs.
    cli("findings", *file, "reopen", uids[1], "--reason", "after all")
    cli("findings", *file, "comment", uids[1], "once more")
    cli("user", *file, "role", "u-viewer", "analyst")
    w.daemon.start()
    viewer = w.client("viewer")
    one = viewer.get(f"/findings/{uids[1]}")
    assert one["triage"]["reason"] == "after all" and one["comments"][-1]["text"] == "once more", one["triage"]
    assert viewer.get("/session")["role"] == "viewer", "a token grew with its user"
    (row,) = [a for a in w.client("admin").get("/audit", target=uids[1])["audit"] if a["action"] == "finding.reopen"]
    assert row["via"] == "file" and row["actor"], row
    # A copy holds it too.
    cli("db", *where, "export", folder / "copy")
    (folder / "other").mkdir()
    cli("db", "--state", folder / "other" / "state", "restore", folder / "copy")
    for q in (("findings", "list", "--all"), ("user", "list"), ("findings", "show", uids[1])):
        assert cli(*q, "--state", folder / "other" / "state") == cli(*q, *where), f"{q}: the restored copy says something else"
    assert cli("db", *where, "check") == "nothing is wrong\n"
    # Wrong words are said, not done.
    for words, expect in ((("close", uids[0]), "--reason"), (("ack",), "uid"), (("frobnicate",), "expected list"),
                          (("ack", "abc"), "at least"), (("list", "--status", "opened"), "status"),
                          (("list", "--limit", "0"), "--limit"), (("comment", uids[0]), "text")):
        said = cli("findings", *where, *words, expect=2)
        assert expect in said, (words, said)
    w.daemon.stop()


def pages_under_change():
    """Filters against a plain reading of all; pages while findings change."""
    with Folder("api-pages") as folder:
        w = World(folder, devices=10)
        try:
            filters(w)
            pages(w)
        finally:
            w.close()


def walk(client, between=None, **query):
    """All rows of a listing; `between` is called after each page with what was given so far."""
    rows, cursor = [], {}
    for _ in range(1000):
        page = client.get("/findings", **query, **cursor)
        assert len(page["findings"]) <= query.get("limit", 50)
        rows += page["findings"]
        if page["next"] is None:
            return rows
        cursor = {"cursor": page["next"]}
        if between:
            between(rows)
    raise AssertionError("a listing without end")


def filters(w):
    client, analyst = w.client("viewer"), w.client("analyst")
    everything = walk(client, limit=100, all="true")
    assert len(everything) == len({f["uid"] for f in everything}) > 30, len(everything)
    for f in everything[::5]:
        analyst.post(f"/findings/{f['uid']}/assign", {"assignee": "u-analyst"})
    for f in everything[::7]:
        analyst.post(f"/findings/{f['uid']}/acknowledge")
    everything = walk(client, limit=100, all="true")
    shown = [f for f in everything if f["kind"] != "pinning" or f["verdict"] in ("confirmed", "suspected")]

    def same(expected, **query):
        got = {f["uid"] for f in walk(client, limit=13, **query)}
        assert expected and got == {f["uid"] for f in expected}, f"{query}: {len(got)} instead of {len(expected)}"

    same(shown)
    same([f for f in everything if f["verdict"] in ("explained", "observed")], verdict="explained,observed")
    same([f for f in everything if f["severity"] == "informational"], severity="informational", all="true")
    same([f for f in shown if f["kind"] == "ca_untrusted"], kind="ca_untrusted")
    same([f for f in everything if f["status"] == "acknowledged"], status="acknowledged", all="true")
    same([f for f in everything if f["assignee"] is None], assignee="-", all="true")
    same([f for f in everything if f["assignee"] == "u-analyst"], assignee="u-analyst", all="true")
    same([f for f in everything if (f["app"] or "").startswith("com.acme.")], app="com.acme.*", all="true")
    same([f for f in everything if (f["destination"] or "").endswith(".acme.test")], destination=".acme.test", all="true")
    host = next(f["destination"] for f in shown if f["destination"])
    same([f for f in everything if f["destination"] == host], destination=host, all="true")
    middle = sorted(f["last_seen"] for f in everything)[len(everything) // 2]
    same([f for f in everything if f["last_seen"] >= middle], since=middle, all="true")
    device = client.get(f"/findings/{shown[0]['uid']}")["finding"]["devices"][0]["id"]
    same([f for f in shown if device in [x["id"] for x in client.get(f"/findings/{f['uid']}")["finding"]["devices"]]], device=device)
    ranks = {"informational": 0, "low": 1, "medium": 2, "high": 3}
    for key in ("last_seen", "first_seen", "changed_at", "created_at", "risk", "score", "severity", "devices", "app", "destination"):
        for sign in ("", "-"):
            rows = walk(client, limit=9, sort=sign + key, all="true")
            values = [f["score_db"] if key == "score" else ranks[f["severity"]] if key == "severity"
                      else f[key] or "" if key in ("app", "destination") else f[key] for f in rows]
            assert values == sorted(values, reverse=sign == "-"), f"sort={sign}{key}"
            assert len(rows) == len(everything), f"sort={sign}{key} gives {len(rows)}"


def pages(w):
    client, analyst = w.client("viewer"), w.client("analyst")
    uids = {f["uid"] for f in walk(client, limit=100, all="true")}
    for sort in ("-risk", "app", "last_seen"):
        touched = []

        def change(rows, touched=touched):
            """One that was given, and one that was not."""
            given = [f["uid"] for f in rows]
            for uid in [given[len(touched) % len(given)]] + [u for u in sorted(uids) if u not in given][:1]:
                if len(touched) < 24:
                    analyst.post(f"/findings/{uid}/assign", {"assignee": f"a-{len(touched)}"})
                    touched.append(uid)

        rows = walk(client, change, limit=7, sort=sort, all="true")
        got = [f["uid"] for f in rows]
        assert set(got) == uids, f"{sort}: missed {uids - set(got)}"
        states = [(f["uid"], f["assignee"]) for f in rows]
        assert len(states) == len(set(states)), f"{sort}: one came twice in the same state"
        twice = {u for u in got if got.count(u) > 1}
        assert twice and twice <= set(touched), f"{sort}: {twice - set(touched)} came twice and had not changed"
        last = {f["uid"]: f["assignee"] for f in rows}
        for uid in twice:
            assert last[uid] == client.get(f"/findings/{uid}")["summary"]["assignee"], "the newest state was not given"


if __name__ == "__main__":
    sys.exit(run([("reopened where the evidence goes beyond the decision, and only there", reopened_by_evidence),
                  ("resolved after quiet, open again with more", resolved_after_quiet),
                  ("what was answered is never lost", nothing_answered_is_lost),
                  ("a full disk refuses, and keeps nothing by halves", full_disk),
                  ("an older checkpoint keeps what people did", older_checkpoint_keeps_people),
                  ("the command line over the socket and on the file", command_line_both_ways),
                  ("filters, sorts, and pages under change", pages_under_change)]))
