"""What is measured: how each tool is started on a file, its version, and what it cannot do."""
import json
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
AT_ONCE = "at the third refusal"
NEXT_RUN = "at the next run"
WATERMARK = "15 min later, when the watermark passes"
SYSLOG_NG = ["-F", "--no-caps", "-R", "{work}/persist", "-c", "{work}/ctl", "-p", "{work}/pid"]
JAVA = ["java", "-Xmx1g", "-cp", "{peers}/flink/classes:{peers}/flink/lib/*"]


def here(*names):
    return os.path.join(HERE, *names)


def tabs(line):
    """A group as most tools print it: three words. No name in the records has a space."""
    group = tuple(line.split())
    return group if len(group) == 3 else None


def sigma(line):
    """RSigma's own JSON of a correlation that fired."""
    if not line.startswith("{"):
        return None
    keys = dict(json.loads(line).get("group_key", []))
    return tuple(keys.get(k) for k in ("device.udid", "app.bundle_id", "dst_endpoint.hostname"))


class Tool:
    def __init__(self, name, command, live, cannot, version=None, parse=tabs, folder=None,
                 stdin=False, script=None, replay=None, whole=False, file="ordered"):
        self.name = name
        self.command = command      # {file}, {arrival}, {work}, {peers}, {build} are filled in
        self.live = live            # when an alert would come while records arrive
        self.cannot = cannot
        self.version_command = version
        self.parse = parse          # a line of output to a group, or None
        self.folder = folder        # whose .missing file tells that it is not there
        self.stdin = stdin          # gets the file on a pipe
        self.script = script        # a rule file to be filled in, as {script}
        self.replay = replay        # another command for correctness
        self.whole = whole          # prints findings, not groups
        self.file = file            # which input the speed is taken on

    def missing(self, peers):
        """Why it cannot be run, or None."""
        try:
            with open(os.path.join(peers, f"{self.folder}.missing"), encoding="utf-8") as f:
                return f.read().strip() or "could not be installed"
        except FileNotFoundError:
            return None

    def argv(self, paths, replay=False):
        if self.script:
            with open(here(*self.script), encoding="utf-8") as f:
                text = f.read().replace("RECORDS", paths["file"]).replace("ALERTS", "/dev/stdout")
            paths = dict(paths, script=os.path.join(paths["work"], "rule"))
            with open(paths["script"], "w", encoding="utf-8") as f:
                f.write(text)
        command = self.replay if replay and self.replay else self.command
        return [a.format(**paths) for a in command]

    def version(self, paths):
        if callable(self.version_command):
            return self.version_command()
        argv = [a.format(**paths) for a in self.version_command]
        out = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        found = re.search(r"\d+\.\d+[\w.-]*", out.stdout + out.stderr)
        return found.group(0) if found else "unknown"


def flink_version():
    with open(here("flink", "pom.xml"), encoding="utf-8") as f:
        return re.search(r"<flink>(.*)</flink>", f.read()).group(1)


def sec(*more):
    return [f"--conf={c}" for c in more] + ["--input={file}", "--notail", "--fromstart"]


def scan(file):
    command = ["{build}/pinwatch", "scan", "--quiet", "--threads", "1", "-c",
               here("pinwatch", "pinwatch.yaml")]
    return Tool(
        "pinwatch, whole job" + ("" if file == "ordered" else f", {file}"), command + ["{file}"],
        NEXT_RUN, "`scan` judges once, at the end of its files. Records far out of order cost "
        "it time and memory: it holds the file's records until they can be ordered.",
        version=["{build}/pinwatch", "--version"], whole=True, file=file,
        replay=command + ["--all", "-o", "jsonl", "{file}"])


TOOLS = [
    scan("ordered"),
    scan("lag 300 s"),
    Tool("pinwatch, the rule alone", ["{build}/bench/peers_rule", "{file}"], AT_ONCE,
         "A benchmark program: nothing but the rule, and a group that never fires keeps its times.",
         version=["{build}/pinwatch", "--version"]),
    Tool("DuckDB", ["{peers}/duckdb", "-no-init", "-bail", "-f", "{script}"], NEXT_RUN,
         "Tells nothing between runs; each run reads everything again, or someone builds the "
         "incremental load.",
         version=["{peers}/duckdb", "--version"], folder="duckdb", script=("duckdb", "rule.sql")),
    Tool("SQLite", ["sqlite3", "-batch", ":memory:", ".read {script}"], NEXT_RUN,
         "As DuckDB.", version=["sqlite3", "--version"], folder="sqlite",
         script=("sqlite", "rule.sql")),
    Tool("mawk", ["mawk", "-f", here("mawk", "rule.awk"), "{file}"], AT_ONCE,
         "Counts in order of arrival: a record that comes late is compared with its successors. "
         "Keeps every group for ever.",
         version=["mawk", "-W", "version"], folder="mawk"),
    Tool("SEC", ["sec"] + sec(here("sec", "rule.conf")), AT_ONCE,
         "Its clock is the moment it reads a line. Late records, and logs read again, are counted "
         "as of now.",
         version=["sec", "--version"], folder="sec",
         replay=["perl", here("sec", "replay.pl"), "/usr/bin/sec"] +
         sec(here("sec", "replay.conf"), here("sec", "rule.conf"))),
    Tool("syslog-ng", ["syslog-ng", "-f", "{script}"] + SYSLOG_NG, AT_ONCE,
         "grouping-by() has no sliding window: its timeout starts anew with every message, so that "
         "refusals 9 minutes apart add up without end. Its clock only goes forward, by the newest "
         "record.",
         version=["syslog-ng", "--version"], folder="syslog-ng", stdin=True,
         script=("syslog-ng", "rule.conf")),
    Tool("RSigma", ["{peers}/rsigma", "--output-format", "ndjson", "engine", "eval", "-r",
                    here("rsigma", "rule.yml"), "--event", "@{file}", "--input-format", "json",
                    "--timestamp-field", "time", "--no-detections", "--suppress", "10m"], AT_ONCE,
         "Its window ends at the record at hand: late records are compared with later ones. "
         "Whole seconds.",
         version=["{peers}/rsigma", "--version"], folder="rsigma", parse=sigma),
    Tool("Flink SQL", JAVA + ["RuleSql", "{file}"], WATERMARK,
         "A row older than what its group last told is dropped; a metric counts it. One timestamp "
         "ahead moves the watermark for all: every later alert is held back until time catches up, "
         "here a day. (In a file, its end releases them, so that few are missed.)",
         version=flink_version, folder="flink"),
    Tool("Flink CEP", JAVA + ["RuleCep", "{file}"], WATERMARK,
         "A record behind the watermark is dropped; a metric counts it, a side output can be made for "
         "it. One timestamp ahead makes everything late until time catches up.",
         version=flink_version, folder="flink",
         replay=JAVA + ["RuleCep", "{file}", "as-arrived"]),
]
