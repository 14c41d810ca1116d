/* One log record in normal form: what was seen, when, by which source.
 *
 * Views borrow from the record's bytes or from the parser's per-record scratch arena and die with
 * the next record; whoever keeps a name interns or copies it. An empty view, TRI_UNKNOWN, −1,
 * INSTANT_NONE and SPAN_NONE all mean "not said".
 *
 * The parser delivers names normalised: hosts as lower-case A-labels without trailing dot, bundle
 * ids without `TEAMID.` or leading `.`, MACs as `aa:bb:cc:dd:ee:ff`, UDIDs as the device spells
 * them (upper-case hex), serials trimmed and upper-case, versions of TLS as `1.0`…`1.3`.
 */
#ifndef PINWATCH_MODEL_OBSERVATION_H
#define PINWATCH_MODEL_OBSERVATION_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/sv.h"
#include "model/outcome.h"

enum tri { TRI_UNKNOWN, TRI_FALSE, TRI_TRUE };

enum observation_kind { OBS_TLS_ATTEMPT, OBS_APP_ACTIVITY, OBS_POSTURE, OBS_LEASE, OBS_KINDS };

/* The analytic's log sources, and lease, the identity that joins them. */
enum sensor_kind { SENSOR_INSPECTION, SENSOR_FLOW, SENSOR_EDR, SENSOR_MDM, SENSOR_LEASE, SENSORS };

/* On which side of the gateway a flow sensor sits. */
enum vantage { VANTAGE_UNKNOWN, VANTAGE_INSIDE, VANTAGE_OUTSIDE };

enum side { SIDE_UNKNOWN, SIDE_CLIENT, SIDE_SERVER, SIDE_PROXY };
enum close_kind { CLOSE_UNKNOWN, CLOSE_FIN, CLOSE_RST, CLOSE_TIMEOUT, CLOSE_OTHER };

enum activity_event {
	ACTIVITY_UNKNOWN,
	ACTIVITY_LAUNCHED,
	ACTIVITY_RESUMED,
	ACTIVITY_BACKGROUNDED,
	ACTIVITY_SUSPENDED,
	ACTIVITY_TERMINATED,
	ACTIVITY_CONNECT,
	ACTIVITY_BACKGROUND_TASK,
	ACTIVITY_DETECTION,
	/* privacy report: this app contacts this host; feeds baseline and `learned` */
	ACTIVITY_DECLARED,
	ACTIVITIES
};

enum app_state { APP_STATE_UNKNOWN, APP_STATE_FOREGROUND, APP_STATE_BACKGROUND };

enum lease_by { LEASE_UNKNOWN, LEASE_DHCP, LEASE_RADIUS, LEASE_VPN, LEASE_ZTNA, LEASE_STATIC };

/* Keys by which a record names a device. */
struct device_keys {
	struct sv udid, serial, mac, user, mdm_id;
};

struct endpoint {
	struct sv hostname;
	struct addr ip;
	uint16_t port; /* 0: not said */
};

struct app_ref {
	struct sv bundle_id, version, user_agent;
};

struct tls_attempt {
	struct sv sni;
	struct sv version; /* "1.3" */
	struct sv ja3, ja4;
	struct sv issuer; /* of the certificate the client was shown */
	int alert;	  /* −1 */
	enum side alert_from;
	enum tri established;	     /* the sensor's own word, a heuristic over TLS 1.3 */
	enum tri server_certificate; /* the server's certificate (1.3: its flight) was seen */
	enum inspection inspection;
	enum bypass_reason bypass_reason;
	enum outcome outcome;
	uint32_t count;		     /* connections this record stands for, ≥ 1 */
	int64_t bytes_out, bytes_in; /* payload from and to the client, −1 */
	enum side closed_by;
	enum close_kind close;
	/* FALSE: the record shows the handshake, more may follow on this connection */
	enum tri ended;
	enum tri udp; /* QUIC */
	/* Other causes write the same record: on this alone a finding never goes beyond
	 * suspected. */
	bool weak_late;
};

struct app_activity {
	enum activity_event event;
	enum app_state app_state;
	enum tri device_locked, user_interaction;
};

struct installed_app {
	struct sv bundle_id, name, version;
	enum tri managed;
	enum tri declares_pinning; /* NSPinnedDomains */
};

struct profile {
	struct sv identifier;
	const struct sv *payload_types;
	size_t n_payload_types;
};

struct posture {
	enum tri supervised, managed, compliant, jailbroken;
	struct sv ownership; /* "corporate", "personal" */
	struct sv os_version;
	struct sv wifi_mac;
	bool snapshot;	       /* the app list is complete and replaces what was known */
	bool managed_complete; /* the app list holds all managed apps: any other is not managed */
	bool has_apps, has_profiles; /* the record carries the list, even an empty one */
	const struct installed_app *apps;
	size_t n_apps;
	const struct profile *profiles;
	size_t n_profiles;
};

struct lease {
	struct addr ip;
	struct instant until; /* INSTANT_NONE: open; not after time: a release */
	enum lease_by by;
};

struct observation {
	enum observation_kind kind;
	struct instant time;  /* start of what is seen */
	struct span duration; /* SPAN_NONE: not said; the record is ordered by time + duration */
	enum sensor_kind sensor;
	struct device_keys device;
	struct endpoint src, dst;
	struct app_ref app;
	struct sv flow_id;
	union {
		struct tls_attempt tls;
		struct app_activity activity;
		struct posture posture;
		struct lease lease;
	};
};

/* Where a record stands, for evidence. `source` is an index into the run's source table. */
struct record_ref {
	uint32_t file;
	uint32_t line; /* 1-based; for framed records the first line */
	uint16_t source;
};

/* Everything "not said", count 1. */
void observation_clear(struct observation *o, enum observation_kind kind);

/* Words of the canonical form, "unknown" or NULL for zero values as the form has it. */
const char *observation_kind_name(enum observation_kind k);
const char *sensor_kind_name(enum sensor_kind s); /* inspection, flow, edr, mdm, lease */
bool sensor_kind_from_name(struct sv name, enum sensor_kind *out);
const char *activity_event_name(enum activity_event e);
bool activity_event_from_name(struct sv name, enum activity_event *out);
const char *app_state_name(enum app_state s);
bool app_state_from_name(struct sv name, enum app_state *out);
const char *side_name(enum side s);
bool side_from_name(struct sv name, enum side *out);
const char *close_kind_name(enum close_kind c);
bool close_kind_from_name(struct sv name, enum close_kind *out);
const char *lease_by_name(enum lease_by b);
bool lease_by_from_name(struct sv name, enum lease_by *out);

/* What an alert means, by who sent it ("Alerts and vendor wording"). Where the meaning depends on a
 * side that is not known, unknown. */
enum outcome outcome_of_alert(int alert, enum side from);

/* When it was written, in ns: a connection's end. Records are put in order by it. */
int64_t observation_order(const struct observation *o);
/* The kind of a source that the command line or the configuration states outranks what the format
 * says of a TLS attempt; kinds that carry none state nothing. */
void observation_state_kind(struct observation *o, enum sensor_kind stated);

#endif
