"""Who: device, posture, activity, attribution (docs/evidence.md, section 3).

A device is a tuple (id, type of the id, ambiguous). Look-ups use all records of the run, as of an
event's time.
"""

from urllib.parse import unquote

from records import SECOND

AMBIGUOUS = "ambiguous"
STATES = {
	"launched": "foreground",
	"resumed": "foreground",
	"backgrounded": "background",
	"suspended": "background",
	"background_task": "background",
	"terminated": "unknown",
}


def newest_not_after(records, t):
	found = None
	for r in records:
		if r.time <= t and (found is None or r.time >= found.time):
			found = r
	return found


def first_after(records, t):
	found = None
	for r in records:
		if r.time > t and (found is None or r.time < found.time):
			found = r
	return found


class Identity:
	def __init__(self, records, settings):
		self.window = settings["time_window"] * SECOND
		self.posture_max_age = settings["posture_max_age"] * SECOND
		self.state_max_age = settings["state_max_age"] * SECOND
		self.posture = [r for r in records if r.kind == "posture"]
		self.leases = [r for r in records if r.kind == "lease"]
		self.activity = [r for r in records if r.kind == "app_activity"]
		self.owners = {}  # (kind of key, key) -> UDIDs that ever had it
		self.user_records = {}  # UDID -> posture records that name a user
		self.names = {}  # an app's name -> bundle ids that ever had it
		for r in self.posture:
			self.learn(r)
		self.posture_of, self.activity_of = {}, {}
		for r in self.posture:
			keys = dict(r.keys)
			if r.wifi_mac:
				keys.setdefault("mac", r.wifi_mac)
			self.posture_of.setdefault(self.device_by_keys(keys, r.time), []).append(r)
		for r in self.activity:
			device = self.device_by_keys(r.keys, r.time) if r.keys else None
			r.device = device
			self.activity_of.setdefault(device, []).append(r)
		self._lists = {}

	def learn(self, r):
		udid = r.keys.get("udid")
		if udid:
			for kind in ("serial", "mdm_id", "mac"):
				if kind in r.keys:
					self.owners.setdefault((kind, r.keys[kind]), set()).add(udid)
			if r.wifi_mac:
				self.owners.setdefault(("mac", r.wifi_mac), set()).add(udid)
			if "user" in r.keys:
				self.user_records.setdefault(udid, []).append(r)
		for app in r.apps or []:
			if app.get("name"):
				self.names.setdefault(app["name"], set()).add(app["bundle_id"])

	# --- 3.1 to 3.3: the device

	def users_at(self, t):
		"""UDID -> the user it has as of t."""
		return {
			udid: (newest_not_after(records, t) or first_after(records, t)).keys["user"]
			for udid, records in self.user_records.items()
		}

	def resolve(self, keys, t):
		"""Rule 1 without its (D): a device, AMBIGUOUS, or None where the inventory knows no key."""
		if "udid" in keys:
			return keys["udid"], "udid", False
		sets = [
			self.owners[k, keys[k]]
			for k in ("serial", "mdm_id", "mac")
			if k in keys and (k, keys[k]) in self.owners
		]
		if "user" in keys:
			holders = {udid for udid, user in self.users_at(t).items() if user == keys["user"]}
			if holders:  # a user whom nobody has as of t is not known to the inventory
				sets.append(holders)
		if not sets:
			return None
		common = set.intersection(*sets)
		return (common.pop(), "udid", False) if len(common) == 1 else AMBIGUOUS

	def device_by_keys(self, keys, t):
		found = self.resolve(keys, t)
		if found not in (None, AMBIGUOUS):
			return found
		for kind in ("serial", "mdm_id", "user", "mac"):
			if kind in keys:
				return keys[kind], kind, found is AMBIGUOUS
		return None

	def device_of(self, a):
		if a.keys:
			return self.device_by_keys(a.keys, a.start)
		leased = self.claims(a.client_ip, a.start)
		resolved = [(keys, self.resolve(keys, a.start)) for keys in leased]
		holders = [keys for keys, device in resolved if device not in (None, AMBIGUOUS)]
		# A claim of unknown keys that shares one with a resolved claim is the same holder's.
		claims = [
			device
			for keys, device in resolved
			if device is not None or not any(set(keys.items()) & set(h.items()) for h in holders)
		]
		known = {c for c in claims if c is not None}
		if not known:
			return a.client_ip, "ip", False
		if len(known) == 1 and None not in claims and AMBIGUOUS not in known:
			return known.pop()
		return a.client_ip, "ip", True

	def claims(self, ip, t):
		"""The keys of every lease that holds the address at t."""
		of_ip = [r for r in self.leases if r.ip == ip]
		dhcp = newest_not_after([r for r in of_ip if r.by == "dhcp"], t)
		newest = [dhcp] if dhcp else []
		others = {}
		for r in of_ip:
			if r.by != "dhcp":
				others.setdefault(tuple(sorted(r.keys.items())), []).append(r)
		newest += [r for r in (newest_not_after(records, t) for records in others.values()) if r]
		return [r.keys for r in newest if r.until is None or (r.until > r.time and t < r.until)]

	# --- 3.4: posture

	def posture_record(self, device, t, field):
		"""The record that says this field as of t, or None."""
		saying = [r for r in self.posture_of.get(device, []) if getattr(r, field) is not None]
		before = newest_not_after(saying, t)
		if before is not None:
			return before if t - before.time <= self.posture_max_age else None
		after = first_after(saying, t)
		return after if after is not None and after.time - t <= self.posture_max_age else None

	def posture_value(self, device, t, field):
		r = self.posture_record(device, t, field)
		return None if r is None else getattr(r, field)

	def app_list(self, device, t):
		"""bundle id -> what is known of the installed app as of t, or None where the list is
		unknown.
		"""
		if (device, t) not in self._lists:
			self._lists[device, t] = self.fold_apps(device, t)
		return self._lists[device, t]

	def list_is_whole(self, device, t):
		"""Whether an app that app_list lacks is not installed: a complete list is part of it."""
		if self.app_list(device, t) is None:
			return False
		standing = self.posture_record(device, t, "apps")
		if standing.time > t:
			return bool(standing.snapshot)
		whole = newest_not_after([r for r in self.posture_of[device] if r.apps is not None and r.snapshot], t)
		return whole is not None and t - whole.time <= self.posture_max_age

	def fold_apps(self, device, t):
		if device is None or device[2]:
			return None  # an ambiguous device has no list
		standing = self.posture_record(device, t, "apps")
		if standing is None:
			return None
		if standing.time > t:
			folded = [standing]
		else:
			folded = [r for r in self.posture_of[device] if r.apps is not None and r.time <= t]
		known = {}
		for r in sorted(folded, key=lambda r: r.time):
			if r.snapshot:
				named = {app["bundle_id"] for app in r.apps}
				known = {bundle: fields for bundle, fields in known.items() if bundle in named}
			for app in r.apps:
				fields = known.setdefault(app["bundle_id"], {})
				fields.update({k: v for k, v in app.items() if v is not None})
		return known

	# --- 3.5: activity

	def state(self, device, app, t):
		"""foreground, background, or None."""
		if app is None:
			return None
		saying = [r for r in self.activity_of.get(device, []) if r.bundle == app and self.stated(r)]
		r = newest_not_after(saying, t)
		if r is None or t - r.time > self.state_max_age or self.stated(r) == "unknown":
			return None
		return self.stated(r)

	@staticmethod
	def stated(r):
		return r.app_state or STATES.get(r.event)

	def locked(self, device, t):
		r = newest_not_after(
			[r for r in self.activity_of.get(device, []) if r.locked is not None], t
		)
		return None if r is None or t - r.time > self.state_max_age else r.locked

	def interaction(self, device, app, t):
		said = [
			r.interaction
			for r in self.activity_of.get(device, [])
			if r.interaction is not None
			and abs(r.time - t) <= self.window
			and r.bundle in (None, app)
		]
		return True if True in said else False if said else None

	# --- 3.6, 3.7: the app and its version

	def attribute(self, attempts):
		"""Sets app, attribution and version of every attempt; devices are known."""
		for a in attempts:
			a.app, a.attribution = None, "none"
			if a.bundle:
				a.app, a.attribution = a.bundle, "exact"
			elif not a.device[2]:
				self.try_one(a, "host", self.apps_at_host(a))
		sightings = [(a.host, a.start, a.app) for a in attempts if a.app is not None]
		for a in attempts:
			if a.app is None:
				self.try_one(a, "agent", self.apps_by_agent(a))
			if a.app is None:
				self.try_one(a, "learned", self.apps_learned(a, sightings))
			if a.app is None and not a.device[2]:
				running = {r.bundle for r in self.activity_of.get(a.device, []) if r.bundle}
				self.try_one(
					a,
					"foreground",
					{b for b in running if self.state(a.device, b, a.start) == "foreground"},
				)
			installed = self.app_list(a.device, a.start) or {}
			a.version = a.own_version or installed.get(a.app, {}).get("version")

	@staticmethod
	def try_one(a, how, bundles):
		if len(bundles) == 1:
			a.app, a.attribution = next(iter(bundles)), how

	def apps_at_host(self, a):
		found = set()
		for r in self.activity_of.get(a.device, []):
			if r.event == "declared" or not r.bundle or abs(r.time - a.start) > self.window:
				continue
			if (
				r.hostname == a.host
				if r.hostname
				else r.dst_ip is not None and r.dst_ip == a.server_ip
			):
				found.add(r.bundle)
		return found

	def apps_by_agent(self, a):
		if not a.user_agent or " CFNetwork/" not in a.user_agent:
			return set()
		name = unquote(a.user_agent.split("/")[0])
		installed = self.app_list(a.device, a.start)
		if not self.list_is_whole(a.device, a.start):
			return self.names.get(name, set())
		return {bundle for bundle, fields in installed.items() if fields.get("name") == name}

	def apps_learned(self, a, sightings):
		if a.host is None:
			return set()
		by = a.start + self.window
		found = {app for host, start, app in sightings if host == a.host and start <= by}
		for r in self.activity:
			if (
				r.bundle
				and r.hostname
				and r.hostname == a.host
				and (r.event == "declared" or r.time <= by)
			):
				found.add(r.bundle)
		installed = self.app_list(a.device, a.start)
		if not self.list_is_whole(a.device, a.start):
			return found
		return {b for b in found if b in installed}
