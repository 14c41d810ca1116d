#!/usr/bin/env python3
"""Is every log taken for what it is? tests/confusion.py PINWATCH [SAMPLES]

The confusion matrix of detection: what every case (tests/cases/formats) and every sample (what tests/samples.py says of it) is
taken for, against what it is, in five guises:

    whole        as it is
    first        its first record alone, headings and comments above it
    rfc3164      every line behind `<14>Nov 24 02:00:00 gw app[7]: `
    rfc5424      every line behind `<14>1 2026-11-24T02:00:00Z gw app 7 - - `
    octets       the latter with the octet count before it (RFC 6587, 3.4.1)
    stream       the same without line ends, as a dump of the TCP stream has it
    record       the first of these alone

and all of them at once, in one folder with foreign names. A log that is taken for another vendor's gives wrong evidence without a
word; so the matrix has to be diagonal. Documents (a file a record) come as a whole only.
"""
import collections
import os
import re
import subprocess
import sys
import tempfile

import samples

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = os.path.join(HERE, "cases", "formats")
FORMATS = os.path.join(HERE, "..", "formats")
ENVELOPES = {
    "rfc3164": b"<14>Nov 24 02:00:00 gw app[7]: ",
    "rfc5424": b"<14>1 2026-11-24T02:00:00Z gw app 7 - - ",
}


def run(*args):
    p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    return p.stdout


def cases():
    for name in sorted(os.listdir(CASES)):
        for case in sorted(os.listdir(os.path.join(CASES, name))):
            folder = os.path.join(CASES, name, case)
            for part in os.listdir(folder):
                if part.startswith("input."):
                    yield os.path.join(folder, part), name


def sampled(program, root):
    """What tests/samples.py expects of every sample: it is asked, and nothing is compared."""
    found = {}
    samples.expect = lambda _p, r, path, name, *_a, **_k: found.__setitem__(os.path.join(r, path), name)
    for group in samples.GROUPS:
        group(program, root)
    return sorted((path, name) for path, name in found.items() if os.path.exists(path))


def framings(program):
    """FORMAT: lines, paragraphs or document; of all that are known."""
    rows = [line.split() for line in run(program, "formats").splitlines()[1:]]
    return {row[0]: row[2] for row in rows}


def is_document(data, framing):
    line = data.lstrip().split(b"\n", 1)[0].strip()
    return framing == "document" or (line[:1] in (b"{", b"[") and line[-1:] != b"}")


def first_record(data, framing):
    """The first record, and what stands above it. Paragraphs end at an empty line."""
    if framing == "paragraphs":
        return data.lstrip().split(b"\n\n", 1)[0] + b"\n"
    out = []
    for line in data.splitlines(keepends=True):
        out.append(line)
        if line.strip() and not line.startswith((b"#", b"Date first seen")):
            break
    return b"".join(out)


def guises(data, framing):
    yield "whole", data
    if is_document(data, framing):
        return
    yield "first", first_record(data, framing)
    if framing != "lines":
        return
    lines = [line for line in data.splitlines() if line.strip()]
    # What has an envelope already gets no second one.
    if re.match(rb"(\d+ )?<\d+>|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d |\d{4}-\d\d-\d\dT\S+ \S+ \S+: ", lines[0]):
        return
    for name, header in ENVELOPES.items():
        yield name, b"".join(header + line + b"\n" for line in lines)
    framed = [ENVELOPES["rfc5424"] + line for line in lines]
    yield "octets", b"".join(b"%d %s\n" % (len(line) + 1, line) for line in framed)
    stream = [b"%d %s" % (len(line), line) for line in framed]
    yield "stream", b"".join(stream)
    # Headings and comments say nothing alone.
    data = next((i for i, line in enumerate(lines) if not line.startswith((b"#", b"Date first seen"))), 0)
    yield "record", b"".join(stream[:data + 1])


