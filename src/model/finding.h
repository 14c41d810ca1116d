/* What pinwatch answers: all cases of one (app, destination), judged.
 *
 * A finding and everything it points at live in the arena of the judgement that made it.
 * Enumerations are in the order in which outputs list them; names are those of
 * schema/finding.schema.json.
 */
#ifndef PINWATCH_MODEL_FINDING_H
#define PINWATCH_MODEL_FINDING_H

#include "base/clock.h"
#include "base/sv.h"
#include "model/observation.h"
#include "model/outcome.h"

enum finding_kind {
	FINDING_PINNING,
	FINDING_CA_UNTRUSTED,
	FINDING_GATEWAY_FAULT,
	FINDING_SOURCE_SILENT,
	FINDING_KINDS
};
enum verdict {
	VERDICT_CONFIRMED,
	VERDICT_SUSPECTED,
	VERDICT_EXPLAINED,
	VERDICT_OBSERVED,
	VERDICT_EXPECTED,
	VERDICTS
};
enum severity { SEVERITY_INFORMATIONAL, SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH };
enum confidence { CONFIDENCE_NONE, CONFIDENCE_LOW, CONFIDENCE_MEDIUM, CONFIDENCE_HIGH };
enum attribution {
	ATTRIBUTION_NONE,
	ATTRIBUTION_FOREGROUND,
	ATTRIBUTION_LEARNED,
	ATTRIBUTION_AGENT,
	ATTRIBUTION_HOST,
	ATTRIBUTION_EXACT
};
enum id_type { ID_UDID, ID_SERIAL, ID_MDM_ID, ID_USER, ID_MAC, ID_IP };
enum path { PATH_REJECTION = 1, PATH_SELECTIVE_BYPASS = 2, PATH_PERSISTENT_OPACITY = 4 };

enum term {
	TERM_PRIOR,
	TERM_DIFFERENTIAL,
	TERM_CAP,
	TERM_SAME_APP_UNINSPECTED,
	TERM_OTHER_APP_SAME_DESTINATION,
	TERM_SAME_DEVICE_OTHER_DESTINATION,
	TERM_REPLICATION,
	TERM_CONTRADICTION,
	TERM_RETRY,
	TERM_UNINSPECTED_AFTER_FAILURE,
	TERM_SHORT_SESSIONS,
	TERM_LEARNED_BYPASS,
	TERM_PERSISTENT_OPACITY,
	TERMS
};

enum control {
	CONTROL_SAME_APP_UNINSPECTED,
	CONTROL_OTHER_APP_SAME_DESTINATION,
	CONTROL_SAME_DEVICE_OTHER_DESTINATION,
	CONTROLS
};

enum rival {
	RIVAL_CA_UNTRUSTED,
	RIVAL_GATEWAY_FAULT,
	RIVAL_MUTUAL_TLS,
	RIVAL_UPSTREAM,
	RIVAL_TLS_MISMATCH,
	RIVAL_INTERMITTENT,
	RIVAL_APPLE_SERVICE,
	RIVALS
};
enum rival_status { RIVAL_UNTESTED, RIVAL_REFUTED, RIVAL_STANDS };

enum risk_factor {
	RISK_VERDICT,
	RISK_BACKGROUND,
	RISK_OFF_BASELINE,
	RISK_UNMANAGED,
	RISK_NO_USER_INTERACTION,
	RISK_UNDECLARED_TRANSPORT,
	RISK_DEVICE_POSTURE,
	RISK_BEACON,
	RISK_CONFIDENCE_LOW,
	RISK_FACTORS
};

enum source_status { SOURCE_MISSING, SOURCE_STALE, SOURCE_PRESENT, SOURCE_CONTRIBUTED };

struct contribution {
	enum term term;
	int32_t centidb; /* 1/100 dB */
	struct sv because;
};

struct rival_judgement {
	enum rival_status status;
	struct sv because;
};

struct risk_entry {
	enum risk_factor factor;
	int points;
	struct sv because;
};

struct finding_device {
	struct sv id;
	enum id_type id_type;
	bool ambiguous;
	uint32_t failures, trials, successes, uninspected, background_starts, locked_starts;
};

/* One record behind the finding. */
struct evidence {
	struct sv source, path; /* the source's name; file as given on the command line */
	uint32_t line;
	struct instant time;
	enum observation_kind kind;
	struct sv what; /* "client_reject 46" */
};

#define FINDING_MAX_SERVERS 32

struct finding {
	enum finding_kind kind;
	enum verdict verdict;
	/* as judged were there no allow-lists; the same unless that is why it is expected */
	enum verdict without_lists;
	char uid[37];
	uint32_t revision;
	/* Where a judgement follows another (judge/memo.h): the number of the one since which
	 * nothing has changed, and which finding of the memo it is, from 1. Without it both are
	 * 0. */
	uint64_t since;
	uint32_t memo;
	bool outline; /* only what whoever follows findings asks of each: see judge_fill */
	struct sv explained_by; /* empty: null */
	struct sv bundle_id;	/* empty: app unknown or none */
	struct sv app_version;
	enum attribution attribution;
	struct sv host; /* empty for device and gateway findings */
	uint16_t port;
	int32_t score_centidb;
	enum confidence confidence;
	int risk; /* 0–100 */
	enum severity severity;
	unsigned paths; /* enum path, or'd */
	struct instant first_seen, last_seen;
	const struct finding_device *devices; /* by id */
	size_t n_devices;
	uint32_t excluded_ca_untrusted, excluded_gateway_fault;
	enum source_status log_sources[4]; /* by enum sensor_kind: inspection, flow, edr, mdm */
	const struct contribution *contributions;
	size_t n_contributions;
	unsigned controls_met; /* 1 << enum control */
	struct rival_judgement rivals[RIVALS];
	const struct risk_entry *risk_factors;
	size_t n_risk_factors;
	const struct evidence *evidence;
	size_t n_evidence;
	/* Where its connections went, of those that are confirmed or suspected; ascending. */
	const struct addr *servers;
	size_t n_servers;
	bool more_servers; /* than FINDING_MAX_SERVERS */
	/* What keeps it from the next verdict and what would change it; sentences for `explain`. */
	const struct sv *notes;
	size_t n_notes;
};

const char *finding_kind_name(enum finding_kind k);
const char *verdict_name(enum verdict v);
const char *severity_name(enum severity s);
bool severity_from_name(struct sv name, enum severity *out);
const char *confidence_name(enum confidence c); /* NULL for none */
const char *attribution_name(enum attribution a);
const char *id_type_name(enum id_type t);
const char *path_name(enum path p);
const char *term_name(enum term t);
const char *control_name(enum control c);
const char *rival_name(enum rival r);
const char *rival_status_name(enum rival_status s);
const char *risk_factor_name(enum risk_factor f);
const char *source_status_name(enum source_status s);
/* The analytic's name of a log source: `iOS:MDMLog` for SENSOR_MDM and so on; NULL for lease. */
const char *log_source_name(enum sensor_kind s);
/* ≥ 70 high, ≥ 45 medium, ≥ 25 low. */
enum severity severity_of_risk(int risk);

#endif
