"""The pages of docs/formats/, made from the format files: format_pages.py FORMATS PAGES

One page a format (how the product is made to write it, what is lost without a field, what becomes of each field) and a
list of them by log source. What a format leaves out it has from the one it is `like`.
"""
import pathlib
import sys

import yaml

SENSORS = {
    "inspection": ("NSM:Inspection", "the TLS-inspecting gateway"),
    "flow": ("NSM:Flow", "a network sensor"),
    "edr": ("MobileEDR:telemetry", "the agent on the phone"),
    "mdm": ("iOS:MDMLog", "device management"),
    "lease": ("identity", "who had an address when"),
}
FRAMINGS = {"line": "one record a line", "paragraph": "one record a paragraph", "document": "one record a file"}
DECODERS = {
    "json": "JSON", "tsv_header": "TSV with a `#fields` header", "delimited": "columns", "keyvalue": "name=value pairs",
    "text": "patterns", "cef": "CEF or LEEF", "plist": "property list",
}
LOADED = yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader


class Words(LOADED):
    """Scalars as they are written: `no`, `1` and dates are texts in a format file."""


Words.yaml_implicit_resolvers = {}


def load(folder):
    formats = {}
    for path in sorted(folder.glob("*.yaml")):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        document = yaml.load(text, Words)
        lead = [line[1:].removeprefix(" ") for line in text.split("\nformat:")[0].splitlines() if line.startswith("#")]
        document["about"] = "\n".join(lead)
        formats[document["format"]] = document
    return formats


def part(formats, document, key):
    """The document's own, or what it is like has."""
    while key not in document and "like" in document:
        document = formats[document["like"]]
    return document.get(key)


def code(text):
    """A text as code in a table's cell."""
    text = str(text).replace("\n", "\\n").replace("\t", "\\t").replace("|", "\\|")
    return f"``{text} ``" if "`" in text else f"`{text}`"


def listed(value):
    return value if isinstance(value, list) else [value]


def condition(when):
    """A mapping of conditions as one line of words."""
    said = []
    for field, test in (when or {}).items():
        if field in ("any", "none"):
            word = " or " if field == "any" else " nor "
            inner = word.join(f"({condition(c)})" for c in test)
            said.append(inner if field == "any" else f"neither {inner}")
        elif isinstance(test, dict):
            said.append(" and ".join(f"{code(field)} {tested(kind, value)}" for kind, value in test.items()))
        else:
            said.append(f"{code(field)} = {' or '.join(code(v) for v in listed(test))}")
    return ", ".join(said)


def tested(kind, value):
    if kind == "present":
        return "is there" if value == "true" else "is missing"
    if kind == "tls_port":
        return "is a TLS port"
    verb = {"is": "=", "not": "≠", "has": "has", "lacks": "lacks", "starts": "starts with", "ends": "ends with",
            "word": "has the word"}.get(kind, kind.replace("_", " "))
    return f"{verb} {' or '.join(code(v) for v in listed(value))}"


def chain(via):
    steps = []
    for step in listed(via):
        if isinstance(step, dict):
            (name, argument), = step.items()
            steps.append(f"{name} {code(argument)}")
        else:
            steps.append(str(step))
    return " → ".join(steps)


def assignment(value):
    """What a target is made of, as one line."""
    if isinstance(value, str):
        return code(value)
    if isinstance(value, list):
        return "; else ".join(assignment(v) for v in value)
    for lists, word in (("each", " or "), ("every", " and ")):
        if lists in value:
            inner = ", ".join(f"{k} ← {assignment(v)}" for k, v in value.items() if k != lists)
            return f"each of {word.join(code(v) for v in listed(value[lists]))}: {inner}"
    if "is" in value:
        said = f"**{value['is']}**"
    elif "from" in value:
        said = " or ".join(code(v) for v in listed(value["from"]))
    else:
        said = ""
    if "via" in value:
        said += (" via " if said else "") + chain(value["via"])
    if "words" in value:
        said += ": " + ", ".join(f"{code(k)} = {v}" for k, v in value["words"].items())
    if "else" in value:
        said += f", anything else = {value['else']}"
    if "when" in value:
        said += f" when {condition(value['when'])}"
    return said


def table(mapping):
    lines = ["| observation | from |", "|---|---|"]
    lines += [f"| {code(target)} | {assignment(value)} |" for target, value in mapping.items()]
    return lines


def constants(mapping):
    return ", ".join(f"{k} = {v}" for k, v in mapping.items())


def rule(number, r):
    when = condition(r.get("when"))
    head = f"{number}. " + (f"When {when}: " if when else "Otherwise: " if number > 1 else "Every record: ")
    if "irrelevant" in r:
        yield f"{head}no observation ({r['irrelevant']})."
        return
    if "rejected" in r:
        yield f"{head}rejected ({r['rejected']})."
        return
    parts = [r["kind"].replace("_", " ")]
    if "set" in r:
        parts.append(constants(r["set"]))
    if r.get("time_is") == "end":
        parts.append("its time is the end")
    if "require" in r:
        parts.append("rejected without " + ", ".join(code(x) for x in listed(r["require"])))
    if "each" in r:
        parts.append(f"one an item of {code(r['each'])}")
    yield f"{head}{'; '.join(parts)}."
    for c in r.get("cases", []):
        said = []
        if "set" in c:
            said.append(constants(c["set"]))
        said += [f"{k} ← {assignment(v)}" for k, v in c.get("map", {}).items()]
        when = condition(c.get("when"))
        yield f"   - {'when ' + when if when else 'else'}: {'; '.join(said)}"


