/* The MDM server's webhook: one JSON object a line, Apple's property list in base64 inside. */
#include "sim/render.h"

#include <stdlib.h>

static int by_time(const void *a, const void *b)
{
	const struct sim_report_time *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->device != y->device ? (x->device < y->device ? -1 : 1)
				      : (int)x->what - (int)y->what;
}

size_t sim_mdm_times(const struct sim *s, struct sim_report_time **out)
{
	size_t most = (size_t)s->n_devices * (s->o->days + 2 + SIM_MAX_APPS), n = 0;
	struct sim_report_time *times = xcalloc(most, sizeof(*times));

	for (uint32_t d = 0; d < s->n_devices; d++) {
		const struct sim_device *device = &s->devices[d];
		int64_t apart = (int64_t)(d % 3600) * NS_PER_S;

		times[n++] = (struct sim_report_time){ s->start.ns + apart / 4, d, 63 };
		for (uint32_t day = 0; day < s->o->days; day++)
			times[n++] = (struct sim_report_time){ sim_day(s, day, 4, 0).ns + apart, d,
							       63 & ~TELL_CHECKIN };
		if (instant_known(device->root_from) && device->root_from.ns > s->start.ns)
			times[n++] =
			    (struct sim_report_time){ device->root_from.ns, d, TELL_PROFILES };
		for (uint16_t a = 0; a < s->n_apps; a++) {
			if (!sim_has_app(device, a))
				continue;
			if (s->apps[a].next_version != NULL)
				times[n++] = (struct sim_report_time){ sim_update_time(s, a, d).ns,
								       d, TELL_APPS };
			if (s->apps[a].from.ns > s->start.ns)
				times[n++] =
				    (struct sim_report_time){ s->apps[a].from.ns, d, TELL_APPS };
		}
	}
	qsort(times, n, sizeof(*times), by_time);
	*out = times;
	return n;
}

bool sim_app_listed(const struct sim *s, uint32_t device, uint16_t app, int64_t t)
{
	return sim_has_app(&s->devices[device], app) && !s->apps[app].system &&
	       s->apps[app].from.ns <= t;
}

bool sim_root_listed(const struct sim *s, uint32_t device, int64_t t)
{
	struct instant from = s->devices[device].root_from;

	return instant_known(from) && from.ns <= t;
}

static void string_key(struct buf *b, const char *key, const char *value)
{
	buf_printf(b, "\t<key>%s</key>\n\t<string>%s</string>\n", key, value);
}

static void bool_key(struct buf *b, const char *key, bool value)
{
	buf_printf(b, "\t<key>%s</key>\n\t<%s/>\n", key, value ? "true" : "false");
}

static void plist_begin(struct buf *b)
{
	buf_reset(b);
	buf_str(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		   "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
		   "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
		   "<plist version=\"1.0\">\n<dict>\n");
}

static void plist_end(struct buf *b, const struct sim_device *d)
{
	string_key(b, "Status", "Acknowledged");
	string_key(b, "UDID", d->udid);
	buf_str(b, "</dict>\n</plist>\n");
}

static void information(struct buf *b, const struct sim_device *d)
{
	buf_str(b, "\t<key>QueryResponses</key>\n\t<dict>\n");
	string_key(b, "DeviceName", "iPhone");
	string_key(b, "OSVersion", "18.1");
	string_key(b, "ProductName", "iPhone15,4");
	string_key(b, "SerialNumber", d->serial);
	string_key(b, "UDID", d->udid);
	string_key(b, "WiFiMAC", d->mac);
	bool_key(b, "IsSupervised", true);
	buf_str(b, "\t</dict>\n");
	string_key(b, "RequestType", "DeviceInformation");
}

static void installed(const struct sim *s, struct buf *b, uint32_t device, int64_t t)
{
	buf_str(b, "\t<key>InstalledApplicationList</key>\n\t<array>\n");
	for (uint16_t a = 0; a < s->n_apps; a++) {
		const char *version;

		if (!sim_app_listed(s, device, a, t))
			continue;
		version = sim_app_version(s, a, sim_updated(s, a, device, (struct instant){ t }));
		buf_str(b, "\t<dict>\n");
		string_key(b, "Identifier", s->apps[a].bundle);
		string_key(b, "Name", s->apps[a].name);
		string_key(b, "ShortVersion", version);
		string_key(b, "Version", version);
		bool_key(b, "Installing", false);
		buf_str(b, "\t</dict>\n");
	}
	buf_str(b, "\t</array>\n");
	string_key(b, "RequestType", "InstalledApplicationList");
}

static void managed(const struct sim *s, struct buf *b, uint32_t device, int64_t t)
{
	buf_str(b, "\t<key>ManagedApplicationList</key>\n\t<dict>\n");
	for (uint16_t a = 0; a < s->n_apps; a++)
		if (sim_app_listed(s, device, a, t) && s->apps[a].managed) {
			buf_printf(b, "\t<key>%s</key>\n\t<dict>\n", s->apps[a].bundle);
			string_key(b, "Status", "Managed");
			buf_str(b, "\t<key>ManagementFlags</key>\n\t<integer>1</integer>\n");
			bool_key(b, "IsValidated", true);
			buf_str(b, "\t</dict>\n");
		}
	buf_str(b, "\t</dict>\n");
	string_key(b, "RequestType", "ManagedApplicationList");
}

static void one_profile(struct buf *b, const char *identifier, const char *payload)
{
	buf_str(b, "\t<dict>\n");
	string_key(b, "PayloadIdentifier", identifier);
	buf_str(b, "\t<key>PayloadContent</key>\n\t<array>\n\t<dict>\n");
	string_key(b, "PayloadType", payload);
	buf_str(b, "\t</dict>\n\t</array>\n");
	bool_key(b, "IsManaged", true);
	buf_str(b, "\t</dict>\n");
}

