"""Disks that fail the daemon: full, read-only, damaged.

Fails if a full disk loses anything once there is room, if a damaged journal keeps the daemon from starting or changes
more than it must, if a read-only state is not refused in words, or if an older database is not brought forward, whole
or not at all, with a copy beside it.
"""
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys

from daemon import Daemon, Folder, check_delivery, difference, make_fleet, run, scan

BINARY = os.path.abspath(sys.argv[1])
SETS = ["serve.checkpoint=100ms", "serve.judge_every=50ms", "serve.segment_size=64KiB"]


def begin_before_logs(folder, fleet, limit):
    """A daemon whose files may not grow beyond the limit, and to which the fleet's logs then come."""
    logs = [x for x in fleet.iterdir() if x.suffix not in (".yaml", ".json")]
    (folder / "aside").mkdir()
    for log in logs:
        log.rename(folder / "aside" / log.name)
    d = Daemon(BINARY, folder, fleet / "pinwatch.yaml", SETS).start()
    resource.prlimit(d.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    d.process.send_signal(signal.SIGSTOP)
    for log in logs:
        (folder / "aside" / log.name).rename(log)
    d.process.send_signal(signal.SIGCONT)
    return d


def full_disk():
    with Folder("full") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "20", "--days", "2")
        expected = scan(BINARY, fleet / "pinwatch.yaml")
        d = begin_before_logs(folder, fleet, 256 * 1024)
        status = d.wait_for(lambda s: s["state"] == "trouble", "the disk is full")
        assert status["checkpoint"]["failed"] > 0 and status["trouble"], status
        before = status["records"]
        assert d.ask("settle").startswith("failed: "), "settled on a full disk"
        assert d.status()["records"] == before, "reads on although nothing can be made durable"
        resource.prlimit(d.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        d.wait_for(lambda s: s["state"] == "ready", "there is room again")
        d.settle()
        words = difference(expected, d.findings())
        assert not words, words
        check_delivery(d)
        d.stop()


def full_disk_killed():
    with Folder("full") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "20", "--days", "2")
        expected = scan(BINARY, fleet / "pinwatch.yaml")
        d = begin_before_logs(folder, fleet, 300 * 1024)
        d.wait_for(lambda s: s["state"] == "trouble", "the disk is full")
        d.kill()
        d.start()
        d.settle()
        words = difference(expected, d.findings())
        assert not words, words
        check_delivery(d)
        d.stop()


def corrupt(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 0x55
    path.write_bytes(data)


def damaged_tail():
    """Damage behind the oldest checkpoint that is kept: back to one before it, and the inputs are read again."""
    with Folder("damage") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "20", "--days", "2")
        expected = scan(BINARY, fleet / "pinwatch.yaml")
        d = Daemon(BINARY, folder, fleet / "pinwatch.yaml", SETS).start()
        d.settle()
        d.kill()
        with d.database() as db:
            segment, offset = db.execute("SELECT segment,offset FROM checkpoint ORDER BY id DESC").fetchone()
            older = db.execute("SELECT max(segment*1000000000+offset) FROM checkpoint WHERE segment*1000000000+offset<?",
                               (segment * 1000000000 + offset,)).fetchone()[0]
        assert older is not None, "there is one checkpoint only"
        corrupt(d.state / "journal" / f"{segment:08}.seg", offset - 1)
        d.start()
        d.settle()
        assert "going back to the checkpoint before" in d.tail(), d.tail()
        words = difference(expected, d.findings())
        assert not words, words
        check_delivery(d)
        assert d.status()["lost_blocks"] == 0
        d.stop()


def damaged_past():
    """Damage before every checkpoint that is kept: the block is lost, said and counted; findings stay."""
    with Folder("damage") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "20", "--days", "2")
        d = Daemon(BINARY, folder, fleet / "pinwatch.yaml", SETS).start()
        d.settle()
        before = d.findings(present=False)
        # Enough checkpoints more that the old ones are forgotten.
        with open(fleet / "nanomdm.ndjson") as f:
            line = f.readline()
        for _ in range(20):
            with open(fleet / "nanomdm.ndjson", "a") as f:
                f.write(line)
            d.settle()
        d.kill()
        corrupt(d.state / "journal" / "00000001.seg", 5000)
        d.start()
        d.settle()
        status = d.status()
        assert status["lost_blocks"] >= 1, status
        assert "is lost to future judgements" in d.tail(), d.tail()
        after = d.findings(present=False)
        assert set(before) <= set(after), "findings vanished"
        check = subprocess.run([BINARY, "db", "--state", d.state, "check"], stdout=subprocess.PIPE, check=False)
        assert check.returncode == 4, check
        d.stop()


