"""The messages in the source: every call of a function that makes one, with its template, place and kind.

A small reader of C: comments are blanked, a call's arguments are split at top level, and the string literals of the template
argument are put together. A conditional template gives each of its alternatives.
"""
import re

# Which argument is the template, and where the function says that it happened.
EMITTERS = {
    "error_set": (3, ""),
    "report_note": (1, ""),
    "yfile_error": (2, "FILE:LINE:COLUMN: "),
    "node_error": (2, "FILE:LINE:COLUMN: "),
    "node_key_error": (3, "FILE:LINE:COLUMN: "),
    "mark_error": (2, "FILE:LINE:COLUMN: "),
    "derive_bad": (1, "field `NAME` (TARGET): expected "),
    "set_aside": (None, "FILE:LINE: "),
    "reject": (None, "FILE:LINE: rejected: "),
}
# Files whose own small functions say where: `bad` and `fail` of the property lists.
LOCAL = {
    ("plist_binary.c", "bad"): (1, "binary property list: … at byte N: "),
    ("plist_xml.c", "fail"): (2, "line N: "),
    ("args.c", "usage"): (2, "--OPTION (`pinwatch COMMAND --help` lists what there is): "),
}


class Message:
    def __init__(self, path, line, emitter, where, code, template):
        self.path, self.line, self.emitter, self.where = path, line, emitter, where
        self.code, self.template = code, template

    def made(self, said):
        """Whether a line may have been made from the template: its literal parts follow one another."""
        at = 0
        for part in re.split(r"%-?[.\d*]*(?:ll|l|z)?[a-z]", self.template.replace("%%", "%")):
            at = said.find(part, at)
            if at < 0:
                return False
            at += len(part)
        return True


def blank_comments(text):
    """Comments as spaces, so that places stay; string literals stay as they are."""
    keep = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|/\*.*?\*/|//[^\n]*', re.S)
    return keep.sub(lambda m: m.group() if m.group()[0] in "\"'" else re.sub(r"[^\n]", " ", m.group()), text)


def arguments(text, at):
    """The arguments behind an opening parenthesis, split at top level."""
    out, depth, start, i = [], 1, at, at
    while depth and i < len(text):
        c = text[i]
        if c in "\"'":
            i = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'').match(text, i).end()
            continue
        if c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        if depth == 0 or (c == "," and depth == 1):
            out.append(text[start:i])
            start = i + 1
        i += 1
    return out


def literals(argument):
    """The texts an argument may stand for: adjacent literals are one."""
    texts = re.findall(r'"(?:\\.|[^"\\])*"(?:\s*(?:PRI\w+\s*)?"(?:\\.|[^"\\])*")*', argument)
    joined = ["".join(re.findall(r'"((?:\\.|[^"\\])*)"', t)) for t in texts]
    return [t.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\") for t in joined]


def of_file(path, name):
    text = blank_comments(path.read_text(encoding="utf-8"))
    local = {emitter: how for (file, emitter), how in LOCAL.items() if file == path.name}
    for call in re.finditer(r"\b(%s)\s*\(" % "|".join([*EMITTERS, *local]), text):
        index, where = {**EMITTERS, **local}[call[1]]
        args = arguments(text, call.end())
        if index is None:
            texts = [t for a in args for t in literals(a)]
        else:
            texts = literals(args[index]) if index < len(args) else []
        for template in texts:
            line = text.count("\n", 0, call.start()) + 1
            code = args[1].strip() if call[1] == "error_set" else ""
            yield Message(name, line, call[1], where, code, template)


def of_source(root):
    for folder in ("src", "sim"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".c", ".cc", ".h"):
                yield from of_file(path, str(path.relative_to(root)))
