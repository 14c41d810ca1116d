"""The mistakes that people make, and what the answer has to hold."""
import gzip
import json

REJECT = {"kind": "tls_attempt", "time": "2026-11-24T02:01:00Z", "sensor": "inspection",
          "src_endpoint": {"ip": "10.8.0.14", "port": 50000}, "dst_endpoint": {"hostname": "api.bank.test", "port": 443},
          "inspection": "intercepted", "outcome": "client_reject"}
GOOD = json.dumps(REJECT) + "\n"
FORMAT = "format: mine\ntitle: Mine\nsensor: lease\n"
DETECT = "detect: {require: [a]}\n"
RULES = "records: [{kind: lease, map: {time: a, ip: b}}]\n"


class Mistake:
    def __init__(self, name, arguments, holds, files=None, exits=(2,), stdin=b""):
        self.name, self.arguments, self.holds = name, arguments, holds
        self.files, self.exits, self.stdin = files or {}, exits, stdin
        self.on_command_line = exits == (2,) and ":" not in name


MISTAKES = []


def made(name, arguments, holds, **more):
    MISTAKES.append(Mistake(name, arguments.split() if isinstance(arguments, str) else arguments, holds, **more))


def configured(name, text, holds, **files):
    made(f"conf: {name}", "check-config pinwatch.yaml", holds, files={"pinwatch.yaml": text, **files})


def formatted(name, text, holds):
    """A mistake in a format file is told with its line and column."""
    made(f"format: {name}", "formats --check mine.yaml", r"mine\.yaml:\d+:\d+: .*" + holds, files={"mine.yaml": text}, exits=(2,))


def listed(name, text, holds):
    configured(f"list: {name}", "analytic: {AllowedAppList: [apps.yaml]}\n", holds, **{"apps.yaml": text})


def logged(name, line, holds, file="log.jsonl", form="canonical"):
    made(f"log: {name}", f"parse --format {form} {file}", holds, files={file: line}, exits=(0, 3))


