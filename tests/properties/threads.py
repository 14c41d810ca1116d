#!/usr/bin/python3
"""Any number of threads gives the same bytes: threads.py PINWATCH [SEED...]

What `--threads 1` writes is the measure: findings in every form, footer, rejected records, dead-letter file, explanation and
exit code must be the same for 2, 3 and 8. Where the right line number of a record can be told without pinwatch, it is: lines
are counted piece by piece, by whichever thread has the piece. If this failed, an answer would hang on how busy a machine is.
The seed of each check is in its name; a seed on the command line repeats it.
"""
import bz2
import gzip
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

import fleet

THREADS = ("2", "3", "8")
SEEDS = (21,)
CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cases", "scan")
FLEETS = (("json", []),
          ("tsv", ["--zeek", "tsv"]),
          ("canonical", ["--profile", "canonical"]),
          ("mitmproxy", ["--profile", "mitmproxy"]),
          ("mitmproxy8", ["--profile", "mitmproxy", "--mitmproxy", "8"]),
          ("worn", ["--disorder", "--garbage", "--noise", "2"]))
# More than a few of the pieces an input is read in.
LARGE = ["--devices", "12", "--days", "2", "--connections", "9000", "--garbage"]


def scan(program, folder, threads, args, stdin=None):
    """All that a scan says: exit code, findings, footer, what was set aside."""
    dead = os.path.join(folder, "dead-letter")
    if stdin is not None:
        with open(os.path.join(folder, stdin), "rb") as f:
            data = f.read()
    done = subprocess.run([program, *args, "--threads", threads, *(["--dead-letter", "dead-letter"] if args[0] == "scan" else [])],
                          cwd=folder, input=data if stdin is not None else None,
                          stdin=None if stdin is not None else subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=240, check=False)
    kept = None
    if os.path.exists(dead):
        with open(dead, "rb") as f:
            kept = f.read()
        os.remove(dead)
    return {"exit code": done.returncode, "output": done.stdout, "standard error": done.stderr, "dead letter": kept}


def same(one, other, threads):
    for what, wanted in one.items():
        got = other[what]
        if wanted == got:
            continue
        if not isinstance(wanted, bytes) or not isinstance(got, bytes):
            raise fleet.Differs("%s with %s threads: %r became %r" % (what, threads, wanted, got))
        for number, (a, b) in enumerate(zip(wanted.splitlines() + [b"(end)"], got.splitlines() + [b"(end)"]), 1):
            if a != b:
                raise fleet.Differs("%s with %s threads, line %d: %r became %r" % (what, threads, number, a[:300], b[:300]))


def compare(program, folder, *args, stdin=None):
    """The scan with one thread, after it has been held against those with several."""
    wanted = scan(program, folder, "1", args, stdin)
    for threads in THREADS:
        same(wanted, scan(program, folder, threads, args, stdin), threads)
    return wanted


def everything(program, folder, *inputs, stdin=None):
    return compare(program, folder, "scan", "--all", "--verbose", "--output", "jsonl", *inputs, stdin=stdin)


def findings(result):
    return [json.loads(line) for line in result["output"].decode("utf-8").splitlines()]


def at_least(what, number, least):
    if number < least:
        raise fleet.Differs("only %d %s: the check would prove nothing" % (number, what))


def dead_lines(result, path):
    letters = [json.loads(line) for line in result["dead letter"].decode("utf-8").splitlines()]
    return [x["line"] for x in letters if x["path"] == path]


def fleets(program, folder, _dice):
    for name, options in FLEETS:
        where = os.path.join(folder, name)
        fleet.simulate(program, where, 5, *options)
        at_least("findings of " + name, len(findings(everything(program, where, "-c", "pinwatch.yaml"))), 5)
        everything(program, where, *fleet.logs(where))


def every_form(program, folder, _dice):
    fleet.simulate(program, folder, 6, "--garbage")
    for form in ("table", "json", "csv", "html"):
        compare(program, folder, "scan", "--all", "--output", form, "-c", "pinwatch.yaml")
    found = findings(everything(program, folder, "-c", "pinwatch.yaml"))
    at_least("findings", len(found), 5)
    for one in found[:6]:
        compare(program, folder, "explain", "-c", "pinwatch.yaml", one["uid"])


