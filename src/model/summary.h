/* What a run has read, in plain counts: the material of the footer, of `parse --stats` and of
 * `analytic`.
 *
 * The views live as long as the run that filled them. Every record of an input is in exactly one of
 * `records − irrelevant − rejected − overlong` (gave observations), `irrelevant`, `rejected` and
 * `overlong`; `quarantined` and `too_late` count observations that were read but not used.
 */
#ifndef PINWATCH_MODEL_SUMMARY_H
#define PINWATCH_MODEL_SUMMARY_H

#include "base/clock.h"
#include "base/sv.h"
#include "model/finding.h"
#include "model/observation.h"
#include "model/settings.h"

#define SUMMARY_EXAMPLES 3

/* One of the first records that were rejected. */
struct reject_example {
	struct sv file;
	uint32_t line;
	struct sv reason;
};

struct source_summary {
	struct sv name;
	enum sensor_kind kind; /* what its records usually feed */
	struct sv format;      /* of its first file */
	bool configured;       /* named in the configuration, so its absence is a fault */
	bool stale;	       /* silent for longer than `silence_after` before the newest event */
	bool over_budget;      /* more bad lines than `bad_line_budget` allows */
	uint32_t files;	       /* 0: the source is missing */
	uint64_t bytes;	       /* as stored, packed where packed */
	uint64_t records;
	uint64_t observations[OBS_KINDS];
	uint64_t by_sensor[SENSORS]; /* the same observations by the log source they belong to */
	uint64_t rejected, irrelevant, overlong, quarantined, too_late;
	uint64_t outside;	    /* observations outside the period that was asked for */
	struct instant first, last; /* INSTANT_NONE without observations */
	struct reject_example examples[SUMMARY_EXAMPLES];
	size_t n_examples;
};

struct run_summary {
	const struct source_summary *sources;
	size_t n_sources;
	enum source_status log_sources[4]; /* by enum sensor_kind; CONTRIBUTED is not used here */
	struct instant first, last;	   /* over all sources */
	/* The span that every source with attempts covers; from > to or unknown: there is none. */
	struct instant overlap_from, overlap_to;
	uint64_t attempts;	 /* connections after merging */
	uint64_t contradictions; /* attempts whose observations disagree about success */
	uint64_t gateway_own;	 /* dropped: the gateway's own connections, seen beyond it */
	uint64_t unjudged;	 /* attempts without a host */
	uint64_t evicted;	 /* attempts given up to stay within the memory bound */
	/* taken as the gateway's since none is configured; port 0: none */
	struct listener found_listener;
	uint32_t devices, apps, destinations;
	/* truth, configuration and list files found in a scanned folder */
	const struct sv *left_alone;
	size_t n_left_alone;
};

#endif
