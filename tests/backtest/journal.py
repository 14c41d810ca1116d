"""A backtest over a daemon's journal: journal.py PINWATCH

If it fails, a person who tries settings on a running daemon is told something else than its files hold, disturbs the daemon,
or is not told that a part of the past is missing.
"""
import json
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "daemon"))
from daemon import PATIENCE, Daemon, Folder, difference, make_fleet, run, slices  # noqa: E402

BINARY = os.path.abspath(sys.argv[1])
SWEEP = ["--sweep", "InspectionFailureThreshold=2..5", "--sweep", "TimeWindow=5m,40m"]


def backtest(*words, codes=(0,)):
    done = subprocess.run([BINARY, "backtest", "-q", "-o", "json", *map(str, words)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False, timeout=120)
    assert done.returncode in codes, f"{words}: exit {done.returncode}: {done.stderr[-1500:]}"
    return (json.loads(done.stdout) if done.stdout else None), done.stderr


def findings(folder):
    return [{f["uid"]: f for f in map(json.loads, file.read_text().splitlines())} for file in sorted(folder.iterdir())]


def without_counts(result):
    """The parts that are judgement."""
    return {k: v for k, v in result.items() if k not in ("outside",)}


def same_as_files():
    """While the daemon runs and after it: what its journal holds is judged as the files are."""
    with Folder("journal") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "14", "--days", "3")
        config = fleet / "pinwatch.yaml"
        expected, _ = backtest("--files", "-c", config, *SWEEP, "--findings", folder / "files", "--truth", fleet / "truth.json")
        d = Daemon(BINARY, folder, config, ["serve.segment_size=64KiB"]).start()
        d.settle()
        before = d.findings(present=False)
        got, said = backtest("-c", config, "--state", d.state, *SWEEP, "--findings", folder / "live", "--truth",
                             fleet / "truth.json")
        assert said == "", said
        assert without_counts(got) == without_counts(expected), "the result over the journal is another"
        for label, a, b in zip([s["label"] for s in got["settings"]], findings(folder / "files"), findings(folder / "live")):
            words = difference(a, b)
            assert not words and len(a) > 20, f"{label}: {words}"
        words = difference(d.findings(), findings(folder / "live")[0])
        assert not words, f"in force is not what the daemon has: {words}"
        assert d.findings(present=False) == before, "a backtest changed a finding"
        d.stop()
        by_file, _ = backtest("-c", config, "--db", d.state / "pinwatch.db", *SWEEP, "--truth", fleet / "truth.json")
        assert by_file == got, "the daemon's end changes the past"


def a_part_of_it():
    with Folder("journal") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "8", "--days", "3", "--profile", "canonical")
        config = fleet / "pinwatch.yaml"
        d = Daemon(BINARY, folder, config).start()
        d.settle()
        d.stop()
        part = ["--since", "2026-11-16T12:00:00Z", "--until", "2026-11-18"]
        expected, _ = backtest("--files", "-c", config, *SWEEP, *part, codes=(0, 4))
        got, _ = backtest("-c", config, "--state", d.state, *SWEEP, *part)
        assert got == expected and got["outside"] > 0, [k for k in got if got[k] != expected[k]]
        _, said = backtest("-c", config, "--state", d.state, *SWEEP, "--until", "2020-01-02", codes=(2,))
        assert "lie outside" in said, said


def while_it_writes():
    """Asked again and again while records come, segments change and checkpoints are made: each answer is whole, and the last one
    is that of the files."""
    with Folder("journal") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "10", "--days", "2")
        config = fleet / "pinwatch.yaml"
        # Patient sources: pieces are written file by file.
        config.write_text(config.read_text().replace("    format: auto\n", "    format: auto\n    idle: 2d\n"))
        names = [p.name for p in fleet.iterdir() if p.suffix in (".log", ".jsonl", ".csv", ".ndjson")]
        pieces = slices(fleet, names, 12)
        for name in names:
            (fleet / name).write_text("")
        d = Daemon(BINARY, folder, config, ["serve.segment_size=64KiB", "serve.checkpoint=100ms"]).start()
        seen, records = [], 0
        for piece in filter(None, pieces):
            for name, text in piece.items():
                with open(fleet / name, "a") as f:
                    f.write(text)
            read = d.wait_for(lambda s: s["records"] > records and not any(x["behind"] for x in s["sources"]), "reading")
            records, wanted = read["records"], sum(x["observations"] for x in read["sources"])
            until = time.monotonic() + PATIENCE
            while True:  # until the checkpoint with it
                got, said = backtest("-c", config, "--state", d.state, *SWEEP, codes=(0,) if seen else (0, 2))
                if got is not None and got["observations"] >= wanted:
                    break
                assert time.monotonic() < until, f"{got and got['observations']} of {wanted} after {PATIENCE} s: {d.tail()}"
            assert said == "", said
            seen.append(got["observations"])
        assert len(set(seen)) > 8, seen
        d.settle()
        got, _ = backtest("-c", config, "--state", d.state, *SWEEP)
        expected, _ = backtest("--files", "-c", config, *SWEEP)
        assert got["observations"] == expected["observations"], (got["observations"], expected["observations"])
        assert [s["findings"] for s in got["settings"]] == [s["findings"] for s in expected["settings"]]
        d.stop()


def damage():
    """What the journal has lost is said, and the exit code tells."""
    with Folder("journal") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "6", "--days", "2")
        d = Daemon(BINARY, folder, fleet / "pinwatch.yaml", ["serve.segment_size=64KiB"]).start()
        d.settle()
        d.stop()
        whole, _ = backtest("-c", fleet / "pinwatch.yaml", "--state", d.state, *SWEEP)
        segment = sorted((d.state / "journal").iterdir())[1]
        data = bytearray(segment.read_bytes())
        data[len(data) // 2] ^= 1
        segment.write_bytes(data)
        got, said = backtest("-c", fleet / "pinwatch.yaml", "--state", d.state, *SWEEP, codes=(4,))
        assert "damaged block" in said and "db check" in said, said
        assert 0 < got["observations"] < whole["observations"], got["observations"]


def nothing_there():
    with Folder("journal") as folder:
        (folder / "pinwatch.yaml").write_text("sources: [{name: a, path: a.jsonl, format: canonical}]\nserve: {state: state}\n")
        _, said = backtest("-c", folder / "pinwatch.yaml", *SWEEP, codes=(3,))
        assert "state/pinwatch.db" in said and "--files" in said, said
        (folder / "a.jsonl").write_text("")
        d = Daemon(BINARY, folder, folder / "pinwatch.yaml").start()
        d.settle()
        _, said = backtest("--state", d.state, *SWEEP, codes=(2,))
        assert "no observation yet" in said, said
        d.stop()


if __name__ == "__main__":
    sys.exit(run([("the journal of a daemon that runs is judged as its files are", same_as_files),
                  ("since and until", a_part_of_it),
                  ("while records come", while_it_writes),
                  ("damaged blocks are said", damage),
                  ("no daemon, no records", nothing_there)]))
