#!/usr/bin/env python3
"""Format cases: tests/run_format_cases.py PINWATCH [CASE...]

A case is a folder tests/cases/formats/FORMAT/CASE with

    input.*         a log in the vendor's shape
    expected.jsonl  the observations it gives, one JSON object a line, keys in any order
    rejected.txt    (optional) lines `LINE: text`: the record that starts there is rejected, and the
                    reason holds the text; no other may be
    refused.txt     (optional) a text of the answer to a log that is known to be of no use
    date            (optional) what --date is given

The format has to be recognised by content alone, as FORMAT. What the program prints is also fed back
to it as canonical observations and has to come out the same.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = os.path.join(HERE, "cases", "formats")


def run(*args):
    p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return p.returncode, p.stdout, p.stderr


def read_json_lines(text):
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def check_rejected(folder, errors, problems):
    path = os.path.join(folder, "rejected.txt")
    wanted = []
    if os.path.exists(path):
        with open(path) as f:
            wanted = [line.rstrip("\n").split(": ", 1) for line in f if line.strip()]
    found = re.findall(r":(\d+): rejected: (.*)", errors)
    if [line for line, _ in wanted] != [line for line, _ in found]:
        problems.append("rejected lines %s, expected %s" % (found, [w[0] for w in wanted]))
        return
    for (line, text), (_, reason) in zip(wanted, found):
        if text not in reason:
            problems.append("line %s is rejected for `%s`, expected `%s`" % (line, reason, text))


def check(program, folder):
    problems = []
    name = os.path.basename(os.path.dirname(folder))
    inputs = [n for n in sorted(os.listdir(folder)) if n.startswith("input.")]
    path = os.path.join(folder, inputs[0])
    options = []
    if os.path.exists(os.path.join(folder, "date")):
        with open(os.path.join(folder, "date")) as f:
            options = ["--date", f.read().strip()]
    _, said, errors = run(program, "formats", path)
    if not re.search(r"\b%s\b" % name, said + errors):
        problems.append("not recognised as %s: %s" % (name, (said + errors).strip()[:300]))
    _, out, errors = run(program, "parse", "-v", "--format", "auto", *options, path)
    with open(os.path.join(folder, "expected.jsonl")) as f:
        expected = read_json_lines(f.read())
    actual = read_json_lines(out)
    for i in range(max(len(expected), len(actual))):
        want = expected[i] if i < len(expected) else None
        got = actual[i] if i < len(actual) else None
        if want != got:
            problems.append("observation %d\n      expected %s\n      got      %s" % (
                i + 1, json.dumps(want, sort_keys=True), json.dumps(got, sort_keys=True)))
    check_rejected(folder, errors, problems)
    refused = os.path.join(folder, "refused.txt")
    if os.path.exists(refused):
        with open(refused) as f:
            text = f.read().strip()
        if text not in errors:
            problems.append("refused with `%s`, expected `%s`" % (errors.strip(), text))
    if out:
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as f:
            f.write(out)
            f.flush()
            _, again, _ = run(program, "parse", "--format", "canonical", f.name)
        # The source's name is configuration, not content.
        strip = [{k: v for k, v in o.items() if k != "source"} for o in read_json_lines(again)]
        if strip != [{k: v for k, v in o.items() if k != "source"} for o in actual]:
            problems.append("the canonical form does not read back as it was written")
    return problems


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program, only = sys.argv[1], sys.argv[2:]
    folders = sorted(os.path.join(CASES, f, c) for f in os.listdir(CASES)
                     for c in os.listdir(os.path.join(CASES, f)))
    failed = 0
    for folder in folders:
        label = os.path.relpath(folder, CASES)
        if only and label not in only:
            continue
        problems = check(program, folder)
        failed += bool(problems)
        for p in problems:
            print("FAIL %s: %s" % (label, p))
    print("%d format cases, %d failed" % (len(folders), failed))
    sys.exit(1 if failed or not folders else 0)


main()