# Command line
made("no such command", "scna", "did you mean scan")
made("no such option", "scan --verbos log", "did you mean --verbose")
made("no such letter", "scan -x log", "unknown option -x")
made("option without value", "scan --config", "--config needs a value")
made("flag with value", "scan --all=1 x", "--all takes no value")
made("word that is none", "scan --output tabel x", "takes one of: table")
made("nothing to read", "scan", "nothing to read")
made("kind without path", "scan x.log --flow", "--flow is about the next path", files={"x.log": GOOD})
made("two configurations", "scan -c a.yaml -c b.yaml", "leave one out")
made("set without =", "check-config --set TimeWindow", "expected path=value")
made("set unknown", "check-config --set TimeWindwo=5m", "did you mean `analytic.TimeWindow`")
made("set unknown source", "check-config --set sources.proxy.max_lag=5m", "no such source")
made("set bad duration", "check-config --set TimeWindow=5", "a duration needs a unit")
made("set out of bounds", "check-config --set TimeWindow=100d", "from 1s to 30d")
made("two files to check", "check-config a.yaml b.yaml", "leave out")
made("parse what", "parse", "which file")
made("no such time zone", "parse --timezone Mars/Phobos x", "--timezone Mars/Phobos")
made("no day", "parse --date tomorrow x", "takes a day like 2026-11-24")
made("no such format", "parse --format squidd x", "did you mean squid", files={"x": GOOD})
made("explain what", "explain x.jsonl", "which finding", files={"x.jsonl": GOOD})
made("id too short", "explain x.jsonl --uid abc", "36 characters", files={"x.jsonl": GOOD})
made("too many for --evidence", "explain x.jsonl --app a --host b --evidence none", "takes a number", files={"x.jsonl": GOOD})
made("no shell", "completion", "completion bash")
made("unknown shell", "completion tcsh", "there is bash")
made("sim without folder", "sim", "--out DIR is missing")
made("sim of no devices", "sim --out f --devices 0", "--devices")
made("sim no number", "sim --out f --days many", "--days takes a number")
made("sim no such scenario", "sim --out f --scenario nothing", "--scenario list")
made("sim no time", "sim --out f --start noon", "takes a time like")
made("score without files", "score", "needs TRUTH")
made("score min-f1", "score a b --min-f1 2", "from 0 to 1")
made("backtest of nothing", "backtest x.jsonl", "nothing to try", files={"x.jsonl": GOOD})
made("backtest without a past", "backtest --set TimeWindow=5m", "no past: name")
made("backtest: no element", "backtest --set score_window=5m x.jsonl", "none of the analytic's mutable elements", files={"x.jsonl": GOOD})
made("backtest: element without value", "backtest --sweep TimeWindow x.jsonl", "--sweep: expected ELEMENT=VALUE", files={"x.jsonl": GOOD})
made("backtest: bad duration", "backtest --sweep TimeWindow=5m,7 x.jsonl", "--sweep TimeWindow: .*a duration needs a unit", files={"x.jsonl": GOOD})
made("backtest: bad count", "backtest --set InspectionFailureThreshold=many x.jsonl", "--set InspectionFailureThreshold:", files={"x.jsonl": GOOD})
made("backtest: threshold of none", "backtest --sweep InspectionFailureThreshold=0..3 x.jsonl", "from 1 to", files={"x.jsonl": GOOD})
made("backtest: bad range", "backtest --sweep InspectionFailureThreshold=2..x x.jsonl", "a range such as 2..8", files={"x.jsonl": GOOD})
made("backtest: backwards", "backtest --sweep TimeWindow=30m..5m x.jsonl", "begins with the smaller value", files={"x.jsonl": GOOD})
made("backtest: too many settings", "backtest --sweep TimeWindow=1s..1h x.jsonl", "more than 64 settings", files={"x.jsonl": GOOD})
made("backtest: step of nothing", "backtest --sweep InspectionFailureThreshold=2..8/0 x.jsonl", "a range such as", files={"x.jsonl": GOOD})
made("backtest: set and swept", "backtest --set TimeWindow=5m --sweep TimeWindow=5m..9m x.jsonl", "given twice", files={"x.jsonl": GOOD})
made("backtest: no boolean", "backtest --set ForegroundStateRequired=perhaps x.jsonl", "--set ForegroundStateRequired:", files={"x.jsonl": GOOD})
made("backtest: list not there", "backtest --set AllowedAppList=missing-file.yaml x.jsonl", "missing-file.yaml", files={"x.jsonl": GOOD})
made("backtest: no database", "backtest --db x.jsonl --set TimeWindow=5m", "DIR/pinwatch.db", files={"x.jsonl": GOOD})
made("backtest: database not there", "backtest --db missing-file/pinwatch.db --set TimeWindow=5m", "No such file", exits=(3,))
made("backtest: journal and logs", "backtest --state s --set TimeWindow=5m x.jsonl", "leave one out", files={"x.jsonl": GOOD})
made("backtest: no time", "backtest --since noon --set TimeWindow=5m x.jsonl", "takes a time like", files={"x.jsonl": GOOD})
made("backtest: ends before it begins", "backtest --since 2026-11-25 --until 2026-11-24 --set TimeWindow=5m x.jsonl", "ends after it begins", files={"x.jsonl": GOOD})
made("backtest: nothing in the period", "backtest --until 2020-01-01 --set TimeWindow=5m x.jsonl", "lie outside", files={"x.jsonl": GOOD})
made("backtest: no truth", "backtest --truth t.json --set TimeWindow=5m x.jsonl", "t.json: .*pinwatch.truth/1", files={"x.jsonl": GOOD, "t.json": "{}"}, exits=(3,))
made("backtest: findings to nowhere", "backtest --findings missing-file/y --set TimeWindow=5m x.jsonl", "--findings", files={"x.jsonl": GOOD})