def recognised(formats, document):
    detect, said = part(formats, document, "detect"), []
    if "starts" in detect:
        said.append("it starts with " + " or ".join(code(x) for x in listed(detect["starts"])))
    if "contains" in detect:
        said.append("it holds " + " and ".join(code(x) for x in listed(detect["contains"])))
    if "require" in detect:
        said.append("its first record has " + ", ".join(code(x) for x in listed(detect["require"])))
    if "when" in detect:
        said.append(condition(detect["when"]))
    return "; ".join(said)


def decoded(formats, document):
    decode = part(formats, document, "decode")
    name, options = (decode, {}) if isinstance(decode, str) else next(iter(decode.items()))
    framing = part(formats, document, "framing") or "line"
    said = f"{DECODERS.get(name, name)}, {FRAMINGS[framing]}"
    if part(formats, document, "syslog") == "true":
        said += ", behind a syslog header or not"
    return said, listed((options or {}).get("patterns", []))


def conversation(talk):
    by = f"by {code(talk['key'])}" if "key" in talk else f"within {talk['within']} lines"
    yield f"Lines of one connection are put together {by} before the rules see them:"
    yield ""
    for line in talk["lines"]:
        does = [f"keeps {code(v)} as {code(k)}" for k, v in line.get("keep", {}).items()]
        does += [word for word in ("opens", "begins", "decides", "lingers", "closes") if line.get(word) == "true"]
        yield f"- {condition(line['when'])}: {', '.join(does)}"


def page(formats, document):
    name, sensor = document["format"], part(formats, document, "sensor")
    source, role = SENSORS[sensor]
    shape, patterns = decoded(formats, document)
    out = [f"# {document['title']}", "",
           f"<!-- made by tools/docs.sh from formats/{name}.yaml: change it there -->", "",
           f"Format `{name}` feeds **{source}** ({role}). {shape[0].upper()}{shape[1:]}."]
    if "like" in document:
        out[-1] += f" Like [{document['like']}]({document['like']}.md) but for what stands here."
    if document["about"]:
        out += ["", document["about"]]
    out += ["", "## Making the product write it", "", part(formats, document, "setup").strip()]
    if document.get("refuse"):
        out += ["", "A log in this format is refused with advice, since nothing in it can be judged."]
        return "\n".join(out) + "\n"
    out += ["", "## What is needed", "", "| field | what is lost without it |", "|---|---|"]
    out += [f"| {code(field)} | {text} |" for field, text in part(formats, document, "needs").items()]
    out += ["", "## How it is told", "", f"The input's beginning decides: {recognised(formats, document)}."]
    if patterns:
        out += ["", "A line is one of", "", *[f"    {p}" for p in patterns]]
    shared = part(formats, document, "map")
    if shared:
        out += ["", "## Fields of every record", "", *table(shared)]
    talk = part(formats, document, "conversation")
    if talk:
        out += ["", "## Conversations", "", *conversation(talk)]
    out += ["", "## Rules", "", "The first that fits is applied.", ""]
    rules = part(formats, document, "records")
    for number, r in enumerate(rules, 1):
        out += list(rule(number, r))
    for number, r in enumerate(rules, 1):
        if r.get("map"):
            out += ["", f"Fields of rule {number} ({r['kind'].replace('_', ' ')}):", "", *table(r["map"])]
    if part(formats, document, "see"):
        out += ["", "## See", "", *[f"- <{link}>" for link in listed(part(formats, document, "see"))]]
    return "\n".join(out) + "\n"


def contents(formats):
    out = ["# Log formats", "", "<!-- made by tools/docs.sh: change formats/*.yaml -->", "",
           "What each product has to be told, field by field. How a format file works says [formats.md](../formats.md); how to add "
           "one, [CONTRIBUTING.md](../../CONTRIBUTING.md)."]
    for sensor, (source, role) in SENSORS.items():
        of = [d for d in formats.values() if part(formats, d, "sensor") == sensor]
        if not of:
            continue
        out += ["", f"## {source}: {role}", ""]
        out += [f"- [{d['format']}]({d['format']}.md): {d['title']}" for d in of]
    return "\n".join(out) + "\n"


def main(folder, pages):
    formats = load(folder)
    for document in formats.values():
        for key in ("setup", "needs") if not document.get("refuse") else ("setup",):
            if part(formats, document, key) is None:
                sys.exit(f"formats/{document['format']}.yaml: `{key}:` is missing; docs/formats.md says what it is for")
    pages.mkdir(parents=True, exist_ok=True)
    wanted = {f"{d['format']}.md": page(formats, d) for d in formats.values()}
    wanted["README.md"] = contents(formats)
    for old in pages.glob("*.md"):
        if old.name not in wanted:
            old.unlink()
    for name, text in wanted.items():
        (pages / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
