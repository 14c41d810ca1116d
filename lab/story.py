"""A small fleet with a story, whose ending is known: which app pins, which only looks so, and which phone has no root.

Two phones run every app three times; a third, which MDM shows without the gateway's root, refuses everything. The
agent on the phone names the app of each connection, so verdicts do not hang on attribution.
"""
import dataclasses
import itertools

from clients import BANK, CHAT, GAMES, NEWS, Case

TIMES = 3  # InspectionFailureThreshold


@dataclasses.dataclass(frozen=True)
class App:
    bundle: str
    case: Case
    # What the finding has to be, by what is looked at: first match of the view's name, "" for all others.
    verdicts: dict
    times: int = TIMES


def app(bundle, client, behaviour, version, host, verdicts, alert=None, times=TIMES):
    return App(bundle, Case(client, behaviour, version, host, alert), verdicts, times)


def control(host):
    # The phone without the root refuses here, too; all else is well, so that explains it (docs/evidence.md, 7.3).
    return app(BROWSER, "curl", "trusts", "1.3", host, {"": "explained"}, times=1)


# Through sslsplit some see the end before they could ask. Never is it more than that.
ASKED = {"wire": "observed or explained", "access+wire": "observed or explained", "": "explained"}
BROWSER = "test.story.browser"
STORY = [
    # The controls: another app is fine with the same destinations under inspection. First, so that the phones are known
    # to trust the gateway.
    control(NEWS), control(BANK), control(CHAT), control(GAMES),
    # Spare connections beside good ones are no pin.
    app(BROWSER, "Python", "idle", "1.3", NEWS, {"": "explained"}, times=1),
    # Compares keys when the handshake is done. mitmproxy's event log cannot tell that from a spare connection, sslsplit's
    # not from a good one.
    app("test.story.bank", "curl", "pins", "1.3", BANK,
        {"events": "suspected", "connect+debug": "observed", "": "confirmed"}),
    # Has trust of its own and says so. sslsplit's logs show no success of anybody, so no control is met.
    app("test.story.chat", "OpenSSL s_client", "refuses", "1.3", CHAT,
        {"connect+debug": "suspected", "": "confirmed"}, alert=48),
    # Leaves without a word.
    app("test.story.games", "Python", "fin", "1.3", GAMES, {"connect+debug": "suspected", "": "confirmed"}),
    # Two apps of an origin that asks for a client certificate after the handshake (TLS 1.3). The proxies' logs name the
    # alert, or show that both apps fare alike (squid); on the wire the apps are seen to be content with the gateway.
    app("test.story.files", "curl", "trusts", "1.3", "mtls.corp.test", ASKED),
    app("test.story.mail", "curl", "trusts", "1.3", "mtls.corp.test", ASKED),
    # An origin whose certificate has expired. The client sees the gateway's page, or sslsplit's certificate, and likes it.
    app("test.story.shop", "curl", "trusts", "1.3", "expired.shop.test",
        {"wire": "observed", "connect+debug": "observed", "connect+debug+wire": "observed", "": "explained"}),
    # Pins, and is passed on by policy: nothing to find.
    app("test.story.vendor", "curl", "pins", "1.3", "exempt.vendor.test", {"": "observed"}),
]
# What the phone without the root does.
ROOTLESS = [dataclasses.replace(a, case=dataclasses.replace(a.case, client="curl", behaviour="refuses", alert=48))
            for a in STORY if a.bundle == BROWSER and a.case.client == "curl"]


def sequence(apps):
    """Who does something next: apps one after another."""
    for a in apps:
        yield from itertools.repeat(a, a.times)


def wanted(one, view):
    return one.verdicts.get(view, one.verdicts[""])


def problems(findings, view, rootless):
    """findings: of a scan with --all; rootless: the third phone's UDID."""
    by = {(f["app"]["bundle_id"], f["destination"]["host"]): f for f in findings if f["kind"] == "pinning"}
    for one in {(a.bundle, a.case.host): a for a in STORY}.values():
        want, f = wanted(one, view), by.get((one.bundle, one.case.host))
        # What nobody shows a trial of may have no finding at all.
        got = f["verdict"] if f else "observed"
        if got not in want.split(" or "):
            why = f"{f['explained_by']}; {f['score_db']} dB; {[c['because'] for c in f['contributions']]}" if f else "nothing"
            yield f"{one.bundle} at {one.case.host}: expected {want}, got {got} ({why})"
    untrusted = {d["id"] for f in findings if f["kind"] == "ca_untrusted" for d in f["devices"]}
    if untrusted != {rootless}:
        yield f"the phone without the root: expected a finding of {rootless} alone, got {sorted(untrusted) or 'none'}"
    story = {a.bundle for a in STORY}
    for f in findings:
        # A browser tries more than once by itself.
        if f["kind"] == "pinning" and f["verdict"] in ("confirmed", "suspected") and f["app"]["bundle_id"] not in story \
                and ".chromium." not in str(f["app"]["bundle_id"]):
            yield f"{f['app']['bundle_id']} at {f['destination']['host']}: {f['verdict']}, though it was tried once"
        if f["kind"] == "gateway_fault":
            yield "a gateway_fault where there was none"
