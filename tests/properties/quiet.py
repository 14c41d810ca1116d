#!/usr/bin/python3
"""What is late, ahead of time, broken or beside the point changes nothing but counters: quiet.py PINWATCH [SEED...]

To the logs of simulated fleets are added records from the future, garbage and lines that say nothing of TLS; records are
moved to the end of their file, far beyond max_lag, and line ends are changed. Findings stay byte-identical (but for the
file and line of evidence), and what was added is counted where it belongs. If this failed, noise in a log would change an
answer, or vanish uncounted. The seed is in each check's name.
"""
import datetime
import json
import os
import random
import re
import shutil
import sys
import tempfile

import fleet

SEEDS = (31, 32)
PROFILES = (("json", []), ("tsv", ["--zeek", "tsv"]), ("canonical", ["--profile", "canonical"]))
DAY = 86400.0
PLAIN_HTTP = '10.8.0.10 53000 TCP_MISS/200 -/- - sni=- - - - err=- GET http://plain.test/ 431 2 "-"'


def counters(errors):
    """{source: (records, rejected, irrelevant, quarantined)} of the footer."""
    found = {}
    for line in errors.splitlines():
        m = re.match(r"  (\S+) \(\w+, \w+\): ([\d,]+) records?, ([\d,]+) rejected", line)
        if not m:
            continue
        number = [int(m.group(2).replace(",", "")), int(m.group(3).replace(",", ""))]
        for word in ("irrelevant", "quarantined"):
            n = re.search(r"([\d,]+) %s" % word, line)
            number.append(int(n.group(1).replace(",", "")) if n else 0)
        found[m.group(1)] = tuple(number)
    return found


def check_counters(before, after, index, added):
    """Counter INDEX grew by added[source] everywhere."""
    for source, numbers in after.items():
        grown = numbers[index] - before[source][index]
        if grown != added.get(source, 0):
            raise fleet.Differs("source %s counts %d more, expected %d" % (source, grown, added.get(source, 0)))


def source_names(folder):
    """{file: source} by the configuration."""
    with open(os.path.join(folder, "pinwatch.yaml"), encoding="utf-8") as f:
        text = f.read()
    return {path: name for name, path in re.findall(r"- name: (\S+)\n(?: +\S+: .*\n)*? +path: (\S+)", text)}


def put_at_random(records, more, dice):
    lines = [r for _, r in records]
    for line in more:
        lines.insert(dice.randrange(len(lines) + 1), line)
    return lines


