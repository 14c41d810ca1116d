#!/usr/bin/python3
"""The analytic as MITRE publishes it: tests/analytic_published.py PINWATCH [FOLDER]

Gives `pinwatch analytic` the ATT&CK objects that lie beside the project (../shared/analytic by default): each version of
AN1726 alone, and all objects merged into one bundle, as STIX 2.0 and as 2.1. What is expected is read from those objects
here, or is a fact of ATT&CK (ids, versions). They keep MITRE's terms and are no part of the project; where they are not
there, this says so and succeeds.
"""
import copy
import glob
import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
PROGRAM = os.path.join(ROOT, "build", "pinwatch")
FOLDER = os.path.join(os.path.dirname(ROOT), "shared", "analytic")

CURRENT = ("AN1726.json", "AN1726_v19.1.json")
OLDER = "AN1726_v18.1.json"
ELEMENTS = ["TimeWindow", "AllowedAppList", "AllowedDestinationList", "ForegroundStateRequired", "InspectionFailureThreshold"]
COMPONENTS = {"iOS:MDMLog": "DC0114", "MobileEDR:telemetry": "DC0123", "NSM:Flow": "DC0085", "NSM:Inspection": "DC0085"}
# What became of the one line of v18.1: all texts, five elements and four log sources came, one log source went.
OLDER_DRIFT = sorted(["version", "description", "source_added"] + 5 * ["element_missing"] + 4 * ["source_missing"])


