"""What a backtest says of the past: backtest.py PINWATCH

If it fails, a setting that was tried is not what a scan with it would have given, a change goes unsaid or is given a wrong
reason, or precision and recall are not those of `pinwatch score`: people would choose settings by it that do something else.
"""
import json
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as tree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "daemon"))
from daemon import Folder, difference, make_fleet, run  # noqa: E402

BINARY = os.path.abspath(sys.argv[1])
FOLDER = pathlib.Path(__file__).resolve().parent.parent / "cases" / "scan" / "path_a_fast_at_time_window"
CASE = [FOLDER / "access.log", FOLDER / "edr.jsonl"]


def pinwatch(*words, cwd=None, codes=(0,)):
    done = subprocess.run([BINARY, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd,
                          check=False, timeout=120)
    assert done.returncode in codes, f"{words}: exit {done.returncode}: {done.stderr[-1500:]}"
    return done.stdout


def backtest(*words, cwd=None, codes=(0,)):
    return json.loads(pinwatch("backtest", "-q", "-o", "json", *words, cwd=cwd, codes=codes))


def findings(text):
    return {f["uid"]: f for f in map(json.loads, text.splitlines())}


# ---- a setting is a scan with it

SWEEPS = ["InspectionFailureThreshold=1..8", "TimeWindow=30s,5m,10m,40m,3h", "ForegroundStateRequired=true,false",
          "AllowedAppList=[],fleet/apps.yaml,more apps.yaml,[{app: com.acme.*}]",
          "AllowedDestinationList=[],[fleet/destinations.yaml, {destination: .plaza.test}]"]
VALUES = {"InspectionFailureThreshold": [str(n) for n in range(1, 9)], "TimeWindow": ["30s", "5m", "10m", "40m", "3h"],
          "ForegroundStateRequired": ["true", "false"],
          "AllowedAppList": ["[]", "fleet/apps.yaml", "more apps.yaml", "[{app: com.acme.*}]"],
          "AllowedDestinationList": ["[]", "[fleet/destinations.yaml, {destination: .plaza.test}]"]}


def same_as_scan():
    for options in (["--seed", "3"], ["--seed", "4", "--profile", "canonical"]):
        with Folder("backtest") as folder:
            make_fleet(BINARY, folder / "fleet", "--devices", "14", "--days", "3", *options)
            (folder / "more apps.yaml").write_text("- {app: com.glow.*, owner: o, reason: r, expires: 2026-11-17}\n")
            for sweep in SWEEPS:
                element = sweep.split("=")[0]
                backtest("--files", "-c", "fleet/pinwatch.yaml", "--sweep", sweep, "--findings", element, cwd=folder)
                files = sorted((folder / element).iterdir())
                assert len(files) == len(VALUES[element]) + 1, files
                for file, value in zip(files, [None, *VALUES[element]]):
                    more = ["--set", f"{element}={value}"] if value is not None else []
                    expected = pinwatch("scan", "-q", "-c", "fleet/pinwatch.yaml", "--all", "-o", "jsonl", *more, cwd=folder)
                    assert file.read_text() == expected, \
                        f"{options} {element}={value}: {difference(findings(expected), findings(file.read_text()))}"
                    assert len(expected) > 10000, "the fleet gives next to nothing"


def combinations():
    """Sets and several sweeps: the last one turns fastest, and each is a scan with all of them."""
    with Folder("backtest") as folder:
        make_fleet(BINARY, folder / "fleet", "--devices", "6", "--days", "2")
        result = backtest("--files", "-c", "fleet/pinwatch.yaml", "--set", "AllowedAppList=[]", "--sweep", "TimeWindow=5m,1h",
                          "--sweep", "InspectionFailureThreshold=2,4", "--findings", "out", cwd=folder)
        labels = [s["label"] for s in result["settings"]]
        assert labels == ["in force"] + [f"AllowedAppList=[] TimeWindow={w} InspectionFailureThreshold={n}"
                                         for w in ("5m", "1h") for n in (2, 4)], labels
        assert (result["swept"], result["fixed"]) == ("TimeWindow, InspectionFailureThreshold", "AllowedAppList=[]")
        files = sorted((folder / "out").iterdir())
        for label, file in list(zip(labels, files))[1:]:
            sets = [word for one in label.split() for word in ("--set", one)]
            assert file.read_text() == pinwatch("scan", "-q", "-c", "fleet/pinwatch.yaml", "--all", "-o", "jsonl", *sets,
                                                cwd=folder), label


def ranges():
    """A range is the list that it stands for."""
    for sweep, values in (("InspectionFailureThreshold=2..8/3", ["2", "5", "8"]), ("InspectionFailureThreshold=4..4", ["4"]),
                          ("InspectionFailureThreshold=1, 3..4 ,9", ["1", "3", "4", "9"]), ("TimeWindow=1h..3h", ["1h", "2h", "3h"]),
                          ("TimeWindow=5m..12m/5m", ["5m", "10m"]), ("TimeWindow=90s..100s/5s", ["1m30s", "1m35s", "1m40s"]),
                          ("analytic.foregroundstaterequired=false", ["false"])):
        result = backtest("--sweep", sweep, *CASE)
        got = [s["label"].split("=")[1] for s in result["settings"][1:]]
        assert got == values, f"{sweep}: {got}"


# ---- every change is named, with its reason

def shown(f):
    return f is not None and (f["kind"] != "pinning" or f["verdict"] in ("confirmed", "suspected"))


def judged(f):
    """What of a finding is judgement: no wording, no places of records, no settings."""
    f = {k: v for k, v in f.items() if k not in ("evidence", "analytic", "revision")}
    f["contributions"] = {c["term"]: c["db"] for c in f["contributions"]}
    f["rivals"] = {r["name"]: r["status"] for r in f["rivals"]}
    f["risk_factors"] = {r["factor"]: r["points"] for r in f["risk_factors"]}
    return f


def side(f):
    return f and {k: f[k] for k in ("verdict", "explained_by", "score_db", "confidence", "risk", "severity", "paths")}


def every_change_is_named():
    total = 0
    with Folder("backtest") as folder:
        make_fleet(BINARY, folder / "fleet", "--devices", "14", "--days", "3", "--seed", "5")
        (folder / "more apps.yaml").write_text("- {app: com.glow.*, owner: o, reason: r, expires: 2026-11-17}\n")
        for sweep in SWEEPS:
            out = folder / sweep.split("=")[0]
            result = backtest("--files", "-c", "fleet/pinwatch.yaml", "--all", "--sweep", sweep, "--findings", out, cwd=folder)
            files = [findings(file.read_text()) for file in sorted(out.iterdir())]
            for setting, after in zip(result["settings"][1:], files[1:]):
                before, expected = files[0], {}
                for uid in before.keys() | after.keys():
                    was, is_ = before.get(uid), after.get(uid)
                    if was is not None and is_ is not None and judged(was) == judged(is_):
                        continue
                    kind = {(False, True): "gained", (True, False): "lost", (True, True): "changed"}.get(
                        (shown(was), shown(is_)), "quiet")
                    expected[uid] = (kind, side(was), side(is_))
                got = {c["uid"]: (c["change"], c["before"], c["after"]) for c in setting["changes"]}
                wrong = [uid for uid in got.keys() | expected.keys() if got.get(uid) != expected.get(uid)]
                assert not wrong, f"{setting['label']}: {wrong[0]}: {got.get(wrong[0])}, expected {expected.get(wrong[0])}"
                for kind in ("gained", "lost", "changed", "quiet"):
                    assert setting[kind] == sum(k == kind for k, _, _ in expected.values()), (setting["label"], kind)
                for c in setting["changes"]:
                    assert c["reasons"] and all(r and not r.endswith(".") for r in c["reasons"]), c
                by_verdict = [f["verdict"] for f in after.values() if f["kind"] == "pinning"]
                for verdict in ("confirmed", "suspected", "explained", "observed", "expected"):
                    assert setting["findings"][verdict] == by_verdict.count(verdict), (setting["label"], verdict)
                total += len(expected)
    assert total > 50, f"only {total} changes: the sweeps show nothing"


def only(result, at=1, **wanted):
    (found,) = [c for c in result["settings"][at]["changes"] if all(c[k] == v for k, v in wanted.items())]
    return found


def reasons_by_hand():
    """The case's README takes the score apart: three rejections, first to last exactly ten minutes; -16 + 25 + 6 + 4."""
    result = backtest("--sweep", "TimeWindow=599s,10m", *CASE)
    c = only(result, change="lost", app="com.acme.bank", host="api.bank.test")
    assert (c["before"]["verdict"], c["after"]["verdict"]) == ("confirmed", "observed"), c
    # Two of three lie within a second less: not three failures, and not three short sessions.
    assert c["reasons"] == [
        "Path A (rejection) is no longer reached: at most 2 failures of one device within TimeWindow (9m59s); "
        "InspectionFailureThreshold is 3",
        "score 19.00 -> 15.00 dB",
        "short_sessions +4.00 dB is gone; it was: at least three sessions shorter than 5 s within TimeWindow"], c["reasons"]
    assert result["settings"][2]["changes"] == [] and result["settings"][2]["quiet"] == 0

    # The threshold is no part of the score.
    c = only(backtest("--set", "InspectionFailureThreshold=4", *CASE), app="com.acme.bank")
    assert c["change"] == "lost" and c["reasons"] == [
        "Path A (rejection) is no longer reached: at most 3 failures of one device within TimeWindow (10m); "
        "InspectionFailureThreshold is 4"], c
    with Folder("backtest") as folder:
        (folder / "four.yaml").write_text("analytic: {InspectionFailureThreshold: 4}\n")
        c = only(backtest("-c", folder / "four.yaml", "--set", "InspectionFailureThreshold=3", *CASE), app="com.acme.bank")
    assert c["change"] == "gained" and c["reasons"] == [
        "Path A (rejection) is reached; before: at most 3 failures of one device within TimeWindow (10m); "
        "InspectionFailureThreshold is 4"], c

    c = only(backtest("--set", "AllowedAppList=[{app: com.acme.*}]", *CASE), app="com.acme.bank")
    assert c["change"] == "lost" and c["reasons"][0] == "entry com.acme.* of AllowedAppList covers it", c
    assert c["after"]["explained_by"] == "AllowedAppList:com.acme.*", c


def record(second, kind="tls_attempt", device=1, app=None, host="api.bank.test", **more):
    r = {"kind": kind, "time": f"2026-11-24T02:{second // 60:02d}:{second % 60:02d}.000Z",
         "source": "edr" if kind == "app_activity" else "proxy", "sensor": "edr" if kind == "app_activity" else "inspection",
         "device": {"udid": f"00008110-00000000000000{device:02d}"}, "dst_endpoint": {"hostname": host, "port": 443}}
    if app:
        r["app"] = {"bundle_id": app}
    if kind == "tls_attempt":
        r.update(src_endpoint={"ip": f"10.8.0.{device}", "port": 50000 + second}, inspection="intercepted", count=1,
                 tls={"sni": host, "version": "1.3"}, outcome="client_reject")
    return json.dumps({**r, **more}) + "\n"


FINE = record(475, host="www.news.test", app="com.lumen.news", outcome="established")


def moved_connections():
    """App X named the host eight minutes before it failed there, app Y on another phone: within five minutes nothing names
    the app, and two apps known at the host leave nothing learned (docs/evidence.md, 3.6)."""
    log = (record(0, "app_activity", app="com.acme.x", event="connect") +
           record(0, "app_activity", device=2, app="com.acme.y", event="connect") +
           record(480) + record(550) + record(570) + FINE)
    with Folder("backtest") as folder:
        (folder / "log.jsonl").write_text(log)
        result = backtest("--set", "TimeWindow=5m", folder / "log.jsonl")
        lost, gained = only(result, change="lost"), only(result, change="gained")
        assert (lost["app"], gained["app"]) == ("com.acme.x", None), result["settings"][1]["changes"]
        assert lost["after"] is None and gained["before"] is None
        assert lost["reasons"] == [
            "no connection to this destination is attributed to the app any more; before by host",
            f"now, connections there count for an unknown app, which is {gained['after']['verdict']}"], lost
        assert gained["reasons"] == [
            "no connection to this destination was without a known app before",
            f"before, connections there counted for com.acme.x, which is {lost['before']['verdict']}"], gained


def background():
    """Started in the background: +25 risk on the verdict's +20, and without ForegroundStateRequired neither."""
    log = record(470, "app_activity", app="com.acme.x", event="launched", app_state="background") + FINE
    log += "".join(record(s, app="com.acme.x") for s in (480, 550, 620))
    with Folder("backtest") as folder:
        (folder / "log.jsonl").write_text(log)
        c = only(backtest("--set", "ForegroundStateRequired=false", folder / "log.jsonl"), app="com.acme.x")
    assert c["change"] == "changed" and c["before"]["verdict"] == c["after"]["verdict"] == "confirmed", c
    assert c["reasons"] == ["risk 45 -> 20", "severity medium -> informational",
                            "risk of background +25 is gone; it was: 3 of 3 attempts started in background or on a "
                            "locked device"], c["reasons"]


# ---- a part of the past

def period():
    """Bounds leave what a scan of the records between them gives: connections of the period, the rest from its beginning."""
    since, until = "2026-11-17T09:30:00.000Z", "2026-11-18T12:00:00.000Z"
    with Folder("backtest") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "10", "--days", "3", "--profile", "canonical")
        cut, left = folder / "cut", 0
        cut.mkdir()
        for file in fleet.iterdir():
            lines = file.read_text().splitlines(keepends=True)
            if file.suffix == ".jsonl" or file.suffix == ".ndjson":
                kept = [line for line in lines if line.startswith("{") and json.loads(line)["time"] < until and
                        (json.loads(line)["kind"] != "tls_attempt" or json.loads(line)["time"] >= since)]
                left += len(lines) - len(kept)
                lines = kept
            (cut / file.name).write_text("".join(lines))
        result = backtest("--files", "-c", fleet / "pinwatch.yaml", "--since", since, "--until", until, "--sweep",
                          "InspectionFailureThreshold=3,4", "--findings", folder / "out", codes=(0, 4))
        assert result["outside"] > 100 and result["outside"] == left, (result["outside"], left)
        assert (result["since"], result["until"]) == (since, until), result["since"]
        for file, n in zip(sorted((folder / "out").iterdir()), (3, 3, 4)):
            expected = findings(pinwatch("scan", "-q", "-c", cut / "pinwatch.yaml", "--all", "-o", "jsonl", "--set",
                                         f"InspectionFailureThreshold={n}", codes=(0, 4)))
            words = difference(expected, findings(file.read_text()), places=False)
            assert not words and len(expected) > 20, words