# Files
made("file not there", "scan missing-file.log", "cannot be read", exits=(3,))
made("configuration not there", "scan -c missing-file.yaml", "missing-file.yaml", exits=(2,))
made("list not there", "scan x.jsonl --allow-apps missing-file.yaml", "missing-file.yaml", files={"x.jsonl": GOOD})
made("folder without logs", "scan empty-folder.log", "there is no log in it", files={"empty-folder.log/.hidden": ""}, exits=(3,))
made("empty file", "scan x.log", "there is no log in it", files={"x.log": ""}, exits=(3,))
made("no known format", "scan x.log", "in no known format", files={"x.log": "hello world\n"}, exits=(3,))
made("UTF-16", "scan x.log", "iconv", files={"x.log": GOOD.encode("utf-16")}, exits=(3,))
made("xz", "scan x.xz", "unpack it first", files={"x.xz": b"\xfd7zXZ\x00" + bytes(40)}, exits=(3,))
made("cut gzip", "parse x.gz", "ends too early", files={"x.gz": gzip.compress(GOOD.encode() * 500)[:-60]}, exits=(0, 3, 4))
made("damaged gzip", "parse x.gz", "damaged", files={"x.gz": gzip.compress(GOOD.encode())[:20] + b"\xff" * 60}, exits=(0, 3, 4))
made("log that says nothing", "scan access.log", "logformat pinwatch",
     files={"access.log": "1795485600.120 40 10.8.0.14 TCP_TUNNEL/200 39 CONNECT a.test:443 - HIER_DIRECT/203.0.113.9 -\n"}, exits=(3,))
made("configured source missing", "scan -c pinwatch.yaml", "none of the configured sources",
     files={"pinwatch.yaml": "sources: [{name: proxy, path: missing-file.log}]\n"}, exits=(3,))
made("folder of formats missing", "formats --formats missing-file.d", "expected a folder", exits=(3, 2))
made("dead letter cannot be written", "scan x.jsonl --dead-letter missing-file/y.jsonl", "--dead-letter", files={"x.jsonl": GOOD})
made("bundle: no JSON", "analytic --bundle b.json", "expected a JSON object", files={"b.json": "<html>"}, exits=(3,))
made("bundle: empty", "analytic --bundle b.json", "the file is empty", files={"b.json": ""}, exits=(3,))
made("bundle: cut", "analytic --bundle b.json", "ends too early", files={"b.json": '{"type":"bundle","objects":[{'}, exits=(3,))
made("bundle: broken object", "analytic --bundle b.json", "STIX object 1", files={"b.json": '{"type":"bundle","objects":[{"a" 1}]}'}, exits=(3,))
made("bundle: another domain", "analytic --bundle b.json", "expected an ATT&CK bundle",
     files={"b.json": '{"type":"bundle","objects":[]}'}, exits=(3,))
made("truth: no truth", "score truth.json f.jsonl", "pinwatch.truth/1", files={"truth.json": "{}", "f.jsonl": ""}, exits=(3,))
made("truth: empty", "score truth.json f.jsonl", "empty", files={"truth.json": "", "f.jsonl": ""}, exits=(3,))

# Configuration
configured("unknown key", "analytic:\n  TimeWindwo: 5m\n", r"pinwatch.yaml:2:3: .*did you mean `TimeWindow`")
configured("key of another section", "TimeWindow: 5m\n", "did you mean `analytic.TimeWindow`")
configured("not a section", "analytic: 5m\n", "is a section")
configured("no duration", "analytic: {TimeWindow: soon}\n", "expected a duration")
configured("no unit", "analytic: {TimeWindow: 10}\n", "needs a unit")
configured("out of bounds", "analytic: {InspectionFailureThreshold: 0}\n", "from 1 to 1000")
configured("no boolean", "analytic: {ForegroundStateRequired: maybe}\n", "true")
configured("no word", "sources: [{name: a, path: b, kind: proxy}]\n", "inspection")
configured("source without path", "sources: [{name: a}]\n", "has nothing to read")
configured("two sources of one name", "sources:\n- {name: a, path: b}\n- {name: a, path: c}\n", "two sources are named")
configured("sources no list", "sources: {name: a}\n", "is a list")
configured("no address", "inspection: {listeners: ['proxy:3128']}\n", "expected")
configured("no zone", "sources: [{name: a, path: b, timezone: Mars}]\n", "Europe/Berlin")
configured("no date", "sources: [{name: a, path: b, date: tomorrow}]\n", "2026-11-24")
configured("no YAML", "analytic: [\n", "not valid YAML")
configured("tab", "analytic:\n\tTimeWindow: 5m\n", "pinwatch.yaml:2:1")
configured("twice", "analytic: {}\nanalytic: {}\n", "given twice")
configured("anchor", "analytic: &a {}\n", "not supported")
configured("two documents", "analytic: {}\n---\nanalytic: {}\n", "only one is read")
configured("empty list", "- a\n", "begins with sections")

