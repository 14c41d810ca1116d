#!/usr/bin/python3
"""The lab: real proxies, real clients, and pinwatch beside them.

    run.py PINWATCH [--only PROXY] [--mitmdump PROGRAM] [--write] [--keep]

Each of Debian's proxies is started in turn on a gateway between phones and origins (net.py). Each client of
clients.py goes through it once from a phone of its own, and a small fleet plays a story (story.py). The wire is
captured on both sides. Then pinwatch has to give the right outcome of every connection and the right verdict on every
app from the proxy's log alone, from the wire alone, and from both (expect.py). --write puts what each client did on the
wire into docs/wire-clients.md.

Exit code 0: all right; 1: something is wrong; 77: network namespaces are not to be had (with CI set that is wrong).
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import net

if __name__ == "__main__":
    net.enter()

import capture
import clients
import expect
import fleet
import live
import origins
import page
import pki
import proxies
import story

LIMIT = 480      # seconds for all of it


class Lab:
    def __init__(self, arguments):
        self.pinwatch, self.mitmdump = os.path.abspath(arguments.pinwatch), arguments.mitmdump
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pinwatch-lab."))
        self.folder.chmod(0o755)  # squid runs as another user
        self.failed, self.passed, self.skipped = 0, 0, []
        self.network = net.Network(self.folder, origins.ORIGINS)
        self.keys = pki.Keys(self.folder / "keys")
        self.cases = self.present()
        clients.prepare(self.keys, self.folder, {c.client for c in self.cases})
        self.origins = origins.start(self.folder, self.network, self.keys)
        self.hosts = [self.network.phone() for _ in range(len(self.cases) + 3)]
        self.rows = {}

    def present(self):
        """The cases whose client is here. What is not is said, and wrong where install-deps.sh brings it."""
        gone = clients.missing()
        for name, (package, must) in gone.items():
            self.skipped.append(name)
            if must:
                self.check(f"{name} is here", f"not installed; tools/install-deps.sh lab installs {package}")
            else:
                print(f"lab: {name} is NOT tried: it is not installed ({package})")
        return [c for c in clients.cases() if c.client not in gone]

    def check(self, name, problem):
        self.passed, self.failed = self.passed + (not problem), self.failed + bool(problem)
        if problem:
            print(f"not ok - {name}\n    {problem}")

    def phones(self):
        """As MDM knows them: one a case, two of the story, and the one without the root."""
        addresses = [h.address for h in self.hosts]
        n = len(self.cases)
        out = [fleet.Phone(i + 1, addresses[i], (c.bundle,)) for i, c in enumerate(self.cases)]
        bundles = tuple(dict.fromkeys(a.bundle for a in story.STORY))
        out += [fleet.Phone(n + 1, addresses[n], bundles), fleet.Phone(n + 2, addresses[n + 1], bundles)]
        return out + [fleet.Phone(n + 3, addresses[n + 2], (story.BROWSER,), root=False)]

    def play(self, proxy):
        """Runs all clients. Returns who was when: (phone, bundle, host, from, to)."""
        spans = []

        def one(host, phone, bundle, case, ca=None):
            began = time.time()
            code, said = clients.run(case, host, proxy.via, self.keys, ca)
            spans.append((phone, bundle, case.host, began, time.time()))
            if code is None:
                self.check(f"{proxy.name}: {case.name} ends", said)

        def tell(host, phone, apps, ca=None):
            for a in story.sequence(apps):
                one(host, phone, a.bundle, a.case, ca)

        phones = self.phones()
        with concurrent.futures.ThreadPoolExecutor(proxy.at_once) as pool:
            jobs = [pool.submit(tell, self.hosts[i], phones[i], story.STORY) for i in (-3, -2)]
            jobs.append(pool.submit(tell, self.hosts[-1], phones[-1], story.ROOTLESS, self.keys.wrong))
            jobs += [pool.submit(one, self.hosts[i], phones[i], c.bundle, c) for i, c in enumerate(self.cases)]
            for job in jobs:
                job.result()
        if proxy.settles:
            time.sleep(proxy.settles)
            last = story.STORY[0]
            one(self.hosts[-2], phones[-2], last.bundle, last.case)
        return spans

    def agent(self, spans, wire):
        """What the agents on the phones saw: the app of each connection, told from when it was begun."""
        where = {a: n for n, a in [*self.network.front.items(), *self.network.address.items()]}
        for phone, bundle, host, began, ended in spans:
            for c in wire.get(phone.address, []):
                if began - 0.001 <= c.time <= ended and (c.host() or where.get(c.server[0])) == host:
                    yield fleet.activity(phone, bundle, c.time, c.client[1], host)

    def round(self, kind):
        """All that is seen through one proxy. What clients do in real time a busy machine can make look like something
        else, a slow client like an idle one: what was wrong once is played again, and has to be right then."""
        before = self.passed, self.failed
        self.once(kind, self.folder)
        if self.failed > before[1]:
            print(f"lab: {kind.name}: {self.failed - before[1]} wrong, played again")
            self.passed, self.failed = before
            again = self.folder / "again"
            again.mkdir(mode=0o755, exist_ok=True)
            self.once(kind, again)

    def once(self, kind, folder):
        proxy = kind(folder, self.network, self.keys)
        self.network.resolve()
        if proxy.name == "mitmproxy":
            proxy.program = self.mitmdump
        proxy.start()
        captures, daemon = [], None
        try:
            self.network.resolve(transparent=proxy.via is None, exempt=[proxies.EXEMPT])
            base = {"mdm": fleet.write_lines(proxy.folder / "mdm.jsonl", fleet.mdm(self.phones(), time.time() - 600)),
                    "leases": fleet.write_lines(proxy.folder / "leases.csv", fleet.leases(self.phones(), time.time() - 600)),
                    "edr": proxy.folder / "edr.jsonl"}
            if proxy.name == "mitmproxy":
                daemon = live.start(self.pinwatch, proxy, base)
            captures = [capture.Capture(i, proxy.folder / f"{i}.pcap", "tcp") for i in (net.INSIDE, net.OUTSIDE)]
            spans = self.play(proxy)
        finally:
            lost = [c.stop() for c in captures]
            proxy.stop()
        self.check(f"{proxy.name}: the capture is whole", f"{lost} packets dropped by the kernel" if sum(lost) else "")
        wire = capture.by_phone(captures[0].path)
        fleet.write_lines(base["edr"], self.agent(spans, wire))
        both = proxy.folder / "wire.pcap"
        capture.merge([c.path for c in captures], both)
        if "debug" in proxy.logs:
            self.check("no keys of sessions in the debug log",
                       "there are" if "CLIENT_RANDOM" in proxy.logs["debug"].read_text(errors="replace") else "")
        self.outcomes(proxy, both, wire)
        self.verdicts(proxy, both, base)
        if daemon:
            self.check("the daemon that followed it all, with MDM by webhook, says what the scan says",
                       live.compare(daemon, self.scan(proxy, {"addon": proxy.logs["addon"]}, base, "addon")))

    def parse(self, path):
        p = subprocess.run([self.pinwatch, "parse", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                           check=False, text=True)
        self.check(f"{path.name} is read", p.stderr.strip() if p.returncode else "")
        out = {}
        for line in p.stdout.splitlines():
            o = json.loads(line)
            out.setdefault(o["src_endpoint"].get("ip"), []).append(o)
        return out

    def outcomes(self, proxy, both, wire):
        """Of each case, of each connection: what a sensor says, against what the client did."""
        seen = {"wire": self.parse(both)}
        for name, path in proxy.logs.items():
            seen[name] = self.parse(path)
        if proxy.name == "sslsplit":
            # One says what came about, the other why not.
            seen = {"wire": seen["wire"], "connect+debug": {a: seen["connect"].get(a, []) + seen["debug"].get(a, [])
                                                            for a in {*seen["connect"], *seen["debug"]}}}
        for i, case in enumerate(self.cases):
            address = self.hosts[i].address
            row = self.rows.setdefault(case, {})
            row[proxy.name, "records"] = [c for c in wire.get(address, []) if self.is_of(c, case)]
            for name, by_phone in seen.items():
                got = [o for o in by_phone.get(address, [])
                       if case.host in self.names(o)]
                want = expect.wire(case, proxy.name) if name == "wire" else expect.LOGS[proxy.name][name](case)
                self.check(f"{proxy.name}, {name}: {case.name}", expect.compare(want, got, case.client == "Chromium"))
                row[proxy.name, name] = got

    def names(self, o):
        """What an observation's destination is called. A log that names it by address only is told apart by that."""
        end = o.get("dst_endpoint", {})
        return {o.get("tls", {}).get("sni"), end.get("hostname"),
                *(n for n, a in self.network.address.items() if a == end.get("ip"))}

    def is_of(self, connection, case):
        asked = connection.host()
        return asked == case.host if asked else connection.server[0] in (self.network.front[case.host],
                                                                         self.network.address[case.host])

    def scan(self, proxy, inputs, base, view):
        """inputs: name: path. Findings, all of them."""
        sources = [{"name": n, "path": str(p)} for n, p in {**base, **inputs}.items()]
        for s in sources:
            if s["name"] == "events":
                s["ignore_hosts"] = [proxies.EXEMPT]
        configuration = {
            "inspection": {"addresses": [net.GATEWAY, "10.9.0.1", "10.8.1.0/24"],
                           "root_profiles": [fleet.ROOT_PROFILE]}, "sources": sources}
        if proxy.via:
            configuration["inspection"]["listeners"] = ["%s:%d" % proxy.via]
        path = proxy.folder / f"{view}.yaml"
        path.write_text(json.dumps(configuration))
        p = subprocess.run([self.pinwatch, "scan", "-c", path, "--all", "--output", "jsonl"], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=60, check=False, text=True)
        if p.returncode:
            self.check(f"{proxy.name}, {view}: the scan", p.stderr.strip())
        return [json.loads(line) for line in p.stdout.splitlines()]

    def verdicts(self, proxy, both, base):
        alone = {name: {name: path} for name, path in proxy.logs.items()}
        if proxy.name == "sslsplit":
            alone = {"connect+debug": proxy.logs}
        views = {**alone, "wire": {"wire": both}, **{f"{n}+wire": {**p, "wire": both} for n, p in alone.items()}}
        for view, inputs in views.items():
            findings = self.scan(proxy, inputs, base, view)
            wrong = list(story.problems(findings, view, self.phones()[-1].udid))
            self.check(f"{proxy.name}, {view}: verdicts", "\n    ".join(wrong))
            if view.endswith("+wire"):
                self.merged(proxy, view, findings)

    def merged(self, proxy, view, findings):
        """One attempt is what both sensors have said of it: the class of each case, from its finding's trials."""
        by = {(f["app"]["bundle_id"], f["destination"]["host"]): f for f in findings if f["kind"] == "pinning"}
        for case in self.cases:
            if case.host in expect.ORIGIN | {proxies.EXEMPT}:
                continue
            what, f = expect.did(case), by.get((case.bundle, case.host))
            d = f["devices"][0] if f and f["devices"] else {"failures": 0, "successes": 0}
            words = " ".join(c["because"] for c in f["contributions"]) if f else ""
            sorts = (("hard", " hard"), ("silent", " silently"), ("late", " late"))
            sort = next((s for s, word in sorts if word in words), None)
            got = "fine" if d["successes"] else sort if d["failures"] else "nothing"
            want = "nothing" if what == "cancel" else what
            self.check(f"{proxy.name}, {view}: {case.name}", "" if got == want else f"expected {want}, got {got}: {words}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pinwatch")
    parser.add_argument("--only", choices=[k.name for k in proxies.ALL])
    parser.add_argument("--mitmdump", default="mitmdump", help="another version of it to try")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    signal.alarm(LIMIT)
    began = time.monotonic()
    lab = Lab(arguments)
    versions = []
    for kind in proxies.ALL:
        if arguments.only not in (None, kind.name):
            continue
        if not shutil.which(kind.command):
            lab.check(f"{kind.name} is here", f"not installed; tools/install-deps.sh lab installs {kind.package}")
            continue
        at = time.monotonic()
        lab.round(kind)
        versions.append(kind.version(arguments.mitmdump))
        print(f"lab: {versions[-1]}: {time.monotonic() - at:.0f} s")
    if not arguments.only:
        path = pathlib.Path(__file__).resolve().parent.parent / "docs" / "wire-clients.md"
        page.show(lab, versions, path if arguments.write else None)
    lab.origins.stdin.close()
    if arguments.keep or lab.failed:
        print(f"lab: everything lies in {lab.folder}")
    else:
        shutil.rmtree(lab.folder)
    print(f"lab: {time.monotonic() - began:.0f} s; not tried: {', '.join(lab.skipped) or 'nothing'}")
    print(f"{lab.passed} passed, {lab.failed} failed")
    return 1 if lab.failed else 0


if __name__ == "__main__":
    sys.exit(main())
