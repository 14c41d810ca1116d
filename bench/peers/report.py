"""docs/peers.md, from what was measured."""
import os

import input as records
import oracle
from tools import TOOLS

NOTES = """\
## How the figures were taken

- **The rule** that people write today: {threshold} or more refused handshakes of one device, app and
  destination within a sliding {window:.0f} minutes, both ends included. A refusal is a record of the
  inspecting gateway whose outcome is `client_reject`. pinwatch's whole job is not that rule: it
  joins both logs into attempts, applies controls and rivals, and ends in findings.
- **Input**: one file for all, {records} canonical JSON lines of {size:.0f} MB, {share:.0%} of them refusals: a day of
  {devices} phones by `pinwatch sim`, proxy and flow sensor, with device and app filled in as a log
  pipeline would. The fleet's refusals come in bursts that no rule misses; {borderline} further groups of
  refusals {gap:.0f} seconds apart on average are those on which a window decides.
- **Speed**: one core (`taskset`), user and system time of the process, medians of {rounds} rounds; a round
  runs every tool once, so that a busy minute does not fall on one alone. Rounds of one tool lie {spread:.0%} apart
  (median of all tools; at worst {worst:.0%}), load {load:.1f}: read the ratios. *Without start-up* takes off what the
  tool needs for a file of one record; for a JVM that is more than half, for all others little.
- **First alert**: wall time from the start of the program on the whole file until the first group stands on
  its standard output. What this means for logs that still grow says the last column.
- **Right or wrong**: groups reported against a plain Python reading of the rule over event time
  (`bench/peers/oracle.py`), {groups} of which it finds. In the disordered files every record arrives
  late by its own, exponentially distributed lag, seeded; records are read in order of arrival. In
  the last, one refusal a tenth into the day carries a time 24 hours ahead.
- pinwatch's whole job prints no groups. It is held against itself: the findings that differ from those
  of the ordered file in anything but file and line. Of a time 24 hours ahead, the finding of that
  very record differs by rights. *In evidence alone*: of records with equal times, another one is among those shown.
- **Fairness**: every rule is written as the tool's manual recommends, which its file under `bench/peers/` says.
  Flink waits 15 minutes for late records, as long as pinwatch looks ahead. SEC counts by the clock: on a file read
  at once it takes all records for simultaneous ({sec_file} groups reported where {groups} are right). Its
  figures for right and wrong come from a run whose clock is when each record arrived
  (`bench/peers/sec/replay.pl`).
"""


def number(x):
    return f"{x:,.0f}"


def table(head, rows):
    widths = [max(len(str(r[i])) for r in [head] + rows) for i in range(len(head))]

    def line(cells):
        return "| " + " | ".join(str(c).ljust(w) if i == 0 else str(c).rjust(w)
                                 for i, (c, w) in enumerate(zip(cells, widths))) + " |"

    rule = "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":"
                          for i, w in enumerate(widths)) + "|"
    return "\n".join([line(head), rule] + [line(r) for r in rows]) + "\n"


def speed(b):
    rows = []
    for tool in TOOLS:
        if tool.name in b.failed:
            rows.append([tool.name, f"not run: {b.failed[tool.name]}"] + [""] * 7)
            continue
        cpu, start = b.median(tool, "cpu"), b.median(tool, "start")
        rows.append([tool.name, b.versions[tool.name], number(b.records / cpu),
                     number(b.records / max(cpu - start, 1e-3)), f"{cpu:.2f}",
                     f"{b.median(tool, 'wall'):.2f}", number(b.median(tool, "peak") / 2**20),
                     f"{b.median(tool, 'first'):.2f}", tool.live])
    return table(["tool", "version", "records/s a core", "without start-up", "processor s", "wall s",
                  "peak MiB", "first alert s", "while records arrive, an alert comes"], rows)


def correct(b):
    rows = []
    for tool in TOOLS:
        if tool.whole:
            continue
        row = [tool.name]
        for name, _ in records.DISORDERS:
            if tool.name in b.failed:
                row.append("not run")
                continue
            false, missed = b.verdicts[tool.name, name]
            row.append("right" if false + missed == 0 else
                       f"{number(false)} false, {number(missed)} missed")
        rows.append(row)
    row = [f"pinwatch, whole job: of {number(b.n_findings)} findings"]
    for name, _ in records.DISORDERS:
        if (TOOLS[0].name, name) not in b.verdicts:
            row.append("not run")
            continue
        said, shown = b.verdicts[TOOLS[0].name, name]
        row.append("all the same" if said + shown == 0 else
                   f"{said} differ" + (f", {shown} in evidence alone" if shown else ""))
    return table(["tool"] + [name for name, _ in records.DISORDERS], rows + [row])


def standing(b):
    """Where pinwatch's whole job stands, by the measured medians."""
    mine = b.median(TOOLS[0], "cpu")
    ahead = [t.name for t in TOOLS if not t.name.startswith("pinwatch") and
             t.name not in b.failed and b.median(t, "cpu") < mine]
    behind = [t.name for t in TOOLS if not t.name.startswith("pinwatch") and
              t.name not in b.failed and b.median(t, "cpu") >= mine]
    text = ("A core, pinwatch's whole job is faster than "
            f"{', '.join(behind) or 'none'} with the rule alone")
    if ahead:
        ratio = mine / min(b.median(t, "cpu") for t in TOOLS if t.name in ahead)
        text += (f", and slower than {', '.join(ahead)} (up to {ratio:.1f} times). "
                 "The aim was to be ahead of every one: missed.")
    else:
        text += ". The aim was to be ahead of every one: met."
    late = b.median(TOOLS[1], "cpu") / mine
    return text + f"\nArrival out of order by 300 s makes it {late:.1f} times as slow."


def cannot():
    return "".join(f"- **{t.name}**: {t.cannot}\n" for t in TOOLS if t.file == "ordered")


def page(b, machine, seconds):
    typical, worst = b.spread()
    return "\n".join([
        "# Against what people would use instead",
        "",
        f"`make peers`: one core of {machine}, {number(b.records)} records, {b.rounds} rounds in "
        f"{seconds / 60:.0f} minutes. `make peers PEERS_ARGS=--write` makes this page.",
        "",
        "## Speed and memory",
        "",
        speed(b),
        standing(b),
        "",
        "## Right or wrong, by how records arrive",
        "",
        correct(b),
        NOTES.format(threshold=oracle.THRESHOLD, window=oracle.WINDOW / 60,
                     records=number(b.records), size=b.size / 1e6, share=b.refusals / b.records,
                     devices=number(b.devices), borderline=number(records.BORDERLINE),
                     gap=records.GAP, rounds=b.rounds, spread=typical, worst=worst,
                     load=os.getloadavg()[0], groups=number(b.n_groups),
                     sec_file=number(b.sec_file) if b.sec_file else "not run"),
        "## What each cannot do",
        "",
        cannot(),
        "Like pinwatch's rule alone, none of them tells a pin from an expired certificate, a phone without "
        "the root, a broken gateway or a",
        "client certificate; docs/accuracy.md measures what that costs.",
        "",
    ])
