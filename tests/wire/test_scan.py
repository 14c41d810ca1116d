#!/usr/bin/python3
"""Captures as inputs like any other: test_scan.py PINWATCH [SAMPLES]

A scan joins what the wire saw with the proxy's own record of the connection; live capture sees a real client refuse a real server; and the
captures that lie beside the project (../shared/samples), of real programs, give the outcome that their names say.
"""
import json
import os
import socket
import ssl
import subprocess
import sys
import threading

from harness import FOLDER, Harness
from packets import START, Conversation, frames, pcap
from tls import CCS, client_hello, data, finished, flight

t = Harness()
SAMPLES = sys.argv[2] if len(sys.argv) > 2 else ""


def file(name, content):
    path = os.path.join(FOLDER.name, name)
    with open(path, "wb") as f:
        f.write(content if isinstance(content, bytes) else content.encode())
    return path


def scan(*args):
    p = t.run("scan", "--all", "--output", "jsonl", *args)
    return [json.loads(line) for line in p.stdout.decode().splitlines()], p.stderr.decode(), p.returncode


def rejections(n, gap=30.0, port=50000):
    """So many refusals of one phone, half a minute apart."""
    return [Conversation(client=("10.8.0.10", port + i), start=START + gap * i).c(client_hello()).s(flight())
            .c(CCS + data(19)).close() for i in range(n)]


def capture(conversations):
    return pcap(frames(sorted((s for c in conversations for s in c.segments), key=lambda s: s.time)))


def proxy_record(c, outcome="established_no_data"):
    """What a proxy says of it that sees no more than that no request came."""
    when = "2026-11-24T02:%02d:%02d.%03dZ" % clock(c.segments[0].time)
    return json.dumps({"kind": "tls_attempt", "time": when, "source": "proxy",
                       "sensor": "inspection", "src_endpoint": {"ip": c.client[0], "port": c.client[1]},
                       "dst_endpoint": {"hostname": "api.bank.test", "port": 443}, "tls": {"sni": "api.bank.test"},
                       "inspection": "intercepted", "outcome": outcome, "ended": True})


def clock(time):
    """Minute, second and millisecond of a time on 2026-11-24 between 2 and 3 o'clock UTC."""
    ms = round((time - 1795485600) * 1000)
    return ms // 60000, ms // 1000 % 60, ms % 1000


def joins():
    failing = rejections(4)
    wire = file("inside.pcap", capture(failing))
    proxy = file("proxy.jsonl", "".join(proxy_record(c) + "\n" for c in failing))
    findings, errors, code = scan(wire, proxy)
    f = findings[0] if findings else {}
    t.same("a connection that wire and proxy saw is one attempt",
           (len(findings), f.get("devices", [{}])[0].get("failures"), code), (1, 4, 0))
    # The proxy alone sees late failures; that they are refusals is the wire's word, being the more specific.
    t.check("the wire's word is the more specific",
            "" if any("failed hard" in c["because"] for c in f.get("contributions", [])) else f.get("contributions"))
    t.same("both log sources have contributed",
           (f.get("log_sources", {}).get("NSM:Flow"), f.get("log_sources", {}).get("NSM:Inspection")),
           ("contributed", "contributed"))
    t.check("the footer counts the capture's connections", "" if "wire (flow, pcap): 4 records" in errors else errors)
    again = [scan(wire, proxy, "--threads", n)[0] for n in ("1", "2")] + [scan(proxy, wire)[0]]
    t.check("the same for any number of threads and in any order",
            "" if all(findings_alike(a, findings) for a in again) else "they differ")
    p = t.run("explain", wire, proxy, f.get("uid", "x")[:8])
    t.check("evidence names the packet, and shows no bytes of the capture",
            "" if b"inside.pcap:4\n" in p.stdout else p.stdout.decode()[-1500:])


def findings_alike(a, b):
    """But for the number that an input has."""
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def configured():
    two = rejections(2) + [Conversation(client=("10.8.0.99", 50000)).c(client_hello("other.test")).s(flight())
                           .c(CCS + data(finished()), data(300)).close()]
    file("two.pcap", capture(two))
    conf = file("wire.yaml", "sources:\n  - name: tap\n    kind: wire\n    path: two.pcap\n    vantage: outside\n"
                             "    filter: host 10.8.0.99\n")
    findings, errors, _ = scan("-c", conf)
    t.same("a source's filter leaves out the rest", [f["destination"]["host"] for f in findings], ["other.test"])
    t.check("a source of kind wire is called by its name", "" if "tap (flow, pcap): 1 record" in errors else errors)
    t.check("a sensor beyond the gateway sees what is uninspected",
            "" if findings and findings[0]["devices"][0]["uninspected"] == 1 else findings)
    conf = file("bad.yaml", "sources:\n  - {name: tap, kind: wire, path: two.pcap, filter: prot 443}\n")
    _, errors, code = scan("-c", conf)
    t.check("a filter that is none is an error that quotes it",
            "" if code in (2, 3) and "prot 443" in errors and "pcap-filter" in errors else "%d %s" % (code, errors))
    content = capture(two)
    damaged = file("damaged.pcap", content[:-20])
    findings, errors, code = scan(damaged)
    t.check("a truncated capture is used as far as it goes, and said to be damaged",
            "" if findings and "damaged.pcap" in errors and code != 0 else "%d %s" % (code, errors))
    p = t.run("parse", "-", input=content)
    t.check("a capture on standard input is told how to be read", "" if b"--format pcap" in p.stderr else p.stderr)
    p = t.run("parse", "--format", "pcap", "--filter", "host 10.8.0.99", "-", input=content)
    t.same("a filtered capture from standard input", p.stdout.count(b"\n"), 1)


