#!/usr/bin/env python3
"""Genuine records: tests/samples.py PINWATCH [SAMPLES]

Parses the sample records that lie beside the project (../shared/samples by default) and compares what
matters: outcome, alert, inspection, time. The expectations are written by hand, from what each record
says and what the contract makes of it. The samples keep their owners' terms and are no part of the
project; where they are not there, this says so and succeeds.
"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
FAILURES = []


def fail(path, text):
    FAILURES.append(path)
    print("FAIL %s: %s" % (path, text))


def run(*args):
    p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return p.returncode, p.stdout, p.stderr


def value(o, path):
    for key in path.split("."):
        o = o.get(key) if isinstance(o, dict) else None
    return o


def expect(program, root, path, format_name, count, wanted, rejected=0, options=()):
    """wanted: {index: {path: value}}; every other observation only counts."""
    full = os.path.join(root, path)
    if not os.path.exists(full):
        fail(path, "is not among the samples")
        return
    _, said, errors = run(program, "formats", full)
    if format_name not in said + errors:
        fail(path, "is not recognised as %s: %s" % (format_name, (said + errors).strip()[:200]))
    _, out, errors = run(program, "parse", "-v", *options, full)
    got = [json.loads(line) for line in out.splitlines()]
    if len(got) != count:
        fail(path, "gives %d observations, expected %d" % (len(got), count))
    if errors.count(": rejected: ") != rejected:
        fail(path, "%d records are rejected, expected %d" % (errors.count(": rejected: "), rejected))
    for i, fields in wanted.items():
        for name, want in fields.items():
            have = value(got[i], name) if i < len(got) else None
            if have != want:
                fail(path, "observation %d has %s = %r, expected %r" % (i, name, have, want))


def squid(program, root):
    silent = {"outcome": "client_silent_close", "closed_by": "client", "inspection": "intercepted"}

    def reject(alert):
        return {"outcome": "client_reject", "tls.alert": alert, "tls.alert_from": "client",
                "inspection": "intercepted", "ended": True}
    late = {"outcome": "established_no_data", "ended": False, "inspection": "intercepted"}
    expect(program, root, "squid/lab__squid-5.7-bump-access.log", "squid", 6, {
        # 1795486453.759 is the end; 26 ms before it the CONNECT began.
        0: {**late, "time": "2026-11-24T02:14:13.733Z", "duration_ms": 26, "tls.version": "1.3",
            "src_endpoint.port": 52824, "dst_endpoint.port": 9444},
        1: {"outcome": "established", "inspection": "intercepted", "dst_endpoint.hostname": "news.test"},
        2: {**late, "tls.sni": "api.bank.test"},
        3: {**late, "tls.version": "1.2", "time": "2026-11-24T02:14:13.848Z"},
        4: {**reject(48), "time": "2026-11-24T02:14:13.890Z"},
        5: reject(48)})
    # Another logformat of the same lab: no client port, no duration; `##` lines say what the client did.
    expect(program, root, "lab/squid-access.log", "squid", 10, {
        0: {**reject(46), "time": "2026-11-24T02:24:22.526Z"}, 1: reject(48), 2: reject(42),
        3: {**silent, "close": "fin"}, 4: {**silent, "close": "rst"}, 5: {**silent, "close": "fin"},
        6: reject(48), 7: late, 8: late, 9: {"outcome": "established"}})
    for path in ("squid/sekoia__connect.log", "squid/elastic__test-access-extensive.log"):
        _, out, errors = run(program, "parse", os.path.join(root, path))
        if out or "logformat pinwatch" not in errors:
            fail(path, "is not answered with the logformat to configure")


def zeek(program, root):
    flow = {"sensor": "flow", "inspection": "unknown"}
    expect(program, root, "zeek/elastic__test-conn__iso8601-ts.log", "zeek_conn_json", 0, {})
    expect(program, root, "zeek/elastic__test-ssl__extract.log", "zeek_ssl_json", 2, {
        0: {**flow, "time": "2020-10-08T17:50:57.352156Z", "tls.established": True,
            "outcome": "unknown", "tls.version": "1.2", "tls.ja3": "74927e242d6c3febf8cb9cab10a7f889"},
        1: {**flow, "time": "2021-03-30T08:00:54.325291Z", "tls.established": False,
            "tls.server_certificate": True, "outcome": "unknown"}})
    # 69 ssl records of Zeek's own traces. The first is a resumption-free TLS 1.0 session, `CsxnGIi`.
    expect(program, root, "zeek/ocsf-examples__ssl.log", "zeek_ssl_json", 69, {
        0: {**flow, "time": "2011-02-12T22:50:44.625414Z", "tls.version": "1.0",
            "tls.established": True, "tls.server_certificate": True, "outcome": "unknown"}})
    _, out, _ = run(program, "parse", os.path.join(root, "zeek/ocsf-examples__ssl.log"))
    by_uid = {o["flow_id"]: o for o in map(json.loads, out.splitlines())}
    for uid, want in {
            # last_alert protocol_version, ssl_history Cl
            "CRbkmJ1LNAK8Iolrg7": {"outcome": "tls_mismatch", "tls.alert": 70, "tls.alert_from": "server"},
            # Cs, then nothing, TLS 1.2: no certificate was seen
            "Cd0evf2QpG3Pwc8XM3": {"outcome": "unknown", "tls.established": False,
                                   "tls.server_certificate": False}}.items():
        for name, have in want.items():
            if value(by_uid.get(uid), name) != have:
                fail("zeek/ocsf-examples__ssl.log", "%s: %s is %r, expected %r" % (
                    uid, name, value(by_uid.get(uid), name), have))
    # 1,250 connections: those with ssl or quic as service, or to 443 or 8443
    path = os.path.join(root, "zeek/ocsf-examples__conn.log")
    if os.path.exists(path):
        tls = 0
        with open(path) as f:
            for line in f:
                o = json.loads(line)
                services = o.get("service", "").split(",")
                tls += o["proto"] in ("tcp", "udp") and (
                    "ssl" in services or "quic" in services or
                    (o["proto"] == "tcp" and o["id.resp_p"] in (443, 8443)) or
                    (o["proto"] == "udp" and o["id.resp_p"] == 443))
        expect(program, root, "zeek/ocsf-examples__conn.log", "zeek_conn_json", tls, {})
    # 30 exchanges, 2 of them a lone REQUEST
    expect(program, root, "zeek/ocsf-examples__dhcp.log", "zeek_dhcp_json", 28, {
        0: {"kind": "lease", "ip": "128.2.5.234", "device.mac": "90:b1:1c:99:49:29", "by": "dhcp",
            "time": "2022-07-14T13:34:56.943664Z"}})
    # Test baselines have their times masked: such a record is no observation.
    for name, records in (("dhcp.dhcp-ack-msg-types_dhcp", 1), ("quic.chromium_ssl", 1),
                          ("ssl.tls-1.2-handshake-failure_ssl", 1),
                          ("ssl.tls13-encrypted-client-hello_ssl", 2), ("ssl.tls13_ssl-out", 11)):
        path = "zeek/zeek-btest__scripts.base.protocols.%s.log" % name
        kind = "zeek_dhcp" if name.startswith("dhcp") else "zeek_ssl"
        expect(program, root, path, kind, 0, {}, rejected=records)


def devices(program, root):
    expect(program, root, "kea/kea-leases4__sample.csv", "kea", 2, {
        0: {"ip": "10.0.10.50", "device.mac": "aa:bb:cc:dd:ee:01", "time": "2026-06-13T00:00:00.000Z",
            "until": "2026-06-21T00:00:00.000Z"}})
    # Timestamp 1433801028; the calling station is not given
    expect(program, root, "radius/freeradius_detail__sample.txt", "freeradius_detail", 1, {
        0: {"kind": "lease", "by": "radius", "ip": "78.92.255.12", "device.user": "taki_dsl_p",
            "time": "2015-06-08T22:03:48.000Z"}})
    day = ("--date", "2026-11-24")
    # created_at is Go's zero time: the date of the source stands in
    expect(program, root, "nanomdm/service_webhook_testdata_Authenticate.2.json", "nanomdm", 1, {
        0: {"kind": "posture", "device.udid": "66ADE930-5FDF-5EC4-8429-15640684C489",
            "device.serial": "C02MT66KFLHH", "os_version": "10.12.6"}}, options=day)
    expect(program, root, "nanomdm/service_webhook_testdata_DeviceInformation.1.json", "nanomdm", 1, {
        0: {"managed": True, "device.udid": "66ADE930-5FDF-5EC4-8429-15640684C489"}}, options=day)
    expect(program, root, "nanomdm/mdm_testdata_TokenUpdate.1.plist", "apple_mdm", 1, {
        0: {"managed": True, "device.udid": "663B07BB783E9ADE1DAE4FBB92EA12AFC0CE5B69"}}, options=day)
    expect(program, root, "apple_mdm/apple-docs__InstalledApplicationList-managed.plist", "apple_mdm", 1, {
        0: {"snapshot": True, "device.udid": "00008020-000915083C80012E",
            "apps": [{"bundle_id": "com.acme.myenterpriseapp", "name": "MyEnterpriseApp",
                      "version": "1.0"}]}}, options=day)


def conversations(program, root):
    """Logs in which several lines tell of one connection."""
    day = ("--date", "2026-11-24")

    def failed(outcome, alert=None, **more):
        return {"outcome": outcome, "tls.alert": alert, "tls.alert_from": "client" if alert is not None else None,
                "inspection": "intercepted", "ended": True, **more}
    silent = failed("client_silent_close", closed_by="client")
    late = {"outcome": "established_no_data", "weak_late": True, "ended": True, "inspection": "intercepted"}
    bank = {"dst_endpoint.hostname": "api.bank.test", "dst_endpoint.port": 9443}
    # No line has a time: all records have the source's date.
    expect(program, root, "mitmproxy/lab__mitmdump-8.1.1.log", "mitmproxy", 5, {
        0: {"outcome": "established", "dst_endpoint.hostname": "news.test", "src_endpoint.port": 37758,
            "weak_late": None, "time": "2026-11-24T00:00:00.000Z"},
        1: {**late, **bank}, 2: {**late, **bank}, 3: {**failed("client_reject", 48), **bank, "tls.sni": "api.bank.test"},
        4: failed("client_reject", 48)}, options=day)
    # Three versions in one file. What has no time is as old as the line before; 23:21:54 is the day's.
    expect(program, root, "mitmproxy/github-issues__ios-lines.log", "mitmproxy", 4, {
        0: {**silent, "tls.sni": "www.apple.com", "dst_endpoint.port": 443},
        1: {**failed("client_reject", 46), "time": "2026-11-24T23:21:54.726Z", "duration_ms": 190,
            "src_endpoint.ip": "192.168.3.18", "tls.sni": "api5-normal-c-lq.amemv.com"},
        2: {**silent, "src_endpoint.ip": "192.168.1.6", "src_endpoint.port": 53270, "tls.sni": "app.snapchat.com"},
        3: {**failed("client_reject", 46), "src_endpoint": None, "tls.sni": "graph.facebook.com"}}, options=day)
    expect(program, root, "lab/mitm.log", "mitmproxy", 12, {
        0: failed("client_reject", 48), 1: failed("client_reject", 48), 2: {"outcome": "established"}, 3: late, 4: late,
        5: silent, 6: late, 7: silent, 8: silent, 9: silent, 10: late, 11: failed("tls_mismatch")}, options=day)
    expect(program, root, "lab/mitm2.log", "mitmproxy", 8, {
        0: failed("client_reject", 42), 1: failed("client_reject_validity", 45), 2: failed("client_reject", 46),
        3: failed("client_reject", 48), 4: failed("client_reject", 40), 5: failed("client_cancel", 90),
        6: failed("unknown"), 7: failed("client_reject", 46)}, options=day)
    expect(program, root, "lab/sslsplit.log", "sslsplit_debug", 6, {
        0: failed("client_reject", 46, **{"src_endpoint.port": 53644, "tls.sni": "api.bank.example"}),
        1: failed("client_reject", 48, **{"src_endpoint.port": 53658}), 2: failed("client_silent_close"),
        # ended in the middle of the handshake without an error of either side
        3: {"outcome": "unknown", "tls.established": False, "tls.server_certificate": True},
        4: failed("client_silent_close"), 5: failed("client_reject", 48, **{"src_endpoint.port": 34942})}, options=day)
    _, out, errors = run(program, "parse", "-v", os.path.join(root, "lab/sslsplit.log"))
    if "CLIENT_RANDOM" in out + errors:
        fail("lab/sslsplit.log", "a session's secret is shown")
    expect(program, root, "sslsplit/lab__sslsplit-0.5.5-connect.log", "sslsplit", 1, {
        0: {"outcome": "established", "inspection": "intercepted", "time": "2026-11-24T02:15:37.000Z",
            "src_endpoint.port": 36046, "tls.sni": "api.bank.test", "tls.version": "1.3"}})


def more_devices(program, root):
    day = ("--date", "2026-11-24")
    expect(program, root, "isc_dhcpd/sekoia__ack.log", "isc_dhcpd", 1, {
        0: {"ip": "10.100.102.108", "device.mac": "6c:88:14:1d:97:1c", "by": "dhcp", "until": None,
            "time": "2026-11-24T00:00:00.000Z"}}, options=day)
    expect(program, root, "isc_dhcpd/sekoia__release.log", "isc_dhcpd", 1, {
        0: {"ip": "10.17.81.182", "device.mac": "00:08:5d:71:92:15", "until": "2026-11-24T00:00:00.000Z"}}, options=day)
    # One networkActivity record; the other two are accesses.
    expect(program, root, "apple_privacy_report/App_Privacy_Report__lines.ndjson", "app_privacy_report", 1, {
        0: {"kind": "app_activity", "event": "declared", "app.bundle_id": "com.ss.iphone.ugc.Aweme",
            "dst_endpoint.ip": "117.161.74.49", "time": "2021-10-18T00:42:46.449Z"}})


def managers(program, root):
    """MDM servers and agents on the phone."""
    day = ("--date", "2026-11-24")
    expect(program, root, "jamf/elastic__jamf_pro__mobile-device-webhooks.log", "jamf_webhook", 2, {
        0: {"kind": "posture", "time": "2024-09-04T09:57:52.001Z", "managed": True, "device.serial": "6890991",
            "device.mac": "be:aa:e5:54:94:db", "device.mdm_id": "9511093679", "os_version": "94.5254"}})
    # A look-up that names no app
    expect(program, root, "jamf/elastic__jamf_protect__network-traffic-stream-ios.log", "jamf_protect", 0, {})
    expect(program, root, "jamf/elastic__jamf_protect__threat-events-stream-ios.log", "jamf_protect", 1, {
        0: {"kind": "app_activity", "event": "detection", "app.bundle_id": "com.apple.iBooks",
            "device.mdm_id": "5087dc0e-876c-4b0e-95ea-5b543476e0c4", "time": "2020-01-30T17:47:41.767Z"}})
    expect(program, root, "jamf/jamfpro-api__v2-mobile-devices.json", "jamf_inventory", 1, {
        0: {"device.serial": "DMQVGC0DHLA0", "device.mac": "c4:84:66:92:78:00", "snapshot": None,
            "time": "2026-11-24T00:00:00.000Z"}}, options=day)
    # One threat of an app; the other seven are of the network, of texts and of settings.
    for name, count in (("app_risk_created", 1), ("aspl_advisory_open", 0), ("ceo_fraud_detection", 0),
                        ("malicious_content", 0), ("network_created", 0), ("pcp_paused_detected", 0),
                        ("pcp_paused_detected_3", 0), ("smishing_detected", 0)):
        expect(program, root, "lookout/sekoia__test_%s.log" % name, "lookout", count, {
            0: {"event": "detection", "app.bundle_id": "com.doa.start", "time": "2025-02-20T09:55:18.817Z",
                "device.mdm_id": "951294c6-d9c9-482b-955c-8879410a76b1"}} if count else {})
    expect(program, root, "crowdstrike_mobile/sekoia__mobile_detection_network_connections.log", "falcon_mobile", 1, {
        0: {"event": "detection", "app.bundle_id": "com.google.chrome.ios", "dst_endpoint.port": 1,
            "dst_endpoint.hostname": "crowdstrike.test.com", "time": "2024-08-04T06:51:13.000Z"}})
    # Android's Play Integrity: no app is named
    expect(program, root, "crowdstrike_mobile/sekoia__mobile_detection_summary_2.log", "falcon_mobile", 0, {})
    expect(program, root, "microsoft_intune/elastic__test-managed-device__line1.log", "intune_devices", 1, {
        0: {"compliant": True, "supervised": False, "ownership": "corporate", "device.mac": "a8:7e:ea:bc:6a:c9",
            "jailbroken": None, "time": "2023-10-26T12:23:58.799486800Z"}})
    # SerialNumber is "0" and WifiMacAddress "aaa:ffff"
    expect(program, root, "microsoft_intune/sekoia__Devices.log", "intune_devices", 1, {
        0: {"device.serial": None, "device.mac": None, "jailbroken": False, "ownership": "personal"}})
    for name in ("event", "info_event_hybrid_join", "network_info"):
        expect(program, root, "microsoft_defender/sekoia__test_device_%s.log" % name, "defender", 0, {})
    expect(program, root, "microsoft_defender/sekoia__test_device_network_events.log", "defender", 1, {
        0: {"event": "connect", "app.bundle_id": "EXCEL.EXE", "src_endpoint.port": 59985,
            "dst_endpoint.hostname": "www.example.org", "time": "2023-01-04T14:05:32.314862500Z"}})
    for name in ("1", "3"): # neither id nor user
        expect(program, root, "checkpoint_harmony_mobile/sekoia__test_event_%s.log" % name, "harmony_mobile", 0, {})
    expect(program, root, "checkpoint_harmony_mobile/sekoia__test_event_5.log", "harmony_mobile", 1, {
        0: {"kind": "posture", "jailbroken": False, "device.user": "john.doe@example.com", "device.mdm_id": None,
            "time": "2025-10-02T10:53:26.000Z"}})
    for name in ("admin-initiator", "application_compliance_updated", "device-application-compliance-updated",
                 "device-initiator", "device-status-history-updated"): # no device is named
        expect(program, root, "pradeo/sekoia__%s.log" % name, "pradeo", 0, {})
    expect(program, root, "pradeo/sekoia__device-correlation-updated.log", "pradeo", 1, {
        0: {"kind": "posture", "ownership": "corporate", "device.serial": None, "os_version": "13"}})


def schemas(program, root):
    expect(program, root, "cisco_ise/sekoia__test_radius_accounting.log", "cisco_ise", 1, {
        0: {"kind": "lease", "by": "radius", "ip": "1.2.3.4", "device.user": "user1", "device.mac": None,
            "time": "2025-10-27T14:20:43.000Z"}})
    # The second segment of a message, and the last of ten
    expect(program, root, "cisco_ise/sekoia__test_radius_accounting_3.log", "cisco_ise", 0, {}, rejected=1)
    expect(program, root, "cisco_ise/sekoia__test_passed_authentication.log", "cisco_ise", 0, {})
    # HTTP activity, a finding, DNS, a flow without addresses
    for name in ("generated_network_activity_1", "test_detection_finding_1", "test_network_activity_5",
                 "test_network_activity_7"):
        expect(program, root, "ocsf/sekoia__%s.log" % name, "ocsf", 0, {})
    expect(program, root, "ocsf/sekoia__test_network_activity_1.log", "ocsf", 1, {
        0: {"udp": True, "dst_endpoint.port": 443, "time": "2022-05-22T06:15:00.000Z", "outcome": "unknown"}})
    expect(program, root, "ocsf/sekoia__test_network_activity_3.log", "ocsf", 1, {
        0: {"time": "2015-06-17T00:00:00.083Z", "duration_ms": 6, "src_endpoint.port": 63975}})


def gateways(program, root):
    """Records of inspecting gateways. Sample values are invented, and often contradict each other."""
    def sample(path, name, count, wanted, **more):
        expect(program, root, path, name, count, wanted, **more)
    # The portal's own TLS; the event is the VPN client's login, before it has an address
    sample("paloalto/elastic__test-panw-panos-decryption-sample.log", "paloalto_csv", 0, {})
    sample("paloalto/sekoia__globalprotect_csv.log", "paloalto_csv", 0, {})
    # 12,000 seconds from 16:00:02
    sample("paloalto/sekoia__User_id_1_csv.log", "paloalto_csv", 1, {
        0: {"kind": "lease", "ip": "1.2.3.4", "device.user": "user1", "time": "2020-12-04T16:00:02.000Z", "until": "2020-12-04T19:20:02.000Z"}})
    sample("paloalto/sekoia__decryption_cef.log", "paloalto_cef", 1, {
        0: {"src_endpoint.port": 16524, "dst_endpoint.port": 20122, "inspection": "unknown", "outcome": "unknown"}})
    # cltsslfailcount 100, "Bad Record Mac"
    sample("zscaler_zia/elastic__test-web-http-endpoint__extract-tls-keys.json", "zscaler_web", 1, {
        0: {"count": 100, "tls.alert": 20, "tls.alert_from": "client", "inspection": "intercepted", "outcome": "unknown", "time": "2020-01-04T09:00:00.000Z",
            "device.mdm_id": "1234", "src_endpoint.port": 1235}})
    # protocol SSL: not decrypted, and why is not said
    sample("zscaler_zia/sekoia__test_event_web.log", "zscaler_web", 1, {
        0: {"inspection": "bypassed", "bypass_reason": "unknown", "dst_endpoint.hostname": "a.et.nytimes.com", "src_endpoint.ip": "1.2.3.4", "time": "2023-08-28T15:43:14.000Z"}})
    # Seven lines: an alert sent on a connection without client and a protocol that is no TLS are none. In the third the firewall
    # itself cut the session off (utmaction), whoever sent the reset
    sample("fortinet_fortigate/elastic__test-fortinet-7-4__tls-lines.log", "fortinet", 5, {
        0: {"outcome": "client_reject", "tls.alert": 48, "tls.alert_from": "client", "src_endpoint.port": 59880, "time": "2019-05-10T22:48:31.221374615Z"},
        1: {"sensor": "flow", "close": "rst", "closed_by": None, "traffic.bytes_out": 1150 - 13 * 52, "time": "2019-05-16T01:03:34.000Z"},
        2: {"outcome": "upstream_failed", "src_endpoint.port": 43602}, 3: {"inspection": "bypassed", "bypass_reason": "policy"},
        4: {"inspection": "intercepted", "tls.sni": "www.fortinet.com", "tls.version": "1.3", "tls.established": True}})
    # 432,000 seconds are five days
    sample("fortinet_fortigate/sekoia__dhcp_ack.log", "fortinet", 1, {
        0: {"kind": "lease", "by": "dhcp", "ip": "1.2.3.4", "device.mac": "aa:bb:cc:dd:ee:ff", "until": "2025-07-15T13:05:54.192314929Z"}})
    sample("fortinet_fortigate/sekoia__ssl_new_con.CEF.log", "fortinet_cef", 0, {})
    sample("fortinet_fortigate/sekoia__tunnel.log", "fortinet", 1, {0: {"kind": "lease", "by": "vpn", "ip": "192.0.2.1", "device.user": "test"}})
    sample("fortinet_fortiproxy/sekoia__forward.log", "fortinet", 1, {0: {"sensor": "flow", "duration_ms": 100000, "time": "2021-09-08T07:38:44.000Z"}})
    sample("fortinet_fortiproxy/sekoia__test_forward_2.log", "fortinet", 1, {0: {"sensor": "flow", "device.user": "jhuck", "traffic.bytes_out": 51914 - 392 * 52}})
    sample("fortinet_fortiproxy/sekoia__test_http_transaction_2.log", "fortinet", 1, {
        0: {"inspection": "intercepted", "outcome": "established", "src_endpoint.ip": "10.24.22.19", "src_endpoint.port": None}})
    sample("fortinet_fortiproxy/sekoia__test_ssl_2.log", "fortinet", 1, {0: {"outcome": "upstream_failed", "dst_endpoint.hostname": "example.com"}})
    sample("fortinet_fortiproxy/sekoia__traffic.log", "fortinet", 0, {})
    for path in ("430002", "ASA_725001", "ASA_725006", "FTD_430002_1"):
        sample("cisco_ftd/sekoia__test_%s.log" % path, "cisco_ftd", 0, {})
    sample("cisco_ftd/sekoia__test_FTD_430003_2.log", "cisco_ftd", 1, {
        0: {"inspection": "bypassed", "bypass_reason": "policy", "tls.sni": "example.org", "traffic.bytes_out": 967 - 10 * 66, "device.user": None}})
    # http, a login that is missing, and http
    for path in ("event1", "event3", "prefixed"):
        sample("cisco_wsa/sekoia__%s.log" % path, "cisco_wsa", 0, {})
    # The other one is broken into lines within its words.
    sample("cisco_umbrella/sekoia__1.log", "cisco_umbrella", 1, {0: {"dst_endpoint.hostname": "discordapp.com", "outcome": "established", "inspection": "unknown"}})
    sample("netskope/sekoia__test_connection_log.log", "netskope", 1, {
        0: {"inspection": "bypassed", "bypass_reason": "policy", "time": "2022-12-21T16:12:16.000Z", "duration_ms": 3000, "src_endpoint.ip": "1.2.3.4"}})
    sample("netskope/sekoia__test_nspolicy_log.log", "netskope", 1, {0: {"inspection": "intercepted", "outcome": "established", "dst_endpoint.hostname": "example.sharepoint.com"}})
    sample("netskope/sekoia__test_network_2.log", "netskope", 0, {})
    sample("netskope/sekoia__test_1.log", "netskope_transactions", 0, {})
    sample("netskope/sekoia__test_3.log", "netskope_transactions", 1, {
        0: {"inspection": "bypassed", "bypass_reason": "policy", "tls.sni": "www.googleapis.com", "tls.ja3": "0ead4b79e6e392c7fa7a863f043e1a08", "src_endpoint.port": None}})
    # http; the last one is blocked by policy
    for path, name in (("elff_event", "json"), ("elff_event_2", "json"), ("test_even2", "keyvalue")):
        sample("broadcom_proxysg/sekoia__%s.log" % path, "broadcom_proxysg_" + name, 0, {})
    sample("broadcom_sslv/sc4s__ssldata.log", "broadcom_sslv", 1, {
        0: {"inspection": "intercepted", "tls.version": "1.0", "tls.established": True, "time": "2015-12-15T16:09:54.000Z", "src_endpoint.port": 49307}})
    for path in ("blocked", "empty_destination_host"):
        sample("skyhigh_swg/sekoia__mcafee_access_log_%s.log" % path, "skyhigh_swg_access", 0, {})
    sample("skyhigh_swg/sekoia__skyhigh_swg.log", "skyhigh_swg", 1, {0: {"inspection": "intercepted", "outcome": "unknown", "src_endpoint.ip": "10.0.2.15"}})
    sample("skyhigh_swg/sekoia__skyhigh_swg_2.log", "skyhigh_swg", 1, {0: {"inspection": "intercepted", "outcome": "established", "time": "2025-07-28T15:40:41.000Z"}})
    sample("cloudflare_gateway/sekoia__test_1.log", "cloudflare_gateway", 0, {})
    for path, port in (("test_http_2", 54494), ("test_network_device", 54945)):
        sample("cloudflare_gateway/sekoia__%s.log" % path, "cloudflare_gateway", 1, {0: {"inspection": "unknown", "udp": False, "src_endpoint.port": port}})


def flows(program, root):
    # 74 and 56 packets with 66 bytes of headers each; only the client reset
    expect(program, root, "suricata/elastic__test-eve-6-0__flow.log", "suricata", 1, {
        0: {"flow_id": "1548007570151262", "traffic.bytes_out": 7626 - 74 * 66, "traffic.bytes_in": 10780 - 56 * 66, "close": "rst", "closed_by": "client",
            "time": "2024-07-30T16:48:20.399198Z", "dst_endpoint.port": 5005}})
    # An alert on the server's packet, its event type cut out
    expect(program, root, "suricata/sekoia__tls.log", "suricata", 0, {})
    # The lab's ports are none of TLS.
    expect(program, root, "nfdump/lab__nfdump-1.7.1.json", "nfdump", 0, {})
    expect(program, root, "nfdump/lab__nfdump-1.7.1.csv", "nfdump_csv", 0, {})
    # The exporter's uptime alone dates no flow; the other is NTP.
    expect(program, root, "netflow/sekoia__ipfix.log", "ipfix", 0, {}, rejected=1)
    expect(program, root, "netflow/sekoia__netflow_v9.log", "ipfix", 0, {})


GROUPS = (squid, zeek, devices, conversations, more_devices, managers, schemas, gateways, flows)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    root = sys.argv[2] if len(sys.argv) > 2 else os.path.join(HERE, "..", "..", "shared", "samples")
    if not os.path.isdir(root):
        print("samples: not here (%s), nothing compared" % root)
        return
    for group in GROUPS:
        group(sys.argv[1], root)
    print("samples: %d differences" % len(FAILURES))
    sys.exit(1 if FAILURES else 0)


if __name__ == "__main__":
    main()
