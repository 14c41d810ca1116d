#!/usr/bin/python3
"""What the commands promise one another: what check-config takes the daemon takes, what scan hints at works, what a run could
not do it says, in whatever way it is asked.

    test_contract.py [PINWATCH]
"""
import json
import os
import re
import stat
import subprocess
import sys
import tarfile
import tempfile
import threading
import unittest

import test_cli
from test_cli import PINNING, Folder, attempt, lines, run


class Partial(Folder):
    """Exit code 4 is never without a reason, also where nobody wants a footer."""

    def scan_and_explain(self, *inputs):
        for command in (["scan", "-q"], ["explain", "-q", "--host", "api.bank.test"]):
            with self.subTest(command[0]):
                done = run(*command, *inputs)
                self.assertEqual(done.returncode, 4, done.stderr.decode())
                yield done.stderr.decode()

    def test_more_bad_lines_than_the_budget(self):
        path = self.file("proxy.jsonl", lines(PINNING) + b"no record\n" * 3)
        for said in self.scan_and_explain(path):
            self.assertRegex(said, r"source canonical: 3 of 10 records rejected, more than its bad_line_budget allows")

    def test_a_stale_source(self):
        self.file("a.jsonl", lines(PINNING))
        self.file("b.jsonl", lines([attempt(s + 3000) for s in (1, 2, 3)]))
        conf = self.file("pinwatch.yaml", "sources:\n  - {name: early, path: a.jsonl, silence_after: 30m}\n"
                                          "  - {name: late, path: b.jsonl}\n")
        for said in self.scan_and_explain("-c", conf):
            self.assertRegex(said, r"source early is stale: .*silence_after")
            self.assertNotIn("source late", said)

    def test_an_input_that_ends_too_early(self):
        import gzip
        packed = gzip.compress(lines([attempt(s % 3000, host=f"h{s}.test") for s in range(3000)]))
        path = self.file("proxy.jsonl.gz", packed[:len(packed) // 2])
        for said in self.scan_and_explain(path):
            self.assertIn("could not be read to its end", said)

    def test_the_footer_is_enough(self):
        path = self.file("proxy.jsonl", lines(PINNING) + b"no record\n" * 3)
        said = run("scan", path).stderr.decode()
        self.assertEqual(said.count("bad_line_budget"), 1, said)

    def test_explain_says_that_it_was_interrupted(self):
        code, _, said = test_cli.interrupted("explain", "-q", "--host", "api.bank.test", "-")
        self.assertEqual(code, 130, said)
        self.assertIn("interrupted", said)


class Streams(Folder):
    def test_a_closed_standard_output_is_an_error(self):
        path = self.file("proxy.jsonl", lines(PINNING))
        for command in (f"scan -q -o jsonl {path}", f"explain -q {path} --host api.bank.test", f"parse {path}", "formats",
                        "--version"):
            with self.subTest(command):
                done = subprocess.run(["bash", "-c", f"{test_cli.PINWATCH} {command} >&-"], stderr=subprocess.PIPE, check=False)
                self.assertEqual(done.returncode, 3, "results are gone, and nobody hears of it")
                self.assertIn(b"could be written", done.stderr)

    def test_closed_streams_are_not_written_over(self):
        path = self.file("proxy.jsonl", lines(PINNING))
        aside = os.path.join(self.folder, "aside.jsonl")
        subprocess.run(["bash", "-c", f"{test_cli.PINWATCH} scan {path} --dead-letter {aside} >&- 2>&- <&-"], check=False)
        with open(aside, "rb") as f:
            self.assertEqual(f.read(), b"")
        with open(path, "rb") as f:
            self.assertEqual(f.read(), lines(PINNING))


class DeadLetter(Folder):
    """A dead-letter file takes the place of a file, and of nothing else."""

    def setUp(self):
        super().setUp()
        self.log = self.file("proxy.jsonl", lines(PINNING) + b"no record\n")
        self.path = os.path.join(self.folder, "aside")

    def scan(self, path, code=4):
        done = run("scan", "-q", self.log, "--dead-letter", path)
        self.assertEqual(done.returncode, code, done.stderr.decode())
        self.assertEqual(sorted(os.listdir(self.folder)), sorted({"proxy.jsonl"} | ({"aside"} if os.path.lexists(self.path) else set())))
        return done

    def test_a_device_stays_a_device(self):
        # Of its own, so that a failure leaves the machine's devices alone.
        if os.geteuid() != 0 or os.statvfs(self.folder).f_flag & os.ST_NODEV:
            self.skipTest("a device can only be made by root, where devices work; a pipe goes the same way")
        os.mknod(self.path, 0o600 | stat.S_IFCHR, os.makedev(1, 7))  # as /dev/full
        done = self.scan(self.path, code=3)
        self.assertTrue(stat.S_ISCHR(os.lstat(self.path).st_mode), "the device is gone, a file is in its place")
        self.assertIn(b"No space left on device", done.stderr)

    def test_a_pipe_is_written_to(self):
        os.mkfifo(self.path)
        got = []

        def read():
            with open(self.path, "rb") as f:
                got.append(f.read())

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        self.scan(self.path)
        reader.join(20)
        self.assertEqual(len(got), 1, "nothing came through the pipe")
        self.assertTrue(stat.S_ISFIFO(os.lstat(self.path).st_mode))
        self.assertIn(b"no record", got[0])

    def test_a_link_is_followed(self):
        with tempfile.TemporaryDirectory() as elsewhere:
            target = os.path.join(elsewhere, "kept.jsonl")
            os.symlink(target, self.path)
            self.scan(self.path)
            self.assertTrue(os.path.islink(self.path))
            with open(target, "rb") as f:
                self.assertIn(b"no record", f.read())

    def test_a_folder_is_refused_before_anything_is_read(self):
        os.mkdir(self.path)
        done = self.scan(self.path, code=2)
        self.assertEqual(done.stdout, b"")
        self.assertIn(b"name a file", done.stderr)

    def test_a_file_is_replaced(self):
        with open(self.path, "wb") as f:
            f.write(b"of yesterday")
        self.scan(self.path)
        with open(self.path, "rb") as f:
            self.assertEqual(f.read().count(b"\n"), 1)


class Folders(Folder):
    """What lies in a folder beside logs holds up nothing, and is named."""

    def setUp(self):
        super().setUp()
        self.file("proxy.jsonl", lines(PINNING))
        self.alone = run("scan", "-q", "-o", "jsonl", self.folder).stdout

    def look(self):
        done = run("scan", "-v", "-o", "jsonl", self.folder)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(done.stdout, self.alone)
        return done.stderr.decode()

    def test_a_pipe_is_not_waited_for(self):
        os.mkfifo(os.path.join(self.folder, "pipe"))
        self.assertRegex(self.look(), r"left alone: .*/pipe")

    def test_a_link_back_is_not_walked(self):
        os.symlink(".", os.path.join(self.folder, "loop"))
        self.assertRegex(self.look(), r"left alone: .*/loop")

    def test_an_archive_is_no_log(self):
        with tarfile.open(os.path.join(self.folder, "logs.tar.gz"), "w:gz") as archive:
            archive.add(os.path.join(self.folder, "proxy.jsonl"), "proxy.jsonl")
        for command in ("scan", "parse", "formats"):
            done = run(command, os.path.join(self.folder, "logs.tar.gz"))
            self.assertEqual(done.returncode, 3, command)
            self.assertIn(b"tar archive", done.stderr)


class Hint(Folder):
    """The command under the table can be copied, whatever options the scan had."""

    def follow(self, *arguments):
        done = run("scan", *arguments, cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        hint = re.search(r"^Why: (\S*pinwatch explain .*)$", done.stdout.decode(), re.M)
        self.assertIsNotNone(hint, done.stdout.decode())
        explained = subprocess.run(hint.group(1), shell=True, cwd=self.folder, capture_output=True, check=False)
        self.assertEqual(explained.returncode, 0, hint.group(1) + "\n" + explained.stderr.decode())
        self.assertIn("com.acme.bank", explained.stdout.decode())
        return hint.group(1)

    def test_it_works(self):
        self.file("proxy log.jsonl", lines(PINNING))
        self.file("pinwatch.yaml", "analytic: {TimeWindow: 11m}\n")
        log = "proxy log.jsonl"
        self.follow(log)
        self.follow("-a", log)
        self.follow("-av", log)
        self.follow("-ao", "table", log)
        self.follow("-otable", log)
        self.follow("--output=table", "--fail-on", "high", "--color=never", log)
        self.follow("--dead-letter", "aside.jsonl", log)
        said = self.follow("-cpinwatch.yaml", "--set=InspectionFailureThreshold=2", "--inspection", "--format", "canonical", log,
                           "--local", "--threads", "1")
        for word in ("-c pinwatch.yaml", "--set InspectionFailureThreshold=2", "--inspection --format canonical", "--local"):
            self.assertIn(word, said)


class Configuration(Folder):
    GOOD = "sources:\n  - {name: proxy, path: a.jsonl}\nserve: {state: state, listen: '127.0.0.1:1'}\n"

    def test_what_the_daemon_refuses_check_config_refuses(self):
        self.file("a.jsonl", lines(PINNING))
        self.assertEqual(run("check-config", "-q", self.file("good.yaml", self.GOOD)).returncode, 0)
        for name, text in (
                ("format", self.GOOD.replace("path:", "format: zeek_sll, path:")),
                ("listen", self.GOOD.replace("127.0.0.1:1", "0.0.0.0:1")),
                ("listen6", self.GOOD.replace("127.0.0.1:1", "[::]:1")),
                ("certificate", self.GOOD.replace("state: state", "state: state, tls_certificate: a.pem")),
                ("key", self.GOOD.replace("state: state", "state: state, tls_key: a.pem"))):
            with self.subTest(name):
                path = self.file(name + ".yaml", text)
                checked, served = run("check-config", path), run("serve", "-c", path)
                self.assertEqual((checked.returncode, served.returncode), (2, 2), checked.stderr + served.stderr)
                self.assertEqual(checked.stderr.replace(b"check-config", b"serve"), served.stderr)
                self.assertIn((name + ".yaml").encode(), checked.stderr)

    def test_a_format_is_looked_for_where_its_source_is_read(self):
        self.file("a.jsonl", lines(PINNING))
        path = self.file("pinwatch.yaml", self.GOOD.replace("path:", "format: zeek_sll, path:"))
        done = run("scan", "-q", "-c", path)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr.decode(), r"pinwatch\.yaml:2: source `proxy`: there is no format zeek_sll; did you mean zeek_ssl\?")
        # A folder of formats is for whoever names it.
        folder = os.path.join(self.folder, "formats")
        os.mkdir(folder)
        with open(os.path.join(test_cli.ROOT, "formats", "canonical.yaml"), encoding="utf-8") as f:
            self.file("formats/zeek_sll.yaml", f.read().replace("format: canonical", "format: zeek_sll", 1))
        self.assertEqual(run("check-config", "-q", "--formats", folder, path).returncode, 0)
        self.assertEqual(run("scan", "-q", "--formats", folder, "-c", path).returncode, 0)

    def test_every_example_of_the_reference_is_one(self):
        reference = run("check-config", "--reference").stdout.decode()
        conf = self.file("pinwatch.yaml", "sources:\n  - {name: proxy, path: a.jsonl}\n")
        wire = self.file("wire.yaml", "sources:\n  - {name: tap, kind: wire, interface: lo}\n")
        self.file("apps.yaml", "- app: com.acme.bank\n")
        self.file("destinations.yaml", "- destination: bank.test\n")
        said = {}
        for block in reference.split("\n\n"):
            example = re.search(r"for example (.*)", block)
            if example is None:
                continue
            option = block.splitlines()[0]
            with self.subTest(option):
                of_wire = option in ("sources[].interface", "sources[].filter")
                path = option.replace("[]", "[0]")
                arguments = ["--set", f"{path}={example.group(1)}"]
                if option in ("serve.tls_certificate", "serve.tls_key"):
                    arguments += ["--set", "serve.tls_certificate=a.pem", "--set", "serve.tls_key=a.key"]
                done = run("check-config", "-q", wire if of_wire else conf, *arguments, cwd=self.folder)
                self.assertEqual(done.returncode, 0, done.stderr.decode())
                self.assertNotIn(example.group(1), said, f"the same example as of {said.get(example.group(1))}")
                said[example.group(1)] = option

    def test_set(self):
        for assignment, wanted in (
                ("sources=x", r"`sources` is no option.*sources\.NAME\.option"),
                ("analytic=x", r"`analytic` is no option"),
                ("InspectionFailureThreshold=99999999999999", r"out of bounds: from 1 to 1000")):
            with self.subTest(assignment):
                done = run("check-config", "-q", "--set", assignment)
                self.assertEqual(done.returncode, 2)
                self.assertRegex(done.stderr.decode(), wanted)

    def test_unset_is_said_as_what_it_means(self):
        self.assertRegex(run("check-config").stdout.decode(), r"threads +- \(as many as there are processors\)")
        self.assertRegex(run("check-config", "--set", "threads=3").stdout.decode(), r"threads +3 +\[--set\]")


class Explain(Folder):
    def test_a_host_in_any_spelling(self):
        path = self.file("proxy.jsonl", lines([attempt(s, host="xn--bcher-kva.test") for s in (60, 180, 300)]))
        for host in ("xn--bcher-kva.test", "bücher.test", "BÜCHER.test", "XN--BCHER-KVA.TEST."):
            with self.subTest(host):
                said = run("explain", "-q", path, "--host", host).stdout.decode()
                self.assertIn("xn--bcher-kva.test:443", said)

    def test_an_address(self):
        path = self.file("proxy.jsonl", lines([attempt(s, host="2001:db8::7") for s in (60, 180, 300)]))
        self.assertIn("[2001:db8::7]:443", run("explain", "-q", path, "--host", "2001:db8::7").stdout.decode())

    def test_all_evidence_is_a_value(self):
        done = run("explain", "-q", self.file("proxy.jsonl", lines(PINNING)), "--host", "api.bank.test", "--evidence", "x")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"or all", done.stderr)


class Usage(unittest.TestCase):
    def test_an_option_before_the_command(self):
        done = run("-q", "scan", "x")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"`pinwatch COMMAND -q`", done.stderr)