# List files
listed("no list", "app: com.acme.bank\n", "expected a YAML list of entries")
listed("no bundle id", "- app: the bank's app\n", "bundle id")
listed("star in the middle", "- app: com.*.bank\n", "only at the end")
listed("no host", "- app: com.acme.bank\n  destinations: ['http://bank.test/']\n", "host")
listed("no date", "- app: com.acme.bank\n  expires: soon\n", "expected a date")
listed("unknown key", "- app: com.acme.bank\n  tiket: SEC-1\n", "did you mean `ticket`")
listed("entry of the other list", "- destination: bank.test\n", "AllowedAppList")

# Format files
made("format: empty", "formats --check mine.yaml", "mine.yaml is empty; it has to hold a format", files={"mine.yaml": ""}, exits=(2,))
formatted("only a comment", "# nothing\n", "expected `format:`")
formatted("no YAML", "format: [", "not valid YAML")
formatted("unknown key", FORMAT + "decode: json\nzzz: 1\n", "expected `format`")
formatted("near key", FORMAT + "decod: json\n", "did you mean `decode`")
formatted("no decoder", FORMAT + "decode: xml\n" + DETECT + RULES, "decoder")
formatted("no detection", FORMAT + "decode: json\n" + RULES, "`detect:` is missing")
formatted("bad name", "format: Mine\ntitle: T\nsensor: flow\n", "lower-case letters")
formatted("bad sensor", "format: mine\ntitle: T\nsensor: proxy\n", "expected sensor")
formatted("no target", FORMAT + "decode: json\n" + DETECT + "records: [{kind: lease, map: {tim: a}}]\n", "did you mean `time`")
formatted("target of another kind", FORMAT + "decode: json\n" + DETECT + "records: [{kind: lease, map: {outcome: a}}]\n", "another")
formatted("no derivation", FORMAT + "decode: json\n" + DETECT + "records: [{kind: lease, map: {time: {from: a, via: epoch}}}]\n", "derivation")
formatted("wrong derivation", FORMAT + "decode: json\n" + DETECT + "records: [{kind: lease, map: {time: {from: a, via: boolean}}}]\n", "makes no value")
formatted("bad kind", FORMAT + "decode: json\n" + DETECT + "records: [{kind: leas}]\n", "expected kind")
formatted("rejected without a reason", FORMAT + "decode: json\n" + DETECT + "records: [{rejected: ''}]\n", "expected why the record is rejected")
formatted("field that nothing delivers", FORMAT + "decode: {text: {patterns: ['{a} {b}']}}\n" + DETECT +
          "records: [{kind: lease, map: {time: a, ip: c}}]\n", "delivers the field `c`")
formatted("open brace", FORMAT + "decode: {text: {patterns: ['{a} {b']}}\n" + DETECT + RULES, "without `}`")
formatted("like nothing", FORMAT + "like: nothing\n" + DETECT, "lists them")
# Every kind of mistake, with the line and column where it stands: behind the mark.
def placed(name, text, holds):
    at = text.index("\u25b8")
    line, column = text[:at].count("\n") + 1, at - text.rfind("\n", 0, at)
    made(f"format: {name}", "formats --check mine.yaml", rf"mine\.yaml:{line}:{column}: .*{holds}",
         files={"mine.yaml": text.replace("\u25b8", "")}, exits=(2,))


