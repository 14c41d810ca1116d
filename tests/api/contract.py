"""The API as docs/openapi.yaml describes it.

Fails if the daemon has a route that the document does not describe or the other way around, if an answer is not as
described, if a role may do what is not its own, if a token that is expired, forged or cut lets anybody in, or if anything
that a request may hold makes a 500, in any field of any operation.
"""
import json
import os
import random
import re
import string
import subprocess
import sys
import time
import urllib.parse

import jsonschema
from api import (BINARY, DOCUMENT, PASSWORD, ROLES, ROOT, Client, Document, Folder, World, cli, copy_of, filled, run)

SEED = int(os.environ.get("PINWATCH_SEED", "20261124"))
ROUNDS = int(os.environ.get("PINWATCH_ROUNDS", "25"))
WORLD = []


def world():
    return WORLD[0]


# ---- the document and the source


def routes_of_daemon():
    """(method, path, role) of every row of the daemon's table."""
    with Folder("api-routes") as folder:
        text = subprocess.run([sys.argv[2], str(folder / "pinwatch.db")], stdout=subprocess.PIPE, text=True,
                              check=True).stdout
    found = {tuple(line.split()) for line in text.splitlines()}
    found.add(("POST", "/ingest/{source}", "anyone"))  # there with sources that take records
    return found


def every_route_is_described():
    described = {(m, p, op["x-role"]) for (m, p), op in DOCUMENT.operations.items()}
    source = routes_of_daemon()
    assert len(source) > 20, f"only {len(source)} routes are there"
    assert described == source, f"only described: {described - source}; only there: {source - described}"
    ids = [op["operationId"] for op in DOCUMENT.operations.values()]
    assert len(ids) == len(set(ids)), "an operationId is given twice"


# ---- each operation once, as it is meant