class AtTheEnd(Folder):
    """What the end of an input leaves half-said is rejected with its reason, like a record in the middle."""

    def test_a_message_without_its_last_segment(self):
        part = ("<181>Nov 24 03:00:43 ise-01 CISE_RADIUS_Accounting 0001042080 3 {} 2026-11-24 03:00:43.919 +01:00 0015337799 3000 "
                "NOTICE Radius-Accounting: RADIUS Accounting start, User-Name=ann@corp.test, NAS-IP-Address=10.0.0.2,\n")
        log = self.file("ise.log", part.format(0) + part.format(1))
        aside = os.path.join(self.folder, "aside.jsonl")
        self.assertRegex(run("parse", log).stderr.decode(), r"ise\.log:2: rejected: at the end of the input: .*segments of the message are missing")
        run("scan", log, self.file("proxy.jsonl", lines(PINNING)), "--dead-letter", aside)
        with open(aside) as f:
            letters = [json.loads(line) for line in f]
        self.assertEqual([x["line"] for x in letters], [2])
        self.assertIn("at the end of the input", letters[0]["reason"])


class NamedTwice(Folder):
    """What a file says counts once."""

    def test_a_file_and_its_folder(self):
        path = self.file("proxy.jsonl", lines(PINNING))
        os.symlink("proxy.jsonl", os.path.join(self.folder, "also.jsonl"))
        for inputs in ([path, path], [self.folder, path], [path, os.path.join(self.folder, "also.jsonl")]):
            done = run("scan", "-v", *inputs)
            self.assertIn(f"{len(PINNING)} records", done.stderr.decode())
            self.assertRegex(done.stderr.decode(), "left alone: .*jsonl")

    def test_as_two_things(self):
        path = self.file("proxy.jsonl", lines(PINNING))
        done = run("scan", "--flow", path, "--inspection", path)
        self.assertEqual(done.returncode, 2, done.stderr.decode())
        self.assertRegex(done.stderr.decode(), "proxy.jsonl: is the same file as .*proxy.jsonl, which is read as something else")


