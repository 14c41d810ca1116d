"""Allow-lists that are governed, with a real daemon.

Fails if an entry does not quiet what its preview named, if one that was acknowledged is lost by a kill, if an end does not
come as an event that reopens what the entry hid, if what comes after an end is not judged on its own, if removing does not
bring back what was, if entries of list files lose their identity, or if the command line says one thing over the socket
of a daemon and another on its database.
"""
import datetime
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "daemon"))
from api import DOCUMENT  # noqa: E402
from daemon import Daemon, Folder, make_fleet, plain, run  # noqa: E402

BINARY = os.path.abspath(sys.argv[1])
# Records lie an hour back, so that none is ahead of the clock.
NOW = int(time.time())
BASE = NOW - 3600


def day(days):
    return datetime.datetime.fromtimestamp(NOW + days * 86400, datetime.timezone.utc).strftime("%Y-%m-%d")


# Every answer that docs/openapi.yaml describes of these and leaves to this test.
OPERATIONS = {op["operationId"]: op for op in DOCUMENT.operations.values()
              if op.get("x-elsewhere") == "tests/api/allow.py"}


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


def api(d, method, target, body=None):
    """Status and document of a request over the daemon's socket; held to docs/openapi.yaml."""
    c = UnixConnection(d.state / "api.sock")
    c.request(method, "/api/v1" + target, None if body is None else json.dumps(body),
              {} if body is None else {"Content-Type": "application/json"})
    r = c.getresponse()
    text = r.read().decode()
    c.close()
    op = DOCUMENT.operation(method, target.split("?")[0])
    DOCUMENT.check(op, r.status, dict(r.getheaders()), text)
    return r.status, json.loads(text)


def good(d, method, target, body=None, status=200):
    code, answer = api(d, method, target, body)
    assert code == status, f"{method} {target} {body}: {code} {answer}"
    return answer


def attempts(app, host, port, when=0, server=None, count=3):
    """So many refusals ten seconds apart, of which three are enough to be suspected. Every app is on a phone of its own,
    or all that fails there would look like a missing root."""
    number = zlib.crc32(app.encode()) & 0xff
    device, client = f"00008110-000A1111222280{number:02X}", f"10.1.1.{number}"
    lines = []
    for i in range(count):
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(BASE + when + 10 * i))
        to = {"hostname": host, "port": 443}
        if server is not None:
            to["ip"] = server
        lines.append(json.dumps({
            "kind": "tls_attempt", "time": stamp, "source": "a", "sensor": "inspection", "device": {"udid": device},
            "src_endpoint": {"ip": client, "port": port + i}, "dst_endpoint": to, "app": {"bundle_id": app},
            "tls": {"sni": host, "version": "1.3", "alert": 48, "alert_from": "client"},
            "inspection": "intercepted", "outcome": "client_reject", "count": 1}) + "\n")
    return "".join(lines)


BANK, CHAT, GAME = ("com.acme.bank", "api.bank.test"), ("com.acme.chat", "chat.test"), ("org.game", "play.test")


def three():
    return attempts(*BANK, 1000) + attempts(*CHAT, 1100) + attempts(*GAME, 1200)


def begin(folder, text=None, lists=None, env=None):
    (folder / "a.jsonl").write_text(three() if text is None else text)
    config = folder / "pinwatch.yaml"
    more = ""
    if lists is not None:
        (folder / "apps.yaml").write_text(lists)
        more = "analytic: {AllowedAppList: apps.yaml}\n"
    config.write_text(f"sources:\n- {{name: a, path: a.jsonl, format: canonical, max_lag: 1s}}\n{more}")
    d = Daemon(BINARY, folder, config, env=env).start()
    d.settle()
    return d


def append(d, text):
    with open(d.folder / "a.jsonl", "a") as f:
        f.write(text)
    d.settle()


def by_app(d):
    return {f["app"]["bundle_id"]: f for f in d.findings().values()}


def verdicts(d):
    return {app: f["verdict"] for app, f in by_app(d).items()}


def entry(d, number):
    (one,) = good(d, "GET", f"/allow-list?id={number}&covers=true")["entries"]
    return one


def audit(d, action):
    with d.database() as db:
        rows = db.execute("SELECT target,actor,before,after FROM audit WHERE action=? ORDER BY id", (action,)).fetchall()
    return [(t, who, json.loads(b) if b else None, json.loads(a) if a else None) for t, who, b, a in rows]


