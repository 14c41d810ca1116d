/* What the operator decides about meaning: the five mutable elements under their MITRE names, and
 * the numbers of docs/evidence.md that may be changed. conf/ fills it, the stages read
 * it. */
#ifndef PINWATCH_MODEL_SETTINGS_H
#define PINWATCH_MODEL_SETTINGS_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/sv.h"

/* One entry of AllowedAppList or AllowedDestinationList. */
struct allowance {
	/* the app or destination as written; names the entry in findings */
	struct sv text;
	bool is_app_list;      /* which of the two lists it stands in */
	struct sv app;	       /* exact, or `prefix.*`; empty: any app */
	const struct sv *apps; /* AllowedDestinationList: any of these; none: any app */
	size_t n_apps;
	const struct sv *destinations; /* exact host, `.suffix`, or CIDR; none: any destination */
	size_t n_destinations;
	struct instant expires; /* last covered instant; INSTANT_NONE: never */
	int64_t id;		/* of the database's entry; 0: none */
};

struct listener {
	struct addr ip;
	uint16_t port;
};

struct settings {
	struct span time_window;
	uint32_t inspection_failure_threshold;
	bool foreground_state_required;
	const struct allowance *allowances;
	size_t n_allowances;

	struct span score_window, posture_max_age, state_max_age;
	uint32_t baseline_days, baseline_devices, opaque_sessions;

	/* how MDM names the inspection root; none: any root payload */
	const struct sv *root_profiles;
	size_t n_root_profiles;
	const struct sv *issuers;
	size_t n_issuers;
	const struct listener *listeners; /* explicit proxies */
	size_t n_listeners;
	const struct cidr *addresses; /* further addresses of the gateway itself */
	size_t n_addresses;
};

#endif
