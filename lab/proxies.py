"""Debian's proxies, started on the gateway: mitmproxy, squid and sslsplit, each with what integrations/ has for it."""
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import time

from net import GATEWAY

ROOT = pathlib.Path(__file__).resolve().parent.parent
INTEGRATIONS = ROOT / "integrations"
PATIENCE = 60
# Passed on uninspected, by each gateway's own means.
EXEMPT = "exempt.vendor.test"


class Proxy:
    """A running proxy: `via` is where clients send CONNECT, None where it is transparent; `logs` what it writes."""

    name = package = command = None
    via = None
    at_once = 3  # clients at a time
    settles = 0  # seconds until its log means what it says

    def __init__(self, folder, network, keys):
        self.folder, self.network, self.keys = folder / self.name, network, keys
        self.folder.mkdir()
        self.logs = {}
        self.process = None

    def run(self, command, **options):
        self.said = self.folder / "said.log"
        with open(self.said, "ab") as said:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=self.folder,
                                            **options)

    def wait(self, *addresses):
        """Until it listens."""
        until = time.monotonic() + PATIENCE
        for address in addresses:
            while True:
                try:
                    socket.create_connection(address, timeout=5).close()
                    break
                except OSError as e:
                    if self.process.poll() is not None or time.monotonic() > until:
                        raise RuntimeError(f"{self.name} does not listen at {address}: {e}\n{self.tail()}") from None
                    time.sleep(0.05)

    def tail(self):
        return self.said.read_text(errors="replace")[-3000:]

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)


class Mitmproxy(Proxy):
    name, package, command = "mitmproxy", "mitmproxy", "mitmdump"
    via = (GATEWAY, 8080)

    program = "mitmdump"

    def start(self):
        shutil.copy(self.keys.together, self.folder / "mitmproxy-ca.pem")
        self.logs = {"events": self.folder / "mitmdump.log", "addon": self.folder / "pinwatch.jsonl"}
        self.run([INTEGRATIONS / "stamp" / "pinwatch-stamp", self.logs["events"], self.program,
                  "--set", f"confdir={self.folder}", "--listen-host", self.via[0], "-p", str(self.via[1]),
                  "--set", f"ssl_verify_upstream_trusted_ca={self.keys.public.cert}", "--set", "flow_detail=1",
                  "--ignore-hosts", "^" + re.escape(EXEMPT) + "(:443)?$",
                  "-s", str(INTEGRATIONS / "mitmproxy" / "pinwatch.py"), "--set", f"pinwatch_log={self.logs['addon']}"])
        self.wait(self.via)

    @staticmethod
    def version(program="mitmdump"):
        said = subprocess.run([program, "--version"], stdout=subprocess.PIPE, text=True, timeout=30, check=False).stdout
        return said.splitlines()[0].replace("Mitmproxy: ", "mitmproxy ")


class Squid(Proxy):
    # A CONNECT without a request counts as late once 30 s have passed in the log (docs/evidence.md, 2.6).
    settles = 31
    name, package, command = "squid", "squid-openssl", "/usr/sbin/squid"
    via = (GATEWAY, 3128)

    def start(self):
        helper = "/usr/lib/squid/security_file_certgen"
        database, access = self.folder / "certificates", self.folder / "access.log"
        subprocess.run([helper, "-c", "-s", database, "-M", "4MB"], check=True, stdout=subprocess.DEVNULL, timeout=30)
        shutil.copy(self.keys.together, self.folder / "ca.pem")
        self.logs = {"access": access}
        (self.folder / "squid.conf").write_text(f"""
http_port {self.via[0]}:{self.via[1]} ssl-bump tls-cert={self.folder}/ca.pem generate-host-certificates=on dynamic_cert_mem_cache_size=4MB
sslcrtd_program {helper} -s {database} -M 4MB
sslcrtd_children 4 startup=2 idle=1
tls_outgoing_options cafile={self.keys.public.cert} min-version=1.2
acl exempt ssl::server_name {EXEMPT}
acl hello at_step SslBump1
ssl_bump peek hello
ssl_bump splice exempt
ssl_bump bump all
http_access allow all
include {INTEGRATIONS}/squid/pinwatch.conf
access_log stdio:{access} pinwatch
cache_log {self.folder}/cache.log
cache deny all
pid_filename {self.folder}/squid.pid
coredump_dir {self.folder}
visible_hostname gateway.test
pinger_enable off
shutdown_lifetime 1 seconds
max_filedescriptors 4096
cache_mem 8 MB
""")
        if os.geteuid() == 0:
            who = pwd.getpwnam("proxy")
            for path in [self.folder, *self.folder.rglob("*")]:
                os.chown(path, who.pw_uid, who.pw_gid)
        self.run(["/usr/sbin/squid", "-N", "-f", self.folder / "squid.conf"])
        self.wait(self.via)

    @staticmethod
    def version(_=None):
        said = subprocess.run(["/usr/sbin/squid", "-v"], stdout=subprocess.PIPE, text=True, timeout=30, check=False).stdout
        return "squid " + said.splitlines()[0].split()[-1]


class Sslsplit(Proxy):
    # Its debug log names a failed connection's host only where no other is open.
    at_once = 1
    name, package, command = "sslsplit", "sslsplit", "sslsplit"

    def start(self):
        self.logs = {"connect": self.folder / "connect.log", "debug": self.folder / "debug.log"}
        specs, fronts = [], []
        for host, front in self.network.front.items():
            if host != EXEMPT:
                specs += ["ssl", front, "443", self.network.address[host], "443"]
                fronts.append((front, 443))
        self.run([INTEGRATIONS / "sslsplit" / "pinwatch-sslsplit", self.folder, "-k", self.keys.inspection.key,
                  "-c", self.keys.inspection.cert, *specs])
        self.wait(*fronts)

    @staticmethod
    def version(_=None):
        p = subprocess.run(["sslsplit", "-V"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30,
                           check=False)
        return " ".join(p.stdout.split()[:2]).replace("SSLsplit", "sslsplit")


ALL = (Mitmproxy, Squid, Sslsplit)
