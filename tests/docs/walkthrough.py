"""Does a page tell the truth? walkthrough.py PINWATCH PAGE...

Writes the files that a page shows (`<!-- file: NAME -->` before a fenced block) into an empty folder, runs the commands of its
```console blocks there (`$ COMMAND`, `build/pinwatch` being the program) and compares what they print, standard
error included, with the lines below them. `…` alone on a line stands for any number of lines. If it fails, somebody who
follows the page does not see what it promises.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

FENCE = re.compile(r"(?:<!-- file: (?P<file>[\w./-]+) -->\n)?```(?P<kind>\w*)\n(?P<body>.*?)^```$", re.M | re.S)


def steps(text):
    """(`file`, name, text) and (`run`, command, expected output), in order."""
    for block in FENCE.finditer(text):
        if block["file"]:
            yield "file", block["file"], block["body"]
        elif block["kind"] == "console":
            for command in re.split(r"^\$ ", block["body"], flags=re.M)[1:]:
                line, _, expected = command.partition("\n")
                yield "run", line, expected


def fits(expected, said):
    pattern = "".join(r"(?:.*\n)*?" if line == "…\n" else re.escape(line)
                      for line in expected.splitlines(keepends=True))
    return re.fullmatch(pattern, said) is not None


def follow(program, page):
    text, failed, commands = page.read_text(encoding="utf-8"), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "build"))
        os.symlink(program, os.path.join(folder, "build", "pinwatch"))
        for what, name, content in steps(text):
            if what == "file":
                pathlib.Path(folder, name).write_text(content, encoding="utf-8")
                continue
            commands += 1
            ran = subprocess.run(["bash", "-c", name], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 text=True, timeout=60, check=False, env=dict(os.environ, TZ="UTC", LC_ALL="C.UTF-8"))
            if not fits(content, ran.stdout):
                failed += 1
                print(f"{page.name}: $ {name}\n--- the page says\n{content}--- it prints\n{ran.stdout}")
    if commands == 0:
        print(f"{page.name}: shows no command")
    print(f"{page.name}: {commands} commands, {failed} not as written")
    return failed > 0 or commands == 0


def main():
    program = os.path.abspath(sys.argv[1])
    return 1 if any([follow(program, pathlib.Path(page)) for page in sys.argv[2:]]) else 0


if __name__ == "__main__":
    sys.exit(main())
