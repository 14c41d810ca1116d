/* How far a scan is, on a terminal's last line; at most five times a second. */
#ifndef PINWATCH_CLI_PROGRESS_H
#define PINWATCH_CLI_PROGRESS_H

#include <stdbool.h>

#include "base/clock.h"
#include "scan/scan.h"

struct progress {
	bool enabled;
	bool shown;
	struct instant began, last;
};

/* Enabled on a terminal, unless quiet. */
void progress_begin(struct progress *p, bool quiet);
/* The callback of scan_run; arg is the struct progress. */
void progress_show(void *arg, const struct scan_progress *now);
/* Wipes the line. */
void progress_end(struct progress *p);

#endif
