"""What is pushed: HTTP, syslog over UDP, TCP and TLS, files dropped into a folder.

Fails if a record that was acknowledged is lost when the daemon is killed, if one is counted twice, if the findings are not
those of a file with the same records, or if a token or signature is not asked for.
"""
import os
import base64
import gzip
import hashlib
import hmac
import json
import pathlib
import random
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

from daemon import Daemon, Folder, difference, make_fleet, run, scan
from live import attempt

BINARY = os.path.abspath(sys.argv[1])


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def post(d, source, body, token="secret-token", scheme="http", **headers):
    """Status of a POST, or None where nobody answers."""
    request = urllib.request.Request(f"{scheme}://127.0.0.1:{d.port}/api/v1/ingest/{source}", data=body, method="POST")
    request.add_header("Content-Type", headers.pop("type", "application/x-ndjson"))
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        context = ssl._create_unverified_context() if scheme == "https" else None
        with urllib.request.urlopen(request, timeout=10, context=context) as r:
            return r.status
    except urllib.error.HTTPError as e:
        return e.code
    except OSError:
        return None


def configure(folder, text):
    (folder / "token").write_text("secret-token\n")
    (folder / "secret").write_text("signing-secret\n")
    (folder / "pinwatch.yaml").write_text(text)
    return folder / "pinwatch.yaml"


def failures(d):
    return sum(x["failures"] for f in d.findings().values() for x in f["devices"])


def all_ways_in():
    """Ten records by each way; each is counted, and all are one finding."""
    with Folder("push") as folder:
        udp, tcp, tls = free_port(), free_port(), free_port()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key.pem", "-out",
                        folder / "cert.pem", "-days", "2", "-subj", "/CN=localhost"], check=True, stderr=subprocess.DEVNULL)
        config = configure(folder, f"""
sources:
- {{name: http, ingest: true, token_file: token, format: canonical, max_lag: 1h}}
- {{name: syslog, listen: ["udp://127.0.0.1:{udp}", "tcp://127.0.0.1:{tcp}", "tls://127.0.0.1:{tls}"], format: canonical, max_lag: 1h}}
- {{name: drop, drop: drop, format: canonical, max_lag: 1h}}
""")
        # TLS for syslog only: the daemon's own port would speak it, too.
        d = Daemon(BINARY, folder, config, [f"serve.tls_certificate={folder}/cert.pem", f"serve.tls_key={folder}/key.pem"])
        (folder / "drop").mkdir()
        d.start()
        lines = [attempt(i, 1000 + i) for i in range(50)]
        context = ssl._create_unverified_context()
        request = urllib.request.Request(f"https://127.0.0.1:{d.port}/api/v1/ingest/http", method="POST",
                                         data="".join(lines[:10]).encode(),
                                         headers={"Authorization": "Bearer secret-token", "Content-Type": "application/x-ndjson"})
        with urllib.request.urlopen(request, timeout=10, context=context) as r:
            assert r.status == 200, r.status
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for line in lines[10:20]:
                s.sendto(line.encode(), ("127.0.0.1", udp))
        with socket.create_connection(("127.0.0.1", tcp)) as s:
            s.sendall("".join(lines[20:25]).encode())
        with socket.create_connection(("127.0.0.1", tcp)) as s:
            for line in lines[25:30]:
                s.sendall(line.encode())
        with socket.create_connection(("127.0.0.1", tls)) as plain, context.wrap_socket(plain) as s:
            for line in lines[30:40]:
                s.sendall(line.encode())
            # Closed with something unread, the system would throw away what is on its way.
            s.unwrap()
        (folder / "drop" / "a.part").write_text("".join(lines[40:]))
        (folder / "drop" / "a.part").rename(folder / "drop" / "a.jsonl")
        want = {"http": 10, "syslog": 30, "drop": 10}
        d.wait_for(lambda s: {x["name"]: x["records"] for x in s["sources"]} == want, "all records")
        d.settle()
        assert failures(d) == 50, failures(d)
        before = d.findings()
        d.kill()
        d.start()
        d.settle()
        assert {x["name"]: x["records"] for x in d.status()["sources"]} == want, d.status()["sources"]
        assert d.findings() == before
        d.stop()