def read_only():
    with Folder("readonly") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "2", "--days", "1")
        d = Daemon(BINARY, folder, fleet / "pinwatch.yaml").start()
        d.settle()
        d.stop()
        os.chmod(folder, 0o755)
        user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
        for path in [d.state, *d.state.rglob("*")]:
            os.chmod(path, 0o555 if path.is_dir() else 0o444)
        done = subprocess.run([BINARY, "serve", "-c", fleet / "pinwatch.yaml", "--set", f"serve.state={d.state}"],
                              stderr=subprocess.PIPE, text=True, check=False, timeout=30, **user)
        assert done.returncode == 3 and "cannot be written" in done.stderr, done


def step_back(path, version):
    """Undoes the steps of src/store/schema.c down to a version."""
    with sqlite3.connect(path) as db:
        tables = [n for (n,) in db.execute("SELECT name FROM sqlite_master WHERE type='table' AND name IN ('triage',"
                                           "'comments','users','tokens','sessions','audit','changes') OR name LIKE 'allow%'")]
        for table in tables:
            db.execute(f"DROP TABLE {table}")
        db.execute("DROP INDEX finding_by_seq")
        db.execute("ALTER TABLE finding DROP COLUMN seq")
        if version == 1:
            for index in ("finding_by_time", "finding_by_verdict", "outbox_by_output"):
                db.execute(f"DROP INDEX {index}")
            db.execute("ALTER TABLE finding DROP COLUMN resolved_at")
        db.execute(f"PRAGMA user_version={version}")


def older_database():
    with Folder("migrate") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "8", "--days", "1")
        d = Daemon(BINARY, folder, fleet / "pinwatch.yaml", SETS).start()
        d.settle()
        expected = d.findings()
        d.stop()
        path = d.state / "pinwatch.db"
        for version in (2, 1):
            step_back(path, version)
            for fault in ("migrate.backup:1", "copy.rename:1", "migrate.step:1", "migrate.commit:1"):
                d.start(env={"PINWATCH_FAULT": fault}, wait=False)
                assert d.process.wait(timeout=30) == -signal.SIGKILL, f"{fault} was not passed: {d.tail()}"
                with sqlite3.connect(path) as db:
                    assert db.execute("PRAGMA user_version").fetchone() == (version,), f"{fault}: migrated in part"
            d.start()
            d.settle()
            assert d.findings() == expected, "a migration changed findings"
            copy = d.state / f"pinwatch.db.v{version}.bak"
            with sqlite3.connect(copy) as db:
                assert db.execute("PRAGMA user_version").fetchone() == (version,)
                assert db.execute("SELECT count(*) FROM finding").fetchone() == (len(expected),)
            d.stop()
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA user_version=99")
        done = subprocess.run([BINARY, "serve", "-c", fleet / "pinwatch.yaml", "--set", f"serve.state={d.state}"],
                              stderr=subprocess.PIPE, text=True, check=False, timeout=30)
        assert done.returncode == 3 and "a newer pinwatch wrote it" in done.stderr, done


def torn_delivery():
    """A line torn by a crash is cut off, and what is in the outbox comes again."""
    with Folder("torn") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "8", "--days", "1")
        d = Daemon(BINARY, folder, fleet / "pinwatch.yaml", SETS)
        d.start(env={"PINWATCH_FAULT": "deliver.written:1"}, wait=False)
        assert d.process.wait(timeout=60) == -signal.SIGKILL
        whole = d.out.read_bytes()
        d.out.write_bytes(whole[:-20])
        d.start()
        d.settle()
        check_delivery(d)
        lines = d.out.read_text().splitlines()
        assert len(lines) >= len({json.loads(x)["uid"] for x in lines})
        d.stop()


if __name__ == "__main__":
    sys.exit(run([("a full disk stops reading, and nothing is lost when there is room", full_disk),
                  ("a full disk, then killed", full_disk_killed),
                  ("a damaged end of the journal", damaged_tail),
                  ("a damaged past of the journal", damaged_past),
                  ("a read-only state", read_only),
                  ("an older database is brought forward", older_database),
                  ("a torn delivery", torn_delivery)]))
