#!/usr/bin/python3
"""The program against the plain reference, over random fleets.

    differential.py PINWATCH [--seeds N] [--from SEED] [--keep DIR]

Each seed is a fleet: its files are written, `PINWATCH scan --all --output jsonl` judges them, and
so does the reference. The findings must be the same list in the same order; scores agree to 0.01,
all else exactly. Every output line is also checked against schema/finding.schema.json. Prints the
first difference of each failing seed; exit 1 if there is one.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import uuid

from fleets import make_fleet, write
from records import format_time, parse_time
from reference import judge

SCHEMA = os.path.join(
	os.path.dirname(os.path.abspath(__file__)), "..", "..", "schema", "finding.schema.json"
)
STRATEGY = "https://attack.mitre.org/detectionstrategies/DET0646#AN1726"
SCORE_TOLERANCE = 0.0101  # two decimals on both sides


class Different(Exception):
	"""What differs, as text for a person."""


def load_validator():
	if not os.path.exists(SCHEMA):
		return None
	import jsonschema

	with open(SCHEMA, encoding="utf-8") as f:
		schema = json.load(f)
	return jsonschema.validators.validator_for(schema)(schema)


def run(program, folder):
	done = subprocess.run(
		[program, "scan", "-c", "pinwatch.yaml", "fleet.jsonl", "--output", "jsonl", "--all"],
		cwd=folder,
		stdin=subprocess.DEVNULL,
		capture_output=True,
		text=True,
		timeout=120,
	)
	if done.returncode != 0:
		raise Different(f"exit code {done.returncode}\n{done.stderr[-2000:]}")
	return [json.loads(line) for line in done.stdout.splitlines()]


def only(o, names):
	return {name: o.get(name) for name in names}


def comparable(f):
	"""A finding as it is compared: flat, times as numbers, texts left out."""
	flat = only(
		f,
		("kind", "verdict", "explained_by", "score_db", "confidence", "risk", "severity", "paths"),
	)
	flat["app"] = f["app"] and only(f["app"], ("bundle_id", "version", "attribution"))
	flat["destination"] = f["destination"] and only(f["destination"], ("host", "port"))
	flat["first_seen"], flat["last_seen"] = parse_time(f["first_seen"]), parse_time(f["last_seen"])
	columns = (
		"id",
		"id_type",
		"ambiguous",
		"failures",
		"trials",
		"successes",
		"uninspected",
		"background_starts",
		"locked_starts",
	)
	flat["devices"] = sorted(
		(only(d, columns) for d in f["devices"]), key=lambda d: tuple(map(str, d.values()))
	)
	flat["excluded"] = only(f["excluded"], ("ca_untrusted", "gateway_fault"))
	flat["contributions"] = [(c["term"], c["db"]) for c in f["contributions"]]
	flat["controls"] = only(f["controls"], ("met", "missing"))
	flat["rivals"] = [(r["name"], r["status"]) for r in f["rivals"]]
	flat["risk_factors"] = [(r["factor"], r["points"]) for r in f["risk_factors"]]
	return flat


def uid_of(flat):
	"""UUIDv5 over KIND|BUNDLE|HOST|PORT, KIND|DEVICE or KIND|MINUTE."""
	if flat["kind"] == "pinning":
		where = flat["destination"]
		parts = [flat["app"]["bundle_id"] or "", where["host"], str(where["port"])]
	elif flat["kind"] == "ca_untrusted":
		parts = [flat["devices"][0]["id"]]
	else:
		parts = [format_time(flat["first_seen"])[:16] + "Z"]
	return str(
		uuid.uuid5(uuid.uuid5(uuid.NAMESPACE_URL, STRATEGY), "|".join([flat["kind"]] + parts))
	)


def name_of(flat):
	if flat["kind"] == "pinning":
		host, port = flat["destination"]["host"], flat["destination"]["port"]
		return f"pinning {flat['app']['bundle_id']} -> {host}:{port}"
	if flat["kind"] == "ca_untrusted":
		return f"ca_untrusted {flat['devices'][0]['id']}"
	return f"{flat['kind']} {flat['first_seen']}"


def equal(field, expected, actual):
	if field == "score_db":
		return abs(expected - actual) < SCORE_TOLERANCE
	if field == "contributions":
		return [t for t, _ in expected] == [t for t, _ in actual] and all(
			abs(a - b) < SCORE_TOLERANCE for (_, a), (_, b) in zip(expected, actual)
		)
	return expected == actual


def apart(expected, actual):
	"""Of two lists only what the other does not hold; other values as they are."""
	if not isinstance(expected, list) or sorted(map(str, expected)) == sorted(map(str, actual)):
		return expected, actual
	return [x for x in expected if x not in actual], [x for x in actual if x not in expected]


def compare(expected, actual):
	"""Raises Different with the first finding that differs, field by field."""
	uids = [f["uid"] for f in actual]
	expected, actual = [comparable(f) for f in expected], [comparable(f) for f in actual]
	names, others = [name_of(f) for f in expected], [name_of(f) for f in actual]
	missing = [n for n in names if n not in others]
	extra = [n for n in others if n not in names]
	if missing or extra:
		raise Different(
			"".join(f"  only the reference: {n}\n" for n in missing)
			+ "".join(f"  only the program: {n}\n" for n in extra)
		)
	if names != others:
		raise Different(f"  the order differs\n    reference {names}\n    program   {others}\n")
	for e, a, uid in zip(expected, actual, uids):
		e["uid"], a["uid"] = uid_of(e), uid
		wrong = [field for field in e if not equal(field, e[field], a[field])]
		if wrong:
			lines = [f"  {name_of(e)}"]
			for field in wrong:
				ours, theirs = apart(e[field], a[field])
				lines += [f"    {field}", f"      reference {ours}", f"      program   {theirs}"]
			raise Different("\n".join(lines) + "\n")


def check(task):
	"""One seed. Returns (seed, number of findings, None or the difference)."""
	seed, program, keep = task
	fleet = make_fleet(seed)
	expected = judge(fleet.lines(), fleet.settings)
	with tempfile.TemporaryDirectory(prefix="pinwatch-fleet-") as folder:
		write(fleet, folder)
		actual, difference = [], None
		try:
			actual = run(program, folder)
			compare(expected, actual)
			for f in actual:
				error = validator and next(validator.iter_errors(f), None)
				if error:
					where = "/".join(map(str, error.absolute_path))
					raise Different(f"  schema: {where}: {error.message[:300]}\n")
		except (Different, ValueError, KeyError, TypeError, subprocess.TimeoutExpired) as e:
			difference = str(e) if isinstance(e, Different) else f"  {type(e).__name__}: {e}\n"
	if difference and keep:
		folder = os.path.join(keep, f"seed-{seed}")
		write(fleet, folder)
		for name, findings in (("expected", expected), ("actual", actual)):
			with open(os.path.join(folder, name + ".findings"), "w", encoding="utf-8") as f:
				f.writelines(json.dumps(x) + "\n" for x in findings)
	return seed, fleet.profile, len(expected), difference


validator = load_validator()  # once a process


def main():
	p = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	p.add_argument("program")
	p.add_argument("--seeds", type=int, default=200)
	p.add_argument("--from", dest="begin", type=int, default=0)
	p.add_argument("--keep", metavar="DIR", help="leave the files of failing seeds there")
	args = p.parse_args()
	program = os.path.abspath(args.program)
	if not os.access(program, os.X_OK):
		p.error(f"{program} is not a program")
	tasks = [(seed, program, args.keep) for seed in range(args.begin, args.begin + args.seeds)]
	failed = findings = 0
	with multiprocessing.Pool(2) as pool:
		for seed, profile, n, difference in pool.imap(check, tasks, chunksize=4):
			findings += n
			if difference:
				failed += 1
				print(f"seed {seed} ({profile})\n{difference}", flush=True)
	print(
		f"{args.seeds} fleets from seed {args.begin}, {findings} findings, {failed} fleets differ"
	)
	print("schema checked" if validator else "no schema there, so not checked")
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