def cases(program, _folder, _dice):
    done = 0
    for name in sorted(os.listdir(CASES)):
        where = os.path.join(CASES, name)
        with open(os.path.join(where, "expect.json"), encoding="utf-8") as f:
            runs = json.load(f)
        with tempfile.TemporaryDirectory() as copied:
            shutil.copytree(where, copied, dirs_exist_ok=True)
            inputs = sorted(n for n in os.listdir(copied) if n not in ("README", "README.md", "expect.json")
                            and not n.endswith(".yaml"))
            for run in runs.get("runs", [runs]):
                what = [] if os.path.exists(os.path.join(copied, "pinwatch.yaml")) else inputs
                config = ["-c", "pinwatch.yaml"] if not what else []
                everything(program, copied, *config, *run.get("args", []), *what)
                done += 1
    at_least("cases", done, 20)


def large(program, folder, seed, *options):
    fleet.simulate(program, folder, seed, *LARGE, *options)


def one_large_file(program, folder, _dice):
    """Everything in one file, so that all threads have to share it."""
    large(program, folder, 7, "--profile", "canonical")
    records = []
    for name in fleet.logs(folder):
        if not name.endswith(".jsonl"):
            continue
        with open(os.path.join(folder, name), encoding="utf-8", errors="surrogateescape") as f:
            records += f.read().splitlines(True)
    records = in_order(records)
    for i in range(0, len(records), 997):       # all that may stand at a line's end
        records[i] = records[i].rstrip("\n") + ("\r\n" if i % 2 else "\n\n\n")
    path = os.path.join(folder, "all.jsonl")
    text = "\ufeff" + "".join(records).rstrip("\n")
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as f:
        f.write(text)
    at_least("bytes", os.path.getsize(path), 1500000)
    plain = everything(program, folder, "all.jsonl")
    at_least("findings", len(findings(plain)), 5)
    piped = everything(program, folder, "-", stdin="all.jsonl")
    if fleet.without_place(plain["output"]) != fleet.without_place(piped["output"]):
        raise fleet.Differs("standard input says something else than the file")
    data = text.encode("utf-8", "surrogateescape")
    with open(os.path.join(folder, "all.gz"), "wb") as f:
        f.write(gzip.compress(data[:len(data) // 3]) + gzip.compress(data[len(data) // 3:]))
    packed = everything(program, folder, "all.gz")
    if fleet.without_place(plain["output"]) != fleet.without_place(packed["output"]):
        raise fleet.Differs("the packed file says something else than the plain one")
    whole = os.path.getsize(os.path.join(folder, "all.gz"))
    with open(os.path.join(folder, "all.gz"), "r+b") as f:
        f.truncate(whole * 2 // 3)
    cut = everything(program, folder, "all.gz")
    if b"all.gz" not in cut["standard error"] or cut["exit code"] != 4:
        raise fleet.Differs("exit %d, and nobody says that the file ends early" % cut["exit code"])


def in_order(lines):
    """By time; a damaged line stays behind the one before it."""
    timed, time = [], 0.0
    for line in lines:
        try:
            time = fleet.json_time(line)
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
        timed.append((time, line))
    return [line for _, line in sorted(timed, key=lambda t: t[0])]


def line_numbers(program, folder, dice):
    """Bad and overlong lines are named by the line they stand in, wherever a piece of the file begins."""
    large(program, folder, 8)
    for name, form in (("edr.jsonl", "canonical"), ("squid-access.log", "squid")):
        with open(os.path.join(folder, name), encoding="utf-8", errors="surrogateescape") as f:
            lines = [x for x in f.read().splitlines() if x.startswith(("{\"", "1"))][:20000]
        at_least("lines of " + name, len(lines), 2000)
        wanted = set()
        for i in range(0, len(lines), 701):
            kind = dice.randrange(4)
            if kind == 0:
                lines[i] = "!bad " + "x" * dice.randrange(1, 3000)
            elif kind == 1:
                lines[i] = "!long " + "y" * dice.choice([65536, 65537, 70000, 131072, 200001, 900000])
            elif kind == 2:
                lines[i] = ""
                continue
            else:
                lines[i] = "!cr\r"
            wanted.add(i + 1)
        path = os.path.join(folder, "numbered.log")
        with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as f:
            f.write("\n".join(lines))
        got = everything(program, folder, "--set", "limits.max_record=64KiB", "--format", form, "numbered.log")
        found = [n for n in dead_lines(got, "numbered.log") if n in wanted or lines[n - 1].startswith("!")]
        if found != sorted(wanted):
            raise fleet.Differs("%s: lines %s, expected %s" % (name, found[:20], sorted(wanted)[:20]))
        os.remove(path)


def many_small_files(program, folder, dice):
    """Files of one record and a few, some of them with a heading."""
    fleet.simulate(program, folder, 9, "--zeek", "tsv")
    small, config = os.path.join(folder, "small"), os.path.join(folder, "pinwatch.yaml")
    os.mkdir(small)
    with open(config, encoding="utf-8") as f:
        text = f.read().replace("format: auto\n    path: " + fleet.SQUID, "format: squid\n    path: " + fleet.SQUID)
    files = 0
    for name in fleet.logs(folder):
        head, records = fleet.read_log(os.path.join(folder, name))
        stem, extension = os.path.splitext(name)
        text = text.replace("path: %s\n" % name, "path: small/%s.*%s\n" % (stem, extension))
        at = 0
        while at < len(records):
            length = dice.choice([1, 1, 2, 7, 20])
            fleet.write_log(os.path.join(small, "%s.%05d%s" % (stem, at, extension)), head,
                            [r for _, r in records[at:at + length]])
            at += length
            files += 1
    with open(config, "w", encoding="utf-8") as f:
        f.write(text)
    open(os.path.join(small, "edr.empty.jsonl"), "w", encoding="utf-8").close()
    at_least("files", files, 300)
    got = everything(program, folder, "-c", "pinwatch.yaml")
    if len(findings(got)) < 3:
        raise fleet.Differs("exit %d: %s" % (got["exit code"], got["standard error"][-300:]))


def far_out_of_order(program, folder, dice):
    """Read twice: an input shuffled beyond all lag, and records from the future."""
    fleet.simulate(program, folder, 10)
    for name in fleet.logs(folder):
        head, records = fleet.read_log(os.path.join(folder, name))
        lines = [r for _, r in records]
        dice.shuffle(lines)
        fleet.write_log(os.path.join(folder, name), head, lines)
    with open(os.path.join(folder, "squid-access.log"), encoding="utf-8") as f:
        lines = f.read().splitlines(True)
    ahead = lines[len(lines) // 2].split(" ", 1)
    lines.insert(len(lines) // 3, "%.3f %s" % (float(ahead[0]) + 40 * 86400, ahead[1]))
    with open(os.path.join(folder, "squid-access.log"), "w", encoding="utf-8") as f:
        f.writelines(lines)
    got = everything(program, folder, "-c", "pinwatch.yaml")
    if b"quarantined" not in (got["dead letter"] or b""):
        raise fleet.Differs("the record from the future was not set aside")


def what_cannot_be_read(program, folder, _dice):
    fleet.simulate(program, folder, 11)
    names = fleet.logs(folder)
    with open(os.path.join(folder, "packed.gz"), "wb") as f:
        f.write(gzip.compress(b"{}\n")[:12])
    with open(os.path.join(folder, "other.log"), "wb") as f:
        f.write(bz2.compress(b"nobody knows this\n"))
    with open(os.path.join(folder, "wide.log"), "wb") as f:
        f.write("1 2 3\n".encode("utf-16"))
    for odd in ("packed.gz", "other.log", "wide.log", "missing.log"):
        for inputs in ((odd, *names), (*names, odd)):
            got = compare(program, folder, "scan", "--output", "jsonl", *inputs)
            if got["exit code"] != 3:
                raise fleet.Differs("%s: exit %d" % (odd, got["exit code"]))


def a_wrong_number_is_refused(program, folder, _dice):
    fleet.simulate(program, folder, 12)
    for number in ("0", "-1", "257", "two", ""):
        done = subprocess.run([program, "scan", "--threads", number, "-c", "pinwatch.yaml"], cwd=folder,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode != 2 or b"--threads" not in done.stderr:
            raise fleet.Differs("--threads %r: exit %d, %r" % (number, done.returncode, done.stderr))
    everything(program, folder, "--set", "threads=3", "-c", "pinwatch.yaml")


CHECKS = (fleets, every_form, cases, one_large_file, line_numbers, many_small_files, far_out_of_order, what_cannot_be_read,
          a_wrong_number_is_refused)


def attempt(check, *args):
    try:
        check(*args)
    except (fleet.Differs, OSError, ValueError, KeyError, subprocess.SubprocessError) as problem:
        return "%s: %s" % (type(problem).__name__, problem)
    return None


def main():
    program = os.path.abspath(sys.argv[1])
    seeds = [int(a) for a in sys.argv[2:] if a.isdigit()] or SEEDS
    named = [a for a in sys.argv[2:] if not a.isdigit()]
    results = []
    for seed in seeds:
        for check in [c for c in CHECKS if not named or c.__name__ in named]:
            with tempfile.TemporaryDirectory() as folder:
                results.append(("%s (seed %d)" % (check.__name__, seed), attempt(check, program, folder, random.Random(seed))))
    return fleet.report(results)


if __name__ == "__main__":
    sys.exit(main())
