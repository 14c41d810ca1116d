#!/usr/bin/env python3
"""Writes the style sheet as a C string, without comments and line breaks:
html_style.py OUTPUT FILE.css"""
import re
import sys


def main():
    if len(sys.argv) != 3 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    with open(sys.argv[2], encoding="ascii") as f:
        css = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    css = re.sub(r"\s+", " ", css)
    css = re.sub(r" ?([{};,]) ?", r"\1", css).replace(";}", "}").strip()
    css = re.sub(r"([{;][-\w]+): ", r"\1:", css)
    if "<" in css or "\\" in css:
        sys.exit("html_style: the style sheet must not hold < or \\")
    lines = ['\t"%s"\n' % css[i:i + 90].replace('"', '\\"') for i in range(0, len(css), 90)]
    with open(sys.argv[1], "w", encoding="ascii") as f:
        f.write('#include "emit/html_page.h"\n\nconst char html_style[] =\n%s' % "".join(lines).rstrip("\n"))
        f.write(";\n")


main()
