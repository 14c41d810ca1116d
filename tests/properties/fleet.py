"""Simulated fleets, their records one by one, and findings without what is allowed to differ.

Used by order.py and quiet.py. A fleet is a folder of logs with a pinwatch.yaml; a log here is (head, records), each record
with the time by which it is ordered. Nothing here knows what the findings should be: two scans are compared.
"""
import calendar
import json
import os
import re
import subprocess
import time

SQUID, CONN, SSL, EDR, MDM = "squid-access.log", "conn.log", "ssl.log", "edr.jsonl", "nanomdm.ndjson"
DHCP, KEA, RADIUS = "dhcp.log", "kea-leases4.csv", "radius-detail.log"


class Differs(Exception):
    pass


def run(program, *args, stdin=None, cwd=None, expect=(0,)):
    done = subprocess.run([program, *args], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd, timeout=60,
                          check=False)
    if done.returncode not in expect:
        raise Differs("%s: exit %d: %s" % (" ".join(args), done.returncode, done.stderr.decode("utf-8", "replace")[-800:]))
    return done


def simulate(program, folder, seed, *more):
    run(program, "sim", "--quiet", "--seed", str(seed), "--devices", "7", "--days", "2", "--out", folder, *more)


def iso_seconds(text):
    whole, _, fraction = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + (fraction or "0"))


def json_time(line):
    """When a JSON record of any kind was written, seconds since 1970."""
    record = json.loads(line)
    if "ts" in record:
        return record["ts"] + (record.get("duration") or 0)
    start = record.get("time") or record.get("created_at")
    return iso_seconds(start) + (record.get("duration_ms") or 0) / 1000


def read_log(path):
    """(head lines, [(time, record)]): a record is a line, or a paragraph of a RADIUS detail file; a comment stays last."""
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as f:
        text = f.read()
    name = os.path.basename(path)
    if name == RADIUS:
        records = [p.strip("\n") + "\n\n" for p in re.split(r"\n\n+", text) if p.strip()]
        return "", [(float(re.search(r"\tTimestamp = (\d+)", p).group(1)), p) for p in records]
    lines = [line + "\n" for line in text.split("\n") if line]
    head = ""
    if name == KEA:
        head, lines = lines[0], lines[1:]
        timed = [(float(f[4]) - float(f[3]), "".join(line)) for line in lines for f in [line.split(",")]]
        return head, timed
    while lines and lines[0].startswith("#"):
        head += lines.pop(0)
    timed = []
    fields = [n for n in head.split("\n") if n.startswith("#fields")]
    columns = fields[0].split("\t")[1:] if fields else []
    for line in lines:
        if line.startswith("#"):        # #close
            timed.append((float("inf"), line))
        elif columns:
            cells = dict(zip(columns, line.rstrip("\n").split("\t")))
            length = cells.get("duration", "-")
            timed.append((float(cells["ts"]) + (float(length) if length != "-" else 0), line))
        elif line.startswith("{"):
            timed.append((json_time(line), line))
        else:
            timed.append((float(line.split(" ", 1)[0]), line))
    return head, timed


def write_log(path, head, records):
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as f:
        f.write(head + "".join(records))


def logs(folder):
    known = (".log", ".jsonl", ".ndjson", ".csv")
    return [n for n in sorted(os.listdir(folder)) if n.endswith(known)]


def without_place(output):
    """The findings as text, without revision numbers and the file and line of evidence."""
    lines = []
    for line in output.decode("utf-8").splitlines():
        finding = json.loads(line)
        del finding["revision"]
        for record in finding["evidence"]:
            del record["path"], record["line"]
        lines.append(json.dumps(finding, sort_keys=False, ensure_ascii=False))
    return lines


def scan(program, folder, *args, stdin=None, expect=(0,)):
    """(findings, standard error) of the folder's configuration, or of the paths in args."""
    what = args or ("-c", "pinwatch.yaml")
    done = run(program, "scan", "--all", "--output", "jsonl", *what, stdin=stdin, cwd=folder, expect=expect)
    return without_place(done.stdout), done.stderr.decode("utf-8", "replace")


def same(wanted, found):
    if wanted == found:
        return
    for a, b in zip(wanted, found):
        if a != b:
            at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            uid = json.loads(a)["uid"]
            around = slice(max(0, at - 160), at + 160)
            raise Differs("finding %s: ...%s... became ...%s..." % (uid, a[around], b[around]))
    raise Differs("%d findings became %d" % (len(wanted), len(found)))


def report(results):
    """TAP of [(name, problem or None)]; the exit code."""
    print("1..%d" % len(results))
    for number, (name, problem) in enumerate(results, 1):
        print("%s %d - %s" % ("not ok" if problem else "ok", number, name))
        if problem:
            print("# " + problem.replace("\n", "\n# "))
    return 1 if any(problem for _, problem in results) else 0
