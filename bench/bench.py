"""How fast pinwatch is, on one core, against what is measured in the same run.

The fleet is made by the run and removed after it. Every figure is processor time, the median of
three rounds; the rounds go through all measurements in turn, so that a busy minute of the machine
does not fall on one of them alone. Threads are another matter: what they gain is time by the clock,
on all processors there are, so one thread and several take turns, and the quickest turn of each counts.
"""
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 3
LARGE = ["--devices", "650", "--connections", "120000"]  # about two million records
SMALL = ["--devices", "65", "--connections", "12000"]    # a tenth of that
AIM_PARSE = 0.60
AIM_WHOLE = 1.5e6
AIM_TWO = 1.7
TURNS = 5

# Where each format's records are, in which fleet.
FORMATS = [
    ("Zeek conn, JSON", "large", ["conn.log"], True),
    ("Zeek ssl, JSON", "large", ["ssl.log"], True),
    ("Zeek conn, TSV", "tsv", ["conn.log"], False),
    ("Zeek ssl, TSV", "tsv", ["ssl.log"], False),
    ("squid", "large", ["squid-access.log"], False),
    ("canonical, connections", "canonical", ["flow.jsonl", "inspection.jsonl"], True),
    ("canonical, app activity", "canonical", ["edr.jsonl"], True),
    ("NanoMDM (base64 plist in JSON)", "large", ["nanomdm.ndjson"], False),
    ("Kea leases", "large", ["kea-leases4.csv"], False),
    ("FreeRADIUS detail", "large", ["radius-detail.log"], False),
]
STAGES = [
    ("read", "bytes to records"),
    ("parse", "records to observations"),
    ("queue", "identify, and queue by event time"),
    ("merge", "release in order, merge into attempts"),
    ("facts", "attempts to facts: device, app, destination"),
    ("judge", "everything else of the judgement"),
    ("rest", "the merge of the inputs, start and end"),
]