def late_records(program, folder, dice, wanted, _errors):
    """A scan merges all its files by time: a tenth of each file moves to its end, hours or days too late."""
    for name in fleet.logs(folder):
        head, records = fleet.read_log(os.path.join(folder, name))
        late = set(dice.sample(range(len(records)), len(records) // 10))
        lines = [r for i, (_, r) in enumerate(records) if i not in late] + [records[i][1] for i in late]
        fleet.write_log(os.path.join(folder, name), head, lines)
    fleet.same(wanted, fleet.scan(program, folder)[0])


def reversed_files(program, folder, _dice, wanted, _errors):
    for name in fleet.logs(folder):
        head, records = fleet.read_log(os.path.join(folder, name))
        fleet.write_log(os.path.join(folder, name), head, [r for _, r in reversed(records)])
    fleet.same(wanted, fleet.scan(program, folder)[0])


def later(name, head, record, seconds):
    """The same record so many seconds later, or None where that takes more than a number."""
    if record.startswith("{"):
        fields = json.loads(record)
        if "ts" in fields:
            fields["ts"] += seconds
        elif fields.get("kind") in ("tls_attempt", "app_activity"):
            whole = fleet.iso_seconds(fields["time"]) + seconds
            fields["time"] = iso(whole)
        else:
            return None
        return json.dumps(fields) + "\n"
    if name == fleet.SQUID:
        ts, rest = record.split(" ", 1)
        return "%.3f %s" % (float(ts) + seconds, rest)
    if "#fields\tts\t" in head and not record.startswith("#"):
        ts, rest = record.split("\t", 1)
        return "%.6f\t%s" % (float(ts) + seconds, rest)
    return None


def iso(seconds):
    when = datetime.datetime.fromtimestamp(round(seconds, 3), datetime.timezone.utc)
    return when.isoformat(timespec="milliseconds")[:-6] + "Z"


def future_records(program, folder, dice, wanted, errors):
    """At most 1 % of a source's records behind a gap of more than a day: quarantined."""
    sources, added = source_names(folder), {}
    for name in fleet.logs(folder):
        head, records = fleet.read_log(os.path.join(folder, name))
        some = [records[dice.randrange(len(records))][1] for _ in range(len(records) // 150)]
        more = [line for line in (later(name, head, r, dice.uniform(5, 400) * DAY) for r in some) if line]
        added[sources[name]] = len(more)
        fleet.write_log(os.path.join(folder, name), head, put_at_random(records, more, dice))
    if not any(added.values()):
        raise fleet.Differs("no record was added")
    found, said = fleet.scan(program, folder)
    fleet.same(wanted, found)
    irrelevant = {s: counters(said)[s][2] - counters(errors)[s][2] for s in added}
    for source, n in added.items():
        after, before = counters(said)[source], counters(errors)[source]
        if after[0] - before[0] != n or after[3] - before[3] + irrelevant[source] != n:
            raise fleet.Differs("source %s got %d records from the future; records %s became %s" % (source, n, before, after))


def garbage(_name, dice):
    """A line that is no record of any format and no comment."""
    kind = dice.randrange(5)
    if kind == 0:
        return "".join(chr(dice.randrange(97, 123)) for _ in range(dice.randrange(1, 200))) + "\n"
    if kind == 1:
        return '{"ts": , "kind": }\n'
    if kind == 2:
        return "\udcff\udcfe\udc80" * dice.randrange(1, 40) + "\n"
    if kind == 3:
        return "%s\n" % ("x" * 100000)
    return "1794787200.5 10.8.0.9\n"


def garbage_lines(program, folder, dice, wanted, errors):
    """Under the bad-line budget of 5 %, counted to the line."""
    sources, added = source_names(folder), {}
    for name in fleet.logs(folder):
        if name == fleet.RADIUS:        # there a record is a paragraph, and a strange line in one is no error
            continue
        head, records = fleet.read_log(os.path.join(folder, name))
        more = [garbage(name, dice) for _ in range(len(records) // 40)]
        added[sources[name]] = len(more)
        fleet.write_log(os.path.join(folder, name), head, put_at_random(records, more, dice))
    found, said = fleet.scan(program, folder)
    fleet.same(wanted, found)
    check_counters(counters(errors), counters(said), 1, added)


def irrelevant_lines(program, folder, dice, wanted, errors):
    """Plain HTTP in the proxy's log, DNS in the flow log."""
    sources, added, changed = source_names(folder), {}, 0
    for name in fleet.logs(folder):
        head, records = fleet.read_log(os.path.join(folder, name))
        more = []
        for t, record in dice.sample(records, len(records) // 10):
            if name == fleet.SQUID:
                more.append("%.3f %s\n" % (t, PLAIN_HTTP))
            elif name == fleet.CONN and record.startswith("{"):
                dns = {"proto": "udp", "service": "dns", "id.resp_p": 53, "uid": "Cdns%d" % len(more)}
                more.append(json.dumps(dict(json.loads(record), **dns)) + "\n")
        changed += len(more)
        added[sources[name]] = len(more)
        fleet.write_log(os.path.join(folder, name), head, put_at_random(records, more, dice))
    if not changed and "proxy" in sources.values() and fleet.SQUID in sources:
        raise fleet.Differs("no line was added")
    found, said = fleet.scan(program, folder)
    fleet.same(wanted, found)
    check_counters(counters(errors), counters(said), 2, added)


def line_ends(program, folder, _dice, wanted, _errors):
    """CR LF, empty lines, no line end at the end of the file."""
    for name in fleet.logs(folder):
        with open(os.path.join(folder, name), "rb") as f:
            data = f.read()
        blank = b"\r\n" if name == fleet.RADIUS else b"\r\n\r\n"
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data.rstrip(b"\n").replace(b"\n", blank) if name != fleet.RADIUS else data.replace(b"\n", blank))
    fleet.same(wanted, fleet.scan(program, folder)[0])


CHECKS = (late_records, reversed_files, future_records, garbage_lines, irrelevant_lines, line_ends)


def attempt(check, *args):
    try:
        check(*args)
    except (fleet.Differs, OSError, ValueError, KeyError) as problem:
        return "%s: %s" % (type(problem).__name__, problem)
    return None


def main():
    program = os.path.abspath(sys.argv[1])
    results = []
    with tempfile.TemporaryDirectory() as root:
        for seed, (profile, options) in [(s, p) for s in [int(a) for a in sys.argv[2:]] or SEEDS for p in PROFILES]:
            original, changed = os.path.join(root, "original"), os.path.join(root, "changed")
            shutil.rmtree(original, ignore_errors=True)
            fleet.simulate(program, original, seed, *options)
            wanted, errors = fleet.scan(program, original)
            for check in CHECKS:
                shutil.rmtree(changed, ignore_errors=True)
                shutil.copytree(original, changed)
                name = "%s (seed %d, %s, %d findings)" % (check.__name__, seed, profile, len(wanted))
                results.append((name, attempt(check, program, changed, random.Random(seed), wanted, errors)))
    return fleet.report(results)


if __name__ == "__main__":
    sys.exit(main())
