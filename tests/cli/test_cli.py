#!/usr/bin/python3
"""The command line as a person meets it: help, mistakes, exit codes, outputs.

    test_cli.py [PINWATCH]        the program; else the environment's PINWATCH, else build/pinwatch
"""
import gzip
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PINWATCH = os.environ.get("PINWATCH", os.path.join(ROOT, "build", "pinwatch"))

COMMANDS = ["scan", "explain", "parse", "formats", "analytic", "backtest", "check-config", "sim", "score", "completion"]
UDID = "00008110-000A1B2C3D4E001E"


def run(*args, stdin=b"", env=None, cwd=None):
    environment = dict(os.environ, TZ="UTC")
    environment.pop("COLUMNS", None)
    environment.pop("NO_COLOR", None)
    environment.update(env or {})
    return subprocess.run([PINWATCH, *args], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
                          cwd=cwd, timeout=60, check=False)


def attempt(second, outcome="client_reject", host="api.bank.test", app="com.acme.bank", **more):
    record = {"kind": "tls_attempt", "time": f"2026-11-24T02:{second // 60:02d}:{second % 60:02d}.000Z",
              "source": "proxy", "sensor": "inspection", "device": {"udid": UDID},
              "src_endpoint": {"ip": "10.8.0.14", "port": 50000 + second},
              "dst_endpoint": {"hostname": host, "port": 443}, "app": {"bundle_id": app, "version": "7.1"},
              "tls": {"sni": host, "version": "1.3"}, "inspection": "intercepted", "outcome": outcome, "count": 1}
    if outcome == "client_reject":
        record["tls"].update(alert=46, alert_from="client")
    record.update(more)
    return record


# Three rejections of one host within TimeWindow, and the same phone fine elsewhere before, between and after: path A is
# reached, and neither the phone's trust nor the gateway explains it.
PINNING = [attempt(s) for s in (60, 180, 300)] + [
    attempt(s, "established", "www.news.test", "com.acme.news") for s in (10, 70, 190, 310)]


def lines(records):
    return "".join(json.dumps(r) + "\n" for r in records).encode()


