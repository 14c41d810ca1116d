"""Who the phones are: what MDM, DHCP and the agent on the phone say of them, in the shape that real servers write.

MDM is a NanoMDM webhook (JSON with property lists in base64), leases are a Kea lease file, the agent's records are canonical
observations.
"""
import base64
import dataclasses
import datetime
import json
import plistlib

ROOT_PROFILE = "test.lab.inspection-root"


def iso(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat(timespec="microseconds").replace(
        "+00:00", "Z")


@dataclasses.dataclass
class Phone:
    number: int
    address: str
    apps: tuple        # bundles
    root: bool = True  # whether it has the gateway's root

    @property
    def udid(self):
        return f"00008120-{self.number:016X}"

    @property
    def serial(self):
        return f"LAB{self.number:07d}"

    @property
    def mac(self):
        return "02:00:00:00:%02x:%02x" % divmod(self.number, 256)


def event(phone, when, answer):
    payload = plistlib.dumps({"Status": "Acknowledged", "UDID": phone.udid, **answer})
    return {"topic": "mdm.Connect", "event_id": f"{phone.serial}-{answer['RequestType']}", "created_at": iso(when),
            "acknowledge_event": {"udid": phone.udid, "status": "Acknowledged",
                                  "raw_payload": base64.b64encode(payload).decode()}}


def mdm(phones, when):
    """Webhook events: each phone has just answered everything that one asks it once a day."""
    for p in phones:
        yield event(p, when, {"RequestType": "DeviceInformation", "QueryResponses": {
            "DeviceName": f"Phone {p.number}", "OSVersion": "18.1", "ProductName": "iPhone15,4", "SerialNumber": p.serial,
            "UDID": p.udid, "WiFiMAC": p.mac, "IsSupervised": True}})
        profiles = [{"PayloadIdentifier": "test.lab.wifi", "PayloadContent": [{"PayloadType": "com.apple.wifi.managed"}]}]
        if p.root:
            profiles.append({"PayloadIdentifier": ROOT_PROFILE,
                             "PayloadContent": [{"PayloadType": "com.apple.security.root"}]})
        yield event(p, when, {"RequestType": "ProfileList", "ProfileList": profiles})
        yield event(p, when, {"RequestType": "InstalledApplicationList", "InstalledApplicationList": [
            {"Identifier": bundle, "Name": bundle.rsplit(".", 1)[-1], "ShortVersion": "1.0", "Version": "1.0"}
            for bundle in p.apps]})


def leases(phones, when, hours=4):
    """A Kea lease file."""
    yield ("address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id")
    for p in phones:
        yield f"{p.address},{p.mac},,{hours * 3600},{int(when) + hours * 3600},1,0,0,phone{p.number},0,,0"


def activity(phone, bundle, when, port, host):
    """The agent saw this app open this connection."""
    return {"kind": "app_activity", "time": iso(when), "sensor": "edr", "device": {"udid": phone.udid},
            "src_endpoint": {"ip": phone.address, "port": port}, "dst_endpoint": {"hostname": host},
            "app": {"bundle_id": bundle, "version": "1.0"}, "event": "connect", "app_state": "foreground"}


def write_lines(path, things):
    path.write_text("".join((t if isinstance(t, str) else json.dumps(t)) + "\n" for t in things))
    return path
