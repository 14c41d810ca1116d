"""Who is let in, and by which door.

Fails if a session works without its CSRF token or for another origin, if passwords can be tried out, if a proxy's headers are
believed from anywhere, if HTTP is spoken off loopback in the clear, if the self-made certificate does not hold or changes, or
if the socket in the state folder is open to others.
"""
import http.client
import json
import os
import socket
import sqlite3
import ssl
import stat
import subprocess
import sys
import time

from api import BINARY, PASSWORD, Client, Folder, World, cli, run
from daemon import Daemon
from live import attempt, one_source

WORLD = []
ATTEMPTS = 2


def world():
    return WORLD[0]


def login(w, user, password=PASSWORD, source=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", w.daemon.port, timeout=60, source_address=(source, 0) if source else None)
    connection.request("POST", "/api/v1/login", json.dumps({"user": user, "password": password}),
                       {"Content-Type": "application/json", **(headers or {})})
    r = connection.getresponse()
    body = r.read()
    connection.close()
    return r.status, dict(r.getheaders()), json.loads(body)


def sessions():
    w = world()
    status, headers, session = login(w, "u-analyst")
    assert status == 200 and session["role"] == "analyst" and session["via"] == "session", session
    cookie = headers["Set-Cookie"]
    for word in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"):
        assert word in cookie, cookie
    assert "Secure" not in cookie, "on plain loopback a Secure cookie would never come back"
    pair = cookie.split(";")[0]
    uid = w.uids()[0]
    path = f"/findings/{uid}/acknowledge"
    bare = Client(w.daemon.port, headers={"Cookie": pair})
    assert bare.get("/session")["csrf"] == session["csrf"]
    assert bare.get("/findings")["findings"]
    assert bare.call("POST", path).status == 403, "without a CSRF token"
    for wrong in ("", "x", session["csrf"][:-1], session["csrf"].upper(), "0" * 64):
        assert bare.call("POST", path, headers={"X-CSRF-Token": wrong}).status == 403, wrong
    good = {"X-CSRF-Token": session["csrf"]}
    for origin in ("https://evil.test", "null", f"http://127.0.0.1:{w.daemon.port + 1}", "http://"):
        assert bare.call("POST", path, headers={**good, "Origin": origin}).status == 403, origin
    assert bare.call("POST", path, headers={**good, "Origin": f"http://127.0.0.1:{w.daemon.port}"}).status == 200
    assert bare.call("POST", path, headers=good).status == 200
    assert bare.get("/users", expect=403)
    # A wrong bearer token is not made good by a cookie.
    assert bare.call("GET", "/session", headers={"Authorization": "Bearer pw_wrong"}).status == 401
    for wrong in (pair[:-1], pair + "A", "pinwatch_session=", "pinwatch_session=;;;", "other=1; " + pair[9:], "pinwatch_session=" + "A" * 5000):
        assert Client(w.daemon.port, headers={"Cookie": wrong}).call("GET", "/session").status in (401, 431), wrong
    assert Client(w.daemon.port, headers={"Cookie": "a=b; " + pair + "; c=d"}).get("/session")["user"] == "u-analyst"
    # One session's token is not another's.
    _, headers, other = login(w, "u-analyst")
    assert other["csrf"] != session["csrf"] and headers["Set-Cookie"].split(";")[0] != pair
    assert bare.call("POST", path, headers={"X-CSRF-Token": other["csrf"]}).status == 403
    # Over: by time.
    with sqlite3.connect(w.state / "pinwatch.db", timeout=20) as db:
        assert db.execute("SELECT count(*) FROM sessions WHERE user='u-analyst'").fetchone()[0] == 2
        db.execute("UPDATE sessions SET expires_at=?", (time.time_ns(),))
    db.close()
    bare.get("/session", expect=401)
    # Over: by a new role.
    _, headers, session = login(w, "u-viewer")
    viewer = Client(w.daemon.port, headers={"Cookie": headers["Set-Cookie"].split(";")[0]})
    assert viewer.get("/session")["role"] == "viewer"
    cli("user", "--state", w.state, "role", "u-viewer", "viewer")
    viewer.get("/session", expect=401)
    audit = w.client("admin").get("/audit", action="login")["audit"]
    assert {a["actor"] for a in audit} == {"u-analyst", "u-viewer"} and all(a["address"] == "127.0.0.1" for a in audit), audit


def passwords_cannot_be_tried():
    w = world()
    for i in range(ATTEMPTS):
        assert login(w, "u-admin", f"wrong password {i}", "127.0.0.9")[0] == 401, i
    status, headers, _ = login(w, "u-admin", source="127.0.0.9")
    assert status == 429 and 0 < int(headers["Retry-After"]) <= 901, (status, headers)
    assert login(w, "nobody-there", source="127.0.0.9")[0] == 429
    # From elsewhere the user is not locked out, and whoever was let in does not unlock that address.
    assert login(w, "u-admin", source="127.0.0.10")[0] == 200
    assert login(w, "u-admin", source="127.0.0.9")[0] == 429
    # A user from many addresses.
    for i in range(10 * ATTEMPTS):
        assert login(w, "u-viewer", f"wrong password {i}", f"127.0.1.{i // ATTEMPTS + 1}")[0] == 401, i
    assert login(w, "u-viewer", source="127.0.2.1")[0] == 429
    assert login(w, "u-analyst", source="127.0.2.1")[0] == 200
    admin = w.client("admin")
    failed = admin.get("/audit", action="login.failed", target="u-admin")["audit"]
    assert len(failed) == ATTEMPTS and all(a["address"] == "127.0.0.9" for a in failed), failed
    # Who has no password is not let in by an empty one.
    admin.post("/users", {"name": "tokens-only", "role": "admin"}, expect=201)
    for i, password in enumerate(("x", "nobody's", " ")):
        assert login(w, "tokens-only", password, f"127.0.0.2{i}")[0] == 401
    # An X-Forwarded-For of whoever is no proxy moves nobody.
    assert login(w, "u-admin", source="127.0.0.9", headers={"X-Forwarded-For": "10.9.9.9"})[0] == 429


def socket_in_the_state():
    w = world()
    path = w.state / "api.sock"
    mode = stat.S_IMODE(os.stat(path).st_mode)
    assert mode == 0o660, oct(mode)
    assert stat.S_IMODE(os.stat(w.state).st_mode) & 0o007 == 0, "others can look into the state folder"
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(path))
    connection.request("GET", "/api/v1/session")
    session = json.loads(connection.getresponse().read())
    connection.close()
    assert session["role"] == "admin" and session["via"] == "socket" and session["user"], session