# ---- truth

def agrees_with_score():
    recalls = set()
    with Folder("backtest") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "14", "--days", "3", "--seed", "6")
        result = backtest("--files", "-c", fleet / "pinwatch.yaml", "--sweep", "InspectionFailureThreshold=2..5", "--truth",
                          fleet / "truth.json", "--findings", folder / "out")
        for setting, file in zip(result["settings"], sorted((folder / "out").iterdir())):
            score = json.loads(pinwatch("score", "-o", "json", fleet / "truth.json", file))
            for key in ("precision", "recall", "f1", "true_positive", "false_positive", "false_negative", "true_negative"):
                assert setting["truth"][key] == score[key], (setting["label"], key, setting["truth"], score[key])
            recalls.add(setting["truth"]["recall"])
    assert len(recalls) > 1, "every setting finds the same: the sweep shows nothing"


# ---- outputs

def chart():
    """One well-formed SVG that fetches nothing, holds no script and says its numbers, also with hostile names."""
    with Folder("backtest") as folder:
        fleet = make_fleet(BINARY, folder / "fleet", "--devices", "6", "--days", "2")
        hostile = "a<script>\"'&\u202e.yaml"
        (folder / hostile).write_text("- {app: com.acme.*, owner: o, reason: r, expires: 2027-01-01}\n")
        words = ["--files", "-c", fleet / "pinwatch.yaml", "--sweep", "InspectionFailureThreshold=2..6", "--sweep",
                 f"AllowedAppList=[],{hostile}", "--truth", fleet / "truth.json"]
        text = pinwatch("backtest", "-q", "-o", "svg", *words, cwd=folder)
        root = tree.fromstring(text)
        result = backtest(*words, cwd=folder)
    said = "".join(root.itertext())
    for setting in result["settings"]:
        f = setting["findings"]
        assert f"{f['confirmed']} confirmed, {f['suspected']} suspected" in said, setting["label"]
    names = {e.tag.split("}")[1] for e in root.iter()}
    assert names <= {"svg", "title", "desc", "style", "rect", "path", "text", "g", "circle"}, names
    assert text.count("http") == 1 and "url(" not in text and "@import" not in text, "it fetches something"
    assert not [k for e in root.iter() for k in e.attrib if k.startswith("on") or "href" in k]
    assert "prefers-color-scheme:dark" in text and "\u202e" not in text
    columns = [e for e in root.iter("{http://www.w3.org/2000/svg}rect") if e.get("class") == "confirmed"]
    assert len(columns) == 11 + 1, len(columns)  # and the legend's


