#!/usr/bin/env python3
"""What logs of real products do that a tidy reader would get wrong: tests/vendor_truth.py PINWATCH

One check a fact, named by it; each record is in its vendor's shape. If one failed, a log would be read without a word of
complaint and say something false: a server's alert as the phone's, three failures as one, a time an hour off. Output is TAP.
"""
import json
import os
import subprocess
import sys
import tempfile

PROGRAM = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else ""
CHECKS = []


def check(name):
    def add(function):
        CHECKS.append((name, function))
        return function
    return add


def parse(form, *records, options=()):
    """The observations of records (texts or objects), as the program prints them."""
    lines = [r if isinstance(r, str) else json.dumps(r) for r in records]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.log")
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        done = subprocess.run([PROGRAM, "parse", "--format", form, *options, path], capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def same(got, want):
    assert got == want, "expected %r, got %r" % (want, got)


FORTI = ('date=2026-11-24 time=%s devname="f" logid="0105048038" type="event" subtype="wad" level="notice" vd="root" '
         'srcip=%s srcport=50001 dstip=%s dstport=443 action="%s" alert="2" desc="unknown ca"%s')
ZEEK = ("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tssl\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h"
        "\tid.resp_p\tversion\tserver_name\tlast_alert\testablished\tssl_history\n")


@check("direction of alerts: received by the gateway is the client's, sent by it is not")
def _direction_forti():
    got = parse("fortinet", FORTI % ("09:00:00", "10.8.0.14", "203.0.113.9", "receive", ' eventtime=1795507200 tz="+0000"'))
    same((got[0]["tls"]["alert_from"], got[0]["outcome"]), ("client", "client_reject"))


@check("direction of alerts: in a Zeek history L is the client's, l the server's")
def _direction_zeek():
    row = "1795507200.0\tC%d\t10.8.0.14\t5000%d\t203.0.113.9\t443\tTLSv12\tapi.bank.test\tunknown_ca\tF\t%s"
    got = parse("zeek_ssl", ZEEK + row % (1, 1, "CsxkL"), row % (2, 2, "CsxkRl"))
    same([o["tls"]["alert_from"] for o in got], ["client", "server"])
    same(got[0]["outcome"], "client_reject")
    assert got[1]["outcome"] != "client_reject"


def zscaler(**more):
    event = {"epochtime": "1795507200", "time": "Tue Nov 24 08:00:00 2026", "tz": "GMT", "login": "ann@corp.test", "proto": "SSL", "action": "Allowed",
             "host": "api.bank.test", "url": "api.bank.test", "cltip": "10.8.0.14", "serverip": "203.0.113.9", "ssldecrypted": "No",
             "externalsslpolicyreason": "Inspected", "cltsslfailreason": "Unknown CA", "cltsslfailcount": "3", "clttlsversion": "TLS1_3"}
    return {"sourcetype": "zscalernss-web", "event": dict(event, **more)}


@check("rows for N failures: Zscaler's cltsslfailcount is a count")
def _rows_for_n():
    same([o["count"] for o in parse("zscaler_web", zscaler(), zscaler(cltsslfailcount="1"))], [3, 1])


@check("ports absent: a row without client port is an attempt without one")
def _ports_absent():
    got = parse("zscaler_web", zscaler())[0]
    assert "port" not in got["src_endpoint"], got


@check("local times: a time without zone takes the source's timezone")
def _local_times():
    flow = {"type": "FLOW", "first": "2026-11-24T08:00:00.100", "last": "2026-11-24T08:00:01.600", "in_packets": 10, "in_bytes": 1520, "proto": 6,
            "tcp_flags": "...AP.SF", "src_port": 52101, "dst_port": 443, "src4_addr": "10.8.0.14", "dst4_addr": "203.0.113.9"}
    same(parse("nfdump", [flow])[0]["time"], "2026-11-24T08:00:00.100Z")
    same(parse("nfdump", [flow], options=("--timezone", "+01:00"))[0]["time"], "2026-11-24T07:00:00.100Z")
    same(parse("nfdump", [flow], options=("--timezone", "Europe/Berlin"))[0]["time"], "2026-11-24T07:00:00.100Z")


@check("local times: a zone in the record wins over the source's")
def _zone_in_record():
    for options in ((), ("--timezone", "-05:00")):
        got = parse("fortinet", FORTI % ("09:00:00", "10.8.0.14", "203.0.113.9", "receive", ' tz="+0100"'), options=options)
        same(got[0]["time"], "2026-11-24T08:00:00.000Z")


@check("units: FortiGate's eventtime is nanoseconds or seconds")
def _eventtime():
    got = parse("fortinet", *(FORTI % ("09:00:00", "10.8.0.14", "203.0.113.9", "receive", " eventtime=%s" % t) for t in ("1795507200120000000", "1795507200")))
    same([o["time"] for o in got], ["2026-11-24T08:00:00.120Z", "2026-11-24T08:00:00.000Z"])


@check("columns that grow to the right: more of them change nothing")
def _columns():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases", "formats", "paloalto_csv", "decryption")
    with open(next(os.path.join(folder, n) for n in os.listdir(folder) if n.startswith("input.")), encoding="utf-8") as f:
        lines = f.read().splitlines()
    with open(os.path.join(folder, "rejected.txt"), encoding="utf-8") as f:
        bad = {int(line.split(":")[0]) for line in f if line.strip()}
    lines = [line for number, line in enumerate(lines, 1) if number not in bad]
    short, long = parse("paloalto_csv", *lines), parse("paloalto_csv", *(line + ',new,"a, b",7' for line in lines))
    assert len(short) > 3
    same(long, short)


def webhook(keys, **event):
    names = {"camel": ("webhookEvent", "eventTimestamp", "serialNumber", "wifiMacAddress"),
             "snake": ("webhook_event", "event_timestamp", "serial_number", "wifi_mac_address")}[keys]
    return {"event": {"udid": "00008120-001a2b3c4d5e6f70", names[2]: "f2lxq0aaaa", names[3]: "A4-B1-C1-00-00-10", **event},
            "webhook": {names[1]: 1795485600120, names[0]: "MobileDeviceCheckIn"}}


@check("camelCase and snake_case keys are the same keys")
def _keys():
    camel, snake = parse("jamf_webhook", webhook("camel"))[0], parse("jamf_webhook", webhook("snake"))[0]
    same(snake, camel)
    same(camel["device"]["serial"], "F2LXQ0AAAA")


@check("MAC spellings: dashes, colons, dots, none; a phone number is none")
def _macs():
    line = ("CISE_RADIUS_Accounting 0001042079 1 0 2026-11-24 03:00:43.919 +01:00 0015337799 3000 NOTICE Radius-Accounting: RADIUS Accounting start, "
            "User-Name=ann, Framed-IP-Address=10.8.0.14, Calling-Station-ID=%s, Acct-Status-Type=Start,")
    got = parse("cisco_ise", *(line % mac for mac in ("A4-B1-C1-00-00-10", "a4:b1:c1:00:00:10", "a4b1.c100.0010", "A4B1C1000010", "+49170000001")))
    same([o["device"].get("mac") for o in got], ["a4:b1:c1:00:00:10"] * 4 + [None])


@check("UDID and serial spellings: case does not tell devices apart")
def _udids():
    got = parse("canonical", *({"kind": "posture", "time": "2026-11-24T02:00:00Z", "device": {"udid": u, "serial": s}, "managed": True}
                               for u, s in (("00008120-001a2b3c4d5e6f70", "f2lxq0aaaa "), ("00008120-001A2B3C4D5E6F70", "F2LXQ0AAAA"))))
    same(got[0]["device"], got[1]["device"])
    same(got[0]["device"]["udid"], "00008120-001A2B3C4D5E6F70")


@check("TEAMID prefixes and the dot that is left of one are taken off bundle ids")
def _team_ids():
    got = parse("canonical", *({"kind": "app_activity", "time": "2026-11-24T02:00:00Z", "device": {"serial": "S1"}, "app": {"bundle_id": b}, "event": "launched"}
                               for b in ("ABCDE12345.com.acme.bank", ".com.acme.bank", "com.acme.bank", "ABCDE1234.com.acme.bank")))
    same([o["app"]["bundle_id"] for o in got], ["com.acme.bank"] * 3 + ["ABCDE1234.com.acme.bank"])


@check("IPv6 and v4-mapped addresses: a mapped one is the IPv4 address it maps")
def _addresses():
    got = parse("canonical", *({"kind": "lease", "time": "2026-11-24T02:00:00Z", "ip": ip, "device": {"serial": "S1"}, "by": "dhcp"}
                               for ip in ("::ffff:10.8.0.14", "10.8.0.14", "2001:DB8:0:0::14", "fe80::1%en0")))
    same([o["ip"] for o in got], ["10.8.0.14", "10.8.0.14", "2001:db8::14", "fe80::1"])


@check("user agents name a bundle through the inventory, and none without it")
def _user_agents():
    time = "2026-11-24T02:0%d:00Z"
    refused = [{"kind": "tls_attempt", "time": time % i, "sensor": "inspection", "device": {"serial": "S1"}, "src_endpoint": {"ip": "10.8.0.14", "port": 50000 + i},
                "dst_endpoint": {"hostname": "api.news.test", "port": 443}, "app": {"user_agent": "News/4.2 CFNetwork/1494.0.7 Darwin/23.4.0"},
                "inspection": "intercepted", "outcome": "client_reject"} for i in range(5)]
    apps = {"kind": "posture", "time": "2026-11-24T01:00:00Z", "device": {"udid": "U1", "serial": "S1"}, "managed": True, "snapshot": True,
            "apps": [{"bundle_id": "com.acme.news", "name": "News", "version": "4.2"}]}
    found = []
    for records in ([apps, *refused], refused):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.jsonl")
            with open(path, "w", encoding="utf-8") as f:
                f.write("\n".join(map(json.dumps, records)) + "\n")
            out = subprocess.run([PROGRAM, "scan", "--all", "--output", "jsonl", path], capture_output=True, text=True, check=False).stdout
        found.append({json.loads(line)["app"].get("bundle_id") for line in out.splitlines()})
    same(found[0], {"com.acme.news"})
    assert "com.acme.news" not in found[1], found[1]


def main():
    if not PROGRAM:
        sys.exit(__doc__)
    failed = 0
    print("1..%d" % len(CHECKS))
    for number, (name, function) in enumerate(CHECKS, 1):
        try:
            function()
            print("ok %d - %s" % (number, name))
        except (AssertionError, KeyError, IndexError) as problem:
            failed += 1
            print("not ok %d - %s" % (number, name))
            print("# %s: %s" % (type(problem).__name__, str(problem)[:900].replace("\n", "\n# ")))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
