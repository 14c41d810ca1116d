/* What became of a TLS attempt: outcomes, inspection state and their standing in evidence.
 *
 * The table behind these enumerations is "Outcomes" in docs/evidence.md.
 */
#ifndef PINWATCH_MODEL_OUTCOME_H
#define PINWATCH_MODEL_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sv.h"

enum outcome {
	OUTCOME_UNKNOWN, /* zero: not said */
	CLIENT_REJECT,
	CLIENT_REJECT_VALIDITY,
	CLIENT_SILENT_CLOSE,
	ESTABLISHED_NO_DATA,
	CLIENT_CANCEL,
	MUTUAL_TLS,
	UPSTREAM_FAILED,
	TLS_MISMATCH,
	ESTABLISHED,
	INCOMPLETE,
	OUTCOMES /* how many */
};

enum outcome_class { CLASS_NO_TRIAL, CLASS_FAILURE, CLASS_NEUTRAL, CLASS_RIVAL, CLASS_SUCCESS };

/* Weight of a failure: hard > silent > late. */
enum failure_weight { FAILURE_NONE, FAILURE_LATE, FAILURE_SILENT, FAILURE_HARD };

enum inspection {
	INSPECTION_UNKNOWN, /* zero: not said */
	INTERCEPTED,
	BYPASSED,
	UNINSPECTED,
};

enum bypass_reason { BYPASS_UNKNOWN, BYPASS_POLICY, BYPASS_LEARNED, BYPASS_TECHNICAL };

/* The words of the canonical observation; "unknown" for zero. */
const char *outcome_name(enum outcome o);
bool outcome_from_name(struct sv name, enum outcome *out);
const char *inspection_name(enum inspection i);
bool inspection_from_name(struct sv name, enum inspection *out);
const char *bypass_reason_name(enum bypass_reason r);
bool bypass_reason_from_name(struct sv name, enum bypass_reason *out);

enum outcome_class outcome_class(enum outcome o);
enum failure_weight outcome_weight(enum outcome o);
/* 1 (wins) to 7. */
int outcome_specificity(enum outcome o);

/* TLS alert descriptions (RFC 8446, 6; RFC 5246, 7.2; RFC 9849 for ech_required). NULL when
 * unassigned. */
const char *alert_name(int alert);
/* By the standard's name, spaces or underscores, any case; −1 when unknown. */
int alert_from_name(struct sv name);

#endif
