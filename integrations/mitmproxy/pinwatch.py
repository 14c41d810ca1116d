"""An add-on for mitmproxy that writes what became of each client's TLS, as JSON lines for pinwatch (format `mitmproxy_addon`).

    mitmdump -s pinwatch.py --set pinwatch_log=/var/log/mitmproxy/pinwatch.jsonl

The event log of mitmproxy does not say when a handshake was done, so a client that looks at the certificate afterwards and leaves
looks like one that left before, or like a connection that was never inspected. The proxy's hooks do. Here stand facts only; what
they mean stands in formats/mitmproxy_addon.yaml. Works with mitmproxy 8 (Debian 12) to 11.

One line a connection, when it is known what became of it:

    event    refused    the handshake with the client failed; `error` is the proxy's word for it
             request    the handshake was done and a request came; written with the first one
             gone       the client's connection ended without a request; `handshake` tells how far it had come, and `late`,
                        where it was done, whether the client left at once or waited (as a spare connection does)
             upstream   the origin could not be reached or did not like us; `error`
             ignored    passed on, by the option ignore_hosts or another add-on
"""
import datetime
import json
import logging
import os
import re
import time

from mitmproxy import ctx, version

MARK = "pinwatch/1"
VERSION = int(version.VERSION.split(".")[0])
LONGEST = 512  # of a text that comes from outside
MOST = 65536   # connections at a time; past that the oldest is given up
WAITED = 0.25  # seconds after the handshake: a check that fails closes sooner, a spare connection later


def cut(text):
    return str(text)[:LONGEST] if text else None


class Connection:
    def __init__(self, client):
        self.began = client.timestamp_start or time.time()
        self.peer = client.peername
        self.connect = self.agent = self.sni = self.hello = self.server = None
        self.tls = self.version = None  # None, "hello", "started", "done", "failed"
        self.done = None                # when the handshake was done
        self.upstream = None            # what went wrong there
        self.server_left = False        # and the client had not
        self.asked = False              # for a client certificate, by the origin, and that was told
        self.requests = 0
        self.told = False


class Listener(logging.Handler):
    """From version 9 on the proxy's log goes through Python's; a record of a connection says whose."""

    def __init__(self, pinwatch):
        super().__init__(logging.WARNING)
        self.pinwatch = pinwatch

    def emit(self, record):
        client = getattr(record, "client", None)
        if client:
            self.pinwatch.logged(tuple(client)[:2], record.getMessage())