class Origin(threading.Thread):
    """A TLS server on loopback; one connection."""

    def __init__(self):
        super().__init__(daemon=True)
        key, cert = os.path.join(FOLDER.name, "key.pem"), os.path.join(FOLDER.name, "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", key, "-out", cert, "-subj", "/CN=live.test", "-days", "2"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def run(self):
        while True:
            raw, _ = self.listener.accept()
            try:
                self.context.wrap_socket(raw, server_side=True).close()
            except (ssl.SSLError, OSError):
                raw.close()


def refuse(port):
    """A real client that does not know the server's CA."""
    try:
        with socket.create_connection(("127.0.0.1", port)) as raw:
            ssl.create_default_context().wrap_socket(raw, server_hostname="live.test")
    except (ssl.SSLError, OSError):
        pass


def live():
    origin = Origin()
    origin.start()
    p = subprocess.Popen([t.program, "parse", "--interface", "lo", "--filter", "tcp port %d" % origin.port],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    got, stop = [], threading.Event()

    def read():
        for line in p.stdout:
            got.append(json.loads(line))
            stop.set()
        stop.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    # Until the capture runs nothing is seen; so the client tries again until something is.
    for _ in range(60):
        refuse(origin.port)
        if stop.wait(1):
            break
    p.terminate()
    p.wait(10)
    errors = p.stderr.read().decode()
    if "no right to capture" in errors:
        t.skip("live capture", "not permitted here (CAP_NET_RAW)")
        return
    o = got[0] if got else {}
    t.same("live: a real client refuses a real server",
           (o.get("outcome"), o.get("tls", {}).get("alert"), o.get("tls", {}).get("sni")),
           ("client_reject", 48, "live.test"))
    p = t.run("parse", "--interface", "no-such-interface")
    t.check("live: an interface that is none", "" if p.returncode == 3 and b"no-such-interface" in p.stderr
            else "%d %s" % (p.returncode, p.stderr))


# By what the files are called, and EVIDENCE.md: the outcome, the alert, the version, who closed.
LAB = {
    "tls12_curl_pin": ("established_no_data", None, "1.2"), "tls12_node_pin": ("established_no_data", None, "1.2"),
    "tls12_silent_fin": ("client_silent_close", None, "1.2"), "tls12_unknown_ca": ("client_reject", 48, "1.2"),
    "tls13_cipher_mismatch": ("tls_mismatch", None, None), "tls13_curl_pin": ("established_no_data", None, "1.3"),
    "tls13_idle": ("established_no_data", None, "1.3"), "tls13_node_pin": ("client_silent_close", None, "1.3"),
    "tls13_ok": ("established", None, "1.3"), "tls13_silent_fin": ("client_silent_close", None, "1.3"),
    "tls13_silent_rst": ("client_silent_close", None, "1.3"), "tls13_unknown_ca": ("client_reject", 48, "1.3"),
}


def observations(path):
    p = t.run("parse", path)
    return [json.loads(line) for line in p.stdout.decode().splitlines()]


def lab():
    if not os.path.isdir(os.path.join(SAMPLES, "lab")):
        t.skip("captures of the lab", "the samples do not lie beside the project (%s)" % (SAMPLES or "no path given"))
        return
    for name, want in LAB.items():
        got = observations(os.path.join(SAMPLES, "lab", name + ".pcap"))
        brief = [(o["outcome"], o["tls"].get("alert"), o["tls"].get("version")) for o in got]
        t.same("lab: " + name, brief, [want])
    idle = observations(os.path.join(SAMPLES, "lab", "tls13_idle.pcap"))[0]
    pin = observations(os.path.join(SAMPLES, "lab", "tls13_curl_pin.pcap"))[0]
    t.same("lab: an idle preconnect is told from a pin check by its waiting",
           (idle.get("weak_late"), pin.get("weak_late")), (True, None))
    mixed = observations(os.path.join(SAMPLES, "lab", "mixed.pcap"))
    t.same("lab: both sides of a proxy", [(o["inspection"], o["outcome"], o["dst_endpoint"].get("hostname"))
                                          for o in mixed],
           [("intercepted", "established", "news.test"), ("intercepted", "established_no_data", "api.bank.test"),
            ("intercepted", "established_no_data", "api.bank.test"), ("intercepted", "client_reject", "api.bank.test"),
            ("intercepted", "client_reject", "api.bank.test"), ("unknown", "established", None)])
    zeek = observations(os.path.join(SAMPLES, "pcap", "zeek-certificate-request-failed.pcap"))
    t.same("public: a certificate that was asked for and not liked", [(o["outcome"], o["tls"]["alert"]) for o in zeek],
           [("mutual_tls", 40)])
    draft = observations(os.path.join(SAMPLES, "pcap", "zeek-tls13draft16-ff52.a01.pcap"))
    t.same("public: a draft of TLS 1.3", [(o["outcome"], o["tls"].get("version")) for o in draft],
           [("client_reject", "1.3"), ("established", "1.3")])
    phone = observations(os.path.join(SAMPLES, "pcap", "ndpi-iphone.pcap"))
    # The capture ends while three handshakes are under way.
    t.same("public: an iPhone", (len(phone), sorted(o["tls"]["sni"] for o in phone if o["outcome"] != "established"),
                                 {o["outcome"] for o in phone}),
           (14, ["cl4.apple.com", "gsa.apple.com", "iphone-ld.apple.com"], {"established", "incomplete"}))


joins()
configured()
live()
lab()
t.finish()
