/* A scan: files and folders to findings, once through all stages.
 *
 * All inputs are merged by event time, so nothing is too late here: what lies further out of order
 * than its source's max_lag, or in the future, is found on the first pass and read again the right
 * way (feed.h). Everything a scan gives lives until scan_free.
 */
#ifndef PINWATCH_SCAN_SCAN_H
#define PINWATCH_SCAN_SCAN_H

#include <signal.h>

#include "base/error.h"
#include "conf/conf.h"
#include "model/finding.h"
#include "model/summary.h"
#include "parse/parser.h"

struct scan;

struct scan_input {
	const char *path;		  /* file, folder, or "-" */
	const struct conf_source *source; /* NULL: told by content */
	enum sensor_kind forced_kind;
	bool kind_forced;
	const char *format; /* NULL: auto */
};

struct scan_progress {
	uint64_t bytes_done, bytes_total, records;
};

/* A record that was set aside: why, and its bytes (dead with the call). */
struct scan_reject {
	const char *path;
	uint32_t line;
	const char *reason;
	struct sv record;
};

/* Which of the past counts, by the records' times: what a connection's records say from `since` to
 * before `until`; what says who and what a device is from the beginning to before `until`.
 * INSTANT_NONE: no bound. */
struct scan_period {
	struct instant since, until;
};

struct scan_options {
	const struct conf *conf;
	const struct format_set *formats;
	const struct scan_input *inputs;
	size_t n_inputs;
	/* NULL: all; what lies outside is counted, and as if it were not there */
	const struct scan_period *period;
	bool all; /* observed, explained and expected findings too */
	void (*progress)(void *arg, const struct scan_progress *p);
	void *progress_arg;
	/* NULL: the inputs are read once more, forget what came before. */
	void (*rejected)(void *arg, const struct scan_reject *r);
	void *rejected_arg;
	/* nonzero: end early with what there is; may be NULL */
	const volatile sig_atomic_t *interrupted;
};

/* NULL and *err: ERROR_UNRECOGNISED, ERROR_FORMAT or ERROR_IO for inputs, ERROR_CONFIG or
 * ERROR_USAGE for what was asked. */
struct scan *scan_run(const struct scan_options *options, struct error *err);
void scan_free(struct scan *s);
/* All findings in the stable order of outputs. */
const struct finding *scan_findings(const struct scan *s, size_t *n);
const struct run_summary *scan_summary(const struct scan *s);
/* The settings that were judged by: a listener that was found stands in them. */
const struct settings *scan_settings(const struct scan *s);
/* Judges what was read once more, everything, under other settings, which may differ from
 * scan_settings in the analytic's five mutable elements only: the rest acts while reading. The list
 * is good until the next call and takes the place of what scan_findings gives; what it points at
 * lives in the arena. */
const struct finding *scan_judge_again(struct scan *s, const struct settings *settings,
				       struct arena *arena, size_t *n);
bool scan_outside_period(const struct scan_period *p, const struct observation *o);
/* Done, but partly: a bad-line budget exceeded, a configured source stale, an input damaged. */
bool scan_partial(const struct scan *s);
bool scan_interrupted(const struct scan *s);

#endif