def who_may():
    with Folder("push") as folder:
        config = configure(folder, """
sources:
- {name: a, ingest: true, token_file: token, format: canonical}
- {name: b, ingest: true, secret_file: secret, format: canonical}
""")
        d = Daemon(BINARY, folder, config).start()
        body = attempt(0, 1).encode()
        assert post(d, "a", body, token=None) == 401
        assert post(d, "a", body, token="wrong") in (401, 403)
        assert post(d, "nobody", body) in (401, 403, 404)
        assert post(d, "b", body, token=None) in (401, 403)
        signature = base64.b64encode(hmac.new(b"signing-secret", body, hashlib.sha256).digest()).decode()
        assert post(d, "b", body, token=None, X_Hmac_Signature=signature) == 200
        assert post(d, "b", body + b"x", token=None, X_Hmac_Signature=signature) in (401, 403)
        assert post(d, "a", b"not json\n") == 400
        assert post(d, "a", gzip.compress(body), Content_Encoding="gzip") == 200
        assert post(d, "a", json.dumps([json.loads(body)] * 3).encode(), type="application/json") == 200
        d.settle()
        records = {s["name"]: s["records"] for s in d.status()["sources"]}
        assert records == {"a": 4, "b": 1}, records
        d.stop()


def acknowledged_is_kept():
    """Many senders, the daemon killed over and over: what was acknowledged is there, once; findings are a scan's."""
    seed = random.SystemRandom().randrange(1 << 32)
    rng = random.Random(seed)
    with Folder("push") as folder:
        print(f"# seed {seed}")
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "10", "--days", "1")
        text = (fleet / "pinwatch.yaml").read_text()
        expected = scan(BINARY, fleet / "pinwatch.yaml")
        pushed = {"edr": "edr.jsonl", "zeek-conn": "conn.log", "zeek-ssl": "ssl.log", "mdm": "nanomdm.ndjson"}
        for name in pushed.values():
            text = text.replace(f"    path: {name}\n", "    ingest: true\n    token_file: token\n")
        text = text.replace("    format: auto\n", "    format: auto\n    max_lag: 1d\n").replace("    max_lag: 30s\n", "")
        for name in ("apps.yaml", "destinations.yaml", "squid-access.log", "conn-b.log", "ssl-b.log", "dhcp.log",
                     "kea-leases4.csv", "radius-detail.log"):
            if (fleet / name).exists():
                (folder / name).write_bytes((fleet / name).read_bytes())
        d = Daemon(BINARY, folder, configure(folder, text), ["serve.checkpoint=100ms"]).start()
        done = threading.Event()

        def send(source, name):
            lines = (fleet / name).read_text().splitlines(keepends=True)
            for at in range(0, len(lines), 10):
                body = "".join(lines[at:at + 10]).encode()
                while post(d, source, body, Idempotency_Key=f"{source}-{at}") != 200:
                    if done.is_set():
                        return
                    time.sleep(0.01)

        threads = [threading.Thread(target=send, args=item) for item in pushed.items()]
        for t in threads:
            t.start()
        kills = 0
        try:
            while any(t.is_alive() for t in threads):
                time.sleep(rng.random() * 0.2)
                if kills < 10:
                    d.kill()
                    d.start()
                    kills += 1
        finally:
            done.set()
        for t in threads:
            t.join()
        print(f"# {kills} kills while sending")
        d.kill()
        d.start()
        d.settle()
        got = {s["name"]: s["records"] for s in d.status()["sources"]}
        for source, name in pushed.items():
            want = len(pathlib.Path(fleet / name).read_text().splitlines())
            assert got[source] == want, f"{source}: {got[source]} records of {want}"
        words = difference(expected, {u: f for u, f in d.findings().items() if f["kind"] != "source_silent"}, places=False)
        assert not words, words
        d.stop()


if __name__ == "__main__":
    sys.exit(run([("all ways in", all_ways_in),
                  ("who may push", who_may),
                  ("what was acknowledged is kept, once", acknowledged_is_kept)]))