def interrupted(*command):
    """The exit code, output and error output of a command that gets SIGINT while records come."""
    program = subprocess.Popen([PINWATCH, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    stop = threading.Event()

    def feed():
        # Sends until told to stop, so that the signal comes while records do.
        try:
            while not stop.is_set():
                program.stdin.write(lines(PINNING))
                program.stdin.flush()
            program.stdin.close()
        except BrokenPipeError:
            pass

    feeder = threading.Thread(target=feed)
    feeder.start()
    caught = 0
    while caught & 1 << (signal.SIGINT - 1) == 0 and program.poll() is None:
        # The handler stands once the kernel says so.
        with open(f"/proc/{program.pid}/status", encoding="ascii") as f:
            caught = int(next(l for l in f if l.startswith("SigCgt")).split()[1], 16)
    program.send_signal(signal.SIGINT)
    stop.set()
    out, err = program.stdout.read().decode(), program.stderr.read().decode()
    feeder.join()
    code = program.wait()
    program.stdout.close()
    program.stderr.close()
    return code, out, err


class Folder(unittest.TestCase):
    """A folder of its own for each test."""

    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.folder = held.name

    def file(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())
        return path


class Help(unittest.TestCase):
    def test_every_command_has_help_with_an_example(self):
        for command in COMMANDS:
            with self.subTest(command):
                done = run(command, "--help")
                self.assertEqual(done.returncode, 0)
                text = done.stdout.decode()
                self.assertIn(f"Usage: pinwatch {command}", text)
                self.assertRegex(text, rf"(?s)Examples:\n.*pinwatch {command}")
                self.assertEqual(done.stderr, b"", "help that was asked for is a result")

    def test_help_of_a_command_both_ways(self):
        self.assertEqual(run("help", "scan").stdout, run("scan", "--help").stdout)
        self.assertEqual(run("scan", "-h").stdout, run("scan", "--help").stdout)

    def test_main_help_lists_every_command(self):
        text = run("--help").stdout.decode()
        for command in COMMANDS:
            self.assertRegex(text, rf"(?m)^  {command}\s")

    def test_without_arguments_it_is_a_usage_error(self):
        done = run()
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertIn(b"Usage:", done.stderr)

    def test_version(self):
        done = run("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout.decode(), r"^pinwatch \d+\.\d+")


class Mistakes(Folder):
    def expect_usage_error(self, words, *args):
        done = run(*args)
        self.assertEqual(done.returncode, 2, f"{args}: {done.stderr.decode()}")
        self.assertEqual(done.stdout, b"")
        for word in words:
            self.assertIn(word, done.stderr.decode())

    def test_misspelt_command(self):
        self.expect_usage_error(["unknown command scna", "did you mean scan?"], "scna")

    def test_misspelt_option(self):
        self.expect_usage_error(["--outptu", "did you mean --output?", "--help"], "scan", "--outptu", "json", "x")
        self.expect_usage_error(["did you mean --fail-on?"], "scan", "--fail-one=high", "x")

    def test_wrong_word(self):
        self.expect_usage_error(["table", "json", "jsonl", "not xml"], "scan", "--output", "xml", "x")

    def test_missing_and_needless_values(self):
        self.expect_usage_error(["--output needs a value"], "scan", "x", "--output")
        self.expect_usage_error(["--all takes no value"], "scan", "--all=yes", "x")

    def test_nothing_to_read(self):
        self.expect_usage_error(["nothing to read", "-c"], "scan")
        self.expect_usage_error(["which file?"], "parse")
        self.expect_usage_error(["which finding?", "--app"], "explain", self.file("a.jsonl", lines(PINNING)))

    def test_kind_without_path(self):
        self.expect_usage_error(["--flow", "next path"], "scan", self.file("a.jsonl", lines(PINNING)), "--flow")

    def test_unknown_format(self):
        self.expect_usage_error(["no format squit", "did you mean squid?"], "parse", "--format", "squit", "x")

    def test_unknown_shell(self):
        self.expect_usage_error(["bash", "zsh", "fish"], "completion", "basj")

    def test_unknown_setting(self):
        self.expect_usage_error(["TimeWindo", "TimeWindow"], "scan", self.file("a.jsonl", lines(PINNING)), "--set",
                                "TimeWindo=5m")

    def test_configuration_error_names_the_line(self):
        path = self.file("pinwatch.yaml", "analytic:\n  TimeWindow: soon\n")
        for command in ("scan", "check-config"):
            done = run(command, "-c", path)
            self.assertEqual(done.returncode, 2)
            self.assertIn("pinwatch.yaml:2:", done.stderr.decode())

    def test_hostile_names_reach_no_terminal(self):
        done = run("scan", "no\x1b[2Jsuch\x07file")
        self.assertEqual(done.returncode, 3)
        self.assertNotIn(b"\x1b", done.stderr)
        self.assertNotIn(b"\x07", done.stderr)


class ExitCodes(Folder):
    def test_0_and_1(self):
        path = self.file("a.jsonl", lines(PINNING))
        self.assertEqual(run("scan", path).returncode, 0)
        self.assertEqual(run("scan", path, "--fail-on", "informational").returncode, 1)

    def test_1_only_for_findings_shown_without_all(self):
        path = self.file("a.jsonl", lines([attempt(60, "established")]))
        self.assertEqual(run("scan", path, "--all", "--fail-on", "informational").returncode, 0)

    def test_3_unreadable(self):
        for command in ("scan", "parse", "formats"):
            done = run(command, os.path.join(self.folder, "nowhere.log"))
            self.assertEqual(done.returncode, 3, command)
            self.assertIn("nowhere.log", done.stderr.decode())

    def test_3_unrecognised_says_why(self):
        path = self.file("strange.log", "three blind mice\nsee how they run\n")
        for command in ("scan", "parse", "formats"):
            done = run(command, path)
            text = done.stderr.decode()
            self.assertEqual(done.returncode, 3, f"{command}: {text}")
            self.assertIn("three blind mice", text, "the first line is shown")
            self.assertNotIn("see how they run", text)
            self.assertRegex(text, r"(?m)^\s*\w+: .+", "the nearest formats, and where each failed")

    def test_3_unrecognised_names_the_field(self):
        # Everything of a conn.log but its uid.
        path = self.file("near.log", '{"ts":1795486453.7,"id.orig_h":"10.8.0.14","id.resp_p":443,"proto":"tcp"}\n')
        text = run("formats", path).stderr.decode()
        self.assertIn("uid", text)

    def test_3_nothing_could_be_parsed(self):
        path = self.file("a.jsonl", "no json\nnone here either\n")
        done = run("parse", "--format", "canonical", path)
        self.assertEqual(done.returncode, 3)
        self.assertIn("a.jsonl:1: rejected", done.stderr.decode())

    def test_4_configured_source_missing(self):
        self.file("a.jsonl", lines(PINNING))
        conf = self.file("pinwatch.yaml", "sources:\n"
                                          "  - {name: proxy, path: a.jsonl}\n"
                                          "  - {name: phones, kind: mdm, path: mdm-*.jsonl}\n")
        done = run("scan", "-c", conf)
        self.assertEqual(done.returncode, 4, done.stderr.decode())
        self.assertRegex(done.stderr.decode(), r"source phones is missing: no file matches .*mdm-\*\.jsonl")

    def test_130_interrupted_still_prints_whole_results(self):
        code, out, err = interrupted("scan", "--output", "jsonl", "--all", "-")
        self.assertEqual(code, 130, err)
        for line in out.splitlines():
            json.loads(line)

    def test_results_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([PINWATCH, "formats"], stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"could be written", done.stderr)

    def test_reader_that_leaves_is_no_error(self):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run([PINWATCH, "formats"], stdout=writing, stderr=subprocess.PIPE, check=False,
                              restore_signals=True)
        os.close(writing)
        self.assertIn(done.returncode, (0, -signal.SIGPIPE))
        self.assertEqual(done.stderr, b"")


class Scan(Folder):
    def test_options_in_any_position(self):
        path = self.file("a.jsonl", lines(PINNING))
        want = run("scan", "--output", "jsonl", "--all", path).stdout
        self.assertTrue(want)
        for args in (["scan", path, "--all", "--output=jsonl"], ["scan", "-ao", "jsonl", path],
                     ["scan", "-ojsonl", "--all", "--", path]):
            self.assertEqual(run(*args).stdout, want, args)

    def test_standard_input_and_packed_files(self):
        path = self.file("a.jsonl", lines(PINNING))
        packed = self.file("a.jsonl.gz", gzip.compress(lines(PINNING)))

        def verdicts(*args, **how):
            return [(f["uid"], f["verdict"], f["score_db"])
                    for f in map(json.loads, run("scan", "-aojsonl", *args, **how).stdout.splitlines())]

        want = verdicts(path)
        self.assertTrue(want)
        self.assertEqual(verdicts(packed), want)
        self.assertEqual(verdicts("-", stdin=lines(PINNING)), want)

    def test_json_holds_what_jsonl_holds(self):
        path = self.file("a.jsonl", lines(PINNING))
        array = json.loads(run("scan", "-ao", "json", path).stdout)
        each = [json.loads(l) for l in run("scan", "-ao", "jsonl", path).stdout.splitlines()]
        self.assertEqual(array, each)

    def test_findings_keep_to_the_schema(self):
        path = self.file("a.jsonl", lines(PINNING))
        done = subprocess.run(["/usr/bin/python3", os.path.join(ROOT, "tests", "unit", "check_schema.py"),
                               os.path.join(ROOT, "schema", "finding.schema.json"), "--run", PINWATCH, "scan", "-aojsonl",
                               path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual(done.returncode, 0, done.stdout.decode())

    def test_the_mutable_elements_in_force_are_repeated(self):
        path = self.file("a.jsonl", lines(PINNING))
        apps = self.file("apps.yaml", "- app: com.other.*\n  owner: mobile\n  reason: pins by design\n")
        out = run("scan", "-aojsonl", path, "--set", "TimeWindow=5m", "--allow-apps", apps).stdout.splitlines()
        settings = json.loads(out[0])["analytic"]["settings"]
        self.assertEqual(settings, {"TimeWindow": "5m", "InspectionFailureThreshold": 3, "ForegroundStateRequired": True,
                                    "AllowedAppList": ["com.other.*"], "AllowedDestinationList": []})

    def test_colour(self):
        path = self.file("a.jsonl", lines(PINNING))
        self.assertNotIn(b"\x1b", run("scan", path).stdout, "no terminal, no colour")
        self.assertIn(b"\x1b[", run("scan", "--all", "--color", "always", path).stdout)
        self.assertNotIn(b"\x1b", run("scan", "--all", "--color", "never", path).stdout)

    def test_footer_and_quiet(self):
        path = self.file("a.jsonl", lines(PINNING))
        text = run("scan", path).stderr.decode()
        self.assertRegex(text, r"7 records, 0 rejected")
        self.assertIn("iOS:MDMLog is missing", text)
        self.assertIn("Confidence is at most medium", text)
        self.assertEqual(run("scan", "-q", path).stderr, b"")


class Explain(Folder):
    def test_by_name_by_id_and_by_what_is_not_there(self):
        path = self.file("a.jsonl", lines(PINNING))
        uid = next(f["uid"] for f in map(json.loads, run("scan", "-aojsonl", path).stdout.splitlines())
                   if f["destination"]["host"] == "api.bank.test")
        by_name = run("explain", path, "--app", "com.acme.bank", "--host", "api.bank.test")
        self.assertEqual(by_name.returncode, 0, by_name.stderr.decode())
        self.assertEqual(run("explain", path, uid[:8]).stdout, by_name.stdout)
        text = by_name.stdout.decode()
        for part in (uid, "Score", "prior", "Controls", "Rival explanations", "Paths to suspected", "Devices", UDID,
                     "Log sources", "Evidence", "a.jsonl:1", '"kind": "tls_attempt"', "TimeWindow 10m"):
            self.assertIn(part, text)
        nothing = run("explain", path, "--app", "com.acme.bank", "--host", "other.test")
        self.assertEqual(nothing.returncode, 0)
        self.assertIn("no connection in these logs was seen", nothing.stdout.decode())
        self.assertIn("api.bank.test", nothing.stdout.decode(), "the nearest judgements are listed")

    def test_says_why_not(self):
        path = self.file("a.jsonl", lines([attempt(60)]))
        text = run("explain", path, "--host", "api.bank.test").stdout.decode()
        self.assertIn("pinning: observed", text)
        self.assertRegex(text, r"not reached\s+A")


class Parse(Folder):
    def test_canonical_comes_back(self):
        path = self.file("a.jsonl", lines(PINNING))
        done = run("parse", path)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        first = json.loads(done.stdout.splitlines()[0])
        self.assertEqual((first["kind"], first["outcome"], first["tls"]["alert"]), ("tls_attempt", "client_reject", 46))

    def test_stats(self):
        path = self.file("a.jsonl", lines(PINNING) + b"{broken\n")
        text = run("parse", "--stats", path).stdout.decode()
        self.assertRegex(text, r"records\s+read\s+8")
        self.assertRegex(text, r"records\s+rejected\s+1")
        self.assertRegex(text, r"outcome\s+client_reject\s+3")
        self.assertRegex(text, r"alert\s+46 certificate_unknown\s+3")

    def test_rejected_lines_are_named_and_the_rest_is_kept(self):
        path = self.file("a.jsonl", lines(PINNING[:2]) + b"{broken\n" + lines(PINNING[2:]))
        done = run("parse", path)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(len(done.stdout.splitlines()), 7)
        self.assertIn("a.jsonl:3: rejected:", done.stderr.decode())


class Others(Folder):
    def test_formats_lists_and_tells(self):
        self.assertRegex(run("formats").stdout.decode(), r"(?m)^canonical\s")
        path = self.file("a.jsonl", lines(PINNING))
        self.assertRegex(run("formats", path).stdout.decode(), r"a\.jsonl: canonical")
        self.file("pinwatch.yaml", "analytic: {TimeWindow: 5m}\n")
        self.assertIn("configuration", run("formats", "pinwatch.yaml", cwd=self.folder).stdout.decode())

    def test_formats_check(self):
        good = os.path.join(ROOT, "formats", "canonical.yaml")
        self.assertEqual(run("formats", "--check", good).returncode, 0)
        done = run("formats", "--check", self.file("bad.yaml", "format: [\n"))
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr.decode(), r"bad\.yaml:\d+:\d+:")

    def test_analytic(self):
        path = self.file("a.jsonl", lines(PINNING))
        text = run("analytic").stdout.decode()
        for word in ("AN1726", "DET0646", "T1521.003", "TimeWindow", "InspectionFailureThreshold", "ForegroundStateRequired",
                     "AllowedAppList", "AllowedDestinationList", "iOS:MDMLog", "MobileEDR:telemetry", "NSM:Flow",
                     "NSM:Inspection"):
            self.assertIn(word, text)
        told = json.loads(run("analytic", "--output", "json", path).stdout)
        self.assertEqual(told["coverage"], {"fed": 1, "of": 4})
        fed = {s["name"]: s["fed"] for s in told["log_sources"]}
        self.assertEqual(fed["NSM:Inspection"], True)
        self.assertEqual(fed["iOS:MDMLog"], False)

    def test_analytic_drift(self):
        stub = {"type": "bundle", "id": "bundle--1", "spec_version": "2.0", "objects": [{
            "type": "x-mitre-analytic", "id": "x-mitre-analytic--1", "name": "Analytic 1726", "x_mitre_version": "1.0",
            "modified": "2025-10-21T15:10:28.402Z", "description": "One line.",
            "external_references": [{"source_name": "mitre-attack", "external_id": "AN1726"}]}]}
        done = run("analytic", "-ojson", "--bundle", self.file("stub.json", json.dumps(stub)))
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        kinds = {d["kind"] for d in json.loads(done.stdout)["drift"]}
        self.assertTrue({"version", "description", "element_missing", "source_missing"} <= kinds, kinds)

    def test_check_config(self):
        path = self.file("pinwatch.yaml", "analytic:\n  TimeWindow: 5m\n")
        text = run("check-config", path).stdout.decode()
        self.assertRegex(text, r"TimeWindow\s+5m\b")
        reference = run("check-config", "--reference").stdout.decode()
        for option in ("TimeWindow", "max_lag", "silence_after", "root_profiles"):
            self.assertIn(option, reference)

    def test_completion_scripts_parse(self):
        script = run("completion", "bash").stdout
        done = subprocess.run(["bash", "-n"], input=script, stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        for shell, parser in (("zsh", "zsh"), ("fish", "fish")):
            script = run("completion", shell).stdout
            for command in COMMANDS:
                self.assertIn(command.encode(), script)
            if any(os.access(os.path.join(p, parser), os.X_OK) for p in os.environ["PATH"].split(":")):
                done = subprocess.run([parser, "-n"], input=script, stderr=subprocess.PIPE, check=False)
                self.assertEqual(done.returncode, 0, done.stderr.decode())

    def test_completion_completes(self):
        script = run("completion", "bash").stdout.decode()

        def complete(*words):
            told = subprocess.run(
                ["bash", "-c", script + f"\nCOMP_WORDS=({' '.join(repr(w) for w in words)}); "
                 f"COMP_CWORD={len(words) - 1}; _pinwatch; printf '%s\\n' \"${{COMPREPLY[@]}}\""],
                stdout=subprocess.PIPE, check=True)
            return told.stdout.decode().split()

        self.assertEqual(complete("pinwatch", "sca"), ["scan"])
        self.assertEqual(complete("pinwatch", "scan", "--fail"), ["--fail-on"])
        self.assertEqual(complete("pinwatch", "scan", "--output", "json"), ["json", "jsonl"])


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-") and os.path.exists(sys.argv[1]):
        PINWATCH = os.path.abspath(sys.argv.pop(1))
    unittest.main()
