"""Do the manual pages and completions render, and say everything? manual.py PINWATCH

If it fails, `man pinwatch` shows warnings or misses an option that the program takes, or a shell refuses its completion.
"""
import re
import subprocess
import sys
import tempfile


def run(*command, stdin=None):
    return subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)


def rendered(name, page):
    """The page as plain text, and what is wrong with its roff."""
    done = run("groff", "-man", "-ww", "-Tutf8", "-Kutf8", "-P-c", "-rLL=200n", stdin=page)
    text = re.sub(".\b", "", done.stdout)
    return text, [f"{name}: {line}" for line in done.stderr.splitlines()]


def commands(program):
    listed = run(program, "--help").stdout.split("Commands:\n")[1].split("\n\n")[0]
    return [line.split()[0] for line in listed.splitlines()]


def check(program):
    page, problems = rendered("pinwatch.1", run(program, "--man").stdout)
    for command in commands(program):
        said = run(program, command, "--help").stdout
        start = page.find(f"{command} - ")
        if start < 0:
            problems.append(f"pinwatch.1: no section for {command}")
        for name in re.findall(r"^ +(?:-\w, )? *(--[\w-]+)", said, re.M):
            if name != "--help" and name not in page[start:]:
                problems.append(f"pinwatch.1: {command} {name} is missing")
    page, more = rendered("pinwatch.yaml.5", run(program, "check-config", "--man").stdout)
    problems += more
    for option in re.findall(r"^\S+$", run(program, "check-config", "--reference").stdout, re.M):
        if option not in page:
            problems.append(f"pinwatch.yaml.5: {option} is missing")
    script = run(program, "completion", "bash").stdout
    with tempfile.NamedTemporaryFile("w", suffix=".bash") as f:
        f.write(script)
        f.flush()
        done = run("bash", "-c", f"set -eu; . {f.name}; COMP_WORDS=(pinwatch scan --out); COMP_CWORD=2; _pinwatch; "
                   'echo "${COMPREPLY[@]}"; COMP_WORDS=(pinwatch scan --output js); COMP_CWORD=3; _pinwatch; echo "${COMPREPLY[@]}"')
    if done.stdout != "--output\njson jsonl\n" or done.stderr:
        problems.append(f"bash completion: {done.stdout}{done.stderr}")
    return problems


def main():
    problems = check(sys.argv[1])
    print("\n".join(problems) or "manual pages and completion are whole")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
