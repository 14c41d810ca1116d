"""Does every message say where, what was expected, or what to do? errors.py PINWATCH ROOT

Two halves. The source: every call that makes a message is found (templates.py), and its template is held to the rules below;
what is excepted stands in EXCEPTED with the reason. The program: the mistakes of mistakes.py are made on the command
line, in configuration, lists, formats and logs, and what it prints is held to the same rules and shown as a table.

If it fails, somebody reads a message that leaves them to guess.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import mistakes
import templates

# A message without any word of its own passes on another one, which is looked at where it is made.
WORDS = re.compile(r"[a-z]{3}")
FORMATTING = re.compile(r"%[-.*\d]*(?:ll|l|z)?\w")

# Where: a file or option by name, a line, a byte, a field, an item; or the function that is called says it.
WHERE = re.compile(r"^%(?:\.\d+|\.\*)?s(?::|/| is )|--%s|--[a-z]|at byte %|line %|field `|item %|source[ `]|in %|`%|`\w+[:`]|in `")
# What: what was expected or allowed, what is missing, or what to do.
WHAT = re.compile(
    r"expected|needs?\b|takes\b|did you mean|at most|more than|larger than|nested deeper|longer than|\d to (?:%|\d)|from .* to|missing"
    r"|for example|such as|instead|only\b|allowed|not supported|not valid (?:YAML|JSON)|ha[sv]e? to|holds? |belongs? to"
    r"|`pinwatch|docs/|lists them|shows all|leave|write\b|raise\b|convert|unpack|fetch|quote|name |give |make room|join|move|take"
    r"|there is|look at|narrow|Give|as scan prints|see pinwatch|shows them|set `|another name|scan in parts|out of memory|/usr/share/zoneinfo")
# The operating system's own reason, behind what could not be done to which file.
REASON = re.compile(r"cannot be .*: %s$|failed.*: %s$|cannot be read to its end$|is missing: no file matches")

# Messages about one record or one file get its place from who reads it: `FILE:LINE: ` from parse and scan, `FILE: ` from analytic
# and score. The mistakes of mistakes.py show that they do.
PLACED = re.compile(r"src/parse/(?:decode_\w+|plan_run|json|plist\w*|parser|stix\w*)\.cc?$|src/cli/(?:score|parse)\.c$|sim/score\.c$|src/conf/conf_list\.c$"
                    r"|src/conf/timezone\.c$")

EXCEPTED = {
    "body: expected %s data, which its Content-Encoding says it is": "where is the request that is answered",
    "line 1: expected a JSON object, or an array of objects": "where is the body of the request that is answered",
    "serve.listen: %s port %u: cannot be listened on%s: look at whether another program is there": "where is the option",
    "byte 0: expected an object {…}": "which body stands before it",
    "byte 0: the JSON document has %zu bytes, more than the %u allowed": "which body stands before it",
    "tls: the connection cannot begin: out of memory": "where is the listener, counted there",
    "the backtest took longer than the %lld s that it may: narrow the past by since and until, or try fewer settings":
        "where is the backtest that is asked for",
    "backtest %llu is running: wait for its end or cancel it, there is one at a time": "where is the request that is answered",
    "no thread can be made: %s; try again later": "where is the request that is answered",
    "interrupted: these are the settings judged so far": "says all there is to say; the person did it",
    "interrupted before anything was judged": "says all there is to say; the person did it",
    "interrupted: these are the findings of what was read so far": "says all there is to say; the person did it",
    "interrupted: this is judged by what was read so far": "says all there is to say; the person did it",
    "interrupted: this is what was read so far": "says all there is to say; the person did it",
    "the output cannot be written: %s; make room, or send it elsewhere": "where is standard output",
    "not all results could be written to standard output%s%s; make room, or send them elsewhere": "where is standard output",
    "%s:%u: rejected: %s": "what was expected is the reason, made by the parser",
    "F1 %.3f is below the %.3f of --min-f1": "a result, asked for by --min-f1",
    "no time zone `%.*s` in ": "first part of a message that goes on with what to write",
    "--set: unknown option `%.*s`%s%.*s%s": "ends with what was meant, or where the options stand",
    "no decoder is called `%.*s`; %s%s": "ends with what was meant, or where the decoders stand",
    "binary property list: damaged at byte %zu: %s": "what is damaged stands behind it",
    "line %lu: %s%s%.40s%s": "what was expected stands behind it",
    "the JSON document is %s": "which bound it is beyond stands behind it",
    "%s%s%s: cannot be %s: %s": "begins with the folder and the file",
    "no memory for an XML parser": "nothing to be done about the file",
    "%.200s: out of memory": "nothing to be done about the file",
    "a finding grew past %zu MB of output: narrow what is scanned": "where is the whole scan",
    "the table of %zu rows cannot be laid out: take --output jsonl or csv instead": "where is standard output",
}


def lacking(message, where=True):
    said = FORMATTING.sub("", message.template)
    if not WORDS.search(said) or message.template in EXCEPTED:
        return []
    whole, lacks = message.where + message.template, []
    placed = message.where or message.code == "ERROR_USAGE" or message.emitter == "report_note" or PLACED.search(message.path)
    if where and not placed and not WHERE.search(whole):
        lacks.append("where")
    if message.emitter not in ("bad",) and not WHAT.search(whole) and not REASON.search(whole):
        lacks.append("what was expected, or what to do")
    return lacks


def read_source(root):
    messages = list(templates.of_source(root))
    bad = 0
    for m in messages:
        lacks = lacking(m)
        if lacks:
            bad += 1
            print(f"{m.path}:{m.line}: does not say {' nor '.join(lacks)}: {m.template!r}")
    known = {m.template for m in messages}
    for template in EXCEPTED:
        if template not in known:
            bad += 1
            print(f"errors.py: excepts a message that no longer exists: {template!r}")
    print(f"{len(messages)} messages in the source, {bad} of them wanting")
    return messages, bad


# A place as a person can go to: FILE, FILE:LINE[:COLUMN], an option, a field, a byte, an item. For the command line it is the command itself,
# which stands before every message.
PLACE = re.compile(r"[\w./-]+:\d+(?::\d+)?:|--[a-z-]+|[\w-]+\.(?:log|yaml|json|jsonl|gz|xz|zst|plist|csv|dat)\b|byte \d|line \d|field `|item \d|missing-file")
REMEDY = re.compile(WHAT.pattern.replace(r"(?:%|\d)", r"\d") + r"|No such file|Is a directory|damaged|ends too early|is empty|begins with|Permission denied|Not a directory|File exists")


def provoke(program, messages):
    own = [m for m in messages if len(FORMATTING.sub("", m.template)) > 8]
    bad, met = 0, set()
    print(f"\n{'mistake':<44} {'exit':>4}  message")
    for mistake in mistakes.MISTAKES:
        with tempfile.TemporaryDirectory() as folder:
            for name, content in mistake.files.items():
                data = content if isinstance(content, bytes) else content.encode()
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            ran = subprocess.run([program, *mistake.arguments], cwd=folder, input=mistake.stdin, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, timeout=60, check=False, env=dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8"))
        said = ran.stderr.decode("utf-8", "replace")
        lines = [line for line in said.splitlines() if re.match(r"pinwatch[ \w-]*: ", line)]
        line = next((x for x in lines if re.search(mistake.holds, x)), lines[0] if lines else said.strip())
        met.update(m.template for m in own if any(m.made(x) for x in lines))
        problems = []
        if ran.returncode not in mistake.exits:
            problems.append(f"exit {ran.returncode}, expected {mistake.exits}")
        if not re.search(mistake.holds, said):
            problems.append(f"does not hold `{mistake.holds}`")
        if not mistake.on_command_line and not PLACE.search(line):
            problems.append("does not say where")
        if not REMEDY.search(said):
            problems.append("does not say what was expected, or what to do")
        print(f"{mistake.name:<44} {ran.returncode:>4}  {line[:170]}")
        for problem in problems:
            print(f"    WRONG: {problem}")
        bad += bool(problems)
    print(f"\n{len(mistakes.MISTAKES)} mistakes made, {bad} answered badly; {len(met)} of {len({m.template for m in own})} messages met")
    return bad


def main():
    program, root = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
    messages, bad = read_source(root)
    bad += provoke(program, messages)
    if len(mistakes.MISTAKES) < 60:
        print("fewer than 60 mistakes are made")
        bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
