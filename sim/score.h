/* Findings against a simulated fleet's truth: precision, recall, and what went wrong by name.
 *
 * A case is one (app, host, port) of truth.json. It is positive when the app pins and nobody has
 * said that this is expected: a case on an allow-list that is raised all the same counts as a false
 * positive. A finding is positive when its kind is pinning and its verdict confirmed or suspected.
 * A finding whose app is unknown speaks for the cases of its host. All views point into the
 * struct's own arena.
 */
#ifndef PINWATCH_SIM_SCORE_H
#define PINWATCH_SIM_SCORE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/sv.h"

enum score_outcome { SCORE_TP, SCORE_FP, SCORE_FN, SCORE_TN, SCORE_OUTCOMES };

/* Verdicts as a set; NONE stands for "no finding". */
enum score_verdict {
	VERDICT_CONFIRMED = 1,
	VERDICT_SUSPECTED = 2,
	VERDICT_EXPLAINED = 4,
	VERDICT_EXPECTED = 8,
	VERDICT_OBSERVED = 16,
	VERDICT_NONE = 0,
};
#define VERDICTS_RAISED (VERDICT_CONFIRMED | VERDICT_SUSPECTED)
/* "none" for VERDICT_NONE. */
const char *score_verdict_name(enum score_verdict v);

struct score_case {
	/* Truth. */
	struct sv app, host, scenario;
	uint16_t port;
	bool pinned, positive;
	unsigned may;		  /* set of verdicts */
	struct sv explained_by;	  /* empty: any */
	const struct sv *devices; /* if any: no other device may appear in the finding */
	size_t n_devices;
	/* What was found. */
	enum score_verdict verdict;
	struct sv found_explained_by;
	bool by_host; /* only by a finding without app */
	bool wrong_device;
	bool as_expected; /* verdict, explanation and devices */
	enum score_outcome outcome;
};

/* A finding that no case speaks of. */
struct score_extra {
	struct sv kind, app, host, device, verdict;
	struct instant from, until;
};

struct score_device {
	struct sv udid, label;
	const struct sv *addresses; /* one of these names the phone where its UDID is not known */
	size_t n_addresses;
	bool found;
};

struct score_span {
	struct sv label;
	struct instant from, until;
	bool found;
};

struct score_scenario {
	struct sv name;
	size_t outcomes[SCORE_OUTCOMES], cases, as_expected;
};

struct score {
	struct arena arena;
	struct score_case *cases; /* in order of host, port, app */
	size_t n_cases;
	struct score_device *devices;
	size_t n_devices;
	struct score_span *spans;
	size_t n_spans;
	struct score_extra *extras; /* raised, and false */
	size_t n_extras, _cap_extras;
	struct score_scenario *scenarios; /* in order of name */
	size_t n_scenarios;
	size_t findings;
	bool quiet_ones; /* the findings hold explained, expected or observed ones: --all was
			  * given */
	/* Totals: cases, and pinning findings among the extras as false positives. */
	size_t outcomes[SCORE_OUTCOMES], as_expected;
};

/* truth.json, whole. A zeroed struct first. */
bool score_truth(struct score *s, struct sv document, struct error *err);
/* One finding, a line of JSON; after score_truth. */
bool score_finding(struct score *s, struct sv line, struct error *err);
/* Counts. After the last finding. */
void score_finish(struct score *s);
void score_free(struct score *s);

/* 0 to 1; 1 where there was nothing to get wrong. */
double score_precision(const struct score *s);
double score_recall(const struct score *s);
double score_f1(const struct score *s);

#endif