def tour():
    """Every answer 2xx that the document describes is seen (streams and pushed records have their own tests)."""
    w = world()
    admin, analyst, viewer = (w.client(r) for r in ("admin", "analyst", "viewer"))
    uid = w.uids()[0]
    page = viewer.get("/findings", limit=2, sort="-risk", verdict="confirmed,suspected", since="2026-01-01T00:00:00Z")
    assert len(page["findings"]) == 2 and page["next"], page
    one = viewer.get(f"/findings/{uid}")
    assert one["finding"]["uid"] == uid == one["summary"]["uid"] and one["triage"]["status"] == "open", one["triage"]
    assert one["history"][-1]["revision"] == one["summary"]["revision"], one["history"]
    assert viewer.get(f"/findings/{uid}/revisions/{one['summary']['revision']}") == one["finding"]
    revision = one["summary"]["revision"]
    assert analyst.post(f"/findings/{uid}/acknowledge", {"revision": revision + 1}, expect=409)
    assert analyst.post(f"/findings/{uid}/acknowledge", {"revision": revision})["triage"]["status"] == "acknowledged"
    assert analyst.post(f"/findings/{uid}/close", {"reason": "by design"})["triage"]["reason"] == "by design"
    assert analyst.post(f"/findings/{uid}/reopen", {"comment": "not\nso"})["triage"]["status"] == "reopened"
    assert analyst.post(f"/findings/{uid}/assign", {"assignee": "u-analyst"})["triage"]["assignee"] == "u-analyst"
    assert analyst.post(f"/findings/{uid}/comments", {"text": "a comment"}, expect=201)["author"] == "u-analyst"
    assert [c["text"] for c in viewer.get(f"/findings/{uid}")["comments"]] == ["not\nso", "a comment"]
    assert viewer.get("/status")["state"] == "ready"
    names = {s["name"] for s in viewer.get("/sources")["sources"]}
    assert "proxy" in names, names
    settings = viewer.get("/settings")
    options = {o["option"]: o for o in settings["options"]}
    assert options["serve.session_age"]["value"] == "12h" and options["serve.session_age"]["file"] is None
    assert {s["name"] for s in settings["sources"]} == names
    coverage = {c["log_source"]: c["status"] for c in viewer.get("/analytic")["coverage"]}
    assert set(coverage.values()) == {"present"}, coverage
    audit = admin.get("/audit", target=uid)["audit"]
    assert [a["action"] for a in audit] == ["finding.comment", "finding.assign", "finding.comment", "finding.reopen",
                                            "finding.close", "finding.acknowledge"], audit
    assert all(a["actor"] == "u-analyst" and a["via"] == "token" and a["address"] == "127.0.0.1" for a in audit), audit
    assert audit[4]["before"]["status"] == "acknowledged" and audit[4]["after"]["reason"] == "by design", audit[4]
    # People.
    assert admin.post("/users", {"name": "someone", "role": "viewer"}, expect=201)["user"]["password"] is False
    admin.post("/users", {"name": "someone", "role": "viewer"}, expect=409)
    assert admin.post("/users/someone/role", {"role": "analyst"})["user"]["role"] == "analyst"
    assert admin.post("/users/someone/password", {"password": PASSWORD})["user"]["password"] is True
    assert "someone" in [u["name"] for u in admin.get("/users")["users"]]
    token = admin.post("/users/someone/tokens", {"label": "x", "role": "viewer", "days": 1}, expect=201)
    assert [t["id"] for t in admin.get("/users/someone/tokens")["tokens"]] == [token["id"]]
    session = viewer.call("POST", "/login", body={"user": "someone", "password": PASSWORD})
    cookie = {"Cookie": session.headers["Set-Cookie"].split(";")[0], "X-CSRF-Token": session.json["csrf"]}
    someone = Client(w.daemon.port, headers=cookie)
    assert someone.get("/session")["user"] == "someone"
    assert viewer.get("/session")["via"] == "token"
    assert someone.post("/session/password", {"old": "wrong" + PASSWORD, "new": PASSWORD + "2"}, expect=403)
    assert someone.post("/session/password", {"old": PASSWORD, "new": PASSWORD + "2"}) == {}
    someone.get("/session", expect=401)
    session = viewer.call("POST", "/login", body={"user": "someone", "password": PASSWORD + "2"})
    cookie = {"Cookie": session.headers["Set-Cookie"].split(";")[0], "X-CSRF-Token": session.json["csrf"]}
    someone = Client(w.daemon.port, headers=cookie)
    assert someone.post("/logout") == {}
    someone.get("/session", expect=401)
    viewer.call("POST", "/logout")
    assert admin.call("DELETE", f"/users/someone/tokens/{token['id']}").status == 200
    assert admin.call("DELETE", f"/users/someone/tokens/{token['id']}").status == 404
    assert admin.call("DELETE", "/users/someone").status == 200
    wanted = {(op["operationId"], int(s)) for op in DOCUMENT.operations.values() for s in op["responses"]
              if s.startswith("2") and not {"x-stream", "x-source", "x-elsewhere"} & set(op)}
    missing = sorted(wanted - DOCUMENT.seen)
    assert not missing, f"described, but never seen: {missing}"


# ---- who may


def plain(op, rng):
    """Path, query and body of a request that is as described, and aims at nothing that is there."""
    path = op["path"]
    for p in op["parameters"]:
        if p["in"] == "path":
            path = filled(path, **{p["name"]: p["example"]})
    schema = DOCUMENT.body(op)
    return path, (valid(schema, rng) if schema is not None else None)


def roles():
    w, rng = world(), random.Random(SEED)
    order = ["anyone"] + ROLES
    for op in DOCUMENT.operations.values():
        for role in [None] + ROLES:
            client = w.client(role)
            path, body = plain(op, rng)
            if "x-stream" in op and role is not None:
                continue  # it does not end; tests/api/crowd.py listens
            if op["path"] in ("/login", "/ingest/{source}", "/users") and op["method"] == "POST" and role != "viewer":
                body = None  # asked without effect
            status = client.call(op["method"], path, body=body).status
            have = order.index(role or "anyone")
            need = order.index(op["x-role"])
            name = f"{role} at {op['method']} {path}: {status}"
            if need == 0:
                assert status != 403, name
            elif have == 0:
                assert status == 401, name
            elif have < need:
                assert status == 403, name
            else:
                assert status not in (401, 403) or op["operationId"] == "changePassword", name
            client.close()


