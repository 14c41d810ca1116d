"""Real clients, and what they do with the certificate that they are shown.

A *case* is one client with one behaviour over one version of TLS, to one origin. What happens is a fact about the
client; what pinwatch must make of it stands in expect.py.
"""
import dataclasses
import pathlib
import re
import shutil
import subprocess

FOLDER = pathlib.Path(__file__).resolve().parent / "clients"
PATIENCE = 40      # seconds a client may take
CURL_PATIENCE = 2  # what curl waits for an answer that does not come

# Program: (the command that has to be there, Debian's package, whether tools/install-deps.sh brings it)
PROGRAMS = {
    "curl": ("curl", "curl", True), "OpenSSL s_client": ("openssl", "openssl", True),
    "GnuTLS": ("gnutls-cli", "gnutls-bin", True), "Node": ("node", "nodejs", True),
    "Python": ("/usr/bin/python3", "python3", True), "Java": ("javac", "default-jdk-headless", False),
    "Chromium": ("chromium", "chromium", True), "Chromium's certificates": ("certutil", "libnss3-tools", True),
}


@dataclasses.dataclass(frozen=True)
class Case:
    client: str
    behaviour: str  # trusts, refuses, pins, late, idle, fin, rst, notify, cancel
    version: str    # "1.2", "1.3", "any"
    host: str
    alert: int = None  # what it says where it refuses

    @property
    def name(self):
        return f"{self.client} {self.behaviour} {self.version} {self.host}"

    @property
    def bundle(self):
        """The app that the phone's agent says it is."""
        words = [self.client.split()[0], self.behaviour, self.version.replace(".", "")]
        return "test.lab." + ".".join(words).lower() + "." + self.host.split(".")[0]


NEWS, BANK, CHAT, GAMES = "www.news.test", "api.bank.test", "api.chat.test", "quiet.games.test"


def both(client, behaviour, host, alert=None):
    return [Case(client, behaviour, v, host, alert) for v in ("1.2", "1.3")]


def cases():
    return [
        *both("curl", "trusts", NEWS), *both("curl", "pins", BANK), *both("curl", "refuses", CHAT, 48),
        *both("OpenSSL s_client", "trusts", NEWS), *both("OpenSSL s_client", "refuses", CHAT, 48),
        *both("GnuTLS", "trusts", NEWS), *both("GnuTLS", "refuses", CHAT, 42),
        *both("Node", "trusts", NEWS), *both("Node", "pins", BANK), *both("Node", "refuses", CHAT, 48),
        *both("Python", "trusts", NEWS), *both("Python", "refuses", CHAT, 48),
        *both("Python", "late", BANK), *both("Python", "idle", NEWS),
        *both("Python", "fin", GAMES), *both("Python", "rst", GAMES), *both("Python", "notify", GAMES),
        *both("Python", "cancel", GAMES),
        *both("Java", "trusts", NEWS), *both("Java", "pins", BANK, 46), *both("Java", "refuses", CHAT, 46),
        Case("Chromium", "trusts", "any", NEWS), Case("Chromium", "refuses", "any", CHAT, 46),
        Case("curl", "trusts", "1.2", "modern.video.test"),
        Case("curl", "trusts", "1.3", "mtls.corp.test"), Case("curl", "trusts", "1.2", "mtls12.corp.test"),
        Case("curl", "trusts", "1.3", "expired.shop.test"), Case("curl", "pins", "1.3", "exempt.vendor.test"),
    ]


def missing():
    """Programs that are not here: {name: (package, whether it has to be)}."""
    gone = {name: (package, must) for name, (command, package, must) in PROGRAMS.items() if not shutil.which(command)}
    if "Chromium's certificates" in gone:
        gone["Chromium"] = gone.pop("Chromium's certificates")
    return gone


def prepare(keys, folder, used):
    """What some of them need: a pin that no key has, a compiled program, browsers' profiles."""
    keys.pin = "sha256//" + "A" * 43 + "="
    keys.java = folder / "java"
    if "Java" in used:
        subprocess.run(["javac", "-d", keys.java, FOLDER / "Client.java"], check=True, timeout=60)
    keys.chromium = {}
    for behaviour in ("trusts", "refuses") if "Chromium" in used else ():
        profile = keys.chromium[behaviour] = folder / f"chromium-{behaviour}"
        database = profile / ".pki" / "nssdb"
        database.mkdir(parents=True)
        subprocess.run(["certutil", "-d", f"sql:{database}", "-N", "--empty-password"], check=True, timeout=30)
        if behaviour == "trusts":
            subprocess.run(["certutil", "-d", f"sql:{database}", "-A", "-t", "C,,", "-n", "lab", "-i", keys.inspection.cert],
                           check=True, timeout=30)


