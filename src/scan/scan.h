/* A scan: files and folders to findings, once through all stages.
 *
 * All inputs are merged by event time, so nothing is too late here: what lies further out of order than
 * its source's max_lag, or in the future, is found on the first pass and read again the right way
 * (feed.h). Everything a scan gives lives until scan_free.
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
	const char *path;                 /* file, folder, or "-" */
	const struct conf_source *source; /* NULL: told by content */
	enum sensor_kind forced_kind;
	bool kind_forced;
	const char *format;               /* NULL: auto */
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

struct scan_options {
	const struct conf *conf;
	const struct format_set *formats;
	const struct scan_input *inputs;
	size_t n_inputs;
	bool all;            /* observed, explained and expected findings too */
	void (*progress)(void *arg, const struct scan_progress *p);
	void *progress_arg;
	/* NULL: the inputs are read once more, forget what came before. */
	void (*rejected)(void *arg, const struct scan_reject *r);
	void *rejected_arg;
	const volatile sig_atomic_t *interrupted; /* nonzero: end early with what there is; may be NULL */
};

/* NULL and *err: ERROR_UNRECOGNISED, ERROR_FORMAT or ERROR_IO for inputs, ERROR_CONFIG or ERROR_USAGE for
 * what was asked. */
struct scan *scan_run(const struct scan_options *options, struct error *err);
void scan_free(struct scan *s);
/* All findings in the stable order of outputs. */
const struct finding *scan_findings(const struct scan *s, size_t *n);
const struct run_summary *scan_summary(const struct scan *s);
/* Done, but partly: a bad-line budget exceeded, a configured source stale, an input damaged. */
bool scan_partial(const struct scan *s);
bool scan_interrupted(const struct scan *s);

#endif
