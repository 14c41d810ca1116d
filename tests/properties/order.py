#!/usr/bin/python3
"""The same records in any arrival order give byte-identical findings: order.py PINWATCH [SEED...]

Fleets are simulated, then their logs are shuffled within max_lag, split, concatenated, packed, named in another order and
piped. Only revision numbers and the file and line of evidence may differ. If this failed, an answer would hang on how logs
were rotated and shipped. The seed of each check is in its name; a seed on the command line repeats it.
"""
import gzip
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

import fleet

MAX_LAG = 30.0          # the sources' max_lag, seconds
SEEDS = (11, 12)
PROFILES = (("json", []), ("tsv", ["--zeek", "tsv"]), ("canonical", ["--profile", "canonical"]))


def copy(source, target):
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)


def repoint(folder, name, pattern):
    """Let the source that reads the file NAME read PATTERN."""
    path = os.path.join(folder, "pinwatch.yaml")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    changed = re.sub(r"path: %s$" % re.escape(name), lambda _: "path: " + pattern, text, flags=re.M)
    if changed == text:
        raise fleet.Differs("no source reads " + name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(changed)


def shuffle(program, folder, dice, wanted):
    for name in fleet.logs(folder):
        head, records = fleet.read_log(os.path.join(folder, name))
        records = sorted(((t + dice.uniform(0, MAX_LAG * 0.99), r) for t, r in records), key=lambda p: p[0])
        fleet.write_log(os.path.join(folder, name), head, [r for _, r in records])
    fleet.same(wanted, fleet.scan(program, folder)[0])


def split(program, folder, dice, wanted, dealt):
    for name in fleet.logs(folder):
        head, records = fleet.read_log(os.path.join(folder, name))
        stem, extension = os.path.splitext(name)
        pieces = dice.randint(2, 5)
        hands = [[] for _ in range(pieces)]
        cuts = sorted(dice.randrange(len(records) + 1) for _ in range(pieces - 1))
        for i, (_, record) in enumerate(records):
            hands[dice.randrange(pieces) if dealt else sum(c <= i for c in cuts)].append(record)
        os.remove(os.path.join(folder, name))
        order = list(range(pieces))
        dice.shuffle(order)
        for i, hand in zip(order, hands):
            if hand:
                fleet.write_log(os.path.join(folder, "%s.part%d%s" % (stem, i, extension)), head, hand)
        repoint(folder, name, stem + ".part*" + extension)
    fleet.same(wanted, fleet.scan(program, folder)[0])


def split_in_runs(program, folder, dice, wanted):
    split(program, folder, dice, wanted, False)


def split_dealt_out(program, folder, dice, wanted):
    split(program, folder, dice, wanted, True)


def concatenate(program, folder, dice, wanted):
    """A log cut in two and joined again the wrong way round, heads and all, as `cat today yesterday` does."""
    for name in fleet.logs(folder):
        head, records = fleet.read_log(os.path.join(folder, name))
        cut = dice.randrange(1, len(records))
        lines = [r for _, r in records]
        fleet.write_log(os.path.join(folder, name), head, lines[cut:] + [head] + lines[:cut])
    fleet.same(wanted, fleet.scan(program, folder)[0])


def pack_gzip(program, folder, dice, wanted):
    for name in fleet.logs(folder):
        path = os.path.join(folder, name)
        with open(path, "rb") as f:
            data = f.read()
        cut = dice.randrange(len(data))
        with open(path + ".gz", "wb") as f:
            f.write(gzip.compress(data[:cut]) + gzip.compress(data[cut:]))      # two members, as `cat a.gz b.gz`
        os.remove(path)
        repoint(folder, name, name + ".gz")
    fleet.same(wanted, fleet.scan(program, folder)[0])


def pack_zstd(program, folder, _dice, wanted):
    for name in fleet.logs(folder):
        subprocess.run(["zstd", "-q", "--rm", name], cwd=folder, check=True)
        repoint(folder, name, name + ".zst")
    fleet.same(wanted, fleet.scan(program, folder)[0])


def pipe(program, folder, dice, wanted):
    name = dice.choice(fleet.logs(folder))
    repoint(folder, name, "'-'")
    with open(os.path.join(folder, name), "rb") as f:
        cat = subprocess.Popen(["cat"], stdin=f, stdout=subprocess.PIPE)
        found = fleet.scan(program, folder, stdin=cat.stdout)[0]
        cat.stdout.close()
        cat.wait()
    fleet.same(wanted, found)


def named_in_another_order(program, folder, dice, _wanted):
    """Without a configuration, so that the paths themselves are the arguments."""
    names = fleet.logs(folder)
    first = fleet.scan(program, folder, *names)[0]
    for _ in range(3):
        dice.shuffle(names)
        fleet.same(first, fleet.scan(program, folder, *names)[0])


def piped_without_configuration(program, folder, dice, _wanted):
    names = fleet.logs(folder)
    first = fleet.scan(program, folder, *names)[0]
    piped = dice.choice(names)
    with open(os.path.join(folder, piped), "rb") as f:
        fleet.same(first, fleet.scan(program, folder, *["-" if n == piped else n for n in names], stdin=f)[0])


def a_lost_record_is_noticed(program, folder, dice, wanted):
    """The comparison itself: if this failed, the others would prove nothing."""
    name = dice.choice([n for n in (fleet.SQUID, "inspection.jsonl") if n in fleet.logs(folder)])
    head, records = fleet.read_log(os.path.join(folder, name))
    fleet.write_log(os.path.join(folder, name), head, [r for _, r in records[len(records) // 2:]])
    try:
        fleet.same(wanted, fleet.scan(program, folder)[0])
    except fleet.Differs:
        return
    raise fleet.Differs("half of %s is gone and nothing changed" % name)


CHECKS = (a_lost_record_is_noticed, shuffle, split_in_runs, split_dealt_out, concatenate, pack_gzip, pack_zstd, pipe,
          named_in_another_order, piped_without_configuration)


def main():
    program = os.path.abspath(sys.argv[1])
    seeds = [int(a) for a in sys.argv[2:]] or SEEDS
    results = []
    with tempfile.TemporaryDirectory() as root:
        for seed, (profile, options) in [(s, p) for s in seeds for p in PROFILES]:
            original, changed = os.path.join(root, "original"), os.path.join(root, "changed")
            shutil.rmtree(original, ignore_errors=True)
            fleet.simulate(program, original, seed, *options)
            wanted = fleet.scan(program, original)[0]
            for check in CHECKS:
                name = "%s (seed %d, %s, %d findings)" % (check.__name__, seed, profile, len(wanted))
                copy(original, changed)
                results.append((name, attempt(check, program, changed, random.Random(seed), wanted)))
    return fleet.report(results)


def attempt(check, *args):
    try:
        check(*args)
    except (fleet.Differs, OSError, ValueError, subprocess.SubprocessError) as problem:
        return "%s: %s" % (type(problem).__name__, problem)
    return None


if __name__ == "__main__":
    sys.exit(main())