def table():
    text = pinwatch("backtest", "-q", "--sweep", "InspectionFailureThreshold=4..6", *CASE)
    assert "lost    com.acme.bank api.bank.test: confirmed -> observed" in text, text
    assert text.count("at most 3 failures of one device") == 1, "neighbours that do the same are said to, once"
    assert "InspectionFailureThreshold=6: 0 gained, 1 lost, 0 changed: the same as 5" in text, text
    hostile = record(480, app="com.evil\x1b[31m") + record(550, app="com.evil\x1b[31m") + record(620, app="com.evil\x1b[31m")
    with Folder("backtest") as folder:
        (folder / "log.jsonl").write_text(hostile + FINE)
        text = pinwatch("backtest", "-q", "--set", "InspectionFailureThreshold=9", folder / "log.jsonl")
    assert "com.evil" in text and "\x1b" not in text, text


if __name__ == "__main__":
    sys.exit(run([("every setting of a sweep is a scan with it, byte for byte", same_as_scan),
                  ("sets and sweeps together", combinations),
                  ("ranges", ranges),
                  ("every change is named, and nothing else", every_change_is_named),
                  ("reasons, reasoned by hand", reasons_by_hand),
                  ("connections that count for another app", moved_connections),
                  ("background starts", background),
                  ("since and until: a scan of the records between", period),
                  ("precision and recall are those of score", agrees_with_score),
                  ("the chart stands alone", chart),
                  ("the table", table)]))