def write_all(logs, known, folder):
    """(path, guise, format, where it comes from)."""
    for i, (path, name) in enumerate(logs):
        with open(path, "rb") as f:
            data = f.read()
        for guise, content in guises(data, known[name]):
            out = os.path.join(folder, guise, "%04d.log" % i)
            os.makedirs(os.path.dirname(out), exist_ok=True)
            with open(out, "wb") as f:
                f.write(content)
            os.utime(out, (1795485600, 1795485600))
            yield out, guise, name, path


def detected(program, paths):
    """What `pinwatch formats` takes each for."""
    said = run(program, "formats", *paths)
    found = dict(re.findall(r"^(\S+): (\w+) \((?:inspection|flow|edr|mdm|lease)\)$", said, re.M))
    return [found.get(path, "(none)") for path in paths]


def matrix(title, pairs):
    """Prints rows of the truth; what is on the diagonal as a count, the rest by name."""
    count = collections.Counter(pairs)
    truths = sorted({t for t, _ in pairs})
    print("%s: %d logs of %d formats" % (title, len(pairs), len(truths)))
    for truth in truths:
        off = ", ".join("%d as %s" % (n, d) for (t, d), n in sorted(count.items()) if t == truth and d != t)
        print("  %-24s %4d right%s" % (truth, count[truth, truth], "   WRONG: " + off if off else ""))


def sources():
    """FORMAT: the source under which a scan counts its records."""
    files = {}
    for path in os.listdir(FORMATS):
        if path.endswith(".yaml"):
            with open(os.path.join(FORMATS, path), encoding="utf-8") as f:
                files[path[:-5]] = dict(re.findall(r"^(source|like): (\w+)", f.read(), re.M))
    return {name: part.get("source") or files.get(part.get("like"), {}).get("source") or part.get("like") or name
            for name, part in files.items()}


def check_folder(program, written, refused):
    """All in one folder, read by one scan: its footer says how many files it read as which source."""
    source = sources()
    logs = [(out, name) for out, guise, name, _ in written if guise == "whole" and name not in refused]
    want = collections.Counter(source[name] for _, name in logs)
    with tempfile.TemporaryDirectory() as folder:
        for out, _ in logs:
            os.link(out, os.path.join(folder, os.path.basename(out)))
        said = run(program, "scan", "--all", folder)
    have = collections.Counter()
    for name, files in re.findall(r"^  (\w+) \([^)]*\): [\d,]+ records?(?: in (\d+) files)?", said, re.M):
        have[name] += int(files or 1)
    wrong = {name: (want[name], have[name]) for name in want | have if want[name] != have[name]}
    print("one folder: %d logs of %d sources, read by one scan%s" % (
        len(logs), len(want), "; WRONG (expected, read): %s" % wrong if wrong else ""))
    if wrong:
        print(said[-4000:])
    return not wrong


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = os.path.abspath(sys.argv[1])
    root = sys.argv[2] if len(sys.argv) > 2 else os.path.join(HERE, "..", "..", "shared", "samples")
    known = framings(program)
    logs = list(cases())
    here = os.path.isdir(root)
    logs += sampled(program, root) if here else []
    print("samples: %s" % ("compared, too" if here else "not here (%s)" % root))
    refused = {name for path, name in logs if os.path.exists(os.path.join(os.path.dirname(path), "refused.txt"))}
    ok = True
    with tempfile.TemporaryDirectory() as folder:
        written = list(write_all(logs, known, folder))
        by_guise = collections.defaultdict(list)
        for out, guise, name, path in written:
            by_guise[guise].append((out, name, path))
        for guise, entries in by_guise.items():
            got = detected(program, [out for out, _, _ in entries])
            pairs = [(name, said) for (_, name, _), said in zip(entries, got)]
            matrix(guise, pairs)
            for (out, name, path), said in zip(entries, got):
                if said != name:
                    ok = False
                    print("FAIL %s %s is %s, taken for %s" % (guise, os.path.relpath(path, HERE), name, said))
        ok = check_folder(program, written, refused) and ok
    print("confusion: %s" % ("diagonal" if ok else "NOT DIAGONAL"))
    sys.exit(0 if ok and len(logs) > 0 else 1)


if __name__ == "__main__":
    main()
