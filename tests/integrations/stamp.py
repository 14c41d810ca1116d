"""integrations/stamp/pinwatch-stamp: stamp.py PINWATCH ROOT

Fails if a line gets no time that pinwatch reads, if keys of TLS sessions reach the file, if a renamed file goes on being written, if the
program's exit code or a signal gets lost, or if the sslsplit wrapper starts without its folder.
"""
import datetime
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

PINWATCH, ROOT = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
STAMP = ROOT / "integrations" / "stamp" / "pinwatch-stamp"
PATIENCE = 30
REFUSED = """10.8.0.14:50001: client connect
CLIENT_RANDOM 8a4054bb 5ec2e7
10.8.0.14:50001: server connect api.bank.test:443 (203.0.113.9:443)

CLIENT_TRAFFIC_SECRET_0 8a4054bb 5ec2e7
10.8.0.14:50001: Client TLS handshake failed. The client does not trust the proxy's certificate for api.bank.test (tlsv1 alert unknown ca)
10.8.0.14:50001: client disconnect
"""


def stamp(log, *command):
    return subprocess.run([STAMP, log, *command], timeout=PATIENCE, check=False, stderr=subprocess.PIPE)


def wait_for(what, condition):
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, f"{what}: not after {PATIENCE} s"
        time.sleep(0.01)


def lines_and_keys(folder):
    log = folder / "lines.log"
    (folder / "said").write_text(REFUSED)
    before = datetime.datetime.now(datetime.timezone.utc)
    assert stamp(log, "sh", "-c", f"cat {folder}/said; exit 7").returncode == 7
    after = datetime.datetime.now(datetime.timezone.utc)
    text = log.read_text()
    assert "5ec2e7" not in text and text.count("\n") == 4, text
    assert log.stat().st_mode & 0o007 == 0, "others may read it"
    said = subprocess.run([PINWATCH, "parse", log], stdout=subprocess.PIPE, check=True, timeout=PATIENCE).stdout
    o = json.loads(said)
    when = datetime.datetime.fromisoformat(o["time"].replace("Z", "+00:00"))
    slack = datetime.timedelta(milliseconds=1)  # of a time that is printed in milliseconds
    assert before - slack <= when <= after, (before, when, after)
    assert (o["outcome"], o["tls"]["alert"]) == ("client_reject", 48), o


def rotation_and_signals(folder):
    log, fifo = folder / "rotated.log", folder / "fifo"
    os.mkfifo(fifo)
    # Says each line that comes through the pipe; on SIGTERM a last one.
    script = f"trap 'echo farewell; exit 3' TERM; while read -r line; do echo \"$line\"; done <>{fifo}"
    p = subprocess.Popen([STAMP, log, "sh", "-c", script])
    with open(fifo, "w") as say:
        print("one", file=say, flush=True)
        wait_for("the first line", lambda: log.exists() and log.read_text().endswith("one\n"))
        log.rename(folder / "rotated.log.1")
        print("two", file=say, flush=True)
        wait_for("a new file", lambda: log.exists() and log.read_text().endswith("two\n"))
    assert (folder / "rotated.log.1").read_text().count("\n") == 1
    p.send_signal(signal.SIGTERM)
    assert p.wait(PATIENCE) == 3
    assert log.read_text().endswith("farewell\n")


def mistakes(folder):
    p = stamp(folder / "none.log", "no-such-program")
    assert p.returncode == 127 and b"no-such-program" in p.stderr, p
    p = subprocess.run([ROOT / "integrations" / "sslsplit" / "pinwatch-sslsplit", folder / "missing", "ssl"],
                       stderr=subprocess.PIPE, check=False, timeout=PATIENCE)
    assert p.returncode == 2 and b"FOLDER" in p.stderr, p


with tempfile.TemporaryDirectory() as name:
    for test in (lines_and_keys, rotation_and_signals, mistakes):
        test(pathlib.Path(name))
        print(f"{test.__name__}: as it should be")