def wait_for(condition, what, d):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(f"{what}: not after a minute; {d.tail()}")


def command(d, *words, code=0, where=None):
    done = subprocess.run([BINARY, "allow", *words, *(where or ("--state", str(d.state)))], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    assert done.returncode == code, f"allow {words}: {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout if code == 0 else done.stderr


def adding_quiets():
    with Folder("allow") as folder:
        d = begin(folder)
        assert set(verdicts(d).values()) == {"suspected"}, verdicts(d)
        draft = {"app": BANK[0], "owner": "mobile-security", "reason": "pins by design", "ticket": "SEC-1",
                 "expires": day(30)}
        preview = good(d, "POST", "/allow-list/preview", draft)
        bank = by_app(d)[BANK[0]]["uid"]
        assert [f["uid"] for f in preview["quiets"]["findings"]] == [bank], preview
        assert preview["past"]["total"] == 0 and preview["warnings"] == [], preview
        assert preview["fleet"] == {"devices": 1, "of_devices": 3, "apps": 1, "destinations": 1}, preview
        assert verdicts(d)[BANK[0]] == "suspected" and not audit(d, "allow.add"), "a preview has changed something"
        made = good(d, "POST", "/allow-list", draft, 201)
        # Acknowledged, so it outlives the daemon, whatever it has done about it yet.
        d.kill()
        d.start()
        d.settle()
        assert verdicts(d) == {BANK[0]: "expected", CHAT[0]: "suspected", GAME[0]: "suspected"}, verdicts(d)
        assert by_app(d)[BANK[0]]["explained_by"] == "AllowedAppList:com.acme.bank"
        one = entry(d, made["id"])
        assert (one["owner"], one["reason"], one["ticket"], one["expires"], one["state"]) == (
            "mobile-security", "pins by design", "SEC-1", day(30), "active"), one
        # Of the three attempts nobody else covers any; without the entry the finding would be shown.
        assert one["use"] == {"attempts": 3, "only_attempts": 3, "shared_attempts": 0, "findings": 1, "only_findings": 1,
                              "shared_findings": 0, "would_show": 1, "last": one["use"]["last"]}, one
        assert one["use"]["last"].startswith(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(BASE + 20)))
        assert [(c["uid"], c["without_lists"]) for c in one["covers"]] == [(bank, "suspected")], one
        ((target, actor, before, after),) = audit(d, "allow.add")
        assert target == str(made["id"]) and before is None and after["pattern"] == BANK[0] and actor not in ("", "pinwatch")
        # What was shown once is past now.
        preview = good(d, "POST", "/allow-list/preview", {"app": BANK[0]})
        assert preview["quiets"]["total"] == 0 and preview["same"] == [made["id"]] and preview["expected_already"] == 1
        assert [f["uid"] for f in preview["past"]["findings"]] == [bank], preview
        assert {w["code"] for w in preview["warnings"]} == {"no_owner", "no_reason", "no_expiry"}, preview
        d.stop()


