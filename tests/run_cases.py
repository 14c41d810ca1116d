#!/usr/bin/python3
"""Behaviour cases of `pinwatch scan`: tests/run_cases.py PINWATCH [CASE...]

A case is a folder tests/cases/scan/CASE with input files in the shape their makers write, at will a pinwatch.yaml (and the
list files it names), a README that says first what would be wrong if the case failed, and

    expect.json     {"runs": [RUN...]}, or one RUN itself:
        args            further arguments; without pinwatch.yaml the folder's logs are scanned as they lie
        exit            the exit code; 0
        stderr          texts that standard error holds
        findings        partial findings: each has to match exactly one of the findings printed
        forbid          partial findings that none of the findings printed may match
        only            true: `findings` names every finding there is

In a partial finding only what is named is compared. An object is matched key by key, a list as a whole. Numbers agree to
0.006. Some keys stand for a list of objects and turn it into an object by name:

    terms {TERM: db}, rivals {NAME: status}, factors {FACTOR: points}, devices {ID: {...}}

`devices` as a number is the number of devices; `bundle`, `host`, `port` and `device` are short for the places where they stand.
Every finding printed is also held against the schema, its score against the sum of its contributions and its uid against
its key. Output is TAP.
"""
import json
import os
import subprocess
import sys
import uuid

import jsonschema

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = os.path.join(HERE, "cases", "scan")
SCHEMA = os.path.join(HERE, "..", "schema", "finding.schema.json")
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://attack.mitre.org/detectionstrategies/DET0646#AN1726")
NOT_INPUT = ("README", "expect.json")
RUN_KEYS = {"args", "exit", "stderr", "findings", "forbid", "only"}


def by_name(finding):
    """The finding with the lists that have names turned into objects, and the short keys."""
    view = dict(finding)
    view["terms"] = {c["term"]: c["db"] for c in finding["contributions"]}
    view["rivals"] = {r["name"]: r["status"] for r in finding["rivals"]}
    view["factors"] = {r["factor"]: r["points"] for r in finding["risk_factors"]}
    view["device_count"] = len(finding["devices"])
    view["devices"] = {d["id"]: d for d in finding["devices"]}
    view["bundle"] = (finding["app"] or {}).get("bundle_id")
    view["host"] = (finding["destination"] or {}).get("host")
    view["port"] = (finding["destination"] or {}).get("port")
    if len(finding["devices"]) == 1:
        view["device"] = finding["devices"][0]["id"]
    return view


def differs(wanted, actual, where=""):
    """The first difference as text, or None."""
    if where == "devices" and isinstance(wanted, int):
        return None if wanted == len(actual) else "devices: %d, expected %d" % (len(actual), wanted)
    if isinstance(wanted, dict) and isinstance(actual, dict):
        for key, value in wanted.items():
            path = where + "." + key if where else key
            if key not in actual:
                return "%s is missing" % path
            difference = differs(value, actual[key], path)
            if difference:
                return difference
        return None
    if isinstance(wanted, float) and isinstance(actual, (int, float)) and not isinstance(actual, bool):
        return None if abs(wanted - actual) < 0.006 else "%s: %s, expected %s" % (where, actual, wanted)
    if where in ("controls.met", "controls.missing", "paths"):
        return None if sorted(wanted) == sorted(actual) else "%s: %s, expected %s" % (where, actual, wanted)
    return None if wanted == actual else "%s: %s, expected %s" % (where, json.dumps(actual), json.dumps(wanted))


def key_of(finding):
    if finding["kind"] == "pinning":
        return "|".join(["pinning", finding["app"]["bundle_id"] or "", finding["destination"]["host"],
                         str(finding["destination"]["port"])])
    if finding["kind"] == "ca_untrusted":
        return "ca_untrusted|" + finding["devices"][0]["id"]
    return "gateway_fault|" + finding["first_seen"][:16] + "Z"