def read(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as f:
        return json.load(f)


def analytic(bundle):
    return bundle["objects"][0]


def plain(text):
    return " ".join(text.lower().split())


def texts(o):
    """Every published sentence of an analytic, and where it stands: (kind of its drift, holder, key)."""
    yield "description", o, "description"
    for source in o.get("x_mitre_log_source_references", []):
        yield "source_channel", source, "channel"
    for element in o.get("x_mitre_mutable_elements", []):
        yield "element_meaning", element, "description"


def run(*args):
    return subprocess.run([PROGRAM, "analytic", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=dict(os.environ, TZ="UTC"), timeout=60, check=False)


class Published(unittest.TestCase):
    def told(self, *paths):
        done = run("--output", "json", *(arg for path in paths for arg in ("--bundle", path)))
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def told_of(self, bundle):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "bundle.json")
            with open(path, "w", encoding="utf-8") as f:
                json.dump(bundle, f)
            return self.told(path)

    def assert_as_published(self, told, o):
        """What is told of the bundle is what the object says."""
        bundle = told["bundle"]
        self.assertEqual(bundle["id"], "AN1726")
        self.assertEqual(bundle["name"], "Analytic 1726")
        self.assertEqual(bundle["version"], o["x_mitre_version"])
        self.assertEqual(bundle["modified"], o["modified"])
        self.assertEqual(bundle["description"], o["description"])
        self.assertEqual([(s["name"], s["channel"]) for s in bundle["log_sources"]],
                         [(s["name"], s["channel"]) for s in o["x_mitre_log_source_references"]])
        self.assertEqual([(e["field"], e["description"]) for e in bundle["mutable_elements"]],
                         [(e["field"], e["description"]) for e in o.get("x_mitre_mutable_elements", [])])

    def assert_lineage(self, told):
        bundle = told["bundle"]
        self.assertEqual((bundle["detection_strategy"]["id"], bundle["detection_strategy"]["resolved"]), ("DET0646", True))
        self.assertEqual((bundle["technique"]["id"], bundle["technique"]["resolved"]), ("T1521.003", True))
        self.assertEqual(bundle["technique"]["name"], "SSL Pinning")

    def kinds(self, told):
        return sorted(d["kind"] for d in told["drift"])

    def test_alone_current(self):
        """Fails when the published analytic is misread, or passes for another than the one implemented."""
        for name in CURRENT:
            with self.subTest(name):
                told = self.told(os.path.join(FOLDER, name))
                self.assert_as_published(told, analytic(read(name)))
                self.assertEqual(told["bundle"]["version"], "1.1")
                self.assertEqual(told["bundle"]["stix_version"], "2.0")
                self.assertEqual([e["field"] for e in told["bundle"]["mutable_elements"]], ELEMENTS)
                self.assertEqual([s["name"] for s in told["bundle"]["log_sources"]], list(COMPONENTS))
                self.assertFalse(any(s["data_component"]["resolved"] for s in told["bundle"]["log_sources"]))
                self.assertIsNone(told["bundle"]["detection_strategy"])
                self.assertEqual(told["drift"], [])
                text = run("--bundle", os.path.join(FOLDER, name)).stdout
                self.assertIn("none: the bundle's analytic is the one implemented", text)

    def test_alone_older(self):
        """Fails when the drift since v18.1 is not told, or told in part."""
        told = self.told(os.path.join(FOLDER, OLDER))
        self.assert_as_published(told, analytic(read(OLDER)))
        self.assertEqual(told["bundle"]["version"], "1.0")
        self.assertEqual(self.kinds(told), OLDER_DRIFT)

    def merged(self, version, without=(), backwards=False):
        """All objects in one bundle: 2.0 says so on the bundle, 2.1 on each object."""
        names = sorted(os.path.basename(p) for p in glob.glob(os.path.join(FOLDER, "*.json")))
        objects = [o for name in names if name not in without for o in read(name)["objects"]]
        bundle = {"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001"}
        for o in objects:
            o.pop("spec_version", None)
            if version == "2.1":
                o["spec_version"] = "2.1"
        if version == "2.0":
            bundle["spec_version"] = "2.0"
        bundle["objects"] = objects[::-1] if backwards else objects
        return bundle

    def test_merged(self):
        """Fails when references are not resolved, or an older copy wins, in either STIX version or order."""
        newest = max((analytic(read(name)) for name in CURRENT), key=lambda o: o["modified"])
        for version in ("2.0", "2.1"):
            for backwards in (False, True):
                with self.subTest(version=version, backwards=backwards):
                    bundle = self.merged(version, backwards=backwards)
                    told = self.told_of(bundle)
                    self.assert_as_published(told, newest)
                    self.assert_lineage(told)
                    self.assertEqual(told["bundle"]["stix_version"], version)
                    self.assertEqual(told["bundle"]["objects"], len(bundle["objects"]))
                    self.assertEqual({s["name"]: s["data_component"]["id"] for s in told["bundle"]["log_sources"]},
                                     COMPONENTS)
                    self.assertEqual(told["drift"], [])

    def test_merged_older(self):
        """Fails when the drift since v18.1 is hidden by what else the corpus holds."""
        for version in ("2.0", "2.1"):
            told = self.told_of(self.merged(version, without=CURRENT))
            self.assert_lineage(told)
            self.assertEqual(told["bundle"]["version"], "1.0")
            self.assertEqual(self.kinds(told), OLDER_DRIFT)

    def test_every_text_counts(self):
        """Fails when a published sentence may change unnoticed, or a line break passes for a change."""
        published = read(CURRENT[1])
        count = len(list(texts(analytic(published))))
        self.assertEqual(count, 1 + len(COMPONENTS) + len(ELEMENTS))
        broken = copy.deepcopy(published)
        for i in range(count):
            changed = copy.deepcopy(published)
            kind, holder, key = list(texts(analytic(changed)))[i]
            holder[key] += " unless it rains"
            self.assertEqual(self.kinds(self.told_of(changed)), [kind])
            _, holder, key = list(texts(analytic(broken)))[i]
            holder[key] = "\n " + holder[key].replace(" ", "\r\n\t", 3) + " "
        self.assertEqual(self.kinds(self.told_of(broken)), [])

    def test_sibling(self):
        """Fails when the Android sibling is taken for the analytic."""
        done = run("--bundle", os.path.join(FOLDER, "AN1725.json"))
        self.assertEqual(done.returncode, 3, done.stdout)
        self.assertIn("AN1726", done.stderr)

    def test_own_words(self):
        """Fails when a text of MITRE's is shown without a bundle, or stands in the project's files."""
        places = {"analytic": run().stdout, "analytic --output json": run("--output", "json").stdout}
        for top in ("src", "formats", "docs", "tests", "console", "sim", "bench"):
            for folder, _, names in os.walk(os.path.join(ROOT, top)):
                for path in (os.path.join(folder, name) for name in names):
                    with open(path, encoding="utf-8", errors="replace") as f:
                        places[path] = f.read().replace('"', "").replace("\\", "")  # C strings over several lines
        places = {where: plain(text) for where, text in places.items()}
        for name in (*CURRENT, OLDER):
            for _, holder, key in texts(analytic(read(name))):
                text = plain(holder[key])
                if len(text) > 40:
                    self.assertEqual([where for where, shown in places.items() if text in shown], [])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        PROGRAM = os.path.abspath(sys.argv[1])
    if len(sys.argv) > 2:
        FOLDER = os.path.abspath(sys.argv[2])
    if not os.path.isdir(FOLDER):
        print(f"{FOLDER} is not there: nothing checked against MITRE's own objects")
        sys.exit(0)
    unittest.main(argv=sys.argv[:1])
