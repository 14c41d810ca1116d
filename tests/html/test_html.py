#!/usr/bin/python3
"""The report as a browser would take it, and the CSV as a spreadsheet would.

    test_html.py PINWATCH TEST_HTML     TEST_HTML is tests/unit/test_html, which prints hostile findings

Each check says what would be wrong if it failed.
"""
import base64
import csv
import hashlib
import html.parser
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

PINWATCH, TEST_HTML = "", ""

VOID = {"meta", "link", "br", "img", "input", "hr", "source", "wbr", "base", "col", "embed", "area", "track"}
# What the report is made of. Anything else came in through a log.
TAGS = set("""a article b bdi body caption circle code dd defs details div dl dt figcaption figure footer g h1 h2 h3
    h4 head header html li line main meta nav ol p path pre rect section small span strong style summary svg table tbody
    td text tfoot th thead time title tr ul use""".split())
ATTRIBUTES = set("""aria-hidden aria-label aria-labelledby charset class content d datetime height href http-equiv id
    lang name open r role rx scope tabindex title viewbox width x x1 x2 y y1 y2""".split())


class Page(html.parser.HTMLParser):
    """Parses a page and notes what is not as it should be."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.stack, self.problems, self.ids, self.links = [], [], [], []
        self.headings, self.metas, self.text, self.style = [], {}, [], ""
        self.feed(text)
        self.close()
        if self.stack:
            self.problems.append(f"never closed: {self.stack}")

    def handle_starttag(self, tag, attrs):
        if tag not in TAGS:
            self.problems.append(f"line {self.getpos()[0]}: element <{tag}>")
        for name, value in attrs:
            if name not in ATTRIBUTES:
                self.problems.append(f"line {self.getpos()[0]}: attribute {name} of <{tag}>")
            if name == "href":
                self.links.append(value)
            if name == "id":
                self.ids.append(value)
        if tag == "meta":
            given = dict(attrs)
            self.metas[given.get("name") or given.get("http-equiv") or "charset"] = given.get("content")
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if not self.stack or self.stack[-1] != tag:
            self.problems.append(f"line {self.getpos()[0]}: </{tag}> closes {self.stack[-1:]}")
        else:
            self.stack.pop()

    def handle_comment(self, data):
        self.problems.append(f"line {self.getpos()[0]}: a comment")

    def handle_data(self, data):
        if self.stack and self.stack[-1] == "style":
            self.style += data
        else:
            self.text.append(data)


def run(*args):
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode not in (0, 4):
        raise AssertionError(f"{args} gave {done.returncode}: {done.stderr.decode(errors='replace')[-800:]}")
    return done.stdout


class Checks(unittest.TestCase):
    """What holds for every report."""

    def check_page(self, raw):
        text = raw.decode("utf-8")  # a page that is not UTF-8 is shown as a browser guesses
        page = Page(text)
        self.assertEqual(page.problems, [], "the page holds what the report never writes")
        self.assertEqual(len(page.ids), len(set(page.ids)), "a link would lead to the wrong place")
        for link in page.links:
            self.assertTrue(link.startswith("#"), f"{link}: the report would load or lead elsewhere")
            self.assertIn(link[1:], page.ids, "a link leads nowhere")
        self.assertNotRegex(page.style, r"url\(|@import|expression", "the style sheet would load something")
        self.assertNotRegex(text.replace("&#39;", ""), r"(?i)<script|javascript:\S*['\"]>", "script")
        bad = re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]", text)
        self.assertEqual(bad, [], "characters that reorder or hide text reach the reader")
        policy = page.metas["Content-Security-Policy"]
        digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
        self.assertIn("default-src 'none'", policy, "without it a browser would run and load anything")
        self.assertIn(f"'sha256-{digest}'", policy, "a browser would refuse the report's own style sheet")
        self.assertNotIn("unsafe", policy, "foreign styles would be taken")
        self.assertEqual(page.headings.count(1), 1, "a screen reader's outline has no one top")
        for before, after in zip(page.headings, page.headings[1:]):
            self.assertLessEqual(after, before + 1, "a screen reader's outline skips a level")
        return page


class Hostile(Checks):
    def test_every_field_hostile(self):
        page = self.check_page(run(TEST_HTML, "--html"))
        self.assertIn("<script>alert(1)</script>", "".join(page.text), "what the log said must be readable as text")

    def test_more_than_are_told_in_full(self):
        page = self.check_page(run(TEST_HTML, "--many"))
        self.assertIn("The 200 most important are told in full", "".join(page.text))

    def test_csv_round_trip(self):
        text = run(TEST_HTML, "--csv").decode("utf-8")
        rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
        self.assertEqual(len(rows), 7, "a row was split or lost by what a log said")
        for row in rows:
            self.assertNotIn(None, row, "a row has more cells than the header")
            self.assertNotIn(None, row.values(), "a row has fewer cells than the header")
            for name, cell in row.items():
                if name != "score_db":
                    self.assertNotRegex(cell, r"\A[=+\-@\t\r]", f"a spreadsheet would run {name}")
        self.assertTrue(rows[0]["app"].startswith("'=1+1<script>"), rows[0]["app"])
        self.assertEqual(float(rows[0]["score_db"]), 25.0)


class Fleet(Checks):
    """The fleet of the demonstration, whole."""

    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory()
        fleet = os.path.join(cls.dir.name, "fleet")
        run(PINWATCH, "sim", "--seed", "1", "--garbage", "--disorder", "--out", fleet)
        cls.conf = os.path.join(fleet, "pinwatch.yaml")
        cls.page = cls.scan("html")
        cls.findings = [json.loads(line) for line in cls.scan("jsonl").splitlines()]

    @classmethod
    def tearDownClass(cls):
        cls.dir.cleanup()

    @classmethod
    def scan(cls, form, *more):
        return run(PINWATCH, "scan", "-q", "-c", cls.conf, "--output", form, *more)

    def test_page(self):
        page = self.check_page(self.page)
        self.assertLess(len(self.page), 300_000, "too large to be mailed around")
        for finding in self.findings:
            self.assertIn("f-" + finding["uid"], page.ids, "a finding is missing from the report")
        text = "".join(page.text)
        for part in ("Evidence over time", "Score and risk", "Could it be something else?", "Devices", "Records",
                     "Judged with", "How to read it"):
            self.assertIn(part, text)

    def test_score_adds_up(self):
        """Or the waterfall would show another score than the finding has."""
        tables = re.findall(r'<table class="waterfall">.*?</table>', self.page.decode(), re.S)
        self.assertEqual(len(tables), sum(f["kind"] == "pinning" for f in self.findings))
        for table in tables:
            *terms, score = [float(n) for n in re.findall(r'<td class="n">([-+][\d.]+)</td>', table)]
            self.assertAlmostEqual(sum(terms), score, places=2)
            for share in re.findall(r'="(-?[\d.]+)%"', table):
                self.assertTrue(0 <= float(share) <= 100, "a bar would leave its cell")

    def test_same_input_same_page(self):
        """Or a report could not be compared with the last one."""
        self.assertEqual(self.page, self.scan("html"))

    def test_most_severe_first(self):
        """Or the analyst's five minutes go to the wrong finding."""
        rank = ["high", "medium", "low", "informational"]
        pinning = [f for f in self.findings if f["kind"] == "pinning"]
        severity = {f["uid"]: (rank.index(f["severity"]), -f["score_db"]) for f in pinning}
        order = [u for u in re.findall(r'<article [^>]*id="f-([-0-9a-f]+)"', self.page.decode()) if u in severity]
        self.assertEqual(len(order), len(pinning))
        self.assertEqual([severity[u] for u in order], sorted(severity[u] for u in order))

    def test_all_adds_a_table(self):
        everything = self.scan("html", "--all")
        self.check_page(everything)
        for line in self.scan("jsonl", "--all").splitlines():
            self.assertIn(json.loads(line)["uid"].encode(), everything, "--all leaves a finding out")

    def test_csv_says_what_json_says(self):
        rows = list(csv.DictReader(io.StringIO(self.scan("csv").decode(), newline=""), strict=True))
        self.assertEqual([r["uid"] for r in rows], [f["uid"] for f in self.findings])
        for row, finding in zip(rows, self.findings):
            for name in ("kind", "verdict", "severity", "confidence", "first_seen", "last_seen"):
                self.assertEqual(row[name], finding[name] or "")
            self.assertEqual(float(row["score_db"]), finding["score_db"])
            self.assertEqual(int(row["risk"]), finding["risk"])
            self.assertEqual(int(row["devices"]), len(finding["devices"]))
            self.assertEqual(int(row["failures"]), sum(d["failures"] for d in finding["devices"]))
            if finding["kind"] == "pinning":
                self.assertEqual(row["host"], finding["destination"]["host"])
                self.assertEqual(row["app"], finding["app"]["bundle_id"] or "")
                self.assertEqual(row["controls_met"].split("; ") if row["controls_met"] else [],
                                 finding["controls"]["met"])


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    PINWATCH, TEST_HTML = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:], verbosity=1)
