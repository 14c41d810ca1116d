"""What pinwatch has to make of it, reasoned from what a client did (clients.py) and from what each sensor can see of that.

The wire shows all a client does but its encrypted alerts' numbers. Each proxy's log shows less, each in its own way; that is
written out here beside the rule, and not copied from any output. The class of an attempt is what its outcome counts as:

    fine      the client accepted the certificate and used the connection
    hard, silent, late     a failure, as docs/evidence.md sorts them
    cancel    the user left
    rival     the origin failed; nothing is said against the client
    passed    it was not inspected
    nothing   this sensor cannot tell
"""
import dataclasses

CLASS = {
    "established": "fine", "client_reject": "hard", "client_reject_validity": "silent", "client_silent_close": "silent",
    "established_no_data": "late", "client_cancel": "cancel", "mutual_tls": "rival", "upstream_failed": "rival",
    "tls_mismatch": "rival", "incomplete": "nothing", "unknown": "nothing",
}
ORIGIN = {"mtls.corp.test", "mtls12.corp.test", "expired.shop.test"}
EXEMPT = "exempt.vendor.test"


def did(case):
    """The class of what the client did with the certificate that it was shown."""
    if case.behaviour == "trusts":
        return "fine"
    if case.client == "Node":
        # It verifies once the handshake is done: over TLS 1.2 its Finished is out by then, over TLS 1.3 not yet.
        return "late" if case.version == "1.2" else "silent"
    if case.alert:
        return "hard"
    return {"pins": "late", "late": "late", "idle": "late", "fin": "silent", "rst": "silent", "notify": "silent",
            "cancel": "cancel"}[case.behaviour]


@dataclasses.dataclass(frozen=True)
class Sight:
    """What one sensor has to say of a case: one of these classes, and nothing else."""

    classes: frozenset
    weak: bool = None             # of a late one; None: not looked at
    also: frozenset = frozenset() # what may be said beside it

    def __str__(self):
        return " or ".join(sorted(self.classes)) + {True: ", weak", False: ", not weak", None: ""}[self.weak]


def sight(*classes, weak=None, also=()):
    return Sight(frozenset(classes), weak, frozenset(also))


def wire(case, proxy):
    if case.host == EXEMPT:
        # It likes the origin's own certificate as little: but that was handed on.
        return sight("passed" if proxy != "sslsplit" else "late")
    if case.host in ORIGIN:
        # sslsplit looks at the origin before it answers the client.
        if proxy == "sslsplit" and case.host == "mtls12.corp.test":
            return sight("rival")
        if proxy == "sslsplit" and case.host == "mtls.corp.test":
            # It leaves the client when the origin has refused: before its ServerHello (it asks for another group
            # first), or when the client is done with the handshake and had no time to ask, which is late and weak.
            return sight("nothing", "fine", "rival", "late", weak=True)
        return sight("fine", "rival")
    what = did(case)
    return sight(what, weak=case.behaviour == "idle" if what == "late" else None)


def origin(case, proxy):
    """Where the origin fails: what the proxy says of it. The client did nothing wrong."""
    if proxy == "sslsplit":
        # It verifies no origin; and over TLS 1.3 the origin's answer to a missing certificate comes after the handshake.
        return sight("nothing") if case.host == "expired.shop.test" else sight("rival")
    if case.host == "mtls.corp.test":
        # mitmproxy hands the request on and gets the refusal then. squid drops its connection to the origin and lets
        # the client wait, so there mostly is no inner request: only a second app (rival mutual_tls) tells it from a
        # late refusal.
        return sight("rival", also=["fine"]) if proxy == "mitmproxy" else sight("late", "rival")
    # The add-on tells of the request first.
    return sight("rival", also=["fine"])


def events(case):
    """mitmproxy's event log."""
    if case.host == EXEMPT:
        return sight("late", weak=True)  # it does not say that it passed it on: `ignore_hosts` does
    if case.host in ORIGIN:
        return origin(case, "mitmproxy")
    what = did(case)
    if what == "cancel":
        return sight("silent")  # a warning alert is skipped by OpenSSL, what follows is the end
    return sight(what, weak=True if what == "late" else None)


def addon(case):
    """mitmproxy with the add-on."""
    if case.host == EXEMPT:
        return sight("passed")
    if case.host in ORIGIN:
        return origin(case, "mitmproxy")
    what = did(case)
    if what == "cancel":
        return sight("silent")
    return sight(what, weak=case.behaviour == "idle" if what == "late" else None)


def squid(case):
    if case.host == EXEMPT:
        return sight("passed")
    if case.host in ORIGIN:
        return origin(case, "squid")
    what = did(case)
    # The CONNECT is logged when the handshake is done, before anybody knows of a request.
    return sight("silent") if what == "cancel" else sight(what, also=["late"] if what == "fine" else [])


def sslsplit(case):
    """Connection log and debug log together."""
    if case.host == EXEMPT:
        return None  # it never came there
    if case.host in ORIGIN:
        return origin(case, "sslsplit")
    what = did(case)
    if case.behaviour in ("rst", "notify"):
        return sight("silent", "nothing")  # it mostly notes the end, and not whose it was
    # Once the handshake is over it says nothing of what follows.
    return sight("nothing") if what in ("fine", "late") else sight("silent" if what == "cancel" else what)


LOGS = {"mitmproxy": {"events": events, "addon": addon}, "squid": {"access": squid},
        "sslsplit": {"connect+debug": sslsplit}}


def class_of(observation):
    if observation.get("inspection") == "bypassed":
        return "passed"
    return CLASS[observation["outcome"]]


def compare(want, observations, chromium=False):
    """What is wrong with the observations of one case; empty if nothing."""
    if want is None:
        return f"not expected, but said to be {[o['outcome'] for o in observations]}" if observations else ""
    if not observations:
        return f"expected {want}, but nothing is said of it"
    got = [class_of(o) for o in observations]
    allowed = want.classes | want.also
    if chromium:
        # It opens a spare connection with each navigation, and may drop one unused.
        allowed |= {"nothing"} | ({"late"} if "fine" in allowed else set())
    if not want.classes & set(got) or not set(got) <= allowed:
        return f"expected {want}, got {', '.join(o['outcome'] for o in observations)}"
    weak = {bool(o.get("weak_late")) for o, c in zip(observations, got) if c == "late"}
    if want.weak is not None and weak - {want.weak} and not chromium:
        return f"expected {want}, got it {'not ' if want.weak else ''}weak"
    return ""
