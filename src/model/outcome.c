#include "model/outcome.h"

#include <stddef.h>

static const struct {
	const char *name;
	enum outcome_class class;
	enum failure_weight weight;
	int specificity;
} outcomes[OUTCOMES] = {
	[OUTCOME_UNKNOWN] = { "unknown", CLASS_NO_TRIAL, FAILURE_NONE, 7 },
	[CLIENT_REJECT] = { "client_reject", CLASS_FAILURE, FAILURE_HARD, 1 },
	[CLIENT_REJECT_VALIDITY] = { "client_reject_validity", CLASS_FAILURE, FAILURE_SILENT, 1 },
	[CLIENT_SILENT_CLOSE] = { "client_silent_close", CLASS_FAILURE, FAILURE_SILENT, 3 },
	[ESTABLISHED_NO_DATA] = { "established_no_data", CLASS_FAILURE, FAILURE_LATE, 5 },
	[CLIENT_CANCEL] = { "client_cancel", CLASS_NEUTRAL, FAILURE_NONE, 2 },
	[MUTUAL_TLS] = { "mutual_tls", CLASS_RIVAL, FAILURE_NONE, 1 },
	[UPSTREAM_FAILED] = { "upstream_failed", CLASS_RIVAL, FAILURE_NONE, 1 },
	[TLS_MISMATCH] = { "tls_mismatch", CLASS_RIVAL, FAILURE_NONE, 1 },
	[ESTABLISHED] = { "established", CLASS_SUCCESS, FAILURE_NONE, 4 },
	[INCOMPLETE] = { "incomplete", CLASS_NO_TRIAL, FAILURE_NONE, 6 },
};

static const char *const inspections[] = {
	[INSPECTION_UNKNOWN] = "unknown",
	[INTERCEPTED] = "intercepted",
	[BYPASSED] = "bypassed",
	[UNINSPECTED] = "uninspected",
};

static const char *const bypass_reasons[] = {
	[BYPASS_UNKNOWN] = "unknown",
	[BYPASS_POLICY] = "policy",
	[BYPASS_LEARNED] = "learned",
	[BYPASS_TECHNICAL] = "technical",
};

static const struct {
	int alert;
	const char *name;
} alerts[] = {
	{ 0, "close_notify" },
	{ 10, "unexpected_message" },
	{ 20, "bad_record_mac" },
	{ 21, "decryption_failed" },
	{ 22, "record_overflow" },
	{ 30, "decompression_failure" },
	{ 40, "handshake_failure" },
	{ 41, "no_certificate" },
	{ 42, "bad_certificate" },
	{ 43, "unsupported_certificate" },
	{ 44, "certificate_revoked" },
	{ 45, "certificate_expired" },
	{ 46, "certificate_unknown" },
	{ 47, "illegal_parameter" },
	{ 48, "unknown_ca" },
	{ 49, "access_denied" },
	{ 50, "decode_error" },
	{ 51, "decrypt_error" },
	{ 60, "export_restriction" },
	{ 70, "protocol_version" },
	{ 71, "insufficient_security" },
	{ 80, "internal_error" },
	{ 86, "inappropriate_fallback" },
	{ 90, "user_canceled" },
	{ 90, "user_cancelled" }, /* OpenSSL's spelling */
	{ 100, "no_renegotiation" },
	{ 109, "missing_extension" },
	{ 110, "unsupported_extension" },
	{ 111, "certificate_unobtainable" },
	{ 112, "unrecognized_name" },
	{ 113, "bad_certificate_status_response" },
	{ 114, "bad_certificate_hash_value" },
	{ 115, "unknown_psk_identity" },
	{ 116, "certificate_required" },
	{ 120, "no_application_protocol" },
	{ 121, "ech_required" },
};
#define N_ALERTS (sizeof(alerts) / sizeof(alerts[0]))

const char *outcome_name(enum outcome o) { return outcomes[o].name; }
enum outcome_class outcome_class(enum outcome o) { return outcomes[o].class; }
enum failure_weight outcome_weight(enum outcome o) { return outcomes[o].weight; }
int outcome_specificity(enum outcome o) { return outcomes[o].specificity; }

bool outcome_from_name(struct sv name, enum outcome *out)
{
	for (int i = 0; i < OUTCOMES; i++)
		if (sv_eq(name, sv_cstr(outcomes[i].name))) {
			*out = (enum outcome)i;
			return true;
		}
	return false;
}

static bool find_name(struct sv name, const char *const *names, size_t n, size_t *out)
{
	for (size_t i = 0; i < n; i++)
		if (sv_eq(name, sv_cstr(names[i]))) {
			*out = i;
			return true;
		}
	return false;
}

const char *inspection_name(enum inspection i) { return inspections[i]; }

bool inspection_from_name(struct sv name, enum inspection *out)
{
	size_t i;

	if (!find_name(name, inspections, sizeof(inspections) / sizeof(inspections[0]), &i))
		return false;
	*out = (enum inspection)i;
	return true;
}

const char *bypass_reason_name(enum bypass_reason r) { return bypass_reasons[r]; }

bool bypass_reason_from_name(struct sv name, enum bypass_reason *out)
{
	size_t i;

	if (!find_name(name, bypass_reasons, sizeof(bypass_reasons) / sizeof(bypass_reasons[0]),
		       &i))
		return false;
	*out = (enum bypass_reason)i;
	return true;
}

const char *alert_name(int alert)
{
	for (size_t i = 0; i < N_ALERTS; i++)
		if (alerts[i].alert == alert)
			return alerts[i].name;
	return NULL;
}

/* Letters of any case are equal, and so are space, underscore and hyphen. */
static char fold(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c + 32);
	return c == ' ' || c == '-' ? '_' : c;
}

int alert_from_name(struct sv name)
{
	for (size_t i = 0; i < N_ALERTS; i++) {
		struct sv want = sv_cstr(alerts[i].name);
		size_t k = 0;
		while (k < name.n && k < want.n && fold(name.p[k]) == want.p[k])
			k++;
		if (k == name.n && k == want.n)
			return alerts[i].alert;
	}
	return -1;
}
