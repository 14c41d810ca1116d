"""The origins: real TLS servers that answer HTTP, one a name, with what is peculiar to each.

    origins.py FOLDER     in the origins' namespace; reads FOLDER/origins.json, serves until its standard input ends
"""
import json
import pathlib
import socket
import socketserver
import ssl
import subprocess
import sys
import threading

# What each is there for. Where nothing is said: TLS 1.2 and 1.3, a good certificate.
ORIGINS = {
    "api.bank.test": {},
    "api.chat.test": {},
    "www.news.test": {},
    "quiet.games.test": {},
    "exempt.vendor.test": {},       # the gateways pass it on by policy
    "modern.video.test": {"least": "TLSv1_3"},
    "mtls.corp.test": {"client_certificate": True},
    "mtls12.corp.test": {"client_certificate": True, "most": "TLSv1_2"},
    "expired.shop.test": {"days": -1},
}
BODY = b"<!doctype html><title>lab</title><p>" + b"here you are. " * 150 + b"\n"
PATIENCE = 30     # seconds a connection may be silent
LONGEST = 1 << 20


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 128

    def __init__(self, one):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(one["cert"], one["key"])
        self.context.minimum_version = ssl.TLSVersion[one.get("least", "TLSv1_2")]
        self.context.maximum_version = ssl.TLSVersion[one.get("most", "TLSv1_3")]
        self.context.set_alpn_protocols(["http/1.1"])
        if one.get("client_certificate"):
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(one["ca"])
        super().__init__((one["address"], 443), Handler)


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.settimeout(PATIENCE)
        tls = self.server.context.wrap_socket(self.request, server_side=True, do_handshake_on_connect=False)
        try:
            tls.do_handshake()
            answer(tls)
        except (OSError, ssl.SSLError):
            drain(tls)
        tls.close()


def answer(tls):
    """Requests, one after another, until one says that it is the last."""
    got = b""
    while True:
        while b"\r\n\r\n" not in got and len(got) < LONGEST:
            more = tls.recv(65536)
            if not more:
                return
            got += more
        head, _, got = got.partition(b"\r\n\r\n")
        tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)
        if b"connection: close" in head.lower():
            return


def drain(tls):
    """A close with bytes unread is a reset, which would take the alert with it."""
    try:
        raw = socket.socket(fileno=tls.detach())
        raw.settimeout(0.5)
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(65536):
            pass
        raw.close()
    except OSError:
        pass


def serve(folder):
    for one in json.loads((folder / "origins.json").read_text()):
        threading.Thread(target=Server(one).serve_forever, daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


def start(folder, network, keys):
    """Starts them in their namespace. Returns the process, which is ready."""
    table = []
    for name, peculiar in ORIGINS.items():
        cert, key = keys.public.issue(name, peculiar.get("days", 20))
        table.append({**peculiar, "address": network.address[name], "cert": str(cert), "key": str(key),
                      "ca": str(keys.public.cert)})
    (folder / "origins.json").write_text(json.dumps(table))
    with open(folder / "origins.log", "wb") as log:
        process = network.origins.popen([sys.executable, "-B", __file__, str(folder)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=log)
    if process.stdout.readline() != b"ready\n":
        raise RuntimeError("the origins do not start: " + (folder / "origins.log").read_text())
    return process


if __name__ == "__main__":
    serve(pathlib.Path(sys.argv[1]))
