#include "model/observation.h"

void observation_clear(struct observation *o, enum observation_kind kind)
{
	memset(o, 0, sizeof(*o));
	o->kind = kind;
	o->time = INSTANT_NONE;
	o->duration = SPAN_NONE;
	switch (kind) {
	case OBS_TLS_ATTEMPT:
		o->sensor = SENSOR_FLOW;
		o->tls.alert = -1;
		o->tls.count = 1;
		o->tls.bytes_out = o->tls.bytes_in = -1;
		break;
	case OBS_APP_ACTIVITY:
		o->sensor = SENSOR_EDR;
		break;
	case OBS_POSTURE:
		o->sensor = SENSOR_MDM;
		break;
	case OBS_LEASE:
		o->sensor = SENSOR_LEASE;
		o->lease.until = INSTANT_NONE;
		break;
	case OBS_KINDS:
		break;
	}
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool lookup(struct sv name, const char *const *names, size_t n, int *out)
{
	for (size_t i = 0; i < n; i++)
		if (names[i] != NULL && sv_eq(name, sv_cstr(names[i]))) {
			*out = (int)i;
			return true;
		}
	return false;
}

/* Each enumeration's words, and its two conversions. */
#define WORDS(type, prefix, table)                                                                 \
	const char *prefix##_name(enum type v) { return table[v]; }                                \
	bool prefix##_from_name(struct sv name, enum type *out)                                    \
	{                                                                                          \
		int i;                                                                             \
		if (!lookup(name, table, COUNT(table), &i))                                        \
			return false;                                                              \
		*out = (enum type)i;                                                               \
		return true;                                                                       \
	}

static const char *const kinds[] = { "tls_attempt", "app_activity", "posture", "lease" };
static const char *const sensors[] = { "inspection", "flow", "edr", "mdm", "lease" };
static const char *const events[] = {
	NULL,	      "launched", "resumed",	     "backgrounded", "suspended",
	"terminated", "connect",  "background_task", "detection",    "declared",
};
static const char *const app_states[] = { NULL, "foreground", "background" };
static const char *const sides[] = { NULL, "client", "server", "proxy" };
static const char *const closes[] = { NULL, "fin", "rst", "timeout", "other" };
static const char *const leases[] = { NULL, "dhcp", "radius", "vpn", "ztna", "static" };

const char *observation_kind_name(enum observation_kind k) { return kinds[k]; }
WORDS(sensor_kind, sensor_kind, sensors)
WORDS(activity_event, activity_event, events)
WORDS(app_state, app_state, app_states)
WORDS(side, side, sides)
WORDS(close_kind, close_kind, closes)
WORDS(lease_by, lease_by, leases)

enum outcome outcome_of_alert(int alert, enum side from)
{
	bool client = from == SIDE_CLIENT, server = from == SIDE_SERVER;

	switch (alert) {
	case 0:	 /* inside the handshake; afterwards bytes decide */
	case 80: /* a verify callback that sets no error */
		return client ? CLIENT_SILENT_CLOSE : OUTCOME_UNKNOWN;
	case 40:
		return client ? CLIENT_REJECT : server ? TLS_MISMATCH : OUTCOME_UNKNOWN;
	case 42:
	case 43:
	case 44:
	case 46:
	case 48: /* a server's complaint about a certificate is about the client's */
		return client ? CLIENT_REJECT : server ? MUTUAL_TLS : OUTCOME_UNKNOWN;
	case 45:
		return client ? CLIENT_REJECT_VALIDITY : server ? MUTUAL_TLS : OUTCOME_UNKNOWN;
	case 70:
	case 71:
	case 86:
	case 120:
	case 121:
		return TLS_MISMATCH;
	case 90:
		return server ? OUTCOME_UNKNOWN : CLIENT_CANCEL;
	case 112:
		return server ? UPSTREAM_FAILED : OUTCOME_UNKNOWN;
	case 116:
		return client ? OUTCOME_UNKNOWN : MUTUAL_TLS;
	default:
		return OUTCOME_UNKNOWN;
	}
}

int64_t observation_order(const struct observation *o)
{
	int64_t order;

	if (!span_known(o->duration) || o->duration.ns < 0 ||
	    __builtin_add_overflow(o->time.ns, o->duration.ns, &order))
		return o->time.ns;
	return order;
}

void observation_state_kind(struct observation *o, enum sensor_kind stated)
{
	if (o->kind == OBS_TLS_ATTEMPT && (stated == SENSOR_INSPECTION || stated == SENSOR_FLOW))
		o->sensor = stated;
}
