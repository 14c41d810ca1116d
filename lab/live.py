"""The daemon beside the proxy: it follows the add-on's log while the clients run, and MDM comes to it as a webhook."""
import json
import socket
import sqlite3
import subprocess
import time
import urllib.request

import fleet
import net

PATIENCE = 60
TOKEN = "lab-token"


class Daemon:
    def __init__(self, pinwatch, folder, base):
        self.pinwatch, self.folder, self.base = pinwatch, folder, base
        self.log = folder / "daemon.log"
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.process = None

    def status(self, *more):
        return subprocess.run([self.pinwatch, "status", "-c", self.folder / "pinwatch.yaml", *more],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE, check=False, text=True)

    def post(self, event):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/v1/ingest/mdm", data=json.dumps(event).encode(),
                                         method="POST", headers={"Authorization": f"Bearer {TOKEN}",
                                                                 "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            if answer.status != 200:
                raise RuntimeError(f"the webhook answers {answer.status}")


def start(pinwatch, proxy, base):
    folder = proxy.folder / "daemon"
    folder.mkdir()
    d = Daemon(pinwatch, folder, base)
    (folder / "token").write_text(TOKEN + "\n")
    (folder / "pinwatch.yaml").write_text(json.dumps({
        "serve": {"state": str(folder / "state"), "listen": f"127.0.0.1:{d.port}", "checkpoint": "500ms"},
        "inspection": {"addresses": [net.GATEWAY, "10.9.0.1"], "listeners": ["%s:%d" % proxy.via],
                       "root_profiles": [fleet.ROOT_PROFILE]},
        "sources": [
            {"name": "mdm", "ingest": True, "token_file": str(folder / "token"), "format": "nanomdm"},
            {"name": "leases", "path": str(base["leases"])},
            {"name": "edr", "path": str(base["edr"]), "format": "canonical"},
            {"name": "addon", "path": str(proxy.logs["addon"]), "format": "mitmproxy_addon"}]}))
    with open(d.log, "wb") as log:
        d.process = subprocess.Popen([pinwatch, "serve", "-c", folder / "pinwatch.yaml"], stdout=log, stderr=log)
    until = time.monotonic() + PATIENCE
    while d.status().returncode:
        if d.process.poll() is not None or time.monotonic() > until:
            raise RuntimeError("the daemon does not start: " + d.log.read_text(errors="replace"))
        time.sleep(0.05)
    # As the MDM server's webhook would: one request an event.
    for line in base["mdm"].read_text().splitlines():
        d.post(json.loads(line))
    return d


def compare(d, scanned):
    """What is wrong, empty if nothing. scanned: what a scan of the same records found."""
    p = d.status("--settle")
    if p.returncode:
        return f"status --settle: {p.stderr}"
    d.process.terminate()
    if d.process.wait(PATIENCE):
        return f"the daemon ended with {d.process.returncode}: {d.log.read_text(errors='replace')[-2000:]}"

    def shown(findings):
        return sorted((f["kind"], (f["app"] or {}).get("bundle_id") or "", (f["destination"] or {}).get("host") or "",
                       f["verdict"], f["score_db"]) for f in findings if f["verdict"] in ("confirmed", "suspected"))

    # What was found before the agent's records had come, and is found no more, is kept but not present.
    with sqlite3.connect(f"file:{d.folder / 'state' / 'pinwatch.db'}?mode=ro", uri=True) as db:
        found = [json.loads(row[0]) for row in db.execute("SELECT json FROM finding WHERE present=1")]
    got, want = shown(found), shown(scanned)
    return "" if got == want and want else f"expected {want}, got {got}"
