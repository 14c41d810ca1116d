#!/usr/bin/python3
"""Random small fleets by seed, built so that every rule of the judgement is hit often.

    fleets.py SEED [DIR]          write one fleet's files (default: the working folder)
    fleets.py --stats [--seeds N] what the reference finds over N fleets, as a histogram
"""

import argparse
import collections
import json
import os
import time

from fleet import Fleet
from reference import World
from scenarios import compose


def make_fleet(seed):
	fleet = Fleet(seed)
	compose(fleet)
	return fleet


def write(fleet, folder):
	os.makedirs(folder, exist_ok=True)
	for name, text in fleet.files().items():
		with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
			f.write(text)
	with open(os.path.join(folder, "settings.json"), "w", encoding="utf-8") as f:
		json.dump(fleet.settings, f)


def stats(seeds, begin):
	count = collections.Counter()
	slowest, attempts, spent = (0.0, None), 0, 0.0
	for seed in range(begin, begin + seeds):
		fleet = make_fleet(seed)
		lines = fleet.lines()
		began = time.perf_counter()
		world = World(lines, fleet.settings)
		findings = world.findings()
		took = time.perf_counter() - began
		spent += took
		slowest = max(slowest, (took, seed))
		attempts += len(world.all)
		count["fleet with quarantined records"] += world.now < 1000 * max(
			order for order, _ in fleet.records
		)
		for a in world.all:
			count["attribution " + a.attribution] += 1
			count["state " + str(a.state) + (" " + a.reason if a.reason else "")] += 1
			count["outcome " + a.outcome] += 1
			count["device " + a.device[1] + (" ambiguous" if a.device[2] else "")] += 1
			count["contradiction"] += a.contradiction
			if a.excluded:
				count["excluded " + a.excluded] += 1
		for f in findings:
			count["kind " + f["kind"]] += 1
			if f["kind"] != "pinning":
				continue
			count[
				"verdict "
				+ f["verdict"]
				+ (" " + f["explained_by"].split(":")[0] if f["explained_by"] else "")
			] += 1
			count["confidence " + str(f["confidence"])] += 1
			count["severity " + f["severity"]] += 1
			for p in f["paths"]:
				count["path " + p] += 1
			for c in f["contributions"]:
				count["term " + c["term"]] += 1
			for r in f["risk_factors"]:
				count["risk " + r["factor"]] += 1
			for r in f["rivals"]:
				count["rival " + r["name"] + " " + r["status"]] += 1
	for name in sorted(count):
		print(f"{count[name]:8d}  {name}")
	print(f"{seeds} fleets, {attempts / seeds:.0f} attempts each")
	print(
		f"{1000 * spent / seeds:.1f} ms each, at most {1000 * slowest[0]:.0f} (seed {slowest[1]})"
	)


def main():
	p = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	p.add_argument("seed", nargs="?", type=int)
	p.add_argument("dir", nargs="?", default=".")
	p.add_argument("--stats", action="store_true")
	p.add_argument("--seeds", type=int, default=200)
	p.add_argument("--from", dest="begin", type=int, default=0)
	args = p.parse_args()
	if args.stats:
		stats(args.seeds, args.begin)
	elif args.seed is None:
		p.error("a seed, or --stats")
	else:
		write(make_fleet(args.seed), args.dir)


if __name__ == "__main__":
	main()