class TlsPorts(Folder):
    """A flow record that does not say what it carries counts where its port does: the gateway's own listener is one."""

    def seen(self, *options):
        log = self.file("conn.log", "".join(
            json.dumps({"ts": 1795507200 + port, "uid": f"C{port}", "id.orig_h": "10.8.0.14", "id.orig_p": 50000, "id.resp_h": "10.0.0.5",
                        "id.resp_p": port, "proto": "tcp", "duration": 0.3, "orig_bytes": 517, "resp_bytes": 2100, "conn_state": "SF",
                        "history": "ShADadFf"}) + "\n" for port in (80, 443, 3128, 8443, 9000)))
        said = run("scan", *options, log).stderr.decode()
        return 5 - int(re.search(r"5 records, 0 rejected, (\d) irrelevant", said)[1])

    def test_which_ports(self):
        self.assertEqual(self.seen(), 2)
        self.assertEqual(self.seen("--set", "inspection.listeners=[\"10.0.0.5:3128\"]"), 3)
        self.assertEqual(self.seen("--set", "inspection.listeners=[\"10.0.0.5:3128\"]", "--set", "tls_ports=[9000]"), 4)


class Completion(unittest.TestCase):
    def complete(self, *words):
        script = run("completion", "bash").stdout.decode()
        told = subprocess.run(["bash", "-c", script + f"\nCOMP_WORDS=({' '.join(repr(w) for w in words)}); "
                               f"COMP_CWORD={len(words) - 1}; _pinwatch; printf '%s\\n' \"${{COMPREPLY[@]}}\""],
                              stdout=subprocess.PIPE, check=True, cwd="/proc/self")
        return told.stdout.decode().split()

    def test_verbs(self):
        self.assertEqual(self.complete("pinwatch", "db", ""), ["check", "export", "restore"])
        self.assertEqual(self.complete("pinwatch", "db", "--state", "x", "e"), ["export"])
        self.assertEqual(self.complete("pinwatch", "db", "--sta"), ["--state"])
        self.assertEqual(sorted(self.complete("pinwatch", "db", "export", "stat")), ["stat", "statm", "status"], "a folder")
        self.assertEqual(self.complete("pinwatch", "completion", "f"), ["fish"])

    def test_short_options(self):
        self.assertEqual(self.complete("pinwatch", "scan", "-o", "json"), ["json", "jsonl"])


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-") and os.path.exists(sys.argv[1]):
        test_cli.PINWATCH = os.path.abspath(sys.argv.pop(1))
    unittest.main()
