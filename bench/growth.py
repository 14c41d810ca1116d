"""How time and memory grow: growth.py BUILD [--write] [--most MILLIONS]

Simulated fleets of one to fifty million records, all products' logs; then live cases, each another device, app and destination together,
as many as ten million. Processor time and peak memory of `pinwatch scan --threads 1`, one turn each. --write makes docs/growth.md.
A fleet's logs take a third of a gigabyte a million records; each is removed before the next is made.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time

from bench import machine, number, table, verdict

SIZES = [1, 2, 5, 10, 20, 50]        # million records
CASES = [1_000_000, 10_000_000]
DEVICES, CONNECTIONS = 328, 60_500   # a million records
LINEAR = 1.25                        # time a record of the largest, times that of the smallest
CASE_BYTES, CASES_BYTES = 200, 4 << 30


def measured(*command):
    """Processor seconds, peak bytes and the records that the scan's footer counts."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        footer = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    records = re.search(r"([0-9,]+) records,", footer)
    # 4: one of the simulated sensors falls silent, as it should.
    if process.returncode not in (0, 4) or records is None:
        sys.exit(f"growth: {' '.join(command)} ended with {process.returncode}: {footer}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, int(records.group(1).replace(",", ""))


def fleets(pinwatch, most):
    rows = []
    for millions in [n for n in SIZES if n <= most]:
        with tempfile.TemporaryDirectory(prefix="pinwatch-growth-") as folder:
            fleet = os.path.join(folder, "fleet")
            subprocess.run([pinwatch, "sim", "--quiet", "--out", fleet, "--devices", str(DEVICES * millions), "--connections",
                            str(CONNECTIONS * millions)], check=True)
            config = os.path.join(fleet, "pinwatch.yaml")
            seconds, peak, records = measured(pinwatch, "scan", "--threads", "1", "-c", config)
        rows.append((records, seconds, peak))
        print(f"growth: {records:,} records {seconds:.1f} s {peak >> 20} MiB", file=sys.stderr)
    return rows


def write_cases(path, n):
    """Fine sessions, each of another device, app and destination together: 10,000 devices with 50 apps, and so many
    destinations as that takes. A hundred a second."""
    with open(path, "w", encoding="utf-8") as f:
        for i in range(n):
            s, device = i // 100, i % 10_000
            f.write('{"kind":"tls_attempt","time":"2026-11-%02dT%02d:%02d:%02dZ","sensor":"inspection","device":{"udid":"U%d"},'
                    '"src_endpoint":{"ip":"10.8.%d.%d","port":%d},"dst_endpoint":{"hostname":"h%d.test","port":443},'
                    '"app":{"bundle_id":"com.a%d"},"inspection":"intercepted","outcome":"established"}\n'
                    % (20 + s // 86400, s // 3600 % 24, s // 60 % 60, s % 60, device, device >> 8, device & 255,
                       20_000 + i // 10_000, i // 500_000, i // 10_000 % 50))


def cases(pinwatch, most):
    rows = []
    for n in CASES:
        if n > most * 1_000_000:
            continue
        with tempfile.TemporaryDirectory(prefix="pinwatch-growth-") as folder:
            path = os.path.join(folder, "cases.jsonl")
            write_cases(path, n)
            seconds, peak, _ = measured(pinwatch, "scan", "--threads", "1", path)
        rows.append((n, seconds, peak))
        print(f"growth: {n:,} cases {seconds:.1f} s {peak >> 20} MiB", file=sys.stderr)
    return rows


def report(rows, live, seconds):
    body, before = [], None
    for records, cpu, peak in rows:
        further = "" if before is None else number((peak - before[1]) / (records - before[0]))
        body.append([number(records), f"{cpu:.1f}", number(cpu / records * 1e9), f"{peak / 2**20:,.0f}", further])
        before = records, peak
    first, last = rows[0], rows[-1]
    slower = (last[1] / last[0]) / (first[1] / first[0])
    text = [
        "# Growth",
        "",
        f"`make bench-growth`: one core of {machine()}, one turn each, in {seconds:.0f} s, load {os.getloadavg()[0]:.1f} at its end;"
        " `make bench-growth BENCH_ARGS=--write` writes this page.",
        "",
        "Logs of simulated fleets (Zeek JSON, squid, device agent, MDM, leases) of ever more phones over the same days:",
        "",
        table(["records", "processor s", "ns a record", "peak MiB", "bytes for each further record"], body),
        f"{last[0] / first[0]:.0f} times the records take {slower:.2f} times the time each; the aim, linear, allows {LINEAR}:"
        f" {verdict(LINEAR, slower)}.",
        "Six records make an attempt here. A scan remembers every attempt of its logs; the daemon forgets with `serve.history`.",
        "",
        "Live cases: each another device, app and destination together, with one attempt, and all of them have to be remembered:",
        "",
        table(["cases", "processor s", "peak MiB", "bytes a case", f"{CASE_BYTES} bytes a case",
               "10 million in 4 GiB"],
              [[number(n), f"{cpu:.1f}", f"{peak / 2**20:,.0f}", number(peak / n),
                "" if n < 10_000_000 else verdict(CASE_BYTES, peak / n),
                "" if n < 10_000_000 else verdict(CASES_BYTES, peak)] for n, cpu, peak in live]),
        "At the peak, which is in their judgement.",
        "",
    ]
    return "\n".join(text)


def main():
    parser = argparse.ArgumentParser(description="measures how time and memory grow")
    parser.add_argument("build")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--most", type=float, default=50, help="million records or cases at most")
    given = parser.parse_args()
    pinwatch = os.path.join(given.build, "pinwatch")
    begin = time.monotonic()
    text = report(fleets(pinwatch, given.most), cases(pinwatch, given.most), time.monotonic() - begin)
    print(text)
    if given.write:
        docs = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "docs", "growth.md")
        with open(docs, "w", encoding="utf-8") as f:
            f.write(text)


if __name__ == "__main__":
    main()