def tokens_that_are_none():
    w = world()
    good = w.tokens["admin"]
    wrong = [good[:-1], good + "A", good[3:], good.lower(), good[::-1], "pw_" + "A" * 43, "", " ", "null", good[:20],
             "pw_" + "A" * 20000, good.replace("pw_", "PW_"), good[:-1] + ("A" if good[-1] != "A" else "B")]
    for token in wrong:
        answer = Client(w.daemon.port, headers={"Authorization": f"Bearer {token}"}).call("GET", "/session")
        assert answer.status in (401, 431, 400) and "admin" not in answer.text, (token[:60], answer.status)
    for header in (f"Basic {good}", good, f"Bearer{good}", f"Bearer {good} {good}", f"Token {good}"):
        assert Client(w.daemon.port, headers={"Authorization": header}).call("GET", "/session").status == 401, header
    assert w.client("admin").get("/session")["role"] == "admin"
    # Expired: as if its last day were over.
    admin = w.client("admin")
    admin.post("/users", {"name": "old", "role": "admin"}, expect=201)
    token = admin.post("/users/old/tokens", {"days": 1}, expect=201)
    old = Client(w.daemon.port, token["token"])
    assert old.get("/session")["expires_at"] == token["expires_at"]
    import sqlite3
    with sqlite3.connect(w.state / "pinwatch.db", timeout=20) as db:
        db.execute("UPDATE tokens SET expires_at=? WHERE id=?", (time.time_ns() - 1, token["id"]))
    db.close()
    old.get("/session", expect=401)
    # A role that was taken away, though the token had it; a user who is gone.
    token = admin.post("/users/old/tokens", {"role": "admin"}, expect=201)
    old = Client(w.daemon.port, token["token"])
    assert old.get("/users")["users"]
    admin.post("/users/old/role", {"role": "viewer"})
    assert old.get("/users", expect=403) and old.get("/session")["role"] == "viewer"
    less = admin.post("/users/u-admin/tokens", {"role": "viewer"}, expect=201)
    assert Client(w.daemon.port, less["token"]).get("/session")["role"] == "viewer"
    assert admin.call("DELETE", "/users/old").status == 200
    old.get("/session", expect=401)
    # No secret lies in the database.
    data = (w.state / "pinwatch.db").read_bytes() + (w.state / "pinwatch.db-wal").read_bytes()
    for secret in (good, less["token"], PASSWORD):
        assert secret.encode() not in data, "a secret lies in the database"


# ---- anything in any field


def text_like(pattern, rng):
    """A text for the patterns that the document uses: a name, a list of words, a word behind a dash."""
    words = re.findall(r"[a-z_]{3,}", re.sub(r"\[[^\]]*\]", "", pattern))
    if words:
        lists = "(," in pattern
        return ",".join(rng.sample(sorted(set(words)), rng.randint(1, 3))) if lists else rng.choice(["", "-"]) + rng.choice(words)
    return "".join(rng.choice(string.ascii_letters + string.digits) for _ in range(rng.randint(1, 20)))


def valid(schema, rng):
    """A value that the schema allows."""
    if "example" in schema and rng.random() < 0.3:
        return schema["example"]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return rng.choice(schema["enum"])
    if "oneOf" in schema or "anyOf" in schema:
        more = {k: v for k, v in schema.items() if k not in ("oneOf", "anyOf")}
        one = rng.choice(schema.get("oneOf") or schema.get("anyOf"))
        merged = {**more, **one, "properties": {**more.get("properties", {}), **one.get("properties", {})},
                  "required": list(more.get("required", [])) + list(one.get("required", []))}
        return valid(merged, rng)
    kind = schema.get("type", "object")
    if isinstance(kind, list):
        kind = rng.choice(kind)
    if kind == "null":
        return None
    if kind == "boolean":
        return rng.random() < 0.5
    if kind == "integer":
        low, high = schema.get("minimum", -5), schema.get("maximum", 1000)
        return rng.choice([low, high, rng.randint(low, high)])
    if kind == "number":
        return rng.uniform(schema.get("minimum", -5), schema.get("maximum", 1000))
    if kind == "array":
        n = rng.randint(schema.get("minItems", 0), min(schema.get("maxItems", 3), 5))
        return [valid(schema.get("items", {"type": "string"}), rng) for _ in range(n)]
    if kind == "object":
        needed = schema.get("required", [])
        return {k: valid(v, rng) for k, v in schema.get("properties", {}).items() if k in needed or rng.random() < 0.5}
    if schema.get("format") == "date-time":
        return "2026-11-%02dT00:00:00Z" % rng.randint(1, 28)
    if schema.get("format") == "date":
        return "2030-11-%02d" % rng.randint(1, 28)
    if "pattern" in schema:
        return text_like(schema["pattern"], rng)
    low, high = schema.get("minLength", 0), schema.get("maxLength", 40)
    n = rng.choice([low, high, rng.randint(low, min(high, 60))])
    return "".join(rng.choice("abc XYZ019._-äß漢'\"<>&%;\\/{}") for _ in range(n)).encode()[:n].decode("utf-8", "ignore").ljust(low, "x")


