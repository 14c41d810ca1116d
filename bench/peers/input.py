"""The records that every tool gets, in canonical form, and how their arrival is disordered.

`pinwatch sim` makes one day of a fleet; the proxy's and the flow sensor's records are enriched with
the device and the app that a log pipeline would have added, so that a rule can group by them. The
fleet's own refusals come in bursts, which no rule misses: BORDERLINE further groups of refusals,
minutes apart, are the ones on which a window decides.
"""
import json
import os
import random
import re
import subprocess
from datetime import datetime, timezone
from urllib.parse import unquote

SEED = 20261116
BORDERLINE = 3000
GAP = 400.0           # mean seconds between a borderline group's refusals
DISORDERS = [("ordered", 0), ("lag 30 s", 30), ("lag 120 s", 120), ("lag 300 s", 300),
             ("day ahead", 0)]

TIME = re.compile(r'"time":"([^"]*)"')
CLIENT = re.compile(r'"src_endpoint":\{"ip":"([^"]*)","port":(\d+)')
AGENT = re.compile(r'"app":\{"user_agent":"([^"/]*)')
HOST = re.compile(r'"sni":"([^"]*)"')


def seconds(text):
    """Of canonical time. Always the same width, in UTC."""
    return datetime.fromisoformat(text[:-1] + "+00:00").timestamp()


def canonical(t):
    t = datetime.fromtimestamp(round(t * 1000) / 1000, timezone.utc)
    return t.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def addresses(folder):
    """IP address to UDID; the day's first lease decides, which is near enough for a benchmark."""
    udid, owner = {}, {}
    with open(os.path.join(folder, "mdm.jsonl"), encoding="utf-8") as f:
        for line in f:
            r = json.loads(line)
            udid[r.get("wifi_mac")] = r["device"]["udid"]
    with open(os.path.join(folder, "lease.jsonl"), encoding="utf-8") as f:
        for line in f:
            r = json.loads(line)
            owner.setdefault(r["ip"], udid.get(r["device"].get("mac"), "IP-" + r["ip"]))
    return owner


def agents(folder):
    """An app's name, with which its user agent begins, to its bundle id."""
    bundle = {}
    with open(os.path.join(folder, "mdm.jsonl"), encoding="utf-8") as f:
        for line in f:
            for app in json.loads(line).get("apps", []):
                bundle[app["name"]] = app["bundle_id"]
    return bundle


def enriched(folder):
    """(event time, line) of both connection logs."""
    owner, bundle, app_of = addresses(folder), agents(folder), {}
    for name in ("inspection.jsonl", "flow.jsonl"):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            for line in f:
                client = CLIENT.search(line).groups()
                agent = AGENT.search(line)
                if agent:
                    product = agent.group(1)
                    app_of[client] = bundle.get(unquote(product), "com.apple." + product.lower())
                app = app_of.get(client)
                if app:
                    said = f'"bundle_id":"{app}"'
                    if agent:
                        line = line.replace('"app":{', '"app":{' + said + ',', 1)
                    else:
                        line = line.replace('"tls":{', '"app":{' + said + '},"tls":{', 1)
                device = owner.get(client[0], "IP-" + client[0])
                line = line.replace('"src_endpoint"',
                                    f'"device":{{"udid":"{device}"}},"src_endpoint"', 1)
                yield TIME.search(line).group(1), line


def borderline(lines, rng):
    """Refusals of pairs that the fleet does not have, so that each group stands alone."""
    model = next(text for _, text in lines
                 if '"sensor":"inspection"' in text and '"outcome":"client_reject"' in text)
    first = seconds(lines[0][0])
    host, ip = HOST.search(model).group(1), CLIENT.search(model).group(1)
    device = re.search(r'"udid":"([^"]*)"', model).group(1)
    for n in range(BORDERLINE):
        text = model.replace(host, f"api.edge{n % 1500}.test").replace(
            f'"{ip}"', f'"10.200.{n // 250}.{n % 250}"').replace(
            device, f"00008120-{n:016X}")
        t = first + rng.uniform(0, 60000)
        for _ in range(rng.randint(3, 6)):
            time = canonical(t)
            port = str(rng.randint(49152, 65535))
            yield time, CLIENT.sub(lambda m, p=port: m.group(0)[:m.group(0).rindex(":")] + ":" + p,
                                   TIME.sub(f'"time":"{time}"', text, count=1), count=1)
            t += rng.expovariate(1 / GAP)


def day_ahead(lines):
    """One borderline refusal, a tenth into the day, whose device's clock is a day ahead."""
    at = next(i for i in range(len(lines) // 10, len(lines)) if ".edge" in lines[i][1])
    time, text = lines[at]
    wrong = canonical(seconds(time) + 86400)
    return [(t, x) if i != at else (time, text.replace(time, wrong, 1))
            for i, (t, x) in enumerate(lines)]


def write(folder, name, lines, mean, rng):
    """In order of arrival, and when each arrived, as whole seconds."""
    if mean:
        arrivals = [(seconds(t) + rng.expovariate(1 / mean), text) for t, text in lines]
        arrivals.sort(key=lambda a: a[0])
    else:
        arrivals = [(seconds(t), text) for t, text in lines]
    stem = os.path.join(folder, name.replace(" ", "-"))
    with open(stem + ".jsonl", "w", encoding="utf-8") as f, \
            open(stem + ".arrival", "w", encoding="utf-8") as times:
        for arrived, text in arrivals:
            f.write(text)
            times.write(f"{int(arrived)}\n")


def path(folder, name):
    return os.path.join(folder, name.replace(" ", "-") + ".jsonl")


def make(pinwatch, folder, devices):
    """All files of one run; returns how many records each has."""
    fleet = os.path.join(folder, "fleet")
    subprocess.run([pinwatch, "sim", "--quiet", "--profile", "canonical", "--days", "1",
                    "--devices", str(devices), "--seed", "1", "--out", fleet], check=True)
    lines = sorted(enriched(fleet))
    lines = sorted(lines + list(borderline(lines, random.Random(SEED))))
    for i, (name, mean) in enumerate(DISORDERS):
        write(folder, name, day_ahead(lines) if name == "day ahead" else lines, mean,
              random.Random(SEED + i))
    with open(path(folder, "one"), "w", encoding="utf-8") as f:
        f.write(lines[0][1])
    with open(path(folder, "one").replace(".jsonl", ".arrival"), "w", encoding="utf-8") as f:
        f.write(f"{int(seconds(lines[0][0]))}\n")
    return len(lines)
