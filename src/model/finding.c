#include "model/finding.h"

static const char *const kinds[] = { "pinning", "ca_untrusted", "gateway_fault", "source_silent" };
static const char *const verdicts[] = { "confirmed", "suspected", "explained", "observed",
					"expected" };
static const char *const severities[] = { "informational", "low", "medium", "high" };
static const char *const confidences[] = { NULL, "low", "medium", "high" };
static const char *const attributions[] = { "none",  "foreground", "learned",
					    "agent", "host",	   "exact" };
static const char *const id_types[] = { "udid", "serial", "mdm_id", "user", "mac", "ip" };
static const char *const terms[] = {
	"prior",
	"differential",
	"cap",
	"same_app_uninspected",
	"other_app_same_destination",
	"same_device_other_destination",
	"replication",
	"contradiction",
	"retry",
	"uninspected_after_failure",
	"short_sessions",
	"learned_bypass",
	"persistent_opacity",
};
static const char *const controls[] = {
	"same_app_uninspected",
	"other_app_same_destination",
	"same_device_other_destination",
};
static const char *const rivals[] = {
	"ca_untrusted", "gateway_fault", "mutual_tls",	  "upstream",
	"tls_mismatch", "intermittent",	 "apple_service",
};
static const char *const statuses[] = { "untested", "refuted", "stands" };
static const char *const factors[] = {
	"verdict",
	"background",
	"off_baseline",
	"unmanaged",
	"no_user_interaction",
	"undeclared_transport",
	"device_posture",
	"beacon",
	"confidence_low",
};
static const char *const source_statuses[] = { "missing", "stale", "present", "contributed" };
static const char *const log_sources[] = {
	"NSM:Inspection", "NSM:Flow", "MobileEDR:telemetry", "iOS:MDMLog", NULL,
};

const char *finding_kind_name(enum finding_kind k) { return kinds[k]; }
const char *verdict_name(enum verdict v) { return verdicts[v]; }
const char *severity_name(enum severity s) { return severities[s]; }
const char *confidence_name(enum confidence c) { return confidences[c]; }
const char *attribution_name(enum attribution a) { return attributions[a]; }
const char *id_type_name(enum id_type t) { return id_types[t]; }
const char *term_name(enum term t) { return terms[t]; }
const char *control_name(enum control c) { return controls[c]; }
const char *rival_name(enum rival r) { return rivals[r]; }
const char *rival_status_name(enum rival_status s) { return statuses[s]; }
const char *risk_factor_name(enum risk_factor f) { return factors[f]; }
const char *source_status_name(enum source_status s) { return source_statuses[s]; }
const char *log_source_name(enum sensor_kind s) { return log_sources[s]; }

const char *path_name(enum path p)
{
	return p == PATH_REJECTION	    ? "rejection"
	       : p == PATH_SELECTIVE_BYPASS ? "selective_bypass"
					    : "persistent_opacity";
}

bool severity_from_name(struct sv name, enum severity *out)
{
	for (int i = SEVERITY_INFORMATIONAL; i <= SEVERITY_HIGH; i++)
		if (sv_eq(name, sv_cstr(severities[i]))) {
			*out = (enum severity)i;
			return true;
		}
	return false;
}

enum severity severity_of_risk(int risk)
{
	if (risk >= 70)
		return SEVERITY_HIGH;
	if (risk >= 45)
		return SEVERITY_MEDIUM;
	return risk >= 25 ? SEVERITY_LOW : SEVERITY_INFORMATIONAL;
}
