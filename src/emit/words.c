#include "emit/words.h"

#include "emit/text.h"

/* A sentence of a record-derived text is never longer than this in a person's output. */
#define WHY_MAX_CHARS 300

const char *words_term(enum term t)
{
	static const char *const words[TERMS] = {
		[TERM_PRIOR] = "where every app starts: few pin",
		[TERM_DIFFERENTIAL] = "how its connections fare under inspection",
		[TERM_CAP] = "cut at the most that such evidence may count",
		[TERM_SAME_APP_UNINSPECTED] = "the same app is fine where nobody inspects",
		[TERM_OTHER_APP_SAME_DESTINATION] = "another app is fine with this destination",
		[TERM_SAME_DEVICE_OTHER_DESTINATION] = "the device is fine with other destinations",
		[TERM_REPLICATION] = "it fails on several devices",
		[TERM_CONTRADICTION] = "the same app version is fine on another device",
		[TERM_RETRY] = "it tries again within seconds",
		[TERM_UNINSPECTED_AFTER_FAILURE] = "it gets through uninspected soon after failing",
		[TERM_SHORT_SESSIONS] = "many short sessions in a row",
		[TERM_LEARNED_BYPASS] = "the gateway has learned to let it pass",
		[TERM_PERSISTENT_OPACITY] = "lasting opaque sessions to a place off its baseline",
	};
	return words[t];
}

const char *words_control(enum control c)
{
	static const char *const words[CONTROLS] = {
		[CONTROL_SAME_APP_UNINSPECTED] =
		    "this app version reaches this destination where it is not inspected",
		[CONTROL_OTHER_APP_SAME_DESTINATION] =
		    "another app on the failing device reaches this destination under inspection",
		[CONTROL_SAME_DEVICE_OTHER_DESTINATION] =
		    "the failing device reaches other destinations under inspection",
	};
	return words[c];
}

const char *words_control_missing(enum control c)
{
	static const char *const words[CONTROLS] = {
		[CONTROL_SAME_APP_UNINSPECTED] =
		    "would be met by one session of this app version with this destination that "
		    "the gateway does not decrypt, within 24 h of a failure: a flow log of a "
		    "path around the gateway, or a bypass of this host for a test device",
		[CONTROL_OTHER_APP_SAME_DESTINATION] =
		    "would be met by another app on the failing device (a browser will do) that "
		    "loads this host under inspection within 24 h of a failure",
		[CONTROL_SAME_DEVICE_OTHER_DESTINATION] =
		    "would be met by any successful inspected connection of the failing device "
		    "to another host within an hour of a failure",
	};
	return words[c];
}

const char *words_rival(enum rival r)
{
	static const char *const words[RIVALS] = {
		[RIVAL_CA_UNTRUSTED] = "the device does not trust the inspection root",
		[RIVAL_GATEWAY_FAULT] = "the gateway itself was failing",
		[RIVAL_MUTUAL_TLS] = "the destination wants a client certificate",
		[RIVAL_UPSTREAM] = "the destination itself is broken",
		[RIVAL_TLS_MISMATCH] = "client and gateway share no version or cipher",
		[RIVAL_INTERMITTENT] = "it fails only now and then",
		[RIVAL_APPLE_SERVICE] = "an Apple service, which Apple says can never be inspected",
	};
	return words[r];
}

const char *words_risk(enum risk_factor f)
{
	static const char *const words[RISK_FACTORS] = {
		[RISK_VERDICT] = "a pinning finding at all",
		[RISK_BACKGROUND] = "in the background or on a locked device",
		[RISK_OFF_BASELINE] = "a destination off the app's baseline",
		[RISK_UNMANAGED] = "an app that nobody manages",
		[RISK_NO_USER_INTERACTION] = "without the user doing anything",
		[RISK_UNDECLARED_TRANSPORT] = "pins without declaring it",
		[RISK_DEVICE_POSTURE] = "a jailbroken or non-compliant device",
		[RISK_BEACON] = "as regular as a beacon",
		[RISK_CONFIDENCE_LOW] = "low confidence",
	};
	return words[f];
}

const char *words_path(enum path p)
{
	return p == PATH_REJECTION	    ? "A, repeated rejection"
	       : p == PATH_SELECTIVE_BYPASS ? "B, selective bypass"
					    : "C, persistent opacity";
}

const char *words_path_needs(enum path p)
{
	return p == PATH_REJECTION ? "needs InspectionFailureThreshold failures of one device "
				     "within TimeWindow, twice as many failed bursts in a row "
				     "within 24 h, or failures on several devices within 24 h"
	       : p == PATH_SELECTIVE_BYPASS ? "needs a failure and then, on the same device "
					      "within TimeWindow, an uninspected success or a "
					      "learned bypass of the same destination"
					    : "needs lasting uninspected sessions to a "
					      "destination off the app's baseline while the "
					      "device's other traffic is inspected";
}