class Pinwatch:
    def __init__(self):
        self.open, self.file, self.inode, self.given_up = {}, None, None, 0
        self.listener = None

    def load(self, loader):
        loader.add_option("pinwatch_log", str, "", "File to which pinwatch's add-on appends a line a connection.")

    def running(self):
        if VERSION >= 9 and self.listener is None:
            self.listener = Listener(self)
            logging.getLogger().addHandler(self.listener)

    def add_log(self, entry):
        """Version 8: `ADDRESS:PORT: what happened`."""
        said = re.match(r"\[?([0-9A-Fa-f:.]+?)\]?:(\d+): (TLS Error: .*)", entry.msg) if VERSION < 9 else None
        if said:
            self.logged((said[1], int(said[2])), said[3])

    def logged(self, peer, message):
        # An origin that wants a client certificate over TLS 1.3 says so behind the handshake, for which there is no hook.
        if not message.startswith("TLS Error: ") or "certificate required" not in message:
            return
        for c in self.open.values():
            if c.peer and tuple(c.peer[:2]) == peer:
                c.upstream = cut(message)
                self.tell(c, None, "upstream", c.upstream, again=not c.asked)
                c.asked = True

    # A connection's way, in order.

    def client_connected(self, client):
        if len(self.open) >= MOST:
            self.open.pop(next(iter(self.open)))
            self.given_up += 1
        self.open[client.id] = Connection(client)

    def of(self, client):
        # An add-on that is loaded while connections are open has not seen their begin.
        if client.id not in self.open:
            self.client_connected(client)
        return self.open[client.id]

    def http_connect(self, flow):
        c = self.of(flow.client_conn)
        c.connect = (flow.request.host, flow.request.port)
        c.agent, c.server = cut(flow.request.headers.get("User-Agent")), flow.server_conn

    def tls_clienthello(self, data):
        c = self.of(data.context.client)
        # Kept, since an add-on after this one may yet decide to pass the connection on.
        c.hello, c.sni, c.tls = data, cut(data.client_hello.sni), "hello"

    def tls_start_client(self, data):
        c = self.of(data.context.client)
        c.tls, c.sni = "started", c.sni or cut(data.context.client.sni)

    def tls_established_client(self, data):
        c = self.of(data.context.client)
        c.tls, c.done, c.version = "done", time.time(), data.context.client.tls_version

    def tls_failed_client(self, data):
        c = self.of(data.context.client)
        c.tls = "failed"
        self.tell(c, data.context, "refused", data.conn.error)

    def tls_failed_server(self, data):
        c = self.of(data.context.client)
        c.upstream = cut(data.conn.error) or "TLS failed"

    def server_disconnected(self, data):
        c = self.open.get(data.client.id)
        if c:
            c.server_left = True

    def requestheaders(self, flow):
        c = self.of(flow.client_conn)
        if flow.request.scheme != "https" or c.tls != "done":
            return
        c.requests += 1
        c.agent = cut(flow.request.headers.get("User-Agent")) or c.agent
        if c.requests == 1:
            self.tell(c, flow, "request")

    def error(self, flow):
        # The handshake with the client may be done before the one with the origin fails.
        c = self.open.get(flow.client_conn.id)
        if c is not None and c.tls == "done":
            word = (flow.server_conn.error if flow.server_conn else None) or c.upstream
            if word:
                self.tell(c, flow, "upstream", word, again=True)

    def client_disconnected(self, client):
        c = self.open.pop(client.id, None)
        if c is None or c.told:
            return
        # Not every version has a hook for an origin that cannot be reached.
        upstream = c.upstream or (cut(c.server.error) if c.server is not None else None)
        if c.tls in (None, "hello") and not upstream and self.is_ignored(c):
            self.tell(c, None, "ignored")
        elif upstream and c.tls != "done":
            self.tell(c, None, "upstream", upstream)
        elif c.tls or c.connect:
            self.tell(c, None, "gone", upstream)

    def is_ignored(self, c):
        if c.hello is not None and getattr(c.hello, "ignore_connection", False):
            return True
        port = c.connect[1] if c.connect else 443
        hosts = [host for host in (c.connect and c.connect[0], c.sni) if host]
        # Version 8 compares names alone, later ones with the port.
        names = hosts + [f"{host}:{port}" for host in hosts]

        def listed(rules):
            return any(re.search(rule, name, re.IGNORECASE) for rule in rules for name in names)

        if ctx.options.allow_hosts:
            return bool(names) and not listed(ctx.options.allow_hosts)
        return listed(ctx.options.ignore_hosts)

    # Writing.

    def tell(self, c, context, event, error=None, again=False):
        if c.told and not again:
            return
        c.told = True
        now = time.time()
        server = getattr(context, "server", None) or getattr(context, "server_conn", None)
        address = c.connect or (server.address if server is not None else None)
        line = {
            "addon": MARK, "event": event, "time": stamp(c.began), "ms": round((now - c.began) * 1000),
            "client": c.peer[0], "port": c.peer[1], "host": address[0] if address else None,
            "server_port": address[1] if address else None, "sni": c.sni, "version": c.version,
            "handshake": c.tls, "after_ms": round((now - c.done) * 1000) if c.done else None,
            "late": self.late(c, now) if event == "gone" and c.done else None,
            "error": cut(error), "agent": c.agent,
        }
        self.write(json.dumps({k: v for k, v in line.items() if v is not None}, separators=(",", ":")) + "\n")

    @staticmethod
    def late(c, now):
        return "waited" if c.server_left or now - c.done >= WAITED else "at_once"

    def write(self, line):
        path = ctx.options.pinwatch_log
        if not path:
            return
        try:
            there = os.stat(path).st_ino
        except OSError:
            there = None
        # A log that was rotated is opened again.
        if self.file is None or there != self.inode:
            if self.file is not None:
                os.close(self.file)
                self.file = None
            self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
            self.inode = os.fstat(self.file).st_ino
        os.write(self.file, line.encode())

    def done(self):
        if self.listener is not None:
            logging.getLogger().removeHandler(self.listener)
            self.listener = None
        if self.file is not None:
            os.close(self.file)
            self.file = None


def stamp(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat(timespec="microseconds").replace(
        "+00:00", "Z")


addons = [Pinwatch()]
