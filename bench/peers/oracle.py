"""The rule, as plainly as it can be said, over event time: what every tool is held against.

A group (device, app, destination) is found when any THRESHOLD of its refusals lie within WINDOW
seconds, ends included. A refusal is a record of the inspecting gateway whose outcome is client_reject.
"""
import json

from input import seconds

THRESHOLD = 3
WINDOW = 600


def refusals(path):
    groups = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            r = json.loads(line)
            if r["sensor"] != "inspection" or r["outcome"] != "client_reject":
                continue
            key = (r["device"]["udid"], r["app"]["bundle_id"], r["dst_endpoint"]["hostname"])
            # Whole milliseconds: a sum of floats must not decide at the window's edge.
            groups.setdefault(key, []).append(round(seconds(r["time"]) * 1000))
    return groups


def fires(times):
    times = sorted(times)
    return any(times[i + THRESHOLD - 1] - times[i] <= WINDOW * 1000
               for i in range(len(times) - THRESHOLD + 1))


def found(path):
    return {key for key, times in refusals(path).items() if fires(times)}