JSON = FORMAT + "decode: json\n" + DETECT
placed("word that is no value", JSON + "records: [{kind: lease, map: {time: a, ip: b, by: {from: c, words: {x: ▸tunnel}}}}]\n", "no value of `by`")
placed("constant that is no value", JSON + "records: [{kind: lease, set: {by: ▸tunnel}, map: {time: a, ip: b}}]\n", "no value of `by`")
placed("else without words", JSON + "records: [{kind: lease, map: {time: a, ip: {from: b, else: ▸10.0.0.1}}}]\n", "belongs to `words`")
placed("argument missing", JSON + "records: [{kind: lease, map: {time: a, ip: {from: b, via: ▸after}}}]\n", "takes a text as argument")
placed("argument too many", JSON + "records: [{kind: lease, map: {time: a, ip: {from: b, via: ▸{trim: x}}}}]\n", "takes no argument")
placed("join of one text", JSON + "records: [{kind: lease, map: {time: a, ip: {join: ▸b}}}]\n", "`join` is a list of fields")
placed("condition unknown", FORMAT + "decode: json\ndetect: {when: {a: {▸begin: x}}}\n" + RULES, "`starts`")
placed("private that is no yes", JSON + "records: [{when: {b: {private: ▸false}}, kind: lease, map: {time: a, ip: b}}]\n", "write `none:")
placed("names that are no mapping", FORMAT + "decode: json\nnames: ▸[a]\n" + DETECT + RULES, "expected")
placed("conversation without lines", FORMAT + "decode: json\nconversation: ▸{key: a}\n" + DETECT + RULES, "`lines:`")
placed("time_is neither", JSON + "records: [{kind: lease, time_is: ▸middle, map: {time: a, ip: b}}]\n", "start or end")
placed("also that is no yes", JSON + "records: [{kind: lease, also: ▸maybe, map: {time: a, ip: b}}]\n", "true or false")
placed("embed of nothing known", FORMAT + "decode: json\nembed: [▸{from: a, as: xml, name: b}]\n" + DETECT + RULES, "plist")
placed("target twice", JSON + "records: [{kind: lease, map: {time: a, ▸time: b, ip: c}}]\n", "stands here twice")
placed("option of a decoder unknown", FORMAT + "decode: {json: {▸lists: a}}\n" + DETECT + RULES, "did you mean `list`")
placed("near derivation", JSON + "records: [{kind: lease, map: {time: {from: a, via: ▸epoch_ny}, ip: b}}]\n", "did you mean `epoch_any`")

formatted("needs of nothing", FORMAT + "decode: json\nneeds: {c: all}\n" + DETECT + RULES, "no rule reads")

# Records
logged("no JSON", GOOD + "{\n", r"log.jsonl:2: rejected: not valid JSON")
logged("no time", '{"kind":"lease","ip":"10.0.0.1","by":"dhcp"}\n', "field `time` .* is missing")
logged("wrong time", '{"kind":"lease","time":"noon","ip":"10.0.0.1"}\n', "expected a time")
logged("time before 1970", '{"kind":"lease","time":"1960-01-01T00:00:00Z","ip":"10.0.0.1"}\n', "log.jsonl:1")
logged("no address", GOOD.replace("10.8.0.14", "10.8.0.300"), "expected an IP address")
logged("unknown outcome", GOOD.replace("client_reject", "pinned"), "expected an outcome")
logged("port too large", GOOD.replace("50000", "500000"), "expected a number in range")
logged("not the format's line", "hello\n", "does not fit the format", "access.log", "squid")
logged("columns", "#separator \\x09\n#fields\tts\tuid\n#path\tconn\n1.0\n", "columns, its header names", "conn.log", "zeek_conn")
logged("no header", "1795485600.1\tC1\n", "`#fields` header", "conn.log", "zeek_conn")
logged("no property list", "<?xml version=\"1.0\"?><plist><true/><true/></plist>", "second value", "m.plist", "apple_mdm")
logged("no base64", json.dumps({"topic": "mdm.Connect", "created_at": "2026-11-24T00:00:00Z", "acknowledge_event":
                                {"udid": "u", "raw_payload": "A"}}) + "\n", "expected base64", "mdm.json", "nanomdm")
made("log: nothing parsed", "scan --format canonical x.jsonl", "no record could be parsed", files={"x.jsonl": '{"kind":"lease"}\n'}, exits=(3,))
made("log: rejected ones shown", "scan -v x.jsonl", r"x.jsonl:2", files={"x.jsonl": GOOD + '{"kind":"lease"}\n'}, exits=(0, 4))