def versions(skipped):
    for name, command in (("curl", ["curl", "-V"]), ("OpenSSL s_client", ["openssl", "version"]),
                          ("GnuTLS", ["gnutls-cli", "--version"]), ("Node", ["node", "--version"]),
                          ("Python", ["/usr/bin/python3", "--version"]), ("Java", ["java", "-version"]),
                          ("Chromium", ["chromium", "--version"])):
        if name in skipped:
            continue
        p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        found = re.search(r"\d+\.\d[\w.]*", p.stdout or p.stderr)
        yield f"{name} {found[0] if found else '?'}"


def curl(case, ca, via, keys):
    words = ["curl", "-sS", "-o", "/dev/null", "--max-time", str(CURL_PATIENCE), "--cacert", ca,
             f"--tlsv{case.version}", "--tls-max", case.version]
    if case.behaviour == "pins":
        words += ["--pinnedpubkey", keys.pin]
    if via:
        words += ["-x", f"http://{via[0]}:{via[1]}"]
    return [*words, f"https://{case.host}/curl"], None


def get(host):
    return f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"


def s_client(case, ca, via, keys):
    words = ["openssl", "s_client", "-servername", case.host, "-CAfile", ca, "-verify_return_error", "-quiet",
             "-no_ign_eof" if case.behaviour == "refuses" else "-ign_eof", "-tls" + case.version.replace(".", "_")]
    words += ["-proxy", f"{via[0]}:{via[1]}"] if via else []
    return [*words, "-connect", f"{case.host}:443"], get(case.host)


def gnutls(case, ca, via, keys):
    words = ["gnutls-cli", "--x509cafile", ca, "--priority", f"NORMAL:-VERS-ALL:+VERS-TLS{case.version}",
             "--sni-hostname", case.host, "--verify-hostname", case.host]
    if via:
        words = ["/usr/bin/python3", "-B", FOLDER / "tunnel.py", via[0], str(via[1]), case.host, *words, "--port", "{port}",
                 "127.0.0.1"]
    else:
        words += ["--port", "443", case.host]
    return words, get(case.host)


def own(program, *before):
    def build(case, ca, via, keys):
        word = {"trusts": "request", "refuses": "request", "pins": "pin"}.get(case.behaviour, case.behaviour)
        where = [via[0], str(via[1])] if via else []
        return [program, *before, word, case.host, case.version, ca, *where], None
    return build


def chromium(case, ca, via, keys):
    profile = keys.chromium[case.behaviour]
    words = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
             "--disable-dev-shm-usage", f"--user-data-dir={profile}/data", "--timeout=8000"]
    # Its maker's hosts are not part of the lab: asked for without the proxy, they are not found.
    if via:
        words += [f"--proxy-server=http://{via[0]}:{via[1]}",
                  "--proxy-bypass-list=*.google.com;*.googleapis.com;*.gstatic.com"]
    return ["env", f"HOME={profile}", *words, "--dump-dom", f"https://{case.host}/chromium"], None


BUILD = {
    "curl": curl, "OpenSSL s_client": s_client, "GnuTLS": gnutls, "Chromium": chromium,
    "Python": own("/usr/bin/python3", "-B", FOLDER / "client.py"), "Node": own("node", FOLDER / "client.js"),
}


def run(case, phone, via, keys, ca=None):
    """Runs it on the phone to its end. Returns exit code and last words; code None: it took too long."""
    if ca is None:
        ca = keys.wrong if case.behaviour == "refuses" else keys.trusting
    build = BUILD.get(case.client) or own("java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", keys.java, "Client")
    command, said = build(case, ca, via, keys)
    p = phone.popen([str(w) for w in command], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _, errors = p.communicate((said or "").encode() or None, timeout=PATIENCE)
        return p.returncode, errors.decode(errors="replace").strip()[-300:]
    except subprocess.TimeoutExpired:
        p.kill()
        p.communicate()
        return None, "it took too long"
