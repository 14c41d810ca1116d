"""docs/accuracy.md from a measurement (accuracy.py)."""

INTRO = """# Accuracy

How often the verdicts are right, what the parts of the judgement are worth, and what goes wrong. Everything
here is measured on **simulated fleets** (`pinwatch sim`), because their truth is known. It says that the
program does what its rules promise under the disturbances the simulator knows, no more: the rules and the
simulator stem from the same reading of the literature, and a real fleet will have troubles that neither has
thought of. The page is written by

    tests/accuracy/accuracy.py build/pinwatch --write docs/accuracy.md

and `make check` runs its short form: standard fleets of each kind must reach F1 {min_f1}.

## What is counted

A *case* is one app and one host of the fleet. It is positive when the app pins the host and nobody has
allowed that; it is *raised* when a finding of kind pinning says confirmed or suspected. A finding that does not
know its app speaks for its host. Counts of all seeds are added up before precision, recall and F1 are taken.

Each of {seeds} seeds gives a fleet of 40 phones over 5 days with every scenario (`pinwatch sim --scenario list`), in
three kinds of logs: `squid-zeek`, `mitmproxy` (the proxy's event log with times of day, a file a day; the other
logs as before) and `canonical`. `--noise` makes all of the following worse at once, and leaves the truth as it is:

| | 0 | 1 | 2 | 3 |
|---|---|---|---|---|
| phones with an agent | 3/4 | 3/8 | 1/4 | 1/9 |
| phones whose Wi-Fi address MDM does not know | 1/16 | 1/5 | 1/3 | 1/2 |
| connections that the flow sensor misses | none | 2 % | 10 % | 30 % |
| clocks against the flow sensor's: proxy, agent | 0, 0 s | +0.5, −0.3 s | +1.2, −0.7 s | +2, −1.5 s |
| phones with a bad network for up to an hour (45 % fail), a day | none | 30 % | 60 % | 90 % |
| connections cut on a good network | none | 0.5 % | 1.5 % | 3 % |
| successes with an unused spare socket beside | only one app | 10 % | 25 % | 40 % |
| bursts of a pinning app that never happen | none | 20 % | 40 % | 60 % |
| of the others, a single attempt instead of three | none | 30 % | 50 % | 70 % |
| pinned hosts that another app reaches, too | 2 | 7 | 7 | 7 |
"""

FINDINGS = """
## What stands out

- **Attribution decides.** Two of the kinds of logs carry a user agent, so that most apps are known without an agent
  on the phone; the event log of `mitmproxy` does not, and where few phones have an agent its findings are `learned`
  or without app. `learned` is wrong where a second app happens to be the only one known to reach a pinned host.
- **A finding without app mixes apps.** The successes of one refute the failures of another (`intermittent`), an entry of
  AllowedAppList cannot apply, and a second app that fails alike is not seen as one.
- **Path A wants failures close together.** One phone that tries once in a while, and once only, stays *observed*.
- **The proxy's log is indispensable**; the flow sensor is the only witness of what goes around the proxy (`opaque`)
  and of two TLS stacks in one app (`two_stacks`). MDM and leases hardly matter while most phones have an agent, and
  much where few have.
"""

NO_FALSE_ALARM = "- **Precision gives way last**: with the user agent known, no noise level brings a false alarm.\n"

NAIVE = """
## Against the rule of thumb

The rule that is often written by hand, `pinwatch score --naive`: *N or more refused certificates of one client
address and one host within ten minutes raise the host*, on the same proxy records, with the N from 1 to 20
that turns out best for each fleet — which nobody who runs it could know. Both are counted by host, and hosts on an
allow-list or documented as never inspectable are left out, since anyone would leave them out. (With them the
rule is worse still.)
"""

LOGS = """
## What a log source is worth

The same fleets scanned with all sources of one kind left out of the configuration. Counts are sums over the
{runs} fleets of one noise level ({seeds} seeds, three kinds of logs); *confirmed* are pins with that verdict. *What
then goes wrong* names scenarios, most frequent first, of both levels, together with the few that go wrong anyway.
"""

CONTROLS = """
## What a control is worth

There is no switch to turn a control off, and none is wanted. Each finding's JSON says what its controls
contributed, so it is judged again without: the decibans taken off (under the cap of 20 that controls share), the
thresholds applied anew. (With nothing taken away, {unlike} of {judged} findings come out otherwise than the program
said.) A control that is taken away still refutes rivals here. Controls tell a *confirmed* pin from
a *suspected* one: what they are worth shows in that column rather than in F1, which counts both as raised.
"""

RIVALS = """
## What a rival is worth

Likewise, with the rival treated as untested: false alarms that it spares. What `ca_untrusted` and `gateway_fault`
exclude from counting cannot be put back from the finding alone; three or more excluded attempts are taken to reach
path A, with the most decibans they could add, so **these two rows are upper bounds**. They also leave out what the two
say themselves: which phone, which minutes to repair.
"""

FLAWS = """
## Every miss and every false alarm

By noise level and kind of logs, with the seeds where it happened.
"""