def proxy_headers():
    with Folder("api-proxy") as folder:
        d = Daemon(BINARY, folder, one_source(folder, attempt(0, 1)),
                   ["serve.proxy_addresses=[127.0.0.2]", "serve.proxy_user_header=X-Remote-User"]).start()
        cli("user", "--state", d.state, "add", "pat", "--role", "analyst", "--no-password")

        def ask(source, headers, method="GET", path="/api/v1/session"):
            c = http.client.HTTPConnection("127.0.0.1", d.port, timeout=60, source_address=(source, 0))
            c.request(method, path, headers=headers)
            r = c.getresponse()
            body = json.loads(r.read())
            c.close()
            return r.status, body

        def cookie(source, headers):
            c = http.client.HTTPConnection("127.0.0.1", d.port, timeout=60, source_address=(source, 0))
            c.request("POST", "/api/v1/login", json.dumps({"user": "sam", "password": PASSWORD}),
                      {"Content-Type": "application/json", **headers})
            r = c.getresponse()
            r.read()
            c.close()
            assert r.status == 200, r.status
            return r.getheader("Set-Cookie")

        cli("user", "--state", d.state, "add", "sam", "--role", "viewer", stdin=f"{PASSWORD}\n")
        # A browser that speaks TLS with the proxy gets a cookie for TLS alone; whoever is no proxy cannot say so.
        assert cookie("127.0.0.2", {"X-Forwarded-Proto": "https"}).endswith("; Secure")
        assert "Secure" not in cookie("127.0.0.2", {"X-Forwarded-Proto": "http"})
        assert "Secure" not in cookie("127.0.0.1", {"X-Forwarded-Proto": "https"})

        assert ask("127.0.0.1", {"X-Remote-User": "pat"})[0] == 401, "believed from an address that is not listed"
        assert ask("127.0.0.3", {"X-Remote-User": "pat", "X-Forwarded-For": "127.0.0.2"})[0] == 401
        status, session = ask("127.0.0.2", {"X-Remote-User": "pat"})
        assert status == 200 and (session["user"], session["role"], session["via"]) == ("pat", "analyst", "proxy"), session
        for wrong in ("nobody", "", "a b", "pat\t", "'--", "x" * 65):
            status = ask("127.0.0.2", {"X-Remote-User": wrong})[0]
            assert status == (200 if wrong.strip() == "pat" else 401), (wrong, status)
        assert ask("127.0.0.2", {"X-Remote-User": "pat", "X-Role": "admin"}, path="/api/v1/users")[0] == 403
        # What changes something needs a header that another origin's page cannot send.
        assert ask("127.0.0.2", {"X-Remote-User": "pat"}, "POST", "/api/v1/findings/x/acknowledge")[0] == 403
        assert ask("127.0.0.2", {"X-Remote-User": "pat", "X-CSRF-Token": session["csrf"]}, "POST",
                   "/api/v1/findings/x/acknowledge")[0] == 404
        assert ask("127.0.0.2", {"X-Remote-User": "pat", "X-CSRF-Token": "x", "Origin": "https://evil.test"}, "POST",
                   "/api/v1/findings/x/acknowledge")[0] == 403
        d.stop()
        d.sets.append("serve.proxy_role_header=X-Remote-Role")
        d.start()
        assert ask("127.0.0.2", {"X-Remote-User": "anybody", "X-Remote-Role": "admin"}, path="/api/v1/users")[0] == 200
        assert ask("127.0.0.2", {"X-Remote-User": "anybody"})[0] == 401
        assert ask("127.0.0.2", {"X-Remote-User": "anybody", "X-Remote-Role": "root"})[0] == 401
        d.stop()


