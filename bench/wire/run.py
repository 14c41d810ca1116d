#!/usr/bin/python3
"""make bench-wire: pinwatch's wire sensor beside tshark and ndpiReader on one capture: run.py PINWATCH [--write] [--connections N]

Each program does what it does for TLS: pinwatch all of its job (observations, and a whole scan), tshark the ClientHello's
name and JA3 of every connection, ndpiReader its flows. One thread each, the file in the page cache, median of three, processor
time (user and system). --write puts the table into docs/wire.md. What is not installed is named in the table.
"""
import argparse
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "docs" / "wire.md"
RUNS = 3


def measure(argv):
    """Processor seconds and peak MB of a run."""
    p = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode not in (0, 1, 4):
        raise SystemExit("%s: exit code %d" % (argv[0], p.returncode))
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def version(program):
    if program == "ndpiReader":
        text = subprocess.run(["dpkg-query", "-W", "-f", "nDPI ${Version}", "libndpi-bin"], capture_output=True,
                              text=True, check=False).stdout
    else:
        text = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    return text.splitlines()[0] if text else program


def rows(pinwatch, capture):
    tools = [
        ("pinwatch parse", pinwatch, [pinwatch, "parse", "--stats", capture]),
        ("pinwatch scan", pinwatch, [pinwatch, "scan", "--all", "--threads", "1", capture]),
        ("tshark, name and JA3", "tshark", ["tshark", "-n", "-r", capture, "-Y", "tls.handshake.type == 1", "-T", "fields", "-e",
                                            "tls.handshake.extensions_server_name", "-e", "tls.handshake.ja3"]),
        ("ndpiReader", "ndpiReader", ["ndpiReader", "-n", "1", "-q", "-i", capture]),
    ]
    for name, program, argv in tools:
        if shutil.which(program) is None:
            yield name, None, None, None
            continue
        measured = [measure(argv) for _ in range(RUNS)]
        yield name, statistics.median(m[0] for m in measured), max(m[1] for m in measured), version(program)


def table(pinwatch, capture, title):
    made = title[1]
    packets, connections = (int(re.search(r"(\d+) " + word, made).group(1)) for word in ("packets", "connections"))
    size = os.path.getsize(capture)
    with open(capture, "rb") as f:  # into the page cache
        while f.read(1 << 24):
            pass
    yield "%s: %s, %.0f MB; one core, median of %d." % (title[0], made, size / 1e6, RUNS)
    yield ""
    yield "| program | CPU s | MB/s | packets/s | connections/s | Gbit/s | peak MB | version |"
    yield "|---|---:|---:|---:|---:|---:|---:|---|"
    for name, seconds, peak, which in rows(pinwatch, capture):
        if seconds is None:
            yield "| %s | not run: not installed | | | | | | |" % name
        else:
            yield "| %s | %.2f | %.0f | %s | %s | %.2f | %.0f | %s |" % (
                name, seconds, size / seconds / 1e6, format(int(packets / seconds), ","),
                format(int(connections / seconds), ","), size * 8 / seconds / 1e9, peak, which)
    yield ""


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("pinwatch")
    ap.add_argument("--write", action="store_true")
    ap.add_argument("--connections", type=int, default=8000)
    args = ap.parse_args()
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        capture = os.path.join(folder, "big.pcap")
        for title, connections, bulk in (("Traffic with data", args.connections, 30),
                                         ("Handshakes alone", args.connections * 4, 0)):
            made = subprocess.run([sys.executable, "-B", str(HERE / "make_capture.py"), capture, str(connections), str(bulk)],
                                  check=True, capture_output=True, text=True).stdout.strip()
            lines += table(args.pinwatch, capture, (title, made))
    text = "\n".join(lines).strip()
    print(text)
    if args.write:
        page = PAGE.read_text(encoding="utf-8")
        page = re.sub(r"(<!-- figures -->\n).*?(<!-- end of figures -->)", lambda m: m.group(1) + text + "\n" + m.group(2),
                      page, flags=re.S)
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