const char *words_attribution(enum attribution a)
{
	static const char *const words[] = {
		[ATTRIBUTION_NONE] = "nothing names the app",
		[ATTRIBUTION_FOREGROUND] = "it was the one app in the foreground",
		[ATTRIBUTION_LEARNED] = "the only app of the fleet seen with this destination",
		[ATTRIBUTION_AGENT] = "named by the user agent",
		[ATTRIBUTION_HOST] = "the only app that the EDR saw contact this host then",
		[ATTRIBUTION_EXACT] = "a record of the very connection names it",
	};
	return words[a];
}

const char *words_id_type(enum id_type t)
{
	static const char *const words[] = {
		[ID_UDID] = "UDID", [ID_SERIAL] = "serial number", [ID_MDM_ID] = "MDM id",
		[ID_USER] = "user", [ID_MAC] = "MAC address",	   [ID_IP] = "IP address only",
	};
	return words[t];
}

const char *words_missing_source(enum sensor_kind s)
{
	static const char *const words[SENSORS] = {
		[SENSOR_INSPECTION] =
		    "Whether a connection was inspected and how the client took it is known "
		    "from flow logs only, so path A (repeated rejection) is mostly out of reach.",
		[SENSOR_FLOW] =
		    "Uninspected sessions are only known where the gateway logs its own "
		    "bypasses: paths B and C and the control same_app_uninspected are mostly out "
		    "of reach.",
		[SENSOR_EDR] =
		    "Confidence is at most medium; background, lock state and user interaction "
		    "are unknown, and fewer connections can be given to an app.",
		[SENSOR_MDM] = "Confidence is at most medium; supervision, managed apps, "
			       "profiles and compliance are unknown, and devices may be known by "
			       "address only.",
		[SENSOR_LEASE] = "Devices that no record names are known by address only, which "
				 "keeps confidence low.",
	};
	return words[s];
}

const char *words_log_source(enum sensor_kind s)
{
	static const char *const words[SENSORS] = {
		[SENSOR_INSPECTION] = "the TLS-inspecting gateway or proxy",
		[SENSOR_FLOW] = "a network sensor (flows, TLS handshakes)",
		[SENSOR_EDR] = "an agent on the device (EDR, content filter, privacy report)",
		[SENSOR_MDM] = "the device management's inventory",
		[SENSOR_LEASE] = "DHCP, RADIUS, VPN or a static map",
	};
	return words[s];
}

void words_app(struct buf *out, const struct finding *f)
{
	if (sv_empty(f->bundle_id)) {
		buf_str(out, "unknown app");
		return;
	}
	text_safe(out, f->bundle_id, 80);
	if (!sv_empty(f->app_version)) {
		buf_char(out, ' ');
		text_safe(out, f->app_version, 24);
	}
}

void words_destination(struct buf *out, const struct finding *f)
{
	text_place(out, f->host, 80, f->port != 443 ? f->port : 0);
}

/* The contribution that speaks loudest for the finding; the prior and caps say nothing about it. */
static const struct contribution *strongest(const struct finding *f)
{
	const struct contribution *best = NULL;

	for (size_t i = 0; i < f->n_contributions; i++) {
		const struct contribution *c = &f->contributions[i];

		if (c->term == TERM_PRIOR || c->term == TERM_CAP || c->centidb <= 0)
			continue;
		if (best == NULL || c->centidb > best->centidb)
			best = c;
	}
	return best;
}

void words_why(struct buf *out, const struct finding *f)
{
	const struct contribution *best;

	if (f->verdict == VERDICT_EXPECTED) {
		bool apple = sv_eq(f->explained_by, sv_cstr(rival_name(RIVAL_APPLE_SERVICE)));

		buf_str(out, apple ? words_rival(RIVAL_APPLE_SERVICE) : "allowed by ");
		if (!apple)
			text_safe(out, f->explained_by, 120);
		return;
	}
	for (int r = 0; f->verdict == VERDICT_EXPLAINED && r < RIVALS; r++) {
		if (!sv_eq(f->explained_by, sv_cstr(rival_name((enum rival)r))))
			continue;
		buf_str(out, words_rival((enum rival)r));
		if (!sv_empty(f->rivals[r].because)) {
			buf_str(out, ": ");
			text_safe(out, f->rivals[r].because, WHY_MAX_CHARS);
		}
		return;
	}
	best = strongest(f);
	if (f->verdict == VERDICT_OBSERVED && f->n_notes > 0)
		text_safe(out, f->notes[0], WHY_MAX_CHARS);
	else if (best != NULL && !sv_empty(best->because))
		text_safe(out, best->because, WHY_MAX_CHARS);
	else if (best != NULL)
		buf_str(out, words_term(best->term));
	else if (f->n_notes > 0)
		text_safe(out, f->notes[0], WHY_MAX_CHARS);
	else if (f->paths != 0)
		buf_str(out, words_path((enum path)(f->paths & ~(f->paths - 1))));
	else
		buf_str(out, "no path to suspected was reached");
}