def transport():
    with Folder("api-tls") as folder:
        config = one_source(folder, attempt(0, 1))
        d = Daemon(BINARY, folder, config)
        common = [BINARY, "serve", "-c", str(config), "--set", f"serve.state={d.state}"]
        for listen in (f"0.0.0.0:{d.port}", f"[::]:{d.port}"):
            done = subprocess.run(common + ["--set", f"serve.listen={listen}"], stderr=subprocess.PIPE, text=True, check=False,
                                  timeout=60)
            assert done.returncode == 2 and "is not loopback" in done.stderr and "tls_self_made" in done.stderr, done
        done = subprocess.run(common + ["--set", "serve.tls_certificate=x.pem"], stderr=subprocess.PIPE, text=True, check=False,
                              timeout=60)
        assert done.returncode == 2 and "give both" in done.stderr, done
        d.sets = ["serve.tls_self_made=true"]
        d.start()
        certificate, key = d.state / "api-cert.pem", d.state / "api-key.pem"
        assert stat.S_IMODE(os.stat(key).st_mode) == 0o600, "the key is open to others"
        cli("user", "--state", d.state, "add", "ann", stdin=PASSWORD + "\n")
        context = ssl.create_default_context(cafile=str(certificate))

        def ask(method="GET", path="/healthz", body=None):
            c = http.client.HTTPSConnection("127.0.0.1", d.port, timeout=60, context=context)
            c.request(method, path, body, {"Content-Type": "application/json"})
            r = c.getresponse()
            r.read()
            c.close()
            return r

        assert ask().status == 200
        r = ask("POST", "/api/v1/login", json.dumps({"user": "ann", "password": PASSWORD}))
        assert r.status == 200 and "; Secure" in r.getheader("Set-Cookie"), r.getheader("Set-Cookie")
        before = certificate.read_bytes()
        d.stop()
        d.start()
        assert certificate.read_bytes() == before and ask().status == 200, "another certificate after a restart"
        d.stop()
        # Given ones, from everywhere.
        d.sets = [f"serve.tls_certificate={certificate}", f"serve.tls_key={key}"]
        d.start()
        r = ask()
        assert r.status == 200 and r.getheader("Strict-Transport-Security"), r.getheaders()
        try:
            c = http.client.HTTPConnection("127.0.0.1", d.port, timeout=10)
            c.request("GET", "/healthz")
            raise AssertionError(f"answered in the clear: {c.getresponse().status}")
        except (http.client.HTTPException, OSError):
            pass
        d.stop()


TESTS = [("sessions, their cookies and CSRF tokens", sessions),
         ("passwords cannot be tried out", passwords_cannot_be_tried),
         ("the socket in the state folder", socket_in_the_state),
         ("a proxy's headers", proxy_headers),
         ("TLS, and nothing in the clear off loopback", transport)]


def main():
    with Folder("api-doors") as folder:
        WORLD.append(World(folder, [f"serve.login_attempts={ATTEMPTS}"], devices=4, days=1))
        try:
            code = run(TESTS)
        finally:
            world().close()
        return code


if __name__ == "__main__":
    sys.exit(main())