class Bench:
    def __init__(self, build, folder):
        self.build = build
        self.folder = folder
        self.samples = {}

    def program(self, name):
        return os.path.join(self.build, name)

    def fleet(self, name, *options):
        out = os.path.join(self.folder, name)
        subprocess.run([self.program("pinwatch"), "sim", "--quiet", "--out", out, *options],
                       check=True)

    def file(self, fleet, name):
        return os.path.join(self.folder, fleet, name)

    def logs(self, fleet):
        """All but what goes with the logs: configuration, lists, truth."""
        folder = os.path.join(self.folder, fleet)
        return sorted(os.path.join(folder, n) for n in os.listdir(folder)
                      if not n.endswith((".yaml", "truth.json")))

    def fields(self, path):
        out = subprocess.run([self.program("bench/speed"), "fields", path], check=True,
                             capture_output=True, text=True).stdout
        return out.split("\n")[1:-1]

    def add(self, what, **values):
        for name, value in values.items():
            self.samples.setdefault((what, name), []).append(value)

    def median(self, what, name):
        return statistics.median(self.samples[what, name])

    def ratio(self, one, other, name="ns"):
        """Of the same round: what slows one of the two down mostly slows both."""
        pairs = zip(self.samples[one, name], self.samples[other, name])
        return statistics.median(a / b for a, b in pairs)

    def spread(self):
        """How far apart the rounds lie, at worst and typically, as a share of the median."""
        spreads = [(max(v) - min(v)) / statistics.median(v)
                   for (_, name), v in self.samples.items() if name == "ns"]
        return statistics.median(spreads), max(spreads)

    def run_counting(self, what, *command):
        """A program that prints RECORDS BYTES OBSERVATIONS NANOSECONDS of all its passes."""
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        records, size, _, ns = map(int, out)
        self.add(what, ns=ns / records, size=size / records)

    def run_whole(self, fleet):
        config = self.file(fleet, "pinwatch.yaml")
        with subprocess.Popen([self.program("pinwatch"), "scan", "--quiet", "-c", config],
                              stdout=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        # 4: one of the simulated sensors falls silent, as it should.
        if process.returncode not in (0, 4):
            sys.exit(f"bench: scan ended with {process.returncode}")
        self.add("whole " + fleet, cpu=(usage.ru_utime + usage.ru_stime) * 1e9,
                 peak=usage.ru_maxrss * 1024)

    def run_threads(self, fleet, threads):
        config = self.file(fleet, "pinwatch.yaml")
        begin = time.monotonic()
        with subprocess.Popen([self.program("pinwatch"), "scan", "--quiet", "--threads", str(threads), "-c", config],
                              stdout=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        clock = time.monotonic() - begin
        if process.returncode not in (0, 4):
            sys.exit(f"bench: scan --threads {threads} ended with {process.returncode}")
        self.add(f"threads {threads}", clock=clock, cpu=usage.ru_utime + usage.ru_stime,
                 peak=usage.ru_maxrss * 1024)

    def run_stages(self, fleet):
        out = subprocess.run([self.program("bench/stages"), self.file(fleet, "pinwatch.yaml")],
                             check=True, capture_output=True, text=True).stdout
        self.add("stages " + fleet, **{k: float(v) for k, v in map(str.split, out.splitlines())})

    def round(self):
        speed = self.program("bench/speed")
        logs = self.logs("large")
        self.run_counting("newlines", speed, "newlines", *logs)
        self.run_counting("read", speed, "read", *logs)
        self.run_counting("parse", speed, "parse", *logs)
        for title, fleet, names, is_json in FORMATS:
            paths = [self.file(fleet, n) for n in names]
            self.run_counting("parse " + title, speed, "parse", *paths)
            if is_json:
                self.run_counting("simdjson " + title, self.program("bench/simdjson_alone"),
                                  *paths, "--", *self.fields(paths[0]))
        for fleet in ("small", "large"):
            self.run_whole(fleet)
            self.run_stages(fleet)


def number(x):
    return f"{x:,.0f}"


def rates(ns, size):
    return [number(1e9 / ns), number(size / ns * 1e3), number(ns)]


def table(head, rows):
    """Markdown that also reads well as it is: the first column left, numbers right."""
    rows = [[str(c) for c in r] for r in rows]
    widths = [max(len(r[i]) for r in [head] + rows) for i in range(len(head))]

    def line(cells):
        return "| " + " | ".join(c.ljust(w) if i == 0 else c.rjust(w)
                                 for i, (c, w) in enumerate(zip(cells, widths))) + " |"

    rule = "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":"
                          for i, w in enumerate(widths)) + "|"
    return "\n".join([line(head), rule] + [line(r) for r in rows]) + "\n"


def verdict(value, aim):
    return "met" if value >= aim else "missed"


def speed_table(b):
    rows = []

    def row(title, what, against, aim=""):
        ns, size = b.median(what, "ns"), b.median(what, "size")
        rows.append([title] + rates(ns, size) + [against, aim])

    def of_newlines(what):
        """By bytes: some records are several lines."""
        size = b.median(what, "size") / b.median("newlines", "size")
        return f"{b.ratio('newlines', what) * size:.1%} of a newline scan"

    row("newline scan (read, memchr)", "newlines", "")
    row("reading, all logs", "read", of_newlines("read"))
    row("reading and parsing, all logs", "parse", of_newlines("parse"))
    for title, _, _, is_json in FORMATS:
        against = aim = ""
        if is_json:
            row("simdjson alone: " + title, "simdjson " + title, "")
            share = b.ratio("simdjson " + title, "parse " + title)
            against = f"{share:.0%} of simdjson alone"
            aim = f"{AIM_PARSE:.0%}: {verdict(share, AIM_PARSE)}"
        row("parsing: " + title, "parse " + title, against, aim)
    for fleet in ("large", "small"):
        what = "whole " + fleet
        records = b.median("stages " + fleet, "records")
        b.samples[what, "ns"] = [cpu / records for cpu in b.samples[what, "cpu"]]
        b.samples[what, "size"] = [b.median("stages " + fleet, "bytes") / records]
        rate = 1e9 / b.median(what, "ns")
        row(f"whole scan, {number(records)} records", what, of_newlines(what),
            f"{number(AIM_WHOLE)}/s: {verdict(rate, AIM_WHOLE)}")
    return table(["what", "records/s", "MB/s", "ns a record", "against", "aim"], rows)


def stage_table(b):
    def a_record(fleet, keys):
        what = "stages " + fleet
        return sum(b.median(what, k) for k in keys) / b.median(what, "records")

    every = [key for key, _ in STAGES]
    rows = []
    for title, keys in [(f"{k}: {about}", [k]) for k, about in STAGES] + [("all", every)]:
        ns = a_record("large", keys)
        rows.append([title, number(ns), f"{ns / a_record('large', every):.0%}",
                     number(a_record("small", keys))])
    return table(["stage", "ns a record", "share", "with a tenth of the data"], rows)


def memory_table(b):
    rows = []
    for fleet in ("small", "large"):
        attempts = b.median("stages " + fleet, "attempts")
        peak = b.median("whole " + fleet, "peak")
        rows.append([number(b.median("stages " + fleet, "records")), number(attempts),
                     number(b.median("stages " + fleet, "passes")), f"{peak / 2**20:,.0f}",
                     number(peak / attempts), number(b.median("whole " + fleet, "ns"))])
    return table(["records", "attempts", "passes", "peak MiB", "peak bytes an attempt",
                  "ns a record"], rows)


def thread_table(b, counts):
    rows = []
    records = b.median("stages large", "records")
    least = {n: min(b.samples[f"threads {n}", "clock"]) for n in counts}
    for n in counts:
        cpu = b.samples[f"threads {n}", "cpu"]
        gain = least[counts[0]] / least[n]
        aim = f"{AIM_TWO} times: {verdict(gain, AIM_TWO)}" if n == 2 else ""
        rows.append([n, f"{least[n]:.2f}", number(records / least[n]), f"{gain:.2f}", aim,
                     f"{statistics.median(cpu):.2f}", f"{b.median(f'threads {n}', 'peak') / 2**20:,.0f}"])
    return table(["threads", "s", "records/s", "times one", "aim", "processor s", "peak MiB"], rows)


def growth(b):
    more = [b.median("whole large", "peak") - b.median("whole small", "peak"),
            b.median("stages large", "attempts") - b.median("stages small", "attempts")]
    return (f"{b.ratio('stages large', 'stages small', 'records'):.1f} times the records take "
            f"{b.ratio('whole large', 'whole small', 'cpu'):.1f} times the time and "
            f"{b.ratio('whole large', 'whole small', 'peak'):.1f} times the memory; "
            f"each further attempt takes {number(more[0] / more[1])} bytes.")


def others_running():
    """Processes that run or want to, but for this one, over a second."""
    seen = []
    for _ in range(10):
        with open("/proc/loadavg", encoding="utf-8") as f:
            seen.append(int(f.read().split()[3].split("/")[0]) - 1)
        time.sleep(0.1)
    return statistics.mean(seen)


def machine():
    name = platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            name = next(line for line in f if line.startswith("model name"))
            name = name.split(":", 1)[1].strip()
    except (OSError, StopIteration):
        pass
    return name


def report(b, seconds, counts, others, cores):
    speed, (typical, worst) = speed_table(b), b.spread()
    load = os.getloadavg()[0]
    return "\n".join([
        "# Benchmarks",
        "",
        f"`make bench`: one core of {machine()}, processor time, medians of {ROUNDS} rounds in "
        f"{seconds:.0f} s.",
        f"The machine is noisy: the rounds of one measurement lie {typical:.0%} apart "
        f"(at worst {worst:.0%}), load {load:.1f}.",
        "Read the ratios, which compare what was measured in the same run; absolute rates are this "
        "machine's at that moment.",
        "The fleet is simulated: Zeek JSON logs, squid, device agent, MDM and leases. `make peers` "
        "measures other tools beside it: docs/peers.md.",
        "",
        "## Speed",
        "",
        speed,
        "simdjson alone takes the same wanted fields from lines already in memory and converts "
        "nothing; parsing reads the file, and",
        "converts, checks and maps every field. Of a newline scan: by bytes.",
        "",
        "## Where the time of a record goes",
        "",
        stage_table(b),
        "## Memory and growth",
        "",
        memory_table(b),
        growth(b),
        "",
        "## Threads",
        "",
        thread_table(b, counts),
        f"By the clock, the quickest of {TURNS} turns each, with {others:.1f} other processes wanting the "
        f"{cores} processors on average:",
        "a turn of several threads is slowed more by those than a turn of one.",
        "",
    ])


def main():
    arguments = [a for a in sys.argv[1:] if a != "--write"]
    if len(arguments) != 1:
        sys.exit("usage: bench.py BUILD [--write]")
    cores = os.sched_getaffinity(0)
    counts = [1] + [n for n in (2, 4, 8) if n <= len(cores)]
    os.sched_setaffinity(0, {min(cores)})
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pinwatch-bench-") as folder:
        b = Bench(arguments[0], folder)
        b.fleet("large", *LARGE)
        b.fleet("small", *SMALL)
        b.fleet("tsv", *SMALL, "--zeek", "tsv")
        b.fleet("canonical", *SMALL, "--profile", "canonical")
        for _ in range(ROUNDS):
            b.round()
        os.sched_setaffinity(0, cores)
        others = []
        for _ in range(TURNS):
            others.append(others_running())
            for n in counts:
                b.run_threads("large", n)
    text = report(b, time.monotonic() - begin, counts, statistics.mean(others), len(cores))
    print(text)
    if "--write" in sys.argv:
        docs = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "docs", "bench.md")
        with open(docs, "w", encoding="utf-8") as f:
            f.write(text)


if __name__ == "__main__":
    main()