HOSTILE = ["", " ", "\x00", "a\x00b", "\x1b[31mred", "\r\nSet-Cookie: x=y", "' OR 1=1 --", "\"; DROP TABLE users; --", "../../etc/passwd",
           "%00", "%n%s%x", "{{7*7}}", "<script>alert(1)</script>", "\ud800", "\ufeff", "\u202eevil", "٣٤", "0x10", "1e309", "-1", "NaN",
           "9" * 400, "A" * 9000, "漢" * 3000, ",", ",,,", ".", ".*", "-", "*", "a.*.b", "null", "true", "[]", "{}", "\\u0000", "¼",
           "2026-13-45T99:99:99Z", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59Z", "+1", " 1", "1 ", "1.0"]
WRONG = [None, True, False, 0, -1, 2 ** 31, 2 ** 63, 2 ** 64, -2 ** 63, 1.5, 1e308, [], {}, [[]], {"a": 1}, ["x"] * 2000]


def broken(value, rng):
    """The value with something in it replaced, removed or added."""
    value = copy_of(value)
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(sorted(value))
        what = rng.random()
        if what < 0.15:
            del value[key]
        elif what < 0.25:
            value[rng.choice(HOSTILE)] = 1
        else:
            value[key] = broken(value[key], rng) if rng.random() < 0.3 else rng.choice(HOSTILE + WRONG)
        return value
    return rng.choice(HOSTILE + WRONG)


def hostile_bytes(body, rng):
    """A body that may not even be JSON."""
    text = json.dumps(body).encode()
    return rng.choice([
        b"", b"{", b"[" * 100000, b"{\"a\":" * 5000, b"\xff\xfe\x00", b"\xef\xbb\xbf" + text, text + text, text[:-1], b"null", b"[]", b"1",
        text.replace(b"}", b",\"a\":1,\"a\":2}"), b" " * 60000 + text, b"x" * 65537, b"{\"reason\":\"\xff\"}", b"\x00" * 100,
        text.decode().encode("utf-16"), b"{\"text\":\"\\ud800\"}"])


def bytes_ok(schema, value):
    """Lengths are bytes; control characters are not a matter of the schema."""
    if isinstance(value, dict):
        return all(bytes_ok(schema.get("properties", {}).get(k, {}), v) for k, v in value.items())
    if isinstance(value, list):
        return all(bytes_ok(schema.get("items", {}), v) for v in value)
    if isinstance(value, str):
        try:
            n = len(value.encode())
        except UnicodeEncodeError:
            return False
        return schema.get("minLength", 0) <= n <= schema.get("maxLength", 1 << 20) and not re.search(r"[\x00-\x1f\x7f]", value)
    return True


def anything_in_any_field():
    w, rng = world(), random.Random(SEED)
    print(f"# seed {SEED}, {ROUNDS} rounds of each operation")
    uids = w.uids(all="true")
    asked = accepted = refused = 0
    slow = {"addUser", "setPassword", "changePassword", "backtest"}
    client = w.client("admin")
    for op in DOCUMENT.operations.values():
        if "x-stream" in op or "x-source" in op:
            continue
        schema = DOCUMENT.body(op)
        for i in range(min(ROUNDS, 8) if op["operationId"] in slow else ROUNDS):
            path, query, ok = op["path"], {}, True
            for p in op["parameters"]:
                value = valid(DOCUMENT.whole(p["schema"]), rng)
                if p["name"] == "uid" and rng.random() < 0.7:
                    value = rng.choice(uids)
                if p["in"] != "path" and rng.random() < 0.6:
                    continue
                if rng.random() < 0.4:
                    value, ok = rng.choice(HOSTILE), False
                value = str(value).encode("utf-8", "surrogatepass")
                if p["in"] == "path":
                    path = path.replace("{" + p["name"] + "}", urllib.parse.quote(value or b"x", safe=""))
                elif p["in"] == "query" and p["name"] not in ("cursor",):
                    query[p["name"]] = value
                elif p["name"] == "cursor":
                    query["cursor"], ok = value, False
            if rng.random() < 0.1:
                query[rng.choice(HOSTILE).encode("utf-8", "surrogatepass")], ok = b"1", False
            body, data = None, None
            if schema is not None:
                body = valid(schema, rng)
                if rng.random() < 0.5:
                    body = broken(body, rng)
                if not (jsonschema.Draft202012Validator(schema).is_valid(body) and bytes_ok(schema, body)):
                    ok = False
                data = json.dumps(body).encode()
                if rng.random() < 0.2:
                    data, ok = hostile_bytes(body, rng), False
            elif op["method"] != "GET" and rng.random() < 0.2:
                data, ok = hostile_bytes({}, rng), False
            answer = client.call(op["method"], path, body=data, query=query)
            name = f"seed {SEED}: {op['method']} {path} {query} {str(body)[:200]}: {answer.status} {answer.text[:200]}"
            assert answer.status < 500, name
            if ok and not {"x-loose"} & set(op):
                assert answer.status not in (400, 413, 415), f"as described, and yet refused: {name}"
            asked += 1
            accepted += answer.status < 300
            refused += answer.status == 400
    assert accepted > asked / 6 and refused > asked / 20, f"of {asked} {accepted} accepted, {refused} refused"
    print(f"# {asked} requests, {accepted} accepted, {refused} refused")
    assert w.daemon.alive(), w.daemon.tail()
    assert w.client("viewer").get("/status")["state"] == "ready"


def odd_requests():
    """What is no request of any operation."""
    w = world()
    client = w.client("admin", loose=True)
    for method, path, expect in (("GET", "/nothing", 404), ("POST", "/findings", 405), ("PUT", "/users", 405),
                                 ("DELETE", "/findings/x", 405), ("GET", "/findings/", 404), ("GET", "/findings//x", 404),
                                 ("GET", "/findings/%zz", 400), ("GET", "/findings/%00", 400), ("GET", "//findings", 404),
                                 ("GET", "/findings/..%2f..%2fusers", 404), ("HEAD", "/findings", 200),
                                 ("OPTIONS", "/findings", 405), ("TRACE", "/findings", 405)):
        answer = client.call(method, path)
        assert answer.status == expect, (method, path, answer.status, answer.text[:200])
        if expect == 405:
            assert answer.headers["Allow"], answer.headers
    uid = w.uids()[0]
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        answer = client.call("POST", f"/findings/{uid}/comments", body=b'{"text":"x"}', headers={"Content-Type": kind})
        assert answer.status == 415, (kind, answer.status)
    for query in ("limit=1&limit=2", "limit=%zz", "limit", "limit=0", "limit=501", "sort=", "sort=--risk", "cursor=AAAA", "status=open,",
                  "since=yesterday", "all=TRUE", "x=1"):
        answer = client.raw("GET", f"/api/v1/findings?{query}", None, {"Authorization": f"Bearer {client.token}"})
        assert answer.status == 400, (query, answer.status, answer.text[:200])
    answer = client.raw("GET", "/api/v1/findings?app=" + "a" * 30000, None, {"Authorization": f"Bearer {client.token}"})
    assert answer.status in (400, 414, 431), answer.status
    answer = client.call("GET", "/findings")
    for header, value in (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"), ("X-Frame-Options", "DENY"),
                          ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")):
        assert answer.headers.get(header) == value, (header, answer.headers)
    assert "Access-Control-Allow-Origin" not in answer.headers


TESTS = [("every route is described, and every described one is there", every_route_is_described),
         ("each operation, as it is meant", tour),
         ("every role at every route", roles),
         ("tokens that are none", tokens_that_are_none),
         ("anything in any field", anything_in_any_field),
         ("odd requests", odd_requests)]


def main():
    with Folder("api-contract") as folder:
        WORLD.append(World(folder))
        try:
            code = run(TESTS)
        finally:
            world().close()
        return code


if __name__ == "__main__":
    sys.exit(main())
