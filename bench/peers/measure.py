"""One run of a tool: processor time, wall time, peak memory, first alert, and what it found."""
import json
import os
import shutil
import subprocess
import tempfile
import time


class Failed(Exception):
    pass


class Result:
    def __init__(self):
        self.cpu = self.wall = self.peak = 0.0
        self.first = None     # seconds from the start to the first alert
        self.groups = set()
        self.findings = {}


def finding(line, result):
    """Of a whole job: the finding and, apart, its evidence, less where a record stood in a file, which
    also orders those of one time."""
    r = json.loads(line)
    for e in r["evidence"]:
        for key in ("path", "line"):
            e.pop(key, None)
    r.pop("revision")
    evidence = sorted(json.dumps(e, sort_keys=True) for e in r.pop("evidence"))
    result.findings[r["uid"]] = (r, evidence)


def take(tool, out, result, begin, replay):
    """Reads the tool's output as it comes."""
    for line in out:
        if tool.whole:
            if replay:
                finding(line, result)
            group = line
        else:
            group = tool.parse(line)
            if group:
                result.groups.add(group)
        if group and result.first is None:
            result.first = time.monotonic() - begin


def run(tool, paths, core, replay=False):
    """On one core. GNU time takes the peak: its child alone, without this process's size before exec."""
    result = Result()
    work = tempfile.mkdtemp(prefix="pinwatch-peers-")
    paths = dict(paths, work=work)
    peak = os.path.join(work, "peak")
    env = dict(os.environ, TZ="UTC", LC_ALL="C", PEERS_ARRIVAL=paths["arrival"])
    argv = ["/usr/bin/time", "-f", "%M", "-o", peak, "taskset", "-c", str(core)]
    argv += tool.argv(paths, replay)
    feeder = None
    with open(os.path.join(work, "stderr"), "w+", encoding="utf-8", errors="replace") as err:
        source = subprocess.DEVNULL
        if tool.stdin:
            feeder = subprocess.Popen(["cat", paths["file"]], stdout=subprocess.PIPE)
            source = feeder.stdout
        begin = time.monotonic()
        process = subprocess.Popen(argv, stdin=source, stdout=subprocess.PIPE, stderr=err, env=env,
                                   cwd=work, text=True, errors="replace")
        if feeder:
            feeder.stdout.close()
        take(tool, process.stdout, result, begin, replay)
        _, status, usage = os.wait4(process.pid, 0)
        result.wall = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if feeder:
            feeder.wait()
        err.seek(0)
        said = err.read().strip().splitlines()
    result.cpu = usage.ru_utime + usage.ru_stime
    with open(peak, encoding="utf-8") as f:
        result.peak = float(f.read().split()[-1]) * 1024
    shutil.rmtree(work)
    # A scan that was only partly possible (4: a sensor fell silent) is done all the same.
    if process.returncode not in ((0, 4) if tool.whole else (0,)):
        raise Failed(f"ended with {process.returncode}: {said[-1] if said else 'no message'}")
    return result