static void profiles(const struct sim *s, struct buf *b, uint32_t device, int64_t t)
{
	buf_str(b, "\t<key>ProfileList</key>\n\t<array>\n");
	one_profile(b, "com.acme.wifi", "com.apple.wifi.managed");
	if (sim_root_listed(s, device, t))
		one_profile(b, SIM_ROOT_PROFILE, "com.apple.security.root");
	buf_str(b, "\t</array>\n");
	string_key(b, "RequestType", "ProfileList");
}

static void security(struct buf *b)
{
	buf_str(b, "\t<key>SecurityInfo</key>\n\t<dict>\n");
	bool_key(b, "PasscodeCompliant", true);
	bool_key(b, "PasscodePresent", true);
	buf_str(b, "\t<key>ManagementStatus</key>\n\t<dict>\n");
	bool_key(b, "EnrolledViaDEP", true);
	bool_key(b, "IsUserEnrollment", false);
	bool_key(b, "UserApprovedEnrollment", true);
	buf_str(b, "\t</dict>\n\t</dict>\n");
	string_key(b, "RequestType", "SecurityInfo");
}

static void authenticate(struct buf *b, const struct sim_device *d)
{
	string_key(b, "MessageType", "Authenticate");
	string_key(b, "OSVersion", "18.1");
	string_key(b, "SerialNumber", d->serial);
	string_key(b, "Topic", "com.apple.mgmt.External.acme");
	string_key(b, "UDID", d->udid);
	buf_str(b, "</dict>\n</plist>\n");
}

static void write_base64(struct sink *k, struct sv bytes)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < bytes.n; i += 3) {
		size_t left = bytes.n - i;
		uint32_t x = (uint32_t)(unsigned char)bytes.p[i] << 16;

		if (left > 1)
			x |= (uint32_t)(unsigned char)bytes.p[i + 1] << 8;
		if (left > 2)
			x |= (unsigned char)bytes.p[i + 2];
		sink_char(k, digits[x >> 18]);
		sink_char(k, digits[x >> 12 & 63]);
		sink_char(k, left > 1 ? digits[x >> 6 & 63] : '=');
		sink_char(k, left > 2 ? digits[x & 63] : '=');
	}
}

static void write_event(struct sink *k, const struct sim_device *d, int64_t t, unsigned part,
			struct sv payload)
{
	char time[INSTANT_ISO_SIZE];
	bool checkin = part == 0;
	uint64_t id = rng_mix((uint64_t)t ^ part << 3 ^ (uint64_t)(unsigned char)d->serial[0]);

	instant_format_iso((struct instant){ t }, time);
	sink_printf(k,
		    "{\"topic\":\"%s\",\"event_id\":\"%08x-%04x-4%03x-8%03x-%012llx\","
		    "\"created_at\":\"%s\",\"%s\":{",
		    checkin ? "mdm.Authenticate" : "mdm.Connect", (unsigned)id,
		    (unsigned)(id >> 32) & 0xffff, (unsigned)(id >> 48) & 0xfff,
		    (unsigned)(id >> 20) & 0xfff,
		    (unsigned long long)(rng_mix(id) & UINT64_C(0xffffffffffff)), time,
		    checkin ? "checkin_event" : "acknowledge_event");
	if (!checkin)
		sink_printf(k, "\"status\":\"Acknowledged\",\"command_uuid\":\"%08x-%u\",",
			    (unsigned)rng_mix(id ^ 1), part);
	sink_printf(
	    k, "\"udid\":\"%s\",\"ids\":{\"id\":\"%s\",\"type\":\"Device\"},\"raw_payload\":\"",
	    d->udid, d->udid);
	write_base64(k, payload);
	sink_str(k, "\"}}");
}

static void build(const struct sim *s, struct buf *b, const struct sim_report_time *r,
		  unsigned part)
{
	const struct sim_device *d = &s->devices[r->device];

	plist_begin(b);
	switch (1u << part) {
	case TELL_CHECKIN:
		authenticate(b, d);
		return;
	case TELL_INFO:
		information(b, d);
		break;
	case TELL_APPS:
		installed(s, b, r->device, r->time);
		break;
	case TELL_MANAGED:
		managed(s, b, r->device, r->time);
		break;
	case TELL_PROFILES:
		profiles(s, b, r->device, r->time);
		break;
	default:
		security(b);
		break;
	}
	plist_end(b, d);
}

bool sim_render_mdm(struct sim *s, struct error *err)
{
	struct sim_report_time *times = NULL;
	struct sim_log log = { 0 };
	struct sim_file f;
	struct buf plist;
	size_t n;

	if (!sim_file_open(s, &f, "nanomdm.ndjson", err))
		return false;
	buf_init(&plist, (size_t)1 << 20);
	n = sim_mdm_times(s, &times);
	for (size_t i = 0; i < n; i++)
		for (unsigned part = 0; part < 6; part++)
			if (times[i].what >> part & 1)
				sim_log_add(&log, times[i].time + (int64_t)part * 200 * NS_PER_MS,
					    i, part);
	sim_log_order(s, &log, "mdm");
	for (size_t i = 0; i < log.n; i++) {
		const struct sim_report_time *r = &times[log.lines[i].item];
		unsigned part = log.lines[i].part;

		build(s, &plist, r, part);
		write_event(&f.sink, &s->devices[r->device],
			    r->time + (int64_t)part * 200 * NS_PER_MS, part, buf_view(&plist));
		sim_file_line(&f);
	}
	sim_log_free(&log);
	buf_free(&plist);
	free(times);
	return sim_file_close(s, &f, err);
}
