"""The shape of the source, as docs/architecture.md draws it.

Fails if an include points back up the data flow, if a banned function or a product's name stands in C, if
a source file grows past 600 lines, if a mark of unfinished work is left, or if clang-format would lay anything out in another way.
"""
import pathlib
import re
import subprocess
import sys

# What a folder may include beside itself. An arrow only ever points to the left of the data flow.
GROUND = ["base", "model"]
FLOW = ["read", "parse", "identify", "correlate", "judge"]
ALLOWED = {"base": [], "model": ["base"], "conf": GROUND}
for i, stage in enumerate(FLOW):
    ALLOWED[stage] = GROUND + FLOW[:i]
ALLOWED["wire"] = GROUND + ["read"]  # beside parse: frames to observations
FLOW.append("wire")
ALLOWED["scan"] = GROUND + FLOW + ["conf"]
ALLOWED["emit"] = GROUND + ["read"]
ALLOWED["store"] = GROUND
ALLOWED["backtest"] = GROUND + FLOW + ["conf", "scan", "store"]
ALLOWED["http"] = GROUND + ["parse"]
ALLOWED["govern"] = GROUND + FLOW + ["conf", "scan", "store"]
ALLOWED["serve"] = GROUND + FLOW + ["conf", "scan", "store", "emit", "http", "govern"]
ALLOWED["api"] = ALLOWED["serve"] + ["backtest", "serve"]
ALLOWED["parse"].append("formats")  # the built-in ones, as data
ALLOWED["sim"] = GROUND + ["parse"]
ALLOWED["cli"] = GROUND + FLOW + ["conf", "scan", "emit", "sim", "store", "backtest", "http", "govern", "serve", "api"]

BANNED = r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atof|rand|srand|alloca|system|popen)\s*\("
PRODUCTS = r"\b(squid|zeek|mitmproxy|nanomdm|micromdm|kea|freeradius|suricata|zscaler|fortigate|netskope|jamf|intune)\b"
UNFINISHED = r"\b(TODO|FIXME|XXX|HACK)\b"
MAX_LINES = 600


def without_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)


def problems(root):
    files = [p for d in ("src", "sim") for p in sorted((root / d).rglob("*")) if p.suffix in (".c", ".h", ".cc")]
    for path in files:
        name = path.relative_to(root)
        folder = name.parts[1] if name.parts[0] == "src" else "sim"
        text = path.read_text(encoding="utf-8")
        code = without_comments(text)
        for number, line in enumerate(code.splitlines(), 1):
            include = re.match(r'#include "(\w+)/', line)
            if include and include.group(1) != folder and include.group(1) not in ALLOWED[folder]:
                yield f"{name}:{number}: {folder} must not include {include.group(1)}"
            if re.search(BANNED, line):
                yield f"{name}:{number}: banned function: {line.strip()}"
            # The simulator writes products' logs, and so has to know them.
            if folder != "sim" and re.search(PRODUCTS, line, re.I) and folder not in ("cli",):
                yield f"{name}:{number}: a product's name belongs into formats/: {line.strip()}"
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(UNFINISHED, line):
                yield f"{name}:{number}: unfinished: {line.strip()}"
        if text.count("\n") > MAX_LINES:
            yield f"{name}: {text.count(chr(10))} lines, more than {MAX_LINES}: look for the second thing in it"


def unformatted(root):
    files = [str(p) for d in ("src", "sim", "formats", "tests", "bench") for p in sorted((root / d).rglob("*"))
             if p.suffix in (".c", ".h", ".cc", ".hh")]
    done = subprocess.run(["clang-format-14", "--dry-run", *files], stderr=subprocess.PIPE, text=True, check=True)
    names = re.findall(r"^(\S+?):\d+:\d+: warning: code should be clang-formatted", done.stderr, re.M)
    for name in dict.fromkeys(names):
        yield f"{pathlib.Path(name).relative_to(root)}: not laid out as .clang-format says: clang-format-14 -i does it"


def main():
    root = pathlib.Path(sys.argv[1])
    found = [*problems(root), *unformatted(root)]
    for problem in found:
        print(problem)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
