#!/usr/bin/env python3
"""Writes the format files as one C file: embed.py OUTPUT FILE..."""
import os
import re
import sys


def like(text):
    m = re.search(rb"^like:\s*(\w+)", text, re.M)
    return m.group(1).decode() if m else None


def name(text):
    m = re.search(rb"^format:\s*(\w+)", text, re.M)
    return m.group(1).decode() if m else None


def ordered(files):
    """Each format behind the one it is like."""
    texts = {}
    for path in sorted(files):
        with open(path, "rb") as f:
            texts[path] = f.read()
    done, out = set(), []
    while len(out) < len(texts):
        ready = [p for p in texts if p not in [o[0] for o in out]
                 and (like(texts[p]) is None or like(texts[p]) in done)]
        if not ready:
            sys.exit("formats: `like:` names a format that is not there, or goes in a circle")
        for path in ready:
            out.append((path, texts[path]))
            done.add(name(texts[path]))
    return out


def main():
    if len(sys.argv) < 3 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    output, files = sys.argv[1], sys.argv[2:]
    parts = ['#include "formats/builtin.h"\n']
    rows = []
    for i, (path, text) in enumerate(ordered(files)):
        body = ",".join(str(b - 256 if b > 127 else b) for b in text + b"\0")  # char is signed
        lines = re.findall(r".{1,96}(?:,|$)", body)
        parts.append("static const char text_%d[] = {\n%s\n};\n" % (i, "\n".join(lines)))
        rows.append('\t{ "formats/%s", text_%d, %d },\n' % (os.path.basename(path), i, len(text)))
    parts.append("const struct builtin_format builtin_formats[] = {\n%s};\n" % "".join(rows))
    parts.append("const size_t builtin_formats_count = %d;\n" % len(rows))
    with open(output, "w") as f:
        f.write("\n".join(parts))


main()
