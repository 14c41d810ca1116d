"""make peers: pinwatch against what people would write the count rule in today; see docs/peers.md.

usage: run.py BUILD PEERS [--write] [--devices N] [--rounds N] [--input DIR] [--only WORD]

--input keeps the records in DIR and takes them from there the next time; --only measures the tools
with WORD in their names beside pinwatch's whole job, to try a rule.
"""
import argparse
import os
import platform
import statistics
import sys
import tempfile
import time

import input as records
import measure
import oracle
import report
from tools import TOOLS


class Bench:
    def __init__(self, build, peers, folder, devices, rounds):
        self.places = {"build": os.path.abspath(build), "peers": os.path.abspath(peers)}
        self.folder, self.devices, self.rounds = os.path.abspath(folder), devices, rounds
        self.core = min(os.sched_getaffinity(0))
        self.failed, self.versions, self.verdicts, self.samples = {}, {}, {}, {}
        self.records = self.refusals = self.size = self.n_groups = self.n_findings = 0
        self.sec_file = None

    def paths(self, name):
        file = records.path(self.folder, name)
        return dict(self.places, file=file, arrival=file.replace(".jsonl", ".arrival"),
                    work=self.folder)

    def input(self):
        ordered = records.path(self.folder, "ordered")
        if not os.path.exists(ordered):
            records.make(os.path.join(self.places["build"], "pinwatch"), self.folder, self.devices)
        self.size = os.path.getsize(ordered)
        with open(ordered, "rb") as f:
            self.records = sum(1 for _ in f)
        groups = oracle.refusals(ordered)
        self.refusals = sum(map(len, groups.values()))
        self.n_groups = sum(map(oracle.fires, groups.values()))

    def run(self, tool, name, replay=False):
        """None, and the reason kept, when the tool fails: the table says so."""
        try:
            return measure.run(tool, self.paths(name), self.core, replay)
        except (measure.Failed, OSError) as e:
            self.failed[tool.name] = str(e)
            print(f"peers: {tool.name}: {e}", file=sys.stderr)
            return None

    def begin(self):
        for tool in TOOLS:
            why = tool.missing(self.places["peers"])
            try:
                if why is None:
                    self.versions[tool.name] = tool.version(self.paths("ordered"))
            except OSError as e:
                why = str(e)
            if why is not None:
                self.failed[tool.name] = why

    def ready(self):
        return [t for t in TOOLS if t.name not in self.failed]

    def add(self, tool, **values):
        for key, value in values.items():
            self.samples.setdefault((tool.name, key), []).append(value)

    def median(self, tool, key):
        return statistics.median(self.samples[tool.name, key])

    def spread(self):
        spreads = [(max(v) - min(v)) / statistics.median(v)
                   for (_, key), v in self.samples.items() if key == "cpu"]
        return statistics.median(spreads), max(spreads)

    def round(self):
        for tool in self.ready():
            start = self.run(tool, "one")
            result = self.run(tool, tool.file) if start else None
            if result is None:
                continue
            if result.first is None:
                self.failed[tool.name] = "it printed nothing"
                continue
            self.add(tool, start=start.cpu, cpu=result.cpu, wall=result.wall, peak=result.peak,
                     first=result.first)
            if tool.name == "SEC":
                self.sec_file = len(result.groups)

    def judge_whole(self, tool):
        """How many findings differ from the ordered file's: in what they say, in their evidence."""
        reference = None
        for name, _ in records.DISORDERS:
            result = self.run(tool, name, replay=True)
            if result is None:
                return
            reference = reference or result.findings
            pairs = [(reference.get(u, (None, None)), result.findings.get(u, (None, None)))
                     for u in set(reference) | set(result.findings)]
            said = sum(a[0] != b[0] for a, b in pairs)
            shown = sum(a[0] == b[0] and a[1] != b[1] for a, b in pairs)
            self.verdicts[tool.name, name] = said, shown
        self.n_findings = len(reference)

    def judge(self, name):
        want = oracle.found(records.path(self.folder, name))
        for tool in self.ready():
            if tool.whole:
                continue
            result = self.run(tool, name, replay=True)
            if result:
                self.verdicts[tool.name, name] = (len(result.groups - want),
                                                  len(want - result.groups))


def machine():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            name = next(line for line in f if line.startswith("model name"))
        return name.split(":", 1)[1].strip()
    except (OSError, StopIteration):
        return platform.machine()


def main():
    parser = argparse.ArgumentParser(description="measures pinwatch against other tools")
    parser.add_argument("build")
    parser.add_argument("peers")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--devices", type=int, default=1200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--input")
    parser.add_argument("--only")
    a = parser.parse_args()
    if a.only:
        if a.write:
            sys.exit("peers: --write needs all tools in one run")
        TOOLS[2:] = [t for t in TOOLS[2:] if a.only in t.name]
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pinwatch-peers-input-") as temporary:
        b = Bench(a.build, a.peers, a.input or temporary, a.devices, a.rounds)
        b.input()
        b.begin()
        for _ in range(a.rounds):
            b.round()
        if TOOLS[0].name not in b.failed:
            b.judge_whole(TOOLS[0])
        for name, _ in records.DISORDERS:
            b.judge(name)
        text = report.page(b, machine(), time.monotonic() - begin)
    print(text)
    if a.write:
        here = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(here, "..", "..", "docs", "peers.md"), "w", encoding="utf-8") as f:
            f.write(text)


if __name__ == "__main__":
    main()
