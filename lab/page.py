"""What each client put on the wire, and what pinwatch and the proxies' logs made of it, as a table."""

BEGIN, END = "<!-- made by the lab: make lab LAB_ARGS=--write -->", "<!-- end -->"
DOES = {"trusts": "trusts, asks", "refuses": "does not know the CA", "pins": "its own check of the key fails",
        "late": "closes after the handshake", "idle": "waits, closes", "fin": "FIN in the handshake",
        "rst": "RST in the handshake", "notify": "close_notify in the handshake", "cancel": "user_canceled in the handshake"}


LOGS = [("mitmproxy", "wire"), ("mitmproxy", "events"), ("mitmproxy", "addon"), ("squid", "access"),
        ("sslsplit", "connect+debug")]


def said(observations):
    """Outcomes, each once, with the alert and whether it is weak."""
    words, asked = [], {o["src_endpoint"].get("port") for o in observations or [] if o["outcome"] == "established"}
    for o in observations or []:
        # What a later line of the same connection takes back.
        if o["outcome"] == "established_no_data" and not o.get("ended") and o["src_endpoint"].get("port") in asked:
            continue
        word = o["outcome"]
        if o.get("inspection") == "bypassed":
            word = "bypassed"
        if o.get("tls", {}).get("alert") is not None and word.startswith("client_reject"):
            word += f" {o['tls']['alert']}"
        if o.get("weak_late"):
            word += ", weak"
        if word not in words:
            words.append(word)
    # What says nothing only where nothing else is said.
    return "; ".join([w for w in words if w not in ("unknown", "incomplete")] or words) or "–"


def of_wire(connections):
    """Those on which the server answered, each kind once."""
    return list(dict.fromkeys((c.version(), c.told(), c.closed(), f"{len(c.tls(True))} / {len(c.tls(False))}")
                              for c in connections if c.version() != "–" or len(connections) == 1))


def rows(lab, proxy="mitmproxy"):
    for case, row in lab.rows.items():
        origin = "" if case.host.split(".")[0] in ("www", "api", "quiet") else f" ({case.host.split('.')[0]})"
        seen = of_wire(row.get((proxy, "records"), [])) or [("–", "–", "–", "–")]
        for i, (version, told, closed, size) in enumerate(seen):
            who, does, logs = case.client, DOES[case.behaviour] + origin, [said(row.get(key)) for key in LOGS]
            if i > 0:
                who, does, logs = "", "", [""] * len(LOGS)
            yield [who, version, does, told, closed, size, *logs]


HEADS = ["client", "TLS", "what it does", "its records behind the ClientHello", "closes first", "bytes out / in", "wire",
         "mitmproxy, event log", "mitmproxy, add-on", "squid", "sslsplit"]


def show(lab, versions, path):
    table = list(rows(lab))
    lines = ["| " + " | ".join(HEADS) + " |", "|" + "---|" * len(HEADS)]
    lines += ["| " + " | ".join(r) + " |" for r in table]
    for r in table:
        print("lab: " + " | ".join(r[:7]))
    if path is None:
        return
    import clients
    told = "; ".join([*versions, *clients.versions(lab.skipped)])
    gone = f" Not installed there: {', '.join(lab.skipped)}." if lab.skipped else ""
    text = path.read_text()
    before, _, rest = text.partition(BEGIN)
    path.write_text(before + BEGIN + "\n" + f"{told}.{gone}\n\n" + "\n".join(lines) + "\n" + END + rest.partition(END)[2])
