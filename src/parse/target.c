#include "parse/target.h"

#include "parse/yfile.h"

#define AT(field) offsetof(struct observation, field)
#define TEXT(name, in, field, via)                                                                 \
	{                                                                                          \
		name, in, CELL_TEXT, AS_SV, AT(field), via, 0, 0                                   \
	}
#define WORD(name, in, field, type, via)                                                           \
	{                                                                                          \
		name, in, type, AS_INT, AT(field), via, 0, INT32_MAX                               \
	}
#define TRI(name, in, field)                                                                       \
	{                                                                                          \
		name, in, CELL_TRI, AS_INT, AT(field), "boolean", 0, TRI_TRUE                      \
	}
#define NUMBER(name, in, field, width, via, min, max)                                              \
	{                                                                                          \
		name, in, CELL_NUMBER, width, AT(field), via, min, max                             \
	}

static const struct target targets[] = {
	{ "time", IN_ANY, CELL_TIME, AS_NS, AT(time), "time", 0, 0 },
	{ "duration", IN_ANY, CELL_SPAN, AS_NS, AT(duration), "seconds", 0, 0 },
	WORD("sensor", IN_ANY, sensor, CELL_SENSOR, "sensor"),
	TEXT("device.udid", IN_ANY, device.udid, "udid"),
	TEXT("device.serial", IN_ANY, device.serial, "serial"),
	TEXT("device.mac", IN_ANY, device.mac, "mac"),
	TEXT("device.user", IN_ANY, device.user, "trim"),
	TEXT("device.mdm_id", IN_ANY, device.mdm_id, "trim"),

	{ "src_endpoint.ip", IN_TLS | IN_ACTIVITY, CELL_ADDR, AS_ADDR, AT(src.ip), "ip", 0, 0 },
	NUMBER("src_endpoint.port", IN_TLS | IN_ACTIVITY, src.port, AS_U16, "number", 0, 65535),
	TEXT("dst_endpoint.hostname", IN_TLS | IN_ACTIVITY, dst.hostname, "host"),
	{ "dst_endpoint.ip", IN_TLS | IN_ACTIVITY, CELL_ADDR, AS_ADDR, AT(dst.ip), "ip", 0, 0 },
	NUMBER("dst_endpoint.port", IN_TLS | IN_ACTIVITY, dst.port, AS_U16, "number", 0, 65535),
	TEXT("app.bundle_id", IN_TLS | IN_ACTIVITY, app.bundle_id, "strip_team_id"),
	TEXT("app.version", IN_TLS | IN_ACTIVITY, app.version, "trim"),
	TEXT("app.user_agent", IN_TLS | IN_ACTIVITY, app.user_agent, "trim"),
	TEXT("flow_id", IN_TLS | IN_ACTIVITY, flow_id, NULL),

	TEXT("tls.sni", IN_TLS, tls.sni, "host"),
	TEXT("tls.version", IN_TLS, tls.version, "tls_version"),
	NUMBER("tls.alert", IN_TLS, tls.alert, AS_INT, "alert_name", 0, 255),
	WORD("tls.alert_from", IN_TLS, tls.alert_from, CELL_SIDE, "side"),
	TEXT("tls.ja3", IN_TLS, tls.ja3, "lower"),
	TEXT("tls.ja4", IN_TLS, tls.ja4, "trim"),
	TEXT("tls.issuer", IN_TLS, tls.issuer, "trim"),
	TRI("tls.established", IN_TLS, tls.established),
	TRI("tls.server_certificate", IN_TLS, tls.server_certificate),
	WORD("inspection", IN_TLS, tls.inspection, CELL_INSPECTION, "inspection"),
	WORD("bypass_reason", IN_TLS, tls.bypass_reason, CELL_BYPASS, "bypass_reason"),
	WORD("outcome", IN_TLS, tls.outcome, CELL_OUTCOME, "outcome"),
	NUMBER("count", IN_TLS, tls.count, AS_U32, "number", 1, UINT32_MAX),
	NUMBER("traffic.bytes_out", IN_TLS, tls.bytes_out, AS_I64, "number", 0, INT64_MAX),
	NUMBER("traffic.bytes_in", IN_TLS, tls.bytes_in, AS_I64, "number", 0, INT64_MAX),
	WORD("closed_by", IN_TLS, tls.closed_by, CELL_SIDE, "side"),
	WORD("close", IN_TLS, tls.close, CELL_CLOSE, "close"),
	TRI("ended", IN_TLS, tls.ended),
	TRI("udp", IN_TLS, tls.udp),
	{ "weak_late", IN_TLS, CELL_TRI, AS_BOOL, AT(tls.weak_late), "boolean", 0, 0 },

	WORD("event", IN_ACTIVITY, activity.event, CELL_EVENT, "event"),
	WORD("app_state", IN_ACTIVITY, activity.app_state, CELL_APP_STATE, "app_state"),
	TRI("device_locked", IN_ACTIVITY, activity.device_locked),
	TRI("user_interaction", IN_ACTIVITY, activity.user_interaction),

	TRI("supervised", IN_POSTURE, posture.supervised),
	TRI("managed", IN_POSTURE, posture.managed),
	TRI("compliant", IN_POSTURE, posture.compliant),
	TRI("jailbroken", IN_POSTURE, posture.jailbroken),
	TEXT("ownership", IN_POSTURE, posture.ownership, "lower"),
	TEXT("os_version", IN_POSTURE, posture.os_version, "trim"),
	TEXT("wifi_mac", IN_POSTURE, posture.wifi_mac, "mac"),
	{ "snapshot", IN_POSTURE, CELL_TRI, AS_BOOL, AT(posture.snapshot), "boolean", 0, 0 },
	{ "managed_complete", IN_POSTURE, CELL_TRI, AS_BOOL, AT(posture.managed_complete),
	  "boolean", 0, 0 },

	{ "ip", IN_LEASE, CELL_ADDR, AS_ADDR, AT(lease.ip), "ip", 0, 0 },
	{ "until", IN_LEASE, CELL_TIME, AS_NS, AT(lease.until), "time", 0, 0 },
	WORD("by", IN_LEASE, lease.by, CELL_LEASE_BY, "lease_by"),

	{ "bundle_id", IN_APP, CELL_TEXT, AS_SV, offsetof(struct installed_app, bundle_id),
	  "strip_team_id", 0, 0 },
	{ "name", IN_APP, CELL_TEXT, AS_SV, offsetof(struct installed_app, name), "trim", 0, 0 },
	{ "version", IN_APP, CELL_TEXT, AS_SV, offsetof(struct installed_app, version), "trim", 0,
	  0 },
	{ "managed", IN_APP, CELL_TRI, AS_INT, offsetof(struct installed_app, managed), "boolean",
	  0, TRI_TRUE },
	{ "declares_pinning", IN_APP, CELL_TRI, AS_INT,
	  offsetof(struct installed_app, declares_pinning), "boolean", 0, TRI_TRUE },
	{ "identifier", IN_PROFILE, CELL_TEXT, AS_SV, offsetof(struct profile, identifier), "trim",
	  0, 0 },
	{ "payload_types", IN_PROFILE, CELL_TEXTS, AS_TEXTS,
	  offsetof(struct profile, payload_types), NULL, 0, 0 },
};
#define N_TARGETS (sizeof(targets) / sizeof(targets[0]))

const struct target *target_find(struct sv name, unsigned in)
{
	for (size_t i = 0; i < N_TARGETS; i++)
		if ((targets[i].in & in) != 0 && sv_eq(name, sv_cstr(targets[i].name)))
			return &targets[i];
	return NULL;
}

const char *target_nearest(struct sv name, unsigned in)
{
	const char *names[N_TARGETS + 1];
	size_t n = 0;

	for (size_t i = 0; i < N_TARGETS; i++)
		if ((targets[i].in & in) != 0)
			names[n++] = targets[i].name;
	names[n] = NULL;
	return yfile_nearest(name, names);
}

_Static_assert(sizeof(enum outcome) == sizeof(int), "target_store writes enumerations");