def table(heading, rows):
    lines = ["| " + " | ".join(heading) + " |", "|" + "---|" * len(heading)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def number(x):
    return f"{x:.3f}"


def main_rows(m):
    for (profile, noise), t in sorted(m.main.items(), key=lambda item: (item[0][1], item[0][0])):
        yield (noise, f"`{profile}`", number(t.precision), number(t.recall), f"**{t.f1:.3f}**", number(min(t.f1s)),
               f"{t.tp} / {t.tp + t.fn}", t.confirmed, t.fp)


def naive_rows(m):
    for (profile, noise), thresholds in sorted(m.thresholds.items(), key=lambda item: (item[0][1], item[0][0])):
        rule, own = m.naive[(profile, noise, "unlisted")], m.by_host[(profile, noise, "unlisted")]
        span = f"{min(thresholds)}" if min(thresholds) == max(thresholds) else f"{min(thresholds)}–{max(thresholds)}"
        yield (noise, f"`{profile}`", span, number(rule.precision), number(rule.recall), f"**{rule.f1:.3f}**",
               f"**{own.f1:.3f}**", number(m.naive[(profile, noise, "all")].f1), number(m.by_host[(profile, noise, "all")].f1))


def change(t, base):
    return f"{t.f1 - base.f1:+.3f}" if abs(t.f1 - base.f1) >= 0.0005 else "0"


def harm(m, kind, noises):
    counts = sum((m.harm[(kind, n)] for n in noises), start=type(m.harm[(kind, noises[0])])())
    return "; ".join(f"{flaw} {scenario} × {n}" for (flaw, scenario), n in counts.most_common(6)) or "nothing"


def ablation_rows(m, group, noises, title, extra=None):
    names = dict.fromkeys(name for g, name, _ in m.ablations if g == group)
    for name in names:
        row = [title(name)]
        for noise in noises:
            t, base = m.ablations[(group, name, noise)], m.ablations[("", "everything", noise)]
            row += [change(t, base), f"{t.fn - base.fn:+d}", f"{t.fp - base.fp:+d}", f"{t.confirmed - base.confirmed:+d}"]
        yield row + ([extra(name)] if extra else [])


def ablation_heading(first, noises):
    return [first] + [f"{what}, noise {n}" for n in noises for what in ("ΔF1", "missed", "false alarms", "confirmed")]


def base_line(m, noises):
    parts = []
    for noise in noises:
        t = m.ablations[("", "everything", noise)]
        parts.append(f"noise {noise}: F1 {t.f1:.3f}, {t.tp} of {t.tp + t.fn} pins found, {t.confirmed} of them confirmed, "
                     f"{t.fp} false alarms")
    return "\nWith everything — " + "; ".join(parts) + ". Changes against that:\n\n"


def seeds_text(seeds):
    return ", ".join(map(str, sorted(seeds)))


def repair_rows(m, noises):
    for kind in ("ca_untrusted", "gateway_fault"):
        for noise in noises:
            found, missed, others = m.repairs[(kind, noise)]
            guests = m.guests[noise] if kind == "ca_untrusted" else 0
            yield (f"`{kind}`", noise, f"{found} / {found + missed}", guests, others - guests)


def page(m, seeds, noises, ablated, ablated_seeds, log_sources):
    out = [INTRO.format(seeds=seeds, min_f1=0.98), "\n## Results\n\n"]
    out.append(table(["noise", "logs", "precision", "recall", "F1", "worst seed's F1", "pins found", "confirmed",
                      "false alarms"], main_rows(m)))
    out.append("\nThings to repair, which are findings of their own (all kinds of logs together):\n\n")
    out.append(table(["finding", "noise", "found", "guest network", "others"], repair_rows(m, noises)))
    out.append("\n*Guest network*: a phone that spends an afternoon on the guest network, whose gateway no phone trusts. Where "
               "nothing joins\nthat address to the phone, it is a client whose every connection fails, and is reported as "
               "one: true, if not useful.\n")
    agent_known = sum(t.fp for (profile, _), t in m.main.items() if profile != "mitmproxy")
    out += [FINDINGS, "" if agent_known else NO_FALSE_ALARM, NAIVE, "\n"]
    out.append(table(["noise", "logs", "best N", "rule's precision", "rule's recall", "rule's F1", "pinwatch's F1",
                      "rule's F1, all hosts", "pinwatch's F1, all hosts"], naive_rows(m)))
    runs = ablated_seeds * len({profile for profile, _ in m.main})
    out += [LOGS.format(runs=runs, seeds=ablated_seeds), base_line(m, ablated)]
    out.append(table(ablation_heading("without", ablated) + ["what then goes wrong"],
                     ablation_rows(m, "log source", ablated, lambda k: log_sources[k], lambda k: harm(m, k, ablated))))
    out += [CONTROLS.format(judged=f"{m.judged:,}", unlike=m.unlike), "\n"]
    out.append(table(ablation_heading("without", ablated),
                     ablation_rows(m, "control", ablated, lambda k: "all three" if k == "all" else f"`{k}`")))
    out += [RIVALS, "\n"]
    out.append(table(ablation_heading("without", ablated),
                     ablation_rows(m, "rival", ablated, lambda k: "all seven" if k == "all" else f"`{k}`")))
    out += [FLAWS, "\n"]
    rows = [(noise, f"`{profile}`", flaw, f"{scenario}: {case}", verdict, reason, seeds_text(where))
            for (noise, profile, flaw, scenario, case, verdict, reason), where in sorted(m.flaws.items())]
    out.append(table(["noise", "logs", "flaw", "case", "verdict", "why", "seeds"], rows) if rows else "None.\n")
    return "".join(out)
