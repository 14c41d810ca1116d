"""Killed at any point and started again, the daemon ends with the findings that it would have had.

A fleet's logs are written piece by piece, rotated by rename, copy-and-truncate and compression while the daemon is
killed with SIGKILL at random moments and at fault points (inside checkpoint, journal, rotation, delivery), and
started again. Fails if the findings, or what was delivered of them, differ from those of an undisturbed run.

    kill.py BINARY [KILLS] [SEED]
"""
import os
import gzip
import random
import shutil
import sys
import time

from daemon import Daemon, Folder, check_delivery, difference, make_fleet, run, slices

BINARY = os.path.abspath(sys.argv[1])
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 else 20
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(1 << 32)

NAMES = ["squid-access.log", "conn.log", "ssl.log", "conn-b.log", "ssl-b.log", "edr.jsonl", "nanomdm.ndjson", "dhcp.log",
         "kea-leases4.csv", "radius-detail.log"]
# What writes these writes the heading again after a rotation; the fleet's pieces have it once.
HEADED = {"kea-leases4.csv"}
FAULTS = ["checkpoint.begin", "checkpoint.journal", "checkpoint.commit", "checkpoint.committed", "journal.write",
          "journal.written", "journal.sync", "journal.rotate", "journal.rotated", "deliver.write", "deliver.written",
          "migrate.step", "migrate.commit"]
# Small everything, so that each point is passed often. Idle is long since pieces are written file by file.
SETS = ["serve.checkpoint=100ms", "serve.judge_every=50ms", "serve.segment_size=64KiB"]


def config(fleet, folder):
    """The fleet's configuration, with patient sources."""
    text = (fleet / "pinwatch.yaml").read_text()
    text = text.replace("    format: auto\n", "    format: auto\n    idle: 2d\n")
    (folder / "pinwatch.yaml").write_text(text)
    for name in ("apps.yaml", "destinations.yaml"):
        shutil.copy(fleet / name, folder / name)
    return folder / "pinwatch.yaml"


def rotate(path, rng):
    """As log rotation does; the last one stands compressed."""
    if not path.exists():
        return
    old = path.with_name(path.name + ".1")
    if old.exists():
        with open(old, "rb") as plain, gzip.open(path.with_name(path.name + ".2.gz"), "wb") as packed:
            shutil.copyfileobj(plain, packed)
        old.unlink()
    if rng.random() < 0.5:
        path.rename(old)
        path.touch()
    else:
        shutil.copy(path, old)
        with open(path, "r+b") as f:
            f.truncate(0)


def write(folder, piece):
    for name, text in piece.items():
        with open(folder / name, "a") as f:
            f.write(text)


def undisturbed(fleet, pieces):
    with Folder("kill-reference") as folder:
        for piece in pieces:
            write(folder, piece)
        d = Daemon(BINARY, folder, config(fleet, folder), SETS).start()
        d.settle()
        check_delivery(d)
        found = d.findings()
        d.stop()
        return found


class Tormentor:
    """Kills and restarts; knows how often each way of dying has come about."""

    def __init__(self, daemon, rng):
        self.daemon = daemon
        self.rng = rng
        self.kills = 0
        self.by_fault = {}

    def start(self):
        if self.rng.random() < 0.5:
            fault = self.rng.choice(FAULTS)
            self.fault = fault
            self.daemon.start(env={"PINWATCH_FAULT": f"{fault}:{self.rng.choice([1, 1, 1, 2, 3])}"}, wait=False)
        else:
            self.fault = None
            self.daemon.start(wait=False)

    def torment(self):
        """Lets it run for a moment, then makes sure that it was killed, and starts it again."""
        patience = 1.0 if self.fault else self.rng.choice([0.05, 0.2, 0.5]) * self.rng.random()
        until = time.monotonic() + patience
        while time.monotonic() < until and self.daemon.alive():
            time.sleep(0.002)
        if self.daemon.alive():
            self.daemon.kill()
        else:
            code = self.daemon.process.returncode
            assert code == -9, f"it ended by itself with {code}: {self.daemon.tail()}"
            self.by_fault[self.fault] = self.by_fault.get(self.fault, 0) + 1
        self.kills += 1
        self.start()


def killed():
    rng = random.Random(SEED)
    print(f"# seed {SEED}, {KILLS} kills")
    with Folder("kill") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "20", "--days", "3", "--seed", str(SEED % 1000))
        names = [n for n in NAMES if (fleet / n).exists()]
        pieces = slices(fleet, names, max(40, KILLS))
        expected = undisturbed(fleet, pieces)
        assert len(expected) > 20, len(expected)
        work = folder / "work"
        work.mkdir()
        d = Daemon(BINARY, work, config(fleet, work), SETS)
        t = Tormentor(d, rng)
        t.start()
        while pieces or t.kills < KILLS:
            if pieces:
                write(work, pieces.pop(0))
            if pieces and rng.random() < 0.3:
                # Whoever rotates faster than it is read loses by its own hand: only what was taken in is rotated.
                if not d.alive():
                    t.start()
                d.kill()
                d.start()
                d.wait_for(lambda s: not any(x["behind"] for x in s["sources"]), "reading on before a rotation")
                rotate(work / rng.choice([n for n in names if n not in HEADED]), rng)
            for _ in range(max(1, (KILLS - t.kills) // (len(pieces) + 1))):
                if t.kills < KILLS:
                    t.torment()
        d.kill()
        d.start()
        d.settle()
        print(f"# {t.kills} kills, of them at fault points: {t.by_fault}")
        words = difference(expected, d.findings(), places=False)
        assert not words, words
        check_delivery(d)
        status = d.status()
        assert status["lost_blocks"] == 0, status
        d.stop()


if __name__ == "__main__":
    sys.exit(run([(f"{KILLS} kills leave the findings as they are", killed)]))