def an_end_is_an_event():
    with Folder("allow") as folder:
        clock = folder / "clock"
        clock.write_text("0")
        d = begin(folder, env={"PINWATCH_CLOCK": str(clock)})
        bank, chat = by_app(d)[BANK[0]]["uid"], by_app(d)[CHAT[0]]["uid"]
        for uid in (bank, chat):
            good(d, "POST", f"/findings/{uid}/acknowledge", {})
        first = good(d, "POST", "/allow-list", {"app": BANK[0], "expires": day(1)}, 201)
        # Two entries hide this one; it stays hidden when one of them ends.
        good(d, "POST", "/allow-list", {"app": CHAT[0], "expires": day(1)}, 201)
        good(d, "POST", "/allow-list", {"destination": CHAT[1]}, 201)
        d.settle()
        assert verdicts(d) == {BANK[0]: "expected", CHAT[0]: "expected", GAME[0]: "suspected"}, verdicts(d)
        # The last moment of its last day: not over.
        midnight = (NOW // 86400 + 2) * 86400
        clock.write_text(str(midnight - 120 - NOW))
        d.settle()
        assert not audit(d, "allow.expired") and entry(d, first["id"])["state"] == "active"
        clock.write_text(str(midnight + 1 - NOW))
        wait_for(lambda: len(audit(d, "allow.expired")) == 2, "the ends in the audit", d)
        ends = {t: after for t, actor, _, after in audit(d, "allow.expired") if actor == "pinwatch"}
        assert ends[str(first["id"])]["hid"] == [bank] and ends[str(first["id"])]["reopened"] == 1, ends
        assert sum(e["reopened"] for e in ends.values()) == 1, "a finding that another entry hides was reopened"
        assert good(d, "GET", f"/findings/{bank}")["triage"]["status"] == "reopened"
        assert good(d, "GET", f"/findings/{chat}")["triage"]["status"] == "acknowledged"
        assert entry(d, first["id"])["state"] == "expired"
        # What it covered stays covered; what comes after is judged on its own.
        d.settle()
        assert by_app(d)[BANK[0]]["verdict"] == "expected"
        append(d, attempts(*BANK, 2000, when=midnight + 10 - BASE))
        after = by_app(d)[BANK[0]]
        assert after["verdict"] == "suspected" and after["devices"][0]["failures"] == 3, after
        # An end comes once, also over a kill.
        d.kill()
        d.start()
        d.settle()
        assert len(audit(d, "allow.expired")) == 2 and by_app(d)[BANK[0]] == after
        # Renewed it covers all again, and its next end is an event of its own.
        good(d, "POST", f"/allow-list/{first['id']}/renew", {"expires": day(4), "ticket": "SEC-2"})
        d.settle()
        one = entry(d, first["id"])
        assert by_app(d)[BANK[0]]["verdict"] == "expected" and (one["expired_at"], one["ticket"]) == (None, "SEC-2"), one
        clock.write_text(str(6 * 86400))
        wait_for(lambda: len(audit(d, "allow.expired")) == 3, "the renewed entry's end", d)
        d.stop()


def ending_and_removing():
    with Folder("allow") as folder:
        d = begin(folder)
        original = {u: plain(f) for u, f in d.findings().items()}
        one = good(d, "POST", "/allow-list", {"destination": BANK[1], "apps": ["com.acme.*"]}, 201)["id"]
        d.settle()
        bank = by_app(d)[BANK[0]]["uid"]
        assert verdicts(d)[BANK[0]] == "expected"
        good(d, "POST", f"/findings/{bank}/close", {"reason": "false_positive"})
        ended = good(d, "POST", f"/allow-list/{one}/expire", {})
        assert ended["state"] == "expired" and ended["ended_at"] is not None and ended["reopened"] == 1, ended
        d.settle()
        assert verdicts(d)[BANK[0]] == "expected", "ending has uncovered what came before"
        assert api(d, "POST", f"/allow-list/{one}/expire", {})[0] == 409
        good(d, "POST", f"/findings/{bank}/close", {"reason": "false_positive"})
        assert good(d, "POST", f"/allow-list/{one}/remove", {})["reopened"] == 1
        d.settle()
        assert {u: plain(f) for u, f in d.findings().items()} == original, "removing has left something behind"
        for verb, body in (("remove", {}), ("expire", {}), ("renew", {"expires": None})):
            code, answer = api(d, "POST", f"/allow-list/{one}/{verb}", body)
            assert code == 409 and answer["error"]["code"] == "removed", answer
        assert good(d, "GET", "/allow-list")["entries"] == []
        (kept,) = good(d, "GET", "/allow-list?state=removed")["entries"]
        assert kept["id"] == one and kept["removed_by"] == kept["created_by"], kept
        d.kill()
        d.start()
        d.settle()
        assert verdicts(d)[BANK[0]] == "suspected"
        d.stop()


def list_files_have_rows():
    lists = f"- app: {BANK[0]}\n  owner: gateway\n  expires: {day(5)}\n- app: com.nobody.*\n  destinations: [x.test]\n"
    with Folder("allow") as folder:
        d = begin(folder, lists=lists)
        first, second = good(d, "GET", "/allow-list")["entries"]
        assert (first["pattern"], first["line"], first["owner"]) == (BANK[0], 1, "gateway"), first
        assert (second["scope"], second["line"], second["unused"]) == (["x.test"], 4, "never"), second
        assert first["file"].endswith("apps.yaml") and first["use"]["would_show"] == 1 and first["unused"] is None
        code, answer = api(d, "POST", f"/allow-list/{first['id']}/remove", {})
        assert code == 409 and "apps.yaml, line 1" in answer["error"]["message"], answer
        # Edited: the same entry, wherever it stands now; what is gone is removed.
        (folder / "apps.yaml").write_text(f"# moved\n- app: {CHAT[0]}\n- app: {BANK[0]}\n  owner: gateway\n  expires: {day(9)}\n")
        wait_for(lambda: audit(d, "allow.remove"), "the removed entry in the audit", d)
        d.settle()
        entries = {e["pattern"]: e for e in good(d, "GET", "/allow-list?state=all")["entries"]}
        assert entries[BANK[0]]["id"] == first["id"] and entries[BANK[0]]["expires"] == day(9), entries
        assert entries[BANK[0]]["line"] == 3 and entries["com.nobody.*"]["state"] == "removed", entries
        ((target, _, before, after),) = audit(d, "allow.change")
        assert target == str(first["id"]) and (before["expires"], after["expires"]) == (day(5), day(9))
        assert verdicts(d)[CHAT[0]] == "expected", verdicts(d)
        numbers = {p: e["id"] for p, e in entries.items()}
        d.kill()
        d.start()
        d.settle()
        assert {e["pattern"]: e["id"] for e in good(d, "GET", "/allow-list?state=all")["entries"]} == numbers
        assert len(audit(d, "allow.add")) == 3, "a restart has added entries"
        d.stop()


def counts_tell_entries_apart():
    text = (attempts(*BANK, 1000) + attempts(BANK[0], "cdn.bank.test", 1100, count=1) + attempts(*CHAT, 1200) +
            attempts(*GAME, 1300))
    with Folder("allow") as folder:
        d = begin(folder, text)
        app = good(d, "POST", "/allow-list", {"app": BANK[0]}, 201)["id"]
        suffix = good(d, "POST", "/allow-list", {"destination": ".bank.test"}, 201)["id"]
        prefix = good(d, "POST", "/allow-list", {"app": "com.acme.*", "destinations": ["chat.test", "api.bank.test"]}, 201)["id"]
        d.settle()
        use = {n: entry(d, n)["use"] for n in (app, suffix, prefix)}
        # Three attempts at api by all three, one at cdn by two, three at chat by the prefix alone.
        assert [use[n]["attempts"] for n in (app, suffix, prefix)] == [4, 4, 6], use
        assert [use[n]["only_attempts"] for n in (app, suffix, prefix)] == [0, 0, 3], use
        assert [use[n]["findings"] for n in (app, suffix, prefix)] == [2, 2, 2], use
        assert [use[n]["only_findings"] for n in (app, suffix, prefix)] == [0, 0, 1], use
        assert [use[n]["would_show"] for n in (app, suffix, prefix)] == [0, 0, 1], use
        good(d, "POST", f"/allow-list/{app}/remove", {})
        d.settle()
        use = {n: entry(d, n)["use"] for n in (suffix, prefix)}
        # One failure at cdn would be observed, and so not be shown.
        assert [use[n]["only_attempts"] for n in (suffix, prefix)] == [1, 3], use
        assert [use[n]["would_show"] for n in (suffix, prefix)] == [0, 1], use
        d.stop()


def networks_go_by_servers():
    text = (attempts(*BANK, 1000, server="192.0.2.10") + attempts(*CHAT, 1100, server="192.0.2.20", count=2) +
            attempts(*CHAT, 1110, server="198.51.100.1", when=30, count=2) + attempts(*GAME, 1200))
    with Folder("allow") as folder:
        d = begin(folder, text)
        met = {f["app"]: f["met"] for f in good(d, "POST", "/allow-list/preview",
                                                {"destination": "192.0.2.0/24"})["quiets"]["findings"]}
        assert met == {BANK[0]: "wholly", CHAT[0]: "partly", GAME[0]: "perhaps"}, met
        met = {f["app"]: f["met"] for f in good(d, "POST", "/allow-list/preview",
                                                {"destination": "203.0.113.0/24"})["quiets"]["findings"]}
        assert met == {GAME[0]: "perhaps"}, met
        test = good(d, "GET", "/allow-list/test?host=api.bank.test")
        assert test["answer"] == "not_covered" and test["entries"] == [], test
        good(d, "POST", "/allow-list", {"destination": "192.0.2.0/24"}, 201)
        d.settle()
        test = good(d, "GET", "/allow-list/test?host=192.0.2.77")
        assert test["answer"] == "covered", test
        assert verdicts(d)[BANK[0]] == "expected" and verdicts(d)[GAME[0]] == "suspected"
        assert by_app(d)[CHAT[0]]["devices"][0]["failures"] == 2, "the attempts outside of the network are not judged alone"
        d.stop()


def broad_entries_are_named():
    text = "".join(attempts(f"com.many.app{i}", f"h{i}.test", 1000 + 10 * i, count=1) for i in range(11))
    text += "".join(attempts(f"com.few.app{i}", f"k{i}.test", 1200 + 10 * i, count=1) for i in range(10))
    with Folder("allow") as folder:
        d = begin(folder, text)

        def codes(draft):
            draft = {"owner": "me", "reason": "test", "expires": day(3), **draft}
            return [w["code"] for w in good(d, "POST", "/allow-list/preview", draft)["warnings"]]

        for pattern in (".com", ".co.uk", ".test", "*.github.io", ".cloudfront.net"):
            assert codes({"destination": pattern}) == ["public_suffix"], pattern
        for pattern in (".example.com", "com", "example.co.uk", "10.0.0.0/16", "2001:db8::/32", "10.1.2.3"):
            assert codes({"destination": pattern}) == [], pattern
        for pattern in ("10.0.0.0/15", "0.0.0.0/0", "2001::/31", "::/0"):
            assert codes({"destination": pattern}) == ["wide_network"], pattern
        assert codes({"app": "com.many.*"}) == ["many_apps"] and codes({"app": "com.few.*"}) == []
        # Narrowed is not broad, unless what it is narrowed to is.
        assert codes({"app": "com.many.*", "destinations": ["h1.test"]}) == []
        assert codes({"app": "com.many.*", "destinations": ["h1.test", ".com"]}) == ["many_apps"]
        assert codes({"destination": ".com", "apps": ["com.many.app1"]}) == []
        good(d, "POST", "/allow-list", {"destination": ".com"}, 201)
        narrow = good(d, "POST", "/allow-list", {"destination": ".example.com"}, 201)
        assert [e["pattern"] for e in good(d, "GET", "/allow-list?broad=true")["entries"]] == [".com"]
        assert len(good(d, "GET", "/allow-list?unused=true")["entries"]) == 2
        # Pages.
        page = good(d, "GET", "/allow-list?limit=1")
        rest = good(d, "GET", f"/allow-list?limit=1&after={page['next']}")
        assert [e["pattern"] for e in rest["entries"]] == [".example.com"] and rest["next"] is None, rest
        assert rest["entries"][0]["id"] == narrow["id"]
        d.stop()


def refusals():
    with Folder("allow") as folder:
        d = begin(folder)
        for body, words in [
                ({}, "expected `app`"),
                ({"app": "a.b", "destination": "c.test"}, "expected `app`"),
                ({"app": "a.b", "apps": ["c.d"]}, "`apps` does not belong beside `app`"),
                ({"app": "a.*.b"}, "app: `a.*.b`: `*` may stand only at the end"),
                ({"app": "a b"}, "letters, digits"),
                ({"app": "a.b", "destinations": ["10.0.0.0/33"]}, "destinations: "),
                ({"destination": "bank.test/path"}, "neither a host nor a network"),
                ({"app": "a.b", "expires": "tomorrow"}, "expires: expected a date"),
                ({"app": "a.b", "expires": "2027-02-30"}, "expires: expected a date"),
                ({"app": "a.b", "expires": day(-1)}, "is over"),
                ({"app": "a.b", "owner": "x" * 1001}, "owner"),
                ({"app": "a.b", "owner": 7}, "owner"),
                ({"app": "a.b", "colour": "red"}, "not known")]:
            code, answer = api(d, "POST", "/allow-list", body)
            assert code == 400 and words in answer["error"]["message"], (body, code, answer)
        made = good(d, "POST", "/allow-list", {"app": "TEAMID1234.com.acme.bank", "expires": day(0)}, 201)
        assert made["pattern"] == BANK[0] and made["state"] == "active", made
        code, answer = api(d, "POST", "/allow-list", {"app": BANK[0]})
        assert code == 409 and f"entry {made['id']} says the same" in answer["error"]["message"], answer
        for target in ("/allow-list/999/remove", "/allow-list/x/remove", "/allow-list/-1/expire",
                       "/allow-list/99999999999999999999/expire"):
            assert api(d, "POST", target, {})[0] == 404, target
        assert api(d, "POST", f"/allow-list/{made['id']}/renew", {})[0] == 400
        for query in ("id=x", "limit=0x1", "limit=10001", "state=gone", "nothing=1", "unused=yes"):
            assert api(d, "GET", f"/allow-list?{query}")[0] == 400, query
        for query in ("", "host=.test", "host=10.0.0.0/8", "host=a.test&app=com.*", "host=a%20b"):
            assert api(d, "GET", f"/allow-list/test?{query}")[0] == 400, query
        assert len(audit(d, "allow.add")) == 1, "something refused stands in the audit"
        d.stop()


def command_line_says_the_same():
    with Folder("allow") as folder:
        d = begin(folder, lists=f"- app: {GAME[0]}\n  owner: x\n")
        said = command(d, "add", "--app", BANK[0], "--only", BANK[1], "--owner", "me", "--reason", "r", "--ticket", "T-1",
                       "--expires", day(9))
        assert said.startswith("entry 2 added: com.acme.bank, only to api.bank.test (AllowedAppList)\n"), said
        command(d, "add", "--destination", ".com")
        d.settle()
        asked = [("list",), ("list", "--covers"), ("list", "2"), ("list", "--unused"), ("list", "--broad"),
                 ("list", "--which", "all", "-o", "json"), ("list", "-o", "json", "--covers"),
                 ("preview", "--app", "com.acme.*"), ("add", "--destination", "chat.test", "--preview", "-o", "json"),
                 ("test", "api.bank.test"), ("test", "api.bank.test", "--app", BANK[0]), ("test", "x.com", "-o", "json")]
        refused = [("remove", "1"), ("remove", "77"), ("add", "--app", "a b"), ("renew", "2", "--expires", "soon"),
                   ("test", "a b")]
        over_socket = [command(d, *w) for w in asked] + [command(d, *w, code=2) for w in refused]
        d.stop()
        file = ("--db", str(d.state / "pinwatch.db"))
        on_file = [command(d, *w, where=file) for w in asked] + [command(d, *w, code=2, where=file) for w in refused]
        for words, a, b in zip(asked + refused, over_socket, on_file):
            assert a == b, f"{words}:\n{a}\n---\n{b}"
        # Changes on the file are there when a daemon begins.
        command(d, "add", "--app", CHAT[0], where=file)
        command(d, "renew", "2", "--expires", "never", where=("-c", write_config(folder, d)))
        command(d, "remove", "3", where=file)
        d.start()
        d.settle()
        assert set(verdicts(d).values()) == {"expected"}, verdicts(d)
        states = {e["id"]: (e["state"], e["expires"]) for e in good(d, "GET", "/allow-list?state=all")["entries"]}
        assert states == {1: ("active", None), 2: ("active", None), 3: ("removed", None),
                          4: ("active", None)}, states
        with d.database() as db:
            via = dict(db.execute("SELECT action,via FROM audit WHERE action IN('allow.renew','allow.remove')"))
        assert via == {"allow.renew": "file", "allow.remove": "file"}, via
        # A database in use is asked through its daemon.
        assert command(d, "list", where=file) == command(d, "list")
        assert "no database is there" in command(d, "list", code=3, where=("--state", str(folder / "nowhere")))
        d.stop()


def write_config(folder, d):
    config = folder / "file.yaml"
    config.write_text(f"serve: {{state: {d.state}}}\n")
    return str(config)


def previews_come_true():
    """On a fleet: what a preview names is what the entry then quiets, and removing it brings all back."""
    with Folder("allow") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--seed", "2", "--devices", "15", "--days", "3")
        d = Daemon(BINARY, folder, fleet / "pinwatch.yaml").start()
        d.settle()
        shown = {u: f for u, f in d.findings().items() if f["kind"] == "pinning" and f["verdict"] in ("confirmed", "suspected")}
        assert len(shown) >= 5, f"the fleet shows only {len(shown)} findings"
        before = {u: plain(f) for u, f in d.findings().items()}
        some = [shown[u] for u in sorted(shown)]
        drafts = [{"destination": some[0]["destination"]["host"]},
                  {"destination": "." + ".".join(some[1]["destination"]["host"].split(".")[-2:])}]
        named = [f for f in some if f["app"]["bundle_id"]]
        drafts += [{"app": named[0]["app"]["bundle_id"]},
                   {"app": ".".join(named[-1]["app"]["bundle_id"].split(".")[:2]) + ".*",
                    "destinations": [named[-1]["destination"]["host"]]}]
        graver = [f for f in some if f["severity"] == "high"]
        drafts += [{"destination": f["destination"]["host"]} for f in graver[:1]]
        severes = 0
        for draft in drafts:
            preview = good(d, "POST", "/allow-list/preview", draft)
            expected = {f["uid"] for f in preview["quiets"]["findings"] if f["met"] == "wholly"}
            severe = any(f["severity"] == "high" for f in preview["quiets"]["findings"])
            assert severe == ("quiets_severe" in [w["code"] for w in preview["warnings"]]), preview
            severes += severe
            assert expected and preview["quiets"]["total"] == len(preview["quiets"]["findings"]), (draft, preview)
            devices = {x["id"] for u in expected for x in shown[u]["devices"]}
            assert preview["fleet"]["devices"] == len(devices), (draft, preview["fleet"], devices)
            made = good(d, "POST", "/allow-list", draft, 201)
            d.settle()
            now = d.findings()
            quiet = {u for u in shown if now[u]["verdict"] == "expected"}
            assert quiet == expected, f"{draft}: the preview names {expected}, quiet became {quiet}"
            # Of each other's attempts the entry alone covers all, so as many would be shown without it.
            assert entry(d, made["id"])["use"]["would_show"] == len(expected), entry(d, made["id"])
            good(d, "POST", f"/allow-list/{made['id']}/remove", {})
            d.settle()
            assert {u: plain(f) for u, f in d.findings().items()} == before, f"{draft}: removing has left something behind"
        assert severes, "the fleet shows no finding of severity high"
        d.stop()


def killed_at_the_end_of_an_entry():
    """Killed between the commit of an end and whatever follows: said once, reopened once."""
    with Folder("allow") as folder:
        clock = folder / "clock"
        clock.write_text("0")
        d = begin(folder, env={"PINWATCH_CLOCK": str(clock)})
        bank = by_app(d)[BANK[0]]["uid"]
        good(d, "POST", "/allow-list", {"app": BANK[0], "expires": day(0)}, 201)
        d.settle()
        good(d, "POST", f"/findings/{bank}/acknowledge", {})
        for point in ("allow.ends", "allow.ended"):
            d.stop()
            clock.write_text(str(2 * 86400))
            d.start(env={"PINWATCH_FAULT": f"{point}:1"}, wait=False)
            assert d.process.wait(timeout=60) == -signal.SIGKILL, f"{point}: {d.tail()}"
            with d.database() as db:
                (said,) = db.execute("SELECT count(*) FROM audit WHERE action='allow.expired'").fetchone()
                (status,) = db.execute("SELECT status FROM triage WHERE uid=?", (bank,)).fetchone()
            assert (said, status) == ((0, "acknowledged") if point == "allow.ends" else (1, "reopened")), (point, said, status)
            clock.write_text("0" if point == "allow.ends" else str(2 * 86400))
            d.start()
            d.settle()
        assert len(audit(d, "allow.expired")) == 1
        d.stop()


def every_answer_was_seen():
    wanted = {(name, int(status)) for name, op in OPERATIONS.items() for status in op["responses"] if status.startswith("2")}
    assert len(wanted) == 7, wanted
    missing = sorted(wanted - DOCUMENT.seen)
    assert not missing, f"described, but never seen: {missing}"


if __name__ == "__main__":
    sys.exit(run([("adding quiets what the preview named, also over a kill", adding_quiets),
                  ("an end is an event, and reopens", an_end_is_an_event),
                  ("killed while an end is said", killed_at_the_end_of_an_entry),
                  ("ending and removing", ending_and_removing),
                  ("entries of list files have rows", list_files_have_rows),
                  ("counts tell entries apart", counts_tell_entries_apart),
                  ("networks go by servers", networks_go_by_servers),
                  ("broad entries are named", broad_entries_are_named),
                  ("refusals", refusals),
                  ("the command line says the same on a file", command_line_says_the_same),
                  ("previews come true", previews_come_true),
                  ("every answer that is described was seen", every_answer_was_seen)]))
