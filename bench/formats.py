"""How fast the mapping engine is on each format, on one core: formats.py BUILD [--write]

The records are those of the format's largest case (tests/cases/formats), without the ones that are there to be rejected,
repeated to some megabytes; documents (a file a record) become a line a record where they are JSON, and stay as they are
where they are property lists. What is timed is bytes to observations: reader, decoder, plan. Processor time, median of
three rounds.

--write also writes docs/bench-formats.md.
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CASES = HERE.parent / "tests" / "cases" / "formats"
ROUNDS = 3
BYTES = 8_000_000
AIM = {"JSON": 300, "text": 200}


def rejected(folder):
    path = folder / "rejected.txt"
    if not path.exists():
        return set()
    return {int(line.split(":")[0]) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()}


def records(folder):
    """(the case's bytes, ready to be repeated; JSON or text), or None where it is one document that is no JSON."""
    data = next(folder.glob("input.*")).read_bytes()
    if data.lstrip()[:1] in (b"{", b"["):
        try:
            return json.dumps(json.loads(data), separators=(",", ":"), ensure_ascii=False).encode() + b"\n", "JSON"
        except ValueError: # more than one line, or no JSON
            pass
    bad = rejected(folder)
    lines = data.splitlines(keepends=True)
    data = b"".join(line for i, line in enumerate(lines, 1) if i not in bad)
    if not data.endswith(b"\n"):
        data += b"\n"
    if data.lstrip()[:1] == b"<" and b"plist" in data[:400]:
        return None
    return data, "JSON" if data.lstrip()[:1] == b"{" else "text"


def largest(name):
    """The case with most bytes that are records; None where there is none, or where the log is refused."""
    best = None
    for folder in sorted((CASES / name).iterdir()):
        if (folder / "refused.txt").exists():
            continue
        found = records(folder)
        if found and (best is None or len(found[0]) > len(best[0])):
            best = found
    return best


def separator(data):
    """Paragraphs stay apart by the empty line at a case's end."""
    return b"\n" if b"\n\n" in data and not data.endswith(b"\n\n") else b""


def measure(speed, path):
    out = subprocess.run([speed, "parse", path], check=True, capture_output=True, text=True).stdout.split()
    count, size, seen, ns = map(int, out)
    return ns / count, size / count, seen / count


def host():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        return next((line.split(":")[1].strip() for line in f if line.startswith("model name")), "this machine")


def page(rows):
    missed = [row for row in rows if row[3] < AIM[row[1]]]
    lines = [
        "# Speed by format", "",
        f"`make bench`: bytes to observations (reader, decoder, mapping), one core of {host()}, processor time, median of {ROUNDS}",
        "rounds. The records are a test case's, repeated: short, and with more odd ones among them than a real log has. The aims are",
        f"{AIM['JSON']} MB/s for JSON and {AIM['text']} MB/s for text; "
        + ("all are met." if not missed else f"{len(missed)} of {len(rows)} formats miss theirs."), "",
        "| format | encoding | bytes a record | observations a record | ns a record | MB/s | aim |",
        "|--------|----------|---------------:|----------------------:|------------:|-----:|-----|",
    ]
    lines += [f"| {name} | {kind} | {size:,.0f} | {seen:.2f} | {ns:,.0f} | {rate:,.0f} | {'met' if rate >= AIM[kind] else 'missed'} |"
              for name, kind, size, rate, ns, seen in rows]
    return "\n".join(lines) + "\n"


def main():
    arguments = [a for a in sys.argv[1:] if a != "--write"]
    if len(arguments) != 1:
        sys.exit(__doc__)
    speed = os.path.join(arguments[0], "bench", "speed")
    rows = []
    with tempfile.TemporaryDirectory(prefix="pinwatch-bench-") as folder:
        samples = {}
        for case in sorted(CASES.iterdir()):
            found = largest(case.name)
            if found is None:
                continue
            data, kind = found
            data += separator(data)
            path = os.path.join(folder, case.name + ".log")
            with open(path, "wb") as f:
                f.write(data * max(1, BYTES // len(data)))
            samples[case.name] = (path, kind, [])
        for _ in range(ROUNDS):
            for path, _, taken in samples.values():
                taken.append(measure(speed, path))
        for name, (_, kind, taken) in samples.items():
            ns, size, seen = (statistics.median(t[i] for t in taken) for i in range(3))
            rows.append((name, kind, size, size / ns * 1e3, ns, seen))
    text = page(rows)
    print(text)
    if "--write" in sys.argv:
        (HERE.parent / "docs" / "bench-formats.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
