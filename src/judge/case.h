/* One version group of one finding under judgement: what score, paths, rivals and risk share. */
#ifndef PINWATCH_JUDGE_CASE_H
#define PINWATCH_JUDGE_CASE_H

#include "base/pool.h"
#include "correlate/baseline.h"
#include "judge/docket.h"
#include "judge/exclude.h"
#include "judge/trials.h"
#include "model/finding.h"

/* All that a run's judgement stands on; read-only while findings are judged. */
struct bench {
	const struct context *context;
	const struct facts *facts;
	const struct baseline *baseline;
	const struct allow *allow;
	const struct exclusion *exclusion;
	const struct sv *sources;	   /* names, by record_ref.source */
	const struct sv *files;		   /* paths, by record_ref.file */
	enum source_status log_sources[4]; /* of the run: missing, stale or present */
	struct pool *pool;		   /* judges along; may be NULL */
	struct memo *memo; /* of earlier judgements; NULL: everything is judged, in full */
	const struct footing *footing; /* where there is a memo */
};

/* The finding as a whole. */
struct sitting {
	const struct bench *bench;
	struct arena *arena;   /* of the results */
	struct arena *scratch; /* reset before each finding */
	uint32_t app, destination;
	struct others others;	    /* what other apps did there */
	const struct fact **window; /* its attempts that count, excluded ones too, by start */
	size_t n_window;
	const struct fact **kept; /* without the excluded */
	size_t n_kept;
	int64_t newest; /* T */
	int64_t first_seen, last_seen;
	bool baseline_learning, off_baseline;
	bool trusting; /* every failing device was fine before its last failure here; see rival.c */
};

struct version_case {
	const struct sitting *sitting;
	uint32_t version;
	struct trials trials;
	const struct fact **failures; /* by start */
	size_t n_failures;
	bool any_success;
	uint32_t failed_trials; /* over the chosen stacks */
	unsigned controls;	/* 1 << enum control */
	unsigned paths;		/* enum path */
	struct contribution contributions[TERMS + 3];
	size_t n_contributions;
	int32_t score; /* 1/100 dB */
	struct rival_judgement rivals[RIVALS];
	enum verdict verdict, without_lists;
	struct sv explained_by;
	/* Path A's ways, for the explanation. */
	bool fast, slow, wide, learned;
	uint32_t most_in_window; /* failures of one device within TimeWindow */
};

/* Printed into the arena. */
struct sv say(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* score.c: contributions and the score; needs paths for the opacity term. */
void score_case(struct version_case *c);
/* control.c */
void find_controls(struct version_case *c);
/* path.c: without the condition on the score, which needs the score. */
void find_paths(struct version_case *c);
/* Path A's condition on the score. */
void settle_paths(struct version_case *c);
/* rival.c: whether ca_untrusted is refuted, where nothing is excluded by it. */
bool find_trust(const struct sitting *s);
void judge_rivals(struct version_case *c);
/* risk.c: confidence, risk and severity of the reported case. */
void judge_risk(const struct version_case *c, struct finding *out);
/* devices.c: the finding's devices, by id, over its non-excluded attempts. */
void list_devices(const struct sitting *s, struct finding *out);
/* Whose failures the exclusion explains: `facts` of any kind, by start. */
void list_failing_devices(const struct bench *b, struct arena *a, const struct fact **facts,
			  size_t n, struct finding *out);
/* evidence.c: the records behind the facts, and what the log sources gave. */
void list_evidence(const struct bench *b, struct arena *a, struct arena *scratch,
		   const struct fact **facts, size_t n, uint32_t app, struct finding *out);
/* note.c: what keeps the case from the next verdict, and what would change it. */
void write_notes(const struct version_case *c, struct finding *out);

#endif