def check_always(finding, validator, problems):
    name = "%s of %s" % (finding.get("verdict"), finding.get("destination"))
    for error in validator.iter_errors(finding):
        problems.append("%s breaks the schema: %s" % (name, error.message[:200]))
        return
    total = sum(c["db"] for c in finding["contributions"])
    if finding["kind"] == "pinning" and abs(total - finding["score_db"]) > 0.006:
        problems.append("%s: contributions add up to %.2f, the score is %.2f" % (name, total, finding["score_db"]))
    points = sum(r["points"] for r in finding["risk_factors"])
    if finding["kind"] == "pinning" and max(0, min(100, points)) != finding["risk"]:
        problems.append("%s: risk factors add up to %d, the risk is %d" % (name, points, finding["risk"]))
    if str(uuid.uuid5(NAMESPACE, key_of(finding))) != finding["uid"]:
        problems.append("%s: uid is not that of %s" % (name, key_of(finding)))


def inputs(folder):
    return [n for n in sorted(os.listdir(folder)) if n not in NOT_INPUT and not n.endswith(".yaml")]


def check_run(program, folder, run, validator):
    problems = ["unknown key `%s` in expect.json" % k for k in run if k not in RUN_KEYS]
    if os.path.exists(os.path.join(folder, "pinwatch.yaml")):
        what = ["-c", "pinwatch.yaml"]
    else:
        what = inputs(folder)
    command = [program, "scan", "--all", "--output", "jsonl", *run.get("args", []), *what]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
    errors = done.stderr.decode("utf-8", "replace")
    if done.returncode != run.get("exit", 0):
        problems.append("exit %d, expected %d; it said: %s" % (done.returncode, run.get("exit", 0), errors.strip()[-600:]))
    for text in run.get("stderr", []):
        if text not in errors:
            problems.append("standard error lacks `%s`: %s" % (text, errors.strip()[-600:]))
    findings = []
    for line in done.stdout.decode("utf-8", "strict").splitlines():
        finding = json.loads(line)
        check_always(finding, validator, problems)
        findings.append(by_name(finding))
    compare(run, findings, problems)
    return problems


def summary(view):
    return "%s %s %s/%s" % (view["kind"], view["verdict"], view["bundle"], view["host"])


def compare(run, findings, problems):
    named = set()
    for wanted in run.get("findings", []):
        keys = {k: wanted[k] for k in ("kind", "bundle", "host", "port", "device") if k in wanted}
        candidates = [(i, f) for i, f in enumerate(findings) if not differs(keys, f)]
        if len(candidates) != 1:
            problems.append("%d findings match %s, among %s" % (len(candidates), keys, [summary(f) for f in findings]))
            continue
        named.add(candidates[0][0])
        difference = differs(wanted, candidates[0][1])
        if difference:
            problems.append("%s: %s" % (keys, difference))
    for unwanted in run.get("forbid", []):
        for finding in findings:
            if not differs(unwanted, finding):
                problems.append("%s is there: %s" % (unwanted, summary(finding)))
    if run.get("only") and len(named) != len(findings):
        problems.append("not expected: %s" % [summary(f) for i, f in enumerate(findings) if i not in named])


def check(program, folder, validator):
    with open(os.path.join(folder, "expect.json"), encoding="utf-8") as f:
        expected = json.load(f)
    if not os.path.getsize(os.path.join(folder, "README")):
        return ["the README is empty"]
    problems = []
    for number, run in enumerate(expected.get("runs", [expected]), 1):
        for problem in check_run(program, folder, run, validator):
            problems.append(problem if "runs" not in expected else "run %d: %s" % (number, problem))
    return problems


def main():
    program = os.path.abspath(sys.argv[1])
    names = sys.argv[2:] or sorted(n for n in os.listdir(CASES) if os.path.isdir(os.path.join(CASES, n)))
    with open(SCHEMA, encoding="utf-8") as f:
        validator = jsonschema.Draft202012Validator(json.load(f))
    os.environ["TZ"] = "UTC"
    print("1..%d" % len(names))
    failed = 0
    for number, name in enumerate(names, 1):
        folder = os.path.join(CASES, name)
        try:
            problems = check(program, folder, validator)
        except (OSError, ValueError, KeyError, subprocess.TimeoutExpired) as error:
            problems = ["%s: %s" % (type(error).__name__, error)]
        print("%s %d - %s" % ("not ok" if problems else "ok", number, name))
        if problems:
            failed += 1
            with open(os.path.join(folder, "README"), encoding="utf-8") as f:
                print("# " + f.readline().strip())
        for problem in problems:
            print("# " + problem.replace("\n", "\n# "))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
