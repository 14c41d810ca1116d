#!/usr/bin/python3
"""Checks findings against schema/finding.schema.json.

    check_schema.py SCHEMA FILE.jsonl...       findings as `pinwatch scan --output jsonl` writes them (- is stdin)
    check_schema.py SCHEMA --run PROGRAM ARG... the same from a program's standard output

Also checks what a schema cannot say: the contributions of a finding add up to its score, and the controls
met and missing are the three there are.
"""
import json
import subprocess
import sys

import jsonschema


def problems(validator, finding):
    for error in validator.iter_errors(finding):
        yield f"{error.json_path}: {error.message[:300]}"
    if finding.get("kind") == "pinning":
        total = round(sum(round(c["db"] * 100) for c in finding["contributions"])) / 100
        if abs(total - finding["score_db"]) > 0.001:
            yield f"the contributions add up to {total}, score_db is {finding['score_db']}"
        controls = finding["controls"]
        if len(set(controls["met"] + controls["missing"])) != 3:
            yield "controls met and missing are not the three there are"


def main(argv):
    if len(argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    with open(argv[1], encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    if argv[2] == "--run":
        texts = [(argv[3], subprocess.run(argv[3:], check=True, stdout=subprocess.PIPE).stdout)]
    else:
        texts = [(p, sys.stdin.buffer.read() if p == "-" else open(p, "rb").read()) for p in argv[2:]]
    findings = bad = 0
    for name, text in texts:
        # Bytes that are not UTF-8 must not survive into the output: decode strictly.
        for number, line in enumerate(text.decode("utf-8").split("\n"), 1):
            if line == "":
                continue
            findings += 1
            for problem in problems(validator, json.loads(line)):
                print(f"{name}:{number}: {problem}", file=sys.stderr)
                bad += 1
    print(f"{findings} findings, {bad} problems")
    return 1 if bad > 0 or findings == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
