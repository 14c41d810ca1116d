/* What a backtest answers: the past under the settings in force, and what every other setting tried
 * would have changed.
 *
 * A result and all its views live in the arena that backtest_run was given; it borrows nothing from
 * the past that was judged.
 */
#ifndef PINWATCH_MODEL_BACKTEST_H
#define PINWATCH_MODEL_BACKTEST_H

#include "model/finding.h"
#include "model/settings.h"

/* Settings tried at most, beside those in force. */
#define BACKTEST_MAX_SETTINGS 64u

/* Seen by who looks at findings without --all: GAINED is shown now, LOST no longer, CHANGED before
 * and after. QUIET: never shown, yet judged otherwise. */
enum backtest_change_kind {
	BACKTEST_GAINED,
	BACKTEST_LOST,
	BACKTEST_CHANGED,
	BACKTEST_QUIET,
	BACKTEST_CHANGES
};

/* A finding as one setting judges it. */
struct backtest_side {
	bool there; /* else the rest says nothing */
	enum verdict verdict;
	enum severity severity;
	enum confidence confidence;
	int32_t score_centidb;
	int risk;
	unsigned paths;		/* enum path, or'd */
	struct sv explained_by; /* empty: null */
};

struct backtest_change {
	enum backtest_change_kind kind;
	enum finding_kind finding;
	char uid[37];
	struct sv app, host; /* of pinning; empty: unknown */
	uint16_t port;
	struct sv device; /* the first, by id; of device findings the one */
	struct instant first_seen, last_seen;
	struct backtest_side before, after; /* in force; as tried */
	const struct sv *reasons;	    /* sentences without full stop, the weightiest first */
	size_t n_reasons;
};

/* Against a simulated fleet's truth. */
struct backtest_measure {
	bool there;
	double precision, recall, f1;
	size_t true_positive, false_positive, false_negative, true_negative;
};

struct backtest_setting {
	struct sv label; /* "InspectionFailureThreshold=5"; of those in force "in force" */
	/* what differs from its neighbours in a sweep: "5"; without a sweep "as tried" */
	struct sv value;
	struct span time_window;
	uint32_t inspection_failure_threshold;
	bool foreground_state_required;
	size_t n_apps, n_destinations;	       /* entries of the allow-lists */
	size_t by_verdict[VERDICTS];	       /* pinning findings */
	size_t others;			       /* findings about devices and gateway */
	size_t by_change[BACKTEST_CHANGES];    /* against those in force */
	const struct backtest_change *changes; /* by kind, then in the order of findings */
	size_t n_changes;
	size_t left_out; /* changes counted but not listed, for there are too many */
	struct backtest_measure measure;
};

struct backtest {
	const struct backtest_setting *settings; /* the first: in force */
	size_t n;
	/* the elements, "TimeWindow, ForegroundStateRequired"; empty: none */
	struct sv swept;
	/* what all that was tried has, "AllowedAppList=[]"; empty: nothing */
	struct sv fixed;
	struct instant since, until; /* as asked; INSTANT_NONE: all there is */
	struct instant first, last;  /* of what was judged */
	uint64_t observations, outside, attempts;
	bool all;      /* quiet changes are listed, too */
	bool measured; /* there is a truth */
	bool stopped;  /* not every setting was judged: these were, whole */
};

const char *backtest_change_name(enum backtest_change_kind k);

#endif
