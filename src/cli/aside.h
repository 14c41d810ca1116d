/* Records that a scan sets aside: shown as they are met (-v), and kept in a dead-letter file.
 *
 * The file holds one JSON object a line: {"path":…,"line":…,"reason":…,"record":…}. It is written
 * under a temporary name and takes its place when the scan is done, so that it is whole or not
 * there. Only files are replaced so: what else a path names (a device, a pipe, a link) stays what
 * it is, and is written to at the end.
 */
#ifndef PINWATCH_CLI_ASIDE_H
#define PINWATCH_CLI_ASIDE_H

#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/progress.h"
#include "scan/scan.h"

struct aside {
	struct progress *progress;
	bool show;
	const char *path; /* NULL: no file */
	FILE *_file;
	FILE *_target; /* where the path names no file: what it does name */
	struct buf _temporary, _line;
	bool _failed;
};

/* path: the dead-letter file, or NULL. */
bool aside_begin(struct aside *a, struct progress *progress, bool show, const char *path,
		 struct error *err);
/* For scan_options.rejected. */
void aside_take(void *arg, const struct scan_reject *r);
/* Puts the file in its place (`done`) or forgets it. */
bool aside_end(struct aside *a, bool done, struct error *err);

#endif
